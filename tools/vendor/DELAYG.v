// SPDX-License-Identifier: Apache-2.0
// DELAYG - Lattice ECP5: a pin's delay: its ports, for lint; nothing is behind them.

module DELAYG #(
  parameter DEL_MODE = "USER_DEFINED",
  parameter DEL_VALUE = 0
) (
  input wire A,
  output wire Z
);
endmodule
