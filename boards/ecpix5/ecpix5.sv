// SPDX-License-Identifier: Apache-2.0
// ecpix5 - LambdaConcept ECPIX-5 (LFE5UM5G-85F, KSZ9031RNX, FT2232H): a board over its UART.
//
// Input   clk100: the oscillator. The PHY's RGMII and MDIO. uart_rxd: 3000000 baud.
// Output  uart_txd; lights.
// Timing  the core's clock is 625 MHz / CLK_DIV. TXC is delayed here, RXC by the PHY.

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

  logic ready, link, open;

  board_ecp5 #(
    .SETS_LOG2(7), .WAYS(4), .LISTENERS(4), .RULES(4), .SEG_DEPTH(16), .STAGE_BEATS(256), .HOST_FIFO_BEATS(512),
    .EVENT_DEPTH(16), .REPLY_DEPTH(16), .CMD_DEPTH(1), .TX_BEATS(256), .TX_DESCS(8), .HASH_SERIAL(1), .IP6(0),
    .MATCH_CYCLES(4), .READ_CYCLES(2), .FSM_CYCLES(8), .PARSE_CYCLES(8), .BUILD_CYCLES(2),
    .OSC_DIV(4), .CLK_DIV(CLK_DIV), .RX_DELAY(0), .TXC_DELAY(80), .BAUD(3000000), .PHY_ADDR(0)
  ) u_board (
    .osc(clk100), .button_n(rst_n), .ready(ready), .link(link), .open(open), .eth_rxc(eth_rxc), .eth_rxd(eth_rxd),
    .eth_rx_ctl(eth_rx_ctl), .eth_txc(eth_txc), .eth_txd(eth_txd), .eth_tx_ctl(eth_tx_ctl), .eth_rst_n(eth_rst_n),
    .eth_mdc(eth_mdc), .eth_mdio(eth_mdio), .uart_rxd(uart_rxd), .uart_txd(uart_txd));

  assign led_g_n = ~{open, link, ready};

endmodule
