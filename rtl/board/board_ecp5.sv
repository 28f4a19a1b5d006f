// SPDX-License-Identifier: Apache-2.0
// board_ecp5 - a whole board with a Lattice ECP5, a PHY on RGMII and a UART: what the tops of boards/ with such a part wrap.
//
// Input   osc: the oscillator, OSC_DIV times 25 MHz. button_n: 0 resets. The PHY's RGMII and MDIO. uart_rxd: BAUD.
// Output  uart_txd; ready, link, open (a host is there), for lights.
// Timing  the core's clock is 625 MHz / CLK_DIV.

module board_ecp5 #(
  parameter int SETS_LOG2 = 7,  // of the core, as in rtl/handfast.sv
  parameter int WAYS = 4,
  parameter int LISTENERS = 4,
  parameter int RULES = 4,
  parameter int MAX_FRAME = 1522,
  parameter int SEG_DEPTH = 16,
  parameter int STAGE_BEATS = 256,
  parameter int HOST_FIFO_BEATS = 512,
  parameter int EVENT_DEPTH = 16,
  parameter int REPLY_DEPTH = 16,
  parameter int CMD_DEPTH = 1,
  parameter int TX_BEATS = 256,
  parameter int TX_DESCS = 8,
  parameter int HASH_ROUNDS = 2,
  parameter int HASH_SERIAL = 0,
  parameter int IP6 = 1,
  parameter int MATCH_CYCLES = 1,
  parameter int READ_CYCLES = 1,
  parameter int FSM_CYCLES = 1,
  parameter int PARSE_CYCLES = 1,
  parameter int BUILD_CYCLES = 1,
  parameter int PHY_ADDR = 0,   // where the search on MDIO begins
  parameter int OSC_DIV = 4,
  parameter int CLK_DIV = 25,
  parameter int RX_DELAY = 0,   // of rgmii_io_ecp5, steps of 25 ps
  parameter int TXC_DELAY = 80,
  parameter int BAUD = 3000000
) (
  input  logic        osc,
  input  logic        button_n,
  output logic        ready,
  output logic        link,
  output logic        open,

  input  logic        eth_rxc,
  input  logic [3:0]  eth_rxd,
  input  logic        eth_rx_ctl,
  output logic        eth_txc,
  output logic [3:0]  eth_txd,
  output logic        eth_tx_ctl,
  output logic        eth_rst_n,
  output logic        eth_mdc,
  inout  wire         eth_mdio,

  input  logic        uart_rxd,
  output logic        uart_txd
);

  localparam int CLK_PS = 1600 * CLK_DIV;
  localparam int CLK_HZ = 625000000 / CLK_DIV;

  logic       clk, tx_clk, locked, rst, mdo, mdo_en;
  logic       rx_clk, rx_rise_ctl, rx_fall_ctl, tx_rise_ctl, tx_fall_ctl, tx_rise_txc, tx_fall_txc;
  logic [3:0] rx_rise_d, rx_fall_d, tx_rise_d, tx_fall_d;

  clocks_ecp5 #(.OSC_DIV(OSC_DIV), .CLK_DIV(CLK_DIV)) u_clocks (.osc(osc), .tx_clk(tx_clk), .clk(clk), .locked(locked));
  board_reset #(.LOG2(20)) u_reset (.clk(clk), .locked(locked), .button_n(button_n), .rst(rst), .phy_rst_n(eth_rst_n));

  rgmii_io_ecp5 #(.RX_DELAY(RX_DELAY), .TXC_DELAY(TXC_DELAY)) u_io (
    .rxc(eth_rxc), .rxd(eth_rxd), .rx_ctl(eth_rx_ctl), .txc(eth_txc), .txd(eth_txd), .tx_ctl(eth_tx_ctl),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc));

  assign eth_mdio = mdo_en ? mdo : 1'bz;

  /* verilator lint_off PINCONNECTEMPTY */
  board_host #(
    .SETS_LOG2(SETS_LOG2), .WAYS(WAYS), .LISTENERS(LISTENERS), .RULES(RULES), .MAX_FRAME(MAX_FRAME),
    .SEG_DEPTH(SEG_DEPTH), .STAGE_BEATS(STAGE_BEATS), .HOST_FIFO_BEATS(HOST_FIFO_BEATS), .EVENT_DEPTH(EVENT_DEPTH),
    .REPLY_DEPTH(REPLY_DEPTH), .CMD_DEPTH(CMD_DEPTH), .TX_BEATS(TX_BEATS), .TX_DESCS(TX_DESCS),
    .HASH_ROUNDS(HASH_ROUNDS), .HASH_SERIAL(HASH_SERIAL), .IP6(IP6), .MATCH_CYCLES(MATCH_CYCLES),
    .READ_CYCLES(READ_CYCLES), .FSM_CYCLES(FSM_CYCLES), .PARSE_CYCLES(PARSE_CYCLES), .BUILD_CYCLES(BUILD_CYCLES),
    .PHY_ADDR(PHY_ADDR), .MDIO_HALF((CLK_HZ + 2499999) / 2500000), .POLL_CLKS(CLK_HZ / 100), .CLK_PS(CLK_PS),
    .CLK_HZ(CLK_HZ), .UART(1), .BAUD(BAUD)
  ) u_board (
    .clk(clk), .rst(rst), .ready(ready), .open(open),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc),
    .mdc(eth_mdc), .mdo(mdo), .mdo_en(mdo_en), .mdi(eth_mdio), .link(link), .speed(),
    .ft_clk(1'b0), .rxf_n(1'b1), .txe_n(1'b1), .oe_n(), .rd_n(), .wr_n(), .siwu_n(), .data_i(8'd0), .data_o(),
    .data_oe(), .txd(uart_txd), .rxd(uart_rxd));
  /* verilator lint_on PINCONNECTEMPTY */

endmodule
