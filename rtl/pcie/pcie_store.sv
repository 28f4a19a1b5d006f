// SPDX-License-Identifier: Apache-2.0
// pcie_store - a queue in block RAM whose elements come out only after the last of their group was found good.
//
// Input   push with data, only while !full. `commit` with a push ends a group and lets it out; `rollback` forgets what
//         was pushed and not committed (the push of that cycle too).
// Output  valid, head: the oldest committed element; pop only while valid. committed: how many elements were ever
//         committed, modulo 2^(DEPTH_LOG2 + 1).
// Timing  committed in c, counted in c+1, valid in c+2; one element per cycle. rst empties it.

module pcie_store #(
  parameter int WIDTH = 65,
  parameter int DEPTH_LOG2 = 10
) (
  input  logic                clk,
  input  logic                rst,

  input  logic                push,
  input  logic [WIDTH-1:0]    data,
  input  logic                commit,
  input  logic                rollback,
  output logic                full,
  output logic [DEPTH_LOG2:0] committed,

  output logic                valid,
  output logic [WIDTH-1:0]    head,
  input  logic                pop
);

  localparam int P = DEPTH_LOG2 + 1;

  // What is read is committed and was written in an earlier cycle, so no bypass is needed.
  (* no_rw_check *)
  logic [WIDTH-1:0] memory [0:(1 << DEPTH_LOG2)-1];
  logic [P-1:0]     write_q, commit_q, read_q, used;
  logic             fetch;

  assign used = write_q - read_q;
  assign full = used[DEPTH_LOG2];
  assign committed = commit_q;
  assign fetch = (!valid || pop) && read_q != commit_q;

  always_ff @(posedge clk) begin
    if (push) memory[write_q[DEPTH_LOG2-1:0]] <= data;
    if (fetch) head <= memory[read_q[DEPTH_LOG2-1:0]];
    if (rst) begin
      write_q <= '0;
      commit_q <= '0;
      read_q <= '0;
      valid <= 1'b0;
    end else begin
      if (rollback) write_q <= commit_q;
      else if (push) write_q <= write_q + P'(1);
      if (push && commit && !rollback) commit_q <= write_q + P'(1);
      if (fetch) read_q <= read_q + P'(1);
      if (fetch) valid <= 1'b1;
      else if (pop) valid <= 1'b0;
    end
  end

`ifdef FORMAL_PCIE_STORE
  logic [P-1:0] open_group, inside;
  assign open_group = write_q - commit_q;
  assign inside = commit_q - read_q;

  initial assume (rst);

  always_ff @(posedge clk) begin
    if (!rst) begin
      assume (!push || !full);
      assume (!pop || valid);
      in_order: assert (used <= P'(1 << DEPTH_LOG2) && inside <= used && open_group <= used &&
                        P'(inside + open_group) == used);
    end
  end
`endif

endmodule
