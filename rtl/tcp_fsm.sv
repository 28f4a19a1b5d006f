// SPDX-License-Identifier: Apache-2.0
// tcp_fsm - what one op does to one connection: RFC 9293 for the passive open, as a pure function.
//
// What    RFC 9293 3.10.7 for LISTEN and SYN-RECEIVED, with RFC 5961 (RST, SYN), RFC 7323 (timestamps,
//         window scale), RFC 6528 (ISN), RFC 6298 (SYN-ACK timer). Every other state belongs to
//         the host, which gets its segments unread.
// Input   one op (a segment, an expired timer or a host command), the entry it read, the listener
//         its address and port found, and the configuration of this very cycle.
// Output  the entry after and whether it is written, inserted or freed; at most one reply frame
//         (regs/reply.def), at most one event; what becomes of the frame; what to count.
// Timing  combinational, no state. The engine evaluates it in T3 and registers all of it.
//
// Numbers compare modulo 2^32: a < b means that a - b has its top bit set (RFC 9293 3.4).
// `entry` of a miss is whatever its slot holds: only its generation is used then.
`include "handfast_defs.svh"
module tcp_fsm (
  // the op
  input  logic [1:0]                 op,             // OP code of regs/verdict.def
  input  logic [`HF_SEGMENT_BITS-1:0] segment,       // SEGMENT: regs/segment.def
  input  logic [63:0]                isn,            // SEGMENT: tuple_hash under KEY_ISN
  input  logic [7:0]                 command,        // COMMAND: its code
  input  logic [7:0]                 command_status, // COMMAND: STATUS_OK, or why the message is malformed

  // the entry
  input  logic [`HF_TCB_BITS-1:0]    entry,
  input  logic                       key_match,      // SEGMENT: tag, addresses and ports agree
  input  logic                       id_match,       // COMMAND: slot exists, generation agrees
  input  logic                       insertable,     // SEGMENT: no tag agrees, and a way is free

  // the listener
  input  logic                       listener_found,
  input  logic                       listener_bypass,
  input  logic [3:0]                 listener_index,
  input  logic [15:0]                listener_backlog,
  input  logic [15:0]                listener_half_open,
  input  logic [2:0]                 listener_opts,  // {TS, SACK, WS}

  // configuration and clock
  input  logic [31:0]                ms,
  input  logic                       host_alive,
  input  logic                       ts_offset_off,
  input  logic                       ts_relaxed,
  input  logic [15:0]                syn_rto_ms,
  input  logic [15:0]                syn_rto_max_ms,
  input  logic [3:0]                 synack_retries,
  input  logic [15:0]                our_mss,
  input  logic [15:0]                mss_floor,
  input  logic [29:0]                our_rcv_wnd,
  input  logic [3:0]                 our_wscale,
  input  logic                       reply_room,
  input  logic                       event_room,

  // what became of the entry
  output logic                       hit,
  output logic [3:0]                 state_before,   // of the entry, or LISTEN, or CLOSED
  output logic [`HF_TCB_BITS-1:0]    entry_after,
  output logic                       write,          // entry_after goes into the table
  output logic                       insert,         // it takes a free slot
  output logic                       free,           // it gives its slot back
  output logic                       half_open_leave,// it was in SYN-RECEIVED and is so no more

  // what leaves
  output logic [1:0]                 verdict,
  output logic [4:0]                 cause,
  output logic                       reply_valid,
  output logic [`HF_REPLY_BITS-1:0]  reply,
  output logic                       established,    // event ESTABLISHED
  output logic [31:0]                rtt_ms,         // of that event
  output logic [7:0]                 status,         // COMMAND: of its COMPLETION

  // what counts, beside verdict, cause, insert and established
  output logic                       cnt_opt_malformed,
  output logic                       cnt_ws_clamped,
  output logic                       cnt_retransmit,
  output logic                       cnt_timeout,
  output logic                       cnt_reset,
  output logic                       cnt_tx_synack,
  output logic                       cnt_tx_ack,
  output logic                       cnt_tx_rst,
  output logic                       cnt_command
);
  typedef struct packed { `HF_TCB_FIELDS } tcb_t;
  typedef struct packed { `HF_SEGMENT_FIELDS } segment_t;
  typedef struct packed { `HF_REPLY_FIELDS } reply_t;

  localparam int FIN = 0, SYN = 1, RST = 2, ACK = 4;
  localparam int OPT_WS = 0, OPT_SACK = 1, OPT_TS = 2;

  // What the parser and the mover keep in the descriptor (class, length ..) is not the engine's; of
  // a difference only the top bit is; of `names` only addresses. All else here is read in full.
  /* verilator lint_off UNUSEDSIGNAL */
  segment_t seg;
  tcb_t     names;              // whose addresses and ports the reply takes
  logic [31:0] una_less_ack;    // SND.UNA - SEG.ACK
  logic [31:0] nxt_less_ack;    // SND.NXT - SEG.ACK
  logic [31:0] ts_age;          // SEG.TSval - TS.Recent
  logic [31:0] nxt_less_seq;    // RCV.NXT - SEG.SEQ
  logic [23:0] overdue_ms;      // ms - deadline, modulo 2^24
  /* verilator lint_on UNUSEDSIGNAL */
  tcb_t     tcb, tcb_d;
  reply_t   reply_d;
  assign tcb = entry;
  assign seg = segment;
  assign entry_after = tcb_d;
  assign reply = reply_d;

  // ---- facts about the op and the entry, each of one subtraction or one comparison ----

  logic fin, syn, rst, ack;
  assign fin = seg.flags[FIN];
  assign syn = seg.flags[SYN];
  assign rst = seg.flags[RST];
  assign ack = seg.flags[ACK];

  // Differences modulo 2^32; their top bit says "less than".
  logic [31:0] seq_off;       // SEG.SEQ - RCV.NXT
  logic [31:0] last_off;      // last octet of the segment - RCV.NXT
  logic [16:0] seg_len;       // SEG.LEN of a segment without SYN
  assign seq_off      = seg.seq - tcb.rcv_nxt;
  assign seg_len      = {1'b0, seg.payload} + {16'd0, fin};
  assign last_off     = seq_off + {15'd0, seg_len} - 32'd1;
  assign una_less_ack = tcb.snd_una - seg.ack;
  assign nxt_less_ack = tcb.snd_nxt - seg.ack;
  assign ts_age       = seg.tsval - tcb.ts_recent;
  assign nxt_less_seq = tcb.rcv_nxt - seg.seq;
  assign overdue_ms   = ms[23:0] - tcb.deadline_ms;

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
  logic paws_old;        // RFC 7323 5.3 R1: SEG.TSval < TS.Recent
  assign ack_acceptable = una_less_ack[31] && !nxt_less_ack[31];
  assign paws_old       = tcb.ts_ok && seg.ts_ok && ts_age[31];

  // Hit: the op names a live entry. An op that hits nothing is judged by its listener.
  always_comb begin
    hit = 1'b0;
    case (op)
      `HF_OP_SEGMENT: hit = key_match && tcb.state != `HF_STATE_CLOSED;
      `HF_OP_COMMAND: hit = id_match && tcb.state != `HF_STATE_CLOSED;
      `HF_OP_TIMEOUT: hit = tcb.timer_armed && !overdue_ms[23];
      default: ;
    endcase

    state_before = `HF_STATE_CLOSED;
    if (hit) state_before = tcb.state;
    else if (op == `HF_OP_SEGMENT && listener_found && !listener_bypass) state_before = `HF_STATE_LISTEN;
  end

  // ---- values that a new entry takes ----

  logic [15:0] peer_mss, capped_mss, new_mss;  // RFC 9293 3.7.1: 536 without the option
  logic [31:0] new_iss;                        // RFC 6528 3: 4.096 us clock + F
  logic [3:0]  new_wscale;                     // RFC 7323 2.3: at most 14
  assign peer_mss   = seg.mss_ok ? seg.mss : 16'd536;
  assign capped_mss = peer_mss < our_mss ? peer_mss : our_mss;
  assign new_mss    = capped_mss > mss_floor ? capped_mss : mss_floor;
  assign new_iss    = seg.stamp[43:12] + isn[31:0];
  assign new_wscale = our_wscale == 4'd15 ? 4'd14 : our_wscale;

  // RFC 6298 2.1, 5.5: first timeout, and the doubled one of the next retransmission; 2.5: the cap.
  logic [3:0]  next_retries;
  logic [31:0] doubled_ms;
  logic [15:0] first_rto_ms, next_rto_ms;
  assign next_retries = tcb.retries + 4'd1;
  assign doubled_ms   = {16'd0, syn_rto_ms} << next_retries;
  assign first_rto_ms = syn_rto_ms < syn_rto_max_ms ? syn_rto_ms : syn_rto_max_ms;
  assign next_rto_ms  = doubled_ms < {16'd0, syn_rto_max_ms} ? doubled_ms[15:0] : syn_rto_max_ms;

  // RFC 6298 3 (Karn): a SYN-ACK sent more than once gives no sample.
  logic [23:0] sample_ms;
  assign sample_ms = ms[23:0] - tcb.sent_ms;
  assign rtt_ms    = tcb.syn_lost ? 32'hffffffff : {8'd0, sample_ms};

  // ---- the decision ----

  // The frame that a branch wants; it is built below, from the entry after.
  typedef enum logic [2:0] {
    SEND_NOTHING,
    SEND_SYNACK,
    SEND_ACK,
    SEND_RST_TO_ACK,  // <SEQ=SEG.ACK><CTL=RST>
    SEND_ABORT        // <SEQ=SND.NXT><CTL=RST>
  } send_t;
  send_t want;
  tcb_t  tcb_new;      // the entry after, if the op goes through
  logic  want_event;
  logic  new_write, new_insert, new_free, new_reset;
  logic [1:0] new_verdict;
  logic [4:0] new_cause;

  // First what the op would do, given room; a segment without room is dropped below.
  always_comb begin
    want        = SEND_NOTHING;
    want_event  = 1'b0;
    tcb_new     = tcb;
    new_write   = 1'b0;
    new_insert  = 1'b0;
    new_free    = 1'b0;
    new_reset   = 1'b0;
    new_verdict = `HF_VERDICT_NONE;
    new_cause   = `HF_CAUSE_NONE;
    status      = `HF_STATUS_OK;
    cnt_retransmit = 1'b0;
    cnt_timeout    = 1'b0;
    cnt_command    = 1'b0;

    case (op)
      `HF_OP_SEGMENT: begin
        new_verdict = `HF_VERDICT_CONSUME;
        if (!hit) begin
          if (!listener_found || listener_bypass) begin
            // RFC 9293 3.10.7.1, CLOSED: the host's kernel answers, or has a listener of its own.
            new_verdict = `HF_VERDICT_HOST;
          end else if (syn ? rst || fin : !ack && !rst) begin
            // RFC 9293 3.10.7.2, fourth: nothing else can come; SYN with RST or FIN means nothing.
            new_verdict = `HF_VERDICT_DROP;
            new_cause   = `HF_CAUSE_BAD_FLAGS;
          end else if (rst || ack) begin
            // RFC 9293 3.10.7.2, first and second. The segment may belong to a connection that
            // the host holds and the table does not: the host ignores the RST or resets the ACK.
            new_verdict = `HF_VERDICT_HOST;
          end else if (!host_alive) begin
            new_verdict = `HF_VERDICT_DROP;
            new_cause   = `HF_CAUSE_HOST_GONE;
          end else if (listener_half_open >= listener_backlog) begin
            // RFC 4987 2.2: the backlog is the limit of half-open connections.
            new_verdict = `HF_VERDICT_DROP;
            new_cause   = `HF_CAUSE_BACKLOG;
          end else if (!insertable) begin
            new_verdict = `HF_VERDICT_DROP;
            new_cause   = `HF_CAUSE_TABLE_FULL;
          end else begin
            // RFC 9293 3.10.7.2, third: LISTEN -> SYN-RECEIVED. Security and precedence are not
            // checked (obsolete); text on the SYN is not kept, the peer sends it again (3.4, ACK = IRS+1).
            want       = SEND_SYNACK;
            new_write  = 1'b1;
            new_insert = 1'b1;
            tcb_new             = '0;
            tcb_new.state       = `HF_STATE_SYN_RECEIVED;
            tcb_new.generation  = tcb.generation + 16'd1;
            tcb_new.listener    = listener_index;
            tcb_new.remote_addr = seg.src_addr;
            tcb_new.local_addr  = seg.dst_addr;
            tcb_new.remote_port = seg.src_port;
            tcb_new.local_port  = seg.dst_port;
            tcb_new.remote_mac  = seg.src_mac;
            tcb_new.iss         = new_iss;
            tcb_new.irs         = seg.seq;
            tcb_new.snd_una     = new_iss;
            tcb_new.snd_nxt     = new_iss + 32'd1;
            tcb_new.rcv_nxt     = seg.seq + 32'd1;
            tcb_new.snd_wnd     = {16'd0, seg.wnd};  // RFC 7323 2.2: a SYN's window is not scaled
            tcb_new.rcv_wnd     = {2'd0, our_rcv_wnd};
            tcb_new.mss         = new_mss;
            if (seg.ws_ok && listener_opts[OPT_WS]) begin
              // RFC 7323 2.2: scaling only if the SYN offered it.
              tcb_new.ws_ok      = 1'b1;
              tcb_new.snd_wscale = seg.ws;
              tcb_new.rcv_wscale = new_wscale;
            end
            if (seg.ts_ok && listener_opts[OPT_TS]) begin
              // RFC 7323 3.2, 4.3: TS.Recent from the SYN; 5.4: an offset for each connection.
              tcb_new.ts_ok     = 1'b1;
              tcb_new.ts_offset = ts_offset_off ? 32'd0 : isn[63:32];
            end
            tcb_new.ts_recent   = seg.ts_ok ? seg.tsval : 32'd0;
            tcb_new.sack_ok     = seg.sack_ok && listener_opts[OPT_SACK];  // RFC 2018 2
            tcb_new.sent_ms     = ms[23:0];
            tcb_new.timer_armed = 1'b1;
            tcb_new.deadline_ms = ms[23:0] + {8'd0, first_rto_ms};
          end
        end else if (tcb.state != `HF_STATE_SYN_RECEIVED) begin
          // The host owns the connection; frames that were on the way when it took over pass too.
          new_verdict = `HF_VERDICT_HOST;
        end else if (rst) begin
          if (seq_off == 32'd0) begin
            // RFC 5961 3.2 case 2; RFC 9293 3.10.7.4, second, passive open: back to LISTEN.
            new_write = 1'b1;
            new_free  = 1'b1;
            new_reset = 1'b1;
          end else if (first_in_window) begin
            // RFC 5961 3.2 case 3: challenge ACK.
            want = SEND_ACK;
          end else begin
            // RFC 5961 3.2 case 1.
            new_verdict = `HF_VERDICT_DROP;
            new_cause   = `HF_CAUSE_UNACCEPTABLE;
          end
        end else if (syn) begin
          if (!ack && !fin && seg.seq == tcb.irs) begin
            // RFC 9293 3.8.1: the peer's SYN again, our SYN-ACK was lost: send it again, same ISS.
            want             = SEND_SYNACK;
            new_write        = 1'b1;
            tcb_new.syn_lost = 1'b1;
            if (tcb.ts_ok && seg.ts_ok && !ts_age[31]) tcb_new.ts_recent = seg.tsval;  // RFC 7323 4.3
          end else begin
            // RFC 5961 4.2; RFC 9293 3.10.7.4, fourth: challenge ACK, whatever the SEQ.
            want = SEND_ACK;
          end
        end else if (!ack) begin
          // RFC 9293 3.10.7.4, fifth: without ACK, drop.
          new_verdict = `HF_VERDICT_DROP;
          new_cause   = `HF_CAUSE_BAD_FLAGS;
        end else if (tcb.ts_ok && !seg.ts_ok && !ts_relaxed) begin
          // RFC 7323 3.2: a segment that lacks negotiated timestamps SHOULD be dropped.
          new_verdict = `HF_VERDICT_DROP;
          new_cause   = `HF_CAUSE_MISSING_TS;
        end else if (paws_old) begin
          // RFC 7323 5.3 R1.
          want = SEND_ACK;
        end else if (!acceptable) begin
          // RFC 9293 3.10.7.4, first.
          want = SEND_ACK;
        end else if (!ack_acceptable) begin
          // RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: <SEQ=SEG.ACK><CTL=RST>, the state stays.
          want = SEND_RST_TO_ACK;
        end else begin
          // RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: ESTABLISHED. URG, text and FIN (sixth to
          // eighth) are the host's: it gets the frame after the event.
          want_event          = 1'b1;
          new_write           = 1'b1;
          tcb_new.state       = `HF_STATE_ESTABLISHED;
          tcb_new.snd_una     = seg.ack;
          tcb_new.snd_wnd     = {16'd0, seg.wnd} << tcb.snd_wscale;  // RFC 7323 2.3
          tcb_new.timer_armed = 1'b0;
          tcb_new.deadline_ms = 24'd0;
          // RFC 7323 4.3 (2), with Last.ACK.sent = RCV.NXT.
          if (tcb.ts_ok && seg.ts_ok && !nxt_less_seq[31]) tcb_new.ts_recent = seg.tsval;
          if (seg_len != 17'd0) new_verdict = `HF_VERDICT_HOST;
        end
      end

      `HF_OP_TIMEOUT: begin
        if (hit && tcb.state == `HF_STATE_SYN_RECEIVED) begin
          new_write = 1'b1;
          if (tcb.retries >= synack_retries) begin
            // RFC 9293 3.8.3 (R2): give up. The peer's next segment will find no connection.
            new_free    = 1'b1;
            cnt_timeout = 1'b1;
          end else begin
            // RFC 6298 5.4 to 5.6: send again, double the timeout.
            want                = SEND_SYNACK;
            cnt_retransmit      = 1'b1;
            tcb_new.retries     = next_retries;
            tcb_new.syn_lost    = 1'b1;
            tcb_new.sent_ms     = ms[23:0];
            tcb_new.deadline_ms = ms[23:0] + {8'd0, next_rto_ms};
          end
        end else if (hit) begin
          // No other state has a timer here; disarm what should not be armed.
          new_write           = 1'b1;
          tcb_new.timer_armed = 1'b0;
        end
      end

      `HF_OP_COMMAND: begin
        if (command_status != `HF_STATUS_OK) begin
          // A malformed message: only its COMPLETION.
          status = command_status;
        end else begin
          cnt_command = 1'b1;
          if (!hit) begin
            status = `HF_STATUS_STALE;
          end else if (command == `HF_COMMAND_ABORT) begin
            // RFC 9293 3.10.5, ABORT: <SEQ=SND.NXT><CTL=RST>, delete the TCB.
            want      = SEND_ABORT;
            new_write = 1'b1;
            new_free  = 1'b1;
          end else if (tcb.state == `HF_STATE_ESTABLISHED) begin
            // RELEASE: the host answers for the connection from its own table.
            new_write = 1'b1;
            new_free  = 1'b1;
          end else begin
            status = `HF_STATUS_NOT_OWNER;
          end
        end
      end

      default: ;
    endcase

    if (new_free) begin
      // A free slot keeps nothing but how often it was used.
      tcb_new            = '0;
      tcb_new.generation = tcb.generation;
    end
  end

  // Without room for what it sends, a segment changes nothing: the peer will send it again.
  // Commands and timeouts are not issued without room.
  logic no_reply_room, no_event_room, go;
  always_comb begin
    no_reply_room = want != SEND_NOTHING && !reply_room;
    no_event_room = want_event && !event_room;
    go = !no_reply_room && !no_event_room;

    verdict = new_verdict;
    cause   = new_cause;
    if (op == `HF_OP_SEGMENT && !go) begin
      verdict = `HF_VERDICT_DROP;
      cause   = no_reply_room ? `HF_CAUSE_REPLY_FULL : `HF_CAUSE_EVENT_FULL;
    end

    tcb_d       = tcb_new;
    write       = new_write && go;
    insert      = new_insert && go;
    free        = new_free && go;
    established = want_event && go;
    reply_valid = want != SEND_NOTHING && go;
    half_open_leave = hit && tcb.state == `HF_STATE_SYN_RECEIVED && (free || established);

    cnt_reset         = new_reset && go;
    cnt_ws_clamped    = insert && seg.ws_clamped;
    cnt_opt_malformed = op == `HF_OP_SEGMENT && seg.opt_bad;
    cnt_tx_synack     = reply_valid && want == SEND_SYNACK;
    cnt_tx_ack        = reply_valid && want == SEND_ACK;
    cnt_tx_rst        = reply_valid && (want == SEND_RST_TO_ACK || want == SEND_ABORT);
  end

  // ---- the reply ----

  // The connection's names: those of the entry, or of the SYN that makes it.
  assign names = new_insert ? tcb_new : tcb;

  logic [31:0] ack_wnd;  // RFC 7323 2.3: scaled, but never in a SYN
  assign ack_wnd = tcb.rcv_wnd >> tcb.rcv_wscale;

  always_comb begin
    reply_d          = '0;
    reply_d.dst_mac  = names.remote_mac;
    reply_d.src_addr = names.local_addr;
    reply_d.dst_addr = names.remote_addr;
    reply_d.src_port = names.local_port;
    reply_d.dst_port = names.remote_port;
    case (want)
      SEND_SYNACK: begin
        // <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>
        reply_d.seq        = tcb_new.iss;
        reply_d.ack        = tcb_new.rcv_nxt;
        reply_d.flags[SYN] = 1'b1;
        reply_d.flags[ACK] = 1'b1;
        reply_d.wnd        = tcb_new.rcv_wnd > 32'd65535 ? 16'hffff : tcb_new.rcv_wnd[15:0];
        reply_d.mss_en     = 1'b1;
        reply_d.mss        = our_mss;
        reply_d.sack_en    = tcb_new.sack_ok;
        reply_d.ts_en      = tcb_new.ts_ok;
        reply_d.tsval      = ms + tcb_new.ts_offset;
        reply_d.tsecr      = tcb_new.ts_recent;
        reply_d.ws_en      = tcb_new.ws_ok;
        reply_d.ws         = tcb_new.rcv_wscale;
      end
      SEND_ACK: begin
        // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>
        reply_d.seq        = tcb.snd_nxt;
        reply_d.ack        = tcb.rcv_nxt;
        reply_d.flags[ACK] = 1'b1;
        reply_d.wnd        = ack_wnd > 32'd65535 ? 16'hffff : ack_wnd[15:0];
        reply_d.ts_en      = tcb.ts_ok;
        reply_d.tsval      = ms + tcb.ts_offset;
        reply_d.tsecr      = tcb.ts_recent;
      end
      SEND_RST_TO_ACK: begin
        // RFC 7323 5.2: a RST carries timestamps if the segment it answers had them.
        reply_d.seq        = seg.ack;
        reply_d.flags[RST] = 1'b1;
        reply_d.ts_en      = seg.ts_ok;
        reply_d.tsecr      = seg.tsval;
      end
      SEND_ABORT: begin
        reply_d.seq        = tcb.snd_nxt;
        reply_d.flags[RST] = 1'b1;
      end
      default: ;
    endcase
  end
endmodule
