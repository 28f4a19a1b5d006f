/* SPDX-License-Identifier: Apache-2.0
 * chip_functional.c - what USB sees of an FT2232H whose channel A is a synchronous FIFO. Sources: FTDI AN_232B-04 (latency timer,
 * status bytes), AN_130, and the requests as ftdi_sio.h of Linux lists them. */
#include "chip_functional.h"

#include <errno.h>
#include <string.h>

enum {
	RESET = 0,
	POLL_STATUS = 5,
	LAST_SERIAL = 7, /* modem, flow, baud, data, event and error characters: nothing to a FIFO */
	SET_LATENCY = 9,
	GET_LATENCY = 10,
	SET_BITMODE = 11,
	READ_PINS = 12,
	IN = 0x80,
	CHANNEL_A = 1,
	SYNC_FIFO = 0x40,
	POWER_UP_LATENCY_MS = 16,
	STATUS_BYTES = 2
};

static const uint8_t status[STATUS_BYTES] = { 0x32, 0x60 }; /* as of a high-speed chip at rest */

void chip_functional_init(struct chip_functional *c, struct card_link *card)
{
	memset(c, 0, sizeof(*c));
	c->card = card;
	c->latency_ms = POWER_UP_LATENCY_MS;
}

int64_t chip_functional_due(const struct chip_functional *c)
{
	return c->last_in + (int64_t)c->latency_ms * 1000;
}

static void bus_reset(void *ctx)
{
	struct chip_functional *c = ctx;

	c->sync_fifo = false;
	c->latency_ms = POWER_UP_LATENCY_MS;
}

static int control(
	void *ctx, uint8_t type, uint8_t request, uint16_t value, uint16_t index, uint8_t *data, uint16_t length)
{
	struct chip_functional *c = ctx;
	bool in = type & IN, a = (index & 0xff) == CHANNEL_A;

	if (in != (request == POLL_STATUS || request == GET_LATENCY || request == READ_PINS))
		return -EPIPE;
	switch (request) {
	case POLL_STATUS:
		memcpy(data, status, length < STATUS_BYTES ? length : STATUS_BYTES);
		return length < STATUS_BYTES ? length : STATUS_BYTES;
	case GET_LATENCY:
	case READ_PINS:
		if (!length)
			return 0;
		data[0] = request == GET_LATENCY ? (uint8_t)c->latency_ms : 0xff;
		return 1;
	case SET_LATENCY:
		if (value < 1 || value > 255)
			return -EPIPE;
		if (a)
			c->latency_ms = value;
		return 0;
	case SET_BITMODE:
		if (!a && value >> 8)
			return -EPIPE;
		if (a)
			c->sync_fifo = value >> 8 == SYNC_FIFO;
		return 0;
	default:
		return request <= LAST_SERIAL ? 0 : -EPIPE;
	}
}

static bool bulk_out(void *ctx, const uint8_t *bytes, size_t n)
{
	struct chip_functional *c = ctx;

	/* Without CLKOUT the card takes nothing, and the buffer fills; it is emptied by the host's RESET. Here it is
	 * never full: what comes then is lost. */
	if (c->sync_fifo) {
		card_link_down(c->card, bytes, n, c->now);
		c->to_card += n;
	}
	return true;
}

static size_t bulk_in(void *ctx, uint8_t packet[USB_DEVICE_PACKET])
{
	struct chip_functional *c = ctx;
	size_t n = 0;

	if (c->sync_fifo)
		n = card_link_up(c->card, packet + STATUS_BYTES, USB_DEVICE_PACKET - STATUS_BYTES, c->now);
	/* An empty packet when the latency timer has run out. */
	if (!n && c->now < chip_functional_due(c))
		return 0;
	c->from_card += n;
	c->last_in = c->now;
	memcpy(packet, status, STATUS_BYTES);
	return STATUS_BYTES + n;
}

const struct usb_chip_ops chip_functional_ops = { control, bulk_out, bulk_in, bus_reset };
