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
//         host, or lost, or whose message (n beats) does not fit into the host FIFO are released at the end of m
//         and the next verdict may be taken in m+1. Others, at 64 bits: header beats pushed in m and m+1, data in
//         m+2 .. m+n-1, released at the end of m+n-1, the next verdict in m+n. At 512: message beats pushed in
//         m+1 .. m+n, released at the end of m+n, the next verdict in m+n. Pushed in c, a beat shows at c+2.
//         Never stalls the wire. Reset empties all.
`include "handfast_defs.svh"

module rx_frame_fifo #(
  parameter int DATA_W = 64,                                // 64 or 512
  parameter int SEG_DEPTH = 16,
  parameter int STAGE_BEATS = 512,                          // a power of two
  parameter int HOST_FIFO_BEATS = 2048                      // a power of two
) (
  input  logic              clk,
  input  logic              rst,

  input  logic              stage_push,
  input  logic [DATA_W-1:0] stage_data,
  output logic              stage_has_space,

  input  logic              verdict_push,
  input  logic [1:0]        verdict,
  input  logic              verdict_is_seg,
  input  logic              verdict_conn,
  input  logic [31:0]       verdict_id,
  input  logic [63:0]       verdict_stamp,
  input  logic [13:0]       verdict_length,
  input  logic [10:0]       verdict_beats,
  input  logic              verdict_lost,
  output logic              mover_take,

  output logic              host_valid,
  output logic [DATA_W-1:0] host_tdata,
  output logic              host_tlast,
  input  logic              host_take,

  output logic              cnt_drop_host_fifo
);

  generate
    if (STAGE_BEATS < 2 || (STAGE_BEATS & (STAGE_BEATS - 1)) != 0) begin : g_illegal
      rx_frame_fifo_needs_STAGE_BEATS_that_is_a_power_of_two illegal ();
    end
    if (DATA_W != 64 && DATA_W != 512) begin : g_illegal_width
      rx_frame_fifo_needs_a_DATA_W_of_64_or_512 illegal ();
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

  logic               idle, fits, copy, discard;
  logic [ROOM_W-1:0]  host_room;
  logic               host_push, host_push_last;
  logic [DATA_W-1:0]  host_push_data;
  logic [DATA_W-1:0]  staged_q;                             // the beat read from the staging buffer
  logic               read;
  logic               copied;                               // the frame being copied has been
  logic [COUNT_W-1:0] copied_beats_q;
  logic [63:0]        header;                               // type, flags, length, id

  assign mover_take = idle && head_valid;
  assign copy = mover_take && head.verdict == `HF_VERDICT_HOST && !head.lost && fits;
  assign discard = mover_take && !copy;
  assign cnt_drop_host_fifo = discard && head.verdict == `HF_VERDICT_HOST;

  always_comb begin
    header = {head.conn ? head.id : 32'hffff_ffff, 16'd16 + {2'b00, head.length}, 8'd0, `HF_MSG_FRAME};
    header[8 + `HF_FLAG_FRAME_CSUM_OK] = head.is_seg;
    header[8 + `HF_FLAG_FRAME_CONN] = head.conn;
  end

  always_ff @(posedge clk) begin
    if (copy)
      copied_beats_q <= COUNT_W'(head.beats);
  end

  generate
    if (DATA_W == 64) begin : g_mover
      // Header and stamp are beats of their own, the frame's beats go as they are.
      localparam logic [1:0] IDLE = 2'd0, STAMP = 2'd1, DATA = 2'd2;

      logic [1:0]  state_d, state_q;
      logic [63:0] stamp_q;
      logic [10:0] left_d, left_q;                          // beats of the frame to come

      assign idle = state_q == IDLE;
      assign fits = 32'(host_room) >= 32'(head.beats) + 32'd2;

      always_comb begin
        state_d = state_q;
        left_d = left_q;
        host_push = 1'b0;
        host_push_last = 1'b0;
        host_push_data = staged_q;
        read = 1'b0;
        case (state_q)
          IDLE: begin
            host_push = copy;
            host_push_data = header;
            left_d = head.beats;
            if (copy)
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
            if (host_push_last)
              state_d = IDLE;
          end
          default: state_d = IDLE;
        endcase
      end
      assign copied = host_push_last;

      always_ff @(posedge clk) begin
        if (rst)
          state_q <= IDLE;
        else
          state_q <= state_d;
        left_q <= left_d;
        if (copy)
          stamp_q <= head.stamp;
      end

`ifdef FORMAL_RX_FRAME_FIFO
      initial assume (rst);

      // A frame that is not lost has beats; what is begun fits to its end.
      always_ff @(posedge clk) begin
        if (!rst) begin
          assume (!copy || head.beats != 0);
          host_space: assert (state_q == IDLE || 32'(host_room) >= 32'(left_q) + 32'(state_q == STAMP));
          beats_left: assert (state_q == IDLE || left_q != 0);
        end
      end
`endif
    end else begin : g_mover_wide
      // Message beat j is the end of the frame's beat j-1, of the first one header and stamp, and the beginning of
      // beat j, which is read from the staging buffer in the cycle before.
      logic         busy_q;
      logic [8:0]   beats_of_message, left_q;               // message beats to come, this cycle's included
      logic [10:0]  to_read_q;                              // beats of the frame to read
      logic         fresh_q;                                // staged_q was read in the cycle before
      logic [127:0] before_q;                               // what stands before staged_q in the message beat

      assign beats_of_message = 9'(({1'b0, head.length} + 15'd79) >> 6);
      assign idle = !busy_q || left_q == 9'd1;
      assign fits = 32'(host_room) >= 32'(beats_of_message) + 32'(host_push);
      assign host_push = busy_q;
      assign host_push_last = left_q == 9'd1;
      assign host_push_data = {fresh_q ? staged_q[383:0] : 384'd0, before_q};
      assign read = copy || (busy_q && to_read_q != 0);
      assign copied = busy_q && host_push_last;

      always_ff @(posedge clk) begin
        if (rst)
          busy_q <= 1'b0;
        else if (idle)
          busy_q <= copy;
        fresh_q <= read;
        if (copy) begin
          left_q <= beats_of_message;
          to_read_q <= head.beats - 1'b1;
          before_q <= {head.stamp, header};
        end else begin
          left_q <= left_q - 1'b1;
          if (to_read_q != 0)
            to_read_q <= to_read_q - 1'b1;
          before_q <= staged_q[511:384];
        end
      end
    end
  endgenerate

  // ---- Staging buffer ------------------------------------------------------------------------------
  // Only beats written before are read, so read and write never meet at one address: no bypass needed.

  (* no_rw_check *)
  logic [DATA_W-1:0]  stage [0:STAGE_BEATS-1];
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
      if (discard)
        rd_q <= rd_q + STAGE_W'(head.beats);
      else if (read)
        rd_q <= rd_q + 1'b1;
      count_q <= count_q + COUNT_W'(stage_push) - (discard ? COUNT_W'(head.beats) : 0) - (copied ? copied_beats_q : 0);
    end
  end

  // ---- Host FIFO -----------------------------------------------------------------------------------

  fifo_ram #(.WIDTH(DATA_W + 1), .DEPTH(HOST_FIFO_BEATS)) host_fifo (
    .clk(clk), .rst(rst),
    .push(host_push), .push_data({host_push_last, host_push_data}), .room(host_room),
    .valid(host_valid), .head({host_tlast, host_tdata}), .pop(host_take)
  );

endmodule
