// SPDX-License-Identifier: Apache-2.0
// rx_parser - one descriptor per received frame: Ethernet II with up to two 802.1Q tags, IPv4 (RFC 791),
// IPv6 (RFC 8200), TCP (RFC 9293 3.1), its options (3.2; RFC 7323, RFC 2018), ICMP and ICMPv6 errors about
// TCP segments (RFC 792, RFC 4443, RFC 5927), all checksums, and the requests for the tuple's hash and
//         the cookie's.
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
// Timing  with L the last beat's cycle the descriptor is pushed in L+2; configuration inputs are read
//         in L+2. A beat is staged in its own cycle. hash_req comes in the cycle after the beat with the
//         last port octet, mac_req in the one after the beat with the TCP flags. One beat per cycle; frames may follow each other without a gap, also
//         frames of one beat. Never stalls: a frame that comes while SEG_DEPTH are in flight (first
//         beat taken, verdict not yet taken by the mover), or before `ready`, is ignored.
//         Reset: the next beat begins a frame, nothing is in flight.
`include "handfast_defs.svh"

module rx_parser #(
  parameter int MAX_FRAME = 1522,
  parameter int SEG_DEPTH = 16
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
    if (MAX_FRAME < 60 || MAX_FRAME > 16376) begin : g_illegal_frame
      rx_parser_needs_MAX_FRAME_of_60_to_16376 illegal ();
    end
    if (SEG_DEPTH < 1) begin : g_illegal_depth
      rx_parser_needs_SEG_DEPTH_of_at_least_1 illegal ();
    end
  endgenerate

  localparam int INFLIGHT_W = $clog2(SEG_DEPTH + 1);
  localparam logic [11:0] MAX_BEATS = 12'((MAX_FRAME + 7) / 8);
  localparam logic [11:0] INDEX_END = 12'd2048;             // beat index saturates here: 16,384 bytes
  localparam logic [13:0] LENGTH_END = 14'd16383;

  typedef struct packed { `HF_SEGMENT_FIELDS } segment_t;

  // ---- Framing: which beat of which frame this is, and whether the frame is ignored -----------------

  logic                  in_frame_q, ignored_q, lost_q;
  logic [INFLIGHT_W-1:0] inflight_q;
  logic [11:0]           next_index_q;
  logic [10:0]           staged_q;

  logic                  first, overrun, ignored, take, take_last;
  logic [11:0]           index;
  logic                  lost, no_space;
  logic [10:0]           staged;
  logic [7:0]            keep;
  logic [63:0]           be;                                // the beat, first octet most significant

  assign first = s_axis_rx_tvalid && !in_frame_q;
  assign overrun = inflight_q == INFLIGHT_W'(SEG_DEPTH);
  assign ignored = in_frame_q ? ignored_q : !ready || overrun;
  assign take = s_axis_rx_tvalid && !ignored;
  assign take_last = take && s_axis_rx_tlast;
  assign index = in_frame_q ? next_index_q : 12'd0;
  assign lost = in_frame_q && lost_q;
  assign staged = in_frame_q ? staged_q : 11'd0;
  assign keep = s_axis_rx_tlast ? s_axis_rx_tkeep : 8'hff;

  assign cnt_rx_frames = first;
  assign cnt_drop_not_ready = first && !ready;
  assign cnt_drop_overrun = first && ready && overrun;

  assign stage_push = take && index < MAX_BEATS && !lost && stage_has_space;
  assign no_space = take && index < MAX_BEATS && !stage_has_space;

  always_comb begin
    for (int i = 0; i < 8; i++) begin
      be[63 - 8*i -: 8] = s_axis_rx_tdata[8*i +: 8];
      stage_data[8*i +: 8] = s_axis_rx_tdata[8*i +: 8] & {8{keep[i]}};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      in_frame_q <= 1'b0;
      inflight_q <= 0;
    end else begin
      if (s_axis_rx_tvalid)
        in_frame_q <= !s_axis_rx_tlast;
      if (first && take && !mover_take)
        inflight_q <= inflight_q + 1'b1;
      else if (mover_take && !(first && take))
        inflight_q <= inflight_q - 1'b1;
    end
    if (s_axis_rx_tvalid) begin
      ignored_q <= ignored;
      next_index_q <= (index == INDEX_END) ? INDEX_END : index + 1'b1;
      lost_q <= lost || no_space;
      staged_q <= staged + {10'd0, stage_push};
    end
  end

  // ---- Header fields, each registered at the end of its beat's cycle --------------------------------
  // A register may hold another frame's value when this one ends before the field: the conditions on
  // the length, which come first, keep it from being looked at.

  localparam logic [15:0] TPID_C = 16'h8100, TPID_S = 16'h88a8, IPV4 = 16'h0800, IPV6 = 16'h86dd;
  localparam logic [7:0] TCP = 8'd6, ICMP4 = 8'd1, ICMP6 = 8'd58;

  logic [47:0] dst_mac_q, src_mac_q;
  logic [63:0] stamp_q;
  logic        tagged_q, svlan_q;                           // the two octets at 12 are a TPID; it is 0x88a8
  logic [15:0] outer_q, inner_q;                            // TCIs
  logic [15:0] ethertype_q;                                 // of the last tag that the frame shows whole
  logic [1:0]  tags, tags_q;

  // Known from beat 2 on; in beat 1 it only says that the network header does not begin there.
  always_comb begin
    case (index)
      12'd1: tags = {1'b0, be[31:16] == TPID_C || be[31:16] == TPID_S};
      12'd2: tags = !tagged_q ? 2'd0 : (be[63:48] == TPID_C) ? 2'd2 : 2'd1;
      default: tags = tags_q;
    endcase
  end

  always_ff @(posedge clk) begin
    if (take) begin
      case (index)
        12'd0: begin
          stamp_q <= time_ns;
          dst_mac_q <= be[63:16];
          src_mac_q[47:32] <= be[15:0];
        end
        12'd1: begin
          src_mac_q[31:0] <= be[63:32];
          ethertype_q <= be[31:16];
          tagged_q <= tags != 0;
          svlan_q <= be[31:16] == TPID_S;
          outer_q <= be[15:0];
        end
        12'd2: begin
          if (tagged_q && keep[1])
            ethertype_q <= (be[63:48] == TPID_C && keep[5]) ? be[31:16] : be[63:48];
          inner_q <= be[47:32];
        end
        default: ;
      endcase
      tags_q <= tags;
    end
  end

  // Everything behind the tags stands on 4-octet words w = frame octets 4w+2 .. 4w+5. The network header
  // begins at word 3 + tags, its 16-bit words 0 to 19 are registered, word 0 most significant.
  logic [319:0] net_q;

  always_ff @(posedge clk) begin
    if (take) begin
      for (int n = 0; n < 20; n++) begin
        if (!tags[0] && index == 12'((n + 7) / 4) + {11'd0, tags[1]})
          net_q[319 - 16*n -: 16] <= be[63 - 16*((n + 3) % 4) -: 16];
        if (tags[0] && index == 12'((n + 9) / 4))
          net_q[319 - 16*n -: 16] <= be[63 - 16*((n + 1) % 4) -: 16];
      end
    end
  end

  logic         ip6;
  logic [3:0]   version, ihl;
  logic [7:0]   unused_traffic;
  logic [15:0]  ip_length;                                  // IPv4: total length; IPv6: payload length
  logic [13:0]  fragment;                                   // IPv4: MF and the offset
  logic [7:0]   protocol;
  logic [127:0] src_addr, dst_addr;

  assign ip6 = ethertype_q == IPV6;
  assign {version, ihl, unused_traffic} = net_q[319:304];
  assign ip_length = ip6 ? net_q[287:272] : net_q[303:288];
  assign fragment = net_q[269:256];
  assign protocol = ip6 ? net_q[271:264] : net_q[247:240];
  assign src_addr = ip6 ? net_q[255:128] : {96'd0, net_q[223:192]};
  assign dst_addr = ip6 ? net_q[127:0] : {96'd0, net_q[191:160]};

  // TCP or ICMP begins at word l4_word: in beat l4_index, at byte 2 of it if that word is even, else at
  // byte 6. With IHL >= 5 this is beat 4 at the earliest, so all that it depends on is this frame's.
  logic [4:0]  l4_word;
  logic [11:0] l4_index;
  logic        l4_even;

  assign l4_word = 5'd3 + {3'd0, tags_q} + (ip6 ? 5'd10 : {1'b0, ihl});
  assign l4_index = {8'd0, l4_word[4:1]};
  assign l4_even = !l4_word[0];

  // Its 16-bit words 0 to 27, word 0 most significant: as far as the quoted sequence number in ICMPv6.
  logic [447:0] l4_q;

  always_ff @(posedge clk) begin
    if (take) begin
      for (int n = 0; n < 28; n++) begin
        if (l4_even && index == l4_index + 12'((n + 1) / 4))
          l4_q[447 - 16*n -: 16] <= be[63 - 16*((n + 1) % 4) -: 16];
        if (!l4_even && index == l4_index + 12'((n + 3) / 4))
          l4_q[447 - 16*n -: 16] <= be[63 - 16*((n + 3) % 4) -: 16];
      end
    end
  end

  logic [15:0] src_port, dst_port, wnd;
  logic [31:0] seq, ack;
  logic [3:0]  data_offset;
  logic [2:0]  unused_reserved;
  logic [8:0]  flags;
  assign {src_port, dst_port, seq, ack} = l4_q[447:352];
  assign {data_offset, unused_reserved, flags, wnd} = l4_q[351:320];

  // ICMP: the quote begins at octet 8.
  logic [7:0]   icmp_type, icmp_code;
  logic [127:0] quote_src_addr, quote_dst_addr;
  logic [15:0]  quote_src_port, quote_dst_port;
  logic [31:0]  quote_seq;
  logic         quote_is_tcp;

  assign {icmp_type, icmp_code} = l4_q[447:432];
  always_comb begin
    if (ip6) begin
      quote_is_tcp = l4_q[383:380] == 4'd6 && l4_q[335:328] == TCP;
      {quote_src_addr, quote_dst_addr, quote_src_port, quote_dst_port, quote_seq} = l4_q[319:0];
    end else begin
      quote_is_tcp = l4_q[383:376] == 8'h45 && l4_q[332:320] == 0 && l4_q[311:304] == TCP;
      quote_src_addr = {96'd0, l4_q[287:256]};
      quote_dst_addr = {96'd0, l4_q[255:224]};
      {quote_src_port, quote_dst_port, quote_seq} = l4_q[223:160];
    end
  end

  // ---- Hash request, cookie request ----------------------------------------------------------------

  logic        is_ip, is_whole, is_tcp, is_icmp, at_ports, at_quoted_ports, at_flags;
  logic        hash_req_d, hash_req_q, has_hash_q, mac_req_d, mac_req_q, has_mac_q;
  logic [11:0] l4_beat;                                     // beats since l4_index

  assign is_ip = ip6 ? version == 4'd6 : ethertype_q == IPV4 && version == 4'd4 && ihl >= 4'd5;
  assign is_whole = ip6 || fragment == 0;                   // MF = 0 and offset = 0
  assign is_tcp = protocol == TCP;
  assign is_icmp = protocol == (ip6 ? ICMP6 : ICMP4);

  // The last octet of the ports: octet 3 of TCP, 31 of ICMP, 51 of ICMPv6. The TCP flags: octet 13.
  assign l4_beat = index - l4_index;
  always_comb begin
    at_ports = l4_even ? l4_beat == 12'd0 && keep[5] : l4_beat == 12'd1 && keep[1];
    if (ip6)
      at_quoted_ports = l4_even ? l4_beat == 12'd6 && keep[5] : l4_beat == 12'd7 && keep[1];
    else
      at_quoted_ports = l4_beat == 12'd4 && (l4_even ? keep[1] : keep[5]);
    at_flags = l4_even ? l4_beat == 12'd1 && keep[7] : l4_beat == 12'd2 && keep[3];
  end

  assign hash_req_d = take && is_ip && is_whole && ((is_tcp && at_ports) || (is_icmp && at_quoted_ports));
  assign mac_req_d = take && is_ip && is_whole && is_tcp && at_flags;
  assign hash_req = hash_req_q;
  assign hash_ip6 = ip6;
  assign hash_tuple = is_icmp ? {quote_dst_addr, quote_src_addr, quote_dst_port, quote_src_port}
                              : {src_addr, dst_addr, src_port, dst_port};
  assign mac_req = mac_req_q;
  assign mac_ip6 = ip6;
  assign mac_tuple = hash_tuple;
  assign mac_seq = seq;
  assign mac_ack = ack;
  assign mac_ack_flag = flags[4];
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

  logic [4:0]  net_word, addr_begin, addr_end;
  logic        no_pseudo;
  logic [16:0] l4_end_q;                                    // frame octet behind it
  logic [7:0]  from_net, from_l4, below_end, addrs, ip_bytes, l4_bytes;
  logic [15:0] ip_sum, l4_sum;

  always_ff @(posedge clk)
    l4_end_q <= (ip6 ? 17'd54 : 17'd14) + {13'd0, tags_q, 2'b00} + {1'b0, ip_length};

  // The bytes of the beat in words from `word` on. The beat holds the second half of word 2*index - 1,
  // word 2*index and the first half of word 2*index + 1.
  function automatic logic [7:0] bytes_from(input logic [11:0] beat, input logic [5:0] word);
    bytes_from[1:0] = {2{{beat, 1'b0} > {7'd0, word}}};
    bytes_from[5:2] = {4{{beat, 1'b0} >= {7'd0, word}}};
    bytes_from[7:6] = {2{{beat, 1'b1} >= {7'd0, word}}};
  endfunction

  assign net_word = 5'd3 + {3'd0, tags};
  assign addr_begin = net_word + (ip6 ? 5'd2 : 5'd3);
  assign addr_end = net_word + (ip6 ? 5'd10 : 5'd5);
  // With one tag the protocol comes in the beat in which the addresses begin.
  assign no_pseudo = !ip6 && ((index == 12'd3 && tags == 2'd1) ? be[39:32] : protocol) == ICMP4;

  always_comb begin
    from_net = bytes_from(index, {1'b0, net_word});
    from_l4 = (index < 12'd4) ? 8'h00 : bytes_from(index, {1'b0, l4_word});
    addrs = bytes_from(index, {1'b0, addr_begin}) & ~bytes_from(index, {1'b0, addr_end}) & {8{!no_pseudo}};

    if ({2'b00, index} == l4_end_q[16:3])
      below_end = ~(8'hff << l4_end_q[2:0]);
    else
      below_end = ({2'b00, index} < l4_end_q[16:3]) ? 8'hff : 8'h00;

    ip_bytes = from_net & ~from_l4;
    l4_bytes = addrs | (from_l4 & below_end);
  end

  checksum ip_checksum (
    .clk(clk), .valid(take), .first(first), .data(s_axis_rx_tdata), .bytes(ip_bytes), .sum(ip_sum)
  );

  checksum l4_checksum (
    .clk(clk), .valid(take), .first(first), .data(s_axis_rx_tdata), .bytes(l4_bytes), .sum(l4_sum)
  );

  // ---- Options, one cycle behind the beat: eight octets per cycle ------------------------------------
  // The header's words begin at l4_word.

  localparam logic [1:0] KIND = 2'd0, LEN = 2'd1, BODY = 2'd2, STOP = 2'd3;
  localparam logic [2:0] OTHER = 3'd0, MSS = 3'd1, WS = 3'd2, SACK = 3'd3, TS = 3'd4;

  logic        take_q, first_q;
  logic [11:0] index_q;
  logic [63:0] be_q, before_q;                              // the beat and the one before it
  logic [4:0]  opt_begin;                                   // words
  logic [5:0]  opt_end;
  logic [7:0]  active;

  always_ff @(posedge clk) begin
    if (rst)
      take_q <= 1'b0;
    else
      take_q <= take;
    first_q <= first;
    index_q <= index;
    if (take)
      be_q <= be;
    if (take_q)
      before_q <= be_q;
  end

  assign opt_begin = l4_word + 5'd5;
  assign opt_end = {1'b0, l4_word} + {2'd0, data_offset};
  assign active = bytes_from(index_q, {1'b0, opt_begin}) & ~bytes_from(index_q, opt_end);

  // What each octet is, if it is a kind or a length: apart from the automaton, whose chain is long.
  // after[6*i +: 6]: octets of the header behind octet i, right where it is active.
  logic [47:0] after;
  logic [7:0]  is_end, is_nop, is_final, len_bad, len_2, len_3, len_4, len_10;
  logic [23:0] kind_class;

  always_comb begin
    for (int i = 0; i < 8; i++) begin
      after[6*i +: 6] = {opt_end[3:0], 2'b01} - {index_q[2:0], 3'(i)};
      is_end[i] = be_q[63 - 8*i -: 8] == 8'd0;
      is_nop[i] = be_q[63 - 8*i -: 8] == 8'd1;
      is_final[i] = after[6*i +: 6] == 0;
      len_bad[i] = be_q[63 - 8*i -: 8] < 8'd2 || be_q[63 - 8*i -: 8] > 8'd2 + {2'b00, after[6*i +: 6]};
      len_2[i] = be_q[63 - 8*i -: 8] == 8'd2;
      len_3[i] = be_q[63 - 8*i -: 8] == 8'd3;
      len_4[i] = be_q[63 - 8*i -: 8] == 8'd4;
      len_10[i] = be_q[63 - 8*i -: 8] == 8'd10;
      case (be_q[63 - 8*i -: 8])
        8'd2: kind_class[3*i +: 3] = MSS;
        8'd3: kind_class[3*i +: 3] = WS;
        8'd4: kind_class[3*i +: 3] = SACK;
        8'd8: kind_class[3*i +: 3] = TS;
        default: kind_class[3*i +: 3] = OTHER;
      endcase
    end
  end

  // The automaton. A class that does not fit its length becomes OTHER: skipped by its length. An
  // option takes effect at its last octet; a length that does not fit never gets there.
  // fsm_encoding: Yosys would tabulate the transitions of eight steps at once, which takes hours.
  logic [1:0] opt_state;
  logic [2:0] opt_class;
  (* fsm_encoding = "none" *)
  logic [1:0] opt_state_q;
  (* fsm_encoding = "none" *)
  logic [2:0] opt_class_q;
  logic [5:0] opt_left, opt_left_q;                         // body octets to come
  logic       opt_bad, opt_bad_q;
  logic [7:0] mss_at, ws_at, sack_at, ts_at;                // the octet that completes such an option

  always_comb begin
    opt_state = first_q ? KIND : opt_state_q;
    opt_class = opt_class_q;
    opt_left = opt_left_q;
    opt_bad = !first_q && opt_bad_q;
    mss_at = 8'h00;
    ws_at = 8'h00;
    sack_at = 8'h00;
    ts_at = 8'h00;
    for (int i = 0; i < 8; i++) begin
      if (active[i]) begin
        case (opt_state)
          KIND: begin
            opt_class = kind_class[3*i +: 3];
            if (is_end[i]) begin
              opt_state = STOP;
            end else if (!is_nop[i]) begin
              opt_state = is_final[i] ? STOP : LEN;
              opt_bad = is_final[i];
            end
          end
          LEN: begin
            opt_left = be_q[56 - 8*i +: 6] - 6'd2;
            sack_at[i] = opt_class == SACK && len_2[i];
            if ((opt_class == MSS && !len_4[i]) || (opt_class == WS && !len_3[i]) || (opt_class == TS && !len_10[i]))
              opt_class = OTHER;
            opt_state = len_bad[i] ? STOP : len_2[i] ? KIND : BODY;
            opt_bad = len_bad[i];
          end
          BODY: begin
            if (opt_left == 6'd1) begin
              opt_state = KIND;
              mss_at[i] = opt_class == MSS;
              ws_at[i] = opt_class == WS;
              ts_at[i] = opt_class == TS;
            end
            opt_left = opt_left - 1'b1;
          end
          default: ;
        endcase
      end
    end
  end

  logic        mss_ok_q, ws_ok_q, ws_clamped_q, sack_ok_q, ts_ok_q;
  logic [15:0] mss_d, mss_q;
  logic [7:0]  ws_d;
  logic [3:0]  ws_q;
  logic [63:0] ts_d, ts_q;                                  // {TSval, TSecr}
  logic [127:0] window;

  // The last option of a kind counts, so the last completing octet wins.
  assign window = {before_q, be_q};

  always_comb begin
    mss_d = mss_q;
    ws_d = 8'd0;
    ts_d = ts_q;
    for (int i = 0; i < 8; i++) begin
      if (mss_at[i])
        mss_d = window[56 - 8*i +: 16];
      if (ws_at[i])
        ws_d = window[56 - 8*i +: 8];
      if (ts_at[i])
        ts_d = window[56 - 8*i +: 64];
    end
  end

  always_ff @(posedge clk) begin
    if (take_q) begin
      opt_state_q <= opt_state;
      opt_class_q <= opt_class;
      opt_left_q <= opt_left;
      opt_bad_q <= opt_bad;
      mss_ok_q <= (!first_q && mss_ok_q) || mss_at != 0;
      ws_ok_q <= (!first_q && ws_ok_q) || ws_at != 0;
      sack_ok_q <= (!first_q && sack_ok_q) || sack_at != 0;
      ts_ok_q <= (!first_q && ts_ok_q) || ts_at != 0;
      mss_q <= mss_d;
      ts_q <= ts_d;
      if (ws_at != 0) begin
        ws_q <= (ws_d > 8'd14) ? 4'd14 : ws_d[3:0];
        ws_clamped_q <= ws_d > 8'd14;
      end else if (first_q) begin
        ws_clamped_q <= 1'b0;
      end
    end
  end

  // ---- L+1: the conditions that need no checksum and no register of the host -------------------------

  logic        last_q, tuser_q;
  logic [13:0] length_d, length_q;
  logic [3:0]  octets;                                      // octets of the last beat
  logic [15:0] header_octets, l4_len, offset_octets;
  logic [13:0] net_begin;                                   // octet

  always_comb begin
    octets = 4'd0;
    for (int i = 0; i < 8; i++)
      octets = octets + {3'd0, keep[i]};
    length_d = (index == INDEX_END || (&index[10:0] && octets[3])) ? LENGTH_END : {index[10:0], 3'd0} + {10'd0, octets};
  end

  always_ff @(posedge clk) begin
    if (rst)
      last_q <= 1'b0;
    else
      last_q <= take_last;
    if (take_last) begin
      tuser_q <= s_axis_rx_tuser;
      length_q <= length_d;
    end
  end

  assign net_begin = 14'd14 + {10'd0, tags_q, 2'b00};
  assign header_octets = {10'd0, ihl, 2'b00};
  assign l4_len = ip6 ? ip_length : ip_length - header_octets;
  assign offset_octets = {10'd0, data_offset, 2'b00};

  segment_t    seg_d, seg_q;                                // of the frame in L+2
  logic        push_q;
  logic [47:0] l2_dst_mac_q;
  logic        bad_fcs_q, too_long_q, runt_q, not_ip_q, ip6_q, malformed_q, other_q, fragment_drop_q, fragment_host_q;
  logic        is_icmp_q, icmp_error_d, icmp_error_q, tcp_malformed_q, martian_q, loopback_q;
  logic [16:0] pseudo_q;                                    // the rest of the pseudo-header: protocol and length

  function automatic logic never_an_endpoint(input logic is_ip6, input logic [127:0] addr);
    never_an_endpoint = addr == 0 || (is_ip6 ? addr[127:120] == 8'hff
                                             : addr[31:28] == 4'he || addr[31:0] == 32'hffff_ffff);
  endfunction

  function automatic logic is_loopback(input logic is_ip6, input logic [127:0] addr);
    is_loopback = is_ip6 ? addr == 128'd1 : addr[31:24] == 8'd127;
  endfunction

  // RFC 5927: an error about a TCP segment, quoted as far as its sequence number. Not one that tells of a
  // smaller MTU: those are the host's.
  always_comb begin
    if (ip6)
      icmp_error_d = l4_len >= 16'd56 && (icmp_type == 8'd1 || icmp_type == 8'd3 || icmp_type == 8'd4);
    else
      icmp_error_d = l4_len >= 16'd36 && ((icmp_type == 8'd3 && icmp_code != 8'd4) || icmp_type == 8'd11 ||
                                          icmp_type == 8'd12);
    if (!quote_is_tcp)
      icmp_error_d = 1'b0;
  end

  always_comb begin
    seg_d = '0;
    seg_d.has_hash = has_hash_q;
    seg_d.has_mac = has_mac_q;
    seg_d.lost = lost_q;
    seg_d.length = length_q;
    seg_d.beats = staged_q;
    seg_d.stamp = stamp_q;
    seg_d.vlan_tags = tags_q;
    seg_d.vlan_svlan = tags_q != 0 && svlan_q;
    seg_d.vlan_outer = (tags_q != 0) ? outer_q : 16'd0;
    seg_d.vlan_inner = tags_q[1] ? inner_q : 16'd0;
    seg_d.src_mac = src_mac_q;
    seg_d.ip6 = ip6;
    seg_d.hard = ip6 ? icmp_type == 8'd1 && icmp_code == 8'd4
                     : icmp_type == 8'd3 && (icmp_code == 8'd2 || icmp_code == 8'd3);
    {seg_d.src_addr, seg_d.dst_addr, seg_d.src_port, seg_d.dst_port} = hash_tuple;
    seg_d.seq = is_icmp ? quote_seq : seq;
    seg_d.ack = ack;
    seg_d.flags = flags;
    seg_d.wnd = wnd;
    seg_d.payload = l4_len - offset_octets;
  end

  always_ff @(posedge clk) begin
    if (rst)
      push_q <= 1'b0;
    else
      push_q <= last_q;
    seg_q <= seg_d;
    l2_dst_mac_q <= dst_mac_q;
    bad_fcs_q <= tuser_q;
    too_long_q <= length_q > 14'(MAX_FRAME);
    runt_q <= length_q < 14'd14;
    not_ip_q <= ethertype_q != IPV4 && !ip6;
    ip6_q <= ip6;
    malformed_q <= l4_end_q > {3'd0, length_q} ||
                   (ip6 ? length_q < net_begin + 14'd40 || version != 4'd6
                        : length_q < net_begin + 14'd20 || version != 4'd4 || ihl < 4'd5 || header_octets > ip_length);
    other_q <= !is_tcp && !is_icmp;
    // RFC 1858 and RFC 3128: a first fragment too short for the TCP header, or one that would overwrite it
    fragment_drop_q <= is_tcp && !ip6 && (fragment[12:0] == 13'd1 || (fragment == 14'h2000 && l4_len < 16'd20));
    fragment_host_q <= !is_whole;
    is_icmp_q <= is_icmp;
    icmp_error_q <= icmp_error_d;
    tcp_malformed_q <= l4_len < 16'd20 || data_offset < 4'd5 || offset_octets > l4_len;
    martian_q <= never_an_endpoint(ip6, src_addr) || never_an_endpoint(ip6, dst_addr) ||
                 (src_addr == dst_addr && src_port == dst_port);
    loopback_q <= is_loopback(ip6, src_addr) || is_loopback(ip6, dst_addr);
    pseudo_q <= (is_icmp && !ip6) ? 17'd0 : {1'b0, l4_len} + {9'd0, protocol};
  end

  // ---- L+2: checksums and configuration, class and cause, push -----------------------------------------

  segment_t    seg;
  logic [17:0] l4_total;
  logic [16:0] l4_fold;
  logic        l4_intact;

  assign l4_total = {2'b00, l4_sum} + {1'b0, pseudo_q};
  assign l4_fold = {1'b0, l4_total[15:0]} + {15'd0, l4_total[17:16]};
  assign l4_intact = l4_fold == 17'h0ffff;

  always_comb begin
    seg = seg_q;
    seg.mss_ok = mss_ok_q;
    seg.mss = mss_q;
    seg.ws_ok = ws_ok_q;
    seg.ws = ws_q;
    seg.ws_clamped = ws_clamped_q;
    seg.sack_ok = sack_ok_q;
    seg.ts_ok = ts_ok_q;
    seg.tsval = ts_q[63:32];
    seg.tsecr = ts_q[31:0];
    seg.opt_bad = opt_bad_q;

    seg.cls = `HF_CLASS_DROP;
    seg.cause = `HF_CAUSE_NONE;
    if (bad_fcs_q)
      seg.cause = `HF_CAUSE_BAD_FCS;
    else if (too_long_q)
      seg.cause = `HF_CAUSE_TOO_LONG;
    else if (runt_q)
      seg.cause = `HF_CAUSE_RUNT;
    else if (not_ip_q)
      seg.cls = `HF_CLASS_HOST;
    else if (malformed_q)
      seg.cause = `HF_CAUSE_IP_MALFORMED;
    else if (!ip6_q && ip_sum != 16'hffff)
      seg.cause = `HF_CAUSE_IP_CHECKSUM;
    else if (other_q)
      seg.cls = `HF_CLASS_HOST;
    else if (fragment_drop_q)
      seg.cause = `HF_CAUSE_FRAGMENT;
    else if (fragment_host_q)
      seg.cls = `HF_CLASS_HOST;
    else if (is_icmp_q)
      seg.cls = (icmp_error_q && l4_intact && l2_dst_mac_q == cfg_mac && cfg_enable) ? `HF_CLASS_ICMP : `HF_CLASS_HOST;
    else if (tcp_malformed_q)
      seg.cause = `HF_CAUSE_TCP_MALFORMED;
    else if (!l4_intact)
      seg.cause = `HF_CAUSE_TCP_CHECKSUM;
    else if (!cfg_enable)
      seg.cls = `HF_CLASS_HOST;
    else if (martian_q || (loopback_q && !cfg_allow_loopback))
      seg.cause = `HF_CAUSE_MARTIAN;
    else if (l2_dst_mac_q != cfg_mac)
      seg.cause = `HF_CAUSE_L2_DEST;
    else
      seg.cls = `HF_CLASS_SEG;
  end

  assign seg_push = push_q;
  assign seg_data = seg;

`ifdef FORMAL
  initial assume (rst);

  always_ff @(posedge clk) begin
    if (!rst) begin
      assume (!mover_take || inflight_q != 0);
      assert (inflight_q <= INFLIGHT_W'(SEG_DEPTH));
      assert (!stage_push || stage_has_space);
      assert (staged <= MAX_BEATS[10:0]);
    end
  end
`endif

endmodule
