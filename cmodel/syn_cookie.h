/* SPDX-License-Identifier: Apache-2.0
 * syn_cookie.h - SYN cookies (RFC 4987 section 3.6): a SYN-ACK whose sequence number remembers for us what an entry
 * would. It is the peer's sequence number plus, from the top: which key (1 bit), the epoch (2 bits), the MSS class
 * (3 bits) and a keyed hash (26 bits). The options it remembers are in the timestamp. The hash is asked for while a
 * frame arrives, so that it is there when its op begins. */
#ifndef HANDFAST_CMODEL_SYN_COOKIE_H
#define HANDFAST_CMODEL_SYN_COOKIE_H

#include <stdbool.h>
#include <stdint.h>
#include "tuple_hash.h"

#define COOKIE_MAC_MASK	    0x3ffffffu
#define COOKIE_EPOCH_MASK   0xffffffu
#define COOKIE_EPOCH_OCTETS 3u
#define COOKIE_OPTIONS_MASK 0x3fu /* the bits of a timestamp that remember options */
#define COOKIE_NO_WS	    15u	  /* in place of a window shift */

struct syn_cookie_request {
	uint64_t cycle; /* in which it is made */
	struct tuple tuple;
	uint64_t stamp;
	uint32_t
		sent; /* SEG.ACK - SEG.SEQ: what we added to the peer's sequence number, if this acknowledges a cookie */
	bool ack;
};

/* The octets to hash and the key of the cycle of the request. Few ops look at the hash: it is computed for them. */
struct syn_cookie_mac {
	uint64_t key[2];
	unsigned octets;
	uint8_t octet[TUPLE_OCTETS_MAX + COOKIE_EPOCH_OCTETS];
	bool key_b;	     /* COOKIE.KEY of that cycle */
	bool made_with_b;    /* the key that is right for this segment */
	uint64_t push_cycle; /* the cycle that pushes it into the queue: an op may begin with that */
};

struct syn_cookies {
	struct syn_cookie_request requests[HASH_REQUESTS];
	struct ring request_ring;
	uint64_t last_push_cycle;
	struct syn_cookie_mac *queue; /* of SEG_DEPTH, as the hash queue is */
	struct ring queue_ring;
};

struct hf_model;

/* A listener's memory of having sent cookies. */
struct cookie_memory {
	bool sent;
	uint32_t epoch; /* of the last one */
};

/* The epoch of a time, 68.7 s long. */
static inline uint32_t hfm_cookie_epoch(uint64_t time_ns)
{
	return time_ns >> 36 & COOKIE_EPOCH_MASK;
}

/* Epochs since that of the cookie which made `sent`: at most 3, as it remembers two bits. */
static inline unsigned hfm_cookie_age(uint32_t epoch, uint32_t sent)
{
	return (epoch - (sent >> 29)) & 3;
}

/* The class of an MSS, regs/cookie.def, and the octets of a class. */
unsigned hfm_cookie_class(uint64_t mss);
unsigned hfm_cookie_mss(unsigned class);
/* The hash, 26 bits. */
uint32_t hfm_cookie_hash(const struct syn_cookie_mac *mac);
/* What is added to the peer's sequence number. */
uint32_t hfm_cookie_encode(const struct syn_cookie_mac *mac, uint32_t epoch, unsigned class);
/* The class in it. */
static inline unsigned hfm_cookie_sent_class(uint32_t sent)
{
	return sent >> 26 & 7;
}

/* Take that key as it is now. */
void hfm_cookie_read_key(const struct hf_model *m, struct syn_cookie_mac *mac);

void hfm_syn_cookie_reset(struct syn_cookies *c);
/* A request that is made in `cycle`, later than this one, for a frame with that stamp and that TCP header, of which
 * the octets up to the flags are looked at. */
void hfm_syn_cookie_request(
	struct hf_model *m, const struct tuple *t, const uint8_t *tcp, uint64_t stamp, uint64_t cycle);
/* The hash that an op may begin with in this cycle, or NULL. */
const struct syn_cookie_mac *hfm_syn_cookie_head(const struct hf_model *m);
void hfm_syn_cookie_step(struct hf_model *m);

#endif
