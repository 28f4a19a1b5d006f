/* SPDX-License-Identifier: Apache-2.0
 * stimulus.h - recorded input pins, to run an engine alone over them and take the time. */
#ifndef HANDFAST_SIM_STIMULUS_H
#define HANDFAST_SIM_STIMULUS_H

#include <stddef.h>
#include "engine.h"

/* Of every clock only what moved is kept, so that playing it does not wait for memory: a mask of the words of struct
 * hf_in that differ from those of the clock before, then these words. */
struct stimulus {
	uint64_t *words;
	size_t used;
	struct hf_in last;
	size_t count, room; /* clocks */
};

/* Room for `clocks`. 0 or -ENOMEM. */
int stimulus_init(struct stimulus *s, size_t clocks);
void stimulus_free(struct stimulus *s);
/* Append one clock; without room nothing happens. */
void stimulus_add(struct stimulus *s, const struct hf_in *in);
/* Clocks per second of processor time of a fresh engine over the stimulus: the best of `tries`, since whatever else the
 * machine does can only make it slower. 0 when the stimulus is empty or memory is short. */
uint64_t stimulus_cps(const struct stimulus *s, enum engine_kind kind, enum engine_size size, unsigned tries);

#endif
