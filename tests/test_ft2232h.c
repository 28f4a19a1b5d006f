/* SPDX-License-Identifier: Apache-2.0
 * test_ft2232h.c - the simulated FT2232H (sim/usb/ft2232h.h) against the data sheet: packets, status bytes, latency timer, SIWU#,
 * bit modes, requests, full buffers; and that it notices every broken rule of its pins. */
#include <errno.h>
#include "../sim/usb/ft2232h.h"
#include "support_bench.h"

static const struct ft2232h_in idle = { .oe_n = true, .rd_n = true, .wr_n = true, .siwu_n = true };

struct rig {
	struct ft2232h *f;
	struct ft2232h_in in;
	struct ft2232h_out out;
};

static void clocks(struct rig *r, uint64_t n)
{
	while (n--)
		ft2232h_clock(r->f, &r->in, &r->out);
}

static int control(struct rig *r, unsigned request, unsigned value, unsigned index)
{
	return ft2232h_control(r->f, 0x40, (uint8_t)request, (uint16_t)value, (uint16_t)index, NULL, 0);
}

static void begin(struct rig *r, bool on)
{
	*r = (struct rig){ .f = ft2232h_open(3), .in = idle };
	if (!r->f)
		abort();
	if (on)
		CHECK_EQ(control(r, FT2232H_SET_BITMODE, FT2232H_BITMODE_SYNCFF << 8, 1), 0, "bit mode");
	clocks(r, 4);
	CHECK_EQ(r->out.clkout, on, "CLKOUT");
}

static void end(struct rig *r, uint64_t faults)
{
	CHECK_EQ(ft2232h_faults(r->f, NULL), faults, "broken rules of the pins");
	ft2232h_close(r->f);
}

static void write_bytes(struct rig *r, unsigned first, unsigned n)
{
	r->in.data_oe = true;
	r->in.wr_n = false;
	while (n) {
		r->in.data = (uint8_t)first;
		if (!r->out.txe_n) {
			first++;
			n--;
		}
		clocks(r, 1);
	}
	r->in = idle;
	clocks(r, 1);
}

static void in_packets_have_status_bytes_and_510_at_most(void)
{
	struct rig r;
	uint8_t p[FT2232H_PACKET];

	begin(&r, true);
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 0, "nothing there: NAK");
	write_bytes(&r, 7, 509);
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 0, "509 bytes: NAK");
	write_bytes(&r, 7 + 509, 600);
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 512, "a full packet");
	CHECK(p[0] == 0x32 && p[1] == 0x60, "status bytes %02x %02x", p[0], p[1]);
	for (unsigned i = 2; i < 512; i++)
		CHECK_EQ(p[i], (7 + i - 2) & 255, "byte");
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 512, "another");
	CHECK_EQ(p[2], (7 + 510) & 255, "its first byte");
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 0, "the rest waits");
	end(&r, 0);
}

static void latency_timer_and_siwu_send_short_packets(void)
{
	struct rig r;
	uint8_t p[FT2232H_PACKET];

	begin(&r, true);
	CHECK_EQ(control(&r, FT2232H_SET_LATENCY, 2, 1), 0, "latency");
	clocks(&r, 130000);
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 2, "an empty packet after 2 ms");
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 0, "and not another");
	write_bytes(&r, 1, 10);
	clocks(&r, 119000);
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 0, "not before the time");
	clocks(&r, 1000);
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 12, "10 bytes after 2 ms");
	write_bytes(&r, 1, 5);
	r.in.siwu_n = false;
	clocks(&r, 1);
	r.in.siwu_n = true;
	clocks(&r, 1);
	write_bytes(&r, 6, 1);
	CHECK_EQ(ft2232h_bulk_in(r.f, p), 8, "at once");
	end(&r, 0);
}

static void out_is_read_in_order_and_naks_when_full(void)
{
	struct rig r;
	uint8_t p[FT2232H_PACKET];
	unsigned taken = 0, got = 0;

	begin(&r, true);
	CHECK_EQ(r.out.rxf_n, 1, "RXF# of an empty buffer");
	for (unsigned i = 0; i < sizeof p; i++)
		p[i] = (uint8_t)(i * 3);
	while (taken < 20 && ft2232h_bulk_out(r.f, p, sizeof p))
		taken++;
	CHECK_EQ(taken, FT2232H_BUFFER / FT2232H_PACKET, "packets that fit");
	CHECK_EQ(ft2232h_out_room(r.f), 0, "room");
	clocks(&r, 1);
	CHECK_EQ(r.out.rxf_n, 0, "RXF#");
	r.in.oe_n = false;
	clocks(&r, 1);
	r.in.rd_n = false;
	while (!r.out.rxf_n && got < 2 * FT2232H_BUFFER) {
		CHECK_EQ(r.out.data, (got % 512 * 3) & 255, "byte");
		got++;
		clocks(&r, 1);
	}
	CHECK_EQ(got, FT2232H_BUFFER, "bytes");
	CHECK(ft2232h_bulk_out(r.f, p, 512), "room again");
	CHECK(!ft2232h_bulk_out(r.f, p, 513), "no such packet");
	end(&r, 0);
}

static void txe_holds_at_a_full_buffer(void)
{
	struct rig r;

	begin(&r, true);
	r.in.data_oe = true;
	r.in.wr_n = false;
	clocks(&r, 3 * FT2232H_BUFFER);
	CHECK_EQ(r.out.txe_n, 1, "TXE#");
	CHECK(ft2232h_in_bytes(r.f) <= FT2232H_BUFFER && ft2232h_in_bytes(r.f) > FT2232H_BUFFER - 4, "%zu bytes",
		ft2232h_in_bytes(r.f));
	end(&r, 0);
}

static void requests_and_modes(void)
{
	struct rig r;
	uint8_t p[FT2232H_PACKET] = { 0 };

	begin(&r, false);
	CHECK_EQ(ft2232h_control(r.f, 0xc0, FT2232H_GET_LATENCY, 0, 1, p, 1), 1, "one byte");
	CHECK_EQ(p[0], 16, "latency after power-up");
	CHECK_EQ(control(&r, FT2232H_SET_LATENCY, 0, 1), -EPIPE, "a latency of 0");
	CHECK_EQ(control(&r, FT2232H_SET_LATENCY, 9, 2), 0, "latency of B");
	CHECK_EQ(ft2232h_control(r.f, 0xc0, FT2232H_GET_LATENCY, 0, 1, p, 1), 1, "one byte");
	CHECK_EQ(p[0], 16, "that of A stays");
	CHECK_EQ(ft2232h_control(r.f, 0xc0, FT2232H_POLL_STATUS, 0, 1, p, 2), 2, "status");
	CHECK(p[0] == 0x32 && p[1] == 0x60, "status bytes");
	CHECK_EQ(control(&r, 0x55, 0, 1), -EPIPE, "unknown request");
	CHECK_EQ(ft2232h_control(r.f, 0xc0, FT2232H_RESET, 0, 1, p, 1), -EPIPE, "wrong direction");
	CHECK_EQ(control(&r, FT2232H_SET_BITMODE, 0x4000, 3), -EPIPE, "no such channel");
	CHECK_EQ(control(&r, FT2232H_SET_BITMODE, 0x4000, 2), -EPIPE, "B is no synchronous FIFO");
	CHECK(ft2232h_bulk_out(r.f, p, 100), "taken");
	CHECK_EQ(control(&r, FT2232H_RESET, 2, 1), 0, "empties IN only");
	CHECK_EQ(ft2232h_out_room(r.f), FT2232H_BUFFER - 100, "room");
	CHECK_EQ(control(&r, FT2232H_RESET, 1, 1), 0, "empties OUT");
	CHECK_EQ(ft2232h_out_room(r.f), FT2232H_BUFFER, "room");
	r.in.rd_n = r.in.oe_n = false;
	r.in.data_oe = true;
	clocks(&r, 10); /* without CLKOUT the pins are not looked at */
	r.in = idle;
	CHECK_EQ(control(&r, FT2232H_SET_BITMODE, FT2232H_BITMODE_SYNCFF << 8, 1), 0, "bit mode");
	clocks(&r, 1);
	CHECK_EQ(r.out.clkout, 1, "CLKOUT");
	ft2232h_bus_reset(r.f);
	clocks(&r, 1);
	CHECK_EQ(r.out.clkout, 0, "CLKOUT after a bus reset");
	end(&r, 0);
}

static void broken_rules_of_the_pins_are_noticed(void)
{
	static const struct ft2232h_in broken[] = {
		{ false, true, true, true, true, 0 },	/* both drive */
		{ true, false, true, true, false, 0 },	/* RD# without OE# */
		{ false, false, true, true, false, 0 }, /* RD# with OE# */
		{ false, true, false, true, false, 0 }, /* WR# with OE#, not driving */
		{ true, true, false, true, false, 0 },	/* WR# without driving */
	};
	static const unsigned faults[] = { 1, 1, 1, 2, 1 };

	for (size_t i = 0; i < COUNT(broken); i++) {
		struct rig r;
		const char *first;

		begin(&r, true);
		r.in = broken[i];
		clocks(&r, 1);
		r.in = idle;
		clocks(&r, 2);
		ft2232h_faults(r.f, &first);
		CHECK(first[0], "no words for it");
		end(&r, faults[i]);
	}
	for (unsigned chip_first = 0; chip_first < 2; chip_first++) { /* one drives right behind the other */
		struct rig r;

		begin(&r, true);
		for (unsigned i = 0; i < 2; i++) {
			r.in = idle;
			r.in.oe_n = i == chip_first;
			r.in.data_oe = i == chip_first;
			clocks(&r, 1);
		}
		r.in = idle;
		clocks(&r, 2);
		end(&r, 1);
	}
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(in_packets_have_status_bytes_and_510_at_most), CASE_ONCE(latency_timer_and_siwu_send_short_packets),
		CASE_ONCE(out_is_read_in_order_and_naks_when_full), CASE_ONCE(txe_holds_at_a_full_buffer),
		CASE_ONCE(requests_and_modes), CASE_ONCE(broken_rules_of_the_pins_are_noticed), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "ft2232h", cases);
}
