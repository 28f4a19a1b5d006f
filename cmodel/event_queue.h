/* SPDX-License-Identifier: Apache-2.0
 * event_queue.h - EVENT and COMPLETION messages on their way to the host, made ready octet by octet. */
#ifndef HANDFAST_CMODEL_EVENT_QUEUE_H
#define HANDFAST_CMODEL_EVENT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include "ring.h"
#include "tcp_fsm.h"
#include "tuple_hash.h"

#define EVENT_OCTETS	  128u
#define COMPLETION_OCTETS 24u

struct event_record {
	unsigned length;
	uint8_t octets[EVENT_OCTETS]; /* 0 behind the message */
};

struct event_queue {
	struct event_record *records; /* of EVENT_DEPTH */
	struct ring ring;
};

/* What an EVENT says, besides the entry. */
struct event_source {
	enum hf_event_code code;
	bool by_cookie; /* ESTABLISHED by a SYN cookie: nobody knows when its SYN-ACK was sent */
	uint32_t id;
	uint64_t stamp;
	enum hf_state state;	   /* after the op; `tcb` may still tell the one before */
	const struct segment *seg; /* ESTABLISHED: what completed the handshake; else NULL */
	uint32_t ms, syn_rto_ms;
	bool frame_follows;
};

void hfm_event_push(struct event_queue *q, const struct event_source *source, const struct hf_tcb *tcb);
/* `command` is the COMMAND code, or 0x100 | type of a malformed message. */
void hfm_event_completion(struct event_queue *q, uint32_t id, uint64_t cookie, unsigned status, unsigned command);
/* The other way: the body of a COMMAND of 128 octets. */
void hfm_event_parse(const uint8_t *octets, bool no_ip6, struct command_body *body);
/* The 4-tuple there; it is IPv6 unless both addresses are IPv4-mapped. */
void hfm_event_tuple(const uint8_t *octets, bool no_ip6, struct tuple *tuple);

#endif
