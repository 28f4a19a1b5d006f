/* SPDX-License-Identifier: Apache-2.0
 * run.h - `handfast run -- CMD`: a program with libhandfast-preload.so before its libraries. */
#ifndef HANDFAST_RUN_H
#define HANDFAST_RUN_H

/* Replaces the process. Returns 1 (could not be started) or 2 (bad usage) after a line on stderr. */
int run_main(int argc, char **argv);

#endif
