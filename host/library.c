/* SPDX-License-Identifier: Apache-2.0
 * library.c - hf_open, hf_close, hf_stats, hf_error. */
#include "library.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "watch.h"

#define CONNECT_TIMEOUT_MS 1000
#define FALLBACK_RCV_WND   32768 /* where the kernel cannot be asked; every Linux grants that much */
#define MTU_MIN		   68	 /* RFC 791 */
#define MTU_USUAL	   1500
#define MTU_MIN6	   1280 /* RFC 8200 5 */
#define MAX_FRAME_OVERHEAD 22	/* Ethernet header and two VLAN tags */

static _Thread_local char open_error[ERROR_BYTES];

/* Errors ---------------------------------------------------------------------------------------------------------- */

void error_set(struct hf_device *dev, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&dev->error_lock);
	va_start(args, format);
	vsnprintf(dev->error, sizeof(dev->error), format, args);
	va_end(args);
	pthread_mutex_unlock(&dev->error_lock);
}

const char *hf_error(struct hf_device *dev)
{
	static _Thread_local char copy[ERROR_BYTES];

	if (!dev)
		return open_error;
	pthread_mutex_lock(&dev->error_lock);
	memcpy(copy, dev->error, sizeof(copy));
	pthread_mutex_unlock(&dev->error_lock);
	return copy;
}

/* hf_open --------------------------------------------------------------------------------------------------------- */

static int open_board(struct hf_device *dev, const struct settings *s)
{
	struct transport *t;
	char why[DEVICE_FAULT_BYTES > TRANSPORT_WHY_BYTES ? DEVICE_FAULT_BYTES : TRANSPORT_WHY_BYTES];
	int rc = transport_open(s->uri, CONNECT_TIMEOUT_MS, &t, why);

	if (rc) {
		error_set(dev, "connect to the board at %s: %s", s->uri, why);
		return rc;
	}
	rc = device_open(t, &service_events, dev, s->hello_ms, &dev->board, why);
	if (rc) {
		error_set(dev, "board at %s: %s", s->uri, why);
		transport_close(t);
	}
	return rc;
}

/* Go on over the descriptors that another process left. */
static int resume_board(struct hf_device *dev, const struct settings *s, const struct service_extra *extra)
{
	struct transport *t;
	char why[DEVICE_FAULT_BYTES > TRANSPORT_WHY_BYTES ? DEVICE_FAULT_BYTES : TRANSPORT_WHY_BYTES];
	int rc = transport_resume(s->uri, extra->kept_fd, extra->kept_fds, &t, why);

	if (!rc) {
		rc = device_resume(t, &dev->kept->board, kept_numbers(dev->kept), &service_events, dev, s->hello_ms,
			&dev->board, why);
		if (rc)
			transport_close(t);
	}
	if (rc)
		snprintf(dev->kept_why, sizeof(dev->kept_why), "%s", why);
	return rc;
}

static bool same_board(const struct device_board *a, const struct device_board *b)
{
	return a->version == b->version && a->epoch == b->epoch && a->slots == b->slots &&
	       a->listeners == b->listeners && a->max_frame == b->max_frame;
}

/* The board as another process left it, or else a board. What it sends is held if it is the former. */
static int find_board(struct hf_device *dev, const struct settings *s, const struct service_extra *extra)
{
	const struct kept *k = dev->kept;
	int rc = -ENOENT;

	dev->holding = k && k->valid && !strncmp(k->uri, s->uri, sizeof(k->uri));
	if (!dev->holding) {
		for (unsigned i = 0; i < extra->kept_fds; i++)
			close(extra->kept_fd[i]);
	} else {
		dev->held_id = malloc(k->board.slots * sizeof(dev->held_id[0]));
		if (!dev->held_id)
			return -ENOMEM;
		memset(dev->held_id, 0xff, k->board.slots * sizeof(dev->held_id[0])); /* HF_NO_ID */
		if (extra->kept_fds)
			rc = resume_board(dev, s, extra);
	}
	if (rc) {
		if (extra->kept_fds && dev->hooks.let_go)
			dev->hooks.let_go(dev->hooks.ctx);
		service_drop_held(dev);
		dev->reset_seen = false;
		rc = open_board(dev, s);
	}
	if (!rc && dev->holding && (dev->reset_seen || !same_board(device_board(dev->board), &k->board))) {
		if (!*dev->kept_why)
			snprintf(dev->kept_why, sizeof(dev->kept_why), "the board was reset meanwhile");
		dev->holding = false;
	}
	return rc;
}

/* A board that runs is taken over; all others are set up. */
static int begin(struct hf_device *dev, const struct settings *s)
{
	int rc = 0;

	if (dev->holding) {
		rc = service_matches(dev);
		if (rc) {
			snprintf(dev->kept_why, sizeof(dev->kept_why), "%s",
				rc == -ESTALE ? "it is set up otherwise than the config wants"
					      : device_fault(dev->board));
			dev->holding = false;
		}
	}
	if (dev->holding) {
		rc = service_take_over(dev);
	} else {
		service_drop_held(dev);
		if (dev->kept)
			kept_begin(dev->kept, s->uri, device_board(dev->board));
		rc = service_configure(dev);
	}
	if (rc)
		error_set(dev, "set up the board: %s", device_fault(dev->board));
	return rc;
}

/* What HELLO allows and the caller asked for. */
static int choose_limits(struct hf_device *dev, const struct settings *s)
{
	const struct device_board *board = device_board(dev->board);
	unsigned mtu_max =
		board->max_frame < MTU_MIN + MAX_FRAME_OVERHEAD ? MTU_MIN : board->max_frame - MAX_FRAME_OVERHEAD;
	unsigned mtu_min = MTU_MIN;

	dev->mtu = s->mtu ? s->mtu : mtu_max < MTU_USUAL ? mtu_max : MTU_USUAL;
	for (unsigned i = 0; i < s->addresses.count; i++) {
		if (address_is6(&s->addresses.of[i].address))
			mtu_min = MTU_MIN6;
	}
	if (dev->mtu < mtu_min || dev->mtu > mtu_max) {
		error_set(dev, "options.mtu %u is outside %u to %u", dev->mtu, mtu_min, mtu_max);
		return -EINVAL;
	}
	dev->half_open = s->half_open ? s->half_open : (board->slots + 1) / 2;
	if (dev->half_open > 65535)
		dev->half_open = 65535; /* what LISTEN_BACKLOG can hold */
	dev->addresses = s->addresses;
	return 0;
}

/* Another address of the same network, to ask the kernel about connections over this netdev; the same if there is none. */
static union address neighbour(const struct tap_address *own)
{
	size_t octets = address_octet_count(&own->address);
	unsigned host_bits = (unsigned)(8 * octets) - own->prefix;
	union address a = own->address;
	uint8_t *last = (uint8_t *)(uintptr_t)address_octets(&a) + octets - 1;
	uint8_t mask = host_bits < 8 ? (uint8_t)((1u << host_bits) - 1) : 0xff, before = *last;

	for (uint8_t flip = 1; flip < 4 && flip <= mask; flip++) {
		uint8_t host = (before ^ flip) & mask;

		/* All zeros and all ones are no host, but on a point-to-point link (RFC 3021, RFC 6164). */
		*last = before ^ flip;
		if (mask == 1 || (host && host != mask))
			return a;
	}
	return own->address;
}

/* What the kernel would advertise is the same for every address of the netdev. */
static int ask_kernel(struct hf_device *dev)
{
	int rc = -ENETUNREACH;

	for (unsigned i = 0; i < dev->addresses.count && rc == -ENETUNREACH; i++) {
		const union address *own = &dev->addresses.of[i].address;
		union address peer = neighbour(&dev->addresses.of[i]);

		if (!address_same_host(&peer, own))
			rc = handoff_limits(own, &peer, dev->mtu - (address_is6(own) ? HEADERS6 : HEADERS4),
				&dev->rcv_wnd, &dev->wscale);
	}
	if (rc == -ENETUNREACH) {
		dev->rcv_wnd = FALLBACK_RCV_WND;
		dev->wscale = 0;
		rc = 0;
	}
	if (rc == -EPERM)
		error_set(dev, "TCP_REPAIR: not permitted; CAP_NET_ADMIN in this network namespace is needed");
	else if (rc)
		error_set(dev, "TCP_REPAIR: %s", strerror(-rc));
	return rc;
}

static int start_thread(struct hf_device *dev)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&dev->thread, NULL, service_thread, dev);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		error_set(dev, "start the service thread: %s", strerror(-rc));
	return rc;
}

struct hf_device *device_new(void)
{
	struct hf_device *dev = calloc(1, sizeof(*dev));
	pthread_condattr_t attr;

	if (!dev)
		return NULL;
	pthread_mutex_init(&dev->lock, NULL);
	pthread_mutex_init(&dev->error_lock, NULL);
	pthread_cond_init(&dev->job_done, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&dev->attempt_done, &attr);
	pthread_condattr_destroy(&attr);
	dev->options = 1u << HF_LISTEN_OPTS_WS_LOW | 1u << HF_LISTEN_OPTS_SACK_LOW | 1u << HF_LISTEN_OPTS_TS_LOW;
	dev->held_end = &dev->held;
	dev->tap.fd = dev->watch = dev->kick = dev->extra_fd = -1;
	return dev;
}

static void free_device(struct hf_device *dev)
{
	client_close(dev->client);
	service_drop_held(dev);
	free(dev->held_id);
	if (dev->leaving) {
		device_leave(dev->board);
	} else {
		if (dev->kept)
			dev->kept->valid = 0;
		device_close(dev->board);
	}
	tap_close(&dev->tap);
	if (dev->watch >= 0)
		close(dev->watch);
	if (dev->kick >= 0)
		close(dev->kick);
	explicit_bzero(dev->cookie_key, sizeof(dev->cookie_key));
	owned_free(dev->owned);
	pthread_cond_destroy(&dev->attempt_done);
	pthread_cond_destroy(&dev->job_done);
	pthread_mutex_destroy(&dev->error_lock);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

/* Everything but memory for the device itself. */
static int set_up(struct hf_device *dev, const struct settings *s, const struct service_extra *extra)
{
	const char *step;
	int rc;

	dev->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (dev->kick < 0) {
		rc = -errno;
		error_set(dev, "create an eventfd: %s", strerror(-rc));
		return rc;
	}
	rc = find_board(dev, s, extra);
	if (!rc)
		rc = choose_limits(dev, s);
	if (rc)
		return rc;
	dev->owned = owned_new(device_board(dev->board)->slots);
	if (!dev->owned) {
		error_set(dev, "out of memory");
		return -ENOMEM;
	}
	rc = tap_open(&dev->tap, extra->tap_fd, s->tap, s->mac_given ? s->mac : NULL, &s->addresses, dev->mtu,
		extra->tap_persistent, &step);
	if (rc) {
		error_set(dev, "TAP netdev %s: %s: %s", s->tap, step, strerror(-rc));
		return rc;
	}
	/* Without it (a kernel without inet_diag), entries are released when half of the table is full. */
	dev->watch = watch_open();
	rc = ask_kernel(dev);
	if (rc)
		return rc;
	rc = begin(dev, s);
	return rc ? rc : start_thread(dev);
}

static int open_daemon(const char *path, struct hf_device **out)
{
	struct hf_device *dev = device_new();
	int rc;

	if (!dev) {
		snprintf(open_error, sizeof(open_error), "out of memory");
		return -ENOMEM;
	}
	rc = client_open(path, &dev->client, open_error);
	if (rc) {
		free_device(dev);
		return rc;
	}
	*open_error = 0;
	*out = dev;
	return 0;
}

int hf_open(const char *uri, const struct hf_options *options, struct hf_device **out)
{
	return device_start(uri, options, NULL, out);
}

int device_start(
	const char *uri, const struct hf_options *options, const struct service_extra *extra, struct hf_device **out)
{
	static const struct service_extra none = { .tap_fd = -1 };
	static const char daemon[] = "daemon:";
	struct hf_device *dev;
	struct settings s;
	int rc;

	if (uri && !strncmp(uri, daemon, sizeof(daemon) - 1))
		return open_daemon(uri + sizeof(daemon) - 1, out);
	rc = settings_parse(uri, options, &s, open_error);
	if (rc)
		return rc;
	dev = device_new();
	if (!dev) {
		snprintf(open_error, sizeof(open_error), "out of memory");
		return -ENOMEM;
	}
	if (!extra)
		extra = &none;
	dev->hooks = extra->hooks;
	dev->kept = extra->kept;
	dev->cookie_key_fixed = extra->cookie_key != NULL;
	if (extra->cookie_key)
		memcpy(dev->cookie_key, extra->cookie_key, sizeof(dev->cookie_key));
	rc = set_up(dev, &s, extra);
	if (rc) {
		memcpy(open_error, dev->error, sizeof(open_error));
		free_device(dev);
		return rc;
	}
	*open_error = 0;
	*out = dev;
	return 0;
}

void hf_close(struct hf_device *dev)
{
	if (!dev)
		return;
	for (unsigned i = 0; i < LISTENERS_MAX; i++) {
		struct hf_listener *l;

		pthread_mutex_lock(&dev->lock);
		l = dev->listener[i];
		pthread_mutex_unlock(&dev->lock);
		hf_listener_close(l);
	}
	if (dev->client) {
		free_device(dev);
		return;
	}
	pthread_mutex_lock(&dev->lock);
	dev->stop = true;
	pthread_mutex_unlock(&dev->lock);
	eventfd_write(dev->kick, 1);
	pthread_join(dev->thread, NULL);
	free_device(dev);
}

/* hf_stats -------------------------------------------------------------------------------------------------------- */

static const char *const stat_name[] = {
#define COUNTER(name, doc) "board." #name,
#include "regs/counter.def"
#undef COUNTER
#define COUNTER(name, doc) "host." #name,
#include "counter.def"
#undef COUNTER
};

static int read_counter(struct hf_device *dev, unsigned index, uint64_t *value)
{
	uint32_t low = 0, high = 0;
	int rc = device_reg_read(dev->board, HF_REG_COUNTER(index), &low);

	if (!rc)
		rc = device_reg_read(dev->board, HF_REG_COUNTER(index) + 4, &high);
	*value = (uint64_t)high << 32 | low;
	return rc;
}

struct stats_request {
	struct hf_stat *stats;
	size_t max;
};

/* In the service thread. */
static int read_stats(struct hf_device *dev, void *arg)
{
	const struct device_stats *board = device_stats(dev->board);
	const struct stats_request *want = arg;
	int rc = device_reg_write(dev->board, HF_REG_SNAPSHOT, 0);

	atomic_store(&dev->count[COUNT_bad_messages], board->bad_messages);
	atomic_store(&dev->count[COUNT_refused_messages], board->refused_messages);
	atomic_store(&dev->count[COUNT_command_timeouts], board->command_timeouts);
	for (unsigned i = 0; i < want->max && !rc; i++) {
		want->stats[i].name = stat_name[i];
		if (i < HF_CNT_COUNT)
			rc = read_counter(dev, i, &want->stats[i].value);
		else
			want->stats[i].value = atomic_load(&dev->count[i - HF_CNT_COUNT]);
	}
	if (rc)
		error_set(dev, "%s", device_fault(dev->board));
	return rc;
}

static int stats_of_daemon(struct hf_device *dev, struct hf_stat *stats, size_t max, size_t all)
{
	uint64_t value[sizeof(stat_name) / sizeof(stat_name[0])];
	char why[ERROR_BYTES] = "";
	int n = client_stats(dev->client, value, all, why);

	if (n < 0) {
		error_set(dev, "%s", why);
		return n;
	}
	if ((size_t)n != all)
		return -EPROTO;
	for (size_t i = 0; i < max; i++)
		stats[i] = (struct hf_stat){ stat_name[i], value[i] };
	return 0;
}

int hf_stats(struct hf_device *dev, struct hf_stat *stats, size_t max)
{
	const size_t all = sizeof(stat_name) / sizeof(stat_name[0]);
	struct stats_request want = { stats, max < all ? max : all };
	int rc = 0;

	if (max)
		rc = dev->client ? stats_of_daemon(dev, stats, want.max, all) : service_run(dev, read_stats, &want);
	return rc ? rc : (int)all;
}

/* hf_close_socket ------------------------------------------------------------------------------------------------- */

int hf_close_socket(struct hf_device *dev, int fd, int flags)
{
	char why[ERROR_BYTES] = "";
	int rc;

	if (flags & ~HF_CLOSE_OFFLOAD)
		return -EINVAL;
	if (!(flags & HF_CLOSE_OFFLOAD))
		return close(fd) ? -errno : 0;
	if (!dev->client) {
		rc = closing_run(dev, fd, 1);
	} else {
		rc = client_close_socket(dev->client, fd, why);
		if (rc)
			error_set(dev, "%s", why);
	}
	if (!rc)
		close(fd); /* frozen: nothing is sent */
	return rc;
}
