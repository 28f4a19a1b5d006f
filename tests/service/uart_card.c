/* SPDX-License-Identifier: Apache-2.0
 * uart_card.c - uart_card BOARD-SOCKET PATH: a simulated board (`handfast board --host unix:`) at a serial line. The card's end of the byte link
 * (sim/usb/link_functional.c) stands between the board's messages and a pseudo terminal, which PATH becomes a link to. Like a
 * serial port it stays when who has it open ends. Says "ready"; ends when the board does. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../driver/clock.h"
#include "../../driver/message.h"
#include "../../driver/transport.h"
#include "../../sim/usb/link_functional.h"

enum { BYTES = 4096, ROUND_MS = 1 };

struct card {
	struct card_link *link;
	int board, line;
	uint8_t message[TRANSPORT_MESSAGE_MAX]; /* of the board, for which the link has no room yet */
	size_t length;
	uint8_t up[BYTES]; /* [up_at, up_length) the terminal has not taken */
	size_t up_at, up_length;
};

static int give_up(const char *what, const char *path)
{
	fprintf(stderr, "uart_card: %s %s: %s\n", what, path, strerror(errno));
	return 1;
}

static int dial(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path));
	return connect(fd, (const struct sockaddr *)&at, sizeof(at)) ? -1 : fd;
}

/* The terminal's other end is kept open, so that it never hangs up. */
static int open_line(const char *path)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	char name[64];

	if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, name, sizeof(name)) ||
		open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) < 0)
		return -1;
	unlink(path);
	return symlink(name, path) ? -1 : fd;
}

/* Messages up. Returns false when the board is gone. */
static bool from_board(struct card *c)
{
	for (;;) {
		ssize_t n;

		if (c->length) {
			if (!card_link_room(c->link, c->length))
				return true;
			card_link_c2h(c->link, c->message, c->length);
			c->length = 0;
		}
		n = recv(c->board, c->message, sizeof(c->message), 0);
		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EINTR);
		if (GET(c->message, HEADER, type) == HF_MSG_HELLO)
			card_link_hello(c->link, c->message, (size_t)n);
		else
			c->length = (size_t)n;
	}
}

static void to_board(struct card *c)
{
	const uint8_t *msg;
	size_t length;

	while ((msg = card_link_h2c(c->link, &length)) && send(c->board, msg, length, MSG_NOSIGNAL) >= 0)
		card_link_h2c_done(c->link);
}

static void from_line(struct card *c)
{
	uint8_t bytes[BYTES];
	ssize_t n;

	while ((n = read(c->line, bytes, sizeof(bytes))) > 0)
		card_link_down(c->link, bytes, (size_t)n, clock_us());
	if (card_link_due(c->link) <= clock_us())
		card_link_tick(c->link, clock_us());
}

static void to_line(struct card *c)
{
	for (;;) {
		ssize_t n;

		if (c->up_at == c->up_length) {
			c->up_at = 0;
			c->up_length = card_link_up(c->link, c->up, sizeof(c->up), clock_us());
			if (!c->up_length)
				return;
		}
		n = write(c->line, c->up + c->up_at, c->up_length - c->up_at);
		if (n <= 0)
			return;
		c->up_at += (size_t)n;
	}
}

int main(int argc, char **argv)
{
	static struct card c;

	if (argc != 3) {
		fprintf(stderr, "usage: uart_card BOARD-SOCKET PATH\n");
		return 2;
	}
	c.link = card_link_new();
	c.board = dial(argv[1]);
	if (c.board < 0)
		return give_up("connect to", argv[1]);
	c.line = open_line(argv[2]);
	if (c.line < 0)
		return give_up("a terminal at", argv[2]);
	printf("ready\n");
	fflush(stdout);
	do {
		struct pollfd fds[] = { { c.board, POLLIN, 0 }, { c.line, POLLIN, 0 } };

		poll(fds, 2, ROUND_MS);
		from_line(&c);
		to_board(&c);
		to_line(&c);
	} while (from_board(&c));
	unlink(argv[2]);
	card_link_free(c.link);
	return 0;
}
