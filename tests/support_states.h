/* SPDX-License-Identifier: Apache-2.0
 * support_states.h - a bench's connection brought into any state of RFC 9293 with any numbers, in as few clocks as
 * commands and one segment of the peer allow: for tests that need thousands of connections. */
#ifndef HANDFAST_TESTS_SUPPORT_STATES_H
#define HANDFAST_TESTS_SUPPORT_STATES_H

#include "support_bench.h"

struct state_want {
	enum hf_state state; /* LISTEN, CLOSED: no entry is made */
	bool active;	     /* SYN-RECEIVED: by CONNECT and the peer's SYN, not by the peer's SYN alone */
	uint16_t remote_port, local_port;
	uint32_t snd_nxt, rcv_nxt; /* in that state; SYN-SENT has no RCV.NXT */
	uint32_t rcv_wnd;	   /* register RCV_WND must be the same (SYN-SENT, SYN-RECEIVED take it from there) */
	bool ts_ok;		   /* negotiated, in SYN-SENT offered */
	uint32_t ts_recent;
};

/* Give a segment or a message and run until its answers are out; quicker than bench_settle(), for an engine that does
 * nothing else. */
void states_segment(struct bench *b, const struct segment *seg);
void states_message(struct bench *b, const uint8_t *msg, size_t len);

/* CONNECT, CLOSE or ADOPT with the body that `want` describes: its numbers as they are before the command. Returns the
 * status of the COMPLETION and its id; 255 when none came. Frames that came out stay to be taken. */
unsigned states_command(
	struct bench *b, enum hf_command_code code, const struct state_want *body, enum hf_state state, uint32_t *id);

/* Bring a new connection there; every frame and message on the way is taken and forgotten. Returns its id, HF_NO_ID
 * when the entry is not what `want` says (or there is to be none); *entry is what the trace port showed. */
uint32_t states_reach(struct bench *b, const struct state_want *want, struct hf_tcb *entry);

/* ABORT, its COMPLETION taken. Returns its status, 255 when none came; *state is the state the engine found in the table
 * (CLOSED: the id names no entry). */
unsigned states_abort(struct bench *b, uint32_t id, enum hf_state *state);

/* Drop everything that came out so far, taken or not, with its memory. */
void states_forget(struct bench *b);

#endif
