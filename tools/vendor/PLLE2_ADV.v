// SPDX-License-Identifier: Apache-2.0
// PLLE2_ADV - Xilinx 7: PLL: its ports, for lint; nothing is behind them.

module PLLE2_ADV #(
  parameter CLKIN1_PERIOD = 0.0,
  parameter DIVCLK_DIVIDE = 1,
  parameter CLKFBOUT_MULT = 1,
  parameter CLKFBOUT_PHASE = 0.0,
  parameter CLKOUT0_DIVIDE = 1,
  parameter CLKOUT0_PHASE = 0.0,
  parameter CLKOUT1_DIVIDE = 1,
  parameter CLKOUT1_PHASE = 0.0,
  parameter CLKOUT2_DIVIDE = 1,
  parameter CLKOUT2_PHASE = 0.0
) (
  input wire CLKIN1,
  input wire CLKIN2,
  input wire CLKINSEL,
  input wire CLKFBIN,
  output wire CLKFBOUT,
  output wire CLKOUT0,
  output wire CLKOUT1,
  output wire CLKOUT2,
  input wire PWRDWN,
  input wire RST,
  output wire LOCKED,
  input wire [6:0] DADDR,
  input wire DCLK,
  input wire DEN,
  input wire [15:0] DI,
  input wire DWE
);
endmodule
