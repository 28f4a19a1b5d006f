/* SPDX-License-Identifier: Apache-2.0
 * lossy.h - one direction of a bad cable: frames are lost, doubled, overtaken and damaged, each with a chance of its own,
 * repeatable by a seed. Both directions of a wire are two of these. */
#ifndef HANDFAST_SIM_LOSSY_H
#define HANDFAST_SIM_LOSSY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "rng.h"

enum { LOSSY_DELAY_MS = 30 }; /* a frame that others overtake comes at most this late */

/* Chances in 1000 per frame, 0 = never. */
struct lossy_chances {
	unsigned loss, duplicate, reorder, corrupt;
};

struct lossy {
	struct lossy_chances chances;
	struct rng rng;
	/* What comes out at the far end. */
	void (*out)(void *ctx, const uint8_t *frame, size_t len);
	void *ctx;
	struct lossy_frame *held; /* overtaken frames, earliest first */
	uint64_t frames, lost, duplicated, reordered, corrupted, delivered;
};

/* Begin a direction; what its frames suffer depends on seed and order alone. */
void lossy_init(struct lossy *l, const struct lossy_chances *chances, uint64_t seed,
	void (*out)(void *ctx, const uint8_t *frame, size_t len), void *ctx);

/* Put one frame in at now_ms. It comes out at once (perhaps twice, perhaps damaged), by lossy_run() later, or never.
 * Damage is one bit behind the Ethernet header, so that the checksum above notices it: what a bad cable damages the FCS
 * shows, and no frame with a bad FCS gets here. A frame that cannot be held because memory is short is lost. */
void lossy_put(struct lossy *l, const uint8_t *frame, size_t len, uint64_t now_ms);

/* Let out what is held until now_ms at the latest. */
void lossy_run(struct lossy *l, uint64_t now_ms);

/* When lossy_run() has something to do, in ms; UINT64_MAX = nothing is held. */
uint64_t lossy_next_ms(const struct lossy *l);

/* Forget what is held. */
void lossy_free(struct lossy *l);

#endif
