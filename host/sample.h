/* SPDX-License-Identifier: Apache-2.0
 * sample.h - an event SAMPLE: one SYN of many at an offload listener, and what became of it.
 * Plain memory.
 * Threads, Fork, Blocks, Errors: library.h. */
#ifndef HANDFAST_SAMPLE_H
#define HANDFAST_SAMPLE_H

#include <stdint.h>

#include "address.h"

struct sample {
	union address local, remote;
	unsigned listener; /* index in the board's listen table */
	unsigned cause;	   /* HF_CAUSE_NONE: it was answered */
	uint32_t irs;	   /* SEG.SEQ */
	uint32_t now_ms;   /* the board's millisecond clock */
};

/* sample_parse - read an EVENT message of full length. Returns 0, or -EBADMSG if it is no SAMPLE, its addresses are not of one
 * family or those of no two hosts, or its cause is none of regs/verdict.def. */
int sample_parse(const uint8_t *msg, struct sample *s);

/* "BACKLOG"; "" for HF_CAUSE_NONE, "?" for one that is not known. */
const char *sample_cause_word(unsigned cause);

#endif
