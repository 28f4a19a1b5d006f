/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "bytes.h"
#include "checksum.h"
#include "model.h"

void hfm_tx_checksum_reset(struct tx_checksum *t)
{
	t->writing = t->playing = t->queued = t->count = 0;
	t->committed = false;
	t->busy = false;
	t->idle_cycle = 0;
}

static unsigned next_place(const struct tx_checksum *t, unsigned place)
{
	return place + 1 == t->places ? 0 : place + 1;
}

void hfm_tx_checksum_write(struct tx_checksum *t, unsigned beat, uint64_t data)
{
	put_beat(t->frames[t->writing].octets + 8 * (size_t)beat, data);
	t->count++;
}

void hfm_tx_checksum_commit(
	struct tx_checksum *t, uint64_t cycle, unsigned length, bool insert, unsigned start, unsigned offset)
{
	struct host_frame *frame = &t->frames[t->writing];

	assert(!t->committed);
	frame->length = length;
	frame->beats = beats_of(length);
	memset(frame->octets + length, 0, 8 * (size_t)frame->beats - length);
	if (insert) {
		uint16_t sum = hf_checksum_sum(frame->octets + start, length - start);

		put_be(frame->octets + start + offset, (uint16_t)~sum, 2);
	}
	t->writing = next_place(t, t->writing);
	t->committed = true;
	t->push_cycle = cycle + 2;
}

void hfm_tx_checksum_take_back(struct tx_checksum *t, unsigned beats)
{
	assert(t->count >= beats);
	t->count -= beats;
}

void hfm_tx_checksum_step(struct hf_model *m)
{
	struct tx_checksum *t = &m->host_frames;

	if (!t->busy && t->queued > 0 && m->cycle >= t->idle_cycle) {
		t->queued--;
		t->busy = true;
		t->beat = 0;
	}
	if (t->committed && t->push_cycle == m->cycle) {
		t->committed = false;
		t->queued++;
		assert(t->queued <= m->params.tx_descs);
	}
}

void hfm_tx_checksum_played(struct tx_checksum *t, uint64_t cycle)
{
	unsigned beats = t->frames[t->playing].beats;

	assert(t->count >= beats);
	t->count -= beats;
	t->playing = next_place(t, t->playing);
	t->busy = false;
	t->idle_cycle = cycle + 1;
}
