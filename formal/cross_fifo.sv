// SPDX-License-Identifier: Apache-2.0
// formal/cross_fifo - what stands for cross_sync where cross_fifo is proved: a Gray-coded pointer of the other side as it is
// now or as it was at any time before, never going back. That is more than any two clocks and any metastability can do, so
// that the proof, in which both sides move in every step, holds for all of them.
// For Yosys only; the properties are in rtl/cross/cross_fifo.sv.
module cross_sync #(
  parameter int WIDTH = 1,
  parameter int GRAY = 0,
  parameter logic [WIDTH-1:0] RESET = '0
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [WIDTH-1:0] d,
  output logic [WIDTH-1:0] q
);
  logic [WIDTH-1:0] seen_q, now;                            // as numbers
  (* anyseq *) logic [WIDTH-1:0] step;

  always_comb begin
    now[WIDTH-1] = d[WIDTH-1];
    for (int i = WIDTH - 2; i >= 0; i--) now[i] = now[i+1] ^ d[i];
    assume (step <= now - seen_q);
  end
  always_ff @(posedge clk) seen_q <= rst ? RESET : seen_q + step;
  assign q = seen_q ^ (seen_q >> 1);
endmodule
