/* SPDX-License-Identifier: Apache-2.0
 * test_usb_ft245.c - the FIFO master (rtl/usb/usb_ft245.sv) at the pins of a simulated FT2232H: every byte once and in order, both
 * ways, at any ratio of the clocks and whatever the chip does, and no rule of the pins broken. */
#include <inttypes.h>
#include "../sim/rng.h"
#include "../sim/rtl_top.h"
#include "../sim/usb/ft2232h.h"
#include "support_bench.h"

#define RTL_TOP_PINS "../sim/pins_usb_ft245.def"
#define RTL_TOP_NAME usb_ft245
#include "../sim/rtl_top_pins.h"

extern const struct rtl_top rtl_top_usb_ft245;

#define FT_PERIOD 16667u /* ps */

struct rig {
	void *top;
	struct usb_ft245_in in;
	struct usb_ft245_out out;
	struct ft2232h *chip;
	struct ft2232h_out pins;
	struct rng rng;
	uint64_t period, next, ft_next, ft_clocks;
	uint8_t up_rest, down_rest; /* chance in 256 per clock */
	unsigned up_end;	    /* every so many bytes tlast; 0: never */
	uint64_t up_given, up_total, up_got, down_given, down_total, down_got, wrong;
	unsigned usb_rest; /* chance in 256 per 60 MHz clock that USB does nothing */
	bool no_in;
	uint64_t siwu, ends_given;     /* SIWU# pulses, bytes with tlast */
	uint64_t reads, writes, turns; /* clocks in which a byte moved; changes of direction */
	bool last_was_read, hold_usb;
};

static uint8_t pattern(uint64_t n, bool up)
{
	return (uint8_t)(n * 167 + (n >> 8) * 59 + up);
}

static void eval(struct rig *r)
{
	rtl_top_usb_ft245.eval(r->top, &r->in, &r->out);
}

/* An edge of clk: take and give bytes of the streams. */
static void core_edge(struct rig *r)
{
	bool up, down;

	eval(r);
	up = r->in.s_axis_up_tvalid && r->out.s_axis_up_tready && !r->in.rst;
	down = r->in.m_axis_down_tready && r->out.m_axis_down_tvalid && !r->in.rst;
	if (down) {
		r->wrong += r->out.m_axis_down_tdata != pattern(r->down_got, false);
		r->down_got++;
	}
	r->in.clk = 1;
	eval(r);
	if (up) {
		r->ends_given += r->in.s_axis_up_tlast;
		r->up_given++;
	}
	if (up || !r->in.s_axis_up_tvalid) {
		r->in.s_axis_up_tvalid = r->up_given < r->up_total && (rng_next(&r->rng) & 255) >= r->up_rest;
		r->in.s_axis_up_tdata = r->in.s_axis_up_tvalid ? pattern(r->up_given, true) : rng_next(&r->rng) & 255;
		r->in.s_axis_up_tlast = r->up_end && (r->up_given + 1) % r->up_end == 0;
	}
	r->in.m_axis_down_tready = (rng_next(&r->rng) & 255) >= r->down_rest;
	r->in.clk = 0;
	eval(r);
}

/* What USB does meanwhile. */
static void usb(struct rig *r)
{
	uint8_t packet[FT2232H_PACKET];
	size_t n;

	if (r->hold_usb || (rng_next(&r->rng) & 255) < r->usb_rest)
		return;
	if (r->down_given < r->down_total) {
		n = r->usb_rest ? rng_range(&r->rng, 1, sizeof packet) : sizeof packet;
		if (n > r->down_total - r->down_given)
			n = r->down_total - r->down_given;
		for (size_t i = 0; i < n; i++)
			packet[i] = pattern(r->down_given + i, false);
		if (ft2232h_bulk_out(r->chip, packet, n))
			r->down_given += n;
	}
	n = r->no_in ? 0 : ft2232h_bulk_in(r->chip, packet);
	for (size_t i = 2; i < n; i++)
		r->wrong += packet[i] != pattern(r->up_got + i - 2, true);
	if (n)
		r->up_got += n - 2;
}

static void ft_edge(struct rig *r)
{
	const struct ft2232h_in held = { .oe_n = r->out.oe_n,
		.rd_n = r->out.rd_n,
		.wr_n = r->out.wr_n,
		.siwu_n = r->out.siwu_n,
		.data_oe = r->out.data_oe,
		.data = (uint8_t)r->out.data_o };

	if (r->pins.clkout) {
		const bool read = !held.rd_n && !r->pins.rxf_n, write = !held.wr_n && !r->pins.txe_n;

		r->reads += read;
		r->writes += write;
		r->turns += (read && !r->last_was_read) || (write && r->last_was_read);
		r->last_was_read = read || (r->last_was_read && !write);
		r->siwu += !held.siwu_n;
		r->in.ft_clk = 1;
		eval(r);
	}
	ft2232h_clock(r->chip, &held, &r->pins);
	r->ft_clocks++;
	r->in.ft_clk = 0;
	r->in.rxf_n = r->pins.rxf_n;
	r->in.txe_n = r->pins.txe_n;
	r->in.data_i = r->pins.data;
	eval(r);
	usb(r);
}

static void step(struct rig *r)
{
	if (r->next <= r->ft_next) {
		core_edge(r);
		r->next += r->period;
	} else {
		ft_edge(r);
		r->ft_next += FT_PERIOD;
	}
}

static void bitmode(struct rig *r, unsigned mode)
{
	CHECK_EQ(ft2232h_control(r->chip, 0x40, FT2232H_SET_BITMODE, (uint16_t)(mode << 8), 1, NULL, 0), 0,
		"set bit mode");
}

static void run_clocks(struct rig *r, uint64_t ft_clocks)
{
	const uint64_t until = r->ft_clocks + ft_clocks;

	while (r->ft_clocks < until)
		step(r);
}

static struct rig rig_storage;

static struct rig *begin(uint64_t period, uint64_t seed)
{
	struct rig *r = &rig_storage;

	memset(r, 0, sizeof *r);
	r->top = rtl_top_usb_ft245.create(seed);
	r->chip = ft2232h_open(seed);
	if (!r->top || !r->chip)
		abort();
	r->rng.state = seed;
	r->period = period;
	r->next = period;
	r->ft_next = FT_PERIOD;
	r->pins = (struct ft2232h_out){ .rxf_n = true, .txe_n = true };
	r->in.rxf_n = r->in.txe_n = 1;
	r->in.rst = 1;
	eval(r);
	run_clocks(r, 20);
	r->in.rst = 0;
	return r;
}

static void end(struct rig *r)
{
	const char *fault;
	const uint64_t faults = ft2232h_faults(r->chip, &fault);

	CHECK_EQ(r->wrong, 0, "bytes that are not those given");
	CHECK(!faults, "%" PRIu64 " times: %s", faults, fault);
	ft2232h_close(r->chip);
	rtl_top_usb_ft245.free(r->top);
}

/* Until all bytes are there, or none has come for a long time. */
static void run_all(struct rig *r)
{
	uint64_t still = 0;

	while ((r->up_got < r->up_total || r->down_got < r->down_total) && still < 4000000) {
		const uint64_t before = r->up_got + r->down_got;

		step(r);
		still = before == r->up_got + r->down_got ? still + 1 : 0;
	}
	CHECK_EQ(r->up_got, r->up_total, "bytes up");
	CHECK_EQ(r->down_got, r->down_total, "bytes down");
}

static void both_ways_at_any_ratio_of_the_clocks(void)
{
	static const uint64_t periods[] = { 3103, 6400, 10000, 16000, 16667, 20000, 40000 };

	for (size_t i = 0; i < COUNT(periods); i++) {
		struct rig *r = begin(periods[i] + 3, i + 1);

		bitmode(r, FT2232H_BITMODE_SYNCFF);
		r->up_total = r->down_total = 30000;
		r->up_end = 200;
		run_all(r);
		end(r);
	}
}

static void one_way_alone(void)
{
	for (unsigned up = 0; up < 2; up++) {
		struct rig *r = begin(6400, 11 + up);

		bitmode(r, FT2232H_BITMODE_SYNCFF);
		*(up ? &r->up_total : &r->down_total) = 60000;
		run_all(r);
		CHECK(r->turns <= 1, "%" PRIu64 " changes of direction", r->turns);
		end(r);
	}
}

static void stalls_of_chip_usb_and_streams(void)
{
	static const uint8_t stalls[][5] = { /* RXF#, TXE#, USB, up, down */
		{ 60, 60, 0, 0, 0 }, { 0, 0, 240, 0, 0 }, { 0, 0, 0, 128, 128 }, { 20, 20, 200, 64, 200 },
		{ 200, 3, 100, 3, 250 }, { 3, 200, 255, 200, 3 }
	};

	for (size_t i = 0; i < COUNT(stalls); i++) {
		struct rig *r = begin(i & 1 ? 6400 : 16000, 21 + i);

		ft2232h_set_noise(
			r->chip, &(struct ft2232h_noise){ .rxf_stall = stalls[i][0], .txe_stall = stalls[i][1] });
		r->usb_rest = stalls[i][2];
		r->up_rest = stalls[i][3];
		r->down_rest = stalls[i][4];
		bitmode(r, FT2232H_BITMODE_SYNCFF);
		r->up_total = r->down_total = 20000;
		r->up_end = 33;
		run_all(r);
		end(r);
	}
}

/* Both buffers of the chip full, nobody reads: nothing moves, nothing is lost. */
static void full_chip_makes_the_card_wait(void)
{
	struct rig *r = begin(6400, 31);

	bitmode(r, FT2232H_BITMODE_SYNCFF);
	r->up_total = r->down_total = 20000;
	r->no_in = true;
	r->down_rest = 255;
	run_clocks(r, 20000);
	CHECK(ft2232h_in_bytes(r->chip) > FT2232H_BUFFER - 4, "IN buffer full");
	r->no_in = false;
	r->down_rest = 0;
	run_all(r);
	end(r);
}

static void siwu_sends_the_end_of_a_burst_at_once(void)
{
	struct rig *r = begin(6400, 41);
	uint64_t since;

	bitmode(r, FT2232H_BITMODE_SYNCFF);
	run_clocks(r, 200);
	CHECK_EQ(r->siwu, 0, "pulses before any byte");
	for (unsigned i = 1; i <= 20; i++) {
		r->up_end = 100;
		r->up_total += 100;
		since = r->ft_clocks;
		while (r->up_got < r->up_total && r->ft_clocks - since < 1000)
			step(r);
		CHECK(r->ft_clocks - since < 140, "100 bytes took %" PRIu64 " clocks", r->ft_clocks - since);
		CHECK_EQ(r->siwu, i, "one pulse of one clock each");
		run_clocks(r, 300);
		CHECK_EQ(r->siwu, i, "none later");
	}
	/* An end that more follows at once is none. */
	r->up_end = 10;
	r->siwu = 0;
	r->up_total += 3000;
	run_all(r);
	CHECK(r->siwu >= 1 && r->siwu <= 5, "%" PRIu64 " pulses for 300 ends in a row", r->siwu);
	/* Without tlast: after 64 clocks of nothing. */
	r->up_end = 0;
	r->up_total += 10;
	since = r->ft_clocks;
	while (r->up_got < r->up_total && r->ft_clocks - since < 1000)
		step(r);
	CHECK(r->ft_clocks - since > 64 && r->ft_clocks - since < 120, "10 bytes took %" PRIu64, r->ft_clocks - since);
	end(r);
}

/* CLOCKOUT stands still until a host sets the bit mode, and again when it leaves it. */
static void clock_that_stops_loses_nothing(void)
{
	struct rig *r = begin(6400, 51);

	r->up_total = r->down_total = 6000;
	run_clocks(r, 3000);
	CHECK(r->out.oe_n && r->out.rd_n && r->out.wr_n && r->out.siwu_n && !r->out.data_oe,
		"pins idle before the first clock");
	CHECK_EQ(r->up_given + r->down_got, 0, "bytes before the first clock");
	for (unsigned i = 0; i < 20; i++) {
		bitmode(r, FT2232H_BITMODE_SYNCFF);
		run_clocks(r, 400);
		bitmode(r, FT2232H_BITMODE_RESET);
		run_clocks(r, 200);
	}
	bitmode(r, FT2232H_BITMODE_SYNCFF);
	run_all(r);
	end(r);
}

/* A reset at any moment, also while the 60 MHz clock stands still: what was on its way is gone, then bytes flow again, none
 * of those before. */
static void reset_at_any_moment(void)
{
	for (unsigned i = 0; i < 20; i++) {
		struct rig *r = begin(i & 1 ? 6400 : 20000, 61 + i);
		const bool stopped = i % 4 == 3;

		bitmode(r, FT2232H_BITMODE_SYNCFF);
		r->up_total = r->down_total = 5000;
		run_clocks(r, 300 + 37 * i);
		if (stopped)
			bitmode(r, FT2232H_BITMODE_RESET);
		r->in.rst = 1;
		r->hold_usb = true;
		for (uint64_t until = r->next + 8 * r->period; r->next < until;)
			step(r);
		r->in.rst = 0;
		run_clocks(r, 40);
		if (stopped)
			bitmode(r, FT2232H_BITMODE_SYNCFF);
		run_clocks(r, 100);
		/* The chip is emptied, the streams begin anew. */
		ft2232h_control(r->chip, 0x40, FT2232H_RESET, 0, 1, NULL, 0);
		run_clocks(r, 20);
		r->wrong = 0;
		r->in.rst = 1;
		for (uint64_t until = r->next + 8 * r->period; r->next < until;)
			step(r);
		r->up_given = r->up_got = r->down_got = r->down_given = 0;
		r->up_total = 0;
		r->in.s_axis_up_tvalid = 0;
		run_clocks(r, 60);
		ft2232h_control(r->chip, 0x40, FT2232H_RESET, 0, 1, NULL, 0);
		r->in.rst = 0;
		r->up_total = r->down_total = 3000;
		r->hold_usb = false;
		run_all(r);
		end(r);
	}
}

static void neither_direction_starves(void)
{
	struct rig *r = begin(6400, 71);
	uint64_t reads, writes;

	bitmode(r, FT2232H_BITMODE_SYNCFF);
	r->up_total = r->down_total = 1000000;
	run_clocks(r, 60000);
	reads = r->reads;
	writes = r->writes;
	CHECK(reads > 25000 && writes > 25000, "of 60000 clocks %" PRIu64 " read, %" PRIu64 " write", reads, writes);
	r->up_total = r->up_given + 1;
	r->down_total = r->down_given;
	r->in.s_axis_up_tvalid = 0;
	end(r);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(both_ways_at_any_ratio_of_the_clocks), CASE_ONCE(one_way_alone), CASE_ONCE(stalls_of_chip_usb_and_streams),
		CASE_ONCE(full_chip_makes_the_card_wait), CASE_ONCE(siwu_sends_the_end_of_a_burst_at_once),
		CASE_ONCE(clock_that_stops_loses_nothing), CASE_ONCE(reset_at_any_moment), CASE_ONCE(neither_direction_starves),
		{ 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "usb_ft245", cases);
}
