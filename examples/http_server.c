/* SPDX-License-Identifier: Apache-2.0
 * http_server.c - a web page behind a board: the smallest useful program on the library.
 *
 *	http_server unix:PATH 192.0.2.2/24 80 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/handfast.h"

static const char page[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
			   "Hello. The handshake of this connection was made in hardware.\n";

/* Read to the empty line that ends the request's head, answer, wait until the client has closed. */
static void serve(int fd)
{
	char request[4096];
	size_t used = 0;
	ssize_t n = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_sec = 5 }, sizeof(struct timeval));
	while (used < sizeof(request) - 1 && n > 0) {
		n = read(fd, request + used, sizeof(request) - 1 - used);
		used += n > 0 ? (size_t)n : 0;
		request[used] = 0;
		if (strstr(request, "\r\n\r\n") && send(fd, page, sizeof(page) - 1, MSG_NOSIGNAL) > 0)
			break;
	}
	shutdown(fd, SHUT_WR);
	while (n > 0)
		n = read(fd, request, sizeof(request));
	close(fd);
}

int main(int argc, char **argv)
{
	struct hf_options options = { 0 };
	struct sockaddr_in local = { .sin_family = AF_INET };
	struct hf_device *board;
	struct hf_listener *listener;
	int fd;

	if (argc != 4) {
		fprintf(stderr, "usage: http_server unix:PATH ADDRESS/PREFIX PORT\n");
		return 2;
	}
	options.address = argv[2];
	local.sin_port = htons((uint16_t)atoi(argv[3]));
	if (hf_open(argv[1], &options, &board)) {
		fprintf(stderr, "http_server: %s\n", hf_error(NULL));
		return 1;
	}
	if (hf_listen(board, (struct sockaddr *)&local, sizeof(local), 128, &listener) == 0) {
		printf("http_server: %s port %s is open\n", argv[2], argv[3]);
		fflush(stdout);
		while ((fd = hf_accept(listener, NULL, -1)) >= 0)
			serve(fd);
	}
	fprintf(stderr, "http_server: %s\n", hf_error(board));
	hf_close(board);
	return 1;
}
