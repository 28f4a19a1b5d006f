/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRELOAD "libhandfast-preload.so"

static const char usage[] =
	"usage: handfast run [--socket PATH] -- COMMAND [arguments]\n\n"
	"Runs an unmodified program whose listening ports handfastd has with way \"repair\", or that opens\n"
	"connections (blocking connect) through the board. What is not for the board stays as it is.\n\n"
	"  --socket PATH  handfastd's socket for programs; /run/handfast/handfast.sock\n";

/* Beside this program (a build), else by the linker's own search. */
static const char *find_library(char *path)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(PRELOAD) - 1);
	char *slash;

	if (n > 0) {
		path[n] = 0;
		slash = strrchr(path, '/');
		strcpy(slash + 1, PRELOAD);
		if (!access(path, R_OK))
			return path;
	}
	return PRELOAD;
}

int run_main(int argc, char **argv)
{
	static const struct option options[] = { { "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	char path[PATH_MAX], all[2 * PATH_MAX];
	const char *library, *before = getenv("LD_PRELOAD");
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (c == 's') {
			setenv("HANDFAST_SOCKET", optarg, 1);
		} else if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		} else {
			return 2;
		}
	}
	if (optind >= argc) {
		fprintf(stderr, "handfast run: no command (handfast run --help)\n");
		return 2;
	}
	library = find_library(path);
	snprintf(all, sizeof(all), "%s%s%s", library, before && *before ? ":" : "", before ? before : "");
	setenv("LD_PRELOAD", all, 1);
	execvp(argv[optind], argv + optind);
	fprintf(stderr, "handfast run: %s: %s\n", argv[optind], strerror(errno));
	return 1;
}
