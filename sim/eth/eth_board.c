/* SPDX-License-Identifier: Apache-2.0
 * eth_board.c - MAC and core with a PHY, as an outlet of a simulator (eth_board.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../compare.h"
#include "../rtl_top.h"
#include "eth_board.h"

#define RTL_TOP_PINS "pins_board_sim.def"
#define RTL_TOP_NAME board_sim
#include "../rtl_top_pins.h"

extern const struct rtl_top rtl_top_board_sim;

enum { CLK_HALF_PS = 8000, TX_HALF_PS = 4000 };

/* A frame on its way through the MAC. */
struct way {
	struct way *next;
	uint64_t stamp; /* time_ns when its first beat was given */
	bool begun, bad;
	size_t len;
	uint8_t data[];
};

struct ways {
	struct way *head, **tail;
};

/* A frame being put together from beats. */
struct beats {
	uint8_t data[SIM_FRAME_MAX + 8];
	size_t len;
	uint64_t stamp;
};

struct eth_board {
	struct sim *sim;
	void *top;
	struct board_sim_in in;
	struct board_sim_out out;
	struct phy *phy;
	uint64_t now, clk_next, tx_next;
	bool was_reset; /* the clock before had rst: from here on both are comparable */
	bool comparable;
	struct beats given, arriving, leaving;
	struct ways in_way, out_way;
	struct eth_board_counts counts;
	uint64_t first_ps;
	char fault[200];
};

static void fault(struct eth_board *b, const char *what, uint64_t number)
{
	if (!*b->fault)
		snprintf(b->fault, sizeof b->fault, "cycle %" PRIu64 ": %s %" PRIu64, b->sim->cycle, what, number);
}

static void way_add(struct eth_board *b, struct ways *q, const uint8_t *data, size_t len, uint64_t stamp, bool bad)
{
	struct way *w = malloc(sizeof *w + len);

	if (!w) {
		fault(b, "no memory for a frame of", len);
		return;
	}
	*w = (struct way){ .stamp = stamp, .bad = bad, .len = len };
	memcpy(w->data, data, len);
	*q->tail = w;
	q->tail = &w->next;
}

static void way_drop(struct ways *q)
{
	struct way *w = q->head;

	q->head = w->next;
	if (!q->head)
		q->tail = &q->head;
	free(w);
}

static void ways_flush(struct ways *q)
{
	while (q->head)
		way_drop(q);
	q->tail = &q->head;
}

/* One beat more; true when it is the last. */
static bool beats_add(struct eth_board *b, struct beats *f, uint64_t data, uint64_t keep, bool last)
{
	for (unsigned i = 0; i < 8 && keep >> i & 1; i++)
		if (f->len < sizeof f->data)
			f->data[f->len++] = (uint8_t)(data >> 8 * i);
	if (f->len == sizeof f->data)
		fault(b, "a frame without end, octets", f->len);
	return last;
}

static void from_phy(void *ctx, const struct phy_frame *f)
{
	struct eth_board *b = ctx;
	const struct way *w = b->out_way.head;
	uint8_t want[SIM_FRAME_MAX] = { 0 };
	size_t len;

	b->counts.sent++;
	if (!w) {
		fault(b, "the PHY got a frame that never left the core, octets", f->len);
		return;
	}
	memcpy(want, w->data, w->len);
	len = w->len < 60 ? 60 : w->len;
	if (!f->fcs_ok || f->error)
		fault(b, "the PHY got a damaged frame, octets", f->len);
	else if (f->len != len || memcmp(f->data, want, len))
		fault(b, "the PHY got another frame than left the core, octets", f->len);
	else if (f->preamble != 7 || f->gap < 12)
		fault(b, "preamble or gap of a frame, gap", f->gap);
	way_drop(&b->out_way);
}

static void eval(struct eth_board *b)
{
	b->in.mdi = phy_mdio(b->phy, b->out.mdc, b->out.mdo, b->out.mdo_en);
	rtl_top_board_sim.eval(b->top, &b->in, &b->out);
	phy_tx(b->phy, b->now, b->out.txc, (uint8_t)b->out.txd, b->out.tx_ctl);
}

/* All edges up to the next rising one of clk, that one too. */
static void run_clock(struct eth_board *b)
{
	bool rose = false;

	while (!rose) {
		uint64_t at = b->clk_next < b->tx_next ? b->clk_next : b->tx_next;

		if (phy_next_ps(b->phy) < at)
			at = phy_next_ps(b->phy);
		b->now = at;
		if (at == phy_next_ps(b->phy)) {
			struct phy_pins pins;

			phy_edge(b->phy, &pins);
			b->in.rxc = pins.rxc;
			b->in.rxd = pins.rxd;
			b->in.rx_ctl = pins.rx_ctl;
		}
		if (at == b->tx_next) {
			b->in.tx_clk = !b->in.tx_clk;
			b->tx_next += TX_HALF_PS;
		}
		if (at == b->clk_next) {
			rose = !b->in.clk;
			b->in.clk = !b->in.clk;
			b->clk_next += CLK_HALF_PS;
		}
		eval(b);
	}
}

/* What the core inside the board shows, as the engine's pins. */
static void core_out(const struct board_sim_out *o, struct hf_out *out)
{
	memset(out, 0, sizeof *out);
	out->ready = o->ready;
	out->m_axis_tx_tvalid = o->mac_tx_tvalid;
	out->m_axis_tx_tdata[0] = o->mac_tx_tdata;
	out->m_axis_tx_tkeep = o->mac_tx_tkeep;
	out->m_axis_tx_tlast = o->mac_tx_tlast;
	out->m_axis_c2h_tdata[0] = o->m_axis_c2h_tdata;
#define SAME(pin) out->pin = o->pin
	SAME(m_axis_c2h_tvalid);
	SAME(m_axis_c2h_tlast);
	SAME(s_axis_h2c_tready);
	SAME(s_axil_awready);
	SAME(s_axil_wready);
	SAME(s_axil_bvalid);
	SAME(s_axil_bresp);
	SAME(s_axil_arready);
	SAME(s_axil_rvalid);
	SAME(s_axil_rdata);
	SAME(s_axil_rresp);
	SAME(trc_valid);
	SAME(trc_op);
	SAME(trc_write);
	SAME(trc_slot);
	SAME(trc_state);
	SAME(trc_verdict);
	SAME(trc_cause);
	SAME(trc_stamp);
#undef SAME
	if (out->trc_valid && out->trc_write) {
		/* The first field of tcb.def is the most significant one. */
		unsigned at = 0;

#define FIELD(name, bits, rfc, doc) at += bits;
#include "../../regs/tcb.def"
#undef FIELD
#define FIELD(name, bits, rfc, doc)                                   \
	at -= bits;                                                   \
	out->trc_entry.name = 0;                                      \
	for (unsigned i = 0; i < (bits); i++)                         \
		if (o->trc_entry[(at + i) / 64] >> (at + i) % 64 & 1) \
			out->trc_entry.name |= (__typeof__(out->trc_entry.name))1 << i;
#include "../../regs/tcb.def"
#undef FIELD
	}
}

static void compare(struct eth_board *b, const struct hf_out *engine)
{
	struct hf_out core;
	char first[160] = "";

	core_out(&b->out, &core);
	b->counts.compared++;
	if (compare_out(&core, engine, 1, b->sim->cycle, *b->fault ? NULL : first, sizeof first)) {
		b->counts.mismatches++;
		if (!*b->fault)
			snprintf(b->fault, sizeof b->fault, "%s", first);
	}
}

/* What the simulator puts at the wire goes to the PHY, a whole frame at a time. */
static void take_given(struct eth_board *b, const struct hf_in *in)
{
	struct beats *f = &b->given;

	if (!in->s_axis_rx_tvalid)
		return;
	if (!f->len)
		f->stamp = in->time_ns;
	if (!beats_add(b, f, in->s_axis_rx_tdata[0], in->s_axis_rx_tkeep, in->s_axis_rx_tlast))
		return;
	{
		const struct phy_how bad = { .bad_fcs = true };

		if (phy_send(b->phy, f->data, f->len, in->s_axis_rx_tuser ? &bad : NULL))
			fault(b, "the PHY takes no frame of octets", f->len);
		else
			way_add(b, &b->in_way, f->data, f->len, f->stamp, in->s_axis_rx_tuser || f->len < 60);
	}
	b->counts.given++;
	f->len = 0;
}

/* A beat that the MAC shows the core. */
static void watch_arriving(struct eth_board *b)
{
	const struct way *w;

	if (!b->out.mac_rx_tvalid)
		return;
	if (!b->in_way.head) {
		fault(b, "the MAC shows a frame that was never sent", 0);
		return;
	}
	b->in_way.head->begun = true;
	if (!beats_add(b, &b->arriving, b->out.mac_rx_tdata, b->out.mac_rx_tkeep, b->out.mac_rx_tlast))
		return;
	w = b->in_way.head;
	if ((bool)b->out.mac_rx_tuser != w->bad)
		fault(b, w->bad ? "a damaged frame is good, octets" : "a good frame is bad, octets", w->len);
	else if (!w->bad && (b->arriving.len != w->len || memcmp(b->arriving.data, w->data, w->len)))
		fault(b, "the MAC shows another frame than was sent, octets", b->arriving.len);
	b->arriving.len = 0;
	if (!b->counts.arrived++)
		b->first_ps = b->now;
	b->counts.rx_ps = b->now - b->first_ps;
	way_drop(&b->in_way);
}

static void watch_leaving(struct eth_board *b)
{
	struct beats *f = &b->leaving;

	if (!b->out.mac_tx_tvalid || !b->out.mac_tx_tready ||
		!beats_add(b, f, b->out.mac_tx_tdata, b->out.mac_tx_tkeep, b->out.mac_tx_tlast))
		return;
	way_add(b, &b->out_way, f->data, f->len, 0, false);
	f->len = 0;
	b->counts.left++;
}

/* The time the core is shown: that of the oldest frame which has not begun to arrive. */
static uint64_t shown_time(struct eth_board *b, uint64_t now)
{
	const struct way *w = b->in_way.head;
	const bool begins = b->out.mac_rx_tvalid && !b->arriving.len;

	/* The frame that begins in this clock is the head still. */
	if (w && w->begun && !begins)
		w = w->next;
	if (w)
		return w->stamp;
	return b->given.len ? b->given.stamp : now;
}

static bool outlet_clock(void *ctx, const struct hf_out *out, struct hf_in *in)
{
	struct eth_board *b = ctx;

	if (in->rst) {
		phy_flush(b->phy);
		phy_forget(b->phy);
		ways_flush(&b->in_way);
		ways_flush(&b->out_way);
		b->given.len = b->arriving.len = b->leaving.len = 0;
	} else {
		take_given(b, in);
	}
	in->time_ns = in->rst ? in->time_ns : shown_time(b, in->time_ns);

	b->in.rst = in->rst;
	b->in.time_ns = in->time_ns;
	b->in.tick_1ms = in->tick_1ms;
	b->in.m_axis_c2h_tready = in->m_axis_c2h_tready;
	b->in.s_axis_h2c_tdata = in->s_axis_h2c_tdata[0];
#define SAME(pin) b->in.pin = in->pin
	SAME(s_axis_h2c_tvalid);
	SAME(s_axis_h2c_tlast);
	SAME(s_axil_awaddr);
	SAME(s_axil_awvalid);
	SAME(s_axil_wdata);
	SAME(s_axil_wstrb);
	SAME(s_axil_wvalid);
	SAME(s_axil_bready);
	SAME(s_axil_araddr);
	SAME(s_axil_arvalid);
	SAME(s_axil_rready);
#undef SAME
	eval(b);
	in->s_axis_rx_tvalid = b->out.mac_rx_tvalid;
	in->s_axis_rx_tdata[0] = b->out.mac_rx_tdata;
	in->s_axis_rx_tkeep = b->out.mac_rx_tkeep;
	in->s_axis_rx_tlast = b->out.mac_rx_tlast;
	in->s_axis_rx_tuser = b->out.mac_rx_tuser;
	in->m_axis_tx_tready = b->out.mac_tx_tready;
	if (b->comparable)
		compare(b, out);
	if (!in->rst) {
		watch_arriving(b);
		watch_leaving(b);
	}
	b->comparable = b->comparable || (b->was_reset && in->rst);
	b->was_reset = in->rst;
	run_clock(b);
	if (*phy_fault(b->phy) && !*b->fault)
		snprintf(b->fault, sizeof b->fault, "%s", phy_fault(b->phy));
	return b->in_way.head || b->out_way.head || b->given.len || b->leaving.len;
}

int eth_board_open(struct eth_board **board, struct sim *s, uint64_t seed)
{
	struct eth_board *b;

	if (s->params != engine_params[ENGINE_DEFAULT])
		return -EINVAL;
	b = calloc(1, sizeof *b);
	if (!b)
		return -ENOMEM;
	b->sim = s;
	b->in_way.tail = &b->in_way.head;
	b->out_way.tail = &b->out_way.head;
	b->top = rtl_top_board_sim.create(seed);
	b->phy = phy_open(0, from_phy, b);
	if (!b->top || !b->phy) {
		eth_board_close(b);
		return -ENOMEM;
	}
	b->clk_next = CLK_HALF_PS;
	b->tx_next = 700;
	s->period_ps = 2 * CLK_HALF_PS;
	s->outlet[1] = (struct sim_outlet){ outlet_clock, b };
	sim_reset(s, 8);
	*board = b;
	return 0;
}

void eth_board_close(struct eth_board *b)
{
	if (!b)
		return;
	if (b->sim->outlet[1].ctx == b)
		b->sim->outlet[1] = (struct sim_outlet){ 0 };
	ways_flush(&b->in_way);
	ways_flush(&b->out_way);
	phy_close(b->phy);
	if (b->top)
		rtl_top_board_sim.free(b->top);
	free(b);
}

void eth_board_counts(const struct eth_board *b, struct eth_board_counts *counts)
{
	*counts = b->counts;
}

const char *eth_board_fault(const struct eth_board *b)
{
	return b->fault;
}

struct phy *eth_board_phy(struct eth_board *b)
{
	return b->phy;
}
