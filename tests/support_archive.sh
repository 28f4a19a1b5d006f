# SPDX-License-Identifier: Apache-2.0
# support_archive.sh [VERSION] - make, in the current folder, a Debian archive "archive" with suite "test" for test_fetch.c:
#   fetch-tool  a program that prints its data, its first argument and argc, and exits 7; depends on
#   fetch-data  its data, found by a compiled-in name below /usr/share
#   libc6       this machine's ld.so and libc
#   other       of this VERSION, 1.0 if none is given
set -eu
arch=$(dpkg --print-architecture)

control() { # control PACKAGE VERSION [DEPENDS]
	mkdir -p "$1/DEBIAN"
	printf '%s\n' "Package: $1" "Version: $2" "Architecture: $arch" 'Maintainer: Test <test@example.com>' \
		'Description: for a test' ${3:+"Depends: $3"} > "$1/DEBIAN/control"
}

mkdir -p fetch-tool/usr/bin fetch-data/usr/share/fetch-test libc6/usr/lib/test-linux-gnu libc6/usr/lib64 other/usr/lib
cat > tool.c <<'END'
#include <stdio.h>
int main(int argc, char **argv)
{
	char data[64] = "no data";
	FILE *f = fopen("/usr/share/fetch-test/data", "r");

	if (f)
		fgets(data, sizeof(data), f);
	printf("%s/%s/%d\n", data, argc > 1 ? argv[1] : "", argc);
	return 7;
}
END
test -e fetch-tool/usr/bin/fetch-test || cc -o fetch-tool/usr/bin/fetch-test tool.c
printf found > fetch-data/usr/share/fetch-test/data
cp -L "$(ldd fetch-tool/usr/bin/fetch-test | sed -n 's/^[^=]*[[:space:]]\(\/[^ ]*ld-linux[^ ]*\) .*/\1/p')" libc6/usr/lib64/
cp -L "$(ldd fetch-tool/usr/bin/fetch-test | sed -n 's/.*=> \(.*\/libc\.so\.6\) .*/\1/p')" libc6/usr/lib/test-linux-gnu/
control fetch-tool 1.0 'fetch-data, libc6'
control fetch-data 1.0
control libc6 1.0
control other "${1:-1.0}"

dist=archive/dists/test
index=main/binary-$arch/Packages
mkdir -p "$dist/main/binary-$arch" archive/pool
for package in fetch-tool fetch-data libc6 other; do
	deb=archive/pool/$package.deb
	dpkg-deb --root-owner-group -Znone -b $package "$deb" >/dev/null
	cat $package/DEBIAN/control
	printf '%s\n' "Filename: pool/$package.deb" "Size: $(stat -c %s "$deb")" "SHA256: $(sha256sum < "$deb" | cut -d' ' -f1)" ''
done > "$dist/$index"
printf '%s\n' 'Suite: test' 'Codename: test' 'Components: main' "Architectures: $arch" 'SHA256:' \
	" $(sha256sum < "$dist/$index" | cut -d' ' -f1) $(stat -c %s "$dist/$index") $index" > "$dist/Release"
