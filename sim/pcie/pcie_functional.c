/* SPDX-License-Identifier: Apache-2.0
 * pcie_functional.c - what docs/pcie.md says of the card's PCI Express function, without TLPs: registers, rings, status block
 * and interrupts between the core's pins and the host's memory (this file: the rings). Written from that text, not from rtl/pcie/.
 *
 * One read is outstanding at a time, and what is read is delivered in order; the time a read takes is the root complex's
 * (struct pcie_disorder). A message of the core is taken whole before any of it is written. */
#include <stdlib.h>
#include <string.h>
#include "pcie_functional.h"

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

void functional_doorbell(struct functional *f, bool h2c, uint32_t value)
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
	functional_axil_clock(f, out, in);
	switch_rings(f);
	moved = resetting_core || !out->ready; /* HELLO is still to come */
	moved |= functional_mmio_clock(f, in);
	moved |= c2h_take(f, out, in);
	moved |= c2h_write(f);
	moved |= h2c_answer(f);
	moved |= h2c_ask(f);
	moved |= h2c_give(f, out, in);
	moved |= tell(f);
	moved |= interrupt(f);
	return moved;
}

static int functional_flr(struct pcie_link *l)
{
	struct functional *f = (struct functional *)l;
	const uint64_t start = l->clocks;
	uint32_t given;
	int result = 0;

	functional_drop_mmio(f);
	f->resetting = true;
	f->ctrl &= UINT32_C(1) << HF_PCIE_CTRL_KEEP_ON_FLR_LOW;
	while ((f->asked || f->axil != AXIL_IDLE || f->c2h.on || f->h2c.on) && !result) {
		if (l->clocks - start >= FLR_CLOCKS)
			result = -ETIMEDOUT;
		else
			l->step(l->step_ctx);
	}
	functional_reset_registers(f);
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

	functional_drop_mmio(f);
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
	functional_reset_registers(f);
	f->core_reset = CORE_RESET_CLOCKS;
	s->outlet[0] = (struct sim_outlet){ outlet_clock, f };
	return &f->l;
}
