# SPDX-License-Identifier: Apache-2.0
# Handfast: everything goes into build/. `make help` lists the targets.

CC        = gcc
CXX       = g++
VERILATOR = verilator
YOSYS     = yosys
CFLAGS    = -O3 -march=native -g
CXXFLAGS  = -O3 -march=native
LDLIBS    = -lpcap -lpthread
CYCLES    = 5000000
SEED      = 1

B       = build
OBJ     = $B/obj
RTL     = $(sort $(wildcard rtl/*.sv))
DEFS    = $(wildcard regs/*.def regs/*.h)
SMALL   = SETS_LOG2=2 WAYS=2 SEG_DEPTH=4 STAGE_BEATS=256 HOST_FIFO_BEATS=256 EVENT_DEPTH=2 REPLY_DEPTH=2 \
          TX_BEATS=256 TX_DESCS=2 MAX_FRAME=512 CMD_DEPTH=2 LISTENERS=2 HASH_ROUNDS=2
LEAN    = $(filter-out HASH_ROUNDS=% EVENT_DEPTH=% CMD_DEPTH=%,$(SMALL)) EVENT_DEPTH=1 CMD_DEPTH=1 HASH_SERIAL=1 IP6=0
WIDE    = DATA_W=512 SEG_DEPTH=64 STAGE_BEATS=128 HOST_FIFO_BEATS=512 REPLY_DEPTH=16 CMD_DEPTH=8 TX_BEATS=128 TX_DESCS=32
WIDE_SMALL = $(filter-out HASH_ROUNDS=% SEG_DEPTH=% STAGE_BEATS=% HOST_FIFO_BEATS=% TX_BEATS=%,$(SMALL)) \
          DATA_W=512 SEG_DEPTH=8 STAGE_BEATS=32 HOST_FIFO_BEATS=32 TX_BEATS=16
# For boards: a small ECP5; the largest table of an ECP5-85F (its block RAM decides) and of an XC7A200T.
C512    = SETS_LOG2=7 LISTENERS=4 SEG_DEPTH=16 STAGE_BEATS=256 HOST_FIFO_BEATS=512 EVENT_DEPTH=16 REPLY_DEPTH=16 \
          TX_BEATS=256 TX_DESCS=8 CMD_DEPTH=1 HASH_ROUNDS=2
# 512 connections of IPv4 for an ECP5-25F, at the rate of a gigabit. The transport takes an event at once.
C512_IP4 = $(filter-out HASH_ROUNDS=% EVENT_DEPTH=%,$(C512)) EVENT_DEPTH=1 HASH_SERIAL=1 IP6=0
FULL    = SETS_LOG2=9
C8192   = SETS_LOG2=11
WARN    = -Wall -Wextra -Werror
COMPILE = -std=c11 -D_GNU_SOURCE -I. $(WARN) -MMD -MP

objects  = $(patsubst %.c,$(OBJ)/%.o,$(wildcard $1))
# The transport to a board inside the process stands on the simulator, so it is not in libhandfast.
HOST     = $(filter-out $(OBJ)/host/handfast.o $(OBJ)/driver/transport_model.o,$(call objects,driver/*.c host/*.c))
SIM      = $(filter-out $(OBJ)/sim/main_%,$(call objects,sim/*.c sim/*/*.c driver/transport_model.c))
SUPPORT  = $(call objects,tests/support_*.c tests/matrix_spec.c)
TOOLS    = $(patsubst sim/main_%.c,$B/%,$(wildcard sim/main_*.c)) $(patsubst host/%.c,$B/%,$(wildcard host/handfast.c))
EXAMPLES = $(patsubst %.c,$B/%,$(wildcard examples/*.c))
TESTS    = $(patsubst %.c,$B/%,$(wildcard tests/test_*.c))
# What is not about cycles or beats runs at 512 bits too.
WIDE_TESTS = $(addprefix 512:$B/tests/test_,active_open checksum close conn_table listen_table rate_limit regs rx_parser \
               syn_cookie tcp_fsm)
# lwIP is one of the peers where it is installed (Debian: liblwip-dev).
LWIP     = $(wildcard /usr/include/lwip/lwip/tcpip.h)
PEERS    = $(patsubst %.c,$B/%,$(filter-out $(if $(LWIP),,%/lwip_peer.c),$(wildcard tests/peers/*.c)))
# make bench-software: floods, peers and a server, and a BPF program where there are clang and libbpf-dev.
SOFTWARE = $(patsubst %.c,$B/%,$(filter-out %.bpf.c,$(wildcard tests/software/*.c)))
MODULES  = $(patsubst sim/pins_%.def,%,$(wildcard sim/pins_*.def))
LIBS     = $B/libsim.a $B/librtl.a $B/libtops.a $B/libcmodel.a $B/libhandfast.a

all: $(LIBS) $B/libhandfast.so $(TOOLS) $(EXAMPLES) $(TESTS) $(PEERS)  ## everything, into build/

# C: one archive per folder, one program per main.
$(OBJ)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(COMPILE) $(CFLAGS) -c -o $@ $<

$(HOST): COMPILE += -fPIC -fvisibility=hidden

$B/libcmodel.a: $(call objects,cmodel/*.c)
$B/libsim.a: $(SIM)
$B/libhandfast.a: $(HOST)
$B/lib%.a:
	@mkdir -p $B && rm -f $@
	$(AR) rcs $@ $^
$B/libhandfast.so: $(HOST)
	$(CC) -shared $(LDFLAGS) -o $@ $^

LINK = $(CXX) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
$B/%: $(OBJ)/sim/main_%.o $(LIBS)
	$(LINK)
$B/handfast: $(OBJ)/host/handfast.o $(LIBS)
	$(LINK)
$B/examples/%: $(OBJ)/examples/%.o $B/libhandfast.a
	@mkdir -p $(@D)
	$(LINK)
$(OBJ)/tests/peers/lwip_peer.o: COMPILE += -isystem /usr/include/lwip
$B/tests/peers/lwip_peer: LDLIBS += -llwip
$B/tests/peers/%: $(OBJ)/tests/peers/%.o $B/libhandfast.a
	@mkdir -p $(@D)
	$(LINK)
$B/tests/software/%: $(OBJ)/tests/software/%.o $(OBJ)/sim/packet.o $B/libhandfast.a
	@mkdir -p $(@D)
	$(LINK)
$B/xdp_cookie.bpf.o: tests/software/xdp_cookie.bpf.c
	@mkdir -p $B
	clang -O2 -g $(WARN) -target bpf -I/usr/include/$(shell $(CC) -dumpmachine) -c -o $@ $<
$B/tests/%: $(OBJ)/tests/%.o $(SUPPORT) $(LIBS)
	@mkdir -p $(@D)
	$(LINK) -lcunit

# RTL: five geometries, each Verilated once; the shim is the only C++ that sees them. A variant
# build (netlist, mutants, waves) has its own B and replaces SOURCES or adds to VFLAGS.
R        = $B/rtl
VFLAGS   = --x-assign unique --x-initial unique
# One large C++ file and unrolled loops: simulates a third faster than the defaults. Where there is clang, its code is a
# fifth faster than that of gcc, and made in half the time.
RTL_CXX  = $(or $(shell command -v clang++),$(CXX))
VSPEED   = --output-split 0 --unroll-count 512 --unroll-stmts 300000
TRACE    = -DVM_TRACE=0
PARAMETERS = $(addprefix -G,$(if $(filter %_wide_small,$*),$(WIDE_SMALL),$(if $(filter %_wide,$*),$(WIDE),$(if $(filter %_small,$*),$(SMALL),$(if $(filter %_lean,$*),$(LEAN))))))
SOURCES  = --top-module handfast -Irtl $(RTL) $(PARAMETERS)
# The two wide ones where the RTL has the parameter.
HAS_WIDE = $(shell grep -c 'parameter.* DATA_W' rtl/handfast.sv)
TOPS     = Vhandfast Vhandfast_small Vhandfast_lean $(if $(filter-out 0,$(HAS_WIDE)),Vhandfast_wide Vhandfast_wide_small)
VROOT    = $(shell $(VERILATOR) --getenv VERILATOR_ROOT)

$R/%/verilated: $(RTL) $(wildcard rtl/*.svh)
	@rm -rf $(@D) && mkdir -p $(@D)
	$(VERILATOR) --cc -O3 -Wno-fatal -Wno-lint $(VFLAGS) $(VSPEED) -Mdir $(@D) --prefix $* $(SOURCES)
	$(MAKE) -s -C $(@D) -f $*.mk OPT_GLOBAL=-O2 verilated.o verilated_threads.o \
		$(if $(findstring FST,$(TRACE)),verilated_fst_c.o)
	@touch $@
# Profile-guided: compiled once with counters, run for a moment, compiled with what they say. A quarter faster.
PROFILED = $(and $(filter build,$B),$(filter %clang++,$(RTL_CXX)),$(shell command -v llvm-profdata))
USE_PROFILE = -fprofile-instr-use=$(abspath $R/profile) -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date
$R/%/done: $R/%/verilated $(if $(PROFILED),$R/profile)
	$(MAKE) -s -C $(@D) -f $*.mk CXX=$(RTL_CXX) OPT_FAST='$(CXXFLAGS) $(if $(PROFILED),$(USE_PROFILE))' $*__ALL.a
	@touch $@
$R/%/counting.a: $R/%/verilated
	@mkdir -p $(@D)/counting && cp $(@D)/*.cpp $(@D)/*.h $(@D)/*.mk $(@D)/counting
	$(MAKE) -s -C $(@D)/counting -f $*.mk CXX=$(RTL_CXX) OPT_FAST='-O1 -fprofile-instr-generate' $*__ALL.a
	@mv $(@D)/counting/$*__ALL.a $@ && rm -r $(@D)/counting
$R/counting: $(TOPS:%=$R/%/counting.a) $R/shim.o | $(OBJ)/sim/main_lockstep.o $(filter-out %/librtl.a %/libtops.a,$(LIBS))
	$(RTL_CXX) -fprofile-instr-generate -o $@ $(OBJ)/sim/main_lockstep.o $R/shim.o $(TOPS:%=$R/%/counting.a) \
		$(firstword $(TOPS:%=$R/%/verilated.o)) $(firstword $(TOPS:%=$R/%/verilated_threads.o)) \
		-Wl,--start-group $(filter-out %/librtl.a %/libtops.a,$(LIBS)) -Wl,--end-group $(LDLIBS)
$R/profile: $R/counting
	LLVM_PROFILE_FILE=$@.raw $< --cycles 150000 --seed 1 > $@.log 2>&1 || test -s $@.raw
	llvm-profdata merge -o $@ $@.raw
$R/shim.o: sim/rtl_shim.cpp $(TOPS:%=$R/%/verilated)
	$(CXX) -std=c++17 $(CXXFLAGS) -Wall -Wextra -MMD -MP -I. $(TOPS:%=-I$R/%) -DHF_WIDE=$(HAS_WIDE) \
		-isystem $(VROOT)/include $(TRACE) -c -o $@ $<
$B/librtl.a: $R/shim.o $(TOPS:%=$R/%/done)
	@rm -f $@
	$(AR) rcs $@ $< $(TOPS:%=$R/%/*.o)

# Modules around the core, each by itself (sim/rtl_top.h): Verilator finds in these folders what they are made of.
FOLDERS  = rtl $(sort $(patsubst %/,%,$(dir $(wildcard rtl/*/*.sv boards/*/*.sv boards/*/*.v))))
$R/V%/module: sim/pins_%.def $(wildcard $(FOLDERS:%=%/*.sv) rtl/*.svh)
	@rm -rf $(@D) && mkdir -p $(@D)
	$(VERILATOR) --cc -O3 -Wno-fatal -Wno-lint $(VFLAGS) $(VSPEED) -Mdir $(@D) --prefix V$* --top-module $* -Irtl $(FOLDERS:%=-y %) \
		$(wildcard $(FOLDERS:%=%/$*.sv))
	$(MAKE) -s -C $(@D) -f V$*.mk CXX=$(RTL_CXX) OPT_FAST='$(CXXFLAGS)' V$*__ALL.a
	@touch $@
$R/top_%.o: sim/rtl_shim.cpp $R/V%/module
	$(CXX) -std=c++17 $(CXXFLAGS) -Wall -Wextra -MMD -MP -I. -I$R/V$* -DHF_TOP=$* -DHF_TOP_CLASS=V$* -DHF_TOP_HEADER='"V$*.h"' \
		-DHF_TOP_PINS='"sim/pins_$*.def"' -isystem $(VROOT)/include $(TRACE) -c -o $@ $<
$B/libtops.a: $(MODULES:%=$R/top_%.o)
	@rm -f $@
	$(AR) rcs $@ $^ $(MODULES:%=$R/V%/*.o)

# What is committed although it is generated.
$B/gen: regs/gen.c $(DEFS)
	@mkdir -p $B
	$(CC) $(COMPILE) $(CFLAGS) -o $@ $<
generate: $B/gen  ## rewrite rtl/handfast_defs.svh and docs/registers.md from regs/*.def
	$B/gen vh > $B/defs.svh && (cmp -s $B/defs.svh rtl/handfast_defs.svh || cp $B/defs.svh rtl/handfast_defs.svh)
	$B/gen md > $B/registers.md && (cmp -s $B/registers.md docs/registers.md || cp $B/registers.md docs/registers.md)

$B/mutate: tests/mutants/mutate.c
	@mkdir -p $B
	$(CC) $(COMPILE) $(CFLAGS) -o $@ $<

# Checks.
demo:  ## the main job on real input; installs what is missing
	tools/install.sh
	$(MAKE) $B/handfast $(EXAMPLES)
	examples/demo.sh
test:  ## all tests; installs what is missing; ends with "N passed, N failed"
	tools/install.sh
	$(MAKE) all
	tests/run $(TESTS) $(WIDE_TESTS)
conformance: $(TESTS)  ## every row of tests/requirements.md on model, RTL and lock step: docs/conformance.md
	tests/conformance $B/tests
lockstep: $B/lockstep  ## RTL against model: make lockstep CYCLES=n SEED=s, of one width: DATA_WIDTH=64 or 512
	$B/lockstep --cycles $(CYCLES) --seed $(SEED) $(DATA_WIDTH:%=--data-width %)
lossy: $B/tests/test_lossy  ## 10,000 opens and closes in lock step over a wire that loses, doubles, overtakes, damages
	HF_LOSSY=10000 $B/tests/test_lossy --target lockstep --case lossy_wire
peers: $B/handfast $(PEERS)  ## Linux's TCP against a board in lock step, every option off and on, both ways; needs root
	tests/peers/run $B
attack: $B/tests/attack  ## floods at the wire limit among good peers: what became of each, as the table of docs/attack.md
	$B/tests/attack
bench: $B/bench  ## measure; writes build/bench.json and prints it as a table
	tools/bench.sh
bench-software: $B/handfast $(SOFTWARE)  ## CPU time per SYN of software and of a host with a board; needs root
	tools/install.sh nftables clang libbpf-dev
	$(MAKE) $B/xdp_cookie.bpf.o
	tests/software/run $B
regress: $B/lockstep  ## seeds in parallel: make regress JOBS=n SEEDS=a..b [CYCLES=n] [SSHLOGIN=a,b|SLURM=yes]
	tools/install.sh parallel
	CYCLES='$(CYCLES)' tools/regress.sh
regress-test: $B/lockstep  ## regress itself; sshd and Slurm, if installed, are started on 127.0.0.1
	tools/install.sh parallel $(if $(filter true,$(CI)),openssh-server slurmctld slurmd slurm-client munge)
	tests/regress/run $B
lint: all  ## Verilator -Wall, gcc -Werror, cppcheck, clang-format, SPDX lines
	+tools/lint.sh
synth:  ## Yosys generic and ECP5: LUTs, flip-flops, block RAMs; with SYNTH=all every build of docs/resources.md, and that file
	+tools/synth.sh
pnr:  ## place and route the c512 build with nextpnr-ecp5, where it is installed: the clock it reaches
	+tools/pnr.sh
netlist-test:  ## the directed tests on the netlist that Yosys wrote back
	+tools/netlist-test.sh
formal:  ## prove the properties of docs/formal.md, and that each one can fail
	tools/formal.sh
mutants:  ## planted RTL faults: each one must be caught
	+tests/mutants/run
sanitize:  ## the tests on the C model with address and undefined-behaviour sanitizers
	$(MAKE) B=build/sanitize R=$R CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover' \
		LDFLAGS='-fsanitize=address,undefined' all
	HF_TEST_ENGINES=model tests/run $(patsubst build/%,build/sanitize/%,$(TESTS))
waves:  ## the last 2,000 cycles of a lock-step run as build/waves.fst: make waves SEED=s CYCLES=n
	$(MAKE) B=build/waves OBJ=$(OBJ) VFLAGS='$(VFLAGS) --trace-fst --trace-structs' LDLIBS='$(LDLIBS) -lz' \
		TRACE='-DVM_TRACE=1 -DVM_TRACE_FST=1' build/waves/lockstep
	build/waves/lockstep --seed $(SEED) --cycles $(CYCLES) $(DATA_WIDTH:%=--data-width %) --waves build/waves.fst
wave: $B/wave  ## one handshake at the pins, as ASCII waveforms
	$B/wave
clean:  ## remove build/
	rm -rf build
help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1\t/p' Makefile | expand -t 14

small-parameters:
	@echo $(addprefix -G,$(SMALL))
lean-parameters:
	@echo $(addprefix -G,$(LEAN))
wide-parameters:
	@echo $(addprefix -G,$(WIDE))
wide-small-parameters:
	@echo $(addprefix -G,$(WIDE_SMALL))
parameters-%:
	@echo $($*)

.PHONY: all small-parameters lean-parameters wide-parameters wide-small-parameters generate demo test conformance lockstep lossy peers attack bench bench-software regress regress-test lint synth pnr netlist-test formal mutants sanitize waves wave clean help
.SECONDARY:
.DELETE_ON_ERROR:
-include $(wildcard $(OBJ)/*/*.d $(OBJ)/*/*/*.d $R/shim.d $R/top_*.d)
