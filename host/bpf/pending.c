/* SPDX-License-Identifier: Apache-2.0
 * pending.c - slots, and a binary heap of them by due time. */
#include "pending.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct pending_set {
	struct pending *slot;
	uint32_t *heap; /* slot numbers; the earliest due first */
	uint32_t slots, room, count, max, free;
	unsigned give_up_ms;
	uint64_t count_ever;
};

struct pending_set *pending_new(unsigned max, unsigned give_up_ms)
{
	struct pending_set *set = calloc(1, sizeof(*set));

	if (set) {
		set->max = max;
		set->give_up_ms = give_up_ms;
		set->free = PENDING_NONE;
	}
	return set;
}

void pending_free(struct pending_set *set)
{
	if (!set)
		return;
	free(set->slot);
	free(set->heap);
	free(set);
}

/* The heap ---------------------------------------------------------------------------------------------------- */

static void place(struct pending_set *set, uint32_t at, uint32_t slot)
{
	set->heap[at] = slot;
	set->slot[slot].heap_at = at;
}

static bool earlier(const struct pending_set *set, uint32_t a, uint32_t b)
{
	return set->slot[a].due_ms < set->slot[b].due_ms;
}

static void rise(struct pending_set *set, uint32_t at)
{
	uint32_t slot = set->heap[at];

	while (at && earlier(set, slot, set->heap[(at - 1) / 2])) {
		place(set, at, set->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place(set, at, slot);
}

static void sink(struct pending_set *set, uint32_t at)
{
	uint32_t slot = set->heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < set->count && earlier(set, set->heap[child + 1], set->heap[child]))
			child++;
		if (child >= set->count || !earlier(set, set->heap[child], slot))
			break;
		place(set, at, set->heap[child]);
		at = child;
	}
	place(set, at, slot);
}

/* Slots ------------------------------------------------------------------------------------------------------- */

static bool grow(struct pending_set *set)
{
	uint32_t room = set->room ? 2 * set->room : 64;
	struct pending *slot;
	uint32_t *heap;

	if (room > set->max)
		room = set->max;
	slot = realloc(set->slot, room * sizeof(*slot));
	if (slot)
		set->slot = slot;
	heap = realloc(set->heap, room * sizeof(*heap));
	if (heap)
		set->heap = heap;
	if (!slot || !heap)
		return false;
	set->room = room;
	return true;
}

uint32_t pending_add(struct pending_set *set, int64_t now_ms)
{
	uint32_t slot = set->free;
	struct pending *p;

	if (set->count >= set->max)
		return PENDING_NONE;
	if (slot == PENDING_NONE) {
		if (set->slots == set->room && !grow(set))
			return PENDING_NONE;
		slot = set->slots++;
	} else {
		set->free = set->slot[slot].next_free;
	}
	p = &set->slot[slot];
	memset(p, 0, sizeof(*p));
	p->used = true;
	p->serial = ++set->count_ever << 32 | slot;
	p->due_ms = now_ms;
	p->end_ms = now_ms + set->give_up_ms;
	p->wait_ms = PENDING_FIRST_MS;
	place(set, set->count++, slot);
	rise(set, p->heap_at);
	return slot;
}

void pending_remove(struct pending_set *set, uint32_t slot)
{
	struct pending *p = &set->slot[slot];
	uint32_t at = p->heap_at, last = set->heap[--set->count];

	p->used = false;
	p->next_free = set->free;
	set->free = slot;
	if (last == slot)
		return;
	place(set, at, last);
	rise(set, at);
	sink(set, set->slot[last].heap_at);
}

struct pending *pending_at(struct pending_set *set, uint32_t slot)
{
	return slot < set->slots && set->slot[slot].used ? &set->slot[slot] : NULL;
}

uint32_t pending_find(struct pending_set *set, uint64_t serial)
{
	const struct pending *p = pending_at(set, (uint32_t)serial);

	return p && p->serial == serial ? (uint32_t)serial : PENDING_NONE;
}

unsigned pending_count(const struct pending_set *set)
{
	return set->count;
}

uint32_t pending_slots(const struct pending_set *set)
{
	return set->slots;
}

/* Time -------------------------------------------------------------------------------------------------------- */

uint32_t pending_due(const struct pending_set *set, int64_t now_ms)
{
	return set->count && set->slot[set->heap[0]].due_ms <= now_ms ? set->heap[0] : PENDING_NONE;
}

void pending_tried(struct pending_set *set, uint32_t slot, int64_t now_ms)
{
	struct pending *p = &set->slot[slot];

	p->tries++;
	p->due_ms = now_ms + p->wait_ms;
	if (p->due_ms > p->end_ms)
		p->due_ms = p->end_ms > now_ms ? p->end_ms : now_ms;
	p->wait_ms = 2 * p->wait_ms < PENDING_LAST_MS ? 2 * p->wait_ms : PENDING_LAST_MS;
	sink(set, p->heap_at);
}

bool pending_over(const struct pending_set *set, uint32_t slot, int64_t now_ms)
{
	return set->slot[slot].tries && now_ms >= set->slot[slot].end_ms;
}

int pending_wait_ms(const struct pending_set *set, int64_t now_ms)
{
	int64_t wait;

	if (!set->count)
		return -1;
	wait = set->slot[set->heap[0]].due_ms - now_ms;
	return wait < 0 ? 0 : wait > INT_MAX ? INT_MAX : (int)wait;
}
