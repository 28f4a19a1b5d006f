/* SPDX-License-Identifier: Apache-2.0
 * kernel_way.c - connections to the kernel's own listeners (host/bpf). The service thread owns the kernel_listener; the main thread
 * reaches it by jobs, or when the service thread has ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../bpf/kernel_listener.h"
#include "daemon.h"
#include "driver/clock.h"

struct offer {
	struct offer *next, **at;
	struct connection c;
	uint8_t msg[DEVICE_MESSAGE_BYTES];
	int64_t since_us;
	bool again; /* its stale predecessor was destroyed already */
};

struct kernel_way {
	struct daemon *d;
	struct hf_device *dev;
	struct kernel_listener *kl;
	struct offer *offers;
	_Atomic uint64_t again, hold_us, held;
};

/* In the service thread ------------------------------------------------------------------------------------------------------ */

static int inject(void *ctx, const uint8_t *frame, size_t len)
{
	struct kernel_way *w = ctx;

	return w->dev->tap.fd < 0 ? -ENODEV : tap_write(&w->dev->tap, frame, len, true);
}

static void offer_free(struct offer *o)
{
	*o->at = o->next;
	if (o->next)
		o->next->at = o->at;
	free(o);
}

static void decide(struct kernel_way *w, struct offer *o, enum kernel_listener_reason why, uint64_t cookie)
{
	struct connection c = o->c;
	int64_t since_us = o->since_us;
	uint8_t msg[sizeof(o->msg)];

	/* As with TCP_REPAIR: a handshake with an entry has proved the peer, a cookie alone ends no live connection. */
	if (why == KERNEL_LISTENER_EXISTS && !c.cookie && !o->again && !service_destroy_stale(w->dev, &c)) {
		o->again = true;
		if (!kernel_listener_offer(w->kl, o->msg, (uint64_t)(uintptr_t)o, clock_ms(), &why))
			return;
	}
	memcpy(msg, o->msg, sizeof(msg));
	offer_free(o);
	if (why == KERNEL_LISTENER_EXISTS && c.cookie) {
		service_doubt(w->dev, &c, msg);
		return;
	}
	if (!why) {
		w->hold_us += (uint64_t)(clock_us() - since_us);
		w->held++;
	}
	service_offered(w->dev, &c, kernel_listener_errno(why), cookie);
}

static void done(void *ctx, uint64_t tag, enum kernel_listener_reason why, uint64_t cookie, unsigned tries)
{
	struct kernel_way *w = ctx;

	if (tries > 1)
		w->again += tries - 1;
	decide(w, (struct offer *)(uintptr_t)tag, why, cookie);
}

int kernel_way_offer(struct daemon *d, const struct connection *c, const uint8_t *msg)
{
	struct kernel_way *w = d->kernel_way;
	enum kernel_listener_reason why = KERNEL_LISTENER_NONE;
	struct offer *o = w && w->kl ? calloc(1, sizeof(*o)) : NULL;

	if (!o)
		return w ? -ENOMEM : -EOPNOTSUPP;
	o->c = *c;
	o->since_us = clock_us();
	memcpy(o->msg, msg, sizeof(o->msg));
	o->next = w->offers;
	o->at = &w->offers;
	if (o->next)
		o->next->at = &o->next;
	w->offers = o;
	if (kernel_listener_offer(w->kl, msg, (uint64_t)(uintptr_t)o, clock_ms(), &why))
		decide(w, o, why, 0);
	return 0;
}

int64_t kernel_way_turn(struct daemon *d)
{
	struct kernel_way *w = d->kernel_way;

	return w && w->kl ? kernel_listener_step(w->kl, clock_ms()) : -1;
}

/* A job. */
static int open_it(struct hf_device *dev, void *arg)
{
	struct kernel_way *w = arg;
	struct kernel_listener_options options = { .ifindex = dev->tap.ifindex,
		.min_rcv_wnd = dev->rcv_wnd,
		.inject = inject,
		.done = done,
		.ctx = w,
		.pins = w->d->config.bpf_pins };
	enum kernel_listener_reason why = KERNEL_LISTENER_NONE;
	int rc;

	memcpy(options.mac, dev->tap.mac, sizeof(options.mac));
	rc = kernel_listener_open(&options, &w->kl, &why);
	if (rc) {
		w->kl = NULL;
		snprintf(w->d->kernel_why, sizeof(w->d->kernel_why), "%s",
			why ? kernel_listener_sentence(why) : strerror(-rc));
		return rc;
	}
	rc = kernel_listener_pinned(w->kl);
	if (rc < 0 && *w->d->config.bpf_pins)
		log_line(LOG_INFO, "bpf_not_pinned", "BPF programs are not pinned below %s: %s", w->d->config.bpf_pins,
			strerror(-rc));
	else if (rc > 0)
		log_line(LOG_NOTICE, "bpf_taken_over", "BPF programs of the process before are taken over");
	w->d->kernel_way = w;
	dev->extra_fd = kernel_listener_fd(w->kl);
	return 0;
}

static int close_it(struct hf_device *dev, void *arg)
{
	struct kernel_way *w = arg;

	dev->extra_fd = -1;
	w->d->kernel_way = NULL;
	kernel_listener_close(w->kl, dev->leaving);
	w->kl = NULL;
	return 0;
}

struct question {
	struct kernel_way *w;
	const union address *local;
	enum kernel_listener_reason why;
};

static int serves(struct hf_device *dev, void *arg)
{
	struct question *q = arg;
	unsigned kernel = kernel_listener_tcp_options();
	/* From the bits of an EVENT to those of LISTEN_OPTS. */
	unsigned options = (kernel & 1) << HF_LISTEN_OPTS_WS_LOW | (kernel >> 1 & 1) << HF_LISTEN_OPTS_TS_LOW |
			   (kernel >> 2 & 1) << HF_LISTEN_OPTS_SACK_LOW;
	int rc = kernel_listener_serves(q->w->kl, &q->local->sa, address_size(q->local), &q->why);

	service_set_options(dev, &options);
	return rc;
}

/* In the main thread --------------------------------------------------------------------------------------------------------- */

int kernel_way_open(struct daemon *d)
{
	struct kernel_way *w = calloc(1, sizeof(*w));
	int rc = -ENOMEM;

	*d->kernel_why = 0;
	if (w) {
		w->d = d;
		w->dev = d->dev;
		rc = service_run(d->dev, open_it, w);
	}
	if (rc) {
		if (!*d->kernel_why)
			snprintf(d->kernel_why, sizeof(d->kernel_why), "%s", strerror(-rc));
		free(w);
	}
	return rc;
}

void kernel_way_close(struct daemon *d)
{
	struct kernel_way *w = d->kernel_way;

	if (!w)
		return;
	/* An error: the service thread has ended, and nobody else uses it. */
	if (service_run(d->dev, close_it, w))
		close_it(d->dev, w);
	while (w->offers)
		offer_free(w->offers);
	free(w);
}

enum reason kernel_way_serves(struct daemon *d, const union address *local, char *why)
{
	struct question q = { d->kernel_way, local, KERNEL_LISTENER_NONE };
	int rc;

	if (!q.w) {
		snprintf(why, WHY_BYTES, "%.150s", d->kernel_why);
		return REASON_NO_KERNEL_WAY;
	}
	rc = service_run(d->dev, serves, &q);
	if (!rc)
		return REASON_NONE;
	snprintf(why, WHY_BYTES, "%.150s", q.why ? kernel_listener_sentence(q.why) : strerror(-rc));
	switch (q.why) {
	case KERNEL_LISTENER_NO_LISTENER:
		return REASON_NO_LISTENER;
	case KERNEL_LISTENER_OTHER_NAMESPACE:
		return REASON_NETNS;
	case KERNEL_LISTENER_MPTCP:
		return REASON_MPTCP;
	case KERNEL_LISTENER_SMALL_RCVBUF:
		return REASON_RCVBUF;
	case KERNEL_LISTENER_NONE:
		return REASON_BOARD;
	default:
		return REASON_NO_KERNEL_WAY;
	}
}

uint64_t kernel_way_again(struct daemon *d)
{
	return d->kernel_way ? d->kernel_way->again : 0;
}

void kernel_way_hold(struct daemon *d, uint64_t *us, uint64_t *of)
{
	*us = d->kernel_way ? d->kernel_way->hold_us : 0;
	*of = d->kernel_way ? d->kernel_way->held : 0;
}
