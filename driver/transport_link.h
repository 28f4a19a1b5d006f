/* SPDX-License-Identifier: Apache-2.0
 * transport_link.h - what transports over the byte link (link.h) have in common: USB and UART differ only in how bytes
 * move. Inside driver/ only.
 * Blocks: link_transport_open() and link_transport_shut(). Threads, Fork, Errors: transport.h. */
#ifndef HANDFAST_TRANSPORT_LINK_H
#define HANDFAST_TRANSPORT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"
#include "transport.h"

struct link_transport;

struct byte_ops {
	/* Move bytes: what came to link_input(), what link_output() has to the card. Never waits. Sets `due` if it must be
	 * called at a time. Returns 0, or -ENODEV when the board is gone. */
	int (*move)(struct link_transport *x, int64_t now_us);
	/* Give everything back and free x; link_transport_end() was called. */
	void (*close)(struct link_transport *x);
};

/* The head of a transport over the link. t.fd is an epoll descriptor: what bytes move through is added to it, so that it
 * is readable when move() has work. */
struct link_transport {
	struct transport t;
	const struct byte_ops *bytes;
	struct link *link;
	int64_t due; /* when move() wants to be called, INT64_MAX = not */
	bool gone;

	int timer_fd, wake_fd;
	int64_t timer_at; /* what timer_fd is set to, INT64_MAX = nothing */
	bool awake;	  /* wake_fd is readable */
	bool wants_room;  /* send said -EAGAIN since */
	bool room_told;	  /* and the descriptor has reported room */
};

/* Microseconds of CLOCK_MONOTONIC. */
int64_t link_transport_now(void);

/* Make link and descriptors. Returns 0 or -errno, with nothing left behind. */
int link_transport_begin(struct link_transport *x, const struct byte_ops *bytes, int64_t ask_us);
/* Wait until the card has answered OPEN. Returns 0, or -ETIMEDOUT, or -ENODEV. */
int link_transport_open(struct link_transport *x, int timeout_ms);
/* Say CLOSE and wait a little for the card to have got it. */
void link_transport_shut(struct link_transport *x);
/* Undo link_transport_begin(). */
void link_transport_end(struct link_transport *x);

#endif
