/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"
#include "model.h"

void hfm_tx_arbiter_reset(struct tx_arbiter *a)
{
	a->owner = TX_NONE;
	a->served = TX_HOST; /* so that tx_builder comes first */
	a->valid = false;
}

static enum tx_source choose(const struct hf_model *m)
{
	bool builder = hfm_tx_builder_offers(&m->builder, m->cycle);
	bool host = m->host_frames.busy;

	if (builder && host)
		return m->tx.served == TX_BUILDER ? TX_HOST : TX_BUILDER;
	return builder ? TX_BUILDER : host ? TX_HOST : TX_NONE;
}

/* Load beat `beat` of a frame; returns whether it is its last one. */
static bool load(struct tx_arbiter *a, const uint8_t *octets, unsigned length, unsigned beat)
{
	a->valid = true;
	a->data = get_le64(octets + 8 * beat);
	a->last = beat + 1 == beats_of(length);
	a->keep = a->last ? (uint8_t)(0xff >> (8 - last_beat_octets(length))) : 0xff;
	return a->last;
}

void hfm_tx_arbiter_step(struct hf_model *m, bool tready)
{
	struct tx_arbiter *a = &m->tx;
	struct tx_builder *b = &m->builder;
	struct tx_checksum *t = &m->host_frames;

	if (a->valid && !tready)
		return;
	if (a->owner == TX_NONE)
		a->owner = choose(m);
	switch (a->owner) {
	case TX_NONE:
		a->valid = false;
		return;
	case TX_BUILDER:
		if (!load(a, b->octets, b->length, b->beat++))
			return;
		b->busy = false;
		break;
	case TX_HOST:
		if (!load(a, t->frames[t->playing].octets, t->frames[t->playing].length, t->beat++))
			return;
		hfm_tx_checksum_played(t, m->cycle);
		m->counters[HF_CNT_TX_HOST]++;
		break;
	}
	m->counters[HF_CNT_TX_FRAMES]++;
	a->served = a->owner;
	a->owner = TX_NONE;
}
