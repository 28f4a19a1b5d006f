// SPDX-License-Identifier: Apache-2.0
// IDDRX1F - Lattice ECP5: a pin's input register: its ports, for lint; nothing is behind them.

module IDDRX1F (
  input wire D,
  input wire SCLK,
  input wire RST,
  output wire Q0,
  output wire Q1
);
endmodule
