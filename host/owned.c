/* SPDX-License-Identifier: Apache-2.0
 * owned.c - an array by slot, chained twice: by age and by hash of the cookie. */
#include "owned.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "regs/regs.h"

#define NIL UINT32_MAX

struct entry {
	bool used;
	uint32_t id;
	uint64_t cookie;
	uint32_t older, newer; /* slots, or NIL */
	uint32_t next;	       /* in the same bucket */
};

struct owned {
	uint32_t slots, count, oldest, newest;
	uint32_t *bucket; /* as many as slots */
	struct entry entry[];
};

struct owned *owned_new(uint32_t slots)
{
	struct owned *o = malloc(sizeof(*o) + slots * sizeof(o->entry[0]));

	if (!o)
		return NULL;
	o->slots = slots;
	o->bucket = malloc(slots * sizeof(o->bucket[0]));
	if (!o->bucket) {
		free(o);
		return NULL;
	}
	owned_clear(o);
	return o;
}

void owned_free(struct owned *o)
{
	if (!o)
		return;
	free(o->bucket);
	free(o);
}

void owned_clear(struct owned *o)
{
	o->count = 0;
	o->oldest = o->newest = NIL;
	memset(o->bucket, 0xff, o->slots * sizeof(o->bucket[0]));
	memset(o->entry, 0, o->slots * sizeof(o->entry[0]));
}

/* The kernel counts cookies up, so that they spread by themselves. */
static uint32_t *bucket_of(struct owned *o, uint64_t cookie)
{
	return &o->bucket[cookie % o->slots];
}

static uint32_t take_out(struct owned *o, uint32_t slot)
{
	struct entry *e = &o->entry[slot];
	uint32_t *link = bucket_of(o, e->cookie);

	while (*link != slot)
		link = &o->entry[*link].next;
	*link = e->next;
	*(e->older == NIL ? &o->oldest : &o->entry[e->older].newer) = e->newer;
	*(e->newer == NIL ? &o->newest : &o->entry[e->newer].older) = e->older;
	e->used = false;
	o->count--;
	return e->id;
}

int owned_add(struct owned *o, uint32_t id, uint64_t cookie)
{
	uint32_t slot = id & 0xffff, *bucket = bucket_of(o, cookie);

	if (slot >= o->slots)
		return -EINVAL;
	if (o->entry[slot].used)
		take_out(o, slot);
	o->entry[slot] = (struct entry){ true, id, cookie, o->newest, NIL, *bucket };
	*bucket = slot;
	*(o->newest == NIL ? &o->oldest : &o->entry[o->newest].newer) = slot;
	o->newest = slot;
	o->count++;
	return 0;
}

uint32_t owned_remove(struct owned *o, uint64_t cookie)
{
	for (uint32_t slot = *bucket_of(o, cookie); slot != NIL; slot = o->entry[slot].next) {
		if (o->entry[slot].cookie == cookie)
			return take_out(o, slot);
	}
	return HF_NO_ID;
}

uint32_t owned_oldest(struct owned *o)
{
	return o->oldest == NIL ? HF_NO_ID : take_out(o, o->oldest);
}

uint32_t owned_count(const struct owned *o)
{
	return o->count;
}
