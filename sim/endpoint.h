/* SPDX-License-Identifier: Apache-2.0
 * endpoint.h - one end of one TCP connection, small: enough to ask for a page or to serve one where no kernel can be
 * the peer. It sends one text, receives one, and closes. Lost segments are sent again after a second; segments out of
 * order are dropped and come again. No congestion control: it is for a local wire. */
#ifndef HANDFAST_SIM_ENDPOINT_H
#define HANDFAST_SIM_ENDPOINT_H

#include "packet.h"

enum { ENDPOINT_TEXT_MAX = 1 << 20, ENDPOINT_RETRIES = 6 };

struct endpoint {
	uint8_t local_mac[6], remote_mac[6];
	uint32_t local_addr, remote_addr; /* first octet most significant */
	uint16_t local_port, remote_port;
	uint32_t iss, snd_una, snd_nxt, rcv_nxt, snd_wnd; /* snd_wnd in octets */
	uint16_t mss;
	uint8_t snd_wscale, rcv_wscale;
	bool ts_ok, established, failed;
	bool fin_wanted, fin_received; /* fin_wanted: a FIN follows the text */
	uint32_t ts_recent, ts_offset;
	uint8_t *text; /* to be sent; its first octet has the number iss + 1 */
	size_t text_len;
	uint8_t *received;
	size_t received_len;
	uint64_t sent_ms; /* when the oldest unacknowledged octet was last sent */
	unsigned retries;
	/* Sends a frame. */
	void (*emit)(void *ctx, const uint8_t *frame, size_t len);
	void *ctx;
};

/* Begin an active open: send the SYN. Addresses, ports, MACs, iss, emit and ctx are set by the caller, the rest is 0. */
void endpoint_connect(struct endpoint *e, uint64_t now_ms);

/* Give text to send (copied) and whether a FIN follows. Once per connection. Returns 0 or -ENOMEM. */
int endpoint_send(struct endpoint *e, const void *text, size_t len, bool fin, uint64_t now_ms);

/* Let a FIN follow the text given to endpoint_send(). */
void endpoint_finish(struct endpoint *e, uint64_t now_ms);

/* A segment of this connection arrived; its checksum was looked at by the caller. */
void endpoint_input(struct endpoint *e, const struct packet *p, uint64_t now_ms);

/* Send again what was not acknowledged for a second; after ENDPOINT_RETRIES `failed` is set. */
void endpoint_tick(struct endpoint *e, uint64_t now_ms);

/* Whether everything was sent and acknowledged, FIN included, and the peer's FIN came. */
bool endpoint_done(const struct endpoint *e);

void endpoint_free(struct endpoint *e);

#endif
