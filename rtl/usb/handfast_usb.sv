// SPDX-License-Identifier: Apache-2.0
// handfast_usb - the core and its link on a cable: an FT2232H or FT232H as a FIFO, or with UART = 1 what is behind a UART.
//
// Input, output, timing: those of the core's wire side (handfast.sv) at 64 bits, and the cable's pins (usb_cable.sv). Registers
// are reached by messages; the core's AXI-Lite rests.

module handfast_usb #(
  parameter int SETS_LOG2 = 8,
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
  parameter int UART = 0,
  parameter int CLK_HZ = 62500000,
  parameter int BAUD = 12000000
) (
  input  logic        clk,
  input  logic        rst,
  input  logic [63:0] time_ns,
  input  logic        tick_1ms,
  output logic        ready,
  output logic        open,

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

  input  logic        ft_clk,
  input  logic        rxf_n,
  input  logic        txe_n,
  output logic        oe_n,
  output logic        rd_n,
  output logic        wr_n,
  output logic        siwu_n,
  input  logic [7:0]  data_i,
  output logic [7:0]  data_o,
  output logic        data_oe,

  output logic        txd,
  input  logic        rxd
);

  logic [63:0] c2h_tdata, h2c_tdata;
  logic        c2h_tvalid, c2h_tlast, c2h_tready, h2c_tvalid, h2c_tlast, h2c_tready, core_rst;

  /* verilator lint_off PINCONNECTEMPTY */
  handfast #(
    .SETS_LOG2(SETS_LOG2), .LISTENERS(LISTENERS), .RULES(RULES), .MAX_FRAME(MAX_FRAME), .SEG_DEPTH(SEG_DEPTH), .STAGE_BEATS(STAGE_BEATS),
    .HOST_FIFO_BEATS(HOST_FIFO_BEATS), .EVENT_DEPTH(EVENT_DEPTH), .REPLY_DEPTH(REPLY_DEPTH), .CMD_DEPTH(CMD_DEPTH),
    .TX_BEATS(TX_BEATS), .TX_DESCS(TX_DESCS), .HASH_ROUNDS(HASH_ROUNDS)
  ) core (
    .clk(clk), .rst(core_rst), .time_ns(time_ns), .tick_1ms(tick_1ms), .ready(ready),
    .s_axis_rx_tdata(s_axis_rx_tdata), .s_axis_rx_tkeep(s_axis_rx_tkeep), .s_axis_rx_tvalid(s_axis_rx_tvalid),
    .s_axis_rx_tlast(s_axis_rx_tlast), .s_axis_rx_tuser(s_axis_rx_tuser),
    .m_axis_tx_tvalid(m_axis_tx_tvalid), .m_axis_tx_tdata(m_axis_tx_tdata), .m_axis_tx_tkeep(m_axis_tx_tkeep),
    .m_axis_tx_tlast(m_axis_tx_tlast), .m_axis_tx_tready(m_axis_tx_tready),
    .m_axis_c2h_tvalid(c2h_tvalid), .m_axis_c2h_tdata(c2h_tdata), .m_axis_c2h_tlast(c2h_tlast),
    .m_axis_c2h_tready(c2h_tready), .s_axis_h2c_tdata(h2c_tdata), .s_axis_h2c_tvalid(h2c_tvalid),
    .s_axis_h2c_tlast(h2c_tlast), .s_axis_h2c_tready(h2c_tready),
    .s_axil_awaddr(12'd0), .s_axil_awvalid(1'b0), .s_axil_awready(), .s_axil_wdata(32'd0), .s_axil_wstrb(4'd0),
    .s_axil_wvalid(1'b0), .s_axil_wready(), .s_axil_bvalid(), .s_axil_bresp(), .s_axil_bready(1'b0),
    .s_axil_araddr(12'd0), .s_axil_arvalid(1'b0), .s_axil_arready(), .s_axil_rvalid(), .s_axil_rdata(), .s_axil_rresp(),
    .s_axil_rready(1'b0), .trc_valid(), .trc_op(), .trc_write(), .trc_slot(), .trc_state(), .trc_verdict(), .trc_cause(),
    .trc_stamp(), .trc_entry());

  usb_cable #(.UART(UART), .MAX_FRAME(MAX_FRAME), .CLK_HZ(CLK_HZ), .BAUD(BAUD)) card (
    .clk(clk), .rst(rst), .tick_1ms(tick_1ms), .core_rst(core_rst), .s_axis_c2h_tdata(c2h_tdata),
    .s_axis_c2h_tvalid(c2h_tvalid && !core_rst), .s_axis_c2h_tlast(c2h_tlast), .s_axis_c2h_tready(c2h_tready),
    .m_axis_h2c_tdata(h2c_tdata), .m_axis_h2c_tvalid(h2c_tvalid), .m_axis_h2c_tlast(h2c_tlast),
    .m_axis_h2c_tready(h2c_tready && !core_rst), .open(open),
    .ft_clk(ft_clk), .rxf_n(rxf_n), .txe_n(txe_n), .oe_n(oe_n), .rd_n(rd_n), .wr_n(wr_n), .siwu_n(siwu_n),
    .data_i(data_i), .data_o(data_o), .data_oe(data_oe),
    .txd(txd), .rxd(rxd));
  /* verilator lint_on PINCONNECTEMPTY */

endmodule
