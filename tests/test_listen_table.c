/* SPDX-License-Identifier: Apache-2.0
 * test_listen_table.c - which listener takes a SYN: exact address before any, lowest index, modes,
 * staging and commit. */
#include "support_bench.h"

static void syn_to(struct bench *b, uint16_t sport, uint32_t dst, uint16_t dport)
{
	bench_segment(b, &(struct segment){ .sport = sport,
				 .dst = dst,
				 .dport = dport,
				 .seq = 5,
				 .flags = HF_SYN,
				 .wnd = 9,
				 .opts = "mss=1460 sack ts=7:0 nop ws=3" });
}

/* The SYN is taken by listener `index`, or (-1) goes to the host. Takes what came out and frees the entry. */
static void taken_by(struct bench *b, uint32_t dst, uint16_t dport, int index)
{
	static uint16_t sport = 1000;
	const struct hf_tcb *t;

	check_context("SYN to 0x%08x:%u", dst, dport);
	syn_to(b, ++sport, dst, dport);
	t = bench_entry(b, PEER_ADDR, sport, dst, dport);
	if (index < 0) {
		CHECK(!t, "taken by listener %llu", (unsigned long long)(t ? t->listener : 0));
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
		CHECK_EQ(bench_last_trace(b)->trc_state, HF_STATE_CLOSED, "trc_state");
	} else if (CHECK(t != NULL, "not taken")) {
		const struct item *out = bench_tx(b);

		CHECK_EQ(bench_last_trace(b)->trc_state, HF_STATE_LISTEN, "trc_state");
		CHECK_EQ(t->listener, index, "listener");
		if (CHECK(out && out->len >= 54, "no SYN-ACK")) {
			CHECK_EQ(get32(out->bytes + 26), dst, "source address of the SYN-ACK");
			CHECK_EQ(get16(out->bytes + 34), dport, "source port of the SYN-ACK");
		}
		bench_command(b, HF_COMMAND_ABORT, bench_id(b, t));
		bench_tx(b);
	}
	bench_quiet(b);
	check_context("%s", "");
}

static void exact_before_any(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	bench_set(b, HF_REG_LOCAL_ADDR1, 0x0a000001);
	bench_listen(b, 5, 0, 8080, 9, 7, LISTEN_OFFLOAD);
	taken_by(b, OUR_ADDR, 8080, 5);
	bench_listen(b, 9, OUR_ADDR, 8080, 9, 7, LISTEN_OFFLOAD);
	taken_by(b, OUR_ADDR, 8080, 9);
	taken_by(b, 0x0a000001, 8080, 5);
	bench_listen(b, 3, 0, 8080, 9, 7, LISTEN_OFFLOAD); /* lowest index */
	taken_by(b, 0x0a000001, 8080, 3);
	taken_by(b, OUR_ADDR, 8080, 9);
	bench_listen(b, 7, OUR_ADDR, 8080, 9, 7, LISTEN_OFFLOAD);
	taken_by(b, OUR_ADDR, 8080, 7);
	bench_listen(b, 15, 0xcb007105, 8080, 9, 7, LISTEN_OFFLOAD); /* an address that is no LOCAL_ADDR */
	taken_by(b, 0xcb007105, 8080, 15);
	taken_by(b, 0xcb007105, 8081, -1);
	bench_close(b);
}

/* An any-address listener answers for LOCAL_ADDR0..3 and nothing else; an unused 0 never matches. */
static void any_means_local_addresses(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned i = 0; i < 4; i++) {
		bench_set(b, HF_REG_LOCAL_ADDR0, 0);
		for (unsigned k = 0; k < 4; k++)
			bench_set(b, HF_REG_LOCAL_ADDR0 + 4 * k, k == i ? OUR_ADDR : 0);
		taken_by(b, OUR_ADDR, OUR_PORT, 0);
		taken_by(b, OUR_ADDR + 1, OUR_PORT, -1);
		taken_by(b, OUR_ADDR ^ 0x80000000, OUR_PORT, -1);
	}
	bench_set(b, HF_REG_LOCAL_ADDR3, 0);
	taken_by(b, OUR_ADDR, OUR_PORT, -1);
	bench_close(b);
}

/* bypass: the host's kernel answers; off: as if it were not there; both at once, for new SYNs only. */
static void modes(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	taken_by(b, OUR_ADDR, OUR_PORT, 0);
	bench_listen(b, 0, 0, OUR_PORT, 9, 7, LISTEN_BYPASS);
	taken_by(b, OUR_ADDR, OUR_PORT, -1);
	bench_listen(b, 1, 0, OUR_PORT, 9, 7, LISTEN_OFFLOAD);
	taken_by(b, OUR_ADDR, OUR_PORT, -1); /* the lower index still says bypass */
	bench_listen(b, 0, 0, OUR_PORT, 9, 7, LISTEN_OFF);
	taken_by(b, OUR_ADDR, OUR_PORT, 1);
	bench_listen(b, 2, OUR_ADDR, OUR_PORT, 9, 7, LISTEN_BYPASS);
	taken_by(b, OUR_ADDR, OUR_PORT, -1); /* exact before any, whatever the mode */
	bench_listen(b, 2, OUR_ADDR, OUR_PORT, 9, 7, LISTEN_OFF);
	bench_listen(b, 1, 0, OUR_PORT, 9, 7, LISTEN_OFF);
	taken_by(b, OUR_ADDR, OUR_PORT, -1);
	/* hostile flags at a bypassed port are the kernel's business as well */
	bench_listen(b, 0, 0, OUR_PORT, 9, 7, LISTEN_BYPASS);
	bench_segment(
		b, &(struct segment){ .sport = 7, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN | HF_FIN | HF_RST });
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_close(b);
}

/* Ports differ in every bit; address 0 with port 0 is nothing special. */
static void ports_compare_whole(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	bench_listen(b, 0, 0, 0x5aa5, 9, 7, LISTEN_OFFLOAD);
	taken_by(b, OUR_ADDR, 0x5aa5, 0);
	for (unsigned bit = 0; bit < 16; bit++)
		taken_by(b, OUR_ADDR, (uint16_t)(0x5aa5 ^ 1 << bit), -1);
	bench_listen(b, 1, OUR_ADDR, 0x5aa5, 9, 7, LISTEN_OFFLOAD);
	for (unsigned bit = 0; bit < 32; bit++)
		if (bit != 29) /* 224.0.2.2 is refused before */
			taken_by(b, OUR_ADDR ^ 1u << bit, 0x5aa5, -1);
	bench_close(b);
}

/* Staging changes nothing until the commit, and a refused commit nothing at all. */
static void commit_and_refusals(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	static const uint32_t refused[] = { 0x102, 0x1ff, 0x110, 0x300, 0x301, 0x3ff, 0x002, 0x202 };

	bench_set(b, HF_REG_LISTEN_PORT, 8080);
	bench_set(b, HF_REG_LISTEN_ADDR, OUR_ADDR);
	bench_set(b, HF_REG_LISTEN_BACKLOG, 0);
	bench_set(b, HF_REG_LISTEN_OPTS, 0);
	taken_by(b, OUR_ADDR, OUR_PORT, 0);
	taken_by(b, OUR_ADDR, 8080, -1);
	for (size_t i = 0; i < COUNT(refused); i++) {
		CHECK(sim_reg_write(b->sim, HF_REG_LISTEN_COMMIT, refused[i]) == 2, "commit 0x%x is not refused",
			refused[i]);
		CHECK_EQ(bench_msg_write(b, HF_REG_LISTEN_COMMIT, refused[i]), HF_STATUS_REFUSED, "status");
	}
	taken_by(b, OUR_ADDR, OUR_PORT, 0);
	taken_by(b, OUR_ADDR, 8080, -1);
	CHECK_EQ(bench_msg_write(b, HF_REG_LISTEN_BACKLOG, 5), HF_STATUS_OK, "status");
	CHECK_EQ(bench_msg_write(b, HF_REG_LISTEN_COMMIT, 0x101), HF_STATUS_OK, "status");
	taken_by(b, OUR_ADDR, 8080, 1);
	bench_close(b);
}

/* Each option only if the listener and the SYN both have it. */
static void options_per_listener(void)
{
	/* clang-format off */
	static const char *const synack[8] = {
		"mss=1460", "mss=1460 nop ws=7", "mss=1460 nop nop sack", "mss=1460 nop nop sack nop ws=7",
		"mss=1460 nop nop ts=0:7", "mss=1460 nop nop ts=0:7 nop ws=7", "mss=1460 sack ts=0:7",
		"mss=1460 sack ts=0:7 nop ws=7",
	};
	/* clang-format on */
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned listener = 0; listener < 8; listener++)
		for (unsigned peer = 0; peer < 8; peer++) {
			uint16_t port = (uint16_t)(1000 + listener * 8 + peer);
			char opts[64] = "";
			const struct hf_tcb *t;

			check_context("listener's options %u, peer's %u", listener, peer);
			bench_listen(b, 0, 0, OUR_PORT, 9, listener, LISTEN_OFFLOAD);
			snprintf(opts, sizeof(opts), "%s%s%s", peer & OPT_WS ? "ws=3 " : "",
				peer & OPT_SACK ? "sack " : "", peer & OPT_TS ? "ts=7:0 " : "");
			bench_segment(b, &(struct segment){ .sport = port,
						 .dport = OUR_PORT,
						 .seq = 5,
						 .flags = HF_SYN,
						 .wnd = 100,
						 .opts = opts });
			t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
			if (!CHECK(t != NULL, "no entry"))
				continue;
			bench_expect_segment(b, &(struct segment){ .sport = OUR_PORT,
							.dport = port,
							.seq = (uint32_t)t->iss,
							.ack = 6,
							.flags = HF_SYN | HF_ACK,
							.wnd = 65535,
							.opts = synack[listener & peer] });
			CHECK_EQ(t->snd_wscale, listener & peer & OPT_WS ? 3 : 0, "Snd.Wind.Shift");
			CHECK_EQ(t->rcv_wscale, listener & peer & OPT_WS ? 7 : 0, "Rcv.Wind.Shift");
			bench_segment(b, &(struct segment){ .sport = port,
						 .dport = OUR_PORT,
						 .seq = 6,
						 .wnd = 100,
						 .ack = (uint32_t)t->iss + 1,
						 .flags = HF_ACK,
						 .opts = "nop nop ts=9:0" });
			CHECK_EQ(t->snd_wnd, listener & peer & OPT_WS ? 800 : 100, "SND.WND");
			CHECK(bench_c2h(b) != NULL, "no event");
			bench_command(b, HF_COMMAND_RELEASE, bench_id(b, t));
			bench_quiet(b);
		}
	check_context("%s", "");
	bench_close(b);
}

/* RFC 9293 MUST-41: a listener added while another connection is half-open disturbs nothing and works at once. */
static void listen_beside_open_connections(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	bench_half_open(b, PEER_ADDR, 1000, 5);
	bench_listen(b, 1, 0, 5000, 9, 7, LISTEN_OFFLOAD);
	taken_by(b, OUR_ADDR, 5000, 1);
	CHECK(bench_entry(b, PEER_ADDR, 1000, OUR_ADDR, OUR_PORT) != NULL, "the other connection is gone");
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(exact_before_any), CASE(any_means_local_addresses), CASE(modes), CASE(ports_compare_whole),
		CASE(commit_and_refusals), CASE(options_per_listener), CASE(listen_beside_open_connections), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "listen_table", cases);
}
