/* SPDX-License-Identifier: Apache-2.0
 * accept_host.c - the server of tests/software/run: an accept loop, behind a board or on the kernel alone.
 *
 *	accept_host unix:PATH ADDRESS/PREFIX PORT	a board, hf_accept()
 *	accept_host kernel ADDRESS PORT			the kernel, accept4()
 *
 * Answers the first text of a connection with 64 octets and closes when the peer has. Who says nothing for IDLE_MS is
 * reset. Prints "ready"; runs until it is killed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/handfast.h"

enum { IDLE_MS = 200, BACKLOG = 4096, MOST_FDS = 65536, EVENTS = 64, REPLY = 64 };

/* Connections in the order of their deadlines, which is that of their coming. */
static struct waiting {
	int fd;
	unsigned generation;
	uint64_t deadline_ms;
} waiting[MOST_FDS];
static unsigned first, count;
/* By descriptor: how often it was in use, and whether it still has to say something. */
static unsigned generations[MOST_FDS];
static bool silent[MOST_FDS];

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int accept_one(struct hf_listener *listener, int socket_fd)
{
	int fd = listener ? hf_accept(listener, NULL, 0) : accept4(socket_fd, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 && !listener ? -errno : fd;
}

/* Takes what is there. Returns 0, or -errno when there will never be more. */
static int accept_all(int epoll, struct hf_listener *listener, int socket_fd)
{
	int fd;

	while ((fd = accept_one(listener, socket_fd)) >= 0) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

		if (fd >= MOST_FDS || count == MOST_FDS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e)) {
			close(fd);
			continue;
		}
		silent[fd] = true;
		waiting[(first + count++) % MOST_FDS] = (struct waiting){ fd, ++generations[fd], now_ms() + IDLE_MS };
	}
	return fd == -EAGAIN || fd == -ECONNABORTED || fd == -EINTR ? 0 : fd;
}

static void serve(int fd)
{
	static const char reply[REPLY] = "the reply";
	char text[512];
	ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);

	if (n > 0 && silent[fd]) {
		silent[fd] = false;
		n = send(fd, reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	if (n <= 0) {
		silent[fd] = false;
		close(fd);
	}
}

/* Resets the silent. Returns the milliseconds until the next one is due, -1 = none waits. */
static int expire(void)
{
	const struct linger at_once = { .l_onoff = 1 };
	const uint64_t now = now_ms();

	for (; count; first = (first + 1) % MOST_FDS, count--) {
		const struct waiting *w = &waiting[first];

		if (!silent[w->fd] || generations[w->fd] != w->generation)
			continue;
		if (w->deadline_ms > now)
			return (int)(w->deadline_ms - now);
		silent[w->fd] = false;
		setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(w->fd);
	}
	return -1;
}

static int listen_kernel(const char *address, uint16_t port)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0 || inet_pton(AF_INET, address, &local.sin_addr) != 1 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		bind(fd, (struct sockaddr *)&local, sizeof(local)) || listen(fd, BACKLOG)) {
		fprintf(stderr, "accept_host: %s: %s\n", address, strerror(errno));
		exit(1);
	}
	return fd;
}

static struct hf_listener *listen_board(const char *uri, const char *address, uint16_t port)
{
	struct hf_options options = { .address = address, .mac = "02:00:00:00:00:02" };
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct hf_device *board;
	struct hf_listener *listener;

	if (hf_open(uri, &options, &board)) {
		fprintf(stderr, "accept_host: %s\n", hf_error(NULL));
		exit(1);
	}
	if (hf_listen(board, (struct sockaddr *)&local, sizeof(local), BACKLOG, &listener)) {
		fprintf(stderr, "accept_host: %s\n", hf_error(board));
		exit(1);
	}
	return listener;
}

int main(int argc, char **argv)
{
	struct hf_listener *listener = NULL;
	struct epoll_event e = { .events = EPOLLIN }, events[EVENTS];
	int socket_fd = -1, epoll = epoll_create1(EPOLL_CLOEXEC), error = 0, n;

	if (argc != 4) {
		fprintf(stderr, "accept_host: usage: accept_host unix:PATH|kernel ADDRESS[/PREFIX] PORT\n");
		return 2;
	}
	if (strcmp(argv[1], "kernel"))
		listener = listen_board(argv[1], argv[2], (uint16_t)atoi(argv[3]));
	else
		socket_fd = listen_kernel(argv[2], (uint16_t)atoi(argv[3]));
	e.data.fd = listener ? hf_listener_fd(listener) : socket_fd;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e)) {
		fprintf(stderr, "accept_host: epoll: %s\n", strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (!error) {
		n = epoll_wait(epoll, events, EVENTS, expire());
		for (int i = 0; i < n && !error; i++) {
			if (events[i].data.fd == e.data.fd)
				error = accept_all(epoll, listener, socket_fd);
			else
				serve(events[i].data.fd);
		}
	}
	fprintf(stderr, "accept_host: accept: %s\n", strerror(-error));
	return 1;
}
