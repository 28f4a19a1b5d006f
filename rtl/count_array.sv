// SPDX-License-Identifier: Apache-2.0
// count_array - a few 32-bit counters in LUT RAM, modulo 2^32.
//
// Input   add: counter add_index counts one. read_index: the one that is shown. Both below COUNT.
// Output  count: that counter, 0 after reset.
// Timing  counts at the end of the cycle of add; count is that of this cycle. Never stalls.
module count_array #(
  parameter int COUNT = 16               // 1 to 16
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        add,
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic [3:0]  add_index,
  input  logic [3:0]  read_index,
  /* verilator lint_on UNUSEDSIGNAL */
  output logic [31:0] count
);
  localparam int AT_W = COUNT > 1 ? $clog2(COUNT) : 1;

  logic [31:0]      count_mem [0:COUNT-1];
  logic [COUNT-1:0] counted_q;           // since reset: before that its word means nothing
  logic [AT_W-1:0]  add_at, read_at;
  logic [31:0]      so_far;

  assign add_at = AT_W'(add_index);
  assign read_at = AT_W'(read_index);
  assign so_far = counted_q[add_at] ? count_mem[add_at] : 32'd0;
  assign count = counted_q[read_at] ? count_mem[read_at] : 32'd0;

  always_ff @(posedge clk) begin
    if (add) count_mem[add_at] <= so_far + 32'd1;
  end

  always_ff @(posedge clk) begin
    if (rst) counted_q <= '0;
    else if (add) counted_q[add_at] <= 1'b1;
  end
endmodule
