/* SPDX-License-Identifier: Apache-2.0
 * tuple_hash.h - two keyed hashes of a 4-tuple: `index` places it in the connection table, `isn` makes its
 * initial sequence number (RFC 6528) and timestamp offset. Results leave the hash queue in the order of the
 * requests; the clocks that one takes are those of hfm_hash_clocks. */
#ifndef HANDFAST_CMODEL_TUPLE_HASH_H
#define HANDFAST_CMODEL_TUPLE_HASH_H

#include <stdbool.h>
#include <stdint.h>
#include "ring.h"

#define TUPLE_OCTETS_MAX 36u
#define HASH_REQUESTS	 4u /* that wait for their cycle: one in each cycle, asked for two ahead at most */

/* Remote address, local address, remote port, local port, in network order; addresses of 4 or of 16 octets. */
struct tuple {
	unsigned octets; /* 12 or 36 */
	uint8_t octet[TUPLE_OCTETS_MAX];
};

struct tuple_hash_request {
	uint64_t cycle; /* in which it is made */
	struct tuple tuple;
};

struct tuple_hash_result {
	uint64_t index, isn;
	uint64_t push_cycle; /* the cycle that pushes it into the queue: it is visible after that */
};

struct tuple_hash {
	struct tuple_hash_request requests[HASH_REQUESTS];
	struct ring request_ring;
	uint64_t last_push_cycle; /* of the request before */
	/* Of SEG_DEPTH, which holds what is not pushed yet too: no frame in flight has more than one. */
	struct tuple_hash_result *queue;
	struct ring queue_ring;
};

struct hf_model;
struct regs;

/* Make a tuple of the octets at these four places. */
void hfm_tuple_set(struct tuple *t, bool ip6, const uint8_t *remote_addr, const uint8_t *local_addr,
	const uint8_t *remote_port, const uint8_t *local_port);
/* The key in four registers from `offset`, as it is now: octets 0 to 7 and 8 to 15, the lower less significant. */
void hfm_hash_key(const struct regs *regs, unsigned offset, uint64_t key[2]);
/* One hash, under that key as it is now. */
uint64_t hfm_keyed_hash(const struct regs *regs, unsigned offset, const struct tuple *t);
/* Both hashes, under the keys as they are now; push_cycle is left alone. */
void hfm_tuple_hash(struct tuple_hash_result *result, const struct tuple *t, const struct regs *regs);
/* Clocks from a request to the push of its result: two rounds for each word, length and rest together being the
 * last one, and four to end with; a pipeline at 512 bits takes as many for every tuple. */
unsigned hfm_hash_clocks(const struct hf_model *m, const struct tuple *t);
/* The cycle that pushes the result of a request made in this cycle, one at a time: after *last, which it becomes. */
uint64_t hfm_hash_push_cycle(const struct hf_model *m, const struct tuple *t, uint64_t *last);

void hfm_tuple_hash_reset(struct tuple_hash *h);
/* A request that is made in `cycle`, later than this one, in the order of the frames. */
void hfm_tuple_hash_request(struct hf_model *m, const struct tuple *t, uint64_t cycle);
/* The result at the head of the hash queue, or NULL. */
const struct tuple_hash_result *hfm_tuple_hash_head(const struct hf_model *m);
void hfm_tuple_hash_step(struct hf_model *m);

#endif
