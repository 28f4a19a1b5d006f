/* SPDX-License-Identifier: Apache-2.0
 * host_port.c - `--host unix:PATH`: a SOCK_SEQPACKET socket, one message of exactly `length` bytes per packet, one client
 * at a time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../driver/message.h"
#include "board_host.h"
#include "options.h"
#include "unix_socket.h"

struct host_message {
	struct host_message *next;
	size_t len;
	uint8_t bytes[];
};

struct host_port {
	struct board_host h;
	const char *path;
	int listen_fd, fd;	    /* fd: the client, -1 = none */
	struct host_message *first; /* messages that the client's socket had no room for */
	struct host_message **last;
	unsigned waiting; /* how many: while there are any the core's c2h is held, so the queue stays short */
};

enum {
	STILL_CLOCKS = 32, /* without a move: what was meant for the host before is out */
	SETTLE_CLOCKS = 1024,
};

static int host_port_open(const struct board_host_options *o, struct board_host **out, char *error, size_t size)
{
	struct host_port *h = calloc(1, sizeof(*h));

	if (!h)
		return error_text(-ENOMEM, error, size, "out of memory");
	h->h.ops = &unix_host_ops;
	h->path = o->where;
	h->fd = -1;
	h->last = &h->first;
	h->listen_fd = unix_listen(h->path);
	if (h->listen_fd < 0) {
		int result = h->listen_fd;

		error_text(result, error, size, "%sunix:%s: %s", result == -ENAMETOOLONG ? "--host " : "", h->path,
			unix_listen_error(result));
		free(h);
		return result;
	}
	*out = &h->h;
	return 0;
}

static void drop_client(struct host_port *h)
{
	struct host_message *m;

	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	while ((m = h->first)) {
		h->first = m->next;
		free(m);
	}
	h->last = &h->first;
	h->waiting = 0;
}

static void host_port_close(struct board_host *host)
{
	struct host_port *h = (struct host_port *)host;

	drop_client(h);
	close(h->listen_fd);
	unlink(h->path);
	free(h);
}

static unsigned host_port_poll(const struct board_host *host, struct pollfd *fds)
{
	const struct host_port *h = (const struct host_port *)host;

	fds[0] = (struct pollfd){ .fd = h->listen_fd, .events = POLLIN };
	if (h->fd < 0)
		return 1;
	fds[1] = (struct pollfd){ .fd = h->fd, .events = h->waiting ? POLLOUT : POLLIN };
	return 2;
}

/* Send one message; without a client it is discarded. What the socket does not take waits in order. */
static void port_send(struct host_port *h, const uint8_t *msg, size_t len);

/* Take a client that knocks when there is none; refuse it with one line on stderr when there is one. True when one came. */
static bool accept_client(struct host_port *h)
{
	int fd = accept4(h->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	if (h->fd >= 0) {
		close(fd);
		fprintf(stderr, "board: unix:%s: a second host was refused, one is connected\n", h->path);
		return false;
	}
	h->fd = fd;
	return true;
}

/* Answer a packet that is no message. What of its header arrived says which id and cookie the answer carries. */
static void refuse_packet(struct host_port *h, const uint8_t *packet, size_t have, size_t len)
{
	uint8_t msg[HF_AT_COMPLETION_command + HF_SIZE_COMPLETION_command] = { 0 }, header[HF_MSG_HEADER_BYTES] = { 0 };

	memcpy(header, packet, have < sizeof(header) ? have : sizeof(header));
	if (len < sizeof(header))
		fprintf(stderr, "board: unix:%s: a message of %zu bytes has no whole header\n", h->path, len);
	else
		fprintf(stderr, "board: unix:%s: a message of type %u came in %zu bytes, its length field says %u\n",
			h->path, header[HF_AT_HEADER_type], len, (unsigned)GET(header, HEADER, length));
	memcpy(msg, header, sizeof(header));
	PUT(msg, HEADER, type, HF_MSG_COMPLETION);
	PUT(msg, HEADER, flags, HF_STATUS_BAD_LENGTH);
	PUT(msg, HEADER, length, sizeof(msg));
	if (have < HF_AT_HEADER_id + HF_SIZE_HEADER_id)
		PUT(msg, HEADER, id, HF_NO_ID);
	PUT(msg, COMPLETION, status, HF_STATUS_BAD_LENGTH);
	PUT(msg, COMPLETION, command, 0x100u | header[HF_AT_HEADER_type]);
	port_send(h, msg, sizeof(msg));
}

/* Take one message, at most `size` bytes. A packet that is shorter than a header, longer than `size`, or not of its
 * length field's size is answered with a COMPLETION of status BAD_LENGTH and reported on stderr. Nothing is taken while
 * messages wait: a client that does not read is not listened to.
 * Returns its length, or 0 when there is none now; a client that went is forgotten. */
static size_t port_receive(struct host_port *h, uint8_t *msg, size_t size)
{
	struct iovec iov = { msg, size };
	struct msghdr packet = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	while (h->fd >= 0 && !h->waiting) {
		/* MSG_TRUNC makes recvmsg return the packet's own length, however much of it fits. */
		n = recvmsg(h->fd, &packet, MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0) {
			drop_client(h);
			return 0;
		}
		if ((size_t)n >= HF_MSG_HEADER_BYTES && (size_t)n <= size && GET(msg, HEADER, length) == (size_t)n)
			return (size_t)n;
		refuse_packet(h, msg, (size_t)n < size ? (size_t)n : size, (size_t)n);
	}
	return 0;
}

/* Returns whether the socket took it. */
static bool try_send(struct host_port *h, const uint8_t *msg, size_t len)
{
	if (send(h->fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	/* Any other error means that the client went; port_receive() finds its end of file. */
	return errno != EAGAIN && errno != EINTR && errno != ENOBUFS;
}

static void port_send(struct host_port *h, const uint8_t *msg, size_t len)
{
	struct host_message *m;

	if (h->fd < 0)
		return;
	if (!h->waiting && try_send(h, msg, len))
		return;
	m = malloc(sizeof(*m) + len);
	if (!m) {
		/* The stream would have a hole: end it instead. */
		fprintf(stderr, "board: unix:%s: out of memory, host disconnected\n", h->path);
		drop_client(h);
		return;
	}
	m->next = NULL;
	m->len = len;
	memcpy(m->bytes, msg, len);
	*h->last = m;
	h->last = &m->next;
	h->waiting++;
}

/* Send what waits, as far as the socket takes it. */
static void flush(struct host_port *h)
{
	struct host_message *m;

	while (h->fd >= 0 && (m = h->first) && try_send(h, m->bytes, m->len)) {
		h->first = m->next;
		if (!h->first)
			h->last = &h->first;
		h->waiting--;
		free(m);
	}
}

static void host_port_serve(struct board_host *host, struct session *s, const struct pollfd *fds)
{
	struct host_port *h = (struct host_port *)host;

	flush(h);
	s->sim->hold_c2h = h->waiting;
	if (!fds[0].revents)
		return;
	if (h->fd < 0)
		sim_settle(
			s->sim, STILL_CLOCKS, SETTLE_CLOCKS); /* no new host gets what was meant for the one before */
	if (accept_client(h))
		port_send(h, s->hello, sizeof(s->hello));
}

static unsigned host_port_take(struct board_host *host, struct session *s, unsigned ahead)
{
	struct host_port *h = (struct host_port *)host;
	uint8_t buffer[SIM_FRAME_MAX];
	unsigned taken = 0;
	size_t len;

	while (sim_h2c_pending(s->sim) < ahead && (len = port_receive(h, buffer, sizeof(buffer))) > 0)
		if (!session_h2c(s, buffer, len))
			taken++;
	return taken;
}

static void host_port_c2h(struct board_host *host, struct session *s, const uint8_t *msg, size_t len)
{
	struct host_port *h = (struct host_port *)host;

	port_send(h, msg, len);
	s->sim->hold_c2h = h->waiting;
}

static bool host_port_stuck(const struct board_host *host)
{
	return ((const struct host_port *)host)->waiting;
}

const struct board_host_ops unix_host_ops = {
	.scheme = "unix",
	.form = "unix:PATH",
	.open = host_port_open,
	.poll = host_port_poll,
	.serve = host_port_serve,
	.take = host_port_take,
	.c2h = host_port_c2h,
	.stuck = host_port_stuck,
	.close = host_port_close,
};
