/* SPDX-License-Identifier: Apache-2.0
 * link_functional.h - the card's end of the byte link (docs/usb.md) in C, message by message: what rtl/usb/usb_link.sv does
 * clock by clock. For boards whose engine is the C model, and for tests of the host's end. It shares no code with that one.
 * Times are microseconds of any monotonic clock that the caller passes in. */
#ifndef HANDFAST_LINK_FUNCTIONAL_H
#define HANDFAST_LINK_FUNCTIONAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct card_link;

struct card_counts {
	uint64_t damaged;   /* packets dropped: check or CRC wrong, length impossible, cut off */
	uint64_t refused;   /* messages whose own length field lies; their numbers are used up */
	uint64_t resent;    /* times the sender went back */
	uint64_t discarded; /* messages of the core while no host was there */
	uint64_t taken;	    /* messages of the host */
	uint64_t opened;    /* times a host opened it */
};

struct card_link *card_link_new(void);
void card_link_free(struct card_link *c);

/* The core's last HELLO: what a host gets first. */
void card_link_hello(struct card_link *c, const uint8_t *hello, size_t len);
/* A message of `len` bytes is taken from the core now: there is room, or nobody to send it to. */
bool card_link_room(const struct card_link *c, size_t len);
/* Take it; only if card_link_room(). */
void card_link_c2h(struct card_link *c, const uint8_t *msg, size_t len);
/* The oldest message of the host, NULL = none; then forget it. */
const uint8_t *card_link_h2c(const struct card_link *c, size_t *len);
void card_link_h2c_done(struct card_link *c);

/* Bytes from the host; bytes for it, at most `cap`. */
void card_link_down(struct card_link *c, const uint8_t *bytes, size_t n, int64_t now);
size_t card_link_up(struct card_link *c, uint8_t *bytes, size_t cap, int64_t now);

/* When card_link_tick() must be called, INT64_MAX = not. */
int64_t card_link_due(const struct card_link *c);
void card_link_tick(struct card_link *c, int64_t now);

bool card_link_is_open(const struct card_link *c);
const struct card_counts *card_link_counts(const struct card_link *c);

#endif
