// SPDX-License-Identifier: Apache-2.0
// siphash - SipHash-2-4 of a message of two or five words, one round per cycle.
//
// Input   req with words: the message in little-endian words, the first one in bits 63:0, the last one with the
//         length in its top octet; long_message: five words, else two; key: k0 in the low half. All read in
//         the cycle of req only. take: the result is taken.
// Output  done with hash, the low WIDTH bits of the result, until the cycle of take.
// Timing  req in r loads, r+1 .. r+8 are the rounds (2 per word and 4; five words: r+1 .. r+14), done from the
//         last one on. The caller makes no req before take.
module siphash #(
  parameter int WIDTH = 64
) (
  input  logic             clk,
  input  logic             rst,

  input  logic             req,
  input  logic [319:0]     words,
  input  logic             long_message,
  input  logic [127:0]     key,

  output logic             done,
  output logic [WIDTH-1:0] hash,
  input  logic             take
);
  generate
    if (WIDTH < 1 || WIDTH > 64) begin : g_width
      siphash_WIDTH_must_be_1_to_64 illegal_parameter ();
    end
  endgenerate

  logic [3:0]   round_q;       // 0 idle, else the round this cycle does
  logic [3:0]   last_round;
  logic         long_q;
  logic [319:0] words_q;       // bits 63:0: the word that was put in last
  logic [63:0]  v0_q, v1_q, v2_q, v3_q;
  logic         next_word, finalize;

  assign last_round = long_q ? 4'd14 : 4'd8;
  assign finalize   = round_q == last_round - 4'd3;
  assign next_word  = round_q[0] && round_q != 4'd1 && round_q < last_round - 4'd3;

  // One SipRound. Before the first round of each word but the first, the word before it is taken off and the
  // word put in; before the first of the last four, the last word is taken off and 0xff put in.
  logic [63:0] a0, a1, a2, a3;  // before the round
  logic [63:0] b0, b1, b2, b3;  // after its first half
  logic [63:0] c0, c1, c2, c3;  // after it

  always_comb begin
    a0 = v0_q;
    a1 = v1_q;
    a2 = v2_q;
    a3 = v3_q;
    if (next_word) begin
      a0 = v0_q ^ words_q[63:0];
      a3 = v3_q ^ words_q[127:64];
    end
    if (finalize) begin
      a0 = v0_q ^ words_q[63:0];
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

  // Until the result is taken the last round is done again and again, from the same state.
  always_ff @(posedge clk) begin
    if (rst) round_q <= 4'd0;
    else if (req) round_q <= 4'd1;
    else if (done) round_q <= take ? 4'd0 : round_q;
    else if (round_q != 4'd0) round_q <= round_q + 4'd1;

    if (req) begin
      v0_q <= key[63:0] ^ 64'h736f6d6570736575;
      v1_q <= key[127:64] ^ 64'h646f72616e646f6d;
      v2_q <= key[63:0] ^ 64'h6c7967656e657261;
      v3_q <= key[127:64] ^ 64'h7465646279746573 ^ words[63:0];
      words_q <= words;
      long_q <= long_message;
    end else begin
      if (!done) begin
        v0_q <= c0;
        v1_q <= c1;
        v2_q <= c2;
        v3_q <= c3;
      end
      if (next_word) words_q <= {64'd0, words_q[319:64]};
    end
  end

  assign done = round_q == last_round;
  assign hash = c0[WIDTH-1:0] ^ c1[WIDTH-1:0] ^ c2[WIDTH-1:0] ^ c3[WIDTH-1:0];
endmodule
