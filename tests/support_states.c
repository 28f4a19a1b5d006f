/* SPDX-License-Identifier: Apache-2.0
 * support_states.c - connections in any state, quickly. */
#include "support_states.h"

#define QUIET 24 /* clocks; an IPv4 frame or command without company is answered within 20 */

void states_segment(struct bench *b, const struct segment *seg)
{
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX + 14];
	size_t len = make_packet(ip, seg);

	len = make_frame(frame, OUR_MAC, PEER_MAC, ip, len);
	CHECK(sim_rx(b->sim, frame, len, false) == 0, "sim_rx of %zu octets", len);
	sim_settle(b->sim, QUIET, 4000);
}

void states_message(struct bench *b, const uint8_t *msg, size_t len)
{
	CHECK(sim_h2c(b->sim, msg, len) == 0, "sim_h2c of %zu octets", len);
	sim_settle(b->sim, QUIET, 4000);
}

void states_forget(struct bench *b)
{
	struct items *lists[] = { &b->tx, &b->c2h, &b->rx };

	for (size_t i = 0; i < COUNT(lists); i++) {
		for (size_t k = 0; k < lists[i]->count; k++)
			free(lists[i]->v[k].bytes);
		lists[i]->count = 0;
		lists[i]->next = 0;
	}
	b->trace_count = 0;
}

unsigned states_command(
	struct bench *b, enum hf_command_code code, const struct state_want *body, enum hf_state state, uint32_t *id)
{
	uint8_t msg[128] = { HF_MSG_COMMAND, (uint8_t)code };
	const struct item *got;

	MSG_PUT(msg, HEADER, length, sizeof(msg));
	MSG_PUT(msg, HEADER, id, HF_NO_ID);
	MSG_PUT(msg, HEADER, stamp, 0x57a7e500u + code);
	MSG_PUT(msg, EVENT, state, state);
	MSG_PUT(msg, EVENT, options, body->ts_ok ? 2 : 0);
	MSG_PUT(msg, EVENT, mss, 1460);
	memset(msg + HF_AT_EVENT_remote_addr + 10, 0xff, 2);
	put32(msg + HF_AT_EVENT_remote_addr + 12, PEER_ADDR);
	memset(msg + HF_AT_EVENT_local_addr + 10, 0xff, 2);
	put32(msg + HF_AT_EVENT_local_addr + 12, OUR_ADDR);
	MSG_PUT(msg, EVENT, remote_port, body->remote_port);
	MSG_PUT(msg, EVENT, local_port, body->local_port);
	put48(msg + HF_AT_EVENT_remote_mac, PEER_MAC);
	MSG_PUT(msg, EVENT, iss, body->snd_nxt - 1);
	MSG_PUT(msg, EVENT, irs, body->rcv_nxt - 1);
	MSG_PUT(msg, EVENT, snd_una, body->snd_nxt);
	MSG_PUT(msg, EVENT, snd_nxt, body->snd_nxt);
	MSG_PUT(msg, EVENT, rcv_nxt, body->rcv_nxt);
	MSG_PUT(msg, EVENT, snd_wnd, 65535);
	MSG_PUT(msg, EVENT, rcv_wnd, body->rcv_wnd);
	MSG_PUT(msg, EVENT, ts_recent, body->ts_recent);
	states_message(b, msg, sizeof(msg));
	got = bench_c2h(b);
	if (!got || got->bytes[0] != HF_MSG_COMPLETION ||
		MSG_GET(got->bytes, HEADER, stamp) != MSG_GET(msg, HEADER, stamp))
		return 255;
	*id = (uint32_t)MSG_GET(got->bytes, HEADER, id);
	return got->bytes[1];
}

/* The peer's segment on the way, its timestamp equal to TS.Recent. */
static void peer(struct bench *b, const struct state_want *w, uint16_t flags, uint32_t seq, uint32_t ack)
{
	char ts[32];

	snprintf(ts, sizeof(ts), "ts=%u:0", w->ts_recent);
	states_segment(b, &(struct segment){ .sport = w->remote_port,
				  .dport = w->local_port,
				  .seq = seq,
				  .ack = flags & HF_ACK ? ack : 0,
				  .flags = flags,
				  .wnd = 65535,
				  .opts = w->ts_ok ? ts : NULL });
}

static void our_iss(struct bench *b, const struct state_want *w)
{
	bench_iss(b, PEER_ADDR, w->remote_port, OUR_ADDR, w->local_port, w->snd_nxt - 1);
}

uint32_t states_reach(struct bench *b, const struct state_want *want, struct hf_tcb *entry)
{
	struct state_want body =
		*want; /* before the command: our FIN (and the peer's, if it comes after) is not counted */
	uint32_t id = HF_NO_ID;
	unsigned status = HF_STATUS_OK;

	memset(entry, 0, sizeof(*entry));
	switch (want->state) {
	case HF_STATE_CLOSED:
	case HF_STATE_LISTEN:
		return HF_NO_ID;
	case HF_STATE_SYN_SENT:
		our_iss(b, want);
		status = states_command(b, HF_COMMAND_CONNECT, &body, HF_STATE_CLOSED, &id);
		break;
	case HF_STATE_SYN_RECEIVED:
		our_iss(b, want);
		if (want->active)
			status = states_command(b, HF_COMMAND_CONNECT, &body, HF_STATE_CLOSED, &id);
		peer(b, want, HF_SYN, want->rcv_nxt - 1, 0);
		if (!want->active && bench_last_trace(b)->trc_write)
			id = (uint32_t)bench_last_trace(b)->trc_entry.generation << 16 |
			     (uint32_t)bench_last_trace(b)->trc_slot;
		break;
	case HF_STATE_ESTABLISHED:
	case HF_STATE_CLOSE_WAIT:
		status = states_command(b, HF_COMMAND_ADOPT, &body, want->state, &id);
		break;
	case HF_STATE_LAST_ACK:
		body.snd_nxt--;
		status = states_command(b, HF_COMMAND_CLOSE, &body, HF_STATE_CLOSE_WAIT, &id);
		break;
	case HF_STATE_FIN_WAIT_1:
	case HF_STATE_FIN_WAIT_2:
		body.snd_nxt--;
		status = states_command(b, HF_COMMAND_CLOSE, &body, HF_STATE_ESTABLISHED, &id);
		if (want->state == HF_STATE_FIN_WAIT_2)
			peer(b, want, HF_ACK, want->rcv_nxt, want->snd_nxt);
		break;
	case HF_STATE_CLOSING:
	case HF_STATE_TIME_WAIT:
		body.snd_nxt--;
		body.rcv_nxt--;
		status = states_command(b, HF_COMMAND_CLOSE, &body, HF_STATE_ESTABLISHED, &id);
		peer(b, want, HF_FIN | HF_ACK, body.rcv_nxt, want->snd_nxt - (want->state == HF_STATE_CLOSING));
		break;
	}
	if (status != HF_STATUS_OK || (id & 0xffff) >= b->slots) {
		states_forget(b);
		return HF_NO_ID;
	}
	*entry = b->table[id & 0xffff];
	states_forget(b);
	/* e.g. with a window of 0 the peer's FIN is not accepted: CLOSING and TIME-WAIT are not reached */
	if (entry->state != want->state || entry->snd_nxt != want->snd_nxt || entry->ts_ok != want->ts_ok ||
		entry->rcv_wnd != want->rcv_wnd ||
		(want->state != HF_STATE_SYN_SENT && entry->rcv_nxt != want->rcv_nxt))
		return HF_NO_ID;
	return id;
}

unsigned states_abort(struct bench *b, uint32_t id, enum hf_state *state)
{
	uint8_t msg[16] = { HF_MSG_COMMAND, HF_COMMAND_ABORT };
	const struct item *got;

	MSG_PUT(msg, HEADER, length, sizeof(msg));
	MSG_PUT(msg, HEADER, id, id);
	MSG_PUT(msg, HEADER, stamp, 0xab0a7000u);
	states_message(b, msg, sizeof(msg));
	*state = (enum hf_state)bench_last_trace(b)->trc_state;
	got = bench_c2h(b);
	return got && got->bytes[0] == HF_MSG_COMPLETION && MSG_GET(got->bytes, HEADER, id) == id ? got->bytes[1] : 255;
}
