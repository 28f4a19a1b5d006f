// SPDX-License-Identifier: Apache-2.0
// What the units of the engine share beside the generated handfast_defs.svh.
`ifndef ENGINE_DEFS_SVH
`define ENGINE_DEFS_SVH

// Octets 16 to 127 of an EVENT and of a COMMAND with a body (regs/message.def), as one vector with octet 16
// in bits 7:0, so its last field comes first. Numbers stand as they are; addresses and MAC are octet strings,
// first octet in the lowest bits.
`define HF_BODY_BITS 896
`define HF_BODY_FIELDS \
  logic [15:0]  rto_ms; \
  logic [15:0]  seg_wnd; \
  logic [31:0]  now_ms; \
  logic [15:0]  vlan_inner; \
  logic [15:0]  rtt_ms; \
  logic [31:0]  tsecr; \
  logic [31:0]  ts_offset; \
  logic [31:0]  ts_recent; \
  logic [31:0]  snd_wl2; \
  logic [31:0]  snd_wl1; \
  logic [31:0]  rcv_wnd; \
  logic [31:0]  snd_wnd; \
  logic [31:0]  rcv_nxt; \
  logic [31:0]  snd_nxt; \
  logic [31:0]  snd_una; \
  logic [31:0]  irs; \
  logic [31:0]  iss; \
  logic [15:0]  vlan; \
  logic [47:0]  remote_mac; \
  logic [15:0]  local_port; \
  logic [15:0]  remote_port; \
  logic [127:0] local_addr; \
  logic [127:0] remote_addr; \
  logic [7:0]   rcv_wscale; \
  logic [7:0]   snd_wscale; \
  logic [15:0]  mss; \
  logic [7:0]   options; \
  logic [7:0]   listener; \
  logic [7:0]   state; \
  logic [7:0]   code; \

// What RULE_COMMIT copies into the source rule table: the staging registers of regs/regs.def, and its own VALID.
`define HF_RULE_BITS 171
`define HF_RULE_FIELDS \
  logic         valid; \
  logic [127:0] prefix; \
  logic [7:0]   mask_len; \
  logic [23:0]  rate; \
  logic [9:0]   burst; \

// Who a connection is between: what the table's key and the hash are made of. IPv4 in the low 32 bits.
`define HF_TUPLE_BITS 289
`define HF_TUPLE_FIELDS \
  logic         ip6; \
  logic [127:0] remote_addr; \
  logic [127:0] local_addr; \
  logic [15:0]  remote_port; \
  logic [15:0]  local_port; \

// The frame that tcp_fsm wants sent; tcp_reply makes it.
`define HF_SEND_NOTHING    3'd0
`define HF_SEND_SYN        3'd1
`define HF_SEND_SYNACK     3'd2
`define HF_SEND_ACK        3'd3
`define HF_SEND_FIN        3'd4
`define HF_SEND_RST_TO_ACK 3'd5  // <SEQ=SEG.ACK><CTL=RST>
`define HF_SEND_ABORT      3'd6  // <SEQ=SND.NXT><CTL=RST>

`define HF_EVENT_NONE 8'd0

// Seven places at which tcp_fsm, with tcp_entry, may be cut by registers. A step of n cycles has n - 1 of them there: at the
// first place, behind which clock and configuration are not looked at again, and others in equal distances.
`define HF_CUT(place, n) \
  ((n) > 1 && ((place) == 1 || (((place) - 1) * ((n) - 2)) / 6 != (((place) - 2) * ((n) - 2)) / 6) ? 1 : 0)

`endif
