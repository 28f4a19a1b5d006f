#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pnr.sh - place and route the c512 build, speed grade 6, with nextpnr-ecp5, out of context (tools/pnr.sv), for an
# ECP5 of PNR_SIZE (25k, 45k or 85k; 45k). Prints the clock it reaches, the LUTs taken and the modules on the critical
# path. Log: build/pnr/c512.log. Takes minutes. Without nextpnr-ecp5 it is skipped. Called by `make pnr`.
set -u
out=build/pnr nextpnr=${NEXTPNR:-nextpnr-ecp5} size=${PNR_SIZE:-45k}
if ! command -v "$nextpnr" > /dev/null; then
	echo "skipped: nextpnr-ecp5 is not installed"
	exit 0
fi
mkdir -p $out
read -ra parameters < <(make -s parameters-C512)
# The core gets its parameters first; in the wrapper it is then the one named handfast.
cat > $out/c512.ys <<-END
	read_verilog -sv -Irtl $(echo rtl/*.sv)
	chparam $(printf ' -set %s' "${parameters[@]/=/ }") handfast
	read_verilog -sv tools/pnr.sv
	synth_ecp5 -nowidelut -top pnr -json $out/c512.json
END
if ! "${YOSYS:-yosys}" -q -l $out/c512.synth.log $out/c512.ys > /dev/null 2>&1; then
	echo "pnr: FAILED, see $out/c512.synth.log"
	exit 1
fi
if ! "$nextpnr" "--$size" --package CABGA381 --speed 6 --freq 25 --seed 1 --router router2 --timing-allow-fail --lpf-allow-unconstrained \
	--json $out/c512.json --textcfg $out/c512.cfg --log $out/c512.log --quiet > /dev/null 2>&1; then
	grep -m 3 ERROR $out/c512.log
	echo "pnr: FAILED, see $out/c512.log"
	exit 1
fi
echo "pnr: c512 on an ECP5 of $size, speed grade 6:" \
	"$(sed -n 's/.*Max frequency for clock.*: \([0-9.]* MHz\).*/\1/p' $out/c512.log | tail -n 1)"
sed -n 's/^Info: *Total LUT4s: */pnr: LUT4s: /p; s/^Info: *DP16KD: */pnr: block RAMs: /p' $out/c512.log | head -n 2
# The last report is that of the routed design: the modules its longest path goes through.
tac $out/c512.log | sed '/Critical path report for clock/q' | tac |
	sed -n '/^Info: curr total/,/^Info: *$/p' | grep -o 'u_core\.[A-Za-z0-9_.]*' | sed 's/\.[^.]*$//' | uniq -c |
	sed 's/^ *\([0-9]*\) /pnr: on the longest path: \1 times /'
