/* SPDX-License-Identifier: Apache-2.0
 * test_line_rate.c - a flood of minimum SYNs as dense as a gigabit Ethernet is: every one is answered. The core's clock
 * is HF_TEST_CLK_KHZ, 62,500 without it; tools/netlist-boards.sh gives that of a board, with its parameters. */
#include "support_bench.h"

/* Whole clocks from one frame to the next: preamble, FCS and gap are 24 octets, an octet takes 8 ns. Rounded down, so
 * denser than the wire. */
static unsigned clocks_between(size_t octets)
{
	const char *khz = getenv("HF_TEST_CLK_KHZ");

	return (unsigned)((octets + 24) * 8 * (khz ? strtoul(khz, NULL, 10) : 62500) / 1000000);
}

/* The first SYNs take entries, the rest is answered with cookies. A core that is one clock per frame too slow loses
 * frames long before the last one. */
static void flood(enum engine_size size, bool ip6)
{
	enum { SYNS = 3000 };
	struct bench *b = bench_open(size);
	const unsigned flags_at = ip6 ? 67 : 47;
	static bool seen[SYNS];
	unsigned answers = 0;

	memset(seen, 0, sizeof(seen));
	bench_set(b, HF_REG_COOKIE, 1 | 1u << HF_COOKIE_LIFETIME_LOW);
	bench_set(b, HF_REG_COOKIE_HIGH, b->slots / 2);
	bench_listen(b, 0, 0, OUR_PORT, 0, OPT_WS | OPT_SACK | OPT_TS | (ip6 ? OPT_IP6 : 0), LISTEN_OFFLOAD);
	if (ip6)
		for (unsigned i = 0; i < 4; i++)
			bench_set(b, HF_REG_LOCAL6_A0 + 4 * i, get32(OUR6 + 12 - 4 * i));
	for (unsigned i = 0; i < SYNS; i++) {
		const struct segment s = { .sport = (uint16_t)(1024 + i),
			.dport = OUR_PORT,
			.seq = 0x12345678 + i,
			.flags = HF_SYN,
			.wnd = 8192,
			.ip6 = ip6 };
		uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
		const size_t len = make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s));

		CHECK_EQ(len, ip6 ? 74 : 60, "octets of a SYN");
		b->sim->rx_gap = clocks_between(len) - (unsigned)(len + 7) / 8;
		CHECK(!sim_rx(b->sim, frame, len, false), "sim_rx");
	}
	bench_settle(b);
	for (const struct item *a = bench_tx(b); a; a = bench_tx(b)) {
		const unsigned i = get16(a->bytes + flags_at - 11) - 1024u;

		if (CHECK(a->len > flags_at && a->bytes[flags_at] == (HF_SYN | HF_ACK) && i < SYNS && !seen[i] &&
				    get32(a->bytes + flags_at - 5) == 0x12345679 + i,
			    "not the answer of a SYN, octets %zu", a->len)) {
			seen[i] = true;
			answers++;
		}
	}
	CHECK_EQ(answers, SYNS, "answers");
	bench_counted(b, HF_CNT_DROP_OVERRUN, 0);
	bench_close(b);
}

static void syns_default(void)
{
	flood(ENGINE_DEFAULT, false);
}

static void syns_ip6_default(void)
{
	flood(ENGINE_DEFAULT, true);
}

static void syns_lean(void)
{
	flood(ENGINE_LEAN, false);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE(syns_default), CASE(syns_ip6_default), CASE(syns_lean), { 0 } };

	return bench_main(argc, argv, "line_rate", cases);
}
