/* SPDX-License-Identifier: Apache-2.0
 * test_bus.c - the Wishbone side (rtl/bus/wb_axil.sv): every access of a classic master becomes one AXI-Lite access with the same
 * offset, data and strobes, and gets its answer, at any pace of the other side. */
#include "../sim/rng.h"
#include "../sim/rtl_top.h"
#include "support_bench.h"

#define RTL_TOP_PINS "pins_wb_axil.def"
#define RTL_TOP_NAME wb_axil
#include "../sim/rtl_top_pins.h"

extern const struct rtl_top rtl_top_wb_axil;

struct bus {
	void *top;
	struct wb_axil_in in;
	struct wb_axil_out out;
	struct rng rng;
	unsigned rest; /* of 256: how often the slave waits */
	/* the slave: 1,024 words; offsets from 0x800 on answer with an error, partial writes too */
	uint32_t word[1024];
	bool aw, w, b, ar, r;
	unsigned writes, reads;
	uint32_t at;
};

static bool ready(struct bus *b)
{
	return (rng_next(&b->rng) & 255) >= b->rest;
}

/* One clock; the slave answers as AXI wants it: a response only after its request, held until it is taken. */
static void clock(struct bus *b)
{
	const struct wb_axil_out *o = &b->out;
	const struct wb_axil_in before = b->in;
	struct wb_axil_in *in = &b->in;
	uint32_t was = b->at;

	in->clk = 1;
	{
		const bool aw = o->m_axil_awvalid && before.m_axil_awready,
			   w = o->m_axil_wvalid && before.m_axil_wready,
			   ar = o->m_axil_arvalid && before.m_axil_arready,
			   bt = before.m_axil_bvalid && o->m_axil_bready, rt = before.m_axil_rvalid && o->m_axil_rready;
		const struct wb_axil_out then = *o;

		rtl_top_wb_axil.eval(b->top, in, &b->out);
		in->clk = 0;
		if (aw) {
			CHECK(!b->aw, "a second address");
			b->aw = true;
			b->at = (uint32_t)then.m_axil_awaddr;
		}
		if (w) {
			CHECK(!b->w, "second data");
			b->w = true;
			was = (uint32_t)then.m_axil_wdata;
			b->word[1023] = was;
			in->m_axil_bresp = then.m_axil_wstrb != 15 ? 2 : 0;
		}
		if (b->aw && b->w && !b->b) {
			b->b = true;
			b->writes++;
			if (b->at >= 0x800)
				in->m_axil_bresp = 2;
			if (!in->m_axil_bresp)
				b->word[b->at / 4] = b->word[1023];
		}
		if (ar) {
			CHECK(!b->ar && !b->aw, "two accesses at once");
			b->ar = b->r = true;
			b->reads++;
			b->at = (uint32_t)then.m_axil_araddr;
			in->m_axil_rdata = b->at < 0x800 ? b->word[b->at / 4] : 0;
			in->m_axil_rresp = b->at < 0x800 ? 0 : 2;
		}
		if (bt)
			b->aw = b->w = b->b = false;
		if (rt)
			b->ar = b->r = false;
	}
	in->m_axil_bvalid = b->b && (in->m_axil_bvalid || ready(b));
	in->m_axil_rvalid = b->r && (in->m_axil_rvalid || ready(b));
	in->m_axil_awready = !b->aw && ready(b);
	in->m_axil_wready = !b->w && ready(b);
	in->m_axil_arready = !b->ar && ready(b);
	rtl_top_wb_axil.eval(b->top, in, &b->out);
}

static struct bus *bus_open(unsigned rest, uint64_t seed)
{
	struct bus *b = calloc(1, sizeof *b);

	if (!b)
		abort();
	b->top = rtl_top_wb_axil.create(seed);
	b->rest = rest;
	b->rng.state = seed;
	b->in.rst = 1;
	for (unsigned i = 0; i < 3; i++)
		clock(b);
	b->in.rst = 0;
	return b;
}

static void bus_close(struct bus *b)
{
	rtl_top_wb_axil.free(b->top);
	free(b);
}

/* One classic cycle. 1 ack, 2 err, 0 nothing in 2,000 clocks. */
static unsigned access(struct bus *b, bool write, uint32_t at, uint32_t *data, unsigned sel)
{
	unsigned answer = 0;

	b->in.wb_cyc = b->in.wb_stb = 1;
	b->in.wb_we = write;
	b->in.wb_adr = at / 4;
	b->in.wb_sel = sel;
	b->in.wb_dat_w = *data;
	for (unsigned i = 0; i < 2000 && !answer; i++) {
		clock(b);
		CHECK(!(b->out.wb_ack && b->out.wb_err), "ack and err");
		answer = b->out.wb_ack ? 1 : b->out.wb_err ? 2 : 0;
		if (answer && !write)
			*data = (uint32_t)b->out.wb_dat_r;
	}
	/* The master sees it with the next edge, and goes on at once or rests. */
	if (rng_percent(&b->rng, 50)) {
		clock(b);
		b->in.wb_cyc = b->in.wb_stb = 0;
		CHECK(!b->out.wb_ack && !b->out.wb_err, "ack for more than a clock");
	} else {
		clock(b);
	}
	return answer;
}

static void every_access_is_answered(void)
{
	for (unsigned rest = 0; rest <= 240; rest += 80) {
		struct bus *b = bus_open(rest, 60 + rest);
		uint32_t want[512] = { 0 };
		unsigned writes = 0, reads = 0;

		check_context("rest %u", rest);
		for (unsigned i = 0; i < 3000; i++) {
			const bool write = rng_percent(&b->rng, 50);
			const uint32_t at = rng_below(&b->rng, 768) * 4;
			const unsigned sel = rng_percent(&b->rng, 90) ? 15 : rng_below(&b->rng, 15);
			uint32_t data = (uint32_t)rng_next(&b->rng);
			const uint32_t given = data;
			const unsigned answer = access(b, write, at, &data, sel);
			const bool good = at < 0x800 && (!write || sel == 15);

			CHECK_EQ(answer, good ? 1 : 2, "answer");
			if (write && good)
				want[at / 4] = given;
			if (!write && good)
				CHECK_EQ(data, want[at / 4], "what was written");
			writes += write;
			reads += !write;
		}
		CHECK_EQ(b->writes, writes, "writes on AXI-Lite");
		CHECK_EQ(b->reads, reads, "reads on AXI-Lite");
		bus_close(b);
	}
}

/* A master that gives up gets nothing, and the next access gets its own answer. */
static void a_master_that_gives_up(void)
{
	struct bus *b = bus_open(200, 71);

	for (unsigned i = 0; i < 500; i++) {
		uint32_t data = i, back = 0;

		CHECK_EQ(access(b, true, 4 * (i % 100), &data, 15), 1, "write");
		/* begins to read something else, and leaves */
		b->in.wb_cyc = b->in.wb_stb = 1;
		b->in.wb_we = 0;
		b->in.wb_adr = 700;
		for (unsigned k = 0; k < i % 7 + 1 && !b->out.wb_ack && !b->out.wb_err; k++)
			clock(b);
		if (b->out.wb_ack || b->out.wb_err)
			clock(b);
		b->in.wb_cyc = b->in.wb_stb = 0;
		for (unsigned k = 0; k < i % 5 + 1; k++) {
			clock(b);
			CHECK(!b->out.wb_ack && !b->out.wb_err, "an answer that nobody waits for");
		}
		CHECK_EQ(access(b, false, 4 * (i % 100), &back, 15), 1, "read");
		CHECK_EQ(back, i, "what the next access reads");
	}
	bus_close(b);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(every_access_is_answered),
		CASE_ONCE(a_master_that_gives_up), { 0 } };

	return bench_main(argc, argv, "bus", cases);
}
