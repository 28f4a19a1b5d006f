/* SPDX-License-Identifier: Apache-2.0
 * message.h - fields of messages by name, so that no offset is written twice: GET(msg, EVENT, snd_nxt).
 * Threads: any. Fork, Blocks, Errors: plain memory. */
#ifndef HANDFAST_MESSAGE_H
#define HANDFAST_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "regs/regs.h"

/* Little-endian number of 1 to 8 bytes. */
static inline uint64_t message_get(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static inline void message_put(uint8_t *at, unsigned bytes, uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

#define GET(msg, name, field)	     message_get((msg) + HF_AT_##name##_##field, HF_SIZE_##name##_##field)
#define PUT(msg, name, field, value) message_put((msg) + HF_AT_##name##_##field, HF_SIZE_##name##_##field, value)

/* What an EVENT says of a connection, numbers in host order. Addresses (16 octets) and MAC stand in the message, in
 * network order. */
struct message_event {
	uint32_t id;
	enum hf_event_code code;
	enum hf_state state;
	unsigned listener; /* index in the listen table */
	bool active;	   /* our CONNECT opened it */
	bool cookie;	   /* by a SYN cookie; id may be HF_NO_ID */
	bool ws_ok, ts_ok, sack_ok;
	bool syn_lost; /* our SYN or SYN-ACK went out more than once */
	uint16_t mss;
	uint8_t snd_wscale, rcv_wscale;
	const uint8_t *remote_addr, *local_addr, *remote_mac;
	uint16_t remote_port, local_port;
	uint32_t iss, snd_una, snd_nxt, rcv_nxt, snd_wnd, rcv_wnd;
	uint32_t ts_recent, tsecr;
	uint32_t tsval; /* what our next segment says */
};

/* Read an EVENT of full length; it must outlive the result. */
static inline struct message_event message_event(const uint8_t *msg)
{
	unsigned listener = (unsigned)GET(msg, EVENT, listener), options = (unsigned)GET(msg, EVENT, options);

	return (struct message_event){
		.id = (uint32_t)GET(msg, HEADER, id),
		.code = (enum hf_event_code)GET(msg, EVENT, code),
		.state = (enum hf_state)GET(msg, EVENT, state),
		.listener = listener & 15,
		.active = listener & 64,
		.cookie = GET(msg, HEADER, flags) & HF_EVENT_COOKIE,
		.ws_ok = options & 1,
		.ts_ok = options & 2,
		.sack_ok = options & 4,
		.syn_lost = options & 8,
		.mss = (uint16_t)GET(msg, EVENT, mss),
		.snd_wscale = (uint8_t)GET(msg, EVENT, snd_wscale),
		.rcv_wscale = (uint8_t)GET(msg, EVENT, rcv_wscale),
		.remote_addr = msg + HF_AT_EVENT_remote_addr,
		.local_addr = msg + HF_AT_EVENT_local_addr,
		.remote_mac = msg + HF_AT_EVENT_remote_mac,
		.remote_port = (uint16_t)GET(msg, EVENT, remote_port),
		.local_port = (uint16_t)GET(msg, EVENT, local_port),
		.iss = (uint32_t)GET(msg, EVENT, iss),
		.snd_una = (uint32_t)GET(msg, EVENT, snd_una),
		.snd_nxt = (uint32_t)GET(msg, EVENT, snd_nxt),
		.rcv_nxt = (uint32_t)GET(msg, EVENT, rcv_nxt),
		.snd_wnd = (uint32_t)GET(msg, EVENT, snd_wnd),
		.rcv_wnd = (uint32_t)GET(msg, EVENT, rcv_wnd),
		.ts_recent = (uint32_t)GET(msg, EVENT, ts_recent),
		.tsecr = (uint32_t)GET(msg, EVENT, tsecr),
		.tsval = (uint32_t)(GET(msg, EVENT, now_ms) + GET(msg, EVENT, ts_offset)),
	};
}

#endif
