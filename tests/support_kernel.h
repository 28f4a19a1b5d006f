/* SPDX-License-Identifier: Apache-2.0
 * support_kernel.h - the host's kernel behind a board: a process `handfast board` with the engine of the running suite,
 * libhandfast as its host, its TAP netdev hf0 with 192.0.2.2 (and 2001:db8::2) in a network namespace of the case's own,
 * a listener of the board on port 80. The test is the peer: it stands at the board's wire, 192.0.2.1 (2001:db8::1), and
 * answers ARP and neighbour solicitations for itself.
 *
 *   test ─ unix socket ─ board (model, RTL or both) ─ unix socket ─ libhandfast ─ TAP hf0 ─ kernel */
#ifndef HANDFAST_TESTS_SUPPORT_KERNEL_H
#define HANDFAST_TESTS_SUPPORT_KERNEL_H

#include <pthread.h>
#include <sys/types.h>

#include "../host/handfast.h"
#include "../sim/packet.h"
#include "support_bench.h"

struct kernel {
	struct hf_device *dev;
	struct hf_listener *listener;
	pid_t board;
	int wire, summary; /* what the board prints */
	char dir[32];
	uint8_t frame[SIM_FRAME_MAX]; /* that kernel_next() gave */
	size_t len;
	bool mute; /* do not answer ARP and neighbour solicitations, give them to the test */
	uint16_t pings;
};

/* What leads from the library to the board: "unix", "vfio-user" ... */
extern const char *kernel_transport;

/* Before the first case. Where no namespace may be made, kernel_open() will skip. */
void kernel_prepare(void);
/* NULL after bench_skip() or a failed check. */
struct kernel *kernel_open(void);
/* The same, and IPv6 on hf0. */
struct kernel *kernel_open6(void);
/* The board must end with exit code 0: no mismatch in lock step. */
void kernel_close(struct kernel *k);

/* A value below /proc/sys/net. */
void kernel_sysctl(const char *name, const char *value);
/* One more IPv4 address on hf0; a default route through `gateway`. */
void kernel_add_address(uint32_t addr);
void kernel_add_gateway(uint32_t gateway);
/* An entry of the kernel's neighbour table. */
struct neighbour {
	unsigned state;		    /* NUD_..., 0: no entry */
	uint64_t mac, confirmed_ms; /* confirmed so long ago */
};
/* `len` 4: IPv4, 16: IPv6 */
struct neighbour kernel_neighbour(const void *addr, size_t len);
/* A counter of hf_stats(). */
uint64_t kernel_stat(struct kernel *k, const char *name);

/* Give a frame to the wire, or a packet in a frame from the peer. */
void kernel_give(struct kernel *k, const uint8_t *frame, size_t len);
void kernel_packet(struct kernel *k, const uint8_t *ip, size_t len);
void kernel_segment(struct kernel *k, const struct segment *s);
/* An IPv6 packet from PEER6 to OUR6 with this next header; ICMPv6 gets its checksum. */
void kernel_packet6(struct kernel *k, unsigned next, const void *payload, size_t len);
size_t make_packet6(uint8_t *ip, const uint8_t *src, const uint8_t *dst, unsigned next, unsigned hops,
	const void *payload, size_t len);
/* Put the checksum into an ICMPv6 message behind the IPv6 header. */
void fix_icmp6(uint8_t *ip);

/* The next frame off the wire, in k->frame; false after a failed check when none comes. */
bool kernel_next(struct kernel *k);
/* It is a sound IPv4 TCP segment for the peer. */
bool kernel_next_tcp(struct kernel *k, struct packet *p);
/* It holds exactly this packet, from us to the peer, padded to 60 octets. */
void kernel_expect(struct kernel *k, const uint8_t *ip, size_t len);
/* Nothing comes: an ICMP echo request given now is answered first. Board, library and kernel keep the order of frames. */
void kernel_quiet(struct kernel *k);
void kernel_ping(struct kernel *k); /* such a request */
/* Take and forget what comes before the answer to such a request. */
void kernel_drain(struct kernel *k);

/* A connection to port 80 that the board has made and the kernel owns. */
struct conn {
	struct kernel *k;
	uint16_t port, our_port;
	uint32_t seq, ack; /* what the peer sends next, and what it awaits: as SEG.SEQ and SEG.ACK */
	bool ts;
	uint32_t tsval, tsecr; /* tsval: of the peer's next segment; tsecr: our last TSval */
	uint16_t syn_ack_mss;
	int fd; /* the kernel's socket */
};

/* The peer opens with these options (options_build()'s words, ts as "ts"); false after a failed check. */
bool conn_open(struct conn *c, struct kernel *k, uint16_t port, const char *opts);
/* A segment of the peer at seq and ack, which stay; text may be NULL. */
void conn_say_at(struct conn *c, const char *flags, uint32_t seq, uint32_t ack, const char *text);
/* The same at c->seq and c->ack, and on. */
void conn_say(struct conn *c, const char *flags, const char *text);
/* The next frame is a segment of this connection with these flags (PSH apart), SEQ = c->ack (and on), ACK = c->seq; timestamps as
 * negotiated, TSval not older than the one before. */
bool conn_hear(struct conn *c, const char *flags, struct packet *p);
/* read() from the socket gives this text, "" the end, or fails with `error`. Waits. */
void conn_reads(struct conn *c, const char *text);
void conn_fails(struct conn *c, int error);
/* The peer resets it, what is on the way is taken, the socket closed. */
void conn_close(struct conn *c);

/* hf_connect() in a thread. */
struct call {
	struct hf_device *dev;
	uint32_t remote;
	uint16_t port;
	int result;
	pthread_t thread;
};
void call_start(struct call *c, struct kernel *k, uint32_t remote, uint16_t port);
int call_end(struct call *c);

#endif
