/* SPDX-License-Identifier: Apache-2.0
 * compare.h - the comparator of lock step. */
#ifndef HANDFAST_COMPARE_H
#define HANDFAST_COMPARE_H

#include <stddef.h>
#include "../cmodel/handfast_model.h"

/* Number of pins of pins.def and entry fields of tcb.def that differ. A payload pin counts only while its valid pin
 * is 1 in the RTL's outputs, a field only while trc_valid and trc_write are. If any differs and `text` is not NULL,
 * it receives the first one in words: "cycle 12: SND.NXT: rtl 0x.., model 0x..". Data pins are compared in their first
 * `words` words. */
unsigned compare_out(
	const struct hf_out *rtl, const struct hf_out *model, unsigned words, uint64_t cycle, char *text, size_t size);

#endif
