/* SPDX-License-Identifier: Apache-2.0
 * watch.h - what the kernel says of its sockets: which were destroyed; and destroying one (sock_diag). */
#ifndef HANDFAST_WATCH_H
#define HANDFAST_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

/* watch_open - subscribe to the destruction of TCP sockets in this network namespace.
 * Returns an fd to poll for POLLIN, or -errno; -EPROTONOSUPPORT, -ENOENT: a kernel without inet_diag. */
int watch_open(void);

/* watch_read - take the notifications that are there; calls `destroyed` with each socket's SO_COOKIE
 * and whether it had a peer.
 * Returns 0, or -ENOBUFS when the kernel had to drop some. */
int watch_read(int fd, void (*destroyed)(void *ctx, uint64_t cookie, bool connected), void *ctx);

/* watch_destroy - make the kernel give up the socket of a 4-tuple. A live one sends a RST on its way out.
 * Returns 0, or -ENOENT (there is none), -EPERM, -ETIMEDOUT, -EOPNOTSUPP (no CONFIG_INET_DIAG_DESTROY). */
int watch_destroy(const union address *local, const union address *remote);

/* watch_find - the kernel's socket of a 4-tuple: 0 and its SO_COOKIE, -ENOENT (none; TIME-WAIT is none), or another -errno. */
int watch_find(const union address *local, const union address *remote, uint64_t *cookie);

/* watch_time_wait - is it one in TIME-WAIT? */
bool watch_time_wait(const union address *local, const union address *remote);

#endif
