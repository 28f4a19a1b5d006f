/* SPDX-License-Identifier: Apache-2.0
 * pcie_functional.c - what docs/pcie.md says of the card's PCI Express function, without TLPs: registers, rings, status block
 * and interrupts between the core's pins and the host's memory. Written from that text, not from rtl/pcie/.
 *
 * One read is outstanding at a time, and what is read is delivered in order; the time a read takes is the root complex's
 * (struct pcie_disorder). A message of the core is taken whole before any of it is written. */
#include <stdlib.h>
#include <string.h>
#include "../../driver/message.h"
#include "../rng.h"
#include "pcie_link.h"

enum {
	CORE_RESET_CLOCKS = 4,	      /* of clk */
	AXIL_CLOCKS = 65536,	      /* a register of the core that does not answer for so long never will */
	ANSWER_CLOCKS = 12500000,     /* of pcie_clk: pcie_link_read(), 50 ms */
	FLR_CLOCKS = 25000000,	      /* and pcie_link_flr(), 100 ms */
	UP_BYTES = 2 * SIM_FRAME_MAX, /* messages of the core on their way to the ring */
	DOWN_BEATS = 1024,	      /* of the ring on their way to the core */
	BEAT = 8,
	CUT_BEATS = 2, /* at most, to end a message as one of a wrong length */
	STATUS_BYTES = 16,
	DWORD = 4,
	VECTOR_MESSAGE = 1 << 0,
	VECTOR_FRAME = 1 << 1,
	VECTOR_ERROR = 1 << 2,
};

/* An MMIO access that waits for its turn. */
struct mmio {
	struct mmio *next;
	bool write;
	uint32_t offset;
	size_t len, at;	      /* at: bytes done */
	bool *done, *refused; /* of a read, the caller's */
	uint8_t *to;
	uint8_t bytes[]; /* of a write */
};

struct beat {
	uint8_t data[BEAT];
	bool last;
};

struct ring {
	bool on;      /* enabled and started: indices count */
	bool stopped; /* by an error; until it is disabled and enabled */
	uint64_t base;
	uint32_t size;
	uint32_t head, tail; /* as the registers show them */
};

enum axil { AXIL_IDLE, AXIL_READ, AXIL_WRITE };

struct functional {
	struct pcie_link l;
	struct sim *sim;
	struct rng rng;
	uint64_t period_left; /* ps of the core's clocks not yet given to pcie_clk */

	uint32_t ctrl, error, moderation, timeout, unexpected, discarded;
	uint32_t base_lo[2], base_hi[2], size_log2[2], status_lo, status_hi; /* [0] c2h, [1] h2c */
	uint32_t msix[HF_PCIE_VECTORS][4];
	uint32_t pending; /* MSI-X vectors */
	struct ring c2h, h2c;

	/* From the core. */
	uint8_t message[SIM_FRAME_MAX]; /* being taken */
	size_t message_len;
	uint8_t up[UP_BYTES]; /* whole messages, padded, from up_at to up_end */
	size_t up_at, up_end;
	size_t up_left;	  /* bytes of the first of them not yet written; 0 = none of it is */
	unsigned up_type; /* HF_MSG_... of it */
	uint8_t hello[64];
	size_t hello_len; /* 0: the core has not said one since its reset */

	/* To the core. */
	struct beat down[DOWN_BEATS];
	unsigned down_at, down_count;
	uint32_t fetch_left;	      /* beats of the message being fetched; 0 = a header comes next */
	uint32_t give_left;	      /* beats of the message being given; 0 = likewise */
	bool inside;		      /* what was given last is not the end of its message */
	bool dropping;		      /* the core was reset inside a message: the rest of it is not given */
	uint32_t asked;		      /* bytes of the outstanding read, 0 = none */
	uint64_t asked_at, answer_at; /* clock of pcie_clk; UINT64_MAX = it is never answered */
	uint64_t late_at;	      /* the answer to a read that was given up comes then; UINT64_MAX = none */
	bool refuse, forgotten;	      /* forgotten: the ring was disabled meanwhile */

	/* Status block and interrupts. */
	bool dirty;
	unsigned causes; /* vectors that the next status block speaks for */
	uint64_t status_clock;
	uint32_t status_count;
	bool told_once; /* there was a status block since reset: MODERATION counts from it */

	/* Towards the core's registers and reset. */
	struct mmio *first, **last;
	enum axil axil;
	bool axil_aw, axil_w, axil_ar; /* valid pins that are up */
	bool axil_clear;	       /* the pins are still to be lowered */
	unsigned axil_clocks;
	bool axil_dead, axil_done, axil_error;
	uint32_t axil_data;
	unsigned core_reset; /* clocks left */
	bool holds_reset;    /* rst is 1 because of that */
	bool resetting;	     /* function level reset under way */
	uint32_t writes_sent, reads_sent;
};

static void raise_error(struct functional *f, unsigned bit)
{
	if (!f->error)
		f->causes |= VECTOR_ERROR;
	f->error |= 1u << bit;
	f->dirty = true;
}

/* ---- registers of the endpoint ---- */

static bool c2h_active(const struct functional *f)
{
	return f->c2h.on;
}

static bool h2c_active(const struct functional *f)
{
	return f->h2c.on || f->asked;
}

static bool enabled(const struct functional *f, unsigned ring)
{
	return f->ctrl >> ring & 1;
}

static void push_up(struct functional *f, const uint8_t *message, size_t padded)
{
	memmove(f->up, f->up + f->up_at, f->up_end - f->up_at);
	f->up_end -= f->up_at;
	f->up_at = 0;
	memcpy(f->up + f->up_end, message, padded);
	f->up_end += padded;
}

static void push_down(struct functional *f, const uint8_t *data, bool last)
{
	struct beat *b = &f->down[(f->down_at + f->down_count++) % DOWN_BEATS];

	memcpy(b->data, data, BEAT);
	b->last = last;
}

/* A message that has `left` beats to come gets no more of them: end it as one of a wrong length, too short or too long. */
static void cut_message(struct functional *f, uint32_t *left)
{
	static const uint8_t nothing[BEAT];

	if (*left == 1)
		push_down(f, nothing, false);
	if (*left)
		push_down(f, nothing, true);
	*left = 0;
}

static void start_ring(struct functional *f, unsigned ring)
{
	struct ring *r = ring ? &f->h2c : &f->c2h;
	uint32_t log2 = f->size_log2[ring];

	log2 = log2 < 12 ? 12 : log2 > 22 ? 22 : log2;
	*r = (struct ring){
		.on = true, .base = (uint64_t)f->base_hi[ring] << 32 | f->base_lo[ring], .size = UINT32_C(1) << log2
	};
	/* Without a HELLO since its reset the core's own comes, as the first it says. */
	if (!ring && f->hello_len)
		push_up(f, f->hello, f->hello_len);
	f->dirty = true;
}

static void stop_c2h(struct functional *f)
{
	f->dirty |= f->c2h.tail != 0; /* an index that moved, to 0 */
	f->c2h = (struct ring){ 0 };
	f->up_at = f->up_end = f->up_left = 0;
}

static void stop_h2c(struct functional *f)
{
	f->h2c.stopped = true;
	cut_message(f, &f->fetch_left);
}

static void write_ctrl(struct functional *f, uint32_t value)
{
	f->ctrl =
		value & (1u << HF_PCIE_CTRL_C2H_LOW | 1u << HF_PCIE_CTRL_H2C_LOW | 1u << HF_PCIE_CTRL_KEEP_ON_FLR_LOW);
	if (value >> HF_PCIE_CTRL_CORE_RESET_LOW & 1)
		f->core_reset = CORE_RESET_CLOCKS;
}

/* The rings follow CTRL, when they are at rest. */
static void switch_rings(struct functional *f)
{
	if (!enabled(f, 0) && f->c2h.on)
		stop_c2h(f);
	if (enabled(f, 0) && !f->c2h.on)
		start_ring(f, 0);
	if (!enabled(f, 1) && f->h2c.on) {
		f->h2c.on = false;
		f->forgotten = true;
		stop_h2c(f);
	}
	if (!h2c_active(f)) {
		f->dirty |= f->h2c.head != 0;
		f->h2c = (struct ring){ 0 };
	}
	if (enabled(f, 1) && !h2c_active(f))
		start_ring(f, 1);
}

static void write_doorbell(struct functional *f, bool h2c, uint32_t value)
{
	struct ring *r = h2c ? &f->h2c : &f->c2h;
	bool good = r->on && !r->stopped && value % 8 == 0;

	if (h2c)
		good = good && value - r->head <= r->size && value - r->head >= r->tail - r->head;
	else
		good = good && value - r->head <= r->tail - r->head;
	if (!good)
		raise_error(f, HF_PCIE_ERROR_INDEX_LOW);
	else if (h2c)
		r->tail = value;
	else
		r->head = value;
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
		write_doorbell(f, false, value);
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
		write_doorbell(f, true, value);
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

static void reset_registers(struct functional *f)
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

static void axil_clock(struct functional *f, const struct hf_out *out, struct hf_in *in)
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
static bool mmio_clock(struct functional *f, struct hf_in *in)
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

static int functional_write(struct pcie_link *l, uint32_t offset, const void *data, size_t len)
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

static int functional_read(struct pcie_link *l, uint32_t offset, void *data, size_t len)
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

/* ---- the rings ---- */

static size_t payload_max(const struct functional *f)
{
	return (size_t)128 << (f->l.config.max_payload < 5 ? f->l.config.max_payload : 5);
}

static size_t read_max(const struct functional *f)
{
	return (size_t)128 << (f->l.config.max_read < 5 ? f->l.config.max_read : 5);
}

/* Bytes from `index` on that one request may cover: neither beyond the ring's end nor beyond a 4 KiB boundary. */
static size_t ahead(const struct ring *r, uint32_t index)
{
	const uint32_t at = index & (r->size - 1);
	const size_t to_page = 4096 - at % 4096, to_end = r->size - at;

	return to_page < to_end ? to_page : to_end;
}

static void host_write(struct functional *f, uint64_t address, const uint8_t *data, size_t len)
{
	struct pcie_host *h = &f->l.host;

	f->writes_sent++;
	if (len == DWORD && address - PCIE_MSI_WINDOW < PCIE_MSI_WINDOW_SIZE) {
		f->l.messages++;
		if (h->msi)
			h->msi(h->ctx, address, (uint32_t)message_get(data, DWORD));
		return;
	}
	f->l.writes++;
	f->l.write_bytes += len;
	if (!h->write || !h->write(h->ctx, address, data, len))
		f->l.refused++;
}

/* One write of at most max payload towards ring c2h. */
static bool c2h_write(struct functional *f)
{
	struct ring *r = &f->c2h;
	const uint8_t *from = f->up + f->up_at;
	size_t n;

	if (!r->on || !f->l.config.bus_master || f->up_at == f->up_end)
		return false;
	if (!f->up_left) {
		f->up_left = (GET(from, HEADER, length) + BEAT - 1) / BEAT * BEAT;
		if (!f->up_left || f->up_left > f->up_end - f->up_at) /* a broken core: the simulator's watch says so */
			f->up_left = f->up_end - f->up_at;
		f->up_type = GET(from, HEADER, type);
	}
	n = f->up_left < payload_max(f) ? f->up_left : payload_max(f);
	if (n > ahead(r, r->tail))
		n = ahead(r, r->tail);
	if (r->head + r->size - r->tail < n)
		return false;
	host_write(f, r->base + (r->tail & (r->size - 1)), from, n);
	r->tail += (uint32_t)n;
	f->up_at += n;
	f->up_left -= n;
	if (!f->up_left)
		f->causes |= f->up_type == HF_MSG_FRAME ? VECTOR_FRAME : VECTOR_MESSAGE;
	f->dirty = true;
	return true;
}

/* A beat of the core. Its length field is what came: the simulator's watch says so. */
static bool c2h_take(struct functional *f, const struct hf_out *out, struct hf_in *in)
{
	const bool room = f->up_end - f->up_at <= UP_BYTES - SIM_FRAME_MAX;

	in->m_axis_c2h_tready = room;
	if (!room || !out->m_axis_c2h_tvalid || in->rst)
		return false;
	if (f->message_len + BEAT > sizeof(f->message)) /* no message is so long: a broken core */
		f->message_len = 0;
	message_put(f->message + f->message_len, BEAT, out->m_axis_c2h_tdata[0]);
	f->message_len += BEAT;
	if (!out->m_axis_c2h_tlast)
		return true;
	if (GET(f->message, HEADER, type) == HF_MSG_HELLO && f->message_len <= sizeof(f->hello)) {
		memcpy(f->hello, f->message, f->message_len);
		f->hello_len = f->message_len;
	}
	if (f->c2h.on)
		push_up(f, f->message, f->message_len);
	else
		f->discarded++;
	f->message_len = 0;
	return true;
}

/* Ask for bytes of ring h2c. */
static bool h2c_ask(struct functional *f)
{
	struct ring *r = &f->h2c;
	const struct pcie_disorder *d = &f->l.disorder;
	const size_t room = (DOWN_BEATS - CUT_BEATS - f->down_count) * (size_t)BEAT;
	size_t n = r->tail - r->head;

	if (!r->on || r->stopped || f->asked || !n || !f->l.config.bus_master ||
		f->down_count + CUT_BEATS >= DOWN_BEATS)
		return false;
	n = n < read_max(f) ? n : read_max(f);
	n = n < room ? n : room;
	n = n < ahead(r, r->head) ? n : ahead(r, r->head);
	f->asked = (uint32_t)n;
	f->asked_at = f->l.clocks;
	f->answer_at = f->l.clocks + d->read_min;
	if (d->read_max > d->read_min)
		f->answer_at += rng_next(&f->rng) % (d->read_max - d->read_min + 1);
	if (d->drop && (rng_next(&f->rng) >> 56) < d->drop)
		f->answer_at = UINT64_MAX;
	f->refuse = d->refuse && (rng_next(&f->rng) >> 56) < d->refuse;
	f->forgotten = false;
	f->reads_sent++;
	f->l.reads++;
	f->l.read_bytes += n;
	return true;
}

/* What was read, as beats of messages. False at a header that cannot be. */
static bool h2c_parse(struct functional *f, const uint8_t *data, size_t len)
{
	for (size_t at = 0; at < len; at += BEAT) {
		if (!f->fetch_left) {
			uint32_t length = (uint32_t)GET(data + at, HEADER, length);

			if (length < HF_MSG_HEADER_BYTES) {
				raise_error(f, HF_PCIE_ERROR_H2C_LENGTH_LOW);
				stop_h2c(f);
				return false;
			}
			f->fetch_left = (length + BEAT - 1) / BEAT;
		}
		f->fetch_left--;
		push_down(f, data + at, !f->fetch_left);
	}
	return true;
}

static bool h2c_answer(struct functional *f)
{
	uint8_t data[4096];
	struct ring *r = &f->h2c;
	const size_t n = f->asked;
	const uint64_t address = r->base + (r->head & (r->size - 1));
	struct pcie_host *h = &f->l.host;
	bool good;

	if (f->late_at <= f->l.clocks) {
		f->late_at = UINT64_MAX;
		f->unexpected++;
	}
	if (!f->asked)
		return false;
	if (f->answer_at > f->l.clocks) {
		if (f->l.clocks - f->asked_at <= f->timeout)
			return true;
		f->asked = 0;
		f->late_at = f->answer_at;
		if (f->forgotten)
			return true;
		raise_error(f, HF_PCIE_ERROR_COMPLETION_TIMEOUT_LOW);
		stop_h2c(f);
		return true;
	}
	f->asked = 0;
	good = !f->refuse && h->read && h->read(h->ctx, address, data, n);
	f->l.refused += !good && !f->refuse;
	if (f->forgotten)
		return true;
	if (!good) {
		raise_error(f, HF_PCIE_ERROR_COMPLETION_STATUS_LOW);
		stop_h2c(f);
		return true;
	}
	if (!h2c_parse(f, data, n))
		return true;
	r->head += (uint32_t)n;
	f->dirty = true;
	if (r->head == r->tail)
		f->causes |= VECTOR_MESSAGE;
	return true;
}

/* The first of `down` on the pins, until it is taken. */
static bool h2c_give(struct functional *f, const struct hf_out *out, struct hf_in *in)
{
	const struct beat *b;
	bool taken;

	while (f->down_count && f->dropping) {
		f->dropping = !f->down[f->down_at].last;
		f->down_at = (f->down_at + 1) % DOWN_BEATS;
		f->down_count--;
	}
	in->s_axis_h2c_tvalid = f->down_count && !in->rst;
	if (!in->s_axis_h2c_tvalid)
		return false;
	b = &f->down[f->down_at];
	in->s_axis_h2c_tdata[0] = message_get(b->data, BEAT);
	in->s_axis_h2c_tlast = b->last;
	taken = out->s_axis_h2c_tready;
	if (!taken)
		return false;
	if (!f->give_left)
		f->give_left = ((uint32_t)GET(b->data, HEADER, length) + BEAT - 1) / BEAT;
	f->give_left = b->last || !f->give_left ? 0 : f->give_left - 1;
	f->inside = !b->last;
	f->down_at = (f->down_at + 1) % DOWN_BEATS;
	f->down_count--;
	return true;
}

/* ---- status block and interrupts ---- */

static bool tell(struct functional *f)
{
	const uint64_t at = (uint64_t)f->status_hi << 32 | f->status_lo;
	uint8_t block[STATUS_BYTES];
	bool due = !f->told_once || f->l.clocks - f->status_clock >= f->moderation;

	if (!f->dirty || (!c2h_active(f) && !h2c_active(f)) || !f->l.config.bus_master)
		return false;
	if (!due)
		return true;
	if (at) {
		message_put(block, 4, f->c2h.tail);
		message_put(block + 4, 4, f->h2c.head);
		message_put(block + 8, 4, f->error);
		message_put(block + 12, 4, ++f->status_count);
		host_write(f, at, block, sizeof(block));
	}
	f->dirty = false;
	f->told_once = true;
	f->status_clock = f->l.clocks;
	f->pending |= f->causes;
	f->causes = 0;
	return true;
}

static bool interrupt(struct functional *f)
{
	bool moved = false;

	if (!f->pending || !f->l.config.msix_enable || f->l.config.msix_mask || !f->l.config.bus_master)
		return false;
	for (unsigned v = 0; v < HF_PCIE_VECTORS; v++) {
		uint8_t data[DWORD];

		if (!(f->pending >> v & 1) || f->msix[v][3] & 1)
			continue;
		f->pending &= ~(1u << v);
		message_put(data, DWORD, f->msix[v][2]);
		host_write(f, (uint64_t)f->msix[v][1] << 32 | f->msix[v][0], data, sizeof(data));
		moved = true;
	}
	return moved;
}

/* ---- clock and resets ---- */

static void core_was_reset(struct functional *f)
{
	f->message_len = 0;
	f->hello_len = 0;
	f->axil_dead = false;
	f->dropping = f->dropping || f->inside;
	f->inside = false;
	f->give_left = 0;
}

static bool functional_clock(struct pcie_link *l, const struct hf_out *out, struct hf_in *in)
{
	struct functional *f = (struct functional *)l;
	const bool resetting_core = f->core_reset;
	bool moved;

	l->core_period_ps = f->sim->period_ps;
	f->period_left += l->core_period_ps;
	l->clocks += f->period_left / l->pcie_period_ps;
	f->period_left %= l->pcie_period_ps;

	if (f->core_reset || f->holds_reset)
		in->rst = f->core_reset > 0;
	f->holds_reset = f->core_reset > 0;
	f->core_reset -= f->holds_reset;
	if (in->rst)
		core_was_reset(f);
	axil_clock(f, out, in);
	switch_rings(f);
	moved = resetting_core || !out->ready; /* HELLO is still to come */
	moved |= mmio_clock(f, in);
	moved |= c2h_take(f, out, in);
	moved |= c2h_write(f);
	moved |= h2c_answer(f);
	moved |= h2c_ask(f);
	moved |= h2c_give(f, out, in);
	moved |= tell(f);
	moved |= interrupt(f);
	return moved;
}

static void drop_mmio(struct functional *f)
{
	while (f->first)
		mmio_end(f, true);
	f->axil_done = false;
}

static int functional_flr(struct pcie_link *l)
{
	struct functional *f = (struct functional *)l;
	const uint64_t start = l->clocks;
	uint32_t given;
	int result = 0;

	drop_mmio(f);
	f->resetting = true;
	f->ctrl &= UINT32_C(1) << HF_PCIE_CTRL_KEEP_ON_FLR_LOW;
	while ((f->asked || f->axil != AXIL_IDLE || f->c2h.on || f->h2c.on) && !result) {
		if (l->clocks - start >= FLR_CLOCKS)
			result = -ETIMEDOUT;
		else
			l->step(l->step_ctx);
	}
	reset_registers(f);
	f->asked = 0;
	f->axil_done = false;
	f->late_at = UINT64_MAX;
	f->down_count = 0;
	f->dropping = false;
	f->fetch_left = 0;
	f->c2h = f->h2c = (struct ring){ 0 };
	if (!(f->ctrl >> HF_PCIE_CTRL_KEEP_ON_FLR_LOW & 1)) {
		f->core_reset = CORE_RESET_CLOCKS;
		f->inside = false;
		f->give_left = 0;
	} else if (f->inside) {
		given = f->give_left ? f->give_left : 1;
		cut_message(f, &given);
	}
	f->resetting = false;
	return result;
}

static void functional_close(struct pcie_link *l)
{
	struct functional *f = (struct functional *)l;

	drop_mmio(f);
	f->sim->axil_busy = false;
	f->sim->in.s_axil_awvalid = f->sim->in.s_axil_wvalid = f->sim->in.s_axil_arvalid = 0;
	f->sim->in.s_axil_bready = f->sim->in.s_axil_rready = f->sim->in.s_axis_h2c_tvalid = 0;
	if (f->holds_reset)
		f->sim->in.rst = 0;
	f->sim->outlet[0] = (struct sim_outlet){ 0 };
	free(f);
}

static bool outlet_clock(void *ctx, const struct hf_out *out, struct hf_in *in)
{
	return functional_clock(ctx, out, in);
}

static void step(void *ctx)
{
	sim_step(ctx);
}

static const struct pcie_link_ops functional_ops = { functional_clock, functional_read, functional_write,
	functional_flr, functional_close };

struct pcie_link *pcie_link_functional(struct sim *s, const struct pcie_host *host, uint64_t seed)
{
	struct functional *f;

	if (s->beat != BEAT) {
		errno = ENOTSUP;
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->l.ops = &functional_ops;
	f->l.host = *host;
	f->l.config = (struct pcie_config){ .id = 0x0100, .ph = 0xff, .pd = 0xfff, .nph = 0xff };
	f->l.pcie_period_ps = 4000;
	f->l.core_period_ps = s->period_ps;
	f->l.step = step;
	f->l.step_ctx = s;
	f->sim = s;
	f->rng.state = seed;
	f->last = &f->first;
	f->late_at = UINT64_MAX;
	f->ctrl = 0;
	reset_registers(f);
	f->core_reset = CORE_RESET_CLOCKS;
	s->outlet[0] = (struct sim_outlet){ outlet_clock, f };
	return &f->l;
}
