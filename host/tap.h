/* SPDX-License-Identifier: Apache-2.0
 * tap.h - the TAP netdev through which the host's kernel sees the board's wire. */
#ifndef HANDFAST_TAP_H
#define HANDFAST_TAP_H

#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tap {
	int fd; /* frames without FCS and without any header before them, checksums complete; non-blocking */
	char name[IFNAMSIZ];
	uint8_t mac[6];
};

/* tap_open - create a TAP netdev, give it MAC (NULL: the kernel's random one), address, prefix and MTU, set it up.
 * It exists until tap_close().
 * Returns 0, or -errno and in *step what was being done: -EPERM without CAP_NET_ADMIN or access to /dev/net/tun,
 * -EBUSY, -EEXIST (no TAP), -EINVAL (name, MTU, MAC). */
int tap_open(struct tap *tap, const char *name, const uint8_t *mac, struct in_addr address, unsigned prefix,
	unsigned mtu, const char **step);
void tap_close(struct tap *tap);

/* One frame from the kernel. Returns its bytes, 0 if there is none, or -errno. */
ssize_t tap_read(struct tap *tap, uint8_t *frame, size_t cap);
/* One frame to the kernel, which processes it before this returns. Returns 0 or -errno. */
int tap_write(struct tap *tap, const uint8_t *frame, size_t len);

#endif
