/* SPDX-License-Identifier: Apache-2.0
 * commands.h - the subcommands of build/handfast that run a simulation or talk to one. argv[0] is the subcommand's name.
 * Each returns the exit code: 0 done, 1 a check or the environment failed, 2 bad usage; errors are one line on stderr. */
#ifndef HANDFAST_SIM_COMMANDS_H
#define HANDFAST_SIM_COMMANDS_H

int board_main(int argc, char **argv);	   /* a simulated board as a process */
int replay_main(int argc, char **argv);	   /* a capture through the engine */
int peer_main(int argc, char **argv);	   /* a small TCP client on a unix wire */
int peer_host_main(int argc, char **argv); /* the host of a board, with a small TCP server instead of the kernel's */

#endif
