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
	unsigned message;

	f->frame = f->verdicts[ring_pop(&f->verdict_ring)];
	message = HF_MSG_HEADER_BYTES + v->length;
	assert(m->rx.inflight > 0);
	m->rx.inflight--;
	if (v->code != HF_VERDICT_HOST) {
		release(f, v->beats);
	} else if (v->lost || m->seen.host_room - pushed < beats_of(message, m->width)) {
		release(f, v->beats);
		m->counters[HF_CNT_DROP_HOST_FIFO]++;
	} else {
		hfm_message_header(f->header, HF_MSG_FRAME,
			(v->csum_ok ? HF_FRAME_CSUM_OK : 0) | (v->conn ? HF_FRAME_CONN : 0), message,
			v->conn ? v->id : HF_NO_ID, v->stamp);
		f->left = message;
		f->stage_at = m->width * f->stage_ring.first;
		f->moving = true;
	}
}

/* The next `size` octets of the frame, from where they lie in the ring. */
static void read_stage(struct hf_model *m, uint8_t *to, unsigned size)
{
	struct rx_frame_fifo *f = &m->frames;
	unsigned end = m->width * f->stage_ring.depth, whole = size < end - f->stage_at ? size : end - f->stage_at;

	memcpy(to, f->stage + f->stage_at, whole);
	memcpy(to + whole, f->stage, size - whole);
	f->stage_at = f->stage_at + size < end ? f->stage_at + size : f->stage_at + size - end;
}

/* Push the next beat of the message: header, frame, zeros. */
static void push_beat(struct hf_model *m)
{
	struct rx_frame_fifo *f = &m->frames;
	unsigned place = ring_push(&f->host_ring), size = f->left < m->width ? f->left : m->width, header = 0;
	uint8_t *beat = f->host + (size_t)m->width * place;

	if (f->left > f->frame.length) {
		header = f->left - f->frame.length;
		if (header > size)
			header = size;
		memcpy(beat, f->header + sizeof(f->header) - (f->left - f->frame.length), header);
	}
	read_stage(m, beat + header, size - header);
	memset(beat + size, 0, m->width - size);
	f->left -= size;
	f->host_last[place] = f->left == 0;
	if (f->left == 0) {
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
