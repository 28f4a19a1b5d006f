/* SPDX-License-Identifier: Apache-2.0
 * pcapng.h - write a pcapng file: one Ethernet interface, nanosecond timestamps, a direction and a comment per packet. */
#ifndef HANDFAST_SIM_PCAPNG_H
#define HANDFAST_SIM_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

/* Values of the direction bits of epb_flags. */
enum pcapng_direction { PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

struct pcapng;

/* Create or overwrite `path` and write the section header and the interface. Returns 0 and sets *file, or -errno. */
int pcapng_open(struct pcapng **file, const char *path);

/* Append one frame. time_ns counts from 1970-01-01 UTC. `comment` is UTF-8, NULL or "" for none; above 1024 bytes it is cut.
 * Returns 0, or -errno of this or an earlier write. */
int pcapng_write(struct pcapng *file, enum pcapng_direction direction, uint64_t time_ns, const uint8_t *frame,
	size_t len, const char *comment);

/* Hand what is buffered to the kernel, so that readers see whole blocks. Returns 0 or -errno. */
int pcapng_flush(struct pcapng *file);

/* Write what is buffered and close. Returns 0, or -errno when any write failed: the file is then incomplete. NULL is allowed. */
int pcapng_close(struct pcapng *file);

#endif
