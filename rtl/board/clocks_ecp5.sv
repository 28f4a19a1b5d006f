// SPDX-License-Identifier: Apache-2.0
// clocks_ecp5 - the clocks of a board with a Lattice ECP5, by one PLL (FPGA-TN-02200).
//
// Input   osc: the board's oscillator, OSC_DIV times 25 MHz.
// Output  tx_clk: 125 MHz. clk: 625 MHz / CLK_DIV; both from the same 625 MHz. locked.
// Timing  phases of the two are unrelated as far as anything here is concerned.

module clocks_ecp5 #(
  parameter int OSC_DIV = 4,
  parameter int CLK_DIV = 25
) (
  input  logic osc,
  output logic tx_clk,
  output logic clk,
  output logic locked
);

  (* ICP_CURRENT="12", LPF_RESISTOR="8", MFG_ENABLE_FILTEROPAMP="1", MFG_GMCREF_SEL="2" *)
  EHXPLLL #(
    .PLLRST_ENA("DISABLED"), .INTFB_WAKE("DISABLED"), .STDBY_ENABLE("DISABLED"), .DPHASE_SOURCE("DISABLED"),
    .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"), .OUTDIVIDER_MUXC("DIVC"), .OUTDIVIDER_MUXD("DIVD"),
    .CLKI_DIV(OSC_DIV), .CLKFB_DIV(5), .FEEDBK_PATH("CLKOP"),
    .CLKOP_ENABLE("ENABLED"), .CLKOP_DIV(5), .CLKOP_CPHASE(2), .CLKOP_FPHASE(0),
    .CLKOS_ENABLE("ENABLED"), .CLKOS_DIV(CLK_DIV), .CLKOS_CPHASE(2), .CLKOS_FPHASE(0)
  ) u_pll (
    .RST(1'b0), .STDBY(1'b0), .CLKI(osc), .CLKOP(tx_clk), .CLKOS(clk), .CLKFB(tx_clk), .CLKINTFB(),
    .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1), .PHASELOADREG(1'b1), .PLLWAKESYNC(1'b0),
    .ENCLKOP(1'b0), .LOCK(locked));

endmodule
