/* SPDX-License-Identifier: Apache-2.0
 * rtl_shim.h - the Verilated `handfast` in its five geometries, behind a C interface. */
#ifndef HANDFAST_RTL_SHIM_H
#define HANDFAST_RTL_SHIM_H

#include "../cmodel/handfast_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One Verilated geometry. `self` is what create() returned. */
struct rtl_ops {
	/* A core whose flip-flops and memories hold random values chosen by `seed`; NULL when memory is short.
	 * Its pins mean nothing until a clock with rst = 1. */
	void *(*create)(uint64_t seed);
	/* One clock: the input pins during it, and the output pins after its edge, as hf_model_step(). */
	void (*step)(void *self, const struct hf_in *in, struct hf_out *out);
	/* Write an FST file from now on. 0, -EIO when it cannot be opened, -ENOTSUP in a build without waves. */
	int (*waves)(void *self, const char *path);
	void (*free)(void *self);
};

extern const struct rtl_ops rtl_default_ops, rtl_small_ops, rtl_wide_ops, rtl_wide_small_ops, rtl_lean_ops;

#ifdef __cplusplus
}
#endif

#endif
