/* SPDX-License-Identifier: Apache-2.0
 * pcie_space.c - configuration space: reset values, and which bits a write changes. */
#include <linux/pci_regs.h>
#include <string.h>
#include "pcie_space.h"

enum {
	PM = 0x40,   /* power management, PCI PM 1.2 section 3.2 */
	EXP = 0x60,  /* PCI Express, section 7.8 */
	MSIX = 0xb0, /* MSI-X, PCI 3.0 section 6.8.2 */

	MAX_PAYLOAD = 2,      /* 512 bytes */
	MAX_CODE = 5,	      /* 4,096 bytes */
	EXP_BYTES = 0x3c,     /* of a version 2 capability */
	LINK_5GT_X4 = 0x0042, /* speed 2 = 5.0 GT/s, width 4 */
};

static uint16_t get16(const struct pcie_space *c, size_t at)
{
	return (uint16_t)(c->bytes[at] | c->bytes[at + 1] << 8);
}

static uint32_t get32(const struct pcie_space *c, size_t at)
{
	return get16(c, at) | (uint32_t)get16(c, at + 2) << 16;
}

static void put(uint8_t *to, size_t at, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[at + i] = (uint8_t)(value >> 8 * i);
}

static void put16(struct pcie_space *c, size_t at, uint32_t value, uint32_t writable)
{
	put(c->bytes, at, value, 2);
	put(c->writable, at, writable, 2);
}

static void put32(struct pcie_space *c, size_t at, uint32_t value, uint32_t writable)
{
	put(c->bytes, at, value, 4);
	put(c->writable, at, writable, 4);
}

static void capability(struct pcie_space *c, size_t at, unsigned id, size_t next)
{
	c->bytes[at] = (uint8_t)id;
	c->bytes[at + 1] = (uint8_t)next;
}

void pcie_space_reset(struct pcie_space *c)
{
	memset(c, 0, sizeof(*c));
	put16(c, PCI_VENDOR_ID, PCIE_VENDOR, 0);
	put16(c, PCI_DEVICE_ID, PCIE_DEVICE, 0);
	put16(c, PCI_COMMAND, 0,
		PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
			PCI_COMMAND_INTX_DISABLE);
	put16(c, PCI_STATUS, PCI_STATUS_CAP_LIST, 0);
	put32(c, PCI_CLASS_REVISION, (uint32_t)PCIE_CLASS << 8 | PCIE_REVISION, 0);
	c->writable[PCI_CACHE_LINE_SIZE] = 0xff; /* section 7.5.1.3: read-write, without effect */
	put32(c, PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_MEM_TYPE_32, ~(uint32_t)(PCIE_BAR0_BYTES - 1));
	put16(c, PCI_SUBSYSTEM_VENDOR_ID, PCIE_VENDOR, 0);
	put16(c, PCI_SUBSYSTEM_ID, PCIE_DEVICE, 0);
	c->bytes[PCI_CAPABILITY_LIST] = PM;
	c->writable[PCI_INTERRUPT_LINE] = 0xff; /* for software; Interrupt Pin is 0: no INTx */

	/* D0 and D3hot; No_Soft_Reset: what was programmed is still there after D3hot. */
	capability(c, PM, PCI_CAP_ID_PM, EXP);
	put16(c, PM + PCI_PM_PMC, 3, 0);
	put16(c, PM + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET, PCI_PM_CTRL_STATE_MASK);

	capability(c, EXP, PCI_CAP_ID_EXP, MSIX);
	put16(c, EXP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 0);
	put32(c, EXP + PCI_EXP_DEVCAP, MAX_PAYLOAD | PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR, 0);
	/* Section 7.8.4. Extended tags, phantom functions and aux power are not offered, so their bits are fixed; Initiate
	 * Function Level Reset reads as 0. Reset values: relaxed ordering and no snoop on, read request 512. */
	put16(c, EXP + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN | 2 << 12,
		PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
			PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_NOSNOOP_EN |
			PCI_EXP_DEVCTL_READRQ);
	put32(c, EXP + PCI_EXP_LNKCAP, LINK_5GT_X4, 0);
	put16(c, EXP + PCI_EXP_LNKCTL, 0,
		PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
	put16(c, EXP + PCI_EXP_LNKSTA, LINK_5GT_X4, 0);
	put32(c, EXP + PCI_EXP_LNKCAP2, 0x6, 0); /* 2.5 and 5.0 GT/s */
	put16(c, EXP + PCI_EXP_LNKCTL2, 2, 0xf);

	capability(c, MSIX, PCI_CAP_ID_MSIX, 0);
	put16(c, MSIX + PCI_MSIX_FLAGS, HF_PCIE_VECTORS - 1, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put32(c, MSIX + PCI_MSIX_TABLE, HF_PCIE_MSIX_TABLE, 0);
	put32(c, MSIX + PCI_MSIX_PBA, HF_PCIE_MSIX_PENDING, 0);
	_Static_assert(EXP + EXP_BYTES <= MSIX, "capabilities overlap");
}

void pcie_space_read(const struct pcie_space *c, size_t offset, void *data, size_t len)
{
	memcpy(data, c->bytes + offset, len);
}

unsigned pcie_space_write(struct pcie_space *c, size_t offset, const void *data, size_t len)
{
	const uint8_t *from = data;
	const uint8_t state = c->bytes[PM + PCI_PM_CTRL];
	const uint16_t msix = get16(c, MSIX + PCI_MSIX_FLAGS);
	const size_t flr = EXP + PCI_EXP_DEVCTL + 1; /* the byte with PCI_EXP_DEVCTL_BCR_FLR */
	unsigned events = 0, to;

	for (size_t i = 0; i < len; i++) {
		const uint8_t mask = c->writable[offset + i];

		c->bytes[offset + i] = (uint8_t)((c->bytes[offset + i] & ~mask) | (from[i] & mask));
	}
	if (offset <= flr && flr < offset + len && from[flr - offset] & PCI_EXP_DEVCTL_BCR_FLR >> 8)
		events |= PCIE_SPACE_FLR;
	/* PCI PM 1.2 table 3-6: a write of a state that is not supported is discarded. */
	to = c->bytes[PM + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK;
	if (to == 1 || to == 2)
		c->bytes[PM + PCI_PM_CTRL] = state;
	if (get16(c, MSIX + PCI_MSIX_FLAGS) != msix)
		events |= PCIE_SPACE_MSIX;
	return events;
}

static bool awake(const struct pcie_space *c)
{
	return !(c->bytes[PM + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK);
}

bool pcie_space_memory(const struct pcie_space *c)
{
	return awake(c) && get16(c, PCI_COMMAND) & PCI_COMMAND_MEMORY;
}

bool pcie_space_bus_master(const struct pcie_space *c)
{
	return awake(c) && get16(c, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

bool pcie_space_msix_enable(const struct pcie_space *c)
{
	return get16(c, MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE;
}

bool pcie_space_msix_mask(const struct pcie_space *c)
{
	return get16(c, MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_MASKALL;
}

unsigned pcie_space_max_payload(const struct pcie_space *c)
{
	const unsigned code = (get16(c, EXP + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_PAYLOAD) >> 5;

	return code < MAX_PAYLOAD ? code : MAX_PAYLOAD;
}

unsigned pcie_space_max_read(const struct pcie_space *c)
{
	const unsigned code = (get16(c, EXP + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_READRQ) >> 12;

	return code < MAX_CODE ? code : MAX_CODE; /* 6 and 7 are reserved */
}

void pcie_space_pending(struct pcie_space *c, bool pending)
{
	uint32_t status = get32(c, EXP + PCI_EXP_DEVCTL) >> 16;

	status = pending ? status | PCI_EXP_DEVSTA_TRPND : status & ~(uint32_t)PCI_EXP_DEVSTA_TRPND;
	put(c->bytes, EXP + PCI_EXP_DEVSTA, status, 2);
}
