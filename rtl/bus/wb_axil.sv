// SPDX-License-Identifier: Apache-2.0
// wb_axil - registers on a Wishbone bus (B4, classic cycles, 32 bits, as LiteX has it) for what has them on AXI-Lite:
// the core (regs/regs.def), the MAC (regs/eth.def).
//
// Input   wb_*: a classic slave. wb_adr counts words, as LiteX does: byte offset = 4 * wb_adr. m_axil_*: to the registers.
// Output  wb_ack, or wb_err where AXI-Lite answers with an error (unmapped, refused, not all of wb_sel set on a write).
// Timing  one access at a time; ack is a register, one clock behind the AXI-Lite response. A master that gives up (cyc
//         falls) gets no ack; the access ends behind it, and the next one waits for that.

module wb_axil (
  input  logic        clk,
  input  logic        rst,

  input  logic        wb_cyc,
  input  logic        wb_stb,
  input  logic        wb_we,
  input  logic [9:0]  wb_adr,
  input  logic [3:0]  wb_sel,
  input  logic [31:0] wb_dat_w,
  output logic [31:0] wb_dat_r,
  output logic        wb_ack,
  output logic        wb_err,

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

  logic busy_q;      // an access is under way on AXI-Lite
  logic wanted_q;    // and the master still waits for it
  logic done;

  assign done = (m_axil_bvalid && m_axil_bready) || (m_axil_rvalid && m_axil_rready);

  always_ff @(posedge clk) begin
    wb_ack <= 1'b0;
    wb_err <= 1'b0;
    if (m_axil_awready) m_axil_awvalid <= 1'b0;
    if (m_axil_wready) m_axil_wvalid <= 1'b0;
    if (m_axil_arready) m_axil_arvalid <= 1'b0;
    if (!wb_cyc || !wb_stb) wanted_q <= 1'b0;
    if (busy_q) begin
      if (done) begin
        busy_q <= 1'b0;
        m_axil_bready <= 1'b0;
        m_axil_rready <= 1'b0;
        wb_dat_r <= m_axil_rdata;
        if (wanted_q && wb_cyc && wb_stb) begin
          wb_ack <= !(m_axil_rready ? m_axil_rresp[1] : m_axil_bresp[1]);
          wb_err <= m_axil_rready ? m_axil_rresp[1] : m_axil_bresp[1];
        end
      end
    end else if (wb_cyc && wb_stb && !wb_ack && !wb_err) begin
      // In the clock of ack the access before is still on the bus.
      busy_q <= 1'b1;
      wanted_q <= 1'b1;
      m_axil_awaddr <= {wb_adr, 2'd0};
      m_axil_araddr <= {wb_adr, 2'd0};
      m_axil_wdata <= wb_dat_w;
      m_axil_wstrb <= wb_sel;
      m_axil_awvalid <= wb_we;
      m_axil_wvalid <= wb_we;
      m_axil_bready <= wb_we;
      m_axil_arvalid <= !wb_we;
      m_axil_rready <= !wb_we;
    end
    if (rst) begin
      busy_q <= 1'b0;
      wanted_q <= 1'b0;
      wb_ack <= 1'b0;
      wb_err <= 1'b0;
      m_axil_awvalid <= 1'b0;
      m_axil_wvalid <= 1'b0;
      m_axil_arvalid <= 1'b0;
      m_axil_bready <= 1'b0;
      m_axil_rready <= 1'b0;
    end
  end

  logic unused;
  assign unused = m_axil_bresp[0] ^ m_axil_rresp[0];

endmodule
