// SPDX-License-Identifier: Apache-2.0
// eth_mac_sim - eth_mac with the pins of a PHY, for simulation (sim/eth/phy.h is the PHY).
//
// Input, output and timing are those of eth_mac and of rgmii_io_sim. LONGEST, the wait between polls and MDC are short.

module eth_mac_sim (
  input  logic        clk,
  input  logic        rst,
  input  logic [63:0] s_axis_tx_tdata,
  input  logic [7:0]  s_axis_tx_tkeep,
  input  logic        s_axis_tx_tvalid,
  input  logic        s_axis_tx_tlast,
  output logic        s_axis_tx_tready,
  output logic [63:0] m_axis_rx_tdata,
  output logic [7:0]  m_axis_rx_tkeep,
  output logic        m_axis_rx_tvalid,
  output logic        m_axis_rx_tlast,
  output logic        m_axis_rx_tuser,
  input  logic        rxc,
  input  logic [3:0]  rxd,
  input  logic        rx_ctl,
  output logic        txc,
  output logic [3:0]  txd,
  output logic        tx_ctl,
  input  logic        tx_clk,
  output logic        mdc,
  output logic        mdo,
  output logic        mdo_en,
  input  logic        mdi,
  output logic        link,
  output logic [1:0]  speed,
  input  logic [11:0] s_axil_awaddr,
  input  logic        s_axil_awvalid,
  output logic        s_axil_awready,
  input  logic [31:0] s_axil_wdata,
  input  logic [3:0]  s_axil_wstrb,
  input  logic        s_axil_wvalid,
  output logic        s_axil_wready,
  output logic        s_axil_bvalid,
  output logic [1:0]  s_axil_bresp,
  input  logic        s_axil_bready,
  input  logic [11:0] s_axil_araddr,
  input  logic        s_axil_arvalid,
  output logic        s_axil_arready,
  output logic        s_axil_rvalid,
  output logic [31:0] s_axil_rdata,
  output logic [1:0]  s_axil_rresp,
  input  logic        s_axil_rready
);

  logic       rx_clk, rx_rise_ctl, rx_fall_ctl, tx_rise_ctl, tx_fall_ctl, tx_rise_txc, tx_fall_txc;
  logic [3:0] rx_rise_d, rx_fall_d, tx_rise_d, tx_fall_d;

  rgmii_io_sim u_io (
    .rxc(rxc), .rxd(rxd), .rx_ctl(rx_ctl), .txc(txc), .txd(txd), .tx_ctl(tx_ctl), .rx_clk(rx_clk), .rx_rise_d(rx_rise_d),
    .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl), .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d),
    .tx_fall_d(tx_fall_d), .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc),
    .tx_fall_txc(tx_fall_txc));

  eth_mac #(.PHY_ADDR(0), .MDIO_HALF(4), .POLL_CLKS(2000), .LONGEST(9600)) u_mac (.*);

endmodule
