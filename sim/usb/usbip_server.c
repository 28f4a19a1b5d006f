/* SPDX-License-Identifier: Apache-2.0
 * usbip_server.c - USB/IP, the side that has the device. Numbers are big-endian.
 *
 * A client asks for the list (and goes), or imports the device; from then on its connection carries CMD_SUBMIT and
 * CMD_UNLINK, answered by RET_SUBMIT in whatever order requests end, and RET_UNLINK. */
#include "usbip_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../options.h"

enum {
	VERSION = 0x0111,
	OP_REQ_DEVLIST = 0x8005,
	OP_REP_DEVLIST = 0x0005,
	OP_REQ_IMPORT = 0x8003,
	OP_REP_IMPORT = 0x0003,
	ST_OK = 0,
	ST_NA = 1,	 /* not available */
	ST_DEV_BUSY = 2, /* taken by another */
	ST_NODEV = 4,
	CMD_SUBMIT = 1,
	CMD_UNLINK = 2,
	RET_SUBMIT = 3,
	RET_UNLINK = 4,
	SPEED_HIGH = 3,
	FLAG_SHORT_NOT_OK = 1,
	OP_BYTES = 8,
	BUSID_BYTES = 32,
	HEADER_BYTES = 48,
	DEVICE_BYTES = 312,
	CLIENTS = 8,
	BACKLOG = 64,
	REQUESTS_MAX = 1024,	/* of one client */
	TRANSFER_MAX = 1 << 20, /* bytes of one request; usbfs asks for 16 KiB at a time */
	HELD_MAX = 16 << 20,	/* bytes of all requests of a client */
	ANSWERS_MAX = 64 << 20, /* bytes of answers that a client leaves unread */
	EVENTS = 16,
	BUS = 1,
	ADDRESS = 2
};
static const char busid[BUSID_BYTES] = "1-1";

struct request {
	struct usb_urb urb; /* first: usb_device gives it back */
	struct request *next;
	struct client *client;
	uint32_t seqnum;
	bool in;
	uint8_t data[];
};

struct client {
	int fd; /* -1 = free */
	bool imported, doomed;
	uint8_t head[HEADER_BYTES];
	size_t have;		 /* bytes of head */
	struct request *filling; /* its OUT data is coming, urb.at bytes of it have */
	struct request *requests;
	size_t held;
	unsigned count;
	uint8_t *out; /* [out_at, out_len) waits for the socket */
	size_t out_at, out_len, out_cap;
	bool wants_out;
};

struct usbip_server {
	int listen_fd, epoll_fd;
	unsigned port;
	struct usb_device *device;
	struct client client[CLIENTS];
	struct client *owner; /* who has the device */
	struct usbip_counts counts;
	char error[96], told[96];
};

static uint32_t get32be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32be(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void put16be(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Clients --------------------------------------------------------------------------------------------------- */

static void forget_request(struct request *r)
{
	struct client *c = r->client;

	for (struct request **at = &c->requests; *at; at = &(*at)->next)
		if (*at == r) {
			*at = r->next;
			break;
		}
	c->count--;
	c->held -= r->urb.length;
	free(r);
}

static void drop(struct usbip_server *s, struct client *c)
{
	if (s->owner == c) {
		usb_device_detach(s->device); /* as if it had been pulled out: its queues are empty */
		s->owner = NULL;
	}
	free(c->filling);
	while (c->requests)
		forget_request(c->requests);
	free(c->out);
	close(c->fd);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

static void broken(struct usbip_server *s, struct client *c, const char *what, unsigned long value)
{
	if (!c->doomed) {
		s->counts.broken++;
		snprintf(s->error, sizeof(s->error), "a client sent %s (%lu)", what, value);
	}
	c->doomed = true;
}

static void flush(struct usbip_server *s, struct client *c)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	bool full = false;

	while (c->out_at < c->out_len && !full) {
		ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			c->out_at += (size_t)n;
		else if (errno == EAGAIN)
			full = true;
		else if (errno != EINTR) {
			c->doomed = true;
			return;
		}
	}
	if (c->out_at == c->out_len)
		c->out_at = c->out_len = 0;
	if (full == c->wants_out)
		return;
	c->wants_out = full;
	if (full)
		e.events |= EPOLLOUT;
	epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

static void say(struct usbip_server *s, struct client *c, const void *bytes, size_t n)
{
	if (c->doomed || !n)
		return;
	if (c->out_len + n > c->out_cap) {
		size_t cap = c->out_len + n < 4096 ? 8192 : 2 * (c->out_len + n);
		uint8_t *more = c->out_len + n > ANSWERS_MAX ? NULL : realloc(c->out, cap);

		if (!more) {
			broken(s, c, "requests and does not read the answers, bytes", (unsigned long)c->out_len);
			return;
		}
		c->out = more;
		c->out_cap = cap;
	}
	memcpy(c->out + c->out_len, bytes, n);
	c->out_len += n;
}

/* Operations ------------------------------------------------------------------------------------------------ */

static void say_op(struct usbip_server *s, struct client *c, unsigned code, uint32_t status)
{
	uint8_t op[OP_BYTES];

	put16be(op, VERSION);
	put16be(op + 2, code);
	put32be(op + 4, status);
	say(s, c, op, sizeof(op));
}

static void say_device(struct usbip_server *s, struct client *c)
{
	uint8_t d[DEVICE_BYTES] = { 0 };

	snprintf((char *)d, 256, "/sys/devices/handfast/usb1/%s", busid);
	memcpy(d + 256, busid, sizeof(busid));
	put32be(d + 288, BUS);
	put32be(d + 292, ADDRESS);
	put32be(d + 296, SPEED_HIGH);
	put16be(d + 300, USB_DEVICE_VENDOR);
	put16be(d + 302, USB_DEVICE_PRODUCT);
	put16be(d + 304, USB_DEVICE_RELEASE);
	d[309] = 1; /* configuration 1 */
	d[310] = 1; /* of one */
	d[311] = USB_DEVICE_INTERFACES;
	say(s, c, d, sizeof(d));
}

static void list(struct usbip_server *s, struct client *c)
{
	static const uint8_t interface[4] = { 0xff, 0xff, 0xff, 0 };
	uint8_t count[4] = { 0, 0, 0, s->owner ? 0 : 1 }; /* what is taken is not offered */

	say_op(s, c, OP_REP_DEVLIST, ST_OK);
	say(s, c, count, sizeof(count));
	if (s->owner)
		return;
	say_device(s, c);
	for (unsigned i = 0; i < USB_DEVICE_INTERFACES; i++)
		say(s, c, interface, sizeof(interface));
}

static void import(struct usbip_server *s, struct client *c, const char *wanted)
{
	if (memcmp(wanted, busid, strlen(busid) + 1)) {
		say_op(s, c, OP_REP_IMPORT, ST_NODEV);
	} else if (s->owner) {
		s->counts.refused++;
		say_op(s, c, OP_REP_IMPORT, ST_DEV_BUSY);
	} else {
		s->owner = c;
		s->counts.attached++;
		c->imported = true;
		usb_device_attach(s->device);
		say_op(s, c, OP_REP_IMPORT, ST_OK);
		say_device(s, c);
	}
}

/* An operation is whole. Returns the bytes that must be there for it to be. */
static size_t operation(struct usbip_server *s, struct client *c)
{
	unsigned version = (unsigned)c->head[0] << 8 | c->head[1], code = (unsigned)c->head[2] << 8 | c->head[3];

	if (c->have < OP_BYTES)
		return OP_BYTES;
	if (version != VERSION) {
		broken(s, c, "USB/IP of another version", version);
	} else if (code == OP_REQ_DEVLIST) {
		list(s, c);
	} else if (code != OP_REQ_IMPORT) {
		broken(s, c, "an operation that is unknown", code);
	} else if (c->have < OP_BYTES + BUSID_BYTES) {
		return OP_BYTES + BUSID_BYTES;
	} else {
		import(s, c, (const char *)c->head + OP_BYTES);
	}
	c->have = 0;
	return c->imported ? HEADER_BYTES : OP_BYTES;
}

/* Requests -------------------------------------------------------------------------------------------------- */

static void say_ret(
	struct usbip_server *s, struct client *c, uint32_t command, uint32_t seqnum, int status, size_t actual)
{
	uint8_t h[HEADER_BYTES] = { 0 }; /* device, direction and endpoint are 0 in answers */

	put32be(h, command);
	put32be(h + 4, seqnum);
	put32be(h + 20, (uint32_t)status);
	put32be(h + 24, (uint32_t)actual);
	say(s, c, h, sizeof(h));
}

static void done(void *ctx, struct usb_urb *urb)
{
	struct usbip_server *s = ctx;
	struct request *r = (struct request *)urb;

	say_ret(s, r->client, RET_SUBMIT, r->seqnum, urb->status, urb->actual);
	if (r->in)
		say(s, r->client, r->data, urb->actual);
	forget_request(r);
}

static void start(struct client *c, struct usbip_server *s, struct request *r)
{
	r->urb.at = 0;
	r->next = c->requests;
	c->requests = r;
	s->counts.urbs++;
	usb_device_submit(s->device, &r->urb);
}

static void submit(struct usbip_server *s, struct client *c)
{
	const uint8_t *h = c->head;
	uint32_t direction = get32be(h + 12), endpoint = get32be(h + 16), flags = get32be(h + 20),
		 length = get32be(h + 24);
	uint32_t isochronous = get32be(h + 32);
	struct request *r;

	if (direction > 1 || endpoint > 15) {
		broken(s, c, "an endpoint that cannot be", endpoint);
		return;
	}
	/* 0xffffffff: what Linux says of a request that is not isochronous. */
	if (isochronous != 0 && isochronous != 0xffffffff) {
		broken(s, c, "an isochronous request, packets", isochronous);
		return;
	}
	if (length > TRANSFER_MAX || c->held + length > HELD_MAX || c->count >= REQUESTS_MAX) {
		broken(s, c, "more than fits, bytes", length);
		return;
	}
	r = calloc(1, sizeof(*r) + length);
	if (!r) {
		broken(s, c, "more than fits, bytes", length);
		return;
	}
	r->client = c;
	r->seqnum = get32be(h + 4);
	r->in = direction;
	r->urb.endpoint = (uint8_t)(endpoint | (direction && endpoint ? 0x80 : 0));
	r->urb.length = length;
	r->urb.data = r->data;
	r->urb.short_not_ok = flags & FLAG_SHORT_NOT_OK;
	memcpy(r->urb.setup, h + 40, sizeof(r->urb.setup));
	c->held += length;
	c->count++;
	if (!r->in && length)
		c->filling = r;
	else
		start(c, s, r);
}

static void unlink_request(struct usbip_server *s, struct client *c)
{
	uint32_t seqnum = get32be(c->head + 4), victim = get32be(c->head + 20);
	struct request *r = c->requests;

	while (r && r->seqnum != victim)
		r = r->next;
	if (r && usb_device_unlink(s->device, &r->urb)) {
		s->counts.unlinked++;
		forget_request(r);
		say_ret(s, c, RET_UNLINK, seqnum, -ECONNRESET, 0); /* it gets no RET_SUBMIT */
	} else {
		say_ret(s, c, RET_UNLINK, seqnum, 0, 0); /* it had one already */
	}
}

static size_t command(struct usbip_server *s, struct client *c)
{
	uint32_t what = get32be(c->head);

	if (c->have < HEADER_BYTES)
		return HEADER_BYTES;
	if (what == CMD_SUBMIT)
		submit(s, c);
	else if (what == CMD_UNLINK)
		unlink_request(s, c);
	else
		broken(s, c, "a command that is unknown", what);
	c->have = 0;
	return HEADER_BYTES;
}

/* Take what came. Returns true if anything did. */
static bool hear(struct usbip_server *s, struct client *c)
{
	bool any = false;

	while (!c->doomed) {
		size_t want = c->imported ? HEADER_BYTES : c->have < OP_BYTES ? OP_BYTES : OP_BYTES + BUSID_BYTES;
		struct request *r = c->filling;
		ssize_t n;

		if (r)
			n = recv(c->fd, r->data + r->urb.at, r->urb.length - r->urb.at, MSG_DONTWAIT);
		else
			n = recv(c->fd, c->head + c->have, want - c->have, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			c->doomed = true;
			break;
		}
		any = true;
		if (r) {
			r->urb.at += (size_t)n;
			if (r->urb.at == r->urb.length) {
				c->filling = NULL;
				start(c, s, r);
			}
			continue;
		}
		c->have += (size_t)n;
		if (c->have == want)
			c->imported ? command(s, c) : operation(s, c);
	}
	return any;
}

/* The server ------------------------------------------------------------------------------------------------ */

bool usbip_server_add(struct usbip_server *s, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };
	int one = 1;

	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &s->client[i];

		if (c->fd >= 0)
			continue;
		e.data.ptr = c;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e))
			break;
		c->fd = fd;
		return true;
	}
	close(fd);
	return false;
}

static bool knocks(struct usbip_server *s)
{
	bool any = false;
	int fd;

	while ((fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		any |= usbip_server_add(s, fd); /* or closed at once: there is no place */
	return any;
}

bool usbip_server_run(struct usbip_server *s)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(s->epoll_fd, events, EVENTS, 0);
	bool moved = false;

	for (int i = 0; i < n; i++) {
		if (!events[i].data.ptr)
			moved |= knocks(s);
		else
			moved |= hear(s, events[i].data.ptr);
	}
	moved |= usb_device_run(s->device);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &s->client[i];

		if (c->fd >= 0 && c->out_at < c->out_len)
			flush(s, c);
		if (c->fd >= 0 && c->doomed)
			drop(s, c);
	}
	return moved;
}

int usbip_server_fd(const struct usbip_server *s)
{
	return s->epoll_fd;
}

unsigned usbip_server_port(const struct usbip_server *s)
{
	return s->port;
}

bool usbip_server_attached(const struct usbip_server *s)
{
	return s->owner != NULL;
}

struct usb_device *usbip_server_device(struct usbip_server *s)
{
	return s->device;
}

const struct usbip_counts *usbip_server_counts(const struct usbip_server *s)
{
	return &s->counts;
}

const char *usbip_server_error(struct usbip_server *s)
{
	memcpy(s->told, s->error, sizeof(s->told));
	s->error[0] = '\0';
	return s->told;
}

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* "127.0.0.1:3240", "[::1]:3240", "localhost:3240". Returns the length, 0 = it is none. */
static socklen_t parse(const char *where, union address *a)
{
	const char *colon = strrchr(where, ':');
	char host[64];
	uint64_t port;
	size_t n = colon ? (size_t)(colon - where) : 0;

	memset(a, 0, sizeof(*a));
	if (!colon || n >= sizeof(host) || !options_number(colon + 1, 0, 65535, &port))
		return 0;
	memcpy(host, where, n);
	host[n] = '\0';
	if (!strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	if (inet_pton(AF_INET, host, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)port);
		return sizeof(a->in);
	}
	if (host[0] != '[' || host[n - 1] != ']')
		return 0;
	host[n - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &a->in6.sin6_addr) != 1)
		return 0;
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons((uint16_t)port);
	return sizeof(a->in6);
}

static bool is_loopback(const union address *a)
{
	return a->sa.sa_family == AF_INET ? ntohl(a->in.sin_addr.s_addr) >> 24 == 127
					  : IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static int listen_at(struct usbip_server *s, const union address *a, socklen_t len)
{
	struct epoll_event e = { .events = EPOLLIN };
	union address got;
	socklen_t got_len = sizeof(got);
	int one = 1;

	s->listen_fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->listen_fd < 0 || s->epoll_fd < 0)
		return -errno;
	setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s->listen_fd, &a->sa, len) || listen(s->listen_fd, BACKLOG) ||
		getsockname(s->listen_fd, &got.sa, &got_len) || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->listen_fd, &e))
		return -errno;
	s->port = ntohs(got.sa.sa_family == AF_INET ? got.in.sin_port : got.in6.sin6_port);
	return 0;
}

int usbip_server_open(const char *where, const struct usb_chip_ops *chip, void *chip_ctx, struct usbip_server **out,
	char *error, size_t size)
{
	struct usbip_server *s;
	union address a;
	socklen_t len = parse(where, &a);
	char serial[32];
	int rc;

	if (!len)
		return error_text(-EINVAL, error, size, "usbip:%s: not ADDR:PORT", where);
	if (!is_loopback(&a))
		return error_text(
			-EINVAL, error, size, "usbip:%s: not a loopback address; USB/IP has no passwords", where);
	s = calloc(1, sizeof(*s));
	if (!s)
		return error_text(-ENOMEM, error, size, "out of memory");
	s->listen_fd = s->epoll_fd = -1;
	for (unsigned i = 0; i < CLIENTS; i++)
		s->client[i].fd = -1;
	rc = listen_at(s, &a, len);
	if (!rc) {
		snprintf(serial, sizeof(serial), "SIM%u", s->port);
		s->device = usb_device_new(chip, chip_ctx, serial, done, s);
		rc = s->device ? 0 : -ENOMEM;
	}
	if (rc) {
		error_text(rc, error, size, "usbip:%s: %s", where, strerror(-rc));
		usbip_server_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void usbip_server_close(struct usbip_server *s)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (s->client[i].fd >= 0)
			drop(s, &s->client[i]);
	usb_device_free(s->device);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	free(s);
}
