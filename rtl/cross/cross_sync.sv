// SPDX-License-Identifier: Apache-2.0
// cross_sync - bits of another clock domain, through two flip-flops each.
//
// What    one of the two modules in which a signal may cross between clocks (the other is cross_fifo). Each bit crosses
//         by itself: several bits belong together only where at most one of them changes at a time (a Gray code), or
//         where they stand still while they are looked at.
// Input   d: from registers of the other domain, without logic behind them. On a board the bits of a Gray code must arrive
//         within one clock of the other domain of one another (a maximum delay for these nets).
// Output  q: d of two or three clk earlier.
// Timing  reset: q = RESET. Under Verilator what changed since the last clk comes at random in this one or the next, as
//         metastability does it: each bit by itself, or with GRAY the whole code (a faster clock moves a Gray code more than
//         once in a clk; then only its last change is in doubt, and a code of before and after mixed is never seen).

module cross_sync #(
  parameter int WIDTH = 1,
  parameter int GRAY = 0,
  parameter logic [WIDTH-1:0] RESET = '0
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [WIDTH-1:0] d,
  output logic [WIDTH-1:0] q
);

  (* async_reg = "true", keep = "true" *) logic [WIDTH-1:0] meta_q;
  (* async_reg = "true", keep = "true" *) logic [WIDTH-1:0] sync_q;
  logic [WIDTH-1:0] seen;

`ifdef VERILATOR
  logic [WIDTH-1:0] last_q, late;

  always_ff @(posedge clk) begin
    last_q <= d;
    for (int i = 0; i < WIDTH; i++) late[i] <= GRAY != 0 && i > 0 ? 1'b0 : 1'($urandom);
  end
  assign seen = GRAY != 0 ? (late[0] ? last_q : d) : (late & last_q) | (~late & d);
`else
  assign seen = d;
`endif

  always_ff @(posedge clk) begin
    if (rst) begin
      meta_q <= RESET;
      sync_q <= RESET;
    end else begin
      meta_q <= seen;
      sync_q <= meta_q;
    end
  end
  assign q = sync_q;

endmodule
