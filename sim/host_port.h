/* SPDX-License-Identifier: Apache-2.0
 * host_port.h - the host side of a simulated board: a SOCK_SEQPACKET socket, one message of exactly `length` bytes
 * per packet, one client at a time. */
#ifndef HANDFAST_SIM_HOST_PORT_H
#define HANDFAST_SIM_HOST_PORT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sim.h"

struct host_port {
	const char *path;
	int listen_fd, fd;	    /* fd: the client, -1 = none */
	struct host_message *first; /* messages that the client's socket had no room for */
	struct host_message **last;
	unsigned waiting;
	uint64_t bad, refused, sent, received, discarded;
};

/* Listen at `path`. Returns 0, or the -errno of unix_listen(). */
int host_port_open(struct host_port *h, const char *path);
/* Disconnect, free what waits, remove the socket. */
void host_port_close(struct host_port *h);

/* What to wait for; at most two entries. Returns the number filled in. */
unsigned host_port_poll(const struct host_port *h, struct pollfd *fds);

/* Take a client that knocks when there is none; refuse it with one line on stderr when there is one. Returns true when
 * a client came: the caller sends HELLO first. */
bool host_port_accept(struct host_port *h);

/* Take one message, at most `size` bytes. A packet that is shorter than a header, longer than `size`, or not of its
 * length field's size is answered with a COMPLETION of status BAD_LENGTH and reported on stderr. Nothing is taken while
 * messages wait: a client that does not read is not listened to.
 * Returns its length, or 0 when there is none now; a client that went is forgotten. */
size_t host_port_receive(struct host_port *h, uint8_t *msg, size_t size);

/* Send one message; without a client it is discarded and counted. What the socket does not take waits in order:
 * while `waiting` is not 0 the caller holds c2h, so the queue stays short. */
void host_port_send(struct host_port *h, const uint8_t *msg, size_t len);

/* Send what waits, as far as the socket takes it. */
void host_port_flush(struct host_port *h);

#endif
