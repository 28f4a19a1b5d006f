/* SPDX-License-Identifier: Apache-2.0
 * options.c - the command lines of the commands about the daemon. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../daemon/control.h"
#include "cli.h"

enum { JSON = 1000, SOCKET, HELP, OWN_MAX = 16 };

bool cli_number(const char *text, long long min, long long max, long long *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	return *text && !*end && !errno && *value >= min && *value <= max;
}

int cli_parse(int argc, char **argv, const char *usage, const struct option *own,
	const char *(*take)(void *ctx, int val, const char *text), void *ctx, int min, int max, struct cli_options *o)
{
	static const struct option common[] = {
		{ "json", no_argument, NULL, JSON },
		{ "socket", required_argument, NULL, SOCKET },
		{ "help", no_argument, NULL, HELP },
	};
	struct option all[OWN_MAX + 4] = { 0 };
	unsigned n = 0, i;
	const char *wrong;
	int c;

	while (own && own[n].name && n < OWN_MAX) {
		all[n] = own[n];
		n++;
	}
	memcpy(all + n, common, sizeof(common));
	*o = (struct cli_options){ .socket = getenv("HANDFAST_CONTROL") };
	if (!o->socket || !*o->socket)
		o->socket = CONTROL_PATH;
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":w:", all, NULL)) != -1) {
		switch (c) {
		case JSON:
			o->json = true;
			break;
		case SOCKET:
			o->socket = optarg;
			break;
		case HELP:
			fputs(usage, stdout);
			return 1;
		case ':':
		case '?':
			fprintf(stderr, "%s: %s: %s (handfast %s --help)\n", argv[0], argv[optind - 1],
				c == ':' ? "its value is missing" : "unknown option", argv[0]);
			return 3;
		default:
			for (i = 0; i < n && own[i].val != c; i++)
				;
			wrong = i < n ? take(ctx, c, optarg) : "unknown option";
			if (wrong) {
				fprintf(stderr, "%s: %s%s %s: %s\n", argv[0], i < n && c < 256 ? "-" : "--",
					i < n && c >= 256 ? own[i].name : (char[]){ (char)c, 0 }, optarg ? optarg : "",
					wrong);
				return 3;
			}
		}
	}
	o->argc = argc - optind;
	o->argv = argv + optind;
	if (o->argc < min || o->argc > max) {
		if (o->argc > max)
			fprintf(stderr, "%s: %s: not expected here (handfast %s --help)\n", argv[0], o->argv[max],
				argv[0]);
		else
			fprintf(stderr, "%s: an argument is missing (handfast %s --help)\n", argv[0], argv[0]);
		return 3;
	}
	return 0;
}
