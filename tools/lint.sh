#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh - what can be said about the sources without running them. Prints one line per finding and one
# per check; exit 1 if there was a finding. Called by `make lint`, after a build with gcc's warnings as errors.
set -u
log=build/lint.log
mkdir -p build
status=0

check() { # check NAME COMMAND...: silent commands pass
	local name=$1
	shift
	if "$@" > "$log" 2>&1 && ! [[ -s $log ]]; then
		echo "lint: $name: ok"
	else
		cat "$log"
		echo "lint: $name: FAILED"
		status=1
	fi
}

mapfile -t sources < <(find .ci boards cmodel driver examples host packaging regs rtl sim tests tools Makefile .clang-format \
	-type f ! -name '*.log' ! -name '*.pcap' ! -name '*.pcapng' ! -path 'tests/fuzz/corpus/*' ! -path 'packaging/debian/*' ! -name '*.json' | sort)
mapfile -t c_files < <(printf '%s\n' "${sources[@]}" | grep -E '\.(c|h|cpp)$')

verilog() { # verilog [-Gname=value...]; newer Verilators report on themselves in lines that begin with "- "
	verilator --lint-only -Wall -Irtl --top-module handfast "$@" rtl/*.sv > build/verilator.log 2>&1
	local failed=$?
	grep -v '^- ' build/verilator.log
	return $failed
}

# Modules around the core, each by itself.
around() {
	local top=$1
	shift
	verilator --lint-only -Wall -Irtl -y rtl $(printf -- '-y %s ' "$@") --top-module "$top" "${!#}/$top.sv" > build/verilator.log 2>&1
	local failed=$?
	grep -v '^- ' build/verilator.log
	return $failed
}

spdx() {
	local file
	for file in "${sources[@]}"; do
		grep -q 'SPDX-License-Identifier: Apache-2.0' "$file" || echo "$file: no SPDX line"
	done
}

# Nothing here may depend on one machine: no home or work directory, no download host.
private() {
	grep -nE '(^|[^A-Za-z0-9._$}-])/(work|home|root|Users)/|(deb|snapshot|ftp)\.debian|pypi\.|registry\.' "${sources[@]}" \
		README.md docs/*.md | grep -v '^tools/lint\.sh:'
	return 0
}

check "verilator -Wall, default" verilog
check "verilator -Wall, small" verilog $(make -s small-parameters)
check "verilator -Wall, one hash unit, without IPv6" verilog $(make -s lean-parameters)
check "verilator -Wall, 512 bits" verilog $(make -s wide-parameters)
check "verilator -Wall, 512 bits, small" verilog $(make -s wide-small-parameters)
# tools/vendor: the ports of the vendors' primitives.
board() { # board FILE: a top around the core
	verilator --lint-only -Wall -Wno-PINCONNECTEMPTY -Irtl -Irtl/eth -y rtl -y rtl/eth -y rtl/cross -y rtl/usb -y rtl/board -y rtl/bus \
		-y tools/vendor --top-module "$(basename "$1" .sv)" tools/vendor/waivers.vlt "$1" > build/verilator.log 2>&1
	local failed=$?
	grep -v '^- ' build/verilator.log
	return $failed
}
for top in rtl/eth/eth_mac_sim.sv rtl/board/board_sim.sv boards/*/*.sv; do
	check "verilator -Wall, $(basename "$top" .sv)" board "$top"
done
# Icarus: elaborated, and no name made up or of another width, which it only warns of.
icarus() { # icarus TOP [-Pname=value...]
	local failed
	iverilog -g2012 -Wall -Irtl -Irtl/eth -tnull -s "$@" $(find rtl boards -name '*.sv') tools/vendor/*.v > build/icarus.log 2>&1
	failed=$?
	grep -E 'error|implicit definition|expects [0-9]+ bits, got|Unknown module' build/icarus.log && failed=1
	return $failed
}
for build in "" small lean wide wide-small; do
	check "Icarus, ${build:-default}" icarus handfast $([[ ! $build ]] || make -s "$build-parameters" | tr ' ' '\n' | sed 's/^-G/-Phandfast./')
done
for top in eth_mac_sim board_sim handfast_pcie pcie_xilinx7 handfast_usb $(basename -s .sv boards/*/*.sv); do
	check "Icarus, $top" icarus $top
done
for top in handfast_pcie pcie_xilinx7; do check "verilator -Wall, $top" around $top rtl/cross rtl/pcie; done
check "verilator -Wall, handfast_usb" around handfast_usb rtl/cross rtl/eth rtl/usb
check "cppcheck" cppcheck -q --std=c11 -D_GNU_SOURCE -I. --inline-suppr --enable=warning,performance,portability \
	--suppress=missingIncludeSystem --error-exitcode=1 cmodel driver examples host regs sim tests
# Another version formats some lines otherwise.
if clang-format --version | grep -q 'version 14\.'; then
	check "clang-format" clang-format --dry-run -Werror "${c_files[@]}"
else
	echo "skipped: clang-format is not version 14 (Debian 12)"
fi
check "SPDX line" spdx
# Each header of what programs call says in its file comment who may call, what fork() does, what waits, and how errors are told; or in whose
# comment that stands ("Threads, Fork: library.h").
contract() {
	local file word said where
	for file in driver/*.h host/*.h host/*/*.h; do
		said=$(sed '/\*\//q' "$file")
		[[ $said == *"Nothing to call."* ]] && continue
		for word in Threads Fork Blocks Errors; do
			grep -qE "(^| )$word(, [A-Z][a-z]+)*: " <<< "$said" || echo "$file: its comment says nothing of $word"
		done
		for where in $(grep -oE '[A-Z][a-z]+: [a-z_]+\.h' <<< "$said" | sed 's/.*: //'); do
			[[ -n $(find driver host -name "$where" -exec grep -lE '^ \* Threads: ' {} +) ]] || echo "$file: $where says nothing"
		done
	done
}
check "threads, fork, blocking, errors" contract
core_file() { # handfast.core names each RTL file but those for simulation, and nothing that is not there
	local file
	for file in rtl/*.sv rtl/*/*.sv; do
		[[ $file == *_sim.sv || $file == rtl/pcie/* ]] || grep -q "^      - $file\$" handfast.core || echo "handfast.core lacks $file"
	done
	sed -n 's/^      - \(rtl[^:]*\).*/\1/p' handfast.core | while read -r file; do
		[[ -f $file ]] || echo "handfast.core names $file, which is not there"
	done
}
check "handfast.core" core_file
check "no private path or host" private
# The unit as it is installed, with the drop-in of docs/operating.md: systemd knows every line, and it does not get more rights than it has (4.1).
unit() {
	local dir=$PWD/build/unit
	rm -rf "$dir" && mkdir -p "$dir/sbin" "$dir/handfastd.service.d"
	ln -s ../../handfastd "$dir/sbin/handfastd"
	sed "s,@PREFIX@,$dir," packaging/handfastd.service > "$dir/handfastd.service"
	sed -n '/^\[Service\]$/,/^```$/{/^```$/!p}' docs/operating.md > "$dir/handfastd.service.d/keys.conf"
	grep -q '^LoadCredential=' "$dir/handfastd.service.d/keys.conf" || echo "docs/operating.md: no drop-in with LoadCredential="
	systemd-analyze verify --man=no --recursive-errors=no "$dir/handfastd.service" || echo "systemd-analyze verify: exit $?"
	systemd-analyze security --offline=true --threshold=41 "$dir/handfastd.service" > build/unit.log 2>&1 ||
		echo "packaging/handfastd.service: more exposed than 4.1: $(tail -n 1 build/unit.log)"
}
if command -v systemd-analyze > /dev/null; then
	check "systemd unit" unit
else
	echo "skipped: systemd-analyze is not installed (systemd)"
fi
exit $status
