// SPDX-License-Identifier: Apache-2.0
// event_queue - EVENT and COMPLETION records, and their messages to the host.
//
// What    keeps what the messages of regs/message.def need, and lays them out as they leave: numbers
//         little-endian, addresses and MAC as octet strings in network order.
// Input   push, only while fewer than EVENT_DEPTH wait (who pushes counts them, with event_pop): a completion
//         (status, command) or else an event: its code, the entry it shows
//         and, of ESTABLISHED, the fields of the completing segment (else 0). Of the entry of a SAMPLE only what the SYN
//         itself says is shown, the rest is 0.
// Output  the head as beats, byte 0 in bits 7:0: at 64 bits 16 for an EVENT and 3 for a COMPLETION, at 512 2 and 1;
//         octets beyond the message are 0. event_pop: a record leaves the queue in this cycle.
// Timing  pushed in c, first beat offered in c+1; a taken beat is followed by the next one in the next
//         cycle, the record leaves the queue with its last beat.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module event_queue #(
  parameter int DATA_W = 64,                                // 64 or 512
  parameter int EVENT_DEPTH = 32,
  parameter int IP6 = 1,
  parameter int RULES = 8                                   // 0: no SAMPLE comes
) (
  input  logic                    clk,
  input  logic                    rst,

  // from the engine
  input  logic                    push,
  input  logic                    completion,
  input  logic [31:0]             id,
  input  logic [63:0]             stamp,      // EVENT: the frame's or op's; COMPLETION: the cookie
  input  logic [7:0]              status,     // COMPLETION
  input  logic [8:0]              command,    // COMPLETION: command code, or 0x100 | type
  input  logic [7:0]              code,       // EVENT, from here on
  input  logic [`HF_TCB_BITS-1:0] entry,
  input  logic                    frame_follows,
  input  logic                    cookie,     // flag COOKIE
  input  logic [31:0]             seg_seq,
  input  logic [31:0]             seg_ack,
  input  logic [15:0]             seg_wnd,
  input  logic [31:0]             tsecr,
  input  logic [15:0]             rtt_ms,
  input  logic [15:0]             rto_ms,
  input  logic [31:0]             now_ms,
  output logic                    event_pop,

  // to the host
  output logic                    ev_valid,
  output logic [DATA_W-1:0]       ev_tdata,
  output logic                    ev_tlast,
  input  logic                    ev_take
);

  generate
    if (DATA_W != 64 && DATA_W != 512) begin : g_illegal
      event_queue_needs_DATA_W_of_64_or_512 illegal ();
    end
  endgenerate

  typedef struct packed { `HF_TCB_FIELDS } tcb_t;
  typedef struct packed { `HF_BODY_FIELDS } body_t;

  // ---- the record: header fields and body; a completion's body is its first eight octets ----

  /* verilator lint_off UNUSEDSIGNAL */
  tcb_t         tcb;   // retries, timers and generation are not the host's business (the id has the latter)
  /* verilator lint_on UNUSEDSIGNAL */
  body_t        told;
  logic [127:0] remote_addr, local_addr;                    // ::ffff:a.b.c.d for IPv4
  logic [127:0] remote_octets, local_octets;                // first octet in bits 7:0
  logic [47:0]  mac_octets;
  logic [`HF_BODY_BITS-1:0] body, head_body;
  body_t        kept, shown;                                // in the queue, and what of it is read
  logic         head_completion, head_cookie;
  logic [31:0]  head_id;
  logic [63:0]  head_stamp;
  logic         pop;
  logic         unused_room;                                // who pushes knows of room

  assign tcb = entry;
  assign remote_addr = tcb.ip6 ? tcb.remote_addr : {80'd0, 16'hffff, tcb.remote_addr[31:0]};
  assign local_addr = tcb.ip6 ? tcb.local_addr : {80'd0, 16'hffff, tcb.local_addr[31:0]};

  always_comb begin
    if (push) begin
      for (int i = 0; i < 16; i++) begin
        remote_octets[8*i +: 8] = remote_addr[127 - 8*i -: 8];
        local_octets[8*i +: 8] = local_addr[127 - 8*i -: 8];
      end
    end else begin
      remote_octets = 'x;
      local_octets = 'x;
    end
  end
  assign mac_octets = {tcb.remote_mac[7:0], tcb.remote_mac[15:8], tcb.remote_mac[23:16],
                       tcb.remote_mac[31:24], tcb.remote_mac[39:32], tcb.remote_mac[47:40]};

  always_comb begin
    if (push) begin
      told.code = code;
      told.state = {4'd0, tcb.state};
      told.listener = {tcb.ecn_ok, tcb.active, 2'd0, tcb.listener};
      told.options = {tcb.vlan_svlan, tcb.vlan_tags, frame_follows, tcb.syn_lost, tcb.sack_ok, tcb.ts_ok, tcb.ws_ok};
      told.mss = tcb.mss;
      told.snd_wscale = {4'd0, tcb.snd_wscale};
      told.rcv_wscale = {4'd0, tcb.rcv_wscale};
      told.remote_addr = remote_octets;
      told.local_addr = local_octets;
      told.remote_port = tcb.remote_port;
      told.local_port = tcb.local_port;
      told.remote_mac = mac_octets;
      told.vlan = tcb.vlan_outer;
      told.iss = tcb.iss;
      told.irs = tcb.irs;
      told.snd_una = tcb.snd_una;
      told.snd_nxt = tcb.snd_nxt;
      told.rcv_nxt = tcb.rcv_nxt;
      told.snd_wnd = tcb.snd_wnd;
      told.rcv_wnd = tcb.rcv_wnd;
      told.snd_wl1 = seg_seq;
      told.snd_wl2 = seg_ack;
      told.ts_recent = tcb.ts_recent;
      told.ts_offset = tcb.ts_offset;
      told.tsecr = tsecr;
      told.rtt_ms = rtt_ms;
      told.vlan_inner = tcb.vlan_inner;
      told.now_ms = now_ms;
      told.seg_wnd = seg_wnd;
      told.rto_ms = rto_ms;
      body = told;
      if (completion)
        body[63:0] = {23'd0, command, 24'd0, status};
    end else begin
      told = 'x;
      body = 'x;
    end
  end

  fifo_reg #(.WIDTH(2 + 32 + 64 + `HF_BODY_BITS), .DEPTH(EVENT_DEPTH)) u_queue (
    .clk(clk), .rst(rst), .push(push), .push_data({completion, cookie, id, stamp, body}), .has_room(unused_room),
    .valid(ev_valid), .head({head_completion, head_cookie, head_id, head_stamp, kept}), .pop(pop));

  // Without IPv6 the beginning of an address is always the same, and not read: its memory falls away.
  always_comb begin
    shown = kept;
    if (IP6 == 0) begin
      shown.remote_addr[95:0] = {16'hffff, 80'd0};
      shown.local_addr[95:0] = {16'hffff, 80'd0};
    end
    head_body = shown;
  end

  // ---- the message, octet 0 in bits 7:0, and its beats ----

  localparam int EVENT_BITS = 128 * 8, COMPLETION_BITS = 24 * 8;
  localparam int BEATS = EVENT_BITS / DATA_W;
  localparam int BEAT_W = $clog2(BEATS);
  localparam logic [BEAT_W-1:0] EVENT_LAST = BEAT_W'(BEATS - 1);
  localparam logic [BEAT_W-1:0] COMPLETION_LAST = BEAT_W'((COMPLETION_BITS - 1) / DATA_W);

  logic [EVENT_BITS-1:0] message;
  logic [BEAT_W-1:0]     beat_q;

  // What a SAMPLE does not show, by bits of the message.
  function automatic logic [EVENT_BITS-1:0] octets(input int at, input int count);
    octets = ((EVENT_BITS'(1) << 8*count) - EVENT_BITS'(1)) << 8*at;
  endfunction
  localparam logic [EVENT_BITS-1:0] NOT_OF_SYN =
    (EVENT_BITS'(8'h80) << 8*`HF_AT_EVENT_listener) | (EVENT_BITS'(8'h0f) << 8*`HF_AT_EVENT_options) |
    octets(`HF_AT_EVENT_snd_wscale, 2) | octets(`HF_AT_EVENT_iss, 4) |
    octets(`HF_AT_EVENT_snd_una, `HF_AT_EVENT_tsecr - `HF_AT_EVENT_snd_una) | octets(`HF_AT_EVENT_rto_ms, 2);
  logic is_sample;
  assign is_sample = RULES != 0 && !head_completion && kept.code == `HF_EVENT_SAMPLE;

  always_comb begin
    if (ev_valid) begin
      message = {head_body, head_stamp, head_id, 16'd128, 8'(head_cookie) << `HF_FLAG_EVENT_COOKIE, `HF_MSG_EVENT};
      if (head_completion) begin
        message[31:0] = {16'd24, head_body[7:0], `HF_MSG_COMPLETION};
        message[EVENT_BITS-1:COMPLETION_BITS] = '0;
      end
    end else begin
      message = 'x;
    end
  end

  always_comb begin
    ev_tdata = '0;
    for (int i = 0; i < BEATS; i++)
      if (32'(beat_q) == i)
        ev_tdata = message[DATA_W*i +: DATA_W] & ~(NOT_OF_SYN[DATA_W*i +: DATA_W] & {DATA_W{is_sample}});
  end

  assign ev_tlast = beat_q == (head_completion ? COMPLETION_LAST : EVENT_LAST);
  assign pop = ev_take && ev_tlast;
  assign event_pop = pop;

  always_ff @(posedge clk) begin
    if (rst)
      beat_q <= '0;
    else if (ev_take)
      beat_q <= ev_tlast ? '0 : beat_q + 1'b1;
  end

`ifdef FORMAL_EVENT_QUEUE
  logic                         rst_1q, held_1q, within_1q;    // the cycle before
  logic [DATA_W+0:0]         beat_1q;

  initial assume (rst);

  always_ff @(posedge clk) begin
    rst_1q <= rst;
    held_1q <= ev_valid && !ev_take;
    within_1q <= ev_valid && ev_take && !ev_tlast;
    beat_1q <= {ev_tlast, ev_tdata};
    if (!rst) begin
      assume (!ev_take || ev_valid);
      assume (!push || unused_room);
      if (!rst_1q) begin
        valid_stays: assert (!held_1q || ev_valid);
        data_stable: assert (!held_1q || {ev_tlast, ev_tdata} == beat_1q);
        no_gap: assert (!within_1q || ev_valid);
      end
    end
  end
`endif
endmodule
