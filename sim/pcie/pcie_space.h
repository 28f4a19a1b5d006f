/* SPDX-License-Identifier: Apache-2.0
 * pcie_space.h - configuration space of the simulated board, as docs/pcie.md describes it (in a real board the FPGA's hard
 * block holds it): a type 0 header, power management, PCI Express and MSI-X capabilities.
 *
 * Section numbers are those of the PCI Express Base Specification 3.0, chapter 7, and of PCI Local Bus 3.0, chapter 6. */
#ifndef HANDFAST_SIM_PCIE_SPACE_H
#define HANDFAST_SIM_PCIE_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "pcie_link.h"

enum {
	PCIE_SPACE_BYTES = 4096,
	PCIE_VENDOR = 0x1234,  /* belongs to nobody; QEMU's and other open designs use it too */
	PCIE_DEVICE = 0x4846,  /* the letters FH: "HF" in memory */
	PCIE_CLASS = 0x020000, /* network, Ethernet */
	PCIE_REVISION = 1,
};

struct pcie_space {
	uint8_t bytes[PCIE_SPACE_BYTES];
	uint8_t writable[PCIE_SPACE_BYTES]; /* bits that a write changes */
};

/* What a write asks for besides new values. */
enum pcie_space_event {
	PCIE_SPACE_FLR = 1,  /* Initiate Function Level Reset was written as 1 */
	PCIE_SPACE_MSIX = 2, /* MSI-X enable or function mask changed */
};

/* As after power-on. */
void pcie_space_reset(struct pcie_space *c);

/* Any offset and length inside PCIE_SPACE_BYTES. */
void pcie_space_read(const struct pcie_space *c, size_t offset, void *data, size_t len);
/* Returns enum pcie_space_event bits. */
unsigned pcie_space_write(struct pcie_space *c, size_t offset, const void *data, size_t len);

/* Memory Space Enable and power state D0: BAR0 answers. */
bool pcie_space_memory(const struct pcie_space *c);
/* Bus Master Enable and power state D0: requests may be sent. */
bool pcie_space_bus_master(const struct pcie_space *c);
bool pcie_space_msix_enable(const struct pcie_space *c);
bool pcie_space_msix_mask(const struct pcie_space *c);
/* Codes of the specification: 0 = 128 ... 5 = 4,096 bytes. A payload larger than the function supports counts as that. */
unsigned pcie_space_max_payload(const struct pcie_space *c);
unsigned pcie_space_max_read(const struct pcie_space *c);
/* Transactions Pending of Device Status. */
void pcie_space_pending(struct pcie_space *c, bool pending);

#endif
