/* SPDX-License-Identifier: Apache-2.0
 * engine.h - one interface to the Verilated RTL, the C model, and both in lock step. */
#ifndef HANDFAST_ENGINE_H
#define HANDFAST_ENGINE_H

#include "../cmodel/handfast_model.h"

enum engine_kind { ENGINE_RTL, ENGINE_MODEL, ENGINE_LOCKSTEP };
/* Geometries, and their parameters: hf_params_default, hf_params_small, hf_params_wide, hf_params_wide_small,
 * hf_params_lean. */
enum engine_size { ENGINE_DEFAULT, ENGINE_SMALL, ENGINE_WIDE, ENGINE_WIDE_SMALL, ENGINE_LEAN, ENGINE_SIZES };
extern const struct hf_params *const engine_params[ENGINE_SIZES];

struct engine;

/* Returns an engine whose pins are those of reset, or NULL when memory is short. `seed` chooses the values that
 * the RTL's flip-flops and memories hold before reset (Verilator's x-initial unique). */
struct engine *engine_open(enum engine_kind kind, enum engine_size size, uint64_t seed);
void engine_close(struct engine *e);

/* Advance one clock, as hf_model_step(). ENGINE_LOCKSTEP steps both, compares them, and gives the RTL's outputs. */
void engine_step(struct engine *e, const struct hf_in *in, struct hf_out *out);

/* Clocks stepped, clocks in which any compared pin or field differed, and the first difference in words
 * ("cycle 12: SND.NXT: rtl 0x.., model 0x.."), "" while there is none. Only ENGINE_LOCKSTEP ever differs. */
uint64_t engine_cycles(const struct engine *e);
uint64_t engine_mismatches(const struct engine *e);
const char *engine_first_mismatch(const struct engine *e);

/* Write waves (FST) of the RTL from now on to `path`. Returns 0, or -ENOTSUP for ENGINE_MODEL or a build without waves. */
int engine_waves(struct engine *e, const char *path);

/* "rtl", "model", "lockstep" to a kind; -EINVAL for anything else. */
int engine_kind_parse(const char *name, enum engine_kind *kind);
const char *engine_kind_name(enum engine_kind kind);

/* DATA_W, "64" or "512", to the default geometry of that width; -EINVAL for anything else. */
int engine_width_parse(const char *data_w, enum engine_size *size);
/* "default", "small", "wide", "wide_small". */
const char *engine_size_name(enum engine_size size);

#endif
