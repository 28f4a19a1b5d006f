// SPDX-License-Identifier: Apache-2.0
// eth_regs - the MAC's registers (regs/eth.def) on AXI-Lite.
//
// What    identity, link, a way to the PHY's registers, counters. A read of a counter's low half keeps the high half for
//         the read after it, so both belong together.
// Input   s_axil_*, the MAC's state.
// Output  force_on, force_speed; host_* start an access to the PHY (eth_link); read_index to eth_counters.
// Timing  bvalid and rvalid four clocks after both valids; one access at a time. An unmapped offset and a partial write draw
//         SLVERR.

`include "handfast_defs.svh"
`include "eth_defs.svh"
module eth_regs (
  input  logic        clk,
  input  logic        rst,

  input  logic [11:0] s_axil_awaddr,
  input  logic        s_axil_awvalid,
  output logic        s_axil_awready,
  input  logic [31:0] s_axil_wdata,
  input  logic [3:0]  s_axil_wstrb,
  input  logic        s_axil_wvalid,
  output logic        s_axil_wready,
  output logic        s_axil_bvalid,
  output logic [1:0]  s_axil_bresp,
  input  logic        s_axil_bready,
  input  logic [11:0] s_axil_araddr,
  input  logic        s_axil_arvalid,
  output logic        s_axil_arready,
  output logic        s_axil_rvalid,
  output logic [31:0] s_axil_rdata,
  output logic [1:0]  s_axil_rresp,
  input  logic        s_axil_rready,

  output logic        force_on,
  output logic [1:0]  force_speed,
  input  logic        link,
  input  logic [1:0]  speed,
  input  logic        full_duplex,
  input  logic        rx_clock,
  input  logic [3:0]  inband,
  input  logic        phy_found,
  input  logic [4:0]  phy_addr,

  output logic        host_start,
  output logic        host_write,
  output logic [4:0]  host_phy,
  output logic [4:0]  host_register,
  output logic [15:0] host_wdata,
  input  logic        host_busy,
  input  logic        host_done,
  input  logic        mdio_answered,
  input  logic [15:0] mdio_rdata,

  output logic [3:0]  read_index,
  input  logic [63:0] read_value
);

  typedef enum logic [2:0] { IDLE, LOOK, WAIT, ANSWER_READ, ANSWER_WRITE } state_t;

  state_t      state_q;
  logic        is_write_q, silent_q;
  logic [11:0] at_q;
  logic [31:0] data_q, value;
  logic [3:0]  strobe_q;
  logic [15:0] answer_q;
  logic [31:0] high_q;
  logic        mapped, counter;
  logic [11:0] beyond;
  logic        unused;

  assign unused = ^{data_q[31:27], beyond[11:7], beyond[2:0]};
  assign beyond = at_q - `HF_ETH_COUNTER0_LO;
  assign counter = at_q >= `HF_ETH_COUNTER0_LO && at_q < `HF_ETH_COUNTER0_LO + 12'd8 * 12'(`ETH_COUNTERS);
  assign read_index = beyond[6:3];

  always_comb begin
    mapped = at_q[1:0] == 2'd0;
    value = 32'd0;
    case (at_q)
      `HF_ETH_ID: value = `HF_ETH_RESET_ID;
      `HF_ETH_VERSION: value = `HF_ETH_RESET_VERSION;
      `HF_ETH_CTRL: value = {29'd0, force_speed, force_on};
      `HF_ETH_STATUS: value = {16'd0, inband, 1'b0, rx_clock, phy_addr, phy_found, full_duplex, speed, link};
      `HF_ETH_MDIO: value = {host_busy, silent_q, 3'd0, host_write, host_phy, host_register, answer_q};
      default: begin
        if (counter) value = at_q[2] ? high_q : read_value[31:0];
        else mapped = 1'b0;
      end
    endcase
  end

  assign s_axil_rresp = s_axil_bresp;

  always_ff @(posedge clk) begin
    s_axil_awready <= 1'b0;
    s_axil_wready <= 1'b0;
    s_axil_arready <= 1'b0;
    host_start <= 1'b0;
    if (host_done) begin
      answer_q <= mdio_rdata;
      silent_q <= !mdio_answered && !host_write;
    end
    case (state_q)
      IDLE:
        if (s_axil_awvalid && s_axil_wvalid) begin
          state_q <= LOOK;
          is_write_q <= 1'b1;
          at_q <= s_axil_awaddr;
          data_q <= s_axil_wdata;
          strobe_q <= s_axil_wstrb;
          s_axil_awready <= 1'b1;
          s_axil_wready <= 1'b1;
        end else if (s_axil_arvalid) begin
          state_q <= LOOK;
          is_write_q <= 1'b0;
          at_q <= s_axil_araddr;
          s_axil_arready <= 1'b1;
        end
      LOOK: state_q <= WAIT; // the counters are being read
      WAIT: begin
        s_axil_rdata <= mapped ? value : 32'd0;
        if (is_write_q) begin
          state_q <= ANSWER_WRITE;
          s_axil_bvalid <= 1'b1;
          s_axil_bresp <= 2'd2;
          if (strobe_q == 4'hf) begin
            if (at_q == `HF_ETH_CTRL && data_q[2:1] != 2'd3) begin
              s_axil_bresp <= 2'd0;
              force_on <= data_q[0];
              force_speed <= data_q[2:1];
            end
            if (at_q == `HF_ETH_MDIO && !host_busy && !host_start) begin
              s_axil_bresp <= 2'd0;
              host_start <= 1'b1;
              {host_write, host_phy, host_register, host_wdata} <= data_q[26:0];
            end
          end
        end else begin
          state_q <= ANSWER_READ;
          s_axil_rvalid <= 1'b1;
          s_axil_bresp <= mapped ? 2'd0 : 2'd2;
          if (counter && !at_q[2]) high_q <= read_value[63:32];
        end
      end
      ANSWER_READ:
        if (s_axil_rready) begin
          s_axil_rvalid <= 1'b0;
          state_q <= IDLE;
        end
      default:
        if (s_axil_bready) begin
          s_axil_bvalid <= 1'b0;
          state_q <= IDLE;
        end
    endcase
    if (rst) begin
      state_q <= IDLE;
      s_axil_bvalid <= 1'b0;
      s_axil_rvalid <= 1'b0;
      host_start <= 1'b0;
      host_write <= 1'b0;
      host_phy <= 5'd0;
      host_register <= 5'd0;
      host_wdata <= 16'd0;
      answer_q <= 16'd0;
      silent_q <= 1'b0;
      force_on <= 1'b0;
      force_speed <= 2'd2;
      high_q <= 32'd0;
    end
  end

endmodule
