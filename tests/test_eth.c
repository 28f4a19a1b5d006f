/* SPDX-License-Identifier: Apache-2.0
 * test_eth.c - the MAC (rtl/eth/) between a PHY at its RGMII and MDIO pins and AXI-Stream: what arrives is what was sent or
 * is marked bad, whatever the clocks, speeds, lengths and preambles are, and everything lost is counted. Expectations are of
 * IEEE 802.3 and RGMII 2.0; sim/eth/phy.c is the PHY. */
#include <inttypes.h>
#include "../sim/eth/phy.h"
#include "../sim/rng.h"
#include "../sim/rtl_top.h"
#include "support_bench.h"

#define RTL_TOP_PINS "pins_eth_mac_sim.def"
#define RTL_TOP_NAME eth_mac_sim
#include "../sim/rtl_top_pins.h"

extern const struct rtl_top rtl_top_eth_mac_sim;

enum { LONGEST = 9600, FRAMES_MAX = 4096 };

struct frame {
	uint8_t *data;
	size_t len;
	bool bad;
	unsigned preamble, gap;
};

struct frames {
	struct frame v[FRAMES_MAX];
	size_t count;
};

struct rig {
	bool resets; /* the case cuts frames */
	void *top;
	struct eth_mac_sim_in in;
	struct eth_mac_sim_out out;
	struct phy *phy;
	uint64_t now, clk_next, tx_next, clk_half, tx_half;
	struct frames rx, tx; /* at the MAC's m_axis_rx; at the PHY */
	uint8_t beats[20000];
	size_t len;
	bool inside;
	/* frames for s_axis_tx */
	struct frames give;
	size_t give_at, give_octet;
	bool taken;
	unsigned rest; /* of 256: s_axis_tx pauses between frames */
	uint64_t clks;
	struct rng rng;
};

static void frames_add(struct frames *list, const uint8_t *data, size_t len, struct frame f)
{
	if (!CHECK(list->count < FRAMES_MAX, "too many frames"))
		return;
	f.data = malloc(len ? len : 1);
	if (!f.data)
		abort();
	memcpy(f.data, data, len);
	f.len = len;
	list->v[list->count++] = f;
}

static void frames_free(struct frames *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->v[i].data);
	list->count = 0;
}

static void from_mac(void *ctx, const struct phy_frame *f)
{
	struct rig *r = ctx;

	/* What the MAC spoils on purpose is marked in both ways; what a reset cuts is not. */
	CHECK(r->resets || f->error == !f->fcs_ok, "TX_ER %d, right FCS %d", f->error, f->fcs_ok);
	frames_add(&r->tx, f->data, f->len,
		(struct frame){ .bad = !f->fcs_ok || f->error, .preamble = f->preamble, .gap = f->gap });
}

static void eval(struct rig *r)
{
	r->in.mdi = phy_mdio(r->phy, r->out.mdc, r->out.mdo, r->out.mdo_en);
	rtl_top_eth_mac_sim.eval(r->top, &r->in, &r->out);
	phy_tx(r->phy, r->now, r->out.txc, (uint8_t)r->out.txd, r->out.tx_ctl);
}

/* What the clk side saw in the period that ends with a rising edge. */
static void clk_sample(struct rig *r)
{
	const struct eth_mac_sim_out *o = &r->out;
	unsigned octets = 0;

	r->clks++;
	if (o->m_axis_rx_tvalid && !r->in.rst) {
		while (octets < 8 && o->m_axis_rx_tkeep >> octets & 1)
			octets++;
		CHECK(octets && o->m_axis_rx_tkeep == (1u << octets) - 1, "tkeep 0x%x", (unsigned)o->m_axis_rx_tkeep);
		CHECK(octets == 8 || !(o->m_axis_rx_tdata >> 8 * octets), "octets beyond tkeep");
		CHECK(o->m_axis_rx_tlast || octets == 8, "a beat of %u octets within a frame", octets);
		if (!CHECK(r->len + 8 <= sizeof r->beats, "a frame without end"))
			r->len = 0;
		for (unsigned i = 0; i < octets; i++)
			r->beats[r->len++] = (uint8_t)(o->m_axis_rx_tdata >> 8 * i);
		if (o->m_axis_rx_tlast) {
			frames_add(&r->rx, r->beats, r->len, (struct frame){ .bad = o->m_axis_rx_tuser });
			r->len = 0;
		}
	}
	if (r->in.rst)
		r->len = 0;
	r->taken = r->in.s_axis_tx_tvalid && o->s_axis_tx_tready;
}

/* The coming period's inputs. */
static void clk_drive(struct rig *r)
{
	const struct frame *f;
	size_t left;

	if (r->taken) {
		r->in.s_axis_tx_tvalid = 0;
		r->give_octet += 8;
		if (r->in.s_axis_tx_tlast) {
			r->give_at++;
			r->give_octet = 0;
		}
	}
	f = &r->give.v[r->give_at];
	if (r->in.s_axis_tx_tvalid || r->give_at >= r->give.count)
		return;
	if (!r->give_octet && (rng_next(&r->rng) & 255) < r->rest)
		return;
	left = f->len - r->give_octet;
	r->in.s_axis_tx_tvalid = 1;
	r->in.s_axis_tx_tlast = left <= 8;
	r->in.s_axis_tx_tkeep = left < 8 ? (1u << left) - 1 : 0xff;
	r->in.s_axis_tx_tdata = 0;
	for (size_t i = 0; i < 8 && i < left; i++)
		r->in.s_axis_tx_tdata |= (uint64_t)f->data[r->give_octet + i] << 8 * i;
}

/* The next edge of any clock. */
static void step(struct rig *r)
{
	uint64_t at = r->clk_next < r->tx_next ? r->clk_next : r->tx_next;
	bool clk_rose = false;

	if (phy_next_ps(r->phy) < at)
		at = phy_next_ps(r->phy);
	r->now = at;
	if (at == phy_next_ps(r->phy)) {
		struct phy_pins pins;

		phy_edge(r->phy, &pins);
		r->in.rxc = pins.rxc;
		r->in.rxd = pins.rxd;
		r->in.rx_ctl = pins.rx_ctl;
	}
	if (at == r->tx_next) {
		r->in.tx_clk = !r->in.tx_clk;
		r->tx_next += r->tx_half;
	}
	if (at == r->clk_next) {
		clk_rose = !r->in.clk;
		if (clk_rose)
			clk_sample(r);
		r->in.clk = !r->in.clk;
		r->clk_next += r->clk_half;
	}
	eval(r);
	/* Inputs on clk change behind its edge. */
	if (clk_rose)
		clk_drive(r);
}

static void run_clks(struct rig *r, uint64_t clks)
{
	const uint64_t end = r->clks + clks;

	while (r->clks < end)
		step(r);
}

static void run_ns(struct rig *r, uint64_t ns)
{
	const uint64_t end = r->now + ns * 1000;

	while (r->now < end)
		step(r);
}

static struct rig *rig_open(uint64_t clk_ps, uint64_t seed)
{
	struct rig *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	r->top = rtl_top_eth_mac_sim.create(seed);
	r->phy = phy_open(0, from_mac, r);
	if (!r->top || !r->phy)
		abort();
	r->rng.state = seed;
	r->clk_half = clk_ps / 2;
	r->tx_half = 4000;
	r->clk_next = r->clk_half;
	r->tx_next = 700;
	r->in.rst = 1;
	r->resets = true; /* what registers hold before it may look like a frame */
	run_clks(r, 12);
	phy_forget(r->phy);
	r->in.rst = 0;
	run_ns(r, 3000);
	run_clks(r, 64);
	r->resets = false;
	frames_free(&r->rx);
	frames_free(&r->tx);
	return r;
}

static void rig_close(struct rig *r)
{
	CHECK(!*phy_fault(r->phy), "PHY: %s", phy_fault(r->phy));
	frames_free(&r->rx);
	frames_free(&r->tx);
	frames_free(&r->give);
	phy_close(r->phy);
	rtl_top_eth_mac_sim.free(r->top);
	free(r);
}

static unsigned reg_write_strobe(struct rig *r, uint32_t at, uint32_t value, unsigned strobe)
{
	r->in.s_axil_awaddr = at;
	r->in.s_axil_wdata = value;
	r->in.s_axil_wstrb = strobe;
	r->in.s_axil_awvalid = r->in.s_axil_wvalid = 1;
	for (unsigned i = 0; i < 100; i++) {
		run_clks(r, 1);
		if (r->out.s_axil_awready)
			break;
	}
	run_clks(r, 1);
	r->in.s_axil_awvalid = r->in.s_axil_wvalid = 0;
	r->in.s_axil_bready = 1;
	for (unsigned i = 0; i < 100 && !r->out.s_axil_bvalid; i++)
		run_clks(r, 1);
	{
		const unsigned response = r->out.s_axil_bvalid ? (unsigned)r->out.s_axil_bresp : 99;

		run_clks(r, 1);
		r->in.s_axil_bready = 0;
		return response;
	}
}

static unsigned reg_write(struct rig *r, uint32_t at, uint32_t value)
{
	return reg_write_strobe(r, at, value, 15);
}

static unsigned reg_read(struct rig *r, uint32_t at, uint32_t *value)
{
	unsigned response;

	r->in.s_axil_araddr = at;
	r->in.s_axil_arvalid = 1;
	for (unsigned i = 0; i < 100; i++) {
		run_clks(r, 1);
		if (r->out.s_axil_arready)
			break;
	}
	run_clks(r, 1);
	r->in.s_axil_arvalid = 0;
	r->in.s_axil_rready = 1;
	for (unsigned i = 0; i < 100 && !r->out.s_axil_rvalid; i++)
		run_clks(r, 1);
	*value = (uint32_t)r->out.s_axil_rdata;
	response = r->out.s_axil_rvalid ? (unsigned)r->out.s_axil_rresp : 99;
	run_clks(r, 1);
	r->in.s_axil_rready = 0;
	return response;
}

static uint32_t reg_get(struct rig *r, uint32_t at)
{
	uint32_t value = 0;

	CHECK_EQ(reg_read(r, at, &value), 0, "response");
	return value;
}

static uint64_t counter(struct rig *r, enum hf_eth_counter c)
{
	const uint32_t low = reg_get(r, HF_ETH_COUNTER0_LO + 8 * (uint32_t)c);

	return low | (uint64_t)reg_get(r, HF_ETH_COUNTER0_LO + 8 * (uint32_t)c + 4) << 32;
}

static void counted(struct rig *r, enum hf_eth_counter c, uint64_t want, const char *what)
{
	run_clks(r, 40);
	CHECK_EQ(counter(r, c), want, what);
}

/* Time that everything queued at the PHY needs, then that of the crossing. */
static void rx_settle(struct rig *r)
{
	while (phy_pending(r->phy))
		step(r);
	run_clks(r, 60);
	run_ns(r, 3000);
}

static void tx_settle(struct rig *r)
{
	size_t seen = 0;
	unsigned quiet = 0;

	while (r->give_at < r->give.count || quiet < 60) {
		run_ns(r, 50 * 1000 / 20);
		quiet = r->tx.count == seen && r->give_at >= r->give.count ? quiet + 1 : 0;
		seen = r->tx.count;
	}
}

static void octets(struct rig *r, uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)rng_next(&r->rng);
}

static void give(struct rig *r, const uint8_t *data, size_t len)
{
	frames_add(&r->give, data, len, (struct frame){ 0 });
}

static void speed(struct rig *r, enum phy_speed s)
{
	phy_set(r->phy, s, true);
	/* All five registers twice: 10 accesses of 64 bits of 8 clks, and the pauses. */
	for (unsigned i = 0; i < 40 && !(r->out.link && r->out.speed == (unsigned)s); i++)
		run_clks(r, 1000);
	CHECK(r->out.link && r->out.speed == (unsigned)s, "link %u, speed %u, want %u", (unsigned)r->out.link,
		(unsigned)r->out.speed, (unsigned)s);
	run_ns(r, s == PHY_10 ? 20000 : 3000);
	frames_free(&r->rx);
	frames_free(&r->tx);
}

/* ---- receive ---- */

static void rx_lengths_at(enum phy_speed s, uint64_t clk_ps, unsigned step_by)
{
	struct rig *r = rig_open(clk_ps, 7 + (unsigned)s);
	struct frames sent = { 0 };
	uint8_t data[2000];

	check_context("speed %u, clk %u ps", (unsigned)s, (unsigned)clk_ps);
	speed(r, s);
	for (size_t len = 60; len <= 1522; len += len < 80 || len > 1500 ? 1 : step_by) {
		octets(r, data, len);
		CHECK_EQ(phy_send(r->phy, data, len, NULL), 0, "phy_send");
		frames_add(&sent, data, len, (struct frame){ 0 });
	}
	rx_settle(r);
	CHECK_EQ(r->rx.count, sent.count, "frames");
	for (size_t i = 0; i < sent.count && i < r->rx.count; i++) {
		check_bytes_at(
			__FILE__, __LINE__, "frame", r->rx.v[i].data, r->rx.v[i].len, sent.v[i].data, sent.v[i].len);
		CHECK(!r->rx.v[i].bad, "frame %zu of %zu octets is bad", i, sent.v[i].len);
	}
	counted(r, HF_ETH_CNT_RX_FRAMES, sent.count, "RX_FRAMES");
	counted(r, HF_ETH_CNT_RX_OVERFLOW, 0, "RX_OVERFLOW");
	frames_free(&sent);
	rig_close(r);
}

static void rx_every_length(void)
{
	rx_lengths_at(PHY_1000, 16000, 7);
	rx_lengths_at(PHY_1000, 6400, 61);
	rx_lengths_at(PHY_1000, 62000, 61); /* hardly faster than the wire */
	rx_lengths_at(PHY_100, 16000, 173);
	rx_lengths_at(PHY_10, 40000, 1400);
}

/* The SFD decides, whatever is before it: 0 to 40 nibbles, at 10 and 100 Mbit/s an odd number too. */
static void rx_preambles(void)
{
	static const enum phy_speed speeds[] = { PHY_1000, PHY_100 };
	uint8_t data[77];

	for (size_t k = 0; k < COUNT(speeds); k++) {
		struct rig *r = rig_open(16000, 11);
		size_t sent = 0;

		check_context("speed %u", (unsigned)speeds[k]);
		speed(r, speeds[k]);
		octets(r, data, sizeof data);
		for (unsigned nibbles = 0; nibbles <= 40; nibbles += speeds[k] == PHY_1000 ? 2 : 1) {
			const struct phy_how how = { .preamble = nibbles + 1, .gap = 1 + 12 - nibbles % 2 };

			phy_send(r->phy, data, sizeof data, &how);
			sent++;
		}
		rx_settle(r);
		CHECK_EQ(r->rx.count, sent, "frames");
		for (size_t i = 0; i < r->rx.count; i++) {
			check_bytes_at(__FILE__, __LINE__, "frame", r->rx.v[i].data, r->rx.v[i].len, data, sizeof data);
			CHECK(!r->rx.v[i].bad, "preamble %zu: bad", i);
		}
		rig_close(r);
	}
}

/* A gap of one octet is enough to tell two frames apart; nothing less is a gap. */
static void rx_small_gaps(void)
{
	struct rig *r = rig_open(16000, 12);
	uint8_t data[64];

	octets(r, data, sizeof data);
	for (unsigned gap = 1; gap <= 12; gap++) {
		const struct phy_how how = { .gap = gap + 1 };

		phy_send(r->phy, data, sizeof data, &how);
	}
	rx_settle(r);
	CHECK_EQ(r->rx.count, 12, "frames");
	for (size_t i = 0; i < r->rx.count; i++)
		CHECK(!r->rx.v[i].bad && r->rx.v[i].len == sizeof data, "frame %zu", i);
	rig_close(r);
}

/* Everything that is wrong with a frame is said with its last beat and counted under its name. */
static void rx_bad_frames(void)
{
	static const enum phy_speed speeds[] = { PHY_1000, PHY_100 };
	uint8_t *data = malloc(LONGEST + 1000);

	for (size_t k = 0; k < COUNT(speeds) && data; k++) {
		struct rig *r = rig_open(16000, 13);
		static const struct phy_how wrong_fcs = { .bad_fcs = true }, first = { .er_at = 1 },
					    last = { .er_at = 100 }, nothing = { .no_sfd = true },
					    bare = { .no_fcs = true }, dribble = { .extra_nibble = true },
					    low = { .er_at = 50, .er_low = true }, begins = { .er_sfd = true };
		static const uint8_t zeros[100];
		size_t good = 0, bad = 0;

		check_context("speed %u", (unsigned)speeds[k]);
		speed(r, speeds[k]);
		octets(r, data, LONGEST + 1000);
		phy_send(r->phy, data, 60, &wrong_fcs);
		phy_send(r->phy, data, 100, &wrong_fcs);
		phy_send(r->phy, data, 100, &first);
		phy_send(r->phy, data, 100, &last);
		phy_send(r->phy, data, 100, &low);
		phy_send(r->phy, zeros, 100, &begins); /* no SFD, so no frame */
		phy_send(r->phy, data, 59, NULL);
		phy_send(r->phy, data, 8, NULL);
		phy_send(r->phy, data, 5, &bare); /* one octet and what would be its FCS */
		phy_send(r->phy, data, 4, &bare); /* nothing is left of it */
		phy_send(r->phy, data, 0, &bare);
		phy_send(r->phy, data, 60, &nothing);
		phy_send(r->phy, data, LONGEST - 4, NULL);
		phy_send(r->phy, data, LONGEST - 3, NULL);
		phy_send(r->phy, data, LONGEST + 1000, NULL);
		phy_send(r->phy, data, 60, &dribble);
		phy_send(r->phy, data, 100, NULL);
		rx_settle(r);
		for (size_t i = 0; i < r->rx.count; i++) {
			good += !r->rx.v[i].bad;
			bad += r->rx.v[i].bad;
			CHECK(r->rx.v[i].bad || !memcmp(r->rx.v[i].data, data, r->rx.v[i].len), "frame %zu differs", i);
			CHECK(r->rx.v[i].len <= LONGEST, "frame %zu: %zu octets", i, r->rx.v[i].len);
		}
		/* At 1000 Mbit/s half an octet more cannot be; the odd nibble is then a whole octet, and the FCS is wrong. */
		CHECK_EQ(good, speeds[k] == PHY_1000 ? 2 : 3, "good frames");
		CHECK_EQ(bad, speeds[k] == PHY_1000 ? 11 : 10, "bad frames");
		counted(r, HF_ETH_CNT_RX_FRAMES, 15, "RX_FRAMES");
		counted(r, HF_ETH_CNT_RX_BAD_FCS, speeds[k] == PHY_1000 ? 3 : 2, "RX_BAD_FCS");
		counted(r, HF_ETH_CNT_RX_SYMBOL, 3, "RX_SYMBOL");
		counted(r, HF_ETH_CNT_RX_RUNT, 5, "RX_RUNT");
		counted(r, HF_ETH_CNT_RX_LONG, 2, "RX_LONG");
		counted(r, HF_ETH_CNT_RX_NO_SFD, 2, "RX_NO_SFD");
		counted(r, HF_ETH_CNT_RX_OVERFLOW, 0, "RX_OVERFLOW");
		rig_close(r);
	}
	free(data);
}

/* Bits that the line flipped anywhere behind the SFD are seen: every bit of one frame. */
static void rx_every_flipped_bit(void)
{
	struct rig *r = rig_open(16000, 14);
	uint8_t data[64], fcs[4];

	octets(r, data, 60);
	for (unsigned i = 0; i < 4; i++)
		fcs[i] = (uint8_t)(phy_crc32(data, 60) >> 8 * i);
	memcpy(data + 60, fcs, 4);
	for (unsigned bit = 0; bit < 64 * 8; bit++) {
		static const struct phy_how bare = { .no_fcs = true };

		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		phy_send(r->phy, data, 64, &bare);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	rx_settle(r);
	CHECK_EQ(r->rx.count, 512, "frames");
	for (size_t i = 0; i < r->rx.count; i++)
		CHECK(r->rx.v[i].bad, "bit %zu flipped and not seen", i);
	counted(r, HF_ETH_CNT_RX_BAD_FCS, 512, "RX_BAD_FCS");
	rig_close(r);
}

/* clk too slow for the wire: what comes is whole or marked, what is lost is counted, and afterwards all is well. */
static void rx_overflow_is_counted(void)
{
	static const uint64_t clks[] = { 70000, 120000, 500000 };

	for (size_t k = 0; k < COUNT(clks); k++) {
		struct rig *r = rig_open(16000, 15 + k);
		struct frames sent = { 0 };
		uint8_t data[1518];
		size_t at = 0, good = 0, bad = 0;
		uint64_t lost;

		check_context("clk %u ps", (unsigned)clks[k]);
		for (unsigned i = 0; i < 300; i++) {
			const size_t len = rng_range(&r->rng, 60, i % 3 ? 90 : 1518);

			octets(r, data, len);
			phy_send(r->phy, data, len, NULL);
			frames_add(&sent, data, len, (struct frame){ 0 });
		}
		r->clk_half = clks[k] / 2;
		run_ns(r, 400000);
		while (phy_pending(r->phy) > 20)
			step(r);
		r->clk_half = 8000;
		rx_settle(r);
		for (size_t i = 0; i < r->rx.count; i++) {
			const struct frame *f = &r->rx.v[i];

			if (f->bad) {
				bad++;
				continue;
			}
			while (at < sent.count &&
				(sent.v[at].len != f->len || memcmp(sent.v[at].data, f->data, f->len)))
				at++;
			if (!CHECK(at < sent.count, "frame %zu was never sent like this", i))
				break;
			at++;
			good++;
		}
		lost = counter(r, HF_ETH_CNT_RX_OVERFLOW);
		CHECK(lost > 0 && lost < 300, "%" PRIu64 " lost", lost);
		CHECK_EQ(good + lost, 300, "good and lost");
		CHECK(bad <= lost, "%zu bad, %" PRIu64 " lost", bad, lost);
		CHECK_EQ(at, 300, "the last frames, of the time with a good clock, arrived");
		counted(r, HF_ETH_CNT_RX_FRAMES, 300, "RX_FRAMES");
		frames_free(&sent);
		rig_close(r);
	}
}

/* ---- transmit ---- */

static void tx_lengths_at(enum phy_speed s, uint64_t clk_ps, size_t longest, unsigned step_by)
{
	struct rig *r = rig_open(clk_ps, 21);
	uint8_t data[2000];
	size_t i = 0;

	check_context("speed %u, clk %u ps", (unsigned)s, (unsigned)clk_ps);
	speed(r, s);
	for (size_t len = 1; len <= longest; len += len < 80 ? 1 : step_by) {
		octets(r, data, len);
		give(r, data, len);
	}
	tx_settle(r);
	CHECK_EQ(r->tx.count, r->give.count, "frames");
	for (i = 0; i < r->tx.count && i < r->give.count; i++) {
		const struct frame *f = &r->tx.v[i], *g = &r->give.v[i];

		memset(data, 0, sizeof data);
		memcpy(data, g->data, g->len);
		check_bytes_at(__FILE__, __LINE__, "frame", f->data, f->len, data, g->len < 60 ? 60 : g->len);
		CHECK(!f->bad, "frame %zu: bad", i);
		CHECK_EQ(f->preamble, 7, "octets of preamble");
		/* Back to back exactly 96 bit times. */
		CHECK(i == 0 || f->gap == 12, "frame %zu: gap of %u octets", i, f->gap);
	}
	counted(r, HF_ETH_CNT_TX_FRAMES, r->give.count, "TX_FRAMES");
	counted(r, HF_ETH_CNT_TX_UNDERFLOW, 0, "TX_UNDERFLOW");
	rig_close(r);
}

static void tx_every_length(void)
{
	tx_lengths_at(PHY_1000, 16000, 1522, 37);
	tx_lengths_at(PHY_1000, 6400, 300, 37);
	tx_lengths_at(PHY_1000, 60000, 300, 37);
	tx_lengths_at(PHY_100, 16000, 300, 73);
	tx_lengths_at(PHY_10, 40000, 30, 1);
}

/* clk too slow: each frame is either whole and right, or has TX_ER and a wrong FCS and is counted. */
static void tx_underflow_is_counted(void)
{
	struct rig *r = rig_open(70000, 22);
	uint8_t data[1500];
	size_t good = 0, bad = 0, at = 0;

	for (unsigned i = 0; i < 60; i++) {
		const size_t len = rng_range(&r->rng, 60, i % 2 ? 100 : 1500);

		octets(r, data, len);
		give(r, data, len);
	}
	tx_settle(r);
	CHECK_EQ(r->tx.count, 60, "frames");
	for (size_t i = 0; i < r->tx.count; i++) {
		if (r->tx.v[i].bad) {
			bad++;
			continue;
		}
		for (; at < r->give.count; at++)
			if (r->give.v[at].len == r->tx.v[i].len &&
				!memcmp(r->give.v[at].data, r->tx.v[i].data, r->tx.v[i].len))
				break;
		CHECK(at < r->give.count, "frame %zu was never given like this", i);
		good++;
	}
	CHECK(bad > 0 && good > 0, "%zu good, %zu bad", good, bad);
	counted(r, HF_ETH_CNT_TX_UNDERFLOW, bad, "TX_UNDERFLOW");
	counted(r, HF_ETH_CNT_TX_FRAMES, good, "TX_FRAMES");
	rig_close(r);
}

/* ---- both ---- */

/* Everything at once, no two clocks alike: all frames of both directions arrive, in order, unharmed. */
static void both_ways_drifting(void)
{
	static const struct {
		enum phy_speed speed;
		uint64_t clk_ps;
		int rx_ppm, tx_ppm;
		unsigned frames;
	} rows[] = { { PHY_1000, 16001, 100, -100, 400 }, { PHY_1000, 6399, -100, 100, 400 },
		{ PHY_1000, 40003, -500, 0, 300 }, { PHY_1000, 61001, 300, 300, 200 },
		{ PHY_100, 16003, 200, -200, 60 }, { PHY_10, 40001, -200, 200, 6 } };
	uint8_t data[1518];

	for (size_t k = 0; k < COUNT(rows); k++) {
		struct rig *r = rig_open(rows[k].clk_ps & ~1ull, 31 + k);
		struct frames sent = { 0 };

		check_context("row %zu", k);
		phy_drift(r->phy, rows[k].rx_ppm);
		r->tx_half = (uint64_t)(4000 + 4000 * rows[k].tx_ppm / 1000000);
		speed(r, rows[k].speed);
		r->rest = 128;
		for (unsigned i = 0; i < rows[k].frames; i++) {
			const struct phy_how how = { .gap = rng_range(&r->rng, 5, 40),
				.preamble = 1 + 2 * rng_range(&r->rng, 0, 9) };
			size_t len = rng_range(&r->rng, 60, i % 8 ? 130 : 1518);

			octets(r, data, len);
			phy_send(r->phy, data, len, &how);
			frames_add(&sent, data, len, (struct frame){ 0 });
			len = rng_range(&r->rng, 60, i % 8 ? 130 : 1518);
			octets(r, data, len);
			give(r, data, len);
		}
		rx_settle(r);
		tx_settle(r);
		CHECK_EQ(r->rx.count, sent.count, "received");
		CHECK_EQ(r->tx.count, r->give.count, "sent");
		for (size_t i = 0; i < sent.count && i < r->rx.count; i++)
			check_bytes_at(__FILE__, __LINE__, "received", r->rx.v[i].data, r->rx.v[i].len, sent.v[i].data,
				sent.v[i].len);
		for (size_t i = 0; i < r->tx.count && i < r->give.count; i++)
			check_bytes_at(__FILE__, __LINE__, "sent", r->tx.v[i].data, r->tx.v[i].len, r->give.v[i].data,
				r->give.v[i].len);
		for (size_t i = 0; i < r->rx.count; i++)
			CHECK(!r->rx.v[i].bad, "received frame %zu is bad", i);
		frames_free(&sent);
		rig_close(r);
	}
}

/* What feeds s_axis_tx is reset with it: the frame begins anew. */
static void reset(struct rig *r, unsigned clks)
{
	r->resets = true;
	r->in.rst = 1;
	r->in.s_axis_tx_tvalid = 0;
	r->give_octet = 0;
	r->taken = false;
	for (unsigned i = 0; i < clks; i++) {
		run_clks(r, 1);
		r->in.s_axis_tx_tvalid = 0;
		r->give_octet = 0;
	}
	r->in.rst = 0;
}

/* After any of reset, another speed, a clock that stood still: the first frame that begins afterwards is whole, what was cut
 * is marked, and no two frames are one. */
static void cut_anywhere(void)
{
	uint8_t data[300];

	for (unsigned kind = 0; kind < 4; kind++) {
		for (unsigned wait = 0; wait < 40; wait++) {
			struct rig *r = rig_open(16000, 41 + wait);
			size_t before;

			check_context("kind %u, wait %u", kind, wait);
			octets(r, data, sizeof data);
			for (unsigned i = 0; i < 4; i++) {
				phy_send(r->phy, data, sizeof data, NULL);
				give(r, data, sizeof data);
			}
			r->resets = true;
			run_ns(r, 3000 + 61 * wait);
			switch (kind) {
			case 0:
				reset(r, 1 + wait % 3);
				if (wait % 2)
					phy_flush(r->phy);
				break;
			case 1:
				phy_set(r->phy, PHY_100, true);
				for (unsigned i = 0; i < 60 && r->out.speed != PHY_100; i++)
					run_clks(r, 500);
				CHECK_EQ(r->out.speed, PHY_100, "speed");
				break;
			case 2:
				phy_stop(r->phy, true);
				run_ns(r, 200000);
				CHECK(!r->out.link, "link without a clock");
				if (wait % 2) {
					reset(r, 1);
					run_ns(r, 1000);
				}
				phy_stop(r->phy, false);
				/* Its time went on. */
				while (phy_next_ps(r->phy) < r->now) {
					struct phy_pins pins;

					phy_edge(r->phy, &pins);
				}
				break;
			case 3: /* another speed in the middle of a frame: what the core has of it ends */
				CHECK_EQ(reg_write(r, HF_ETH_CTRL, 1 | PHY_100 << 1), 0, "CTRL");
				phy_flush(r->phy);
				run_clks(r, 60);
				CHECK_EQ(r->len, 0, "octets of a frame without an end");
				CHECK_EQ(reg_write(r, HF_ETH_CTRL, PHY_1000 << 1), 0, "CTRL");
				for (unsigned i = 0; i < 60 && r->out.speed != PHY_1000; i++)
					run_clks(r, 500);
				CHECK_EQ(r->out.speed, PHY_1000, "speed");
				phy_forget(r->phy);
				break;
			}
			rx_settle(r);
			tx_settle(r);
			before = r->rx.count;
			for (size_t i = 0; i < before; i++)
				CHECK(r->rx.v[i].bad || (r->rx.v[i].len == sizeof data &&
								!memcmp(r->rx.v[i].data, data, sizeof data)),
					"a good frame that never was, %zu octets", r->rx.v[i].len);
			for (size_t i = 0; i < r->tx.count; i++)
				CHECK(r->tx.v[i].bad || (r->tx.v[i].len == sizeof data &&
								!memcmp(r->tx.v[i].data, data, sizeof data)),
					"sent: a good frame that never was, %zu octets", r->tx.v[i].len);
			phy_send(r->phy, data, 60, NULL);
			phy_send(r->phy, data, 61, NULL);
			rx_settle(r);
			if (CHECK_EQ(r->rx.count, before + 2, "frames after it")) {
				CHECK(!r->rx.v[before].bad && r->rx.v[before].len == 60, "the first frame after it");
				CHECK(!r->rx.v[before + 1].bad && r->rx.v[before + 1].len == 61,
					"the second frame after it");
			}
			rig_close(r);
		}
	}
}

/* ---- the PHY ---- */

static uint32_t mdio(struct rig *r, bool write, unsigned phy, unsigned reg, unsigned data)
{
	uint32_t value = 0;

	CHECK_EQ(reg_write(r, HF_ETH_MDIO,
			 (uint32_t)write << HF_ETH_MDIO_WRITE_LOW | phy << HF_ETH_MDIO_PHY_LOW |
				 reg << HF_ETH_MDIO_REGISTER_LOW | data),
		0, "MDIO begun");
	CHECK_EQ(reg_write(r, HF_ETH_MDIO, 0), 2, "MDIO while busy");
	for (unsigned i = 0; i < 600; i++) {
		value = reg_get(r, HF_ETH_MDIO);
		if (!(value >> HF_ETH_MDIO_BUSY_LOW))
			return value;
	}
	CHECK(false, "MDIO stays busy");
	return value;
}

static void mdio_reads_and_writes(void)
{
	struct rig *r = rig_open(16000, 51);

	for (unsigned reg = 0; reg < 11; reg++)
		CHECK_EQ(mdio(r, false, 0, reg, 0) & 0xffff, phy_register(r->phy, reg), "a register");
	mdio(r, true, 0, 17, 0xa5c3);
	CHECK_EQ(phy_register(r->phy, 17), 0xa5c3, "register 17");
	CHECK_EQ(mdio(r, false, 0, 17, 0) & 0xffff, 0xa5c3, "register 17, read");
	mdio(r, true, 3, 17, 0x1111);
	CHECK_EQ(phy_register(r->phy, 17), 0xa5c3, "register 17 after a write to another PHY");
	CHECK(mdio(r, false, 3, 17, 0) >> HF_ETH_MDIO_NO_ANSWER_LOW & 1, "PHY 3 answered");
	CHECK(!(mdio(r, false, 0, 17, 0) >> HF_ETH_MDIO_NO_ANSWER_LOW & 1), "PHY 0 did not answer");
	rig_close(r);
}

static void link_and_speed(void)
{
	struct rig *r = rig_open(16000, 52);
	uint32_t status;

	for (unsigned s = 0; s <= 2; s++) {
		speed(r, (enum phy_speed)s);
		run_clks(r, 9000); /* until the registers have been read */
		status = reg_get(r, HF_ETH_STATUS);
		CHECK_EQ(status & 0xff, 1 | s << 1 | 8 | 16, "STATUS");
		CHECK_EQ(status >> 10, 1 | (9 | s << 1) << 2, "STATUS, clock and in-band");
	}
	/* Half duplex is told as what it is. */
	speed(r, PHY_100);
	phy_partner(r->phy, 0x4001 | 1 << 7, 0);
	run_clks(r, 9000);
	CHECK_EQ(reg_get(r, HF_ETH_STATUS) & 0xf, 1 | 1 << 1, "STATUS at half duplex");
	speed(r, PHY_1000);
	phy_negotiating(r->phy, true);
	run_clks(r, 9000);
	CHECK(!r->out.link, "link before negotiation is complete");
	phy_negotiating(r->phy, false);
	run_clks(r, 9000);
	CHECK(r->out.link, "no link");
	/* An error within a frame looks like the pause between frames at one edge; what the PHY says there stands. */
	{
		static const struct phy_how error = { .er_at = 50 };
		static const uint8_t zeros[1500];

		speed(r, PHY_100);
		run_clks(r, 9000);
		phy_send(r->phy, zeros, sizeof zeros, &error);
		run_clks(r, 3000);
		CHECK(phy_pending(r->phy) > 0, "the frame is over");
		CHECK_EQ(reg_get(r, HF_ETH_STATUS) >> 12, 9 | 1 << 1, "in-band, within a frame");
		rx_settle(r);
		speed(r, PHY_1000);
		run_clks(r, 9000);
	}
	phy_set(r->phy, PHY_1000, false);
	run_clks(r, 8000);
	CHECK(!r->out.link, "link although the PHY has none");
	CHECK_EQ(r->out.speed, 2, "speed while the link is down");
	/* By hand. */
	phy_set(r->phy, PHY_100, false);
	CHECK_EQ(reg_write(r, HF_ETH_CTRL, 1 | 1 << 1), 0, "CTRL");
	run_clks(r, 20);
	CHECK(r->out.link && r->out.speed == 1, "forced: link %u speed %u", (unsigned)r->out.link,
		(unsigned)r->out.speed);
	CHECK_EQ(reg_write(r, HF_ETH_CTRL, 1 | 3 << 1), 2, "speed 3");
	CHECK_EQ(reg_get(r, HF_ETH_CTRL), 3, "CTRL");
	CHECK_EQ(reg_write(r, HF_ETH_CTRL, 4), 0, "CTRL");
	run_clks(r, 20);
	CHECK(!r->out.link, "still forced");
	rig_close(r);
}

/* A PHY elsewhere on MDIO is found; where none answers, the receive pins tell. */
static void phy_elsewhere(void)
{
	struct rig *r = rig_open(16000, 53);

	phy_close(r->phy);
	r->phy = phy_open(5, from_mac, r);
	phy_quiet_inband(r->phy, true);
	while (phy_next_ps(r->phy) < r->now) {
		struct phy_pins pins;

		phy_edge(r->phy, &pins);
	}
	phy_set(r->phy, PHY_100, true);
	run_clks(r, 40000);
	CHECK_EQ(reg_get(r, HF_ETH_STATUS) & 0x3ff, 1 | 1 << 1 | 8 | 16 | 5 << 5, "STATUS");
	phy_silent_mdio(r->phy, true);
	run_clks(r, 8000);
	CHECK(!r->out.link, "link although nobody says so");
	phy_quiet_inband(r->phy, false);
	run_clks(r, 200);
	CHECK(r->out.link && r->out.speed == 1, "in-band: link %u speed %u", (unsigned)r->out.link,
		(unsigned)r->out.speed);
	phy_set(r->phy, PHY_10, true);
	run_clks(r, 1000);
	CHECK(r->out.link && r->out.speed == 0, "in-band: link %u speed %u", (unsigned)r->out.link,
		(unsigned)r->out.speed);
	rig_close(r);
}

static void register_map(void)
{
	struct rig *r = rig_open(16000, 54);
	uint32_t value;

	CHECK_EQ(reg_get(r, HF_ETH_ID), 0x3043414d, "ID");
	CHECK_EQ(reg_get(r, HF_ETH_VERSION), 1, "VERSION");
	for (uint32_t at = 0; at < 0x1000; at++) {
		const bool mapped =
			at % 4 == 0 &&
			(at <= 0x10 || (at >= HF_ETH_COUNTER0_LO && at < HF_ETH_COUNTER0_LO + 8 * HF_ETH_CNT_COUNT));
		const unsigned response = reg_read(r, at, &value);

		CHECK(response == (mapped ? 0 : 2) && (mapped || !value), "read of 0x%03x: %u, 0x%x", at, response,
			value);
		if (at != HF_ETH_CTRL && at != HF_ETH_MDIO)
			CHECK_EQ(reg_write(r, at, 0), 2, "write to what cannot be written");
		if (at > 0x100)
			at += 0x6e;
	}
	CHECK_EQ(reg_write_strobe(r, HF_ETH_CTRL, 1, 7), 2, "partial write");
	CHECK_EQ(reg_get(r, HF_ETH_CTRL), 4, "CTRL");
	rig_close(r);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(rx_every_length), CASE_ONCE(rx_preambles), CASE_ONCE(rx_small_gaps), CASE_ONCE(rx_bad_frames),
		CASE_ONCE(rx_every_flipped_bit), CASE_ONCE(rx_overflow_is_counted),
		CASE_ONCE(tx_every_length), CASE_ONCE(tx_underflow_is_counted),
		CASE_ONCE(both_ways_drifting), CASE_ONCE(cut_anywhere),
		CASE_ONCE(mdio_reads_and_writes), CASE_ONCE(link_and_speed), CASE_ONCE(phy_elsewhere), CASE_ONCE(register_map),
		{ 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "eth", cases);
}
