/* SPDX-License-Identifier: Apache-2.0
 * source_rules.h - the source rules that the board shall have: kept here, so that a board which was reset gets them again before it answers
 * anything. 
 * Threads: the service thread; source_rules_set() and source_rules_drops() are jobs. Blocks: for register accesses.
 * Fork, Errors: library.h. */
#ifndef HANDFAST_SOURCE_RULES_H
#define HANDFAST_SOURCE_RULES_H

#include <stdatomic.h>
#include <stdbool.h>

#include "driver/device_rules.h"

struct hf_device;

struct source_rules {
	_Atomic unsigned room; /* entries of the board; any thread may read it */
	struct device_rule rule[DEVICE_RULES_MAX];
	unsigned count;
	bool known[DEVICE_RULES_MAX];	 /* the board has that entry as it is here */
	uint32_t last[DEVICE_RULES_MAX]; /* RULE_DROPS when it was last read */
};

/* What a job is told and tells. */
struct source_rules_change {
	struct device_rule rule[DEVICE_RULES_MAX]; /* longest prefix first */
	unsigned count;				   /* set: wanted; afterwards: those that the board has */
	uint64_t drops[DEVICE_RULES_MAX];	   /* of the entries as they were before, since they were last read */
};

/* Ask for the room, and write all entries. With the engine off. Returns 0 or as device_reg_write(). */
int source_rules_load(struct hf_device *dev);
/* Instead, of a board that runs and was another process's: its rules stay until source_rules_set() replaces them all. */
int source_rules_take_over(struct hf_device *dev);
/* A job: replace the table. After a failure the next call writes everything again. */
int source_rules_set(struct hf_device *dev, void *change);
/* A job: read `drops` only. */
int source_rules_drops(struct hf_device *dev, void *change);

#endif
