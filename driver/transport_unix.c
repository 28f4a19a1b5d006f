/* SPDX-License-Identifier: Apache-2.0
 * transport_unix.c - messages to a board process, one per SOCK_SEQPACKET packet. */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { BATCH = 64 };

static int unix_send(struct transport *t, const void *msg, size_t len)
{
	if (len > TRANSPORT_MESSAGE_MAX)
		return -EMSGSIZE;
	for (;;) {
		if (send(t->fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		switch (errno) {
		case EINTR:
			continue;
		case EAGAIN:
		case ENOBUFS:
		case ENOMEM:
			return -EAGAIN;
		default:
			return -ENODEV;
		}
	}
}

static ssize_t unix_recv(struct transport *t, void *msg, size_t cap)
{
	for (;;) {
		ssize_t n = recv(t->fd, msg, cap, MSG_DONTWAIT | MSG_TRUNC);

		if (n > 0)
			return (size_t)n > cap ? -EMSGSIZE : n;
		if (n == 0) /* end of file: the board sends no empty packet */
			return -ENODEV;
		if (errno == EINTR)
			continue;
		return errno == EAGAIN ? -EAGAIN : -ENODEV;
	}
}

/* Many packets by one system call ------------------------------------------------------------------------------- */

static void point_to(
	struct mmsghdr *head, struct iovec *part, const struct transport_slot *slots, unsigned count, bool send)
{
	memset(head, 0, count * sizeof(*head));
	for (unsigned i = 0; i < count; i++) {
		part[i] = (struct iovec){ slots[i].msg, send ? (size_t)slots[i].len : slots[i].cap };
		head[i].msg_hdr.msg_iov = &part[i];
		head[i].msg_hdr.msg_iovlen = 1;
	}
}

static int unix_send_many(struct transport *t, const struct transport_slot *slots, unsigned count)
{
	struct mmsghdr head[BATCH];
	struct iovec part[BATCH];
	int n;

	count = count < BATCH ? count : BATCH;
	point_to(head, part, slots, count, true);
	for (unsigned i = 0; i < count; i++) {
		/* The one that is too long fails when it is the first. */
		if (slots[i].len > TRANSPORT_MESSAGE_MAX)
			count = i;
	}
	n = count ? sendmmsg(t->fd, head, count, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
	/* Nothing or an error: the first message tells which. */
	if (n > 0)
		return n;
	n = unix_send(t, slots[0].msg, (size_t)slots[0].len);
	return n ? n : 1;
}

static int unix_recv_many(struct transport *t, struct transport_slot *slots, unsigned count)
{
	struct mmsghdr head[BATCH];
	struct iovec part[BATCH];
	int n;

	count = count < BATCH ? count : BATCH;
	point_to(head, part, slots, count, false);
	do
		n = recvmmsg(t->fd, head, count, MSG_DONTWAIT | MSG_TRUNC, NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : -ENODEV;
	for (int i = 0; i < n; i++) {
		size_t len = head[i].msg_len;

		if (!len) /* end of file, as above; what came before it first */
			return i ? i : -ENODEV;
		slots[i].len = len > slots[i].cap ? -EMSGSIZE : (ssize_t)len;
	}
	return n;
}

static void unix_leave(struct transport *t)
{
	close(t->fd);
	free(t);
}

/* Whoever has a copy of the descriptor: the connection ends. */
static void unix_close(struct transport *t)
{
	shutdown(t->fd, SHUT_RDWR);
	unix_leave(t);
}

/* All that is under way is in the socket. */
static int unix_keep(const struct transport *t, int *fds)
{
	fds[0] = t->fd;
	return 1;
}

static const struct transport_ops unix_ops = { unix_send, unix_recv, unix_close, unix_keep, unix_leave };
static const struct transport_batch_ops unix_batch = { unix_send_many, unix_recv_many };

int transport_unix_resume(const char *path, const int *fds, unsigned count, struct transport **t, char *why)
{
	int type = 0;
	socklen_t len = sizeof(type);

	(void)path, (void)why;
	if (count != 1 || getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_SEQPACKET)
		return -EINVAL;
	*t = calloc(1, sizeof(**t));
	if (!*t)
		return -ENOMEM;
	(*t)->ops = &unix_ops;
	(*t)->batch = &unix_batch;
	(*t)->fd = fds[0];
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	return 0;
}

/* Connect with a limit on the wait: connect(2) to a full queue of a unix socket waits for SO_SNDTIMEO. */
static int connect_within(int fd, const struct sockaddr_un *addr, int timeout_ms)
{
	struct timeval limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return -errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		return errno == EAGAIN || errno == EINTR ? -ETIMEDOUT : -errno;
	return 0;
}

int transport_unix_open(const char *path, int timeout_ms, struct transport **out)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct transport *t;
	int rc;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->ops = &unix_ops;
	t->batch = &unix_batch;
	t->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (t->fd < 0) {
		rc = -errno;
		free(t);
		return rc;
	}
	rc = connect_within(t->fd, &addr, timeout_ms < 1 ? 1 : timeout_ms);
	if (rc) {
		transport_close(t);
		return rc;
	}
	*out = t;
	return 0;
}
