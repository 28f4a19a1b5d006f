/* SPDX-License-Identifier: Apache-2.0
 * pcie_rings.c - docs/pcie.md, Rings, host side. */
#include "pcie_rings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "message.h"

#define HUGE_2MB (21u << 26) /* MFD_HUGE_2MB of <linux/memfd.h>, which does not go together with <sys/mman.h> */

enum {
	PAD = 8,
	STATUS_WORD_TAIL = 0, /* of the status block, in 32-bit words */
	STATUS_WORD_HEAD = 1,
	STATUS_WORD_ERROR = 2,
	DOORBELL_SHARE = 4, /* a doorbell waits for no more than this part of its ring */
	REST_MS = 1,	    /* between two looks at STATUS */
	ALIVE_MS = 1000,    /* between two looks whether the card is still there, while nothing comes */
};

/* Where one ring is, as the host sees it. */
struct view {
	uint8_t *at;
	uint32_t size;
	uint32_t mine; /* the index that we move: c2h read up to here, h2c written up to here */
	uint32_t told; /* its last doorbell */
};

struct rings {
	struct transport t;
	struct pcie_bus *bus;
	struct view c2h, h2c;
	volatile uint32_t *status;
	int64_t alive_ms; /* when the card was last seen */
	bool gone;
};

static const struct transport_ops ring_ops;

struct pcie_bus *pcie_rings_bus(struct transport *t)
{
	return t->ops == &ring_ops ? ((struct rings *)t)->bus : NULL;
}

/* A word of the status block, and nothing of the rings before it. */
static uint32_t status(const struct rings *r, unsigned word)
{
	const uint32_t value = r->status[word];

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return value;
}

static int set(struct rings *r, uint32_t offset, uint32_t value)
{
	int rc = r->bus->ops->write32(r->bus, offset, value);

	r->gone = r->gone || rc;
	return rc ? -ENODEV : 0;
}

/* A doorbell: what it speaks of is in memory before. */
static int ring_bell(struct rings *r, struct view *v, uint32_t offset)
{
	if (v->told == v->mine)
		return 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	v->told = v->mine;
	return set(r, offset, v->mine);
}

/* Messages that the card need not be told of at once: it has not read yet what it was told of, and sends an interrupt when it
 * has. So a burst costs one doorbell, not one for each message. */
static int tell_h2c(struct rings *r)
{
	const uint32_t waiting = r->h2c.mine - r->h2c.told;

	if (!waiting || (status(r, STATUS_WORD_HEAD) != r->h2c.told && waiting < r->h2c.size / DOORBELL_SHARE))
		return 0;
	return ring_bell(r, &r->h2c, PCIE_REG(H2C_TAIL));
}

/* ---- memory ---- */

int pcie_bus_map(struct pcie_bus *b, int fd)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st) || st.st_size != PCIE_BUS_BYTES)
		return -EINVAL;
	at = mmap(NULL, PCIE_BUS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	b->memory = at;
	b->huge = st.st_blksize == PCIE_BUS_BYTES;
	return 0;
}

int pcie_bus_memory(struct pcie_bus *b, int *fd)
{
	for (unsigned huge = 1;; huge = 0) {
		int rc;

		*fd = memfd_create("handfast-rings", MFD_CLOEXEC | (huge ? MFD_HUGETLB | HUGE_2MB : 0));
		rc = *fd < 0 || ftruncate(*fd, PCIE_BUS_BYTES) ? -errno : pcie_bus_map(b, *fd);
		if (!rc)
			return 0;
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		if (!huge) /* small ones are as good, but an IOMMU needs 512 entries for them */
			return rc;
	}
}

/* ---- copying, round the end of a ring ---- */

static void ring_put(struct view *v, uint32_t index, const void *from, size_t len)
{
	const uint32_t at = index & (v->size - 1);
	const size_t first = len < v->size - at ? len : v->size - at;

	memcpy(v->at + at, from, first);
	memcpy(v->at, (const uint8_t *)from + first, len - first);
}

static void ring_get(const struct view *v, uint32_t index, void *to, size_t len)
{
	const uint32_t at = index & (v->size - 1);
	const size_t first = len < v->size - at ? len : v->size - at;

	memcpy(to, v->at + at, first);
	memcpy((uint8_t *)to + first, v->at, len - first);
}

/* ---- transport ---- */

static int rings_send(struct transport *t, const void *msg, size_t len)
{
	static const uint8_t zeros[PAD];
	struct rings *r = (struct rings *)t;
	const size_t padded = (len + PAD - 1) / PAD * PAD;
	uint32_t used;

	if (len > TRANSPORT_MESSAGE_MAX)
		return -EMSGSIZE;
	/* The card finds the next message by this one's length field: with a wrong one it would find rubbish. */
	if (len < HF_MSG_HEADER_BYTES || GET((const uint8_t *)msg, HEADER, length) != len)
		return -EINVAL;
	if (r->gone)
		return -ENODEV;
	used = r->h2c.mine - status(r, STATUS_WORD_HEAD);
	if (used > r->h2c.size) { /* a card that has read what was never written */
		r->gone = true;
		return -ENODEV;
	}
	if (r->h2c.size - used < padded) {
		/* The interrupt that says that there is room comes after this. */
		return ring_bell(r, &r->h2c, PCIE_REG(H2C_TAIL)) ? -ENODEV : -EAGAIN;
	}
	ring_put(&r->h2c, r->h2c.mine, msg, len);
	ring_put(&r->h2c, r->h2c.mine + (uint32_t)len, zeros, padded - len);
	r->h2c.mine += (uint32_t)padded;
	return tell_h2c(r);
}

/* The status block's ERROR became non-zero, or still is. False: the card does not work any more. */
static bool look_at_error(struct rings *r)
{
	const uint32_t stops =
		PCIE_BIT(ERROR, H2C_LENGTH) | PCIE_BIT(ERROR, COMPLETION_TIMEOUT) | PCIE_BIT(ERROR, COMPLETION_STATUS);
	uint32_t error;

	if (r->bus->ops->read32(r->bus, PCIE_REG(ERROR), &error))
		return false;
	/* All ones: nobody is there. h2c stopped: our memory cannot be read, or the ring holds what we never wrote. */
	if (error == UINT32_MAX || error & stops)
		return false;
	/* The others say that something was ignored; writing them back lets the next one be seen. */
	return !error || !r->bus->ops->write32(r->bus, PCIE_REG(ERROR), error);
}

/* Nothing is in the ring: take the signals back. Returns false when the card is gone. */
static bool settle(struct rings *r)
{
	struct epoll_event ready[PCIE_BUS_VECTORS + PCIE_BUS_WATCHES];
	int n = epoll_wait(r->t.fd, ready, PCIE_BUS_VECTORS + PCIE_BUS_WATCHES, 0);
	int64_t now = clock_ms();
	uint64_t count;
	uint32_t id;

	for (int i = 0; i < n; i++) {
		const uint32_t which = ready[i].data.u32;

		if (which >= PCIE_BUS_VECTORS) {
			if (!r->bus->ops->alive(r->bus))
				return false;
		} else if (read(r->bus->vector[which], &count, sizeof(count)) == sizeof(count)) {
			r->alive_ms = now;
		}
	}
	if (status(r, STATUS_WORD_ERROR) && !look_at_error(r))
		return false;
	/* A card that was pulled out says nothing; its registers read as all ones. */
	if (now - r->alive_ms >= ALIVE_MS) {
		if (r->bus->ops->read32(r->bus, PCIE_REG(ID), &id) || id != HF_PCIE_RESET_ID)
			return false;
		r->alive_ms = now;
	}
	return true;
}

/* Bytes of the first message in ring c2h, padded; 0 when it is not there whole, -ENODEV when it cannot be. */
static ssize_t first_message(struct rings *r)
{
	uint8_t header[HF_MSG_HEADER_BYTES];
	const uint32_t there = status(r, STATUS_WORD_TAIL) - r->c2h.mine;
	size_t length;

	if (there > r->c2h.size || there % PAD)
		return -ENODEV;
	if (there < sizeof(header))
		return 0;
	ring_get(&r->c2h, r->c2h.mine, header, sizeof(header));
	length = GET(header, HEADER, length);
	if (length < sizeof(header) || length > TRANSPORT_MESSAGE_MAX)
		return -ENODEV;
	return (length + PAD - 1) / PAD * PAD <= there ? (ssize_t)length : 0;
}

/* Make transport_fd() readable: it is, while recv has something. */
static void signal_self(const struct rings *r)
{
	const uint64_t one = 1;

	/* An eventfd takes 1 unless it is full, and then it is readable. */
	if (write(r->bus->vector[0], &one, sizeof(one)) < 0)
		return;
}

static ssize_t gone(struct rings *r)
{
	r->gone = true;
	signal_self(r);
	return -ENODEV;
}

static ssize_t rings_recv(struct transport *t, void *msg, size_t cap)
{
	struct rings *r = (struct rings *)t;
	ssize_t len;

	if (r->gone)
		return -ENODEV;
	if (tell_h2c(r))
		return gone(r);
	len = first_message(r);
	if (!len) {
		if (ring_bell(r, &r->c2h, PCIE_REG(C2H_HEAD)) || !settle(r))
			return gone(r);
		/* A signal taken back may have been that of the card having read everything. */
		if (tell_h2c(r))
			return gone(r);
		/* What came between the first look and the settling has signalled before its signal was taken back. */
		len = first_message(r);
		if (len > 0)
			signal_self(r);
	}
	if (len < 0)
		return gone(r);
	if (!len)
		return -EAGAIN;
	ring_get(&r->c2h, r->c2h.mine, msg, (size_t)len < cap ? (size_t)len : cap);
	r->c2h.mine += (uint32_t)((len + PAD - 1) / PAD * PAD);
	pcie_host_page(r->bus)->c2h_read = r->c2h.mine;
	if (r->c2h.mine - r->c2h.told >= r->c2h.size / DOORBELL_SHARE && ring_bell(r, &r->c2h, PCIE_REG(C2H_HEAD)))
		return gone(r);
	return (size_t)len > cap ? -EMSGSIZE : len;
}

/* Rings off, and wait until they are. */
static int stop(struct pcie_bus *b, int timeout_ms, uint32_t keep)
{
	const int64_t deadline = clock_ms() + timeout_ms;
	const struct timespec pause = { 0, REST_MS * 1000000 };
	uint32_t value;
	int rc = b->ops->write32(b, PCIE_REG(CTRL), keep);

	while (!rc) {
		rc = b->ops->read32(b, PCIE_REG(STATUS), &value);
		if (rc)
			break;
		if (value == UINT32_MAX)
			return -ENODEV;
		if (!(value & (PCIE_BIT(STATUS, C2H_ACTIVE) | PCIE_BIT(STATUS, H2C_ACTIVE))))
			return 0;
		if (clock_ms() >= deadline)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return rc;
}

/* docs/pcie.md, Rings: addresses while they are off, then both on. */
static int start(struct rings *r, int timeout_ms)
{
	struct pcie_bus *b = r->bus;
	const uint64_t c2h = b->iova, h2c = b->iova + PCIE_BUS_H2C_AT, block = b->iova + PCIE_BUS_STATUS_AT;
	const uint32_t keep = PCIE_BIT(CTRL, KEEP_ON_FLR);
	const struct {
		uint32_t offset, value;
	} steps[] = {
		{ PCIE_REG(ERROR), UINT32_MAX },
		{ PCIE_REG(C2H_BASE_LO), (uint32_t)c2h },
		{ PCIE_REG(C2H_BASE_HI), (uint32_t)(c2h >> 32) },
		{ PCIE_REG(C2H_SIZE), b->c2h_log2 },
		{ PCIE_REG(H2C_BASE_LO), (uint32_t)h2c },
		{ PCIE_REG(H2C_BASE_HI), (uint32_t)(h2c >> 32) },
		{ PCIE_REG(H2C_SIZE), b->h2c_log2 },
		{ PCIE_REG(STATUS_LO), (uint32_t)block },
		{ PCIE_REG(STATUS_HI), (uint32_t)(block >> 32) },
		/* MODERATION and TIMEOUT stay as they are after reset: 4 us, 50 ms. */
		{ PCIE_REG(CTRL), PCIE_BIT(CTRL, C2H) | PCIE_BIT(CTRL, H2C) | keep },
	};
	int rc = stop(b, timeout_ms, keep);

	/* The rings begin at 0 again, and nothing of what was in them counts. */
	memset(b->memory + PCIE_BUS_STATUS_AT, 0, 64);
	pcie_host_page(b)->c2h_read = 0;
	r->c2h = (struct view){ .at = b->memory, .size = UINT32_C(1) << b->c2h_log2 };
	r->h2c = (struct view){ .at = b->memory + PCIE_BUS_H2C_AT, .size = UINT32_C(1) << b->h2c_log2 };
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (size_t i = 0; !rc && i < sizeof(steps) / sizeof(steps[0]); i++)
		rc = b->ops->write32(b, steps[i].offset, steps[i].value);
	r->alive_ms = clock_ms();
	r->gone = rc != 0;
	return rc;
}

int pcie_rings_restart(struct transport *t, int timeout_ms)
{
	return start((struct rings *)t, timeout_ms);
}

static void rings_close(struct transport *t)
{
	struct rings *r = (struct rings *)t;

	/* DMA ends before the memory goes. Should the card not come to rest, closing the bus resets it. */
	if (!r->gone)
		stop(r->bus, 100, PCIE_BIT(CTRL, KEEP_ON_FLR));
	r->bus->ops->close(r->bus);
	close(r->t.fd);
	free(r);
}

static int rings_keep(const struct transport *t, int *fds)
{
	const struct pcie_bus *b = ((const struct rings *)t)->bus;

	return b->ops->keep(b, fds);
}

static void rings_leave(struct transport *t)
{
	struct rings *r = (struct rings *)t;

	ring_bell(r, &r->h2c, PCIE_REG(H2C_TAIL));
	r->bus->ops->leave(r->bus);
	close(r->t.fd);
	free(r);
}

static const struct transport_ops ring_ops = { rings_send, rings_recv, rings_close, rings_keep, rings_leave };

static int check_card(struct pcie_bus *b, char *why)
{
	uint32_t id, version;
	int rc = b->ops->read32(b, PCIE_REG(ID), &id);

	if (!rc)
		rc = b->ops->read32(b, PCIE_REG(VERSION), &version);
	if (rc)
		return rc;
	if (id == UINT32_MAX) {
		snprintf(why, TRANSPORT_WHY_BYTES, "the card does not answer (its registers read as ffffffff)");
		return -ENODEV;
	}
	if (id != HF_PCIE_RESET_ID) {
		snprintf(why, TRANSPORT_WHY_BYTES, "not a Handfast card: ID is %08x, not %08x", (unsigned)id,
			(unsigned)HF_PCIE_RESET_ID);
		return -EPROTO;
	}
	if (version != HF_PCIE_VERSION_VALUE) {
		snprintf(why, TRANSPORT_WHY_BYTES, "the card has rings of version %u, this driver knows version %u",
			(unsigned)version, (unsigned)HF_PCIE_VERSION_VALUE);
		return -EPROTO;
	}
	return 0;
}

static int watch(int epoll, int fd, uint32_t which)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = which };

	return fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

/* A transport that watches the bus, its rings not yet known. */
static int new_rings(struct pcie_bus *b, struct rings **out, char *why)
{
	struct rings *r = calloc(1, sizeof(*r));
	int rc = r ? check_card(b, why) : -ENOMEM;

	if (rc) {
		free(r);
		return rc;
	}
	r->t.ops = &ring_ops;
	r->bus = b;
	b->c2h_log2 = PCIE_BUS_C2H_LOG2;
	b->h2c_log2 = PCIE_BUS_H2C_LOG2;
	r->status = (volatile uint32_t *)(b->memory + PCIE_BUS_STATUS_AT);
	r->t.fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->t.fd < 0) {
		rc = -errno;
		free(r);
		return rc;
	}
	for (uint32_t i = 0; !rc && i < PCIE_BUS_VECTORS; i++)
		rc = watch(r->t.fd, b->vector[i], i);
	for (uint32_t i = 0; !rc && i < PCIE_BUS_WATCHES; i++)
		rc = watch(r->t.fd, b->watch[i], PCIE_BUS_VECTORS + i);
	if (rc) {
		close(r->t.fd);
		free(r);
		return rc;
	}
	*out = r;
	return 0;
}

int pcie_rings_open(struct pcie_bus *b, int timeout_ms, struct transport **t, char *why)
{
	struct rings *r;
	int rc = new_rings(b, &r, why);

	if (rc)
		return rc;
	rc = start(r, timeout_ms);
	if (rc) {
		if (rc == -ETIMEDOUT)
			snprintf(why, TRANSPORT_WHY_BYTES, "the card's rings did not come to rest within %d ms",
				timeout_ms);
		close(r->t.fd);
		free(r);
		return rc;
	}
	*t = &r->t;
	return 0;
}

int pcie_rings_resume(struct pcie_bus *b, struct transport **t, char *why)
{
	const uint64_t c2h = b->iova, h2c = b->iova + PCIE_BUS_H2C_AT, block = b->iova + PCIE_BUS_STATUS_AT;
	const struct {
		uint32_t offset, value;
	} wanted[] = {
		{ PCIE_REG(CTRL), PCIE_BIT(CTRL, C2H) | PCIE_BIT(CTRL, H2C) | PCIE_BIT(CTRL, KEEP_ON_FLR) },
		{ PCIE_REG(C2H_BASE_LO), (uint32_t)c2h },
		{ PCIE_REG(C2H_BASE_HI), (uint32_t)(c2h >> 32) },
		{ PCIE_REG(C2H_SIZE), PCIE_BUS_C2H_LOG2 },
		{ PCIE_REG(H2C_BASE_LO), (uint32_t)h2c },
		{ PCIE_REG(H2C_BASE_HI), (uint32_t)(h2c >> 32) },
		{ PCIE_REG(H2C_SIZE), PCIE_BUS_H2C_LOG2 },
		{ PCIE_REG(STATUS_LO), (uint32_t)block },
		{ PCIE_REG(STATUS_HI), (uint32_t)(block >> 32) },
	};
	struct rings *r;
	uint32_t value = 0, head = 0, tail = 0;
	int rc = new_rings(b, &r, why);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		rc = b->ops->read32(b, wanted[i].offset, &value);
		if (!rc && value != wanted[i].value) {
			snprintf(why, TRANSPORT_WHY_BYTES, "the card's rings are not as they were left: 0x%03x is %08x",
				(unsigned)wanted[i].offset, (unsigned)value);
			rc = -ESTALE;
		}
	}
	if (!rc)
		rc = b->ops->read32(b, PCIE_REG(C2H_HEAD), &head);
	if (!rc)
		rc = b->ops->read32(b, PCIE_REG(H2C_TAIL), &tail);
	r->c2h = (struct view){
		.at = b->memory, .size = UINT32_C(1) << b->c2h_log2, .mine = pcie_host_page(b)->c2h_read, .told = head
	};
	r->h2c = (struct view){
		.at = b->memory + PCIE_BUS_H2C_AT, .size = UINT32_C(1) << b->h2c_log2, .mine = tail, .told = tail
	};
	if (!rc && (r->c2h.mine - head > r->c2h.size || status(r, STATUS_WORD_TAIL) - r->c2h.mine > r->c2h.size ||
			   r->c2h.mine % PAD)) {
		snprintf(why, TRANSPORT_WHY_BYTES, "how far the rings were read is not known");
		rc = -ESTALE;
	}
	if (rc) {
		close(r->t.fd);
		free(r);
		return rc;
	}
	r->alive_ms = clock_ms();
	/* Interrupts that went to the process before. */
	signal_self(r);
	*t = &r->t;
	return 0;
}
