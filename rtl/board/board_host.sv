// SPDX-License-Identifier: Apache-2.0
// board_host - a board without its pins: core, MAC, time, and the byte link (docs/usb.md) over a UART or an FT2232H's FIFO.
//
// Input   clk, rst: board_reset. DDR halves of the PHY's pins, from rgmii_io_*. The cable's pins (usb_cable).
// Output  the same; ready, link, speed and open (a host is there) for lights.
// Timing  that of its parts. Registers are reached by messages: the core's at their offsets, the MAC's (regs/eth.def) from
//         0x8000 on, through msg_axil. Nothing is at the core's AXI-Lite.

module board_host #(
  parameter int SETS_LOG2 = 7,  // of the core, as in rtl/handfast.sv
  parameter int WAYS = 4,
  parameter int LISTENERS = 4,
  parameter int RULES = 4,
  parameter int MAX_FRAME = 1522,
  parameter int SEG_DEPTH = 16,
  parameter int STAGE_BEATS = 256,
  parameter int HOST_FIFO_BEATS = 512,
  parameter int EVENT_DEPTH = 16,
  parameter int REPLY_DEPTH = 16,
  parameter int CMD_DEPTH = 1,
  parameter int TX_BEATS = 256,
  parameter int TX_DESCS = 8,
  parameter int HASH_ROUNDS = 2,
  parameter int HASH_SERIAL = 0,
  parameter int IP6 = 1,
  parameter int MATCH_CYCLES = 1,
  parameter int READ_CYCLES = 1,
  parameter int FSM_CYCLES = 1,
  parameter int PARSE_CYCLES = 1,
  parameter int BUILD_CYCLES = 1,
  parameter int PHY_ADDR = 0,
  parameter int MDIO_HALF = 50,
  parameter int POLL_CLKS = 1000000,
  parameter int CLK_PS = 16000,
  parameter int CLK_HZ = 62500000,
  parameter int UART = 1,       // 0: an FT2232H's synchronous FIFO
  parameter int BAUD = 3000000
) (
  input  logic        clk,
  input  logic        rst,
  output logic        ready,
  output logic        open,

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

  input  logic        ft_clk,
  input  logic        rxf_n,
  input  logic        txe_n,
  output logic        oe_n,
  output logic        rd_n,
  output logic        wr_n,
  output logic        siwu_n,
  input  logic [7:0]  data_i,
  output logic [7:0]  data_o,
  output logic        data_oe,

  output logic        txd,
  input  logic        rxd
);

  logic        core_rst, tick_1ms;
  logic [63:0] time_ns;
  // at the link, and behind the window at the core
  logic [63:0] c2h_tdata, h2c_tdata, core_c2h_tdata, core_h2c_tdata;
  logic        c2h_tvalid, c2h_tlast, c2h_tready, h2c_tvalid, h2c_tlast, h2c_tready;
  logic        core_c2h_tvalid, core_c2h_tlast, core_c2h_tready, core_h2c_tvalid, core_h2c_tlast, core_h2c_tready;
  logic [11:0] mac_awaddr, mac_araddr;
  logic [31:0] mac_wdata, mac_rdata;
  logic [3:0]  mac_wstrb;
  logic [1:0]  mac_bresp, mac_rresp;
  logic        mac_awvalid, mac_awready, mac_wvalid, mac_wready, mac_bvalid, mac_bready, mac_arvalid, mac_arready;
  logic        mac_rvalid, mac_rready;

  board_time #(.CLK_PS(CLK_PS)) u_time (.clk(clk), .rst(rst), .time_ns(time_ns), .tick_1ms(tick_1ms));

  // In the clock in which the link is out of reset already and the core is not, nothing passes.
  usb_cable #(.UART(UART), .MAX_FRAME(MAX_FRAME), .CLK_HZ(CLK_HZ), .BAUD(BAUD)) u_cable (
    .clk(clk), .rst(rst), .tick_1ms(tick_1ms), .core_rst(core_rst),
    .s_axis_c2h_tdata(c2h_tdata), .s_axis_c2h_tvalid(c2h_tvalid && !core_rst), .s_axis_c2h_tlast(c2h_tlast),
    .s_axis_c2h_tready(c2h_tready), .m_axis_h2c_tdata(h2c_tdata), .m_axis_h2c_tvalid(h2c_tvalid),
    .m_axis_h2c_tlast(h2c_tlast), .m_axis_h2c_tready(h2c_tready && !core_rst), .open(open),
    .ft_clk(ft_clk), .rxf_n(rxf_n), .txe_n(txe_n), .oe_n(oe_n), .rd_n(rd_n), .wr_n(wr_n), .siwu_n(siwu_n),
    .data_i(data_i), .data_o(data_o), .data_oe(data_oe),
    .txd(txd), .rxd(rxd));

  msg_axil u_window (
    .clk(clk), .rst(core_rst),
    .s_axis_h2c_tdata(h2c_tdata), .s_axis_h2c_tvalid(h2c_tvalid), .s_axis_h2c_tlast(h2c_tlast),
    .s_axis_h2c_tready(h2c_tready), .m_axis_h2c_tdata(core_h2c_tdata), .m_axis_h2c_tvalid(core_h2c_tvalid),
    .m_axis_h2c_tlast(core_h2c_tlast), .m_axis_h2c_tready(core_h2c_tready), .s_axis_c2h_tdata(core_c2h_tdata),
    .s_axis_c2h_tvalid(core_c2h_tvalid), .s_axis_c2h_tlast(core_c2h_tlast), .s_axis_c2h_tready(core_c2h_tready),
    .m_axis_c2h_tdata(c2h_tdata), .m_axis_c2h_tvalid(c2h_tvalid), .m_axis_c2h_tlast(c2h_tlast),
    .m_axis_c2h_tready(c2h_tready), .m_axil_awaddr(mac_awaddr), .m_axil_awvalid(mac_awvalid),
    .m_axil_awready(mac_awready), .m_axil_wdata(mac_wdata), .m_axil_wstrb(mac_wstrb), .m_axil_wvalid(mac_wvalid),
    .m_axil_wready(mac_wready), .m_axil_bvalid(mac_bvalid), .m_axil_bresp(mac_bresp), .m_axil_bready(mac_bready),
    .m_axil_araddr(mac_araddr), .m_axil_arvalid(mac_arvalid), .m_axil_arready(mac_arready),
    .m_axil_rvalid(mac_rvalid), .m_axil_rdata(mac_rdata), .m_axil_rresp(mac_rresp), .m_axil_rready(mac_rready));

  /* verilator lint_off PINCONNECTEMPTY */
  board_core #(
    .SETS_LOG2(SETS_LOG2), .WAYS(WAYS), .LISTENERS(LISTENERS), .RULES(RULES), .MAX_FRAME(MAX_FRAME),
    .SEG_DEPTH(SEG_DEPTH), .STAGE_BEATS(STAGE_BEATS), .HOST_FIFO_BEATS(HOST_FIFO_BEATS), .EVENT_DEPTH(EVENT_DEPTH),
    .REPLY_DEPTH(REPLY_DEPTH), .CMD_DEPTH(CMD_DEPTH), .TX_BEATS(TX_BEATS), .TX_DESCS(TX_DESCS),
    .HASH_ROUNDS(HASH_ROUNDS), .HASH_SERIAL(HASH_SERIAL), .IP6(IP6), .MATCH_CYCLES(MATCH_CYCLES),
    .READ_CYCLES(READ_CYCLES), .FSM_CYCLES(FSM_CYCLES), .PARSE_CYCLES(PARSE_CYCLES), .BUILD_CYCLES(BUILD_CYCLES),
    .PHY_ADDR(PHY_ADDR), .MDIO_HALF(MDIO_HALF), .POLL_CLKS(POLL_CLKS)
  ) u_core (
    .clk(clk), .rst(core_rst), .time_ns(time_ns), .tick_1ms(tick_1ms), .ready(ready),
    .rx_clk(rx_clk), .rx_rise_d(rx_rise_d), .rx_fall_d(rx_fall_d), .rx_rise_ctl(rx_rise_ctl),
    .rx_fall_ctl(rx_fall_ctl), .tx_clk(tx_clk), .tx_rise_d(tx_rise_d), .tx_fall_d(tx_fall_d),
    .tx_rise_ctl(tx_rise_ctl), .tx_fall_ctl(tx_fall_ctl), .tx_rise_txc(tx_rise_txc), .tx_fall_txc(tx_fall_txc),
    .mdc(mdc), .mdo(mdo), .mdo_en(mdo_en), .mdi(mdi), .link(link), .speed(speed),
    .m_axis_c2h_tdata(core_c2h_tdata), .m_axis_c2h_tvalid(core_c2h_tvalid), .m_axis_c2h_tlast(core_c2h_tlast),
    .m_axis_c2h_tready(core_c2h_tready), .s_axis_h2c_tdata(core_h2c_tdata), .s_axis_h2c_tvalid(core_h2c_tvalid),
    .s_axis_h2c_tlast(core_h2c_tlast), .s_axis_h2c_tready(core_h2c_tready),
    .s_axil_awaddr(12'd0), .s_axil_awvalid(1'b0), .s_axil_awready(), .s_axil_wdata(32'd0), .s_axil_wstrb(4'd0),
    .s_axil_wvalid(1'b0), .s_axil_wready(), .s_axil_bvalid(), .s_axil_bresp(), .s_axil_bready(1'b0),
    .s_axil_araddr(12'd0), .s_axil_arvalid(1'b0), .s_axil_arready(), .s_axil_rvalid(), .s_axil_rdata(),
    .s_axil_rresp(), .s_axil_rready(1'b0),
    .s_axil_mac_awaddr(mac_awaddr), .s_axil_mac_awvalid(mac_awvalid), .s_axil_mac_awready(mac_awready),
    .s_axil_mac_wdata(mac_wdata), .s_axil_mac_wstrb(mac_wstrb), .s_axil_mac_wvalid(mac_wvalid),
    .s_axil_mac_wready(mac_wready), .s_axil_mac_bvalid(mac_bvalid), .s_axil_mac_bresp(mac_bresp),
    .s_axil_mac_bready(mac_bready), .s_axil_mac_araddr(mac_araddr), .s_axil_mac_arvalid(mac_arvalid),
    .s_axil_mac_arready(mac_arready), .s_axil_mac_rvalid(mac_rvalid), .s_axil_mac_rdata(mac_rdata),
    .s_axil_mac_rresp(mac_rresp), .s_axil_mac_rready(mac_rready),
    .mac_rx_tdata(), .mac_rx_tkeep(), .mac_rx_tvalid(), .mac_rx_tlast(), .mac_rx_tuser(), .mac_tx_tdata(),
    .mac_tx_tkeep(), .mac_tx_tvalid(), .mac_tx_tlast(), .mac_tx_tready(),
    .trc_valid(), .trc_op(), .trc_write(), .trc_slot(), .trc_state(), .trc_verdict(), .trc_cause(), .trc_stamp(),
    .trc_entry());
  /* verilator lint_on PINCONNECTEMPTY */

endmodule
