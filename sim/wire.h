/* SPDX-License-Identifier: Apache-2.0
 * wire.h - what stands in for the cable of a simulated board: a TAP netdev, a network interface, or a unix socket. */
#ifndef HANDFAST_SIM_WIRE_H
#define HANDFAST_SIM_WIRE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_kind { WIRE_TAP, WIRE_PACKET, WIRE_UNIX };

struct wire {
	enum wire_kind kind;
	const char *name; /* interface or path; points into the spec */
	int fd;		  /* frames; -1 = a unix wire without a peer */
	int listen_fd;	  /* WIRE_UNIX, else -1 */
	uint64_t lost;	  /* frames out that the other side did not take */
	bool down;	  /* WIRE_PACKET: the interface went down, or away */
	bool warned_long; /* a frame longer than any MTU was reported */
};

/* Open "tap:NAME", "packet:INTERFACE" or "unix:PATH" (the board listens; one peer at a time, the next one is served when
 * it goes). The TAP netdev is not persistent and is brought up.
 *
 * Returns 0, or -errno with one line about it in `error`; -EINVAL means that the spec itself is wrong. Nothing is
 * left behind on failure. */
int wire_open(struct wire *w, const char *spec, char *error, size_t size);

/* Close; removes the socket and, with the last descriptor, the TAP netdev. */
void wire_close(struct wire *w);

/* What to wait for; at most one entry. Returns the number filled in. */
unsigned wire_poll(const struct wire *w, struct pollfd *fds);

/* Take one frame, at most `size` bytes; longer ones are cut at `size`. A unix peer that came or went is dealt with here.
 * Frames whose checksum their sender left to its hardware (WIRE_PACKET) are completed as that hardware would.
 * Returns its length, 0 when there is none now, or -errno when the interface is gone. */
int wire_receive(struct wire *w, uint8_t *frame, size_t size);

/* Send one frame. Never waits: like a cable without a listener, it loses (and counts) what is not taken. */
void wire_send(struct wire *w, const uint8_t *frame, size_t len);

#endif
