/* SPDX-License-Identifier: Apache-2.0
 * conn_table.h - the connection entries, set-associative, and the scanner that looks for expired timers. */
#ifndef HANDFAST_CMODEL_CONN_TABLE_H
#define HANDFAST_CMODEL_CONN_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include "handfast_model.h"

/* HOLD offers a slot; TAKEN until the TIMEOUT op that took the offer is done. */
enum scan_state { SCAN_IDLE, SCAN_READ, SCAN_CHECK, SCAN_HOLD, SCAN_TAKEN };

struct conn_table {
	unsigned slots, ways, sets;
	struct hf_tcb *entries;
	uint32_t *tags;	  /* the tag of a slot in use, or TAG_INVALID */
	uint32_t *timers; /* the deadline of a slot whose timer is armed, or TIMER_OFF */
	bool touched;	  /* written since it was last swept */
	unsigned in_use, half_open;

	bool scan_req;
	enum scan_state scan;
	unsigned scan_set, scan_slot;
};

#define TAG_INVALID UINT32_MAX
#define TIMER_OFF   UINT32_MAX

/* Where an op with a tuple was led to. */
struct conn_place {
	unsigned slot;
	bool match;  /* its tag is the hash's */
	bool free;   /* no tag matched, and the slot is free */
	bool victim; /* no tag matched, none is free, and this entry may be evicted */
};

struct hf_model;

/* Counts to zero, scanner idle; the entries stay until the sweep. */
void hfm_conn_table_reset(struct conn_table *t);
/* What the sweep leaves behind. */
void hfm_conn_table_sweep(struct conn_table *t);

/* The slot that a hash leads to; with may_evict a full set may yield a victim, as of `ms`. */
struct conn_place hfm_conn_table_lookup(const struct conn_table *t, uint64_t index, bool may_evict, uint32_t ms);
/* For a chained op: that very slot, whatever it holds now. */
struct conn_place hfm_conn_table_at(const struct conn_table *t, unsigned slot, uint64_t index);
/* Write an entry back; state CLOSED frees the slot. The tag stays as it is. */
void hfm_conn_table_write(struct conn_table *t, unsigned slot, const struct hf_tcb *entry);
/* The slot was written with an entry that is new in it: set its tag. */
void hfm_conn_table_tag(struct conn_table *t, unsigned slot, uint64_t index);

/* DEADLINE.MS reached, modulo 2^24. */
static inline bool hfm_reached(uint32_t ms, uint64_t deadline_ms)
{
	return ((ms - (uint32_t)deadline_ms) & 0xffffff) < 1u << 23;
}

/* One clock of the scanner. In a T0 or T4 the engine has the port to the timers; call this before the table is
 * written. */
void hfm_conn_table_scan(struct hf_model *m, bool port_busy, bool timeout_done);

#endif
