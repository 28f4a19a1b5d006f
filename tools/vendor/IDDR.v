// SPDX-License-Identifier: Apache-2.0
// IDDR - Xilinx 7: a pin's input register: its ports, for lint; nothing is behind them.

module IDDR #(
  parameter DDR_CLK_EDGE = "",
  parameter INIT_Q1 = 1'b0,
  parameter INIT_Q2 = 1'b0,
  parameter SRTYPE = ""
) (
  input wire C,
  input wire CE,
  input wire D,
  input wire R,
  input wire S,
  output wire Q1,
  output wire Q2
);
endmodule
