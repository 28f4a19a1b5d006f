// SPDX-License-Identifier: Apache-2.0
// board_time - the time of a board, from its clock.
//
// Output  time_ns: nanoseconds since reset, exact on average to the clock's own error. tick_1ms: one clock each
//         millisecond of it.
// Timing  Reset: 0.

module board_time #(
  parameter int CLK_PS = 6206   // period of clk in ps, at least 1000
) (
  input  logic        clk,
  input  logic        rst,
  output logic [63:0] time_ns,
  output logic        tick_1ms
);

  generate
    if (CLK_PS < 1000 || CLK_PS > 1000000) begin : g_illegal
      board_time_CLK_PS_must_be_1000_to_1000000 illegal ();
    end
  endgenerate

  localparam int NS = CLK_PS / 1000;
  localparam int PS = CLK_PS % 1000;

  logic [9:0]  ps_q;       // 0 to 999
  logic [10:0] ps;
  logic [10:0] step;       // nanoseconds of this clock
  logic [20:0] ms_q, ms;   // nanoseconds of this millisecond

  assign ps = 11'(ps_q) + 11'(PS);
  assign step = 11'(NS) + 11'(ps >= 11'd1000);
  assign ms = ms_q + 21'(step);

  always_ff @(posedge clk) begin
    ps_q <= ps >= 11'd1000 ? 10'(ps - 11'd1000) : ps[9:0];
    time_ns <= time_ns + 64'(step);
    tick_1ms <= ms >= 21'd1000000;
    ms_q <= ms >= 21'd1000000 ? ms - 21'd1000000 : ms;
    if (rst) begin
      ps_q <= 10'd0;
      time_ns <= 64'd0;
      tick_1ms <= 1'b0;
      ms_q <= 21'd0;
    end
  end

endmodule
