/* SPDX-License-Identifier: Apache-2.0
 * rx_frame_fifo.h - the staging buffer, where frames wait for their verdict; the mover, which takes verdicts
 * and carries frames with verdict HOST on; the host FIFO, which holds FRAME messages. */
#ifndef HANDFAST_CMODEL_RX_FRAME_FIFO_H
#define HANDFAST_CMODEL_RX_FRAME_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../regs/regs.h"
#include "bytes.h"
#include "ring.h"

struct verdict {
	unsigned code; /* enum hf_verdict */
	bool csum_ok;  /* cls was SEG or ICMP */
	bool conn;     /* the op hit an entry or made one: id is its */
	bool lost;
	uint32_t id;
	unsigned length, beats;
	uint64_t stamp;
};

struct rx_frame_fifo {
	uint8_t *stage; /* STAGE_BEATS whole beats; its count is stage_count */
	struct ring stage_ring;
	struct verdict *verdicts; /* of SEG_DEPTH */
	struct ring verdict_ring;

	bool moving; /* the mover is copying this frame */
	struct verdict frame;
	uint8_t header[HF_MSG_HEADER_BYTES];
	unsigned message;  /* octets of its message */
	unsigned at;	   /* of these, pushed, in whole beats */
	unsigned stage_at; /* place in staging of the frame's next octet: they are released together at the end */

	uint8_t *host;	 /* HOST_FIFO_BEATS whole beats, and the one in the output register; its count is ram_count */
	bool *host_last; /* of each of them */
	struct ring host_ring;
	bool host_valid;   /* the output register */
	unsigned host_out; /* its place */
};

struct hf_model;

void hfm_rx_frame_fifo_reset(struct rx_frame_fifo *f);
/* Write one beat of a frame; the caller has seen room. */
static inline void hfm_rx_frame_fifo_stage(struct rx_frame_fifo *f, const uint64_t *beat, unsigned width)
{
	put_beat(f->stage + (size_t)width * ring_push(&f->stage_ring), beat, width);
}

void hfm_rx_frame_fifo_step(struct hf_model *m);
/* The host FIFO's output register after this clock; `taken` says that message took what it held. */
void hfm_rx_frame_fifo_fetch(struct rx_frame_fifo *f, bool taken);

#endif
