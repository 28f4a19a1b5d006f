/* SPDX-License-Identifier: Apache-2.0
 * lockstep_moments.c - directed rows for the cycle in which something is read: one frame or command, and a register
 * write or a tick that comes one cycle later from row to row, so that each of its cycles sees it first, then not. */
#include <string.h>
#include "lockstep.h"

#define QUIET_CYCLES 48u /* without a sound: nothing is under way */
#define FIRST_CYCLE  6u	 /* from a minimum frame's first beat */
#define OP_CYCLES    20u /* before last_cycle() of it: the engine has not begun its op */

enum stimulus_kind { SYN, STRAY };

/* Register `reg` goes from one value to another while a frame is under way. */
struct moment {
	uint32_t reg, from, to;
	enum stimulus_kind kind;
	uint32_t staged, staged_value; /* written before, for a register that commits others; 0 = none */
};

#define WRITTEN	  8u  /* likewise, when only registers were written */
#define COMMANDED 24u /* and when commands without a body were given */

static bool settle(struct run *r)
{
	return lockstep_settle(r, QUIET_CYCLES);
}

/* A write that begins in FIRST_CYCLE to this one takes effect between the frame's descriptor and its reply, at either
 * width: one hash unit has the tuple's two hashes to make before that of the cookie. */
static unsigned last_cycle(const struct run *r)
{
	const struct hf_params *p = r->params;

	return 23 + p->match_cycles + p->read_cycles + p->fsm_cycles + (p->hash_serial ? 16 : 0);
}

static bool wait_cycles(struct run *r, unsigned cycles)
{
	while (cycles--)
		if (!lockstep_clock(r, false))
			return false;
	return true;
}

static void tick(struct run *r)
{
	r->s->time_ps += MS_PS;
}

/* A peer that has nothing yet. */
static struct peer *fresh_peer(struct run *r, bool ip6)
{
	struct peer *p = &r->peers[60];
	const uint16_t port = p->port;

	ip6 = ip6 && !r->params->no_ip6;
	*p = (struct peer){ .ip6 = ip6,
		.local_addr = lockstep_local_addr(ip6, 0),
		.local_port = local_ports[0],
		.port = (uint16_t)(port + 1),
		.isn = 0xfffffff0,
		.tsval = 7 };
	return p;
}

static void send(struct run *r, enum stimulus_kind kind, bool ip6)
{
	const struct peer *p = fresh_peer(r, ip6);
	struct segment g = lockstep_syn(r, p);

	if (kind == STRAY) {
		g = lockstep_segment(r, p, HF_ACK, 1, 1);
	} else {
		traffic_option_mss(&g, 1200);
		traffic_option_ts(&g, p->tsval, 0);
		traffic_option_ws(&g, 3);
	}
	lockstep_send(r, &g);
}

/* The row ends, and every entry goes. */
static bool clean(struct run *r)
{
	if (!settle(r))
		return false;
	lockstep_abort(r, false);
	return lockstep_settle(r, COMMANDED);
}

/* Registers that a segment meets on its way. */
static bool directed_registers(struct run *r)
{
	const uint32_t commit = HF_REG_LISTEN_COMMIT, offload = 1u << HF_LISTEN_COMMIT_MODE_LOW;
	const uint32_t enable = 1u << HF_CTRL_ENABLE_LOW, cookies = 2u << HF_COOKIE_MODE_LOW;
	const struct moment moments[] = {
		{ commit, offload, 0, SYN, 0, 0 },
		{ commit, offload, 2u << HF_LISTEN_COMMIT_MODE_LOW, SYN, 0, 0 },
		{ commit, offload, offload, SYN, HF_REG_LISTEN_OPTS, 0 },
		{ commit, offload, offload, SYN, HF_REG_LISTEN_BACKLOG, 0 },
		{ HF_REG_LOCAL_ADDR0, local_addrs[0], 0, SYN, 0, 0 },
		{ HF_REG_COOKIE, 0, cookies, SYN, 0, 0 },
		{ HF_REG_COOKIE, cookies, cookies | 1u << HF_COOKIE_KEY_LOW, SYN, 0, 0 },
		{ HF_REG_COOKIE_HIGH, 0x1ffff, 0, SYN, 0, 0 },
		{ HF_REG_KEY_ISN1, 0, 0x12345678, SYN, 0, 0 },
		{ HF_REG_CTRL, enable, enable | 1u << HF_CTRL_TS_OFFSET_OFF_LOW, SYN, 0, 0 },
		{ HF_REG_CTRL, enable, 0, SYN, 0, 0 },
		{ HF_REG_MAC_LO, lockstep_mac(0), lockstep_mac(0) ^ 0x1000, SYN, 0, 0 },
		{ HF_REG_HEARTBEAT_MS, 0, 1, SYN, 0, 0 },
		{ HF_REG_RCV_WND, 5000, 70000, SYN, 0, 0 },
		{ HF_REG_WSCALE, 7, 2, SYN, 0, 0 },
		{ HF_REG_MSS, 1460, 900, SYN, 0, 0 },
		{ HF_REG_MSS_FLOOR, 88, 1400, SYN, 0, 0 },
		{ HF_REG_SYN_RTO_MS, 1000, 7, SYN, 0, 0 },
		{ HF_REG_TTL, 64, 9, SYN, 0, 0 },
		{ HF_REG_CACHE, 0, 1, STRAY, 0, 0 },
		{ HF_REG_RST_LIMIT, 0, 1u << HF_RST_LIMIT_RATE_LOW, STRAY, HF_REG_CACHE, 1 },
		{ HF_REG_MISS_LIMIT, 0, 1u << HF_MISS_LIMIT_RATE_LOW, STRAY, HF_REG_CACHE, 0 },
	};

	for (unsigned i = 0; i < COUNT(moments); i++) {
		const struct moment *m = &moments[i];

		for (unsigned cycle = FIRST_CYCLE; cycle <= last_cycle(r); cycle++) {
			if (m->reg == commit)
				lockstep_write(r, HF_REG_LISTEN_OPTS, 7);
			if (m->staged == HF_REG_LISTEN_BACKLOG)
				lockstep_write(r, HF_REG_LISTEN_BACKLOG, 65535);
			lockstep_write(r, m->reg, m->from);
			if (m->staged)
				lockstep_write(r, m->staged, m->staged_value);
			if (!lockstep_settle(r, WRITTEN))
				return false;
			send(r, m->kind, false);
			if (!wait_cycles(r, cycle))
				return false;
			lockstep_write(r, m->reg, m->to);
			if (!clean(r))
				return false;
		}
		if (m->staged == HF_REG_LISTEN_OPTS || m->staged == HF_REG_LISTEN_BACKLOG)
			lockstep_write(r, m->staged, m->staged == HF_REG_LISTEN_OPTS ? 7 : 65535);
		lockstep_write(r, m->reg, m->from);
	}
	lockstep_write(r, HF_REG_RST_LIMIT, 0);
	lockstep_write(r, HF_REG_MISS_LIMIT, 0);
	return clean(r);
}

/* A tick while a SYN, a cookie or a stray is under way; of the last also one that takes away the last token. */
static bool directed_ticks(struct run *r)
{
	const uint32_t one = 1u << HF_RST_LIMIT_RATE_LOW | 1u << HF_RST_LIMIT_BURST_LOW;

	for (unsigned row = 0; row < 4; row++) {
		for (unsigned cycle = FIRST_CYCLE; cycle <= last_cycle(r); cycle++) {
			lockstep_write(r, HF_REG_COOKIE, row == 1 ? 2u << HF_COOKIE_MODE_LOW : 0);
			lockstep_write(r, HF_REG_CACHE, 1);
			lockstep_write(r, HF_REG_RST_LIMIT, one);
			if (!lockstep_settle(r, WRITTEN))
				return false;
			tick(r);
			if (!wait_cycles(r, 4))
				return false;
			if (row == 3)
				lockstep_write(r, HF_REG_RST_LIMIT, 1u << HF_RST_LIMIT_RATE_LOW);
			if (!lockstep_settle(r, WRITTEN))
				return false;
			send(r, row < 2 ? SYN : STRAY, cycle & 1);
			if (row >= 2)
				send(r, STRAY, cycle & 1);
			if (!wait_cycles(r, cycle))
				return false;
			tick(r);
			if (!clean(r))
				return false;
		}
	}
	lockstep_write(r, HF_REG_COOKIE, 0);
	lockstep_write(r, HF_REG_RST_LIMIT, 0);
	return settle(r);
}

/* A write that sets CACHE.COMPLETE around the moment that clears it: an ADOPT that evicts or finds no room, or the end
 * of the heartbeat. */
static bool directed_cache(struct run *r)
{
	const unsigned ways = r->params->ways;
	struct segment g = lockstep_syn(r, fresh_peer(r, false));
	uint16_t ports[9];

	if (!lockstep_ports_of_set(r, &g, ports, ways + 1))
		return true;
	for (unsigned row = 0; row < 2; row++) {
		for (unsigned cycle = 10; cycle < 50; cycle++) {
			for (unsigned i = 0; i <= ways; i++) {
				struct hf_tcb e = { .state = HF_STATE_ESTABLISHED,
					.remote_mac = 0x020000000001,
					.remote_addr = g.src_addr,
					.local_addr = g.dst_addr,
					.remote_port = ports[i],
					.local_port = g.dst_port };
				uint8_t msg[128];

				g.src_port = ports[i];
				if (i == ways && !settle(r))
					return false;
				if (i < ways && row)
					lockstep_send(r, &g);
				else
					lockstep_message(r, msg, lockstep_body(r, msg, HF_COMMAND_ADOPT, &e, 0));
			}
			lockstep_write(r, HF_REG_CACHE, 0);
			if (!wait_cycles(r, cycle))
				return false;
			lockstep_write(r, HF_REG_CACHE, 1);
			lockstep_bus(r, false, HF_REG_CACHE, 0, 0, NULL);
			if (!clean(r))
				return false;
		}
	}
	for (unsigned cycle = 0; cycle < 8; cycle++) {
		lockstep_write(r, HF_REG_HEARTBEAT_MS, 1);
		lockstep_write(r, HF_REG_HEARTBEAT, 0);
		if (!settle(r))
			return false;
		lockstep_write(r, HF_REG_CACHE, 1);
		if (!wait_cycles(r, cycle))
			return false;
		tick(r);
		lockstep_bus(r, false, HF_REG_CACHE, 0, 0, NULL);
		if (!settle(r))
			return false;
		lockstep_write(r, HF_REG_HEARTBEAT_MS, 0);
	}
	lockstep_write(r, HF_REG_HEARTBEAT, 0);
	return clean(r);
}

bool lockstep_moments(struct run *r)
{
	return lockstep_prepare(r) && directed_registers(r);
}

bool lockstep_ticks(struct run *r)
{
	return lockstep_prepare(r) && directed_ticks(r) && directed_cache(r);
}

/* Rules and samples: a commit, a write to SAMPLE or a tick around a SYN; the SYNs behind it show what became of the bucket
 * and of the count. Cookies answer, so that no entry is in the way of the next row. */
bool lockstep_rules(struct run *r)
{
	const unsigned last = last_cycle(r);
	const uint32_t valid = 1u << HF_RULE_COMMIT_VALID_LOW;
	enum {
		APPEARS,
		GOES,
		DENIES,
		LIMITS,
		FILLS,
		TICKS,
		TICKS_FULL,
		READ_DROPS,
		SAMPLES,
		SAMPLES_AGAIN,
		SAMPLES_END,
		READ_SYNS,
		ROWS
	};

	if (!lockstep_prepare(r))
		return false;
	lockstep_write(r, HF_REG_COOKIE, 2u << HF_COOKIE_MODE_LOW);
	for (unsigned i = 0; i < 4; i++)
		lockstep_write(r, HF_REG_RULE_ADDR0 + 4 * i, 0);
	lockstep_write(r, HF_REG_RULE_MASK_LEN, 0);
	lockstep_write(r, HF_REG_LISTEN_SELECT, 0);
	for (unsigned row = 0; row < ROWS && r->params->rules; row++) {
		const bool ticks = row == TICKS || row == TICKS_FULL, sampled = row >= SAMPLES;

		for (unsigned cycle = last - OP_CYCLES; cycle <= last; cycle++) {
			/* before it */
			lockstep_write(r, HF_REG_RULE_RATE, ticks ? 1000 : row != LIMITS);
			lockstep_write(r, HF_REG_RULE_BURST, ticks ? 2 : 1);
			lockstep_write(r, HF_REG_RULE_COMMIT, row == APPEARS || sampled ? 0 : valid);
			lockstep_write(r, HF_REG_SAMPLE, row == SAMPLES_AGAIN ? 3 : sampled ? 2 : 0);
			if (row == DENIES || row == APPEARS || row == LIMITS)
				lockstep_write(r, HF_REG_RULE_RATE, row == LIMITS);
			if (!lockstep_settle(r, WRITTEN))
				return false;
			if (row == FILLS || row == TICKS || row == READ_DROPS || row == SAMPLES_AGAIN) {
				send(r, SYN, false); /* takes the token, or is the first of two */
				if (!settle(r))
					return false;
			}
			send(r, SYN, row != READ_SYNS && cycle & 1);
			if (!wait_cycles(r, cycle))
				return false;
			/* around it */
			if (ticks)
				tick(r);
			else if (row == READ_DROPS)
				lockstep_bus(r, false, HF_REG_RULE_DROPS, 0, 0, NULL);
			else if (row == READ_SYNS)
				lockstep_bus(r, false, HF_REG_LISTEN_SYNS, 0, 0, NULL);
			else if (sampled)
				lockstep_write(r, HF_REG_SAMPLE, row == SAMPLES_END ? 0 : row == SAMPLES ? 1 : 3);
			else
				lockstep_write(r, HF_REG_RULE_COMMIT, row == GOES ? 0 : valid);
			for (unsigned i = 0; i < 3; i++)
				send(r, SYN, cycle & 1);
			if (!settle(r))
				return false;
		}
	}
	lockstep_write(r, HF_REG_COOKIE, 0);
	lockstep_write(r, HF_REG_SAMPLE, 0);
	lockstep_write(r, HF_REG_RULE_COMMIT, 0);
	return settle(r);
}
