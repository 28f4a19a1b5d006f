// SPDX-License-Identifier: Apache-2.0
// ODDR - Xilinx 7: a pin's output register: its ports, for lint; nothing is behind them.

module ODDR #(
  parameter DDR_CLK_EDGE = "",
  parameter INIT = 1'b0,
  parameter SRTYPE = ""
) (
  input wire C,
  input wire CE,
  input wire D1,
  input wire D2,
  input wire R,
  input wire S,
  output wire Q
);
endmodule
