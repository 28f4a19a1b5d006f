/* SPDX-License-Identifier: Apache-2.0
 * vfio_user.h - a vfio-user server with one PCI device: any vfio-user client (QEMU 10.1 and later, driver/transport_vfio_user.c)
 * attaches it. What the device is and does is behind struct vfio_user_device.
 *
 * The client is not trusted. What it sends is answered, refused with an errno, or, where the byte stream cannot be followed any
 * more, ends the connection; then the next client is served. Nothing here waits for the client: a reply that its socket has no
 * room for waits here, and as long as it does nothing more is read.
 *
 * DMA goes to memory that the client gave a descriptor for. A range without one is known, so that it can be unmapped again, but
 * the device cannot reach it: to ask the client for it (DMA_READ) would mean to wait for a client that may itself wait for us. */
#ifndef HANDFAST_SIM_PCIE_VFIO_USER_H
#define HANDFAST_SIM_PCIE_VFIO_USER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "dma_map.h"
#include "../../driver/vfio_user_protocol.h"

enum { VFIO_USER_VECTORS = 8, VFIO_USER_FDS = 2 };

/* The device. Offsets and lengths are inside the region. */
struct vfio_user_device {
	uint32_t bar0_bytes, config_bytes;
	unsigned vectors; /* of MSI-X, at most VFIO_USER_VECTORS */
	void (*bar0_read)(void *ctx, uint32_t offset, void *data, size_t len);
	void (*bar0_write)(void *ctx, uint32_t offset, const void *data, size_t len);
	void (*config_read)(void *ctx, uint32_t offset, void *data, size_t len);
	void (*config_write)(void *ctx, uint32_t offset, const void *data, size_t len);
	/* Some vector got an eventfd or lost it. */
	void (*vectors_changed)(void *ctx);
	/* As a function level reset. Also called when a client has gone, before its memory and eventfds go. */
	void (*reset)(void *ctx);
};

struct vfio_user_stats {
	uint64_t clients, refused_clients;
	uint64_t messages, errors; /* errors: answered with an errno */
	uint64_t broken;	   /* connections ended because of what came */
	uint64_t interrupts, lost; /* lost: no eventfd */
};

struct vfio_user {
	const struct vfio_user_device *device;
	void *ctx;
	const char *path;
	FILE *log;	   /* a line for each client that was refused or dropped; NULL = none */
	int listen_fd, fd; /* fd: the client, -1 = none */
	bool greeted;	   /* VERSION was exchanged */
	struct dma_map memory;
	int vector[VFIO_USER_VECTORS]; /* eventfds, -1 = none */
	struct vfio_user_stats stats;

	uint8_t *in, *out;
	size_t in_len, out_len, out_at;
	int fds[VFIO_USER_MAX_FDS]; /* that came with the message being received */
	unsigned fd_count;
	bool fds_lost; /* there were more */
};

/* Listen at `path`, or with NULL nowhere (vfio_user_client() brings the client then). Returns 0, -ENOMEM, or the -errno of
 * unix_listen_as(). */
int vfio_user_open(struct vfio_user *v, const char *path, const struct vfio_user_device *device, void *ctx);
/* Disconnect, free, remove the socket. */
void vfio_user_close(struct vfio_user *v);

/* What to sleep on; at most VFIO_USER_FDS. Returns how many: first the listening socket, then the client's. */
unsigned vfio_user_poll(const struct vfio_user *v, struct pollfd *fds);
/* Take a client that knocks, or refuse it when there is one. Returns whether one came. */
bool vfio_user_accept(struct vfio_user *v);
/* A connected socket becomes the client; there must be none. It is closed with the client. */
void vfio_user_client(struct vfio_user *v, int fd);
/* Answer at most `max` messages that are there. Returns how many there were. */
unsigned vfio_user_serve(struct vfio_user *v, unsigned max);
/* Signal the eventfd of a vector. */
void vfio_user_interrupt(struct vfio_user *v, unsigned vector);

#endif
