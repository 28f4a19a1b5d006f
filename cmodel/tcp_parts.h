/* SPDX-License-Identifier: Apache-2.0
 * tcp_parts.h - what the parts of tcp_fsm share: tcp_segment.c (RFC 9293 section 3.10.7, SEGMENT ARRIVES), of it
 * tcp_listen.c what belongs to no entry (3.10.7.1 and 3.10.7.2), tcp_call.c (3.10.1 to 3.10.6, the user calls, as host commands), tcp_timeout.c (3.10.8 and ICMP, 3.9.2.2). */
#ifndef HANDFAST_CMODEL_TCP_PARTS_H
#define HANDFAST_CMODEL_TCP_PARTS_H

#include <assert.h>
#include "tcp_fsm.h"

#define MS_MASK 0xffffffu /* times in an entry are modulo 2^24 */

/* Section 3.4: sequence numbers are compared modulo 2^32; RFC 7323 section 5.2: so are timestamps. */
static inline bool tcp_before(uint64_t a, uint64_t b)
{
	return (uint32_t)(a - b) >> 31;
}

static inline uint64_t tcp_least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline void tcp_count(struct tcp_result *r, enum hf_counter counter)
{
	assert(r->counts < TCP_COUNTS_MAX);
	r->count[r->counts++] = counter;
}

static inline void tcp_drop(struct tcp_result *r, enum hf_cause cause)
{
	r->verdict = HF_VERDICT_DROP;
	r->cause = cause;
}

static inline void tcp_event(struct tcp_result *r, enum hf_event_code code)
{
	r->event = true;
	r->event_code = code;
}

/* A segment whose answer finds no room changes nothing and is dropped: the peer sends it again. These return
 * whether there is room. */
bool tcp_needs_reply(const struct tcp_op *op, struct tcp_result *r);
bool tcp_needs_event(const struct tcp_op *op, struct tcp_result *r);
/* A RST that answers a segment needs room for a reply and a token. */
bool tcp_needs_rst(const struct tcp_op *op, struct tcp_result *r);

/* The entry, to be changed and written back. */
struct hf_tcb *tcp_change(const struct tcp_op *op, struct tcp_result *r);
/* "Delete the TCB, enter the CLOSED state": the slot remembers how often it was used, nothing else. */
void tcp_delete(const struct tcp_op *op, struct tcp_result *r);

/* Start the timer with the timeout after `retries` retransmissions of a SYN, SYN-ACK or FIN. */
void tcp_start_timer(const struct tcp_op *op, struct hf_tcb *tcb, unsigned retries);
void tcp_stop_timer(struct hf_tcb *tcb);
/* Start it for one long wait, FIN-WAIT-2 or TIME-WAIT. */
void tcp_wait(const struct tcp_op *op, struct hf_tcb *tcb, uint32_t ms);

/* TS.Offset of a connection that negotiates timestamps or offers them. */
uint64_t tcp_ts_offset(const struct tcp_op *op);

/* Replies, from the entry as it is after the op; each counts itself. */
void tcp_send_syn(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb);
void tcp_send_synack(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb);
void tcp_send_ack(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb);
void tcp_send_fin(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb);
/* <SEQ=seq><CTL=RST>; `seg` is what it answers, or NULL. An answer takes a token. */
void tcp_send_rst(struct tcp_result *r, const struct hf_tcb *tcb, uint64_t seq, const struct segment *seg);

/* SendMSS from the segment's option. */
uint64_t tcp_send_mss(const struct tcp_op *op);
/* The ISS of a passive open. */
uint32_t tcp_choose_iss(const struct tcp_op *op);
/* A passive open with that ISS, in a free slot or in place of a TIME-WAIT (op->hit); returns whether there was room
 * for the reply. */
bool tcp_open_passive(const struct tcp_op *op, struct tcp_result *r, uint32_t iss);

/* The parts. */
void tcp_listen(const struct tcp_op *op, struct tcp_result *r);
void tcp_segment(const struct tcp_op *op, struct tcp_result *r);
void tcp_call(const struct tcp_op *op, struct tcp_result *r);
void tcp_timeout(const struct tcp_op *op, struct tcp_result *r);
void tcp_icmp(const struct tcp_op *op, struct tcp_result *r);

#endif
