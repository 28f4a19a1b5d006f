/* SPDX-License-Identifier: Apache-2.0
 * handfast.h - TCP connections whose handshake a board has made, as ordinary kernel sockets.
 *
 *	hf_open("unix:/run/board", &options, &dev);
 *	hf_listen(dev, address, length, 128, &listener);
 *	fd = hf_accept(listener, &peer, -1);		read, write, poll, close: a socket like any other
 *	hf_listener_close(listener);
 *	fd = hf_connect(dev, NULL, remote, length, 5000);	likewise, the other way
 *	hf_close_socket(dev, fd, HF_CLOSE_OFFLOAD);	instead of close(2): FIN and TIME-WAIT are the board's
 *	hf_close(dev);
 *
 *  wire ── board ── messages ── service thread ── TAP netdev "hf0" ── kernel TCP ── fd
 *                                     │                                             │
 *                                     └── ESTABLISHED ── TCP_REPAIR ── accept queue ┘
 *
 * Each open device has one thread of the library's own. It owns the transport and the TAP netdev, moves frames
 * between them, makes a kernel socket of each connection the board reports (at once, whether or not somebody
 * waits in hf_accept(), so that early data is acknowledged), tells the board when the kernel has destroyed
 * such a socket, and keeps the board's heartbeat going. It blocks all signals.
 *
 * Threads: any, several at once; only the call that closes a device or a listener must be the last one on it.
 * Fork: all file descriptors close at exec. The child has no service thread: it must not use device or listener, and holds the
 *   netdev until it ends or execs. Connections are ordinary sockets, good in both processes. With a daemon, below, all is.
 * Blocks: only as a function says. Every wait ends: with the timeout given, or with -ENODEV when the board goes away.
 * Errors: 0 or a positive value on success, -errno on failure; errno itself says nothing. The library never prints and never exits.
 *
 * Addresses in sockaddr are in network byte order, as always.
 *
 * Needs CAP_NET_ADMIN in the network namespace of the thread that calls hf_open(); sockets and the TAP netdev
 * are made there.
 *
 * Or, with hf_open("daemon:/run/handfast/handfast.sock", NULL, &dev), all that is handfastd's: it owns the board, this process needs no
 * privilege but the daemon's permission (its config), and there is no thread. The functions are the same. Then device and
 * listener stay good after fork(), in both processes: each connection goes to one of them. */
#ifndef HANDFAST_H
#define HANDFAST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_API __attribute__((visibility("default")))

#define HF_BACKLOG_MAX 65535

struct hf_device;
struct hf_listener;

/* How to set up the host's end; fields that are 0 or NULL take the default. */
struct hf_options {
	/* "192.0.2.2/24, 2001:db8::2/64": up to 4 IPv4 and 2 IPv6 addresses of the TAP, also the board's. No default */
	const char *address;
	const char *tap;    /* name of the TAP netdev; "hf0" */
	const char *mac;    /* "02:00:00:00:00:01": MAC of TAP and board; a random one */
	unsigned mtu;	    /* bytes, 68 to MAX_FRAME of the board - 22; the smaller of 1500 and that */
	unsigned half_open; /* unfinished handshakes each listener may hold in the board; half its table */
	unsigned hello_ms;  /* how long to wait for the board's first message; 2000 */
};

/* hf_open - take over a board and make its TAP netdev.
 *
 *   uri      "unix:PATH": a board process that listens at PATH; "pci:0000:01:00.0": a card (docs/pcie.md);
 *            "vfio-user:PATH": a simulated one; "usb:", "usb:SERIAL", "uart:DEVICE[:BAUD]": a board on a cable
 *            (docs/usb.md). "daemon:PATH": handfastd's socket
 *   options  read during the call only; not needed with a daemon
 *
 * Checks the board's version, creates and configures the TAP netdev (it exists until hf_close()), loads
 * fresh random keys, and starts the engine and the service thread.
 *
 * Returns 0 and sets *dev, or
 *   -EINVAL        uri, address, name, MAC or MTU makes no sense
 *   -ENOENT, -ECONNREFUSED, -EPROTOTYPE, -ENAMETOOLONG  no board listens at PATH; as connect(2)
 *   -EPROTO        what listens there is no board, or one of another version
 *   -ETIMEDOUT     the board did not say HELLO, or did not answer a register access within 100 ms
 *   -ENODEV        the board hung up
 *   -ECONNRESET    the board was reset while it was being set up
 *   -EPERM         no CAP_NET_ADMIN, or /dev/net/tun may not be opened
 *   -EBUSY         the TAP netdev is in use
 *   -EEXIST        a netdev of that name exists and is no TAP
 *   -ENXIO, -EACCES, -EBADMSG  the board refused a register it should have
 *   -ENOMEM, -EMFILE, -ENFILE, and -errno of the call that configured the TAP netdev
 * and with a daemon
 *   -ENOENT, -ECONNREFUSED  none listens at PATH;  -EACCES, -EPERM  it does not let this process;  -EPROTONOSUPPORT  one of another version
 * After a failure nothing is left behind, and hf_error(NULL) says what failed, in the same thread. */
HF_API int hf_open(const char *uri, const struct hf_options *options, struct hf_device **dev);

/* hf_close - close all listeners, switch the engine off, release its entries, remove the TAP netdev.
 *
 * Connections that were accepted stay open as file descriptors, but their wire is gone: they time out.
 * Waits in hf_accept() end with -EBADF. Blocks at most about two seconds, when the board does
 * not answer. NULL is allowed. The listeners of the device are freed with it. */
HF_API void hf_close(struct hf_device *dev);

/* hf_listen - accept connections on a local address and port.
 *
 *   local    struct sockaddr_in or sockaddr_in6; the any-address takes every address of the board of that family (an IPv6
 *            listener takes no IPv4). Port 1 to 65535
 *   backlog  established connections held until hf_accept() takes them, 1 to HF_BACKLOG_MAX; one that
 *            finds the queue full is reset (host counter accept_overflow)
 *
 * Returns 0 and sets *listener, or
 *   -EADDRINUSE    address and port already have a listener
 *   -ENOSPC        the board's listen table is full
 *   -EAFNOSUPPORT  neither IPv4 nor IPv6
 *   -EINVAL        port 0, backlog out of range, or an address too short
 *   -ETIMEDOUT     the board did not answer within 100 ms; no slot is taken
 *   -ECONNRESET    the board was reset meanwhile; try again
 *   -ENXIO, -EACCES, -EBADMSG  the board refused a register it should have
 *   -ENODEV        the board is gone; -EPROTO: it came back as another version
 *   -ENOMEM, -EMFILE, -ENFILE
 *
 * Does not wait for the network. */
HF_API int hf_listen(struct hf_device *dev, const struct sockaddr *local, socklen_t length, int backlog,
	struct hf_listener **listener);

/* hf_accept - take the oldest established connection of a listener.
 *
 *   peer        NULL, or receives the peer's address (struct sockaddr_in or sockaddr_in6)
 *   timeout_ms  0 = do not wait, negative = wait as long as listener and board exist
 *
 * Returns a connected, blocking kernel TCP socket that the caller closes with close(2); the board is told when
 * the kernel has destroyed it. Or
 *   -EAGAIN     none is there, and timeout_ms is 0
 *   -ETIMEDOUT  none came in time
 *   -ENODEV     the board is gone; -EPROTO: it came back as another version
 *   -EBADF      the listener was closed during the wait
 *   -EMFILE     with a daemon: this process has no descriptor free. The connection is not lost, it comes again; hf_listener_fd() is
 *               readable when it does, 50 ms to a second later, so that a loop of poll and accept does not spin */
HF_API int hf_accept(struct hf_listener *listener, struct sockaddr_storage *peer, int timeout_ms);

/* hf_listener_fd - a file descriptor that polls readable (level-triggered) while hf_accept() would not say
 * -EAGAIN, for poll and epoll, edge-triggered too. It belongs to the listener: do not read or close it. */
HF_API int hf_listener_fd(const struct hf_listener *listener);

/* hf_listener_close - stop accepting. Connections that nobody has accepted are reset; those handed out
 * live on. Waits in hf_accept() on it end with -EBADF.
 *
 * Returns 0, or the error that kept the board from being told, as hf_listen(); the listener is freed in any
 * case. NULL is allowed. */
HF_API int hf_listener_close(struct hf_listener *listener);

/* hf_connect - open a connection to a peer: the board makes the handshake.
 *
 *   local       NULL, or our struct sockaddr_in or sockaddr_in6: the any-address is the device's first one of that family, port 0 a
 *               random ephemeral port that nobody uses (RFC 6056)
 *   remote      the peer's struct sockaddr_in or sockaddr_in6
 *   length      of each of the two
 *   timeout_ms  1 to 4194303: give up after that long, resolving of the next hop included; negative: the board's
 *               default, register CONNECT_MS (3 minutes)
 *
 * The next hop is that of the kernel's route to the peer, which must lead through the TAP netdev or a VLAN
 * on it; its MAC address comes from the kernel's neighbour table, for which the kernel asks ARP or NDP if need be.
 *
 * Returns a connected, blocking kernel TCP socket as hf_accept() does. Or
 *   -ECONNREFUSED   the peer answered with RST
 *   -ETIMEDOUT      it did not answer within timeout_ms
 *   -EHOSTUNREACH   a router says that peer or port cannot be reached (hard ICMP error), or the next hop has no
 *                   MAC address (nobody answers ARP or NDP)
 *   -ENETUNREACH    no route to the peer, or not through the TAP netdev
 *   -EADDRINUSE     the local port is taken, in the kernel or in the board; without one: no free one was found
 *   -EADDRNOTAVAIL  local is no address of this host
 *   -EEXIST         the kernel has a socket on the 4-tuple
 *   -ENOSPC         the board's table has no room for it now
 *   -EAFNOSUPPORT   neither IPv4 nor IPv6, local and remote of different families, or the device has no address of that family
 *   -EINVAL         remote is no address and port of a single peer, timeout_ms out of range, or an address too short
 *   -ECONNRESET     the board was reset meanwhile; try again
 *   -EIO            the board did not answer the command within a second or so
 *   -ENODEV         the board is gone; -EPROTO: it came back as another version
 *   -EPERM, -EACCES, -ENOMEM, -EMFILE, -ENFILE, or another errno of the handoff */
HF_API int hf_connect(struct hf_device *dev, const struct sockaddr *local, const struct sockaddr *remote,
	socklen_t length, int timeout_ms);

#define HF_CLOSE_OFFLOAD 1 /* the board does FIN, its retransmissions and TIME-WAIT */

/* hf_close_socket - close a connection that hf_accept(), hf_connect() or the kernel's own listener gave.
 *
 *   flags  0: as close(2). HF_CLOSE_OFFLOAD: the state leaves the kernel
 *
 * Returns 0: fd is closed. Or, with HF_CLOSE_OFFLOAD, one of these, fd is open and as it was, and close(2) is still there:
 *   -EBUSY        data are unread
 *   -EINPROGRESS  data are unsent or not acknowledged by the peer
 *   -EUSERS       the socket is shared: dup(2), another process, a descriptor in a message under way is not seen (/proc is searched,
 *                 as far as the process, or the daemon, may)
 *   -ENOTCONN     neither in ESTABLISHED nor in CLOSE-WAIT
 *   -EAGAIN       a segment came meanwhile, or the kernel has told its peer's clock too recently; try again
 *   -ENETUNREACH  the peer is not reached through the TAP netdev; -EHOSTUNREACH, -ETIMEDOUT: its next hop does not answer
 *   -EXDEV        the socket is of another network namespace
 *   -EOPNOTSUPP   no TCP socket; -EBADF, -ENOTSOCK: none at all
 *   -EINVAL       flags that do not exist
 *   -ENOSPC, -EALREADY  the board's table has no room, or has it closing already
 *   -EIO, -ENODEV, -EPROTO, -ECONNRESET, -EPERM  as hf_connect()
 * No other thread may use fd meanwhile. Blocks for some milliseconds, two seconds at most plus the search for the next hop. */
HF_API int hf_close_socket(struct hf_device *dev, int fd, int flags);

struct hf_stat {
	/* "board.RX_FRAMES" ... (regs/counter.def), "host.handoffs" ... (host/counter.def); lives as long as the library */
	const char *name;
	uint64_t value;
};

/* hf_stats - every counter of board and host, of one moment each.
 *
 *   stats, max  room for `max` counters; with 0 only the number is returned and the board is not asked
 *
 * Returns the number of counters there are (only the first `max` are stored), or
 *   -ETIMEDOUT, -ECONNRESET, -ENXIO, -EACCES, -EBADMSG, -ENODEV, -EPROTO, -ENOMEM  as hf_listen() */
HF_API int hf_stats(struct hf_device *dev, struct hf_stat *stats, size_t max);

/* hf_error - the last thing that went wrong on a device, in words, also where only the service thread saw it (a
 * handoff that failed). With NULL: why the last hf_open() of this thread failed. "" if nothing did. The text is
 * this thread's own copy, valid until it calls hf_error() or hf_open() again. */
HF_API const char *hf_error(struct hf_device *dev);

#ifdef __cplusplus
}
#endif

#endif
