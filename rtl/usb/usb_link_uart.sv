// SPDX-License-Identifier: Apache-2.0
// usb_link_uart - the byte link over a UART: usb_link and usb_uart, nothing of its own.
//
// Input, output and timing as there; everything on clk, rxd asynchronous.

module usb_link_uart #(
  parameter int MAX_FRAME = 1522,
  parameter int CLK_HZ = 62500000,
  parameter int BAUD = 12000000
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        tick_1ms,
  output logic        core_rst,

  input  logic [63:0] s_axis_c2h_tdata,
  input  logic        s_axis_c2h_tvalid,
  input  logic        s_axis_c2h_tlast,
  output logic        s_axis_c2h_tready,

  output logic [63:0] m_axis_h2c_tdata,
  output logic        m_axis_h2c_tvalid,
  output logic        m_axis_h2c_tlast,
  input  logic        m_axis_h2c_tready,

  output logic        open,
  output logic        cnt_damaged,
  output logic        cnt_refused,
  output logic        cnt_resent,
  output logic        cnt_discarded,

  output logic        txd,
  input  logic        rxd
);

  logic [7:0] up_tdata, down_tdata;
  logic       up_tvalid, up_tlast, up_tready, down_tvalid, down_tready;

  usb_link #(.MAX_FRAME(MAX_FRAME), .ASK_MS(100)) link (
    .clk(clk), .rst(rst), .tick_1ms(tick_1ms), .core_rst(core_rst), .s_axis_c2h_tdata(s_axis_c2h_tdata),
    .s_axis_c2h_tvalid(s_axis_c2h_tvalid), .s_axis_c2h_tlast(s_axis_c2h_tlast), .s_axis_c2h_tready(s_axis_c2h_tready),
    .m_axis_h2c_tdata(m_axis_h2c_tdata), .m_axis_h2c_tvalid(m_axis_h2c_tvalid), .m_axis_h2c_tlast(m_axis_h2c_tlast),
    .m_axis_h2c_tready(m_axis_h2c_tready), .m_axis_up_tdata(up_tdata), .m_axis_up_tvalid(up_tvalid),
    .m_axis_up_tlast(up_tlast), .m_axis_up_tready(up_tready), .s_axis_down_tdata(down_tdata),
    .s_axis_down_tvalid(down_tvalid), .s_axis_down_tready(down_tready), .open(open), .cnt_damaged(cnt_damaged),
    .cnt_refused(cnt_refused), .cnt_resent(cnt_resent), .cnt_discarded(cnt_discarded));

  usb_uart #(.CLK_HZ(CLK_HZ), .BAUD(BAUD)) uart (
    .clk(clk), .rst(rst), .s_axis_up_tdata(up_tdata), .s_axis_up_tvalid(up_tvalid), .s_axis_up_tlast(up_tlast),
    .s_axis_up_tready(up_tready), .m_axis_down_tdata(down_tdata), .m_axis_down_tvalid(down_tvalid),
    .m_axis_down_tready(down_tready), .txd(txd), .rxd(rxd));

endmodule
