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
make -s build/librtl.a build/libtops.a > $out/build.log 2>&1 || { tail -n 30 $out/build.log; exit 1; }
build() { # build OPTION|TARGET...; -fno-dfg as in netlist-test.sh
	make -s B=$out OBJ=build/obj MODULES=pcie_endpoint FOLDERS=$out/src CXXFLAGS=-O1 VSPEED=-fno-dfg "$@" > $out/build.log 2>&1 ||
		{ tail -n 30 $out/build.log; exit 1; }
}
rm -f $out/libtops.a
build $out/libtops.a
# In the place of the module that it comes from; the others are linked as they are.
cp build/librtl.a $out/ && cp build/libtops.a $out/tops.a || exit 1
ar t $out/tops.a | grep -x 'Vpcie_endpoint\(__.*\)\?\.o\|top_pcie_endpoint\.o' | xargs -r ar d $out/tops.a
ar q $out/tops.a $out/rtl/top_pcie_endpoint.o $out/rtl/Vpcie_endpoint/*.o || exit 1
mv $out/tops.a $out/libtops.a
build -o $out/librtl.a -o $out/libtops.a $out/tests/test_pcie_endpoint
HF_TEST_ENGINES=model tests/run $out/tests/test_pcie_endpoint
