/* SPDX-License-Identifier: Apache-2.0
 * phy.c - an Ethernet PHY at the level of its pins (phy.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "phy.h"

/* A frame towards the MAC, as nibbles; bit 4 of one says RX_ER. */
struct line {
	struct line *next;
	size_t count, at;
	unsigned gap; /* nibbles of silence before */
	uint8_t nibble[];
};

struct phy {
	unsigned address;
	void (*frame)(void *ctx, const struct phy_frame *f);
	void *ctx;
	enum phy_speed speed;
	bool up, quiet, silent, stopped;
	int ppm;

	/* to the MAC */
	struct line *head, **tail;
	size_t pending;
	unsigned idle; /* nibbles of silence so far */
	uint64_t next_ps, fraction;
	struct phy_pins pins;
	uint8_t now[2]; /* the nibbles of this period, bit 4 RX_ER */
	bool dv;

	/* from the MAC */
	bool txc, txc_known, rise_dv, inside, sfd, error, half;
	uint8_t rise_d, low;
	uint8_t data[PHY_FRAME_MAX];
	size_t len;
	unsigned preamble, preamble_nibbles;
	uint64_t silence; /* nibbles */
	uint64_t rise_ps, start_ps;
	unsigned rises; /* good periods at this speed, up to 4 */
	char fault[160];

	/* MDIO */
	uint16_t reg[32];
	bool mdc, line;
	unsigned ones, bit;
	uint32_t shift;
};

/* Half a period of RXC and the period of TXC in ps. */
static const uint64_t half_ps[] = { 200000, 20000, 4000 };

uint32_t phy_crc32(const uint8_t *data, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (unsigned k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static void fault(struct phy *p, const char *what, uint64_t got)
{
	if (!*p->fault)
		snprintf(p->fault, sizeof p->fault, "%s: %" PRIu64, what, got);
}

struct phy *phy_open(unsigned address, void (*frame)(void *ctx, const struct phy_frame *f), void *ctx)
{
	struct phy *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->address = address;
	p->frame = frame;
	p->ctx = ctx;
	p->tail = &p->head;
	p->line = true;
	p->next_ps = 1300; /* no phase of anything else */
	phy_set(p, PHY_1000, true);
	return p;
}

void phy_flush(struct phy *p)
{
	while (p->head) {
		struct line *l = p->head;

		p->head = l->next;
		free(l);
	}
	p->tail = &p->head;
	p->pending = 0;
	p->dv = false;
}

void phy_close(struct phy *p)
{
	if (!p)
		return;
	phy_flush(p);
	free(p);
}

void phy_set(struct phy *p, enum phy_speed speed, bool up)
{
	static const uint16_t ability[] = { 1 << 6, 1 << 8, 0 }; /* of register 5: 10 full, 100 full */

	phy_flush(p);
	p->speed = speed;
	p->up = up;
	p->reg[0] = 0x1140;
	p->reg[1] = (uint16_t)(0x7949 | (up ? 1 << 2 | 1 << 5 : 0));
	p->reg[2] = 0x0022;
	p->reg[3] = 0x1622;
	p->reg[4] = 0x01e1;
	p->reg[5] = (uint16_t)(up ? 0x4001 | ability[speed] : 0);
	p->reg[9] = 0x0300;
	p->reg[10] = (uint16_t)(up && speed == PHY_1000 ? 0x3800 : 0);
	p->inside = false;
	p->rises = 0;
}

void phy_quiet_inband(struct phy *p, bool quiet)
{
	p->quiet = quiet;
}

void phy_partner(struct phy *p, uint16_t ability, uint16_t gigabit)
{
	p->reg[5] = ability;
	p->reg[10] = gigabit;
}

void phy_negotiating(struct phy *p, bool on)
{
	p->reg[1] = (uint16_t)(on ? p->reg[1] & ~(1 << 5) : p->reg[1] | 1 << 5);
}

void phy_silent_mdio(struct phy *p, bool silent)
{
	p->silent = silent;
}

void phy_drift(struct phy *p, int ppm)
{
	p->ppm = ppm;
}

void phy_stop(struct phy *p, bool stop)
{
	p->stopped = stop;
}

size_t phy_pending(const struct phy *p)
{
	return p->pending;
}

const char *phy_fault(const struct phy *p)
{
	return p->fault;
}

void phy_forget(struct phy *p)
{
	*p->fault = 0;
	p->inside = false;
	p->rises = 0;
}

uint16_t phy_register(const struct phy *p, unsigned reg)
{
	return p->reg[reg];
}

static void add_octet(struct line *l, uint8_t octet, uint8_t er)
{
	l->nibble[l->count++] = (uint8_t)((octet & 15) | er);
	l->nibble[l->count++] = (uint8_t)(octet >> 4 | er);
}

int phy_send(struct phy *p, const void *data, size_t len, const struct phy_how *how)
{
	static const struct phy_how plain;
	const uint8_t *octets = data;
	const struct phy_how h = how ? *how : plain;
	const unsigned preamble = h.preamble ? h.preamble - 1 : 14;
	struct line *l;

	if (len + 4 > PHY_FRAME_MAX)
		return -EMSGSIZE;
	l = malloc(sizeof *l + preamble + 2 * (len + 6));
	if (!l)
		return -ENOMEM;
	*l = (struct line){ .gap = 2 * (h.gap ? h.gap - 1 : 12) };
	for (unsigned i = 0; i < preamble; i++)
		l->nibble[l->count++] = 5;
	if (!h.no_sfd) {
		add_octet(l, 0xd5, h.er_sfd ? 16 : 0);
		for (size_t i = 0; i < len; i++)
			add_octet(l, octets[i], h.er_at == i + 1 ? 16 : 0);
		if (h.er_at && h.er_low && p->speed != PHY_1000 && h.er_at <= len)
			l->nibble[l->count - 2 * (len - h.er_at) - 1] &= 15;
		if (!h.no_fcs) {
			const uint32_t fcs = phy_crc32(octets, len) ^ (h.bad_fcs ? 0x00010000 : 0);

			for (unsigned i = 0; i < 4; i++)
				add_octet(l, (uint8_t)(fcs >> 8 * i), 0);
		}
		if (h.extra_nibble)
			l->nibble[l->count++] = 9;
	}
	*p->tail = l;
	p->tail = &l->next;
	p->pending++;
	return 0;
}

/* ---- RXC and what goes with it ---- */

uint64_t phy_next_ps(const struct phy *p)
{
	return p->stopped ? UINT64_MAX : p->next_ps;
}

/* The nibbles of the period that begins. */
static void next_period(struct phy *p)
{
	const unsigned nibbles = p->speed == PHY_1000 ? 2 : 1;
	struct line *l = p->head;

	if (p->dv && l->at >= l->count) {
		p->head = l->next;
		if (!p->head)
			p->tail = &p->head;
		free(l);
		p->pending--;
		p->dv = false;
		p->idle = 0;
		l = p->head;
	}
	if (!p->dv && l && p->idle >= l->gap)
		p->dv = true;
	if (!p->dv) {
		p->idle += nibbles;
		return;
	}
	p->now[0] = l->nibble[l->at++];
	p->now[1] = nibbles == 2 && l->at < l->count ? l->nibble[l->at++] : p->now[0];
}

void phy_edge(struct phy *p, struct phy_pins *pins)
{
	const uint64_t step = half_ps[p->speed] * (uint64_t)(1000000 + p->ppm) + p->fraction;
	uint8_t nibble;

	if (!p->pins.rxc)
		next_period(p);
	p->pins.rxc = !p->pins.rxc;
	nibble = p->now[!p->pins.rxc];
	if (p->dv) {
		p->pins.rxd = nibble & 15;
		p->pins.rx_ctl = p->pins.rxc || !((p->now[0] | p->now[1]) >> 4);
	} else {
		p->pins.rxd = p->quiet ? 0 : (uint8_t)(p->up | (unsigned)p->speed << 1 | 8);
		p->pins.rx_ctl = false;
	}
	*pins = p->pins;
	p->next_ps += step / 1000000;
	p->fraction = step % 1000000;
}

/* ---- TXC and what the MAC sends with it ---- */

static void tx_end(struct phy *p)
{
	struct phy_frame f = { .data = p->data,
		.len = p->len,
		.error = p->error,
		.preamble = p->preamble,
		.gap = (unsigned)(p->silence / 2 < 1000000 ? p->silence / 2 : 1000000),
		.start_ps = p->start_ps };

	if (p->half)
		fault(p, "transmit: half an octet after octet", p->len);
	if (p->len >= 4) {
		const uint32_t fcs = phy_crc32(p->data, p->len - 4);
		const uint8_t want[4] = { (uint8_t)fcs, (uint8_t)(fcs >> 8), (uint8_t)(fcs >> 16),
			(uint8_t)(fcs >> 24) };

		f.fcs_ok = !memcmp(want, p->data + p->len - 4, 4);
	}
	if (f.fcs_ok)
		f.len -= 4;
	p->inside = false;
	p->silence = 0;
	p->frame(p->ctx, &f);
}

static void tx_nibble(struct phy *p, uint64_t now, bool dv, bool er, uint8_t d)
{
	if (!dv) {
		if (p->inside)
			tx_end(p);
		p->silence++;
		return;
	}
	if (!p->inside) {
		p->inside = true;
		p->sfd = p->half = p->error = false;
		p->len = 0;
		p->preamble_nibbles = 0;
		p->start_ps = now;
	}
	p->error |= er;
	if (!p->sfd) {
		if (d == 0xd && p->low == 5 && p->preamble_nibbles % 2) {
			p->sfd = true;
			p->preamble = p->preamble_nibbles / 2;
		} else if (d != 5) {
			fault(p, "transmit: preamble nibble", d);
		}
		p->preamble_nibbles++;
		p->low = d;
		return;
	}
	if (!p->half) {
		p->low = d;
	} else if (p->len < sizeof p->data) {
		p->data[p->len++] = (uint8_t)(p->low | d << 4);
	} else {
		fault(p, "transmit: a frame without end, octets", p->len);
	}
	p->half = !p->half;
}

void phy_tx(struct phy *p, uint64_t now_ps, bool txc, uint8_t txd, bool tx_ctl)
{
	if (!p->txc_known || txc == p->txc) {
		p->txc_known = true;
		p->txc = txc;
		return;
	}
	p->txc = txc;
	if (txc) {
		/* The clock of the MAC may be another oscillator's: 1 in 1000 is far more than any two differ. */
		const uint64_t want = 2 * half_ps[p->speed], period = now_ps - p->rise_ps;

		/* The MAC learns of a new speed when it asks: what counts begins with four good periods. */
		if (period >= want - want / 1000 && period <= want + want / 1000)
			p->rises += p->rises < 4;
		else if (p->rises < 4)
			p->rises = 0;
		else
			fault(p, "transmit: period of TXC in ps", period);
		p->rise_ps = now_ps;
		p->rise_dv = tx_ctl;
		p->rise_d = txd;
		return;
	}
	if (p->rises < 4)
		return;
	if (now_ps - p->rise_ps < half_ps[p->speed] * 9 / 10 || now_ps - p->rise_ps > half_ps[p->speed] * 11 / 10)
		fault(p, "transmit: TXC high for ps", now_ps - p->rise_ps);
	tx_nibble(p, p->rise_ps, p->rise_dv, p->rise_dv != tx_ctl, p->rise_d);
	if (p->speed == PHY_1000)
		tx_nibble(p, p->rise_ps, p->rise_dv, p->rise_dv != tx_ctl, txd);
	else if (txd != p->rise_d)
		fault(p, "transmit: data changed with the falling edge, nibble", txd);
}

/* ---- MDIO ---- */

bool phy_mdio(struct phy *p, bool mdc, bool mdo, bool mdo_en)
{
	const bool rising = mdc && !p->mdc;
	const bool bit = mdo_en ? mdo : p->line;

	p->mdc = mdc;
	if (!rising)
		return mdo_en ? mdo : p->line;
	if (!p->bit) {
		/* 32 ones, then the zero of the start. */
		if (bit) {
			p->ones++;
		} else {
			if (p->ones >= 32)
				p->bit = 1;
			p->ones = 0;
		}
		p->shift = 0;
		return bit;
	}
	p->bit++;
	p->shift = p->shift << 1 | bit;
	p->line = true;
	/* bits: 2 start, 4 operation, 9 address, 14 register, 16 turnaround, 32 data */
	if (p->bit >= 14) {
		const unsigned have = p->bit, op = p->shift >> (have - 4) & 3, address = p->shift >> (have - 9) & 31,
			       reg = p->shift >> (have - 14) & 31;

		if (op == 2 && address == p->address && !p->silent) {
			if (mdo_en && have > 15)
				fault(p, "MDIO: both drive the line, bit", have);
			if (have == 15)
				p->line = false;
			else if (have >= 16 && have < 32)
				p->line = p->reg[reg] >> (31 - have) & 1;
		}
		if (have == 32) {
			if (op == 1 && address == p->address)
				p->reg[reg] = (uint16_t)p->shift;
			p->bit = 0;
			p->ones = 0;
			p->line = true;
		}
	}
	return mdo_en ? mdo : p->line;
}
