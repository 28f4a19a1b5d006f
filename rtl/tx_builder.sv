// SPDX-License-Identifier: Apache-2.0
// tx_builder - a reply descriptor becomes an Ethernet frame with both checksums.
//
// What    Ethernet II with up to two 802.1Q tags, IPv4 (RFC 791: identification 0 with DF as RFC 6864
//         allows) or IPv6 (RFC 8200), TCP (RFC 9293 3.1) without text; options in the order MSS,
//         SACK-permitted and timestamps, window scale.
//         Checksums by RFC 1071. Padded with zeros to 60 octets.
// Input   reply_push with regs/reply.def, only while fewer than REPLY_DEPTH wait: who pushes counts them, with
//         reply_pop. MAC, TTL and TOS are read when a descriptor is popped.
// Output  reply_pop: one leaves the queue in this cycle. tb_*: beats, the first octet in bits 7:0; tb_take takes the one that is offered.
// Timing  two places. Popped into `making` in b, when it is empty or moves; sums of fields in b, checksums in
//         b+1; with BUILD_CYCLES of 2 or more one cycle later. It moves to `sending` in the first cycle x from
//         b+BUILD_CYCLES on in which that is empty or has its last beat taken; first beat offered from x+1, then one
//         after each taken one. Replies follow without a gap.
//         At most 13 beats of 8 octets, or 2 of 64.
`include "handfast_defs.svh"
module tx_builder #(
  parameter int DATA_W = 64,                                // 64 or 512
  parameter int REPLY_DEPTH = 32,
  parameter int IP6 = 1,
  parameter int BUILD_CYCLES = 1                            // of a reply in `making`
) (
  input  logic                      clk,
  input  logic                      rst,

  input  logic                      reply_push,
  input  logic [`HF_REPLY_BITS-1:0] reply_data,
  output logic                      reply_pop,

  input  logic [47:0]               cfg_mac,                // first octet most significant
  input  logic [7:0]                cfg_ttl,
  input  logic [7:0]                cfg_tos,                // ECN bits 0

  output logic                      tb_valid,
  output logic [DATA_W-1:0]         tb_tdata,
  output logic [DATA_W/8-1:0]       tb_tkeep,
  output logic                      tb_tlast,
  input  logic                      tb_take
);

  generate
    if (DATA_W != 64 && DATA_W != 512) begin : g_illegal
      tx_builder_needs_DATA_W_of_64_or_512 illegal ();
    end
    if (BUILD_CYCLES < 1 || BUILD_CYCLES > 8) begin : g_illegal_cycles
      tx_builder_needs_BUILD_CYCLES_of_1_to_8 illegal ();
    end
  endgenerate

  typedef struct packed { `HF_REPLY_FIELDS } reply_t;

  localparam int BYTES = DATA_W / 8;

  logic                      head_valid, pop, move, last_taken;
  logic                      unused_room;                   // who pushes knows of room
  logic                      making_q, sending_q;
  logic [2:0]                wait_q;                        // cycles that the one in making does not move
  logic [`HF_REPLY_BITS-1:0] head;
  reply_t                    next, reply_q;                 // at the head of the queue; in making

  fifo_reg #(.WIDTH(`HF_REPLY_BITS), .DEPTH(REPLY_DEPTH)) u_queue (
    .clk(clk), .rst(rst), .push(reply_push), .push_data(reply_data), .has_room(unused_room),
    .valid(head_valid), .head(head), .pop(pop));

  // What is 0 without IPv6 is not read: the memory that would hold it falls away.
  always_comb begin
    next = head;
    if (IP6 == 0) begin
      next.ip6 = 1'b0;
      next.src_addr[127:32] = '0;
      next.dst_addr[127:32] = '0;
    end
  end
  assign last_taken = tb_take && tb_tlast;
  assign move = making_q && wait_q == '0 && (!sending_q || last_taken);
  assign pop = head_valid && (!making_q || move);
  assign reply_pop = pop;

  always_ff @(posedge clk) begin
    if (rst) begin
      making_q <= 1'b0;
      sending_q <= 1'b0;
      wait_q <= '0;
    end else begin
      if (pop)
        wait_q <= 3'(BUILD_CYCLES - 1);
      else if (wait_q != '0)
        wait_q <= wait_q - 3'd1;
      if (pop)
        making_q <= 1'b1;
      else if (move)
        making_q <= 1'b0;
      if (move)
        sending_q <= 1'b1;
      else if (last_taken)
        sending_q <= 1'b0;
    end
  end

  // ---- cycle b: the sums of the fields, while the descriptor is latched; or b+1, behind that ----

  localparam bit LATER = BUILD_CYCLES > 1;

  /* verilator lint_off UNUSEDSIGNAL */
  reply_t      summed;                                      // what is not of TCP is not
  /* verilator lint_on UNUSEDSIGNAL */
  logic        sum_now;
  logic [7:0]  sum_ttl, sum_tos;

  localparam logic [15:0] NO_OPTIONS_LEN = 16'd20;          // octets of a header, TCP's or IPv4's

  logic [2:0]  next_opt_words, opt_words_q;                 // 32-bit words of options
  logic [15:0] next_tcp_len;                                // octets
  logic [15:0] kinds;                                       // what depends on nothing but which options there are
  logic [15:0] addrs, addrs_q, fields, fields_q;
  logic [3:0]  addrs_carries, addrs_carries_q, fields_carries, fields_carries_q;
  logic [16:0] ip_q;
  logic [47:0] mac_q;
  logic [7:0]  ttl_q, tos_q;

  always_comb begin
    if (LATER) begin
      summed = reply_q;
      {sum_now, sum_ttl, sum_tos} = {making_q, ttl_q, tos_q};
    end else begin
      summed = next;
      {sum_now, sum_ttl, sum_tos} = {pop, cfg_ttl, cfg_tos};
    end
  end

  // What depends on nothing but which options there are: their 32-bit words, three bits, and the sum of their kinds and
  // lengths, of the data offset, and of the pseudo-header's protocol and length, far from a carry. Options stand on
  // 32-bit boundaries, so their words sum alike wherever they are.
  // By mss, sack, ts and ws, the last one lowest.
  function automatic logic [16*32-1:0] options_table(input logic [3:0] first);
    logic [3:0]  which;
    logic        mss, sack, ts, ws;
    logic [2:0]  option_words;
    logic [15:0] sum;
    options_table = '0;
    for (int i = 0; i < 16; i++) begin
      which = first + 4'(i);
      mss = which[3];
      sack = which[2];
      ts = which[1];
      ws = which[0];
      option_words = {2'd0, mss} + {2'd0, ws} + (ts ? 3'd3 : {2'd0, sack});
      sum = (mss ? 16'h0204 : 16'd0) + (ws ? 16'h0103 + 16'h0300 : 16'd0);
      if (ts)
        sum = sum + (sack ? 16'h0402 : 16'h0101) + 16'h080a;
      else if (sack)
        sum = sum + 16'h0101 + 16'h0402;
      options_table[32*i +: 19] = {option_words, sum + {4'd5 + {1'b0, option_words}, 12'd0} + 16'd6 + NO_OPTIONS_LEN +
                                                 {11'd0, option_words, 2'd0}};
    end
  endfunction

  localparam logic [16*32-1:0] OPTIONS = options_table(4'd0);

  always_comb begin
    if (sum_now) begin
      {next_opt_words, kinds} = OPTIONS[{summed.mss_en, summed.sack_en, summed.ts_en, summed.ws_en, 5'd0} +: 19];
      next_tcp_len = NO_OPTIONS_LEN + {11'd0, next_opt_words, 2'd0};
    end else begin
      next_opt_words = 'x;
      kinds = 'x;
      next_tcp_len = 'x;
    end
  end

  // Of IPv4 the upper words are 0.
  word_sum #(.WORDS(16)) u_addrs (.valid(sum_now), .words({summed.src_addr, summed.dst_addr}), .sum(addrs), .carries(addrs_carries));

  word_sum #(.WORDS(16)) u_fields (
    .valid(sum_now), .words({summed.src_port, summed.dst_port, summed.seq, summed.ack, 7'd0, summed.flags, summed.wnd, kinds,
            summed.mss & {16{summed.mss_en}}, summed.tsval & {32{summed.ts_en}}, summed.tsecr & {32{summed.ts_en}},
            12'd0, summed.ws & {4{summed.ws_en}}, 16'd0}),
    .sum(fields), .carries(fields_carries));

  always_ff @(posedge clk) begin
    if (pop) begin
      reply_q <= next;
      mac_q <= cfg_mac;
      ttl_q <= cfg_ttl;
      tos_q <= cfg_tos;
    end
    if (sum_now) begin
      opt_words_q <= next_opt_words;
      addrs_q <= addrs;
      addrs_carries_q <= addrs_carries;
      fields_q <= fields;
      fields_carries_q <= fields_carries;
      // Version, header length, TOS, total length, DF, TTL, protocol.
      ip_q <= {1'b0, sum_ttl, sum_tos} + {1'b0, 16'h4500 + 16'h4000 + 16'd6 + NO_OPTIONS_LEN + next_tcp_len};
    end
  end

  // ---- from b+1: checksums and length, into the place `sending` with the descriptor when it moves ----

  localparam int LEFT_W = $clog2((102 + BYTES - 1) / BYTES + 1);

  // RFC 1071: end-around carry, then the complement. If the first one carries again, all but five digits of what it
  // leaves are 0, and the five are below 31, of a sum of at most 29 words: so the second one stays within them.
  function automatic logic [15:0] checksum(input logic [20:0] sum);
    logic [5:0]  low;
    logic [11:0] high;
    low = {1'b0, sum[4:0]} + {1'b0, sum[20:16]};
    high = {1'b0, sum[15:5]} + {11'd0, low[5]};
    checksum = ~{high[10:0], low[4:0] + {4'd0, high[11]}};
  endfunction

  logic [15:0]       ip_checksum, tcp_checksum;
  logic [4:0]        frame_words;
  logic [6:0]        frame_length, last_pad_q;              // octets; of the last beat that are none
  logic [LEFT_W-1:0] left_q;                                // beats

  assign ip_checksum = checksum({1'b0, addrs_carries_q, addrs_q} + {4'd0, ip_q});
  assign tcp_checksum = checksum({1'b0, addrs_carries_q, addrs_q} + {1'b0, fields_carries_q, fields_q});

  // 2 octets and so many times 4: Ethernet and its tags, the network header, TCP. At least 60 octets.
  assign frame_words = 5'd8 + {3'd0, reply_q.vlan_tags} + (reply_q.ip6 ? 5'd10 : 5'd5) + {2'd0, opt_words_q};
  assign frame_length = (frame_words <= 5'd14) ? 7'd60 : {frame_words, 2'd2};

  always_ff @(posedge clk) begin
    if (move) begin
      left_q <= LEFT_W'(({1'b0, frame_length} + 8'(BYTES - 1)) / 8'(BYTES));
      last_pad_q <= (7'd0 - frame_length) % 7'(BYTES);
    end else if (tb_take) begin
      left_q <= left_q - 1'b1;
    end
  end

  assign tb_valid = sending_q;
  assign tb_tlast = left_q == LEFT_W'(1);
  assign tb_tkeep = {BYTES{1'b1}} >> (tb_tlast ? last_pad_q : 7'd0);

  generate
    if (DATA_W == 64) begin : g_words
      tx_builder_words u_data (
        .clk(clk), .valid(sending_q), .load(move), .reply(reply_q), .mac(mac_q), .ttl(ttl_q), .tos(tos_q),
        .opt_words(opt_words_q), .ip_checksum(ip_checksum), .tcp_checksum(tcp_checksum),
        .tdata(tb_tdata), .take(tb_take));
    end else begin : g_frame
      tx_builder_frame u_data (
        .clk(clk), .load(move), .reply(reply_q), .mac(mac_q), .ttl(ttl_q), .tos(tos_q),
        .opt_words(opt_words_q), .ip_checksum(ip_checksum), .tcp_checksum(tcp_checksum),
        .tdata(tb_tdata), .take(tb_take));
    end
  endgenerate

`ifdef FORMAL_TX_BUILDER
  logic                         rst_1q, held_1q, within_1q, next_1q; // the cycle before
  logic [DATA_W+DATA_W/8:0]         beat_1q;

  initial assume (rst);

  always_ff @(posedge clk) begin
    rst_1q <= rst;
    held_1q <= tb_valid && !tb_take;
    within_1q <= tb_valid && tb_take && !tb_tlast;
    next_1q <= last_taken && making_q && wait_q == '0;      // a reply waits for the place
    beat_1q <= {tb_tlast, tb_tkeep, tb_tdata};
    if (!rst) begin
      assume (!tb_take || tb_valid);
      assume (!reply_push || unused_room);
      if (!rst_1q) begin
        valid_stays: assert (!held_1q || tb_valid);
        data_stable: assert (!held_1q || {tb_tlast, tb_tkeep, tb_tdata} == beat_1q);
        no_gap: assert (!within_1q || tb_valid);
        next_at_once: assert (!next_1q || tb_valid);
      end
      beats_left: assert (!tb_valid || left_q != 0);
    end
  end
`endif
endmodule
