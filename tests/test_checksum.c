/* SPDX-License-Identifier: Apache-2.0
 * test_checksum.c - the Internet checksum (RFC 1071, RFC 1624, RFC 9293 3.1) wherever the core computes one: on
 * receive, in the frames it builds, and inserted into host frames; and the functions of the C model. */
#include "../cmodel/checksum.h"
#include "support_bench.h"
#include "support_vectors.h"

static unsigned hex_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? (unsigned)strtoul(at + strlen(word), NULL, 16) : 0x10000;
}

/* Send a frame through h2c with CSUM_INSERT; returns the frame that came out. */
static const struct item *insert(struct bench *b, const uint8_t *frame, size_t len, unsigned start, unsigned offset)
{
	uint8_t msg[32 + PACKET_MAX] = { HF_MSG_FRAME, HF_FRAME_CSUM_INSERT };
	const struct item *out;

	MSG_PUT(msg, HEADER, length, 16 + len);
	MSG_PUT(msg, HEADER, id, start | offset << 16);
	memcpy(msg + 16, frame, len);
	memset(msg + 16 + len, 0xa5, 7); /* padding to the next beat is not part of the frame */
	bench_message(b, msg, (16 + len + 7) & ~(size_t)7);
	out = bench_tx(b);
	if (!CHECK(out != NULL, "the host's frame did not come out"))
		return NULL;
	CHECK_EQ(out->len, len, "length of the host's frame");
	return out->len == len ? out : NULL;
}

static size_t vector_frame(uint8_t *frame, const struct vector *v)
{
	return make_frame(frame, OUR_MAC, PEER_MAC, v->bytes, v->len);
}

/* ---- the loopback capture ---- */

static struct bench *tutorial_bench(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	bench_set(b, HF_REG_CTRL, CTRL_ENABLE | CTRL_ALLOW_LOOPBACK);
	bench_set(b, HF_REG_LOCAL_ADDR1, 0x7f000001);
	bench_set(b, HF_REG_MSS, 65495);
	bench_set(b, HF_REG_RCV_WND, 65483);
	bench_listen(b, 0, 0, 7899, 10, OPT_WS | OPT_SACK | OPT_TS, LISTEN_OFFLOAD);
	return b;
}

/* The corrected packets A01 and A03 in, and A02 comes out octet for octet: checksums 0x2d48, 0xd4f6, 0xfbb2. Its
 * timestamp 0x7a572314 is the millisecond clock plus a keyed offset: look for a key that brings it within reach. */
static void tutorial_handshake(void)
{
	static const uint8_t key_index[16] = { 1 };
	uint8_t key_isn[16] = "loopback";
	struct bench *b = tutorial_bench();
	const struct item *event;
	uint32_t offset = 0;

	memcpy(b->key_isn, key_isn, sizeof(key_isn));
	for (uint32_t i = 0; i < 40000000; i++) {
		put_le(b->key_isn + 8, 4, i);
		offset = (uint32_t)(bench_isn_hash(b, 0x7f000001, 48448, 0x7f000001, 7899) >> 32);
		if (0x7a572314 - offset < 2000)
			break;
	}
	memcpy(key_isn, b->key_isn, sizeof(key_isn));
	bench_keys(b, key_index, key_isn);
	bench_ms(b, 0x7a572314 - offset);
	bench_iss(b, 0x7f000001, 48448, 0x7f000001, 7899, 0x791641ca);
	bench_packet(b, vector_find("A01-SYN-ok")->bytes, vector_find("A01-SYN-ok")->len);
	CHECK_EQ(get16(vector_find("A01-SYN-ok")->bytes + 36), 0x2d48, "A01");
	CHECK_EQ(get16(vector_find("A02-SYNACK-ok")->bytes + 36), 0xd4f6, "A02");
	CHECK_EQ(get16(vector_find("A03-ACK-ok")->bytes + 36), 0xfbb2, "A03");
	bench_expect_packet(b, vector_find("A02-SYNACK-ok")->bytes, vector_find("A02-SYNACK-ok")->len);
	bench_packet(b, vector_find("A03-ACK-ok")->bytes, vector_find("A03-ACK-ok")->len);
	event = bench_c2h(b);
	if (CHECK(event && event->bytes[0] == HF_MSG_EVENT, "the handshake made no event"))
		CHECK_EQ(MSG_GET(event->bytes, EVENT, snd_wnd), 512 << 7, "SND.WND");
	bench_counted(b, HF_CNT_DROP_TCP_CHECKSUM, 0);
	bench_close(b);
}

/* As captured, with checksum offload: the field holds only the pseudo-header's sum. */
static void tutorial_captured_forms_dropped(void)
{
	static const char *const names[] = { "A01-SYN-cap", "A02-SYNACK-cap", "A03-ACK-cap" };
	struct bench *b = tutorial_bench();

	for (size_t i = 0; i < COUNT(names); i++) {
		check_context("%s", names[i]);
		bench_packet(b, vector_find(names[i])->bytes, vector_find(names[i])->len);
		bench_counted(b, HF_CNT_DROP_TCP_CHECKSUM, 1);
		bench_quiet(b);
	}
	check_context("%s", "");
	bench_silence(b);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_close(b);
}

/* That sum is what CSUM_INSERT wants in the field: the captured forms become the corrected ones. */
static void tutorial_captured_forms_completed(void)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint16_t checksum;
	} rows[] = { { "A01-SYN", 0x2d48 }, { "A02-SYNACK", 0xd4f6 }, { "A03-ACK", 0xfbb2 } };
	struct bench *b = bench_open(ENGINE_DEFAULT);

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t captured[256], corrected[256];
		char name[32];
		size_t len;
		const struct item *out;

		snprintf(name, sizeof(name), "%s-cap", rows[i].name);
		vector_frame(captured, vector_find(name));
		snprintf(name, sizeof(name), "%s-ok", rows[i].name);
		len = vector_frame(corrected, vector_find(name));
		check_context("%s", rows[i].name);
		out = insert(b, captured, len, 34, 16);
		if (out) {
			CHECK_EQ(get16(out->bytes + 50), rows[i].checksum, "checksum");
			CHECK_BYTES("frame", out->bytes, out->len, corrected, len);
		}
	}
	check_context("%s", "");
	bench_close(b);
}

/* ---- B: RFC 1071 buffers ---- */

/* Through the engine: behind 14 octets of Ethernet and a field of 0, so that the checksum of the buffer goes there. */
static void rfc1071_vectors(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	size_t count;
	const struct vector *v = vector_all(&count);
	unsigned seen = 0;

	for (size_t i = 0; i < count; i++) {
		uint8_t frame[256] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
		const struct item *out;

		if (v[i].name[0] != 'B')
			continue;
		check_context("%s", v[i].name);
		memcpy(frame + 16, v[i].bytes, v[i].len);
		out = insert(b, frame, 16 + v[i].len, 14, 0);
		if (out)
			CHECK_EQ(get16(out->bytes + 14), hex_after(v[i].expected, "checksum=0x"), "checksum");
		seen++;
	}
	check_context("%s", "");
	CHECK_EQ(seen, 11, "rows B");
	bench_close(b);
}

static void rfc1071_functions(void)
{
	size_t count;
	const struct vector *v = vector_all(&count);
	uint64_t random = 1071;

	for (size_t i = 0; i < count; i++) {
		if (v[i].name[0] != 'B')
			continue;
		check_context("%s", v[i].name);
		CHECK_EQ(hf_checksum_sum(v[i].bytes, v[i].len), hex_after(v[i].expected, "sum=0x"), "sum");
		CHECK_EQ(ref_sum(v[i].bytes, v[i].len), hex_after(v[i].expected, "sum=0x"), "reference sum");
	}
	check_context("%s", "");
	for (unsigned i = 0; i < 100000; i++) { /* any length, any even split */
		uint8_t octets[1500];
		size_t len = random_below(&random, sizeof(octets));
		size_t at = random_below(&random, (uint32_t)len / 2 + 1) * 2;
		uint64_t bits = random_next(&random);

		len = i % 8 ? len % 64 : len;
		at = at > len ? len & ~(size_t)1 : at;
		for (size_t k = 0; k < len; k++)
			octets[k] = bits >> 62 ? (uint8_t)random_next(&random) : (uint8_t)(bits >> 61 ? 0xff : 0);
		if (!CHECK(hf_checksum_sum(octets, len) == ref_sum(octets, len), "sum of %zu octets", len) ||
		    !CHECK(hf_checksum_add(hf_checksum_sum(octets, at), hf_checksum_sum(octets + at, len - at)) ==
				   ref_sum(octets, len), "sum of %zu octets parted at %zu", len, at))
			return;
	}
}

/* ---- C: segments ---- */

static void segment_vectors(void)
{
	static const struct {
		const char *name;
		char want; /* 'S' SYN-ACK, 'H' to the host, else dropped: 'T' TCP checksum, 'I' IP checksum */
		const char *opts; /* of the SYN-ACK */
	} rows[] = {
		{ "C01", 'H' }, { "C02", 'H' }, { "C03", 'H' }, { "C04", 'H' },
		{ "C05", 'S', "mss=1460" }, { "C06", 'S', "mss=1460" }, { "C07", 'H' }, { "C08", 'H' },
		{ "C09", 'S', "mss=1460 sack ts=0:0x7a572314 nop ws=7" },
		{ "C10", 'S', "mss=1460 sack ts=0:0x7a572314 nop ws=7" },
		{ "C11", 'T' }, { "C12", 'T' }, { "C13", 'I' }, { "C14", 'S', "mss=1460" }, { "C15", 'T' },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct vector *v = vector_find(rows[i].name);
		struct bench *b = bench_open(ENGINE_DEFAULT);

		check_context("%s", v->name);
		bench_iss(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT, 0x20000000);
		if (!strcmp(rows[i].name, "C04")) /* a whole Ethernet frame */
			bench_frame(b, v->bytes, v->len);
		else
			bench_packet(b, v->bytes, v->len);
		switch (rows[i].want) {
		case 'H':
			bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
			break;
		case 'S':
			bench_expect_segment(b, &(struct segment){ .sport = OUR_PORT,
							.dport = PEER_PORT,
							.seq = 0x20000000,
							.ack = 0x10000001,
							.flags = HF_SYN | HF_ACK,
							.wnd = 65535,
							.opts = rows[i].opts });
			break;
		default:
			bench_counted(b, rows[i].want == 'T' ? HF_CNT_DROP_TCP_CHECKSUM : HF_CNT_DROP_IP_CHECKSUM, 1);
			CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
			bench_silence(b);
		}
		bench_quiet(b);
		check_context("%s", "");
		bench_close(b);
	}
}

/* A bad checksum is dropped before any flag is looked at, in every state, and leaves the connection alone. */
static void bad_checksum_in_every_state(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned state = 0; state < 3; state++) {
		uint32_t isn = 0x30000000;

		if (state)
			(state == 1 ? bench_half_open : bench_establish)(b, PEER_ADDR, (uint16_t)(100 + state), isn);
		for (unsigned flags = 0; flags < 64; flags++) {
			struct segment s = { .sport = (uint16_t)(100 + state),
				.dport = OUR_PORT,
				.seq = isn + 1,
				.ack = 1,
				.flags = (uint16_t)flags,
				.wnd = 5 };
			uint8_t ip[PACKET_MAX];
			size_t len = make_packet(ip, &s);

			ip[37] ^= (uint8_t)(1 + flags % 255);
			bench_packet(b, ip, len);
		}
		bench_counted(b, HF_CNT_DROP_TCP_CHECKSUM, 64);
		CHECK_EQ(bench_get(b, HF_REG_ENTRIES), state, "ENTRIES");
		CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), state > 0, "HALF_OPEN");
		bench_quiet(b);
	}
	bench_close(b);
}

/* ---- every length, every position in a beat ---- */

static void receive_lengths(struct bench *b, unsigned from, unsigned to, unsigned step, uint64_t *random)
{
	for (unsigned len = from; len <= to; len += step) {
		uint8_t text[1500], ip[PACKET_MAX], frame[PACKET_MAX];
		struct segment s = { .sport = (uint16_t)len,
			.dport = OUR_PORT,
			.seq = 1,
			.ack = 2,
			.flags = HF_ACK,
			.wnd = 3,
			.text = text,
			.text_len = len };
		size_t ip_len, frame_len, at;

		for (unsigned i = 0; i < len; i++)
			text[i] = (uint8_t)random_next(random);
		s.ip_opts = len % 3 == 1 ? "01010101" : NULL; /* moves the segment by half a beat */
		ip_len = make_packet(ip, &s);
		frame_len = make_frame(frame, OUR_MAC, PEER_MAC, ip, ip_len);
		check_context("%u octets of text", len);
		for (size_t i = 14 + ip_len; i < frame_len; i++)
			frame[i] = 0xa5; /* frame padding is not summed */
		bench_frame(b, frame, frame_len);
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
		/* one bit turned, but not in the data offset */
		do
			at = 14 + (ip[0] & 15u) * 4 + random_below(random, 20 + len);
		while (at == 14 + (ip[0] & 15u) * 4 + 12);
		frame[at] ^= (uint8_t)(1 << len % 8);
		bench_frame(b, frame, frame_len);
		bench_counted(b, HF_CNT_DROP_TCP_CHECKSUM, 1);
		bench_quiet(b);
	}
	check_context("%s", "");
}

static void receive_every_length(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 2;

	receive_lengths(b, 0, 512 - 58, 1, &random);
	b->sim->noise = (struct sim_noise){ .rx_bubble = 128, .c2h_stall = 64, .garbage = true };
	receive_lengths(b, 0, 40, 1, &random);
	bench_close(b);
}

static void receive_long_frames(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint64_t random = 3;

	receive_lengths(b, 1400, 1462, 3, &random);
	bench_close(b);
}

static void insert_positions(struct bench *b, unsigned count, unsigned max, uint64_t *random)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t frame[PACKET_MAX], want[PACKET_MAX];
		unsigned len = 14 + random_below(random, i % 4 ? 80 : max - 13);
		unsigned start = random_below(random, len / 2) * 2;
		unsigned offset = random_below(random, (len - start) / 2) * 2;
		const struct item *out;

		for (unsigned k = 0; k < len; k++)
			frame[k] = i % 5 == 4 ? 0xff : (uint8_t)random_next(random);
		memcpy(want, frame, len);
		put16(want + start + offset, (uint16_t)~ref_sum(frame + start, len - start));
		check_context("frame %u of %u octets, start %u, offset %u", i, len, start, offset);
		out = insert(b, frame, len, start, offset);
		if (out)
			CHECK_BYTES("frame", out->bytes, out->len, want, len);
	}
	check_context("%s", "");
}

static void insert_every_position(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 4;

	insert_positions(b, 400, 512, &random);
	b->sim->noise = (struct sim_noise){ .tx_stall = 100, .h2c_bubble = 100, .garbage = true };
	insert_positions(b, 60, 512, &random);
	bench_close(b);
}

static void insert_long_frames(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint64_t random = 5;

	insert_positions(b, 40, 1522, &random);
	bench_close(b);
}

/* Sums that end small only after a second carry, and the one that ends at zero. */
static void insert_second_carry(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 6;

	for (unsigned rest = 0; rest <= 24; rest++) {
		uint8_t frame[200];
		unsigned len = 60 + random_below(&random, 70) * 2;
		const struct item *out;

		for (unsigned i = 0; i < len; i++)
			frame[i] = (uint8_t)(random_next(&random) | (rest % 2 ? 0xf0 : 0));
		put16(frame + 30, 0);
		put16(frame + 40, 0);
		put16(frame + 40, (ref_sum(frame + 14, len - 14) ^ 0xffffu) + rest);
		if (get16(frame + 40) < rest) /* the reference itself has to go around */
			put16(frame + 40, get16(frame + 40) + 1);
		check_context("rest %u", rest);
		CHECK_EQ(ref_sum(frame + 14, len - 14), rest ? rest : 0xffff, "the reference sum");
		out = insert(b, frame, len, 14, 16);
		if (out)
			CHECK_EQ(get16(out->bytes + 30), (uint16_t) ~(rest ? rest : 0xffff), "checksum");
	}
	check_context("%s", "");
	bench_close(b);
}

/* ---- E: the cases where an incremental update goes wrong ---- */

static uint16_t add(uint16_t x, uint16_t y)
{
	uint8_t four[4];

	put16(four, x);
	put16(four + 2, y);
	return ref_sum(four, 4);
}

/* HC, m, m': a field, the changed word and one word that stands for the rest of the header. */
static void rfc1624_scalar_vectors(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned i = 1; i <= 5; i++) {
		uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
		unsigned hc, from, to, want;
		const struct vector *v;
		const struct item *out;
		char name[8];

		snprintf(name, sizeof(name), "E0%u", i);
		check_context("%s", name);
		v = vector_find(name);
		if (!CHECK(sscanf(v->hex, "%x,%x,%x", &hc, &from, &to) == 3, "three words"))
			continue;
		want = hex_after(v->expected, "new checksum 0x");
		CHECK_EQ(
			hf_checksum_update16((uint16_t)hc, (uint16_t)from, (uint16_t)to), want, "hf_checksum_update16");
		put16(frame + 16, to);
		put16(frame + 18, add((uint16_t)~hc, (uint16_t)~from)); /* the rest: what with `from` makes HC */
		out = insert(b, frame, sizeof(frame), 14, 0);
		if (out)
			CHECK_EQ(get16(out->bytes + 14), want, "checksum inserted");
	}
	check_context("%s", "");
	bench_close(b);
}

/* before>after: the engine gives the "after" form its checksum, the function walks there word by word. */
static void rfc1624_packet_vectors(void)
{
	static const char *const names[] = { "E06", "E07", "E08", "E09", "E10" };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct vector *v = vector_find(names[i]);
		bool tcp = v->len > 20;
		unsigned at = tcp ? 36 : 10, start = tcp ? 34 : 14;
		uint8_t frame[128];
		uint16_t field = (uint16_t)get16(v->bytes + at), pseudo;
		size_t len;
		const struct item *out;

		check_context("%s", v->name);
		for (unsigned k = 0; k < v->len; k += 2)
			if (k != at && get16(v->bytes + k) != get16(v->after + k))
				field = hf_checksum_update16(
					field, (uint16_t)get16(v->bytes + k), (uint16_t)get16(v->after + k));
		CHECK_EQ(field, get16(v->after + at), "hf_checksum_update16");
		len = 14 + v->after_len;
		memset(frame, 2, 12);
		put16(frame + 12, 0x0800);
		memcpy(frame + 14, v->after, v->after_len);
		pseudo = hf_checksum_pseudo_ipv4(
			get32(v->after + 12), get32(v->after + 16), 6, (uint16_t)(v->after_len - 20));
		put16(frame + 14 + at, tcp ? pseudo : 0);
		out = insert(b, frame, len, start, 14 + at - start);
		if (out)
			CHECK_BYTES("packet", out->bytes + 14, out->len - 14, v->after, v->after_len);
	}
	check_context("%s", "");
	bench_close(b);
}

static void rfc1624_random_edits(void)
{
	uint64_t random = 1624;

	for (unsigned i = 0; i < 200000; i++) {
		uint8_t octets[40];
		unsigned at = 2 + 2 * random_below(&random, 19);
		uint16_t before, to = (uint16_t)random_next(&random), from, want;

		for (unsigned k = 0; k < 40; k += 8)
			put_le(octets + k, 8, random_next(&random));
		put16(octets, 0);
		before = (uint16_t)~ref_sum(octets, 40);
		from = (uint16_t)get16(octets + at);
		if (i % 4 == 0) /* make the result a zero of one kind or the other */
			to = add(from, before);
		put16(octets + at, to);
		want = (uint16_t)~ref_sum(octets, 40);
		if (!CHECK(hf_checksum_update16(before, from, to) == want, "0x%04x, 0x%04x to 0x%04x", before, from,
			    to))
			return;
	}
}

/* ---- D: RFC 8200 8.1; frames with extension headers are the host's, sums unlooked at ---- */

static void ipv6_vectors(void)
{
	static const struct {
		const char *name;
		int up; /* flags it comes up with, -1 dropped */
	} rows[] = { { "D01", HF_FRAME_CSUM_OK }, { "D02", HF_FRAME_CSUM_OK }, { "D03", 0 },
		{ "D04", HF_FRAME_CSUM_OK }, { "D05", -1 } };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t frame[256];
		size_t len = vector_frame(frame, vector_find(rows[i].name));

		check_context("%s", rows[i].name);
		put16(frame + 12, 0x86dd);
		bench_frame(b, frame, len);
		if (rows[i].up < 0)
			bench_counted(b, HF_CNT_DROP_TCP_CHECKSUM, 1);
		else
			bench_expect_last(b, (unsigned)rows[i].up, HF_NO_ID);
		bench_quiet(b);
	}
	check_context("%s", "");
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(tutorial_handshake), CASE(tutorial_captured_forms_dropped),
		CASE(tutorial_captured_forms_completed), CASE(rfc1071_vectors), CASE_ONCE(rfc1071_functions),
		CASE(segment_vectors), CASE(bad_checksum_in_every_state), CASE(receive_every_length),
		CASE(receive_long_frames), CASE(insert_every_position), CASE(insert_long_frames),
		CASE(insert_second_carry),
		CASE(rfc1624_scalar_vectors), CASE(rfc1624_packet_vectors), CASE_ONCE(rfc1624_random_edits),
		CASE(ipv6_vectors), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "checksum", cases);
}
