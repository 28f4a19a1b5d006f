/* SPDX-License-Identifier: Apache-2.0
 * bytes.h - octets and numbers. Frames hold big-endian numbers (network order), messages little-endian
 * ones; a beat is 8 octets, octet 0 in bits 7:0. */
#ifndef HANDFAST_CMODEL_BYTES_H
#define HANDFAST_CMODEL_BYTES_H

#include <stdint.h>
#include "handfast_model.h"

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

static inline void put_beat(uint8_t *p, uint64_t beat)
{
	p[0] = (uint8_t)beat;
	p[1] = (uint8_t)(beat >> 8);
	p[2] = (uint8_t)(beat >> 16);
	p[3] = (uint8_t)(beat >> 24);
	p[4] = (uint8_t)(beat >> 32);
	p[5] = (uint8_t)(beat >> 40);
	p[6] = (uint8_t)(beat >> 48);
	p[7] = (uint8_t)(beat >> 56);
}

static inline unsigned beats_of(unsigned octets)
{
	return (octets + 7) / 8;
}

/* Octets of a frame of `octets` octets that its last beat holds, 1 to 8. */
static inline unsigned last_beat_octets(unsigned octets)
{
	return (octets - 1) % 8 + 1;
}

/* `beat` with all octets from the `octets`-th on replaced by 0; octets is 1 to 8. */
static inline uint64_t first_octets(uint64_t beat, unsigned octets)
{
	return beat & (UINT64_MAX >> (64 - 8 * octets));
}

#endif
