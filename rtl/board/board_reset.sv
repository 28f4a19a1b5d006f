// SPDX-License-Identifier: Apache-2.0
// board_reset - from a PLL that has found its frequency to a board that may begin.
//
// Input   locked: the PLL's, any phase; button_n: 0 resets, any phase.
// Output  rst on clk. phy_rst_n: the PHY's reset pin.
// Timing  rst lasts 2^LOG2 clk, of which the PHY is in reset for the first half: at least 10 ms each for LOG2 chosen so
//         (PHYs want 1 to 15 ms, and are ready 5 to 15 ms later). Begins anew whenever `locked` or `button_n` falls.

module board_reset #(
  parameter int LOG2 = 20
) (
  input  logic clk,
  input  logic locked,
  input  logic button_n,
  output logic rst,
  output logic phy_rst_n
);

  logic          good;
  logic [LOG2:0] count_q;  // an FPGA begins with 0

  cross_sync u_locked (.clk(clk), .rst(1'b0), .d(locked & button_n), .q(good));

  always_ff @(posedge clk) begin
    if (!good) count_q <= '0;
    else if (!count_q[LOG2]) count_q <= count_q + (LOG2+1)'(1);
    rst <= !count_q[LOG2];
    phy_rst_n <= count_q[LOG2] || count_q[LOG2-1];
  end

endmodule
