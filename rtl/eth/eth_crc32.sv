// SPDX-License-Identifier: Apache-2.0
// eth_crc32 - one octet of the Ethernet frame check sequence (IEEE 802.3 3.2.9), and of the payload's check in packets of the byte
// link (docs/usb.md).
//
// Input   crc: all ones before the first octet. d: the octet; its bit 0 was first on the wire.
// Output  next. The four octets to send are ~crc, its least significant octet first. A frame received whole, its FCS
//         with it, leaves crc = 0xdebb20e3.
// Timing  combinational.

module eth_crc32 (
  input  logic [31:0] crc,
  input  logic [7:0]  d,
  output logic [31:0] next
);

  logic low;

  always_comb begin
    low = 1'b0;
    next = crc;
    for (int i = 0; i < 8; i++) begin
      low = next[0] ^ d[i];
      next = {1'b0, next[31:1]} ^ (low ? 32'hedb88320 : 32'h0);
    end
  end

endmodule
