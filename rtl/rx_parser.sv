// SPDX-License-Identifier: Apache-2.0
// rx_parser - one descriptor per received frame: Ethernet II, IPv4 (RFC 791), TCP (RFC 9293 3.1), its
// options (3.2; RFC 7323, RFC 2018), both checksums, and the request for the tuple's hash.
//
// Input   s_axis_rx: 8 bytes per beat, the frame's first byte is tdata[7:0]; tkeep counts on the last
//         beat only, where it is 2^n - 1. Never stalled: there is no tready.
// Output  stage_push, stage_data: the beats to keep in the staging buffer, bytes beyond tkeep 0.
//         hash_req, hash_tuple: {remote address, local address, remote port, local port}.
//         seg_push, seg_data: the descriptor of regs/segment.def. Addresses, ports and numbers are
//         integers: the first octet on the wire is the most significant one.
// Timing  with L the last beat's cycle the descriptor is pushed in L+2; configuration inputs are read
//         in L+2. A beat is staged in its own cycle. hash_req comes in the cycle after the beat with the
//         last port octet. One beat per cycle; frames may follow each other without a gap, also
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
  output logic [95:0]                 hash_tuple,

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

  logic [47:0] dst_mac_q, src_mac_q;
  logic [15:0] ethertype_q, total_length_q;
  logic [13:0] fragment_q;                                  // MF and the offset
  logic [3:0]  version_q, ihl_q;
  logic [7:0]  protocol_q;
  logic [31:0] src_addr_q, dst_addr_q;
  logic [63:0] stamp_q;

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
          version_q <= be[15:12];
          ihl_q <= be[11:8];
        end
        12'd2: begin
          total_length_q <= be[63:48];
          fragment_q <= be[29:16];
          protocol_q <= be[7:0];
        end
        12'd3: begin
          src_addr_q <= be[47:16];
          dst_addr_q[31:16] <= be[15:0];
        end
        12'd4: dst_addr_q[15:0] <= be[63:48];
        default: ;
      endcase
    end
  end

  // TCP begins at octet 14 + IHL*4: in beat tcp_index, at byte 2 of it if IHL is odd, else at byte 6.
  logic [11:0] tcp_index;
  assign tcp_index = 12'd1 + 12'(ihl_q[3:1]) + 12'(ihl_q[0]);

  // The first eight 16-bit words of the TCP header, word 0 (source port) most significant.
  logic [127:0] tcp_q;

  always_ff @(posedge clk) begin
    for (int n = 0; n < 8; n++) begin
      if (take && ihl_q[0] && index == tcp_index + 12'((n + 1) / 4))
        tcp_q[127 - 16*n -: 16] <= be[63 - 16*((n + 1) % 4) -: 16];
      if (take && !ihl_q[0] && index == tcp_index + 12'((n + 3) / 4))
        tcp_q[127 - 16*n -: 16] <= be[63 - 16*((n + 3) % 4) -: 16];
    end
  end

  logic [15:0] src_port, dst_port, wnd;
  logic [31:0] seq, ack;
  logic [3:0]  data_offset;
  logic [2:0]  unused_reserved;
  logic [8:0]  flags;
  assign {src_port, dst_port, seq, ack} = tcp_q[127:32];
  assign {data_offset, unused_reserved, flags, wnd} = tcp_q[31:0];

  // ---- Hash request --------------------------------------------------------------------------------
  // Beat tcp_index is never before beat 4 when IHL >= 5, so all fields looked at are this frame's.

  logic is_ip, is_whole, hash_req_d, hash_req_q, has_hash_q;

  assign is_ip = ethertype_q == 16'h0800 && version_q == 4'd4 && ihl_q >= 4'd5;
  assign is_whole = fragment_q == 0;                  // MF = 0 and offset = 0
  assign hash_req_d = take && is_ip && is_whole && protocol_q == 8'd6 &&
                      (ihl_q[0] ? index == tcp_index && keep[5] : index == tcp_index + 12'd1 && keep[1]);
  assign hash_req = hash_req_q;
  assign hash_tuple = {src_addr_q, dst_addr_q, src_port, dst_port};

  always_ff @(posedge clk) begin
    if (rst)
      hash_req_q <= 1'b0;
    else
      hash_req_q <= hash_req_d;
    if (take)
      has_hash_q <= hash_req_d || (!first && has_hash_q);
  end

  // ---- Checksums -----------------------------------------------------------------------------------
  // Octets summed: the IPv4 header, 14 .. tcp_start-1; and for TCP both addresses, 26 .. 33, with
  // tcp_start .. tcp_end-1. Where these ends lie is known before beat 4, the first beat that needs them.

  logic [16:0] tcp_end_q;                                   // 14 + total length
  logic [7:0]  from_tcp, below_tcp_end, ip_bytes, tcp_bytes;
  logic [15:0] ip_sum, tcp_sum;

  always_ff @(posedge clk)
    tcp_end_q <= 17'd14 + {1'b0, total_length_q};

  always_comb begin
    if (index == tcp_index)
      from_tcp = ihl_q[0] ? 8'hfc : 8'hc0;
    else
      from_tcp = (index > tcp_index) ? 8'hff : 8'h00;

    if ({2'b00, index} == tcp_end_q[16:3])
      below_tcp_end = ~(8'hff << tcp_end_q[2:0]);
    else
      below_tcp_end = ({2'b00, index} < tcp_end_q[16:3]) ? 8'hff : 8'h00;

    case (index)
      12'd0: begin
        ip_bytes = 8'h00;
        tcp_bytes = 8'h00;
      end
      12'd1: begin
        ip_bytes = 8'hc0;
        tcp_bytes = 8'h00;
      end
      12'd2: begin
        ip_bytes = 8'hff;
        tcp_bytes = 8'h00;
      end
      12'd3: begin
        ip_bytes = 8'hff;
        tcp_bytes = 8'hfc;
      end
      12'd4: begin
        ip_bytes = ~from_tcp;
        tcp_bytes = (from_tcp & below_tcp_end) | 8'h03;
      end
      default: begin
        ip_bytes = ~from_tcp;
        tcp_bytes = from_tcp & below_tcp_end;
      end
    endcase
  end

  checksum ip_checksum (
    .clk(clk), .valid(take), .first(first), .data(s_axis_rx_tdata), .bytes(ip_bytes), .sum(ip_sum)
  );

  checksum tcp_checksum (
    .clk(clk), .valid(take), .first(first), .data(s_axis_rx_tdata), .bytes(tcp_bytes), .sum(tcp_sum)
  );

  // ---- Options, one cycle behind the beat: eight octets per cycle ------------------------------------
  // The header in 4-octet words w, word w = frame octets 4w+2 .. 4w+5: TCP begins at word 3 + IHL. A beat
  // holds the second half of word 2*index - 1, word 2*index and the first half of word 2*index + 1.

  localparam logic [1:0] KIND = 2'd0, LEN = 2'd1, BODY = 2'd2, STOP = 2'd3;
  localparam logic [2:0] OTHER = 3'd0, MSS = 3'd1, WS = 3'd2, SACK = 3'd3, TS = 3'd4;

  logic        take_q, first_q;
  logic [11:0] index_q;
  logic [63:0] be_q, before_q;                              // the beat and the one before it
  logic [12:0] opt_begin, opt_end;                          // words
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

  assign opt_begin = 13'd8 + 13'(ihl_q);
  assign opt_end = 13'd3 + 13'(ihl_q) + 13'(data_offset);

  always_comb begin
    active[1:0] = {2{{index_q, 1'b0} > opt_begin && {index_q, 1'b0} <= opt_end}};
    active[5:2] = {4{{index_q, 1'b0} >= opt_begin && {index_q, 1'b0} < opt_end}};
    active[7:6] = {2{{index_q, 1'b1} >= opt_begin && {index_q, 1'b1} < opt_end}};
  end

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
  logic [15:0] header_octets, tcp_len, offset_octets;

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

  assign header_octets = {10'd0, ihl_q, 2'b00};
  assign tcp_len = total_length_q - header_octets;
  assign offset_octets = {10'd0, data_offset, 2'b00};

  segment_t    seg_d, seg_q;                                // of the frame in L+2
  logic        push_q;
  logic [47:0] l2_dst_mac_q;
  logic        bad_fcs_q, too_long_q, runt_q, not_ipv4_q, malformed_q, not_tcp_q, fragment_drop_q, fragment_host_q;
  logic        tcp_malformed_q, martian_q, loopback_q;
  logic [16:0] pseudo_q;                                    // the rest of the pseudo-header: 6 + tcp_len

  function automatic logic never_an_endpoint(input logic [31:0] addr);
    never_an_endpoint = addr == 0 || addr[31:28] == 4'he || addr == 32'hffff_ffff;
  endfunction

  always_comb begin
    seg_d = '0;
    seg_d.has_hash = has_hash_q;
    seg_d.lost = lost_q;
    seg_d.length = length_q;
    seg_d.beats = staged_q;
    seg_d.stamp = stamp_q;
    seg_d.src_mac = src_mac_q;
    seg_d.src_addr = src_addr_q;
    seg_d.dst_addr = dst_addr_q;
    seg_d.src_port = src_port;
    seg_d.dst_port = dst_port;
    seg_d.seq = seq;
    seg_d.ack = ack;
    seg_d.flags = flags;
    seg_d.wnd = wnd;
    seg_d.payload = tcp_len - offset_octets;
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
    not_ipv4_q <= ethertype_q != 16'h0800;
    malformed_q <= length_q < 14'd34 || version_q != 4'd4 || ihl_q < 4'd5 || header_octets > total_length_q ||
                   tcp_end_q > {3'd0, length_q};
    not_tcp_q <= protocol_q != 8'd6;
    // RFC 1858 and RFC 3128: a first fragment too short for the TCP header, or one that would overwrite it
    fragment_drop_q <= fragment_q[12:0] == 13'd1 || (fragment_q == 14'h2000 && tcp_len < 16'd20);
    fragment_host_q <= !is_whole;
    tcp_malformed_q <= tcp_len < 16'd20 || data_offset < 4'd5 || offset_octets > tcp_len;
    martian_q <= never_an_endpoint(src_addr_q) || never_an_endpoint(dst_addr_q) ||
                 (src_addr_q == dst_addr_q && src_port == dst_port);
    loopback_q <= src_addr_q[31:24] == 8'd127 || dst_addr_q[31:24] == 8'd127;
    pseudo_q <= {1'b0, tcp_len} + 17'd6;
  end

  // ---- L+2: checksums and configuration, class and cause, push -----------------------------------------

  segment_t    seg;
  logic [17:0] tcp_total;
  logic [16:0] tcp_fold;

  assign tcp_total = {2'b00, tcp_sum} + {1'b0, pseudo_q};
  assign tcp_fold = {1'b0, tcp_total[15:0]} + {15'd0, tcp_total[17:16]};

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
    else if (not_ipv4_q)
      seg.cls = `HF_CLASS_HOST;
    else if (malformed_q)
      seg.cause = `HF_CAUSE_IP_MALFORMED;
    else if (ip_sum != 16'hffff)
      seg.cause = `HF_CAUSE_IP_CHECKSUM;
    else if (not_tcp_q)
      seg.cls = `HF_CLASS_HOST;
    else if (fragment_drop_q)
      seg.cause = `HF_CAUSE_FRAGMENT;
    else if (fragment_host_q)
      seg.cls = `HF_CLASS_HOST;
    else if (tcp_malformed_q)
      seg.cause = `HF_CAUSE_TCP_MALFORMED;
    else if (tcp_fold != 17'h0ffff)
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
