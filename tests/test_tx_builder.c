/* SPDX-License-Identifier: Apache-2.0
 * test_tx_builder.c - the frames the engine makes, octet for octet: options, TTL and TOS, addresses, padding, both
 * checksums with their zeros; and when the first beat comes. */
#include "support_bench.h"

/* The answer to a SYN built from registers and the entry, whatever they hold. */
static void random_answers(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 10;

	for (unsigned i = 0; i < 300; i++) {
		uint32_t src = 0x0a000000 + random_below(&random, 1 << 24),
			 dst = 0xc0a80000 + random_below(&random, 1 << 16);
		uint16_t sport = (uint16_t)random_next(&random), dport = (uint16_t)random_next(&random);
		unsigned mss = random_below(&random, 65536), wnd = random_below(&random, 1 << 20),
			 shift = random_below(&random, 16);
		unsigned opts = random_below(&random, 8), ours = shift > 14 ? 14 : shift;
		uint64_t mac = (random_next(&random) >> 16) & 0xfeffffffffff, our_mac = random_next(&random) >> 16;
		uint32_t tsval = (uint32_t)random_next(&random), iss = (uint32_t)random_next(&random);
		char peer[64], want[96];
		struct segment s = { .src = src,
			.dst = dst,
			.sport = sport,
			.dport = dport,
			.flags = HF_SYN,
			.seq = (uint32_t)random_next(&random),
			.opts = peer };
		struct segment out = { .src = dst,
			.dst = src,
			.sport = dport,
			.dport = sport,
			.seq = iss,
			.ack = s.seq + 1,
			.flags = HF_SYN | HF_ACK,
			.wnd = (uint16_t)(wnd > 65535 ? 65535 : wnd),
			.opts = want,
			.ttl = (uint8_t)(1 + random_below(&random, 255)),
			.tos = (uint8_t)(random_below(&random, 64) << 2) };
		uint8_t ip[128], frame[128], octets[8];
		const struct item *got;
		size_t len;

		check_context("answer %u", i);
		put48(octets, our_mac);
		bench_set(b, HF_REG_MAC_LO, (uint32_t)get_le(octets, 4));
		bench_set(b, HF_REG_MAC_HI, (uint32_t)get_le(octets + 4, 2));
		bench_set(b, HF_REG_MSS, mss);
		bench_set(b, HF_REG_RCV_WND, wnd);
		bench_set(b, HF_REG_WSCALE, shift);
		bench_set(b, HF_REG_TTL, out.ttl);
		bench_set(b, HF_REG_TOS, out.tos | random_below(&random, 4));
		bench_listen(b, 0, dst, dport, 9, 7, LISTEN_OFFLOAD);
		snprintf(peer, sizeof(peer), "%s%sts=%u:0", opts & OPT_WS ? "ws=3 " : "",
			opts & OPT_SACK ? "sack " : "", tsval);
		if (!(opts & OPT_TS))
			*strstr(peer, "ts=") = 0;
		snprintf(want, sizeof(want), "mss=%u %s", mss,
			opts & OPT_TS	  ? opts & OPT_SACK ? "sack " : "nop nop "
			: opts & OPT_SACK ? "nop nop sack "
					  : "");
		if (opts & OPT_TS)
			snprintf(want + strlen(want), sizeof(want) - strlen(want), "ts=%u:%u ", b->ms, tsval);
		if (opts & OPT_WS)
			snprintf(want + strlen(want), sizeof(want) - strlen(want), "nop ws=%u ", ours);
		bench_iss(b, src, sport, dst, dport, iss);
		bench_frame(b, frame, make_frame(frame, our_mac, mac, ip, make_packet(ip, &s)));
		got = bench_tx(b);
		if (!CHECK(got != NULL, "no SYN-ACK"))
			continue;
		len = make_frame(frame, mac, our_mac, ip, make_packet(ip, &out));
		CHECK_BYTES("frame", got->bytes, got->len, frame, len);
		CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, bench_id(b, bench_entry(b, src, sport, dst, dport))), 0,
			"status");
		got = bench_tx(b);
		out.flags = HF_RST;
		out.seq = iss + 1;
		out.ack = out.wnd = 0;
		out.opts = NULL;
		len = make_frame(frame, mac, our_mac, ip, make_packet(ip, &out));
		if (CHECK(got != NULL, "no RST"))
			CHECK_BYTES("RST", got->bytes, got->len, frame, len);
		if (i % 10 == 0)
			bench_ms(b, 1 + random_below(&random, 900));
	}
	check_context("%s", "");
	bench_close(b);
}

/* TTL, DSCP on every kind of frame; the ECN bits stay 00 whatever is written. */
static void ttl_and_tos(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	struct segment out = { .sport = OUR_PORT, .dport = 1000, .ttl = 32, .tos = 46 << 2, .wnd = 65535 };
	uint32_t iss;

	bench_set(b, HF_REG_TTL, 32);
	bench_set(b, HF_REG_TOS, 46 << 2 | 3);
	CHECK_EQ(bench_get(b, HF_REG_TOS), 46 << 2, "TOS");
	bench_segment(b, &(struct segment){ .sport = 1000, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN, .tos = 0xe3 });
	iss = (uint32_t)bench_entry(b, PEER_ADDR, 1000, OUR_ADDR, OUR_PORT)->iss;
	out.seq = iss;
	out.ack = 6;
	out.flags = HF_SYN | HF_ACK;
	out.opts = "mss=1460";
	bench_expect_segment(b, &out);
	bench_segment(b, &(struct segment){ .sport = 1000, .dport = OUR_PORT, .seq = 7, .flags = HF_RST });
	out.seq = iss + 1;
	out.flags = HF_ACK;
	out.opts = NULL;
	bench_expect_segment(b, &out);
	bench_segment(b, &(struct segment){ .sport = 1000, .dport = OUR_PORT, .seq = 6, .ack = iss, .flags = HF_ACK });
	out.seq = iss;
	out.ack = out.wnd = 0;
	out.flags = HF_RST;
	bench_expect_segment(b, &out);
	bench_close(b);
}

/* RFC 9293 3.1: a TCP checksum that computes to 0 is sent as 0x0000, never as 0xffff. */
static void tcp_checksum_zero(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	struct segment out = { .src = OUR_ADDR,
		.dst = PEER_ADDR,
		.sport = OUR_PORT,
		.dport = 1000,
		.ack = 6,
		.flags = HF_SYN | HF_ACK,
		.wnd = 65535,
		.opts = "mss=1460" };
	uint8_t ip[64];

	make_packet(ip, &out);
	/* the checksum goes down by one for each one added to SEQ, in ones' complement */
	out.seq = ref_tcp_checksum(ip);
	make_packet(ip, &out);
	CHECK_EQ(get16(ip + 36), 0, "the reference checksum");
	bench_iss(b, PEER_ADDR, 1000, OUR_ADDR, OUR_PORT, out.seq);
	bench_segment(b, &(struct segment){ .sport = 1000, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN });
	bench_expect_segment(b, &out);
	bench_close(b);
}

static void ip_checksum_zero(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	struct segment out = { .src = OUR_ADDR,
		.dst = 0x0a000000,
		.sport = OUR_PORT,
		.dport = 1000,
		.ack = 6,
		.flags = HF_SYN | HF_ACK,
		.wnd = 65535,
		.opts = "mss=1460" };
	uint8_t ip[64];

	make_packet(ip, &out);
	out.dst += ref_ip_checksum(ip);
	bench_iss(b, out.dst, 1000, OUR_ADDR, OUR_PORT, 7);
	out.seq = 7;
	make_packet(ip, &out);
	CHECK_EQ(get16(ip + 10), 0, "the reference checksum");
	bench_segment(
		b, &(struct segment){ .src = out.dst, .sport = 1000, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN });
	bench_expect_segment(b, &out);
	bench_close(b);
}

/* Sums that need the carry around once, twice, or end at 0xffff, by ISS and peer ISN made of ones. */
static void checksum_carries(void)
{
	static const uint32_t numbers[] = { 0, 1, 0xffff, 0x10000, 0xffff0000, 0xfffeffff, 0xfffffffe, 0xffffffff };
	struct bench *b = bench_open(ENGINE_SMALL);
	uint16_t port = 1000;

	for (size_t i = 0; i < COUNT(numbers); i++)
		for (size_t k = 0; k < COUNT(numbers); k++) {
			struct segment out = { .src = OUR_ADDR,
				.dst = 0xdffffffe,
				.sport = OUR_PORT,
				.dport = ++port,
				.seq = numbers[i],
				.ack = numbers[k] + 1,
				.flags = HF_SYN | HF_ACK,
				.wnd = 65535,
				.opts = "mss=1460 nop nop ts=0:0xffffffff" };

			bench_iss(b, out.dst, port, OUR_ADDR, OUR_PORT, numbers[i]);
			bench_segment(b, &(struct segment){ .src = out.dst,
						 .sport = port,
						 .dport = OUR_PORT,
						 .seq = numbers[k],
						 .flags = HF_SYN,
						 .opts = "ts=0xffffffff:0" });
			bench_expect_segment(b, &out);
			bench_command(
				b, HF_COMMAND_ABORT, bench_id(b, bench_entry(b, out.dst, port, OUR_ADDR, OUR_PORT)));
			bench_tx(b);
		}
	bench_close(b);
}

/* Sums that need a second carry: what is left after it is small. Both checksums, every small rest. */
static void second_carry(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (uint16_t rest = 1; rest <= 16; rest++) {
		struct segment out = { .src = OUR_ADDR,
			.dst = 0xdffe0000,
			.sport = OUR_PORT,
			.dport = 65000,
			.seq = 0xfffe0000,
			.ack = 0xfffffffe,
			.flags = HF_SYN | HF_ACK,
			.wnd = 65535,
			.opts = "mss=1460 sack ts=0:0xfffefffd nop ws=7" };
		uint8_t ip[128];

		check_context("rest %u", rest);
		make_packet(ip, &out);
		out.dst += (uint32_t)(ref_ip_checksum(ip) + rest) % 65535;
		make_packet(ip, &out);
		out.seq += (uint32_t)(ref_tcp_checksum(ip) + rest) % 65535;
		make_packet(ip, &out);
		CHECK_EQ(get16(ip + 10), (uint16_t)~rest, "the reference IPv4 checksum");
		CHECK_EQ(get16(ip + 36), (uint16_t)~rest, "the reference TCP checksum");
		bench_iss(b, out.dst, 65000, OUR_ADDR, OUR_PORT, out.seq);
		bench_segment(b, &(struct segment){ .src = out.dst,
					 .sport = 65000,
					 .dport = OUR_PORT,
					 .seq = out.ack - 1,
					 .flags = HF_SYN,
					 .opts = "sack ts=0xfffefffd:0 ws=1" });
		bench_expect_segment(b, &out);
		bench_command(b, HF_COMMAND_ABORT, bench_id(b, bench_entry(b, out.dst, 65000, OUR_ADDR, OUR_PORT)));
		bench_tx(b);
	}
	check_context("%s", "");
	bench_close(b);
}

/* The addresses sum to 0xffff, and all else leaves 1: whoever adds the two up has a carry to add again at the very end. */
static void carry_at_the_end(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	struct segment out = { .src = OUR_ADDR,
		.dst = (0xffffu - (OUR_ADDR >> 16) - (OUR_ADDR & 0xffff)) << 16,
		.sport = OUR_PORT,
		.dport = 65000,
		.seq = 0xfffe0000,
		.ack = 0xfffffffe,
		.flags = HF_SYN | HF_ACK,
		.wnd = 65535,
		.opts = "mss=1460" };
	uint8_t ip[128];

	make_packet(ip, &out);
	out.seq += (uint32_t)(ref_tcp_checksum(ip) + 1) % 65535;
	make_packet(ip, &out);
	CHECK_EQ(get16(ip + 36), 0xfffe, "the reference TCP checksum");
	bench_iss(b, out.dst, 65000, OUR_ADDR, OUR_PORT, out.seq);
	bench_segment(
		b, &(struct segment){
			   .src = out.dst, .sport = 65000, .dport = OUR_PORT, .seq = out.ack - 1, .flags = HF_SYN });
	bench_expect_segment(b, &out);
	bench_close(b);
}

/* Every frame the engine sends carries right checksums and none is 0xffff (RFC 9293 MUST-2); stalls change nothing;
 * MSS only with SYN (MUST-65); reserved bits 0. */
static void every_frame_is_sound(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 11;
	const struct item *out;
	unsigned n = 0;

	b->sim->noise = (struct sim_noise){ .tx_stall = 150, .rx_bubble = 30, .garbage = true };
	for (unsigned i = 0; i < 600; i++) {
		static const uint16_t flags[] = { HF_SYN, HF_SYN, HF_RST, HF_ACK, HF_SYN | HF_ACK };
		struct segment s = { .sport = (uint16_t)(1000 + random_below(&random, 12)),
			.dport = OUR_PORT,
			.wnd = 9,
			.seq = 5 + random_below(&random, 4),
			.ack = (uint32_t)random_next(&random),
			.flags = flags[random_below(&random, COUNT(flags))],
			.opts = i % 2 ? "mss=1000 sack ts=9:9 ws=2" : NULL };

		bench_segment(b, &s);
		if (i % 50 == 49)
			bench_ms(b, 1000);
		b->c2h.next = b->c2h.count;
	}
	while ((out = bench_tx(b))) {
		const uint8_t *ip = out->bytes + 14;
		unsigned tcp_flags = ip[33], offset = ip[32] >> 4;
		size_t end = 14 + get16(ip + 2);

		check_context("frame %u", n++);
		CHECK_EQ(get16(ip + 10), ref_ip_checksum(ip), "IPv4 checksum");
		CHECK_EQ(get16(ip + 36), ref_tcp_checksum(ip), "TCP checksum");
		CHECK(get16(ip + 10) != 0xffff && get16(ip + 36) != 0xffff, "a checksum of 0xffff");
		CHECK_EQ(ip[32] & 15, 0, "reserved bits and AE");
		CHECK_EQ(get16(ip + 38), 0, "urgent pointer");
		CHECK_EQ(get16(ip + 2), 20 + 4 * offset, "total length");
		CHECK_EQ(out->len, end < 60 ? 60 : end, "length");
		CHECK_EQ(offset > 5 && ip[40] == 2, (tcp_flags & HF_SYN) != 0, "MSS option with SYN and only there");
		for (size_t i = end; i < out->len; i++)
			CHECK_EQ(out->bytes[i], 0, "padding");
	}
	check_context("%s", "");
	CHECK(n > 200, "only %u frames", n);
	CHECK_EQ(bench_counter(b, HF_CNT_TX_FRAMES), n, "TX_FRAMES");
	CHECK_EQ(bench_counter(b, HF_CNT_TX_SYNACK) + bench_counter(b, HF_CNT_TX_ACK) + bench_counter(b, HF_CNT_TX_RST),
		n, "TX_SYNACK + TX_ACK + TX_RST");
	bench_close(b);
}

/* Last beat of a SYN in to first beat of the SYN-ACK out, idle engine: the timing table of docs/architecture.md. */
static void latency(void)
{
	/* clang-format off */
	static const struct {
		size_t text;
		unsigned cycles;
	} rows[] = {
		{ 0, 15 },  /* 60 octets, 8 beats: the hash is the longest way */
		{ 10, 15 }, /* 64 octets, 8 beats */
		{ 18, 14 }, /* 9 beats: one cycle less to wait for the hash */
		{ 26, 13 },
		{ 34, 12 },
		{ 42, 11 }, /* 12 beats: the descriptor comes no earlier than the hash */
		{ 50, 11 },
		{ 200, 11 },
	};
	/* clang-format on */
	static const uint8_t text[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench *b = bench_open(i % 2 ? ENGINE_SMALL : ENGINE_DEFAULT);
		const struct item *out;

		bench_segment(b, &(struct segment){ .sport = 1000,
					 .dport = OUR_PORT,
					 .seq = 5,
					 .flags = HF_SYN,
					 .text = text,
					 .text_len = rows[i].text });
		out = bench_tx(b);
		if (CHECK(out != NULL, "no SYN-ACK"))
			CHECK(out->cycle - b->rx.v[0].cycle == rows[i].cycles,
				"%zu octets of text: %llu cycles, want %u", rows[i].text,
				(unsigned long long)(out->cycle - b->rx.v[0].cycle), rows[i].cycles);
		bench_close(b);
	}
}

/* Replies that wait: the next one is made while one is sent, so that there is no gap between them. */
static void back_to_back(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint64_t cycle[3] = { 0 };

	b->sim->hold_tx = true;
	for (unsigned i = 0; i < 3; i++)
		bench_segment(b, &(struct segment){
					 .sport = (uint16_t)(1000 + i), .dport = OUR_PORT, .seq = 5, .flags = HF_SYN });
	b->sim->hold_tx = false;
	bench_settle(b);
	for (unsigned i = 0; i < 3; i++) {
		const struct item *out = bench_tx(b);

		cycle[i] = out ? out->cycle : 0;
	}
	CHECK_EQ(cycle[2] - cycle[1], 8, "cycles from one frame of 8 beats to the next");
	bench_close(b);
}

/* Minimum SYNs at 10 GbE's spacing, one per 11 cycles: every one is answered. */
static void line_rate(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	b->sim->rx_gap = 3;
	for (unsigned i = 0; i < 400; i++) {
		struct segment s = { .sport = (uint16_t)(1000 + i), .dport = OUR_PORT, .seq = i, .flags = HF_SYN };
		uint8_t ip[64], frame[64];

		sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), false);
	}
	bench_settle(b);
	CHECK_EQ(b->tx.count + bench_counter(b, HF_CNT_DROP_TABLE_FULL), 400, "SYN-ACKs and full sets");
	CHECK(b->tx.count > 380, "only %zu answers", b->tx.count);
	b->tx.next = b->tx.count;
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(random_answers), CASE(ttl_and_tos), CASE(tcp_checksum_zero), CASE(ip_checksum_zero),
		CASE(checksum_carries), CASE(second_carry), CASE(carry_at_the_end), CASE(every_frame_is_sound), CASE(latency),
		CASE(back_to_back),
		CASE(line_rate), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "tx_builder", cases);
}
