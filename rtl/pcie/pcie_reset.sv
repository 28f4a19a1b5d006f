// SPDX-License-Identifier: Apache-2.0
// pcie_reset - the reset of the core and of all that lies between the two clocks.
//
// Input   rst on clk; pcie_rst, and `request` (a pulse) on pcie_clk. Each of them resets both sides.
// Output  core_rst, on clk: the core and the clk side of every crossing. core_down, on pcie_clk: the other side of
//         them. Each is held until the other has been for several of its own clocks, whatever their ratio.
// Timing  core_rst lasts at least 16 clk, and until pcie_clk has run.

module pcie_reset (
  input  logic clk,
  input  logic rst,
  output logic core_rst,

  input  logic pcie_clk,
  input  logic pcie_rst,
  input  logic request,
  output logic core_down
);

  logic       ask_q, ask_seen, down_seen, pcie_down_seen;
  logic [3:0] count_q;

  // pcie_clk: ask until the other side is down, and be down as long as it is.
  always_ff @(posedge pcie_clk) begin
    if (pcie_rst || request) ask_q <= 1'b1;
    else if (down_seen) ask_q <= 1'b0;
    core_down <= pcie_rst || request || ask_q || down_seen;
  end
  cross_sync down_to_pcie (.clk(pcie_clk), .rst(1'b0), .d(core_rst), .q(down_seen));

  // clk: down until nobody asks and the other side has been down for 16 clocks.
  always_ff @(posedge clk) begin
    if (rst || ask_seen || !pcie_down_seen) count_q <= '0;
    else count_q <= count_q + 4'd1;
    if (rst || ask_seen) core_rst <= 1'b1;
    else if (count_q == 4'd15) core_rst <= 1'b0;
  end
  cross_sync ask_to_core (.clk(clk), .rst(1'b0), .d(ask_q), .q(ask_seen));
  cross_sync down_to_core (.clk(clk), .rst(1'b0), .d(core_down), .q(pcie_down_seen));

endmodule
