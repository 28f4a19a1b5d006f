// SPDX-License-Identifier: Apache-2.0
// rx_parser_wide - rx_parser for beats of 64 bytes: the same descriptor, a frame in every cycle.
//
// Input, output: as rx_parser.
// Timing  with L the last beat's cycle hash_req and mac_req come in L+2, the descriptor is pushed in L+8, for every
//         frame; configuration inputs are read in L+8. A beat is staged in its own cycle. Else as rx_parser.
//         Stages: L+1 the beat is registered, and where TCP begins in it; L+2 the headers are registered; L+3 to L+8
//         the descriptor waits for the checksums, ready in L+5, and the options, eight octets per stage, in L+7.
`include "handfast_defs.svh"
`include "rx_defs.svh"

module rx_parser_wide #(
  parameter int MAX_FRAME = 1522,
  parameter int SEG_DEPTH = 64,
  parameter int IP6 = 1
) (
  input  logic                        clk,
  input  logic                        rst,

  input  logic                        ready,
  input  logic [63:0]                 time_ns,

  input  logic [511:0]                s_axis_rx_tdata,
  input  logic [63:0]                 s_axis_rx_tkeep,
  input  logic                        s_axis_rx_tvalid,
  input  logic                        s_axis_rx_tlast,
  input  logic                        s_axis_rx_tuser,

  input  logic                        cfg_enable,
  input  logic                        cfg_allow_loopback,
  input  logic [47:0]                 cfg_mac,              // first octet most significant

  input  logic                        mover_take,           // the mover takes a verdict in this cycle

  output logic                        stage_push,
  output logic [511:0]                stage_data,
  input  logic                        stage_has_space,

  output logic                        hash_req,
  output logic                        hash_ip6,
  output logic [287:0]                hash_tuple,

  output logic                        mac_req,
  output logic                        mac_ip6,
  output logic [287:0]                mac_tuple,
  output logic [31:0]                 mac_seq,
  output logic [31:0]                 mac_ack,
  output logic                        mac_ack_flag,
  output logic [23:0]                 mac_epoch,            // stamp[59:36]: 2^36 ns

  output logic                        seg_push,
  output logic [`HF_SEGMENT_BITS-1:0] seg_data,

  output logic                        cnt_rx_frames,
  output logic                        cnt_drop_not_ready,
  output logic                        cnt_drop_overrun
);

  localparam int INDEX_W = 9;                               // as rx_framing's

  typedef struct packed { `HF_SEGMENT_FIELDS } segment_t;

  // ---- Framing -------------------------------------------------------------------------------------

  logic               take, first, take_q, first_q, last_q, lost_q, tuser_q;
  logic [INDEX_W-1:0] unused_index, index_q;
  logic [31:0]        whole;                                // 16-bit words of the beat
  logic               unused_whole;
  logic [511:0]       be;                                   // the beat, first octet most significant
  logic [13:0]        length_q;
  logic [10:0]        staged_q;
  logic [63:0]        stamp_q;

  rx_framing #(.DATA_W(512), .MAX_FRAME(MAX_FRAME), .SEG_DEPTH(SEG_DEPTH)) framing (
    .clk(clk), .rst(rst), .ready(ready), .time_ns(time_ns),
    .s_axis_rx_tdata(s_axis_rx_tdata), .s_axis_rx_tkeep(s_axis_rx_tkeep), .s_axis_rx_tvalid(s_axis_rx_tvalid),
    .s_axis_rx_tlast(s_axis_rx_tlast), .s_axis_rx_tuser(s_axis_rx_tuser),
    .mover_take(mover_take), .stage_has_space(stage_has_space), .stage_push(stage_push),
    .take(take), .first(first), .index(unused_index), .data(stage_data), .whole(whole),
    .take_q(take_q), .first_q(first_q), .last_q(last_q), .index_q(index_q), .length_q(length_q), .lost_q(lost_q),
    .staged_q(staged_q), .tuser_q(tuser_q), .stamp_q(stamp_q),
    .cnt_rx_frames(cnt_rx_frames), .cnt_drop_not_ready(cnt_drop_not_ready), .cnt_drop_overrun(cnt_drop_overrun)
  );

  assign unused_whole = &whole;

  always_comb begin
    for (int i = 0; i < 64; i++)
      be[511 - 8*i -: 8] = stage_data[8*i +: 8];
  end

  function automatic logic [15:0] word_at(input logic [511:0] octets, input int octet);
    word_at = octets[511 - 8*octet -: 16];
  endfunction

  // ---- The first beat: tags, EtherType, where TCP or ICMP begins -------------------------------------
  // Everything behind the tags stands on 4-octet words w = frame octets 4w+2 .. 4w+5; the network header begins at
  // word 3 + tags, TCP or ICMP at l4_word. All that says so is in the first beat.

  logic        has_tag, svlan;                               // the two octets at 12 are a TPID; it is 0x88a8
  logic [1:0]  tags, tags_q;
  logic [15:0] ethertype, ethertype_q;                      // of the last tag that the frame shows whole
  logic [3:0]  ihl;
  logic [4:0]  l4_word, l4_word_q;
  logic        svlan_q;
  logic [511:0] beat_q;                                     // first octet most significant

  always_comb begin
    svlan = word_at(be, 12) == `HF_TPID_S;
    has_tag = word_at(be, 12) == `HF_TPID_C || svlan;
    tags = !has_tag ? 2'd0 : (word_at(be, 16) == `HF_TPID_C) ? 2'd2 : 2'd1;
    case (tags)
      2'd0: begin
        ethertype = word_at(be, 12);
        ihl = be[511 - 8*14 - 4 -: 4];
      end
      2'd1: begin
        ethertype = word_at(be, whole[8] ? 16 : 12);
        ihl = be[511 - 8*18 - 4 -: 4];
      end
      default: begin
        ethertype = word_at(be, whole[10] ? 20 : 16);
        ihl = be[511 - 8*22 - 4 -: 4];
      end
    endcase
    l4_word = 5'd3 + {3'd0, tags} + ((IP6 != 0 && ethertype == `HF_ETHERTYPE_IPV6) ? 5'd10 : {1'b0, ihl});
  end

  always_ff @(posedge clk) begin
    beat_q <= be;
    if (take && first) begin
      tags_q <= tags;
      svlan_q <= svlan;
      ethertype_q <= ethertype;
      l4_word_q <= l4_word;
    end
  end

  // ---- Header fields, in the cycle after their beat's -------------------------------------------------
  // hdr_*: of the frame whose beat was registered the cycle before. A register may hold another frame's value when
  // this one ends before the field: the conditions on the length, which come first, keep it from being looked at.

  logic               hdr_take_q, hdr_first_q, hdr_last_q, hdr_lost_q, hdr_tuser_q, hdr_svlan_q;
  logic [INDEX_W-1:0] hdr_index_q;
  logic [511:0]       hdr_beat_q;
  logic [13:0]        hdr_length_q;
  logic [10:0]        hdr_staged_q;
  logic [63:0]        hdr_stamp_q;
  logic [47:0]        dst_mac_q, src_mac_q;
  logic [1:0]         hdr_tags_q;
  logic [15:0]        hdr_ethertype_q, outer_q, inner_q;
  logic [4:0]         hdr_l4_word_q;
  logic [319:0]       net_d, net_q;                         // the network header's first 40 octets
  logic [479:0]       l4_q;                                 // the first 60 of TCP or ICMP
  logic [511:0]       turned;                               // the beat, but beginning where TCP does in one
  logic [15:0]        ip_length_d;
  logic [16:0]        l4_end_q;                             // frame octet behind TCP or ICMP

  always_comb begin
    case (tags_q)
      2'd0: net_d = beat_q[511 - 8*14 -: 320];
      2'd1: net_d = beat_q[511 - 8*18 -: 320];
      default: net_d = beat_q[511 - 8*22 -: 320];
    endcase
    ip_length_d = (IP6 != 0 && ethertype_q == `HF_ETHERTYPE_IPV6) ? net_d[287:272] : net_d[303:288];
  end

  logic [15:0]  unused_first;
  logic [495:0] unused_rest;

  assign {unused_first, turned, unused_rest} = {beat_q, beat_q} << {l4_word_q[3:0], 5'd0};

  // In which beat the 16-bit word n of TCP or ICMP is.
  function automatic logic [1:0] l4_beat(input logic [4:0] word, input logic [6:0] n);
    l4_beat = 2'(({1'b0, word, 1'b1} + n) >> 5);
  endfunction

  always_ff @(posedge clk) begin
    if (rst) begin
      hdr_take_q <= 1'b0;
      hdr_last_q <= 1'b0;
    end else begin
      hdr_take_q <= take_q;
      hdr_last_q <= last_q;
    end
    hdr_first_q <= first_q;
    hdr_index_q <= index_q;
    hdr_beat_q <= beat_q;
    if (take_q && first_q) begin
      hdr_stamp_q <= stamp_q;
      dst_mac_q <= beat_q[511 -: 48];
      src_mac_q <= beat_q[511 - 8*6 -: 48];
      outer_q <= word_at(beat_q, 14);
      inner_q <= word_at(beat_q, 18);
      hdr_tags_q <= tags_q;
      hdr_svlan_q <= svlan_q;
      hdr_ethertype_q <= ethertype_q;
      hdr_l4_word_q <= l4_word_q;
      net_q <= net_d;
      l4_end_q <= ((IP6 != 0 && ethertype_q == `HF_ETHERTYPE_IPV6) ? 17'd54 : 17'd14) + {13'd0, tags_q, 2'b00} +
                  {1'b0, ip_length_d};
    end
    if (last_q) begin
      hdr_length_q <= length_q;
      hdr_lost_q <= lost_q;
      hdr_staged_q <= staged_q;
      hdr_tuser_q <= tuser_q;
    end
    if (take_q) begin
      for (int n = 0; n < 30; n++) begin
        if (index_q == INDEX_W'(l4_beat(l4_word_q, 7'(n))))
          l4_q[479 - 16*n -: 16] <= turned[511 - 16*n -: 16];
      end
    end
  end

  // ---- L+2: what the headers say, hash request, cookie request ---------------------------------------

  logic                             ip6, is_tcp, has_tuple, ack_flag, has_hash, has_mac;
  logic [3:0]                       unused_ihl, data_offset;
  logic [15:0]                      unused_ip_length;
  logic [7:0]                       protocol;
  logic [31:0]                      seq, ack;
  logic [13:0]                      l4_begin;               // octet
  logic [`HF_SEGMENT_BITS-1:0]      seg_d;
  logic [`HF_RX_CONDITION_BITS-1:0] conditions_d;

  rx_header #(.MAX_FRAME(MAX_FRAME), .IP6(IP6)) header (
    .valid(hdr_last_q), .dst_mac(dst_mac_q), .src_mac(src_mac_q), .ethertype(hdr_ethertype_q), .tags(hdr_tags_q), .svlan(hdr_svlan_q),
    .outer(outer_q), .inner(inner_q), .net(net_q), .l4(l4_q[479:32]), .l4_end(l4_end_q), .has_hash(has_hash),
    .has_mac(has_mac), .lost(hdr_lost_q), .length(hdr_length_q), .beats(hdr_staged_q), .stamp(hdr_stamp_q),
    .bad_fcs(hdr_tuser_q),
    .ip6(ip6), .ihl(unused_ihl), .ip_length(unused_ip_length), .protocol(protocol), .is_tcp(is_tcp),
    .has_tuple(has_tuple), .tuple(hash_tuple), .seq(seq), .ack(ack), .data_offset(data_offset), .ack_flag(ack_flag),
    .segment(seg_d), .conditions(conditions_d)
  );

  // Behind the ports: octet 4 of TCP, 32 of ICMP, 52 of ICMPv6. Behind the TCP flags: octet 14.
  assign l4_begin = {7'd0, hdr_l4_word_q, 2'b10};
  assign has_hash = has_tuple && hdr_length_q >= l4_begin + (is_tcp ? 14'd4 : ip6 ? 14'd52 : 14'd32);
  assign has_mac = has_tuple && is_tcp && hdr_length_q >= l4_begin + 14'd14;
  assign hash_req = hdr_last_q && has_hash;
  assign hash_ip6 = ip6;
  assign mac_req = hdr_last_q && has_mac;
  assign mac_ip6 = ip6;
  assign mac_tuple = hash_tuple;
  assign mac_seq = seq;
  assign mac_ack = ack;
  assign mac_ack_flag = ack_flag;
  assign mac_epoch = hdr_stamp_q[59:36];

  // ---- Checksums -----------------------------------------------------------------------------------
  // Summed: the IPv4 header; and TCP or ICMP together with the addresses of its pseudo-header, which ICMP
  // over IPv4 does not have, and which are in the first beat.

  logic [4:0]   net_word, addr_begin, addr_end;
  logic [63:0]  from_l4, below_end, addrs, ip_bytes, l4_bytes;
  logic [511:0] hdr_data;                                   // hdr_beat_q, first octet least significant
  logic [15:0]  ip_sum, l4_sum;

  // The bytes of a beat in words from `word` on.
  function automatic logic [63:0] bytes_from(input logic [INDEX_W-1:0] beat, input logic [4:0] word);
    for (int i = 0; i < 64; i++)
      bytes_from[i] = beat[INDEX_W-1:1] != 0 || {1'b0, beat[0], 4'd0} + 6'((i + 2) / 4) > {1'b0, word};
  endfunction

  assign net_word = 5'd3 + {3'd0, hdr_tags_q};
  assign addr_begin = net_word + (ip6 ? 5'd2 : 5'd3);
  assign addr_end = net_word + (ip6 ? 5'd10 : 5'd5);

  always_comb begin
    from_l4 = bytes_from(hdr_index_q, hdr_l4_word_q);
    addrs = bytes_from(0, addr_begin) & ~bytes_from(0, addr_end);
    if (!hdr_first_q || (!ip6 && protocol == `HF_PROTOCOL_ICMP))
      addrs = 64'd0;

    for (int i = 0; i < 64; i++)
      below_end[i] = {2'b00, hdr_index_q} < l4_end_q[16:6] ||
                     ({2'b00, hdr_index_q} == l4_end_q[16:6] && 6'(i) < l4_end_q[5:0]);

    ip_bytes = bytes_from(hdr_index_q, net_word) & ~from_l4;
    l4_bytes = addrs | (from_l4 & below_end);
    for (int i = 0; i < 64; i++)
      hdr_data[8*i +: 8] = hdr_beat_q[511 - 8*i -: 8];
  end

  checksum #(.DATA_W(512)) ip_checksum (
    .clk(clk), .valid(hdr_take_q), .first(hdr_first_q), .data(hdr_data), .bytes(ip_bytes), .sum(ip_sum)
  );

  checksum #(.DATA_W(512)) l4_checksum (
    .clk(clk), .valid(hdr_take_q), .first(hdr_first_q), .data(hdr_data), .bytes(l4_bytes), .sum(l4_sum)
  );

  // ---- L+2 to L+6: options, eight octets per stage -----------------------------------------------------
  // Octets 20 to 59 of TCP. What goes on from stage to stage: the octets to come, behind the eight before; how many
  // octets are options from the stage's first one on; what was found.

  localparam int STEPS = 5;
  localparam int STEP_BITS = 384 + 6 + `HF_RX_OPTIONS_STATE_BITS + `HF_RX_OPTIONS_VALUE_BITS;

  logic [(STEPS+1)*STEP_BITS-1:0]       steps;              // step k in bits from k * STEP_BITS on

  assign steps[STEP_BITS-1:0] = {l4_q[383:0], {data_offset - 4'd5, 2'b00}, {`HF_RX_OPTIONS_STATE_BITS{1'b0}},
                                 {`HF_RX_OPTIONS_VALUE_BITS{1'b0}}};

  generate
    for (genvar k = 0; k < STEPS; k++) begin : g_step
      logic [383:0]                         octets;
      logic [5:0]                           left;
      logic [7:0]                           active;
      logic [`HF_RX_OPTIONS_STATE_BITS-1:0] state, state_d;
      logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] value, value_d;
      logic [STEP_BITS-1:0]                 step_q;

      assign {octets, left, state, value} = steps[k*STEP_BITS +: STEP_BITS];
      always_comb begin
        for (int i = 0; i < 8; i++)
          active[i] = left > 6'(i);
      end

      // Without options all stays as it was.
      rx_options #(.OCTETS(8)) options (
        .clk(clk), .valid(active[0]), .octets(octets[319:256]), .previous(octets[383:320]), .active(active), .behind(left - 6'd1),
        .state_in(state), .value_in(value), .state_out(state_d), .value_out(value_d)
      );

      always_ff @(posedge clk)
        step_q <= {octets[319:0], 64'd0, (left > 6'd8) ? left - 6'd8 : 6'd0, active[0] ? {state_d, value_d} : {state, value}};
      assign steps[(k+1)*STEP_BITS +: STEP_BITS] = step_q;
    end
  endgenerate

  // ---- L+3 to L+8: the descriptor waits; L+8: class and cause, push --------------------------------------

  localparam int DESC_BITS = `HF_SEGMENT_BITS + `HF_RX_CONDITION_BITS;
  localparam int FOUND_BITS = `HF_RX_OPTIONS_STATE_BITS + `HF_RX_OPTIONS_VALUE_BITS;

  logic [5:0]                           last_wait_q;
  logic [6*DESC_BITS-1:0]               desc_wait_q;
  logic [3*32-1:0]                      sums_wait_q;
  logic [FOUND_BITS-1:0]                found_d, found_q;   // by the options' last step
  logic [STEP_BITS-FOUND_BITS-1:0]      unused_octets;
  logic [10:0]                          unused_state;
  logic [`HF_SEGMENT_BITS-1:0]          headers;
  logic [`HF_RX_CONDITION_BITS-1:0]     conditions;
  logic [5:0]                           opt_seen;
  logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] opt_value;
  segment_t                             seg;
  logic [1:0]                           cls;
  logic [4:0]                           cause;

  always_ff @(posedge clk) begin
    if (rst)
      last_wait_q <= 6'd0;
    else
      last_wait_q <= {last_wait_q[4:0], hdr_last_q};
    desc_wait_q <= {desc_wait_q[5*DESC_BITS-1:0], seg_d, conditions_d};
    sums_wait_q <= {sums_wait_q[2*32-1:0], ip_sum, l4_sum};
    found_q <= found_d;
  end

  assign {headers, conditions} = desc_wait_q[5*DESC_BITS +: DESC_BITS];
  assign {unused_octets, found_d} = steps[STEPS*STEP_BITS +: STEP_BITS];
  assign {unused_state, opt_seen, opt_value} = found_q;

  typedef struct packed { `HF_RX_CONDITION_FIELDS } conditions_t;

  /* verilator lint_off UNUSEDSIGNAL */
  conditions_t c;                                             // most of it rx_class looks at
  /* verilator lint_on UNUSEDSIGNAL */
  logic        ip_intact, l4_intact, to_us;

  // The two parts of the sum that must be 16'hffff are each other's complement.
  assign c = conditions;
  assign ip_intact = sums_wait_q[2*32+16 +: 16] == 16'hffff;
  assign l4_intact = sums_wait_q[2*32 +: 16] == ~c.pseudo;
  assign to_us = c.dst_mac == cfg_mac;

  rx_class class_and_cause (
    .conditions(conditions), .ip_intact(ip_intact), .l4_intact(l4_intact), .to_us(to_us), .cfg_enable(cfg_enable),
    .cfg_allow_loopback(cfg_allow_loopback), .cls(cls), .cause(cause)
  );

  always_comb begin
    seg = headers;
    seg.cls = cls;
    seg.cause = cause;
    {seg.mss, seg.ws, seg.tsval, seg.tsecr} = opt_value;
    {seg.opt_bad, seg.mss_ok, seg.ws_ok, seg.ws_clamped, seg.sack_ok, seg.ts_ok} = opt_seen;
  end

  assign seg_push = last_wait_q[5];
  assign seg_data = seg;

endmodule
