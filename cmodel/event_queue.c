/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "event_queue.h"
#include "message.h"

static bool is_mapped(const uint8_t *octets)
{
	return get_be128(octets) >> 32 == 0xffff;
}

static struct event_record *push(struct event_queue *q, unsigned length)
{
	struct event_record *record = &q->records[ring_push(&q->ring)];

	record->length = length;
	memset(record->octets, 0, sizeof(record->octets));
	return record;
}

/* Round-trip time of our SYN or SYN-ACK. */
static uint64_t rtt_ms(const struct event_source *source, const struct hf_tcb *tcb)
{
	uint64_t rtt = (source->ms - tcb->sent_ms) & 0xffffff;

	if (source->code != HF_EVENT_ESTABLISHED || source->by_cookie ||
		tcb->syn_lost) /* RFC 6298 section 3, Karn's algorithm */
		return 0xffff;
	return rtt < 0xfffe ? rtt : 0xfffe;
}

/* RFC 6298 section 2.2: RTO = SRTT + 4 * RTTVAR = 3 * R, and 2.4; 5.7 after a lost SYN. */
static uint64_t rto_ms(const struct event_source *source, const struct hf_tcb *tcb)
{
	uint64_t rto;

	if (source->code != HF_EVENT_ESTABLISHED || source->by_cookie)
		return tcb->rto_ms;
	if (tcb->syn_lost)
		return source->syn_rto_ms > 3000 ? source->syn_rto_ms : 3000;
	rto = 3 * rtt_ms(source, tcb);
	return rto < 1000 ? 1000 : rto < 65535 ? rto : 65535;
}

void hfm_event_push(struct event_queue *q, const struct event_source *source, const struct hf_tcb *tcb)
{
	uint8_t *octets = push(q, EVENT_OCTETS)->octets;
	uint64_t options = tcb->ws_ok | tcb->ts_ok << 1 | tcb->sack_ok << 2 | tcb->syn_lost << 3 |
			   (uint64_t)source->frame_follows << 4 | tcb->vlan_tags << 5 | tcb->vlan_svlan << 7;
	const struct segment *seg = source->seg;

	hfm_message_header(
		octets, HF_MSG_EVENT, source->by_cookie ? HF_EVENT_COOKIE : 0, EVENT_OCTETS, source->id, source->stamp);
	MESSAGE_PUT(octets, EVENT, code, source->code);
	MESSAGE_PUT(octets, EVENT, state, source->state);
	MESSAGE_PUT(octets, EVENT, listener, tcb->listener | tcb->active << 6 | tcb->ecn_ok << 7);
	MESSAGE_PUT(octets, EVENT, options, options);
	MESSAGE_PUT(octets, EVENT, mss, tcb->mss);
	MESSAGE_PUT(octets, EVENT, snd_wscale, tcb->snd_wscale);
	MESSAGE_PUT(octets, EVENT, rcv_wscale, tcb->rcv_wscale);
	put_be128(octets + HF_AT_EVENT_remote_addr, tcb->remote_addr | (tcb->ip6 ? 0 : IPV4_MAPPED));
	put_be128(octets + HF_AT_EVENT_local_addr, tcb->local_addr | (tcb->ip6 ? 0 : IPV4_MAPPED));
	MESSAGE_PUT(octets, EVENT, remote_port, tcb->remote_port);
	MESSAGE_PUT(octets, EVENT, local_port, tcb->local_port);
	MESSAGE_PUT_NET(octets, EVENT, remote_mac, tcb->remote_mac);
	MESSAGE_PUT(octets, EVENT, vlan, tcb->vlan_outer);
	MESSAGE_PUT(octets, EVENT, iss, tcb->iss);
	MESSAGE_PUT(octets, EVENT, irs, tcb->irs);
	MESSAGE_PUT(octets, EVENT, snd_una, tcb->snd_una);
	MESSAGE_PUT(octets, EVENT, snd_nxt, tcb->snd_nxt);
	MESSAGE_PUT(octets, EVENT, rcv_nxt, tcb->rcv_nxt);
	MESSAGE_PUT(octets, EVENT, snd_wnd, tcb->snd_wnd);
	MESSAGE_PUT(octets, EVENT, rcv_wnd, tcb->rcv_wnd);
	MESSAGE_PUT(octets, EVENT, ts_recent, tcb->ts_recent);
	MESSAGE_PUT(octets, EVENT, ts_offset, tcb->ts_offset);
	MESSAGE_PUT(octets, EVENT, rtt_ms, rtt_ms(source, tcb));
	MESSAGE_PUT(octets, EVENT, vlan_inner, tcb->vlan_inner);
	MESSAGE_PUT(octets, EVENT, now_ms, source->ms);
	MESSAGE_PUT(octets, EVENT, rto_ms, rto_ms(source, tcb));
	if (seg) {
		MESSAGE_PUT(octets, EVENT, snd_wl1, seg->seq);
		MESSAGE_PUT(octets, EVENT, snd_wl2, seg->ack);
		MESSAGE_PUT(octets, EVENT, tsecr, seg->ts_ok ? seg->tsecr : 0);
		MESSAGE_PUT(octets, EVENT, seg_wnd, seg->wnd);
	}
}

void hfm_event_parse(const uint8_t *octets, bool no_ip6, struct command_body *body)
{
	const uint8_t *remote = octets + HF_AT_EVENT_remote_addr, *local = octets + HF_AT_EVENT_local_addr;
	uint64_t listener = MESSAGE_GET(octets, EVENT, listener), options = MESSAGE_GET(octets, EVENT, options);
	struct hf_tcb *tcb = &body->tcb;

	memset(body, 0, sizeof(*body));
	body->mixed = no_ip6 ? !is_mapped(remote) || !is_mapped(local) : is_mapped(remote) != is_mapped(local);
	body->now_ms = (uint32_t)MESSAGE_GET(octets, EVENT, now_ms);
	tcb->state = MESSAGE_GET(octets, EVENT, state);
	tcb->listener = listener & 15;
	tcb->active = listener >> 6 & 1;
	tcb->ecn_ok = listener >> 7 & 1;
	tcb->ip6 = !no_ip6 && (!is_mapped(remote) || !is_mapped(local));
	tcb->remote_addr = tcb->ip6 ? get_be128(remote) : get_be32(remote + 12);
	tcb->local_addr = tcb->ip6 ? get_be128(local) : get_be32(local + 12);
	tcb->remote_port = MESSAGE_GET(octets, EVENT, remote_port);
	tcb->local_port = MESSAGE_GET(octets, EVENT, local_port);
	tcb->remote_mac = get_be48(octets + HF_AT_EVENT_remote_mac);
	tcb->vlan_tags = options >> 5 & 3;
	tcb->vlan_svlan = options >> 7 & 1;
	tcb->vlan_outer = MESSAGE_GET(octets, EVENT, vlan);
	tcb->vlan_inner = MESSAGE_GET(octets, EVENT, vlan_inner);
	tcb->iss = MESSAGE_GET(octets, EVENT, iss);
	tcb->irs = MESSAGE_GET(octets, EVENT, irs);
	tcb->snd_una = MESSAGE_GET(octets, EVENT, snd_una);
	tcb->snd_nxt = MESSAGE_GET(octets, EVENT, snd_nxt);
	tcb->rcv_nxt = MESSAGE_GET(octets, EVENT, rcv_nxt);
	tcb->snd_wnd = MESSAGE_GET(octets, EVENT, snd_wnd);
	tcb->rcv_wnd = MESSAGE_GET(octets, EVENT, rcv_wnd);
	tcb->mss = MESSAGE_GET(octets, EVENT, mss);
	tcb->snd_wscale = MESSAGE_GET(octets, EVENT, snd_wscale);
	tcb->rcv_wscale = MESSAGE_GET(octets, EVENT, rcv_wscale);
	tcb->ws_ok = options & 1;
	tcb->ts_ok = options >> 1 & 1;
	tcb->sack_ok = options >> 2 & 1;
	tcb->syn_lost = options >> 3 & 1;
	tcb->ts_recent = MESSAGE_GET(octets, EVENT, ts_recent);
	tcb->ts_offset = MESSAGE_GET(octets, EVENT, ts_offset);
	tcb->rto_ms = MESSAGE_GET(octets, EVENT, rto_ms);
}

void hfm_event_tuple(const uint8_t *octets, bool no_ip6, struct tuple *tuple)
{
	const uint8_t *remote = octets + HF_AT_EVENT_remote_addr, *local = octets + HF_AT_EVENT_local_addr;
	bool ip6 = !no_ip6 && (!is_mapped(remote) || !is_mapped(local));
	uint8_t remote_port[2], local_port[2];

	put_be(remote_port, MESSAGE_GET(octets, EVENT, remote_port), 2);
	put_be(local_port, MESSAGE_GET(octets, EVENT, local_port), 2);
	hfm_tuple_set(tuple, ip6, remote + (ip6 ? 0 : 12), local + (ip6 ? 0 : 12), remote_port, local_port);
}

void hfm_event_completion(struct event_queue *q, uint32_t id, uint64_t cookie, unsigned status, unsigned command)
{
	uint8_t *octets = push(q, COMPLETION_OCTETS)->octets;

	hfm_message_header(octets, HF_MSG_COMPLETION, status, COMPLETION_OCTETS, id, cookie);
	MESSAGE_PUT(octets, COMPLETION, status, status);
	MESSAGE_PUT(octets, COMPLETION, command, command);
}
