/* SPDX-License-Identifier: Apache-2.0
 * handoff.h - an ESTABLISHED event becomes a connected kernel socket (TCP_REPAIR).
 *
 * Threads: any; sockets are made in the network namespace of the calling one. Fork, Blocks, Errors: library.h. */
#ifndef HANDFAST_HANDOFF_H
#define HANDFAST_HANDOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "frame.h"

#define HANDOFF_ACK_BYTES FRAME_SEGMENT_MAX

/* A connection as the event tells it; numbers in host order, addresses in network order. */
struct connection {
	uint32_t id;
	unsigned listener; /* index in the board's listen table */
	bool active;	   /* hf_connect() opened it */
	bool cookie;	   /* a SYN cookie: the board knew nothing of the peer but its ACK; id may be HF_NO_ID */
	union address local, remote;
	uint8_t remote_mac[6];
	struct vlan vlan;
	bool ws_ok, ts_ok, sack_ok, syn_lost;
	unsigned mss, snd_wscale, rcv_wscale;
	uint32_t snd_nxt, rcv_nxt, snd_una, snd_wnd, rcv_wnd;
	uint32_t ts_recent, tsval, tsecr; /* tsval: what our next segment says */
};

/* handoff_parse - read an EVENT message. Returns 0, or -EBADMSG if it is no ESTABLISHED event, its
 * addresses are not of one family, or a field cannot be. */
int handoff_parse(const uint8_t *msg, struct connection *c);

/* handoff_socket - make the kernel socket of a connection. Nothing is sent. The connection's frames must be
 * held until this returns.
 *
 *   fd  -1, or a socket that is bound to c->local already (handoff_reserve()); it is closed on failure
 *
 * Returns a connected, blocking, close-on-exec fd, or -errno and in *step what was being done:
 *   -EPERM          no CAP_NET_ADMIN
 *   -EEXIST         the kernel already has a socket on the same 4-tuple
 *   -EADDRNOTAVAIL  the local address is not this host's
 *   -ENETUNREACH    no route to the peer
 *   -EMFILE, -ENFILE, -ENOMEM, or another errno of the step */
int handoff_socket(const struct connection *c, int fd, const char **step);

/* handoff_reserve - a socket bound to *local, so that nobody else in this kernel gets its port; port 0 is filled in with a
 * random one of the kernel's ephemeral range (RFC 6056, algorithm 1).
 *
 * Returns an fd, or
 *   -EADDRINUSE     the port is taken; with port 0: so many were that none was found
 *   -EADDRNOTAVAIL  the address is not this host's
 *   -EACCES         a port that needs CAP_NET_BIND_SERVICE
 *   -EMFILE, -ENFILE, -ENOMEM, or another errno of socket(2) or bind(2) */
int handoff_reserve(union address *local);

/* handoff_replay - rebuild the peer's ACK that completed the handshake, for the kernel to see it once more: a
 * repaired socket learns TS.Recent from no option, only from a segment. `mac` is the host's.
 * Returns the length, at most HANDOFF_ACK_BYTES. */
unsigned handoff_replay(const struct connection *c, const uint8_t *mac, uint8_t *frame);

/* handoff_limits - what the kernel would advertise for a connection from `local`: the board must not promise more.
 *
 *   local, peer  of one family; peer: an address that is reached through the same netdev
 *   mss   the largest a peer may have
 *
 * Returns 0 and sets the window in octets (at most 65535: it stands unscaled in the SYN-ACK) and the shift, or -errno:
 * -EPERM without CAP_NET_ADMIN. */
int handoff_limits(
	const union address *local, const union address *peer, unsigned mss, uint32_t *rcv_wnd, unsigned *wscale);

#endif
