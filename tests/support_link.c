/* SPDX-License-Identifier: Apache-2.0
 * support_link.c - see support_link.h. */
#include <stdlib.h>
#include <string.h>
#include "../sim/rtl_top.h"
#include "support_link.h"

extern const struct rtl_top rtl_top_usb_link;

/* ---- packets ---- */

/* Polynomial division, a bit at a time, most significant bit of each byte first. */
uint16_t link_crc16(const uint8_t *data, size_t len)
{
	unsigned rest = 0xffff;

	for (size_t bit = 0; bit < 8 * len; bit++) {
		const unsigned in = data[bit / 8] >> (7 - bit % 8) & 1;
		const unsigned out = rest >> 15 & 1;

		rest = (rest << 1 & 0xffff) ^ ((in ^ out) * 0x1021);
	}
	return (uint16_t)rest;
}

uint32_t link_crc32(const uint8_t *data, size_t len)
{
	static uint32_t table[256];
	uint32_t crc = 0xffffffff;

	for (unsigned i = 1; i < 256 && !table[255]; i++) {
		uint32_t v = i;

		for (unsigned k = 0; k < 8; k++)
			v = v & 1 ? v >> 1 ^ 0xedb88320 : v >> 1;
		table[i] = v;
	}
	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
	return ~crc;
}

static void put_le(uint8_t *to, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static unsigned get_le16(const uint8_t *from)
{
	return from[0] | (unsigned)from[1] << 8;
}

size_t link_build(uint8_t *b, const struct link_packet *p)
{
	put_le(b + HF_LINK_AT_sync, 0x4648, HF_LINK_SIZE_sync);
	put_le(b + HF_LINK_AT_flags, p->flags, HF_LINK_SIZE_flags);
	put_le(b + HF_LINK_AT_seq, p->seq, HF_LINK_SIZE_seq);
	put_le(b + HF_LINK_AT_ack, p->ack, HF_LINK_SIZE_ack);
	put_le(b + HF_LINK_AT_window, p->window, HF_LINK_SIZE_window);
	put_le(b + HF_LINK_AT_length, p->length, HF_LINK_SIZE_length);
	put_le(b + HF_LINK_AT_check, link_crc16(b, HF_LINK_AT_check), HF_LINK_SIZE_check);
	if (!(p->flags & HF_LINK_DATA))
		return HF_LINK_HEADER_BYTES;
	memcpy(b + HF_LINK_HEADER_BYTES, p->payload, p->length);
	put_le(b + HF_LINK_HEADER_BYTES + p->length, link_crc32(p->payload, p->length), 4);
	return HF_LINK_HEADER_BYTES + p->length + 4;
}

static void hunter_drop(struct link_hunter *h, size_t n)
{
	h->count -= n;
	memmove(h->data, h->data + n, h->count);
}

void link_hunt_cut(struct link_hunter *h)
{
	hunter_drop(h, h->done);
	h->done = 0;
	h->skipped += h->count;
	h->count = 0;
}

bool link_hunt(struct link_hunter *h, uint8_t byte, struct link_packet *p)
{
	const uint8_t *d = h->data;

	if (h->done)
		hunter_drop(h, h->done);
	h->done = 0;
	h->data[h->count++] = byte;
	while (h->count >= HF_LINK_HEADER_BYTES) {
		size_t whole = HF_LINK_HEADER_BYTES;

		if (get_le16(d) != 0x4648 || get_le16(d + HF_LINK_AT_check) != link_crc16(d, HF_LINK_AT_check)) {
			hunter_drop(h, 1);
			h->skipped++;
			continue;
		}
		p->flags = d[HF_LINK_AT_flags];
		p->seq = d[HF_LINK_AT_seq];
		p->ack = d[HF_LINK_AT_ack];
		p->window = d[HF_LINK_AT_window];
		p->length = get_le16(d + HF_LINK_AT_length);
		p->payload = d + HF_LINK_HEADER_BYTES;
		p->intact = true;
		if (p->flags & HF_LINK_DATA && p->length >= 16 && p->length <= LINK_MESSAGE_MAX) {
			whole += p->length + 4;
			if (h->count < whole)
				return false;
			p->intact = link_crc32(p->payload, p->length) ==
				    (get_le16(d + whole - 4) | (uint32_t)get_le16(d + whole - 2) << 16);
		}
		h->done = whole;
		return true;
	}
	return false;
}

size_t link_message(uint8_t *msg, bool from_card, unsigned n, unsigned longest)
{
	struct rng rng = { 2 * (uint64_t)n + from_card };
	const uint32_t kind = rng_below(&rng, 100);
	size_t len = kind < 70 ? rng_range(&rng, 16, 160) : rng_range(&rng, 16, longest);

	if (kind == 99)
		len = 16;
	if (len > longest)
		len = longest;
	if (from_card && !n)
		len = 40;
	for (size_t i = 0; i < len; i++)
		msg[i] = (uint8_t)rng_next(&rng);
	/* Some payloads look like packets. */
	if (kind == 50 && len >= 64) {
		const struct link_packet fake = {
			.flags = n & 1 ? HF_LINK_NAK : HF_LINK_ASK, .seq = n & 255, .window = 8
		};

		link_build(msg + 20, &fake);
	}
	msg[0] = from_card && !n ? HF_MSG_HELLO : HF_MSG_FRAME;
	put_le(msg + HF_AT_HEADER_length, (uint32_t)len, 2);
	put_le(msg + HF_AT_HEADER_id, n, 4);
	return len;
}

/* ---- the host's end ---- */

void link_host_init(struct link_host *h, unsigned ask_ms)
{
	memset(h, 0, sizeof *h);
	h->ask_ms = ask_ms;
}

static void host_say(struct link_host *h, unsigned flags, unsigned seq, const uint8_t *payload, size_t len)
{
	static uint8_t bytes[LINK_PACKET_MAX];
	const struct link_packet p = { .flags = flags,
		.seq = seq,
		.ack = h->expected,
		.window = HF_LINK_WINDOW,
		.length = (unsigned)len,
		.payload = payload };
	const size_t n = link_build(bytes, &p);

	for (size_t i = 0; i < n && h->out_count < sizeof h->out; i++)
		h->out[(h->out_head + h->out_count++) % sizeof h->out] = bytes[i];
	h->ack_due = false;
	h->taken = h->ack_ms = 0;
}

static void host_reset(struct link_host *h)
{
	h->expected = h->una = h->nxt = h->put = h->limit = 0;
	h->age_ms = h->gap_ms = h->nak_hold_ms = h->ack_ms = h->taken = 0;
	h->asked = h->ack_due = h->nak_due = false;
}

void link_host_open(struct link_host *h)
{
	h->open = false;
	h->wants_open = true;
	h->open_ms = 0;
	host_reset(h);
	host_say(h, HF_LINK_OPEN, 0, NULL, 0);
}

void link_host_close(struct link_host *h)
{
	h->open = h->wants_open = false;
	host_say(h, HF_LINK_CLOSE, 0, NULL, 0);
}

bool link_host_room(const struct link_host *h)
{
	return h->open && (uint8_t)(h->put - h->una) < 8;
}

static void host_move(struct link_host *h)
{
	while (h->open && h->nxt != h->put && (uint8_t)(h->limit - h->nxt - 1) < 127 &&
		h->out_count + LINK_PACKET_MAX <= sizeof h->out) {
		if (h->nxt == h->una)
			h->age_ms = 0;
		host_say(h, HF_LINK_DATA, h->nxt, h->sent_data[h->nxt % 8], h->sent_len[h->nxt % 8]);
		h->nxt++;
	}
	if (h->nak_due || h->ack_due || h->taken >= 4)
		host_say(h, h->nak_due ? HF_LINK_NAK : 0, h->nxt, NULL, 0);
	h->nak_due = false;
}

void link_host_send(struct link_host *h, const uint8_t *msg, size_t len)
{
	memcpy(h->sent_data[h->put % 8], msg, len);
	h->sent_len[h->put % 8] = len;
	h->put++;
	host_move(h);
}

static void host_nak(struct link_host *h)
{
	if (h->nak_hold_ms)
		return;
	h->nak_hold_ms = 3;
	h->nak_due = true;
	h->naks++;
}

static void host_data(struct link_host *h, const struct link_packet *p)
{
	const uint8_t distance = (uint8_t)(p->seq - h->expected);

	if (!distance) {
		h->expected++;
		h->taken++;
		h->nak_hold_ms = 0;
		h->message(h->ctx, p->payload, p->length);
	} else if (distance < 128) {
		host_nak(h);
	} else {
		h->ack_due = true;
	}
}

static void host_packet(struct link_host *h, const struct link_packet *p)
{
	const bool possible = p->flags & HF_LINK_DATA ? p->length >= 16 && p->length <= LINK_MESSAGE_MAX : !p->length;

	if (!p->intact || !possible) {
		if (h->open)
			host_nak(h);
		return;
	}
	if (p->flags & HF_LINK_OPEN && (h->wants_open || h->open)) {
		host_reset(h);
		h->open = true;
		h->wants_open = false;
		h->limit = (uint8_t)p->window;
		if (h->opened)
			h->opened(h->ctx);
		return;
	}
	if (!h->open)
		return;
	if (p->flags & HF_LINK_CLOSE) {
		h->closes++;
		link_host_open(h);
		return;
	}
	if ((uint8_t)(p->ack - h->una) <= (uint8_t)(h->put - h->una)) {
		if (h->una != (uint8_t)p->ack)
			h->age_ms = 0;
		if ((uint8_t)(h->nxt - h->una) < (uint8_t)(p->ack - h->una))
			h->nxt = (uint8_t)p->ack;
		h->una = (uint8_t)p->ack;
		h->limit = (uint8_t)(p->ack + p->window);
		if ((p->flags & HF_LINK_NAK || h->asked) && h->nxt != h->una) {
			h->nxt = h->una;
			h->resent++;
		}
	}
	h->asked = false;
	if (p->flags & HF_LINK_ASK)
		h->ack_due = true;
	if (p->flags & HF_LINK_DATA)
		host_data(h, p);
}

void link_host_byte(struct link_host *h, uint8_t byte)
{
	struct link_packet p;

	h->gap_ms = 0;
	if (link_hunt(&h->hunter, byte, &p)) {
		host_packet(h, &p);
		host_move(h);
	}
}

void link_host_ms(struct link_host *h)
{
	if (h->hunter.count > h->hunter.done && ++h->gap_ms > 5) {
		link_hunt_cut(&h->hunter);
		h->gap_ms = 0;
		if (h->open)
			host_nak(h);
	}
	h->nak_hold_ms -= h->nak_hold_ms != 0;
	if (h->taken)
		h->ack_due = true;
	if (h->wants_open && ++h->open_ms % 100 == 0)
		host_say(h, HF_LINK_OPEN, 0, NULL, 0);
	if (h->open && h->una != h->put && ++h->age_ms > h->ask_ms) {
		h->age_ms = 0;
		h->asked = true;
		host_say(h, HF_LINK_ASK, h->nxt, NULL, 0);
	}
	if (h->open)
		host_move(h);
}

bool link_host_out(struct link_host *h, uint8_t *byte)
{
	if (!h->out_count)
		return false;
	*byte = h->out[h->out_head];
	h->out_head = (h->out_head + 1) % sizeof h->out;
	h->out_count--;
	return true;
}

/* ---- the card ---- */

static bool rests(struct card *c, uint8_t chance)
{
	return chance && (rng_next(&c->rng) >> 56) < chance;
}

static bool hit(struct card *c, uint32_t chance)
{
	return chance && rng_next(&c->rng) >> 40 < chance;
}

static void clock_edge(struct card *c)
{
	c->in.clk = 1;
	rtl_top_usb_link.eval(c->top, &c->in, &c->out);
	c->in.clk = 0;
	rtl_top_usb_link.eval(c->top, &c->in, &c->out);
	c->clocks++;
}

struct card *card_open(uint64_t seed)
{
	struct card *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->top = rtl_top_usb_link.create(seed);
	if (!c->top) {
		free(c);
		return NULL;
	}
	c->rng.state = seed;
	c->tick_clocks = 1000;
	c->in.rst = 1;
	for (unsigned i = 0; i < 4; i++)
		clock_edge(c);
	c->in.rst = 0;
	rtl_top_usb_link.eval(c->top, &c->in, &c->out);
	return c;
}

void card_close(struct card *c)
{
	if (!c)
		return;
	rtl_top_usb_link.free(c->top);
	free(c);
}

void card_down(struct card *c, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && c->down_count < sizeof c->down; i++)
		c->down[(c->down_head + c->down_count++) % sizeof c->down] = bytes[i];
}

static bool next_down(struct card *c, uint8_t *byte)
{
	if (!c->down_count)
		return c->down_byte && c->down_byte(c, byte);
	*byte = c->down[c->down_head];
	c->down_head = (c->down_head + 1) % sizeof c->down;
	c->down_count--;
	return true;
}

/* The next byte on its way to the card, after what the cable does to it. */
static void drive_down(struct card *c)
{
	uint8_t byte;

	if (c->in.s_axis_down_tvalid)
		return;
	c->in.s_axis_down_tdata = rng_next(&c->rng) & 255;
	if (rests(c, c->down_rest) || !next_down(c, &byte) || hit(c, c->lose))
		return;
	if (hit(c, c->flip))
		byte ^= (uint8_t)(1 << rng_below(&c->rng, 8));
	if (hit(c, c->twice)) {
		c->down_head = (c->down_head + sizeof c->down - 1) % sizeof c->down;
		c->down[c->down_head] = byte;
		c->down_count++;
	}
	c->in.s_axis_down_tdata = byte;
	c->in.s_axis_down_tvalid = 1;
}

static void drive_c2h(struct card *c)
{
	if (c->in.s_axis_c2h_tvalid)
		return;
	c->in.s_axis_c2h_tdata = rng_next(&c->rng);
	c->in.s_axis_c2h_tlast = rng_next(&c->rng) & 1;
	if (c->c2h_at >= c->c2h.len) {
		c->c2h_at = c->c2h.len = 0;
		if (!c->c2h_message || !c->c2h_message(c, &c->c2h))
			return;
	}
	if (rests(c, c->c2h_rest))
		return;
	c->in.s_axis_c2h_tdata = 0;
	for (size_t i = 0; i < 8 && c->c2h_at + i < c->c2h.len; i++)
		c->in.s_axis_c2h_tdata |= (uint64_t)c->c2h.data[c->c2h_at + i] << 8 * i;
	c->in.s_axis_c2h_tlast = c->c2h.len - c->c2h_at <= 8;
	c->in.s_axis_c2h_tvalid = 1;
}

static void up_byte(struct card *c, uint8_t byte, bool last)
{
	c->up_bytes++;
	c->up_lasts += last;
	if (!c->up_byte || hit(c, c->lose))
		return;
	if (hit(c, c->flip))
		byte ^= (uint8_t)(1 << rng_below(&c->rng, 8));
	c->up_byte(c, byte, last);
	if (hit(c, c->twice))
		c->up_byte(c, byte, last);
}

static void take_h2c(struct card *c)
{
	struct card_message *m = &c->h2c;
	size_t len;

	if (m->len + 8 > sizeof m->data) {
		c->fault = "h2c: no end of message";
		m->len = 0;
	}
	for (unsigned i = 0; i < 8; i++)
		m->data[m->len++] = (uint8_t)(c->out.m_axis_h2c_tdata >> 8 * i);
	if (!c->out.m_axis_h2c_tlast)
		return;
	len = get_le16(m->data + HF_AT_HEADER_length);
	if ((len + 7) / 8 * 8 != m->len)
		c->fault = "h2c: the length field is not what came";
	for (size_t i = len; i < m->len; i++)
		if (m->data[i])
			c->fault = "h2c: padding is not 0";
	if (c->h2c_message)
		c->h2c_message(c, m->data, len);
	m->len = 0;
}

void card_step(struct card *c)
{
	const struct usb_link_out before = c->out;
	bool up, down, c2h, h2c;

	drive_down(c);
	drive_c2h(c);
	c->in.m_axis_up_tready = !c->hold_up && !rests(c, c->up_rest);
	c->in.m_axis_h2c_tready = !c->hold_h2c && !rests(c, c->h2c_rest);
	c->in.tick_1ms = c->clocks % c->tick_clocks == 0;
	rtl_top_usb_link.eval(c->top, &c->in, &c->out);
	if (before.s_axis_c2h_tready != c->out.s_axis_c2h_tready ||
		before.s_axis_down_tready != c->out.s_axis_down_tready ||
		before.m_axis_up_tvalid != c->out.m_axis_up_tvalid ||
		before.m_axis_h2c_tvalid != c->out.m_axis_h2c_tvalid)
		c->fault = "a handshake output depends on an input";
	up = c->out.m_axis_up_tvalid && c->in.m_axis_up_tready;
	down = c->in.s_axis_down_tvalid && c->out.s_axis_down_tready;
	c2h = c->in.s_axis_c2h_tvalid && c->out.s_axis_c2h_tready;
	h2c = c->out.m_axis_h2c_tvalid && c->in.m_axis_h2c_tready;
	c->damaged += c->out.cnt_damaged;
	c->refused += c->out.cnt_refused;
	c->resent += c->out.cnt_resent;
	c->discarded += c->out.cnt_discarded;
	if (up)
		up_byte(c, (uint8_t)c->out.m_axis_up_tdata, c->out.m_axis_up_tlast);
	if (h2c)
		take_h2c(c);
	if (c->in.tick_1ms && c->ms)
		c->ms(c);
	clock_edge(c);
	if (down)
		c->in.s_axis_down_tvalid = 0;
	if (c2h) {
		c->in.s_axis_c2h_tvalid = 0;
		c->c2h_at += 8;
	}
}

void card_ms(struct card *c, unsigned ms)
{
	for (uint64_t i = 0; i < (uint64_t)ms * c->tick_clocks; i++)
		card_step(c);
}
