// SPDX-License-Identifier: Apache-2.0
// rx_frame_fifo - received frames between the wire and the host: the staging buffer, where a frame
// waits for its verdict, the mover, and the host FIFO with FRAME messages (regs/message.def).
//
// Input   stage_push, stage_data: beats of frames in order, pushed only while stage_has_space.
//         verdict_push, verdict_*: one verdict per frame, in the same order, after its last beat; never
//         more than SEG_DEPTH waiting (rx_parser's in-flight limit sees to that). verdict_is_seg: class
//         SEG or ICMP, so its checksums are known to be right.
// Output  host_*: messages of header, stamp and the frame's beats; byte 0 is tdata[7:0], integers are
//         little-endian. host_take removes a beat. mover_take: a verdict is taken in this cycle.
// Timing  the mover takes a verdict pushed in c at c+1 at the earliest, m below. Frames not for the
//         host, or lost, or without room (beats + 2) in the host FIFO are released at the end of m and
//         the next verdict may be taken in m+1. Others: header beats pushed in m and m+1, data in
//         m+2 .. m+1+beats, released at the end of m+1+beats. Pushed in c, a beat shows at c+2.
//         Never stalls the wire. Reset empties all.
`include "handfast_defs.svh"

module rx_frame_fifo #(
  parameter int SEG_DEPTH = 16,
  parameter int STAGE_BEATS = 512,                          // a power of two
  parameter int HOST_FIFO_BEATS = 2048                      // a power of two
) (
  input  logic        clk,
  input  logic        rst,

  input  logic        stage_push,
  input  logic [63:0] stage_data,
  output logic        stage_has_space,

  input  logic        verdict_push,
  input  logic [1:0]  verdict,
  input  logic        verdict_is_seg,
  input  logic        verdict_conn,
  input  logic [31:0] verdict_id,
  input  logic [63:0] verdict_stamp,
  input  logic [13:0] verdict_length,
  input  logic [10:0] verdict_beats,
  input  logic        verdict_lost,
  output logic        mover_take,

  output logic        host_valid,
  output logic [63:0] host_tdata,
  output logic        host_tlast,
  input  logic        host_take,

  output logic        cnt_drop_host_fifo
);

  generate
    if (STAGE_BEATS < 2 || (STAGE_BEATS & (STAGE_BEATS - 1)) != 0) begin : g_illegal
      rx_frame_fifo_needs_STAGE_BEATS_that_is_a_power_of_two illegal ();
    end
  endgenerate

  localparam int STAGE_W = $clog2(STAGE_BEATS);
  localparam int COUNT_W = $clog2(STAGE_BEATS + 1);
  localparam int ROOM_W = $clog2(HOST_FIFO_BEATS + 1);

  typedef struct packed {
    logic [1:0]  verdict;
    logic        is_seg;
    logic        conn;
    logic [31:0] id;
    logic [63:0] stamp;
    logic [13:0] length;
    logic [10:0] beats;
    logic        lost;
  } verdict_t;

  localparam int VERDICT_BITS = 126;

  // ---- Verdict queue -------------------------------------------------------------------------------

  verdict_t head;
  logic     head_valid;
  logic     unused_room;                                    // rx_parser counts the frames in flight

  fifo_reg #(.WIDTH(VERDICT_BITS), .DEPTH(SEG_DEPTH)) verdicts (
    .clk(clk), .rst(rst),
    .push(verdict_push),
    .push_data({verdict, verdict_is_seg, verdict_conn, verdict_id, verdict_stamp, verdict_length, verdict_beats,
                verdict_lost}),
    .has_room(unused_room),
    .valid(head_valid), .head(head), .pop(mover_take)
  );

  // ---- Mover ---------------------------------------------------------------------------------------

  localparam logic [1:0] IDLE = 2'd0, STAMP = 2'd1, DATA = 2'd2;

  logic [1:0]         state_d, state_q;
  logic [63:0]        stamp_q;
  logic [COUNT_W-1:0] beats_q;                              // beats of the frame being copied
  logic [10:0]        left_d, left_q;                       // of these to come
  logic               wanted, fits, copy;
  logic [ROOM_W-1:0]  host_room;
  logic               host_push, host_push_last;
  logic [63:0]        host_push_data;
  logic [63:0]        staged_q;                             // the beat read from the staging buffer
  logic               read, release_now;
  logic [COUNT_W-1:0] release_beats;

  assign wanted = head.verdict == `HF_VERDICT_HOST;
  assign fits = 32'(host_room) >= 32'(head.beats) + 32'd2;
  assign copy = wanted && !head.lost && fits;
  assign mover_take = state_q == IDLE && head_valid;
  assign cnt_drop_host_fifo = mover_take && wanted && !copy;

  always_comb begin
    state_d = state_q;
    left_d = left_q;
    host_push = 1'b0;
    host_push_last = 1'b0;
    host_push_data = staged_q;
    read = 1'b0;
    release_now = 1'b0;
    release_beats = beats_q;
    case (state_q)
      IDLE: begin
        // header: type, flags, length, id
        host_push = mover_take && copy;
        host_push_data = {head.conn ? head.id : 32'hffff_ffff, 16'd16 + {2'b00, head.length}, 8'd0, `HF_MSG_FRAME};
        host_push_data[8 + `HF_FLAG_FRAME_CSUM_OK] = head.is_seg;
        host_push_data[8 + `HF_FLAG_FRAME_CONN] = head.conn;
        left_d = head.beats;
        release_now = mover_take && !copy;
        release_beats = COUNT_W'(head.beats);
        if (mover_take && copy)
          state_d = STAMP;
      end
      STAMP: begin
        host_push = 1'b1;
        host_push_data = stamp_q;
        read = 1'b1;
        state_d = DATA;
      end
      DATA: begin
        host_push = 1'b1;
        host_push_last = left_q == 11'd1;
        left_d = left_q - 1'b1;
        read = !host_push_last;
        if (host_push_last) begin
          release_now = 1'b1;
          state_d = IDLE;
        end
      end
      default: state_d = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst)
      state_q <= IDLE;
    else
      state_q <= state_d;
    left_q <= left_d;
    if (mover_take) begin
      stamp_q <= head.stamp;
      beats_q <= COUNT_W'(head.beats);
    end
  end

  // ---- Staging buffer ------------------------------------------------------------------------------
  // Only beats written before are read, so read and write never meet at one address: no bypass needed.

  (* no_rw_check *)
  logic [63:0]        stage [0:STAGE_BEATS-1];
  logic [STAGE_W-1:0] wr_q, rd_q;
  logic [COUNT_W-1:0] count_q;

  assign stage_has_space = count_q < COUNT_W'(STAGE_BEATS);

  always_ff @(posedge clk) begin
    if (stage_push)
      stage[wr_q] <= stage_data;
    if (read)
      staged_q <= stage[rd_q];
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_q <= 0;
      rd_q <= 0;
      count_q <= 0;
    end else begin
      if (stage_push)
        wr_q <= wr_q + 1'b1;
      if (mover_take && !copy)
        rd_q <= rd_q + STAGE_W'(head.beats);
      else if (read)
        rd_q <= rd_q + 1'b1;
      count_q <= count_q + COUNT_W'(stage_push) - (release_now ? release_beats : 0);
    end
  end

  // ---- Host FIFO -----------------------------------------------------------------------------------

  fifo_ram #(.WIDTH(65), .DEPTH(HOST_FIFO_BEATS)) host_fifo (
    .clk(clk), .rst(rst),
    .push(host_push), .push_data({host_push_last, host_push_data}), .room(host_room),
    .valid(host_valid), .head({host_tlast, host_tdata}), .pop(host_take)
  );

`ifdef FORMAL
  // A verdict is about beats that are staged and that no verdict before it was about.
  logic [COUNT_W-1:0] unclaimed_q;

  initial assume (rst);

  always_ff @(posedge clk) begin
    if (rst)
      unclaimed_q <= 0;
    else
      unclaimed_q <= unclaimed_q + COUNT_W'(stage_push) - (verdict_push ? COUNT_W'(verdict_beats) : 0);
    if (!rst) begin
      assume (!stage_push || stage_has_space);
      assume (!host_take || host_valid);
      assume (!verdict_push || (unused_room && (verdict_lost || verdict_beats != 0) &&
                                32'(verdict_beats) <= 32'(unclaimed_q)));
      assert (count_q <= COUNT_W'(STAGE_BEATS));
      assert (!(mover_take && copy) || head.beats != 0);
    end
  end
`endif

endmodule
