/* SPDX-License-Identifier: Apache-2.0
 * tuple_hash.c - both hashes at once in cycle r, handed out when the rounds would be done. */
#include "model.h"
#include "siphash.h"

void hfm_tuple_hash_reset(struct tuple_hash *h)
{
	h->requested = false;
	ring_reset(&h->computed_ring);
	ring_reset(&h->queue_ring);
}

/* The key in four registers from `offset`, octet 0 in the lowest bits of the first. */
static uint64_t keyed(const struct regs *regs, unsigned offset, const uint8_t *tuple)
{
	uint64_t k0 = hfm_reg(regs, offset) | (uint64_t)hfm_reg(regs, offset + 4) << 32;
	uint64_t k1 = hfm_reg(regs, offset + 8) | (uint64_t)hfm_reg(regs, offset + 12) << 32;

	return hf_siphash24(k0, k1, tuple, TUPLE_OCTETS);
}

void hfm_tuple_hash_step(struct hf_model *m)
{
	struct tuple_hash *h = &m->hash;

	if (h->computed_ring.count > 0) {
		const struct tuple_hash_result *oldest = &h->computed[ring_head(&h->computed_ring)];

		if (oldest->push_cycle == m->cycle) {
			h->queue[ring_push(&h->queue_ring)] = *oldest;
			ring_pop(&h->computed_ring);
		}
	}
	if (h->requested) {
		struct tuple_hash_result *result = &h->computed[ring_push(&h->computed_ring)];

		result->index = keyed(&m->regs, HF_REG_KEY_INDEX0, h->tuple);
		result->isn = keyed(&m->regs, HF_REG_KEY_ISN0, h->tuple);
		result->push_cycle = m->cycle + 8;
		h->requested = false;
	}
}
