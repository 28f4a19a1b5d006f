// SPDX-License-Identifier: Apache-2.0
// usb_link_rx - finds packets in a stream of bytes that may have lost, doubled or damaged some (docs/usb.md, Packets).
//
// What    a window of ten bytes slides over the stream; where it holds `sync` and a right check it is a header. The check of
//         the window's first eight bytes is kept up to date: a byte enters it, and what the byte that leaves still
//         contributes, eight bytes later, is taken out (the CRC is linear), so that every position costs one byte's work.
// Input   s_axis_down: the bytes. tick_1ms: one clock each millisecond.
// Output  header: one clock, flags to length are those of a header that is taken; they stay until the packet ends.
//         beat_*: its payload, 64 bits a beat, byte 0 in [7:0], filled up with zeros.
//         good: the packet has ended and is whole; lies: the length field of its message is not `length`.
//         bad: its payload's CRC is wrong, or no byte of it came for 5 ms. impossible: no packet has this `length`, and
//         what follows is not its payload. At most one of the three in a clock.
// Timing  a byte per clock but for one clock behind a header and one behind a payload. Without payload good or impossible
//         come with header. Reset: nothing found.
`include "handfast_defs.svh"

module usb_link_rx (
  input  logic        clk,
  input  logic        rst,
  input  logic        tick_1ms,

  input  logic [7:0]  s_axis_down_tdata,
  input  logic        s_axis_down_tvalid,
  output logic        s_axis_down_tready,

  output logic        header,
  output logic [4:0]  flags,
  output logic [7:0]  seq,
  output logic [7:0]  ack,
  output logic [7:0]  window,
  output logic [15:0] length,

  output logic        beat_valid,
  output logic [63:0] beat_data,
  output logic        beat_last,

  output logic        good,
  output logic        lies,
  output logic        bad,
  output logic        impossible
);

  localparam logic [1:0] HUNT = 2'd0, PAYLOAD = 2'd1, CHECK = 2'd2, END = 2'd3;
  localparam logic [31:0] RESIDUE = 32'hdebb20e3;
  localparam logic [2:0] GAP_TICKS = 3'd6;                  // more than 5 ms

  // The CRC of an octet and eight zero octets behind it.
  function [15:0] crc16_far(input [15:0] start, input [7:0] octet, input integer octets);
    integer i;
    begin
      crc16_far = start ^ {octet, 8'd0};
      for (i = 0; i < 8 * octets; i = i + 1) crc16_far = {crc16_far[14:0], 1'b0} ^ (crc16_far[15] ? 16'h1021 : 16'h0000);
    end
  endfunction
  localparam logic [15:0] INITIAL = crc16_far(16'hffff, 8'd0, 8); // what the initial value of all ones makes of it

  logic [1:0]  state_q;
  logic [79:0] win_q;                                       // byte 0 of the header in [7:0], the newest in [79:72]
  logic [3:0]  have_q;                                      // bytes of the window that are of no packet yet
  logic [15:0] crc16_q, crc16_stepped, crc16_left;
  logic [31:0] crc32_q, crc32_next;
  logic        take, match, possible;
  logic [14:0] left_q;
  logic [2:0]  at_q;                                        // byte of the beat; byte of the CRC
  logic [63:0] word_q;
  logic        beat_valid_q, beat_last_q, lies_q, second_q;
  logic [2:0]  gap_q;

  assign {length, window, ack, seq} = win_q[63:24];
  assign flags = win_q[20:16];                              // the others are none yet
  assign match = state_q == HUNT && have_q == 4'd10 && win_q[15:0] == 16'h4648 && (crc16_q ^ INITIAL) == win_q[79:64];
  assign possible = flags[`HF_LINK_DATA] ? length >= 16'd16 && length <= 16'd16384 : length == 16'd0;
  assign header = match;
  assign impossible = match && !possible;
  assign good = (match && possible && !flags[`HF_LINK_DATA]) || (state_q == END && crc32_q == RESIDUE);
  assign bad = (state_q == END && crc32_q != RESIDUE) || (state_q[0] != state_q[1] && gap_q == GAP_TICKS);
  assign lies = lies_q && state_q == END;
  assign s_axis_down_tready = state_q == HUNT ? !match : state_q != END && gap_q != GAP_TICKS;
  assign take = s_axis_down_tvalid && s_axis_down_tready;

  usb_crc16 step16 (.crc(crc16_q), .octet(win_q[71:64]), .next(crc16_stepped));
  eth_crc32 step32 (.crc(crc32_q), .d(s_axis_down_tdata), .next(crc32_next));

  // What leaves the window takes its contribution with it; a column for each of its bits.
  logic [127:0] columns;
  generate
    for (genvar g = 0; g < 8; g++) begin : g_column
      localparam logic [15:0] COLUMN = crc16_far(16'd0, 8'(1 << g), 9);
      assign columns[16*g +: 16] = win_q[g] ? COLUMN : 16'd0;
    end
  endgenerate
  always @* begin
    crc16_left = 16'd0;
    for (int i = 0; i < 8; i++) crc16_left = crc16_left ^ columns[16*i +: 16];
  end

  always_ff @(posedge clk) begin
    beat_valid_q <= 1'b0;
    if (tick_1ms && gap_q != GAP_TICKS) gap_q <= gap_q + 3'd1;
    if (take || state_q == HUNT) gap_q <= 3'd0;
    case (state_q)
      HUNT: begin
        if (take) begin
          win_q <= {s_axis_down_tdata, win_q[79:8]};
          crc16_q <= crc16_stepped ^ crc16_left;
          if (have_q != 4'd10) have_q <= have_q + 4'd1;
        end
        if (match) begin
          have_q <= 4'd0;
          if (flags[`HF_LINK_DATA] && possible) state_q <= PAYLOAD;
        end
        left_q <= length[14:0];
        at_q <= 3'd0;
        crc32_q <= 32'hffff_ffff;
        lies_q <= 1'b0;
        second_q <= 1'b0;
      end
      PAYLOAD: begin
        if (take) begin
          if (at_q == 3'd0) word_q <= {56'd0, s_axis_down_tdata};
          else word_q[{at_q, 3'd0} +: 8] <= s_axis_down_tdata;
          beat_valid_q <= at_q == 3'd7 || left_q == 15'd1;
          beat_last_q <= left_q == 15'd1;
          // Its own length: octets 2 and 3 of a message.
          if (!second_q && at_q == 3'd2 && s_axis_down_tdata != length[7:0]) lies_q <= 1'b1;
          if (!second_q && at_q == 3'd3 && s_axis_down_tdata != length[15:8]) lies_q <= 1'b1;
          if (at_q == 3'd7) second_q <= 1'b1;
          at_q <= at_q + 3'd1;
          left_q <= left_q - 15'd1;
          crc32_q <= crc32_next;
          if (left_q == 15'd1) begin
            state_q <= CHECK;
            at_q <= 3'd0;
          end
        end
      end
      CHECK: begin
        if (take) begin
          crc32_q <= crc32_next;
          at_q <= at_q + 3'd1;
          if (at_q == 3'd3) state_q <= END;
        end
      end
      default: state_q <= HUNT;                             // END
    endcase
    if (bad || rst) state_q <= HUNT;
    if (rst) begin
      win_q <= 80'd0;
      crc16_q <= 16'd0;
      have_q <= 4'd0;
      gap_q <= 3'd0;
    end
  end

  assign beat_valid = beat_valid_q;
  assign beat_data = word_q;
  assign beat_last = beat_last_q;

endmodule
