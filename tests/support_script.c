/* SPDX-License-Identifier: Apache-2.0
 * support_script.c - handshakes as tables of rows, and short cuts to a connection. */
#include "support_bench.h"

/* What a script knows of its connection, from the rows alone. */
struct progress {
	struct bench *b;
	uint32_t iss, irs;
	uint16_t port;
	struct segment last; /* given last */
	bool open;	     /* a SYN was given, or sent */
	const char *syn_opts;
	uint32_t ts_recent, sent_ms;
	bool lost;
	bool ip6, active;
	struct tags tags;
	const char *offered; /* by CONNECT */
	uint32_t id;	     /* of the entry that was there last */
};

static const struct hf_tcb *entry_of(const struct progress *p)
{
	for (unsigned i = 0; i < p->b->slots; i++) {
		const struct hf_tcb *t = &p->b->table[i];

		if (t->state != HF_STATE_CLOSED && t->ip6 == p->ip6 && t->remote_port == p->port &&
			t->local_port == OUR_PORT && (p->ip6 || t->remote_addr == PEER_ADDR))
			return t;
	}
	return NULL;
}

/* Set the time so that the next SYN of this connection has sequence number p->iss. */
static void set_iss(struct progress *p)
{
	uint8_t octets[36];
	uint32_t clock;

	if (!p->ip6) {
		bench_iss(p->b, PEER_ADDR, p->port, OUR_ADDR, OUR_PORT, p->iss);
		return;
	}
	memcpy(octets, PEER6, 16);
	memcpy(octets + 16, OUR6, 16);
	put16(octets + 32, p->port);
	put16(octets + 34, OUR_PORT);
	clock = p->iss - (uint32_t)ref_siphash(p->b->key_isn, octets, sizeof(octets));
	p->b->sim->time_ps = ((uint64_t)clock << 12 | 1024) * 1000;
}

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
	const struct hf_tcb *t = entry_of(p);
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
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
		.text_len = r->text ? strlen(r->text) : 0,
		.ip6 = p->ip6 };
	if (t && t->state == HF_STATE_SYN_SENT && flags & HF_SYN && !(flags & HF_RST) &&
		(!(flags & HF_ACK) || r->ack == 1)) {
		p->syn_opts = r->opts;
		p->ts_recent = option_or(r->opts, "ts=", 0);
	}
	if ((flags & (HF_SYN | HF_ACK | HF_RST | HF_FIN)) == HF_SYN) {
		if (!t) {
			p->active = false;
			p->irs = p->last.seq; /* a new incarnation may have another ISN */
			p->last.seq = p->irs;
			set_iss(p);
			p->syn_opts = r->opts;
			p->ts_recent = option_or(r->opts, "ts=", 0);
			p->sent_ms = p->b->ms;
			p->lost = false;
		} else if (t->state == HF_STATE_SYN_RECEIVED && p->last.seq == p->irs) {
			p->lost = true;
			if (option(r->opts, "ts=", &tsval) && (int32_t)(tsval - p->ts_recent) >= 0)
				p->ts_recent = tsval;
		}
		p->open = true;
	}
	bench_frame(p->b, frame, make_tagged_frame(frame, OUR_MAC, PEER_MAC, &p->tags, ip, make_packet(ip, &p->last)));
}

/* Options as this address family has them: the MSS we advertise is 20 less over IPv6. */
static const char *of_family(const struct progress *p, const char *opts)
{
	static char text[128];

	if (!opts || !p->ip6 || strncmp(opts, "mss=1460", 8))
		return opts;
	snprintf(text, sizeof(text), "mss=1440%s", opts + 8);
	return text;
}

static void expect(struct progress *p, const struct row *r)
{
	uint16_t flags = flags_parse(r->flags);
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
	const struct item *got = bench_tx(p->b);
	struct segment out = { .src = OUR_ADDR,
		.dst = PEER_ADDR,
		.ip6 = p->ip6,
		.back = true,
		.sport = OUR_PORT,
		.dport = p->port,
		.seq = p->iss + r->seq,
		.ack = flags & HF_ACK ? p->irs + r->ack : 0,
		.flags = flags,
		.wnd = window(r, flags & HF_RST ? 0 : 65535),
		.opts = of_family(p, r->opts	      ? r->opts
				     : flags & HF_SYN ? "mss=1460"
						      : NULL) };
	size_t len = make_tagged_frame(frame, PEER_MAC, OUR_MAC, &p->tags, ip, make_packet(ip, &out));

	if (CHECK(got != NULL, "no frame came out"))
		CHECK_BYTES("frame out", got->bytes, got->len, frame, len);
}

/* The ESTABLISHED event as regs/message.def says, from the SYN, the completing segment and the bench. */
static void expect_event(struct progress *p)
{
	const struct hf_tcb *t = entry_of(p);
	const struct item *got = bench_c2h(p->b);
	uint32_t mss = option_or(p->syn_opts, "mss=", p->ip6 ? 1220 : 536), floor = bench_get(p->b, HF_REG_MSS_FLOOR);
	uint32_t our_mss = bench_get(p->b, p->ip6 ? HF_REG_MSS6 : HF_REG_MSS), tsval = 0;
	const char *offered = p->active ? p->offered : "ws sack ts";
	bool ws_ok = option(p->syn_opts, "ws=", NULL) && strstr(offered, "ws");
	bool ts_ok = option(p->syn_opts, "ts=", NULL) && strstr(offered, "ts");
	bool sack_ok = option(p->syn_opts, "sack", NULL) && strstr(offered, "sack");
	uint32_t shift = option_or(p->syn_opts, "ws=", 0), our_shift = bench_get(p->b, HF_REG_WSCALE);
	bool scaled = ws_ok && !(p->last.flags & HF_SYN);
	bool up = !(p->last.flags & HF_SYN) && (p->last.text_len || p->last.flags & HF_FIN);
	uint32_t rtt;
	uint8_t want[128];

	if (!CHECK(got != NULL, "no event came up") || !CHECK(t != NULL, "no entry"))
		return;
	mss = mss > our_mss ? our_mss : mss;
	mss = mss < floor ? floor : mss;
	bench_call_body(want, p->ip6, p->port, OUR_PORT, &p->tags);
	MSG_PUT(want, HEADER, type, HF_MSG_EVENT);
	if (option(p->last.opts, "ts=", NULL) && (ts_ok || p->last.flags & HF_SYN) &&
		option(p->last.opts, "ts=", &tsval) && (int32_t)(p->last.seq - (p->irs + 1)) <= 0)
		p->ts_recent = tsval;
	MSG_PUT(want, HEADER, length, 128);
	MSG_PUT(want, HEADER, id, bench_id(p->b, t));
	MSG_PUT(want, HEADER, stamp, p->b->rx.v[p->b->rx.count - 1].time_ns);
	MSG_PUT(want, EVENT, code, HF_EVENT_ESTABLISHED);
	MSG_PUT(want, EVENT, state, HF_STATE_ESTABLISHED);
	MSG_PUT(want, EVENT, options,
		(unsigned)ws_ok | (unsigned)ts_ok << 1 | (unsigned)sack_ok << 2 | (unsigned)p->lost << 3 |
			(unsigned)up << 4 | (unsigned)p->tags.count << 5 | (unsigned)p->tags.svlan << 7);
	MSG_PUT(want, EVENT, listener,
		(p->active ? 1u << 6 : p->ip6) | ((bench_get(p->b, HF_REG_CTRL) >> HF_CTRL_ECN_LOW & 1) && t->ecn_ok)
							 << 7);
	MSG_PUT(want, EVENT, mss, mss);
	shift = shift > 14 ? 14 : shift;
	MSG_PUT(want, EVENT, snd_wscale, ws_ok ? shift : 0);
	MSG_PUT(want, EVENT, rcv_wscale, !ws_ok ? 0 : our_shift > 14 ? 14 : our_shift);
	MSG_PUT(want, EVENT, iss, p->iss);
	MSG_PUT(want, EVENT, irs, p->irs);
	MSG_PUT(want, EVENT, snd_una, p->iss + 1);
	MSG_PUT(want, EVENT, snd_nxt, p->iss + 1);
	MSG_PUT(want, EVENT, rcv_nxt, p->irs + 1);
	MSG_PUT(want, EVENT, snd_wnd, (uint32_t)p->last.wnd << (scaled ? shift : 0));
	MSG_PUT(want, EVENT, rcv_wnd, bench_get(p->b, HF_REG_RCV_WND));
	MSG_PUT(want, EVENT, snd_wl1, p->last.seq);
	MSG_PUT(want, EVENT, snd_wl2, p->last.ack);
	MSG_PUT(want, EVENT, ts_recent, p->ts_recent);
	MSG_PUT(want, EVENT, tsecr,
		option(p->last.opts, "ts=", NULL) ? strtoul(strchr(strstr(p->last.opts, "ts="), ':') + 1, NULL, 0) : 0);
	rtt = p->b->ms - p->sent_ms;
	MSG_PUT(want, EVENT, rtt_ms, p->lost ? 0xffffu : rtt > 0xfffe ? 0xfffe : rtt);
	/* RFC 6298 5.7: 3 s after a loss; 2.2 with RTTVAR = R/2: 3R, at least 1 s */
	MSG_PUT(want, EVENT, rto_ms, p->lost ? 3000u : 3 * rtt < 1000 ? 1000u : 3 * rtt > 65535 ? 65535u : 3 * rtt);
	MSG_PUT(want, EVENT, now_ms, p->b->ms);
	MSG_PUT(want, EVENT, seg_wnd, p->last.wnd);
	CHECK_BYTES("ESTABLISHED event", got->bytes, got->len, want, sizeof(want));
	CHECK_EQ(t->timer_armed, 0, "TIMER.ARMED");
	CHECK_EQ(t->deadline_ms, 0, "DEADLINE.MS");
	CHECK_EQ(t->snd_una, MSG_GET(want, EVENT, snd_una), "SND.UNA");
	CHECK_EQ(t->snd_wnd, MSG_GET(want, EVENT, snd_wnd), "SND.WND");
	CHECK_EQ(t->ts_recent, p->ts_recent, "TS.Recent");
}

/* CONNECT, CLOSE or ADOPT of this connection. */
static void call(struct progress *p, const struct row *r)
{
	bool connect = !strncmp(r->flags, "CONNECT", 7), cw = strstr(r->flags, "CW");
	enum hf_command_code code = connect			     ? HF_COMMAND_CONNECT
				    : !strncmp(r->flags, "CLOSE", 5) ? HF_COMMAND_CLOSE
								     : HF_COMMAND_ADOPT;
	const char *opts = r->opts ? r->opts : "";
	uint8_t body[128];
	unsigned bits, status;
	uint32_t id;

	bench_quiet(p->b);
	bench_call_body(body, p->ip6, p->port, OUR_PORT, &p->tags);
	bits = (unsigned)MSG_GET(body, EVENT, options) | (strstr(opts, "ws") ? 1 : 0) | (strstr(opts, "ts") ? 2 : 0) |
	       (strstr(opts, "sack") ? 4 : 0);
	MSG_PUT(body, EVENT, options, bits);
	if (connect) {
		MSG_PUT(body, EVENT, now_ms, r->ack);
		p->active = p->open = true;
		p->offered = opts;
		p->sent_ms = p->b->ms;
		p->lost = false;
		set_iss(p);
	} else {
		MSG_PUT(body, EVENT, state, cw ? HF_STATE_CLOSE_WAIT : HF_STATE_ESTABLISHED);
		MSG_PUT(body, EVENT, mss, 1000);
		MSG_PUT(body, EVENT, iss, p->iss);
		MSG_PUT(body, EVENT, irs, p->irs);
		MSG_PUT(body, EVENT, snd_una, p->iss + 1);
		MSG_PUT(body, EVENT, snd_nxt, p->iss + 1);
		MSG_PUT(body, EVENT, rcv_nxt, p->irs + 1 + cw);
		MSG_PUT(body, EVENT, snd_wnd, 1000);
		MSG_PUT(body, EVENT, rcv_wnd, window(r, 65535));
		MSG_PUT(body, EVENT, ts_recent, r->ack);
	}
	status = bench_call(p->b, code, body, &id);
	CHECK_EQ(status, r->seq, "status");
	if (!status)
		CHECK_EQ(id, bench_id(p->b, entry_of(p)), "id of the COMPLETION");
}

/* An event that is not ESTABLISHED: code, connection, state. */
static void expect_other_event(struct progress *p, const char *name)
{
	static const struct {
		const char *name;
		unsigned code;
	} events[] = {
#define EVENT(name, code, doc) { #name, code },
#include "../regs/message.def"
#undef EVENT
	};
	const struct hf_tcb *t = entry_of(p);
	const struct item *got = bench_c2h(p->b);
	uint8_t tuple[128];

	if (!CHECK(got && got->bytes[0] == HF_MSG_EVENT && got->len == 128, "no event %s", name))
		return;
	for (size_t i = 0; i < COUNT(events); i++)
		if (!strcmp(events[i].name, name))
			CHECK_EQ(MSG_GET(got->bytes, EVENT, code), events[i].code, "event code");
	bench_call_body(tuple, p->ip6, p->port, OUR_PORT, &p->tags);
	CHECK_EQ(MSG_GET(got->bytes, HEADER, id), p->id, "id of the event");
	CHECK_EQ(MSG_GET(got->bytes, EVENT, state), t ? t->state : HF_STATE_CLOSED, "state in the event");
	CHECK_BYTES("4-tuple and MAC of the event", got->bytes + HF_AT_EVENT_remote_addr, 42,
		tuple + HF_AT_EVENT_remote_addr, 42);
	CHECK_EQ(MSG_GET(got->bytes, EVENT, iss), p->iss, "ISS in the event");
	CHECK_EQ(MSG_GET(got->bytes, EVENT, rtt_ms), 0xffff, "round-trip time in the event");
}

/* An ICMP error that quotes the network header and 8 octets of a segment of ours. */
static void give_icmp(struct progress *p, bool hard, uint32_t seq)
{
	struct segment quoted = { .src = OUR_ADDR,
		.dst = PEER_ADDR,
		.ip6 = p->ip6,
		.back = true,
		.sport = OUR_PORT,
		.dport = p->port,
		.seq = seq,
		.flags = HF_SYN };
	uint8_t ip[PACKET_MAX] = { 0 }, frame[PACKET_MAX], quote[PACKET_MAX];
	size_t header = p->ip6 ? 40 : 20, len = header + 8;
	uint64_t sum;

	make_packet(quote, &quoted);
	memcpy(ip + header + 8, quote, len);
	if (p->ip6) {
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)(8 + len));
		ip[6] = 58;
		ip[7] = 64;
		memcpy(ip + 8, PEER6, 16);
		memcpy(ip + 24, OUR6, 16);
		ip[40] = 1;
		ip[41] = hard ? 4 : 0;
		/* pseudo-header: addresses, length, next header */
		sum = (uint64_t)ref_sum(ip + 8, 32 + 8 + len) + 8 + len + 58;
		put16(ip + 42, ~(sum % 65535) & 0xffff);
	} else {
		ip[0] = 0x45;
		put16(ip + 2, (uint32_t)(28 + len));
		ip[8] = 64;
		ip[9] = 1;
		put32(ip + 12, PEER_ADDR);
		put32(ip + 16, OUR_ADDR);
		put16(ip + 10, ref_ip_checksum(ip));
		ip[20] = 3;
		ip[21] = hard ? 3 : 1;
		put16(ip + 22, ~ref_sum(ip + 20, 8 + len) & 0xffff);
	}
	bench_quiet(p->b);
	bench_frame(p->b, frame, make_tagged_frame(frame, OUR_MAC, PEER_MAC, &p->tags, ip, header + 8 + len));
}

static void expect_counter(struct bench *b, const char *name, uint64_t by)
{
	for (unsigned c = 0; c < HF_CNT_COUNT; c++)
		if (!strcmp(counter_name(c), name)) {
			bench_counted(b, (enum hf_counter)c, by);
			return;
		}
	CHECK(false, "no counter \"%s\"", name);
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

/* One run on an open bench. */
static void script_run_on(struct bench *b, const char *name, const struct row *rows, uint32_t iss, uint32_t irs,
	bool ip6, const struct tags *tags)
{
	struct progress p = { .b = b, .iss = iss, .irs = irs, .port = PEER_PORT, .ip6 = ip6, .tags = *tags };

	for (const struct row *r = rows; r->dir; r++) {
		const struct hf_tcb *before = entry_of(&p), *t;
		const char *state;
		char where[200];

		snprintf(where, sizeof(where), "%s row %d '%c' %s (ISS 0x%08x, IRS 0x%08x, IPv%d, %u tags)", name,
			(int)(r - rows) + 1, r->dir, r->flags ? r->flags : "", iss, irs, ip6 ? 6 : 4, tags->count);
		check_context("%s", where);
		switch (r->dir) {
		case '<':
			give(&p, r);
			break;
		case '>':
			expect(&p, r);
			if (r->flags[0] == 'S' && b->ms != p.sent_ms && p.open && (!p.active || r[-1].dir != '<'))
				p.lost = true; /* not the answer to the SYN just given */
			break;
		case 't':
			bench_quiet(b);
			bench_ms(b, r->seq);
			break;
		case 'e':
			expect_event(&p);
			break;
		case 'h':
			bench_expect_last(b, HF_FRAME_CSUM_OK | (strcmp(r->flags, "conn") ? 0 : HF_FRAME_CONN),
				strcmp(r->flags, "conn") ? HF_NO_ID : p.id);
			break;
		case 'd':
			expect_drop(b, r->flags);
			break;
		case 'c':
			CHECK_EQ(bench_command(b, strcmp(r->flags, "ABORT") ? HF_COMMAND_RELEASE : HF_COMMAND_ABORT,
					 bench_id(b, before)),
				r->seq, "status");
			break;
		case 'o':
			call(&p, r);
			break;
		case 'E':
			expect_other_event(&p, r->flags);
			break;
		case 'i':
			give_icmp(&p, !strcmp(r->flags, "hard"), p.iss + r->seq);
			break;
		case 'x': { /* whatever ISS the new incarnation has, it is above the old SND.NXT */
			const struct item *got = bench_tx(b);

			if (CHECK(got && entry_of(&p), "no SYN-ACK")) {
				const uint8_t *tcp = got->bytes + 14 + 4 * tags->count + (ip6 ? 40 : 20);

				CHECK_EQ(tcp[13], HF_SYN | HF_ACK, "flags");
				CHECK_EQ(get32(tcp + 8), irs + r->seq + 1, "ACK");
				CHECK((int32_t)(get32(tcp + 4) - (iss + 2)) > 0, "ISS 0x%08x", get32(tcp + 4));
			}
			break;
		}
		case 'n':
			expect_counter(b, r->flags, r->seq);
			break;
		default:
			CHECK(false, "no such row");
		}
		t = entry_of(&p);
		if (t)
			p.id = bench_id(b, t);
		state = t ? state_name((unsigned)t->state) : "LISTEN";
		if (r->state)
			CHECK(!strcmp(state, r->state), "state %s, want %s", state, r->state);
	}
	check_context("%s at its end (ISS 0x%08x, IRS 0x%08x)", name, iss, irs);
	bench_quiet(b);
	check_context("%s", "");
}

/* Listener 1: IPv6, any of our addresses, port 80, all options. */
static void bench_listen6(struct bench *b)
{
	bench_set(b, HF_REG_LOCAL6_A0, get32(OUR6 + 12));
	bench_set(b, HF_REG_LOCAL6_A3, get32(OUR6));
	bench_listen(b, 1, 0, OUR_PORT, 1000, OPT_WS | OPT_SACK | OPT_TS | OPT_IP6, LISTEN_OFFLOAD);
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
	static const struct {
		bool ip6;
		struct tags tags;
	} links[] = {
		{ true, { 0 } },
		{ false, { 1, false, 0x6064, 0 } },
		{ false, { 2, true, 0x0fff, 0x1001 } },
		{ true, { 1, true, 0x0001, 0 } },
		{ true, { 2, false, 0xe002, 0xf003 } },
	};
	static const struct tags untagged;

	for (size_t i = 0; i < COUNT(start); i++) {
		struct bench *b = bench_open(ENGINE_SMALL);

		if (s->setup)
			s->setup(b);
		script_run_on(b, s->name, s->rows, start[i][0], start[i][1], false, &untagged);
		bench_close(b);
	}
	for (size_t i = 0; i < COUNT(links) && !s->only_ipv4; i++) {
		struct bench *b = bench_open(ENGINE_SMALL);

		bench_listen6(b);
		if (s->setup)
			s->setup(b);
		script_run_on(b, s->name, s->rows, start[0][0], start[0][1], links[i].ip6, &links[i].tags);
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
