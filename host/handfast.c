/* SPDX-License-Identifier: Apache-2.0
 * handfast.c - the command line: chooses the subcommand. */
#include <stdio.h>
#include <string.h>
#include "../regs/regs.h"
#include "../sim/commands.h"
#include "cli/cli.h"
#include "preload/run.h"

#define VERSION "0.1.0"

static const struct {
	const char *name, *does;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "boards", "every board that can be reached: USB, PCI, sockets", boards_main },
	{ "board", "a simulated board as a process, between a wire and a host", board_main },
	{ "replay", "feed a capture to the engine, write what goes in and out", replay_main },
	{ "peer", "a small TCP client on the wire of a simulated board", peer_main },
	{ "run", "a program whose ports are handfastd's, unmodified", run_main },
	{ "peer-host", "the host of a simulated board, without the kernel's sockets", peer_host_main },
};

static void help(void)
{
	printf("usage: handfast COMMAND [options]\n\n"
	       "TCP connection setup in hardware: its simulated boards.\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].does);
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
		printf("handfast %s, registers and messages version %d\n", VERSION, HF_ABI_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "handfast: unknown command %s (handfast --help)\n", name);
	return 2;
}
