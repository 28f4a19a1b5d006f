#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# synth.sh - Yosys, generic and ECP5, for the default geometry and the small one. Prints LUTs, flip-flops and block
# RAMs; fails on a latch, a logic loop, or a construct Yosys refuses. Logs: build/synth/NAME.log. Called by `make synth`.
set -u
out=build/synth
mkdir -p $out
status=0

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
		status=1
	elif grep -A 3 -m 1 'logic loop in module' "$out/$name.log"; then
		echo "synth: $name: FAILED, a logic loop"
		status=1
	else
		report "$name"
	fi
}

count() { # count NAME REGEX: cells of the types that match
	awk -v re="^($2)\$" '$1 ~ re && $2 ~ /^[0-9]+$/ { n += $2 } END { print n + 0 }' "$out/$1.stat"
}

report() {
	local name=$1
	case $name in
	ecp5*)
		echo "synth: $name: LUT4 $(count "$name" LUT4), FF $(count "$name" TRELLIS_FF), block RAM (DP16KD)" \
			"$(count "$name" DP16KD), distributed RAM $(count "$name" TRELLIS_DPR16X4), carry $(count "$name" CCU2C)"
		;;
	*)
		echo "synth: $name: gates $(count "$name" '\\$_[A-Z]+_'), FF $(count "$name" '\\$_S?DFFC?E?_.*')," \
			"memories $(count "$name" '\\$mem(_v2)?')"
		;;
	esac
}

mapfile -t small < <(make -s small-parameters | tr ' ' '\n' | sed 's/^-G//')
generic="synth -flatten -run begin:fine; opt -full; memory -nomap; opt -full; techmap; opt; abc -fast; opt_clean"
run generic "$generic"
run ecp5_small "synth_ecp5 -top handfast" "${small[@]}"
run ecp5 "synth_ecp5 -top handfast"

# For `make bench`, in the format of build/bench.json.
row() { # row NAME REGEX NOTE
	printf '  {"name": "%s", "value": %s, "unit": "", "note": "%s"}' "$1" "$(count ecp5 "$2")" "$3, Yosys synth_ecp5, default parameters"
}
{
	row lut4_64 LUT4 "4-input LUTs" && echo ,
	row ff_64 TRELLIS_FF "flip-flops" && echo ,
	row block_rams_64 DP16KD "18 Kbit block RAMs" && echo ,
	row distributed_rams_64 TRELLIS_DPR16X4 "16 x 4 bit distributed RAMs" && echo
} > $out/bench.rows
exit $status
