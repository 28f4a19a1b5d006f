/* SPDX-License-Identifier: Apache-2.0
 * ft2232h.c - see ft2232h.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../rng.h"
#include "ft2232h.h"

#define CLOCKS_PER_MS	(FT2232H_HZ / 1000)
#define PAYLOAD		(FT2232H_PACKET - 2) /* of an IN packet */
#define LATENCY_DEFAULT 16		     /* ms */
#define STALL_MAX	64		     /* clocks */
#define VENDOR_OUT	0x40
#define VENDOR_IN	0xc0

/* Modem status (CTS, DSR, high speed) and line status (transmitter empty), as an idle FT2232H reports them. */
static const uint8_t status_bytes[2] = { 0x32, 0x60 };

struct buffer {
	uint8_t data[FT2232H_BUFFER];
	size_t head, count;
};

struct ft2232h {
	struct buffer out, in;
	struct ft2232h_noise noise;
	struct rng rng;
	struct ft2232h_out shown;
	uint8_t bitmode, latency_ms[2];
	uint64_t since_packet; /* clocks since the last IN packet */
	bool latency_due;      /* the timer has run out since then */
	size_t send_now;       /* bytes that SIWU# has asked to send */
	unsigned rxf_held, txe_held;
	bool oe_n, siwu_n, data_oe; /* in the clock before */
	uint64_t faults;
	const char *fault;
};

static void push(struct buffer *b, uint8_t byte)
{
	if (b->count < FT2232H_BUFFER)
		b->data[(b->head + b->count++) % FT2232H_BUFFER] = byte;
}

static uint8_t pop(struct buffer *b)
{
	const uint8_t byte = b->data[b->head];

	b->head = (b->head + 1) % FT2232H_BUFFER;
	b->count--;
	return byte;
}

/* True `chance` times in 2^24. */
static bool hit(struct ft2232h *f, uint32_t chance)
{
	return chance && rng_next(&f->rng) >> 40 < chance;
}

/* A byte on its way into a buffer, which may not be what arrives there. */
static void arrive(struct ft2232h *f, struct buffer *b, uint8_t byte)
{
	if (hit(f, f->noise.flip))
		byte ^= (uint8_t)(1 << rng_below(&f->rng, 8));
	if (hit(f, f->noise.lose))
		return;
	push(b, byte);
	if (hit(f, f->noise.twice))
		push(b, byte);
}

static void power_up(struct ft2232h *f)
{
	f->out = f->in = (struct buffer){ 0 };
	f->shown = (struct ft2232h_out){ .rxf_n = true, .txe_n = true };
	f->bitmode = FT2232H_BITMODE_RESET;
	f->latency_ms[0] = f->latency_ms[1] = LATENCY_DEFAULT;
	f->since_packet = 0;
	f->latency_due = false;
	f->send_now = 0;
	f->rxf_held = f->txe_held = 0;
	f->oe_n = f->siwu_n = true;
	f->data_oe = false;
}

struct ft2232h *ft2232h_open(uint64_t seed)
{
	struct ft2232h *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->rng.state = seed;
	f->fault = "";
	power_up(f);
	return f;
}

void ft2232h_close(struct ft2232h *f)
{
	free(f);
}

void ft2232h_bus_reset(struct ft2232h *f)
{
	power_up(f);
}

void ft2232h_set_noise(struct ft2232h *f, const struct ft2232h_noise *noise)
{
	f->noise = *noise;
}

static void rule(struct ft2232h *f, bool broken, const char *what)
{
	if (broken && !f->faults++)
		f->fault = what;
}

uint64_t ft2232h_faults(const struct ft2232h *f, const char **first)
{
	if (first)
		*first = f->fault;
	return f->faults;
}

static bool stalled(struct ft2232h *f, unsigned *held, uint8_t chance)
{
	if (*held)
		--*held;
	else if (chance && (rng_next(&f->rng) >> 56) < chance)
		*held = rng_range(&f->rng, 1, STALL_MAX);
	return *held != 0;
}

/* What the card did with the pins in this clock. Returns true if a byte moved. */
static bool transfer(struct ft2232h *f, const struct ft2232h_in *in)
{
	const bool reads = !in->rd_n && !f->shown.rxf_n, writes = !in->wr_n && !f->shown.txe_n;

	rule(f, !in->oe_n && in->data_oe, "card and chip both drive the data pins");
	rule(f, (in->data_oe && !f->oe_n && in->oe_n) || (!in->oe_n && f->data_oe && !in->data_oe),
		"no clock between card and chip driving the data pins");
	rule(f, !in->rd_n && in->oe_n, "RD# low while OE# is high");
	rule(f, !in->rd_n && !in->oe_n && f->oe_n, "RD# low less than a clock after OE# fell");
	rule(f, !in->wr_n && !in->oe_n, "WR# low while OE# is low");
	rule(f, !in->wr_n && !in->data_oe, "WR# low while the card does not drive the data pins");
	if (reads && f->out.count)
		pop(&f->out);
	if (writes)
		arrive(f, &f->in, in->data);
	if (!in->siwu_n && f->siwu_n)
		f->send_now = f->in.count;
	f->oe_n = in->oe_n;
	f->data_oe = in->data_oe;
	f->siwu_n = in->siwu_n;
	return reads || writes;
}

bool ft2232h_clock(struct ft2232h *f, const struct ft2232h_in *in, struct ft2232h_out *out)
{
	bool moved = false;

	if (f->shown.clkout)
		moved = transfer(f, in);
	if (++f->since_packet >= (uint64_t)f->latency_ms[0] * CLOCKS_PER_MS)
		f->latency_due = true;
	f->shown.clkout = f->bitmode == FT2232H_BITMODE_SYNCFF;
	f->shown.rxf_n = stalled(f, &f->rxf_held, f->noise.rxf_stall) || !f->out.count;
	f->shown.txe_n = stalled(f, &f->txe_held, f->noise.txe_stall) || f->in.count + 2 > FT2232H_BUFFER;
	if (!in->oe_n && !f->shown.rxf_n)
		f->shown.data = f->out.data[f->out.head];
	else
		f->shown.data = in->data_oe ? in->data : (uint8_t)rng_next(&f->rng);
	*out = f->shown;
	return moved || f->out.count || f->in.count;
}

int ft2232h_control(struct ft2232h *f, uint8_t request_type, uint8_t request, uint16_t value, uint16_t index,
	uint8_t *data, uint16_t length)
{
	const unsigned channel = index & 0xff;
	const unsigned b = channel == 2;
	const bool is_in =
		request == FT2232H_POLL_STATUS || request == FT2232H_GET_LATENCY || request == FT2232H_READ_PINS;
	uint8_t reply[2];
	size_t n = 1;

	if (channel > 2 || request_type != (is_in ? VENDOR_IN : VENDOR_OUT))
		return -EPIPE;
	switch (request) {
	case FT2232H_RESET:
		if (value > 2)
			return -EPIPE;
		if (!b && value != 2)
			f->out.count = 0;
		if (!b && value != 1)
			f->in.count = f->send_now = 0;
		return 0;
	case FT2232H_SET_LATENCY:
		if (!(value & 0xff))
			return -EPIPE;
		f->latency_ms[b] = value & 0xff;
		return 0;
	case FT2232H_SET_BITMODE:
		if (b && value >> 8)
			return -EPIPE;
		if (!b)
			f->bitmode = value >> 8;
		return 0;
	case FT2232H_POLL_STATUS:
		memcpy(reply, status_bytes, sizeof reply);
		n = sizeof reply;
		break;
	case FT2232H_GET_LATENCY:
		reply[0] = f->latency_ms[b];
		break;
	case FT2232H_READ_PINS:
		reply[0] = f->shown.data;
		break;
	default:
		return request <= 0x07 ? 0 : -EPIPE;
	}
	if (n > length)
		n = length;
	if (n)
		memcpy(data, reply, n);
	return (int)n;
}

bool ft2232h_bulk_out(struct ft2232h *f, const uint8_t *data, size_t len)
{
	/* A doubled byte needs room too. */
	if (len > FT2232H_PACKET || len > ft2232h_out_room(f))
		return false;
	for (size_t i = 0; i < len; i++)
		arrive(f, &f->out, data[i]);
	return true;
}

size_t ft2232h_bulk_in(struct ft2232h *f, uint8_t packet[FT2232H_PACKET])
{
	const size_t n = f->in.count < PAYLOAD ? f->in.count : PAYLOAD;

	if (n < PAYLOAD && !f->send_now && !f->latency_due)
		return 0;
	memcpy(packet, status_bytes, sizeof status_bytes);
	for (size_t i = 0; i < n; i++)
		packet[sizeof status_bytes + i] = pop(&f->in);
	f->send_now -= f->send_now < n ? f->send_now : n;
	f->latency_due = false;
	f->since_packet = 0;
	return sizeof status_bytes + n;
}

size_t ft2232h_out_room(const struct ft2232h *f)
{
	return FT2232H_BUFFER - f->out.count;
}

size_t ft2232h_in_bytes(const struct ft2232h *f)
{
	return f->in.count;
}
