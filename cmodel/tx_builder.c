/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "bytes.h"
#include "checksum.h"
#include "model.h"

enum { FRAME_OCTETS_MIN = 60, IPV4_OCTETS = 20, IPV6_OCTETS = 40, TCP_OCTETS = 20, PROTOCOL_TCP = 6 };

void hfm_tx_builder_reset(struct tx_builder *b)
{
	b->making = b->sending = false;
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

/* Addresses, tags, EtherType. Returns their octets. */
static unsigned put_ethernet(uint8_t *frame, const struct reply *reply, uint64_t mac)
{
	uint8_t *p = frame + 12;

	put_be(frame, reply->dst_mac, 6);
	put_be(frame + 6, mac, 6);
	if (reply->vlan_tags >= 1) {
		put_be(p, reply->vlan_svlan ? 0x88a8 : 0x8100, 2);
		put_be(p + 2, reply->vlan_outer, 2);
		p += 4;
	}
	if (reply->vlan_tags >= 2) {
		put_be(p, 0x8100, 2);
		put_be(p + 2, reply->vlan_inner, 2);
		p += 4;
	}
	put_be(p, reply->ip6 ? 0x86dd : 0x0800, 2);
	return (unsigned)(p + 2 - frame);
}

/* Returns the sum of the pseudo-header. */
static uint16_t put_ipv4(uint8_t *ip, const struct reply *reply, unsigned tcp_len, const struct regs *regs)
{
	put_be(ip, 0x45, 1);
	put_be(ip + 1, hfm_reg(regs, HF_REG_TOS), 1);
	put_be(ip + 2, IPV4_OCTETS + tcp_len, 2);
	put_be(ip + 6, 0x4000, 2); /* DF; identification 0, RFC 6864 section 4.1 */
	put_be(ip + 8, hfm_reg(regs, HF_REG_TTL), 1);
	put_be(ip + 9, PROTOCOL_TCP, 1);
	put_be(ip + 12, (uint32_t)reply->src_addr, 4);
	put_be(ip + 16, (uint32_t)reply->dst_addr, 4);
	put_be(ip + 10, (uint16_t)~hf_checksum_sum(ip, IPV4_OCTETS), 2);
	return hf_checksum_pseudo_ipv4(
		(uint32_t)reply->src_addr, (uint32_t)reply->dst_addr, PROTOCOL_TCP, (uint16_t)tcp_len);
}

/* Likewise. */
static uint16_t put_ipv6(uint8_t *ip, const struct reply *reply, unsigned tcp_len, const struct regs *regs)
{
	put_be(ip, 0x60000000 | (uint64_t)hfm_reg(regs, HF_REG_TOS) << 20, 4);
	put_be(ip + 4, tcp_len, 2);
	put_be(ip + 6, PROTOCOL_TCP, 1);
	put_be(ip + 7, hfm_reg(regs, HF_REG_TTL), 1);
	put_be128(ip + 8, reply->src_addr);
	put_be128(ip + 24, reply->dst_addr);
	return hf_checksum_pseudo_ipv6(ip + 8, PROTOCOL_TCP, (uint16_t)tcp_len);
}

/* Returns the frame's length. */
static unsigned build(uint8_t *frame, const struct reply *reply, const struct regs *regs)
{
	unsigned length, tcp_len;
	uint8_t *ip, *tcp;
	uint16_t sum;

	memset(frame, 0, BUILT_OCTETS_MAX);
	ip = frame + put_ethernet(frame, reply, hfm_reg_mac(regs));
	tcp = ip + (reply->ip6 ? IPV6_OCTETS : IPV4_OCTETS);
	tcp_len = TCP_OCTETS + put_options(tcp + TCP_OCTETS, reply);
	sum = reply->ip6 ? put_ipv6(ip, reply, tcp_len, regs) : put_ipv4(ip, reply, tcp_len, regs);

	put_be(tcp, reply->src_port, 2);
	put_be(tcp + 2, reply->dst_port, 2);
	put_be(tcp + 4, reply->seq, 4);
	put_be(tcp + 8, reply->ack, 4);
	put_be(tcp + 12, tcp_len / 4 << 12 | reply->flags, 2);
	put_be(tcp + 14, reply->wnd, 2);
	put_be(tcp + 16, (uint16_t)~hf_checksum_add(sum, hf_checksum_sum(tcp, tcp_len)), 2);

	length = (unsigned)(tcp - frame) + tcp_len;
	return length < FRAME_OCTETS_MIN ? FRAME_OCTETS_MIN : length;
}

void hfm_tx_builder_step(struct hf_model *m)
{
	struct tx_builder *b = &m->builder;
	struct built_frame *frame;

	if (b->making && !b->sending && m->cycle >= b->move_cycle) {
		b->send ^= 1;
		b->beat = 0;
		b->sending = true;
		b->making = false;
	}
	if (b->making || b->ring.count == 0)
		return;
	frame = &b->frames[b->send ^ 1];
	frame->length = build(frame->octets, &b->replies[ring_pop(&b->ring)], &m->regs);
	frame->beats = beats_of(frame->length, m->width);
	b->making = true;
	b->move_cycle = m->cycle + m->params.build_cycles;
}
