// SPDX-License-Identifier: Apache-2.0
// siphash_lanes - SipHash-2-4 by copies of siphash that take turns.
//
// Input   req with words, long_message and key as in siphash, read in the cycle of req only.
// Output  done for one cycle with hash, the low WIDTH bits of the result, in the order of the requests.
// Timing  req in r, done in r+8 (five words: r+14), or one cycle after the done of the request before if that is
//         later. LANES requests are under way at most; the caller sees to that.
module siphash_lanes #(
  parameter int LANES = 3,
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
  generate
    if (LANES < 1 || LANES > 4) begin : g_lanes
      siphash_lanes_LANES_must_be_1_to_4 illegal_parameter ();
    end
  endgenerate

  // Lanes take requests in turn, and give their results in turn.
  logic [1:0]             in_q, out_q;
  logic [LANES-1:0]       lane_req, lane_done, lane_take;
  logic [WIDTH*LANES-1:0] lane_hash;

  always_ff @(posedge clk) begin
    if (rst) begin
      in_q <= 2'd0;
      out_q <= 2'd0;
    end else begin
      if (req) in_q <= 32'(in_q) == LANES - 1 ? 2'd0 : in_q + 2'd1;
      if (done) out_q <= 32'(out_q) == LANES - 1 ? 2'd0 : out_q + 2'd1;
    end
  end

  generate
    for (genvar i = 0; i < LANES; i++) begin : g_lane
      assign lane_req[i] = req && 32'(in_q) == i;
      assign lane_take[i] = 32'(out_q) == i;

      siphash #(.WIDTH(WIDTH)) u_hash (
          .clk(clk), .rst(rst), .req(lane_req[i]), .words(words), .long_message(long_message), .key(key),
          .done(lane_done[i]), .hash(lane_hash[WIDTH*i +: WIDTH]), .take(lane_take[i]));
    end
  endgenerate

  always_comb begin
    done = |(lane_done & lane_take);
    hash = '0;
    for (int i = 0; i < LANES; i++)
      hash = hash | (lane_hash[WIDTH*i +: WIDTH] & {WIDTH{lane_take[i]}});
  end
endmodule
