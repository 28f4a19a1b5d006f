/* SPDX-License-Identifier: Apache-2.0
 * traffic.c - frames and messages for lock step and bench. */
#include <string.h>
#include "../regs/regs.h"
#include "traffic.h"

#define IP	   PACKET_ETH_HEADER
#define IP6_HEADER 40
#define TCP_FIXED  20

enum { KIND_NOP = 1, KIND_MSS = 2, KIND_WS = 3, KIND_SACK = 4, KIND_TS = 8 };

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool is_ip6(const struct frame *f)
{
	return packet_get16(f->data + f->l3 - 2) == PACKET_ETHERTYPE_IPV6;
}

void traffic_address(uint8_t *octets, bool ip6, hf_u128 addr)
{
	const unsigned n = ip6 ? 16 : 4;

	for (unsigned i = 0; i < n; i++)
		octets[i] = (uint8_t)(addr >> 8 * (n - 1 - i));
}

/* Where the transport header is, how long it and its payload are, and the sum of the pseudo-header. False when the
 * headers say nothing that could be believed. */
static bool transport(const struct frame *f, uint8_t protocol, size_t *at, size_t *len, uint32_t *pseudo)
{
	const uint8_t *ip = f->data + f->l3;
	const size_t header = is_ip6(f) ? IP6_HEADER : (ip[0] & 15) * 4u;
	size_t total;

	if (f->len < f->l3 + (is_ip6(f) ? IP6_HEADER : 20))
		return false;
	total = is_ip6(f) ? IP6_HEADER + packet_get16(ip + 4) : packet_get16(ip + 2);
	if (total < header || f->l3 + total > f->len)
		return false;
	*at = f->l3 + header;
	*len = total - header;
	*pseudo = is_ip6(f) ? packet_sum(protocol + (uint32_t)*len, ip + 8, 32)
			    : packet_sum(protocol + (uint32_t)*len, ip + 12, 8);
	return true;
}

void traffic_ip_checksum(struct frame *f)
{
	uint8_t *ip = f->data + f->l3;
	const size_t header = (ip[0] & 15) * 4u;

	if (is_ip6(f) || f->len < f->l3 + 20 || header < 20 || f->l3 + header > f->len)
		return;
	packet_put16(ip + 10, 0);
	packet_put16(ip + 10, (uint16_t)~packet_fold(packet_sum(0, ip, header)));
}

void traffic_tcp_checksum(struct frame *f)
{
	size_t at, len;
	uint32_t pseudo;

	if (!transport(f, 6, &at, &len, &pseudo) || len < TCP_FIXED)
		return;
	packet_put16(f->data + at + 16, 0);
	packet_put16(f->data + at + 16, (uint16_t)~packet_fold(packet_sum(pseudo, f->data + at, len)));
}

void traffic_icmp_checksum(struct frame *f)
{
	size_t at, len;
	uint32_t pseudo;

	if (!transport(f, 58, &at, &len, &pseudo) || len < 8)
		return;
	packet_put16(f->data + at + 2, 0);
	packet_put16(f->data + at + 2, (uint16_t)~packet_fold(packet_sum(is_ip6(f) ? pseudo : 0, f->data + at, len)));
}

/* MACs, tags and EtherType; sets where the network header begins. */
static void layer2(struct frame *f, const struct segment *g)
{
	const uint16_t tci[] = { g->vlan_outer, g->vlan_inner, 0x0123 };

	memcpy(f->data, g->dst_mac, 6);
	memcpy(f->data + 6, g->src_mac, 6);
	f->l3 = PACKET_ETH_HEADER + 4 * g->vlan_tags;
	for (unsigned i = 0; i < g->vlan_tags; i++) {
		packet_put16(f->data + 12 + 4 * i, !i && g->vlan_svlan ? 0x88a8 : 0x8100);
		packet_put16(f->data + 14 + 4 * i, tci[i]);
	}
	packet_put16(f->data + f->l3 - 2, g->ip6 ? PACKET_ETHERTYPE_IPV6 : PACKET_ETHERTYPE_IPV4);
}

/* The network header in front of `len` octets; returns its length. */
static size_t network(uint8_t *ip, const struct segment *g, uint8_t protocol, size_t len)
{
	const size_t header = g->ip6 ? IP6_HEADER : 20 + g->ip_options_len;

	memset(ip, 0, g->ip6 ? IP6_HEADER : 20);
	if (g->ip6) {
		ip[0] = 0x60;
		packet_put16(ip + 4, (uint16_t)len);
		ip[6] = protocol;
		ip[7] = 64;
		traffic_address(ip + 8, true, g->src_addr);
		traffic_address(ip + 24, true, g->dst_addr);
	} else {
		ip[0] = (uint8_t)(0x40 | header / 4);
		packet_put16(ip + 2, (uint16_t)(header + len));
		packet_put16(ip + 6, 0x4000);
		ip[8] = 64;
		ip[9] = protocol;
		traffic_address(ip + 12, false, g->src_addr);
		traffic_address(ip + 16, false, g->dst_addr);
		memcpy(ip + 20, g->ip_options, g->ip_options_len);
	}
	return header;
}

/* The TCP header without options, checksum 0. */
static void tcp_header(uint8_t *tcp, const struct segment *g, size_t options)
{
	memset(tcp, 0, TCP_FIXED);
	packet_put16(tcp, g->src_port);
	packet_put16(tcp + 2, g->dst_port);
	packet_put32(tcp + 4, g->seq);
	packet_put32(tcp + 8, g->ack);
	tcp[12] = (uint8_t)((TCP_FIXED + options) / 4 << 4 | g->flags >> 8);
	tcp[13] = (uint8_t)g->flags;
	packet_put16(tcp + 14, g->wnd);
	packet_put16(tcp + 18, g->urgent);
}

static void pad(struct frame *f)
{
	if (f->len < PACKET_MIN_FRAME) {
		memset(f->data + f->len, 0, PACKET_MIN_FRAME - f->len);
		f->len = PACKET_MIN_FRAME;
	}
}

void traffic_tcp(struct frame *f, const struct segment *g)
{
	const size_t options = (g->options_len + 3) / 4 * 4, len = TCP_FIXED + options + g->text_len;
	uint8_t *tcp;

	layer2(f, g);
	f->bad_fcs = false;
	tcp = f->data + f->l3;
	tcp += network(tcp, g, 6, len);
	f->len = (size_t)(tcp - f->data) + len;
	tcp_header(tcp, g, options);
	memset(tcp + TCP_FIXED, KIND_NOP, options);
	memcpy(tcp + TCP_FIXED, g->options, g->options_len);
	memset(tcp + TCP_FIXED + options, g->text, g->text_len);
	if (!g->exact)
		pad(f);
	traffic_ip_checksum(f);
	traffic_tcp_checksum(f);
}

void traffic_icmp(struct frame *f, const struct segment *g, hf_u128 router, uint8_t type, uint8_t code, size_t octets)
{
	uint8_t tcp[TCP_FIXED], *icmp, *quote;
	struct segment outer = *g;
	size_t header, len;

	outer.src_addr = router;
	outer.dst_addr = g->src_addr;
	outer.ip_options_len = 0;
	header = g->ip6 ? IP6_HEADER : 20 + g->ip_options_len;
	len = 8 + header + octets;
	layer2(f, &outer);
	f->bad_fcs = false;
	icmp = f->data + f->l3;
	icmp += network(icmp, &outer, g->ip6 ? 58 : 1, len);
	f->len = (size_t)(icmp - f->data) + len;
	memset(icmp, 0, len);
	icmp[0] = type;
	icmp[1] = code;
	quote = icmp + 8;
	network(quote, g, 6, TCP_FIXED + g->text_len);
	tcp_header(tcp, g, 0);
	memcpy(quote + header, tcp, min(octets, sizeof tcp));
	pad(f);
	traffic_ip_checksum(f);
	traffic_icmp_checksum(f);
}

static void option(struct segment *g, const uint8_t *octets, size_t len)
{
	if (g->options_len + len > sizeof g->options)
		return;
	memcpy(g->options + g->options_len, octets, len);
	g->options_len += len;
}

void traffic_option_mss(struct segment *g, uint16_t mss)
{
	option(g, (const uint8_t[]){ KIND_MSS, 4, (uint8_t)(mss >> 8), (uint8_t)mss }, 4);
}

void traffic_option_ws(struct segment *g, uint8_t shift)
{
	option(g, (const uint8_t[]){ KIND_WS, 3, shift }, 3);
}

void traffic_option_sack(struct segment *g)
{
	option(g, (const uint8_t[]){ KIND_SACK, 2 }, 2);
}

void traffic_option_ts(struct segment *g, uint32_t tsval, uint32_t tsecr)
{
	uint8_t o[10] = { KIND_TS, sizeof o };

	packet_put32(o + 2, tsval);
	packet_put32(o + 6, tsecr);
	option(g, o, sizeof o);
}

void traffic_random_options(struct segment *g, struct rng *r)
{
	for (unsigned n = rng_below(r, 7); n--;) {
		switch (rng_below(r, 12)) {
		case 0:
		case 1:
			traffic_option_mss(
				g, rng_percent(r, 50) ? (uint16_t)rng_next(r) : (uint16_t)rng_range(r, 80, 1500));
			break;
		case 2:
		case 3:
			traffic_option_ws(g, rng_percent(r, 30) ? (uint8_t)rng_next(r) : (uint8_t)rng_range(r, 0, 16));
			break;
		case 4:
		case 5:
			traffic_option_sack(g);
			break;
		case 6:
		case 7:
			traffic_option_ts(g, (uint32_t)rng_next(r), (uint32_t)rng_next(r));
			break;
		case 8:
			for (unsigned nops = rng_range(r, 1, 5); nops--;)
				option(g, (const uint8_t[]){ KIND_NOP }, 1);
			break;
		case 9: { /* a known or unknown kind with any length, its octets there */
			uint8_t o[12];
			const uint8_t len = (uint8_t)rng_range(r, 2, sizeof o);

			for (unsigned i = 2; i < len; i++)
				o[i] = (uint8_t)rng_next(r);
			o[0] = (uint8_t)(rng_percent(r, 70) ? rng_range(r, 2, 8) : rng_next(r));
			o[1] = len;
			option(g, o, len);
			break;
		}
		case 10: /* a length that is too small or reaches beyond the header */
			option(g,
				(const uint8_t[]){ (uint8_t)rng_range(r, 2, 9),
					(uint8_t)(rng_percent(r, 50) ? rng_below(r, 2) : rng_next(r)) },
				2);
			break;
		default: /* one octet: a kind whose length is the next option's kind, or end of list */
			option(g, (const uint8_t[]){ (uint8_t)(rng_percent(r, 30) ? 0 : rng_range(r, 2, 9)) }, 1);
			break;
		}
	}
}

/* Addresses that RFC 1122 3.2.1.3 forbids on one side or the other, and their neighbours that it does not. */
static uint32_t odd_address(struct rng *r)
{
	static const uint32_t list[] = { 0, 1, 0x7f000000, 0x7f000001, 0x7effffff, 0x7fffffff, 0x80000000, 0xdfffffff,
		0xe0000000, 0xefffffff, 0xf0000000, 0xfffffffe, 0xffffffff };

	return list[rng_below(r, sizeof list / sizeof *list)];
}

static uint32_t near(struct rng *r, uint32_t value, uint32_t by)
{
	return value + rng_below(r, 2 * by + 1) - by;
}

void traffic_break(struct frame *f, struct rng *r)
{
	const bool ip6 = is_ip6(f);
	uint8_t *ip = f->data + f->l3;
	const size_t ip_header = ip6 ? IP6_HEADER : (ip[0] & 15) * 4u, addr = ip6 ? 16 : 4;
	uint8_t *src = ip + (ip6 ? 8 : 12), *dst = src + addr, *length = ip + (ip6 ? 4 : 2);
	uint8_t *tcp = ip + ip_header;
	bool fix_ip = rng_percent(r, 90), fix_tcp = rng_percent(r, 90);

	/* A frame that was cut short already is broken enough. */
	if (f->len < f->l3 + ip_header + TCP_FIXED)
		return;
	switch (rng_below(r, 23)) {
	case 0:
		f->bad_fcs = true;
		break;
	case 1: /* one bit, anywhere */
		f->data[rng_below(r, f->len)] ^= (uint8_t)(1u << rng_below(r, 8));
		fix_ip = fix_tcp = rng_percent(r, 50);
		break;
	case 2:
		packet_put16(ip + (ip6 ? 6 : 10), (uint16_t)rng_next(r));
		fix_ip = false;
		break;
	case 3:
		packet_put16(tcp + 16, (uint16_t)rng_next(r));
		fix_tcp = false;
		break;
	case 4:
		ip[0] = (uint8_t)(rng_percent(r, 50) ? rng_below(r, 16) << 4 | 5
						     : (ip6 ? 0x60u : 0x40u) | rng_below(r, 16));
		break;
	case 5: /* the length against the frame's, the headers', and anything */
		packet_put16(length, (uint16_t)(rng_percent(r, 60)   ? near(r, packet_get16(length), 24)
						: rng_percent(r, 50) ? rng_below(r, 64)
								     : rng_next(r)));
		break;
	case 6: /* offset 1; first fragment; a later one; any. IPv6: flow label and traffic class, which do not matter */
		if (ip6)
			packet_put32(ip, 0x60000000 | (uint32_t)rng_next(r) >> 4);
		else
			packet_put16(ip + 6, (uint16_t)((const uint16_t[]){ 1, 0x2001, 0x2000, 0x2002, 0x00b9, 0x8000,
						     0xc000, 0x6000, (uint16_t)rng_next(r) })[rng_below(r, 9)]);
		break;
	case 7: /* a first fragment too short for the TCP header, RFC 1858; a segment too short for it */
		if (!ip6)
			packet_put16(ip + 6, 0x2000);
		packet_put16(length, (uint16_t)((ip6 ? 0 : ip_header) + rng_range(r, 16, 24)));
		break;
	case 8:
		tcp[12] = (uint8_t)(rng_below(r, 16) << 4 | (tcp[12] & 1));
		break;
	case 9: {
		static const uint8_t others[] = { 17, 0, 43, 44, 50, 51, 58, 1, 6, 59, 60 };

		ip[ip6 ? 6 : 9] = others[rng_below(r, sizeof others)];
		break;
	}
	case 10:
	case 11: {
		uint8_t *which = rng_percent(r, 50) ? src : dst;

		if (!ip6) {
			packet_put32(which, odd_address(r));
			break;
		}
		/* ::, ::1, ff00::/8 and their neighbours; an IPv4-mapped address is one like any other */
		memset(which, 0, 16);
		which[15] = (uint8_t)rng_below(r, 3);
		if (rng_percent(r, 60))
			which[rng_below(r, 16)] = (uint8_t[]){ 0xff, 0xfe, 0x80, 0x01 }[rng_below(r, 4)];
		if (rng_percent(r, 20))
			memset(which + 10, 0xff, 2);
		break;
	}
	case 12: /* LAND, or all but */
		memcpy(src, dst, addr);
		if (rng_percent(r, 70))
			memcpy(tcp, tcp + 2, 2);
		break;
	case 13:
		f->data[rng_below(r, 6)] ^= (uint8_t)(1u << rng_below(r, 8));
		break;
	case 14: /* one more VLAN tag */
		memmove(f->data + 16, f->data + 12, f->len - 12);
		packet_put16(f->data + 12, rng_percent(r, 50) ? 0x8100 : 0x88a8);
		packet_put16(f->data + 14, (uint16_t)rng_next(r));
		f->len += 4;
		f->l3 += 4;
		return;
	case 15: /* cut short */
		f->len = rng_range(r, 1, (uint32_t)f->len);
		break;
	case 16: /* padding behind the datagram is anything, and not summed */
		for (unsigned n = rng_below(r, 70); n--;)
			f->data[f->len++] = (uint8_t)rng_next(r);
		break;
	case 17: /* flags */
		tcp[13] = (uint8_t)rng_next(r);
		tcp[12] ^= rng_below(r, 16);
		break;
	case 18: /* the two forms of zero in a checksum field */
		packet_put16(tcp + 16, 0);
		packet_put16(tcp + 18, 0);
		traffic_tcp_checksum(f);
		/* The urgent pointer takes up what is left, so that the sum of all else is 0xffff. */
		packet_put16(tcp + 18, packet_get16(tcp + 16));
		packet_put16(tcp + 16, rng_percent(r, 50) ? 0 : 0xffff);
		fix_tcp = false;
		break;
	case 19:
		if (ip6)
			break;
		packet_put16(ip + 4, 0);
		traffic_ip_checksum(f);
		packet_put16(ip + 4, packet_get16(ip + 10));
		packet_put16(ip + 10, rng_percent(r, 50) ? 0 : 0xffff);
		fix_ip = false;
		break;
	case 20: /* sequence and acknowledgment numbers */
		packet_put32(tcp + 4, near(r, packet_get32(tcp + 4), 70000));
		packet_put32(tcp + 8, near(r, packet_get32(tcp + 8), 2));
		break;
	case 21: /* the EtherType of the other family, or a tag that does not belong where it stands */
		packet_put16(f->data + f->l3 - 2,
			(uint16_t[]){ PACKET_ETHERTYPE_IPV4, PACKET_ETHERTYPE_IPV6, 0x8100, 0x88a8 }[rng_below(r, 4)]);
		return;
	default:
		packet_put16(f->data + f->l3 - 2, (uint16_t)rng_next(r));
		return;
	}
	if (fix_ip)
		traffic_ip_checksum(f);
	if (fix_tcp)
		traffic_tcp_checksum(f);
}

void traffic_break_icmp(struct frame *f, struct rng *r)
{
	const bool ip6 = is_ip6(f);
	uint8_t *ip = f->data + f->l3, *icmp = ip + (ip6 ? IP6_HEADER : (ip[0] & 15) * 4u), *quote = icmp + 8;
	uint8_t *length = ip + (ip6 ? 4 : 2);
	bool fix = true;

	switch (rng_below(r, 10)) {
	case 0: /* one bit of it */
		icmp[rng_below(r, 8 + 40)] ^= (uint8_t)(1u << rng_below(r, 8));
		fix = rng_percent(r, 50);
		break;
	case 1: /* a fragment is quoted, or one octet of IPv4 options */
		if (ip6)
			quote[0] ^= 0x10;
		else if (rng_percent(r, 50))
			packet_put16(quote + 6, (uint16_t)(1u << rng_below(r, 16)));
		else
			quote[0] = (uint8_t)(0x44 + rng_below(r, 3));
		break;
	case 2: /* another protocol is */
		quote[ip6 ? 6 : 9] = (uint8_t)rng_below(r, 60);
		break;
	case 3: /* the message is shorter than its quote must be, or just not */
		packet_put16(length, (uint16_t)near(r, packet_get16(length), 3));
		break;
	case 4:
		packet_put16(icmp + 2, (uint16_t)rng_next(r));
		fix = false;
		break;
	case 5:
		f->data[rng_below(r, 6)] ^= (uint8_t)(1u << rng_below(r, 8));
		break;
	case 6: /* the ICMP of the other family */
		ip[ip6 ? 6 : 9] = ip6 ? 1 : 58;
		break;
	case 7:
		if (!ip6)
			packet_put16(ip + 6, (uint16_t)(1u << rng_below(r, 16)));
		break;
	case 8: /* cut short */
		f->len = rng_range(r, 1, (uint32_t)f->len);
		return;
	default:
		f->bad_fcs = rng_percent(r, 50);
		icmp[0] = (uint8_t)rng_below(r, 16);
		icmp[1] = (uint8_t)rng_below(r, 16);
		break;
	}
	traffic_ip_checksum(f);
	if (fix)
		traffic_icmp_checksum(f);
}

void traffic_other(struct frame *f, struct rng *r, size_t max_frame)
{
	static const uint16_t types[] = { PACKET_ETHERTYPE_ARP, PACKET_ETHERTYPE_IPV6, 0x8100, 0x88a8, 0x0800, 0x0801,
		0x88cc };

	f->bad_fcs = false;
	switch (rng_below(r, 8)) {
	case 0:
	case 1:
	case 2: /* frames of one beat */
		f->len = rng_range(r, 1, 8);
		break;
	case 3: /* around the Ethernet and IPv4 headers */
		f->len = rng_range(r, 9, 40);
		break;
	case 4:
		f->len = rng_range(r, 60, 120);
		break;
	case 5:
		f->len = rng_range(r, (uint32_t)max_frame - 10, (uint32_t)max_frame + 10);
		break;
	case 6:
		f->len = rng_range(r, 60, (uint32_t)max_frame + 40);
		break;
	default:
		f->len = rng_percent(r, 3) ? max_frame * 3 : 60;
		break;
	}
	for (size_t i = 0; i < f->len; i++)
		f->data[i] = (uint8_t)rng_next(r);
	f->l3 = IP;
	if (f->len >= 14)
		packet_put16(f->data + 12, types[rng_below(r, sizeof types / sizeof *types)]);
	/* One or two tags, or all but. */
	for (unsigned n = rng_below(r, 3); n-- && f->len >= f->l3 + 4;) {
		packet_put16(f->data + f->l3 - 2, rng_percent(r, 60) ? 0x8100 : 0x88a8);
		packet_put16(f->data + f->l3 + 2, types[rng_below(r, sizeof types / sizeof *types)]);
		f->l3 += 4;
	}
	if (f->len >= f->l3 + 20 && rng_percent(r, 40)) {
		uint8_t *ip = f->data + f->l3;

		packet_put16(ip - 2, PACKET_ETHERTYPE_IPV4);
		ip[0] = 0x45;
		packet_put16(ip + 2, (uint16_t)(f->len - f->l3));
		packet_put16(ip + 6, 0);
		if (rng_percent(r, 30))
			ip[9] = rng_percent(r, 50) ? 1 : 6;
		traffic_ip_checksum(f);
	} else if (f->len >= f->l3 + IP6_HEADER && rng_percent(r, 60)) {
		uint8_t *ip = f->data + f->l3;

		packet_put16(ip - 2, PACKET_ETHERTYPE_IPV6);
		ip[0] = 0x60;
		packet_put16(ip + 4, (uint16_t)near(r, (uint32_t)(f->len - f->l3 - IP6_HEADER), 1));
		ip[6] = (uint8_t[]){ 0, 6, 17, 43, 44, 58 }[rng_below(r, 6)];
	}
}

void traffic_message(
	uint8_t *msg, uint8_t type, uint8_t flags, uint16_t length, uint32_t id, uint64_t cookie, size_t bytes)
{
	memset(msg, 0, bytes < HF_MSG_HEADER_BYTES ? HF_MSG_HEADER_BYTES : bytes);
	msg[HF_AT_HEADER_type] = type;
	msg[HF_AT_HEADER_flags] = flags;
	for (unsigned i = 0; i < 2; i++)
		msg[HF_AT_HEADER_length + i] = (uint8_t)(length >> 8 * i);
	for (unsigned i = 0; i < 4; i++)
		msg[HF_AT_HEADER_id + i] = (uint8_t)(id >> 8 * i);
	for (unsigned i = 0; i < 8; i++)
		msg[HF_AT_HEADER_stamp + i] = (uint8_t)(cookie >> 8 * i);
}
