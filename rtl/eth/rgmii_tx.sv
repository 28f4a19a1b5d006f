// SPDX-License-Identifier: Apache-2.0
// rgmii_tx - octets to a PHY's transmit pins and clock (RGMII 2.0), at the speed of the link.
//
// Input   clk: 125 MHz at every speed. speed: 2 gigabit, 1 100 Mbit/s, 0 10 Mbit/s; changes only in reset. dv, er, d: the
//         octet, in the clock with take.
// Output  take: the octet is taken in this clock. rise_*, fall_*: what the pins show in the first and in the second half
//         of a clock; txc is made like data, edges of both together: the delay that RGMII wants between
//         them is the PHY's or that of the pins' (rgmii_io_*).
// Timing  one clock. An octet each clock, or every 10th or 100th, its nibbles for 5 or 50 clocks each, low one first.

module rgmii_tx (
  input  logic       clk,
  input  logic       rst,
  input  logic [1:0] speed,
  output logic       take,
  input  logic       dv,
  input  logic       er,
  input  logic [7:0] d,
  output logic [3:0] rise_d,
  output logic [3:0] fall_d,
  output logic       rise_ctl,
  output logic       fall_ctl,
  output logic       rise_txc,
  output logic       fall_txc
);

  logic [5:0] phase_q;      // clock of the nibble
  logic       high_q;       // it is the high one
  logic [5:0] last, middle;
  logic       dv_q, er_q;
  logic [3:0] high_d_q;
  logic       end_of_nibble;
  logic       gigabit;

  assign gigabit = speed[1];
  assign last = speed[0] ? 6'd4 : 6'd49;
  // In this clock txc falls: at 100 Mbit/s in its middle, at 10 at its beginning.
  assign middle = speed[0] ? 6'd2 : 6'd25;
  assign end_of_nibble = phase_q == last;
  assign take = gigabit || (end_of_nibble && high_q);

  always_ff @(posedge clk) begin
    if (gigabit) begin
      rise_d <= d[3:0];
      fall_d <= d[7:4];
      rise_ctl <= dv;
      fall_ctl <= dv ^ er;
      rise_txc <= 1'b1;
      fall_txc <= 1'b0;
    end else begin
      phase_q <= end_of_nibble ? 6'd0 : phase_q + 6'd1;
      if (end_of_nibble) high_q <= !high_q;
      if (take) begin
        dv_q <= dv;
        er_q <= er;
        high_d_q <= d[7:4];
        rise_d <= d[3:0];
        fall_d <= d[3:0];
      end else if (end_of_nibble) begin
        rise_d <= high_d_q;
        fall_d <= high_d_q;
      end
      // phase_q is one behind what the pins show.
      if (end_of_nibble) begin
        rise_txc <= 1'b1;
        fall_txc <= 1'b1;
        rise_ctl <= take ? dv : dv_q;
        fall_ctl <= take ? dv : dv_q;
      end else if (phase_q + 6'd1 == middle) begin
        rise_txc <= speed[0];
        fall_txc <= 1'b0;
        rise_ctl <= speed[0] ? dv_q : dv_q ^ er_q;
        fall_ctl <= dv_q ^ er_q;
      end else if (phase_q + 6'd1 > middle) begin
        rise_txc <= 1'b0;
        fall_txc <= 1'b0;
        rise_ctl <= dv_q ^ er_q;
      end
    end
    if (rst) begin
      phase_q <= 6'd0;
      high_q <= 1'b0;
      dv_q <= 1'b0;
      er_q <= 1'b0;
      rise_ctl <= 1'b0;
      fall_ctl <= 1'b0;
    end
  end

endmodule
