/* SPDX-License-Identifier: Apache-2.0
 * rate_limit.h - token buckets, docs/architecture.md "Limits and the cache": so many at once, so many more in each
 * millisecond. */
#ifndef HANDFAST_CMODEL_RATE_LIMIT_H
#define HANDFAST_CMODEL_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum rate_limit { LIMIT_NONE, LIMIT_RST, LIMIT_SYNACK, LIMIT_MISS, LIMITS };

struct rate_limits {
	uint32_t tokens[LIMITS];
};

struct regs;

void hfm_rate_limit_reset(struct rate_limits *l, const struct regs *regs);
/* Whether the register sets a limit at all. */
bool hfm_rate_limited(const struct regs *regs, enum rate_limit limit);
/* Whether a token is there, or none is needed. */
bool hfm_rate_limit_allows(const struct rate_limits *l, const struct regs *regs, enum rate_limit limit);
void hfm_rate_limit_take(struct rate_limits *l, enum rate_limit limit);
/* A millisecond is over. */
void hfm_rate_limit_tick(struct rate_limits *l, const struct regs *regs);

#endif
