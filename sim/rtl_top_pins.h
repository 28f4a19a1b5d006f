/* SPDX-License-Identifier: Apache-2.0
 * rtl_top_pins.h - the structs of a module's pins (rtl_top.h); included once for each module, so without a guard. */
#define RTL_TOP_GLUE(name, suffix)   name##suffix
#define RTL_TOP_STRUCT(name, suffix) RTL_TOP_GLUE(name, suffix)

struct RTL_TOP_STRUCT(RTL_TOP_NAME, _in) {
#define IN(name, bits, doc)    uint64_t name;
#define IN_WORDS(name, n, doc) uint64_t name[n];
#define OUT(name, bits, doc)
#define OUT_WORDS(name, n, doc)
#include RTL_TOP_PINS
#undef IN
#undef IN_WORDS
#undef OUT
#undef OUT_WORDS
};

struct RTL_TOP_STRUCT(RTL_TOP_NAME, _out) {
#define IN(name, bits, doc)
#define IN_WORDS(name, n, doc)
#define OUT(name, bits, doc)	uint64_t name;
#define OUT_WORDS(name, n, doc) uint64_t name[n];
#include RTL_TOP_PINS
#undef IN
#undef IN_WORDS
#undef OUT
#undef OUT_WORDS
};
#undef RTL_TOP_GLUE
#undef RTL_TOP_STRUCT
#undef RTL_TOP_PINS
#undef RTL_TOP_NAME
