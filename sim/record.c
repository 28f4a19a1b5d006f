/* SPDX-License-Identifier: Apache-2.0
 * record.c - match frames to ops. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "../driver/message.h"
#include "packet.h"
#include "record.h"

#define TEXT 160

enum { OPS = 64, HOST_FRAMES_MAX = 256 };

/* The connection of a frame or of an entry, seen from the engine. */
struct tuple {
	uint32_t remote_addr, local_addr;
	uint16_t remote_port, local_port;
};

enum item_kind { ITEM_RX, ITEM_TX, ITEM_NOTE };

/* What will be written, in the order of its beginning on the pins. */
struct item {
	struct item *next;
	enum item_kind kind;
	bool decided, engine;	 /* engine: the engine took, dropped or made it */
	uint64_t cycle, time_ns; /* of the first beat */
	char what[TEXT];
	size_t len;
	uint8_t frame[];
};

/* An op whose reply has not been seen yet. */
struct owed {
	struct tuple tuple;
	uint64_t last_beat; /* a segment's: the cycle */
	enum hf_op op;
	uint64_t state_after;
	bool only_rst; /* a command: only a RST can be its reply, and there may be none */
};

/* A frame the host gave and that has not been seen on the wire. */
struct host_frame {
	struct host_frame *next;
	size_t len, csum_at; /* csum_at: where the core puts a checksum, 0 = nowhere */
	uint8_t bytes[];
};

struct record {
	struct record_options options;
	struct item *first;
	struct owed owed[OPS];
	unsigned owed_count;
	struct host_frame *host_first, **host_last;
	unsigned host_count;
};

const char *record_state_name(uint64_t state)
{
	switch (state) {
#define STATE(name, code, text, owner) \
	case code:                     \
		return text;
#include "../regs/tcp_state.def"
#undef STATE
	}
	return "?";
}

const char *record_verdict_name(uint64_t verdict)
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

const char *record_cause_name(uint64_t cause)
{
	switch (cause) {
#define CAUSE(name, code, counter, doc) \
	case code:                      \
		return #name;
#include "../regs/verdict.def"
#undef CAUSE
	}
	return "?";
}

struct record *record_open(const struct record_options *options)
{
	struct record *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->options = *options;
	r->host_last = &r->host_first;
	return r;
}

static void pop_host_frame(struct record *r)
{
	struct host_frame *h = r->host_first;

	r->host_first = h->next;
	if (!r->host_first)
		r->host_last = &r->host_first;
	r->host_count--;
	free(h);
}

static void write_item(struct record *r, const struct item *i)
{
	struct ladder *ladder = r->options.ladder;
	char comment[TEXT + 32];

	if (i->kind == ITEM_NOTE) {
		if (ladder)
			ladder_note(ladder, i->cycle, i->time_ns, i->what);
		return;
	}
	if (ladder && (i->engine || r->options.ladder_all))
		ladder_frame(ladder, i->kind == ITEM_TX, i->frame, i->len, i->cycle, i->time_ns, i->what);
	if (!r->options.pcapng)
		return;
	snprintf(comment, sizeof(comment), "cycle %" PRIu64 ": %s", i->cycle, i->what);
	/* An error stays in the pcapng and is reported by pcapng_close(). */
	pcapng_write(r->options.pcapng, i->kind == ITEM_TX ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
		i->time_ns + (uint64_t)r->options.wall_ns, i->frame, i->len, comment);
}

static void write_decided(struct record *r)
{
	struct item *i;

	while ((i = r->first) && i->decided) {
		r->first = i->next;
		write_item(r, i);
		free(i);
	}
}

void record_close(struct record *r)
{
	if (!r)
		return;
	record_quiet(r, NULL);
	while (r->host_first)
		pop_host_frame(r);
	free(r);
}

static struct item *add_item(
	struct record *r, enum item_kind kind, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct item *i = malloc(sizeof(*i) + len), **at = &r->first;

	if (!i)
		return NULL; /* the recording has a hole, the simulation goes on */
	*i = (struct item){ .kind = kind, .cycle = cycle, .time_ns = time_ns, .len = len };
	if (len)
		memcpy(i->frame, frame, len);
	while (*at && (*at)->time_ns <= time_ns)
		at = &(*at)->next;
	i->next = *at;
	*at = i;
	return i;
}

__attribute__((format(printf, 4, 5))) static void note(
	struct record *r, uint64_t cycle, uint64_t time_ns, const char *format, ...)
{
	struct item *i;
	va_list args;

	if (!r->options.ladder)
		return;
	i = add_item(r, ITEM_NOTE, NULL, 0, cycle, time_ns);
	if (!i)
		return;
	va_start(args, format);
	vsnprintf(i->what, sizeof(i->what), format, args);
	va_end(args);
	i->decided = true;
}

static bool tuple_of(const struct item *i, bool outbound, struct tuple *t)
{
	struct packet p;

	if (!packet_parse(i->frame, i->len, &p) || !p.is_tcp)
		return false;
	*t = outbound ? (struct tuple){ p.dst_addr, p.src_addr, p.dst_port, p.src_port }
		      : (struct tuple){ p.src_addr, p.dst_addr, p.src_port, p.dst_port };
	return true;
}

static bool same_tuple(const struct tuple *a, const struct tuple *b)
{
	return a->remote_addr == b->remote_addr && a->local_addr == b->local_addr && a->remote_port == b->remote_port &&
	       a->local_port == b->local_port;
}

static void owe(struct record *r, const struct owed *o)
{
	if (r->owed_count == OPS)
		memmove(r->owed, r->owed + 1, --r->owed_count * sizeof(*o));
	r->owed[r->owed_count++] = *o;
}

void record_rx(struct record *r, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t stamp)
{
	/* The beats of a frame follow one another: whoever records sets no struct sim_noise. */
	add_item(r, ITEM_RX, frame, len, cycle - (len - 1) / 8, stamp);
}

static struct item *find_rx(struct record *r, uint64_t stamp)
{
	struct item *i = r->first;

	while (i && (i->kind != ITEM_RX || i->decided || i->time_ns != stamp))
		i = i->next;
	return i;
}

static void trace_segment(struct record *r, const struct hf_out *out, uint64_t after)
{
	struct item *i = find_rx(r, out->trc_stamp);
	struct owed o = { .op = HF_OP_SEGMENT, .state_after = after };
	bool freed = out->trc_write && after == HF_STATE_CLOSED;

	if (!i)
		return;
	o.last_beat = i->cycle + (i->len - 1) / 8;
	snprintf(i->what, sizeof(i->what), "%s -> %s, %s%s%s", record_state_name(out->trc_state),
		record_state_name(after), record_verdict_name(out->trc_verdict),
		out->trc_verdict == HF_VERDICT_DROP ? " " : "",
		out->trc_verdict == HF_VERDICT_DROP ? record_cause_name(out->trc_cause) : "");
	i->decided = true;
	i->engine = out->trc_verdict != HF_VERDICT_HOST || out->trc_write;
	/* Whatever the engine consumes it answers, but for the last ACK of a handshake and a RST. */
	if (out->trc_verdict == HF_VERDICT_CONSUME && !freed && after != HF_STATE_ESTABLISHED &&
		tuple_of(i, false, &o.tuple))
		owe(r, &o);
}

void record_trace(
	struct record *r, const struct hf_out *out, const struct hf_tcb *before, uint64_t cycle, uint64_t time_ns)
{
	const struct hf_tcb *e = &out->trc_entry;
	uint64_t after = out->trc_write ? e->state : out->trc_state;
	bool freed = out->trc_write && after == HF_STATE_CLOSED;
	struct owed o = { .op = (enum hf_op)out->trc_op,
		.state_after = after,
		.only_rst = out->trc_op == HF_OP_COMMAND,
		.tuple = { (uint32_t)before->remote_addr, (uint32_t)before->local_addr, (uint16_t)before->remote_port,
			(uint16_t)before->local_port } };

	if (out->trc_op == HF_OP_SEGMENT) {
		trace_segment(r, out, after);
	} else if (out->trc_op == HF_OP_TIMEOUT && out->trc_write) {
		if (freed)
			note(r, cycle, time_ns, "%s -> CLOSED, given up by the timer",
				record_state_name(out->trc_state));
		else if (after == HF_STATE_SYN_RECEIVED)
			owe(r, &o);
	} else if (out->trc_op == HF_OP_COMMAND && freed) {
		note(r, cycle, time_ns, "%s -> CLOSED, command of the host", record_state_name(out->trc_state));
		owe(r, &o);
	}
	write_decided(r);
}

/* Whether a sent frame is `h`, but for a checksum the core put in. */
static bool is_host_frame(const struct host_frame *h, const uint8_t *frame, size_t len)
{
	if (h->len != len)
		return false;
	if (!h->csum_at)
		return !memcmp(h->bytes, frame, len);
	return !memcmp(h->bytes, frame, h->csum_at) &&
	       !memcmp(h->bytes + h->csum_at + 2, frame + h->csum_at + 2, len - h->csum_at - 2);
}

/* Frames of the host keep their order, so those before the one that came were malformed and never will. */
static bool take_host_frame(struct record *r, const uint8_t *frame, size_t len)
{
	unsigned before = 0;

	for (struct host_frame *h = r->host_first; h; h = h->next, before++) {
		if (!is_host_frame(h, frame, len))
			continue;
		for (; before; before--)
			pop_host_frame(r);
		pop_host_frame(r);
		return true;
	}
	return false;
}

void record_tx(struct record *r, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct item *i = add_item(r, ITEM_TX, frame, len, cycle, time_ns);
	struct tuple t;
	unsigned n;

	if (!i)
		return;
	i->decided = true;
	if (take_host_frame(r, frame, len)) {
		snprintf(i->what, sizeof(i->what), "from the host");
		write_decided(r);
		return;
	}
	i->engine = true;
	snprintf(i->what, sizeof(i->what), "reply of the engine");
	for (n = 0; tuple_of(i, true, &t) && n < r->owed_count; n++) {
		const struct owed *o = &r->owed[n];
		uint16_t flags =
			packet_get16(frame + PACKET_ETH_HEADER + 20 + 12); /* the engine's IPv4 header has no options */

		if (!same_tuple(&o->tuple, &t) || (o->only_rst && !(flags & HF_RST)))
			continue;
		if (o->op == HF_OP_SEGMENT)
			snprintf(i->what, sizeof(i->what), "%s, %" PRIu64 " cycles after the segment's last beat",
				record_state_name(o->state_after), cycle - o->last_beat);
		else
			snprintf(i->what, sizeof(i->what), "%s, %s", record_state_name(o->state_after),
				o->op == HF_OP_TIMEOUT ? "sent again by the timer" : "by command of the host");
		memmove(r->owed + n, r->owed + n + 1, (--r->owed_count - n) * sizeof(*o));
		break;
	}
	write_decided(r);
}

void record_c2h(struct record *r, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
	unsigned type = msg[HF_AT_HEADER_type];
	struct item *i;

	if (type == HF_MSG_FRAME) {
		i = find_rx(r, GET(msg, HEADER, stamp));
		if (i) {
			i->decided = true;
			snprintf(i->what, sizeof(i->what), "HOST");
		}
	} else if (type == HF_MSG_EVENT && len > HF_AT_EVENT_state && msg[HF_AT_EVENT_code] == HF_EVENT_ESTABLISHED) {
		note(r, cycle, time_ns, "event ESTABLISHED to the host, id 0x%08x", (unsigned)GET(msg, HEADER, id));
	}
	write_decided(r);
}

void record_h2c(struct record *r, const uint8_t *msg, size_t len)
{
	struct host_frame *h;
	uint32_t id;

	if (len <= HF_MSG_HEADER_BYTES || msg[HF_AT_HEADER_type] != HF_MSG_FRAME)
		return;
	len -= HF_MSG_HEADER_BYTES;
	if (r->host_count == HOST_FRAMES_MAX)
		pop_host_frame(r);
	h = malloc(sizeof(*h) + len);
	if (!h)
		return;
	*h = (struct host_frame){ .len = len };
	memcpy(h->bytes, msg + HF_MSG_HEADER_BYTES, len);
	if (msg[HF_AT_HEADER_flags] & HF_FRAME_CSUM_INSERT) {
		id = (uint32_t)GET(msg, HEADER, id);
		h->csum_at = (id & 0xffff) + (id >> 16);
		if (h->csum_at + 2 > len)
			h->csum_at = 0;
	}
	*r->host_last = h;
	r->host_last = &h->next;
	r->host_count++;
}

bool record_undecided(const struct record *r)
{
	for (const struct item *i = r->first; i; i = i->next)
		if (!i->decided)
			return true;
	return false;
}

void record_quiet(struct record *r, const char *why)
{
	for (struct item *i = r->first; i; i = i->next) {
		if (i->decided)
			continue;
		i->decided = i->engine = true;
		snprintf(i->what, sizeof(i->what), "DROP %s", why ? why : "before the engine");
	}
	write_decided(r);
}
