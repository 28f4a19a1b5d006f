/* SPDX-License-Identifier: Apache-2.0
 * test_rx_frame_fifo.c - frames on their way to the host: whole or not at all, in order, and every frame counted
 * exactly once, however full the queues are. */
#include "support_bench.h"

/* clang-format off */
static const enum hf_counter verdict_drops[] = {
	HF_CNT_DROP_NOT_READY, HF_CNT_DROP_OVERRUN, HF_CNT_DROP_BAD_FCS, HF_CNT_DROP_TOO_LONG, HF_CNT_DROP_RUNT,
	HF_CNT_DROP_IP_MALFORMED, HF_CNT_DROP_IP_CHECKSUM, HF_CNT_DROP_FRAGMENT, HF_CNT_DROP_TCP_MALFORMED,
	HF_CNT_DROP_TCP_CHECKSUM, HF_CNT_DROP_MARTIAN, HF_CNT_DROP_L2_DEST, HF_CNT_DROP_BAD_FLAGS,
	HF_CNT_DROP_HOST_GONE,
	HF_CNT_DROP_BACKLOG, HF_CNT_DROP_TABLE_FULL, HF_CNT_DROP_REPLY_FULL, HF_CNT_DROP_EVENT_FULL,
	HF_CNT_DROP_UNACCEPTABLE, HF_CNT_DROP_MISSING_TS,
};
/* clang-format on */

/* Each frame has one verdict; what went up is RX_HOST less what found no room. Call when the engine is idle. */
static void conserved(struct bench *b)
{
	uint64_t frames = bench_counter(b, HF_CNT_RX_FRAMES), drops = 0, up = 0;

	for (size_t i = 0; i < COUNT(verdict_drops); i++)
		drops += bench_counter(b, verdict_drops[i]);
	CHECK_EQ(bench_counter(b, HF_CNT_RX_CONSUMED) + bench_counter(b, HF_CNT_RX_HOST) + drops, frames,
		"verdicts, for all of RX_FRAMES");
	for (size_t i = 0; i < b->c2h.count; i++)
		up += b->c2h.v[i].bytes[0] == HF_MSG_FRAME;
	CHECK_EQ(bench_counter(b, HF_CNT_RX_HOST) - bench_counter(b, HF_CNT_DROP_HOST_FIFO), up, "frames that went up");
	CHECK_EQ(bench_counter(b, HF_CNT_TX_FRAMES), b->tx.count, "frames that went out");
	CHECK_EQ(frames, b->rx.count, "frames that came in");
}

static void numbered(uint8_t *frame, size_t len, unsigned n)
{
	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(n * 31 + i * 7);
	put32(frame, n);
	put16(frame + 12, 0x88b5);
}

/* A host that does not read: frames fill the FIFO, the rest is dropped whole and counted; afterwards all is well. */
static void drop_when_full(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	unsigned beats = 25 + 2; /* 200 octets and the header */
	/* two beats have left the memory: one in its output register, one in the stream's */
	unsigned fit = (b->params->host_fifo_beats + 2) / beats;
	uint8_t frame[200];

	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < 40; i++) {
		numbered(frame, sizeof(frame), i);
		bench_frame(b, frame, sizeof(frame));
	}
	bench_counted(b, HF_CNT_DROP_HOST_FIFO, 40 - fit);
	bench_counted(b, HF_CNT_RX_HOST, 40);
	b->sim->hold_c2h = false;
	bench_settle(b);
	for (unsigned i = 0; i < fit; i++) {
		const struct item *got = bench_c2h(b);

		numbered(frame, sizeof(frame), i);
		if (CHECK(got != NULL, "frame %u is lost", i))
			CHECK_BYTES("frame", got->bytes + 16, got->len - 16, frame, sizeof(frame));
	}
	bench_quiet(b);
	conserved(b);
	bench_frame(b, frame, sizeof(frame));
	bench_expect_last(b, 0, HF_NO_ID);
	bench_close(b);
}

/* Room is counted to the beat: a frame that just fits goes in, one octet more of a beat does not. */
static void last_beat_of_room(void)
{
	for (unsigned over = 0; over < 2; over++) {
		struct bench *b = bench_open(ENGINE_SMALL);
		unsigned room = b->params->host_fifo_beats;
		uint8_t frame[512];

		b->sim->hold_c2h = true;
		for (unsigned i = 0; i < 3; i++) { /* 3 * 66 beats, of which 2 are out again */
			numbered(frame, 512, i);
			bench_frame(b, frame, 512);
		}
		room -= 3 * 66 - 2;
		numbered(frame, (room - 2) * 8 + over, 3);
		bench_frame(b, frame, (room - 2) * 8 + over);
		bench_counted(b, HF_CNT_DROP_HOST_FIFO, over);
		b->sim->hold_c2h = false;
		bench_settle(b);
		CHECK_EQ(b->c2h.count - b->c2h.next, 4 - over, "frames up");
		b->c2h.next = b->c2h.count;
		bench_close(b);
	}
}

/* Any lengths back to back, the host slow: those that come up are whole and in order. */
static void order_is_kept(enum engine_size size, unsigned n, unsigned max)
{
	struct bench *b = bench_open(size);
	uint64_t random = 12;
	uint8_t frame[PACKET_MAX];
	unsigned next = 0;
	const struct item *got;

	b->sim->noise = (struct sim_noise){ .rx_bubble = 20, .c2h_stall = 120, .garbage = true };
	for (unsigned i = 0; i < n; i++) {
		size_t len = 14 + random_below(&random, i % 3 ? 100 : max - 13);

		numbered(frame, len, i);
		sim_rx(b->sim, frame, len, i % 7 == 6);
	}
	bench_settle(b);
	while ((got = bench_c2h(b))) {
		unsigned i = get32(got->bytes + 16);

		if (!CHECK(i >= next && i < n, "frame %u after %u", i, next))
			break;
		next = i + 1;
		CHECK_BYTES("frame", got->bytes + 16, got->len - 16, b->rx.v[i].bytes, b->rx.v[i].len);
		CHECK_EQ(MSG_GET(got->bytes, HEADER, stamp), b->rx.v[i].time_ns, "stamp");
	}
	conserved(b);
	bench_still_serves(b);
	bench_close(b);
}

static void order_is_kept_small(void)
{
	order_is_kept(ENGINE_SMALL, 300, 512);
}

static void order_is_kept_default(void)
{
	order_is_kept(ENGINE_DEFAULT, 200, 1522);
}

/* Which of n frames of `beats` beats without a gap are lost for want of staging room, or for SEG_DEPTH frames in
 * flight: docs/architecture.md, Receive, walked clock by clock for frames that go up with a host that always reads. */
static void staging_by_the_book(const struct hf_params *p, unsigned n, unsigned beats, bool *up)
{
	unsigned *end = calloc(n, sizeof(*end)), *held = calloc(n, sizeof(*held)); /* last beat's cycle; beats staged */
	bool *lost = calloc(n, sizeof(*lost)), *seen = calloc(n, sizeof(*seen));
	unsigned stage = 0, inflight = 0, next = 0, busy_until = 0, release_at = 0, release = 0;
	/* descriptor visible PARSE_CYCLES + 2 cycles after the last beat: T0; verdict pushed in T4, visible one later */
	unsigned latency = p->parse_cycles + 4 + p->match_cycles + p->read_cycles + p->fsm_cycles;

	for (unsigned c = 0; end && held && lost && seen && (c < n * beats || inflight); c++) {
		unsigned frame = c / beats, stage_in = 0, stage_out = 0;
		bool taken = false;

		if (frame < n && c % beats == 0)
			seen[frame] = inflight < p->seg_depth;
		while (next < n && next < frame && !seen[next])
			next++;
		if (frame < n && seen[frame]) {
			lost[frame] |= stage >= p->stage_beats;
			stage_in = !lost[frame];
			held[frame] += stage_in;
			end[frame] = c;
		}
		if (next < n && seen[next] && next < frame && c >= end[next] + latency && c >= busy_until) {
			taken = true;
			if (lost[next]) {
				stage_out = held[next];
			} else {
				up[next] = true;
				release = held[next];
				release_at = c + 1 + beats;
				busy_until = c + 2 + beats;
			}
			next++;
		}
		if (c == release_at)
			stage_out += release;
		inflight += (frame < n && c % beats == 0 && seen[frame]) - (unsigned)taken;
		stage += stage_in - stage_out;
	}
	free(end);
	free(held);
	free(lost);
	free(seen);
}

/* Frames without a gap for long, faster than the mover empties the staging buffer by two cycles per frame: what finds
 * no room there is lost whole and counted, and the frames around it are intact. */
static void staging(enum engine_size size, unsigned n, size_t len)
{
	struct bench *b = bench_open(size);
	bool *up = calloc(n, sizeof(*up)), *came = calloc(n, sizeof(*came));
	uint8_t frame[1522];
	const struct item *got;

	if (!up || !came)
		abort();
	for (unsigned i = 0; i < n; i++) {
		numbered(frame, len, i);
		sim_rx(b->sim, frame, len, false);
	}
	bench_settle(b);
	CHECK(bench_counter(b, HF_CNT_DROP_HOST_FIFO) > 0, "no frame was lost");
	while ((got = bench_c2h(b))) {
		uint32_t i = get32(got->bytes + 16);

		if (!CHECK(i < n, "frame %u of %u", i, n))
			break;
		came[i] = true;
		CHECK_BYTES("frame", got->bytes + 16, got->len - 16, b->rx.v[i].bytes, len);
	}
	staging_by_the_book(b->params, n, (unsigned)(len + 7) / 8, up);
	for (unsigned i = 0; i < n; i++)
		CHECK(came[i] == up[i], "frame %u of %zu octets: %s", i, len, came[i] ? "not lost" : "lost");
	free(up);
	free(came);
	conserved(b);
	bench_still_serves(b);
	bench_close(b);
}

static void staging_full(void)
{
	staging(ENGINE_DEFAULT, 500, 320);
	staging(ENGINE_DEFAULT, 300, 1522);
	staging(ENGINE_SMALL, 300, 512);
}

/* One-beat frames every clock: more than SEG_DEPTH in flight are dropped unread, and the next SYN is served. */
static void overrun(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t runt[8] = { 1 };

	for (unsigned i = 0; i < 500; i++)
		sim_rx(b->sim, runt, sizeof(runt), false);
	bench_settle(b);
	CHECK(bench_counter(b, HF_CNT_DROP_OVERRUN) > 0, "no overrun");
	CHECK(bench_counter(b, HF_CNT_DROP_RUNT) > 50, "hardly a frame was looked at");
	conserved(b);
	bench_still_serves(b);
	bench_close(b);
}

/* Hostile and good frames of all kinds, all queues tight, every stream stalling at random: the books balance. */
static void conservation(enum engine_size size, unsigned gap, unsigned n)
{
	static const char *const opts[] = { NULL, "mss=1000 sack ts=9:9 ws=2", "x=0202", "ws=200 nop" };
	struct bench *b = bench_open(size);
	uint64_t random = 13 + gap;
	uint64_t accepted, established, half_open, released = 0;

	bench_listen(b, 1, 0, 81, 2, 7, LISTEN_OFFLOAD);
	bench_set(b, HF_REG_SYNACK_RETRIES, 1);
	b->sim->noise = (struct sim_noise){ .rx_bubble = 20, .tx_stall = 60, .c2h_stall = 60, .garbage = true };
	b->sim->rx_gap = gap;
	for (unsigned i = 0; i < n; i++) {
		uint16_t port = (uint16_t)(1000 + random_below(&random, 40));
		const struct hf_tcb *t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
		struct segment s = { .sport = port,
			.dport = (uint16_t)(80 + random_below(&random, 8) / 7),
			.wnd = 9,
			.seq = 5 + random_below(&random, 3),
			.ack = t ? (uint32_t)t->iss + random_below(&random, 3) : 1,
			.flags = (uint16_t)(random_below(&random, 4) ? 1u << random_below(&random, 5)
								     : random_below(&random, 512)),
			.opts = opts[random_below(&random, COUNT(opts))],
			.text = "some text here",
			.text_len = random_below(&random, 4) ? 0 : random_below(&random, 15) };
		uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
		size_t len = make_packet(ip, &s);

		if (t && random_below(&random, 2)) {
			s = (struct segment){ .sport = port,
				.dport = OUR_PORT,
				.seq = (uint32_t)t->rcv_nxt,
				.ack = (uint32_t)t->iss + 1,
				.flags = HF_ACK,
				.opts = t->ts_ok ? "ts=99:0" : NULL };
			len = make_packet(ip, &s);
		}
		if (random_below(&random, 10) == 0)
			ip[random_below(&random, (uint32_t)len)] ^= 4;
		len = make_frame(frame, OUR_MAC, PEER_MAC, ip, len);
		if (random_below(&random, 10) == 0)
			len = 1 + random_below(&random, (uint32_t)len);
		if (random_below(&random, 20) == 0)
			frame[random_below(&random, 14)] ^= 8;
		sim_rx(b->sim, frame, len, random_below(&random, 30) == 0);
		if (i % 16 == 15)
			sim_run(b->sim, random_below(&random, 400));
		if (i % 100 == 99)
			sim_tick(b->sim, 1000, 0);
		if (i % 10 == 9) { /* the host gives back what it owns */
			uint8_t msg[16] = { HF_MSG_COMMAND, HF_COMMAND_RELEASE };
			unsigned slot = random_below(&random, b->slots);

			for (unsigned k = 0; k < b->slots && b->table[slot].state != HF_STATE_ESTABLISHED; k++)
				slot = (slot + 1) % b->slots;
			MSG_PUT(msg, HEADER, length, 16);
			MSG_PUT(msg, HEADER, id, bench_id(b, &b->table[slot]));
			sim_h2c(b->sim, msg, sizeof(msg));
		}
	}
	bench_settle(b);
	sim_run(b->sim, 2000);
	bench_settle(b);
	conserved(b);
	accepted = bench_counter(b, HF_CNT_SYN_ACCEPTED);
	established = bench_counter(b, HF_CNT_ESTABLISHED);
	half_open = bench_get(b, HF_REG_HALF_OPEN);
	CHECK(accepted > 20 && established > 1, "%u accepted, %u established", (unsigned)accepted,
		(unsigned)established);
	CHECK_EQ(established + bench_counter(b, HF_CNT_RESETS) + bench_counter(b, HF_CNT_TIMEOUTS) + half_open,
		accepted, "ends of half-open entries, for all of SYN_ACCEPTED");
	for (size_t i = 0; i < b->c2h.count; i++)
		released += b->c2h.v[i].bytes[0] == HF_MSG_COMPLETION && b->c2h.v[i].bytes[1] == HF_STATUS_OK;
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), half_open + established - released, "ENTRIES");
	CHECK_EQ(bench_counter(b, HF_CNT_TX_SYNACK) + bench_counter(b, HF_CNT_TX_ACK) + bench_counter(b, HF_CNT_TX_RST),
		b->tx.count, "frames out");
	b->tx.next = b->tx.count;
	b->c2h.next = b->c2h.count;
	bench_close(b);
}

static void books_balance(void)
{
	conservation(ENGINE_SMALL, 0, 1500);
	conservation(ENGINE_SMALL, 20, 1500);
	conservation(ENGINE_DEFAULT, 3, 1500);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(drop_when_full), CASE(last_beat_of_room), CASE(order_is_kept_small), CASE(order_is_kept_default),
		CASE(staging_full), CASE(overrun), CASE(books_balance), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "rx_frame_fifo", cases);
}
