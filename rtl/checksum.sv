// SPDX-License-Identifier: Apache-2.0
// checksum - Internet checksum (RFC 1071) over chosen bytes of a stream of beats.
//
// Input   DATA_W/8 bytes per beat, byte 0 in data[7:0]; a pair of bytes 2n, 2n+1 is one 16-bit word in
//         network order. Bytes whose `bytes` bit is 0 count as 0: so the summed region begins at an
//         even byte, and may end at an odd one (it is padded on the right, as RFC 1071 wants).
//         first: this beat begins a new sum. Beats may come with any gap between them.
// Output  sum: ones'-complement sum, not inverted. A region that holds its own intact checksum
//         field gives 16'hffff. Regions of up to 128 KB do not overflow.
// Timing  a beat in c: lane sums registered at the end of c, accumulated at the end of c+1, in `sum`
//         (two folds behind the accumulator) in c+2. One beat per cycle, never stalls; the next
//         region's first beat may follow at once, it shows in c+3. No reset: `first` begins a sum.

module checksum #(
  parameter int DATA_W = 64
) (
  input  logic                clk,

  input  logic                valid,
  input  logic                first,
  input  logic [DATA_W-1:0]   data,
  input  logic [DATA_W/8-1:0] bytes,

  output logic [15:0]         sum
);

  generate
    if (DATA_W < 16 || DATA_W > 512 || DATA_W % 16 != 0) begin : g_illegal
      checksum_needs_a_width_of_whole_words_up_to_512 illegal ();
    end
  endgenerate

  localparam int WORDS = DATA_W / 16;
  localparam int LANES_W = 16 + $clog2(WORDS + 1);

  logic               valid_q, first_q;
  logic [LANES_W-1:0] lanes_d, lanes_q;
  logic [31:0]        acc_q;
  logic [16:0]        fold;

  always_comb begin
    lanes_d = 0;
    for (int w = 0; w < WORDS; w++)
      lanes_d = lanes_d + LANES_W'({data[16*w +: 8] & {8{bytes[2*w]}}, data[16*w+8 +: 8] & {8{bytes[2*w+1]}}});
  end

  always_ff @(posedge clk) begin
    valid_q <= valid;
    first_q <= first;
    lanes_q <= lanes_d;
    if (valid_q)
      acc_q <= (first_q ? 32'd0 : acc_q) + 32'(lanes_q);
  end

  // The first fold can carry again, the second one cannot: a carry leaves at most 16'hfffe below it.
  assign fold = {1'b0, acc_q[31:16]} + {1'b0, acc_q[15:0]};
  assign sum = fold[15:0] + {15'd0, fold[16]};

endmodule
