// SPDX-License-Identifier: Apache-2.0
// rate_limit - a token bucket: so many of something each millisecond, and so many at once.
//
// Input   rate: tokens per millisecond, 0 = no limit; burst: what the bucket holds. RESET: its contents after
//         reset. take: an op that saw `there` two cycles ago at most takes one.
// Output  there: a token is there, or there is no limit.
// Timing  a take and a tick in one cycle: first less one, then plus rate, at most burst. Registers change at the
//         end of the cycle.
module rate_limit #(
  parameter logic [15:0] RESET = 16'd0
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        tick_1ms,
  input  logic [15:0] rate,
  input  logic [15:0] burst,
  input  logic        take,
  output logic        there
);
  logic [15:0] tokens_q, left;
  logic [16:0] more;

  // A burst made smaller may have emptied the bucket since the op looked.
  assign left = take && tokens_q != 16'd0 ? tokens_q - 16'd1 : tokens_q;
  assign more = {1'b0, left} + {1'b0, rate};
  assign there = rate == 16'd0 || tokens_q != 16'd0;

  always_ff @(posedge clk) begin
    if (rst) tokens_q <= RESET;
    else if (tick_1ms) tokens_q <= more > {1'b0, burst} ? burst : more[15:0];
    else tokens_q <= left;
  end

`ifdef FORMAL_RATE_LIMIT
  logic        rst_1q, tick_1q, take_1q;                    // the cycle before
  logic [15:0] tokens_1q, burst_1q, rate_1q;

  initial assume (rst);

  always_ff @(posedge clk) begin
    {rst_1q, tick_1q, take_1q, tokens_1q, burst_1q, rate_1q} <= {rst, tick_1ms, take, tokens_q, burst, rate};
    if (!rst && !rst_1q) begin
      never_above: assert (!tick_1q || tokens_q <= burst_1q);
      refilled: assert (!tick_1q || tokens_q == burst_1q ||
                        {1'b0, tokens_q} + 17'(take_1q && tokens_1q != 0) == {1'b0, tokens_1q} + {1'b0, rate_1q});
      taken: assert (tick_1q || {1'b0, tokens_q} + 17'(take_1q && tokens_1q != 0) == {1'b0, tokens_1q});
    end
    if (!rst)
      there_is_one: assert (there ? rate == 0 || tokens_q != 0 : rate != 0 && tokens_q == 0);
  end
`endif
endmodule
