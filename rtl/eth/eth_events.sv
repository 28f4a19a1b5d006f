// SPDX-License-Identifier: Apache-2.0
// eth_events - events of another clock, numbered, as a Gray code that may cross.
//
// Input   seen: one bit for each kind of event, a clock each.
// Output  gray: for each kind, how many there were modulo 64. Never reset: whoever reads it looks at differences.
// Timing  two clocks.

module eth_events #(
  parameter int KINDS = 1
) (
  input  logic               clk,
  input  logic [KINDS-1:0]   seen,
  output logic [6*KINDS-1:0] gray
);

  genvar k;
  generate
    for (k = 0; k < KINDS; k = k + 1) begin : g_kind
      logic [5:0] count_q;
      always_ff @(posedge clk) begin
        if (seen[k]) count_q <= count_q + 6'd1;
        gray[6*k +: 6] <= count_q ^ {1'b0, count_q[5:1]};
      end
    end
  endgenerate

endmodule
