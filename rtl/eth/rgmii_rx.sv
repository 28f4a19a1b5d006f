// SPDX-License-Identifier: Apache-2.0
// rgmii_rx - what a PHY's receive pins said in one period of its clock, as octets (RGMII 2.0).
//
// Input   rise_*, fall_*: the pins at the rising edge of RXC and at the falling edge after it, both in the same clock.
//         gigabit: an octet per clock; otherwise a nibble per clock, the low one first, the same at both edges.
// Output  octet: en marks those clocks in which the rest means something; dv: within preamble or frame; er: the PHY says that
//         it is wrong. Without dv every clock has en. At 10 and 100 Mbit/s each nibble of the preamble gives an
//         "octet" of itself and the one before, so that the SFD is seen whichever nibble it begins with; the octets behind
//         it are whole. inband: link, speed, duplex as the PHY says them between frames.
// Timing  one clock; never stalls.

module rgmii_rx (
  input  logic       clk,
  input  logic       rst,
  input  logic       gigabit,
  input  logic [3:0] rise_d,
  input  logic [3:0] fall_d,
  input  logic       rise_ctl,
  input  logic       fall_ctl,
  output logic       en,
  output logic       dv,
  output logic       er,
  output logic [7:0] d,
  output logic [3:0] inband
);

  logic [3:0] low_q;      // the nibble before
  logic       low_er_q;
  logic       whole_q;    // the SFD was seen: octets begin with every second nibble
  logic       half_q;     // the coming nibble is a high one
  logic [7:0] pair;
  logic       nibble_er;

  assign pair = {rise_d, low_q};
  assign nibble_er = rise_ctl ^ fall_ctl;

  always_ff @(posedge clk) begin
    low_q <= rise_ctl ? rise_d : 4'd0;
    low_er_q <= rise_ctl && nibble_er;
    dv <= rise_ctl;
    if (gigabit) begin
      en <= 1'b1;
      er <= nibble_er;
      d <= {fall_d, rise_d};
    end else begin
      en <= !rise_ctl || !whole_q || half_q;
      er <= nibble_er || low_er_q;
      d <= pair;
    end
    half_q <= whole_q && !half_q;
    if (!rise_ctl) begin
      whole_q <= 1'b0;
      half_q <= 1'b0;
    end else if (pair == 8'hd5) begin
      whole_q <= 1'b1;
    end
    if (!rise_ctl && !fall_ctl) inband <= rise_d;
    if (rst) begin
      en <= 1'b0;
      dv <= 1'b0;
      er <= 1'b0;
      whole_q <= 1'b0;
      half_q <= 1'b0;
      low_er_q <= 1'b0;
      inband <= 4'd0;
    end
  end

endmodule
