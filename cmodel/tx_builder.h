/* SPDX-License-Identifier: Apache-2.0
 * tx_builder.h - reply descriptors to frames, with both checksums. While one frame is sent the next one is made, so
 * that replies follow one another without a gap: the frame waits in making until sending is free. */
#ifndef HANDFAST_CMODEL_TX_BUILDER_H
#define HANDFAST_CMODEL_TX_BUILDER_H

#include <stdbool.h>
#include <stdint.h>
#include "tcp_fsm.h"

#define BUILT_OCTETS_MAX 128u /* 14 + 2 * 4 + 40 + 20 + 20 octets, in whole beats of either width */

struct built_frame {
	uint8_t octets[BUILT_OCTETS_MAX];
	unsigned length, beats;
};

struct tx_builder {
	struct reply *replies; /* of REPLY_DEPTH */
	struct ring ring;
	struct built_frame frames[2];
	unsigned send;	      /* the one that is sending or was last; the other one is for making */
	bool making, sending; /* a frame is there */
	unsigned beat;	      /* sending: the one on offer */
	uint64_t move_cycle;  /* making: the first in which it may move to sending */
};

struct hf_model;

void hfm_tx_builder_reset(struct tx_builder *b);
void hfm_tx_builder_push(struct tx_builder *b, const struct reply *reply);
/* Frames move on and the next reply is popped; after the arbiter's step, which ends sending. */
void hfm_tx_builder_step(struct hf_model *m);

#endif
