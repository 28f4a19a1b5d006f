/* SPDX-License-Identifier: Apache-2.0
 * checksum.h - the Internet checksum, RFC 1071 and RFC 1624. Pure functions.
 *
 * A *sum* is the ones'-complement sum of 16-bit words in network order, as a number in host order, not
 * inverted; the *checksum* field of a packet holds its complement. Zero has two forms: a sum is 0x0000
 * only if every octet was 0, any other sum that is 0 modulo 65535 is 0xffff. */
#ifndef HANDFAST_CMODEL_CHECKSUM_H
#define HANDFAST_CMODEL_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Sum of `len` octets; an odd last octet counts as the upper half of a word. An intact header or segment,
 * its own checksum field included, sums to 0xffff. */
uint16_t hf_checksum_sum(const void *octets, size_t len);

/* The sum of two sums. Parts of a packet may be summed apart if all but the last have an even length. */
uint16_t hf_checksum_add(uint16_t a, uint16_t b);

/* Sum of the IPv4 pseudo-header of RFC 9293 section 3.1: addresses with the first octet most significant,
 * `len` is the octets of TCP header and text. */
uint16_t hf_checksum_pseudo_ipv4(uint32_t src_addr, uint32_t dst_addr, uint8_t protocol, uint16_t len);

/* Sum of the IPv6 pseudo-header of RFC 8200 section 8.1. `addresses` is source and destination as they stand in
 * the IPv6 header, 32 octets; `len` is the octets of the upper-layer header and text. */
uint16_t hf_checksum_pseudo_ipv6(const void *addresses, uint8_t next_header, uint16_t len);

/* RFC 1624 equation 3: the checksum (inverted, as in the packet) after an aligned word changed. */
uint16_t hf_checksum_update16(uint16_t checksum, uint16_t from, uint16_t to);

#endif
