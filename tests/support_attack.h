/* SPDX-License-Identifier: Apache-2.0
 * support_attack.h - floods against one simulated board, good peers and live connections among them, and what became of all.
 *
 * Everything on the wire is made here: hostile frames at a stated share of the wire limit, handshakes of good peers
 * between them, segments of connections that lived before. The host is a small one: it counts events, gives finished
 * connections back, and adopts the live ones again after a reset of the board. */
#ifndef HANDFAST_TESTS_ATTACK_H
#define HANDFAST_TESTS_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "../regs/regs.h"
#include "../sim/engine.h"

enum attack_flood {
#define FLOOD(name, text) ATTACK_##name,
#include "floods.def"
#undef FLOOD
	ATTACK_FLOODS
};

/* SYNs of the limited network of ATTACK_nets that its rule lets pass: in a second, and at once. */
#define ATTACK_NETS_RATE  1000u
#define ATTACK_NETS_BURST 50u

/* The flood's name and what it is; NULL beyond the last one. */
const char *attack_flood_name(unsigned flood);
const char *attack_flood_text(unsigned flood);

struct attack {
	enum attack_flood flood;
	enum engine_kind engine;
	unsigned frames;       /* on the wire, all together */
	unsigned percent;      /* of the wire limit, 1 to 100 */
	unsigned good_percent; /* of the frames belong to good peers */
	unsigned live;	       /* connections that were there before, at most 64; one frame in 500 is theirs */
	unsigned mode;	       /* COOKIE.MODE */
	bool complete;	       /* CACHE.COMPLETE is set before the flood */
	unsigned miss_per_ms;  /* MISS_LIMIT.RATE, BURST ten times that; 0 = no limit */
	bool slow_host;	       /* reads 1 of 16 cycles */
	bool host_sends;       /* the host has frames to send all the time */
	unsigned reset_at;     /* the board is reset before this frame; 0 = never */
	uint64_t seed;
};

struct attack_result {
	uint64_t cycles, frames, bytes_in, bytes_out;
	uint64_t hostile;		   /* frames */
	uint64_t syn_acks, resets, acks;   /* from the board */
	uint64_t to_host;		   /* frames that reached the host */
	uint64_t host_sent;		   /* beats of host frames on the wire, of 1,000 */
	uint64_t good_tried, good_done;	   /* handshakes */
	uint64_t hostile_done;		   /* connections that the host was told of and no good peer made */
	uint64_t live_sent, live_received; /* segments of live connections, and those that the host got */
	uint64_t live_reset;		   /* RSTs at live connections */
	double out_per_in;		   /* bytes, the worst of any 10 ms (all, if it was shorter) */
	uint64_t counter[HF_CNT_COUNT];	   /* at the end, since the last reset */
	uint64_t mismatches, faults;	   /* lock step; broken promises at the pins */
};

/* Run it. Returns 0, -EINVAL for numbers out of range, -ENOMEM, or -EIO when the board could not be set up. */
int attack_run(const struct attack *a, struct attack_result *r);

#endif
