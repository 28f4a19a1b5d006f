/* SPDX-License-Identifier: Apache-2.0
 * engine.c - op_arbiter and the pipeline; see docs/architecture.md, "Engine". What ops do is in engine_op.c. */
#include <string.h>
#include "model.h"

enum { NO_SET = UINT16_MAX + 1 }; /* of a command whose id names no slot */

void hfm_engine_init(struct engine *e, const struct hf_params *params)
{
	e->t3 = 1 + params->match_cycles + params->read_cycles;
	e->t4 = e->t3 + params->fsm_cycles;
	e->interval = params->fsm_cycles + 1;
}

void hfm_engine_reset(struct engine *e, const struct regs *regs)
{
	e->ring.depth = ENGINE_OPS;
	ring_reset(&e->ring);
	ring_reset(&e->command_ring);
	e->traced = NULL;
	e->issue_cycle = 0;
	e->last_t0 = UINT64_MAX;
	e->last_set = NO_SET;
	e->cookie_on = false;
	e->since_sample = 0;
	memset(e->sent, 0, sizeof(e->sent));
	hfm_rate_limit_reset(&e->limits, regs);
}

void hfm_engine_push_command(struct hf_model *m, const struct command *command)
{
	struct queued_command *c = &m->engine.commands[ring_push(&m->engine.command_ring)];
	struct tuple tuple;

	c->command = *command;
	c->ready_cycle = 0;
	if (!command->has_body)
		return;
	hfm_event_tuple(command->octets, m->params.no_ip6, &tuple);
	if (m->params.hash_serial) {
		hfm_hash_serial_command(m, &tuple, &c->hash, &c->ready_cycle);
		return;
	}
	hfm_tuple_hash(&c->hash, &tuple, &m->regs);
	c->ready_cycle = m->cycle + (m->wide || tuple.octets == TUPLE_OCTETS_MAX ? 16 : 10);
}

static unsigned set_of_index(const struct hf_model *m, uint64_t index)
{
	return (unsigned)(index & (m->table.sets - 1));
}

static unsigned set_of_slot(const struct hf_model *m, unsigned slot)
{
	return slot < m->table.slots ? slot / m->table.ways : NO_SET;
}

/* The op issued last is of this set, and has not written yet; one before it has. */
static bool hazard(const struct hf_model *m, unsigned set)
{
	const struct engine *e = &m->engine;

	return set != NO_SET && set == e->last_set && m->cycle - e->last_t0 < e->t4;
}

/* ... but it was of the same tag, and from the wire too: this one will find what that one leaves. */
static bool chains(const struct hf_model *m, uint64_t index)
{
	const struct engine *e = &m->engine;

	return !m->params.hash_serial && e->last_segment && (uint32_t)index >> 16 == (uint32_t)e->last_index >> 16;
}

/* This cycle is T0 of something; what it is, the caller says. */
static struct engine_op *issue(struct hf_model *m)
{
	struct engine *e = &m->engine;
	struct engine_op *f = &e->ops[ring_push(&e->ring)];

	f->t0 = m->cycle;
	f->pass = false;
	f->chained = false;
	e->issue_cycle = m->cycle + e->interval;
	return f;
}

static struct engine_op *issue_op(struct hf_model *m, enum hf_op kind, unsigned set)
{
	struct engine_op *f = issue(m);
	struct engine *e = &m->engine;

	f->op.kind = kind;
	e->last_t0 = m->cycle;
	e->last_set = set;
	e->last_segment = kind == HF_OP_SEGMENT || kind == HF_OP_ICMP;
	return f;
}

/* op_arbiter, 1: the segment queue's head, if nothing about it is still awaited. */
static bool issue_segment(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct tuple_hash_result *hash;
	const struct syn_cookie_mac *mac;
	const struct segment *head;
	struct engine_op *f;

	if (m->rx.queue_ring.count == 0)
		return false;
	head = &m->rx.queue[ring_head(&m->rx.queue_ring)];
	hash = head->has_hash ? hfm_tuple_hash_head(m) : NULL;
	mac = head->has_mac ? hfm_syn_cookie_head(m) : NULL;
	if ((head->has_hash && !hash) || (head->has_mac && !mac))
		return false;
	if (head->cls == HF_CLASS_SEG || head->cls == HF_CLASS_ICMP) {
		unsigned set;
		bool wait;

		assert(hash);
		set = set_of_index(m, hash->index);
		wait = hazard(m, set);
		if (wait && !chains(m, hash->index))
			return false;
		f = issue_op(m, head->cls == HF_CLASS_SEG ? HF_OP_SEGMENT : HF_OP_ICMP, set);
		f->chained = wait;
		f->index = hash->index;
		f->op.isn = hash->isn;
		f->op.mac = mac;
		e->last_index = hash->index;
	} else {
		f = issue(m);
		f->pass = true;
	}
	f->seg = head;
	ring_pop(&m->rx.queue_ring);
	if (head->has_hash)
		ring_pop(&m->hash.queue_ring);
	if (head->has_mac)
		ring_pop(&m->cookies.queue_ring);
	return true;
}

/* op_arbiter, 2. */
static bool issue_command(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct queued_command *head;
	struct engine_op *f;
	unsigned set;

	if (m->seen.commands == 0)
		return false;
	head = &e->commands[ring_head(&e->command_ring)];
	if (m->cycle < head->ready_cycle)
		return false;
	set = head->command.has_body ? set_of_index(m, head->hash.index) : set_of_slot(m, head->command.id & 0xffff);
	if (hazard(m, set))
		return false;
	f = issue_op(m, HF_OP_COMMAND, set);
	f->command = head->command;
	f->index = head->hash.index;
	f->op.isn = head->hash.isn;
	ring_pop(&e->command_ring);
	return true;
}

/* op_arbiter, 3. */
static void issue_timeout(struct hf_model *m)
{
	unsigned set = set_of_slot(m, m->table.scan_slot);

	if (m->table.scan != SCAN_HOLD || hazard(m, set))
		return;
	issue_op(m, HF_OP_TIMEOUT, set)->slot = m->table.scan_slot;
	m->table.scan = SCAN_TAKEN;
}

/* Room for what a COMMAND or TIMEOUT may send, and for what those under way may: a segment's op looks for room only
 * in its T3. */
static bool room(const struct hf_model *m)
{
	const struct engine *e = &m->engine;
	unsigned ops = 0;

	for (unsigned i = 0, place = e->ring.first; i < e->ring.count; i++, place = ring_next(&e->ring, place))
		ops += !e->ops[place].pass;
	return m->seen.events + ops < m->params.event_depth && m->seen.replies + ops < m->params.reply_depth;
}

/* op_arbiter. */
static void arbitrate(struct hf_model *m)
{
	if (m->cycle < m->engine.issue_cycle || issue_segment(m))
		return;
	if (m->seen.commands == 0 && m->table.scan != SCAN_HOLD)
		return;
	if (room(m) && !issue_command(m))
		issue_timeout(m);
}

/* Whether half-open entries are so many that no more are made: with hysteresis. */
static bool cookies_on(const struct hf_model *m)
{
	if (m->table.half_open >= hfm_reg(&m->regs, HF_REG_COOKIE_HIGH))
		return true;
	return m->engine.cookie_on && m->table.half_open >= hfm_reg(&m->regs, HF_REG_COOKIE_LOW);
}

/* The step that begins in this cycle for `f`. */
static void advance(struct hf_model *m, struct engine_op *f, uint64_t time_ns)
{
	struct engine *e = &m->engine;
	uint64_t at = m->cycle - f->t0;

	if (at == e->t4)
		ring_pop(&e->ring);
	if (f->pass) {
		if (at == e->t4)
			hfm_op_pass(m, f);
	} else if (at == 1) {
		hfm_op_look_around(m, f);
	} else if (at == e->t3) {
		hfm_op_evaluate(m, f, time_ns);
	} else if (at == e->t4) {
		hfm_op_write_back(m, f);
		e->traced = f;
	}
}

/* The op whose T4 this cycle is, or NULL. */
static const struct engine_op *op_in_t4(const struct hf_model *m)
{
	const struct engine *e = &m->engine;
	const struct engine_op *oldest;

	if (e->ring.count == 0)
		return NULL;
	oldest = &e->ops[ring_head(&e->ring)];
	return !oldest->pass && m->cycle - oldest->t0 == e->t4 ? oldest : NULL;
}

void hfm_engine_step(struct hf_model *m, uint64_t time_ns)
{
	struct engine *e = &m->engine;
	bool cookie_on = cookies_on(m); /* from the next cycle on */
	const struct engine_op *done;
	unsigned ops;

	e->traced = NULL;
	if (m->ready)
		arbitrate(m);
	done = op_in_t4(m);
	hfm_conn_table_scan(m, m->cycle == e->last_t0 || done, done && done->op.kind == HF_OP_TIMEOUT);
	ops = e->ring.count;
	for (unsigned place = e->ring.first; ops > 0; ops--, place = ring_next(&e->ring, place))
		advance(m, &e->ops[place], time_ns);
	e->cookie_on = cookie_on;
}
