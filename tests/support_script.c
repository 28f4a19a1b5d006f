/* SPDX-License-Identifier: Apache-2.0
 * support_script.c - handshakes as tables of rows, and short cuts to a connection. */
#include "support_bench.h"

/* What a script knows of its connection, from the rows alone. */
struct progress {
	struct bench *b;
	uint32_t iss, irs;
	uint16_t port;
	struct segment last; /* given last */
	bool open;	     /* a SYN was given */
	const char *syn_opts;
	uint32_t ts_recent, sent_ms;
	bool lost;
};

/* The number after `word` in an option shorthand; false when the option is not there. */
static bool option(const char *opts, const char *word, uint32_t *value)
{
	const char *at = opts ? strstr(opts, word) : NULL;

	if (at && value)
		*value = (uint32_t)strtoul(at + strlen(word), NULL, 0);
	return at != NULL;
}

static uint32_t option_or(const char *opts, const char *word, uint32_t absent)
{
	option(opts, word, &absent);
	return absent;
}

static uint16_t window(const struct row *r, uint16_t standard)
{
	return r->wnd == ZERO_WND ? 0 : r->wnd ? (uint16_t)r->wnd : standard;
}

static void give(struct progress *p, const struct row *r)
{
	uint16_t flags = flags_parse(r->flags);
	uint32_t tsval = 0;

	bench_quiet(p->b);
	p->last = (struct segment){ .sport = p->port,
		.dport = OUR_PORT,
		.seq = p->irs + r->seq,
		.ack = flags & HF_ACK ? p->iss + r->ack : 0,
		.flags = flags,
		.wnd = window(r, 65535),
		.opts = r->opts,
		.text = r->text,
		.text_len = r->text ? strlen(r->text) : 0 };
	if ((flags & (HF_SYN | HF_ACK | HF_RST | HF_FIN)) == HF_SYN) {
		if (!bench_entry(p->b, PEER_ADDR, p->port, OUR_ADDR, OUR_PORT)) {
			p->irs = p->last.seq; /* a new incarnation may have another ISN */
			p->last.seq = p->irs;
			bench_iss(p->b, PEER_ADDR, p->port, OUR_ADDR, OUR_PORT, p->iss);
			p->syn_opts = r->opts;
			p->ts_recent = option_or(r->opts, "ts=", 0);
			p->sent_ms = p->b->ms;
			p->lost = false;
		} else if (p->last.seq == p->irs) {
			p->lost = true;
			if (option(r->opts, "ts=", &tsval) && (int32_t)(tsval - p->ts_recent) >= 0)
				p->ts_recent = tsval;
		}
		p->open = true;
	}
	bench_segment(p->b, &p->last);
}

static void expect(struct progress *p, const struct row *r)
{
	uint16_t flags = flags_parse(r->flags);
	struct segment out = { .sport = OUR_PORT,
		.dport = p->port,
		.seq = p->iss + r->seq,
		.ack = flags & HF_ACK ? p->irs + r->ack : 0,
		.flags = flags,
		.wnd = window(r, flags & HF_RST ? 0 : 65535),
		.opts = r->opts		 ? r->opts
			: flags & HF_SYN ? "mss=1460"
					 : NULL };

	bench_expect_segment(p->b, &out);
}

/* The ESTABLISHED event as regs/message.def says, from the SYN, the completing segment and the bench. */
static void expect_event(struct progress *p)
{
	const struct hf_tcb *t = bench_entry(p->b, PEER_ADDR, p->port, OUR_ADDR, OUR_PORT);
	const struct item *got = bench_c2h(p->b);
	uint32_t mss = option_or(p->syn_opts, "mss=", 536), floor = bench_get(p->b, HF_REG_MSS_FLOOR);
	uint32_t our_mss = bench_get(p->b, HF_REG_MSS), tsval = 0;
	bool ws_ok = option(p->syn_opts, "ws=", NULL), ts_ok = option(p->syn_opts, "ts=", NULL);
	uint32_t shift = option_or(p->syn_opts, "ws=", 0), our_shift = bench_get(p->b, HF_REG_WSCALE);
	bool up = p->last.text_len || p->last.flags & HF_FIN;
	uint8_t want[128] = { HF_MSG_EVENT, 0 };

	if (!CHECK(got != NULL, "no event came up") || !CHECK(t != NULL, "no entry"))
		return;
	mss = mss > our_mss ? our_mss : mss;
	mss = mss < floor ? floor : mss;
	if (ts_ok && option(p->last.opts, "ts=", &tsval) && (int32_t)(p->last.seq - (p->irs + 1)) <= 0)
		p->ts_recent = tsval;
	MSG_PUT(want, HEADER, length, 128);
	MSG_PUT(want, HEADER, id, bench_id(p->b, t));
	MSG_PUT(want, HEADER, stamp, p->b->rx.v[p->b->rx.count - 1].time_ns);
	MSG_PUT(want, EVENT, code, HF_EVENT_ESTABLISHED);
	MSG_PUT(want, EVENT, state, HF_STATE_ESTABLISHED);
	MSG_PUT(want, EVENT, options,
		(unsigned)ws_ok | (unsigned)ts_ok << 1 | (unsigned)option(p->syn_opts, "sack", NULL) << 2 |
			(unsigned)p->lost << 3 | (unsigned)up << 4);
	MSG_PUT(want, EVENT, mss, mss);
	shift = shift > 14 ? 14 : shift;
	MSG_PUT(want, EVENT, snd_wscale, ws_ok ? shift : 0);
	MSG_PUT(want, EVENT, rcv_wscale, !ws_ok ? 0 : our_shift > 14 ? 14 : our_shift);
	memset(want + HF_AT_EVENT_remote_addr + 10, 0xff, 2);
	put32(want + HF_AT_EVENT_remote_addr + 12, PEER_ADDR);
	memset(want + HF_AT_EVENT_local_addr + 10, 0xff, 2);
	put32(want + HF_AT_EVENT_local_addr + 12, OUR_ADDR);
	MSG_PUT(want, EVENT, remote_port, p->port);
	MSG_PUT(want, EVENT, local_port, OUR_PORT);
	put48(want + HF_AT_EVENT_remote_mac, PEER_MAC);
	MSG_PUT(want, EVENT, iss, p->iss);
	MSG_PUT(want, EVENT, irs, p->irs);
	MSG_PUT(want, EVENT, snd_una, p->iss + 1);
	MSG_PUT(want, EVENT, snd_nxt, p->iss + 1);
	MSG_PUT(want, EVENT, rcv_nxt, p->irs + 1);
	MSG_PUT(want, EVENT, snd_wnd, (uint32_t)p->last.wnd << (ws_ok ? shift : 0));
	MSG_PUT(want, EVENT, rcv_wnd, bench_get(p->b, HF_REG_RCV_WND));
	MSG_PUT(want, EVENT, snd_wl1, p->last.seq);
	MSG_PUT(want, EVENT, snd_wl2, p->last.ack);
	MSG_PUT(want, EVENT, ts_recent, p->ts_recent);
	MSG_PUT(want, EVENT, tsecr,
		option(p->last.opts, "ts=", NULL) ? strtoul(strchr(strstr(p->last.opts, "ts="), ':') + 1, NULL, 0) : 0);
	MSG_PUT(want, EVENT, rtt_ms, p->lost ? 0xffffffffu : p->b->ms - p->sent_ms);
	MSG_PUT(want, EVENT, now_ms, p->b->ms);
	MSG_PUT(want, EVENT, seg_wnd, p->last.wnd);
	CHECK_BYTES("ESTABLISHED event", got->bytes, got->len, want, sizeof(want));
	CHECK_EQ(t->timer_armed, 0, "TIMER.ARMED");
	CHECK_EQ(t->deadline_ms, 0, "DEADLINE.MS");
	CHECK_EQ(t->snd_una, MSG_GET(want, EVENT, snd_una), "SND.UNA");
	CHECK_EQ(t->snd_wnd, MSG_GET(want, EVENT, snd_wnd), "SND.WND");
	CHECK_EQ(t->ts_recent, p->ts_recent, "TS.Recent");
}

static void expect_drop(struct bench *b, const char *cause)
{
	static const struct {
		const char *name;
		unsigned code, counter;
	} causes[] = {
#define HF_CNT_NONE			0
#define CAUSE(name, code, counter, doc) { #name, code, HF_CNT_##counter },
#include "../regs/verdict.def"
#undef CAUSE
#undef HF_CNT_NONE
	};
	const struct hf_out *trace = bench_last_trace(b);

	for (size_t i = 1; i < COUNT(causes); i++) {
		if (strcmp(causes[i].name, cause))
			continue;
		CHECK_EQ(trace->trc_verdict, HF_VERDICT_DROP, "verdict");
		CHECK_EQ(trace->trc_cause, causes[i].code, "cause");
		bench_counted(b, (enum hf_counter)causes[i].counter, 1);
		return;
	}
	CHECK(false, "no cause \"%s\"", cause);
}

/* One run on an open bench, on the peer's port `port`. */
static void script_run_on(
	struct bench *b, const char *name, const struct row *rows, uint32_t iss, uint32_t irs, uint16_t port)
{
	struct progress p = { .b = b, .iss = iss, .irs = irs, .port = port };

	for (const struct row *r = rows; r->dir; r++) {
		const struct hf_tcb *before = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT), *t;
		const char *state;
		char where[200];

		snprintf(where, sizeof(where), "%s row %d '%c' %s (ISS 0x%08x, IRS 0x%08x)", name, (int)(r - rows) + 1,
			r->dir, r->flags ? r->flags : "", iss, irs);
		check_context("%s", where);
		switch (r->dir) {
		case '<':
			give(&p, r);
			break;
		case '>':
			expect(&p, r);
			if (r->flags[0] == 'S' && b->ms != p.sent_ms && p.open)
				p.lost = true; /* not the answer to the SYN just given */
			break;
		case 't':
			bench_ms(b, r->seq);
			break;
		case 'e':
			expect_event(&p);
			break;
		case 'h':
			bench_expect_last(b, HF_FRAME_CSUM_OK | (strcmp(r->flags, "conn") ? 0 : HF_FRAME_CONN),
				strcmp(r->flags, "conn") ? HF_NO_ID : bench_id(b, before));
			break;
		case 'd':
			expect_drop(b, r->flags);
			break;
		case 'c':
			CHECK_EQ(bench_command(b, strcmp(r->flags, "ABORT") ? HF_COMMAND_RELEASE : HF_COMMAND_ABORT,
					 bench_id(b, before)),
				r->seq, "status");
			break;
		default:
			CHECK(false, "no such row");
		}
		t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
		state = t ? state_name((unsigned)t->state) : "LISTEN";
		if (r->state)
			CHECK(!strcmp(state, r->state), "state %s, want %s", state, r->state);
	}
	check_context("%s at its end (ISS 0x%08x, IRS 0x%08x)", name, iss, irs);
	bench_quiet(b);
	check_context("%s", "");
}

void script_run(const struct script *s)
{
	static const uint32_t start[][2] = {
		/* ISS, peer's ISN */
		{ 0x20000000, 0x10000000 },
		{ 0xffffffff, 0xffffffff },
		{ 0xfffffffe, 0x00000000 },
		{ 0x00000000, 0xfffffffe },
		{ 0x7fffffff, 0x80000000 },
		{ 0x80000000, 0x7ffffffe },
	};

	for (size_t i = 0; i < COUNT(start); i++) {
		struct bench *b = bench_open(ENGINE_SMALL);

		if (s->setup)
			s->setup(b);
		script_run_on(b, s->name, s->rows, start[i][0], start[i][1], PEER_PORT);
		bench_close(b);
	}
}

void script_run_rows(const char *name, const struct row *rows)
{
	script_run(&(struct script){ name, rows, NULL });
}

uint32_t bench_half_open(struct bench *b, uint32_t remote, uint16_t port, uint32_t isn)
{
	struct segment syn = {
		.src = remote, .sport = port, .dport = OUR_PORT, .seq = isn, .flags = HF_SYN, .wnd = 65535
	};
	const struct hf_tcb *t;

	bench_segment(b, &syn);
	t = bench_entry(b, remote, port, OUR_ADDR, OUR_PORT);
	CHECK(t && t->state == HF_STATE_SYN_RECEIVED, "SYN from 0x%08x:%u took no entry", remote, port);
	CHECK(bench_tx(b) != NULL, "SYN from 0x%08x:%u has no answer", remote, port);
	return bench_id(b, t);
}

uint32_t bench_establish(struct bench *b, uint32_t remote, uint16_t port, uint32_t isn)
{
	uint32_t id = bench_half_open(b, remote, port, isn);
	const struct hf_tcb *t = bench_entry(b, remote, port, OUR_ADDR, OUR_PORT);
	struct segment ack = { .src = remote,
		.sport = port,
		.dport = OUR_PORT,
		.seq = isn + 1,
		.flags = HF_ACK,
		.ack = t ? (uint32_t)t->iss + 1 : 0,
		.wnd = 65535 };
	const struct item *event;

	bench_segment(b, &ack);
	event = bench_c2h(b);
	CHECK(event && event->bytes[0] == HF_MSG_EVENT && MSG_GET(event->bytes, HEADER, id) == id,
		"the handshake of 0x%08x:%u made no event", remote, port);
	return id;
}

void bench_still_serves_at(const char *file, unsigned line, struct bench *b)
{
	static uint16_t port = 2000;
	struct segment s = { .src = 0xc6336401,
		.sport = port = port == 60000 ? 2000 : port + 1,
		.dport = OUR_PORT,
		.seq = 77,
		.flags = HF_SYN,
		.wnd = 1000 };
	const struct item *reply;

	bench_quiet_at(file, line, b);
	bench_segment(b, &s);
	reply = bench_tx(b);
	if (!check_at(reply != NULL && reply->len >= 54 && reply->bytes[47] == (HF_SYN | HF_ACK) &&
			      get32(reply->bytes + 42) == 78 && get16(reply->bytes + 36) == s.sport,
		    file, line, "the next SYN is not answered"))
		return;
	s.flags = HF_RST;
	s.seq = 78;
	bench_segment(b, &s);
	check_at(bench_entry(b, s.src, s.sport, OUR_ADDR, OUR_PORT) == NULL, file, line, "RST did not free the entry");
	bench_quiet_at(file, line, b);
}
