/* SPDX-License-Identifier: Apache-2.0
 * test_link.c - the byte link of docs/usb.md: driver/link.c packet by packet against packets made here, then against the card's
 * end in C (sim/usb/link_functional.c) over streams that lose, double and flip bytes. Time is a number. */
#include <errno.h>

#include "../driver/link.h"
#include "../sim/usb/link_functional.h"
#include "support_bench.h"

enum { MS = 1000, HEADER = 10, MESSAGE_MAX = 16384, PACKET_MAX_BYTES = HEADER + MESSAGE_MAX + 4 };

/* ---- packets, by arithmetic of our own ---- */

static uint16_t ccitt(const uint8_t *p, size_t n)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < n; i++)
		for (int bit = 7; bit >= 0; bit--) {
			bool one = (crc >> 15 ^ p[i] >> bit) & 1;

			crc = (uint16_t)(crc << 1 ^ (one ? 0x1021 : 0));
		}
	return crc;
}

static uint32_t ieee(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* A packet of the card. Returns its length. */
static size_t make(
	uint8_t *p, unsigned flags, unsigned seq, unsigned ack, unsigned window, const uint8_t *msg, size_t len)
{
	p[0] = 'H';
	p[1] = 'F';
	p[2] = (uint8_t)flags;
	p[3] = (uint8_t)seq;
	p[4] = (uint8_t)ack;
	p[5] = (uint8_t)window;
	put_le(p + 6, 2, len);
	put_le(p + 8, 2, ccitt(p, 8));
	if (!(flags & HF_LINK_DATA))
		return HEADER;
	if (len)
		memcpy(p + HEADER, msg, len);
	put_le(p + HEADER + len, 4, ieee(p + HEADER, len));
	return HEADER + len + 4;
}

/* A message of `len` bytes that carries a number. */
static const uint8_t *message(uint32_t number, size_t len)
{
	static uint8_t m[MESSAGE_MAX];

	for (size_t i = 0; i < len; i++)
		m[i] = (uint8_t)(number + i * 7);
	MSG_PUT(m, HEADER, type, HF_MSG_EVENT);
	MSG_PUT(m, HEADER, length, len);
	MSG_PUT(m, HEADER, id, number);
	return m;
}

/* ---- one packet after another ---- */

struct rig {
	struct link *l;
	int64_t now;
	uint8_t out[3 * PACKET_MAX_BYTES]; /* what the host said */
	size_t out_len, out_at;
};

struct said {
	bool any;
	unsigned flags, seq, ack, window, len;
	const uint8_t *payload;
	size_t zeros; /* before it */
};

static struct said next_said(struct rig *r)
{
	struct said s = { 0 };
	const uint8_t *p;

	if (r->out_at == r->out_len) {
		r->out_at = 0;
		r->out_len = link_output(r->l, r->out, sizeof(r->out), r->now);
	}
	while (r->out_at < r->out_len && !r->out[r->out_at]) {
		r->out_at++;
		s.zeros++;
	}
	if (r->out_at == r->out_len)
		return s;
	p = r->out + r->out_at;
	s.any = true;
	CHECK(p[0] == 'H' && p[1] == 'F', "a packet begins with %02x %02x", p[0], p[1]);
	s.flags = p[2];
	s.seq = p[3];
	s.ack = p[4];
	s.window = p[5];
	s.len = (unsigned)get_le(p + 6, 2);
	CHECK_EQ(get_le(p + 8, 2), ccitt(p, 8), "check of a header");
	s.payload = p + HEADER;
	r->out_at += HEADER;
	if (s.flags & HF_LINK_DATA) {
		CHECK_EQ(get_le(s.payload + s.len, 4), ieee(s.payload, s.len), "CRC of a payload");
		r->out_at += s.len + 4;
	} else {
		CHECK_EQ(s.len, 0, "length without DATA");
	}
	return s;
}

#define EXPECT_SILENCE(r) CHECK(!next_said(r).any, "the host said something")

static void expect_at(const char *file, unsigned line, struct rig *r, unsigned flags, unsigned seq, unsigned ack)
{
	struct said s = next_said(r);

	check_at(s.any && s.flags == flags && s.seq == seq && s.ack == ack, file, line,
		"said %d: flags %02x seq %u ack %u, expected flags %02x seq %u ack %u", s.any, s.flags, s.seq, s.ack,
		flags, seq, ack);
}
#define EXPECT(r, flags, seq, ack) expect_at(__FILE__, __LINE__, r, flags, seq, ack)

static void give(struct rig *r, unsigned flags, unsigned seq, unsigned ack, unsigned window)
{
	uint8_t p[HEADER];

	link_input(r->l, p, make(p, flags, seq, ack, window, NULL, 0), r->now);
}

static void give_data(struct rig *r, unsigned seq, unsigned ack, uint32_t number, size_t len)
{
	static uint8_t p[PACKET_MAX_BYTES];

	link_input(r->l, p, make(p, HF_LINK_DATA, seq, ack, 8, message(number, len), len), r->now);
}

/* Time passes, in the portions that link_due() names. */
static void pass(struct rig *r, int64_t us)
{
	int64_t end = r->now + us;

	while (link_due(r->l) <= end) {
		if (link_due(r->l) > r->now)
			r->now = link_due(r->l);
		link_tick(r->l, r->now);
		if (!CHECK(link_due(r->l) > r->now, "link_due() does not move"))
			break;
	}
	r->now = end;
}

static void expect_message_at(const char *file, unsigned line, struct rig *r, uint32_t number)
{
	static uint8_t got[MESSAGE_MAX];
	ssize_t n = link_recv(r->l, got, sizeof(got));

	if (check_at(n > 0, file, line, "no message %u: %zd", number, n))
		check_bytes_at(file, line, "message", got, (size_t)n, message(number, (size_t)n), (size_t)n);
}
#define EXPECT_MESSAGE(r, number) expect_message_at(__FILE__, __LINE__, r, number)
#define EXPECT_NO_MESSAGE(r)	  CHECK_EQ(link_recv((r)->l, (uint8_t[64]){ 0 }, 64), -EAGAIN, "link_recv")

static void rig_new(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	r->l = link_new(LINK_ASK_US);
	r->now = 1000000;
	link_open(r->l, r->now);
}

/* An open link whose card has said HELLO, which was acknowledged. */
static void rig_open(struct rig *r)
{
	rig_new(r);
	EXPECT(r, HF_LINK_OPEN, 0, 0);
	give(r, HF_LINK_OPEN, 0, 0, 8);
	CHECK_EQ(link_state(r->l), LINK_OPENED, "state");
	give_data(r, 0, 0, 100, 40);
	EXPECT_MESSAGE(r, 100);
	pass(r, 1 * MS);
	EXPECT(r, 0, 0, 1);
}

static void rig_end(struct rig *r)
{
	link_free(r->l);
}

static void open_bytes_on_the_wire(void)
{
	/* CRC-16/CCITT-FALSE of 48 46 04 00 00 08 00 00, worked out apart. */
	static const uint8_t open[] = { 0x48, 0x46, 0x04, 0x00, 0x00, 0x08, 0x00, 0x00 };
	uint8_t got[64];
	struct rig r;
	size_t n;

	rig_new(&r);
	n = link_output(r.l, got, sizeof(got), r.now);
	CHECK_BYTES("OPEN without its check", got, n - 2, open, sizeof(open));
	CHECK_EQ(n, HEADER, "bytes");
	CHECK_EQ(ccitt((const uint8_t *)"123456789", 9), 0x29b1, "the published check value of this CRC-16");
	CHECK_EQ(ieee((const uint8_t *)"123456789", 9), 0xcbf43926, "the published check value of this CRC-32");
	CHECK_EQ(get_le(got + 8, 2), ccitt(got, 8), "check");
	rig_end(&r);
}

static void opens_again_until_answered(void)
{
	struct rig r;
	struct said s;

	rig_new(&r);
	EXPECT(&r, HF_LINK_OPEN, 0, 0);
	EXPECT_SILENCE(&r);
	pass(&r, 99 * MS);
	EXPECT_SILENCE(&r);
	pass(&r, 1 * MS);
	s = next_said(&r);
	CHECK_EQ(s.flags, HF_LINK_OPEN, "the second OPEN");
	CHECK_EQ(s.zeros, MESSAGE_MAX + 4, "zeros before it, for a card that waits for the rest of a packet");
	CHECK_EQ(link_send(r.l, message(1, 24), 24), -EAGAIN, "send before the answer");
	give_data(&r, 0, 0, 7, 24); /* what the card said to a host before */
	give(&r, 0, 5, 9, 8);
	give(&r, HF_LINK_CLOSE, 0, 0, 0);
	EXPECT_NO_MESSAGE(&r);
	EXPECT_SILENCE(&r);
	/* Two OPENs, one answer: another may come, after which the card counts from 0 again. */
	give(&r, HF_LINK_OPEN, 0, 0, 8);
	give_data(&r, 0, 0, 1, 40);
	CHECK_EQ(link_state(r.l), LINK_OPENING, "one answer to two");
	EXPECT_NO_MESSAGE(&r);
	EXPECT_SILENCE(&r);
	give(&r, HF_LINK_OPEN, 0, 0, 8);
	give_data(&r, 0, 0, 2, 40);
	CHECK_EQ(link_state(r.l), LINK_OPENED, "both answered");
	EXPECT_MESSAGE(&r, 2);
	EXPECT_NO_MESSAGE(&r);
	CHECK_EQ(link_stats(r.l)->reopened, 0, "reopened");
	rig_end(&r);

	/* The second answer was lost. */
	rig_new(&r);
	EXPECT(&r, HF_LINK_OPEN, 0, 0);
	pass(&r, 100 * MS);
	EXPECT(&r, HF_LINK_OPEN, 0, 0);
	give(&r, HF_LINK_OPEN, 0, 0, 8);
	give_data(&r, 0, 0, 3, 40);
	pass(&r, 250 * MS);
	CHECK_EQ(link_state(r.l), LINK_OPENED, "state after waiting");
	EXPECT_MESSAGE(&r, 3);
	EXPECT(&r, 0, 0, 1);
	rig_end(&r);
}

static void nobody_answers(void)
{
	struct rig r;
	unsigned opens = 0;

	rig_new(&r);
	for (unsigned i = 0; i < 100 && link_state(r.l) == LINK_OPENING; i++) {
		opens += next_said(&r).any;
		pass(&r, 100 * MS);
	}
	CHECK_EQ(link_state(r.l), LINK_LOST, "state");
	CHECK(r.now >= 1000000 + LINK_LOST_US && r.now <= 1000000 + LINK_LOST_US + 200 * MS, "given up at %lld us",
		(long long)r.now);
	CHECK(opens >= 5, "%u OPENs", opens);
	CHECK_EQ(link_send(r.l, message(1, 24), 24), -ENODEV, "send");
	CHECK_EQ(link_recv(r.l, (uint8_t[24]){ 0 }, 24), -ENODEV, "recv");
	CHECK_EQ(link_due(r.l), INT64_MAX, "link_due of a lost link");
	rig_end(&r);
}

static void messages_and_their_numbers(void)
{
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < 600; i++) { /* past 256 twice */
		size_t len = 16 + i % 200;
		struct said s;

		CHECK_EQ(link_send(r.l, message(i, len), len), 0, "send");
		s = next_said(&r);
		CHECK_EQ(s.flags, HF_LINK_DATA, "flags");
		CHECK_EQ(s.seq, i & 255, "seq");
		CHECK_EQ(s.ack, (i + 1) & 255, "ack");
		CHECK_BYTES("payload", s.payload, s.len, message(i, len), len);
		give_data(&r, i + 1, i + 1, i + 1000, len);
		EXPECT_MESSAGE(&r, i + 1000);
		EXPECT_NO_MESSAGE(&r);
	}
	CHECK_EQ(link_stats(r.l)->messages_out, 600, "acknowledged");
	CHECK_EQ(link_stats(r.l)->messages_in, 601, "taken");
	rig_end(&r);
}

static void what_cannot_be_carried(void)
{
	static uint8_t big[MESSAGE_MAX + 1];
	uint8_t small[24];
	struct rig r;

	rig_open(&r);
	CHECK_EQ(link_send(r.l, message(1, 15), 15), -EMSGSIZE, "15 bytes");
	CHECK_EQ(link_send(r.l, message(1, 24), 16), -EMSGSIZE, "length field 24 of 16");
	MSG_PUT(big, HEADER, length, MESSAGE_MAX + 1);
	CHECK_EQ(link_send(r.l, big, MESSAGE_MAX + 1), -EMSGSIZE, "16,385 bytes");
	CHECK_EQ(link_send(r.l, message(1, MESSAGE_MAX), MESSAGE_MAX), 0, "16,384 bytes");
	EXPECT(&r, HF_LINK_DATA, 0, 1);
	give_data(&r, 1, 1, 5, 128);
	CHECK_EQ(link_recv(r.l, small, sizeof(small)), -EMSGSIZE, "128 bytes into 24");
	EXPECT_NO_MESSAGE(&r);
	give_data(&r, 2, 1, 6, MESSAGE_MAX);
	EXPECT_MESSAGE(&r, 6);
	rig_end(&r);
}

static void window_is_kept(void)
{
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(link_send(r.l, message(i, 24), 24), 0, "send");
	CHECK_EQ(link_send(r.l, message(8, 24), 24), -EAGAIN, "the ninth");
	CHECK(!link_room(r.l), "room for a ninth");
	give(&r, 0, 1, 0, 3);
	for (unsigned i = 0; i < 3; i++)
		EXPECT(&r, HF_LINK_DATA, i, 1);
	EXPECT_SILENCE(&r);
	give(&r, 0, 1, 2, 2); /* to number 3 */
	EXPECT(&r, HF_LINK_DATA, 3, 1);
	EXPECT_SILENCE(&r);
	give(&r, 0, 1, 2, 8);
	for (unsigned i = 4; i < 8; i++)
		EXPECT(&r, HF_LINK_DATA, i, 1);
	CHECK(link_room(r.l), "no room after two acks");
	give(&r, 0, 1, 8, 0);
	CHECK_EQ(link_send(r.l, message(8, 24), 24), 0, "send");
	EXPECT_SILENCE(&r);
	pass(&r, 11 * MS); /* a message and no window: ask */
	EXPECT(&r, HF_LINK_ASK, 8, 1);
	give(&r, 0, 1, 8, 1);
	EXPECT(&r, HF_LINK_DATA, 8, 1);
	rig_end(&r);
}

static void acks_in_time(void)
{
	struct rig r;

	rig_open(&r);
	give_data(&r, 1, 0, 1, 24);
	EXPECT_SILENCE(&r);
	pass(&r, 999);
	EXPECT_SILENCE(&r);
	pass(&r, 1);
	EXPECT(&r, 0, 0, 2);
	EXPECT_SILENCE(&r);
	for (unsigned i = 2; i < 6; i++) {
		EXPECT_SILENCE(&r);
		give_data(&r, i, 0, i, 24);
	}
	EXPECT(&r, 0, 0, 6);
	give_data(&r, 6, 0, 6, 24);
	CHECK_EQ(link_send(r.l, message(1, 24), 24), 0, "send");
	EXPECT(&r, HF_LINK_DATA, 0, 7); /* carries it */
	pass(&r, 5 * MS);
	EXPECT_SILENCE(&r);
	give(&r, HF_LINK_ASK, 7, 1, 8);
	EXPECT(&r, 0, 1, 7);
	rig_end(&r);
}

static void what_is_dropped_draws_nak(void)
{
	uint8_t p[64];
	struct rig r;
	size_t n;

	rig_open(&r);
	give_data(&r, 2, 0, 2, 24); /* 1 is missing */
	EXPECT(&r, HF_LINK_NAK, 0, 1);
	give_data(&r, 3, 0, 3, 24);
	EXPECT_SILENCE(&r); /* once */
	pass(&r, 2 * MS);
	EXPECT_SILENCE(&r);
	give_data(&r, 4, 0, 4, 24);
	EXPECT(&r, HF_LINK_NAK, 0, 1); /* 2 ms have passed */
	give_data(&r, 1, 0, 1, 24);
	EXPECT_MESSAGE(&r, 1);
	EXPECT_NO_MESSAGE(&r);
	give_data(&r, 3, 0, 3, 24);
	EXPECT(&r, HF_LINK_NAK, 0, 2); /* the expected one was taken since */
	give_data(&r, 2, 0, 2, 24);

	/* A payload with one bit wrong; a length that cannot be; a header with one bit wrong. */
	n = make(p, HF_LINK_DATA, 3, 0, 8, message(3, 24), 24);
	p[20] ^= 4;
	link_input(r.l, p, n, r.now);
	EXPECT(&r, HF_LINK_NAK, 0, 3);
	CHECK_EQ(link_stats(r.l)->bad_payloads, 1, "bad payloads");
	pass(&r, 2 * MS);
	make(p, HF_LINK_DATA, 3, 0, 8, message(3, 15), 15);
	link_input(r.l, p, HEADER, r.now);
	EXPECT(&r, HF_LINK_NAK, 0, 3);
	pass(&r, 2 * MS);
	n = make(p, 0, 3, 0, 8, NULL, 0);
	put_le(p + 6, 2, 24); /* a length without DATA */
	put_le(p + 8, 2, ccitt(p, 8));
	link_input(r.l, p, n, r.now);
	EXPECT(&r, HF_LINK_NAK, 0, 3);
	pass(&r, 2 * MS);
	n = make(p, HF_LINK_ASK, 3, 0, 8, NULL, 0);
	p[4] ^= 1;
	link_input(r.l, p, n, r.now);
	EXPECT(&r, HF_LINK_NAK, 0, 3);
	CHECK_EQ(link_stats(r.l)->bad_headers, 3, "bad headers");
	EXPECT_MESSAGE(&r, 2);
	EXPECT_NO_MESSAGE(&r);
	rig_end(&r);
}

static void taken_before_draws_ack(void)
{
	struct rig r;

	rig_open(&r);
	give_data(&r, 0, 0, 100, 40);
	EXPECT(&r, 0, 0, 1);
	give_data(&r, 129, 0, 9, 40); /* 128 before the expected one */
	EXPECT(&r, 0, 0, 1);
	give_data(&r, 128, 0, 9, 40); /* 127 ahead of it */
	EXPECT(&r, HF_LINK_NAK, 0, 1);
	EXPECT_NO_MESSAGE(&r);
	CHECK_EQ(link_stats(r.l)->unexpected, 3, "unexpected");
	rig_end(&r);
}

static void goes_back_on_nak(void)
{
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(link_send(r.l, message(i, 24), 24), 0, "send");
	for (unsigned i = 0; i < 6; i++)
		EXPECT(&r, HF_LINK_DATA, i, 1);
	pass(&r, 1 * MS);
	give(&r, HF_LINK_NAK, 1, 2, 8);
	for (unsigned i = 2; i < 6; i++)
		EXPECT(&r, HF_LINK_DATA, i, 1);
	EXPECT_SILENCE(&r);
	CHECK_EQ(link_stats(r.l)->resent, 4, "sent again");
	give(&r, 0, 1, 6, 8);
	give(&r, HF_LINK_NAK, 1, 6, 8); /* nothing to go back to */
	EXPECT_SILENCE(&r);
	CHECK_EQ(link_stats(r.l)->messages_out, 6, "acknowledged");
	rig_end(&r);
}

static void asks_when_no_ack_comes(void)
{
	struct rig r;
	struct said s;

	rig_open(&r);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(link_send(r.l, message(i, 24), 24), 0, "send");
	for (unsigned i = 0; i < 3; i++)
		EXPECT(&r, HF_LINK_DATA, i, 1);
	pass(&r, 9999);
	EXPECT_SILENCE(&r);
	pass(&r, 1);
	EXPECT(&r, HF_LINK_ASK, 3, 1);
	EXPECT_SILENCE(&r);
	give(&r, 0, 1, 1, 8); /* 1 and 2 are lost */
	EXPECT(&r, HF_LINK_DATA, 1, 1);
	EXPECT(&r, HF_LINK_DATA, 2, 1);
	EXPECT_SILENCE(&r);
	/* Questions that are not answered: the third has zeros before it. */
	pass(&r, 10 * MS);
	EXPECT(&r, HF_LINK_ASK, 3, 1);
	pass(&r, 10 * MS);
	EXPECT(&r, HF_LINK_ASK, 3, 1);
	pass(&r, 10 * MS);
	s = next_said(&r);
	CHECK_EQ(s.flags, HF_LINK_ASK, "the third question");
	CHECK_EQ(s.zeros, MESSAGE_MAX + 4, "zeros before it");
	for (unsigned i = 0; i < 600 && link_state(r.l) == LINK_OPENED; i++) {
		next_said(&r);
		pass(&r, 10 * MS);
	}
	CHECK_EQ(link_state(r.l), LINK_LOST, "state after 5 s");
	rig_end(&r);
}

static void doubtful_acks(void)
{
	struct rig r;

	rig_open(&r);
	CHECK_EQ(link_send(r.l, message(0, 24), 24), 0, "send");
	EXPECT(&r, HF_LINK_DATA, 0, 1);
	give(&r, 0, 1, 2, 0); /* 1 was never sent: neither ack nor window count */
	CHECK_EQ(link_send(r.l, message(1, 24), 24), 0, "send");
	EXPECT(&r, HF_LINK_DATA, 1, 1);
	CHECK_EQ(link_stats(r.l)->bad_acks, 1, "bad acks");
	CHECK_EQ(link_stats(r.l)->messages_out, 0, "acknowledged");
	/* The rest of such a packet counts. */
	give_data(&r, 1, 200, 7, 24);
	EXPECT_MESSAGE(&r, 7);
	give(&r, 0, 2, 2, 8);
	CHECK_EQ(link_stats(r.l)->messages_out, 2, "acknowledged");
	/* A card that goes on like this counts from elsewhere: begin anew. */
	for (unsigned i = 0; i < 8; i++)
		give(&r, 0, 2, 77, 8);
	CHECK_EQ(link_state(r.l), LINK_OPENING, "state");
	EXPECT(&r, HF_LINK_OPEN, 0, 0);
	rig_end(&r);
}

static void queue_shuts_the_window(void)
{
	struct rig r;
	struct said s = { 0 };
	unsigned given = 1;

	rig_open(&r);
	/* The card sends as the window lets it, and nobody takes. */
	for (unsigned limit = 9; given < limit && given < 300;) {
		give_data(&r, given, 0, given, 24);
		given++;
		pass(&r, 1 * MS);
		s = next_said(&r);
		if (s.any)
			limit = s.ack + s.window;
	}
	CHECK_EQ(s.window, 0, "window when full");
	CHECK_EQ(given, 65, "messages that are kept");
	give_data(&r, given, 0, given, 24); /* beyond the window */
	CHECK_EQ(link_stats(r.l)->messages_in, 65, "taken");
	EXPECT_MESSAGE(&r, 1);
	s = next_said(&r);
	CHECK(s.any && s.window == 1 && s.flags == HF_LINK_ASK, "the window opens: flags %02x window %u", s.flags,
		s.window);
	pass(&r, 10 * MS); /* that was lost */
	s = next_said(&r);
	CHECK(s.any && s.window == 1 && s.flags == HF_LINK_ASK, "and is told of again: flags %02x", s.flags);
	give_data(&r, given, 0, given, 24);
	pass(&r, 20 * MS);
	s = next_said(&r);
	CHECK(s.any && !s.flags && s.ack == given + 1, "an ack");
	pass(&r, 20 * MS);
	EXPECT_SILENCE(&r); /* the card knows */
	for (unsigned i = 2; i <= given; i++)
		EXPECT_MESSAGE(&r, i);
	EXPECT_NO_MESSAGE(&r);
	s = next_said(&r);
	CHECK(s.any && s.window == 8, "window %u when all are taken", s.window);
	rig_end(&r);
}

static void found_behind_garbage(void)
{
	static const uint8_t noise[] = "HHHFHFHF\0HF\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffHFH";
	uint8_t p[128], all[512];
	struct rig r;
	size_t n, at = 0;

	rig_open(&r);
	n = make(p, HF_LINK_DATA, 1, 0, 8, message(1, 40), 40);
	memcpy(all, noise, sizeof(noise) - 1);
	at = sizeof(noise) - 1;
	memcpy(all + at, p, n);
	at += n;
	memcpy(all + at, p, 7); /* a header of which the rest is another packet */
	at += 7;
	n = make(p, HF_LINK_DATA, 2, 0, 8, message(2, 16), 16);
	memcpy(all + at, p, n);
	at += n;
	/* In portions of every size: what is found does not depend on them. */
	for (size_t portion = 1; portion <= at; portion++) {
		struct rig each;

		rig_open(&each);
		for (size_t i = 0; i < at; i += portion)
			link_input(each.l, all + i, at - i < portion ? at - i : portion, each.now);
		EXPECT_MESSAGE(&each, 1);
		EXPECT_MESSAGE(&each, 2);
		EXPECT_NO_MESSAGE(&each);
		EXPECT_SILENCE(&each); /* what was expected came before a NAK */
		pass(&each, 1 * MS);
		EXPECT(&each, 0, 0, 3);
		rig_end(&each);
	}
	rig_end(&r);
}

static void cut_off_packet(void)
{
	static uint8_t p[PACKET_MAX_BYTES];
	struct rig r;

	rig_open(&r);
	make(p, HF_LINK_DATA, 1, 0, 8, message(1, MESSAGE_MAX), MESSAGE_MAX);
	link_input(r.l, p, 400, r.now); /* the rest is lost, and another packet is taken for it */
	give_data(&r, 1, 0, 9, 24);
	EXPECT_NO_MESSAGE(&r);
	pass(&r, 5 * MS);
	EXPECT_MESSAGE(&r, 9);
	CHECK_EQ(link_stats(r.l)->torn, 1, "torn");
	pass(&r, 1 * MS);
	EXPECT(&r, 0, 0, 2);
	give_data(&r, 2, 0, 2, 24);
	EXPECT_MESSAGE(&r, 2);
	link_input(r.l, p, 5, r.now); /* half a header */
	pass(&r, 5 * MS);
	give_data(&r, 3, 0, 3, 24);
	EXPECT_MESSAGE(&r, 3);
	rig_end(&r);
}

static void lying_length_uses_its_number(void)
{
	uint8_t m[40], p[64];
	struct rig r;

	rig_open(&r);
	memcpy(m, message(1, 40), 40);
	MSG_PUT(m, HEADER, length, 41);
	link_input(r.l, p, make(p, HF_LINK_DATA, 1, 0, 8, m, 40), r.now);
	EXPECT_NO_MESSAGE(&r);
	CHECK_EQ(link_stats(r.l)->malformed, 1, "malformed");
	give_data(&r, 2, 0, 2, 24);
	EXPECT_MESSAGE(&r, 2);
	rig_end(&r);
}

static void card_forgets(void)
{
	struct rig r;

	/* CLOSE, and OPEN that nobody asked for: begin anew, and HELLO tells. */
	for (unsigned flag = HF_LINK_OPEN; flag <= HF_LINK_CLOSE; flag <<= 1) {
		rig_open(&r);
		CHECK_EQ(link_send(r.l, message(1, 24), 24), 0, "send");
		EXPECT(&r, HF_LINK_DATA, 0, 1);
		give_data(&r, 1, 0, 5, 24);
		give(&r, flag, 0, 0, 8);
		CHECK_EQ(link_send(r.l, message(1, 24), 24), -EAGAIN, "send meanwhile");
		EXPECT_MESSAGE(&r, 5); /* it came before */
		EXPECT(&r, HF_LINK_OPEN, 0, 0);
		give(&r, HF_LINK_OPEN, 0, 0, 8);
		give_data(&r, 0, 0, 100, 40);
		EXPECT_MESSAGE(&r, 100);
		CHECK_EQ(link_send(r.l, message(2, 24), 24), 0, "send");
		EXPECT(&r, HF_LINK_DATA, 0, 1); /* what was sent before is forgotten */
		CHECK_EQ(link_stats(r.l)->reopened, 1, "reopened");
		rig_end(&r);
	}
}

static void closes(void)
{
	struct rig r;

	rig_open(&r);
	link_close(r.l, r.now);
	EXPECT(&r, HF_LINK_CLOSE, 0, 0);
	EXPECT_SILENCE(&r);
	give(&r, HF_LINK_CLOSE, 0, 0, 0);
	CHECK_EQ(link_state(r.l), LINK_CLOSED, "state");
	CHECK_EQ(link_recv(r.l, (uint8_t[24]){ 0 }, 24), -ENODEV, "recv");
	give_data(&r, 1, 0, 5, 24);
	EXPECT_SILENCE(&r);
	link_open(r.l, r.now);
	EXPECT(&r, HF_LINK_OPEN, 0, 0);
	rig_end(&r);

	rig_open(&r);
	link_close(r.l, r.now);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(next_said(&r).flags, HF_LINK_CLOSE, "CLOSE");
		EXPECT_SILENCE(&r);
		CHECK_EQ(link_state(r.l), LINK_CLOSING, "state");
		pass(&r, 10 * MS);
	}
	CHECK_EQ(link_state(r.l), LINK_CLOSED, "state without an answer");
	rig_end(&r);
}

/* ---- both ends, and what is between them ---- */

struct noise {
	uint32_t lose, twice, flip; /* of 2^24 bytes */
	uint32_t gap;		    /* of 2^24: up to 600 bytes are lost at once */
	uint32_t again;		    /* of 2^24: up to 600 bytes come twice */
};

struct cable {
	struct link *host;
	struct card_link *card;
	struct noise noise;
	uint64_t seed;
	int64_t now;
	uint64_t damaged_bytes;
};

static size_t disturb(struct cable *c, const uint8_t *in, size_t n, uint8_t *out)
{
	const struct noise *z = &c->noise;
	size_t to = 0;

	if (!(z->lose | z->twice | z->flip | z->gap | z->again)) {
		memcpy(out, in, n);
		return n;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t dice = random_next(&c->seed) & 0xffffff;

		if (dice < z->lose) {
			c->damaged_bytes++;
			continue;
		}
		dice -= z->lose;
		out[to++] = in[i];
		if (dice < z->flip) {
			out[to - 1] ^= (uint8_t)(1u << random_below(&c->seed, 8));
			c->damaged_bytes++;
			continue;
		}
		dice -= z->flip;
		if (dice < z->twice) {
			out[to] = out[to - 1];
			to++;
			c->damaged_bytes++;
			continue;
		}
		dice -= z->twice;
		if (dice < z->gap) {
			c->damaged_bytes++;
			i += random_below(&c->seed, 600);
			continue;
		}
		dice -= z->gap;
		if (dice < z->again) {
			size_t some = random_below(&c->seed, 600);

			if (some > to)
				some = to;
			memmove(out + to, out + to - some, some);
			to += some;
			c->damaged_bytes++;
		}
	}
	return to;
}

/* 100 us: some bytes each way, in portions of any size. */
static void cable_step(struct cable *c)
{
	static uint8_t bytes[4096], worse[16 * 4096];
	size_t n, some;

	c->now += 100;
	for (unsigned way = 0; way < 2; way++) {
		n = 1 + random_below(&c->seed, sizeof(bytes));
		n = way ? card_link_up(c->card, bytes, n, c->now) : link_output(c->host, bytes, n, c->now);
		n = disturb(c, bytes, n, worse);
		for (size_t at = 0; at < n; at += some) {
			some = 1 + random_below(&c->seed, 1024);
			if (some > n - at)
				some = n - at;
			if (way)
				link_input(c->host, worse + at, some, c->now);
			else
				card_link_down(c->card, worse + at, some, c->now);
		}
	}
	if (link_due(c->host) <= c->now)
		link_tick(c->host, c->now);
	if (card_link_due(c->card) <= c->now)
		card_link_tick(c->card, c->now);
}

static void cable_open(struct cable *c, const struct noise *noise, uint64_t seed)
{
	memset(c, 0, sizeof(*c));
	c->host = link_new(LINK_ASK_US);
	c->card = card_link_new();
	c->seed = seed;
	c->now = 5000000;
	card_link_hello(c->card, message(100, 40), 40);
	link_open(c->host, c->now);
	while (link_state(c->host) == LINK_OPENING && c->now < 10000000)
		cable_step(c);
	CHECK_EQ(link_state(c->host), LINK_OPENED, "state");
	c->noise = *noise;
}

static void cable_close(struct cable *c)
{
	link_free(c->host);
	card_link_free(c->card);
}

/* `count` numbered messages each way, each once and in order, over such a cable. */
static void traffic(struct cable *c, uint32_t count, uint32_t longest)
{
	static uint8_t m[MESSAGE_MAX];
	uint32_t up_sent = 0, up_taken = 0, down_sent = 0, down_taken = 0, len;
	int64_t progress = c->now;
	bool hello = false;

	while ((up_taken < count || down_taken < count) && c->now - progress < 20000000) {
		const uint8_t *msg;
		size_t n;
		ssize_t got;

		while (hello && up_sent < count && random_below(&c->seed, 4)) {
			len = 16 + up_sent * 7919 % (longest - 15);
			if (!card_link_room(c->card, len))
				break;
			card_link_c2h(c->card, message(up_sent++, len), len);
		}
		while (down_sent < count && link_room(c->host) && random_below(&c->seed, 4)) {
			len = 16 + down_sent * 7907 % (longest - 15);
			if (!CHECK_EQ(link_send(c->host, message(down_sent, len), len), 0, "send"))
				return;
			down_sent++;
		}
		cable_step(c);
		while (random_below(&c->seed, 8) && (got = link_recv(c->host, m, sizeof(m))) > 0) {
			progress = c->now;
			if (!hello) {
				hello = CHECK_EQ(MSG_GET(m, HEADER, id), 100, "the first message");
				continue;
			}
			len = 16 + up_taken * 7919 % (longest - 15);
			if (!CHECK_BYTES("from the card", m, (size_t)got, message(up_taken, len), len))
				return;
			up_taken++;
		}
		while (random_below(&c->seed, 8) && (msg = card_link_h2c(c->card, &n))) {
			progress = c->now;
			len = 16 + down_taken * 7907 % (longest - 15);
			if (!CHECK_BYTES("from the host", msg, n, message(down_taken, len), len))
				return;
			card_link_h2c_done(c->card);
			down_taken++;
		}
	}
	CHECK_EQ(up_taken, count, "messages that came from the card");
	CHECK_EQ(down_taken, count, "messages that came from the host");
	CHECK_EQ(link_stats(c->host)->reopened, 0, "times the link was lost");
}

static void both_ends(const struct noise *noise, uint32_t count, uint32_t longest, uint64_t seed)
{
	struct cable c;

	cable_open(&c, noise, seed);
	traffic(&c, count, longest);
	if (noise->lose | noise->twice | noise->flip | noise->gap | noise->again) {
		CHECK(c.damaged_bytes > 0, "nothing was damaged");
		CHECK(link_stats(c.host)->resent + card_link_counts(c.card)->resent > 0, "nothing was sent again");
	} else {
		/* A card promises room for messages of MAX_FRAME. */
		if (longest <= 16 + 1522)
			CHECK_EQ(link_stats(c.host)->resent, 0, "sent again by the host");
		CHECK_EQ(card_link_counts(c.card)->resent, 0, "sent again by the card");
		CHECK_EQ(link_stats(c.host)->naks_out, 0, "NAKs");
	}
	cable_close(&c);
}

static void clean_cable(void)
{
	both_ends(&(struct noise){ 0 }, 5000, 1538, 1);
	both_ends(&(struct noise){ 0 }, 300, MESSAGE_MAX, 2);
}

static void flipped_bits(void)
{
	both_ends(&(struct noise){ .flip = 2000 }, 2000, 400, 3);
}

static void lost_bytes(void)
{
	both_ends(&(struct noise){ .lose = 2000 }, 2000, 400, 4);
}

static void doubled_bytes(void)
{
	both_ends(&(struct noise){ .twice = 2000 }, 2000, 400, 5);
}

static void lost_and_doubled_packets(void)
{
	both_ends(&(struct noise){ .gap = 500 }, 2000, 400, 6);
	both_ends(&(struct noise){ .gap = 300, .again = 300 }, 300, 4000, 7);
}

/* HF_LINK_MESSAGES=1000000 for the long form. */
static void everything_at_once(void)
{
	const char *more = getenv("HF_LINK_MESSAGES");

	both_ends(&(struct noise){ .lose = 300, .twice = 300, .flip = 300, .gap = 100, .again = 100 },
		more ? (uint32_t)strtoul(more, NULL, 10) : 8000, 256, 8);
}

/* A host that dies in the middle of a packet leaves a card that waits for its rest. */
static void next_host_after_a_dead_one(void)
{
	static uint8_t bytes[PACKET_MAX_BYTES];
	struct cable c;

	for (size_t cut = 1; cut < PACKET_MAX_BYTES; cut = cut * 3 / 2 + 1) {
		cable_open(&c, &(struct noise){ 0 }, cut);
		for (unsigned i = 0; i < 50; i++)
			cable_step(&c);
		link_send(c.host, message(1, MESSAGE_MAX), MESSAGE_MAX);
		card_link_down(c.card, bytes, link_output(c.host, bytes, cut, c.now), c.now);
		link_free(c.host);
		c.host = link_new(LINK_ASK_US);
		link_open(c.host, c.now);
		traffic(&c, 20, 200);
		cable_close(&c);
	}
}

/* A host that is stopped for a while (debugger, suspend) finds its link closed, and opens it anew. */
static void host_sleeps(void)
{
	uint8_t m[64];
	struct cable c;

	cable_open(&c, &(struct noise){ 0 }, 1);
	for (unsigned i = 0; i < 100; i++)
		cable_step(&c);
	for (int64_t until = c.now + 10000000; c.now < until; c.now += 1000) {
		uint8_t lost[64];

		if (card_link_due(c.card) <= c.now)
			card_link_tick(c.card, c.now);
		while (card_link_up(c.card, lost, sizeof(lost), c.now))
			;
	}
	CHECK(!card_link_is_open(c.card), "the card still believes in its host");
	while (link_recv(c.host, m, sizeof(m)) > 0)
		;
	CHECK_EQ(link_send(c.host, message(1, 24), 24), 0, "send");
	for (unsigned i = 0; i < 1000 && !link_has_message(c.host); i++)
		cable_step(&c);
	CHECK_EQ(link_recv(c.host, m, sizeof(m)), 40, "HELLO");
	CHECK_EQ(link_stats(c.host)->reopened, 1, "reopened");
	CHECK(card_link_is_open(c.card), "not open");
	cable_close(&c);
}

/* Nobody reads: the card keeps what it has, and the rest waits in front of it. */
static void flow_control(void)
{
	uint8_t m[256];
	unsigned given = 0, taken = 0;
	struct cable c;

	cable_open(&c, &(struct noise){ 0 }, 1);
	for (unsigned i = 0; i < 5000; i++) {
		if (card_link_room(c.card, 200))
			card_link_c2h(c.card, message(given++, 200), 200);
		cable_step(&c);
	}
	CHECK(given >= 64 && given < 100, "%u messages fit", given);
	while (link_recv(c.host, m, sizeof(m)) > 0 || taken < given) {
		taken += MSG_GET(m, HEADER, id) == taken;
		for (unsigned i = 0; i < 20 && !link_has_message(c.host); i++)
			cable_step(&c);
		if (!link_has_message(c.host))
			break;
	}
	taken += MSG_GET(m, HEADER, id) == taken;
	CHECK(taken >= given, "%u of %u came", taken, given);
	cable_close(&c);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		CASE_ONCE(open_bytes_on_the_wire),
		CASE_ONCE(opens_again_until_answered),
		CASE_ONCE(nobody_answers),
		CASE_ONCE(messages_and_their_numbers),
		CASE_ONCE(what_cannot_be_carried),
		CASE_ONCE(window_is_kept),
		CASE_ONCE(acks_in_time),
		CASE_ONCE(what_is_dropped_draws_nak),
		CASE_ONCE(taken_before_draws_ack),
		CASE_ONCE(goes_back_on_nak),
		CASE_ONCE(asks_when_no_ack_comes),
		CASE_ONCE(doubtful_acks),
		CASE_ONCE(queue_shuts_the_window),
		CASE_ONCE(found_behind_garbage),
		CASE_ONCE(cut_off_packet),
		CASE_ONCE(lying_length_uses_its_number),
		CASE_ONCE(card_forgets),
		CASE_ONCE(closes),
		CASE_ONCE(clean_cable),
		CASE_ONCE(flipped_bits),
		CASE_ONCE(lost_bytes),
		CASE_ONCE(doubled_bytes),
		CASE_ONCE(lost_and_doubled_packets),
		CASE_ONCE(everything_at_once),
		CASE_ONCE(next_host_after_a_dead_one),
		CASE_ONCE(host_sleeps),
		CASE_ONCE(flow_control),
		{ 0 },
	};

	return bench_main(argc, argv, "link", cases);
}
