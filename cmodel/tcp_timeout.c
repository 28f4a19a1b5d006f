/* SPDX-License-Identifier: Apache-2.0
 * tcp_timeout.c - RFC 9293 section 3.10.8, TIMEOUTS, and section 3.9.2.2, ICMP MESSAGES. */
#include "conn_table.h"
#include "tcp_parts.h"

/* SYN-RECEIVED by a SYN from the wire: nobody here asked for it. */
static bool passive(const struct hf_tcb *tcb)
{
	return tcb->state == HF_STATE_SYN_RECEIVED && !tcb->active;
}

/* Retransmission, RFC 6298 sections 5.4 to 5.6: the same SYN, SYN-ACK or FIN, and the doubled timeout. */
static void retransmit(const struct tcp_op *op, struct tcp_result *r)
{
	struct hf_tcb *tcb = tcp_change(op, r);

	tcp_start_timer(op, tcb, (unsigned)op->entry->retries + 1);
	tcb->retries = tcp_least(op->entry->retries + 1, 15);
	/* Whoever forged many SYNs must not have his victims sent many times as many SYN-ACKs. */
	if (passive(tcb)) {
		if (!op->config->synack_allowed) {
			tcp_count(r, HF_CNT_SYNACK_LIMITED);
			return;
		}
		r->limit = LIMIT_SYNACK;
	}
	tcp_count(r, HF_CNT_RETRANSMITS);
	/* Section 3.8.3 (a), R1, SHLD-9: tell the one who asked for this. */
	if (op->entry->retries == 2 && !passive(tcb))
		tcp_event(r, HF_EVENT_RETRYING);
	if (tcb->state == HF_STATE_SYN_SENT || tcb->state == HF_STATE_SYN_RECEIVED) {
		tcb->syn_lost = 1; /* RFC 6298 section 5.7 */
		tcb->sent_ms = op->config->ms & MS_MASK;
	}
	if (tcb->state == HF_STATE_SYN_SENT)
		tcp_send_syn(op, r, tcb);
	else if (tcb->state == HF_STATE_SYN_RECEIVED)
		tcp_send_synack(op, r, tcb);
	else
		tcp_send_fin(op, r, tcb);
}

/* Section 3.8.3 (b), R2: in a passive open silently, the listener goes on; else the host hears of it. */
static void give_up(const struct tcp_op *op, struct tcp_result *r)
{
	tcp_delete(op, r);
	tcp_count(r, HF_CNT_TIMEOUTS);
	if (!passive(op->entry))
		tcp_event(r, HF_EVENT_TIMED_OUT);
}

void tcp_timeout(const struct tcp_op *op, struct tcp_result *r)
{
	const struct hf_tcb *tcb = op->entry;
	bool over = false;

	if (!op->hit) /* answered since the timer was seen to expire */
		return;
	switch (tcb->state) {
	case HF_STATE_SYN_RECEIVED:
		if (passive(tcb)) {
			over = tcb->retries >= op->config->synack_retries;
			break;
		}
		/* fall through */
	case HF_STATE_SYN_SENT:
	case HF_STATE_FIN_WAIT_1:
	case HF_STATE_CLOSING:
	case HF_STATE_LAST_ACK:
		over = hfm_reached(op->config->ms, tcb->give_up_ms);
		break;
	case HF_STATE_FIN_WAIT_2: /* no RFC: the peer keeps its half open for longer than anybody waits */
		tcp_delete(op, r);
		tcp_event(r, HF_EVENT_CLOSED);
		return;
	case HF_STATE_TIME_WAIT: /* 3.10.8, TIME-WAIT TIMEOUT */
		tcp_delete(op, r);
		return;
	default: /* no timer runs in these */
		tcp_change(op, r)->timer_armed = 0;
		return;
	}
	if (over)
		give_up(op, r);
	else
		retransmit(op, r);
}

/* Only what is hard, and about a SYN or SYN-ACK in flight, ends an attempt (RFC 5927 sections 4.1 and 5.2); to
 * all else the host's kernel may listen, which gets every such frame. */
void tcp_icmp(const struct tcp_op *op, struct tcp_result *r)
{
	const struct hf_tcb *tcb = op->entry;
	const struct segment *seg = op->seg;

	r->verdict = HF_VERDICT_HOST;
	if (!op->hit || !seg->hard || (tcb->state != HF_STATE_SYN_SENT && tcb->state != HF_STATE_SYN_RECEIVED))
		return;
	if (tcp_before(seg->seq, tcb->snd_una) || !tcp_before(seg->seq, tcb->snd_nxt))
		return;
	if (tcb->active && !op->config->event_room)
		return;
	tcp_delete(op, r);
	tcp_count(r, HF_CNT_ICMP_HARD);
	if (tcb->active)
		tcp_event(r, HF_EVENT_UNREACHABLE);
}
