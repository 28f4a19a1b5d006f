/* SPDX-License-Identifier: Apache-2.0
 * listening.h - the listening TCP sockets of the calling thread's network namespace, as sock_diag tells.
 * Threads: any. Blocks: 100 ms at most for each answer. Fork, Errors: library.h. */
#ifndef HANDFAST_LISTENING_H
#define HANDFAST_LISTENING_H

#include <stdbool.h>
#include <stdint.h>

#include "../address.h"

struct listening {
	union address local;
	bool v6only;
	bool mptcp;
	uint32_t rcvbuf; /* octets, as SO_RCVBUF */
	uint64_t cookie; /* SO_COOKIE */
};

/* Call `each` for every one on this port, host order; 0: on any port. Returns 0, -ETIMEDOUT when the kernel does not
 * answer within 100 ms, or -errno. */
int listening_each(uint16_t port, void (*each)(void *ctx, const struct listening *l), void *ctx);

/* Would a connection to this address and port reach it? The any-address asks for sockets on the any-address. */
bool listening_takes(const struct listening *l, const union address *local);

#endif
