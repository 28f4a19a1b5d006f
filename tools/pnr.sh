#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pnr.sh - place and route the core, or one unit of it, with nextpnr-ecp5 and without a board's pins: all inputs come from
# one shift register, and the parity of all outputs goes to a pin, but of the trace, which is for simulation. Prints the clock
# it reaches, the LUTs taken and the longest path: its logic and routing, and the modules it goes through. Files: build/pnr.
# Takes minutes. Yosys and nextpnr are those of Debian 13; elsewhere tools/fetch.sh gets them. Called by `make pnr`.
#
#   PNR_UNIT=name   the module of rtl/ (handfast, the whole core)
#   PNR_BUILD=name  parameters of the core: a variable of the Makefile (C512_IP4), or a list of NAME=VALUE
#   PNR_SIZE=size   25k, 45k, 85k (25k)
#   PNR_SPEED=n     speed grade 6, 7, 8 (6)
#   PNR_FREQ=n      the clock asked for in MHz (63)
#   PNR_SEED=n      of the placer (1)
#   PNR_PLACER=name heap or static (heap)
#   YOSYS, NEXTPNR  other programs
set -u
unit=${PNR_UNIT:-handfast} build=${PNR_BUILD:-C512_IP4} size=${PNR_SIZE:-25k} speed=${PNR_SPEED:-6} freq=${PNR_FREQ:-63} seed=${PNR_SEED:-1} placer=${PNR_PLACER:-heap}
export LC_ALL=C
stop() {
	echo "pnr: $*" >&2
	exit 1
}
[[ $unit =~ ^[a-z0-9_]+$ && -f rtl/$unit.sv ]] || stop "PNR_UNIT=$unit: no rtl/$unit.sv"
[[ $size =~ ^(25k|45k|85k)$ ]] || stop "PNR_SIZE=$size: not 25k, 45k or 85k"
[[ $speed =~ ^[678]$ ]] || stop "PNR_SPEED=$speed: not 6, 7 or 8"
[[ $freq =~ ^[0-9]{1,3}$ && $seed =~ ^[0-9]{1,9}$ ]] || stop "PNR_FREQ=$freq or PNR_SEED=$seed: not a number"
[[ $placer =~ ^(heap|static)$ ]] || stop "PNR_PLACER=$placer: not heap or static"
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
out=build/pnr/$name.$unit.$size.$speed
mkdir -p "$out" || stop "cannot make $out"
options=
for parameter in "${parameters[@]}"; do
	! grep -q "parameter int ${parameter%%=*} " "rtl/$unit.sv" || options+=" -set ${parameter/=/ }"
done
read_unit="read_verilog -sv -Irtl $(echo rtl/*.sv); ${options:+chparam$options $unit;}"
"$yosys" -q -l "$out/ports.log" -p "$read_unit hierarchy -top $unit; select -module $unit; tee -q -o $out/ports dump i:* o:*" > /dev/null 2>&1 ||
	stop "FAILED, see $out/ports.log"
awk -v unit="$unit" '
	$1 == "wire" && !/trc_/ {
		width = 1
		for (i = 2; i < NF; i++) {
			if ($i == "width") width = $(i + 1)
			if ($i == "input" || $i == "output") way = $i
		}
		port = substr($NF, 2)
		if (port == "clk") next
		connect = connect ", ." port "(" (way == "input" ? "in_q[" inputs + 0 " +: " width "])" : "out[" outputs + 0 " +: " width "])")
		if (way == "input") inputs += width
		else outputs += width
	}
	END {
		print "module pnr (input logic clk, input logic din, output logic dout);"
		print "logic [" inputs - 1 ":0] in_q;"
		print "logic [" outputs - 1 ":0] out, out_q;"
		print "always_ff @(posedge clk) begin in_q <= {in_q[" inputs - 2 ":0], din}; out_q <= out; dout <= ^out_q; end"
		print unit " u_" unit " (.clk(clk)" connect ");"
		print "endmodule"
	}' "$out/ports" > "$out/pnr.sv"
# The unit gets its parameters first; in the wrapper it is then the one of that name.
cat > "$out/synth.ys" <<-END
	$(tr ';' '\n' <<< "$read_unit")
	read_verilog -sv $out/pnr.sv
	synth_ecp5 -nowidelut -top pnr -json $out/core.json
	tee -q -o $out/stat stat
END
"$yosys" -q -l "$out/synth.log" "$out/synth.ys" > /dev/null 2>&1 || stop "synthesis FAILED, see $out/synth.log"
# A name that Yosys makes up is one bit wide, whatever it stood for.
! grep -m 1 'implicitly declared' "$out/synth.log" || stop "FAILED, see $out/synth.log"
if ! "$nextpnr" "--$size" --package CABGA381 --speed "$speed" --freq "$freq" --seed "$seed" --placer "$placer" --router router2 --timing-allow-fail \
	--lpf-allow-unconstrained --json "$out/core.json" --textcfg "$out/core.cfg" --log "$out/nextpnr.log" --quiet > /dev/null 2>&1; then
	grep -m 3 ERROR "$out/nextpnr.log"
	stop "FAILED, see $out/nextpnr.log"
fi
echo "pnr: $unit of $name on an ECP5 of $size, speed grade $speed, seed $seed:" \
	"$(sed -n 's/.*Max frequency for clock.*: \([0-9.]* MHz\).*/\1/p' "$out/nextpnr.log" | tail -n 1)"
sed -n 's/^Info: *Total LUT4s: */pnr: LUT4s: /p; s/^Info: *TRELLIS_FF: */pnr: flip-flops: /p; s/^Info: *DP16KD: */pnr: block RAMs: /p' "$out/nextpnr.log" | head -n 3
# The last report is that of the routed design: the modules its longest path goes through.
tac "$out/nextpnr.log" | sed '/Critical path report for clock/q' | tac | sed -n '/^Info:.*curr  *total/,/ns routing/p' > "$out/path"
grep -m 1 'ns logic' "$out/path" | sed 's/^Info: */pnr: longest path: /'
grep -o "u_$unit\.[A-Za-z0-9_.]*" "$out/path" | sed 's/\.[^.]*$//' | uniq -c |
	sed 's/^ *\([0-9]*\) /pnr: on the longest path: \1 times /'
