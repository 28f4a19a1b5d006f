// SPDX-License-Identifier: Apache-2.0
// rx_parser - one descriptor per received frame: Ethernet II with up to two 802.1Q tags, IPv4 (RFC 791),
// IPv6 (RFC 8200), TCP (RFC 9293 3.1), its options (3.2; RFC 7323, RFC 2018), ICMP and ICMPv6 errors about
// TCP segments (RFC 792, RFC 4443, RFC 5927), all checksums, and the requests for the tuple's hash and the cookie's.
//
// Input   s_axis_rx: 8 bytes per beat, the frame's first byte is tdata[7:0]; tkeep counts on the last
//         beat only, where it is 2^n - 1. Never stalled: there is no tready.
// Output  stage_push, stage_data: the beats to keep in the staging buffer, bytes beyond tkeep 0.
//         hash_req, hash_ip6, hash_tuple: {remote address, local address, remote port, local port}, an
//         IPv4 address in the low 32 bits, the rest 0. Of ICMP: those of the quoted segment, which we sent.
//         mac_req, mac_*: the same tuple with SEG.SEQ, SEG.ACK, the ACK flag and the epoch of the frame's
//         stamp, for the cookie.
//         seg_push, seg_data: the descriptor of regs/segment.def. Addresses, ports and numbers are
//         integers: the first octet on the wire is the most significant one.
// Timing  with L the last beat's cycle the descriptor is pushed in L+1+PARSE_CYCLES; configuration inputs are read
//         in L+2. With 2 cycles or more the checksums take one more, with 8 options are parsed four octets per cycle. A beat is staged in its own cycle. hash_req comes in the cycle after the beat with the
//         last port octet, mac_req in the one after the beat with the TCP flags. One beat per cycle; frames
//         may follow each other without a gap, also frames of one beat. Never stalls: a frame that comes
//         while SEG_DEPTH are in flight (first beat taken, verdict not yet taken by the mover), or before
//         `ready`, is ignored.
//         Reset: the next beat begins a frame, nothing is in flight.
`include "handfast_defs.svh"
`include "rx_defs.svh"

module rx_parser #(
  parameter int MAX_FRAME = 1522,
  parameter int SEG_DEPTH = 16,
  parameter int IP6 = 1,
  parameter int PARSE_CYCLES = 1         // from the checksum's end to the descriptor
) (
  input  logic                        clk,
  input  logic                        rst,

  input  logic                        ready,
  input  logic [63:0]                 time_ns,

  input  logic [63:0]                 s_axis_rx_tdata,
  input  logic [7:0]                  s_axis_rx_tkeep,
  input  logic                        s_axis_rx_tvalid,
  input  logic                        s_axis_rx_tlast,
  input  logic                        s_axis_rx_tuser,

  input  logic                        cfg_enable,
  input  logic                        cfg_allow_loopback,
  input  logic [47:0]                 cfg_mac,              // first octet most significant

  input  logic                        mover_take,           // the mover takes a verdict in this cycle

  output logic                        stage_push,
  output logic [63:0]                 stage_data,
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

  generate
    if (PARSE_CYCLES < 1 || PARSE_CYCLES > 8) begin : g_illegal_cycles
      rx_parser_needs_PARSE_CYCLES_of_1_to_8 illegal ();
    end
  endgenerate

  localparam int INDEX_W = 12;                              // as rx_framing's

  typedef struct packed { `HF_SEGMENT_FIELDS } segment_t;

  // ---- Framing -------------------------------------------------------------------------------------

  logic               take, first, take_q, first_q, last_q, lost_q, tuser_q;
  logic [INDEX_W-1:0] index;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [INDEX_W-1:0] unused_index;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [3:0]         whole;                                // 16-bit words of the beat
  logic [63:0]        be, be_q;                             // the beat, first octet most significant
  logic [13:0]        length_q;
  logic [10:0]        staged_q;
  logic [63:0]        stamp_q;

  rx_framing #(.DATA_W(64), .MAX_FRAME(MAX_FRAME), .SEG_DEPTH(SEG_DEPTH)) framing (
    .clk(clk), .rst(rst), .ready(ready), .time_ns(time_ns),
    .s_axis_rx_tdata(s_axis_rx_tdata), .s_axis_rx_tkeep(s_axis_rx_tkeep), .s_axis_rx_tvalid(s_axis_rx_tvalid),
    .s_axis_rx_tlast(s_axis_rx_tlast), .s_axis_rx_tuser(s_axis_rx_tuser),
    .mover_take(mover_take), .stage_has_space(stage_has_space), .stage_push(stage_push),
    .take(take), .first(first), .index(index), .whole(whole), .data(stage_data),
    .take_q(take_q), .first_q(first_q), .last_q(last_q), .index_q(unused_index), .length_q(length_q), .lost_q(lost_q),
    .staged_q(staged_q), .tuser_q(tuser_q), .stamp_q(stamp_q),
    .cnt_rx_frames(cnt_rx_frames), .cnt_drop_not_ready(cnt_drop_not_ready), .cnt_drop_overrun(cnt_drop_overrun)
  );

  always_comb begin
    for (int i = 0; i < 8; i++)
      be[63 - 8*i -: 8] = stage_data[8*i +: 8];
  end

  // No header reaches beat 31: that is all the beats from there on.
  logic [4:0] near, near_q, near_next_d, near_next_q;

  assign near = first ? 5'd0 : near_next_q;
  assign near_next_d = !s_axis_rx_tvalid ? near_next_q : near == 5'd31 ? 5'd31 : near + 5'd1;
  always_ff @(posedge clk) begin
    near_q <= near;
    near_next_q <= near_next_d;
  end

  // ---- Header fields, each registered at the end of its beat's cycle --------------------------------
  // A register may hold another frame's value when this one ends before the field: the conditions on
  // the length, which come first, keep it from being looked at. So may that of a frame that is ignored.

  logic [47:0] dst_mac_q, src_mac_q;
  logic        tagged_q, svlan_q;                           // the two octets at 12 are a TPID; it is 0x88a8
  logic [15:0] outer_q, inner_q;                            // TCIs
  logic [15:0] ethertype_q;                                 // of the last tag that the frame shows whole
  logic [1:0]  tags, tags_q;

  // Known from beat 2 on; in beat 1 it only says that the network header does not begin there.
  always_comb begin
    case (near)
      5'd1: tags = {1'b0, be[31:16] == `HF_TPID_C || be[31:16] == `HF_TPID_S};
      5'd2: tags = !tagged_q ? 2'd0 : (be[63:48] == `HF_TPID_C) ? 2'd2 : 2'd1;
      default: tags = tags_q;
    endcase
  end

  always_ff @(posedge clk) begin
    if (s_axis_rx_tvalid) begin
      case (near)
        5'd0: begin
          dst_mac_q <= be[63:16];
          src_mac_q[47:32] <= be[15:0];
        end
        5'd1: begin
          src_mac_q[31:0] <= be[63:32];
          ethertype_q <= be[31:16];
          tagged_q <= tags != 0;
          svlan_q <= be[31:16] == `HF_TPID_S;
          outer_q <= be[15:0];
        end
        5'd2: begin
          if (tagged_q && whole[0])
            ethertype_q <= (be[63:48] == `HF_TPID_C && whole[2]) ? be[31:16] : be[63:48];
          inner_q <= be[47:32];
        end
        default: ;
      endcase
      tags_q <= tags;
    end
  end

  // Everything behind the tags stands on 4-octet words w = frame octets 4w+2 .. 4w+5. The network header
  // begins at word 3 + tags, its 16-bit words 0 to 19 are registered, word 0 most significant.
  // With one tag or none in front its word 4k + i comes in the same place of every beat: so does word 4k + i behind TCP's or
  // ICMP's beginning.
  logic [319:0] net_q;
  logic [63:0]  net_words;                                  // words 4k .. 4k+3

  assign net_words = tags[0] ? {be[47:0], be[63:48]} : {be[15:0], be[63:16]};

  always_ff @(posedge clk) begin
    if (s_axis_rx_tvalid) begin
      for (int n = 0; n < 20; n++) begin
        if (near == (tags[0] ? 5'((n + 9) / 4) : 5'((n + 7) / 4) + {4'd0, tags[1]}))
          net_q[319 - 16*n -: 16] <= net_words[63 - 16*(n % 4) -: 16];
      end
    end
  end

  // TCP or ICMP begins at word l4_word: in beat l4_word / 2, at byte 2 of it if that word is even, else at
  // byte 6. With IHL >= 5 this is beat 4 at the earliest, so all that it depends on is this frame's.
  logic        ip6;
  logic [3:0]  ihl;
  logic [4:0]  l4_word_d, l4_word_q;
  logic        l4_even;

  // What it depends on is registered by beat 2, or beat 3 with two tags, two beats before it at least.
  assign l4_word_d = 5'd3 + {3'd0, tags_q} + (ip6 ? 5'd10 : {1'b0, ihl});
  assign l4_even = !l4_word_q[0];

  // Its 16-bit words 0 to 27, word 0 most significant: as far as the quoted sequence number in ICMPv6.
  logic [447:0] l4_q;
  logic [63:0]  l4_words;                                   // words 4k .. 4k+3
  logic [4:0]   l4_beat_q;                                  // beats since that one

  always_ff @(posedge clk) begin
    l4_word_q <= l4_word_d;
    l4_beat_q <= near_next_d - {1'b0, l4_word_d[4:1]};
  end

  assign l4_words = l4_even ? {be[47:0], be[63:48]} : {be[15:0], be[63:16]};

  always_ff @(posedge clk) begin
    if (s_axis_rx_tvalid && near[4:2] != '0) begin
      for (int n = 0; n < 28; n++) begin
        if (l4_beat_q == (l4_even ? 5'((n + 1) / 4) : 5'((n + 3) / 4)))
          l4_q[447 - 16*n -: 16] <= l4_words[63 - 16*(n % 4) -: 16];
      end
    end
  end

  // ---- What the headers say ------------------------------------------------------------------------
  // All of it is right in L+1, and each field as soon as it is registered.

  logic [15:0]                      ip_length;
  logic [7:0]                       protocol;
  logic                             is_tcp, has_tuple, has_hash_q, has_mac_q;
  logic [31:0]                      seq, ack;
  logic [3:0]                       data_offset;
  logic                             ack_flag;
  logic [16:0]                      l4_end_q;               // frame octet behind TCP or ICMP
  logic [`HF_SEGMENT_BITS-1:0]      seg_d;
  logic [`HF_RX_CONDITION_BITS-1:0] conditions_d;

  rx_header #(.MAX_FRAME(MAX_FRAME), .IP6(IP6)) header (
    .valid(last_q), .dst_mac(dst_mac_q), .src_mac(src_mac_q), .ethertype(ethertype_q), .tags(tags_q), .svlan(svlan_q),
    .outer(outer_q), .inner(inner_q), .net(net_q), .l4(l4_q), .l4_end(l4_end_q), .has_hash(has_hash_q),
    .has_mac(has_mac_q), .lost(lost_q), .length(length_q), .beats(staged_q), .stamp(stamp_q), .bad_fcs(tuser_q),
    .ip6(ip6), .ihl(ihl), .ip_length(ip_length), .protocol(protocol), .is_tcp(is_tcp), .has_tuple(has_tuple),
    .tuple(hash_tuple), .seq(seq), .ack(ack), .data_offset(data_offset), .ack_flag(ack_flag),
    .segment(seg_d), .conditions(conditions_d)
  );

  // ---- Hash request, cookie request ----------------------------------------------------------------

  logic               at_ports, at_quoted_ports, at_flags;
  logic               hash_req_d, hash_req_q, mac_req_d, mac_req_q;

  // The last octet of the ports: octet 3 of TCP, 31 of ICMP, 51 of ICMPv6. The TCP flags: octet 13.
  always_comb begin
    at_ports = l4_even ? l4_beat_q == 5'd0 && whole[2] : l4_beat_q == 5'd1 && whole[0];
    if (ip6)
      at_quoted_ports = l4_even ? l4_beat_q == 5'd6 && whole[2] : l4_beat_q == 5'd7 && whole[0];
    else
      at_quoted_ports = l4_beat_q == 5'd4 && (l4_even ? whole[0] : whole[2]);
    at_flags = l4_even ? l4_beat_q == 5'd1 && whole[3] : l4_beat_q == 5'd2 && whole[1];
  end

  assign hash_req_d = take && near[4:2] != '0 && has_tuple && (is_tcp ? at_ports : at_quoted_ports);
  assign mac_req_d = take && near[4:2] != '0 && has_tuple && is_tcp && at_flags;
  assign hash_req = hash_req_q;
  assign hash_ip6 = ip6;
  assign mac_req = mac_req_q;
  assign mac_ip6 = ip6;
  assign mac_tuple = hash_tuple;
  assign mac_seq = seq;
  assign mac_ack = ack;
  assign mac_ack_flag = ack_flag;
  assign mac_epoch = stamp_q[59:36];

  always_ff @(posedge clk) begin
    if (rst) begin
      hash_req_q <= 1'b0;
      mac_req_q <= 1'b0;
    end else begin
      hash_req_q <= hash_req_d;
      mac_req_q <= mac_req_d;
    end
    if (take) begin
      has_hash_q <= hash_req_d || (!first && has_hash_q);
      has_mac_q <= mac_req_d || (!first && has_mac_q);
    end
  end

  // ---- Checksums -----------------------------------------------------------------------------------
  // Summed: the IPv4 header; and TCP or ICMP together with the addresses of its pseudo-header, which ICMP
  // over IPv4 does not have. Where TCP or ICMP ends is known before its first beat.

  // With more than one cycle the beat is looked at in the cycle behind it, when all that there is in it is registered.

  localparam bit LATER = PARSE_CYCLES > 1;

  logic        sum_take, sum_first;
  logic [4:0]  sum_near;
  logic [1:0]  sum_tags;
  logic [63:0] sum_data;
  logic [4:0]  net_word, addr_begin, addr_end;
  logic        no_pseudo;
  logic [7:0]  from_net, from_l4_d, from_l4, below_end, l4_part_d, l4_part, addrs, ip_bytes, l4_bytes;
  logic [15:0] ip_sum, l4_sum;

  always_ff @(posedge clk)
    l4_end_q <= (ip6 ? 17'd54 : 17'd14) + {13'd0, tags_q, 2'b00} + {1'b0, ip_length};

  generate
    if (LATER) begin : g_sum_later
      logic [63:0] data_q;

      always_ff @(posedge clk) begin
        data_q <= stage_data;
        {from_l4, l4_part} <= {from_l4_d, l4_part_d};
      end
      assign {sum_take, sum_first, sum_near, sum_tags} = {take_q, first_q, near_q, tags_q};
      assign sum_data = data_q;
      assign no_pseudo = !ip6 && protocol == `HF_PROTOCOL_ICMP;
    end else begin : g_sum_now
      assign {sum_take, sum_first, sum_near, sum_tags} = {take, first, near, tags};
      assign {from_l4, l4_part} = {from_l4_d, l4_part_d};
      assign sum_data = stage_data;
      // With one tag the protocol comes in the beat in which the addresses begin.
      assign no_pseudo = !ip6 && ((near == 5'd3 && tags == 2'd1) ? be[39:32] : protocol) == `HF_PROTOCOL_ICMP;
    end
  endgenerate

  // The bytes of the beat in words from `word` on. The beat holds the second half of word 2*index - 1,
  // word 2*index and the first half of word 2*index + 1.
  function automatic logic [7:0] bytes_from(input logic [4:0] beat, input logic [5:0] word);
    bytes_from[1:0] = {2{{beat, 1'b0} > word}};
    bytes_from[5:2] = {4{{beat, 1'b0} >= word}};
    bytes_from[7:6] = {2{{beat, 1'b1} >= word}};
  endfunction

  assign net_word = 5'd3 + {3'd0, sum_tags};
  assign addr_begin = net_word + (ip6 ? 5'd2 : 5'd3);
  assign addr_end = net_word + (ip6 ? 5'd10 : 5'd5);

  always_comb begin
    from_net = bytes_from(sum_near, {1'b0, net_word});
    addrs = bytes_from(sum_near, {1'b0, addr_begin}) & ~bytes_from(sum_near, {1'b0, addr_end}) & {8{!no_pseudo}};

    ip_bytes = from_net & ~from_l4;
    l4_bytes = addrs | l4_part;
  end

  // In the beat's own cycle.
  always_comb begin
    from_l4_d = (near[4:2] == '0) ? 8'h00 : bytes_from(near, {1'b0, l4_word_q});
    if ({2'b00, index} == l4_end_q[16:3])
      below_end = ~(8'hff << l4_end_q[2:0]);
    else
      below_end = ({2'b00, index} < l4_end_q[16:3]) ? 8'hff : 8'h00;
    l4_part_d = from_l4_d & below_end;
  end

  checksum ip_checksum (
    .clk(clk), .valid(sum_take), .first(sum_first), .data(sum_data), .bytes(ip_bytes), .sum(ip_sum)
  );

  checksum l4_checksum (
    .clk(clk), .valid(sum_take), .first(sum_first), .data(sum_data), .bytes(l4_bytes), .sum(l4_sum)
  );

  // ---- Options, behind their beat: eight octets per cycle, or four ------------------------------------
  // The header's words begin at l4_word_q.

  localparam bit SERIAL = PARSE_CYCLES == 8;

  /* verilator lint_off UNUSEDSIGNAL */
  logic [63:0] previous_q;                                  // the beat before be_q; its last octets if SERIAL
  /* verilator lint_on UNUSEDSIGNAL */
  logic [4:0]  opt_begin;                                   // words
  logic [5:0]  opt_end;
  logic [`HF_RX_OPTIONS_STATE_BITS-1:0] opt_state_d;
  // fsm_encoding: Yosys would tabulate the transitions of eight steps at once, which takes hours.
  (* fsm_encoding = "none" *)
  logic [`HF_RX_OPTIONS_STATE_BITS-1:0] opt_state_q;
  logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] opt_value_d, opt_value_q;

  always_ff @(posedge clk) begin
    if (s_axis_rx_tvalid)
      be_q <= be;
    if (take_q)
      previous_q <= be_q;
  end

  assign opt_begin = l4_word_q + 5'd5;
  assign opt_end = {1'b0, l4_word_q} + {2'd0, data_offset};

  generate
    if (!SERIAL) begin : g_options
      logic [5:0] opt_behind;
      logic [7:0] opt_active;
      logic       opt_here;

      assign opt_active = bytes_from(near_q, {1'b0, opt_begin}) & ~bytes_from(near_q, opt_end);
      assign opt_behind = {opt_end[3:0], 2'b01} - {near_q[2:0], 3'd0};

      // A beat without options leaves all as it was.
      assign opt_here = take_q && opt_active != 8'd0;

      rx_options #(.OCTETS(8)) options (
        .clk(clk), .valid(opt_here), .octets(be_q), .previous(previous_q), .active(opt_active), .behind(opt_behind),
        .state_in(opt_state_q), .value_in(opt_value_q),
        .state_out(opt_state_d), .value_out(opt_value_d)
      );

      always_ff @(posedge clk) begin
        if (take_q && first_q)
          opt_state_q <= '0;
        if (opt_here) begin
          opt_state_q <= opt_state_d;
          opt_value_q <= opt_value_d;
        end
      end
    end else begin : g_options_serial
      // A beat completes word 2*index - 1, whose first half came in the beat before, and word 2*index. Pairs of them that
      // hold options wait in a queue, and each takes two cycles. A frame has ten words of options in at most six pairs, behind
      // seven beats without: so the queue holds four at most, and the last word of a frame leaves it in L+7 and is done in L+8,
      // before the first one of the next comes.
      logic        pair_push, pair_valid, pair_pop, unused_room;
      logic [6:0]  left;                                    // words to the header's end, from the first of the pair on
      logic [69:0] pair, pair_new;
      logic [63:0] pair_words;
      logic [3:0]  pair_left;
      logic        begins_here, begins_behind, begins, second_q;
      logic        here, here_q;                            // an option's word leaves the queue, has left it
      logic [31:0] word, word_q;
      logic [3:0]  word_behind;                             // words of the header behind it
      logic [63:0] words_q;                                 // the two words before

      assign left = {1'b0, opt_end} - {1'b0, near_q, 1'b0} + 7'd1;
      assign pair_new = {previous_q[15:0], be_q[63:16], left[3:0], {near_q, 1'b0} == {1'b0, opt_begin} + 6'd1,
                         {near_q, 1'b0} == {1'b0, opt_begin}};
      // The second word is not before the options, and the first one not behind them.
      assign pair_push = take_q && near_q >= 5'd7 && {near_q, 1'b0} >= {1'b0, opt_begin} && !left[6] && left != '0 && opt_end > {1'b0, opt_begin};

      fifo_reg #(.WIDTH(70), .DEPTH(4)) pairs (
        .clk(clk), .rst(rst), .push(pair_push), .push_data(pair_new), .has_room(unused_room),
        .valid(pair_valid), .head(pair), .pop(pair_pop)
      );

      assign {pair_words, pair_left, begins_here, begins_behind} = pair;
      assign pair_pop = pair_valid && second_q;
      assign word = second_q ? pair_words[31:0] : pair_words[63:32];
      assign word_behind = pair_left - (second_q ? 4'd2 : 4'd1);
      assign begins = second_q ? begins_behind : begins_here;
      assign here = pair_valid && (second_q ? pair_left != 4'd1 : !begins_behind);

      always_ff @(posedge clk) begin
        if (rst)
          second_q <= 1'b0;
        else if (pair_valid)
          second_q <= !second_q;
        here_q <= here && !rst;
        word_q <= word;
      end

      rx_options #(.OCTETS(4), .LATER(1)) options (
        .clk(clk), .valid(here_q), .octets(word), .previous(words_q), .active(4'hf), .behind({word_behind, 2'd3}),
        .state_in(opt_state_q), .value_in(opt_value_q), .state_out(opt_state_d), .value_out(opt_value_d)
      );

      always_ff @(posedge clk) begin
        if (here && begins)
          opt_state_q <= '0;
        if (here_q) begin
          words_q <= {words_q[31:0], word_q};
          opt_state_q <= opt_state_d;
          opt_value_q <= opt_value_d;
        end
      end
    end
  endgenerate

  // ---- L+2 and later: checksums, options and configuration, class and cause, push ----------------------

  typedef struct packed { `HF_RX_CONDITION_FIELDS } conditions_t;

  localparam int LINE = PARSE_CYCLES > 1 ? PARSE_CYCLES - 1 : 1;    // cycles from L+2 to a later push
  localparam int WAITS = PARSE_CYCLES > 3 ? PARSE_CYCLES - 3 : 1;   // cycles from the class to a push that is later still
  localparam int ANY_BITS = 92;                             // what the host needs of any frame

  logic                                 last_1q;            // it is L+2 of a frame
  segment_t                             seg_q, seg;         // as of L+1
  conditions_t                          conditions_q;
  // With PARSE_CYCLES of more than 1. (Members of what a generate block declares are beyond Yosys 0.23.)
  /* verilator lint_off UNUSEDSIGNAL */
  segment_t                             waiting_q;
  conditions_t                          conditions_1q;
  /* verilator lint_on UNUSEDSIGNAL */
  logic                                 to_us;
  logic [`HF_RX_CONDITION_BITS-1:0]     class_conditions;
  logic                                 class_ip_intact, class_l4_intact, class_to_us, class_enable, class_loopback;
  logic [1:0]                           cls;
  logic [4:0]                           cause;

  always_ff @(posedge clk) begin
    if (rst)
      last_1q <= 1'b0;
    else
      last_1q <= last_q;
    if (last_q) begin
      seg_q <= seg_d;
      conditions_q <= conditions_d;
    end
  end

  assign to_us = conditions_q.dst_mac == cfg_mac;

  rx_class class_and_cause (
    .conditions(class_conditions), .ip_intact(class_ip_intact), .l4_intact(class_l4_intact), .to_us(class_to_us),
    .cfg_enable(class_enable), .cfg_allow_loopback(class_loopback), .cls(cls), .cause(cause)
  );

  generate
    if (PARSE_CYCLES == 1) begin : g_push
      // The two parts of the sum that must be 16'hffff are each other's complement.
      assign class_conditions = conditions_q;
      assign class_ip_intact = ip_sum == 16'hffff;
      assign class_l4_intact = l4_sum == ~conditions_q.pseudo;
      assign {class_to_us, class_enable, class_loopback} = {to_us, cfg_enable, cfg_allow_loopback};

      always_comb begin
        if (last_1q) begin
          seg = seg_q;
          seg.cls = cls;
          seg.cause = cause;
          {seg.mss, seg.ws, seg.tsval, seg.tsecr} = opt_value_q;
          {seg.opt_bad, seg.mss_ok, seg.ws_ok, seg.ws_clamped, seg.sack_ok, seg.ts_ok} = opt_state_q[5:0];
        end else begin
          seg = 'x;
        end
      end

      assign seg_push = last_1q;
      assign seg_data = seg;
    end else begin : g_push_later
      // L+3: the sums; L+4: class and cause, with two cycles at once. These, and what the host needs of any frame, go down
      // lines of registers. What only SEG and ICMP need waits in one place, taken over at the end of L+2: such a frame
      // is seven beats long at least, so the next one takes it after L+8.
      logic                     long_q, has_options_q, waiting_options_q;
      logic                     to_us_q, enable_q, loopback_q, ip_intact, l4_intact;
      logic [ANY_BITS*LINE-1:0] any_q;                      // the oldest topmost
      logic [LINE-1:0]          push_q;
      logic [6:0]               class_late;                 // cls and cause, in the cycle of the push

      always_ff @(posedge clk) begin
        if (last_q) begin
          long_q <= near_q >= 5'd6;
          has_options_q <= data_offset > 4'd5;
        end
        if (last_1q && long_q) begin
          waiting_q <= seg_q;
          waiting_options_q <= has_options_q;
          if (!SERIAL) begin
            {waiting_q.mss, waiting_q.ws, waiting_q.tsval, waiting_q.tsecr} <= opt_value_q;
            {waiting_q.opt_bad, waiting_q.mss_ok, waiting_q.ws_ok, waiting_q.ws_clamped, waiting_q.sack_ok,
             waiting_q.ts_ok} <= opt_state_q[5:0];
          end
        end
        conditions_1q <= conditions_q;
        {to_us_q, enable_q, loopback_q} <= {to_us, cfg_enable, cfg_allow_loopback};
        any_q[ANY_BITS-1:0] <= {seg_q.has_hash, seg_q.has_mac, seg_q.lost, seg_q.length, seg_q.beats, seg_q.stamp};
        for (int i = 1; i < LINE; i++)
          any_q[ANY_BITS*i +: ANY_BITS] <= any_q[ANY_BITS*(i-1) +: ANY_BITS];
        push_q[0] <= last_1q && !rst;
        for (int i = 1; i < LINE; i++)
          push_q[i] <= push_q[i-1] && !rst;
      end

      // The two parts of the sum that must be 16'hffff are each other's complement.
      assign ip_intact = ip_sum == 16'hffff;
      assign l4_intact = l4_sum == ~conditions_1q.pseudo;

      if (PARSE_CYCLES == 2) begin : g_class_at_once
        assign class_conditions = conditions_1q;
        assign {class_ip_intact, class_l4_intact} = {ip_intact, l4_intact};
        assign {class_to_us, class_enable, class_loopback} = {to_us_q, enable_q, loopback_q};
      end else begin : g_class_behind
        logic [`HF_RX_CONDITION_BITS-1:0] conditions_2q;
        logic ip_intact_q, l4_intact_q, to_us_1q, enable_1q, loopback_1q;

        always_ff @(posedge clk) begin
          conditions_2q <= conditions_1q;
          {ip_intact_q, l4_intact_q} <= {ip_intact, l4_intact};
          {to_us_1q, enable_1q, loopback_1q} <= {to_us_q, enable_q, loopback_q};
        end
        assign class_conditions = conditions_2q;
        assign {class_ip_intact, class_l4_intact} = {ip_intact_q, l4_intact_q};
        assign {class_to_us, class_enable, class_loopback} = {to_us_1q, enable_1q, loopback_1q};
      end

      if (PARSE_CYCLES < 4) begin : g_class_now
        assign class_late = {cls, cause};
      end else begin : g_class_late
        logic [7*WAITS-1:0] class_q;

        always_ff @(posedge clk) begin
          class_q[6:0] <= {cls, cause};
          for (int i = 1; i < WAITS; i++)
            class_q[7*i +: 7] <= class_q[7*(i-1) +: 7];
        end
        assign class_late = class_q[7*WAITS-1 -: 7];
      end

      always_comb begin
        seg = waiting_q;
        {seg.has_hash, seg.has_mac, seg.lost, seg.length, seg.beats, seg.stamp} = any_q[ANY_BITS*LINE-1 -: ANY_BITS];
        {seg.cls, seg.cause} = class_late;
        if (SERIAL) begin
          {seg.mss, seg.ws, seg.tsval, seg.tsecr} = opt_value_q;
          {seg.opt_bad, seg.mss_ok, seg.ws_ok, seg.ws_clamped, seg.sack_ok, seg.ts_ok} =
            opt_state_q[5:0] & {6{waiting_options_q}};
        end
      end

      assign seg_push = push_q[LINE-1];
      assign seg_data = seg;
    end
  endgenerate

endmodule
