/* SPDX-License-Identifier: Apache-2.0 */
#include "support_peer.h"

#include <string.h>

#include "support_bench.h"

enum { WINDOW = 64000, WSCALE = 5, MSS = 1460 };

/* a < b modulo 2^32 */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

uint8_t peer_octet(uint16_t port, size_t i)
{
	return (uint8_t)(port * 31 + i * 7);
}

static void send_segment(struct tcp_peer *p, uint16_t flags, uint32_t seq, size_t len, uint64_t now_ms)
{
	uint8_t frame[SIM_FRAME_MAX], text[PEER_TEXT_MAX];
	bool syn = flags & HF_SYN;
	struct packet seg = {
		.src_addr = p->local_addr,
		.dst_addr = p->remote_addr,
		.src_port = p->local_port,
		.dst_port = p->remote_port,
		.seq = seq,
		.ack = flags & HF_ACK ? p->rcv_nxt : 0,
		.flags = flags,
		.wnd = (uint16_t)(syn || !p->ws_ok ? WINDOW : WINDOW >> WSCALE),
		.text = text,
		.text_len = len,
		.mss_ok = syn,
		.mss = MSS,
		.sack_ok = syn && p->sack_wanted,
		.ws_ok = syn && (flags & HF_ACK ? p->ws_ok : p->ws_wanted),
		.ws = WSCALE,
		.ts_ok = syn && !(flags & HF_ACK) ? p->ts_wanted : p->ts_ok,
		.tsval = (uint32_t)now_ms + p->ts_offset,
		.tsecr = flags & HF_ACK ? p->ts_recent : 0,
	};

	for (size_t i = 0; i < len; i++)
		text[i] = peer_octet(p->local_port, seq - p->text_seq + i);
	memcpy(seg.dst_mac, p->remote_mac, 6);
	memcpy(seg.src_mac, p->local_mac, 6);
	p->sent++;
	p->emit(p->ctx, frame, packet_build(&seg, frame, sizeof(frame)));
}

static void ack(struct tcp_peer *p, uint64_t now_ms)
{
	send_segment(p, HF_ACK, p->snd_nxt, 0, now_ms);
}

static void end(struct tcp_peer *p, enum peer_end how)
{
	p->end = how;
	p->end_from = p->state;
	p->state = HF_STATE_CLOSED;
	p->timer_ms = p->give_up_ms = 0;
}

static void start_timer(struct tcp_peer *p, uint64_t now_ms, uint64_t give_up)
{
	p->retries = 0;
	p->timer_ms = now_ms + PEER_RTO_MS;
	p->give_up_ms = now_ms + give_up;
}

static bool established(const struct tcp_peer *p)
{
	return p->state >= HF_STATE_ESTABLISHED && p->state != HF_STATE_TIME_WAIT;
}

/* Send what is there from SND.NXT on: text, and the FIN behind it. */
static void output(struct tcp_peer *p, uint64_t now_ms)
{
	uint32_t text_end = p->text_seq + (uint32_t)p->text_len;
	size_t len;
	bool fin, idle = p->snd_una == p->snd_nxt;

	if ((p->state != HF_STATE_ESTABLISHED && p->state != HF_STATE_CLOSE_WAIT) || p->fin_sent)
		return;
	len = before(p->snd_nxt, text_end) ? text_end - p->snd_nxt : 0;
	fin = p->fin_wanted;
	if (!len && !fin)
		return;
	send_segment(p, HF_ACK | (fin ? HF_FIN : 0) | (len ? HF_PSH : 0), p->snd_nxt, len, now_ms);
	p->snd_nxt += (uint32_t)len + fin;
	if (fin) {
		p->fin_sent = true;
		p->state = p->state == HF_STATE_ESTABLISHED ? HF_STATE_FIN_WAIT_1 : HF_STATE_LAST_ACK;
	}
	if (idle)
		start_timer(p, now_ms, PEER_GIVE_UP_MS);
}

void peer_connect(struct tcp_peer *p, uint64_t now_ms)
{
	p->state = HF_STATE_SYN_SENT;
	p->snd_una = p->iss;
	p->snd_nxt = p->iss + 1;
	p->text_seq = p->iss + 1;
	send_segment(p, HF_SYN, p->iss, 0, now_ms);
	start_timer(p, now_ms, PEER_SYN_GIVE_UP_MS);
}

void peer_listen(struct tcp_peer *p)
{
	p->state = HF_STATE_LISTEN;
	p->passive = true;
}

void peer_adopt(struct tcp_peer *p, const uint8_t *event, uint64_t now_ms)
{
	unsigned options = (unsigned)MSG_GET(event, EVENT, options);

	p->state = HF_STATE_ESTABLISHED;
	p->snd_una = (uint32_t)MSG_GET(event, EVENT, snd_una);
	p->snd_nxt = p->text_seq = (uint32_t)MSG_GET(event, EVENT, snd_nxt);
	p->rcv_nxt = (uint32_t)MSG_GET(event, EVENT, rcv_nxt);
	p->irs = (uint32_t)MSG_GET(event, EVENT, irs);
	p->ts_ok = options & 2;
	p->ts_recent = (uint32_t)MSG_GET(event, EVENT, ts_recent);
	p->ts_offset = (uint32_t)(MSG_GET(event, EVENT, ts_offset) + MSG_GET(event, EVENT, now_ms) - now_ms);
}

void peer_send(struct tcp_peer *p, size_t len, uint64_t now_ms)
{
	p->text_len = len;
	output(p, now_ms);
}

void peer_close(struct tcp_peer *p, uint64_t now_ms)
{
	p->fin_wanted = true;
	output(p, now_ms);
}

bool peer_idle(const struct tcp_peer *p)
{
	return p->snd_una == p->snd_nxt && p->snd_nxt - p->text_seq >= p->text_len;
}

/* What a SYN says, of either kind. */
static void take_syn(struct tcp_peer *p, const struct packet *seg)
{
	p->irs = seg->seq;
	p->rcv_nxt = seg->seq + 1;
	p->ts_ok = p->ts_wanted && seg->ts_ok;
	p->ws_ok = p->ws_wanted && seg->ws_ok;
	p->ts_recent = seg->ts_ok ? seg->tsval : 0;
}

static void reset(struct tcp_peer *p, const struct packet *seg)
{
	peer_refuse(seg, p->emit, p->ctx);
}

static void become_established(struct tcp_peer *p, uint32_t seg_ack)
{
	p->snd_una = seg_ack;
	p->timer_ms = p->give_up_ms = 0;
	p->state = HF_STATE_ESTABLISHED;
}

/* RFC 9293 3.10.7.2 */
static void in_listen(struct tcp_peer *p, const struct packet *seg, uint64_t now_ms)
{
	if (seg->flags & HF_RST)
		return;
	if (seg->flags & HF_ACK) {
		reset(p, seg);
		return;
	}
	if (!(seg->flags & HF_SYN))
		return;
	take_syn(p, seg);
	p->state = HF_STATE_SYN_RECEIVED;
	p->snd_una = p->iss;
	p->snd_nxt = p->text_seq = p->iss + 1;
	send_segment(p, HF_SYN | HF_ACK, p->iss, 0, now_ms);
	start_timer(p, now_ms, PEER_SYN_GIVE_UP_MS);
}

/* RFC 9293 3.10.7.3 */
static void in_syn_sent(struct tcp_peer *p, const struct packet *seg, uint64_t now_ms)
{
	bool acked = seg->flags & HF_ACK && seg->ack == p->snd_nxt;

	if (seg->flags & HF_ACK && !acked) {
		if (!(seg->flags & HF_RST))
			reset(p, seg);
		return;
	}
	if (seg->flags & HF_RST) {
		if (acked)
			end(p, PEER_REFUSED);
		return;
	}
	if (!(seg->flags & HF_SYN))
		return;
	take_syn(p, seg);
	if (acked) {
		become_established(p, seg->ack);
		ack(p, now_ms);
		output(p, now_ms);
		return;
	}
	p->state = HF_STATE_SYN_RECEIVED;
	send_segment(p, HF_SYN | HF_ACK, p->iss, 0, now_ms);
}

static bool acceptable(const struct tcp_peer *p, uint32_t seq, size_t len)
{
	return seq - p->rcv_nxt < WINDOW || (len && seq + (uint32_t)len - 1 - p->rcv_nxt < WINDOW);
}

static void enter_time_wait(struct tcp_peer *p, uint64_t now_ms)
{
	p->state = HF_STATE_TIME_WAIT;
	p->timer_ms = now_ms + p->time_wait_ms;
	p->give_up_ms = 0;
}

/* The ACK field: false when the segment ends here. */
static bool take_ack(struct tcp_peer *p, const struct packet *seg, uint64_t now_ms)
{
	if (p->state == HF_STATE_SYN_RECEIVED) {
		if (!before(p->snd_una, seg->ack) || before(p->snd_nxt, seg->ack)) {
			reset(p, seg);
			return false;
		}
		become_established(p, seg->ack);
	}
	if (before(p->snd_nxt, seg->ack)) {
		ack(p, now_ms);
		return false;
	}
	if (before(p->snd_una, seg->ack)) {
		p->snd_una = seg->ack;
		if (p->snd_una == p->snd_nxt)
			p->timer_ms = p->state == HF_STATE_TIME_WAIT ? p->timer_ms : 0;
		else
			start_timer(p, now_ms, PEER_GIVE_UP_MS);
	}
	if (!p->fin_sent || p->snd_una != p->snd_nxt)
		return true;
	if (p->state == HF_STATE_FIN_WAIT_1)
		p->state = HF_STATE_FIN_WAIT_2;
	else if (p->state == HF_STATE_CLOSING)
		enter_time_wait(p, now_ms);
	else if (p->state == HF_STATE_LAST_ACK)
		end(p, PEER_CLOSED);
	return p->state != HF_STATE_CLOSED;
}

static bool take_text(struct tcp_peer *p, const struct packet *seg, uint64_t now_ms)
{
	uint32_t skip = p->rcv_nxt - seg->seq;
	bool right = true;

	if (!seg->text_len && !(seg->flags & HF_FIN))
		return true;
	if (skip <= seg->text_len && !p->fin_received) {
		for (size_t i = skip; i < seg->text_len; i++)
			right &= seg->text[i] == peer_octet(p->remote_port, p->received + i - skip);
		p->received += seg->text_len - skip;
		p->rcv_nxt += (uint32_t)(seg->text_len - skip);
		if (seg->flags & HF_FIN) {
			p->fin_received = true;
			p->rcv_nxt++;
			if (p->state == HF_STATE_ESTABLISHED)
				p->state = HF_STATE_CLOSE_WAIT;
			else if (p->state == HF_STATE_FIN_WAIT_1)
				p->state = HF_STATE_CLOSING;
			else if (p->state == HF_STATE_FIN_WAIT_2)
				enter_time_wait(p, now_ms);
		}
	}
	ack(p, now_ms);
	return right;
}

/* RFC 9293 3.10.7.4 */
static bool in_synchronized(struct tcp_peer *p, const struct packet *seg, uint64_t now_ms)
{
	size_t len = seg->text_len + (seg->flags & HF_SYN ? 1 : 0) + (seg->flags & HF_FIN ? 1 : 0);
	bool right;

	/* A.2: the SYN-ACK of a peer that opened at the same time has our SYN acknowledged, and its own number again. */
	if (p->state == HF_STATE_SYN_RECEIVED && !p->passive &&
		(seg->flags & (HF_SYN | HF_ACK | HF_RST)) == (HF_SYN | HF_ACK) && seg->seq == p->irs &&
		seg->ack == p->snd_nxt) {
		become_established(p, seg->ack);
		ack(p, now_ms);
		output(p, now_ms);
		return true;
	}
	if (p->ts_ok && seg->ts_ok && !(seg->flags & HF_RST) && before(seg->tsval, p->ts_recent)) {
		ack(p, now_ms);
		return true;
	}
	if (!acceptable(p, seg->seq, len)) {
		if (seg->flags & HF_RST)
			return true;
		if (p->state == HF_STATE_TIME_WAIT && seg->flags & HF_FIN)
			p->timer_ms = now_ms + p->time_wait_ms;
		ack(p, now_ms);
		return true;
	}
	if (seg->flags & HF_RST) {
		/* RFC 1337 F1: our ACK of an old FIN found no connection there any more; that is no reason to forget ours. */
		if (p->state == HF_STATE_TIME_WAIT)
			return true;
		if (seg->seq != p->rcv_nxt)
			ack(p, now_ms);
		else
			end(p, p->state == HF_STATE_SYN_RECEIVED ? PEER_REFUSED : PEER_RESET);
		return true;
	}
	if (seg->flags & HF_SYN) {
		ack(p, now_ms);
		return true;
	}
	if (!(seg->flags & HF_ACK))
		return true;
	if (p->ts_ok && seg->ts_ok && !before(p->rcv_nxt, seg->seq))
		p->ts_recent = seg->tsval;
	if (!take_ack(p, seg, now_ms))
		return true;
	right = take_text(p, seg, now_ms);
	output(p, now_ms);
	return right;
}

bool peer_input(struct tcp_peer *p, const struct packet *seg, uint64_t now_ms)
{
	switch (p->state) {
	case HF_STATE_CLOSED:
		reset(p, seg);
		return true;
	case HF_STATE_LISTEN:
		in_listen(p, seg, now_ms);
		return true;
	case HF_STATE_SYN_SENT:
		in_syn_sent(p, seg, now_ms);
		return true;
	default:
		return in_synchronized(p, seg, now_ms);
	}
}

void peer_tick(struct tcp_peer *p, uint64_t now_ms)
{
	uint64_t rto;

	if (!p->timer_ms || now_ms < p->timer_ms)
		return;
	if (p->state == HF_STATE_TIME_WAIT) {
		end(p, PEER_CLOSED);
		return;
	}
	if (p->give_up_ms && now_ms >= p->give_up_ms) {
		end(p, PEER_TIMED_OUT);
		return;
	}
	p->retries++;
	p->resent++;
	rto = (uint64_t)PEER_RTO_MS << (p->retries < 16 ? p->retries : 16);
	p->timer_ms = now_ms + (rto < PEER_RTO_MAX_MS ? rto : PEER_RTO_MAX_MS);
	if (p->give_up_ms && p->timer_ms > p->give_up_ms)
		p->timer_ms = p->give_up_ms;
	if (p->state == HF_STATE_SYN_SENT)
		send_segment(p, HF_SYN, p->iss, 0, now_ms);
	else if (p->state == HF_STATE_SYN_RECEIVED)
		send_segment(p, HF_SYN | HF_ACK, p->iss, 0, now_ms);
	else if (established(p) && p->snd_una != p->snd_nxt)
		send_segment(p, HF_ACK | (p->fin_sent ? HF_FIN : 0), p->snd_una, p->snd_nxt - p->snd_una - p->fin_sent,
			now_ms);
	else
		p->timer_ms = 0;
}

uint64_t peer_next_ms(const struct tcp_peer *p)
{
	return p->timer_ms ? p->timer_ms : UINT64_MAX;
}

void peer_refuse(const struct packet *seg, void (*emit)(void *ctx, const uint8_t *frame, size_t len), void *ctx)
{
	uint8_t frame[PACKET_MIN_FRAME];
	struct packet rst = { .src_addr = seg->dst_addr,
		.dst_addr = seg->src_addr,
		.src_port = seg->dst_port,
		.dst_port = seg->src_port };

	if (seg->flags & HF_RST)
		return;
	rst.flags = seg->flags & HF_ACK ? HF_RST : HF_RST | HF_ACK;
	rst.seq = seg->flags & HF_ACK ? seg->ack : 0;
	rst.ack = seg->flags & HF_ACK ? 0
				      : seg->seq + (uint32_t)seg->text_len + (seg->flags & HF_SYN ? 1 : 0) +
						(seg->flags & HF_FIN ? 1 : 0);
	memcpy(rst.dst_mac, seg->src_mac, 6);
	memcpy(rst.src_mac, seg->dst_mac, 6);
	emit(ctx, frame, packet_build(&rst, frame, sizeof(frame)));
}

bool peer_intact(const uint8_t *frame, const struct packet *seg)
{
	const uint8_t *ip = frame + PACKET_ETH_HEADER, *tcp = ip + (ip[0] & 15) * 4;
	size_t len = (size_t)(seg->options - tcp) + seg->options_len + seg->text_len;

	return packet_fold(packet_sum(0, ip, (size_t)(tcp - ip))) == 0xffff &&
	       packet_fold(packet_sum(packet_pseudo_sum(seg->src_addr, seg->dst_addr, 6, len), tcp, len)) == 0xffff;
}
