/* SPDX-License-Identifier: Apache-2.0
 * hash_serial.c - see docs/architecture.md, "One hash unit". */
#include "model.h"

void hfm_hash_serial_reset(struct hash_serial *h)
{
	ring_reset(&h->job_ring);
	ring_reset(&h->call_ring);
	h->at_work = false;
	h->was_call = false;
	h->taken = 0;
	h->end = 0;
}

static void add(struct hf_model *m, const struct tuple *t, struct tuple_hash_result *result, struct syn_cookie_mac *mac)
{
	m->serial.jobs[ring_push(&m->serial.job_ring)] =
		(struct hash_job){ .visible = m->cycle + 1, .tuple = *t, .result = result, .mac = mac };
}

void hfm_hash_serial_segment(struct hf_model *m, const struct tuple *t, struct tuple_hash_result *result)
{
	result->push_cycle = HASH_NOT_YET;
	add(m, t, result, NULL);
}

void hfm_hash_serial_mac(struct hf_model *m, const struct tuple *t, struct syn_cookie_mac *mac)
{
	mac->push_cycle = HASH_NOT_YET;
	add(m, t, NULL, mac);
}

void hfm_hash_serial_command(
	struct hf_model *m, const struct tuple *t, struct tuple_hash_result *result, uint64_t *ready_cycle)
{
	*ready_cycle = HASH_NOT_YET;
	m->serial.calls[ring_push(&m->serial.call_ring)] =
		(struct hash_job){ .visible = m->cycle + 1, .tuple = *t, .result = result, .ready_cycle = ready_cycle };
}

static struct hash_job *waiting(const struct hf_model *m, struct hash_job *jobs, const struct ring *ring)
{
	struct hash_job *head = ring->count > 0 ? &jobs[ring_head(ring)] : NULL;

	return head && head->visible <= m->cycle ? head : NULL;
}

static void take(struct hf_model *m)
{
	struct hash_serial *h = &m->serial;
	const struct hash_job *segment = waiting(m, h->jobs, &h->job_ring), *call = waiting(m, h->calls, &h->call_ring);
	unsigned rounds;

	if (call && h->was_call && (segment || h->end == m->cycle))
		call = NULL;
	if (!call && !segment)
		return;
	h->now = call ? *call : *segment;
	ring_pop(call ? &h->call_ring : &h->job_ring);
	h->was_call = call;
	h->at_work = true;
	h->taken = m->cycle;
	rounds = hfm_hash_clocks(m, &h->now.tuple);
	h->end = m->cycle + 1 + (h->now.mac ? rounds : 2 * rounds);
	if (h->now.mac)
		h->now.mac->push_cycle = h->end;
	else if (h->now.ready_cycle)
		*h->now.ready_cycle = h->end + 1;
	else
		h->now.result->push_cycle = h->end;
}

void hfm_hash_serial_step(struct hf_model *m)
{
	struct hash_serial *h = &m->serial;
	const uint64_t since = m->cycle - h->taken;

	if (h->at_work && since == 1) {
		if (h->now.mac)
			hfm_cookie_read_key(m, h->now.mac);
		else
			h->now.result->index = hfm_keyed_hash(&m->regs, HF_REG_KEY_INDEX0, &h->now.tuple);
	}
	if (h->at_work && !h->now.mac && since == 1 + hfm_hash_clocks(m, &h->now.tuple))
		h->now.result->isn = hfm_keyed_hash(&m->regs, HF_REG_KEY_ISN0, &h->now.tuple);
	if (m->cycle >= h->end) {
		h->at_work = false;
		take(m);
	}
}
