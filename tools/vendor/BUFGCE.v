// SPDX-License-Identifier: Apache-2.0
// BUFGCE - Xilinx: clock buffer with an enable: its ports, for lint; nothing is behind them.

module BUFGCE (
  input wire I,
  input wire CE,
  output wire O
);
endmodule
