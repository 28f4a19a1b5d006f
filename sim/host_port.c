/* SPDX-License-Identifier: Apache-2.0
 * host_port.c - messages to and from the one host process. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../driver/message.h"
#include "host_port.h"
#include "unix_socket.h"

struct host_message {
	struct host_message *next;
	size_t len;
	uint8_t bytes[];
};

int host_port_open(struct host_port *h, const char *path)
{
	memset(h, 0, sizeof(*h));
	h->path = path;
	h->fd = -1;
	h->last = &h->first;
	h->listen_fd = unix_listen(path);
	return h->listen_fd < 0 ? h->listen_fd : 0;
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

void host_port_close(struct host_port *h)
{
	drop_client(h);
	close(h->listen_fd);
	unlink(h->path);
}

unsigned host_port_poll(const struct host_port *h, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ .fd = h->listen_fd, .events = POLLIN };
	if (h->fd < 0)
		return 1;
	fds[1] = (struct pollfd){ .fd = h->fd, .events = h->waiting ? POLLOUT : POLLIN };
	return 2;
}

bool host_port_accept(struct host_port *h)
{
	int fd = accept4(h->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	if (h->fd >= 0) {
		close(fd);
		h->refused++;
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

	h->bad++;
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
	host_port_send(h, msg, sizeof(msg));
}

size_t host_port_receive(struct host_port *h, uint8_t *msg, size_t size)
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
		if ((size_t)n >= HF_MSG_HEADER_BYTES && (size_t)n <= size && GET(msg, HEADER, length) == (size_t)n) {
			h->received++;
			return (size_t)n;
		}
		refuse_packet(h, msg, (size_t)n < size ? (size_t)n : size, (size_t)n);
	}
	return 0;
}

/* Returns whether the socket took it. */
static bool try_send(struct host_port *h, const uint8_t *msg, size_t len)
{
	if (send(h->fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		h->sent++;
		return true;
	}
	/* Any other error means that the client went; host_port_receive() finds its end of file. */
	return errno != EAGAIN && errno != EINTR && errno != ENOBUFS;
}

void host_port_send(struct host_port *h, const uint8_t *msg, size_t len)
{
	struct host_message *m;

	if (h->fd < 0) {
		h->discarded++;
		return;
	}
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

void host_port_flush(struct host_port *h)
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
