/* SPDX-License-Identifier: Apache-2.0
 * endpoint.c - a small end of a TCP connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../regs/regs.h"
#include "endpoint.h"

enum { WINDOW = 64000, MSS = 1460, WSCALE = 7, RTO_MS = 1000, TS_OCTETS = 12, FRAME_MAX = 1514 };

/* a < b modulo 2^32 */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static void send_segment(
	struct endpoint *e, uint16_t flags, uint32_t seq, const uint8_t *text, size_t len, uint64_t now_ms)
{
	uint8_t frame[FRAME_MAX];
	struct packet p = { .src_addr = e->local_addr,
		.dst_addr = e->remote_addr,
		.src_port = e->local_port,
		.dst_port = e->remote_port,
		.seq = seq,
		.ack = flags & HF_ACK ? e->rcv_nxt : 0,
		.flags = flags,
		.wnd = flags & HF_SYN ? WINDOW : WINDOW >> e->rcv_wscale,
		.text = text,
		.text_len = len,
		.mss_ok = flags & HF_SYN,
		.mss = MSS,
		.sack_ok = flags & HF_SYN,
		.ws_ok = flags & HF_SYN,
		.ws = WSCALE,
		.ts_ok = flags & HF_SYN || e->ts_ok,
		.tsval = (uint32_t)now_ms + e->ts_offset,
		.tsecr = e->ts_recent };

	memcpy(p.dst_mac, e->remote_mac, 6);
	memcpy(p.src_mac, e->local_mac, 6);
	len = packet_build(&p, frame, sizeof(frame));
	if (len)
		e->emit(e->ctx, frame, len);
}

/* The sequence number behind everything there is to send: text, and the FIN. */
static uint32_t end_of_text(const struct endpoint *e)
{
	return e->iss + 1 + (uint32_t)e->text_len;
}

/* Send what the window has room for, from SND.NXT on. Returns whether anything was sent. */
static bool output(struct endpoint *e, uint64_t now_ms)
{
	uint32_t end = end_of_text(e), limit = e->snd_una + e->snd_wnd;
	size_t most = e->mss - (e->ts_ok ? TS_OCTETS : 0u), len;
	bool sent = false;
	uint16_t flags;

	while (e->established && before(e->snd_nxt, end + e->fin_wanted)) {
		len = end - e->snd_nxt;
		if (len > most)
			len = most;
		if (before(limit, e->snd_nxt + (uint32_t)len))
			break;
		flags = HF_ACK | (len ? HF_PSH : 0);
		if (e->fin_wanted && e->snd_nxt + len == end)
			flags |= HF_FIN;
		if (e->snd_nxt == e->snd_una)
			e->sent_ms = now_ms;
		send_segment(e, flags, e->snd_nxt, e->text + (e->snd_nxt - e->iss - 1), len, now_ms);
		e->snd_nxt += (uint32_t)len + (flags & HF_FIN ? 1 : 0);
		sent = true;
	}
	return sent;
}

void endpoint_connect(struct endpoint *e, uint64_t now_ms)
{
	e->mss = 536;
	e->snd_una = e->iss;
	e->snd_nxt = e->iss + 1;
	e->sent_ms = now_ms;
	send_segment(e, HF_SYN, e->iss, NULL, 0, now_ms);
}

int endpoint_send(struct endpoint *e, const void *text, size_t len, bool fin, uint64_t now_ms)
{
	e->text = malloc(len ? len : 1);
	if (!e->text)
		return -ENOMEM;
	if (len)
		memcpy(e->text, text, len);
	e->text_len = len;
	e->fin_wanted = fin;
	output(e, now_ms);
	return 0;
}

void endpoint_finish(struct endpoint *e, uint64_t now_ms)
{
	e->fin_wanted = true;
	output(e, now_ms);
}

/* The SYN-ACK of an active open. */
static void input_syn_sent(struct endpoint *e, const struct packet *p, uint64_t now_ms)
{
	if ((p->flags & HF_ACK) && p->ack != e->snd_nxt)
		return;
	if (p->flags & HF_RST) {
		e->failed = p->flags & HF_ACK;
		return;
	}
	if ((p->flags & (HF_SYN | HF_ACK)) != (HF_SYN | HF_ACK))
		return;
	e->established = true;
	e->retries = 0;
	e->snd_una = p->ack;
	e->rcv_nxt = p->seq + 1;
	e->snd_wnd = p->wnd;
	if (p->mss_ok)
		e->mss = p->mss < MSS ? p->mss : MSS;
	e->snd_wscale = p->ws_ok ? p->ws : 0;
	e->rcv_wscale = p->ws_ok ? WSCALE : 0;
	e->ts_ok = p->ts_ok;
	e->ts_recent = p->tsval;
	send_segment(e, HF_ACK, e->snd_nxt, NULL, 0, now_ms);
	output(e, now_ms);
}

void endpoint_input(struct endpoint *e, const struct packet *p, uint64_t now_ms)
{
	uint32_t seq = p->seq, skip;
	uint8_t *more;
	bool answer = false;

	if (!e->established) {
		input_syn_sent(e, p, now_ms);
		return;
	}
	if (p->flags & HF_RST) {
		e->failed = seq == e->rcv_nxt;
		return;
	}
	if (p->flags & HF_SYN) { /* our ACK was lost */
		send_segment(e, HF_ACK, e->snd_nxt, NULL, 0, now_ms);
		return;
	}
	if (!(p->flags & HF_ACK) || before(end_of_text(e) + e->fin_wanted, p->ack))
		return;
	if (e->ts_ok && p->ts_ok && !before(e->rcv_nxt, seq))
		e->ts_recent = p->tsval;
	if (before(e->snd_una, p->ack)) {
		e->snd_una = p->ack;
		if (before(e->snd_nxt, p->ack)) /* after endpoint_tick() went back */
			e->snd_nxt = p->ack;
		e->sent_ms = now_ms;
		e->retries = 0;
	}
	e->snd_wnd = (uint32_t)p->wnd << e->snd_wscale;
	skip = e->rcv_nxt - seq; /* what came before; huge when the segment begins beyond RCV.NXT */
	if (p->text_len || p->flags & HF_FIN) {
		answer = true;
		if (skip <= p->text_len && !e->fin_received &&
			e->received_len + p->text_len - skip <= ENDPOINT_TEXT_MAX) {
			more = realloc(e->received, e->received_len + p->text_len - skip + 1);
			if (more) {
				e->received = more;
				memcpy(more + e->received_len, p->text + skip, p->text_len - skip);
				e->received_len += p->text_len - skip;
				e->rcv_nxt += (uint32_t)p->text_len - skip;
				e->fin_received = p->flags & HF_FIN;
				e->rcv_nxt += e->fin_received;
			}
		}
	}
	if (!output(e, now_ms) && answer)
		send_segment(e, HF_ACK, e->snd_nxt, NULL, 0, now_ms);
}

void endpoint_tick(struct endpoint *e, uint64_t now_ms)
{
	if (e->snd_una == e->snd_nxt || now_ms - e->sent_ms < RTO_MS || e->failed)
		return;
	if (++e->retries > ENDPOINT_RETRIES) {
		e->failed = true;
		return;
	}
	e->sent_ms = now_ms;
	if (!e->established) {
		send_segment(e, HF_SYN, e->iss, NULL, 0, now_ms);
		return;
	}
	e->snd_nxt = e->snd_una;
	output(e, now_ms);
}

bool endpoint_done(const struct endpoint *e)
{
	return e->fin_wanted && e->fin_received && e->snd_una == end_of_text(e) + 1;
}

void endpoint_free(struct endpoint *e)
{
	free(e->text);
	free(e->received);
	e->text = e->received = NULL;
}
