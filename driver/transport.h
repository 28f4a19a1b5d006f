/* SPDX-License-Identifier: Apache-2.0
 * transport.h - whole messages between the host and one board, whatever carries them.
 *
 * A transport is two ordered, reliable streams of messages (regs/message.def). Who wants to wait
 * polls transport_fd().
 *
 * Of every header of driver/, where it says nothing else:
 * Threads: one owns an object. Fork: the child leaves it alone, and does not even close it; descriptors close at exec.
 * Blocks: only what takes a timeout_ms, and closing: until the other side has heard of it, a fraction of a second at most.
 * Errors: -errno is returned; errno itself says nothing. */
#ifndef HANDFAST_TRANSPORT_H
#define HANDFAST_TRANSPORT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TRANSPORT_MESSAGE_MAX 16384 /* bytes of the longest message a transport carries */

struct transport;

struct transport_ops {
	/* See transport_send(), transport_recv(), transport_close(). */
	int (*send)(struct transport *t, const void *msg, size_t len);
	ssize_t (*recv)(struct transport *t, void *msg, size_t cap);
	void (*close)(struct transport *t);
	/* See transport_keep(), transport_leave(). NULL: this transport cannot be handed on. */
	int (*keep)(const struct transport *t, int *fds);
	void (*leave)(struct transport *t);
};

/* One of several messages that are sent or received together. */
struct transport_slot {
	void *msg;
	size_t cap;  /* octets that `msg` has room for */
	ssize_t len; /* of the message; received: or -EMSGSIZE, one that was longer is lost */
};

/* Of a transport for which several messages at once are cheaper. See transport_send_many(), transport_recv_many(). */
struct transport_batch_ops {
	int (*send)(struct transport *t, const struct transport_slot *slots, unsigned count);
	int (*recv)(struct transport *t, struct transport_slot *slots, unsigned count);
};

/* The common head of every transport's own struct. */
struct transport {
	const struct transport_ops *ops;
	const struct transport_batch_ops *batch; /* NULL: one by one */
	/* Poll it for POLLIN: recv may have something, and for POLLOUT after send said -EAGAIN: there is room. A transport
	 * that learns of room by an interrupt reports it as POLLIN; so after either call recv until -EAGAIN, then send
	 * again. -1 = call recv again and again. */
	int fd;
};

/* Send one message. Returns 0, or
 *   -EAGAIN    no room now, nothing was sent
 *   -EMSGSIZE  longer than TRANSPORT_MESSAGE_MAX
 *   -EINVAL    of a transport that finds messages by their length field: it is not `len`
 *   -ENODEV    the board is gone */
static inline int transport_send(struct transport *t, const void *msg, size_t len)
{
	return t->ops->send(t, msg, len);
}

/* Receive one message, at most `cap` bytes of it. Returns the bytes that arrived (compare them with the
 * message's length field), or
 *   -EAGAIN    there is none now
 *   -EMSGSIZE  one longer than `cap` arrived and is lost
 *   -ENODEV    the board is gone */
static inline ssize_t transport_recv(struct transport *t, void *msg, size_t cap)
{
	return t->ops->recv(t, msg, cap);
}

/* Send messages in order. Returns how many were sent, at least 1, or what transport_send() returns for the first one. */
static inline int transport_send_many(struct transport *t, const struct transport_slot *slots, unsigned count)
{
	unsigned done = 0;
	int rc = 0;

	if (t->batch)
		return t->batch->send(t, slots, count);
	while (done < count && !rc) {
		rc = transport_send(t, slots[done].msg, (size_t)slots[done].len);
		done += !rc;
	}
	return done ? (int)done : rc;
}

/* Receive up to `count` messages. Returns how many slots were filled, at least 1, or -EAGAIN, -ENODEV. */
static inline int transport_recv_many(struct transport *t, struct transport_slot *slots, unsigned count)
{
	unsigned done = 0;

	if (t->batch)
		return t->batch->recv(t, slots, count);
	while (done < count) {
		ssize_t len = transport_recv(t, slots[done].msg, slots[done].cap);

		if (len < 0 && len != -EMSGSIZE)
			return done ? (int)done : (int)len;
		slots[done++].len = len;
	}
	return (int)done;
}

static inline int transport_fd(const struct transport *t)
{
	return t->fd;
}

/* Frees the transport; NULL is allowed. */
static inline void transport_close(struct transport *t)
{
	if (t)
		t->ops->close(t);
}

/* A transport outlives its process, if somebody (systemd's FDSTORE) holds these descriptors: another process goes on with
 * transport_resume(), whether this one left (transport_leave()) or was killed. What the board has sent and this process has not
 * received is not lost. */
#define TRANSPORT_KEEP_MAX 4

/* transport_keep - `fds` (TRANSPORT_KEEP_MAX) receives the descriptors, which stay the transport's: the caller makes copies.
 * Returns their number, or -EOPNOTSUPP: state of this transport lives in memory of this process (USB, serial line: windows,
 * retransmissions, transfers under way), a new process has to open it anew. */
static inline int transport_keep(const struct transport *t, int *fds)
{
	return t->ops->keep ? t->ops->keep(t, fds) : -EOPNOTSUPP;
}

/* As transport_close(), but the board is not told and nothing of it is changed: whoever holds copies of the descriptors of
 * transport_keep() goes on. The same as transport_close() for a transport without. */
static inline void transport_leave(struct transport *t)
{
	if (t->ops->leave)
		t->ops->leave(t);
	else
		t->ops->close(t);
}

#define TRANSPORT_WHY_BYTES 160 /* longest reason of transport_open(), with its 0 */

/* transport_open - the board that `uri` names: unix:PATH and what else transport_uri_forms() lists.
 *
 *   timeout_ms  for all waits together
 *   why         receives the reason in words on failure, TRANSPORT_WHY_BYTES
 *
 * Returns 0 and sets *t, or -EINVAL (no such form), or what the transport's own open returns. */
int transport_open(const char *uri, int timeout_ms, struct transport **t, char *why);
/* transport_resume - go on with a transport of another process that has ended.
 *
 *   uri   it was opened as
 *   fds   those of transport_keep(), in that order. Taken over, whatever is returned; after a failure nobody can go on with copies
 *         that are sockets
 *   why   as transport_open()
 *
 * No HELLO comes, unless the board was reset. Returns 0 and sets *t, or -errno: it has to be opened anew, which is possible then.
 *   -EOPNOTSUPP  this transport cannot do it
 *   -EINVAL      other descriptors than it needs
 *   -ENODEV      the board is gone
 *   -ESTALE      the card's rings are not as they were left */
int transport_resume(const char *uri, const int *fds, unsigned count, struct transport **t, char *why);
/* Whether `uri` has a form that transport_open() knows. NULL is allowed. */
bool transport_uri_ok(const char *uri);
/* Write the forms, "unix:PATH, pci:DDDD:BB:DD.F"; returns `text`. */
const char *transport_uri_forms(char *text, size_t size);

/* transport_unix_open - connect to a board process that listens on a SOCK_SEQPACKET socket.
 * One message is one packet of exactly its `length` bytes, without the padding to 8.
 *
 * Returns 0 and sets *t, or
 *   -ENOENT, -ECONNREFUSED  nobody listens at `path`
 *   -EPROTOTYPE             `path` is a socket of another kind
 *   -ENAMETOOLONG           `path` has more than 107 bytes
 *   -ETIMEDOUT              the board did not take the connection within `timeout_ms`
 *   -errno                  of socket(2) or connect(2) otherwise */
int transport_unix_open(const char *path, int timeout_ms, struct transport **t);
/* The parts of transport_resume(). */
int transport_unix_resume(const char *path, const int *fds, unsigned count, struct transport **t, char *why);
int transport_vfio_user_resume(const char *path, const int *fds, unsigned count, struct transport **t, char *why);
int transport_vfio_resume(const char *address, const int *fds, unsigned count, struct transport **t, char *why);

/* transport_usb_open - a board on USB: an FT2232H or FT232H whose product string begins with "Handfast" (docs/usb.md).
 * One that is not there yet, or was just plugged in, is waited for. ftdi_sio is detached, and gets it back at the end.
 *
 *   serial  its serial number, or "" for the only one there is
 *   why     as transport_open()
 *
 * Returns 0 and sets *t, or
 *   -ENODEV     no such board within the time
 *   -EEXIST     `serial` is "" and there are several
 *   -EPROTO     that serial is another device's with FTDI's identity
 *   -EACCES     its node may not be opened (driver/70-handfast.rules)
 *   -EBUSY      another process has it
 *   -ETIMEDOUT  the chip is there, no board answers behind it
 *   -EPIPE, -EIO, -ENOMEM, -EMFILE */
int transport_usb_open(const char *serial, int timeout_ms, struct transport **t, char *why);

/* transport_uart_open - the same over a serial port. `where`: "/dev/ttyUSB0" or "/dev/ttyUSB0:BAUD", 300 to 12,000,000 baud,
 * 3,000,000 if it does not say. Returns 0 and sets *t, or
 *   -EINVAL     not an absolute path, or no such baud rate
 *   -ENOTTY     not a serial port
 *   -EBUSY      another board process has it
 *   -ETIMEDOUT  no board answers
 *   -errno      of open(2) */
int transport_uart_open(const char *where, int timeout_ms, struct transport **t, char *why);
/* Whether `where` can be one: 0 or -EINVAL. */
int transport_uart_check(const char *where);

/* transport_vfio_user_open - a simulated PCIe card by its vfio-user socket (`handfast board --host vfio-user:PATH`).
 * `why`, TRANSPORT_WHY_BYTES, receives the reason in words, or stays as it is where the errno says it all.
 *
 * Returns 0 and sets *t, or what transport_unix_open() returns, or
 *   -EPROTO  not a vfio-user server, not a card of this version
 *   -ENODEV  the server hung up: it has a client already
 *   -errno   that the server answered, or of memfd_create(2), mmap(2), eventfd(2) */
int transport_vfio_user_open(const char *path, int timeout_ms, struct transport **t, char *why);

/* transport_vfio_open - a PCIe card bound to vfio-pci; `address` as in 0000:01:00.0 (docs/pcie.md says what a machine needs
 * for it). `why` as above.
 *
 * Returns 0 and sets *t, or
 *   -EINVAL     not a PCI address
 *   -ENOENT     no such device
 *   -ENOTSUP    it is not bound to vfio-pci, its group is not viable, or the IOMMU is off: see `why`
 *   -EACCES     the group's file is not ours, see `why`
 *   -EBUSY      another process has it
 *   -EPROTO     not a card of this version
 *   -ETIMEDOUT  its rings do not come to rest
 *   -ENODEV     it does not answer
 *   -errno      of ioctl(2), mmap(2), eventfd(2) */
int transport_vfio_open(const char *address, int timeout_ms, struct transport **t, char *why);

/* transport_model_open - a board in this process: the C model of the core, driven as the board process drives it.
 * `seed` as in engine_open(). For tests; part of the simulation library, not of the host library.
 * Returns 0 and sets *t, or -ENOMEM. */
struct sim;
int transport_model_open(uint64_t seed, struct transport **t);
/* The simulation behind it, to put frames on its wire. */
struct sim *transport_model_sim(struct transport *t);

#endif
