// SPDX-License-Identifier: Apache-2.0
// siphash - SipHash-2-4 of a 12-octet message, one round per cycle.
//
// Input   req with m0, m1: the message's two little-endian words, m1 with the length in its top
//         octet; key: k0 in the low half. All three are read in the cycle of req only.
// Output  done for one cycle, with hash: the low WIDTH bits of the result.
// Timing  req in r loads, r+1 .. r+8 are the rounds (2 + 2 + 4), done in r+8. A req less than 9
//         cycles after another would break off the first: the caller does not do that.
module siphash #(
  parameter int WIDTH = 64
) (
  input  logic             clk,
  input  logic             rst,

  input  logic             req,
  input  logic [63:0]      m0,
  input  logic [63:0]      m1,
  input  logic [127:0]     key,

  output logic             done,
  output logic [WIDTH-1:0] hash
);
  generate
    if (WIDTH < 1 || WIDTH > 64) begin : g_width
      siphash_WIDTH_must_be_1_to_64 illegal_parameter ();
    end
  endgenerate

  logic [3:0]  round_q;  // 0 idle, else the round this cycle does
  logic [63:0] v0_q, v1_q, v2_q, v3_q;
  logic [63:0] m0_q, m1_q;

  // One SipRound, with the message word injected before round 3 (m1; m0 is taken off first)
  // and before round 5 (m1 off, then the 0xff that begins the finalization).
  logic [63:0] a0, a1, a2, a3;  // before the round
  logic [63:0] b0, b1, b2, b3;  // after its first half
  logic [63:0] c0, c1, c2, c3;  // after it

  always_comb begin
    a0 = v0_q;
    a1 = v1_q;
    a2 = v2_q;
    a3 = v3_q;
    if (round_q == 4'd3) begin
      a0 = v0_q ^ m0_q;
      a3 = v3_q ^ m1_q;
    end
    if (round_q == 4'd5) begin
      a0 = v0_q ^ m1_q;
      a2 = v2_q ^ 64'hff;
    end

    b0 = a0 + a1;
    b1 = {a1[50:0], a1[63:51]} ^ b0;
    b2 = a2 + a3;
    b3 = {a3[47:0], a3[63:48]} ^ b2;

    c2 = b2 + b1;
    c1 = {b1[46:0], b1[63:47]} ^ c2;
    c2 = {c2[31:0], c2[63:32]};
    c0 = {b0[31:0], b0[63:32]} + b3;
    c3 = {b3[42:0], b3[63:43]} ^ c0;
  end

  always_ff @(posedge clk) begin
    if (rst) round_q <= 4'd0;
    else if (req) round_q <= 4'd1;
    else if (round_q == 4'd8) round_q <= 4'd0;
    else if (round_q != 4'd0) round_q <= round_q + 4'd1;

    if (req) begin
      v0_q <= key[63:0] ^ 64'h736f6d6570736575;
      v1_q <= key[127:64] ^ 64'h646f72616e646f6d;
      v2_q <= key[63:0] ^ 64'h6c7967656e657261;
      v3_q <= key[127:64] ^ 64'h7465646279746573 ^ m0;
      m0_q <= m0;
      m1_q <= m1;
    end else begin
      v0_q <= c0;
      v1_q <= c1;
      v2_q <= c2;
      v3_q <= c3;
    end
  end

  assign done = round_q == 4'd8;
  assign hash = c0[WIDTH-1:0] ^ c1[WIDTH-1:0] ^ c2[WIDTH-1:0] ^ c3[WIDTH-1:0];
endmodule
