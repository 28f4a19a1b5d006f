/* SPDX-License-Identifier: Apache-2.0
 * tuple_hash.h - two keyed hashes of a 4-tuple: `index` places it in the connection table, `isn` makes its
 * initial sequence number (RFC 6528) and timestamp offset. A request made in cycle r has its result at the
 * head of the hash queue at r+9, over IPv6 at r+15, in the order of the requests. */
#ifndef HANDFAST_CMODEL_TUPLE_HASH_H
#define HANDFAST_CMODEL_TUPLE_HASH_H

#include <stdbool.h>
#include <stdint.h>
#include "ring.h"

#define TUPLE_OCTETS_MAX     36u
#define TUPLE_HASH_IN_FLIGHT 4u /* requests are 5 cycles apart at least and take 15 at most */

/* Remote address, local address, remote port, local port, in network order; addresses of 4 or of 16 octets. */
struct tuple {
	unsigned octets; /* 12 or 36 */
	uint8_t octet[TUPLE_OCTETS_MAX];
};

struct tuple_hash_result {
	uint64_t index, isn;
	uint64_t push_cycle; /* while computed: the cycle that pushes it into the queue */
};

struct tuple_hash {
	bool requested; /* the coming cycle is r for `tuple` */
	struct tuple tuple;
	uint64_t last_push_cycle; /* of the request before */
	struct tuple_hash_result computed[TUPLE_HASH_IN_FLIGHT];
	struct ring computed_ring;
	struct tuple_hash_result *queue; /* of SEG_DEPTH */
	struct ring queue_ring;
};

struct hf_model;
struct regs;

/* Make a tuple of the octets at these four places. */
void hfm_tuple_set(struct tuple *t, bool ip6, const uint8_t *remote_addr, const uint8_t *local_addr,
	const uint8_t *remote_port, const uint8_t *local_port);
/* Clocks that the rounds take. */
unsigned hfm_tuple_rounds(const struct tuple *t);
/* Both hashes, under the keys as they are now; push_cycle is left alone. */
void hfm_tuple_hash(struct tuple_hash_result *result, const struct tuple *t, const struct regs *regs);

void hfm_tuple_hash_reset(struct tuple_hash *h);
void hfm_tuple_hash_step(struct hf_model *m);

#endif
