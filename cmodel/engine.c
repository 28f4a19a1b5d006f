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
	e->head_seen = false;
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
		.csum_ok = seg->cls == HF_CLASS_SEG || seg->cls == HF_CLASS_ICMP,
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
	if (head->cls == HF_CLASS_SEG || head->cls == HF_CLASS_ICMP) {
		assert(head->has_hash);
		e->seg = *head;
		e->op.kind = head->cls == HF_CLASS_SEG ? HF_OP_SEGMENT : HF_OP_ICMP;
		e->phase = 1;
	} else {
		unsigned verdict = head->cls == HF_CLASS_HOST ? HF_VERDICT_HOST : HF_VERDICT_DROP;

		push_verdict(m, head, verdict, false, 0);
		count_verdict(m, verdict, (unsigned)head->cause);
	}
	return true;
}

/* The command at the queue's head, in the first cycle in which it is there: if it has a 4-tuple, hashing begins. */
static void see_command(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct command *head = &e->commands[ring_head(&e->command_ring)];

	e->head_seen = true;
	e->head_ready_cycle = m->cycle;
	if (head->has_body) {
		struct tuple tuple;

		hfm_event_tuple(head->octets, &tuple);
		hfm_tuple_hash(&e->head_hash, &tuple, &m->regs);
		e->head_ready_cycle += hfm_tuple_rounds(&tuple) + 1;
	}
}

static void issue_command(struct hf_model *m)
{
	struct engine *e = &m->engine;

	e->command = e->commands[ring_pop(&e->command_ring)];
	e->head_seen = false;
	e->index = e->head_hash.index;
	e->op.isn = e->head_hash.isn;
	e->op.kind = HF_OP_COMMAND;
	e->phase = 1;
}

/* op_arbiter: an idle cycle is T0 of the first op that waits; `phase` is 1 after it. */
static void issue(struct hf_model *m)
{
	struct engine *e = &m->engine;

	if (issue_segment(m))
		return;
	if (m->seen.events >= m->params.event_depth || m->seen.replies >= m->params.reply_depth)
		return;
	if (m->seen.commands > 0 && m->cycle >= e->head_ready_cycle) {
		issue_command(m);
	} else if (m->seen.scan_offers) {
		e->op.kind = HF_OP_TIMEOUT;
		e->phase = 1;
	}
}

/* T1 and T2 of an op with a tuple: where its entry is, or would be. */
static void look_up_tuple(struct hf_model *m, bool ip6, hf_u128 remote_addr, hf_u128 local_addr, uint64_t remote_port,
	uint64_t local_port)
{
	struct engine *e = &m->engine;
	struct conn_place place = hfm_conn_table_lookup(&m->table, e->index, e->op.kind == HF_OP_COMMAND, m->regs.ms);
	const struct hf_tcb *entry = &m->table.entries[place.slot];

	e->slot = place.slot;
	e->op.entry = entry;
	e->op.hit = place.match && entry->state != HF_STATE_CLOSED && entry->ip6 == ip6 &&
		    entry->remote_addr == remote_addr && entry->local_addr == local_addr &&
		    entry->remote_port == remote_port && entry->local_port == local_port;
	e->op.insertable = place.free || place.victim;
}

static void look_up_segment(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct segment *seg = &e->seg;

	look_up_tuple(m, seg->ip6, seg->src_addr, seg->dst_addr, seg->src_port, seg->dst_port);
	e->op.seg = seg;
	e->op.listener = NULL;
}

static void look_up_listener(struct hf_model *m)
{
	struct engine *e = &m->engine;
	int index = hfm_listen_table_lookup(&m->listen, &m->regs, e->seg.ip6, e->seg.dst_addr, e->seg.dst_port);

	if (index < 0)
		return;
	e->listener = m->listen.listeners[index];
	e->op.listener = &e->listener;
	e->op.listener_index = (unsigned)index;
}

static void look_up_command(struct hf_model *m)
{
	struct engine *e = &m->engine;

	e->op.malformed = e->command.malformed;
	e->op.status = (enum hf_status)e->command.status;
	e->op.command = (enum hf_command_code)e->command.command;
	if (e->command.has_body) {
		const struct hf_tcb *tcb = &e->body.tcb;

		hfm_event_parse(e->command.octets, &e->body);
		e->op.body = &e->body;
		look_up_tuple(m, tcb->ip6, tcb->remote_addr, tcb->local_addr, tcb->remote_port, tcb->local_port);
		return;
	}
	e->slot = e->command.id & 0xffff;
	e->op.entry = e->slot < m->table.slots ? &m->table.entries[e->slot] : &no_entry;
	e->op.hit = e->op.entry->state != HF_STATE_CLOSED;
	if (e->op.malformed || e->op.command != HF_COMMAND_DUMP) /* DUMP names a slot, the others a connection */
		e->op.hit = e->op.hit && e->op.entry->generation == e->command.id >> 16;
}

static void look_up(struct hf_model *m)
{
	struct engine *e = &m->engine;

	switch (e->op.kind) {
	case HF_OP_SEGMENT:
		look_up_segment(m);
		look_up_listener(m);
		break;
	case HF_OP_ICMP:
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

static void read_config(const struct hf_model *m, uint64_t time_ns, struct tcp_config *config)
{
	const struct regs *r = &m->regs;
	uint32_t ctrl = hfm_reg(r, HF_REG_CTRL), challenge = hfm_reg(r, HF_REG_CHALLENGE);
	bool reply_room = m->seen.replies < m->params.reply_depth;
	bool event_room = m->seen.events < m->params.event_depth;

	*config = (struct tcp_config){
		.ts_offset_off = ctrl >> HF_CTRL_TS_OFFSET_OFF_LOW & 1,
		.ts_relaxed = ctrl >> HF_CTRL_TS_RELAXED_LOW & 1,
		.tw_rst_closes = ctrl >> HF_CTRL_TW_RST_CLOSES_LOW & 1,
		.ecn = ctrl >> HF_CTRL_ECN_LOW & 1,
		.host_alive = hfm_host_alive(r),
		.reply_room = reply_room,
		.event_room = event_room,
		.time_ns = time_ns,
		.ms = r->ms,
		.syn_rto_ms = hfm_reg(r, HF_REG_SYN_RTO_MS),
		.syn_rto_max_ms = hfm_reg(r, HF_REG_SYN_RTO_MAX_MS),
		.synack_retries = hfm_reg(r, HF_REG_SYNACK_RETRIES),
		.connect_ms = hfm_reg(r, HF_REG_CONNECT_MS),
		.close_ms = hfm_reg(r, HF_REG_CLOSE_MS),
		.fin_wait_2_ms = hfm_reg(r, HF_REG_FIN_WAIT_2_MS),
		.time_wait_ms = hfm_reg(r, HF_REG_TIME_WAIT_MS),
		.challenge_limit = challenge >> HF_CHALLENGE_LIMIT_LOW & 0xf,
		.challenge_window_ms = challenge >> HF_CHALLENGE_WINDOW_MS_LOW & 0xffff,
		.mss = hfm_reg(r, HF_REG_MSS),
		.mss6 = hfm_reg(r, HF_REG_MSS6),
		.mss_floor = hfm_reg(r, HF_REG_MSS_FLOOR),
		.rcv_wnd = hfm_reg(r, HF_REG_RCV_WND),
		.wscale = hfm_reg(r, HF_REG_WSCALE),
	};
}

/* T3 */
static void evaluate(struct hf_model *m, uint64_t time_ns)
{
	struct engine *e = &m->engine;
	const struct hf_tcb *entry = e->op.entry;

	read_config(m, time_ns, &e->config);
	e->op.config = &e->config;
	if (e->op.kind == HF_OP_TIMEOUT)
		e->op.hit = entry->timer_armed && hfm_reached(e->config.ms, entry->deadline_ms);
	e->state_before = e->op.hit ? (unsigned)entry->state : HF_STATE_CLOSED;
	if (e->op.kind == HF_OP_SEGMENT && e->op.listener) {
		e->op.half_open = m->listen.half_open[e->op.listener_index];
		if (!e->op.hit && e->listener.mode == LISTEN_OFFLOAD)
			e->state_before = HF_STATE_LISTEN;
	}
	hfm_tcp_fsm(&e->op, &e->result);
}

/* An entry that its listener counts against its backlog. */
static bool half_open(const struct hf_tcb *entry)
{
	return entry->state == HF_STATE_SYN_RECEIVED && !entry->active;
}

static void write_table(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct hf_tcb *old = e->op.entry, *entry = &e->result.entry;

	if (half_open(old)) {
		assert(m->listen.half_open[old->listener] > 0);
		m->listen.half_open[old->listener]--;
	}
	m->listen.half_open[entry->listener] += half_open(entry);
	hfm_conn_table_write(&m->table, e->slot, entry);
	if (e->result.insert)
		hfm_conn_table_tag(&m->table, e->slot, e->index);
}

/* An entry that the op frees is shown as it was. */
static void push_event(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct tcp_result *result = &e->result;
	bool freed = result->write && result->entry.state == HF_STATE_CLOSED;
	const struct hf_tcb *tcb = result->write && !freed ? &result->entry : e->op.entry;
	struct event_source source = {
		.code = result->event_code,
		.id = connection_id(e->slot, tcb),
		.state = freed ? HF_STATE_CLOSED : (enum hf_state)tcb->state,
		.seg = result->event_code == HF_EVENT_ESTABLISHED ? &e->seg : NULL,
		.ms = e->config.ms,
		.syn_rto_ms = e->config.syn_rto_ms,
		.frame_follows = result->verdict == HF_VERDICT_HOST,
	};

	switch (e->op.kind) {
	case HF_OP_SEGMENT:
	case HF_OP_ICMP:
		source.stamp = e->seg.stamp;
		break;
	case HF_OP_TIMEOUT:
		source.stamp = e->config.time_ns;
		break;
	case HF_OP_COMMAND:
		source.stamp = e->command.cookie;
		break;
	}
	hfm_event_push(&m->events, &source, tcb);
}

static void push_completion(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct command *c = &e->command;
	uint32_t id = e->result.insert ? connection_id(e->slot, &e->result.entry) : c->id;

	hfm_event_completion(&m->events, id, c->cookie, e->result.status, c->malformed ? 0x100 | c->type : c->command);
}

/* T4: everything that the op changes. */
static void write_back(struct hf_model *m)
{
	struct engine *e = &m->engine;
	const struct tcp_result *result = &e->result;

	if (e->op.kind == HF_OP_SEGMENT || e->op.kind == HF_OP_ICMP)
		push_verdict(m, &e->seg, result->verdict, e->op.hit, connection_id(e->slot, e->op.entry));
	if (e->op.kind == HF_OP_SEGMENT)
		m->counters[HF_CNT_OPT_MALFORMED] += e->seg.opt_bad;
	if (result->reply)
		hfm_tx_builder_push(&m->builder, &result->frame);
	if (result->event)
		push_event(m);
	if (result->completion)
		push_completion(m);
	if (result->write) /* last: until here op.entry is the entry before */
		write_table(m);
	count_verdict(m, result->verdict, result->cause);
	for (unsigned i = 0; i < result->counts; i++)
		m->counters[result->count[i]]++;
}

void hfm_engine_step(struct hf_model *m, uint64_t time_ns)
{
	struct engine *e = &m->engine;
	unsigned phase = e->phase;

	e->traced = false;
	if (m->seen.commands > 0 && !e->head_seen)
		see_command(m);
	if (phase == 0 && m->ready)
		issue(m);
	hfm_conn_table_scan(m, phase == 0 && e->phase == 1, phase == 4);
	switch (phase) {
	case 0:
		return;
	case 1:
		look_up(m);
		break;
	case 3:
		evaluate(m, time_ns);
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
	case HF_OP_ICMP:
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
