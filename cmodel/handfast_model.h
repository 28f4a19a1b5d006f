/* SPDX-License-Identifier: Apache-2.0
 * handfast_model.h - the cycle-exact C model of rtl/handfast.sv, and the types of its pins.
 *
 * The model owes the same pins and the same trace in every clock, not the same flip-flops
 * (docs/architecture.md). One struct, one function per clock, nothing global: any number of
 * models may run at once, one thread each. */
#ifndef HANDFAST_MODEL_H
#define HANDFAST_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* The type of a field of that many bits, HF_UINT(bits): only addresses are wider than 64. */
__extension__ typedef unsigned __int128 hf_u128;
typedef uint64_t hf_u1, hf_u2, hf_u4, hf_u5, hf_u9, hf_u11, hf_u14, hf_u16, hf_u24, hf_u32, hf_u48, hf_u64;
#define HF_UINT(bits) hf_u##bits

/* One connection entry, every field of regs/tcb.def in host byte order. */
struct hf_tcb {
#define FIELD(name, bits, rfc, doc) HF_UINT(bits) name;
#include "../regs/tcb.def"
#undef FIELD
};

/* A data pin: word 0 holds bits 63:0. With DATA_W 64 only word 0 is used, the others are 0 for ever. */
#define HF_DATA_WORDS 8

/* What the pins hold during one clock, into the core. */
struct hf_in {
#define IN(name, bits, doc) uint64_t name;
#define IN_DATA(name, doc)  uint64_t name[HF_DATA_WORDS];
#include "pins.def"
#undef IN
#undef IN_DATA
};

/* What the pins hold during one clock, out of the core. trc_entry is defined only while
 * trc_valid and trc_write are 1; words of data pins that DATA_W does not use are never written. */
struct hf_out {
#define OUT(name, bits, valid, doc) uint64_t name;
#define OUT_DATA(name, valid, doc)  uint64_t name[HF_DATA_WORDS];
#include "pins.def"
#undef OUT
#undef OUT_DATA
	struct hf_tcb trc_entry;
};

/* Parameters of the core, docs/architecture.md "Parameters"; same limits as in RTL. */
struct hf_params {
	unsigned data_w, sets_log2, ways, listeners, rules, max_frame, seg_depth, stage_beats, host_fifo_beats,
		event_depth, reply_depth, cmd_depth, tx_beats, tx_descs;
	bool hash_serial, no_ip6; /* IP6 = 0 */
	unsigned match_cycles, read_cycles, fsm_cycles, parse_cycles, build_cycles;
};

/* The defaults of the table there, and handfast_small, handfast_wide, handfast_wide_small, handfast_lean. */
extern const struct hf_params hf_params_default, hf_params_small, hf_params_wide, hf_params_wide_small, hf_params_lean;

struct hf_model;

/* Returns a model in reset, or NULL when the parameters are illegal or memory is short. */
struct hf_model *hf_model_new(const struct hf_params *params);
void hf_model_free(struct hf_model *m);

/* Advance one clock: `in` is what the input pins hold during this cycle; *out receives what the
 * output pins hold in the next one, after the edge. The first outputs after hf_model_new() are those
 * of reset: all valid, ready and trace pins 0. */
void hf_model_step(struct hf_model *m, const struct hf_in *in, struct hf_out *out);

#endif
