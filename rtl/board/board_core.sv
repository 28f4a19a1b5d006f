// SPDX-License-Identifier: Apache-2.0
// board_core - what every board has: the core and a MAC, wire side to wire side.
//
// Input   DDR halves of the PHY's pins (rgmii_io_*), on rx_clk and tx_clk (125 MHz); all else on clk. time_ns, tick_1ms:
//         board_time. s_axil_*: the core's registers; s_axil_mac_*: the MAC's (regs/eth.def).
// Output  m_axis_c2h, s_axis_h2c: messages, for a transport. ready, link, speed. trc_*: the core's, for simulation;
//         mac_*: what passes between MAC and core.
// Timing  that of eth_mac and of handfast. rst: of both.

`include "handfast_defs.svh"
module board_core #(
  parameter int SETS_LOG2 = 7,  // of the core, as in rtl/handfast.sv
  parameter int WAYS = 4,
  parameter int LISTENERS = 4,
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
  parameter int PHY_ADDR = 0,
  parameter int MDIO_HALF = 50,
  parameter int POLL_CLKS = 1000000
) (
  input  logic        clk,
  input  logic        rst,
  input  logic [63:0] time_ns,
  input  logic        tick_1ms,
  output logic        ready,

  input  logic        rx_clk,
  input  logic [3:0]  rx_rise_d,
  input  logic [3:0]  rx_fall_d,
  input  logic        rx_rise_ctl,
  input  logic        rx_fall_ctl,
  input  logic        tx_clk,
  output logic [3:0]  tx_rise_d,
  output logic [3:0]  tx_fall_d,
  output logic        tx_rise_ctl,
  output logic        tx_fall_ctl,
  output logic        tx_rise_txc,
  output logic        tx_fall_txc,
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

  input  logic [11:0] s_axil_mac_awaddr,
  input  logic        s_axil_mac_awvalid,
  output logic        s_axil_mac_awready,
  input  logic [31:0] s_axil_mac_wdata,
  input  logic [3:0]  s_axil_mac_wstrb,
  input  logic        s_axil_mac_wvalid,
  output logic        s_axil_mac_wready,
  output logic        s_axil_mac_bvalid,
  output logic [1:0]  s_axil_mac_bresp,
  input  logic        s_axil_mac_bready,
  input  logic [11:0] s_axil_mac_araddr,
  input  logic        s_axil_mac_arvalid,
  output logic        s_axil_mac_arready,
  output logic        s_axil_mac_rvalid,
  output logic [31:0] s_axil_mac_rdata,
  output logic [1:0]  s_axil_mac_rresp,
  input  logic        s_axil_mac_rready,

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
  output logic [`HF_TCB_BITS-1:0] trc_entry
);

  eth_mac #(.PHY_ADDR(PHY_ADDR), .MDIO_HALF(MDIO_HALF), .POLL_CLKS(POLL_CLKS)) u_mac (
    .clk(clk), .rst(rst),
    .s_axis_tx_tdata(mac_tx_tdata), .s_axis_tx_tkeep(mac_tx_tkeep), .s_axis_tx_tvalid(mac_tx_tvalid),
    .s_axis_tx_tlast(mac_tx_tlast), .s_axis_tx_tready(mac_tx_tready),
    .m_axis_rx_tdata(mac_rx_tdata), .m_axis_rx_tkeep(mac_rx_tkeep), .m_axis_rx_tvalid(mac_rx_tvalid),
    .m_axis_rx_tlast(mac_rx_tlast), .m_axis_rx_tuser(mac_rx_tuser),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc),
    .mdc(mdc), .mdo(mdo), .mdo_en(mdo_en), .mdi(mdi), .link(link), .speed(speed),
    .s_axil_awaddr(s_axil_mac_awaddr), .s_axil_awvalid(s_axil_mac_awvalid), .s_axil_awready(s_axil_mac_awready),
    .s_axil_wdata(s_axil_mac_wdata), .s_axil_wstrb(s_axil_mac_wstrb), .s_axil_wvalid(s_axil_mac_wvalid),
    .s_axil_wready(s_axil_mac_wready), .s_axil_bvalid(s_axil_mac_bvalid), .s_axil_bresp(s_axil_mac_bresp),
    .s_axil_bready(s_axil_mac_bready), .s_axil_araddr(s_axil_mac_araddr), .s_axil_arvalid(s_axil_mac_arvalid),
    .s_axil_arready(s_axil_mac_arready), .s_axil_rvalid(s_axil_mac_rvalid), .s_axil_rdata(s_axil_mac_rdata),
    .s_axil_rresp(s_axil_mac_rresp), .s_axil_rready(s_axil_mac_rready));

  handfast #(
    .SETS_LOG2(SETS_LOG2), .WAYS(WAYS), .LISTENERS(LISTENERS), .MAX_FRAME(MAX_FRAME), .SEG_DEPTH(SEG_DEPTH),
    .STAGE_BEATS(STAGE_BEATS), .HOST_FIFO_BEATS(HOST_FIFO_BEATS), .EVENT_DEPTH(EVENT_DEPTH),
    .REPLY_DEPTH(REPLY_DEPTH), .CMD_DEPTH(CMD_DEPTH), .TX_BEATS(TX_BEATS), .TX_DESCS(TX_DESCS),
    .HASH_ROUNDS(HASH_ROUNDS), .HASH_SERIAL(HASH_SERIAL), .IP6(IP6)
  ) u_core (
    .clk(clk), .rst(rst), .time_ns(time_ns), .tick_1ms(tick_1ms), .ready(ready),
    .s_axis_rx_tdata(mac_rx_tdata), .s_axis_rx_tkeep(mac_rx_tkeep), .s_axis_rx_tvalid(mac_rx_tvalid),
    .s_axis_rx_tlast(mac_rx_tlast), .s_axis_rx_tuser(mac_rx_tuser),
    .m_axis_tx_tvalid(mac_tx_tvalid), .m_axis_tx_tdata(mac_tx_tdata), .m_axis_tx_tkeep(mac_tx_tkeep),
    .m_axis_tx_tlast(mac_tx_tlast), .m_axis_tx_tready(mac_tx_tready),
    .m_axis_c2h_tdata(m_axis_c2h_tdata), .m_axis_c2h_tvalid(m_axis_c2h_tvalid), .m_axis_c2h_tlast(m_axis_c2h_tlast),
    .m_axis_c2h_tready(m_axis_c2h_tready), .s_axis_h2c_tdata(s_axis_h2c_tdata),
    .s_axis_h2c_tvalid(s_axis_h2c_tvalid), .s_axis_h2c_tlast(s_axis_h2c_tlast),
    .s_axis_h2c_tready(s_axis_h2c_tready),
    .s_axil_awaddr(s_axil_awaddr), .s_axil_awvalid(s_axil_awvalid), .s_axil_awready(s_axil_awready),
    .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb), .s_axil_wvalid(s_axil_wvalid),
    .s_axil_wready(s_axil_wready), .s_axil_bvalid(s_axil_bvalid), .s_axil_bresp(s_axil_bresp),
    .s_axil_bready(s_axil_bready), .s_axil_araddr(s_axil_araddr), .s_axil_arvalid(s_axil_arvalid),
    .s_axil_arready(s_axil_arready), .s_axil_rvalid(s_axil_rvalid), .s_axil_rdata(s_axil_rdata),
    .s_axil_rresp(s_axil_rresp), .s_axil_rready(s_axil_rready),
    .trc_valid(trc_valid), .trc_op(trc_op), .trc_write(trc_write), .trc_slot(trc_slot), .trc_state(trc_state),
    .trc_verdict(trc_verdict), .trc_cause(trc_cause), .trc_stamp(trc_stamp), .trc_entry(trc_entry));

endmodule
