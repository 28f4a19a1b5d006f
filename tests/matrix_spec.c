/* SPDX-License-Identifier: Apache-2.0
 * matrix_spec.c - SEGMENT ARRIVES of RFC 9293 section 3.10.7, paragraph by paragraph. */
#include "matrix_spec.h"

/* ---- RFC 9293 3.4: numbers compare modulo 2^32 ---- */

static bool before(uint32_t a, uint32_t b)
{
	return a != b && b - a < 0x80000000u;
}

static bool not_after(uint32_t a, uint32_t b)
{
	return !before(b, a);
}

static bool has(const struct spec_segment *seg, uint16_t flag)
{
	return (seg->flags & flag) != 0;
}

/* ---- ends ---- */

static struct spec_answer kept(const struct spec_conn *c, enum hf_verdict verdict, enum hf_cause cause)
{
	return (struct spec_answer){ .next = *c, .verdict = verdict, .cause = cause };
}

static struct spec_answer consumed(const struct spec_conn *c)
{
	return kept(c, HF_VERDICT_CONSUME, HF_CAUSE_NONE);
}

static struct spec_answer to_host(const struct spec_conn *c)
{
	return kept(c, HF_VERDICT_HOST, HF_CAUSE_NONE);
}

static struct spec_answer dropped(const struct spec_conn *c, enum hf_cause cause)
{
	return kept(c, HF_VERDICT_DROP, cause);
}

/* The connection is no more; the port's listener, if any, goes on. */
static struct spec_answer deleted(const struct spec_conn *c, int event)
{
	struct spec_answer a = consumed(c);

	a.next.state = c->listener ? HF_STATE_LISTEN : HF_STATE_CLOSED;
	a.event = event;
	return a;
}

/* ---- replies ---- */

/* RFC 7323 3.2: once negotiated, the option is in every segment but (by choice) a RST; TSecr is TS.Recent. */
static void reply_with(struct spec_answer *a, uint16_t flags, uint32_t seq)
{
	a->reply = (struct spec_reply){ .sent = true,
		.flags = flags,
		.seq = seq,
		.ack = a->next.rcv_nxt,
		.ts = a->next.ts_ok,
		.tsecr = a->next.ts_ok ? a->next.ts_recent : 0 };
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
static void reply_ack(struct spec_answer *a)
{
	reply_with(a, HF_ACK, a->next.snd_nxt);
}

/* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
static void reply_syn_ack(struct spec_answer *a)
{
	reply_with(a, HF_SYN | HF_ACK, a->next.iss);
}

/* <SEQ=SEG.ACK><CTL=RST>, with the segment's timestamp returned (RFC 7323 3.2) */
static void reply_rst(struct spec_answer *a, const struct spec_segment *seg)
{
	a->reply = (struct spec_reply){
		.sent = true, .flags = HF_RST, .seq = seg->ack, .ts = seg->ts, .tsecr = seg->ts ? seg->tsval : 0
	};
}

/* An empty ACK and the segment is gone: RFC 9293 3.10.7.4 first, RFC 5961 3.2, 4.2, 5.2. */
static struct spec_answer acked_and_gone(const struct spec_conn *c)
{
	struct spec_answer a = consumed(c);

	reply_ack(&a);
	return a;
}

/* ---- tests ---- */

static bool in_window(const struct spec_conn *c, uint32_t seq)
{
	return seq - c->rcv_nxt < c->rcv_wnd;
}

/* RFC 9293 3.10.7.4, first: the table of four cases. SYN takes no part: it never gets that far. */
static bool acceptable(const struct spec_conn *c, const struct spec_segment *seg)
{
	uint32_t len = seg->text + (has(seg, HF_FIN) ? 1 : 0);

	if (len == 0 && c->rcv_wnd == 0)
		return seg->seq == c->rcv_nxt;
	if (len == 0)
		return in_window(c, seg->seq);
	if (c->rcv_wnd == 0)
		return false;
	return in_window(c, seg->seq) || in_window(c, seg->seq + len - 1);
}

/* RFC 7323 5.3 R1: PAWS. */
static bool too_old(const struct spec_conn *c, const struct spec_segment *seg)
{
	return c->ts_ok && seg->ts && before(seg->tsval, c->ts_recent);
}

/* RFC 7323 3.2: "if a non-RST segment arrives without the option, it SHOULD be dropped" (the strict choice). */
static bool lacks_timestamps(const struct spec_conn *c, const struct spec_segment *seg)
{
	return c->ts_ok && !seg->ts;
}

/* RFC 7323 4.3 (2): a segment at or before what was acknowledged last, and not older. */
static void note_timestamp(const struct spec_conn *c, const struct spec_segment *seg, struct spec_conn *next)
{
	if (c->ts_ok && seg->ts && not_after(c->ts_recent, seg->tsval) && not_after(seg->seq, c->rcv_nxt))
		next->ts_recent = seg->tsval;
}

/* ---- LISTEN, also for a TIME-WAIT entry that gives way ---- */

static struct spec_answer passive_open(const struct spec_conn *c, const struct spec_segment *seg, uint32_t iss)
{
	struct spec_answer a = consumed(c);

	a.next.state = HF_STATE_SYN_RECEIVED;
	a.next.active = false;
	a.next.irs = seg->seq;
	a.next.rcv_nxt = seg->seq + 1; /* text on the SYN comes again */
	a.next.iss = iss;
	a.next.snd_una = iss;
	a.next.snd_nxt = iss + 1;
	a.next.ts_ok = seg->ts; /* the listeners of the matrix allow the option */
	a.next.ts_recent = seg->ts ? seg->tsval : 0;
	reply_syn_ack(&a);
	return a;
}

/* 3.10.7.2. What a listener has no use for may belong to a connection that only the host knows: the host's kernel holds
 * the whole of 3.10.7.1 and answers it; the engine drops what says nothing to anybody. */
static struct spec_answer listen(const struct spec_conn *c, const struct spec_segment *seg)
{
	if (has(seg, HF_SYN) && (has(seg, HF_RST) || has(seg, HF_FIN)))
		return dropped(c, HF_CAUSE_BAD_FLAGS); /* the choice for SYN+FIN */
	/* first, second: RST, ACK */
	if (has(seg, HF_RST) || has(seg, HF_ACK))
		return to_host(c);
	/* third: SYN */
	if (has(seg, HF_SYN))
		return passive_open(c, seg, c->new_iss);
	/* fourth: other control or text without ACK */
	return dropped(c, HF_CAUSE_BAD_FLAGS);
}

/* ---- SYN-SENT, 3.10.7.3 ---- */

static struct spec_answer syn_sent(const struct spec_conn *c, const struct spec_segment *seg)
{
	struct spec_answer a;
	bool good_ack = false;

	/* first, ACK */
	if (has(seg, HF_ACK)) {
		good_ack = before(c->iss, seg->ack) && not_after(seg->ack, c->snd_nxt);
		if (!good_ack && has(seg, HF_RST))
			return dropped(c, HF_CAUSE_UNACCEPTABLE);
		if (!good_ack) {
			a = consumed(c);
			reply_rst(&a, seg);
			return a;
		}
	}
	/* second, RST: judged by its ACK (RFC 5961 3.2), there is no RCV.NXT */
	if (has(seg, HF_RST))
		return good_ack ? deleted(c, HF_EVENT_REFUSED) : dropped(c, HF_CAUSE_UNACCEPTABLE);
	/* fifth: neither SYN nor RST */
	if (!has(seg, HF_SYN))
		return dropped(c, HF_CAUSE_UNACCEPTABLE);
	/* fourth, SYN. A FIN is not processed in this state, text is not taken: both come again. */
	a = consumed(c);
	a.next.irs = seg->seq;
	a.next.rcv_nxt = seg->seq + 1;
	a.next.ts_ok = c->ts_ok && seg->ts;
	a.next.ts_recent = seg->ts ? seg->tsval : 0;
	a.next.active = true;
	if (good_ack) {
		a.next.snd_una = seg->ack;
		a.next.state = HF_STATE_ESTABLISHED;
		a.event = HF_EVENT_ESTABLISHED;
		reply_ack(&a);
	} else {
		a.next.state = HF_STATE_SYN_RECEIVED; /* simultaneous open, MUST-10 */
		reply_syn_ack(&a);
	}
	return a;
}

/* ---- SYN-RECEIVED, 3.10.7.4 ---- */

static struct spec_answer syn_received(const struct spec_conn *c, const struct spec_segment *seg)
{
	bool good_ack = has(seg, HF_ACK) && before(c->snd_una, seg->ack) && not_after(seg->ack, c->snd_nxt);
	struct spec_answer a;

	/* second, RST, by RFC 5961 3.2 (it needs no look at the rest: PAWS leaves RST out) */
	if (has(seg, HF_RST)) {
		if (seg->seq == c->rcv_nxt)
			return deleted(c, c->active ? HF_EVENT_REFUSED : 0);
		return in_window(c, seg->seq) ? acked_and_gone(c) : dropped(c, HF_CAUSE_UNACCEPTABLE);
	}
	/* fourth, SYN: before acceptability, since the peer's own SYN is one before the window */
	if (has(seg, HF_SYN) && seg->seq == c->irs && !has(seg, HF_ACK) && !has(seg, HF_FIN)) {
		a = consumed(c); /* the choice: SYN-ACK again */
		if (c->ts_ok && seg->ts && not_after(c->ts_recent, seg->tsval))
			a.next.ts_recent = seg->tsval;
		reply_syn_ack(&a);
		return a;
	}
	if (has(seg, HF_SYN) && seg->seq == c->irs && c->active && good_ack) {
		a = consumed(c); /* A.2: the SYN,ACK of a simultaneous open */
		a.next.state = HF_STATE_ESTABLISHED;
		a.next.snd_una = seg->ack;
		a.event = HF_EVENT_ESTABLISHED;
		note_timestamp(c, seg, &a.next);
		reply_ack(&a);
		return a;
	}
	if (has(seg, HF_SYN))
		return acked_and_gone(c);
	/* fifth, ACK off */
	if (!has(seg, HF_ACK))
		return dropped(c, HF_CAUSE_BAD_FLAGS);
	/* first, sequence number, timestamps before it (RFC 7323 5.3) */
	if (lacks_timestamps(c, seg))
		return dropped(c, HF_CAUSE_MISSING_TS);
	if (too_old(c, seg) || !acceptable(c, seg))
		return acked_and_gone(c);
	/* fifth, ACK on */
	if (!good_ack) {
		a = consumed(c);
		reply_rst(&a, seg);
		return a;
	}
	/* text and FIN in it are the host's, with the connection */
	a = seg->text || has(seg, HF_FIN) ? to_host(c) : consumed(c);
	a.next.state = HF_STATE_ESTABLISHED;
	a.next.snd_una = seg->ack;
	a.event = HF_EVENT_ESTABLISHED;
	note_timestamp(c, seg, &a.next);
	return a;
}

/* ---- the closing states, 3.10.7.4 ---- */

/* RFC 6191 section 2: may this SYN be a new incarnation of the connection in TIME-WAIT? */
static bool newer(const struct spec_conn *c, const struct spec_segment *seg)
{
	bool higher = not_after(c->rcv_nxt, seg->seq); /* RCV.NXT is one above the last SEQ seen, the FIN's */

	if (!c->ts_ok)
		return seg->ts || higher;
	if (!seg->ts)
		return higher;
	return before(c->ts_recent, seg->tsval) || (seg->tsval == c->ts_recent && higher);
}

static struct spec_answer time_wait_syn(const struct spec_conn *c, const struct spec_segment *seg)
{
	struct spec_answer a;

	if (!newer(c, seg))
		return acked_and_gone(c); /* the choice: challenge ACK */
	if (c->listener)		  /* MAY-2: the new ISS is above all that was used */
		return passive_open(c, seg, before(c->snd_nxt, c->new_iss) ? c->new_iss : c->snd_nxt + 65536);
	a = to_host(c);
	a.next.state = HF_STATE_CLOSED;
	return a;
}

static struct spec_answer reset(const struct spec_conn *c)
{
	switch (c->state) {
	case HF_STATE_FIN_WAIT_1:
	case HF_STATE_FIN_WAIT_2:
		return deleted(c, HF_EVENT_RESET);
	case HF_STATE_TIME_WAIT:
		return dropped(c, HF_CAUSE_UNACCEPTABLE); /* RFC 1337 F1, the choice */
	default:					  /* CLOSING, LAST-ACK: both sides had closed */
		return deleted(c, HF_EVENT_CLOSED);
	}
}

static struct spec_answer closing_states(const struct spec_conn *c, const struct spec_segment *seg)
{
	bool receives = c->state == HF_STATE_FIN_WAIT_1 || c->state == HF_STATE_FIN_WAIT_2;
	bool ours_acked, fin;
	struct spec_answer a;

	if (c->state == HF_STATE_TIME_WAIT && (seg->flags & (HF_SYN | HF_ACK | HF_RST | HF_FIN)) == HF_SYN)
		return time_wait_syn(c, seg);
	/* first, sequence number; a SYN is challenged below whatever its options, RFC 5961 4.2 */
	if (!(seg->flags & (HF_RST | HF_SYN)) && lacks_timestamps(c, seg))
		return dropped(c, HF_CAUSE_MISSING_TS);
	if (!(seg->flags & (HF_RST | HF_SYN)) && too_old(c, seg))
		return acked_and_gone(c);
	if (c->state == HF_STATE_TIME_WAIT && has(seg, HF_FIN) && !has(seg, HF_RST) &&
		seg->seq + seg->text + 1 == c->rcv_nxt)
		return acked_and_gone(c); /* the peer's FIN again: eighth, TIME-WAIT; 2 MSL starts again */
	if (!acceptable(c, seg))
		return has(seg, HF_RST) ? dropped(c, HF_CAUSE_UNACCEPTABLE) : acked_and_gone(c);
	/* second, RST, by RFC 5961 3.2 */
	if (has(seg, HF_RST))
		return seg->seq == c->rcv_nxt ? reset(c) : acked_and_gone(c);
	/* fourth, SYN, by RFC 5961 4.2 */
	if (has(seg, HF_SYN))
		return acked_and_gone(c);
	/* fifth, ACK */
	if (!has(seg, HF_ACK))
		return dropped(c, HF_CAUSE_BAD_FLAGS);
	if (before(c->snd_nxt, seg->ack))
		return acked_and_gone(c);
	ours_acked = seg->ack == c->snd_nxt;
	/* seventh, text: nobody reads it any more (MAY-1, SHLD-3). After the peer's FIN there is none. */
	if (receives && seg->text && before(c->rcv_nxt, seg->seq + seg->text)) {
		a = deleted(c, HF_EVENT_ABORTED);
		reply_rst(&a, seg);
		return a;
	}
	/* eighth, FIN: in its place, or behind a hole (SHLD-31) */
	fin = receives && has(seg, HF_FIN) && seg->seq + seg->text == c->rcv_nxt;
	if (receives && has(seg, HF_FIN) && before(c->rcv_nxt, seg->seq + seg->text))
		return acked_and_gone(c);
	if (c->state == HF_STATE_LAST_ACK && ours_acked)
		return deleted(c, HF_EVENT_CLOSED);
	a = consumed(c);
	note_timestamp(c, seg, &a.next);
	if (ours_acked)
		a.next.snd_una = c->snd_nxt;
	if (c->state == HF_STATE_FIN_WAIT_1)
		a.next.state = fin	    ? ours_acked ? HF_STATE_TIME_WAIT : HF_STATE_CLOSING
			       : ours_acked ? HF_STATE_FIN_WAIT_2
					    : HF_STATE_FIN_WAIT_1;
	else if (c->state == HF_STATE_FIN_WAIT_2 && fin)
		a.next.state = HF_STATE_TIME_WAIT;
	else if (c->state == HF_STATE_CLOSING && ours_acked)
		a.next.state = HF_STATE_TIME_WAIT;
	if (a.next.state == HF_STATE_TIME_WAIT && c->state != HF_STATE_TIME_WAIT)
		a.event = HF_EVENT_CLOSED;
	if (fin) {
		a.next.rcv_nxt = c->rcv_nxt + 1;
		reply_ack(&a);
	}
	return a;
}

struct spec_answer spec_segment_arrives(const struct spec_conn *conn, const struct spec_segment *seg)
{
	switch (conn->state) {
	case HF_STATE_LISTEN:
		return listen(conn, seg);
	case HF_STATE_SYN_SENT:
		return syn_sent(conn, seg);
	case HF_STATE_SYN_RECEIVED:
		return syn_received(conn, seg);
	case HF_STATE_FIN_WAIT_1:
	case HF_STATE_FIN_WAIT_2:
	case HF_STATE_CLOSING:
	case HF_STATE_LAST_ACK:
	case HF_STATE_TIME_WAIT:
		return closing_states(conn, seg);
	default: /* CLOSED: 3.10.7.1 is the host kernel's; ESTABLISHED, CLOSE-WAIT: the host owns it */
		return to_host(conn);
	}
}
