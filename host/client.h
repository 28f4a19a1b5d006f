/* SPDX-License-Identifier: Apache-2.0
 * client.h - libhandfast as a client of handfastd: hf_open("daemon:PATH"). Each function is the other half of the one in
 * handfast.h with its name, and returns the same, or what the daemon says: -EPERM, -EACCES (not allowed by its config), -ENODEV (it is
 * gone).
 *
 * Threads: any, several at once: each call has a connection of its own.
 * Fork: client and channels are good in both processes.
 * Blocks: until the daemon answers, some seconds at most; client_connect() for its timeout besides. client_close(), client_take() and
 *   client_set_option() do not.
 * Errors: library.h. */
#ifndef HANDFAST_CLIENT_H
#define HANDFAST_CLIENT_H

#include <stdbool.h>

#include "address.h"
#include "handfast.h"

struct client; /* of one device */

/* Connect and say hello. `why` (ERROR_BYTES) receives the reason on failure. */
int client_open(const char *path, struct client **client, char *why);
void client_close(struct client *c);

/* kernel_fd: the caller's own listening socket, or -1. Returns a channel. */
int client_listen(struct client *c, const union address *local, int backlog, int kernel_fd, char *why);
/* setsockopt(2) on the socket that went with LISTEN, if ipc_option_ok(); nothing is answered. Returns 0 or -errno. */
int client_set_option(int channel, int level, int option, const void *value, size_t length);
/* Take a connection off a channel; does not wait. Returns a socket, -EAGAIN, -EMFILE (it will come again), -ENODEV or -EPROTO. */
int client_take(int channel, union address *local, union address *remote);
int client_connect(
	struct client *c, const union address *local, const union address *remote, int timeout_ms, char *why);
int client_close_socket(struct client *c, int fd, char *why);
/* Returns the number of counters there are. */
int client_stats(struct client *c, uint64_t *value, size_t max, char *why);

#endif
