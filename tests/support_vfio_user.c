/* SPDX-License-Identifier: Apache-2.0
 * support_vfio_user.c - a vfio-user client that says whatever a test wants. */
#include "support_vfio_user.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RAW_HEADER = 16, QUIET = 1024 /* longer than MODERATION */, RUN_MAX = 200000, SERVE_MAX = 100000 };

unsigned raw_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

struct raw *raw_open(void)
{
	return raw_open_as(bench_target());
}

struct raw *raw_open_as(enum engine_kind kind)
{
	struct raw *r = calloc(1, sizeof(*r));

	r->fd = -1;
	r->vector[0] = r->vector[1] = r->vector[2] = -1;
	r->memory_fd = memfd_create("raw", MFD_CLOEXEC);
	CHECK(!ftruncate(r->memory_fd, RAW_MEMORY), "no memory");
	r->memory = mmap(NULL, RAW_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, r->memory_fd, 0);
	CHECK(!session_open(&r->session, kind, ENGINE_DEFAULT, 1, 0), "session_open");
	CHECK(!pcie_card_open(&r->card, NULL), "pcie_card_open");
	CHECK(!pcie_card_attach(&r->card, &r->session, kind == ENGINE_MODEL, 1), "pcie_card_attach");
	return r;
}

void raw_hang_up(struct raw *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	raw_serve(r);
}

void raw_close(struct raw *r)
{
	raw_hang_up(r);
	CHECK_EQ(r->card.link->faults, 0, r->card.link->fault);
	CHECK(session_passed(&r->session), "the engine's pins: %s", r->session.sim->fault);
	pcie_card_close(&r->card);
	session_close(&r->session);
	munmap(r->memory, RAW_MEMORY);
	close(r->memory_fd);
	for (unsigned i = 0; i < COUNT(r->vector); i++)
		if (r->vector[i] >= 0)
			close(r->vector[i]);
	free(r);
}

void raw_connect(struct raw *r)
{
	int ends[2];

	raw_hang_up(r);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
	CHECK(r->card.server.fd < 0, "the client before is still there");
	r->fd = ends[0];
	vfio_user_client(&r->card.server, ends[1]);
}

bool raw_dropped(struct raw *r)
{
	struct pollfd p = { .fd = r->fd };

	return poll(&p, 1, 0) > 0 && p.revents & POLLHUP;
}

void raw_bytes(struct raw *r, const void *bytes, size_t len, const int *fds, unsigned fd_count)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * 64)];
		struct cmsghdr align;
	} control = { { 0 } };
	const uint8_t *at = bytes;

	while (len) {
		struct iovec iov = { (void *)(uintptr_t)at, len };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n;

		if (fd_count) {
			m.msg_control = &control;
			m.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
			CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
			CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
			CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, sizeof(int) * fd_count);
		}
		n = sendmsg(r->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			raw_serve(r);
			continue;
		}
		if (n < 0)
			return; /* it has dropped us */
		fd_count = 0;
		at += n;
		len -= (size_t)n;
	}
}

void raw_serve(struct raw *r)
{
	for (unsigned i = 0; i < SERVE_MAX && vfio_user_serve(&r->card.server, 16); i++)
		;
}

static void header(struct raw *r, uint8_t *h, unsigned command, size_t len, uint32_t flags)
{
	put_le(h, 2, ++r->id);
	put_le(h + 2, 2, command);
	put_le(h + 4, 4, RAW_HEADER + len);
	put_le(h + 8, 4, flags);
	put_le(h + 12, 4, 0);
}

static void say(struct raw *r, unsigned command, uint32_t flags, const void *body, size_t len, const int *fds,
	unsigned fd_count)
{
	uint8_t *message = malloc(RAW_HEADER + len);

	header(r, message, command, len, flags);
	if (len)
		memcpy(message + RAW_HEADER, body, len);
	raw_bytes(r, message, RAW_HEADER + len, fds, fd_count);
	free(message);
}

void raw_post(struct raw *r, unsigned command, const void *body, size_t len)
{
	say(r, command, 1 << 4, body, len, NULL, 0);
	raw_serve(r);
}

/* A whole reply, or false. */
static bool receive(struct raw *r)
{
	uint8_t h[RAW_HEADER];
	size_t at = 0;

	if (recv(r->fd, h, sizeof(h), MSG_DONTWAIT) != sizeof(h))
		return false;
	r->flags = (uint32_t)get_le(h + 8, 4);
	r->error = (uint32_t)get_le(h + 12, 4);
	r->len = get_le(h + 4, 4) - RAW_HEADER;
	CHECK(r->len <= sizeof(r->body), "a reply of %zu bytes", r->len);
	CHECK_EQ(get_le(h, 2), r->id, "id of the reply");
	while (at < r->len) {
		ssize_t n = recv(r->fd, r->body + at, r->len - at, MSG_DONTWAIT);

		if (n <= 0) {
			raw_serve(r);
			n = recv(r->fd, r->body + at, r->len - at, MSG_DONTWAIT);
		}
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

int raw_call(struct raw *r, unsigned command, const void *body, size_t len, const int *fds, unsigned fd_count)
{
	say(r, command, 0, body, len, fds, fd_count);
	raw_serve(r);
	if (!receive(r))
		return -1;
	CHECK_EQ(r->flags & 15, 1, "type of the reply");
	if (!(r->flags & 1 << 5))
		return 0;
	CHECK(r->len == 0, "a reply with an error has a body");
	return (int)r->error;
}

int raw_version(struct raw *r)
{
	static const char body[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}";

	return raw_call(r, 1, body, sizeof(body), NULL, 0);
}

int raw_map(struct raw *r, uint64_t address, uint64_t size, int fd, uint64_t offset, unsigned flags)
{
	uint8_t body[32];

	put_le(body, 4, sizeof(body));
	put_le(body + 4, 4, flags);
	put_le(body + 8, 8, offset);
	put_le(body + 16, 8, address);
	put_le(body + 24, 8, size);
	return raw_call(r, 2, body, sizeof(body), &fd, fd >= 0);
}

int raw_vectors(struct raw *r)
{
	uint8_t body[20];

	for (unsigned i = 0; i < COUNT(r->vector); i++)
		if (r->vector[i] < 0)
			r->vector[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	put_le(body, 4, sizeof(body));
	put_le(body + 4, 4, 1 << 2 | 1 << 5); /* eventfds, trigger */
	put_le(body + 8, 4, 2);		      /* MSI-X */
	put_le(body + 12, 4, 0);
	put_le(body + 16, 4, COUNT(r->vector));
	return raw_call(r, 8, body, sizeof(body), r->vector, COUNT(r->vector));
}

void raw_ready(struct raw *r, uint64_t address)
{
	raw_connect(r);
	CHECK_EQ(raw_version(r), 0, "VERSION");
	CHECK_EQ(raw_map(r, address, RAW_MEMORY, r->memory_fd, 0, 3), 0, "DMA_MAP");
	CHECK_EQ(raw_vectors(r), 0, "SET_IRQS");
	raw_set_config(r, 4, 2, 0x0406);    /* memory, bus master, no INTx */
	raw_set_config(r, 0xb2, 2, 0x8000); /* MSI-X on */
}

static void access_header(uint8_t *body, unsigned region, uint64_t offset, uint32_t len)
{
	put_le(body, 8, offset);
	put_le(body + 8, 4, region);
	put_le(body + 12, 4, len);
}

int raw_read(struct raw *r, unsigned region, uint64_t offset, void *data, uint32_t len)
{
	uint8_t body[16];
	int rc;

	access_header(body, region, offset, len);
	rc = raw_call(r, 9, body, sizeof(body), NULL, 0);
	if (!rc && CHECK_EQ(r->len, sizeof(body) + len, "bytes of the reply to a read"))
		memcpy(data, r->body + sizeof(body), len);
	return rc;
}

int raw_write(struct raw *r, unsigned region, uint64_t offset, const void *data, uint32_t len)
{
	uint8_t *body = malloc(16 + (size_t)len);
	int rc;

	access_header(body, region, offset, len);
	memcpy(body + 16, data, len);
	rc = raw_call(r, 10, body, 16 + (size_t)len, NULL, 0);
	free(body);
	return rc;
}

uint32_t raw_get(struct raw *r, uint32_t offset)
{
	uint8_t data[4] = { 0 };

	CHECK_EQ(raw_read(r, 0, offset, data, sizeof(data)), 0, "read of BAR0");
	return (uint32_t)get_le(data, 4);
}

void raw_put(struct raw *r, uint32_t offset, uint32_t value)
{
	uint8_t body[20];

	access_header(body, 0, offset, 4);
	put_le(body + 16, 4, value);
	raw_post(r, 10, body, sizeof(body)); /* as a driver's: posted */
}

uint32_t raw_config(struct raw *r, unsigned offset, unsigned bytes)
{
	uint8_t data[4] = { 0 };

	CHECK_EQ(raw_read(r, 7, offset, data, bytes), 0, "read of configuration space");
	return (uint32_t)get_le(data, bytes);
}

void raw_set_config(struct raw *r, unsigned offset, unsigned bytes, uint32_t value)
{
	uint8_t data[4];

	put_le(data, bytes, value);
	CHECK_EQ(raw_write(r, 7, offset, data, bytes), 0, "write of configuration space");
}

void raw_run(struct raw *r)
{
	sim_settle(r->session.sim, QUIET, RUN_MAX);
}

void raw_rings(struct raw *r, uint64_t address, unsigned log2, uint32_t switches)
{
	const uint64_t h2c = address + (UINT64_C(1) << log2), status = h2c + (UINT64_C(1) << log2);
	const uint32_t steps[][2] = { { HF_PCIE_CTRL, 0 }, { HF_PCIE_C2H_BASE_LO, (uint32_t)address },
		{ HF_PCIE_C2H_BASE_HI, (uint32_t)(address >> 32) }, { HF_PCIE_C2H_SIZE, log2 },
		{ HF_PCIE_H2C_BASE_LO, (uint32_t)h2c }, { HF_PCIE_H2C_BASE_HI, (uint32_t)(h2c >> 32) },
		{ HF_PCIE_H2C_SIZE, log2 }, { HF_PCIE_STATUS_LO, (uint32_t)status },
		{ HF_PCIE_STATUS_HI, (uint32_t)(status >> 32) }, { HF_PCIE_CTRL, switches } };

	for (unsigned i = 0; i < COUNT(steps); i++)
		raw_put(r, 0x1000 + steps[i][0], steps[i][1]);
}

void raw_works_at(const char *file, unsigned line, struct raw *r)
{
	enum { LOG2 = 13, STATUS = 2 << LOG2 };
	uint8_t *h2c = r->memory + (1 << LOG2), *status = r->memory + STATUS, *reply;
	uint64_t count = 0;

	raw_ready(r, 0x40000000);
	memset(r->memory, 0, STATUS + 64);
	raw_rings(r, 0x40000000, LOG2, 3);
	raw_run(r);
	check_eq_at(file, line, MSG_GET(r->memory, HEADER, type), HF_MSG_HELLO, "first message in the ring");
	check_eq_at(file, line, get_le(status, 4), 40, "C2H_TAIL after HELLO");
	check_at(read(r->vector[0], &count, 8) == 8 && count, file, line, "no interrupt came with HELLO");
	MSG_PUT(h2c, HEADER, type, HF_MSG_REG_READ);
	MSG_PUT(h2c, HEADER, length, 24);
	MSG_PUT(h2c, HEADER, id, HF_REG_ID);
	MSG_PUT(h2c, HEADER, stamp, 77);
	raw_put(r, 0x1000 + HF_PCIE_H2C_TAIL, 24);
	raw_run(r);
	reply = r->memory + 40;
	check_eq_at(file, line, MSG_GET(reply, HEADER, type), HF_MSG_REG_REPLY, "type of the reply");
	check_eq_at(file, line, MSG_GET(reply, HEADER, stamp), 77, "cookie of the reply");
	check_eq_at(file, line, MSG_GET(reply, REG_REPLY, value), HF_ID, "ID by a message");
	check_eq_at(file, line, get_le(status + 4, 4), 24, "H2C_HEAD");
	check_eq_at(file, line, raw_get(r, 0x1000 + HF_PCIE_ERROR), 0, "ERROR");
}
