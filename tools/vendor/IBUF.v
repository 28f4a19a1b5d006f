// SPDX-License-Identifier: Apache-2.0
// IBUF - Xilinx: input buffer: its ports, for lint; nothing is behind them.

module IBUF (
  input wire I,
  output wire O
);
endmodule
