// SPDX-License-Identifier: Apache-2.0
// eth_mac - Ethernet MAC, full duplex, 10, 100 and 1000 Mbit/s, between AXI-Stream and a PHY's RGMII.
//
// What    frames without FCS on clk, DDR halves of the PHY's pins on its two clocks (rgmii_io_* makes pins of them). All that
//         crosses between the clocks goes through cross_fifo and cross_sync, whole beats with their tlast, so a frame
//         is whole, or marked bad, or was never begun.
// Input   s_axis_tx: no gap within a frame; shorter than 60 octets is padded. rx_* on rx_clk, the PHY's own; tx_clk
//         is 125 MHz at every speed. s_axil: regs/eth.def. rst: at any time, a clock is enough.
// Output  m_axis_rx: never waits (there is no tready); tuser with tlast: the frame is bad, for any reason; octets that
//         tkeep leaves out are 0.
//         tx_* on tx_clk. link, speed.
// Timing  pins to m_axis_rx: the beat's eight octets, then five octets, then about 6 clk. clk carries 64 bits per clock
//         and must be faster than 15.625 MHz. When the speed changes both directions begin anew; a frame cut by that ends as
//         a bad one.

`include "eth_defs.svh"
module eth_mac #(
  parameter int PHY_ADDR = 0,       // of the PHY on MDIO, the first to be tried
  parameter int MDIO_HALF = 50,     // clk in half a period of MDC
  parameter int POLL_CLKS = 1000000,
  parameter int LONGEST = 16383,    // octets with FCS
  parameter int DEPTH_LOG2 = 4      // beats between the clocks
) (
  input  logic        clk,
  input  logic        rst,

  input  logic [63:0] s_axis_tx_tdata,
  input  logic [7:0]  s_axis_tx_tkeep,
  input  logic        s_axis_tx_tvalid,
  input  logic        s_axis_tx_tlast,
  output logic        s_axis_tx_tready,

  output logic [63:0] m_axis_rx_tdata,
  output logic [7:0]  m_axis_rx_tkeep,
  output logic        m_axis_rx_tvalid,
  output logic        m_axis_rx_tlast,
  output logic        m_axis_rx_tuser,

  input  logic        rx_clk,
  input  logic [3:0]  rx_rise_d,
  input  logic [3:0]  rx_fall_d,
  input  logic        rx_rise_ctl,
  input  logic        rx_fall_ctl,

  input  logic        tx_clk,
  output logic [3:0]  tx_rise_d,
  output logic [3:0]  tx_fall_d,
  output logic        tx_rise_ctl,
  output logic        tx_fall_ctl,
  output logic        tx_rise_txc,
  output logic        tx_fall_txc,

  output logic        mdc,
  output logic        mdo,
  output logic        mdo_en,
  input  logic        mdi,

  output logic        link,
  output logic [1:0]  speed,

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
  input  logic        s_axil_rready
);

  generate
    if (DEPTH_LOG2 < 4) begin : g_illegal
      eth_mac_DEPTH_LOG2_must_be_at_least_4 illegal ();
    end
  endgenerate

  // ---- resets: of all, and when the speed changes ----

  logic       begin_anew, rx_clk_rst, rx_rst, tx_clk_rst, tx_rst;
  logic [1:0] speed_q;

  always_ff @(posedge clk) speed_q <= speed;
  assign begin_anew = rst || speed != speed_q;

  eth_reset u_rx_reset (.clk(clk), .start(begin_anew), .clk_rst(rx_clk_rst), .other_clk(rx_clk), .other_rst(rx_rst));
  eth_reset u_tx_reset (.clk(clk), .start(begin_anew), .clk_rst(tx_clk_rst), .other_clk(tx_clk), .other_rst(tx_rst));

  // ---- receive, on rx_clk ----

  logic                    rx_gigabit, en, dv, er, rx_room, rx_ready, rx_push;
  logic [7:0]              d;
  logic [3:0]              rx_inband;
  logic [68:0]             rx_beat;
  logic [`ETH_RX_SEEN-1:0] rx_seen;
  logic [6*`ETH_RX_SEEN-1:0] rx_gray;
  logic [5:0]              rx_alive_q;
  logic [DEPTH_LOG2:0]     rx_space, tx_space;

  cross_sync u_rx_speed (.clk(rx_clk), .rst(1'b0), .d(speed_q[1]), .q(rx_gigabit));

  rgmii_rx u_rgmii_rx (
    .clk(rx_clk), .rst(rx_rst), .gigabit(rx_gigabit), .rise_d(rx_rise_d), .fall_d(rx_fall_d), .rise_ctl(rx_rise_ctl),
    .fall_ctl(rx_fall_ctl), .en(en), .dv(dv), .er(er), .d(d), .inband(rx_inband));

  eth_rx #(.LONGEST(LONGEST)) u_rx (
    .clk(rx_clk), .rst(rx_rst), .en(en), .dv(dv), .er(er), .d(d), .room(rx_room), .push(rx_push), .beat(rx_beat),
    .seen(rx_seen));

  eth_events #(.KINDS(`ETH_RX_SEEN)) u_rx_events (.clk(rx_clk), .seen(rx_seen), .gray(rx_gray));

  always_ff @(posedge rx_clk) begin
    rx_alive_q <= rx_alive_q + 6'd1;
    // A push is on its way for a clock, and this for another.
    rx_room <= !rx_rst && rx_space >= (DEPTH_LOG2+1)'(4);
  end

  // ---- receive, on clk ----

  logic        beat_valid, beat_ready, inside_q;
  logic [68:0] beat;

  cross_fifo #(.WIDTH(69), .DEPTH_LOG2(DEPTH_LOG2)) u_rx_cross (
    .s_clk(rx_clk), .s_rst(rx_rst), .s_valid(rx_push), .s_ready(rx_ready), .s_data(rx_beat), .s_room(rx_space),
    .m_clk(clk), .m_rst(rx_clk_rst), .m_valid(beat_valid), .m_ready(beat_ready), .m_data(beat));

  assign beat_ready = 1'b1;

  always_ff @(posedge clk) begin
    m_axis_rx_tvalid <= beat_valid && !rx_clk_rst;
    m_axis_rx_tdata <= beat[63:0];
    m_axis_rx_tkeep <= 8'hff >> (3'd7 - beat[66:64]);
    m_axis_rx_tuser <= beat[67];
    m_axis_rx_tlast <= beat[68];
    if (beat_valid && !rx_clk_rst) inside_q <= !beat[68];
    if (rx_clk_rst && inside_q) begin
      // The rest will not come.
      m_axis_rx_tvalid <= 1'b1;
      m_axis_rx_tuser <= 1'b1;
      m_axis_rx_tlast <= 1'b1;
      inside_q <= 1'b0;
    end
    if (rst) begin
      m_axis_rx_tvalid <= 1'b0;
      inside_q <= 1'b0;
    end
  end

  // ---- transmit, on clk: in reset, and until the frame that it cut has ended, beats are thrown away ----

  logic       tx_inside_q, tx_drop_q, tx_ready, tx_valid;
  logic [2:0] tx_more;    // octets of the beat, less one

  assign tx_valid = s_axis_tx_tvalid && !tx_clk_rst && !tx_drop_q;
  assign s_axis_tx_tready = tx_clk_rst || tx_drop_q || tx_ready;

  always_comb begin
    tx_more = 3'd0;
    for (int i = 1; i < 8; i++) if (s_axis_tx_tkeep[i]) tx_more = 3'(i);
  end

  always_ff @(posedge clk) begin
    if (s_axis_tx_tvalid && s_axis_tx_tready) tx_inside_q <= !s_axis_tx_tlast;
    if (s_axis_tx_tvalid && s_axis_tx_tready ? s_axis_tx_tlast : !tx_inside_q) tx_drop_q <= 1'b0;
    else if (tx_clk_rst) tx_drop_q <= 1'b1;
    if (rst) begin
      tx_inside_q <= 1'b0;
      tx_drop_q <= 1'b0;
    end
  end

  // ---- transmit, on tx_clk ----

  logic                    out_valid, out_ready, take, out_dv, out_er;
  logic [67:0]             out_beat;
  logic [7:0]              out_d;
  logic [1:0]              tx_speed;
  logic [`ETH_TX_SEEN-1:0] tx_seen;
  logic [6*`ETH_TX_SEEN-1:0] tx_gray;

  cross_fifo #(.WIDTH(68), .DEPTH_LOG2(DEPTH_LOG2)) u_tx_cross (
    .s_clk(clk), .s_rst(tx_clk_rst), .s_valid(tx_valid), .s_ready(tx_ready),
    .s_data({s_axis_tx_tlast, tx_more, s_axis_tx_tdata}), .s_room(tx_space),
    .m_clk(tx_clk), .m_rst(tx_rst), .m_valid(out_valid), .m_ready(out_ready), .m_data(out_beat));

  cross_sync #(.WIDTH(2)) u_tx_speed (.clk(tx_clk), .rst(1'b0), .d(speed_q), .q(tx_speed));

  eth_tx u_tx (
    .clk(tx_clk), .rst(tx_rst), .valid(out_valid), .beat(out_beat), .ready(out_ready), .take(take), .dv(out_dv), .er(out_er),
    .d(out_d), .seen(tx_seen));

  rgmii_tx u_rgmii_tx (
    .clk(tx_clk), .rst(tx_rst), .speed(tx_speed), .take(take), .dv(out_dv), .er(out_er), .d(out_d),
    .rise_d(tx_rise_d), .fall_d(tx_fall_d), .rise_ctl(tx_rise_ctl), .fall_ctl(tx_fall_ctl),
    .rise_txc(tx_rise_txc), .fall_txc(tx_fall_txc));

  eth_events #(.KINDS(`ETH_TX_SEEN)) u_tx_events (.clk(tx_clk), .seen(tx_seen), .gray(tx_gray));

  // ---- what the host sees, on clk ----

  logic [6*`ETH_COUNTERS-1:0] gray, gray_here;
  logic [3:0]  inband, read_index;
  logic [63:0] read_value;
  logic        alive, alive_q, rx_clock;
  logic [11:0] silence_q;     // clk since rx_clk moved; 64 of its periods at 2.5 MHz are 3,200 of 125 MHz

  assign gray = {tx_gray, rx_gray};
  genvar k;
  generate
    for (k = 0; k < `ETH_COUNTERS; k = k + 1) begin : g_counter
      cross_sync #(.WIDTH(6), .GRAY(1)) u_gray (.clk(clk), .rst(1'b0), .d(gray[6*k +: 6]), .q(gray_here[6*k +: 6]));
    end
  endgenerate

  eth_counters #(.COUNT(`ETH_COUNTERS)) u_counters (
    .clk(clk), .rst(rst), .gray(gray_here), .read_index(read_index), .read_value(read_value));

  cross_sync #(.WIDTH(4)) u_inband (.clk(clk), .rst(rst), .d(rx_inband), .q(inband));
  cross_sync u_alive (.clk(clk), .rst(rst), .d(rx_alive_q[5]), .q(alive));

  always_ff @(posedge clk) begin
    alive_q <= alive;
    if (alive != alive_q) silence_q <= 12'd0;
    else if (silence_q != 12'hfff) silence_q <= silence_q + 12'd1;
    rx_clock <= silence_q != 12'hfff;
    if (rst) silence_q <= 12'hfff;
  end

  logic        force_on, full_duplex, phy_found;
  logic [1:0]  force_speed;
  logic [4:0]  phy_addr, host_phy, host_register, mdio_phy, mdio_register;
  logic        host_start, host_write, host_busy, host_done;
  logic        mdio_start, mdio_write, mdio_busy, mdio_done, mdio_answered;
  logic [15:0] host_wdata, mdio_wdata, mdio_rdata;

  eth_mdio #(.HALF(MDIO_HALF)) u_mdio (
    .clk(clk), .rst(rst), .start(mdio_start), .write(mdio_write), .phy(mdio_phy), .register(mdio_register),
    .wdata(mdio_wdata), .busy(mdio_busy), .done(mdio_done), .answered(mdio_answered), .rdata(mdio_rdata), .mdc(mdc),
    .mdo(mdo), .mdo_en(mdo_en), .mdi(mdi));

  eth_link #(.PHY_ADDR(PHY_ADDR), .POLL_CLKS(POLL_CLKS)) u_link (
    .clk(clk), .rst(rst), .force_on(force_on), .force_speed(force_speed), .rx_clock(rx_clock), .inband(inband),
    .link(link), .speed(speed), .full_duplex(full_duplex), .phy_found(phy_found), .phy_addr(phy_addr),
    .host_start(host_start), .host_write(host_write), .host_phy(host_phy), .host_register(host_register),
    .host_wdata(host_wdata), .host_busy(host_busy), .host_done(host_done),
    .mdio_start(mdio_start), .mdio_write(mdio_write), .mdio_phy(mdio_phy), .mdio_register(mdio_register),
    .mdio_wdata(mdio_wdata), .mdio_busy(mdio_busy), .mdio_done(mdio_done), .mdio_answered(mdio_answered),
    .mdio_rdata(mdio_rdata));

  eth_regs u_regs (
    .clk(clk), .rst(rst),
    .s_axil_awaddr(s_axil_awaddr), .s_axil_awvalid(s_axil_awvalid), .s_axil_awready(s_axil_awready),
    .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb), .s_axil_wvalid(s_axil_wvalid),
    .s_axil_wready(s_axil_wready), .s_axil_bvalid(s_axil_bvalid), .s_axil_bresp(s_axil_bresp),
    .s_axil_bready(s_axil_bready), .s_axil_araddr(s_axil_araddr), .s_axil_arvalid(s_axil_arvalid),
    .s_axil_arready(s_axil_arready), .s_axil_rvalid(s_axil_rvalid), .s_axil_rdata(s_axil_rdata),
    .s_axil_rresp(s_axil_rresp), .s_axil_rready(s_axil_rready),
    .force_on(force_on), .force_speed(force_speed), .link(link), .speed(speed), .full_duplex(full_duplex),
    .rx_clock(rx_clock), .inband(inband), .phy_found(phy_found), .phy_addr(phy_addr),
    .host_start(host_start), .host_write(host_write), .host_phy(host_phy), .host_register(host_register),
    .host_wdata(host_wdata), .host_busy(host_busy), .host_done(host_done), .mdio_answered(mdio_answered),
    .mdio_rdata(mdio_rdata), .read_index(read_index), .read_value(read_value));

  logic unused;
  assign unused = ^{rx_ready, tx_space, s_axis_tx_tkeep[0]};

endmodule
