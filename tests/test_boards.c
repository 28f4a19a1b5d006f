/* SPDX-License-Identifier: Apache-2.0
 * test_boards.c - the whole board from its RGMII pins on (rtl/board/board_sim.sv: PHY, MAC, core), with the same kinds of
 * cases as the engine: opening, options, closing, resets, VLAN, IPv6, a flood at line rate; the core inside in lock
 * step with the model, every frame looked at behind the PHY. `make test-boards` runs the engine's own tests like this. */
#include <inttypes.h>
#include "../sim/rtl_top.h"
#include "support_board.h"

#define RTL_TOP_PINS "pins_board_time.def"
#define RTL_TOP_NAME board_time
#include "../sim/rtl_top_pins.h"

extern const struct rtl_top rtl_top_board_time;

#define ROWS(...)                                                        \
	{                                                                \
		static const struct row rows[] = { __VA_ARGS__, { 0 } }; \
		script_run_rows(__func__, rows);                         \
	}

/* clang-format off */

/* script_run_rows() does each with ISNs around 2^31 and 2^32, over IPv6, and with one and two VLAN tags. */
static void handshake_and_options(void)
ROWS({ 't', NULL, 7 },
	{ '<', "S", 0, 0, "SYN-RECEIVED", "mss=1400 sack ts=50:0 nop ws=3" },
	{ '>', "S.", 0, 1, "SYN-RECEIVED", "mss=1460 sack ts=7:50 nop ws=7" },
	{ '<', ".", 1, 1, "ESTABLISHED", "nop nop ts=60:7", 512 }, { 'e' },
	{ '<', "P.", 1, 1, "ESTABLISHED", "nop nop ts=61:7", 512, "GET / HTTP/1.0" }, { 'h', "conn" })

static void active_open(void)
ROWS({ 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT" }, { '>', "S", 0, 0, "SYN-SENT" },
	{ '<', "S.", 0, 1, "ESTABLISHED", "mss=1400", 1000 },
	{ '>', ".", 1, 1 }, { 'e' })

static void reset_by_the_peer(void)
ROWS({ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ '<', "R", 1, 0, "LISTEN" })

static void retransmission_and_silence(void)
ROWS({ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ 't', NULL, 1000 }, { '>', "S.", 0, 1 },
	{ 't', NULL, 2000 }, { '>', "S.", 0, 1 },
	{ '<', ".", 1, 1, "ESTABLISHED" }, { 'e' })

static void close_after_handshake(void)
ROWS({ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ '<', ".", 1, 1, "ESTABLISHED" }, { 'e' },
	{ 'o', "CLOSE", HF_STATUS_OK, 0, "FIN-WAIT-1" }, { '>', "F.", 1, 1 },
	{ '<', ".", 1, 2, "FIN-WAIT-2" },
	{ '<', "F.", 1, 2, "TIME-WAIT" }, { '>', ".", 2, 2 }, { 'E', "CLOSED" })
	/* clang-format on */

	/* Frames that the engine has nothing to do with pass both ways, of every length; damaged ones do not. */
	static void frames_of_the_host(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint8_t frame[1522], msg[HF_MSG_HEADER_BYTES + 1522] = { 0 };

	for (size_t len = 60; len <= sizeof frame; len += len < 70 || len > 1510 ? 1 : 241) {
		const struct item *sent;

		for (size_t i = 0; i < len; i++)
			frame[i] = (uint8_t)(i * 7 + len);
		put16(frame + 12, 0x88b5); /* an EtherType for experiments */
		bench_frame(b, frame, len);
		bench_expect_last(b, 0, 0xffffffff);

		memset(msg, 0, HF_MSG_HEADER_BYTES);
		MSG_PUT(msg, HEADER, type, HF_MSG_FRAME);
		MSG_PUT(msg, HEADER, length, HF_MSG_HEADER_BYTES + len);
		memcpy(msg + HF_MSG_HEADER_BYTES, frame, len);
		bench_message(b, msg, HF_MSG_HEADER_BYTES + len);
		sent = bench_tx(b);
		if (CHECK(sent, "%zu octets from the host do not come out", len))
			check_bytes_at(__FILE__, __LINE__, "from the host", sent->bytes, sent->len, frame, len);
	}
	CHECK(!sim_rx(b->sim, frame, 100, true), "sim_rx");
	bench_settle(b);
	bench_counted(b, HF_CNT_DROP_BAD_FCS, 1);
	bench_close(b);
}

/* 1,488,095 minimum SYNs a second, as dense as gigabit Ethernet is: every one is answered. */
static void flood_at_line_rate(void)
{
	enum { SYNS = 3000 };
	struct bench *b = bench_open(ENGINE_DEFAULT);
	struct eth_board_counts n;
	uint8_t *seen = calloc(SYNS, 1);
	unsigned answers = 0;

	if (!seen)
		abort();
	bench_set(b, HF_REG_COOKIE, 1 | 1u << HF_COOKIE_LIFETIME_LOW);
	bench_set(b, HF_REG_COOKIE_HIGH, 512);
	bench_listen(b, 0, 0, OUR_PORT, 0, OPT_WS | OPT_SACK | OPT_TS, LISTEN_OFFLOAD);
	for (unsigned i = 0; i < SYNS; i++) {
		const struct segment s = { .src = 0xc6330000 + i / 4,
			.sport = (uint16_t)(1024 + i),
			.dport = OUR_PORT,
			.seq = 0x12345678 + i,
			.flags = HF_SYN,
			.wnd = 8192 };
		uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
		const size_t len = make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s));

		CHECK_EQ(len, 60, "octets of a SYN");
		CHECK(!sim_rx(b->sim, frame, len, false), "sim_rx");
	}
	bench_settle(b);
	eth_board_counts(b->board, &n);
	CHECK_EQ(n.arrived, SYNS, "SYNs");
	/* 8 + 60 + 4 + 12 octets of 8 ns each; seen with the core's clock, of 16 ns. */
	CHECK(n.rx_ps + 16000 >= (SYNS - 1) * UINT64_C(672000) && n.rx_ps <= (SYNS - 1) * UINT64_C(672000) + 16000,
		"%" PRIu64 " ps for all of them", n.rx_ps);
	for (const struct item *a = bench_tx(b); a; a = bench_tx(b)) {
		const unsigned i = get16(a->bytes + 36) - 1024u;

		if (CHECK(a->len >= 54 && a->bytes[47] == (HF_SYN | HF_ACK) && i < SYNS && !seen[i] &&
				    get32(a->bytes + 42) == 0x12345679 + i,
			    "not the answer of a SYN, octets %zu", a->len)) {
			seen[i] = 1;
			answers++;
		}
	}
	CHECK_EQ(answers, SYNS, "answers");
	bench_counted(b, HF_CNT_DROP_OVERRUN, 0);
	bench_close(b);
	free(seen);
}

/* board_time at its default period of 6,206 ps: never a nanosecond off, a tick each millisecond. */
static void time_of_a_board(void)
{
	struct board_time_in in = { .rst = 1 };
	struct board_time_out out;
	void *top = rtl_top_board_time.create(1);
	uint64_t ticks = 0;

	if (!CHECK(top != NULL, "no memory"))
		return;
	for (uint64_t clk = 0; clk < 600000; clk++) {
		in.rst = clk < 2;
		in.clk = 1;
		rtl_top_board_time.eval(top, &in, &out);
		in.clk = 0;
		rtl_top_board_time.eval(top, &in, &out);
		if (clk < 2)
			continue;
		if (!CHECK(out.time_ns == (clk - 1) * 6206 / 1000, "clock %" PRIu64 ": %" PRIu64 " ns", clk - 1,
			    out.time_ns))
			break;
		ticks += out.tick_1ms;
		CHECK(ticks == out.time_ns / 1000000, "%" PRIu64 " ticks at %" PRIu64 " ns", ticks, out.time_ns);
	}
	CHECK_EQ(ticks, 3, "ticks");
	rtl_top_board_time.free(top);
}

/* The comparison is one: a core that is shown something else than the model differs at once. */
static void a_difference_is_seen(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	struct eth_board_counts n;

	b->sim->in.m_axis_c2h_tready = 0;
	CHECK(b->board, "no board");
	/* Only the engine of the simulator hears of it. */
	b->sim->outlet[0] = (struct sim_outlet){ 0 };
	eth_board_counts(b->board, &n);
	CHECK_EQ(n.mismatches, 0, "before");
	{
		const struct hf_in odd = { .rst = 1 };
		struct hf_out out;

		engine_step(b->sim->engine, &odd, &out);
	}
	sim_run(b->sim, 2100);
	eth_board_counts(b->board, &n);
	CHECK(n.mismatches > 0, "a model that was reset alone is not noticed");
	CHECK(*eth_board_fault(b->board), "no words for it");
	eth_board_close(b->board);
	b->board = NULL;
	while (bench_c2h(b))
		;
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(handshake_and_options), CASE_ONCE(active_open), CASE_ONCE(reset_by_the_peer),
		CASE_ONCE(retransmission_and_silence), CASE_ONCE(close_after_handshake), CASE_ONCE(frames_of_the_host),
		CASE_ONCE(flood_at_line_rate), CASE_ONCE(time_of_a_board), CASE_ONCE(a_difference_is_seen), { 0 }
	};
	/* clang-format on */

	/* What is beside the board is the model. */
	setenv("HF_TEST_ENGINES", "model", 1);
	board_always();
	return bench_main(argc, argv, "boards", cases);
}
