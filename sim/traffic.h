/* SPDX-License-Identifier: Apache-2.0
 * traffic.h - stimulus for lock step and bench: TCP frames with raw options, made right and then broken on purpose,
 * and messages from the host. */
#ifndef HANDFAST_SIM_TRAFFIC_H
#define HANDFAST_SIM_TRAFFIC_H

#include <stddef.h>
#include "packet.h"
#include "rng.h"
#include "sim.h"

/* A frame under construction. traffic_tcp() makes it right; whoever breaks a field calls the checksum functions
 * afterwards, or does not. */
struct frame {
	uint8_t data[SIM_FRAME_MAX];
	size_t len;
	bool bad_fcs;
};

/* A TCP segment; all lengths in bytes. */
struct segment {
	uint8_t dst_mac[6], src_mac[6];
	uint32_t src_addr, dst_addr;
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t flags, wnd, urgent;
	uint8_t options[40];
	size_t options_len; /* padded with NOPs to a multiple of 4 */
	uint8_t ip_options[40];
	size_t ip_options_len; /* a multiple of 4 */
	size_t text_len;
	uint8_t text; /* every octet of the text */
	bool exact;   /* do not pad to 60 bytes */
};

void traffic_tcp(struct frame *f, const struct segment *g);

/* Put in right checksums, where the headers are believable enough to say where. */
void traffic_ip_checksum(struct frame *f);
void traffic_tcp_checksum(struct frame *f);

/* Append an option: MSS, window scale, SACK-permitted, timestamps. */
void traffic_option_mss(struct segment *g, uint16_t mss);
void traffic_option_ws(struct segment *g, uint8_t shift);
void traffic_option_sack(struct segment *g);
void traffic_option_ts(struct segment *g, uint32_t tsval, uint32_t tsecr);

/* Options of a SYN, legal or hostile: repeated, of wrong length, cut off, unknown. */
void traffic_random_options(struct segment *g, struct rng *r);

/* Break a right frame in one of the ways there are; the checksums are then right or wrong as it falls out. */
void traffic_break(struct frame *f, struct rng *r);
/* A frame that never was a TCP segment: noise, ARP, IPv6, VLAN, UDP, runts, one octet, more than MAX_FRAME. */
void traffic_other(struct frame *f, struct rng *r, size_t max_frame);

/* Make a message in `msg` (SIM_FRAME_MAX bytes): header, and a body of zeros up to `bytes`. */
void traffic_message(
	uint8_t *msg, uint8_t type, uint8_t flags, uint16_t length, uint32_t id, uint64_t cookie, size_t bytes);

#endif
