/* SPDX-License-Identifier: Apache-2.0
 * engine.c - see docs/architecture.md, "Engine". Only T4 writes to the table, so what an op reads there cannot
 * change before it; only what others write is looked at in the very cycle that the table of phases names. */
#include <string.h>
#include "model.h"

static const struct hf_tcb no_entry; /* read where a command's id names no slot */

void hfm_engine_reset(struct engine *e)
{
	e->phase = 0;
	e->traced = false;
	ring_reset(&e->command_ring);
}

static void count_verdict(struct hf_model *m, unsigned verdict, unsigned cause)
{
	enum { HF_CNT_NONE = HF_CNT_COUNT }; /* CAUSE NONE has no counter */
	static const uint8_t counter_of[] = {
#define CAUSE(name, code, counter, doc) [code] = HF_CNT_##counter,
#include "../regs/verdict.def"
#undef CAUSE
	};

	if (verdict == HF_VERDICT_CONSUME)
		m->counters[HF_CNT_RX_CONSUMED]++;
	else if (verdict == HF_VERDICT_HOST)
		m->counters[HF_CNT_RX_HOST]++;
	else if (verdict == HF_VERDICT_DROP)
		m->counters[counter_of[cause]]++;
}

/* The frame of `seg` has its verdict: tell the mover. */
static void push_verdict(struct hf_model *m, const struct segment *seg, unsigned verdict, bool conn, uint32_t id)
{
	m->frames.verdicts[ring_push(&m->frames.verdict_ring)] = (struct verdict){
		.code = verdict,
		.csum_ok = seg->cls == HF_CLASS_SEG,
		.conn = conn,
		.lost = seg->lost,
		.id = id,
		.length = (unsigned)seg->length,
		.beats = (unsigned)seg->beats,
		.stamp = seg->stamp,
	};
}

static uint32_t connection_id(unsigned slot, const struct hf_tcb *entry)
{
	return (uint32_t)entry->generation << 16 | slot;
}

/* op_arbiter, 1 and 2: the segment queue's head, if nothing about it is still awaited. A frame that the parser
 * has judged takes no op. Returns false if there is none. */
static bool issue_segment(struct hf_model *m)
{
	struct engine *e = &m->engine;
	struct segment *head;

	if (m->rx.queue_ring.count == 0)
		return false;
	head = &m->rx.queue[ring_head(&m->rx.queue_ring)];
	if (head->has_hash) {
		const struct tuple_hash_result *hash;

		if (m->hash.queue_ring.count == 0)
			return false;
		hash = &m->hash.queue[ring_pop(&m->hash.queue_ring)];
		e->index = hash->index;
		e->op.isn = hash->isn;
	}
	ring_pop(&m->rx.queue_ring);
	if (head->cls == HF_CLASS_SEG) {
		assert(head->has_hash);
		e->seg = *head;
		e->op.kind = HF_OP_SEGMENT;
		e->phase = 1;
	} else {
		unsigned verdict = head->cls == HF_CLASS_HOST ? HF_VERDICT_HOST : HF_VERDICT_DROP;

		push_verdict(m, head, verdict, false, 0);
		count_verdict(m, verdict, (unsigned)head->cause);
	}
	return true;
}

/* op_arbiter: this cycle is T0 of the first op that waits. */
static void issue(struct hf_model *m)
{
	struct engine *e = &m->engine;

	if (issue_segment(m))
		return;
	if (m->seen.events >= m->params.event_depth || m->seen.replies >= m->params.reply_depth)
		return;
	if (m->seen.commands > 0) {
		e->command = e->commands[ring_pop(&e->command_ring)];
		e->op.kind = HF_OP_COMMAND;
		e->phase = 1;
	} else if (m->seen.scan_offers) {
		e->op.kind = HF_OP_TIMEOUT;
		e->phase = 1;
	}
}

static bool same_connection(const struct hf_tcb *entry, const struct segment *seg)
{
	return entry->state != HF_STATE_CLOSED && entry->remote_addr == seg->src_addr &&
	       entry->local_addr == seg->dst_addr && entry->remote_port == seg->src_port &&
	       entry->local_port == seg->dst_port;
}

/* T1 of a segment: where its entry would be, and who listens for it. */
static void look_up_segment(struct hf_model *m)
{
	struct engine *e = &m->engine;
	bool match, free_way;
	int index;

	e->slot = hfm_conn_table_lookup(&m->table, e->index, &match, &free_way);
	e->op.entry = &m->table.entries[e->slot];
	e->op.hit = match && same_connection(e->op.entry, &e->seg);
	e->op.insertable = free_way;
	e->op.seg = &e->seg;
	index = hfm_listen_table_lookup(&m->listen, &m->regs, e->seg.dst_addr, e->seg.dst_port);
	if (index < 0) {
		e->op.listener = NULL;
	} else {
		e->listener = m->listen.listeners[index];
		e->op.listener = &e->listener;
		e->op.listener_index = (unsigned)index;
	}
	if (e->op.hit)
		e->state_before = (unsigned)e->op.entry->state;
	else if (e->op.listener && e->listener.mode == LISTEN_OFFLOAD)
		e->state_before = HF_STATE_LISTEN;
	else
		e->state_before = HF_STATE_CLOSED;
}

static void look_up_command(struct hf_model *m)
{
	struct engine *e = &m->engine;

	e->slot = e->command.id & 0xffff;
	e->op.entry = e->slot < m->table.slots ? &m->table.entries[e->slot] : &no_entry;
	e->op.hit = e->op.entry->state != HF_STATE_CLOSED && e->op.entry->generation == e->command.id >> 16;
	e->op.malformed = e->command.malformed;
	e->op.status = (enum hf_status)e->command.status;
	e->op.command = (enum hf_command_code)e->command.command;
	e->state_before = e->op.hit ? (unsigned)e->op.entry->state : HF_STATE_CLOSED;
}

static void look_up(struct hf_model *m)
{
	struct engine *e = &m->engine;

	switch (e->op.kind) {
	case HF_OP_SEGMENT:
		look_up_segment(m);
		break;
	case HF_OP_COMMAND:
		look_up_command(m);
		break;
	case HF_OP_TIMEOUT:
		e->slot = m->table.scan_slot;
		e->op.entry = &m->table.entries[e->slot];
		break;
	}
}

/* T3 */
static void evaluate(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct regs *r = &m->regs;
	uint32_t ctrl = hfm_reg(r, HF_REG_CTRL);
	struct tcp_config config = {
		.ts_offset_off = ctrl >> HF_CTRL_TS_OFFSET_OFF_LOW & 1,
		.ts_relaxed = ctrl >> HF_CTRL_TS_RELAXED_LOW & 1,
		.host_alive = hfm_host_alive(r),
		.reply_room = m->seen.replies < m->params.reply_depth,
		.event_room = m->seen.events < m->params.event_depth,
		.ms = r->ms,
		.syn_rto_ms = hfm_reg(r, HF_REG_SYN_RTO_MS),
		.syn_rto_max_ms = hfm_reg(r, HF_REG_SYN_RTO_MAX_MS),
		.synack_retries = hfm_reg(r, HF_REG_SYNACK_RETRIES),
		.mss = hfm_reg(r, HF_REG_MSS),
		.mss_floor = hfm_reg(r, HF_REG_MSS_FLOOR),
		.rcv_wnd = hfm_reg(r, HF_REG_RCV_WND),
		.wscale = hfm_reg(r, HF_REG_WSCALE),
	};

	if (e->op.kind == HF_OP_TIMEOUT) {
		e->op.hit = hfm_timer_expired(e->op.entry, r->ms);
		e->state_before = e->op.hit ? (unsigned)e->op.entry->state : HF_STATE_CLOSED;
	}
	if (e->op.kind == HF_OP_SEGMENT && e->op.listener)
		e->op.half_open = m->listen.half_open[e->op.listener_index];
	e->ms = r->ms;
	hfm_tcp_fsm(&e->op, &config, &e->result);
}

static void write_table(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct hf_tcb *entry = &e->result.entry;

	if (entry->state == HF_STATE_SYN_RECEIVED && !e->op.hit) {
		m->listen.half_open[entry->listener]++;
	} else if (e->op.entry->state == HF_STATE_SYN_RECEIVED && entry->state != HF_STATE_SYN_RECEIVED) {
		assert(m->listen.half_open[e->op.entry->listener] > 0);
		m->listen.half_open[e->op.entry->listener]--;
	}
	hfm_conn_table_write(&m->table, e->slot, (uint32_t)e->index >> 16, entry);
}

static void push_event(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct command *c = &e->command;

	if (e->op.kind == HF_OP_SEGMENT)
		hfm_event_established(&m->events, connection_id(e->slot, &e->result.entry), &e->result.entry, &e->seg,
			e->ms, e->result.verdict == HF_VERDICT_HOST);
	else
		hfm_event_completion(
			&m->events, c->id, c->cookie, e->result.status, c->malformed ? 0x100 | c->type : c->command);
}

/* T4: everything that the op changes. */
static void write_back(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct tcp_result *result = &e->result;

	if (e->op.kind == HF_OP_SEGMENT) {
		push_verdict(m, &e->seg, result->verdict, e->op.hit, connection_id(e->slot, e->op.entry));
		m->counters[HF_CNT_OPT_MALFORMED] += e->seg.opt_bad;
	}
	if (result->write)
		write_table(m);
	if (result->reply)
		hfm_tx_builder_push(&m->builder, &result->frame);
	if (result->event)
		push_event(m);
	count_verdict(m, result->verdict, result->cause);
	for (unsigned i = 0; i < result->counts; i++)
		m->counters[result->count[i]]++;
}

void hfm_engine_step(struct hf_model *m)
{
	struct engine *e = &m->engine;

	e->traced = false;
	switch (e->phase) {
	case 0:
		if (m->ready)
			issue(m);
		return;
	case 1:
		look_up(m);
		break;
	case 3:
		evaluate(m);
		break;
	case 4:
		write_back(m);
		e->traced = true;
		e->phase = 0;
		return;
	}
	e->phase++;
}

void hfm_engine_trace(const struct engine *e, struct hf_out *out)
{
	out->trc_op = e->op.kind;
	out->trc_write = e->result.write;
	out->trc_slot = e->slot;
	out->trc_state = e->state_before;
	out->trc_verdict = e->result.verdict;
	out->trc_cause = e->result.cause;
	switch (e->op.kind) {
	case HF_OP_SEGMENT:
		out->trc_stamp = e->seg.stamp;
		break;
	case HF_OP_COMMAND:
		out->trc_stamp = e->command.cookie;
		break;
	case HF_OP_TIMEOUT:
		out->trc_stamp = 0;
		break;
	}
	if (e->result.write)
		out->trc_entry = e->result.entry;
}
