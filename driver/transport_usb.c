/* SPDX-License-Identifier: Apache-2.0
 * transport_usb.c - the byte link over channel A of an FT2232H, or an FT232H, in synchronous FIFO mode, by libusb-1.0.
 *
 * Bulk transfers are asynchronous, several under way each way, so that the bus never waits for us:
 *	IN   IN_TRANSFERS of IN_BYTES always wait for the board; each 512-byte packet begins with two status bytes
 *	OUT  up to OUT_TRANSFERS carry what link_output() has
 * Bytes that a transfer loses are the link's to repair. The requests are those of FTDI's AN_232B and of the kernel's
 * ftdi_sio.h; the mode is that of AN_130. */
#include <errno.h>
#include <libusb-1.0/libusb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "device_owner.h"
#include "transport_link.h"
#include "usb_list.h"

enum {
	IN_TRANSFERS = 8,
	IN_BYTES = 16384,
	OUT_TRANSFERS = 4,
	OUT_BYTES = 16384,
	STATUS_BYTES = 2, /* before the data of each IN packet */
	INTERFACE = 0,
	CHANNEL_A = 1,
	CONTROL_MS = 500,
	LOOK_AGAIN_MS = 20,   /* while a board is waited for, or is not configured yet */
	RETRY_US = 20000,     /* after a transfer failed: not at once, the board may be suspended */
	FAILING_US = 5000000, /* and when nothing has succeeded for so long it is gone */
	CANCEL_MS = 500,      /* for transfers to come back at the end */
	LATENCY_MS = 4	      /* the chip sends a short packet after this long even if SIWU# was missed; well below
				 * LINK_ASK_US. It also sends an empty one, which costs us a wake-up, each time */
};

/* Vendor requests, all to the device, wIndex 7:0 = channel. */
enum {
	FTDI_OUT = LIBUSB_REQUEST_TYPE_VENDOR | LIBUSB_RECIPIENT_DEVICE | LIBUSB_ENDPOINT_OUT,
	FTDI_RESET = 0,
	FTDI_SET_FLOW = 2,
	FTDI_SET_LATENCY = 9,
	FTDI_SET_BITMODE = 11,
	RESET_ALL = 0,
	RESET_EMPTY_OUT = 1, /* named RX and TX from the chip's view in AN_232B */
	RESET_EMPTY_IN = 2,
	FLOW_RTS_CTS = 0x0100, /* in wIndex; AN_130 asks for it */
	BITMODE_OFF = 0x0000,
	BITMODE_SYNC_FIFO = 0x40ff /* all pins outputs, as D2XX's FT_SetBitMode(0xff, 0x40) */
};

struct usb;

/* An endpoint and its transfers. */
struct pipe {
	struct usb *u;
	unsigned char endpoint;
	struct libusb_transfer *transfer[IN_TRANSFERS];
	bool busy[IN_TRANSFERS];
	unsigned count, under_way;
	bool halted; /* a transfer said stall: all back, clear it, go on */
	bool failed; /* one failed otherwise: go on at retry_us */
	int64_t retry_us;
	int64_t good_us; /* when a transfer last succeeded */
};

struct usb {
	struct link_transport x;
	libusb_context *context;
	libusb_device_handle *handle;
	libusb_hotplug_callback_handle hotplug;
	bool claimed, has_hotplug, watched, unplugged, closing, set_up_again;
	unsigned packet; /* bytes of an IN packet at most: 512, full speed 64 */
	struct pipe in, out;
	int64_t now_us;
};

static int error_number(int libusb_error)
{
	switch (libusb_error) {
	case LIBUSB_SUCCESS:
		return 0;
	case LIBUSB_ERROR_ACCESS:
		return -EACCES;
	case LIBUSB_ERROR_NO_DEVICE:
		return -ENODEV;
	case LIBUSB_ERROR_NOT_FOUND:
		return -ENOENT;
	case LIBUSB_ERROR_BUSY:
		return -EBUSY;
	case LIBUSB_ERROR_TIMEOUT:
		return -ETIMEDOUT;
	case LIBUSB_ERROR_NO_MEM:
		return -ENOMEM;
	case LIBUSB_ERROR_PIPE:
		return -EPIPE;
	default:
		return -EIO;
	}
}

/* The chip --------------------------------------------------------------------------------------------------- */

static int request(struct usb *u, uint8_t number, uint16_t value, uint16_t index_high)
{
	int rc = libusb_control_transfer(
		u->handle, FTDI_OUT, number, value, index_high | CHANNEL_A, NULL, 0, CONTROL_MS);

	return rc < 0 ? error_number(rc) : 0;
}

static int set_up_chip(struct usb *u)
{
	int rc = request(u, FTDI_RESET, RESET_ALL, 0);

	if (!rc)
		rc = request(u, FTDI_SET_BITMODE, BITMODE_OFF, 0);
	if (!rc)
		rc = request(u, FTDI_SET_LATENCY, LATENCY_MS, 0);
	if (!rc)
		rc = request(u, FTDI_RESET, RESET_EMPTY_OUT, 0);
	if (!rc)
		rc = request(u, FTDI_RESET, RESET_EMPTY_IN, 0);
	if (!rc)
		rc = request(u, FTDI_SET_BITMODE, BITMODE_SYNC_FIFO, 0);
	if (!rc)
		rc = request(u, FTDI_SET_FLOW, 0, FLOW_RTS_CTS);
	return rc;
}

/* Transfers -------------------------------------------------------------------------------------------------- */

static void submit(struct pipe *p, unsigned i)
{
	int rc = libusb_submit_transfer(p->transfer[i]);

	if (!rc) {
		p->busy[i] = true;
		p->under_way++;
	} else if (rc == LIBUSB_ERROR_NO_DEVICE) {
		p->u->unplugged = true;
	} else {
		p->failed = true;
		p->retry_us = p->u->now_us + RETRY_US;
	}
}

/* The data of one IN transfer: packets of which each begins with status bytes; the last may be short, or shorter than
 * those. */
static void take_in(struct usb *u, const uint8_t *data, size_t n)
{
	while (n > STATUS_BYTES) {
		size_t packet = n < u->packet ? n : u->packet;

		link_input(u->x.link, data + STATUS_BYTES, packet - STATUS_BYTES, u->now_us);
		data += packet;
		n -= packet;
	}
}

static void LIBUSB_CALL done(struct libusb_transfer *t)
{
	struct pipe *p = t->user_data;
	struct usb *u = p->u;
	unsigned i = 0;

	while (p->transfer[i] != t)
		i++;
	p->busy[i] = false;
	p->under_way--;
	switch (t->status) {
	case LIBUSB_TRANSFER_COMPLETED:
		p->good_us = u->now_us;
		break;
	case LIBUSB_TRANSFER_STALL:
		p->halted = true;
		break;
	case LIBUSB_TRANSFER_CANCELLED:
		return;
	case LIBUSB_TRANSFER_NO_DEVICE:
		/* Also what a suspended bus makes of it: the next attempt tells. */
		u->set_up_again = true;
		/* fall through */
	default:
		p->failed = true;
		p->retry_us = u->now_us + RETRY_US;
	}
	if (p != &u->in || u->closing)
		return;
	/* What came before an error is data all the same. */
	if (t->actual_length > 0)
		take_in(u, t->buffer, (size_t)t->actual_length);
	if (!p->halted && !p->failed)
		submit(p, i);
}

static void cancel(struct pipe *p)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->busy[i])
			libusb_cancel_transfer(p->transfer[i]);
}

/* Bring a pipe that has stopped back to work. */
static void repair(struct pipe *p)
{
	struct usb *u = p->u;

	if (p->halted) {
		cancel(p);
		if (p->under_way)
			return; /* a halt is cleared when nothing is queued */
		p->halted = false;
		if (libusb_clear_halt(u->handle, p->endpoint) == LIBUSB_ERROR_NO_DEVICE)
			u->unplugged = true;
	}
	if (p->failed) {
		if (u->now_us < p->retry_us)
			return;
		if (u->now_us - p->good_us > FAILING_US) {
			u->unplugged = true;
			return;
		}
		p->failed = false;
		if (u->set_up_again && !p->under_way) {
			int rc = set_up_chip(u);

			if (rc == -ENODEV) {
				u->unplugged = true;
			} else if (rc) { /* still suspended */
				p->failed = true;
				p->retry_us = u->now_us + RETRY_US;
			} else {
				u->set_up_again = false;
			}
		}
	}
}

static void send_out(struct usb *u)
{
	struct pipe *p = &u->out;

	for (unsigned i = 0; i < p->count && !p->halted && !p->failed && !u->unplugged; i++) {
		struct libusb_transfer *t = p->transfer[i];

		if (p->busy[i])
			continue;
		t->length = (int)link_output(u->x.link, t->buffer, OUT_BYTES, u->now_us);
		if (!t->length)
			return;
		submit(p, i);
	}
}

static int usb_move(struct link_transport *x, int64_t now_us)
{
	struct usb *u = (struct usb *)x;
	struct timeval none = { 0 };

	u->now_us = now_us;
	libusb_handle_events_timeout_completed(u->context, &none, NULL);
	if (u->in.halted || u->in.failed || u->out.halted || u->out.failed) {
		repair(&u->in);
		repair(&u->out);
	}
	for (unsigned i = 0; i < u->in.count && !u->in.halted && !u->in.failed && !u->unplugged; i++)
		if (!u->in.busy[i])
			submit(&u->in, i);
	send_out(u);
	x->due = INT64_MAX;
	if (u->in.failed && u->in.retry_us < x->due)
		x->due = u->in.retry_us;
	if (u->out.failed && u->out.retry_us < x->due)
		x->due = u->out.retry_us;
	return u->unplugged ? -ENODEV : 0;
}

static int make_transfers(struct usb *u, struct pipe *p, unsigned count, int bytes)
{
	p->u = u;
	p->good_us = link_transport_now();
	for (p->count = 0; p->count < count; p->count++) {
		struct libusb_transfer *t = libusb_alloc_transfer(0);
		unsigned char *buffer = malloc((size_t)bytes);

		if (!t || !buffer) {
			libusb_free_transfer(t);
			free(buffer);
			return -ENOMEM;
		}
		/* No timeout: IN waits as long as the board is silent, OUT as long as it is full. */
		libusb_fill_bulk_transfer(t, u->handle, p->endpoint, buffer, bytes, done, p, 0);
		p->transfer[p->count] = t;
	}
	return 0;
}

/* Descriptors that libusb polls ------------------------------------------------------------------------------ */

static void LIBUSB_CALL add_fd(int fd, short events, void *ctx)
{
	struct usb *u = ctx;
	struct epoll_event e = { .events = (events & POLLIN ? EPOLLIN : 0u) | (events & POLLOUT ? EPOLLOUT : 0u),
		.data.fd = fd };

	if (epoll_ctl(u->x.t.fd, EPOLL_CTL_ADD, fd, &e) && errno == EEXIST)
		epoll_ctl(u->x.t.fd, EPOLL_CTL_MOD, fd, &e);
}

static void LIBUSB_CALL remove_fd(int fd, void *ctx)
{
	struct usb *u = ctx;

	epoll_ctl(u->x.t.fd, EPOLL_CTL_DEL, fd, NULL);
}

static int LIBUSB_CALL on_hotplug(libusb_context *context, libusb_device *device, libusb_hotplug_event event, void *ctx)
{
	struct usb *u = ctx;

	(void)context;
	if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT && u->handle && device == libusb_get_device(u->handle))
		u->unplugged = true;
	return 0;
}

static int watch(struct usb *u)
{
	const struct libusb_pollfd **fds = libusb_get_pollfds(u->context);

	if (!fds)
		return -ENOMEM;
	for (const struct libusb_pollfd **f = fds; *f; f++)
		add_fd((*f)->fd, (*f)->events, u);
	libusb_free_pollfds(fds);
	libusb_set_pollfd_notifiers(u->context, add_fd, remove_fd, u);
	u->watched = true;
	if (!libusb_hotplug_register_callback(u->context, LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, LIBUSB_HOTPLUG_NO_FLAGS,
		    USB_VENDOR_FTDI, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, on_hotplug, u, &u->hotplug))
		u->has_hotplug = true;
	return 0;
}

/* The end ---------------------------------------------------------------------------------------------------- */

/* Returns whether all transfers are back. */
static bool all_back(struct usb *u)
{
	int64_t deadline = clock_ms() + CANCEL_MS;

	u->closing = true;
	cancel(&u->in);
	cancel(&u->out);
	while (u->in.under_way + u->out.under_way) {
		struct timeval some = { 0, 10000 };

		if (clock_ms() >= deadline)
			return false;
		libusb_handle_events_timeout_completed(u->context, &some, NULL);
	}
	return true;
}

static void free_transfers(struct pipe *p)
{
	for (unsigned i = 0; i < p->count; i++) {
		free(p->transfer[i]->buffer);
		libusb_free_transfer(p->transfer[i]);
	}
}

static void usb_release(struct usb *u)
{
	if (u->watched)
		libusb_set_pollfd_notifiers(u->context, NULL, NULL, NULL);
	if (u->has_hotplug)
		libusb_hotplug_deregister_callback(u->context, u->hotplug);
	/* What the kernel has not given back cannot be freed; that is a bug of its, and a leak is the lesser evil. */
	if (u->handle && !all_back(u)) {
		link_transport_end(&u->x);
		return;
	}
	free_transfers(&u->in);
	free_transfers(&u->out);
	if (u->claimed) {
		if (!u->unplugged)
			request(u, FTDI_SET_BITMODE, BITMODE_OFF, 0);
		libusb_release_interface(u->handle, INTERFACE); /* and ftdi_sio gets it back */
	}
	if (u->handle)
		libusb_close(u->handle);
	if (u->context)
		libusb_exit(u->context);
	link_transport_end(&u->x);
	free(u);
}

static void usb_close(struct link_transport *x)
{
	if (!x->gone)
		link_transport_shut(x);
	usb_release((struct usb *)x);
}

static const struct byte_ops usb_ops = { usb_move, usb_close };

/* The beginning ---------------------------------------------------------------------------------------------- */

#define SAY(...) snprintf(why, TRANSPORT_WHY_BYTES, __VA_ARGS__)

/* Choose the board: the only one, or the one of that serial. Returns 0, or -ENODEV while there is none, -EPROTO for one
 * that is not ours, -EEXIST when there are several. */
static int choose(const char *serial, struct usb_board *chosen, char *why)
{
	struct usb_board list[USB_LIST_MAX];
	const struct usb_board *other = NULL, *found = NULL;
	unsigned n = usb_list(list, USB_LIST_MAX);

	for (unsigned i = 0; i < n; i++) {
		const struct usb_board *b = &list[i];

		if (*serial && strcmp(serial, b->serial))
			continue;
		if (!b->ours) {
			other = b;
			continue;
		}
		if (found) {
			SAY("more than one board: %.40s at %.16s, %.40s at %.16s; say usb:SERIAL", found->serial,
				found->place, b->serial, b->place);
			return -EEXIST;
		}
		found = b;
	}
	if (found) {
		*chosen = *found;
		return 0;
	}
	if (other) {
		SAY("the USB device %04x:%04x at %.16s is '%.40s', no Handfast board", USB_VENDOR_FTDI,
			other->id_product, other->place, other->product[0] ? other->product : "nameless");
		return *serial ? -EPROTO : -ENODEV;
	}
	if (*serial)
		SAY("no board of serial %.60s on USB", serial);
	else
		SAY("no board on USB");
	return -ENODEV;
}

static int open_device(struct usb *u, const struct usb_board *b)
{
	libusb_device **list;
	ssize_t n = libusb_get_device_list(u->context, &list);
	int rc = LIBUSB_ERROR_NO_DEVICE;

	if (n < 0)
		return error_number((int)n);
	for (ssize_t i = 0; i < n; i++)
		if (libusb_get_bus_number(list[i]) == b->bus && libusb_get_device_address(list[i]) == b->address) {
			rc = libusb_open(list[i], &u->handle);
			break;
		}
	libusb_free_device_list(list, 1);
	return error_number(rc);
}

/* The bulk endpoints of the interface. */
static int find_endpoints(struct usb *u)
{
	struct libusb_config_descriptor *config;
	int rc = libusb_get_active_config_descriptor(libusb_get_device(u->handle), &config);

	if (rc)
		return error_number(rc);
	if (config->bNumInterfaces > INTERFACE && config->interface[INTERFACE].num_altsetting > 0) {
		const struct libusb_interface_descriptor *i = &config->interface[INTERFACE].altsetting[0];

		for (unsigned e = 0; e < i->bNumEndpoints; e++) {
			const struct libusb_endpoint_descriptor *d = &i->endpoint[e];

			if ((d->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK) != LIBUSB_TRANSFER_TYPE_BULK)
				continue;
			if (d->bEndpointAddress & LIBUSB_ENDPOINT_IN) {
				u->in.endpoint = d->bEndpointAddress;
				u->packet = d->wMaxPacketSize & 0x7ff;
			} else {
				u->out.endpoint = d->bEndpointAddress;
			}
		}
	}
	libusb_free_config_descriptor(config);
	/* IN_BYTES must be whole packets, or one of them overflows. */
	return u->in.endpoint && u->out.endpoint && u->packet > STATUS_BYTES && IN_BYTES % u->packet == 0 ? 0 : -EPROTO;
}

static int begin(struct usb *u, const struct usb_board *b, char *why)
{
	char owner[DEVICE_OWNER_BYTES];
	int rc = open_device(u, b);

	if (rc == -EACCES) {
		SAY("%.32s: permission denied; install 70-handfast.rules into /etc/udev/rules.d, udevadm control "
		    "--reload, replug",
			b->node);
		return rc;
	}
	if (rc)
		return rc;
	libusb_set_auto_detach_kernel_driver(u->handle, 1);
	rc = libusb_claim_interface(u->handle, INTERFACE);
	/* What a kernel says that has not set the configuration yet, when asked to detach and claim at once. */
	rc = rc == LIBUSB_ERROR_INVALID_PARAM ? -ENOENT : error_number(rc);
	if (rc == -EBUSY)
		SAY("the board at %.16s is used by %s", b->place,
			device_owner(b->node, owner, sizeof(owner)) ? owner : "another process");
	if (rc)
		return rc;
	u->claimed = true;
	rc = find_endpoints(u);
	if (rc == -EPROTO)
		SAY("the board at %.16s has no pair of bulk endpoints", b->place);
	if (!rc) {
		rc = set_up_chip(u);
		if (rc == -EPIPE)
			SAY("the chip of the board at %.16s refuses synchronous FIFO mode", b->place);
	}
	return rc;
}

/* Give back what begin() took, for another try. */
static void undo(struct usb *u)
{
	if (u->claimed)
		libusb_release_interface(u->handle, INTERFACE);
	if (u->handle)
		libusb_close(u->handle);
	u->claimed = false;
	u->handle = NULL;
}

/* Find, open, claim, within the time: a board that was just plugged in has no configuration yet (-ENOENT), and udev has
 * not set its permissions (-EACCES); and one that is not there may be plugged in. */
static int begin_in_time(struct usb *u, const char *serial, int64_t deadline, char *why)
{
	struct usb_board board;
	int rc;

	for (;;) {
		struct timeval some = { 0, LOOK_AGAIN_MS * 1000 };

		why[0] = '\0';
		rc = choose(serial, &board, why);
		if (!rc)
			rc = begin(u, &board, why);
		if (!rc)
			return 0;
		undo(u);
		if ((rc != -ENODEV && rc != -ENOENT && rc != -EACCES) || clock_ms() >= deadline)
			break;
		libusb_handle_events_timeout_completed(u->context, &some, NULL); /* plugging in is one of them */
		usleep(LOOK_AGAIN_MS * 1000);
	}
	if (!why[0])
		SAY("the board at %.16s: %s", board.place,
			rc == -ENOENT ? "not configured by the kernel" : strerror(-rc));
	return rc;
}

int transport_usb_open(const char *serial, int timeout_ms, struct transport **out, char *why)
{
	int64_t deadline = clock_ms() + timeout_ms;
	struct usb *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return -ENOMEM;
	rc = link_transport_begin(&u->x, &usb_ops, LINK_ASK_US);
	if (rc) {
		free(u);
		return rc;
	}
	rc = libusb_init(&u->context);
	if (rc) {
		SAY("libusb: %s", libusb_strerror((enum libusb_error)rc));
		u->context = NULL;
		rc = error_number(rc);
	} else {
		rc = begin_in_time(u, serial, deadline, why);
	}
	if (!rc)
		rc = make_transfers(u, &u->in, IN_TRANSFERS, IN_BYTES);
	if (!rc)
		rc = make_transfers(u, &u->out, OUT_TRANSFERS, OUT_BYTES);
	if (!rc)
		rc = watch(u);
	if (!rc) {
		rc = link_transport_open(&u->x, (int)(deadline > clock_ms() ? deadline - clock_ms() : 1));
		if (rc == -ETIMEDOUT)
			SAY("the chip is there, but no board behind it answers: not programmed, or clock missing");
		else if (rc)
			SAY("the board was unplugged");
	}
	if (rc) {
		usb_release(u);
		return rc;
	}
	*out = &u->x.t;
	return 0;
}
