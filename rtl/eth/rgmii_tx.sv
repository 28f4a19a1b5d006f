// SPDX-License-Identifier: Apache-2.0
// rgmii_tx - octets to a PHY's transmit pins and clock (RGMII 2.0), at the speed of the link.
//
// Input   clk: 125 MHz at every speed. speed: 2 gigabit, 1 100 Mbit/s, 0 10 Mbit/s; changes only in reset. dv, er, d: the
//         octet, in the clock with take.
// Output  take: the octet is taken in this clock; a register. rise_*, fall_*: what the pins show in the first and in the second half
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

  logic [5:0] phase_q, phase;        // clock of the nibble, now and next
  logic       high_q, high;          // it is the high one
  logic       end_q, middle_q;       // the last clock of the nibble; the one before txc falls
  logic       past_q;                // txc has fallen
  logic [5:0] last, middle;
  logic       dv_q, er_q;
  logic [3:0] high_d_q;
  logic       gigabit_q, hundred_q;

  assign last = hundred_q ? 6'd4 : 6'd49;
  // What is decided in this clock is on the pins in the next: at 100 Mbit/s txc falls in the middle of the third, at 10 at the
  // beginning of the 26th.
  assign middle = hundred_q ? 6'd1 : 6'd24;
  assign phase = end_q ? 6'd0 : phase_q + 6'd1;
  assign high = high_q ^ end_q;

  always_ff @(posedge clk) begin
    gigabit_q <= speed[1];
    hundred_q <= speed[0];
    take <= gigabit_q || (phase == last && high);
    if (gigabit_q) begin
      rise_d <= d[3:0];
      fall_d <= d[7:4];
      rise_ctl <= dv;
      fall_ctl <= dv ^ er;
      rise_txc <= 1'b1;
      fall_txc <= 1'b0;
    end else begin
      phase_q <= phase;
      high_q <= high;
      end_q <= phase == last;
      middle_q <= phase == middle;
      if (take) begin
        dv_q <= dv;
        er_q <= er;
        high_d_q <= d[7:4];
        rise_d <= d[3:0];
        fall_d <= d[3:0];
      end else if (end_q) begin
        rise_d <= high_d_q;
        fall_d <= high_d_q;
      end
      if (end_q) begin
        past_q <= 1'b0;
        rise_txc <= 1'b1;
        fall_txc <= 1'b1;
        rise_ctl <= take ? dv : dv_q;
        fall_ctl <= take ? dv : dv_q;
      end else if (middle_q) begin
        past_q <= 1'b1;
        rise_txc <= hundred_q;
        fall_txc <= 1'b0;
        rise_ctl <= hundred_q ? dv_q : dv_q ^ er_q;
        fall_ctl <= dv_q ^ er_q;
      end else if (past_q) begin
        rise_txc <= 1'b0;
        fall_txc <= 1'b0;
        rise_ctl <= dv_q ^ er_q;
      end
    end
    if (rst) begin
      phase_q <= 6'd0;
      high_q <= 1'b0;
      end_q <= 1'b0;
      middle_q <= 1'b0;
      past_q <= 1'b0;
      take <= 1'b0;
      dv_q <= 1'b0;
      er_q <= 1'b0;
      rise_ctl <= 1'b0;
      fall_ctl <= 1'b0;
    end
  end

endmodule
