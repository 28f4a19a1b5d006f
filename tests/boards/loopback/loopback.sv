// SPDX-License-Identifier: Apache-2.0
// loopback - the smallest board there is (board_loopback), with the pins of the Colorlight i5.
//
// Input   clk25: the oscillator. The PHY's RGMII and MDIO.
// Output  led_n: link. Frames received intact come back, the others do not.
// Timing  that of board_loopback.

module loopback #(
  parameter int CLK_DIV = 25
) (
  input  logic       clk25,
  input  logic       rst_n,
  output logic       led_n,

  input  logic       eth_rxc,
  input  logic [3:0] eth_rxd,
  input  logic       eth_rx_ctl,
  output logic       eth_txc,
  output logic [3:0] eth_txd,
  output logic       eth_tx_ctl,
  output logic       eth_rst_n,
  output logic       eth_mdc,
  inout  wire        eth_mdio
);

  localparam int CLK_HZ = 625000000 / CLK_DIV;

  logic        clk, tx_clk, locked, rst, link, mdo, mdo_en;
  logic [1:0]  speed;
  logic        rx_clk, rx_rise_ctl, rx_fall_ctl, tx_rise_ctl, tx_fall_ctl, tx_rise_txc, tx_fall_txc;
  logic [3:0]  rx_rise_d, rx_fall_d, tx_rise_d, tx_fall_d;

  clocks_ecp5 #(.OSC_DIV(1), .CLK_DIV(CLK_DIV)) u_clocks (.osc(clk25), .tx_clk(tx_clk), .clk(clk), .locked(locked));
  board_reset #(.LOG2(20)) u_reset (.clk(clk), .locked(locked), .button_n(rst_n), .rst(rst), .phy_rst_n(eth_rst_n));

  rgmii_io_ecp5 #(.RX_DELAY(80), .TXC_DELAY(0)) u_io (
    .rxc(eth_rxc), .rxd(eth_rxd), .rx_ctl(eth_rx_ctl), .txc(eth_txc), .txd(eth_txd), .tx_ctl(eth_tx_ctl),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl), .rx_fall_ctl(rx_fall_ctl),
    .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d), .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl),
    .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc));

  assign eth_mdio = mdo_en ? mdo : 1'bz;
  assign led_n = !link;

  board_loopback #(.MDIO_HALF((CLK_HZ + 2499999) / 2500000), .POLL_CLKS(CLK_HZ / 100)) u_board (
    .clk(clk), .rst(rst),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc),
    .mdc(eth_mdc), .mdo(mdo), .mdo_en(mdo_en), .mdi(eth_mdio), .link(link), .speed(speed));

  logic unused;
  assign unused = ^speed;

endmodule
