// SPDX-License-Identifier: Apache-2.0
// tuple_hash - two keyed SipHash-2-4 values of a connection's addresses and ports.
//
// What    SipHash-2-4 of the 12 octets remote address, local address, remote port, local port,
//         each in network order: once under key_index (the table's set and tag) and once under
//         key_isn (the F of RFC 6528 section 3, and the timestamp offset of RFC 7323 5.4).
// Input   req with tuple = {remote_addr, local_addr, remote_port, local_port}, first octet most
//         significant. Keys: octet 0 in bits 7:0, read in the cycle of req only.
// Output  done for one cycle with index (its low half, all that is used) and isn, in the order
//         of the requests.
// Timing  req in r, done in r+8. Two lanes take turns, so requests must be at least 5 cycles
//         apart, as frames that hold two ports are; never stalls.
module tuple_hash (
  input  logic         clk,
  input  logic         rst,

  input  logic         req,
  input  logic [95:0]  tuple,
  input  logic [127:0] key_index,
  input  logic [127:0] key_isn,

  output logic         done,
  output logic [31:0]  index,
  output logic [63:0]  isn
);
  // The message in two little-endian words; its length is the last octet of the second.
  logic [63:0] m0, m1;
  assign m0 = {tuple[39:32], tuple[47:40], tuple[55:48], tuple[63:56],
               tuple[71:64], tuple[79:72], tuple[87:80], tuple[95:88]};
  assign m1 = {8'd12, 24'd0, tuple[7:0], tuple[15:8], tuple[23:16], tuple[31:24]};

  logic turn_q;  // the lane that takes the next request
  logic req_a, req_b;
  logic done_a, done_b;
  logic isn_done_a, isn_done_b;
  logic [31:0] index_a, index_b;
  logic [63:0] isn_a, isn_b;

  always_ff @(posedge clk) begin
    if (rst) turn_q <= 1'b0;
    else if (req) turn_q <= !turn_q;
  end

  assign req_a = req && !turn_q;
  assign req_b = req && turn_q;

  siphash #(.WIDTH(32)) u_index_a (
      .clk(clk), .rst(rst), .req(req_a), .m0(m0), .m1(m1), .key(key_index), .done(done_a), .hash(index_a));
  siphash #(.WIDTH(32)) u_index_b (
      .clk(clk), .rst(rst), .req(req_b), .m0(m0), .m1(m1), .key(key_index), .done(done_b), .hash(index_b));
  siphash #(.WIDTH(64)) u_isn_a (
      .clk(clk), .rst(rst), .req(req_a), .m0(m0), .m1(m1), .key(key_isn), .done(isn_done_a), .hash(isn_a));
  siphash #(.WIDTH(64)) u_isn_b (
      .clk(clk), .rst(rst), .req(req_b), .m0(m0), .m1(m1), .key(key_isn), .done(isn_done_b), .hash(isn_b));

  assign done  = (done_a && isn_done_a) || (done_b && isn_done_b);
  assign index = done_b ? index_b : index_a;
  assign isn   = done_b ? isn_b : isn_a;
endmodule
