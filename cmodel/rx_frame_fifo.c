/* SPDX-License-Identifier: Apache-2.0
 * rx_frame_fifo.c - see docs/architecture.md, "Verdicts and the mover". */
#include "bytes.h"
#include "model.h"

void hfm_rx_frame_fifo_reset(struct rx_frame_fifo *f)
{
	ring_reset(&f->stage_ring);
	ring_reset(&f->verdict_ring);
	ring_reset(&f->host_ring);
	f->mover = MOVER_IDLE;
	f->host_valid = false;
}

void hfm_rx_frame_fifo_stage(struct rx_frame_fifo *f, uint64_t beat)
{
	f->stage[ring_push(&f->stage_ring)] = beat;
}

void hfm_rx_frame_fifo_fetch(struct rx_frame_fifo *f, bool taken)
{
	if (f->host_valid && !taken)
		return;
	f->host_valid = f->host_ring.count > 0;
	if (f->host_valid)
		f->host_out = f->host[ring_pop(&f->host_ring)];
}

static void push_host(struct rx_frame_fifo *f, uint64_t data, bool last)
{
	f->host[ring_push(&f->host_ring)] = (struct host_beat){ data, last };
}

static void release(struct rx_frame_fifo *f, unsigned beats)
{
	assert(f->stage_ring.count >= beats);
	f->stage_ring.first = (f->stage_ring.first + beats) % f->stage_ring.depth;
	f->stage_ring.count -= beats;
}

/* First header beat of the FRAME message, regs/message.def. */
static uint64_t frame_header(const struct verdict *v)
{
	uint64_t flags = (v->csum_ok ? HF_FRAME_CSUM_OK : 0) | (v->conn ? HF_FRAME_CONN : 0);
	uint64_t id = v->conn ? v->id : HF_NO_ID;

	return HF_MSG_FRAME | flags << 8 | (uint64_t)(HF_MSG_HEADER_BYTES + v->length) << 16 | id << 32;
}

static void take_verdict(struct hf_model *m)
{
	struct rx_frame_fifo *f = &m->frames;

	f->moving = f->verdicts[ring_pop(&f->verdict_ring)];
	assert(m->rx.inflight > 0);
	m->rx.inflight--;
	if (f->moving.code != HF_VERDICT_HOST) {
		release(f, f->moving.beats);
	} else if (f->moving.lost || m->seen.host_room < f->moving.beats + 2) {
		release(f, f->moving.beats);
		m->counters[HF_CNT_DROP_HOST_FIFO]++;
	} else {
		push_host(f, frame_header(&f->moving), false);
		f->moved = 0;
		f->stage_read = f->stage_ring.first;
		f->mover = MOVER_HEADER;
	}
}

static void move_beat(struct rx_frame_fifo *f)
{
	uint64_t beat = f->stage[f->stage_read];
	bool last = ++f->moved == f->moving.beats;

	f->stage_read = f->stage_read + 1 == f->stage_ring.depth ? 0 : f->stage_read + 1;
	if (last) {
		beat = first_octets(beat, last_beat_octets(f->moving.length));
		release(f, f->moving.beats);
		f->mover = MOVER_IDLE;
	}
	push_host(f, beat, last);
}

void hfm_rx_frame_fifo_step(struct hf_model *m)
{
	struct rx_frame_fifo *f = &m->frames;

	switch (f->mover) {
	case MOVER_IDLE:
		if (f->verdict_ring.count > 0)
			take_verdict(m);
		break;
	case MOVER_HEADER:
		push_host(f, f->moving.stamp, false);
		f->mover = MOVER_DATA;
		break;
	case MOVER_DATA:
		move_beat(f);
		break;
	}
}
