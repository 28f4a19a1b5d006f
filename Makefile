# SPDX-License-Identifier: Apache-2.0
# Handfast: everything goes into build/. `make help` lists the targets.

CC        = gcc
CXX       = g++
VERILATOR = verilator
YOSYS     = yosys
CFLAGS    = -O3 -march=native -g
CXXFLAGS  = -O3 -march=native
HOST_LIBS = -lusb-1.0 -lz
LDLIBS    = -lpcap -lpthread $(HOST_LIBS)
CYCLES    = 5000000
SEED      = 1

B       = build
OBJ     = $B/obj
RTL     = $(sort $(wildcard rtl/*.sv))
DEFS    = $(wildcard regs/*.def regs/*.h)
SMALL   = SETS_LOG2=2 WAYS=2 SEG_DEPTH=4 STAGE_BEATS=256 HOST_FIFO_BEATS=256 EVENT_DEPTH=2 REPLY_DEPTH=2 \
          TX_BEATS=256 TX_DESCS=2 MAX_FRAME=512 CMD_DEPTH=2 LISTENERS=2 RULES=0 HASH_ROUNDS=2
LEAN    = $(filter-out HASH_ROUNDS=% EVENT_DEPTH=% CMD_DEPTH=% RULES=%,$(SMALL)) EVENT_DEPTH=1 CMD_DEPTH=1 RULES=2 HASH_SERIAL=1 IP6=0 \
          MATCH_CYCLES=2 READ_CYCLES=2 FSM_CYCLES=3 PARSE_CYCLES=8 BUILD_CYCLES=2
WIDE    = DATA_W=512 SEG_DEPTH=64 STAGE_BEATS=128 HOST_FIFO_BEATS=512 REPLY_DEPTH=16 CMD_DEPTH=8 TX_BEATS=128 TX_DESCS=32
WIDE_SMALL = $(filter-out HASH_ROUNDS=% SEG_DEPTH=% STAGE_BEATS=% HOST_FIFO_BEATS=% TX_BEATS=% RULES=%,$(SMALL)) \
          DATA_W=512 RULES=2 SEG_DEPTH=8 STAGE_BEATS=32 HOST_FIFO_BEATS=32 TX_BEATS=16
# For boards: a small ECP5; the largest table of an ECP5-85F (its block RAM decides) and of an XC7A200T.
C512    = SETS_LOG2=7 LISTENERS=4 RULES=4 SEG_DEPTH=16 STAGE_BEATS=256 HOST_FIFO_BEATS=512 EVENT_DEPTH=16 REPLY_DEPTH=16 \
          TX_BEATS=256 TX_DESCS=8 CMD_DEPTH=1 HASH_ROUNDS=2
# 512 connections of IPv4 for an ECP5-25F, at the rate of a gigabit. The transport takes an event at once.
C512_IP4 = $(filter-out HASH_ROUNDS=% EVENT_DEPTH=% RULES=%,$(C512)) RULES=0 EVENT_DEPTH=1 HASH_SERIAL=1 IP6=0 \
          MATCH_CYCLES=4 READ_CYCLES=2 FSM_CYCLES=8 PARSE_CYCLES=8 BUILD_CYCLES=2
FULL    = SETS_LOG2=9
C8192   = SETS_LOG2=11
WARN    = -Wall -Wextra -Werror
COMPILE = -std=c11 -D_GNU_SOURCE -I. $(WARN) -MMD -MP

objects  = $(patsubst %.c,$(OBJ)/%.o,$(wildcard $1))
# The transport to a board inside the process stands on the simulator, so it is not in libhandfast.
HOST     = $(filter-out $(OBJ)/host/handfast.o $(OBJ)/driver/transport_model.o,$(call objects,driver/*.c host/*.c $(filter-out %.bpf.c,$(wildcard host/bpf/*.c))))
SIM      = $(filter-out $(OBJ)/sim/main_%,$(call objects,sim/*.c sim/*/*.c driver/transport_model.c))
SUPPORT  = $(call objects,tests/support_*.c tests/matrix_spec.c)
TOOLS    = $(patsubst sim/main_%.c,$B/%,$(wildcard sim/main_*.c)) $(patsubst host/%.c,$B/%,$(wildcard host/handfast.c))
EXAMPLES = $(patsubst %.c,$B/%,$(wildcard examples/*.c))
# handfastd: the library whole, and three libraries of Debian that only it needs.
DAEMON   = $(call objects,host/daemon/*.c)
DAEMON_LIBS = -lconfig -ljansson -lsystemd
TESTS    = $(patsubst %.c,$B/%,$(wildcard tests/test_*.c))
# What is not about cycles or beats runs at 512 bits too.
WIDE_TESTS = $(addprefix 512:$B/tests/test_,active_open checksum close conn_table listen_table rate_limit regs rule_table rx_parser \
               syn_cookie tcp_fsm)
# lwIP is one of the peers where it is installed (Debian: liblwip-dev).
LWIP     = $(wildcard /usr/include/lwip/lwip/tcpip.h)
PEERS    = $(patsubst %.c,$B/%,$(filter-out $(if $(LWIP),,%/lwip_peer.c),$(wildcard tests/peers/*.c)))
GUEST    = $(patsubst %.c,$B/%,$(wildcard tests/guest/*.c))
# make bench-software: floods, peers and a server, and a BPF program where there are clang and libbpf-dev.
SOFTWARE = $(patsubst %.c,$B/%,$(filter-out %.bpf.c,$(wildcard tests/software/*.c)))
# A kernel's USB stack for the tests of the USB driver, where there is umockdev (Debian: umockdev, libumockdev-dev).
USB_TESTBED = $(if $(wildcard /usr/include/umockdev-1.0/umockdev.h),$B/tests/usb/testbed)
MODULES  = $(patsubst sim/pins_%.def,%,$(wildcard sim/pins_*.def))
LIBS     = $B/libsim.a $B/librtl.a $B/libtops.a $B/libcmodel.a $B/libhandfast.a

all: $(LIBS) $B/libhandfast.so $B/handfastd $B/libhandfast-preload.so $(TOOLS) $(EXAMPLES) $(TESTS) $(PEERS) $(USB_TESTBED) $(GUEST)  ## everything, into build/

# C: one archive per folder, one program per main.
$(OBJ)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(COMPILE) $(CFLAGS) -c -o $@ $<

$(HOST): COMPILE += -fPIC -fvisibility=hidden

# Handing connections to the kernel's own listeners: a BPF program, where there are clang and libbpf-dev. It becomes part of attach.o.
BPF = $(if $(and $(wildcard /usr/include/bpf/libbpf.h),$(shell command -v clang)),$B/kernel_listener.bpf.o)
$(OBJ)/host/bpf/attach.o: COMPILE += $(BPF:%=-DHF_BPF_OBJECT='"%"')
$(OBJ)/host/bpf/attach.o: $(BPF)
$B/kernel_listener.bpf.o: host/bpf/kernel_listener.bpf.c host/bpf/offer.h
	@mkdir -p $B
	clang -O2 -g $(WARN) -target bpf -I/usr/include/$(shell $(CC) -dumpmachine) -c -o $@ $<
BPF_LIBS = $(BPF:%=-Wl,--as-needed -lbpf)

$B/libcmodel.a: $(call objects,cmodel/*.c)
$B/libsim.a: $(SIM)
$B/libhandfast.a: $(HOST)
$B/lib%.a:
	@mkdir -p $B && rm -f $@
	$(AR) rcs $@ $^
$B/libhandfast.so: $(HOST)
	$(CC) -shared $(LDFLAGS) -Wl,-soname,libhandfast.so.0 -o $@ $^ $(HOST_LIBS) $(BPF_LIBS)
	@ln -sf libhandfast.so $B/libhandfast.so.0

LINK = $(CXX) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS) $(BPF_LIBS)
$B/%: $(OBJ)/sim/main_%.o $(LIBS)
	$(LINK)
$B/handfast: LDLIBS += -ljansson
$B/handfast: $(OBJ)/host/handfast.o $(call objects,host/cli/*.c) $(LIBS)
	$(LINK)
$B/tests/test_program: $(OBJ)/host/cli/program.o
$B/tests/test_cli: LDLIBS += -ljansson
# Before the libraries of programs that know nothing of us: as little as possible.
PRELOAD  = $(OBJ)/host/preload/preload.o $(patsubst %,$(OBJ)/host/%.o,address client ipc)
$(OBJ)/host/preload/preload.o: COMPILE += -fPIC -fvisibility=hidden
$B/libhandfast-preload.so: $(PRELOAD)
	$(CC) -shared $(LDFLAGS) -o $@ $^ -ldl
$B/handfastd: $(DAEMON) $B/libhandfast.a
	$(CC) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS) $(HOST_LIBS) -lpthread $(BPF_LIBS)
$B/examples/%: $(OBJ)/examples/%.o $B/libhandfast.a
	@mkdir -p $(@D)
	$(LINK)
$(OBJ)/tests/peers/lwip_peer.o: COMPILE += -isystem /usr/include/lwip
$B/tests/peers/lwip_peer: LDLIBS += -llwip
$B/tests/peers/%: $(OBJ)/tests/peers/%.o $B/libhandfast.a
	@mkdir -p $(@D)
	$(LINK)
$B/tests/guest/%: $(OBJ)/tests/guest/%.o $B/libhandfast.a
	@mkdir -p $(@D)
	$(LINK)
$B/tests/software/%: $(OBJ)/tests/software/%.o $(OBJ)/sim/packet.o $B/libhandfast.a
	@mkdir -p $(@D)
	$(LINK)
$(OBJ)/tests/usb/testbed.o: COMPILE += $(subst -I,-isystem ,$(shell pkg-config --cflags umockdev-1.0))
$B/tests/usb/testbed: $(OBJ)/tests/usb/testbed.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs umockdev-1.0) -lpthread
$B/tests/service/%: $(OBJ)/tests/service/%.o $(LIBS)
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

# What an installed system has; `make deb` makes packages of it.
RELEASE  = $(shell sed -n 's/.*HF_RELEASE "\(.*\)"/\1/p' host/version.h)
PREFIX   = /usr/local
LIBDIR   = $(PREFIX)/lib
SYSCONF  = /etc
$(OBJ)/host/cli/run.o: COMPILE += -DHF_LIBDIR='"$(LIBDIR)"'
installable: $B/handfast $B/handfastd $B/libhandfast-preload.so $B/libhandfast.so $B/libhandfast.a
install: installable  ## into DESTDIR: programs, library, header, man pages, unit, udev rules; PREFIX=/usr/local
	install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(PREFIX)/sbin $(LIBDIR)/handfast $(LIBDIR)/pkgconfig $(PREFIX)/include \
		$(PREFIX)/share/handfast $(PREFIX)/share/bash-completion/completions $(SYSCONF)/handfast \
		$(PREFIX)/lib/systemd/system $(PREFIX)/lib/udev/rules.d $(foreach n,1 5 8,$(PREFIX)/share/man/man$n))
	install -m 755 $B/handfast $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $B/handfastd $(DESTDIR)$(PREFIX)/sbin/
	install -m 644 $B/libhandfast-preload.so $(DESTDIR)$(LIBDIR)/handfast/
	install -m 644 $B/libhandfast.so $(DESTDIR)$(LIBDIR)/libhandfast.so.$(RELEASE)
	ln -sf libhandfast.so.$(RELEASE) $(DESTDIR)$(LIBDIR)/libhandfast.so.0
	ln -sf libhandfast.so.0 $(DESTDIR)$(LIBDIR)/libhandfast.so
	install -m 644 $B/libhandfast.a $(DESTDIR)$(LIBDIR)/
	install -m 644 host/handfast.h $(DESTDIR)$(PREFIX)/include/
	sed 's,@PREFIX@,$(PREFIX),; s,@LIBDIR@,$(LIBDIR),; s,@VERSION@,$(RELEASE),' packaging/handfast.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/handfast.pc
	install -m 644 packaging/handfast.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/handfast
	for n in 1 5 8; do install -m 644 packaging/man/*.$$n $(DESTDIR)$(PREFIX)/share/man/man$$n/; done
	install -m 600 host/daemon/handfastd.conf $(DESTDIR)$(SYSCONF)/handfast/
	sed 's,@PREFIX@,$(PREFIX),' packaging/handfastd.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/handfastd.service
	install -m 644 driver/70-handfast.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/
	install -m 644 packaging/grafana.json $(DESTDIR)$(PREFIX)/share/handfast/
deb:  ## Debian packages, into build/deb
	tools/install.sh build-essential debhelper lintian libconfig-dev libsystemd-dev libusb-1.0-0-dev libbpf-dev pkgconf
	+tools/deb.sh
deb-test:  ## the packages of `make deb` installed in clean roots of Debian 12 and 13, and started there; needs root
	tools/install.sh mmdebstrap
	+tests/deb/run

# What is committed although it is generated.
$B/gen: regs/gen.c $(DEFS)
	@mkdir -p $B
	$(CC) $(COMPILE) $(CFLAGS) -o $@ $<
generate: $B/gen  ## rewrite rtl/handfast_defs.svh and docs/registers.md from regs/*.def
	$B/gen vh > $B/defs.svh && (cmp -s $B/defs.svh rtl/handfast_defs.svh || cp $B/defs.svh rtl/handfast_defs.svh)
	$B/gen md > $B/registers.md && (cmp -s $B/registers.md docs/registers.md || cp $B/registers.md docs/registers.md)

# Features to configuration frames of a Xilinx part: for `make bitstream`, which makes it where it needs it.
$B/fasm2frames: tools/fasm2frames.c
	@mkdir -p $B
	$(CC) $(COMPILE) $(CFLAGS) -o $@ $< -ljansson
$B/tests/test_fasm2frames: $B/fasm2frames

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
	$(MAKE) all $B/tests/test_service
	tests/run $(TESTS) $B/tests/test_service $(WIDE_TESTS)
# What runs in a guest must run on QEMU's plainest processor, and wait for a simulator that shares the machine with QEMU: a build
# of its own, all but the RTL.
GENERIC  = $(MAKE) B=build/generic R=$R CFLAGS='-O2 -g -DDEVICE_REG_TIMEOUT_MS=5000 -DDEVICE_COMMAND_TIMEOUT_MS=20000'
test-bpf:  ## handing connections to kernel listeners, in QEMU with the kernels of Debian 13 and 12
	+$(GENERIC) build/generic/tests/test_kernel_listener
	tests/guest/bpf build/generic
# A program like the others, for tests/run.
SERVICE  = $B/handfastd $B/handfast $B/libhandfast-preload.so $B/tests/service/uart_card $(USB_TESTBED)
$B/tests/test_service: tests/service/run $(SERVICE)
	@mkdir -p $(@D)
	printf '#!/bin/sh\nexec tests/service/run $B short\n' > $@ && chmod +x $@
test-service: $(SERVICE)  ## nginx, redis, sshd, ... unmodified, behind handfastd and a simulated board; needs root
	tools/install.sh nginx-light redis-server redis-tools openssh-server openssh-client socat wrk ncat nftables curl python3 util-linux
	tests/service/run $B long
flood: $B/handfastd $B/handfast $B/tests/software/syn_flood  ## nginx behind handfastd under a SYN flood: the transcript of docs/flood.md; needs root
	tools/install.sh nginx-light curl iproute2
	tests/service/flood $B
IN_GUEST = $(addprefix build/generic/,tests/guest/driver tests/guest/pcie_selftest examples/http_server handfastd)
test-pcie: $B/handfast $B/tests/guest/echo  ## the simulated board as PCI device of a Linux guest: driver, resets, curl
	tools/install.sh pciutils curl iproute2
	+$(GENERIC) $(IN_GUEST)
	tests/guest/pcie $B
test-usb: $B/handfast $B/tests/guest/echo  ## the simulated board as USB device of a Linux guest: usbip, lsusb, driver, unplug, curl
	tools/install.sh usbutils usbip curl iproute2
	+$(GENERIC) $(IN_GUEST) build/generic/handfast
	tests/guest/usb $B
test-guest:  ## test_handoff, test_daemon, a VLAN from end to end in QEMU with the kernel of Debian 13: what this machine's kernel lacks
	tools/install.sh curl iproute2
	+$(GENERIC) build/generic/tests/test_handoff build/generic/tests/test_daemon $(addprefix build/generic/,handfastd handfast examples/http_server libhandfast-preload.so)
	tests/guest/daemon build/generic
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
pcie-messages: $B/tests/test_pcie_endpoint  ## 1,000,000 messages each way through the PCIe endpoint's rings, its host stalling
	HF_PCIE_MESSAGES=$(or $(MESSAGES),1000000) $B/tests/test_pcie_endpoint --case messages_are_neither_lost_nor_repeated
pcie-tlps: $B/tests/test_pcie_endpoint  ## 2,000,000 random and malformed TLPs: no hang, no DMA outside what the card was given
	HF_PCIE_TLPS=$(or $(TLPS),2000000) $B/tests/test_pcie_endpoint --case random_tlps_do_no_harm
bench: $B/bench $B/bench_transport $B/handfast $B/tests/bench_usb $(USB_TESTBED)  ## measure; writes build/bench.json and prints it as a table
	tools/bench.sh
bench-host: $B/tests/bench_host $B/handfastd $B/handfast $B/tests/software/syn_flood  ## handoffs, gigabytes and SYNs: what they cost the host beside the kernel alone; needs root
	tools/install.sh nginx-light curl iproute2
	tools/bench-host.sh
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
lint: all  ## Verilator -Wall, Icarus, gcc -Werror, cppcheck, clang-format, SPDX lines, headers, the systemd unit
	+tools/lint.sh
synth:  ## Yosys generic and ECP5: LUTs, flip-flops, block RAMs; with SYNTH=all every build of docs/resources.md, and that file
	+tools/synth.sh
synth-pcie:  ## the same of the PCIe endpoint; with SYNTH=all into docs/pcie.md
	tools/synth-pcie.sh
pnr:  ## place and route a build of the core, or one unit of it, with nextpnr-ecp5: the clock it reaches (PNR_UNIT, PNR_BUILD, PNR_SIZE, PNR_SPEED)
	+tools/pnr.sh
bitstream:  ## from RTL to build/boards/BOARD/BOARD.bit by open tools: make bitstream BOARD=b [SEED=n] [TWICE=1]
	@tools/bitstream.sh $(BOARD)
program: $B/handfast  ## put it into the board: make program BOARD=b [FLASH=1] [CABLE=name] [URI=where it answers]
	@tools/program.sh $(BOARD)
test-boards: all  ## a board from its RGMII pins on, in lock step: the engine's tests, the MAC's, programming
	tests/boards/run $B
netlist-test:  ## the directed tests on the netlist that Yosys wrote back
	+tools/netlist-test.sh
netlist-boards:  ## the directed tests on each board's core as cells of its FPGA: make netlist-boards [BOARD=b]
	+tools/netlist-boards.sh $(BOARD)
netlist-pcie:  ## test_pcie_endpoint on the netlist of the PCIe endpoint
	+tools/netlist-pcie.sh
formal:  ## prove the properties of docs/formal.md, and that each one can fail
	tools/formal.sh
mutants: mutants-pcie mutants-usb mutants-eth  ## planted RTL faults: each one must be caught
	+tests/mutants/run
mutants-pcie:  ## those of rtl/pcie; EVERY=n takes each n-th
	+tests/mutants/run_modules pcie test_pcie_endpoint
mutants-usb:  ## those of rtl/usb and rtl/cross; EVERY=n takes each n-th
	+tests/mutants/run_modules usb test_cross test_usb_ft245 test_usb_uart test_usb_link
mutants-eth:  ## those of rtl/eth and rtl/bus; EVERY=n takes each n-th
	+CPU_SECONDS=300 tests/mutants/run_modules eth test_eth test_bus test_msg_axil
usb-messages: $B/tests/test_usb_link  ## 1,000,000 messages each way over a cable that loses, doubles and flips bytes
	HF_USB_MESSAGES=1000000 $B/tests/test_usb_link --case everything_arrives_over_a_bad_cable
synth-usb:  ## Yosys synth_ecp5 of the tops of rtl/usb, and of the link alone; with SYNTH=all into docs/usb.md
	+tools/synth-usb.sh
# Not what is preloaded into programs without sanitizers, not what looks for files beside build/ itself, and not 100,000 times the same.
sanitize:  ## the tests on the C model with address and undefined-behaviour sanitizers
	$(MAKE) B=build/sanitize R=$R CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover' \
		LDFLAGS='-fsanitize=address,undefined' all
	HF_TEST_WITHOUT='programs_that_know_nothing,programs_outlive_their_daemon,the_example_config_is_good,the_dashboard_asks_for_what_is_there,completion_knows_what_help_tells,random_acks' HF_TEST_ENGINES=model tests/run $(patsubst build/%,build/sanitize/%,$(TESTS))
# libFuzzer's programs: everything but the RTL built once more, by clang with its sanitizers.
$B/fuzz_%: $(OBJ)/tests/fuzz/fuzz_%.o $(LIBS)
	$(LINK)
$B/fuzz_channel: LDLIBS += $(DAEMON_LIBS)
$B/fuzz_channel: $(filter-out %/main.o,$(DAEMON))
fuzz:  ## fuzz what takes bytes from outside, FUZZ_SECONDS for each program of tests/fuzz (20)
	tools/install.sh clang libclang-rt-dev
	$(MAKE) B=build/fuzz R=$R BPF= CC=clang CXX=clang++ WARN=-w LDFLAGS='-fsanitize=fuzzer,address,undefined' \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' \
		$(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
	tests/fuzz/run build/fuzz $(or $(FUZZ_SECONDS),20)
ring-messages: $B/handfast $B/tests/test_transport_pcie  ## 1,000,000 messages each way over PCIe rings, none lost, none twice
	for case in ring_messages answers_out_of_order; do for engine in model rtl; do \
		HF_RING_MESSAGES=1000000 $B/tests/test_transport_pcie --target $$engine --case $$case || exit 1; done; done
waves:  ## the last 2,000 cycles of a lock-step run as build/waves.fst: make waves SEED=s CYCLES=n
	$(MAKE) B=build/waves OBJ=$(OBJ) VFLAGS='$(VFLAGS) --trace-fst --trace-structs' LDLIBS='$(LDLIBS) -lz' \
		TRACE='-DVM_TRACE=1 -DVM_TRACE_FST=1' build/waves/lockstep
	build/waves/lockstep --seed $(SEED) --cycles $(CYCLES) $(DATA_WIDTH:%=--data-width %) --waves build/waves.fst
wave: $B/wave  ## one handshake at the pins, as ASCII waveforms
	$B/wave
clean:  ## remove build/
	rm -rf build
help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## */\1\t/p' Makefile | expand -t 14

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

# Every target that has help, and those that only other targets and scripts use.
.PHONY: $(shell sed -n 's/^\([a-z][a-z0-9-]*\):.*\#\# .*/\1/p' Makefile) installable small-parameters lean-parameters wide-parameters wide-small-parameters
.SECONDARY:
.DELETE_ON_ERROR:
-include $(wildcard $(OBJ)/*/*.d $(OBJ)/*/*/*.d $R/shim.d $R/top_*.d)
