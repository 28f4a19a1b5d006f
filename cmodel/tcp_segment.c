/* SPDX-License-Identifier: Apache-2.0
 * tcp_segment.c - RFC 9293 section 3.10.7, SEGMENT ARRIVES.
 *
 * Read it beside the RFC. There is one function for each state, its steps come in the order in which the engine
 * judges them, and each names the paragraph it follows. An entry is a TCB; the listen table stands for the TCBs in
 * LISTEN. The state CLOSED means "no entry".
 *
 * Steps of 3.10.7.4 that are skipped here, with the reason:
 *   - third, check security: we hold no security compartments (appendix A.1 lets hosts ignore them).
 *   - sixth, URG, and seventh, text: the host owns an ESTABLISHED connection. A segment that brings text or FIN
 *     goes up to it whole, and RCV.NXT stays before its first octet. After CLOSE nobody reads text any more. */
#include <string.h>
#include "tcp_parts.h"

/* RCV.NXT =< seq < RCV.NXT+RCV.WND */
static bool in_window(const struct hf_tcb *tcb, uint64_t seq)
{
	return (uint32_t)(seq - tcb->rcv_nxt) < tcb->rcv_wnd;
}

/* SND.UNA < SEG.ACK =< SND.NXT */
static bool acks_something(const struct hf_tcb *tcb, const struct segment *seg)
{
	return tcp_before(tcb->snd_una, seg->ack) && !tcp_before(tcb->snd_nxt, seg->ack);
}

/* 3.10.7.4, first, the table of acceptability tests (section 3.4). */
static bool acceptable(const struct hf_tcb *tcb, const struct segment *seg)
{
	uint64_t seg_len = seg->payload + (seg->flags & HF_FIN ? 1 : 0);

	if (seg_len == 0)
		return tcb->rcv_wnd == 0 ? seg->seq == tcb->rcv_nxt : in_window(tcb, seg->seq);
	return in_window(tcb, seg->seq) || in_window(tcb, seg->seq + seg_len - 1);
}

/* TS.Recent after this segment, RFC 7323 section 4.3 (2); Last.ACK.sent is RCV.NXT. */
static uint64_t ts_recent_after(const struct hf_tcb *tcb, const struct segment *seg)
{
	bool newer = tcb->ts_ok && seg->ts_ok && !tcp_before(seg->tsval, tcb->ts_recent);

	return newer && !tcp_before(tcb->rcv_nxt, seg->seq) ? seg->tsval : tcb->ts_recent;
}

/* <SEQ=SEG.ACK><CTL=RST>, section 3.5.2 group 2; the entry stays as it is. */
static void answer_rst(const struct tcp_op *op, struct tcp_result *r)
{
	if (!tcp_needs_rst(op, r))
		return;
	r->verdict = HF_VERDICT_CONSUME;
	tcp_send_rst(r, op->entry, op->seg->ack, op->seg);
}

/* An ACK that a peer may mistake us into sending over and over, RFC 5961 sections 3 to 5; so it is throttled,
 * each connection by itself (section 7 there). */
static void challenge(const struct tcp_op *op, struct tcp_result *r)
{
	const struct tcp_config *config = op->config;
	const struct hf_tcb *old = op->entry;
	bool fresh = old->chal_count == 0 || ((config->ms - old->chal_ms) & MS_MASK) >= config->challenge_window_ms;
	struct hf_tcb *tcb;

	if (config->challenge_limit == 0 || (!fresh && old->chal_count >= config->challenge_limit)) {
		r->verdict = HF_VERDICT_CONSUME;
		tcp_count(r, HF_CNT_CHALLENGE_LIMITED);
		return;
	}
	if (!tcp_needs_reply(op, r))
		return;
	r->verdict = HF_VERDICT_CONSUME;
	tcb = tcp_change(op, r);
	tcb->chal_count = fresh ? 1 : old->chal_count + 1;
	tcb->chal_ms = fresh ? config->ms & MS_MASK : old->chal_ms;
	tcp_send_ack(op, r, tcb);
}

/* RFC 7323 section 3.2: once negotiated, every segment but a RST carries timestamps; section 5.3 R1, PAWS: an old
 * one is answered by an ACK. Returns whether the segment passes. */
static bool timestamps_pass(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	const struct hf_tcb *tcb = op->entry;

	if (!tcb->ts_ok)
		return true;
	if (!seg->ts_ok) {
		if (!op->config->ts_relaxed)
			tcp_drop(r, HF_CAUSE_MISSING_TS);
		return op->config->ts_relaxed;
	}
	if (tcp_before(seg->tsval, tcb->ts_recent)) {
		challenge(op, r);
		return false;
	}
	return true;
}

/* 3.10.7.3, fourth: what both kinds of SYN tell about the peer. What we offered stays in use only if the peer
 * offers it too. Text and FIN that come with it are not acknowledged; the peer sends them again. */
static struct hf_tcb *synchronize(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	struct hf_tcb *tcb = tcp_change(op, r);

	tcb->irs = seg->seq;
	tcb->rcv_nxt = (uint32_t)(seg->seq + 1);
	tcb->snd_wnd = seg->wnd;
	tcb->mss = tcp_send_mss(op);
	tcb->ws_ok = tcb->ws_ok && seg->ws_ok;
	tcb->snd_wscale = tcb->ws_ok ? seg->ws : 0;
	if (!tcb->ws_ok)
		tcb->rcv_wscale = 0;
	tcb->ts_ok = tcb->ts_ok && seg->ts_ok;
	tcb->ts_recent = seg->ts_ok ? seg->tsval : 0;
	if (!tcb->ts_ok)
		tcb->ts_offset = 0;
	tcb->sack_ok = tcb->sack_ok && seg->sack_ok;
	if (seg->ws_clamped)
		tcp_count(r, HF_CNT_WS_CLAMPED);
	r->verdict = HF_VERDICT_CONSUME;
	return tcb;
}

/* The handshake is complete: the connection is the host's, which learns of it by an event. */
static void enter_established(const struct tcp_op *op, struct tcp_result *r, struct hf_tcb *tcb)
{
	tcb->state = HF_STATE_ESTABLISHED;
	tcb->snd_una = op->seg->ack;
	tcp_stop_timer(tcb); /* RFC 6298 section 5.2 */
	tcp_event(r, HF_EVENT_ESTABLISHED);
	tcp_count(r, HF_CNT_ESTABLISHED);
}

/* 3.10.7.3, SYN-SENT STATE. */
static void segment_syn_sent(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	const struct hf_tcb *old = op->entry;
	bool syn = seg->flags & HF_SYN, ack = seg->flags & HF_ACK, rst = seg->flags & HF_RST;
	struct hf_tcb *tcb;

	/* first, check the ACK bit: "if SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset". */
	if (ack && (!tcp_before(old->iss, seg->ack) || tcp_before(old->snd_nxt, seg->ack))) {
		if (rst)
			tcp_drop(r, HF_CAUSE_UNACCEPTABLE);
		else
			answer_rst(op, r);
		return;
	}
	/* second, check the RST bit: "if the ACK was acceptable, signal the user 'error: connection reset'"; without
	 * ACK anybody could have sent it. */
	if (rst) {
		if (!ack) {
			tcp_drop(r, HF_CAUSE_UNACCEPTABLE);
		} else if (tcp_needs_event(op, r)) {
			tcp_delete(op, r);
			tcp_event(r, HF_EVENT_REFUSED);
			tcp_count(r, HF_CNT_RESETS);
			r->verdict = HF_VERDICT_CONSUME;
		}
		return;
	}
	/* fifth, "if neither of the SYN or RST bits is set, then drop the segment": in the four-segment form of an
	 * open the peer acknowledges first, and its SYN is still to come. */
	if (!syn) {
		tcp_drop(r, HF_CAUSE_UNACCEPTABLE);
		return;
	}
	/* fourth, check the SYN bit, "if SND.UNA > ISS (our SYN has been ACKed), change to ESTABLISHED". */
	if (!tcp_needs_reply(op, r))
		return;
	if (ack) {
		if (!tcp_needs_event(op, r))
			return;
		tcb = synchronize(op, r);
		tcb->ecn_ok = old->ecn_ok && seg->flags & HF_ECE && !(seg->flags & HF_CWR);
		enter_established(op, r, tcb);
		tcp_send_ack(op, r, tcb);
		return;
	}
	/* "Otherwise, enter SYN-RECEIVED": a simultaneous open. */
	tcb = synchronize(op, r);
	tcb->state = HF_STATE_SYN_RECEIVED;
	tcb->ecn_ok = old->ecn_ok && seg->flags & HF_ECE && seg->flags & HF_CWR;
	tcp_send_synack(op, r, tcb);
}

/* 3.10.7.4, second, check the RST bit. As RFC 5961 section 3.2 has it this is judged before, and with a test of
 * its own in place of, the first: the sequence number. */
static void syn_received_rst(const struct tcp_op *op, struct tcp_result *r)
{
	const struct hf_tcb *tcb = op->entry;

	if (op->seg->seq == tcb->rcv_nxt) { /* 2): reset the connection */
		if (tcb->active) {	    /* "the connection was refused, signal the user" */
			if (!tcp_needs_event(op, r))
				return;
			tcp_event(r, HF_EVENT_REFUSED);
		} /* else "return this connection to the LISTEN state" */
		tcp_delete(op, r);
		tcp_count(r, HF_CNT_RESETS);
		r->verdict = HF_VERDICT_CONSUME;
	} else if (in_window(tcb, op->seg->seq)) { /* 3): challenge ACK */
		challenge(op, r);
	} else { /* 1): outside the window, silently drop */
		tcp_drop(r, HF_CAUSE_UNACCEPTABLE);
	}
}

/* 3.10.7.4, fourth, check the SYN bit. Before the first, because a peer that missed our SYN-ACK repeats its SYN,
 * which lies one below the window. The RFC lets a SYN in the window return a passive OPEN to LISTEN; as anybody
 * could send one, it earns a challenge ACK instead, like in the synchronized states (RFC 5961 section 4.2). */
static void syn_received_syn(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	const struct hf_tcb *old = op->entry;
	bool ack = seg->flags & HF_ACK, same = seg->seq == old->irs;
	struct hf_tcb *tcb;

	if (same && !ack && !(seg->flags & HF_FIN)) {
		/* The same SYN again. The first would answer an ACK, but what the peer misses is the SYN-ACK. Its
		 * round trip is no sample any more (RFC 6298 section 3, Karn's algorithm); the timer runs on. */
		if (!tcp_needs_reply(op, r))
			return;
		tcb = tcp_change(op, r);
		tcb->syn_lost = 1;
		if (tcb->ts_ok && seg->ts_ok && !tcp_before(seg->tsval, tcb->ts_recent))
			tcb->ts_recent = seg->tsval;
		tcp_send_synack(op, r, tcb);
		r->verdict = HF_VERDICT_CONSUME;
	} else if (same && ack && old->active && acks_something(old, seg)) {
		/* Simultaneous open: the peer's SYN-ACK completes it, although it too lies below the window
		 * (appendix A.2). */
		if (!tcp_needs_reply(op, r) || !tcp_needs_event(op, r))
			return;
		tcb = tcp_change(op, r);
		tcb->snd_wnd = seg->wnd;
		tcb->ts_recent = ts_recent_after(old, seg);
		enter_established(op, r, tcb);
		tcp_send_ack(op, r, tcb);
		r->verdict = HF_VERDICT_CONSUME;
	} else {
		challenge(op, r);
	}
}

/* 3.10.7.4, OTHER STATES, in SYN-RECEIVED. */
static void segment_syn_received(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	const struct hf_tcb *old = op->entry;
	struct hf_tcb *tcb;

	/* second */
	if (seg->flags & HF_RST) {
		syn_received_rst(op, r);
		return;
	}
	/* fourth */
	if (seg->flags & HF_SYN) {
		syn_received_syn(op, r);
		return;
	}
	/* fifth, "if the ACK bit is off, drop the segment" */
	if (!(seg->flags & HF_ACK)) {
		tcp_drop(r, HF_CAUSE_BAD_FLAGS);
		return;
	}
	if (!timestamps_pass(op, r))
		return;
	/* first: "if an incoming segment is not acceptable, an acknowledgment should be sent in reply" */
	if (!acceptable(old, seg)) {
		challenge(op, r);
		return;
	}
	/* fifth, SYN-RECEIVED STATE: an ACK of anything but our SYN draws a reset; the state is kept. */
	if (!acks_something(old, seg)) {
		answer_rst(op, r);
		return;
	}
	/* "SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED" */
	if (!tcp_needs_event(op, r))
		return;
	tcb = tcp_change(op, r);
	tcb->snd_wnd = (uint32_t)(seg->wnd << tcb->snd_wscale); /* RFC 7323 section 2.3 */
	tcb->ts_recent = ts_recent_after(old, seg);
	enter_established(op, r, tcb);
	r->verdict = seg->payload > 0 || seg->flags & HF_FIN ? HF_VERDICT_HOST : HF_VERDICT_CONSUME;
}

/* After CLOSE, the steps that are the same in FIN-WAIT-1, FIN-WAIT-2, CLOSING, LAST-ACK and TIME-WAIT. */

/* 3.10.7.4, second, check the RST bit: by RFC 5961 section 3.2, but only what the first let through. */
static void closing_rst(const struct tcp_op *op, struct tcp_result *r)
{
	const struct hf_tcb *tcb = op->entry;

	if (op->seg->seq != tcb->rcv_nxt) {
		challenge(op, r);
		return;
	}
	if (tcb->state == HF_STATE_TIME_WAIT) {
		if (!op->config->tw_rst_closes) { /* RFC 1337 section 3, fix F1 */
			tcp_drop(r, HF_CAUSE_UNACCEPTABLE);
			return;
		}
	} else if (!tcp_needs_event(op, r)) {
		return;
	} else if (tcb->state == HF_STATE_CLOSING || tcb->state == HF_STATE_LAST_ACK) {
		tcp_event(r, HF_EVENT_CLOSED); /* the peer's FIN is here: nothing is lost */
	} else {
		tcp_event(r, HF_EVENT_RESET); /* "signal the user 'connection reset'" */
	}
	tcp_delete(op, r);
	tcp_count(r, HF_CNT_RESETS);
	r->verdict = HF_VERDICT_CONSUME;
}

/* A SYN need not pass: it draws its challenge ACK (RFC 5961 section 4.2) from what follows, which heals a peer that
 * restarted and now opens without timestamps. */
static bool closing_timestamps_pass(const struct tcp_op *op, struct tcp_result *r)
{
	return op->seg->flags & (HF_RST | HF_SYN) || timestamps_pass(op, r);
}

/* 3.10.7.4, first to fifth. Returns whether the segment passes them all. */
static bool closing_checks(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	const struct hf_tcb *tcb = op->entry;
	bool rst = seg->flags & HF_RST;

	if (!closing_timestamps_pass(op, r))
		return false;
	/* first, sequence number: "unless the RST bit is set", then "drop the segment and return" */
	if (!acceptable(tcb, seg)) {
		if (rst)
			tcp_drop(r, HF_CAUSE_UNACCEPTABLE);
		else
			challenge(op, r);
		return false;
	}
	/* second */
	if (rst) {
		closing_rst(op, r);
		return false;
	}
	/* fourth, check the SYN bit: RFC 5961 section 4.2 */
	if (seg->flags & HF_SYN) {
		challenge(op, r);
		return false;
	}
	/* fifth, "if the ACK bit is off, drop the segment" */
	if (!(seg->flags & HF_ACK)) {
		tcp_drop(r, HF_CAUSE_BAD_FLAGS);
		return false;
	}
	/* fifth, ESTABLISHED STATE: "if the ACK acks something not yet sent, send an ACK, drop the segment" */
	if (tcp_before(tcb->snd_nxt, seg->ack)) {
		challenge(op, r);
		return false;
	}
	return true;
}

/* fifth: our FIN is acknowledged. */
static bool acked(const struct tcp_op *op)
{
	return op->seg->ack == op->entry->snd_nxt;
}

/* fifth, ESTABLISHED STATE, done in all these states. With `changed`, or if this changes anything, the entry is
 * written. Returns it. */
static struct hf_tcb *take_ack(const struct tcp_op *op, struct tcp_result *r, bool changed)
{
	const struct hf_tcb *old = op->entry;
	uint64_t snd_una = acked(op) ? old->snd_nxt : old->snd_una;
	uint64_t ts_recent = ts_recent_after(old, op->seg);

	r->verdict = HF_VERDICT_CONSUME;
	if (changed || snd_una != old->snd_una || ts_recent != old->ts_recent) {
		struct hf_tcb *tcb = tcp_change(op, r);

		tcb->snd_una = snd_una;
		tcb->ts_recent = ts_recent;
	}
	return &r->entry;
}

/* seventh, text, where nobody reads any more: "the user is told, the peer is reset" (3.6.1, MAY-1, MUST-17: CLOSE
 * here closes both ways, half-close stays in the kernel). Returns whether it was so. */
static bool text_after_close(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;

	if (seg->payload == 0 || !tcp_before(op->entry->rcv_nxt, seg->seq + seg->payload))
		return false;
	if (!tcp_needs_rst(op, r) || !tcp_needs_event(op, r))
		return true;
	tcp_send_rst(r, op->entry, seg->ack, seg);
	tcp_delete(op, r);
	tcp_event(r, HF_EVENT_ABORTED);
	r->verdict = HF_VERDICT_CONSUME;
	return true;
}

/* eighth: a FIN whose turn has not come; the ACK it draws asks for what is missing. */
static bool fin_beyond_hole(const struct tcp_op *op)
{
	const struct segment *seg = op->seg;

	return seg->flags & HF_FIN && tcp_before(op->entry->rcv_nxt, seg->seq + seg->payload);
}

/* eighth: the peer's FIN is next. */
static bool fin_arrives(const struct tcp_op *op)
{
	const struct segment *seg = op->seg;

	return seg->flags & HF_FIN && (uint32_t)(seg->seq + seg->payload) == op->entry->rcv_nxt;
}

/* eighth: "advance RCV.NXT over the FIN, and send an acknowledgment for the FIN". */
static void take_fin(const struct tcp_op *op, struct tcp_result *r, struct hf_tcb *tcb)
{
	tcb->rcv_nxt = (uint32_t)(tcb->rcv_nxt + 1);
	tcp_send_ack(op, r, tcb);
}

/* "Enter the TIME-WAIT state, start the time-wait timer, turn off the other timers": for the host it is over. */
static void enter_time_wait(const struct tcp_op *op, struct tcp_result *r, struct hf_tcb *tcb)
{
	tcb->state = HF_STATE_TIME_WAIT;
	tcp_wait(op, tcb, op->config->time_wait_ms);
	tcp_event(r, HF_EVENT_CLOSED);
}

static void segment_fin_wait_1(const struct tcp_op *op, struct tcp_result *r)
{
	struct hf_tcb *tcb;

	if (!closing_checks(op, r) || text_after_close(op, r))
		return;
	if (fin_beyond_hole(op)) {
		challenge(op, r);
	} else if (fin_arrives(op)) {
		if (!tcp_needs_reply(op, r) || (acked(op) && !tcp_needs_event(op, r)))
			return;
		tcb = take_ack(op, r, true);
		if (acked(op)) /* eighth: "if our FIN has been ACKed (perhaps in this segment), enter TIME-WAIT" */
			enter_time_wait(op, r, tcb);
		else /* "otherwise, enter the CLOSING state" */
			tcb->state = HF_STATE_CLOSING;
		take_fin(op, r, tcb);
	} else if (acked(op)) { /* fifth: "if our FIN is now acknowledged, enter FIN-WAIT-2" */
		tcb = take_ack(op, r, true);
		tcb->state = HF_STATE_FIN_WAIT_2;
		tcp_wait(op, tcb, op->config->fin_wait_2_ms);
	} else {
		take_ack(op, r, false);
	}
}

static void segment_fin_wait_2(const struct tcp_op *op, struct tcp_result *r)
{
	struct hf_tcb *tcb;

	if (!closing_checks(op, r) || text_after_close(op, r))
		return;
	if (fin_beyond_hole(op)) {
		challenge(op, r);
	} else if (fin_arrives(op)) {
		if (!tcp_needs_reply(op, r) || !tcp_needs_event(op, r))
			return;
		tcb = take_ack(op, r, true);
		enter_time_wait(op, r, tcb);
		take_fin(op, r, tcb);
	} else {
		take_ack(op, r, false);
	}
}

/* fifth: "if the ACK acknowledges our FIN, then enter the TIME-WAIT state; otherwise, ignore the segment". */
static void segment_closing(const struct tcp_op *op, struct tcp_result *r)
{
	if (!closing_checks(op, r))
		return;
	if (!acked(op))
		take_ack(op, r, false);
	else if (tcp_needs_event(op, r))
		enter_time_wait(op, r, take_ack(op, r, true));
}

/* fifth: "if our FIN is now acknowledged, delete the TCB, enter the CLOSED state". */
static void segment_last_ack(const struct tcp_op *op, struct tcp_result *r)
{
	if (!closing_checks(op, r))
		return;
	if (!acked(op)) {
		take_ack(op, r, false);
	} else if (tcp_needs_event(op, r)) {
		tcp_delete(op, r);
		tcp_event(r, HF_EVENT_CLOSED);
		r->verdict = HF_VERDICT_CONSUME;
	}
}

/* MAY-2 and RFC 6191 section 2: a SYN that cannot be of the old connection. */
static bool newer_connection(const struct hf_tcb *tcb, const struct segment *seg)
{
	bool beyond = !tcp_before(seg->seq, tcb->rcv_nxt);

	if (!tcb->ts_ok)
		return seg->ts_ok || beyond;
	if (!seg->ts_ok || seg->tsval == tcb->ts_recent)
		return beyond;
	return tcp_before(tcb->ts_recent, seg->tsval);
}

static void time_wait_syn(const struct tcp_op *op, struct tcp_result *r)
{
	const struct hf_tcb *tcb = op->entry;
	uint32_t iss = tcp_choose_iss(op);

	if (!newer_connection(tcb, op->seg)) {
		challenge(op, r);
	} else if (!op->listener || op->listener->mode != LISTEN_OFFLOAD) { /* whoever listens, the kernel knows */
		tcp_delete(op, r);
		r->verdict = HF_VERDICT_HOST;
	} else if (!op->config->host_alive) {
		tcp_drop(r, HF_CAUSE_HOST_GONE);
	} else if (op->half_open >= op->listener->backlog) {
		tcp_drop(r, HF_CAUSE_BACKLOG);
	} else {
		if (!tcp_before(tcb->snd_nxt, iss)) /* MAY-2: "larger than the largest sequence number used" */
			iss = (uint32_t)(tcb->snd_nxt + 65536);
		if (tcp_open_passive(op, r, iss))
			tcp_count(r, HF_CNT_TW_REUSED);
	}
}

static void segment_time_wait(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	const struct hf_tcb *tcb = op->entry;

	/* fourth, check the SYN bit, TIME-WAIT STATE; before the first, which a new SYN need not pass. */
	if ((seg->flags & (HF_SYN | HF_RST | HF_ACK | HF_FIN)) == HF_SYN) {
		time_wait_syn(op, r);
		return;
	}
	/* fifth, TIME-WAIT STATE: "a retransmission of the remote FIN. Acknowledge it, and restart the 2 MSL
	 * timeout"; it lies below the window, so the first would drop it. */
	if ((seg->flags & (HF_FIN | HF_RST)) == HF_FIN && (uint32_t)(seg->seq + seg->payload + 1) == tcb->rcv_nxt) {
		if (!closing_timestamps_pass(op, r) || !tcp_needs_reply(op, r))
			return;
		tcp_wait(op, tcp_change(op, r), op->config->time_wait_ms);
		tcp_send_ack(op, r, &r->entry);
		r->verdict = HF_VERDICT_CONSUME;
		return;
	}
	/* Nothing else is answered: two ends in TIME-WAIT never talk to one another. */
	if (closing_checks(op, r))
		take_ack(op, r, false);
}

void tcp_segment(const struct tcp_op *op, struct tcp_result *r)
{
	if (!op->hit) {
		tcp_listen(op, r);
		return;
	}
	switch (op->entry->state) {
	case HF_STATE_SYN_SENT:
		segment_syn_sent(op, r);
		break;
	case HF_STATE_SYN_RECEIVED:
		segment_syn_received(op, r);
		break;
	case HF_STATE_FIN_WAIT_1:
		segment_fin_wait_1(op, r);
		break;
	case HF_STATE_FIN_WAIT_2:
		segment_fin_wait_2(op, r);
		break;
	case HF_STATE_CLOSING:
		segment_closing(op, r);
		break;
	case HF_STATE_LAST_ACK:
		segment_last_ack(op, r);
		break;
	case HF_STATE_TIME_WAIT:
		segment_time_wait(op, r);
		break;
	default: /* ESTABLISHED, CLOSE-WAIT: the host's kernel does 3.10.7.4 */
		r->verdict = HF_VERDICT_HOST;
	}
}
