/* SPDX-License-Identifier: Apache-2.0
 * engine.c - dispatch to RTL, model, or both with the comparator between them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "compare.h"
#include "engine.h"
#include "rtl_shim.h"

const struct hf_params *const engine_params[] = { [ENGINE_DEFAULT] = &hf_params_default,
	[ENGINE_SMALL] = &hf_params_small,
	[ENGINE_WIDE] = &hf_params_wide,
	[ENGINE_WIDE_SMALL] = &hf_params_wide_small,
	[ENGINE_LEAN] = &hf_params_lean };

static const struct rtl_ops *const rtl_ops[] = { [ENGINE_DEFAULT] = &rtl_default_ops,
	[ENGINE_SMALL] = &rtl_small_ops,
	[ENGINE_WIDE] = &rtl_wide_ops,
	[ENGINE_WIDE_SMALL] = &rtl_wide_small_ops,
	[ENGINE_LEAN] = &rtl_lean_ops };

struct engine {
	enum engine_kind kind;
	unsigned words; /* of a data pin */
	const struct rtl_ops *ops;
	void *rtl;
	struct hf_model *model;
	struct hf_out model_out;
	uint64_t cycles, mismatches;
	char first[160];
};

static const char *const kind_names[] = {
	[ENGINE_RTL] = "rtl", [ENGINE_MODEL] = "model", [ENGINE_LOCKSTEP] = "lockstep"
};

static const char *const size_names[] = { [ENGINE_DEFAULT] = "default",
	[ENGINE_SMALL] = "small",
	[ENGINE_WIDE] = "wide",
	[ENGINE_WIDE_SMALL] = "wide_small",
	[ENGINE_LEAN] = "lean" };

struct engine *engine_open(enum engine_kind kind, enum engine_size size, uint64_t seed)
{
	const struct hf_in reset = { .rst = 1 };
	struct engine *e = calloc(1, sizeof *e);
	struct hf_out out;

	if (!e)
		return NULL;
	e->kind = kind;
	e->words = engine_params[size]->data_w / 64;
	e->ops = rtl_ops[size];
	if (kind != ENGINE_MODEL) {
		e->rtl = e->ops->create(seed);
		if (!e->rtl)
			goto fail;
		/* The model is born in reset; the RTL gets there by one clock. */
		e->ops->step(e->rtl, &reset, &out);
	}
	if (kind != ENGINE_RTL) {
		e->model = hf_model_new(engine_params[size]);
		if (!e->model)
			goto fail;
	}
	return e;
fail:
	engine_close(e);
	return NULL;
}

void engine_close(struct engine *e)
{
	if (!e)
		return;
	if (e->rtl)
		e->ops->free(e->rtl);
	if (e->model)
		hf_model_free(e->model);
	free(e);
}

void engine_step(struct engine *e, const struct hf_in *in, struct hf_out *out)
{
	e->cycles++;
	if (e->kind == ENGINE_MODEL) {
		hf_model_step(e->model, in, out);
		return;
	}
	e->ops->step(e->rtl, in, out);
	if (e->kind == ENGINE_RTL)
		return;
	hf_model_step(e->model, in, &e->model_out);
	if (compare_out(out, &e->model_out, e->words, e->cycles, e->mismatches ? NULL : e->first, sizeof e->first))
		e->mismatches++;
}

uint64_t engine_cycles(const struct engine *e)
{
	return e->cycles;
}

uint64_t engine_mismatches(const struct engine *e)
{
	return e->mismatches;
}

const char *engine_first_mismatch(const struct engine *e)
{
	return e->first;
}

int engine_waves(struct engine *e, const char *path)
{
	return e->rtl ? e->ops->waves(e->rtl, path) : -ENOTSUP;
}

int engine_kind_parse(const char *name, enum engine_kind *kind)
{
	for (unsigned i = 0; i < sizeof kind_names / sizeof *kind_names; i++) {
		if (!strcmp(name, kind_names[i])) {
			*kind = (enum engine_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *engine_kind_name(enum engine_kind kind)
{
	return kind_names[kind];
}

int engine_width_parse(const char *data_w, enum engine_size *size)
{
	const bool wide = !strcmp(data_w, "512");

	if (!wide && strcmp(data_w, "64"))
		return -EINVAL;
	*size = wide ? ENGINE_WIDE : ENGINE_DEFAULT;
	return 0;
}

const char *engine_size_name(enum engine_size size)
{
	return size_names[size];
}
