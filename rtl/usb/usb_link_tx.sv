// SPDX-License-Identifier: Apache-2.0
// usb_link_tx - sends messages as numbered packets, keeps them until they are acknowledged, and goes back when it must.
//
// What    a ring of whole messages, at most 8; three numbers walk through it: una, the oldest that waits for its ack; nxt, the
//         next to send; sent, behind the newest ever sent. Going back sets nxt to una.
// Input   put_*: beats of messages; the length field stands in the first. flush: empty the ring, number from 0, the
//         peer takes `peer_window` packets. acked: peer_ack and peer_window of a packet that came; again: go back after it.
//         due: a packet must go out without waiting for data, with own_flags; own_ack and own_window stand in every packet.
// Output  m_axis_up: the bytes, tlast: nothing follows at once. start: a packet begins with this clock; start_data: it is a
//         DATA packet. unacked: packets wait for their acks; stuck: there is a message and no window.
//         moved: the ack was new. resent: it goes back.
// Timing  a byte per clock; 3 clocks between packets. put_ready is a register. Reset: as flush, with a window of 0.
`include "handfast_defs.svh"

module usb_link_tx #(
  parameter int BEATS_LOG2 = 11               // 16 KiB
) (
  input  logic        clk,
  input  logic        rst,

  input  logic        put_valid,
  input  logic [63:0] put_data,
  input  logic        put_last,
  output logic        put_ready,

  input  logic        flush,
  input  logic        acked,
  input  logic        again,
  input  logic [7:0]  peer_ack,
  input  logic [7:0]  peer_window,

  input  logic        due,
  input  logic [7:0]  own_flags,
  input  logic [7:0]  own_ack,
  input  logic [3:0]  own_window,

  output logic        start,
  output logic        start_data,
  output logic        unacked,
  output logic        stuck,
  output logic        moved,
  output logic        resent,

  output logic [7:0]  m_axis_up_tdata,
  output logic        m_axis_up_tvalid,
  output logic        m_axis_up_tlast,
  input  logic        m_axis_up_tready
);

  localparam int P = BEATS_LOG2 + 1;
  localparam logic [7:0] WINDOW = 8'd8;
  localparam logic [2:0] IDLE = 3'd0, READ = 3'd1, LOAD = 3'd2, HEADER = 3'd3, PAYLOAD = 3'd4, TAIL = 3'd5;

  // A read may meet a write only in a packet that is acknowledged already, whose bytes matter to nobody.
  (* no_rw_check *)
  logic [63:0]  mem [0:(1 << BEATS_LOG2)-1];
  logic [P-1:0] begin_at [0:15];                            // where message n begins, by n modulo 16
  logic [P-1:0] write_q, oldest_q;                          // next beat to write; first beat of message una
  logic [7:0]   put_q, una_q, nxt_q, sent_q, limit_q;       // message numbers; limit: the first one not to be sent
  logic         put_ready_q, put, put_end;
  logic [7:0]   put_d, ahead, behind, limit_left, window;
  logic [P-1:0] used;
  logic         ack_counts, go_back, can_send;

  // ---- the ring ----

  assign put = put_valid && put_ready_q;
  assign put_end = put && put_last;
  assign put_ready = put_ready_q;
  assign put_d = put_q + {7'd0, put_end};
  assign used = write_q - oldest_q;

  assign window = peer_window > WINDOW ? WINDOW : peer_window;
  assign ahead = peer_ack - una_q;                          // how many it acknowledges
  assign behind = sent_q - una_q;                           // how many there are
  assign ack_counts = acked && ahead <= behind;
  assign moved = ack_counts && ahead != 8'd0;
  assign go_back = ack_counts && again && peer_ack != sent_q;
  assign resent = go_back;
  assign limit_left = limit_q - nxt_q;
  assign can_send = nxt_q != put_q && limit_left != 8'd0 && !limit_left[7];
  assign unacked = una_q != sent_q;
  assign stuck = nxt_q != put_q && !can_send;

  always_ff @(posedge clk) begin
    if (put) mem[write_q[BEATS_LOG2-1:0]] <= put_data;
    if (put_end || flush || rst)
      begin_at[flush || rst ? 4'd0 : put_d[3:0]] <= flush || rst ? '0 : write_q + P'(1);
  end

  always_ff @(posedge clk) begin
    if (put) write_q <= write_q + P'(1);
    put_q <= put_d;
    oldest_q <= begin_at[una_q[3:0]];
    put_ready_q <= used + P'(put) < P'(1 << BEATS_LOG2) && put_d - una_q < WINDOW;
    if (ack_counts) begin
      una_q <= peer_ack;
      limit_q <= peer_ack + window;
    end
    if (go_back || (ack_counts && nxt_q - una_q < ahead)) nxt_q <= peer_ack;
    else if (start_data) nxt_q <= nxt_q + 8'd1;
    if (start_data && nxt_q == sent_q) sent_q <= sent_q + 8'd1;
    if (flush || rst) begin
      write_q <= '0;
      oldest_q <= '0;
      put_ready_q <= 1'b0;
      put_q <= 8'd0;
      una_q <= 8'd0;
      nxt_q <= 8'd0;
      sent_q <= 8'd0;
      limit_q <= rst ? 8'd0 : window;
    end
  end

  // ---- packets ----

  logic [2:0]   state_q;
  logic [3:0]   at_q;                                       // byte of the header, of the beat, of the CRC
  logic [P-2:0] address_q;
  logic [63:0]  read_q, word_q;
  logic [15:0]  length_q, left_q, crc16_q, crc16_next;
  logic [31:0]  crc32_q, crc32_next;
  logic [7:0]   flags_q, seq_q, ack_q, octet, up_data_q;
  logic [3:0]   window_q;
  logic         up_valid_q, up_last_q, step, packet_ends;

  assign start = state_q == IDLE && (due || can_send) && !flush;
  assign start_data = start && !due;
  assign step = !up_valid_q || m_axis_up_tready;
  assign m_axis_up_tdata = up_data_q;
  assign m_axis_up_tvalid = up_valid_q;
  assign m_axis_up_tlast = up_last_q;

  always @* begin
    octet = word_q[7:0];
    if (state_q == HEADER)
      case (at_q)
        4'd0: octet = 8'h48;
        4'd1: octet = 8'h46;
        4'd2: octet = flags_q;
        4'd3: octet = seq_q;
        4'd4: octet = ack_q;
        4'd5: octet = {4'd0, window_q};
        4'd6: octet = length_q[7:0];
        4'd7: octet = length_q[15:8];
        4'd8: octet = crc16_q[7:0];
        default: octet = crc16_q[15:8];
      endcase
    if (state_q == TAIL) octet = ~crc32_q[7:0];
  end
  assign packet_ends = (state_q == HEADER && at_q == 4'd9 && !flags_q[`HF_LINK_DATA]) || (state_q == TAIL && at_q == 4'd3);

  usb_crc16 check (.crc(crc16_q), .octet(octet), .next(crc16_next));
  eth_crc32 payload_check (.crc(crc32_q), .d(octet), .next(crc32_next));

  always_ff @(posedge clk) begin
    read_q <= mem[address_q];
    if (m_axis_up_tready) up_valid_q <= 1'b0;
    case (state_q)
      IDLE: begin
        at_q <= 4'd0;
        crc16_q <= 16'hffff;
        crc32_q <= 32'hffff_ffff;
        length_q <= 16'd0;
        flags_q <= due ? own_flags : 8'(1 << `HF_LINK_DATA);
        seq_q <= nxt_q;
        ack_q <= own_ack;
        window_q <= own_window;
        address_q <= begin_at[nxt_q[3:0]][P-2:0];
        if (start) state_q <= due ? HEADER : READ;
      end
      READ: begin
        address_q <= address_q + 1'b1;
        state_q <= LOAD;
      end
      LOAD: begin
        word_q <= read_q;
        length_q <= read_q[31:16];
        left_q <= read_q[31:16];
        state_q <= HEADER;
      end
      default: begin
        if (step) begin
          up_valid_q <= 1'b1;
          up_data_q <= octet;
          up_last_q <= packet_ends && !due && !can_send;
          at_q <= at_q + 4'd1;
          if (packet_ends) state_q <= IDLE;
        end
        if (step && state_q == HEADER) begin
          if (!at_q[3]) crc16_q <= crc16_next;
          if (at_q == 4'd9) at_q <= 4'd0;
          if (at_q == 4'd9 && !packet_ends) state_q <= PAYLOAD;
        end
        if (step && state_q == PAYLOAD) begin
          crc32_q <= crc32_next;
          word_q <= {8'd0, word_q[63:8]};
          left_q <= left_q - 16'd1;
          if (at_q == 4'd7) begin
            word_q <= read_q;
            address_q <= address_q + 1'b1;
            at_q <= 4'd0;
          end
          if (left_q == 16'd1) begin
            at_q <= 4'd0;
            state_q <= TAIL;
          end
        end
        if (step && state_q == TAIL) crc32_q <= {8'd0, crc32_q[31:8]};
      end
    endcase
    if (rst) begin
      state_q <= IDLE;
      up_valid_q <= 1'b0;
    end
  end

`ifdef FORMAL_USB_LINK_TX
  logic       rst_1q, held_1q, open_q;
  logic [8:0] beat_1q;

  initial assume (rst);
  always_ff @(posedge clk) begin
    rst_1q <= rst;
    held_1q <= m_axis_up_tvalid && !m_axis_up_tready;
    beat_1q <= {m_axis_up_tlast, m_axis_up_tdata};
    open_q <= 1'b1;
    if (open_q && !rst) begin
      // una, nxt, sent and put stand in this order, at most 8 apart, and nobody puts what would be the ninth.
      numbers_in_order: assert (nxt_q - una_q <= sent_q - una_q && sent_q - una_q <= put_q - una_q && put_q - una_q <= WINDOW &&
                                (!put_ready_q || put_q - una_q < WINDOW));
      if (start_data) begin
        within_window: assert (nxt_q != limit_q && nxt_q != put_q && limit_q - nxt_q < 8'd128);
      end
      if (!rst_1q && held_1q) begin
        stays: assert (m_axis_up_tvalid && {m_axis_up_tlast, m_axis_up_tdata} == beat_1q);
      end
    end
  end
`endif

endmodule
