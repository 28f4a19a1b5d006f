/* SPDX-License-Identifier: Apache-2.0
 * rx_frame_fifo.c - see docs/architecture.md, "Verdicts and the mover". */
#include <string.h>
#include "bytes.h"
#include "model.h"

void hfm_rx_frame_fifo_reset(struct rx_frame_fifo *f)
{
	ring_reset(&f->stage_ring);
	ring_reset(&f->verdict_ring);
	ring_reset(&f->host_ring);
	f->moving = false;
	f->host_valid = false;
}

void hfm_rx_frame_fifo_fetch(struct rx_frame_fifo *f, bool taken)
{
	if (f->host_valid && !taken)
		return;
	f->host_valid = f->host_ring.count > 0;
	if (f->host_valid)
		f->host_out = ring_pop(&f->host_ring);
}

static void release(struct rx_frame_fifo *f, unsigned beats)
{
	assert(f->stage_ring.count >= beats);
	f->stage_ring.first = (f->stage_ring.first + beats) % f->stage_ring.depth;
	f->stage_ring.count -= beats;
}

/* `pushed` says that the host FIFO got a beat in this cycle already. */
static void take_verdict(struct hf_model *m, bool pushed)
{
	struct rx_frame_fifo *f = &m->frames;
	const struct verdict *v = &f->frame;

	f->frame = f->verdicts[ring_pop(&f->verdict_ring)];
	f->message = HF_MSG_HEADER_BYTES + v->length;
	assert(m->rx.inflight > 0);
	m->rx.inflight--;
	if (v->code != HF_VERDICT_HOST) {
		release(f, v->beats);
	} else if (v->lost || m->seen.host_room - pushed < beats_of(f->message, m->width)) {
		release(f, v->beats);
		m->counters[HF_CNT_DROP_HOST_FIFO]++;
	} else {
		hfm_message_header(f->header, HF_MSG_FRAME,
			(v->csum_ok ? HF_FRAME_CSUM_OK : 0) | (v->conn ? HF_FRAME_CONN : 0), f->message,
			v->conn ? v->id : HF_NO_ID, v->stamp);
		f->at = 0;
		f->stage_at = m->width * f->stage_ring.first;
		f->moving = true;
	}
}

/* Push the next beat of the message: header, frame, zeros. */
static void push_beat(struct hf_model *m)
{
	struct rx_frame_fifo *f = &m->frames;
	unsigned place = ring_push(&f->host_ring), stage_end = m->width * f->stage_ring.depth;
	uint8_t *beat = f->host + (size_t)m->width * place;

	for (unsigned i = 0; i < m->width; i += 8, f->at += 8) {
		if (f->at < sizeof(f->header)) {
			memcpy(beat + i, f->header + f->at, 8);
		} else {
			memcpy(beat + i, f->stage + f->stage_at, 8);
			f->stage_at = f->stage_at + 8 == stage_end ? 0 : f->stage_at + 8;
		}
	}
	f->host_last[place] = f->at >= f->message;
	if (f->host_last[place]) {
		unsigned padding = f->at - f->message;

		memset(beat + m->width - padding, 0, padding);
		release(f, f->frame.beats);
		f->moving = false;
	}
}

/* At 64 bits the first beat is pushed in the cycle that takes the verdict, at 512 bits in the one after it: there
 * the last beat of a frame and the next verdict share a cycle. */
void hfm_rx_frame_fifo_step(struct hf_model *m)
{
	struct rx_frame_fifo *f = &m->frames;
	bool pushes = m->wide && f->moving;

	if (pushes)
		push_beat(m);
	if (!f->moving && f->verdict_ring.count > 0)
		take_verdict(m, pushes);
	if (f->moving && !m->wide)
		push_beat(m);
}
