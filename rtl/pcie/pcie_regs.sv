// SPDX-License-Identifier: Apache-2.0
// pcie_regs - the endpoint's registers, regs/pcie.def.
//
// Input   write of a whole dword; address for it and for rdata. clear: function level reset: all but CTRL.KEEP_ON_FLR
//         as after reset. The rest is what the units report; pulses count, or set a bit of ERROR.
// Output  the fields. doorbells: the write of this cycle is one. core_reset: CTRL.CORE_RESET was written.
//         error_rose: ERROR became non-zero.
// Timing  a write is in effect with the next cycle, rdata is of this one.
`include "handfast_defs.svh"
module pcie_regs (
  input  logic        clk,
  input  logic        rst,
  input  logic        clear,
  input  logic        flr,

  input  logic        write,
  input  logic [11:0] address,
  input  logic [31:0] wdata,
  output logic [31:0] rdata,

  output logic        c2h_enable,
  output logic        h2c_enable,
  output logic        keep_on_flr,
  output logic        core_reset,
  output logic [63:12] c2h_base,
  output logic [63:12] h2c_base,
  output logic [4:0]  c2h_size_log2,
  output logic [4:0]  h2c_size_log2,
  output logic [63:0] status_address,
  output logic [19:0] moderation,
  output logic [31:0] timeout,
  output logic        c2h_doorbell,
  output logic        h2c_doorbell,
  output logic [31:0] error,
  output logic        error_rose,

  input  logic        c2h_active,
  input  logic        h2c_active,
  input  logic        bus_master,
  input  logic [31:0] c2h_head,
  input  logic [31:0] c2h_tail,
  input  logic [31:0] h2c_head,
  input  logic [31:0] h2c_tail,
  input  logic        error_length,
  input  logic        error_timeout,
  input  logic        error_status,
  input  logic        error_index,
  input  logic        error_partial,
  input  logic        error_malformed,
  input  logic        sent_write,
  input  logic        sent_read,
  input  logic        unexpected,
  input  logic        discarded
);

  logic [1:0]  rings_q;
  logic [4:0]  c2h_size_q, h2c_size_q;
  logic [25:0] status_lo_q;
  logic [31:0] status_hi_q;
  logic [6:0]  error_q, error_set, error_clear;
  logic [31:0] writes_q, reads_q, unexpected_q, discarded_q;
  logic        c2h_busy, h2c_busy, refused;

  function automatic [4:0] clamp(input [4:0] log2);
    clamp = log2 < 5'd12 ? 5'd12 : log2 > 5'd22 ? 5'd22 : log2;
  endfunction

  // A ring is off at once when the function is being reset.
  assign c2h_enable = rings_q[0] && !flr;
  assign h2c_enable = rings_q[1] && !flr;
  assign c2h_busy = rings_q[0] || c2h_active;
  assign h2c_busy = rings_q[1] || h2c_active;
  assign c2h_size_log2 = clamp(c2h_size_q);
  assign h2c_size_log2 = clamp(h2c_size_q);
  assign status_address = {status_hi_q, status_lo_q, 6'd0};
  assign core_reset = write && address == `HF_PCIE_CTRL && wdata[3];
  assign c2h_doorbell = write && address == `HF_PCIE_C2H_HEAD;
  assign h2c_doorbell = write && address == `HF_PCIE_H2C_TAIL;

  always @* begin
    case (address)
      `HF_PCIE_C2H_BASE_LO, `HF_PCIE_C2H_BASE_HI, `HF_PCIE_C2H_SIZE: refused = write && c2h_busy;
      `HF_PCIE_H2C_BASE_LO, `HF_PCIE_H2C_BASE_HI, `HF_PCIE_H2C_SIZE: refused = write && h2c_busy;
      `HF_PCIE_STATUS_LO, `HF_PCIE_STATUS_HI: refused = write && (c2h_busy || h2c_busy);
      default: refused = 1'b0;
    endcase
  end

  assign error = {25'd0, error_q};
  assign error_set = {error_malformed, error_partial, refused, error_index, error_status, error_timeout, error_length};
  assign error_clear = write && address == `HF_PCIE_ERROR ? wdata[6:0] : 7'd0;
  assign error_rose = error_q == 7'd0 && error_set != 7'd0;

  always @* begin
    case (address)
      `HF_PCIE_ID: rdata = `HF_PCIE_RESET_ID;
      `HF_PCIE_VERSION: rdata = `HF_PCIE_RESET_VERSION;
      `HF_PCIE_CTRL: rdata = {29'd0, keep_on_flr, rings_q};
      `HF_PCIE_STATUS: rdata = {29'd0, bus_master, h2c_busy, c2h_busy};
      `HF_PCIE_ERROR: rdata = error;
      `HF_PCIE_C2H_BASE_LO: rdata = {c2h_base[31:12], 12'd0};
      `HF_PCIE_C2H_BASE_HI: rdata = c2h_base[63:32];
      `HF_PCIE_C2H_SIZE: rdata = {27'd0, c2h_size_q};
      `HF_PCIE_C2H_HEAD: rdata = c2h_head;
      `HF_PCIE_C2H_TAIL: rdata = c2h_tail;
      `HF_PCIE_H2C_BASE_LO: rdata = {h2c_base[31:12], 12'd0};
      `HF_PCIE_H2C_BASE_HI: rdata = h2c_base[63:32];
      `HF_PCIE_H2C_SIZE: rdata = {27'd0, h2c_size_q};
      `HF_PCIE_H2C_TAIL: rdata = h2c_tail;
      `HF_PCIE_H2C_HEAD: rdata = h2c_head;
      `HF_PCIE_STATUS_LO: rdata = {status_lo_q, 6'd0};
      `HF_PCIE_STATUS_HI: rdata = status_hi_q;
      `HF_PCIE_MODERATION: rdata = {12'd0, moderation};
      `HF_PCIE_TIMEOUT: rdata = timeout;
      `HF_PCIE_WRITES: rdata = writes_q;
      `HF_PCIE_READS: rdata = reads_q;
      `HF_PCIE_UNEXPECTED: rdata = unexpected_q;
      `HF_PCIE_DISCARDED: rdata = discarded_q;
      default: rdata = 32'd0;
    endcase
  end

  always_ff @(posedge clk) begin
    error_q <= (error_q & ~error_clear) | error_set;
    writes_q <= writes_q + 32'(sent_write);
    reads_q <= reads_q + 32'(sent_read);
    unexpected_q <= unexpected_q + 32'(unexpected);
    discarded_q <= discarded_q + 32'(discarded);
    if (write && !refused) begin
      case (address)
        `HF_PCIE_CTRL: begin
          rings_q <= wdata[1:0];
          keep_on_flr <= wdata[2];
        end
        `HF_PCIE_C2H_BASE_LO: c2h_base[31:12] <= wdata[31:12];
        `HF_PCIE_C2H_BASE_HI: c2h_base[63:32] <= wdata;
        `HF_PCIE_C2H_SIZE: c2h_size_q <= wdata[4:0];
        `HF_PCIE_H2C_BASE_LO: h2c_base[31:12] <= wdata[31:12];
        `HF_PCIE_H2C_BASE_HI: h2c_base[63:32] <= wdata;
        `HF_PCIE_H2C_SIZE: h2c_size_q <= wdata[4:0];
        `HF_PCIE_STATUS_LO: status_lo_q <= wdata[31:6];
        `HF_PCIE_STATUS_HI: status_hi_q <= wdata;
        `HF_PCIE_MODERATION: moderation <= wdata[19:0];
        `HF_PCIE_TIMEOUT: timeout <= wdata;
        default: ;
      endcase
    end
    if (rst || clear) begin
      rings_q <= '0;
      error_q <= '0;
      c2h_base <= '0;
      h2c_base <= '0;
      c2h_size_q <= 5'(`HF_PCIE_RESET_C2H_SIZE);
      h2c_size_q <= 5'(`HF_PCIE_RESET_H2C_SIZE);
      status_lo_q <= '0;
      status_hi_q <= '0;
      moderation <= 20'(`HF_PCIE_RESET_MODERATION);
      timeout <= `HF_PCIE_RESET_TIMEOUT;
      writes_q <= '0;
      reads_q <= '0;
      unexpected_q <= '0;
      discarded_q <= '0;
    end
    if (rst) keep_on_flr <= 1'b0;
  end

endmodule
