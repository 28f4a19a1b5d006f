/* SPDX-License-Identifier: Apache-2.0
 * support_player.h - the messages of a board at full speed, for measuring the host alone: no table, no clock, no wire. It answers HELLO,
 * registers and commands; what else is to be said, events and segments of made-up peers, its owner says. Messages go in batches, so
 * that little of what is measured is the player's. One thread. */
#ifndef HANDFAST_TESTS_SUPPORT_PLAYER_H
#define HANDFAST_TESTS_SUPPORT_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../regs/regs.h"

#define PLAYER_BATCH   64
#define PLAYER_MESSAGE 2048
#define PLAYER_SLOTS   8192

struct player {
	int listener, fd;
	unsigned index; /* of the last listener that was committed */
	bool offload;	/* and whether it is to be offloaded */
	uint64_t commands, frames;
	uint32_t tsecr; /* of segments */
	bool gone;	/* the host hung up */
	/* A frame of the host's; its checksum may be left to the board. May be NULL. */
	void (*on_frame)(void *ctx, const uint8_t *frame, size_t len);
	void *ctx;
	uint32_t reg[0x800 / 4];
	unsigned outs;
	size_t out_len[PLAYER_BATCH];
	uint8_t out[PLAYER_BATCH][PLAYER_MESSAGE], in[PLAYER_BATCH][PLAYER_MESSAGE];
};

/* Listen at a path that is free. NULL when that is not possible. */
struct player *player_new(const char *path);
/* Hangs up; the path stays. NULL is allowed. */
void player_free(struct player *p);

/* The next message, `len` octets: the header is made. Returns where the rest belongs; it goes out with the batch. */
uint8_t *player_message(struct player *p, unsigned type, unsigned flags, size_t len, uint32_t id);
/* Send what waits, then handle what has come; wait for it `timeout_ms` at most. */
void player_step(struct player *p, int timeout_ms);
/* An ESTABLISHED event of the listener: from a peer's address (198.18.0.0/15) and port; timestamps, window scaling, MSS 1460. */
void player_event(struct player *p, uint32_t id, uint32_t peer, uint16_t port);
/* A segment from such a peer, `len` octets of text (NULL: zeros), checksums right. seq counts from the peer's, ack from our first number. */
void player_segment(struct player *p, uint32_t peer, uint16_t port, uint32_t seq, uint32_t ack, unsigned flags,
	const char *text, size_t len);

#endif
