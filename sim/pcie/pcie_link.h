/* SPDX-License-Identifier: Apache-2.0
 * pcie_link.h - the simulated card's PCI Express function as its root complex sees it (docs/pcie.md).
 *
 *	MMIO, configuration, FLR ──► struct pcie_link ──► DMA and interrupts: struct pcie_host
 *	                                   │
 *	                        core's pins, clock by clock
 *
 * Two implementations: pcie_link_rtl() (pcie_link.c) turns everything into TLPs on the pins of the Verilated endpoint,
 * with both of its clocks; pcie_link_functional() (pcie_functional.c) does what docs/pcie.md says without TLPs. A user
 * of this header need not know which one it has; what only one of them can do is said where it stands.
 *
 * Nothing here waits for anything but the simulation's own clock, and each wait has an end. The callbacks of struct
 * pcie_host are called from inside a clock; they may write struct pcie_config and queue MMIO writes, but may not run the clock. */
#ifndef HANDFAST_SIM_PCIE_LINK_H
#define HANDFAST_SIM_PCIE_LINK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../../regs/regs.h"
#include "../sim.h"

enum {
	PCIE_BAR0_BYTES = HF_PCIE_BAR_BYTES,
	PCIE_READ_MAX = 64 /* bytes of an MMIO read; a longer one is an Unsupported Request */
};

/* A write of the card of exactly 4 bytes to an address in this window is an interrupt message, as on a PC. */
#define PCIE_MSI_WINDOW	     0xfee00000ull
#define PCIE_MSI_WINDOW_SIZE 0x100000ull

/* The memory and the interrupts of the host. Any pointer may be NULL: then writes vanish, reads are Unsupported
 * Requests, messages vanish. */
struct pcie_host {
	void *ctx;
	/* The card writes `len` bytes, 4 to 4,096, to host memory. False: the address is not the card's to write; counted
	 * in pcie_link.refused. A write never crosses 4 KiB. */
	bool (*write)(void *ctx, uint64_t address, const uint8_t *data, size_t len);
	/* The card reads `len` bytes, 8 to 4,096. False: Unsupported Request, counted in pcie_link.refused. Called
	 * when the read completes, not when it was asked for. */
	bool (*read)(void *ctx, uint64_t address, uint8_t *data, size_t len);
	/* An interrupt message. */
	void (*msi)(void *ctx, uint64_t address, uint32_t data);
};

/* What configuration space tells the endpoint; in effect from the next clock. After opening: as after a reset, with
 * bus mastering and MSI-X off, sizes 0 (128 bytes), id 01:00.0, all credits. */
struct pcie_config {
	bool bus_master, msix_enable, msix_mask;
	unsigned max_payload, max_read; /* 0 = 128 ... 5 = 4,096 bytes */
	uint16_t id;			/* bus << 8 | device << 3 | function */
	/* Credits the link has at most, each given back when its TLP was taken and `credit_delay` clocks have passed. */
	unsigned ph, pd, nph;
	unsigned credit_delay; /* clocks of pcie_clk */
};

/* How the root complex answers the card's reads, and how smooth the link is. All 0: at once, whole, in order. Chances
 * are of 256. pcie_link_functional() knows read_min, read_max, drop and refuse. */
struct pcie_disorder {
	unsigned read_min, read_max; /* clocks of pcie_clk until a read completes, evenly spread */
	uint8_t split;		     /* chance that a completion ends at the next 64-byte boundary */
	uint8_t reorder;	     /* chance that a read is overtaken by those asked for after it */
	uint8_t drop, refuse,
		poison;		     /* chance that a read is never completed, is an Unsupported Request, is poisoned */
	uint8_t rx_bubble, tx_stall; /* chance of a clock with s_axis_tlp_tvalid = 0, with m_axis_tlp_tready = 0 */
};

struct pcie_link;

struct pcie_link_ops {
	/* struct sim_outlet's function: one clock of the core, and those of pcie_clk that fall into it. */
	bool (*clock)(struct pcie_link *l, const struct hf_out *out, struct hf_in *in);
	/* See pcie_link_read() and so on. */
	int (*read)(struct pcie_link *l, uint32_t offset, void *data, size_t len);
	int (*write)(struct pcie_link *l, uint32_t offset, const void *data, size_t len);
	int (*flr)(struct pcie_link *l);
	void (*close)(struct pcie_link *l);
};

/* The common head of both implementations. */
struct pcie_link {
	const struct pcie_link_ops *ops;
	struct pcie_host host;
	struct pcie_config config;
	struct pcie_disorder disorder;
	uint64_t read_timeout; /* clocks until the card may give a read up: the TIMEOUT that a test has set; 0: never */
	uint64_t pcie_period_ps; /* of pcie_clk; after opening 4000 */
	uint64_t core_period_ps; /* of clk: kept equal to sim->period_ps where there is a sim */
	void (*step)(void *ctx); /* runs one clock of the core; after opening sim_step */
	void *step_ctx;
	uint64_t writes, reads, messages; /* of the card: memory writes without messages, reads, interrupt messages */
	uint64_t write_bytes, read_bytes;
	uint64_t refused; /* of them, those that a callback refused */
	uint64_t clocks;  /* of pcie_clk */
	/* Broken promises of the endpoint: malformed or misplaced TLPs, a gap inside one, one larger than allowed, without
	 * credit or Bus Master Enable, an answer to nothing; and the first of them in words, "" while there is none. */
	uint64_t faults;
	char fault[160];
};

/* A card on `s`: takes its host outlet (outlet[0]). `host` is copied. NULL when memory is short, or, with errno = ENOTSUP,
 * for a core that is not 64 bits wide. Not on by itself: config is as after reset.
 * `s` may be NULL for pcie_link_rtl(): then the caller calls pcie_link_clock() from a `step` of its own. */
struct pcie_link *pcie_link_rtl(struct sim *s, const struct pcie_host *host, uint64_t seed);
struct pcie_link *pcie_link_functional(struct sim *s, const struct pcie_host *host, uint64_t seed);

/* One clock of the core; called by the simulator (sim_outlet). */
static inline bool pcie_link_clock(struct pcie_link *l, const struct hf_out *out, struct hf_in *in)
{
	return l->ops->clock(l, out, in);
}

/* Read BAR0: 1 to PCIE_BAR0_BYTES - offset bytes at any offset, one request per 4 KiB page. Runs the clock. Returns 0, or
 *   -EIO        Unsupported Request; `data` is all ones, as a CPU sees it
 *   -EINVAL     not inside BAR0, or no length
 *   -ETIMEDOUT  no answer within 50 ms of pcie_clk; `data` is all ones */
static inline int pcie_link_read(struct pcie_link *l, uint32_t offset, void *data, size_t len)
{
	return l->ops->read(l, offset, data, len);
}

/* Write BAR0: queued, in order with reads and other writes, and done by the clocks to come. Returns 0, -EINVAL, -ENOMEM. */
static inline int pcie_link_write(struct pcie_link *l, uint32_t offset, const void *data, size_t len)
{
	return l->ops->write(l, offset, data, len);
}

/* Function level reset: runs the clock until the endpoint says that it is done. MMIO writes that wait are dropped. What
 * configuration space does to bus_master and the like in a reset is the caller's. Returns 0, or -ETIMEDOUT after 100 ms. */
static inline int pcie_link_flr(struct pcie_link *l)
{
	return l->ops->flr(l);
}

/* Gives the outlet back and frees; NULL is allowed. */
static inline void pcie_link_close(struct pcie_link *l)
{
	if (l)
		l->ops->close(l);
}

/* A dword of BAR0: HF_PCIE_BASE + HF_PCIE_CTRL, HF_REG_ID, HF_PCIE_MSIX_TABLE ... */
static inline int pcie_link_get32(struct pcie_link *l, uint32_t offset, uint32_t *value)
{
	uint8_t b[4];
	const int r = pcie_link_read(l, offset, b, sizeof b);

	*value = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
	return r;
}

static inline int pcie_link_set32(struct pcie_link *l, uint32_t offset, uint32_t value)
{
	const uint8_t b[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24) };

	return pcie_link_write(l, offset, b, sizeof b);
}

/* ---- pcie_link_rtl() only: TLPs ---- */

/* Queue a TLP as it stands, byte 0 its Fmt and Type; 1 to PCIE_TLP_MAX bytes, padded to dwords. Behind what MMIO has
 * queued. Returns 0, -EINVAL, -ENOMEM. */
enum { PCIE_TLP_MAX = 16 + 4096 + 64 };
int pcie_link_tlp(struct pcie_link *l, const void *tlp, size_t len);
/* Called for each completion that answers none of pcie_link_read(); NULL: that is a fault. */
void pcie_link_on_completion(struct pcie_link *l, void (*f)(void *ctx, const uint8_t *tlp, size_t len), void *ctx);
/* Called for each TLP that the card has sent, first; `clock` is that of its first beat. */
void pcie_link_on_tlp(
	struct pcie_link *l, void (*f)(void *ctx, const uint8_t *tlp, size_t len, uint64_t clock), void *ctx);
/* TLPs towards the card that are not wholly on the pins, reads of the card not completed. */
size_t pcie_link_pending(const struct pcie_link *l);
/* Hold pcie_rst for n clocks of pcie_clk (by stepping), as a link that goes down does. */
void pcie_link_reset(struct pcie_link *l, unsigned n);
/* The pin cfg_flr by hand: raise it without waiting, see cfg_flr_done, lower it. */
void pcie_link_flr_pin(struct pcie_link *l, bool level);
bool pcie_link_flr_done(const struct pcie_link *l);

#endif
