/* SPDX-License-Identifier: Apache-2.0
 * tuple_hash.c - both hashes at once in cycle r, handed out when the rounds would be done. */
#include <string.h>
#include "model.h"
#include "siphash.h"

void hfm_tuple_hash_reset(struct tuple_hash *h)
{
	h->requested = false;
	h->last_push_cycle = 0;
	ring_reset(&h->computed_ring);
	ring_reset(&h->queue_ring);
}

void hfm_tuple_set(struct tuple *t, bool ip6, const uint8_t *remote_addr, const uint8_t *local_addr,
	const uint8_t *remote_port, const uint8_t *local_port)
{
	unsigned addr = ip6 ? 16 : 4;

	t->octets = 2 * addr + 4;
	memcpy(t->octet, remote_addr, addr);
	memcpy(t->octet + addr, local_addr, addr);
	memcpy(t->octet + 2 * addr, remote_port, 2);
	memcpy(t->octet + 2 * addr + 2, local_port, 2);
}

/* Two rounds for each word of 8 octets, length and rest together being the last one, and four to end with. */
unsigned hfm_tuple_rounds(const struct tuple *t)
{
	return 2 * (t->octets / 8 + 1) + 4;
}

/* The key in four registers from `offset`, octet 0 in the lowest bits of the first. */
static uint64_t keyed(const struct regs *regs, unsigned offset, const struct tuple *t)
{
	uint64_t k0 = hfm_reg(regs, offset) | (uint64_t)hfm_reg(regs, offset + 4) << 32;
	uint64_t k1 = hfm_reg(regs, offset + 8) | (uint64_t)hfm_reg(regs, offset + 12) << 32;

	return hf_siphash24(k0, k1, t->octet, t->octets);
}

void hfm_tuple_hash(struct tuple_hash_result *result, const struct tuple *t, const struct regs *regs)
{
	result->index = keyed(regs, HF_REG_KEY_INDEX0, t);
	result->isn = keyed(regs, HF_REG_KEY_ISN0, t);
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

		hfm_tuple_hash(result, &h->tuple, &m->regs);
		result->push_cycle = m->cycle + hfm_tuple_rounds(&h->tuple);
		if (result->push_cycle <= h->last_push_cycle)
			result->push_cycle = h->last_push_cycle + 1;
		h->last_push_cycle = result->push_cycle;
		h->requested = false;
	}
}
