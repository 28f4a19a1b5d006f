/* SPDX-License-Identifier: Apache-2.0
 * test_usb_link.c - the card's end of the byte link (rtl/usb/usb_link.sv) against docs/usb.md, rule by rule with packets made by
 * hand, then against a host's end that keeps all of them over a cable that loses, doubles and flips bytes.
 * HF_USB_MESSAGES: messages each way of the long run. */
#include <inttypes.h>
#include "support_bench.h"
#include "support_link.h"

enum { DATA = HF_LINK_DATA, NAK = HF_LINK_NAK, OPEN = HF_LINK_OPEN, CLOSE = HF_LINK_CLOSE, ASK = HF_LINK_ASK };

/* ---- one packet at a time ---- */

struct table {
	struct card *card;
	struct link_hunter hunter;
	struct {
		struct link_packet p;
		uint8_t payload[LINK_MESSAGE_MAX];
	} got[64]; /* packets that came and were not looked at */
	unsigned got_head, got_count;
	unsigned said, says_until; /* the core's messages */
	unsigned longest;
	unsigned h2c, h2c_first; /* messages of the host that came through; number of the first */
};

static struct table table;

static void table_up(struct card *c, uint8_t byte, bool last)
{
	struct table *t = c->ctx;
	struct link_packet p;

	if (!link_hunt(&t->hunter, byte, &p)) {
		CHECK(!last, "tlast within a packet");
		return;
	}
	CHECK(p.intact, "a packet with a wrong CRC-32 came up");
	CHECK(t->got_count < COUNT(t->got), "too many packets");
	t->got_count -= t->got_count == COUNT(t->got);
	memcpy(t->got[(t->got_head + t->got_count) % COUNT(t->got)].payload, p.payload, p.flags & DATA ? p.length : 0);
	t->got[(t->got_head + t->got_count++) % COUNT(t->got)].p = p;
}

static bool table_c2h(struct card *c, struct card_message *m)
{
	struct table *t = c->ctx;

	if (t->said == t->says_until)
		return false;
	m->len = link_message(m->data, true, t->said++, t->longest);
	return true;
}

static void table_h2c(struct card *c, const uint8_t *msg, size_t len)
{
	struct table *t = c->ctx;
	static uint8_t want[LINK_MESSAGE_MAX];
	const size_t want_len = link_message(want, false, t->h2c_first + t->h2c, t->longest);

	CHECK(len == want_len && !memcmp(msg, want, len), "message %u of the host came through changed", t->h2c);
	t->h2c++;
}

/* A fresh card whose core has said HELLO if `hello`. */
static struct table *begin(bool hello)
{
	struct table *t = &table;

	memset(t, 0, sizeof *t);
	t->longest = 200;
	t->card = card_open(7);
	if (!t->card)
		abort();
	t->card->ctx = t;
	t->card->up_byte = table_up;
	t->card->c2h_message = table_c2h;
	t->card->h2c_message = table_h2c;
	t->says_until = hello;
	card_ms(t->card, 1);
	return t;
}

static void end(struct table *t)
{
	CHECK(!t->card->fault, "%s", t->card->fault);
	CHECK_EQ(t->hunter.skipped, 0, "bytes between packets");
	CHECK_EQ(t->got_count, 0, "packets that nothing asked for");
	card_close(t->card);
}

static void say(struct table *t, unsigned flags, unsigned seq, unsigned ack, unsigned window)
{
	static uint8_t bytes[LINK_PACKET_MAX], payload[LINK_MESSAGE_MAX];
	struct link_packet p = { .flags = flags, .seq = seq & 255, .ack = ack & 255, .window = window };

	if (flags & DATA) {
		p.length = (unsigned)link_message(payload, false, seq, t->longest);
		p.payload = payload;
	}
	card_down(t->card, bytes, link_build(bytes, &p));
}

/* The next packet of the card, which must come within `ms`. */
static const struct link_packet *next_at(unsigned line, struct table *t, unsigned ms)
{
	static struct link_packet none;

	for (uint64_t i = 0; !t->got_count && i < (uint64_t)ms * t->card->tick_clocks + 300; i++)
		card_step(t->card);
	CHECK(t->got_count, "line %u: no packet came", line);
	if (!t->got_count)
		return memset(&none, 0xff, sizeof none);
	none = t->got[t->got_head].p;
	none.payload = t->got[t->got_head].payload;
	t->got_head = (t->got_head + 1) % COUNT(t->got);
	t->got_count--;
	return &none;
}

/* It is this one; a DATA packet carries message `seq` of the core from `base` on. */
static void expect_at(unsigned line, struct table *t, unsigned ms, unsigned flags, unsigned seq, unsigned ack)
{
	static uint8_t want[LINK_MESSAGE_MAX];
	const struct link_packet *p = next_at(line, t, ms);

	CHECK(p->flags == flags && p->seq == (seq & 255) && p->ack == (ack & 255),
		"line %u: flags 0x%x seq %u ack %u came, wanted 0x%x %u %u", line, p->flags, p->seq, p->ack, flags,
		seq & 255, ack & 255);
	if (flags & DATA && p->flags & DATA) {
		const size_t len = link_message(want, true, seq, t->longest);

		CHECK(p->length == len && !memcmp(p->payload, want, len), "line %u: payload of %u", line, seq);
	}
}
#define expect(t, ms, flags, seq, ack) expect_at(__LINE__, t, ms, flags, seq, ack)

static void quiet_at(unsigned line, struct table *t, unsigned ms)
{
	card_ms(t->card, ms);
	CHECK(!t->got_count, "line %u: a packet came, flags 0x%x", line, t->got[t->got_head].p.flags);
	t->got_count = 0;
}
#define quiet(t, ms) quiet_at(__LINE__, t, ms)

/* An open link whose HELLO is acknowledged. */
static struct table *begin_open(void)
{
	struct table *t = begin(true);

	say(t, OPEN, 0, 0, 8);
	expect(t, 1, OPEN, 0, 0);
	expect(t, 1, DATA, 0, 0);
	say(t, 0, 0, 1, 8);
	card_ms(t->card, 1);
	return t;
}

static void open_is_answered_and_hello_comes_first(void)
{
	struct table *t = begin(true);

	t->says_until = 3; /* while nobody is there */
	card_ms(t->card, 1);
	CHECK_EQ(t->card->discarded, 2, "messages discarded while closed");
	quiet(t, 20);
	say(t, OPEN, 0, 0, 8);
	CHECK_EQ(next_at(__LINE__, t, 1)->window, 8, "window of an empty card");
	CHECK_EQ(t->card->out.open, 1, "open");
	expect(t, 1, DATA, 0, 0); /* the kept copy */
	say(t, 0, 0, 1, 8);
	quiet(t, 20);
	end(t);
}

static void hello_that_comes_after_open_is_the_cores_own(void)
{
	struct table *t = begin(false);

	say(t, OPEN, 0, 0, 8);
	expect(t, 1, OPEN, 0, 0);
	quiet(t, 5);
	t->said = 1; /* whatever a core says before it is not for a host */
	t->says_until = 3;
	quiet(t, 5);
	CHECK_EQ(t->card->discarded, 2, "discarded");
	t->said = 0;
	t->says_until = 2;
	expect(t, 1, DATA, 0, 0);
	expect(t, 1, DATA, 1, 0);
	say(t, 0, 0, 2, 8);
	quiet(t, 5); /* not twice */
	end(t);
}

static void open_on_an_open_link_begins_anew(void)
{
	struct table *t = begin_open();
	const struct link_packet *p;

	t->says_until = 4;
	expect(t, 1, DATA, 1, 0);
	expect(t, 1, DATA, 2, 0);
	expect(t, 1, DATA, 3, 0);
	say(t, DATA, 0, 4, 8);
	expect(t, 1, 0, 4, 1);
	say(t, OPEN, 0, 0, 8);
	expect(t, 1, OPEN, 0, 0);
	p = next_at(__LINE__, t, 1);
	CHECK(p->flags == DATA && p->seq == 0 && p->payload[0] == HF_MSG_HELLO, "HELLO first again");
	CHECK_EQ(t->h2c, 1, "what was acknowledged went to the core");
	say(t, 0, 0, 1, 8);
	quiet(t, 5);
	end(t);
}

static void rest_of_a_message_that_open_or_close_cut_is_discarded(void)
{
	for (unsigned again = 0; again < 2; again++) {
		struct table *t = begin_open();
		const struct link_packet *p;

		t->longest = 4000;
		t->card->hold_up = false;
		t->card->c2h_rest = 250; /* slow, so that OPEN meets a message half taken */
		for (t->said = 1; link_message(t->card->c2h.data, true, t->said, t->longest) < 2000; t->said++)
			;
		t->says_until = t->said + 1;
		card_ms(t->card, 1);
		CHECK(t->card->c2h_at > 8 && t->card->c2h_at < t->card->c2h.len, "not in the middle of a message");
		if (again) {
			say(t, CLOSE, 0, 1, 8);
			expect(t, 1, CLOSE, 0, 0);
		}
		say(t, OPEN, 0, 0, 8);
		expect(t, 1, OPEN, 0, 0);
		t->card->c2h_rest = 0;
		p = next_at(__LINE__, t, 2);
		CHECK(p->flags == DATA && p->seq == 0 && p->payload[0] == HF_MSG_HELLO, "HELLO first");
		say(t, 0, 0, 1, 8);
		quiet(t, 5);
		CHECK_EQ(t->card->discarded, 1, "discarded");
		t->says_until++;
		p = next_at(__LINE__, t, 2);
		CHECK(p->flags == DATA && p->seq == 1, "the next message comes");
		say(t, 0, 0, 2, 8);
		end(t);
	}
}

static void closed_link_answers_close(void)
{
	struct table *t = begin(true);

	say(t, DATA, 0, 0, 8);
	expect(t, 1, CLOSE, 0, 0);
	say(t, ASK, 0, 0, 8);
	expect(t, 1, CLOSE, 0, 0);
	say(t, CLOSE, 0, 0, 8);
	expect(t, 1, CLOSE, 0, 0);
	quiet(t, 20);
	CHECK_EQ(t->h2c, 0, "messages to the core");
	end(t);
}

static void close_is_answered_and_then_the_core_is_heard_by_nobody(void)
{
	struct table *t = begin_open();

	say(t, CLOSE, 0, 1, 8);
	expect(t, 1, CLOSE, 0, 0);
	CHECK_EQ(t->card->out.open, 0, "open");
	t->says_until = 40;
	card_ms(t->card, 20);
	CHECK_EQ(t->said, 40, "messages taken while closed");
	CHECK_EQ(t->card->discarded, 39, "discarded");
	quiet(t, 20);
	end(t);
}

static void fourth_packet_or_a_millisecond_brings_an_ack(void)
{
	struct table *t = begin_open();

	for (unsigned i = 0; i < 4; i++)
		say(t, DATA, i, 1, 8);
	card_ms(t->card, 0);
	for (unsigned i = 0; t->card->down_count; i++)
		card_step(t->card);
	t->card->tick_clocks = 100000; /* no time passes */
	expect(t, 0, 0, 1, 4);
	t->card->tick_clocks = 1000;
	say(t, DATA, 4, 1, 8);
	expect(t, 2, 0, 1, 5);
	quiet(t, 5);
	CHECK_EQ(t->h2c, 5, "messages to the core");
	end(t);
}

static void data_carries_the_ack(void)
{
	struct table *t = begin_open();

	t->card->tick_clocks = 100000;
	say(t, DATA, 0, 1, 8);
	while (!t->h2c && t->card->clocks < 1000000)
		card_step(t->card);
	t->says_until = 2;
	expect(t, 0, DATA, 1, 1);
	t->card->tick_clocks = 1000;
	say(t, 0, 1, 2, 8);
	quiet(t, 5);
	end(t);
}

static void gap_draws_one_nak_and_another_after_two_milliseconds(void)
{
	struct table *t = begin_open();

	say(t, DATA, 1, 1, 8); /* 0 is missing */
	expect(t, 1, NAK, 1, 0);
	say(t, DATA, 2, 1, 8);
	quiet(t, 1);
	card_ms(t->card, 3);
	say(t, DATA, 3, 1, 8);
	expect(t, 1, NAK, 1, 0);
	for (unsigned i = 0; i < 3; i++)
		say(t, DATA, i, 1, 8);
	expect(t, 2, 0, 1, 3);
	say(t, DATA, 4, 1, 8); /* what was expected came, so at once */
	t->card->tick_clocks = 100000;
	expect(t, 0, NAK, 1, 3);
	end(t);
}

static void damaged_payload_draws_a_nak_and_costs_only_itself(void)
{
	struct table *t = begin_open();
	uint8_t bytes[LINK_PACKET_MAX], payload[LINK_MESSAGE_MAX];
	struct link_packet p = { .flags = DATA, .ack = 1, .window = 8, .payload = payload };
	size_t n;

	p.length = (unsigned)link_message(payload, false, 0, t->longest);
	n = link_build(bytes, &p);
	for (size_t bit = 0; bit < 8 * (n - HF_LINK_HEADER_BYTES); bit += 13) {
		const size_t at = HF_LINK_HEADER_BYTES + bit / 8;

		bytes[at] ^= (uint8_t)(1 << bit % 8);
		card_down(t->card, bytes, n);
		bytes[at] ^= (uint8_t)(1 << bit % 8);
		expect(t, 1, NAK, 1, 0);
		card_ms(t->card, 3);
	}
	CHECK_EQ(t->h2c, 0, "messages to the core");
	CHECK(t->card->damaged > 10, "%" PRIu64 " counted", t->card->damaged);
	card_down(t->card, bytes, n);
	expect(t, 2, 0, 1, 1);
	CHECK_EQ(t->h2c, 1, "messages to the core");
	end(t);
}

static void duplicate_draws_an_ack(void)
{
	struct table *t = begin_open();

	say(t, DATA, 0, 1, 8);
	expect(t, 2, 0, 1, 1);
	t->card->tick_clocks = 100000;
	say(t, DATA, 0, 1, 8);
	expect(t, 0, 0, 1, 1);
	CHECK_EQ(t->h2c, 1, "messages to the core");
	end(t);
}

static void nak_makes_it_send_again_from_ack_on(void)
{
	struct table *t = begin_open();

	t->says_until = 6;
	for (unsigned i = 1; i < 6; i++)
		expect(t, 1, DATA, i, 0);
	say(t, NAK, 0, 3, 8);
	for (unsigned i = 3; i < 6; i++)
		expect(t, 1, DATA, i, 0);
	say(t, 0, 0, 6, 8);
	quiet(t, 30);
	CHECK_EQ(t->card->resent, 1, "times it went back");
	/* An ack that comes while it sends again: what it covers is not sent once more. */
	t->says_until = 9;
	for (unsigned i = 6; i < 9; i++)
		expect(t, 1, DATA, i, 0);
	t->card->hold_up = true;
	say(t, NAK, 0, 6, 8);
	card_ms(t->card, 1);
	say(t, 0, 0, 9, 8);
	card_ms(t->card, 1);
	t->card->hold_up = false;
	expect(t, 1, DATA, 6, 0); /* it was begun */
	quiet(t, 30);
	t->says_until = 10;
	expect(t, 1, DATA, 9, 0);
	say(t, 0, 0, 10, 8);
	quiet(t, 5);
	end(t);
}

static void never_sends_beyond_ack_and_window(void)
{
	struct table *t = begin_open();

	t->says_until = 30;
	for (unsigned i = 1; i < 9; i++)
		expect(t, 1, DATA, i, 0);
	quiet(t, 5);
	say(t, 0, 0, 3, 3); /* 3, 4, 5 and no more; they are sent already */
	quiet(t, 3);
	say(t, 0, 0, 9, 1);
	expect(t, 1, DATA, 9, 0);
	quiet(t, 5);
	say(t, 0, 0, 10, 200); /* at most 8 all the same */
	for (unsigned i = 10; i < 18; i++)
		expect(t, 1, DATA, i, 0);
	quiet(t, 5);
	say(t, 0, 0, 18, 8);
	for (unsigned i = 18; i < 26; i++)
		expect(t, 1, DATA, i, 0);
	say(t, 0, 0, 30, 8); /* acknowledges what was never sent: of no effect */
	quiet(t, 3);
	say(t, NAK, 0, 17, 8); /* before the oldest: likewise */
	quiet(t, 3);
	say(t, 0, 0, 26, 8);
	for (unsigned i = 26; i < 30; i++)
		expect(t, 1, DATA, i, 0);
	say(t, 0, 0, 30, 8);
	quiet(t, 5);
	end(t);
}

static void oldest_packet_is_asked_for_after_ten_milliseconds(void)
{
	struct table *t = begin_open();
	uint64_t sent;

	t->says_until = 4;
	for (unsigned i = 1; i < 4; i++)
		expect(t, 1, DATA, i, 0);
	sent = t->card->clocks;
	expect(t, 12, ASK, 4, 0);
	CHECK(t->card->clocks - sent > 9 * t->card->tick_clocks, "asked after %" PRIu64 " clocks",
		t->card->clocks - sent);
	quiet(t, 9);
	expect(t, 3, ASK, 4, 0);
	say(t, 0, 0, 2, 8); /* the answer: 1 came, 2 is expected */
	expect(t, 1, DATA, 2, 0);
	expect(t, 1, DATA, 3, 0);
	say(t, 0, 0, 4, 8);
	quiet(t, 30);
	end(t);
}

static void closed_window_is_asked_about(void)
{
	struct table *t = begin_open();

	say(t, 0, 0, 1, 0);
	card_ms(t->card, 1);
	t->says_until = 3;
	quiet(t, 9);
	expect(t, 3, ASK, 1, 0);
	expect(t, 12, ASK, 1, 0);
	say(t, 0, 0, 1, 2);
	expect(t, 1, DATA, 1, 0);
	expect(t, 1, DATA, 2, 0);
	say(t, 0, 0, 3, 8);
	quiet(t, 30);
	end(t);
}

static void ask_is_answered_at_once(void)
{
	struct table *t = begin_open();

	struct link_packet p = { .flags = ASK, .ack = 1, .window = 8, .length = 20 };
	uint8_t header[HF_LINK_HEADER_BYTES];

	link_build(header, &p);
	card_down(t->card, header, sizeof header); /* not one with a length but no DATA */
	quiet(t, 2);
	CHECK_EQ(t->card->damaged, 1, "damaged");
	t->card->tick_clocks = 100000;
	say(t, ASK, 0, 1, 8);
	expect(t, 0, 0, 1, 0);
	end(t);
}

static void lying_and_impossible_lengths_use_up_their_numbers(void)
{
	static const unsigned lengths[] = { 0, 1, 15, 16385, 40000, 65535 };
	struct table *t = begin_open();
	static uint8_t bytes[LINK_PACKET_MAX], payload[LINK_MESSAGE_MAX];
	struct link_packet p = { .flags = DATA, .ack = 1, .window = 8, .payload = payload };
	unsigned number = 0;

	for (unsigned i = 0; i < 2; i++) { /* a length field that is one more, one less, of other high bits */
		p.length = (unsigned)link_message(payload, false, 0, t->longest);
		payload[2 + i] ^= 1;
		p.seq = number++;
		card_down(t->card, bytes, link_build(bytes, &p));
		expect(t, 2, 0, 1, number);
	}
	for (size_t i = 0; i < COUNT(lengths); i++) {
		p.length = lengths[i];
		p.seq = number++;
		p.payload = payload;
		if (p.length > sizeof payload) { /* only the header */
			uint8_t header[HF_LINK_HEADER_BYTES];
			struct link_packet h = p;

			h.flags = 0;
			link_build(header, &h);
			header[HF_LINK_AT_flags] = DATA;
			header[HF_LINK_AT_check] = (uint8_t)link_crc16(header, HF_LINK_AT_check);
			header[HF_LINK_AT_check + 1] = (uint8_t)(link_crc16(header, HF_LINK_AT_check) >> 8);
			card_down(t->card, header, sizeof header);
		} else {
			card_down(t->card, bytes, link_build(bytes, &p));
		}
		expect(t, 2, 0, 1, number);
	}
	CHECK_EQ(t->card->refused, number, "refused");
	CHECK_EQ(t->h2c, 0, "messages to the core");
	p.seq = 77;
	p.length = 3;
	card_down(t->card, bytes, link_build(bytes, &p)); /* not the expected one: its number stays */
	expect(t, 1, NAK, 1, number);
	t->h2c_first = number;
	say(t, DATA, number, 1, 8);
	expect(t, 2, 0, 1, number + 1);
	CHECK_EQ(t->h2c, 1, "messages to the core");
	end(t);
}

static void header_is_found_behind_any_garbage(void)
{
	struct table *t = begin_open();
	uint8_t header[HF_LINK_HEADER_BYTES], damaged[HF_LINK_HEADER_BYTES];
	const struct link_packet ask = { .flags = ASK, .ack = 1, .window = 8 };
	struct rng rng = { 5 };

	link_build(header, &ask);
	for (unsigned bit = 0; bit < 80; bit++) { /* one with any bit wrong is none */
		memcpy(damaged, header, sizeof header);
		damaged[bit / 8] ^= (uint8_t)(1 << bit % 8);
		card_down(t->card, damaged, sizeof damaged);
		quiet(t, 1);
	}
	for (unsigned bit = 0; bit < 16; bit++) { /* nor with another sync, although its check is right */
		uint16_t check;

		memcpy(damaged, header, sizeof header);
		damaged[bit / 8] ^= (uint8_t)(1 << bit % 8);
		check = link_crc16(damaged, HF_LINK_AT_check);
		damaged[8] = (uint8_t)check;
		damaged[9] = (uint8_t)(check >> 8);
		card_down(t->card, damaged, sizeof damaged);
		quiet(t, 1);
	}
	for (unsigned cut = 1; cut < sizeof header; cut++) { /* a part of one, then a whole one */
		card_down(t->card, header, cut);
		card_down(t->card, header, sizeof header);
		expect(t, 1, 0, 1, 0);
	}
	for (unsigned cut = 1; cut < sizeof header; cut++) { /* its first bytes are the tail of a damaged one */
		memcpy(damaged, header, sizeof header);
		damaged[9] ^= 0x80;
		memcpy(damaged + cut, header, sizeof header - cut);
		card_down(t->card, damaged, sizeof damaged);
		card_down(t->card, header + sizeof header - cut, cut);
		expect(t, 1, 0, 1, 0);
	}
	for (unsigned i = 0; i < 300; i++) {
		uint8_t garbage[64];
		const unsigned n = rng_below(&rng, sizeof garbage);

		for (unsigned k = 0; k < n; k++)
			garbage[k] = rng_percent(&rng, 30) ? (rng_next(&rng) & 1 ? 0x48 : 0x46) : rng_next(&rng) & 255;
		card_down(t->card, garbage, n);
		card_down(t->card, header, sizeof header);
		expect(t, 1, 0, 1, 0);
	}
	end(t);
}

static void payload_cut_off_swallows_nothing_after_five_milliseconds(void)
{
	struct table *t = begin_open();
	uint8_t bytes[LINK_PACKET_MAX], payload[LINK_MESSAGE_MAX];
	struct link_packet p = { .flags = DATA, .ack = 1, .window = 8, .payload = payload };
	size_t n;

	p.length = (unsigned)link_message(payload, false, 0, t->longest);
	n = link_build(bytes, &p);
	for (size_t cut = HF_LINK_HEADER_BYTES; cut < n; cut += 5) {
		card_down(t->card, bytes, cut);
		quiet(t, 4);
		expect(t, 3, NAK, 1, 0);
		card_ms(t->card, 3);
	}
	/* A pause of less is none. */
	card_down(t->card, bytes, 20);
	quiet(t, 4);
	card_down(t->card, bytes + 20, n - 22);
	quiet(t, 4);
	card_down(t->card, bytes + n - 2, 2);
	expect(t, 2, 0, 1, 1);
	CHECK_EQ(t->h2c, 1, "messages to the core");
	end(t);
}

static void window_closes_with_the_core_and_opens_again(void)
{
	struct table *t = begin_open();
	const struct link_packet *p;

	t->card->hold_h2c = true;
	t->card->tick_clocks = 100000;
	for (unsigned i = 0; i < 8; i++)
		say(t, DATA, i, 1, 8);
	p = next_at(__LINE__, t, 2);
	CHECK(p->ack == 4 && p->window == 4, "ack %u window %u", p->ack, p->window);
	p = next_at(__LINE__, t, 2);
	CHECK(p->ack == 8 && p->window == 0, "ack %u window %u", p->ack, p->window);
	t->card->tick_clocks = 1000;
	say(t, DATA, 8, 1, 8); /* beyond it: not taken, however small */
	expect(t, 1, NAK, 1, 8);
	quiet(t, 5);
	t->card->hold_h2c = false;
	for (unsigned i = 0; !t->h2c && i < 1000; i++)
		card_step(t->card);
	t->card->hold_h2c = true; /* one place is enough after 0 */
	p = next_at(__LINE__, t, 1);
	CHECK(p->flags == 0 && p->ack == 8 && p->window >= 1, "window %u after 0", p->window);
	t->card->hold_h2c = false;
	do
		p = next_at(__LINE__, t, 1);
	while (p->window < 5 && p->window >= 1);
	CHECK(p->window >= 5 && p->window <= 8, "window in the end: %u", p->window);
	card_ms(t->card, 2);
	t->got_count = 0;
	CHECK_EQ(t->h2c, 8, "messages to the core");
	say(t, DATA, 8, 1, 8);
	expect(t, 2, 0, 1, 9);
	end(t);
}

static void longest_and_shortest_messages_pass(void)
{
	static const unsigned lengths[] = { 16, 17, 23, 24, 25, 1537, 1538, 9038, 16383, 16384, 16 };
	struct table *t = begin_open();
	static uint8_t bytes[LINK_PACKET_MAX], payload[LINK_MESSAGE_MAX];
	struct link_packet p = { .flags = DATA, .ack = 1, .window = 8, .payload = payload };
	const struct link_packet *up;

	t->card->h2c_message = NULL;
	t->card->c2h_message = NULL;
	t->card->tick_clocks = 10000;
	for (unsigned i = 0; i < COUNT(lengths); i++) {
		memset(payload, (int)i + 1, sizeof payload);
		payload[2] = lengths[i] & 255;
		payload[3] = (uint8_t)(lengths[i] >> 8);
		p.seq = i;
		p.length = lengths[i];
		card_down(t->card, bytes, link_build(bytes, &p));
		up = next_at(__LINE__, t, 20);
		CHECK(up->ack == i + 1, "length %u: ack %u flags %u window %u", lengths[i], up->ack, up->flags,
			up->window);
		p.ack = (i + 1) & 255;
		while (t->card->out.m_axis_h2c_tvalid || t->card->h2c.len)
			card_step(t->card);
		card_ms(t->card, 8);
		/* The same the other way. */
		t->card->c2h.len = lengths[i];
		memcpy(t->card->c2h.data, payload, lengths[i]);
		memset(t->card->c2h.data + lengths[i], 0, 8 * (lengths[i] < sizeof payload - 8));
		up = next_at(__LINE__, t, 40);
		CHECK(up->flags == DATA && up->length == lengths[i] && !memcmp(up->payload, payload, lengths[i]),
			"length %u: %u came up", lengths[i], up->length);
		p.flags = 0;
		p.length = 0;
		p.ack = (i + 2) & 255;
		card_down(t->card, bytes, link_build(bytes, &p));
		p.flags = DATA;
		card_ms(t->card, 1);
	}
	CHECK_EQ(t->card->damaged + t->card->refused, 0, "dropped");
	end(t);
}

/* A message as long as the ring, and another that must wait until it is acknowledged. */
static void full_ring_keeps_what_is_not_acknowledged(void)
{
	struct table *t = begin_open();
	static uint8_t want[LINK_MESSAGE_MAX];
	const struct link_packet *p;

	for (size_t i = 0; i < sizeof want; i++)
		want[i] = (uint8_t)(i * 7 + (i >> 8));
	want[2] = 0;
	want[3] = LINK_MESSAGE_MAX >> 8;
	t->card->tick_clocks = 50000;
	t->card->c2h_message = NULL;
	memcpy(t->card->c2h.data, want, sizeof want);
	t->card->c2h.len = sizeof want;
	for (unsigned again = 0; again < 2; again++) {
		p = next_at(__LINE__, t, 4);
		CHECK(p->flags == DATA && p->seq == 1 && p->length == sizeof want &&
				!memcmp(p->payload, want, sizeof want),
			"%s", again ? "changed when it was sent again" : "changed");
		if (again)
			break;
		t->card->c2h.len = 48;
		t->card->c2h_at = 0;
		t->card->c2h.data[2] = 48;
		t->card->c2h.data[3] = 0;
		card_ms(t->card, 1);
		say(t, NAK, 0, 1, 8);
	}
	say(t, 0, 0, 2, 8);
	p = next_at(__LINE__, t, 1);
	CHECK(p->flags == DATA && p->seq == 2 && p->length == 48, "the one that waited");
	say(t, 0, 0, 3, 8);
	quiet(t, 1);
	end(t);
}

static void silent_host_is_given_up_after_five_seconds(void)
{
	struct table *t = begin_open();

	t->card->tick_clocks = 60;
	for (unsigned round = 0; round < 2; round++) { /* it speaks after 4.5 s, then never */
		expect(t, 2100, ASK, 1, 0);
		quiet(t, 1900);
		expect(t, 200, ASK, 1, 0);
		card_ms(t->card, 500);
		CHECK_EQ(t->card->out.open, 1, "open after 4.5 s");
		if (!round)
			say(t, 0, 0, 1, 8);
		card_ms(t->card, round ? 600 : 1);
	}
	CHECK_EQ(t->card->out.open, 0, "open after 5 s");
	quiet(t, 100);
	say(t, ASK, 0, 1, 8);
	expect(t, 1, CLOSE, 0, 0);
	/* Who cannot be asked, because it does not read, is not given up. */
	say(t, OPEN, 0, 0, 8);
	expect(t, 1, OPEN, 0, 0);
	expect(t, 1, DATA, 0, 0);
	say(t, 0, 0, 1, 8);
	card_ms(t->card, 1);
	t->card->hold_up = true;
	card_ms(t->card, 6000);
	CHECK_EQ(t->card->out.open, 1, "open while nothing can be sent");
	end(t);
}

static void core_waits_while_nobody_acknowledges(void)
{
	struct table *t = begin_open();

	t->says_until = 40;
	for (unsigned i = 1; i < 9; i++)
		expect(t, 1, DATA, i, 0);
	card_ms(t->card, 5);
	CHECK(t->said <= 10, "%u messages taken, 8 are the most", t->said);
	CHECK_EQ(t->card->discarded, 0, "discarded");
	for (unsigned base = 9; base < 40; base += 8) {
		say(t, 0, 0, base, 8);
		for (unsigned i = base; i < base + 8 && i < 40; i++)
			expect(t, 1, DATA, i, 0);
	}
	say(t, 0, 0, 40, 8);
	quiet(t, 20);
	end(t);
}

static void last_byte_says_that_nothing_follows(void)
{
	struct table *t = begin_open();
	const uint64_t before = t->card->up_lasts;

	t->card->hold_up = true;
	t->says_until = 5;
	card_ms(t->card, 1);
	t->card->hold_up = false;
	for (unsigned i = 1; i < 5; i++)
		expect(t, 1, DATA, i, 0);
	CHECK_EQ(t->card->up_lasts - before, 1, "ends of a burst of four packets");
	say(t, 0, 0, 5, 8);
	quiet(t, 2);
	end(t);
}

/* Random bytes, on a closed and on an open link, some of them true packets with random fields: whatever they do to the
 * session, they hang nothing, and OPEN begins anew. */
static void random_packets_never_wedge_it(void)
{
	static const unsigned some[] = { 0, 1, 2, 7, 8, 9, 255 };
	struct table *t = begin(true);
	struct rng rng = { 99 };
	static uint8_t bytes[LINK_PACKET_MAX], payload[LINK_MESSAGE_MAX];

	t->card->h2c_message = NULL;
	t->card->c2h_rest = 200;
	t->card->h2c_rest = 100;
	for (unsigned round = 0; round < 60; round++) {
		t->says_until += 20;
		for (unsigned i = 0; i < 40; i++) {
			struct link_packet p = { .flags = rng_below(&rng, 32),
				.seq = some[rng_below(&rng, COUNT(some))],
				.ack = some[rng_below(&rng, COUNT(some))],
				.window = some[rng_below(&rng, COUNT(some))],
				.length = rng_below(&rng, 60),
				.payload = payload };
			size_t n;

			payload[2] = (uint8_t)p.length;
			n = link_build(bytes, &p);
			if (rng_percent(&rng, 20))
				bytes[rng_below(&rng, n)] ^= 1;
			if (rng_percent(&rng, 10))
				n = rng_below(&rng, n);
			card_down(t->card, bytes, n);
			card_ms(t->card, 1);
			t->got_count = 0;
		}
		card_ms(t->card, 8); /* whatever is cut off is over */
		t->got_count = 0;
		say(t, OPEN, 0, 0, 8);
		for (unsigned i = 0; i < 100 && next_at(__LINE__, t, 2)->flags != OPEN; i++)
			;
		t->card->c2h_rest = 0;
		card_ms(t->card, 3);
		t->card->c2h_rest = 200;
		CHECK(t->got_count && t->got[t->got_head].p.flags == DATA &&
				t->got[t->got_head].payload[0] == HF_MSG_HELLO,
			"round %u: no HELLO after OPEN", round);
		t->got_count = 0;
	}
	t->got_count = 0;
	end(t);
}

/* ---- a whole host ---- */

struct run {
	struct card *card;
	struct link_host host;
	unsigned up_next, down_next; /* numbers of the messages that must come next */
	unsigned said, sent, total, longest;
	unsigned wrong;
};

static void run_message(struct run *r, bool from_card, unsigned *number, const uint8_t *msg, size_t len)
{
	static uint8_t want[LINK_MESSAGE_MAX];

	if (len != link_message(want, from_card, *number, r->longest) || memcmp(msg, want, len))
		r->wrong++;
	++*number;
}

static void run_up(void *ctx, const uint8_t *msg, size_t len)
{
	struct run *r = ctx;

	run_message(r, true, &r->up_next, msg, len);
}

static void run_h2c(struct card *c, const uint8_t *msg, size_t len)
{
	struct run *r = c->ctx;

	run_message(r, false, &r->down_next, msg, len);
}

static void run_up_byte(struct card *c, uint8_t byte, bool last)
{
	struct run *r = c->ctx;

	(void)last;
	link_host_byte(&r->host, byte);
}

static bool run_down_byte(struct card *c, uint8_t *byte)
{
	struct run *r = c->ctx;
	static uint8_t msg[LINK_MESSAGE_MAX];

	if (!r->host.out_count && r->sent < r->total && link_host_room(&r->host)) {
		link_host_send(&r->host, msg, link_message(msg, false, r->sent, r->longest));
		r->sent++;
	}
	return link_host_out(&r->host, byte);
}

static bool run_c2h(struct card *c, struct card_message *m)
{
	struct run *r = c->ctx;

	if (r->said >= r->total || (r->said && !r->host.open))
		return false;
	m->len = link_message(m->data, true, r->said++, r->longest);
	return true;
}

static void run_ms(struct card *c)
{
	link_host_ms(&((struct run *)c->ctx)->host);
}

/* `total` messages each way; none lost, changed, repeated or out of order. */
static void run(unsigned total, unsigned longest, unsigned tick_clocks, uint8_t rest, uint32_t damage, uint64_t seed)
{
	static struct run r;
	uint64_t idle = 0;

	memset(&r, 0, sizeof r);
	r.total = total;
	r.longest = longest;
	r.card = card_open(seed);
	if (!r.card)
		abort();
	r.card->ctx = &r;
	r.card->up_rest = r.card->down_rest = r.card->c2h_rest = r.card->h2c_rest = rest;
	if (longest > 1538)
		r.card->h2c_rest = 245; /* a slow core, so that h2c is full at times */
	r.card->up_byte = run_up_byte;
	r.card->down_byte = run_down_byte;
	r.card->h2c_message = run_h2c;
	r.card->c2h_message = run_c2h;
	r.card->ms = run_ms;
	r.card->tick_clocks = tick_clocks;
	link_host_init(&r.host, 10);
	r.host.ctx = &r;
	r.host.message = run_up;
	link_host_open(&r.host);
	card_ms(r.card, 5);
	r.card->lose = r.card->twice = r.card->flip = damage;
	while ((r.up_next < total || r.down_next < total) && idle < 3000000 && !r.wrong) {
		const unsigned before = r.up_next + r.down_next;

		card_step(r.card);
		idle = before == r.up_next + r.down_next ? idle + 1 : 0;
	}
	CHECK_EQ(r.wrong, 0, "messages changed, lost or repeated");
	CHECK_EQ(r.up_next, total, "messages of the core that came");
	CHECK_EQ(r.down_next, total, "messages of the host that came");
	CHECK_EQ(r.host.closes, 0, "times the card took the link for closed");
	CHECK(!r.card->fault, "%s", r.card->fault);
	if (damage)
		CHECK(r.card->damaged && r.card->resent && r.host.resent, "nothing was damaged");
	else /* what is longer than the window counts on may have to be sent again */
		CHECK_EQ(r.card->damaged + r.card->resent + (longest > 1538 ? 0 : r.host.resent), 0,
			"damaged on a good cable");
	if (getenv("HF_USB_MESSAGES"))
		printf("%u messages each way, %" PRIu64 " clocks: %" PRIu64 " damaged packets, gone back %" PRIu64
		       " and %" PRIu64 " times; none lost, repeated or changed\n",
			total, r.card->clocks, r.card->damaged, r.card->resent, r.host.resent);
	card_close(r.card);
}

static void everything_arrives_over_a_good_cable(void)
{
	run(3000, 1538, 5000, 0, 0, 1);
	run(300, 16384, 50000, 0, 0, 2);
}

static void everything_arrives_with_stalls_everywhere(void)
{
	run(3000, 400, 5000, 100, 0, 3);
}

static void everything_arrives_over_a_bad_cable(void)
{
	const char *more = getenv("HF_USB_MESSAGES");
	const unsigned total = more ? (unsigned)strtoul(more, NULL, 10) : 20000;

	run(total, 160, 400, 20, (1u << 24) / 20000, 4); /* a byte in 6,700 */
	run(1500, 1538, 4000, 60, (1u << 24) / 3000, 5);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(open_is_answered_and_hello_comes_first), CASE_ONCE(hello_that_comes_after_open_is_the_cores_own),
		CASE_ONCE(open_on_an_open_link_begins_anew), CASE_ONCE(rest_of_a_message_that_open_or_close_cut_is_discarded),
		CASE_ONCE(closed_link_answers_close), CASE_ONCE(close_is_answered_and_then_the_core_is_heard_by_nobody),
		CASE_ONCE(fourth_packet_or_a_millisecond_brings_an_ack), CASE_ONCE(data_carries_the_ack),
		CASE_ONCE(gap_draws_one_nak_and_another_after_two_milliseconds),
		CASE_ONCE(damaged_payload_draws_a_nak_and_costs_only_itself), CASE_ONCE(duplicate_draws_an_ack),
		CASE_ONCE(nak_makes_it_send_again_from_ack_on), CASE_ONCE(never_sends_beyond_ack_and_window),
		CASE_ONCE(oldest_packet_is_asked_for_after_ten_milliseconds), CASE_ONCE(closed_window_is_asked_about),
		CASE_ONCE(ask_is_answered_at_once), CASE_ONCE(lying_and_impossible_lengths_use_up_their_numbers),
		CASE_ONCE(header_is_found_behind_any_garbage), CASE_ONCE(payload_cut_off_swallows_nothing_after_five_milliseconds),
		CASE_ONCE(window_closes_with_the_core_and_opens_again), CASE_ONCE(longest_and_shortest_messages_pass),
		CASE_ONCE(full_ring_keeps_what_is_not_acknowledged), CASE_ONCE(silent_host_is_given_up_after_five_seconds), CASE_ONCE(core_waits_while_nobody_acknowledges),
		CASE_ONCE(last_byte_says_that_nothing_follows), CASE_ONCE(random_packets_never_wedge_it),
		CASE_ONCE(everything_arrives_over_a_good_cable), CASE_ONCE(everything_arrives_with_stalls_everywhere),
		CASE_ONCE(everything_arrives_over_a_bad_cable), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "usb_link", cases);
}
