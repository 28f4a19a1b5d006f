/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "driver/clock.h"
#include "ipc.h"
#include "library.h"

#define ANSWER_MS	5000	     /* the daemon answers at once, unless the board is in trouble */
#define CONNECT_MORE_MS 5000	     /* than the connection may take */
#define CONNECT_LONG_MS (200 * 1000) /* with the board's default timeout of 3 minutes */

/* Each call has a connection of its own, so that a slow one holds up nobody and hanging up ends it. */
struct client {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static int dial(const struct client *c, char *why)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { ANSWER_MS / 1000, 0 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), rc;

	memcpy(addr.sun_path, c->path, sizeof(addr.sun_path));
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) &&
		!connect(fd, (const struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
	snprintf(why, ERROR_BYTES, "handfastd at %s: %s", c->path, strerror(-rc));
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The reply, or -errno. *fd: the descriptor that came with it. */
static int await(int sock, enum ipc_type type, int timeout_ms, struct ipc_reply *reply, int *fd)
{
	struct pollfd p = { sock, POLLIN, 0 };
	int64_t deadline = clock_ms() + timeout_ms, left;
	uint8_t packet[sizeof(*reply) + 1];
	bool lost;
	int n;

	while ((n = ipc_receive(sock, packet, sizeof(packet), fd, &lost)) == -EAGAIN) {
		left = deadline - clock_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		poll(&p, 1, (int)left);
	}
	if (n <= 0)
		return n ? n : -ENODEV;
	n = ipc_parse_reply(packet, (size_t)n, type, reply);
	if (!n && lost)
		n = -EMFILE;
	if (n && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return n;
}

/* One request and its reply. Returns what the daemon said, or -errno. */
static int call(struct client *c, const struct ipc_request *request, int send_fd, int timeout_ms,
	struct ipc_reply *reply, int *fd, char *why)
{
	struct ipc_request r = *request;
	int sock = dial(c, why), rc;

	*fd = -1;
	if (sock < 0)
		return sock;
	r.magic = IPC_MAGIC;
	r.version = IPC_VERSION;
	rc = ipc_send(sock, &r, sizeof(r), send_fd);
	if (!rc)
		rc = await(sock, r.type, timeout_ms, reply, fd);
	if (rc)
		snprintf(
			why, ERROR_BYTES, "handfastd at %s: %s", c->path, rc == -ENODEV ? "it hung up" : strerror(-rc));
	else
		snprintf(why, ERROR_BYTES, "%s", reply->text);
	close(sock);
	return rc ? rc : reply->result;
}

int client_open(const char *path, struct client **out, char *why)
{
	struct ipc_request r = { .type = IPC_HELLO };
	struct ipc_reply reply;
	struct client *c;
	int fd, rc;

	if (!*path || strlen(path) >= sizeof(c->path)) {
		snprintf(why, ERROR_BYTES, "no path of a unix socket: '%s'", path);
		return *path ? -ENAMETOOLONG : -EINVAL;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		snprintf(why, ERROR_BYTES, "out of memory");
		return -ENOMEM;
	}
	memcpy(c->path, path, strlen(path));
	rc = call(c, &r, -1, ANSWER_MS, &reply, &fd, why);
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void client_close(struct client *c)
{
	free(c);
}

/* A call whose success is a descriptor. */
static int call_for_fd(struct client *c, const struct ipc_request *r, int send_fd, int timeout_ms, char *why)
{
	struct ipc_reply reply;
	int fd, rc = call(c, r, send_fd, timeout_ms, &reply, &fd, why);

	if (rc >= 0 && fd >= 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return rc < 0 ? rc : -EPROTO;
}

int client_listen(struct client *c, const union address *local, int backlog, int kernel_fd, char *why)
{
	struct ipc_request r = { .type = IPC_LISTEN, .backlog = backlog };

	ipc_put_address(local, &r.local);
	return call_for_fd(c, &r, kernel_fd, ANSWER_MS, why);
}

int client_set_option(int channel, int level, int option, const void *value, size_t length)
{
	struct ipc_option o = { .magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = IPC_OPTION,
		.level = level,
		.option = option,
		.length = (uint32_t)length };

	if (!ipc_option_ok(level, option, length) || length > sizeof(o.value))
		return -ENOPROTOOPT;
	memcpy(o.value, value, length);
	return ipc_send(channel, &o, sizeof(o), -1);
}

int client_take(int channel, union address *local, union address *remote)
{
	struct ipc_answer answer = { .magic = IPC_MAGIC, .version = IPC_VERSION };
	struct ipc_connection c;
	uint8_t packet[sizeof(c) + 1];
	bool lost;
	int fd, n = ipc_receive(channel, packet, sizeof(packet), &fd, &lost);

	if (n <= 0)
		return n ? n : -ENODEV;
	n = ipc_parse_connection(packet, (size_t)n, &c);
	if (!n && fd < 0 && !lost)
		n = -EPROTO;
	if (!n && ipc_get_address(&c.local, local) | ipc_get_address(&c.remote, remote))
		n = -EPROTO;
	if (!n) {
		answer.type = lost ? IPC_AGAIN : IPC_TAKEN;
		answer.number = c.number;
		/* There is room: the daemon sends no more than a window before it has read the answers. If it is gone, the
		 * connection is ours all the same. */
		ipc_send(channel, &answer, sizeof(answer), -1);
		if (lost)
			n = -EMFILE;
	}
	if (n && fd >= 0)
		close(fd);
	return n ? n : fd;
}

int client_connect(struct client *c, const union address *local, const union address *remote, int timeout_ms, char *why)
{
	struct ipc_request r = { .type = IPC_CONNECT, .timeout_ms = timeout_ms };

	ipc_put_address(local, &r.local);
	ipc_put_address(remote, &r.remote);
	return call_for_fd(c, &r, -1, timeout_ms > 0 ? timeout_ms + CONNECT_MORE_MS : CONNECT_LONG_MS, why);
}

int client_close_socket(struct client *c, int fd, char *why)
{
	struct ipc_request r = { .type = IPC_CLOSE };
	struct ipc_reply reply;
	int ignored, rc = call(c, &r, fd, ANSWER_MS, &reply, &ignored, why);

	if (ignored >= 0)
		close(ignored);
	return rc;
}

int client_stats(struct client *c, uint64_t *value, size_t max, char *why)
{
	struct ipc_request r = { .type = IPC_STATS };
	struct ipc_reply reply;
	int ignored, rc = call(c, &r, -1, ANSWER_MS, &reply, &ignored, why);

	if (ignored >= 0)
		close(ignored);
	if (rc < 0)
		return rc;
	memcpy(value, reply.stat, (max < reply.stats ? max : reply.stats) * sizeof(value[0]));
	return (int)reply.stats;
}
