/* SPDX-License-Identifier: Apache-2.0
 * kernel_peer.c - the Linux kernel's own TCP as the peer of a board, for tests/peers/run.
 *
 *	kernel_peer connect ADDRESS PORT [tfo|mptcp] [peer-first]   one connection: "ping" there, "pong" back, close
 *	kernel_peer connect ADDRESS PORT idle                       one that the other end closes without a word
 *	kernel_peer listen ADDRESS PORT [idle]                      serve such connections, for ever
 *
 * Prints one line "ok: ..." with what the kernel says of the connection. Exit code: 0, 1 it failed, 2 usage, 77 the
 * kernel cannot do that. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { TIMEOUT_S = 20, SKIP = 77 };

static int fail(const char *what)
{
	fprintf(stderr, "kernel_peer: %s: %s\n", what, strerror(errno));
	return 1;
}

static void limit(int fd)
{
	struct timeval t = { .tv_sec = TIMEOUT_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

/* Exactly these octets, not one more. */
static bool expect(int fd, const char *text)
{
	char buffer[16] = "";
	size_t used = 0, len = strlen(text);

	while (used < len) {
		ssize_t n = read(fd, buffer + used, len - used);

		if (n <= 0)
			return false;
		used += (size_t)n;
	}
	return !memcmp(buffer, text, len);
}

static bool end_of_stream(int fd)
{
	char c;

	return read(fd, &c, 1) == 0;
}

static void report(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	printf("ok: options%s%s%s%s%s, MSS %u, shifts %u and %u\n",
		info.tcpi_options & TCPI_OPT_TIMESTAMPS ? " timestamps" : "",
		info.tcpi_options & TCPI_OPT_SACK ? " SACK" : "",
		info.tcpi_options & TCPI_OPT_WSCALE ? " window-scale" : "",
		info.tcpi_options & TCPI_OPT_ECN ? " ECN" : "",
		info.tcpi_options & TCPI_OPT_SYN_DATA ? " SYN-data" : "", info.tcpi_snd_mss, info.tcpi_snd_wscale,
		info.tcpi_rcv_wscale);
	fflush(stdout);
}

static int run_connect(const struct sockaddr_in *addr, bool tfo, bool mptcp, bool first, bool idle)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, mptcp ? IPPROTO_MPTCP : 0);

	if (fd < 0)
		return mptcp && (errno == EPROTONOSUPPORT || errno == ENOPROTOOPT) ? SKIP : fail("socket");
	limit(fd);
	if (tfo) {
		if (sendto(fd, "ping", 4, MSG_FASTOPEN | MSG_NOSIGNAL, (const struct sockaddr *)addr, sizeof(*addr)) !=
			4)
			return errno == EOPNOTSUPP ? SKIP : fail("sendto with MSG_FASTOPEN");
	} else if (idle) {
		if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
			return fail("connect");
	} else {
		if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
			return fail("connect");
		if (write(fd, "ping", 4) != 4)
			return fail("write");
	}
	if (first && shutdown(fd, SHUT_WR))
		return fail("shutdown");
	if (!idle && !expect(fd, "pong"))
		return fail("the answer did not come");
	if (!end_of_stream(fd))
		return fail("no end of stream");
	report(fd);
	close(fd);
	return 0;
}

static int run_listen(const struct sockaddr_in *addr, bool idle)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, connection;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
		bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) || listen(fd, 16))
		return fail("listen");
	puts("listening");
	fflush(stdout);
	while ((connection = accept(fd, NULL, NULL)) >= 0) {
		limit(connection);
		if (!idle && (!expect(connection, "ping") || write(connection, "pong", 4) != 4))
			fail("serve");
		if (!idle)
			shutdown(connection, SHUT_WR);
		if (end_of_stream(connection))
			report(connection);
		close(connection);
	}
	return fail("accept");
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	bool tfo = false, mptcp = false, first = false, idle = false;

	if (argc < 4 || inet_pton(AF_INET, argv[2], &addr.sin_addr) != 1) {
		fprintf(stderr, "usage: kernel_peer connect|listen ADDRESS PORT [tfo|mptcp] [peer-first]\n");
		return 2;
	}
	addr.sin_port = htons((uint16_t)atoi(argv[3]));
	for (int i = 4; i < argc; i++) {
		tfo |= !strcmp(argv[i], "tfo");
		mptcp |= !strcmp(argv[i], "mptcp");
		first |= !strcmp(argv[i], "peer-first");
		idle |= !strcmp(argv[i], "idle");
	}
	return strcmp(argv[1], "listen") ? run_connect(&addr, tfo, mptcp, first, idle) : run_listen(&addr, idle);
}
