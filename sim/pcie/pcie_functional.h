/* SPDX-License-Identifier: Apache-2.0
 * pcie_functional.h - the inside of pcie_link_functional(): what BAR0 (pcie_functional_bar.c) and the rings (pcie_functional.c)
 * have in common. */
#ifndef HANDFAST_SIM_PCIE_FUNCTIONAL_H
#define HANDFAST_SIM_PCIE_FUNCTIONAL_H

#include "../../driver/message.h"
#include "../rng.h"
#include "pcie_link.h"

enum {
	CORE_RESET_CLOCKS = 4,	      /* of clk */
	AXIL_CLOCKS = 65536,	      /* a register of the core that does not answer for so long never will */
	ANSWER_CLOCKS = 12500000,     /* of pcie_clk: pcie_link_read(), 50 ms */
	FLR_CLOCKS = 25000000,	      /* and pcie_link_flr(), 100 ms */
	UP_BYTES = 2 * SIM_FRAME_MAX, /* messages of the core on their way to the ring */
	DOWN_BEATS = 1024,	      /* of the ring on their way to the core */
	BEAT = 8,
	CUT_BEATS = 2, /* at most, to end a message as one of a wrong length */
	STATUS_BYTES = 16,
	DWORD = 4,
	VECTOR_MESSAGE = 1 << 0,
	VECTOR_FRAME = 1 << 1,
	VECTOR_ERROR = 1 << 2,
};

/* An MMIO access that waits for its turn. */
struct mmio {
	struct mmio *next;
	bool write;
	uint32_t offset;
	size_t len, at;	      /* at: bytes done */
	bool *done, *refused; /* of a read, the caller's */
	uint8_t *to;
	uint8_t bytes[]; /* of a write */
};

struct beat {
	uint8_t data[BEAT];
	bool last;
};

struct ring {
	bool on;      /* enabled and started: indices count */
	bool stopped; /* by an error; until it is disabled and enabled */
	uint64_t base;
	uint32_t size;
	uint32_t head, tail; /* as the registers show them */
};

enum axil { AXIL_IDLE, AXIL_READ, AXIL_WRITE };

struct functional {
	struct pcie_link l;
	struct sim *sim;
	struct rng rng;
	uint64_t period_left; /* ps of the core's clocks not yet given to pcie_clk */

	uint32_t ctrl, error, moderation, timeout, unexpected, discarded;
	uint32_t base_lo[2], base_hi[2], size_log2[2], status_lo, status_hi; /* [0] c2h, [1] h2c */
	uint32_t msix[HF_PCIE_VECTORS][4];
	uint32_t pending; /* MSI-X vectors */
	struct ring c2h, h2c;

	/* From the core. */
	uint8_t message[SIM_FRAME_MAX]; /* being taken */
	size_t message_len;
	uint8_t up[UP_BYTES]; /* whole messages, padded, from up_at to up_end */
	size_t up_at, up_end;
	size_t up_left;	  /* bytes of the first of them not yet written; 0 = none of it is */
	unsigned up_type; /* HF_MSG_... of it */
	uint8_t hello[64];
	size_t hello_len; /* 0: the core has not said one since its reset */

	/* To the core. */
	struct beat down[DOWN_BEATS];
	unsigned down_at, down_count;
	uint32_t fetch_left;	      /* beats of the message being fetched; 0 = a header comes next */
	uint32_t give_left;	      /* beats of the message being given; 0 = likewise */
	bool inside;		      /* what was given last is not the end of its message */
	bool dropping;		      /* the core was reset inside a message: the rest of it is not given */
	uint32_t asked;		      /* bytes of the outstanding read, 0 = none */
	uint64_t asked_at, answer_at; /* clock of pcie_clk; UINT64_MAX = it is never answered */
	uint64_t late_at;	      /* the answer to a read that was given up comes then; UINT64_MAX = none */
	bool refuse, forgotten;	      /* forgotten: the ring was disabled meanwhile */

	/* Status block and interrupts. */
	bool dirty;
	unsigned causes; /* vectors that the next status block speaks for */
	uint64_t status_clock;
	uint32_t status_count;
	bool told_once; /* there was a status block since reset: MODERATION counts from it */

	/* Towards the core's registers and reset. */
	struct mmio *first, **last;
	enum axil axil;
	bool axil_aw, axil_w, axil_ar; /* valid pins that are up */
	bool axil_clear;	       /* the pins are still to be lowered */
	unsigned axil_clocks;
	bool axil_dead, axil_done, axil_error;
	uint32_t axil_data;
	unsigned core_reset; /* clocks left */
	bool holds_reset;    /* rst is 1 because of that */
	bool resetting;	     /* function level reset under way */
	uint32_t writes_sent, reads_sent;
};

static inline void raise_error(struct functional *f, unsigned bit)
{
	if (!f->error)
		f->causes |= VECTOR_ERROR;
	f->error |= 1u << bit;
	f->dirty = true;
}

static inline bool c2h_active(const struct functional *f)
{
	return f->c2h.on;
}

static inline bool h2c_active(const struct functional *f)
{
	return f->h2c.on || f->asked;
}

static inline bool enabled(const struct functional *f, unsigned ring)
{
	return f->ctrl >> ring & 1;
}

/* ---- pcie_functional_bar.c ---- */

/* Registers and MSI-X table as after reset. */
void functional_reset_registers(struct functional *f);
/* One clock of the accesses to the core's registers, and of MMIO; the latter returns whether something moved. */
void functional_axil_clock(struct functional *f, const struct hf_out *out, struct hf_in *in);
bool functional_mmio_clock(struct functional *f, struct hf_in *in);
/* Struct pcie_link_ops. */
int functional_read(struct pcie_link *l, uint32_t offset, void *data, size_t len);
int functional_write(struct pcie_link *l, uint32_t offset, const void *data, size_t len);
/* Accesses that wait are answered by nobody. */
void functional_drop_mmio(struct functional *f);

/* ---- pcie_functional.c ---- */

void functional_doorbell(struct functional *f, bool h2c, uint32_t value);

#endif
