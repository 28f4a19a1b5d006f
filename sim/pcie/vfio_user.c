/* SPDX-License-Identifier: Apache-2.0
 * vfio_user.c - the vfio-user protocol, server side. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../unix_socket.h"
#include "vfio_user.h"

enum {
	HEADER = sizeof(struct vfio_user_header),
	ACCESS = sizeof(struct vfio_user_region_access),
	MESSAGE_MAX = HEADER + ACCESS + VFIO_USER_MAX_TRANSFER,
	REGION_SHIFT = 40, /* as the kernel's vfio-pci: region n begins at n << 40 of the device's file */
};

_Static_assert(sizeof(struct vfio_user_header) == 16 && sizeof(struct vfio_user_dma_map) == 32 &&
		       sizeof(struct vfio_user_dma_unmap) == 24 && sizeof(struct vfio_user_region_info) == 32 &&
		       sizeof(struct vfio_user_irq_set) == 20 && sizeof(struct vfio_user_region_access) == 16,
	"layouts of the protocol");

/* ---- client ---- */

static void close_fds(struct vfio_user *v)
{
	for (unsigned i = 0; i < v->fd_count; i++)
		if (v->fds[i] >= 0)
			close(v->fds[i]);
	v->fd_count = 0;
	v->fds_lost = false;
}

static bool drop_vectors(struct vfio_user *v, unsigned start, unsigned count)
{
	bool changed = false;

	for (unsigned i = start; i < start + count; i++) {
		if (v->vector[i] < 0)
			continue;
		close(v->vector[i]);
		v->vector[i] = -1;
		changed = true;
	}
	return changed;
}

static void drop_client(struct vfio_user *v)
{
	if (v->fd < 0)
		return;
	close(v->fd);
	v->fd = -1;
	v->greeted = false;
	v->in_len = v->out_len = v->out_at = 0;
	close_fds(v);
	/* DMA comes to rest while the memory is still there. */
	v->device->reset(v->ctx);
	dma_map_clear(&v->memory);
	if (drop_vectors(v, 0, VFIO_USER_VECTORS))
		v->device->vectors_changed(v->ctx);
}

/* The stream cannot be followed any more. */
static void broken(struct vfio_user *v, const char *why, unsigned long long value)
{
	v->stats.broken++;
	if (v->log)
		fprintf(v->log, "board: vfio-user:%s: %s (%llu): client dropped\n", v->path, why, value);
	drop_client(v);
}

int vfio_user_open(struct vfio_user *v, const char *path, const struct vfio_user_device *device, void *ctx)
{
	memset(v, 0, sizeof(*v));
	v->device = device;
	v->ctx = ctx;
	v->path = path ? path : "";
	v->fd = v->listen_fd = -1;
	for (unsigned i = 0; i < VFIO_USER_VECTORS; i++)
		v->vector[i] = -1;
	dma_map_init(&v->memory);
	v->in = malloc(MESSAGE_MAX);
	v->out = malloc(MESSAGE_MAX);
	if (!v->in || !v->out) {
		vfio_user_close(v);
		return -ENOMEM;
	}
	if (path) {
		int fd = unix_listen_as(path, SOCK_STREAM);

		if (fd < 0) {
			vfio_user_close(v);
			return fd;
		}
		v->listen_fd = fd;
	}
	return 0;
}

void vfio_user_close(struct vfio_user *v)
{
	drop_client(v);
	if (v->listen_fd >= 0) {
		close(v->listen_fd);
		unlink(v->path);
	}
	v->listen_fd = -1;
	free(v->in);
	free(v->out);
	v->in = v->out = NULL;
}

unsigned vfio_user_poll(const struct vfio_user *v, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ .fd = v->listen_fd, .events = POLLIN };
	if (v->fd < 0)
		return 1;
	fds[1] = (struct pollfd){ .fd = v->fd, .events = v->out_len ? POLLOUT : POLLIN };
	return 2;
}

void vfio_user_client(struct vfio_user *v, int fd)
{
	v->fd = fd;
	v->stats.clients++;
}

bool vfio_user_accept(struct vfio_user *v)
{
	struct pollfd gone = { .fd = v->fd, .events = 0 };
	int fd = accept4(v->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	/* The one before may have closed its end without our having read that far. */
	if (v->fd >= 0 && poll(&gone, 1, 0) > 0 && gone.revents & (POLLHUP | POLLERR))
		drop_client(v);
	if (v->fd >= 0) {
		close(fd);
		v->stats.refused_clients++;
		if (v->log)
			fprintf(v->log, "board: vfio-user:%s: a second client was refused, one is connected\n",
				v->path);
		return false;
	}
	vfio_user_client(v, fd);
	return true;
}

void vfio_user_interrupt(struct vfio_user *v, unsigned vector)
{
	const uint64_t one = 1;
	struct pollfd p = { .events = POLLOUT };

	if (vector >= VFIO_USER_VECTORS || v->vector[vector] < 0) {
		v->stats.lost++;
		return;
	}
	v->stats.interrupts++;
	p.fd = v->vector[vector];
	/* A counter at its maximum is a signal that was not seen yet. */
	if (poll(&p, 1, 0) > 0 && p.revents & POLLOUT && write(p.fd, &one, sizeof(one)) != sizeof(one))
		v->stats.lost++;
}

/* ---- replies ---- */

static void flush(struct vfio_user *v)
{
	while (v->out_at < v->out_len) {
		ssize_t n = send(v->fd, v->out + v->out_at, v->out_len - v->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
			return;
		if (n < 0) {
			drop_client(v);
			return;
		}
		v->out_at += (size_t)n;
	}
	v->out_at = v->out_len = 0;
}

/* Answer the message in `in`: `len` bytes of body are in `out` behind the header; error is 0 or an errno. */
static void reply(struct vfio_user *v, int error, size_t len)
{
	struct vfio_user_header h;

	memcpy(&h, v->in, sizeof(h));
	if (error)
		v->stats.errors++;
	if (h.flags & VFIO_USER_FLAG_NO_REPLY)
		return;
	h.size = (uint32_t)(HEADER + (error ? 0 : len));
	h.flags = VFIO_USER_TYPE_REPLY | (error ? VFIO_USER_FLAG_ERROR : 0);
	h.error = (uint32_t)error;
	memcpy(v->out, &h, sizeof(h));
	v->out_len = h.size;
	v->out_at = 0;
	flush(v);
}

/* ---- commands: body of the request, its length; the reply's body goes to `out`, *reply_len ---- */

/* Whether the client names this capability, so that we may. The text ends with its NUL. */
static bool names(const char *json, const char *capability)
{
	return strstr(json, capability) != NULL;
}

static int on_version(struct vfio_user *v, const uint8_t *body, size_t len, uint8_t *out, size_t *reply_len)
{
	static const struct {
		const char *name;
		unsigned value;
	} ours[] = {
		{ "max_msg_fds", VFIO_USER_MAX_FDS },
		{ "max_data_xfer_size", VFIO_USER_MAX_TRANSFER },
		{ "pgsizes", VFIO_USER_PAGE },
		{ "max_dma_maps", VFIO_USER_MAX_MAPS },
	};
	struct vfio_user_version version;
	const char *json = "";
	char text[256];
	int at = 0;

	if (v->greeted || len < sizeof(version))
		return EINVAL;
	memcpy(&version, body, sizeof(version));
	if (version.major != VFIO_USER_MAJOR)
		return EINVAL;
	if (len > sizeof(version)) {
		if (body[len - 1])
			return EINVAL;
		json = (const char *)body + sizeof(version);
	}
	version.minor = VFIO_USER_MINOR;
	memcpy(out, &version, sizeof(version));
	at = snprintf(text, sizeof(text), "{\"capabilities\":{");
	for (unsigned i = 0, n = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (names(json, ours[i].name))
			at += snprintf(text + at, sizeof(text) - (size_t)at, "%s\"%s\":%u", n++ ? "," : "",
				ours[i].name, ours[i].value);
	at += snprintf(text + at, sizeof(text) - (size_t)at, "}}");
	memcpy(out + sizeof(version), text, (size_t)at + 1);
	*reply_len = sizeof(version) + (size_t)at + 1;
	v->greeted = true;
	return 0;
}

static int on_dma_map(struct vfio_user *v, const uint8_t *body, size_t len)
{
	const uint32_t known = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	struct vfio_user_dma_map m;

	if (len != sizeof(m) || v->fd_count > 1)
		return EINVAL;
	memcpy(&m, body, sizeof(m));
	if (m.argsz < sizeof(m) || m.flags & ~known)
		return EINVAL;
	return -dma_map_add(&v->memory, m.address, m.size, v->fd_count ? v->fds[0] : -1, m.offset,
		m.flags & VFIO_DMA_MAP_FLAG_READ, m.flags & VFIO_DMA_MAP_FLAG_WRITE);
}

static int on_dma_unmap(struct vfio_user *v, const uint8_t *body, size_t len, uint8_t *out, size_t *reply_len)
{
	struct vfio_user_dma_unmap m;
	int rc = 0;

	if (len < sizeof(m) || v->fd_count)
		return EINVAL;
	memcpy(&m, body, sizeof(m));
	if (m.argsz < sizeof(m) || m.flags & ~(uint32_t)VFIO_DMA_UNMAP_FLAG_ALL)
		return EINVAL;
	if (m.flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (m.address || m.size)
			return EINVAL;
		for (size_t i = 0; i < v->memory.count; i++)
			m.size += v->memory.regions[i].size;
		dma_map_clear(&v->memory);
	} else {
		rc = dma_map_remove(&v->memory, m.address, m.size, &m.size);
	}
	memcpy(out, &m, sizeof(m));
	*reply_len = sizeof(m);
	return -rc;
}

static int on_device_info(const uint8_t *body, size_t len, uint8_t *out, size_t *reply_len)
{
	struct vfio_user_device_info i;

	if (len < sizeof(i))
		return EINVAL;
	memcpy(&i, body, sizeof(i));
	if (i.argsz < sizeof(i))
		return EINVAL;
	i = (struct vfio_user_device_info){ sizeof(i), VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		VFIO_PCI_NUM_REGIONS, VFIO_PCI_NUM_IRQS };
	memcpy(out, &i, sizeof(i));
	*reply_len = sizeof(i);
	return 0;
}

static uint32_t region_bytes(const struct vfio_user *v, uint32_t index)
{
	return index == VFIO_PCI_BAR0_REGION_INDEX     ? v->device->bar0_bytes
	       : index == VFIO_PCI_CONFIG_REGION_INDEX ? v->device->config_bytes
						       : 0;
}

static int on_region_info(const struct vfio_user *v, const uint8_t *body, size_t len, uint8_t *out, size_t *reply_len)
{
	struct vfio_user_region_info i;
	uint32_t index;

	if (len < sizeof(i))
		return EINVAL;
	memcpy(&i, body, sizeof(i));
	if (i.argsz < sizeof(i) || i.index >= VFIO_PCI_NUM_REGIONS)
		return EINVAL;
	index = i.index;
	i = (struct vfio_user_region_info){ .argsz = sizeof(i), .index = index, .size = region_bytes(v, index) };
	/* Never _MMAP: what the client maps would not pass the device. */
	if (i.size)
		i.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	i.offset = (uint64_t)index << REGION_SHIFT;
	memcpy(out, &i, sizeof(i));
	*reply_len = sizeof(i);
	return 0;
}

static int on_irq_info(const struct vfio_user *v, const uint8_t *body, size_t len, uint8_t *out, size_t *reply_len)
{
	struct vfio_user_irq_info i;
	uint32_t index;

	if (len < sizeof(i))
		return EINVAL;
	memcpy(&i, body, sizeof(i));
	if (i.argsz < sizeof(i) || i.index >= VFIO_PCI_NUM_IRQS)
		return EINVAL;
	index = i.index;
	i = (struct vfio_user_irq_info){ .argsz = sizeof(i), .index = index };
	if (index == VFIO_PCI_MSIX_IRQ_INDEX) {
		i.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
		i.count = v->device->vectors;
	}
	memcpy(out, &i, sizeof(i));
	*reply_len = sizeof(i);
	return 0;
}

/* Only a real eventfd: writing to something else might wait, or do harm. */
static bool is_eventfd(int fd)
{
	char link[64], name[32];
	ssize_t n;
	int flags;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	if (n < 0)
		return false;
	name[n] = '\0';
	flags = fcntl(fd, F_GETFL);
	return !strcmp(name, "anon_inode:[eventfd]") && flags >= 0 && !fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static int set_eventfds(struct vfio_user *v, uint32_t start, uint32_t count)
{
	if (v->fd_count && v->fd_count != count)
		return EINVAL;
	for (unsigned i = 0; i < v->fd_count; i++)
		if (!is_eventfd(v->fds[i]))
			return EINVAL;
	drop_vectors(v, start, count);
	for (unsigned i = 0; i < v->fd_count; i++) {
		v->vector[start + i] = v->fds[i];
		v->fds[i] = -1;
	}
	v->device->vectors_changed(v->ctx);
	return 0;
}

static int on_set_irqs(struct vfio_user *v, const uint8_t *body, size_t len)
{
	struct vfio_user_irq_set s;
	uint32_t data, action;

	if (len < sizeof(s))
		return EINVAL;
	memcpy(&s, body, sizeof(s));
	data = s.flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	action = s.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	if (s.argsz < sizeof(s) || s.flags & ~(VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK) ||
		s.index >= VFIO_PCI_NUM_IRQS)
		return EINVAL;
	if (data != VFIO_IRQ_SET_DATA_EVENTFD && v->fd_count)
		return EINVAL;
	if (action != VFIO_IRQ_SET_ACTION_TRIGGER) /* not MASKABLE: masks are in the MSI-X table */
		return EINVAL;
	if (s.index != VFIO_PCI_MSIX_IRQ_INDEX)
		return s.start || s.count || v->fd_count ? EINVAL : 0;
	if (s.start > v->device->vectors || s.count > v->device->vectors - s.start)
		return EINVAL;
	switch (data) {
	case VFIO_IRQ_SET_DATA_NONE:
		if (!s.count && !s.start) {
			if (drop_vectors(v, 0, v->device->vectors))
				v->device->vectors_changed(v->ctx);
			return 0;
		}
		for (uint32_t i = 0; i < s.count; i++)
			vfio_user_interrupt(v, s.start + i);
		return s.count ? 0 : EINVAL;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (!s.count || len - sizeof(s) < s.count)
			return EINVAL;
		for (uint32_t i = 0; i < s.count; i++)
			if (body[sizeof(s) + i])
				vfio_user_interrupt(v, s.start + i);
		return 0;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return s.count ? set_eventfds(v, s.start, s.count) : EINVAL;
	default:
		return EINVAL;
	}
}

static int on_region_access(
	struct vfio_user *v, bool write, const uint8_t *body, size_t len, uint8_t *out, size_t *reply_len)
{
	const struct vfio_user_device *d = v->device;
	struct vfio_user_region_access a;
	uint32_t bytes, offset;

	if (len < sizeof(a))
		return EINVAL;
	memcpy(&a, body, sizeof(a));
	bytes = region_bytes(v, a.region);
	if (a.count > VFIO_USER_MAX_TRANSFER || a.offset > bytes || a.count > bytes - a.offset ||
		len != sizeof(a) + (write ? a.count : 0))
		return EINVAL;
	offset = (uint32_t)a.offset;
	memcpy(out, &a, sizeof(a));
	*reply_len = sizeof(a) + (write ? 0 : a.count);
	if (!a.count)
		return 0;
	if (a.region == VFIO_PCI_BAR0_REGION_INDEX && write)
		d->bar0_write(v->ctx, offset, body + sizeof(a), a.count);
	else if (a.region == VFIO_PCI_BAR0_REGION_INDEX)
		d->bar0_read(v->ctx, offset, out + sizeof(a), a.count);
	else if (write)
		d->config_write(v->ctx, offset, body + sizeof(a), a.count);
	else
		d->config_read(v->ctx, offset, out + sizeof(a), a.count);
	return 0;
}

/* The whole message is in `in`. */
static void on_message(struct vfio_user *v)
{
	struct vfio_user_header h;
	const uint8_t *body = v->in + HEADER;
	uint8_t *out = v->out + HEADER;
	size_t len, reply_len = 0;
	int error;

	memcpy(&h, v->in, sizeof(h));
	len = h.size - HEADER;
	v->stats.messages++;
	if ((h.flags & VFIO_USER_TYPE_MASK) != 0) {
		broken(v, "a message that is no command, flags", h.flags); /* we asked for nothing */
		return;
	}
	if (!v->greeted && h.command != VFIO_USER_VERSION) {
		reply(v, EINVAL, 0);
		if (v->fd >= 0)
			broken(v, "VERSION must come first, not command", h.command);
		return;
	}
	if (v->fds_lost) {
		error = EINVAL;
	} else {
		switch (h.command) {
		case VFIO_USER_VERSION:
			error = on_version(v, body, len, out, &reply_len);
			break;
		case VFIO_USER_DMA_MAP:
			error = on_dma_map(v, body, len);
			break;
		case VFIO_USER_DMA_UNMAP:
			error = on_dma_unmap(v, body, len, out, &reply_len);
			break;
		case VFIO_USER_DEVICE_GET_INFO:
			error = on_device_info(body, len, out, &reply_len);
			break;
		case VFIO_USER_DEVICE_GET_REGION_INFO:
			error = on_region_info(v, body, len, out, &reply_len);
			break;
		case VFIO_USER_DEVICE_GET_IRQ_INFO:
			error = on_irq_info(v, body, len, out, &reply_len);
			break;
		case VFIO_USER_DEVICE_SET_IRQS:
			error = on_set_irqs(v, body, len);
			break;
		case VFIO_USER_REGION_READ:
		case VFIO_USER_REGION_WRITE:
			error = on_region_access(v, h.command == VFIO_USER_REGION_WRITE, body, len, out, &reply_len);
			break;
		case VFIO_USER_DEVICE_RESET:
			error = len ? EINVAL : 0;
			if (!error)
				v->device->reset(v->ctx);
			break;
		default: /* IO_FDS, FEATURE, migration, WRITE_MULTI: optional, not offered */
			error = ENOTSUP;
			break;
		}
	}
	close_fds(v);
	reply(v, error, reply_len);
}

/* ---- receiving ---- */

static void take_fds(struct vfio_user *v, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(fd) <= c->cmsg_len; at += sizeof(fd)) {
			memcpy(&fd, (uint8_t *)c + at, sizeof(fd));
			if (v->fd_count < VFIO_USER_MAX_FDS) {
				v->fds[v->fd_count++] = fd;
			} else {
				close(fd);
				v->fds_lost = true;
			}
		}
	}
	if (m->msg_flags & MSG_CTRUNC)
		v->fds_lost = true;
}

/* Receive up to `want` bytes in all. False: they are not there yet, or the client is gone. */
static bool fill(struct vfio_user *v, size_t want)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * VFIO_USER_MAX_FDS)];
		struct cmsghdr align;
	} control;

	while (v->in_len < want) {
		struct iovec iov = { v->in + v->in_len, want - v->in_len };
		struct msghdr m = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
		};
		ssize_t n = recvmsg(v->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n <= 0) {
			drop_client(v);
			return false;
		}
		take_fds(v, &m);
		v->in_len += (size_t)n;
	}
	return true;
}

unsigned vfio_user_serve(struct vfio_user *v, unsigned max)
{
	unsigned served = 0;

	if (v->fd >= 0 && v->out_len)
		flush(v);
	while (v->fd >= 0 && !v->out_len && served < max) {
		struct vfio_user_header h;

		if (!fill(v, HEADER))
			break;
		memcpy(&h, v->in, sizeof(h));
		if (h.size < HEADER || h.size > MESSAGE_MAX) {
			broken(v, "a message of impossible size", h.size);
			break;
		}
		if (!fill(v, h.size))
			break;
		v->in_len = 0;
		served++;
		on_message(v);
	}
	return served;
}
