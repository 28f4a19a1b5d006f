// SPDX-License-Identifier: Apache-2.0
// rgmii_io_ecp5 - a PHY's RGMII pins as DDR halves, on a Lattice ECP5 (FPGA-TN-02035). The counterpart of rgmii_io_sim.
//
// Input   the pins; RX_DELAY and TXC_DELAY are steps of 25 ps, 0 to 127: how much the receive pins are delayed behind
//         RXC (negative skew of a PHY that does not delay RXC), and TXC behind the transmit pins. RGMII wants 2 ns = 80 in all, of
//         PHY, board and this together.
// Output  rx_clk: RXC on the clock network.
// Timing  receive: one period and a register in the pin. Transmit: one period.

module rgmii_io_ecp5 #(
  parameter int RX_DELAY = 0,
  parameter int TXC_DELAY = 80
) (
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

  logic [4:0] rx_pin, rx_late, tx_out;
  logic [4:0] tx_pin;
  logic       txc_out;

  assign rx_clk = rxc;
  assign rx_pin = {rx_ctl, rxd};
  assign {tx_ctl, txd} = tx_pin;

  genvar i;
  generate
    for (i = 0; i < 5; i = i + 1) begin : g_pin
      logic rise, fall;
      DELAYG #(.DEL_MODE("USER_DEFINED"), .DEL_VALUE(RX_DELAY)) u_rx_delay (.A(rx_pin[i]), .Z(rx_late[i]));
      IDDRX1F u_rx (.SCLK(rx_clk), .RST(1'b0), .D(rx_late[i]), .Q0(rise), .Q1(fall));
      ODDRX1F u_tx (.SCLK(tx_clk), .RST(1'b0), .D0(tx_out[i]), .D1(i == 4 ? tx_fall_ctl : tx_fall_d[i % 4]), .Q(tx_pin[i]));
      assign tx_out[i] = i == 4 ? tx_rise_ctl : tx_rise_d[i % 4];
      if (i == 4) begin : g_ctl
        assign rx_rise_ctl = rise;
        assign rx_fall_ctl = fall;
      end else begin : g_d
        assign rx_rise_d[i] = rise;
        assign rx_fall_d[i] = fall;
      end
    end
  endgenerate

  ODDRX1F u_txc (.SCLK(tx_clk), .RST(1'b0), .D0(tx_rise_txc), .D1(tx_fall_txc), .Q(txc_out));
  DELAYG #(.DEL_MODE("USER_DEFINED"), .DEL_VALUE(TXC_DELAY)) u_txc_delay (.A(txc_out), .Z(txc));

endmodule
