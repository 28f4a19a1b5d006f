// SPDX-License-Identifier: Apache-2.0
// usb_ft245 - master of an FT2232H's or FT232H's synchronous 245 FIFO (FTDI AN_130), on that one's 60 MHz clock.
//
// What    moves the bytes of two streams over the eight shared data pins, in turns of at most BURST clocks while both
//         directions have something. On ft_clk all but the two cross_fifo's other sides.
// Input   s_axis_up: bytes for the host, on clk; tlast: nothing follows at once. rxf_n, txe_n, data_i: the chip's, valid
//         before the rising edge of ft_clk.
// Output  m_axis_down: bytes of the host, on clk. oe_n, rd_n, wr_n, siwu_n, data_o, data_oe: registers on ft_clk, idle
//         from configuration on: ft_clk runs only while a host has put the chip into this mode.
//         OE# is low a clock before RD#; a clock in which nobody drives lies between the two who do. SIWU# is low for one
//         clock when the last byte of a burst is in the chip, or when nothing has followed a byte for 64 clocks.
// Timing  a byte per ft_clk; turning round costs 2 clocks, back 1. txe_n goes to the enable of data_o's register without a
//         flip-flop between. Reset: rst is carried over to ft_clk and back; until ft_clk has run, the streams stand still.

module usb_ft245 #(
  parameter int BURST = 512,                  // 16 to 512
  parameter int DOWN_LOG2 = 5                 // bytes of the host that fit between the clocks
) (
  input  logic       clk,
  input  logic       rst,

  input  logic [7:0] s_axis_up_tdata,
  input  logic       s_axis_up_tvalid,
  input  logic       s_axis_up_tlast,
  output logic       s_axis_up_tready,

  output logic [7:0] m_axis_down_tdata,
  output logic       m_axis_down_tvalid,
  input  logic       m_axis_down_tready,

  input  logic       ft_clk,
  input  logic       rxf_n,
  input  logic       txe_n,
  output logic       oe_n,
  output logic       rd_n,
  output logic       wr_n,
  output logic       siwu_n,
  input  logic [7:0] data_i,
  output logic [7:0] data_o,
  output logic       data_oe
);

  generate
    if (BURST < 16 || BURST > 512 || DOWN_LOG2 < 3) begin : g_illegal
      usb_ft245_needs_BURST_of_16_to_512_and_DOWN_LOG2_of_3 illegal ();
    end
  endgenerate

  // ---- reset: asked for on clk, done on ft_clk, told back ----

  logic       ask_q, asked, done_q, done;
  logic       side_rst, ft_rst;
  logic [2:0] ft_held_q;                                    // clocks in reset
  logic [1:0] settle_q;                                     // clocks since configuration: `asked` means nothing before
  initial {settle_q, done_q} = 3'd0;

  always_ff @(posedge clk) begin
    if (rst) ask_q <= 1'b1;
    else if (done) ask_q <= 1'b0;
  end
  assign side_rst = rst || ask_q || done;
  cross_sync ask_over (.clk(ft_clk), .rst(1'b0), .d(ask_q), .q(asked));
  always_ff @(posedge ft_clk) begin
    if (!asked) ft_held_q <= 3'd0;
    else if (!ft_held_q[2]) ft_held_q <= ft_held_q + 3'd1;
    done_q <= asked && ft_held_q[2];
    if (settle_q != 2'd3) settle_q <= settle_q + 2'd1;
  end
  assign ft_rst = asked || done_q || settle_q != 2'd3;
  cross_sync done_back (.clk(clk), .rst(1'b0), .d(done_q), .q(done));

  // ---- crossings ----

  logic       down_push_q, up_valid, up_ready, up_last;
  logic [7:0] down_data_q, up_data;
  logic [DOWN_LOG2:0] down_room;
  logic       unused_down_ready;
  logic [4:0] unused_up_room;

  cross_fifo #(.WIDTH(8), .DEPTH_LOG2(DOWN_LOG2)) down (
    .s_clk(ft_clk), .s_rst(ft_rst), .s_valid(down_push_q), .s_ready(unused_down_ready), .s_data(down_data_q),
    .s_room(down_room), .m_clk(clk), .m_rst(side_rst), .m_valid(m_axis_down_tvalid), .m_ready(m_axis_down_tready),
    .m_data(m_axis_down_tdata));

  cross_fifo #(.WIDTH(9), .DEPTH_LOG2(4)) up (
    .s_clk(clk), .s_rst(side_rst), .s_valid(s_axis_up_tvalid), .s_ready(s_axis_up_tready),
    .s_data({s_axis_up_tlast, s_axis_up_tdata}), .s_room(unused_up_room), .m_clk(ft_clk), .m_rst(ft_rst), .m_valid(up_valid),
    .m_ready(up_ready), .m_data({up_last, up_data}));

  // ---- what is on the pins to be written, and one byte behind it ----

  logic       out_valid_q, out_last_q, hold_valid_q, hold_last_q, out_valid_d, accepted, advance;
  logic [7:0] data_o_q, hold_q;

  assign accepted = !wr_n && !txe_n;
  assign advance = !out_valid_q || accepted;
  assign up_ready = !hold_valid_q;
  assign out_valid_d = !advance || hold_valid_q || up_valid;
  assign data_o = data_o_q;

  always_ff @(posedge ft_clk) begin
    out_valid_q <= out_valid_d;
    if (advance) begin
      {out_last_q, data_o_q} <= hold_valid_q ? {hold_last_q, hold_q} : {up_last, up_data};
      hold_valid_q <= 1'b0;
    end else if (up_valid && up_ready) begin
      {hold_last_q, hold_q} <= {up_last, up_data};
      hold_valid_q <= 1'b1;
    end
    if (ft_rst) begin
      out_valid_q <= 1'b0;
      hold_valid_q <= 1'b0;
    end
  end

  // ---- turns ----

  localparam logic [2:0] IDLE = 3'd0, TURN = 3'd1, READ = 3'd2, RELEASE = 3'd3, WRITE = 3'd4;

  logic [2:0] state_q, state_d;
  logic       rxf_n_q, txe_n_q;                             // as they were, for whose turn it is
  logic       read_next_q;                                  // the other direction had the last turn
  logic [8:0] turn_q;                                       // clocks of this turn
  logic [2:0] empty_q;                                      // clocks of WRITE without a byte
  logic       turn_over, can_read, can_write, room;

  // What comes after a decision to read: a byte in down_push_q, one at the end of this clock, one of the next.
  assign room = down_room >= (DOWN_LOG2+1)'(3);
  assign can_read = !rxf_n_q && room;
  assign can_write = !txe_n_q && out_valid_q;
  assign turn_over = turn_q == 9'(BURST - 1);

  always @* begin
    state_d = state_q;
    case (state_q)
      IDLE, RELEASE:
        if (can_read && (read_next_q || !can_write)) state_d = state_q == RELEASE ? IDLE : TURN;
        else if (can_write) state_d = WRITE;
        else state_d = IDLE;
      TURN: state_d = READ;
      READ: if (rxf_n_q || (can_write && (turn_over || !room))) state_d = RELEASE;
      default:                                              // WRITE
        if (txe_n_q || empty_q[2] || (can_read && (turn_over || !out_valid_d))) state_d = IDLE;
    endcase
    if (ft_rst) state_d = IDLE;
  end

  always_ff @(posedge ft_clk) begin
    state_q <= state_d;
    rxf_n_q <= rxf_n;
    txe_n_q <= txe_n;
    if (state_q == READ) read_next_q <= 1'b0;
    if (state_q == WRITE) read_next_q <= 1'b1;
    if (state_q != READ && state_q != WRITE) turn_q <= 9'd0;
    else if (!turn_over) turn_q <= turn_q + 9'd1;
    empty_q <= state_q != WRITE || out_valid_d ? 3'd0 : empty_q + 3'd1;
    if (ft_rst) begin
      rxf_n_q <= 1'b1;
      txe_n_q <= 1'b1;
    end
  end

  // ---- pins ----

  logic oe_n_q, rd_n_q, wr_n_q, siwu_n_q, data_oe_q;
  initial {oe_n_q, rd_n_q, wr_n_q, siwu_n_q, data_oe_q} = 5'b11110;

  always_ff @(posedge ft_clk) begin
    oe_n_q <= !(state_d == TURN || state_d == READ);
    rd_n_q <= !(state_d == READ && room);
    wr_n_q <= !(state_d == WRITE && out_valid_d);
    data_oe_q <= state_d == WRITE;
    down_push_q <= !rd_n_q && !rxf_n && !ft_rst;
    down_data_q <= data_i;
  end
  assign {oe_n, rd_n, wr_n, data_oe} = {oe_n_q, rd_n_q, wr_n_q, data_oe_q};

  // ---- send what is in the chip ----

  logic       unsent_q, ended_q;                            // bytes since the last SIWU#; the newest of them ended a burst
  logic [5:0] still_q;                                      // clocks since the newest one
  logic       send;

  assign send = unsent_q && !out_valid_q && !hold_valid_q && (ended_q || still_q == 6'd63) && siwu_n_q;
  assign siwu_n = siwu_n_q;

  always_ff @(posedge ft_clk) begin
    siwu_n_q <= !send || ft_rst;
    if (accepted) begin
      unsent_q <= 1'b1;
      ended_q <= out_last_q;
      still_q <= 6'd0;
    end else begin
      if (send) unsent_q <= 1'b0;
      if (still_q != 6'd63) still_q <= still_q + 6'd1;
    end
    if (ft_rst) unsent_q <= 1'b0;
  end

`ifdef FORMAL_USB_FT245
  logic       open_q, ft_rst_1q, oe_n_1q, data_oe_1q, rd_n_1q, waits_1q, rxf_n_1q;
  logic [7:0] data_o_1q;

  // Nothing is assumed of the chip. Of the room in `down` only what is proved there: it shrinks by what is pushed alone.
  logic [DOWN_LOG2:0] down_room_1q;
  logic       down_push_1q;
  always_comb begin
    assume (!open_q || ft_rst_1q || ft_rst || down_room >= down_room_1q - (DOWN_LOG2+1)'(down_push_1q));
  end
  always_ff @(posedge ft_clk) begin
    open_q <= 1'b1;
    down_room_1q <= down_room;
    down_push_1q <= down_push_q;
    ft_rst_1q <= ft_rst;
    oe_n_1q <= oe_n;
    data_oe_1q <= data_oe;
    rd_n_1q <= rd_n;
    rxf_n_1q <= rxf_n;
    data_o_1q <= data_o;
    waits_1q <= !wr_n && txe_n;
    if (!open_q) assume (asked);
    one_drives: assert (oe_n || !data_oe);
    write_drives: assert (wr_n || data_oe);
    read_enabled: assert (rd_n || !oe_n);
    if (open_q) begin
      enabled_before_read: assert (rd_n || !oe_n_1q);
      free_between: assert ((oe_n || !data_oe_1q) && (!data_oe || oe_n_1q));
      if (!ft_rst && !ft_rst_1q) begin
        kept_until_taken: assert (!waits_1q || data_o == data_o_1q);
        never_lost: assert (!down_push_q || down_room != '0);
        what_is_read_goes_on: assert (down_push_q == (!rd_n_1q && !rxf_n_1q));
      end
    end
  end
`endif

endmodule
