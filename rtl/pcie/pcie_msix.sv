// SPDX-License-Identifier: Apache-2.0
// pcie_msix - MSI-X table, pending bits, and the messages (PCI Local Bus Specification 3.0, 6.8.2).
//
// Input   write of one dword of the table, with byte enables; address[11]: rdata shows the pending bits instead. set:
//         vectors that become pending. enable, function_mask: from configuration space. clear: all is as after
//         reset, but for its 32 cycles, in which busy is 1.
// Output  req_valid, req_address, req_data: a message; grant: it leaves, its vector is not pending any more.
// Timing  set in c, req_valid in c+5 at the earliest.

module pcie_msix (
  input  logic        clk,
  input  logic        rst,
  input  logic        clear,
  output logic        busy,
  input  logic        enable,
  input  logic        function_mask,
  input  logic [2:0]  set,              // vectors 0 to 2; the others have a table entry and are never pending

  input  logic        write,
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic [11:0] address,
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic [3:0]  enables,
  input  logic [31:0] wdata,
  output logic [31:0] rdata,

  output logic        req_valid,
  output logic [63:0] req_address,
  output logic [31:0] req_data,
  input  logic        grant
);

  // Address low, address high, data of each vector; the fourth dword is the mask bit.
  logic [31:0] entry [0:31];
  logic [7:0]  masked_q;
  logic [2:0]  pending_q, ready;

  typedef enum logic [2:0] {SWEEP, CHOOSE, LOW, HIGH, DATA, ASK} state_t;
  state_t      state_q;
  logic [4:0]  sweep_q, read_index;
  logic [1:0]  vector_q;
  logic [31:0] old, read_value, merged;

  assign busy = state_q == SWEEP;
  assign old = entry[address[6:2]];
  assign merged = {enables[3] ? wdata[31:24] : old[31:24], enables[2] ? wdata[23:16] : old[23:16],
                   enables[1] ? wdata[15:8] : old[15:8], enables[0] ? wdata[7:0] : old[7:0]};

  always @* begin
    if (address[11]) rdata = address[2] ? 32'd0 : {29'd0, pending_q};
    else if (address[3:2] == 2'd3) rdata = {31'd0, masked_q[address[6:4]]};
    else if (address[3:2] == 2'd0) rdata = {old[31:2], 2'd0};
    else rdata = old;
  end

  assign ready = enable && !function_mask ? pending_q & ~masked_q[2:0] : 3'd0;
  assign read_index = {1'b0, vector_q, state_q == LOW ? 2'd0 : state_q == HIGH ? 2'd1 : 2'd2};
  assign read_value = entry[read_index];

  always_ff @(posedge clk) begin
    if (state_q == SWEEP) entry[sweep_q] <= '0;
    else if (write && address[3:2] != 2'd3) entry[address[6:2]] <= merged;
  end

  assign req_valid = state_q == ASK && ready[vector_q] && !write;

  always_ff @(posedge clk) begin
    case (state_q)
      SWEEP: begin
        sweep_q <= sweep_q + 5'd1;
        if (sweep_q == 5'd31) state_q <= CHOOSE;
      end
      CHOOSE: begin
        vector_q <= ready[0] ? 2'd0 : ready[1] ? 2'd1 : 2'd2;
        if (ready != 3'd0) state_q <= LOW;
      end
      LOW: begin
        req_address[31:0] <= {read_value[31:2], 2'd0};
        state_q <= HIGH;
      end
      HIGH: begin
        req_address[63:32] <= read_value;
        state_q <= DATA;
      end
      DATA: begin
        req_data <= read_value;
        state_q <= ASK;
      end
      default: if (grant || !ready[vector_q]) state_q <= CHOOSE;
    endcase
    // What was read of the table may be old.
    if (write && state_q != SWEEP) state_q <= CHOOSE;

    if (write && address[3:2] == 2'd3 && enables[0]) masked_q[address[6:4]] <= wdata[0];
    pending_q <= (pending_q & ~(grant ? 3'd1 << vector_q : 3'd0)) | set;

    if (rst || clear) begin
      state_q <= SWEEP;
      sweep_q <= '0;
      masked_q <= '1;
      pending_q <= '0;
    end
  end

endmodule
