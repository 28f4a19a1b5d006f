/* SPDX-License-Identifier: Apache-2.0
 * compare.c - the comparator of lock step, iterating pins.def and tcb.def. */
#include <inttypes.h>
#include <stdio.h>
#include "compare.h"

/* Asks only whether anything differs, which in nearly every clock is all there is to know. */
static bool same(const struct hf_out *rtl, const struct hf_out *model)
{
	const uint64_t always = 1;
	hf_u128 diff = 0;

#define OUT(name, bits, valid, doc) const uint64_t name = rtl->name;
#include "../cmodel/pins.def"
#undef OUT
#define OUT(name, bits, valid, doc) diff |= (name ^ model->name) & -valid;
#include "../cmodel/pins.def"
#undef OUT
	if (trc_valid && trc_write) {
#define FIELD(name, bits, rfc, doc) diff |= rtl->trc_entry.name ^ model->trc_entry.name;
#include "../regs/tcb.def"
#undef FIELD
	}
	return !diff;
}

struct report {
	unsigned count;
	uint64_t cycle;
	char *text;
	size_t size;
};

/* A value in hexadecimal, without leading zeros. */
static const char *hex(char text[36], hf_u128 value)
{
	const uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;

	if (high)
		snprintf(text, 36, "0x%" PRIx64 "%016" PRIx64, high, low);
	else
		snprintf(text, 36, "0x%" PRIx64, low);
	return text;
}

static void differ(struct report *r, const char *name, hf_u128 rtl, hf_u128 model)
{
	char a[36], b[36];

	if (rtl == model)
		return;
	if (!r->count++ && r->text)
		snprintf(r->text, r->size, "cycle %" PRIu64 ": %s: rtl %s, model %s", r->cycle, name, hex(a, rtl),
			hex(b, model));
}

unsigned compare_out(const struct hf_out *rtl, const struct hf_out *model, uint64_t cycle, char *text, size_t size)
{
	struct report r = { 0, cycle, text, size };
	const uint64_t always = 1;

	if (same(rtl, model))
		return 0;
#define OUT(name, bits, valid, doc) const uint64_t name = rtl->name;
#include "../cmodel/pins.def"
#undef OUT
#define OUT(name, bits, valid, doc) \
	if (valid)                  \
		differ(&r, #name, name, model->name);
#include "../cmodel/pins.def"
#undef OUT
	if (trc_valid && trc_write) {
#define FIELD(name, bits, rfc, doc) differ(&r, rfc, rtl->trc_entry.name, model->trc_entry.name);
#include "../regs/tcb.def"
#undef FIELD
	}
	return r.count;
}
