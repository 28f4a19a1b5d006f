/* SPDX-License-Identifier: Apache-2.0
 * engine_op.c - what an op does in its steps. It looks its entry up and is judged at once in T3: by then all ops that
 * were issued before it have written, and none that was issued after it has, so what it finds is what "serial all the
 * same" asks for. Only what others than ops write is looked at in the very cycle that the table of steps names. */
#include <stddef.h>
#include "model.h"

static const struct hf_tcb no_entry; /* read where a command's id names no slot */

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

/* T1: what may change before T3 by others than ops. */
void hfm_op_look_around(struct hf_model *m, struct engine_op *f)
{
	const struct segment *seg = f->seg;
	int index;

	f->lookup_ms = m->regs.ms;
	f->op.listener = NULL;
	if (f->op.kind != HF_OP_SEGMENT)
		return;
	index = hfm_listen_table_lookup(&m->listen, &m->regs, seg->ip6, seg->dst_addr, seg->dst_port);
	if (index < 0)
		return;
	f->listener = m->listen.listeners[index];
	f->op.listener = &f->listener;
	f->op.listener_index = (unsigned)index;
	f->rule = hfm_rule_table_lookup(&m->rules, seg->ip6, seg->src_addr);
	f->denied = f->rule >= 0 && m->rules.rules[f->rule].rate == 0;
}

/* Where the entry of an op with a tuple is, or would be. */
static void look_up_tuple(struct hf_model *m, struct engine_op *f, bool ip6, hf_u128 remote_addr, hf_u128 local_addr,
	uint64_t remote_port, uint64_t local_port)
{
	struct conn_place place;
	const struct hf_tcb *entry;

	if (f->chained)
		place = hfm_conn_table_at(&m->table, m->engine.last_slot, f->index);
	else
		place = hfm_conn_table_lookup(&m->table, f->index, f->op.kind == HF_OP_COMMAND, f->lookup_ms);
	entry = &m->table.entries[place.slot];
	f->slot = place.slot;
	f->op.entry = entry;
	f->op.hit = place.match && entry->state != HF_STATE_CLOSED && entry->ip6 == ip6 &&
		    entry->remote_addr == remote_addr && entry->local_addr == local_addr &&
		    entry->remote_port == remote_port && entry->local_port == local_port;
	f->op.insertable = place.free || place.victim;
}

static void look_up_command(struct hf_model *m, struct engine_op *f)
{
	f->op.malformed = f->command.malformed;
	f->op.status = (enum hf_status)f->command.status;
	f->op.command = (enum hf_command_code)f->command.command;
	if (f->command.has_body) {
		const struct hf_tcb *tcb = &f->body.tcb;

		hfm_event_parse(f->command.octets, m->params.no_ip6, &f->body);
		f->op.body = &f->body;
		look_up_tuple(m, f, tcb->ip6, tcb->remote_addr, tcb->local_addr, tcb->remote_port, tcb->local_port);
		return;
	}
	f->slot = f->command.id & 0xffff;
	f->op.entry = f->slot < m->table.slots ? &m->table.entries[f->slot] : &no_entry;
	f->op.hit = f->op.entry->state != HF_STATE_CLOSED;
	if (f->op.malformed || f->op.command != HF_COMMAND_DUMP) /* DUMP names a slot, the others a connection */
		f->op.hit = f->op.hit && f->op.entry->generation == f->command.id >> 16;
}

static void look_up(struct hf_model *m, struct engine_op *f)
{
	const struct segment *seg = f->seg;

	switch (f->op.kind) {
	case HF_OP_SEGMENT:
	case HF_OP_ICMP:
		look_up_tuple(m, f, seg->ip6, seg->src_addr, seg->dst_addr, seg->src_port, seg->dst_port);
		f->op.seg = seg;
		break;
	case HF_OP_COMMAND:
		look_up_command(m, f);
		break;
	case HF_OP_TIMEOUT:
		f->op.entry = &m->table.entries[f->slot];
		f->op.hit = f->op.entry->timer_armed && hfm_reached(m->regs.ms, f->op.entry->deadline_ms);
		break;
	}
	m->engine.last_slot = f->slot;
}

static void read_config(const struct hf_model *m, uint64_t time_ns, struct tcp_config *config)
{
	const struct regs *r = &m->regs;
	const struct rate_limits *limits = &m->engine.limits;
	uint32_t ctrl = hfm_reg(r, HF_REG_CTRL), challenge = hfm_reg(r, HF_REG_CHALLENGE);
	uint32_t cookie = hfm_reg(r, HF_REG_COOKIE);
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
		.cache_complete = hfm_reg(r, HF_REG_CACHE) >> HF_CACHE_COMPLETE_LOW & 1,
		.rst_allowed = hfm_rate_limit_allows(limits, r, LIMIT_RST),
		.synack_allowed = hfm_rate_limit_allows(limits, r, LIMIT_SYNACK),
		.miss_allowed = hfm_rate_limit_allows(limits, r, LIMIT_MISS),
		.cookie_mode = cookie >> HF_COOKIE_MODE_LOW & 3,
		.cookie_lifetime = cookie >> HF_COOKIE_LIFETIME_LOW & 3,
		.cookie_on = m->engine.cookie_on,
		.too_many = m->table.half_open >= hfm_reg(r, HF_REG_COOKIE_HIGH),
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

/* Whether the SYN is the one of SAMPLE.EVERY that the host wants to see, and half of the event queue is free for it. */
static void judge_sample(const struct hf_model *m, struct engine_op *f)
{
	uint32_t every = hfm_reg(&m->regs, HF_REG_SAMPLE);

	f->sample_due = every != 0 && m->engine.since_sample + 1 >= every;
	f->sampled = f->sample_due && m->seen.events < (m->params.event_depth + 1) / 2;
}

/* T3 */
void hfm_op_evaluate(struct hf_model *m, struct engine_op *f, uint64_t time_ns)
{
	struct engine *e = &m->engine;

	look_up(m, f);
	read_config(m, time_ns, &f->config);
	f->op.config = &f->config;
	f->state_before = f->op.hit ? (unsigned)f->op.entry->state : HF_STATE_CLOSED;
	if (f->op.listener) {
		f->op.half_open = m->listen.half_open[f->op.listener_index];
		f->op.sent = &e->sent[f->op.listener_index];
		f->op.denied = f->denied;
		f->op.metered = f->rule >= 0 && !f->denied;
		f->op.spent = f->op.metered && !hfm_rule_allows(&m->rules.rules[f->rule]);
		if (!f->op.hit && f->listener.mode == LISTEN_OFFLOAD)
			f->state_before = HF_STATE_LISTEN;
	}
	hfm_tcp_fsm(&f->op, &f->result);
	if (f->result.limit != LIMIT_NONE && !hfm_rate_limited(&m->regs, f->result.limit))
		f->result.limit = LIMIT_NONE; /* without a limit no token is taken */
	if (f->result.listener_syn)
		judge_sample(m, f);
}

/* An entry that its listener counts against its backlog. */
static bool half_open(const struct hf_tcb *entry)
{
	return entry->state == HF_STATE_SYN_RECEIVED && !entry->active;
}

static void write_table(struct hf_model *m, const struct engine_op *f)
{
	const struct hf_tcb *old = f->op.entry, *entry = &f->result.entry;

	if (half_open(old)) {
		assert(m->listen.half_open[old->listener] > 0);
		m->listen.half_open[old->listener]--;
	}
	m->listen.half_open[entry->listener] += half_open(entry);
	hfm_conn_table_write(&m->table, f->slot, entry);
	if (f->result.insert)
		hfm_conn_table_tag(&m->table, f->slot, f->index);
}

/* The connection that the op was about: the one that it made, else the one that it hit. */
static uint32_t op_id(const struct engine_op *f)
{
	return connection_id(f->slot, f->result.insert ? &f->result.entry : f->op.entry);
}

/* An entry that the op frees is shown as it was; one that found no room as it would be. */
static void push_event(struct hf_model *m, const struct engine_op *f)
{
	const struct tcp_result *result = &f->result;
	bool freed = result->write && result->entry.state == HF_STATE_CLOSED;
	bool after = (result->write && !freed) || result->by_cookie;
	const struct hf_tcb *tcb = after ? &result->entry : f->op.entry;
	struct event_source source = {
		.code = result->event_code,
		.by_cookie = result->by_cookie,
		.id = result->by_cookie && !result->insert ? HF_NO_ID : op_id(f),
		.state = freed ? HF_STATE_CLOSED : (enum hf_state)tcb->state,
		.seg = result->event_code == HF_EVENT_ESTABLISHED ? f->seg : NULL,
		.ms = f->config.ms,
		.syn_rto_ms = f->config.syn_rto_ms,
		.frame_follows = result->verdict == HF_VERDICT_HOST,
	};

	switch (f->op.kind) {
	case HF_OP_SEGMENT:
	case HF_OP_ICMP:
		source.stamp = f->seg->stamp;
		break;
	case HF_OP_TIMEOUT:
		source.stamp = f->config.time_ns;
		break;
	case HF_OP_COMMAND:
		source.stamp = f->command.cookie;
		break;
	}
	hfm_event_push(&m->events, &source, tcb);
}

/* A SYN as it came, and what became of it. */
static void push_sample(struct hf_model *m, const struct engine_op *f)
{
	const struct segment *seg = f->seg;
	const struct hf_tcb tcb = {
		.listener = f->op.listener_index,
		.ip6 = seg->ip6,
		.remote_addr = seg->src_addr,
		.local_addr = seg->dst_addr,
		.remote_port = seg->src_port,
		.local_port = seg->dst_port,
		.remote_mac = seg->src_mac,
		.vlan_tags = seg->vlan_tags,
		.vlan_svlan = seg->vlan_svlan,
		.vlan_outer = seg->vlan_outer,
		.vlan_inner = seg->vlan_inner,
		.irs = seg->seq,
		.mss = f->result.cause,
	};
	const struct event_source source = {
		.code = HF_EVENT_SAMPLE,
		.id = HF_NO_ID,
		.stamp = seg->stamp,
		.state = HF_STATE_LISTEN,
		.ms = f->config.ms,
	};

	hfm_event_push(&m->events, &source, &tcb);
}

static void count_listener_syn(struct hf_model *m, const struct engine_op *f)
{
	struct engine *e = &m->engine;

	if (m->params.rules == 0)
		return;
	m->listen.syns[f->op.listener_index]++;
	if (f->sampled) {
		e->since_sample = 0;
		push_sample(m, f);
	} else if (!f->sample_due) {
		e->since_sample = (e->since_sample + 1) & UINT32_MAX >> (32 - HF_SAMPLE_EVERY_BITS);
	}
}

static void push_completion(struct hf_model *m, const struct engine_op *f)
{
	const struct command *c = &f->command;
	uint32_t id = f->result.insert ? op_id(f) : c->id;

	hfm_event_completion(&m->events, id, c->cookie, f->result.status, c->malformed ? 0x100 | c->type : c->command);
}

/* T4 of a frame that the parser has judged. */
void hfm_op_pass(struct hf_model *m, const struct engine_op *f)
{
	unsigned verdict = f->seg->cls == HF_CLASS_HOST ? HF_VERDICT_HOST : HF_VERDICT_DROP;

	push_verdict(m, f->seg, verdict, false, 0);
	count_verdict(m, verdict, (unsigned)f->seg->cause);
}

/* T4: everything that the op changes. */
void hfm_op_write_back(struct hf_model *m, const struct engine_op *f)
{
	const struct tcp_result *result = &f->result;

	if (f->op.kind == HF_OP_SEGMENT || f->op.kind == HF_OP_ICMP)
		push_verdict(m, f->seg, result->verdict, f->op.hit || result->insert, op_id(f));
	if (f->op.kind == HF_OP_SEGMENT)
		m->counters[HF_CNT_OPT_MALFORMED] += f->seg->opt_bad;
	if (result->reply)
		hfm_tx_builder_push(&m->builder, &result->frame);
	if (result->event)
		push_event(m, f);
	if (result->completion)
		push_completion(m, f);
	if (result->write) /* last: until here op.entry is the entry before */
		write_table(m, f);
	if (result->cookie) {
		m->engine.sent[f->op.listener_index].sent = true;
		m->engine.sent[f->op.listener_index].epoch = hfm_cookie_epoch(f->seg->stamp);
	}
	if (result->limit != LIMIT_NONE)
		hfm_rate_limit_take(&m->engine.limits, result->limit);
	if (result->rule_token)
		hfm_rule_take(&m->rules.rules[f->rule]);
	if (result->cause == HF_CAUSE_DENIED || result->cause == HF_CAUSE_SOURCE_LIMITED)
		m->rules.drops[f->rule]++;
	if (result->listener_syn)
		count_listener_syn(m, f);
	if (result->incomplete)
		m->regs.cache_ends = true;
	count_verdict(m, result->verdict, result->cause);
	for (unsigned i = 0; i < result->counts; i++)
		m->counters[result->count[i]]++;
}

void hfm_engine_trace(const struct engine_op *f, struct hf_out *out)
{
	out->trc_op = f->op.kind;
	out->trc_write = f->result.write;
	out->trc_slot = f->slot;
	out->trc_state = f->state_before;
	out->trc_verdict = f->result.verdict;
	out->trc_cause = f->result.cause;
	switch (f->op.kind) {
	case HF_OP_SEGMENT:
	case HF_OP_ICMP:
		out->trc_stamp = f->seg->stamp;
		break;
	case HF_OP_COMMAND:
		out->trc_stamp = f->command.cookie;
		break;
	case HF_OP_TIMEOUT:
		out->trc_stamp = 0;
		break;
	}
	if (f->result.write)
		out->trc_entry = f->result.entry;
}
