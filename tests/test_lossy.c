/* SPDX-License-Identifier: Apache-2.0
 * test_lossy.c - thousands of connections opened and closed over a wire that loses, doubles, overtakes and damages a tenth of
 * its frames each: passive, active and simultaneous opens, closed by either side or by both, a short text each way.
 * Every connection must end as RFC 9293 allows, no entry may stay, and every frame must be counted once. Time is
 * simulated. HF_LOSSY=N in the environment makes it N connections (`make lossy`: 10,000). */
#include <inttypes.h>

#include "../driver/message.h"
#include "../sim/lossy.h"
#include "../sim/session.h"
#include "support_bench.h"
#include "support_peer.h"

enum { SHORT_RUN = 500, SHORT_RUN_RTL = 100, STEP_MS = 5, BETWEEN_MS = 100, PEERS_BASE = 0x0a000100, BODY_BYTES = 128 };
enum { HOST_PATIENCE_MS = 120000, PEER_PATIENCE_MS = 240000, LAST_PATIENCE_MS = 600000, QUIET_CLOCKS = 40 };
enum { CLOSE_MS = 100000, CONNECT_MS = 180000 }; /* reset values of the registers */

enum how { PASSIVE, ACTIVE, BOTH };
enum closer { HOST_CLOSES, PEER_CLOSES, BOTH_CLOSE };
/* Who answers for our end. */
enum owner { NOBODY, ENGINE, HOST };

struct pair {
	enum how how;
	enum closer closer;
	struct tcp_peer peer, host;
	enum owner owner;
	bool opened, established, waiting; /* waiting: for a completion */
	unsigned code;			   /* of the command under way */
	uint32_t id;
	uint8_t body[BODY_BYTES]; /* of the ESTABLISHED event, then of CLOSE */
	uint64_t connect_ms, established_ms, peer_ms, close_ms, retry_ms;
	unsigned host_delay, peer_delay, host_text, peer_text;
	unsigned ended; /* HF_EVENT_*, or 0 */
	bool done;
};

struct lossy_run {
	struct session session;
	struct lossy to_board, to_peers;
	struct pair *pair;
	unsigned pairs, first; /* all before `first` are done */
	uint64_t now_ms, random;
	uint64_t wrong_text, damaged_seen, connects, closes, releases, established, strangers;
};

static void from_peer_end(void *ctx, const uint8_t *frame, size_t len)
{
	struct lossy_run *r = ctx;

	lossy_put(&r->to_board, frame, len, r->now_ms);
}

static void to_board_end(void *ctx, const uint8_t *frame, size_t len)
{
	struct lossy_run *r = ctx;

	session_rx(&r->session, frame, len);
}

static void on_tx(void *ctx, const uint8_t *frame, size_t len)
{
	struct lossy_run *r = ctx;

	lossy_put(&r->to_peers, frame, len, r->now_ms);
}

static void host_emit(void *ctx, const uint8_t *frame, size_t len)
{
	struct lossy_run *r = ctx;
	uint8_t msg[HF_MSG_HEADER_BYTES + SIM_FRAME_MAX] = { 0 };

	PUT(msg, HEADER, type, HF_MSG_FRAME);
	PUT(msg, HEADER, length, HF_MSG_HEADER_BYTES + len);
	PUT(msg, HEADER, id, HF_NO_ID);
	memcpy(msg + HF_MSG_HEADER_BYTES, frame, len);
	session_h2c(&r->session, msg, HF_MSG_HEADER_BYTES + len);
}

static struct pair *pair_of(struct lossy_run *r, uint32_t addr)
{
	return addr - PEERS_BASE < r->pairs ? &r->pair[addr - PEERS_BASE] : NULL;
}

static void to_peers_end(void *ctx, const uint8_t *frame, size_t len)
{
	struct lossy_run *r = ctx;
	struct packet seg;
	struct pair *c;

	if (!packet_parse(frame, len, &seg) || !seg.is_tcp || !peer_intact(frame, &seg)) {
		r->damaged_seen++;
		return;
	}
	c = pair_of(r, seg.dst_addr);
	if (!c || seg.dst_port != c->peer.local_port || seg.src_port != c->peer.remote_port) {
		r->strangers++;
		return;
	}
	r->wrong_text += !peer_input(&c->peer, &seg, r->now_ms);
}

static void command(struct lossy_run *r, struct pair *c, unsigned code, bool body)
{
	uint8_t msg[BODY_BYTES] = { 0 };
	size_t len = body ? sizeof(msg) : HF_MSG_HEADER_BYTES;

	if (body)
		memcpy(msg, c->body, sizeof(msg));
	PUT(msg, HEADER, type, HF_MSG_COMMAND);
	PUT(msg, HEADER, flags, code);
	PUT(msg, HEADER, length, len);
	PUT(msg, HEADER, id, body ? HF_NO_ID : c->id);
	PUT(msg, HEADER, stamp, (uint64_t)(c - r->pair));
	c->waiting = true;
	c->code = code;
	session_h2c(&r->session, msg, len);
}

static void put_mapped(uint8_t *at, uint32_t addr)
{
	memset(at, 0, 10);
	at[10] = at[11] = 0xff;
	put32(at + 12, addr);
}

static void connect_command(struct lossy_run *r, struct pair *c)
{
	uint8_t *b = c->body;

	memset(b, 0, BODY_BYTES);
	put_mapped(b + HF_AT_EVENT_remote_addr, c->peer.local_addr);
	put_mapped(b + HF_AT_EVENT_local_addr, OUR_ADDR);
	PUT(b, EVENT, remote_port, c->peer.local_port);
	PUT(b, EVENT, local_port, c->peer.remote_port);
	put48(b + HF_AT_EVENT_remote_mac, get48(c->peer.local_mac));
	PUT(b, EVENT, options, random_below(&r->random, 8));
	command(r, c, HF_COMMAND_CONNECT, true);
}

/* The host's connection, as it stands, goes back to the engine. */
static void close_command(struct lossy_run *r, struct pair *c)
{
	uint8_t *b = c->body;
	const struct tcp_peer *h = &c->host;

	PUT(b, EVENT, state, h->state);
	PUT(b, EVENT, snd_una, h->snd_una);
	PUT(b, EVENT, snd_nxt, h->snd_nxt);
	PUT(b, EVENT, rcv_nxt, h->rcv_nxt);
	PUT(b, EVENT, ts_recent, h->ts_recent);
	PUT(b, EVENT, rto_ms, 0);
	c->owner = ENGINE;
	command(r, c, HF_COMMAND_CLOSE, true);
}

static void on_completion(struct lossy_run *r, const uint8_t *msg)
{
	uint64_t index = GET(msg, HEADER, stamp);
	unsigned status = (unsigned)GET(msg, HEADER, flags);
	struct pair *c = &r->pair[index];

	if (!CHECK(index < r->pairs && c->waiting, "a completion nobody waits for, cookie %" PRIu64, index))
		return;
	c->waiting = false;
	if (c->code == HF_COMMAND_RELEASE) {
		CHECK(status == HF_STATUS_OK || status == HF_STATUS_STALE, "RELEASE: status %u", status);
		return;
	}
	if (status == HF_STATUS_NO_ROOM) {
		c->retry_ms = r->now_ms + 1000;
		c->owner = c->code == HF_COMMAND_CLOSE ? HOST : NOBODY;
		c->opened = c->code == HF_COMMAND_CLOSE;
		return;
	}
	CHECK(status == HF_STATUS_OK, "connection %" PRIu64 ": command %u: status %u", index, c->code, status);
	c->id = (uint32_t)GET(msg, HEADER, id);
	if (c->code == HF_COMMAND_CONNECT) {
		c->owner = ENGINE;
		c->connect_ms = r->now_ms;
		r->connects++;
	} else {
		c->close_ms = r->now_ms;
		r->closes++;
	}
}

static void on_event(struct lossy_run *r, const uint8_t *msg)
{
	struct pair *c = pair_of(r, get32(msg + HF_AT_EVENT_remote_addr + 12));
	unsigned code = (unsigned)GET(msg, EVENT, code);

	if (!CHECK(c != NULL, "an event of a stranger") || code == HF_EVENT_RETRYING)
		return;
	if (code != HF_EVENT_ESTABLISHED) {
		CHECK(!c->ended, "a second end of connection %u: event %u after %u", (unsigned)(c - r->pair), code,
			c->ended);
		CHECK(c->id == GET(msg, HEADER, id), "event %u has id 0x%x, not 0x%x", code,
			(unsigned)GET(msg, HEADER, id), (unsigned)c->id);
		if (code == HF_EVENT_TIMED_OUT)
			CHECK(r->now_ms + STEP_MS >=
					(c->established ? c->close_ms + CLOSE_MS : c->connect_ms + CONNECT_MS),
				"connection %u was given up too early", (unsigned)(c - r->pair));
		c->ended = code;
		c->owner = NOBODY;
		return;
	}
	CHECK(!c->established, "connection %u is established twice", (unsigned)(c - r->pair));
	r->established++;
	c->established = true;
	c->established_ms = r->now_ms;
	c->owner = HOST;
	c->id = (uint32_t)GET(msg, HEADER, id);
	memcpy(c->body, msg, BODY_BYTES);
	peer_adopt(&c->host, msg, r->now_ms);
	peer_send(&c->host, c->host_text, r->now_ms);
}

static void on_frame(struct lossy_run *r, const uint8_t *frame, size_t len, unsigned flags)
{
	struct packet seg;
	struct pair *c;

	if (!packet_parse(frame, len, &seg) || !seg.is_tcp || !peer_intact(frame, &seg)) {
		r->damaged_seen++;
		return;
	}
	c = pair_of(r, seg.src_addr);
	if (!c || seg.src_port != c->peer.local_port || seg.dst_port != c->peer.remote_port)
		r->strangers++;
	else if (c->owner == HOST)
		r->wrong_text += !peer_input(&c->host, &seg, r->now_ms);
	else if (!(flags & HF_FRAME_CONN) && !c->waiting && (c->opened || c->how == PASSIVE))
		peer_refuse(&seg, host_emit, r);
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len)
{
	struct lossy_run *r = ctx;

	switch (GET(msg, HEADER, type)) {
	case HF_MSG_FRAME:
		on_frame(r, msg + HF_MSG_HEADER_BYTES, len - HF_MSG_HEADER_BYTES, (unsigned)GET(msg, HEADER, flags));
		break;
	case HF_MSG_EVENT:
		on_event(r, msg);
		break;
	case HF_MSG_COMPLETION:
		on_completion(r, msg);
		break;
	}
}

/* ---- what both ends do ---- */

static void prepare(struct lossy_run *r, struct pair *c)
{
	unsigned index = (unsigned)(c - r->pair);
	struct tcp_peer *p = &c->peer, *h = &c->host;

	c->how = (enum how)(index % 3);
	c->closer = (enum closer)(random_below(&r->random, 3));
	c->host_delay = random_below(&r->random, 2000);
	c->peer_delay = random_below(&r->random, 2000);
	c->host_text = random_below(&r->random, 2) ? random_below(&r->random, PEER_TEXT_MAX) : 0;
	c->peer_text = random_below(&r->random, 2) ? random_below(&r->random, PEER_TEXT_MAX) : 0;
	put48(p->local_mac, 0x021000000000ull + index);
	put48(p->remote_mac, OUR_MAC);
	p->local_addr = PEERS_BASE + index;
	p->remote_addr = OUR_ADDR;
	p->local_port = (uint16_t)(1024 + random_below(&r->random, 60000));
	p->remote_port = c->how == PASSIVE ? OUR_PORT : (uint16_t)(32768 + random_below(&r->random, 28000));
	p->iss = (uint32_t)random_next(&r->random);
	p->ts_wanted = random_below(&r->random, 4);
	p->ws_wanted = random_below(&r->random, 4);
	p->sack_wanted = random_below(&r->random, 4);
	p->ts_offset = (uint32_t)random_next(&r->random);
	p->time_wait_ms = 60000;
	p->emit = from_peer_end;
	p->ctx = r;
	*h = (struct tcp_peer){ .local_addr = p->remote_addr,
		.remote_addr = p->local_addr,
		.local_port = p->remote_port,
		.remote_port = p->local_port,
		.emit = host_emit,
		.ctx = r };
	memcpy(h->local_mac, p->remote_mac, 6);
	memcpy(h->remote_mac, p->local_mac, 6);
}

static void open_pair(struct lossy_run *r, struct pair *c)
{
	c->opened = true;
	if (c->how != PASSIVE)
		connect_command(r, c);
	if (c->how == ACTIVE && c->peer.state == HF_STATE_CLOSED)
		peer_listen(&c->peer);
	else if (c->how != ACTIVE && c->peer.state == HF_STATE_CLOSED)
		peer_connect(&c->peer, r->now_ms);
}

static void run_host(struct lossy_run *r, struct pair *c)
{
	struct tcp_peer *h = &c->host;
	uint64_t age = r->now_ms - c->established_ms;

	peer_tick(h, r->now_ms);
	if (h->state == HF_STATE_CLOSED) {
		c->owner = NOBODY;
		command(r, c, HF_COMMAND_RELEASE, false);
	} else if (r->now_ms >= c->retry_ms && peer_idle(h) && age >= c->host_delay &&
		   ((h->received == c->peer_text && (c->closer != PEER_CLOSES || h->fin_received)) ||
			   age >= HOST_PATIENCE_MS)) {
		close_command(r, c);
	}
}

static void run_peer(struct lossy_run *r, struct pair *c)
{
	struct tcp_peer *p = &c->peer;
	uint64_t age;

	peer_tick(p, r->now_ms);
	if (p->state < HF_STATE_ESTABLISHED || p->fin_wanted)
		return;
	if (!c->peer_ms) {
		c->peer_ms = r->now_ms;
		peer_send(p, c->peer_text, r->now_ms);
	}
	age = r->now_ms - c->peer_ms;
	if (age >= c->peer_delay && ((p->received == c->host_text && (c->closer != HOST_CLOSES || p->fin_received)) ||
					    age >= PEER_PATIENCE_MS))
		peer_close(p, r->now_ms);
}

static void run_pair(struct lossy_run *r, struct pair *c)
{
	if (!c->opened) {
		if (r->now_ms >= c->retry_ms)
			open_pair(r, c);
		return;
	}
	if (c->owner == HOST && !c->waiting)
		run_host(r, c);
	run_peer(r, c);
	/* A listener nobody ever reached goes too. */
	if (c->peer.state == HF_STATE_LISTEN && c->ended)
		c->peer.state = HF_STATE_CLOSED;
	c->done = c->peer.state == HF_STATE_CLOSED && c->owner != HOST && !c->waiting &&
		  (c->how == PASSIVE && !c->established ? true : c->owner == NOBODY);
}

/* ---- what must be true at the end ---- */

struct tally {
	unsigned in_order, reset, timed_out, refused;
};

static void judge(struct pair *c, unsigned index, struct tally *t)
{
	enum peer_end end = c->peer.end;
	bool whole = c->peer.received == c->host_text && (!c->established || c->host.received == c->peer_text);

	check_context("connection %u (%s): ", index,
		c->how == PASSIVE  ? "passive"
		: c->how == ACTIVE ? "active"
				   : "simultaneous");
	CHECK(c->peer.state == HF_STATE_CLOSED && c->owner == NOBODY, "did not end: peer %s, owner %d, event %u",
		state_name(c->peer.state), c->owner, c->ended);
	CHECK(c->ended != HF_EVENT_ABORTED && c->ended != HF_EVENT_UNREACHABLE, "event %u", c->ended);
	if (c->ended == HF_EVENT_CLOSED && end == PEER_CLOSED) {
		CHECK(whole, "closed in order, but %zu of %u and %zu of %u octets came", c->host.received, c->peer_text,
			c->peer.received, c->host_text);
		t->in_order++;
	} else if (c->ended == HF_EVENT_TIMED_OUT || end == PEER_TIMED_OUT) {
		t->timed_out++;
	} else if (c->ended == HF_EVENT_REFUSED || end == PEER_REFUSED) {
		t->refused++;
	} else {
		/* One end had already gone: it closed, gave up, or never knew of the connection. */
		CHECK(c->ended == HF_EVENT_RESET || end == PEER_RESET || c->host.end == PEER_RESET,
			"ended by event %u at our end, %d at the peer's", c->ended, end);
		t->reset++;
	}
	check_context("%s", "");
}

static void check_counters(struct lossy_run *r)
{
	const uint64_t *c = r->session.counters;
	uint64_t drops = 0, sent;
	uint32_t entries = 1, half_open = 1;

	for (unsigned i = HF_CNT_DROP_NOT_READY; i <= HF_CNT_DROP_MISSING_TS; i++)
		drops += c[i];
	CHECK_EQ(c[HF_CNT_RX_FRAMES], c[HF_CNT_RX_CONSUMED] + c[HF_CNT_RX_HOST] + drops, "every frame in counted once");
	CHECK_EQ(c[HF_CNT_RX_FRAMES], r->to_board.delivered, "frames in");
	sent = c[HF_CNT_TX_SYN] + c[HF_CNT_TX_SYNACK] + c[HF_CNT_TX_ACK] + c[HF_CNT_TX_RST] + c[HF_CNT_TX_FIN];
	CHECK_EQ(c[HF_CNT_TX_FRAMES], sent + c[HF_CNT_TX_HOST], "every frame out counted once");
	CHECK_EQ(c[HF_CNT_TX_FRAMES], r->to_peers.frames, "frames out");
	CHECK_EQ(c[HF_CNT_ESTABLISHED], r->established, "ESTABLISHED events");
	CHECK_EQ(c[HF_CNT_CONNECTS], r->connects, "CONNECT completions");
	CHECK_EQ(c[HF_CNT_CLOSES], r->closes, "CLOSE completions");
	CHECK_EQ(c[HF_CNT_H2C_BAD], 0, "malformed messages");
	CHECK_EQ(sim_reg_read(r->session.sim, HF_REG_ENTRIES, &entries), 0, "read ENTRIES");
	CHECK_EQ(sim_reg_read(r->session.sim, HF_REG_HALF_OPEN, &half_open), 0, "read HALF_OPEN");
	CHECK_EQ(entries, 0, "entries left");
	CHECK_EQ(half_open, 0, "half-open entries left");
	CHECK_EQ(r->wrong_text, 0, "segments with wrong text");
	CHECK_EQ(r->strangers, 0, "segments of nobody's");
}

static void step(struct lossy_run *r)
{
	r->now_ms += STEP_MS;
	session_advance(&r->session, r->now_ms * 1000000);
	lossy_run(&r->to_board, r->now_ms);
	lossy_run(&r->to_peers, r->now_ms);
	sim_settle(r->session.sim, QUIET_CLOCKS, 1000000);
}

static bool start(struct lossy_run *r, unsigned pairs, const struct lossy_chances *chances)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
	uint8_t keys[CONFIG_KEY_BYTES];
	struct config config = { .listeners = { { OUR_ADDR, OUR_PORT } }, .listener_count = 1 };
	char error[256];

	r->random = 20260;
	for (unsigned i = 0; i < sizeof(keys); i++)
		keys[i] = (uint8_t)random_next(&r->random);
	r->now_ms = 1;
	r->pairs = pairs;
	r->pair = calloc(pairs, sizeof(*r->pair));
	if (!CHECK(r->pair && !session_open(&r->session, bench_target(), ENGINE_DEFAULT, 1, 0),
		    "the engine does not start"))
		return false;
	r->session.tx = on_tx;
	r->session.c2h = on_c2h;
	r->session.ctx = r;
	lossy_init(&r->to_board, chances, 1, to_board_end, r);
	lossy_init(&r->to_peers, chances, 2, to_peers_end, r);
	/* This host is told of a connection once; whoever lets the board send cookies knows each by its numbers (test_handoff). */
	return CHECK(!config_apply(&config, r->session.sim, mac, keys, error, sizeof(error)), "%s", error) &&
	       CHECK(!sim_reg_write(r->session.sim, HF_REG_COOKIE, 1u << HF_COOKIE_LIFETIME_LOW), "COOKIE.MODE");
}

static unsigned connections(void)
{
	const char *text = getenv("HF_LOSSY");

	if (text && atoi(text) > 0)
		return (unsigned)atoi(text);
	return bench_target() == ENGINE_MODEL ? SHORT_RUN : SHORT_RUN_RTL;
}

static void opens_and_closes(const struct lossy_chances *chances, const char *name)
{
	struct lossy_run *r = calloc(1, sizeof(*r));
	struct tally t = { 0 };
	unsigned opened = 0;
	uint32_t entries = 1;

	if (!start(r, connections(), chances))
		goto out;
	while (r->first < r->pairs &&
		r->now_ms < (uint64_t)r->pairs * BETWEEN_MS + LAST_PATIENCE_MS + PEER_PATIENCE_MS) {
		step(r);
		while (opened < r->pairs && r->now_ms >= (uint64_t)opened * BETWEEN_MS) {
			prepare(r, &r->pair[opened]);
			open_pair(r, &r->pair[opened++]);
		}
		for (unsigned i = r->first; i < opened; i++) {
			if (!r->pair[i].done)
				run_pair(r, &r->pair[i]);
		}
		while (r->first < opened && r->pair[r->first].done)
			r->first++;
	}
	/* TIME-WAIT goes on after the last event. */
	for (unsigned i = 0; i < LAST_PATIENCE_MS / STEP_MS && entries; i++) {
		step(r);
		if (i % 200 == 0 && sim_reg_read(r->session.sim, HF_REG_ENTRIES, &entries))
			break;
	}
	sim_settle(r->session.sim, QUIET_CLOCKS, 1000000);
	CHECK(!session_counters(&r->session), "the counters cannot be read");
	for (unsigned i = 0; i < opened; i++)
		judge(&r->pair[i], i, &t);
	check_counters(r);
	CHECK(session_passed(&r->session), "%s",
		engine_mismatches(r->session.sim->engine) ? engine_first_mismatch(r->session.sim->engine)
							  : r->session.sim->fault);
	CHECK(t.in_order * 100 >= opened * 95, "only %u of %u closed in order", t.in_order, opened);
	printf("lossy: %s, %s: %u connections: %u closed in order, %u reset, %u refused, %u timed out; frames to the "
	       "board %" PRIu64 " (%" PRIu64 " lost, %" PRIu64 " doubled, %" PRIu64 " overtaken, %" PRIu64
	       " damaged), from it %" PRIu64 " (%" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64 "); %" PRIu64
	       " s, %" PRIu64 " clocks; entries left %u\n",
		engine_kind_name(bench_target()), name, opened, t.in_order, t.reset, t.refused, t.timed_out,
		r->to_board.frames, r->to_board.lost, r->to_board.duplicated, r->to_board.reordered,
		r->to_board.corrupted, r->to_peers.frames, r->to_peers.lost, r->to_peers.duplicated,
		r->to_peers.reordered, r->to_peers.corrupted, r->now_ms / 1000, r->session.sim->cycle,
		(unsigned)entries);
out:
	lossy_free(&r->to_board);
	lossy_free(&r->to_peers);
	session_close(&r->session);
	free(r->pair);
	free(r);
}

static void clean_wire(void)
{
	opens_and_closes(&(struct lossy_chances){ 0 }, "clean wire");
}

static void lossy_wire(void)
{
	opens_and_closes(&(struct lossy_chances){ 100, 100, 100, 100 }, "10 % each");
}

/* ---- the wire itself ---- */

enum { MANY = 20000 };

struct far_end {
	uint64_t sum; /* of what came, in order */
	unsigned frames, same, one_bit, worse, late;
	uint32_t last;
};

static void arrive(void *ctx, const uint8_t *frame, size_t len)
{
	struct far_end *f = ctx;
	uint32_t number = get32(frame + 6); /* in the source MAC, which is never damaged */
	unsigned bits = 0;

	for (size_t i = 14; i < len; i++)
		bits += (unsigned)__builtin_popcount(frame[i] ^ (uint8_t)(number + i));
	f->frames++;
	f->same += !bits;
	f->one_bit += bits == 1;
	f->worse += bits > 1;
	f->late += number < f->last;
	f->last = number;
	f->sum = f->sum * 31 + number + bits;
}

static struct far_end send_many(const struct lossy_chances *chances, uint64_t seed, struct lossy *l)
{
	struct far_end f = { 0 };
	uint8_t frame[60] = { 0 };

	lossy_init(l, chances, seed, arrive, &f);
	for (uint32_t n = 0; n < MANY; n++) {
		put32(frame + 6, n);
		for (size_t i = 14; i < sizeof(frame); i++)
			frame[i] = (uint8_t)(n + i);
		lossy_run(l, n);
		lossy_put(l, frame, sizeof(frame), n);
	}
	lossy_run(l, MANY + LOSSY_DELAY_MS);
	CHECK_EQ(lossy_next_ms(l), UINT64_MAX, "frames held for ever");
	CHECK_EQ(l->delivered, f.frames, "delivered");
	CHECK_EQ(l->frames - l->lost + l->duplicated, f.frames, "every frame lost, or there once or twice");
	CHECK_EQ(l->corrupted, f.one_bit, "damaged");
	CHECK_EQ(f.worse, 0, "damaged in more than one bit");
	lossy_free(l);
	return f;
}

static bool about(uint64_t n, unsigned per_mille)
{
	uint64_t want = (uint64_t)MANY * per_mille / 1000;

	return n > want * 9 / 10 && n < want * 11 / 10;
}

static void the_wire_itself(void)
{
	static const struct lossy_chances tenth = { 100, 100, 100, 100 };
	struct lossy l;
	struct far_end f = send_many(&(struct lossy_chances){ 0 }, 1, &l), again;

	CHECK(f.same == MANY && !f.late, "a good wire: %u of %u frames, %u out of order", f.same, MANY, f.late);
	f = send_many(&(struct lossy_chances){ .loss = 1000 }, 1, &l);
	CHECK_EQ(f.frames, 0, "a cut wire");
	f = send_many(&tenth, 1, &l);
	CHECK(about(l.lost, 100), "%u of %u lost", (unsigned)l.lost, MANY);
	CHECK(about(l.duplicated, 90), "%u of %u doubled", (unsigned)l.duplicated, MANY);
	CHECK(about(l.reordered, 99), "%u of %u overtaken", (unsigned)l.reordered, MANY);
	CHECK(about(l.corrupted, 99), "%u of %u damaged", (unsigned)l.corrupted, MANY);
	CHECK(f.late > MANY / 20, "only %u came late", f.late);
	again = send_many(&tenth, 1, &l);
	CHECK_EQ(again.sum, f.sum, "the same seed again");
	again = send_many(&tenth, 2, &l);
	CHECK(again.sum != f.sum, "another seed does the same");
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(the_wire_itself), CASE(clean_wire), CASE(lossy_wire),
		{ 0 } };

	return bench_main(argc, argv, "lossy", cases);
}
