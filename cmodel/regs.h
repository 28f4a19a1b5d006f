/* SPDX-License-Identifier: Apache-2.0
 * regs.h - the registers of regs/regs.def, their AXI-Lite port, the counters' snapshot, the millisecond clock
 * and the heartbeat timer. A write takes effect at the end of its cycle: an access is judged and read at the
 * start of a step, and written at its end. */
#ifndef HANDFAST_CMODEL_REGS_H
#define HANDFAST_CMODEL_REGS_H

#include <stdbool.h>
#include <stdint.h>
#include "../regs/regs.h"
#include "handfast_model.h"

#define REGS_MAPPED (HF_REG_SAMPLE + 4u) /* octets that hold registers; the counters' page lies behind them */

/* What regs/regs.def says about one register. */
struct reg_info {
	bool mapped, read_only, write_only;
	uint32_t mask, reset;
};

struct regs {
	struct reg_info info[REGS_MAPPED / 4]; /* by offset / 4 */
	uint32_t value[REGS_MAPPED / 4];       /* by offset / 4 */
	uint64_t snapshot[HF_CNT_COUNT];
	uint32_t ms;
	uint16_t hb;	       /* heartbeat timer, milliseconds left */
	bool cache_ends;       /* an op of this cycle ends CACHE.COMPLETE */
	uint64_t closed_until; /* a snapshot is made: no access before that cycle, nor starts one on AXI-Lite */

	bool write_due; /* an accepted write takes effect at the end of this cycle */
	uint32_t write_offset, write_value;

	/* AXI-Lite: what the output pins hold in this cycle */
	bool wready, bvalid, arready, rvalid;
	uint8_t bresp, rresp;
	uint32_t rdata;
};

struct hf_model;

static inline uint32_t hfm_reg(const struct regs *r, unsigned offset)
{
	return r->value[offset / 4];
}

/* Registers MAC_LO and MAC_HI as a number, first octet most significant. */
static inline uint64_t hfm_reg_mac(const struct regs *r)
{
	return (uint64_t)__builtin_bswap32(hfm_reg(r, HF_REG_MAC_LO)) << 16 |
	       __builtin_bswap16((uint16_t)hfm_reg(r, HF_REG_MAC_HI));
}

/* An IPv6 address in four registers: bits 31:0 at `low`, the other 96 in the three from `next` on. */
static inline hf_u128 hfm_reg_ip6(const struct regs *r, unsigned low, unsigned next)
{
	return (hf_u128)hfm_reg(r, next + 8) << 96 | (hf_u128)hfm_reg(r, next + 4) << 64 |
	       (hf_u128)hfm_reg(r, next) << 32 | hfm_reg(r, low);
}

/* Fill in what regs/regs.def says, for a table of that many slots, with source rules or without; once. */
void hfm_regs_init(struct regs *r, unsigned slots, bool rules);
void hfm_regs_reset(struct regs *r);
bool hfm_host_alive(const struct regs *r);

/* Whether AXI-Lite accesses a register in this cycle. */
static inline bool hfm_axil_access(const struct regs *r)
{
	return r->wready || r->arready;
}

/* One access; returns an enum hf_status: OK, BAD_ADDRESS or REFUSED. *value is 0 but for a good read. */
enum hf_status hfm_regs_read(const struct hf_model *m, uint32_t offset, uint32_t *value);
enum hf_status hfm_regs_write(struct hf_model *m, uint32_t offset, uint32_t value);

/* Whether a message may access a register in this cycle; after hfm_regs_axil_step. */
bool hfm_regs_open(const struct hf_model *m);
void hfm_regs_axil_step(struct hf_model *m, const struct hf_in *in);
/* The end of the cycle: the due write, the clocks. */
void hfm_regs_end(struct hf_model *m, const struct hf_in *in);

#endif
