// SPDX-License-Identifier: Apache-2.0
// usb_link_h2c - messages of the host wait here until they are whole and right, and then for the core.
//
// Input   start: a packet begins that is wanted if there is room for its `length`; beat_*: its payload; commit: it is
//         right, and goes on to the core. What is not committed is written over by the next one.
// Output  room: the packet begun last fits (from the clock after start on). packets: messages not yet wholly gone to the
//         core. m_axis_h2c: as the core's s_axis_h2c.
// Timing  a message begins to come out 4 clocks after commit, a beat every third clock. Reset: empty.

module usb_link_h2c #(
  parameter int BEATS_LOG2 = 11,              // 16 KiB
  parameter int SLOTS = 8                     // messages
) (
  input  logic        clk,
  input  logic        rst,

  input  logic        start,
  input  logic [15:0] length,
  input  logic        beat_valid,
  input  logic [63:0] beat_data,
  input  logic        beat_last,
  input  logic        commit,
  output logic        room,
  output logic [3:0]  packets,

  output logic [63:0] m_axis_h2c_tdata,
  output logic        m_axis_h2c_tvalid,
  output logic        m_axis_h2c_tlast,
  input  logic        m_axis_h2c_tready
);

  localparam int P = BEATS_LOG2 + 1;

  // What is read is committed, what is written is not: read and write never meet at one address.
  (* no_rw_check *)
  logic [64:0]  mem [0:(1 << BEATS_LOG2)-1];
  logic [64:0]  read_q;
  logic [P-1:0] write_q, committed_q, rd_q, free;
  logic         room_q, ends;
  logic [3:0]   packets_q;
  logic [1:0]   step_q;                       // 0 address, 1 read, 2 offered
  logic [12:0]  beats;

  assign beats = 13'((length + 16'd7) >> 3);
  assign free = P'(1 << BEATS_LOG2) - (committed_q - rd_q);
  assign room = room_q;
  assign packets = packets_q;
  assign m_axis_h2c_tvalid = step_q == 2'd2;
  assign {m_axis_h2c_tlast, m_axis_h2c_tdata} = read_q;
  assign ends = m_axis_h2c_tvalid && m_axis_h2c_tready && m_axis_h2c_tlast;

  always_ff @(posedge clk) begin
    if (beat_valid && room_q) mem[write_q[BEATS_LOG2-1:0]] <= {beat_last, beat_data};
    if (step_q == 2'd1) read_q <= mem[rd_q[BEATS_LOG2-1:0]];
  end

  always_ff @(posedge clk) begin
    if (start) begin
      write_q <= committed_q;
      room_q <= {{(32-P){1'b0}}, free} >= {19'd0, beats} && packets_q != 4'(SLOTS);
    end else if (beat_valid && room_q) begin
      write_q <= write_q + P'(1);
    end
    if (commit) committed_q <= write_q;
    packets_q <= packets_q + {3'd0, commit} - {3'd0, ends};
    case (step_q)
      2'd0: if (rd_q != committed_q) step_q <= 2'd1;
      2'd1: begin
        step_q <= 2'd2;
        rd_q <= rd_q + P'(1);
      end
      default: if (m_axis_h2c_tready) step_q <= 2'd0;
    endcase
    if (rst) begin
      write_q <= '0;
      committed_q <= '0;
      rd_q <= '0;
      room_q <= 1'b0;
      packets_q <= 4'd0;
      step_q <= 2'd0;
    end
  end

`ifdef FORMAL_USB_LINK_H2C
  // What usb_link promises: commit only of a packet for which there was room, at its end, with as many beats as its length says.
  logic         rst_1q, held_1q, whole_q, open_q;
  logic [64:0]  beat_1q;
  logic [12:0]  left_q;

  initial assume (rst);
  always_comb begin
    assume (length >= 16'd16 && length <= 16'(8 << BEATS_LOG2));
    assume (!beat_valid || (left_q != 13'd0 && beat_last == (left_q == 13'd1) && !start));
    assume (!commit || (whole_q && room_q && !start && !beat_valid));
  end
  always_ff @(posedge clk) begin
    rst_1q <= rst;
    held_1q <= m_axis_h2c_tvalid && !m_axis_h2c_tready;
    beat_1q <= {m_axis_h2c_tlast, m_axis_h2c_tdata};
    if (start) left_q <= beats;
    else if (beat_valid) left_q <= left_q - 13'd1;
    whole_q <= !start && !commit && (whole_q || (beat_valid && left_q == 13'd1));
    open_q <= 1'b1;
    if (rst) begin
      left_q <= 13'd0;
      whole_q <= 1'b0;
    end
    if (!rst && open_q) begin
      // What is held fits, what comes of the packet fits behind it, and what is read is committed.
      never_overwritten: assert (write_q - rd_q <= P'(1 << BEATS_LOG2) && committed_q - rd_q <= write_q - rd_q &&
                                 (!room_q || {{(14-P){1'b0}}, write_q - rd_q} + {1'b0, left_q} <= 14'(1 << BEATS_LOG2)) &&
                                 (step_q != 2'd1 || rd_q != committed_q));
      if (!rst_1q && held_1q) begin
        stays: assert (m_axis_h2c_tvalid && {m_axis_h2c_tlast, m_axis_h2c_tdata} == beat_1q);
      end
    end
  end
`endif

endmodule
