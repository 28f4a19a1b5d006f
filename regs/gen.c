/* SPDX-License-Identifier: Apache-2.0
 * gen - print what is generated from the .def files: `gen vh` the Verilog header rtl/handfast_defs.svh,
 * `gen md` docs/registers.md. Both are committed; CI fails when they differ from what this prints. */
#include <stdio.h>
#include <string.h>
#include "regs.h"

static void struct_macro(const char *name)
{
	printf("\n`define HF_%s_FIELDS \\\n", name);
}

static void verilog(void)
{
	puts("// SPDX-License-Identifier: Apache-2.0\n"
	     "// Generated from regs/*.def by regs/gen.c; do not edit, run `make generate`.\n"
	     "`ifndef HANDFAST_DEFS_SVH\n`define HANDFAST_DEFS_SVH\n");
	printf("`define HF_ID_VALUE 32'h%08x\n`define HF_ABI_VERSION 32'd%d\n\n", HF_ID, HF_ABI_VERSION);
#define REG(name, offset, reset, doc) \
	printf("`define HF_REG_%s 12'h%03x\n`define HF_RESET_%s 32'h%08x\n", #name, offset, #name, reset);
#define FIELD(reg, name, low, bits, access, doc)
#include "regs.def"
#undef REG
#undef FIELD
#define REG(name, offset, reset, doc) \
	printf("`define HF_PCIE_%s 12'h%03x\n`define HF_PCIE_RESET_%s 32'h%08x\n", #name, offset, #name, reset);
#define FIELD(reg, name, low, bits, access, doc)
#include "pcie.def"
#undef REG
#undef FIELD
#define REG(name, offset, reset, doc) \
	printf("`define HF_ETH_%s 12'h%03x\n`define HF_ETH_RESET_%s 32'h%08x\n", #name, offset, #name, reset);
#define FIELD(reg, name, low, bits, access, doc)
#include "eth.def"
#undef REG
#undef FIELD
#define LINK(field, offset, bytes, doc) printf("`define HF_LINK_AT_%s %d\n", #field, offset);
#define LINK_FLAG(name, bit, doc)	printf("`define HF_LINK_%s %d\n", #name, bit);
#include "link.def"
#undef LINK
#undef LINK_FLAG
	puts("");
#define STATE(name, code, text, owner) printf("`define HF_STATE_%s 4'd%d\n", #name, code);
#include "tcp_state.def"
#undef STATE
#define SEG_CLASS(name, code, doc) printf("`define HF_CLASS_%s 2'd%d\n", #name, code);
#include "segment.def"
#undef SEG_CLASS
#define VERDICT(name, code, doc)	printf("`define HF_VERDICT_%s 2'd%d\n", #name, code);
#define CAUSE(name, code, counter, doc) printf("`define HF_CAUSE_%s 5'd%d\n", #name, code);
#define OP(name, code, doc)		printf("`define HF_OP_%s 2'd%d\n", #name, code);
#include "verdict.def"
#undef VERDICT
#undef CAUSE
#undef OP
	puts("");
#define COUNTER(name, doc) printf("`define HF_CNT_%s %d\n", #name, HF_CNT_##name);
#include "counter.def"
#undef COUNTER
	printf("`define HF_CNT_COUNT %d\n\n", HF_CNT_COUNT);
#define CAUSE(name, code, counter, doc) \
	if (code)                       \
		printf("`define HF_CAUSE_CNT_%s `HF_CNT_%s\n", #name, #counter);
#include "verdict.def"
#undef CAUSE
	puts("");
#define CLASS(number, octets) printf("`define HF_COOKIE_MSS_%d 16'd%d\n", number, octets);
#include "cookie.def"
#undef CLASS
	puts("");
#define MSG(name, code, dir, doc)	     printf("`define HF_MSG_%s 8'd%d\n", #name, code);
#define FLAG(msg, name, bit, doc)	     printf("`define HF_FLAG_%s_%s %d\n", #msg, #name, bit);
#define EVENT(name, code, doc)		     printf("`define HF_EVENT_%s 8'd%d\n", #name, code);
#define COMMAND(name, code, doc)	     printf("`define HF_COMMAND_%s 8'd%d\n", #name, code);
#define STATUS(name, code, doc)		     printf("`define HF_STATUS_%s 8'd%d\n", #name, code);
#define BODY(msg, field, offset, bytes, doc) printf("`define HF_AT_%s_%s %d\n", #msg, #field, offset);
#include "message.def"
#undef MSG
#undef FLAG
#undef EVENT
#undef COMMAND
#undef STATUS
#undef BODY
	int bits_total;

	/* Members for `typedef struct packed { `HF_TCB_FIELDS } tcb_t;` inside a module. */
	bits_total = 0;
	struct_macro("TCB");
#define FIELD(name, bits, rfc, doc) printf("  logic [%d:0] %s; \\\n", bits - 1, #name), bits_total += bits;
#include "tcb.def"
#undef FIELD
	printf("\n`define HF_TCB_BITS %d\n", bits_total);
	bits_total = 0;
	struct_macro("SEGMENT");
#define FIELD(name, bits, doc) printf("  logic [%d:0] %s; \\\n", bits - 1, #name), bits_total += bits;
#include "segment.def"
#undef FIELD
	printf("\n`define HF_SEGMENT_BITS %d\n", bits_total);
	bits_total = 0;
	struct_macro("REPLY");
#define FIELD(name, bits, doc) printf("  logic [%d:0] %s; \\\n", bits - 1, #name), bits_total += bits;
#include "reply.def"
#undef FIELD
	printf("\n`define HF_REPLY_BITS %d\n\n`endif\n", bits_total);
}

/* Rows of REG() and FIELD(). */
#define REGISTER_HEADING(name, offset, reset, doc)                                                  \
	printf("\n### `%s` 0x%03x\n\n%s. Reset value 0x%08x.\n\n| bits | field | access | meaning " \
	       "|\n|---|---|---|---|\n",                                                            \
		#name, offset, doc, reset)
#define REGISTER_FIELD(name, low, bits, access, doc) \
	printf("| %d:%d | `%s` | %s | %s |\n", low + bits - 1, low, #name, #access, doc)

static void markdown(void)
{
	puts("<!-- Generated from regs/*.def by regs/gen.c; do not edit, run `make generate`. -->\n"
	     "# Registers, messages, entries\n\n"
	     "## Registers\n\nOffsets in bytes, 32 bits wide. A write needs all four byte strobes.\n");
#define REG(name, offset, reset, doc)		 REGISTER_HEADING(name, offset, reset, doc);
#define FIELD(reg, name, low, bits, access, doc) REGISTER_FIELD(name, low, bits, access, doc);
#include "regs.def"
	puts("\n## Registers of the PCIe endpoint\n\nFrom 0x1000 of BAR0 (docs/pcie.md). W1C: writing 1 clears.");
#include "pcie.def"
	puts("\n## Registers of the Ethernet MAC\n\nFrom where a board has them (docs/boards.md); in register messages "
	     "from 0x8000 on. From `COUNTER0_LO` on, 64 bits each:");
	puts("\n| offset | counter | counts |\n|---|---|---|");
#define COUNTER(name, doc) printf("| 0x%03x | `%s` | %s |\n", HF_ETH_COUNTER0_LO + 8 * HF_ETH_CNT_##name, #name, doc);
#include "eth.def"
#undef COUNTER
#undef REG
#undef FIELD
	puts("\n## Counters\n\n64 bits each: low word at the offset, high word at offset + 4, as of the last write to "
	     "`SNAPSHOT`.\n\n| offset | counter | counts |\n|---|---|---|");
#define COUNTER(name, doc) printf("| 0x%03x | `%s` | %s |\n", HF_REG_COUNTER(HF_CNT_##name), #name, doc);
#include "counter.def"
#undef COUNTER
	puts("\n## Packets of the byte link\n\nOver USB and UART (docs/usb.md).\n\n| field | offset | bytes | meaning "
	     "|\n|---|---|---|---|");
#define LINK(field, offset, bytes, doc) printf("| `%s` | %d | %d | %s |\n", #field, offset, bytes, doc);
#include "link.def"
#undef LINK
	puts("\n| flag | bit | meaning |\n|---|---|---|");
#define LINK_FLAG(name, bit, doc) printf("| `%s` | %d | %s |\n", #name, bit, doc);
#include "link.def"
#undef LINK_FLAG
	puts("\n## Drop causes\n\n| code | cause | counter | when |\n|---|---|---|---|");
#define CAUSE(name, code, counter, doc) \
	if (code)                       \
		printf("| %d | `%s` | `%s` | %s |\n", code, #name, #counter, doc);
#include "verdict.def"
#undef CAUSE
	puts("\n## States\n\n| code | state | owner |\n|---|---|---|");
#define STATE(name, code, text, owner) printf("| %d | %s | %s |\n", code, text, owner);
#include "tcp_state.def"
#undef STATE
	puts("\n## Connection entry\n\nMost significant field first.\n\n| field | bits | RFC name | meaning "
	     "|\n|---|---|---|---|");
#define FIELD(name, bits, rfc, doc) printf("| `%s` | %d | %s | %s |\n", #name, bits, rfc, doc);
#include "tcb.def"
#undef FIELD
	puts("\n## Messages\n\nNumbers are little-endian, addresses and MACs in network order. Offsets in bytes from "
	     "the start of the message.\n\n| code | type | direction | meaning |\n|---|---|---|---|");
#define MSG(name, code, dir, doc) printf("| %d | `%s` | %s | %s |\n", code, #name, dir, doc);
#include "message.def"
#undef MSG
	puts("\n| message | flag | bit | meaning |\n|---|---|---|---|");
#define FLAG(msg, name, bit, doc) printf("| `%s` | `%s` | %d | %s |\n", #msg, #name, bit, doc);
#include "message.def"
#undef FLAG
	puts("\n| message | field | offset | bytes | meaning |\n|---|---|---|---|---|");
#define BODY(msg, field, offset, bytes, doc) \
	printf("| `%s` | `%s` | %d | %d | %s |\n", #msg, #field, offset, bytes, doc);
#include "message.def"
#undef BODY
	puts("\n| event | code | meaning |\n|---|---|---|");
#define EVENT(name, code, doc) printf("| `%s` | %d | %s |\n", #name, code, doc);
#include "message.def"
#undef EVENT
	puts("\n| command | code | meaning |\n|---|---|---|");
#define COMMAND(name, code, doc) printf("| `%s` | %d | %s |\n", #name, code, doc);
#include "message.def"
#undef COMMAND
	puts("\n| status | code | meaning |\n|---|---|---|");
#define STATUS(name, code, doc) printf("| `%s` | %d | %s |\n", #name, code, doc);
#include "message.def"
#undef STATUS
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "vh"))
		verilog();
	else if (argc == 2 && !strcmp(argv[1], "md"))
		markdown();
	else {
		fputs("usage: gen vh|md\n", stderr);
		return 2;
	}
	return fflush(stdout) || ferror(stdout);
}
