/* SPDX-License-Identifier: Apache-2.0
 * trace.c - what goes by, for those who asked: a bounded ring between the threads, and lines of JSON. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "../sample.h"
#include "daemon.h"

static const char *const event_word[] = {
#define EVENT(name, code, doc) [code] = #name,
#include "regs/message.def"
#undef EVENT
};

static const char *const state_word[] = {
#define STATE(name, code, printed, owner) [code] = #name,
#include "regs/tcp_state.def"
#undef STATE
};

static const char *word(const char *const *words, size_t count, unsigned index)
{
	return index < count && words[index] ? words[index] : "?";
}
#define WORD(words, index) word(words, sizeof(words) / sizeof(words[0]), index)

/* The next free record, with the lock held; NULL and counted when the ring is full. */
static struct trace_record *next_free(struct shared *s)
{
	if (!s->ring || s->count == TRACE_RING) {
		s->lost++;
		return NULL;
	}
	if (!s->count)
		eventfd_write(s->wake, 1);
	return &s->ring[(s->first + s->count++) % TRACE_RING];
}

void trace_event(struct daemon *d, const uint8_t *msg)
{
	uint32_t every = 0;
	struct trace_record *r;
	struct sample sample;

	if (GET(msg, EVENT, code) == HF_EVENT_DUMP)
		return;
	if (GET(msg, EVENT, code) == HF_EVENT_SAMPLE) {
		if (sample_parse(msg, &sample))
			return;
		every = samples_every(d, msg);
	}
	pthread_mutex_lock(&d->shared.lock);
	r = next_free(&d->shared);
	if (r) {
		memset(r, 0, offsetof(struct trace_record, data));
		r->kind = TRACE_EVENT;
		r->every = every;
		r->time_ns = d->shared.last_ns = GET(msg, HEADER, stamp);
		address_from_mapped(msg + HF_AT_EVENT_local_addr, (uint16_t)GET(msg, EVENT, local_port), &r->local);
		address_from_mapped(msg + HF_AT_EVENT_remote_addr, (uint16_t)GET(msg, EVENT, remote_port), &r->remote);
		memcpy(r->data, msg, DEVICE_MESSAGE_BYTES);
	}
	pthread_mutex_unlock(&d->shared.lock);
}

void trace_frame(struct daemon *d, const uint8_t *frame, size_t len, bool up, uint64_t time_ns)
{
	size_t most = atomic_load(&d->trace_whole) ? sizeof(((struct trace_record *)0)->data) : TRACE_BYTES;
	struct trace_record *r;
	struct frame_tcp t;

	if (!frame_read_tcp(frame, len, &t))
		return;
	pthread_mutex_lock(&d->shared.lock);
	r = next_free(&d->shared);
	if (r) {
		memset(r, 0, offsetof(struct trace_record, data));
		r->kind = TRACE_FRAME;
		r->time_ns = time_ns ? time_ns : d->shared.last_ns;
		d->shared.last_ns = r->time_ns;
		r->up = up;
		r->seq = t.seq;
		r->ack = t.ack;
		r->flags = t.flags;
		r->wnd = t.wnd;
		r->local = up ? t.destination : t.source;
		r->remote = up ? t.source : t.destination;
		r->length = len;
		r->octets = (unsigned)(len < most ? len : most);
		memcpy(r->data, frame, r->octets);
	}
	pthread_mutex_unlock(&d->shared.lock);
}

void trace_handoff(struct daemon *d, const struct connection *c, enum way way, int result)
{
	struct trace_record *r;

	pthread_mutex_lock(&d->shared.lock);
	r = next_free(&d->shared);
	if (r) {
		memset(r, 0, offsetof(struct trace_record, data));
		r->kind = TRACE_HANDOFF;
		r->time_ns = d->shared.last_ns;
		r->ok_way_kernel = way == WAY_KERNEL;
		r->result = result;
		r->local = c->local;
		r->remote = c->remote;
	}
	pthread_mutex_unlock(&d->shared.lock);
}

bool trace_take(struct daemon *d, struct trace_record *r)
{
	struct shared *s = &d->shared;
	bool any;

	pthread_mutex_lock(&s->lock);
	any = s->count;
	if (any) {
		const struct trace_record *from = &s->ring[s->first];

		memcpy(r, from, offsetof(struct trace_record, data));
		memcpy(r->data, from->data, from->kind == TRACE_EVENT ? DEVICE_MESSAGE_BYTES : from->octets);
		s->first = (s->first + 1) % TRACE_RING;
		s->count--;
	}
	pthread_mutex_unlock(&s->lock);
	return any;
}

static void put_addresses(json_t *o, const struct trace_record *r)
{
	char text[ADDRESS_TEXT_BYTES];

	json_object_set_new(o, "local", json_string(address_text(&r->local, text)));
	json_object_set_new(o, "remote", json_string(address_text(&r->remote, text)));
}

static json_t *sample_json(const struct trace_record *r)
{
	struct sample s;

	sample_parse(r->data, &s);
	return json_pack("{s:s, s:I, s:s, s:I, s:s, s:I, s:I}", "trace", "event", "time_ns", (json_int_t)r->time_ns,
		"what", "SAMPLE", "seq", (json_int_t)s.irs, "cause", sample_cause_word(s.cause), "every",
		(json_int_t)r->every, "listener", (json_int_t)s.listener);
}

static json_t *event_json(const struct trace_record *r)
{
	struct message_event e = message_event(r->data);

	if (e.code == HF_EVENT_SAMPLE)
		return sample_json(r);
	return json_pack("{s:s, s:I, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:b, s:I, s:b}", "trace", "event", "time_ns",
		(json_int_t)r->time_ns, "what", WORD(event_word, e.code), "id", (json_int_t)e.id, "state",
		WORD(state_word, e.state), "snd_nxt", (json_int_t)e.snd_nxt, "rcv_nxt", (json_int_t)e.rcv_nxt,
		"snd_wnd", (json_int_t)e.snd_wnd, "mss", (json_int_t)e.mss, "cookie", e.cookie, "listener",
		(json_int_t)e.listener, "active", e.active);
}

static void put_hex(json_t *o, const uint8_t *at, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	char text[2 * sizeof(((struct trace_record *)0)->data) + 1];

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digit[at[i] >> 4];
		text[2 * i + 1] = digit[at[i] & 15];
	}
	json_object_set_new(o, "hex", json_stringn(text, 2 * len));
}

static json_t *frame_json(const struct trace_record *r, bool hex)
{
	static const char letter[] = "FSRPAUEC";
	char flags[sizeof(letter)] = "";
	size_t n = 0;
	json_t *o;

	for (unsigned i = 0; letter[i]; i++) {
		if (r->flags >> i & 1)
			flags[n++] = letter[i];
	}
	flags[n] = 0;
	o = json_pack("{s:s, s:I, s:s, s:I, s:s, s:I, s:I, s:I}", "trace", "frame", "time_ns", (json_int_t)r->time_ns,
		"direction", r->up ? "up" : "down", "length", (json_int_t)r->length, "flags", flags, "seq",
		(json_int_t)r->seq, "ack", (json_int_t)r->ack, "wnd", (json_int_t)r->wnd);
	if (hex)
		put_hex(o, r->data, r->octets);
	return o;
}

json_t *trace_json(const struct trace_record *r, bool hex)
{
	json_t *o = r->kind == TRACE_EVENT ? event_json(r)
		    : r->kind == TRACE_FRAME
			    ? frame_json(r, hex)
			    : json_pack("{s:s, s:I, s:s, s:b}", "trace", "handoff", "time_ns", (json_int_t)r->time_ns,
				      "way", way_word(r->ok_way_kernel), "ok", r->result >= 0);

	if (r->kind == TRACE_HANDOFF && r->result < 0)
		json_object_set_new(o, "errno", json_string(strerrorname_np(-r->result)));
	put_addresses(o, r);
	return o;
}
