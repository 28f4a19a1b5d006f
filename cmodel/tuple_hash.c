/* SPDX-License-Identifier: Apache-2.0
 * tuple_hash.c - both hashes at once in the cycle of the request, handed out when the rounds would be done. */
#include <string.h>
#include "model.h"
#include "siphash.h"

enum { PIPELINE_CLOCKS = 15 }; /* at 512 bits: what the rounds of IPv6 take, and one */

void hfm_tuple_hash_reset(struct tuple_hash *h)
{
	h->last_push_cycle = 0;
	h->request_ring.depth = HASH_REQUESTS;
	ring_reset(&h->request_ring);
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

/* Octet 0 of the key is in the lowest bits of the first register. */
void hfm_hash_key(const struct regs *regs, unsigned offset, uint64_t key[2])
{
	key[0] = hfm_reg(regs, offset) | (uint64_t)hfm_reg(regs, offset + 4) << 32;
	key[1] = hfm_reg(regs, offset + 8) | (uint64_t)hfm_reg(regs, offset + 12) << 32;
}

uint64_t hfm_keyed_hash(const struct regs *regs, unsigned offset, const struct tuple *t)
{
	uint64_t key[2];

	hfm_hash_key(regs, offset, key);
	return hf_siphash24(key[0], key[1], t->octet, t->octets);
}

void hfm_tuple_hash(struct tuple_hash_result *result, const struct tuple *t, const struct regs *regs)
{
	result->index = hfm_keyed_hash(regs, HF_REG_KEY_INDEX0, t);
	result->isn = hfm_keyed_hash(regs, HF_REG_KEY_ISN0, t);
}

unsigned hfm_hash_clocks(const struct hf_model *m, const struct tuple *t)
{
	return m->wide ? PIPELINE_CLOCKS : 2 * (t->octets / 8 + 1) + 4;
}

uint64_t hfm_hash_push_cycle(const struct hf_model *m, const struct tuple *t, uint64_t *last)
{
	uint64_t cycle = m->cycle + hfm_hash_clocks(m, t);

	if (cycle <= *last)
		cycle = *last + 1;
	*last = cycle;
	return cycle;
}

void hfm_tuple_hash_request(struct hf_model *m, const struct tuple *t, uint64_t cycle)
{
	struct tuple_hash *h = &m->hash;
	struct tuple_hash_request *request = &h->requests[ring_push(&h->request_ring)];

	request->cycle = cycle;
	request->tuple = *t;
}

const struct tuple_hash_result *hfm_tuple_hash_head(const struct hf_model *m)
{
	const struct tuple_hash *h = &m->hash;
	const struct tuple_hash_result *head;

	if (h->queue_ring.count == 0)
		return NULL;
	head = &h->queue[ring_head(&h->queue_ring)];
	return head->push_cycle < m->cycle ? head : NULL;
}

void hfm_tuple_hash_step(struct hf_model *m)
{
	struct tuple_hash *h = &m->hash;
	const struct tuple_hash_request *request;
	struct tuple_hash_result *result;

	if (h->request_ring.count == 0)
		return;
	request = &h->requests[ring_head(&h->request_ring)];
	if (request->cycle != m->cycle)
		return;
	result = &h->queue[ring_push(&h->queue_ring)];
	if (m->params.hash_serial) {
		hfm_hash_serial_segment(m, &request->tuple, result);
	} else {
		hfm_tuple_hash(result, &request->tuple, &m->regs);
		result->push_cycle = hfm_hash_push_cycle(m, &request->tuple, &h->last_push_cycle);
	}
	ring_pop(&h->request_ring);
}
