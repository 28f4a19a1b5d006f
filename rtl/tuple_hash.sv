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
//         that hold two ports are; one if each waits for the result of the one before; four at 4 cycles. With WIDE a
//         request may come in every cycle, and is done in r+15. Never stalls. ROUNDS: as in siphash_lanes.
module tuple_hash #(
  parameter int LANES = 3,
  parameter int ROUNDS = 1,
  parameter int WIDE = 0
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
  // The message's octets, the first one in bits 7:0; its length is the last octet of its last word.
  logic [287:0] octets6;
  logic [95:0]  tuple4, octets4;
  logic [319:0] words6;
  logic [127:0] words4;
  assign tuple4 = {tuple[191:160], tuple[63:0]};
  always_comb begin
    if (req) begin
      for (int i = 0; i < 36; i++) octets6[8*i +: 8] = tuple[287 - 8*i -: 8];
      for (int i = 0; i < 12; i++) octets4[8*i +: 8] = tuple4[95 - 8*i -: 8];
    end else begin
      octets6 = 'x;
      octets4 = 'x;
    end
  end
  assign words6 = {8'd36, 24'd0, octets6};
  assign words4 = {8'd12, 24'd0, octets4};

  generate
    if (WIDE != 0) begin : g_pipe
      logic [319:0] words;
      logic         index_done;
      assign words = ip6 ? words6 : {words4, 192'd0};

      siphash_pipe #(.WIDTH(32)) u_index (
        .clk(clk), .rst(rst), .req(req), .words(words), .long_message(ip6), .key(key_index),
        .done(index_done), .hash(index));
      /* verilator lint_off PINCONNECTEMPTY */
      siphash_pipe #(.WIDTH(64)) u_isn (
        .clk(clk), .rst(rst), .req(req), .words(words), .long_message(ip6), .key(key_isn),
        .done(), .hash(isn));
      /* verilator lint_on PINCONNECTEMPTY */
      assign done = index_done;
    end else begin : g_lanes
      /* verilator lint_off UNUSEDSIGNAL */
      logic [127:0] hashes;      // of the index the low half is used
      logic         note_done;
      /* verilator lint_on UNUSEDSIGNAL */

      siphash_lanes #(.HASHES(2), .LANES(LANES), .ROUNDS(ROUNDS)) u_hashes (
        .clk(clk), .rst(rst), .req(req), .words(ip6 ? words6 : {192'd0, words4}), .long_message(ip6),
        .key({key_isn, key_index}), .note(1'b0), .done(done), .hash(hashes), .note_done(note_done));
      assign index = hashes[31:0];
      assign isn = hashes[127:64];
    end
  endgenerate
endmodule
