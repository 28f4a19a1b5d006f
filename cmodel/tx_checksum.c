/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "bytes.h"
#include "checksum.h"
#include "model.h"

void hfm_tx_checksum_reset(struct tx_checksum *t)
{
	t->writing = t->playing = t->committing = 0;
	t->committed = t->queued = t->count = 0;
	t->busy = false;
}

bool hfm_tx_checksum_room(const struct hf_model *m)
{
	const struct tx_checksum *t = &m->host_frames;

	return t->count < m->params.tx_beats && t->queued + t->committed < m->params.tx_descs;
}

static unsigned next_place(const struct tx_checksum *t, unsigned place)
{
	return place + 1 == t->places ? 0 : place + 1;
}

uint8_t *hfm_tx_checksum_octets(struct tx_checksum *t)
{
	return t->frames[t->writing].octets;
}

void hfm_tx_checksum_write(struct tx_checksum *t)
{
	t->count++;
}

void hfm_tx_checksum_commit(struct hf_model *m, unsigned length, bool insert, unsigned start, unsigned offset)
{
	struct tx_checksum *t = &m->host_frames;
	struct host_frame *frame = &t->frames[t->writing];

	frame->length = length;
	frame->beats = beats_of(length, m->width);
	memset(frame->octets + length, 0, (size_t)m->width * frame->beats - length);
	if (insert) {
		uint16_t sum = hf_checksum_sum(frame->octets + start, length - start);

		put_be(frame->octets + start + offset, (uint16_t)~sum, 2);
	}
	frame->push_cycle = m->cycle + (m->wide ? 4 : 2);
	t->committed++;
	t->writing = next_place(t, t->writing);
}

void hfm_tx_checksum_take_back(struct tx_checksum *t, unsigned beats)
{
	assert(t->count >= beats);
	t->count -= beats;
}

void hfm_tx_checksum_step(struct hf_model *m)
{
	struct tx_checksum *t = &m->host_frames;

	if (!t->busy && t->queued > 0) {
		t->queued--;
		t->busy = true;
		t->beat = 0;
	}
	if (t->committed > 0 && t->frames[t->committing].push_cycle == m->cycle) {
		t->committed--;
		t->committing = next_place(t, t->committing);
		t->queued++;
		assert(t->queued <= m->params.tx_descs);
	}
}

void hfm_tx_checksum_played(struct tx_checksum *t)
{
	unsigned beats = t->frames[t->playing].beats;

	assert(t->count >= beats);
	t->count -= beats;
	t->playing = next_place(t, t->playing);
	t->busy = false;
}
