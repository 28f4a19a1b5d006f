// SPDX-License-Identifier: Apache-2.0
// rx_framing - which beat of which received frame this is, what of it is staged, and how long the frame is.
//
// Input   the beats of s_axis_rx, as for rx_parser.
// Output  take: a beat of a frame that is not ignored; first, index (beats before it, saturating behind 16,384
//         bytes), data (bytes beyond tkeep 0) and whole (16-bit words of data that are the frame's) belong to it.
//         stage_push: `data` goes into the staging buffer.
//         *_q: of the beat in the cycle before; length, lost, staged and tuser of its frame as far as that beat,
//         stamp of its first beat. length saturates at 16,383; it and tuser hold from one last beat to the next.
// Timing  one beat per cycle, frames may follow each other without a gap. Never stalls: a frame that comes while
//         SEG_DEPTH are in flight (first beat taken, verdict not yet taken by the mover), or before `ready`, is
//         ignored. Reset: the next beat begins a frame, nothing is in flight.

module rx_framing #(
  parameter int DATA_W = 64,
  parameter int MAX_FRAME = 1522,
  parameter int SEG_DEPTH = 16,
  localparam int KEEP_W = DATA_W / 8,
  localparam int INDEX_W = 15 - $clog2(KEEP_W)              // as far as 16,384 bytes
) (
  input  logic                  clk,
  input  logic                  rst,

  input  logic                  ready,
  input  logic [63:0]           time_ns,

  input  logic [DATA_W-1:0]     s_axis_rx_tdata,
  input  logic [KEEP_W-1:0]     s_axis_rx_tkeep,
  input  logic                  s_axis_rx_tvalid,
  input  logic                  s_axis_rx_tlast,
  input  logic                  s_axis_rx_tuser,

  input  logic                  mover_take,
  input  logic                  stage_has_space,
  output logic                  stage_push,

  output logic                  take,
  output logic                  first,
  output logic [INDEX_W-1:0]    index,
  output logic [DATA_W-1:0]     data,
  output logic [KEEP_W/2-1:0]   whole,

  output logic                  take_q,
  output logic                  first_q,
  output logic                  last_q,
  output logic [INDEX_W-1:0]    index_q,
  output logic [13:0]           length_q,
  output logic                  lost_q,
  output logic [10:0]           staged_q,
  output logic                  tuser_q,
  output logic [63:0]           stamp_q,

  output logic                  cnt_rx_frames,
  output logic                  cnt_drop_not_ready,
  output logic                  cnt_drop_overrun
);

  generate
    if (MAX_FRAME < 60 || MAX_FRAME > 16376) begin : g_illegal_frame
      rx_framing_needs_MAX_FRAME_of_60_to_16376 illegal ();
    end
    if (SEG_DEPTH < 1) begin : g_illegal_depth
      rx_framing_needs_SEG_DEPTH_of_at_least_1 illegal ();
    end
  endgenerate

  localparam int INFLIGHT_W = $clog2(SEG_DEPTH + 1);
  localparam int OCTETS_W = $clog2(KEEP_W + 1);
  localparam logic [INDEX_W-1:0] MAX_BEATS = INDEX_W'((MAX_FRAME + KEEP_W - 1) / KEEP_W);
  localparam logic [INDEX_W-1:0] INDEX_END = INDEX_W'(16384 / KEEP_W);

  logic                  in_frame_q, ignored_q;
  logic                  staged_here, next_staged_q;             // the beat is below MAX_BEATS, the next one is
  logic [INFLIGHT_W-1:0] inflight_q;
  logic [INDEX_W-1:0]    next_index_q;

  logic [KEEP_W-1:0]     keep;
  logic                  overrun, ignored, lost, no_space;
  logic [10:0]           staged;
  logic [OCTETS_W-1:0]   octets;
  logic [13:0]           length;

  assign first = s_axis_rx_tvalid && !in_frame_q;
  assign overrun = inflight_q == INFLIGHT_W'(SEG_DEPTH);
  assign ignored = in_frame_q ? ignored_q : !ready || overrun;
  assign take = s_axis_rx_tvalid && !ignored;
  assign index = in_frame_q ? next_index_q : 0;
  assign lost = in_frame_q && lost_q;
  assign staged = in_frame_q ? staged_q : 11'd0;
  assign keep = s_axis_rx_tlast ? s_axis_rx_tkeep : '1;

  assign cnt_rx_frames = first;
  assign cnt_drop_not_ready = first && !ready;
  assign cnt_drop_overrun = first && ready && overrun;

  assign staged_here = !in_frame_q || next_staged_q;
  assign stage_push = take && staged_here && !lost && stage_has_space;
  assign no_space = take && staged_here && !stage_has_space;

  // keep is 2^n - 1, so one bit at most has none above it.
  always_comb begin
    octets = 0;
    for (int i = 0; i < KEEP_W; i++) begin
      data[8*i +: 8] = s_axis_rx_tdata[8*i +: 8] & {8{keep[i]}};
      if (keep[i] && (i == KEEP_W - 1 || !keep[(i + 1) % KEEP_W]))
        octets = octets | OCTETS_W'(i + 1);
    end
    for (int i = 0; i < KEEP_W/2; i++)
      whole[i] = keep[2*i + 1];
    length = {index[INDEX_W-2:0], {(OCTETS_W-1){1'b0}}} + 14'(octets);
    if (index == INDEX_END || (&index[INDEX_W-2:0] && octets[OCTETS_W-1]))
      length = 14'd16383;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      in_frame_q <= 1'b0;
      inflight_q <= 0;
      take_q <= 1'b0;
      last_q <= 1'b0;
    end else begin
      if (s_axis_rx_tvalid)
        in_frame_q <= !s_axis_rx_tlast;
      if (first && take && !mover_take)
        inflight_q <= inflight_q + 1'b1;
      else if (mover_take && !(first && take))
        inflight_q <= inflight_q - 1'b1;
      take_q <= take;
      last_q <= take && s_axis_rx_tlast;
    end
    first_q <= first;
    index_q <= index;
    if (s_axis_rx_tvalid) begin
      ignored_q <= ignored;
      next_staged_q <= staged_here && index != MAX_BEATS - 1'b1;
      next_index_q <= (index == INDEX_END) ? INDEX_END : index + 1'b1;
      lost_q <= lost || no_space;
      staged_q <= staged + {10'd0, stage_push};
    end
    if (take && first)
      stamp_q <= time_ns;
    if (take && s_axis_rx_tlast) begin
      tuser_q <= s_axis_rx_tuser;
      length_q <= length;
    end
  end

`ifdef FORMAL_RX_FRAMING
  initial assume (rst);

  always_ff @(posedge clk) begin
    if (!rst) begin
      assume (!mover_take || inflight_q != 0);
      inflight_bounded: assert (inflight_q <= INFLIGHT_W'(SEG_DEPTH));
      stage_space: assert (!stage_push || stage_has_space);
      stage_bounded: assert (staged <= 11'(MAX_BEATS));
    end
  end
`endif

endmodule
