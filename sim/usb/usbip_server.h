/* SPDX-License-Identifier: Apache-2.0
 * usbip_server.h - one USB device for any Linux kernel: the USB/IP protocol, version 1.1.1, as Documentation/usb/usbip_protocol.rst of
 * Linux describes it. `usbip list -r ADDR` and `usbip attach -r ADDR -b 1-1` are its clients.
 *
 * Only on a loopback address, since the protocol knows neither passwords nor encryption. Nothing here blocks or prints; what a
 * client sends wrong ends that client, with a reason in last_error. */
#ifndef HANDFAST_USBIP_SERVER_H
#define HANDFAST_USBIP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "usb_device.h"

struct usbip_server;

struct usbip_counts {
	uint64_t attached; /* times a client took the device */
	uint64_t urbs, unlinked;
	uint64_t refused; /* imports while it was taken */
	uint64_t broken;  /* clients that sent what cannot be */
};

/* Listen at "ADDR:PORT" or "[ADDR]:PORT"; port 0 takes a free one. Returns 0 and sets *s; or, with one line in `error`,
 *   -EINVAL  no such address, or not a loopback one
 *   -errno   of socket(2), bind(2), listen(2), or -ENOMEM */
int usbip_server_open(const char *where, const struct usb_chip_ops *chip, void *chip_ctx, struct usbip_server **s,
	char *error, size_t size);
void usbip_server_close(struct usbip_server *s);

/* Readable when usbip_server_run() has something to do. */
int usbip_server_fd(const struct usbip_server *s);
/* Serve the clients, and move what the device can move. Returns true if anything was. */
bool usbip_server_run(struct usbip_server *s);
unsigned usbip_server_port(const struct usbip_server *s);
bool usbip_server_attached(const struct usbip_server *s);
struct usb_device *usbip_server_device(struct usbip_server *s);
const struct usbip_counts *usbip_server_counts(const struct usbip_server *s);
/* Why the last client was thrown out, "" if none was; then it is "" again. */
const char *usbip_server_error(struct usbip_server *s);

/* A connected socket as a client, for fuzzing. The server closes it. Returns false when there is no place. */
bool usbip_server_add(struct usbip_server *s, int fd);

#endif
