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
// Timing  combinational, no state. The engine evaluates it in T3 and registers all of it.
//
// Numbers compare modulo 2^32: a < b means that a - b has its top bit set (RFC 9293 3.4).
// `entry` of a miss is whatever its slot holds: only its generation and, of a victim, its state are used then.
// tcp_command judges CONNECT, CLOSE and ADOPT; tcp_reply makes the frame, a cycle later.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module tcp_fsm (
  input  logic                       valid,         // 0: nobody looks at the outputs

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
  typedef struct packed { `HF_TUPLE_FIELDS } tuple_t;

  localparam int FIN = 0, SYN = 1, RST = 2, ACK = 4, ECE = 6, CWR = 7;
  localparam int OPT_WS = 0, OPT_SACK = 1, OPT_TS = 2;

  // What the parser and the mover keep in the descriptor (class, length ..) is not the engine's; of
  // a difference only the top bit is. All else here is read in full.
  /* verilator lint_off UNUSEDSIGNAL */
  segment_t seg;
  logic [31:0] una_less_ack;    // SND.UNA - SEG.ACK
  logic [31:0] nxt_less_ack;    // SND.NXT - SEG.ACK
  logic [31:0] ts_age;          // SEG.TSval - TS.Recent
  logic [31:0] ts_step;         // TS.Recent - SEG.TSval
  logic [31:0] nxt_less_seq;    // RCV.NXT - SEG.SEQ
  logic [31:0] nxt_less_end;    // RCV.NXT - (SEG.SEQ + octets of text)
  logic [31:0] seq_less_una;    // SEG.SEQ - SND.UNA, of a quoted segment
  logic [31:0] seq_less_nxt;    // SEG.SEQ - SND.NXT, of a quoted segment
  logic [31:0] nxt_less_iss;    // SND.NXT - a new ISS
  logic [23:0] overdue_ms;      // ms - deadline, modulo 2^24
  logic [23:0] over_give_up_ms; // ms - R2, modulo 2^24
  logic [23:0] to_give_up;      // R2 - the next deadline
  logic [31:0] cookie_number;   // SEG.ACK - SEG.SEQ: what a cookie made of it
  /* verilator lint_on UNUSEDSIGNAL */
  tcb_t     tcb;
  assign tcb = entry;
  assign seg = segment;
  assign entry_after = tcb_new;

  // ---- facts about the op and the entry, each of one subtraction or one comparison ----

  logic fin, syn, rst, ack, ece, cwr;
  assign fin = seg.flags[FIN];
  assign syn = seg.flags[SYN];
  assign rst = seg.flags[RST];
  assign ack = seg.flags[ACK];
  assign ece = seg.flags[ECE];
  assign cwr = seg.flags[CWR];

  // Differences modulo 2^32; their top bit says "less than".
  logic [31:0] seq_off;       // SEG.SEQ - RCV.NXT
  logic [31:0] end_off;       // SEG.SEQ + octets of text - RCV.NXT: where a FIN is
  logic [31:0] last_off;      // last octet of the segment - RCV.NXT
  logic [16:0] seg_len;       // SEG.LEN of a segment without SYN
  assign seq_off      = seg.seq - tcb.rcv_nxt;
  assign end_off      = seq_off + {16'd0, seg.payload};
  assign seg_len      = {1'b0, seg.payload} + {16'd0, fin};
  assign last_off     = seq_off + {15'd0, seg_len} - 32'd1;
  assign una_less_ack = tcb.snd_una - seg.ack;
  assign nxt_less_ack = tcb.snd_nxt - seg.ack;
  assign ts_age       = seg.tsval - tcb.ts_recent;
  assign ts_step      = tcb.ts_recent - seg.tsval;
  assign nxt_less_seq = tcb.rcv_nxt - seg.seq;
  assign nxt_less_end = nxt_less_seq - {16'd0, seg.payload};
  assign seq_less_una = seg.seq - tcb.snd_una;
  assign seq_less_nxt = seg.seq - tcb.snd_nxt;
  assign overdue_ms   = ms - tcb.deadline_ms;
  assign over_give_up_ms = ms - tcb.give_up_ms;

  // RFC 9293 3.10.7.4, first step: the four cases of table 6.
  logic first_in_window, last_in_window, acceptable;
  assign first_in_window = seq_off < tcb.rcv_wnd;
  assign last_in_window  = last_off < tcb.rcv_wnd;
  always_comb begin
    if (seg_len != 17'd0) acceptable = first_in_window || last_in_window;
    else if (tcb.rcv_wnd == 32'd0) acceptable = seq_off == 32'd0;
    else acceptable = first_in_window;
  end

  logic ack_acceptable;  // SND.UNA < SEG.ACK =< SND.NXT
  logic ack_all;         // SEG.ACK = SND.NXT: our FIN is acknowledged
  logic paws_old;        // RFC 7323 5.3 R1: SEG.TSval < TS.Recent
  logic ts_missing;      // RFC 7323 3.2: negotiated, but absent
  logic ts_update;       // RFC 7323 4.3 (2), with Last.ACK.sent = RCV.NXT
  assign ack_acceptable = una_less_ack[31] && !nxt_less_ack[31];
  assign ack_all        = seg.ack == tcb.snd_nxt;
  assign paws_old       = tcb.ts_ok && seg.ts_ok && ts_age[31];
  assign ts_missing     = tcb.ts_ok && !seg.ts_ok && !ts_relaxed;
  assign ts_update      = tcb.ts_ok && seg.ts_ok && !ts_age[31] && !nxt_less_seq[31];

  // RFC 6191 2: a SYN that finds TIME-WAIT is of a new connection, by timestamp or by SEQ.
  logic tw_newer;
  always_comb begin
    if (tcb.ts_ok && seg.ts_ok)
      tw_newer = ts_step[31] || (seg.tsval == tcb.ts_recent && !seq_off[31]);
    else if (tcb.ts_ok) tw_newer = !seq_off[31];
    else tw_newer = seg.ts_ok || !seq_off[31];
  end

  // Hit: the op names a live entry. An op that hits nothing is judged by its listener.
  logic listener_offload, with_body;
  assign listener_offload = listener_found && !listener_bypass;
  assign with_body = command_status == `HF_STATUS_OK && (command == `HF_COMMAND_CONNECT ||
                     command == `HF_COMMAND_CLOSE || command == `HF_COMMAND_ADOPT);
  always_comb begin
    if (valid) begin
      hit = 1'b0;
      case (op)
        `HF_OP_SEGMENT, `HF_OP_ICMP: hit = key_match && tcb.state != `HF_STATE_CLOSED;
        `HF_OP_COMMAND: begin
          if (with_body) hit = key_match;
          else if (command_status == `HF_STATUS_OK && command == `HF_COMMAND_DUMP) hit = slot_exists;
          else hit = id_match;
          if (tcb.state == `HF_STATE_CLOSED) hit = 1'b0;
        end
        `HF_OP_TIMEOUT: hit = tcb.timer_armed && !overdue_ms[23];
      endcase

      state_before = `HF_STATE_CLOSED;
      if (hit) state_before = tcb.state;
      else if (op == `HF_OP_SEGMENT && listener_offload) state_before = `HF_STATE_LISTEN;
    end else begin
      hit = 'x;
      state_before = 'x;
    end
  end

  assign listener_syn = op == `HF_OP_SEGMENT && !hit && listener_offload && syn && !ack && !rst && !fin;

  // ---- SYN cookies (RFC 4987 3.6): what a listener sent is in the peer's ACK ----

  // The number is key (1 bit), epoch modulo 4 (2 bits), MSS class (3 bits) and MAC (26 bits).
  logic [23:0] epoch, since_sent;
  logic [1:0]  cookie_age;
  logic        cookie_live, cookie_good;
  logic [2:0]  new_class;
  logic [15:0] class_mss;
  logic [5:0]  memory;           // what the TSval of a cookie remembers: ECN, SACK, window shift
  assign epoch         = seg.stamp[59:36];
  assign since_sent    = epoch - listener_epoch;
  assign cookie_live   = listener_sent && since_sent <= {22'd0, cookie_lifetime};
  assign cookie_number = seg.ack - seg.seq;
  assign cookie_age    = epoch[1:0] - cookie_number[30:29];
  assign cookie_good   = cookie_age <= cookie_lifetime && cookie_number[25:0] == mac;
  assign memory        = seg.tsecr[5:0];

  cookie_mss u_mss (.mss(new_mss), .to_class(new_class), .from_class(cookie_number[28:26]), .octets(class_mss));

  // Does this SYN get a cookie instead of an entry?
  logic over_backlog, full, send_cookie;
  assign over_backlog = listener_half_open >= listener_backlog;
  assign full         = over_backlog || over_high || !insertable;
  assign send_cookie  = !hit && (cookie_mode[1] || (cookie_mode[0] && (full || cookie_on)));

  // ---- values that an entry takes from a SYN, or from the ACK of a cookie ----

  logic [15:0] peer_mss, cap_mss, capped_mss, new_mss;  // RFC 9293 3.7.1: 536, over IPv6 1220, without the option
  logic [31:0] clock_iss, new_iss;                      // RFC 6528 3: 4.096 us clock + F
  logic [3:0]  new_wscale;                              // RFC 7323 2.3: at most 14
  logic [15:0] first_rto_ms;                            // RFC 6298 2.1, 2.5
  always_comb begin
    if (!syn) peer_mss = class_mss;
    else if (seg.mss_ok) peer_mss = seg.mss;
    else peer_mss = seg.ip6 ? 16'd1220 : 16'd536;
  end
  assign cap_mss    = seg.ip6 ? our_mss6 : our_mss;
  assign capped_mss = peer_mss < cap_mss ? peer_mss : cap_mss;
  assign new_mss    = capped_mss > mss_floor ? capped_mss : mss_floor;
  assign new_wscale = our_wscale == 4'd15 ? 4'd14 : our_wscale;
  always_comb begin
    first_rto_ms = syn_rto_ms < syn_rto_max_ms ? syn_rto_ms : syn_rto_max_ms;
    if (first_rto_ms == 16'd0) first_rto_ms = 16'd1;
  end

  // RFC 9293 3.6.1, MAY-2: over a TIME-WAIT the ISS is beyond what the old connection used.
  assign clock_iss    = seg.stamp[43:12] + isn[31:0];
  assign nxt_less_iss = tcb.snd_nxt - clock_iss;
  assign new_iss      = hit && !nxt_less_iss[31] ? tcb.snd_nxt + 32'd65536 : clock_iss;

  // RFC 9293 3.10.7.2, third: the entry of a SYN that a listener accepts. Security and precedence are not
  // checked (obsolete); text on the SYN is not kept, the peer sends it again (3.4, ACK = IRS+1).
  // Of a SYN that gets a cookie the same, but it is only there for the SYN-ACK: nothing keeps it. Of a segment
  // without SYN: the entry that a cookie brings back. Addresses and ports come from the tuple, below.
  logic new_ts, remembers;   // timestamps are used; and so the options' memory is there if it must be
  tcb_t opened;
  assign new_ts    = seg.ts_ok && listener_opts[OPT_TS];
  assign remembers = new_ts || (syn && !send_cookie);
  always_comb begin
    if (valid) begin
      opened             = '0;
      opened.generation  = tcb.generation + 16'd1;
      opened.listener    = listener_index;
      opened.remote_mac  = seg.src_mac;
      opened.vlan_tags   = seg.vlan_tags;
      opened.vlan_svlan  = seg.vlan_svlan;
      opened.vlan_outer  = seg.vlan_outer;
      opened.vlan_inner  = seg.vlan_inner;
      opened.rcv_wnd     = {2'd0, our_rcv_wnd};
      opened.mss         = new_mss;
      opened.rto_ms      = syn_rto_ms;
      // RFC 7323 5.4: an offset for each connection.
      if (new_ts && !ts_offset_off) opened.ts_offset = isn[63:32];
      opened.ts_ok       = new_ts;
      if (syn) begin
        opened.state       = `HF_STATE_SYN_RECEIVED;
        opened.iss         = send_cookie ? seg.seq + {mac_key, epoch[1:0], new_class, mac} : new_iss;
        opened.snd_una     = new_iss;
        opened.snd_nxt     = new_iss + 32'd1;
        opened.irs         = seg.seq;
        opened.rcv_nxt     = seg.seq + 32'd1;
        opened.snd_wscale  = seg.ws;
        opened.ws_ok       = seg.ws_ok;                        // RFC 7323 2.2: scaling only if the SYN offered it
        opened.sack_ok     = seg.sack_ok;                      // RFC 2018 2
        opened.ecn_ok      = ece && cwr;                       // RFC 3168 6.1.1
        opened.ts_recent   = seg.ts_ok ? seg.tsval : 32'd0;    // RFC 7323 4.3
        opened.sent_ms     = ms;
        opened.timer_armed = 1'b1;
        opened.deadline_ms = ms + {8'd0, first_rto_ms};
      end else begin
        opened.state       = `HF_STATE_ESTABLISHED;
        opened.iss         = seg.ack - 32'd1;
        opened.snd_una     = seg.ack;
        opened.snd_nxt     = seg.ack;
        opened.irs         = seg.seq - 32'd1;
        opened.rcv_nxt     = seg.seq;
        opened.snd_wscale  = memory[3:0];
        opened.ws_ok       = memory[3:0] != 4'd15;
        opened.sack_ok     = memory[4];
        opened.ecn_ok      = memory[5];
        opened.ts_recent   = new_ts ? seg.tsval : 32'd0;
      end
      opened.ws_ok   = opened.ws_ok && remembers && listener_opts[OPT_WS];
      opened.sack_ok = opened.sack_ok && remembers && listener_opts[OPT_SACK];
      opened.ecn_ok  = opened.ecn_ok && remembers && ecn;
      if (!opened.ws_ok) opened.snd_wscale = 4'd0;
      if (opened.ws_ok) opened.rcv_wscale = new_wscale;
      opened.snd_wnd = syn ? {16'd0, seg.wnd} : {16'd0, seg.wnd} << opened.snd_wscale;  // RFC 7323 2.2: not of a SYN
    end else begin
      opened = 'x;
    end
  end

  // ---- timers ----

  // RFC 6298 5.5: the doubled timeout of the next retransmission; 2.5: the cap. RFC 9293 3.8.3: R2 comes first,
  // but a passive open counts its retransmissions instead.
  logic        counts_retries;
  logic [4:0]  next_retries;
  logic [31:0] doubled_ms;
  logic [15:0] next_rto_ms;
  logic [23:0] next_deadline_ms, bounded_ms;
  assign counts_retries   = tcb.state == `HF_STATE_SYN_RECEIVED && !tcb.active;
  assign next_retries     = {1'b0, tcb.retries} + 5'd1;
  assign doubled_ms       = {16'd0, tcb.rto_ms} << next_retries;
  always_comb begin
    next_rto_ms = doubled_ms < {16'd0, syn_rto_max_ms} ? doubled_ms[15:0] : syn_rto_max_ms;
    if (next_rto_ms == 16'd0) next_rto_ms = 16'd1;
  end
  assign next_deadline_ms = ms + {8'd0, next_rto_ms};
  assign to_give_up       = tcb.give_up_ms - next_deadline_ms;
  assign bounded_ms       = !counts_retries && to_give_up[23] ? tcb.give_up_ms : next_deadline_ms;

  // RFC 5961 7: so many challenge ACKs in each window of time.
  logic        challenge_allowed;
  logic [23:0] challenge_age;
  logic        challenge_first;   // of its window
  assign challenge_age     = ms - tcb.chal_ms;
  assign challenge_first   = challenge_age >= {8'd0, challenge_ms} || tcb.chal_count == 4'd0;
  assign challenge_allowed = challenge_first ? challenge_limit != 4'd0 : tcb.chal_count < challenge_limit;

  // ---- CONNECT, CLOSE, ADOPT ----

  logic [7:0]              body_status;
  logic [`HF_TCB_BITS-1:0] body_entry;

  tcp_command u_command (
    .valid(valid && op == `HF_OP_COMMAND), .command(command), .body(command_body), .tuple(tuple), .mixed(command_mixed), .isn(isn),
    .entry(entry), .hit(hit), .insertable(insertable), .ms(ms), .clock_4us(clock_4us),
    .ts_offset_off(ts_offset_off), .ecn(ecn), .syn_rto_ms(syn_rto_ms), .syn_rto_max_ms(syn_rto_max_ms),
    .connect_ms(connect_ms), .close_ms(close_ms), .our_rcv_wnd(our_rcv_wnd), .our_wscale(our_wscale),
    .status(body_status), .entry_after(body_entry));

  // ---- the decision ----

  // What becomes of the entry, if the op goes through and does not free it.
  typedef enum logic [3:0] {
    KEEP, OPEN, TAKE_BODY, ANSWER, COMPLETE, REPEAT_SYN, RESTART, CLOSE_STEP, CHALLENGE, RETRY, DISARM
  } become_t;
  become_t become;

  logic [2:0] want;           // HF_SEND_*
  tcb_t  tcb_new;
  logic [3:0] closing_state;  // CLOSE_STEP: the next state
  logic  new_write, new_free, new_reset;
  logic  passive_open;        // the SYN may become a connection: judged below
  logic  challenge;           // a challenge ACK, if its limit allows
  logic  closing_fin;         // the peer's FIN, in order
  logic  new_open, new_clamp, new_limited;
  logic  new_cookie;          // the SYN is answered by a cookie
  logic  new_back;            // a cookie came back
  logic  missed;              // the segment may belong to a connection that only the host knows
  logic [7:0] new_event;
  logic [1:0] new_verdict;
  logic [4:0] new_cause;

  // First what the op would do, given room; a segment without room is dropped below.
  always_comb begin
    if (valid) begin
      want         = `HF_SEND_NOTHING;
      become       = KEEP;
      closing_state = tcb.state;
      new_write    = 1'b0;
      new_free     = 1'b0;
      new_reset    = 1'b0;
      passive_open = 1'b0;
      challenge    = 1'b0;
      closing_fin  = 1'b0;
      new_open     = 1'b0;
      new_clamp    = 1'b0;
      new_limited  = 1'b0;
      new_cookie   = 1'b0;
      new_back     = 1'b0;
      missed       = 1'b0;
      new_event    = `HF_EVENT_NONE;
      new_verdict  = `HF_VERDICT_NONE;
      new_cause    = `HF_CAUSE_NONE;
      completion   = 1'b0;
      new_id       = 1'b0;
      status       = `HF_STATUS_OK;
      cnt_retransmit = 1'b0;
      cnt_timeout    = 1'b0;
      cnt_icmp_hard  = 1'b0;
      cnt_evict_host = 1'b0;
      cnt_evict_time_wait = 1'b0;
      cnt_connect    = 1'b0;
      cnt_close      = 1'b0;
      cnt_command    = 1'b0;
      cnt_cookie_bad = 1'b0;
      cnt_synack_limited = 1'b0;
      take_synack    = 1'b0;

      case (op)
        `HF_OP_SEGMENT: begin
          new_verdict = `HF_VERDICT_CONSUME;
          if (!hit) begin
            if (!listener_offload) begin
              // RFC 9293 3.10.7.1, CLOSED: the host's kernel answers, or has a listener of its own.
              new_verdict = `HF_VERDICT_HOST;
            end else if (syn ? rst || fin : !ack && !rst) begin
              // RFC 9293 3.10.7.2, fourth: nothing else can come; SYN with RST or FIN means nothing.
              new_verdict = `HF_VERDICT_DROP;
              new_cause   = `HF_CAUSE_BAD_FLAGS;
            end else if (rule_denies) begin
              new_verdict = `HF_VERDICT_DROP;
              new_cause   = `HF_CAUSE_DENIED;
            end else if (rst) begin
              // RFC 9293 3.10.7.2, first: ignored, where the table knows of all connections.
              if (cache_complete) begin
                new_verdict = `HF_VERDICT_DROP;
                new_cause   = `HF_CAUSE_NO_CONNECTION;
              end else begin
                missed = 1'b1;
              end
            end else if (ack && !syn && cookie_live && cookie_good) begin
              // RFC 4987 3.6: the ACK of a cookie is what its SYN would have become. The peer sends no
              // second one, so the event is told even if the table has no room.
              if (!host_alive) begin
                new_verdict = `HF_VERDICT_DROP;
                new_cause   = `HF_CAUSE_HOST_GONE;
              end else begin
                new_back  = 1'b1;
                new_write = insertable;
                new_event = `HF_EVENT_ESTABLISHED;
                become    = OPEN;
                if (seg_len != 17'd0) new_verdict = `HF_VERDICT_HOST;
              end
            end else if (ack) begin
              // RFC 9293 3.10.7.2, second: <SEQ=SEG.ACK><CTL=RST>, unless the host may hold the connection.
              cnt_cookie_bad = !syn && cookie_live;
              if (cache_complete) begin
                want   = `HF_SEND_RST_TO_ACK;
                become = OPEN;         // for the addresses of the RST
              end else begin
                missed = 1'b1;
              end
            end else if (rule_empty) begin
              new_verdict = `HF_VERDICT_DROP;
              new_cause   = `HF_CAUSE_SOURCE_LIMITED;
            end else begin
              passive_open = 1'b1;
            end
            if (listener_syn) become = OPEN;
          end else begin
            case (tcb.state)
              `HF_STATE_SYN_SENT: begin
                if (ack && !ack_acceptable) begin
                  // RFC 9293 3.10.7.3, first: <SEQ=SEG.ACK><CTL=RST> unless it is a RST; the open goes on.
                  if (rst) begin
                    new_verdict = `HF_VERDICT_DROP;
                    new_cause   = `HF_CAUSE_UNACCEPTABLE;
                  end else begin
                    want = `HF_SEND_RST_TO_ACK;
                  end
                end else if (rst && ack) begin
                  // RFC 9293 3.10.7.3, second: "error: connection reset".
                  new_write = 1'b1;
                  new_free  = 1'b1;
                  new_reset = 1'b1;
                  new_event = `HF_EVENT_REFUSED;
                end else if (rst || !syn) begin
                  // RFC 9293 3.10.7.3, second: a RST without ACK; fifth: neither SYN nor RST.
                  new_verdict = `HF_VERDICT_DROP;
                  new_cause   = `HF_CAUSE_UNACCEPTABLE;
                end else begin
                  // RFC 9293 3.10.7.3, fourth: ESTABLISHED, or without ACK (simultaneous open) SYN-RECEIVED.
                  new_write = 1'b1;
                  new_clamp = seg.ws_clamped;
                  become    = ANSWER;
                  want      = ack ? `HF_SEND_ACK : `HF_SEND_SYNACK;
                  if (ack) new_event = `HF_EVENT_ESTABLISHED;
                end
              end

              `HF_STATE_SYN_RECEIVED: begin
                if (rst) begin
                  if (seq_off == 32'd0) begin
                    // RFC 5961 3.2 case 2; RFC 9293 3.10.7.4, second: a passive open goes back to
                    // LISTEN, an active one was refused.
                    new_write = 1'b1;
                    new_free  = 1'b1;
                    new_reset = 1'b1;
                    if (tcb.active) new_event = `HF_EVENT_REFUSED;
                  end else if (first_in_window) begin
                    // RFC 5961 3.2 case 3: challenge ACK.
                    challenge = 1'b1;
                  end else begin
                    // RFC 5961 3.2 case 1.
                    new_verdict = `HF_VERDICT_DROP;
                    new_cause   = `HF_CAUSE_UNACCEPTABLE;
                  end
                end else if (syn) begin
                  if (!ack && !fin && seg.seq == tcb.irs) begin
                    // RFC 9293 3.8.1: the peer's SYN again, our SYN-ACK was lost: send it again, same ISS.
                    want      = `HF_SEND_SYNACK;
                    new_write = 1'b1;
                    become    = REPEAT_SYN;
                  end else if (ack && seg.seq == tcb.irs && tcb.active && ack_acceptable) begin
                    // RFC 9293 3.5, figure 7: the peer's SYN-ACK completes a simultaneous open. It waits
                    // for an ACK as we do, so it gets one.
                    want      = `HF_SEND_ACK;
                    new_write = 1'b1;
                    new_event = `HF_EVENT_ESTABLISHED;
                    become    = COMPLETE;
                  end else begin
                    // RFC 5961 4.2; RFC 9293 3.10.7.4, fourth: challenge ACK, whatever the SEQ.
                    challenge = 1'b1;
                  end
                end else if (!ack) begin
                  // RFC 9293 3.10.7.4, fifth: without ACK, drop.
                  new_verdict = `HF_VERDICT_DROP;
                  new_cause   = `HF_CAUSE_BAD_FLAGS;
                end else if (ts_missing) begin
                  // RFC 7323 3.2: a segment that lacks negotiated timestamps SHOULD be dropped.
                  new_verdict = `HF_VERDICT_DROP;
                  new_cause   = `HF_CAUSE_MISSING_TS;
                end else if (paws_old || !acceptable) begin
                  // RFC 7323 5.3 R1; RFC 9293 3.10.7.4, first.
                  challenge = 1'b1;
                end else if (!ack_acceptable) begin
                  // RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: <SEQ=SEG.ACK><CTL=RST>, the state stays.
                  want = `HF_SEND_RST_TO_ACK;
                end else begin
                  // RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: ESTABLISHED. URG, text and FIN (sixth to
                  // eighth) are the host's: it gets the frame after the event.
                  new_write = 1'b1;
                  new_event = `HF_EVENT_ESTABLISHED;
                  become    = COMPLETE;
                  if (seg_len != 17'd0) new_verdict = `HF_VERDICT_HOST;
                end
              end

              `HF_STATE_FIN_WAIT_1, `HF_STATE_FIN_WAIT_2, `HF_STATE_CLOSING, `HF_STATE_LAST_ACK,
              `HF_STATE_TIME_WAIT: begin
                if (tcb.state == `HF_STATE_TIME_WAIT && syn && !rst && !ack && !fin) begin
                  // RFC 9293 3.10.7.4, fourth, TIME-WAIT; RFC 6191 2: a new connection may begin, for the
                  // host's kernel or for us; an old duplicate SYN is answered by an ACK.
                  if (!tw_newer) begin
                    challenge = 1'b1;
                  end else if (!listener_offload) begin
                    new_write   = 1'b1;
                    new_free    = 1'b1;
                    new_verdict = `HF_VERDICT_HOST;
                  end else begin
                    passive_open = 1'b1;
                  end
                end else if (!rst && !syn && ts_missing) begin
                  // RFC 7323 3.2. A SYN gets its challenge ACK whatever its timestamps are (RFC 5961 4.2).
                  new_verdict = `HF_VERDICT_DROP;
                  new_cause   = `HF_CAUSE_MISSING_TS;
                end else if (!rst && !syn && paws_old) begin
                  // RFC 7323 5.3 R1.
                  challenge = 1'b1;
                end else if (tcb.state == `HF_STATE_TIME_WAIT && fin && !rst && end_off == 32'hffffffff) begin
                  // RFC 9293 3.10.7.4, eighth, TIME-WAIT: the peer's FIN again, our ACK was lost: restart 2 MSL.
                  want      = `HF_SEND_ACK;
                  new_write = 1'b1;
                  become    = RESTART;
                end else if (!acceptable) begin
                  // RFC 9293 3.10.7.4, first.
                  if (rst) begin
                    new_verdict = `HF_VERDICT_DROP;
                    new_cause   = `HF_CAUSE_UNACCEPTABLE;
                  end else begin
                    challenge = 1'b1;
                  end
                end else if (rst && seq_off != 32'd0) begin
                  // RFC 5961 3.2 case 3.
                  challenge = 1'b1;
                end else if (rst && tcb.state == `HF_STATE_TIME_WAIT && !tw_rst_closes) begin
                  // RFC 1337 3, F1: a RST does not end TIME-WAIT.
                  new_verdict = `HF_VERDICT_DROP;
                  new_cause   = `HF_CAUSE_UNACCEPTABLE;
                end else if (rst) begin
                  // RFC 9293 3.10.7.4, second: CLOSED. The host is told, unless it knows of the end already.
                  new_write = 1'b1;
                  new_free  = 1'b1;
                  new_reset = 1'b1;
                  if (tcb.state == `HF_STATE_CLOSING || tcb.state == `HF_STATE_LAST_ACK)
                    new_event = `HF_EVENT_CLOSED;
                  else if (tcb.state != `HF_STATE_TIME_WAIT)
                    new_event = `HF_EVENT_RESET;
                end else if (syn) begin
                  // RFC 5961 4.2; RFC 9293 3.10.7.4, fourth.
                  challenge = 1'b1;
                end else if (!ack) begin
                  // RFC 9293 3.10.7.4, fifth.
                  new_verdict = `HF_VERDICT_DROP;
                  new_cause   = `HF_CAUSE_BAD_FLAGS;
                end else if (nxt_less_ack[31]) begin
                  // RFC 9293 3.10.7.4, fifth: acknowledges what was never sent.
                  challenge = 1'b1;
                end else if ((tcb.state == `HF_STATE_FIN_WAIT_1 || tcb.state == `HF_STATE_FIN_WAIT_2) &&
                             seg.payload != 16'd0 && nxt_less_end[31]) begin
                  // RFC 9293 3.6, MUST-12 and MAY-1: nobody will read this text, so the peer is told by a RST.
                  want      = `HF_SEND_RST_TO_ACK;
                  new_write = 1'b1;
                  new_free  = 1'b1;
                  new_event = `HF_EVENT_ABORTED;
                end else if ((tcb.state == `HF_STATE_FIN_WAIT_1 || tcb.state == `HF_STATE_FIN_WAIT_2) &&
                             fin && nxt_less_end[31]) begin
                  // RFC 9293 3.10.7.4, seventh: a FIN beyond a hole; a duplicate ACK asks for what is missing.
                  challenge = 1'b1;
                end else if (tcb.state == `HF_STATE_LAST_ACK && ack_all) begin
                  // RFC 9293 3.10.7.4, fifth, LAST-ACK: CLOSED.
                  new_write = 1'b1;
                  new_free  = 1'b1;
                  new_event = `HF_EVENT_CLOSED;
                end else begin
                  // RFC 9293 3.10.7.4, fifth (our FIN is acknowledged) and eighth (the peer's FIN).
                  closing_fin = fin && end_off == 32'd0 &&
                                (tcb.state == `HF_STATE_FIN_WAIT_1 || tcb.state == `HF_STATE_FIN_WAIT_2);
                  become = CLOSE_STEP;
                  if (closing_fin) want = `HF_SEND_ACK;
                  if ((closing_fin && (ack_all || tcb.state == `HF_STATE_FIN_WAIT_2)) ||
                      (tcb.state == `HF_STATE_CLOSING && ack_all)) begin
                    closing_state = `HF_STATE_TIME_WAIT;
                    new_event     = `HF_EVENT_CLOSED;
                  end else if (closing_fin) begin
                    closing_state = `HF_STATE_CLOSING;
                  end else if (tcb.state == `HF_STATE_FIN_WAIT_1 && ack_all) begin
                    closing_state = `HF_STATE_FIN_WAIT_2;
                  end
                  new_write = closing_fin || closing_state != tcb.state || (ack_all && tcb.snd_una != tcb.snd_nxt) ||
                              (ts_update && ts_age != 32'd0);
                end
              end

              // ESTABLISHED and CLOSE-WAIT: the host owns the connection; frames that were on the way when
              // it took over pass too.
              default: new_verdict = `HF_VERDICT_HOST;
            endcase
          end

          if (passive_open) begin
            if (!host_alive) begin
              new_verdict = `HF_VERDICT_DROP;
              new_cause   = `HF_CAUSE_HOST_GONE;
            end else if (send_cookie) begin
              want       = `HF_SEND_SYNACK;
              new_cookie = 1'b1;
              become     = OPEN;
            end else if (over_backlog || (!hit && over_high)) begin
              // RFC 4987 2.2: the backlog is the limit of half-open connections.
              new_verdict = `HF_VERDICT_DROP;
              new_cause   = `HF_CAUSE_BACKLOG;
            end else if (!hit && !insertable) begin
              new_verdict = `HF_VERDICT_DROP;
              new_cause   = `HF_CAUSE_TABLE_FULL;
            end else begin
              // RFC 9293 3.10.7.2, third: LISTEN -> SYN-RECEIVED.
              want      = `HF_SEND_SYNACK;
              new_write = 1'b1;
              new_open  = 1'b1;
              new_clamp = seg.ws_clamped;
              become    = OPEN;
            end
          end

          if (missed) begin
            new_verdict = miss_token ? `HF_VERDICT_HOST : `HF_VERDICT_DROP;
            if (!miss_token) new_cause = `HF_CAUSE_HOST_LIMITED;
          end

          if (challenge) begin
            if (challenge_allowed) begin
              want      = `HF_SEND_ACK;
              new_write = 1'b1;
              become    = CHALLENGE;
            end else begin
              new_limited = 1'b1;
            end
          end
        end

        `HF_OP_ICMP: begin
          // RFC 9293 3.9.2.2; RFC 5927 4.1 and 6.1: a hard error ends an attempt that it can be about, and
          // nothing else.
          new_verdict = `HF_VERDICT_HOST;
          if (hit && seg.hard && (tcb.state == `HF_STATE_SYN_SENT || tcb.state == `HF_STATE_SYN_RECEIVED) &&
              !seq_less_una[31] && seq_less_nxt[31] && (!tcb.active || event_room)) begin
            new_write     = 1'b1;
            new_free      = 1'b1;
            cnt_icmp_hard = 1'b1;
            if (tcb.active) new_event = `HF_EVENT_UNREACHABLE;
          end
        end

        `HF_OP_TIMEOUT: begin
          if (hit) begin
            new_write = 1'b1;
            case (tcb.state)
              `HF_STATE_SYN_SENT, `HF_STATE_SYN_RECEIVED, `HF_STATE_FIN_WAIT_1, `HF_STATE_CLOSING,
              `HF_STATE_LAST_ACK: begin
                if (counts_retries ? tcb.retries >= synack_retries : !over_give_up_ms[23]) begin
                  // RFC 9293 3.8.3 (R2): give up. The peer's next segment will find no connection.
                  new_free    = 1'b1;
                  cnt_timeout = 1'b1;
                  if (!counts_retries) new_event = `HF_EVENT_TIMED_OUT;
                end else begin
                  // RFC 6298 5.4 to 5.6: send again, double the timeout. RFC 9293 3.8.3 (R1): say so, once.
                  // A SYN-ACK beyond SYNACK_LIMIT is left out; its turn is over all the same.
                  cnt_retransmit = 1'b1;
                  become         = RETRY;
                  if (!counts_retries && tcb.retries == 4'd2) new_event = `HF_EVENT_RETRYING;
                  if (counts_retries && !synack_token) begin
                    cnt_retransmit     = 1'b0;
                    cnt_synack_limited = 1'b1;
                  end else if (tcb.state == `HF_STATE_SYN_SENT || tcb.state == `HF_STATE_SYN_RECEIVED) begin
                    take_synack = counts_retries;
                    want        = tcb.state == `HF_STATE_SYN_SENT ? `HF_SEND_SYN : `HF_SEND_SYNACK;
                  end else begin
                    want        = `HF_SEND_FIN;
                  end
                end
              end
              `HF_STATE_FIN_WAIT_2: begin
                // Beyond RFC 9293: a peer that never closes does not hold the entry for ever.
                new_free  = 1'b1;
                new_event = `HF_EVENT_CLOSED;
              end
              // RFC 9293 3.10.8, TIME-WAIT timeout.
              `HF_STATE_TIME_WAIT: new_free = 1'b1;
              // No other state has a timer; disarm what should not be armed.
              default: become = DISARM;
            endcase
          end
        end

        `HF_OP_COMMAND: begin
          completion = 1'b1;
          if (command_status != `HF_STATUS_OK) begin
            // A malformed message: only its COMPLETION.
            status = command_status;
          end else begin
            cnt_command = 1'b1;
            if (with_body) begin
              // RFC 9293 3.10.1, active OPEN; 3.10.4, CLOSE; ADOPT.
              status = body_status;
              if (body_status == `HF_STATUS_OK) begin
                new_write   = 1'b1;
                new_id      = 1'b1;
                become      = TAKE_BODY;
                cnt_connect = command == `HF_COMMAND_CONNECT;
                cnt_close   = command == `HF_COMMAND_CLOSE;
                if (cnt_connect) want = `HF_SEND_SYN;
                if (cnt_close) want = `HF_SEND_FIN;
                cnt_evict_time_wait = !hit && victim && tcb.state == `HF_STATE_TIME_WAIT;
                cnt_evict_host      = !hit && victim && tcb.state != `HF_STATE_TIME_WAIT;
              end
            end else if (!hit) begin
              status = `HF_STATUS_STALE;
            end else if (command == `HF_COMMAND_DUMP) begin
              completion = 1'b0;
              new_event  = `HF_EVENT_DUMP;
            end else if (command == `HF_COMMAND_ABORT) begin
              // RFC 9293 3.10.5, ABORT: <SEQ=SND.NXT><CTL=RST>, delete the TCB.
              new_write = 1'b1;
              new_free  = 1'b1;
              case (tcb.state)
                `HF_STATE_SYN_RECEIVED, `HF_STATE_ESTABLISHED, `HF_STATE_FIN_WAIT_1, `HF_STATE_FIN_WAIT_2,
                `HF_STATE_CLOSE_WAIT: want = `HF_SEND_ABORT;
                default: ;
              endcase
            end else if (tcb.state == `HF_STATE_ESTABLISHED || tcb.state == `HF_STATE_CLOSE_WAIT) begin
              // RELEASE: the host answers for the connection from its own table.
              new_write = 1'b1;
              new_free  = 1'b1;
            end else begin
              status = `HF_STATUS_NOT_OWNER;
            end
          end
        end
      endcase
    end else begin
      want = 'x;
      become = KEEP;
      closing_state = 'x;
      new_write = 'x;
      new_free = 'x;
      new_reset = 'x;
      passive_open = 'x;
      challenge = 'x;
      closing_fin = 'x;
      new_open = 'x;
      new_clamp = 'x;
      new_limited = 'x;
      new_cookie = 'x;
      new_back = 'x;
      missed = 'x;
      new_event = 'x;
      new_verdict = 'x;
      new_cause = 'x;
      completion = 'x;
      new_id = 'x;
      status = 'x;
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
      take_synack = 'x;
    end
  end

  // The entry after. Who the connection is between is never changed in an entry, only with it.
  tuple_t names;
  tcb_t   fresh;
  logic   negotiated_ws, negotiated_ts;   // in our SYN and in the peer's
  assign names         = tuple;
  assign negotiated_ws = tcb.ws_ok && seg.ws_ok;
  assign negotiated_ts = tcb.ts_ok && seg.ts_ok;
  always_comb begin
    if (valid) begin
      fresh             = become == TAKE_BODY ? body_entry : opened;
      fresh.ip6         = names.ip6;
      fresh.remote_addr = names.remote_addr;
      fresh.local_addr  = names.local_addr;
      fresh.remote_port = names.remote_port;
      fresh.local_port  = names.local_port;

      tcb_new = become == OPEN || become == TAKE_BODY ? fresh : tcb;
      case (become)
        ANSWER: begin
          // RFC 9293 3.10.7.3, fourth: SYN-SENT after the peer's SYN, with or without an ACK. What we offered is
          // negotiated if the peer offers it too.
          tcb_new.state      = ack ? `HF_STATE_ESTABLISHED : `HF_STATE_SYN_RECEIVED;
          tcb_new.irs        = seg.seq;
          tcb_new.rcv_nxt    = seg.seq + 32'd1;
          tcb_new.snd_wnd    = {16'd0, seg.wnd};  // RFC 7323 2.2
          tcb_new.mss        = new_mss;
          tcb_new.ws_ok      = negotiated_ws;
          tcb_new.snd_wscale = negotiated_ws ? seg.ws : 4'd0;
          tcb_new.rcv_wscale = negotiated_ws ? tcb.rcv_wscale : 4'd0;
          tcb_new.ts_ok      = negotiated_ts;
          tcb_new.ts_recent  = seg.ts_ok ? seg.tsval : 32'd0;
          tcb_new.ts_offset  = negotiated_ts ? tcb.ts_offset : 32'd0;
          tcb_new.sack_ok    = tcb.sack_ok && seg.sack_ok;
          tcb_new.ecn_ok     = tcb.ecn_ok && ece && cwr != ack;  // RFC 3168 6.1.1: ECE alone accepts, both offer
          if (ack) begin
            tcb_new.snd_una     = seg.ack;
            tcb_new.timer_armed = 1'b0;
            tcb_new.deadline_ms = 24'd0;
          end
        end
        COMPLETE: begin
          // RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: our SYN is acknowledged.
          tcb_new.state       = `HF_STATE_ESTABLISHED;
          tcb_new.snd_una     = seg.ack;
          tcb_new.snd_wnd     = syn ? {16'd0, seg.wnd} : {16'd0, seg.wnd} << tcb.snd_wscale;  // RFC 7323 2.2, 2.3
          tcb_new.timer_armed = 1'b0;
          tcb_new.deadline_ms = 24'd0;
          if (ts_update) tcb_new.ts_recent = seg.tsval;
        end
        REPEAT_SYN: begin
          tcb_new.syn_lost = 1'b1;
          if (tcb.ts_ok && seg.ts_ok && !ts_age[31]) tcb_new.ts_recent = seg.tsval;  // RFC 7323 4.3
        end
        RESTART: tcb_new.deadline_ms = ms + {2'd0, time_wait_ms};
        CLOSE_STEP: begin
          tcb_new.state = closing_state;
          if (ack_all) tcb_new.snd_una = tcb.snd_nxt;
          if (ts_update) tcb_new.ts_recent = seg.tsval;
          if (closing_fin) tcb_new.rcv_nxt = tcb.rcv_nxt + 32'd1;
          if (closing_state != tcb.state && closing_state == `HF_STATE_TIME_WAIT)
            tcb_new.deadline_ms = ms + {2'd0, time_wait_ms};
          if (closing_state != tcb.state && closing_state == `HF_STATE_FIN_WAIT_2)
            tcb_new.deadline_ms = ms + {2'd0, fin_wait_2_ms};
        end
        CHALLENGE: begin
          // RFC 5961 7: so many in each window of time.
          if (challenge_first) tcb_new.chal_ms = ms;
          tcb_new.chal_count = challenge_first ? 4'd1 : tcb.chal_count + 4'd1;
        end
        RETRY: begin
          tcb_new.retries     = next_retries[4] ? 4'd15 : next_retries[3:0];
          tcb_new.deadline_ms = bounded_ms;
          if (want == `HF_SEND_SYN || want == `HF_SEND_SYNACK) begin
            tcb_new.syn_lost = 1'b1;
            tcb_new.sent_ms  = ms;
          end
        end
        DISARM: tcb_new.timer_armed = 1'b0;
        default: ;
      endcase
    end else begin
      fresh = 'x;
      tcb_new = 'x;
    end
  end

  // Without room for what it sends, a segment changes nothing: the peer will send it again.
  // Commands and timeouts are not issued without room; an ICMP error has looked for it above.
  logic no_reply_room, no_token, no_event_room, go;
  always_comb begin
    if (valid) begin
      no_reply_room = want != `HF_SEND_NOTHING && !reply_room;
      no_token      = want == `HF_SEND_RST_TO_ACK && !rst_token;
      no_event_room = new_event != `HF_EVENT_NONE && !event_room;
      go = !no_reply_room && !no_token && !no_event_room;

      verdict = new_verdict;
      cause   = new_cause;
      if (op == `HF_OP_SEGMENT && !go) begin
        verdict = `HF_VERDICT_DROP;
        if (no_reply_room) cause = `HF_CAUSE_REPLY_FULL;
        else if (no_token) cause = `HF_CAUSE_RST_LIMITED;
        else cause = `HF_CAUSE_EVENT_FULL;
      end

      write       = new_write && go;
      free        = new_free && go;
      insert      = (new_open || new_id || (new_back && insertable)) && !hit && !victim && go;
      send        = go ? want : `HF_SEND_NOTHING;
      event_code  = go ? new_event : `HF_EVENT_NONE;
      cookie      = new_cookie && go;
      take_rst    = want == `HF_SEND_RST_TO_ACK && go;
      take_miss   = missed && miss_token;
      event_cookie   = new_back && go;
      event_no_entry = new_back && !insertable;
      cache_clear    = cnt_evict_host || (event_cookie && event_no_entry) ||
                       (op == `HF_OP_COMMAND && command == `HF_COMMAND_ADOPT && status == `HF_STATUS_NO_ROOM);

      cnt_reset         = new_reset && go;
      cnt_syn_accepted  = new_open && go;
      cnt_tw_reused     = new_open && hit && go;
      cnt_ws_clamped    = new_clamp && go;
      cnt_challenge_limited = new_limited;
      cnt_opt_malformed = op == `HF_OP_SEGMENT && seg.opt_bad;
      cnt_tx_syn        = send == `HF_SEND_SYN;
      cnt_tx_synack     = send == `HF_SEND_SYNACK;
      cnt_tx_ack        = send == `HF_SEND_ACK;
      cnt_tx_fin        = send == `HF_SEND_FIN;
      cnt_tx_rst        = send == `HF_SEND_RST_TO_ACK || send == `HF_SEND_ABORT;
    end else begin
      no_reply_room = 'x;
      no_token = 'x;
      no_event_room = 'x;
      go = 'x;
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
      event_cookie = 'x;
      event_no_entry = 'x;
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
    end
  end

  // ---- the event ----

  // RFC 6298 3 (Karn): a SYN or SYN-ACK sent more than once gives no sample. 2.2: RTO = R + 4 * R/2, at
  // least 1 s; 5.7: 3 s after a lost SYN. A cookie does not know when it was sent.
  logic [23:0] sample_ms;
  logic [15:0] sample_capped;
  logic [17:0] sample_rto;
  assign sample_ms     = ms - tcb.sent_ms;
  assign sample_capped = sample_ms > 24'hfffe ? 16'hfffe : sample_ms[15:0];
  assign sample_rto    = {2'd0, sample_capped} + {1'b0, sample_capped, 1'b0};
  always_comb begin
    if (valid) begin
      rtt_ms = 16'hffff;
      rto_ms = tcb_new.rto_ms;
      if (new_event == `HF_EVENT_ESTABLISHED && !new_back) begin
        if (tcb.syn_lost) begin
          rto_ms = syn_rto_ms > 16'd3000 ? syn_rto_ms : 16'd3000;
        end else begin
          rtt_ms = sample_capped;
          if (sample_rto < 18'd1000) rto_ms = 16'd1000;
          else if (sample_rto > 18'd65535) rto_ms = 16'hffff;
          else rto_ms = sample_rto[15:0];
        end
      end
    end else begin
      rtt_ms = 'x;
      rto_ms = 'x;
    end
  end
endmodule
