// SPDX-License-Identifier: Apache-2.0
// board_sim - what every board has (board_core, the core with its default parameters) with the pins of a PHY, for
// simulation: sim/eth/eth_board.h stands around it.
//
// Input, output and timing are those of board_core and rgmii_io_sim. trc_entry is filled up to whole 64-bit words.

`include "handfast_defs.svh"
module board_sim (
  input  logic        clk,
  input  logic        rst,
  input  logic [63:0] time_ns,
  input  logic        tick_1ms,
  output logic        ready,
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
  output logic [63:0] m_axis_c2h_tdata,
  output logic        m_axis_c2h_tvalid,
  output logic        m_axis_c2h_tlast,
  input  logic        m_axis_c2h_tready,
  input  logic [63:0] s_axis_h2c_tdata,
  input  logic        s_axis_h2c_tvalid,
  input  logic        s_axis_h2c_tlast,
  output logic        s_axis_h2c_tready,
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
  input  logic        s_axil_rready,
  output logic [63:0] mac_rx_tdata,
  output logic [7:0]  mac_rx_tkeep,
  output logic        mac_rx_tvalid,
  output logic        mac_rx_tlast,
  output logic        mac_rx_tuser,
  output logic [63:0] mac_tx_tdata,
  output logic [7:0]  mac_tx_tkeep,
  output logic        mac_tx_tvalid,
  output logic        mac_tx_tlast,
  output logic        mac_tx_tready,
  output logic        trc_valid,
  output logic [1:0]  trc_op,
  output logic        trc_write,
  output logic [15:0] trc_slot,
  output logic [3:0]  trc_state,
  output logic [1:0]  trc_verdict,
  output logic [4:0]  trc_cause,
  output logic [63:0] trc_stamp,
  output logic [895:0] trc_entry
);

  logic       rx_clk, rx_rise_ctl, rx_fall_ctl, tx_rise_ctl, tx_fall_ctl, tx_rise_txc, tx_fall_txc;
  logic [3:0] rx_rise_d, rx_fall_d, tx_rise_d, tx_fall_d;
  logic [`HF_TCB_BITS-1:0] entry;

  assign trc_entry = 896'(entry);

  rgmii_io_sim u_io (
    .rxc(rxc), .rxd(rxd), .rx_ctl(rx_ctl), .txc(txc), .txd(txd), .tx_ctl(tx_ctl), .rx_clk(rx_clk),
    .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl), .rx_fall_ctl(rx_fall_ctl),
    .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d), .tx_rise_ctl(tx_rise_ctl),
    .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc));

  board_core #(
    .SETS_LOG2(8), .WAYS(4), .LISTENERS(16), .RULES(8), .MAX_FRAME(1522), .SEG_DEPTH(16), .STAGE_BEATS(512), .HOST_FIFO_BEATS(2048),
    .EVENT_DEPTH(32), .REPLY_DEPTH(32), .CMD_DEPTH(4), .TX_BEATS(512), .TX_DESCS(16), .HASH_ROUNDS(1),
    .PHY_ADDR(0), .MDIO_HALF(4), .POLL_CLKS(2000)
  ) u_board (
    .clk(clk), .rst(rst), .time_ns(time_ns), .tick_1ms(tick_1ms), .ready(ready), .rx_clk(rx_clk),
    .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl), .rx_fall_ctl(rx_fall_ctl),
    .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d), .tx_rise_ctl(tx_rise_ctl),
    .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc), .mdc(mdc), .mdo(mdo),
    .mdo_en(mdo_en), .mdi(mdi), .link(link), .speed(speed), .m_axis_c2h_tdata(m_axis_c2h_tdata),
    .m_axis_c2h_tvalid(m_axis_c2h_tvalid), .m_axis_c2h_tlast(m_axis_c2h_tlast),
    .m_axis_c2h_tready(m_axis_c2h_tready), .s_axis_h2c_tdata(s_axis_h2c_tdata),
    .s_axis_h2c_tvalid(s_axis_h2c_tvalid), .s_axis_h2c_tlast(s_axis_h2c_tlast),
    .s_axis_h2c_tready(s_axis_h2c_tready), .s_axil_awaddr(s_axil_awaddr), .s_axil_awvalid(s_axil_awvalid),
    .s_axil_awready(s_axil_awready), .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb),
    .s_axil_wvalid(s_axil_wvalid), .s_axil_wready(s_axil_wready), .s_axil_bvalid(s_axil_bvalid),
    .s_axil_bresp(s_axil_bresp), .s_axil_bready(s_axil_bready), .s_axil_araddr(s_axil_araddr),
    .s_axil_arvalid(s_axil_arvalid), .s_axil_arready(s_axil_arready), .s_axil_rvalid(s_axil_rvalid),
    .s_axil_rdata(s_axil_rdata), .s_axil_rresp(s_axil_rresp), .s_axil_rready(s_axil_rready),
    .s_axil_mac_awaddr(12'd0), .s_axil_mac_awvalid(1'b0), .s_axil_mac_awready(), .s_axil_mac_wdata(32'd0),
    .s_axil_mac_wstrb(4'd0), .s_axil_mac_wvalid(1'b0), .s_axil_mac_wready(), .s_axil_mac_bvalid(),
    .s_axil_mac_bresp(), .s_axil_mac_bready(1'b0), .s_axil_mac_araddr(12'd0), .s_axil_mac_arvalid(1'b0),
    .s_axil_mac_arready(), .s_axil_mac_rvalid(), .s_axil_mac_rdata(), .s_axil_mac_rresp(), .s_axil_mac_rready(1'b0),
    .mac_rx_tdata(mac_rx_tdata), .mac_rx_tkeep(mac_rx_tkeep), .mac_rx_tvalid(mac_rx_tvalid),
    .mac_rx_tlast(mac_rx_tlast), .mac_rx_tuser(mac_rx_tuser), .mac_tx_tdata(mac_tx_tdata),
    .mac_tx_tkeep(mac_tx_tkeep), .mac_tx_tvalid(mac_tx_tvalid), .mac_tx_tlast(mac_tx_tlast),
    .mac_tx_tready(mac_tx_tready), .trc_valid(trc_valid), .trc_op(trc_op), .trc_write(trc_write),
    .trc_slot(trc_slot), .trc_state(trc_state), .trc_verdict(trc_verdict), .trc_cause(trc_cause),
    .trc_stamp(trc_stamp), .trc_entry(entry));

endmodule
