// SPDX-License-Identifier: Apache-2.0
// rgmii_io_xilinx7 - a PHY's RGMII pins as DDR halves, on Xilinx 7 series (UG471). The counterpart of rgmii_io_sim.
//
// What    IDDR and ODDR in SAME_EDGE mode, the one that open tools know; the receive halves of one period are put
//         together by a register. No IDELAY: a PHY that delays RXC itself (RGMII-ID, as on the Nexys Video) needs none.
// Input   the pins; tx_clk90: tx_clk a quarter of a period later, which makes TXC.
// Output  rx_clk: RXC on the clock network.
// Timing  receive: two periods. Transmit: one period.

module rgmii_io_xilinx7 (
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

  logic       rxc_in;
  logic [4:0] rx_pin, rise, fall, rise_q, tx_rise, tx_fall, tx_pin;

  IBUF u_rxc (.I(rxc), .O(rxc_in));
  BUFG u_rx_clk (.I(rxc_in), .O(rx_clk));

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
