/* SPDX-License-Identifier: Apache-2.0
 * handfast_model.c - the top: parameters, memory, reset, and the order of one clock. */
#include <stdlib.h>
#include <string.h>
#include "bytes.h"
#include "model.h"

#define STEPS_OF_ONE_CYCLE .match_cycles = 1, .read_cycles = 1, .fsm_cycles = 1, .parse_cycles = 1, .build_cycles = 1

#ifdef HF_DEFAULT_PARAMS
/* A board's, in a build of its own (tools/netlist-boards.sh). */
const struct hf_params hf_params_default = { HF_DEFAULT_PARAMS };
#else
const struct hf_params hf_params_default = {
	.data_w = 64,
	.sets_log2 = 8,
	.ways = 4,
	.listeners = 16,
	.rules = 8,
	.max_frame = 1522,
	.seg_depth = 16,
	.stage_beats = 512,
	.host_fifo_beats = 2048,
	.event_depth = 32,
	.reply_depth = 32,
	.cmd_depth = 4,
	.tx_beats = 512,
	.tx_descs = 16,
	STEPS_OF_ONE_CYCLE,
};
#endif

const struct hf_params hf_params_small = {
	.data_w = 64,
	.sets_log2 = 2,
	.ways = 2,
	.listeners = 2,
	.max_frame = 512,
	.seg_depth = 4,
	.stage_beats = 256,
	.host_fifo_beats = 256,
	.event_depth = 2,
	.reply_depth = 2,
	.cmd_depth = 2,
	.tx_beats = 256,
	.tx_descs = 2,
	STEPS_OF_ONE_CYCLE,
};

#ifdef HF_LEAN_PARAMS
const struct hf_params hf_params_lean = { HF_LEAN_PARAMS };
#else
const struct hf_params hf_params_lean = {
	.data_w = 64,
	.sets_log2 = 2,
	.ways = 2,
	.listeners = 2,
	.rules = 2,
	.max_frame = 512,
	.seg_depth = 4,
	.stage_beats = 256,
	.host_fifo_beats = 256,
	.event_depth = 1,
	.reply_depth = 2,
	.cmd_depth = 1,
	.tx_beats = 256,
	.tx_descs = 2,
	.hash_serial = true,
	.no_ip6 = true,
	.match_cycles = 2,
	.read_cycles = 2,
	.fsm_cycles = 3,
	.parse_cycles = 8,
	.build_cycles = 2,
};
#endif

const struct hf_params hf_params_wide = {
	.data_w = 512,
	.sets_log2 = 8,
	.ways = 4,
	.listeners = 16,
	.rules = 8,
	.max_frame = 1522,
	.seg_depth = 64,
	.stage_beats = 128,
	.host_fifo_beats = 512,
	.event_depth = 32,
	.reply_depth = 16,
	.cmd_depth = 8,
	.tx_beats = 128,
	.tx_descs = 32,
	STEPS_OF_ONE_CYCLE,
};

const struct hf_params hf_params_wide_small = {
	.data_w = 512,
	.sets_log2 = 2,
	.ways = 2,
	.listeners = 2,
	.rules = 2,
	.max_frame = 512,
	.seg_depth = 8,
	.stage_beats = 32,
	.host_fifo_beats = 32,
	.event_depth = 2,
	.reply_depth = 2,
	.cmd_depth = 2,
	.tx_beats = 16,
	.tx_descs = 2,
	STEPS_OF_ONE_CYCLE,
};

static bool between(unsigned x, unsigned low, unsigned high)
{
	return x >= low && x <= high;
}

/* Steps of more than one cycle are made for 64 bits, and nothing is chained then. T1 and T2 together hold one op. */
static bool legal_steps(const struct hf_params *p)
{
	const unsigned cycles_max = 8;
	bool slow = p->match_cycles > 1 || p->read_cycles > 1 || p->fsm_cycles > 1 || p->parse_cycles > 1 ||
		    p->build_cycles > 1;

	return between(p->fsm_cycles, 1, cycles_max) && between(p->parse_cycles, 1, cycles_max) &&
	       between(p->build_cycles, 1, cycles_max) && between(p->match_cycles, 1, cycles_max) &&
	       between(p->read_cycles, 1, cycles_max) && p->match_cycles + p->read_cycles <= p->fsm_cycles + 1 &&
	       (!slow || (p->data_w == 64 && p->hash_serial));
}

/* A frame of MAX_FRAME octets must fit everywhere, a slot into 16 bits, `beats` into 11. */
static bool legal(const struct hf_params *p)
{
	const unsigned depth_max = 65536;
	unsigned beats;

	if ((p->data_w != 64 && p->data_w != 512) || !between(p->max_frame, 60, 16376) ||
		!between(p->sets_log2, 1, 16) || !between(p->ways, 1, 8))
		return false;
	beats = beats_of(p->max_frame, p->data_w / 8);
	return (p->ways & (p->ways - 1)) == 0 && p->ways << p->sets_log2 <= 65536 &&
	       between(p->listeners, 1, LISTENERS_MAX) && p->rules <= RULES_MAX &&
	       between(p->seg_depth, 1, depth_max) && between(p->stage_beats, beats, depth_max) &&
	       between(p->host_fifo_beats, beats + 2, depth_max) && between(p->event_depth, 1, depth_max) &&
	       between(p->reply_depth, 1, depth_max) && between(p->cmd_depth, 1, 65535) &&
	       between(p->tx_beats, beats, depth_max) && between(p->tx_descs, 1, depth_max) && legal_steps(p);
}

/* An array with a ring over it. */
static void *new_queue(struct ring *ring, unsigned depth, size_t size)
{
	ring->depth = depth;
	return calloc(depth, size);
}

static bool new_host_frames(struct hf_model *m)
{
	const struct hf_params *p = &m->params;
	struct tx_checksum *t = &m->host_frames;

	t->places = p->tx_descs + 2;
	t->frames = calloc(t->places, sizeof(*t->frames));
	if (!t->frames)
		return false;
	for (unsigned i = 0; i < t->places; i++) {
		t->frames[i].octets = calloc(beats_of(p->max_frame, m->width) + 1, m->width);
		if (!t->frames[i].octets)
			return false;
	}
	return true;
}

static bool new_memory(struct hf_model *m)
{
	const struct hf_params *p = &m->params;
	struct rx_parser *rx = &m->rx;
	struct conn_table *t = &m->table;

	rx->max_beats = beats_of(p->max_frame, m->width);
	rx->kept_beats = beats_of(p->max_frame > RX_HEADER_OCTETS ? p->max_frame : RX_HEADER_OCTETS, m->width);
	rx->octets = calloc(rx->kept_beats, m->width);
	rx->parsed_ring.depth = RX_IN_FLIGHT;
	rx->queue = new_queue(&rx->queue_ring, p->seg_depth, sizeof(*rx->queue));
	m->hash.queue = new_queue(&m->hash.queue_ring, p->seg_depth, sizeof(*m->hash.queue));
	m->cookies.queue = new_queue(&m->cookies.queue_ring, p->seg_depth, sizeof(*m->cookies.queue));
	m->serial.jobs = new_queue(&m->serial.job_ring, 2 * p->seg_depth, sizeof(*m->serial.jobs));
	m->serial.calls = new_queue(&m->serial.call_ring, p->cmd_depth, sizeof(*m->serial.calls));
	m->frames.stage = new_queue(&m->frames.stage_ring, p->stage_beats, m->width);
	m->frames.verdicts = new_queue(&m->frames.verdict_ring, p->seg_depth, sizeof(*m->frames.verdicts));
	m->frames.host = new_queue(&m->frames.host_ring, p->host_fifo_beats + 1, m->width);
	m->frames.host_last = calloc(p->host_fifo_beats + 1, sizeof(*m->frames.host_last));
	t->ways = p->ways;
	t->sets = 1u << p->sets_log2;
	t->slots = t->sets * t->ways;
	t->entries = calloc(t->slots, sizeof(*t->entries));
	t->tags = calloc(t->slots, sizeof(*t->tags));
	t->timers = calloc(t->slots, sizeof(*t->timers));
	t->touched = true;
	m->engine.commands = new_queue(&m->engine.command_ring, p->cmd_depth, sizeof(*m->engine.commands));
	m->events.records = new_queue(&m->events.ring, p->event_depth, sizeof(*m->events.records));
	m->builder.replies = new_queue(&m->builder.ring, p->reply_depth, sizeof(*m->builder.replies));
	return new_host_frames(m) && rx->octets && rx->queue && m->hash.queue && m->cookies.queue && m->serial.jobs &&
	       m->serial.calls && m->frames.stage && m->frames.verdicts && m->frames.host && m->frames.host_last &&
	       t->entries && t->tags && t->timers && m->engine.commands && m->events.records && m->builder.replies;
}

static void reset(struct hf_model *m)
{
	m->in_reset = true;
	m->quiet = false;
	m->ready = false;
	m->sweep = 0;
	m->epoch = 0;
	hfm_rx_parser_reset(&m->rx);
	hfm_tuple_hash_reset(&m->hash);
	hfm_syn_cookie_reset(&m->cookies);
	hfm_hash_serial_reset(&m->serial);
	hfm_rx_frame_fifo_reset(&m->frames);
	hfm_conn_table_reset(&m->table);
	hfm_listen_table_reset(&m->listen);
	hfm_rule_table_reset(&m->rules);
	ring_reset(&m->events.ring);
	hfm_tx_builder_reset(&m->builder);
	hfm_tx_checksum_reset(&m->host_frames);
	hfm_tx_arbiter_reset(&m->tx);
	hfm_message_reset(&m->c2h, &m->h2c);
	hfm_regs_reset(&m->regs);
	hfm_engine_reset(&m->engine, &m->regs);
	memset(m->counters, 0, sizeof(m->counters));
}

struct hf_model *hf_model_new(const struct hf_params *params)
{
	struct hf_model *m;

	if (!legal(params))
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->params = *params;
	m->wide = params->data_w == 512;
	m->width = params->data_w / 8;
	if (!new_memory(m)) {
		hf_model_free(m);
		return NULL;
	}
	hfm_engine_init(&m->engine, params);
	hfm_regs_init(&m->regs, m->table.slots, params->rules > 0);
	reset(m);
	return m;
}

void hf_model_free(struct hf_model *m)
{
	if (!m)
		return;
	for (unsigned i = 0; m->host_frames.frames && i < m->host_frames.places; i++)
		free(m->host_frames.frames[i].octets);
	free(m->host_frames.frames);
	free(m->builder.replies);
	free(m->events.records);
	free(m->engine.commands);
	free(m->table.timers);
	free(m->table.tags);
	free(m->table.entries);
	free(m->frames.host_last);
	free(m->frames.host);
	free(m->frames.verdicts);
	free(m->frames.stage);
	free(m->serial.calls);
	free(m->serial.jobs);
	free(m->cookies.queue);
	free(m->hash.queue);
	free(m->rx.queue);
	free(m->rx.octets);
	free(m);
}

/* All at once, in the last cycle of the sweep: nobody can look at the table before. */
static void sweep(struct hf_model *m, uint64_t time_ns)
{
	if (++m->sweep < m->table.slots)
		return;
	hfm_conn_table_sweep(&m->table);
	m->ready = true;
	m->epoch = (uint32_t)(time_ns >> 10);
	hfm_message_hello(m, time_ns);
}

static void look(struct hf_model *m)
{
	struct seen *s = &m->seen;

	s->inflight = m->rx.inflight;
	s->stage_count = m->frames.stage_ring.count;
	s->host_room = m->params.host_fifo_beats - m->frames.host_ring.count;
	s->events = m->events.ring.count;
	s->replies = m->builder.ring.count;
	s->commands = m->engine.command_ring.count;
	s->reply_full = m->c2h.reply_full;
	s->axil_access = hfm_axil_access(&m->regs);
}

/* Whether a clock changes something in these units, inputs aside: most clocks find most of them at rest. */
static bool c2h_moves(const struct hf_model *m)
{
	return m->c2h.valid || m->c2h.source != C2H_NONE || m->c2h.hello_pending || m->c2h.reply_full ||
	       m->events.ring.count > 0 || m->frames.host_valid || m->frames.host_ring.count > 0;
}

static bool axil_moves(const struct hf_model *m)
{
	return m->regs.wready || m->regs.arready || m->regs.bvalid || m->regs.rvalid;
}

static bool arbiter_moves(const struct hf_model *m)
{
	return m->tx.valid || m->builder.sending || m->host_frames.busy;
}

static bool builder_moves(const struct hf_model *m)
{
	return m->builder.making || m->builder.ring.count > 0;
}

static bool host_frames_move(const struct hf_model *m)
{
	return m->host_frames.queued > 0 || m->host_frames.committed > 0;
}

static bool mover_moves(const struct hf_model *m)
{
	return m->frames.moving || m->frames.verdict_ring.count > 0;
}

static bool parser_moves(const struct hf_model *m)
{
	return m->rx.parsed_ring.count > 0;
}

/* The pin tready of the coming cycle. */
static bool h2c_tready(const struct hf_model *m)
{
	if (m->h2c.state == H2C_HDR0)
		return m->ready;
	return m->h2c.state == H2C_FRAME ? hfm_tx_checksum_room(m) : !hfm_h2c_busy(&m->h2c);
}

/* The order matters only where `seen` says nothing: a queue's head is looked at before a push of this cycle,
 * registers are read before the units count, and written after all have read them. */
static void clock_edge(struct hf_model *m, const struct hf_in *in)
{
	look(m);
	if (c2h_moves(m))
		hfm_c2h_step(m, in->m_axis_c2h_tready);
	if (in->s_axil_awvalid || in->s_axil_arvalid || axil_moves(m))
		hfm_regs_axil_step(m, in);
	if (in->s_axis_h2c_tvalid || hfm_h2c_busy(&m->h2c))
		hfm_h2c_step(m, in);
	if (arbiter_moves(m))
		hfm_tx_arbiter_step(m, in->m_axis_tx_tready);
	if (builder_moves(m))
		hfm_tx_builder_step(m);
	if (host_frames_move(m))
		hfm_tx_checksum_step(m);
	if (mover_moves(m))
		hfm_rx_frame_fifo_step(m);
	hfm_engine_step(m, in->time_ns);
	if (m->hash.request_ring.count > 0)
		hfm_tuple_hash_step(m);
	if (m->cookies.request_ring.count > 0)
		hfm_syn_cookie_step(m);
	if (m->params.hash_serial)
		hfm_hash_serial_step(m);
	if (in->s_axis_rx_tvalid || parser_moves(m))
		hfm_rx_parser_step(m, in);
	hfm_regs_end(m, in);
	if (!m->ready)
		sweep(m, in->time_ns);
	m->h2c.tready = h2c_tready(m);
}

static bool input_moves(const struct hf_in *in)
{
	return in->s_axis_rx_tvalid | in->s_axis_h2c_tvalid | in->s_axil_awvalid | in->s_axil_arvalid | in->tick_1ms;
}

/* Whether the coming cycles change nothing and show nothing, as long as no input moves. */
static bool is_quiet(const struct hf_model *m)
{
	return m->ready && m->rx.inflight == 0 && hfm_engine_idle(&m->engine) && !c2h_moves(m) && !axil_moves(m) &&
	       !hfm_h2c_busy(&m->h2c) && !arbiter_moves(m) && !builder_moves(m) && !host_frames_move(m) &&
	       !mover_moves(m) && m->engine.command_ring.count == 0 && m->table.scan == SCAN_IDLE && !m->table.scan_req;
}

static void show(uint64_t *pin, const uint64_t *data, bool wide)
{
	pin[0] = data[0];
	for (unsigned i = 1; wide && i < HF_DATA_WORDS; i++)
		pin[i] = data[i];
}

static void outputs(const struct hf_model *m, struct hf_out *out)
{
	out->ready = m->ready;
	out->m_axis_tx_tvalid = m->tx.valid;
	if (m->tx.valid) {
		show(out->m_axis_tx_tdata, m->tx.data, m->wide);
		out->m_axis_tx_tkeep = m->tx.keep;
		out->m_axis_tx_tlast = m->tx.last;
	}
	out->m_axis_c2h_tvalid = m->c2h.valid;
	if (m->c2h.valid) {
		show(out->m_axis_c2h_tdata, m->c2h.data, m->wide);
		out->m_axis_c2h_tlast = m->c2h.last;
	}
	out->s_axis_h2c_tready = m->h2c.tready;
	out->s_axil_awready = m->regs.wready;
	out->s_axil_wready = m->regs.wready;
	out->s_axil_bvalid = m->regs.bvalid;
	if (m->regs.bvalid)
		out->s_axil_bresp = m->regs.bresp;
	out->s_axil_arready = m->regs.arready;
	out->s_axil_rvalid = m->regs.rvalid;
	if (m->regs.rvalid) {
		out->s_axil_rdata = m->regs.rdata;
		out->s_axil_rresp = m->regs.rresp;
	}
	out->trc_valid = m->engine.traced != NULL;
	if (m->engine.traced)
		hfm_engine_trace(m->engine.traced, out);
}

void hf_model_step(struct hf_model *m, const struct hf_in *in, struct hf_out *out)
{
	if (in->rst) {
		if (!m->in_reset)
			reset(m);
	} else if (!m->quiet || input_moves(in)) {
		m->in_reset = false;
		clock_edge(m, in);
		m->quiet = !input_moves(in) && is_quiet(m);
	}
	m->cycle++;
	outputs(m, out);
}
