// SPDX-License-Identifier: Apache-2.0
// engine - a pipeline of ops: read an entry, apply tcp_fsm, write back, emit what it decided.
//
// What    A received segment, an ICMP error about one of ours, an expired timer and a host command are the same
//         thing here: an op. There is no second path into the connection table, and an op sees all that
//         those before it did, so nothing races with anything.
// Input   segment descriptors (seg_*) and, in the same order, hash requests and cookie requests (mac_*) of those that
//         have one; well-formed and malformed commands (cmd_*), with a body if they have one, which is hashed as it
//         comes; reply_pop, event_pop: an element leaves the queue there; the clocks ms and time_ns; configuration.
// Output  verdicts for the mover, one per descriptor, in order; replies, events, completions;
//         counter increments; the trace of each op, in the cycle after it.
// Timing  an op takes T0 .. T4. T0 latch, address tags; T1 slot, address entry, look up listener; T2 compare
//         the key; T3 tcp_fsm; T4 all effects. Never stalls in between. T1, T2 and T3 have MATCH_CYCLES, READ_CYCLES and
//         FSM_CYCLES cycles. A T0 every (FSM_CYCLES + 1)-th cycle at most, so no step holds two ops: registers
//         *_q hold an op in T1 and T2, or T2 and T3; those called *_late in T3 and T4; the results of T3 in T4 and the
//         cycle after. What a step reads of its inputs it reads in its first cycle, and registers in its last. A
//         descriptor the parser has judged (a pass) goes the same way, so that verdicts keep
//         their order, but touches nothing.
//         An op waits while one in T2 or T3 has the same set; if both are segments of one tag, it is
//         chained to that one instead (see conn_table).
`include "handfast_defs.svh"
`include "engine_defs.svh"
module engine #(
  parameter int SETS_LOG2 = 8,
  parameter int WAYS = 4,
  parameter int LISTENERS = 16,
  parameter int RULES = 8,              // 0 to 16; 0: no samples either, nor counts of SYNs
  parameter int SEG_DEPTH = 16,
  parameter int CMD_DEPTH = 4,
  parameter int EVENT_DEPTH = 32,
  parameter int REPLY_DEPTH = 32,
  parameter int WIDE = 0,               // 1: a frame, and so a request, may come in every cycle
  parameter int HASH_ROUNDS = 1,        // 1 or 2, of siphash_lanes
  parameter int HASH_SERIAL = 0,        // 1: hash_serial instead
  parameter int IP6 = 1,
  parameter int MATCH_CYCLES = 1,       // of T1; with READ_CYCLES at most FSM_CYCLES + 1
  parameter int READ_CYCLES = 1,        // of T2
  parameter int FSM_CYCLES = 1          // of T3
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
  input  logic                        mac_req,
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic                        mac_ip6,      // the frame's, as with its hash: HASH_SERIAL keeps it from there
  input  logic [287:0]                mac_tuple,
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic [31:0]                 mac_seq,
  input  logic [31:0]                 mac_ack,
  input  logic                        mac_ack_flag,
  input  logic [23:0]                 mac_epoch,    // bits 59:36 of the frame's stamp

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
  input  logic [127:0]                cfg_key_cookie_a,
  input  logic [127:0]                cfg_key_cookie_b,
  input  logic [1:0]                  cfg_cookie_mode,
  input  logic                        cfg_cookie_key,
  input  logic [1:0]                  cfg_cookie_lifetime,
  input  logic [16:0]                 cfg_cookie_high,
  input  logic                        cookie_on,
  input  logic                        cache_complete,
  output logic                        cache_clear,
  input  logic [31:0]                 cfg_rst_limit,      // burst, then rate, as in the registers
  input  logic [31:0]                 cfg_synack_limit,
  input  logic [31:0]                 cfg_miss_limit,

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

  // source rules, counts of SYNs, samples
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic                        rule_commit,
  input  logic [3:0]                  rule_index,
  input  logic [`HF_RULE_BITS-1:0]    rule_staged,
  input  logic [3:0]                  rule_read_index,
  input  logic [19:0]                 cfg_sample,
  input  logic                        sample_restart,
  /* verilator lint_on UNUSEDSIGNAL */
  output logic [31:0]                 rule_drops,
  output logic [31:0]                 listen_syns,

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
  input  logic                        reply_pop,

  // to the event queue
  output logic                        event_push,
  output logic                        event_completion,
  output logic [31:0]                 event_id,
  output logic [63:0]                 event_stamp,
  output logic [7:0]                  event_status,
  output logic [8:0]                  event_command,
  output logic [7:0]                  event_code,
  output logic                        event_cookie,
  output logic [`HF_TCB_BITS-1:0]     event_entry,
  output logic                        event_frame_follows,
  output logic [31:0]                 event_seg_seq,
  output logic [31:0]                 event_seg_ack,
  output logic [15:0]                 event_seg_wnd,
  output logic [31:0]                 event_tsecr,
  output logic [15:0]                 event_rtt_ms,
  output logic [15:0]                 event_rto_ms,
  output logic [31:0]                 event_now_ms,
  input  logic                        event_pop,

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
  typedef struct packed { `HF_BODY_FIELDS } body_t;

  typedef struct packed {
    logic [7:0]  code;
    logic [7:0]  status;
    logic [7:0]  msg_type;
    logic [31:0] id;
    logic [63:0] cookie;
  } command_t;
  localparam int COMMAND_BITS = 8 + 8 + 8 + 32 + 64;
  localparam int HASH_BITS = SETS_LOG2 + 16 + 64;
  localparam int SLOTS = WAYS << SETS_LOG2;
  localparam int WAYS_LOG2 = $clog2(WAYS);
  localparam int CMD_COUNT_W = $clog2(CMD_DEPTH + 1);

  // ---- queues and hashes of segments ----

  logic                        seg_valid, hash_valid, mac_valid, cmd_valid;
  logic [1:0]                  head_cls;
  logic                        head_has_hash, head_has_mac;
  logic [`HF_SEGMENT_BITS-1:0] seg_mem [0:SEG_DEPTH-1];
  logic                        hash_done, mac_done;
  logic [SETS_LOG2-1:0]        head_set;
  logic [15:0]                 head_tag;
  logic [63:0]                 hash_isn, head_isn;
  logic [25:0]                 mac_now, head_mac;
  logic                        mac_now_key, head_mac_key;
  logic                        mac_pop_q;
  // The parser's credit (SEG_DEPTH frames in flight until their verdicts are taken) keeps room in all queues. Of
  // the index, set and tag are used; a small table leaves bits between them.
  /* verilator lint_off UNUSEDSIGNAL */
  logic                        seg_room, hash_room, mac_room;
  logic [31:0]                 hash_index, cmd_index;
  /* verilator lint_on UNUSEDSIGNAL */

  // Of commands: the body that comes, its hash; and what begins in this cycle. (Icarus wants a name declared before it is used.)
  logic                        push_has_tuple, cmd_hashed, cmd_hash_done;
  tuple_t                      pushed;
  logic [63:0]                 cmd_hash_isn;
  logic                        go_frame, go_command;

  generate
    if (HASH_SERIAL != 0) begin : g_serial
      hash_serial #(.SEG_DEPTH(SEG_DEPTH), .CMD_DEPTH(CMD_DEPTH), .IP6(IP6)) u_serial (
        .clk(clk), .rst(rst), .key_index(cfg_key_index), .key_isn(cfg_key_isn), .key_cookie_a(cfg_key_cookie_a),
        .key_cookie_b(cfg_key_cookie_b), .hash_req(hash_req), .hash_ip6(hash_ip6), .hash_tuple(hash_tuple),
        .hash_done(hash_done), .mac_req(mac_req), .mac_seq(mac_seq), .mac_ack(mac_ack), .mac_ack_flag(mac_ack_flag),
        .mac_epoch(mac_epoch), .mac_key_select(cfg_cookie_key), .mac_done(mac_done), .mac(mac_now),
        .key_selected(mac_now_key), .command_req(push_has_tuple), .command_ip6(pushed.ip6),
        .command_tuple({pushed.remote_addr, pushed.local_addr, pushed.remote_port, pushed.local_port}),
        .command_done(cmd_hash_done), .index(hash_index), .isn(hash_isn));
      assign cmd_index = hash_index;
      assign cmd_hash_isn = hash_isn;
      assign cmd_hashed = cmd_hash_valid;
    end else begin : g_units
      logic [14:0]            hashing_q;       // bit i: a command's hash is ready i + 1 cycles from now
      logic [CMD_COUNT_W-1:0] hashed_q;        // commands in the queue whose hash is ready

      tuple_hash #(.WIDE(WIDE), .ROUNDS(HASH_ROUNDS)) u_hash (
        .clk(clk), .rst(rst), .req(hash_req), .ip6(hash_ip6), .tuple(hash_tuple), .key_index(cfg_key_index),
        .key_isn(cfg_key_isn), .done(hash_done), .index(hash_index), .isn(hash_isn));

      syn_cookie #(.WIDE(WIDE), .ROUNDS(HASH_ROUNDS)) u_cookie (
        .clk(clk), .rst(rst), .req(mac_req), .ip6(mac_ip6), .tuple(mac_tuple), .seq(mac_seq), .ack(mac_ack),
        .ack_flag(mac_ack_flag), .epoch(mac_epoch), .key_select(cfg_cookie_key), .key_a(cfg_key_cookie_a),
        .key_b(cfg_key_cookie_b), .done(mac_done), .mac(mac_now), .key_selected(mac_now_key));

      // Bodies come 17 cycles apart at 64 bits, 4 at 512.
      tuple_hash #(.LANES(WIDE != 0 ? 4 : 1)) u_command_hash (
        .clk(clk), .rst(rst), .req(push_has_tuple), .ip6(pushed.ip6),
        .tuple({pushed.remote_addr, pushed.local_addr, pushed.remote_port, pushed.local_port}),
        .key_index(cfg_key_index), .key_isn(cfg_key_isn), .done(cmd_hash_done), .index(cmd_index),
        .isn(cmd_hash_isn));

      assign cmd_hashed = hashed_q != '0;
      always_ff @(posedge clk) begin
        if (rst) begin
          hashing_q <= '0;
          hashed_q <= '0;
        end else begin
          hashing_q <= hashing_q >> 1;
          if (push_has_tuple)
            hashing_q[WIDE == 0 && !pushed.ip6 ? 8 : 14] <= 1'b1;
          hashed_q <= hashed_q + CMD_COUNT_W'(hashing_q[0]) - CMD_COUNT_W'(go_command && cmd_has_tuple);
        end
      end
    end
  endgenerate

  // The queue itself holds what T0 asks; the descriptors are beside it. The next one is taken out in every cycle that may be
  // a T0, so that T1 and T2 find it in registers.
  /* verilator lint_off UNUSEDSIGNAL */
  segment_t seg_in;
  /* verilator lint_on UNUSEDSIGNAL */
  assign seg_in = seg_data;

  fifo_reg #(.WIDTH(4), .DEPTH(SEG_DEPTH)) u_segments (
    .clk(clk), .rst(rst), .push(seg_push), .push_data({seg_in.cls, seg_in.has_hash, seg_in.has_mac}),
    .has_room(seg_room), .valid(seg_valid), .head({head_cls, head_has_hash, head_has_mac}), .pop(go_frame));

  localparam int SEG_PTR_W = SEG_DEPTH > 1 ? $clog2(SEG_DEPTH) : 1;
  localparam logic [SEG_PTR_W-1:0] SEG_LAST = SEG_PTR_W'(SEG_DEPTH - 1);
  logic [SEG_PTR_W-1:0] seg_wr_q, seg_rd_q;
  segment_t             seg_q, seg;   // of a frame in T1 and T2

  // What is 0 without IPv6 is not read: the memory that would hold it falls away.
  always_comb begin
    seg = seg_q;
    if (IP6 == 0) begin
      seg.ip6 = 1'b0;
      seg.src_addr[127:32] = '0;
      seg.dst_addr[127:32] = '0;
    end
  end

  always_ff @(posedge clk) begin
    if (seg_push)
      seg_mem[seg_wr_q] <= seg_data;
    if (may_begin)
      seg_q <= seg_mem[seg_rd_q];
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      seg_wr_q <= '0;
      seg_rd_q <= '0;
    end else begin
      if (seg_push)
        seg_wr_q <= seg_wr_q == SEG_LAST ? '0 : seg_wr_q + 1'b1;
      if (go_frame)
        seg_rd_q <= seg_rd_q == SEG_LAST ? '0 : seg_rd_q + 1'b1;
    end
  end

  fifo_reg #(.WIDTH(HASH_BITS), .DEPTH(SEG_DEPTH)) u_hashes (
    .clk(clk), .rst(rst), .push(hash_done), .has_room(hash_room),
    .push_data({hash_index[SETS_LOG2-1:0], hash_index[31:16], hash_isn}),
    .valid(hash_valid), .head({head_set, head_tag, head_isn}), .pop(go_frame && head_has_hash));

  // An op takes its MAC in T1: it may still be on its way in T0.
  fifo_reg #(.WIDTH(27), .DEPTH(SEG_DEPTH)) u_macs (
    .clk(clk), .rst(rst), .push(mac_done), .push_data({mac_now_key, mac_now}), .has_room(mac_room),
    .valid(mac_valid), .head({head_mac_key, head_mac}), .pop(mac_pop_q));

  // ---- commands: their headers, their bodies, the hashes of these ----

  command_t                 cmd_next;
  logic [COMMAND_BITS-1:0]  cmd_head;
  logic                     cmd_has_tuple, cmd_ready, push_mixed, cmd_mixed;
  logic [`HF_TUPLE_BITS-1:0] push_tuple;
  logic [SETS_LOG2-1:0]     cmd_set;
  logic [15:0]              cmd_tag;
  logic [63:0]              cmd_isn;
  // One more than wait, as it is read in T1 and T2; but one alone is taken over in T0 already: the next command with a
  // body is not hashed before that op is done.
  localparam int BODIES = CMD_DEPTH == 1 && WIDE == 0 ? 1 : CMD_DEPTH + 1;
  logic [`HF_BODY_BITS-1:0] cmd_body_mem [0:BODIES-1];
  logic [BODIES-1:0]        cmd_mixed_q;      // likewise: its addresses are not both of a family that there is
  body_t                    body_there, body_kept;
  logic [`HF_BODY_BITS-1:0] body;             // of a command in T1 and T2
  /* verilator lint_off UNUSEDSIGNAL */
  logic                     cmd_hash_valid, cmd_hash_room;
  /* verilator lint_on UNUSEDSIGNAL */

  fifo_reg #(.WIDTH(COMMAND_BITS), .DEPTH(CMD_DEPTH)) u_commands (
    .clk(clk), .rst(rst), .push(cmd_push), .has_room(cmd_room),
    .push_data({cmd_code, cmd_status, cmd_type, cmd_id, cmd_cookie}),
    .valid(cmd_valid), .head(cmd_head), .pop(go_command));

  assign cmd_next = cmd_head;
  assign push_has_tuple = cmd_push && cmd_status == `HF_STATUS_OK && (cmd_code == `HF_COMMAND_CONNECT ||
                          cmd_code == `HF_COMMAND_CLOSE || cmd_code == `HF_COMMAND_ADOPT);
  assign cmd_has_tuple = cmd_next.status == `HF_STATUS_OK && (cmd_next.code == `HF_COMMAND_CONNECT ||
                         cmd_next.code == `HF_COMMAND_CLOSE || cmd_next.code == `HF_COMMAND_ADOPT);

  command_tuple #(.IP6(IP6)) u_push_tuple (.valid(push_has_tuple), .body(cmd_body), .tuple(push_tuple), .mixed(push_mixed));
  assign pushed = push_tuple;

  fifo_reg #(.WIDTH(HASH_BITS), .DEPTH(CMD_DEPTH)) u_command_hashes (
    .clk(clk), .rst(rst), .push(cmd_hash_done), .has_room(cmd_hash_room),
    .push_data({cmd_index[SETS_LOG2-1:0], cmd_index[31:16], cmd_hash_isn}),
    .valid(cmd_hash_valid), .head({cmd_set, cmd_tag, cmd_isn}), .pop(go_command && cmd_has_tuple));

  localparam int CMD_PTR_W = BODIES > 1 ? $clog2(BODIES) : 1;
  localparam logic [CMD_PTR_W-1:0] CMD_LAST = CMD_PTR_W'(BODIES - 1);
  logic [CMD_PTR_W-1:0]   body_wr_q, body_rd_q;

  assign body_there = cmd_body_mem[body_rd_q];
  assign cmd_mixed = cmd_mixed_q[body_rd_q];
  // Without IPv6 the last four octets of an address are all that counts.
  always_comb begin
    body_kept = body_there;
    if (IP6 == 0) begin
      body_kept.remote_addr[95:0] = {16'hffff, 80'd0};
      body_kept.local_addr[95:0] = {16'hffff, 80'd0};
    end
  end
  assign body = body_kept;
  assign cmd_ready = cmd_valid && (cmd_hashed || !cmd_has_tuple);

  always_ff @(posedge clk) begin
    if (push_has_tuple) begin
      cmd_body_mem[body_wr_q] <= cmd_body;
      cmd_mixed_q[body_wr_q] <= push_mixed;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      body_wr_q <= '0;
      body_rd_q <= '0;
    end else begin
      if (push_has_tuple)
        body_wr_q <= body_wr_q == CMD_LAST ? '0 : body_wr_q + 1'b1;
      if (t2 && has_body_q)
        body_rd_q <= body_rd_q == CMD_LAST ? '0 : body_rd_q + 1'b1;
    end
  end

  // ---- room: what is in the queues, and what ops under way may still push ----

  localparam int EVENT_COUNT_W = $clog2(EVENT_DEPTH + 1) + 1;
  localparam int REPLY_COUNT_W = $clog2(REPLY_DEPTH + 1) + 1;
  logic [EVENT_COUNT_W-1:0] event_count_q;
  logic [REPLY_COUNT_W-1:0] reply_count_q;
  logic [1:0]               under_way;
  logic                     event_room, reply_room;               // for the op in T3
  logic                     event_room_t0, reply_room_t0;
  /* verilator lint_off UNUSEDSIGNAL */
  logic                     event_half_room;                      // for a sample
  /* verilator lint_on UNUSEDSIGNAL */

  assign under_way = {1'b0, |step_q[STEPS-2:FSM_CYCLES]} + {1'b0, t4};
  assign event_room = event_count_q < EVENT_COUNT_W'(EVENT_DEPTH);
  assign event_half_room = event_count_q < EVENT_COUNT_W'((EVENT_DEPTH + 1) / 2);
  assign reply_room = reply_count_q < REPLY_COUNT_W'(REPLY_DEPTH);
  assign event_room_t0 = 32'(event_count_q) + 32'(under_way) < EVENT_DEPTH;
  assign reply_room_t0 = 32'(reply_count_q) + 32'(under_way) < REPLY_DEPTH;

  always_ff @(posedge clk) begin
    if (rst) begin
      event_count_q <= '0;
      reply_count_q <= '0;
    end else begin
      event_count_q <= event_count_q + EVENT_COUNT_W'(event_push) - EVENT_COUNT_W'(event_pop);
      reply_count_q <= reply_count_q + REPLY_COUNT_W'(reply_push) - REPLY_COUNT_W'(reply_pop);
    end
  end

  // ---- T0: issue ----

  // step_q[i]: this cycle is the (i + 1)-th after the T0 of an op; pass_q[i]: likewise of a pass. t1, t2, t3: the last cycle
  // of that step, t1_first and t3_first its first one.
  localparam int STEPS = MATCH_CYCLES + READ_CYCLES + FSM_CYCLES + 1;
  localparam int T2_AT = MATCH_CYCLES + READ_CYCLES - 1, T3_AT = STEPS - 2;
  logic [STEPS-1:0] step_q, pass_q;
  logic        t1, t2, t3, t4, t1_first, t3_first, in_t3, pass_t1_first, pass_t2, pass_t3, pass_t4;
  logic [FSM_CYCLES-1:0] begun_d, begun_q;
  logic        may_q, may_begin, go_pass, go_segment, go_timeout, go;
  logic        expired_valid;
  logic [15:0] expired_slot;

  assign t1_first = step_q[0];
  assign t1 = step_q[MATCH_CYCLES-1];
  assign t2 = step_q[T2_AT];
  assign t3_first = step_q[T2_AT+1];
  assign in_t3 = |step_q[T3_AT:T2_AT+1];
  assign t3 = step_q[T3_AT];
  assign t4 = step_q[STEPS-1];
  assign pass_t1_first = pass_q[0];
  assign pass_t2 = pass_q[T2_AT];
  assign pass_t3 = pass_q[T3_AT];
  assign pass_t4 = pass_q[STEPS-1];
  assign go_frame = go_segment || go_pass;

  // The op with T0 FSM_CYCLES + 1 cycles ago or more and T4 after this cycle, at most one, and what the candidates have in
  // common with it.
  logic                 near;
  logic                 has_set_q, may_lead_q;      // an id beyond the table has no set; segments may lead a chain
  logic [SETS_LOG2-1:0] set_q;
  logic [15:0]          tag_q;
  logic                 id_exists, same_as_segment, same_tag;
  logic [SETS_LOG2-1:0] command_set;
  logic                 segment_hazard, command_hazard, expired_hazard, chain;

  assign near = |step_q[STEPS-2:FSM_CYCLES] && has_set_q;
  assign id_exists = 32'(cmd_next.id[15:0]) < SLOTS;
  assign command_set = cmd_has_tuple ? cmd_set : SETS_LOG2'(cmd_next.id[15:0] >> WAYS_LOG2);
  assign same_as_segment = near && head_set == set_q;
  // Hashes that come one after another leave time to wait.
  assign same_tag = HASH_SERIAL == 0 && may_lead_q && head_tag == tag_q;
  assign segment_hazard = same_as_segment && !same_tag;
  assign chain = HASH_SERIAL == 0 && go_segment && same_as_segment;
  assign command_hazard = near && (cmd_has_tuple || id_exists) && command_set == set_q;
  assign expired_hazard = near && SETS_LOG2'(expired_slot >> WAYS_LOG2) == set_q;

  // FSM_CYCLES cycles after a T0, of an op or a pass, there is none. (Not of step_q and pass_q, which stand far away.)
  assign begun_d = FSM_CYCLES'({begun_q, go || go_pass});
  assign may_begin = ready && may_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      begun_q <= '0;
      may_q <= 1'b1;
    end else begin
      begun_q <= begun_d;
      may_q <= begun_d == '0;
    end
  end

  op_arbiter u_arbiter (
    .free(may_begin), .segment_valid(seg_valid), .segment_cls(head_cls),
    .segment_has_hash(head_has_hash), .segment_has_mac(head_has_mac), .hash_valid(hash_valid),
    .mac_valid(mac_valid || mac_done), .segment_hazard(segment_hazard),
    .command_ready(cmd_ready), .command_hazard(command_hazard),
    .expired_valid(expired_valid), .expired_hazard(expired_hazard),
    .event_room(event_room_t0), .reply_room(reply_room_t0),
    .pass(go_pass), .segment(go_segment), .command(go_command), .timeout(go_timeout), .op(go));

  // In T1 and T2.
  logic [1:0]  op_q;
  logic [HASH_BITS-1:0]  head_q;        // the head's set, tag, ISN; the next command's set, ISN, and whether it has a set
  logic [SETS_LOG2+64:0] cmd_hash_q;
  logic [SETS_LOG2-1:0]  hash_set, cmd_hash_set;
  logic [15:0] hash_tag;
  logic [63:0] hash_now, cmd_hash_now;
  logic        cmd_has_set, may_chain_q;
  command_t    cmd_q;
  logic        has_body_q;
  logic [15:0] expired_slot_q;
  // In T2 and T3.
  tuple_t      key_q;             // of an op that has a tuple
  logic        mixed_q;
  logic [25:0] mac_q;
  logic        mac_key_q;
  // In T3 and T4.
  logic [1:0]  op_late_q;
  logic [`HF_SEGMENT_BITS-1:0] seg_late_q;
  logic [63:0] isn_late_q;
  logic [COMMAND_BITS-1:0]  cmd_late_q;
  logic [`HF_BODY_BITS-1:0] body_late_q;

  /* verilator lint_off UNUSEDSIGNAL */
  segment_t    seg_late;          // what verdict and event need of it
  /* verilator lint_on UNUSEDSIGNAL */
  command_t    cmd_late;
  logic [`HF_TUPLE_BITS-1:0] cmd_tuple;
  /* verilator lint_off UNUSEDSIGNAL */
  logic        unused_mixed;
  /* verilator lint_on UNUSEDSIGNAL */
  assign {hash_set, hash_tag, hash_now} = head_q;
  assign {cmd_hash_set, cmd_hash_now, cmd_has_set} = cmd_hash_q;
  assign seg_late = seg_late_q;
  assign cmd_late = cmd_late_q;

  command_tuple #(.IP6(IP6)) u_command_tuple (.valid(|step_q[MATCH_CYCLES-1:0]), .body(BODIES == 1 ? body_late_q : body), .tuple(cmd_tuple), .mixed(unused_mixed));

  always_ff @(posedge clk) begin
    if (rst) begin
      step_q <= '0;
      pass_q <= '0;
      mac_pop_q <= 1'b0;
    end else begin
      step_q <= {step_q[STEPS-2:0], go};
      pass_q <= {pass_q[STEPS-2:0], go_pass};
      mac_pop_q <= go_frame && head_has_mac;
    end

    // T0. What does not begin is not looked at; which one does is known last.
    if (may_begin) begin
      cmd_q <= cmd_next;
      head_q <= {head_set, head_tag, head_isn};
      cmd_hash_q <= {command_set, cmd_isn, cmd_has_tuple || id_exists};
      expired_slot_q <= expired_slot;
      op_q <= go_command ? `HF_OP_COMMAND : go_timeout ? `HF_OP_TIMEOUT :
              head_cls == `HF_CLASS_SEG ? `HF_OP_SEGMENT : `HF_OP_ICMP;
      may_chain_q <= go_segment;
      has_body_q <= go_command && cmd_has_tuple;
    end

    // T1. No other op is looked for in its first cycle.
    if (t1_first) begin
      set_q <= op_q == `HF_OP_COMMAND ? cmd_hash_set : op_q == `HF_OP_TIMEOUT ? SETS_LOG2'(expired_slot_q >> WAYS_LOG2) : hash_set;
      tag_q <= hash_tag;
      has_set_q <= op_q != `HF_OP_COMMAND || cmd_has_set;
      may_lead_q <= may_chain_q;
    end
    if (t1_first || pass_t1_first) begin
      key_q <= op_q == `HF_OP_COMMAND ? cmd_tuple :
               {seg.ip6, seg.src_addr, seg.dst_addr, seg.src_port, seg.dst_port};
      mixed_q <= cmd_mixed;
      mac_q <= head_mac;
      mac_key_q <= head_mac_key;
    end

    // T2
    if (t2 || pass_t2) begin
      op_late_q <= op_q;
      seg_late_q <= seg;
      isn_late_q <= op_q == `HF_OP_COMMAND ? cmd_hash_now : hash_now;
      cmd_late_q <= cmd_q;
      if (BODIES > 1) body_late_q <= body;
    end
    // Until it begins it does no harm: there is no other one before its hash is there.
    if (BODIES == 1 && cmd_ready && cmd_has_tuple)
      body_late_q <= body;
  end

  // With a T2 of several cycles the next op may be in T1 while this one is in T3.
  tuple_t      key_late;
  logic        mixed_late, mac_key_late;
  logic [25:0] mac_late;
  cut #(.WIDTH(`HF_TUPLE_BITS + 28), .ON(READ_CYCLES - 1)) u_late (
    .clk(clk), .take(t2), .d({key_q, mixed_q, mac_key_q, mac_q}), .q({key_late, mixed_late, mac_key_late, mac_late}));

  // ---- T1 to T3: table, listener, function ----

  logic [15:0]             slot;
  logic [`HF_TCB_BITS-1:0] entry;
  logic                    key_match, slot_exists, id_match, insertable, victim;

  logic                    write_q, insert_q, free_q;
  logic [`HF_TCB_BITS-1:0] after_q;

  conn_table #(
    .SETS_LOG2(SETS_LOG2), .WAYS(WAYS), .IP6(IP6), .MATCH_CYCLES(MATCH_CYCLES), .READ_CYCLES(READ_CYCLES)
  ) u_table (
    .clk(clk), .rst(rst), .ready(ready), .sweep_last(sweep_last),
    .t0_may(may_begin), .t0(go), .by_tag_t0(go_segment || (go_command && cmd_has_tuple)),
    .segment_t0(go_segment), .segment_set(head_set), .command_set(cmd_set), .t0_tag(go_segment ? head_tag : cmd_tag), .chain(chain),
    .t1_first(t1_first), .t1(t1), .may_evict(op_q == `HF_OP_COMMAND),
    .slot_given(op_q == `HF_OP_COMMAND ? cmd_q.id[15:0] : expired_slot_q),
    .t2(t2), .key(key_q), .generation(cmd_q.id[31:16]),
    .slot(slot), .entry(entry), .key_match(key_match), .slot_exists(slot_exists), .id_match(id_match),
    .insertable(insertable), .victim(victim),
    .t4(t4), .write(write_q), .free(free_q), .entry_after(after_q),
    .tick_1ms(tick_1ms), .ms(ms[23:0]), .expired_valid(expired_valid), .expired_slot(expired_slot),
    .expired_taken(go_timeout), .expired_done(t4 && op_late_q == `HF_OP_TIMEOUT));

  logic        listener_found, listener_bypass, listener_sent;
  logic [3:0]  listener_index, count_index;
  logic [15:0] listener_backlog, listener_half_open;
  logic [2:0]  listener_opts;
  logic [23:0] listener_epoch;
  logic        enter, leave, cookie_q;

  listen_table #(.LISTENERS(LISTENERS), .IP6(IP6), .MATCH_CYCLES(MATCH_CYCLES)) u_listen (
    .clk(clk), .rst(rst),
    .commit(listen_commit), .commit_index(listen_index), .commit_mode(listen_mode), .commit_addr(listen_addr),
    .commit_port(listen_port), .commit_backlog(listen_backlog), .commit_opts(listen_opts),
    .local_addrs(cfg_local_addrs), .local6_addrs(cfg_local6_addrs),
    .read_index(listen_read_index), .read_half_open(listen_half_open),
    .lookup_first(t1_first), .lookup(t1), .lookup_ip6(seg.ip6), .lookup_addr(seg.dst_addr), .lookup_port(seg.dst_port),
    .ask(t3_first), .found(listener_found), .found_bypass(listener_bypass), .found_index(listener_index),
    .found_backlog(listener_backlog), .found_opts(listener_opts), .found_half_open(listener_half_open),
    .found_sent(listener_sent), .found_epoch(listener_epoch),
    .enter(enter), .leave(leave), .cookie(t4 && cookie_q), .cookie_epoch(seg_late.stamp[59:36]),
    .count_index(count_index));

  // ---- source rules, counts of SYNs, samples ----

  logic       rule_denies, rule_empty;   // in T3
  logic       listener_syn, syn_q;       // in T3, in T4
  logic [3:0] listener_q;                // in T4: the SYN's listener, or the entry's
  logic [4:0] cause_q;
  logic       sample_there, sample;      // in T4

  assign sample = syn_q && sample_there;

  generate
    if (RULES != 0) begin : g_rules
      rule_table #(.RULES(RULES), .MATCH_CYCLES(MATCH_CYCLES), .IP6(IP6)) u_rules (
        .clk(clk), .rst(rst), .tick_1ms(tick_1ms),
        .commit(rule_commit), .commit_index(rule_index), .commit_rule(rule_staged),
        .read_index(rule_read_index), .read_drops(rule_drops),
        .lookup_first(t1_first), .lookup(t1), .lookup_ip6(seg.ip6), .lookup_addr(seg.src_addr),
        .ask(t3_first), .denies(rule_denies), .empty(rule_empty), .syn(t4 && syn_q),
        .drop(t4 && (cause_q == `HF_CAUSE_DENIED || cause_q == `HF_CAUSE_SOURCE_LIMITED)));

      syn_watch #(.LISTENERS(LISTENERS)) u_watch (
        .clk(clk), .rst(rst), .every(cfg_sample), .restart(sample_restart),
        .read_index(listen_read_index), .read_syns(listen_syns),
        .ask(t3_first), .half_room(event_half_room), .syn(t4 && syn_q), .listener(listener_q), .sample(sample_there));
    end else begin : g_no_rules
      assign {rule_denies, rule_empty, sample_there} = '0;
      assign {rule_drops, listen_syns} = '0;
    end
  endgenerate

  // ---- limits ----

  logic rst_token, synack_token, miss_token;
  logic take_rst_q, take_synack_q, take_miss_q;

  rate_limit #(.RESET(16'(`HF_RESET_RST_LIMIT >> 16))) u_rst_limit (
    .clk(clk), .rst(rst), .tick_1ms(tick_1ms), .rate(cfg_rst_limit[15:0]), .burst(cfg_rst_limit[31:16]),
    .take(t4 && take_rst_q), .there(rst_token));
  rate_limit #(.RESET(16'(`HF_RESET_SYNACK_LIMIT >> 16))) u_synack_limit (
    .clk(clk), .rst(rst), .tick_1ms(tick_1ms), .rate(cfg_synack_limit[15:0]), .burst(cfg_synack_limit[31:16]),
    .take(t4 && take_synack_q), .there(synack_token));
  rate_limit #(.RESET(16'(`HF_RESET_MISS_LIMIT >> 16))) u_miss_limit (
    .clk(clk), .rst(rst), .tick_1ms(tick_1ms), .rate(cfg_miss_limit[15:0]), .burst(cfg_miss_limit[31:16]),
    .take(t4 && take_miss_q), .there(miss_token));

  // A token is taken only where there was a limit in the cycle that asked for it.
  logic rst_limited, synack_limited, miss_limited;
  cut #(.WIDTH(3), .ON(FSM_CYCLES - 1)) u_limited (
    .clk(clk), .take(t3_first),
    .d({cfg_rst_limit[15:0] != 16'd0, cfg_synack_limit[15:0] != 16'd0, cfg_miss_limit[15:0] != 16'd0}),
    .q({rst_limited, synack_limited, miss_limited}));

  logic                      hit, write, insert, free, completion, new_id;
  logic [2:0]                send;
  logic                      cookie, take_rst, take_synack, take_miss, clear_complete, by_cookie, no_entry;
  logic [3:0]                state_before;
  logic [`HF_TCB_BITS-1:0]   after;
  logic [1:0]                op_verdict;
  logic [4:0]                op_cause;
  logic [7:0]                event_now, status;
  logic [15:0]               rtt_ms, rto_ms;
  logic                      cnt_opt_malformed, cnt_ws_clamped, cnt_syn_accepted, cnt_retransmit, cnt_timeout;
  logic                      cnt_challenge_limited, cnt_icmp_hard, cnt_tw_reused, cnt_evict_host, cnt_evict_time_wait;
  logic                      cnt_connect, cnt_close, cnt_tx_syn, cnt_tx_synack, cnt_tx_ack, cnt_tx_rst, cnt_tx_fin;
  logic                      cnt_command, cnt_reset, cnt_cookie_bad, cnt_synack_limited;

  tcp_fsm #(.FSM_CYCLES(FSM_CYCLES)) u_fsm (
    .clk(clk), .first(t3_first), .valid(in_t3),
    .op(op_late_q), .segment(seg_late_q), .isn(isn_late_q), .mac(mac_late), .mac_key(mac_key_late),
    .command(cmd_late.code), .command_status(cmd_late.status),
    .command_body(body_late_q), .command_mixed(mixed_late), .tuple(key_late),
    .entry(entry), .key_match(key_match), .slot_exists(slot_exists), .id_match(id_match), .insertable(insertable),
    .victim(victim),
    .listener_found(listener_found), .listener_bypass(listener_bypass), .listener_index(listener_index),
    .listener_backlog(listener_backlog), .listener_half_open(listener_half_open), .listener_opts(listener_opts),
    .listener_sent(listener_sent), .listener_epoch(listener_epoch),
    .rule_denies(rule_denies), .rule_empty(rule_empty), .listener_syn(listener_syn),
    .ms(ms[23:0]), .clock_4us(time_ns[43:12]), .host_alive(host_alive), .ts_offset_off(cfg_ts_offset_off),
    .ts_relaxed(cfg_ts_relaxed), .tw_rst_closes(cfg_tw_rst_closes), .ecn(cfg_ecn), .syn_rto_ms(cfg_syn_rto_ms),
    .syn_rto_max_ms(cfg_syn_rto_max_ms), .synack_retries(cfg_synack_retries), .connect_ms(cfg_connect_ms),
    .close_ms(cfg_close_ms), .fin_wait_2_ms(cfg_fin_wait_2_ms), .time_wait_ms(cfg_time_wait_ms),
    .challenge_limit(cfg_challenge_limit), .challenge_ms(cfg_challenge_ms), .our_mss(cfg_mss), .our_mss6(cfg_mss6),
    .mss_floor(cfg_mss_floor), .our_rcv_wnd(cfg_rcv_wnd), .our_wscale(cfg_wscale),
    .cookie_mode(cfg_cookie_mode), .cookie_lifetime(cfg_cookie_lifetime), .cookie_on(cookie_on),
    .over_high(half_open >= cfg_cookie_high), .cache_complete(cache_complete),
    .rst_token(rst_token), .synack_token(synack_token), .miss_token(miss_token),
    .reply_room(reply_room), .event_room(event_room),
    .hit(hit), .state_before(state_before), .entry_after(after), .write(write), .insert(insert), .free(free),
    .cookie(cookie), .take_rst(take_rst), .take_synack(take_synack), .take_miss(take_miss),
    .cache_clear(clear_complete),
    .verdict(op_verdict), .cause(op_cause), .send(send), .event_code(event_now),
    .event_cookie(by_cookie), .event_no_entry(no_entry),
    .rtt_ms(rtt_ms), .rto_ms(rto_ms), .completion(completion), .status(status), .new_id(new_id),
    .cnt_opt_malformed(cnt_opt_malformed), .cnt_ws_clamped(cnt_ws_clamped), .cnt_syn_accepted(cnt_syn_accepted),
    .cnt_retransmit(cnt_retransmit), .cnt_timeout(cnt_timeout), .cnt_reset(cnt_reset),
    .cnt_challenge_limited(cnt_challenge_limited), .cnt_cookie_bad(cnt_cookie_bad),
    .cnt_synack_limited(cnt_synack_limited), .cnt_icmp_hard(cnt_icmp_hard), .cnt_tw_reused(cnt_tw_reused),
    .cnt_evict_host(cnt_evict_host), .cnt_evict_time_wait(cnt_evict_time_wait), .cnt_connect(cnt_connect),
    .cnt_close(cnt_close), .cnt_tx_syn(cnt_tx_syn), .cnt_tx_synack(cnt_tx_synack), .cnt_tx_ack(cnt_tx_ack),
    .cnt_tx_rst(cnt_tx_rst), .cnt_tx_fin(cnt_tx_fin), .cnt_command(cnt_command));

  // ---- the function's value, registered at the end of T3 ----

  /* verilator lint_off UNUSEDSIGNAL */
  tcb_t                      old, after_fields, written;    // generation, listener, active, state
  /* verilator lint_on UNUSEDSIGNAL */
  logic                      was_half_open, is_half_open;
  logic                      hit_q, enter_q, leave_q, passive_q, completion_q;
  logic [2:0]                send_q;
  logic                      clear_q, event_cookie_q, no_entry_q;
  logic [3:0]                state_before_q;
  logic [1:0]                verdict_q;
  logic [15:0]               mss_q, mss6_q;
  logic [15:0]               rtt_q, rto_q;
  logic [31:0]               ms_q;
  logic [63:0]               time_q;
  logic [7:0]                event_code_q, status_q;
  logic                      new_id_q;
  logic [20:0]               cnt_q;

  assign old = entry;
  assign after_fields = after;
  assign written = after_q;
  assign was_half_open = hit && old.state == `HF_STATE_SYN_RECEIVED;
  assign is_half_open = after_fields.state == `HF_STATE_SYN_RECEIVED && !free;

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
      cookie_q <= cookie;
      syn_q <= listener_syn;
      listener_q <= is_half_open ? after_fields.listener : old.listener;
      passive_q <= is_half_open ? !after_fields.active : !old.active;
      take_rst_q <= take_rst && rst_limited;
      take_synack_q <= take_synack && synack_limited;
      take_miss_q <= take_miss && miss_limited;
      clear_q <= clear_complete;
      verdict_q <= op_verdict;
      cause_q <= op_cause;
      send_q <= send;
      event_code_q <= event_now;
      event_cookie_q <= by_cookie;
      no_entry_q <= no_entry;
      rtt_q <= rtt_ms;
      rto_q <= rto_ms;
      completion_q <= completion;
      status_q <= status;
      new_id_q <= new_id;
      cnt_q <= {cnt_opt_malformed, cnt_ws_clamped, cnt_syn_accepted, cnt_retransmit, cnt_timeout, cnt_reset,
                cnt_challenge_limited, cnt_icmp_hard, cnt_tw_reused, cnt_evict_host, cnt_evict_time_wait,
                cnt_connect, cnt_close, cnt_tx_syn, cnt_tx_synack, cnt_tx_ack, cnt_tx_rst, cnt_tx_fin, cnt_command,
                cnt_cookie_bad, cnt_synack_limited};
    end
    if (t3_first) begin
      mss_q <= cfg_mss;
      mss6_q <= cfg_mss6;
      ms_q <= ms;
      time_q <= time_ns;
    end
    if (pass_t3) begin
      hit_q <= 1'b0;
      insert_q <= 1'b0;
      verdict_q <= seg_late.cls == `HF_CLASS_HOST ? `HF_VERDICT_HOST : `HF_VERDICT_DROP;
      cause_q <= seg_late.cause;
    end
  end

  // ---- T4: effects ----

  logic frame_t4, is_frame;
  assign is_frame = op_late_q == `HF_OP_SEGMENT || op_late_q == `HF_OP_ICMP;
  assign frame_t4 = t4 && is_frame;

  // A connection that we opened is half-open too, but of no listener.
  assign enter = t4 && enter_q && passive_q;
  assign leave = t4 && leave_q && passive_q;
  assign count_index = listener_q;
  assign cache_clear = t4 && clear_q;

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

  assign reply_push = t4 && send_q != `HF_SEND_NOTHING;

  tcp_reply u_reply (
    .valid(t4), .send(send_q), .cookie(cookie_q), .entry(after_q), .seg_ack(seg_late.ack), .seg_ts_ok(seg_late.ts_ok),
    .seg_tsval(seg_late.tsval), .ms(ms_q), .our_mss(mss_q), .our_mss6(mss6_q), .reply(reply_data));

  // An entry's generation changes only when it takes its slot, so the id is that of the entry after.
  logic        established;
  logic [31:0] entry_id;
  tcb_t        told;
  assign established = event_code_q == `HF_EVENT_ESTABLISHED;
  assign entry_id = {written.generation, slot};
  assign event_push = t4 && (event_code_q != `HF_EVENT_NONE || completion_q || sample);
  assign event_completion = completion_q;
  always_comb begin
    event_id = entry_id;
    if (completion_q && !new_id_q) event_id = cmd_late.id;
    if ((event_cookie_q && no_entry_q) || sample) event_id = 32'hffffffff;
    event_stamp = time_q;
    if (is_frame) event_stamp = seg_late.stamp;
    if (op_late_q == `HF_OP_COMMAND) event_stamp = cmd_late.cookie;
    // Of a freed entry: as it was before, but CLOSED.
    told = written;
    if (free_q) told.state = `HF_STATE_CLOSED;
    // Of a sample: event_queue leaves out what has not become of the SYN.
    if (sample) begin
      told.state = `HF_STATE_LISTEN;
      told.mss = {11'd0, cause_q};
    end
  end
  assign event_status = status_q;
  assign event_command = cmd_late.status == `HF_STATUS_OK ? {1'b0, cmd_late.code} : {1'b1, cmd_late.msg_type};
  assign event_code = sample ? `HF_EVENT_SAMPLE : event_code_q;
  assign event_cookie = event_cookie_q;
  assign event_entry = told;
  assign event_frame_follows = verdict_q == `HF_VERDICT_HOST;
  assign event_seg_seq = established ? seg_late.seq : 32'd0;
  assign event_seg_ack = established ? seg_late.ack : 32'd0;
  assign event_seg_wnd = established ? seg_late.wnd : 16'd0;
  assign event_tsecr = established && seg_late.ts_ok ? seg_late.tsecr : 32'd0;
  assign event_rtt_ms = rtt_q;
  assign event_rto_ms = rto_q;
  assign event_now_ms = ms_q;

  // One verdict per descriptor.
  assign verdict_push = frame_t4 || pass_t4;
  assign verdict = verdict_q;
  assign verdict_is_seg = !pass_t4;
  assign verdict_conn = hit_q || insert_q;
  assign verdict_id = verdict_conn ? entry_id : 32'hffffffff;
  assign verdict_stamp = seg_late.stamp;
  assign verdict_length = seg_late.length;
  assign verdict_beats = seg_late.beats;
  assign verdict_lost = seg_late.lost;

  // ---- counters ----

  always_comb begin
    inc = '0;
    if (verdict_push) begin
      inc[`HF_CNT_RX_CONSUMED] = verdict == `HF_VERDICT_CONSUME;
      inc[`HF_CNT_RX_HOST] = verdict == `HF_VERDICT_HOST;
      if (verdict == `HF_VERDICT_DROP) begin
        case (cause_q)
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
          `HF_CAUSE_NO_CONNECTION: inc[`HF_CAUSE_CNT_NO_CONNECTION] = 1'b1;
          `HF_CAUSE_RST_LIMITED:   inc[`HF_CAUSE_CNT_RST_LIMITED] = 1'b1;
          `HF_CAUSE_HOST_LIMITED:  inc[`HF_CAUSE_CNT_HOST_LIMITED] = 1'b1;
          `HF_CAUSE_DENIED:        inc[`HF_CAUSE_CNT_DENIED] = 1'b1;
          `HF_CAUSE_SOURCE_LIMITED: inc[`HF_CAUSE_CNT_SOURCE_LIMITED] = 1'b1;
          default: ;
        endcase
      end
    end
    if (t4) begin
      inc[`HF_CNT_ESTABLISHED] = established;
      inc[`HF_CNT_COOKIES_SENT] = cookie_q;
      inc[`HF_CNT_COOKIES_ACCEPTED] = event_cookie_q;
      inc[`HF_CNT_COOKIE_NO_ENTRY] = event_cookie_q && no_entry_q;
      {inc[`HF_CNT_OPT_MALFORMED], inc[`HF_CNT_WS_CLAMPED], inc[`HF_CNT_SYN_ACCEPTED], inc[`HF_CNT_RETRANSMITS],
       inc[`HF_CNT_TIMEOUTS], inc[`HF_CNT_RESETS], inc[`HF_CNT_CHALLENGE_LIMITED], inc[`HF_CNT_ICMP_HARD],
       inc[`HF_CNT_TW_REUSED], inc[`HF_CNT_EVICT_HOST], inc[`HF_CNT_EVICT_TIME_WAIT], inc[`HF_CNT_CONNECTS],
       inc[`HF_CNT_CLOSES], inc[`HF_CNT_TX_SYN], inc[`HF_CNT_TX_SYNACK], inc[`HF_CNT_TX_ACK], inc[`HF_CNT_TX_RST],
       inc[`HF_CNT_TX_FIN], inc[`HF_CNT_COMMANDS], inc[`HF_CNT_COOKIE_BAD], inc[`HF_CNT_SYNACK_LIMITED]} = cnt_q;
    end
  end

  // ---- trace: what T4 did, shown in T5 ----

  // A free slot keeps nothing but how often it was used.
  tcb_t traced;
  always_comb begin
    traced = written;
    if (free_q) begin
      traced = '0;
      traced.generation = written.generation;
    end
  end

  always_ff @(posedge clk) begin
    trc_valid <= t4 && !rst;
    if (t4) begin
      trc_op <= op_late_q;
      trc_write <= write_q;
      trc_slot <= slot;
      trc_state <= state_before_q;
      trc_verdict <= verdict_q;
      trc_cause <= cause_q;
      trc_entry <= traced;
      case (op_late_q)
        `HF_OP_SEGMENT, `HF_OP_ICMP: trc_stamp <= seg_late.stamp;
        `HF_OP_COMMAND: trc_stamp <= cmd_late.cookie;
        default: trc_stamp <= '0;
      endcase
    end
  end

endmodule
