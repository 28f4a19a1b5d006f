/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "bytes.h"
#include "model.h"
#include "siphash.h"

static const uint16_t class_mss[] = {
#define CLASS(number, octets) [number] = octets,
#include "../regs/cookie.def"
#undef CLASS
};

enum { CLASSES = sizeof(class_mss) / sizeof(class_mss[0]) };

unsigned hfm_cookie_class(uint64_t mss)
{
	unsigned class = CLASSES - 1;

	while (class > 0 && class_mss[class] > mss)
		class --;
	return class;
}

unsigned hfm_cookie_mss(unsigned class)
{
	return class_mss[class];
}

uint32_t hfm_cookie_hash(const struct syn_cookie_mac *mac)
{
	return COOKIE_MAC_MASK & (uint32_t)hf_siphash24(mac->key[0], mac->key[1], mac->octet, mac->octets);
}

uint32_t hfm_cookie_encode(const struct syn_cookie_mac *mac, uint32_t epoch, unsigned class)
{
	return (uint32_t)mac->key_b << 31 | (epoch & 3) << 29 | class << 26 | hfm_cookie_hash(mac);
}

void hfm_syn_cookie_reset(struct syn_cookies *c)
{
	c->last_push_cycle = 0;
	c->request_ring.depth = HASH_REQUESTS;
	ring_reset(&c->request_ring);
	ring_reset(&c->queue_ring);
}

void hfm_syn_cookie_request(
	struct hf_model *m, const struct tuple *t, const uint8_t *tcp, uint64_t stamp, uint64_t cycle)
{
	struct syn_cookies *c = &m->cookies;
	struct syn_cookie_request *request = &c->requests[ring_push(&c->request_ring)];

	request->cycle = cycle;
	request->tuple = *t;
	request->stamp = stamp;
	request->sent = get_be32(tcp + 8) - get_be32(tcp + 4);
	request->ack = tcp[13] & HF_ACK;
}

const struct syn_cookie_mac *hfm_syn_cookie_head(const struct hf_model *m)
{
	const struct syn_cookies *c = &m->cookies;
	const struct syn_cookie_mac *head;

	if (c->queue_ring.count == 0)
		return NULL;
	head = &c->queue[ring_head(&c->queue_ring)];
	return head->push_cycle <= m->cycle ? head : NULL;
}

/* The hash that a cookie to this peer has now; with ACK the one that the acknowledged cookie must have. */
void hfm_cookie_read_key(const struct hf_model *m, struct syn_cookie_mac *mac)
{
	hfm_hash_key(&m->regs, mac->made_with_b ? HF_REG_KEY_COOKIE_B0 : HF_REG_KEY_COOKIE_A0, mac->key);
}

static void prepare(const struct hf_model *m, const struct syn_cookie_request *request, struct syn_cookie_mac *mac)
{
	uint32_t epoch = hfm_cookie_epoch(request->stamp);

	mac->key_b = hfm_reg(&m->regs, HF_REG_COOKIE) >> HF_COOKIE_KEY_LOW & 1;
	mac->made_with_b = mac->key_b;
	if (request->ack) {
		epoch -= hfm_cookie_age(epoch, request->sent);
		mac->made_with_b = request->sent >> 31;
	}
	hfm_cookie_read_key(m, mac);
	mac->octets = request->tuple.octets + COOKIE_EPOCH_OCTETS;
	memcpy(mac->octet, request->tuple.octet, sizeof(request->tuple.octet));
	put_be(mac->octet + request->tuple.octets, epoch, COOKIE_EPOCH_OCTETS);
}

void hfm_syn_cookie_step(struct hf_model *m)
{
	struct syn_cookies *c = &m->cookies;
	const struct syn_cookie_request *request;
	struct syn_cookie_mac *mac;

	if (c->request_ring.count == 0)
		return;
	request = &c->requests[ring_head(&c->request_ring)];
	if (request->cycle != m->cycle)
		return;
	mac = &c->queue[ring_push(&c->queue_ring)];
	prepare(m, request, mac);
	if (m->params.hash_serial)
		hfm_hash_serial_mac(m, &request->tuple, mac);
	else
		mac->push_cycle = hfm_hash_push_cycle(m, &request->tuple, &c->last_push_cycle);
	ring_pop(&c->request_ring);
}
