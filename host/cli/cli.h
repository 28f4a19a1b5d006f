/* SPDX-License-Identifier: Apache-2.0
 * cli.h - what the commands of build/handfast that talk to handfastd, or about the machine, have in common. Each command
 * returns the exit code: 0 done, 1 it failed or a check failed, 2 bad usage; errors are one line on stderr that
 * begins with the command's name. With --json exactly one JSON object, or one per line, goes to stdout.
 *
 * Of both headers of host/cli:
 * Threads: one; results and buffers are static. Fork: only to exec at once. Blocks: until the daemon has answered, ten seconds at most; what
 * shows things as they happen, until a signal. Errors: one line on stderr and the exit code; errno itself says nothing. */
#ifndef HANDFAST_CLI_H
#define HANDFAST_CLI_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

int status_main(int argc, char **argv);	   /* link, versions, table, rates */
int listeners_main(int argc, char **argv); /* what each port does, and why */
int listener_main(int argc, char **argv);  /* change it */
int conns_main(int argc, char **argv);	   /* the board's table */
int counters_main(int argc, char **argv);  /* by cause, once or again and again */
int top_main(int argc, char **argv);	   /* where connections come from */
int rules_main(int argc, char **argv);	   /* limits and denials per prefix */
int limit_main(int argc, char **argv);
int deny_main(int argc, char **argv);
int keys_main(int argc, char **argv);	  /* rotate the key of SYN cookies */
int selftest_main(int argc, char **argv); /* the board, asked by the daemon */
int reload_main(int argc, char **argv);	  /* the daemon reads its config again */
int trace_main(int argc, char **argv);	  /* the live ladder */
int boards_main(int argc, char **argv);	  /* every board that can be reached */
int doctor_main(int argc, char **argv);	  /* what of this machine is in the way */
int run_main(int argc, char **argv);	  /* a program whose sockets the board serves */

/* ---- options ---- */

/* What every one of these commands takes: --json, --socket PATH, --help. */
struct cli_options {
	bool json;
	const char *socket;
	int argc; /* what is no option: argv[0] to argv[argc - 1] */
	char **argv;
};

/* Read the command line of a command. `own` are its own options, ended by a row of zeros, or NULL; `take` is called with
 * the `val` of each and optarg, and returns NULL or what is wrong with it. From `min` to `max` arguments have to be left.
 * Returns 0, or the exit code plus 1: after --help, which prints `usage`, and after a mistake. */
int cli_parse(int argc, char **argv, const char *usage, const struct option *own,
	const char *(*take)(void *ctx, int val, const char *text), void *ctx, int min, int max, struct cli_options *o);

/* A decimal number from min to max, all of the text. */
bool cli_number(const char *text, long long min, long long max, long long *value);

/* ---- the daemon ---- */

struct control;

/* Connect to the daemon's control socket. NULL after one line on stderr. */
struct control *control_open(const char *command, const struct cli_options *o);
void control_close(struct control *c);

/* Send a request (the reference is taken) and read its reply. Returns 0 and sets *reply to an object with "ok": true, which
 * the caller releases; or 1 after one line on stderr. */
int control_request(struct control *c, json_t *request, json_t **reply);

/* The next line of a trace. Returns 1 and sets *line, 0 after timeout_ms (negative: no limit) or a signal, -1 after one line
 * on stderr when the daemon is gone. */
int control_next(struct control *c, int timeout_ms, json_t **line);

/* Open, ask once, close; as control_request(). */
int control_ask(const char *command, const struct cli_options *o, json_t *request, json_t **reply);

/* Print a reply as --json does: without "ok" and "tag". */
void cli_print_json(json_t *reply);

/* ---- text ---- */

/* Members of a reply, by path "board.slots"; "" or 0 where there is none. */
const char *cli_text(const json_t *object, const char *path);
long long cli_int(const json_t *object, const char *path);
bool cli_true(const json_t *object, const char *path);

/* "1,234", "3 d 4 h", "1.2 s"; each call returns one of eight buffers in turn. */
const char *cli_thousands(long long n);
const char *cli_duration(long long ms);

/* A table: columns as wide as their widest cell; one whose heading begins with '>' to the right. */
enum { CLI_COLUMNS_MAX = 16 };
struct cli_table;
struct cli_table *cli_table_new(const char *const *columns, unsigned count);
void cli_table_cell(struct cli_table *t, const char *text);
void cli_table_end(struct cli_table *t, FILE *out); /* prints and frees */

#endif
