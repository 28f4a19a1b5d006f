#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# netlist-boards.sh [BOARD...] - Yosys makes each board's core, with the parameters of boards/BOARD/*.sv, of the cells of the board's
# part (LUTs, carry cells, flip-flops; only memories stay as they are), writes it back as Verilog, and Verilator
# compiles that, with Yosys' own models of the cells, in place of rtl/. The model gets the same parameters, and the directed tests are
# done on the netlist, with a flood at a gigabit's line rate at the board's clock. Boards with the same parameters, family and
# clock share a run. MODEL=1: the tests on the model with these parameters, without a netlist, in a minute. Called by
# `make netlist-boards`.
set -u
cd "$(dirname "$0")/.." || exit 1
yosys=${YOSYS:-yosys}
boards=("$@")
((${#boards[@]})) || for conf in boards/*/board.conf; do boards+=("$(basename "$(dirname "$conf")")"); done
core=" $(sed -n '/^module handfast/,/^) (/s/.*parameter int \([A-Z0-9_]*\).*/\1/p' rtl/handfast.sv | tr '\n' ' ') "

# Left out: cases about the sizes of the default geometry, about the clocks of its steps, or of frames denser than a gigabit, which
# one hash unit need not follow; test_rule_table, whose cases want all eight rules and sixteen listeners.
HF_TEST_WITHOUT=full_set_default,default_geometry_many,exact_before_any,line_rate,back_to_back,latency,random_acks,no_amplification
HF_TEST_WITHOUT+=,hostile_options_at_full_rate

# as_built ARCHIVE: that of the ordinary build, in the place of one of $out's own.
as_built() {
	make -s "build/$1" > "$out/build.log" 2>&1 && cp "build/$1" "$out/" || { tail -n 20 "$out/build.log"; exit 1; }
	build+=(-o "$out/$1")
}

declare -A seen=()
failed=0
for board in "${boards[@]}"; do
	conf=boards/$board/board.conf
	[[ -f $conf ]] || { echo "netlist-boards: no board is named '$board'" >&2; exit 2; }
	family=$(sed -n 's/^family=//p' "$conf") top=$(sed -n 's/^top=//p' "$conf") clk_div=$(sed -n 's/^clk_div=//p' "$conf")
	khz=$((($([[ $family == ecp5 ]] && echo 625000 || echo 1000000)) / clk_div))
	parameters=() model=".data_w = 64, .ways = 4, .max_frame = 1522, "
	while IFS='=' read -r name value; do
		[[ $core == *" $name "* ]] || continue
		parameters+=("$name=$value")
		case $name in
		HASH_ROUNDS | WAYS) ;;
		IP6) model+=".no_ip6 = !$value, " ;;
		*) model+=".${name,,} = $value, " ;;
		esac
	done < <(sed -n '/ #($/,/^  ) u_board/p' "boards/$board/$top.sv" | grep -oE '\.[A-Z0-9_]+\([0-9]+\)' | sed 's/^\.\(.*\)(\(.*\))/\1=\2/')
	for name in RULES MATCH_CYCLES READ_CYCLES FSM_CYCLES PARSE_CYCLES BUILD_CYCLES; do
		[[ " ${parameters[*]}" == *" $name="* ]] || model+=".${name,,} = $(sed -n "s/.*parameter int $name = \([0-9]*\).*/\1/p" rtl/handfast.sv), "
	done
	((${#parameters[@]} > 8)) || { echo "netlist-boards: boards/$board/$top.sv: no parameters of the core found" >&2; exit 1; }
	key="$family $khz ${parameters[*]}"
	if [[ ${seen[$key]:-} ]]; then
		echo "netlist-boards: $board: that of ${seen[$key]}"
		continue
	fi
	seen[$key]=$board
	# Anew each time: make knows neither the board's parameters nor its netlist.
	out=build/netlist-$board
	rm -rf "$out"
	mkdir -p "$out"
	# A core without IPv6 takes the place of the lean geometry, which has tests of its own, another one that of the default.
	place=default geometry=Vhandfast tests=() without=syns_lean
	[[ " ${parameters[*]} " != *" IP6=0 "* ]] ||
		place=lean geometry=Vhandfast_lean tests=("$out/tests/test_lean") without=syns_default,syns_ip6_default
	# One hash unit takes 44 clocks for a SYN of IPv6, and a gigabit brings one each 784 ns: a slower core does not follow (docs/boards.md).
	((khz * 784 / 1000000 >= 44)) || without+=,syns_ip6_default
	((${#tests[@]})) || for unit in rtl/*.sv; do
		[[ $unit == rtl/rule_table.sv || ! -f tests/test_$(basename "$unit" .sv).c ]] || tests+=("$out/tests/test_$(basename "$unit" .sv)")
	done
	tests+=("$out/tests/test_line_rate")
	build=(make -s B="$out" RTL_CXX=g++ CFLAGS="-O2 -g -DHF_${place^^}_PARAMS='$model'")
	# What stands around the core is no netlist: as it was built for the other tests.
	as_built libtops.a
	if [[ ${MODEL:-} ]]; then
		# The RTL is linked, but not run.
		as_built librtl.a
		build+=(R=build/rtl)
		targets=model
	else
		targets=rtl
		echo "netlist-boards: $board: ${parameters[*]}"
		case $family in
		ecp5)
			cells=ecp5/cells_sim.v
			synth="synth_ecp5 -nowidelut -top handfast -run begin:map_ram; opt_clean; synth_ecp5 -nowidelut -top handfast -run map_gates:check"
			;;
		xilinx7)
			cells=xilinx/cells_sim.v
			synth="synth_xilinx -family xc7 -nodsp -flatten -top handfast -run begin:map_memory; opt_clean; synth_xilinx -family xc7 -nodsp -flatten -top handfast -run fine:check"
			;;
		esac
		cat > "$out/synth.ys" <<-END
			read_verilog -sv -Irtl $(echo rtl/*.sv)
			hierarchy -check -top handfast$(printf ' -chparam %s' "${parameters[@]/=/ }")
			$synth
			stat
			rename -top handfast
			write_verilog -noattr $out/$geometry.v
		END
		"$yosys" -q -l "$out/synth.log" "$out/synth.ys" > /dev/null ||
			{ echo "netlist-boards: $board: Yosys failed, see $out/synth.log" >&2; exit 1; }
		share=$(dirname "$(dirname "$(command -v "$yosys")")")/share/yosys
		netlist="-I$share/$(dirname "$cells") -v $share/$cells --bbox-unsup $out/$geometry.v"
		build+=(HAS_WIDE=0 CXXFLAGS=-O1 VSPEED=-fno-dfg
			SOURCES="--top-module handfast -Irtl \$(if \$(filter $geometry,\$*),$netlist,\$(RTL) \$(PARAMETERS))")
	fi
	"${build[@]}" "${tests[@]}" > "$out/build.log" 2>&1 || { tail -n 20 "$out/build.log"; exit 1; }
	HF_TEST_CLK_KHZ=$khz HF_TEST_WITHOUT=$HF_TEST_WITHOUT,$without HF_TEST_ENGINES=$targets TEST_TIMEOUT_S=${TEST_TIMEOUT_S:-7200} tests/run "${tests[@]}" || failed=1
done
exit $failed
