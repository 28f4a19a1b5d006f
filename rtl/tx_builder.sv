// SPDX-License-Identifier: Apache-2.0
// tx_builder - a reply descriptor becomes an Ethernet frame with both checksums.
//
// What    Ethernet II with up to two 802.1Q tags, IPv4 (RFC 791: identification 0 with DF as RFC 6864
//         allows) or IPv6 (RFC 8200), TCP (RFC 9293 3.1) without text; options in the order MSS,
//         SACK-permitted and timestamps, window scale.
//         Checksums by RFC 1071. Padded with zeros to 60 octets.
// Input   reply_push with regs/reply.def, only with reply_room. MAC, TTL and TOS are read when a
//         descriptor is popped.
// Output  tb_*: beats of 8 octets, the first one in bits 7:0; tb_take takes the one that is offered.
// Timing  popped in b, when idle or when the last beat of the frame before is taken; sums in b and b+1,
//         first beat offered from b+2, then one beat after each taken one. At most 13 beats.
`include "handfast_defs.svh"
module tx_builder #(
  parameter int REPLY_DEPTH = 8
) (
  input  logic                      clk,
  input  logic                      rst,

  input  logic                      reply_push,
  input  logic [`HF_REPLY_BITS-1:0] reply_data,
  output logic                      reply_room,

  input  logic [47:0]               cfg_mac,     // first octet most significant
  input  logic [7:0]                cfg_ttl,
  input  logic [7:0]                cfg_tos,     // ECN bits 0

  output logic                      tb_valid,
  output logic [63:0]               tb_tdata,
  output logic [7:0]                tb_tkeep,
  output logic                      tb_tlast,
  input  logic                      tb_take
);

  typedef struct packed { `HF_REPLY_FIELDS } reply_t;

  // Room for Ethernet, two tags, IPv6, TCP and 20 octets of options: 102 octets, 13 beats.
  localparam int FRAME_BITS = 832;

  typedef enum logic [1:0] {IDLE, SUM, SEND} state_t;
  state_t state_q;

  logic                      head_valid, pop, last_taken;
  logic [`HF_REPLY_BITS-1:0] head;
  reply_t                    next, reply_q;   // at the head of the queue; being built

  fifo_reg #(.WIDTH(`HF_REPLY_BITS), .DEPTH(REPLY_DEPTH)) u_queue (
    .clk(clk), .rst(rst), .push(reply_push), .push_data(reply_data), .has_room(reply_room),
    .valid(head_valid), .head(head), .pop(pop));

  assign next = head;
  assign last_taken = tb_take && tb_tlast;
  assign pop = head_valid && (state_q == IDLE || last_taken);

  // ---- cycle b: the sums of the fields, while the descriptor is latched ----

  // Fewer than 64 words of 16 bits are summed: 22 bits hold that.
  function automatic logic [21:0] words(input logic [31:0] value);
    words = {6'd0, value[31:16]} + {6'd0, value[15:0]};
  endfunction

  function automatic logic [21:0] addr_words(input logic [127:0] addr);
    addr_words = words(addr[127:96]) + words(addr[95:64]) + words(addr[63:32]) + words(addr[31:0]);
  endfunction

  // RFC 1071: end-around carry, twice, since the first can carry again; then the complement.
  function automatic logic [15:0] checksum(input logic [21:0] sum);
    logic [16:0] once;
    once = {1'b0, sum[15:0]} + {11'd0, sum[21:16]};
    checksum = ~(once[15:0] + {15'd0, once[16]});
  endfunction

  logic [2:0]  next_opt_words;   // 32-bit words of options
  logic [15:0] next_tcp_len;     // octets
  logic [21:0] next_opts;
  logic [2:0]  opt_words_q;
  logic [47:0] mac_q;
  logic [7:0]  ttl_q, tos_q;
  logic [21:0] addrs_q, ports_q, numbers_q, opts_q, ip_q;

  always_comb begin
    next_opt_words = {2'd0, next.mss_en} + {2'd0, next.ws_en};
    if (next.ts_en)
      next_opt_words = next_opt_words + 3'd3;
    else if (next.sack_en)
      next_opt_words = next_opt_words + 3'd1;
    next_tcp_len = 16'd20 + {11'd0, next_opt_words, 2'd0};

    // Options stand on 32-bit boundaries, so their words sum alike wherever they are.
    next_opts = '0;
    if (next.mss_en)
      next_opts = next_opts + words({16'h0204, next.mss});
    if (next.ts_en)
      next_opts = next_opts + words({next.sack_en ? 16'h0402 : 16'h0101, 16'h080a}) + words(next.tsval) +
                  words(next.tsecr);
    else if (next.sack_en)
      next_opts = next_opts + words(32'h01010402);
    if (next.ws_en)
      next_opts = next_opts + words({28'h0103030, next.ws});
  end

  always_ff @(posedge clk) begin
    if (pop) begin
      reply_q <= next;
      mac_q <= cfg_mac;
      ttl_q <= cfg_ttl;
      tos_q <= cfg_tos;
      opt_words_q <= next_opt_words;
      // Both addresses, protocol and TCP length are the pseudo-header. Of IPv4 the upper words are 0.
      addrs_q <= addr_words(next.src_addr) + addr_words(next.dst_addr);
      ports_q <= words({next.src_port, next.dst_port}) + words({16'd6, next_tcp_len});
      numbers_q <= words(next.seq) + words(next.ack) +
                   words({4'd5 + {1'b0, next_opt_words}, 3'd0, next.flags, next.wnd});
      opts_q <= next_opts;
      ip_q <= words({8'h45, cfg_tos, 16'd20 + next_tcp_len}) + words({16'h4000, cfg_ttl, 8'd6});
    end
  end

  // ---- cycle b+1: checksums, and the frame laid out, first octet most significant ----

  logic [159:0] options;
  logic [127:0] options_after_mss;
  logic [31:0]  option_ws;
  logic [15:0]  tcp_len, ip_checksum, tcp_checksum;
  logic [319:0] tcp, ip6_header;
  logic [159:0] ip4_header;
  logic [15:0]  ethertype;
  logic [31:0]  outer_tag, inner_tag;
  logic [655:0] network;                           // from the EtherType on
  logic [FRAME_BITS-1:0] frame;
  logic [4:0]   frame_words;

  always_comb begin
    option_ws = reply_q.ws_en ? {28'h0103030, reply_q.ws} : 32'd0;
    if (reply_q.ts_en)
      options_after_mss = {reply_q.sack_en ? 16'h0402 : 16'h0101, 16'h080a, reply_q.tsval, reply_q.tsecr, option_ws};
    else if (reply_q.sack_en)
      options_after_mss = {32'h01010402, option_ws, 64'd0};
    else
      options_after_mss = {option_ws, 96'd0};
    if (reply_q.mss_en)
      options = {16'h0204, reply_q.mss, options_after_mss};
    else
      options = {options_after_mss, 32'd0};

    tcp_len = 16'd20 + {11'd0, opt_words_q, 2'd0};
    ip_checksum = checksum(ip_q + addrs_q);
    tcp_checksum = checksum(addrs_q + ports_q + numbers_q + opts_q);
    tcp = {reply_q.src_port, reply_q.dst_port, reply_q.seq, reply_q.ack,
           4'd5 + {1'b0, opt_words_q}, 3'd0, reply_q.flags, reply_q.wnd, tcp_checksum, 16'd0, options};
    ip4_header = {8'h45, tos_q, 16'd20 + tcp_len, 16'd0, 16'h4000, ttl_q, 8'd6, ip_checksum,
                  reply_q.src_addr[31:0], reply_q.dst_addr[31:0]};
    ip6_header = {4'd6, tos_q, 20'd0, tcp_len, 8'd6, ttl_q, reply_q.src_addr, reply_q.dst_addr};

    ethertype = reply_q.ip6 ? 16'h86dd : 16'h0800;
    network = reply_q.ip6 ? {ethertype, ip6_header, tcp} : {ethertype, ip4_header, tcp, 160'd0};
    outer_tag = {reply_q.vlan_svlan ? 16'h88a8 : 16'h8100, reply_q.vlan_outer};
    inner_tag = {16'h8100, reply_q.vlan_inner};
    case (reply_q.vlan_tags)
      2'd0: frame = {reply_q.dst_mac, mac_q, network, 80'd0};
      2'd1: frame = {reply_q.dst_mac, mac_q, outer_tag, network, 48'd0};
      default: frame = {reply_q.dst_mac, mac_q, outer_tag, inner_tag, network, 16'd0};
    endcase

    // 2 octets and so many times 4: Ethernet and its tags, the network header, TCP. At least 60 octets.
    frame_words = 5'd8 + {3'd0, reply_q.vlan_tags} + (reply_q.ip6 ? 5'd10 : 5'd5) + {2'd0, opt_words_q};
  end

  // ---- from b+2: the beats ----

  logic [FRAME_BITS-1:0] frame_q;   // what is still to send, the next octet most significant
  logic [3:0]            beats_q;   // of it
  logic [7:0]            last_keep_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      state_q <= IDLE;
    end else begin
      if (pop)
        state_q <= SUM;
      else if (state_q == SUM)
        state_q <= SEND;
      else if (last_taken)
        state_q <= IDLE;
    end

    if (state_q == SUM) begin
      frame_q <= frame;
      if (frame_words <= 5'd14) begin
        beats_q <= 4'd8;
        last_keep_q <= 8'h0f;
      end else begin
        beats_q <= frame_words[4:1] + 4'd1;
        last_keep_q <= frame_words[0] ? 8'h3f : 8'h03;
      end
    end else if (tb_take) begin
      frame_q <= {frame_q[FRAME_BITS-65:0], 64'd0};
      beats_q <= beats_q - 4'd1;
    end
  end

  assign tb_valid = state_q == SEND;
  assign tb_tlast = beats_q == 4'd1;
  assign tb_tkeep = tb_tlast ? last_keep_q : 8'hff;
  assign tb_tdata = {frame_q[FRAME_BITS-57 -: 8], frame_q[FRAME_BITS-49 -: 8], frame_q[FRAME_BITS-41 -: 8],
                     frame_q[FRAME_BITS-33 -: 8], frame_q[FRAME_BITS-25 -: 8], frame_q[FRAME_BITS-17 -: 8],
                     frame_q[FRAME_BITS-9 -: 8], frame_q[FRAME_BITS-1 -: 8]};

endmodule
