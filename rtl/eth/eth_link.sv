// SPDX-License-Identifier: Apache-2.0
// eth_link - link and speed, and who may speak with the PHY.
//
// What    reads the PHY's registers 1, 4, 5, 9, 10 (IEEE 802.3 clauses 22, 28, 40) again and again, at an address that
//         answers, beginning with PHY_ADDR, and works out what was negotiated. While no PHY answers, what the receive pins say between
//         frames is taken, once it has been the same for 16 clocks. Between two reads an access of the host has its turn.
// Input   force_on with force_speed: the link is up at that speed, whatever the PHY says. rx_clock: the PHY's clock runs; without
//         it the link is down. host_*: one access, started by host_start; inband on clk, bit by bit.
// Output  link, speed (2 gigabit, 1 100 Mbit/s, 0 10 Mbit/s), full_duplex; phy_found, phy_addr; host_busy, host_done.
// Timing  a round each POLL_CLKS and about 6 * 64 bits of MDIO.

module eth_link #(
  parameter int PHY_ADDR = 0,
  parameter int POLL_CLKS = 1000000
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        force_on,
  input  logic [1:0]  force_speed,
  input  logic        rx_clock,
  input  logic [3:0]  inband,
  output logic        link,
  output logic [1:0]  speed,
  output logic        full_duplex,
  output logic        phy_found,
  output logic [4:0]  phy_addr,

  input  logic        host_start,
  input  logic        host_write,
  input  logic [4:0]  host_phy,
  input  logic [4:0]  host_register,
  input  logic [15:0] host_wdata,
  output logic        host_busy,
  output logic        host_done,

  output logic        mdio_start,
  output logic        mdio_write,
  output logic [4:0]  mdio_phy,
  output logic [4:0]  mdio_register,
  output logic [15:0] mdio_wdata,
  input  logic        mdio_busy,
  input  logic        mdio_done,
  input  logic        mdio_answered,
  input  logic [15:0] mdio_rdata
);

  localparam int W = $clog2(POLL_CLKS + 1);

  logic [W-1:0] pause_q;
  logic [2:0]   step_q;     // which of the registers is next; 0 is register 1
  logic         for_host_q; // whose access is under way
  logic         up_q;
  logic [3:0]   ours_q;     // register 4: 100 full, 100 half, 10 full, 10 half
  logic [3:0]   both_q;     // and the peer's
  logic [1:0]   giga_q;     // register 9: 1000 full, half
  logic         phy_link_q, phy_full_q;
  logic [1:0]   phy_speed_q;

  // ---- between frames ----

  logic [3:0] last_q, steady_q, seen_q;

  always_ff @(posedge clk) begin
    last_q <= inband;
    if (inband != last_q) steady_q <= 4'd0;
    else if (steady_q != 4'd15) steady_q <= steady_q + 4'd1;
    else seen_q <= last_q;
    if (rst) begin
      steady_q <= 4'd0;
      seen_q <= 4'd0;
    end
  end

  // ---- the PHY's registers ----

  logic [1:0] giga;
  logic       unused;
  assign unused = ^{mdio_rdata[15:12], mdio_rdata[4:3], mdio_rdata[1:0]};
  assign giga = giga_q & mdio_rdata[11:10];

  always_ff @(posedge clk) begin
    mdio_start <= 1'b0;
    host_done <= 1'b0;
    if (host_start) host_busy <= 1'b1;
    if (pause_q != '0) pause_q <= pause_q - W'(1);
    if (!mdio_busy && !mdio_start && !mdio_done) begin
      if (host_busy) begin
        mdio_start <= 1'b1;
        mdio_write <= host_write;
        mdio_phy <= host_phy;
        mdio_register <= host_register;
        mdio_wdata <= host_wdata;
        for_host_q <= 1'b1;
      end else if (pause_q == '0) begin
        mdio_start <= 1'b1;
        mdio_write <= 1'b0;
        mdio_phy <= phy_addr;
        case (step_q)
          3'd0: mdio_register <= 5'd1;
          3'd1: mdio_register <= 5'd4;
          3'd2: mdio_register <= 5'd5;
          3'd3: mdio_register <= 5'd9;
          default: mdio_register <= 5'd10;
        endcase
        for_host_q <= 1'b0;
      end
    end
    if (mdio_done && for_host_q) begin
      host_busy <= 1'b0;
      host_done <= 1'b1;
    end else if (mdio_done && !mdio_answered) begin
      phy_found <= 1'b0;
      phy_addr <= phy_addr + 5'd1;
      phy_link_q <= 1'b0;
      step_q <= 3'd0;
      pause_q <= W'(POLL_CLKS);
    end else if (mdio_done) begin
      phy_found <= 1'b1;
      step_q <= step_q + 3'd1;
      case (step_q)
        3'd0: up_q <= mdio_rdata[2] && mdio_rdata[5]; // link, and negotiated
        3'd1: ours_q <= mdio_rdata[8:5];
        3'd2: both_q <= mdio_rdata[8:5] & ours_q;
        3'd3: giga_q <= mdio_rdata[9:8];
        default: begin
          // A speed that is not known is no link: frames of it would be nonsense.
          phy_link_q <= up_q && (giga != 2'd0 || both_q != 4'd0);
          phy_speed_q <= giga != 2'd0 ? 2'd2 : both_q[3:2] != 2'd0 ? 2'd1 : 2'd0;
          phy_full_q <= giga != 2'd0 ? giga[1] : both_q[3:2] != 2'd0 ? both_q[3] : both_q[1];
          step_q <= 3'd0;
          pause_q <= W'(POLL_CLKS);
        end
      endcase
    end
    if (rst) begin
      mdio_start <= 1'b0;
      host_busy <= 1'b0;
      phy_found <= 1'b0;
      phy_addr <= 5'(PHY_ADDR);
      phy_link_q <= 1'b0;
      phy_speed_q <= 2'd2;
      phy_full_q <= 1'b0;
      step_q <= 3'd0;
      pause_q <= W'(POLL_CLKS);
      for_host_q <= 1'b0;
    end
  end

  // ---- the outcome: the speed changes only with a link ----

  always_ff @(posedge clk) begin
    if (force_on) begin
      link <= rx_clock;
      full_duplex <= 1'b1;
      speed <= force_speed;
    end else if (phy_found) begin
      link <= phy_link_q && rx_clock;
      if (phy_link_q) begin
        full_duplex <= phy_full_q;
        speed <= phy_speed_q;
      end
    end else begin
      link <= seen_q[0] && seen_q[2:1] != 2'd3 && rx_clock;
      if (seen_q[0] && seen_q[2:1] != 2'd3) begin
        full_duplex <= seen_q[3];
        speed <= seen_q[2:1];
      end
    end
    if (rst) begin
      link <= 1'b0;
      full_duplex <= 1'b0;
      speed <= 2'd2;
    end
  end

endmodule
