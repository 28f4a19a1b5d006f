// SPDX-License-Identifier: Apache-2.0
// pcie_split - how much may go into the next memory request (PCI Express Base Specification 2.2.2, 2.2.7).
//
// What    the least of: what there is, what the buffer takes (CAP), Max_Payload_Size or Max_Read_Request_Size, and what is
//         left to the next 4 KiB boundary. Everything counts in beats of 8 bytes.
// Input   avail: beats there are, at most 512; grows by itself. offset: bits 11:3 of the address. max_code: the
//         code of configuration space, 0 = 128 ... 5 = 4,096 bytes; 6 and 7 are reserved, and taken as 0.
//         hold: offset or avail changed otherwise, or will with the next clock; or nothing is wanted.
// Output  valid, beats: 1 to 512.
// Timing  two cycles; one request per three cycles.

module pcie_split #(
  parameter int CAP = 512
) (
  input  logic       clk,
  input  logic       hold,
  input  logic [9:0] avail,
  input  logic [8:0] offset,
  input  logic [2:0] max_code,
  output logic       valid,
  output logic [9:0] beats
);

  logic [9:0] largest, to_boundary, supply_q, limit_q, least;
  logic       limits_known_q;

  assign largest = max_code > 3'd5 ? 10'd16 : 10'd16 << max_code;
  assign to_boundary = 10'd512 - {1'b0, offset};
  assign least = supply_q < limit_q ? supply_q : limit_q;

  always_ff @(posedge clk) begin
    supply_q <= avail < 10'(CAP) ? avail : 10'(CAP);
    limit_q <= to_boundary < largest ? to_boundary : largest;
    limits_known_q <= !hold;
    beats <= least;
    valid <= limits_known_q && !hold && least != 10'd0;
  end

`ifdef FORMAL_PCIE_SPLIT
  logic       past_q, past_hold_q;
  logic [9:0] past_avail_q;
  logic [8:0] past_offset_q;
  logic [2:0] past_code_q;

  initial begin
    past_q = 1'b0;
    assume (!limits_known_q && !valid);
  end

  always_ff @(posedge clk) begin
    past_q <= 1'b1;
    past_hold_q <= hold;
    past_avail_q <= avail;
    past_offset_q <= offset;
    past_code_q <= max_code;
  end

  always @* begin
    assume (avail <= 10'd512);
    if (past_q && !past_hold_q) begin
      assume (avail >= past_avail_q);
      assume (offset == past_offset_q);
      assume (max_code == past_code_q);
    end
    if (past_q && limits_known_q) begin
      // What makes the next step inductive: the first stage speaks of these very inputs.
      supply_true: assert (supply_q <= avail && supply_q <= 10'(CAP));
      limit_true: assert (limit_q <= to_boundary && limit_q <= largest);
    end
    if (past_q && valid) begin
      not_empty: assert (beats != 10'd0);
      within_page: assert ({1'b0, offset} + beats <= 10'd512);
      within_maximum: assert (beats <= largest);
      within_supply: assert (beats <= avail);
      within_cap: assert (beats <= 10'(CAP));
    end
  end
`endif

endmodule
