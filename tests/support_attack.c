/* SPDX-License-Identifier: Apache-2.0
 * support_attack.c - see support_attack.h. */
#include "support_attack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../driver/message.h"
#include "../sim/traffic.h"

#define OUR_ADDR      0xc6336402u /* 198.51.100.2, ours */
#define GOOD_NET      0xc0000000u /* good peers: 192.0.0.0/12, the number in the low bits */
#define LIVE_NET      0xcb007100u /* 203.0.113.0/24: live connections */
#define DENIED_NET    0x0a010100u /* 10.1.1.0/24 and 10.1.2.0/24: for ATTACK_nets, under a rule each */
#define LIMITED_NET   0x0a010200u
#define OUR_PORT      443
#define CLOSED_PORT   25
#define GOOD_MAX      (1u << 20)
#define LIVE_MAX      64
#define LIVE_EVERY    500     /* frames */
#define ROUND_TRIP    5000    /* cycles until a good peer's ACK is on the wire, 32 us */
#define WINDOW_CYCLES 1562500 /* 10 ms at 156.25 MHz */
#define WINDOW_PARTS  10
#define WIRE_EXTRA    24 /* octets of preamble, FCS and gap around each frame */
#define DRAIN_CYCLES  60000
#define SETUP_CYCLES  4000

static const char *const names[] = {
#define FLOOD(name, text) #name,
#include "floods.def"
#undef FLOOD
};

static const char *const texts[] = {
#define FLOOD(name, text) text,
#include "floods.def"
#undef FLOOD
};

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 }, peer_mac[6] = { 2, 0, 0, 0, 0, 1 };

const char *attack_flood_name(unsigned flood)
{
	return flood < ATTACK_FLOODS ? names[flood] : NULL;
}

const char *attack_flood_text(unsigned flood)
{
	return flood < ATTACK_FLOODS ? texts[flood] : NULL;
}

enum stage { UNUSED, SYN_SENT, ACK_DUE, ACK_SENT, DONE };

/* A good peer's handshake. */
struct peer {
	enum stage stage;
	uint32_t iss; /* ours, from the SYN-ACK */
	uint64_t due; /* cycle of its ACK */
};

struct run {
	const struct attack *a;
	struct attack_result *r;
	struct sim *s;
	struct rng rng;
	struct frame frame;
	struct peer *good;
	uint32_t tried, *due, due_head, due_count; /* ring of peers whose ACK is due, in order */
	uint32_t live_irs[LIVE_MAX];
	bool adopted;
	uint32_t replay_seq, replay_ack; /* a cookie that was good, 0 = none yet */
	uint64_t wire_eighths;		 /* octets of wire time not yet used up by whole cycles */
	uint64_t in_part[WINDOW_PARTS], out_part[WINDOW_PARTS], part;
	bool hello;
	int error;
};

/* The wire -------------------------------------------------------------------------------------------------------- */

static struct segment segment_from(uint32_t addr, uint16_t port, uint16_t flags)
{
	struct segment g = { .src_addr = addr,
		.dst_addr = OUR_ADDR,
		.src_port = port,
		.dst_port = OUR_PORT,
		.flags = flags,
		.wnd = 64000 };

	memcpy(g.dst_mac, our_mac, 6);
	memcpy(g.src_mac, peer_mac, 6);
	return g;
}

/* Queue run->frame behind the one before, as late as the stated rate asks for. */
static void send_frame(struct run *run)
{
	size_t len = run->frame.len;
	uint64_t octets = (len + WIRE_EXTRA) * 100 / run->a->percent + run->wire_eighths;
	unsigned beats = (unsigned)((len + 7) / 8);

	run->s->rx_gap = (unsigned)(octets / 8) - beats;
	run->wire_eighths = octets % 8;
	if (sim_rx(run->s, run->frame.data, len, false))
		run->error = -ENOMEM;
	run->r->frames++;
	run->r->bytes_in += len;
	run->in_part[run->part] += len;
}

static void options_of_a_real_syn(struct run *run, struct segment *g)
{
	traffic_option_mss(g, 1460);
	traffic_option_sack(g);
	traffic_option_ts(g, (uint32_t)run->s->cycle, 0);
	traffic_option_ws(g, 7);
}

static void hostile_fragment(struct run *run)
{
	uint8_t *ip = run->frame.data + run->frame.l3;

	if (rng_percent(&run->rng, 50)) {
		packet_put16(ip + 6, 1); /* offset 1: would overwrite the flags, RFC 1858 */
	} else {
		packet_put16(ip + 6, 0x2000); /* MF, 16 octets of TCP: the flags are hidden */
		packet_put16(ip + 2, 36);
	}
	traffic_ip_checksum(&run->frame);
}

static void hostile_options(struct run *run, struct segment *g)
{
	static const uint8_t bad[][4] = { { 2, 0, 5, 0xb4 }, { 2, 1, 5, 0xb4 }, { 8, 10, 0, 0 }, { 3, 255, 7, 0 },
		{ 254, 0, 0, 0 } };

	memcpy(g->options, bad[rng_below(&run->rng, sizeof(bad) / sizeof(bad[0]))], 4);
	g->options_len = 4;
}

/* One frame of the flood. */
static void send_hostile(struct run *run)
{
	/* 10.0.0.0/8: nobody lives there. */
	struct segment g = segment_from(
		0x0a000000u | rng_below(&run->rng, 1 << 24), (uint16_t)(1024 + rng_below(&run->rng, 64000)), HF_SYN);

	g.seq = (uint32_t)rng_next(&run->rng);
	switch (run->a->flood) {
	case ATTACK_syn:
		break;
	case ATTACK_syn_opts:
		options_of_a_real_syn(run, &g);
		break;
	case ATTACK_syn6:
		g.ip6 = true;
		g.src_addr |= (hf_u128)0x20010db8 << 96;
		g.dst_addr = (hf_u128)0x20010db8 << 96 | 2;
		break;
	case ATTACK_guess:
		g.flags = HF_ACK;
		g.ack = g.seq + ((uint32_t)(run->s->time_ps / 1000 >> 36 & 3) << 29 | rng_below(&run->rng, 1 << 29));
		break;
	case ATTACK_ack:
		g.flags = HF_ACK;
		break;
	case ATTACK_data:
		g.flags = HF_ACK | HF_PSH;
		g.text_len = 64;
		break;
	case ATTACK_fin:
		g.flags = HF_ACK | HF_FIN;
		break;
	case ATTACK_rst:
		g.flags = HF_RST;
		break;
	case ATTACK_syn_ack:
		g.flags = HF_SYN | HF_ACK;
		break;
	case ATTACK_options:
		hostile_options(run, &g);
		break;
	case ATTACK_land:
		g.src_addr = OUR_ADDR;
		g.src_port = OUR_PORT;
		break;
	case ATTACK_replay:
		if (!run->replay_ack)
			break; /* SYNs until there is a cookie */
		g.src_addr = GOOD_NET;
		g.src_port = 1024;
		g.seq = run->replay_seq;
		g.ack = run->replay_ack;
		g.flags = HF_ACK;
		break;
	case ATTACK_one_tuple:
		g.src_addr = 0x0a000001;
		g.src_port = 1024;
		g.seq = 1;
		break;
	case ATTACK_closed:
		g.dst_port = CLOSED_PORT;
		break;
	case ATTACK_nets:
		g.src_addr = (rng_percent(&run->rng, 50) ? DENIED_NET : LIMITED_NET) | rng_below(&run->rng, 256);
		break;
	case ATTACK_fragment:
	case ATTACK_FLOODS:
		break;
	}
	if (g.flags & HF_ACK && !g.ack)
		g.ack = (uint32_t)rng_next(&run->rng);
	traffic_tcp(&run->frame, &g);
	if (run->a->flood == ATTACK_fragment)
		hostile_fragment(run);
	run->r->hostile++;
	send_frame(run);
}

static uint32_t good_seq(uint32_t peer)
{
	return peer * 2654435761u;
}

/* The next frame of a good peer: an ACK that is due, or a new SYN. */
static void send_good(struct run *run)
{
	uint32_t peer = run->tried;
	struct segment g;

	if (run->due_count && run->good[run->due[run->due_head]].due <= run->s->cycle) {
		peer = run->due[run->due_head];
		run->due_head = (run->due_head + 1) % GOOD_MAX;
		run->due_count--;
		g = segment_from(GOOD_NET + peer, 1024, HF_ACK);
		g.seq = good_seq(peer) + 1;
		g.ack = run->good[peer].iss + 1;
		run->good[peer].stage = ACK_SENT;
		if (!run->replay_ack) {
			run->replay_seq = g.seq;
			run->replay_ack = g.ack;
		}
	} else {
		if (run->tried == GOOD_MAX)
			return;
		run->tried++;
		run->r->good_tried++;
		g = segment_from(GOOD_NET + peer, 1024, HF_SYN);
		g.seq = good_seq(peer);
		traffic_option_mss(&g, 1460);
		run->good[peer].stage = SYN_SENT;
	}
	traffic_tcp(&run->frame, &g);
	send_frame(run);
}

static void send_live(struct run *run)
{
	unsigned n = rng_below(&run->rng, run->a->live);
	struct segment g = segment_from(LIVE_NET + n, (uint16_t)(2000 + n), HF_ACK | HF_PSH);

	g.seq = run->live_irs[n] + 1;
	g.ack = 1001;
	g.text_len = 10;
	traffic_tcp(&run->frame, &g);
	run->r->live_sent++;
	send_frame(run);
}

/* What comes out ---------------------------------------------------------------------------------------------------- */

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct run *run = ctx;
	struct packet p;

	(void)time_ns;
	if (!packet_parse(frame, len, &p))
		return;
	if (p.ethertype == PACKET_ETHERTYPE_ARP) { /* the host's own */
		run->r->host_sent += (len + 7) / 8;
		return;
	}
	run->r->bytes_out += len;
	run->out_part[run->part] += len;
	if (!p.is_tcp) { /* IPv6 */
		run->r->syn_acks += p.ethertype == PACKET_ETHERTYPE_IPV6;
		return;
	}
	run->r->resets += (p.flags & HF_RST) != 0;
	run->r->acks += p.flags == HF_ACK;
	run->r->live_reset += (p.flags & HF_RST) && (p.dst_addr & 0xffffff00u) == LIVE_NET;
	if ((p.flags & (HF_SYN | HF_ACK)) != (HF_SYN | HF_ACK))
		return;
	run->r->syn_acks++;
	if (p.dst_addr >= GOOD_NET && p.dst_addr < GOOD_NET + run->tried &&
		run->good[p.dst_addr - GOOD_NET].stage == SYN_SENT) {
		struct peer *peer = &run->good[p.dst_addr - GOOD_NET];

		*peer = (struct peer){ ACK_DUE, p.seq, cycle + ROUND_TRIP };
		run->due[(run->due_head + run->due_count++) % GOOD_MAX] = p.dst_addr - GOOD_NET;
	}
}

static void command(struct run *run, enum hf_command_code code, uint32_t id, uint8_t *body)
{
	uint8_t msg[128] = { 0 };
	size_t len = body ? sizeof(msg) : HF_MSG_HEADER_BYTES;

	if (body)
		memcpy(msg, body, sizeof(msg));
	PUT(msg, HEADER, type, HF_MSG_COMMAND);
	PUT(msg, HEADER, flags, code);
	PUT(msg, HEADER, length, len);
	PUT(msg, HEADER, id, id);
	if (sim_h2c(run->s, msg, len))
		run->error = -ENOMEM;
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct run *run = ctx;
	struct message_event e;
	struct packet p;
	uint32_t addr;

	(void)cycle;
	(void)time_ns;
	switch (GET(msg, HEADER, type)) {
	case HF_MSG_HELLO:
		run->hello = true;
		return;
	case HF_MSG_FRAME:
		run->r->to_host++;
		if (packet_parse(msg + HF_MSG_HEADER_BYTES, len - HF_MSG_HEADER_BYTES, &p) && p.is_tcp &&
			(p.src_addr & 0xffffff00u) == LIVE_NET)
			run->r->live_received++;
		return;
	case HF_MSG_EVENT:
		break;
	default:
		return;
	}
	e = message_event(msg);
	if (e.code != HF_EVENT_ESTABLISHED)
		return;
	addr = packet_get32(e.remote_addr + 12);
	if (addr >= GOOD_NET && addr < GOOD_NET + run->tried) {
		struct peer *peer = &run->good[addr - GOOD_NET];

		/* Once: the host has a socket for it, and knows a second event by its numbers. */
		run->r->good_done += peer->stage == ACK_SENT && e.iss == peer->iss;
		peer->stage = DONE;
	} else {
		run->r->hostile_done++;
	}
	if (e.id != HF_NO_ID)
		command(run, HF_COMMAND_RELEASE, e.id, NULL);
}

/* Setting up --------------------------------------------------------------------------------------------------------- */

static void set(struct run *run, uint32_t offset, uint32_t value)
{
	if (sim_reg_write(run->s, offset, value))
		run->error = -EIO;
}

static void run_until_quiet(struct run *run, uint64_t cycles)
{
	sim_settle(run->s, 2000, cycles);
}

static void adopt_live(struct run *run)
{
	for (unsigned n = 0; n < run->a->live; n++) {
		uint8_t body[128] = { 0 };

		PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
		memset(body + HF_AT_EVENT_remote_addr + 10, 0xff, 2);
		memset(body + HF_AT_EVENT_local_addr + 10, 0xff, 2);
		packet_put32(body + HF_AT_EVENT_remote_addr + 12, LIVE_NET + n);
		packet_put32(body + HF_AT_EVENT_local_addr + 12, OUR_ADDR);
		PUT(body, EVENT, remote_port, 2000 + n);
		PUT(body, EVENT, local_port, OUR_PORT);
		memcpy(body + HF_AT_EVENT_remote_mac, peer_mac, 6);
		PUT(body, EVENT, rcv_nxt, run->live_irs[n] + 1);
		PUT(body, EVENT, snd_nxt, 1001);
		PUT(body, EVENT, snd_una, 1001);
		command(run, HF_COMMAND_ADOPT, 0, body);
	}
}

static void configure(struct run *run)
{
	const struct attack *a = run->a;
	const struct {
		uint32_t offset, value;
	} settings[] = {
		{ HF_REG_MAC_LO, (uint32_t)message_get(our_mac, 4) },
		{ HF_REG_MAC_HI, (uint32_t)message_get(our_mac + 4, 2) },
		{ HF_REG_LOCAL_ADDR0, OUR_ADDR },
		{ HF_REG_LOCAL6_A0, 2 },
		{ HF_REG_LOCAL6_A3, 0x20010db8 },
		{ HF_REG_HEARTBEAT_MS, 0 },
		{ HF_REG_COOKIE, a->mode << HF_COOKIE_MODE_LOW | 1u << HF_COOKIE_LIFETIME_LOW },
		{ HF_REG_MISS_LIMIT, a->miss_per_ms | 10 * a->miss_per_ms << 16 },
		{ HF_REG_LISTEN_PORT, OUR_PORT },
		{ HF_REG_LISTEN_BACKLOG, 60000 },
		{ HF_REG_LISTEN_COMMIT, 1u << HF_LISTEN_COMMIT_MODE_LOW },
		{ HF_REG_LISTEN_OPTS, 15 },
		{ HF_REG_LISTEN_COMMIT, 1u << HF_LISTEN_COMMIT_MODE_LOW | 1 },
	};

	for (unsigned i = 0; i < 4; i++) {
		set(run, HF_REG_KEY_INDEX0 + 4 * i, (uint32_t)rng_next(&run->rng));
		set(run, HF_REG_KEY_ISN0 + 4 * i, (uint32_t)rng_next(&run->rng));
		set(run, HF_REG_KEY_COOKIE_A0 + 4 * i, (uint32_t)rng_next(&run->rng));
	}
	for (unsigned i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		set(run, settings[i].offset, settings[i].value);
	for (unsigned i = 0; a->flood == ATTACK_nets && i < 2; i++) {
		set(run, HF_REG_RULE_ADDR0, i ? LIMITED_NET : DENIED_NET);
		set(run, HF_REG_RULE_ADDR1, 0xffff);
		set(run, HF_REG_RULE_MASK_LEN, 96 + 24);
		set(run, HF_REG_RULE_RATE, i ? ATTACK_NETS_RATE : 0);
		set(run, HF_REG_RULE_BURST, ATTACK_NETS_BURST);
		set(run, HF_REG_RULE_COMMIT, i | 1u << HF_RULE_COMMIT_VALID_LOW);
	}
	set(run, HF_REG_CTRL, 1u << HF_CTRL_ENABLE_LOW);
}

/* The board comes out of reset, and the host sets it up and adopts what lives. */
static void set_up(struct run *run)
{
	for (unsigned i = 0; i < SETUP_CYCLES && !run->hello; i++)
		sim_step(run->s);
	if (!run->hello)
		run->error = -EIO;
	configure(run);
	adopt_live(run);
	run_until_quiet(run, 100000);
	if (run->a->complete)
		set(run, HF_REG_CACHE, 1u << HF_CACHE_COMPLETE_LOW);
}

/* A reset in the middle of the flood: frames keep coming while the host does its work. */
static void reset_board(struct run *run)
{
	run->hello = false;
	sim_reset(run->s, 4);
	for (unsigned i = 0; i < SETUP_CYCLES && !run->hello && !run->error; i++) {
		if (!sim_rx_pending(run->s))
			send_hostile(run);
		sim_step(run->s);
	}
	if (!run->hello)
		run->error = -EIO;
	configure(run);
	adopt_live(run);
}

/* The run ------------------------------------------------------------------------------------------------------------ */

/* The worst sum of out to in over the last ten parts, each a millisecond. */
static void close_part(struct run *run)
{
	uint64_t in = 0, out = 0;

	for (unsigned i = 0; i < WINDOW_PARTS; i++) {
		in += run->in_part[i];
		out += run->out_part[i];
	}
	if (in && (double)out / (double)in > run->r->out_per_in)
		run->r->out_per_in = (double)out / (double)in;
	run->part = (run->part + 1) % WINDOW_PARTS;
	run->in_part[run->part] = run->out_part[run->part] = 0;
}

/* A frame of the host's: ARP, as far as the board cares. */
static void host_frame(struct run *run)
{
	uint8_t msg[HF_MSG_HEADER_BYTES + 1500] = { 0 };

	PUT(msg, HEADER, type, HF_MSG_FRAME);
	PUT(msg, HEADER, length, sizeof(msg));
	packet_put16(msg + HF_MSG_HEADER_BYTES + 12, PACKET_ETHERTYPE_ARP);
	if (sim_h2c(run->s, msg, sizeof(msg)))
		run->error = -ENOMEM;
}

static void next_frame(struct run *run)
{
	const struct attack *a = run->a;
	uint64_t n = run->r->frames;

	if (a->reset_at && n == a->reset_at)
		reset_board(run);
	if (a->live && n % LIVE_EVERY == LIVE_EVERY - 1)
		send_live(run);
	else if (rng_percent(&run->rng, a->good_percent))
		send_good(run);
	else
		send_hostile(run);
}

static void flood(struct run *run)
{
	const uint64_t start = run->s->cycle;
	uint64_t part_end = start + WINDOW_CYCLES / WINDOW_PARTS;

	while (!run->error && (run->r->frames < run->a->frames || sim_rx_pending(run->s))) {
		if (run->r->frames < run->a->frames && !sim_rx_pending(run->s))
			next_frame(run);
		if (run->a->host_sends && !sim_h2c_pending(run->s))
			host_frame(run);
		run->s->hold_c2h = run->a->slow_host && run->s->cycle % 16;
		sim_step(run->s);
		if (run->s->cycle >= part_end) {
			close_part(run);
			part_end += WINDOW_CYCLES / WINDOW_PARTS;
		}
	}
	close_part(run);
	run->r->cycles = run->s->cycle - start;
}

/* The ACKs that are still due, and what they bring. */
static void drain(struct run *run)
{
	uint64_t end = run->s->cycle + DRAIN_CYCLES;

	run->s->hold_c2h = false;
	while (!run->error && (run->s->cycle < end || run->due_count)) {
		if (run->due_count && !sim_rx_pending(run->s) &&
			run->good[run->due[run->due_head]].due <= run->s->cycle)
			send_good(run);
		sim_step(run->s);
	}
	run_until_quiet(run, 1000000);
}

int attack_run(const struct attack *a, struct attack_result *r)
{
	struct run run = { .a = a, .r = r, .rng = { a->seed } };

	if ((unsigned)a->flood >= ATTACK_FLOODS || !a->frames || a->percent < 1 || a->percent > 100 ||
		a->good_percent > 100 || a->live > LIVE_MAX || a->mode > 2 || a->miss_per_ms > 6000)
		return -EINVAL;
	memset(r, 0, sizeof(*r));
	run.s = sim_open(a->engine, ENGINE_DEFAULT, a->seed);
	run.good = calloc(GOOD_MAX, sizeof(*run.good));
	run.due = calloc(GOOD_MAX, sizeof(*run.due));
	if (run.s && run.good && run.due) {
		run.s->ctx = &run;
		run.s->on.tx = on_tx;
		run.s->on.c2h = on_c2h;
		for (unsigned n = 0; n < LIVE_MAX; n++)
			run.live_irs[n] = (uint32_t)rng_next(&run.rng);
		set_up(&run);
		if (!run.error)
			flood(&run);
		if (!run.error)
			drain(&run);
		for (unsigned i = 0; i < HF_CNT_COUNT && !run.error; i++) {
			if (sim_counter(run.s, i, &r->counter[i]))
				run.error = -EIO;
		}
		r->mismatches = engine_mismatches(run.s->engine);
		r->faults = run.s->faults;
	} else {
		run.error = -ENOMEM;
	}
	if (run.s)
		sim_close(run.s);
	free(run.good);
	free(run.due);
	return run.error;
}
