/* SPDX-License-Identifier: Apache-2.0
 * tap.h - the TAP netdev through which the host's kernel sees the board's wire.
 *
 * IFF_VNET_HDR: the kernel leaves TCP checksums and the cutting of large segments to us and the board, does not verify what the board
 * has verified, and takes segments that were merged. One queue: one thread moves all frames, and a second queue would only be polled by
 * the same thread. No IFF_NAPI: the kernel would process a frame later than the write, and merge no more (docs/performance.md).
 *
 * Threads: one owns a TAP. Blocks: tap_open(), until the name is free and addresses are usable, two seconds or so at most; the others do
 * not, but that the kernel works on a frame before tap_write() returns. Fork, Errors: library.h. */
#ifndef HANDFAST_TAP_H
#define HANDFAST_TAP_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"
#include "frame.h"

#define TAP_FRAME_MAX	   (65535 + 22) /* an IP packet of any length behind Ethernet and two tags */
#define TAP_ADDRESSES_MAX4 4		/* as many as the board has registers for */
#define TAP_ADDRESSES_MAX6 2

struct tap_address {
	union address address; /* port 0 */
	unsigned prefix;
};

struct tap_addresses {
	struct tap_address of[TAP_ADDRESSES_MAX4 + TAP_ADDRESSES_MAX6];
	unsigned count;
};

struct tap {
	int fd; /* non-blocking */
	char name[IFNAMSIZ];
	uint8_t mac[6];
	int ifindex;
};

/* What the kernel left to be done with a frame. */
struct tap_offload {
	bool checksum;		/* the field at start + offset holds a partial sum */
	unsigned start, offset; /* octets */
	bool segment;		/* TCP, to be cut into pieces of `size` octets of payload */
	unsigned size;
};

/* tap_open - create a TAP netdev, give it MAC (NULL: the kernel's random one), addresses and MTU, set it up.
 *
 *   fd          -1, or the descriptor of a TAP that was set up this way by another process: its netdev is kept as it is, but for
 *               addresses it lacks. It is taken over on success
 *   persistent  the netdev outlives tap_close(); one that was left so is taken over, addresses added. Otherwise it exists until then
 *
 * IPv6 addresses are usable when this returns: no duplicate address detection, whose answer nobody could wait for.
 * Returns 0, or -errno and in *step what was being done: -EPERM without CAP_NET_ADMIN or access to /dev/net/tun,
 * -EBUSY, -EEXIST (no TAP), -EINVAL (name, MTU, MAC), -EACCES (IPv6 is switched off). */
int tap_open(struct tap *tap, int fd, const char *name, const uint8_t *mac, const struct tap_addresses *addresses,
	unsigned mtu, bool persistent, const char **step);
void tap_close(struct tap *tap);

/* One frame from the kernel, at most TAP_FRAME_MAX. Returns its bytes, 0 if there is none, or -errno. */
ssize_t tap_read(struct tap *tap, uint8_t *frame, size_t cap, struct tap_offload *left);
/* One frame to the kernel, which processes it before this returns. verified: its checksums were found right (VIRTIO_NET_HDR_F_DATA_VALID;
 * Linux 6.18's tun looks itself all the same). Returns 0 or -errno. */
int tap_write(struct tap *tap, const uint8_t *frame, size_t len, bool verified);
/* Intact segments that were merged, one or more: as tap_write() of each, but that the kernel goes its way once, and believes their
 * checksum (VIRTIO_NET_HDR_F_NEEDS_CSUM: "still to be made" needs no check). */
int tap_write_merged(struct tap *tap, struct merge *m);

#endif
