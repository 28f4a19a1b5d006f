/* SPDX-License-Identifier: Apache-2.0
 * main_bench.c - speed of the core in its own clock cycles, and of its simulations in clocks per second.
 * Writes a JSON list and prints the same as a table. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../regs/regs.h"
#include "stimulus.h"
#include "traffic.h"

#define CLOCK_HZ     156250000.0 /* 10 GbE, 64 bits per clock */
#define SLOTS	     1024u	 /* of the default geometry */
#define OPEN_AT_ONCE 64u	 /* handshakes under way in the throughput run */
#define BUSY_CYCLES  300000u
#define TRIES	     3u
#define PEER_NET     0x0a4d0000u
#define OUR_ADDR     0x0a010001u
#define OUR_PORT     80

static const uint8_t our_mac[6] = { 0x02, 0xf0, 0x0d, 0x00, 0x00, 0x01 };

struct result {
	const char *name, *unit, *note;
	double value;
};

static struct result results[16];
static unsigned result_count;

static void report(const char *name, double value, const char *unit, const char *note)
{
	results[result_count++] = (struct result){ name, unit, note, value };
}

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

/* What one run looks for; peers are known by the lower half of their address. */
struct bench {
	struct sim *s;
	struct frame frame;
	uint64_t last_beat, trace, first_reply, last_reply, last_ack; /* cycles; 0 = not yet */
	uint64_t replies, established, closed;
	bool accepted;		 /* the last traced op was a SYN that took an entry */
	bool release;		 /* give connections back as soon as they are established */
	bool client;		 /* the host opens or closes, and peers answer its SYN or FIN */
	uint16_t answers[65536]; /* ring of peers that owe their answer */
	unsigned answers_head, answers_count;
	uint32_t iss[65536];
	uint16_t next_peer;
	unsigned open;
	uint64_t frames;
	struct stimulus *record; /* or NULL */
};

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct bench *b = ctx;
	struct packet p;

	(void)time_ns;
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
	b->iss[p.dst_addr & 0xffff] = p.seq;
	b->answers[(b->answers_head + b->answers_count++) & 0xffff] = (uint16_t)p.dst_addr;
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
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
	if (!b->release)
		return;
	traffic_message(command, HF_MSG_COMMAND, HF_COMMAND_RELEASE, sizeof command, 0, 0, sizeof command);
	memcpy(command + HF_AT_HEADER_id, msg + HF_AT_HEADER_id, 4);
	if (sim_h2c(b->s, command, sizeof command))
		die("out of memory");
}

static void on_trace(void *ctx, const struct hf_out *out, uint64_t cycle, uint64_t time_ns)
{
	struct bench *b = ctx;

	(void)time_ns;
	b->trace = cycle;
	b->accepted = out->trc_write && out->trc_entry.state == HF_STATE_SYN_RECEIVED;
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

static struct bench *bench_open(enum engine_kind kind, struct stimulus *record)
{
	struct bench *b = calloc(1, sizeof *b);

	if (b)
		b->s = sim_open(kind, ENGINE_DEFAULT, 1);
	if (!b || !b->s)
		die("out of memory");
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

static uint16_t peer_port(uint16_t peer)
{
	return (uint16_t)(1024 + peer % 60000);
}

static void send_segment(struct bench *b, uint16_t peer, uint16_t flags, uint32_t seq, uint32_t ack, size_t text)
{
	struct segment g = { .src_mac = { 2, 0, 0, 9, (uint8_t)(peer >> 8), (uint8_t)peer },
		.src_addr = PEER_NET | peer,
		.dst_addr = OUR_ADDR,
		.src_port = peer_port(peer),
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
	b->frames++;
}

/* 8 beats and 2.5 idle cycles: preamble, FCS and the gap between minimum frames. */
static void wire_rate(struct bench *b)
{
	b->s->rx_gap = 2 + (b->frames & 1);
}

/* One SYN into an idle engine, and where its cycles go: only what the pins show is measured, the rest is read off
 * the timing table of docs/architecture.md. */
static void bench_latency(void)
{
	struct bench *b = bench_open(ENGINE_RTL, NULL);
	uint64_t op, out;

	send_segment(b, 1, HF_SYN, 1000, 0, 0);
	sim_settle(b->s, 100, 10000);
	if (!b->replies)
		die("a SYN was not answered");
	op = b->trace - b->last_beat;
	out = b->first_reply - b->last_beat;
	report("syn_to_synack_cycles_64", (double)out, "cycles",
		"last beat of a minimum SYN in to first beat of its SYN-ACK out, idle engine");
	printf("where the %" PRIu64 " cycles of a SYN go (0 = its last beat):\n", out);
	printf("  %2d to %2" PRIu64 "  checksums end, descriptor queued, hash of the ports' beat awaited\n", 1, op - 6);
	printf("  %2" PRIu64 " to %2" PRIu64 "  op: issue, tags and listeners, entry, tcp_fsm, write-back\n", op - 5,
		op - 1);
	printf("  %2" PRIu64 " to %2" PRIu64 "  tx_builder: both checksums of the reply\n", op, op + 1);
	printf("  %2" PRIu64 " to %2" PRIu64 "  first beat offered; output register; on the pins in cycle %" PRIu64
	       "\n\n",
		op + 2, out - 1, out);
	bench_close(b);
}

/* Peers whose SYNs find a way, tried out on the model: together they fill the table to the last entry. */
static unsigned peers_that_fit(uint16_t *peers)
{
	struct bench *b = bench_open(ENGINE_MODEL, NULL);
	unsigned n = 0;

	for (unsigned peer = 0; peer < 65536 && n < SLOTS; peer++) {
		b->accepted = false;
		send_segment(b, (uint16_t)peer, HF_SYN, 1000, 0, 0);
		sim_settle(b->s, 30, 1000);
		if (b->accepted)
			peers[n++] = (uint16_t)peer;
	}
	bench_close(b);
	return n;
}

static void bench_flood(void)
{
	static uint16_t peers[SLOTS];
	const unsigned n = peers_that_fit(peers);
	struct bench *b = bench_open(ENGINE_RTL, NULL);

	for (unsigned i = 0; i < n; i++) {
		wire_rate(b);
		send_segment(b, peers[i], HF_SYN, 1000, 0, 0);
		while (sim_rx_pending(b->s))
			sim_step(b->s);
	}
	sim_settle(b->s, 100, 10000);
	report("syn_flood_cycles_per_syn_64", (double)(b->last_reply - b->first_reply) / (double)(b->replies - 1),
		"cycles",
		"minimum SYNs at the 10 GbE wire limit, one per 10.5 cycles, until all 1,024 entries are taken");
	report("syn_flood_answered_pct_64", 100.0 * (double)b->replies / n, "%",
		"of these SYNs; each has a free way in its set");
	bench_close(b);
}

/* One step of peers that shake hands as fast as the wire allows: an ACK that is due, else a new SYN. */
static void handshake_feed(struct bench *b)
{
	if (sim_rx_pending(b->s))
		return;
	wire_rate(b);
	if (b->answers_count) {
		const uint16_t peer = b->answers[b->answers_head++ & 0xffff];

		b->answers_count--;
		send_segment(b, peer, HF_ACK, 1001, b->iss[peer] + 1, 0);
	} else if (b->open < OPEN_AT_ONCE) {
		b->open++;
		send_segment(b, b->next_peer++, HF_SYN, 1000, 0, 0);
	}
}

static void bench_handshakes(struct stimulus *busy)
{
	struct bench *b = bench_open(ENGINE_RTL, busy);
	uint64_t established = 0, from = 0;

	b->release = true;
	for (unsigned i = 0; i < BUSY_CYCLES; i++) {
		if (i == BUSY_CYCLES / 10) {
			established = b->established;
			from = b->s->cycle;
		}
		handshake_feed(b);
		sim_step(b->s);
	}
	report("handshakes_per_s_64", (double)(b->established - established) / (double)(b->s->cycle - from) * CLOCK_HZ,
		"1/s",
		"SYN and ACK of minimum size at the 10 GbE wire limit (7.44 M/s), RELEASE after each event, 156.25 "
		"MHz");
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
static void send_command(struct bench *b, uint8_t command, uint16_t peer)
{
	uint8_t msg[HF_AT_EVENT_rto_ms + HF_SIZE_EVENT_rto_ms];

	traffic_message(msg, HF_MSG_COMMAND, command, sizeof msg, 0, peer, sizeof msg);
	msg[HF_AT_EVENT_state] = HF_STATE_ESTABLISHED;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *addr = msg + (i ? HF_AT_EVENT_local_addr : HF_AT_EVENT_remote_addr);

		addr[10] = addr[11] = 0xff;
		packet_put32(addr + 12, i ? OUR_ADDR : PEER_NET | peer);
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

/* The peer's answer to our SYN or FIN: SYN and ACK, or FIN and ACK. */
static void client_answer(struct bench *b, uint8_t command)
{
	const uint16_t peer = b->answers[b->answers_head++ & 0xffff];

	b->answers_count--;
	if (command == HF_COMMAND_CONNECT)
		send_segment(b, peer, HF_SYN | HF_ACK, PEER_ISN, b->iss[peer] + 1, 0);
	else
		send_segment(b, peer, HF_FIN | HF_ACK, PEER_ISN + 1, b->iss[peer] + 1, 0);
}

/* One SYN-ACK for an idle engine. */
static void bench_client_latency(void)
{
	struct bench *b = bench_open(ENGINE_RTL, NULL);

	b->client = true;
	send_command(b, HF_COMMAND_CONNECT, 1);
	sim_settle(b->s, 100, 10000);
	if (!b->answers_count)
		die("a CONNECT sent no SYN");
	client_answer(b, HF_COMMAND_CONNECT);
	sim_settle(b->s, 100, 10000);
	if (!b->last_ack)
		die("a SYN-ACK was not answered");
	report("syn_ack_to_ack_cycles_64", (double)(b->last_ack - b->last_beat), "cycles",
		"last beat of a minimum SYN-ACK in to first beat of its ACK out, idle engine");
	bench_close(b);
}

/* CONNECT or CLOSE as fast as the core takes them, answered at the wire limit. Returns how many per cycle came to
 * their end: ESTABLISHED, or TIME-WAIT. */
static double client_rate(uint8_t command)
{
	struct bench *b = bench_open(ENGINE_RTL, NULL);
	uint64_t done = 0, from = 0;
	double rate;

	b->client = b->release = true;
	for (unsigned i = 0; i < BUSY_CYCLES; i++) {
		if (i == BUSY_CYCLES / 10) {
			done = b->established + b->closed;
			from = b->s->cycle;
		}
		if (b->answers_count && !sim_rx_pending(b->s)) {
			wire_rate(b);
			client_answer(b, command);
		}
		if (b->open < OPEN_AT_ONCE && sim_h2c_pending(b->s) < 2) {
			b->open++;
			send_command(b, command, b->next_peer++);
		}
		sim_step(b->s);
	}
	rate = (double)(b->established + b->closed - done) / (double)(b->s->cycle - from);
	bench_close(b);
	return rate;
}

static void bench_client(void)
{
	const double opens = client_rate(HF_COMMAND_CONNECT), closes = client_rate(HF_COMMAND_CLOSE);

	report("active_opens_per_s_64", opens * CLOCK_HZ, "1/s",
		"CONNECT, SYN, SYN-ACK, ACK, event, RELEASE; as fast as the core takes commands, 156.25 MHz");
	report("active_opens_per_1000_cycles", opens * 1000, "", "the same in clock cycles");
	report("closes_per_1000_cycles", closes * 1000, "",
		"CLOSE, FIN, FIN+ACK, ACK, event; TIME-WAIT entries make room for the next");
}

/* A line that is used to about a tenth: handshakes, data, and long gaps. */
static void record_ordinary(struct stimulus *ordinary)
{
	struct bench *b = bench_open(ENGINE_RTL, ordinary);
	struct rng rng = { 1 };

	b->release = true;
	for (unsigned i = 0; i < BUSY_CYCLES; i++) {
		if (!sim_rx_pending(b->s)) {
			handshake_feed(b);
			if (rng_percent(&rng, 60))
				send_segment(b, (uint16_t)rng_next(&rng), HF_ACK, 1, 1, rng_below(&rng, 1400));
			b->s->rx_gap = rng_below(&rng, 1200);
		}
		sim_step(b->s);
	}
	bench_close(b);
}

static void bench_speed(const struct stimulus *busy, const struct stimulus *ordinary)
{
	const uint64_t rtl = stimulus_cps(busy, ENGINE_RTL, ENGINE_DEFAULT, TRIES);
	const uint64_t model = stimulus_cps(busy, ENGINE_MODEL, ENGINE_DEFAULT, TRIES);
	const uint64_t lockstep = stimulus_cps(busy, ENGINE_LOCKSTEP, ENGINE_DEFAULT, TRIES);
	const uint64_t rtl_ordinary = stimulus_cps(ordinary, ENGINE_RTL, ENGINE_DEFAULT, TRIES);
	const uint64_t model_ordinary = stimulus_cps(ordinary, ENGINE_MODEL, ENGINE_DEFAULT, TRIES);

	if (!rtl || !model || !lockstep || !rtl_ordinary || !model_ordinary)
		die("out of memory");
	report("rtl_cps", (double)rtl, "1/s",
		"clocks per second of processor time, Verilated RTL, handshakes at the wire limit");
	report("model_cps", (double)model, "1/s", "the same, C model");
	report("lockstep_cps", (double)lockstep, "1/s", "the same, both and the comparison of every pin");
	report("model_rtl_ratio_busy", (double)model / (double)rtl, "", "model_cps / rtl_cps");
	report("model_rtl_ratio_ordinary", (double)model_ordinary / (double)rtl_ordinary, "",
		"the same on a line used to about a tenth");
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

int main(int argc, char **argv)
{
	static const struct option long_options[] = { { "out", required_argument, NULL, 'o' }, { 0 } };
	const char *path = "build/bench.json";
	struct stimulus busy, ordinary;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) == 'o')
		path = optarg;
	if (c != -1 || optind != argc) {
		fprintf(stderr, "bench: bad argument %s; usage: bench [--out FILE]\n",
			argv[c != -1 ? optind - 1 : optind]);
		return 2;
	}
	if (stimulus_init(&busy, BUSY_CYCLES) || stimulus_init(&ordinary, BUSY_CYCLES))
		die("out of memory");
	bench_latency();
	bench_flood();
	bench_client_latency();
	bench_handshakes(&busy);
	bench_client();
	record_ordinary(&ordinary);
	bench_speed(&busy, &ordinary);
	stimulus_free(&busy);
	stimulus_free(&ordinary);

	for (unsigned i = 0; i < result_count; i++)
		printf("%-28s %14.10g %-7s %s\n", results[i].name, results[i].value, results[i].unit, results[i].note);
	write_json(path);
	printf("written to %s\n", path);
	return 0;
}
