// SPDX-License-Identifier: Apache-2.0
// word_sum - ones'-complement sum (RFC 1071) of some 16-bit words at once, its carries not yet added.
//
// Input   words: WORDS of them, in any order.
// Output  sum and carries: sum + carries is the words' sum modulo 2^16 - 1.
// Timing  combinational.

module word_sum #(
  parameter int WORDS = 16                                  // a power of two
) (
  input  logic                     valid,                   // 0: nobody looks at the outputs
  input  logic [16*WORDS-1:0]      words,
  output logic [15:0]              sum,
  output logic [$clog2(WORDS)-1:0] carries
);

  generate
    if (WORDS < 2 || (WORDS & (WORDS - 1)) != 0) begin : g_illegal
      word_sum_needs_a_power_of_two illegal ();
    end
  endgenerate

  localparam int CARRIES_W = $clog2(WORDS);

  localparam int SUM_W = 16 + CARRIES_W;

  logic [SUM_W*WORDS-1:0] left;                             // still to be added, in pairs, at its bottom

  always_comb begin
    if (valid) begin
      for (int i = 0; i < WORDS; i++)
        left[SUM_W*i +: SUM_W] = SUM_W'(words[16*i +: 16]);
      for (int level = 1; level <= CARRIES_W; level++) begin
        for (int i = 0; i < WORDS / 2; i++) begin
          if (i < WORDS >> level)
            left[SUM_W*i +: SUM_W] = left[2*SUM_W*i +: SUM_W] + left[2*SUM_W*i+SUM_W +: SUM_W];
        end
      end
    end else begin
      left = 'x;
    end
  end

  assign {carries, sum} = left[SUM_W-1:0];

endmodule
