/* SPDX-License-Identifier: Apache-2.0
 * stimulus.c - recorded input pins and the time an engine takes over them. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "stimulus.h"

int stimulus_init(struct stimulus *s, size_t clocks)
{
	*s = (struct stimulus){ .in = malloc(clocks * sizeof *s->in), .room = clocks };
	return s->in ? 0 : -ENOMEM;
}

void stimulus_free(struct stimulus *s)
{
	free(s->in);
	*s = (struct stimulus){ 0 };
}

void stimulus_add(struct stimulus *s, const struct hf_in *in)
{
	if (s->count < s->room)
		s->in[s->count++] = *in;
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
		double seconds;

		if (!e)
			return 0;
		seconds = seconds_now();
		for (size_t i = 0; i < s->count; i++)
			engine_step(e, &s->in[i], &out);
		seconds = seconds_now() - seconds;
		engine_close(e);
		if (seconds > 0 && (double)s->count / seconds > best)
			best = (double)s->count / seconds;
	}
	return (uint64_t)best;
}
