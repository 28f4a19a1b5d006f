// SPDX-License-Identifier: Apache-2.0
// eth_counters - 64-bit counters of the events that eth_events numbers on other clocks.
//
// What    one adder and two small memories for all: each clock one counter takes what was new since it was last
//         looked at. All are 0 after reset, and
//         count what happens from 64 clocks after it on.
// Input   gray: eth_events, through cross_sync, on clk. read_index.
// Output  read_value: the counter, two clocks after read_index.
// Timing  a round takes COUNT clocks; in that time at most 63 events of a kind may come.

module eth_counters #(
  parameter int COUNT = 9
) (
  input  logic               clk,
  input  logic               rst,
  input  logic [6*COUNT-1:0] gray,
  input  logic [3:0]         read_index,
  output logic [63:0]        read_value
);

  generate
    if (COUNT < 1 || COUNT > 16) begin : g_illegal
      eth_counters_COUNT_must_be_1_to_16 illegal ();
    end
  endgenerate

  logic [63:0] value [0:15];
  logic [5:0]  known [0:15];  // the number of the last event in value
  logic [3:0]  at_q;
  logic [5:0]  learn_q;       // after reset it only learns where the numbers are, until 63
  logic        learn;
  logic [5:0]  code, now, more;

  always @* begin
    code = 6'd0;
    for (int i = 0; i < COUNT; i++) if (at_q == 4'(i)) code = code | gray[6*i +: 6];
    now[5] = code[5];
    for (int i = 4; i >= 0; i--) now[i] = now[i+1] ^ code[i];
  end
  assign learn = learn_q != 6'd63;
  assign more = now - known[at_q];

  always_ff @(posedge clk) begin
    value[at_q] <= learn ? 64'd0 : value[at_q] + 64'(more);
    known[at_q] <= now;
    read_value <= value[read_index];
    at_q <= at_q == 4'(COUNT - 1) ? 4'd0 : at_q + 4'd1;
    if (learn) learn_q <= learn_q + 6'd1;
    if (rst) begin
      at_q <= 4'd0;
      learn_q <= 6'd0;
    end
  end

endmodule
