/* SPDX-License-Identifier: Apache-2.0
 * options.h - what the subcommands' command lines have in common. */
#ifndef HANDFAST_SIM_OPTIONS_H
#define HANDFAST_SIM_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begin to read the options of a subcommand: argv[0] is its name, long options only. */
void options_begin(void);

/* The next option, by the `val` of its row; -1 at the end. '?' after one line on stderr that begins with the command's
 * name, for an option that is unknown or lacks its value, and for an argument that is no option. */
int options_next(int argc, char **argv, const struct option *longs);

/* A decimal or 0x number from min to max. */
bool options_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* Write one line into `text`, return `error`. */
__attribute__((format(printf, 4, 5))) int error_text(int error, char *text, size_t size, const char *format, ...);

#endif
