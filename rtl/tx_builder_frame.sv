// SPDX-License-Identifier: Apache-2.0
// tx_builder_frame - the frame of a reply, laid out whole: tx_builder's place `sending` at 512 bits.
//
// Input   load: a frame is made of the descriptor (regs/reply.def) and of what was read or computed for it.
// Output  tdata: the beat that is offered, first octet in bits 7:0; take goes on to the second. Zeros follow the frame.
// Timing  loaded in x, beat 0 in x+1; a beat taken in c is followed by the next one in c+1.
`include "handfast_defs.svh"
module tx_builder_frame (
  input  logic                      clk,

  input  logic                      load,
  input  logic [`HF_REPLY_BITS-1:0] reply,
  input  logic [47:0]               mac,
  input  logic [7:0]                ttl,
  input  logic [7:0]                tos,
  input  logic [2:0]                opt_words,   // 32-bit words of TCP options
  input  logic [15:0]               ip_checksum,
  input  logic [15:0]               tcp_checksum,

  output logic [511:0]              tdata,
  input  logic                      take
);

  typedef struct packed { `HF_REPLY_FIELDS } reply_t;

  // Room for Ethernet, two tags, IPv6, TCP and 20 octets of options: 102 octets.
  localparam int FRAME_BITS = 816;

  reply_t       told;
  logic [159:0] options;
  logic [127:0] options_after_mss;
  logic [31:0]  option_ws;
  logic [319:0] tcp, ip6_header;
  logic [159:0] ip4_header;
  logic [15:0]  ethertype, tcp_len;
  logic [31:0]  outer_tag, inner_tag;
  logic [655:0] network;                         // from the EtherType on
  logic [FRAME_BITS-1:0] frame, frame_q;         // first octet most significant; what is still to send

  assign told = reply;

  always_comb begin
    option_ws = told.ws_en ? {28'h0103030, told.ws} : 32'd0;
    if (told.ts_en)
      options_after_mss = {told.sack_en ? 16'h0402 : 16'h0101, 16'h080a, told.tsval, told.tsecr, option_ws};
    else if (told.sack_en)
      options_after_mss = {32'h01010402, option_ws, 64'd0};
    else
      options_after_mss = {option_ws, 96'd0};
    if (told.mss_en)
      options = {16'h0204, told.mss, options_after_mss};
    else
      options = {options_after_mss, 32'd0};

    tcp_len = 16'd20 + {11'd0, opt_words, 2'd0};
    tcp = {told.src_port, told.dst_port, told.seq, told.ack, 4'd5 + {1'b0, opt_words}, 3'd0, told.flags, told.wnd,
           tcp_checksum, 16'd0, options};
    ip4_header = {8'h45, tos, 16'd20 + tcp_len, 16'd0, 16'h4000, ttl, 8'd6, ip_checksum,
                  told.src_addr[31:0], told.dst_addr[31:0]};
    ip6_header = {4'd6, tos, 20'd0, tcp_len, 8'd6, ttl, told.src_addr, told.dst_addr};

    ethertype = told.ip6 ? 16'h86dd : 16'h0800;
    network = told.ip6 ? {ethertype, ip6_header, tcp} : {ethertype, ip4_header, tcp, 160'd0};
    outer_tag = {told.vlan_svlan ? 16'h88a8 : 16'h8100, told.vlan_outer};
    inner_tag = {16'h8100, told.vlan_inner};
    case (told.vlan_tags)
      2'd0: frame = {told.dst_mac, mac, network, 64'd0};
      2'd1: frame = {told.dst_mac, mac, outer_tag, network, 32'd0};
      default: frame = {told.dst_mac, mac, outer_tag, inner_tag, network};
    endcase
  end

  always_ff @(posedge clk) begin
    if (load)
      frame_q <= frame;
    else if (take)
      frame_q <= {frame_q[FRAME_BITS-513:0], 512'd0};
  end

  always_comb begin
    for (int i = 0; i < 64; i++)
      tdata[8*i +: 8] = frame_q[FRAME_BITS-1 - 8*i -: 8];
  end

endmodule
