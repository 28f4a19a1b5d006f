/* SPDX-License-Identifier: Apache-2.0
 * rule_table.h - what a source prefix may send to listeners: nothing, or so many SYNs per second. */
#ifndef HANDFAST_CMODEL_RULE_TABLE_H
#define HANDFAST_CMODEL_RULE_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include "handfast_model.h"

#define RULES_MAX 16u

struct rule {
	hf_u128 addr, mask;   /* of an address as IPv6 has it, bits of the prefix only */
	uint32_t rate;	      /* SYNs per second, that is millitokens per millisecond; 0 = it denies */
	uint32_t millitokens; /* in its bucket */
	uint32_t full;	      /* millitokens that the bucket holds */
};

struct rule_table {
	struct rule rules[RULES_MAX];
	uint32_t valid;		   /* a bit for each entry that matches something */
	uint32_t drops[RULES_MAX]; /* segments that each has dropped */
};

struct regs;

void hfm_rule_table_reset(struct rule_table *t);
/* Copy the staged rule of the RULE_ registers into the entry that `commit` names, with a full bucket. */
void hfm_rule_table_commit(struct rule_table *t, const struct regs *regs, uint32_t commit);
/* Index of the first rule for a source address, -1 = none. An IPv4 address is in the low 32 bits. */
int hfm_rule_table_lookup(const struct rule_table *t, bool ip6, hf_u128 addr);
/* Whether the bucket of a rule has what a SYN needs; take it. */
bool hfm_rule_allows(const struct rule *rule);
void hfm_rule_take(struct rule *rule);
/* A millisecond is over. */
void hfm_rule_table_tick(struct rule_table *t);

#endif
