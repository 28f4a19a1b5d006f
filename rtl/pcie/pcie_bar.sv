// SPDX-License-Identifier: Apache-2.0
// pcie_bar - the accesses of the root complex to BAR0, dword by dword, and their completions.
//
// What    0x0000 the core through core_req and core_rsp, 0x1000 registers of the endpoint, 0x2000 MSI-X table, 0x2800 pending
//         bits; docs/pcie.md, BAR0. Requests are done one after another.
// Input   request: beats of well-formed requests (pcie_rx). refuse: the function is being reset: reads are Unsupported
//         Requests, writes nothing. core_down: the core is in reset; what it was asked is not answered any more.
// Output  acc_*: one access in a cycle; acc_rdata is that of acc_address in the same cycle. partial: a dword whose enables
//         are not all set was not written. cpl_*: one completion, until cpl_done; its payload is given by
//         cpl_data, two dwords at a time, the next after cpl_take.
// Timing  a read of the endpoint's registers: 5 cycles from the head of the store to cpl_valid.

module pcie_bar #(
  parameter int PATIENCE_LOG2 = 16      // clocks that an access to the core may take
) (
  input  logic        clk,
  input  logic        rst,
  input  logic [15:0] cfg_id,
  input  logic        refuse,

  input  logic        request_valid,
  input  logic [63:0] request,
  output logic        request_pop,

  // core
  input  logic        core_down,
  output logic        core_busy,
  output logic        core_req_valid,
  input  logic        core_req_ready,
  output logic [44:0] core_req,         // {write, address, data}
  input  logic        core_rsp_valid,
  input  logic [32:0] core_rsp,         // {error, data}

  // endpoint
  output logic [11:0] acc_address,
  output logic [31:0] acc_wdata,
  output logic [3:0]  acc_enables,
  output logic        reg_write,
  input  logic [31:0] reg_rdata,
  output logic        table_write,
  input  logic [31:0] table_rdata,      // of the table or the pending bits, by acc_address[11]
  input  logic        table_busy,
  output logic        partial,

  // completion
  output logic        cpl_valid,
  output logic [95:0] cpl_header,       // dword 0 in bits 95:64
  output logic [4:0]  cpl_dwords,
  output logic [63:0] cpl_data,
  input  logic        cpl_take,
  input  logic        cpl_done
);

  function automatic [31:0] dword(input [31:0] bytes);
    dword = {bytes[7:0], bytes[15:8], bytes[23:16], bytes[31:24]};
  endfunction

  typedef enum logic [2:0] {FIRST, SECOND, READ, WRITE, CORE_ASK, CORE_WAIT, SKIP, ANSWER} state_t;
  state_t state_q;

  // The header of the request under way.
  /* verilator lint_off UNUSEDSIGNAL */
  logic [31:0] dw0_q;                   // not every field is looked at
  /* verilator lint_on UNUSEDSIGNAL */
  logic [31:0] dw1_q;
  logic [15:0] address_q;               // of the coming dword
  logic [4:0]  lower_q;                 // bits 6:2 of the first
  logic [10:0] length_q, left_q;        // dwords
  logic        has_data, four, poisoned, is_memory, locked;
  assign has_data = dw0_q[30];
  assign four = dw0_q[29];
  assign poisoned = dw0_q[14];
  assign is_memory = dw0_q[28:24] == 5'd0;
  assign locked = dw0_q[28:24] == 5'd1;

  // Byte enables of the coming dword.
  logic [3:0]  first_be, last_be, enables;
  logic        at_first_q;
  assign first_be = dw1_q[3:0];
  assign last_be = dw1_q[7:4];
  assign enables = at_first_q ? first_be : left_q == 11'd1 ? last_be : 4'hf;

  // Bytes before the first and behind the last enabled one, 2.3.1.1.
  logic [3:0]  end_be;
  logic [1:0]  lead, trail;
  logic [11:0] bytes;                   // 0 = 4,096
  assign end_be = length_q == 11'd1 ? first_be : last_be;
  assign lead = first_be[0] || first_be == 4'd0 ? 2'd0 : first_be[1] ? 2'd1 : first_be[2] ? 2'd2 : 2'd3;
  assign trail = end_be[3] || end_be == 4'd0 ? 2'd0 : end_be[2] ? 2'd1 : end_be[1] ? 2'd2 : 2'd3;
  assign bytes = !is_memory ? 12'd4 : length_q == 11'd1 && first_be == 4'd0 ? 12'd1 :
                 {length_q[9:0], 2'd0} - {10'd0, lead} - {10'd0, trail};

  // Payload of a write: two dwords of a beat in turn. The second waits in hold_q.
  logic        hold_valid_q, have;
  logic [31:0] hold_q, wdata;
  assign have = hold_valid_q || request_valid;
  assign wdata = hold_valid_q ? hold_q : request[31:0];

  // Where the coming dword is.
  logic in_core, in_regs, in_table, in_pending;
  assign in_core = address_q[15:12] == 4'd0;
  assign in_regs = address_q[15:12] == 4'd1;
  assign in_table = address_q[15:7] == 9'h040;          // 0x2000 - 0x207f
  assign in_pending = address_q[15:3] == 13'h0500;      // 0x2800 - 0x2807

  // A dword is done in this cycle.
  logic core_end, core_error, read_done, read_error, write_done, unsupported_q;
  logic [31:0] read_value, acc_wdata_q;
  logic [PATIENCE_LOG2-1:0] patience_q;
  logic dead_q, late;

  assign late = patience_q == '1;
  assign core_end = (state_q == CORE_WAIT && (core_rsp_valid || core_down || late)) ||
                    (state_q == CORE_ASK && (dead_q || late));
  assign core_error = !(state_q == CORE_WAIT && core_rsp_valid && !core_rsp[32]);
  assign core_req_valid = state_q == CORE_ASK && !dead_q && !late && !core_down;
  assign core_req = {has_data, address_q[11:0], acc_wdata_q};
  assign core_busy = state_q == CORE_ASK || state_q == CORE_WAIT;

  assign acc_address = address_q[11:0];
  assign acc_wdata = wdata;
  assign acc_enables = enables;

  logic local_write;
  assign local_write = state_q == WRITE && have && !(table_busy && in_table);
  assign reg_write = local_write && in_regs && enables == 4'hf && !refuse;
  assign table_write = local_write && in_table && !refuse;
  assign partial = local_write && !in_table && !refuse && enables != 4'hf && enables != 4'd0;
  assign write_done = (local_write && !(in_core && enables == 4'hf)) || (core_end && has_data);

  assign read_done = (state_q == READ && !in_core && !(table_busy && in_table)) ||
                     (state_q == READ && enables == 4'd0) || (core_end && !has_data);
  assign read_error = enables != 4'd0 && (in_core ? core_error : !in_regs && !in_table && !in_pending);
  assign read_value = enables == 4'd0 ? 32'd0 : in_core ? core_rsp[31:0] : in_regs ? reg_rdata : table_rdata;

  // Pop: headers, and each beat of a payload when its first dword is used.
  always @* begin
    case (state_q)
      FIRST, SECOND: request_pop = request_valid;
      WRITE: request_pop = request_valid && !hold_valid_q && local_write;
      SKIP: request_pop = request_valid && !hold_valid_q && left_q != 11'd0;
      default: request_pop = 1'b0;
    endcase
  end

  // Dwords read, two to a word.
  logic [31:0] even [0:7], odd [0:7];
  logic [3:0]  index_q;
  logic [2:0]  take_q;
  assign cpl_data = {odd[take_q], even[take_q]};
  always_ff @(posedge clk) begin
    if (read_done && !index_q[0]) even[index_q[3:1]] <= read_value;
    if (read_done && index_q[0]) odd[index_q[3:1]] <= read_value;
  end

  assign cpl_valid = state_q == ANSWER;
  assign cpl_dwords = unsupported_q ? 5'd0 : length_q[4:0];
  assign cpl_header = {
    !unsupported_q ? 3'b010 : 3'b000, 4'b0101, locked, 1'b0, dw0_q[22:20], 1'b0, dw0_q[18], 4'd0, dw0_q[13:12], 2'd0,
    5'd0, cpl_dwords,
    cfg_id, unsupported_q ? 3'b001 : 3'b000, 1'b0, bytes,
    dw1_q[31:8], 1'b0, is_memory ? {lower_q, lead} : 7'd0
  };

  always_ff @(posedge clk) begin
    case (state_q)
      FIRST:
        if (request_valid) begin
          dw0_q <= dword(request[31:0]);
          dw1_q <= dword(request[63:32]);
          state_q <= SECOND;
        end
      SECOND: begin
        length_q <= dw0_q[9:0] == 10'd0 ? 11'd1024 : {1'b0, dw0_q[9:0]};
        left_q <= dw0_q[9:0] == 10'd0 ? 11'd1024 : {1'b0, dw0_q[9:0]};
        address_q <= four ? {request[55:48], request[63:58], 2'd0} : {request[23:16], request[31:26], 2'd0};
        lower_q <= four ? request[62:58] : request[30:26];
        hold_q <= request[63:32];
        hold_valid_q <= !four && has_data;
        at_first_q <= 1'b1;
        index_q <= '0;
        take_q <= '0;
        unsupported_q <= 1'b0;
        if (request_valid) begin
          if (is_memory && has_data) begin
            state_q <= poisoned || refuse ? SKIP : WRITE;
          end else if (is_memory && !refuse && dw0_q[9:0] <= 10'd16 && dw0_q[9:0] != 10'd0) begin
            state_q <= READ;
          end else begin
            unsupported_q <= 1'b1;
            state_q <= has_data ? SKIP : ANSWER;
          end
        end
      end
      READ:
        if (in_core && enables != 4'd0) state_q <= CORE_ASK;
      WRITE:
        if (local_write && in_core && enables == 4'hf) state_q <= CORE_ASK;
      CORE_ASK:
        if (core_req_valid && core_req_ready) state_q <= CORE_WAIT;
      // The payload of what is not done.
      SKIP: begin
        hold_valid_q <= 1'b0;
        if (left_q == 11'd0) state_q <= unsupported_q ? ANSWER : FIRST;
        else if (hold_valid_q) left_q <= left_q - 11'd1;
        else if (request_valid) left_q <= left_q == 11'd1 ? 11'd0 : left_q - 11'd2;
      end
      ANSWER:
        if (cpl_done) state_q <= FIRST;
      default: state_q <= state_q;
    endcase

    if (state_q == WRITE && local_write) begin
      acc_wdata_q <= wdata;
      if (hold_valid_q) begin
        hold_valid_q <= 1'b0;
      end else begin
        hold_q <= request[63:32];
        hold_valid_q <= left_q > 11'd1;
      end
    end
    if (read_done || write_done) begin
      at_first_q <= 1'b0;
      address_q <= address_q + 16'd4;
      left_q <= left_q - 11'd1;
      index_q <= index_q + 4'd1;
      if (read_done && read_error) unsupported_q <= 1'b1;
      if (left_q == 11'd1 || (read_done && read_error)) state_q <= has_data ? FIRST : ANSWER;
      else state_q <= has_data ? WRITE : READ;
    end
    if (cpl_take) take_q <= take_q + 3'd1;

    // An access that is not answered in time is the last until the core was reset: its answer might come yet.
    patience_q <= core_busy ? patience_q + PATIENCE_LOG2'(1) : '0;
    if (core_down) dead_q <= 1'b0;
    else if (state_q == CORE_WAIT && late && !core_rsp_valid) dead_q <= 1'b1;

    if (rst) begin
      state_q <= FIRST;
      dead_q <= 1'b0;
      hold_valid_q <= 1'b0;
    end
  end

endmodule
