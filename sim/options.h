/* SPDX-License-Identifier: Apache-2.0
 * options.h - what the subcommands' command lines have in common. */
#ifndef HANDFAST_SIM_OPTIONS_H
#define HANDFAST_SIM_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "engine.h"

/* Begin to read the options of a subcommand: argv[0] is its name, long options only. */
void options_begin(void);

/* The next option, by the `val` of its row; -1 at the end. '?' after one line on stderr that begins with the command's
 * name, for an option that is unknown or lacks its value, and for an argument that is no option. */
int options_next(int argc, char **argv, const struct option *longs);

/* What a command says about the engine it runs. The caller sets `seed` to what it is without --seed. */
struct engine_options {
	const char *name; /* as given, NULL without --engine */
	enum engine_kind kind;
	enum engine_size size;
	uint64_t seed;
	struct config config;
	bool configured; /* there was a --listen or a --config */
};

/* Rows for options_next(): --engine, --data-width, --seed, --listen, --config. Their `val` is none of 256 to 511. */
enum { OPTION_ENGINE = 512, OPTION_DATA_WIDTH, OPTION_SEED, OPTION_LISTEN, OPTION_CONFIG };
/* clang-format off */
#define ENGINE_OPTIONS                                               \
	{ "engine", required_argument, NULL, OPTION_ENGINE },        \
	{ "data-width", required_argument, NULL, OPTION_DATA_WIDTH }, \
	{ "seed", required_argument, NULL, OPTION_SEED },            \
	{ "listen", required_argument, NULL, OPTION_LISTEN },        \
	{ "config", required_argument, NULL, OPTION_CONFIG }
/* clang-format on */

/* Take the option that options_next() gave if it is one of ENGINE_OPTIONS. Returns 0, or the exit code after one line on
 * stderr: 1 for a file, 2 for bad usage, which any other option is. */
int options_engine(const char *command, int option, struct engine_options *o);

/* Set `kind` by `name`. Returns 0, or the exit code 2 after one line on stderr. */
int options_engine_kind(const char *command, struct engine_options *o);

/* A decimal or 0x number from min to max. */
bool options_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* Write one line into `text`, return `error`. */
__attribute__((format(printf, 4, 5))) int error_text(int error, char *text, size_t size, const char *format, ...);

#endif
