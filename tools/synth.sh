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

count() { # count FILE REGEX: cells of the types that match
	awk -v re="^($2)\$" '$1 ~ re && $2 ~ /^[0-9]+$/ { n += $2 } END { print n + 0 }' "$1"
}

report() {
	local stat=$out/$1.stat
	case $1 in
	ecp5*)
		echo "synth: $1: LUT4 $(count "$stat" LUT4), FF $(count "$stat" TRELLIS_FF), DP16KD $(count "$stat" DP16KD)," \
			"distributed RAM $(count "$stat" TRELLIS_DPR16X4), carry $(count "$stat" CCU2C)"
		;;
	*)
		echo "synth: $1: gates $(count "$stat" '\\$_[A-Z0-9]*_' | cat), of these flip-flops" \
			"$(count "$stat" '\\$_(S|)DFF(E|)_.*'), memories $(count "$stat" '\\$mem(_v2)?')"
		;;
	esac
}

mapfile -t small < <(make -s small-parameters | tr ' ' '\n' | sed 's/^-G//')
generic="synth -flatten -run begin:fine; opt -full; memory -nomap; opt -full; techmap; opt; abc -fast; opt_clean"
run generic "$generic"
run ecp5_small "synth_ecp5 -top handfast" "${small[@]}"
run ecp5 "synth_ecp5 -top handfast"
exit $status
