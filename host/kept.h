/* SPDX-License-Identifier: Apache-2.0
 * kept.h - what one process tells the next about a board: a memory file that somebody (systemd's FDSTORE) keeps when this process ends,
 * however it ends.
 *
 *  process 1: device_start(kept) ── board runs ── SIGTERM: left as it is, or SIGKILL
 *                    │ kept: what HELLO said, listeners, whose handoff is done
 *  process 2: device_start(kept, descriptors) ── same EPOCH, same settings? ── messages are held ── listeners again
 *                    └─ service_resume(): DUMP of every slot ── sockets found, connections without one handed over ── messages go on
 *
 * Written in place while the board runs, each field at once, so that it is right at any moment. The service thread writes, and the thread in
 * device_start() before there is one. Nothing secret is in it.
 *
 * Threads: as said. Fork: the memory is shared with the child, which must not write. Blocks, Errors: library.h. */
#ifndef HANDFAST_KEPT_H
#define HANDFAST_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "driver/device.h"

#define KEPT_LISTENERS 256
#define KEPT_SLOTS     65536
#define KEPT_URI_BYTES 256

struct kept {
	char magic[8];
	uint32_t layout; /* sizeof(struct kept) */
	uint32_t valid;	 /* the rest is of a board that runs */
	uint32_t runs;	 /* how many processes have had it */
	char uri[KEPT_URI_BYTES];
	struct device_board board;
	uint64_t cookie;    /* numbers of messages: none above it has been used, or will be by this process */
	uint32_t key_fixed; /* cookies have a key of the config's */
	/* What each entry of the board's listen table serves; family AF_UNSPEC: nothing. */
	union address listener[KEPT_LISTENERS];
	/* The id of the last connection in each slot whose handoff is over, well or not. */
	uint32_t handed[KEPT_SLOTS];
};

/* kept_new - a file without a board. Returns its descriptor and sets *k, or -errno. */
int kept_new(struct kept **k);
/* kept_open - that of another process. Returns 0 and sets *k; or -EINVAL (not such a file, or of another version), -errno. */
int kept_open(int fd, struct kept **k);
/* Unmap. NULL is allowed. */
void kept_free(struct kept *k);

/* The board of kept_begin() runs, set up from the start: nothing is handed over yet. */
void kept_begin(struct kept *k, const char *uri, const struct device_board *board);
/* Numbers for the messages of this process: the last one that another may have used. */
uint64_t kept_numbers(struct kept *k);
/* The handoff of a connection is over. k may be NULL. */
void kept_handed(struct kept *k, uint32_t id);

#endif
