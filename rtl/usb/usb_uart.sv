// SPDX-License-Identifier: Apache-2.0
// usb_uart - a UART, 8 data bits, no parity, one stop bit, with the streams of usb_ft245.
//
// Input   s_axis_up: bytes for the host (tlast is of no meaning here). rxd: asynchronous.
// Output  m_axis_down: bytes of the host; one that is not taken before the next is whole is lost, as one with a wrong stop
//         bit is: the link sends again. txd: a register, 1 while idle.
// Timing  a bit lasts CLK_HZ / BAUD clocks, on average to 1/256 clock; at least 4. A received byte comes 2 to 3 clocks
//         after the middle of its stop bit. A start bit is one that is still 0 in its middle. Reset: idle.

module usb_uart #(
  parameter int CLK_HZ = 62500000,
  parameter int BAUD = 12000000
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

  output logic       txd,
  input  logic       rxd
);

  generate
    if (BAUD < 9600 || CLK_HZ / BAUD < 4) begin : g_illegal
      usb_uart_needs_BAUD_of_9600_to_a_quarter_of_CLK_HZ illegal ();
    end
  endgenerate

  // Time in 1/256 clocks.
  localparam int BIT = (CLK_HZ / BAUD) * 256 + (CLK_HZ % BAUD) / (BAUD / 256);
  localparam int W = $clog2(BIT + 256);
  localparam logic [W-1:0] CLOCK = W'(256), LAST = W'(BIT - 256), WRAP = W'(BIT - 256);

  // ---- out: the stop bit is the 1 that the shift register fills up with ----

  logic [W-1:0] out_time_q;
  logic [9:0]   out_q;
  logic [3:0]   out_left_q;
  logic         out_bit_ends, unused_tlast;

  assign unused_tlast = s_axis_up_tlast;
  assign out_bit_ends = out_time_q >= LAST;
  assign s_axis_up_tready = out_left_q == 4'd0 || (out_left_q == 4'd1 && out_bit_ends);
  assign txd = out_q[0];

  always_ff @(posedge clk) begin
    out_time_q <= out_left_q == 4'd0 ? '0 : out_bit_ends ? out_time_q - WRAP : out_time_q + CLOCK;
    if (s_axis_up_tvalid && s_axis_up_tready) begin
      out_q <= {1'b1, s_axis_up_tdata, 1'b0};
      out_left_q <= 4'd10;
    end else if (out_left_q != 4'd0 && out_bit_ends) begin
      out_q <= {1'b1, out_q[9:1]};
      out_left_q <= out_left_q - 4'd1;
    end
    if (rst) begin
      out_q <= 10'h3ff;
      out_left_q <= 4'd0;
    end
  end

  // ---- in ----

  logic [W-1:0] in_time_q;
  logic         line, in_bit;
  logic [3:0]   in_left_q;                                  // bits to come with the start bit, 0 idle
  logic [7:0]   in_q, byte_q;
  logic         byte_valid_q, low_q;

  cross_sync #(.RESET(1'b1)) from_line (.clk(clk), .rst(rst), .d(rxd), .q(line));
  assign in_bit = in_time_q >= LAST;
  assign m_axis_down_tdata = byte_q;
  assign m_axis_down_tvalid = byte_valid_q;

  always_ff @(posedge clk) begin
    if (m_axis_down_tready) byte_valid_q <= 1'b0;
    low_q <= !line;
    if (in_left_q == 4'd0) begin
      in_time_q <= W'(BIT / 2 + 128);                       // the edge was between this clock and the one before
      if (!line && !low_q) in_left_q <= 4'd10;
    end else begin
      in_time_q <= in_bit ? in_time_q - WRAP : in_time_q + CLOCK;
      if (in_bit) begin
        in_left_q <= in_left_q - 4'd1;
        in_q <= {line, in_q[7:1]};
        if (in_left_q == 4'd10 && line) in_left_q <= 4'd0;  // no start bit
        if (in_left_q == 4'd1 && line) begin
          byte_q <= in_q;
          byte_valid_q <= 1'b1;
        end
      end
    end
    if (rst) begin
      in_left_q <= 4'd0;
      byte_valid_q <= 1'b0;
      low_q <= 1'b1;
    end
  end

endmodule
