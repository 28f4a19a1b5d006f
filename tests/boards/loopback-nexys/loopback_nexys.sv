// SPDX-License-Identifier: Apache-2.0
// loopback_nexys - the smallest board with a Xilinx part (board_loopback), with the pins of the Digilent Nexys Video (XC7A200T).
//
// Input   clk100: the oscillator. The PHY's RGMII and MDIO.
// Output  led: out of reset, link. Frames received intact come back, the others do not.
// Timing  that of board_loopback.

module loopback_nexys #(
  parameter int CLK_DIV = 40
) (
  input  logic       clk100,
  input  logic       rst_n,
  output logic [2:0] led,

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

  localparam int CLK_HZ = 1000000000 / CLK_DIV;

  logic       clk, tx_clk, tx_clk90, locked, rst, link, mdo, mdo_en;
  logic [1:0] speed;
  logic       rx_clk, rx_rise_ctl, rx_fall_ctl, tx_rise_ctl, tx_fall_ctl, tx_rise_txc, tx_fall_txc;
  logic [3:0] rx_rise_d, rx_fall_d, tx_rise_d, tx_fall_d;

  clocks_xilinx7 #(.CLK_DIV(CLK_DIV)) u_clocks (
    .osc(clk100), .tx_clk(tx_clk), .tx_clk90(tx_clk90), .clk(clk), .locked(locked));
  board_reset #(.LOG2(20)) u_reset (.clk(clk), .locked(locked), .button_n(rst_n), .rst(rst), .phy_rst_n(eth_rst_n));

  rgmii_io_xilinx7 u_io (
    .clk(clk),
    .rxc(eth_rxc), .rxd(eth_rxd), .rx_ctl(eth_rx_ctl), .txc(eth_txc), .txd(eth_txd), .tx_ctl(eth_tx_ctl),
    .tx_clk90(tx_clk90),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc));

  assign eth_mdio = mdo_en ? mdo : 1'bz;

  board_loopback #(.MDIO_HALF((CLK_HZ + 2499999) / 2500000), .POLL_CLKS(CLK_HZ / 100)) u_board (
    .clk(clk), .rst(rst),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc),
    .mdc(eth_mdc), .mdo(mdo), .mdo_en(mdo_en), .mdi(eth_mdio), .link(link), .speed(speed));

  assign led = {1'b0, link, !rst};

  logic unused;
  assign unused = ^speed;

endmodule
