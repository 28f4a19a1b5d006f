/* SPDX-License-Identifier: Apache-2.0
 * session.c - time, trace and numbers of one simulated board. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "../driver/message.h"
#include "json_text.h"
#include "session.h"

#define NS_PER_MS UINT64_C(1000000)
#define PS_PER_MS UINT64_C(1000000000)

enum { SLOTS_MAX = 65536, READY_CLOCKS = 200000, TIMER_MODULO = 1 << 24 };

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct session *s = ctx;

	s->frames_out++;
	if (s->record)
		record_tx(s->record, frame, len, cycle, time_ns);
	if (s->tx)
		s->tx(s->ctx, frame, len);
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct session *s = ctx;

	if (msg[HF_AT_HEADER_type] == HF_MSG_HELLO) {
		memcpy(s->hello, msg, len < sizeof(s->hello) ? len : sizeof(s->hello));
		s->ready = true;
		/* Only a reset makes the core say it: the table is empty. */
		memset(s->entries, 0, SLOTS_MAX * sizeof(*s->entries));
		s->half_open = s->timers = 0;
		return;
	}
	s->events += msg[HF_AT_HEADER_type] == HF_MSG_EVENT;
	if (msg[HF_AT_HEADER_type] == HF_MSG_COMPLETION) {
		s->completions++;
		s->bad_completions += msg[HF_AT_HEADER_flags] != HF_STATUS_OK;
	}
	if (s->record)
		record_c2h(s->record, msg, len, cycle, time_ns);
	if (s->c2h)
		s->c2h(s->ctx, msg, len);
}

static void on_h2c(void *ctx, const uint8_t *msg, size_t len)
{
	struct session *s = ctx;
	size_t length = GET(msg, HEADER, length);

	if (s->record && length <= len)
		record_h2c(s->record, msg, length);
}

static void on_trace(void *ctx, const struct hf_out *out, uint64_t cycle, uint64_t time_ns)
{
	struct session *s = ctx;
	struct hf_tcb *entry = &s->entries[out->trc_slot];

	s->ops++;
	s->verdicts[out->trc_verdict & 3]++;
	if (s->record)
		record_trace(s->record, out, entry, cycle, time_ns);
	if (!out->trc_write)
		return;
	s->half_open += out->trc_entry.state == HF_STATE_SYN_RECEIVED;
	s->half_open -= entry->state == HF_STATE_SYN_RECEIVED;
	s->timers += (unsigned)out->trc_entry.timer_armed;
	s->timers -= (unsigned)entry->timer_armed;
	*entry = out->trc_entry;
}

static void on_rx_done(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t stamp)
{
	struct session *s = ctx;

	s->frames_in++;
	if (s->record)
		record_rx(s->record, frame, len, cycle, stamp);
}

int session_open(struct session *s, enum engine_kind kind, enum engine_size size, uint64_t seed, uint64_t start_ns)
{
	unsigned slots, ways;

	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->entries = calloc(SLOTS_MAX, sizeof(*s->entries));
	s->sim = s->entries ? sim_open(kind, size, seed) : NULL;
	if (!s->sim) {
		session_close(s);
		return -ENOMEM;
	}
	s->sim->time_ps = start_ns * 1000;
	s->sim->ms_done = s->sim->ms_at_reset = start_ns / NS_PER_MS;
	s->sim->ctx = s;
	s->sim->on = (struct sim_events){
		.tx = on_tx, .c2h = on_c2h, .h2c = on_h2c, .trace = on_trace, .rx_done = on_rx_done
	};
	/* Preamble, FCS and inter-frame gap of a real wire, 24 bytes; at 512 bits a part of them is in the last beat. */
	s->sim->rx_gap = s->sim->beat == 8 ? 3 : 1;
	for (unsigned i = 0; i < READY_CLOCKS && !s->ready; i++)
		sim_step(s->sim);
	if (!s->ready) {
		session_close(s);
		return -EIO;
	}
	slots = (unsigned)GET(s->hello, HELLO, slots);
	ways = (unsigned)GET(s->hello, HELLO, ways);
	/* The scanner takes two clocks for a set and starts anew for a tick that came meanwhile. */
	s->pass_clocks = 4 * (slots / (ways ? ways : 1)) + 64;
	return 0;
}

void session_close(struct session *s)
{
	record_close(s->record);
	if (s->sim)
		sim_close(s->sim);
	free(s->entries);
	memset(s, 0, sizeof(*s));
}

int session_rx(struct session *s, const uint8_t *frame, size_t len)
{
	return sim_rx(s->sim, frame, len, false);
}

int session_h2c(struct session *s, const uint8_t *msg, size_t len)
{
	if (s->record)
		record_h2c(s->record, msg, len);
	return sim_h2c(s->sim, msg, len);
}

int64_t session_next_timer_ms(const struct session *s)
{
	uint64_t now = s->sim->ms_done - s->sim->ms_at_reset;
	int64_t next = -1;
	unsigned left = s->timers;

	for (const struct hf_tcb *e = s->entries; left; e++) {
		uint64_t in;

		if (!e->timer_armed)
			continue;
		left--;
		in = (e->deadline_ms - now) % TIMER_MODULO;
		if (in >= TIMER_MODULO / 2)
			in = 0;
		if (next < 0 || (int64_t)in < next)
			next = (int64_t)in;
	}
	return next;
}

void session_advance(struct session *s, uint64_t time_ns)
{
	struct sim *sim = s->sim;
	uint64_t target = time_ns * 1000, due;
	int64_t timer;

	while (sim->time_ps < target) {
		timer = session_next_timer_ms(s);
		due = target;
		/* A timer that is due and was not served (no room for its op) is looked at again a millisecond later. */
		if (timer >= 0 && (sim->ms_done + (uint64_t)(timer ? timer : 1)) * PS_PER_MS < target)
			due = (sim->ms_done + (uint64_t)(timer ? timer : 1)) * PS_PER_MS;
		else
			timer = -1;
		if (sim->time_ps < due)
			sim->time_ps = due;
		while (sim->time_ps / PS_PER_MS > sim->ms_done)
			sim_step(sim);
		if (timer >= 0)
			sim_settle(sim, s->pass_clocks, 16 * s->pass_clocks);
	}
}

/* The cause that explains every frame dropped before an op since the counters were last read; NULL when there are several. */
static const char *drop_since(struct session *s)
{
	static const struct {
		const char *name;
		unsigned counter;
	} causes[] = {
#define CAUSE(name, code, counter, doc) { #name, HF_CNT_##counter },
#define HF_CNT_NONE			HF_CNT_COUNT
#include "../regs/verdict.def"
#undef CAUSE
		{ "NOT_READY", HF_CNT_DROP_NOT_READY },
		{ "OVERRUN", HF_CNT_DROP_OVERRUN },
		{ "HOST_FIFO", HF_CNT_DROP_HOST_FIFO },
	};
	uint64_t before[HF_CNT_COUNT];
	const char *found = NULL;

	memcpy(before, s->counters, sizeof(before));
	if (session_counters(s))
		return NULL;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (causes[i].counter == HF_CNT_COUNT || s->counters[causes[i].counter] == before[causes[i].counter])
			continue;
		if (found)
			return NULL;
		found = causes[i].name;
	}
	return found;
}

void session_settle(struct session *s, uint64_t max)
{
	sim_settle(s->sim, s->pass_clocks, max);
	if (s->record)
		record_quiet(s->record, record_undecided(s->record) ? drop_since(s) : NULL);
	session_check(s);
}

int session_counters(struct session *s)
{
	uint32_t low, high;

	if (sim_reg_write(s->sim, HF_REG_SNAPSHOT, 0))
		return -EIO;
	for (unsigned i = 0; i < HF_CNT_COUNT; i++) {
		if (sim_reg_read(s->sim, HF_REG_COUNTER(i), &low) || sim_reg_read(s->sim, HF_REG_COUNTER(i) + 4, &high))
			return -EIO;
		s->counters[i] = low | (uint64_t)high << 32;
	}
	return 0;
}

void session_check(struct session *s)
{
	if (s->mismatch_told || session_passed(s))
		return;
	s->mismatch_told = true;
	fflush(stdout);
	if (engine_mismatches(s->sim->engine))
		fprintf(stderr, "lockstep: %s\n", engine_first_mismatch(s->sim->engine));
	else
		fprintf(stderr, "engine: %s\n", s->sim->fault);
}

bool session_passed(const struct session *s)
{
	return !engine_mismatches(s->sim->engine) && !s->sim->faults;
}

static const char *const counter_names[] = {
#define COUNTER(name, doc) #name,
#include "../regs/counter.def"
#undef COUNTER
};

void session_summary(const struct session *s, const char *name, FILE *out)
{
	const uint64_t *c = s->counters;
	bool any = false;

	fprintf(out, "%s: frames: %" PRIu64 " in, %" PRIu64 " out, %" PRIu64 " of them from the host\n", name,
		s->frames_in, s->frames_out, c[HF_CNT_TX_HOST]);
	fprintf(out,
		"%s: verdicts: %" PRIu64 " consumed, %" PRIu64 " to the host, %" PRIu64 " ops dropped their segment\n",
		name, c[HF_CNT_RX_CONSUMED], c[HF_CNT_RX_HOST], s->verdicts[HF_VERDICT_DROP]);
	fprintf(out, "%s: drops:", name);
	for (unsigned i = 0; i < HF_CNT_COUNT; i++) {
		if (strncmp(counter_names[i], "DROP_", 5) || !c[i])
			continue;
		fprintf(out, "%s %s %" PRIu64, any ? "," : "", counter_names[i] + 5, c[i]);
		any = true;
	}
	fprintf(out, "%s\n", any ? "" : " none");
	fprintf(out,
		"%s: handshakes: %" PRIu64 " SYNs accepted, %" PRIu64 " established, %" PRIu64
		" SYN-ACKs sent again, %" PRIu64 " timed out, %" PRIu64 " reset, %u half-open\n",
		name, c[HF_CNT_SYN_ACCEPTED], c[HF_CNT_ESTABLISHED], c[HF_CNT_RETRANSMITS], c[HF_CNT_TIMEOUTS],
		c[HF_CNT_RESETS], s->half_open);
	fprintf(out,
		"%s: host: %" PRIu64 " events, %" PRIu64 " completions (%" PRIu64 " not OK), %" PRIu64 " messages in\n",
		name, s->events, s->completions, s->bad_completions, c[HF_CNT_H2C_MESSAGES] + c[HF_CNT_H2C_BAD]);
	if (s->sim->faults)
		fprintf(out, "%s: %" PRIu64 " broken promises on the pins, first: %s\n", name, s->sim->faults,
			s->sim->fault);
	if (engine_mismatches(s->sim->engine))
		fprintf(out, "%s: first difference: %s\n", name, engine_first_mismatch(s->sim->engine));
	if (s->kind == ENGINE_LOCKSTEP)
		fprintf(out, "lockstep: cycles=%" PRIu64 " frames=%" PRIu64 " mismatches=%" PRIu64 "\n",
			engine_cycles(s->sim->engine), s->frames_in + s->frames_out, engine_mismatches(s->sim->engine));
}

void session_json(const struct session *s, FILE *out)
{
	const uint64_t *c = s->counters;
	const char *comma = "";

	fprintf(out, "\"engine\": \"%s\", \"passed\": %s", engine_kind_name(s->kind),
		session_passed(s) ? "true" : "false");
	fprintf(out, ", \"frames\": {\"in\": %" PRIu64 ", \"out\": %" PRIu64 ", \"out_from_host\": %" PRIu64 "}",
		s->frames_in, s->frames_out, c[HF_CNT_TX_HOST]);
	fprintf(out, ", \"verdicts\": {\"consumed\": %" PRIu64 ", \"host\": %" PRIu64 ", \"dropped\": %" PRIu64 "}",
		c[HF_CNT_RX_CONSUMED], c[HF_CNT_RX_HOST], s->verdicts[HF_VERDICT_DROP]);
	fprintf(out, ", \"drops\": {");
	for (unsigned i = 0; i < HF_CNT_COUNT; i++) {
		if (strncmp(counter_names[i], "DROP_", 5) || !c[i])
			continue;
		fprintf(out, "%s\"%s\": %" PRIu64, comma, counter_names[i] + 5, c[i]);
		comma = ", ";
	}
	fprintf(out,
		"}, \"handshakes\": {\"syns_accepted\": %" PRIu64 ", \"established\": %" PRIu64
		", \"syn_acks_again\": %" PRIu64 ", \"timed_out\": %" PRIu64 ", \"reset\": %" PRIu64
		", \"half_open\": %u}",
		c[HF_CNT_SYN_ACCEPTED], c[HF_CNT_ESTABLISHED], c[HF_CNT_RETRANSMITS], c[HF_CNT_TIMEOUTS],
		c[HF_CNT_RESETS], s->half_open);
	fprintf(out,
		", \"host\": {\"events\": %" PRIu64 ", \"completions\": %" PRIu64 ", \"completions_not_ok\": %" PRIu64
		", \"messages_in\": %" PRIu64 "}",
		s->events, s->completions, s->bad_completions, c[HF_CNT_H2C_MESSAGES] + c[HF_CNT_H2C_BAD]);
	fprintf(out, ", \"broken_promises\": %" PRIu64, s->sim->faults);
	if (s->sim->faults) {
		fputs(", ", out);
		json_text(out, "first_broken_promise", s->sim->fault);
	}
	if (s->kind != ENGINE_LOCKSTEP)
		return;
	fprintf(out, ", \"lockstep\": {\"cycles\": %" PRIu64 ", \"frames\": %" PRIu64 ", \"mismatches\": %" PRIu64,
		engine_cycles(s->sim->engine), s->frames_in + s->frames_out, engine_mismatches(s->sim->engine));
	if (engine_mismatches(s->sim->engine)) {
		fputs(", ", out);
		json_text(out, "first_difference", engine_first_mismatch(s->sim->engine));
	}
	putc('}', out);
}
