/* SPDX-License-Identifier: Apache-2.0
 * packet.c - read and make Ethernet, IPv4 and TCP headers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "../regs/regs.h"
#include "packet.h"

#define IPV4_HEADER  20
#define TCP_HEADER   20
#define PROTOCOL_TCP 6

enum { OPT_END = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_WS = 3, OPT_SACK_OK = 4, OPT_SACK = 5, OPT_TS = 8 };

/* Step to the option at *at. Returns its kind, sets its length (1 for NOP) and moves *at behind it;
 * -1 at the end of the options, -2 when they are malformed here. */
static int next_option(const struct packet *p, size_t *at, const uint8_t **option, size_t *len)
{
	if (*at >= p->options_len || p->options[*at] == OPT_END)
		return -1;
	*option = p->options + *at;
	*len = 1;
	if (**option != OPT_NOP) {
		if (*at + 1 >= p->options_len)
			return -2;
		*len = (*option)[1];
		if (*len < 2 || *at + *len > p->options_len)
			return -2;
	}
	*at += *len;
	return **option;
}

static void parse_options(struct packet *p)
{
	const uint8_t *o;
	size_t at = 0, len;
	int kind;

	while ((kind = next_option(p, &at, &o, &len)) >= 0) {
		if (kind == OPT_MSS && len == 4) {
			p->mss_ok = true;
			p->mss = packet_get16(o + 2);
		} else if (kind == OPT_WS && len == 3) {
			p->ws_ok = true;
			p->ws = o[2];
		} else if (kind == OPT_SACK_OK && len == 2) {
			p->sack_ok = true;
		} else if (kind == OPT_TS && len == 10) {
			p->ts_ok = true;
			p->tsval = packet_get32(o + 2);
			p->tsecr = packet_get32(o + 6);
		}
	}
}

bool packet_parse(const uint8_t *frame, size_t len, struct packet *p)
{
	const uint8_t *ip = frame + PACKET_ETH_HEADER, *tcp;
	size_t ip_header, total, tcp_header;

	memset(p, 0, sizeof(*p));
	if (len < PACKET_ETH_HEADER)
		return false;
	memcpy(p->dst_mac, frame, 6);
	memcpy(p->src_mac, frame + 6, 6);
	p->ethertype = packet_get16(frame + 12);
	if (p->ethertype != PACKET_ETHERTYPE_IPV4 || len < PACKET_ETH_HEADER + IPV4_HEADER || ip[0] >> 4 != 4)
		return true;
	ip_header = (ip[0] & 15u) * 4u;
	total = packet_get16(ip + 2);
	if (ip_header < IPV4_HEADER || total < ip_header || PACKET_ETH_HEADER + total > len)
		return true;
	p->is_ipv4 = true;
	p->protocol = ip[9];
	p->src_addr = packet_get32(ip + 12);
	p->dst_addr = packet_get32(ip + 16);
	if (p->protocol != PROTOCOL_TCP || (packet_get16(ip + 6) & 0x3fff) || total - ip_header < TCP_HEADER)
		return true;
	tcp = ip + ip_header;
	tcp_header = (tcp[12] >> 4) * 4u;
	if (tcp_header < TCP_HEADER || tcp_header > total - ip_header)
		return true;
	p->is_tcp = true;
	p->src_port = packet_get16(tcp);
	p->dst_port = packet_get16(tcp + 2);
	p->seq = packet_get32(tcp + 4);
	p->ack = packet_get32(tcp + 8);
	p->flags = packet_get16(tcp + 12) & 0x1ff;
	p->wnd = packet_get16(tcp + 14);
	p->options = tcp + TCP_HEADER;
	p->options_len = tcp_header - TCP_HEADER;
	p->text = tcp + tcp_header;
	p->text_len = total - ip_header - tcp_header;
	parse_options(p);
	return true;
}

uint32_t packet_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	for (; len > 1; len -= 2, data += 2) {
		sum += packet_get16(data);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return len ? sum + ((uint32_t)data[0] << 8) : sum;
}

uint16_t packet_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint32_t packet_pseudo_sum(uint32_t src_addr, uint32_t dst_addr, uint8_t protocol, size_t len)
{
	return (src_addr >> 16) + (src_addr & 0xffff) + (dst_addr >> 16) + (dst_addr & 0xffff) + protocol +
	       (uint32_t)len;
}

size_t packet_build(const struct packet *p, uint8_t *frame, size_t size)
{
	uint8_t *ip = frame + PACKET_ETH_HEADER, *tcp = ip + IPV4_HEADER, *o = tcp + TCP_HEADER;
	size_t header =
		TCP_HEADER + (p->mss_ok ? 4 : 0) + (p->sack_ok ? 4 : 0) + (p->ws_ok ? 4 : 0) + (p->ts_ok ? 12 : 0);
	size_t tcp_len = header + p->text_len, len = PACKET_ETH_HEADER + IPV4_HEADER + tcp_len;
	size_t padded = len < PACKET_MIN_FRAME ? PACKET_MIN_FRAME : len;

	if (padded > size)
		return 0;
	memset(frame, 0, padded);
	memcpy(frame, p->dst_mac, 6);
	memcpy(frame + 6, p->src_mac, 6);
	packet_put16(frame + 12, PACKET_ETHERTYPE_IPV4);
	ip[0] = 0x45;
	packet_put16(ip + 2, (uint16_t)(IPV4_HEADER + tcp_len));
	packet_put16(ip + 6, 0x4000); /* DF */
	ip[8] = 64;		      /* TTL */
	ip[9] = PROTOCOL_TCP;
	packet_put32(ip + 12, p->src_addr);
	packet_put32(ip + 16, p->dst_addr);
	packet_put16(ip + 10, (uint16_t)~packet_fold(packet_sum(0, ip, IPV4_HEADER)));
	packet_put16(tcp, p->src_port);
	packet_put16(tcp + 2, p->dst_port);
	packet_put32(tcp + 4, p->seq);
	packet_put32(tcp + 8, p->ack);
	packet_put16(tcp + 12, (uint16_t)(header / 4 << 12 | (p->flags & 0x1ff)));
	packet_put16(tcp + 14, p->wnd);
	if (p->mss_ok) {
		packet_put32(o, (uint32_t)OPT_MSS << 24 | 4u << 16 | p->mss);
		o += 4;
	}
	if (p->sack_ok) {
		packet_put32(o, OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK_OK << 8 | 2);
		o += 4;
	}
	if (p->ts_ok) {
		packet_put32(o, OPT_NOP << 24 | OPT_NOP << 16 | OPT_TS << 8 | 10);
		packet_put32(o + 4, p->tsval);
		packet_put32(o + 8, p->tsecr);
		o += 12;
	}
	if (p->ws_ok) {
		packet_put32(o, OPT_NOP << 24 | OPT_WS << 16 | 3 << 8 | p->ws);
		o += 4;
	}
	if (p->text_len)
		memcpy(o, p->text, p->text_len);
	packet_put16(tcp + 16,
		(uint16_t)~packet_fold(
			packet_sum(packet_pseudo_sum(p->src_addr, p->dst_addr, PROTOCOL_TCP, tcp_len), tcp, tcp_len)));
	return padded;
}

/* Append to a text that may be full already. */
__attribute__((format(printf, 3, 4))) static void append(char *out, size_t size, const char *format, ...)
{
	size_t used = strlen(out);
	va_list args;

	va_start(args, format);
	vsnprintf(out + used, size - used, format, args);
	va_end(args);
}

void packet_options_text(const struct packet *p, char *out, size_t size)
{
	const uint8_t *o;
	size_t at = 0, len;
	int kind;

	out[0] = '\0';
	while ((kind = next_option(p, &at, &o, &len)) >= 0) {
		if (kind == OPT_NOP)
			continue;
		append(out, size, "%s", out[0] ? ", " : "");
		if (kind == OPT_MSS && len == 4)
			append(out, size, "MSS %u", packet_get16(o + 2));
		else if (kind == OPT_WS && len == 3)
			append(out, size, "WS %u", o[2]);
		else if (kind == OPT_SACK_OK && len == 2)
			append(out, size, "SACK permitted");
		else if (kind == OPT_TS && len == 10)
			append(out, size, "TSval %u TSecr %u", packet_get32(o + 2), packet_get32(o + 6));
		else if (kind == OPT_SACK)
			append(out, size, "SACK");
		else
			append(out, size, "option %d length %zu", kind, len);
	}
	if (kind == -2)
		append(out, size, "%smalformed", out[0] ? ", " : "");
}

void packet_flags_text(uint16_t flags, char *out, size_t size)
{
	static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE" };

	out[0] = '\0';
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags >> i & 1)
			append(out, size, "%s%s", out[0] ? "," : "", names[i]);
	if (!out[0])
		append(out, size, "none");
}
