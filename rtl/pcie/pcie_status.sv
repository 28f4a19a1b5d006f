// SPDX-License-Identifier: Apache-2.0
// pcie_status - the status block in host memory and which interrupts follow it (docs/pcie.md, Rings).
//
// Input   c2h_tail, h2c_head, error: what the block tells. events: 0 a message that is no FRAME has left, 1 a FRAME, 2
//         ERROR became non-zero, h2c_head reached the doorbell counts as 0. active: a ring is on, or not yet at rest:
//         without it no block is written. address 0: none ever.
// Output  req_valid, and until done the 16 bytes as two beats: req_data, the second after req_take. vectors: pulses, when
//         the block that speaks of them has left.
// Timing  a block and its vectors at least moderation cycles after those before; at once after a rest.

module pcie_status (
  input  logic        clk,
  input  logic        rst,
  input  logic        active,
  input  logic [63:0] address,
  input  logic [19:0] moderation,
  input  logic [31:0] c2h_tail,
  input  logic [31:0] h2c_head,
  input  logic [31:0] error,
  input  logic [2:0]  events,

  output logic        req_valid,
  output logic [63:0] req_data,
  input  logic        req_take,
  input  logic        grant,
  input  logic        done,
  output logic [2:0]  vectors
);

  logic [31:0] told_tail_q, told_head_q, told_error_q, count_q;
  logic [2:0]  events_q, fire_q;
  logic [19:0] wait_q;
  logic        second_q, stale, wanted, due, silent;

  assign stale = told_tail_q != c2h_tail || told_head_q != h2c_head || told_error_q != error;
  assign wanted = active && address != 64'd0;
  assign due = wait_q == 20'd0 && (events_q != 3'd0 || (wanted && stale));
  assign silent = due && !wanted;
  assign req_valid = due && wanted;
  assign req_data = second_q ? {count_q, told_error_q} : {told_head_q, told_tail_q};
  assign vectors = done ? fire_q : silent ? events_q : 3'd0;

  always_ff @(posedge clk) begin
    events_q <= events_q | events;
    if (wait_q != 20'd0) wait_q <= wait_q - 20'd1;
    if (req_take) second_q <= 1'b1;
    if (grant) begin
      told_tail_q <= c2h_tail;
      told_head_q <= h2c_head;
      told_error_q <= error;
      count_q <= count_q + 32'd1;
      fire_q <= events_q;
      second_q <= 1'b0;
    end
    if (grant || silent) begin
      events_q <= events;
      wait_q <= moderation;
    end
    if (rst) begin
      told_tail_q <= '0;
      told_head_q <= '0;
      told_error_q <= '0;
      count_q <= '0;
      events_q <= '0;
      fire_q <= '0;
      wait_q <= '0;
      second_q <= 1'b0;
    end
  end

endmodule
