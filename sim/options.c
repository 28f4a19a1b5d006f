/* SPDX-License-Identifier: Apache-2.0
 * options.c - command lines. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "options.h"

void options_begin(void)
{
	optind = 0; /* getopt_long() starts anew: main() was given another argv */
	opterr = 0;
}

int options_next(int argc, char **argv, const struct option *longs)
{
	int c = getopt_long(argc, argv, ":", longs, NULL);

	if (c == -1 && optind == argc)
		return -1;
	if (c == -1)
		fprintf(stderr, "%s: unexpected argument %s\n", argv[0], argv[optind]);
	else if (c == ':')
		fprintf(stderr, "%s: %s needs a value\n", argv[0], argv[optind - 1]);
	else if (c == '?')
		fprintf(stderr, "%s: unknown option %s\n", argv[0], argv[optind - 1]);
	else
		return c;
	return '?';
}

int options_engine(const char *command, int option, struct engine_options *o)
{
	char error[256];

	switch (option) {
	case OPTION_ENGINE:
		o->name = optarg;
		return 0;
	case OPTION_DATA_WIDTH:
		if (!engine_width_parse(optarg, &o->size))
			return 0;
		fprintf(stderr, "%s: --data-width %s: not 64 or 512\n", command, optarg);
		return 2;
	case OPTION_SEED:
		if (options_number(optarg, 0, UINT64_MAX, &o->seed))
			return 0;
		fprintf(stderr, "%s: --seed %s: not a number\n", command, optarg);
		return 2;
	case OPTION_LISTEN:
		o->configured = true;
		if (!config_listen(&o->config, optarg))
			return 0;
		fprintf(stderr, "%s: --listen %s: not an IPv4 ADDR:PORT, or more than %d\n", command, optarg,
			CONFIG_LISTENERS);
		return 2;
	case OPTION_CONFIG:
		o->configured = true;
		if (!config_read(&o->config, optarg, error, sizeof(error)))
			return 0;
		fprintf(stderr, "%s: %s\n", command, error);
		return 1;
	default:
		return 2;
	}
}

int options_engine_kind(const char *command, struct engine_options *o)
{
	if (!engine_kind_parse(o->name, &o->kind))
		return 0;
	fprintf(stderr, "%s: --engine %s: not rtl, model or lockstep\n", command, o->name);
	return 2;
}

bool options_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
	return !errno && !*end && *value >= min && *value <= max;
}

int error_text(int error, char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
	return error;
}
