/* SPDX-License-Identifier: Apache-2.0
 * pcie_card.h - a simulated card in a vfio-user client's machine: configuration space, the link to the core's pins
 * (pcie_link.h) and the server (vfio_user.h) put together. `handfast board --host vfio-user:PATH` and the tests stand on it. */
#ifndef HANDFAST_SIM_PCIE_CARD_H
#define HANDFAST_SIM_PCIE_CARD_H

#include "../session.h"
#include "pcie_link.h"
#include "pcie_space.h"
#include "vfio_user.h"

struct pcie_card {
	struct vfio_user server;
	struct pcie_space space;
	struct pcie_link *link; /* NULL before pcie_card_attach() */
	size_t posted;		/* bytes of MMIO writes since the link was last seen to have done them all */
};

/* Listen at `path` (NULL: nowhere). Returns what vfio_user_open() returns. */
int pcie_card_open(struct pcie_card *c, const char *path);
/* Put the card to the core's pins, which resets the core, and run until it is ready again. `functional`: without TLPs. Returns
 * 0, -ENOMEM, -ENOTSUP (a core that is not 64 bits wide), or -EIO when the core does not become ready. */
int pcie_card_attach(struct pcie_card *c, struct session *s, bool functional, uint64_t seed);
void pcie_card_close(struct pcie_card *c);

#endif
