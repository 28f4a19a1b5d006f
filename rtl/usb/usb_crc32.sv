// SPDX-License-Identifier: Apache-2.0
// usb_crc32 - one octet more in the check of a payload (IEEE 802.3, reflected: polynomial 0xedb88320).
//
// Input   crc of what came before, not inverted, all ones at the beginning; octet.
// Output  next: crc of both. Combinational. After a payload and its own CRC it is 0xdebb20e3.

module usb_crc32 (
  input  logic [31:0] crc,
  input  logic [7:0]  octet,
  output logic [31:0] next
);

  always @* begin
    next = crc ^ {24'd0, octet};
    for (int i = 0; i < 8; i++) next = {1'b0, next[31:1]} ^ (next[0] ? 32'hedb88320 : 32'h0000_0000);
  end

endmodule
