// SPDX-License-Identifier: Apache-2.0
// formal/cross_fifo - cross_fifo between two clocks of any phase and speed: what is pushed comes out once and in order,
// and what it says about room is true. The clocks are inputs without any rule; tools/formal.sh turns each flip-flop into
// one that watches its clock.
module formal_cross_fifo (
  input logic s_clk,
  input logic m_clk,
  input logic s_valid,
  input logic m_ready
);
  localparam int LOG2 = 2, W = 4;

  logic         s_ready, m_valid, rst, s_reset_q, m_reset_q, s_out_q;
  logic [W-1:0] m_data, pushed_q, popped_q;
  logic [LOG2:0] room, room_1q, pushed_1q;

  initial {s_reset_q, m_reset_q, s_out_q} = 3'b000;
  initial {pushed_q, popped_q} = '0;
  assign rst = !s_reset_q || !m_reset_q;                    // until each side has had a clock in it

  // The n-th element is n.
  cross_fifo #(.WIDTH(W), .DEPTH_LOG2(LOG2)) dut (
    .s_clk(s_clk), .s_rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(pushed_q), .s_room(room), .m_clk(m_clk),
    .m_rst(rst), .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data));

  always_ff @(posedge s_clk) begin
    s_reset_q <= 1'b1;
    s_out_q <= !rst;
    room_1q <= room;
    pushed_1q <= (LOG2+1)'(s_valid && s_ready);
    if (!rst && s_valid && s_ready) pushed_q <= pushed_q + W'(1);
  end
  always_ff @(posedge m_clk) begin
    m_reset_q <= 1'b1;
    if (!rst && m_valid && m_ready) popped_q <= popped_q + W'(1);
  end

  always_comb begin
    if (!rst) begin
      in_order: assert (!m_valid || m_data == popped_q);
      nothing_from_nothing: assert (!m_valid || pushed_q != popped_q);
      room_is_there: assert (W'(pushed_q - popped_q) + W'(room) <= W'((1 << LOG2) + 1));
      room_means_ready: assert (room == 0 || s_ready);
      room_shrinks_by_pushes: assert (!s_out_q || room >= room_1q - pushed_1q);
    end
  end
endmodule
