// SPDX-License-Identifier: Apache-2.0
// clocks_xilinx7 - the clocks of a board with a Xilinx 7 series part and an oscillator of 100 MHz, by one PLL (UG472).
//
// Input   osc: 100 MHz.
// Output  tx_clk: 125 MHz; tx_clk90: a quarter of a period later. clk: 1000 MHz / CLK_DIV. All from the same 1000 MHz.
// Timing  phases of clk and tx_clk are unrelated as far as anything here is concerned.

module clocks_xilinx7 #(
  parameter int CLK_DIV = 40
) (
  input  logic osc,
  output logic tx_clk,
  output logic tx_clk90,
  output logic clk,
  output logic locked
);

  logic osc_in, feedback, out0, out1, out2;

  IBUF u_osc (.I(osc), .O(osc_in));

  PLLE2_ADV #(
    .CLKIN1_PERIOD(10.0), .DIVCLK_DIVIDE(1), .CLKFBOUT_MULT(10), .CLKFBOUT_PHASE(0.0),
    .CLKOUT0_DIVIDE(8), .CLKOUT0_PHASE(0.0), .CLKOUT1_DIVIDE(8), .CLKOUT1_PHASE(90.0),
    .CLKOUT2_DIVIDE(CLK_DIV), .CLKOUT2_PHASE(0.0)
  ) u_pll (
    .CLKIN1(osc_in), .CLKIN2(1'b0), .CLKINSEL(1'b1), .CLKFBIN(feedback), .CLKFBOUT(feedback),
    .CLKOUT0(out0), .CLKOUT1(out1), .CLKOUT2(out2), .PWRDWN(1'b0), .RST(1'b0), .LOCKED(locked),
    .DADDR(7'd0), .DCLK(1'b0), .DEN(1'b0), .DI(16'd0), .DWE(1'b0));

  BUFG u_tx (.I(out0), .O(tx_clk));
  BUFG u_tx90 (.I(out1), .O(tx_clk90));
  BUFG u_clk (.I(out2), .O(clk));

endmodule
