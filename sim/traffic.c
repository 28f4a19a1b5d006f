/* SPDX-License-Identifier: Apache-2.0
 * traffic.c - frames and messages for lock step and bench. */
#include <string.h>
#include "../regs/regs.h"
#include "traffic.h"

#define IP	  PACKET_ETH_HEADER
#define TCP_FIXED 20

enum { KIND_NOP = 1, KIND_MSS = 2, KIND_WS = 3, KIND_SACK = 4, KIND_TS = 8 };

void traffic_ip_checksum(struct frame *f)
{
	const size_t header = (f->data[IP] & 15) * 4u;

	if (f->len < IP + 20 || header < 20 || IP + header > f->len)
		return;
	packet_put16(f->data + IP + 10, 0);
	packet_put16(f->data + IP + 10, (uint16_t)~packet_fold(packet_sum(0, f->data + IP, header)));
}

void traffic_tcp_checksum(struct frame *f)
{
	const size_t header = (f->data[IP] & 15) * 4u, total = packet_get16(f->data + IP + 2);
	uint8_t *tcp = f->data + IP + header;
	uint32_t sum;

	if (f->len < IP + 20 || IP + total > f->len || total < header + TCP_FIXED)
		return;
	packet_put16(tcp + 16, 0);
	sum = packet_pseudo_sum(packet_get32(f->data + IP + 12), packet_get32(f->data + IP + 16), 6, total - header);
	packet_put16(tcp + 16, (uint16_t)~packet_fold(packet_sum(sum, tcp, total - header)));
}

void traffic_tcp(struct frame *f, const struct segment *g)
{
	const size_t options = (g->options_len + 3) / 4 * 4, ip_header = 20 + g->ip_options_len;
	const size_t total = ip_header + TCP_FIXED + options + g->text_len;
	uint8_t *ip = f->data + IP, *tcp = ip + ip_header;

	f->len = IP + total;
	f->bad_fcs = false;
	memset(f->data, 0, IP + ip_header + TCP_FIXED);
	memcpy(f->data, g->dst_mac, 6);
	memcpy(f->data + 6, g->src_mac, 6);
	packet_put16(f->data + 12, PACKET_ETHERTYPE_IPV4);
	ip[0] = (uint8_t)(0x40 | ip_header / 4);
	packet_put16(ip + 2, (uint16_t)total);
	packet_put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = 6;
	packet_put32(ip + 12, g->src_addr);
	packet_put32(ip + 16, g->dst_addr);
	memcpy(ip + 20, g->ip_options, g->ip_options_len);
	packet_put16(tcp, g->src_port);
	packet_put16(tcp + 2, g->dst_port);
	packet_put32(tcp + 4, g->seq);
	packet_put32(tcp + 8, g->ack);
	tcp[12] = (uint8_t)((TCP_FIXED + options) / 4 << 4 | g->flags >> 8);
	tcp[13] = (uint8_t)g->flags;
	packet_put16(tcp + 14, g->wnd);
	packet_put16(tcp + 18, g->urgent);
	memset(tcp + TCP_FIXED, KIND_NOP, options);
	memcpy(tcp + TCP_FIXED, g->options, g->options_len);
	memset(tcp + TCP_FIXED + options, g->text, g->text_len);
	if (!g->exact && f->len < PACKET_MIN_FRAME) {
		memset(f->data + f->len, 0, PACKET_MIN_FRAME - f->len);
		f->len = PACKET_MIN_FRAME;
	}
	traffic_ip_checksum(f);
	traffic_tcp_checksum(f);
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
	uint8_t *ip = f->data + IP;
	const size_t ip_header = (ip[0] & 15) * 4u;
	uint8_t *tcp = ip + ip_header;
	bool fix_ip = rng_percent(r, 90), fix_tcp = rng_percent(r, 90);

	/* A frame that was cut short already is broken enough. */
	if (f->len < IP + 20 + TCP_FIXED)
		return;
	switch (rng_below(r, 22)) {
	case 0:
		f->bad_fcs = true;
		break;
	case 1: /* one bit, anywhere */
		f->data[rng_below(r, f->len)] ^= (uint8_t)(1u << rng_below(r, 8));
		fix_ip = fix_tcp = rng_percent(r, 50);
		break;
	case 2:
		packet_put16(ip + 10, (uint16_t)rng_next(r));
		fix_ip = false;
		break;
	case 3:
		packet_put16(tcp + 16, (uint16_t)rng_next(r));
		fix_tcp = false;
		break;
	case 4:
		ip[0] = (uint8_t)(rng_percent(r, 50) ? rng_below(r, 16) << 4 | 5 : 0x40 | rng_below(r, 16));
		break;
	case 5: /* total length against the frame's, the headers', and anything */
		packet_put16(ip + 2, (uint16_t)(rng_percent(r, 60)   ? near(r, packet_get16(ip + 2), 24)
						: rng_percent(r, 50) ? rng_below(r, 64)
								     : rng_next(r)));
		break;
	case 6: /* offset 1; first fragment; a later one; any */
		packet_put16(ip + 6, (uint16_t)((const uint16_t[]){ 1, 0x2001, 0x2000, 0x2002, 0x00b9, 0x8000, 0xc000,
					     0x6000, (uint16_t)rng_next(r) })[rng_below(r, 9)]);
		break;
	case 7: /* a first fragment too short for the TCP header, RFC 1858 */
		packet_put16(ip + 6, 0x2000);
		packet_put16(ip + 2, (uint16_t)(ip_header + rng_range(r, 16, 24)));
		break;
	case 8:
		tcp[12] = (uint8_t)(rng_below(r, 16) << 4 | (tcp[12] & 1));
		break;
	case 9:
		ip[9] = (uint8_t)(rng_percent(r, 50) ? 17 : rng_next(r));
		break;
	case 10:
		packet_put32(ip + 12, odd_address(r));
		break;
	case 11:
		packet_put32(ip + 16, odd_address(r));
		break;
	case 12: /* LAND, or all but */
		memcpy(ip + 12, ip + 16, 4);
		if (rng_percent(r, 70))
			memcpy(tcp, tcp + 2, 2);
		break;
	case 13:
		f->data[rng_below(r, 6)] ^= (uint8_t)(1u << rng_below(r, 8));
		break;
	case 14: /* a VLAN tag */
		memmove(f->data + 16, f->data + 12, f->len - 12);
		packet_put16(f->data + 12, rng_percent(r, 50) ? 0x8100 : 0x88a8);
		packet_put16(f->data + 14, (uint16_t)rng_next(r));
		f->len += 4;
		fix_ip = fix_tcp = false;
		break;
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
	default:
		packet_put16(f->data + 12, (uint16_t)rng_next(r));
		fix_ip = fix_tcp = false;
		break;
	}
	if (fix_ip)
		traffic_ip_checksum(f);
	if (fix_tcp)
		traffic_tcp_checksum(f);
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
	if (f->len >= 14)
		packet_put16(f->data + 12, types[rng_below(r, sizeof types / sizeof *types)]);
	if (f->len >= 34 && rng_percent(r, 70)) {
		f->data[IP] = 0x45;
		packet_put16(f->data + IP + 2, (uint16_t)(f->len - IP));
		packet_put16(f->data + IP + 6, 0);
		traffic_ip_checksum(f);
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
