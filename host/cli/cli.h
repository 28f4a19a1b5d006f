/* SPDX-License-Identifier: Apache-2.0
 * cli.h - the subcommands of build/handfast for whoever operates boards; one file each. argv[0] is the subcommand's name. Each returns
 * the exit code: 0 done, 1 something could not be had, 2 bad usage; errors are one line on stderr. */
#ifndef HANDFAST_CLI_H
#define HANDFAST_CLI_H

int boards_main(int argc, char **argv); /* every board that can be reached */

#endif
