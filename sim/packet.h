/* SPDX-License-Identifier: Apache-2.0
 * packet.h - Ethernet, IPv4 and TCP headers of one frame, to read and to make. The ladder, the wire backends
 * and the small peer stand on it. Numbers are in host byte order; network order lives only inside frames. */
#ifndef HANDFAST_SIM_PACKET_H
#define HANDFAST_SIM_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_ETHERTYPE_IPV4 0x0800
#define PACKET_ETHERTYPE_ARP  0x0806
#define PACKET_ETHERTYPE_IPV6 0x86dd
#define PACKET_ETH_HEADER     14 /* bytes */
#define PACKET_MIN_FRAME      60 /* bytes, what a MAC pads to, without FCS */

/* What a frame says. `text` and `options` point into the frame. */
struct packet {
	uint8_t dst_mac[6], src_mac[6];
	uint16_t ethertype;
	bool is_ipv4, is_tcp;	     /* the headers are wholly there; nothing is said about checksums */
	uint32_t src_addr, dst_addr; /* first octet most significant */
	uint8_t protocol;
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t flags; /* enum hf_flag_bit */
	uint16_t wnd;
	const uint8_t *options, *text;
	size_t options_len, text_len;
	bool mss_ok, ws_ok, sack_ok, ts_ok;
	uint16_t mss;
	uint8_t ws;
	uint32_t tsval, tsecr;
};

/* Read what can be read of a frame of `len` bytes. Returns false when it is shorter than an Ethernet header. */
bool packet_parse(const uint8_t *frame, size_t len, struct packet *p);

/* Make a TCP/IPv4 frame from p (addresses, numbers, flags, the options whose *_ok is set, text), both checksums right,
 * TTL 64, DF, padded to PACKET_MIN_FRAME. Returns its length, or 0 when `size` is too small. */
size_t packet_build(const struct packet *p, uint8_t *frame, size_t size);

/* Add `len` bytes to a ones'-complement sum (RFC 1071); an odd last byte counts as the upper half of a word. */
uint32_t packet_sum(uint32_t sum, const uint8_t *data, size_t len);
/* Fold the carries of packet_sum() into 16 bits; the result is not complemented. */
uint16_t packet_fold(uint32_t sum);
/* Sum of the TCP/UDP pseudo-header: addresses, protocol, length of what follows. */
uint32_t packet_pseudo_sum(uint32_t src_addr, uint32_t dst_addr, uint8_t protocol, size_t len);

/* The options in words, in order, "MSS 1460, SACK permitted, TSval 7 TSecr 0, WS 7"; "" when there are none.
 * What is malformed ends the text with "malformed". Always terminates `out`. */
void packet_options_text(const struct packet *p, char *out, size_t size);
/* The flags in words: "SYN,ACK"; "none" when no flag is set. */
void packet_flags_text(uint16_t flags, char *out, size_t size);

static inline uint16_t packet_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t packet_get32(const uint8_t *p)
{
	return (uint32_t)packet_get16(p) << 16 | packet_get16(p + 2);
}

static inline void packet_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void packet_put32(uint8_t *p, uint32_t v)
{
	packet_put16(p, (uint16_t)(v >> 16));
	packet_put16(p + 2, (uint16_t)v);
}

#endif
