/* SPDX-License-Identifier: Apache-2.0
 * test_close.c - CLOSE, ABORT, RELEASE, DUMP, ADOPT: FIN-WAIT-1 to TIME-WAIT as RFC 9293 3.10.4, 3.10.5 and 3.10.7.4,
 * RFC 5961, RFC 6191 and RFC 1337 want it; scripts as in test_tcp_fsm.c (support_bench.h), G33 to G41 octet for octet. */
#include "support_bench.h"
#include "support_vectors.h"

#define ROWS(...)                                                        \
	{                                                                \
		static const struct row rows[] = { __VA_ARGS__, { 0 } }; \
		script_run_rows(__func__, rows);                         \
	}

/* clang-format off */
/* The FIN is number 1 of ours: SND.NXT = ISS + 2 after it. */
#define CLOSE      { 'o', "CLOSE", HF_STATUS_OK, 0, "FIN-WAIT-1" }, { '>', "F.", 1, 1 }
#define CLOSE_TS   { 'o', "CLOSE", HF_STATUS_OK, 100, "FIN-WAIT-1", "ts" }, { '>', "F.", 1, 1, NULL, "nop nop ts=0:100" }
#define LAST_ACK   { 'o', "CLOSE CW", HF_STATUS_OK, 0, "LAST-ACK" }, { '>', "F.", 1, 2 }
#define FIN_WAIT_2 CLOSE, { '<', ".", 1, 2, "FIN-WAIT-2" }
#define CLOSING    CLOSE, { '<', "F.", 1, 1, "CLOSING" }, { '>', ".", 2, 2 }
#define TIME_WAIT  CLOSE, { '<', "F.", 1, 2, "TIME-WAIT" }, { 'E', "CLOSED" }, { '>', ".", 2, 2 }
#define TIME_WAIT_TS CLOSE_TS, { '<', "F.", 1, 2, "TIME-WAIT", "nop nop ts=200:0" }, { 'E', "CLOSED" }, \
	{ '>', ".", 2, 2, NULL, "nop nop ts=0:200" }

/* ---- the paths of RFC 9293 figures 12 and 13 ---- */

static void normal_close(void)
ROWS(FIN_WAIT_2,
	{ '<', "F.", 1, 2, "TIME-WAIT" }, { 'E', "CLOSED" }, { '>', ".", 2, 2 },
	{ '<', ".", 2, 2, "TIME-WAIT" },                                  /* in place: no reply, no war of ACKs */
	{ 't', NULL, 30000 },
	{ '<', "F.", 1, 2, "TIME-WAIT" }, { '>', ".", 2, 2 },             /* the FIN again: 2 MSL anew */
	{ 't', NULL, 59999, 0, "TIME-WAIT" }, { 't', NULL, 1, 0, "LISTEN" },
	{ 'n', "CLOSES", 1 }, { 'n', "TX_FIN", 1 },
	{ '<', "F.", 1, 2, "LISTEN" }, { 'h', "none" })

static void fin_and_ack_at_once(void)
ROWS(TIME_WAIT, { 't', NULL, 59999, 0, "TIME-WAIT" }, { 't', NULL, 1, 0, "LISTEN" })

static void simultaneous_close(void)
ROWS(CLOSING,
	{ '<', ".", 2, 1, "CLOSING" },
	{ '<', "F.", 1, 1, "CLOSING" }, { '>', ".", 2, 2 },               /* the FIN again */
	{ '<', ".", 2, 2, "TIME-WAIT" }, { 'E', "CLOSED" })

static void last_ack(void)
ROWS(LAST_ACK,
	{ '<', ".", 2, 1, "LAST-ACK" },
	{ '<', "F.", 1, 1, "LAST-ACK" }, { '>', ".", 2, 2 },
	{ '<', ".", 2, 2, "LISTEN" }, { 'E', "CLOSED" },
	{ '<', ".", 2, 2, "LISTEN" }, { 'h', "none" })

static void close_after_adopt(void)
ROWS({ 'o', "ADOPT", HF_STATUS_OK, 0, "ESTABLISHED" },
	{ '<', ".", 1, 1, "ESTABLISHED" }, { 'h', "conn" },
	{ 'o', "CLOSE", HF_STATUS_OK, 0, "FIN-WAIT-1" }, { '>', "F.", 1, 1 },
	{ 'o', "CLOSE", HF_STATUS_EXISTS, 0, "FIN-WAIT-1" },              /* never a second FIN */
	{ 'c', "RELEASE", HF_STATUS_NOT_OWNER, 0, "FIN-WAIT-1" })

static void close_after_open(void)
ROWS({ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 }, { '<', ".", 1, 1, "ESTABLISHED" }, { 'e' },
	CLOSE, { '<', ".", 1, 2, "FIN-WAIT-2" })

static void adopt_close_wait(void)
ROWS({ 'o', "ADOPT CW", HF_STATUS_OK, 0, "CLOSE-WAIT" },
	{ '<', "F.", 1, 1, "CLOSE-WAIT" }, { 'h', "conn" },
	{ 't', NULL, 5000 },
	{ 'o', "CLOSE CW", HF_STATUS_OK, 0, "LAST-ACK" }, { '>', "F.", 1, 2 })

/* ---- timestamps on everything ---- */

static void timestamps(void)
ROWS({ 't', NULL, 5 },
	{ 'o', "CLOSE", HF_STATUS_OK, 100, "FIN-WAIT-1", "ts" }, { '>', "F.", 1, 1, NULL, "nop nop ts=5:100" },
	{ '<', ".", 1, 2, "FIN-WAIT-1" }, { 'd', "MISSING_TS" },
	{ '<', ".", 1, 2, "FIN-WAIT-1", "nop nop ts=99:5" }, { '>', ".", 2, 1, NULL, "nop nop ts=5:100" }, /* PAWS */
	{ 't', NULL, 10 },
	{ '<', ".", 1, 2, "FIN-WAIT-2", "nop nop ts=110:5" },
	{ '<', "F.", 1, 2, "TIME-WAIT", "nop nop ts=111:5" }, { 'E', "CLOSED" },
	{ '>', ".", 2, 2, NULL, "nop nop ts=15:111" })

/* ---- retransmission of the FIN ---- */

static void fin_retransmission(void)
ROWS(CLOSE,
	{ 't', NULL, 999 }, { 't', NULL, 1 }, { '>', "F.", 1, 1 },
	{ 't', NULL, 1999 }, { 't', NULL, 1 }, { '>', "F.", 1, 1 },
	{ 't', NULL, 3999 }, { 't', NULL, 1 }, { '>', "F.", 1, 1 }, { 'E', "RETRYING" },
	{ 't', NULL, 8000 }, { '>', "F.", 1, 1 }, { 't', NULL, 16000 }, { '>', "F.", 1, 1 },
	{ 't', NULL, 32000 }, { '>', "F.", 1, 1 },
	{ 't', NULL, 36999, 0, "FIN-WAIT-1" }, { 't', NULL, 1, 0, "LISTEN" }, { 'E', "TIMED_OUT" }, { 'n', "TIMEOUTS", 1 })

static void last_ack_retransmission(void)
ROWS(LAST_ACK, { 't', NULL, 1000 }, { '>', "F.", 1, 2 }, { 't', NULL, 2000 }, { '>', "F.", 1, 2 },
	{ 't', NULL, 4000 }, { '>', "F.", 1, 2 }, { 'E', "RETRYING" },
	{ 't', NULL, 8000 }, { '>', "F.", 1, 2 }, { 't', NULL, 16000 }, { '>', "F.", 1, 2 },
	{ 't', NULL, 32000 }, { '>', "F.", 1, 2 }, { 't', NULL, 37000, 0, "LISTEN" }, { 'E', "TIMED_OUT" })

static void closing_keeps_the_timer(void)
ROWS(CLOSE, { 't', NULL, 1000 }, { '>', "F.", 1, 1 }, { 't', NULL, 1500 },
	{ '<', "F.", 1, 1, "CLOSING" }, { '>', ".", 2, 2 },
	{ 't', NULL, 499 }, { 't', NULL, 1 }, { '>', "F.", 1, 2 })

static void fin_wait_2_ends(void)
ROWS(FIN_WAIT_2, { 't', NULL, 59999, 0, "FIN-WAIT-2" }, { 't', NULL, 1, 0, "LISTEN" }, { 'E', "CLOSED" },
	{ '<', "F.", 1, 2, "LISTEN" }, { 'h', "none" })

static void other_times(struct bench *b)
{
	bench_set(b, HF_REG_TIME_WAIT_MS, 2000);
	bench_set(b, HF_REG_FIN_WAIT_2_MS, 3000);
	bench_set(b, HF_REG_CLOSE_MS, 1500);
}

static void times_are_registers(void)
{
	static const struct row tw[] = { TIME_WAIT, { 't', NULL, 1900 }, { '<', "F.", 1, 2, "TIME-WAIT" },
		{ '>', ".", 2, 2 }, { 't', NULL, 1999, 0, "TIME-WAIT" }, { 't', NULL, 1, 0, "LISTEN" }, { 0 } };
	static const struct row fw2[] = { FIN_WAIT_2, { 't', NULL, 2999, 0, "FIN-WAIT-2" },
		{ 't', NULL, 1, 0, "LISTEN" }, { 'E', "CLOSED" }, { 0 } };
	static const struct row fin[] = { CLOSE, { 't', NULL, 1000 }, { '>', "F.", 1, 1 },
		{ 't', NULL, 499, 0, "FIN-WAIT-1" }, { 't', NULL, 1, 0, "LISTEN" }, { 'E', "TIMED_OUT" }, { 0 } };

	script_run(&(struct script){ "TIME_WAIT_MS 2000", tw, other_times });
	script_run(&(struct script){ "FIN_WAIT_2_MS 3000", fw2, other_times });
	script_run(&(struct script){ "CLOSE_MS 1500", fin, other_times });
}

/* ---- data after CLOSE, RFC 9293 MAY-1; order of FIN and data ---- */

static void data_after_close(void)
ROWS(CLOSE,
	{ '<', "P.", 1, 1, "LISTEN", NULL, 0, "more" }, { 'E', "ABORTED" }, { '>', "R", 1, 0 },
	FIN_WAIT_2,
	{ '<', "P.", 1, 2, "LISTEN", NULL, 0, "more" }, { 'E', "ABORTED" }, { '>', "R", 2, 0 })

static void old_data_after_close(void)
ROWS(TIME_WAIT, { '<', "P.", 0xffffffce, 2, "TIME-WAIT", NULL, 0, "old" }, { '>', ".", 2, 2 },
	{ '<', "P.", 2, 2, "TIME-WAIT", NULL, 0, "text after the FIN" })

/* The ACK of the last text was lost: the peer sends that text again with its FIN; nothing of it is new, so no RST. */
static void old_data_with_fin(void)
ROWS(CLOSE,
	{ '<', "FP.", 0xfffffffe, 2, "TIME-WAIT", NULL, 0, "old" }, { 'E', "CLOSED" }, { '>', ".", 2, 2 })

static void old_data_with_fin_after_its_ack(void)
ROWS(FIN_WAIT_2,
	{ '<', "FP.", 0xfffffffe, 2, "TIME-WAIT", NULL, 0, "old" }, { 'E', "CLOSED" }, { '>', ".", 2, 2 })

static void fin_beyond_a_hole(void)
ROWS(CLOSE,
	{ '<', "F.", 11, 2, "FIN-WAIT-1" }, { '>', ".", 2, 1 },
	{ '<', ".", 1, 2, "FIN-WAIT-2" },
	{ '<', "F.", 11, 2, "FIN-WAIT-2" }, { '>', ".", 2, 1 },
	{ '<', "F.", 1, 2, "TIME-WAIT" }, { 'E', "CLOSED" }, { '>', ".", 2, 2 })

/* ---- RFC 9293 3.10.7.4 steps 1 to 5, RFC 5961 ---- */

static void resets(void)
ROWS(CLOSE, { '<', "R", 0, 0, "FIN-WAIT-1" }, { 'd', "UNACCEPTABLE" },
	{ '<', "R", 65536, 0, "FIN-WAIT-1" }, { 'd', "UNACCEPTABLE" },
	{ '<', "R", 2, 0, "FIN-WAIT-1" }, { '>', ".", 2, 1 },
	{ '<', "R", 65535, 0, "FIN-WAIT-1" }, { '>', ".", 2, 1 },
	{ '<', "R", 1, 0, "LISTEN" }, { 'E', "RESET" }, { 'n', "RESETS", 1 },
	FIN_WAIT_2, { '<', "R", 2, 0, "FIN-WAIT-2" }, { '>', ".", 2, 1 },
	{ '<', "R", 1, 0, "LISTEN", NULL, 0, "text" }, { 'E', "RESET" },
	CLOSING, { '<', "R", 2, 0, "LISTEN" }, { 'E', "CLOSED" },
	LAST_ACK, { '<', "R", 2, 0, "LISTEN" }, { 'E', "CLOSED" })

static void syn_is_challenged(void)
ROWS(FIN_WAIT_2,
	{ '<', "S", 0, 0, "FIN-WAIT-2" }, { '>', ".", 2, 1 },
	{ '<', "S", 100, 0, "FIN-WAIT-2" }, { '>', ".", 2, 1 },
	{ '<', "S", 0x80000000, 0, "FIN-WAIT-2" }, { '>', ".", 2, 1 },
	{ '<', "S.", 1, 2, "FIN-WAIT-2" }, { '>', ".", 2, 1 },
	{ '<', "R", 1, 0, "LISTEN" }, { 'E', "RESET" })                   /* the peer's answer to the challenge */

/* A peer that restarted opens without timestamps: challenged all the same. */
static void syn_without_timestamps(void)
ROWS(CLOSE_TS, { '<', "S", 77, 0, "FIN-WAIT-1" }, { '>', ".", 2, 1, NULL, "nop nop ts=0:100" },
	{ '<', "R", 1, 0, "LISTEN" }, { 'E', "RESET" })

static void acceptability(void)
ROWS(FIN_WAIT_2,
	{ '<', ".", 0, 2, "FIN-WAIT-2" }, { '>', ".", 2, 1 },
	{ '<', ".", 65535, 2, "FIN-WAIT-2" },
	{ '<', ".", 65536, 2, "FIN-WAIT-2" }, { '>', ".", 2, 1 },
	{ '<', "P.", 0xffffff9d, 2, "FIN-WAIT-2", NULL, 0, "0123456789" }, { '>', ".", 2, 1 },
	{ '<', ".", 1, 3, "FIN-WAIT-2" }, { '>', ".", 2, 1 },             /* SEG.ACK > SND.NXT */
	{ '<', "F.", 1, 3, "FIN-WAIT-2" }, { '>', ".", 2, 1 },
	{ '<', "P", 1, 0, "FIN-WAIT-2", NULL, 0, "x" }, { 'd', "BAD_FLAGS" },
	{ '<', "F", 1, 0, "FIN-WAIT-2" }, { 'd', "BAD_FLAGS" },
	{ '<', ".", 1, 1, "FIN-WAIT-2" })

static void zero_window(void)
ROWS({ 'o', "CLOSE", HF_STATUS_OK, 0, "FIN-WAIT-1", NULL, ZERO_WND }, { '>', "F.", 1, 1, NULL, NULL, ZERO_WND },
	{ '<', "P.", 1, 2, "FIN-WAIT-1", NULL, 0, "x" }, { '>', ".", 2, 1, NULL, NULL, ZERO_WND },
	{ '<', ".", 2, 2, "FIN-WAIT-1" }, { '>', ".", 2, 1, NULL, NULL, ZERO_WND },
	{ '<', ".", 1, 2, "FIN-WAIT-2" },
	{ '<', "R", 1, 0, "LISTEN" }, { 'E', "RESET" })

/* RFC 5961 7: ten in five seconds, each connection for itself. */
static void throttle(void)
ROWS(FIN_WAIT_2,
	{ '<', "R", 2, 0 }, { '>', ".", 2, 1 }, { '<', "R", 2, 0 }, { '>', ".", 2, 1 },
	{ '<', "R", 2, 0 }, { '>', ".", 2, 1 }, { '<', "R", 2, 0 }, { '>', ".", 2, 1 },
	{ '<', "R", 2, 0 }, { '>', ".", 2, 1 }, { '<', "R", 2, 0 }, { '>', ".", 2, 1 },
	{ '<', "R", 2, 0 }, { '>', ".", 2, 1 }, { '<', "R", 2, 0 }, { '>', ".", 2, 1 },
	{ '<', "R", 2, 0 }, { '>', ".", 2, 1 }, { '<', "R", 2, 0 }, { '>', ".", 2, 1 },
	{ '<', "R", 2, 0, "FIN-WAIT-2" }, { '<', "S", 9, 0, "FIN-WAIT-2" }, { 'n', "CHALLENGE_LIMITED", 2 },
	{ 't', NULL, 4999 }, { '<', "R", 2, 0 }, { 'n', "CHALLENGE_LIMITED", 1 },
	{ 't', NULL, 1 }, { '<', "R", 2, 0 }, { '>', ".", 2, 1 },
	{ '<', "F.", 1, 2, "TIME-WAIT" }, { 'E', "CLOSED" }, { '>', ".", 2, 2 })

/* ---- TIME-WAIT: RFC 6191, RFC 1337 ---- */

/* Old without timestamps: a SYN with them, or above RCV.NXT. */
static void reuse_without_timestamps(void)
{
	static const struct { uint32_t seq; const char *opts; bool yes; } rows[] = {
		{ 2, NULL, true }, { 1000, NULL, true }, { 1, NULL, false }, { 0x80000010, NULL, false },
		{ 0x80000010, "mss=1460 ts=5:0", true }, { 0x80000010, "mss=1460 ts=0:0", true },
	};
	static const struct row open[] = { TIME_WAIT, { 0 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row r[COUNT(open) + 3];

		memcpy(r, open, sizeof(open));
		r[COUNT(open) - 1] = (struct row){ '<', "S", rows[i].seq, 0, rows[i].yes ? "SYN-RECEIVED" : "TIME-WAIT",
			rows[i].opts };
		r[COUNT(open)] = rows[i].yes ? (struct row){ 'x', NULL, rows[i].seq } : (struct row){ '>', ".", 2, 2 };
		r[COUNT(open) + 1] = (struct row){ 'n', "TW_REUSED", rows[i].yes };
		r[COUNT(open) + 2] = (struct row){ 0 };
		script_run_rows("reuse, old without timestamps", r);
	}
}

static void reuse_with_timestamps(void)
{
	static const struct { uint32_t seq; const char *opts; bool yes; } rows[] = {
		{ 0x80000010, "mss=1460 ts=201:0", true }, { 2, "mss=1460 ts=200:0", true },
		{ 1, "mss=1460 ts=200:0", false }, { 2, NULL, true }, { 1, NULL, false },
		{ 1000, "mss=1460 ts=199:0", false }, { 1000, "mss=1460 ts=0x800000c9:0", false },
	};
	static const struct row open[] = { TIME_WAIT_TS, { 0 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row r[COUNT(open) + 3];

		memcpy(r, open, sizeof(open));
		r[COUNT(open) - 1] = (struct row){ '<', "S", rows[i].seq, 0, rows[i].yes ? "SYN-RECEIVED" : "TIME-WAIT",
			rows[i].opts };
		r[COUNT(open)] = rows[i].yes ? (struct row){ 'x', NULL, rows[i].seq }
					     : (struct row){ '>', ".", 2, 2, NULL, "nop nop ts=0:200" };
		r[COUNT(open) + 1] = (struct row){ 'n', "TW_REUSED", rows[i].yes };
		r[COUNT(open) + 2] = (struct row){ 0 };
		script_run_rows("reuse, old with timestamps", r);
	}
}

static void rst_is_ignored_in_time_wait(void)
ROWS(TIME_WAIT,
	{ '<', "R", 2, 0, "TIME-WAIT" }, { 'd', "UNACCEPTABLE" },
	{ '<', "R", 3, 0, "TIME-WAIT" }, { '>', ".", 2, 2 },
	{ '<', "F.", 1, 2, "TIME-WAIT" }, { '>', ".", 2, 2 })

static void rst_closes(struct bench *b)
{
	bench_set(b, HF_REG_CTRL, CTRL_ENABLE | CTRL_TS_OFFSET_OFF | 1u << HF_CTRL_TW_RST_CLOSES_LOW);
}

static void rst_ends_time_wait_by_switch(void)
{
	static const struct row rows[] = { TIME_WAIT, { '<', "R", 3, 0, "TIME-WAIT" }, { '>', ".", 2, 2 },
		{ '<', "R", 2, 0, "LISTEN" }, { 'n', "RESETS", 1 }, { '<', "F.", 1, 2, "LISTEN" }, { 'h', "none" }, { 0 } };

	script_run(&(struct script){ __func__, rows, rst_closes });
}

static void challenge_does_not_restart_2msl(void)
ROWS(TIME_WAIT, { 't', NULL, 30000 },
	{ '<', "P.", 0xfffffff0, 2, "TIME-WAIT", NULL, 0, "old" }, { '>', ".", 2, 2 },
	{ 't', NULL, 29999, 0, "TIME-WAIT" }, { 't', NULL, 1, 0, "LISTEN" })

/* ---- ABORT, RFC 9293 3.10.5 ---- */

static void abort_in_every_state(void)
ROWS({ 'o', "ADOPT", HF_STATUS_OK, 0, "ESTABLISHED" }, { 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" }, { '>', "R", 1, 0 },
	{ 'o', "ADOPT CW", HF_STATUS_OK, 0, "CLOSE-WAIT" }, { 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" }, { '>', "R", 1, 0 },
	CLOSE, { 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" }, { '>', "R", 2, 0 },
	FIN_WAIT_2, { 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" }, { '>', "R", 2, 0 },
	CLOSING, { 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" },
	LAST_ACK, { 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" },
	TIME_WAIT, { 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" },
	{ 't', NULL, 5000 })
	/* clang-format on */

	static void dump_and_stale(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t body[128], msg[16] = { HF_MSG_COMMAND, HF_COMMAND_DUMP };
	const struct item *got;
	uint32_t id = 0;

	bench_call_body(body, true, 1000, OUR_PORT, &(struct tags){ 2, true, 5, 6 });
	MSG_PUT(body, EVENT, state, HF_STATE_CLOSE_WAIT);
	MSG_PUT(body, EVENT, iss, 0x11111111);
	MSG_PUT(body, EVENT, snd_una, 0x22222222);
	MSG_PUT(body, EVENT, snd_nxt, 0x33333333);
	MSG_PUT(body, EVENT, rcv_nxt, 0x44444444);
	MSG_PUT(body, EVENT, ts_recent, 0x55555555);
	MSG_PUT(body, EVENT, snd_wscale, 14);
	CHECK_EQ(bench_call(b, HF_COMMAND_ADOPT, body, &id), HF_STATUS_OK, "status");
	MSG_PUT(msg, HEADER, length, 16);
	MSG_PUT(msg, HEADER, id, id & 0xffff);
	MSG_PUT(msg, HEADER, stamp, 0x1234567890abcdef);
	bench_message(b, msg, sizeof(msg));
	got = bench_c2h(b);
	if (CHECK(got && got->bytes[0] == HF_MSG_EVENT && got->len == 128, "no EVENT")) {
		CHECK_EQ(MSG_GET(got->bytes, EVENT, code), HF_EVENT_DUMP, "code");
		CHECK_EQ(MSG_GET(got->bytes, HEADER, id), id, "id");
		CHECK_EQ(MSG_GET(got->bytes, HEADER, stamp), 0x1234567890abcdef, "cookie");
		/* state to TS.Recent: what ADOPT said */
		CHECK_BYTES("entry", got->bytes + 17, 112 - 17, body + 17, 112 - 17);
		CHECK_EQ(MSG_GET(got->bytes, EVENT, vlan_inner), 6, "inner tag");
	}
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id + 0x10000), HF_STATUS_STALE, "another generation");
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id), HF_STATUS_OK, "RELEASE");
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id), HF_STATUS_STALE, "RELEASE again");
	CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, id), HF_STATUS_STALE, "ABORT afterwards");
	CHECK_EQ(bench_command(b, HF_COMMAND_DUMP, id & 0xffff), HF_STATUS_STALE, "DUMP of a free slot");
	CHECK_EQ(bench_command(b, HF_COMMAND_DUMP, 0xffff), HF_STATUS_STALE, "DUMP of no slot");
	bench_silence(b);
	bench_close(b);
}

/* A connection in FIN-WAIT-1: ISS 1000, SND.NXT 1002 behind the FIN, RCV.NXT 501, window 1000. */
static void close_idle(struct bench *b, uint16_t port)
{
	uint8_t body[128];

	bench_call_body(body, false, port, OUR_PORT, &(struct tags){ 0 });
	MSG_PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
	MSG_PUT(body, EVENT, snd_una, 1001);
	MSG_PUT(body, EVENT, snd_nxt, 1001);
	MSG_PUT(body, EVENT, rcv_nxt, 501);
	MSG_PUT(body, EVENT, rcv_wnd, 1000);
	CHECK_EQ(bench_call(b, HF_COMMAND_CLOSE, body, NULL), HF_STATUS_OK, "status");
	CHECK(bench_tx(b) != NULL, "no FIN");
}

/* The oldest of a set's TIME-WAIT entries gives way; one in FIN-WAIT-1 never. */
static void time_wait_capacity(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (uint16_t port = 1000; port < 1030; port++) {
		struct segment fin = {
			.sport = port, .dport = OUR_PORT, .seq = 501, .ack = 1002, .flags = HF_FIN | HF_ACK, .wnd = 9
		};

		bench_ms(b, 1);
		close_idle(b, port);
		bench_segment(b, &fin);
		CHECK(bench_tx(b) != NULL, "no ACK");
		CHECK(bench_c2h(b) != NULL, "no event CLOSED");
	}
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), b->slots, "ENTRIES");
	bench_counted(b, HF_CNT_EVICT_TIME_WAIT, 30 - b->slots);
	/* with two ways a set keeps its two newest */
	for (unsigned i = 0; i < b->slots; i += 2)
		for (uint16_t port = 1000; port < 1030; port++) {
			const struct hf_tcb *t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
			uint64_t set = bench_index_hash(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT) % (b->slots / 2);
			unsigned newer = 0;

			for (uint16_t other = port + 1; other < 1030; other++)
				newer += bench_index_hash(b, PEER_ADDR, other, OUR_ADDR, OUR_PORT) % (b->slots / 2) ==
					 set;
			CHECK((t != NULL) == (newer < 2), "port %u: %s, %u newer", port, t ? "kept" : "gone", newer);
		}
	bench_close(b);
}

enum { CHALLENGES = 10, CHALLENGE_WINDOW_MS = 5000 }; /* register CHALLENGE after reset */

/* `count` RSTs inside the window of one connection; each gets its challenge ACK, or none of them does. */
static void challenge(struct bench *b, const struct segment *rst, unsigned count, const struct segment *ack)
{
	for (unsigned i = 0; i < count; i++) {
		bench_segment(b, rst);
		if (ack)
			bench_expect_segment(b, ack);
		bench_quiet(b);
	}
	bench_counted(b, HF_CNT_CHALLENGE_LIMITED, ack ? 0 : count);
}

/* RFC 5961 7: what one connection has used up is not missing to another (CVE-2016-5696). */
static void throttle_of_two(void)
{
	for (unsigned half_open = 0; half_open < 2; half_open++) {
		struct bench *b = bench_open(ENGINE_SMALL);
		const uint16_t port_a = 1000, port_b = 1001;
		struct segment rst_a = { .sport = port_a, .dport = OUR_PORT, .seq = 502, .flags = HF_RST };
		struct segment ack_a = {
			.sport = OUR_PORT, .dport = port_a, .seq = 1002, .ack = 501, .flags = HF_ACK, .wnd = 1000
		};
		struct segment rst_b = rst_a, ack_b = ack_a;

		check_context("B %s", half_open ? "in SYN-RECEIVED" : "in FIN-WAIT-1");
		bench_set(b, HF_REG_SYN_RTO_MS, 20000); /* no retransmission in between */
		close_idle(b, port_a);
		rst_b.sport = ack_b.dport = port_b;
		if (half_open) {
			bench_half_open(b, PEER_ADDR, port_b, 500);
			ack_b.seq = bench_entry(b, PEER_ADDR, port_b, OUR_ADDR, OUR_PORT)->iss + 1;
			ack_b.wnd = 65535;
		} else {
			close_idle(b, port_b);
		}
		challenge(b, &rst_a, CHALLENGES, &ack_a);
		challenge(b, &rst_a, 3, NULL);
		bench_ms(b, 1000);
		/* B, while A is limited */
		challenge(b, &rst_b, 1, &ack_b);
		challenge(b, &rst_a, 2, NULL);
		challenge(b, &rst_b, CHALLENGES - 1, &ack_b);
		challenge(b, &rst_b, 2, NULL);
		/* A's time is over before B's, which began 1 s later */
		bench_ms(b, CHALLENGE_WINDOW_MS - 1000 - 1);
		challenge(b, &rst_a, 1, NULL);
		bench_ms(b, 1);
		challenge(b, &rst_a, 1, &ack_a);
		challenge(b, &rst_b, 1, NULL);
		bench_ms(b, 999);
		challenge(b, &rst_b, 1, NULL);
		bench_ms(b, 1);
		challenge(b, &rst_b, 1, &ack_b);
		CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 2, "ENTRIES");
		bench_close(b);
	}
	check_context("%s", "");
}

/* ---- G33 to G41 ---- */

static struct bench *vector_established(void)
{
	struct bench *b = bench_open_vector();

	bench_vector(b, "G23");
	return b;
}

static void vector_fin(struct bench *b)
{
	const struct item *event = bench_c2h(b);
	uint8_t body[128];

	if (!CHECK(event && event->len == 128, "no ESTABLISHED event"))
		return;
	memcpy(body, event->bytes, sizeof(body)); /* CLOSE takes what the event gave */
	MSG_PUT(body, EVENT, rto_ms, 0);
	CHECK_EQ(bench_call(b, HF_COMMAND_CLOSE, body, NULL), HF_STATUS_OK, "status");
	bench_expect_packet(b, vector_find("G33")->after, vector_find("G33")->after_len);
}

static void vector_give(struct bench *b, const char *name, unsigned state)
{
	bench_vector(b, name);
	CHECK_EQ(bench_vector_state(b), state, "state");
}

static void vector_g33_g41(void)
{
	struct bench *b = vector_established();

	vector_fin(b);
	vector_give(b, "G34", HF_STATE_FIN_WAIT_2);
	vector_give(b, "G35", HF_STATE_TIME_WAIT);
	CHECK(bench_c2h(b) != NULL, "no event CLOSED");
	vector_give(b, "G36", HF_STATE_TIME_WAIT);
	vector_give(b, "G37", HF_STATE_TIME_WAIT);
	bench_close(b);
	b = vector_established();
	vector_fin(b);
	vector_give(b, "G39", HF_STATE_CLOSING);
	bench_close(b);
	b = vector_established();
	vector_fin(b);
	vector_give(b, "G40", HF_STATE_TIME_WAIT);
	CHECK(bench_c2h(b) != NULL, "no event CLOSED");
	bench_close(b);
	b = vector_established();
	check_context("%s", "G41");
	CHECK(bench_c2h(b) != NULL, "no event ESTABLISHED");
	CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, bench_id(b, bench_entry(b, PEER_ADDR, G_PORT, OUR_ADDR, G_OURS))),
		HF_STATUS_OK, "status");
	bench_expect_packet(b, vector_find("G41")->after, vector_find("G41")->after_len);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_close(b);
	check_context("%s", "");
}

/* G38: with a listener on that port the SYN reopens, with an ISS above the old SND.NXT. */
static void vector_g38(void)
{
	struct bench *b = vector_established();

	vector_fin(b);
	vector_give(b, "G40", HF_STATE_TIME_WAIT);
	CHECK(bench_c2h(b) != NULL, "no event CLOSED");
	bench_listen(b, 1, 0, G_OURS, 10, 0, LISTEN_OFFLOAD);
	bench_iss(b, PEER_ADDR, G_PORT, OUR_ADDR, G_OURS, 0x20010000);
	vector_give(b, "G38", HF_STATE_SYN_RECEIVED);
	bench_counted(b, HF_CNT_TW_REUSED, 1);
	check_context("%s", "");
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(normal_close), CASE(fin_and_ack_at_once), CASE(simultaneous_close), CASE(last_ack),
		CASE(close_after_adopt), CASE(close_after_open), CASE(adopt_close_wait), CASE(timestamps),
		CASE(fin_retransmission), CASE(last_ack_retransmission), CASE(closing_keeps_the_timer),
		CASE(fin_wait_2_ends), CASE(times_are_registers), CASE(data_after_close), CASE(old_data_after_close),
		CASE(old_data_with_fin), CASE(old_data_with_fin_after_its_ack),
		CASE(fin_beyond_a_hole), CASE(resets), CASE(syn_is_challenged), CASE(syn_without_timestamps),
		CASE(acceptability), CASE(zero_window), CASE(throttle), CASE(reuse_without_timestamps),
		CASE(reuse_with_timestamps), CASE(rst_is_ignored_in_time_wait), CASE(rst_ends_time_wait_by_switch),
		CASE(challenge_does_not_restart_2msl), CASE(abort_in_every_state), CASE(dump_and_stale),
		CASE(time_wait_capacity), CASE(throttle_of_two), CASE(vector_g33_g41), CASE(vector_g38), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "close", cases);
}
