#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# synth.sh - Yosys, generic and for the parts of the table below. Prints LUTs, flip-flops and block RAMs; fails on a
# latch, a logic loop, or a construct Yosys refuses. Logs: build/synth/NAME.log. Without SYNTH=all only the generic
# netlist and the first two builds, which is what CI has time for; SYNTH=all does every one and writes
# docs/resources.md; SYNTH=NAME does that one. Called by `make synth`.
set -u
out=build/synth doc=docs/resources.md
mkdir -p $out
status=0

# name|variable of the Makefile with its parameters|Yosys command|part|its LUTs|its block RAMs|what it is
builds='
c512|C512|ecp5|ECP5-45F|43848|108|512 connections, 4 listeners, short queues
c512_ip4|C512_IP4|ecp5|ECP5-25F|24288|56|512 connections, IPv4, one hash unit
default||ecp5|ECP5-85F|83640|208|1,024 connections
small|SMALL|ecp5|ECP5-25F|24288|56|8 connections, for simulation
full|FULL|ecp5|ECP5-85F|83640|208|2,048 connections
wide|WIDE|ecp5|ECP5-85F|83640|208|1,024 connections, 512 bits
c8192|C8192|xilinx|XC7A200T|134600|365|8,192 connections
'

read_rtl() { # read_rtl [NAME=VALUE...]: Yosys commands up to an elaborated design without latches
	echo "read_verilog -sv -Irtl $(echo rtl/*.sv)"
	echo "hierarchy -check -top handfast$(test $# = 0 || printf ' -chparam %s' "${@/=/ }")"
	echo "proc"
	echo "select -assert-none t:\$dlatch t:\$adlatch t:\$_DLATCH_*"
}

# run NAME COMMAND [NAME=VALUE...]: COMMAND synthesizes; then no logic loop may be left.
run() {
	local name=$1 command=$2
	shift 2
	{
		read_rtl "$@"
		echo "$command"
		echo "select -assert-none t:\$dlatch t:\$adlatch t:\$_DLATCH_*"
		echo "check"
		echo "tee -o $out/$name.stat stat"
	} > $out/$name.ys
	if ! "${YOSYS:-yosys}" -q -l "$out/$name.log" "$out/$name.ys" > /dev/null 2>&1; then
		grep -m 3 ERROR "$out/$name.log"
		echo "synth: $name: FAILED, see $out/$name.log"
	elif grep -m 1 'implicitly declared' "$out/$name.log"; then
		echo "synth: $name: FAILED, a name that is not declared"
	elif grep -A 3 -m 1 'logic loop in module' "$out/$name.log"; then
		echo "synth: $name: FAILED, a logic loop"
	else
		return 0
	fi
	status=1
	return 1
}

count() { # count NAME REGEX: cells of the types that match
	awk -v re="^($2)\$" '$1 ~ re && $2 ~ /^[0-9]+$/ { n += $2 } END { print n + 0 }' "$out/$1.stat"
}

# luts NAME: LUTs of the part that its cells take. ECP5: two for a carry cell; four for a 16 x 4 bit RAM and two
# that its write port makes useless, as nextpnr counts them. Xilinx: RAM32M and RAM64M take four, RAM*X1D two.
luts() {
	case $2 in
	ecp5) echo $(($(count "$1" LUT4) + 2 * $(count "$1" CCU2C) + 6 * $(count "$1" TRELLIS_DPR16X4))) ;;
	xilinx) echo $(($(count "$1" 'LUT[1-6]|INV') + 4 * $(count "$1" 'RAM(32|64)M') + 2 * $(count "$1" 'RAM[0-9]+X1D'))) ;;
	esac
}

percent() { awk -v n="$1" -v of="$2" 'BEGIN { printf "%.0f", 100 * n / of }'; }

thousands() { echo "$1" | sed ':a; s/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/; ta'; }

build() { # build NAME: one line of the table above
	local name=$1 variable family part all_luts all_rams what parameters=() lut ff ram
	IFS='|' read -r _ variable family part all_luts all_rams what < <(grep "^$name|" <<< "$builds")
	[[ -z $variable ]] || read -ra parameters < <(make -s "parameters-$variable")
	# Without LUTs of more than four inputs, which cost an ECP5 two, four or eight of its own.
	case $family in
	ecp5) run "$name" "synth_ecp5 -nowidelut -top handfast" "${parameters[@]}" || return ;;
	xilinx) run "$name" "synth_xilinx -family xc7 -flatten -top handfast" "${parameters[@]}" || return ;;
	esac
	lut=$(luts "$name" "$family")
	if [[ $family == ecp5 ]]; then
		ff=$(count "$name" TRELLIS_FF) ram=$(count "$name" DP16KD)
	else
		ff=$(count "$name" 'FD[A-Z]*') ram=$(($(count "$name" RAMB36E1) + ($(count "$name" RAMB18E1) + 1) / 2))
	fi
	echo "synth: $name: $lut LUTs, $ff flip-flops, $ram block RAMs: $(percent "$lut" "$all_luts") % and" \
		"$(percent "$ram" "$all_rams") % of an $part"
	echo "| \`$name\` | $what | $part | $(thousands "$lut") ($(percent "$lut" "$all_luts") %) | $(thousands "$ff") |" \
		"$ram ($(percent "$ram" "$all_rams") %) |" > "$out/$name.row"
}

names=$(sed -n 's/|.*//p' <<< "$builds")
case ${SYNTH:-} in
'') selected='generic c512 default' ;;
all) selected="generic $names" ;;
*) selected=$SYNTH ;;
esac
for name in $selected; do
	if [[ $name == generic ]]; then
		run generic "synth -flatten -run begin:fine; opt -full; memory -nomap; opt -full; techmap; opt; abc -fast; opt_clean" &&
			echo "synth: generic: gates $(count generic '\\$_[A-Z]+_'), FF $(count generic '\\$_S?DFFC?E?_.*')," \
				"memories $(count generic '\\$mem(_v2)?')"
	elif grep -q "^$name|" <<< "$builds"; then
		build "$name"
	else
		echo "synth: no build is named $name" >&2
		exit 2
	fi
done

if [[ -f $out/default.row ]]; then
	# For `make bench`, in the format of build/bench.json.
	row() { # row NAME VALUE NOTE
		printf '  {"name": "%s", "value": %s, "unit": "", "note": "%s"}' "$1" "$2" "$3, Yosys synth_ecp5, default parameters"
	}
	{
		row lut4_64 "$(luts default ecp5)" "4-input LUTs with those of carries and distributed RAM" && echo ,
		row ff_64 "$(count default TRELLIS_FF)" "flip-flops" && echo ,
		row block_rams_64 "$(count default DP16KD)" "18 Kbit block RAMs" && echo
	} > $out/bench.rows
fi

if [[ ${SYNTH:-} == all && $status == 0 ]]; then
	{
		sed '/^|/,$d' $doc
		echo '| build | what | part | LUTs | flip-flops | block RAMs |'
		echo '|---|---|---|---|---|---|'
		for name in $names; do
			[[ $name == small ]] || cat "$out/$name.row"
		done
		awk '/^[|]/ && !behind { table = 1; next } table { behind = 1 } behind' $doc # what is behind the first table
	} > $out/resources.md
	cmp -s $out/resources.md $doc || cp $out/resources.md $doc
fi
exit $status
