// SPDX-License-Identifier: Apache-2.0
// pcie_axil - one access to the core's registers at a time, as AXI-Lite master.
//
// Input   request: {write, address[11:0], data[31:0]}, taken when idle.
// Output  response: {error, data[31:0]}, one for each request; error: the response was not OKAY.
// Timing  valid signals stay until their ready; no two accesses overlap.

module pcie_axil (
  input  logic        clk,
  input  logic        rst,

  input  logic        request_valid,
  output logic        request_ready,
  input  logic [44:0] request,
  output logic        response_valid,
  input  logic        response_ready,
  output logic [32:0] response,

  output logic [11:0] m_axil_awaddr,
  output logic        m_axil_awvalid,
  input  logic        m_axil_awready,
  output logic [31:0] m_axil_wdata,
  output logic [3:0]  m_axil_wstrb,
  output logic        m_axil_wvalid,
  input  logic        m_axil_wready,
  input  logic        m_axil_bvalid,
  input  logic [1:0]  m_axil_bresp,
  output logic        m_axil_bready,
  output logic [11:0] m_axil_araddr,
  output logic        m_axil_arvalid,
  input  logic        m_axil_arready,
  input  logic        m_axil_rvalid,
  input  logic [31:0] m_axil_rdata,
  input  logic [1:0]  m_axil_rresp,
  output logic        m_axil_rready
);

  logic [43:0] request_q;
  logic        busy_q;

  assign request_ready = !busy_q;
  assign m_axil_awaddr = request_q[43:32];
  assign m_axil_araddr = request_q[43:32];
  assign m_axil_wdata = request_q[31:0];
  assign m_axil_wstrb = 4'hf;

  always_ff @(posedge clk) begin
    if (rst) begin
      busy_q <= 1'b0;
      response_valid <= 1'b0;
      m_axil_awvalid <= 1'b0;
      m_axil_wvalid <= 1'b0;
      m_axil_bready <= 1'b0;
      m_axil_arvalid <= 1'b0;
      m_axil_rready <= 1'b0;
    end else begin
      if (m_axil_awready) m_axil_awvalid <= 1'b0;
      if (m_axil_wready) m_axil_wvalid <= 1'b0;
      if (m_axil_arready) m_axil_arvalid <= 1'b0;
      if (m_axil_bready && m_axil_bvalid) begin
        m_axil_bready <= 1'b0;
        response_valid <= 1'b1;
      end
      if (m_axil_rready && m_axil_rvalid) begin
        m_axil_rready <= 1'b0;
        response_valid <= 1'b1;
      end
      if (response_valid && response_ready) begin
        response_valid <= 1'b0;
        busy_q <= 1'b0;
      end
      if (request_valid && !busy_q) begin
        busy_q <= 1'b1;
        m_axil_awvalid <= request[44];
        m_axil_wvalid <= request[44];
        m_axil_bready <= request[44];
        m_axil_arvalid <= !request[44];
        m_axil_rready <= !request[44];
      end
    end
    if (!busy_q) request_q <= request[43:0];
    if (m_axil_bready && m_axil_bvalid) response <= {m_axil_bresp != 2'd0, 32'd0};
    if (m_axil_rready && m_axil_rvalid) response <= {m_axil_rresp != 2'd0, m_axil_rdata};
  end

endmodule
