/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "regs/regs.h"

enum { ETHERNET = 14, IP4 = 20, IP6 = 40, TCP = 20, CHECKSUM_AT = 16, OPTION_TIMESTAMPS = 8 };

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* RFC 1071, an odd last octet summed as if a zero followed. */
static uint32_t sum16(const uint8_t *at, size_t len, uint32_t sum)
{
	for (; len > 1; at += 2, len -= 2)
		sum += get16(at);
	return len ? sum + ((uint32_t)*at << 8) : sum;
}

static uint32_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* Of the addresses at l3 and a TCP segment of this length. */
static uint32_t pseudo_sum(const uint8_t *ip, bool ip6, size_t tcp_len)
{
	return sum16(ip + (ip6 ? 8 : 12), ip6 ? 32 : 8, (uint32_t)(IPPROTO_TCP + tcp_len));
}

/* Reading ----------------------------------------------------------------------------------------------------------- */

/* Offset of the network header and the EtherType; false when the frame is too short. */
static bool read_ethernet(const uint8_t *frame, size_t len, size_t *l3, uint32_t *type)
{
	*l3 = ETHERNET;
	if (len < ETHERNET)
		return false;
	*type = get16(frame + 12);
	for (unsigned i = 0; i < FRAME_TAGS_MAX && (*type == 0x8100 || (*type == 0x88a8 && !i)); i++) {
		if (len < *l3 + 4)
			return false;
		*type = get16(frame + *l3 + 2);
		*l3 += 4;
	}
	return true;
}

/* Sets l4, end and the addresses. */
static bool read_ip(const uint8_t *frame, size_t len, uint32_t type, struct frame_tcp *t)
{
	const uint8_t *ip = frame + t->l3;
	size_t left = len - t->l3;

	if (type == 0x0800 && left >= IP4 && ip[0] >> 4 == 4) {
		size_t header = (size_t)(ip[0] & 15) * 4, total = get16(ip + 2);

		if (header < IP4 || total < header || total > left || ip[9] != IPPROTO_TCP || get16(ip + 6) & 0x3fff)
			return false;
		t->source.in.sin_family = t->destination.in.sin_family = AF_INET;
		memcpy(&t->source.in.sin_addr, ip + 12, 4);
		memcpy(&t->destination.in.sin_addr, ip + 16, 4);
		t->l4 = t->l3 + header;
		t->end = t->l3 + total;
		return true;
	}
	if (type == 0x86dd && left >= IP6 && ip[0] >> 4 == 6) {
		if (get16(ip + 4) > left - IP6 || ip[6] != IPPROTO_TCP)
			return false;
		t->source.in6.sin6_family = t->destination.in6.sin6_family = AF_INET6;
		memcpy(&t->source.in6.sin6_addr, ip + 8, 16);
		memcpy(&t->destination.in6.sin6_addr, ip + 24, 16);
		t->l4 = t->l3 + IP6;
		t->end = t->l3 + IP6 + get16(ip + 4);
		return true;
	}
	return false;
}

static void read_timestamps(const uint8_t *option, size_t left, struct frame_tcp *t)
{
	while (left && option[0]) {
		size_t size = option[0] == 1 ? 1 : left < 2 ? 0 : option[1];

		if (size < (option[0] == 1 ? 1 : 2) || size > left)
			return;
		if (option[0] == OPTION_TIMESTAMPS && size == 10) {
			t->ts = true;
			t->tsval = get32(option + 2);
			t->tsecr = get32(option + 6);
		}
		option += size;
		left -= size;
	}
}

bool frame_read_tcp(const uint8_t *frame, size_t len, struct frame_tcp *t)
{
	const uint8_t *tcp;
	uint32_t type;

	memset(t, 0, sizeof(*t));
	if (!read_ethernet(frame, len, &t->l3, &type) || !read_ip(frame, len, type, t) || t->end - t->l4 < TCP)
		return false;
	tcp = frame + t->l4;
	t->payload = t->l4 + (size_t)(tcp[12] >> 4) * 4;
	if (t->payload < t->l4 + TCP || t->payload > t->end)
		return false;
	address_set_port(&t->source, (uint16_t)get16(tcp));
	address_set_port(&t->destination, (uint16_t)get16(tcp + 2));
	t->seq = get32(tcp + 4);
	t->ack = get32(tcp + 8);
	t->flags = get16(tcp + 12) & 0x1ff;
	t->wnd = (uint16_t)get16(tcp + 14);
	read_timestamps(tcp + TCP, t->payload - t->l4 - TCP, t);
	return true;
}

/* Building ---------------------------------------------------------------------------------------------------------- */

static size_t build_ethernet(uint8_t *frame, const uint8_t *to, const uint8_t *from, const struct vlan *v, bool ip6)
{
	size_t at = 12;

	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	for (unsigned i = 0; i < v->tags && i < FRAME_TAGS_MAX; i++, at += 4) {
		put16(frame + at, !i && v->service_outer ? 0x88a8 : 0x8100);
		put16(frame + at + 2, i ? v->inner : v->outer);
	}
	put16(frame + at, ip6 ? 0x86dd : 0x0800);
	return at + 2;
}

static size_t build_ip(uint8_t *ip, const struct frame_tcp *t, size_t tcp_len)
{
	if (address_is6(&t->source)) {
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)tcp_len);
		ip[6] = IPPROTO_TCP;
		ip[7] = 64;
		memcpy(ip + 8, &t->source.in6.sin6_addr, 16);
		memcpy(ip + 24, &t->destination.in6.sin6_addr, 16);
		return IP6;
	}
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(IP4 + tcp_len));
	ip[6] = 0x40; /* DF */
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, &t->source.in.sin_addr, 4);
	memcpy(ip + 16, &t->destination.in.sin_addr, 4);
	put16(ip + 10, ~fold(sum16(ip, IP4, 0)));
	return IP4;
}

size_t frame_build(
	uint8_t *frame, const uint8_t *to_mac, const uint8_t *from_mac, const struct vlan *v, const struct frame_tcp *t)
{
	size_t tcp_len = t->ts ? TCP + 12 : TCP, l3;
	uint8_t *tcp;

	memset(frame, 0, FRAME_SEGMENT_MAX);
	l3 = build_ethernet(frame, to_mac, from_mac, v, address_is6(&t->source));
	tcp = frame + l3 + build_ip(frame + l3, t, tcp_len);
	put16(tcp, address_port(&t->source));
	put16(tcp + 2, address_port(&t->destination));
	put32(tcp + 4, t->seq);
	put32(tcp + 8, t->ack);
	tcp[12] = (uint8_t)(tcp_len / 4 << 4);
	tcp[13] = (uint8_t)t->flags;
	put16(tcp + 14, t->wnd);
	if (t->ts) {
		put32(tcp + TCP, 0x0101080a);
		put32(tcp + TCP + 4, t->tsval);
		put32(tcp + TCP + 8, t->tsecr);
	}
	put16(tcp + CHECKSUM_AT, ~fold(sum16(tcp, tcp_len, pseudo_sum(frame + l3, address_is6(&t->source), tcp_len))));
	return (size_t)(tcp - frame) + tcp_len;
}

/* Cutting ----------------------------------------------------------------------------------------------------------- */

int gso_begin(struct gso *g, const uint8_t *frame, size_t len, size_t size)
{
	memset(g, 0, sizeof(*g));
	if (!size || !frame_read_tcp(frame, len, &g->tcp))
		return -EBADMSG;
	g->frame = frame;
	g->len = len;
	g->size = size;
	g->ip_id = (uint16_t)get16(frame + g->tcp.l3 + 4);
	return 0;
}

int gso_next(struct gso *g, uint8_t *out, size_t cap, size_t *start)
{
	const struct frame_tcp *t = &g->tcp;
	size_t header = t->payload, all = t->end - t->payload, now = all - g->done < g->size ? all - g->done : g->size;
	uint8_t *ip = out + t->l3, *tcp = out + t->l4;
	bool first = !g->done, last = g->done + now == all;

	if (g->done && !now)
		return 0;
	if (!g->frame)
		return 0;
	if (header + now > cap)
		return -EMSGSIZE;
	memcpy(out, g->frame, header);
	memcpy(out + header, g->frame + header + g->done, now);
	if (address_is6(&t->source)) {
		put16(ip + 4, (uint32_t)(header + now - t->l4));
	} else {
		put16(ip + 2, (uint32_t)(header + now - t->l3));
		put16(ip + 4, g->ip_id++);
		put16(ip + 10, 0);
		put16(ip + 10, ~fold(sum16(ip, t->l4 - t->l3, 0)));
	}
	put32(tcp + 4, t->seq + (uint32_t)g->done);
	if (!last)
		tcp[13] &= (uint8_t) ~(HF_FIN | HF_PSH);
	if (!first)
		tcp[13] &= (uint8_t)~HF_CWR;
	put16(tcp + CHECKSUM_AT, fold(pseudo_sum(ip, address_is6(&t->source), header + now - t->l4)));
	*start = t->l4;
	g->done += now;
	if (!all)
		g->frame = NULL; /* the one piece of an empty segment */
	return (int)(header + now);
}

/* Merging ----------------------------------------------------------------------------------------------------------- */

bool merge_begin(struct merge *m, const uint8_t *frame, const struct frame_tcp *t)
{
	m->frame = NULL;
	if (t->payload == t->end || (t->flags & ~(unsigned)HF_PSH) != HF_ACK || t->payload > FRAME_HEADERS_MAX ||
		(!address_is6(&t->source) && t->l4 - t->l3 != IP4))
		return false;
	m->tcp = *t;
	m->frame = frame;
	m->size = m->text = t->end - t->payload;
	m->parts = 1;
	m->over = t->flags & HF_PSH;
	m->part[1] = (struct iovec){ (void *)(uintptr_t)(frame + t->payload), m->size };
	return true;
}

/* Everything that the large segment says once. */
static bool same_headers(const struct merge *m, const uint8_t *frame, const struct frame_tcp *t)
{
	const uint8_t *a = m->frame, *b = frame;
	size_t l3 = t->l3, l4 = t->l4;

	if (t->l3 != m->tcp.l3 || t->l4 != m->tcp.l4 || t->payload != m->tcp.payload || memcmp(a, b, l3))
		return false;
	if (address_is6(&t->source)) {
		if (memcmp(a + l3, b + l3, 4) || memcmp(a + l3 + 6, b + l3 + 6, IP6 - 6))
			return false;
	} else if (memcmp(a + l3, b + l3, 2) || memcmp(a + l3 + 6, b + l3 + 6, 4) ||
		   memcmp(a + l3 + 12, b + l3 + 12, 8)) {
		return false;
	} else if (!(a[l3 + 6] & 0x40) && (uint16_t)(get16(b + l3 + 4) - get16(a + l3 + 4)) != m->parts) {
		return false; /* the identification counts, unless DF says that nobody needs it (RFC 6864) */
	}
	/* Ports; ACK; header length; flags but PSH, window; options. */
	return !memcmp(a + l4, b + l4, 4) && !memcmp(a + l4 + 8, b + l4 + 8, 5) &&
	       !((a[l4 + 13] ^ b[l4 + 13]) & ~HF_PSH) && !memcmp(a + l4 + 14, b + l4 + 14, 2) &&
	       !memcmp(a + l4 + 18, b + l4 + 18, t->payload - l4 - 18);
}

bool merge_add(struct merge *m, const uint8_t *frame, const struct frame_tcp *t)
{
	size_t text = t->end - t->payload;

	if (m->over || m->parts == MERGE_PARTS || !text || text > m->size || t->seq != m->tcp.seq + (uint32_t)m->text ||
		m->tcp.payload - m->tcp.l3 + m->text + text > 65535 || !same_headers(m, frame, t))
		return false;
	m->part[++m->parts] = (struct iovec){ (void *)(uintptr_t)(frame + t->payload), text };
	m->text += text;
	m->over = t->flags & HF_PSH || text < m->size;
	m->tcp.flags |= t->flags;
	return true;
}

size_t merge_finish(struct merge *m)
{
	const struct frame_tcp *t = &m->tcp;
	uint8_t *ip = m->header + t->l3, *tcp = m->header + t->l4;
	size_t tcp_len = t->payload - t->l4 + m->text;

	memcpy(m->header, m->frame, t->payload);
	if (address_is6(&t->source)) {
		put16(ip + 4, (uint32_t)tcp_len);
	} else {
		put16(ip + 2, (uint32_t)(IP4 + tcp_len));
		put16(ip + 10, 0);
		put16(ip + 10, ~fold(sum16(ip, IP4, 0)));
	}
	tcp[13] = (uint8_t)t->flags;
	put16(tcp + CHECKSUM_AT, fold(pseudo_sum(ip, address_is6(&t->source), tcp_len)));
	m->part[0] = (struct iovec){ m->header, t->payload };
	return t->payload + m->text;
}

int frame_finish_checksum(uint8_t *frame, size_t len, size_t start, size_t offset)
{
	uint32_t sum;

	if (start > len || offset > len || start + offset + 2 > len)
		return -EBADMSG;
	/* 2^16 octets of 0xffff do not overflow 32 bits. */
	sum = ~fold(sum16(frame + start, len - start, 0)) & 0xffff;
	/* RFC 768: a sum of 0 is sent as all ones; the same for TCP. */
	put16(frame + start + offset, sum ? sum : 0xffff);
	return 0;
}
