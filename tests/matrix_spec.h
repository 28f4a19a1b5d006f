/* SPDX-License-Identifier: Apache-2.0
 * matrix_spec.h - RFC 9293 section 3.10.7 (SEGMENT ARRIVES) as an executable specification: one connection, one
 * segment, what must come of it. Written in the order of the RFC's text, with RFC 5961, 6191, 7323 and 1337 where they
 * change it and the choices of docs/architecture.md where they leave one. No table, no clock, no queue: room is never
 * short, no challenge ACK was sent before, the host is alive, switches are at their defaults (CTRL: TS_RELAXED and
 * TW_RST_CLOSES off). All numbers are host order. */
#ifndef HANDFAST_TESTS_MATRIX_SPEC_H
#define HANDFAST_TESTS_MATRIX_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "../regs/regs.h"

struct spec_conn {
	enum hf_state state;
	bool active;   /* SYN-RECEIVED: reached by active open (RFC 9293 MUST-11) */
	bool listener; /* a listener of ours waits on the local port */
	uint32_t iss, irs, snd_una, snd_nxt, rcv_nxt, rcv_wnd;
	bool ts_ok; /* Snd.TS.OK; SYN-SENT: offered */
	uint32_t ts_recent;
	uint32_t new_iss; /* LISTEN, TIME-WAIT: what the ISN generator gives for a new connection */
};

struct spec_segment {
	uint32_t seq, ack;
	uint16_t flags;
	uint32_t text; /* octets of text */
	bool ts;
	uint32_t tsval;
};

struct spec_reply {
	bool sent;
	uint16_t flags;
	uint32_t seq, ack; /* ack 0 where the ACK flag is off */
	bool ts;
	uint32_t tsecr;
};

struct spec_answer {
	struct spec_reply reply;
	struct spec_conn next; /* state CLOSED, LISTEN: no entry, the rest means nothing */
	enum hf_verdict verdict;
	enum hf_cause cause; /* verdict DROP: why */
	int event;	     /* enum hf_event_code, 0 = none */
};

struct spec_answer spec_segment_arrives(const struct spec_conn *conn, const struct spec_segment *seg);

#endif
