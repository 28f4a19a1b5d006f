/* SPDX-License-Identifier: Apache-2.0
 * bytes.h - octets and numbers. Frames hold big-endian numbers (network order), messages little-endian
 * ones; octet 0 of a beat is in bits 7:0. */
#ifndef HANDFAST_CMODEL_BYTES_H
#define HANDFAST_CMODEL_BYTES_H

#include <stdint.h>
#include "handfast_model.h"

#define IPV4_MAPPED ((hf_u128)0xffff << 32) /* ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2 */

static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t get_be48(const uint8_t *p)
{
	return (uint64_t)get_be16(p) << 32 | get_be32(p + 2);
}

static inline uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static inline hf_u128 get_be128(const uint8_t *p)
{
	return (hf_u128)get_be64(p) << 64 | get_be64(p + 8);
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

/* The low `size` octets of `value`, most significant first. */
static inline void put_be(uint8_t *p, uint64_t value, unsigned size)
{
	while (size-- > 0) {
		p[size] = (uint8_t)value;
		value >>= 8;
	}
}

static inline void put_be128(uint8_t *p, hf_u128 value)
{
	put_be(p, (uint64_t)(value >> 64), 8);
	put_be(p + 8, (uint64_t)value, 8);
}

/* The low `size` octets of `value`, least significant first. */
static inline void put_le(uint8_t *p, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++) {
		p[i] = (uint8_t)value;
		value >>= 8;
	}
}

/* `size` octets, least significant first. */
static inline uint64_t get_le(const uint8_t *p, unsigned size)
{
	uint64_t value = 0;

	while (size-- > 0)
		value = value << 8 | p[size];
	return value;
}

static inline void put_le64(uint8_t *p, uint64_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
	p[2] = (uint8_t)(value >> 16);
	p[3] = (uint8_t)(value >> 24);
	p[4] = (uint8_t)(value >> 32);
	p[5] = (uint8_t)(value >> 40);
	p[6] = (uint8_t)(value >> 48);
	p[7] = (uint8_t)(value >> 56);
}

/* A beat is `width` octets, 8 or 64, in that many bits of a data pin: the first octets are in its word 0. */
static inline void put_beat(uint8_t *p, const uint64_t *words, unsigned width)
{
	put_le64(p, words[0]);
	if (width == 8)
		return;
	for (unsigned i = 1; i < HF_DATA_WORDS; i++)
		put_le64(p + 8 * i, words[i]);
}

static inline void get_beat(uint64_t *words, const uint8_t *p, unsigned width)
{
	words[0] = get_le64(p);
	if (width == 8)
		return;
	for (unsigned i = 1; i < HF_DATA_WORDS; i++)
		words[i] = get_le64(p + 8 * i);
}

static inline unsigned beats_of(unsigned octets, unsigned width)
{
	return (octets + width - 1) / width;
}

/* tkeep of the last beat of `octets` octets. */
static inline uint64_t last_keep(unsigned octets, unsigned width)
{
	return UINT64_MAX >> (63 - ((octets - 1) & (width - 1)));
}

#endif
