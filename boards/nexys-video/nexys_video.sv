// SPDX-License-Identifier: Apache-2.0
// nexys_video - Digilent Nexys Video (XC7A200T, RTL8211E, FT2232H): a board over the synchronous FIFO.
//
// Input   clk100: the oscillator. The PHY's RGMII and MDIO. The FIFO's pins, on its own usb_clk.
// Output  lights: ready, link, a host is there.
// Timing  the core's clock is 1000 MHz / CLK_DIV.

module nexys_video #(
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
  inout  wire        eth_mdio,

  input  logic       usb_clk,
  input  logic       usb_rxf_n,
  input  logic       usb_txe_n,
  output logic       usb_oe_n,
  output logic       usb_rd_n,
  output logic       usb_wr_n,
  output logic       usb_siwu_n,
  inout  wire  [7:0] usb_d
);

  localparam int CLK_PS = 1000 * CLK_DIV;
  localparam int CLK_HZ = 1000000000 / CLK_DIV;

  logic       clk, tx_clk, tx_clk90, locked, rst, ready, open, link, mdo, mdo_en, usb_in, usb_bufg, usb_oe;
  logic [1:0] speed;
  logic [7:0] usb_out;
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

  IBUF u_usb_in (.I(usb_clk), .O(usb_in));
  BUFG u_usb_clk (.I(usb_in), .O(usb_bufg));

  assign eth_mdio = mdo_en ? mdo : 1'bz;
  assign usb_d = usb_oe ? usb_out : 8'hzz;

  board_host #(
    .SETS_LOG2(8), .WAYS(4), .LISTENERS(16), .RULES(8), .SEG_DEPTH(16), .STAGE_BEATS(512), .HOST_FIFO_BEATS(2048), .EVENT_DEPTH(32),
    .REPLY_DEPTH(32), .CMD_DEPTH(4), .TX_BEATS(512), .TX_DESCS(16), .HASH_SERIAL(1),
    .MATCH_CYCLES(4), .READ_CYCLES(2), .FSM_CYCLES(8), .PARSE_CYCLES(8), .BUILD_CYCLES(2),
    .PHY_ADDR(1), .MDIO_HALF((CLK_HZ + 2499999) / 2500000), .POLL_CLKS(CLK_HZ / 100), .CLK_PS(CLK_PS), .CLK_HZ(CLK_HZ), .UART(0)
  ) u_board (
    .clk(clk), .rst(rst), .ready(ready), .open(open),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc),
    .mdc(eth_mdc), .mdo(mdo), .mdo_en(mdo_en), .mdi(eth_mdio), .link(link), .speed(speed),
    .ft_clk(usb_bufg), .rxf_n(usb_rxf_n), .txe_n(usb_txe_n), .oe_n(usb_oe_n), .rd_n(usb_rd_n), .wr_n(usb_wr_n),
    .siwu_n(usb_siwu_n), .data_i(usb_d), .data_o(usb_out), .data_oe(usb_oe),
    .txd(), .rxd(1'b1));

  assign led = {open, link, ready};

  logic unused;
  assign unused = ^speed;

endmodule
