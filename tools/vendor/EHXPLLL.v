// SPDX-License-Identifier: Apache-2.0
// EHXPLLL - Lattice ECP5: PLL: its ports, for lint; nothing is behind them.

module EHXPLLL #(
  parameter PLLRST_ENA = "",
  parameter INTFB_WAKE = "",
  parameter STDBY_ENABLE = "",
  parameter DPHASE_SOURCE = "",
  parameter OUTDIVIDER_MUXA = "",
  parameter OUTDIVIDER_MUXB = "",
  parameter OUTDIVIDER_MUXC = "",
  parameter OUTDIVIDER_MUXD = "",
  parameter CLKI_DIV = 1,
  parameter CLKFB_DIV = 1,
  parameter FEEDBK_PATH = "",
  parameter CLKOP_ENABLE = "",
  parameter CLKOP_DIV = 1,
  parameter CLKOP_CPHASE = 0,
  parameter CLKOP_FPHASE = 0,
  parameter CLKOS_ENABLE = "",
  parameter CLKOS_DIV = 1,
  parameter CLKOS_CPHASE = 0,
  parameter CLKOS_FPHASE = 0
) (
  input wire RST,
  input wire STDBY,
  input wire CLKI,
  output wire CLKOP,
  output wire CLKOS,
  input wire CLKFB,
  output wire CLKINTFB,
  input wire PHASESEL0,
  input wire PHASESEL1,
  input wire PHASEDIR,
  input wire PHASESTEP,
  input wire PHASELOADREG,
  input wire PLLWAKESYNC,
  input wire ENCLKOP,
  output wire LOCK
);
endmodule
