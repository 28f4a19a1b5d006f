/* SPDX-License-Identifier: Apache-2.0
 * pcie_functional_bar.c - BAR0 of the functional card: registers of the endpoint, those of the core through AXI-Lite, MSI-X table. */
#include <stdlib.h>
#include <string.h>
#include "pcie_functional.h"

/* ---- registers of the endpoint ---- */

static void write_ctrl(struct functional *f, uint32_t value)
{
	f->ctrl =
		value & (1u << HF_PCIE_CTRL_C2H_LOW | 1u << HF_PCIE_CTRL_H2C_LOW | 1u << HF_PCIE_CTRL_KEEP_ON_FLR_LOW);
	if (value >> HF_PCIE_CTRL_CORE_RESET_LOW & 1)
		f->core_reset = CORE_RESET_CLOCKS;
}

static void write_in_use(struct functional *f, bool in_use, uint32_t *at, uint32_t value)
{
	if (in_use)
		raise_error(f, HF_PCIE_ERROR_BUSY_LOW);
	else
		*at = value;
}

static void write_register(struct functional *f, uint32_t offset, uint32_t value)
{
	const bool c2h = enabled(f, 0) || c2h_active(f), h2c = enabled(f, 1) || h2c_active(f);

	switch (offset) {
	case HF_PCIE_CTRL:
		write_ctrl(f, value);
		return;
	case HF_PCIE_ERROR:
		f->error &= ~value;
		f->dirty = true;
		return;
	case HF_PCIE_C2H_BASE_LO:
		write_in_use(f, c2h, &f->base_lo[0], value & 0xfffff000);
		return;
	case HF_PCIE_C2H_BASE_HI:
		write_in_use(f, c2h, &f->base_hi[0], value);
		return;
	case HF_PCIE_C2H_SIZE:
		write_in_use(f, c2h, &f->size_log2[0], value & 31);
		return;
	case HF_PCIE_C2H_HEAD:
		functional_doorbell(f, false, value);
		return;
	case HF_PCIE_H2C_BASE_LO:
		write_in_use(f, h2c, &f->base_lo[1], value & 0xfffff000);
		return;
	case HF_PCIE_H2C_BASE_HI:
		write_in_use(f, h2c, &f->base_hi[1], value);
		return;
	case HF_PCIE_H2C_SIZE:
		write_in_use(f, h2c, &f->size_log2[1], value & 31);
		return;
	case HF_PCIE_H2C_TAIL:
		functional_doorbell(f, true, value);
		return;
	case HF_PCIE_STATUS_LO:
		write_in_use(f, c2h || h2c, &f->status_lo, value & 0xffffffc0);
		return;
	case HF_PCIE_STATUS_HI:
		write_in_use(f, c2h || h2c, &f->status_hi, value);
		return;
	case HF_PCIE_MODERATION:
		f->moderation = value & 0xfffff;
		return;
	case HF_PCIE_TIMEOUT:
		f->timeout = value;
		return;
	default: /* read-only, or none */
		return;
	}
}

static uint32_t read_register(const struct functional *f, uint32_t offset)
{
	switch (offset) {
	case HF_PCIE_ID:
		return HF_PCIE_RESET_ID;
	case HF_PCIE_VERSION:
		return HF_PCIE_RESET_VERSION;
	case HF_PCIE_CTRL:
		return f->ctrl;
	case HF_PCIE_STATUS:
		return (uint32_t)c2h_active(f) << HF_PCIE_STATUS_C2H_ACTIVE_LOW |
		       (uint32_t)h2c_active(f) << HF_PCIE_STATUS_H2C_ACTIVE_LOW |
		       (uint32_t)f->l.config.bus_master << HF_PCIE_STATUS_BUS_MASTER_LOW;
	case HF_PCIE_ERROR:
		return f->error;
	case HF_PCIE_C2H_BASE_LO:
		return f->base_lo[0];
	case HF_PCIE_C2H_BASE_HI:
		return f->base_hi[0];
	case HF_PCIE_C2H_SIZE:
		return f->size_log2[0];
	case HF_PCIE_C2H_HEAD:
		return f->c2h.head;
	case HF_PCIE_C2H_TAIL:
		return f->c2h.tail;
	case HF_PCIE_H2C_BASE_LO:
		return f->base_lo[1];
	case HF_PCIE_H2C_BASE_HI:
		return f->base_hi[1];
	case HF_PCIE_H2C_SIZE:
		return f->size_log2[1];
	case HF_PCIE_H2C_TAIL:
		return f->h2c.tail;
	case HF_PCIE_H2C_HEAD:
		return f->h2c.head;
	case HF_PCIE_STATUS_LO:
		return f->status_lo;
	case HF_PCIE_STATUS_HI:
		return f->status_hi;
	case HF_PCIE_MODERATION:
		return f->moderation;
	case HF_PCIE_TIMEOUT:
		return f->timeout;
	case HF_PCIE_WRITES:
		return f->writes_sent;
	case HF_PCIE_READS:
		return f->reads_sent;
	case HF_PCIE_UNEXPECTED:
		return f->unexpected;
	case HF_PCIE_DISCARDED:
		return f->discarded;
	default:
		return 0;
	}
}

void functional_reset_registers(struct functional *f)
{
	f->ctrl &= 1u << HF_PCIE_CTRL_KEEP_ON_FLR_LOW;
	f->error = 0;
	f->moderation = HF_PCIE_RESET_MODERATION;
	f->timeout = HF_PCIE_RESET_TIMEOUT;
	f->unexpected = f->discarded = 0;
	memset(f->base_lo, 0, sizeof(f->base_lo));
	memset(f->base_hi, 0, sizeof(f->base_hi));
	f->size_log2[0] = HF_PCIE_RESET_C2H_SIZE;
	f->size_log2[1] = HF_PCIE_RESET_H2C_SIZE;
	f->status_lo = f->status_hi = 0;
	memset(f->msix, 0, sizeof(f->msix));
	for (unsigned i = 0; i < HF_PCIE_VECTORS; i++)
		f->msix[i][3] = 1; /* masked, PCI 3.0 section 6.8.2.9 */
	f->pending = 0;
	f->dirty = f->told_once = false;
	f->causes = 0;
	f->status_count = 0;
	f->writes_sent = f->reads_sent = 0;
}

/* ---- registers of the core ---- */

/* Begin an access, unless the simulator has the pins. */
static bool axil_begin(struct functional *f, struct hf_in *in, uint32_t offset, bool write, uint32_t value)
{
	if (f->sim->axil_wanted || f->axil_clear)
		return false;
	f->axil = write ? AXIL_WRITE : AXIL_READ;
	f->axil_aw = f->axil_w = write;
	f->axil_ar = !write;
	f->axil_clocks = 0;
	f->axil_done = false;
	f->sim->axil_busy = true;
	in->s_axil_awaddr = in->s_axil_araddr = offset;
	in->s_axil_wdata = value;
	in->s_axil_wstrb = 0xf;
	return true;
}

static void axil_end(struct functional *f, bool error, uint32_t data)
{
	f->axil = AXIL_IDLE;
	f->axil_clear = f->axil_done = true;
	f->axil_aw = f->axil_w = f->axil_ar = false;
	f->axil_error = error;
	f->axil_data = error ? 0 : data;
}

void functional_axil_clock(struct functional *f, const struct hf_out *out, struct hf_in *in)
{
	if (f->axil == AXIL_IDLE && !f->axil_clear)
		return;
	in->s_axil_awvalid = f->axil_aw;
	in->s_axil_wvalid = f->axil_w;
	in->s_axil_arvalid = f->axil_ar;
	in->s_axil_bready = f->axil == AXIL_WRITE;
	in->s_axil_rready = f->axil == AXIL_READ;
	if (f->axil == AXIL_IDLE) {
		f->axil_clear = f->sim->axil_busy = false;
		return;
	}
	f->axil_aw = f->axil_aw && !out->s_axil_awready;
	f->axil_w = f->axil_w && !out->s_axil_wready;
	f->axil_ar = f->axil_ar && !out->s_axil_arready;
	if (f->axil == AXIL_WRITE && out->s_axil_bvalid)
		axil_end(f, out->s_axil_bresp != 0, 0);
	else if (f->axil == AXIL_READ && out->s_axil_rvalid)
		axil_end(f, out->s_axil_rresp != 0, (uint32_t)out->s_axil_rdata);
	else if (in->rst)
		axil_end(f, true, 0); /* its reset takes the answer away */
	else if (++f->axil_clocks > AXIL_CLOCKS) {
		f->axil_dead = true;
		axil_end(f, true, 0);
	}
}

/* ---- MMIO ---- */

enum { REGION_CORE, REGION_ENDPOINT, REGION_TABLE, REGION_PBA, REGION_NONE };

static unsigned region(uint32_t offset)
{
	if (offset < HF_PCIE_BASE)
		return REGION_CORE;
	if (offset < HF_PCIE_MSIX_TABLE)
		return REGION_ENDPOINT;
	if (offset < HF_PCIE_MSIX_TABLE + 16 * HF_PCIE_VECTORS)
		return REGION_TABLE;
	if (offset >= HF_PCIE_MSIX_PENDING && offset < HF_PCIE_MSIX_PENDING + 8)
		return REGION_PBA;
	return REGION_NONE;
}

/* Bytes of one dword, in a region that is not the core's. */
static void write_dword(struct functional *f, uint32_t offset, const uint8_t *bytes, size_t len)
{
	const uint32_t dword = offset & ~UINT32_C(3);
	uint32_t *entry, value = 0, mask = 0;

	for (size_t i = 0; i < len; i++) {
		value |= (uint32_t)bytes[i] << 8 * (offset % DWORD + i);
		mask |= UINT32_C(0xff) << 8 * (offset % DWORD + i);
	}
	if (region(dword) == REGION_TABLE) {
		entry = &f->msix[(dword - HF_PCIE_MSIX_TABLE) / 16][dword / DWORD % 4];
		*entry = (*entry & ~mask) | (value & mask);
		if (dword / DWORD % 4 == 0)
			*entry &= ~UINT32_C(3); /* PCI 3.0 section 6.8.2.6: always 0 */
		if (dword / DWORD % 4 == 3)
			*entry &= 1; /* the rest of Vector Control is reserved */
	} else if (len != DWORD) {
		raise_error(f, HF_PCIE_ERROR_PARTIAL_WRITE_LOW);
	} else if (region(dword) == REGION_ENDPOINT) {
		write_register(f, dword - HF_PCIE_BASE, value);
	}
}

/* A dword that is not the core's. False: Unsupported Request. */
static bool read_dword(const struct functional *f, uint32_t dword, uint32_t *value)
{
	switch (region(dword)) {
	case REGION_ENDPOINT:
		*value = read_register(f, dword - HF_PCIE_BASE);
		return true;
	case REGION_TABLE:
		*value = f->msix[(dword - HF_PCIE_MSIX_TABLE) / 16][dword / DWORD % 4];
		return true;
	case REGION_PBA:
		*value = dword == HF_PCIE_MSIX_PENDING ? f->pending : 0;
		return true;
	default:
		return false;
	}
}

static void mmio_end(struct functional *f, bool refused)
{
	struct mmio *m = f->first;

	f->first = m->next;
	if (!f->first)
		f->last = &f->first;
	if (!m->write) {
		*m->done = true;
		*m->refused = refused;
	}
	free(m);
}

/* One dword of the access whose turn it is. Returns whether something moved. */
bool functional_mmio_clock(struct functional *f, struct hf_in *in)
{
	struct mmio *m = f->first;
	uint32_t offset, dword, value = 0;
	uint8_t bytes[DWORD];
	bool refused = false;
	size_t n;

	if (!m)
		return false;
	offset = m->offset + (uint32_t)m->at;
	dword = offset & ~UINT32_C(3);
	n = DWORD - offset % DWORD;
	if (n > m->len - m->at)
		n = m->len - m->at;
	if (f->resetting) {
		refused = true;
	} else if (region(offset) == REGION_CORE && (f->axil != AXIL_IDLE || f->axil_clear)) {
		return true;
	} else if (region(offset) == REGION_CORE && f->axil_done) {
		f->axil_done = false;
		refused = f->axil_error && !m->write; /* a posted write has no answer */
		value = f->axil_data;
	} else if (region(offset) == REGION_CORE && m->write && n != DWORD) {
		raise_error(f, HF_PCIE_ERROR_PARTIAL_WRITE_LOW);
	} else if (region(offset) == REGION_CORE && f->axil_dead) {
		refused = true;
	} else if (region(offset) == REGION_CORE) {
		axil_begin(f, in, dword, m->write, m->write ? (uint32_t)message_get(m->bytes + m->at, DWORD) : 0);
		return true;
	} else if (m->write) {
		write_dword(f, offset, m->bytes + m->at, n);
	} else {
		refused = !read_dword(f, dword, &value);
	}
	if (!m->write) {
		message_put(bytes, DWORD, value);
		memcpy(m->to + m->at, bytes + offset % DWORD, n);
	}
	m->at += n;
	if ((refused && !m->write) || m->at == m->len)
		mmio_end(f, refused);
	return true;
}

static struct mmio *mmio_new(struct functional *f, bool write, uint32_t offset, const void *data, size_t len)
{
	struct mmio *m = malloc(sizeof(*m) + (write ? len : 0));

	if (!m)
		return NULL;
	*m = (struct mmio){ .write = write, .offset = offset, .len = len };
	if (write)
		memcpy(m->bytes, data, len);
	*f->last = m;
	f->last = &m->next;
	return m;
}

static bool in_bar(uint32_t offset, size_t len)
{
	return len && offset < PCIE_BAR0_BYTES && len <= PCIE_BAR0_BYTES - offset;
}

int functional_write(struct pcie_link *l, uint32_t offset, const void *data, size_t len)
{
	struct functional *f = (struct functional *)l;

	if (!in_bar(offset, len))
		return -EINVAL;
	return mmio_new(f, true, offset, data, len) ? 0 : -ENOMEM;
}

/* Take a read that nobody waits for any more out of the queue. */
static void mmio_forget(struct functional *f, struct mmio *m)
{
	struct mmio **at = &f->first;

	while (*at && *at != m)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = m->next;
	if (!m->next)
		f->last = at;
	free(m);
}

int functional_read(struct pcie_link *l, uint32_t offset, void *data, size_t len)
{
	struct functional *f = (struct functional *)l;
	const uint64_t start = l->clocks;
	bool good = true;

	if (!in_bar(offset, len))
		return -EINVAL;
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t from = offset + (uint32_t)at;
		bool done = false, refused = false;
		struct mmio *m;

		n = 4096 - from % 4096;
		if (n > len - at)
			n = len - at;
		/* What is counted is dwords: a read of 64 bytes at an odd address asks for 17 of them. */
		if ((from + n + 3) / DWORD - from / DWORD > PCIE_READ_MAX / DWORD) {
			good = false;
			continue;
		}
		m = mmio_new(f, false, from, NULL, n);
		if (!m) {
			memset(data, 0xff, len);
			return -ENOMEM;
		}
		m->to = (uint8_t *)data + at;
		m->done = &done;
		m->refused = &refused;
		while (!done && l->clocks - start < ANSWER_CLOCKS)
			l->step(l->step_ctx);
		if (!done) {
			mmio_forget(f, m);
			memset(data, 0xff, len);
			return -ETIMEDOUT;
		}
		good = good && !refused;
	}
	if (!good)
		memset(data, 0xff, len);
	return good ? 0 : -EIO;
}

void functional_drop_mmio(struct functional *f)
{
	while (f->first)
		mmio_end(f, true);
	f->axil_done = false;
}
