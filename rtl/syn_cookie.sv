// SPDX-License-Identifier: Apache-2.0
// syn_cookie - the MAC of a SYN cookie: what only we could have put into the peer's ACK.
//
// What    SipHash-2-4 of remote address, local address, remote port, local port and an epoch in three octets, all in
//         network order (15 octets, IPv6: 39). Of a segment without ACK the epoch is its own, and the key the one
//         that signs; a segment with ACK brings both in the number that it acknowledges: the key's bit, and
//         the epoch modulo 4, so that one of the four epochs up to now is meant.
// Input   req with ip6 and tuple as in tuple_hash, seq, ack and the ACK flag of the segment, and the epoch of its
//         arrival. key_select: 0 = key_a signs. All are read in the cycle of req only.
// Output  done for one cycle with mac, the low 26 bits, in the order of the requests; key_selected: the key_select
//         of that request.
// Timing  as tuple_hash: req in q, done in q+8 (IPv6: q+14) or one cycle after the done before if that is later,
//         for requests at least 5 cycles apart; with WIDE in q+15, a request in every cycle. Never stalls. ROUNDS: as in
//         siphash_lanes.
module syn_cookie #(
  parameter int ROUNDS = 1,
  parameter int WIDE = 0
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         req,
  input  logic         ip6,
  input  logic [287:0] tuple,
  input  logic [31:0]  seq,
  input  logic [31:0]  ack,
  input  logic         ack_flag,
  input  logic [23:0]  epoch,
  input  logic         key_select,
  input  logic [127:0] key_a,
  input  logic [127:0] key_b,

  output logic         done,
  output logic [25:0]  mac,
  output logic         key_selected
);
  /* verilator lint_off UNUSEDSIGNAL */
  logic [31:0]  number;          // its top three bits: key, epoch modulo 4
  /* verilator lint_on UNUSEDSIGNAL */
  logic [1:0]   age;             // of the epoch that is meant
  logic [23:0]  signed_epoch;
  logic [127:0] key;
  assign number = ack - seq;
  assign age = ack_flag ? epoch[1:0] - number[30:29] : 2'd0;
  assign signed_epoch = epoch - {22'd0, age};
  assign key = (ack_flag ? number[31] : key_select) ? key_b : key_a;

  // The message's octets, the first one in bits 7:0; its length is the last octet of its last word.
  logic [311:0] octets6, bytes6;
  logic [119:0] octets4, bytes4;
  logic [319:0] words6;
  logic [127:0] words4;
  assign octets6 = {tuple, signed_epoch};
  assign octets4 = {tuple[191:160], tuple[63:0], signed_epoch};
  always_comb begin
    if (req) begin
      for (int i = 0; i < 39; i++) bytes6[8*i +: 8] = octets6[311 - 8*i -: 8];
      for (int i = 0; i < 15; i++) bytes4[8*i +: 8] = octets4[119 - 8*i -: 8];
    end else begin
      bytes6 = 'x;
      bytes4 = 'x;
    end
  end
  assign words6 = {8'd39, bytes6};
  assign words4 = {8'd15, bytes4};

  generate
    if (WIDE != 0) begin : g_pipe
      logic [14:0] select_q;
      siphash_pipe #(.WIDTH(26)) u_mac (
        .clk(clk), .rst(rst), .req(req), .words(ip6 ? words6 : {words4, 192'd0}), .long_message(ip6), .key(key),
        .done(done), .hash(mac));
      always_ff @(posedge clk) select_q <= {select_q[13:0], key_select};
      assign key_selected = select_q[14];
    end else begin : g_lanes
      /* verilator lint_off UNUSEDSIGNAL */
      logic [63:0] hash;
      /* verilator lint_on UNUSEDSIGNAL */
      siphash_lanes #(.HASHES(1), .LANES(3), .ROUNDS(ROUNDS)) u_mac (
        .clk(clk), .rst(rst), .req(req), .words(ip6 ? words6 : {192'd0, words4}), .long_message(ip6), .key(key),
        .note(key_select), .done(done), .hash(hash), .note_done(key_selected));
      assign mac = hash[25:0];
    end
  endgenerate
endmodule
