/* SPDX-License-Identifier: Apache-2.0
 * lockstep_cover.c - which of the situations of lockstep.h a run reached, as its pins show it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "lockstep.h"

#define LONG_WAIT 32u /* cycles: nothing but SNAPSHOT keeps the register bus waiting as long */

static void seen(struct run *r, enum situation what)
{
	r->totals->situation[what]++;
}

static bool has_tuple(const struct traced *t)
{
	return t->op == HF_OP_SEGMENT || t->op == HF_OP_ICMP;
}

/* What a chained op found of its leader. */
static void cover_leader(struct run *r, const struct traced *leader)
{
	if (!leader->hit)
		seen(r, leader->write ? SEEN_CHAIN_INSERTED : SEEN_CHAIN_MISSED);
	else if (leader->write)
		seen(r, leader->left == HF_STATE_CLOSED ? SEEN_CHAIN_FREED : SEEN_CHAIN_CHANGED);
	else
		seen(r, SEEN_CHAIN_FOUND);
}

/* Two ops of one set, the later one issued in the first or second cycle in which it may be. */
static void cover_hazard(struct run *r, const struct traced *a, const struct traced *b)
{
	const unsigned command = (a->op == HF_OP_COMMAND) + (b->op == HF_OP_COMMAND);
	const unsigned timeout = (a->op == HF_OP_TIMEOUT) + (b->op == HF_OP_TIMEOUT);

	if (has_tuple(a) && has_tuple(b) && a->slot != b->slot)
		seen(r, SEEN_HAZARD_SEGMENTS);
	else if (command == 1 && !timeout)
		seen(r, SEEN_HAZARD_COMMAND);
	else if (timeout == 1 && !command)
		seen(r, SEEN_HAZARD_TIMEOUT);
}

void lockstep_cover_op(struct run *r, const struct hf_out *o)
{
	struct traced *before = r->ops_before;
	struct traced now = { .cycle = r->s->cycle,
		.op = (unsigned)o->trc_op,
		.slot = (unsigned)o->trc_slot,
		.hit = o->trc_state != HF_STATE_CLOSED && o->trc_state != HF_STATE_LISTEN,
		.write = o->trc_write,
		.answered = o->trc_op == HF_OP_SEGMENT && o->trc_state == HF_STATE_LISTEN &&
			    o->trc_verdict == HF_VERDICT_CONSUME,
		.left = o->trc_entry.state };
	const uint64_t apart = now.cycle - before[0].cycle;
	const unsigned steps = r->params->match_cycles + r->params->read_cycles + r->params->fsm_cycles;
	const unsigned slots = r->params->ways << r->params->sets_log2;

	now.chained = before[0].cycle && apart <= steps && has_tuple(&now) && has_tuple(&before[0]) &&
		      now.slot == before[0].slot;
	if (now.chained) {
		seen(r, SEEN_CHAIN);
		seen(r, apart == 2 ? SEEN_CHAIN_NEXT : SEEN_CHAIN_SECOND);
		if (before[0].chained)
			seen(r, SEEN_CHAIN_OF_THREE);
		if (now.op == HF_OP_ICMP || before[0].op == HF_OP_ICMP)
			seen(r, SEEN_CHAIN_ICMP);
		cover_leader(r, &before[0]);
	}
	for (unsigned i = 0; i < COUNT(r->ops_before); i++)
		if (before[i].cycle && now.cycle - before[i].cycle > steps &&
			now.cycle - before[i].cycle <= steps + 2 && now.slot < slots &&
			now.slot / r->params->ways == before[i].slot / r->params->ways)
			cover_hazard(r, &before[i], &now);
	if (o->trc_cause == HF_CAUSE_SOURCE_LIMITED && apart == 2 && before[0].answered)
		seen(r, SEEN_RULE_LIMITED_NEXT);
	if (before[1].cycle && apart == 2 && before[0].cycle - before[1].cycle == 2)
		seen(r, SEEN_EVERY_SECOND_CYCLE);
	before[1] = before[0];
	before[0] = now;
}

static uint32_t little32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A connection by a cookie: what the cookie was shows in the difference of the two first sequence numbers. */
static void cover_cookie(struct run *r, const uint8_t *msg)
{
	static const enum situation ages[] = { SEEN_COOKIE_AGE_0, SEEN_COOKIE_AGE_1, SEEN_COOKIE_AGE_2,
		SEEN_COOKIE_AGE_3 };
	const uint32_t cookie = little32(msg + HF_AT_EVENT_iss) - little32(msg + HF_AT_EVENT_irs);
	const uint32_t epoch = little32(msg + HF_AT_HEADER_stamp + 4) >> 4; /* the stamp's bits from 36 on */
	const uint8_t options = msg[HF_AT_EVENT_options], *addr = msg + HF_AT_EVENT_remote_addr;

	seen(r, cookie >> 31 ? SEEN_COOKIE_B : SEEN_COOKIE_A);
	seen(r, ages[(epoch - (cookie >> 29)) & 3]);
	if (options >> 4 & 1)
		seen(r, SEEN_COOKIE_TEXT);
	if (options >> 1 & 1)
		seen(r, SEEN_COOKIE_TS);
	if (addr[10] != 0xff || addr[11] != 0xff)
		seen(r, SEEN_COOKIE_IP6);
}

/* The field `mss` of a sample is the cause of its drop. */
static void cover_sample(struct run *r, const uint8_t *msg)
{
	const unsigned cause = msg[HF_AT_EVENT_mss];
	const uint8_t *addr = msg + HF_AT_EVENT_remote_addr;

	if (!cause)
		seen(r, SEEN_SAMPLE_ANSWERED);
	if (cause == HF_CAUSE_DENIED)
		seen(r, SEEN_SAMPLE_DENIED);
	if (cause == HF_CAUSE_SOURCE_LIMITED)
		seen(r, SEEN_SAMPLE_LIMITED);
	if (addr[10] != 0xff || addr[11] != 0xff)
		seen(r, SEEN_SAMPLE_IP6);
}

void lockstep_cover_message(struct run *r, const uint8_t *msg, uint64_t first)
{
	const uint64_t now = r->s->cycle;

	if (r->c2h_end && first == r->c2h_end + 1 && first == now)
		seen(r, SEEN_MESSAGES_OF_A_BEAT);
	r->c2h_end = now;
	if (msg[HF_AT_HEADER_type] == HF_MSG_EVENT && msg[HF_AT_EVENT_code] == HF_EVENT_ESTABLISHED &&
		msg[HF_AT_HEADER_flags] & HF_EVENT_COOKIE)
		cover_cookie(r, msg);
	if (msg[HF_AT_HEADER_type] == HF_MSG_EVENT && msg[HF_AT_EVENT_code] == HF_EVENT_SAMPLE)
		cover_sample(r, msg);
}

void lockstep_cover_tx(struct run *r, bool host, uint64_t first)
{
	if (r->tx_end && first == r->tx_end + 1 && host != r->tx_host)
		seen(r, host ? SEEN_TURN_TO_HOST : SEEN_TURN_TO_REPLY);
	r->tx_end = r->s->cycle;
	r->tx_host = host;
}

void lockstep_cover_pins(struct run *r, const struct hf_in *in, const struct hf_out *out)
{
	const uint64_t now = r->s->cycle;
	const bool request = (in->s_axil_awvalid && in->s_axil_wvalid) || in->s_axil_arvalid;

	if (in->s_axis_rx_tvalid && in->s_axis_rx_tlast) {
		if (!r->rx_inside && r->rx_end && r->rx_end + 1 == now)
			seen(r, SEEN_FRAMES_OF_A_BEAT);
		r->rx_end = now;
	}
	r->bus_waited = request && !out->s_axil_awready && !out->s_axil_arready ? r->bus_waited + 1 : 0;
	if (r->bus_waited == LONG_WAIT)
		seen(r, SEEN_SNAPSHOT_BUS);
}

void lockstep_cover_reset(struct run *r)
{
	memset(r->ops_before, 0, sizeof r->ops_before);
	r->tx_end = r->rx_end = r->c2h_end = 0;
	r->bus_waited = 0;
}

unsigned lockstep_cover_print(const struct totals *t, unsigned width)
{
	static const struct {
		unsigned width;
		const char *text;
	} situations[] = {
#define X(name, width, text) [SEEN_##name] = { width, text },
		SITUATIONS(X)
#undef X
	};
	unsigned missed = 0;

	printf("\nsituations:\n");
	for (unsigned i = 0; i < SITUATION_COUNT; i++) {
		const bool never = !t->situation[i] && situations[i].width <= width;

		printf("%9" PRIu64 "  %s%s\n", t->situation[i], never ? "never: " : "", situations[i].text);
		missed += never;
	}
	return missed;
}
