/* SPDX-License-Identifier: Apache-2.0
 * test_tuple_hash.c - SipHash-2-4 of the tuple under two keys: the reference vectors through the engine, and what
 * RFC 6528 and RFC 9293 3.4.1 ask of an initial sequence number. */
#include "../cmodel/siphash.h"
#include "support_bench.h"

/* Key 00 01 .. 0f, message 00 01 .. n-1: the results in the appendix of the SipHash paper and its reference code. */
/* clang-format off */
static const uint64_t reference[] = {
	0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d, 0xcf2794e0277187b7,
	0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462, 0x9e0082df0ba9e4b0,
	0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7, 0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee,
	0xa129ca6149be45e5,
};
/* clang-format on */

static const uint8_t counting[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static void siphash_vectors(void)
{
	uint64_t random = 24;

	for (size_t n = 0; n < COUNT(reference); n++) {
		CHECK_EQ(ref_siphash(counting, counting, n), reference[n], "reference SipHash");
		CHECK_EQ(hf_siphash24(0x0706050403020100, 0x0f0e0d0c0b0a0908, counting, n), reference[n],
			"model's SipHash");
	}
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t key[16], text[40];
		size_t n = random_below(&random, sizeof(text));

		for (unsigned k = 0; k < 40; k++)
			text[k] = key[k % 16] = (uint8_t)random_next(&random);
		CHECK_EQ(hf_siphash24(get_le(key, 8), get_le(key + 8, 8), text, n), ref_siphash(key, text, n),
			"SipHash");
	}
}

static void syn(struct bench *b, uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
	bench_segment(b, &(struct segment){ .src = src,
				 .sport = sport,
				 .dst = dst,
				 .dport = dport,
				 .seq = 5,
				 .flags = HF_SYN,
				 .wnd = 9,
				 .opts = "nop nop ts=7:0" });
}

static void reset_entry(struct bench *b, const struct hf_tcb *t)
{
	if (!t)
		return;
	CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, bench_id(b, t)), HF_STATUS_OK, "status of ABORT");
	bench_tx(b);
}

/* The tuple 0.1.2.3:0x0809 to 4.5.6.7:0x0a0b is the 12-octet message of the reference vectors. */
static void reference_vector_in_the_engine(void)
{
	static const uint64_t stamps[] = { 0, 4095, 4096, 0xfffffffffffull, 0x123456789abcdefull, 1ull << 43 };
	struct bench *b = bench_open(ENGINE_DEFAULT);
	const struct hf_tcb *t;

	bench_keys(b, counting, counting);
	bench_set(b, HF_REG_CTRL, CTRL_ENABLE); /* TS.Offset is the upper half */
	bench_listen(b, 0, 0x04050607, 0x0a0b, 10, OPT_TS, LISTEN_OFFLOAD);
	for (size_t i = 0; i < COUNT(stamps); i++) {
		check_context("time_ns %llu", (unsigned long long)stamps[i]);
		b->sim->time_ps = stamps[i] * 1000;
		b->sim->period_ps = 0;
		syn(b, 0x00010203, 0x0809, 0x04050607, 0x0a0b);
		t = bench_entry(b, 0x00010203, 0x0809, 0x04050607, 0x0a0b);
		if (!CHECK(t != NULL && bench_tx(b), "no SYN-ACK"))
			continue;
		CHECK_EQ(t->iss, (uint32_t)((b->rx.v[b->rx.count - 1].time_ns >> 12) + 0x860ee5fb), "ISS");
		CHECK_EQ(t->ts_offset, 0x751e8fbc, "TS.Offset");
		CHECK_EQ(bench_slot(b, t) / b->params->ways, 0xfb & ((1u << b->params->sets_log2) - 1), "set");
		reset_entry(b, t);
	}
	check_context("%s", "");
	bench_close(b);
}

/* Random keys and tuples: ISS = M + F, TS.Offset and the set as the reference has them; the two keys act apart. */
static void hashes_equal_reference(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint64_t random = 6528;

	bench_set(b, HF_REG_CTRL, CTRL_ENABLE);
	for (unsigned i = 0; i < 150; i++) {
		uint32_t remote = 0x0a000000 | random_below(&random, 1 << 24),
			 local = 0xc0000200 | random_below(&random, 200);
		uint16_t rport = (uint16_t)random_next(&random), lport = (uint16_t)random_next(&random);
		uint64_t isn, index;
		const struct hf_tcb *t;

		check_context("tuple %u", i);
		if (i % 10 == 0) {
			uint8_t keys[32];

			for (unsigned k = 0; k < 32; k++)
				keys[k] = (uint8_t)random_next(&random);
			bench_keys(b, keys, i % 20 ? keys + 16 : keys);
		}
		bench_listen(b, 0, local, lport, 10, OPT_TS, LISTEN_OFFLOAD);
		isn = bench_isn_hash(b, remote, rport, local, lport);
		index = bench_index_hash(b, remote, rport, local, lport);
		syn(b, remote, rport, local, lport);
		t = bench_entry(b, remote, rport, local, lport);
		if (!CHECK(t && bench_tx(b), "no SYN-ACK"))
			continue;
		CHECK_EQ(t->iss, (uint32_t)(b->rx.v[b->rx.count - 1].time_ns >> 12) + (uint32_t)isn, "ISS");
		CHECK_EQ(t->ts_offset, isn >> 32, "TS.Offset");
		CHECK_EQ(bench_slot(b, t) / b->params->ways, index & ((1u << b->params->sets_log2) - 1), "set");
		reset_entry(b, t);
	}
	check_context("%s", "");
	bench_close(b);
}

static uint32_t iss_at(struct bench *b, uint16_t port, uint64_t time_ns)
{
	const struct hf_tcb *t;
	uint32_t iss = 0;

	b->sim->time_ps = time_ns * 1000;
	syn(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
	t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
	if (CHECK(t && bench_tx(b), "no SYN-ACK"))
		iss = (uint32_t)t->iss;
	reset_entry(b, t);
	return iss;
}

/* RFC 9293 MUST-8: the clock of the same tuple ticks every 4.096 us, 244,140.6 per second. */
static void isn_clock_rate(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint32_t first = iss_at(b, 1000, 5000000000ull), second = iss_at(b, 1000, 6000000000ull);

	CHECK(second - first >= 244140 && second - first <= 244142, "%u ticks in a second", second - first);
	bench_close(b);
}

/* RFC 6528 section 3: successive incarnations of one tuple grow with the clock. */
static void isn_grows_for_one_tuple(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t time_ns = (0xffffffffull << 12) - 3000000000ull; /* the clock wraps on the way */
	uint32_t last = iss_at(b, 1000, time_ns);

	for (unsigned i = 0; i < 20; i++) {
		uint32_t next = iss_at(b, 1000, time_ns += 500000000);

		CHECK(next != last && next - last < 0x80000000u, "ISS 0x%08x after 0x%08x", next, last);
		last = next;
	}
	bench_close(b);
}

/* RFC 6528, RFC 9293 MUST-9: other tuples at one instant, and the same tuple under another key, say nothing. */
static void isn_of_other_tuples_unrelated(void)
{
	enum { N = 400 };
	static uint32_t iss[2][N];
	unsigned ones[32] = { 0 }, steps = 0;
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t key[16];

	for (unsigned i = 0; i < N; i++) {
		iss[0][i] = iss_at(b, (uint16_t)(1000 + i), 7000000000ull);
		for (unsigned bit = 0; bit < 32; bit++)
			ones[bit] += iss[0][i] >> bit & 1;
		for (unsigned k = 0; k < i; k++)
			CHECK(iss[0][k] != iss[0][i], "ports %u and %u have one ISS", 1000 + k, 1000 + i);
		if (i > 1)
			steps += iss[0][i] - iss[0][i - 1] == iss[0][i - 1] - iss[0][i - 2];
	}
	for (unsigned bit = 0; bit < 32; bit++)
		CHECK(ones[bit] > N / 3 && ones[bit] < N - N / 3, "bit %u is set in %u of %u", bit, ones[bit], N);
	CHECK_EQ(steps, 0, "equal steps from port to port");
	memcpy(key, b->key_isn, sizeof(key));
	key[15] ^= 0x80;
	bench_keys(b, b->key_index, key); /* one bit of the key */
	for (unsigned i = 0; i < 8; i++) {
		iss[1][i] = iss_at(b, (uint16_t)(1000 + i), 7000000000ull);
		CHECK(iss[1][i] - iss[1][0] != iss[0][i] - iss[0][0] || !i, "port %u: the key changes nothing",
			1000 + i);
	}
	bench_close(b);
}

/* RFC 7323 7.1: offsets differ per connection; the switch makes TSval the bare clock. */
static void timestamp_offsets(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint32_t last = 0;

	bench_ms(b, 77);
	for (unsigned i = 0; i < 16; i++) {
		uint16_t port = (uint16_t)(1000 + i);
		uint32_t offset = i % 2 ? 0 : (uint32_t)(bench_isn_hash(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT) >> 32);
		const struct hf_tcb *t;
		char opts[64];

		bench_set(b, HF_REG_CTRL, CTRL_ENABLE | (i % 2 ? CTRL_TS_OFFSET_OFF : 0));
		syn(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
		t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
		if (!CHECK(t != NULL, "no entry"))
			continue;
		CHECK_EQ(t->ts_offset, offset, "TS.Offset");
		CHECK(i % 2 || offset != last, "two connections have one offset");
		last = offset;
		snprintf(opts, sizeof(opts), "mss=1460 nop nop ts=%u:7", b->ms + offset);
		bench_expect_segment(b, &(struct segment){ .sport = OUR_PORT,
						.dport = port,
						.seq = (uint32_t)t->iss,
						.ack = 6,
						.flags = HF_SYN | HF_ACK,
						.wnd = 65535,
						.opts = opts });
		/* without timestamps there is no offset to keep */
		reset_entry(b, t);
		bench_segment(b, &(struct segment){ .sport = port, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN });
		CHECK(bench_tx(b) != NULL, "no SYN-ACK");
		CHECK_EQ(t->ts_offset, 0, "TS.Offset without timestamps");
		reset_entry(b, t);
	}
	bench_close(b);
}

/* RFC 6528 rekeying: a new KEY_ISN leaves what is open alone; the next SYN uses it. */
static void rekey_while_open(void)
{
	uint8_t key[16] = "another ISN key";
	struct bench *b = bench_open(ENGINE_SMALL);
	const struct hf_tcb *t;
	uint32_t iss;

	bench_half_open(b, PEER_ADDR, 1000, 5);
	t = bench_entry(b, PEER_ADDR, 1000, OUR_ADDR, OUR_PORT);
	iss = t ? (uint32_t)t->iss : 0;
	for (unsigned i = 0; i < 4; i++) /* allowed while ENABLE is set, unlike KEY_INDEX */
		bench_set(b, HF_REG_KEY_ISN0 + 4 * i, (uint32_t)get_le(key + 4 * i, 4));
	memcpy(b->key_isn, key, sizeof(key));
	bench_segment(
		b, &(struct segment){ .sport = 1000, .dport = OUR_PORT, .seq = 6, .ack = iss + 1, .flags = HF_ACK });
	CHECK(bench_c2h(b) != NULL, "the handshake under the old key does not complete");
	bench_half_open(b, PEER_ADDR, 1001, 5);
	t = bench_entry(b, PEER_ADDR, 1001, OUR_ADDR, OUR_PORT);
	CHECK(t && t->iss == (uint32_t)(b->rx.v[b->rx.count - 1].time_ns >> 12) +
					(uint32_t)bench_isn_hash(b, PEER_ADDR, 1001, OUR_ADDR, OUR_PORT),
		"the new key is not used");
	bench_close(b);
}

/* Frames without a gap, faster than any wire: a reply may find no room, but no frame gets another one's hash. */
static void back_to_back(void)
{
	enum { N = 200 };
	struct bench *b = bench_open(ENGINE_DEFAULT);
	unsigned taken = 0;

	for (unsigned i = 0; i < N; i++) {
		struct segment s = { .sport = (uint16_t)(1000 + i * 7), .dport = OUR_PORT, .seq = i, .flags = HF_SYN };
		uint8_t ip[64], frame[64];

		sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), false);
	}
	bench_settle(b);
	for (unsigned i = 0; i < N; i++) {
		uint16_t port = (uint16_t)(1000 + i * 7);
		const struct hf_tcb *t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
		uint64_t set =
			bench_index_hash(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT) & ((1u << b->params->sets_log2) - 1);

		if (!t)
			continue;
		taken++;
		CHECK(t->irs == i &&
				t->iss == (uint32_t)(b->rx.v[i].time_ns >> 12) +
						  (uint32_t)bench_isn_hash(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT) &&
				bench_slot(b, t) / b->params->ways == set,
			"port %u: another frame's hash", port);
	}
	CHECK(taken > N / 2, "only %u of %u SYNs were taken", taken, N);
	CHECK_EQ(b->tx.count, taken, "SYN-ACKs");
	CHECK_EQ(bench_counter(b, HF_CNT_DROP_REPLY_FULL) + taken, N, "DROP_REPLY_FULL and taken");
	b->tx.next = b->tx.count;
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(siphash_vectors), CASE(reference_vector_in_the_engine), CASE(hashes_equal_reference),
		CASE(isn_clock_rate), CASE(isn_grows_for_one_tuple), CASE(isn_of_other_tuples_unrelated),
		CASE(timestamp_offsets), CASE(rekey_while_open), CASE(back_to_back), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "tuple_hash", cases);
}
