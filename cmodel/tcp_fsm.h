/* SPDX-License-Identifier: Apache-2.0
 * tcp_fsm.h - what TCP does: a pure function of one connection entry, one op and the configuration. */
#ifndef HANDFAST_CMODEL_TCP_FSM_H
#define HANDFAST_CMODEL_TCP_FSM_H

#include <stdbool.h>
#include <stdint.h>
#include "../regs/regs.h"
#include "handfast_model.h"
#include "listen_table.h"
#include "rx_parser.h"

/* One frame to send, every field of regs/reply.def in host byte order. */
struct reply {
#define FIELD(name, bits, doc) uint64_t name;
#include "../regs/reply.def"
#undef FIELD
};

/* What tcp_fsm reads of the registers and the core. */
struct tcp_config {
	bool ts_offset_off, ts_relaxed; /* CTRL */
	bool host_alive, reply_room, event_room;
	uint32_t ms; /* millisecond clock */
	uint32_t syn_rto_ms, syn_rto_max_ms, synack_retries;
	uint32_t mss, mss_floor, rcv_wnd, wscale;
};

/* One op and the entry it read. */
struct tcp_op {
	enum hf_op kind;
	bool hit;		    /* the entry is the op's own */
	const struct hf_tcb *entry; /* of the slot, whether hit or not */

	/* SEGMENT */
	const struct segment *seg;
	bool insertable;		 /* no hit, and the slot may take a new entry */
	uint64_t isn;			 /* hash for the initial sequence number */
	const struct listener *listener; /* NULL = none */
	unsigned listener_index;
	unsigned half_open; /* connections the listener has so */

	/* COMMAND */
	bool malformed; /* `status` says how; nothing is done but to complete it */
	enum hf_status status;
	enum hf_command_code command;
};

#define TCP_COUNTS_MAX 4u

struct tcp_result {
	enum hf_verdict verdict;
	enum hf_cause cause;
	bool write;	     /* `entry` goes back to the table; in state CLOSED it frees the slot */
	struct hf_tcb entry; /* the entry after the op */
	bool reply;
	struct reply frame;
	bool event;			       /* EVENT ESTABLISHED, or the COMPLETION of a command */
	enum hf_status status;		       /* of the COMPLETION */
	unsigned counts;		       /* how many of `count` */
	enum hf_counter count[TCP_COUNTS_MAX]; /* counters to increment besides those of verdict and cause */
};

void hfm_tcp_fsm(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *result);

#endif
