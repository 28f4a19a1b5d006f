/* SPDX-License-Identifier: Apache-2.0
 * support_vectors.h - the packets of tests/vectors.txt. */
#ifndef HANDFAST_TESTS_SUPPORT_VECTORS_H
#define HANDFAST_TESTS_SUPPORT_VECTORS_H

#include <stddef.h>
#include <stdint.h>

struct vector {
	const char *name, *hex, *expected;
	uint8_t bytes[256]; /* hex up to the first character that is no digit */
	size_t len;
	uint8_t after[256]; /* what follows '>' or '=>', if anything */
	size_t after_len;
};

/* The vector called `name`, or the one whose name begins with it and a '-' ("G14" finds "G14-handshake-1"). When there
 * is none, a check of the running case fails and an empty vector is returned. Read once, kept for the process. */
const struct vector *vector_find(const char *name);

/* All of them, ended by one without a name; their number. */
const struct vector *vector_all(size_t *count);

/* The path of a file in tests/, from whatever directory the test was started. */
const char *tests_path(const char *file);

#endif
