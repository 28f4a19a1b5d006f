/* SPDX-License-Identifier: Apache-2.0
 * pcie_rig.h - an endpoint between stand-ins: a core that says what it is told to, and a host with two rings in its
 * memory. For tests and measurements of rtl/pcie/ by itself.
 *
 *	rig_say() ─► core ─► endpoint ─► ring c2h ─► rig_poll() ─► on_message
 *	on_h2c ◄─ core ◄─ endpoint ◄─ ring h2c ◄─ rig_send(), rig_ring() */
#ifndef HANDFAST_SIM_PCIE_RIG_H
#define HANDFAST_SIM_PCIE_RIG_H

#include "../rng.h"
#include "pcie_link.h"

enum { RIG_REGS = 512, RIG_HELLO_BYTES = 40, RIG_MESSAGE_MAX = 16384 };

/* A piece of host memory. What the card touches outside all of them is refused by the link, and counted there. */
struct rig_region {
	uint64_t address;
	size_t size;
	uint8_t *bytes;
	bool read_only; /* for the card */
};

struct pcie_rig {
	struct pcie_link *link;
	struct rng rng;
	uint64_t clocks; /* of the core */

	/* The core. Registers below 4 * RIG_REGS hold what is written, others answer SLVERR. */
	struct hf_out out;
	struct hf_in in;
	uint8_t say_gap, h2c_stall; /* chances of 256 */
	bool mute;		    /* AXI-Lite is not answered */
	bool silent;		    /* no HELLO after reset */
	uint32_t regs[RIG_REGS];
	uint32_t epoch;	 /* of HELLO; counts resets */
	uint64_t resets; /* of the core */
	uint64_t *said;	 /* beats */
	bool *said_last;
	size_t say_head, say_tail, say_size;
	bool was_reset;
	unsigned axil_state;
	uint8_t h2c_message[RIG_MESSAGE_MAX];
	size_t h2c_len;

	/* The host. */
	struct rig_region c2h, h2c, status;
	uint32_t c2h_head, h2c_tail; /* its own indices */
	uint32_t msi[16];	     /* messages, by data */
	uint32_t status_writes;
	uint64_t status_clock[2]; /* pcie_clk of the last status block and of the one before */

	/* A message arrived at the core (padded to beats, as it came) or at the host. */
	void (*on_h2c)(void *ctx, const uint8_t *msg, size_t len);
	void (*on_message)(void *ctx, const uint8_t *msg, size_t len);
	void *ctx;
};

/* An endpoint out of reset, Bus Master Enable and MSI-X on, vectors unmasked, no rings. NULL when memory is short. */
struct pcie_rig *rig_open(uint64_t seed);
void rig_close(struct pcie_rig *g);
/* The MSI-X table, as after rig_open(): address PCIE_MSI_WINDOW, data = vector, not masked. */
void rig_vectors(struct pcie_rig *g);

void rig_step(struct pcie_rig *g);
void rig_run(struct pcie_rig *g, uint64_t clocks);
/* Until nothing moves on any pin for a while (longer than MODERATION after reset), at most `max` clocks. */
void rig_settle(struct pcie_rig *g, uint64_t max);

/* Memory of rings of 2^log2 bytes at these addresses; told to the endpoint, both rings enabled, indices 0. */
void rig_rings(struct pcie_rig *g, unsigned log2, uint64_t c2h, uint64_t h2c, uint64_t status);
/* Enable again, indices 0. */
void rig_enable(struct pcie_rig *g, uint32_t ctrl);

/* The core says a message, padded to beats. Waits for nothing. */
void rig_say(struct pcie_rig *g, const void *msg, size_t len);
/* A header of `type` and a body of bytes that follow from `seed`. */
size_t rig_message(uint8_t *msg, unsigned type, size_t len, uint32_t seed);
/* Beats said and not yet taken. */
size_t rig_unsaid(const struct pcie_rig *g);

/* Take what the status block says is there, call on_message for each whole message. Returns the number of them, or -1 when
 * what is there is no message. With `give_back` the doorbell is rung. */
int rig_poll(struct pcie_rig *g, bool give_back);
/* Put a message into the ring h2c; false when the ring has no room (by the status block). rig_ring() rings its doorbell. */
bool rig_send(struct pcie_rig *g, const void *msg, size_t len);
void rig_ring(struct pcie_rig *g);
/* Words of the status block: 0 C2H_TAIL, 1 H2C_HEAD, 2 ERROR, 3 count. */
uint32_t rig_status(const struct pcie_rig *g, unsigned word);

/* Registers of the endpoint. */
uint32_t rig_get(struct pcie_rig *g, uint32_t offset);
void rig_set(struct pcie_rig *g, uint32_t offset, uint32_t value);

#endif
