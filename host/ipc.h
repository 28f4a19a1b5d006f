/* SPDX-License-Identifier: Apache-2.0
 * ipc.h - what libhandfast and handfastd say to each other. Not an interface for others: both come from one tree, and a client of
 * another IPC_VERSION is refused.
 *
 * Two kinds of SOCK_SEQPACKET unix sockets, one struct per packet, native byte order:
 *
 *   the daemon's socket   client: struct ipc_request (one at a time, each answered by one struct ipc_reply). Of a connection that is
 *                         hung up before the reply, nothing is left: a CONNECT runs to its end, then its socket is reset
 *   a listener's channel  the other end of the descriptor that comes with the reply to LISTEN. Daemon: struct ipc_connection, each with
 *                         one descriptor. Client: struct ipc_answer to each. The daemon keeps its copy of the descriptor until
 *                         IPC_TAKEN; IPC_AGAIN says that the descriptor was lost on the way (MSG_CTRUNC: the client has no
 *                         number free), and it is sent again after a while. At most IPC_WINDOW are unanswered. IPC_OPTION, at any time:
 *                         setsockopt(2) on the socket that went with LISTEN. When the client
 *                         hangs up, the peers of those get a RST, and so do those of the queue when it was the listener's last client
 *
 * The parsers take any octets and read none beyond `len`.
 *
 * Threads: any; a packet is sent and received whole. Fork: an end of a socket is good in both processes, a packet goes to one of them.
 * Blocks: no; -EAGAIN. Errors: library.h. */
#ifndef HANDFAST_IPC_H
#define HANDFAST_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

#define IPC_PATH       "/run/handfast/handfast.sock"
#define IPC_MAGIC      0x48464431u /* "HFD1" */
#define IPC_VERSION    2
#define IPC_WINDOW     16
#define IPC_TEXT_BYTES 192
#define IPC_STATS_MAX  256

enum ipc_type {
	IPC_HELLO = 1, /* may I at all? */
	IPC_LISTEN,    /* local, backlog; with a descriptor: the program's own listening socket, accepted from too */
	IPC_CONNECT,   /* local (family AF_UNSPEC: any), remote, timeout_ms. The reply carries the socket */
	IPC_CLOSE,     /* with a socket, to be closed by the board */
	IPC_STATS,     /* counters */
	IPC_TYPES,

	IPC_CONNECTION = 64, /* on a channel */
	IPC_TAKEN,
	IPC_AGAIN,
	IPC_OPTION,
};

struct ipc_address {
	uint16_t family; /* AF_INET, AF_INET6, or AF_UNSPEC: none */
	uint16_t port;	 /* host order */
	uint32_t scope;
	uint8_t octets[16];
};

struct ipc_request {
	uint32_t magic;
	uint16_t version, type;
	struct ipc_address local, remote;
	int32_t backlog, timeout_ms;
};

struct ipc_reply {
	uint32_t magic;
	uint16_t version, type;
	int32_t result; /* 0 or positive, or -errno */
	uint32_t stats; /* values that follow */
	char text[IPC_TEXT_BYTES];
	uint64_t stat[IPC_STATS_MAX]; /* only `stats` of them are sent */
};

struct ipc_connection {
	uint32_t magic;
	uint16_t version, type;
	uint64_t number;
	struct ipc_address local, remote;
};

struct ipc_answer {
	uint32_t magic;
	uint16_t version, type;
	uint64_t number;
};

/* What setsockopt(2) is told; a packet of this whole length. */
struct ipc_option {
	uint32_t magic;
	uint16_t version, type;
	int32_t level, option;
	uint32_t length;
	uint8_t value[16]; /* `length` of them, the others 0 */
};

/* Is it one that any process may set, that sockets inherit from their listener, of that length? */
bool ipc_option_ok(int level, int option, size_t length);
/* Returns 0 or -EBADMSG. */
int ipc_parse_option(const void *packet, size_t len, struct ipc_option *option);

void ipc_put_address(const union address *from, struct ipc_address *to);
/* Returns 0, or -EAFNOSUPPORT. */
int ipc_get_address(const struct ipc_address *from, union address *to);

/* A request, checked as far as it can be by itself. Returns 0, or
 *   -EPROTONOSUPPORT  another version
 *   -EBADMSG          not one of ours, another length, an unknown type
 *   -EINVAL           a field out of range, or with another number of descriptors than its type has
 *   -EAFNOSUPPORT     an address that is neither IPv4 nor IPv6 */
struct ipc_order {
	enum ipc_type type;
	union address local, remote; /* sa_family AF_UNSPEC: none */
	int backlog, timeout_ms;
};
int ipc_parse_request(const void *packet, size_t len, unsigned descriptors, struct ipc_order *order);

/* An answer on a channel. Returns 0 or -EBADMSG. */
int ipc_parse_answer(const void *packet, size_t len, struct ipc_answer *answer);
/* What the daemon says; for the client. Returns 0 or -EPROTO. */
int ipc_parse_reply(const void *packet, size_t len, enum ipc_type type, struct ipc_reply *reply);
int ipc_parse_connection(const void *packet, size_t len, struct ipc_connection *connection);

/* The daemon's end of a channel has an abstract name that says what listens, so that whoever has the other end, by fork() or exec(), can
 * tell. `tag` makes it unique. Returns the length for bind(2). */
struct sockaddr_un;
socklen_t ipc_channel_name(const union address *local, uint64_t tag, struct sockaddr_un *name);
bool ipc_read_channel_name(const struct sockaddr_un *name, socklen_t len, union address *local);

/* Send a packet, with a descriptor if fd >= 0. Returns 0, -EAGAIN (no room now), -EPIPE (hung up) or -errno. */
int ipc_send(int sock, const void *packet, size_t len, int fd);
/* Send connections, each with its descriptor, IPC_WINDOW at most. Returns how many went out, at least 1, or as ipc_send() of the first. */
int ipc_send_connections(int sock, const struct ipc_connection *connection, const int *fd, unsigned count);
/* Receive one, and at most one descriptor into *fd (-1: none came; more are closed).
 *   lost  a descriptor came that this process has no number for
 * Does not wait. Returns the octets, 0 when the other side has hung up, -EAGAIN, or -errno. */
int ipc_receive(int sock, void *packet, size_t cap, int *fd, bool *lost);

#endif
