// SPDX-License-Identifier: Apache-2.0
// tx_checksum - host frames on their way to the wire: stored whole, so that a frame has no gap and its
// checksum (RFC 1071; the request as in virtio-net) can be put in.
//
// Input   txf_write, txf_data: one beat of a frame, byte 0 in data[7:0], bytes beyond the frame 0; only
//         while txf_ready. txf_last with the last one commits the frame. txf_length (bytes), txf_csum,
//         txf_start, txf_offset (even, bytes from the frame's and the region's first byte) hold from the
//         first beat to the last. txf_abort, without txf_write, takes an unfinished frame back.
// Output  th_*: frames in order; tkeep is all ones but on the last beat. With txf_csum the 16-bit field at
//         start + offset is replaced by the complement of the ones'-complement sum from start to the end,
//         the field itself included (it holds the pseudo-header's sum). th_take takes the beat.
// Timing  last beat in L: the frame enters the frame queue in L+2 (at 512 bits in L+4), its first beat is offered
//         two cycles later at the earliest. One beat per cycle, never a gap inside a frame, and none between
//         frames that wait. Space is released with the last beat taken. txf_ready is registered state:
//         beats held < TX_BEATS and frames held < TX_DESCS. Reset empties all.

module tx_checksum #(
  parameter int DATA_W = 64,                                // 64 or 512
  parameter int TX_BEATS = 512,                             // a power of two
  parameter int TX_DESCS = 16
) (
  input  logic                clk,
  input  logic                rst,

  input  logic                txf_write,
  input  logic [DATA_W-1:0]   txf_data,
  input  logic                txf_last,
  input  logic [13:0]         txf_length,
  input  logic                txf_csum,
  input  logic [15:0]         txf_start,
  input  logic [15:0]         txf_offset,
  input  logic                txf_abort,
  output logic                txf_ready,

  output logic                th_valid,
  output logic [DATA_W-1:0]   th_tdata,
  output logic [DATA_W/8-1:0] th_tkeep,
  output logic                th_tlast,
  input  logic                th_take
);

  generate
    if (DATA_W != 64 && DATA_W != 512) begin : g_illegal_width
      tx_checksum_needs_DATA_W_of_64_or_512 illegal ();
    end
    if (TX_BEATS < 2 || (TX_BEATS & (TX_BEATS - 1)) != 0) begin : g_illegal_beats
      tx_checksum_needs_TX_BEATS_that_is_a_power_of_two illegal ();
    end
    if (TX_DESCS < 1) begin : g_illegal_descs
      tx_checksum_needs_TX_DESCS_of_at_least_1 illegal ();
    end
  endgenerate

  localparam int BYTES = DATA_W / 8;
  localparam int BYTE_W = $clog2(BYTES);                    // a byte of a beat
  localparam int WORD_W = BYTE_W - 1;                       // a 16-bit word of a beat
  localparam int BEAT_W = 14 - BYTE_W;                      // a beat of a frame
  localparam int COMMIT_CYCLES = (DATA_W == 64) ? 2 : 4;    // from the last beat to the frame queue
  localparam int ADDR_W = $clog2(TX_BEATS);
  localparam int COUNT_W = $clog2(TX_BEATS + 1);
  localparam int FRAMES_W = $clog2(TX_DESCS + 1);

  typedef struct packed {
    logic [13:0] length;                                    // bytes
    logic        csum;
    logic [12:0] field;                                     // which 16-bit word of the frame
    logic [15:0] value;
  } frame_t;

  localparam int FRAME_BITS = 44;

  // ---- Writing: the store, the sum, and the commit some cycles behind the last beat ------------------

  logic                commit;
  logic [COMMIT_CYCLES-1:0] commits_q;                      // the oldest one topmost
  logic [BEAT_W-1:0]   index_q;                             // beat of the frame being written
  logic [ADDR_W-1:0]   wr_q;
  logic [COUNT_W-1:0]  count_q;
  logic [FRAMES_W-1:0] frames_q;                            // committed and not yet popped
  logic [BYTES-1:0]    from_start;
  logic [15:0]         sum;
  logic [28*COMMIT_CYCLES-1:0] metas_q;                     // of each commit: length, csum, field
  frame_t              pushed;
  logic                pop, release_now;
  logic [COUNT_W-1:0]  release_beats;

  assign commit = txf_write && txf_last;
  assign txf_ready = count_q < COUNT_W'(TX_BEATS) && frames_q < FRAMES_W'(TX_DESCS);

  always_comb begin
    if ({2'b00, index_q} == txf_start[15:BYTE_W])
      from_start = {BYTES{1'b1}} << txf_start[BYTE_W-1:0];
    else
      from_start = {BYTES{{2'b00, index_q} > txf_start[15:BYTE_W]}};
  end

  checksum #(.DATA_W(DATA_W)) frame_checksum (
    .clk(clk), .valid(txf_write), .first(index_q == 0), .data(txf_data), .bytes(from_start), .sum(sum)
  );

  assign {pushed.length, pushed.csum, pushed.field} = metas_q[28*COMMIT_CYCLES-1 -: 28];
  assign pushed.value = ~sum;

  always_ff @(posedge clk) begin
    if (rst) begin
      commits_q <= '0;
      index_q <= 0;
      wr_q <= 0;
      count_q <= 0;
      frames_q <= 0;
    end else begin
      commits_q <= {commits_q[COMMIT_CYCLES-2:0], commit};
      if (txf_abort || commit)
        index_q <= 0;
      else if (txf_write)
        index_q <= index_q + 1'b1;
      if (txf_abort)
        wr_q <= wr_q - ADDR_W'(index_q);
      else if (txf_write)
        wr_q <= wr_q + 1'b1;
      count_q <= count_q + COUNT_W'(txf_write) - (txf_abort ? COUNT_W'(index_q) : 0) -
                 (release_now ? release_beats : 0);
      frames_q <= frames_q + FRAMES_W'(commit) - FRAMES_W'(pop);
    end
    metas_q <= {metas_q[28*COMMIT_CYCLES-29:0], txf_length, txf_csum, 13'((txf_start + txf_offset) >> 1)};
  end

  // ---- Frame queue and player -----------------------------------------------------------------------

  frame_t head, frame_q;                                    // frame_q: the frame being offered
  logic   head_valid;
  logic   unused_room;                                      // frames_q counts ahead of the queue

  fifo_reg #(.WIDTH(FRAME_BITS), .DEPTH(TX_DESCS)) frames (
    .clk(clk), .rst(rst),
    .push(commits_q[COMMIT_CYCLES-1]), .push_data(pushed), .has_room(unused_room),
    .valid(head_valid), .head(head), .pop(pop)
  );

  logic              playing_q;
  logic [BEAT_W-1:0] beat_q, last_beat_q;
  logic [ADDR_W-1:0] rd_q;
  logic [DATA_W-1:0] stored_q;
  logic              last, fetch;

  // The store is read for the next beat in the cycle a beat is taken; only beats of committed frames
  // count, so read and write never meet at an address that matters: no bypass needed.
  (* no_rw_check *)
  logic [DATA_W-1:0] store [0:TX_BEATS-1];

  assign pop = head_valid && (!playing_q || release_now);
  assign last = beat_q == last_beat_q;
  assign fetch = pop || (th_take && !last);
  assign release_now = th_take && last;
  assign release_beats = COUNT_W'(last_beat_q) + 1'b1;

  always_ff @(posedge clk) begin
    if (txf_write)
      store[wr_q] <= txf_data;
    if (fetch)
      stored_q <= store[rd_q];
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      playing_q <= 1'b0;
      rd_q <= 0;
    end else begin
      if (pop)
        playing_q <= 1'b1;
      else if (release_now)
        playing_q <= 1'b0;
      if (fetch)
        rd_q <= rd_q + 1'b1;
    end
    if (pop) begin
      frame_q <= head;
      last_beat_q <= BEAT_W'((head.length - 1'b1) >> BYTE_W);
      beat_q <= 0;
    end else if (th_take) begin
      beat_q <= beat_q + 1'b1;
    end
  end

  assign th_valid = playing_q;
  assign th_tlast = last;
  assign th_tkeep = {BYTES{1'b1}} >> (last ? BYTE_W'(0) - frame_q.length[BYTE_W-1:0] : BYTE_W'(0));

  always_comb begin
    th_tdata = stored_q;
    for (int w = 0; w < DATA_W / 16; w++) begin
      if (frame_q.csum && frame_q.field == {beat_q, WORD_W'(w)})
        th_tdata[16*w +: 16] = {frame_q.value[7:0], frame_q.value[15:8]};
    end
  end

`ifdef FORMAL_TX_CHECKSUM
  logic                         rst_1q, held_1q, within_1q;    // the cycle before
  logic [DATA_W+DATA_W/8:0]         beat_1q;

  initial assume (rst);

  always_ff @(posedge clk) begin
    rst_1q <= rst;
    held_1q <= th_valid && !th_take;
    within_1q <= th_valid && th_take && !th_tlast;
    beat_1q <= {th_tlast, th_tkeep, th_tdata};
    if (!rst) begin
      assume (!th_take || th_valid);
      assume (!txf_write || txf_ready);
      assume (!(txf_write && txf_abort));
      if (!rst_1q) begin
        valid_stays: assert (!held_1q || th_valid);
        data_stable: assert (!held_1q || {th_tlast, th_tkeep, th_tdata} == beat_1q);
        no_gap: assert (!within_1q || th_valid);
      end
    end
  end
`endif

endmodule
