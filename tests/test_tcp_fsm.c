/* SPDX-License-Identifier: Apache-2.0
 * test_tcp_fsm.c - passive open as RFC 9293 section 3.10.7, RFC 7323, RFC 5961 and RFC 6298 want it, each table run
 * with both initial sequence numbers around 2^32 and 2^31. '<' into the engine, '>' out of it; seq and ack count from
 * the peer's and our first number (support_bench.h). */
#include "support_bench.h"
#include "support_vectors.h"

/* ---- RFC 9293 section 3.5: the handshake ---- */

static void passive_open(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1, "SYN-RECEIVED" },
		{ '<', ".",  1, 1, "ESTABLISHED"  },
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

static void passive_open_all_options(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ 't', NULL, 5 },
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1400 sack ts=100:0xdeadbeef nop ws=9", 1000 },
		{ '>', "S.", 0, 1, "SYN-RECEIVED", "mss=1460 sack ts=5:100 nop ws=7" },
		{ 't', NULL, 20 },
		{ '<', ".",  1, 1, "ESTABLISHED",  "nop nop ts=101:5", 512 },
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

/* The two vectors of the handshake, octet for octet, ISS 0x20000000. */
static struct bench *after_g14(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	bench_ms(b, 1); /* TSval 1 */
	bench_iss(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT, 0x20000000);
	bench_packet(b, vector_find("G14")->bytes, vector_find("G14")->len);
	bench_expect_packet(b, vector_find("G14")->after, vector_find("G14")->after_len);
	return b;
}

static void take_established(struct bench *b)
{
	const struct item *event = bench_c2h(b);

	if (!CHECK(event && event->bytes[0] == HF_MSG_EVENT, "no ESTABLISHED event"))
		return;
	CHECK_EQ(MSG_GET(event->bytes, EVENT, snd_wnd), 65536, "SND.WND");
	CHECK_EQ(MSG_GET(event->bytes, EVENT, snd_una), 0x20000001, "SND.UNA");
	CHECK_EQ(MSG_GET(event->bytes, EVENT, snd_nxt), 0x20000001, "SND.NXT");
	CHECK_EQ(MSG_GET(event->bytes, EVENT, rcv_nxt), 0x10000001, "RCV.NXT");
	CHECK_EQ(MSG_GET(event->bytes, EVENT, ts_recent), 0x7a572315, "TS.Recent");
}

static void vector_g14_g15_handshake(void)
{
	struct bench *b = after_g14();

	bench_packet(b, vector_find("G15")->bytes, vector_find("G15")->len);
	take_established(b);
	bench_quiet(b);
	/* G18 to G21: the host owns an ESTABLISHED connection, its kernel does RFC 5961 */
	for (unsigned i = 18; i <= 21; i++) {
		const struct hf_tcb *t = bench_entry(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT);
		char name[8];

		snprintf(name, sizeof(name), "G%u", i);
		check_context("%s", name);
		bench_packet(b, vector_find(name)->bytes, vector_find(name)->len);
		bench_expect_last(b, HF_FRAME_CSUM_OK | HF_FRAME_CONN, bench_id(b, t));
		CHECK(t && t->state == HF_STATE_ESTABLISHED, "ESTABLISHED was left");
	}
	check_context("%s", "");
	bench_silence(b);
	bench_close(b);
}

static void vector_g16_bad_ack(void)
{
	struct bench *b = after_g14();

	bench_packet(b, vector_find("G16")->bytes, vector_find("G16")->len);
	bench_expect_packet(b, vector_find("G16")->after, vector_find("G16")->after_len);
	bench_packet(b, vector_find("G15")->bytes, vector_find("G15")->len);
	take_established(b);
	bench_close(b);
}

static void vector_g17_duplicate_syn(void)
{
	struct bench *b = after_g14();

	bench_packet(b, vector_find("G17")->bytes, vector_find("G17")->len);
	bench_expect_packet(b, vector_find("G17")->after, vector_find("G17")->after_len);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 1, "ENTRIES");
	bench_packet(b, vector_find("G15")->bytes, vector_find("G15")->len);
	take_established(b);
	bench_close(b);
}

/* G11: the host's kernel answers it; G12, G13: dropped. G01 to G10: a port nobody offloads belongs to the host. */
static void vector_g01_g13_no_connection(void)
{
	static const char *const up[] = { "G01", "G02", "G03", "G04", "G05", "G06", "G07", "G08", "G09", "G10", "G11" };
	struct bench *b = bench_open(ENGINE_DEFAULT);

	for (size_t i = 0; i < COUNT(up); i++) {
		check_context("%s", up[i]);
		bench_packet(b, vector_find(up[i])->bytes, vector_find(up[i])->len);
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
		bench_quiet(b);
	}
	for (unsigned i = 12; i <= 13; i++) {
		char name[8];

		snprintf(name, sizeof(name), "G%u", i);
		check_context("%s", name);
		bench_packet(b, vector_find(name)->bytes, vector_find(name)->len);
		bench_counted(b, HF_CNT_DROP_BAD_FLAGS, 1);
	}
	check_context("%s", "");
	bench_silence(b);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_still_serves(b);
	bench_close(b);
}

/* H: ECN is not negotiated; the answer to every ECN or AccECN SYN is a plain SYN-ACK, and Not-ECT in its IP header. */
static void vector_h_ecn_syn_gets_plain_syn_ack(void)
{
	static const char *const names[] = { "H01", "H02", "H03", "H04", "H05", "H06" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct bench *b = bench_open(ENGINE_SMALL);
		struct segment out = { .sport = OUR_PORT,
			.dport = PEER_PORT,
			.seq = 0x20000000,
			.ack = 0x10000001,
			.flags = HF_SYN | HF_ACK,
			.wnd = 65535,
			.opts = "mss=1460" };

		check_context("%s", names[i]);
		bench_iss(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT, out.seq);
		bench_packet(b, vector_find(names[i])->bytes, vector_find(names[i])->len);
		bench_expect_segment(b, &out);
		bench_close(b);
	}
}

/* ---- RFC 9293 3.10.7.2: LISTEN ---- */

static void listen_ack_goes_to_host(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', ".",   5, 5, "LISTEN" }, { 'h', "none" },
		{ '<', "S.",  5, 5, "LISTEN" }, { 'h', "none" },
		{ '<', "F.",  5, 5, "LISTEN" }, { 'h', "none" },
		{ '<', "P.",  5, 5, "LISTEN", NULL, 0, "stray" }, { 'h', "none" },
		{ '<', "R",   5, 0, "LISTEN" }, { 'h', "none" },
		{ '<', "R.",  5, 5, "LISTEN" }, { 'h', "none" },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

static void listen_drops_nonsense(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "F",     0, 0, "LISTEN" }, { 'd', "BAD_FLAGS" },
		{ '<', "",      0, 0, "LISTEN" }, { 'd', "BAD_FLAGS" },
		{ '<', "FPU",   0, 0, "LISTEN" }, { 'd', "BAD_FLAGS" },
		{ '<', "SR",    0, 0, "LISTEN" }, { 'd', "BAD_FLAGS" },
		{ '<', "SF",    0, 0, "LISTEN" }, { 'd', "BAD_FLAGS" },
		{ '<', "SF.",   0, 5, "LISTEN" }, { 'd', "BAD_FLAGS" },
		{ '<', "SR.",   0, 5, "LISTEN" }, { 'd', "BAD_FLAGS" },
		{ '<', "SFRPU.EWA", 0, 5, "LISTEN" }, { 'd', "BAD_FLAGS" },
		{ '<', "S",     0, 0, "SYN-RECEIVED" },
		{ '>', "S.",    0, 1 },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

/* Text on a SYN is not acknowledged; the peer sends it again and the host gets it then. PSH, URG mean nothing there. */
static void syn_with_data(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", NULL, 0, "0123456789" },
		{ '>', "S.", 0, 1 },
		{ '<', "P.", 1, 1, "ESTABLISHED", NULL, 0, "0123456789" },
		{ 'e' },
		{ 'h', "conn" },
		{ 0 }
	}, urgent[] = {
		{ '<', "SPU", 0, 0, "SYN-RECEIVED", NULL, 0, "x" },
		{ '>', "S.", 0, 1 },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
	script_run_rows("syn_with_data, PSH and URG", urgent);
}

/* RFC 9293 figure 8: an old SYN is reset by the peer, the new one then succeeds. */
static void old_duplicate_syn(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "R",  1, 0, "LISTEN" },
		{ '<', "S", 10, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', ".",  1, 1, "ESTABLISHED" },
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

/* ---- RFC 9293 3.10.7.4 and RFC 5961 section 3: RST in SYN-RECEIVED ---- */

static void rst_exact_frees(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:100" },
		{ '<', "R",  1, 0, "LISTEN" }, /* no timestamps needed on a RST, RFC 7323 3.2 */
		{ '<', ".",  1, 1, "LISTEN", "nop nop ts=101:0" },
		{ 'h', "none" },
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:100" },
		{ '<', "R.", 1, 77, "LISTEN", "nop nop ts=50:0" }, /* no PAWS, RFC 7323 5.2; ACK not looked at */
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "RS", 1, 0, "LISTEN", NULL, 0, "with text" }, /* RST comes before SYN; MUST-66: with text */
		{ 't', NULL, 3000 },
		{ 0 }
	};
	/* clang-format on */
	struct bench *b = bench_open(ENGINE_SMALL);

	script_run_rows(__func__, rows);
	bench_half_open(b, PEER_ADDR, PEER_PORT, 100);
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 1, "HALF_OPEN");
	bench_segment(b, &(struct segment){ .sport = PEER_PORT, .dport = OUR_PORT, .seq = 101, .flags = HF_RST });
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 0, "HALF_OPEN");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_counted(b, HF_CNT_RESETS, 1);
	bench_silence(b);
	bench_close(b);
}

static void rst_in_window_is_challenged(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "R",  2, 0, "SYN-RECEIVED" },
		{ '>', ".",  1, 1 },
		{ '<', "R",  1 + 65534, 0, "SYN-RECEIVED" },
		{ '>', ".",  1, 1 },
		{ '<', "R.", 2, 1, "SYN-RECEIVED" },
		{ '>', ".",  1, 1 },
		{ '<', "R",  1, 0, "LISTEN" }, /* the peer's answer to the challenge */
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

static void rst_outside_window_is_dropped(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "R",  0, 0, "SYN-RECEIVED" },              { 'd', "UNACCEPTABLE" },
		{ '<', "R",  1 + 65535, 0, "SYN-RECEIVED" },      { 'd', "UNACCEPTABLE" },
		{ '<', "R",  0x80000000, 0, "SYN-RECEIVED" },     { 'd', "UNACCEPTABLE" },
		{ '<', "R",  0xffffffff, 0, "SYN-RECEIVED" },     { 'd', "UNACCEPTABLE" },
		{ '<', ".",  1, 1, "ESTABLISHED" },
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

static void window_zero(struct bench *b)
{
	bench_set(b, HF_REG_RCV_WND, 0);
}

static void rst_with_zero_window(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1, NULL, NULL, ZERO_WND },
		{ '<', "R",  2, 0, "SYN-RECEIVED" }, { 'd', "UNACCEPTABLE" },
		{ '<', "R",  0, 0, "SYN-RECEIVED" }, { 'd', "UNACCEPTABLE" },
		{ '<', "R",  1, 0, "LISTEN", NULL, 0, "text" },
		{ 0 }
	};
	/* clang-format on */

	script_run(&(struct script){ __func__, rows, window_zero });
}

/* ---- SYN in SYN-RECEIVED ---- */

static void duplicate_syn(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "SPU", 0, 0, "SYN-RECEIVED" }, /* other flags are ignored */
		{ '>', "S.", 0, 1 },
		{ '<', ".",  1, 1, "ESTABLISHED" },
		{ 'e' }, /* syn_lost: no round-trip sample */
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

static void duplicate_syn_timestamps(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0 nop ws=2" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:100 nop ws=7" },
		{ 't', NULL, 30 },
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=130:0 nop ws=2" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=30:130 nop ws=7" },
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=129:0 nop ws=2" }, /* older: TS.Recent stays */
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=30:130 nop ws=7" },
		{ '<', "S",  0, 0, "SYN-RECEIVED" }, /* without options: what was negotiated stays */
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=30:130 nop ws=7" },
		{ '<', "S",  0, 0, "SYN-RECEIVED", "ts=130:0" }, /* equal */
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=30:130 nop ws=7" },
		{ '<', ".",  1, 1, "ESTABLISHED", "nop nop ts=130:30", 1000 },
		{ 'e' },
		{ 0 }
	}, none[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 sack ts=100:0 nop ws=2" }, /* too late to ask */
		{ '>', "S.", 0, 1 },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
	script_run_rows("duplicate_syn_timestamps, none at first", none);
}

/* Never a new ISS on a live entry: every other SYN draws a challenge ACK. */
static void other_syn_is_challenged(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "S",  11, 0, "SYN-RECEIVED" },         { '>', ".", 1, 1 },
		{ '<', "S",  1, 0, "SYN-RECEIVED" },          { '>', ".", 1, 1 },
		{ '<', "S",  0xfffffff0, 0, "SYN-RECEIVED" }, { '>', ".", 1, 1 },
		{ '<', "S",  0x80000000, 0, "SYN-RECEIVED" }, { '>', ".", 1, 1 },
		{ '<', "S.", 0, 1, "SYN-RECEIVED" },          { '>', ".", 1, 1 },
		{ '<', "S.", 1, 1, "SYN-RECEIVED" },          { '>', ".", 1, 1 },
		{ '<', "SF", 0, 0, "SYN-RECEIVED" },          { '>', ".", 1, 1 },
		{ '<', ".",  1, 1, "ESTABLISHED" },
		{ 'e' }, /* none of these counts as a lost SYN-ACK */
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

/* ---- the completing segment ---- */

static void no_ack_is_dropped(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",   0, 0, "SYN-RECEIVED" },
		{ '>', "S.",  0, 1 },
		{ '<', "",    1, 0, "SYN-RECEIVED" }, { 'd', "BAD_FLAGS" },
		{ '<', "P",   1, 0, "SYN-RECEIVED", NULL, 0, "x" }, { 'd', "BAD_FLAGS" },
		{ '<', "F",   1, 0, "SYN-RECEIVED" }, { 'd', "BAD_FLAGS" },
		{ '<', "FPUEWA", 1, 0, "SYN-RECEIVED" }, { 'd', "BAD_FLAGS" },
		{ '<', ".",   1, 1, "ESTABLISHED" },
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

/* RFC 9293 3.10.7.4 fifth: not SND.UNA < SEG.ACK =< SND.NXT: <SEQ=SEG.ACK><CTL=RST>, state kept. */
static void bad_ack_draws_rst(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', ".",  1, 0, "SYN-RECEIVED" },          { '>', "R", 0 },
		{ '<', ".",  1, 2, "SYN-RECEIVED" },          { '>', "R", 2 },
		{ '<', "P.", 1, 3, "SYN-RECEIVED", NULL, 0, "x" }, { '>', "R", 3 },
		{ '<', "F.", 1, 0xffffffff, "SYN-RECEIVED" }, { '>', "R", 0xffffffff },
		{ '<', ".",  1, 0x7fffffff, "SYN-RECEIVED" }, { '>', "R", 0x7fffffff },
		{ '<', ".",  1, 0x80000000, "SYN-RECEIVED" }, { '>', "R", 0x80000000 },
		{ '<', ".",  1, 0x80000001, "SYN-RECEIVED" }, { '>', "R", 0x80000001 },
		{ '<', ".",  1, 0x80000002, "SYN-RECEIVED" }, { '>', "R", 0x80000002 },
		{ '<', ".",  0, 0, "SYN-RECEIVED" },          { '>', ".", 1, 1 }, /* the sequence test comes first */
		{ '<', ".",  1, 1, "ESTABLISHED" },
		{ 'e' },
		{ 0 }
	}, stamps[] = {
		{ 't', NULL, 9 },
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 sack ts=100:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 sack ts=9:100" },
		{ '<', ".",  1, 0, "SYN-RECEIVED", "nop nop ts=120:0" },
		{ '>', "R",  0, 0, NULL, "nop nop ts=0:120" },
		{ '<', ".",  1, 1, "ESTABLISHED", "nop nop ts=110:0" }, /* the bad one did not move TS.Recent */
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
	script_run_rows("bad_ack_draws_rst, timestamps", stamps);
}

/* RFC 9293 3.10.7.4: data and FIN of the completing segment count; they are the host's, after the event. */
static void completing_ack_with_data(void)
{
	/* clang-format off */
	static const struct row data[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "P.", 1, 1, "ESTABLISHED", NULL, 0, "hello" },
		{ 'e' },
		{ 'h', "conn" },
		{ '<', "P.", 6, 1, "ESTABLISHED", NULL, 0, "more" },
		{ 'h', "conn" },
		{ 0 }
	}, fin[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "F.", 1, 1, "ESTABLISHED" },
		{ 'e' },
		{ 'h', "conn" },
		{ 0 }
	}, both[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "FPU.", 1, 1, "ESTABLISHED", NULL, 0, "bye" },
		{ 'e' },
		{ 'h', "conn" },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows("completing ACK with data", data);
	script_run_rows("completing ACK with FIN", fin);
	script_run_rows("completing ACK with data and FIN", both);
}

/* The host owns it from ESTABLISHED on: every segment passes, with its id, and nothing is answered. */
static void established_belongs_to_the_host(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', ".",  1, 1, "ESTABLISHED" },
		{ 'e' },
		{ '<', ".",  1, 1, "ESTABLISHED", "mss=100 ws=2" }, { 'h', "conn" },
		{ '<', "S",  0, 0, "ESTABLISHED" }, { 'h', "conn" },
		{ '<', "S.", 0, 1, "ESTABLISHED" }, { 'h', "conn" },
		{ '<', "R",  1, 0, "ESTABLISHED" }, { 'h', "conn" },
		{ '<', "R",  0x80000000, 0, "ESTABLISHED" }, { 'h', "conn" },
		{ '<', "F.", 1, 1, "ESTABLISHED" }, { 'h', "conn" },
		{ '<', "",   1, 0, "ESTABLISHED" }, { 'h', "conn" },
		{ 't', NULL, 3000, 0, "ESTABLISHED" },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

/* RFC 9293 3.10.7.4 first: the four cases of the acceptability table, at both edges of the window. */
static bool acceptable(uint32_t seq, uint32_t len, uint32_t rcv_nxt, uint32_t wnd)
{
	if (len == 0)
		return wnd == 0 ? seq == rcv_nxt : seq - rcv_nxt < wnd;
	return wnd != 0 && (seq - rcv_nxt < wnd || seq + len - 1 - rcv_nxt < wnd);
}

static void acceptability_table(void)
{
	static const uint32_t windows[] = { 0, 1, 2, 100, 65535 }, lengths[] = { 0, 1, 2, 101, 103 };
	static const uint32_t isns[] = { 0x10000000, 0xfffffffe, 0xffffff9d };
	uint8_t text[128] = { 0 };
	struct bench *b = bench_open(ENGINE_SMALL);
	uint16_t port = 1024;

	for (size_t w = 0; w < COUNT(windows); w++)
		for (size_t l = 0; l < COUNT(lengths); l++)
			for (size_t e = 0; e < 9; e++) {
				uint32_t wnd = windows[w], len = lengths[l], isn = isns[(w + l + e) % COUNT(isns)];
				/* first octets from RCV.NXT: both edges, and the last octet on both edges */
				uint32_t from[] = { 0, 1, 0xffffffff, wnd - 1, wnd, 0 - len, 1 - len, 2 - len,
					0x80000000 };
				bool fin = len && e % 2;
				struct segment s = { .sport = ++port,
					.dport = OUR_PORT,
					.seq = isn + 1 + from[e],
					.flags = (uint16_t)(HF_ACK | (fin ? HF_FIN : 0)),
					.wnd = 500,
					.text = text,
					.text_len = len - fin };
				const struct hf_tcb *t;
				uint32_t id;

				check_context("window %u, SEG.LEN %u, SEQ = RCV.NXT %+d", wnd, len, (int32_t)from[e]);
				bench_set(b, HF_REG_RCV_WND, wnd);
				id = bench_half_open(b, PEER_ADDR, port, isn);
				t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
				if (!t)
					continue;
				s.ack = (uint32_t)t->iss + 1;
				bench_segment(b, &s);
				if (acceptable(s.seq, len, isn + 1, wnd)) {
					const struct item *event = bench_c2h(b);

					CHECK_EQ(t->state, HF_STATE_ESTABLISHED, "state");
					CHECK(event && event->bytes[0] == HF_MSG_EVENT, "no event");
					if (len)
						bench_expect_last(b, HF_FRAME_CSUM_OK | HF_FRAME_CONN, id);
				} else {
					CHECK_EQ(t->state, HF_STATE_SYN_RECEIVED, "state");
					bench_expect_segment(b, &(struct segment){ .sport = OUR_PORT,
									.dport = port,
									.seq = s.ack,
									.ack = isn + 1,
									.flags = HF_ACK,
									.wnd = (uint16_t)wnd });
				}
				bench_command(b, HF_COMMAND_ABORT, id);
				bench_tx(b);
				bench_quiet(b);
			}
	check_context("%s", "");
	bench_close(b);
}

/* ---- RFC 7323 ---- */

static void missing_timestamps(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:100" },
		{ '<', ".",  1, 1, "SYN-RECEIVED" },               { 'd', "MISSING_TS" },
		{ '<', "F.", 1, 0, "SYN-RECEIVED", NULL, 0, "x" }, { 'd', "MISSING_TS" },
		{ '<', ".",  1, 1, "SYN-RECEIVED", "x=0809000000000000" }, { 'd', "MISSING_TS" }, /* length 9 */
		{ 't', NULL, 999 },
		{ 't', NULL, 1 }, /* the timer still runs */
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=1000:100" },
		{ '<', ".",  1, 1, "ESTABLISHED", "nop nop ts=100:0" },
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

static void relaxed(struct bench *b)
{
	bench_set(b, HF_REG_CTRL, CTRL_ENABLE | CTRL_TS_OFFSET_OFF | CTRL_TS_RELAXED);
}

static void missing_timestamps_relaxed(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:100" },
		{ '<', ".",  1, 1, "ESTABLISHED" },
		{ 'e' },
		{ 0 }
	}, paws[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:100" },
		{ '<', ".",  1, 1, "SYN-RECEIVED", "nop nop ts=99:0" }, /* the switch does not turn PAWS off */
		{ '>', ".",  1, 1, NULL, "nop nop ts=0:100" },
		{ 0 }
	};
	/* clang-format on */

	script_run(&(struct script){ __func__, rows, relaxed });
	script_run(&(struct script){ "missing_timestamps_relaxed, PAWS", paws, relaxed });
}

static void timestamps_not_negotiated(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', ".",  1, 0, "SYN-RECEIVED", "nop nop ts=5:6" }, /* a RST answers in kind, RFC 7323 5.2 */
		{ '>', "R",  0, 0, NULL, "nop nop ts=0:5" },
		{ '<', ".",  1, 1, "ESTABLISHED", "nop nop ts=5:6" },
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

static void paws(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ 't', NULL, 3 },
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0 ws=3" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=3:100 nop ws=7" },
		{ '<', ".",  1, 1, "SYN-RECEIVED", "nop nop ts=99:0" },
		{ '>', ".",  1, 1, NULL, "nop nop ts=3:100", 511 }, /* 65535 >> 7 */
		{ '<', ".",  1, 1, "SYN-RECEIVED", "nop nop ts=0x80000064:0" }, /* 2^31 away is older */
		{ '>', ".",  1, 1, NULL, "nop nop ts=3:100", 511 },
		{ '<', ".",  0, 0, "SYN-RECEIVED", "nop nop ts=99:0" }, /* before the tests of SEQ and ACK */
		{ '>', ".",  1, 1, NULL, "nop nop ts=3:100", 511 },
		{ '<', ".",  1, 1, "ESTABLISHED", "nop nop ts=100:3", 7 }, /* equal is good */
		{ 'e' },
		{ 0 }
	}, wrap[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=0xffffffff:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:0xffffffff" },
		{ '<', ".",  1, 1, "SYN-RECEIVED", "nop nop ts=0xfffffffe:0" },
		{ '>', ".",  1, 1, NULL, "nop nop ts=0:0xffffffff" },
		{ '<', ".",  1, 1, "ESTABLISHED", "nop nop ts=0:0" },
		{ 'e' },
		{ 0 }
	}, far[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:100" },
		{ '<', ".",  1, 1, "ESTABLISHED", "nop nop ts=0x80000063:0" },
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
	script_run_rows("paws, TS.Recent 0xffffffff", wrap);
	script_run_rows("paws, just below 2^31 ahead", far);
}

/* RFC 7323 4.3: TS.Recent moves only for SEG.SEQ =< Last.ACK.sent. */
static void ts_recent_update(void)
{
	/* clang-format off */
	static const struct row ahead[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:100" },
		{ '<', ".",  2, 1, "ESTABLISHED", "nop nop ts=200:0" },
		{ 'e' },
		{ 0 }
	}, behind[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=100:0" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:100" },
		{ '<', ".",  0, 1, "ESTABLISHED", "nop nop ts=200:0", 0, "ab" }, /* last octet in the window */
		{ 'e' },
		{ 'h', "conn" },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows("ts_recent_update, SEQ beyond RCV.NXT", ahead);
	script_run_rows("ts_recent_update, SEQ before RCV.NXT", behind);
}

static void window_scale_14(struct bench *b)
{
	bench_set(b, HF_REG_WSCALE, 15); /* acts as 14 */
	bench_set(b, HF_REG_RCV_WND, 0x3fffffff);
}

static void window_scale_0(struct bench *b)
{
	bench_set(b, HF_REG_WSCALE, 0);
	bench_set(b, HF_REG_RCV_WND, 1000);
}

static void window_large(struct bench *b)
{
	bench_set(b, HF_REG_RCV_WND, 100000);
}

/* RFC 7323 2.2, 2.3: windows of SYN and SYN-ACK are never scaled, every later one is; a shift needs both sides. */
static void window_rules(void)
{
	/* clang-format off */
	static const struct row clamp[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ws=15", 1000 },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop ws=7" },
		{ '<', ".",  1, 1, "ESTABLISHED", NULL, 1 }, /* SND.WND 16384 */
		{ 'e' },
		{ 0 }
	}, our14[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ws=0", 0x8000 },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop ws=14" },
		{ '<', "R",  2, 0, "SYN-RECEIVED" },
		{ '>', ".",  1, 1, NULL, NULL, 65535 },
		{ '<', ".",  1, 1, "ESTABLISHED", NULL, 0x8000 },
		{ 'e' },
		{ 0 }
	}, our0[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ws=14", ZERO_WND },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop ws=0", 1000 },
		{ '<', "R",  2, 0, "SYN-RECEIVED" },
		{ '>', ".",  1, 1, NULL, NULL, 1000 },
		{ '<', ".",  1, 1, "ESTABLISHED", NULL, 65535 },
		{ 'e' },
		{ 0 }
	}, large[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "ws=1" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop ws=7" },
		{ '<', "R",  99999 + 1, 0, "SYN-RECEIVED" },
		{ '>', ".",  1, 1, NULL, NULL, 781 }, /* 100000 >> 7 */
		{ '<', "R",  100000 + 1, 0, "SYN-RECEIVED" },
		{ 'd', "UNACCEPTABLE" },
		{ 0 }
	}, unscaled[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460", 0x8000 },
		{ '>', "S.", 0, 1 },
		{ '<', "R",  2, 0, "SYN-RECEIVED" },
		{ '>', ".",  1, 1, NULL, NULL, 65535 }, /* 100000 does not fit, no shift */
		{ '<', ".",  1, 1, "ESTABLISHED", "ws=2", 0xffff }, /* too late */
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows("window_rules, peer's shift 15", clamp);
	script_run(&(struct script){ "window_rules, our shift 15", our14, window_scale_14 });
	script_run(&(struct script){ "window_rules, our shift 0", our0, window_scale_0 });
	script_run(&(struct script){ "window_rules, RCV.WND 100000", large, window_large });
	script_run(&(struct script){ "window_rules, no shift", unscaled, window_large });
}

/* SND.WND of the SYN is taken unscaled into the entry (RFC 7323 2.2). */
static void syn_window_in_the_entry(void)
{
	/* clang-format off */
	static const struct {
		uint16_t wnd;
		const char *opts;
	} rows[] = { { 1000, "ws=14" }, { 0x8000, NULL }, { 0, NULL }, { 0xffff, "ws=7" } };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct segment s = { .sport = (uint16_t)(5000 + i), .dport = OUR_PORT, .seq = 9, .flags = HF_SYN,
				     .wnd = rows[i].wnd, .opts = rows[i].opts };
		const struct hf_tcb *t;

		bench_segment(b, &s);
		CHECK(bench_tx(b) != NULL, "no SYN-ACK");
		t = bench_entry(b, PEER_ADDR, s.sport, OUR_ADDR, OUR_PORT);
		CHECK(t && t->snd_wnd == rows[i].wnd, "SND.WND %llu, want %u", (unsigned long long)(t ? t->snd_wnd : 0),
		      rows[i].wnd);
		bench_command(b, HF_COMMAND_ABORT, bench_id(b, t));
		bench_tx(b);
	}
	bench_close(b);
}

/* RFC 9293 3.7.1: no option is 536; the peer's is kept within [MSS_FLOOR, MSS]; ours is register MSS. */
static void mss_rules(void)
{
	static const struct {
		unsigned ours, floor;
		const char *opts;
		unsigned want;
	} rows[] = {
		{ 1460, 88, NULL, 536 },             { 1460, 88, "mss=1460", 1460 },
		{ 1460, 88, "mss=1461", 1460 },      { 1460, 88, "mss=65535", 1460 },
		{ 1460, 88, "mss=0", 88 },           { 1460, 88, "mss=87", 88 },
		{ 1460, 88, "mss=88", 88 },          { 1460, 88, "mss=89", 89 },
		{ 500, 88, NULL, 500 },              { 1460, 600, NULL, 600 },
		{ 400, 600, "mss=500", 600 },        { 65535, 0, "mss=65535", 65535 },
		{ 65535, 0, "mss=0", 0 },            { 8960, 88, "mss=8960", 8960 },
		{ 1460, 88, "mss=1400 mss=536", 536 }, { 1460, 88, "mss=536 mss=1400", 1400 },
		{ 1460, 88, "mss=1400 x=020301", 1400 },
	};
	/* clang-format on */
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct segment s = { .sport = (uint16_t)(5000 + i),
			.dport = OUR_PORT,
			.seq = 9,
			.flags = HF_SYN,
			.wnd = 100,
			.opts = rows[i].opts };
		const struct hf_tcb *t;
		char opts[16];

		check_context("row %zu (%s)", i, rows[i].opts ? rows[i].opts : "no option");
		bench_set(b, HF_REG_MSS, rows[i].ours);
		bench_set(b, HF_REG_MSS_FLOOR, rows[i].floor);
		bench_segment(b, &s);
		t = bench_entry(b, PEER_ADDR, s.sport, OUR_ADDR, OUR_PORT);
		if (!CHECK(t != NULL, "no entry"))
			continue;
		CHECK_EQ(t->mss, rows[i].want, "SendMSS");
		snprintf(opts, sizeof(opts), "mss=%u", rows[i].ours);
		bench_expect_segment(b, &(struct segment){ .sport = OUR_PORT,
						.dport = s.sport,
						.seq = (uint32_t)t->iss,
						.ack = 10,
						.flags = HF_SYN | HF_ACK,
						.wnd = 65535,
						.opts = opts });
		bench_command(b, HF_COMMAND_ABORT, bench_id(b, t));
		bench_tx(b);
	}
	check_context("%s", "");
	bench_close(b);
}

/* ---- all 512 combinations of the nine flags ---- */

static void all_flags_without_entry(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned flags = 0; flags < 512; flags++) {
		struct segment s = { .sport = (uint16_t)(4096 + flags),
			.dport = OUR_PORT,
			.seq = 100,
			.ack = 7,
			.flags = (uint16_t)flags,
			.wnd = 100 };

		check_context("flags 0x%03x", flags);
		bench_segment(b, &s);
		if ((flags & HF_SYN && flags & (HF_RST | HF_FIN)) || !(flags & (HF_SYN | HF_ACK | HF_RST))) {
			CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_BAD_FLAGS, "cause");
			bench_counted(b, HF_CNT_DROP_BAD_FLAGS, 1);
		} else if (flags & (HF_RST | HF_ACK)) {
			bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
		} else {
			const struct item *reply = bench_tx(b);

			if (CHECK(reply && reply->len == 60, "no SYN-ACK"))
				CHECK_EQ(get16(reply->bytes + 46), 0x6012,
					"offset, reserved bits and flags of the answer");
			s.flags = HF_RST;
			s.seq = 101;
			bench_segment(b, &s);
		}
		bench_quiet(b);
		if (flags % 8 == 7)
			bench_still_serves(b);
	}
	check_context("%s", "");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_close(b);
}

static void all_flags_in_syn_received(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned flags = 0; flags < 512; flags++) {
		struct segment s = { .sport = (uint16_t)(4096 + flags),
			.dport = OUR_PORT,
			.seq = 101,
			.flags = (uint16_t)flags,
			.wnd = 100 };
		uint32_t id = bench_half_open(b, PEER_ADDR, s.sport, 100);
		const struct hf_tcb *t = bench_entry(b, PEER_ADDR, s.sport, OUR_ADDR, OUR_PORT);
		const struct item *out;

		check_context("flags 0x%03x", flags);
		if (!t)
			continue;
		s.ack = (uint32_t)t->iss + 1;
		bench_segment(b, &s);
		if (flags & HF_RST) {
			CHECK_EQ(t->state, HF_STATE_CLOSED, "state");
		} else if (flags & HF_SYN) {
			out = bench_tx(b);
			CHECK(out && get16(out->bytes + 46) == 0x5010, "no challenge ACK");
			CHECK_EQ(t->state, HF_STATE_SYN_RECEIVED, "state");
		} else if (!(flags & HF_ACK)) {
			CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_BAD_FLAGS, "cause");
			CHECK_EQ(t->state, HF_STATE_SYN_RECEIVED, "state");
		} else {
			out = bench_c2h(b);
			CHECK(out && out->bytes[0] == HF_MSG_EVENT, "no event");
			CHECK_EQ(t->state, HF_STATE_ESTABLISHED, "state");
			if (flags & HF_FIN)
				bench_expect_last(b, HF_FRAME_CSUM_OK | HF_FRAME_CONN, id);
		}
		bench_quiet(b);
		if (t->state != HF_STATE_CLOSED) {
			CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, id), HF_STATUS_OK, "status of ABORT");
			bench_tx(b);
		}
		if (flags % 8 == 7)
			bench_still_serves(b);
	}
	check_context("%s", "");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 0, "HALF_OPEN");
	bench_close(b);
}

static void all_flags_in_established(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint32_t id = bench_establish(b, PEER_ADDR, PEER_PORT, 100);
	const struct hf_tcb *t = bench_entry(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT);

	for (unsigned flags = 0; flags < 512 && t; flags++) {
		struct segment s = { .sport = PEER_PORT,
			.dport = OUR_PORT,
			.seq = 101,
			.ack = (uint32_t)t->iss + 1,
			.flags = (uint16_t)flags,
			.wnd = 100 };

		check_context("flags 0x%03x", flags);
		bench_segment(b, &s);
		bench_expect_last(b, HF_FRAME_CSUM_OK | HF_FRAME_CONN, id);
		CHECK_EQ(t->state, HF_STATE_ESTABLISHED, "state");
		bench_quiet(b);
	}
	check_context("%s", "");
	bench_still_serves(b);
	bench_close(b);
}

/* Reserved bits are ignored when received, zero when sent (RFC 9293 3.1). */
static void reserved_bits(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned bits = 1; bits < 8; bits++) {
		struct segment s = {
			.sport = (uint16_t)(3000 + bits), .dport = OUR_PORT, .seq = 100, .flags = HF_SYN, .wnd = 100
		};
		const struct item *reply;
		uint8_t ip[PACKET_MAX];
		size_t len = make_packet(ip, &s);

		ip[32] |= (uint8_t)(bits << 1);
		fix_packet(ip);
		bench_packet(b, ip, len);
		reply = bench_tx(b);
		if (CHECK(reply && reply->len == 60, "reserved bits %u: no SYN-ACK", bits))
			CHECK_EQ(get16(reply->bytes + 46), 0x6012, "offset, reserved bits and flags of the answer");
		bench_command(b, HF_COMMAND_ABORT, bench_id(b, bench_entry(b, PEER_ADDR, s.sport, OUR_ADDR, OUR_PORT)));
		bench_tx(b);
	}
	bench_close(b);
}

/* ---- RFC 6298: the SYN-ACK timer ---- */

/* `intervals` ends with 0; after the last one the entry is freed. */
static void schedule(const char *name, unsigned rto, unsigned max, unsigned retries, const unsigned *intervals)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	struct segment synack = {
		.sport = OUR_PORT, .dport = PEER_PORT, .ack = 101, .flags = HF_SYN | HF_ACK, .wnd = 65535
	};
	const struct hf_tcb *t;
	char opts[64];
	unsigned copies = 0;

	bench_set(b, HF_REG_SYN_RTO_MS, rto);
	bench_set(b, HF_REG_SYN_RTO_MAX_MS, max);
	bench_set(b, HF_REG_SYNACK_RETRIES, retries);
	bench_segment(b, &(struct segment){ .sport = PEER_PORT,
				 .dport = OUR_PORT,
				 .seq = 100,
				 .flags = HF_SYN,
				 .wnd = 100,
				 .opts = "mss=1460 sack ts=7:0 nop ws=3" });
	if (CHECK(bench_tx(b) != NULL, "no SYN-ACK"))
		synack.seq = (uint32_t)bench_entry(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT)->iss;
	t = bench_entry(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT);
	if (CHECK(t != NULL, "no entry"))
		CHECK_EQ(t->deadline_ms, b->ms + *intervals, "first DEADLINE.MS");
	for (; *intervals; intervals++) {
		check_context("%s, interval %u of %u ms", name, copies + 1, *intervals);
		bench_ms(b, *intervals - 1);
		bench_quiet(b);
		bench_ms(b, 1);
		if (intervals[1]) {
			snprintf(opts, sizeof(opts), "mss=1460 sack ts=%u:7 nop ws=7", b->ms);
			synack.opts = opts;
			bench_expect_segment(b, &synack);
			copies++;
			t = bench_entry(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT);
			if (CHECK(t != NULL, "no entry")) {
				CHECK_EQ(t->retries, copies, "RETRIES");
				CHECK_EQ(t->syn_lost, 1, "SYN.LOST");
				CHECK_EQ(t->sent_ms, b->ms, "SENT.MS");
				CHECK_EQ(t->timer_armed, 1, "TIMER.ARMED");
				CHECK_EQ(t->deadline_ms, b->ms + intervals[1], "DEADLINE.MS");
			}
			CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 1, "HALF_OPEN");
		}
		bench_quiet(b);
	}
	check_context("%s, at the end", name);
	CHECK(!bench_entry(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT), "the entry is not freed");
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 0, "HALF_OPEN");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_counted(b, HF_CNT_RETRANSMITS, copies);
	bench_counted(b, HF_CNT_TX_SYNACK, copies + 1);
	bench_counted(b, HF_CNT_TIMEOUTS, 1);
	bench_ms(b, 70000);
	bench_quiet(b);
	bench_segment(b, &(struct segment){ .sport = PEER_PORT,
				 .dport = OUR_PORT,
				 .seq = 101,
				 .ack = synack.seq + 1,
				 .flags = HF_ACK,
				 .wnd = 100,
				 .opts = "nop nop ts=8:0" });
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_still_serves(b);
	check_context("%s", "");
	bench_close(b);
}

static void retransmission_default_schedule(void)
{
	static const unsigned intervals[] = { 1000, 2000, 4000, 8000, 16000, 32000, 0 };

	schedule("registers at reset", 1000, 60000, 5, intervals);
}

static void retransmission_cap(void)
{
	static const unsigned capped[] = { 100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000,
		1000, 1000, 1000, 0 };
	static const unsigned from_first[] = { 50, 50, 50, 50, 0 }, wide[] = { 40000, 65535, 65535, 0 };

	schedule("cap 1000 ms, 15 copies", 100, 1000, 15, capped);
	schedule("cap below the first timeout", 100, 50, 3, from_first);
	schedule("more than 16 bits", 40000, 65535, 2, wide);
}

static void retransmission_limit(void)
{
	static const unsigned none[] = { 20, 0 }, one[] = { 20, 40, 0 };

	schedule("no copy", 20, 60000, 0, none);
	schedule("one copy", 20, 60000, 1, one);
}

/* A timeout of 0, or a cap of 0, counts as 1 ms: no entry is due in the millisecond of its own SYN-ACK. */
static void retransmission_floor(void)
{
	static const unsigned floor[] = { 1, 1, 1, 1, 0 };

	schedule("SYN_RTO_MS 0", 0, 60000, 3, floor);
	schedule("SYN_RTO_MAX_MS 0", 1000, 0, 3, floor);
}

static void timer_stops_at_established(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	bench_half_open(b, PEER_ADDR, PEER_PORT, 100);
	bench_ms(b, 999);
	bench_segment(b, &(struct segment){ .sport = PEER_PORT,
				 .dport = OUR_PORT,
				 .seq = 101,
				 .flags = HF_ACK,
				 .wnd = 1,
				 .ack = (uint32_t)bench_entry(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT)->iss + 1 });
	CHECK(bench_c2h(b) != NULL, "no event");
	for (unsigned i = 0; i < 8; i++)
		bench_ms(b, 10000);
	bench_quiet(b);
	bench_counted(b, HF_CNT_RETRANSMITS, 0);
	bench_counted(b, HF_CNT_TIMEOUTS, 0);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 1, "ENTRIES");
	bench_close(b);
}

/* A duplicate SYN, a challenge or a refused segment neither restarts nor stops the timer. */
static void timer_is_not_restarted(void)
{
	/* clang-format off */
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ 't', NULL, 500 },
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "R",  2, 0, "SYN-RECEIVED" },
		{ '>', ".",  1, 1 },
		{ '<', ".",  1, 5, "SYN-RECEIVED" },
		{ '>', "R",  5 },
		{ 't', NULL, 499 },
		{ '<', "S",  0, 0, "SYN-RECEIVED" }, /* nothing came before it */
		{ '>', "S.", 0, 1 },
		{ 't', NULL, 1 },
		{ '>', "S.", 0, 1 },
		{ '<', ".",  1, 1, "ESTABLISHED" },
		{ 'e' },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
}

/* Several entries in one set and in all sets expire at one tick: each is served. */
static void many_timers_at_once(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	unsigned open = 0;

	for (uint16_t port = 1000; port < 1200 && open < b->slots; port++) {
		bench_segment(b, &(struct segment){ .sport = port, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN });
		open += bench_tx(b) != NULL;
	}
	CHECK_EQ(open, b->slots, "entries");
	bench_ms(b, 999);
	bench_quiet(b);
	bench_ms(b, 1);
	for (unsigned i = 0; i < open; i++)
		CHECK(bench_tx(b) != NULL, "only %u of %u SYN-ACKs came again", i, open);
	bench_quiet(b);
	bench_counted(b, HF_CNT_RETRANSMITS, open);
	bench_close(b);
}

/* ---- commands ---- */

static void commands_by_state(void)
{
	/* clang-format off */
	static const struct row half_open[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ 'c', "RELEASE", HF_STATUS_NOT_OWNER, 0, "SYN-RECEIVED" },
		{ 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" },
		{ '>', "R",  1 },
		{ 't', NULL, 3000 },
		{ 0 }
	}, established[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "mss=1460 ts=5:0 ws=2" },
		{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:5 nop ws=7" },
		{ '<', ".",  1, 1, "ESTABLISHED", "nop nop ts=5:0" },
		{ 'e' },
		{ 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" },
		{ '>', "R",  1 }, /* no options */
		{ 0 }
	}, release[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', ".",  1, 1, "ESTABLISHED" },
		{ 'e' },
		{ 'c', "RELEASE", HF_STATUS_OK, 0, "LISTEN" },
		{ '<', ".",  1, 1, "LISTEN" },
		{ 'h', "none" },
		{ 0 }
	};
	/* clang-format on */

	script_run_rows("ABORT in SYN-RECEIVED", half_open);
	script_run_rows("ABORT in ESTABLISHED", established);
	script_run_rows("RELEASE in ESTABLISHED", release);
}

/* ---- no room, no host ---- */

/* Replies that wait while nothing leaves: in the queue, two in tx_builder, and at 512 bits, where a frame is one beat, one in
 * the output register. */
static unsigned reply_room(const struct bench *b)
{
	return b->params->reply_depth + 2 + (b->params->data_w == 512);
}

/* A segment whose reply has no room changes nothing; the peer's retransmission then succeeds. */
static void reply_full_changes_nothing(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	unsigned room = reply_room(b);
	struct segment s = { .dport = OUR_PORT, .seq = 5, .flags = HF_SYN };

	b->sim->hold_tx = true;
	for (unsigned i = 0; i <= room; i++) {
		s.sport = (uint16_t)(1000 + 3 * i);
		bench_segment(b, &s);
	}
	bench_counted(b, HF_CNT_DROP_REPLY_FULL, 1);
	CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_REPLY_FULL, "cause");
	CHECK_EQ(bench_last_trace(b)->trc_write, 0, "trc_write");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), room, "ENTRIES");
	/* replies of a known connection: duplicate SYN, other SYN, RST in window, bad ACK, PAWS-like old ACK */
	s.sport = 1000;
	bench_segment(b, &s);
	s.seq = 9;
	bench_segment(b, &s);
	s.flags = HF_RST;
	bench_segment(b, &s);
	s.flags = HF_ACK;
	bench_segment(b, &s);
	s.seq = 4;
	bench_segment(b, &s);
	bench_counted(b, HF_CNT_DROP_REPLY_FULL, 5);
	CHECK_EQ(bench_entry(b, PEER_ADDR, 1000, OUR_ADDR, OUR_PORT)->syn_lost, 0, "SYN.LOST");
	/* a command and a timeout wait for room instead */
	bench_ms(b, 1000);
	bench_counted(b, HF_CNT_RETRANSMITS, 0);
	b->sim->hold_tx = false;
	bench_settle(b);
	for (unsigned i = 0; i < 2 * room; i++)
		CHECK(bench_tx(b) != NULL, "reply %u of %u is missing", i, 2 * room);
	bench_counted(b, HF_CNT_RETRANSMITS, room);
	s = (struct segment){ .sport = (uint16_t)(1000 + 3 * room), .dport = OUR_PORT, .seq = 5, .flags = HF_SYN };
	bench_segment(b, &s);
	CHECK(bench_tx(b) != NULL, "the SYN sent again has no answer");
	bench_close(b);
}

/* While a timeout waits for room its entry is completed by the peer: the timeout then finds no armed timer and does
 * nothing at all. A command that waits as well goes before it. */
static void waiting_timeout(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	unsigned n = reply_room(b);
	uint8_t msg[16] = { HF_MSG_COMMAND, HF_COMMAND_RELEASE };
	const struct item *got;
	size_t ops;

	b->sim->hold_tx = true;
	for (unsigned i = 0; i < n; i++)
		bench_segment(b, &(struct segment){
					 .sport = (uint16_t)(1000 + i), .dport = OUR_PORT, .seq = 5, .flags = HF_SYN });
	bench_ms(b, 1000);
	MSG_PUT(msg, HEADER, length, 16);
	MSG_PUT(msg, HEADER, id, HF_NO_ID);
	bench_message(b, msg, sizeof(msg));
	ops = b->trace_count;
	for (unsigned i = 0; i < n; i++) {
		const struct hf_tcb *t = bench_entry(b, PEER_ADDR, (uint16_t)(1000 + i), OUR_ADDR, OUR_PORT);

		if (CHECK(t != NULL, "no entry"))
			bench_segment(b, &(struct segment){ .sport = (uint16_t)(1000 + i),
						 .dport = OUR_PORT,
						 .seq = 6,
						 .ack = (uint32_t)t->iss + 1,
						 .flags = HF_ACK });
		got = bench_c2h(b);
		CHECK(got && got->bytes[0] == HF_MSG_EVENT, "connection %u is not established", i);
	}
	CHECK_EQ(b->trace_count, ops + n, "ops while there is no room: the segments alone");
	b->sim->hold_tx = false;
	bench_settle(b);
	CHECK_EQ(b->trace_count, ops + n + 2, "ops when there is room again");
	if (b->trace_count == ops + n + 2) {
		CHECK_EQ(b->trace[ops + n].trc_op, HF_OP_COMMAND, "the op that comes first");
		CHECK_EQ(b->trace[ops + n + 1].trc_op, HF_OP_TIMEOUT, "the op that comes then");
		CHECK_EQ(b->trace[ops + n + 1].trc_write, 0, "trc_write of a timeout without an armed timer");
	}
	got = bench_c2h(b);
	CHECK(got && got->bytes[0] == HF_MSG_COMPLETION && got->bytes[1] == HF_STATUS_STALE, "no COMPLETION");
	for (unsigned i = 0; i < n; i++)
		CHECK(bench_tx(b) != NULL, "SYN-ACK %u is missing", i);
	bench_counted(b, HF_CNT_RETRANSMITS, 0);
	bench_silence(b);
	bench_close(b);
}

static void event_full_changes_nothing(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	unsigned room = b->params->event_depth;
	struct segment ack = { .dport = OUR_PORT, .seq = 6, .flags = HF_ACK };

	for (unsigned i = 0; i <= room; i++)
		bench_half_open(b, PEER_ADDR, (uint16_t)(1000 + i), 5);
	b->sim->hold_c2h = true;
	for (unsigned i = 0; i <= room; i++) {
		ack.sport = (uint16_t)(1000 + i);
		ack.ack = (uint32_t)bench_entry(b, PEER_ADDR, ack.sport, OUR_ADDR, OUR_PORT)->iss + 1;
		bench_segment(b, &ack);
	}
	CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_EVENT_FULL, "cause");
	bench_counted(b, HF_CNT_DROP_EVENT_FULL, 1);
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 1, "HALF_OPEN");
	b->sim->hold_c2h = false;
	bench_settle(b);
	for (unsigned i = 0; i < room; i++)
		CHECK(bench_c2h(b) != NULL, "event %u is lost", i);
	bench_quiet(b);
	bench_segment(b, &ack);
	CHECK(bench_c2h(b) != NULL, "the ACK sent again makes no event");
	bench_counted(b, HF_CNT_ESTABLISHED, room + 1);
	bench_close(b);
}

static void host_gone(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	struct segment s = { .sport = 1000, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN };
	uint32_t iss;

	bench_set(b, HF_REG_HEARTBEAT_MS, 50);
	bench_segment(b, &s);
	bench_counted(b, HF_CNT_DROP_HOST_GONE, 1); /* no heartbeat yet */
	CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_HOST_GONE, "cause");
	bench_set(b, HF_REG_HEARTBEAT, 0);
	bench_ms(b, 49);
	bench_half_open(b, PEER_ADDR, 1000, 5);
	bench_ms(b, 1);
	s.sport = 1001;
	bench_segment(b, &s);
	bench_counted(b, HF_CNT_DROP_HOST_GONE, 1);
	/* what is open goes on */
	iss = (uint32_t)bench_entry(b, PEER_ADDR, 1000, OUR_ADDR, OUR_PORT)->iss;
	s.sport = 1000;
	bench_segment(b, &s);
	CHECK(bench_tx(b) != NULL, "a duplicate SYN is not answered");
	bench_segment(
		b, &(struct segment){ .sport = 1000, .dport = OUR_PORT, .seq = 6, .ack = iss + 1, .flags = HF_ACK });
	CHECK(bench_c2h(b) != NULL, "the handshake does not complete");
	bench_set(b, HF_REG_HEARTBEAT, 1);
	bench_half_open(b, PEER_ADDR, 1001, 5);
	bench_set(b, HF_REG_HEARTBEAT_MS, 0);
	bench_ms(b, 60);
	bench_half_open(b, PEER_ADDR, 1002, 5); /* 0: always alive */
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(passive_open), CASE(passive_open_all_options), CASE(vector_g14_g15_handshake),
		CASE(vector_g16_bad_ack), CASE(vector_g17_duplicate_syn), CASE(vector_g01_g13_no_connection),
		CASE(vector_h_ecn_syn_gets_plain_syn_ack), CASE(listen_ack_goes_to_host), CASE(listen_drops_nonsense),
		CASE(syn_with_data), CASE(old_duplicate_syn), CASE(rst_exact_frees), CASE(rst_in_window_is_challenged),
		CASE(rst_outside_window_is_dropped), CASE(rst_with_zero_window), CASE(duplicate_syn),
		CASE(duplicate_syn_timestamps), CASE(other_syn_is_challenged), CASE(no_ack_is_dropped),
		CASE(bad_ack_draws_rst), CASE(completing_ack_with_data), CASE(established_belongs_to_the_host),
		CASE(acceptability_table), CASE(missing_timestamps), CASE(missing_timestamps_relaxed),
		CASE(timestamps_not_negotiated), CASE(paws), CASE(ts_recent_update), CASE(window_rules),
		CASE(syn_window_in_the_entry), CASE(mss_rules), CASE(all_flags_without_entry),
		CASE(all_flags_in_syn_received), CASE(all_flags_in_established), CASE(reserved_bits),
		CASE(retransmission_default_schedule), CASE(retransmission_cap), CASE(retransmission_limit), CASE(retransmission_floor),
		CASE(timer_stops_at_established), CASE(timer_is_not_restarted), CASE(many_timers_at_once),
		CASE(commands_by_state), CASE(reply_full_changes_nothing), CASE(waiting_timeout),
		CASE(event_full_changes_nothing),
		CASE(host_gone), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "tcp_fsm", cases);
}
