// SPDX-License-Identifier: Apache-2.0
// BUFG - Xilinx: clock buffer: its ports, for lint; nothing is behind them.

module BUFG (
  input wire I,
  output wire O
);
endmodule
