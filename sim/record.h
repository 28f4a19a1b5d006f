/* SPDX-License-Identifier: Apache-2.0
 * record.h - which frame belongs to which op of the engine: watches a simulation and hands every frame, with what became
 * of it, to a ladder and to a pcapng file.
 *
 * A received frame finds its op by the stamp (trc_stamp), a frame that only passed through by the stamp of its FRAME
 * message. A sent frame is the host's when it is one that the host gave, else the reply of the oldest op of its
 * connection that owes one. */
#ifndef HANDFAST_SIM_RECORD_H
#define HANDFAST_SIM_RECORD_H

#include "ladder.h"
#include "pcapng.h"
#include "sim.h"

struct record;

struct record_options {
	struct ladder *ladder; /* or NULL */
	bool ladder_all;       /* false: only the frames that the engine itself took, dropped or made */
	struct pcapng *pcapng; /* or NULL */
	int64_t wall_ns;       /* added to time_ns: nanoseconds since 1970 */
};

/* Returns NULL when memory is short. */
struct record *record_open(const struct record_options *options);
void record_close(struct record *r);

/* To be called from the callbacks of struct sim_events, with their arguments. `before` is the entry in trc_slot before
 * the op, as earlier writes in the trace show it. */
void record_rx(struct record *r, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t stamp);
void record_tx(struct record *r, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns);
void record_c2h(struct record *r, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns);
void record_trace(
	struct record *r, const struct hf_out *out, const struct hf_tcb *before, uint64_t cycle, uint64_t time_ns);

/* A message given to sim_h2c(). */
void record_h2c(struct record *r, const uint8_t *msg, size_t len);

/* Whether received frames wait whose fate nothing showed: dropped before the engine or on their way to the host. */
bool record_undecided(const struct record *r);
/* The simulation is quiet: what is undecided was dropped, for `why` (NULL = not known). Writes out everything. */
void record_quiet(struct record *r, const char *why);

/* "SYN-RECEIVED" for HF_STATE_SYN_RECEIVED, and so on; "?" for what is none. */
const char *record_state_name(uint64_t state);
const char *record_verdict_name(uint64_t verdict);
const char *record_cause_name(uint64_t cause);

#endif
