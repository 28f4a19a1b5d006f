/* SPDX-License-Identifier: Apache-2.0
 * pcie_rig.c - the stand-ins for core and host around an endpoint. */
#include <stdlib.h>
#include <string.h>
#include "pcie_rig.h"

enum { QUIET = 1200, BOOT_CLOCKS = 100 }; /* clocks of the core; QUIET is longer than the reset value of MODERATION */

static bool hit(struct pcie_rig *g, uint8_t chance)
{
	return chance && (rng_next(&g->rng) >> 56) < chance;
}

/* ---- the core ---- */

static void say_beat(struct pcie_rig *g, uint64_t beat, bool last)
{
	if (g->say_tail == g->say_size) {
		const size_t held = g->say_tail - g->say_head, size = held < 1024 ? 4096 : 4 * held;
		uint64_t *said = malloc(size * sizeof *said);
		bool *said_last = malloc(size * sizeof *said_last);

		if (!said || !said_last)
			abort(); /* a test without memory is no test */
		if (held) {
			memcpy(said, g->said + g->say_head, held * sizeof *said);
			memcpy(said_last, g->said_last + g->say_head, held * sizeof *said_last);
		}
		free(g->said);
		free(g->said_last);
		g->said = said;
		g->said_last = said_last;
		g->say_head = 0;
		g->say_tail = held;
		g->say_size = size;
	}
	g->said[g->say_tail] = beat;
	g->said_last[g->say_tail++] = last;
}

void rig_say(struct pcie_rig *g, const void *msg, size_t len)
{
	for (size_t at = 0; at < len; at += 8) {
		uint64_t beat = 0;

		memcpy(&beat, (const uint8_t *)msg + at, len - at < 8 ? len - at : 8);
		say_beat(g, beat, at + 8 >= len);
	}
}

size_t rig_message(uint8_t *msg, unsigned type, size_t len, uint32_t seed)
{
	struct rng rng = { seed };

	for (size_t i = 0; i < len; i += 8) {
		const uint64_t v = rng_next(&rng);

		memcpy(msg + i, &v, len - i < 8 ? len - i : 8);
	}
	msg[HF_AT_HEADER_type] = (uint8_t)type;
	msg[HF_AT_HEADER_length] = (uint8_t)len;
	msg[HF_AT_HEADER_length + 1] = (uint8_t)(len >> 8);
	return len;
}

size_t rig_unsaid(const struct pcie_rig *g)
{
	return g->say_tail - g->say_head;
}

static void reset_core(struct pcie_rig *g)
{
	g->say_head = g->say_tail = 0;
	g->h2c_len = 0;
	g->axil_state = 0;
	g->out.s_axil_awready = g->out.s_axil_wready = g->out.s_axil_arready = 0;
	g->out.s_axil_bvalid = g->out.s_axil_rvalid = 0;
	g->out.m_axis_c2h_tvalid = 0;
	if (g->was_reset)
		return;
	g->was_reset = true;
	g->resets++;
	g->epoch++;
}

/* One access at a time, each after a while. */
static void axil(struct pcie_rig *g)
{
	struct hf_out *o = &g->out;
	const struct hf_in *i = &g->in;

	if (o->s_axil_bvalid && i->s_axil_bready)
		o->s_axil_bvalid = 0;
	if (o->s_axil_rvalid && i->s_axil_rready)
		o->s_axil_rvalid = 0;
	if (o->s_axil_awready) {
		const uint32_t at = (uint32_t)i->s_axil_awaddr / 4;

		o->s_axil_bvalid = 1;
		o->s_axil_bresp = at < RIG_REGS ? 0 : 2;
		if (at < RIG_REGS && i->s_axil_wstrb == 0xf)
			g->regs[at] = (uint32_t)i->s_axil_wdata;
	}
	if (o->s_axil_arready) {
		const uint32_t at = (uint32_t)i->s_axil_araddr / 4;

		o->s_axil_rvalid = 1;
		o->s_axil_rresp = at < RIG_REGS ? 0 : 2;
		o->s_axil_rdata = at < RIG_REGS ? g->regs[at] : 0;
	}
	o->s_axil_awready = o->s_axil_wready = !g->mute && i->s_axil_awvalid && i->s_axil_wvalid &&
					       !o->s_axil_awready && !o->s_axil_bvalid && !hit(g, 128);
	o->s_axil_arready = !g->mute && i->s_axil_arvalid && !o->s_axil_arready && !o->s_axil_rvalid && !hit(g, 128);
}

void rig_step(struct pcie_rig *g)
{
	struct hf_out *o = &g->out;

	g->clocks++;
	if (g->sim) {
		sim_step(g->sim);
		return;
	}
	pcie_link_clock(g->link, o, &g->in);
	if (g->in.rst) {
		reset_core(g);
		o->s_axis_h2c_tready = 0;
		return;
	}
	if (g->was_reset && !g->silent) {
		uint8_t hello[RIG_HELLO_BYTES];

		rig_message(hello, HF_MSG_HELLO, sizeof hello, g->epoch);
		memcpy(hello + HF_AT_HELLO_epoch, &g->epoch, 4);
		rig_say(g, hello, sizeof hello);
	}
	g->was_reset = false;

	if (o->m_axis_c2h_tvalid && g->in.m_axis_c2h_tready) {
		g->say_head++;
		o->m_axis_c2h_tvalid = 0;
	}
	if (!o->m_axis_c2h_tvalid && g->say_head < g->say_tail && !hit(g, g->say_gap)) {
		o->m_axis_c2h_tvalid = 1;
		o->m_axis_c2h_tdata[0] = g->said[g->say_head];
		o->m_axis_c2h_tlast = g->said_last[g->say_head];
	}
	if (g->in.s_axis_h2c_tvalid && o->s_axis_h2c_tready) {
		if (g->h2c_len + 8 <= sizeof g->h2c_message)
			memcpy(g->h2c_message + g->h2c_len, &g->in.s_axis_h2c_tdata[0], 8);
		g->h2c_len += 8;
		if (g->in.s_axis_h2c_tlast) {
			if (g->on_h2c)
				g->on_h2c(g->ctx, g->h2c_message, g->h2c_len);
			g->h2c_len = 0;
		}
	}
	o->s_axis_h2c_tready = !hit(g, g->h2c_stall);
	axil(g);
}

/* ---- the host's memory ---- */

static uint8_t *find(const struct pcie_rig *g, uint64_t address, size_t len, bool write)
{
	const struct rig_region *const regions[] = { &g->c2h, &g->h2c, &g->status };

	for (unsigned i = 0; i < 3; i++) {
		const struct rig_region *r = regions[i];

		if (r->bytes && address >= r->address && len <= r->size && address - r->address <= r->size - len &&
			!(write && r->read_only))
			return r->bytes + (address - r->address);
	}
	return NULL;
}

static bool host_write(void *ctx, uint64_t address, const uint8_t *data, size_t len)
{
	struct pcie_rig *g = ctx;
	uint8_t *p = find(g, address, len, true);

	if (!p)
		return false;
	if (p == g->status.bytes) {
		g->status_writes++;
		g->status_clock[1] = g->status_clock[0];
		g->status_clock[0] = g->link->clocks;
	}
	memcpy(p, data, len);
	return true;
}

static bool host_read(void *ctx, uint64_t address, uint8_t *data, size_t len)
{
	const uint8_t *p = find(ctx, address, len, false);

	if (!p)
		return false;
	memcpy(data, p, len);
	return true;
}

static void host_msi(void *ctx, uint64_t address, uint32_t data)
{
	struct pcie_rig *g = ctx;

	g->msi[address == PCIE_MSI_WINDOW && data < 8 ? data : 15]++;
}

static void step_rig(void *ctx)
{
	rig_step(ctx);
}

void rig_vectors(struct pcie_rig *g)
{
	for (uint32_t v = 0; v < HF_PCIE_VECTORS; v++) {
		pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 16 * v, (uint32_t)PCIE_MSI_WINDOW);
		pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 16 * v + 8, v);
		pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 16 * v + 12, 0);
	}
}

struct pcie_rig *rig_open(uint64_t seed)
{
	return rig_open_sim(NULL, seed);
}

struct pcie_rig *rig_open_sim(struct sim *s, uint64_t seed)
{
	struct pcie_rig *g = calloc(1, sizeof *g);
	const struct pcie_host host = { g, host_write, host_read, host_msi };

	if (!g)
		return NULL;
	g->rng.state = seed;
	g->sim = s;
	g->link = pcie_link_rtl(s, &host, seed);
	if (!g->link) {
		free(g);
		return NULL;
	}
	g->link->step = step_rig;
	g->link->step_ctx = g;
	g->h2c.read_only = true;
	rig_run(g, BOOT_CLOCKS);
	g->link->config.bus_master = true;
	g->link->config.msix_enable = true;
	rig_vectors(g);
	return g;
}

void rig_close(struct pcie_rig *g)
{
	if (!g)
		return;
	pcie_link_close(g->link);
	free(g->said);
	free(g->said_last);
	free(g->c2h.bytes);
	free(g->h2c.bytes);
	free(g->status.bytes);
	free(g);
}

void rig_run(struct pcie_rig *g, uint64_t clocks)
{
	while (clocks--)
		rig_step(g);
}

void rig_settle(struct pcie_rig *g, uint64_t max)
{
	const struct pcie_link *l = g->link;
	uint64_t still = 0;

	while (max-- && still < QUIET) {
		const uint64_t before = l->writes + l->reads + l->messages + rig_unsaid(g);

		rig_step(g);
		still = pcie_link_pending(l) || l->writes + l->reads + l->messages + rig_unsaid(g) != before
				? 0
				: still + 1;
	}
}

uint32_t rig_get(struct pcie_rig *g, uint32_t offset)
{
	uint32_t value;

	pcie_link_get32(g->link, HF_PCIE_BASE + offset, &value);
	return value;
}

void rig_set(struct pcie_rig *g, uint32_t offset, uint32_t value)
{
	pcie_link_set32(g->link, HF_PCIE_BASE + offset, value);
}

/* ---- the rings ---- */

static void region(struct rig_region *r, uint64_t address, size_t size)
{
	free(r->bytes);
	r->address = address;
	r->size = size;
	r->bytes = calloc(1, size);
	if (!r->bytes)
		abort();
}

void rig_enable(struct pcie_rig *g, uint32_t ctrl)
{
	g->c2h_head = g->h2c_tail = 0;
	memset(g->status.bytes, 0, g->status.size);
	rig_set(g, HF_PCIE_CTRL, ctrl);
	rig_get(g, HF_PCIE_CTRL); /* done when this is answered */
}

void rig_rings(struct pcie_rig *g, unsigned log2, uint64_t c2h, uint64_t h2c, uint64_t status)
{
	region(&g->c2h, c2h, (size_t)1 << log2);
	region(&g->h2c, h2c, (size_t)1 << log2);
	region(&g->status, status, 16);
	rig_set(g, HF_PCIE_C2H_BASE_LO, (uint32_t)c2h);
	rig_set(g, HF_PCIE_C2H_BASE_HI, (uint32_t)(c2h >> 32));
	rig_set(g, HF_PCIE_C2H_SIZE, log2);
	rig_set(g, HF_PCIE_H2C_BASE_LO, (uint32_t)h2c);
	rig_set(g, HF_PCIE_H2C_BASE_HI, (uint32_t)(h2c >> 32));
	rig_set(g, HF_PCIE_H2C_SIZE, log2);
	rig_set(g, HF_PCIE_STATUS_LO, (uint32_t)status);
	rig_set(g, HF_PCIE_STATUS_HI, (uint32_t)(status >> 32));
	rig_enable(g, 1u << HF_PCIE_CTRL_C2H_LOW | 1u << HF_PCIE_CTRL_H2C_LOW);
}

uint32_t rig_status(const struct pcie_rig *g, unsigned word)
{
	const uint8_t *p = g->status.bytes + 4 * (size_t)word;

	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint8_t ring_byte(const struct rig_region *r, uint32_t at)
{
	return r->bytes[at & (r->size - 1)];
}

int rig_poll(struct pcie_rig *g, bool give_back)
{
	const uint32_t tail = rig_status(g, 0), from = g->c2h_head;
	uint8_t msg[RIG_MESSAGE_MAX];
	int n = 0;

	while (tail - g->c2h_head >= 8) {
		const uint32_t at = g->c2h_head;
		const size_t len = ring_byte(&g->c2h, at + 2) | (size_t)ring_byte(&g->c2h, at + 3) << 8;

		if (len < HF_MSG_HEADER_BYTES || len > sizeof msg || tail - at > g->c2h.size)
			return -1;
		if ((len + 7) / 8 * 8 > tail - at)
			break;
		for (size_t i = 0; i < len; i++)
			msg[i] = ring_byte(&g->c2h, at + (uint32_t)i);
		g->c2h_head += (uint32_t)(len + 7) / 8 * 8;
		if (g->on_message)
			g->on_message(g->ctx, msg, len);
		n++;
	}
	if (give_back && g->c2h_head != from)
		rig_set(g, HF_PCIE_C2H_HEAD, g->c2h_head);
	return n;
}

bool rig_send(struct pcie_rig *g, const void *msg, size_t len)
{
	const uint32_t bytes = (uint32_t)(len + 7) / 8 * 8;

	if (g->h2c_tail + bytes - rig_status(g, 1) > g->h2c.size)
		return false;
	for (uint32_t i = 0; i < bytes; i++)
		g->h2c.bytes[(g->h2c_tail + i) & (g->h2c.size - 1)] = i < len ? ((const uint8_t *)msg)[i] : 0;
	g->h2c_tail += bytes;
	return true;
}

void rig_ring(struct pcie_rig *g)
{
	rig_set(g, HF_PCIE_H2C_TAIL, g->h2c_tail);
}
