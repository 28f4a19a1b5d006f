/* SPDX-License-Identifier: Apache-2.0
 * usb_device.h - a board as a USB device: what USB 2.0 chapter 9 asks of one, with the descriptors of an FT2232H and strings of
 * our own, around a chip that knows vendor requests and bulk packets. Whatever carries its transfers (usbip_server.h) submits
 * and unlinks requests ("URBs", as Linux calls them). Not thread-safe.
 *
 *	requests ── submit ──► queue of each endpoint ── usb_device_run() ──► control, packets of 512 bytes ──► chip
 *	         ◄── done ──── whole, or short, stalled, unlinked */
#ifndef HANDFAST_USB_DEVICE_H
#define HANDFAST_USB_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	USB_DEVICE_PACKET = 512,
	USB_DEVICE_VENDOR = 0x0403,
	USB_DEVICE_PRODUCT = 0x6010,
	USB_DEVICE_RELEASE = 0x0700, /* bcdDevice of every FT2232H */
	USB_DEVICE_INTERFACES = 2,
	USB_DEVICE_IN_A = 0x81,
	USB_DEVICE_OUT_A = 0x02,
	USB_DEVICE_IN_B = 0x83,
	USB_DEVICE_OUT_B = 0x04
};

/* What is behind the endpoints: channel A of the chip. As the functions of ft2232h.h. */
struct usb_chip_ops {
	/* A vendor request. Returns the bytes of its data stage, at most `length`, or -EPIPE. */
	int (*control)(void *ctx, uint8_t request_type, uint8_t request, uint16_t value, uint16_t index, uint8_t *data,
		uint16_t length);
	/* One OUT packet. Returns false for NAK. */
	bool (*bulk_out)(void *ctx, const uint8_t *data, size_t len);
	/* One IN packet. Returns its length, 0 for NAK. */
	size_t (*bulk_in)(void *ctx, uint8_t packet[USB_DEVICE_PACKET]);
	void (*bus_reset)(void *ctx);
};

struct usb_urb {
	struct usb_urb *next;
	uint8_t endpoint; /* 0, or number and direction (bit 7) */
	uint8_t setup[8]; /* of endpoint 0 */
	uint8_t *data;	  /* OUT: what is sent; IN: room. The submitter's, until it is done */
	size_t length;
	bool short_not_ok; /* IN: less than `length` is -EREMOTEIO */
	/* When it is done: */
	size_t actual;
	int status; /* 0, -EPIPE (stall), -EREMOTEIO */
	size_t at;  /* inside */
};

struct usb_device;

/* A device at an unpowered port. `done` is called from usb_device_run() for each request that has ended; it may free it.
 * The serial is copied. NULL when memory is short. */
struct usb_device *usb_device_new(const struct usb_chip_ops *chip, void *chip_ctx, const char *serial,
	void (*done)(void *ctx, struct usb_urb *urb), void *ctx);
/* Its requests are forgotten, not done. */
void usb_device_free(struct usb_device *d);

/* A host is there: bus reset, address, and configuration 1, as the kernel of that host believes. */
void usb_device_attach(struct usb_device *d);
/* Unplugged: requests are forgotten, the chip is as after power-up. */
void usb_device_detach(struct usb_device *d);

/* Queue a request; usb_device_run() does it. */
void usb_device_submit(struct usb_device *d, struct usb_urb *urb);
/* Take it out of its queue. Returns false when it is not there: it was done. What was moved stays moved (`at`). */
bool usb_device_unlink(struct usb_device *d, struct usb_urb *urb);
/* Move what can be moved. Returns true if anything was. */
bool usb_device_run(struct usb_device *d);
/* Requests wait for the board to send, or to take. */
bool usb_device_waits(const struct usb_device *d);

/* Endpoint 0x81 or 0x02 stalls until the host clears it: a fault for tests. */
void usb_device_halt(struct usb_device *d, uint8_t endpoint);

const char *usb_device_serial(const struct usb_device *d);

#endif
