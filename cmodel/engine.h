/* SPDX-License-Identifier: Apache-2.0
 * engine.h - op_arbiter and the pipeline T0 to T4 around tcp_fsm: one op at a time, five cycles each. */
#ifndef HANDFAST_CMODEL_ENGINE_H
#define HANDFAST_CMODEL_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include "message.h"
#include "tcp_fsm.h"
#include "tuple_hash.h"

/* What h2c hands over: a command, or the news of a malformed message. */
struct command {
	bool malformed;
	unsigned status;  /* malformed: enum hf_status */
	unsigned type;	  /* malformed: its type octet */
	unsigned command; /* else: enum hf_command_code */
	uint32_t id;
	uint64_t cookie;
	bool has_body;
	uint8_t octets[COMMAND_OCTETS]; /* has_body: the message; the header's part is not used */
};

struct engine {
	unsigned phase; /* 1 to 4: this cycle is T1 to T4 of `op`; 0: idle, it may be T0 */
	struct tcp_op op;
	struct segment seg;	/* SEGMENT, ICMP: op.seg */
	uint64_t index;		/* of an op with a tuple: hash for the table */
	struct command command; /* COMMAND */
	struct command_body body;
	unsigned slot;
	struct listener listener; /* as it was in T1 */
	struct tcp_config config; /* of T3 */
	struct tcp_result result; /* of T3 */

	struct command *commands; /* command queue, of CMD_DEPTH */
	struct ring command_ring;
	bool head_seen; /* the head was seen, and its hash, if it needs one, is ready in head_ready_cycle */
	struct tuple_hash_result head_hash;
	uint64_t head_ready_cycle;

	unsigned state_before; /* trc_state */
	bool traced;	       /* T4 was the cycle before: op, slot, result and state_before are its trace */
};

struct hf_model;

void hfm_engine_reset(struct engine *e);
/* One clock of it and of the scanner, which shares the table. */
void hfm_engine_step(struct hf_model *m, uint64_t time_ns);
/* The trace pins of the coming cycle; call while `traced`. */
void hfm_engine_trace(const struct engine *e, struct hf_out *out);

#endif
