#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch.sh [--only PATTERN] [--update] SUITE PACKAGE... - Debian packages of any suite (trixie, trixie-backports, forky, ...)
# with all they depend on, unpacked into a private folder outside the tree. Needs no root and changes nothing in the
# system. Prints the folder's path; its programs are FOLDER/usr/bin/PROGRAM. What is there already is not fetched again.
#
#	qemu=$(tools/fetch.sh trixie-backports qemu-system-x86) && "$qemu/usr/bin/qemu-system-x86_64" --version
#
#   --only PATTERN  of what would be installed, unpack only packages whose names match (as in case): of a kernel, the image
#   --update        look for newer versions although the folder is there
#
# FOLDER/.fetch/versions says what it holds: package, version, architecture. The mirror is that of the machine's own
# apt sources; everything is checked against the Debian archive's keyring.
#
#   HF_FETCH_DIR     where folders are; default ${XDG_CACHE_HOME:-$HOME/.cache}/handfast
#   HF_FETCH_MIRROR  another source, as in sources.list between "deb" and the suite: "[option=value] URI"
#   HF_FETCH_OFFLINE if not empty: only what is there
#
# How programs of another Debian run here: each ELF program of the folder is replaced by a script that starts it through
# the folder's own ld.so with the folder's own libraries, and with a preloaded shim (fetch_redirect.c) that lets it find
# below the folder what it looks for in /usr/share and /usr/lib. ld.so is in usr/bin since some programs find their data
# from /proc/self/exe. The scripts find the folder from their own path, so it may be moved.
set -eu
umask 022

die() {
	echo "fetch.sh: $*" >&2
	exit 1
}
usage() {
	echo "fetch.sh: usage: fetch.sh [--only PATTERN] [--update] SUITE PACKAGE...${1:+ ($1)}" >&2
	exit 2
}

only='*' update=
while test $# -gt 0; do
	case $1 in
	--only)
		test $# -ge 2 || usage "--only needs a pattern"
		only=$2
		shift 2
		;;
	--update)
		update=yes
		shift
		;;
	-*) usage "unknown option $1" ;;
	*) break ;;
	esac
done
test $# -ge 2 || usage
suite=$1
shift
# Letters that neither shell, file system nor apt give a meaning to; a package may be NAME=VERSION.
for word in "$suite" "$@"; do
	case $word in
	*[!a-zA-Z0-9.+:~=-]* | -* | .*) usage "not a suite or package: $word" ;;
	esac
done

cache=${HF_FETCH_DIR:-${XDG_CACHE_HOME:-${HOME:?fetch.sh: HOME and HF_FETCH_DIR are not set}/.cache}/handfast}
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
here=$(cd "$(dirname "$0")" && pwd)
request="$suite $only $*"
folder=$cache/$suite/${1%%=*}-$(printf '%s' "$request" | cksum | cut -d' ' -f1)

# A folder appears whole, by a rename, and with the request that made it.
is_there() { test "$(cat "$folder/.fetch/request" 2>/dev/null)" = "$request"; }
finish() {
	echo "$folder"
	exit 0
}
test -n "$update" || ! is_there || finish
test -z "${HF_FETCH_OFFLINE:-}" || { is_there && finish || die "$suite: $* is not in $cache, and HF_FETCH_OFFLINE is set"; }

for tool in apt-get apt-config dpkg-deb dpkg flock; do
	command -v $tool >/dev/null || die "no $tool: packages can be fetched on Debian and its relatives only"
done
mkdir -p "$cache/$suite" || die "cannot write to $cache"
exec 9>"$cache/$suite/.lock"
flock -w 900 9 || die "another fetch.sh has held $cache/$suite/.lock for 15 minutes"
test -n "$update" || ! is_there || finish # by another one while we waited

# An apt of our own: its lists, its packages, its empty idea of what is installed. Of the system's settings only how to
# reach a server (proxies), none of the hooks.
arch=$(dpkg --print-architecture)
apt=$cache/$suite/.apt
new=$cache/$suite/.new
rm -rf "$new"
trap 'rm -rf "$new"' EXIT
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/etc" "$new/.fetch" "$new/debs"
: > "$apt/status"
{
	apt-config dump --format '%f "%v";%n' Acquire
	cat <<-END
		Dir "$apt";
		Dir::State "$apt";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt";
		Dir::Etc "$apt/etc";
		Dir::Etc::parts "/dev/null";
		Dir::Etc::main "/dev/null";
		Dir::Etc::sourcelist "$apt/etc/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Log "$apt";
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Sandbox::User "";
		APT::Install-Recommends "false";
		APT::Get::Assume-Yes "true";
		APT::Update::Error-Mode "any";
		Acquire::Languages "none";
		Acquire::Retries "2";
		Acquire::http::Timeout "30";
		Acquire::https::Timeout "30";
		# A mirror that stands still serves what was signed once; the signature is checked all the same.
		Acquire::Check-Valid-Until "false";
	END
} > "$apt/apt.conf"

# The mirror that the machine takes its own release from.
mirror=${HF_FETCH_MIRROR:-}
if test -z "$mirror"; then
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"')
	mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v codename="$codename" '($1 == codename || $1 == "stable") && $2 == "main" { print $3; exit }')
	test -n "$mirror" || die "the machine's apt sources name no Debian mirror for ${codename:-this system}; set HF_FETCH_MIRROR"
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	test -r $keyring || die "no $keyring (Debian package debian-archive-keyring)"
	mirror="[signed-by=$keyring] $mirror"
fi
{
	case $suite in
	*-backports) echo "deb $mirror ${suite%-backports} main" ;;
	esac
	echo "deb $mirror $suite main"
} > "$apt/etc/sources.list"

log=$apt/log
export APT_CONFIG="$apt/apt.conf" LC_ALL=C
reason() { { grep -m 1 '^E:' "$log" || tail -n 1 "$log"; } | sed 's/^E: //'; }
if ! apt-get -q update > "$log" 2>&1; then
	why=$(reason)
	! is_there || { echo "fetch.sh: $suite could not be updated, the earlier copy is used: $why" >&2; finish; }
	die "$suite cannot be fetched, and no earlier copy is in $cache: $why"
fi
# Everything down to libc, since nothing is "installed": "Inst NAME (VERSION SOURCE [ARCH])".
apt-get -q -s -t "$suite" install "$@" > "$log" 2>&1 || die "$suite: $*: $(reason)"
sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*\[\([^]]*\)\]).*/\1 \2 \3/p' "$log" | sort > "$new/.fetch/all"
while read -r name version architecture; do
	# A pattern on purpose.
	# shellcheck disable=SC2254
	case $name in $only) echo "$name $version $architecture" ;; esac
done < "$new/.fetch/all" > "$new/.fetch/versions"
rm "$new/.fetch/all"
test -s "$new/.fetch/versions" || die "$suite: nothing of $* matches --only $only"
if is_there && cmp -s "$new/.fetch/versions" "$folder/.fetch/versions"; then
	finish
fi

echo "fetch.sh: fetching $(wc -l < "$new/.fetch/versions") packages of $suite for $*" >&2
# A list of words on purpose.
# shellcheck disable=SC2046
(cd "$new/debs" && apt-get -q download $(awk '{ print $1 "=" $2 }' "$new/.fetch/versions")) > "$log" 2>&1 ||
	die "$suite: $*: $(reason)"
# Since Debian 12 these are links in every system, and packages of Debian 12 still hold files below them.
mkdir -p "$new/usr/bin" "$new/usr/sbin" "$new/usr/lib" "$new/usr/lib64"
for name in bin sbin lib lib64; do
	ln -s usr/$name "$new/$name"
done
for deb in "$new"/debs/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$new" --no-same-owner --no-same-permissions --keep-directory-symlink --warning=no-timestamp ||
		die "cannot unpack $(basename "$deb")"
done
rm -rf "$new/debs"

loader=
for file in "$new"/usr/lib*/ld-linux*.so.*; do
	test ! -f "$file" || loader=$file
done
if test -n "$loader"; then
	cp -L "$loader" "$new/usr/bin/ld.so"
	shim=
	if command -v "${CC:-cc}" >/dev/null; then
		"${CC:-cc}" -std=c11 -O2 -fPIC -shared -Wall -Wextra -o "$new/usr/lib/handfast-redirect.so" \
			"$here/fetch_redirect.c" > "$log" 2>&1 || die "fetch_redirect.c: $(reason)"
		shim='--preload "$root/usr/lib/handfast-redirect.so"'
	else
		echo "fetch.sh: no C compiler: programs that look for data in /usr/share will find the system's" >&2
	fi
	triplet=$(cd "$new/usr/lib" && for file in *-linux-gnu*/libc.so.6; do echo "${file%/*}"; done)
	# Besides the usual two: folders that a program's RUNPATH or an "alternative" would have named.
	paths="\$root/usr/lib/$triplet:\$root/usr/lib"
	for directory in $(cd "$new" && echo usr/lib/"$triplet"/*/ usr/lib/*/); do
		test "$directory" != "usr/lib/$triplet/" || continue
		for file in "$new/$directory"lib*.so*; do
			test ! -e "$file" || { paths="$paths:\$root/${directory%/}"; break; }
		done
	done
	mkdir -p "$new/usr/libexec/fetched"
	for file in "$new"/usr/bin/* "$new"/usr/sbin/*; do
		name=${file##*/}
		test "$name" != ld.so && test -f "$file" && test ! -L "$file" && test -x "$file" || continue
		"$new/usr/bin/ld.so" --verify "$file" >/dev/null 2>&1 || continue # a script, or linked statically
		python=
		! grep -q 'libpython3' "$file" || python='export PYTHONHOME="$root/usr"'
		mv "$file" "$new/usr/libexec/fetched/$name"
		{
			echo '#!/bin/sh'
			echo 'root=$(readlink -f "$0") && root=${root%/usr/*}'
			test -z "$python" || echo "$python"
			echo 'export HF_FETCH_ROOT="$root"'
			echo "exec \"\$root/usr/bin/ld.so\" $shim --library-path \"$paths\" --argv0 \"\$0\" \\"
			echo "	\"\$root/usr/libexec/fetched/$name\" \"\$@\""
		} > "$file"
		chmod 755 "$file"
	done
fi

printf '%s\n' "$request" > "$new/.fetch/request"
old=$cache/$suite/.old
rm -rf "$old"
test ! -e "$folder" || mv "$folder" "$old"
mv "$new" "$folder"
rm -rf "$old"
finish
