// SPDX-License-Identifier: Apache-2.0
// tcp_fsm - what one op does to one connection: all eleven states of RFC 9293, as a pure function.
//
// What    RFC 9293 3.10.7 for every state but the two that the host owns, with RFC 5961 (RST, SYN, challenge
//         ACKs), RFC 7323 (timestamps, window scale), RFC 6528 (ISN), RFC 6298 (timers), RFC 3168 (ECN),
//         RFC 6191 and RFC 1337 (TIME-WAIT), RFC 5927 (ICMP errors), RFC 4987 3.6 (SYN cookies). ESTABLISHED and
//         CLOSE-WAIT belong to the host, which gets their segments unread.
// Input   one op (a segment, an ICMP error, an expired timer or a host command), the entry it read, the listener
//         its address and port found, and the configuration of this very cycle.
// Output  the entry after and whether it is written or freed; at most one reply frame, at most one event; what
//         becomes of the frame; what to count.
// Timing  FSM_CYCLES = 1: combinational. Else registers cut it (HF_CUT of engine_defs.svh): the outputs are right in the
//         FSM_CYCLES-th cycle of the step, whose first one `first` marks, until the next `first`. Configuration, clock,
//         listener, rule, tokens and room are read in the first cycle; all else holds still for the step. The engine
//         registers the outputs at the end of T3.
//
// Numbers compare modulo 2^32: a < b means that a - b has its top bit set (RFC 9293 3.4).
// `entry` of a miss is whatever its slot holds: only its generation and, of a victim, its state are used then.
// In SYN-SENT and SYN-RECEIVED SND.NXT is SND.UNA + 1 (`sequence` in formal/tcp_fsm.sv), which saves subtractions.
// tcp_command judges CONNECT, CLOSE and ADOPT; tcp_entry makes what is new in an entry; tcp_reply makes the frame, a
// cycle later.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module tcp_fsm #(
  parameter int FSM_CYCLES = 1
) (
  input  logic                       clk,
  input  logic                       first,
  input  logic                       valid,          // 0: nobody looks at the outputs

  // the op
  input  logic [1:0]                 op,             // OP code of regs/verdict.def
  input  logic [`HF_SEGMENT_BITS-1:0] segment,       // SEGMENT, ICMP: regs/segment.def
  input  logic [63:0]                isn,            // ops with a tuple: tuple_hash under KEY_ISN
  input  logic [25:0]                mac,            // SEGMENT: of syn_cookie
  input  logic                       mac_key,        // SEGMENT: COOKIE.KEY as syn_cookie saw it
  input  logic [7:0]                 command,        // COMMAND: its code
  input  logic [7:0]                 command_status, // COMMAND: STATUS_OK, or why the message is malformed
  input  logic [`HF_BODY_BITS-1:0]   command_body,   // CONNECT, CLOSE, ADOPT
  input  logic                       command_mixed,  // likewise
  input  logic [`HF_TUPLE_BITS-1:0]  tuple,          // ops with a tuple: it

  // the entry
  input  logic [`HF_TCB_BITS-1:0]    entry,
  input  logic                       key_match,      // ops with a tuple: tag, family, addresses and ports agree
  input  logic                       slot_exists,    // other commands
  input  logic                       id_match,       // other commands: slot exists, generation agrees
  input  logic                       insertable,     // no tag agrees, and a way is free or has a victim
  input  logic                       victim,         // it has a victim

  // the listener
  input  logic                       listener_found,
  input  logic                       listener_bypass,
  input  logic [3:0]                 listener_index,
  input  logic [15:0]                listener_backlog,
  input  logic [15:0]                listener_half_open,
  input  logic [2:0]                 listener_opts,  // {TS, SACK, WS}
  input  logic                       listener_sent,  // it ever sent a cookie, the last one in listener_epoch
  input  logic [23:0]                listener_epoch,

  // SEGMENT: what a rule says of its source
  input  logic                       rule_denies,    // nothing to listeners
  input  logic                       rule_empty,     // no SYN now

  // configuration and clock
  input  logic [23:0]                ms,
  input  logic [31:0]                clock_4us,      // time_ns[43:12]
  input  logic                       host_alive,
  input  logic                       ts_offset_off,
  input  logic                       ts_relaxed,
  input  logic                       tw_rst_closes,
  input  logic                       ecn,
  input  logic [15:0]                syn_rto_ms,
  input  logic [15:0]                syn_rto_max_ms,
  input  logic [3:0]                 synack_retries,
  input  logic [21:0]                connect_ms,
  input  logic [21:0]                close_ms,
  input  logic [21:0]                fin_wait_2_ms,
  input  logic [21:0]                time_wait_ms,
  input  logic [3:0]                 challenge_limit,
  input  logic [15:0]                challenge_ms,
  input  logic [15:0]                our_mss,
  input  logic [15:0]                our_mss6,
  input  logic [15:0]                mss_floor,
  input  logic [29:0]                our_rcv_wnd,
  input  logic [3:0]                 our_wscale,
  input  logic [1:0]                 cookie_mode,    // COOKIE.MODE
  input  logic [1:0]                 cookie_lifetime,
  input  logic                       cookie_on,      // the watermark is passed
  input  logic                       over_high,      // half-open entries reach COOKIE_HIGH
  input  logic                       cache_complete,
  input  logic                       rst_token,      // RST_LIMIT lets one pass, and so on
  input  logic                       synack_token,
  input  logic                       miss_token,
  input  logic                       reply_room,
  input  logic                       event_room,

  // what became of the entry
  output logic                       hit,
  output logic [3:0]                 state_before,   // of the entry, or LISTEN, or CLOSED
  output logic [`HF_TCB_BITS-1:0]    entry_after,    // of an entry that is freed: as it was
  output logic                       write,          // entry_after goes into the table
  output logic                       insert,         // it takes a free slot
  output logic                       cookie,         // the SYN-ACK is a cookie
  output logic                       take_rst,       // tokens taken
  output logic                       take_synack,
  output logic                       take_miss,
  output logic                       cache_clear,    // CACHE.COMPLETE does not hold any more
  output logic                       free,           // it gives its slot back
  output logic                       listener_syn,   // a SYN alone, of no connection, to a listener that offloads: entry_after
                                                     // is of it, whatever becomes of it

  // what leaves
  output logic [1:0]                 verdict,
  output logic [4:0]                 cause,
  output logic [2:0]                 send,           // HF_SEND_*: the frame, which tcp_reply makes of entry_after
  output logic [7:0]                 event_code,     // HF_EVENT_NONE: none
  output logic                       event_cookie,   // ESTABLISHED by a cookie
  output logic                       event_no_entry, // and no room for an entry: the event has no id
  output logic [15:0]                rtt_ms,         // of that event, as rto_ms
  output logic [15:0]                rto_ms,
  output logic                       completion,     // COMMAND: its answer is a COMPLETION, not an event
  output logic [7:0]                 status,         // of the COMPLETION
  output logic                       new_id,         // of the COMPLETION: the entry's id, not the command's

  // what counts, beside verdict, cause and event
  output logic                       cnt_opt_malformed,
  output logic                       cnt_ws_clamped,
  output logic                       cnt_syn_accepted,
  output logic                       cnt_retransmit,
  output logic                       cnt_timeout,
  output logic                       cnt_reset,
  output logic                       cnt_challenge_limited,
  output logic                       cnt_cookie_bad,
  output logic                       cnt_synack_limited,
  output logic                       cnt_icmp_hard,
  output logic                       cnt_tw_reused,
  output logic                       cnt_evict_host,
  output logic                       cnt_evict_time_wait,
  output logic                       cnt_connect,
  output logic                       cnt_close,
  output logic                       cnt_tx_syn,
  output logic                       cnt_tx_synack,
  output logic                       cnt_tx_ack,
  output logic                       cnt_tx_rst,
  output logic                       cnt_tx_fin,
  output logic                       cnt_command
);
  typedef struct packed { `HF_TCB_FIELDS } tcb_t;
  typedef struct packed { `HF_SEGMENT_FIELDS } segment_t;

  localparam int FIN = 0, SYN = 1, RST = 2, ACK = 4, ECE = 6, CWR = 7;

  // What the parser and the mover keep in the descriptor (class, length ..) is not the engine's.
  /* verilator lint_off UNUSEDSIGNAL */
  segment_t seg;
  /* verilator lint_on UNUSEDSIGNAL */
  tcb_t     tcb;
  assign tcb = entry;
  assign seg = segment;
  assign entry_after = tcb_new;

  logic fin, syn, rst, ack, ece, cwr;
  assign fin = seg.flags[FIN];
  assign syn = seg.flags[SYN];
  assign rst = seg.flags[RST];
  assign ack = seg.flags[ACK];
  assign ece = seg.flags[ECE];
  assign cwr = seg.flags[CWR];

  // ---- to cut 1: differences, and what is read in the first cycle ----

  // Of a difference modulo 2^32 the top bit says "less than"; x < 0 and x > 0 below are of such differences.
  typedef struct packed {
    logic [23:0] ms;
    logic        listener_offload;
    logic        listener_sent;
    logic        rule_denies;
    logic        rule_empty;
    logic        host_alive;
    logic        ts_relaxed;
    logic        tw_rst_closes;
    logic [15:0] syn_rto_ms;
    logic [3:0]  challenge_limit;
    logic [15:0] challenge_ms;
    logic [1:0]  cookie_mode;
    logic [1:0]  cookie_lifetime;
    logic        cookie_on;
    logic        over_high;
    logic        cache_complete;
    logic        rst_token;
    logic        synack_token;
    logic        miss_token;
    logic        reply_room;
    logic        event_room;
    logic        over_backlog;
    logic [31:0] seq_off;         // SEG.SEQ - RCV.NXT
    logic [31:0] nxt_less_ack;    // SND.NXT - SEG.ACK
    logic [31:0] ts_age;          // SEG.TSval - TS.Recent
    logic        seq_is_irs;
    logic        seq_is_una;
    logic        unacked;         // SND.UNA < SND.NXT
    logic        text;            // the segment has text
    logic        overdue;         // the timer's deadline is not after ms
    logic        gives_up;        // an expired timer is not tried again
    logic [23:0] since_sent;      // epochs since the listener's last cookie
    logic [31:0] cookie_number;   // SEG.ACK - SEG.SEQ: what a cookie made of it
    logic [23:0] challenge_age;
    logic [23:0] sample_ms;       // since the SYN or SYN-ACK was sent
    logic        bad_param;       // of a command with a body
    logic        bad_state;
  } a_t;
  /* verilator lint_off UNUSEDSIGNAL */
  a_t a;
  logic [23:0] overdue_ms;        // ms - deadline, modulo 2^24
  logic [23:0] over_give_up_ms;   // ms - R2, modulo 2^24
  /* verilator lint_on UNUSEDSIGNAL */
  a_t   a_d;
  logic counts_retries;           // RFC 9293 3.8.3: a passive open counts its retransmissions instead of R2
  logic bad_param, bad_state;
  logic [23:0] epoch;

  assign overdue_ms = ms - tcb.deadline_ms;
  assign over_give_up_ms = ms - tcb.give_up_ms;
  assign counts_retries = tcb.state == `HF_STATE_SYN_RECEIVED && !tcb.active;
  assign epoch = seg.stamp[59:36];

  tcp_command u_command (
    .valid(valid && op == `HF_OP_COMMAND), .command(command), .body(command_body), .tuple(tuple), .mixed(command_mixed),
    .bad_param(bad_param), .bad_state(bad_state));

  always_comb begin
    a_d.ms = ms;
    a_d.listener_offload = listener_found && !listener_bypass;
    a_d.listener_sent = listener_sent;
    a_d.rule_denies = rule_denies;
    a_d.rule_empty = rule_empty;
    a_d.host_alive = host_alive;
    a_d.ts_relaxed = ts_relaxed;
    a_d.tw_rst_closes = tw_rst_closes;
    a_d.syn_rto_ms = syn_rto_ms;
    a_d.challenge_limit = challenge_limit;
    a_d.challenge_ms = challenge_ms;
    a_d.cookie_mode = cookie_mode;
    a_d.cookie_lifetime = cookie_lifetime;
    a_d.cookie_on = cookie_on;
    a_d.over_high = over_high;
    a_d.cache_complete = cache_complete;
    a_d.rst_token = rst_token;
    a_d.synack_token = synack_token;
    a_d.miss_token = miss_token;
    a_d.reply_room = reply_room;
    a_d.event_room = event_room;
    a_d.over_backlog = listener_half_open >= listener_backlog;
    a_d.seq_off = seg.seq - tcb.rcv_nxt;
    a_d.nxt_less_ack = tcb.snd_nxt - seg.ack;
    a_d.ts_age = seg.tsval - tcb.ts_recent;
    a_d.seq_is_irs = seg.seq == tcb.irs;
    a_d.seq_is_una = seg.seq == tcb.snd_una;
    a_d.unacked = tcb.snd_una != tcb.snd_nxt;
    a_d.text = seg.payload != 16'd0;
    a_d.overdue = !overdue_ms[23];
    a_d.gives_up = counts_retries ? tcb.retries >= synack_retries : !over_give_up_ms[23];
    a_d.since_sent = epoch - listener_epoch;
    a_d.cookie_number = seg.ack - seg.seq;
    a_d.challenge_age = ms - tcb.chal_ms;
    a_d.sample_ms = ms - tcb.sent_ms;
    a_d.bad_param = bad_param;
    a_d.bad_state = bad_state;
  end

  cut #(.WIDTH(288), .ON(`HF_CUT(1, FSM_CYCLES))) u_cut1 (.clk(clk), .take(first), .d(a_d), .q(a));

  // A cut's width stands there as a number, that of its fields' bits: Yosys 0.23 knows no $bits of a type, Icarus 11 none of a
  // variable. Both Verilator and Icarus tell when it is not right.

  // ---- to cut 2: hit, and what compares differences ----

  // Hit: the op names a live entry. An op that hits nothing is judged by its listener.
  typedef struct packed {
    logic        hit;
    logic        seq_zero;        // SEG.SEQ = RCV.NXT
    logic        seq_beyond;      // SEG.SEQ > RCV.NXT
    logic        first_in_window;
    logic [31:0] end_off;         // SEG.SEQ + octets of text - RCV.NXT: where a FIN is
    logic        ack_all;         // SEG.ACK = SND.NXT: our FIN is acknowledged
    logic        ts_same;         // SEG.TSval = TS.Recent
    logic        ts_newer;        // SEG.TSval > TS.Recent
    logic        cookie_live;
    logic        cookie_good;
    logic        challenge_first; // of its window of time
    logic [15:0] sample_ms;       // at most 0xfffe
  } b_t;
  b_t   b_d, b;
  logic with_body, has_text_or_fin;
  logic [1:0] cookie_age;
  assign with_body = command_status == `HF_STATUS_OK && (command == `HF_COMMAND_CONNECT ||
                     command == `HF_COMMAND_CLOSE || command == `HF_COMMAND_ADOPT);
  assign has_text_or_fin = a.text || fin;         // SEG.LEN of a segment without SYN is not 0
  assign cookie_age = epoch[1:0] - a.cookie_number[30:29];
  assign hit = b.hit;
  assign listener_syn = op == `HF_OP_SEGMENT && !b.hit && a.listener_offload && syn && !ack && !rst && !fin;

  always_comb begin
    if (valid) begin
      b_d.hit = 1'b0;
      case (op)
        `HF_OP_SEGMENT, `HF_OP_ICMP: b_d.hit = key_match && tcb.state != `HF_STATE_CLOSED;
        `HF_OP_COMMAND: begin
          if (with_body) b_d.hit = key_match;
          else if (command_status == `HF_STATUS_OK && command == `HF_COMMAND_DUMP) b_d.hit = slot_exists;
          else b_d.hit = id_match;
          if (tcb.state == `HF_STATE_CLOSED) b_d.hit = 1'b0;
        end
        `HF_OP_TIMEOUT: b_d.hit = tcb.timer_armed && a.overdue;
      endcase
    end else begin
      b_d.hit = 'x;
    end
    // A number and its negative have one sign if it is 0 or 2^31, and only then: x > 0 needs no second subtraction.
    b_d.seq_zero = a.seq_off == 32'd0;
    b_d.seq_beyond = a.seq_off[31] == (a.seq_off[30:0] == 31'd0);
    b_d.first_in_window = a.seq_off < tcb.rcv_wnd;
    b_d.end_off = a.seq_off + {16'd0, seg.payload};
    b_d.ack_all = a.nxt_less_ack == 32'd0;
    b_d.ts_same = a.ts_age == 32'd0;
    b_d.ts_newer = a.ts_age[31] == (a.ts_age[30:0] == 31'd0);
    // RFC 4987 3.6: what a listener sent is in the peer's ACK: key (1 bit), epoch modulo 4 (2 bits), MSS class (3 bits)
    // and MAC (26 bits).
    b_d.cookie_live = a.listener_sent && a.since_sent <= {22'd0, a.cookie_lifetime};
    b_d.cookie_good = cookie_age <= a.cookie_lifetime && a.cookie_number[25:0] == mac;
    b_d.challenge_first = a.challenge_age >= {8'd0, a.challenge_ms} || tcb.chal_count == 4'd0;
    b_d.sample_ms = a.sample_ms > 24'hfffe ? 16'hfffe : a.sample_ms[15:0];
  end

  cut #(.WIDTH(58), .ON(`HF_CUT(2, FSM_CYCLES))) u_cut2 (.clk(clk), .take(1'b1), .d(b_d), .q(b));

  // ---- to cut 3 ----

  typedef struct packed {
    logic        last_in_window;
    logic        end_zero;        // a FIN would be the next octet
    logic        end_last;        // a FIN would be the octet that came last
    logic        end_beyond;      // the text ends beyond RCV.NXT
    logic        tw_newer;        // RFC 6191 2: a SYN that finds TIME-WAIT is of a new connection
    logic        challenge_allowed;
    logic        send_cookie;     // a SYN gets a cookie instead of an entry
    logic [17:0] sample_rto;
    logic [7:0]  body_status;
    logic [3:0]  state_before;
  } c_t;
  c_t   c_d, c;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [33:0] last_less_wnd;     // {last octet of the segment - RCV.NXT - RCV.WND, 0}; its top bit is 0 if that is less than 0
  /* verilator lint_on UNUSEDSIGNAL */
  logic last_carry;
  logic owned_by_host, full;
  assign last_less_wnd = {1'b0, b.end_off, 1'b1} + {1'b0, ~tcb.rcv_wnd, fin};
  assign last_carry = last_less_wnd[33];
  assign full = a.over_backlog || a.over_high || !insertable;
  assign owned_by_host = tcb.state == `HF_STATE_ESTABLISHED || tcb.state == `HF_STATE_CLOSE_WAIT;
  assign state_before = c.state_before;

  always_comb begin
    // The last octet is end_off - 1, or end_off if it is a FIN. Without either there is none.
    c_d.last_in_window = !last_carry && (fin || b.end_off != 32'd0);
    c_d.end_zero = b.end_off == 32'd0;
    c_d.end_last = &b.end_off;
    c_d.end_beyond = b.end_off[31] == (b.end_off[30:0] == 31'd0);

    // By timestamp or by SEQ.
    if (tcb.ts_ok && seg.ts_ok) c_d.tw_newer = b.ts_newer || (b.ts_same && !a.seq_off[31]);
    else if (tcb.ts_ok) c_d.tw_newer = !a.seq_off[31];
    else c_d.tw_newer = seg.ts_ok || !a.seq_off[31];

    // RFC 5961 7: so many challenge ACKs in each window of time.
    c_d.challenge_allowed = b.challenge_first ? a.challenge_limit != 4'd0 : tcb.chal_count < a.challenge_limit;

    c_d.send_cookie = !b.hit && (a.cookie_mode[1] || (a.cookie_mode[0] && (full || a.cookie_on)));

    // RFC 6298 2.2: RTO = R + 4 * R/2.
    c_d.sample_rto = {2'd0, b.sample_ms} + {1'b0, b.sample_ms, 1'b0};

    c_d.body_status = `HF_STATUS_OK;
    if (a.bad_param) c_d.body_status = `HF_STATUS_BAD_PARAM;
    else if (a.bad_state) c_d.body_status = `HF_STATUS_BAD_STATE;
    else if (b.hit) begin
      // RFC 9293 3.10.1: "error: connection already exists". What the host owns it may replace.
      if (command == `HF_COMMAND_CONNECT || !owned_by_host) c_d.body_status = `HF_STATUS_EXISTS;
    end else if (!insertable) c_d.body_status = `HF_STATUS_NO_ROOM;

    c_d.state_before = `HF_STATE_CLOSED;
    if (b.hit) c_d.state_before = tcb.state;
    else if (op == `HF_OP_SEGMENT && a.listener_offload) c_d.state_before = `HF_STATE_LISTEN;
  end

  cut #(.WIDTH(37), .ON(`HF_CUT(3, FSM_CYCLES))) u_cut3 (.clk(clk), .take(1'b1), .d(c_d), .q(c));

  // ---- to cut 4 ----

  typedef struct packed {
    logic        acceptable;      // RFC 9293 3.10.7.4, first step: the four cases of table 6
    logic        paws_old;        // RFC 7323 5.3 R1: SEG.TSval < TS.Recent
    logic        ts_missing;      // RFC 7323 3.2: negotiated, but absent
    logic        ts_update;       // RFC 7323 4.3 (2), with Last.ACK.sent = RCV.NXT
    logic        closing_fin;     // the peer's FIN, in order, in FIN-WAIT-1 and FIN-WAIT-2
    logic [15:0] sample_rto_ms;
  } d_t;
  d_t   d_d, d;

  always_comb begin
    if (has_text_or_fin) d_d.acceptable = b.first_in_window || c.last_in_window;
    else if (tcb.rcv_wnd == 32'd0) d_d.acceptable = b.seq_zero;
    else d_d.acceptable = b.first_in_window;
    d_d.paws_old = tcb.ts_ok && seg.ts_ok && a.ts_age[31];
    d_d.ts_missing = tcb.ts_ok && !seg.ts_ok && !a.ts_relaxed;
    d_d.ts_update = tcb.ts_ok && seg.ts_ok && !a.ts_age[31] && !b.seq_beyond;
    d_d.closing_fin = fin && c.end_zero && (tcb.state == `HF_STATE_FIN_WAIT_1 || tcb.state == `HF_STATE_FIN_WAIT_2);
    // RFC 6298 3 (Karn): a SYN or SYN-ACK sent more than once gives no sample. 2.4: at least 1 s; 5.7: 3 s after a lost
    // SYN. A cookie does not know when it was sent.
    if (tcb.syn_lost) d_d.sample_rto_ms = a.syn_rto_ms > 16'd3000 ? a.syn_rto_ms : 16'd3000;
    else if (c.sample_rto < 18'd1000) d_d.sample_rto_ms = 16'd1000;
    else if (c.sample_rto > 18'd65535) d_d.sample_rto_ms = 16'hffff;
    else d_d.sample_rto_ms = c.sample_rto[15:0];
  end

  cut #(.WIDTH(21), .ON(`HF_CUT(4, FSM_CYCLES))) u_cut4 (.clk(clk), .take(1'b1), .d(d_d), .q(d));

  // ---- what an entry takes from the op ----

  tcb_t fresh;
  logic [`HF_TCB_BITS-1:0] fresh_bits;
  assign fresh = fresh_bits;

  tcp_entry #(.FSM_CYCLES(FSM_CYCLES)) u_entry (
    .clk(clk), .first(first), .valid(valid), .op(op), .segment(segment), .isn(isn), .mac(mac), .mac_key(mac_key),
    .command(command), .command_body(command_body), .tuple(tuple), .entry(entry), .cookie_class(a.cookie_number[28:26]),
    .hit(b.hit), .closing_fin(fin && c.end_zero), .send_cookie(c.send_cookie), .listener_index(listener_index),
    .listener_opts(listener_opts), .ms(ms), .clock_4us(clock_4us), .ts_offset_off(ts_offset_off), .ecn(ecn),
    .syn_rto_ms(syn_rto_ms), .syn_rto_max_ms(syn_rto_max_ms), .connect_ms(connect_ms), .close_ms(close_ms),
    .fin_wait_2_ms(fin_wait_2_ms), .time_wait_ms(time_wait_ms), .our_mss(our_mss), .our_mss6(our_mss6),
    .mss_floor(mss_floor), .our_rcv_wnd(our_rcv_wnd), .our_wscale(our_wscale), .fresh(fresh_bits));

  // ---- to cut 5: the decision, but for what a SYN, a miss and a challenge ACK then lead to ----

  // What becomes of the entry, if the op goes through and does not free it.
  typedef enum logic [3:0] {
    KEEP, OPEN, TAKE_BODY, ANSWER, COMPLETE, REPEAT_SYN, RESTART, CLOSE_STEP, CHALLENGE, RETRY, DISARM
  } become_t;

  typedef struct packed {
    logic [2:0] want;             // HF_SEND_*
    logic [3:0] become;
    logic [3:0] closing_state;    // CLOSE_STEP: the next state
    logic       write;
    logic       free;
    logic       reset;
    logic       clamp;
    logic       back;             // a cookie came back
    logic       passive_open;     // the SYN may become a connection
    logic       missed;           // the segment may belong to a connection that only the host knows
    logic       challenge;        // a challenge ACK, if its limit allows
    logic [7:0] event_code;
    logic [1:0] verdict;
    logic [4:0] cause;
    logic       completion;
    logic       new_id;
    logic [7:0] status;
    logic       take_synack;
    logic       cnt_retransmit;
    logic       cnt_timeout;
    logic       cnt_icmp_hard;
    logic       cnt_evict_host;
    logic       cnt_evict_time_wait;
    logic       cnt_connect;
    logic       cnt_close;
    logic       cnt_command;
    logic       cnt_cookie_bad;
    logic       cnt_synack_limited;
  } e_t;
  e_t   e_d, e;

  // What the op would do, given room; a segment without room is dropped below.
  always_comb begin
    if (valid) begin
      e_d = '0;
      e_d.want          = `HF_SEND_NOTHING;
      e_d.become        = KEEP;
      e_d.closing_state = tcb.state;
      e_d.event_code    = `HF_EVENT_NONE;
      e_d.verdict       = `HF_VERDICT_NONE;
      e_d.cause         = `HF_CAUSE_NONE;
      e_d.status        = `HF_STATUS_OK;

      case (op)
        `HF_OP_SEGMENT: begin
          e_d.verdict = `HF_VERDICT_CONSUME;
          if (!b.hit) begin
            if (!a.listener_offload) begin
              // RFC 9293 3.10.7.1, CLOSED: the host's kernel answers, or has a listener of its own.
              e_d.verdict = `HF_VERDICT_HOST;
            end else if (syn ? rst || fin : !ack && !rst) begin
              // RFC 9293 3.10.7.2, fourth: nothing else can come; SYN with RST or FIN means nothing.
              e_d.verdict = `HF_VERDICT_DROP;
              e_d.cause   = `HF_CAUSE_BAD_FLAGS;
            end else if (a.rule_denies) begin
              e_d.verdict = `HF_VERDICT_DROP;
              e_d.cause   = `HF_CAUSE_DENIED;
            end else if (rst) begin
              // RFC 9293 3.10.7.2, first: ignored, where the table knows of all connections.
              if (a.cache_complete) begin
                e_d.verdict = `HF_VERDICT_DROP;
                e_d.cause   = `HF_CAUSE_NO_CONNECTION;
              end else begin
                e_d.missed = 1'b1;
              end
            end else if (ack && !syn && b.cookie_live && b.cookie_good) begin
              // RFC 4987 3.6: the ACK of a cookie is what its SYN would have become. The peer sends no
              // second one, so the event is told even if the table has no room.
              if (!a.host_alive) begin
                e_d.verdict = `HF_VERDICT_DROP;
                e_d.cause   = `HF_CAUSE_HOST_GONE;
              end else begin
                e_d.back  = 1'b1;
                e_d.write = insertable;
                e_d.event_code = `HF_EVENT_ESTABLISHED;
                e_d.become    = OPEN;
                if (has_text_or_fin) e_d.verdict = `HF_VERDICT_HOST;
              end
            end else if (ack) begin
              // RFC 9293 3.10.7.2, second: <SEQ=SEG.ACK><CTL=RST>, unless the host may hold the connection.
              e_d.cnt_cookie_bad = !syn && b.cookie_live;
              if (a.cache_complete) begin
                e_d.want   = `HF_SEND_RST_TO_ACK;
                e_d.become = OPEN;         // for the addresses of the RST
              end else begin
                e_d.missed = 1'b1;
              end
            end else if (a.rule_empty) begin
              e_d.verdict = `HF_VERDICT_DROP;
              e_d.cause   = `HF_CAUSE_SOURCE_LIMITED;
            end else begin
              e_d.passive_open = 1'b1;
            end
            if (listener_syn) e_d.become = OPEN;
          end else begin
            case (tcb.state)
              `HF_STATE_SYN_SENT: begin
                if (ack && !b.ack_all) begin
                  // RFC 9293 3.10.7.3, first: <SEQ=SEG.ACK><CTL=RST> unless it is a RST; the open goes on.
                  if (rst) begin
                    e_d.verdict = `HF_VERDICT_DROP;
                    e_d.cause   = `HF_CAUSE_UNACCEPTABLE;
                  end else begin
                    e_d.want = `HF_SEND_RST_TO_ACK;
                  end
                end else if (rst && ack) begin
                  // RFC 9293 3.10.7.3, second: "error: connection reset".
                  e_d.write = 1'b1;
                  e_d.free  = 1'b1;
                  e_d.reset = 1'b1;
                  e_d.event_code = `HF_EVENT_REFUSED;
                end else if (rst || !syn) begin
                  // RFC 9293 3.10.7.3, second: a RST without ACK; fifth: neither SYN nor RST.
                  e_d.verdict = `HF_VERDICT_DROP;
                  e_d.cause   = `HF_CAUSE_UNACCEPTABLE;
                end else begin
                  // RFC 9293 3.10.7.3, fourth: ESTABLISHED, or without ACK (simultaneous open) SYN-RECEIVED.
                  e_d.write = 1'b1;
                  e_d.clamp = seg.ws_clamped;
                  e_d.become    = ANSWER;
                  e_d.want      = ack ? `HF_SEND_ACK : `HF_SEND_SYNACK;
                  if (ack) e_d.event_code = `HF_EVENT_ESTABLISHED;
                end
              end

              `HF_STATE_SYN_RECEIVED: begin
                if (rst) begin
                  if (b.seq_zero) begin
                    // RFC 5961 3.2 case 2; RFC 9293 3.10.7.4, second: a passive open goes back to
                    // LISTEN, an active one was refused.
                    e_d.write = 1'b1;
                    e_d.free  = 1'b1;
                    e_d.reset = 1'b1;
                    if (tcb.active) e_d.event_code = `HF_EVENT_REFUSED;
                  end else if (b.first_in_window) begin
                    // RFC 5961 3.2 case 3: challenge ACK.
                    e_d.challenge = 1'b1;
                  end else begin
                    // RFC 5961 3.2 case 1.
                    e_d.verdict = `HF_VERDICT_DROP;
                    e_d.cause   = `HF_CAUSE_UNACCEPTABLE;
                  end
                end else if (syn) begin
                  if (!ack && !fin && a.seq_is_irs) begin
                    // RFC 9293 3.8.1: the peer's SYN again, our SYN-ACK was lost: send it again, same ISS.
                    e_d.want      = `HF_SEND_SYNACK;
                    e_d.write = 1'b1;
                    e_d.become    = REPEAT_SYN;
                  end else if (ack && a.seq_is_irs && tcb.active && b.ack_all) begin
                    // RFC 9293 3.5, figure 7: the peer's SYN-ACK completes a simultaneous open. It waits
                    // for an ACK as we do, so it gets one.
                    e_d.want      = `HF_SEND_ACK;
                    e_d.write = 1'b1;
                    e_d.event_code = `HF_EVENT_ESTABLISHED;
                    e_d.become    = COMPLETE;
                  end else begin
                    // RFC 5961 4.2; RFC 9293 3.10.7.4, fourth: challenge ACK, whatever the SEQ.
                    e_d.challenge = 1'b1;
                  end
                end else if (!ack) begin
                  // RFC 9293 3.10.7.4, fifth: without ACK, drop.
                  e_d.verdict = `HF_VERDICT_DROP;
                  e_d.cause   = `HF_CAUSE_BAD_FLAGS;
                end else if (d.ts_missing) begin
                  // RFC 7323 3.2: a segment that lacks negotiated timestamps SHOULD be dropped.
                  e_d.verdict = `HF_VERDICT_DROP;
                  e_d.cause   = `HF_CAUSE_MISSING_TS;
                end else if (d.paws_old || !d.acceptable) begin
                  // RFC 7323 5.3 R1; RFC 9293 3.10.7.4, first.
                  e_d.challenge = 1'b1;
                end else if (!b.ack_all) begin
                  // RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: <SEQ=SEG.ACK><CTL=RST>, the state stays.
                  e_d.want = `HF_SEND_RST_TO_ACK;
                end else begin
                  // RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: ESTABLISHED. URG, text and FIN (sixth to
                  // eighth) are the host's: it gets the frame after the event.
                  e_d.write = 1'b1;
                  e_d.event_code = `HF_EVENT_ESTABLISHED;
                  e_d.become    = COMPLETE;
                  if (has_text_or_fin) e_d.verdict = `HF_VERDICT_HOST;
                end
              end

              `HF_STATE_FIN_WAIT_1, `HF_STATE_FIN_WAIT_2, `HF_STATE_CLOSING, `HF_STATE_LAST_ACK,
              `HF_STATE_TIME_WAIT: begin
                if (tcb.state == `HF_STATE_TIME_WAIT && syn && !rst && !ack && !fin) begin
                  // RFC 9293 3.10.7.4, fourth, TIME-WAIT; RFC 6191 2: a new connection may begin, for the
                  // host's kernel or for us; an old duplicate SYN is answered by an ACK.
                  if (!c.tw_newer) begin
                    e_d.challenge = 1'b1;
                  end else if (!a.listener_offload) begin
                    e_d.write   = 1'b1;
                    e_d.free    = 1'b1;
                    e_d.verdict = `HF_VERDICT_HOST;
                  end else begin
                    e_d.passive_open = 1'b1;
                  end
                end else if (!rst && !syn && d.ts_missing) begin
                  // RFC 7323 3.2. A SYN gets its challenge ACK whatever its timestamps are (RFC 5961 4.2).
                  e_d.verdict = `HF_VERDICT_DROP;
                  e_d.cause   = `HF_CAUSE_MISSING_TS;
                end else if (!rst && !syn && d.paws_old) begin
                  // RFC 7323 5.3 R1.
                  e_d.challenge = 1'b1;
                end else if (tcb.state == `HF_STATE_TIME_WAIT && fin && !rst && c.end_last) begin
                  // RFC 9293 3.10.7.4, eighth, TIME-WAIT: the peer's FIN again, our ACK was lost: restart 2 MSL.
                  e_d.want      = `HF_SEND_ACK;
                  e_d.write = 1'b1;
                  e_d.become    = RESTART;
                end else if (!d.acceptable) begin
                  // RFC 9293 3.10.7.4, first.
                  if (rst) begin
                    e_d.verdict = `HF_VERDICT_DROP;
                    e_d.cause   = `HF_CAUSE_UNACCEPTABLE;
                  end else begin
                    e_d.challenge = 1'b1;
                  end
                end else if (rst && !b.seq_zero) begin
                  // RFC 5961 3.2 case 3.
                  e_d.challenge = 1'b1;
                end else if (rst && tcb.state == `HF_STATE_TIME_WAIT && !a.tw_rst_closes) begin
                  // RFC 1337 3, F1: a RST does not end TIME-WAIT.
                  e_d.verdict = `HF_VERDICT_DROP;
                  e_d.cause   = `HF_CAUSE_UNACCEPTABLE;
                end else if (rst) begin
                  // RFC 9293 3.10.7.4, second: CLOSED. The host is told, unless it knows of the end already.
                  e_d.write = 1'b1;
                  e_d.free  = 1'b1;
                  e_d.reset = 1'b1;
                  if (tcb.state == `HF_STATE_CLOSING || tcb.state == `HF_STATE_LAST_ACK)
                    e_d.event_code = `HF_EVENT_CLOSED;
                  else if (tcb.state != `HF_STATE_TIME_WAIT)
                    e_d.event_code = `HF_EVENT_RESET;
                end else if (syn) begin
                  // RFC 5961 4.2; RFC 9293 3.10.7.4, fourth.
                  e_d.challenge = 1'b1;
                end else if (!ack) begin
                  // RFC 9293 3.10.7.4, fifth.
                  e_d.verdict = `HF_VERDICT_DROP;
                  e_d.cause   = `HF_CAUSE_BAD_FLAGS;
                end else if (a.nxt_less_ack[31]) begin
                  // RFC 9293 3.10.7.4, fifth: acknowledges what was never sent.
                  e_d.challenge = 1'b1;
                end else if ((tcb.state == `HF_STATE_FIN_WAIT_1 || tcb.state == `HF_STATE_FIN_WAIT_2) &&
                             a.text && c.end_beyond) begin
                  // RFC 9293 3.6, MUST-12 and MAY-1: nobody will read this text, so the peer is told by a RST.
                  e_d.want      = `HF_SEND_RST_TO_ACK;
                  e_d.write = 1'b1;
                  e_d.free  = 1'b1;
                  e_d.event_code = `HF_EVENT_ABORTED;
                end else if ((tcb.state == `HF_STATE_FIN_WAIT_1 || tcb.state == `HF_STATE_FIN_WAIT_2) &&
                             fin && c.end_beyond) begin
                  // RFC 9293 3.10.7.4, seventh: a FIN beyond a hole; a duplicate ACK asks for what is missing.
                  e_d.challenge = 1'b1;
                end else if (tcb.state == `HF_STATE_LAST_ACK && b.ack_all) begin
                  // RFC 9293 3.10.7.4, fifth, LAST-ACK: CLOSED.
                  e_d.write = 1'b1;
                  e_d.free  = 1'b1;
                  e_d.event_code = `HF_EVENT_CLOSED;
                end else begin
                  // RFC 9293 3.10.7.4, fifth (our FIN is acknowledged) and eighth (the peer's FIN).
                  e_d.become = CLOSE_STEP;
                  if (d.closing_fin) e_d.want = `HF_SEND_ACK;
                  if ((d.closing_fin && (b.ack_all || tcb.state == `HF_STATE_FIN_WAIT_2)) ||
                      (tcb.state == `HF_STATE_CLOSING && b.ack_all)) begin
                    e_d.closing_state = `HF_STATE_TIME_WAIT;
                    e_d.event_code     = `HF_EVENT_CLOSED;
                  end else if (d.closing_fin) begin
                    e_d.closing_state = `HF_STATE_CLOSING;
                  end else if (tcb.state == `HF_STATE_FIN_WAIT_1 && b.ack_all) begin
                    e_d.closing_state = `HF_STATE_FIN_WAIT_2;
                  end
                  e_d.write = d.closing_fin || e_d.closing_state != tcb.state || (b.ack_all && a.unacked) ||
                              (d.ts_update && !b.ts_same);
                end
              end

              // ESTABLISHED and CLOSE-WAIT: the host owns the connection; frames that were on the way when
              // it took over pass too.
              default: e_d.verdict = `HF_VERDICT_HOST;
            endcase
          end
        end

        `HF_OP_ICMP: begin
          // RFC 9293 3.9.2.2; RFC 5927 4.1 and 6.1: a hard error ends an attempt that it can be about, and
          // nothing else.
          e_d.verdict = `HF_VERDICT_HOST;
          if (b.hit && seg.hard && (tcb.state == `HF_STATE_SYN_SENT || tcb.state == `HF_STATE_SYN_RECEIVED) &&
              a.seq_is_una && (!tcb.active || a.event_room)) begin
            e_d.write     = 1'b1;
            e_d.free      = 1'b1;
            e_d.cnt_icmp_hard = 1'b1;
            if (tcb.active) e_d.event_code = `HF_EVENT_UNREACHABLE;
          end
        end

        `HF_OP_TIMEOUT: begin
          if (b.hit) begin
            e_d.write = 1'b1;
            case (tcb.state)
              `HF_STATE_SYN_SENT, `HF_STATE_SYN_RECEIVED, `HF_STATE_FIN_WAIT_1, `HF_STATE_CLOSING,
              `HF_STATE_LAST_ACK: begin
                if (a.gives_up) begin
                  // RFC 9293 3.8.3 (R2): give up. The peer's next segment will find no connection.
                  e_d.free    = 1'b1;
                  e_d.cnt_timeout = 1'b1;
                  if (!counts_retries) e_d.event_code = `HF_EVENT_TIMED_OUT;
                end else begin
                  // RFC 6298 5.4 to 5.6: send again, double the timeout. RFC 9293 3.8.3 (R1): say so, once.
                  // A SYN-ACK beyond SYNACK_LIMIT is left out; its turn is over all the same.
                  e_d.cnt_retransmit = 1'b1;
                  e_d.become         = RETRY;
                  if (!counts_retries && tcb.retries == 4'd2) e_d.event_code = `HF_EVENT_RETRYING;
                  if (counts_retries && !a.synack_token) begin
                    e_d.cnt_retransmit     = 1'b0;
                    e_d.cnt_synack_limited = 1'b1;
                  end else if (tcb.state == `HF_STATE_SYN_SENT || tcb.state == `HF_STATE_SYN_RECEIVED) begin
                    e_d.take_synack = counts_retries;
                    e_d.want        = tcb.state == `HF_STATE_SYN_SENT ? `HF_SEND_SYN : `HF_SEND_SYNACK;
                  end else begin
                    e_d.want        = `HF_SEND_FIN;
                  end
                end
              end
              `HF_STATE_FIN_WAIT_2: begin
                // Beyond RFC 9293: a peer that never closes does not hold the entry for ever.
                e_d.free  = 1'b1;
                e_d.event_code = `HF_EVENT_CLOSED;
              end
              // RFC 9293 3.10.8, TIME-WAIT timeout.
              `HF_STATE_TIME_WAIT: e_d.free = 1'b1;
              // No other state has a timer; disarm what should not be armed.
              default: e_d.become = DISARM;
            endcase
          end
        end

        `HF_OP_COMMAND: begin
          e_d.completion = 1'b1;
          if (command_status != `HF_STATUS_OK) begin
            // A malformed message: only its COMPLETION.
            e_d.status = command_status;
          end else begin
            e_d.cnt_command = 1'b1;
            if (with_body) begin
              // RFC 9293 3.10.1, active OPEN; 3.10.4, CLOSE; ADOPT.
              e_d.status = c.body_status;
              if (c.body_status == `HF_STATUS_OK) begin
                e_d.write   = 1'b1;
                e_d.new_id      = 1'b1;
                e_d.become      = TAKE_BODY;
                e_d.cnt_connect = command == `HF_COMMAND_CONNECT;
                e_d.cnt_close   = command == `HF_COMMAND_CLOSE;
                if (e_d.cnt_connect) e_d.want = `HF_SEND_SYN;
                if (e_d.cnt_close) e_d.want = `HF_SEND_FIN;
                e_d.cnt_evict_time_wait = !b.hit && victim && tcb.state == `HF_STATE_TIME_WAIT;
                e_d.cnt_evict_host      = !b.hit && victim && tcb.state != `HF_STATE_TIME_WAIT;
              end
            end else if (!b.hit) begin
              e_d.status = `HF_STATUS_STALE;
            end else if (command == `HF_COMMAND_DUMP) begin
              e_d.completion = 1'b0;
              e_d.event_code  = `HF_EVENT_DUMP;
            end else if (command == `HF_COMMAND_ABORT) begin
              // RFC 9293 3.10.5, ABORT: <SEQ=SND.NXT><CTL=RST>, delete the TCB.
              e_d.write = 1'b1;
              e_d.free  = 1'b1;
              case (tcb.state)
                `HF_STATE_SYN_RECEIVED, `HF_STATE_ESTABLISHED, `HF_STATE_FIN_WAIT_1, `HF_STATE_FIN_WAIT_2,
                `HF_STATE_CLOSE_WAIT: e_d.want = `HF_SEND_ABORT;
                default: ;
              endcase
            end else if (tcb.state == `HF_STATE_ESTABLISHED || tcb.state == `HF_STATE_CLOSE_WAIT) begin
              // RELEASE: the host answers for the connection from its own table.
              e_d.write = 1'b1;
              e_d.free  = 1'b1;
            end else begin
              e_d.status = `HF_STATUS_NOT_OWNER;
            end
          end
        end
      endcase
    end else begin
      e_d = 'x;
    end
  end

  cut #(.WIDTH(55), .ON(`HF_CUT(5, FSM_CYCLES))) u_cut5 (.clk(clk), .take(1'b1), .d(e_d), .q(e));

  // ---- to cut 6: the rest of the decision ----

  typedef struct packed {
    logic [2:0] want;
    logic [3:0] become;
    logic       write;
    logic       open;             // a passive open
    logic       cookie;           // the SYN is answered by a cookie
    logic       clamp;
    logic       limited;          // a challenge ACK that is one too many
    logic [1:0] verdict;
    logic [4:0] cause;
  } f_t;
  f_t   f_d, f;

  always_comb begin
    if (valid) begin
      f_d.want    = e.want;
      f_d.become  = e.become;
      f_d.write   = e.write;
      f_d.open    = 1'b0;
      f_d.cookie  = 1'b0;
      f_d.clamp   = e.clamp;
      f_d.limited = 1'b0;
      f_d.verdict = e.verdict;
      f_d.cause   = e.cause;

      if (e.passive_open) begin
        if (!a.host_alive) begin
          f_d.verdict = `HF_VERDICT_DROP;
          f_d.cause   = `HF_CAUSE_HOST_GONE;
        end else if (c.send_cookie) begin
          f_d.want       = `HF_SEND_SYNACK;
          f_d.cookie = 1'b1;
          f_d.become     = OPEN;
        end else if (a.over_backlog || (!b.hit && a.over_high)) begin
          // RFC 4987 2.2: the backlog is the limit of half-open connections.
          f_d.verdict = `HF_VERDICT_DROP;
          f_d.cause   = `HF_CAUSE_BACKLOG;
        end else if (!b.hit && !insertable) begin
          f_d.verdict = `HF_VERDICT_DROP;
          f_d.cause   = `HF_CAUSE_TABLE_FULL;
        end else begin
          // RFC 9293 3.10.7.2, third: LISTEN -> SYN-RECEIVED.
          f_d.want      = `HF_SEND_SYNACK;
          f_d.write = 1'b1;
          f_d.open  = 1'b1;
          f_d.clamp = seg.ws_clamped;
          f_d.become    = OPEN;
        end
      end

      if (e.missed) begin
        f_d.verdict = a.miss_token ? `HF_VERDICT_HOST : `HF_VERDICT_DROP;
        if (!a.miss_token) f_d.cause = `HF_CAUSE_HOST_LIMITED;
      end

      if (e.challenge) begin
        if (c.challenge_allowed) begin
          f_d.want      = `HF_SEND_ACK;
          f_d.write = 1'b1;
          f_d.become    = CHALLENGE;
        end else begin
          f_d.limited = 1'b1;
        end
      end
    end else begin
      f_d = 'x;
    end
  end

  cut #(.WIDTH(19), .ON(`HF_CUT(6, FSM_CYCLES))) u_cut6 (.clk(clk), .take(1'b1), .d(f_d), .q(f));

  // ---- to cut 7: room ----

  // Without room for what it sends, a segment changes nothing: the peer will send it again.
  // Commands and timeouts are not issued without room; an ICMP error has looked for it above.
  typedef struct packed {
    logic       go;
    logic [1:0] verdict;
    logic [4:0] cause;
  } g_t;
  g_t   g_d, g;
  logic no_reply_room, no_token, no_event_room;
  always_comb begin
    if (valid) begin
      no_reply_room = f.want != `HF_SEND_NOTHING && !a.reply_room;
      no_token      = f.want == `HF_SEND_RST_TO_ACK && !a.rst_token;
      no_event_room = e.event_code != `HF_EVENT_NONE && !a.event_room;
      g_d.go        = !no_reply_room && !no_token && !no_event_room;
      g_d.verdict   = f.verdict;
      g_d.cause     = f.cause;
      if (op == `HF_OP_SEGMENT && !g_d.go) begin
        g_d.verdict = `HF_VERDICT_DROP;
        if (no_reply_room) g_d.cause = `HF_CAUSE_REPLY_FULL;
        else if (no_token) g_d.cause = `HF_CAUSE_RST_LIMITED;
        else g_d.cause = `HF_CAUSE_EVENT_FULL;
      end
    end else begin
      no_reply_room = 'x;
      no_token = 'x;
      no_event_room = 'x;
      g_d = 'x;
    end
  end

  cut #(.WIDTH(8), .ON(`HF_CUT(7, FSM_CYCLES))) u_cut7 (.clk(clk), .take(1'b1), .d(g_d), .q(g));

  // ---- what comes out ----

  always_comb begin
    if (valid) begin
      verdict     = g.verdict;
      cause       = g.cause;
      write       = f.write && g.go;
      free        = e.free && g.go;
      insert      = (f.open || e.new_id || (e.back && insertable)) && !b.hit && !victim && g.go;
      send        = g.go ? f.want : `HF_SEND_NOTHING;
      event_code  = g.go ? e.event_code : `HF_EVENT_NONE;
      cookie      = f.cookie && g.go;
      take_rst    = f.want == `HF_SEND_RST_TO_ACK && g.go;
      take_miss   = e.missed && a.miss_token;
      take_synack = e.take_synack;
      event_cookie   = e.back && g.go;
      event_no_entry = e.back && !insertable;
      completion  = e.completion;
      status      = e.status;
      new_id      = e.new_id;
      cache_clear = e.cnt_evict_host || (event_cookie && event_no_entry) ||
                    (op == `HF_OP_COMMAND && command == `HF_COMMAND_ADOPT && e.status == `HF_STATUS_NO_ROOM);

      cnt_reset         = e.reset && g.go;
      cnt_syn_accepted  = f.open && g.go;
      cnt_tw_reused     = f.open && b.hit && g.go;
      cnt_ws_clamped    = f.clamp && g.go;
      cnt_challenge_limited = f.limited;
      cnt_opt_malformed = op == `HF_OP_SEGMENT && seg.opt_bad;
      cnt_tx_syn        = send == `HF_SEND_SYN;
      cnt_tx_synack     = send == `HF_SEND_SYNACK;
      cnt_tx_ack        = send == `HF_SEND_ACK;
      cnt_tx_fin        = send == `HF_SEND_FIN;
      cnt_tx_rst        = send == `HF_SEND_RST_TO_ACK || send == `HF_SEND_ABORT;
      cnt_retransmit    = e.cnt_retransmit;
      cnt_timeout       = e.cnt_timeout;
      cnt_icmp_hard     = e.cnt_icmp_hard;
      cnt_evict_host    = e.cnt_evict_host;
      cnt_evict_time_wait = e.cnt_evict_time_wait;
      cnt_connect       = e.cnt_connect;
      cnt_close         = e.cnt_close;
      cnt_command       = e.cnt_command;
      cnt_cookie_bad    = e.cnt_cookie_bad;
      cnt_synack_limited = e.cnt_synack_limited;
    end else begin
      verdict = 'x;
      cause = 'x;
      write = 'x;
      free = 'x;
      insert = 'x;
      send = 'x;
      event_code = 'x;
      cookie = 'x;
      take_rst = 'x;
      take_miss = 'x;
      take_synack = 'x;
      event_cookie = 'x;
      event_no_entry = 'x;
      completion = 'x;
      status = 'x;
      new_id = 'x;
      cache_clear = 'x;
      cnt_reset = 'x;
      cnt_syn_accepted = 'x;
      cnt_tw_reused = 'x;
      cnt_ws_clamped = 'x;
      cnt_challenge_limited = 'x;
      cnt_opt_malformed = 'x;
      cnt_tx_syn = 'x;
      cnt_tx_synack = 'x;
      cnt_tx_ack = 'x;
      cnt_tx_fin = 'x;
      cnt_tx_rst = 'x;
      cnt_retransmit = 'x;
      cnt_timeout = 'x;
      cnt_icmp_hard = 'x;
      cnt_evict_host = 'x;
      cnt_evict_time_wait = 'x;
      cnt_connect = 'x;
      cnt_close = 'x;
      cnt_command = 'x;
      cnt_cookie_bad = 'x;
      cnt_synack_limited = 'x;
    end
  end

  // The entry after. Who the connection is between is never changed in an entry, only with it.
  tcb_t tcb_new;
  logic whole;                            // all of it is new
  logic negotiated_ws, negotiated_ts;     // in our SYN and in the peer's
  logic retries_full;
  assign negotiated_ws = tcb.ws_ok && seg.ws_ok;
  assign negotiated_ts = tcb.ts_ok && seg.ts_ok;
  assign retries_full = tcb.retries == 4'd15;
  always_comb begin
    if (valid) begin
      whole = f.become == OPEN || f.become == TAKE_BODY;
      tcb_new = whole ? fresh : tcb;
      case (f.become)
        ANSWER: begin
          // RFC 9293 3.10.7.3, fourth: SYN-SENT after the peer's SYN, with or without an ACK. What we offered is
          // negotiated if the peer offers it too.
          tcb_new.state      = ack ? `HF_STATE_ESTABLISHED : `HF_STATE_SYN_RECEIVED;
          tcb_new.irs        = fresh.irs;
          tcb_new.rcv_nxt    = fresh.rcv_nxt;
          tcb_new.snd_wnd    = fresh.snd_wnd;  // RFC 7323 2.2
          tcb_new.mss        = fresh.mss;
          tcb_new.ws_ok      = negotiated_ws;
          tcb_new.snd_wscale = negotiated_ws ? seg.ws : 4'd0;
          tcb_new.rcv_wscale = negotiated_ws ? tcb.rcv_wscale : 4'd0;
          tcb_new.ts_ok      = negotiated_ts;
          tcb_new.ts_recent  = fresh.ts_recent;
          tcb_new.ts_offset  = negotiated_ts ? tcb.ts_offset : 32'd0;
          tcb_new.sack_ok    = tcb.sack_ok && seg.sack_ok;
          tcb_new.ecn_ok     = tcb.ecn_ok && ece && cwr != ack;  // RFC 3168 6.1.1: ECE alone accepts, both offer
          if (ack) begin
            tcb_new.snd_una     = fresh.snd_una;
            tcb_new.timer_armed = 1'b0;
            tcb_new.deadline_ms = fresh.deadline_ms;
          end
        end
        COMPLETE: begin
          // RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: our SYN is acknowledged.
          tcb_new.state       = `HF_STATE_ESTABLISHED;
          tcb_new.snd_una     = fresh.snd_una;
          tcb_new.snd_wnd     = fresh.snd_wnd;  // RFC 7323 2.2, 2.3
          tcb_new.timer_armed = 1'b0;
          tcb_new.deadline_ms = fresh.deadline_ms;
          if (d.ts_update) tcb_new.ts_recent = fresh.ts_recent;
        end
        REPEAT_SYN: begin
          tcb_new.syn_lost = 1'b1;
          if (tcb.ts_ok && seg.ts_ok && !a.ts_age[31]) tcb_new.ts_recent = fresh.ts_recent;  // RFC 7323 4.3
        end
        RESTART: tcb_new.deadline_ms = fresh.deadline_ms;
        CLOSE_STEP: begin
          tcb_new.state = e.closing_state;
          if (b.ack_all) tcb_new.snd_una = fresh.snd_una;
          if (d.ts_update) tcb_new.ts_recent = fresh.ts_recent;
          if (d.closing_fin) tcb_new.rcv_nxt = tcb.rcv_nxt + 32'd1;
          if (e.closing_state != tcb.state &&
              (e.closing_state == `HF_STATE_TIME_WAIT || e.closing_state == `HF_STATE_FIN_WAIT_2))
            tcb_new.deadline_ms = fresh.deadline_ms;
        end
        CHALLENGE: begin
          // RFC 5961 7: so many in each window of time.
          if (b.challenge_first) tcb_new.chal_ms = a.ms;
          tcb_new.chal_count = b.challenge_first ? 4'd1 : tcb.chal_count + 4'd1;
        end
        RETRY: begin
          if (!retries_full) tcb_new.retries = tcb.retries + 4'd1;
          tcb_new.deadline_ms = fresh.deadline_ms;
          if (f.want == `HF_SEND_SYN || f.want == `HF_SEND_SYNACK) begin
            tcb_new.syn_lost = 1'b1;
            tcb_new.sent_ms  = fresh.sent_ms;
          end
        end
        DISARM: tcb_new.timer_armed = 1'b0;
        default: ;
      endcase
    end else begin
      whole = 'x;
      tcb_new = 'x;
    end
  end

  // ---- the event ----

  always_comb begin
    if (valid) begin
      rtt_ms = 16'hffff;
      rto_ms = tcb_new.rto_ms;
      if (e.event_code == `HF_EVENT_ESTABLISHED && !e.back) begin
        rto_ms = d.sample_rto_ms;
        if (!tcb.syn_lost) rtt_ms = b.sample_ms;
      end
    end else begin
      rtt_ms = 'x;
      rto_ms = 'x;
    end
  end
endmodule
