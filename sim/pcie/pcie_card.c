/* SPDX-License-Identifier: Apache-2.0
 * pcie_card.c - what a vfio-user client does to configuration space and BAR0, and what the card does to its memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "pcie_card.h"

enum {
	READY_CLOCKS = 400000, /* the sweep of the largest table takes 65,536 */
	POSTED_MAX = 4096,     /* bytes of MMIO writes that may wait */
	DATA_STRIDE = 16,      /* between the addresses of two vectors' messages */
};

/* ---- the card's requests ---- */

static bool host_write(void *ctx, uint64_t address, const uint8_t *data, size_t len)
{
	struct pcie_card *c = ctx;

	return dma_map_write(&c->server.memory, address, data, len);
}

static bool host_read(void *ctx, uint64_t address, uint8_t *data, size_t len)
{
	struct pcie_card *c = ctx;

	return dma_map_read(&c->server.memory, address, data, len);
}

static void host_msi(void *ctx, uint64_t address, uint32_t data)
{
	struct pcie_card *c = ctx;

	(void)address;
	vfio_user_interrupt(&c->server, data);
}

/* ---- the client's ---- */

/* What the link must know of configuration space. */
static void configure(struct pcie_card *c)
{
	struct pcie_config *to = &c->link->config;

	to->bus_master = pcie_space_bus_master(&c->space);
	to->msix_enable = pcie_space_msix_enable(&c->space);
	to->msix_mask = pcie_space_msix_mask(&c->space);
	to->max_payload = pcie_space_max_payload(&c->space);
	to->max_read = pcie_space_max_read(&c->space);
}

/* The client keeps the guest's MSI-X table to itself and tells us eventfds; the endpoint's table says the same to the card: a
 * vector with an eventfd is unmasked, and its message's data is its number. */
static void program_vectors(void *ctx)
{
	struct pcie_card *c = ctx;

	if (!c->link)
		return;
	for (unsigned v = 0; v < HF_PCIE_VECTORS; v++) {
		const uint32_t at = HF_PCIE_MSIX_TABLE + 16 * v;

		pcie_link_set32(c->link, at, (uint32_t)PCIE_MSI_WINDOW + DATA_STRIDE * v);
		pcie_link_set32(c->link, at + 4, (uint32_t)(PCIE_MSI_WINDOW >> 32));
		pcie_link_set32(c->link, at + 8, v);
		pcie_link_set32(c->link, at + 12, c->server.vector[v] < 0);
	}
}

/* Function level reset, PCI Express 6.6.2: DMA comes to rest, then everything is as after power-on. */
static void reset(void *ctx)
{
	struct pcie_card *c = ctx;

	if (!c->link)
		return;
	pcie_space_pending(&c->space, true);
	if (pcie_link_flr(c->link) && c->server.log)
		fprintf(c->server.log, "board: vfio-user:%s: a function level reset did not end\n", c->server.path);
	pcie_space_reset(&c->space);
	configure(c);
	program_vectors(c);
}

/* As a bridge cuts a long access: no request longer than a write-combining buffer of a CPU. */
static size_t piece(uint32_t offset, size_t len)
{
	const size_t to_line = PCIE_READ_MAX - offset % PCIE_READ_MAX;

	return len < to_line ? len : to_line;
}

static void bar0_read(void *ctx, uint32_t offset, void *data, size_t len)
{
	struct pcie_card *c = ctx;
	uint8_t *to = data;

	memset(to, 0xff, len); /* what a CPU reads where nobody answers */
	if (!c->link || !pcie_space_memory(&c->space))
		return;
	for (size_t n; len; offset += (uint32_t)n, to += n, len -= n) {
		n = piece(offset, len);
		pcie_link_read(c->link, offset, to, n);
	}
	c->posted = 0; /* a read comes behind every write before it */
}

static void bar0_write(void *ctx, uint32_t offset, const void *data, size_t len)
{
	struct pcie_card *c = ctx;
	const uint8_t *from = data;
	uint32_t id;

	if (!c->link || !pcie_space_memory(&c->space))
		return;
	for (size_t n; len; offset += (uint32_t)n, from += n, len -= n) {
		n = piece(offset, len);
		pcie_link_write(c->link, offset, from, n);
		c->posted += n + 16;
		if (c->posted < POSTED_MAX)
			continue;
		pcie_link_get32(c->link, HF_PCIE_BASE + HF_PCIE_ID, &id);
		c->posted = 0;
	}
}

static void space_read(void *ctx, uint32_t offset, void *data, size_t len)
{
	struct pcie_card *c = ctx;

	pcie_space_read(&c->space, offset, data, len);
}

static void space_write(void *ctx, uint32_t offset, const void *data, size_t len)
{
	struct pcie_card *c = ctx;
	const unsigned events = pcie_space_write(&c->space, offset, data, len);

	if (!c->link)
		return;
	if (events & PCIE_SPACE_FLR)
		reset(c);
	configure(c);
	if (events & PCIE_SPACE_MSIX)
		program_vectors(c);
}

static const struct vfio_user_device device = {
	.bar0_bytes = PCIE_BAR0_BYTES,
	.config_bytes = PCIE_SPACE_BYTES,
	.vectors = HF_PCIE_VECTORS,
	.bar0_read = bar0_read,
	.bar0_write = bar0_write,
	.config_read = space_read,
	.config_write = space_write,
	.vectors_changed = program_vectors,
	.reset = reset,
};

int pcie_card_open(struct pcie_card *c, const char *path)
{
	memset(c, 0, sizeof(*c));
	pcie_space_reset(&c->space);
	return vfio_user_open(&c->server, path, &device, c);
}

int pcie_card_attach(struct pcie_card *c, struct session *s, bool functional, uint64_t seed)
{
	const struct pcie_host host = { c, host_write, host_read, host_msi };

	errno = ENOMEM;
	c->link = functional ? pcie_link_functional(s->sim, &host, seed) : pcie_link_rtl(s->sim, &host, seed);
	if (!c->link)
		return -errno;
	/* The endpoint's reset is the core's too. */
	s->ready = false;
	for (unsigned i = 0; i < READY_CLOCKS && !s->ready; i++)
		sim_step(s->sim);
	if (!s->ready)
		return -EIO;
	configure(c);
	program_vectors(c);
	return 0;
}

void pcie_card_close(struct pcie_card *c)
{
	vfio_user_close(&c->server);
	pcie_link_close(c->link);
	c->link = NULL;
}
