#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# netlist-pcie.sh - Yosys makes gates of pcie_endpoint (only memories stay), writes them back as Verilog, Verilator compiles
# that in place of rtl/pcie/, and test_pcie_endpoint runs on it: what synthesis makes of the source, silent miscompiles
# included. Called by `make netlist-pcie`.
set -u
out=build/netlist_pcie
mkdir -p $out/src
if ! "${YOSYS:-yosys}" -q -l $out/pcie.log -p "
	read_verilog -sv -Irtl $(echo $(ls rtl/pcie/pcie_*.sv | grep -v xilinx) rtl/cross/*.sv)
	hierarchy -check -top pcie_endpoint
	proc
	check -assert
	synth -flatten -run begin:fine; opt -full; memory -nomap; opt -full; techmap; opt; abc -fast
	opt_clean
	write_verilog -noattr $out/src/pcie_endpoint.sv" > /dev/null; then
	echo "netlist-pcie: Yosys refused it, see $out/pcie.log" >&2
	exit 1
fi
make -s build/librtl.a > $out/build.log 2>&1 || { tail -n 30 $out/build.log; exit 1; }
cp build/librtl.a $out/
# -fno-dfg as in netlist-test.sh.
make -s -o $out/librtl.a B=$out OBJ=build/obj MODULES=pcie_endpoint FOLDERS=$out/src CXXFLAGS=-O1 VSPEED=-fno-dfg \
	$out/tests/test_pcie_endpoint > $out/build.log 2>&1 || { tail -n 30 $out/build.log; exit 1; }
HF_TEST_ENGINES=model tests/run $out/tests/test_pcie_endpoint
