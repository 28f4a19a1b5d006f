/* SPDX-License-Identifier: Apache-2.0
 * transport_vfio_user.c - `vfio-user:PATH`: the rings of a simulated card, straight over its vfio-user socket, without a
 * guest. What vfio-pci does for a real card by ioctl(2) is done here by messages (vfio_user_protocol.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "pcie_rings.h"
#include "regs/regs.h"
#include "vfio_user_protocol.h"

enum {
	REPLY_MS = 5000, /* a server that answers nothing for so long is gone */
	JUNK_BYTES = 256,
	HEADER = sizeof(struct vfio_user_header),
};

static const char capabilities[] =
	"{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576,\"pgsizes\":4096,"
	"\"max_dma_maps\":65535}}";

struct client {
	struct pcie_bus b;
	int memory_fd;
	uint16_t id; /* of the last message */
	bool gone;
};

static int lost(struct client *c)
{
	c->gone = true;
	return -ENODEV;
}

/* Wait until the socket is ready for `events`. */
static int ready(struct client *c, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = c->b.watch[0], .events = events };
		const int64_t left = deadline - clock_ms();
		int n = left <= 0 ? 0 : poll(&p, 1, (int)left);

		if (n > 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		return lost(c);
	}
}

/* All of a message, its descriptors with the first byte. */
static int send_all(struct client *c, const struct iovec *parts, int count, const int *fds, unsigned fd_count)
{
	const int64_t deadline = clock_ms() + REPLY_MS;
	union {
		char bytes[CMSG_SPACE(sizeof(int) * VFIO_USER_MAX_FDS)];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec left[3];
	struct msghdr m = { .msg_iov = left, .msg_iovlen = (size_t)count };

	memcpy(left, parts, (size_t)count * sizeof(*parts));
	if (fd_count) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, sizeof(int) * fd_count);
	}
	for (;;) {
		ssize_t n = sendmsg(c->b.watch[0], &m, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
			if (ready(c, POLLOUT, deadline))
				return -ENODEV;
			continue;
		}
		if (n < 0)
			return lost(c);
		m.msg_control = NULL;
		m.msg_controllen = 0;
		while (m.msg_iovlen && (size_t)n >= m.msg_iov->iov_len) {
			n -= (ssize_t)m.msg_iov->iov_len;
			m.msg_iov++;
			m.msg_iovlen--;
		}
		if (!m.msg_iovlen)
			return 0;
		m.msg_iov->iov_base = (uint8_t *)m.msg_iov->iov_base + n;
		m.msg_iov->iov_len -= (size_t)n;
	}
}

static int receive_all(struct client *c, void *to, size_t len, int64_t deadline)
{
	uint8_t *at = to;

	while (len) {
		ssize_t n = recv(c->b.watch[0], at, len, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (ready(c, POLLIN, deadline))
				return -ENODEV;
			continue;
		}
		if (n <= 0)
			return lost(c);
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int discard(struct client *c, size_t len, int64_t deadline)
{
	uint8_t junk[JUNK_BYTES];

	while (len) {
		const size_t n = len < sizeof(junk) ? len : sizeof(junk);

		if (receive_all(c, junk, n, deadline))
			return -ENODEV;
		len -= n;
	}
	return 0;
}

/* Send a command; without `no_reply` wait for the answer and take `reply_len` bytes of its body. Returns 0, -ENODEV, or the
 * server's errno, negative. */
static int command(struct client *c, enum vfio_user_command what, bool no_reply, const void *body, size_t len,
	const void *tail, size_t tail_len, const int *fds, unsigned fd_count, void *reply, size_t reply_len)
{
	struct vfio_user_header h = { ++c->id, (uint16_t)what, (uint32_t)(HEADER + len + tail_len),
		no_reply ? VFIO_USER_FLAG_NO_REPLY : 0, 0 };
	const struct iovec parts[] = { { &h, sizeof(h) }, { (void *)(uintptr_t)body, len },
		{ (void *)(uintptr_t)tail, tail_len } };
	const int64_t deadline = clock_ms() + REPLY_MS;
	size_t there;

	if (c->gone)
		return -ENODEV;
	/* Whoever takes the socket over may find the answer to this one. */
	if (c->b.memory)
		pcie_host_page(&c->b)->request = c->id;
	if (send_all(c, parts, tail_len ? 3 : len ? 2 : 1, fds, fd_count))
		return -ENODEV;
	if (no_reply)
		return 0;
	do { /* we never let two commands wait for their answers, but a server may have questions of its own */
		if (receive_all(c, &h, sizeof(h), deadline) || h.size < HEADER ||
			h.size > HEADER + VFIO_USER_MAX_TRANSFER)
			return lost(c);
		there = h.size - HEADER;
		if ((h.flags & VFIO_USER_TYPE_MASK) == VFIO_USER_TYPE_REPLY && h.id == c->id)
			break;
		if (discard(c, there, deadline))
			return -ENODEV;
	} while (true);
	if (h.flags & VFIO_USER_FLAG_ERROR)
		return discard(c, there, deadline) ? -ENODEV : h.error && h.error < 4096 ? -(int)h.error : -EIO;
	if (there < reply_len)
		return lost(c);
	if (receive_all(c, reply, reply_len, deadline) || discard(c, there - reply_len, deadline))
		return -ENODEV;
	return 0;
}

static int region_read(struct client *c, uint32_t region, uint64_t offset, void *data, uint32_t len)
{
	const struct vfio_user_region_access a = { offset, region, len };
	struct {
		struct vfio_user_region_access a;
		uint8_t data[8];
	} reply;
	int rc = command(c, VFIO_USER_REGION_READ, false, &a, sizeof(a), NULL, 0, NULL, 0, &reply, sizeof(a) + len);

	if (!rc)
		memcpy(data, reply.data, len);
	return rc;
}

static int region_write(struct client *c, uint32_t region, uint64_t offset, const void *data, uint32_t len, bool posted)
{
	const struct vfio_user_region_access a = { offset, region, len };

	return command(c, VFIO_USER_REGION_WRITE, posted, &a, sizeof(a), data, len, NULL, 0, NULL, 0);
}

/* ---- struct pcie_bus_ops ---- */

static int client_read32(struct pcie_bus *b, uint32_t offset, uint32_t *value)
{
	return region_read((struct client *)b, VFIO_PCI_BAR0_REGION_INDEX, offset, value, sizeof(*value)) ? -ENODEV : 0;
}

static int client_write32(struct pcie_bus *b, uint32_t offset, uint32_t value)
{
	return region_write((struct client *)b, VFIO_PCI_BAR0_REGION_INDEX, offset, &value, sizeof(value), true)
		       ? -ENODEV
		       : 0;
}

/* Offset of a capability in configuration space, 0 = none. */
static int find_capability(struct client *c, uint8_t id, uint8_t *at)
{
	uint8_t next[2];
	int rc = region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, PCI_CAPABILITY_LIST, at, 1);

	for (unsigned i = 0; !rc && *at && i < 48; i++) {
		rc = region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, *at, next, 2);
		if (rc || next[0] == id)
			return rc;
		*at = next[1];
	}
	*at = 0;
	return rc;
}

/* Memory and bus master on, MSI-X on. A base address is nobody's business here: the socket names regions. */
static int enable(struct client *c)
{
	uint16_t control = 0, word = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE;
	uint8_t at;
	int rc = region_write(c, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &word, sizeof(word), false);

	if (!rc)
		rc = find_capability(c, PCI_CAP_ID_MSIX, &at);
	if (!rc && !at)
		rc = -EPROTO;
	if (!rc)
		rc = region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, at + PCI_MSIX_FLAGS, &control, sizeof(control));
	control = (uint16_t)((control | PCI_MSIX_FLAGS_ENABLE) & ~PCI_MSIX_FLAGS_MASKALL);
	if (!rc)
		rc = region_write(
			c, VFIO_PCI_CONFIG_REGION_INDEX, at + PCI_MSIX_FLAGS, &control, sizeof(control), false);
	return rc;
}

static int client_reset(struct pcie_bus *b, bool hot)
{
	struct client *c = (struct client *)b;
	int rc;

	if (hot) /* there is no bus that could be reset */
		return -ENOTSUP;
	rc = command(c, VFIO_USER_DEVICE_RESET, false, NULL, 0, NULL, 0, NULL, 0, NULL, 0);
	if (!rc)
		rc = enable(c);
	return rc ? -ENODEV : 0;
}

/* The socket is ready although we asked for nothing: its end, or something that a server of this device never says. */
static bool client_alive(struct pcie_bus *b)
{
	struct client *c = (struct client *)b;
	struct pollfd p = { .fd = b->watch[0], .events = POLLIN };

	c->gone = c->gone || poll(&p, 1, 0) != 0;
	return !c->gone;
}

/* All but what another process may go on with. */
static void client_free(struct client *c)
{
	for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++)
		if (c->b.vector[i] >= 0)
			close(c->b.vector[i]);
	if (c->b.memory)
		munmap(c->b.memory, PCIE_BUS_BYTES);
	free(c);
}

static void client_leave(struct pcie_bus *b)
{
	struct client *c = (struct client *)b;

	if (b->watch[0] >= 0)
		close(b->watch[0]);
	if (c->memory_fd >= 0)
		close(c->memory_fd);
	client_free(c);
}

/* The server resets the card, then forgets memory and eventfds. */
static void client_close(struct pcie_bus *b)
{
	if (b->watch[0] >= 0)
		shutdown(b->watch[0], SHUT_RDWR); /* whoever has a copy */
	client_leave(b);
}

enum { KEPT_SOCKET, KEPT_MEMORY, KEPT };

static int client_keep(const struct pcie_bus *b, int *fds)
{
	fds[KEPT_SOCKET] = b->watch[0];
	fds[KEPT_MEMORY] = ((const struct client *)b)->memory_fd;
	return KEPT;
}

static const struct pcie_bus_ops client_ops = { client_read32, client_write32, client_reset, client_alive, client_close,
	client_keep, client_leave };

/* ---- opening ---- */

static int connect_within(struct client *c, const char *path, int timeout_ms)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	c->b.watch[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* connect(2) to a full queue of a unix socket waits for SO_SNDTIMEO. */
	if (c->b.watch[0] < 0 || setsockopt(c->b.watch[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return -errno;
	if (connect(c->b.watch[0], (const struct sockaddr *)&addr, sizeof(addr)))
		return errno == EAGAIN || errno == EINTR ? -ETIMEDOUT : -errno;
	return 0;
}

static int make_memory(struct client *c)
{
	return pcie_bus_memory(&c->b, &c->memory_fd);
}

static int give_memory(struct client *c)
{
	const struct vfio_user_dma_map m = { sizeof(m), VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE, 0,
		PCIE_BUS_IOVA, PCIE_BUS_BYTES };

	c->b.iova = PCIE_BUS_IOVA;
	return command(c, VFIO_USER_DMA_MAP, false, &m, sizeof(m), NULL, 0, &c->memory_fd, 1, NULL, 0);
}

static int give_vectors(struct client *c)
{
	const struct vfio_user_irq_set s = { sizeof(s), VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		VFIO_PCI_MSIX_IRQ_INDEX, 0, PCIE_BUS_VECTORS };

	for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++) {
		c->b.vector[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (c->b.vector[i] < 0)
			return -errno;
	}
	return command(
		c, VFIO_USER_DEVICE_SET_IRQS, false, &s, sizeof(s), NULL, 0, c->b.vector, PCIE_BUS_VECTORS, NULL, 0);
}

static int exchange_version(struct client *c)
{
	const struct vfio_user_version ours = { VFIO_USER_MAJOR, VFIO_USER_MINOR };
	struct vfio_user_version theirs;
	int rc = command(c, VFIO_USER_VERSION, false, &ours, sizeof(ours), capabilities, sizeof(capabilities), NULL, 0,
		&theirs, sizeof(theirs));

	return rc ? rc : theirs.major == VFIO_USER_MAJOR ? 0 : -EPROTO;
}

static int check_device(struct client *c)
{
	struct vfio_user_device_info d = { .argsz = sizeof(d) };
	struct vfio_user_region_info r = { .argsz = sizeof(r), .index = VFIO_PCI_BAR0_REGION_INDEX };
	int rc = command(c, VFIO_USER_DEVICE_GET_INFO, false, &d, sizeof(d), NULL, 0, NULL, 0, &d, sizeof(d));

	if (!rc && !(d.flags & VFIO_DEVICE_FLAGS_PCI))
		rc = -EPROTO;
	if (!rc)
		rc = command(
			c, VFIO_USER_DEVICE_GET_REGION_INFO, false, &r, sizeof(r), NULL, 0, NULL, 0, &r, sizeof(r));
	if (!rc && r.size < HF_PCIE_BAR_BYTES)
		rc = -EPROTO;
	return rc;
}

static struct client *new_client(void)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->b.ops = &client_ops;
	c->memory_fd = -1;
	for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++)
		c->b.vector[i] = -1;
	for (unsigned i = 0; i < PCIE_BUS_WATCHES; i++)
		c->b.watch[i] = -1;
	return c;
}

int transport_vfio_user_resume(const char *path, const int *fds, unsigned count, struct transport **t, char *why)
{
	struct client *c;
	int rc;

	(void)path;
	if (count != KEPT)
		return -EINVAL;
	c = new_client();
	if (!c)
		return -ENOMEM;
	c->b.watch[0] = fds[KEPT_SOCKET];
	c->memory_fd = fds[KEPT_MEMORY];
	fcntl(c->b.watch[0], F_SETFD, FD_CLOEXEC);
	fcntl(c->memory_fd, F_SETFD, FD_CLOEXEC);
	c->b.iova = PCIE_BUS_IOVA;
	rc = pcie_bus_map(&c->b, c->memory_fd);
	if (!rc) {
		c->id = (uint16_t)pcie_host_page(&c->b)->request;
		rc = give_vectors(c);
	}
	if (!rc)
		rc = pcie_rings_resume(&c->b, t, why);
	if (rc)
		client_free(c);
	return rc;
}

int transport_vfio_user_open(const char *path, int timeout_ms, struct transport **t, char *why)
{
	static const struct {
		int (*step)(struct client *c);
		const char *name;
	} steps[] = {
		{ exchange_version, "VERSION" },
		{ check_device, "device information" },
		{ make_memory, "memory for the rings" },
		{ give_memory, "DMA_MAP" },
		{ give_vectors, "SET_IRQS" },
	};
	struct client *c = new_client();
	int rc;

	if (!c)
		return -ENOMEM;
	rc = connect_within(c, path, timeout_ms < 1 ? 1 : timeout_ms);
	for (size_t i = 0; !rc && i < sizeof(steps) / sizeof(steps[0]); i++) {
		rc = steps[i].step(c);
		if (rc)
			snprintf(why, TRANSPORT_WHY_BYTES, "vfio-user: %s: %s", steps[i].name,
				rc == -ENODEV ? "the server hung up" : strerror(-rc));
	}
	/* As vfio-pci does at open. */
	if (!rc)
		rc = client_reset(&c->b, false);
	if (!rc)
		rc = pcie_rings_open(&c->b, timeout_ms < 1 ? 1 : timeout_ms, t, why);
	if (rc)
		client_close(&c->b);
	return rc;
}
