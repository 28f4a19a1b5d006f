/* SPDX-License-Identifier: Apache-2.0
 * fuzz_link.c - libFuzzer harness: a card says what the input holds, to the host's end of the byte link (driver/link.c). Whatever that was,
 * messages that come out are whole, packets that go out are right, every time that is due moves on, and with a card that keeps the
 * rules the link works again.
 *
 * Input: a list of pieces. Octet 0, bits 2:0: 0 octets as they are; 1 a packet whose check and CRC are put right; 2 time passes;
 * 3 a message is sent; 4 messages are taken; 5 output is taken; 6 the link is closed, or opened; 7 the answer to OPEN. Octet 1: a length or a number; that
 * many octets follow for 0 and 1. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../driver/link.h"
#include "../../driver/message.h"
#include "../../sim/usb/link_functional.h"

enum { HEADER = HF_LINK_HEADER_BYTES, MESSAGE = 40, STEP_US = 500, STEPS = 20000, OUT = 40000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t now;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static uint16_t check_of(const uint8_t *p)
{
	uint16_t crc = 0xffff;

	for (unsigned i = 0; i < HF_LINK_AT_check; i++)
		for (int bit = 7; bit >= 0; bit--)
			crc = (uint16_t)(crc << 1 ^ (((crc >> 15 ^ p[i] >> bit) & 1) ? 0x1021 : 0));
	return crc;
}

/* What goes out is packets, and zeros. Returns the bytes of a packet that is not whole yet. */
static size_t judge(const uint8_t *p, size_t n)
{
	while (n) {
		size_t len, whole;

		if (!*p) {
			p++;
			n--;
			continue;
		}
		if (n < HEADER)
			return n;
		must(p[0] == 0x48 && p[1] == 0x46);
		must(message_get(p + HF_LINK_AT_check, 2) == check_of(p));
		len = message_get(p + HF_LINK_AT_length, 2);
		must(p[HF_LINK_AT_window] <= HF_LINK_WINDOW);
		must(p[HF_LINK_AT_flags] & HF_LINK_DATA ? len >= 16 && len <= 16384 : !len);
		whole = HEADER + (len ? len + 4 : 0);
		if (n < whole)
			return n;
		if (len)
			must(message_get(p + HEADER + len, 4) == crc32(0, p + HEADER, (uInt)len));
		p += whole;
		n -= whole;
	}
	return 0;
}

static void output(struct link *l)
{
	static uint8_t out[2 * OUT];
	size_t n, have, left = 0;

	do {
		n = link_output(l, out + left, OUT, now);
		have = left + n;
		left = judge(out, have);
		must(left < OUT);
		memmove(out, out + have - left, left);
	} while (n);
	must(!left);
}

static void pass(struct link *l, int64_t us)
{
	int64_t end = now + us;

	while (link_due(l) <= end) {
		if (link_due(l) > now)
			now = link_due(l);
		link_tick(l, now);
		must(link_due(l) > now);
		output(l);
	}
	now = end;
}

static unsigned take(struct link *l)
{
	static uint8_t msg[16384];
	unsigned hellos = 0;
	ssize_t n;

	while ((n = link_recv(l, msg, sizeof(msg))) > 0) {
		must(n >= 16 && GET(msg, HEADER, length) == (size_t)n);
		hellos += n == MESSAGE && msg[0] == HF_MSG_HELLO && msg[20] == 0xa5;
	}
	must(n == -11 || n == -19); /* -EAGAIN, -ENODEV */
	return hellos;
}

static void send(struct link *l, unsigned len)
{
	static uint8_t msg[16384];

	PUT(msg, HEADER, length, len);
	link_send(l, msg, len);
}

static size_t packet(uint8_t *p, const uint8_t *from, size_t n)
{
	size_t len = n > HEADER ? n - HEADER : 0;

	memset(p, 0, HEADER);
	memcpy(p, from, n < HEADER ? n : HEADER);
	memcpy(p, "HF", 2);
	if (p[HF_LINK_AT_flags] & HF_LINK_DATA) {
		memcpy(p + HEADER, from + HEADER, len);
		if (p[9] & 1 && len >= 4) /* and its own length field */
			message_put(p + HEADER + HF_AT_HEADER_length, 2, len);
		message_put(p + HF_LINK_AT_length, 2, len);
	} else {
		len = 0;
		message_put(p + HF_LINK_AT_length, 2, 0);
	}
	message_put(p + HF_LINK_AT_check, 2, check_of(p));
	if (!(p[HF_LINK_AT_flags] & HF_LINK_DATA))
		return HEADER;
	message_put(p + HEADER + len, 4, crc32(0, p + HEADER, (uInt)len));
	return HEADER + len + 4;
}

/* A card that keeps the rules: sooner or later the link is open and says HELLO, and a message arrives. */
static void recovers(struct link *l)
{
	struct card_link *card = card_link_new();
	uint8_t hello[MESSAGE] = { HF_MSG_HELLO, 0, MESSAGE, 0 }, bytes[2048];
	unsigned hellos = 0, arrived = 0;

	hello[20] = 0xa5;
	card_link_hello(card, hello, sizeof(hello));
	if (link_state(l) != LINK_OPENED && link_state(l) != LINK_OPENING)
		link_open(l, now);
	for (unsigned i = 0; i < STEPS && !(hellos && arrived); i++) {
		size_t len;

		now += STEP_US;
		card_link_down(card, bytes, link_output(l, bytes, sizeof(bytes), now), now);
		link_input(l, bytes, card_link_up(card, bytes, sizeof(bytes), now), now);
		if (link_due(l) <= now)
			link_tick(l, now);
		if (card_link_due(card) <= now)
			card_link_tick(card, now);
		hellos += take(l);
		/* A link that knows nothing of its card's being another one only learns it when it says something. */
		if (i % 64 == 0)
			send(l, 24);
		for (; card_link_h2c(card, &len); card_link_h2c_done(card))
			arrived += hellos > 0;
		if (link_state(l) == LINK_LOST)
			link_open(l, now);
	}
	must(hellos && arrived);
	card_link_free(card);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link *l = link_new(LINK_ASK_US);
	uint8_t made[HEADER + 256 + 4];

	now = 1000000;
	link_open(l, now);
	output(l);
	while (size >= 2) {
		unsigned what = data[0] & 7, n = data[1];

		data += 2;
		size -= 2;
		if (what <= 1 && n > size)
			n = (unsigned)size;
		switch (what) {
		case 0:
			link_input(l, data, n, now);
			break;
		case 1:
			link_input(l, made, packet(made, data, n), now);
			break;
		case 2:
			pass(l, (int64_t)n * n * 10);
			break;
		case 3:
			send(l, 16 + n * 60);
			break;
		case 4:
			take(l);
			break;
		case 5:
			output(l);
			break;
		case 6:
			if (n & 1)
				link_close(l, now);
			else
				link_open(l, now);
			break;
		default:
			link_input(l, made, packet(made, (const uint8_t[]){ 0, 0, HF_LINK_OPEN, 0, 0, 8 }, 6), now);
		}
		if (what <= 1) {
			data += n;
			size -= n;
		}
	}
	output(l);
	recovers(l);
	link_free(l);
	return 0;
}
