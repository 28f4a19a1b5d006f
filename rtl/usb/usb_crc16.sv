// SPDX-License-Identifier: Apache-2.0
// usb_crc16 - one octet more in the check of a packet's header (regs/link.def: polynomial 0x1021, not reflected).
//
// Input   crc of what came before, octet.
// Output  next: crc of both. Combinational.

module usb_crc16 (
  input  logic [15:0] crc,
  input  logic [7:0]  octet,
  output logic [15:0] next
);

  always @* begin
    next = crc ^ {octet, 8'd0};
    for (int i = 0; i < 8; i++) next = {next[14:0], 1'b0} ^ (next[15] ? 16'h1021 : 16'h0000);
  end

endmodule
