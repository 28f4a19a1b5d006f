/* SPDX-License-Identifier: Apache-2.0
 * support_peer.h - a whole TCP endpoint, small: all states of RFC 9293 3.10, open from either side or from both, close
 * from either side or from both, retransmission with back-off and give-up, timestamps with PAWS, challenge ACKs.
 * One short text each way; no windows (the texts are far below any), segments out of order are asked for again.
 * It stands for the peer on a wire that loses, doubles, overtakes and damages, and for the host's kernel behind
 * the engine. Written from the RFCs alone. */
#ifndef HANDFAST_TESTS_SUPPORT_PEER_H
#define HANDFAST_TESTS_SUPPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../regs/regs.h"
#include "../sim/packet.h"

enum peer_end { PEER_ALIVE, PEER_CLOSED, PEER_RESET, PEER_REFUSED, PEER_TIMED_OUT };

enum {
	PEER_RTO_MS = 1000,
	PEER_RTO_MAX_MS = 60000,
	PEER_SYN_GIVE_UP_MS = 180000, /* R2, RFC 9293 MUST-23 */
	PEER_GIVE_UP_MS = 100000,     /* R2, SHLD-11 */
	PEER_TEXT_MAX = 512,
};

struct tcp_peer {
	/* The caller's, before the open. */
	uint8_t local_mac[6], remote_mac[6];
	uint32_t local_addr, remote_addr; /* first octet most significant */
	uint16_t local_port, remote_port;
	uint32_t iss;
	bool ts_wanted, ws_wanted, sack_wanted;
	uint32_t ts_offset; /* TSval = now_ms + ts_offset */
	uint64_t time_wait_ms;
	void (*emit)(void *ctx, const uint8_t *frame, size_t len);
	void *ctx;

	enum hf_state state;
	enum peer_end end;	/* how it came to CLOSED */
	enum hf_state end_from; /* the state it came to CLOSED from */
	bool passive;
	uint32_t irs, snd_una, snd_nxt, rcv_nxt;
	bool ts_ok, ws_ok;
	uint32_t ts_recent;
	uint32_t text_seq; /* number of the text's first octet */
	size_t text_len, received;
	bool fin_wanted, fin_sent, fin_received;
	uint64_t timer_ms, give_up_ms; /* 0 = off */
	unsigned retries;
	uint64_t sent, resent;
};

void peer_connect(struct tcp_peer *p, uint64_t now_ms);
void peer_listen(struct tcp_peer *p);
/* Be the owner of a connection that an ESTABLISHED event tells of. */
void peer_adopt(struct tcp_peer *p, const uint8_t *event, uint64_t now_ms);
/* Send `len` octets; octet i is what peer_octet() says. Once per connection, at any time. */
void peer_send(struct tcp_peer *p, size_t len, uint64_t now_ms);
/* No more to send: FIN. */
void peer_close(struct tcp_peer *p, uint64_t now_ms);
/* A TCP segment that belongs to the connection arrived; the checksums were looked at by the caller. Returns false when
 * text came that is not peer_octet()'s. */
bool peer_input(struct tcp_peer *p, const struct packet *seg, uint64_t now_ms);
/* What is due is done. */
void peer_tick(struct tcp_peer *p, uint64_t now_ms);
/* When peer_tick() has something to do, UINT64_MAX = never. */
uint64_t peer_next_ms(const struct tcp_peer *p);
/* Everything sent was acknowledged. */
bool peer_idle(const struct tcp_peer *p);
/* Octet i of the text of the end with this port. */
uint8_t peer_octet(uint16_t port, size_t i);
/* The RST with which a host without the connection answers (RFC 9293 3.10.7.1); nothing for a RST. */
void peer_refuse(const struct packet *seg, void (*emit)(void *ctx, const uint8_t *frame, size_t len), void *ctx);
/* Both checksums of an IPv4/TCP frame are right. */
bool peer_intact(const uint8_t *frame, const struct packet *seg);

#endif
