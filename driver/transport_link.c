/* SPDX-License-Identifier: Apache-2.0
 * transport_link.c - messages over the byte link, without what carries the bytes.
 *
 * One thread and no hidden one: bytes move inside send and recv, and t.fd says when there is a reason to call them.
 *
 *	t.fd (epoll) ─┬─ what carries the bytes
 *	              ├─ timer_fd: the link's and the carrier's next time
 *	              └─ wake_fd: a message waits, or there is room again, without anything new to come */
#include "transport_link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	DRAIN_MS = 200, /* what was sent last has so long to be acknowledged before CLOSE */
	SHUT_MS = 50,	/* and CLOSE so long to be answered */
	US_PER_S = 1000000
};

int64_t link_transport_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static int move(struct link_transport *x)
{
	int64_t now = link_transport_now();

	if (x->gone)
		return -ENODEV;
	if (link_due(x->link) <= now)
		link_tick(x->link, now);
	if (x->bytes->move(x, now) || link_state(x->link) == LINK_LOST)
		x->gone = true;
	return x->gone ? -ENODEV : 0;
}

static void wake(struct link_transport *x, bool on)
{
	uint64_t one = 1;

	if (on == x->awake)
		return;
	/* An eventfd that holds 0 takes a 1, and one that holds a 1 gives it: neither can fail. */
	if (on ? write(x->wake_fd, &one, sizeof(one)) > 0 : read(x->wake_fd, &one, sizeof(one)) > 0)
		x->awake = on;
}

/* Set the timer if it would ring too late. One that rings too early costs a call. */
static void set_timer(struct link_transport *x)
{
	int64_t due = link_due(x->link) < x->due ? link_due(x->link) : x->due, now = link_transport_now();
	struct itimerspec t = { 0 };

	if (x->timer_at <= now)
		x->timer_at = INT64_MAX; /* it has rung */
	if (due >= x->timer_at)
		return;
	x->timer_at = due;
	if (due <= now)
		due = now + 1;
	t.it_value.tv_sec = due / US_PER_S;
	t.it_value.tv_nsec = due % US_PER_S * 1000;
	timerfd_settime(x->timer_fd, TFD_TIMER_ABSTIME, &t, NULL); /* also makes it unreadable */
}

/* Before the caller may sleep: everything it must be woken for is known to t.fd. */
static void rest(struct link_transport *x)
{
	bool room = x->wants_room && link_room(x->link);
	uint64_t rings;

	if (x->timer_at <= link_transport_now() && read(x->timer_fd, &rings, sizeof(rings)) < 0 && errno != EAGAIN)
		x->gone = true;
	set_timer(x);
	/* Room is reported once; who then does not send does not want it any more. */
	if (room && x->room_told)
		room = x->wants_room = false;
	x->room_told = room;
	wake(x, x->gone || link_has_message(x->link) || room);
}

static int link_transport_send(struct transport *t, const void *msg, size_t len)
{
	struct link_transport *x = (struct link_transport *)t;
	int rc;

	if (x->gone)
		return -ENODEV;
	rc = link_send(x->link, msg, len);
	if (rc == -EAGAIN) {
		if (move(x))
			return -ENODEV;
		rc = link_send(x->link, msg, len);
	}
	if (!rc && move(x))
		rc = -ENODEV;
	x->wants_room = rc == -EAGAIN;
	x->room_told = false;
	rest(x);
	return rc;
}

static ssize_t link_transport_recv(struct transport *t, void *msg, size_t cap)
{
	struct link_transport *x = (struct link_transport *)t;
	ssize_t n = link_recv(x->link, msg, cap);

	if (n == -EAGAIN || n == -ENODEV) {
		move(x);
		n = link_recv(x->link, msg, cap);
		if (n == -EAGAIN && x->gone)
			n = -ENODEV;
		rest(x);
	} else if (link_has_message(x->link)) {
		wake(x, true);
	}
	return n;
}

static void link_transport_close(struct transport *t)
{
	struct link_transport *x = (struct link_transport *)t;

	x->bytes->close(x);
}

static const struct transport_ops link_transport_ops = { link_transport_send, link_transport_recv, link_transport_close,
	NULL, NULL };

static int add(struct link_transport *x, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	return fd < 0 || epoll_ctl(x->t.fd, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

int link_transport_begin(struct link_transport *x, const struct byte_ops *bytes, int64_t ask_us)
{
	int rc;

	x->t.ops = &link_transport_ops;
	x->bytes = bytes;
	x->due = x->timer_at = INT64_MAX;
	x->link = link_new(ask_us);
	x->t.fd = epoll_create1(EPOLL_CLOEXEC);
	x->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	x->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!x->link)
		rc = -ENOMEM;
	else if (x->t.fd < 0 || x->timer_fd < 0 || x->wake_fd < 0)
		rc = -EMFILE;
	else
		rc = add(x, x->timer_fd);
	if (!rc)
		rc = add(x, x->wake_fd);
	if (rc)
		link_transport_end(x);
	return rc;
}

void link_transport_end(struct link_transport *x)
{
	const int fds[] = { x->t.fd, x->timer_fd, x->wake_fd };

	for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	link_free(x->link);
}

/* Move bytes until the link is no longer in `state`, or nothing of ours is under way any more. Returns whether it is. */
static bool until_not(struct link_transport *x, enum link_state state, int timeout_ms)
{
	int64_t deadline = link_transport_now() + (int64_t)timeout_ms * 1000, left;

	for (;;) {
		struct pollfd p = { x->t.fd, POLLIN, 0 };

		if (move(x) || link_state(x->link) != state || (state == LINK_OPENED && link_idle(x->link)))
			return true;
		left = deadline - link_transport_now();
		if (left <= 0)
			return false;
		rest(x);
		wake(x, false); /* messages are for later */
		poll(&p, 1, (int)(left / 1000) + 1);
	}
}

int link_transport_open(struct link_transport *x, int timeout_ms)
{
	link_open(x->link, link_transport_now());
	if (!until_not(x, LINK_OPENING, timeout_ms))
		return -ETIMEDOUT;
	if (x->gone)
		return link_state(x->link) == LINK_LOST ? -ETIMEDOUT : -ENODEV;
	rest(x);
	return 0;
}

void link_transport_shut(struct link_transport *x)
{
	until_not(x, LINK_OPENED, DRAIN_MS);
	if (x->gone)
		return;
	link_close(x->link, link_transport_now());
	until_not(x, LINK_CLOSING, SHUT_MS);
}
