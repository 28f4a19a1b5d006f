/* SPDX-License-Identifier: Apache-2.0
 * listen_table.h - who listens where, how many half-open connections each listener has, how many SYNs it got. */
#ifndef HANDFAST_CMODEL_LISTEN_TABLE_H
#define HANDFAST_CMODEL_LISTEN_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include "handfast_model.h"

#define LISTENERS_MAX 16u
#define LOCAL_ADDRS   4u

enum listen_mode { LISTEN_OFF, LISTEN_OFFLOAD, LISTEN_BYPASS };

struct listener {
	enum listen_mode mode;
	bool ip6;
	hf_u128 addr; /* 0 = any of ours */
	uint16_t port;
	uint16_t backlog;
	bool ws, sack, ts; /* options it may negotiate */
};

struct listen_table {
	struct listener listeners[LISTENERS_MAX];
	unsigned half_open[LISTENERS_MAX];
	uint32_t syns[LISTENERS_MAX]; /* SYNs of no entry that reached each, if it offloads */
};

struct regs;

void hfm_listen_table_reset(struct listen_table *t);
/* Copy the staged listener of the LISTEN_ registers into the entry that `commit` names. */
void hfm_listen_table_commit(struct listen_table *t, const struct regs *regs, uint32_t commit);
/* Index of the listener for a local address and port, an exact address before any, the lowest index first;
 * -1 = none. An IPv4 address is in the low 32 bits. */
int hfm_listen_table_lookup(
	const struct listen_table *t, const struct regs *regs, bool ip6, hf_u128 addr, uint64_t port);

#endif
