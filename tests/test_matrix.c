/* SPDX-License-Identifier: Apache-2.0
 * test_matrix.c - events x states: in every state of RFC 9293 each segment of a grid is sent, and reply, next state,
 * verdict and event are compared with matrix_spec.c. One line for each cell that differs. */
#include <stdarg.h>

#include "matrix_spec.h"
#include "support_states.h"

/* ---- the grid ---- */

/* `more`: beyond the plain grid of flags, edges and timestamps. */
static const struct {
	const char *name;
	uint16_t flags;
	unsigned text;
	bool more;
} kinds[] = {
	{ "SYN", HF_SYN, 0, false },
	{ "SYN-ACK", HF_SYN | HF_ACK, 0, false },
	{ "ACK", HF_ACK, 0, false },
	{ "FIN", HF_FIN, 0, false },
	{ "FIN-ACK", HF_FIN | HF_ACK, 0, false },
	{ "RST", HF_RST, 0, false },
	{ "RST-ACK", HF_RST | HF_ACK, 0, false },
	{ "SYN-FIN", HF_SYN | HF_FIN, 0, false },
	{ "no flag", 0, 0, false },
	{ "data", HF_PSH | HF_ACK, 10, false },
	{ "data and FIN", HF_FIN | HF_PSH | HF_ACK, 10, true },
	{ "SYN with data", HF_SYN, 10, true },
	{ "SYN-RST", HF_SYN | HF_RST, 0, true },
	{ "SYN-FIN-ACK", HF_SYN | HF_FIN | HF_ACK, 0, true },
};

#define WINDOW 65535u
/* SEQ from RCV.NXT, ACK from SND.NXT; while our SYN or FIN is out, SND.UNA is SND.NXT - 1 */
static const struct {
	const char *name;
	uint32_t from;
	bool more;
} seqs[] = { { "below", -1u, false }, { "at left edge", 0, false }, { "inside", 1000, false },
	{ "at right edge", WINDOW - 1, false }, { "beyond", WINDOW, false }, { "just before", -10u, true } },
  acks[] = { { "below", -2u, false }, { "at SND.UNA", -1u, false }, { "inside", 0, false }, { "above", 1, false } };

enum stamp { FRESH, STALE, ABSENT, EQUAL };
static const char *const stamps[] = { "fresh", "stale", "absent", "equal" };

/* Where the numbers lie: in the middle, and each of the edges around 2^32; the last with a window of 0. */
static const struct {
	const char *name;
	uint32_t snd_nxt, rcv_nxt, ts_recent, rcv_wnd;
} places[] = {
	{ "mid", 0x10000001, 0x20000001, 1000000, WINDOW },
	{ "2^32-1", 0xffffffff, 0xffffffff, 0xffffffff, WINDOW },
	{ "2^32", 0, 0, 0, WINDOW },
	{ "2^31", 0x80000000, 0x7fffffff, 0x80000000, WINDOW },
	{ "window 0", 0x10000001, 0x20000001, 1000000, 0 },
};

struct cell {
	struct state_want want;
	struct segment seg;
	struct spec_conn conn;
	struct spec_segment spec;
	uint32_t id;
	char name[160], opts[32];
};

static unsigned long cells_all, cells_issue, disagreements;

/* ---- what the engine did ---- */

struct seen {
	unsigned replies, events, frames, strange, ops;
	struct spec_reply reply;
	int event;
	uint32_t event_id, frame_id;
	unsigned event_state, frame_flags;
	struct hf_out trace; /* of the segment's op */
};

static void see_reply(struct seen *s, const struct bench *b, const struct cell *c, const struct item *tx)
{
	const uint8_t *tcp = tx->bytes + 34, *end = tcp + 4 * (tcp[12] >> 4);
	bool rst = tcp[13] & HF_RST;

	s->replies++;
	s->reply = (struct spec_reply){
		.sent = true, .flags = get16(tcp + 12) & 0x1ff, .seq = get32(tcp + 4), .ack = get32(tcp + 8)
	};
	for (const uint8_t *o = tcp + 20; o < end && *o; o += *o == 1 ? 1 : o[1])
		if (*o == 8) {
			s->reply.ts = true;
			s->reply.tsecr = get32(o + 6);
			s->strange += get32(o + 2) != (rst ? 0 : b->ms); /* the bench has TS_OFFSET_OFF */
		}
	s->strange += get16(tcp) != c->want.local_port || get16(tcp + 2) != c->want.remote_port ||
		      get32(tx->bytes + 26) != OUR_ADDR || get32(tx->bytes + 30) != PEER_ADDR ||
		      get48(tx->bytes) != PEER_MAC;
}

static void see(struct bench *b, const struct cell *c, struct seen *s)
{
	const struct item *got;

	memset(s, 0, sizeof(*s));
	while ((got = bench_tx(b)))
		see_reply(s, b, c, got);
	while ((got = bench_c2h(b)))
		switch (got->bytes[0]) {
		case HF_MSG_FRAME:
			s->frames++;
			s->frame_flags = got->bytes[1];
			s->frame_id = (uint32_t)MSG_GET(got->bytes, HEADER, id);
			break;
		case HF_MSG_EVENT:
			s->events++;
			s->event = (int)MSG_GET(got->bytes, EVENT, code);
			s->event_state = (unsigned)MSG_GET(got->bytes, EVENT, state);
			s->event_id = (uint32_t)MSG_GET(got->bytes, HEADER, id);
			break;
		default:
			s->strange++;
		}
	for (size_t i = 0; i < b->trace_count; i++)
		if (b->trace[i].trc_op == HF_OP_SEGMENT) {
			s->trace = b->trace[i];
			s->ops++;
		}
	states_forget(b);
}

/* ---- words ---- */

static const char *flags_text(uint16_t flags, char text[16])
{
	static const char letters[] = "FSRP.UEWA";
	char *at = text;

	for (unsigned i = 0; letters[i]; i++)
		if (flags >> i & 1)
			*at++ = letters[i];
	*at = 0;
	return text;
}

static const char *reply_text(const struct cell *c, const struct spec_reply *r, char text[96])
{
	char flags[16], ts[24] = "";

	if (!r->sent)
		return "none";
	if (r->ts)
		snprintf(ts, sizeof(ts), " TSecr=0x%x", r->tsecr);
	if (r->flags & HF_ACK)
		snprintf(text, 96, "[%s SEQ=SND.NXT%+d ACK=RCV.NXT%+d%s]", flags_text(r->flags, flags),
			(int)(r->seq - c->want.snd_nxt), (int)(r->ack - c->want.rcv_nxt), ts);
	else
		snprintf(text, 96, "[%s SEQ=SND.NXT%+d ACK=%u%s]", flags_text(r->flags, flags),
			(int)(r->seq - c->want.snd_nxt), r->ack, ts);
	return text;
}

static const char *event_text(int event)
{
	switch (event) {
#define EVENT(name, code, doc) \
	case code:             \
		return #name;
#include "../regs/message.def"
#undef EVENT
	}
	return event ? "?" : "none";
}

static const char *verdict_text(unsigned verdict)
{
	switch (verdict) {
#define VERDICT(name, code, doc) \
	case code:               \
		return #name;
#include "../regs/verdict.def"
#undef VERDICT
	}
	return "?";
}

static const char *cause_text(unsigned cause)
{
	switch (cause) {
#define CAUSE(name, code, counter, doc) \
	case code:                      \
		return cause ? #name : "";
#include "../regs/verdict.def"
#undef CAUSE
	}
	return "?";
}

/* The differences of one cell, one after another in a line. */
struct line {
	char text[700];
	size_t len;
};

static void __attribute__((format(printf, 2, 3))) differ(struct line *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (l->len)
		l->len += (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len, "; ");
	l->len += (size_t)vsnprintf(l->text + l->len, sizeof(l->text) - l->len, format, args);
	if (l->len >= sizeof(l->text))
		l->len = sizeof(l->text) - 1;
	va_end(args);
}

#define LINES_MAX 24 /* per case, beyond they are only counted */

static void report(const struct cell *c, const struct line *l, unsigned *said)
{
	disagreements++;
	if ((*said)++ < LINES_MAX)
		printf("\n    %s: %s", c->name, l->text);
	CHECK(false, "%s: %s", c->name, l->text);
}

/* ---- comparing ---- */

static bool has_entry(enum hf_state state)
{
	return state != HF_STATE_CLOSED && state != HF_STATE_LISTEN;
}

static void compare_number(struct line *l, const char *name, uint64_t got, uint64_t want)
{
	if (got != want)
		differ(l, "%s 0x%llx, want 0x%llx", name, (unsigned long long)got, (unsigned long long)want);
}

/* The entry after: what the op wrote, or what was there before. */
static void compare_next(struct line *l, const struct cell *c, const struct spec_answer *want, const struct seen *got,
	struct hf_tcb *after)
{
	const struct spec_conn *next = &want->next;
	bool had = has_entry(c->conn.state);

	if (got->trace.trc_write)
		*after = got->trace.trc_entry;
	if (after->state != (has_entry(next->state) ? next->state : HF_STATE_CLOSED)) {
		differ(l, "next state %s, want %s", state_name((unsigned)after->state), state_name(next->state));
		return;
	}
	if (got->trace.trc_write && (want->verdict == HF_VERDICT_DROP ||
					    (want->verdict == HF_VERDICT_HOST && c->conn.state == next->state)))
		differ(l, "the entry was written");
	if (!has_entry(next->state))
		return;
	compare_number(l, "ISS", after->iss, next->iss);
	compare_number(l, "IRS", after->irs, next->irs);
	compare_number(l, "SND.UNA", after->snd_una, next->snd_una);
	compare_number(l, "SND.NXT", after->snd_nxt, next->snd_nxt);
	compare_number(l, "RCV.NXT", after->rcv_nxt, next->rcv_nxt);
	compare_number(l, "Snd.TS.OK", after->ts_ok, next->ts_ok);
	compare_number(l, "TS.Recent", after->ts_recent, next->ts_recent);
	if (next->state == HF_STATE_SYN_RECEIVED)
		compare_number(l, "ACTIVE", after->active, next->active);
	if (had && c->conn.state != HF_STATE_TIME_WAIT)
		compare_number(l, "generation", after->generation, c->id >> 16);
}

static bool same_reply(const struct spec_reply *a, const struct spec_reply *b)
{
	return a->sent == b->sent && a->flags == b->flags && a->seq == b->seq && a->ack == b->ack && a->ts == b->ts &&
	       a->tsecr == b->tsecr;
}

static void compare_answer(struct line *l, const struct cell *c, const struct spec_answer *want, const struct seen *got)
{
	bool hit = has_entry(c->conn.state);
	char text[2][96];

	if (got->ops != 1) {
		differ(l, "%u segment ops", got->ops);
		return;
	}
	if (got->trace.trc_state != c->conn.state)
		differ(l, "found in state %s", state_name((unsigned)got->trace.trc_state));
	if (got->replies > 1 || !same_reply(&got->reply, &want->reply))
		differ(l, "reply %s%s, want %s", reply_text(c, &got->reply, text[0]),
			got->replies > 1 ? " and more" : "", reply_text(c, &want->reply, text[1]));
	if (got->trace.trc_verdict != want->verdict || got->trace.trc_cause != want->cause)
		differ(l, "verdict %s %s, want %s %s", verdict_text((unsigned)got->trace.trc_verdict),
			cause_text((unsigned)got->trace.trc_cause), verdict_text(want->verdict),
			cause_text(want->cause));
	if (got->frames != (want->verdict == HF_VERDICT_HOST))
		differ(l, "%u frames to the host", got->frames);
	else if (got->frames && (got->frame_flags != (HF_FRAME_CSUM_OK | (hit ? HF_FRAME_CONN : 0u)) ||
					got->frame_id != (hit ? c->id : HF_NO_ID)))
		differ(l, "frame with flags 0x%x, id 0x%x", got->frame_flags, got->frame_id);
	if (got->events > 1 || got->event != want->event)
		differ(l, "event %s%s, want %s", event_text(got->event), got->events > 1 ? " and more" : "",
			event_text(want->event));
	else if (got->events &&
		 (got->event_id != c->id || got->event_state != (has_entry(want->next.state) ? want->next.state : 0u)))
		differ(l, "event with id 0x%x, state %s", got->event_id, state_name(got->event_state));
	if (got->strange)
		differ(l, "%u strange frames or messages", got->strange);
}

/* RFC 9293 3.10.5 ends the cell: the table holds what the trace showed, and a RST goes out where one must. */
static void compare_abort(
	struct bench *b, struct line *l, const struct cell *c, const struct spec_answer *want, uint32_t id)
{
	static const uint16_t resets = 1 << HF_STATE_SYN_RECEIVED | 1 << HF_STATE_ESTABLISHED |
				       1 << HF_STATE_FIN_WAIT_1 | 1 << HF_STATE_FIN_WAIT_2 | 1 << HF_STATE_CLOSE_WAIT;
	bool live = has_entry(want->next.state), rst = live && resets >> want->next.state & 1;
	enum hf_state found;
	unsigned status = states_abort(b, id, &found);
	struct seen got;
	char text[96];

	if (status != (live ? HF_STATUS_OK : HF_STATUS_STALE))
		differ(l, "ABORT after it: status %u", status);
	else if (found != (live ? want->next.state : HF_STATE_CLOSED))
		differ(l, "ABORT found %s", state_name(found));
	see(b, c, &got);
	if (got.replies != rst || (rst && (got.reply.flags != HF_RST || got.reply.seq != want->next.snd_nxt)))
		differ(l, "ABORT sent %s", reply_text(c, &got.reply, text));
}

static void run_cell(struct bench *b, struct cell *c, unsigned *said)
{
	struct line line = { .len = 0 };
	struct spec_answer want;
	struct hf_tcb before, after;
	struct seen got;

	c->id = states_reach(b, &c->want, &before);
	if (has_entry(c->want.state) && c->id == HF_NO_ID) {
		differ(&line, "the state was not reached, but %s", state_name((unsigned)before.state));
		report(c, &line, said);
		return;
	}
	c->conn = (struct spec_conn){ .state = c->want.state,
		.active = before.active,
		.listener = c->want.local_port == OUR_PORT,
		.iss = (uint32_t)before.iss,
		.irs = (uint32_t)before.irs,
		.snd_una = (uint32_t)before.snd_una,
		.snd_nxt = (uint32_t)before.snd_nxt,
		.rcv_nxt = (uint32_t)before.rcv_nxt,
		.rcv_wnd = (uint32_t)before.rcv_wnd,
		.ts_ok = before.ts_ok,
		.ts_recent = (uint32_t)before.ts_recent };
	/* a new connection's ISN is now above, now below what the old one used */
	c->conn.new_iss = c->want.state == HF_STATE_TIME_WAIT ? c->want.snd_nxt + (cells_all & 1 ? 5000 : -5000u)
							      : c->want.snd_nxt - 1;
	if (c->want.state == HF_STATE_TIME_WAIT || c->want.state == HF_STATE_LISTEN)
		bench_iss(b, PEER_ADDR, c->want.remote_port, OUR_ADDR, c->want.local_port, c->conn.new_iss);
	want = spec_segment_arrives(&c->conn, &c->spec);
	after = before;
	states_segment(b, &c->seg);
	see(b, c, &got);
	compare_answer(&line, c, &want, &got);
	compare_next(&line, c, &want, &got, &after);
	if (has_entry(c->conn.state) || after.state != HF_STATE_CLOSED)
		compare_abort(b, &line, c, &want,
			after.state != HF_STATE_CLOSED && got.ops == 1
				? (uint32_t)after.generation << 16 | (uint32_t)got.trace.trc_slot
				: c->id);
	if (line.len)
		report(c, &line, said);
}

/* ---- all cells of one state ---- */

/* The C model takes every cell in a second, the RTL in half a minute: there all of the middle place, and of the others
 * every 11th cell (no divisor of the grid, so every value of each dimension meets every other), unless the environment
 * says HF_MATRIX=full. */
static bool taken(unsigned place, unsigned i)
{
	const char *how = getenv("HF_MATRIX");

	return place == 0 || i % 11 == place || bench_target() == ENGINE_MODEL || (how && !strcmp(how, "full"));
}

static void sweep(enum hf_state state, bool active, bool listener)
{
	static const char text[11] = "0123456789";
	struct bench *b = bench_open(ENGINE_DEFAULT);
	unsigned long first = cells_all, wrong = disagreements;
	unsigned said = 0;

	bench_ms(b, 100000); /* any clock but 0 */
	for (unsigned place = 0; place < COUNT(places); place++) {
		/* the peer's FIN that leads to these two would not be accepted with a window of 0 */
		if (!places[place].rcv_wnd && (state == HF_STATE_CLOSING || state == HF_STATE_TIME_WAIT))
			continue;
		bench_set(b, HF_REG_RCV_WND, places[place].rcv_wnd);
		for (unsigned i = 0; i < 2 * COUNT(kinds) * COUNT(seqs) * COUNT(acks) * COUNT(stamps); i++) {
			unsigned n = i;
			const enum stamp ts = (enum stamp)(n % COUNT(stamps));
			const unsigned ack = (n /= COUNT(stamps)) % COUNT(acks), seq = (n /= COUNT(acks)) % COUNT(seqs);
			const unsigned kind = (n /= COUNT(seqs)) % COUNT(kinds);
			const bool negotiated = n / COUNT(kinds) == 0;
			struct cell c = { .want = { state, active, (uint16_t)(1024 + cells_all % 60000),
						  listener ? OUR_PORT : OUR_PORT + 1, places[place].snd_nxt,
						  places[place].rcv_nxt, places[place].rcv_wnd, negotiated,
						  places[place].ts_recent } };

			/* nothing is negotiated without a connection */
			if ((state == HF_STATE_LISTEN || state == HF_STATE_CLOSED) && !negotiated)
				continue;
			if (!taken(place, i))
				continue;
			c.spec = (struct spec_segment){ .seq = c.want.rcv_nxt + seqs[seq].from,
				.ack = c.want.snd_nxt + acks[ack].from,
				.flags = kinds[kind].flags,
				.text = kinds[kind].text,
				.ts = ts != ABSENT,
				.tsval = c.want.ts_recent + (ts == FRESH) - (ts == STALE) };
			snprintf(c.opts, sizeof(c.opts), "ts=%u:7", c.spec.tsval);
			c.seg = (struct segment){ .sport = c.want.remote_port,
				.dport = c.want.local_port,
				.seq = c.spec.seq,
				.ack = c.spec.ack,
				.flags = c.spec.flags,
				.wnd = 1000,
				.opts = c.spec.ts ? c.opts : NULL,
				.text = text,
				.text_len = c.spec.text };
			snprintf(c.name, sizeof(c.name), "%s%s%s, %s, SEQ %s, ACK %s, TSval %s (%s, at %s)",
				state_name(state), active ? " active" : "",
				state == HF_STATE_TIME_WAIT && !listener ? " without listener" : "", kinds[kind].name,
				seqs[seq].name, acks[ack].name, stamps[ts], negotiated ? "timestamps" : "no timestamps",
				places[place].name);
			run_cell(b, &c, &said);
			cells_all++;
			if (!place && negotiated && !kinds[kind].more && !seqs[seq].more && ts != EQUAL)
				cells_issue++;
		}
	}
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "entries left over");
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 0, "half-open entries left over");
	if (said > LINES_MAX)
		printf("\n    ... and %u more", said - LINES_MAX);
	printf("\n    %lu cells, %lu disagreements ", cells_all - first, disagreements - wrong);
	bench_close(b);
}

#define SWEEP(name, state, active, listener)               \
	static void name(void)                             \
	{                                                  \
		sweep(HF_STATE_##state, active, listener); \
	}
SWEEP(closed, CLOSED, false, false)
SWEEP(listen_, LISTEN, false, true)
SWEEP(syn_sent, SYN_SENT, true, false)
SWEEP(syn_received_passive, SYN_RECEIVED, false, true)
SWEEP(syn_received_active, SYN_RECEIVED, true, false)
SWEEP(established, ESTABLISHED, false, true)
SWEEP(fin_wait_1, FIN_WAIT_1, false, true)
SWEEP(fin_wait_2, FIN_WAIT_2, false, true)
SWEEP(close_wait, CLOSE_WAIT, false, true)
SWEEP(closing, CLOSING, false, true)
SWEEP(last_ack, LAST_ACK, false, true)
SWEEP(time_wait, TIME_WAIT, false, true)
SWEEP(time_wait_without_listener, TIME_WAIT, false, false)

static void total(void)
{
	printf("\n    matrix on %s: %lu cells, %lu of them of the plain grid, %lu disagreements ",
		engine_kind_name(bench_target()), cells_all, cells_issue, disagreements);
	cells_all = 0;
	cells_issue = 0;
	disagreements = 0;
}

/* ---- the specification itself, against figures and sentences of the RFCs ---- */

static void specification(void)
{
	/* in every row SND.NXT = 101 (SND.UNA = 100, our SYN or FIN is out), RCV.NXT = 301, RCV.WND = 1000 */
	static const struct {
		const char *name;
		enum hf_state state;
		bool active;
		uint16_t flags;
		uint32_t seq, ack, text;
		uint16_t reply;
		uint32_t reply_seq, reply_ack;
		enum hf_state next;
		int event;
	} rows[] = {
		{ "figure 6, line 2", HF_STATE_LISTEN, false, HF_SYN, 300, 0, 0, HF_SYN | HF_ACK, 100, 301,
			HF_STATE_SYN_RECEIVED, 0 },
		{ "figure 6, line 3", HF_STATE_SYN_SENT, true, HF_SYN | HF_ACK, 300, 101, 0, HF_ACK, 101, 301,
			HF_STATE_ESTABLISHED, HF_EVENT_ESTABLISHED },
		{ "figure 6, line 4", HF_STATE_SYN_RECEIVED, false, HF_ACK, 301, 101, 0, 0, 0, 0, HF_STATE_ESTABLISHED,
			HF_EVENT_ESTABLISHED },
		{ "figure 7, line 3", HF_STATE_SYN_SENT, true, HF_SYN, 300, 0, 0, HF_SYN | HF_ACK, 100, 301,
			HF_STATE_SYN_RECEIVED, 0 },
		{ "figure 7, line 6", HF_STATE_SYN_RECEIVED, true, HF_SYN | HF_ACK, 300, 101, 0, HF_ACK, 101, 301,
			HF_STATE_ESTABLISHED, HF_EVENT_ESTABLISHED },
		{ "figure 8, line 5", HF_STATE_SYN_RECEIVED, false, HF_RST, 301, 0, 0, 0, 0, 0, HF_STATE_LISTEN, 0 },
		{ "figure 9, line 5", HF_STATE_SYN_SENT, true, HF_ACK, 300, 50, 0, HF_RST, 50, 0, HF_STATE_SYN_SENT,
			0 },
		{ "refused", HF_STATE_SYN_SENT, true, HF_RST | HF_ACK, 0, 101, 0, 0, 0, 0, HF_STATE_CLOSED,
			HF_EVENT_REFUSED },
		{ "refused in simultaneous open", HF_STATE_SYN_RECEIVED, true, HF_RST, 301, 0, 0, 0, 0, 0,
			HF_STATE_CLOSED, HF_EVENT_REFUSED },
		{ "an old ACK in SYN-RECEIVED", HF_STATE_SYN_RECEIVED, false, HF_ACK, 301, 100, 0, HF_RST, 100, 0,
			HF_STATE_SYN_RECEIVED, 0 },
		{ "figure 12, line 3", HF_STATE_FIN_WAIT_1, false, HF_ACK, 301, 101, 0, 0, 0, 0, HF_STATE_FIN_WAIT_2,
			0 },
		{ "figure 12, line 4", HF_STATE_FIN_WAIT_2, false, HF_FIN | HF_ACK, 301, 101, 0, HF_ACK, 101, 302,
			HF_STATE_TIME_WAIT, HF_EVENT_CLOSED },
		{ "figure 12, line 5", HF_STATE_LAST_ACK, false, HF_ACK, 301, 101, 0, 0, 0, 0, HF_STATE_CLOSED,
			HF_EVENT_CLOSED },
		{ "figure 13, line 3", HF_STATE_FIN_WAIT_1, false, HF_FIN | HF_ACK, 301, 100, 0, HF_ACK, 101, 302,
			HF_STATE_CLOSING, 0 },
		{ "figure 13, line 4", HF_STATE_CLOSING, false, HF_ACK, 301, 101, 0, 0, 0, 0, HF_STATE_TIME_WAIT,
			HF_EVENT_CLOSED },
		{ "FIN with the ACK of ours", HF_STATE_FIN_WAIT_1, false, HF_FIN | HF_ACK, 301, 101, 0, HF_ACK, 101,
			302, HF_STATE_TIME_WAIT, HF_EVENT_CLOSED },
		{ "FIN again in TIME-WAIT", HF_STATE_TIME_WAIT, false, HF_FIN | HF_ACK, 300, 101, 0, HF_ACK, 101, 301,
			HF_STATE_TIME_WAIT, 0 },
		{ "ACK in its place in TIME-WAIT", HF_STATE_TIME_WAIT, false, HF_ACK, 301, 101, 0, 0, 0, 0,
			HF_STATE_TIME_WAIT, 0 },
		{ "RFC 1337: RST in TIME-WAIT", HF_STATE_TIME_WAIT, false, HF_RST, 301, 0, 0, 0, 0, 0,
			HF_STATE_TIME_WAIT, 0 },
		{ "RFC 5961: RST one off", HF_STATE_FIN_WAIT_2, false, HF_RST, 302, 0, 0, HF_ACK, 101, 301,
			HF_STATE_FIN_WAIT_2, 0 },
		{ "RFC 5961: RST below", HF_STATE_FIN_WAIT_2, false, HF_RST, 300, 0, 0, 0, 0, 0, HF_STATE_FIN_WAIT_2,
			0 },
		{ "RFC 5961: SYN in a synchronized state", HF_STATE_FIN_WAIT_1, false, HF_SYN, 5000, 0, 0, HF_ACK, 101,
			301, HF_STATE_FIN_WAIT_1, 0 },
		{ "text after CLOSE", HF_STATE_FIN_WAIT_2, false, HF_ACK, 301, 101, 5, HF_RST, 101, 0, HF_STATE_CLOSED,
			HF_EVENT_ABORTED },
		{ "RFC 6191: higher SYN in TIME-WAIT", HF_STATE_TIME_WAIT, false, HF_SYN, 302, 0, 0, HF_SYN | HF_ACK,
			100 + 1 + 65536, 303, HF_STATE_SYN_RECEIVED, 0 },
		{ "the host's", HF_STATE_ESTABLISHED, false, HF_FIN | HF_ACK, 301, 101, 0, 0, 0, 0,
			HF_STATE_ESTABLISHED, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool acked = rows[i].state == HF_STATE_FIN_WAIT_2 || rows[i].state == HF_STATE_TIME_WAIT;
		struct spec_conn c = { rows[i].state, rows[i].active, !rows[i].active, 100, 300, acked ? 101 : 100, 101,
			301, 1000, false, 0, 100 };
		struct spec_segment s = { rows[i].seq, rows[i].ack, rows[i].flags, rows[i].text, false, 0 };
		struct spec_answer a = spec_segment_arrives(&c, &s);

		check_context("%s", rows[i].name);
		CHECK_EQ(a.reply.flags, rows[i].reply, "flags of the reply");
		CHECK_EQ(a.reply.seq, rows[i].reply_seq, "SEQ of the reply");
		CHECK_EQ(a.reply.ack, rows[i].reply_ack, "ACK of the reply");
		CHECK(a.next.state == rows[i].next ||
				(a.next.state == HF_STATE_LISTEN && rows[i].next == HF_STATE_CLOSED),
			"next state %s, want %s", state_name(a.next.state), state_name(rows[i].next));
		CHECK_EQ(a.event, rows[i].event, "event");
	}
}

static const struct bench_case cases[] = {
	CASE_ONCE(specification),
	CASE(closed),
	CASE(listen_),
	CASE(syn_sent),
	CASE(syn_received_passive),
	CASE(syn_received_active),
	CASE(established),
	CASE(fin_wait_1),
	CASE(fin_wait_2),
	CASE(close_wait),
	CASE(closing),
	CASE(last_ack),
	CASE(time_wait),
	CASE(time_wait_without_listener),
	CASE(total),
	{ 0 },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, "matrix", cases);
}
