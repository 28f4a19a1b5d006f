// SPDX-License-Identifier: Apache-2.0
// fifo_reg - FIFO in registers or LUT RAM ("fifo_reg" in docs/architecture.md).
//
// Input   push with push_data. The producer pushes only when it knows of room: either has_room is 1
//         in the cycle, or a credit scheme of its own guarantees it.
// Output  head while valid; pop removes it. pop only while valid.
// Timing  pushed in c, visible at c+1. has_room = count < DEPTH, where count sees neither push nor
//         pop of the same cycle. Push and pop may share a cycle: one element per cycle.
//         Reset empties it; the storage itself is not cleared.

module fifo_reg #(
  parameter int WIDTH = 8,
  parameter int DEPTH = 4
) (
  input  logic             clk,
  input  logic             rst,

  input  logic             push,
  input  logic [WIDTH-1:0] push_data,
  output logic             has_room,

  output logic             valid,
  output logic [WIDTH-1:0] head,
  input  logic             pop
);

  generate
    if (WIDTH < 1 || DEPTH < 1) begin : g_illegal
      fifo_reg_needs_width_and_depth_of_at_least_1 illegal ();
    end
  endgenerate

  localparam int PTR_W = (DEPTH > 1) ? $clog2(DEPTH) : 1;
  localparam int COUNT_W = $clog2(DEPTH + 1);
  localparam logic [PTR_W-1:0] LAST = PTR_W'(DEPTH - 1);

  logic [WIDTH-1:0]   mem [0:DEPTH-1];
  logic [PTR_W-1:0]   wr_q, rd_q;
  logic [COUNT_W-1:0] count_q;

  assign has_room = count_q < COUNT_W'(DEPTH);
  assign valid = count_q != 0;
  assign head = mem[rd_q];

  always_ff @(posedge clk) begin
    if (push)
      mem[wr_q] <= push_data;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_q <= 0;
      rd_q <= 0;
      count_q <= 0;
    end else begin
      if (push)
        wr_q <= (wr_q == LAST) ? 0 : wr_q + 1'b1;
      if (pop)
        rd_q <= (rd_q == LAST) ? 0 : rd_q + 1'b1;
      if (push && !pop)
        count_q <= count_q + 1'b1;
      else if (pop && !push)
        count_q <= count_q - 1'b1;
    end
  end

`ifdef FORMAL
  // Proved of a FIFO by itself; of one inside another unit it is known.
  logic bounded, agree;
  assign bounded = count_q <= COUNT_W'(DEPTH);
  assign agree = wr_q <= LAST && rd_q <= LAST && (32'(rd_q) + 32'(count_q)) % DEPTH == 32'(wr_q);

`ifdef FORMAL_FIFO_REG
  initial assume (rst);

  always_ff @(posedge clk) begin
    if (!rst) begin
      assume (!push || has_room);
      assume (!pop || valid);
      count_bounded: assert (bounded);
      pointers_agree: assert (agree);
    end
  end
`else
  always_ff @(posedge clk)
    assume (rst || (bounded && agree));
`endif
`endif

endmodule
