/* SPDX-License-Identifier: Apache-2.0
 * usb_board.c - see usb_board.h. */
#include <errno.h>
#include <stdlib.h>
#include "../rtl_top.h"
#include "usb_board.h"

#define RTL_TOP_PINS "pins_usb_link_ft245.def"
#define RTL_TOP_NAME usb_link_ft245
#include "../rtl_top_pins.h"

extern const struct rtl_top rtl_top_usb_link_ft245;

#define FT_PERIOD_FS (UINT64_C(1000000000000000) / FT2232H_HZ) /* femtoseconds, so that a ms has 60,000 clocks */

struct usb_board {
	struct sim *sim;
	struct ft2232h *chip;
	void *top;
	struct usb_link_ft245_in in;
	struct usb_link_ft245_out out;
	struct ft2232h_out pins;  /* what the chip shows */
	uint64_t now_fs, next_fs; /* time; the next edge of the 60 MHz clock */
	struct usb_board_counts counts;
};

/* The rising edge of the 60 MHz clock, and the pins as the chip sets them behind it. */
static bool chip_clock(struct usb_board *b)
{
	const struct ft2232h_in held = { .oe_n = b->out.oe_n,
		.rd_n = b->out.rd_n,
		.wr_n = b->out.wr_n,
		.siwu_n = b->out.siwu_n,
		.data_oe = b->out.data_oe,
		.data = (uint8_t)b->out.data_o };
	bool moved;

	if (b->pins.clkout) {
		b->in.ft_clk = 1;
		rtl_top_usb_link_ft245.eval(b->top, &b->in, &b->out);
	}
	moved = ft2232h_clock(b->chip, &held, &b->pins);
	b->in.ft_clk = 0;
	b->in.rxf_n = b->pins.rxf_n;
	b->in.txe_n = b->pins.txe_n;
	b->in.data_i = b->pins.data;
	rtl_top_usb_link_ft245.eval(b->top, &b->in, &b->out);
	return moved;
}

static bool board_clock(void *ctx, const struct hf_out *out, struct hf_in *in)
{
	struct usb_board *b = ctx;
	bool busy = false;

	b->now_fs += b->sim->period_ps * 1000;
	while (b->next_fs <= b->now_fs) {
		busy |= chip_clock(b);
		b->next_fs += FT_PERIOD_FS;
	}
	b->in.rst = in->rst;
	b->in.tick_1ms = in->tick_1ms;
	b->in.s_axis_c2h_tdata = out->m_axis_c2h_tdata[0];
	b->in.s_axis_c2h_tvalid = out->m_axis_c2h_tvalid && !in->rst;
	b->in.s_axis_c2h_tlast = out->m_axis_c2h_tlast;
	b->in.m_axis_h2c_tready = out->s_axis_h2c_tready && !in->rst;
	b->in.clk = 0;
	rtl_top_usb_link_ft245.eval(b->top, &b->in, &b->out);
	in->m_axis_c2h_tready = b->out.s_axis_c2h_tready;
	in->s_axis_h2c_tdata[0] = b->out.m_axis_h2c_tdata;
	in->s_axis_h2c_tvalid = b->out.m_axis_h2c_tvalid;
	in->s_axis_h2c_tlast = b->out.m_axis_h2c_tlast;
	if (!in->rst) {
		b->counts.damaged += b->out.cnt_damaged;
		b->counts.refused += b->out.cnt_refused;
		b->counts.resent += b->out.cnt_resent;
		b->counts.discarded += b->out.cnt_discarded;
		b->counts.open = b->out.open;
	}
	b->in.clk = 1;
	rtl_top_usb_link_ft245.eval(b->top, &b->in, &b->out);
	return busy || in->s_axis_h2c_tvalid;
}

int usb_board_open(struct usb_board **board, struct sim *s, uint64_t seed)
{
	struct usb_board *b;

	if (s->beat != 8)
		return -ENOTSUP;
	b = calloc(1, sizeof *b);
	if (!b)
		return -ENOMEM;
	b->sim = s;
	b->chip = ft2232h_open(seed);
	b->top = rtl_top_usb_link_ft245.create(seed);
	if (!b->chip || !b->top) {
		usb_board_close(b);
		return -ENOMEM;
	}
	b->pins = (struct ft2232h_out){ .rxf_n = true, .txe_n = true };
	b->in.rxf_n = b->in.txe_n = 1;
	b->next_fs = FT_PERIOD_FS;
	s->outlet[0] = (struct sim_outlet){ board_clock, b };
	sim_reset(s, 8);
	*board = b;
	return 0;
}

void usb_board_close(struct usb_board *b)
{
	if (!b)
		return;
	if (b->sim->outlet[0].ctx == b)
		b->sim->outlet[0] = (struct sim_outlet){ 0 };
	ft2232h_close(b->chip);
	if (b->top)
		rtl_top_usb_link_ft245.free(b->top);
	free(b);
}

struct ft2232h *usb_board_chip(struct usb_board *b)
{
	return b->chip;
}

void usb_board_counts(const struct usb_board *b, struct usb_board_counts *counts)
{
	*counts = b->counts;
}
