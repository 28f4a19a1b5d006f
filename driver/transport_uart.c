/* SPDX-License-Identifier: Apache-2.0
 * transport_uart.c - the byte link over a serial port: 8 bits, no parity, one stop bit, no flow control on the wires. */
#include <asm/termbits.h> /* termios2: any baud rate; excludes <termios.h> */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device_owner.h"
#include "transport_link.h"

enum {
	DEFAULT_BAUD = 3000000, /* what an FT231X and an FT2232H's UART both do */
	MAX_BAUD = 12000000,
	BITS = 10,	   /* of a byte, with start and stop */
	UNDER_WAY = 32768, /* bytes of a whole window, and of the kernel's queue */
	PORTION = 4096
};

struct uart {
	struct link_transport x;
	int fd;
	uint8_t out[PORTION]; /* [out_at, out_len) did not fit yet */
	size_t out_at, out_len;
	bool wants_out; /* epoll looks for EPOLLOUT too */
};

/* Send until the kernel takes no more. Returns 0 or -ENODEV. */
static int move_out(struct uart *u, int64_t now_us)
{
	struct epoll_event e = { .events = EPOLLIN };
	bool full = false;
	ssize_t n;

	while (!full) {
		if (u->out_at == u->out_len) {
			u->out_at = 0;
			u->out_len = link_output(u->x.link, u->out, sizeof(u->out), now_us);
			if (!u->out_len)
				break;
		}
		n = write(u->fd, u->out + u->out_at, u->out_len - u->out_at);
		if (n > 0)
			u->out_at += (size_t)n;
		else if (n == 0 || errno == EAGAIN)
			full = true;
		else if (errno != EINTR)
			return -ENODEV;
	}
	if (full == u->wants_out)
		return 0;
	u->wants_out = full;
	if (full)
		e.events |= EPOLLOUT;
	return epoll_ctl(u->x.t.fd, EPOLL_CTL_MOD, u->fd, &e) ? -ENODEV : 0;
}

static int uart_move(struct link_transport *x, int64_t now_us)
{
	struct uart *u = (struct uart *)x;
	uint8_t in[PORTION];
	ssize_t n;

	for (;;) {
		n = read(u->fd, in, sizeof(in));
		if (n > 0)
			link_input(x->link, in, (size_t)n, now_us);
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && errno == EAGAIN)
			break;
		else /* unplugged */
			return -ENODEV;
	}
	return move_out(u, now_us);
}

static void uart_release(struct uart *u)
{
	link_transport_end(&u->x);
	close(u->fd);
	free(u);
}

static void uart_close(struct link_transport *x)
{
	link_transport_shut(x);
	uart_release((struct uart *)x);
}

static const struct byte_ops uart_ops = { uart_move, uart_close };

/* "PATH" or "PATH:BAUD". Returns 0 or -EINVAL. */
static int parse(const char *where, char *path, size_t size, unsigned *baud)
{
	const char *colon = strrchr(where, ':');
	unsigned long value = DEFAULT_BAUD;
	char *end;
	size_t n = colon ? (size_t)(colon - where) : strlen(where);

	if (colon) {
		value = strtoul(colon + 1, &end, 10);
		if (colon[1] < '0' || colon[1] > '9' || *end || value < 300 || value > MAX_BAUD)
			return -EINVAL;
	}
	if (where[0] != '/' || n >= size)
		return -EINVAL;
	memcpy(path, where, n);
	path[n] = '\0';
	*baud = (unsigned)value;
	return 0;
}

int transport_uart_check(const char *where)
{
	char path[256];
	unsigned baud;

	return parse(where, path, sizeof(path), &baud);
}

static int set_up(int fd, unsigned baud)
{
	struct termios2 tio;

	if (ioctl(fd, TCGETS2, &tio))
		return -ENOTTY;
	tio.c_iflag = tio.c_oflag = tio.c_lflag = 0;
	tio.c_cflag = CS8 | CREAD | CLOCAL | BOTHER | BOTHER << IBSHIFT;
	tio.c_ispeed = tio.c_ospeed = baud;
	tio.c_cc[VMIN] = 1;
	tio.c_cc[VTIME] = 0;
	if (ioctl(fd, TCSETS2, &tio) || ioctl(fd, TCFLSH, TCIOFLUSH))
		return -errno;
	return 0;
}

int transport_uart_open(const char *where, int timeout_ms, struct transport **out, char *why)
{
	char path[256], owner[DEVICE_OWNER_BYTES];
	struct epoll_event e = { .events = EPOLLIN };
	struct uart *u;
	unsigned baud;
	int rc;

	if (parse(where, path, sizeof(path), &baud))
		return -EINVAL;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (u->fd < 0) {
		rc = -errno;
		snprintf(why, TRANSPORT_WHY_BYTES, "%.80s: %s%s", path, strerror(-rc),
			rc == -EACCES ? " (group dialout may)" : "");
		free(u);
		return rc;
	}
	/* One process at a time, like a socket. Whoever uses the port otherwise does not ask. */
	if (flock(u->fd, LOCK_EX | LOCK_NB)) {
		snprintf(why, TRANSPORT_WHY_BYTES, "%.80s is used by %s", path,
			device_owner(path, owner, sizeof(owner)) ? owner : "another process");
		close(u->fd);
		free(u);
		return -EBUSY;
	}
	rc = set_up(u->fd, baud);
	if (rc) {
		snprintf(why, TRANSPORT_WHY_BYTES, "%.80s: %s", path,
			rc == -ENOTTY ? "not a serial port" : strerror(-rc));
		close(u->fd);
		free(u);
		return rc;
	}
	rc = link_transport_begin(
		&u->x, &uart_ops, LINK_UART_ASK_US + (int64_t)UNDER_WAY * BITS * 1000000 / (int64_t)baud);
	if (rc) {
		close(u->fd);
		free(u);
		return rc;
	}
	rc = epoll_ctl(u->x.t.fd, EPOLL_CTL_ADD, u->fd, &e) ? -errno : link_transport_open(&u->x, timeout_ms);
	if (rc) {
		snprintf(why, TRANSPORT_WHY_BYTES, "%.80s at %u baud: %s", path, baud,
			rc == -ETIMEDOUT ? "nothing there answers as a board" : strerror(-rc));
		uart_release(u);
		return rc;
	}
	*out = &u->x.t;
	return 0;
}
