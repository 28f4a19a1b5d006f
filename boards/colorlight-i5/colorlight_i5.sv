// SPDX-License-Identifier: Apache-2.0
// colorlight_i5 - Colorlight i5 (LFE5U-25F, B50612D) on its extension board: a board over the UART of that.
//
// Input   clk25: the oscillator. The PHY's RGMII and MDIO. uart_rxd: 1000000 baud.
// Output  uart_txd; a light.
// Timing  the core's clock is 625 MHz / CLK_DIV. RXC is delayed here, TXC by the PHY. 512 connections of IPv4, one hash unit.

module colorlight_i5 #(
  parameter int CLK_DIV = 25
) (
  input  logic       clk25,
  input  logic       rst_n,
  output logic       led_n,     // ready, link and a host

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

  logic ready, link, open;

  board_ecp5 #(
    .SETS_LOG2(7), .WAYS(4), .LISTENERS(4), .RULES(0), .SEG_DEPTH(16), .STAGE_BEATS(256), .HOST_FIFO_BEATS(512),
    .EVENT_DEPTH(1), .REPLY_DEPTH(16), .CMD_DEPTH(1), .TX_BEATS(256), .TX_DESCS(8), .HASH_SERIAL(1), .IP6(0),
    .MATCH_CYCLES(4), .READ_CYCLES(2), .FSM_CYCLES(8), .PARSE_CYCLES(8), .BUILD_CYCLES(2),
    .OSC_DIV(1), .CLK_DIV(CLK_DIV), .RX_DELAY(80), .TXC_DELAY(0), .BAUD(1000000), .PHY_ADDR(0)
  ) u_board (
    .osc(clk25), .button_n(rst_n), .ready(ready), .link(link), .open(open), .eth_rxc(eth_rxc), .eth_rxd(eth_rxd),
    .eth_rx_ctl(eth_rx_ctl), .eth_txc(eth_txc), .eth_txd(eth_txd), .eth_tx_ctl(eth_tx_ctl), .eth_rst_n(eth_rst_n),
    .eth_mdc(eth_mdc), .eth_mdio(eth_mdio), .uart_rxd(uart_rxd), .uart_txd(uart_txd));

  assign led_n = !(ready && link && open);

endmodule
