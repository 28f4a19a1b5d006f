/* SPDX-License-Identifier: Apache-2.0
 * conn_table.c - plain arrays; a slot is in use while its tag is valid, that is while its state is not CLOSED. */
#include <string.h>
#include "model.h"

void hfm_conn_table_reset(struct conn_table *t)
{
	t->in_use = 0;
	t->half_open = 0;
	t->scan_req = false;
	t->scan = SCAN_IDLE;
}

void hfm_conn_table_sweep(struct conn_table *t)
{
	if (!t->touched)
		return;
	memset(t->entries, 0, t->slots * sizeof(*t->entries));
	memset(t->tags, 0xff, t->slots * sizeof(*t->tags));
	memset(t->timers, 0xff, t->slots * sizeof(*t->timers));
	t->touched = false;
}

/* What is left of a TIME-WAIT, below 0 if it is over: the 24-bit difference with its sign. */
static int32_t left_ms(const struct hf_tcb *entry, uint32_t ms)
{
	uint32_t difference = ((uint32_t)entry->deadline_ms - ms) & 0xffffff;

	return difference < 1u << 23 ? (int32_t)difference : (int32_t)difference - (1 << 24);
}

/* Who gives way in a full set: a connection that the host owns loses nothing but its entry; next the TIME-WAIT
 * that would end first. Returns false if none may. */
static bool find_victim(const struct conn_table *t, unsigned first, uint32_t ms, unsigned *victim)
{
	bool found = false;

	for (unsigned slot = first; slot < first + t->ways; slot++) {
		const struct hf_tcb *entry = &t->entries[slot];

		if (entry->state == HF_STATE_ESTABLISHED || entry->state == HF_STATE_CLOSE_WAIT) {
			*victim = slot;
			return true;
		}
		if (entry->state == HF_STATE_TIME_WAIT &&
			(!found || left_ms(entry, ms) < left_ms(&t->entries[*victim], ms))) {
			*victim = slot;
			found = true;
		}
	}
	return found;
}

struct conn_place hfm_conn_table_lookup(const struct conn_table *t, uint64_t index, bool may_evict, uint32_t ms)
{
	unsigned first = (unsigned)(index & (t->sets - 1)) * t->ways;
	uint32_t tag = (uint32_t)index >> 16;
	struct conn_place place = { .slot = first };

	for (unsigned slot = first; slot < first + t->ways; slot++) {
		if (t->tags[slot] == tag) {
			place.slot = slot;
			place.match = true;
			return place;
		}
	}
	for (unsigned slot = first; slot < first + t->ways; slot++) {
		if (t->tags[slot] == TAG_INVALID) {
			place.slot = slot;
			place.free = true;
			return place;
		}
	}
	if (may_evict)
		place.victim = find_victim(t, first, ms, &place.slot);
	return place;
}

struct conn_place hfm_conn_table_at(const struct conn_table *t, unsigned slot, uint64_t index)
{
	return (struct conn_place){
		.slot = slot,
		.match = t->tags[slot] == (uint32_t)index >> 16,
		.free = t->tags[slot] == TAG_INVALID,
	};
}

void hfm_conn_table_write(struct conn_table *t, unsigned slot, const struct hf_tcb *entry)
{
	struct hf_tcb *old = &t->entries[slot];

	t->half_open += entry->state == HF_STATE_SYN_RECEIVED;
	t->half_open -= old->state == HF_STATE_SYN_RECEIVED;
	t->in_use += entry->state != HF_STATE_CLOSED;
	t->in_use -= old->state != HF_STATE_CLOSED;
	if (entry->state == HF_STATE_CLOSED)
		t->tags[slot] = TAG_INVALID;
	t->timers[slot] = entry->timer_armed ? (uint32_t)entry->deadline_ms : TIMER_OFF;
	*old = *entry;
	t->touched = true;
	assert(t->in_use <= t->slots && t->half_open <= t->in_use);
}

void hfm_conn_table_tag(struct conn_table *t, unsigned slot, uint64_t index)
{
	t->tags[slot] = (uint32_t)index >> 16;
}

/* The lowest way of scan_set whose timer has expired goes on offer. */
static bool check_set(struct conn_table *t, uint32_t ms)
{
	unsigned first = t->scan_set * t->ways;

	for (unsigned slot = first; slot < first + t->ways; slot++) {
		if (t->timers[slot] != TIMER_OFF && hfm_reached(ms, t->timers[slot])) {
			t->scan_slot = slot;
			return true;
		}
	}
	return false;
}

void hfm_conn_table_scan(struct hf_model *m, bool port_busy, bool timeout_done)
{
	struct conn_table *t = &m->table;

	switch (t->scan) {
	case SCAN_IDLE:
		if (t->scan_req && m->ready) {
			t->scan_req = false;
			t->scan_set = 0;
			t->scan = SCAN_READ;
		}
		break;
	case SCAN_READ:
		if (!port_busy)
			t->scan = SCAN_CHECK;
		break;
	case SCAN_CHECK:
		if (check_set(t, m->regs.ms))
			t->scan = SCAN_HOLD;
		else
			t->scan = ++t->scan_set == t->sets ? SCAN_IDLE : SCAN_READ;
		break;
	case SCAN_HOLD:
		break;
	case SCAN_TAKEN:
		if (timeout_done)
			t->scan = SCAN_READ;
		break;
	}
}
