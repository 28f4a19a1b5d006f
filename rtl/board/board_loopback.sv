// SPDX-License-Identifier: Apache-2.0
// board_loopback - a board without its pins and without a core: the MAC, and what it receives goes out again. For trying the tools in
// a minute, and the RGMII pins of a new board with a packet generator, before the core is built for it.
//
// Input   as board_core. Output  frames received intact come back, the others do not.
// Timing  one frame of up to 2,040 octets at a time; what comes meanwhile is lost.

module board_loopback #(
  parameter int PHY_ADDR = 0,
  parameter int MDIO_HALF = 50,
  parameter int POLL_CLKS = 1000000
) (
  input  logic        clk,
  input  logic        rst,
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
  output logic [1:0]  speed
);

  logic [63:0] in_tdata, out_tdata;
  logic [7:0]  in_tkeep, out_tkeep;
  logic        in_tvalid, in_tlast, in_tuser, out_tvalid, out_tlast, out_tready;

  /* verilator lint_off PINCONNECTEMPTY */
  eth_mac #(.PHY_ADDR(PHY_ADDR), .MDIO_HALF(MDIO_HALF), .POLL_CLKS(POLL_CLKS)) u_mac (
    .clk(clk), .rst(rst),
    .s_axis_tx_tdata(out_tdata), .s_axis_tx_tkeep(out_tkeep), .s_axis_tx_tvalid(out_tvalid), .s_axis_tx_tlast(out_tlast),
    .s_axis_tx_tready(out_tready),
    .m_axis_rx_tdata(in_tdata), .m_axis_rx_tkeep(in_tkeep), .m_axis_rx_tvalid(in_tvalid), .m_axis_rx_tlast(in_tlast),
    .m_axis_rx_tuser(in_tuser),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl), .rx_fall_ctl(rx_fall_ctl),
    .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d), .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl),
    .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc), .mdc(mdc), .mdo(mdo), .mdo_en(mdo_en), .mdi(mdi),
    .link(link), .speed(speed),
    .s_axil_awaddr(12'd0), .s_axil_awvalid(1'b0), .s_axil_awready(), .s_axil_wdata(32'd0), .s_axil_wstrb(4'd0),
    .s_axil_wvalid(1'b0), .s_axil_wready(), .s_axil_bvalid(), .s_axil_bresp(), .s_axil_bready(1'b0), .s_axil_araddr(12'd0),
    .s_axil_arvalid(1'b0), .s_axil_arready(), .s_axil_rvalid(), .s_axil_rdata(), .s_axil_rresp(), .s_axil_rready(1'b0));
  /* verilator lint_on PINCONNECTEMPTY */

  // ---- one frame in a block RAM ----

  logic [71:0] memory [0:255];
  logic [7:0]  write_q, read_q, last_q;
  logic        filling_q, skipping_q, sending_q, loaded_q;
  logic [71:0] word_q;
  logic        take;
  logic [7:0]  fetch;     // one address to read, so that the memory can be a block RAM

  assign fetch = loaded_q ? read_q + 8'd1 : 8'd0;

  // A frame that begins while another is being sent is not kept, to its end.
  assign take = in_tvalid && !skipping_q && (filling_q || !sending_q);
  assign out_tvalid = sending_q && loaded_q;
  assign {out_tkeep, out_tdata} = word_q;
  assign out_tlast = read_q == last_q;

  always_ff @(posedge clk) begin
    if (take) memory[write_q] <= {in_tkeep, in_tdata};
    if (in_tvalid) begin
      write_q <= in_tlast ? 8'd0 : write_q + 8'(take);
      filling_q <= take && !in_tlast && write_q != 8'd254;
      skipping_q <= !in_tlast && (!take || write_q == 8'd254);
      if (take && in_tlast && !in_tuser) begin
        sending_q <= 1'b1;
        last_q <= write_q;
        read_q <= 8'd0;
        loaded_q <= 1'b0;
      end
    end
    if (sending_q) begin
      loaded_q <= 1'b1;
      if (loaded_q && out_tready) begin
        read_q <= read_q + 8'd1;
        if (out_tlast) sending_q <= 1'b0;
      end
    end
    if (!loaded_q || out_tready) word_q <= memory[fetch];
    if (rst) begin
      write_q <= 8'd0;
      filling_q <= 1'b0;
      skipping_q <= 1'b0;
      sending_q <= 1'b0;
      loaded_q <= 1'b0;
    end
  end

endmodule
