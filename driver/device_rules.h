/* SPDX-License-Identifier: Apache-2.0
 * device_rules.h - a board's source rules, its counts per listener, and its samples (docs/architecture.md, "Source rules"). Each
 * function is one or several register accesses: it waits and returns as device_reg_read() and device_reg_write() do.
 * Threads, Fork, Blocks, Errors: device.h. */
#ifndef HANDFAST_DEVICE_RULES_H
#define HANDFAST_DEVICE_RULES_H

#include <stdint.h>

#include "device.h"

#define DEVICE_RULES_MAX      16	/* entries that a board may have at most */
#define DEVICE_RULE_RATE_MAX  0xffffffu /* SYNs per second that RULE_RATE can hold */
#define DEVICE_RULE_BURST_MAX 1023
#define DEVICE_SAMPLE_MAX     0xfffffu /* SAMPLE.EVERY */
#define DEVICE_MAPPED_BITS    96       /* an IPv4 prefix /n has n more: ::ffff:a.b.c.d */

/* One entry of the table. The lowest index that matches decides. */
struct device_rule {
	uint8_t prefix[16]; /* network order, IPv4 as ::ffff:a.b.c.d */
	unsigned bits;	    /* of 128 that must agree */
	uint32_t rate;	    /* SYNs per second, up to DEVICE_RULE_RATE_MAX; 0: every segment is dropped */
	unsigned burst;	    /* SYNs at once, 1 to DEVICE_RULE_BURST_MAX */
};

/* How many rules the board has room for, 0 to DEVICE_RULES_MAX; with 0 it has neither counts per listener nor samples. */
int device_rules_room(struct device *dev, unsigned *room);

/* device_rule_set - write one entry and fill its bucket; NULL: it matches nothing.
 *
 * The drops of the entry go on counting from where they are. -EACCES: index at or above the room. */
int device_rule_set(struct device *dev, unsigned index, const struct device_rule *rule);

/* What the entry, below the room, has dropped since reset, modulo 2^32. */
int device_rule_drops(struct device *dev, unsigned index, uint32_t *drops);

/* SYNs that found a listener, below the board's number of them, of mode offload since reset, modulo 2^32, whatever became of them. */
int device_listener_syns(struct device *dev, unsigned listener, uint32_t *syns);

/* device_sample - have one of `every` such SYNs told by an event SAMPLE; 0: none.
 *
 * Sets *from_ms to the board's clock: an event whose now_ms is later was made with the new value. */
int device_sample(struct device *dev, uint32_t every, uint32_t *from_ms);

#endif
