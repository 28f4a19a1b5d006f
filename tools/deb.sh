#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# deb.sh - make Debian packages of the tree as it is committed or changed (files git ignores left out) and check them with
# lintian, whose every complaint is a failure. They go to build/deb. Called by `make deb`.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/deb
rm -rf "$out" && mkdir -p "$out/handfast"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$out/handfast"
mv "$out/handfast/packaging/debian" "$out/handfast/debian"
cd "$out/handfast"
# What was verilated here is verilated there, once more, without -march=native.
DEB_BUILD_OPTIONS="parallel=$(nproc) nocheck" dpkg-buildpackage -b -us -uc > "$out/build.log" 2>&1 ||
	{ tail -n 30 "$out/build.log"; echo "deb: dpkg-buildpackage failed, see build/deb/build.log" >&2; exit 1; }
cd "$out"
rm -rf handfast
if lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs ./*.changes > lintian.log 2>&1; then
	echo "deb: lintian: nothing to say"
else
	cat lintian.log
	exit 1
fi
ls ./*.deb
