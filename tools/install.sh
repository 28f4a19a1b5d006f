#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh [PACKAGE...] - install the Debian packages (12 or 13) that are missing, of those named or else of those that
# building and testing need.
# Does nothing when all are there; goes through sudo when not root. The host may be any that apt is set up for.
set -eu

packages="gcc g++ clang llvm make verilator iverilog yosys z3 libcunit1-dev libpcap-dev libusb-1.0-0-dev libbpf-dev libconfig-dev libjansson-dev libsystemd-dev zlib1g-dev iproute2 curl tshark cppcheck clang-format liblwip-dev umockdev libumockdev-dev openfpgaloader procps systemd"
test $# = 0 || packages=$*

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "install.sh: this is not Debian; please install yourself: $packages" >&2
	exit 1
fi
missing=
for package in $packages; do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
	"install ok installed") ;;
	*) missing="$missing $package" ;;
	esac
done
test -n "$missing" || exit 0

if [ "$(id -u)" = 0 ]; then
	root=
elif command -v sudo >/dev/null; then
	root=sudo
else
	echo "install.sh: not root and no sudo; please install:$missing" >&2
	exit 1
fi
echo "install.sh: installing$missing"
# One at a time of this tree's; for those of others apt waits, but not for its lists.
mkdir -p "$(dirname "$0")/../build"
exec 9> "$(dirname "$0")/../build/install.lock"
flock 9
$root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
# shellcheck disable=SC2086 -- a list of words on purpose
$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing
