/* SPDX-License-Identifier: Apache-2.0
 * pcie_link.c - a root complex at the pins of the Verilated endpoint: TLPs made and taken apart, checked against
 * the PCI Express Base Specification (sections in comments are of revision 4.0). */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../rng.h"
#include "../rtl_top.h"
#include "pcie_link.h"

#define RTL_TOP_PINS "pins_pcie_endpoint.def"
#define RTL_TOP_NAME pcie_endpoint
#include "../rtl_top_pins.h"

extern const struct rtl_top rtl_top_pcie_endpoint;

enum {
	BOOT_CLOCKS = 16,	 /* of either clock in reset at first */
	READS_MAX = 64,		 /* of the card, not completed; it has 8 tags */
	RETURNS_MAX = 1024,	 /* credits on their way back */
	QUEUE_SHORT = 4,	 /* TLPs that wait before completions are made */
	CONFIG_LAG = 4,		 /* clocks after which a change of configuration space holds */
	READ_TIMEOUT = 12500000, /* clocks of pcie_clk: 50 ms */
	FLR_TIMEOUT = 25000000,
	FLR_REST = 4
};

/* Fmt and Type (2.2.1.1) */
enum { MRD3 = 0x00, MRD4 = 0x20, MWR3 = 0x40, MWR4 = 0x60, CPL = 0x0a, CPLD = 0x4a };

struct tlp {
	struct tlp *next;
	size_t len;
	bool posted, foreign; /* foreign: of pcie_link_tlp() */
	uint8_t bytes[];
};

/* A read of the card. */
struct read {
	uint64_t address, due, since;
	size_t len, at;
	uint8_t tag;
	bool may_be_passed, fetched, refused, poisoned;
	bool forged; /* a completion that is not ours has named its tag: to the card it may have ended */
	uint8_t data[4096];
};

struct credit {
	uint64_t when;
	unsigned ph, pd, nph;
};

struct link {
	struct pcie_link base;
	struct sim *sim;
	void *top;
	struct pcie_endpoint_in in;
	struct pcie_endpoint_out out;
	struct rng rng;
	uint64_t core_ps, pcie_ps; /* of the next edge of either clock */
	unsigned boot_core, boot_pcie, hold_pcie_rst;
	bool caller_rst, wrote_rst;
	uint64_t dma_allowed; /* the last clock in which a TLP of DMA might be decided on */
	/* Sizes allowed in the clocks before, and when the TLP under way began. */
	size_t payload_was[CONFIG_LAG], read_was[CONFIG_LAG], payload_most, read_most;

	/* to the card */
	struct tlp *first, **last;
	size_t queued, at; /* at: bytes of the first that were taken; offered: its beat is on the pins */
	bool offered;
	bool moved;

	/* from the card */
	uint8_t tlp[PCIE_TLP_MAX + 16];
	size_t len;
	uint64_t begun;
	bool inside, stalled;
	uint64_t held_data, held_keep, held_last;
	struct read reads[READS_MAX];
	unsigned read_count;
	struct credit returns[RETURNS_MAX];
	unsigned return_first, return_count;
	unsigned used_ph, used_pd, used_nph;

	/* the MMIO read under way */
	uint8_t next_tag, tag;
	bool waiting, answered;
	uint32_t address;
	size_t want, lead, dwords;
	uint8_t *into;
	int result;

	bool flr;
	void (*on_completion)(void *ctx, const uint8_t *tlp, size_t len);
	void *completion_ctx;
	void (*on_tlp)(void *ctx, const uint8_t *tlp, size_t len, uint64_t clock);
	void *tlp_ctx;
};

static void fault(struct link *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fault(struct link *l, const char *format, ...)
{
	va_list args;
	int n;

	if (l->base.faults++)
		return;
	n = snprintf(l->base.fault, sizeof l->base.fault, "clock %" PRIu64 ": ", l->base.clocks);
	va_start(args, format);
	vsnprintf(l->base.fault + n, sizeof l->base.fault - (size_t)n, format, args);
	va_end(args);
}

static bool hit(struct link *l, uint8_t chance)
{
	return chance && (rng_next(&l->rng) >> 56) < chance;
}

static uint64_t between(struct link *l, uint64_t low, uint64_t high)
{
	return high > low ? low + (rng_next(&l->rng) >> 32) % (high - low + 1) : low;
}

/* Dwords of a header stand with their most significant byte first (2.1.2). */
static uint32_t get_dw(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_dw(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint64_t get_le64(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n && i < 8; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static size_t size_of(unsigned code)
{
	return code > 5 ? 128 : (size_t)128 << code;
}

/* ---- to the card ---- */

static struct tlp *queue(struct link *l, size_t len, bool posted)
{
	struct tlp *t = calloc(1, sizeof *t + (len + 7) / 8 * 8);

	if (!t)
		return NULL;
	t->len = len;
	t->posted = posted;
	*l->last = t;
	l->last = &t->next;
	l->queued++;
	return t;
}

/* A completion that a test has made up, and that may end a read: what the card asks for from now on does not count with that one. */
static void forge(struct link *l, const struct tlp *t)
{
	if ((t->bytes[0] & 0x1e) != 0x0a || t->len < 12)
		return;
	for (unsigned i = 0; i < l->read_count; i++)
		l->reads[i].forged |= l->reads[i].tag == t->bytes[10];
}

static void dequeue(struct link *l)
{
	struct tlp *t = l->first;

	if (t->foreign)
		forge(l, t);
	l->first = t->next;
	if (!l->first)
		l->last = &l->first;
	l->queued--;
	l->at = 0;
	free(t);
}

/* What was queued and has not begun goes; of MMIO writes only, or all. */
static void drop_waiting(struct link *l, bool all)
{
	struct tlp **p = &l->first;

	if (*p && (l->at || l->offered))
		p = &(*p)->next;
	while (*p) {
		struct tlp *t = *p;

		if (all || t->posted) {
			*p = t->next;
			l->queued--;
			free(t);
		} else {
			p = &t->next;
		}
	}
	l->last = p;
}

static void drive(struct link *l)
{
	size_t left;

	if (!l->offered) {
		if (!l->first || (hit(l, l->base.disorder.rx_bubble) && !l->hold_pcie_rst)) {
			l->in.s_axis_tlp_tvalid = 0;
			l->in.s_axis_tlp_tdata = rng_next(&l->rng);
			l->in.s_axis_tlp_tkeep = rng_next(&l->rng) & 0xff;
			l->in.s_axis_tlp_tlast = rng_next(&l->rng) & 1;
			return;
		}
		left = l->first->len - l->at;
		l->in.s_axis_tlp_tdata = get_le64(l->first->bytes + l->at, 8);
		l->in.s_axis_tlp_tkeep = left > 4 ? 0xff : 0x0f;
		l->in.s_axis_tlp_tlast = left <= 8;
		l->in.s_axis_tlp_tvalid = 1;
		l->offered = true;
	}
}

/* The next piece of the oldest read that is due and that no read before it holds up (2.3.1.1, 2.4.1). */
static void complete(struct link *l)
{
	struct pcie_link *b = &l->base;
	struct read *r = NULL;
	struct tlp *t;
	size_t piece, bytes;
	unsigned i, status;

	for (i = 0; i < l->read_count; i++) {
		if (l->reads[i].due <= b->clocks) {
			r = &l->reads[i];
			break;
		}
		if (!l->reads[i].may_be_passed)
			return;
	}
	if (!r || l->queued > QUEUE_SHORT)
		return;
	if (!r->fetched) {
		r->fetched = true;
		if (!r->refused && (!b->host.read || !b->host.read(b->host.ctx, r->address, r->data, r->len))) {
			r->refused = true;
			b->refused++;
		}
	}
	status = r->refused ? 1 : 0;
	bytes = r->len - r->at;
	piece = bytes;
	if (hit(l, b->disorder.split) && piece > 64 - (r->address + r->at) % 64)
		piece = 64 - (r->address + r->at) % 64;
	if (piece > size_of(b->config.max_payload)) {
		piece = size_of(b->config.max_payload);
		piece -= (r->address + r->at + piece) % 64;
	}
	t = queue(l, 12 + (status ? 0 : piece), false);
	if (!t)
		return;
	put_dw(t->bytes, (uint32_t)(status ? CPL : CPLD) << 24 | (r->poisoned ? 1u << 14 : 0) |
				 (status ? 0 : (uint32_t)(piece / 4) & 0x3ff));
	put_dw(t->bytes + 4, (uint32_t)status << 13 | ((uint32_t)bytes & 0xfff));
	put_dw(t->bytes + 8,
		(uint32_t)b->config.id << 16 | (uint32_t)r->tag << 8 | ((uint32_t)(r->address + r->at) & 0x7f));
	if (!status)
		memcpy(t->bytes + 12, r->data + r->at, piece);
	r->at += piece;
	r->due = b->clocks + between(l, 0, b->disorder.read_max / 4);
	if (status || r->at == r->len) {
		memmove(&l->reads[i], &l->reads[i + 1], (l->read_count - i - 1) * sizeof *r);
		l->read_count--;
	}
}

/* ---- from the card ---- */

static unsigned free_of(unsigned most, unsigned used)
{
	return most > used ? most - used : 0;
}

static void give_back(struct link *l)
{
	while (l->return_count && l->returns[l->return_first].when <= l->base.clocks) {
		const struct credit *c = &l->returns[l->return_first];

		l->used_ph -= c->ph;
		l->used_pd -= c->pd;
		l->used_nph -= c->nph;
		l->return_first = (l->return_first + 1) % RETURNS_MAX;
		l->return_count--;
	}
}

static void spend(struct link *l, unsigned ph, unsigned pd, unsigned nph)
{
	const struct credit c = { l->base.clocks + l->base.config.credit_delay, ph, pd, nph };

	if (l->return_count == RETURNS_MAX) {
		fault(l, "more TLPs than there can be credits");
		return;
	}
	l->used_ph += ph;
	l->used_pd += pd;
	l->used_nph += nph;
	l->returns[(l->return_first + l->return_count++) % RETURNS_MAX] = c;
}

/* What the first beat of a TLP of the card must keep to in this clock. */
static void check_begin(struct link *l, uint64_t data)
{
	const uint8_t kind = (uint8_t)data;
	const uint32_t dw0 = (uint32_t)(data & 0xff) << 24 | (uint32_t)(data >> 8 & 0xff) << 16 |
			     (uint32_t)(data >> 16 & 0xff) << 8 | (uint32_t)(data >> 24 & 0xff);
	const unsigned dwords = dw0 & 0x3ff ? dw0 & 0x3ff : 1024;
	const struct pcie_config *c = &l->base.config;

	if (kind == CPL || kind == CPLD)
		return;
	if (l->base.clocks > l->dma_allowed + CONFIG_LAG)
		fault(l, "a request without Bus Master Enable, or during a reset");
	if (kind == MWR3 || kind == MWR4) {
		if (!free_of(c->ph, l->used_ph) || free_of(c->pd, l->used_pd) < (dwords + 3) / 4)
			fault(l, "a write of %u dwords without credit", dwords);
	} else if (!free_of(c->nph, l->used_nph)) {
		fault(l, "a read without credit");
	}
}

static void take_write(struct link *l, uint64_t address, const uint8_t *data, size_t len)
{
	struct pcie_link *b = &l->base;

	if (len == 4 && address >= PCIE_MSI_WINDOW && address < PCIE_MSI_WINDOW + PCIE_MSI_WINDOW_SIZE) {
		b->messages++;
		if (b->host.msi)
			b->host.msi(b->host.ctx, address, (uint32_t)get_le64(data, 4));
		return;
	}
	b->writes++;
	b->write_bytes += len;
	if (b->host.write && !b->host.write(b->host.ctx, address, data, len))
		b->refused++;
}

static void take_read(struct link *l, uint64_t address, size_t len, uint8_t tag)
{
	struct pcie_link *b = &l->base;
	struct read *r;
	unsigned outstanding = 0;

	b->reads++;
	b->read_bytes += len;
	for (unsigned i = 0; i < l->read_count; i++) {
		if (l->reads[i].forged || (b->read_timeout && b->clocks - l->reads[i].since >= b->read_timeout))
			continue;
		outstanding++;
		if (l->reads[i].tag == tag)
			fault(l, "tag %u is used twice", tag);
	}
	if (outstanding >= 8)
		fault(l, "more than 8 reads outstanding");
	if (tag > 31)
		fault(l, "tag %u needs Extended Tag Field Enable", tag);
	if (hit(l, b->disorder.drop) || l->read_count == READS_MAX)
		return;
	r = &l->reads[l->read_count++];
	r->address = address;
	r->len = len;
	r->at = 0;
	r->tag = tag;
	r->since = b->clocks;
	r->fetched = r->forged = false;
	r->due = b->clocks + between(l, b->disorder.read_min, b->disorder.read_max);
	r->may_be_passed = hit(l, b->disorder.reorder);
	r->refused = hit(l, b->disorder.refuse);
	r->poisoned = hit(l, b->disorder.poison);
}

/* A memory request of the card (2.2.4.1, 2.2.5, 2.2.7). */
static void take_request(struct link *l)
{
	const uint8_t *t = l->tlp;
	const struct pcie_config *c = &l->base.config;
	const uint8_t kind = t[0];
	const bool four = kind & 0x20, write = kind & 0x40;
	const size_t header = four ? 16 : 12;
	const uint32_t dw0 = get_dw(t), dw1 = get_dw(t + 4);
	const size_t dwords = dw0 & 0x3ff ? dw0 & 0x3ff : 1024, bytes = 4 * dwords;
	const uint64_t address = four ? (uint64_t)get_dw(t + 8) << 32 | get_dw(t + 12) : get_dw(t + 8);
	const uint32_t enables = dw1 & 0xff;

	if (l->len != header + (write ? bytes : 0)) {
		fault(l, "a request of %zu dwords in %zu bytes", dwords, l->len);
		return;
	}
	if (dw0 & 0x00fffc00)
		fault(l, "header 0x%08" PRIx32 ": bits that should be 0", dw0);
	if (dw1 >> 16 != c->id)
		fault(l, "requester 0x%04" PRIx32, dw1 >> 16);
	if (address & 3)
		fault(l, "address 0x%" PRIx64, address);
	if (four && !(address >> 32))
		fault(l, "a header of 4 dwords for an address below 4 GiB");
	if (enables != (dwords == 1 ? 0x0f : 0xff))
		fault(l, "byte enables 0x%02" PRIx32, enables);
	if (address % 4096 + bytes > 4096)
		fault(l, "%zu bytes at 0x%" PRIx64 " cross 4 KiB", bytes, address);
	if (bytes > (write ? l->payload_most : l->read_most))
		fault(l, "%zu bytes are more than Max_%s_Size", bytes, write ? "Payload" : "Read_Request");
	if (write) {
		spend(l, 1, (unsigned)(dwords + 3) / 4, 0);
		take_write(l, address, t + header, bytes);
	} else {
		spend(l, 0, 0, 1);
		take_read(l, address, bytes, (uint8_t)(dw1 >> 8));
	}
}

/* The answer to an MMIO read (2.2.9, 2.3.1.1). */
static void take_completion(struct link *l)
{
	const uint8_t *t = l->tlp;
	const uint32_t dw0 = get_dw(t), dw1 = get_dw(t + 4), dw2 = get_dw(t + 8);
	const bool data = t[0] == CPLD;
	const size_t dwords = dw0 & 0x3ff ? dw0 & 0x3ff : 1024;
	const unsigned status = dw1 >> 13 & 7;

	if (l->len < 12 || l->len != 12 + (data ? 4 * dwords : 0)) {
		fault(l, "a completion of %zu bytes", l->len);
		return;
	}
	if (!l->waiting || l->answered || dw2 >> 16 || (dw2 >> 8 & 0xff) != l->tag) {
		if (l->on_completion)
			l->on_completion(l->completion_ctx, t, l->len);
		else
			fault(l, "a completion of nothing, tag %u", (unsigned)(dw2 >> 8 & 0xff));
		return;
	}
	l->answered = true;
	if (dw1 >> 16 != l->base.config.id)
		fault(l, "completer 0x%04" PRIx32, dw1 >> 16);
	if ((dw1 & 0xfff) != (l->want & 0xfff) || (dw2 & 0x7f) != (l->address & 0x7f))
		fault(l, "byte count %u, lower address 0x%02x of a read of %zu at 0x%" PRIx32, (unsigned)dw1 & 0xfff,
			(unsigned)dw2 & 0x7f, l->want, l->address);
	if ((status == 0) != data || (data && dwords != l->dwords) || (status && status != 1)) {
		fault(l, "status %u with %zu dwords for %zu", status, data ? dwords : 0, l->dwords);
		l->result = -EIO;
	} else if (status) {
		l->result = -EIO;
	} else {
		memcpy(l->into, t + 12 + l->lead, l->want);
		l->result = 0;
	}
}

static void take_tlp(struct link *l)
{
	if (l->on_tlp)
		l->on_tlp(l->tlp_ctx, l->tlp, l->len, l->begun);
	switch (l->tlp[0]) {
	case MRD3:
	case MRD4:
	case MWR3:
	case MWR4:
		take_request(l);
		break;
	default:
		if ((l->tlp[0] & 0xbe) == CPL)
			take_completion(l);
		else
			fault(l, "a TLP of type 0x%02x", l->tlp[0]);
	}
}

/* The card's output pins in this clock. */
static void watch(struct link *l)
{
	const bool valid = l->out.m_axis_tlp_tvalid, ready = l->in.m_axis_tlp_tready;
	const uint64_t data = l->out.m_axis_tlp_tdata, keep = l->out.m_axis_tlp_tkeep;
	const bool last = l->out.m_axis_tlp_tlast;

	if (l->inside && !valid)
		fault(l, "m_axis_tlp: a gap inside a TLP");
	if (l->stalled && (!valid || data != l->held_data || keep != l->held_keep || last != l->held_last))
		fault(l, "m_axis_tlp: a beat that was not taken changed");
	l->stalled = valid && !ready;
	if (l->out.cfg_flr_done && l->read_count)
		fault(l, "reset done with a read outstanding");
	if (l->out.cfg_flr_done && l->inside && l->len && !(l->tlp[0] & 0x1f))
		fault(l, "reset done with a request half sent");
	if (!valid)
		return;
	l->held_data = data;
	l->held_keep = keep;
	l->held_last = last;
	if (!l->inside) {
		l->inside = true;
		l->len = 0;
		l->begun = l->base.clocks;
		l->payload_most = l->read_most = 0;
		for (unsigned i = 0; i < CONFIG_LAG; i++) {
			l->payload_most = l->payload_was[i] > l->payload_most ? l->payload_was[i] : l->payload_most;
			l->read_most = l->read_was[i] > l->read_most ? l->read_was[i] : l->read_most;
		}
		check_begin(l, data);
	}
	if (!ready)
		return;
	l->moved = true;
	if (keep != 0xff && !(last && keep == 0x0f))
		fault(l, "m_axis_tlp: tkeep 0x%02" PRIx64, keep);
	if (keep == 0x0f && data >> 32)
		fault(l, "m_axis_tlp: bytes beyond tkeep are not 0");
	if (l->len + 8 > sizeof l->tlp) {
		fault(l, "m_axis_tlp: no end of a TLP");
		l->len = 0;
	}
	for (unsigned i = 0; i < 8; i++)
		l->tlp[l->len + i] = (uint8_t)(data >> 8 * i);
	l->len += keep == 0x0f ? 4 : 8;
	if (last) {
		l->inside = false;
		take_tlp(l);
	}
}

/* ---- clocks ---- */

static void eval(struct link *l)
{
	rtl_top_pcie_endpoint.eval(l->top, &l->in, &l->out);
}

static void pcie_edge(struct link *l)
{
	struct pcie_link *b = &l->base;
	const struct pcie_config *c = &b->config;
	bool taken;

	l->in.pcie_rst = l->boot_pcie || l->hold_pcie_rst;
	if (l->boot_pcie)
		l->boot_pcie--;
	if (l->hold_pcie_rst)
		l->hold_pcie_rst--;
	give_back(l);
	if (!l->in.pcie_rst)
		complete(l);
	if (!l->in.pcie_rst)
		drive(l);
	else
		l->in.s_axis_tlp_tvalid = 0;
	if (c->bus_master && !l->flr && !l->in.pcie_rst)
		l->dma_allowed = b->clocks;
	l->payload_was[b->clocks % CONFIG_LAG] = size_of(c->max_payload);
	l->read_was[b->clocks % CONFIG_LAG] = size_of(c->max_read);
	l->in.m_axis_tlp_tready = !hit(l, b->disorder.tx_stall);
	l->in.cfg_bus_master = c->bus_master;
	l->in.cfg_max_payload = c->max_payload & 7;
	l->in.cfg_max_read = c->max_read & 7;
	l->in.cfg_id = c->id;
	l->in.cfg_msix_enable = c->msix_enable;
	l->in.cfg_msix_mask = c->msix_mask;
	l->in.cfg_flr = l->flr;
	l->in.fc_ph = free_of(c->ph, l->used_ph) & 0xff;
	l->in.fc_pd = free_of(c->pd, l->used_pd) & 0xfff;
	l->in.fc_nph = free_of(c->nph, l->used_nph) & 0xff;

	if (l->in.pcie_rst) {
		l->inside = l->stalled = l->offered = false;
	} else {
		watch(l);
	}
	taken = l->in.s_axis_tlp_tvalid && l->out.s_axis_tlp_tready && !l->in.pcie_rst;
	l->in.pcie_clk = 1;
	eval(l);
	l->in.pcie_clk = 0;
	eval(l);
	b->clocks++;
	if (taken) {
		l->moved = true;
		l->offered = false;
		l->at += 8;
		if (l->at >= l->first->len)
			dequeue(l);
	}
}

/* The core's AXI-Lite pins, which the simulator shares (struct sim_outlet): while it has them the endpoint's access waits for
 * its readies. */
static void axil_pins(struct link *l, const struct hf_out *out, struct hf_in *in)
{
	const struct pcie_endpoint_out *o = &l->out;
	const bool under_way =
		o->m_axil_awvalid || o->m_axil_wvalid || o->m_axil_bready || o->m_axil_arvalid || o->m_axil_rready;
	bool ours = true;

	if (l->sim) {
		l->sim->axil_busy = under_way && (l->sim->axil_busy || !l->sim->axil_wanted);
		ours = l->sim->axil_busy || !l->sim->axil_wanted;
	}
	l->in.m_axil_awready = ours && out->s_axil_awready;
	l->in.m_axil_wready = ours && out->s_axil_wready;
	l->in.m_axil_bvalid = ours && out->s_axil_bvalid;
	l->in.m_axil_bresp = out->s_axil_bresp;
	l->in.m_axil_arready = ours && out->s_axil_arready;
	l->in.m_axil_rvalid = ours && out->s_axil_rvalid;
	l->in.m_axil_rdata = out->s_axil_rdata;
	l->in.m_axil_rresp = out->s_axil_rresp;
	if (!ours)
		return;
	in->s_axil_awaddr = o->m_axil_awaddr;
	in->s_axil_awvalid = o->m_axil_awvalid;
	in->s_axil_wdata = o->m_axil_wdata;
	in->s_axil_wstrb = o->m_axil_wstrb;
	in->s_axil_wvalid = o->m_axil_wvalid;
	in->s_axil_bready = o->m_axil_bready;
	in->s_axil_araddr = o->m_axil_araddr;
	in->s_axil_arvalid = o->m_axil_arvalid;
	in->s_axil_rready = o->m_axil_rready;
}

static bool link_clock(struct pcie_link *b, const struct hf_out *out, struct hf_in *in)
{
	struct link *l = (struct link *)b;
	uint64_t end;

	if (l->sim)
		b->core_period_ps = l->sim->period_ps;
	/* The pin rst stays in `in` from clock to clock: what is there and not from us is the caller's. */
	if ((in->rst != 0) != l->wrote_rst)
		l->caller_rst = in->rst != 0;
	l->in.rst = l->caller_rst || l->boot_core;
	if (l->boot_core)
		l->boot_core--;

	/* The pins in this clock of the core: the outputs depend on registers alone. */
	in->rst = l->out.core_rst || l->caller_rst;
	l->wrote_rst = in->rst != 0;
	in->m_axis_c2h_tready = l->out.s_axis_c2h_tready;
	in->s_axis_h2c_tdata[0] = l->out.m_axis_h2c_tdata;
	in->s_axis_h2c_tvalid = l->out.m_axis_h2c_tvalid;
	in->s_axis_h2c_tlast = l->out.m_axis_h2c_tlast;
	axil_pins(l, out, in);
	l->in.s_axis_c2h_tdata = out->m_axis_c2h_tdata[0];
	l->in.s_axis_c2h_tvalid = out->m_axis_c2h_tvalid;
	l->in.s_axis_c2h_tlast = out->m_axis_c2h_tlast;
	l->in.m_axis_h2c_tready = out->s_axis_h2c_tready;

	l->moved = l->in.s_axis_c2h_tvalid && l->out.s_axis_c2h_tready;
	end = l->core_ps + b->core_period_ps;
	while (l->pcie_ps < end) {
		pcie_edge(l);
		l->pcie_ps += b->pcie_period_ps;
	}
	l->core_ps = end;
	l->in.clk = 1;
	eval(l);
	l->in.clk = 0;
	eval(l);
	/* A core that is not ready has its HELLO still to say. */
	return l->moved || l->queued || l->read_count || !out->ready;
}

static bool outlet_clock(void *ctx, const struct hf_out *out, struct hf_in *in)
{
	return link_clock(ctx, out, in);
}

/* ---- what the user asks for ---- */

static int read_request(struct link *l, uint32_t offset, uint8_t *data, size_t len)
{
	const uint32_t first = offset & ~3u;
	const size_t dwords = (offset + len + 3 - first) / 4;
	struct tlp *t = queue(l, 12, false);
	unsigned first_be = 0xf << (offset & 3) & 0xf, last_be = 0xf >> (-(offset + len) & 3);
	const uint64_t begun = l->base.clocks;

	if (!t)
		return -ENOMEM;
	if (dwords == 1) {
		first_be &= last_be;
		last_be = 0;
	}
	l->tag = l->next_tag++;
	put_dw(t->bytes, (uint32_t)dwords & 0x3ff);
	put_dw(t->bytes + 4, (uint32_t)l->tag << 8 | last_be << 4 | first_be);
	put_dw(t->bytes + 8, first);
	l->address = offset;
	l->want = len;
	l->lead = offset & 3;
	l->dwords = dwords;
	l->into = data;
	l->answered = false;
	l->waiting = true;
	l->result = -ETIMEDOUT;
	while (!l->answered && l->base.clocks - begun < READ_TIMEOUT)
		l->base.step(l->base.step_ctx);
	l->waiting = false;
	return l->result;
}

static int link_read(struct pcie_link *b, uint32_t offset, void *data, size_t len)
{
	struct link *l = (struct link *)b;
	uint8_t *p = data;
	int r = 0;

	if (!len || offset >= PCIE_BAR0_BYTES || len > PCIE_BAR0_BYTES - offset)
		return -EINVAL;
	memset(p, 0xff, len);
	for (size_t at = 0, n; at < len && !r; at += n) {
		n = 4096 - (offset + at) % 4096;
		if (n > len - at)
			n = len - at;
		r = read_request(l, (uint32_t)(offset + at), p + at, n);
	}
	if (r)
		memset(p, 0xff, len);
	return r;
}

static int link_write(struct pcie_link *b, uint32_t offset, const void *data, size_t len)
{
	struct link *l = (struct link *)b;
	const uint8_t *p = data;

	if (!len || offset >= PCIE_BAR0_BYTES || len > PCIE_BAR0_BYTES - offset)
		return -EINVAL;
	/* A multiple of 128 bytes is never across 4 KiB, nor more than any Max_Payload_Size. */
	for (size_t at = 0, n; at < len; at += n) {
		const uint32_t from = offset + (uint32_t)at, first = from & ~3u;
		unsigned first_be, last_be;
		size_t dwords;
		struct tlp *t;

		n = 128 - from % 128;
		if (n > len - at)
			n = len - at;
		dwords = (from + n + 3 - first) / 4;
		t = queue(l, 12 + 4 * dwords, true);
		if (!t)
			return -ENOMEM;
		first_be = 0xf << (from & 3) & 0xf;
		last_be = 0xf >> (-(from + n) & 3);
		if (dwords == 1) {
			first_be &= last_be;
			last_be = 0;
		}
		put_dw(t->bytes, (uint32_t)MWR3 << 24 | (uint32_t)dwords);
		put_dw(t->bytes + 4, last_be << 4 | first_be);
		put_dw(t->bytes + 8, first);
		memcpy(t->bytes + 12 + (from & 3), p + at, n);
	}
	return 0;
}

static int link_flr(struct pcie_link *b)
{
	struct link *l = (struct link *)b;
	const uint64_t begun = b->clocks;
	int r = 0;

	drop_waiting(l, false);
	l->flr = true;
	do {
		b->step(b->step_ctx);
		if (b->clocks - begun > FLR_TIMEOUT)
			r = -ETIMEDOUT;
	} while (!r && !l->out.cfg_flr_done);
	drop_waiting(l, false);
	l->flr = false;
	while (!r && l->out.cfg_flr_done) {
		b->step(b->step_ctx);
		if (b->clocks - begun > FLR_TIMEOUT)
			r = -ETIMEDOUT;
	}
	for (unsigned i = 0; i < FLR_REST; i++)
		b->step(b->step_ctx);
	return r;
}

static void link_close(struct pcie_link *b)
{
	struct link *l = (struct link *)b;

	if (l->sim)
		l->sim->outlet[0] = (struct sim_outlet){ 0 };
	while (l->first)
		dequeue(l);
	rtl_top_pcie_endpoint.free(l->top);
	free(l);
}

static const struct pcie_link_ops ops = { link_clock, link_read, link_write, link_flr, link_close };

static void step_sim(void *ctx)
{
	sim_step(ctx);
}

struct pcie_link *pcie_link_rtl(struct sim *s, const struct pcie_host *host, uint64_t seed)
{
	struct link *l;

	if (s && s->beat != 8) {
		errno = ENOTSUP;
		return NULL;
	}
	l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->top = rtl_top_pcie_endpoint.create(seed);
	if (!l->top) {
		free(l);
		return NULL;
	}
	l->base.ops = &ops;
	l->base.host = *host;
	l->base.config = (struct pcie_config){ .id = 0x0100, .ph = 0xff, .pd = 0xfff, .nph = 0xff };
	l->base.pcie_period_ps = 4000;
	l->base.core_period_ps = s ? s->period_ps : 6400;
	l->sim = s;
	l->rng.state = seed;
	l->last = &l->first;
	l->boot_core = l->boot_pcie = BOOT_CLOCKS;
	l->in.rst = l->in.pcie_rst = 1;
	eval(l);
	if (s) {
		l->base.step = step_sim;
		l->base.step_ctx = s;
		s->outlet[0] = (struct sim_outlet){ outlet_clock, l };
	}
	return &l->base;
}

int pcie_link_tlp(struct pcie_link *b, const void *tlp, size_t len)
{
	struct tlp *t;

	if (!len || len > PCIE_TLP_MAX)
		return -EINVAL;
	t = queue((struct link *)b, (len + 3) / 4 * 4, false);
	if (!t)
		return -ENOMEM;
	t->foreign = true;
	memcpy(t->bytes, tlp, len);
	return 0;
}

void pcie_link_on_completion(struct pcie_link *b, void (*f)(void *ctx, const uint8_t *tlp, size_t len), void *ctx)
{
	struct link *l = (struct link *)b;

	l->on_completion = f;
	l->completion_ctx = ctx;
}

void pcie_link_on_tlp(
	struct pcie_link *b, void (*f)(void *ctx, const uint8_t *tlp, size_t len, uint64_t clock), void *ctx)
{
	struct link *l = (struct link *)b;

	l->on_tlp = f;
	l->tlp_ctx = ctx;
}

size_t pcie_link_pending(const struct pcie_link *b)
{
	const struct link *l = (const struct link *)b;

	return l->queued + l->read_count;
}

void pcie_link_reset(struct pcie_link *b, unsigned n)
{
	struct link *l = (struct link *)b;

	if (l->first && (l->at || l->offered))
		dequeue(l);
	l->offered = false;
	drop_waiting(l, true);
	l->read_count = 0;
	l->used_ph = l->used_pd = l->used_nph = 0;
	l->return_count = 0;
	l->hold_pcie_rst = n;
	while (l->hold_pcie_rst)
		b->step(b->step_ctx);
}

void pcie_link_flr_pin(struct pcie_link *b, bool level)
{
	((struct link *)b)->flr = level;
}

bool pcie_link_flr_done(const struct pcie_link *b)
{
	return ((const struct link *)b)->out.cfg_flr_done;
}
