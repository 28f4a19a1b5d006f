#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# synth-pcie.sh - Yosys synth_ecp5 of pcie_endpoint, which must have no latch and no logic loop. Prints LUTs, flip-flops and
# block RAMs as tools/synth.sh counts them, and with SYNTH=all writes them into the table of docs/pcie.md. Called by
# `make synth-pcie`.
set -u
out=build/synth doc=docs/pcie.md
mkdir -p $out
if ! "${YOSYS:-yosys}" -q -l $out/pcie.log -p "
	read_verilog -sv -Irtl $(echo $(ls rtl/pcie/pcie_*.sv | grep -v xilinx) rtl/cross/*.sv)
	hierarchy -check -top pcie_endpoint
	proc
	select -assert-none t:\$dlatch t:\$adlatch
	check -assert
	synth_ecp5 -nowidelut -top pcie_endpoint
	select -assert-none t:\$_DLATCH_*
	check
	tee -o $out/pcie.stat stat" > /dev/null 2>&1; then
	grep -m 3 ERROR $out/pcie.log
	echo "synth: pcie_endpoint: FAILED, see $out/pcie.log"
	exit 1
elif grep -A 3 -m 1 'logic loop in module' $out/pcie.log; then
	echo "synth: pcie_endpoint: FAILED, a logic loop"
	exit 1
fi
count() { awk -v re="^($1)\$" '$1 ~ re && $2 ~ /^[0-9]+$/ { n += $2 } END { print n + 0 }' $out/pcie.stat; }
lut=$(($(count LUT4) + 2 * $(count CCU2C) + 6 * $(count TRELLIS_DPR16X4)))
ff=$(count TRELLIS_FF) ram=$(count DP16KD)
echo "synth: pcie_endpoint: $lut LUTs, $ff flip-flops, $ram block RAMs of an ECP5"
if [[ ${SYNTH:-} == all ]]; then
	sed -i "s/^| \`pcie_endpoint\`, ECP5 |.*/| \`pcie_endpoint\`, ECP5 | $lut | $ff | $ram |/" $doc
fi
