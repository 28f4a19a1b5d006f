/* SPDX-License-Identifier: Apache-2.0
 * handfast.c - the command line: chooses the subcommand. */
#include <stdio.h>
#include <string.h>
#include "../regs/regs.h"
#include "../sim/commands.h"
#include "cli/cli.h"
#include "cli/program.h"
#include "version.h"

struct command {
	const char *name, *does;
	int (*run)(int argc, char **argv);
};

/* In the order of the help; a row without a function is a heading. */
static const struct command commands[] = {
	{ NULL, "The service (needs a handfastd)", NULL },
	{ "status", "link and version of the board, its table, what happens per second", status_main },
	{ "listeners", "what the board does with each port's SYNs, and why", listeners_main },
	{ "listener", "change that for one port: offload, bypass or off", listener_main },
	{ "conns", "the connections in the board's table", conns_main },
	{ "counters", "counters by cause, once or again and again", counters_main },
	{ "trace", "the live ladder of handshakes, or a pcapng file of them", trace_main },
	{ "top", "the networks connections come from", top_main },
	{ "limit", "at most so many connections per second from a prefix", limit_main },
	{ "deny", "none from a prefix", deny_main },
	{ "rules", "what limit and deny have set", rules_main },
	{ "keys", "rotate the key of SYN cookies", keys_main },
	{ "selftest", "the daemon tries its board", selftest_main },
	{ "reload", "the daemon reads its config again", reload_main },
	{ NULL, "This machine", NULL },
	{ "boards", "every board that can be reached: USB, PCI, sockets", boards_main },
	{ "program", "a bitstream into a board, checked before and after", program_main },
	{ "doctor", "what is in the way of the board's connections, and how to mend it", doctor_main },
	{ "run", "a program whose sockets the board serves", run_main },
	{ NULL, "Simulated boards", NULL },
	{ "board", "a simulated board as a process, between a wire and a host", board_main },
	{ "replay", "feed a capture to the engine, write what goes in and out", replay_main },
	{ "peer", "a small TCP client on the wire of a simulated board", peer_main },
	{ "peer-host", "the host of a simulated board, without the kernel's sockets", peer_host_main },
};

static void help(void)
{
	printf("usage: handfast COMMAND [options]\n\n"
	       "TCP connection setup in hardware: the service, this machine, simulated boards.\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].name)
			printf("  %-10s %s\n", commands[i].name, commands[i].does);
		else
			printf("\n%s\n", commands[i].does);
	printf("\n  --help     this text; handfast COMMAND --help tells about one command\n"
	       "  --version  version of this program and of the registers and messages it knows\n\n"
	       "Exit code: 0 done, 1 a check failed or something could not be had, 2 bad usage.\n");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		fprintf(stderr, "handfast: no command (handfast --help)\n");
		return 2;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		help();
		return 0;
	}
	if (!strcmp(name, "--version")) {
		printf("handfast %s, registers and messages version %d\n", HF_RELEASE, HF_ABI_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].name && !strcmp(name, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "handfast: unknown command %s (handfast --help)\n", name);
	return 2;
}
