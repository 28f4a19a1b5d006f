/* SPDX-License-Identifier: Apache-2.0
 * model.h - the whole core: its units and what they show one another. Names of functions that units share begin
 * with hfm_; none of them is for others than the model. */
#ifndef HANDFAST_CMODEL_MODEL_H
#define HANDFAST_CMODEL_MODEL_H

#include <assert.h>
#include "conn_table.h"
#include "engine.h"
#include "event_queue.h"
#include "handfast_model.h"
#include "listen_table.h"
#include "hash_serial.h"
#include "message.h"
#include "regs.h"
#include "rule_table.h"
#include "rx_frame_fifo.h"
#include "rx_parser.h"
#include "syn_cookie.h"
#include "tcp_fsm.h"
#include "tuple_hash.h"
#include "tx_arbiter.h"
#include "tx_builder.h"
#include "tx_checksum.h"

/* What registers showed at the start of the cycle, where a unit asks for it that is stepped after the unit that
 * changes it. */
struct seen {
	unsigned inflight;		    /* frames between first beat and verdict */
	unsigned stage_count;		    /* beats in staging */
	unsigned host_room;		    /* beats of room in the host FIFO */
	unsigned events, replies, commands; /* elements in these queues */
	bool reply_full;		    /* the register reply buffer */
	bool axil_access;		    /* AXI-Lite accesses a register in this cycle */
};

struct hf_model {
	struct hf_params params;
	bool wide;	/* 512 bits, not 64 */
	unsigned width; /* octets of a beat, 64 or 8 */
	uint64_t cycle; /* clocks stepped */
	bool quiet;	/* nothing moves until an input does */
	bool in_reset;
	bool ready;
	unsigned sweep; /* the slot that the sweep writes in this cycle */
	uint32_t epoch;

	struct seen seen;
	struct rx_parser rx;
	struct tuple_hash hash;
	struct syn_cookies cookies;
	struct hash_serial serial;
	struct rx_frame_fifo frames;
	struct conn_table table;
	struct listen_table listen;
	struct rule_table rules;
	struct engine engine;
	struct event_queue events;
	struct tx_builder builder;
	struct tx_checksum host_frames;
	struct tx_arbiter tx;
	struct c2h c2h;
	struct h2c h2c;
	struct regs regs;
	uint64_t counters[HF_CNT_COUNT];
};

#endif
