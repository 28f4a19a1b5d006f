// SPDX-License-Identifier: Apache-2.0
// rx_class - class and cause of a received frame ("Class and cause" in docs/architecture.md).
//
// Input   conditions of rx_header; whether the sums of the IPv4 header, and of TCP or ICMP with its pseudo-header, are
//         what they must be, and the destination MAC address is ours; registers of the host.
// Output  cls and cause: regs/segment.def, regs/verdict.def.
// Timing  no register.
`include "handfast_defs.svh"
`include "rx_defs.svh"

module rx_class (
  input  logic [`HF_RX_CONDITION_BITS-1:0] conditions,
  input  logic                             ip_intact,
  input  logic                             l4_intact,
  input  logic                             to_us,

  input  logic                             cfg_enable,
  input  logic                             cfg_allow_loopback,

  output logic [1:0]                       cls,
  output logic [4:0]                       cause
);

  typedef struct packed { `HF_RX_CONDITION_FIELDS } conditions_t;

  /* verilator lint_off UNUSEDSIGNAL */
  conditions_t c;                                           // pseudo and dst_mac are for who calls
  /* verilator lint_on UNUSEDSIGNAL */

  assign c = conditions;

  always_comb begin
    cls = `HF_CLASS_DROP;
    cause = `HF_CAUSE_NONE;
    if (c.bad_fcs)
      cause = `HF_CAUSE_BAD_FCS;
    else if (c.too_long)
      cause = `HF_CAUSE_TOO_LONG;
    else if (c.runt)
      cause = `HF_CAUSE_RUNT;
    else if (c.not_ip)
      cls = `HF_CLASS_HOST;
    else if (c.malformed)
      cause = `HF_CAUSE_IP_MALFORMED;
    else if (!c.ip6 && !ip_intact)
      cause = `HF_CAUSE_IP_CHECKSUM;
    else if (c.other)
      cls = `HF_CLASS_HOST;
    else if (c.fragment_drop)
      cause = `HF_CAUSE_FRAGMENT;
    else if (c.fragment_host)
      cls = `HF_CLASS_HOST;
    else if (c.is_icmp)
      cls = (c.icmp_error && l4_intact && to_us && cfg_enable) ? `HF_CLASS_ICMP : `HF_CLASS_HOST;
    else if (c.tcp_malformed)
      cause = `HF_CAUSE_TCP_MALFORMED;
    else if (!l4_intact)
      cause = `HF_CAUSE_TCP_CHECKSUM;
    else if (!cfg_enable)
      cls = `HF_CLASS_HOST;
    else if (c.martian || (c.loopback && !cfg_allow_loopback))
      cause = `HF_CAUSE_MARTIAN;
    else if (!to_us)
      cause = `HF_CAUSE_L2_DEST;
    else
      cls = `HF_CLASS_SEG;
  end

endmodule
