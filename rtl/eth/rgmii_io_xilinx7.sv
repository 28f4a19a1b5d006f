// SPDX-License-Identifier: Apache-2.0
// rgmii_io_xilinx7 - a PHY's RGMII pins as DDR halves, on Xilinx 7 series (UG471). The counterpart of rgmii_io_sim.
//
// What    IDDR and ODDR in SAME_EDGE mode, the one that open tools know; the receive halves of one period are put
//         together by a register. No IDELAY: a PHY that delays RXC itself (RGMII-ID, as on the Nexys Video) needs none. A PLL whose
//         feedback goes over the clock network takes the network's delay out of rx_clk, so that RXC's edges
//         are at the registers where they are at the pins; and the open tools have every bit of that way, which is not
//         so for RXC straight to the clock network.
// Input   the pins; tx_clk90: tx_clk a quarter of a period later, which makes TXC. clk: any, for the PLL's reset.
// Output  rx_clk: RXC at 125 MHz. At 10 and 100 Mbit/s and while RXC stands the PLL finds no lock, and rx_clk stands: gigabit only.
// Timing  receive: two periods. Transmit: one period. The PLL begins anew each 2^15 clk until it is locked.

module rgmii_io_xilinx7 (
  input  logic       clk,
  input  logic       rxc,
  input  logic [3:0] rxd,
  input  logic       rx_ctl,
  output logic       txc,
  output logic [3:0] txd,
  output logic       tx_ctl,

  output logic       rx_clk,
  output logic [3:0] rx_rise_d,
  output logic [3:0] rx_fall_d,
  output logic       rx_rise_ctl,
  output logic       rx_fall_ctl,

  input  logic       tx_clk,
  input  logic       tx_clk90,
  input  logic [3:0] tx_rise_d,
  input  logic [3:0] tx_fall_d,
  input  logic       tx_rise_ctl,
  input  logic       tx_fall_ctl,
  input  logic       tx_rise_txc,
  input  logic       tx_fall_txc
);

  logic       rxc_in, pll_out, pll_feedback, feedback, locked, locked_here, pll_rst;
  logic [14:0] wait_q;
  logic [4:0] rx_pin, rise, fall, rise_q, tx_rise, tx_fall, tx_pin;

  IBUF u_rxc (.I(rxc), .O(rxc_in));
  PLLE2_ADV #(
    .CLKIN1_PERIOD(8.0), .DIVCLK_DIVIDE(1), .CLKFBOUT_MULT(8), .CLKFBOUT_PHASE(0.0), .CLKOUT0_DIVIDE(8), .CLKOUT0_PHASE(0.0)
  ) u_rx_pll (
    .CLKIN1(rxc_in), .CLKIN2(1'b0), .CLKINSEL(1'b1), .CLKFBIN(feedback), .CLKFBOUT(pll_feedback), .CLKOUT0(pll_out), .CLKOUT1(), .CLKOUT2(),
    .PWRDWN(1'b0), .RST(pll_rst), .LOCKED(locked), .DADDR(7'd0), .DCLK(1'b0), .DEN(1'b0), .DI(16'd0), .DWE(1'b0));
  BUFG u_rx_feedback (.I(pll_feedback), .O(feedback));
  BUFGCE u_rx_clk (.I(pll_out), .CE(locked), .O(rx_clk));

  cross_sync u_locked (.clk(clk), .rst(1'b0), .d(locked), .q(locked_here));
  always_ff @(posedge clk) begin
    wait_q <= locked_here ? 15'd0 : wait_q + 15'd1;
    pll_rst <= wait_q[14:4] == 11'h7ff;
  end

  assign rx_pin = {rx_ctl, rxd};
  assign tx_rise = {tx_rise_ctl, tx_rise_d};
  assign tx_fall = {tx_fall_ctl, tx_fall_d};
  assign {tx_ctl, txd} = tx_pin;

  genvar i;
  generate
    for (i = 0; i < 5; i = i + 1) begin : g_pin
      IDDR #(.DDR_CLK_EDGE("SAME_EDGE"), .INIT_Q1(1'b0), .INIT_Q2(1'b0), .SRTYPE("SYNC")) u_rx (
        .C(rx_clk), .CE(1'b1), .D(rx_pin[i]), .Q1(rise[i]), .Q2(fall[i]), .R(1'b0), .S(1'b0));
      ODDR #(.DDR_CLK_EDGE("SAME_EDGE"), .INIT(1'b0), .SRTYPE("SYNC")) u_tx (
        .C(tx_clk), .CE(1'b1), .D1(tx_rise[i]), .D2(tx_fall[i]), .Q(tx_pin[i]), .R(1'b0), .S(1'b0));
    end
  endgenerate

  // SAME_EDGE shows a falling edge one clock behind the rising edge before it.
  always_ff @(posedge rx_clk) rise_q <= rise;
  assign {rx_rise_ctl, rx_rise_d} = rise_q;
  assign {rx_fall_ctl, rx_fall_d} = fall;

  ODDR #(.DDR_CLK_EDGE("SAME_EDGE"), .INIT(1'b0), .SRTYPE("SYNC")) u_txc (
    .C(tx_clk90), .CE(1'b1), .D1(tx_rise_txc), .D2(tx_fall_txc), .Q(txc), .R(1'b0), .S(1'b0));

endmodule
