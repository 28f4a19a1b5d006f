/* SPDX-License-Identifier: Apache-2.0
 * tcp_listen.c - a segment that belongs to no entry: RFC 9293 sections 3.10.7.1, CLOSED STATE, and 3.10.7.2, LISTEN
 * STATE, with SYN cookies (RFC 4987 section 3.6) where an entry would cost too much. */
#include <string.h>
#include "tcp_parts.h"

/* SendMSS, section 3.7.1: MUST-15, and 1220 over IPv6. */
uint64_t tcp_send_mss(const struct tcp_op *op)
{
	const struct tcp_config *config = op->config;
	const struct segment *seg = op->seg;
	uint64_t mss;

	if (seg->ip6)
		mss = tcp_least(seg->mss_ok ? seg->mss : 1220, config->mss6);
	else
		mss = tcp_least(seg->mss_ok ? seg->mss : 536, config->mss);
	return mss > config->mss_floor ? mss : config->mss_floor;
}

/* RFC 6528: M + F(), M in units of 4.096 us. */
uint32_t tcp_choose_iss(const struct tcp_op *op)
{
	return (uint32_t)((op->seg->stamp >> 12) + op->isn);
}

/* An empty entry for the segment's peer. */
static void new_entry(const struct tcp_op *op, struct hf_tcb *tcb)
{
	const struct segment *seg = op->seg;

	memset(tcb, 0, sizeof(*tcb));
	tcb->generation = (op->entry->generation + 1) & 0xffff;
	tcb->listener = op->listener_index;
	tcb->ip6 = seg->ip6;
	tcb->remote_addr = seg->src_addr;
	tcb->local_addr = seg->dst_addr;
	tcb->remote_port = seg->src_port;
	tcb->local_port = seg->dst_port;
	tcb->remote_mac = seg->src_mac;
	tcb->vlan_tags = seg->vlan_tags;
	tcb->vlan_svlan = seg->vlan_svlan;
	tcb->vlan_outer = seg->vlan_outer;
	tcb->vlan_inner = seg->vlan_inner;
}

/* What a SYN and our registers agree on. */
static void negotiate(const struct tcp_op *op, struct hf_tcb *tcb)
{
	const struct tcp_config *config = op->config;
	const struct segment *seg = op->seg;
	const struct listener *listener = op->listener;

	tcb->irs = seg->seq;
	tcb->rcv_nxt = (uint32_t)(seg->seq + 1);
	tcb->snd_wnd = seg->wnd; /* a SYN's window is never scaled, RFC 7323 section 2.2 */
	tcb->rcv_wnd = config->rcv_wnd;
	tcb->mss = tcp_send_mss(op);
	tcb->ws_ok = seg->ws_ok && listener->ws; /* RFC 7323 section 2.5: both or neither scale */
	if (tcb->ws_ok) {
		tcb->snd_wscale = seg->ws;
		tcb->rcv_wscale = tcp_least(config->wscale, 14);
	}
	tcb->ts_ok = seg->ts_ok && listener->ts; /* RFC 7323 section 3.2 */
	tcb->ts_recent = seg->ts_ok ? seg->tsval : 0;
	tcb->ts_offset = tcb->ts_ok ? tcp_ts_offset(op) : 0;
	tcb->sack_ok = seg->sack_ok && listener->sack;				 /* RFC 2018 section 2 */
	tcb->ecn_ok = config->ecn && seg->flags & HF_ECE && seg->flags & HF_CWR; /* RFC 3168 section 6.1.1 */
}

/* 3.10.7.2, third: a SYN makes a TCB in SYN-RECEIVED. Text that comes with it is neither queued nor acknowledged;
 * the peer sends it again. */
bool tcp_open_passive(const struct tcp_op *op, struct tcp_result *r, uint32_t iss)
{
	struct hf_tcb *tcb = &r->entry;

	if (!tcp_needs_reply(op, r))
		return false;
	new_entry(op, tcb);
	negotiate(op, tcb);
	tcb->state = HF_STATE_SYN_RECEIVED;
	tcb->iss = iss;
	tcb->snd_una = iss;
	tcb->snd_nxt = (uint32_t)(iss + 1);
	tcb->rto_ms = op->config->syn_rto_ms;
	tcb->sent_ms = op->config->ms & MS_MASK;
	tcp_start_timer(op, tcb, 0);

	r->write = true;
	r->insert = true;
	r->verdict = HF_VERDICT_CONSUME;
	tcp_count(r, HF_CNT_SYN_ACCEPTED);
	if (op->seg->ws_clamped)
		tcp_count(r, HF_CNT_WS_CLAMPED);
	tcp_send_synack(op, r, tcb);
	return true;
}

/* The options that a cookie's timestamp remembers. */
static uint32_t cookie_options(const struct hf_tcb *tcb)
{
	uint32_t shift = tcb->ws_ok ? (uint32_t)tcb->snd_wscale : COOKIE_NO_WS;

	return shift | (uint32_t)tcb->sack_ok << 4 | (uint32_t)tcb->ecn_ok << 5;
}

/* The latest TSval, not after `now`, that ends in `options`: our clock never runs ahead, so that later segments of
 * the connection pass PAWS at the peer. */
static uint32_t cookie_tsval(uint32_t now, uint32_t options)
{
	uint32_t tsval = (now & ~COOKIE_OPTIONS_MASK) | options;

	return tcp_before(now, tsval) ? tsval - (COOKIE_OPTIONS_MASK + 1) : tsval;
}

/* The SYN-ACK of a passive open, but nothing is kept: its ISS and its TSval remember the rest for us. Without a
 * timestamp there is no room for options. */
static void send_cookie(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	struct hf_tcb tcb;

	if (!tcp_needs_reply(op, r))
		return;
	new_entry(op, &tcb);
	negotiate(op, &tcb);
	if (!tcb.ts_ok) {
		tcb.ws_ok = 0;
		tcb.sack_ok = 0;
		tcb.ecn_ok = 0;
	}
	tcb.iss = (uint32_t)seg->seq +
		  hfm_cookie_encode(op->mac, hfm_cookie_epoch(seg->stamp), hfm_cookie_class(tcb.mss));
	r->cookie = true;
	r->verdict = HF_VERDICT_CONSUME;
	tcp_count(r, HF_CNT_COOKIES_SENT);
	tcp_send_synack(op, r, &tcb);
	if (tcb.ts_ok)
		r->frame.tsval = cookie_tsval((uint32_t)r->frame.tsval, cookie_options(&tcb));
}

static void listen_syn(const struct tcp_op *op, struct tcp_result *r)
{
	const struct tcp_config *config = op->config;
	enum hf_cause full = HF_CAUSE_NONE;

	if (op->spent) {
		tcp_drop(r, HF_CAUSE_SOURCE_LIMITED);
		return;
	}
	r->rule_token = op->metered;
	if (!config->host_alive) { /* nobody would accept it; the peer shall try again */
		tcp_drop(r, HF_CAUSE_HOST_GONE);
		return;
	}
	if (op->half_open >= op->listener->backlog || config->too_many)
		full = HF_CAUSE_BACKLOG;
	else if (!op->insertable)
		full = HF_CAUSE_TABLE_FULL;
	if (config->cookie_mode > 1 || (config->cookie_mode == 1 && (full != HF_CAUSE_NONE || config->cookie_on)))
		send_cookie(op, r);
	else if (full != HF_CAUSE_NONE)
		tcp_drop(r, full);
	else
		tcp_open_passive(op, r, tcp_choose_iss(op));
}

/* Whether an ACK may acknowledge a cookie of this listener at all: only then it is worth counting. */
static bool cookies_alive(const struct tcp_op *op)
{
	uint32_t age = (hfm_cookie_epoch(op->seg->stamp) - op->sent->epoch) & COOKIE_EPOCH_MASK;

	return op->sent->sent && age <= op->config->cookie_lifetime;
}

/* What we added to the peer's sequence number, if this acknowledges a cookie. */
static uint32_t sent_by_us(const struct segment *seg)
{
	return (uint32_t)(seg->ack - seg->seq);
}

static bool good_cookie(const struct tcp_op *op)
{
	uint32_t sent = sent_by_us(op->seg);

	return hfm_cookie_age(hfm_cookie_epoch(op->seg->stamp), sent) <= op->config->cookie_lifetime &&
	       (sent & COOKIE_MAC_MASK) == hfm_cookie_hash(op->mac);
}

/* The connection as it would be had its SYN made an entry, as far as cookie and segment tell. */
static void entry_of_cookie(const struct tcp_op *op, struct hf_tcb *tcb)
{
	const struct tcp_config *config = op->config;
	const struct segment *seg = op->seg;
	const struct listener *listener = op->listener;
	unsigned class = hfm_cookie_sent_class(sent_by_us(seg));

	new_entry(op, tcb);
	tcb->state = HF_STATE_ESTABLISHED;
	tcb->iss = (uint32_t)(seg->ack - 1);
	tcb->irs = (uint32_t)(seg->seq - 1);
	tcb->snd_una = seg->ack;
	tcb->snd_nxt = seg->ack;
	tcb->rcv_nxt = seg->seq;
	tcb->rcv_wnd = config->rcv_wnd;
	tcb->mss = tcp_least(hfm_cookie_mss(class), seg->ip6 ? config->mss6 : config->mss);
	if (tcb->mss < config->mss_floor)
		tcb->mss = config->mss_floor;
	if (seg->ts_ok && listener->ts) {
		unsigned shift = seg->tsecr & 15;

		tcb->ts_ok = 1;
		tcb->ts_recent = seg->tsval;
		tcb->ts_offset = tcp_ts_offset(op);
		tcb->sack_ok = (seg->tsecr >> 4 & 1) && listener->sack;
		tcb->ecn_ok = (seg->tsecr >> 5 & 1) && config->ecn;
		tcb->ws_ok = shift != COOKIE_NO_WS && listener->ws;
		if (tcb->ws_ok) {
			tcb->snd_wscale = tcp_least(shift, 14);
			tcb->rcv_wscale = tcp_least(config->wscale, 14);
		}
	}
	tcb->snd_wnd = (uint32_t)(seg->wnd << tcb->snd_wscale);
	tcb->rto_ms = config->syn_rto_ms;
}

/* 3.10.7.4, fifth, SYN-RECEIVED STATE, of an entry that was never kept: the connection is the host's, with an entry
 * if there is room. */
static void establish_by_cookie(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;

	if (!op->config->host_alive) {
		tcp_drop(r, HF_CAUSE_HOST_GONE);
		return;
	}
	if (!tcp_needs_event(op, r))
		return;
	entry_of_cookie(op, &r->entry);
	r->by_cookie = true;
	r->write = op->insertable;
	r->insert = op->insertable;
	tcp_event(r, HF_EVENT_ESTABLISHED);
	tcp_count(r, HF_CNT_COOKIES_ACCEPTED);
	tcp_count(r, HF_CNT_ESTABLISHED);
	if (!op->insertable) {
		tcp_count(r, HF_CNT_COOKIE_NO_ENTRY);
		r->incomplete = true;
	}
	r->verdict = seg->payload > 0 || seg->flags & HF_FIN ? HF_VERDICT_HOST : HF_VERDICT_CONSUME;
}

/* It may belong to a connection that the host holds and the table does not; if it does not, the host's kernel
 * answers as 3.10.7.1 says. So that it cannot be flooded this way there is a limit. */
static void miss(const struct tcp_op *op, struct tcp_result *r)
{
	if (!op->config->miss_allowed) {
		tcp_drop(r, HF_CAUSE_HOST_LIMITED);
		return;
	}
	r->limit = LIMIT_MISS;
	r->verdict = HF_VERDICT_HOST;
}

static void listen_ack(const struct tcp_op *op, struct tcp_result *r)
{
	const struct segment *seg = op->seg;
	struct hf_tcb peer;

	if (!(seg->flags & HF_SYN) && cookies_alive(op)) {
		if (good_cookie(op)) {
			establish_by_cookie(op, r);
			return;
		}
		tcp_count(r, HF_CNT_COOKIE_BAD);
	}
	if (!op->config->cache_complete) {
		miss(op, r);
		return;
	}
	/* second, "any acknowledgment is bad if it arrives on a connection still in the LISTEN state" */
	if (!tcp_needs_rst(op, r))
		return;
	new_entry(op, &peer);
	tcp_send_rst(r, &peer, seg->ack, seg);
	r->verdict = HF_VERDICT_CONSUME;
}

void tcp_listen(const struct tcp_op *op, struct tcp_result *r)
{
	unsigned flags = (unsigned)op->seg->flags & (HF_SYN | HF_ACK | HF_RST | HF_FIN);

	/* 3.10.7.1: whether there is no TCB at all only the host's kernel knows, and it answers. */
	if (!op->listener || op->listener->mode != LISTEN_OFFLOAD) {
		r->verdict = HF_VERDICT_HOST;
		return;
	}
	/* 3.10.7.2, fourth, "other text or control": nothing that a peer in its senses sends. */
	if ((flags & HF_SYN && flags & (HF_RST | HF_FIN)) || !(flags & (HF_SYN | HF_ACK | HF_RST))) {
		tcp_drop(r, HF_CAUSE_BAD_FLAGS);
		return;
	}
	r->listener_syn = flags == HF_SYN;
	if (op->denied) {
		tcp_drop(r, HF_CAUSE_DENIED);
		return;
	}
	if (flags & HF_RST) { /* first, check for a RST: "ignored", if the host has no such connection either */
		if (op->config->cache_complete)
			tcp_drop(r, HF_CAUSE_NO_CONNECTION);
		else
			miss(op, r);
	} else if (flags & HF_ACK) { /* second */
		listen_ack(op, r);
	} else { /* third, check for a SYN */
		listen_syn(op, r);
	}
}
