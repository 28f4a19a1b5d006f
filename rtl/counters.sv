// SPDX-License-Identifier: Apache-2.0
// counters - the 64-bit counters of regs/counter.def in block RAM, and what they were at the last snapshot.
//
// What    each counter is a word of a RAM and a small number beside it: what came since the sweep, which never ends,
//         last added it to the word. A snapshot lays these numbers aside, all in one cycle, and begins a new
//         sweep, which writes the words, with what was laid aside, to a second RAM too.
// Input   inc: one bit per counter. snapshot: at least 65 cycles after the one before; counts what came before
//         this cycle. read_word: 32-bit word of the counters, two for each, the low one first.
// Output  read_data: that word as of the last snapshot, 0 before the first one. Within 64 cycles after
//         a snapshot it means nothing.
// Timing  read_word in c, read_data in c+1. The sweep takes COUNT + 2 cycles.
`include "handfast_defs.svh"
module counters #(
  parameter int COUNT = `HF_CNT_COUNT        // at most 62
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [COUNT-1:0] inc,
  input  logic             snapshot,
  input  logic [6:0]       read_word,
  output logic [31:0]      read_data
);
  // A number is added every COUNT + 1 cycles, also when a snapshot cuts a sweep short: then half of it waits aside.
  localparam int WIDTH = $clog2(COUNT + 2);

  logic [5:0]             at_q;          // counter that the sweep reads in this cycle, COUNT: none, it begins again
  logic                   aside_next_q, aside_there_q;   // the next sweep, this one is that of a snapshot
  logic                   taken_q;       // there was one
  logic [5:0]             filled_q;      // words that the first sweep after reset has written: these counters' words
  logic [WIDTH-1:0]       fresh, aside;

  // One cycle later: the word is there, and the sum goes back.
  logic                   add_q, add_aside_q, filled_here_q;
  logic [5:0]             add_at_q;
  logic [WIDTH-1:0]       fresh_here_q, aside_here_q;

  (* no_rw_check *)
  logic [63:0] live_mem [0:63];
  (* no_rw_check *)
  logic [63:0] taken_mem [0:63];
  logic [63:0] live_q, word, with_aside, with_all, taken_out_q;
  logic        high_q;

  // One digit of all counters after another; each counts once per cycle at most. At COUNT none is selected.
  logic [COUNT-1:0]           select;
  logic [COUNT*(WIDTH+1)-1:0] carry;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [COUNT-1:0]           unused_carry;
  /* verilator lint_on UNUSEDSIGNAL */
  assign select = COUNT'(1) << at_q;
  assign carry[COUNT-1:0] = inc;
  assign unused_carry = carry[COUNT*WIDTH +: COUNT];

  generate
    for (genvar k = 0; k < WIDTH; k++) begin : g_digit
      counter_plane #(.COUNT(COUNT)) u_plane (
        .clk(clk), .rst(rst), .carry_in(carry[COUNT*k +: COUNT]), .select(select), .snapshot(snapshot),
        .carry_out(carry[COUNT*(k+1) +: COUNT]), .fresh(fresh[k]), .aside(aside[k]));
    end
  endgenerate

  always_ff @(posedge clk) begin
    if (rst) begin
      at_q <= '0;
      aside_next_q <= 1'b0;
      aside_there_q <= 1'b0;
      taken_q <= 1'b0;
      filled_q <= '0;
      add_q <= 1'b0;
    end else begin
      // A cycle with no counter lies before each sweep, so that no word is read before its last sum is there.
      if (snapshot) at_q <= 6'(COUNT);
      else at_q <= 32'(at_q) == COUNT ? 6'd0 : at_q + 6'd1;
      if (snapshot) begin
        aside_next_q <= 1'b1;
        taken_q <= 1'b1;
      end else if (32'(at_q) == COUNT) begin
        aside_next_q <= 1'b0;
      end
      if (32'(at_q) == COUNT) aside_there_q <= aside_next_q;
      if (at_q == filled_q && 32'(at_q) != COUNT) filled_q <= filled_q + 6'd1;
      add_q <= 32'(at_q) != COUNT;
    end
    add_at_q <= at_q;
    add_aside_q <= aside_there_q;
    fresh_here_q <= fresh;
    aside_here_q <= aside_there_q ? aside : '0;
    filled_here_q <= at_q < filled_q;
  end

  assign word = filled_here_q ? live_q : 64'd0;
  assign with_aside = word + 64'(aside_here_q);
  assign with_all = with_aside + 64'(fresh_here_q);

  always_ff @(posedge clk) begin
    live_q <= live_mem[at_q];
    if (add_q) live_mem[add_at_q] <= with_all;
  end

  always_ff @(posedge clk) begin
    taken_out_q <= taken_mem[read_word[6:1]];
    high_q <= read_word[0];
    if (add_q && add_aside_q) taken_mem[add_at_q] <= with_aside;
  end

  always_comb begin
    read_data = high_q ? taken_out_q[63:32] : taken_out_q[31:0];
    if (!taken_q) read_data = '0;
  end
endmodule
