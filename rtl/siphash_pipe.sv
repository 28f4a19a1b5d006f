// SPDX-License-Identifier: Apache-2.0
// siphash_pipe - SipHash-2-4 of a message of two or five words, a request in every cycle.
//
// Input   req with words: the message in little-endian words, of five the first one in bits 63:0; a message of two words
//         is in the upper two, bits 255:192 and 319:256. The length is in the top octet of the last word.
//         long_message: five words, else two; key: k0 in the low half.
// Output  done with hash, the low WIDTH bits of the result, in the order of the requests.
// Timing  req in r, done in r+15 for one cycle, whatever the length: one round in each of r+1 .. r+14, of which a
//         message of two words sits out the first six.
module siphash_pipe #(
  parameter int WIDTH = 64
) (
  input  logic             clk,
  input  logic             rst,

  input  logic             req,
  input  logic [319:0]     words,
  input  logic             long_message,
  input  logic [127:0]     key,

  output logic             done,
  output logic [WIDTH-1:0] hash
);
  localparam int ROUNDS = 14;
  localparam int SKIPPED = 6;       // rounds of the first three words

  // Stage k holds what goes into round k + 1; of the words those not yet taken off.
  logic [ROUNDS:0]         valid_q;
  logic [256*(ROUNDS+1)-1:0] v_q;   // v3, v2, v1, v0
  /* verilator lint_off UNUSEDSIGNAL */
  logic [320*ROUNDS-1:0]   words_q;
  logic [63:0]             sum;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [ROUNDS-1:0]       long_q;
  logic [63:0]             first;

  assign first = long_message ? words[63:0] : words[255:192];
  assign done = valid_q[ROUNDS];
  assign sum = v_q[256*ROUNDS +: 64] ^ v_q[256*ROUNDS + 64 +: 64] ^ v_q[256*ROUNDS + 128 +: 64] ^
               v_q[256*ROUNDS + 192 +: 64];
  assign hash = sum[WIDTH-1:0];

  always_ff @(posedge clk) begin
    if (rst) valid_q <= '0;
    else valid_q <= {valid_q[ROUNDS-1:0], req};
    long_q <= {long_q[ROUNDS-2:0], long_message};
    words_q <= {words_q[320*(ROUNDS-1)-1:0], words};
    v_q[255:0] <= {key[127:64] ^ 64'h7465646279746573 ^ first, key[63:0] ^ 64'h6c7967656e657261,
                   key[127:64] ^ 64'h646f72616e646f6d, key[63:0] ^ 64'h736f6d6570736575};
  end

  generate
    for (genvar k = 0; k < ROUNDS; k++) begin : g_round
      // Rounds 2w + 1 and 2w + 2 are those of word w; after them it is taken off, before them it was put in.
      localparam int WORD = k / 2;
      localparam logic ODD = (k % 2) == 1;
      logic [255:0] after;
      logic [63:0]  off, next;
      /* verilator lint_off UNUSEDSIGNAL */
      logic [63:0]  folded;
      /* verilator lint_on UNUSEDSIGNAL */
      sip_round u_round (.valid(valid_q[k]), .v_in(v_q[256*k +: 256]), .v_out(after), .folded(folded));

      assign off = ODD && WORD < 5 ? words_q[320*k + 64*(WORD < 5 ? WORD : 0) +: 64] : 64'd0;
      assign next = ODD && WORD < 4 ? words_q[320*k + 64*(WORD < 4 ? WORD + 1 : 0) +: 64] : 64'd0;

      always_ff @(posedge clk) begin
        if (k < SKIPPED && !long_q[k])
          v_q[256*(k+1) +: 256] <= v_q[256*k +: 256];
        else
          v_q[256*(k+1) +: 256] <= after ^ {next, ODD && WORD == 4 ? 64'hff : 64'd0, 64'd0, off};
      end
    end
  endgenerate
endmodule
