/* SPDX-License-Identifier: Apache-2.0
 * rtl_shim.cpp - the only C++ of the project: pins of the Verilated core to the C structs and back.
 * Everything is generated from pins.def and tcb.def, so that no pin or field can be forgotten.
 * Compiled once for the core, and once for each other module (rtl_top.h): HF_TOP is its name then, HF_TOP_CLASS what
 * Verilator made of it, HF_TOP_HEADER and HF_TOP_PINS the files. */
#include <cerrno>
#include <memory>
#include <new>
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif
#ifdef HF_TOP
#include HF_TOP_HEADER
#include "sim/rtl_top.h"
#define RTL_TOP_PINS HF_TOP_PINS
#define RTL_TOP_NAME HF_TOP
#include "sim/rtl_top_pins.h"
#else
#include "Vhandfast.h"
#include "Vhandfast___024root.h"
#include "Vhandfast_small.h"
#include "Vhandfast_small___024root.h"
#include "Vhandfast_lean.h"
#include "Vhandfast_lean___024root.h"
#if HF_WIDE
#include "Vhandfast_wide.h"
#include "Vhandfast_wide___024root.h"
#include "Vhandfast_wide_small.h"
#include "Vhandfast_wide_small___024root.h"
#endif
#include "sim/rtl_shim.h"
#endif

namespace
{

/* What every Verilated module needs: its random values before reset, its waves, and the time that waves show. */
template <class TOP> struct module {
	VerilatedContext context;
	std::unique_ptr<TOP> top;
#if VM_TRACE
	VerilatedFstC fst;
	bool tracing = false;
#endif

	explicit module(uint64_t seed)
	{
		context.randReset(2);
		/* 0 would mean "from the clock on the wall" to Verilator. */
		context.randSeed((int)(seed % 0x7ffffffe) + 1);
#if VM_TRACE
		context.traceEverOn(true);
#endif
		top = std::make_unique<TOP>(&context);
	}

	~module()
	{
#if VM_TRACE
		if (tracing)
			fst.close();
#endif
		top->final();
	}

	void dump()
	{
#if VM_TRACE
		if (tracing)
			fst.dump(context.time());
#endif
		context.timeInc(1);
	}

	int waves(const char *path)
	{
#if VM_TRACE
		top->trace(&fst, 99);
		fst.open(path);
		tracing = fst.isOpen();
		return tracing ? 0 : -EIO;
#else
		(void)path;
		return -ENOTSUP;
#endif
	}
};

#ifdef HF_TOP

template <class PIN> inline void words_set(PIN &pin, const uint64_t *words, unsigned n)
{
	for (unsigned i = 0; i < 2 * n; i++)
		pin[i] = (EData)(words[i / 2] >> 32 * (i % 2));
}

template <class PIN> inline void words_get(uint64_t *words, const PIN &pin, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		words[i] = pin[2 * i] | (uint64_t)pin[2 * i + 1] << 32;
}

#define GLUE(a, b)  a##b
#define PASTE(a, b) GLUE(a, b)
typedef PASTE(HF_TOP, _in) pins_in;
typedef PASTE(HF_TOP, _out) pins_out;

struct any_top : module<HF_TOP_CLASS> {
	explicit any_top(uint64_t seed) : module(seed)
	{
		const pins_in in = {};
		pins_out out;

		eval(&in, &out);
	}

	void eval(const pins_in *in, pins_out *out)
	{
#define IN(name, bits, doc)    top->name = in->name;
#define IN_WORDS(name, n, doc) words_set(top->name, in->name, n);
#define OUT(name, bits, doc)
#define OUT_WORDS(name, n, doc)
#include HF_TOP_PINS
#undef IN
#undef IN_WORDS
#undef OUT
#undef OUT_WORDS
		top->eval();
		dump();
#define IN(name, bits, doc)
#define IN_WORDS(name, n, doc)
#define OUT(name, bits, doc)	out->name = top->name;
#define OUT_WORDS(name, n, doc) words_get(out->name, top->name, n);
#include HF_TOP_PINS
#undef IN
#undef IN_WORDS
#undef OUT
#undef OUT_WORDS
	}
};

} // namespace

extern "C" {
extern const rtl_top PASTE(rtl_top_, HF_TOP) = {
	[](uint64_t seed) -> void * {
		try {
			return new any_top(seed);
		} catch (const std::bad_alloc &) {
			return nullptr;
		}
	},
	[](void *self, const void *in, void *out) {
		static_cast<any_top *>(self)->eval(static_cast<const pins_in *>(in), static_cast<pins_out *>(out));
	},
	[](void *self, const char *path) { return static_cast<any_top *>(self)->waves(path); },
	[](void *self) { delete static_cast<any_top *>(self); },
};
}

#else

constexpr unsigned TCB_BITS = 0
#define FIELD(name, bits, rfc, doc) +bits
#include "regs/tcb.def"
#undef FIELD
	;

/* `bits` (1 to 64) bits of a packed vector, least significant word first, from bit `low`. */
template <unsigned low, unsigned bits> inline uint64_t slice(const EData *words)
{
	constexpr unsigned word = low / 32, shift = low % 32;
	uint64_t v = words[word] >> shift;

	if constexpr (shift + bits > 32)
		v |= (uint64_t)words[word + 1] << (32 - shift);
	if constexpr (shift + bits > 64)
		v |= (uint64_t)words[word + 2] << (64 - shift);
	return v & (~0ull >> ((64 - bits % 64) % 64));
}

/* Likewise for any width; only addresses are wider than 64 bits. */
template <unsigned low, unsigned bits> inline hf_u128 field(const EData *words)
{
	if constexpr (bits > 64)
		return (hf_u128)slice<low + 64, bits - 64>(words) << 64 | slice<low, 64>(words);
	else
		return slice<low, bits>(words);
}

/* above_x - 1 = bits of the entry above a field: the first field of tcb.def is the most significant one. */
enum tcb_above : unsigned {
	tcb_above_begin = 0,
#define FIELD(name, bits, rfc, doc) above_##name, above_##name##_end = above_##name + (bits)-1,
#include "regs/tcb.def"
#undef FIELD
};

/* A data pin of 64 bits is one word, a wider one an array of 32-bit words, the least significant first. */
inline void set_data(QData &pin, const uint64_t *words)
{
	pin = words[0];
}

inline void get_data(uint64_t *words, QData pin)
{
	words[0] = pin;
}

template <std::size_t n> inline void set_data(VlWide<n> &pin, const uint64_t *words)
{
	static_assert(n == 2 * HF_DATA_WORDS, "a data pin of that width has no place in hf_in");
	for (unsigned i = 0; i < n; i++)
		pin[i] = (EData)(words[i / 2] >> 32 * (i % 2));
}

template <std::size_t n> inline void get_data(uint64_t *words, const VlWide<n> &pin)
{
	static_assert(n == 2 * HF_DATA_WORDS, "a data pin of that width has no place in hf_out");
	for (unsigned i = 0; i < n; i += 2)
		words[i / 2] = pin[i] | (uint64_t)pin[i + 1] << 32;
}

/* The falling edge moves nothing. Verilator has to know of it, to see the next rising one, but need not evaluate the core
 * for it where we can reach what it keeps of the clock (that name is Verilator 5.006's); waves want to see it. */
template <class ROOT> inline auto clock_fell(ROOT *root, int) -> decltype(root->__Vtrigrprev__TOP__clk, bool())
{
	root->__Vtrigrprev__TOP__clk = 0;
	return !VM_TRACE;
}

template <class ROOT> inline bool clock_fell(ROOT *, long)
{
	return false;
}

template <class TOP> struct shim : module<TOP> {
	using module<TOP>::top;
	using module<TOP>::dump;

	void set_pins(const hf_in *in)
	{
#define IN(name, bits, doc) top->name = in->name;
#define IN_DATA(name, doc)  set_data(top->name, in->name);
#include "cmodel/pins.def"
#undef IN
#undef IN_DATA
	}

	explicit shim(uint64_t seed) : module<TOP>(seed)
	{
		hf_in reset = {};

		reset.rst = 1;
		static_assert(
			sizeof top->trc_entry == (TCB_BITS + 31) / 32 * 4, "trc_entry is not the entry of tcb.def");
		top->clk = 0;
		set_pins(&reset);
		top->eval();
	}

	void step(const hf_in *in, hf_out *out)
	{
		set_pins(in);
		top->clk = 1;
		top->eval();
		dump();
#define OUT(name, bits, valid, doc) out->name = top->name;
#define OUT_DATA(name, valid, doc)  get_data(out->name, top->name);
#include "cmodel/pins.def"
#undef OUT
#undef OUT_DATA
		if (out->trc_valid && out->trc_write) {
#define FIELD(name, bits, rfc, doc) \
	out->trc_entry.name = field<TCB_BITS - (above_##name - 1) - (bits), bits>(&top->trc_entry[0]);
#include "regs/tcb.def"
#undef FIELD
		}
		if (clock_fell(top->rootp, 0))
			return;
		top->clk = 0;
		top->eval();
		dump();
	}
};

template <class TOP>
const rtl_ops ops_of = {
	[](uint64_t seed) -> void * {
		try {
			return new shim<TOP>(seed);
		} catch (const std::bad_alloc &) {
			return nullptr;
		}
	},
	[](void *self, const hf_in *in, hf_out *out) { static_cast<shim<TOP> *>(self)->step(in, out); },
	[](void *self, const char *path) { return static_cast<shim<TOP> *>(self)->waves(path); },
	[](void *self) { delete static_cast<shim<TOP> *>(self); },
};

} // namespace

extern "C" {
extern const rtl_ops rtl_default_ops = ops_of<Vhandfast>;
extern const rtl_ops rtl_small_ops = ops_of<Vhandfast_small>;
extern const rtl_ops rtl_lean_ops = ops_of<Vhandfast_lean>;
#if HF_WIDE
extern const rtl_ops rtl_wide_ops = ops_of<Vhandfast_wide>;
extern const rtl_ops rtl_wide_small_ops = ops_of<Vhandfast_wide_small>;
#else
static const rtl_ops none = { [](uint64_t) -> void * { return nullptr; }, nullptr, nullptr, nullptr };
extern const rtl_ops rtl_wide_ops = none, rtl_wide_small_ops = none;
#endif
}
#endif
