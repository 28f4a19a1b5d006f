#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# netlist-test.sh - Yosys writes the three 64-bit geometries back as Verilog, Verilator compiles that in place of rtl/, and the
# directed tests and a short lock-step run are done against it. This catches what synthesis makes of the source,
# silent miscompiles included. The small geometry becomes gates, only memories stay; the others are written back
# with whole words, for speed. Called by `make netlist-test`.
set -u
out=build/netlist
mkdir -p $out
mapfile -t small < <(make -s small-parameters | tr ' ' '\n' | sed 's/^-G//')
mapfile -t lean < <(make -s lean-parameters | tr ' ' '\n' | sed 's/^-G//')

netlist() { # netlist NAME COMMANDS [PARAMETER=VALUE...]
	local name=$1 commands=$2
	shift 2
	cat > "$out/$name.ys" <<-END
		read_verilog -sv -Irtl $(echo rtl/*.sv)
		hierarchy -check -top handfast$(test $# = 0 || printf ' -chparam %s' "${@/=/ }")
		$commands
		opt_clean
		rename -top handfast
		write_verilog -noattr $out/$name.v
	END
	if ! "${YOSYS:-yosys}" -q -l "$out/$name.log" "$out/$name.ys" > /dev/null; then
		echo "netlist-test: Yosys refused $name, see $out/$name.log" >&2
		exit 1
	fi
}

words="proc; flatten; opt -full; wreduce; memory -nomap; opt -full"
{ netlist Vhandfast "$words" && netlist Vhandfast_lean "$words" "${lean[@]}"; } &
netlist Vhandfast_small "synth -flatten -run begin:fine; opt -full; memory -nomap; opt -full; techmap; opt; abc -fast" \
	"${small[@]}"
wait $! || exit 1

# What stands around the core is no netlist: as it was built for the other tests.
make -s build/libtops.a > $out/build.log 2>&1 && cp build/libtops.a $out/ || { tail -n 30 $out/build.log; exit 1; }
tests=("$out/tests/test_tcp_fsm") # the longest first: no core waits for it at the end
for unit in rtl/*.sv; do
	unit=$(basename "$unit" .sv)
	[[ -f tests/test_$unit.c && $unit != tcp_fsm ]] && tests+=("$out/tests/test_$unit")
done
# Without -fno-dfg Verilator 5.006 takes the input time_ns a cycle late in such a netlist (not in rtl/).
make -s B=$out OBJ=build/obj HAS_WIDE=0 CXXFLAGS=-O1 VSPEED=-fno-dfg RTL="$out/Vhandfast.v $out/Vhandfast_lean.v $out/Vhandfast_small.v" \
	SOURCES="--top-module handfast $out/\$*.v" -o $out/libtops.a $out/lockstep "${tests[@]}" > $out/build.log 2>&1 || { tail -n 30 $out/build.log; exit 1; }
$out/lockstep --data-width 64 --cycles "${LOCKSTEP_CYCLES:-200000}" --seed 1 || exit 1
HF_TEST_ENGINES=rtl tests/run "${tests[@]}"
