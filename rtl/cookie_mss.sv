// SPDX-License-Identifier: Apache-2.0
// cookie_mss - the MSS classes of a SYN cookie (regs/cookie.def): what three bits remember of the peer's MSS.
//
// Input   mss: a send MSS. from_class: a class.
// Output  to_class: the highest class whose octets are not above mss, 0 if none. octets: those of from_class.
// Timing  combinational.
`include "handfast_defs.svh"
module cookie_mss (
  input  logic [15:0] mss,
  output logic [2:0]  to_class,
  input  logic [2:0]  from_class,
  output logic [15:0] octets
);
  localparam logic [127:0] CLASSES = {
    `HF_COOKIE_MSS_7, `HF_COOKIE_MSS_6, `HF_COOKIE_MSS_5, `HF_COOKIE_MSS_4,
    `HF_COOKIE_MSS_3, `HF_COOKIE_MSS_2, `HF_COOKIE_MSS_1, `HF_COOKIE_MSS_0};

  always_comb begin
    to_class = 3'd0;
    for (int i = 1; i < 8; i++)
      if (mss >= CLASSES[16*i +: 16]) to_class = i[2:0];
  end

  assign octets = CLASSES[16*from_class +: 16];
endmodule
