/* SPDX-License-Identifier: Apache-2.0
 * link.h - the host's end of the byte link of docs/usb.md: two ordered streams of messages made of two streams of bytes
 * that may lose, double or flip some.
 *
 *	messages ── link_send() ──► window of 8 ── link_output() ──► bytes
 *	messages ◄── link_recv() ── queue ◄─────── link_input() ◄─── bytes
 *
 * Nothing here knows what carries the bytes, and nothing reads a clock: `now` is a monotonic time in microseconds that
 * the caller passes in. The caller moves bytes when they can move, and calls link_tick() when link_due() is reached.
 * Plain memory: no call waits. Threads, Fork, Blocks, Errors: transport.h. */
#ifndef HANDFAST_LINK_H
#define HANDFAST_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	LINK_ASK_US = 10000,	  /* USB: a packet is not acknowledged: ask */
	LINK_UART_ASK_US = 100000 /* UART: likewise, and the time that what is under way takes */
};

enum link_state {
	LINK_CLOSED,
	LINK_OPENING, /* OPEN was or will be sent; nothing of ours goes out meanwhile */
	LINK_OPENED,
	LINK_CLOSING,
	LINK_LOST /* no sign of the card for LINK_LOST_US although it was asked */
};
enum { LINK_LOST_US = 5000000 };

struct link;

struct link_stats {
	uint64_t packets_in, packets_out;
	uint64_t messages_in, messages_out;
	uint64_t skipped_bytes; /* of no packet */
	uint64_t bad_headers;	/* sync right, check wrong, or a length that cannot be */
	uint64_t bad_payloads;	/* CRC wrong */
	uint64_t torn;		/* the rest of a packet did not come */
	uint64_t unexpected;	/* DATA that was not the next one */
	uint64_t malformed;	/* a message whose own length field disagrees; lost, its number used up */
	uint64_t bad_acks;	/* an ack of something that was never sent */
	uint64_t naks_in, naks_out, asks_out;
	uint64_t resent;   /* DATA packets sent again */
	uint64_t reopened; /* times the card had lost the link and it was opened anew */
};

/* A closed link. ask_us: LINK_ASK_US, or what a slower stream needs. Returns NULL when memory is short. */
struct link *link_new(int64_t ask_us);
void link_free(struct link *l);

/* Begin. Queued messages of ours are forgotten. The first message that comes is HELLO. */
void link_open(struct link *l, int64_t now);
/* End: what was sent and not acknowledged is forgotten, link_output() gives CLOSE. LINK_CLOSED once the card has said
 * so too, or after a third CLOSE without an answer. */
void link_close(struct link *l, int64_t now);
enum link_state link_state(const struct link *l);

/* Queue one message. Returns 0, or
 *   -EAGAIN    8 are not acknowledged, or the link is not open (yet, or just being opened anew)
 *   -EMSGSIZE  not 16 to 16,384 bytes, or its length field does not say `len`: the link cannot carry it
 *   -ENODEV    LINK_LOST, LINK_CLOSED or LINK_CLOSING */
int link_send(struct link *l, const void *msg, size_t len);
/* link_send() would not say -EAGAIN. */
bool link_room(const struct link *l);
/* Everything sent was acknowledged. */
bool link_idle(const struct link *l);
/* Take the oldest message. Returns its length, or -EAGAIN, -EMSGSIZE (longer than cap; it is lost), -ENODEV as above
 * once none is left. After the card lost the link and it was opened anew, another HELLO comes: to whoever reads that is a board
 * after a reset, of which everything must be asked and told again. */
ssize_t link_recv(struct link *l, void *msg, size_t cap);
/* link_recv() has one. */
bool link_has_message(const struct link *l);

/* Bytes from the card, in whatever portions. */
void link_input(struct link *l, const uint8_t *bytes, size_t n, int64_t now);
/* Up to `cap` bytes for the card; 0 = nothing to say. What is returned counts as sent. */
size_t link_output(struct link *l, uint8_t *bytes, size_t cap, int64_t now);

/* When link_tick() must be called; INT64_MAX = not. It may give link_output() something to say. */
int64_t link_due(const struct link *l);
void link_tick(struct link *l, int64_t now);

const struct link_stats *link_stats(const struct link *l);

#endif
