// SPDX-License-Identifier: Apache-2.0
// tx_builder_words - the frame of a reply, two words at a time: tx_builder's place `sending` at 64 bits.
//
// What    behind its first two octets a frame is a string of 32-bit words that each header, tag and option fills
//         whole; which words come is a matter of tags, family and options. So a beat is the two octets that
//         the beat before left over, one word, and half of the next.
// Input   load: the descriptor (regs/reply.def), and what was read or computed for it, are taken over.
// Output  tdata: the beat that is offered, first octet in bits 7:0; take goes on to the next. Zeros follow the frame.
// Timing  loaded in x, beat 0 in x+1; a beat taken in c is followed by the next one in c+1.
`include "handfast_defs.svh"
module tx_builder_words (
  input  logic                      clk,

  input  logic                      valid,       // 0: nobody looks at the outputs
  input  logic                      load,
  input  logic [`HF_REPLY_BITS-1:0] reply,
  input  logic [47:0]               mac,
  input  logic [7:0]                ttl,
  input  logic [7:0]                tos,
  input  logic [2:0]                opt_words,   // 32-bit words of TCP options
  input  logic [15:0]               ip_checksum,
  input  logic [15:0]               tcp_checksum,

  output logic [63:0]               tdata,
  input  logic                      take
);

  typedef struct packed { `HF_REPLY_FIELDS } reply_t;

  reply_t      reply_q;
  logic [47:0] mac_q;
  logic [7:0]  ttl_q, tos_q;
  logic [2:0]  opt_words_q;
  logic [15:0] ip_checksum_q, tcp_checksum_q;

  always_ff @(posedge clk) begin
    if (load) begin
      reply_q <= reply;
      mac_q <= mac;
      ttl_q <= ttl;
      tos_q <= tos;
      opt_words_q <= opt_words;
      ip_checksum_q <= ip_checksum;
      tcp_checksum_q <= tcp_checksum;
    end
  end

  // ---- the words, in the order of the wire: first octet most significant ----

  localparam int DEST = 0, SOURCE = 1, TYPE = 2, OUTER = 3, INNER = 4, IP4_0 = 5, IP4_1 = 6, IP4_2 = 7,
                 IP6_0 = 8, IP6_1 = 9, SRC_0 = 10, SRC_1 = 11, SRC_2 = 12, SRC_3 = 13, DST_0 = 14, DST_1 = 15,
                 DST_2 = 16, DST_3 = 17, PORTS = 18, SEQ = 19, ACK = 20, WINDOW = 21, SUM = 22, MSS = 23,
                 SACK_TS = 24, TSVAL = 25, TSECR = 26, SCALE = 27, NAMES = 28;

  logic [15:0]         ethertype, tcp_len;
  logic [32*NAMES-1:0] words;

  assign ethertype = reply_q.ip6 ? 16'h86dd : 16'h0800;
  assign tcp_len = 16'd20 + {11'd0, opt_words_q, 2'd0};

  always_comb begin
    if (valid) begin
      words[32*DEST +: 32] = reply_q.dst_mac[31:0];           // its first two octets begin the frame
      words[32*SOURCE +: 32] = mac_q[47:16];
      words[32*TYPE +: 32] = {mac_q[15:0],
                              reply_q.vlan_tags == 2'd0 ? ethertype : reply_q.vlan_svlan ? 16'h88a8 : 16'h8100};
      words[32*OUTER +: 32] = {reply_q.vlan_outer, reply_q.vlan_tags == 2'd1 ? ethertype : 16'h8100};
      words[32*INNER +: 32] = {reply_q.vlan_inner, ethertype};
      words[32*IP4_0 +: 32] = {8'h45, tos_q, 16'd20 + tcp_len};
      words[32*IP4_1 +: 32] = 32'h0000_4000;
      words[32*IP4_2 +: 32] = {ttl_q, 8'd6, ip_checksum_q};
      words[32*IP6_0 +: 32] = {4'd6, tos_q, 20'd0};
      words[32*IP6_1 +: 32] = {tcp_len, 8'd6, ttl_q};
      words[32*SRC_0 +: 32] = reply_q.src_addr[127:96];
      words[32*SRC_1 +: 32] = reply_q.src_addr[95:64];
      words[32*SRC_2 +: 32] = reply_q.src_addr[63:32];
      words[32*SRC_3 +: 32] = reply_q.src_addr[31:0];
      words[32*DST_0 +: 32] = reply_q.dst_addr[127:96];
      words[32*DST_1 +: 32] = reply_q.dst_addr[95:64];
      words[32*DST_2 +: 32] = reply_q.dst_addr[63:32];
      words[32*DST_3 +: 32] = reply_q.dst_addr[31:0];
      words[32*PORTS +: 32] = {reply_q.src_port, reply_q.dst_port};
      words[32*SEQ +: 32] = reply_q.seq;
      words[32*ACK +: 32] = reply_q.ack;
      words[32*WINDOW +: 32] = {4'd5 + {1'b0, opt_words_q}, 3'd0, reply_q.flags, reply_q.wnd};
      words[32*SUM +: 32] = {tcp_checksum_q, 16'd0};
      words[32*MSS +: 32] = {16'h0204, reply_q.mss};
      words[32*SACK_TS +: 32] = {reply_q.sack_en && reply_q.ts_en ? 16'h0402 : 16'h0101,
                                 reply_q.ts_en ? 16'h080a : 16'h0402};
      words[32*TSVAL +: 32] = reply_q.tsval;
      words[32*TSECR +: 32] = reply_q.tsecr;
      words[32*SCALE +: 32] = {28'h0103030, reply_q.ws};
    end else begin
      words = 'x;
    end
  end

  // ---- which word comes next: one bit of a name is set, or none behind the last word ----

  function automatic logic [NAMES-1:0] after(
    input logic [NAMES-1:0] name, input logic [1:0] tags, input logic ip6, input logic mss, input logic sack,
    input logic ts, input logic scale);
    logic network, options, rest;
    network = (name[TYPE] && tags == 2'd0) || (name[OUTER] && tags == 2'd1) || name[INNER];
    options = (name[SUM] && !mss) || name[MSS];             // those after MSS
    rest = (options && !ts && !sack) || (name[SACK_TS] && !ts) || name[TSECR];
    after = name << 1;                                      // most follow in order
    after[DEST] = 1'b0;
    after[OUTER] = name[TYPE] && tags != 2'd0;
    after[INNER] = name[OUTER] && tags != 2'd1;
    after[IP4_0] = network && !ip6;
    after[IP6_0] = network && ip6;
    after[SRC_0] = name[IP6_1];
    after[SRC_3] = name[SRC_2] || name[IP4_2];
    after[DST_0] = name[SRC_3] && ip6;
    after[DST_3] = name[DST_2] || (name[SRC_3] && !ip6);
    after[MSS] = name[SUM] && mss;
    after[SACK_TS] = options && (ts || sack);
    after[TSVAL] = name[SACK_TS] && ts;
    after[SCALE] = rest && scale;
  endfunction

  // ---- the beat ----

  logic [NAMES-1:0] name_a_q, name_b_q, next_a, next_b;     // its two words
  logic [15:0]      left_q;                                 // half of the last beat's second word
  logic [31:0]      word_a, word_b;
  logic [63:0]      octets;                                 // the first one most significant

  assign next_a = after(name_b_q, reply_q.vlan_tags, reply_q.ip6, reply_q.mss_en, reply_q.sack_en, reply_q.ts_en,
                        reply_q.ws_en);
  assign next_b = after(next_a, reply_q.vlan_tags, reply_q.ip6, reply_q.mss_en, reply_q.sack_en, reply_q.ts_en,
                        reply_q.ws_en);

  always_comb begin
    if (valid) begin
      word_a = '0;
      word_b = '0;
      // As far as the tags each has its place in its beat.
      for (int i = 0; i < NAMES; i++) begin
        if (i != SOURCE && i != OUTER)
          word_a = word_a | (words[32*i +: 32] & {32{name_a_q[i]}});
        if (i != DEST && i != TYPE && i != INNER)
          word_b = word_b | (words[32*i +: 32] & {32{name_b_q[i]}});
      end
    end else begin
      word_a = 'x;
      word_b = 'x;
    end
  end

  always_ff @(posedge clk) begin
    if (load) begin
      name_a_q <= NAMES'(1) << DEST;
      name_b_q <= NAMES'(1) << SOURCE;
      left_q <= reply[`HF_REPLY_BITS-1 -: 16];
    end else if (take) begin
      name_a_q <= next_a;
      name_b_q <= next_b;
      left_q <= word_b[15:0];
    end
  end

  assign octets = {left_q, word_a, word_b[31:16]};

  always_comb begin
    for (int i = 0; i < 8; i++)
      tdata[8*i +: 8] = octets[63 - 8*i -: 8];
  end

endmodule
