// SPDX-License-Identifier: Apache-2.0
// ODDRX1F - Lattice ECP5: a pin's output register: its ports, for lint; nothing is behind them.

module ODDRX1F (
  input wire SCLK,
  input wire RST,
  input wire D0,
  input wire D1,
  output wire Q
);
endmodule
