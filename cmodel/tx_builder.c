/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "bytes.h"
#include "checksum.h"
#include "model.h"

enum { FRAME_OCTETS_MIN = 60, ETHERNET_OCTETS = 14, IP_OCTETS = 20, TCP_OCTETS = 20 };

void hfm_tx_builder_reset(struct tx_builder *b)
{
	b->busy = false;
	ring_reset(&b->ring);
}

void hfm_tx_builder_push(struct tx_builder *b, const struct reply *reply)
{
	b->replies[ring_push(&b->ring)] = *reply;
}

/* Options in the order of docs/architecture.md, each padded in front to 4 octets. Returns their octets. */
static unsigned put_options(uint8_t *options, const struct reply *reply)
{
	uint8_t *p = options;

	if (reply->mss_en) {
		put_be(p, 0x0204, 2);
		put_be(p + 2, reply->mss, 2);
		p += 4;
	}
	if (reply->ts_en) {
		put_be(p, reply->sack_en ? 0x0402080a : 0x0101080a, 4);
		put_be(p + 4, reply->tsval, 4);
		put_be(p + 8, reply->tsecr, 4);
		p += 12;
	} else if (reply->sack_en) {
		put_be(p, 0x01010402, 4);
		p += 4;
	}
	if (reply->ws_en) {
		put_be(p, 0x01030300 | reply->ws, 4);
		p += 4;
	}
	return (unsigned)(p - options);
}

/* Returns the frame's length. */
static unsigned build(uint8_t *frame, const struct reply *reply, const struct regs *regs)
{
	uint8_t *ip = frame + ETHERNET_OCTETS, *tcp = ip + IP_OCTETS;
	unsigned tcp_len, total;
	uint16_t sum;

	memset(frame, 0, BUILT_OCTETS_MAX);
	tcp_len = TCP_OCTETS + put_options(tcp + TCP_OCTETS, reply);
	total = IP_OCTETS + tcp_len;

	put_be(frame, reply->dst_mac, 6);
	put_be(frame + 6, hfm_reg_mac(regs), 6);
	put_be(frame + 12, 0x0800, 2);

	put_be(ip, 0x45, 1);
	put_be(ip + 1, hfm_reg(regs, HF_REG_TOS), 1);
	put_be(ip + 2, total, 2);
	put_be(ip + 6, 0x4000, 2); /* DF; identification 0, RFC 6864 section 4.1 */
	put_be(ip + 8, hfm_reg(regs, HF_REG_TTL), 1);
	put_be(ip + 9, 6, 1);
	put_be(ip + 12, reply->src_addr, 4);
	put_be(ip + 16, reply->dst_addr, 4);
	put_be(ip + 10, (uint16_t)~hf_checksum_sum(ip, IP_OCTETS), 2);

	put_be(tcp, reply->src_port, 2);
	put_be(tcp + 2, reply->dst_port, 2);
	put_be(tcp + 4, reply->seq, 4);
	put_be(tcp + 8, reply->ack, 4);
	put_be(tcp + 12, tcp_len / 4 << 12 | reply->flags, 2);
	put_be(tcp + 14, reply->wnd, 2);
	sum = hf_checksum_pseudo_ipv4((uint32_t)reply->src_addr, (uint32_t)reply->dst_addr, 6, (uint16_t)tcp_len);
	sum = hf_checksum_add(sum, hf_checksum_sum(tcp, tcp_len));
	put_be(tcp + 16, (uint16_t)~sum, 2);

	total += ETHERNET_OCTETS;
	return total < FRAME_OCTETS_MIN ? FRAME_OCTETS_MIN : total;
}

void hfm_tx_builder_step(struct hf_model *m)
{
	struct tx_builder *b = &m->builder;

	if (b->busy || b->ring.count == 0)
		return;
	b->length = build(b->octets, &b->replies[ring_pop(&b->ring)], &m->regs);
	b->beats = beats_of(b->length);
	b->beat = 0;
	b->busy = true;
	b->offer_cycle = m->cycle + 2;
}
