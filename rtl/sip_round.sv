// SPDX-License-Identifier: Apache-2.0
// sip_round - one SipRound.
//
// Input   v_in: v3, v2, v1, v0, the last one in bits 63:0.
// Output  v_out: likewise. folded: their XOR, which is the hash behind the last round; v0 is in v3 too and falls out.
// Timing  combinational, two 64-bit additions one after the other.
module sip_round (
  input  logic         valid,  // 0: nobody looks at the output
  input  logic [255:0] v_in,
  output logic [255:0] v_out,
  output logic [63:0]  folded
);
  logic [63:0] a0, a1, a2, a3;
  logic [63:0] b0, b1, b2, b3;  // after its first half
  logic [63:0] c0, c1, c2, c3;

  assign {a3, a2, a1, a0} = v_in;

  always_comb begin
    if (valid) begin
      b0 = a0 + a1;
      b1 = {a1[50:0], a1[63:51]} ^ b0;
      b2 = a2 + a3;
      b3 = {a3[47:0], a3[63:48]} ^ b2;

      c2 = b2 + b1;
      c1 = {b1[46:0], b1[63:47]} ^ c2;
      c0 = {b0[31:0], b0[63:32]} + b3;
      c3 = {b3[42:0], b3[63:43]} ^ c0;
      v_out = {c3, {c2[31:0], c2[63:32]}, c1, c0};
      folded = c1 ^ {c2[31:0], c2[63:32]} ^ {b3[42:0], b3[63:43]};
    end else begin
      b0 = 'x;
      b1 = 'x;
      b2 = 'x;
      b3 = 'x;
      c0 = 'x;
      c1 = 'x;
      c2 = 'x;
      c3 = 'x;
      v_out = 'x;
      folded = 'x;
    end
  end
endmodule
