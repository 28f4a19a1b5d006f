/* SPDX-License-Identifier: Apache-2.0
 * tx_arbiter.h - the wire output: whole frames of tx_builder and of the host in turn. */
#ifndef HANDFAST_CMODEL_TX_ARBITER_H
#define HANDFAST_CMODEL_TX_ARBITER_H

#include <stdbool.h>
#include <stdint.h>
#include "handfast_model.h"

enum tx_source { TX_NONE, TX_BUILDER, TX_HOST };

struct tx_arbiter {
	enum tx_source owner;  /* whose frame is being loaded */
	enum tx_source served; /* whose frame was loaded last */
	bool valid;	       /* the output register */
	bool last;
	uint8_t keep;
	uint64_t data;
};

struct hf_model;

void hfm_tx_arbiter_reset(struct tx_arbiter *a);
void hfm_tx_arbiter_step(struct hf_model *m, bool tready);

#endif
