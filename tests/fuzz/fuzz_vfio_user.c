/* SPDX-License-Identifier: Apache-2.0
 * fuzz_vfio_user.c - libFuzzer harness: a client of the simulated PCIe card says what the input holds, then dies.
 *
 * The card is the whole of it: server, configuration space, DMA map, functional endpoint, C model of the core. It lives on from
 * input to input, as it does from client to client; what a client leaves behind is an error that aborts.
 *
 * Input: a list of pieces. Octet 0: bits 1:0 descriptors sent with it (of a memory file, an eventfd); bit 2 the size field is put
 * right and the message made a command; bit 3 the board runs afterwards; bit 4 the memory file is cut, or grown back; bits 7:5
 * command, 0 = as in the input. Octets 1 and 2: length of the piece, that many octets follow. The first piece comes
 * after a VERSION unless its octet 0 is 0xff. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sim/pcie/pcie_card.h"

enum {
	HEADER = 16,
	PIECE_MAX = 4096,
	MEMORY = 1 << 16,
	QUIET_CLOCKS = 256,
	RUN_CLOCKS = 4096,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct session session;
static struct pcie_card card;
static int descriptors[2]; /* memory file, eventfd */

static void start(void)
{
	descriptors[0] = memfd_create("fuzz", MFD_CLOEXEC);
	descriptors[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (session_open(&session, ENGINE_MODEL, ENGINE_SMALL, 1, 0) || pcie_card_open(&card, NULL) ||
		pcie_card_attach(&card, &session, true, 1))
		abort();
}

static void serve(int fd)
{
	uint8_t reply[4096];

	while (vfio_user_serve(&card.server, 16))
		while (recv(fd, reply, sizeof(reply), MSG_DONTWAIT) > 0)
			;
	while (recv(fd, reply, sizeof(reply), MSG_DONTWAIT) > 0)
		;
}

static void say(int fd, const void *bytes, size_t len, unsigned fd_count)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * 3)];
		struct cmsghdr align;
	} control = { { 0 } };
	const int fds[3] = { descriptors[0], descriptors[1], descriptors[1] };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd_count) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, sizeof(int) * fd_count);
	}
	if (len && sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != EAGAIN)
		abort();
	serve(fd);
}

/* Returns how much of the input was used. */
static size_t piece(int fd, const uint8_t *data, size_t size)
{
	uint8_t message[HEADER + PIECE_MAX] = { 0 };
	struct vfio_user_header h;
	size_t len, used;

	if (size < 3)
		return size;
	len = data[1] | (size_t)(data[2] & 0x0f) << 8;
	used = len < size - 3 ? len : size - 3;
	if (data[0] & 1 << 4 && ftruncate(descriptors[0], data[2] & 0x80 ? 0 : MEMORY))
		abort();
	if (data[0] >> 5 && data[0] != 0xff) { /* a header of ours before the body */
		h = (struct vfio_user_header){ 1,
			data[0] >> 5 == 1 ? VFIO_USER_REGION_WRITE : (uint16_t)((data[0] >> 5) + 1),
			(uint32_t)(HEADER + used), data[2] & 0x40 ? VFIO_USER_FLAG_NO_REPLY : 0, 0 };
		if (data[0] >> 5 == 6)
			h.command = VFIO_USER_DEVICE_SET_IRQS;
		if (data[0] >> 5 == 7)
			h.command = VFIO_USER_REGION_READ;
		memcpy(message, &h, sizeof(h));
		memcpy(message + HEADER, data + 3, used);
		say(fd, message, HEADER + used, data[0] & 3);
	} else {
		memcpy(message, data + 3, used);
		if (data[0] & 1 << 2 && used >= HEADER) {
			memcpy(&h, message, sizeof(h));
			h.size = (uint32_t)used;
			h.flags &= VFIO_USER_FLAG_NO_REPLY;
			memcpy(message, &h, sizeof(h));
		}
		say(fd, message, used, data[0] & 3);
	}
	if (data[0] & 1 << 3)
		sim_settle(session.sim, QUIET_CLOCKS, RUN_CLOCKS);
	return 3 + used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		struct vfio_user_header h;
		struct vfio_user_version v;
	} version = { { 1, VFIO_USER_VERSION, sizeof(version), 0, 0 }, { 0, 0 } };
	int ends[2];

	if (!card.link)
		start();
	if (ftruncate(descriptors[0], MEMORY) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		abort();
	vfio_user_client(&card.server, ends[1]);
	if (size && data[0] != 0xff)
		say(ends[0], &version, sizeof(version), 0);
	for (size_t at = 0; at < size;)
		at += piece(ends[0], data + at, size - at);
	close(ends[0]);
	while (vfio_user_serve(&card.server, 16))
		;
	/* Nothing of a client stays. */
	if (card.server.fd >= 0 || card.server.memory.count || card.link->config.bus_master ||
		card.link->config.msix_enable)
		abort();
	for (unsigned i = 0; i < VFIO_USER_VECTORS; i++)
		if (card.server.vector[i] >= 0)
			abort();
	if (!session_passed(&session) || card.link->faults)
		abort();
	return 0;
}
