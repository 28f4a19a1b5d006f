// SPDX-License-Identifier: Apache-2.0
// rgmii_io_sim - a PHY's RGMII pins as DDR halves, for simulation: what rgmii_io_ecp5 and rgmii_io_xilinx7 do with
// their vendors' primitives.
//
// Input   the pins; rxc must come when rxd is steady (the PHY delays it), and its rising edge begins a period.
// Output  rx_clk = rxc; rise and fall of one period together. The transmit pins, edges of txc and data at once.
// Timing  receive: two periods. Transmit: one clock; the second half follows the falling edge.

module rgmii_io_sim (
  input  logic       rxc,
  input  logic [3:0] rxd,
  input  logic       rx_ctl,
  output logic       txc,
  output logic [3:0] txd,
  output logic       tx_ctl,

  output logic       rx_clk,
  output logic [3:0] rx_rise_d,
  output logic [3:0] rx_fall_d,
  output logic       rx_rise_ctl,
  output logic       rx_fall_ctl,

  input  logic       tx_clk,
  input  logic [3:0] tx_rise_d,
  input  logic [3:0] tx_fall_d,
  input  logic       tx_rise_ctl,
  input  logic       tx_fall_ctl,
  input  logic       tx_rise_txc,
  input  logic       tx_fall_txc
);

  logic [4:0] first_q, second_q;

  assign rx_clk = rxc;
  always_ff @(posedge rxc) first_q <= {rx_ctl, rxd};
  always_ff @(negedge rxc) second_q <= {rx_ctl, rxd};
  always_ff @(posedge rxc) begin
    {rx_rise_ctl, rx_rise_d} <= first_q;
    {rx_fall_ctl, rx_fall_d} <= second_q;
  end

  logic [5:0] rise_q, fall_q;

  always_ff @(posedge tx_clk) begin
    rise_q <= {tx_rise_txc, tx_rise_ctl, tx_rise_d};
    fall_q <= {tx_fall_txc, tx_fall_ctl, tx_fall_d};
  end
  assign {txc, tx_ctl, txd} = tx_clk ? rise_q : fall_q;

endmodule
