/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "model.h"

void hfm_listen_table_reset(struct listen_table *t)
{
	memset(t, 0, sizeof(*t));
}

void hfm_listen_table_commit(struct listen_table *t, const struct regs *regs, uint32_t commit)
{
	unsigned index = commit & 0xff;
	uint32_t opts = hfm_reg(regs, HF_REG_LISTEN_OPTS);
	bool ip6 = opts >> HF_LISTEN_OPTS_IP6_LOW & 1;

	t->listeners[index] = (struct listener){
		.mode = (enum listen_mode)(commit >> HF_LISTEN_COMMIT_MODE_LOW & 3),
		.ip6 = ip6,
		.addr = ip6 ? hfm_reg_ip6(regs, HF_REG_LISTEN_ADDR, HF_REG_LISTEN_ADDR1)
			    : hfm_reg(regs, HF_REG_LISTEN_ADDR),
		.port = (uint16_t)hfm_reg(regs, HF_REG_LISTEN_PORT),
		.backlog = (uint16_t)hfm_reg(regs, HF_REG_LISTEN_BACKLOG),
		.ws = opts >> HF_LISTEN_OPTS_WS_LOW & 1,
		.sack = opts >> HF_LISTEN_OPTS_SACK_LOW & 1,
		.ts = opts >> HF_LISTEN_OPTS_TS_LOW & 1,
	};
}

static bool ours(const struct regs *regs, bool ip6, hf_u128 addr)
{
	if (addr == 0)
		return false;
	if (ip6)
		return addr == hfm_reg_ip6(regs, HF_REG_LOCAL6_A0, HF_REG_LOCAL6_A1) ||
		       addr == hfm_reg_ip6(regs, HF_REG_LOCAL6_B0, HF_REG_LOCAL6_B1);
	for (unsigned i = 0; i < LOCAL_ADDRS; i++) {
		if (addr == hfm_reg(regs, HF_REG_LOCAL_ADDR0 + 4 * i))
			return true;
	}
	return false;
}

int hfm_listen_table_lookup(
	const struct listen_table *t, const struct regs *regs, bool ip6, hf_u128 addr, uint64_t port)
{
	int any = -1;

	for (unsigned i = 0; i < LISTENERS_MAX; i++) {
		const struct listener *l = &t->listeners[i];

		if (l->mode == LISTEN_OFF || l->port != port || l->ip6 != ip6)
			continue;
		if (l->addr == addr && addr != 0)
			return (int)i;
		if (l->addr == 0 && any < 0 && ours(regs, ip6, addr))
			any = (int)i;
	}
	return any;
}
