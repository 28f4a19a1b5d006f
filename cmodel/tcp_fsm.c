/* SPDX-License-Identifier: Apache-2.0
 * tcp_fsm.c - RFC 9293 section 3.10, the passive open: LISTEN, SYN-RECEIVED and the step to ESTABLISHED.
 *
 * Read it beside the RFC. Each function is one event in one state, its steps come in the order in which the
 * engine judges them, and each names the paragraph it follows. 3.10.7 is SEGMENT ARRIVES, 3.10.8 the timeouts.
 * An entry is a TCB; the listen table stands for the TCBs in LISTEN. The state CLOSED means "no entry".
 *
 * Steps of 3.10.7.4 that are skipped here, with the reason:
 *   - third, check security: we hold no security compartments (appendix A.1 lets hosts ignore them).
 *   - sixth, URG, and seventh and eighth, text and FIN: the host owns an ESTABLISHED connection. A segment that
 *     brings text or FIN goes up to it whole, and RCV.NXT stays before its first octet. */
#include <assert.h>
#include <string.h>
#include "tcp_fsm.h"

/* Section 3.4: sequence numbers are compared modulo 2^32. */
static bool before(uint64_t a, uint64_t b)
{
	return (uint32_t)(a - b) >> 31;
}

/* RCV.NXT =< seq < RCV.NXT+RCV.WND */
static bool in_window(const struct hf_tcb *tcb, uint64_t seq)
{
	return (uint32_t)(seq - tcb->rcv_nxt) < tcb->rcv_wnd;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void count(struct tcp_result *r, enum hf_counter counter)
{
	assert(r->counts < TCP_COUNTS_MAX);
	r->count[r->counts++] = counter;
}

static void drop(struct tcp_result *r, enum hf_cause cause)
{
	r->verdict = HF_VERDICT_DROP;
	r->cause = cause;
}

/* A reply goes where the entry says. */
static struct reply *address(struct tcp_result *r, const struct hf_tcb *tcb)
{
	struct reply *f = &r->frame;

	memset(f, 0, sizeof(*f));
	r->reply = true;
	f->dst_mac = tcb->remote_mac;
	f->src_addr = tcb->local_addr;
	f->dst_addr = tcb->remote_addr;
	f->src_port = tcb->local_port;
	f->dst_port = tcb->remote_port;
	return f;
}

/* RFC 7323 section 3.2: TSval from our clock, TSecr = TS.Recent. */
static void timestamps(struct reply *f, const struct hf_tcb *tcb, uint32_t ms)
{
	if (!tcb->ts_ok)
		return;
	f->ts_en = 1;
	f->tsval = (uint32_t)(ms + tcb->ts_offset);
	f->tsecr = tcb->ts_recent;
}

/* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>; its window is never scaled (RFC 7323 section 2.2). */
static void send_synack(struct tcp_result *r, const struct hf_tcb *tcb, const struct tcp_config *config)
{
	struct reply *f = address(r, tcb);

	f->seq = tcb->iss;
	f->ack = tcb->rcv_nxt;
	f->flags = HF_SYN | HF_ACK;
	f->wnd = least(tcb->rcv_wnd, 65535);
	f->mss_en = 1; /* section 3.7.1, MUST-14 */
	f->mss = config->mss;
	f->sack_en = tcb->sack_ok;
	f->ws_en = tcb->ws_ok;
	f->ws = tcb->ws_ok ? tcb->rcv_wscale : 0;
	timestamps(f, tcb, config->ms);
	count(r, HF_CNT_TX_SYNACK);
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> answers the segment, if there is room to send it. */
static void answer_ack(struct tcp_result *r, const struct hf_tcb *tcb, const struct tcp_config *config)
{
	struct reply *f;

	if (!config->reply_room) {
		drop(r, HF_CAUSE_REPLY_FULL);
		return;
	}
	r->verdict = HF_VERDICT_CONSUME;
	f = address(r, tcb);
	f->seq = tcb->snd_nxt;
	f->ack = tcb->rcv_nxt;
	f->flags = HF_ACK;
	f->wnd = least(tcb->rcv_wnd >> tcb->rcv_wscale, 65535);
	timestamps(f, tcb, config->ms);
	count(r, HF_CNT_TX_ACK);
}

/* <SEQ=SEG.ACK><CTL=RST>, section 3.5.2 group 2; timestamps by RFC 7323 section 5.2. */
static void answer_rst(
	struct tcp_result *r, const struct hf_tcb *tcb, const struct segment *seg, const struct tcp_config *config)
{
	struct reply *f;

	if (!config->reply_room) {
		drop(r, HF_CAUSE_REPLY_FULL);
		return;
	}
	r->verdict = HF_VERDICT_CONSUME;
	f = address(r, tcb);
	f->seq = seg->ack;
	f->flags = HF_RST;
	if (seg->ts_ok) {
		f->ts_en = 1;
		f->tsecr = seg->tsval;
	}
	count(r, HF_CNT_TX_RST);
}

/* "Delete TCB, enter CLOSED state": the slot remembers how often it was used, nothing else. */
static void delete_tcb(struct tcp_result *r, const struct hf_tcb *tcb)
{
	memset(&r->entry, 0, sizeof(r->entry));
	r->entry.generation = tcb->generation;
	r->write = true;
}

/* RFC 6298 section 5: (re)start the timer with the SYN-ACK's timeout after that many retransmissions. */
static void start_timer(struct hf_tcb *tcb, const struct tcp_config *config)
{
	uint64_t rto_ms = least((uint64_t)config->syn_rto_ms << tcb->retries, config->syn_rto_max_ms);

	tcb->sent_ms = config->ms & 0xffffff;
	tcb->timer_armed = 1;
	tcb->deadline_ms = (config->ms + rto_ms) & 0xffffff;
}

/* Section 3.10.7.2, third: a SYN makes a TCB in SYN-RECEIVED. Text that comes with it is neither queued nor
 * acknowledged; the peer sends it again. */
static void open_passive(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	const struct listener *listener = op->listener;
	struct hf_tcb *tcb = &r->entry;
	uint64_t mss = least(seg->mss_ok ? seg->mss : 536, config->mss); /* section 3.7.1, MUST-15 */

	memset(tcb, 0, sizeof(*tcb));
	tcb->state = HF_STATE_SYN_RECEIVED;
	tcb->generation = (op->entry->generation + 1) & 0xffff;
	tcb->listener = op->listener_index;
	tcb->remote_addr = seg->src_addr;
	tcb->local_addr = seg->dst_addr;
	tcb->remote_port = seg->src_port;
	tcb->local_port = seg->dst_port;
	tcb->remote_mac = seg->src_mac;

	tcb->iss = (uint32_t)((seg->stamp >> 12) + op->isn); /* RFC 6528: M + F(), M in units of 4.096 us */
	tcb->irs = seg->seq;
	tcb->snd_una = tcb->iss;
	tcb->snd_nxt = (uint32_t)(tcb->iss + 1);
	tcb->rcv_nxt = (uint32_t)(seg->seq + 1);
	tcb->snd_wnd = seg->wnd; /* a SYN's window is never scaled, RFC 7323 section 2.2 */
	tcb->rcv_wnd = config->rcv_wnd;
	tcb->mss = mss > config->mss_floor ? mss : config->mss_floor;

	tcb->ws_ok = seg->ws_ok && listener->ws; /* RFC 7323 section 2.5: both or neither scale */
	if (tcb->ws_ok) {
		tcb->snd_wscale = seg->ws;
		tcb->rcv_wscale = least(config->wscale, 14);
	}
	tcb->ts_ok = seg->ts_ok && listener->ts; /* RFC 7323 section 3.2 */
	tcb->ts_recent = seg->ts_ok ? seg->tsval : 0;
	if (tcb->ts_ok && !config->ts_offset_off)
		tcb->ts_offset = (uint32_t)(op->isn >> 32);
	tcb->sack_ok = seg->sack_ok && listener->sack; /* RFC 2018 section 2 */
	start_timer(tcb, config);

	r->write = true;
	r->verdict = HF_VERDICT_CONSUME;
	count(r, HF_CNT_SYN_ACCEPTED);
	if (seg->ws_clamped)
		count(r, HF_CNT_WS_CLAMPED);
	send_synack(r, tcb, config);
}

/* A segment that belongs to no entry: section 3.10.7.2, LISTEN STATE, where the listen table has a listener. */
static void segment_listen(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	bool syn = seg->flags & HF_SYN, ack = seg->flags & HF_ACK, rst = seg->flags & HF_RST, fin = seg->flags & HF_FIN;

	/* 3.10.7.1, CLOSED STATE: whether there is no TCB at all only the host's kernel knows, and it answers. */
	if (!op->listener || op->listener->mode != LISTEN_OFFLOAD) {
		r->verdict = HF_VERDICT_HOST;
		return;
	}
	/* 3.10.7.2, fourth, "other text or control": nothing that a peer in its senses sends. */
	if ((syn && (rst || fin)) || (!syn && !ack && !rst)) {
		drop(r, HF_CAUSE_BAD_FLAGS);
		return;
	}
	/* 3.10.7.2, first (RST: ignore) and second (ACK: reset) hold only if no connection of the host is meant,
	 * which the table need not know: the host's kernel does either. */
	if (rst || ack) {
		r->verdict = HF_VERDICT_HOST;
		return;
	}
	/* 3.10.7.2, third, check for a SYN. Where we cannot answer it the peer shall try again. */
	if (!config->host_alive)
		drop(r, HF_CAUSE_HOST_GONE);
	else if (op->half_open >= op->listener->backlog)
		drop(r, HF_CAUSE_BACKLOG);
	else if (!op->insertable)
		drop(r, HF_CAUSE_TABLE_FULL);
	else if (!config->reply_room)
		drop(r, HF_CAUSE_REPLY_FULL);
	else
		open_passive(op, config, r);
}

/* 3.10.7.4, second, check the RST bit. As RFC 5961 section 3.2 has it this is judged before, and with a test of
 * its own in place of, the first: the sequence number. */
static void synrcvd_rst(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *r)
{
	const struct hf_tcb *tcb = op->entry;

	if (op->seg->seq == tcb->rcv_nxt) { /* 2): reset the connection; a passive OPEN returns to LISTEN */
		delete_tcb(r, tcb);
		r->verdict = HF_VERDICT_CONSUME;
		count(r, HF_CNT_RESETS);
	} else if (in_window(tcb, op->seg->seq)) { /* 3): challenge ACK */
		answer_ack(r, tcb, config);
	} else { /* 1): outside the window, silently drop */
		drop(r, HF_CAUSE_UNACCEPTABLE);
	}
}

/* 3.10.7.4, fourth, check the SYN bit. Before the first, because a peer that missed our SYN-ACK repeats its SYN,
 * which lies one below the window. The RFC lets a SYN in the window return a passive OPEN to LISTEN; as anybody
 * could send one, it earns a challenge ACK instead, like in the synchronized states (RFC 5961 section 4.2). */
static void synrcvd_syn(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	const struct hf_tcb *tcb = op->entry;

	if (seg->flags & (HF_ACK | HF_FIN) || seg->seq != tcb->irs) {
		answer_ack(r, tcb, config);
		return;
	}
	/* The same SYN again. The first would answer an ACK, but what the peer misses is the SYN-ACK. Its round
	 * trip is no sample any more (RFC 6298 section 3, Karn's algorithm); the timer runs on. */
	if (!config->reply_room) {
		drop(r, HF_CAUSE_REPLY_FULL);
		return;
	}
	r->entry = *tcb;
	r->entry.syn_lost = 1;
	if (tcb->ts_ok && seg->ts_ok && !before(seg->tsval, tcb->ts_recent))
		r->entry.ts_recent = seg->tsval; /* RFC 7323 section 4.3 (2) */
	r->write = true;
	r->verdict = HF_VERDICT_CONSUME;
	send_synack(r, &r->entry, config);
}

/* 3.10.7.4, first, the table of acceptability tests (section 3.4). */
static bool acceptable(const struct hf_tcb *tcb, const struct segment *seg)
{
	uint64_t seg_len = seg->payload + (seg->flags & HF_FIN ? 1 : 0);

	if (seg_len == 0)
		return tcb->rcv_wnd == 0 ? seg->seq == tcb->rcv_nxt : in_window(tcb, seg->seq);
	return in_window(tcb, seg->seq) || in_window(tcb, seg->seq + seg_len - 1);
}

/* 3.10.7.4, fifth, SYN-RECEIVED STATE: SND.UNA < SEG.ACK =< SND.NXT. Enter ESTABLISHED; the host learns of it
 * by an event, and without room for that the peer must come again. */
static void establish(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	struct hf_tcb *tcb = &r->entry;

	if (!config->event_room) {
		drop(r, HF_CAUSE_EVENT_FULL);
		return;
	}
	*tcb = *op->entry;
	tcb->state = HF_STATE_ESTABLISHED;
	tcb->snd_una = seg->ack;
	tcb->snd_wnd = (uint32_t)(seg->wnd << tcb->snd_wscale); /* RFC 7323 section 2.3 */
	if (tcb->ts_ok && seg->ts_ok && !before(tcb->rcv_nxt, seg->seq))
		tcb->ts_recent = seg->tsval; /* RFC 7323 section 4.3 (2); Last.ACK.sent is RCV.NXT */
	tcb->timer_armed = 0;		     /* RFC 6298 section 5.2 */
	tcb->deadline_ms = 0;
	r->write = true;
	r->event = true;
	r->verdict = seg->payload > 0 || seg->flags & HF_FIN ? HF_VERDICT_HOST : HF_VERDICT_CONSUME;
	count(r, HF_CNT_ESTABLISHED);
}

/* Section 3.10.7.4, OTHER STATES, in SYN-RECEIVED. */
static void segment_synrcvd(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	const struct hf_tcb *tcb = op->entry;

	/* second */
	if (seg->flags & HF_RST) {
		synrcvd_rst(op, config, r);
		return;
	}
	/* fourth */
	if (seg->flags & HF_SYN) {
		synrcvd_syn(op, config, r);
		return;
	}
	/* fifth, "if the ACK bit is off, drop the segment" */
	if (!(seg->flags & HF_ACK)) {
		drop(r, HF_CAUSE_BAD_FLAGS);
		return;
	}
	/* RFC 7323 section 3.2: once negotiated, every segment but a RST carries timestamps. */
	if (tcb->ts_ok && !seg->ts_ok && !config->ts_relaxed) {
		drop(r, HF_CAUSE_MISSING_TS);
		return;
	}
	/* RFC 7323 section 5.3 R1, PAWS: an old segment is answered by an ACK. */
	if (tcb->ts_ok && seg->ts_ok && before(seg->tsval, tcb->ts_recent)) {
		answer_ack(r, tcb, config);
		return;
	}
	/* first: "if an incoming segment is not acceptable, an acknowledgment should be sent in reply" */
	if (!acceptable(tcb, seg)) {
		answer_ack(r, tcb, config);
		return;
	}
	/* fifth, SYN-RECEIVED STATE: an ACK of anything but our SYN draws a reset; the state is kept. */
	if (!before(tcb->snd_una, seg->ack) || before(tcb->snd_nxt, seg->ack)) {
		answer_rst(r, tcb, seg, config);
		return;
	}
	establish(op, config, r);
}

/* Section 3.10.7, SEGMENT ARRIVES. */
static void segment_arrives(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *r)
{
	if (!op->hit)
		segment_listen(op, config, r);
	else if (op->entry->state == HF_STATE_SYN_RECEIVED)
		segment_synrcvd(op, config, r);
	else
		r->verdict = HF_VERDICT_HOST; /* ESTABLISHED: the host's kernel does 3.10.7.4 */
}

/* Section 3.10.8, RETRANSMISSION TIMEOUT of our SYN-ACK, by RFC 6298 sections 5.4 to 5.6. */
static void timeout(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *r)
{
	struct hf_tcb *tcb = &r->entry;

	if (!op->hit) /* answered since the timer was seen to expire */
		return;
	if (op->entry->state == HF_STATE_SYN_RECEIVED && op->entry->retries >= config->synack_retries) {
		delete_tcb(r, op->entry); /* section 3.8.3 (R2 for a SYN): give up, silently */
		count(r, HF_CNT_TIMEOUTS);
		return;
	}
	*tcb = *op->entry;
	r->write = true;
	if (tcb->state != HF_STATE_SYN_RECEIVED) {
		tcb->timer_armed = 0;
		return;
	}
	tcb->retries++;
	tcb->syn_lost = 1; /* RFC 6298 section 5.7 */
	start_timer(tcb, config);
	count(r, HF_CNT_RETRANSMITS);
	send_synack(r, tcb, config);
}

/* RELEASE: the host's kernel has the connection to itself. ABORT: section 3.10.5, ABORT call. */
static void command(const struct tcp_op *op, struct tcp_result *r)
{
	const struct hf_tcb *tcb = op->entry;

	r->event = true;
	r->status = op->status;
	if (op->malformed)
		return;
	count(r, HF_CNT_COMMANDS);
	r->status = HF_STATUS_OK;
	if (!op->hit) {
		r->status = HF_STATUS_STALE;
	} else if (op->command == HF_COMMAND_ABORT) {
		struct reply *f = address(r, tcb); /* 3.10.5: <SEQ=SND.NXT><CTL=RST> */

		f->seq = tcb->snd_nxt;
		f->flags = HF_RST;
		count(r, HF_CNT_TX_RST);
		delete_tcb(r, tcb);
	} else if (tcb->state == HF_STATE_ESTABLISHED) {
		delete_tcb(r, tcb);
	} else {
		r->status = HF_STATUS_NOT_OWNER;
	}
}

void hfm_tcp_fsm(const struct tcp_op *op, const struct tcp_config *config, struct tcp_result *result)
{
	result->verdict = HF_VERDICT_NONE;
	result->cause = HF_CAUSE_NONE;
	result->write = false;
	result->reply = false;
	result->event = false;
	result->counts = 0;
	switch (op->kind) {
	case HF_OP_SEGMENT:
		segment_arrives(op, config, result);
		break;
	case HF_OP_TIMEOUT:
		timeout(op, config, result);
		break;
	case HF_OP_COMMAND:
		command(op, result);
		break;
	}
}
