/* SPDX-License-Identifier: Apache-2.0
 * pcie_rings.h - the PCIe card's registers and message rings (docs/pcie.md), whatever leads to the card: vfio-pci
 * (transport_vfio.c) or a simulator's vfio-user socket (transport_vfio_user.c).
 *
 * Threads, Fork, Blocks, Errors: transport.h. But a register of a simulated card is waited for, five seconds at
 * most. */
#ifndef HANDFAST_PCIE_RINGS_H
#define HANDFAST_PCIE_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport.h"

enum {
	PCIE_BUS_VECTORS = 3, /* messages, frames, errors */
	PCIE_BUS_WATCHES = 2,
	PCIE_BUS_C2H_LOG2 = 20, /* 1 MiB: 600 frames of 1,514 bytes while the host sleeps */
	PCIE_BUS_H2C_LOG2 = 19,
	/* One huge page: ring c2h, ring h2c, the status block behind them. */
	PCIE_BUS_BYTES = 2 << 20,
	PCIE_BUS_H2C_AT = 1 << PCIE_BUS_C2H_LOG2,
	PCIE_BUS_STATUS_AT = PCIE_BUS_H2C_AT + (1 << PCIE_BUS_H2C_LOG2),
	PCIE_BUS_HOST_AT = PCIE_BUS_STATUS_AT + 4096, /* a page that only hosts use, struct pcie_host_page */
	PCIE_BUS_IOVA = 0x10000000, /* of that page: 256 MiB, below every IOMMU's limit, above what a PC reserves */
};

struct pcie_bus;

/* These are the whole vocabulary. Each returns 0 or -ENODEV (the card is gone), or what else it says. */
struct pcie_bus_ops {
	/* One register of BAR0. */
	int (*read32)(struct pcie_bus *b, uint32_t offset, uint32_t *value);
	/* Posted: done when a later read returns. */
	int (*write32)(struct pcie_bus *b, uint32_t offset, uint32_t value);
	/* Function level reset, or with `hot` a reset of the bus it is on, and everything that was set in configuration space
	 * set again. -ENOTSUP: there is no way to, or it was refused, perhaps half way: pcie_rings_restart() follows all the
	 * same. Then whoever waits for a vector is woken once for nothing. */
	int (*reset)(struct pcie_bus *b, bool hot);
	/* One of `watch` is ready: whether the card is still there. */
	bool (*alive)(struct pcie_bus *b);
	/* Interrupts off, memory unmapped, everything freed. */
	void (*close)(struct pcie_bus *b);
	/* Descriptors for another process, as transport_keep(). */
	int (*keep)(const struct pcie_bus *b, int *fds);
	/* Everything freed that is this process's, the card untouched: its rings go on in memory that the descriptors keep. */
	void (*leave)(struct pcie_bus *b);
};

/* A card with bus mastering on, its memory mapped and its vectors armed. The common head of both kinds. */
struct pcie_bus {
	const struct pcie_bus_ops *ops;
	uint8_t *memory; /* PCIE_BUS_BYTES, all 0 */
	uint64_t iova;	 /* where the card sees it */
	bool huge;	 /* it is one page */
	/* log2 of the rings' bytes, 12 to PCIE_BUS_..._LOG2: pcie_rings_open() sets them, pcie_rings_restart() takes new ones. */
	unsigned c2h_log2, h2c_log2;
	int vector[PCIE_BUS_VECTORS]; /* eventfds */
	int watch[PCIE_BUS_WATCHES];  /* descriptors that become ready when something happened to the card; -1 = none */
};

/* pcie_bus_memory - PCIE_BUS_BYTES in a file, one huge page where there are some, else as many small ones. Sets `memory`, `huge` and
 * *fd; returns 0 or -errno. pcie_bus_map: such a file of another process; -EINVAL: it is not one. */
int pcie_bus_memory(struct pcie_bus *b, int *fd);
int pcie_bus_map(struct pcie_bus *b, int fd);

/* pcie_rings_open - check the card's ID and VERSION, start the rings.
 *
 *   b           taken over on success, otherwise still the caller's
 *   timeout_ms  until rings that run have come to rest
 *   why         the reason in words on failure, TRANSPORT_WHY_BYTES
 *
 * Sets KEEP_ON_FLR: a host that opens the card after this one finds the connection table as it is, as with every
 * transport. Returns 0 and sets *t, or
 *   -EPROTO     not this card, or of another version
 *   -ETIMEDOUT  its rings do not come to rest
 *   -ENODEV, -ENOMEM, -errno of epoll(7) */
int pcie_rings_open(struct pcie_bus *b, int timeout_ms, struct transport **t, char *why);

/* What a host writes for the one after it, in the rings' own memory: how far it has read. Words, each written at once. */
struct pcie_host_page {
	uint32_t c2h_read; /* as the doorbell C2H_HEAD, which may be behind it */
	uint32_t request;  /* the bus's own: the number of its last request */
};

static inline volatile struct pcie_host_page *pcie_host_page(const struct pcie_bus *b)
{
	return (volatile struct pcie_host_page *)(b->memory + PCIE_BUS_HOST_AT);
}

/* pcie_rings_resume - go on with rings that another host has left running in `b->memory`, where it stopped. Messages that it had
 * written and not told the card of are lost, as if it had not sent them; those of the card are not.
 * Takes over and returns as pcie_rings_open(), or -ESTALE: they do not run, or not there. */
int pcie_rings_resume(struct pcie_bus *b, struct transport **t, char *why);

/* What leads to the card of a transport that pcie_rings_open() made; NULL for any other. For tests and for reset. */
struct pcie_bus *pcie_rings_bus(struct transport *t);

/* After a reset of the card (pcie_bus_ops.reset): both rings from their beginning. What was in them is lost; HELLO is the
 * first message to come. Returns as pcie_rings_open(). */
int pcie_rings_restart(struct transport *t, int timeout_ms);

/* Offset of an endpoint's register in BAR0: PCIE_REG(CTRL). */
#define PCIE_REG(name) (HF_PCIE_BASE + HF_PCIE_##name)
/* One bit: PCIE_BIT(CTRL, C2H). */
#define PCIE_BIT(reg, field) (UINT32_C(1) << HF_PCIE_##reg##_##field##_LOW)

#endif
