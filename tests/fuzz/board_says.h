/* SPDX-License-Identifier: Apache-2.0
 * board_says.h - what boards of the harnesses say: honestly, or as the input has it. */
#ifndef HANDFAST_TESTS_BOARD_SAYS_H
#define HANDFAST_TESTS_BOARD_SAYS_H

#include <string.h>

#include "../../driver/message.h"

/* HELLO of a board of 64 entries. Returns its length. */
static inline size_t say_hello(uint8_t *msg)
{
	memset(msg, 0, 40);
	PUT(msg, HEADER, type, HF_MSG_HELLO);
	PUT(msg, HEADER, length, 40);
	PUT(msg, HEADER, id, HF_NO_ID);
	PUT(msg, HELLO, version, HF_ABI_VERSION);
	PUT(msg, HELLO, slots, 64);
	PUT(msg, HELLO, credits, 4);
	PUT(msg, HELLO, listeners, 16);
	PUT(msg, HELLO, max_frame, 1522);
	PUT(msg, HELLO, ways, 4);
	PUT(msg, HELLO, data_w, 64);
	return 40;
}

/* REG_REPLY or COMPLETION of what had this id and cookie, the rest 0. Returns its length. */
static inline size_t say_answer(uint8_t *msg, unsigned type, uint32_t id, uint64_t cookie)
{
	memset(msg, 0, 24);
	PUT(msg, HEADER, type, type);
	PUT(msg, HEADER, length, 24);
	PUT(msg, HEADER, id, id);
	PUT(msg, HEADER, stamp, cookie);
	return 24;
}

/* The next record of the input, of which there are two octets at least: a length in octet 0 and bits 2:0 of octet 1, then as many octets as are
 * there, as a message of at most `cap`. Returns its length. */
static inline size_t say_record(uint8_t *msg, size_t cap, const uint8_t **data, size_t *left)
{
	size_t len = (*data)[0] | (size_t)((*data)[1] & 7) << 8;

	*data += 2;
	*left -= 2;
	if (len > *left)
		len = *left;
	memcpy(msg, *data, len < cap ? len : cap);
	*data += len;
	*left -= len;
	return len;
}

#endif
