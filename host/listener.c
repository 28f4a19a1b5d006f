/* SPDX-License-Identifier: Apache-2.0
 * listener.c - hf_listen, hf_accept and the accept queue between service thread and callers. */
#include "library.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "driver/clock.h"

#define READY_EVERY 16 /* of a batch of connections, so many may wait for whoever polls to be told */

/* The accept queue ---------------------------------------------------------------------------------------------- */

struct hf_listener *listener_find(struct hf_device *dev, const struct connection *c)
{
	struct hf_listener *l = c->listener < LISTENERS_MAX ? dev->listener[c->listener] : NULL;

	/* An index may be another listener's by the time its last half-open connections finish. */
	if (!l || l->closed || address_port(&l->local) != address_port(&c->local) ||
		l->local.sa.sa_family != c->local.sa.sa_family ||
		(!address_is_any(&l->local) && !address_same_host(&l->local, &c->local)))
		return NULL;
	return l;
}

void listener_ready(struct hf_listener *l)
{
	l->fresh = 0;
	if (!l->count || l->readable)
		return;
	eventfd_write(l->ready, 1);
	l->readable = true;
}

void listener_push(struct hf_listener *l, int fd, const union address *local, const union address *peer)
{
	l->queue[(l->first + l->count++) % l->backlog] = (struct accepted){ fd, *local, *peer };
	if (++l->fresh >= READY_EVERY)
		listener_ready(l);
	pthread_cond_signal(&l->wake);
}

/* Take the oldest; with the lock held and the queue not empty. */
static struct accepted pop(struct hf_listener *l)
{
	struct accepted a = l->queue[l->first];
	eventfd_t ignored;

	l->first = (l->first + 1) % l->backlog;
	l->count--;
	if (!l->count && l->readable) {
		eventfd_read(l->ready, &ignored);
		l->readable = false;
	}
	return a;
}

void listener_lost(struct hf_listener *l)
{
	eventfd_write(l->ready, 1); /* readable from now on: nobody reads it any more */
	pthread_cond_broadcast(&l->wake);
}

void listener_reset_socket(int fd)
{
	struct linger reset = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

/* hf_listen ----------------------------------------------------------------------------------------------------- */

static struct hf_listener *new_listener(
	struct hf_device *dev, const union address *local, unsigned backlog, enum way way, enum mode mode, int *error)
{
	struct hf_listener *l = calloc(1, sizeof(*l) + backlog * sizeof(l->queue[0]));
	pthread_condattr_t attr;

	*error = -ENOMEM;
	if (!l)
		return NULL;
	l->dev = dev;
	l->local = *local;
	l->backlog = backlog;
	l->way = way;
	l->mode = mode;
	l->channel = -1;
	l->ready = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->ready < 0) {
		*error = -errno;
		free(l);
		return NULL;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &attr);
	pthread_condattr_destroy(&attr);
	return l;
}

static void free_listener(struct hf_listener *l)
{
	pthread_cond_destroy(&l->wake);
	close(l->ready);
	if (l->channel >= 0)
		close(l->channel);
	free(l);
}

/* On a board that was taken over a listener gets the entry it had, to which half-open connections refer: 2; then come those that
 * nobody has, 1, then those of listeners that are not here (yet). */
static int worth(const struct hf_device *dev, unsigned index, const struct hf_listener *l)
{
	const union address *had = dev->kept ? &dev->kept->listener[index] : NULL;

	return had && address_equal(had, &l->local) ? 2 : !had || had->sa.sa_family == AF_UNSPEC;
}

/* A free index of the listen table, taken for l; or -EADDRINUSE, -ENOSPC. */
static int take_index(struct hf_device *dev, struct hf_listener *l)
{
	unsigned listeners = device_board(dev->board)->listeners;
	int index = -ENOSPC, best = -1;

	pthread_mutex_lock(&dev->lock);
	for (unsigned i = 0; i < listeners; i++) {
		const struct hf_listener *other = dev->listener[i];

		if (!other && worth(dev, i, l) > best) {
			best = worth(dev, i, l);
			index = (int)i;
		}
		if (other && address_equal(&other->local, &l->local)) {
			index = -EADDRINUSE;
			break;
		}
	}
	if (index >= 0) {
		l->index = (unsigned)index;
		dev->listener[index] = l;
	}
	pthread_mutex_unlock(&dev->lock);
	return index;
}

static void give_index_back(struct hf_listener *l)
{
	pthread_mutex_lock(&l->dev->lock);
	l->dev->listener[l->index] = NULL;
	pthread_mutex_unlock(&l->dev->lock);
}

/* In the service thread. */
static int start_listening(struct hf_device *dev, void *arg)
{
	struct hf_listener *l = arg;
	int rc = take_index(dev, l);

	if (rc < 0) {
		error_set(dev,
			rc == -ENOSPC ? "the board's listen table is full"
				      : "port %u of that address has a listener already",
			address_port(&l->local));
		return rc;
	}
	rc = service_commit_listener(dev, l->index, &l->local, l->mode);
	if (rc) {
		error_set(dev, "%s", device_fault(dev->board));
		give_index_back(l);
	}
	return rc;
}

/* In the service thread. */
static int stop_listening(struct hf_device *dev, void *arg)
{
	struct hf_listener *l = arg;
	int rc = service_commit_listener(dev, l->index, NULL, MODE_OFF);

	if (rc)
		error_set(dev, "%s", device_fault(dev->board));
	return rc;
}

int listener_open(struct hf_device *dev, const union address *local, int backlog, enum way way, enum mode mode,
	bool deaf, struct hf_listener **out)
{
	struct hf_listener *l;
	int rc = 0;

	l = new_listener(dev, local, (unsigned)backlog, way, mode, &rc);
	if (!l) {
		error_set(dev, "a listener with a backlog of %d: %s", backlog, strerror(-rc));
		return rc;
	}
	l->deaf = deaf;
	rc = service_run(dev, start_listening, l);
	if (rc) {
		free_listener(l);
		return rc;
	}
	*out = l;
	return 0;
}

struct mode_change {
	struct hf_listener *l;
	enum mode mode;
};

/* In the service thread. */
static int change_mode(struct hf_device *dev, void *arg)
{
	const struct mode_change *change = arg;
	int rc = service_commit_listener(dev, change->l->index, &change->l->local, change->mode);

	if (rc)
		error_set(dev, "%s", device_fault(dev->board));
	else
		change->l->mode = change->mode;
	return rc;
}

int listener_set_mode(struct hf_listener *l, enum mode mode)
{
	struct mode_change change = { l, mode };

	return service_run(l->dev, change_mode, &change);
}

/* Any index, so that hf_close() finds it. */
static int take_place(struct hf_device *dev, struct hf_listener *l)
{
	int rc = -ENOSPC;

	pthread_mutex_lock(&dev->lock);
	for (unsigned i = 0; i < LISTENERS_MAX && rc; i++) {
		if (!dev->listener[i]) {
			dev->listener[i] = l;
			l->index = i;
			rc = 0;
		}
	}
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

/* The queue is the daemon's. */
static int listen_at_daemon(struct hf_device *dev, const union address *local, int backlog, struct hf_listener **out)
{
	char why[ERROR_BYTES] = "";
	int rc = 0;
	struct hf_listener *l = new_listener(dev, local, 1, WAY_REPAIR, MODE_OFFLOAD, &rc);

	if (!l)
		return rc;
	rc = l->channel = client_listen(dev->client, local, backlog, -1, why);
	if (rc < 0)
		error_set(dev, "%s", why);
	else
		rc = take_place(dev, l);
	if (rc < 0)
		free_listener(l);
	else
		*out = l;
	return rc < 0 ? rc : 0;
}

int hf_listen(
	struct hf_device *dev, const struct sockaddr *local, socklen_t length, int backlog, struct hf_listener **out)
{
	union address address;
	int rc = backlog < 1 || backlog > HF_BACKLOG_MAX ? -EINVAL : address_read(local, length, &address);

	if (!rc && !address_port(&address))
		rc = -EINVAL;
	if (rc) {
		error_set(dev, "not an IPv4 or IPv6 address with a port and a backlog of 1 to %d", HF_BACKLOG_MAX);
		return rc;
	}
	return dev->client ? listen_at_daemon(dev, &address, backlog, out)
			   : listener_open(dev, &address, backlog, WAY_REPAIR, MODE_OFFLOAD, false, out);
}

int hf_listener_close(struct hf_listener *l)
{
	struct hf_device *dev;
	int rc;

	if (!l)
		return 0;
	dev = l->dev;
	pthread_mutex_lock(&dev->lock);
	l->closed = true;
	pthread_cond_broadcast(&l->wake);
	pthread_mutex_unlock(&dev->lock);

	if (dev->client) {
		eventfd_write(l->ready, 1); /* nobody reads it: whoever polls sees it */
		rc = 0;
	} else {
		rc = service_run(dev, stop_listening, l);
	}
	give_index_back(l);

	pthread_mutex_lock(&dev->lock);
	while (l->waiting)
		pthread_cond_wait(&l->wake, &dev->lock);
	while (l->count)
		listener_reset_socket(pop(l).fd);
	pthread_mutex_unlock(&dev->lock);
	free_listener(l);
	return rc;
}

/* hf_accept ----------------------------------------------------------------------------------------------------- */

struct timespec deadline_after(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

/* Wait until there is a connection; with the lock held. */
static int wait_for_one(struct hf_listener *l, int timeout_ms)
{
	struct timespec deadline = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
	bool late = false;

	for (;;) {
		if (l->closed)
			return -EBADF;
		if (l->dev->lost)
			return l->dev->lost;
		if (l->count)
			return 0;
		if (timeout_ms == 0)
			return -EAGAIN;
		if (late)
			return -ETIMEDOUT;
		if (timeout_ms < 0)
			pthread_cond_wait(&l->wake, &l->dev->lock);
		else
			late = pthread_cond_timedwait(&l->wake, &l->dev->lock, &deadline) == ETIMEDOUT;
	}
}

/* Wait for the channel. Returns 0, or what hf_accept() returns. */
static int wait_for_channel(struct hf_listener *l, int64_t deadline_ms, bool forever)
{
	struct pollfd fds[] = { { l->channel, POLLIN, 0 }, { l->ready, POLLIN, 0 } };
	int64_t left = deadline_ms - clock_ms();

	if (!forever && left <= 0)
		return -ETIMEDOUT;
	poll(fds, 2, forever ? -1 : (int)left);
	return fds[1].revents ? -EBADF : 0;
}

static int accept_at_daemon(struct hf_listener *l, struct sockaddr_storage *peer, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;
	union address local, remote;
	int rc;

	pthread_mutex_lock(&l->dev->lock);
	l->waiting++;
	pthread_mutex_unlock(&l->dev->lock);
	for (;;) {
		rc = l->closed ? -EBADF : client_take(l->channel, &local, &remote);
		if (rc != -EAGAIN || timeout_ms == 0)
			break;
		rc = wait_for_channel(l, deadline, timeout_ms < 0);
		if (rc)
			break;
	}
	pthread_mutex_lock(&l->dev->lock);
	l->waiting--;
	if (l->closed)
		pthread_cond_broadcast(&l->wake);
	pthread_mutex_unlock(&l->dev->lock);
	if (rc < 0)
		return rc;
	count(l->dev, COUNT_accepted);
	if (peer)
		memcpy(peer, &remote, address_size(&remote));
	return rc;
}

int listener_take(struct hf_listener *l, union address *local, union address *peer, int timeout_ms)
{
	struct hf_device *dev = l->dev;
	struct accepted a = { .fd = -1 };
	int rc;

	pthread_mutex_lock(&dev->lock);
	l->waiting++;
	rc = wait_for_one(l, timeout_ms);
	l->waiting--;
	if (!rc)
		a = pop(l);
	if (l->closed)
		pthread_cond_broadcast(&l->wake); /* hf_listener_close() waits for the last of us */
	pthread_mutex_unlock(&dev->lock);
	if (rc)
		return rc;
	count(dev, COUNT_accepted);
	*local = a.local;
	*peer = a.peer;
	return a.fd;
}

int hf_accept(struct hf_listener *l, struct sockaddr_storage *peer, int timeout_ms)
{
	union address local, remote;
	int rc;

	if (l->channel >= 0)
		return accept_at_daemon(l, peer, timeout_ms);
	rc = listener_take(l, &local, &remote, timeout_ms);
	if (rc >= 0 && peer)
		memcpy(peer, &remote, address_size(&remote));
	return rc;
}

int hf_listener_fd(const struct hf_listener *l)
{
	return l->channel >= 0 ? l->channel : l->ready;
}
