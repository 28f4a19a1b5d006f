/* SPDX-License-Identifier: Apache-2.0
 * program.h - a bitstream into a board: openFPGALoader does the work, here is what it is told and what is checked before
 * and after.
 * Threads, Fork, Errors: cli.h; the readers return -errno. Blocks: program_main(), until openFPGALoader ends or says nothing for too long. */
#ifndef HANDFAST_PROGRAM_H
#define HANDFAST_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_WHY_BYTES 300 /* longest reason, with its 0 */

/* What boards/NAME/board.conf says. */
struct program_board {
	char part[40], loader[40], top[40], transport[60];
	uint32_t idcode;
};

/* Read `path`. 0, or -ENOENT, -EINVAL with the reason in `why`. */
int program_board_read(const char *path, struct program_board *board, char *why);

/* What a bitstream says of itself. */
struct program_file {
	uint32_t idcode;
	bool has_version;
	unsigned version; /* of the registers: USERCODE "HF" and this */
};

/* Look at a bitstream of `len` octets: is it whole, what is it for. Lattice ECP5 and Xilinx 7 series.
 * 0, or -EINVAL with the reason in `why`. */
int program_file_parse(const uint8_t *data, size_t len, struct program_file *file, char *why);

/* handfast program; argv[0] is "program". Exit code. */
int program_main(int argc, char **argv);

#endif
