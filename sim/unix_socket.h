/* SPDX-License-Identifier: Apache-2.0
 * unix_socket.h - a listening socket at a path, for the board's wire and host sides. */
#ifndef HANDFAST_SIM_UNIX_SOCKET_H
#define HANDFAST_SIM_UNIX_SOCKET_H

#include <stddef.h>

/* Listen at `path` with a socket of a type, SOCK_SEQPACKET or SOCK_STREAM. A socket that a dead process left there is replaced.
 *
 * Returns the descriptor (non-blocking, close-on-exec), or
 *   -ENAMETOOLONG  more than 107 bytes, or none
 *   -EADDRINUSE    a living process listens there
 *   -EEXIST        something that is not a socket is there
 *   -errno         of socket(2), bind(2) or listen(2) otherwise
 *
 * The caller closes it and removes the path. */
int unix_listen_as(const char *path, int type);
/* SOCK_SEQPACKET. */
int unix_listen(const char *path);

/* The error of either in words. */
const char *unix_listen_error(int error);

#endif
