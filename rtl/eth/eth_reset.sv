// SPDX-License-Identifier: Apache-2.0
// eth_reset - one reset for both sides of a cross_fifo, whatever the other clock does.
//
// What    cross_fifo wants each side held in reset until the other one has been. The clock of a PHY may stand still, so
//         waiting a number of clocks is not enough: the other side answers.
// Input   start, on clk: a clock of it is enough.
// Output  clk_rst on clk: from the clock after start until the other side is out of reset. other_rst on other_clk.
//         While other_clk stands, clk_rst stays.
// Timing  about eight clocks of the slower side.

module eth_reset (
  input  logic clk,
  input  logic start,
  output logic clk_rst,
  input  logic other_clk,
  output logic other_rst
);

  logic       want_q, wanted, done_q, done;
  logic [1:0] held_q;

  always_ff @(posedge clk) begin
    if (start) want_q <= 1'b1;
    else if (done) want_q <= 1'b0;
    clk_rst <= start || want_q || done;
  end

  cross_sync to_other (.clk(other_clk), .rst(1'b0), .d(want_q), .q(wanted));

  always_ff @(posedge other_clk) begin
    other_rst <= wanted;
    if (!wanted) held_q <= 2'd0;
    else if (held_q != 2'd3) held_q <= held_q + 2'd1;
    done_q <= wanted && held_q == 2'd3;
  end

  cross_sync to_clk (.clk(clk), .rst(1'b0), .d(done_q), .q(done));

endmodule
