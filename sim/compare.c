/* SPDX-License-Identifier: Apache-2.0
 * compare.c - the comparator of lock step, iterating pins.def and tcb.def. */
#include <inttypes.h>
#include <stdio.h>
#include "compare.h"

/* Asks only whether anything differs, which in nearly every clock is all there is to know. */
static bool same(const struct hf_out *rtl, const struct hf_out *model, unsigned words)
{
	const uint64_t always = 1;
	hf_u128 diff = 0;

#define OUT(name, bits, valid, doc) const uint64_t name = rtl->name;
#define OUT_DATA(name, valid, doc)
#include "../cmodel/pins.def"
#undef OUT
#undef OUT_DATA
#define OUT(name, bits, valid, doc) diff |= (name ^ model->name) & -valid;
#define OUT_DATA(name, valid, doc)                    \
	for (unsigned i = 0; valid && i < words; i++) \
		diff |= rtl->name[i] ^ model->name[i];
#include "../cmodel/pins.def"
#undef OUT
#undef OUT_DATA
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

/* A word of a data pin; the pin's name says which one where it is not the lowest. */
static void differ_word(struct report *r, const char *name, unsigned word, uint64_t rtl, uint64_t model)
{
	char bits[48];

	snprintf(bits, sizeof bits, "%s[%u:%u]", name, 64 * word + 63, 64 * word);
	differ(r, word ? bits : name, rtl, model);
}

unsigned compare_out(
	const struct hf_out *rtl, const struct hf_out *model, unsigned words, uint64_t cycle, char *text, size_t size)
{
	struct report r = { 0, cycle, text, size };
	const uint64_t always = 1;

	if (same(rtl, model, words))
		return 0;
#define OUT(name, bits, valid, doc) const uint64_t name = rtl->name;
#define OUT_DATA(name, valid, doc)
#include "../cmodel/pins.def"
#undef OUT
#undef OUT_DATA
#define OUT(name, bits, valid, doc) \
	if (valid)                  \
		differ(&r, #name, name, model->name);
#define OUT_DATA(name, valid, doc)                    \
	for (unsigned i = 0; valid && i < words; i++) \
		differ_word(&r, #name, i, rtl->name[i], model->name[i]);
#include "../cmodel/pins.def"
#undef OUT
#undef OUT_DATA
	if (trc_valid && trc_write) {
#define FIELD(name, bits, rfc, doc) differ(&r, rfc, rtl->trc_entry.name, model->trc_entry.name);
#include "../regs/tcb.def"
#undef FIELD
	}
	return r.count;
}
