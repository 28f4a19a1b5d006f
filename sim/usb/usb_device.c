/* SPDX-License-Identifier: Apache-2.0
 * usb_device.c - USB 2.0 chapter 9 around a chip. Section numbers are of that specification. */
#include "usb_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ENDPOINTS = 5,	     /* 0 to 4 */
	PACKETS_AT_ONCE = 64 /* of an endpoint, before another has its turn */
};

/* 9.4, table 9-4 and 9-5; bmRequestType 9.3.1 */
enum {
	GET_STATUS,
	CLEAR_FEATURE,
	SET_FEATURE = 3,
	SET_ADDRESS = 5,
	GET_DESCRIPTOR,
	SET_DESCRIPTOR,
	GET_CONFIGURATION,
	SET_CONFIGURATION,
	GET_INTERFACE,
	SET_INTERFACE
};
enum { DEVICE = 1, CONFIGURATION, STRING, INTERFACE, ENDPOINT, DEVICE_QUALIFIER, OTHER_SPEED };
enum { TO_DEVICE, TO_INTERFACE, TO_ENDPOINT, RECIPIENT = 0x1f, TYPE = 0x60, VENDOR = 0x40, STANDARD = 0, IN = 0x80 };
enum { ENDPOINT_HALT = 0, REMOTE_WAKEUP = 1 };

static const uint8_t device_descriptor[18] = { 18, DEVICE, 0x00, 0x02, 0, 0, 0, 64, USB_DEVICE_VENDOR & 0xff,
	USB_DEVICE_VENDOR >> 8, USB_DEVICE_PRODUCT & 0xff, USB_DEVICE_PRODUCT >> 8, USB_DEVICE_RELEASE & 0xff,
	USB_DEVICE_RELEASE >> 8, 1, 2, 3, 1 };
static const uint8_t qualifier[10] = { 10, DEVICE_QUALIFIER, 0x00, 0x02, 0, 0, 0, 64, 1, 0 };

#define BULK(address, packet) 7, ENDPOINT, address, 2, (packet)&0xff, (packet) >> 8, 0
#define CHANNEL(number, in, out, packet) \
	9, INTERFACE, number, 0, 2, 0xff, 0xff, 0xff, 2, BULK(in, packet), BULK(out, packet)
#define CONFIGURATION_OF(type, packet)                                                                               \
	{                                                                                                            \
		9, type, 55, 0, USB_DEVICE_INTERFACES, 1, 0, 0xa0 /* bus powered, remote wake-up */, 250 /* 2 mA */, \
			CHANNEL(0, USB_DEVICE_IN_A, USB_DEVICE_OUT_A, packet),                                       \
			CHANNEL(1, USB_DEVICE_IN_B, USB_DEVICE_OUT_B, packet)                                        \
	}
static const uint8_t configuration[55] = CONFIGURATION_OF(CONFIGURATION, USB_DEVICE_PACKET);
static const uint8_t full_speed[55] = CONFIGURATION_OF(OTHER_SPEED, 64);

struct queue {
	struct usb_urb *first, **last;
};

struct usb_device {
	const struct usb_chip_ops *chip;
	void *chip_ctx;
	void (*done)(void *ctx, struct usb_urb *urb);
	void *ctx;
	char serial[32];
	bool attached, remote_wakeup;
	uint8_t configured;
	bool halted[2][ENDPOINTS]; /* by direction (1 = IN) and number */
	struct queue queue[2][ENDPOINTS];
};

struct usb_device *usb_device_new(const struct usb_chip_ops *chip, void *chip_ctx, const char *serial,
	void (*done)(void *ctx, struct usb_urb *urb), void *ctx)
{
	struct usb_device *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->chip = chip;
	d->chip_ctx = chip_ctx;
	d->done = done;
	d->ctx = ctx;
	strncpy(d->serial, serial, sizeof(d->serial) - 1);
	for (unsigned i = 0; i < 2 * ENDPOINTS; i++)
		d->queue[i / ENDPOINTS][i % ENDPOINTS].last = &d->queue[i / ENDPOINTS][i % ENDPOINTS].first;
	return d;
}

void usb_device_free(struct usb_device *d)
{
	free(d);
}

const char *usb_device_serial(const struct usb_device *d)
{
	return d->serial;
}

static void reset(struct usb_device *d)
{
	for (unsigned i = 0; i < 2 * ENDPOINTS; i++) {
		struct queue *q = &d->queue[i / ENDPOINTS][i % ENDPOINTS];

		q->first = NULL;
		q->last = &q->first;
	}
	memset(d->halted, 0, sizeof(d->halted));
	d->remote_wakeup = false;
	d->chip->bus_reset(d->chip_ctx);
}

void usb_device_attach(struct usb_device *d)
{
	reset(d);
	d->attached = true;
	d->configured = 1;
}

void usb_device_detach(struct usb_device *d)
{
	reset(d);
	d->attached = false;
	d->configured = 0;
}

static struct queue *queue_of(struct usb_device *d, uint8_t endpoint)
{
	unsigned number = endpoint & 0x7f;

	return &d->queue[number && endpoint & IN ? 1 : 0][number < ENDPOINTS ? number : 0];
}

void usb_device_submit(struct usb_device *d, struct usb_urb *urb)
{
	struct queue *q = queue_of(d, urb->endpoint);

	urb->next = NULL;
	urb->actual = urb->at = 0;
	urb->status = 0;
	*q->last = urb;
	q->last = &urb->next;
}

bool usb_device_unlink(struct usb_device *d, struct usb_urb *urb)
{
	struct queue *q = queue_of(d, urb->endpoint);

	for (struct usb_urb **at = &q->first; *at; at = &(*at)->next) {
		if (*at != urb)
			continue;
		*at = urb->next;
		if (q->last == &urb->next)
			q->last = at;
		urb->actual = urb->at;
		return true;
	}
	return false;
}

bool usb_device_waits(const struct usb_device *d)
{
	return d->queue[1][USB_DEVICE_IN_A & 0x7f].first || d->queue[0][USB_DEVICE_OUT_A].first;
}

void usb_device_halt(struct usb_device *d, uint8_t endpoint)
{
	d->halted[endpoint >> 7][(endpoint & 0x7f) % ENDPOINTS] = true;
}

/* Endpoint 0 ------------------------------------------------------------------------------------------------ */

static bool exists(uint8_t endpoint)
{
	return !(endpoint & 0x7f) || endpoint == USB_DEVICE_IN_A || endpoint == USB_DEVICE_OUT_A ||
	       endpoint == USB_DEVICE_IN_B || endpoint == USB_DEVICE_OUT_B;
}

static int copy(uint8_t *to, size_t room, const void *from, size_t n)
{
	if (n > room)
		n = room;
	memcpy(to, from, n);
	return (int)n;
}

/* 9.6.7: UNICODE, of ASCII here */
static int get_string(const struct usb_device *d, unsigned index, uint8_t *data, size_t room)
{
	static const uint8_t languages[4] = { 4, STRING, 0x09, 0x04 };
	const char *const texts[] = { "Handfast", "Handfast simulated board", d->serial };
	uint8_t descriptor[128] = { 0, STRING };
	size_t n = 2;

	if (index == 0)
		return copy(data, room, languages, sizeof(languages));
	if (index > sizeof(texts) / sizeof(texts[0]))
		return -EPIPE;
	for (const char *c = texts[index - 1]; *c && n < sizeof(descriptor) - 1; c++, n += 2)
		descriptor[n] = (uint8_t)*c;
	descriptor[0] = (uint8_t)n;
	return copy(data, room, descriptor, n);
}

static int get_descriptor(const struct usb_device *d, uint16_t value, uint8_t *data, size_t room)
{
	switch (value >> 8) {
	case DEVICE:
		return copy(data, room, device_descriptor, sizeof(device_descriptor));
	case CONFIGURATION:
		return value & 0xff ? -EPIPE : copy(data, room, configuration, sizeof(configuration));
	case STRING:
		return get_string(d, value & 0xff, data, room);
	case DEVICE_QUALIFIER:
		return copy(data, room, qualifier, sizeof(qualifier));
	case OTHER_SPEED:
		return value & 0xff ? -EPIPE : copy(data, room, full_speed, sizeof(full_speed));
	default:
		return -EPIPE;
	}
}

/* 9.4.1, 9.4.5, 9.4.9 */
static int feature(struct usb_device *d, unsigned recipient, uint16_t value, uint16_t index, bool on)
{
	if (recipient == TO_DEVICE && value == REMOTE_WAKEUP) {
		d->remote_wakeup = on;
		return 0;
	}
	if (recipient == TO_ENDPOINT && value == ENDPOINT_HALT && exists((uint8_t)index)) {
		if (index & 0x7f)
			d->halted[index >> 7 & 1][index & 0x7f] = on;
		return 0;
	}
	return -EPIPE;
}

static int get_status(const struct usb_device *d, unsigned recipient, uint16_t index, uint8_t *data, size_t room)
{
	uint8_t status[2] = { 0 };

	switch (recipient) {
	case TO_DEVICE:
		status[0] = d->remote_wakeup ? 2 : 0;
		break;
	case TO_INTERFACE:
		if (index >= USB_DEVICE_INTERFACES)
			return -EPIPE;
		break;
	case TO_ENDPOINT:
		if (!exists((uint8_t)index))
			return -EPIPE;
		status[0] = d->halted[index >> 7 & 1][index & 0x7f];
		break;
	default:
		return -EPIPE;
	}
	return copy(data, room, status, sizeof(status));
}

static int standard(struct usb_device *d, unsigned type, unsigned request, uint16_t value, uint16_t index,
	uint8_t *data, size_t room)
{
	static const uint8_t zero;
	unsigned recipient = type & RECIPIENT;
	bool in = type & IN;

	/* The direction is part of the request; SET_DESCRIPTOR and SYNCH_FRAME are optional and not there. */
	if (in != (request == GET_STATUS || request == GET_DESCRIPTOR || request == GET_CONFIGURATION ||
			  request == GET_INTERFACE))
		return -EPIPE;
	switch (request) {
	case GET_STATUS:
		return get_status(d, recipient, index, data, room);
	case CLEAR_FEATURE:
		return feature(d, recipient, value, index, false);
	case SET_FEATURE:
		return feature(d, recipient, value, index, true);
	case SET_ADDRESS:
		return 0;
	case GET_DESCRIPTOR:
		return get_descriptor(d, value, data, room);
	case GET_CONFIGURATION:
		return copy(data, room, &d->configured, 1);
	case SET_CONFIGURATION:
		if (value > 1)
			return -EPIPE;
		d->configured = (uint8_t)value;
		memset(d->halted, 0, sizeof(d->halted));
		return 0;
	case GET_INTERFACE:
		return index < USB_DEVICE_INTERFACES ? copy(data, room, &zero, 1) : -EPIPE;
	case SET_INTERFACE:
		if (value || index >= USB_DEVICE_INTERFACES)
			return -EPIPE;
		for (unsigned i = 0; i < 2; i++)
			d->halted[!i][2 * index + 1 + i] = false;
		return 0;
	default:
		return -EPIPE;
	}
}

static void control(struct usb_device *d, struct usb_urb *urb)
{
	const uint8_t *s = urb->setup;
	uint16_t value = (uint16_t)(s[2] | s[3] << 8), index = (uint16_t)(s[4] | s[5] << 8);
	uint16_t length = (uint16_t)(s[6] | s[7] << 8);
	int n;

	if (length > urb->length)
		length = (uint16_t)urb->length;
	if ((s[0] & TYPE) == STANDARD)
		n = standard(d, s[0], s[1], value, index, urb->data, length);
	else if ((s[0] & TYPE) == VENDOR)
		n = d->chip->control(d->chip_ctx, s[0], s[1], value, index, urb->data, length);
	else
		n = -EPIPE;
	if (n < 0)
		urb->status = n;
	else
		urb->actual = s[0] & IN ? (size_t)n : length;
}

/* Bulk ------------------------------------------------------------------------------------------------------ */

/* Returns true when the request has ended. */
static bool bulk_out(struct usb_device *d, struct usb_urb *urb, bool *moved)
{
	for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
		size_t n = urb->length - urb->at < USB_DEVICE_PACKET ? urb->length - urb->at : USB_DEVICE_PACKET;

		/* Nobody listens to channel B. */
		if (urb->endpoint == USB_DEVICE_OUT_A && n && !d->chip->bulk_out(d->chip_ctx, urb->data + urb->at, n))
			return false;
		*moved = true;
		urb->at += n;
		if (urb->at == urb->length) {
			urb->actual = urb->at;
			return true;
		}
	}
	return false;
}

static bool bulk_in(struct usb_device *d, struct usb_urb *urb, bool *moved)
{
	uint8_t packet[USB_DEVICE_PACKET];

	if (urb->endpoint != USB_DEVICE_IN_A && urb->length)
		return false; /* channel B has nothing to say */
	for (unsigned i = 0; i < PACKETS_AT_ONCE && urb->at < urb->length; i++) {
		size_t n = d->chip->bulk_in(d->chip_ctx, packet), room = urb->length - urb->at;

		if (!n)
			return false;
		*moved = true;
		if (n > room) { /* 5.8.3: babble; the rest is lost */
			urb->status = -EOVERFLOW;
			n = room;
		}
		memcpy(urb->data + urb->at, packet, n);
		urb->at += n;
		if (n < USB_DEVICE_PACKET)
			break;
		if (urb->at < urb->length && i + 1 == PACKETS_AT_ONCE)
			return false;
	}
	urb->actual = urb->at;
	if (urb->actual < urb->length && urb->short_not_ok)
		urb->status = -EREMOTEIO;
	return true;
}

static bool step(struct usb_device *d, struct usb_urb *urb, bool *moved)
{
	unsigned number = urb->endpoint & 0x7f;

	if (!number) {
		control(d, urb);
		*moved = true;
		return true;
	}
	if (!exists(urb->endpoint) || !d->configured || d->halted[urb->endpoint >> 7][number]) {
		urb->status = -EPIPE;
		*moved = true;
		return true;
	}
	return urb->endpoint & IN ? bulk_in(d, urb, moved) : bulk_out(d, urb, moved);
}

bool usb_device_run(struct usb_device *d)
{
	bool moved = false;

	for (unsigned i = 0; d->attached && i < 2 * ENDPOINTS; i++) {
		struct queue *q = &d->queue[i / ENDPOINTS][i % ENDPOINTS];
		struct usb_urb *urb;

		while ((urb = q->first) && step(d, urb, &moved)) {
			q->first = urb->next;
			if (!q->first)
				q->last = &q->first;
			d->done(d->ctx, urb);
		}
	}
	return moved;
}
