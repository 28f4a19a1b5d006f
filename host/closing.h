/* SPDX-License-Identifier: Apache-2.0
 * closing.h - a connection goes back to the board, which does FIN and TIME-WAIT: the other way round than handoff.h.
 *
 *	freeze (TCP_REPAIR) ── segment below RCV.NXT to the kernel ── its ACK says TSval and TS.Recent, which no socket call does
 *	       └─ the tuple's frames are dropped from here on ─┘
 *	CLOSE to the board ── COMPLETION: OK: the socket is closed frozen, nothing is sent. Else: it is thawed, nothing has happened
 *
 * Threads: closing_run() in any but the service thread, the others in that. Blocks: closing_run(). Fork, Errors: library.h. */
#ifndef HANDFAST_CLOSING_H
#define HANDFAST_CLOSING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_device;

/* closing_run - in a caller's thread; returns when it is decided, after two seconds at most.
 *
 *   fd      a TCP socket of this network namespace. On success it is frozen for good, to be closed by the caller; on failure it is as before
 *   copies  descriptors of the socket that are known and do not count as shared
 *
 * Returns as hf_close_socket(). */
int closing_run(struct hf_device *dev, int fd, unsigned copies);

/* In the service thread. A frame of the board: is it of a connection that is being closed, and must be dropped? */
bool closing_drops(struct hf_device *dev, const uint8_t *frame, size_t len);
/* A frame of the kernel's: likewise; the awaited ACK is read. */
bool closing_takes(struct hf_device *dev, const uint8_t *frame, size_t len);
/* The fate of a CLOSE. */
void closing_completed(struct hf_device *dev, uint64_t tag, int status);
/* End all; with the lock held. */
void closing_end_all(struct hf_device *dev, int result);

#endif
