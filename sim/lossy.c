/* SPDX-License-Identifier: Apache-2.0
 * lossy.c - a bad cable. */
#include <stdlib.h>
#include <string.h>
#include "lossy.h"
#include "packet.h"

struct lossy_frame {
	struct lossy_frame *next;
	uint64_t due_ms;
	size_t len;
	uint8_t bytes[];
};

void lossy_init(struct lossy *l, const struct lossy_chances *chances, uint64_t seed,
	void (*out)(void *ctx, const uint8_t *frame, size_t len), void *ctx)
{
	memset(l, 0, sizeof(*l));
	l->chances = *chances;
	l->rng.state = seed;
	l->out = out;
	l->ctx = ctx;
}

static bool happens(struct lossy *l, unsigned per_mille)
{
	return rng_below(&l->rng, 1000) < per_mille;
}

static void deliver(struct lossy *l, const uint8_t *frame, size_t len)
{
	l->delivered++;
	l->out(l->ctx, frame, len);
}

/* Keep a copy until due_ms. Returns false when memory is short. */
static bool hold(struct lossy *l, const uint8_t *frame, size_t len, uint64_t due_ms)
{
	struct lossy_frame *f = malloc(sizeof(*f) + len), **at = &l->held;

	if (!f)
		return false;
	f->due_ms = due_ms;
	f->len = len;
	memcpy(f->bytes, frame, len);
	while (*at && (*at)->due_ms <= due_ms)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
	return true;
}

/* One copy of a frame: damaged or not, now or later. */
static void pass(struct lossy *l, const uint8_t *frame, size_t len, uint64_t now_ms)
{
	uint8_t *damaged = NULL;

	if (len > PACKET_ETH_HEADER && happens(l, l->chances.corrupt) && (damaged = malloc(len)) != NULL) {
		uint32_t bit = rng_below(&l->rng, (len - PACKET_ETH_HEADER) * 8);

		memcpy(damaged, frame, len);
		damaged[PACKET_ETH_HEADER + bit / 8] ^= (uint8_t)(1u << bit % 8);
		l->corrupted++;
		frame = damaged;
	}
	if (!happens(l, l->chances.reorder)) {
		deliver(l, frame, len);
	} else if (hold(l, frame, len, now_ms + rng_range(&l->rng, 1, LOSSY_DELAY_MS))) {
		l->reordered++;
	} else {
		l->lost++;
	}
	free(damaged);
}

void lossy_put(struct lossy *l, const uint8_t *frame, size_t len, uint64_t now_ms)
{
	bool twice;

	l->frames++;
	if (happens(l, l->chances.loss)) {
		l->lost++;
		return;
	}
	twice = happens(l, l->chances.duplicate);
	l->duplicated += twice;
	pass(l, frame, len, now_ms);
	if (twice)
		pass(l, frame, len, now_ms);
}

void lossy_run(struct lossy *l, uint64_t now_ms)
{
	while (l->held && l->held->due_ms <= now_ms) {
		struct lossy_frame *f = l->held;

		l->held = f->next; /* first: what comes out may put something in */
		deliver(l, f->bytes, f->len);
		free(f);
	}
}

uint64_t lossy_next_ms(const struct lossy *l)
{
	return l->held ? l->held->due_ms : UINT64_MAX;
}

void lossy_free(struct lossy *l)
{
	while (l->held) {
		struct lossy_frame *f = l->held;

		l->held = f->next;
		free(f);
	}
}
