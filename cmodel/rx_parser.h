/* SPDX-License-Identifier: Apache-2.0
 * rx_parser.h - beats from the wire to segment descriptors. The last beat in cycle L has its descriptor
 * pushed in L+1+PARSE_CYCLES, at 512 bits in L+8. Never stalls: a frame that finds no room is ignored or marked lost. */
#ifndef HANDFAST_CMODEL_RX_PARSER_H
#define HANDFAST_CMODEL_RX_PARSER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "handfast_model.h"
#include "ring.h"
#include "tuple_hash.h"

#define RX_LENGTH_MAX	 16383u /* lengths saturate here */
#define RX_NOTHING	 UINT_MAX
#define RX_HEADER_OCTETS 120u /* holds the ports quoted by ICMP behind two tags and the longest IP header */
#define RX_IN_FLIGHT	 9u   /* one-beat frames: L+1 to L+9 of nine frames at once, PARSE_CYCLES 8 */

/* Every field of regs/segment.def in host byte order. */
struct segment {
#define FIELD(name, bits, doc) HF_UINT(bits) name;
#include "../regs/segment.def"
#undef FIELD
};

/* A frame between its last beat and the queue: its descriptor, at its place in the queue already, is still to be
 * judged by what depends on registers. */
struct rx_parsed {
	uint64_t dst_mac; /* first octet most significant */
	uint64_t judge_cycle, push_cycle;
};

struct rx_parser {
	bool in_frame; /* the next beat is not a first one */
	bool ignoring; /* to the tlast of this frame */
	bool lost;     /* staging had no room for one of its beats */
	bool has_hash, has_mac;
	struct tuple tuple; /* has_hash: what was hashed */
	unsigned tcp;	    /* has_hash and TCP: place of its header */
	unsigned awaited;   /* octets that the next request takes, or RX_NOTHING */
	unsigned length;    /* octets so far, saturating */
	unsigned beat;	    /* beats so far, saturating with length */
	unsigned staged;    /* of these, written to staging */
	unsigned max_beats; /* that staging takes of one frame */
	unsigned kept_beats;
	uint64_t stamp;
	uint8_t *octets; /* the first kept_beats of the frame */
	unsigned inflight;
	struct rx_parsed parsed[RX_IN_FLIGHT];
	struct ring parsed_ring;
	/* Of SEG_DEPTH, as no more frames are in flight. A descriptor popped stays readable until its verdict is taken. */
	struct segment *queue;
	struct ring queue_ring;
};

/* RFC 1122 section 3.2.1.3: neither source nor destination of a connection. 240/4 without the limited broadcast
 * address is let through: it is reserved, not impossible. RFC 4291 section 2: nor are :: and ff00::/8. */
static inline bool hfm_impossible_addr(bool ip6, hf_u128 addr)
{
	if (ip6)
		return addr == 0 || addr >> 120 == 0xff;
	return addr == 0 || addr >> 28 == 0xe || addr == 0xffffffff;
}

struct hf_model;

void hfm_rx_parser_reset(struct rx_parser *rx);
/* Push what is due; then, if there is one, take the beat on the pins. */
void hfm_rx_parser_step(struct hf_model *m, const struct hf_in *in);

#endif
