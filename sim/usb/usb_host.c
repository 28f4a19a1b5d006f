/* SPDX-License-Identifier: Apache-2.0
 * usb_host.c - `--host usbip:ADDR:PORT`: the board as a USB device that any Linux attaches.
 *
 *	core ── messages ── card's end of the byte link ── chip ── USB device ── USB/IP ── kernel, or tests
 *
 * With the C model the link and the chip are the functional ones; with RTL they are RTL and pins (usb_board.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "../../driver/clock.h"
#include "../board_host.h"
#include "../options.h"
#include "chip_functional.h"
#include "usb_board.h"
#include "usbip_server.h"

enum {
	US_PER_S = 1000000,
	READY_CLOCKS = 1 << 20, /* of a core after reset, the sweep of the largest table included */
	/* The RTL's timers count milliseconds that only a board that is awake gives it: each one while something was
	 * moved lately, else now and then. */
	AWAKE_US = 100000,
	TICK_US = 1000,
	NOW_AND_THEN_US = 100000,
	ROUNDS_MORE = 64 /* of the simulation after bytes last moved: what is in the link comes out */
};

struct message {
	struct message *next;
	size_t len;
	uint8_t bytes[];
};

struct usb_host {
	struct board_host h;
	struct usbip_server *server;
	bool is_rtl;
	uint64_t seed;
	struct card_link *card; /* the functional one */
	struct chip_functional chip;
	struct usb_board *rtl; /* or this, once it is attached */
	size_t out_room, in_bytes;
	unsigned rounds; /* without a move */
	int64_t now, moved_at;
	int timer_fd;
	struct message *first, **last; /* of the core, for which the link has no room: c2h is held meanwhile */
	bool lost;		       /* memory was short */
};

/* The chip: one or the other. */

static int chip_control(
	void *ctx, uint8_t type, uint8_t request, uint16_t value, uint16_t index, uint8_t *data, uint16_t length)
{
	struct usb_host *h = ctx;

	if (!h->is_rtl)
		return chip_functional_ops.control(&h->chip, type, request, value, index, data, length);
	return h->rtl ? ft2232h_control(usb_board_chip(h->rtl), type, request, value, index, data, length) : -EPIPE;
}

static bool chip_bulk_out(void *ctx, const uint8_t *data, size_t len)
{
	struct usb_host *h = ctx;

	if (!h->is_rtl)
		return chip_functional_ops.bulk_out(&h->chip, data, len);
	return h->rtl && ft2232h_bulk_out(usb_board_chip(h->rtl), data, len);
}

static size_t chip_bulk_in(void *ctx, uint8_t packet[USB_DEVICE_PACKET])
{
	struct usb_host *h = ctx;

	if (!h->is_rtl)
		return chip_functional_ops.bulk_in(&h->chip, packet);
	return h->rtl ? ft2232h_bulk_in(usb_board_chip(h->rtl), packet) : 0;
}

static void chip_bus_reset(void *ctx)
{
	struct usb_host *h = ctx;

	if (!h->is_rtl)
		chip_functional_ops.bus_reset(&h->chip);
	else if (h->rtl)
		ft2232h_bus_reset(usb_board_chip(h->rtl));
}

static const struct usb_chip_ops chip_ops = { chip_control, chip_bulk_out, chip_bulk_in, chip_bus_reset };

static void usb_host_close(struct board_host *host)
{
	struct usb_host *h = (struct usb_host *)host;

	if (h->server)
		usbip_server_close(h->server);
	while (h->first) {
		struct message *next = h->first->next;

		free(h->first);
		h->first = next;
	}
	card_link_free(h->card);
	usb_board_close(h->rtl);
	if (h->timer_fd >= 0)
		close(h->timer_fd);
	free(h);
}

static int usb_host_open(const struct board_host_options *o, struct board_host **out, char *error, size_t size)
{
	struct usb_host *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return error_text(-ENOMEM, error, size, "out of memory");
	h->h.ops = &usbip_host_ops;
	h->last = &h->first;
	h->is_rtl = o->kind != ENGINE_MODEL;
	h->seed = o->seed;
	h->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	h->card = card_link_new();
	if (h->timer_fd < 0 || !h->card) {
		rc = error_text(-ENOMEM, error, size, "out of memory");
	} else {
		chip_functional_init(&h->chip, h->card);
		h->now = h->chip.now = clock_us();
		rc = usbip_server_open(o->where, &chip_ops, h, &h->server, error, size);
	}
	if (rc) {
		usb_host_close(&h->h);
		return rc;
	}
	*out = &h->h;
	return 0;
}

static int usb_host_attach(struct board_host *host, struct session *s)
{
	struct usb_host *h = (struct usb_host *)host;
	int rc;

	if (h->is_rtl) {
		rc = usb_board_open(&h->rtl, s->sim, h->seed);
		if (rc && rc != -ENOTSUP)
			return rc;
		h->is_rtl = !rc; /* the RTL of the link is for 64 bits */
	}
	if (h->is_rtl) {
		/* It has reset the core. */
		s->ready = false;
		for (unsigned i = 0; i < READY_CLOCKS && !s->ready; i++)
			sim_step(s->sim);
		return s->ready ? 0 : -EIO;
	}
	card_link_hello(h->card, s->hello, sizeof(s->hello));
	return 0;
}

/* When the link or the latency timer has something to do by itself. */
static void set_timer(const struct usb_host *h)
{
	int64_t due = card_link_due(h->card);
	struct itimerspec t = { 0 };

	if (h->is_rtl)
		due = !usbip_server_attached(h->server) ? INT64_MAX
		      : h->now - h->moved_at < AWAKE_US ? h->now + TICK_US
							: h->now + NOW_AND_THEN_US;
	else if (usbip_server_attached(h->server) && usb_device_waits(usbip_server_device(h->server)) &&
		 chip_functional_due(&h->chip) < due)
		due = chip_functional_due(&h->chip);
	if (due != INT64_MAX) {
		if (due < 1)
			due = 1;
		t.it_value.tv_sec = due / US_PER_S;
		t.it_value.tv_nsec = due % US_PER_S * 1000;
	}
	timerfd_settime(h->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static unsigned usb_host_poll(const struct board_host *host, struct pollfd *fds)
{
	const struct usb_host *h = (const struct usb_host *)host;

	set_timer(h);
	fds[0] = (struct pollfd){ .fd = usbip_server_fd(h->server), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = h->timer_fd, .events = POLLIN };
	return 2;
}

/* Give the link what it has room for. */
static void push(struct usb_host *h, struct session *s)
{
	struct message *m;

	while ((m = h->first) && card_link_room(h->card, m->len)) {
		card_link_c2h(h->card, m->bytes, m->len);
		h->first = m->next;
		if (!h->first)
			h->last = &h->first;
		free(m);
	}
	s->sim->hold_c2h = h->first != NULL;
}

static void usb_host_serve(struct board_host *host, struct session *s, const struct pollfd *fds)
{
	struct usb_host *h = (struct usb_host *)host;
	const char *error;

	uint64_t rings;

	h->now = h->chip.now = clock_us();
	if (fds[1].revents && read(h->timer_fd, &rings, sizeof(rings)) < 0)
		h->rounds = 0; /* it was set anew meanwhile */
	if (card_link_due(h->card) <= h->chip.now)
		card_link_tick(h->card, h->chip.now);
	if (!h->is_rtl)
		push(h, s);
	if (usbip_server_run(h->server)) {
		h->rounds = 0;
		h->moved_at = h->now;
	}
	if (!h->is_rtl)
		push(h, s);
	error = usbip_server_error(h->server);
	if (*error)
		fprintf(stderr, "board: usbip: %s\n", error);
}

/* Whether the simulation must run on: bytes move between USB and chip, or between chip and card, or did a moment ago. */
static bool rtl_moves(struct usb_host *h)
{
	size_t out_room = ft2232h_out_room(usb_board_chip(h->rtl)), in_bytes = ft2232h_in_bytes(usb_board_chip(h->rtl));

	if (out_room != h->out_room || in_bytes != h->in_bytes) {
		h->out_room = out_room;
		h->in_bytes = in_bytes;
		h->rounds = 0;
		h->moved_at = h->now;
	} else if (h->rounds < ROUNDS_MORE) {
		h->rounds++;
	}
	return h->rounds < ROUNDS_MORE;
}

static unsigned usb_host_take(struct board_host *host, struct session *s, unsigned ahead)
{
	struct usb_host *h = (struct usb_host *)host;
	const uint8_t *msg;
	unsigned taken = 0;
	size_t len;

	if (h->is_rtl)
		return rtl_moves(h);

	while (sim_h2c_pending(s->sim) < ahead && (msg = card_link_h2c(h->card, &len))) {
		if (!session_h2c(s, msg, len))
			taken++;
		card_link_h2c_done(h->card);
	}
	/* The window is open again, the host may be told. */
	if (taken)
		usbip_server_run(h->server);
	return taken;
}

static void usb_host_c2h(struct board_host *host, struct session *s, const uint8_t *msg, size_t len)
{
	struct usb_host *h = (struct usb_host *)host;
	struct message *m;

	if (h->is_rtl)
		return; /* its pins have it */
	if (!h->first && card_link_room(h->card, len)) {
		card_link_c2h(h->card, msg, len);
		return;
	}
	m = malloc(sizeof(*m) + len);
	if (!m) {
		h->lost = true;
		return;
	}
	m->next = NULL;
	m->len = len;
	memcpy(m->bytes, msg, len);
	*h->last = m;
	h->last = &m->next;
	s->sim->hold_c2h = true;
}

static bool usb_host_stuck(const struct board_host *host)
{
	return ((const struct usb_host *)host)->first != NULL;
}

/* Its link has timers for what is cut off, and for acks. */
static bool usb_host_moves(const struct board_host *host)
{
	const struct usb_host *h = (const struct usb_host *)host;

	return h->is_rtl && h->rounds < ROUNDS_MORE;
}

/* Of whichever end of the link the board has. */
static struct card_counts link_counts(const struct usb_host *h)
{
	struct usb_board_counts r;

	if (!h->rtl)
		return *card_link_counts(h->card);
	usb_board_counts(h->rtl, &r);
	return (struct card_counts){
		.damaged = r.damaged, .refused = r.refused, .resent = r.resent, .discarded = r.discarded
	};
}

static void usb_host_summary(const struct board_host *host, const char *name, FILE *out)
{
	const struct usb_host *h = (const struct usb_host *)host;
	const struct usbip_counts *u = usbip_server_counts(h->server);
	const struct card_counts c = link_counts(h);

	fprintf(out, "%s: usb: attached %llu times, %llu requests, %llu unlinked, %llu clients broken\n", name,
		(unsigned long long)u->attached, (unsigned long long)u->urbs, (unsigned long long)u->unlinked,
		(unsigned long long)u->broken);
	fprintf(out,
		"%s: link: %llu packets damaged, %llu messages malformed, %llu times sent again, %llu messages found "
		"no "
		"host%s\n",
		name, (unsigned long long)c.damaged, (unsigned long long)c.refused, (unsigned long long)c.resent,
		(unsigned long long)c.discarded, h->lost ? ", some lost for want of memory" : "");
}

static void usb_host_json(const struct board_host *host, FILE *out)
{
	const struct usb_host *h = (const struct usb_host *)host;
	const struct usbip_counts *u = usbip_server_counts(h->server);
	const struct card_counts c = link_counts(h);

	fprintf(out,
		", \"usb\": {\"attached\": %llu, \"requests\": %llu, \"unlinked\": %llu, \"clients_broken\": %llu}",
		(unsigned long long)u->attached, (unsigned long long)u->urbs, (unsigned long long)u->unlinked,
		(unsigned long long)u->broken);
	fprintf(out,
		", \"link\": {\"packets_damaged\": %llu, \"messages_malformed\": %llu, \"sent_again\": %llu, "
		"\"found_no_host\": %llu, \"out_of_memory\": %s}",
		(unsigned long long)c.damaged, (unsigned long long)c.refused, (unsigned long long)c.resent,
		(unsigned long long)c.discarded, h->lost ? "true" : "false");
}

const struct board_host_ops usbip_host_ops = {
	.scheme = "usbip",
	.form = "usbip:ADDR:PORT",
	.open = usb_host_open,
	.attach = usb_host_attach,
	.poll = usb_host_poll,
	.serve = usb_host_serve,
	.take = usb_host_take,
	.c2h = usb_host_c2h,
	.stuck = usb_host_stuck,
	.moves = usb_host_moves,
	.summary = usb_host_summary,
	.json = usb_host_json,
	.close = usb_host_close,
};
