/* SPDX-License-Identifier: Apache-2.0
 * event_queue.h - EVENT and COMPLETION messages on their way to the host, made ready octet by octet. */
#ifndef HANDFAST_CMODEL_EVENT_QUEUE_H
#define HANDFAST_CMODEL_EVENT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include "ring.h"
#include "rx_parser.h"

#define EVENT_OCTETS	  128u
#define COMPLETION_OCTETS 24u

struct event_record {
	unsigned beats;
	uint8_t octets[EVENT_OCTETS];
};

struct event_queue {
	struct event_record *records; /* of EVENT_DEPTH */
	struct ring ring;
};

/* ESTABLISHED: `tcb` is the entry after the op, `seg` the segment that completed the handshake. */
void hfm_event_established(struct event_queue *q, uint32_t id, const struct hf_tcb *tcb, const struct segment *seg,
	uint32_t ms, bool frame_follows);
/* `command` is the COMMAND code, or 0x100 | type of a malformed message. */
void hfm_event_completion(struct event_queue *q, uint32_t id, uint64_t cookie, unsigned status, unsigned command);

#endif
