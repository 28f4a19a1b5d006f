/* SPDX-License-Identifier: Apache-2.0
 * tx_builder.h - reply descriptors to frames, with both checksums. A reply popped in cycle b is offered to the
 * arbiter from b+2 on. */
#ifndef HANDFAST_CMODEL_TX_BUILDER_H
#define HANDFAST_CMODEL_TX_BUILDER_H

#include <stdbool.h>
#include <stdint.h>
#include "tcp_fsm.h"

#define BUILT_OCTETS_MAX 104u /* 14 + 2 * 4 + 40 + 20 + 20 octets, in whole beats */

struct tx_builder {
	struct reply *replies; /* of REPLY_DEPTH */
	struct ring ring;
	bool busy;
	uint64_t offer_cycle; /* the first in which beat 0 is on offer */
	uint8_t octets[BUILT_OCTETS_MAX];
	unsigned length, beats;
	unsigned beat; /* the one on offer */
};

struct hf_model;

void hfm_tx_builder_reset(struct tx_builder *b);
void hfm_tx_builder_push(struct tx_builder *b, const struct reply *reply);
/* Pop the next reply if the builder is idle; after the arbiter's step. */
void hfm_tx_builder_step(struct hf_model *m);

static inline bool hfm_tx_builder_offers(const struct tx_builder *b, uint64_t cycle)
{
	return b->busy && cycle >= b->offer_cycle;
}

#endif
