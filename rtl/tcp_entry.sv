// SPDX-License-Identifier: Apache-2.0
// tcp_entry - what an op can put into an entry: a new connection's whole entry, or some fields of an old one's.
//
// What    The entry of a SYN that a listener accepts, or answers by a cookie (RFC 9293 3.10.7.2, third; RFC 4987 3.6);
//         of the ACK that brings a cookie back; and of CONNECT, CLOSE and ADOPT (3.10.1, 3.10.4). For an op that hits
//         an entry, of these fields the new value, of which tcp_fsm takes what it needs: irs, rcv_nxt, mss of a SYN
//         that answers ours; snd_una = SEG.ACK; snd_wnd, ts_recent of the segment; deadline_ms, sent_ms.
// Input   as of tcp_fsm. first: the step's first cycle; clock and configuration are read in it, the rest holds still.
//         hit and send_cookie: from tcp_fsm, behind cut 2 and cut 3.
// Output  fresh, behind cut 6.
// Timing  FSM_CYCLES = 1: combinational. Else at its cuts (engine_defs.svh) there are registers.
//
// One adder makes every deadline, and one every first sequence number: an op needs only one of each.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module tcp_entry #(
  parameter int FSM_CYCLES = 1
) (
  input  logic                        clk,
  input  logic                        first,
  input  logic                        valid,          // 0: nobody looks at the outputs
  input  logic [1:0]                  op,
  input  logic [`HF_SEGMENT_BITS-1:0] segment,
  input  logic [63:0]                 isn,
  input  logic [25:0]                 mac,
  input  logic                        mac_key,
  input  logic [7:0]                  command,
  input  logic [`HF_BODY_BITS-1:0]    command_body,
  input  logic [`HF_TUPLE_BITS-1:0]   tuple,
  input  logic [`HF_TCB_BITS-1:0]     entry,
  input  logic [2:0]                  cookie_class,   // of the number that SEG.ACK holds; behind cut 1
  input  logic                        hit,
  input  logic                        closing_fin,    // SEGMENT: a FIN with all of its text before it; behind cut 3
  input  logic                        send_cookie,

  input  logic [3:0]                  listener_index,
  input  logic [2:0]                  listener_opts,
  input  logic [23:0]                 ms,
  input  logic [31:0]                 clock_4us,
  input  logic                        ts_offset_off,
  input  logic                        ecn,
  input  logic [15:0]                 syn_rto_ms,
  input  logic [15:0]                 syn_rto_max_ms,
  input  logic [21:0]                 connect_ms,
  input  logic [21:0]                 close_ms,
  input  logic [21:0]                 fin_wait_2_ms,
  input  logic [21:0]                 time_wait_ms,
  input  logic [15:0]                 our_mss,
  input  logic [15:0]                 our_mss6,
  input  logic [15:0]                 mss_floor,
  input  logic [29:0]                 our_rcv_wnd,
  input  logic [3:0]                  our_wscale,

  output logic [`HF_TCB_BITS-1:0]     fresh
);
  typedef struct packed { `HF_TCB_FIELDS } tcb_t;
  typedef struct packed { `HF_SEGMENT_FIELDS } segment_t;
  typedef struct packed { `HF_TUPLE_FIELDS } tuple_t;
  typedef struct packed { `HF_BODY_FIELDS } body_t;

  localparam int FIN = 0, SYN = 1, ECE = 6, CWR = 7;
  localparam int OPT_WS = 0, OPT_SACK = 1, OPT_TS = 2;                                  // of a listener
  localparam int BODY_WS = 0, BODY_TS = 1, BODY_SACK = 2, BODY_SYN_LOST = 3;            // of a body's options
  localparam int LISTENER_ACTIVE = 6, LISTENER_ECN = 7;

  /* verilator lint_off UNUSEDSIGNAL */
  segment_t seg;
  tcb_t     tcb;
  body_t    from_host;
  /* verilator lint_on UNUSEDSIGNAL */
  tuple_t   names;
  assign seg = segment;
  assign tcb = entry;
  assign from_host = command_body;
  assign names = tuple;

  logic is_segment, is_command, is_timeout, is_connect, is_close, is_adopt, fin, syn, ece, cwr;
  assign is_segment = op == `HF_OP_SEGMENT;
  assign is_command = op == `HF_OP_COMMAND;
  assign is_timeout = op == `HF_OP_TIMEOUT;
  assign is_connect = is_command && command == `HF_COMMAND_CONNECT;
  assign is_close = is_command && command == `HF_COMMAND_CLOSE;
  assign is_adopt = is_command && command == `HF_COMMAND_ADOPT;
  assign fin = seg.flags[FIN];
  assign syn = seg.flags[SYN];
  assign ece = seg.flags[ECE];
  assign cwr = seg.flags[CWR];

  // ---- to cut 1: clock and configuration ----

  typedef struct packed {
    logic [3:0]  listener_index;
    logic [2:0]  listener_opts;
    logic [23:0] ms;
    logic        ts_offset_off;
    logic        ecn;
    logic [15:0] rto_max_ms;
    logic [21:0] fin_wait_2_ms;
    logic [21:0] time_wait_ms;
    logic [15:0] cap_mss;         // RFC 9293 3.7.1
    logic [15:0] mss_floor;
    logic [29:0] rcv_wnd;
    logic [3:0]  wscale;          // RFC 7323 2.3: at most 14
    logic [31:0] clock_iss;       // RFC 6528 3: 4.096 us clock + F
    logic [15:0] rto_ms;          // RFC 6298 2.1: the first timeout, or what an expired one is a multiple of
    logic [23:0] new_give_up_ms;  // R2 of a command, RFC 9293 3.8.3
    logic [31:0] seq_beside;      // SEG.SEQ + 1 of a SYN, else SEG.SEQ - 1
  } a_t;
  a_t a_d, a;
  logic [21:0] patience_ms;

  always_comb begin
    patience_ms = close_ms;
    if (command == `HF_COMMAND_CONNECT)
      patience_ms = from_host.now_ms[21:0] == 22'd0 ? connect_ms : from_host.now_ms[21:0];
    a_d.listener_index = listener_index;
    a_d.listener_opts = listener_opts;
    a_d.ms = ms;
    a_d.ts_offset_off = ts_offset_off;
    a_d.ecn = ecn;
    a_d.rto_max_ms = syn_rto_max_ms;
    a_d.fin_wait_2_ms = fin_wait_2_ms;
    a_d.time_wait_ms = time_wait_ms;
    a_d.cap_mss = seg.ip6 ? our_mss6 : our_mss;
    a_d.mss_floor = mss_floor;
    a_d.rcv_wnd = our_rcv_wnd;
    a_d.wscale = our_wscale == 4'd15 ? 4'd14 : our_wscale;
    a_d.clock_iss = (is_command ? clock_4us : seg.stamp[43:12]) + isn[31:0];
    a_d.rto_ms = is_timeout ? tcb.rto_ms : syn_rto_ms;
    if (is_command && from_host.rto_ms != 16'd0) a_d.rto_ms = from_host.rto_ms;
    a_d.new_give_up_ms = ms + {2'd0, patience_ms};
    a_d.seq_beside = seg.seq + {{31{!syn}}, 1'b1};
  end

  cut #(.WIDTH(263), .ON(`HF_CUT(1, FSM_CYCLES))) u_cut1 (.clk(clk), .take(first), .d(a_d), .q(a));

  // ---- to cut 2 ----

  typedef struct packed {
    logic        beyond_clock;    // SND.NXT is beyond clock_iss
    logic [31:0] doubled_ms;      // RFC 6298 5.5
    logic [15:0] peer_mss;        // RFC 9293 3.7.1: 536, over IPv6 1220, without the option
    logic [23:0] give_up_ms;
  } b_t;
  b_t b_d, b;
  logic [2:0]  new_class;
  logic [15:0] class_mss, new_mss;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [31:0] nxt_less_iss;
  logic [23:0] to_give_up;        // its top bit: R2 comes before the deadline
  /* verilator lint_on UNUSEDSIGNAL */

  cookie_mss u_mss (.mss(new_mss), .to_class(new_class), .from_class(cookie_class), .octets(class_mss));

  assign nxt_less_iss = tcb.snd_nxt - a.clock_iss;
  always_comb begin
    b_d.beyond_clock = !nxt_less_iss[31];
    b_d.doubled_ms = {16'd0, a.rto_ms};
    if (is_timeout) b_d.doubled_ms = {15'd0, a.rto_ms, 1'b0} << tcb.retries;
    if (!syn) b_d.peer_mss = class_mss;
    else if (seg.mss_ok) b_d.peer_mss = seg.mss;
    else b_d.peer_mss = seg.ip6 ? 16'd1220 : 16'd536;
    b_d.give_up_ms = is_command ? a.new_give_up_ms : tcb.give_up_ms;
  end

  cut #(.WIDTH(73), .ON(`HF_CUT(2, FSM_CYCLES))) u_cut2 (.clk(clk), .take(1'b1), .d(b_d), .q(b));

  // ---- to cut 3 ----

  typedef struct packed {
    logic [31:0] iss;
    logic [15:0] capped_mss;
    logic [15:0] rto_ms;          // RFC 6298 2.5: at most the cap
  } c_t;
  c_t c_d, c;

  always_comb begin
    // RFC 9293 3.6.1, MAY-2: over a TIME-WAIT the ISS is beyond what the old connection used.
    c_d.iss = hit && b.beyond_clock ? tcb.snd_nxt + 32'd65536 : a.clock_iss;
    c_d.capped_mss = b.peer_mss < a.cap_mss ? b.peer_mss : a.cap_mss;
    c_d.rto_ms = b.doubled_ms[31:16] == 16'd0 && b.doubled_ms[15:0] < a.rto_max_ms ? b.doubled_ms[15:0] : a.rto_max_ms;
  end

  cut #(.WIDTH(64), .ON(`HF_CUT(3, FSM_CYCLES))) u_cut3 (.clk(clk), .take(1'b1), .d(c_d), .q(c));

  // ---- to cut 4 ----

  typedef struct packed {
    logic [15:0] mss;
    logic [23:0] deadline_ms;
    logic [31:0] una;             // SND.UNA of what begins, or SEG.ACK
    logic [31:0] nxt;             // SND.NXT, but for a SYN or FIN
    logic [3:0]  wnd_shift;
  } d_t;
  d_t d_d, d;
  logic [23:0] wait_ms;
  logic        new_ts;            // a segment's timestamps are used

  assign new_ts = seg.ts_ok && a.listener_opts[OPT_TS];
  always_comb begin
    d_d.mss = c.capped_mss > a.mss_floor ? c.capped_mss : a.mss_floor;
    // A segment of a closing connection: 2 MSL, or our patience in FIN-WAIT-2, where FIN-WAIT-1 goes without a FIN.
    wait_ms = {8'd0, c.rto_ms};
    if (c.rto_ms == 16'd0) wait_ms[0] = 1'b1;
    if (is_segment && hit && !(tcb.state == `HF_STATE_TIME_WAIT && !fin))
      wait_ms = {2'd0, tcb.state == `HF_STATE_FIN_WAIT_1 && !closing_fin ? a.fin_wait_2_ms : a.time_wait_ms};
    d_d.deadline_ms = a.ms + wait_ms;
    if (is_command) begin
      d_d.una = is_connect ? c.iss : from_host.snd_una;
      d_d.nxt = is_connect ? c.iss : from_host.snd_nxt;
    end else begin
      d_d.una = syn && !(hit && tcb.state != `HF_STATE_TIME_WAIT) ? c.iss : seg.ack;
      d_d.nxt = d_d.una;
    end
    // RFC 7323 2.2, 2.3: the window of a SYN is not scaled. A cookie's TSval remembers the shift, 15 is none.
    d_d.wnd_shift = 4'd0;
    if (!syn && hit) d_d.wnd_shift = tcb.snd_wscale;
    if (!syn && !hit && new_ts && a.listener_opts[OPT_WS] && seg.tsecr[3:0] != 4'd15) d_d.wnd_shift = seg.tsecr[3:0];
  end

  cut #(.WIDTH(108), .ON(`HF_CUT(4, FSM_CYCLES))) u_cut4 (.clk(clk), .take(1'b1), .d(d_d), .q(d));
  assign new_mss = d.mss;

  // ---- to cut 5 ----

  typedef struct packed {
    logic [2:0]  mss_class;
    logic [23:0] deadline_ms;
    logic [31:0] nxt;
    logic [31:0] wnd;
  } e_t;
  e_t e_d, e;
  logic bounded;                  // RFC 9293 3.8.3: R2 comes first, but a passive open counts its retransmissions instead

  assign bounded = is_command || (is_timeout && !(tcb.state == `HF_STATE_SYN_RECEIVED && !tcb.active));
  assign to_give_up = b.give_up_ms - d.deadline_ms;
  always_comb begin
    e_d.mss_class = new_class;
    e_d.deadline_ms = bounded && to_give_up[23] ? b.give_up_ms : d.deadline_ms;
    e_d.nxt = d.nxt + {31'd0, is_command ? !is_adopt : syn};
    e_d.wnd = {16'd0, seg.wnd} << d.wnd_shift;
  end

  cut #(.WIDTH(91), .ON(`HF_CUT(5, FSM_CYCLES))) u_cut5 (.clk(clk), .take(1'b1), .d(e_d), .q(e));

  // ---- to cut 6: the entry ----

  // Security and precedence are not checked (obsolete); text on the SYN is not kept, the peer sends it again (3.4,
  // ACK = IRS+1). Of a SYN that gets a cookie the same, but it is only there for the SYN-ACK: nothing keeps it.
  tcb_t       f_d;
  logic       remembers;          // the options' memory is there if it must be
  logic [5:0] memory;             // what the TSval of a cookie remembers: ECN, SACK, window shift
  logic       no_timer;

  assign memory = seg.tsecr[5:0];
  assign remembers = new_ts || (syn && !send_cookie);
  always_comb begin
    if (is_command) no_timer = is_adopt;
    else if (hit) no_timer = tcb.state == `HF_STATE_SYN_SENT || tcb.state == `HF_STATE_SYN_RECEIVED;
    else no_timer = !syn;
    // The first timeout of an entry that is written; an expired one's next.
    if (is_timeout) no_timer = 1'b0;
  end

  always_comb begin
    if (valid) begin
      f_d             = '0;
      f_d.generation  = tcb.generation + 16'd1;
      f_d.ip6         = names.ip6;
      f_d.remote_addr = names.remote_addr;
      f_d.local_addr  = names.local_addr;
      f_d.remote_port = names.remote_port;
      f_d.local_port  = names.local_port;
      f_d.rto_ms      = a.rto_ms;
      f_d.snd_una     = d.una;
      f_d.snd_nxt     = e.nxt;
      f_d.timer_armed = !no_timer;
      f_d.deadline_ms = no_timer ? 24'd0 : e.deadline_ms;
      f_d.sent_ms     = is_adopt || (is_segment && !syn) ? 24'd0 : a.ms;

      if (is_command) begin
        f_d.remote_mac  = {from_host.remote_mac[7:0], from_host.remote_mac[15:8], from_host.remote_mac[23:16],
                           from_host.remote_mac[31:24], from_host.remote_mac[39:32], from_host.remote_mac[47:40]};
        f_d.vlan_tags   = from_host.options[6:5];
        f_d.vlan_svlan  = from_host.options[7];
        f_d.vlan_outer  = from_host.vlan;
        f_d.vlan_inner  = from_host.vlan_inner;
        f_d.ws_ok       = from_host.options[BODY_WS];
        f_d.ts_ok       = from_host.options[BODY_TS];
        f_d.sack_ok     = from_host.options[BODY_SACK];
        if (is_connect) begin
          // RFC 9293 3.10.1, active OPEN: SYN-SENT. The options are what we offer.
          f_d.state      = `HF_STATE_SYN_SENT;
          f_d.active     = 1'b1;
          f_d.iss        = c.iss;
          f_d.rcv_wnd    = {2'd0, a.rcv_wnd};
          if (from_host.options[BODY_WS]) f_d.rcv_wscale = a.wscale;
          if (from_host.options[BODY_TS] && !a.ts_offset_off) f_d.ts_offset = isn[63:32];  // RFC 7323 5.4
          f_d.ecn_ok     = a.ecn;                                                          // RFC 3168 6.1.1
        end else begin
          // RFC 9293 3.10.4, CLOSE: FIN-WAIT-1 or LAST-ACK, with the FIN sent; or ADOPT, the state stays.
          f_d.state      = from_host.state[3:0];
          f_d.active     = from_host.listener[LISTENER_ACTIVE];
          f_d.listener   = from_host.listener[3:0];
          f_d.iss        = from_host.iss;
          f_d.irs        = from_host.irs;
          f_d.rcv_nxt    = from_host.rcv_nxt;
          f_d.snd_wnd    = from_host.snd_wnd;
          f_d.rcv_wnd    = from_host.rcv_wnd;
          f_d.mss        = from_host.mss;
          f_d.snd_wscale = from_host.snd_wscale[3:0];
          f_d.rcv_wscale = from_host.rcv_wscale[3:0];
          f_d.syn_lost   = from_host.options[BODY_SYN_LOST];
          f_d.ecn_ok     = from_host.listener[LISTENER_ECN];
          f_d.ts_recent  = from_host.ts_recent;
          f_d.ts_offset  = from_host.ts_offset;
          if (is_close) begin
            f_d.state    = from_host.state == {4'd0, `HF_STATE_ESTABLISHED} ? `HF_STATE_FIN_WAIT_1 : `HF_STATE_LAST_ACK;
            f_d.listener = 4'd0;
          end
        end
        if (!is_adopt) f_d.give_up_ms = b.give_up_ms;
      end else begin
        f_d.remote_mac  = seg.src_mac;
        f_d.vlan_tags   = seg.vlan_tags;
        f_d.vlan_svlan  = seg.vlan_svlan;
        f_d.vlan_outer  = seg.vlan_outer;
        f_d.vlan_inner  = seg.vlan_inner;
        f_d.listener    = a.listener_index;
        f_d.rcv_wnd     = {2'd0, a.rcv_wnd};
        f_d.snd_wnd     = e.wnd;
        f_d.mss         = d.mss;
        f_d.ts_ok       = new_ts;
        if (new_ts && !a.ts_offset_off) f_d.ts_offset = isn[63:32];       // RFC 7323 5.4: an offset for each connection
        if (seg.ts_ok && (syn || hit || new_ts)) f_d.ts_recent = seg.tsval;         // RFC 7323 4.3
        if (syn) begin
          f_d.state     = `HF_STATE_SYN_RECEIVED;
          f_d.iss       = send_cookie ? seg.seq + {mac_key, seg.stamp[37:36], e.mss_class, mac} : c.iss;
          f_d.irs       = seg.seq;
          f_d.rcv_nxt   = a.seq_beside;
          f_d.ws_ok     = seg.ws_ok;                                      // RFC 7323 2.2: scaling only if the SYN offered it
          f_d.sack_ok   = seg.sack_ok;                                    // RFC 2018 2
          f_d.ecn_ok    = ece && cwr;                                     // RFC 3168 6.1.1
        end else begin
          f_d.state     = `HF_STATE_ESTABLISHED;
          f_d.iss       = seg.ack - 32'd1;
          f_d.irs       = a.seq_beside;
          f_d.rcv_nxt   = seg.seq;
          f_d.ws_ok     = memory[3:0] != 4'd15;
          f_d.sack_ok   = memory[4];
          f_d.ecn_ok    = memory[5];
        end
        f_d.ws_ok   = f_d.ws_ok && remembers && a.listener_opts[OPT_WS];
        f_d.sack_ok = f_d.sack_ok && remembers && a.listener_opts[OPT_SACK];
        f_d.ecn_ok  = f_d.ecn_ok && remembers && a.ecn;
        if (f_d.ws_ok) f_d.snd_wscale = syn ? seg.ws : memory[3:0];
        if (f_d.ws_ok) f_d.rcv_wscale = a.wscale;
      end
    end else begin
      f_d = 'x;
    end
  end

  cut #(.WIDTH(`HF_TCB_BITS), .ON(`HF_CUT(6, FSM_CYCLES))) u_cut6 (.clk(clk), .take(1'b1), .d(f_d), .q(fresh));
endmodule
