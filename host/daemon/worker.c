/* SPDX-License-Identifier: Apache-2.0
 * worker.c - threads for calls that wait. */
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "daemon.h"

static void *thread(void *arg)
{
	struct work *w = arg;
	struct daemon *d = w->d;

	w->run(w);
	pthread_mutex_lock(&d->workers_lock);
	w->next = d->done;
	d->done = w;
	pthread_mutex_unlock(&d->workers_lock);
	eventfd_write(d->workers_done.fd, 1);
	return NULL;
}

int worker_start(struct daemon *d, struct work *w)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t id;
	int rc;

	if (d->workers >= WORKERS_MAX)
		return -EAGAIN;
	w->d = d;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256 << 10);
	rc = -pthread_create(&id, &attr, thread, w);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		d->workers++;
	return rc;
}

void worker_on_done(struct source *s, uint32_t events)
{
	struct daemon *d = (struct daemon *)((char *)s - offsetof(struct daemon, workers_done));
	struct work *w;
	eventfd_t n;

	(void)events;
	eventfd_read(s->fd, &n);
	pthread_mutex_lock(&d->workers_lock);
	w = d->done;
	d->done = NULL;
	pthread_mutex_unlock(&d->workers_lock);
	while (w) {
		struct work *next = w->next;

		d->workers--;
		w->done(w);
		w = next;
	}
}
