/* SPDX-License-Identifier: Apache-2.0
 * test_cross.c - cross_fifo between two clocks that know nothing of one another: everything comes out once, in order,
 * at any ratio of the clocks, and its promises about room hold. */
#include "../sim/rng.h"
#include "../sim/rtl_top.h"
#include "support_bench.h"

#define RTL_TOP_PINS "pins_cross_fifo.def"
#define RTL_TOP_NAME cross_fifo
#include "../sim/rtl_top_pins.h"

extern const struct rtl_top rtl_top_cross_fifo;

enum { DEPTH = 16, ELEMENTS = 20000 };

/* One run: periods in ps, and how often (of 256) each side rests. */
static void run(uint64_t s_period, uint64_t m_period, unsigned s_rest, unsigned m_rest, uint64_t seed)
{
	struct cross_fifo_in in = { 0 };
	struct cross_fifo_out out;
	void *top = rtl_top_cross_fifo.create(seed);
	uint64_t s_next = s_period, m_next = m_period * 2 / 3, now = 0;
	unsigned pushed = 0, popped = 0, resets = 0, idle = 0;
	bool full = false;
	struct rng rng = { 0 };

	CHECK(top != NULL, "no memory");
	rng.state = seed;
	in.s_rst = in.m_rst = 1;
	while (popped < ELEMENTS && idle < 1000) {
		bool s_edge, m_edge, push, pop;
		uint64_t data;

		now = s_next < m_next ? s_next : m_next;
		s_edge = s_next == now;
		m_edge = m_next == now;
		rtl_top_cross_fifo.eval(top, &in, &out);
		if (!in.s_rst && out.s_room)
			CHECK(pushed - popped + out.s_room <= DEPTH + 1, "%u inside, room for %u", pushed - popped,
				(unsigned)out.s_room);
		push = s_edge && in.s_valid && out.s_ready && !in.s_rst;
		pop = m_edge && in.m_ready && out.m_valid && !in.m_rst;
		data = out.m_data;
		full |= !in.s_rst && !out.s_ready;
		in.s_clk = s_edge;
		in.m_clk = m_edge;
		rtl_top_cross_fifo.eval(top, &in, &out);
		if (pop) {
			CHECK_EQ(data, popped * 37 & 0xff, "element");
			popped++;
			idle = 0;
		} else {
			idle++;
		}
		pushed += push;
		if (s_edge) {
			s_next += s_period;
			in.s_valid = pushed < ELEMENTS && (rng_next(&rng) & 255) >= s_rest;
			in.s_data = pushed * 37 & 0xff;
		}
		if (m_edge) {
			m_next += m_period;
			in.m_ready = (rng_next(&rng) & 255) >= m_rest;
		}
		in.s_clk = in.m_clk = 0;
		rtl_top_cross_fifo.eval(top, &in, &out);
		if (++resets > 40)
			in.s_rst = in.m_rst = 0;
	}
	CHECK_EQ(popped, ELEMENTS, "elements out");
	CHECK(full || s_rest > m_rest || s_period > m_period, "never full");
	rtl_top_cross_fifo.free(top);
}

static void in_order_at_any_ratio(void)
{
	static const uint64_t periods[] = { 4000, 6400, 8000, 16667, 2000 };

	for (size_t i = 0; i < COUNT(periods); i++)
		for (size_t k = 0; k < COUNT(periods); k++)
			run(periods[i], periods[k] + 7, 0, 0, i * 8 + k + 1);
}

static void in_order_with_rests(void)
{
	run(4000, 6401, 128, 0, 41);
	run(6400, 4001, 0, 200, 42);
	run(6400, 6400, 32, 64, 43);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(in_order_at_any_ratio), CASE_ONCE(in_order_with_rests), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "cross", cases);
}
