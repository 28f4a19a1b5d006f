/* SPDX-License-Identifier: Apache-2.0
 * link_functional.c - docs/usb.md, card's end. Bytes go one by one through a register of ten, as in hardware: each time it
 * holds a header, that is one. */
#include "link_functional.h"

#include <stdlib.h>
#include <string.h>
#include "../../regs/regs.h"

enum {
	HEADER = HF_LINK_HEADER_BYTES,
	BUFFER = 16384, /* bytes of payload each way */
	TAIL = 4,
	MAX_FRAME = 1522, /* of the core that a board has; a window counts messages of that size */
	MS = 1000,
	ASK = 10 * MS,
	TORN = 5 * MS,
	SILENT = 2000 * MS, /* a host that says nothing is asked after this long, and twice it */
	DEAD = 5000 * MS,
};

struct payload {
	uint8_t bytes[BUFFER];
	unsigned len;
};

/* Payloads in order, oldest first; places are used in turn. */
struct store {
	struct payload at[HF_LINK_WINDOW];
	unsigned first, count, bytes;
};

struct card_link {
	bool open;
	struct card_counts counts;
	uint8_t hello[64];
	unsigned hello_len;

	/* down */
	uint8_t shift[HEADER]; /* the last ten bytes, the newest at the end */
	unsigned shifted;      /* of which so many are of no packet yet */
	uint8_t head[HEADER];
	unsigned want, have; /* bytes of the payload and its CRC that begin with `head` */
	uint8_t body[BUFFER + TAIL];
	int64_t body_at, heard;
	unsigned silences;
	struct store h2c;
	uint8_t expect;
	unsigned said_window;
	bool say, nak; /* a packet without DATA is due; it is a NAK */
	int64_t nak_after;
	unsigned owed; /* acks */
	int64_t owed_since;

	/* up */
	struct store c2h;
	uint8_t oldest;		 /* number of the first payload in c2h */
	unsigned sent, furthest; /* of those in c2h: on this round, on any */
	unsigned window;	 /* of the host, beyond `oldest` */
	int64_t waiting_since;	 /* for an ack, or for a window */
	bool ask, asked;
	unsigned reply; /* OPEN or CLOSE is due, as its flag */
	uint8_t packet[HEADER + BUFFER + TAIL];
	unsigned packet_len, packet_at;
};

static unsigned get(const uint8_t *p, unsigned at, unsigned n)
{
	unsigned v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (unsigned)p[at + i] << 8 * i;
	return v;
}

static void put(uint8_t *p, unsigned at, unsigned n, uint32_t v)
{
	for (unsigned i = 0; i < n; i++)
		p[at + i] = (uint8_t)(v >> 8 * i);
}

#define FIELD(p, f)	   get(p, HF_LINK_AT_##f, HF_LINK_SIZE_##f)
#define SET_FIELD(p, f, v) put(p, HF_LINK_AT_##f, HF_LINK_SIZE_##f, v)

/* Both CRCs bit by bit, as their polynomials say it. */
static unsigned header_check(const uint8_t *p)
{
	unsigned r = 0xffff;

	for (unsigned bit = 0; bit < 8 * HF_LINK_AT_check; bit++) {
		unsigned in = p[bit / 8] >> (7 - bit % 8) & 1, out = r >> 15;

		r = (r << 1 & 0xffff) ^ (in != out ? 0x1021 : 0);
	}
	return r;
}

static uint32_t payload_check(const uint8_t *p, unsigned n)
{
	static uint32_t table[16];
	uint32_t r = 0xffffffff;

	if (!table[1])
		for (unsigned i = 0; i < 16; i++) {
			uint32_t v = i;

			for (unsigned k = 0; k < 4; k++)
				v = v & 1 ? v >> 1 ^ 0xedb88320 : v >> 1;
			table[i] = v;
		}
	for (unsigned i = 0; i < 2 * n; i++)
		r = r >> 4 ^ table[(r ^ (i & 1 ? p[i / 2] >> 4 : p[i / 2])) & 15];
	return ~r;
}

static struct payload *store_place(struct store *s, unsigned i)
{
	return &s->at[(s->first + i) % HF_LINK_WINDOW];
}

static bool store_fits(const struct store *s, size_t len)
{
	return s->count < HF_LINK_WINDOW && s->bytes + len <= BUFFER;
}

static void store_add(struct store *s, const uint8_t *bytes, size_t len)
{
	struct payload *p = store_place(s, s->count);

	memcpy(p->bytes, bytes, len);
	p->len = (unsigned)len;
	s->count++;
	s->bytes += p->len;
}

static void store_drop(struct store *s)
{
	s->bytes -= store_place(s, 0)->len;
	s->first = (s->first + 1) % HF_LINK_WINDOW;
	s->count--;
}

struct card_link *card_link_new(void)
{
	return calloc(1, sizeof(struct card_link));
}

void card_link_free(struct card_link *c)
{
	free(c);
}

bool card_link_is_open(const struct card_link *c)
{
	return c->open;
}

const struct card_counts *card_link_counts(const struct card_link *c)
{
	return &c->counts;
}

void card_link_hello(struct card_link *c, const uint8_t *hello, size_t len)
{
	c->hello_len = (unsigned)(len < sizeof(c->hello) ? len : sizeof(c->hello));
	memcpy(c->hello, hello, c->hello_len);
}

bool card_link_room(const struct card_link *c, size_t len)
{
	return !c->open || store_fits(&c->c2h, len);
}

void card_link_c2h(struct card_link *c, const uint8_t *msg, size_t len)
{
	if (!c->open || len > BUFFER || !store_fits(&c->c2h, len))
		c->counts.discarded++;
	else
		store_add(&c->c2h, msg, len);
}

const uint8_t *card_link_h2c(const struct card_link *c, size_t *len)
{
	if (!c->h2c.count)
		return NULL;
	*len = c->h2c.at[c->h2c.first].len;
	return c->h2c.at[c->h2c.first].bytes;
}

static unsigned room(const struct card_link *c)
{
	unsigned places = HF_LINK_WINDOW - c->h2c.count;
	unsigned fit = (BUFFER - c->h2c.bytes) / (HF_MSG_HEADER_BYTES + MAX_FRAME);

	return places < fit ? places : fit;
}

void card_link_h2c_done(struct card_link *c)
{
	store_drop(&c->h2c);
	if (c->open && room(c) && (!c->said_window || room(c) - c->said_window >= HF_LINK_WINDOW / 2) &&
		room(c) > c->said_window)
		c->say = true;
}

/* Down ---------------------------------------------------------------------------------------------------- */

static void damaged(struct card_link *c, int64_t now)
{
	c->counts.damaged++;
	if (c->open && now >= c->nak_after)
		c->say = c->nak = true;
}

/* What the host has sent and was acknowledged stays for the core. */
static void begin(struct card_link *c, int64_t now)
{
	memset(&c->c2h, 0, sizeof(c->c2h));
	c->oldest = 0;
	c->sent = c->furthest = 0;
	c->expect = 0;
	c->owed = 0;
	c->say = c->nak = c->ask = c->asked = false;
	c->nak_after = 0;
	c->silences = 0;
	c->waiting_since = now;
}

static void acknowledged(struct card_link *c, uint8_t ack, unsigned window, int64_t now)
{
	uint8_t n = (uint8_t)(ack - c->oldest);

	if (n > c->furthest)
		return;
	c->window = window < HF_LINK_WINDOW ? window : HF_LINK_WINDOW;
	if (!n)
		return;
	c->oldest = ack;
	c->furthest -= n;
	c->sent = c->sent < n ? 0 : c->sent - n;
	c->waiting_since = now;
	while (n--)
		store_drop(&c->c2h);
}

static void from_oldest(struct card_link *c)
{
	c->counts.resent += c->sent > 0;
	c->sent = 0;
}

static void data(struct card_link *c, int64_t now)
{
	unsigned len = FIELD(c->head, length);
	uint8_t ahead = (uint8_t)(FIELD(c->head, seq) - c->expect);

	if (ahead >= 128) {
		c->say = true;
		return;
	}
	if (ahead) {
		damaged(c, now);
		return;
	}
	if (!store_fits(&c->h2c, len))
		return;
	if (get(c->body, HF_AT_HEADER_length, HF_SIZE_HEADER_length) != len) {
		c->counts.refused++;
	} else {
		store_add(&c->h2c, c->body, len);
		c->counts.taken++;
	}
	c->expect++;
	c->nak = false;
	c->nak_after = 0;
	if (!c->owed++)
		c->owed_since = now;
}

static void packet(struct card_link *c, int64_t now)
{
	unsigned flags = FIELD(c->head, flags);

	c->heard = now;
	c->silences = 0;
	if (flags & HF_LINK_CLOSE) {
		begin(c, now);
		c->open = false;
		c->reply = HF_LINK_CLOSE;
		return;
	}
	if (flags & HF_LINK_OPEN) {
		begin(c, now);
		c->open = true;
		c->counts.opened++;
		c->window = FIELD(c->head, window) < HF_LINK_WINDOW ? FIELD(c->head, window) : HF_LINK_WINDOW;
		c->reply = HF_LINK_OPEN;
		if (c->hello_len)
			store_add(&c->c2h, c->hello, c->hello_len);
		return;
	}
	if (!c->open) {
		c->reply = HF_LINK_CLOSE;
		return;
	}
	acknowledged(c, (uint8_t)FIELD(c->head, ack), FIELD(c->head, window), now);
	if (c->asked || flags & HF_LINK_NAK) {
		c->asked = false;
		from_oldest(c);
	}
	c->say |= (flags & HF_LINK_ASK) != 0;
	if (flags & HF_LINK_DATA)
		data(c, now);
}

static void header_came(struct card_link *c, int64_t now)
{
	unsigned len = FIELD(c->shift, length);

	c->shifted = 0;
	memcpy(c->head, c->shift, HEADER);
	if (!(FIELD(c->head, flags) & HF_LINK_DATA)) {
		if (len)
			damaged(c, now);
		else
			packet(c, now);
	} else if (len < HF_MSG_HEADER_BYTES || len > BUFFER) {
		damaged(c, now);
	} else {
		c->want = len + TAIL;
		c->have = 0;
	}
}

static void byte(struct card_link *c, uint8_t b, int64_t now)
{
	if (c->want) {
		c->body[c->have++] = b;
		if (c->have < c->want)
			return;
		c->want = 0;
		if (get(c->body, c->have - TAIL, TAIL) != payload_check(c->body, c->have - TAIL))
			damaged(c, now);
		else
			packet(c, now);
		return;
	}
	memmove(c->shift, c->shift + 1, HEADER - 1);
	c->shift[HEADER - 1] = b;
	if (++c->shifted < HEADER || FIELD(c->shift, sync) != 0x4648)
		return;
	if (FIELD(c->shift, check) == header_check(c->shift))
		header_came(c, now);
	else
		damaged(c, now);
}

void card_link_down(struct card_link *c, const uint8_t *bytes, size_t n, int64_t now)
{
	if (n)
		c->body_at = now;
	while (n--)
		byte(c, *bytes++, now);
}

/* Up ------------------------------------------------------------------------------------------------------ */

static void compose(struct card_link *c, unsigned flags, unsigned seq, unsigned len)
{
	uint8_t *p = c->packet;

	c->said_window = room(c);
	c->owed = 0;
	c->say = false;
	SET_FIELD(p, sync, 0x4648);
	SET_FIELD(p, flags, flags);
	SET_FIELD(p, seq, seq);
	SET_FIELD(p, ack, c->expect);
	SET_FIELD(p, window, c->said_window);
	SET_FIELD(p, length, len);
	SET_FIELD(p, check, header_check(p));
	c->packet_at = 0;
	c->packet_len = HEADER;
}

/* Put the next packet into c->packet, if there is one. */
static void next(struct card_link *c, int64_t now)
{
	unsigned seq = (uint8_t)(c->oldest + c->sent);

	c->packet_at = c->packet_len = 0;
	if (c->reply) {
		compose(c, c->reply, 0, 0);
		c->reply = 0;
	} else if (!c->open) {
		return;
	} else if (c->ask || (c->say && c->nak)) {
		compose(c, (c->ask ? HF_LINK_ASK : 0) | (c->nak ? HF_LINK_NAK : 0), seq, 0);
		if (c->nak)
			c->nak_after = now + 2 * MS;
		if (c->ask) {
			c->asked = true;
			c->waiting_since = now;
		}
		c->ask = c->nak = false;
	} else if (c->sent < c->c2h.count && c->sent < c->window) {
		struct payload *p = store_place(&c->c2h, c->sent);

		if (!c->furthest)
			c->waiting_since = now;
		compose(c, HF_LINK_DATA, seq, p->len);
		memcpy(c->packet + HEADER, p->bytes, p->len);
		put(c->packet, HEADER + p->len, TAIL, payload_check(p->bytes, p->len));
		c->packet_len += p->len + TAIL;
		if (++c->sent > c->furthest)
			c->furthest = c->sent;
	} else if (c->say || c->owed >= 4) {
		compose(c, 0, seq, 0);
	}
}

size_t card_link_up(struct card_link *c, uint8_t *bytes, size_t cap, int64_t now)
{
	size_t n = 0;

	while (n < cap) {
		if (c->packet_at == c->packet_len)
			next(c, now);
		if (c->packet_at == c->packet_len)
			break;
		bytes[n++] = c->packet[c->packet_at++];
	}
	return n;
}

/* Time ---------------------------------------------------------------------------------------------------- */

int64_t card_link_due(const struct card_link *c)
{
	int64_t due = INT64_MAX, at;

	if (c->want && c->body_at + TORN < due)
		due = c->body_at + TORN;
	if (!c->open)
		return due;
	if (c->owed && !c->say && c->owed_since + MS < due)
		due = c->owed_since + MS;
	if (c->c2h.count && !c->ask && c->waiting_since + ASK < due)
		due = c->waiting_since + ASK;
	at = c->heard + (c->silences < 2 ? (c->silences + 1) * SILENT : DEAD);
	return at < due ? at : due;
}

void card_link_tick(struct card_link *c, int64_t now)
{
	if (c->want && now >= c->body_at + TORN) {
		c->want = 0;
		damaged(c, now);
	}
	if (!c->open)
		return;
	if (c->owed && now >= c->owed_since + MS)
		c->say = true;
	if (c->c2h.count && now >= c->waiting_since + ASK)
		c->ask = true;
	if (c->silences < 2 && now >= c->heard + (int64_t)(c->silences + 1) * SILENT) {
		c->silences++;
		c->ask = true;
	}
	if (now >= c->heard + DEAD && c->silences == 2) {
		begin(c, now);
		c->open = false;
	}
}
