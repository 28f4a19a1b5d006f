/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

/* RST_LIMIT, SYNACK_LIMIT and MISS_LIMIT have the same fields. */
static const uint16_t reg_of[LIMITS] = {
	[LIMIT_RST] = HF_REG_RST_LIMIT,
	[LIMIT_SYNACK] = HF_REG_SYNACK_LIMIT,
	[LIMIT_MISS] = HF_REG_MISS_LIMIT,
};

static uint32_t rate(const struct regs *regs, enum rate_limit limit)
{
	return hfm_reg(regs, reg_of[limit]) >> HF_RST_LIMIT_RATE_LOW & 0xffff;
}

static uint32_t burst(const struct regs *regs, enum rate_limit limit)
{
	return hfm_reg(regs, reg_of[limit]) >> HF_RST_LIMIT_BURST_LOW & 0xffff;
}

void hfm_rate_limit_reset(struct rate_limits *l, const struct regs *regs)
{
	for (enum rate_limit limit = LIMIT_RST; limit < LIMITS; limit++)
		l->tokens[limit] = burst(regs, limit);
}

bool hfm_rate_limited(const struct regs *regs, enum rate_limit limit)
{
	return rate(regs, limit) != 0;
}

bool hfm_rate_limit_allows(const struct rate_limits *l, const struct regs *regs, enum rate_limit limit)
{
	return l->tokens[limit] > 0 || !hfm_rate_limited(regs, limit);
}

/* The token seen in T3 may be gone in T4, when a lower BURST took it at the tick between. */
void hfm_rate_limit_take(struct rate_limits *l, enum rate_limit limit)
{
	if (l->tokens[limit] > 0)
		l->tokens[limit]--;
}

void hfm_rate_limit_tick(struct rate_limits *l, const struct regs *regs)
{
	for (enum rate_limit limit = LIMIT_RST; limit < LIMITS; limit++) {
		l->tokens[limit] += rate(regs, limit);
		if (l->tokens[limit] > burst(regs, limit))
			l->tokens[limit] = burst(regs, limit);
	}
}
