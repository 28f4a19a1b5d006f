/* SPDX-License-Identifier: Apache-2.0
 * test_active_open.c - CONNECT: SYN-SENT, simultaneous open, their timers, RSTs and ICMP errors, as RFC 9293 3.10.1 and
 * 3.10.7.3, RFC 6298, RFC 5927 and RFC 3168 want it; scripts as in test_tcp_fsm.c (support_bench.h), vectors G22 to
 * G32 and I octet for octet. */
#include "support_bench.h"
#include "support_vectors.h"

#define ROWS(...)                                                        \
	{                                                                \
		static const struct row rows[] = { __VA_ARGS__, { 0 } }; \
		script_run_rows(__func__, rows);                         \
	}

/* clang-format off */
#define SYN_SENT { 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT" }, { '>', "S", 0, 0, "SYN-SENT" }

/* ---- RFC 9293 3.10.7.3 ---- */

static void open_plain(void)
ROWS(SYN_SENT,
	{ 't', NULL, 10 },
	{ '<', "S.", 0, 1, "ESTABLISHED", "mss=1400", 1000 },
	{ '>', ".", 1, 1 }, { 'e' },
	{ 'n', "CONNECTS", 1 }, { 'n', "TX_SYN", 1 }, { 'n', "TX_ACK", 1 }, { 'n', "ESTABLISHED", 1 },
	{ 't', NULL, 3000 })

static void open_all_options(void)
ROWS({ 't', NULL, 7 },
	{ 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT", "ws sack ts" },
	{ '>', "S", 0, 0, NULL, "mss=1460 sack ts=7:0 nop ws=7" },
	{ 't', NULL, 600 },
	{ '<', "S.", 0, 1, "ESTABLISHED", "mss=1400 sack ts=50:7 nop ws=3", 512 },
	{ '>', ".", 1, 1, NULL, "nop nop ts=607:50", 65535 >> 7 },
	{ 'e' })

/* An option is on only if both SYNs had it; what we did not offer is not taken. */
static void options_not_returned(void)
ROWS({ 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT", "ws sack ts" },
	{ '>', "S", 0, 0, NULL, "mss=1460 sack ts=0:0 nop ws=7" },
	{ '<', "S.", 0, 1, "ESTABLISHED", NULL, 512 },
	{ '>', ".", 1, 1 }, { 'e' })

static void options_not_offered(void)
ROWS(SYN_SENT,
	{ '<', "S.", 0, 1, "ESTABLISHED", "mss=1200 sack ts=50:7 nop ws=3", 512 },
	{ '>', ".", 1, 1 }, { 'e' })

static void shift_above_14(void)
ROWS({ 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT", "ws" },
	{ '>', "S", 0, 0, NULL, "mss=1460 nop ws=7" },
	{ '<', "S.", 0, 1, "ESTABLISHED", "mss=1200 nop ws=255", 512 },
	{ '>', ".", 1, 1, NULL, NULL, 65535 >> 7 }, { 'e' }, { 'n', "WS_CLAMPED", 1 })

/* A RST answers an ACK of anything but our SYN; the attempt goes on, on its own clock. */
static void bad_ack(void)
ROWS(SYN_SENT,
	{ '<', ".", 0, 0, "SYN-SENT" }, { '>', "R", 0, 0 },
	{ '<', ".", 0, 2, "SYN-SENT" }, { '>', "R", 2, 0 },
	{ '<', "S.", 0, 2, "SYN-SENT" }, { '>', "R", 2, 0 },
	{ '<', "S.", 0, 0, "SYN-SENT", "nop nop ts=9:0" }, { '>', "R", 0, 0, NULL, "nop nop ts=0:9" },
	{ '<', "F.", 0, 0x80000001, "SYN-SENT" }, { '>', "R", 0x80000001, 0 },
	{ '<', "R.", 0, 2, "SYN-SENT" }, { 'd', "UNACCEPTABLE" },
	{ '<', "R.", 0, 0, "SYN-SENT" }, { 'd', "UNACCEPTABLE" },
	{ 't', NULL, 999 }, { 't', NULL, 1 }, { '>', "S", 0, 0 },
	{ '<', "S.", 0, 1, "ESTABLISHED" }, { '>', ".", 1, 1 }, { 'e' })

/* RFC 5961 3.2: the ACK judges a RST, whatever its SEQ. */
static void refused(void)
ROWS(SYN_SENT,
	{ '<', "R", 0, 0, "SYN-SENT" }, { 'd', "UNACCEPTABLE" },
	{ '<', "R.", 0x12345678, 1, "LISTEN" }, { 'E', "REFUSED" }, { 'n', "RESETS", 1 },
	{ 't', NULL, 5000 },
	SYN_SENT,
	{ '<', "R.", 0, 1, "LISTEN", NULL, 0, "text" }, { 'E', "REFUSED" }, { 'n', "RESETS", 1 },
	SYN_SENT,
	{ '<', "RS.", 0, 1, "LISTEN" }, { 'E', "REFUSED" })

static void neither_syn_nor_rst(void)
ROWS(SYN_SENT,
	{ '<', ".", 0, 1, "SYN-SENT" }, { 'd', "UNACCEPTABLE" },
	{ '<', "F.", 0, 1, "SYN-SENT" }, { 'd', "UNACCEPTABLE" },
	{ '<', "F", 0, 0, "SYN-SENT" }, { 'd', "UNACCEPTABLE" },
	{ '<', "", 0, 0, "SYN-SENT" }, { 'd', "UNACCEPTABLE" },
	{ '<', "P.", 0, 1, "SYN-SENT", NULL, 0, "text" }, { 'd', "UNACCEPTABLE" },
	{ 't', NULL, 1000 }, { '>', "S", 0, 0, "SYN-SENT" })

/* Text and FIN on a SYN-ACK are not acknowledged: the peer sends them again, to the host's kernel. */
static void syn_ack_with_text(void)
ROWS(SYN_SENT,
	{ '<', "SFP.", 0, 1, "ESTABLISHED", NULL, 0, "12345" }, { '>', ".", 1, 1 }, { 'e' },
	{ '<', "F.", 6, 1, "ESTABLISHED" }, { 'h', "conn" })

/* RFC 9293 figure 9: the peer still has the old connection. */
static void half_open_peer_is_healed(void)
ROWS(SYN_SENT,
	{ '<', ".", 300, 0xfffffe00, "SYN-SENT" }, { '>', "R", 0xfffffe00, 0 },
	{ 't', NULL, 1000 }, { '>', "S", 0, 0 },
	{ '<', "S.", 0, 1, "ESTABLISHED" }, { '>', ".", 1, 1 }, { 'e' })

/* ---- RFC 9293 3.10.4, 3.10.5: the host gives up ---- */

static void host_cancels(void)
ROWS(SYN_SENT,
	{ 'c', "RELEASE", HF_STATUS_NOT_OWNER, 0, "SYN-SENT" },
	{ 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" },
	{ 't', NULL, 5000 },
	{ '<', "S.", 0, 1, "LISTEN" }, { 'h', "none" }, /* the host's kernel answers with RST */
	SYN_SENT,
	{ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ 'c', "ABORT", HF_STATUS_OK, 0, "LISTEN" }, { '>', "R", 1, 0 })

/* ---- simultaneous open, RFC 9293 3.5 and A.2 ---- */

static void simultaneous_syn_ack(void)
ROWS(SYN_SENT,
	{ '<', "S", 0, 0, "SYN-RECEIVED", "mss=1000" }, { '>', "S.", 0, 1 },
	{ '<', "S.", 0, 1, "ESTABLISHED" }, { '>', ".", 1, 1 }, { 'e' },
	{ '<', ".", 1, 1, "ESTABLISHED" }, { 'h', "conn" })

static void simultaneous_ack(void)
ROWS(SYN_SENT,
	{ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ '<', ".", 1, 1, "ESTABLISHED" }, { 'e' })

static void simultaneous_options(void)
ROWS({ 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT", "ws sack ts" },
	{ '>', "S", 0, 0, NULL, "mss=1460 sack ts=0:0 nop ws=7" },
	{ '<', "S", 0, 0, "SYN-RECEIVED", "mss=1000 nop nop ts=77:0 nop ws=3" },
	{ '>', "S.", 0, 1, NULL, "mss=1460 nop nop ts=0:77 nop ws=7" },
	{ '<', "S.", 0, 1, "ESTABLISHED", "mss=1000 nop nop ts=78:0 nop ws=3" },
	{ '>', ".", 1, 1, NULL, "nop nop ts=0:78", 65535 >> 7 }, { 'e' })

/* The peer acknowledges first and sends its SYN later. */
static void four_segments(void)
ROWS(SYN_SENT,
	{ '<', ".", 0, 1, "SYN-SENT" }, { 'd', "UNACCEPTABLE" },
	{ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ '<', ".", 1, 1, "ESTABLISHED" }, { 'e' })

static void simultaneous_with_data(void)
ROWS(SYN_SENT,
	{ '<', "SP", 0, 0, "SYN-RECEIVED", NULL, 0, "hello" }, { '>', "S.", 0, 1 },
	{ '<', "P.", 1, 1, "ESTABLISHED", NULL, 0, "hello" }, { 'e' }, { 'h', "conn" })

/* One answer to each: no storm. */
static void simultaneous_repeats(void)
ROWS(SYN_SENT,
	{ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ '<', "S", 5, 0, "SYN-RECEIVED" }, { '>', ".", 1, 1 },
	{ '<', "S.", 0, 2, "SYN-RECEIVED" }, { '>', ".", 1, 1 },
	{ '<', ".", 1, 2, "SYN-RECEIVED" }, { '>', "R", 2, 0 })

static void simultaneous_refused(void)
ROWS(SYN_SENT,
	{ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ '<', "R", 2, 0, "SYN-RECEIVED" }, { '>', ".", 1, 1 },
	{ '<', "R", 0, 0, "SYN-RECEIVED" }, { 'd', "UNACCEPTABLE" },
	{ '<', "R", 1, 0, "LISTEN" }, { 'E', "REFUSED" }, { 'n', "RESETS", 1 })

/* The SYN-ACK goes on where the SYN's backoff was. */
static void simultaneous_retransmission(void)
ROWS(SYN_SENT,
	{ 't', NULL, 1000 }, { '>', "S", 0, 0 },
	{ 't', NULL, 500 },
	{ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ 't', NULL, 1499 }, { 't', NULL, 1 }, { '>', "S.", 0, 1 },
	{ 't', NULL, 3999 }, { 't', NULL, 1 }, { '>', "S.", 0, 1, "SYN-RECEIVED" }, { 'E', "RETRYING" })

/* ---- RFC 6298, RFC 9293 MUST-23: retransmission ---- */

static void retransmission_schedule(void)
ROWS(SYN_SENT,
	{ 't', NULL, 999 }, { 't', NULL, 1 }, { '>', "S", 0, 0 },                            /*   1 s */
	{ 't', NULL, 1999 }, { 't', NULL, 1 }, { '>', "S", 0, 0 },                           /*   3 s */
	{ 't', NULL, 3999 }, { 't', NULL, 1 }, { '>', "S", 0, 0 }, { 'E', "RETRYING" },      /*   7 s: R1 */
	{ 't', NULL, 7999 }, { 't', NULL, 1 }, { '>', "S", 0, 0 },                           /*  15 s */
	{ 't', NULL, 15999 }, { 't', NULL, 1 }, { '>', "S", 0, 0 },                          /*  31 s */
	{ 't', NULL, 31999 }, { 't', NULL, 1 }, { '>', "S", 0, 0 },                          /*  63 s */
	{ 't', NULL, 59999 }, { 't', NULL, 1 }, { '>', "S", 0, 0 },                          /* 123 s: at most 60 s */
	{ 't', NULL, 56999, 0, "SYN-SENT" },                                                 /* 179.999 s */
	{ 't', NULL, 1, 0, "LISTEN" }, { 'E', "TIMED_OUT" }, { 'n', "TIMEOUTS", 1 }, { 'n', "RETRANSMITS", 7 },
	{ 't', NULL, 5000 })

static void deadline_of_the_host(void)
ROWS({ 'o', "CONNECT", HF_STATUS_OK, 5000, "SYN-SENT" }, { '>', "S", 0, 0 },
	{ 't', NULL, 1000 }, { '>', "S", 0, 0 }, { 't', NULL, 2000 }, { '>', "S", 0, 0 },
	{ 't', NULL, 1999, 0, "SYN-SENT" }, { 't', NULL, 1, 0, "LISTEN" }, { 'E', "TIMED_OUT" })

static void deadline_beyond_the_default(void)
ROWS({ 'o', "CONNECT", HF_STATUS_OK, 300000, "SYN-SENT" }, { '>', "S", 0, 0 },
	{ 't', NULL, 1000 }, { '>', "S", 0, 0 }, { 't', NULL, 2000 }, { '>', "S", 0, 0 },
	{ 't', NULL, 4000 }, { '>', "S", 0, 0 }, { 'E', "RETRYING" },
	{ 't', NULL, 8000 }, { '>', "S", 0, 0 }, { 't', NULL, 16000 }, { '>', "S", 0, 0 },
	{ 't', NULL, 32000 }, { '>', "S", 0, 0 }, { 't', NULL, 60000 }, { '>', "S", 0, 0 },
	{ 't', NULL, 60000 }, { '>', "S", 0, 0 }, { 't', NULL, 60000 }, { '>', "S", 0, 0 },
	{ 't', NULL, 56999, 0, "SYN-SENT" }, { 't', NULL, 1, 0, "LISTEN" }, { 'E', "TIMED_OUT" })

/* RFC 6298 5.7 and Karn: after a lost SYN 3 s and no sample (the 'e' row). */
static void lost_syn(void)
ROWS({ 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT", "ts" }, { '>', "S", 0, 0, NULL, "mss=1460 nop nop ts=0:0" },
	{ 't', NULL, 1000 }, { '>', "S", 0, 0, NULL, "mss=1460 nop nop ts=1000:0" },
	{ 't', NULL, 10 },
	{ '<', "S.", 0, 1, "ESTABLISHED", "mss=1400 nop nop ts=5:1000" }, { '>', ".", 1, 1, NULL, "nop nop ts=1010:5" },
	{ 'e' })

static void answered_just_before_the_timeout(void)
ROWS(SYN_SENT, { 't', NULL, 999 },
	{ '<', "S.", 0, 1, "ESTABLISHED" }, { '>', ".", 1, 1 }, { 'e' }, { 't', NULL, 9000, 0, "ESTABLISHED" },
	{ 'n', "RETRANSMITS", 0 })

/* ---- ICMP, RFC 9293 3.9.2.2, RFC 5927 ---- */

static void icmp_hard(void)
ROWS(SYN_SENT,
	{ 'i', "hard", 1, 0, "SYN-SENT" }, { 'h', "conn" },          /* not ours: SND.NXT */
	{ 'i', "hard", 0xffffffff, 0, "SYN-SENT" }, { 'h', "conn" },
	{ 'i', "hard", 0, 0, "LISTEN" }, { 'E', "UNREACHABLE" }, { 'h', "conn" }, { 'n', "ICMP_HARD", 1 },
	{ 't', NULL, 5000 },
	{ 'i', "hard", 0, 0, "LISTEN" }, { 'h', "none" })

static void icmp_soft(void)
ROWS(SYN_SENT,
	{ 'i', "soft", 0, 0, "SYN-SENT" }, { 'h', "conn" },
	{ 't', NULL, 1000 }, { '>', "S", 0, 0 },
	{ 'i', "soft", 0, 0, "SYN-SENT" }, { 'h', "conn" },
	{ '<', "S.", 0, 1, "ESTABLISHED" }, { '>', ".", 1, 1 }, { 'e' },
	{ 'i', "hard", 0, 0, "ESTABLISHED" }, { 'h', "conn" }, { 'n', "ICMP_HARD", 0 })

static void icmp_hard_in_syn_received(void)
ROWS({ '<', "S", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 },
	{ 'i', "soft", 0, 0, "SYN-RECEIVED" }, { 'h', "conn" },
	{ 'i', "hard", 1, 0, "SYN-RECEIVED" }, { 'h', "conn" },
	{ 'i', "hard", 0, 0, "LISTEN" }, { 'h', "conn" }, { 'n', "ICMP_HARD", 1 })

/* ---- ECN, RFC 3168 6.1.1 ---- */

static void ecn_on(struct bench *b)
{
	bench_set(b, HF_REG_CTRL, CTRL_ENABLE | CTRL_TS_OFFSET_OFF | 1u << HF_CTRL_ECN_LOW);
}

static void ecn(void)
{
	static const struct row both[] = {
		{ 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT" }, { '>', "SEW", 0, 0 },
		{ 't', NULL, 1000 }, { '>', "SEW", 0, 0 },
		{ '<', "S.E", 0, 1, "ESTABLISHED" }, { '>', ".", 1, 1 }, { 'e' }, { 0 }
	}, reflected[] = {
		{ 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT" }, { '>', "SEW", 0, 0 },
		{ '<', "S.EW", 0, 1, "ESTABLISHED" }, { '>', ".", 1, 1 }, { 'e' }, { 0 }
	}, crossed[] = {
		{ 'o', "CONNECT", HF_STATUS_OK, 0, "SYN-SENT" }, { '>', "SEW", 0, 0 },
		{ '<', "SEW", 0, 0, "SYN-RECEIVED" }, { '>', "S.E", 0, 1 },
		{ '<', ".", 1, 1, "ESTABLISHED" }, { 'e' }, { 0 }
	}, passive[] = {
		{ '<', "SEW", 0, 0, "SYN-RECEIVED" }, { '>', "S.E", 0, 1 },
		{ '<', ".", 1, 1, "ESTABLISHED" }, { 'e' }, { 0 }
	}, half[] = {
		{ '<', "SE", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 }, { 'c', "ABORT", 0 }, { '>', "R", 1, 0 },
		{ '<', "SW", 0, 0, "SYN-RECEIVED" }, { '>', "S.", 0, 1 }, { 'c', "ABORT", 0 }, { '>', "R", 1, 0 },
		{ '<', "SEWA", 0, 0, "SYN-RECEIVED" }, { '>', "S.E", 0, 1 }, { 0 }
	};

	script_run(&(struct script){ "ECN on both sides", both, ecn_on });
	script_run(&(struct script){ "SYN-ACK that reflects", reflected, ecn_on });
	script_run(&(struct script){ "crossed ECN SYNs", crossed, ecn_on });
	script_run(&(struct script){ "passive ECN", passive, ecn_on });
	script_run(&(struct script){ "half an ECN SYN, AccECN", half, ecn_on });
}

/* ---- commands that name what cannot be ---- */

static void duplicate_tuple(void)
ROWS(SYN_SENT,
	{ 'o', "CONNECT", HF_STATUS_EXISTS, 0, "SYN-SENT" },
	{ 'o', "CLOSE", HF_STATUS_EXISTS, 0, "SYN-SENT" },
	{ 'o', "ADOPT", HF_STATUS_EXISTS, 0, "SYN-SENT" })

static void connect_into_an_established_one(void)
ROWS({ 'o', "ADOPT", HF_STATUS_OK, 0, "ESTABLISHED" }, { 'o', "CONNECT", HF_STATUS_EXISTS, 0, "ESTABLISHED" },
	{ 'c', "RELEASE", HF_STATUS_OK, 0, "LISTEN" })
	/* clang-format on */

	static void bad_parameters(void)
{
	static const struct {
		const char *what;
		unsigned at, n;
		const char *octets;
	} rows[] = {
		{ "remote 0.0.0.0", HF_AT_EVENT_remote_addr + 12, 4, "00000000" },
		{ "remote 224.0.0.1", HF_AT_EVENT_remote_addr + 12, 4, "e0000001" },
		{ "remote 239.255.255.255", HF_AT_EVENT_remote_addr + 12, 4, "efffffff" },
		{ "remote 255.255.255.255", HF_AT_EVENT_remote_addr + 12, 4, "ffffffff" },
		{ "local 0.0.0.0", HF_AT_EVENT_local_addr + 12, 4, "00000000" },
		{ "local 224.0.0.1", HF_AT_EVENT_local_addr + 12, 4, "e0000001" },
		{ "local 255.255.255.255", HF_AT_EVENT_local_addr + 12, 4, "ffffffff" },
		{ "remote IPv6, local not", HF_AT_EVENT_remote_addr, 16, "20010db8000000000000000000000001" },
		{ "both IPv6, remote ::", HF_AT_EVENT_remote_addr, 32,
			"0000000000000000000000000000000020010db8000000000000000000000002" },
		{ "both IPv6, remote ff02::1", HF_AT_EVENT_remote_addr, 32,
			"ff02000000000000000000000000000120010db8000000000000000000000002" },
		{ "both IPv6, local ff05::2", HF_AT_EVENT_remote_addr, 32,
			"20010db8000000000000000000000001ff050000000000000000000000000002" },
		{ "remote port 0", HF_AT_EVENT_remote_port, 2, "0000" },
		{ "local port 0", HF_AT_EVENT_local_port, 2, "0000" },
		{ "MAC 0", HF_AT_EVENT_remote_mac, 6, "000000000000" },
		{ "group MAC", HF_AT_EVENT_remote_mac, 6, "01005e000001" },
		{ "broadcast MAC", HF_AT_EVENT_remote_mac, 6, "ffffffffffff" },
		{ "three tags", HF_AT_EVENT_options, 1, "60" },
		{ "their shift 15", HF_AT_EVENT_snd_wscale, 1, "0f" },
		{ "our shift 255", HF_AT_EVENT_rcv_wscale, 1, "ff" },
	};
	static const enum hf_command_code codes[] = { HF_COMMAND_CONNECT, HF_COMMAND_CLOSE, HF_COMMAND_ADOPT };
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t body[128];

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t c = 0; c < COUNT(codes); c++) {
			check_context("%s, command %u", rows[i].what, codes[c]);
			bench_call_body(body, false, PEER_PORT, OUR_PORT, &(struct tags){ 0 });
			from_hex(rows[i].octets, body + rows[i].at, rows[i].n);
			CHECK_EQ(bench_call(b, codes[c], body, NULL), HF_STATUS_BAD_PARAM, "status");
			bench_quiet(b);
		}
	check_context("self");
	bench_call_body(body, false, PEER_PORT, PEER_PORT, &(struct tags){ 0 });
	memcpy(body + HF_AT_EVENT_local_addr, body + HF_AT_EVENT_remote_addr, 16);
	CHECK_EQ(bench_call(b, HF_COMMAND_CONNECT, body, NULL), HF_STATUS_BAD_PARAM, "status");
	for (unsigned state = 0; state < 16; state++) {
		if (state == HF_STATE_ESTABLISHED || state == HF_STATE_CLOSE_WAIT)
			continue;
		check_context("state %u", state);
		bench_call_body(body, false, PEER_PORT, OUR_PORT, &(struct tags){ 0 });
		MSG_PUT(body, EVENT, state, state);
		CHECK_EQ(bench_call(b, HF_COMMAND_CLOSE, body, NULL), HF_STATUS_BAD_STATE, "status");
		CHECK_EQ(bench_call(b, HF_COMMAND_ADOPT, body, NULL), HF_STATUS_BAD_STATE, "status");
	}
	check_context("%s", "data in flight");
	MSG_PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
	MSG_PUT(body, EVENT, snd_nxt, 1);
	CHECK_EQ(bench_call(b, HF_COMMAND_CLOSE, body, NULL), HF_STATUS_BAD_STATE, "status");
	check_context("%s", "");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_silence(b);
	bench_close(b);
}

/* RFC 6298 2.1 with SYN_RTO_MS 0: the first timeout of our SYN, and of our FIN, is 1 ms. */
static void timeout_floor(void)
{
	static const enum hf_command_code codes[] = { HF_COMMAND_CONNECT, HF_COMMAND_CLOSE };
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t body[128];

	bench_set(b, HF_REG_SYN_RTO_MS, 0);
	for (size_t c = 0; c < COUNT(codes); c++) {
		const struct hf_tcb *t;

		check_context("command %u", codes[c]);
		bench_call_body(body, false, (uint16_t)(PEER_PORT + c), OUR_PORT, &(struct tags){ 0 });
		MSG_PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
		CHECK_EQ(bench_call(b, codes[c], body, NULL), HF_STATUS_OK, "status");
		CHECK(bench_tx(b) != NULL, "no frame");
		t = bench_entry(b, PEER_ADDR, (uint16_t)(PEER_PORT + c), OUR_ADDR, OUR_PORT);
		if (CHECK(t != NULL, "no entry"))
			CHECK_EQ(t->deadline_ms, b->ms + 1, "DEADLINE.MS");
	}
	check_context("%s", "");
	bench_close(b);
}

/* Every way of every set in SYN-SENT: nothing may be evicted, and nothing is sent. */
static void full_table(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	unsigned ok = 0, full = 0;
	uint8_t body[128];

	for (uint16_t port = 1000; port < 1100; port++) {
		unsigned status;

		bench_call_body(body, false, port, OUR_PORT, &(struct tags){ 0 });
		status = bench_call(b, HF_COMMAND_CONNECT, body, NULL);
		if (status == HF_STATUS_OK)
			CHECK(bench_tx(b) != NULL, "no SYN"), ok++;
		else
			CHECK_EQ(status, HF_STATUS_NO_ROOM, "status"), full++;
		bench_quiet(b);
	}
	CHECK_EQ(ok, b->slots, "accepted");
	CHECK_EQ(full, 100 - b->slots, "refused");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), b->slots, "ENTRIES");
	bench_close(b);
}

/* What the host owns gives way to a CONNECT; so does the oldest in TIME-WAIT, of a full set. */
static void eviction(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t body[128];

	for (uint16_t port = 1000; port < 1100; port++) {
		bench_call_body(body, false, port, OUR_PORT, &(struct tags){ 0 });
		MSG_PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
		CHECK_EQ(bench_call(b, HF_COMMAND_ADOPT, body, NULL), HF_STATUS_OK, "status");
	}
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), b->slots, "ENTRIES");
	bench_counted(b, HF_CNT_EVICT_HOST, 100 - b->slots);
	bench_close(b);
}

/* ---- the vectors ---- */

static void expect_code(struct bench *b, unsigned code)
{
	const struct item *event = bench_c2h(b);

	if (CHECK(event && event->bytes[0] == HF_MSG_EVENT, "no event"))
		CHECK_EQ(MSG_GET(event->bytes, EVENT, code), code, "event code");
}

static void vector_g22_g29(void)
{
	static const char *const stay[] = { "G24", "G25", "G26", "G27", "G29" };
	struct bench *b = bench_open_vector();

	for (size_t i = 0; i < COUNT(stay); i++) {
		bench_vector(b, stay[i]);
		CHECK_EQ(bench_vector_state(b), HF_STATE_SYN_SENT, "state");
		bench_quiet(b);
	}
	bench_vector(b, "G23");
	CHECK_EQ(bench_vector_state(b), HF_STATE_ESTABLISHED, "state");
	expect_code(b, HF_EVENT_ESTABLISHED);
	bench_close(b);
	b = bench_open_vector();
	bench_vector(b, "G28");
	CHECK_EQ(bench_vector_state(b), HF_STATE_CLOSED, "state");
	expect_code(b, HF_EVENT_REFUSED);
	bench_silence(b);
	bench_close(b);
	check_context("%s", "");
}

static void vector_g30_g32(void)
{
	struct bench *b = bench_open_vector();

	bench_vector(b, "G30");
	CHECK_EQ(bench_vector_state(b), HF_STATE_SYN_RECEIVED, "state");
	bench_vector(b, "G31");
	CHECK_EQ(bench_vector_state(b), HF_STATE_ESTABLISHED, "state");
	expect_code(b, HF_EVENT_ESTABLISHED);
	bench_close(b);
	b = bench_open_vector();
	bench_vector(b, "G30");
	bench_vector(b, "G32");
	CHECK_EQ(bench_vector_state(b), HF_STATE_ESTABLISHED, "state");
	expect_code(b, HF_EVENT_ESTABLISHED);
	bench_close(b);
	check_context("%s", "");
}

/* I01 to I07 about the SYN of G22: all go up to the host; only I01 ends the attempt. */
static void vector_i_ipv4(void)
{
	static const struct {
		const char *name;
		unsigned flags;
		bool conn;
	} soft[] = { { "I02", HF_FRAME_CSUM_OK, true }, { "I03", HF_FRAME_CSUM_OK, true }, { "I04", 0, false },
		{ "I05", 0, false }, { "I06", 0, false }, { "I07", 0, false } };
	struct bench *b = bench_open_vector();
	const struct hf_tcb *t = bench_entry(b, PEER_ADDR, G_PORT, OUR_ADDR, G_OURS);
	uint32_t id = bench_id(b, t);

	for (size_t i = 0; i < COUNT(soft); i++) {
		bench_vector(b, soft[i].name);
		bench_expect_last(b, soft[i].flags | (soft[i].conn ? HF_FRAME_CONN : 0), soft[i].conn ? id : HF_NO_ID);
		CHECK_EQ(bench_vector_state(b), HF_STATE_SYN_SENT, "state");
	}
	bench_ms(b, 1000); /* the same SYN again */
	bench_expect_packet(b, vector_find("G22")->after, vector_find("G22")->after_len);
	bench_vector(b, "I01");
	CHECK_EQ(bench_vector_state(b), HF_STATE_CLOSED, "state");
	expect_code(b, HF_EVENT_UNREACHABLE);
	bench_expect_last(b, HF_FRAME_CSUM_OK | HF_FRAME_CONN, id);
	bench_silence(b);
	bench_close(b);
	check_context("%s", "");
}

/* I08 (packet too big) is the kernel's, I10 a soft error, I09 ends the attempt. */
static void vector_i_ipv6(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t body[128], octets[36], frame[256];
	uint32_t id = 0;

	bench_call_body(body, true, G_PORT, G_OURS, &(struct tags){ 0 });
	memcpy(octets, PEER6, 16);
	memcpy(octets + 16, OUR6, 16);
	put16(octets + 32, G_PORT);
	put16(octets + 34, G_OURS);
	b->sim->time_ps =
		((uint64_t)(0x20000000 - (uint32_t)ref_siphash(b->key_isn, octets, sizeof(octets))) << 12 | 1024) *
		1000;
	CHECK_EQ(bench_call(b, HF_COMMAND_CONNECT, body, &id), HF_STATUS_OK, "status");
	CHECK(bench_tx(b) != NULL, "no SYN");
	for (unsigned i = 8; i <= 10; i++) {
		static const unsigned order[] = { 8, 10, 9 };
		const struct vector *v;
		char name[8];

		snprintf(name, sizeof(name), "I%02u", order[i - 8]);
		check_context("%s", name);
		v = vector_find(name);
		bench_frame(b, frame, make_frame(frame, OUR_MAC, PEER_MAC, v->bytes, v->len));
		if (order[i - 8] == 9)
			expect_code(b, HF_EVENT_UNREACHABLE);
		bench_expect_last(
			b, order[i - 8] == 8 ? 0 : HF_FRAME_CSUM_OK | HF_FRAME_CONN, order[i - 8] == 8 ? HF_NO_ID : id);
		CHECK_EQ(bench_get(b, HF_REG_ENTRIES), order[i - 8] != 9, "ENTRIES");
	}
	check_context("%s", "");
	bench_silence(b);
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(open_plain), CASE(open_all_options), CASE(options_not_returned), CASE(options_not_offered),
		CASE(shift_above_14), CASE(bad_ack), CASE(refused), CASE(neither_syn_nor_rst), CASE(syn_ack_with_text),
		CASE(half_open_peer_is_healed), CASE(host_cancels), CASE(simultaneous_syn_ack), CASE(simultaneous_ack),
		CASE(simultaneous_options), CASE(four_segments), CASE(simultaneous_with_data),
		CASE(simultaneous_repeats), CASE(simultaneous_refused), CASE(simultaneous_retransmission),
		CASE(retransmission_schedule), CASE(deadline_of_the_host), CASE(deadline_beyond_the_default),
		CASE(lost_syn), CASE(answered_just_before_the_timeout), CASE(icmp_hard), CASE(icmp_soft),
		CASE(icmp_hard_in_syn_received), CASE(ecn), CASE(duplicate_tuple),
		CASE(connect_into_an_established_one), CASE(bad_parameters), CASE(timeout_floor), CASE(full_table), CASE(eviction),
		CASE(vector_g22_g29), CASE(vector_g30_g32), CASE(vector_i_ipv4), CASE(vector_i_ipv6), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "active_open", cases);
}
