// SPDX-License-Identifier: Apache-2.0
// pnr - the core between two shift registers, so that it can be placed and routed without a board's pins.
//
// Input   din: shifted through all inputs of the core.
// Output  dout: parity of all its outputs but the trace, which is for simulation. Both of a registered value.
module pnr (
  input  logic clk,
  input  logic din,
  output logic dout
);
  localparam int INPUTS = 1 + 64 + 1 + 64 + 8 + 3 + 1 + 1 + 64 + 2 + 12 + 1 + 32 + 4 + 1 + 1 + 12 + 1 + 1;
  localparam int OUTPUTS = 1 + 1 + 64 + 8 + 1 + 1 + 64 + 1 + 1 + 1 + 1 + 1 + 2 + 1 + 1 + 32 + 2;
  logic [INPUTS-1:0]  in_q;
  logic [OUTPUTS-1:0] out, out_q;
  logic [63:0]        time_ns, rx_tdata, h2c_tdata, tx_tdata, c2h_tdata;
  logic [7:0]         rx_tkeep, tx_tkeep;
  logic [11:0]        awaddr, araddr;
  logic [31:0]        wdata, rdata;
  logic [3:0]         wstrb;
  logic [1:0]         bresp, rresp;
  logic               rst, tick_1ms, ready, rx_tvalid, rx_tlast, rx_tuser, tx_tready, c2h_tready, h2c_tvalid, h2c_tlast;
  logic               awvalid, wvalid, bready, arvalid, rready, tx_tvalid, tx_tlast, c2h_tvalid, c2h_tlast, h2c_tready;
  logic               awready, wready, bvalid, arready, rvalid;

  assign {rst, time_ns, tick_1ms, rx_tdata, rx_tkeep, rx_tvalid, rx_tlast, rx_tuser, tx_tready, c2h_tready, h2c_tdata,
          h2c_tvalid, h2c_tlast, awaddr, awvalid, wdata, wstrb, wvalid, bready, araddr, arvalid, rready} = in_q;
  assign out = {ready, tx_tvalid, tx_tdata, tx_tkeep, tx_tlast, c2h_tvalid, c2h_tdata, c2h_tlast, h2c_tready, awready,
                wready, bvalid, bresp, arready, rvalid, rdata, rresp};

  always_ff @(posedge clk) begin
    in_q <= {in_q[INPUTS-2:0], din};
    out_q <= out;
    dout <= ^out_q;
  end

  handfast u_core (
    .clk(clk), .rst(rst), .time_ns(time_ns), .tick_1ms(tick_1ms), .ready(ready),
    .s_axis_rx_tdata(rx_tdata), .s_axis_rx_tkeep(rx_tkeep), .s_axis_rx_tvalid(rx_tvalid),
    .s_axis_rx_tlast(rx_tlast), .s_axis_rx_tuser(rx_tuser),
    .m_axis_tx_tvalid(tx_tvalid), .m_axis_tx_tdata(tx_tdata), .m_axis_tx_tkeep(tx_tkeep),
    .m_axis_tx_tlast(tx_tlast), .m_axis_tx_tready(tx_tready),
    .m_axis_c2h_tvalid(c2h_tvalid), .m_axis_c2h_tdata(c2h_tdata), .m_axis_c2h_tlast(c2h_tlast),
    .m_axis_c2h_tready(c2h_tready),
    .s_axis_h2c_tdata(h2c_tdata), .s_axis_h2c_tvalid(h2c_tvalid), .s_axis_h2c_tlast(h2c_tlast),
    .s_axis_h2c_tready(h2c_tready),
    .s_axil_awaddr(awaddr), .s_axil_awvalid(awvalid), .s_axil_awready(awready), .s_axil_wdata(wdata),
    .s_axil_wstrb(wstrb), .s_axil_wvalid(wvalid), .s_axil_wready(wready), .s_axil_bvalid(bvalid),
    .s_axil_bresp(bresp), .s_axil_bready(bready), .s_axil_araddr(araddr), .s_axil_arvalid(arvalid),
    .s_axil_arready(arready), .s_axil_rvalid(rvalid), .s_axil_rdata(rdata), .s_axil_rresp(rresp),
    .s_axil_rready(rready));
endmodule
