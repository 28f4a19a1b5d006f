/* SPDX-License-Identifier: Apache-2.0
 * regs.h - every number that host, model, RTL and documents must agree on, as C constants,
 * expanded from the .def files beside it. */
#ifndef HANDFAST_REGS_H
#define HANDFAST_REGS_H

#include <stdint.h>

#define HF_ABI_VERSION 4
#define HF_ID	       0x54534648u /* register ID */

enum hf_access { HF_RW, HF_RO, HF_WO, HF_W1C };

/* HF_REG_CTRL = 0x008, ... */
enum hf_reg {
#define REG(name, offset, reset, doc) HF_REG_##name = offset,
#define FIELD(reg, name, low, bits, access, doc)
#include "regs.def"
#undef REG
#undef FIELD
};

/* HF_CTRL_ENABLE_LOW = 0, HF_CTRL_ENABLE_BITS = 1, ... */
enum hf_reg_field {
#define REG(name, offset, reset, doc)
#define FIELD(reg, name, low, bits, access, doc) HF_##reg##_##name##_LOW = (low), HF_##reg##_##name##_BITS = (bits),
#include "regs.def"
#undef REG
#undef FIELD
};

/* The PCIe endpoint: HF_PCIE_CTRL = 0x008 from its base, HF_PCIE_CTRL_C2H_LOW = 0, ... */
#define HF_PCIE_VERSION_VALUE 1
#define HF_PCIE_BASE	      0x1000u /* of its registers, from the start of BAR0 */
#define HF_PCIE_MSIX_TABLE    0x2000u
#define HF_PCIE_MSIX_PENDING  0x2800u
#define HF_PCIE_BAR_BYTES     0x10000u
#define HF_PCIE_VECTORS	      8u
enum hf_pcie_reset_value {
#define REG(name, offset, reset, doc) HF_PCIE_RESET_##name = reset,
#define FIELD(reg, name, low, bits, access, doc)
#include "pcie.def"
#undef REG
#undef FIELD
};
enum hf_pcie_reg {
#define REG(name, offset, reset, doc) HF_PCIE_##name = offset,
#define FIELD(reg, name, low, bits, access, doc)
#include "pcie.def"
#undef REG
#undef FIELD
};
enum hf_pcie_field {
#define REG(name, offset, reset, doc)
#define FIELD(reg, name, low, bits, access, doc) \
	HF_PCIE_##reg##_##name##_LOW = (low), HF_PCIE_##reg##_##name##_BITS = (bits),
#include "pcie.def"
#undef REG
#undef FIELD
};

#define HF_ETH_ID_LETTERS 0x3043414du /* register ID */
#define HF_ETH_BASE	  0x8000u     /* of its registers, for a host that has messages only (rtl/bus/msg_axil.sv) */
/* The Ethernet MAC: HF_ETH_CTRL = 0x008, HF_ETH_CTRL_FORCE_LOW = 0, ..., HF_ETH_CNT_RX_FRAMES = 0, ... */
enum hf_eth_reg {
#define REG(name, offset, reset, doc) HF_ETH_##name = offset,
#define FIELD(reg, name, low, bits, access, doc)
#include "eth.def"
#undef REG
#undef FIELD
};
enum hf_eth_field {
#define REG(name, offset, reset, doc)
#define FIELD(reg, name, low, bits, access, doc) \
	HF_ETH_##reg##_##name##_LOW = (low), HF_ETH_##reg##_##name##_BITS = (bits),
#include "eth.def"
#undef REG
#undef FIELD
};
enum hf_eth_counter {
#define COUNTER(name, doc) HF_ETH_CNT_##name,
#include "eth.def"
#undef COUNTER
	HF_ETH_CNT_COUNT
};

/* The byte link: HF_LINK_AT_seq = 3, HF_LINK_SIZE_seq = 1, ..., HF_LINK_DATA = 1 << 0, ... */
#define HF_LINK_HEADER_BYTES 10u
#define HF_LINK_WINDOW	     8u /* packets under way */
enum hf_link {
#define LINK(field, offset, bytes, doc) HF_LINK_AT_##field = offset, HF_LINK_SIZE_##field = bytes,
#define LINK_FLAG(name, bit, doc)	HF_LINK_##name = 1 << bit,
#include "link.def"
#undef LINK
#undef LINK_FLAG
};

enum hf_state {
#define STATE(name, code, text, owner) HF_STATE_##name = code,
#include "tcp_state.def"
#undef STATE
};

enum hf_seg_class {
#define SEG_CLASS(name, code, doc) HF_CLASS_##name = code,
#include "segment.def"
#undef SEG_CLASS
};

enum hf_verdict {
#define VERDICT(name, code, doc) HF_VERDICT_##name = code,
#include "verdict.def"
#undef VERDICT
};

enum hf_cause {
#define CAUSE(name, code, counter, doc) HF_CAUSE_##name = code,
#include "verdict.def"
#undef CAUSE
};

enum hf_op {
#define OP(name, code, doc) HF_OP_##name = code,
#include "verdict.def"
#undef OP
};

/* HF_CNT_RX_FRAMES = 0, ..., HF_CNT_COUNT */
enum hf_counter {
#define COUNTER(name, doc) HF_CNT_##name,
#include "counter.def"
#undef COUNTER
	HF_CNT_COUNT
};
#define HF_REG_COUNTER(i) (0x400u + 8u * (unsigned)(i)) /* low word; high word at +4 */

enum hf_msg {
#define MSG(name, code, dir, doc) HF_MSG_##name = code,
#include "message.def"
#undef MSG
};

/* HF_FRAME_CSUM_OK = 1 << 0, ... */
enum hf_msg_flag {
#define FLAG(msg, name, bit, doc) HF_##msg##_##name = 1 << bit,
#include "message.def"
#undef FLAG
};

/* HF_AT_EVENT_code = 16, HF_SIZE_EVENT_code = 1, ... */
enum hf_msg_body {
#define BODY(msg, field, offset, bytes, doc) HF_AT_##msg##_##field = offset, HF_SIZE_##msg##_##field = bytes,
#include "message.def"
#undef BODY
};

enum hf_event_code {
#define EVENT(name, code, doc) HF_EVENT_##name = code,
#include "message.def"
#undef EVENT
};

enum hf_command_code {
#define COMMAND(name, code, doc) HF_COMMAND_##name = code,
#include "message.def"
#undef COMMAND
};

enum hf_status {
#define STATUS(name, code, doc) HF_STATUS_##name = code,
#include "message.def"
#undef STATUS
};

#define HF_MSG_HEADER_BYTES 16u
#define HF_NO_ID	    0xffffffffu

enum hf_flag_bit {
	HF_FIN = 1,
	HF_SYN = 2,
	HF_RST = 4,
	HF_PSH = 8,
	HF_ACK = 16,
	HF_URG = 32,
	HF_ECE = 64,
	HF_CWR = 128,
	HF_AE = 256
};

#endif
