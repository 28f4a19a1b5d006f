/* SPDX-License-Identifier: Apache-2.0
 * tcp_call.c - host commands, which are the user calls of RFC 9293 section 3.10: CONNECT is an active OPEN
 * (3.10.1), CLOSE (3.10.4), ABORT (3.10.5) and DUMP, which is STATUS (3.10.6). SEND and RECEIVE (3.10.2, 3.10.3)
 * stay with the host's kernel; RELEASE and ADOPT pass a connection to it and back. */
#include <stddef.h>
#include "tcp_parts.h"

static bool host_owned(uint64_t state)
{
	return state == HF_STATE_ESTABLISHED || state == HF_STATE_CLOSE_WAIT;
}

/* Sections 3.10.1, "foreign socket unspecified", and 3.9.2.3. */
static bool bad_param(const struct command_body *body)
{
	const struct hf_tcb *tcb = &body->tcb;

	return body->mixed || hfm_impossible_addr(tcb->ip6, tcb->remote_addr) ||
	       hfm_impossible_addr(tcb->ip6, tcb->local_addr) || tcb->remote_port == 0 || tcb->local_port == 0 ||
	       (tcb->remote_addr == tcb->local_addr && tcb->remote_port == tcb->local_port) || tcb->remote_mac == 0 ||
	       tcb->remote_mac >> 40 & 1 || tcb->vlan_tags == 3 || tcb->snd_wscale > 14 || tcb->rcv_wscale > 14;
}

/* CONNECT, CLOSE, ADOPT: whether they may be done. */
static enum hf_status judge(const struct tcp_op *op)
{
	const struct hf_tcb *tcb = &op->body->tcb;

	if (bad_param(op->body))
		return HF_STATUS_BAD_PARAM;
	if (op->command != HF_COMMAND_CONNECT && !host_owned(tcb->state))
		return HF_STATUS_BAD_STATE;
	if (op->command == HF_COMMAND_CLOSE && tcb->snd_una != tcb->snd_nxt)
		return HF_STATUS_BAD_STATE;
	if (op->hit && (op->command == HF_COMMAND_CONNECT || !host_owned(op->entry->state)))
		return HF_STATUS_EXISTS;
	if (!op->hit && !op->insertable)
		return HF_STATUS_NO_ROOM;
	return HF_STATUS_OK;
}

/* The body's connection, new in its slot; its timer is off. */
static struct hf_tcb *insert(const struct tcp_op *op, struct tcp_result *r)
{
	struct hf_tcb *tcb = &r->entry;

	if (!op->hit && host_owned(op->entry->state)) {
		tcp_count(r, HF_CNT_EVICT_HOST);
		r->incomplete = true;
	}
	if (!op->hit && op->entry->state == HF_STATE_TIME_WAIT)
		tcp_count(r, HF_CNT_EVICT_TIME_WAIT);
	r->write = true;
	r->insert = true;
	*tcb = op->body->tcb;
	tcb->generation = (op->entry->generation + 1) & 0xffff;
	if (tcb->rto_ms == 0)
		tcb->rto_ms = op->config->syn_rto_ms;
	return tcb;
}

/* SYN or FIN goes out for the first time. */
static void begin(const struct tcp_op *op, struct hf_tcb *tcb, uint64_t patience_ms)
{
	tcb->sent_ms = op->config->ms & MS_MASK;
	tcb->give_up_ms = (op->config->ms + patience_ms) & MS_MASK;
	tcp_start_timer(op, tcb, 0);
}

/* 3.10.1, OPEN call, CLOSED STATE, active: "a SYN segment of the form <SEQ=ISS><CTL=SYN> is sent". */
static void call_connect(const struct tcp_op *op, struct tcp_result *r)
{
	const struct tcp_config *config = op->config;
	struct hf_tcb *tcb = insert(op, r);
	uint32_t patience_ms = op->body->now_ms & 0x3fffff;

	tcb->state = HF_STATE_SYN_SENT;
	tcb->active = 1;
	tcb->listener = 0;
	tcb->iss = (uint32_t)((config->time_ns >> 12) + op->isn); /* RFC 6528 */
	tcb->snd_una = tcb->iss;
	tcb->snd_nxt = (uint32_t)(tcb->iss + 1);
	tcb->irs = 0;
	tcb->rcv_nxt = 0;
	tcb->snd_wnd = 0;
	tcb->rcv_wnd = config->rcv_wnd;
	tcb->mss = 0;
	tcb->snd_wscale = 0;
	tcb->rcv_wscale = tcb->ws_ok ? tcp_least(config->wscale, 14) : 0;
	tcb->ts_recent = 0;
	tcb->ts_offset = tcb->ts_ok ? tcp_ts_offset(op) : 0;
	tcb->ecn_ok = config->ecn;
	tcb->syn_lost = 0;
	begin(op, tcb, patience_ms == 0 ? config->connect_ms : patience_ms);
	tcp_count(r, HF_CNT_CONNECTS);
	tcp_send_syn(op, r, tcb);
}

/* 3.10.4, CLOSE call: ESTABLISHED enters FIN-WAIT-1, CLOSE-WAIT enters LAST-ACK. All text is acknowledged, so the
 * FIN need not wait. */
static void call_close(const struct tcp_op *op, struct tcp_result *r)
{
	struct hf_tcb *tcb = insert(op, r);

	tcb->state = tcb->state == HF_STATE_ESTABLISHED ? HF_STATE_FIN_WAIT_1 : HF_STATE_LAST_ACK;
	tcb->listener = 0;
	tcb->snd_nxt = (uint32_t)(tcb->snd_nxt + 1);
	begin(op, tcb, op->config->close_ms);
	tcp_count(r, HF_CNT_CLOSES);
	tcp_send_fin(op, r, tcb);
}

/* The host's kernel has the connection to itself from here. */
static enum hf_status call_release(const struct tcp_op *op, struct tcp_result *r)
{
	if (!op->hit)
		return HF_STATUS_STALE;
	if (!host_owned(op->entry->state))
		return HF_STATUS_NOT_OWNER;
	tcp_delete(op, r);
	return HF_STATUS_OK;
}

/* 3.10.5, ABORT call. */
static enum hf_status call_abort(const struct tcp_op *op, struct tcp_result *r)
{
	const struct hf_tcb *tcb = op->entry;

	if (!op->hit)
		return HF_STATUS_STALE;
	tcp_delete(op, r);
	switch (tcb->state) {
	case HF_STATE_SYN_RECEIVED:
	case HF_STATE_ESTABLISHED:
	case HF_STATE_FIN_WAIT_1:
	case HF_STATE_FIN_WAIT_2:
	case HF_STATE_CLOSE_WAIT: /* <SEQ=SND.NXT><CTL=RST> */
		tcp_send_rst(r, tcb, tcb->snd_nxt, NULL);
		break;
	default: /* SYN-SENT: nobody to tell. CLOSING, LAST-ACK, TIME-WAIT: "respond with ok" */
		break;
	}
	return HF_STATUS_OK;
}

void tcp_call(const struct tcp_op *op, struct tcp_result *r)
{
	r->completion = true;
	r->status = op->status;
	if (op->malformed)
		return;
	tcp_count(r, HF_CNT_COMMANDS);
	switch (op->command) {
	case HF_COMMAND_RELEASE:
		r->status = call_release(op, r);
		break;
	case HF_COMMAND_ABORT:
		r->status = call_abort(op, r);
		break;
	case HF_COMMAND_DUMP: /* 3.10.6, STATUS call */
		r->status = HF_STATUS_STALE;
		if (op->hit) {
			r->completion = false;
			tcp_event(r, HF_EVENT_DUMP);
		}
		break;
	case HF_COMMAND_CONNECT:
		r->status = judge(op);
		if (r->status == HF_STATUS_OK)
			call_connect(op, r);
		break;
	case HF_COMMAND_CLOSE:
		r->status = judge(op);
		if (r->status == HF_STATUS_OK)
			call_close(op, r);
		break;
	case HF_COMMAND_ADOPT:
		r->status = judge(op);
		if (r->status == HF_STATUS_OK)
			insert(op, r);
		r->incomplete |= r->status == HF_STATUS_NO_ROOM;
		break;
	}
}
