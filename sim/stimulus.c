/* SPDX-License-Identifier: Apache-2.0
 * stimulus.c - recorded input pins and the time an engine takes over them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "stimulus.h"

enum { WORDS = sizeof(struct hf_in) / sizeof(uint64_t) };
_Static_assert(WORDS <= 64, "the mask has a bit for each word of the input pins");

int stimulus_init(struct stimulus *s, size_t clocks)
{
	/* What is never written costs nothing. */
	*s = (struct stimulus){ .words = malloc(clocks * (WORDS + 1) * sizeof *s->words), .room = clocks };
	return s->words ? 0 : -ENOMEM;
}

void stimulus_free(struct stimulus *s)
{
	free(s->words);
	*s = (struct stimulus){ 0 };
}

void stimulus_add(struct stimulus *s, const struct hf_in *in)
{
	uint64_t now[WORDS], before[WORDS], *mask = s->words + s->used;

	if (s->count == s->room)
		return;
	memcpy(now, in, sizeof now);
	memcpy(before, &s->last, sizeof before);
	*mask = 0;
	for (unsigned i = 0; i < WORDS; i++)
		*mask |= (uint64_t)(now[i] != before[i]) << i;
	s->used++;
	for (unsigned i = 0; i < WORDS; i++)
		if (*mask >> i & 1)
			s->words[s->used++] = now[i];
	s->last = *in;
	s->count++;
}

/* Brings the pins to the next clock; returns where the one after it begins. */
static const uint64_t *next(const uint64_t *words, struct hf_in *in)
{
	for (uint64_t mask = *words++; mask; mask &= mask - 1)
		memcpy((char *)in + 8 * (unsigned)__builtin_ctzll(mask), words++, sizeof *words);
	return words;
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

uint64_t stimulus_cps(const struct stimulus *s, enum engine_kind kind, enum engine_size size, unsigned tries)
{
	struct hf_out out = { 0 };
	double best = 0;

	while (s->count && tries--) {
		struct engine *e = engine_open(kind, size, 1);
		const uint64_t *at = s->words;
		struct hf_in in = { 0 };
		double seconds;

		if (!e)
			return 0;
		seconds = seconds_now();
		for (size_t i = 0; i < s->count; i++) {
			at = next(at, &in);
			engine_step(e, &in, &out);
		}
		seconds = seconds_now() - seconds;
		engine_close(e);
		if (seconds > 0 && (double)s->count / seconds > best)
			best = (double)s->count / seconds;
	}
	return (uint64_t)best;
}
