/* SPDX-License-Identifier: Apache-2.0
 * conn_table.h - the connection entries, set-associative, and the scanner that looks for expired timers. */
#ifndef HANDFAST_CMODEL_CONN_TABLE_H
#define HANDFAST_CMODEL_CONN_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include "handfast_model.h"

enum scan_state { SCAN_IDLE, SCAN_READ, SCAN_CHECK, SCAN_HOLD };

struct conn_table {
	unsigned slots, ways, sets;
	struct hf_tcb *entries;
	uint32_t *tags; /* the tag of a slot in use, or TAG_INVALID */
	bool touched;	/* written since it was last swept */
	unsigned in_use, half_open;

	bool scan_req;
	enum scan_state scan;
	unsigned scan_set, scan_slot;
};

#define TAG_INVALID UINT32_MAX

struct hf_model;

/* Counts to zero, scanner idle; the entries stay until the sweep. */
void hfm_conn_table_reset(struct conn_table *t);
/* What the sweep leaves behind. */
void hfm_conn_table_sweep(struct conn_table *t);

/* The slot a segment's hash leads to. *match: its tag is the hash's. *free_way: without a match, a new entry
 * may take that slot. */
unsigned hfm_conn_table_lookup(const struct conn_table *t, uint64_t index, bool *match, bool *free_way);
/* Write an entry back; state CLOSED frees the slot. `tag` is used when the slot was free. */
void hfm_conn_table_write(struct conn_table *t, unsigned slot, uint32_t tag, const struct hf_tcb *entry);

/* TIMER.ARMED and DEADLINE.MS reached, modulo 2^24. */
bool hfm_timer_expired(const struct hf_tcb *entry, uint32_t ms);
/* One clock of the scanner. */
void hfm_conn_table_scan(struct hf_model *m);

#endif
