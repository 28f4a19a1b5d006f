// SPDX-License-Identifier: Apache-2.0
// siphash - SipHash-2-4 of one message of two or five words under HASHES keys, one or two rounds per cycle.
//
// Input   req with words: the message in little-endian words, the first one in bits 63:0, the last one with the
//         length in its top octet; long_message: five words, else two; key: of each hash 128 bits, k0 in the low
//         half. All read in the cycle of req only. take: the result is taken.
// Output  done with hash, 64 bits of each, until the cycle of take.
// Timing  req in r loads, r+1 .. r+8 are the rounds (2 per word and 4; five words: r+1 .. r+14), done from the
//         last one on. With ROUNDS = 2 half of that: done in r+4 (r+7). The caller makes no req before
//         take; both may be in one cycle.
module siphash #(
  parameter int HASHES = 1,
  parameter int ROUNDS = 1
) (
  input  logic                  clk,
  input  logic                  rst,

  input  logic                  req,
  input  logic [319:0]          words,
  input  logic                  long_message,
  input  logic [128*HASHES-1:0] key,

  output logic                  done,
  output logic [64*HASHES-1:0]  hash,
  input  logic                  take
);
  generate
    if (ROUNDS != 1 && ROUNDS != 2) begin : g_rounds
      siphash_ROUNDS_must_be_1_or_2 illegal_parameter ();
    end
  endgenerate

  logic [3:0]   step_q;        // 0 idle, else the number of this cycle among those with rounds
  logic [3:0]   last_step, final_step;
  logic         long_q;
  logic [319:0] words_q;       // bits 63:0: the word that was put in last
  logic         next_word, finalize;

  assign last_step  = long_q ? 4'(14 / ROUNDS) : 4'(8 / ROUNDS);
  assign final_step = last_step - 4'(4 / ROUNDS - 1);
  assign finalize   = step_q == final_step;
  assign next_word  = (ROUNDS == 2 || step_q[0]) && step_q > 4'd1 && step_q < final_step;
  assign done       = step_q != 4'd0 && step_q == last_step;

  // Until the result is taken the last step is done again and again, from the same state.
  always_ff @(posedge clk) begin
    if (rst) step_q <= 4'd0;
    else if (req) step_q <= 4'd1;
    else if (done) step_q <= take ? 4'd0 : step_q;
    else if (step_q != 4'd0) step_q <= step_q + 4'd1;

    if (req) begin
      words_q <= words;
      long_q <= long_message;
    end else if (next_word) begin
      words_q <= {64'd0, words_q[319:64]};
    end
  end

  generate
    for (genvar h = 0; h < HASHES; h++) begin : g_hash
      logic [63:0]  k0, k1;
      logic [255:0] v_q, v_in, v_out;
      assign k0 = key[128*h +: 64];
      assign k1 = key[128*h + 64 +: 64];

      // Before the first round of each word but the first, the word before it is taken off and the word put in;
      // before the first of the last four, the last word is taken off and 0xff put in.
      assign v_in = v_q ^ {next_word ? words_q[127:64] : 64'd0, finalize ? 64'hff : 64'd0, 64'd0,
                           next_word || finalize ? words_q[63:0] : 64'd0};

      if (ROUNDS == 2) begin : g_two
        logic [255:0] v_half;
        sip_round u_first (.v_in(v_in), .v_out(v_half));
        sip_round u_second (.v_in(v_half), .v_out(v_out));
      end else begin : g_one
        sip_round u_round (.v_in(v_in), .v_out(v_out));
      end

      always_ff @(posedge clk) begin
        if (req)
          v_q <= {k1 ^ 64'h7465646279746573 ^ words[63:0], k0 ^ 64'h6c7967656e657261,
                  k1 ^ 64'h646f72616e646f6d, k0 ^ 64'h736f6d6570736575};
        else if (!done)
          v_q <= v_out;
      end

      assign hash[64*h +: 64] = v_out[63:0] ^ v_out[127:64] ^ v_out[191:128] ^ v_out[255:192];
    end
  endgenerate
endmodule
