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
	t->touched = false;
}

unsigned hfm_conn_table_lookup(const struct conn_table *t, uint64_t index, bool *match, bool *free_way)
{
	unsigned first = (unsigned)(index & (t->sets - 1)) * t->ways;
	uint32_t tag = (uint32_t)index >> 16;

	*match = false;
	*free_way = false;
	for (unsigned slot = first; slot < first + t->ways; slot++) {
		if (t->tags[slot] == tag) {
			*match = true;
			return slot;
		}
	}
	for (unsigned slot = first; slot < first + t->ways; slot++) {
		if (t->tags[slot] == TAG_INVALID) {
			*free_way = true;
			return slot;
		}
	}
	return first;
}

void hfm_conn_table_write(struct conn_table *t, unsigned slot, uint32_t tag, const struct hf_tcb *entry)
{
	struct hf_tcb *old = &t->entries[slot];

	t->half_open += entry->state == HF_STATE_SYN_RECEIVED;
	t->half_open -= old->state == HF_STATE_SYN_RECEIVED;
	t->in_use += entry->state != HF_STATE_CLOSED;
	t->in_use -= old->state != HF_STATE_CLOSED;
	if (entry->state == HF_STATE_CLOSED)
		t->tags[slot] = TAG_INVALID;
	else if (old->state == HF_STATE_CLOSED)
		t->tags[slot] = tag;
	*old = *entry;
	t->touched = true;
	assert(t->in_use <= t->slots && t->half_open <= t->in_use);
}

bool hfm_timer_expired(const struct hf_tcb *entry, uint32_t ms)
{
	return entry->timer_armed && ((ms - (uint32_t)entry->deadline_ms) & 0xffffff) < 1u << 23;
}

/* The lowest way of scan_set whose timer has expired goes on offer. */
static bool check_set(struct conn_table *t, uint32_t ms)
{
	unsigned first = t->scan_set * t->ways;

	for (unsigned slot = first; slot < first + t->ways; slot++) {
		if (t->tags[slot] != TAG_INVALID && hfm_timer_expired(&t->entries[slot], ms)) {
			t->scan_slot = slot;
			return true;
		}
	}
	return false;
}

void hfm_conn_table_scan(struct hf_model *m)
{
	struct conn_table *t = &m->table;
	bool write_back = m->engine.phase == 4;

	switch (t->scan) {
	case SCAN_IDLE:
		if (t->scan_req && m->ready) {
			t->scan_req = false;
			t->scan_set = 0;
			t->scan = SCAN_READ;
		}
		break;
	case SCAN_READ:
		if (!write_back)
			t->scan = SCAN_CHECK;
		break;
	case SCAN_CHECK:
		if (check_set(t, m->regs.ms))
			t->scan = SCAN_HOLD;
		else
			t->scan = ++t->scan_set == t->sets ? SCAN_IDLE : SCAN_READ;
		break;
	case SCAN_HOLD:
		if (write_back && m->engine.op.kind == HF_OP_TIMEOUT)
			t->scan = SCAN_READ;
		break;
	}
}
