// SPDX-License-Identifier: Apache-2.0
// What the units of the receive side share beside the generated handfast_defs.svh.
`ifndef RX_DEFS_SVH
`define RX_DEFS_SVH

`define HF_ETHERTYPE_IPV4 16'h0800
`define HF_ETHERTYPE_IPV6 16'h86dd
`define HF_TPID_C 16'h8100
`define HF_TPID_S 16'h88a8
`define HF_PROTOCOL_ICMP 8'd1
`define HF_PROTOCOL_TCP 8'd6
`define HF_PROTOCOL_ICMP6 8'd58

// What rx_header finds out for rx_class, which adds the checksums and the host's registers.
`define HF_RX_CONDITION_BITS 78
`define HF_RX_CONDITION_FIELDS \
  logic        bad_fcs; \
  logic        too_long; \
  logic        runt; \
  logic        not_ip; \
  logic        ip6; \
  logic        malformed; \
  logic        other; \
  logic        fragment_drop; \
  logic        fragment_host; \
  logic        is_icmp; \
  logic        icmp_error; \
  logic        tcp_malformed; \
  logic        martian; \
  logic        loopback; \
  logic [15:0] pseudo; \
  logic [47:0] dst_mac; \

// rx_options between two steps: first where the automaton is and what was seen, 0 before the first octet; then the
// values.
`define HF_RX_OPTIONS_STATE_BITS 17
`define HF_RX_OPTIONS_STATE_FIELDS \
  logic [1:0] at; \
  logic [2:0] kind; \
  logic [5:0] last; \
  logic       bad; \
  logic       mss_ok; \
  logic       ws_ok; \
  logic       ws_clamped; \
  logic       sack_ok; \
  logic       ts_ok; \

`define HF_RX_OPTIONS_VALUE_BITS 84
`define HF_RX_OPTIONS_VALUE_FIELDS \
  logic [15:0] mss; \
  logic [3:0]  ws; \
  logic [31:0] tsval; \
  logic [31:0] tsecr; \

`endif
