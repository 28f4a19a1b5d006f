/* SPDX-License-Identifier: Apache-2.0
 * engine.h - op_arbiter and the pipeline T0 to T4 around tcp_fsm, with up to three ops in it. */
#ifndef HANDFAST_CMODEL_ENGINE_H
#define HANDFAST_CMODEL_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include "message.h"
#include "rate_limit.h"
#include "tcp_fsm.h"
#include "tuple_hash.h"

#define ENGINE_OPS 3u /* T0 to T4 of each, at most 2 * FSM_CYCLES + 3 cycles, T0 FSM_CYCLES + 1 apart */

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

/* In the command queue. */
struct queued_command {
	struct command command;
	struct tuple_hash_result hash; /* has_body */
	uint64_t ready_cycle;	       /* the first in which it may be T0 */
};

/* One issue: an op, or a frame that passes with the verdict of the parser. */
struct engine_op {
	uint64_t t0; /* the cycle of the issue; T1 begins in the next one */
	bool pass;
	bool chained; /* it takes the slot of the op before */
	struct tcp_op op;
	const struct segment *seg; /* SEGMENT, ICMP, a pass */
	uint64_t index;		   /* of an op with a tuple: hash for the table */
	struct command command;	   /* COMMAND */
	struct command_body body;
	unsigned slot;
	struct listener listener; /* as it was in T1 */
	int rule;		  /* for its source, if it has a listener; -1 = none; and whether */
	bool denied;		  /* it denies everything, as it was in T1 */
	uint32_t lookup_ms;	  /* of T1 */
	struct tcp_config config; /* of T3 */
	struct tcp_result result; /* of T3 */
	bool sample_due;	  /* of T3: result.listener_syn is the one to be shown to the host, */
	bool sampled;		  /* ... and it is */
	unsigned state_before;	  /* trc_state */
};

struct engine {
	unsigned t3, t4;   /* where T3 begins, and T4, in cycles from T0 on */
	unsigned interval; /* between one issue and the next, at least */

	struct engine_op ops[ENGINE_OPS]; /* under way, the oldest first */
	struct ring ring;
	const struct engine_op *traced; /* the op whose T4 was the cycle before, or NULL */

	uint64_t issue_cycle; /* from which on something may be issued */
	/* The op issued last, for hazards. */
	uint64_t last_t0;
	unsigned last_set; /* or NO_SET */
	uint64_t last_index;
	bool last_segment;  /* it was SEGMENT or ICMP */
	unsigned last_slot; /* of the op that looked its slot up last */

	struct queued_command *commands; /* of CMD_DEPTH */
	struct ring command_ring;

	struct rate_limits limits;
	bool cookie_on;
	struct cookie_memory sent[LISTENERS_MAX];
	uint32_t since_sample; /* SYNs to listeners since one was shown, modulo 2^20 */
};

struct hf_model;

/* What the parameters say of the steps; once. */
void hfm_engine_init(struct engine *e, const struct hf_params *params);
void hfm_engine_reset(struct engine *e, const struct regs *regs);
/* Queue a command in this cycle; the caller has seen room. */
void hfm_engine_push_command(struct hf_model *m, const struct command *command);
/* One clock of it and of the scanner, which shares the table. */
void hfm_engine_step(struct hf_model *m, uint64_t time_ns);
/* Nothing under way, nothing traced. */
static inline bool hfm_engine_idle(const struct engine *e)
{
	return e->ring.count == 0 && !e->traced;
}

/* Steps of an op, engine_op.c: the first cycle of T1, that of T3, and T4; T4 of a pass. */
void hfm_op_look_around(struct hf_model *m, struct engine_op *f);
void hfm_op_evaluate(struct hf_model *m, struct engine_op *f, uint64_t time_ns);
void hfm_op_write_back(struct hf_model *m, const struct engine_op *f);
void hfm_op_pass(struct hf_model *m, const struct engine_op *f);
/* The trace pins of the coming cycle; call while `traced`. */
void hfm_engine_trace(const struct engine_op *f, struct hf_out *out);

#endif
