/* SPDX-License-Identifier: Apache-2.0
 * pending.h - connections on offer to the kernel, and when the final ACK of each is injected next. Knows nothing of BPF; time
 * comes in from outside.
 *
 *   pending_add ──► due at once ──► pending_tried ──► due 10, 20, 40 ... 1000 ms later ──► too old: gone
 *                                                  pending_remove, at any time
 *
 * A slot's number is good until pending_remove(); its serial tells a later user of the slot apart. Plain memory.
 * Threads, Fork, Blocks, Errors: library.h. */
#ifndef HANDFAST_PENDING_H
#define HANDFAST_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "../handoff.h"
#include "kernel_listener.h"
#include "offer.h"

#define PENDING_NONE	 UINT32_MAX
#define PENDING_FIRST_MS 10   /* from the first injection to the second; doubled each time */
#define PENDING_LAST_MS	 1000 /* but no longer than this */

struct pending {
	uint64_t serial, tag;
	struct offer_key key;
	unsigned tries; /* injections so far */
	unsigned length;
	uint8_t frame[HANDOFF_ACK_BYTES];
	uint32_t options; /* of the EVENT, and its MSS: to name what the kernel did not like */
	/* It is decided, and waits for its owner to be told. */
	bool decided;
	enum kernel_listener_reason why;
	uint64_t cookie;
	uint32_t next_decided;

	/* of pending.c */
	int64_t due_ms, end_ms;
	uint32_t heap_at, next_free;
	uint32_t wait_ms;
	bool used;
};

struct pending_set;

/* At most `max` at once, each for give_up_ms. NULL without memory. */
struct pending_set *pending_new(unsigned max, unsigned give_up_ms);
void pending_free(struct pending_set *set);

/* A new one, due now; the caller fills in tag, key, length and frame. Returns its slot, or PENDING_NONE: the set is full, or no
 * memory. */
uint32_t pending_add(struct pending_set *set, int64_t now_ms);
void pending_remove(struct pending_set *set, uint32_t slot);
/* A slot in use, or NULL. Valid until the next pending_add(). */
struct pending *pending_at(struct pending_set *set, uint32_t slot);
/* The slot of this serial, or PENDING_NONE if it is gone. */
uint32_t pending_find(struct pending_set *set, uint64_t serial);
unsigned pending_count(const struct pending_set *set);
/* Slots are below this. */
uint32_t pending_slots(const struct pending_set *set);

/* The slot that has been due longest, or PENDING_NONE. */
uint32_t pending_due(const struct pending_set *set, int64_t now_ms);
/* It was injected and not confirmed: plan the next time, at the latest when it ends. */
void pending_tried(struct pending_set *set, uint32_t slot, int64_t now_ms);
/* It has had its time, and is not to be injected again. */
bool pending_over(const struct pending_set *set, uint32_t slot, int64_t now_ms);
/* Milliseconds until one is due; 0 if one is, -1 if there is none. */
int pending_wait_ms(const struct pending_set *set, int64_t now_ms);

#endif
