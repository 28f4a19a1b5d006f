/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "bytes.h"
#include "model.h"

enum { ADDR_BITS = 128, SYN_MILLITOKENS = 1000 };

void hfm_rule_table_reset(struct rule_table *t)
{
	memset(t, 0, sizeof(*t));
}

static hf_u128 first_bits(unsigned bits)
{
	if (bits == 0)
		return 0;
	return bits < ADDR_BITS ? ~(hf_u128)0 << (ADDR_BITS - bits) : ~(hf_u128)0;
}

void hfm_rule_table_commit(struct rule_table *t, const struct regs *regs, uint32_t commit)
{
	unsigned index = commit & 0xff;
	hf_u128 mask = first_bits(hfm_reg(regs, HF_REG_RULE_MASK_LEN));
	uint32_t burst = hfm_reg(regs, HF_REG_RULE_BURST);
	uint32_t full = (burst > 0 ? burst : 1) * SYN_MILLITOKENS;

	t->rules[index] = (struct rule){
		.addr = hfm_reg_ip6(regs, HF_REG_RULE_ADDR0, HF_REG_RULE_ADDR1) & mask,
		.mask = mask,
		.rate = hfm_reg(regs, HF_REG_RULE_RATE),
		.millitokens = full,
		.full = full,
	};
	t->valid &= ~(1u << index);
	t->valid |= (commit >> HF_RULE_COMMIT_VALID_LOW & 1) << index;
}

int hfm_rule_table_lookup(const struct rule_table *t, bool ip6, hf_u128 addr)
{
	if (!ip6)
		addr |= IPV4_MAPPED;
	for (uint32_t left = t->valid; left != 0; left &= left - 1) {
		int index = __builtin_ctz(left);

		if ((addr & t->rules[index].mask) == t->rules[index].addr)
			return index;
	}
	return -1;
}

bool hfm_rule_allows(const struct rule *rule)
{
	return rule->millitokens >= SYN_MILLITOKENS;
}

/* A commit after it was allowed has filled the bucket. */
void hfm_rule_take(struct rule *rule)
{
	assert(hfm_rule_allows(rule));
	rule->millitokens -= SYN_MILLITOKENS;
}

void hfm_rule_table_tick(struct rule_table *t)
{
	for (uint32_t left = t->valid; left != 0; left &= left - 1) {
		struct rule *rule = &t->rules[__builtin_ctz(left)];

		rule->millitokens += rule->rate; /* 24 bits and 20 bits */
		if (rule->millitokens > rule->full)
			rule->millitokens = rule->full;
	}
}
