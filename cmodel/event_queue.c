/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "event_queue.h"
#include "message.h"

/* ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2. */
static void put_mapped(uint8_t *octets, uint64_t ipv4)
{
	memset(octets, 0, 10);
	put_be(octets + 10, 0xffff, 2);
	put_be(octets + 12, ipv4, 4);
}

static struct event_record *push(struct event_queue *q, unsigned octets)
{
	struct event_record *record = &q->records[ring_push(&q->ring)];

	record->beats = octets / 8;
	memset(record->octets, 0, octets);
	return record;
}

void hfm_event_established(struct event_queue *q, uint32_t id, const struct hf_tcb *tcb, const struct segment *seg,
	uint32_t ms, bool frame_follows)
{
	uint8_t *octets = push(q, EVENT_OCTETS)->octets;
	uint64_t options =
		tcb->ws_ok | tcb->ts_ok << 1 | tcb->sack_ok << 2 | tcb->syn_lost << 3 | (uint64_t)frame_follows << 4;

	hfm_message_header(octets, HF_MSG_EVENT, 0, EVENT_OCTETS, id, seg->stamp);
	MESSAGE_PUT(octets, EVENT, code, HF_EVENT_ESTABLISHED);
	MESSAGE_PUT(octets, EVENT, state, tcb->state);
	MESSAGE_PUT(octets, EVENT, listener, tcb->listener);
	MESSAGE_PUT(octets, EVENT, options, options);
	MESSAGE_PUT(octets, EVENT, mss, tcb->mss);
	MESSAGE_PUT(octets, EVENT, snd_wscale, tcb->snd_wscale);
	MESSAGE_PUT(octets, EVENT, rcv_wscale, tcb->rcv_wscale);
	put_mapped(octets + HF_AT_EVENT_remote_addr, tcb->remote_addr);
	put_mapped(octets + HF_AT_EVENT_local_addr, tcb->local_addr);
	MESSAGE_PUT(octets, EVENT, remote_port, tcb->remote_port);
	MESSAGE_PUT(octets, EVENT, local_port, tcb->local_port);
	MESSAGE_PUT_NET(octets, EVENT, remote_mac, tcb->remote_mac);
	MESSAGE_PUT(octets, EVENT, iss, tcb->iss);
	MESSAGE_PUT(octets, EVENT, irs, tcb->irs);
	MESSAGE_PUT(octets, EVENT, snd_una, tcb->snd_una);
	MESSAGE_PUT(octets, EVENT, snd_nxt, tcb->snd_nxt);
	MESSAGE_PUT(octets, EVENT, rcv_nxt, tcb->rcv_nxt);
	MESSAGE_PUT(octets, EVENT, snd_wnd, tcb->snd_wnd);
	MESSAGE_PUT(octets, EVENT, rcv_wnd, tcb->rcv_wnd);
	MESSAGE_PUT(octets, EVENT, snd_wl1, seg->seq);
	MESSAGE_PUT(octets, EVENT, snd_wl2, seg->ack);
	MESSAGE_PUT(octets, EVENT, ts_recent, tcb->ts_recent);
	MESSAGE_PUT(octets, EVENT, ts_offset, tcb->ts_offset);
	MESSAGE_PUT(octets, EVENT, tsecr, seg->ts_ok ? seg->tsecr : 0);
	MESSAGE_PUT(octets, EVENT, rtt_ms, tcb->syn_lost ? UINT32_MAX : (ms - tcb->sent_ms) & 0xffffff);
	MESSAGE_PUT(octets, EVENT, now_ms, ms);
	MESSAGE_PUT(octets, EVENT, seg_wnd, seg->wnd);
}

void hfm_event_completion(struct event_queue *q, uint32_t id, uint64_t cookie, unsigned status, unsigned command)
{
	uint8_t *octets = push(q, COMPLETION_OCTETS)->octets;

	hfm_message_header(octets, HF_MSG_COMPLETION, status, COMPLETION_OCTETS, id, cookie);
	MESSAGE_PUT(octets, COMPLETION, status, status);
	MESSAGE_PUT(octets, COMPLETION, command, command);
}
