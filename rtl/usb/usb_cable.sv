// SPDX-License-Identifier: Apache-2.0
// usb_cable - the byte link over what a board has: a UART (usb_link_uart), or an FT2232H or FT232H (usb_link_ft245).
//
// Input, output and timing as there. The pins of the other one are idle.

module usb_cable #(
  parameter int UART = 1,
  parameter int MAX_FRAME = 1522,
  parameter int CLK_HZ = 62500000,  // UART: of clk
  parameter int BAUD = 12000000     // UART
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

  /* verilator lint_off PINCONNECTEMPTY */
  generate
    if (UART != 0) begin : g_uart
      usb_link_uart #(.MAX_FRAME(MAX_FRAME), .CLK_HZ(CLK_HZ), .BAUD(BAUD)) u_link (
        .clk(clk), .rst(rst), .tick_1ms(tick_1ms), .core_rst(core_rst), .s_axis_c2h_tdata(s_axis_c2h_tdata),
        .s_axis_c2h_tvalid(s_axis_c2h_tvalid), .s_axis_c2h_tlast(s_axis_c2h_tlast),
        .s_axis_c2h_tready(s_axis_c2h_tready), .m_axis_h2c_tdata(m_axis_h2c_tdata),
        .m_axis_h2c_tvalid(m_axis_h2c_tvalid), .m_axis_h2c_tlast(m_axis_h2c_tlast),
        .m_axis_h2c_tready(m_axis_h2c_tready), .open(open), .cnt_damaged(), .cnt_refused(), .cnt_resent(),
        .cnt_discarded(),
        .txd(txd), .rxd(rxd));
      logic unused;
      assign unused = ^{ft_clk, rxf_n, txe_n, data_i};
      assign {oe_n, rd_n, wr_n, siwu_n} = 4'hf;
      assign data_o = 8'd0;
      assign data_oe = 1'b0;
    end else begin : g_ft245
      usb_link_ft245 #(.MAX_FRAME(MAX_FRAME)) u_link (
        .clk(clk), .rst(rst), .tick_1ms(tick_1ms), .core_rst(core_rst), .s_axis_c2h_tdata(s_axis_c2h_tdata),
        .s_axis_c2h_tvalid(s_axis_c2h_tvalid), .s_axis_c2h_tlast(s_axis_c2h_tlast),
        .s_axis_c2h_tready(s_axis_c2h_tready), .m_axis_h2c_tdata(m_axis_h2c_tdata),
        .m_axis_h2c_tvalid(m_axis_h2c_tvalid), .m_axis_h2c_tlast(m_axis_h2c_tlast),
        .m_axis_h2c_tready(m_axis_h2c_tready), .open(open), .cnt_damaged(), .cnt_refused(), .cnt_resent(),
        .cnt_discarded(),
        .ft_clk(ft_clk), .rxf_n(rxf_n), .txe_n(txe_n), .oe_n(oe_n), .rd_n(rd_n), .wr_n(wr_n), .siwu_n(siwu_n),
        .data_i(data_i), .data_o(data_o), .data_oe(data_oe));
      logic unused;
      assign unused = rxd;
      assign txd = 1'b1;
    end
  endgenerate
  /* verilator lint_on PINCONNECTEMPTY */

endmodule
