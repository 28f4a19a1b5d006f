#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# synth-usb.sh - Yosys synth_ecp5 of the links of rtl/usb by themselves and, with SYNTH=all, of the tops with the core (the c512
# build of docs/resources.md). Prints LUTs, flip-flops and block RAMs, counted as tools/synth.sh does, and with SYNTH=all writes
# them into the table of docs/usb.md; fails on a latch, a logic loop, or a construct that Yosys refuses. Called by `make synth-usb`.
set -u
cd "$(dirname "$0")/.." || exit 1
out=build/synth doc=docs/usb.md
mkdir -p $out
status=0

count() { # count NAME REGEX: cells of the types that match
	awk -v re="^($2)\$" '$1 ~ re && $2 ~ /^[0-9]+$/ { n += $2 } END { print n + 0 }' "$out/$1.stat"
}

run() { # run TOP [NAME=VALUE...]
	local top=$1 lut name=$1
	shift
	[[ ${1:-} != UART=1 ]] || name+=" UART=1"
	cat > $out/"$top".ys <<-END
		read_verilog -sv -Irtl $(echo rtl/*.sv rtl/usb/*.sv rtl/cross/*.sv rtl/eth/eth_crc32.sv)
		hierarchy -check -top $top$(test $# = 0 || printf ' -chparam %s' "${@/=/ }")
		proc
		select -assert-none t:\$dlatch t:\$adlatch t:\$_DLATCH_*
		synth_ecp5 -nowidelut -top $top
		select -assert-none t:\$dlatch t:\$adlatch t:\$_DLATCH_*
		check
		tee -o $out/$top.stat stat
	END
	if ! "${YOSYS:-yosys}" -q -l "$out/$top.log" "$out/$top.ys" > /dev/null 2>&1; then
		grep -m 3 ERROR "$out/$top.log"
		echo "synth-usb: $top: FAILED, see $out/$top.log"
		status=1
	elif grep -A 3 -m 1 'logic loop in module' "$out/$top.log"; then
		echo "synth-usb: $top: FAILED, a logic loop"
		status=1
	else
		lut=$(($(count "$top" LUT4) + 2 * $(count "$top" CCU2C) + 6 * $(count "$top" TRELLIS_DPR16X4)))
		echo "synth-usb: $name: $lut LUTs, $(count "$top" TRELLIS_FF) flip-flops, $(count "$top" DP16KD) block RAMs"
		row="| \`$name\` | $lut | $(count "$top" TRELLIS_FF) | $(count "$top" DP16KD) |"
		[[ ${SYNTH:-} == all ]] && sed -i "s/^| \`$name\` | [0-9].*/$row/" $doc
	fi
}

run usb_link_ft245
run usb_link_uart
if [[ ${SYNTH:-} == all ]]; then
	read -ra parameters < <(make -s parameters-C512)
	run handfast_usb "${parameters[@]}"
	run handfast_usb UART=1 "${parameters[@]}"
fi
exit $status
