// SPDX-License-Identifier: Apache-2.0
// handfast_pcie - the core and its PCI Express endpoint, for a board whose host is behind PCI Express.
//
// What    handfast at 64 bits and pcie_endpoint, nothing else. The wire and the clock of day are the board's; the hard
//         block too (pcie_xilinx7 for the 7 series).
// Input   ports of the two, by their names. rst resets the core, the endpoint's side of clk, and nothing of pcie_clk.
// Timing  that of the two.
`include "handfast_defs.svh"
module handfast_pcie #(
  parameter int SETS_LOG2 = 8,
  parameter int WAYS = 4,
  parameter int LISTENERS = 16,
  parameter int RULES = 8,
  parameter int MAX_FRAME = 1522,
  parameter int SEG_DEPTH = 16,
  parameter int STAGE_BEATS = 512,
  parameter int HOST_FIFO_BEATS = 2048,
  parameter int EVENT_DEPTH = 32,
  parameter int REPLY_DEPTH = 32,
  parameter int CMD_DEPTH = 4,
  parameter int TX_BEATS = 512,
  parameter int TX_DESCS = 16,
  parameter int HASH_ROUNDS = 1,
  parameter int C2H_BEATS_LOG2 = 10
) (
  input  logic        clk,
  input  logic        rst,
  input  logic [63:0] time_ns,
  input  logic        tick_1ms,
  output logic        ready,

  input  logic [63:0] s_axis_rx_tdata,
  input  logic [7:0]  s_axis_rx_tkeep,
  input  logic        s_axis_rx_tvalid,
  input  logic        s_axis_rx_tlast,
  input  logic        s_axis_rx_tuser,
  output logic        m_axis_tx_tvalid,
  output logic [63:0] m_axis_tx_tdata,
  output logic [7:0]  m_axis_tx_tkeep,
  output logic        m_axis_tx_tlast,
  input  logic        m_axis_tx_tready,

  input  logic        pcie_clk,
  input  logic        pcie_rst,
  input  logic [63:0] s_axis_tlp_tdata,
  input  logic [7:0]  s_axis_tlp_tkeep,
  input  logic        s_axis_tlp_tlast,
  input  logic        s_axis_tlp_tvalid,
  output logic        s_axis_tlp_tready,
  output logic [63:0] m_axis_tlp_tdata,
  output logic [7:0]  m_axis_tlp_tkeep,
  output logic        m_axis_tlp_tlast,
  output logic        m_axis_tlp_tvalid,
  input  logic        m_axis_tlp_tready,
  input  logic        cfg_bus_master,
  input  logic [2:0]  cfg_max_payload,
  input  logic [2:0]  cfg_max_read,
  input  logic [15:0] cfg_id,
  input  logic        cfg_msix_enable,
  input  logic        cfg_msix_mask,
  input  logic        cfg_flr,
  output logic        cfg_flr_done,
  input  logic [7:0]  fc_ph,
  input  logic [11:0] fc_pd,
  input  logic [7:0]  fc_nph
);

  logic        core_rst;
  logic [63:0] c2h_tdata, h2c_tdata;
  logic        c2h_tvalid, c2h_tlast, c2h_tready, h2c_tvalid, h2c_tlast, h2c_tready;
  logic [11:0] awaddr, araddr;
  logic [31:0] wdata, rdata;
  logic [3:0]  wstrb;
  logic [1:0]  bresp, rresp;
  logic        awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready;

  pcie_endpoint #(.MAX_FRAME(MAX_FRAME), .C2H_BEATS_LOG2(C2H_BEATS_LOG2)) endpoint (
    .clk(clk), .rst(rst), .core_rst(core_rst),
    .s_axis_c2h_tdata(c2h_tdata), .s_axis_c2h_tvalid(c2h_tvalid), .s_axis_c2h_tlast(c2h_tlast),
    .s_axis_c2h_tready(c2h_tready), .m_axis_h2c_tdata(h2c_tdata), .m_axis_h2c_tvalid(h2c_tvalid),
    .m_axis_h2c_tlast(h2c_tlast), .m_axis_h2c_tready(h2c_tready),
    .m_axil_awaddr(awaddr), .m_axil_awvalid(awvalid), .m_axil_awready(awready), .m_axil_wdata(wdata),
    .m_axil_wstrb(wstrb), .m_axil_wvalid(wvalid), .m_axil_wready(wready), .m_axil_bvalid(bvalid),
    .m_axil_bresp(bresp), .m_axil_bready(bready), .m_axil_araddr(araddr), .m_axil_arvalid(arvalid),
    .m_axil_arready(arready), .m_axil_rvalid(rvalid), .m_axil_rdata(rdata), .m_axil_rresp(rresp), .m_axil_rready(rready),
    .pcie_clk(pcie_clk), .pcie_rst(pcie_rst),
    .s_axis_tlp_tdata(s_axis_tlp_tdata), .s_axis_tlp_tkeep(s_axis_tlp_tkeep), .s_axis_tlp_tlast(s_axis_tlp_tlast),
    .s_axis_tlp_tvalid(s_axis_tlp_tvalid), .s_axis_tlp_tready(s_axis_tlp_tready),
    .m_axis_tlp_tdata(m_axis_tlp_tdata), .m_axis_tlp_tkeep(m_axis_tlp_tkeep), .m_axis_tlp_tlast(m_axis_tlp_tlast),
    .m_axis_tlp_tvalid(m_axis_tlp_tvalid), .m_axis_tlp_tready(m_axis_tlp_tready),
    .cfg_bus_master(cfg_bus_master), .cfg_max_payload(cfg_max_payload), .cfg_max_read(cfg_max_read), .cfg_id(cfg_id),
    .cfg_msix_enable(cfg_msix_enable), .cfg_msix_mask(cfg_msix_mask), .cfg_flr(cfg_flr), .cfg_flr_done(cfg_flr_done),
    .fc_ph(fc_ph), .fc_pd(fc_pd), .fc_nph(fc_nph)
  );

  // The trace is for simulation.
  /* verilator lint_off PINCONNECTEMPTY */
  handfast #(
    .SETS_LOG2(SETS_LOG2), .WAYS(WAYS), .LISTENERS(LISTENERS), .RULES(RULES), .MAX_FRAME(MAX_FRAME), .SEG_DEPTH(SEG_DEPTH),
    .STAGE_BEATS(STAGE_BEATS), .HOST_FIFO_BEATS(HOST_FIFO_BEATS), .EVENT_DEPTH(EVENT_DEPTH), .REPLY_DEPTH(REPLY_DEPTH),
    .CMD_DEPTH(CMD_DEPTH), .TX_BEATS(TX_BEATS), .TX_DESCS(TX_DESCS), .HASH_ROUNDS(HASH_ROUNDS)
  ) core (
    .clk(clk), .rst(core_rst), .time_ns(time_ns), .tick_1ms(tick_1ms), .ready(ready),
    .s_axis_rx_tdata(s_axis_rx_tdata), .s_axis_rx_tkeep(s_axis_rx_tkeep), .s_axis_rx_tvalid(s_axis_rx_tvalid),
    .s_axis_rx_tlast(s_axis_rx_tlast), .s_axis_rx_tuser(s_axis_rx_tuser),
    .m_axis_tx_tvalid(m_axis_tx_tvalid), .m_axis_tx_tdata(m_axis_tx_tdata), .m_axis_tx_tkeep(m_axis_tx_tkeep),
    .m_axis_tx_tlast(m_axis_tx_tlast), .m_axis_tx_tready(m_axis_tx_tready),
    .m_axis_c2h_tvalid(c2h_tvalid), .m_axis_c2h_tdata(c2h_tdata), .m_axis_c2h_tlast(c2h_tlast),
    .m_axis_c2h_tready(c2h_tready), .s_axis_h2c_tdata(h2c_tdata), .s_axis_h2c_tvalid(h2c_tvalid),
    .s_axis_h2c_tlast(h2c_tlast), .s_axis_h2c_tready(h2c_tready),
    .s_axil_awaddr(awaddr), .s_axil_awvalid(awvalid), .s_axil_awready(awready), .s_axil_wdata(wdata),
    .s_axil_wstrb(wstrb), .s_axil_wvalid(wvalid), .s_axil_wready(wready), .s_axil_bvalid(bvalid), .s_axil_bresp(bresp),
    .s_axil_bready(bready), .s_axil_araddr(araddr), .s_axil_arvalid(arvalid), .s_axil_arready(arready),
    .s_axil_rvalid(rvalid), .s_axil_rdata(rdata), .s_axil_rresp(rresp), .s_axil_rready(rready),
    .trc_valid(), .trc_op(), .trc_write(), .trc_slot(), .trc_state(), .trc_verdict(), .trc_cause(), .trc_stamp(),
    .trc_entry()
  );
  /* verilator lint_on PINCONNECTEMPTY */

endmodule
