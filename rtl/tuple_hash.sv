// SPDX-License-Identifier: Apache-2.0
// tuple_hash - two keyed SipHash-2-4 values of a connection's addresses and ports.
//
// What    SipHash-2-4 of remote address, local address, remote port, local port, each in network order (12 octets,
//         IPv6: 36): once under key_index (the table's set and tag) and once under key_isn (the F of
//         RFC 6528 section 3, and the timestamp offset of RFC 7323 5.4).
// Input   req with ip6 and tuple = {remote_addr, local_addr, remote_port, local_port}, first octet most
//         significant, IPv4 in the low 32 bits of an address. Keys: octet 0 in bits 7:0, read in the
//         cycle of req only.
// Output  done for one cycle with index (its low half, all that is used) and isn, in the order
//         of the requests.
// Timing  req in r, done in r+8 (IPv6: r+14), or one cycle after the done of the request before if that is later.
//         LANES requests are under way at most: three for requests at least 5 cycles apart, as frames
//         that hold two ports are; one if each waits for the result of the one before. Never stalls.
module tuple_hash #(
  parameter int LANES = 3
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         req,
  input  logic         ip6,
  input  logic [287:0] tuple,
  input  logic [127:0] key_index,
  input  logic [127:0] key_isn,

  output logic         done,
  output logic [31:0]  index,
  output logic [63:0]  isn
);
  generate
    if (LANES < 1 || LANES > 4) begin : g_lanes
      tuple_hash_LANES_must_be_1_to_4 illegal_parameter ();
    end
  endgenerate

  // The message's octets, the first one in bits 7:0; its length is the last octet of its last word.
  logic [287:0] octets6;
  logic [95:0]  tuple4, octets4;
  logic [319:0] words;
  assign tuple4 = {tuple[191:160], tuple[63:0]};
  always_comb begin
    for (int i = 0; i < 36; i++) octets6[8*i +: 8] = tuple[287 - 8*i -: 8];
    for (int i = 0; i < 12; i++) octets4[8*i +: 8] = tuple4[95 - 8*i -: 8];
    words = ip6 ? {8'd36, 24'd0, octets6} : {192'd0, 8'd12, 24'd0, octets4};
  end

  // Lanes take requests in turn, and give their results in turn.
  logic [1:0]       in_q, out_q;
  logic [LANES-1:0] lane_req, lane_done, lane_take, isn_done;
  logic [32*LANES-1:0] lane_index;
  logic [64*LANES-1:0] lane_isn;

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

      siphash #(.WIDTH(32)) u_index (
          .clk(clk), .rst(rst), .req(lane_req[i]), .words(words), .long_message(ip6), .key(key_index),
          .done(lane_done[i]), .hash(lane_index[32*i +: 32]), .take(lane_take[i]));
      siphash #(.WIDTH(64)) u_isn (
          .clk(clk), .rst(rst), .req(lane_req[i]), .words(words), .long_message(ip6), .key(key_isn),
          .done(isn_done[i]), .hash(lane_isn[64*i +: 64]), .take(lane_take[i]));
    end
  endgenerate

  always_comb begin
    done = |(lane_done & isn_done & lane_take);
    index = '0;
    isn = '0;
    for (int i = 0; i < LANES; i++) begin
      if (lane_take[i]) begin
        index = lane_index[32*i +: 32];
        isn = lane_isn[64*i +: 64];
      end
    end
  end
endmodule
