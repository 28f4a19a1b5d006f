/* SPDX-License-Identifier: Apache-2.0
 * test_usb_uart.c - the UART (rtl/usb/usb_uart.sv at 62.5 MHz and 12 Mbaud) against a line driver and a sampler in picoseconds:
 * every byte, at speeds that differ by what a real cable's may, and what no byte is; then the whole link over it. */
#include <inttypes.h>
#include "../sim/rng.h"
#include "../sim/rtl_top.h"
#include "support_bench.h"
#include "support_link.h"

#define RTL_TOP_PINS "../sim/pins_usb_uart.def"
#define RTL_TOP_NAME usb_uart
#include "../sim/rtl_top_pins.h"
#define RTL_TOP_PINS "../sim/pins_usb_link_uart.def"
#define RTL_TOP_NAME usb_link_uart
#include "../sim/rtl_top_pins.h"

extern const struct rtl_top rtl_top_usb_uart, rtl_top_usb_link_uart;

#define PERIOD 16000u /* ps, 62.5 MHz */
#define BIT    83333u /* ps, 12 Mbaud */

/* The other end of the line: bit cells of `bit` ps. */
struct line {
	uint64_t bit;
	bool txd; /* what it drives */
	uint64_t out_start;
	bool out_busy;
	uint8_t out_byte;
	uint64_t gap; /* ps of idle line after each byte */
	/* sampler */
	bool in_busy, in_last;
	uint64_t in_start;
	unsigned in_bits;
	uint8_t in_byte;
	uint64_t bad_stops;
};

/* What stands on the line at time `now`; asks `next` for bytes. */
static bool line_drive(struct line *l, uint64_t now, bool (*next)(void *ctx, uint8_t *byte), void *ctx)
{
	uint64_t cell;

	if (l->out_busy && now >= l->out_start + 10 * l->bit + l->gap)
		l->out_busy = false;
	if (!l->out_busy) {
		if (!next(ctx, &l->out_byte))
			return true;
		l->out_busy = true;
		l->out_start = now;
	}
	cell = (now - l->out_start) / l->bit;
	return cell == 0 ? false : cell <= 8 ? l->out_byte >> (cell - 1) & 1 : true;
}

/* Returns true when a byte is whole. Samples in the middle of its own bit cells. */
static bool line_sample(struct line *l, uint64_t now, bool rxd)
{
	if (!l->in_busy) {
		if (l->in_last && !rxd) {
			l->in_busy = true;
			l->in_start = now;
			l->in_bits = 0;
		}
		l->in_last = rxd;
		return false;
	}
	l->in_last = rxd;
	if (now + PERIOD <= l->in_start + l->bit * l->in_bits + l->bit / 2) /* it stays so until the next clock */
		return false;
	if (l->in_bits && l->in_bits <= 8)
		l->in_byte = (uint8_t)(l->in_byte >> 1 | rxd << 7);
	if (l->in_bits++ < 9)
		return false;
	l->in_busy = false;
	l->bad_stops += !rxd;
	return true;
}

struct rig {
	void *top;
	struct usb_uart_in in;
	struct usb_uart_out out;
	struct line line;
	uint64_t now, down_sent, down_total, down_got, up_sent, up_total, up_got, wrong;
};

static struct rig rig_storage;

static uint8_t pattern(uint64_t n)
{
	return (uint8_t)(n * 89 + (n >> 8));
}

static bool next_byte(void *ctx, uint8_t *byte)
{
	struct rig *r = ctx;

	if (r->down_sent == r->down_total)
		return false;
	*byte = pattern(r->down_sent++);
	return true;
}

static void step(struct rig *r)
{
	bool up;

	r->in.clk = 0;
	rtl_top_usb_uart.eval(r->top, &r->in, &r->out);
	up = r->in.s_axis_up_tvalid && r->out.s_axis_up_tready;
	if (r->out.m_axis_down_tvalid && r->in.m_axis_down_tready) {
		r->wrong += r->out.m_axis_down_tdata != pattern(r->down_got);
		r->down_got++;
	}
	r->in.clk = 1;
	rtl_top_usb_uart.eval(r->top, &r->in, &r->out);
	r->now += PERIOD;
	if (up)
		r->up_sent++;
	r->in.s_axis_up_tvalid = r->up_sent < r->up_total;
	r->in.s_axis_up_tdata = pattern(r->up_sent);
	r->in.rxd = line_drive(&r->line, r->now, next_byte, r);
	if (line_sample(&r->line, r->now, r->out.txd)) {
		r->wrong += r->line.in_byte != pattern(r->up_got);
		r->up_got++;
	}
}

static struct rig *begin(uint64_t bit)
{
	struct rig *r = &rig_storage;

	memset(r, 0, sizeof *r);
	r->top = rtl_top_usb_uart.create(bit);
	if (!r->top)
		abort();
	r->line.bit = bit;
	r->line.in_last = true;
	r->in.rxd = 1;
	r->in.m_axis_down_tready = 1;
	r->in.rst = 1;
	for (unsigned i = 0; i < 8; i++)
		step(r);
	r->in.rst = 0;
	r->wrong = r->up_got = r->down_got = 0;
	return r;
}

static void end(struct rig *r)
{
	CHECK_EQ(r->wrong, 0, "bytes that are not those given");
	CHECK_EQ(r->line.bad_stops, 0, "stop bits of 0");
	rtl_top_usb_uart.free(r->top);
}

static void every_byte_at_speeds_two_percent_apart(void)
{
	static const uint64_t bits[] = { BIT, BIT * 98 / 100, BIT * 102 / 100 };

	for (size_t i = 0; i < COUNT(bits); i++)
		for (unsigned gap = 0; gap < 4; gap++) {
			struct rig *r = begin(bits[i]);

			/* One that is slower than we are needs the rest of our stop bit. */
			r->line.gap = gap * 7919;
			r->down_total = r->up_total = 600;
			for (unsigned k = 0; k < 600 * 60 && (r->down_got < 600 || r->up_got < 600); k++)
				step(r);
			CHECK_EQ(r->down_got, 600, "bytes down");
			CHECK_EQ(r->up_got, 600, "bytes up");
			end(r);
		}
}

static void bits_last_what_they_should_on_average(void)
{
	struct rig *r = begin(BIT);
	uint64_t start;

	r->up_total = 2000;
	start = r->now;
	while (r->up_got < 2000 && r->now - start < (uint64_t)3000 * 10 * BIT)
		step(r);
	CHECK(r->now - start < 2000 * 10 * (uint64_t)BIT + 20 * PERIOD, "2000 bytes took %" PRIu64 " ns",
		(r->now - start) / 1000);
	CHECK(r->now - start > 1999 * 10 * (uint64_t)BIT, "2000 bytes took %" PRIu64 " ns", (r->now - start) / 1000);
	end(r);
}

static void low_for_less_than_half_a_bit_is_no_start(void)
{
	struct rig *r = begin(BIT);

	for (unsigned i = 0; i < 50; i++) {
		for (unsigned k = 0; k < 60; k++) {
			step(r);
			r->in.rxd = k >= 2;
		}
	}
	CHECK_EQ(r->down_got, 0, "bytes");
	r->down_total = 100;
	for (unsigned k = 0; k < 100 * 60; k++)
		step(r);
	CHECK_EQ(r->down_got, 100, "bytes after that");
	end(r);
}

/* A line that is held at 0 is no bytes of 0; a byte begins only with the next edge. */
static void byte_without_stop_bit_is_dropped(void)
{
	struct rig *r = begin(BIT);

	for (unsigned k = 0; k < 1000; k++) {
		step(r);
		r->in.rxd = 0;
	}
	CHECK_EQ(r->down_got, 0, "bytes of a line at 0");
	for (unsigned k = 0; k < 200; k++)
		step(r);
	r->down_total = 50;
	for (unsigned k = 0; k < 50 * 60; k++)
		step(r);
	CHECK_EQ(r->down_got, 50, "bytes after that");
	end(r);
}

static void byte_that_is_not_taken_gives_way(void)
{
	struct rig *r = begin(BIT);

	r->in.m_axis_down_tready = 0;
	r->down_total = 5;
	for (unsigned k = 0; k < 5 * 60; k++)
		step(r);
	CHECK_EQ(r->out.m_axis_down_tvalid, 1, "one is offered");
	CHECK_EQ(r->out.m_axis_down_tdata, pattern(4), "the newest");
	r->in.m_axis_down_tready = 1;
	r->down_got = 4;
	for (unsigned k = 0; k < 60; k++)
		step(r);
	CHECK_EQ(r->down_got, 5, "bytes");
	end(r);
}

/* ---- the link over it ---- */

struct whole {
	void *top;
	struct usb_link_uart_in in;
	struct usb_link_uart_out out;
	struct line line;
	struct link_host host;
	struct rng rng;
	unsigned sent, up_next, wrong, total;
	uint8_t h2c[LINK_MESSAGE_MAX];
	size_t h2c_len;
	unsigned down_next, said;
	struct card_message c2h;
	size_t c2h_at;
	unsigned flip; /* bytes of 2^16 */
};

static struct whole whole;

static bool whole_next(void *ctx, uint8_t *byte)
{
	struct whole *w = ctx;
	static uint8_t msg[LINK_MESSAGE_MAX];

	if (!w->host.out_count && w->sent < w->total && link_host_room(&w->host)) {
		link_host_send(&w->host, msg, link_message(msg, false, w->sent, 300));
		w->sent++;
	}
	if (!link_host_out(&w->host, byte))
		return false;
	if (rng_below(&w->rng, 65536) < w->flip)
		*byte ^= 4;
	return true;
}

static void whole_message(void *ctx, const uint8_t *msg, size_t len)
{
	struct whole *w = ctx;
	static uint8_t want[LINK_MESSAGE_MAX];

	w->wrong += len != link_message(want, true, w->up_next, 300) || memcmp(msg, want, len);
	w->up_next++;
}

static void whole_step(struct whole *w, uint64_t now)
{
	static uint8_t want[LINK_MESSAGE_MAX];
	bool c2h;

	w->in.clk = 0;
	rtl_top_usb_link_uart.eval(w->top, &w->in, &w->out);
	c2h = w->in.s_axis_c2h_tvalid && w->out.s_axis_c2h_tready && !w->in.rst;
	if (w->out.m_axis_h2c_tvalid && !w->in.rst) {
		for (unsigned i = 0; i < 8; i++)
			w->h2c[w->h2c_len++ % sizeof w->h2c] = (uint8_t)(w->out.m_axis_h2c_tdata >> 8 * i);
		if (w->out.m_axis_h2c_tlast) {
			const size_t len = link_message(want, false, w->down_next++, 300);

			w->wrong += (len + 7) / 8 * 8 != w->h2c_len || memcmp(w->h2c, want, len);
			w->h2c_len = 0;
		}
	}
	w->in.clk = 1;
	rtl_top_usb_link_uart.eval(w->top, &w->in, &w->out);
	if (c2h) {
		w->c2h_at += 8;
		w->in.s_axis_c2h_tvalid = 0;
	}
	if (!w->in.s_axis_c2h_tvalid && w->c2h_at >= w->c2h.len && w->said < w->total && (!w->said || w->host.open)) {
		w->c2h.len = link_message(w->c2h.data, true, w->said++, 300);
		w->c2h_at = 0;
	}
	if (w->c2h_at < w->c2h.len && !w->in.s_axis_c2h_tvalid) {
		w->in.s_axis_c2h_tdata = 0;
		for (size_t i = 0; i < 8 && w->c2h_at + i < w->c2h.len; i++)
			w->in.s_axis_c2h_tdata |= (uint64_t)w->c2h.data[w->c2h_at + i] << 8 * i;
		w->in.s_axis_c2h_tvalid = 1;
		w->in.s_axis_c2h_tlast = w->c2h.len - w->c2h_at <= 8;
	}
	w->in.rxd = line_drive(&w->line, now, whole_next, w);
	if (line_sample(&w->line, now, w->out.txd) && !w->in.rst) {
		if (rng_below(&w->rng, 65536) < w->flip)
			w->line.in_byte ^= 32;
		link_host_byte(&w->host, w->line.in_byte);
	}
}

static void link_over_a_bad_line(void)
{
	struct whole *w = &whole;
	uint64_t now = 0;

	memset(w, 0, sizeof *w);
	w->top = rtl_top_usb_link_uart.create(3);
	if (!w->top)
		abort();
	w->line.bit = BIT;
	w->line.in_last = true;
	w->total = 600;
	w->flip = 6;
	w->in.m_axis_h2c_tready = 1;
	w->in.rst = 1;
	link_host_init(&w->host, 100);
	w->host.ctx = w;
	w->host.message = whole_message;
	for (unsigned i = 0; i < 8; i++)
		whole_step(w, now += PERIOD);
	w->in.rst = 0;
	link_host_open(&w->host);
	for (uint64_t i = 0; i < 12000000 && (w->up_next < w->total || w->down_next < w->total) && !w->wrong; i++) {
		w->in.tick_1ms = i % 6250 == 0; /* time runs ten times as fast */
		if (w->in.tick_1ms)
			link_host_ms(&w->host);
		whole_step(w, now += PERIOD);
	}
	CHECK_EQ(w->wrong, 0, "messages changed, lost or repeated");
	CHECK_EQ(w->up_next, w->total, "messages up");
	CHECK_EQ(w->down_next, w->total, "messages down");
	CHECK(w->host.resent || w->host.naks, "nothing was damaged");
	rtl_top_usb_link_uart.free(w->top);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(every_byte_at_speeds_two_percent_apart), CASE_ONCE(bits_last_what_they_should_on_average),
		CASE_ONCE(low_for_less_than_half_a_bit_is_no_start), CASE_ONCE(byte_without_stop_bit_is_dropped),
		CASE_ONCE(byte_that_is_not_taken_gives_way), CASE_ONCE(link_over_a_bad_line), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "usb_uart", cases);
}
