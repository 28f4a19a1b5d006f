/* SPDX-License-Identifier: Apache-2.0
 * board.c - the device: opened, lost, opened again; and what its service thread tells. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../announce.h"
#include "daemon.h"
#include "driver/clock.h"

enum { RETRY_FIRST_MS = 250, RETRY_LAST_MS = 4000, KEY_BYTES = 16 };

/* Hooks: in the service thread ------------------------------------------------------------------------------------------------ */

static bool hook_admit(void *ctx, const struct connection *c)
{
	return rules_admit(ctx, c);
}

static int hook_offer(void *ctx, const struct connection *c, const uint8_t *msg)
{
	return kernel_way_offer(ctx, c, msg);
}

static void hook_handed(void *ctx, const struct connection *c, enum way way, int result)
{
	struct daemon *d = ctx;
	const unsigned largest = sizeof(d->shared.failures) / sizeof(d->shared.failures[0]) - 1;

	if (result < 0) {
		pthread_mutex_lock(&d->shared.lock);
		d->shared.failures[(unsigned)-result < largest ? (unsigned)-result : largest]++;
		pthread_mutex_unlock(&d->shared.lock);
	}
	if (atomic_load(&d->tracing))
		trace_handoff(d, c, way, result);
}

static void hook_event(void *ctx, const uint8_t *msg)
{
	struct daemon *d = ctx;
	uint32_t id = (uint32_t)GET(msg, HEADER, id);

	if (GET(msg, EVENT, code) == HF_EVENT_ESTABLISHED && id != HF_NO_ID) {
		pthread_mutex_lock(&d->shared.lock);
		if ((id & 0xffff) < d->shared.ages) {
			d->shared.age[id & 0xffff].id = id;
			d->shared.age[id & 0xffff].at_ms = clock_ms();
		}
		pthread_mutex_unlock(&d->shared.lock);
	}
	if (GET(msg, EVENT, code) == HF_EVENT_SAMPLE)
		samples_take(d, msg);
	if (atomic_load(&d->tracing))
		trace_event(d, msg);
}

static void hook_frame(void *ctx, const uint8_t *frame, size_t len, bool up, uint64_t time_ns)
{
	struct daemon *d = ctx;

	if (atomic_load(&d->tracing))
		trace_frame(d, frame, len, up, time_ns);
}

static void hook_unconnected_destroyed(void *ctx)
{
	struct daemon *d = ctx;

	pthread_mutex_lock(&d->shared.lock);
	d->shared.listener_destroyed = true;
	pthread_mutex_unlock(&d->shared.lock);
	eventfd_write(d->shared.wake, 1);
}

static void hook_configured(void *ctx)
{
	struct daemon *d = ctx;

	pthread_mutex_lock(&d->shared.lock);
	d->shared.configured = true;
	pthread_mutex_unlock(&d->shared.lock);
	eventfd_write(d->shared.wake, 1);
}

static void hook_lost(void *ctx, int why)
{
	struct daemon *d = ctx;

	pthread_mutex_lock(&d->shared.lock);
	d->shared.board_lost = why;
	pthread_mutex_unlock(&d->shared.lock);
	eventfd_write(d->shared.wake, 1);
}

static void hook_let_go(void *ctx)
{
	daemon_store_board(ctx, NULL, 0);
}

static void hook_resumed(void *ctx, unsigned found, unsigned handed, unsigned released, unsigned waited)
{
	const struct daemon *d = ctx;

	log_line(LOG_NOTICE, "board_taken_over",
		"board %s goes on: %u connections found, %u handed over now, %u ended meanwhile, %u messages had "
		"waited",
		d->config.board, found, handed, released, waited);
}

static int64_t hook_turn(void *ctx)
{
	return kernel_way_turn(ctx);
}

/* Opening --------------------------------------------------------------------------------------------------------------------- */

struct opening {
	struct work work;
	struct hf_device *dev;
	int rc;
	char why[ERROR_BYTES];
};

/* 32 hexadecimal digits. Never shown, whatever is wrong with it. */
static int read_key(const char *path, uint8_t key[KEY_BYTES], char *why)
{
	unsigned n = 0;
	FILE *f = fopen(path, "re");
	int c, rc = f ? 0 : -errno;

	memset(key, 0, KEY_BYTES);
	while (f && (c = fgetc(f)) != EOF) {
		if (isspace(c))
			continue;
		if (!isxdigit(c) || n == 2 * KEY_BYTES) {
			rc = -EINVAL;
			break;
		}
		key[n / 2] = (uint8_t)(key[n / 2] << 4 | (isdigit(c) ? c - '0' : (c | 32) - 'a' + 10));
		n++;
	}
	if (f)
		fclose(f);
	if (!rc && n != 2 * KEY_BYTES)
		rc = -EINVAL;
	if (rc)
		snprintf(why, ERROR_BYTES, "cookie_key_file %.150s: %s", path,
			rc == -EINVAL ? "not 32 hexadecimal digits" : strerror(-rc));
	return rc;
}

/* In any thread; d->config is not changed meanwhile. */
static int open_device(struct daemon *d, struct hf_device **dev, char *why)
{
	const struct config *c = &d->config;
	uint8_t key[KEY_BYTES];
	struct hf_options options = { .address = c->addresses,
		.tap = c->tap,
		.mac = *c->mac ? c->mac : NULL,
		.mtu = c->mtu,
		.half_open = c->half_open };
	struct service_extra extra = { .tap_persistent = c->tap_persistent,
		.tap_fd = d->tap_fd >= 0 ? fcntl(d->tap_fd, F_DUPFD_CLOEXEC, 0) : -1,
		.hooks = { hook_admit, hook_offer, hook_handed, hook_event, hook_frame, hook_unconnected_destroyed,
			hook_configured, hook_lost, hook_turn, hook_let_go, hook_resumed, d },
		.kept = d->kept,
		.kept_fd = d->left,
		.kept_fds = d->lefts };
	int rc = 0;

	if (*c->cookie_key_file) {
		rc = read_key(c->cookie_key_file, key, why);
		extra.cookie_key = key;
	}
	if (!rc) {
		rc = device_start(c->board, &options, &extra, dev);
		d->lefts = 0;
		if (rc)
			snprintf(why, ERROR_BYTES, "%s", hf_error(NULL));
	}
	explicit_bzero(key, sizeof(key));
	if (rc && extra.tap_fd >= 0)
		close(extra.tap_fd);
	return rc;
}

/* A job: the neighbours may know another MAC, of a netdev that is gone. */
static int announce(struct hf_device *dev, void *ignored)
{
	uint8_t frame[ANNOUNCE_BYTES];

	(void)ignored;
	for (unsigned i = 0; i < dev->addresses.count; i++)
		device_frame(dev->board, frame, announce_frame(frame, dev->tap.mac, &dev->addresses.of[i].address));
	return 0;
}

/* There is a device. */
static void opened(struct daemon *d, struct hf_device *dev)
{
	const struct device_board *board = device_board(dev->board);
	int fds[TRANSPORT_KEEP_MAX], n = device_keep(dev->board, fds);

	d->dev = dev;
	d->retry_ms = RETRY_FIRST_MS;
	*d->why = 0;
	memset(d->last_host, 0, sizeof(d->last_host));
	d->primed = false;
	if (d->tap_fd < 0)
		d->tap_fd = fcntl(dev->tap.fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_lock(&d->shared.lock);
	d->shared.board_lost = 0;
	d->shared.configured = false;
	free(d->shared.age);
	d->shared.age = calloc(board->slots, sizeof(d->shared.age[0]));
	d->shared.ages = d->shared.age ? board->slots : 0;
	pthread_mutex_unlock(&d->shared.lock);
	daemon_store_board(d, fds, n < 0 ? 0 : (unsigned)n);
	if (*dev->kept_why)
		log_line(LOG_WARNING, "board_set_up_anew", "board %s is not taken over: %s", d->config.board,
			dev->kept_why);
	log_line(LOG_NOTICE, "board_up", "board %s: %u entries, %u listeners, %u bits, epoch 0x%x; netdev %s",
		d->config.board, (unsigned)board->slots, (unsigned)board->listeners, (unsigned)board->data_w,
		(unsigned)board->epoch, dev->tap.name);
	service_run(dev, announce, NULL);
	rules_place(d);
	samples_start(d);
	if (kernel_way_open(d))
		log_line(LOG_WARNING, "no_kernel_way", "handoff to the kernel's own listeners: %s", d->kernel_why);
	listeners_refresh(d);
	daemon_notify(d);
}

int board_start(struct daemon *d)
{
	struct hf_device *dev;
	int rc = open_device(d, &dev, d->why);

	if (!rc)
		opened(d, dev);
	return rc;
}

void board_resume(struct daemon *d)
{
	int rc = d->dev ? service_run(d->dev, service_resume, NULL) : 0;

	if (rc)
		log_line(LOG_WARNING, "board_taken_over", "not all connections are known: %s", strerror(-rc));
}

void board_stop(struct daemon *d, bool for_good)
{
	if (d->dev && !for_good)
		daemon_store_board(d, NULL, 0);
	if (d->dev) {
		listeners_lost(d);
		rules_lost(d);
		kernel_way_close(d);
		hf_close(d->dev);
		d->dev = NULL;
	}
	if (for_good && d->tap_fd >= 0) {
		close(d->tap_fd);
		d->tap_fd = -1;
	}
	if (for_good)
		free(d->shared.age);
}

/* Loss ------------------------------------------------------------------------------------------------------------------------ */

static void run_opening(struct work *w)
{
	struct opening *o = (struct opening *)w;

	o->rc = open_device(w->d, &o->dev, o->why);
}

static void opening_done(struct work *w)
{
	struct opening *o = (struct opening *)w;
	struct daemon *d = w->d;

	d->opening = false;
	if (d->loop.stop) {
		if (!o->rc)
			hf_close(o->dev);
	} else if (!o->rc) {
		opened(d, o->dev);
	} else {
		snprintf(d->why, sizeof(d->why), "%s", o->why);
		log_line(LOG_DEBUG, "board_retry", "board %s: %s", d->config.board, o->why);
		d->retry_ms = d->retry_ms * 2 < RETRY_LAST_MS ? d->retry_ms * 2 : RETRY_LAST_MS;
		loop_arm(&d->loop, &d->retry, d->retry_ms);
	}
	free(o);
}

static void on_retry(struct timer *t)
{
	struct daemon *d = (struct daemon *)((char *)t - offsetof(struct daemon, retry));
	struct opening *o;

	if (d->dev) {
		/* Calls that are under way end by themselves, now that the board is lost. */
		if (d->workers) {
			loop_arm(&d->loop, &d->retry, 10);
			return;
		}
		board_stop(d, false);
	}
	o = calloc(1, sizeof(*o));
	if (o) {
		o->work.run = run_opening;
		o->work.done = opening_done;
	}
	if (!o || worker_start(d, &o->work)) {
		free(o);
		loop_arm(&d->loop, &d->retry, d->retry_ms);
		return;
	}
	d->opening = true;
}

void board_on_wake(struct source *s, uint32_t events)
{
	struct daemon *d = (struct daemon *)((char *)s - offsetof(struct daemon, wake));
	bool destroyed, configured, too_many;
	eventfd_t n;
	int lost;

	(void)events;
	eventfd_read(s->fd, &n);
	pthread_mutex_lock(&d->shared.lock);
	destroyed = d->shared.listener_destroyed;
	d->shared.listener_destroyed = false;
	lost = d->shared.board_lost;
	d->shared.board_lost = 0;
	configured = d->shared.configured;
	d->shared.configured = false;
	too_many = d->shared.samples.too_many;
	pthread_mutex_unlock(&d->shared.lock);
	if (lost && d->dev) {
		snprintf(d->why, sizeof(d->why), "%s", hf_error(d->dev));
		log_line(LOG_ERR, "board_lost",
			"board %s is lost: %s; established connections go on, it is tried again", d->config.board,
			d->why);
		d->retry.due = on_retry;
		d->retry_ms = RETRY_FIRST_MS;
		loop_arm(&d->loop, &d->retry, 0);
	} else if (destroyed) {
		listeners_refresh(d);
	}
	if (configured && !lost) {
		/* After a reset: it has its rules again, perhaps room for fewer, and shows no samples. */
		rules_place(d);
		samples_start(d);
	}
	if (too_many)
		samples_too_many(d);
	control_trace(d);
}
