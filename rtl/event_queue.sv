// SPDX-License-Identifier: Apache-2.0
// event_queue - EVENT and COMPLETION records, and their messages to the host.
//
// What    keeps what the messages of regs/message.def need, and lays them out as they leave: numbers
//         little-endian, addresses and MAC as octet strings in network order.
// Input   push, only with room: a completion (status, command) or else event ESTABLISHED, with the
//         entry after the op and the fields of the completing segment.
// Output  the head as 64-bit beats, byte 0 in bits 7:0: 16 for an EVENT, 3 for a COMPLETION.
//         room = count < DEPTH, where count sees neither push nor pop of the same cycle.
// Timing  pushed in c, first beat offered in c+1; a taken beat is followed by the next one in the next
//         cycle, the record leaves the queue with its last beat.
`include "handfast_defs.svh"
module event_queue #(
  parameter int EVENT_DEPTH = 32
) (
  input  logic                    clk,
  input  logic                    rst,

  // from the engine
  input  logic                    push,
  input  logic                    completion,
  input  logic [31:0]             id,
  input  logic [63:0]             stamp,      // EVENT: the frame's; COMPLETION: the cookie
  input  logic [7:0]              status,     // COMPLETION
  input  logic [8:0]              command,    // COMPLETION: command code, or 0x100 | type
  input  logic [`HF_TCB_BITS-1:0] entry,      // EVENT, from here on
  input  logic                    frame_follows,
  input  logic [31:0]             seg_seq,
  input  logic [31:0]             seg_ack,
  input  logic [15:0]             seg_wnd,
  input  logic [31:0]             tsecr,
  input  logic [31:0]             rtt_ms,
  input  logic [31:0]             now_ms,
  output logic                    room,

  // to the host
  output logic                    ev_valid,
  output logic [63:0]             ev_tdata,
  output logic                    ev_tlast,
  input  logic                    ev_take
);

  typedef struct packed { `HF_TCB_FIELDS } tcb_t;

  // What a record keeps; a completion uses the first five.
  typedef struct packed {
    logic        completion;
    logic [31:0] id;
    logic [63:0] stamp;
    logic [7:0]  status;
    logic [8:0]  command;
    logic [3:0]  state;
    logic [3:0]  listener;
    logic [4:0]  options;
    logic [15:0] mss;
    logic [3:0]  snd_wscale;
    logic [3:0]  rcv_wscale;
    logic [31:0] remote_addr;
    logic [31:0] local_addr;
    logic [15:0] remote_port;
    logic [15:0] local_port;
    logic [47:0] remote_mac;
    logic [31:0] iss;
    logic [31:0] irs;
    logic [31:0] snd_una;
    logic [31:0] snd_nxt;
    logic [31:0] rcv_nxt;
    logic [31:0] snd_wnd;
    logic [31:0] rcv_wnd;
    logic [31:0] snd_wl1;
    logic [31:0] snd_wl2;
    logic [31:0] ts_recent;
    logic [31:0] ts_offset;
    logic [31:0] tsecr;
    logic [31:0] rtt_ms;
    logic [31:0] now_ms;
    logic [15:0] seg_wnd;
  } record_t;
  localparam int RECORD_BITS = 1 + 32 + 64 + 8 + 9 + 4 + 4 + 5 + 16 + 4 + 4 + 32 + 32 + 16 + 16 + 48 + 14 * 32 + 16;

  /* verilator lint_off UNUSEDSIGNAL */
  tcb_t    tcb;   // retries, timer and generation are not the host's business (the id has the latter)
  /* verilator lint_on UNUSEDSIGNAL */
  record_t in, out;
  logic [RECORD_BITS-1:0] head;
  logic    pop;

  assign tcb = entry;
  assign out = head;

  always_comb begin
    in.completion = completion;
    in.id = id;
    in.stamp = stamp;
    in.status = status;
    in.command = command;
    in.state = tcb.state;
    in.listener = tcb.listener;
    in.options = {frame_follows, tcb.syn_lost, tcb.sack_ok, tcb.ts_ok, tcb.ws_ok};
    in.mss = tcb.mss;
    in.snd_wscale = tcb.snd_wscale;
    in.rcv_wscale = tcb.rcv_wscale;
    in.remote_addr = tcb.remote_addr;
    in.local_addr = tcb.local_addr;
    in.remote_port = tcb.remote_port;
    in.local_port = tcb.local_port;
    in.remote_mac = tcb.remote_mac;
    in.iss = tcb.iss;
    in.irs = tcb.irs;
    in.snd_una = tcb.snd_una;
    in.snd_nxt = tcb.snd_nxt;
    in.rcv_nxt = tcb.rcv_nxt;
    in.snd_wnd = tcb.snd_wnd;
    in.rcv_wnd = tcb.rcv_wnd;
    in.snd_wl1 = seg_seq;
    in.snd_wl2 = seg_ack;
    in.ts_recent = tcb.ts_recent;
    in.ts_offset = tcb.ts_offset;
    in.tsecr = tsecr;
    in.rtt_ms = rtt_ms;
    in.now_ms = now_ms;
    in.seg_wnd = seg_wnd;
  end

  fifo_reg #(.WIDTH(RECORD_BITS), .DEPTH(EVENT_DEPTH)) u_queue (
    .clk(clk), .rst(rst), .push(push), .push_data(in), .has_room(room), .valid(ev_valid), .head(head), .pop(pop));

  // ---- layout: beat i holds octets 8i .. 8i+7 of the message, the first one in bits 7:0 ----

  logic [3:0]  beat_q;
  logic [31:0] remote_octets, local_octets;  // network order, first octet in bits 7:0
  logic [47:0] mac_octets;

  assign remote_octets = {out.remote_addr[7:0], out.remote_addr[15:8], out.remote_addr[23:16], out.remote_addr[31:24]};
  assign local_octets = {out.local_addr[7:0], out.local_addr[15:8], out.local_addr[23:16], out.local_addr[31:24]};
  assign mac_octets = {out.remote_mac[7:0], out.remote_mac[15:8], out.remote_mac[23:16],
                       out.remote_mac[31:24], out.remote_mac[39:32], out.remote_mac[47:40]};

  always_comb begin
    ev_tdata = '0;
    if (out.completion) begin
      case (beat_q)
        4'd0: ev_tdata = {out.id, 16'd24, out.status, `HF_MSG_COMPLETION};
        4'd1: ev_tdata = out.stamp;
        4'd2: ev_tdata = {23'd0, out.command, 24'd0, out.status};
        default: ;
      endcase
    end else begin
      case (beat_q)
        4'd0: ev_tdata = {out.id, 16'd128, 8'd0, `HF_MSG_EVENT};
        4'd1: ev_tdata = out.stamp;
        4'd2: ev_tdata = {4'd0, out.rcv_wscale, 4'd0, out.snd_wscale, out.mss,
                          3'd0, out.options, 4'd0, out.listener, 4'd0, out.state, `HF_EVENT_ESTABLISHED};
        4'd3: ev_tdata = 64'd0;                             // ::ffff:a.b.c.d, first half
        4'd4: ev_tdata = {remote_octets, 32'hffff0000};
        4'd5: ev_tdata = 64'd0;
        4'd6: ev_tdata = {local_octets, 32'hffff0000};
        4'd7: ev_tdata = {mac_octets[31:0], out.local_port, out.remote_port};
        4'd8: ev_tdata = {out.iss, 16'd0, mac_octets[47:32]};
        4'd9: ev_tdata = {out.snd_una, out.irs};
        4'd10: ev_tdata = {out.rcv_nxt, out.snd_nxt};
        4'd11: ev_tdata = {out.rcv_wnd, out.snd_wnd};
        4'd12: ev_tdata = {out.snd_wl2, out.snd_wl1};
        4'd13: ev_tdata = {out.ts_offset, out.ts_recent};
        4'd14: ev_tdata = {out.rtt_ms, out.tsecr};
        4'd15: ev_tdata = {16'd0, out.seg_wnd, out.now_ms};
        default: ;
      endcase
    end
    ev_tlast = beat_q == (out.completion ? 4'd2 : 4'd15);
  end

  assign pop = ev_take && ev_tlast;

  always_ff @(posedge clk) begin
    if (rst)
      beat_q <= '0;
    else if (ev_take)
      beat_q <= ev_tlast ? 4'd0 : beat_q + 4'd1;
  end

endmodule
