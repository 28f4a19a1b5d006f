// SPDX-License-Identifier: Apache-2.0
// cut - where a step of several cycles may be cut: a register, or nothing.
//
// Input   d: what the logic before the cut made of inputs that hold still for the step. take: keep it.
// Output  q: ON = 0: d. Else d as it was in the last cycle with take.
module cut #(
  parameter int WIDTH = 1,
  parameter int ON = 0
) (
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic             clk,
  input  logic             take,
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic [WIDTH-1:0] d,
  output logic [WIDTH-1:0] q
);
  generate
    if (ON != 0) begin : g_register
      always_ff @(posedge clk)
        if (take) q <= d;
    end else begin : g_wire
      assign q = d;
    end
  endgenerate
endmodule
