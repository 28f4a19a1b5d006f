/* SPDX-License-Identifier: Apache-2.0
 * tcp_fsm.h - what TCP does: a pure function of one connection entry, one op and the configuration. */
#ifndef HANDFAST_CMODEL_TCP_FSM_H
#define HANDFAST_CMODEL_TCP_FSM_H

#include <stdbool.h>
#include <stdint.h>
#include "../regs/regs.h"
#include "handfast_model.h"
#include "listen_table.h"
#include "rate_limit.h"
#include "rx_parser.h"
#include "syn_cookie.h"

/* One frame to send, every field of regs/reply.def in host byte order. */
struct reply {
#define FIELD(name, bits, doc) HF_UINT(bits) name;
#include "../regs/reply.def"
#undef FIELD
};

/* What tcp_fsm reads of the registers and the core. */
struct tcp_config {
	bool ts_offset_off, ts_relaxed, tw_rst_closes, ecn; /* CTRL */
	bool host_alive, reply_room, event_room;
	bool cache_complete;				/* CACHE */
	bool rst_allowed, synack_allowed, miss_allowed; /* a token is there, or there is no limit */
	unsigned cookie_mode, cookie_lifetime;		/* COOKIE */
	bool cookie_on, too_many;			/* half-open entries: were, or are, COOKIE_HIGH or more */
	uint64_t time_ns;
	uint32_t ms; /* millisecond clock */
	uint32_t syn_rto_ms, syn_rto_max_ms, synack_retries;
	uint32_t connect_ms, close_ms, fin_wait_2_ms, time_wait_ms;
	uint32_t challenge_limit, challenge_window_ms;
	uint32_t mss, mss6, mss_floor, rcv_wnd, wscale;
};

/* Body of CONNECT, CLOSE and ADOPT. */
struct command_body {
	struct hf_tcb tcb; /* what the body says of it, not yet judged: state and shifts have 8 bits */
	bool mixed;	   /* one address is IPv4-mapped and the other is not */
	uint32_t now_ms;
};

/* One op and the entry it read. */
struct tcp_op {
	enum hf_op kind;
	const struct tcp_config *config;
	bool hit;		    /* the entry is the op's own */
	const struct hf_tcb *entry; /* of the slot, whether hit or not */
	bool insertable;	    /* no hit, and the slot may take a new entry; it may hold a victim */
	uint64_t isn;		    /* hash for the initial sequence number */

	/* SEGMENT, ICMP */
	const struct segment *seg;
	const struct listener *listener; /* NULL = none */
	unsigned listener_index;
	unsigned half_open;		  /* connections the listener has so */
	const struct cookie_memory *sent; /* cookies the listener has sent */
	const struct syn_cookie_mac *mac;
	/* What a rule for its source says, of a segment to a listener. */
	bool denied;  /* nothing may come from there */
	bool metered; /* a SYN needs a token of the rule's bucket */
	bool spent;   /* ... which has none */

	/* COMMAND */
	bool malformed; /* `status` says how; nothing is done but to complete it */
	enum hf_status status;
	enum hf_command_code command;
	const struct command_body *body;
};

#define TCP_COUNTS_MAX 4u

struct tcp_result {
	enum hf_verdict verdict;
	enum hf_cause cause;
	bool write;	     /* `entry` goes back to the table; in state CLOSED it frees the slot */
	bool insert;	     /* it is new in its slot */
	struct hf_tcb entry; /* if written: the entry after the op */
	bool reply;
	struct reply frame;
	bool event;
	enum hf_event_code event_code;
	bool by_cookie;	       /* `entry` is of a cookie; the event is ESTABLISHED, whether it is written or not */
	bool cookie;	       /* the reply is one: the listener remembers that */
	enum rate_limit limit; /* takes a token of this bucket */
	bool rule_token;       /* ... and of that of the rule for its source */
	bool listener_syn;     /* a SYN alone, of no entry, that a listener which offloads got */
	bool incomplete;       /* from now on the host may have a connection without entry */
	bool completion;       /* of a command, with this status */
	enum hf_status status;
	unsigned counts;		       /* how many of `count` */
	enum hf_counter count[TCP_COUNTS_MAX]; /* counters to increment besides those of verdict and cause */
};

void hfm_tcp_fsm(const struct tcp_op *op, struct tcp_result *result);

#endif
