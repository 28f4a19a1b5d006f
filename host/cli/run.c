/* SPDX-License-Identifier: Apache-2.0
 * run.c - `handfast run -- COMMAND`: a program that knows nothing of the board, with libhandfast-preload.so before its libc. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#ifndef HF_LIBDIR
#define HF_LIBDIR "/usr/lib"
#endif

static const char usage[] =
	"usage: handfast run [--socket PATH] [--preload FILE] [--json] -- COMMAND [ARGUMENT...]\n"
	"\n"
	"Runs COMMAND with libhandfast-preload.so: what it listens on, where handfastd's config lets it, is accepted "
	"by the board,\n"
	"and so are its blocking connect() calls whose route leads through the board. All else passes untouched.\n"
	"\n"
	"  --socket PATH   socket of handfastd for applications; default $HANDFAST_SOCKET, else that of an installed "
	"handfastd\n"
	"  --preload FILE  the library; default beside this program, else " HF_LIBDIR "/handfast\n"
	"  --json          why COMMAND was not started: a JSON object on stderr. Standard output is all COMMAND's\n"
	"\n"
	"Exit code: that of COMMAND; 2 bad usage, 126 it or the library cannot be used, 127 it is not there.\n";

/* Where the library is: beside this program when that is in a build tree, else where it is installed. */
static void find_preload(char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = 0;
	snprintf(path, size, "%.4000s/libhandfast-preload.so", dirname(self));
	if (access(path, R_OK))
		snprintf(path, size, "%s/handfast/libhandfast-preload.so", HF_LIBDIR);
}

/* COMMAND is not started. */
static int refuse(bool json, int code, const char *what, const char *why)
{
	json_t *o;

	if (!json) {
		fprintf(stderr, "run: %s%s%s\n", what, *what ? ": " : "", why);
		return code;
	}
	o = json_pack("{s:s, s:s, s:s, s:i}", "command", "run", "what", what, "error", why, "exit_code", code);
	/* NULL: a name that is no UTF-8. */
	if (!o)
		o = json_pack("{s:s, s:s, s:i}", "command", "run", "error", why, "exit_code", code);
	json_dumpf(o, stderr, 0);
	fputc('\n', stderr);
	json_decref(o);
	return code;
}

int run_main(int argc, char **argv)
{
	static const struct option own[] = { { "socket", required_argument, NULL, 256 },
		{ "preload", required_argument, NULL, 257 }, { "help", no_argument, NULL, 258 },
		{ "json", no_argument, NULL, 259 }, { 0 } };
	const char *preload = NULL, *before = getenv("LD_PRELOAD");
	char path[PATH_MAX + 64], value[2 * PATH_MAX];
	bool json = false;
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:", own, NULL)) != -1) {
		switch (c) {
		case 256:
			setenv("HANDFAST_SOCKET", optarg, 1);
			break;
		case 257:
			preload = optarg;
			break;
		case 258:
			fputs(usage, stdout);
			return 0;
		case 259:
			json = true;
			break;
		default:
			return refuse(json, 2, argv[optind - 1],
				c == ':' ? "its value is missing (handfast run --help)"
					 : "unknown option (handfast run --help)");
		}
	}
	if (optind >= argc)
		return refuse(json, 2, "", "no command (handfast run --help)");
	if (!preload) {
		find_preload(path, sizeof(path));
		preload = path;
	}
	if (access(preload, R_OK))
		return refuse(json, 126, preload, strerror(errno));
	snprintf(value, sizeof(value), "%s%s%s", preload, before && *before ? ":" : "", before ? before : "");
	setenv("LD_PRELOAD", value, 1);
	execvp(argv[optind], argv + optind);
	return refuse(json, errno == ENOENT ? 127 : 126, argv[optind], strerror(errno));
}
