// SPDX-License-Identifier: Apache-2.0
// ecpix5 - LambdaConcept ECPIX-5 (LFE5UM5G-85F, KSZ9031RNX, FT2232H): a board over its UART.
//
// Input   clk100: the oscillator. The PHY's RGMII and MDIO. uart_rxd: 3000000 baud.
// Output  uart_txd; lights.
// Timing  the core's clock is 625 MHz / CLK_DIV; CLK_PS is its period.

module ecpix5 #(
  parameter int CLK_DIV = 25
) (
  input  logic       clk100,
  input  logic       rst_n,

  output logic [2:0] led_g_n,   // ready; link; a host is there


  input  logic       eth_rxc,
  input  logic [3:0] eth_rxd,
  input  logic       eth_rx_ctl,
  output logic       eth_txc,
  output logic [3:0] eth_txd,
  output logic       eth_tx_ctl,
  output logic       eth_rst_n,
  output logic       eth_mdc,
  inout  wire        eth_mdio,

  input  logic       uart_rxd,
  output logic       uart_txd
);

  localparam int CLK_PS = 1600 * CLK_DIV;
  localparam int CLK_HZ = 625000000 / CLK_DIV;

  logic       clk, tx_clk, locked, rst, ready, open, link, mdo, mdo_en;
  logic [1:0] speed;
  logic       rx_clk, rx_rise_ctl, rx_fall_ctl, tx_rise_ctl, tx_fall_ctl, tx_rise_txc, tx_fall_txc;
  logic [3:0] rx_rise_d, rx_fall_d, tx_rise_d, tx_fall_d;

  clocks_ecp5 #(.OSC_DIV(4), .CLK_DIV(CLK_DIV)) u_clocks (.osc(clk100), .tx_clk(tx_clk), .clk(clk), .locked(locked));
  board_reset #(.LOG2(20)) u_reset (.clk(clk), .locked(locked), .button_n(rst_n), .rst(rst), .phy_rst_n(eth_rst_n));

  rgmii_io_ecp5 #(.RX_DELAY(0), .TXC_DELAY(80)) u_io (
    .rxc(eth_rxc), .rxd(eth_rxd), .rx_ctl(eth_rx_ctl), .txc(eth_txc), .txd(eth_txd), .tx_ctl(eth_tx_ctl),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc));

  assign eth_mdio = mdo_en ? mdo : 1'bz;

  board_uart #(
    .SETS_LOG2(7), .WAYS(4), .LISTENERS(4), .RULES(4), .SEG_DEPTH(16), .STAGE_BEATS(256), .HOST_FIFO_BEATS(512), .EVENT_DEPTH(16),
    .REPLY_DEPTH(16), .CMD_DEPTH(1), .TX_BEATS(256), .TX_DESCS(8), .HASH_ROUNDS(2),
    .PHY_ADDR(0), .MDIO_HALF((CLK_HZ + 2499999) / 2500000), .POLL_CLKS(CLK_HZ / 100), .CLK_PS(CLK_PS), .CLK_HZ(CLK_HZ),
    .BAUD(3000000)
  ) u_board (
    .clk(clk), .rst(rst), .ready(ready), .open(open),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc),
    .mdc(eth_mdc), .mdo(mdo), .mdo_en(mdo_en), .mdi(eth_mdio), .link(link), .speed(speed),
    .txd(uart_txd), .rxd(uart_rxd));

  assign led_g_n = ~{open, link, ready};

  logic unused;
  assign unused = ^speed;

endmodule
