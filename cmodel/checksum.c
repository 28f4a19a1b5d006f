/* SPDX-License-Identifier: Apache-2.0
 * checksum.c - sums as one division: the ones'-complement sum of words is their plain sum modulo 65535, and
 * the same whether taken over 16-bit words or, as here, over 32-bit ones, for 65536 is 1 modulo 65535.
 * RFC 1071 2(B): octets may be summed in swapped order and the result swapped once. */
#include "checksum.h"
#include "bytes.h"

/* What is 0 modulo 65535 but came of non-zero words is the other zero, 0xffff. */
static uint16_t fold(uint64_t total)
{
	uint16_t sum = (uint16_t)(total % 65535);

	return sum == 0 && total != 0 ? 0xffff : sum;
}

uint16_t hf_checksum_sum(const void *octets, size_t len)
{
	const uint8_t *p = octets;
	uint64_t total = 0; /* holds 2^32 words: more than any packet */
	uint16_t swapped;

	for (; len >= 4; len -= 4, p += 4)
		total += get_le32(p);
	for (unsigned shift = 0; len > 0; len--, shift += 8)
		total += (uint64_t)*p++ << shift;
	swapped = fold(total);
	return (uint16_t)(swapped << 8 | swapped >> 8);
}

uint16_t hf_checksum_add(uint16_t a, uint16_t b)
{
	return fold((uint64_t)a + b);
}

uint16_t hf_checksum_pseudo_ipv4(uint32_t src_addr, uint32_t dst_addr, uint8_t protocol, uint16_t len)
{
	return fold((uint64_t)src_addr + dst_addr + protocol + len);
}

uint16_t hf_checksum_pseudo_ipv6(const void *addresses, uint8_t next_header, uint16_t len)
{
	return fold((uint64_t)hf_checksum_sum(addresses, 32) + next_header + len);
}

uint16_t hf_checksum_update16(uint16_t checksum, uint16_t from, uint16_t to)
{
	return (uint16_t)~fold((uint64_t)(uint16_t)~checksum + (uint16_t)~from + to);
}
