#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pnr.sh - place and route a build of the core with nextpnr-ecp5, out of context (tools/pnr.sv). Prints the clock it
# reaches, the LUTs taken and the longest path: its logic and routing, and the modules it goes through. Files: build/pnr.
# Takes minutes. Yosys and nextpnr are those of Debian 13; elsewhere tools/fetch.sh gets them. Called by `make pnr`.
#
#   PNR_BUILD=name  parameters of the core: a variable of the Makefile (C512_IP4), or a list of NAME=VALUE
#   PNR_SIZE=size   25k, 45k, 85k (25k)
#   PNR_SPEED=n     speed grade 6, 7, 8 (6)
#   PNR_FREQ=n      the clock asked for in MHz (63)
#   PNR_SEED=n      of the placer (1)
#   YOSYS, NEXTPNR  other programs
set -u
build=${PNR_BUILD:-C512_IP4} size=${PNR_SIZE:-25k} speed=${PNR_SPEED:-6} freq=${PNR_FREQ:-63} seed=${PNR_SEED:-1}
export LC_ALL=C
stop() {
	echo "pnr: $*" >&2
	exit 1
}
[[ $size =~ ^(25k|45k|85k)$ ]] || stop "PNR_SIZE=$size: not 25k, 45k or 85k"
[[ $speed =~ ^[678]$ ]] || stop "PNR_SPEED=$speed: not 6, 7 or 8"
[[ $freq =~ ^[0-9]{1,3}$ && $seed =~ ^[0-9]{1,9}$ ]] || stop "PNR_FREQ=$freq or PNR_SEED=$seed: not a number"
if [[ $build == *=* ]]; then
	read -ra parameters <<< "$build"
	name=own
else
	[[ $build =~ ^[A-Z0-9_]+$ ]] || stop "PNR_BUILD=$build: neither a name nor NAME=VALUE"
	read -ra parameters < <(make -s "parameters-$build")
	name=${build,,}
fi
if [[ ${YOSYS:-} && ${NEXTPNR:-} ]]; then
	yosys=$YOSYS nextpnr=$NEXTPNR
elif [[ $(. /etc/os-release && echo "${VERSION_CODENAME:-}") == trixie ]] && command -v yosys nextpnr-ecp5 > /dev/null; then
	yosys=yosys nextpnr=nextpnr-ecp5
elif root=$(tools/fetch.sh trixie nextpnr-ecp5 fpga-trellis yosys 2> /dev/null); then
	yosys=$root/usr/bin/yosys nextpnr=$root/usr/bin/nextpnr-ecp5
else
	echo "skipped: nextpnr-ecp5 is not installed and cannot be fetched"
	exit 0
fi
out=build/pnr/$name.$size.$speed
mkdir -p "$out" || stop "cannot make $out"
# The core gets its parameters first; in the wrapper it is then the one named handfast.
cat > "$out/synth.ys" <<-END
	read_verilog -sv -Irtl $(echo rtl/*.sv)
	$([[ ${#parameters[@]} == 0 ]] || echo "chparam $(printf ' -set %s' "${parameters[@]/=/ }") handfast")
	read_verilog -sv tools/pnr.sv
	synth_ecp5 -nowidelut -top pnr -json $out/core.json
	tee -q -o $out/stat stat
END
"$yosys" -q -l "$out/synth.log" "$out/synth.ys" > /dev/null 2>&1 || stop "synthesis FAILED, see $out/synth.log"
# A name that Yosys makes up is one bit wide, whatever it stood for.
! grep -m 1 'implicitly declared' "$out/synth.log" || stop "FAILED, see $out/synth.log"
if ! "$nextpnr" "--$size" --package CABGA381 --speed "$speed" --freq "$freq" --seed "$seed" --router router2 --timing-allow-fail \
	--lpf-allow-unconstrained --json "$out/core.json" --textcfg "$out/core.cfg" --log "$out/nextpnr.log" --quiet > /dev/null 2>&1; then
	grep -m 3 ERROR "$out/nextpnr.log"
	stop "FAILED, see $out/nextpnr.log"
fi
echo "pnr: $name on an ECP5 of $size, speed grade $speed, seed $seed:" \
	"$(sed -n 's/.*Max frequency for clock.*: \([0-9.]* MHz\).*/\1/p' "$out/nextpnr.log" | tail -n 1)"
sed -n 's/^Info: *Total LUT4s: */pnr: LUT4s: /p; s/^Info: *TRELLIS_FF: */pnr: flip-flops: /p; s/^Info: *DP16KD: */pnr: block RAMs: /p' "$out/nextpnr.log" | head -n 3
# The last report is that of the routed design: the modules its longest path goes through.
tac "$out/nextpnr.log" | sed '/Critical path report for clock/q' | tac | sed -n '/^Info:.*curr  *total/,/ns routing/p' > "$out/path"
grep -m 1 'ns logic' "$out/path" | sed 's/^Info: */pnr: longest path: /'
grep -o 'u_core\.[A-Za-z0-9_.]*' "$out/path" | sed 's/\.[^.]*$//' | uniq -c |
	sed 's/^ *\([0-9]*\) /pnr: on the longest path: \1 times /'
