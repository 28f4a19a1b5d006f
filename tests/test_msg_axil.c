/* SPDX-License-Identifier: Apache-2.0
 * test_msg_axil.c - the MAC's registers by messages (rtl/bus/msg_axil.sv): register messages of the window become accesses with
 * that offset and data, and are answered by what the slave said; everything else passes both ways unharmed, in
 * order, and a reply never cuts a message of the core. */
#include "../sim/rng.h"
#include "../sim/rtl_top.h"
#include "support_bench.h"

#define RTL_TOP_PINS "pins_msg_axil.def"
#define RTL_TOP_NAME msg_axil
#include "../sim/rtl_top_pins.h"

extern const struct rtl_top rtl_top_msg_axil;

enum { BEATS = 12, MESSAGES = 4096 };

struct message {
	uint64_t beat[BEATS];
	unsigned beats;
};

struct window {
	void *top;
	struct msg_axil_in in;
	struct msg_axil_out out;
	struct rng rng;
	unsigned rest;		/* of 256: how often whoever is at the pins waits */
	struct message give[2]; /* 0: the host's, under way; 1: the core's */
	unsigned at[2];		/* beats taken; giving while below give[].beats */
	struct message got[2];	/* 0: at the core, 1: at the host; whole when done[] */
	bool done[2];
	struct msg_axil_out before; /* what was offered, and may not change until it is taken */
	bool offered[2];
	/* the slave: 0x000 to 0x7ff good, beyond it refuses */
	uint32_t word[1024];
	bool aw, w, ar;
	uint32_t at_aw, data_w;
	unsigned accesses;
};

static bool waits(struct window *w)
{
	return (rng_next(&w->rng) & 255) < w->rest;
}

/* A beat that passed the pins into got[n]. */
static void take(struct window *w, unsigned n, uint64_t data, bool last)
{
	struct message *m = &w->got[n];

	if (CHECK(!w->done[n] && m->beats < BEATS, "stream %u: a beat that nobody expects", n))
		m->beat[m->beats++] = data;
	w->done[n] |= last;
}

static void slave(struct window *w, const struct msg_axil_in *was)
{
	const struct msg_axil_out *o = &w->before;
	struct msg_axil_in *in = &w->in;

	in->m_axil_bvalid = in->m_axil_rvalid = 0;
	if (o->m_axil_awvalid && was->m_axil_awready) {
		CHECK(!w->aw, "a second address");
		w->aw = true;
		w->at_aw = (uint32_t)o->m_axil_awaddr;
	}
	if (o->m_axil_wvalid && was->m_axil_wready) {
		CHECK(!w->w, "second data");
		CHECK_EQ(o->m_axil_wstrb, 15, "strobes");
		w->w = true;
		w->data_w = (uint32_t)o->m_axil_wdata;
	}
	if (o->m_axil_arvalid && was->m_axil_arready) {
		CHECK(!w->ar, "a second read");
		w->ar = true;
		w->at_aw = (uint32_t)o->m_axil_araddr;
	}
	if (w->aw && w->w && !waits(w)) {
		in->m_axil_bvalid = 1;
		in->m_axil_bresp = w->at_aw < 0x800 ? 0 : 2;
		if (w->at_aw < 0x800)
			w->word[w->at_aw / 4] = w->data_w;
		w->aw = w->w = false;
		w->accesses++;
	} else if (w->ar && !waits(w)) {
		in->m_axil_rvalid = 1;
		in->m_axil_rresp = w->at_aw < 0x800 ? 0 : 2;
		in->m_axil_rdata = w->word[w->at_aw / 4];
		w->ar = false;
		w->accesses++;
	}
	in->m_axil_awready = !w->aw && !waits(w);
	in->m_axil_wready = !w->w && !waits(w);
	in->m_axil_arready = !w->ar && !waits(w);
}

static void clock(struct window *w)
{
	struct msg_axil_in *in = &w->in;
	const struct msg_axil_in was = *in;
	bool taken[2];

	rtl_top_msg_axil.eval(w->top, in, &w->out);
	if (w->offered[0])
		CHECK(w->out.m_axis_h2c_tvalid && w->out.m_axis_h2c_tdata == w->before.m_axis_h2c_tdata &&
				w->out.m_axis_h2c_tlast == w->before.m_axis_h2c_tlast,
			"what the core is offered changes before it is taken");
	if (w->offered[1])
		CHECK(w->out.m_axis_c2h_tvalid && w->out.m_axis_c2h_tdata == w->before.m_axis_c2h_tdata &&
				w->out.m_axis_c2h_tlast == w->before.m_axis_c2h_tlast,
			"what the host is offered changes before it is taken");
	w->before = w->out;
	w->offered[0] = w->out.m_axis_h2c_tvalid && !in->m_axis_h2c_tready && !in->rst;
	w->offered[1] = w->out.m_axis_c2h_tvalid && !in->m_axis_c2h_tready && !in->rst;
	taken[0] = in->s_axis_h2c_tvalid && w->out.s_axis_h2c_tready;
	taken[1] = in->s_axis_c2h_tvalid && w->out.s_axis_c2h_tready;
	if (!in->rst && w->out.m_axis_h2c_tvalid && in->m_axis_h2c_tready)
		take(w, 0, w->out.m_axis_h2c_tdata, w->out.m_axis_h2c_tlast);
	if (!in->rst && w->out.m_axis_c2h_tvalid && in->m_axis_c2h_tready)
		take(w, 1, w->out.m_axis_c2h_tdata, w->out.m_axis_c2h_tlast);
	in->clk = 1;
	rtl_top_msg_axil.eval(w->top, in, &w->out);
	in->clk = 0;
	if (in->rst)
		return;
	slave(w, &was);
	for (unsigned n = 0; n < 2; n++) {
		const struct message *m = &w->give[n];
		const bool was_valid = n ? was.s_axis_c2h_tvalid : was.s_axis_h2c_tvalid;
		bool valid;

		w->at[n] += taken[n];
		valid = w->at[n] < m->beats && ((was_valid && !taken[n]) || !waits(w));
		if (n) {
			in->s_axis_c2h_tvalid = valid;
			in->s_axis_c2h_tdata = valid ? m->beat[w->at[n]] : 0;
			in->s_axis_c2h_tlast = valid && w->at[n] + 1 == m->beats;
		} else {
			in->s_axis_h2c_tvalid = valid;
			in->s_axis_h2c_tdata = valid ? m->beat[w->at[n]] : 0;
			in->s_axis_h2c_tlast = valid && w->at[n] + 1 == m->beats;
		}
	}
	/* Nothing more is taken until the test has looked at what is whole. */
	in->m_axis_h2c_tready = !w->done[0] && !waits(w);
	in->m_axis_c2h_tready = !w->done[1] && !waits(w);
}

static void window_open(struct window *w, uint64_t seed, unsigned rest)
{
	memset(w, 0, sizeof *w);
	w->rng.state = seed;
	w->rest = rest;
	w->top = rtl_top_msg_axil.create(seed);
	if (!w->top)
		abort();
	w->in.rst = 1;
	for (unsigned i = 0; i < 3; i++)
		clock(w);
	w->in.rst = 0;
}

static struct message reg_message(bool write, uint32_t offset, uint64_t cookie, uint32_t value)
{
	return (struct message){ { (uint64_t)offset << 32 | 24u << 16 |
						 (unsigned)(write ? HF_MSG_REG_WRITE : HF_MSG_REG_READ),
					 cookie, 0xdeadbeef00000000u | value },
		3 };
}

static bool same(const struct message *a, const struct message *b)
{
	return a->beats == b->beats && !memcmp(a->beat, b->beat, a->beats * sizeof a->beat[0]);
}

/* Run until stream n has given a whole message; false after 2,000 clocks. */
static bool whole(struct window *w, unsigned n, struct message *m)
{
	for (unsigned i = 0; i < 2000 && !w->done[n]; i++)
		clock(w);
	*m = w->got[n];
	if (!CHECK(w->done[n], "no message on stream %u", n))
		return false;
	w->done[n] = false;
	w->got[n].beats = 0;
	return true;
}

static void ask(struct window *w, const struct message *m, unsigned status, uint32_t value)
{
	struct message reply;

	w->give[0] = *m;
	w->at[0] = 0;
	if (!whole(w, 1, &reply))
		return;
	CHECK_EQ(reply.beats, 3, "beats of the reply");
	CHECK_EQ(reply.beat[0], (m->beat[0] & 0xffffffff00000000u) | 24u << 16 | status << 8 | HF_MSG_REG_REPLY,
		"its header");
	CHECK_EQ(reply.beat[1], m->beats > 1 ? m->beat[1] : 0, "its cookie");
	CHECK_EQ(reply.beat[2], value, "its value");
}

static void reads_and_writes(void)
{
	for (unsigned rest = 0; rest < 250; rest += 80) {
		struct window w;
		struct message m;

		window_open(&w, rest + 1, rest);
		for (uint32_t i = 0; i < 200; i++) {
			m = reg_message(true, HF_ETH_BASE + 4 * (i % 64), 0x1122334455667788u + i, i * 0x01010101u);
			ask(&w, &m, HF_STATUS_OK, 0);
			m = reg_message(false, HF_ETH_BASE + 4 * (i % 64), i, 0x5555);
			ask(&w, &m, HF_STATUS_OK, i * 0x01010101u);
		}
		m = reg_message(false, HF_ETH_BASE + 0xffc, 7, 0);
		ask(&w, &m, HF_STATUS_BAD_ADDRESS, 0);
		m = reg_message(true, HF_ETH_BASE + 0x800, 8, 1);
		ask(&w, &m, HF_STATUS_REFUSED, 0);
		CHECK_EQ(w.accesses, 402, "accesses");
		rtl_top_msg_axil.free(w.top);
	}
}

/* Wrong lengths are answered without an access, and the next message is understood. */
static void lengths(void)
{
	struct window w;

	window_open(&w, 5, 20);
	for (unsigned beats = 1; beats <= 7; beats++) {
		struct message m = reg_message(false, HF_ETH_BASE + 4, 100 + beats, 0);

		for (unsigned i = 3; i < beats; i++) /* as if another one began there */
			m.beat[i] = m.beat[i % 4];
		m.beats = beats;
		w.word[1] = 77;
		ask(&w, &m, beats == 3 ? HF_STATUS_OK : HF_STATUS_BAD_LENGTH, beats == 3 ? 77 : 0);
		m = reg_message(false, HF_ETH_BASE + 4, 200 + beats, 0);
		m.beat[0] += 1 << 16;
		ask(&w, &m, HF_STATUS_BAD_LENGTH, 0);
		m = reg_message(false, HF_ETH_BASE + 4, 300 + beats, 0);
		ask(&w, &m, HF_STATUS_OK, 77);
	}
	CHECK_EQ(w.accesses, 8, "accesses");
	rtl_top_msg_axil.free(w.top);
}

/* A message of any type but those two of any offset, or of those two outside the window. */
static struct message other(struct rng *rng)
{
	struct message m = { .beats = 1 + rng_next(rng) % BEATS };

	for (unsigned i = 0; i < m.beats; i++)
		m.beat[i] = rng_next(rng);
	if (rng_next(rng) & 1) /* the core's own registers, and what is close to the window */
		m.beat[0] = (m.beat[0] & ~(uint64_t)0xff) | (HF_MSG_REG_READ + (rng_next(rng) & 1));
	if (m.beat[0] >> 44 == HF_ETH_BASE >> 12 || (rng_next(rng) & 1))
		m.beat[0] = (m.beat[0] & 0xffffffff) |
			    (uint64_t)(rng_next(rng) & 1 ? HF_ETH_BASE - 4 : HF_ETH_BASE + 0x1000) << 32;
	/* Of another type any id may be: that of a connection. */
	if ((m.beat[0] & 0xff) != HF_MSG_REG_READ && (m.beat[0] & 0xff) != HF_MSG_REG_WRITE && (rng_next(rng) & 1))
		m.beat[0] = (m.beat[0] & 0xffffffff) | (uint64_t)(HF_ETH_BASE + (rng_next(rng) & 0xfff)) << 32;
	return m;
}

/* Traffic of all kinds both ways at once. */
static void everything_else_passes(void)
{
	struct window w;
	struct message sent[2], m;
	unsigned passed[2] = { 0 }, replies = 0, asked = 0;
	bool ours = false, waiting[2] = { false };

	window_open(&w, 9, 60);
	for (unsigned clocks = 0; (passed[0] < MESSAGES || passed[1] < MESSAGES) && clocks < 600000; clocks++) {
		/* the next message of the host: every third one for the window, while none is out */
		if (w.at[0] == w.give[0].beats && !waiting[0] && !ours) {
			ours = rng_next(&w.rng) % 3 == 0;
			sent[0] = ours ? reg_message(false, HF_ETH_BASE + 8, ++asked, 0) : other(&w.rng);
			waiting[0] = !ours;
			w.give[0] = sent[0];
			w.at[0] = 0;
		}
		if (w.at[1] == w.give[1].beats && !waiting[1]) {
			sent[1] = other(&w.rng);
			if ((sent[1].beat[0] & 0xff) == HF_MSG_REG_REPLY)
				sent[1].beat[0]++;
			waiting[1] = true;
			w.give[1] = sent[1];
			w.at[1] = 0;
		}
		clock(&w);
		if (w.done[0]) {
			whole(&w, 0, &m);
			CHECK(waiting[0] && same(&m, &sent[0]), "message %u of the host is another one", passed[0]);
			waiting[0] = false;
			passed[0]++;
		}
		if (w.done[1]) {
			whole(&w, 1, &m);
			if ((m.beat[0] & 0xff) == HF_MSG_REG_REPLY) {
				CHECK(ours && m.beats == 3 && m.beat[1] == asked, "a reply that nobody waits for");
				ours = false;
				replies++;
			} else {
				CHECK(waiting[1] && same(&m, &sent[1]), "message %u of the core is another one",
					passed[1]);
				waiting[1] = false;
				passed[1]++;
			}
		}
	}
	CHECK(passed[0] >= MESSAGES && passed[1] >= MESSAGES, "%u and %u messages passed", passed[0], passed[1]);
	CHECK(replies > MESSAGES / 4 && replies + 1 >= asked, "%u replies of %u", replies, asked);
	rtl_top_msg_axil.free(w.top);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(reads_and_writes), CASE_ONCE(lengths), CASE_ONCE(everything_else_passes), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "msg_axil", cases);
}
