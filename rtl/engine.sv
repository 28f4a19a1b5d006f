// SPDX-License-Identifier: Apache-2.0
// engine - one op at a time: read an entry, apply tcp_fsm, write back, emit what it decided.
//
// What    A received segment, an ICMP error about one of ours, an expired timer and a host command are the same
//         thing here: an op. There is no second path into the connection table, so nothing races with anything.
// Input   segment descriptors (seg_*) and, in the same order, hash requests of those that have one;
//         well-formed and malformed commands (cmd_*), with a body if they have one, which is hashed at the
//         queue's head; the clocks ms and time_ns; configuration.
// Output  verdicts for the mover, one per descriptor, in order; replies, events, completions;
//         counter increments; the trace of each op, in the cycle after it.
// Timing  an op takes T0 .. T4 and the next T0 is at the earliest T4 + 1; a descriptor the parser has
//         judged takes one cycle. T0 latch, address tags; T1 slot, address entry, look up listener;
//         T2 compare the key; T3 tcp_fsm; T4 all effects. Never stalls in between.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module engine #(
  parameter int SETS_LOG2 = 8,
  parameter int WAYS = 4,
  parameter int LISTENERS = 16,
  parameter int SEG_DEPTH = 16,
  parameter int CMD_DEPTH = 4
) (
  input  logic                        clk,
  input  logic                        rst,
  output logic                        ready,        // the table is swept
  output logic                        sweep_last,   // the cycle before ready

  // from the parser
  input  logic                        seg_push,
  input  logic [`HF_SEGMENT_BITS-1:0] seg_data,
  input  logic                        hash_req,
  input  logic                        hash_ip6,
  input  logic [287:0]                hash_tuple,

  // from the host: commands, and malformed messages of any type
  input  logic                        cmd_push,
  input  logic [7:0]                  cmd_code,
  input  logic [7:0]                  cmd_status,   // STATUS_OK: well-formed
  input  logic [7:0]                  cmd_type,
  input  logic [31:0]                 cmd_id,
  input  logic [63:0]                 cmd_cookie,
  input  logic [`HF_BODY_BITS-1:0]    cmd_body,     // octets 16 to 127 of a command that has them
  output logic                        cmd_room,

  // clock and configuration
  input  logic                        tick_1ms,
  input  logic [31:0]                 ms,
  input  logic [63:0]                 time_ns,
  input  logic                        host_alive,
  input  logic                        cfg_ts_offset_off,
  input  logic                        cfg_ts_relaxed,
  input  logic                        cfg_tw_rst_closes,
  input  logic                        cfg_ecn,
  input  logic [15:0]                 cfg_syn_rto_ms,
  input  logic [15:0]                 cfg_syn_rto_max_ms,
  input  logic [3:0]                  cfg_synack_retries,
  input  logic [21:0]                 cfg_connect_ms,
  input  logic [21:0]                 cfg_close_ms,
  input  logic [21:0]                 cfg_fin_wait_2_ms,
  input  logic [21:0]                 cfg_time_wait_ms,
  input  logic [3:0]                  cfg_challenge_limit,
  input  logic [15:0]                 cfg_challenge_ms,
  input  logic [15:0]                 cfg_mss,
  input  logic [15:0]                 cfg_mss6,
  input  logic [15:0]                 cfg_mss_floor,
  input  logic [29:0]                 cfg_rcv_wnd,
  input  logic [3:0]                  cfg_wscale,
  input  logic [127:0]                cfg_local_addrs,
  input  logic [255:0]                cfg_local6_addrs,
  input  logic [127:0]                cfg_key_index,
  input  logic [127:0]                cfg_key_isn,

  // listen table
  input  logic                        listen_commit,
  input  logic [3:0]                  listen_index,
  input  logic [1:0]                  listen_mode,
  input  logic [127:0]                listen_addr,
  input  logic [15:0]                 listen_port,
  input  logic [15:0]                 listen_backlog,
  input  logic [3:0]                  listen_opts,
  input  logic [3:0]                  listen_read_index,
  output logic [15:0]                 listen_half_open,

  // to the mover
  output logic                        verdict_push,
  output logic [1:0]                  verdict,
  output logic                        verdict_is_seg,
  output logic                        verdict_conn,
  output logic [31:0]                 verdict_id,
  output logic [63:0]                 verdict_stamp,
  output logic [13:0]                 verdict_length,
  output logic [10:0]                 verdict_beats,
  output logic                        verdict_lost,

  // to tx_builder
  output logic                        reply_push,
  output logic [`HF_REPLY_BITS-1:0]   reply_data,
  input  logic                        reply_room,

  // to the event queue
  output logic                        event_push,
  output logic                        event_completion,
  output logic [31:0]                 event_id,
  output logic [63:0]                 event_stamp,
  output logic [7:0]                  event_status,
  output logic [8:0]                  event_command,
  output logic [7:0]                  event_code,
  output logic [`HF_TCB_BITS-1:0]     event_entry,
  output logic                        event_frame_follows,
  output logic [31:0]                 event_seg_seq,
  output logic [31:0]                 event_seg_ack,
  output logic [15:0]                 event_seg_wnd,
  output logic [31:0]                 event_tsecr,
  output logic [15:0]                 event_rtt_ms,
  output logic [15:0]                 event_rto_ms,
  output logic [31:0]                 event_now_ms,
  input  logic                        event_room,

  // counters
  output logic [16:0]                 half_open,
  output logic [16:0]                 entries,
  output logic [`HF_CNT_COUNT-1:0]    inc,          // the engine's own rows of regs/counter.def

  // trace
  output logic                        trc_valid,
  output logic [1:0]                  trc_op,
  output logic                        trc_write,
  output logic [15:0]                 trc_slot,
  output logic [3:0]                  trc_state,
  output logic [1:0]                  trc_verdict,
  output logic [4:0]                  trc_cause,
  output logic [63:0]                 trc_stamp,
  output logic [`HF_TCB_BITS-1:0]     trc_entry
);

  typedef struct packed { `HF_TCB_FIELDS } tcb_t;
  typedef struct packed { `HF_SEGMENT_FIELDS } segment_t;

  typedef struct packed { `HF_TUPLE_FIELDS } tuple_t;

  typedef struct packed {
    logic [7:0]  code;
    logic [7:0]  status;
    logic [7:0]  msg_type;
    logic [31:0] id;
    logic [63:0] cookie;
    logic [`HF_BODY_BITS-1:0] body;
  } command_t;
  localparam int COMMAND_BITS = 8 + 8 + 8 + 32 + 64 + `HF_BODY_BITS;

  // ---- queues and hash ----

  logic                        seg_valid, hash_valid, cmd_valid, seg_pop, hash_pop;
  logic [`HF_SEGMENT_BITS-1:0] seg_head;
  logic [COMMAND_BITS-1:0]     cmd_head;
  logic                        hash_done;
  logic [SETS_LOG2-1:0]        head_set;
  logic [15:0]                 head_tag;
  logic [63:0]                 hash_isn, head_isn;
  segment_t                    seg_next;
  // The parser's credit (SEG_DEPTH frames in flight) keeps room in both queues. Of the index,
  // set and tag are used; a small table leaves bits between them.
  /* verilator lint_off UNUSEDSIGNAL */
  logic                        seg_room, hash_room;
  logic [31:0]                 hash_index;
  /* verilator lint_on UNUSEDSIGNAL */

  tuple_hash u_hash (
    .clk(clk), .rst(rst), .req(hash_req), .ip6(hash_ip6), .tuple(hash_tuple), .key_index(cfg_key_index),
    .key_isn(cfg_key_isn), .done(hash_done), .index(hash_index), .isn(hash_isn));

  fifo_reg #(.WIDTH(`HF_SEGMENT_BITS), .DEPTH(SEG_DEPTH)) u_segments (
    .clk(clk), .rst(rst), .push(seg_push), .push_data(seg_data), .has_room(seg_room),
    .valid(seg_valid), .head(seg_head), .pop(seg_pop));

  fifo_reg #(.WIDTH(SETS_LOG2 + 16 + 64), .DEPTH(SEG_DEPTH)) u_hashes (
    .clk(clk), .rst(rst), .push(hash_done), .has_room(hash_room),
    .push_data({hash_index[SETS_LOG2-1:0], hash_index[31:16], hash_isn}),
    .valid(hash_valid), .head({head_set, head_tag, head_isn}), .pop(hash_pop));

  fifo_reg #(.WIDTH(COMMAND_BITS), .DEPTH(CMD_DEPTH)) u_commands (
    .clk(clk), .rst(rst), .push(cmd_push), .has_room(cmd_room),
    .push_data({cmd_code, cmd_status, cmd_type, cmd_id, cmd_cookie, cmd_body}),
    .valid(cmd_valid), .head(cmd_head), .pop(go_command));

  assign seg_next = seg_head;
  assign seg_pop = go_pass || go_segment;
  assign hash_pop = go_segment || (go_pass && seg_next.has_hash);

  // ---- the command at the head: does it have a tuple, and what is its hash ----

  command_t             cmd_next;
  tuple_t               cmd_tuple;
  logic                 cmd_mixed, cmd_has_tuple, cmd_ready, cmd_hash_req, cmd_hash_done;
  logic                 cmd_hashing_q, cmd_hashed_q;   // the head's hash is under way; is there
  logic [SETS_LOG2-1:0] cmd_set_q;
  logic [15:0]          cmd_tag_q;
  logic [63:0]          cmd_hash_isn, cmd_isn_q;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [31:0]          cmd_index;     // as hash_index
  /* verilator lint_on UNUSEDSIGNAL */

  assign cmd_next = cmd_head;
  assign cmd_has_tuple = cmd_next.status == `HF_STATUS_OK && (cmd_next.code == `HF_COMMAND_CONNECT ||
                         cmd_next.code == `HF_COMMAND_CLOSE || cmd_next.code == `HF_COMMAND_ADOPT);
  assign cmd_hash_req = cmd_valid && cmd_has_tuple && !cmd_hashing_q && !cmd_hashed_q;
  assign cmd_ready = cmd_valid && (cmd_hashed_q || !cmd_has_tuple);

  command_tuple u_command_tuple (.body(cmd_next.body), .tuple(cmd_tuple), .mixed(cmd_mixed));

  tuple_hash #(.LANES(1)) u_command_hash (
    .clk(clk), .rst(rst), .req(cmd_hash_req), .ip6(cmd_tuple.ip6),
    .tuple({cmd_tuple.remote_addr, cmd_tuple.local_addr, cmd_tuple.remote_port, cmd_tuple.local_port}),
    .key_index(cfg_key_index), .key_isn(cfg_key_isn), .done(cmd_hash_done), .index(cmd_index), .isn(cmd_hash_isn));

  always_ff @(posedge clk) begin
    if (rst) begin
      cmd_hashing_q <= 1'b0;
      cmd_hashed_q <= 1'b0;
    end else begin
      if (cmd_hash_req) cmd_hashing_q <= 1'b1;
      if (cmd_hash_done) begin
        cmd_hashing_q <= 1'b0;
        cmd_hashed_q <= 1'b1;
      end
      if (go_command) cmd_hashed_q <= 1'b0;
    end
    if (cmd_hash_done) begin
      cmd_set_q <= cmd_index[SETS_LOG2-1:0];
      cmd_tag_q <= cmd_index[31:16];
      cmd_isn_q <= cmd_hash_isn;
    end
  end

  // ---- T0: issue ----

  // step_q[i]: this cycle is Ti+1 of an op.
  logic [3:0]  step_q;
  logic        t1, t2, t3, t4;
  logic        go_pass, go_segment, go_command, go_timeout, go;
  logic        expired_valid;
  logic [15:0] expired_slot;

  assign {t4, t3, t2, t1} = step_q;
  assign go = go_segment || go_command || go_timeout;

  op_arbiter u_arbiter (
    .idle(ready && step_q == '0), .segment_valid(seg_valid), .segment_cls(seg_next.cls),
    .segment_has_hash(seg_next.has_hash), .hash_valid(hash_valid), .command_ready(cmd_ready),
    .expired_valid(expired_valid), .event_room(event_room), .reply_room(reply_room),
    .pass(go_pass), .segment(go_segment), .command(go_command), .timeout(go_timeout));

  logic [1:0]  op_q;
  segment_t    seg_q;
  logic [63:0] isn_q;
  command_t    cmd_q;
  tuple_t      key_q;          // of an op that has a tuple
  logic        mixed_q;
  logic        by_tag_q;       // it has one
  logic [15:0] expired_slot_q;

  always_ff @(posedge clk) begin
    if (rst)
      step_q <= '0;
    else
      step_q <= {step_q[2:0], go};

    if (go_segment) begin
      op_q <= seg_next.cls == `HF_CLASS_SEG ? `HF_OP_SEGMENT : `HF_OP_ICMP;
      seg_q <= seg_next;
      isn_q <= head_isn;
      key_q <= {seg_next.ip6, seg_next.src_addr, seg_next.dst_addr, seg_next.src_port, seg_next.dst_port};
      by_tag_q <= 1'b1;
    end
    if (go_command) begin
      op_q <= `HF_OP_COMMAND;
      cmd_q <= cmd_next;
      isn_q <= cmd_isn_q;
      key_q <= cmd_tuple;
      mixed_q <= cmd_mixed;
      by_tag_q <= cmd_has_tuple;
    end
    if (go_timeout) begin
      by_tag_q <= 1'b0;
      op_q <= `HF_OP_TIMEOUT;
      expired_slot_q <= expired_slot;
    end
  end

  // ---- T1 to T3: table, listener, function ----

  logic [15:0]             slot;
  logic [`HF_TCB_BITS-1:0] entry;
  logic                    key_match, slot_exists, id_match, insertable, victim;

  logic                    write_q, insert_q, free_q;
  logic [`HF_TCB_BITS-1:0] after_q;

  conn_table #(.SETS_LOG2(SETS_LOG2), .WAYS(WAYS)) u_table (
    .clk(clk), .rst(rst), .ready(ready), .sweep_last(sweep_last),
    .t0(go), .by_tag_t0(go_segment || (go_command && cmd_has_tuple)),
    .t0_set(go_segment ? head_set : cmd_set_q), .t0_tag(go_segment ? head_tag : cmd_tag_q),
    .t1(t1), .by_tag(by_tag_q), .may_evict(op_q == `HF_OP_COMMAND),
    .slot_given(op_q == `HF_OP_COMMAND ? cmd_q.id[15:0] : expired_slot_q),
    .t2(t2), .key(key_q), .generation(cmd_q.id[31:16]),
    .slot(slot), .entry(entry), .key_match(key_match), .slot_exists(slot_exists), .id_match(id_match),
    .insertable(insertable), .victim(victim),
    .t4(t4), .write(write_q), .free(free_q), .entry_after(after_q),
    .tick_1ms(tick_1ms), .ms(ms[23:0]), .expired_valid(expired_valid), .expired_slot(expired_slot),
    .expired_done(t4 && op_q == `HF_OP_TIMEOUT));

  logic        listener_found, listener_bypass;
  logic [3:0]  listener_index, count_index;
  logic [15:0] listener_backlog, listener_half_open;
  logic [2:0]  listener_opts;
  logic        enter, leave;

  listen_table #(.LISTENERS(LISTENERS)) u_listen (
    .clk(clk), .rst(rst),
    .commit(listen_commit), .commit_index(listen_index), .commit_mode(listen_mode), .commit_addr(listen_addr),
    .commit_port(listen_port), .commit_backlog(listen_backlog), .commit_opts(listen_opts),
    .local_addrs(cfg_local_addrs), .local6_addrs(cfg_local6_addrs),
    .read_index(listen_read_index), .read_half_open(listen_half_open),
    .lookup(t1), .lookup_ip6(seg_q.ip6), .lookup_addr(seg_q.dst_addr), .lookup_port(seg_q.dst_port),
    .found(listener_found), .found_bypass(listener_bypass), .found_index(listener_index),
    .found_backlog(listener_backlog), .found_opts(listener_opts), .found_half_open(listener_half_open),
    .enter(enter), .leave(leave), .count_index(count_index));

  logic                      hit, write, insert, free, reply_valid, completion, new_id;
  logic [3:0]                state_before;
  logic [`HF_TCB_BITS-1:0]   after, told;
  logic [1:0]                op_verdict;
  logic [4:0]                op_cause;
  logic [`HF_REPLY_BITS-1:0] reply;
  logic [7:0]                event_now, status;
  logic [15:0]               rtt_ms, rto_ms;
  logic                      cnt_opt_malformed, cnt_ws_clamped, cnt_syn_accepted, cnt_retransmit, cnt_timeout;
  logic                      cnt_challenge_limited, cnt_icmp_hard, cnt_tw_reused, cnt_evict_host, cnt_evict_time_wait;
  logic                      cnt_connect, cnt_close, cnt_tx_syn, cnt_tx_synack, cnt_tx_ack, cnt_tx_rst, cnt_tx_fin;
  logic                      cnt_command, cnt_reset;

  tcp_fsm u_fsm (
    .op(op_q), .segment(seg_q), .isn(isn_q), .command(cmd_q.code), .command_status(cmd_q.status),
    .command_body(cmd_q.body), .command_tuple(key_q), .command_mixed(mixed_q),
    .entry(entry), .key_match(key_match), .slot_exists(slot_exists), .id_match(id_match), .insertable(insertable),
    .victim(victim),
    .listener_found(listener_found), .listener_bypass(listener_bypass), .listener_index(listener_index),
    .listener_backlog(listener_backlog), .listener_half_open(listener_half_open), .listener_opts(listener_opts),
    .ms(ms), .clock_4us(time_ns[43:12]), .host_alive(host_alive), .ts_offset_off(cfg_ts_offset_off),
    .ts_relaxed(cfg_ts_relaxed), .tw_rst_closes(cfg_tw_rst_closes), .ecn(cfg_ecn), .syn_rto_ms(cfg_syn_rto_ms),
    .syn_rto_max_ms(cfg_syn_rto_max_ms), .synack_retries(cfg_synack_retries), .connect_ms(cfg_connect_ms),
    .close_ms(cfg_close_ms), .fin_wait_2_ms(cfg_fin_wait_2_ms), .time_wait_ms(cfg_time_wait_ms),
    .challenge_limit(cfg_challenge_limit), .challenge_ms(cfg_challenge_ms), .our_mss(cfg_mss), .our_mss6(cfg_mss6),
    .mss_floor(cfg_mss_floor), .our_rcv_wnd(cfg_rcv_wnd), .our_wscale(cfg_wscale),
    .reply_room(reply_room), .event_room(event_room),
    .hit(hit), .state_before(state_before), .entry_after(after), .write(write), .insert(insert), .free(free),
    .verdict(op_verdict), .cause(op_cause), .reply_valid(reply_valid), .reply(reply), .event_code(event_now),
    .event_entry(told), .rtt_ms(rtt_ms), .rto_ms(rto_ms), .completion(completion), .status(status), .new_id(new_id),
    .cnt_opt_malformed(cnt_opt_malformed), .cnt_ws_clamped(cnt_ws_clamped), .cnt_syn_accepted(cnt_syn_accepted),
    .cnt_retransmit(cnt_retransmit), .cnt_timeout(cnt_timeout), .cnt_reset(cnt_reset),
    .cnt_challenge_limited(cnt_challenge_limited), .cnt_icmp_hard(cnt_icmp_hard), .cnt_tw_reused(cnt_tw_reused),
    .cnt_evict_host(cnt_evict_host), .cnt_evict_time_wait(cnt_evict_time_wait), .cnt_connect(cnt_connect),
    .cnt_close(cnt_close), .cnt_tx_syn(cnt_tx_syn), .cnt_tx_synack(cnt_tx_synack), .cnt_tx_ack(cnt_tx_ack),
    .cnt_tx_rst(cnt_tx_rst), .cnt_tx_fin(cnt_tx_fin), .cnt_command(cnt_command));

  // ---- the function's value, registered at the end of T3 ----

  /* verilator lint_off UNUSEDSIGNAL */
  tcb_t                      old, after_fields;    // generation, listener, active, state
  /* verilator lint_on UNUSEDSIGNAL */
  logic                      was_half_open, is_half_open;
  logic                      hit_q, enter_q, leave_q, passive_q, reply_valid_q, completion_q;
  logic [3:0]                state_before_q, listener_q;
  logic [15:0]               generation_q;
  logic [1:0]                verdict_q;
  logic [4:0]                cause_q;
  logic [`HF_REPLY_BITS-1:0] reply_q;
  logic [`HF_TCB_BITS-1:0]   told_q;
  logic [15:0]               rtt_q, rto_q;
  logic [31:0]               ms_q;
  logic [63:0]               time_q;
  logic [7:0]                event_code_q, status_q;
  logic [31:0]               completion_id_q;
  logic [18:0]               cnt_q;

  assign old = entry;
  assign after_fields = after;
  assign was_half_open = hit && old.state == `HF_STATE_SYN_RECEIVED;
  assign is_half_open = after_fields.state == `HF_STATE_SYN_RECEIVED;

  always_ff @(posedge clk) begin
    if (t3) begin
      hit_q <= hit;
      state_before_q <= state_before;
      after_q <= after;
      write_q <= write;
      insert_q <= insert;
      free_q <= free;
      enter_q <= write && is_half_open && !was_half_open;
      leave_q <= write && was_half_open && !is_half_open;
      listener_q <= is_half_open ? after_fields.listener : old.listener;
      passive_q <= is_half_open ? !after_fields.active : !old.active;
      verdict_q <= op_verdict;
      cause_q <= op_cause;
      reply_valid_q <= reply_valid;
      reply_q <= reply;
      event_code_q <= event_now;
      told_q <= told;
      rtt_q <= rtt_ms;
      rto_q <= rto_ms;
      ms_q <= ms;
      time_q <= time_ns;
      completion_q <= completion;
      status_q <= status;
      completion_id_q <= new_id ? {after_fields.generation, slot} : cmd_q.id;
      generation_q <= old.generation;
      cnt_q <= {cnt_opt_malformed, cnt_ws_clamped, cnt_syn_accepted, cnt_retransmit, cnt_timeout, cnt_reset,
                cnt_challenge_limited, cnt_icmp_hard, cnt_tw_reused, cnt_evict_host, cnt_evict_time_wait,
                cnt_connect, cnt_close, cnt_tx_syn, cnt_tx_synack, cnt_tx_ack, cnt_tx_rst, cnt_tx_fin, cnt_command};
    end
  end

  // ---- T4: effects ----

  logic frame_t4, is_frame;
  assign is_frame = op_q == `HF_OP_SEGMENT || op_q == `HF_OP_ICMP;
  assign frame_t4 = t4 && is_frame;

  // A connection that we opened is half-open too, but of no listener.
  assign enter = t4 && enter_q && passive_q;
  assign leave = t4 && leave_q && passive_q;
  assign count_index = listener_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      half_open <= '0;
      entries <= '0;
    end else begin
      if (t4 && enter_q)
        half_open <= half_open + 17'd1;
      if (t4 && leave_q)
        half_open <= half_open - 17'd1;
      if (t4 && insert_q)
        entries <= entries + 17'd1;
      if (t4 && free_q)
        entries <= entries - 17'd1;
    end
  end

  assign reply_push = t4 && reply_valid_q;
  assign reply_data = reply_q;

  logic established;
  assign established = event_code_q == `HF_EVENT_ESTABLISHED;
  assign event_push = t4 && (event_code_q != `HF_EVENT_NONE || completion_q);
  assign event_completion = completion_q;
  assign event_id = completion_q ? completion_id_q : {generation_q, slot};
  always_comb begin
    event_stamp = time_q;
    if (is_frame) event_stamp = seg_q.stamp;
    if (op_q == `HF_OP_COMMAND) event_stamp = cmd_q.cookie;
  end
  assign event_status = status_q;
  assign event_command = cmd_q.status == `HF_STATUS_OK ? {1'b0, cmd_q.code} : {1'b1, cmd_q.msg_type};
  assign event_code = event_code_q;
  assign event_entry = told_q;
  assign event_frame_follows = verdict_q == `HF_VERDICT_HOST;
  assign event_seg_seq = established ? seg_q.seq : 32'd0;
  assign event_seg_ack = established ? seg_q.ack : 32'd0;
  assign event_seg_wnd = established ? seg_q.wnd : 16'd0;
  assign event_tsecr = established && seg_q.ts_ok ? seg_q.tsecr : 32'd0;
  assign event_rtt_ms = rtt_q;
  assign event_rto_ms = rto_q;
  assign event_now_ms = ms_q;

  // One verdict per descriptor: here for an op, at issue for what the parser has judged.
  always_comb begin
    verdict_push = frame_t4 || go_pass;
    verdict_is_seg = !go_pass;
    verdict_conn = !go_pass && hit_q;
    verdict_id = verdict_conn ? {generation_q, slot} : 32'hffffffff;
    if (go_pass) begin
      verdict = seg_next.cls == `HF_CLASS_HOST ? `HF_VERDICT_HOST : `HF_VERDICT_DROP;
      verdict_stamp = seg_next.stamp;
      verdict_length = seg_next.length;
      verdict_beats = seg_next.beats;
      verdict_lost = seg_next.lost;
    end else begin
      verdict = verdict_q;
      verdict_stamp = seg_q.stamp;
      verdict_length = seg_q.length;
      verdict_beats = seg_q.beats;
      verdict_lost = seg_q.lost;
    end
  end

  // ---- counters ----

  logic [4:0] drop_cause;
  assign drop_cause = go_pass ? seg_next.cause : cause_q;

  always_comb begin
    inc = '0;
    if (verdict_push) begin
      inc[`HF_CNT_RX_CONSUMED] = verdict == `HF_VERDICT_CONSUME;
      inc[`HF_CNT_RX_HOST] = verdict == `HF_VERDICT_HOST;
      if (verdict == `HF_VERDICT_DROP) begin
        case (drop_cause)
          `HF_CAUSE_BAD_FCS:       inc[`HF_CAUSE_CNT_BAD_FCS] = 1'b1;
          `HF_CAUSE_TOO_LONG:      inc[`HF_CAUSE_CNT_TOO_LONG] = 1'b1;
          `HF_CAUSE_RUNT:          inc[`HF_CAUSE_CNT_RUNT] = 1'b1;
          `HF_CAUSE_IP_MALFORMED:  inc[`HF_CAUSE_CNT_IP_MALFORMED] = 1'b1;
          `HF_CAUSE_IP_CHECKSUM:   inc[`HF_CAUSE_CNT_IP_CHECKSUM] = 1'b1;
          `HF_CAUSE_FRAGMENT:      inc[`HF_CAUSE_CNT_FRAGMENT] = 1'b1;
          `HF_CAUSE_TCP_MALFORMED: inc[`HF_CAUSE_CNT_TCP_MALFORMED] = 1'b1;
          `HF_CAUSE_TCP_CHECKSUM:  inc[`HF_CAUSE_CNT_TCP_CHECKSUM] = 1'b1;
          `HF_CAUSE_MARTIAN:       inc[`HF_CAUSE_CNT_MARTIAN] = 1'b1;
          `HF_CAUSE_L2_DEST:       inc[`HF_CAUSE_CNT_L2_DEST] = 1'b1;
          `HF_CAUSE_BAD_FLAGS:     inc[`HF_CAUSE_CNT_BAD_FLAGS] = 1'b1;
          `HF_CAUSE_HOST_GONE:     inc[`HF_CAUSE_CNT_HOST_GONE] = 1'b1;
          `HF_CAUSE_BACKLOG:       inc[`HF_CAUSE_CNT_BACKLOG] = 1'b1;
          `HF_CAUSE_TABLE_FULL:    inc[`HF_CAUSE_CNT_TABLE_FULL] = 1'b1;
          `HF_CAUSE_REPLY_FULL:    inc[`HF_CAUSE_CNT_REPLY_FULL] = 1'b1;
          `HF_CAUSE_EVENT_FULL:    inc[`HF_CAUSE_CNT_EVENT_FULL] = 1'b1;
          `HF_CAUSE_UNACCEPTABLE:  inc[`HF_CAUSE_CNT_UNACCEPTABLE] = 1'b1;
          `HF_CAUSE_MISSING_TS:    inc[`HF_CAUSE_CNT_MISSING_TS] = 1'b1;
          default: ;
        endcase
      end
    end
    if (t4) begin
      inc[`HF_CNT_ESTABLISHED] = established;
      {inc[`HF_CNT_OPT_MALFORMED], inc[`HF_CNT_WS_CLAMPED], inc[`HF_CNT_SYN_ACCEPTED], inc[`HF_CNT_RETRANSMITS],
       inc[`HF_CNT_TIMEOUTS], inc[`HF_CNT_RESETS], inc[`HF_CNT_CHALLENGE_LIMITED], inc[`HF_CNT_ICMP_HARD],
       inc[`HF_CNT_TW_REUSED], inc[`HF_CNT_EVICT_HOST], inc[`HF_CNT_EVICT_TIME_WAIT], inc[`HF_CNT_CONNECTS],
       inc[`HF_CNT_CLOSES], inc[`HF_CNT_TX_SYN], inc[`HF_CNT_TX_SYNACK], inc[`HF_CNT_TX_ACK], inc[`HF_CNT_TX_RST],
       inc[`HF_CNT_TX_FIN], inc[`HF_CNT_COMMANDS]} = cnt_q;
    end
  end

  // ---- trace: what T4 did, shown in T5 ----

  always_ff @(posedge clk) begin
    trc_valid <= t4 && !rst;
    if (t4) begin
      trc_op <= op_q;
      trc_write <= write_q;
      trc_slot <= slot;
      trc_state <= state_before_q;
      trc_verdict <= verdict_q;
      trc_cause <= cause_q;
      trc_entry <= after_q;
      case (op_q)
        `HF_OP_SEGMENT, `HF_OP_ICMP: trc_stamp <= seg_q.stamp;
        `HF_OP_COMMAND: trc_stamp <= cmd_q.cookie;
        default: trc_stamp <= '0;
      endcase
    end
  end

endmodule
