/* SPDX-License-Identifier: Apache-2.0
 * testbed.c - a kernel's USB stack for one board, as far as libusb sees it: unmodified libusb in another process finds, opens and
 * uses the board that `handfast board --host usbip:127.0.0.1:PORT` simulates. Runs under umockdev-wrapper, by umockdev.
 *
 *	libusb ── ioctl ── libumockdev-preload ── here ── USB/IP ── board
 *
 * First line out: "root DIR", the UMOCKDEV_DIR of the others. Then commands, a line each, answered by "ok" or "error WHY":
 *	plug PORT [MS]	     the board of that port appears; for MS milliseconds it has no configuration
 *	foreign SERIAL       an FT2232H of somebody else appears, with nothing behind it
 *	unplug               whatever is there goes, in the middle of everything
 *	halt IN|OUT          endpoint 0x81 or 0x02 stalls, as the device
 *	suspend, resume      requests fail as on a suspended bus
 *	noise LOSE TWICE FLIP CUT   of 2^24 bytes of bulk data; CUT: of 256 IN transfers, cut off at any length
 *	driver               "ok ftdi_sio" or "ok none": what is bound to the interface
 *	state                "ok URBS CLAIMS": requests under way, claimed interfaces */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <umockdev.h>
#include <unistd.h>

enum {
	HEADER = 48,
	CMD_SUBMIT = 1,
	CMD_UNLINK = 2,
	RET_SUBMIT = 3,
	RET_UNLINK = 4,
	PIPE_BYTES = 4096,
	CONFIG_MAX = 255,
	TRANSFER_MAX = 1 << 20
};

struct urb {
	struct urb *next;
	UMockdevIoctlClient *client;
	UMockdevIoctlData *data, *buffer;
	uint32_t seqnum;
	bool in, control;
	int status;
	size_t actual;
};

/* What is plugged in. */
static struct {
	bool present, foreign, suspended;
	int socket;
	unsigned number; /* device address, another one each time */
	char node[64], *syspath;
	int64_t configured_ms;
	UMockdevIoctlClient *claimed[2]; /* who has the interface */
	bool driver[2];			 /* ftdi_sio has it */
	struct urb *flying, *done, **done_end;
	uint32_t seqnum;
} dev = { .socket = -1, .done_end = &dev.done };

static struct {
	unsigned lose, twice, flip, cut;
} noise;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* umockdev calls from a thread of its own */
static UMockdevTestbed *testbed;
static UMockdevIoctlBase *handler;
static char *root;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint32_t dice(uint32_t below)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(state >> 33) % below;
}

static uint32_t get32be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32be(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static bool send_all(const void *bytes, size_t n)
{
	return send(dev.socket, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool recv_all(void *bytes, size_t n)
{
	return !n || recv(dev.socket, bytes, n, MSG_WAITALL) == (ssize_t)n;
}

/* Numbers of IN requests are odd: what comes late, for one that was given up, tells by itself whether data follow. */
static uint32_t next_number(bool in)
{
	dev.seqnum += 2;
	return dev.seqnum + in;
}

/* Requests to the board ------------------------------------------------------------------------------------- */

static bool submit(uint32_t seqnum, bool in, unsigned endpoint, unsigned flags, const uint8_t setup[8],
	const uint8_t *data, size_t length)
{
	uint8_t h[HEADER] = { 0 };

	put32be(h, CMD_SUBMIT);
	put32be(h + 4, seqnum);
	put32be(h + 8, 1 << 16 | 2);
	put32be(h + 12, in);
	put32be(h + 16, endpoint);
	put32be(h + 20, flags);
	put32be(h + 24, (uint32_t)length);
	put32be(h + 32, 0xffffffff);
	if (setup)
		memcpy(h + 40, setup, 8);
	return send_all(h, sizeof(h)) && (in || !length || send_all(data, length));
}

/* A control request of the kernel's own, while nothing else is under way. Returns the bytes that came, or -1. */
static int ask(uint8_t type, uint8_t request, unsigned value, uint8_t *data, unsigned length)
{
	const uint8_t setup[8] = { type, request, (uint8_t)value, (uint8_t)(value >> 8), (value >> 8) == 3 ? 9 : 0,
		(value >> 8) == 3 ? 4 : 0, (uint8_t)length, (uint8_t)(length >> 8) };
	uint8_t h[HEADER];
	uint32_t actual, number = next_number(type & 0x80);

	if (!submit(number, type & 0x80, 0, 0, setup, data, length) || !recv_all(h, sizeof(h)) ||
		get32be(h) != RET_SUBMIT || get32be(h + 4) != number || get32be(h + 20))
		return -1;
	actual = get32be(h + 24);
	if (!(type & 0x80))
		return (int)actual;
	return actual <= length && recv_all(data, actual) ? (int)actual : -1;
}

/* And one whose answer nobody looks at. */
static void tell(uint8_t type, uint8_t request, unsigned value, unsigned index)
{
	const uint8_t setup[8] = { type, request, (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)index,
		(uint8_t)(index >> 8), 0, 0 };

	submit(next_number(false), false, 0, 0, setup, NULL, 0);
}

/* Requests of libusb ---------------------------------------------------------------------------------------- */

/* The node is a pipe that is full while nothing can be reaped: so that it polls writable exactly when something can. It is not
 * kept open, so that /proc shows only who uses the board. */
static void show_reapable(void)
{
	static uint8_t bytes[PIPE_BYTES];
	char path[256];
	int fifo;

	snprintf(path, sizeof(path), "%s%s", root, dev.node);
	fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fifo < 0)
		return;
	fcntl(fifo, F_SETPIPE_SZ, PIPE_BYTES);
	if (dev.done || !dev.present)
		while (read(fifo, bytes, sizeof(bytes)) > 0)
			;
	else
		while (write(fifo, bytes, sizeof(bytes)) > 0)
			;
	close(fifo);
}

static void free_urb(struct urb *u)
{
	g_object_unref(u->data);
	g_object_unref(u->buffer);
	free(u);
}

static struct urb *take_flying(struct urb *u)
{
	for (struct urb **at = &dev.flying; *at; at = &(*at)->next)
		if (*at == u) {
			*at = u->next;
			return u;
		}
	return NULL;
}

static void finish(struct urb *u, int status, size_t actual)
{
	take_flying(u);
	u->status = status;
	u->actual = actual;
	u->next = NULL;
	*dev.done_end = u;
	dev.done_end = &u->next;
}

static void finish_all(int status)
{
	while (dev.flying)
		finish(dev.flying, status, 0);
}

/* Bulk data on its way; *n bytes become others. */
static void disturb(uint8_t *p, size_t *n, bool in)
{
	if (in && noise.cut && dice(256) < noise.cut)
		*n = *n ? dice((uint32_t)*n + 1) : 0;
	for (size_t i = 0; i < *n && (noise.lose | noise.twice | noise.flip); i++) {
		uint32_t d = dice(1 << 24);

		if (d < noise.flip) {
			p[i] ^= (uint8_t)(1u << dice(8));
		} else if (d - noise.flip < noise.lose) {
			memmove(p + i, p + i + 1, *n - i - 1);
			--*n;
		} else if (d - noise.flip - noise.lose < noise.twice) {
			memmove(p + i + 1, p + i, *n - i - 1); /* the last byte makes room */
		}
	}
}

static int on_submit(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data, *buffer;
	struct usbdevfs_urb *request;
	struct urb *u;
	size_t length, skip;
	uint8_t *bytes;
	bool ok;

	if (!dev.present)
		return ENODEV;
	if (dev.suspended)
		return EHOSTUNREACH;
	data = umockdev_ioctl_data_resolve(arg, 0, sizeof(*request), NULL);
	if (!data)
		return EFAULT;
	request = (struct usbdevfs_urb *)(void *)data->data;
	buffer = umockdev_ioctl_data_resolve(
		data, offsetof(struct usbdevfs_urb, buffer), (gsize)request->buffer_length, NULL);
	u = calloc(1, sizeof(*u));
	if (!buffer || !u || request->buffer_length < 0 || request->buffer_length > TRANSFER_MAX ||
		(request->type != USBDEVFS_URB_TYPE_CONTROL && request->type != USBDEVFS_URB_TYPE_BULK))
		g_error("testbed: a request of type %d, %d bytes", request->type, request->buffer_length);
	u->client = client;
	u->data = data;
	u->buffer = buffer;
	u->control = request->type == USBDEVFS_URB_TYPE_CONTROL;
	u->in = u->control ? buffer->data[0] & 0x80 : request->endpoint & 0x80;
	u->seqnum = next_number(u->in);
	skip = u->control ? 8 : 0;
	length = (size_t)request->buffer_length - skip;
	bytes = malloc(length + 1);
	memcpy(bytes, buffer->data + skip, length);
	if (!u->in && !u->control)
		disturb(bytes, &length, false);
	ok = dev.foreign ||
	     submit(u->seqnum, u->in, request->endpoint & 0xf, request->flags & USBDEVFS_URB_SHORT_NOT_OK,
		     u->control ? buffer->data : NULL, bytes, length);
	free(bytes);
	u->next = dev.flying;
	dev.flying = u;
	if (dev.foreign || !ok)
		finish(u, -EPIPE, 0);
	show_reapable();
	return 0;
}

static int on_reap(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *pointer;
	struct usbdevfs_urb *request;
	struct urb *u = NULL;

	for (struct urb **at = &dev.done; *at; at = &(*at)->next) {
		if ((*at)->client != client)
			continue;
		u = *at;
		*at = u->next;
		if (dev.done_end == &u->next)
			dev.done_end = at;
		break;
	}
	if (!u)
		return dev.present ? EAGAIN : ENODEV;
	request = (struct usbdevfs_urb *)(void *)u->data->data;
	request->status = u->status;
	request->actual_length = (int)u->actual;
	pointer = umockdev_ioctl_data_resolve(arg, 0, sizeof(void *), NULL);
	umockdev_ioctl_data_set_ptr(pointer, 0, u->data);
	umockdev_ioctl_client_complete(client, 0, 0);
	g_object_unref(pointer);
	free_urb(u);
	show_reapable();
	return -1;
}

static int on_discard(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	gulong address = *(gulong *)(void *)arg->data;
	uint8_t h[HEADER] = { 0 };

	for (struct urb *u = dev.flying; u; u = u->next) {
		if (u->client != client || u->data->client_addr != address)
			continue;
		if (dev.present && !dev.foreign) {
			put32be(h, CMD_UNLINK);
			put32be(h + 4, next_number(false));
			put32be(h + 20, u->seqnum);
			send_all(h, sizeof(h));
		}
		finish(u, -ENOENT, 0);
		show_reapable();
		return 0;
	}
	return EINVAL;
}

static int on_claim(UMockdevIoctlClient *client, unsigned interface, bool detach)
{
	if (interface > 1 || now_ms() < dev.configured_ms)
		return detach ? EINVAL : ENOENT; /* as devio.c does */
	if (dev.claimed[interface] && dev.claimed[interface] != client)
		return EBUSY;
	if (dev.driver[interface] && !detach)
		return EBUSY;
	dev.driver[interface] = false;
	dev.claimed[interface] = client;
	return 0;
}

static int on_driver_ioctl(UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(arg, 0, sizeof(struct usbdevfs_ioctl), NULL);
	struct usbdevfs_ioctl command = *(struct usbdevfs_ioctl *)(void *)data->data;

	g_object_unref(data);
	if (command.ifno > 1)
		return EINVAL;
	if (command.ioctl_code != (int)USBDEVFS_CONNECT && command.ioctl_code != (int)USBDEVFS_DISCONNECT)
		return ENOTTY;
	if (command.ioctl_code == (int)USBDEVFS_DISCONNECT && !dev.driver[command.ifno])
		return ENODATA;
	dev.driver[command.ifno] = command.ioctl_code == (int)USBDEVFS_CONNECT;
	return 0;
}

static UMockdevIoctlData *resolve(UMockdevIoctlData *arg, gsize bytes)
{
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(arg, 0, bytes, NULL);

	if (!data)
		g_error("testbed: an argument that cannot be read");
	return data;
}

/* Returns an errno, 0, or -1 when it was completed already. */
static int on_request(UMockdevIoctlClient *client, gulong request, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data;
	struct usbdevfs_getdriver *driver;
	unsigned number;
	int result = 0;

	if (!dev.present && request != USBDEVFS_REAPURBNDELAY)
		return ENODEV;
	switch (request) {
	case USBDEVFS_GET_CAPABILITIES:
		data = resolve(arg, 4);
		*(guint32 *)(void *)data->data =
			USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
		break;
	case USBDEVFS_SUBMITURB:
		return on_submit(client, arg);
	case USBDEVFS_REAPURBNDELAY:
		return on_reap(client, arg);
	case USBDEVFS_DISCARDURB:
		return on_discard(client, arg);
	case USBDEVFS_CLAIMINTERFACE:
	case USBDEVFS_RELEASEINTERFACE:
	case USBDEVFS_CLEAR_HALT:
	case USBDEVFS_RESETEP:
		data = resolve(arg, sizeof(number));
		number = *(unsigned *)(void *)data->data;
		if (request == USBDEVFS_CLAIMINTERFACE) {
			result = on_claim(client, number, false);
		} else if (request == USBDEVFS_RELEASEINTERFACE) {
			if (number > 1 || dev.claimed[number] != client)
				result = EINVAL;
			else
				dev.claimed[number] = NULL;
		} else if (request == USBDEVFS_CLEAR_HALT && !dev.foreign) {
			tell(0x02, 1, 0, number);
		}
		break;
	case USBDEVFS_DISCONNECT_CLAIM:
		data = resolve(arg, sizeof(struct usbdevfs_disconnect_claim));
		result = on_claim(client, ((struct usbdevfs_disconnect_claim *)(void *)data->data)->interface, true);
		break;
	case USBDEVFS_GETDRIVER:
		data = resolve(arg, sizeof(*driver));
		driver = (struct usbdevfs_getdriver *)(void *)data->data;
		if (driver->interface > 1 || (!dev.driver[driver->interface] && !dev.claimed[driver->interface]))
			result = ENODATA;
		else
			strcpy(driver->driver, dev.driver[driver->interface] ? "ftdi_sio" : "usbfs");
		break;
	case USBDEVFS_IOCTL:
		return on_driver_ioctl(arg);
	default:
		return ENOTTY;
	}
	if (!result) {
		umockdev_ioctl_client_complete(client, 0, 0);
		result = -1;
	}
	g_object_unref(data);
	return result;
}

static gboolean on_ioctl(UMockdevIoctlBase *base, UMockdevIoctlClient *client, void *ctx)
{
	int result;

	(void)base, (void)ctx;
	pthread_mutex_lock(&lock);
	result = on_request(client, umockdev_ioctl_client_get_request(client), umockdev_ioctl_client_get_arg(client));
	if (result >= 0)
		umockdev_ioctl_client_complete(client, result ? -1 : 0, result);
	pthread_mutex_unlock(&lock);
	return TRUE;
}

/* The process has closed the node, or died. umockdev 0.17 never emits client-vanished; but it lets go of the client. */
static void on_gone(void *ctx, GObject *object)
{
	UMockdevIoctlClient *client = (UMockdevIoctlClient *)object;

	(void)ctx;
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < 2; i++)
		if (dev.claimed[i] == client)
			dev.claimed[i] = NULL;
	for (struct urb *u = dev.flying, *next; u; u = next) {
		uint8_t h[HEADER] = { 0 };

		next = u->next;
		if (u->client != client)
			continue;
		put32be(h, CMD_UNLINK);
		put32be(h + 4, next_number(false));
		put32be(h + 20, u->seqnum);
		if (dev.present && !dev.foreign)
			send_all(h, sizeof(h));
		free_urb(take_flying(u));
	}
	for (struct urb **at = &dev.done; *at;) {
		struct urb *u = *at;

		if (u->client != client) {
			at = &u->next;
			continue;
		}
		*at = u->next;
		if (dev.done_end == &u->next)
			dev.done_end = at;
		free_urb(u);
	}
	show_reapable();
	pthread_mutex_unlock(&lock);
}

static void on_client(UMockdevIoctlBase *base, UMockdevIoctlClient *client, void *ctx)
{
	(void)base, (void)ctx;
	g_object_weak_ref(G_OBJECT(client), on_gone, NULL);
}

/* An answer of the board. Returns false when it is gone. */
static bool on_answer(void)
{
	static uint8_t data[TRANSFER_MAX];
	uint8_t h[HEADER];
	struct urb *u = dev.flying;
	size_t actual, skip;

	if (!recv_all(h, sizeof(h)))
		return false;
	if (get32be(h) != RET_SUBMIT)
		return true;
	while (u && u->seqnum != get32be(h + 4))
		u = u->next;
	actual = get32be(h + 24);
	if (!u) /* our own, or one that was given up */
		return !(get32be(h + 4) & 1) || (actual <= sizeof(data) && recv_all(data, actual));
	skip = u->control ? 8 : 0;
	if (u->in) {
		if (actual > (size_t)u->buffer->data_len - skip || !recv_all(data, actual))
			return false;
		if (!u->control)
			disturb(data, &actual, true);
		memcpy(u->buffer->data + skip, data, actual);
	} else if (!u->control) {
		/* Its length may have been changed on the way out; libusb must not know. */
		actual = (size_t)u->buffer->data_len;
	}
	finish(u, (int)get32be(h + 20), actual);
	show_reapable();
	return true;
}

/* Plugging -------------------------------------------------------------------------------------------------- */

static void add_attribute(GString *s, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_string_append_printf(s, "A: %s=", name);
	g_string_append_vprintf(s, format, args);
	g_string_append(s, "\\n\n");
	va_end(args);
}

static void appear(const uint8_t *descriptors, size_t n, char strings[3][64])
{
	static const char *const names[] = { "manufacturer", "product", "serial" };
	GString *s = g_string_new(NULL);
	char path[256];
	GError *error = NULL;

	dev.number = dev.number % 126 + 2;
	snprintf(dev.node, sizeof(dev.node), "/dev/bus/usb/001/%03u", dev.number);
	snprintf(path, sizeof(path), "%s/dev/bus/usb/001", root);
	g_mkdir_with_parents(path, 0755);
	snprintf(path, sizeof(path), "%s%s", root, dev.node);
	if (mkfifo(path, 0666))
		g_error("testbed: %s: %s", path, strerror(errno));
	chmod(path, 0666);
	dev.present = true;
	dev.suspended = false;
	dev.driver[0] = dev.driver[1] = true;
	dev.claimed[0] = dev.claimed[1] = NULL;
	show_reapable();
	if (!umockdev_testbed_attach_ioctl(testbed, dev.node, handler, &error))
		g_error("testbed: %s", error->message);
	g_string_append_printf(s,
		"P: /devices/usb1/1-1\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nE: DRIVER=usb\nE: BUSNUM=001\n"
		"E: DEVNUM=%03u\nE: DEVNAME=%s\n",
		dev.number, dev.node);
	add_attribute(s, "busnum", "1");
	add_attribute(s, "devnum", "%u", dev.number);
	add_attribute(s, "speed", "480");
	add_attribute(s, "bConfigurationValue", "1");
	add_attribute(s, "bNumConfigurations", "1");
	add_attribute(s, "bNumInterfaces", "2");
	add_attribute(s, "idVendor", "%04x", descriptors[8] | descriptors[9] << 8);
	add_attribute(s, "idProduct", "%04x", descriptors[10] | descriptors[11] << 8);
	for (unsigned i = 0; i < 3; i++)
		add_attribute(s, names[i], "%s", strings[i]);
	g_string_append(s, "H: descriptors=");
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(s, "%02x", descriptors[i]);
	g_string_append(s, "\n");
	if (!umockdev_testbed_add_from_string(testbed, s->str, &error))
		g_error("testbed: %s", error->message);
	g_string_free(s, TRUE);
}

/* Import the board, and ask it what the kernel asks a device that appears. */
static const char *enumerate(unsigned port, uint8_t *descriptors, size_t *n, char strings[3][64])
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	uint8_t import[40] = { 0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, '1', '-', '1' }, reply[8 + 312], text[256];
	int got, one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	dev.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(dev.socket, (struct sockaddr *)&to, sizeof(to)))
		return "no board at that port";
	setsockopt(dev.socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!send_all(import, sizeof(import)) || !recv_all(reply, 8))
		return "import was not answered";
	if (get32be(reply + 4))
		return "import was refused";
	if (!recv_all(reply + 8, sizeof(reply) - 8))
		return "import was not answered";
	if (ask(0x80, 6, 0x0100, descriptors, 18) != 18)
		return "no device descriptor";
	got = ask(0x80, 6, 0x0200, descriptors + 18, CONFIG_MAX);
	if (got < 9 || descriptors[20] != got)
		return "no configuration descriptor";
	*n = 18 + (size_t)got;
	for (unsigned i = 0; i < 3; i++) {
		int length = ask(0x80, 6, 0x0300 | descriptors[14 + i], text, 255);

		if (length < 2 || length != text[0] || text[1] != 3)
			return "a string is missing";
		for (int c = 0; c < (length - 2) / 2; c++)
			strings[i][c] = (char)text[2 + 2 * c];
		strings[i][(length - 2) / 2] = '\0';
	}
	return ask(0x00, 9, 1, NULL, 0) < 0 ? "no configuration 1" : NULL;
}

static const char *plug(unsigned port, unsigned unconfigured_ms)
{
	uint8_t descriptors[18 + CONFIG_MAX];
	char strings[3][64];
	const char *error;
	size_t n;

	if (dev.present)
		return "something is there";
	error = enumerate(port, descriptors, &n, strings);
	if (error) {
		close(dev.socket);
		dev.socket = -1;
		return error;
	}
	dev.foreign = false;
	dev.configured_ms = now_ms() + unconfigured_ms;
	appear(descriptors, n, strings);
	return NULL;
}

static const char *plug_foreign(const char *serial)
{
	static const uint8_t descriptors[] = { 18, 1, 0, 2, 0, 0, 0, 64, 0x03, 0x04, 0x10, 0x60, 0, 7, 1, 2, 3, 1, /**/
		9, 2, 9, 0, 0, 1, 0, 0xa0, 250 };
	char strings[3][64] = { "FTDI", "Dual RS232-HS", "" };

	if (dev.present)
		return "something is there";
	snprintf(strings[2], sizeof(strings[2]), "%s", serial);
	dev.foreign = true;
	appear(descriptors, sizeof(descriptors), strings);
	return NULL;
}

static void unplug(void)
{
	char path[256];

	if (!dev.present)
		return;
	dev.present = false;
	if (dev.socket >= 0)
		close(dev.socket);
	dev.socket = -1;
	finish_all(-ESHUTDOWN);
	show_reapable();
	umockdev_testbed_uevent(testbed, "/sys/devices/usb1/1-1", "remove");
	umockdev_testbed_remove_device(testbed, "/sys/devices/usb1/1-1");
	umockdev_testbed_detach_ioctl(testbed, dev.node, NULL);
	snprintf(path, sizeof(path), "%s%s", root, dev.node);
	unlink(path);
}

static void count(unsigned *urbs, unsigned *claims)
{
	*urbs = 0;
	*claims = !!dev.claimed[0] + !!dev.claimed[1];
	for (struct urb *u = dev.flying; u; u = u->next)
		++*urbs;
	for (struct urb *u = dev.done; u; u = u->next)
		++*urbs;
}

static const char *command(char *line)
{
	static char answer[64];
	unsigned a = 0, b = 0;
	char text[64];

	answer[0] = '\0';
	if (sscanf(line, "plug %u %u", &a, &b) >= 1)
		return plug(a, b);
	if (sscanf(line, "foreign %63s", text) == 1)
		return plug_foreign(text);
	if (!strcmp(line, "unplug")) {
		unplug();
	} else if (!strcmp(line, "halt IN")) {
		tell(0x02, 3, 0, 0x81);
	} else if (!strcmp(line, "halt OUT")) {
		tell(0x02, 3, 0, 0x02);
	} else if (!strcmp(line, "suspend")) {
		dev.suspended = true;
		finish_all(-ESHUTDOWN);
		show_reapable();
	} else if (!strcmp(line, "resume")) {
		dev.suspended = false;
	} else if (!strncmp(line, "noise ", 6)) {
		if (sscanf(line, "noise %u %u %u %u", &noise.lose, &noise.twice, &noise.flip, &noise.cut) != 4)
			return "four numbers";
	} else if (!strcmp(line, "driver")) {
		printf("ok %s\n", dev.driver[0] ? "ftdi_sio" : "none");
		return answer;
	} else if (!strcmp(line, "state")) {
		count(&a, &b);
		printf("ok %u %u\n", a, b);
		return answer;
	} else {
		return "what?";
	}
	return NULL;
}

static bool on_command(void)
{
	static char line[256];
	static size_t have;
	ssize_t n = read(0, line + have, sizeof(line) - 1 - have);
	char *end;

	if (n <= 0)
		return false;
	have += (size_t)n;
	line[have] = '\0';
	while ((end = strchr(line, '\n'))) {
		const char *answer;

		*end = '\0';
		answer = command(line);
		if (!answer)
			printf("ok\n");
		else if (*answer)
			printf("error %s\n", answer);
		fflush(stdout);
		have -= (size_t)(end + 1 - line);
		memmove(line, end + 1, have + 1);
	}
	return true;
}

int main(void)
{
	testbed = umockdev_testbed_new();
	root = umockdev_testbed_get_root_dir(testbed);
	handler = umockdev_ioctl_base_new();
	g_signal_connect(handler, "handle-ioctl", G_CALLBACK(on_ioctl), NULL);
	g_signal_connect(handler, "client-connected", G_CALLBACK(on_client), NULL);
	printf("root %s\n", root);
	fflush(stdout);
	for (bool more = true; more;) {
		struct pollfd p[2] = { { 0, POLLIN, 0 }, { dev.socket, POLLIN, 0 } };

		poll(p, 2, -1);
		pthread_mutex_lock(&lock);
		if (p[0].revents)
			more = on_command();
		else if (p[1].revents && dev.socket >= 0 && !on_answer())
			unplug(); /* the board is gone */
		pthread_mutex_unlock(&lock);
	}
	unplug();
	g_object_unref(handler);
	g_object_unref(testbed);
	return 0;
}
