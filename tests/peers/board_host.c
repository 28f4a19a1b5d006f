/* SPDX-License-Identifier: Apache-2.0
 * board_host.c - the host of a board, for tests/peers/run: serves connections that come, and opens some.
 *
 *	board_host unix:PATH ADDRESS/PREFIX PORT	serve: "ping" in, "pong" out, close first; commands on stdin:
 *		connect ADDRESS PORT	hf_connect(): "ping" out, "pong" in, close; prints "connected: ..." or "failed: ..."
 *		stats			prints every counter that is not 0
 *		quit */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/handfast.h"

enum { TIMEOUT_S = 20, COUNTERS = 256 };

static struct hf_listener *listener;

static int exchange(int fd, const char *out, const char *in, int speak_first)
{
	struct timeval t = { .tv_sec = TIMEOUT_S };
	char buffer[8];
	size_t used = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	if (speak_first && send(fd, out, 4, MSG_NOSIGNAL) != 4)
		return -1;
	while (used < 4) {
		ssize_t n = read(fd, buffer + used, 4 - used);

		if (n <= 0)
			return -1;
		used += (size_t)n;
	}
	if (memcmp(buffer, in, 4) || (!speak_first && send(fd, out, 4, MSG_NOSIGNAL) != 4))
		return -1;
	shutdown(fd, SHUT_WR);
	return read(fd, buffer, 1) == 0 ? 0 : -1;
}

static void *serve(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = hf_accept(listener, NULL, -1)) >= 0) {
		puts(exchange(fd, "pong", "ping", 0) ? "served badly" : "served");
		fflush(stdout);
		close(fd);
	}
	return NULL;
}

static void open_one(struct hf_device *dev, const char *address, int port)
{
	struct sockaddr_in remote = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd;

	inet_pton(AF_INET, address, &remote.sin_addr);
	fd = hf_connect(dev, NULL, (struct sockaddr *)&remote, sizeof(remote), TIMEOUT_S * 1000);
	if (fd < 0) {
		printf("failed: %s (%s)\n", strerror(-fd), hf_error(dev));
		return;
	}
	if (exchange(fd, "ping", "pong", 1))
		printf("failed: %s\n", strerror(errno));
	else
		printf("connected: %s %d\n", address, port);
	close(fd);
}

static void print_stats(struct hf_device *dev)
{
	struct hf_stat stats[COUNTERS];
	int n = hf_stats(dev, stats, COUNTERS);

	for (int i = 0; i < n && i < COUNTERS; i++) {
		if (stats[i].value)
			printf("%s %llu\n", stats[i].name, (unsigned long long)stats[i].value);
	}
	puts("end of stats");
}

int main(int argc, char **argv)
{
	struct hf_options options = { 0 };
	struct sockaddr_in local = { .sin_family = AF_INET };
	struct hf_device *dev;
	pthread_t thread;
	char line[128], address[64];
	int port;

	if (argc != 4) {
		fprintf(stderr, "usage: board_host unix:PATH ADDRESS/PREFIX PORT\n");
		return 2;
	}
	options.address = argv[2];
	local.sin_port = htons((uint16_t)atoi(argv[3]));
	if (hf_open(argv[1], &options, &dev)) {
		fprintf(stderr, "board_host: %s\n", hf_error(NULL));
		return 1;
	}
	if (hf_listen(dev, (struct sockaddr *)&local, sizeof(local), 128, &listener)) {
		fprintf(stderr, "board_host: %s\n", hf_error(dev));
		return 1;
	}
	pthread_create(&thread, NULL, serve, NULL);
	puts("open");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n")) {
		if (sscanf(line, "connect %63s %d", address, &port) == 2)
			open_one(dev, address, port);
		else if (!strcmp(line, "stats\n"))
			print_stats(dev);
		fflush(stdout);
	}
	hf_listener_close(listener);
	pthread_join(thread, NULL);
	hf_close(dev);
	return 0;
}
