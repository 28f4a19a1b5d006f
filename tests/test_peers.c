/* SPDX-License-Identifier: Apache-2.0
 * test_peers.c - two boards back to back: both open at the same time, both close at the same time, with the frames on the
 * wire between them delivered in every order there is, and with any one of them lost or doubled (RFC 9293 3.5, 3.6).
 * Each order is one run from the start; an odometer of choices steps through them. The kernels and lwIP as peers are
 * tests/peers/run. */
#include <CUnit/CUnit.h>

#include "../driver/message.h"
#include "support_bench.h"
#include "support_peer.h"

enum { FRAMES = 64, CHOICES = 96, BODY_BYTES = 128, PATIENCE_S = 200, TIME_WAIT_S = 61, RUNS_MAX = 200000 };
enum { PORT_A = 5001, PORT_B = 5002 };

/* One board, and the frames it has put on the wire. */
struct node {
	struct sim *sim;
	uint32_t addr;
	uint64_t mac;
	uint16_t port;
	struct {
		size_t len;
		uint8_t bytes[128];
	} frame[FRAMES];
	unsigned frames;
	unsigned established, closed, other_events, completions, status, strangers;
	uint8_t event[BODY_BYTES]; /* the ESTABLISHED event */
	struct tcp_peer host;	   /* who owns the connection from then on, until CLOSE */
	bool owns;
	uint64_t now_ms;
};

struct wire {
	struct node node[2];
	bool in_order;	/* frames of one direction do not overtake one another */
	unsigned spare; /* frames that may still be lost or doubled */
	unsigned seconds;
};

/* The choices of this run; `made` of them so far. */
static struct {
	unsigned choice[CHOICES], of[CHOICES], made;
} odometer;

static unsigned choose(unsigned of)
{
	if (odometer.made == CHOICES)
		return 0;
	odometer.of[odometer.made] = of;
	return odometer.choice[odometer.made++];
}

/* To the next order; false after the last. */
static bool odometer_step(void)
{
	while (odometer.made) {
		unsigned last = --odometer.made;

		if (++odometer.choice[last] < odometer.of[last]) {
			odometer.made = 0;
			return true;
		}
		odometer.choice[last] = 0;
	}
	return false;
}

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct node *n = ctx;

	(void)cycle, (void)time_ns;
	if (!CHECK(n->frames < FRAMES && len <= sizeof(n->frame[0].bytes), "%u frames on the wire", n->frames))
		return;
	n->frame[n->frames].len = len;
	memcpy(n->frame[n->frames++].bytes, frame, len);
}

static void host_emit(void *ctx, const uint8_t *frame, size_t len)
{
	struct node *n = ctx;
	uint8_t msg[HF_MSG_HEADER_BYTES + 256] = { 0 };

	PUT(msg, HEADER, type, HF_MSG_FRAME);
	PUT(msg, HEADER, length, HF_MSG_HEADER_BYTES + len);
	memcpy(msg + HF_MSG_HEADER_BYTES, frame, len);
	sim_h2c(n->sim, msg, HF_MSG_HEADER_BYTES + len);
}

/* The kernel's part: an ACK for what a host-owned connection has already had. */
static void on_frame(struct node *n, const uint8_t *msg, size_t len)
{
	struct packet seg;

	if (!(GET(msg, HEADER, flags) & HF_FRAME_CONN) ||
		!packet_parse(msg + HF_MSG_HEADER_BYTES, len - HF_MSG_HEADER_BYTES, &seg) || !seg.is_tcp)
		n->strangers++;
	else if (n->owns)
		peer_input(&n->host, &seg, n->now_ms);
}

static void own(struct node *n, const struct node *peer)
{
	n->host = (struct tcp_peer){ .local_addr = n->addr,
		.remote_addr = peer->addr,
		.local_port = n->port,
		.remote_port = peer->port,
		.emit = host_emit,
		.ctx = n };
	put48(n->host.local_mac, n->mac);
	put48(n->host.remote_mac, peer->mac);
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct node *n = ctx;

	(void)cycle, (void)time_ns;
	switch (GET(msg, HEADER, type)) {
	case HF_MSG_FRAME:
		on_frame(n, msg, len);
		break;
	case HF_MSG_COMPLETION:
		n->completions++;
		n->status = (unsigned)GET(msg, HEADER, flags);
		break;
	case HF_MSG_EVENT:
		if (GET(msg, EVENT, code) == HF_EVENT_ESTABLISHED) {
			n->established++;
			memcpy(n->event, msg, BODY_BYTES);
			peer_adopt(&n->host, msg, n->now_ms);
			n->owns = true;
		} else if (GET(msg, EVENT, code) == HF_EVENT_CLOSED) {
			n->closed++;
		} else if (GET(msg, EVENT, code) != HF_EVENT_RETRYING) {
			n->other_events++;
		}
		break;
	}
}

static void settle(struct node *n)
{
	sim_settle(n->sim, 100, 100000);
}

static void node_open(struct node *n, bool first)
{
	n->addr = first ? PEER_ADDR : OUR_ADDR;
	n->mac = first ? PEER_MAC : OUR_MAC;
	n->port = first ? PORT_A : PORT_B;
	n->sim = sim_open(bench_target(), ENGINE_SMALL, first ? 1 : 2);
	n->sim->tick_by_hand = true;
	n->sim->on = (struct sim_events){ .tx = on_tx, .c2h = on_c2h };
	n->sim->ctx = n;
	settle(n);
	/* The MAC's first octet is the register's lowest. */
	sim_reg_write(n->sim, HF_REG_MAC_LO,
		(uint32_t)(n->mac >> 40 & 0xff) | (uint32_t)(n->mac >> 32 & 0xff) << 8 |
			(uint32_t)(n->mac >> 24 & 0xff) << 16 | (uint32_t)(n->mac >> 16 & 0xff) << 24);
	sim_reg_write(n->sim, HF_REG_MAC_HI, (uint32_t)(n->mac >> 8 & 0xff) | (uint32_t)(n->mac & 0xff) << 8);
	sim_reg_write(n->sim, HF_REG_HEARTBEAT_MS, 0);
	for (unsigned i = 0; i < 8; i++)
		sim_reg_write(n->sim, (i < 4 ? HF_REG_KEY_INDEX0 : HF_REG_KEY_ISN0) + 4 * (i % 4),
			(first ? 0x1234567u : 0x89abcdefu) * (i + 1));
	sim_reg_write(n->sim, HF_REG_CTRL, CTRL_ENABLE);
}

static void put_mapped(uint8_t *at, uint32_t addr)
{
	memset(at, 0, 10);
	at[10] = at[11] = 0xff;
	put32(at + 12, addr);
}

static void command(struct node *n, unsigned code, const uint8_t *body)
{
	uint8_t msg[BODY_BYTES];
	unsigned before = n->completions;

	memcpy(msg, body, sizeof(msg));
	PUT(msg, HEADER, type, HF_MSG_COMMAND);
	PUT(msg, HEADER, flags, code);
	PUT(msg, HEADER, length, sizeof(msg));
	sim_h2c(n->sim, msg, sizeof(msg));
	settle(n);
	CHECK(n->completions == before + 1 && n->status == HF_STATUS_OK, "command %u: %u completions, status %u", code,
		n->completions - before, n->status);
}

static void connect_to(struct node *n, const struct node *peer)
{
	uint8_t body[BODY_BYTES] = { 0 };

	put_mapped(body + HF_AT_EVENT_remote_addr, peer->addr);
	put_mapped(body + HF_AT_EVENT_local_addr, n->addr);
	PUT(body, EVENT, remote_port, peer->port);
	PUT(body, EVENT, local_port, n->port);
	put48(body + HF_AT_EVENT_remote_mac, peer->mac);
	PUT(body, EVENT, options, 7);
	command(n, HF_COMMAND_CONNECT, body);
}

static void seconds_pass(struct wire *w, unsigned s)
{
	for (unsigned i = 0; i < 2; i++) {
		w->node[i].now_ms += 1000 * s;
		sim_tick(w->node[i].sim, 1000 * s, 1);
		settle(&w->node[i]);
	}
	w->seconds += s;
}

static void take_out(struct node *n, unsigned at)
{
	n->frames--;
	memmove(&n->frame[at], &n->frame[at + 1], (n->frames - at) * sizeof(n->frame[0]));
}

/* One frame goes over the wire, is lost, or goes and stays to come again. Returns false when there is none. */
static bool deliver_one(struct wire *w)
{
	unsigned can[2], which, direction, fate = 0;

	for (unsigned i = 0; i < 2; i++)
		can[i] = w->in_order && w->node[i].frames ? 1 : w->node[i].frames;
	if (!(can[0] + can[1]))
		return false;
	which = can[0] + can[1] > 1 ? choose(can[0] + can[1]) : 0;
	direction = which >= can[0];
	which -= direction ? can[0] : 0;
	if (w->spare) {
		fate = choose(3);
		w->spare -= fate != 0;
	}
	if (fate != 1) {
		struct node *to = &w->node[!direction];

		sim_rx(to->sim, w->node[direction].frame[which].bytes, w->node[direction].frame[which].len, false);
		if (fate != 2)
			take_out(&w->node[direction], which);
		settle(to);
	} else {
		take_out(&w->node[direction], which);
	}
	return true;
}

static void wire_open(struct wire *w, bool in_order, unsigned spare)
{
	memset(w, 0, sizeof(*w));
	w->in_order = in_order;
	w->spare = spare;
	for (unsigned i = 0; i < 2; i++)
		node_open(&w->node[i], i == 0);
	for (unsigned i = 0; i < 2; i++)
		own(&w->node[i], &w->node[!i]);
}

static void wire_close(struct wire *w)
{
	for (unsigned i = 0; i < 2; i++) {
		CHECK(!engine_mismatches(w->node[i].sim->engine), "%s", engine_first_mismatch(w->node[i].sim->engine));
		CHECK(!w->node[i].sim->faults, "%s", w->node[i].sim->fault);
		sim_close(w->node[i].sim);
	}
}

static uint32_t entries(struct node *n)
{
	uint32_t value = ~0u;

	sim_reg_read(n->sim, HF_REG_ENTRIES, &value);
	return value;
}

/* Both have sent their SYN; everything else follows. */
static void open_both(struct wire *w)
{
	connect_to(&w->node[0], &w->node[1]);
	connect_to(&w->node[1], &w->node[0]);
	while (w->seconds < PATIENCE_S) {
		if (deliver_one(w))
			continue;
		if (w->node[0].established && w->node[1].established)
			break;
		seconds_pass(w, 1);
	}
}

#define FIELD_OF(n, f) ((uint32_t)GET((n)->event, EVENT, f))

static void check_established(struct wire *w)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct node *n = &w->node[i], *peer = &w->node[!i];

		CHECK_EQ(n->established, 1, "ESTABLISHED events");
		CHECK_EQ(n->other_events, 0, "events of a failure");
		CHECK_EQ(n->strangers, 0, "frames that belong to no entry");
		CHECK(n->owns && n->host.state == HF_STATE_ESTABLISHED, "the host's state");
		CHECK_EQ(FIELD_OF(n, snd_nxt), FIELD_OF(peer, rcv_nxt), "SND.NXT and the peer's RCV.NXT");
		CHECK_EQ(FIELD_OF(n, snd_una), FIELD_OF(n, snd_nxt), "SND.UNA");
		CHECK_EQ(FIELD_OF(n, iss), FIELD_OF(peer, irs), "ISS and the peer's IRS");
		CHECK_EQ(FIELD_OF(n, options) & 7, 7, "options");
		CHECK_EQ(FIELD_OF(n, listener) >> 6 & 1, 1, "active");
	}
}

/* As the host would: the connection as the event told it. */
static void close_both(struct wire *w)
{
	uint8_t body[2][BODY_BYTES];

	for (unsigned i = 0; i < 2; i++) {
		memcpy(body[i], w->node[i].event, BODY_BYTES);
		PUT(body[i], EVENT, rto_ms, 1000);
		PUT(body[i], EVENT, ts_recent, w->node[i].host.ts_recent);
		w->node[i].owns = false;
		command(&w->node[i], HF_COMMAND_CLOSE, body[i]);
	}
	while (w->seconds < PATIENCE_S) {
		if (deliver_one(w))
			continue;
		if (w->node[0].closed && w->node[1].closed)
			break;
		seconds_pass(w, 1);
	}
	seconds_pass(w, TIME_WAIT_S);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(w->node[i].closed, 1, "CLOSED events");
		CHECK_EQ(w->node[i].other_events, 0, "events of a failure");
		CHECK_EQ(w->node[i].frames, 0, "frames out in TIME-WAIT");
		CHECK_EQ(entries(&w->node[i]), 0, "entries left");
	}
}

static void every_order(bool in_order, unsigned spare, bool closing, const char *name)
{
	unsigned runs = 0;

	memset(&odometer, 0, sizeof(odometer));
	do {
		struct wire *w = calloc(1, sizeof(*w));

		check_context("%s, run %u: ", name, runs);
		wire_open(w, in_order || closing, closing ? 0 : spare);
		if (closing) {
			/* One order of the open; the choices are the close's. */
			odometer.made = CHOICES;
			open_both(w);
			odometer.made = 0;
			w->in_order = in_order;
			w->spare = spare;
		} else {
			open_both(w);
		}
		check_established(w);
		if (closing)
			close_both(w);
		wire_close(w);
		free(w);
		runs++;
	} while (odometer_step() && runs < RUNS_MAX && CU_get_number_of_failures() == 0);
	check_context("%s", "");
	CHECK(runs > 1 && runs < RUNS_MAX, "%u runs", runs);
	printf("peers: %s, %s: %u orders\n", engine_kind_name(bench_target()), name, runs);
}

static void simultaneous_open(void)
{
	every_order(false, 0, false, "simultaneous open");
}

static void simultaneous_open_one_lost_or_doubled(void)
{
	every_order(true, 1, false, "simultaneous open, one frame lost or doubled");
}

static void simultaneous_close(void)
{
	every_order(false, 0, true, "simultaneous close");
}

static void simultaneous_close_one_lost_or_doubled(void)
{
	every_order(true, 1, true, "simultaneous close, one frame lost or doubled");
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE(simultaneous_open), CASE(simultaneous_open_one_lost_or_doubled),
		CASE(simultaneous_close), CASE(simultaneous_close_one_lost_or_doubled), { 0 } };

	return bench_main(argc, argv, "peers", cases);
}
