// SPDX-License-Identifier: Apache-2.0
// fifo_ram - FIFO in block RAM with an output register ("fifo_ram" in docs/architecture.md).
//
// Input   push with push_data; the producer pushes only while room is not 0.
// Output  head while valid; pop removes it. pop only while valid. room = DEPTH - ram_count, where
//         ram_count is what is written and not yet fetched: neither the output register nor the
//         pushes and fetches of the same cycle count.
// Timing  a cycle with ram_count > 0 fetches if the output register is empty or popped in it. Pushed
//         in c, ram_count sees it at c+1, visible at c+2 at the earliest; one element per cycle.
//         Reset empties it; the storage itself is not cleared.

module fifo_ram #(
  parameter int WIDTH = 65,
  parameter int DEPTH = 2048                  // a power of two, at least 2
) (
  input  logic                         clk,
  input  logic                         rst,

  input  logic                         push,
  input  logic [WIDTH-1:0]             push_data,
  output logic [$clog2(DEPTH+1)-1:0]   room,

  output logic                         valid,
  output logic [WIDTH-1:0]             head,
  input  logic                         pop
);

  generate
    if (WIDTH < 1 || DEPTH < 2 || (DEPTH & (DEPTH - 1)) != 0) begin : g_illegal
      fifo_ram_needs_a_depth_that_is_a_power_of_two illegal ();
    end
  endgenerate

  localparam int ADDR_W = $clog2(DEPTH);
  localparam int COUNT_W = $clog2(DEPTH + 1);

  // Read and write never meet at one address: with ram_count = 0 nothing is fetched, and a full
  // FIFO is not pushed into. So no_rw_check: synthesis need not build a bypass around the block RAM.
  (* no_rw_check *)
  logic [WIDTH-1:0]   mem [0:DEPTH-1];
  logic [ADDR_W-1:0]  wr_q, rd_q;
  logic [COUNT_W-1:0] room_q;
  logic               valid_q;
  logic [WIDTH-1:0]   head_q;

  logic               fetch;

  assign fetch = room_q != COUNT_W'(DEPTH) && (!valid_q || pop);
  assign room = room_q;
  assign valid = valid_q;
  assign head = head_q;

  always_ff @(posedge clk) begin
    if (push)
      mem[wr_q] <= push_data;
    if (fetch)
      head_q <= mem[rd_q];
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_q <= 0;
      rd_q <= 0;
      room_q <= COUNT_W'(DEPTH);
      valid_q <= 1'b0;
    end else begin
      if (push)
        wr_q <= wr_q + 1'b1;
      if (fetch)
        rd_q <= rd_q + 1'b1;
      if (push && !fetch)
        room_q <= room_q - 1'b1;
      else if (fetch && !push)
        room_q <= room_q + 1'b1;
      if (fetch)
        valid_q <= 1'b1;
      else if (pop)
        valid_q <= 1'b0;
    end
  end

`ifdef FORMAL_FIFO_RAM
  initial assume (rst);

  always_ff @(posedge clk) begin
    if (!rst) begin
      assume (!push || room_q != 0);
      assume (!pop || valid_q);
      room_bounded: assert (room_q <= COUNT_W'(DEPTH));
      pointers_agree: assert (ADDR_W'(wr_q - rd_q) == ADDR_W'(DEPTH - 32'(room_q)));
    end
  end
`endif

endmodule
