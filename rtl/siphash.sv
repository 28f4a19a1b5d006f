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

  // ---- the steps, and the message that all hashes share ----

  logic [3:0]   step_q;        // 0 idle, else the number of this cycle among those with rounds
  logic [3:0]   last_step, final_step;
  logic         long_q;
  logic [255:0] rest_q;        // the message but its first word
  logic [63:0]  word_q;        // the word that was put in last
  logic [63:0]  next, put_in;
  logic         take_off, finalize;
  logic         done_q;        // this is the last step: known a cycle before, as others wait for it

  assign last_step  = long_q ? 4'(14 / ROUNDS) : 4'(8 / ROUNDS);
  assign final_step = last_step - 4'(4 / ROUNDS);
  assign done       = done_q;

  // With its second round a word is taken off, and the next one put in; with that of the last word 0xff.
  assign finalize = step_q == final_step;
  assign take_off = (ROUNDS == 2 || !step_q[0]) && step_q != 4'd0 && step_q <= final_step;
  always_comb begin
    next = '0;
    if (take_off) begin
      for (int i = 0; i < 4; i++)
        next = next | (rest_q[64*i +: 64] & {64{32'(step_q) == 2 * (i + 1) / ROUNDS && (long_q || i == 0)}});
    end
    put_in = req ? words[63:0] : next;
  end

  // Until the result is taken the last step is done again and again, from the same state.
  always_ff @(posedge clk) begin
    if (rst) step_q <= 4'd0;
    else if (req) step_q <= 4'd1;
    else if (done) step_q <= take ? 4'd0 : step_q;
    else if (step_q != 4'd0) step_q <= step_q + 4'd1;

    if (rst || req) done_q <= 1'b0;
    else if (done) done_q <= !take;
    else done_q <= step_q != 4'd0 && step_q + 4'd1 == last_step;

    if (req) begin
      rest_q <= words[319:64];
      long_q <= long_message;
    end
    if (req || take_off)
      word_q <= put_in;
  end

  generate
    for (genvar h = 0; h < HASHES; h++) begin : g_hash
      logic [63:0]  k0, k1;
      logic [255:0] v_q, v_out;
      logic [63:0]  v0, v1, v2, v3;
      assign k0 = key[128*h +: 64];
      assign k1 = key[128*h + 64 +: 64];
      assign {v3, v2, v1, v0} = v_out;

      if (ROUNDS == 2) begin : g_two
        logic [255:0] v_half;
        /* verilator lint_off UNUSEDSIGNAL */
        logic [63:0] folded_half;
        /* verilator lint_on UNUSEDSIGNAL */
        sip_round u_first (.valid(step_q != 4'd0), .v_in(v_q), .v_out(v_half), .folded(folded_half));
        sip_round u_second (.valid(step_q != 4'd0), .v_in(v_half), .v_out(v_out), .folded(hash[64*h +: 64]));
      end else begin : g_one
        sip_round u_round (.valid(step_q != 4'd0), .v_in(v_q), .v_out(v_out), .folded(hash[64*h +: 64]));
      end

      // The words go in behind the rounds: one XOR with what loads the keys.
      always_ff @(posedge clk) begin
        if (req || (step_q != 4'd0 && !done)) begin
          v_q[63:0]    <= (req ? k0 ^ 64'h736f6d6570736575 : v0) ^ (word_q & {64{take_off}});
          v_q[127:64]  <= req ? k1 ^ 64'h646f72616e646f6d : v1;
          v_q[191:128] <= req ? k0 ^ 64'h6c7967656e657261 : v2 ^ {56'd0, {8{finalize}}};
          v_q[255:192] <= (req ? k1 ^ 64'h7465646279746573 : v3) ^ put_in;
        end
      end
    end
  endgenerate
endmodule
