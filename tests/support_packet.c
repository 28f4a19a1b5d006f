/* SPDX-License-Identifier: Apache-2.0
 * support_packet.c - reference arithmetic and packets, written for the tests alone: what they expect shares no
 * line with what they test. */
#include <ctype.h>

#include "support_bench.h"

const uint8_t PEER6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, OUR6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 };

/* A sum of 16-bit words with end-around carry is the big number modulo 65535, where a multiple of 65535 other than
 * zero itself reads 0xffff. */
static uint16_t ones_complement(uint64_t total)
{
	return total == 0 ? 0 : total % 65535 == 0 ? 0xffff : (uint16_t)(total % 65535);
}

static uint64_t total_of(const uint8_t *p, size_t len)
{
	uint64_t total = 0;

	for (size_t i = 0; i < len; i++)
		total += i % 2 ? p[i] : (uint64_t)p[i] << 8;
	return total;
}

uint16_t ref_sum(const void *octets, size_t len)
{
	return ones_complement(total_of(octets, len));
}

uint16_t ref_ip_checksum(const uint8_t *ip)
{
	return (uint16_t)~ones_complement(total_of(ip, (ip[0] & 15u) * 4) - get16(ip + 10));
}

uint16_t ref_tcp_checksum(const uint8_t *ip)
{
	size_t header = (ip[0] & 15u) * 4;
	size_t tcp_len = get16(ip + 2) - header;
	uint64_t total;

	if (ip[0] >> 4 == 6) { /* RFC 8200 8.1 */
		header = 40;
		tcp_len = get16(ip + 4);
		total = total_of(ip + 8, 32);
	} else {
		total = total_of(ip + 12, 8);
	}
	total += 6 + tcp_len + total_of(ip + header, tcp_len) - get16(ip + header + 16);

	return (uint16_t)~ones_complement(total);
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", section 2. */
static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void sip_rounds(uint64_t v[4], unsigned n)
{
	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

uint64_t ref_siphash(const uint8_t key[16], const void *octets, size_t len)
{
	static const char word[] = "somepseudorandomlygeneratedbytes";
	const uint8_t *p = octets;
	uint64_t v[4];

	for (unsigned i = 0; i < 4; i++) {
		v[i] = get_le(key + i % 2 * 8, 8);
		for (unsigned k = 0; k < 8; k++)
			v[i] ^= (uint64_t)(uint8_t)word[i * 8 + k] << (56 - 8 * k);
	}
	for (size_t at = 0; at <= len; at += 8) {
		size_t n = len - at < 8 ? len - at : 8;
		uint64_t m = get_le(p + at, (unsigned)n) | (n < 8 ? (uint64_t)(len & 255) << 56 : 0);

		v[3] ^= m;
		sip_rounds(v, 2);
		v[0] ^= m;
	}
	v[2] ^= 255;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint32_t random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(random_next(state) >> 33) % n;
}

uint64_t get_le(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

void put_le(uint8_t *p, unsigned bytes, uint64_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

size_t from_hex(const char *hex, uint8_t *out, size_t max)
{
	size_t n = 0;

	for (; n < max && isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]); hex += 2) {
		char two[3] = { hex[0], hex[1], 0 };

		out[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

uint16_t flags_parse(const char *text)
{
	static const char letters[] = "FSRP.UEWA"; /* bit 0 first */
	uint16_t flags = 0;

	for (; *text; text++) {
		const char *at = strchr(letters, *text);

		if (at)
			flags |= (uint16_t)(1u << (at - letters));
	}
	return flags;
}

size_t options_build(uint8_t *octets, const char *text)
{
	uint8_t out[60] = { 0 };
	size_t n = 0;

	while (text && *text && n <= 40) {
		size_t word = strcspn(text, " ");
		char *end = NULL;

		if (!strncmp(text, "mss=", 4)) {
			out[n] = 2;
			out[n + 1] = 4;
			put16(out + n + 2, (uint32_t)strtoul(text + 4, NULL, 0));
			n += 4;
		} else if (!strncmp(text, "ws=", 3)) {
			out[n] = 3;
			out[n + 1] = 3;
			out[n + 2] = (uint8_t)strtoul(text + 3, NULL, 0);
			n += 3;
		} else if (!strncmp(text, "sack", 4)) {
			out[n++] = 4;
			out[n++] = 2;
		} else if (!strncmp(text, "ts=", 3)) {
			out[n] = 8;
			out[n + 1] = 10;
			put32(out + n + 2, (uint32_t)strtoul(text + 3, &end, 0));
			put32(out + n + 6, *end == ':' ? (uint32_t)strtoul(end + 1, NULL, 0) : 0);
			n += 10;
		} else if (!strncmp(text, "nop", 3)) {
			out[n++] = 1;
		} else if (!strncmp(text, "eol", 3)) {
			out[n++] = 0;
		} else if (!strncmp(text, "x=", 2)) {
			n += from_hex(text + 2, out + n, 41 - n);
		} else {
			fprintf(stderr, "options \"%s\": no such word\n", text);
			abort(); /* a mistake in a test table */
		}
		text += word + strspn(text + word, " ");
	}
	n = (n + 3) & ~(size_t)3;
	if (n > 40) {
		fputs("more than 40 octets of options\n", stderr);
		abort();
	}
	memcpy(octets, out, n);
	return n;
}

size_t make_packet(uint8_t *ip, const struct segment *s)
{
	size_t ip_opts = s->ip_opts ? from_hex(s->ip_opts, ip + 20, 40) : 0;
	size_t header = 20 + ip_opts, len;
	size_t opts;
	uint8_t *tcp;

	if (s->ip6)
		header = 40;
	tcp = ip + header;
	opts = options_build(tcp + 20, s->opts);
	len = header + 20 + opts + s->text_len;
	memset(ip, 0, s->ip6 ? 40 : 20);
	if (s->ip6) {
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)(len - 40));
		ip[6] = 6;
		ip[7] = s->ttl ? s->ttl : 64;
		memcpy(ip + 8, s->back ? OUR6 : PEER6, 16);
		memcpy(ip + 24, s->back ? PEER6 : OUR6, 16);
	} else {
		ip[0] = (uint8_t)(0x40 + header / 4);
		ip[1] = s->tos;
		put16(ip + 2, (uint32_t)len);
		put16(ip + 4, s->ip_id);
		put16(ip + 6, 0x4000);
		ip[8] = s->ttl ? s->ttl : 64;
		ip[9] = 6;
		put32(ip + 12, s->src ? s->src : PEER_ADDR);
		put32(ip + 16, s->dst ? s->dst : OUR_ADDR);
	}
	put16(tcp, s->sport);
	put16(tcp + 2, s->dport);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	put16(tcp + 12, (uint32_t)((20 + opts) / 4 << 12) | s->flags);
	put16(tcp + 14, s->wnd);
	put32(tcp + 16, 0);
	if (s->text_len)
		memcpy(tcp + 20 + opts, s->text, s->text_len);
	fix_packet(ip);
	return len;
}

void fix_packet(uint8_t *ip)
{
	uint8_t *tcp = ip + (ip[0] >> 4 == 6 ? 40 : (ip[0] & 15) * 4);

	if (ip[0] >> 4 != 6)
		put16(ip + 10, ref_ip_checksum(ip));
	put16(tcp + 16, ref_tcp_checksum(ip));
}

size_t make_frame(uint8_t *frame, uint64_t dst_mac, uint64_t src_mac, const uint8_t *ip, size_t len)
{
	return make_tagged_frame(frame, dst_mac, src_mac, &(struct tags){ 0 }, ip, len);
}

size_t make_arp_reply(uint8_t *reply, const uint8_t *request, size_t l3, uint64_t mac)
{
	memcpy(reply, request + 6, 6);
	put48(reply + 6, mac);
	memcpy(reply + 12, request + 12, l3 - 6);
	put16(reply + l3 + 6, 2);
	put48(reply + l3 + 8, mac);
	memcpy(reply + l3 + 14, request + l3 + 24, 4);
	memcpy(reply + l3 + 18, request + l3 + 8, 10);
	return l3 + 28;
}

size_t make_tagged_frame(
	uint8_t *frame, uint64_t dst_mac, uint64_t src_mac, const struct tags *tags, const uint8_t *ip, size_t len)
{
	uint8_t *at = frame + 12;

	put48(frame, dst_mac);
	put48(frame + 6, src_mac);
	for (unsigned i = 0; i < tags->count; i++, at += 4) {
		put16(at, !i && tags->svlan ? 0x88a8 : 0x8100);
		put16(at + 2, i ? tags->inner : tags->outer);
	}
	put16(at, ip[0] >> 4 == 6 ? 0x86dd : 0x0800);
	memcpy(at + 2, ip, len);
	len += 14 + 4 * tags->count;
	if (len < 60) {
		memset(frame + len, 0, 60 - len);
		len = 60;
	}
	return len;
}
