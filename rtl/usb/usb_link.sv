// SPDX-License-Identifier: Apache-2.0
// usb_link - the byte link of docs/usb.md, card's end: two ordered streams of messages over a stream of bytes each way
// that may lose, double and damage some of them.
//
// What    usb_link_rx finds packets, usb_link_h2c holds the host's messages for the core; usb_link_c2h takes the core's,
//         usb_link_tx sends them until they are acknowledged. Here is what they have to do with one another: who is
//         expected, what is due to be said, and all time.
// Input   s_axis_c2h, m_axis_h2c: the core's c2h and h2c at 64 bits. tick_1ms: as the core's. s_axis_down: bytes from the host.
// Output  m_axis_up: bytes to the host; tlast: nothing follows at once. core_rst: rst, a clock later. open: a host is
//         there. cnt_*: one clock each; damaged: a packet of an open link was dropped that was cut off or whose CRC-32
//         or length is wrong; refused: a message of the host whose length field lies, or whose length is impossible;
//         resent: the sender goes back; discarded: a message of the core while no host is there.
// Timing  a byte per clock each way. Reset: closed.
`include "handfast_defs.svh"

module usb_link #(
  parameter int MAX_FRAME = 1522,             // the core's
  parameter int ASK_MS = 10,                  // without an ack for so long, ask; over a UART 100
  parameter int C2H_BEATS_LOG2 = 11,          // buffers, of 8 bytes a beat: 16 KiB each
  parameter int H2C_BEATS_LOG2 = 11
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        tick_1ms,
  output logic        core_rst,

  input  logic [63:0] s_axis_c2h_tdata,
  input  logic        s_axis_c2h_tvalid,
  input  logic        s_axis_c2h_tlast,
  output logic        s_axis_c2h_tready,

  output logic [63:0] m_axis_h2c_tdata,
  output logic        m_axis_h2c_tvalid,
  output logic        m_axis_h2c_tlast,
  input  logic        m_axis_h2c_tready,

  output logic [7:0]  m_axis_up_tdata,
  output logic        m_axis_up_tvalid,
  output logic        m_axis_up_tlast,
  input  logic        m_axis_up_tready,

  input  logic [7:0]  s_axis_down_tdata,
  input  logic        s_axis_down_tvalid,
  output logic        s_axis_down_tready,

  output logic        open,
  output logic        cnt_damaged,
  output logic        cnt_refused,
  output logic        cnt_resent,
  output logic        cnt_discarded
);

  // Messages of MAX_FRAME that the h2c buffer holds, at most 8.
  localparam int MESSAGE_BEATS = (MAX_FRAME + 16 + 7) / 8;
  localparam int FITTING = (1 << H2C_BEATS_LOG2) / MESSAGE_BEATS;
  localparam int SLOTS = FITTING > 8 ? 8 : FITTING;
  localparam logic [7:0] WORTH_SAYING = SLOTS > 1 ? 8'(SLOTS / 2) : 8'd1;
  localparam int QUIET_1_MS = 2000, QUIET_2_MS = 4000, GONE_MS = 5000;

  generate
    if (MAX_FRAME < 60 || MAX_FRAME > 16368) begin : g_illegal_frame
      usb_link_needs_MAX_FRAME_of_60_to_16368 illegal ();
    end
    if (C2H_BEATS_LOG2 > 15 || H2C_BEATS_LOG2 > 15 || FITTING < 1 || (1 << C2H_BEATS_LOG2) < MESSAGE_BEATS) begin : g_illegal_buffer
      usb_link_buffers_must_hold_a_MAX_FRAME illegal ();
    end
    if (ASK_MS < 1 || ASK_MS > 250) begin : g_illegal_ask
      usb_link_needs_ASK_MS_of_1_to_250 illegal ();
    end
  endgenerate

  // ---- what comes ----

  logic        header, good, lies, bad, impossible, beat_valid, beat_last, room, commit;
  logic [4:0]  flags;
  logic [7:0]  seq, ack, window;
  logic [15:0] length;
  logic [63:0] beat_data;
  logic [3:0]  waiting;
  logic        f_data, f_nak, f_open, f_close, f_ask;
  logic        open_q;
  logic [7:0]  expected_q, distance;                        // of a DATA packet from the expected one
  logic        opens, closes, gone, flush;
  logic        heard, wanted, taken, nak;

  assign f_data = flags[`HF_LINK_DATA];
  assign f_nak = flags[`HF_LINK_NAK];
  assign f_open = flags[`HF_LINK_OPEN];
  assign f_close = flags[`HF_LINK_CLOSE];
  assign f_ask = flags[`HF_LINK_ASK];
  assign distance = seq - expected_q;

  assign closes = good && f_close;
  assign opens = good && f_open && !f_close;
  assign flush = opens || closes || gone;
  assign heard = good && open_q && !f_open && !f_close;
  assign wanted = open_q && f_data && !f_open && !f_close && distance == 8'd0;
  assign taken = wanted && ((good && (lies || room)) || impossible);
  assign commit = wanted && good && !lies && room;
  assign nak = open_q && (bad || (impossible && f_data && !wanted) || (heard && f_data && !distance[7] && !taken));
  assign cnt_damaged = open_q && (bad || impossible);
  assign cnt_refused = wanted && ((good && lies) || impossible);

  usb_link_rx rx (
    .clk(clk), .rst(rst), .tick_1ms(tick_1ms), .s_axis_down_tdata(s_axis_down_tdata),
    .s_axis_down_tvalid(s_axis_down_tvalid), .s_axis_down_tready(s_axis_down_tready), .header(header), .flags(flags),
    .seq(seq), .ack(ack), .window(window), .length(length), .beat_valid(beat_valid), .beat_data(beat_data),
    .beat_last(beat_last), .good(good), .lies(lies), .bad(bad), .impossible(impossible));

  usb_link_h2c #(.BEATS_LOG2(H2C_BEATS_LOG2), .SLOTS(SLOTS)) h2c (
    .clk(clk), .rst(rst), .start(header), .length(length), .beat_valid(beat_valid), .beat_data(beat_data),
    .beat_last(beat_last), .commit(commit), .room(room), .packets(waiting), .m_axis_h2c_tdata(m_axis_h2c_tdata),
    .m_axis_h2c_tvalid(m_axis_h2c_tvalid), .m_axis_h2c_tlast(m_axis_h2c_tlast), .m_axis_h2c_tready(m_axis_h2c_tready));

  // ---- what must be said ----

  logic       open_due_q, close_due_q, nak_due_q, ask_due_q, ack_due_q, asked_q, said_none_q;
  logic [1:0] nak_hold_q;                                   // ticks until the next NAK may go
  logic [2:0] to_ack_q;                                     // packets taken since an ack went out
  logic [7:0] said_q, limit, age_q;                         // limit: what we take up to; said: as the host knows it
  logic [3:0] own_window;
  logic [12:0] silent_q;                                    // ms since a packet came
  logic [1:0] asks_q;                                       // asked since then
  logic       due, start, start_data, start_ask, moved, unacked, stuck, window_grew;
  logic [7:0] own_flags;

  assign own_window = 4'(SLOTS) - waiting;
  assign limit = expected_q + {4'd0, own_window};
  assign window_grew = limit - said_q >= WORTH_SAYING || (said_none_q && own_window != 4'd0);
  assign due = open_due_q || close_due_q || nak_due_q || ask_due_q || ack_due_q || to_ack_q[2] || (open_q && window_grew);
  always @* begin
    own_flags = 8'd0;
    own_flags[`HF_LINK_NAK] = nak_due_q;
    own_flags[`HF_LINK_OPEN] = open_due_q;
    own_flags[`HF_LINK_CLOSE] = close_due_q;
    own_flags[`HF_LINK_ASK] = ask_due_q;
  end
  assign start_ask = start && !start_data && ask_due_q;

  always_ff @(posedge clk) begin
    if (start) begin
      ack_due_q <= 1'b0;
      to_ack_q <= 3'd0;
      said_q <= limit;
      said_none_q <= own_window == 4'd0;
    end
    if (start && !start_data) begin
      open_due_q <= 1'b0;
      close_due_q <= 1'b0;
      nak_due_q <= 1'b0;
      ask_due_q <= 1'b0;
    end
    if (tick_1ms && to_ack_q != 3'd0) ack_due_q <= 1'b1;
    if (tick_1ms && nak_hold_q != 2'd0) nak_hold_q <= nak_hold_q - 2'd1;
    if (taken) begin
      expected_q <= expected_q + 8'd1;
      nak_hold_q <= 2'd0;
      if (!to_ack_q[2]) to_ack_q <= (start ? 3'd0 : to_ack_q) + 3'd1;
    end
    if (nak && nak_hold_q == 2'd0) begin
      nak_due_q <= 1'b1;
      nak_hold_q <= 2'd3;
    end
    if (heard && (f_ask || (f_data && distance[7]))) ack_due_q <= 1'b1;
    if ((good || impossible) && !open_q && !f_open) close_due_q <= 1'b1;

    // The oldest packet waits, or a message without window does.
    if (!unacked && !stuck) age_q <= 8'd0;
    else if (tick_1ms) age_q <= age_q + 8'd1;
    if (tick_1ms && age_q == 8'(ASK_MS)) ask_due_q <= 1'b1;
    if (moved || cnt_resent || (tick_1ms && age_q == 8'(ASK_MS))) age_q <= 8'd0;
    if (heard) asked_q <= 1'b0;
    if (start_ask) asked_q <= 1'b1;
    if (open_q && tick_1ms && (silent_q == 13'(QUIET_1_MS) || silent_q == 13'(QUIET_2_MS))) ask_due_q <= 1'b1;

    if (flush) begin
      open_q <= opens;
      expected_q <= 8'd0;
      open_due_q <= opens;
      close_due_q <= closes;
      nak_due_q <= 1'b0;
      ask_due_q <= 1'b0;
      ack_due_q <= 1'b0;
      asked_q <= 1'b0;
      to_ack_q <= 3'd0;
      nak_hold_q <= 2'd0;
      said_q <= 8'd0;
      said_none_q <= 1'b0;
      age_q <= 8'd0;
    end
    if (rst) begin
      open_q <= 1'b0;
      expected_q <= 8'd0;
      open_due_q <= 1'b0;
      close_due_q <= 1'b0;
      nak_due_q <= 1'b0;
      ask_due_q <= 1'b0;
      ack_due_q <= 1'b0;
      asked_q <= 1'b0;
      to_ack_q <= 3'd0;
      nak_hold_q <= 2'd0;
      said_q <= 8'd0;
      said_none_q <= 1'b0;
      age_q <= 8'd0;
    end
  end

  // ---- a host that is gone ----

  assign gone = open_q && silent_q == 13'(GONE_MS) && asks_q == 2'd2 && !good;

  always_ff @(posedge clk) begin
    if (tick_1ms && silent_q != 13'(GONE_MS)) silent_q <= silent_q + 13'd1;
    if (start_ask && asks_q != 2'd2) asks_q <= asks_q + 2'd1;
    if (good || rst) begin
      silent_q <= 13'd0;
      asks_q <= 2'd0;
    end
  end

  // ---- what goes ----

  logic        put_valid, put_last, put_ready;
  logic [63:0] put_data;

  usb_link_c2h c2h (
    .clk(clk), .rst(rst), .open(open_q), .flush(flush), .s_axis_c2h_tdata(s_axis_c2h_tdata),
    .s_axis_c2h_tvalid(s_axis_c2h_tvalid), .s_axis_c2h_tlast(s_axis_c2h_tlast), .s_axis_c2h_tready(s_axis_c2h_tready),
    .put_valid(put_valid), .put_data(put_data), .put_last(put_last), .put_ready(put_ready), .discarded(cnt_discarded));

  usb_link_tx #(.BEATS_LOG2(C2H_BEATS_LOG2)) tx (
    .clk(clk), .rst(rst), .put_valid(put_valid), .put_data(put_data), .put_last(put_last), .put_ready(put_ready),
    .flush(flush), .acked(heard), .again(f_nak || asked_q), .peer_ack(ack), .peer_window(window), .due(due),
    .own_flags(own_flags), .own_ack(expected_q), .own_window(own_window), .start(start), .start_data(start_data),
    .unacked(unacked), .stuck(stuck), .moved(moved), .resent(cnt_resent), .m_axis_up_tdata(m_axis_up_tdata),
    .m_axis_up_tvalid(m_axis_up_tvalid), .m_axis_up_tlast(m_axis_up_tlast), .m_axis_up_tready(m_axis_up_tready));

  assign open = open_q;
  always_ff @(posedge clk) core_rst <= rst;

endmodule
