/* SPDX-License-Identifier: Apache-2.0
 * main_bench.c - speed of the core in its own clock cycles, and of its simulations in clocks per second.
 * Writes a JSON list and prints the same as a table. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../regs/regs.h"
#include "stimulus.h"
#include "traffic.h"
#include "usb/usb_bench.h"

#define FRAMES	      1000000u /* of a flood */
#define HANDSHAKES    100000u  /* of good peers, each of them another one */
#define OPEN_AT_ONCE  64u      /* handshakes under way in the throughput runs */
#define RECORD_CYCLES 200000u
#define TRIES	      3u
#define ACK_AFTER     1000u	  /* cycles until a good peer answers while a flood goes on */
#define GOOD_OF	      100u	  /* one peer of so many is a good one in a flood */
#define GOOD_PEERS    (1u << 20)  /* and has a lower number than this */
#define GOOD_NET      0x0a000000u /* addresses, the peer's number is the rest */
#define HOSTILE_NET   0x80000000u
#define OUR_ADDR      0xc0000201u
#define OUR_PORT      80
#define WIRE_UNIT     1280u /* parts of a clock in which the wire's time is counted */
#define WIRE_EXTRA    24u   /* octets of preamble, FCS and the gap between frames */

static const uint8_t our_mac[6] = { 0x02, 0xf0, 0x0d, 0x00, 0x00, 0x01 };

/* A datapath and the wire it is for. */
static const struct width {
	enum engine_size size;
	const char *suffix;
	double clock_hz;
	unsigned octet; /* what one takes on the wire, in WIRE_UNITs of a clock */
	const char *wire;
} widths[] = {
	{ ENGINE_DEFAULT, "64", 156250000.0, 160, "10 GbE, a minimum frame per 10.5 cycles of 156.25 MHz" },
	{ ENGINE_WIDE, "512", 322265625.0, 33, "100 GbE, a minimum frame per 2.17 cycles of 322.27 MHz" },
};

struct result {
	char name[64], note[200];
	const char *unit;
	double value;
};

static struct result results[80];
static unsigned result_count;

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

/* `w` NULL: of no width. */
__attribute__((format(printf, 5, 6))) static void report(
	const char *name, const struct width *w, double value, const char *unit, const char *note, ...)
{
	struct result *r = &results[result_count++];
	va_list args;

	if (result_count > sizeof results / sizeof *results)
		die("more results than there is room for");
	snprintf(r->name, sizeof r->name, "%s%s%s", name, w ? "_" : "", w ? w->suffix : "");
	va_start(args, note);
	vsnprintf(r->note, sizeof r->note, note, args);
	va_end(args);
	r->unit = unit;
	r->value = value;
}

/* What one run looks for; good peers are known by the lower part of their address. */
struct bench {
	struct sim *s;
	const struct width *w;
	struct frame frame;
	uint64_t last_beat, trace, first_reply, last_reply, last_ack; /* cycles; 0 = not yet */
	uint64_t replies, established, closed;
	bool release;		       /* give connections back as soon as they are established */
	bool client;		       /* the host opens or closes, and peers answer its SYN or FIN */
	uint64_t rx_free, tx_free;     /* when the wire, each way, may begin its next frame, in WIRE_UNITs */
	uint32_t answers[1u << 16];    /* ring of good peers that owe their answer */
	uint64_t answers_at[1u << 16]; /* cycles of their SYN-ACKs */
	unsigned answers_head, answers_count;
	uint32_t iss[GOOD_PEERS];
	uint32_t next_peer;
	unsigned open;
	uint64_t frames;
	struct stimulus *record; /* or NULL */
};

/* The wire is taken by a frame of `len` octets that begins in `cycle`, or a part of a cycle before. */
static uint64_t wire_taken(const struct bench *b, uint64_t free, uint64_t cycle, size_t len)
{
	const uint64_t now = cycle * WIRE_UNIT;

	return (now >= free + WIRE_UNIT ? now : free) + (len + WIRE_EXTRA) * b->w->octet;
}

static bool wire_free(const struct bench *b)
{
	return b->rx_free <= b->s->cycle * WIRE_UNIT && !sim_rx_pending(b->s);
}

/* One clock; the wire out begins no frame before the one before is over. */
static void clock_once(struct bench *b)
{
	b->s->hold_tx = b->tx_free > b->s->cycle * WIRE_UNIT;
	sim_step(b->s);
}

static void owe_answer(struct bench *b, const struct packet *p)
{
	const uint32_t peer = p->dst_addr - GOOD_NET;
	const unsigned at = (b->answers_head + b->answers_count++) & 0xffff;

	b->iss[peer] = p->seq;
	b->answers[at] = peer;
	b->answers_at[at] = b->s->cycle;
}

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct bench *b = ctx;
	const uint64_t beats = (len + b->s->beat - 1) / b->s->beat;
	struct packet p;

	(void)time_ns;
	b->tx_free = wire_taken(b, b->tx_free, b->s->cycle + 1 - beats, len);
	if (!packet_parse(frame, len, &p))
		return;
	if (b->client && p.flags == HF_ACK) {
		b->last_ack = cycle;
		return;
	}
	if (b->client ? !(p.flags & (HF_SYN | HF_FIN)) : p.flags != (HF_SYN | HF_ACK))
		return;
	if (!b->replies++)
		b->first_reply = cycle;
	b->last_reply = cycle;
	if (p.dst_addr - GOOD_NET < GOOD_PEERS)
		owe_answer(b, &p);
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
	static const uint8_t no_id[] = { 0xff, 0xff, 0xff, 0xff };
	struct bench *b = ctx;
	uint8_t command[HF_MSG_HEADER_BYTES];

	(void)len;
	(void)cycle;
	(void)time_ns;
	if (msg[HF_AT_HEADER_type] == HF_MSG_COMPLETION && msg[HF_AT_HEADER_flags])
		b->open--;
	if (msg[HF_AT_HEADER_type] != HF_MSG_EVENT)
		return;
	b->open--;
	b->closed += msg[HF_AT_EVENT_code] == HF_EVENT_CLOSED;
	if (msg[HF_AT_EVENT_code] != HF_EVENT_ESTABLISHED)
		return;
	b->established++;
	if (!b->release || sim_h2c_pending(b->s) > 16 || !memcmp(msg + HF_AT_HEADER_id, no_id, sizeof no_id))
		return;
	traffic_message(command, HF_MSG_COMMAND, HF_COMMAND_RELEASE, sizeof command, 0, 0, sizeof command);
	memcpy(command + HF_AT_HEADER_id, msg + HF_AT_HEADER_id, 4);
	if (sim_h2c(b->s, command, sizeof command))
		die("out of memory");
}

static void on_trace(void *ctx, const struct hf_out *out, uint64_t cycle, uint64_t time_ns)
{
	struct bench *b = ctx;

	(void)out;
	(void)time_ns;
	b->trace = cycle;
}

static void on_rx_done(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t stamp)
{
	struct bench *b = ctx;

	(void)frame;
	(void)len;
	(void)stamp;
	b->last_beat = cycle;
}

static void on_clock(void *ctx, const struct hf_in *in, uint64_t cycle)
{
	struct bench *b = ctx;

	(void)cycle;
	if (b->record)
		stimulus_add(b->record, in);
}

static void reg(struct bench *b, uint32_t offset, uint32_t value)
{
	if (sim_reg_write(b->s, offset, value))
		die("a register write was refused");
}

static uint64_t counter(struct bench *b, unsigned index)
{
	uint64_t value;

	if (sim_counter(b->s, index, &value))
		die("a counter cannot be read");
	return value;
}

static struct bench *bench_open(const struct width *w, struct stimulus *record)
{
	struct bench *b = calloc(1, sizeof *b);

	if (b)
		b->s = sim_open(ENGINE_RTL, w->size, 1);
	if (!b || !b->s)
		die("out of memory");
	b->w = w;
	b->record = record;
	b->s->ctx = b;
	b->s->on.tx = on_tx;
	b->s->on.c2h = on_c2h;
	b->s->on.trace = on_trace;
	b->s->on.rx_done = on_rx_done;
	b->s->on.clock = on_clock;
	reg(b, HF_REG_MAC_LO, 0x000df002);
	reg(b, HF_REG_MAC_HI, 0x0100);
	reg(b, HF_REG_LOCAL_ADDR0, OUR_ADDR);
	reg(b, HF_REG_HEARTBEAT_MS, 0);
	reg(b, HF_REG_LISTEN_PORT, OUR_PORT);
	reg(b, HF_REG_LISTEN_BACKLOG, 65535);
	reg(b, HF_REG_LISTEN_COMMIT, 1u << HF_LISTEN_COMMIT_MODE_LOW);
	reg(b, HF_REG_CTRL, 1u << HF_CTRL_ENABLE_LOW);
	while (!b->s->out.ready)
		sim_step(b->s);
	sim_settle(b->s, 100, 10000);
	return b;
}

static void bench_close(struct bench *b)
{
	if (b->s->faults)
		die(b->s->fault);
	sim_close(b->s);
	free(b);
}

static uint16_t peer_port(uint32_t peer)
{
	return (uint16_t)(1024 + peer % 60000);
}

static void send_segment(struct bench *b, uint32_t addr, uint16_t flags, uint32_t seq, uint32_t ack, size_t text)
{
	struct segment g = { .src_mac = { 2, 0, (uint8_t)(addr >> 24), (uint8_t)(addr >> 16), (uint8_t)(addr >> 8),
				     (uint8_t)addr },
		.src_addr = addr,
		.dst_addr = OUR_ADDR,
		.src_port = peer_port(addr & 0xffffff),
		.dst_port = OUR_PORT,
		.flags = flags,
		.seq = seq,
		.ack = ack,
		.wnd = 0xfaf0,
		.text_len = text };

	memcpy(g.dst_mac, our_mac, sizeof our_mac);
	traffic_tcp(&b->frame, &g);
	if (sim_rx(b->s, b->frame.data, b->frame.len, false))
		die("out of memory");
	b->rx_free = wire_taken(b, b->rx_free, b->s->cycle, b->frame.len);
	b->frames++;
}

static void send_syn(struct bench *b, uint32_t peer)
{
	send_segment(b, GOOD_NET | peer, HF_SYN, 1000, 0, 0);
}

/* The good peer that has owed its answer for at least so many cycles; false when there is none. */
static bool answer_due(struct bench *b, uint64_t cycles, uint32_t *peer)
{
	if (!b->answers_count || b->s->cycle < b->answers_at[b->answers_head & 0xffff] + cycles)
		return false;
	*peer = b->answers[b->answers_head++ & 0xffff];
	b->answers_count--;
	return true;
}

static void settle(struct bench *b)
{
	for (unsigned i = 0; i < 20000; i++)
		clock_once(b);
}

/* One SYN into an idle engine, and where its cycles go: only what the pins show is measured, the rest is read off
 * the timing table of docs/architecture.md. */
static void bench_latency(const struct width *w)
{
	struct bench *b = bench_open(w, NULL);
	uint64_t op, out;

	send_syn(b, 1);
	settle(b);
	if (!b->replies)
		die("a SYN was not answered");
	op = b->trace - b->last_beat;
	out = b->first_reply - b->last_beat;
	report("syn_to_synack_cycles", w, (double)out, "cycles",
		"last beat of a minimum SYN in to first beat of its SYN-ACK out, idle engine");
	printf("where the %" PRIu64 " cycles of a SYN go at %s bits (0 = its last beat):\n", out, w->suffix);
	printf("  %2d to %2" PRIu64 "  checksums end, descriptor queued, hashes of the 4-tuple awaited\n", 1, op - 6);
	printf("  %2" PRIu64 " to %2" PRIu64 "  op: issue, tags and listeners, entry, tcp_fsm, write-back\n", op - 5,
		op - 1);
	printf("  %2" PRIu64 " to %2" PRIu64 "  tx_builder: the reply is made, its checksums with it\n", op, out - 3);
	printf("  %2" PRIu64 " to %2" PRIu64 "  first beat offered; output register; on the pins in cycle %" PRIu64
	       "\n\n",
		out - 2, out - 1, out);
	bench_close(b);
}

/* ---- floods ---- */

enum { NEVER, WATERMARK, ALWAYS };
static const char *const mode_names[] = { "never", "watermark", "always" };

static struct bench *flood_open(const struct width *w, unsigned mode)
{
	struct bench *b = bench_open(w, NULL);

	reg(b, HF_REG_COOKIE, mode << HF_COOKIE_MODE_LOW | 1u << HF_COOKIE_LIFETIME_LOW);
	return b;
}

/* `frames` SYNs as fast as the wire brings them, each of another peer, which never answers. */
static void flood(struct bench *b, uint64_t frames)
{
	for (uint64_t i = 0; i < frames;) {
		if (wire_free(b))
			send_segment(b, HOSTILE_NET | (uint32_t)i++, HF_SYN, 1000, 0, 0);
		clock_once(b);
	}
	settle(b);
}

static void bench_flood(const struct width *w, unsigned mode)
{
	/* Nothing else drops a SYN that a MAC has found good. */
	static const unsigned drops[] = { HF_CNT_DROP_BACKLOG, HF_CNT_DROP_TABLE_FULL, HF_CNT_DROP_REPLY_FULL,
		HF_CNT_DROP_OVERRUN };
	struct bench *b = flood_open(w, mode);
	char name[64];
	uint64_t dropped = 0;

	flood(b, FRAMES);
	for (unsigned i = 0; i < sizeof drops / sizeof *drops; i++)
		dropped += counter(b, drops[i]);
	snprintf(name, sizeof name, "syn_flood_answered_pct%s%s", mode == WATERMARK ? "" : "_",
		mode == WATERMARK ? "" : mode_names[mode]);
	report(name, w, 100.0 * (double)b->replies / (double)FRAMES, "%",
		"of %u minimum SYNs back to back at %s; cookies: %s%s", FRAMES, w->wire, mode_names[mode],
		mode == WATERMARK ? ", the default"
		: mode == NEVER	  ? "; what the table cannot take is dropped and counted"
				  : "");
	snprintf(name, sizeof name, "syn_flood_lost_%s", mode_names[mode]);
	report(name, w, (double)(FRAMES - b->replies) - (double)dropped, "",
		"of these: neither answered nor dropped by a rule and counted");
	if (mode == WATERMARK)
		report("syn_flood_cycles_per_syn", w,
			(double)(b->last_reply - b->first_reply) / (double)(b->replies - 1), "cycles",
			"from SYN-ACK to SYN-ACK in that flood");
	bench_close(b);
}

/* The host takes nothing, and what waits for it has filled up all there is. */
static void bench_stalled(const struct width *w)
{
	struct bench *b = flood_open(w, ALWAYS);

	b->s->hold_c2h = true;
	for (uint64_t i = 0; i < 4000;) {
		if (wire_free(b))
			send_segment(b, GOOD_NET | (uint32_t)i++, HF_ACK, 1, 1, 900);
		clock_once(b);
	}
	settle(b);
	flood(b, FRAMES / 10);
	report("syn_flood_answered_pct_stalled", w, 100.0 * (double)b->replies / (double)(FRAMES / 10), "%",
		"of %u SYNs while the host reads nothing, cookies: always", FRAMES / 10);
	bench_close(b);
}

/* Good peers among hostile ones: their handshakes end, or the flood was won. */
static void bench_hidden(const struct width *w, unsigned mode)
{
	struct bench *b = flood_open(w, mode);
	uint64_t good = 0;
	uint32_t peer;
	char name[64];

	b->release = true;
	for (uint64_t i = 0; i < FRAMES;) {
		if (wire_free(b)) {
			if (answer_due(b, ACK_AFTER, &peer)) {
				send_segment(b, GOOD_NET | peer, HF_ACK, 1001, b->iss[peer] + 1, 0);
			} else if (i++ % GOOD_OF == 0) {
				good++;
				send_syn(b, b->next_peer++);
			} else {
				send_segment(b, HOSTILE_NET | (uint32_t)i, HF_SYN, 1000, 0, 0);
			}
		}
		clock_once(b);
	}
	for (unsigned i = 0; i < 20000; i++) {
		if (wire_free(b) && answer_due(b, ACK_AFTER, &peer))
			send_segment(b, GOOD_NET | peer, HF_ACK, 1001, b->iss[peer] + 1, 0);
		clock_once(b);
	}
	snprintf(name, sizeof name, "good_handshakes_pct_%s", mode_names[mode]);
	report(name, w, 100.0 * (double)b->established / (double)good, "%",
		"of %" PRIu64 " handshakes among %u SYNs at the wire limit, one of %u from a good peer; cookies: %s",
		good, FRAMES, GOOD_OF, mode_names[mode]);
	bench_close(b);
}

/* ---- handshakes ---- */

/* One step of peers that shake hands as fast as the wire allows: an ACK that is due, else a new SYN. */
static void handshake_feed(struct bench *b)
{
	uint32_t peer;

	if (!wire_free(b))
		return;
	if (answer_due(b, 0, &peer)) {
		send_segment(b, GOOD_NET | peer, HF_ACK, 1001, b->iss[peer] + 1, 0);
	} else if (b->open < OPEN_AT_ONCE && b->next_peer < HANDSHAKES) {
		b->open++;
		send_syn(b, b->next_peer++);
	}
}

static void bench_handshakes(const struct width *w, struct stimulus *busy)
{
	struct bench *b = bench_open(w, busy);
	uint64_t from = 0, to = 0;

	b->release = true;
	/* Without its beginning and its end, when not everybody shakes hands. */
	for (unsigned idle = 0; idle < 20000; idle = b->next_peer < HANDSHAKES ? 0 : idle + 1) {
		handshake_feed(b);
		clock_once(b);
		if (!from && b->established >= HANDSHAKES / 10)
			from = b->s->cycle;
		if (!to && b->established >= HANDSHAKES / 10 * 9)
			to = b->s->cycle;
	}
	report("handshakes_per_s", w, to ? HANDSHAKES / 10 * 8 / (double)(to - from) * w->clock_hz : 0, "1/s",
		"SYN and ACK in turn over %u peers at %s: half of its frames is the limit", HANDSHAKES, w->wire);
	report("handshakes_pct", w, 100.0 * (double)b->established / HANDSHAKES, "%",
		"of these handshakes came to their end");
	bench_close(b);
}

/* ---- the host opens and closes ---- */

#define PEER_ISN 5000u

static void put(uint8_t *p, uint64_t value, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

/* CONNECT to a peer, or CLOSE of an idle connection with it. */
static void send_command(struct bench *b, uint8_t command, uint32_t peer)
{
	uint8_t msg[HF_AT_EVENT_rto_ms + HF_SIZE_EVENT_rto_ms];

	traffic_message(msg, HF_MSG_COMMAND, command, sizeof msg, 0, peer, sizeof msg);
	msg[HF_AT_EVENT_state] = HF_STATE_ESTABLISHED;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *addr = msg + (i ? HF_AT_EVENT_local_addr : HF_AT_EVENT_remote_addr);

		addr[10] = addr[11] = 0xff;
		packet_put32(addr + 12, i ? OUR_ADDR : GOOD_NET | peer);
	}
	msg[HF_AT_EVENT_remote_mac] = 2;
#define PUT(field, value) put(msg + HF_AT_EVENT_##field, value, HF_SIZE_EVENT_##field)
	PUT(remote_port, peer_port(peer));
	PUT(local_port, OUR_PORT);
	PUT(snd_una, 7000);
	PUT(snd_nxt, 7000);
	PUT(rcv_nxt, PEER_ISN + 1);
	PUT(rcv_wnd, 0xfaf0);
#undef PUT
	if (sim_h2c(b->s, msg, sizeof msg))
		die("out of memory");
}

/* The peer's answer to our SYN or FIN, if one is due: SYN and ACK, or FIN and ACK. */
static void client_answer(struct bench *b, uint8_t command)
{
	uint32_t peer;

	if (!wire_free(b) || !answer_due(b, 0, &peer))
		return;
	if (command == HF_COMMAND_CONNECT)
		send_segment(b, GOOD_NET | peer, HF_SYN | HF_ACK, PEER_ISN, b->iss[peer] + 1, 0);
	else
		send_segment(b, GOOD_NET | peer, HF_FIN | HF_ACK, PEER_ISN + 1, b->iss[peer] + 1, 0);
}

/* One SYN-ACK for an idle engine. */
static void bench_client_latency(const struct width *w)
{
	struct bench *b = bench_open(w, NULL);

	b->client = true;
	send_command(b, HF_COMMAND_CONNECT, 1);
	settle(b);
	if (!b->answers_count)
		die("a CONNECT sent no SYN");
	client_answer(b, HF_COMMAND_CONNECT);
	settle(b);
	if (!b->last_ack)
		die("a SYN-ACK was not answered");
	report("syn_ack_to_ack_cycles", w, (double)(b->last_ack - b->last_beat), "cycles",
		"last beat of a minimum SYN-ACK in to first beat of its ACK out, idle engine");
	bench_close(b);
}

/* CONNECT or CLOSE as fast as the core takes them, answered at the wire limit. Returns how many per cycle came to
 * their end: ESTABLISHED, or TIME-WAIT. */
static double client_rate(const struct width *w, uint8_t command)
{
	struct bench *b = bench_open(w, NULL);
	uint64_t from = 0, to = 0, done = 0;

	b->client = true;
	while (!to) {
		client_answer(b, command);
		if (b->open < OPEN_AT_ONCE && sim_h2c_pending(b->s) < 2) {
			b->open++;
			send_command(b, command, b->next_peer++);
		}
		clock_once(b);
		done = b->established + b->closed;
		if (!from && done >= HANDSHAKES / 10)
			from = b->s->cycle;
		if (done >= HANDSHAKES / 10 * 9)
			to = b->s->cycle;
		if (b->next_peer > 2 * HANDSHAKES)
			die("commands fail");
	}
	bench_close(b);
	return HANDSHAKES / 10 * 8 / (double)(to - from);
}

static void bench_client(const struct width *w)
{
	const double opens = client_rate(w, HF_COMMAND_CONNECT), closes = client_rate(w, HF_COMMAND_CLOSE);

	report("active_opens_per_s", w, opens * w->clock_hz, "1/s",
		"CONNECT, SYN, SYN-ACK, ACK, event; established ones make room for the next; %s, with two frames out "
		"for each",
		w->wire);
	report("active_opens_per_1000_cycles", w, opens * 1000, "", "the same in clock cycles");
	report("closes_per_1000_cycles", w, closes * 1000, "",
		"CLOSE, FIN, FIN+ACK, ACK, event; TIME-WAIT entries make room for the next");
}

/* ---- the simulators ---- */

/* A line that is used to about a tenth: handshakes, data, and long gaps. */
static void record_ordinary(const struct width *w, struct stimulus *ordinary)
{
	struct bench *b = bench_open(w, ordinary);
	struct rng rng = { 1 };

	b->release = true;
	while (ordinary->count < ordinary->room) {
		if (!sim_rx_pending(b->s)) {
			handshake_feed(b);
			if (rng_percent(&rng, 60))
				send_segment(
					b, GOOD_NET | (uint16_t)rng_next(&rng), HF_ACK, 1, 1, rng_below(&rng, 1400));
			b->s->rx_gap = rng_below(&rng, 9600 / b->s->beat);
		}
		clock_once(b);
	}
	bench_close(b);
}

static void bench_speed(const struct width *w, const struct stimulus *busy, const struct stimulus *ordinary)
{
	/* What others rely on has no suffix. */
	const struct width *suffix = w->size == ENGINE_DEFAULT ? NULL : w;
	const uint64_t rtl = stimulus_cps(busy, ENGINE_RTL, w->size, TRIES);
	const uint64_t model = stimulus_cps(busy, ENGINE_MODEL, w->size, TRIES);
	const uint64_t lockstep = stimulus_cps(busy, ENGINE_LOCKSTEP, w->size, TRIES);
	const uint64_t rtl_ordinary = stimulus_cps(ordinary, ENGINE_RTL, w->size, TRIES);
	const uint64_t model_ordinary = stimulus_cps(ordinary, ENGINE_MODEL, w->size, TRIES);

	if (!rtl || !model || !lockstep || !rtl_ordinary || !model_ordinary)
		die("out of memory");
	report("rtl_cps", suffix, (double)rtl, "1/s",
		"clocks per second of processor time, Verilated RTL, handshakes at the wire limit");
	report("model_cps", suffix, (double)model, "1/s", "the same, C model");
	report("lockstep_cps", suffix, (double)lockstep, "1/s", "the same, both and the comparison of every pin");
	report("model_rtl_ratio_busy", suffix, (double)model / (double)rtl, "", "model_cps / rtl_cps");
	report("model_rtl_ratio_ordinary", suffix, (double)model_ordinary / (double)rtl_ordinary, "",
		"the same on a line used to about a tenth");
}

static void bench_width(const struct width *w)
{
	struct stimulus busy, ordinary;

	if (stimulus_init(&busy, RECORD_CYCLES) || stimulus_init(&ordinary, RECORD_CYCLES))
		die("out of memory");
	bench_latency(w);
	for (unsigned mode = NEVER; mode <= ALWAYS; mode++)
		bench_flood(w, mode);
	bench_stalled(w);
	bench_hidden(w, WATERMARK);
	bench_hidden(w, ALWAYS);
	bench_client_latency(w);
	bench_handshakes(w, &busy);
	bench_client(w);
	record_ordinary(w, &ordinary);
	bench_speed(w, &busy, &ordinary);
	stimulus_free(&busy);
	stimulus_free(&ordinary);
}

static void write_json(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	fprintf(f, "[\n");
	for (unsigned i = 0; i < result_count; i++)
		fprintf(f, "  {\"name\": \"%s\", \"value\": %.10g, \"unit\": \"%s\", \"note\": \"%s\"}%s\n",
			results[i].name, results[i].value, results[i].unit, results[i].note,
			i + 1 < result_count ? "," : "");
	fprintf(f, "]\n");
	if (fclose(f)) {
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void bench_usb(void)
{
	struct usb_bench b;

	if (usb_bench(&b))
		die("nothing came through the USB link");
	report("usb_up_pct", NULL, b.up_pct, "%",
		"of the FIFO's 60 MB/s: bytes of messages of 1,530, card to host alone");
	report("usb_down_pct", NULL, b.down_pct, "%", "the same, host to card alone");
	report("usb_both_up_pct", NULL, b.both_up_pct, "%", "both at once: card to host");
	report("usb_both_down_pct", NULL, b.both_down_pct, "%", "both at once: host to card");
	report("usb_event_first_byte_cycles", NULL, b.first_byte_cycles, "cycles",
		"first beat of 128 bytes on c2h to the first byte in the chip, at 156.25 MHz");
	report("usb_event_sent_cycles", NULL, b.sent_cycles, "cycles", "the same to SIWU#: the chip sends the packet");
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = { { "out", required_argument, NULL, 'o' },
		{ "data-width", required_argument, NULL, 'd' }, { 0 } };
	const char *path = "build/bench.json";
	enum engine_size only = ENGINE_SIZES;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'o')
			path = optarg;
		else if (c != 'd' || engine_width_parse(optarg, &only))
			break;
	}
	if (c != -1 || optind != argc) {
		fprintf(stderr, "bench: bad argument %s; usage: bench [--data-width 64|512] [--out FILE]\n",
			argv[c != -1 ? optind - 1 : optind]);
		return 2;
	}
	for (unsigned i = 0; i < sizeof widths / sizeof *widths; i++)
		if (only == ENGINE_SIZES || only == widths[i].size)
			bench_width(&widths[i]);
	if (only == ENGINE_SIZES || only == ENGINE_DEFAULT)
		bench_usb();

	for (unsigned i = 0; i < result_count; i++)
		printf("%-34s %14.10g %-7s %s\n", results[i].name, results[i].value, results[i].unit, results[i].note);
	write_json(path);
	printf("written to %s\n", path);
	return 0;
}
