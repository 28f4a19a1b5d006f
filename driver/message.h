/* SPDX-License-Identifier: Apache-2.0
 * message.h - fields of messages by name, so that no offset is written twice: GET(msg, EVENT, snd_nxt). */
#ifndef HANDFAST_MESSAGE_H
#define HANDFAST_MESSAGE_H

#include <stdint.h>

#include "regs/regs.h"

/* Little-endian number of 1 to 8 bytes. */
static inline uint64_t message_get(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static inline void message_put(uint8_t *at, unsigned bytes, uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

#define GET(msg, name, field)	     message_get((msg) + HF_AT_##name##_##field, HF_SIZE_##name##_##field)
#define PUT(msg, name, field, value) message_put((msg) + HF_AT_##name##_##field, HF_SIZE_##name##_##field, value)

#endif
