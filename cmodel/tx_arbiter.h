/* SPDX-License-Identifier: Apache-2.0
 * tx_arbiter.h - the wire output: whole frames of tx_builder and of the host, by shares of the beats. */
#ifndef HANDFAST_CMODEL_TX_ARBITER_H
#define HANDFAST_CMODEL_TX_ARBITER_H

#include <stdbool.h>
#include <stdint.h>
#include "handfast_model.h"

enum tx_source { TX_NONE, TX_BUILDER, TX_HOST };

struct tx_arbiter {
	enum tx_source owner; /* whose frame is being loaded */
	bool contested;	      /* it was chosen while both offered */
	int due;	      /* the host's account, in 1/256 beats */
	bool valid;	      /* the output register */
	bool last;
	uint64_t keep;
	uint64_t data[HF_DATA_WORDS];
};

struct hf_model;

void hfm_tx_arbiter_reset(struct tx_arbiter *a);
void hfm_tx_arbiter_step(struct hf_model *m, bool tready);

#endif
