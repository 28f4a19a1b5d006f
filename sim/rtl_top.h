/* SPDX-License-Identifier: Apache-2.0
 * rtl_top.h - Verilated modules other than the core: a board's outlets, a MAC, a whole board.
 *
 * The pins of module X stand in sim/pins_X.def, named as its ports:
 *	IN(name, bits, meaning)  OUT(name, bits, meaning)	1 to 64 bits
 *	IN_WORDS(name, n, meaning)  OUT_WORDS(name, n, meaning)	64 n bits, word 0 least significant
 * The file is all that the build needs: `make` Verilates X from rtl/ and boards/ and makes `rtl_top_X`. Clocks are pins
 * like any other; whoever owns the module moves them. A user declares the structs with
 *	#define RTL_TOP_PINS "pins_X.def"
 *	#define RTL_TOP_NAME X
 *	#include "rtl_top_pins.h"
 * which makes struct X_in and struct X_out. */
#ifndef HANDFAST_RTL_TOP_H
#define HANDFAST_RTL_TOP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rtl_top {
	/* A module whose flip-flops and memories hold random values chosen by `seed`, all inputs 0; NULL when memory
	 * is short. */
	void *(*create)(uint64_t seed);
	/* Set every input pin, let the logic settle (a clock pin that rose is a rising edge), read every output pin. */
	void (*eval)(void *self, const void *in, void *out);
	/* Write an FST file from now on, one step per eval(). 0, -EIO, or -ENOTSUP in a build without waves. */
	int (*waves)(void *self, const char *path);
	void (*free)(void *self);
};

#ifdef __cplusplus
}
#endif

#endif
