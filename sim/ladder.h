/* SPDX-License-Identifier: Apache-2.0
 * ladder.h - print frames as a ladder between the peer and the engine. */
#ifndef HANDFAST_SIM_LADDER_H
#define HANDFAST_SIM_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ladder {
	FILE *out;
	bool json; /* an object per line instead: {"trace": "frame", ...}, {"trace": "note", ...} */
	bool started;
	uint64_t zero_ns;	/* time_ns of the first rung: the times printed count from it */
	uint32_t remote, local; /* the connection the last rung belonged to */
	uint16_t remote_port, local_port;
};

/* Begin a ladder on `out`. */
void ladder_init(struct ladder *l, FILE *out);

/* One frame: cycle and time in ns of its first beat, direction, flags, absolute SEQ and ACK, options; `what` stands at its right.
 * A line naming the two ends precedes the first frame of another connection than the rung before. */
void ladder_frame(struct ladder *l, bool outbound, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns,
	const char *what);

/* Something that no frame shows: a timer, an event. */
void ladder_note(struct ladder *l, uint64_t cycle, uint64_t time_ns, const char *what);

#endif
