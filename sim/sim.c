/* SPDX-License-Identifier: Apache-2.0
 * sim.c - clock, queues, pin drivers and output watch around one engine. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../regs/regs.h"
#include "rng.h"
#include "sim.h"

#define BUS_TIMEOUT 1000 /* clocks a register access may take */

struct item {
	struct item *next;
	size_t len;
	bool bad_fcs;
	uint8_t data[]; /* len bytes, then padding up to a whole beat */
};

struct queue {
	struct item *head, **tail;
	size_t count;
	size_t at; /* bytes of the head already sent */
};

/* One output stream: what is being assembled, and what the pins must still hold. */
struct watch {
	const char *name;
	uint8_t data[SIM_FRAME_MAX + SIM_BEAT_MAX];
	size_t len;
	bool inside;  /* the first beat is on the pins or was taken, the last one not yet */
	bool stalled; /* valid without ready in the cycle before */
	uint64_t tdata[HF_DATA_WORDS], tkeep, tlast;
	uint64_t cycle, time_ns; /* of the first beat */
};

struct priv {
	struct rng rng;
	struct queue rx, h2c;
	struct watch tx, c2h;
	uint8_t outlet_h2c[SIM_FRAME_MAX + SIM_BEAT_MAX]; /* a message that an outlet gives */
	size_t outlet_h2c_len;
	unsigned rx_idle; /* cycles since the last frame's last beat */
	uint64_t rx_stamp;
	bool tick; /* sim_tick() wants one in the coming cycle */
	bool b_stalled, r_stalled;
	uint64_t moves; /* changes sim_settle() looks for */
	bool was_tx, was_c2h;
};

static void fault(struct sim *s, const char *where, const char *what)
{
	if (!s->faults++)
		snprintf(s->fault, sizeof s->fault, "cycle %" PRIu64 ": %s: %s", s->cycle, where, what);
}

static void queue_init(struct queue *q)
{
	*q = (struct queue){ .tail = &q->head };
}

/* True with a chance of `noise` in 256. */
static bool hit(struct priv *p, uint8_t noise)
{
	return noise && (rng_next(&p->rng) >> 56) < noise;
}

/* What pins hold that the engine must not look at. */
static uint64_t junk(struct sim *s)
{
	return s->noise.garbage ? rng_next(&((struct priv *)s->priv)->rng) : 0;
}

static int queue_push(struct sim *s, struct queue *q, const void *data, size_t len, bool bad_fcs)
{
	struct item *p;
	size_t padded;

	if (!len || len > SIM_FRAME_MAX)
		return -EMSGSIZE;
	padded = (len + s->beat - 1) / s->beat * s->beat;
	p = malloc(sizeof *p + padded);
	if (!p)
		return -ENOMEM;
	p->next = NULL;
	p->len = len;
	p->bad_fcs = bad_fcs;
	memcpy(p->data, data, len);
	for (size_t i = len; i < padded; i++)
		p->data[i] = (uint8_t)junk(s);
	*q->tail = p;
	q->tail = &p->next;
	q->count++;
	return 0;
}

static void queue_pop(struct queue *q)
{
	struct item *p = q->head;

	q->head = p->next;
	if (!q->head)
		q->tail = &q->head;
	q->count--;
	q->at = 0;
	free(p);
}

static void queue_drop(struct queue *q)
{
	while (q->head)
		queue_pop(q);
}

/* Byte 0 of a frame is bits 7:0 of its first beat. */
static void beat_get(const struct sim *s, uint64_t *pin, const uint8_t *data)
{
	for (unsigned i = 0; i < s->beat / 8; i++) {
		pin[i] = 0;
		for (unsigned k = 0; k < 8; k++)
			pin[i] |= (uint64_t)data[8 * i + k] << 8 * k;
	}
}

static void beat_put(const struct sim *s, uint8_t *data, const uint64_t *pin)
{
	for (unsigned i = 0; i < s->beat; i++)
		data[i] = (uint8_t)(pin[i / 8] >> 8 * (i % 8));
}

static void beat_junk(struct sim *s, uint64_t *pin)
{
	for (unsigned i = 0; i < s->beat / 8; i++)
		pin[i] = junk(s);
}

/* tkeep of a beat whose first n bytes belong to its frame. */
static uint64_t keep_of(size_t n)
{
	return n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
}

/* Puts the coming cycle's beat on the wire input; true if it ends a frame. */
static bool drive_rx(struct sim *s)
{
	struct priv *p = s->priv;
	struct queue *q = &p->rx;
	const uint64_t other = junk(s);
	size_t left;

	if (!q->head || (!q->at && p->rx_idle < s->rx_gap) || hit(p, s->noise.rx_bubble)) {
		s->in.s_axis_rx_tvalid = 0;
		beat_junk(s, s->in.s_axis_rx_tdata);
		s->in.s_axis_rx_tkeep = other & keep_of(s->beat);
		s->in.s_axis_rx_tlast = other >> 1 & 1;
		s->in.s_axis_rx_tuser = other >> 2 & 1;
		p->rx_idle++;
		return false;
	}
	left = q->head->len - q->at;
	if (!q->at)
		p->rx_stamp = s->in.time_ns;
	s->in.s_axis_rx_tvalid = 1;
	beat_get(s, s->in.s_axis_rx_tdata, q->head->data + q->at);
	s->in.s_axis_rx_tlast = left <= s->beat;
	s->in.s_axis_rx_tkeep = keep_of(left < s->beat ? left : s->beat);
	s->in.s_axis_rx_tuser = left <= s->beat ? q->head->bad_fcs : other & 1;
	q->at += s->beat;
	p->rx_idle = 0;
	return left <= s->beat;
}

/* A beat that was offered and not taken stays; otherwise the coming cycle may begin the next one. */
static void drive_h2c(struct sim *s)
{
	struct priv *p = s->priv;
	struct queue *q = &p->h2c;

	if (s->in.s_axis_h2c_tvalid)
		return;
	if (!q->head || hit(p, s->noise.h2c_bubble)) {
		beat_junk(s, s->in.s_axis_h2c_tdata);
		s->in.s_axis_h2c_tlast = junk(s) & 1;
		return;
	}
	s->in.s_axis_h2c_tvalid = 1;
	beat_get(s, s->in.s_axis_h2c_tdata, q->head->data + q->at);
	s->in.s_axis_h2c_tlast = q->head->len - q->at <= s->beat;
}

static void taken_h2c(struct sim *s)
{
	struct queue *q = &((struct priv *)s->priv)->h2c;

	s->in.s_axis_h2c_tvalid = 0;
	if (!q->head) /* it was an outlet's */
		return;
	q->at += s->beat;
	if (q->at >= q->head->len)
		queue_pop(q);
}

/* Checks one output stream in this cycle and collects its bytes. Returns true when a taken beat completes a frame. */
static bool watch_stream(
	struct sim *s, struct watch *w, bool valid, bool ready, const uint64_t *tdata, uint64_t tkeep, bool tlast)
{
	unsigned bytes = 0;
	size_t held;

	if (w->stalled && (!valid || memcmp(tdata, w->tdata, s->beat) || tkeep != w->tkeep || tlast != w->tlast))
		fault(s, w->name, "a beat that was not taken changed");
	w->stalled = valid && !ready;
	if (!valid)
		return false;
	memcpy(w->tdata, tdata, s->beat);
	w->tkeep = tkeep;
	w->tlast = tlast;
	if (!w->inside) {
		w->inside = true;
		w->len = 0;
		w->cycle = s->cycle;
		w->time_ns = s->in.time_ns;
	}
	if (!ready)
		return false;
	if (w->len + s->beat > SIM_FRAME_MAX) {
		fault(s, w->name, "no end of frame");
		w->len = 0;
	}
	beat_put(s, w->data + w->len, tdata);
	held = w->len + s->beat;
	while (bytes < s->beat && tkeep >> bytes & 1)
		bytes++;
	w->len += bytes;
	if (!bytes || tkeep != keep_of(bytes) || (!tlast && bytes != s->beat))
		fault(s, w->name, "tkeep is not that of a beat");
	while (held > w->len)
		if (w->data[--held])
			fault(s, w->name, "bytes beyond tkeep are not 0");
	w->inside = !tlast;
	return tlast;
}

static void watch_outputs(struct sim *s)
{
	struct priv *p = s->priv;
	const struct hf_out *o = &s->out;
	const bool tx = o->m_axis_tx_tvalid, c2h = o->m_axis_c2h_tvalid;

	if (p->tx.inside && !tx)
		fault(s, p->tx.name, "gap inside a frame");
	if (watch_stream(s, &p->tx, tx, s->in.m_axis_tx_tready, o->m_axis_tx_tdata, o->m_axis_tx_tkeep,
		    o->m_axis_tx_tlast) &&
		s->on.tx)
		s->on.tx(s->ctx, p->tx.data, p->tx.len, p->tx.cycle, p->tx.time_ns);
	if (watch_stream(s, &p->c2h, c2h, s->in.m_axis_c2h_tready, o->m_axis_c2h_tdata, keep_of(s->beat),
		    o->m_axis_c2h_tlast)) {
		const size_t len = p->c2h.data[HF_AT_HEADER_length] | (size_t)p->c2h.data[HF_AT_HEADER_length + 1] << 8;
		bool padded = true;

		for (size_t i = len; i < p->c2h.len; i++)
			padded &= !p->c2h.data[i];
		if (p->c2h.len < HF_MSG_HEADER_BYTES || (len + s->beat - 1) / s->beat * s->beat != p->c2h.len)
			fault(s, p->c2h.name, "length field is not what came");
		else if (!padded)
			fault(s, p->c2h.name, "padding is not 0");
		else if (s->on.c2h)
			s->on.c2h(s->ctx, p->c2h.data, len, p->c2h.cycle, p->c2h.time_ns);
	}
	if ((p->b_stalled && !o->s_axil_bvalid) || (p->r_stalled && !o->s_axil_rvalid))
		fault(s, "s_axil", "a response that was not taken went away");
	p->b_stalled = o->s_axil_bvalid && !s->in.s_axil_bready;
	p->r_stalled = o->s_axil_rvalid && !s->in.s_axil_rready;
	if (o->trc_valid && s->on.trace)
		s->on.trace(s->ctx, o, s->cycle, s->in.time_ns);
	p->moves += (tx && s->in.m_axis_tx_tready) + (c2h && s->in.m_axis_c2h_tready) + o->trc_valid +
		    (tx != p->was_tx) + (c2h != p->was_c2h);
	p->was_tx = tx;
	p->was_c2h = c2h;
}

/* Collect the beats of a message that an outlet gives. What is longer than any message is not reported. */
static void watch_outlet(struct sim *s)
{
	struct priv *p = s->priv;

	if (p->outlet_h2c_len + s->beat <= SIM_FRAME_MAX) {
		beat_put(s, p->outlet_h2c + p->outlet_h2c_len, s->in.s_axis_h2c_tdata);
		p->outlet_h2c_len += s->beat;
	} else {
		p->outlet_h2c_len = SIM_FRAME_MAX;
	}
	if (!s->in.s_axis_h2c_tlast)
		return;
	if (p->outlet_h2c_len < SIM_FRAME_MAX && s->on.h2c)
		s->on.h2c(s->ctx, p->outlet_h2c, p->outlet_h2c_len);
	p->outlet_h2c_len = 0;
}

/* Reset ends whatever was on the output pins. */
static void watch_reset(struct priv *p)
{
	p->outlet_h2c_len = 0;
	p->tx.inside = p->tx.stalled = false;
	p->c2h.inside = p->c2h.stalled = false;
	p->b_stalled = p->r_stalled = false;
}

void sim_step(struct sim *s)
{
	struct priv *p = s->priv;
	bool rx_end, h2c_taken;

	s->in.time_ns = s->base_ns + s->time_ps / 1000;
	s->in.tick_1ms = p->tick || (!s->tick_by_hand && s->time_ps / 1000000000 > s->ms_done);
	s->ms_done += s->in.tick_1ms;
	p->tick = false;
	rx_end = drive_rx(s);
	drive_h2c(s);
	s->in.m_axis_tx_tready = !s->hold_tx && !hit(p, s->noise.tx_stall);
	s->in.m_axis_c2h_tready = !s->hold_c2h && !hit(p, s->noise.c2h_stall);
	for (unsigned i = 0; i < SIM_OUTLETS; i++)
		if (s->outlet[i].clock && s->outlet[i].clock(s->outlet[i].ctx, &s->out, &s->in))
			p->moves++;

	if (s->in.rst) {
		watch_reset(p);
		s->ms_at_reset = s->ms_done;
	} else {
		watch_outputs(s);
	}
	if (rx_end) {
		if (s->on.rx_done)
			s->on.rx_done(s->ctx, p->rx.head->data, p->rx.head->len, s->cycle, p->rx_stamp);
		queue_pop(&p->rx);
	}
	if (s->on.clock)
		s->on.clock(s->ctx, &s->in, s->cycle);
	h2c_taken = s->in.s_axis_h2c_tvalid && s->out.s_axis_h2c_tready;
	if (h2c_taken && !p->h2c.head)
		watch_outlet(s);
	engine_step(s->engine, &s->in, &s->out);
	if (h2c_taken)
		taken_h2c(s);
	s->cycle++;
	s->time_ps += s->period_ps;
}

struct sim *sim_open(enum engine_kind kind, enum engine_size size, uint64_t seed)
{
	struct sim *s = calloc(1, sizeof *s);
	struct priv *p = calloc(1, sizeof *p);

	if (!s || !p)
		goto fail;
	s->priv = p;
	s->params = engine_params[size];
	s->beat = s->params->data_w / 8;
	s->period_ps = s->beat == 8 ? 6400 : 3103;
	p->rng.state = seed;
	queue_init(&p->rx);
	queue_init(&p->h2c);
	p->tx.name = "m_axis_tx";
	p->c2h.name = "m_axis_c2h";
	s->engine = engine_open(kind, size, seed);
	if (!s->engine)
		goto fail;
	sim_reset(s, 4);
	return s;
fail:
	free(p);
	free(s);
	return NULL;
}

void sim_close(struct sim *s)
{
	struct priv *p;

	if (!s)
		return;
	p = s->priv;
	queue_drop(&p->rx);
	queue_drop(&p->h2c);
	engine_close(s->engine);
	free(p);
	free(s);
}

int sim_rx(struct sim *s, const void *frame, size_t len, bool bad_fcs)
{
	return queue_push(s, &((struct priv *)s->priv)->rx, frame, len, bad_fcs);
}

int sim_h2c(struct sim *s, const void *msg, size_t len)
{
	return queue_push(s, &((struct priv *)s->priv)->h2c, msg, len, false);
}

size_t sim_rx_pending(const struct sim *s)
{
	return ((const struct priv *)s->priv)->rx.count;
}

size_t sim_h2c_pending(const struct sim *s)
{
	return ((const struct priv *)s->priv)->h2c.count;
}

void sim_run(struct sim *s, uint64_t cycles)
{
	while (cycles--)
		sim_step(s);
}

uint64_t sim_settle(struct sim *s, uint64_t quiet, uint64_t max)
{
	const struct priv *p = s->priv;
	uint64_t ran = 0, still = 0;

	while (ran < max && still < quiet) {
		const uint64_t moves = p->moves;

		sim_step(s);
		ran++;
		still = p->rx.count || p->h2c.count || p->moves != moves ? 0 : still + 1;
	}
	return ran;
}

void sim_tick(struct sim *s, unsigned ms, unsigned clocks_between)
{
	while (ms--) {
		((struct priv *)s->priv)->tick = true;
		sim_step(s);
		sim_run(s, clocks_between);
	}
}

void sim_reset(struct sim *s, unsigned n)
{
	struct priv *p = s->priv;

	queue_drop(&p->rx);
	queue_drop(&p->h2c);
	p->rx.at = p->h2c.at = 0;
	s->in.s_axis_h2c_tvalid = 0;
	s->in.rst = 1;
	sim_run(s, n);
	s->in.rst = 0;
}

/* Take the AXI-Lite pins from an outlet. */
static int bus_begin(struct sim *s)
{
	s->axil_wanted = true;
	for (unsigned n = 0; s->axil_busy; n++) {
		if (n == BUS_TIMEOUT) {
			s->axil_wanted = false;
			return -ETIMEDOUT;
		}
		sim_step(s);
	}
	return 0;
}

static int bus_end(struct sim *s, int result)
{
	s->axil_wanted = false;
	return result;
}

int sim_reg_write(struct sim *s, uint32_t offset, uint32_t value)
{
	if (bus_begin(s))
		return -ETIMEDOUT;
	s->in.s_axil_awaddr = offset;
	s->in.s_axil_wdata = value;
	s->in.s_axil_wstrb = 0xf;
	s->in.s_axil_awvalid = s->in.s_axil_wvalid = s->in.s_axil_bready = 1;
	for (unsigned n = 0; n < BUS_TIMEOUT; n++) {
		const bool accepted = s->out.s_axil_awready, done = s->out.s_axil_bvalid;
		const int response = (int)s->out.s_axil_bresp;

		sim_step(s);
		if (accepted)
			s->in.s_axil_awvalid = s->in.s_axil_wvalid = 0;
		if (done) {
			s->in.s_axil_bready = 0;
			return bus_end(s, response);
		}
	}
	s->in.s_axil_awvalid = s->in.s_axil_wvalid = s->in.s_axil_bready = 0;
	return bus_end(s, -ETIMEDOUT);
}

int sim_reg_read(struct sim *s, uint32_t offset, uint32_t *value)
{
	if (bus_begin(s))
		return -ETIMEDOUT;
	s->in.s_axil_araddr = offset;
	s->in.s_axil_arvalid = s->in.s_axil_rready = 1;
	for (unsigned n = 0; n < BUS_TIMEOUT; n++) {
		const bool accepted = s->out.s_axil_arready, done = s->out.s_axil_rvalid;
		const int response = (int)s->out.s_axil_rresp;

		if (done)
			*value = (uint32_t)s->out.s_axil_rdata;
		sim_step(s);
		if (accepted)
			s->in.s_axil_arvalid = 0;
		if (done) {
			s->in.s_axil_rready = 0;
			return bus_end(s, response);
		}
	}
	s->in.s_axil_arvalid = s->in.s_axil_rready = 0;
	return bus_end(s, -ETIMEDOUT);
}

int sim_counter(struct sim *s, unsigned index, uint64_t *value)
{
	uint32_t low = 0, high = 0;
	int r = sim_reg_write(s, HF_REG_SNAPSHOT, 0);

	if (!r)
		r = sim_reg_read(s, HF_REG_COUNTER(index), &low);
	if (!r)
		r = sim_reg_read(s, HF_REG_COUNTER(index) + 4, &high);
	*value = low | (uint64_t)high << 32;
	return r;
}
