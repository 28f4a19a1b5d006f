/* SPDX-License-Identifier: Apache-2.0
 * ring.h - places of a ring buffer; the elements lie in an array beside it, of `depth` elements.
 * A push and a pop of one clock may come in either order: who asks for room or for a head asks for the
 * count at the start of the clock (struct seen of model.h). */
#ifndef HANDFAST_CMODEL_RING_H
#define HANDFAST_CMODEL_RING_H

#include <assert.h>

struct ring {
	unsigned depth; /* places in the array */
	unsigned first; /* place of the oldest element */
	unsigned count; /* elements held */
};

static inline void ring_reset(struct ring *r)
{
	r->first = 0;
	r->count = 0;
}

/* Place of the oldest element. */
static inline unsigned ring_head(const struct ring *r)
{
	assert(r->count > 0);
	return r->first;
}

/* The place behind this one. */
static inline unsigned ring_next(const struct ring *r, unsigned place)
{
	return place + 1 == r->depth ? 0 : place + 1;
}

/* Take the oldest element away; returns its place, which stays readable until the next push. */
static inline unsigned ring_pop(struct ring *r)
{
	unsigned place = r->first;

	assert(r->count > 0);
	r->first = ring_next(r, place);
	r->count--;
	return place;
}

/* Place of element `i`, counted from the oldest; i is below depth. */
static inline unsigned ring_place(const struct ring *r, unsigned i)
{
	unsigned place = r->first + i;

	assert(i < r->depth);
	return place >= r->depth ? place - r->depth : place;
}

/* Add an element behind the others; returns the place to write it to. */
static inline unsigned ring_push(struct ring *r)
{
	return ring_place(r, r->count++);
}

#endif
