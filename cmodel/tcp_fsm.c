/* SPDX-License-Identifier: Apache-2.0
 * tcp_fsm.c - the door to tcp_fsm, and what its parts share: replies, the timer, the end of an entry. */
#include <string.h>
#include "tcp_parts.h"

bool tcp_needs_reply(const struct tcp_op *op, struct tcp_result *r)
{
	if (!op->config->reply_room)
		tcp_drop(r, HF_CAUSE_REPLY_FULL);
	return op->config->reply_room;
}

bool tcp_needs_event(const struct tcp_op *op, struct tcp_result *r)
{
	if (!op->config->event_room)
		tcp_drop(r, HF_CAUSE_EVENT_FULL);
	return op->config->event_room;
}

bool tcp_needs_rst(const struct tcp_op *op, struct tcp_result *r)
{
	if (!tcp_needs_reply(op, r))
		return false;
	if (!op->config->rst_allowed)
		tcp_drop(r, HF_CAUSE_RST_LIMITED);
	return op->config->rst_allowed;
}

struct hf_tcb *tcp_change(const struct tcp_op *op, struct tcp_result *r)
{
	r->write = true;
	r->entry = *op->entry;
	return &r->entry;
}

void tcp_delete(const struct tcp_op *op, struct tcp_result *r)
{
	r->write = true;
	memset(&r->entry, 0, sizeof(r->entry));
	r->entry.generation = op->entry->generation;
}

/* In all states but a passive SYN-RECEIVED, which counts its retries, R2 ends retransmission. */
static bool gives_up_by_time(const struct hf_tcb *tcb)
{
	return tcb->state != HF_STATE_SYN_RECEIVED || tcb->active;
}

/* RFC 6298 sections 2.5 and 5.5: doubled each time, to a limit. */
void tcp_start_timer(const struct tcp_op *op, struct hf_tcb *tcb, unsigned retries)
{
	uint64_t rto_ms = tcp_least(tcb->rto_ms << retries, op->config->syn_rto_max_ms);
	uint64_t deadline_ms = op->config->ms + (rto_ms > 0 ? rto_ms : 1);

	if (gives_up_by_time(tcb) && ((tcb->give_up_ms - deadline_ms) & MS_MASK) >= 1u << 23)
		deadline_ms = tcb->give_up_ms;
	tcb->timer_armed = 1;
	tcb->deadline_ms = deadline_ms & MS_MASK;
}

void tcp_stop_timer(struct hf_tcb *tcb)
{
	tcb->timer_armed = 0;
	tcb->deadline_ms = 0;
}

void tcp_wait(const struct tcp_op *op, struct hf_tcb *tcb, uint32_t ms)
{
	tcb->timer_armed = 1;
	tcb->deadline_ms = (op->config->ms + ms) & MS_MASK;
}

/* RFC 7323 section 5.4: a clock of its own for each connection tells nothing about the host's uptime. */
uint64_t tcp_ts_offset(const struct tcp_op *op)
{
	return op->config->ts_offset_off ? 0 : op->isn >> 32;
}

/* A reply goes where the entry says. */
static struct reply *address(struct tcp_result *r, const struct hf_tcb *tcb)
{
	struct reply *f = &r->frame;

	assert(!r->reply);
	memset(f, 0, sizeof(*f));
	r->reply = true;
	f->dst_mac = tcb->remote_mac;
	f->vlan_tags = tcb->vlan_tags;
	f->vlan_svlan = tcb->vlan_svlan;
	f->vlan_outer = tcb->vlan_outer;
	f->vlan_inner = tcb->vlan_inner;
	f->ip6 = tcb->ip6;
	f->src_addr = tcb->local_addr;
	f->dst_addr = tcb->remote_addr;
	f->src_port = tcb->local_port;
	f->dst_port = tcb->remote_port;
	return f;
}

/* RFC 7323 section 3.2: TSval from our clock, TSecr = TS.Recent. */
static void put_timestamps(struct reply *f, const struct hf_tcb *tcb, uint32_t ms)
{
	if (!tcb->ts_ok)
		return;
	f->ts_en = 1;
	f->tsval = (uint32_t)(ms + tcb->ts_offset);
	f->tsecr = tcb->ts_recent;
}

/* What SYN and SYN-ACK have in common; their window is never scaled (RFC 7323 section 2.2). */
static struct reply *put_syn(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb)
{
	struct reply *f = address(r, tcb);

	f->seq = tcb->iss;
	f->wnd = tcp_least(tcb->rcv_wnd, 65535);
	f->mss_en = 1; /* section 3.7.1, MUST-14 */
	f->mss = tcb->ip6 ? op->config->mss6 : op->config->mss;
	f->sack_en = tcb->sack_ok;
	f->ws_en = tcb->ws_ok;
	f->ws = tcb->ws_ok ? tcb->rcv_wscale : 0;
	put_timestamps(f, tcb, op->config->ms);
	return f;
}

/* <SEQ=ISS><CTL=SYN>; an ECN-setup SYN has both flags (RFC 3168 section 6.1.1). */
void tcp_send_syn(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb)
{
	struct reply *f = put_syn(op, r, tcb);

	f->flags = HF_SYN | (tcb->ecn_ok ? HF_ECE | HF_CWR : 0);
	f->tsecr = 0;
	tcp_count(r, HF_CNT_TX_SYN);
}

/* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>; an ECN-setup SYN-ACK has ECE alone. */
void tcp_send_synack(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb)
{
	struct reply *f = put_syn(op, r, tcb);

	f->ack = tcb->rcv_nxt;
	f->flags = HF_SYN | HF_ACK | (tcb->ecn_ok ? HF_ECE : 0);
	tcp_count(r, HF_CNT_TX_SYNACK);
}

static struct reply *put_ack(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb)
{
	struct reply *f = address(r, tcb);

	f->seq = tcb->snd_nxt;
	f->ack = tcb->rcv_nxt;
	f->flags = HF_ACK;
	f->wnd = tcp_least(tcb->rcv_wnd >> tcb->rcv_wscale, 65535);
	put_timestamps(f, tcb, op->config->ms);
	return f;
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
void tcp_send_ack(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb)
{
	put_ack(op, r, tcb);
	tcp_count(r, HF_CNT_TX_ACK);
}

/* <SEQ=SND.NXT-1><ACK=RCV.NXT><CTL=FIN,ACK>: SND.NXT counts the FIN already. */
void tcp_send_fin(const struct tcp_op *op, struct tcp_result *r, const struct hf_tcb *tcb)
{
	struct reply *f = put_ack(op, r, tcb);

	f->seq = (uint32_t)(tcb->snd_nxt - 1);
	f->flags = HF_FIN | HF_ACK;
	tcp_count(r, HF_CNT_TX_FIN);
}

/* Timestamps by RFC 7323 section 5.2. */
void tcp_send_rst(struct tcp_result *r, const struct hf_tcb *tcb, uint64_t seq, const struct segment *seg)
{
	struct reply *f = address(r, tcb);

	f->seq = seq;
	f->flags = HF_RST;
	if (seg) {
		r->limit = LIMIT_RST;
		f->ts_en = seg->ts_ok;
		f->tsecr = seg->ts_ok ? seg->tsval : 0;
	}
	tcp_count(r, HF_CNT_TX_RST);
}

void hfm_tcp_fsm(const struct tcp_op *op, struct tcp_result *result)
{
	result->verdict = HF_VERDICT_NONE;
	result->cause = HF_CAUSE_NONE;
	result->write = false;
	result->insert = false;
	result->reply = false;
	result->event = false;
	result->by_cookie = false;
	result->cookie = false;
	result->limit = LIMIT_NONE;
	result->rule_token = false;
	result->listener_syn = false;
	result->incomplete = false;
	result->completion = false;
	result->counts = 0;
	switch (op->kind) {
	case HF_OP_SEGMENT:
		tcp_segment(op, result);
		break;
	case HF_OP_TIMEOUT:
		tcp_timeout(op, result);
		break;
	case HF_OP_COMMAND:
		tcp_call(op, result);
		break;
	case HF_OP_ICMP:
		tcp_icmp(op, result);
		break;
	}
}
