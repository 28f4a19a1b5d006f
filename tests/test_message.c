/* SPDX-License-Identifier: Apache-2.0
 * test_message.c - the two message streams: HELLO first, frames both ways, every malformed message, credits, the order
 * of events and frames, and that events and completions are never lost while the host does not read. */
#include "support_bench.h"

static void hello(enum engine_size size)
{
	struct bench *b = bench_open_raw(size);
	uint8_t want[40] = { HF_MSG_HELLO, 0 };
	uint8_t frame[60] = { 1, 2, 3 };
	const struct item *got;

	b->sim->time_ps = 77777777000;
	b->sim->period_ps = 0;
	for (unsigned i = 0; i < b->slots + 20 && !b->sim->out.ready; i++)
		sim_step(b->sim);
	put16(frame + 12, 0x0806);
	bench_frame(b, frame, sizeof(frame));
	got = bench_c2h(b);
	MSG_PUT(want, HEADER, length, 40);
	MSG_PUT(want, HEADER, id, HF_NO_ID);
	MSG_PUT(want, HEADER, stamp, 77777777);
	MSG_PUT(want, HELLO, version, HF_ABI_VERSION);
	MSG_PUT(want, HELLO, epoch, 77777777 >> 10);
	MSG_PUT(want, HELLO, slots, b->slots);
	MSG_PUT(want, HELLO, credits, b->params->cmd_depth);
	MSG_PUT(want, HELLO, listeners, b->params->listeners);
	MSG_PUT(want, HELLO, max_frame, b->params->max_frame);
	MSG_PUT(want, HELLO, ways, b->params->ways);
	MSG_PUT(want, HELLO, data_w, 64);
	if (CHECK(got != NULL, "no HELLO"))
		CHECK_BYTES("HELLO", got->bytes, got->len, want, sizeof(want));
	bench_expect_last(b, 0, HF_NO_ID);
	bench_close(b);
}

static void hello_comes_first(void)
{
	hello(ENGINE_SMALL);
	hello(ENGINE_DEFAULT);
}

static void hello_after_every_reset(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned i = 0; i < 3; i++) {
		const struct item *got;

		sim_reset(b->sim, 1 + i);
		sim_run(b->sim, b->slots + 40);
		bench_settle(b);
		got = bench_c2h(b);
		CHECK(got && got->bytes[0] == HF_MSG_HELLO, "no HELLO");
		bench_quiet(b);
	}
	bench_close(b);
}

/* ---- h2c: malformed messages ---- */

struct bad {
	const char *what;
	uint8_t type, flags;
	uint16_t length;
	uint32_t id;
	size_t sent; /* octets really sent */
	enum hf_status status;
	bool no_cookie;
};

static void expect_bad(struct bench *b, const struct bad *m)
{
	static uint8_t msg[SIM_FRAME_MAX];
	uint8_t want[24] = { HF_MSG_COMPLETION, 0 };
	uint64_t cookie = 0xa1b2c3d4e5f60718;
	const struct item *got;

	check_context("%s", m->what);
	for (size_t i = 16; i < m->sent; i++)
		msg[i] = (uint8_t)i;
	msg[0] = m->type;
	msg[1] = m->flags;
	MSG_PUT(msg, HEADER, length, m->length);
	MSG_PUT(msg, HEADER, id, m->id);
	MSG_PUT(msg, HEADER, stamp, cookie);
	want[1] = (uint8_t)m->status;
	MSG_PUT(want, HEADER, length, 24);
	MSG_PUT(want, HEADER, id, m->id);
	MSG_PUT(want, HEADER, stamp, m->no_cookie ? 0 : cookie);
	MSG_PUT(want, COMPLETION, status, m->status);
	MSG_PUT(want, COMPLETION, command, 0x100u | m->type);
	bench_message(b, msg, m->sent);
	got = bench_c2h(b);
	if (CHECK(got != NULL, "no COMPLETION"))
		CHECK_BYTES("COMPLETION", got->bytes, got->len, want, sizeof(want));
	bench_counted(b, HF_CNT_H2C_BAD, 1);
	bench_counted(b, HF_CNT_COMMANDS, 0);
	bench_quiet(b);
}

static size_t host_frame(uint8_t *msg, size_t len, uint64_t *random)
{
	memset(msg, 0, 16);
	msg[0] = HF_MSG_FRAME;
	MSG_PUT(msg, HEADER, length, 16 + len);
	MSG_PUT(msg, HEADER, stamp, random_next(random));
	for (size_t i = 0; i < ((len + 7) & ~(size_t)7); i++) /* padding may hold anything */
		msg[16 + i] = (uint8_t)(random_next(random) | 1);
	return 16 + ((len + 7) & ~(size_t)7);
}

/* A good FRAME comes out as it went in. */
static void frame_passes(struct bench *b, size_t len)
{
	static uint64_t random = 3;
	uint8_t msg[16 + 520];
	const struct item *out;

	bench_message(b, msg, host_frame(msg, len, &random));
	out = bench_tx(b);
	if (CHECK(out != NULL, "no frame came out"))
		CHECK_BYTES("frame", out->bytes, out->len, msg + 16, len);
	bench_quiet(b); /* a FRAME has no answer */
}

static void malformed_messages(void)
{
	/* clang-format off */
	static const struct bad rows[] = {
		{ "type 0", 0, 0, 16, 1, 16, HF_STATUS_BAD_TYPE },
		{ "type 0, long", 0, 0, 16, 1, 400, HF_STATUS_BAD_TYPE },
		{ "EVENT", HF_MSG_EVENT, 0, 128, 1, 128, HF_STATUS_BAD_TYPE },
		{ "COMPLETION", HF_MSG_COMPLETION, 0, 24, 1, 24, HF_STATUS_BAD_TYPE },
		{ "REG_REPLY", HF_MSG_REG_REPLY, 0, 24, 1, 24, HF_STATUS_BAD_TYPE },
		{ "HELLO", HF_MSG_HELLO, 0, 40, 1, 40, HF_STATUS_BAD_TYPE },
		{ "type 9", 9, 0, 16, 1, 16, HF_STATUS_BAD_TYPE },
		{ "type 255", 255, 0, 16, 1, 16, HF_STATUS_BAD_TYPE },
		{ "type 129", 129, 0, 16, 1, 100, HF_STATUS_BAD_TYPE },
		{ "8 octets of COMMAND", HF_MSG_COMMAND, 1, 16, 7, 8, HF_STATUS_BAD_LENGTH, true },
		{ "8 octets of type 0", 0, 1, 16, 7, 8, HF_STATUS_BAD_LENGTH, true },
		{ "5 octets of FRAME", HF_MSG_FRAME, 0, 76, 0, 5, HF_STATUS_BAD_LENGTH, true },
		{ "COMMAND of length 15", HF_MSG_COMMAND, 1, 15, 7, 16, HF_STATUS_BAD_LENGTH },
		{ "COMMAND of length 17", HF_MSG_COMMAND, 1, 17, 7, 24, HF_STATUS_BAD_LENGTH },
		{ "COMMAND of length 0", HF_MSG_COMMAND, 1, 0, 7, 16, HF_STATUS_BAD_LENGTH },
		{ "COMMAND of 24 octets", HF_MSG_COMMAND, 1, 16, 7, 24, HF_STATUS_BAD_LENGTH },
		{ "COMMAND of 1000 octets", HF_MSG_COMMAND, 1, 16, 7, 1000, HF_STATUS_BAD_LENGTH },
		{ "command 0", HF_MSG_COMMAND, 0, 16, 7, 16, HF_STATUS_BAD_COMMAND },
		{ "command 7", HF_MSG_COMMAND, 7, 16, 7, 16, HF_STATUS_BAD_COMMAND },
		{ "command 7 with a body", HF_MSG_COMMAND, 7, 128, 7, 128, HF_STATUS_BAD_COMMAND },
		{ "CONNECT without body", HF_MSG_COMMAND, HF_COMMAND_CONNECT, 16, 7, 16, HF_STATUS_BAD_LENGTH },
		{ "CLOSE without body", HF_MSG_COMMAND, HF_COMMAND_CLOSE, 16, 7, 16, HF_STATUS_BAD_LENGTH },
		{ "ADOPT without body", HF_MSG_COMMAND, HF_COMMAND_ADOPT, 16, 7, 16, HF_STATUS_BAD_LENGTH },
		{ "RELEASE with a body", HF_MSG_COMMAND, HF_COMMAND_RELEASE, 128, 7, 128, HF_STATUS_BAD_LENGTH },
		{ "ABORT with a body", HF_MSG_COMMAND, HF_COMMAND_ABORT, 128, 7, 128, HF_STATUS_BAD_LENGTH },
		{ "DUMP with a body", HF_MSG_COMMAND, HF_COMMAND_DUMP, 128, 7, 128, HF_STATUS_BAD_LENGTH },
		{ "CONNECT, body cut off", HF_MSG_COMMAND, HF_COMMAND_CONNECT, 128, 7, 120, HF_STATUS_BAD_LENGTH },
		{ "CONNECT, body of a beat", HF_MSG_COMMAND, HF_COMMAND_CONNECT, 128, 7, 24, HF_STATUS_BAD_LENGTH },
		{ "CONNECT, none of its body", HF_MSG_COMMAND, HF_COMMAND_CONNECT, 128, 7, 16, HF_STATUS_BAD_LENGTH },
		{ "CLOSE, body too long", HF_MSG_COMMAND, HF_COMMAND_CLOSE, 128, 7, 136, HF_STATUS_BAD_LENGTH },
		{ "CONNECT of length 127", HF_MSG_COMMAND, HF_COMMAND_CONNECT, 127, 7, 127, HF_STATUS_BAD_LENGTH },
		{ "command 255", HF_MSG_COMMAND, 255, 16, 7, 16, HF_STATUS_BAD_COMMAND },
		{ "command 129", HF_MSG_COMMAND, 129, 16, 7, 16, HF_STATUS_BAD_COMMAND },
		{ "REG_READ of length 16", HF_MSG_REG_READ, 0, 16, 0, 16, HF_STATUS_BAD_LENGTH },
		{ "REG_READ of 16 octets", HF_MSG_REG_READ, 0, 24, 0, 16, HF_STATUS_BAD_LENGTH },
		{ "REG_READ of 32 octets", HF_MSG_REG_READ, 0, 24, 0, 32, HF_STATUS_BAD_LENGTH },
		{ "REG_READ of length 32", HF_MSG_REG_READ, 0, 32, 0, 32, HF_STATUS_BAD_LENGTH },
		{ "REG_WRITE of length 20", HF_MSG_REG_WRITE, 0, 20, HF_REG_MSS, 24, HF_STATUS_BAD_LENGTH },
		{ "REG_WRITE of 16 octets", HF_MSG_REG_WRITE, 0, 24, HF_REG_MSS, 16, HF_STATUS_BAD_LENGTH },
		{ "REG_WRITE of 64 octets", HF_MSG_REG_WRITE, 0, 24, HF_REG_MSS, 64, HF_STATUS_BAD_LENGTH },
		{ "FRAME of length 29", HF_MSG_FRAME, 0, 29, 0, 32, HF_STATUS_BAD_LENGTH },
		{ "FRAME of length 16", HF_MSG_FRAME, 0, 16, 0, 16, HF_STATUS_BAD_LENGTH },
		{ "FRAME of length 0", HF_MSG_FRAME, 0, 0, 0, 76, HF_STATUS_BAD_LENGTH },
		{ "FRAME one too long", HF_MSG_FRAME, 0, 16 + 513, 0, 16 + 513, HF_STATUS_BAD_LENGTH },
		{ "FRAME of length 65535", HF_MSG_FRAME, 0, 65535, 0, 3000, HF_STATUS_BAD_LENGTH },
		{ "FRAME without a frame", HF_MSG_FRAME, 0, 76, 0, 16, HF_STATUS_BAD_LENGTH },
		{ "FRAME one beat short", HF_MSG_FRAME, 0, 80, 0, 72, HF_STATUS_BAD_LENGTH },
		{ "FRAME ended by its first beat", HF_MSG_FRAME, 0, 80, 0, 24, HF_STATUS_BAD_LENGTH },
		{ "FRAME one beat over", HF_MSG_FRAME, 0, 80, 0, 88, HF_STATUS_BAD_LENGTH },
		{ "FRAME far over", HF_MSG_FRAME, 0, 80, 0, 2000, HF_STATUS_BAD_LENGTH },
		{ "sum, odd start", HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, 76, 33 | 16 << 16, 76, HF_STATUS_BAD_CSUM },
		{ "sum, odd offset", HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, 76, 34 | 15 << 16, 76, HF_STATUS_BAD_CSUM },
		{ "sum beyond", HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, 76, 34 | 26 << 16, 76, HF_STATUS_BAD_CSUM },
		{ "sum half out", HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, 75, 34 | 24 << 16, 75, HF_STATUS_BAD_CSUM },
		{ "sum at 65534 + 65534", HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, 76, 0xfffefffe, 76, HF_STATUS_BAD_CSUM },
		{ "sum at 2 + 65534", HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, 76, 0xfffe0002, 76, HF_STATUS_BAD_CSUM },
		{ "sum at 60 + 0", HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, 76, 60, 76, HF_STATUS_BAD_CSUM },
		{ "bad checksum and too long", HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, 76, 33, 2000, HF_STATUS_BAD_CSUM },
	};
	/* clang-format on */
	struct bench *b = bench_open(ENGINE_SMALL);
	uint32_t live = bench_establish(b, PEER_ADDR, 1000, 5);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bad m = rows[i];

		if (m.type == HF_MSG_COMMAND)
			m.id = live; /* a malformed RELEASE of a live connection touches nothing */
		expect_bad(b, &m);
		CHECK_EQ(bench_get(b, HF_REG_MSS), 1460, "MSS");
		CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 1, "ENTRIES");
		frame_passes(b, 61 + i);
	}
	for (unsigned i = 0; i < 20; i++) { /* beats taken back are free again */
		expect_bad(b, &(struct bad){ "long FRAME cut short", HF_MSG_FRAME, 0, 16 + 512, 0, 500,
				      HF_STATUS_BAD_LENGTH });
		expect_bad(b, &(struct bad){
				      "long FRAME run over", HF_MSG_FRAME, 0, 16 + 512, 0, 544, HF_STATUS_BAD_LENGTH });
	}
	check_context("%s", "");
	frame_passes(b, 512);
	bench_counted(b, HF_CNT_TX_HOST, COUNT(rows) + 1);
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, live), HF_STATUS_OK, "status of a good command after all that");
	bench_close(b);
}

/* Any header at all: an answer for each message that wants one, and the stream stays in step. */
static void random_messages(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 8;
	uint32_t value = 0;

	b->sim->noise = (struct sim_noise){ .h2c_bubble = 50, .c2h_stall = 50, .tx_stall = 50, .garbage = true };
	for (unsigned i = 0; i < 300; i++) {
		static const uint16_t lengths[] = { 16, 24, 76, 30, 528, 529, 15, 17, 23, 25 };
		uint8_t msg[700];
		size_t sent = random_below(&random, 2) ? 16 : 1 + random_below(&random, sizeof(msg) - 1);

		for (size_t k = 0; k < sizeof(msg); k++)
			msg[k] = (uint8_t)random_next(&random);
		msg[0] = (uint8_t)random_below(&random, 10);
		msg[1] = (uint8_t)random_below(&random, 4);
		MSG_PUT(msg, HEADER, length,
			random_below(&random, 2) ? sent : lengths[random_below(&random, COUNT(lengths))]);
		if (msg[0] == HF_MSG_REG_WRITE)
			continue; /* it might do just what it says */
		bench_message(b, msg, sent);
		if (random_below(&random, 3) == 0) {
			while (bench_c2h(b) || bench_tx(b))
				;
			CHECK_EQ(bench_msg_read(b, HF_REG_ID, &value), HF_STATUS_OK, "status");
			CHECK_EQ(value, HF_ID, "ID");
		}
	}
	while (bench_c2h(b) || bench_tx(b))
		;
	bench_still_serves(b);
	bench_close(b);
}

/* ---- frames ---- */

static void frames_down(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	unsigned n = 0;

	for (size_t len = 14; len <= 512; len += len < 100 || len > 490 ? 1 : 13, n++) {
		check_context("%zu octets", len);
		frame_passes(b, len);
	}
	check_context("%s", "");
	bench_counted(b, HF_CNT_TX_HOST, n);
	bench_counted(b, HF_CNT_TX_FRAMES, n);
	bench_counted(b, HF_CNT_H2C_MESSAGES, n);
	bench_close(b);
}

static void frames_up(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 6;

	b->sim->noise.c2h_stall = 60;
	for (size_t len = 14; len <= 512; len += len < 100 || len > 490 ? 1 : 13) {
		uint8_t msg[16 + 520];

		check_context("%zu octets", len);
		host_frame(msg, len, &random);
		put16(msg + 16 + 12, 0x88b5);
		bench_frame(b, msg + 16, len);
		bench_expect_last(b, 0, HF_NO_ID);
	}
	check_context("%s", "");
	bench_close(b);
}

/* Many host frames at once, with replies of the engine between: all come out, whole and in their order. */
static void frames_down_under_load(void)
{
	enum { N = 60 };
	static uint8_t msgs[N][16 + 520];
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 7;
	unsigned host = 0, replies = 0;

	b->sim->noise = (struct sim_noise){ .tx_stall = 90, .h2c_bubble = 40, .garbage = true };
	b->sim->rx_gap = 40;
	for (unsigned i = 0; i < N; i++) {
		struct segment s = { .sport = (uint16_t)(1000 + i % 3), .dport = OUR_PORT, .seq = 5, .flags = HF_SYN };
		size_t len = 60 + random_below(&random, 450);
		uint8_t ip[64], frame[64];

		sim_h2c(b->sim, msgs[i], host_frame(msgs[i], len, &random));
		sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), false);
	}
	bench_settle(b);
	for (const struct item *out; (out = bench_tx(b));) {
		if (get16(out->bytes + 12) != 0x0800 && host < N) {
			CHECK_BYTES("host frame", out->bytes, out->len, msgs[host] + 16,
				MSG_GET(msgs[host], HEADER, length) - 16);
			host++;
		} else {
			CHECK_EQ(out->len, 60, "length of a reply");
			replies++;
		}
	}
	CHECK_EQ(host, N, "host frames");
	CHECK_EQ(replies + bench_counter(b, HF_CNT_DROP_REPLY_FULL) + bench_counter(b, HF_CNT_DROP_OVERRUN), N,
		"answers to SYNs, and SYNs counted as dropped");
	bench_counted(b, HF_CNT_TX_HOST, N);
	bench_counted(b, HF_CNT_TX_FRAMES, N + replies);
	bench_close(b);
}

/* Step until the last beat of a frame is on the pins and hold it there. */
static void hold_last_beat(struct bench *b)
{
	for (unsigned i = 0; i < 200; i++) {
		if (b->sim->out.m_axis_tx_tvalid && b->sim->out.m_axis_tx_tlast)
			break;
		sim_step(b->sim);
	}
	CHECK(b->sim->out.m_axis_tx_tlast, "no last beat");
	b->sim->hold_tx = true;
}

static bool next_is_from_host(struct bench *b)
{
	const struct item *out = bench_tx(b);

	return CHECK(out != NULL, "no frame") && get16(out->bytes + 12) == 0x88b5;
}

/* Who goes when both have frames waiting: the host's account begins at 0, is charged for its beats and credited for those of
 * replies, so that it gets TX_SHARE.HOST / 256 of them. The frame before, sent while nobody else waited, does not count. */
static void transmit_by_shares(void)
{
	static const struct {
		unsigned share;
		const char *order; /* of 4 host frames and 12 replies, 8 beats each */
	} rows[] = { { 64, "hrrrhrrrhrrrhrrr" }, { 128, "hrhrhrhrrrrrrrrr" }, { 0, "hrrrrrrrrrrrrhhh" },
		{ 192, "hrhhhrrrrrrrrrrr" }, { 255, "hrhhhrrrrrrrrrrr" } };

	for (unsigned i = 0; i < 2 * COUNT(rows); i++) {
		struct bench *b = bench_open(ENGINE_DEFAULT);
		struct segment s = { .sport = 1000, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN };
		uint8_t msg[16 + 64], ip[64], frame[64];
		bool host_first = i & 1;
		uint64_t random = 9;
		size_t n = host_frame(msg, 60, &random);

		check_context("share %u, %s first", rows[i / 2].share, host_first ? "host" : "tx_builder");
		bench_set(b, HF_REG_TX_SHARE, rows[i / 2].share);
		put16(msg + 28, 0x88b5);
		if (host_first)
			sim_h2c(b->sim, msg, n);
		else
			sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), false);
		hold_last_beat(b);
		for (unsigned k = 0; k < 12; k++) {
			if (k < 4)
				sim_h2c(b->sim, msg, n);
			s.sport++;
			bench_segment(b, &s);
		}
		b->sim->hold_tx = false;
		bench_settle(b);
		CHECK_EQ(next_is_from_host(b), host_first, "the frame before is the host's");
		for (unsigned k = 0; k < 16; k++)
			CHECK(next_is_from_host(b) == (rows[i / 2].order[k] == 'h'), "frame %u is not as in %s", k,
				rows[i / 2].order);
		bench_close(b);
	}
	check_context("%s", "");
}

/* ---- commands ---- */

/* More commands at once than credits: none is lost, they wait on the stream. */
static void commands_beyond_credits(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t msg[16] = { HF_MSG_COMMAND, HF_COMMAND_RELEASE };

	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < 20; i++) {
		MSG_PUT(msg, HEADER, length, 16);
		MSG_PUT(msg, HEADER, id, i);
		MSG_PUT(msg, HEADER, stamp, 1000 + i);
		CHECK_EQ(sim_h2c(b->sim, msg, 16), 0, "sim_h2c");
	}
	sim_run(b->sim, 500);
	CHECK_EQ(b->sim->out.s_axis_h2c_tready, 0, "h2c tready with every queue full");
	b->sim->hold_c2h = false;
	bench_settle(b);
	for (unsigned i = 0; i < 20; i++) {
		const struct item *got = bench_c2h(b);

		if (!CHECK(got != NULL, "completion %u is lost", i))
			break;
		CHECK_EQ(MSG_GET(got->bytes, HEADER, stamp), 1000 + i, "cookie");
		CHECK_EQ(got->bytes[1], HF_STATUS_STALE, "status");
	}
	bench_close(b);
}

/* ---- order and stalls ---- */

/* While the host does not read: events and completions wait, frames are dropped and counted, and afterwards every
 * event is there, each before the frame that followed it. */
static void stalled_host(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	unsigned n = b->params->event_depth + 3, frames = 0, events = 0;
	uint32_t ids[64] = { 0 };

	for (unsigned i = 0; i < n; i++)
		ids[i] = bench_half_open(b, PEER_ADDR, (uint16_t)(1000 + i), 5);
	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < n; i++) {
		const struct hf_tcb *t = bench_entry(b, PEER_ADDR, (uint16_t)(1000 + i), OUR_ADDR, OUR_PORT);

		if (t)
			bench_segment(b, &(struct segment){ .sport = (uint16_t)(1000 + i),
						 .dport = OUR_PORT,
						 .seq = 6,
						 .ack = (uint32_t)t->iss + 1,
						 .flags = HF_ACK,
						 .text = "data",
						 .text_len = 4 });
	}
	bench_counted(b, HF_CNT_DROP_EVENT_FULL, 3);
	b->sim->hold_c2h = false;
	b->sim->noise.c2h_stall = 128;
	bench_settle(b);
	for (const struct item *got; (got = bench_c2h(b));) {
		uint32_t id = (uint32_t)MSG_GET(got->bytes, HEADER, id);

		if (got->bytes[0] == HF_MSG_EVENT) {
			CHECK_EQ(id, ids[events], "id of the event");
			events++;
		} else {
			CHECK(frames < events, "a frame came before its event");
			CHECK_EQ(id, ids[frames], "id of the frame");
			frames++;
		}
	}
	CHECK_EQ(events, b->params->event_depth, "events");
	CHECK_EQ(frames, events, "frames");
	bench_close(b);
}

/* An event overtakes frames that wait: it stands behind at most the one being sent. */
static void event_overtakes_frames(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t frame[60] = { 9 };
	const struct hf_tcb *t;
	unsigned before = 0;

	put16(frame + 12, 0x0806);
	bench_half_open(b, PEER_ADDR, 1000, 5);
	t = bench_entry(b, PEER_ADDR, 1000, OUR_ADDR, OUR_PORT);
	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < 6; i++)
		bench_frame(b, frame, sizeof(frame));
	bench_segment(b, &(struct segment){ .sport = 1000,
				 .dport = OUR_PORT,
				 .seq = 6,
				 .ack = t ? (uint32_t)t->iss + 1 : 0,
				 .flags = HF_ACK });
	b->sim->hold_c2h = false;
	bench_settle(b);
	for (const struct item *got; (got = bench_c2h(b)) && got->bytes[0] != HF_MSG_EVENT;)
		before++;
	CHECK_EQ(before, 1, "frames before the event");
	b->c2h.next = b->c2h.count;
	bench_close(b);
}

/* A register reply is ahead of events and frames. */
static void register_reply_overtakes(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t frame[60] = { 9 }, msg[24] = { HF_MSG_REG_READ, 0 };
	const struct item *got;

	put16(frame + 12, 0x0806);
	MSG_PUT(msg, HEADER, length, 24);
	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < 4; i++)
		bench_frame(b, frame, sizeof(frame));
	bench_message(b, msg, sizeof(msg));
	b->sim->hold_c2h = false;
	bench_settle(b);
	got = bench_c2h(b);
	CHECK(got && got->bytes[0] == HF_MSG_FRAME, "the frame that was being sent");
	got = bench_c2h(b);
	CHECK(got && got->bytes[0] == HF_MSG_REG_REPLY, "then the reply");
	b->c2h.next = b->c2h.count;
	bench_close(b);
}

/* Between two events as well, and a second access waits until the first reply is on its way. */
static void register_replies_wait_for_nobody(void)
{
	static const uint8_t order[] = { HF_MSG_EVENT, HF_MSG_REG_REPLY, HF_MSG_EVENT };
	struct bench *b = bench_open(ENGINE_SMALL);
	const struct item *got;
	uint8_t msg[24] = { HF_MSG_REG_READ, 0 };

	MSG_PUT(msg, HEADER, length, 24);
	for (unsigned i = 0; i < 2; i++)
		bench_half_open(b, PEER_ADDR, (uint16_t)(1000 + i), 5);
	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < 2; i++) {
		const struct hf_tcb *t = bench_entry(b, PEER_ADDR, (uint16_t)(1000 + i), OUR_ADDR, OUR_PORT);

		bench_segment(b, &(struct segment){ .sport = (uint16_t)(1000 + i),
					 .dport = OUR_PORT,
					 .seq = 6,
					 .ack = t ? (uint32_t)t->iss + 1 : 0,
					 .flags = HF_ACK });
	}
	bench_message(b, msg, sizeof(msg));
	b->sim->hold_c2h = false;
	bench_settle(b);
	for (size_t i = 0; i < COUNT(order); i++) {
		got = bench_c2h(b);
		CHECK(got && got->bytes[0] == order[i], "message %zu is of type %u, not %u", i, got ? got->bytes[0] : 0,
			order[i]);
	}
	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < 6; i++) {
		MSG_PUT(msg, HEADER, id, i % 2 ? HF_REG_ID : HF_REG_MSS);
		MSG_PUT(msg, HEADER, stamp, 70 + i);
		sim_h2c(b->sim, msg, sizeof(msg));
	}
	sim_run(b->sim, 200);
	b->sim->hold_c2h = false;
	bench_settle(b);
	for (unsigned i = 0; i < 6; i++) {
		got = bench_c2h(b);
		if (!CHECK(got && got->bytes[0] == HF_MSG_REG_REPLY, "reply %u is missing", i))
			break;
		CHECK_EQ(MSG_GET(got->bytes, HEADER, stamp), 70 + i, "cookie");
		CHECK_EQ(MSG_GET(got->bytes, REG_REPLY, value), i % 2 ? HF_ID : 1460, "value");
	}
	bench_close(b);
}

/* Registers by message and by AXI-Lite at the same time: both are done, none twice. */
static void registers_both_ways_at_once(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned i = 0; i < 40; i++) {
		uint8_t msg[24] = { HF_MSG_REG_WRITE, 0 };

		MSG_PUT(msg, HEADER, length, 24);
		MSG_PUT(msg, HEADER, id, HF_REG_MSS);
		MSG_PUT(msg, HEADER, stamp, i);
		MSG_PUT(msg, REG_WRITE, value, 1000 + i);
		sim_h2c(b->sim, msg, sizeof(msg));
		sim_run(b->sim, i % 8);
		bench_set(b, HF_REG_MSS_FLOOR, 100 + i);
		bench_settle(b);
		CHECK_EQ(bench_get(b, HF_REG_MSS), 1000 + i, "MSS");
		CHECK_EQ(bench_get(b, HF_REG_MSS_FLOOR), 100 + i, "MSS_FLOOR");
		CHECK(bench_c2h(b) != NULL, "no REG_REPLY");
		bench_quiet(b);
	}
	bench_counted(b, HF_CNT_H2C_MESSAGES, 40);
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(hello_comes_first), CASE(hello_after_every_reset), CASE(malformed_messages), CASE(random_messages),
		CASE(frames_down), CASE(frames_up), CASE(frames_down_under_load), CASE(transmit_by_shares),
		CASE(commands_beyond_credits), CASE(stalled_host), CASE(event_overtakes_frames),
		CASE(register_reply_overtakes), CASE(register_replies_wait_for_nobody),
		CASE(registers_both_ways_at_once), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "message", cases);
}
