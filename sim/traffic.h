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
	size_t l3; /* first octet of the network header, as it was made */
	bool bad_fcs;
};

/* A TCP segment, over IPv4 or IPv6, with VLAN tags or without; all lengths in bytes. */
struct segment {
	uint8_t dst_mac[6], src_mac[6];
	unsigned vlan_tags; /* 0 to 3; the engine knows at most two */
	bool vlan_svlan;
	uint16_t vlan_outer, vlan_inner;
	bool ip6;
	hf_u128 src_addr, dst_addr; /* IPv4 in the low 32 bits */
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t flags, wnd, urgent;
	uint8_t options[40];
	size_t options_len; /* padded with NOPs to a multiple of 4 */
	uint8_t ip_options[40];
	size_t ip_options_len; /* a multiple of 4; not for IPv6 */
	size_t text_len;
	uint8_t text; /* every octet of the text */
	bool exact;   /* do not pad to 60 bytes */
};

void traffic_tcp(struct frame *f, const struct segment *g);

/* An ICMP or ICMPv6 error of that type and code: from `router`, to the sender of `g`, which is quoted with `octets` of its
 * TCP header and text (at least 8; an IPv6 quote is whole otherwise). */
void traffic_icmp(struct frame *f, const struct segment *g, hf_u128 router, uint8_t type, uint8_t code, size_t octets);

/* An address as it stands in frames: 4 or 16 octets. */
void traffic_address(uint8_t *octets, bool ip6, hf_u128 addr);

/* Put in right checksums, where the headers are believable enough to say where. */
void traffic_ip_checksum(struct frame *f);
void traffic_tcp_checksum(struct frame *f);
void traffic_icmp_checksum(struct frame *f);

/* Append an option: MSS, window scale, SACK-permitted, timestamps. */
void traffic_option_mss(struct segment *g, uint16_t mss);
void traffic_option_ws(struct segment *g, uint8_t shift);
void traffic_option_sack(struct segment *g);
void traffic_option_ts(struct segment *g, uint32_t tsval, uint32_t tsecr);

/* Options of a SYN, legal or hostile: repeated, of wrong length, cut off, unknown. */
void traffic_random_options(struct segment *g, struct rng *r);

/* Break a right frame in one of the ways there are; the checksums are then right or wrong as it falls out. */
void traffic_break(struct frame *f, struct rng *r);
/* Likewise what traffic_icmp() made. */
void traffic_break_icmp(struct frame *f, struct rng *r);
/* A frame that never was a TCP segment: noise, ARP, IPv6, VLAN, UDP, runts, one octet, more than MAX_FRAME. */
void traffic_other(struct frame *f, struct rng *r, size_t max_frame);

/* Make a message in `msg` (SIM_FRAME_MAX bytes): header, and a body of zeros up to `bytes`. */
void traffic_message(
	uint8_t *msg, uint8_t type, uint8_t flags, uint16_t length, uint32_t id, uint64_t cookie, size_t bytes);

#endif
