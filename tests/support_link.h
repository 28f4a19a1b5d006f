/* SPDX-License-Identifier: Apache-2.0
 * support_link.h - the byte link of docs/usb.md for tests: packets made and taken apart with arithmetic of their own, a host's
 * end of it that keeps every rule, and a card: rtl/usb/usb_link.sv with a core and a cable that do what they are told. */
#ifndef HANDFAST_TESTS_SUPPORT_LINK_H
#define HANDFAST_TESTS_SUPPORT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../regs/regs.h"
#include "../sim/rng.h"

#define RTL_TOP_PINS "../sim/pins_usb_link.def"
#define RTL_TOP_NAME usb_link
#include "../sim/rtl_top_pins.h"

enum { LINK_MESSAGE_MAX = 16384, LINK_PACKET_MAX = 10 + LINK_MESSAGE_MAX + 4 };

struct link_packet {
	unsigned flags, seq, ack, window, length;
	bool intact;		/* the payload's CRC is right; true without payload */
	const uint8_t *payload; /* valid until the next byte is given */
};

uint16_t link_crc16(const uint8_t *data, size_t len);
uint32_t link_crc32(const uint8_t *data, size_t len);

/* A packet as bytes, its checks right whatever the fields are; `length` bytes of payload follow if it has DATA. Returns how many. */
size_t link_build(uint8_t *bytes, const struct link_packet *p);

/* A receiver without a state of the link: bytes in, packets out. */
struct link_hunter {
	uint8_t data[LINK_PACKET_MAX + 16];
	size_t count, done; /* bytes held; those of a packet that was handed out */
	uint64_t skipped;   /* bytes that were of no packet */
};
/* Returns true when this byte ends a packet. */
bool link_hunt(struct link_hunter *h, uint8_t byte, struct link_packet *p);
/* Forget what is half there (nothing came for a while). */
void link_hunt_cut(struct link_hunter *h);

/* Message n of a direction, 16 to 16,384 bytes, different for every n; returns its length. HELLO is message 0 of the card. */
size_t link_message(uint8_t *msg, bool from_card, unsigned n, unsigned longest);

/* ---- the host's end ---- */

struct link_host {
	void (*message)(void *ctx, const uint8_t *msg, size_t len);
	void (*opened)(void *ctx);
	void *ctx;
	bool wants_open, open;
	unsigned ask_ms; /* 10, over a UART 100 */
	struct link_hunter hunter;
	uint8_t expected;
	/* messages under way, by number modulo 8 */
	uint8_t sent_data[8][LINK_MESSAGE_MAX];
	size_t sent_len[8];
	uint8_t una, nxt, put, limit;
	unsigned age_ms, gap_ms, nak_hold_ms, ack_ms, open_ms, taken;
	bool asked, ack_due, nak_due;
	uint8_t out[1 << 18]; /* bytes for the card */
	size_t out_head, out_count;
	uint64_t resent, naks, closes; /* went back; NAKs said; CLOSE heard while open */
};

void link_host_init(struct link_host *h, unsigned ask_ms);
void link_host_open(struct link_host *h);
void link_host_close(struct link_host *h);
bool link_host_room(const struct link_host *h); /* link_host_send() takes one more */
void link_host_send(struct link_host *h, const uint8_t *msg, size_t len);
void link_host_byte(struct link_host *h, uint8_t byte);
void link_host_ms(struct link_host *h);
bool link_host_out(struct link_host *h, uint8_t *byte); /* the next byte for the card */

/* ---- the card ---- */

struct card_message {
	size_t len;
	uint8_t data[LINK_MESSAGE_MAX];
};

struct card {
	void *top;
	struct usb_link_in in;
	struct usb_link_out out;
	struct rng rng;
	uint64_t clocks;
	unsigned tick_clocks; /* clocks per millisecond */
	/* chances in 256 per clock that something rests */
	uint8_t up_rest, down_rest, c2h_rest, h2c_rest;
	/* chances in 2^24 per byte, both ways */
	uint32_t lose, twice, flip;
	bool hold_h2c, hold_up;
	/* what the host sends */
	uint8_t down[1 << 19];
	size_t down_head, down_count;
	/* what the core says: one message at a time */
	struct card_message c2h;
	size_t c2h_at;		 /* bytes sent; c2h.len: none is left */
	struct card_message h2c; /* being assembled */
	/* what comes; `down_byte` is asked when the queue is empty */
	void (*up_byte)(struct card *c, uint8_t byte, bool last);
	bool (*down_byte)(struct card *c, uint8_t *byte);
	void (*h2c_message)(struct card *c, const uint8_t *msg, size_t len);
	bool (*c2h_message)(struct card *c, struct card_message *m); /* the core's next one, false: none */
	void (*ms)(struct card *c);
	void *ctx;
	uint64_t damaged, refused, resent, discarded, up_bytes, up_lasts;
	const char *fault; /* a broken promise at the pins, NULL while there is none */
};

struct card *card_open(uint64_t seed); /* out of reset; NULL when memory is short */
void card_close(struct card *c);
void card_step(struct card *c);
void card_ms(struct card *c, unsigned ms);
void card_down(struct card *c, const uint8_t *bytes, size_t len);

#endif
