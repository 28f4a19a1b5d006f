// SPDX-License-Identifier: Apache-2.0
// pcie_endpoint - the card as a PCI Express function, between the core's host side and the transaction layer.
//
// What    docs/pcie.md: BAR0 with the core's registers, its own (regs/pcie.def) and MSI-X; two rings of messages in host
//         memory; interrupts; function level reset. No vendor primitive.
// Input   clk: the core's clock. pcie_clk: that of everything named tlp, cfg and fc. rst, pcie_rst: synchronous to them.
// Output  core_rst: reset of the core. TLPs as byte streams: byte 0 is tdata[7:0] of the first beat.
// Timing  TLPs have no gap inside, and none between them while there is something to send. Signals cross between the
//         clocks in pcie_reset, and in cross_fifo.

module pcie_endpoint #(
  parameter int MAX_FRAME = 1522,       // of the core: a message has at most 16 bytes more
  parameter int C2H_BEATS_LOG2 = 10     // messages on their way up: at least one
) (
  // core
  input  logic        clk,
  input  logic        rst,
  output logic        core_rst,

  input  logic [63:0] s_axis_c2h_tdata,
  input  logic        s_axis_c2h_tvalid,
  input  logic        s_axis_c2h_tlast,
  output logic        s_axis_c2h_tready,

  output logic [63:0] m_axis_h2c_tdata,
  output logic        m_axis_h2c_tvalid,
  output logic        m_axis_h2c_tlast,
  input  logic        m_axis_h2c_tready,

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
  output logic        m_axil_rready,

  // transaction layer
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

  generate
    if ((MAX_FRAME + 16 + 7) / 8 > (1 << C2H_BEATS_LOG2)) begin : g_illegal
      pcie_endpoint_C2H_BEATS_LOG2_must_hold_a_message_of_MAX_FRAME illegal ();
    end
  endgenerate

  // ---- resets ----
  logic core_down, core_reset, flr, flr_clear, flr_core, keep_on_flr, cleared;

  pcie_reset reset (
    .clk(clk), .rst(rst), .core_rst(core_rst), .pcie_clk(pcie_clk), .pcie_rst(pcie_rst),
    .request(core_reset || flr_core), .core_down(core_down)
  );
  assign cleared = pcie_rst || flr_clear;

  // ---- crossings ----
  logic        up_valid, up_ready, down_valid, down_ready;
  logic [64:0] up_data, down_data;
  logic        ask_valid, ask_ready, asked_valid, asked_ready, answer_valid, answer_ready, answered_valid;
  logic [44:0] ask, asked;
  logic [32:0] answer, answered;

  // Whether there is room is asked at each push.
  /* verilator lint_off PINCONNECTEMPTY */
  cross_fifo #(.WIDTH(65), .DEPTH_LOG2(4)) c2h_up (
    .s_clk(clk), .s_rst(core_rst), .s_valid(s_axis_c2h_tvalid), .s_ready(s_axis_c2h_tready),
    .s_data({s_axis_c2h_tlast, s_axis_c2h_tdata}), .s_room(),
    .m_clk(pcie_clk), .m_rst(core_down), .m_valid(up_valid), .m_ready(up_ready), .m_data(up_data)
  );
  cross_fifo #(.WIDTH(65), .DEPTH_LOG2(4)) h2c_down (
    .s_clk(pcie_clk), .s_rst(core_down), .s_valid(down_valid), .s_ready(down_ready), .s_data(down_data), .s_room(),
    .m_clk(clk), .m_rst(core_rst), .m_valid(m_axis_h2c_tvalid), .m_ready(m_axis_h2c_tready),
    .m_data({m_axis_h2c_tlast, m_axis_h2c_tdata})
  );
  cross_fifo #(.WIDTH(45), .DEPTH_LOG2(2)) axil_down (
    .s_clk(pcie_clk), .s_rst(core_down), .s_valid(ask_valid), .s_ready(ask_ready), .s_data(ask), .s_room(),
    .m_clk(clk), .m_rst(core_rst), .m_valid(asked_valid), .m_ready(asked_ready), .m_data(asked)
  );
  cross_fifo #(.WIDTH(33), .DEPTH_LOG2(2)) axil_up (
    .s_clk(clk), .s_rst(core_rst), .s_valid(answer_valid), .s_ready(answer_ready), .s_data(answer), .s_room(),
    .m_clk(pcie_clk), .m_rst(core_down), .m_valid(answered_valid), .m_ready(1'b1), .m_data(answered)
  );
  /* verilator lint_on PINCONNECTEMPTY */

  pcie_axil axil (
    .clk(clk), .rst(core_rst),
    .request_valid(asked_valid), .request_ready(asked_ready), .request(asked),
    .response_valid(answer_valid), .response_ready(answer_ready), .response(answer),
    .m_axil_awaddr(m_axil_awaddr), .m_axil_awvalid(m_axil_awvalid), .m_axil_awready(m_axil_awready),
    .m_axil_wdata(m_axil_wdata), .m_axil_wstrb(m_axil_wstrb), .m_axil_wvalid(m_axil_wvalid),
    .m_axil_wready(m_axil_wready), .m_axil_bvalid(m_axil_bvalid), .m_axil_bresp(m_axil_bresp),
    .m_axil_bready(m_axil_bready), .m_axil_araddr(m_axil_araddr), .m_axil_arvalid(m_axil_arvalid),
    .m_axil_arready(m_axil_arready), .m_axil_rvalid(m_axil_rvalid), .m_axil_rdata(m_axil_rdata),
    .m_axil_rresp(m_axil_rresp), .m_axil_rready(m_axil_rready)
  );

  // ---- from the root complex ----
  logic        request_valid, request_pop, rx_malformed;
  logic [63:0] request;
  logic        cpl_begin, cpl_mine, cpl_has_data, cpl_locked, cpl_poisoned, cpl_data, cpl_end, cpl_good;
  logic [9:0]  cpl_length;
  logic [2:0]  cpl_status;
  logic [11:0] cpl_bytes;
  logic [7:0]  cpl_tag;
  logic [6:0]  cpl_lower;
  logic [31:0] cpl_first;
  logic [63:0] cpl_beat;

  pcie_rx rx (
    .clk(pcie_clk), .rst(pcie_rst), .cfg_id(cfg_id),
    .s_axis_tlp_tdata(s_axis_tlp_tdata), .s_axis_tlp_tkeep(s_axis_tlp_tkeep), .s_axis_tlp_tlast(s_axis_tlp_tlast),
    .s_axis_tlp_tvalid(s_axis_tlp_tvalid), .s_axis_tlp_tready(s_axis_tlp_tready),
    .request_valid(request_valid), .request(request), .request_pop(request_pop),
    .cpl_begin(cpl_begin), .cpl_mine(cpl_mine), .cpl_has_data(cpl_has_data), .cpl_locked(cpl_locked),
    .cpl_poisoned(cpl_poisoned), .cpl_length(cpl_length), .cpl_status(cpl_status), .cpl_bytes(cpl_bytes),
    .cpl_tag(cpl_tag), .cpl_lower(cpl_lower), .cpl_first(cpl_first), .cpl_data(cpl_data), .cpl_beat(cpl_beat),
    .cpl_end(cpl_end), .cpl_good(cpl_good), .malformed(rx_malformed)
  );

  // ---- BAR0 ----
  logic        core_busy, reg_write, table_write, table_busy, partial;
  logic [11:0] acc_address;
  logic [31:0] acc_wdata, reg_rdata, table_rdata;
  logic [3:0]  acc_enables;
  logic        answer_cpl_valid, answer_cpl_take, answer_cpl_done;
  logic [95:0] answer_cpl_header;
  logic [4:0]  answer_cpl_dwords;
  logic [63:0] answer_cpl_data;

  pcie_bar bar (
    .clk(pcie_clk), .rst(pcie_rst), .cfg_id(cfg_id), .refuse(flr),
    .request_valid(request_valid), .request(request), .request_pop(request_pop),
    .core_down(core_down), .core_busy(core_busy), .core_req_valid(ask_valid), .core_req_ready(ask_ready),
    .core_req(ask), .core_rsp_valid(answered_valid), .core_rsp(answered),
    .acc_address(acc_address), .acc_wdata(acc_wdata), .acc_enables(acc_enables), .reg_write(reg_write),
    .reg_rdata(reg_rdata), .table_write(table_write), .table_rdata(table_rdata), .table_busy(table_busy),
    .partial(partial),
    .cpl_valid(answer_cpl_valid), .cpl_header(answer_cpl_header), .cpl_dwords(answer_cpl_dwords),
    .cpl_data(answer_cpl_data), .cpl_take(answer_cpl_take), .cpl_done(answer_cpl_done)
  );

  logic         c2h_enable, h2c_enable, c2h_active, h2c_active, c2h_doorbell, h2c_doorbell;
  logic [63:12] c2h_base, h2c_base;
  logic [4:0]   c2h_size_log2, h2c_size_log2;
  logic [63:0]  status_address;
  logic [19:0]  moderation;
  logic [31:0]  timeout, error, c2h_head, c2h_tail, h2c_head, h2c_tail;
  logic         error_rose, error_length, error_timeout, error_status, c2h_refused, h2c_refused;
  logic         sent_write, sent_read, unexpected, discarded, h2c_malformed, h2c_reached;
  logic [1:0]   c2h_events;
  logic [2:0]   vectors;

  pcie_regs registers (
    .clk(pcie_clk), .rst(pcie_rst), .clear(flr_clear), .flr(flr),
    .write(reg_write), .address(acc_address), .wdata(acc_wdata), .rdata(reg_rdata),
    .c2h_enable(c2h_enable), .h2c_enable(h2c_enable), .keep_on_flr(keep_on_flr), .core_reset(core_reset),
    .c2h_base(c2h_base), .h2c_base(h2c_base), .c2h_size_log2(c2h_size_log2), .h2c_size_log2(h2c_size_log2),
    .status_address(status_address), .moderation(moderation), .timeout(timeout),
    .c2h_doorbell(c2h_doorbell), .h2c_doorbell(h2c_doorbell), .error(error), .error_rose(error_rose),
    .c2h_active(c2h_active), .h2c_active(h2c_active), .bus_master(cfg_bus_master),
    .c2h_head(c2h_head), .c2h_tail(c2h_tail), .h2c_head(h2c_head), .h2c_tail(h2c_tail),
    .error_length(error_length), .error_timeout(error_timeout), .error_status(error_status),
    .error_index(c2h_refused || h2c_refused), .error_partial(partial), .error_malformed(rx_malformed || h2c_malformed),
    .sent_write(sent_write), .sent_read(sent_read), .unexpected(unexpected), .discarded(discarded)
  );

  // ---- rings ----
  logic        write_valid, write_grant, write_take, write_done, read_valid, read_grant;
  logic [63:0] write_address, write_data, read_address;
  logic [9:0]  write_beats, read_beats;
  logic [4:0]  read_tag;

  pcie_c2h #(.DEPTH_LOG2(C2H_BEATS_LOG2)) c2h (
    .clk(pcie_clk), .rst(pcie_rst), .core_down(core_down), .s_valid(up_valid), .s_ready(up_ready), .s_data(up_data),
    .enable(c2h_enable), .base(c2h_base), .size_log2(c2h_size_log2), .doorbell(c2h_doorbell), .value(acc_wdata),
    .tail(c2h_tail), .head(c2h_head), .active(c2h_active), .refused(c2h_refused), .discarded(discarded),
    .events(c2h_events), .cfg_max_payload(cfg_max_payload), .req_valid(write_valid), .req_address(write_address),
    .req_beats(write_beats), .grant(write_grant), .data(write_data), .take(write_take), .done(write_done)
  );

  pcie_h2c h2c (
    .clk(pcie_clk), .rst(pcie_rst), .core_down(core_down),
    .enable(h2c_enable), .base(h2c_base), .size_log2(h2c_size_log2), .doorbell(h2c_doorbell), .value(acc_wdata),
    .timeout(timeout), .tail(h2c_tail), .head(h2c_head), .active(h2c_active), .refused(h2c_refused),
    .reached(h2c_reached), .error_length(error_length), .error_timeout(error_timeout), .error_status(error_status),
    .unexpected(unexpected), .malformed(h2c_malformed), .cfg_max_read(cfg_max_read), .req_valid(read_valid),
    .req_address(read_address), .req_beats(read_beats), .req_tag(read_tag), .grant(read_grant),
    .cpl_begin(cpl_begin), .cpl_mine(cpl_mine), .cpl_has_data(cpl_has_data), .cpl_locked(cpl_locked),
    .cpl_poisoned(cpl_poisoned), .cpl_length(cpl_length), .cpl_status(cpl_status), .cpl_bytes(cpl_bytes),
    .cpl_tag(cpl_tag), .cpl_lower(cpl_lower), .cpl_first(cpl_first), .cpl_data(cpl_data), .cpl_beat(cpl_beat),
    .cpl_end(cpl_end), .cpl_good(cpl_good), .m_valid(down_valid), .m_ready(down_ready), .m_data(down_data)
  );

  logic        status_valid, status_grant, status_take, status_done, msix_valid, msix_grant, rings_active;
  logic [63:0] status_data, msix_address;
  logic [31:0] msix_data;
  logic        sending;                 // a write of the status block or of c2h is not wholly on its way
  assign rings_active = c2h_active || h2c_active;

  pcie_status status (
    .clk(pcie_clk), .rst(cleared), .active(rings_active), .address(status_address), .moderation(moderation),
    .c2h_tail(c2h_tail), .h2c_head(h2c_head), .error(error), .events({error_rose, c2h_events[1], c2h_events[0] || h2c_reached}),
    .req_valid(status_valid), .req_data(status_data), .req_take(status_take), .grant(status_grant), .done(status_done),
    .vectors(vectors)
  );

  pcie_msix msix (
    .clk(pcie_clk), .rst(pcie_rst), .clear(flr_clear), .busy(table_busy), .enable(cfg_msix_enable),
    .function_mask(cfg_msix_mask), .set(vectors), .write(table_write), .address(acc_address), .enables(acc_enables),
    .wdata(acc_wdata), .rdata(table_rdata), .req_valid(msix_valid), .req_address(msix_address), .req_data(msix_data),
    .grant(msix_grant)
  );

  pcie_flr function_reset (
    .clk(pcie_clk), .rst(pcie_rst), .cfg_flr(cfg_flr), .cfg_flr_done(cfg_flr_done),
    .quiet(!c2h_active && !h2c_active && !core_busy && !sending), .keep(keep_on_flr), .settled(!table_busy && !core_down),
    .active(flr), .clear(flr_clear), .core_request(flr_core)
  );

  // ---- to the root complex ----
  always_ff @(posedge pcie_clk) begin
    if (pcie_rst || write_done || status_done) sending <= 1'b0;
    else if (write_grant || status_grant) sending <= 1'b1;
  end

  pcie_tx tx (
    .clk(pcie_clk), .rst(pcie_rst), .cfg_id(cfg_id), .dma(cfg_bus_master && !flr),
    .fc_ph(fc_ph), .fc_pd(fc_pd), .fc_nph(fc_nph),
    .cpl_valid(answer_cpl_valid), .cpl_header(answer_cpl_header), .cpl_dwords(answer_cpl_dwords),
    .cpl_data(answer_cpl_data), .cpl_take(answer_cpl_take), .cpl_done(answer_cpl_done),
    .status_valid(status_valid), .status_address(status_address), .status_data(status_data),
    .status_grant(status_grant), .status_take(status_take), .status_done(status_done),
    .msix_valid(msix_valid), .msix_address(msix_address), .msix_data(msix_data), .msix_grant(msix_grant),
    .read_valid(read_valid), .read_address(read_address), .read_beats(read_beats), .read_tag(read_tag),
    .read_grant(read_grant), .write_valid(write_valid), .write_address(write_address), .write_beats(write_beats),
    .write_data(write_data), .write_grant(write_grant), .write_take(write_take), .write_done(write_done),
    .sent_write(sent_write), .sent_read(sent_read),
    .m_axis_tlp_tdata(m_axis_tlp_tdata), .m_axis_tlp_tkeep(m_axis_tlp_tkeep), .m_axis_tlp_tlast(m_axis_tlp_tlast),
    .m_axis_tlp_tvalid(m_axis_tlp_tvalid), .m_axis_tlp_tready(m_axis_tlp_tready)
  );

endmodule
