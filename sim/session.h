/* SPDX-License-Identifier: Apache-2.0
 * session.h - one run of a simulated board: a simulation whose time follows somebody else's clock, what its trace says
 * about the connection table, its recording, and the numbers of the summary. board and replay are built on it. */
#ifndef HANDFAST_SIM_SESSION_H
#define HANDFAST_SIM_SESSION_H

#include <stdio.h>
#include "../regs/regs.h"
#include "config.h"
#include "record.h"
#include "sim.h"

enum { SESSION_HELLO_BYTES = HF_AT_HELLO_data_w + HF_SIZE_HELLO_data_w };

struct session {
	struct sim *sim;
	enum engine_kind kind;
	struct record *record; /* or NULL */
	/* What leaves the board; may be NULL. `msg` is never the HELLO of the reset. */
	void (*tx)(void *ctx, const uint8_t *frame, size_t len);
	void (*c2h)(void *ctx, const uint8_t *msg, size_t len);
	void *ctx;

	uint8_t hello[SESSION_HELLO_BYTES]; /* the message the board sent after its reset */
	bool ready;
	unsigned pass_clocks;	    /* clocks in which the scanner surely saw the whole table */
	struct hf_tcb *entries;	    /* the connection table, as the trace shows it */
	unsigned half_open, timers; /* entries in SYN-RECEIVED, and with an armed timer */
	bool mismatch_told;

	uint64_t frames_in, frames_out;
	uint64_t verdicts[1 << 2], events, completions, bad_completions, ops;
	uint64_t counters[HF_CNT_COUNT]; /* after session_counters() */
};

/* Open an engine whose pin time_ns begins at start_ns (below 2^53, so that it lasts for 100 days), and run it until it is
 * ready. Returns 0, or -ENOMEM, or -EIO when the engine does not become ready. */
int session_open(struct session *s, enum engine_kind kind, enum engine_size size, uint64_t seed, uint64_t start_ns);
void session_close(struct session *s);

/* Give a frame or a message to the board. Returns what sim_rx() and sim_h2c() return. */
int session_rx(struct session *s, const uint8_t *frame, size_t len);
int session_h2c(struct session *s, const uint8_t *msg, size_t len);

/* Nothing but the clock: let time_ns reach `time_ns`, giving the ticks that are owed one per clock, and stop at every
 * timer that expires on the way long enough for the engine to see it. Does nothing when the time is already there. */
void session_advance(struct session *s, uint64_t time_ns);

/* Milliseconds until the next timer of the table expires (0 = it is due), or -1 while none is armed. */
int64_t session_next_timer_ms(const struct session *s);

/* Run until the board is quiet, pass of the scanner included, and settle the recording. At most `max` clocks. */
void session_settle(struct session *s, uint64_t max);

/* Read every counter. Returns 0, or -EIO. */
int session_counters(struct session *s);

/* Print the first difference of a lock step once, as soon as it is there. */
void session_check(struct session *s);

/* What happened, a line each: frames, verdicts, drops by cause, events, and for a lock step "lockstep: cycles=N frames=N
 * mismatches=N" at the end. Every other line begins with `name: `. Call session_counters() before. */
void session_summary(const struct session *s, const char *name, FILE *out);
/* The same as members of a JSON object, without its braces. */
void session_json(const struct session *s, FILE *out);

/* Whether the run proved what it should: no mismatch, no broken promise on the pins. */
bool session_passed(const struct session *s);

#endif
