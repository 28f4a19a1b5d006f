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
//         (two folds behind the accumulator) in c+2. Wider than 128 bits, the lane sums are added up in two
//         cycles, so all is one cycle later. One beat per cycle, never stalls; a region's sum holds until that
//         of the next region's first beat takes its place. No reset: `first` begins a sum.

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
    if (DATA_W < 16 || DATA_W > 512 || (DATA_W > 128 ? DATA_W % 64 : DATA_W % 16) != 0) begin : g_illegal
      checksum_needs_a_width_of_whole_words_up_to_512 illegal ();
    end
  endgenerate

  localparam int WORDS = DATA_W / 16;
  localparam int GROUP = (DATA_W > 128) ? 4 : WORDS;        // words that are added up in the first cycle
  localparam int GROUPS = WORDS / GROUP;
  localparam int GROUP_W = 16 + $clog2(GROUP + 1);
  localparam int LANES_W = 16 + $clog2(WORDS + 1);

  logic                      valid_q, first_q;
  logic [GROUPS*GROUP_W-1:0] groups_d, groups_q;
  logic                      lanes_valid, lanes_first;
  logic [LANES_W-1:0]        lanes_d, lanes;
  logic [31:0]               acc_q;
  logic [16:0]               fold;

  always_comb begin
    groups_d = 0;
    for (int w = 0; w < WORDS; w++)
      groups_d[(w / GROUP) * GROUP_W +: GROUP_W] = groups_d[(w / GROUP) * GROUP_W +: GROUP_W] +
        GROUP_W'({data[16*w +: 8] & {8{bytes[2*w]}}, data[16*w+8 +: 8] & {8{bytes[2*w+1]}}});
    lanes_d = 0;
    for (int g = 0; g < GROUPS; g++)
      lanes_d = lanes_d + LANES_W'(groups_q[g * GROUP_W +: GROUP_W]);
  end

  always_ff @(posedge clk) begin
    valid_q <= valid;
    first_q <= first;
    groups_q <= groups_d;
    if (lanes_valid)
      acc_q <= (lanes_first ? 32'd0 : acc_q) + 32'(lanes);
  end

  generate
    if (GROUPS == 1) begin : g_at_once
      assign lanes_valid = valid_q;
      assign lanes_first = first_q;
      assign lanes = lanes_d;
    end else begin : g_in_two
      logic               lanes_valid_q, lanes_first_q;
      logic [LANES_W-1:0] lanes_q;

      always_ff @(posedge clk) begin
        lanes_valid_q <= valid_q;
        lanes_first_q <= first_q;
        lanes_q <= lanes_d;
      end
      assign lanes_valid = lanes_valid_q;
      assign lanes_first = lanes_first_q;
      assign lanes = lanes_q;
    end
  endgenerate

  // The first fold can carry again, the second one cannot: a carry leaves at most 16'hfffe below it.
  assign fold = {1'b0, acc_q[31:16]} + {1'b0, acc_q[15:0]};
  assign sum = fold[15:0] + {15'd0, fold[16]};

endmodule
