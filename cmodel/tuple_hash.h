/* SPDX-License-Identifier: Apache-2.0
 * tuple_hash.h - two keyed hashes of a 4-tuple: `index` places it in the connection table, `isn` makes its
 * initial sequence number (RFC 6528) and timestamp offset. A request made in cycle r has its result at the
 * head of the hash queue at r+9. */
#ifndef HANDFAST_CMODEL_TUPLE_HASH_H
#define HANDFAST_CMODEL_TUPLE_HASH_H

#include <stdbool.h>
#include <stdint.h>
#include "ring.h"

#define TUPLE_OCTETS	     12u /* remote address, local address, remote port, local port, network order */
#define TUPLE_HASH_IN_FLIGHT 4u	 /* requests are 5 cycles apart at least and take 9 */

struct tuple_hash_result {
	uint64_t index, isn;
	uint64_t push_cycle; /* while computed: the cycle that pushes it into the queue */
};

struct tuple_hash {
	bool requested; /* the coming cycle is r for `tuple` */
	uint8_t tuple[TUPLE_OCTETS];
	struct tuple_hash_result computed[TUPLE_HASH_IN_FLIGHT];
	struct ring computed_ring;
	struct tuple_hash_result *queue; /* of SEG_DEPTH */
	struct ring queue_ring;
};

struct hf_model;

void hfm_tuple_hash_reset(struct tuple_hash *h);
void hfm_tuple_hash_step(struct hf_model *m);

#endif
