// SPDX-License-Identifier: Apache-2.0
// counter_plane - one binary digit of many small counters (see counters), one bit of each vector for each counter.
//
// What    counters that all count in the same way are kept by digits: the digit of every counter in one vector, so that
//         one vector operation counts them all. The planes of all digits stand in a row, a carry from each to the next.
// Input   carry_in: counters whose digit changes; of the lowest plane, those that count. select, one-hot or 0: that
//         counter is taken and begins again. snapshot: all begin again, and all but that one are laid aside.
// Output  carry_out: carry_in of the next plane. fresh, aside: the selected counter's digit, and the one laid aside.
// Timing  registers change at the end of the cycle.
module counter_plane #(
  parameter int COUNT = 62
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [COUNT-1:0] carry_in,
  input  logic [COUNT-1:0] select,
  input  logic             snapshot,
  output logic [COUNT-1:0] carry_out,
  output logic             fresh,
  output logic             aside
);
  logic [COUNT-1:0] fresh_q, aside_q, kept;

  assign kept = snapshot ? '0 : fresh_q & ~select;
  assign carry_out = kept & carry_in;
  assign fresh = |(fresh_q & select);
  assign aside = |(aside_q & select);

  always_ff @(posedge clk) begin
    fresh_q <= rst ? '0 : kept ^ carry_in;
    if (snapshot) aside_q <= fresh_q & ~select;
  end
endmodule
