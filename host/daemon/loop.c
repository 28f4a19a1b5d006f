/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "driver/clock.h"

int loop_open(struct loop *l)
{
	memset(l, 0, sizeof(*l));
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	return l->epoll < 0 ? -errno : 0;
}

void loop_close(struct loop *l)
{
	close(l->epoll);
}

int loop_watch(struct loop *l, struct source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	if (s->added && s->events == events)
		return 0;
	if (epoll_ctl(l->epoll, s->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s->fd, &e))
		return -errno;
	s->added = true;
	s->events = events;
	return 0;
}

void loop_forget(struct loop *l, struct source *s)
{
	if (s->added)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	s->added = false;
	s->events = 0;
	for (int i = 0; i < l->dispatching; i++) {
		if (l->dispatched[i] == s)
			l->dispatched[i] = NULL;
	}
}

void loop_arm(struct loop *l, struct timer *t, int64_t in_ms)
{
	t->due_ms = clock_ms() + in_ms;
	if (t->armed)
		return;
	t->armed = true;
	t->next = l->timers;
	l->timers = t;
}

void loop_disarm(struct loop *l, struct timer *t)
{
	for (struct timer **at = &l->timers; *at; at = &(*at)->next) {
		if (*at == t) {
			*at = t->next;
			break;
		}
	}
	t->armed = false;
}

/* A timer that is due, taken out; or NULL, and the milliseconds to the next in *left (-1: none). */
static struct timer *due(struct loop *l, int *left)
{
	int64_t now = clock_ms(), next = INT64_MAX;

	for (struct timer *t = l->timers; t; t = t->next) {
		if (t->due_ms <= now) {
			loop_disarm(l, t);
			return t;
		}
		if (t->due_ms < next)
			next = t->due_ms;
	}
	*left = next == INT64_MAX ? -1 : next - now > INT_MAX ? INT_MAX : (int)(next - now);
	return NULL;
}

void loop_step(struct loop *l)
{
	struct epoll_event ready[sizeof(l->dispatched) / sizeof(l->dispatched[0])];
	struct timer *t;
	int left, n;

	while ((t = due(l, &left)) != NULL)
		t->due(t);
	n = epoll_wait(l->epoll, ready, sizeof(ready) / sizeof(ready[0]), left);
	for (int i = 0; i < n; i++)
		l->dispatched[i] = ready[i].data.ptr;
	l->dispatching = n < 0 ? 0 : n;
	for (int i = 0; i < n; i++) {
		if (l->dispatched[i])
			l->dispatched[i]->ready(l->dispatched[i], ready[i].events);
	}
	l->dispatching = 0;
}

void loop_run(struct loop *l)
{
	while (!l->stop)
		loop_step(l);
}
