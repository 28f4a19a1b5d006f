// SPDX-License-Identifier: Apache-2.0
// formal/tcp_fsm - what must hold of tcp_fsm whatever the op, the entry and the configuration are.
//
// tcp_fsm is combinational, so one step is every step: all inputs are free but for the assumptions below, and
// what they assume of an entry in the table, `sequence`, `handed_over` and `freed` prove of every entry that
// is written. For Yosys only; tools/formal.sh proves each label by itself.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module formal_tcp_fsm (
  input  logic [1:0]                    op,
  input  logic [`HF_SEGMENT_BITS-1:0]   segment,
  input  logic [63:0]                   isn,
  input  logic [25:0]                   mac,
  input  logic                          mac_key,
  input  logic [7:0]                    command,
  input  logic [7:0]                    command_status,
  input  logic [`HF_BODY_BITS-1:0]      command_body,
  input  logic [`HF_TUPLE_BITS-1:0]     tuple,
  input  logic                          command_mixed,
  input  logic [`HF_TCB_BITS-1:0]       entry,
  input  logic                          key_match,
  input  logic                          slot_exists,
  input  logic                          id_match,
  input  logic                          insertable,
  input  logic                          victim,
  input  logic                          listener_found,
  input  logic                          listener_bypass,
  input  logic [3:0]                    listener_index,
  input  logic [15:0]                   listener_backlog,
  input  logic [15:0]                   listener_half_open,
  input  logic [2:0]                    listener_opts,
  input  logic                          listener_sent,
  input  logic [23:0]                   listener_epoch,
  input  logic                          rule_denies,
  input  logic                          rule_empty,
  input  logic [31:0]                   ms,
  input  logic [31:0]                   clock_4us,
  input  logic                          host_alive,
  input  logic                          ts_offset_off,
  input  logic                          ts_relaxed,
  input  logic                          tw_rst_closes,
  input  logic                          ecn,
  input  logic [15:0]                   syn_rto_ms,
  input  logic [15:0]                   syn_rto_max_ms,
  input  logic [3:0]                    synack_retries,
  input  logic [21:0]                   connect_ms,
  input  logic [21:0]                   close_ms,
  input  logic [21:0]                   fin_wait_2_ms,
  input  logic [21:0]                   time_wait_ms,
  input  logic [3:0]                    challenge_limit,
  input  logic [15:0]                   challenge_ms,
  input  logic [15:0]                   our_mss,
  input  logic [15:0]                   our_mss6,
  input  logic [15:0]                   mss_floor,
  input  logic [29:0]                   our_rcv_wnd,
  input  logic [3:0]                    our_wscale,
  input  logic [1:0]                    cookie_mode,
  input  logic [1:0]                    cookie_lifetime,
  input  logic                          cookie_on,
  input  logic                          over_high,
  input  logic                          cache_complete,
  input  logic                          rst_token,
  input  logic                          synack_token,
  input  logic                          miss_token,
  input  logic                          reply_room,
  input  logic                          event_room
);
  // What comes out: with the room there is, and (`free_`) with all the room there could be.
  logic hit;
  logic [3:0] state_before;
  logic [`HF_TCB_BITS-1:0] entry_after;
  logic write;
  logic insert;
  logic cookie;
  logic take_rst;
  logic take_synack;
  logic take_miss;
  logic cache_clear;
  logic free;
  logic listener_syn;
  logic [1:0] verdict;
  logic [4:0] cause;
  logic [2:0] send, room_send;
  logic reply_valid;
  logic [`HF_REPLY_BITS-1:0] reply;
  logic [7:0] event_code;
  logic event_cookie;
  logic event_no_entry;
  logic [15:0] rtt_ms;
  logic [15:0] rto_ms;
  logic completion;
  logic [7:0] status;
  logic new_id;
  logic cnt_opt_malformed;
  logic cnt_ws_clamped;
  logic cnt_syn_accepted;
  logic cnt_retransmit;
  logic cnt_timeout;
  logic cnt_reset;
  logic cnt_challenge_limited;
  logic cnt_cookie_bad;
  logic cnt_synack_limited;
  logic cnt_icmp_hard;
  logic cnt_tw_reused;
  logic cnt_evict_host;
  logic cnt_evict_time_wait;
  logic cnt_connect;
  logic cnt_close;
  logic cnt_tx_syn;
  logic cnt_tx_synack;
  logic cnt_tx_ack;
  logic cnt_tx_rst;
  logic cnt_tx_fin;
  logic cnt_command;
  logic        room_free, room_insert, room_write, room_reply_valid;
  logic [7:0] room_event_code;
  logic [`HF_TCB_BITS-1:0] room_entry_after;

  tcp_fsm dut (.*, .clk(1'b0), .first(1'b1), .valid(1'b1), .ms(ms[23:0]));
  tcp_fsm with_room (
    .clk(1'b0), .first(1'b1), .valid(1'b1), .op(op), .segment(segment), .isn(isn), .mac(mac), .mac_key(mac_key), .command(command), .command_status(command_status),
    .command_body(command_body), .tuple(tuple), .command_mixed(command_mixed), .entry(entry),
    .key_match(key_match), .slot_exists(slot_exists), .id_match(id_match), .insertable(insertable), .victim(victim),
    .listener_found(listener_found), .listener_bypass(listener_bypass), .listener_index(listener_index),
    .listener_backlog(listener_backlog), .listener_half_open(listener_half_open), .listener_opts(listener_opts),
    .listener_sent(listener_sent), .listener_epoch(listener_epoch), .rule_denies(rule_denies), .rule_empty(rule_empty),
    .cookie_mode(cookie_mode),
    .cookie_lifetime(cookie_lifetime), .cookie_on(cookie_on), .over_high(over_high), .cache_complete(cache_complete),
    .rst_token(rst_token), .synack_token(synack_token), .miss_token(miss_token),
    .ms(ms[23:0]), .clock_4us(clock_4us), .host_alive(host_alive), .ts_offset_off(ts_offset_off), .ts_relaxed(ts_relaxed),
    .tw_rst_closes(tw_rst_closes), .ecn(ecn), .syn_rto_ms(syn_rto_ms), .syn_rto_max_ms(syn_rto_max_ms),
    .synack_retries(synack_retries), .connect_ms(connect_ms), .close_ms(close_ms), .fin_wait_2_ms(fin_wait_2_ms),
    .time_wait_ms(time_wait_ms), .challenge_limit(challenge_limit), .challenge_ms(challenge_ms), .our_mss(our_mss),
    .our_mss6(our_mss6), .mss_floor(mss_floor), .our_rcv_wnd(our_rcv_wnd), .our_wscale(our_wscale),
    .reply_room(1'b1), .event_room(1'b1), .write(room_write), .free(room_free), .insert(room_insert),
    .send(room_send), .event_code(room_event_code), .entry_after(room_entry_after));

  typedef struct packed { `HF_TCB_FIELDS } tcb_t;
  typedef struct packed { `HF_SEGMENT_FIELDS } segment_t;
  typedef struct packed { `HF_REPLY_FIELDS } reply_t;
  typedef struct packed { `HF_BODY_FIELDS } body_t;
  localparam int FIN = 0, SYN = 1, RST = 2, ACK = 4, ECE = 6;

  tcb_t     before, after;
  segment_t seg;
  reply_t   sent;
  body_t    body;
  assign before = entry;
  assign after = entry_after;
  assign seg = segment;
  assign sent = reply;
  assign body = command_body;

  // The engine makes the frame a cycle later, of what its registers then hold.
  tcp_reply frame (
    .valid(1'b1), .send(send), .cookie(cookie), .entry(entry_after), .seg_ack(seg.ack), .seg_ts_ok(seg.ts_ok),
    .seg_tsval(seg.tsval), .ms(ms), .our_mss(our_mss), .our_mss6(our_mss6), .reply(reply));
  assign reply_valid = send != `HF_SEND_NOTHING;
  assign room_reply_valid = room_send != `HF_SEND_NOTHING;

  logic is_segment, is_icmp, is_timeout, is_command, has_body, any_event, offload, silent;
  assign is_segment = op == `HF_OP_SEGMENT;
  assign is_icmp = op == `HF_OP_ICMP;
  assign is_timeout = op == `HF_OP_TIMEOUT;
  assign is_command = op == `HF_OP_COMMAND && command_status == `HF_STATUS_OK;
  assign has_body = is_command && (command == `HF_COMMAND_CONNECT || command == `HF_COMMAND_CLOSE ||
                                   command == `HF_COMMAND_ADOPT);
  assign any_event = event_code != `HF_EVENT_NONE;
  assign offload = listener_found && !listener_bypass;
  assign silent = !write && !free && !insert && !reply_valid && !any_event && !cookie && !event_cookie && !take_rst &&
                  !take_synack;

  // ---- what an entry of the table is like: assumed before, proved after ----

  logic [31:0] before_flight, after_flight;                 // SND.NXT - SND.UNA
  logic        before_in_flight, before_all_acked, after_in_flight, after_all_acked;
  logic        before_host, after_host;
  logic [288:0] before_key, after_key, segment_key;
  assign before_key = {before.ip6, before.remote_addr, before.local_addr, before.remote_port, before.local_port};
  assign after_key = {after.ip6, after.remote_addr, after.local_addr, after.remote_port, after.local_port};
  assign segment_key = {seg.ip6, seg.src_addr, seg.dst_addr, seg.src_port, seg.dst_port};
  assign before_flight = before.snd_nxt - before.snd_una;
  assign after_flight = after.snd_nxt - after.snd_una;
  assign before_in_flight = before.state == `HF_STATE_SYN_SENT || before.state == `HF_STATE_SYN_RECEIVED ||
                            before.state == `HF_STATE_FIN_WAIT_1 || before.state == `HF_STATE_CLOSING ||
                            before.state == `HF_STATE_LAST_ACK;
  assign after_in_flight = after.state == `HF_STATE_SYN_SENT || after.state == `HF_STATE_SYN_RECEIVED ||
                           after.state == `HF_STATE_FIN_WAIT_1 || after.state == `HF_STATE_CLOSING ||
                           after.state == `HF_STATE_LAST_ACK;
  assign before_all_acked = before.state == `HF_STATE_FIN_WAIT_2 || before.state == `HF_STATE_TIME_WAIT;
  assign after_all_acked = after.state == `HF_STATE_FIN_WAIT_2 || after.state == `HF_STATE_TIME_WAIT;
  assign before_host = before.state == `HF_STATE_ESTABLISHED || before.state == `HF_STATE_CLOSE_WAIT;
  assign after_host = after.state == `HF_STATE_ESTABLISHED || after.state == `HF_STATE_CLOSE_WAIT;

  always_comb begin
    // An entry that an op of this function once wrote.
    assume (before.state <= `HF_STATE_TIME_WAIT && before.state != `HF_STATE_LISTEN);
    assume (!before_in_flight || before_flight == 32'd1);
    assume (!before_all_acked || before_flight == 32'd0);
    assume (before.state != `HF_STATE_SYN_SENT || (before.active && before.snd_una == before.iss));
    assume (before.state != `HF_STATE_SYN_RECEIVED || (before.snd_una == before.iss &&
                                                       before.rcv_nxt == before.irs + 32'd1));
    assume (!before_host || !before.timer_armed);
    assume (before.state != `HF_STATE_CLOSED || !before.timer_armed);

    // engine: the op's tuple is the segment's.
    assume (!(is_segment || is_icmp) || tuple == segment_key);

    // conn_table: a tag agrees or the op may insert, not both; a victim is of a kind that may be evicted, and
    // without one the slot is empty.
    assume (!insertable || (!key_match && (victim ? before_host || before.state == `HF_STATE_TIME_WAIT
                                                  : before.state == `HF_STATE_CLOSED)));
    assume (!victim || (insertable && has_body));
    assume (!id_match || slot_exists);

    // message and op_arbiter: a well-formed command has a known code; commands and timeouts wait for room.
    assume (command_status == `HF_STATUS_OK || (command_status >= `HF_STATUS_BAD_TYPE &&
                                                command_status <= `HF_STATUS_BAD_CSUM));
    assume (!is_command || (command >= `HF_COMMAND_RELEASE && command <= `HF_COMMAND_ADOPT));
    assume (is_segment || is_icmp || (reply_room && event_room));
  end

  // ---- states and arrows ----

  logic [3:0] from, to;
  logic arrow_ok;
  always_comb begin
    // What CLOSE and ADOPT hand over moves on from where the host has it.
    from = hit ? before.state : `HF_STATE_CLOSED;
    if (has_body && command != `HF_COMMAND_CONNECT) from = body.state[3:0];
    if (is_segment && !hit) from = `HF_STATE_LISTEN;
    to = after.state;
    case (from)
      `HF_STATE_CLOSED:       arrow_ok = to == `HF_STATE_SYN_SENT;
      `HF_STATE_LISTEN:       arrow_ok = to == (event_cookie ? `HF_STATE_ESTABLISHED : `HF_STATE_SYN_RECEIVED);
      `HF_STATE_SYN_SENT:     arrow_ok = to == `HF_STATE_SYN_RECEIVED || to == `HF_STATE_ESTABLISHED;
      `HF_STATE_SYN_RECEIVED: arrow_ok = to == `HF_STATE_ESTABLISHED;
      `HF_STATE_ESTABLISHED:  arrow_ok = to == `HF_STATE_FIN_WAIT_1;
      `HF_STATE_CLOSE_WAIT:   arrow_ok = to == `HF_STATE_LAST_ACK;
      `HF_STATE_FIN_WAIT_1:   arrow_ok = to == `HF_STATE_FIN_WAIT_2 || to == `HF_STATE_CLOSING ||
                                         to == `HF_STATE_TIME_WAIT;
      `HF_STATE_FIN_WAIT_2:   arrow_ok = to == `HF_STATE_TIME_WAIT;
      `HF_STATE_CLOSING:      arrow_ok = to == `HF_STATE_TIME_WAIT;
      `HF_STATE_TIME_WAIT:    arrow_ok = is_segment && to == `HF_STATE_SYN_RECEIVED;  // RFC 6191
      default:                arrow_ok = 1'b0;
    endcase
    if (to == from || free) arrow_ok = 1'b1;
  end

  logic [31:0] ack_ahead, ack_beyond;                       // SEG.ACK - SND.UNA; SEG.ACK - SND.NXT
  logic ack_new;
  assign ack_ahead = seg.ack - before.snd_una;
  assign ack_beyond = before.snd_nxt - seg.ack;
  assign ack_new = seg.flags[ACK] && !ack_ahead[31] && ack_ahead != 0 && !ack_beyond[31];

  always_comb begin
    state_known: assert (!write || (after.state <= `HF_STATE_TIME_WAIT && after.state != `HF_STATE_LISTEN));
    arrow: assert (!write || arrow_ok);
    // conn_table keeps nothing of a freed entry but its generation.
    freed: assert (!(write && (free || after.state == `HF_STATE_CLOSED)) || (free && after == before));
    generation: assert (!write || free || after.generation ==
                        (has_body || (is_segment && (!hit || cnt_tw_reused)) ? before.generation + 16'd1
                                                                             : before.generation));

    // SND.UNA =< SND.NXT =< SND.UNA + 1, exactly by state; and the host gets a connection without a timer, all
    // of ours acknowledged.
    sequence: assert (!write || ((!after_in_flight || after_flight == 32'd1) &&
                                 (!after_all_acked || after_flight == 32'd0)));
    handshake_numbers: assert (!write || (
      (after.state != `HF_STATE_SYN_SENT || (after.active && after.snd_una == after.iss)) &&
      (after.state != `HF_STATE_SYN_RECEIVED || (after.snd_una == after.iss && after.rcv_nxt == after.irs + 32'd1))));
    handed_over: assert (!write || !after_host || (!after.timer_armed && (!is_segment || after_flight == 32'd0)));

    // A handshake is complete only when our SYN is acknowledged, by what is not a RST.
    established: assert (!(write && after.state == `HF_STATE_ESTABLISHED && !has_body && !before_host) ||
                         event_cookie ||
                         (is_segment && hit && ack_new && !seg.flags[RST] && event_code == `HF_EVENT_ESTABLISHED &&
                          (before.state == `HF_STATE_SYN_SENT ? seg.flags[SYN]
                                                              : before.state == `HF_STATE_SYN_RECEIVED)));
    closed_by_fin: assert (!(write && is_segment && hit && !free && after.rcv_nxt != before.rcv_nxt &&
                             before.state != `HF_STATE_SYN_SENT && !cnt_tw_reused) ||
                           (seg.flags[FIN] && after.rcv_nxt == before.rcv_nxt + 32'd1 &&
                            seg.seq + {16'd0, seg.payload} == before.rcv_nxt));

    // ---- who may touch what ----

    own_entry: assert (!(write && !is_command && !is_timeout) ||
                       (hit ? key_match && before.state != `HF_STATE_CLOSED
                            : before.state == `HF_STATE_CLOSED && !victim && insertable && !key_match));
    own_key: assert (!(write && !free && !is_command) ||
                     after_key == (hit && !cnt_tw_reused ? before_key : segment_key));
    host_untouched: assert (!((is_segment || is_icmp) && hit && before_host) ||
                            (silent && verdict == `HF_VERDICT_HOST));
    drop_silent: assert (!(is_segment && verdict == `HF_VERDICT_DROP) || silent);
    drop_named: assert (!is_segment || verdict != `HF_VERDICT_NONE);
    drop_cause: assert ((verdict == `HF_VERDICT_DROP) == (cause != `HF_CAUSE_NONE));
    miss_silent: assert (hit || has_body || (is_segment && offload) || silent);
    command_refused: assert (op != `HF_OP_COMMAND || !completion || status == `HF_STATUS_OK ||
                             silent);
    command_answered: assert (op != `HF_OP_COMMAND || completion != any_event);
    no_room: assert (!((room_reply_valid && !reply_room) || (room_event_code != 0 && !event_room)) ||
                     silent);
    room_enough: assert ((room_reply_valid && !reply_room) || (room_event_code != 0 && !event_room) ||
                         (write == room_write && free == room_free && insert == room_insert && reply_valid == room_reply_valid &&
                          event_code == room_event_code && entry_after == room_entry_after));

    // ---- replies ----

    rst_no_rst: assert (!(is_segment && seg.flags[RST] && reply_valid) || sent.flags == 9'd1 << ACK);
    reply_kind: assert (!reply_valid || {sent.flags[8], sent.flags[5], sent.flags[3]} == 0 &&
                        ({sent.flags[ACK], sent.flags[2:0]} == 4'b0010 || {sent.flags[ACK], sent.flags[2:0]} == 4'b1010 ||
                         {sent.flags[ACK], sent.flags[2:0]} == 4'b1000 || {sent.flags[ACK], sent.flags[2:0]} == 4'b1001 ||
                         {sent.flags[ACK], sent.flags[2:0]} == 4'b0100));
    reply_syn: assert (!(reply_valid && sent.flags[SYN]) || cookie ||
                       (write && after.state == (sent.flags[ACK] ? `HF_STATE_SYN_RECEIVED : `HF_STATE_SYN_SENT) &&
                        sent.seq == after.iss && sent.ack == (sent.flags[ACK] ? after.irs + 32'd1 : 32'd0)));
    reply_ack: assert (!(reply_valid && sent.flags[ACK] && !sent.flags[SYN] && !sent.flags[FIN]) ||
                       (is_segment && write && !free && sent.seq == after.snd_nxt && sent.ack == after.rcv_nxt));
    reply_fin: assert (!(reply_valid && sent.flags[FIN]) ||
                       (write && !free && after_in_flight && sent.seq == after.snd_una && sent.ack == after.rcv_nxt));
    reply_rst: assert (!(reply_valid && sent.flags[RST]) ||
                       (sent.ack == 0 && sent.wnd == 0 &&
                        (is_segment ? seg.flags[ACK] && sent.seq == seg.ack
                                    : is_command && command == `HF_COMMAND_ABORT && sent.seq == before.snd_nxt)));
    reply_addressed: assert (!reply_valid ||
                             (sent.src_addr == after.local_addr && sent.dst_addr == after.remote_addr &&
                              sent.src_port == after.local_port && sent.dst_port == after.remote_port));
    reply_counted: assert ({cnt_tx_syn, cnt_tx_synack, cnt_tx_ack, cnt_tx_rst, cnt_tx_fin} == ({5{reply_valid}} &
                           {sent.flags[SYN] && !sent.flags[ACK], sent.flags[SYN] && sent.flags[ACK],
                            sent.flags[ACK] && !sent.flags[SYN] && !sent.flags[FIN], sent.flags[RST], sent.flags[FIN]}));
  end

  // ---- cookies ----

  localparam logic [127:0] CLASSES = {
    `HF_COOKIE_MSS_7, `HF_COOKIE_MSS_6, `HF_COOKIE_MSS_5, `HF_COOKIE_MSS_4,
    `HF_COOKIE_MSS_3, `HF_COOKIE_MSS_2, `HF_COOKIE_MSS_1, `HF_COOKIE_MSS_0};

  logic [23:0] epoch, since_sent;
  logic [31:0] sent_number, back_number, behind;            // behind: of a cookie's TSval, the clock less it
  logic [1:0]  age;
  logic [2:0]  class_sent, class_next;
  logic [15:0] asked_mss, capped_mss, send_mss;
  logic        syn_alone;
  assign syn_alone = seg.flags[SYN] && !seg.flags[ACK] && !seg.flags[RST] && !seg.flags[FIN];
  assign epoch = seg.stamp[59:36];
  assign since_sent = epoch - listener_epoch;
  assign sent_number = sent.seq - seg.seq;
  assign back_number = seg.ack - seg.seq;
  assign behind = ms + after.ts_offset - sent.tsval;
  assign age = epoch[1:0] - back_number[30:29];
  assign class_sent = sent_number[28:26];
  assign class_next = class_sent + 3'd1;
  assign asked_mss = seg.mss_ok ? seg.mss : seg.ip6 ? 16'd1220 : 16'd536;
  assign capped_mss = asked_mss < (seg.ip6 ? our_mss6 : our_mss) ? asked_mss : seg.ip6 ? our_mss6 : our_mss;
  assign send_mss = capped_mss < mss_floor ? mss_floor : capped_mss;

  always_comb begin
    // A cookie is a SYN-ACK and nothing else, and only of a listener whose mode asks for it.
    cookie_no_entry: assert (!cookie || (!write && !free && !insert && !any_event && verdict == `HF_VERDICT_CONSUME &&
                                         reply_valid && sent.flags[SYN] && sent.flags[ACK]));
    cookie_asked: assert (!cookie || (is_segment && !hit && offload && host_alive && syn_alone &&
                                      (cookie_mode[1] || (cookie_mode[0] && (cookie_on || over_high || !insertable ||
                                                                             listener_half_open >= listener_backlog)))));
    cookie_number: assert (!cookie || (sent_number == {mac_key, epoch[1:0], class_sent, mac} && sent.ack == seg.seq + 32'd1));
    cookie_class: assert (!cookie || ((class_sent == 3'd0 || CLASSES[16*class_sent +: 16] <= send_mss) &&
                                      (class_sent == 3'd7 || CLASSES[16*class_next +: 16] > send_mss)));
    cookie_memory: assert (!(cookie && sent.ts_en) ||
                           (behind < 32'd64 && sent.tsval[5:0] == {sent.flags[ECE], sent.sack_en, sent.ws_en ? seg.ws : 4'd15}));
    cookie_forgets: assert (!(cookie && !sent.ts_en) || (!sent.ws_en && !sent.sack_en && !sent.flags[ECE]));

    // What comes back is believed only with the right MAC, of a young epoch, of a listener that has sent one since.
    back_good: assert (!event_cookie || (is_segment && !hit && offload && host_alive && listener_sent &&
                                         since_sent <= {22'd0, cookie_lifetime} && age <= cookie_lifetime &&
                                         back_number[25:0] == mac && seg.flags[ACK] && !seg.flags[SYN] && !seg.flags[RST] &&
                                         event_code == `HF_EVENT_ESTABLISHED && !reply_valid));
    back_inserts: assert (!event_cookie || (write == insertable && insert == insertable && event_no_entry == !insertable &&
                                            !free));
    back_numbers: assert (!event_cookie || (after.state == `HF_STATE_ESTABLISHED && after.iss + 32'd1 == seg.ack &&
                                            after.snd_una == seg.ack && after.snd_nxt == seg.ack &&
                                            after.irs + 32'd1 == seg.seq && after.rcv_nxt == seg.seq));
    cookie_bad: assert (!cnt_cookie_bad || (!event_cookie && !write && listener_sent &&
                                            since_sent <= {22'd0, cookie_lifetime}));

    // ---- source rules, samples ----

    // A denied source gets nothing from a listener, and no answer; a SYN without a token neither; and nothing that has an
    // entry is dropped for a rule.
    rule_denied: assert (!(is_segment && !hit && offload && rule_denies) ||
                         (silent && !take_miss && verdict == `HF_VERDICT_DROP &&
                          (cause == `HF_CAUSE_DENIED || cause == `HF_CAUSE_BAD_FLAGS)));
    rule_limited: assert (!(is_segment && !hit && offload && syn_alone && rule_empty && !rule_denies) ||
                          (silent && verdict == `HF_VERDICT_DROP && cause == `HF_CAUSE_SOURCE_LIMITED));
    rule_spares: assert ((cause != `HF_CAUSE_DENIED || (is_segment && !hit && offload && rule_denies)) &&
                         (cause != `HF_CAUSE_SOURCE_LIMITED || (is_segment && !hit && offload && syn_alone && rule_empty)));
    // What a sample shows of a SYN, whatever becomes of it; and there is no other event in its way.
    sample_shown: assert (listener_syn == (is_segment && !hit && offload && syn_alone) &&
                          (!listener_syn ||
                           (!any_event && after_key == segment_key && after.irs == seg.seq && after.listener == listener_index &&
                            after.remote_mac == seg.src_mac && after.vlan_tags == seg.vlan_tags &&
                            after.vlan_svlan == seg.vlan_svlan && after.vlan_outer == seg.vlan_outer &&
                            after.vlan_inner == seg.vlan_inner && !after.active)));

    // ---- limits ----

    // A passive open leaves the half-open counts below their limits, and a dead host gets no connection.
    open_allowed: assert (!(write && is_segment && after.state == `HF_STATE_SYN_RECEIVED && (!hit || cnt_tw_reused)) ||
                          (listener_half_open < listener_backlog && (hit || !over_high) && host_alive && offload &&
                           syn_alone && cnt_syn_accepted));
    rst_limited: assert (take_rst == (is_segment && reply_valid && sent.flags[RST]) && (!take_rst || rst_token));
    synack_limited: assert (take_synack == (is_timeout && reply_valid && sent.flags[SYN] && sent.flags[ACK] &&
                                            !before.active) && (!take_synack || synack_token));
    miss_limited: assert (take_miss == (is_segment && !hit && offload && verdict == `HF_VERDICT_HOST && !event_cookie) &&
                          (!take_miss || miss_token));

    // ---- the cache ----

    complete_hides: assert (!(cache_complete && is_segment && !hit && offload && verdict == `HF_VERDICT_HOST) || event_cookie);
    complete_answers: assert (!(is_segment && !hit && reply_valid && sent.flags[RST]) || cache_complete);
    cache_cleared: assert (cache_clear == ((write && !hit && victim && before_host) || (event_cookie && !write) ||
                                           (is_command && command == `HF_COMMAND_ADOPT && completion &&
                                            status == `HF_STATUS_NO_ROOM)));
  end
endmodule
