/* SPDX-License-Identifier: Apache-2.0
 * rx_frame_fifo.h - the staging buffer, where frames wait for their verdict; the mover, which takes verdicts
 * and carries frames with verdict HOST on; the host FIFO, which holds FRAME messages. */
#ifndef HANDFAST_CMODEL_RX_FRAME_FIFO_H
#define HANDFAST_CMODEL_RX_FRAME_FIFO_H

#include <stdbool.h>
#include <stdint.h>
#include "ring.h"

struct verdict {
	unsigned code; /* enum hf_verdict */
	bool csum_ok;  /* cls was SEG or ICMP */
	bool conn;     /* the op hit an entry: id is its */
	bool lost;
	uint32_t id;
	unsigned length, beats;
	uint64_t stamp;
};

struct host_beat {
	uint64_t data;
	bool last;
};

enum mover_state { MOVER_IDLE, MOVER_HEADER, MOVER_DATA };

struct rx_frame_fifo {
	uint64_t *stage; /* of STAGE_BEATS; its count is stage_count */
	struct ring stage_ring;
	struct verdict *verdicts; /* of SEG_DEPTH */
	struct ring verdict_ring;

	enum mover_state mover;
	struct verdict moving;
	unsigned moved;	     /* data beats of it pushed */
	unsigned stage_read; /* place in staging of the next one: they are released together at the end */

	struct host_beat *host; /* of HOST_FIFO_BEATS; its count is ram_count */
	struct ring host_ring;
	bool host_valid; /* the output register */
	struct host_beat host_out;
};

struct hf_model;

void hfm_rx_frame_fifo_reset(struct rx_frame_fifo *f);
/* Write one beat of a frame; the caller has seen room. */
void hfm_rx_frame_fifo_stage(struct rx_frame_fifo *f, uint64_t beat);
void hfm_rx_frame_fifo_step(struct hf_model *m);
/* The host FIFO's output register after this clock; `taken` says that message took what it held. */
void hfm_rx_frame_fifo_fetch(struct rx_frame_fifo *f, bool taken);

#endif
