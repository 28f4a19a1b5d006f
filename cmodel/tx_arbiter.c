/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"
#include "model.h"

void hfm_tx_arbiter_reset(struct tx_arbiter *a)
{
	a->owner = TX_NONE;
	a->due = 0;
	a->valid = false;
}

static void choose(struct hf_model *m)
{
	struct tx_arbiter *a = &m->tx;
	bool builder = m->builder.sending, host = m->host_frames.busy;

	a->contested = builder && host;
	if (a->contested)
		a->owner = a->due >= 0 ? TX_HOST : TX_BUILDER;
	else if (host)
		a->owner = TX_HOST;
	else
		a->owner = builder ? TX_BUILDER : TX_NONE;
}

/* Load beat `beat` of a frame of `beats` beats; returns whether it is its last one. */
static bool load(struct hf_model *m, const uint8_t *octets, unsigned length, unsigned beat, unsigned beats)
{
	struct tx_arbiter *a = &m->tx;

	a->valid = true;
	get_beat(a->data, octets + m->width * beat, m->width);
	a->last = beat + 1 == beats;
	a->keep = last_keep(a->last ? length : m->width, m->width);
	if (a->contested) {
		int share = (int)hfm_reg(&m->regs, HF_REG_TX_SHARE);

		a->due += a->owner == TX_HOST ? share - 256 : share;
	}
	return a->last;
}

static bool load_built(struct hf_model *m)
{
	struct tx_builder *b = &m->builder;
	const struct built_frame *frame = &b->frames[b->send];
	bool last = load(m, frame->octets, frame->length, b->beat++, frame->beats);

	b->sending = !last;
	return last;
}

static bool load_host_frame(struct hf_model *m)
{
	struct tx_checksum *t = &m->host_frames;
	const struct host_frame *frame = &t->frames[t->playing];
	bool last = load(m, frame->octets, frame->length, t->beat++, frame->beats);

	if (last) {
		hfm_tx_checksum_played(t);
		m->counters[HF_CNT_TX_HOST]++;
	}
	return last;
}

void hfm_tx_arbiter_step(struct hf_model *m, bool tready)
{
	struct tx_arbiter *a = &m->tx;

	if (a->valid && !tready)
		return;
	if (a->owner == TX_NONE)
		choose(m);
	if (a->owner == TX_NONE) {
		a->valid = false;
	} else if (a->owner == TX_BUILDER ? load_built(m) : load_host_frame(m)) {
		m->counters[HF_CNT_TX_FRAMES]++;
		a->owner = TX_NONE;
	}
}
