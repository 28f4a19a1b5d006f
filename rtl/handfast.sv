// SPDX-License-Identifier: Apache-2.0
// handfast - TCP connection setup in hardware: the core's pins and how its units are wired.
//
// What    opening and closing of TCP connections (RFC 9293) over IPv4 and IPv6: frames of the wire come in, SYNs
//         are answered, the host's opens and closes carried out, finished connections become events for the
//         host, all else goes up to it unchanged.
// Input   s_axis_rx: frames without FCS, never stalled; tuser on the last beat marks a bad FCS.
//         s_axis_h2c: messages of the host (regs/message.def). s_axil: registers (regs/regs.def). time_ns: monotonic;
//         tick_1ms: one clock each millisecond.
// Output  m_axis_tx: frames without FCS, no gap within a frame while tready is 1. m_axis_c2h: messages to the
//         host. ready: the table is swept. trc_*: one line for each op, for simulation; trc_entry is
//         the packed entry of regs/tcb.def, its first field most significant.
// Timing  docs/architecture.md, to the cycle. Every output depends on registers only. The pins are those of
//         cmodel/pins.def; byte 0 of a frame or message is tdata[7:0].
`include "handfast_defs.svh"
`include "engine_defs.svh"
module handfast #(
  parameter int DATA_W = 64,            // bits of every stream: 64 or 512
  parameter int SETS_LOG2 = 8,          // log2 of the sets of the connection table
  parameter int WAYS = 4,               // 1, 2, 4 or 8 slots per set
  parameter int LISTENERS = 16,         // 1 to 16
  parameter int RULES = 8,              // source rules, 0 to 16; 0: no samples either, nor counts of SYNs
  parameter int MAX_FRAME = 1522,       // bytes without FCS
  parameter int SEG_DEPTH = 16,         // frames in flight between first beat and verdict
  parameter int STAGE_BEATS = 512,
  parameter int HOST_FIFO_BEATS = 2048,
  parameter int EVENT_DEPTH = 32,
  parameter int REPLY_DEPTH = 32,
  parameter int CMD_DEPTH = 4,
  parameter int TX_BEATS = 512,
  parameter int TX_DESCS = 16,
  parameter int HASH_ROUNDS = 1,        // 2: at 64 bits half the logic for hashes, but twice as deep; same behaviour
  parameter int HASH_SERIAL = 0,        // 1: at 64 bits one hash after another, a seventh of the logic; later
  parameter int IP6 = 1,                // 0: frames of IPv6 go to the host as those of any other EtherType
  // Cycles of steps that have one; more make them shorter, for a faster clock. 1 to 8; more than 1 only at 64 bits and
  // with HASH_SERIAL.
  parameter int MATCH_CYCLES = 1,       // T1
  parameter int READ_CYCLES = 1,        // T2
  parameter int FSM_CYCLES = 1,         // T3
  parameter int PARSE_CYCLES = 1,       // from a frame's checksum to its descriptor
  parameter int BUILD_CYCLES = 1        // from a reply's descriptor to its frame
) (
  input  logic                    clk,
  input  logic                    rst,
  input  logic [63:0]             time_ns,
  input  logic                    tick_1ms,
  output logic                    ready,

  // wire in
  input  logic [DATA_W-1:0]       s_axis_rx_tdata,
  input  logic [DATA_W/8-1:0]     s_axis_rx_tkeep,
  input  logic                    s_axis_rx_tvalid,
  input  logic                    s_axis_rx_tlast,
  input  logic                    s_axis_rx_tuser,

  // wire out
  output logic                    m_axis_tx_tvalid,
  output logic [DATA_W-1:0]       m_axis_tx_tdata,
  output logic [DATA_W/8-1:0]     m_axis_tx_tkeep,
  output logic                    m_axis_tx_tlast,
  input  logic                    m_axis_tx_tready,

  // card to host
  output logic                    m_axis_c2h_tvalid,
  output logic [DATA_W-1:0]       m_axis_c2h_tdata,
  output logic                    m_axis_c2h_tlast,
  input  logic                    m_axis_c2h_tready,

  // host to card
  input  logic [DATA_W-1:0]       s_axis_h2c_tdata,
  input  logic                    s_axis_h2c_tvalid,
  input  logic                    s_axis_h2c_tlast,
  output logic                    s_axis_h2c_tready,

  // AXI-Lite
  input  logic [11:0]             s_axil_awaddr,
  input  logic                    s_axil_awvalid,
  output logic                    s_axil_awready,
  input  logic [31:0]             s_axil_wdata,
  input  logic [3:0]              s_axil_wstrb,
  input  logic                    s_axil_wvalid,
  output logic                    s_axil_wready,
  output logic                    s_axil_bvalid,
  output logic [1:0]              s_axil_bresp,
  input  logic                    s_axil_bready,
  input  logic [11:0]             s_axil_araddr,
  input  logic                    s_axil_arvalid,
  output logic                    s_axil_arready,
  output logic                    s_axil_rvalid,
  output logic [31:0]             s_axil_rdata,
  output logic [1:0]              s_axil_rresp,
  input  logic                    s_axil_rready,

  // trace
  output logic                    trc_valid,
  output logic [1:0]              trc_op,
  output logic                    trc_write,
  output logic [15:0]             trc_slot,
  output logic [3:0]              trc_state,
  output logic [1:0]              trc_verdict,
  output logic [4:0]              trc_cause,
  output logic [63:0]             trc_stamp,
  output logic [`HF_TCB_BITS-1:0] trc_entry
);

  // Each unit refuses what it cannot build; what two of them share is checked here.
  localparam int WIDE = DATA_W == 64 ? 0 : 1;
  localparam int FRAME_BEATS = (MAX_FRAME + DATA_W / 8 - 1) / (DATA_W / 8);

  generate
    if (DATA_W != 64 && DATA_W != 512) begin : g_illegal_width
      handfast_DATA_W_must_be_64_or_512 illegal ();
    end
    if (HASH_SERIAL != 0 && DATA_W != 64) begin : g_illegal_serial
      handfast_HASH_SERIAL_needs_DATA_W_64 illegal ();
    end
    if (MATCH_CYCLES < 1 || MATCH_CYCLES > 8 || READ_CYCLES < 1 || READ_CYCLES > 8 || FSM_CYCLES < 1 || FSM_CYCLES > 8 ||
        PARSE_CYCLES < 1 || PARSE_CYCLES > 8 || BUILD_CYCLES < 1 || BUILD_CYCLES > 8) begin : g_illegal_cycles
      handfast_cycles_of_a_step_must_be_1_to_8 illegal ();
    end
    if (MATCH_CYCLES + READ_CYCLES > FSM_CYCLES + 1) begin : g_illegal_step
      handfast_MATCH_CYCLES_and_READ_CYCLES_must_be_at_most_FSM_CYCLES_plus_1_together illegal ();
    end
    if ((DATA_W != 64 || HASH_SERIAL == 0) && (MATCH_CYCLES > 1 || READ_CYCLES > 1 || FSM_CYCLES > 1 ||
                                               PARSE_CYCLES > 1 || BUILD_CYCLES > 1)) begin : g_illegal_slow
      handfast_steps_of_several_cycles_need_DATA_W_64_and_HASH_SERIAL illegal ();
    end
    if (STAGE_BEATS < FRAME_BEATS || TX_BEATS < FRAME_BEATS || HOST_FIFO_BEATS < FRAME_BEATS + 2) begin : g_illegal
      handfast_STAGE_BEATS_HOST_FIFO_BEATS_and_TX_BEATS_must_hold_a_MAX_FRAME illegal ();
    end
  endgenerate

  logic                        sweep_last;
  logic [31:0]                 ms;
  logic                        host_alive;

  logic                        cfg_enable, cfg_allow_loopback, cfg_ts_offset_off, cfg_ts_relaxed;
  logic                        cfg_tw_rst_closes, cfg_ecn;
  logic [15:0]                 cfg_syn_rto_ms, cfg_syn_rto_max_ms, cfg_mss, cfg_mss6, cfg_mss_floor, cfg_challenge_ms;
  logic [21:0]                 cfg_connect_ms, cfg_close_ms, cfg_fin_wait_2_ms, cfg_time_wait_ms;
  logic [3:0]                  cfg_synack_retries, cfg_wscale, cfg_challenge_limit;
  logic [29:0]                 cfg_rcv_wnd;
  logic [7:0]                  cfg_ttl, cfg_tos;
  logic [47:0]                 cfg_mac;
  logic [127:0]                cfg_local_addrs, cfg_key_index, cfg_key_isn, cfg_key_cookie_a, cfg_key_cookie_b;
  logic [1:0]                  cfg_cookie_mode, cfg_cookie_lifetime;
  logic                        cfg_cookie_key, cookie_on, cache_complete, cache_clear;
  logic [16:0]                 cfg_cookie_high;
  logic [31:0]                 cfg_rst_limit, cfg_synack_limit, cfg_miss_limit;
  logic [7:0]                  cfg_tx_share;
  logic [255:0]                cfg_local6_addrs;

  logic                        listen_commit;
  logic [3:0]                  listen_index, listen_read_index;
  logic [1:0]                  listen_mode;
  logic [127:0]                listen_addr;
  logic [15:0]                 listen_port, listen_backlog, listen_half_open;
  logic [3:0]                  listen_opts;
  logic [31:0]                 listen_syns, rule_drops;
  logic                        rule_commit, sample_restart;
  logic [3:0]                  rule_index, rule_read_index;
  logic [`HF_RULE_BITS-1:0]    rule_staged;
  logic [19:0]                 cfg_sample;

  logic                        stage_push, stage_has_space, mover_take;
  logic [DATA_W-1:0]           stage_data;
  logic                        hash_req, hash_ip6, mac_req, mac_ip6, mac_ack_flag;
  logic [287:0]                hash_tuple, mac_tuple;
  logic [31:0]                 mac_seq, mac_ack;
  logic [23:0]                 mac_epoch;
  logic                        seg_push;
  logic [`HF_SEGMENT_BITS-1:0] seg_data;

  logic                        verdict_push, verdict_is_seg, verdict_conn, verdict_lost;
  logic [1:0]                  verdict;
  logic [31:0]                 verdict_id;
  logic [63:0]                 verdict_stamp;
  logic [13:0]                 verdict_length;
  logic [10:0]                 verdict_beats;

  logic                        reply_push, reply_pop;
  logic [`HF_REPLY_BITS-1:0]   reply_data;

  logic                        event_push, event_completion, event_cookie, event_frame_follows, event_pop;
  logic [31:0]                 event_id, event_seg_seq, event_seg_ack, event_tsecr, event_now_ms;
  logic [63:0]                 event_stamp;
  logic [7:0]                  event_status, event_code;
  logic [8:0]                  event_command;
  logic [15:0]                 event_seg_wnd, event_rtt_ms, event_rto_ms;
  logic [`HF_TCB_BITS-1:0]     event_entry;

  logic                        ev_valid, ev_tlast, ev_take;
  logic [DATA_W-1:0]           ev_tdata;
  logic                        host_valid, host_tlast, host_take;
  logic [DATA_W-1:0]           host_tdata;

  logic                        reg_req, reg_write, reg_ack;
  logic [31:0]                 reg_addr, reg_wdata, reg_rdata;
  logic [7:0]                  reg_status;

  logic                        cmd_push, cmd_room;
  logic [7:0]                  cmd_code, cmd_status, cmd_type;
  logic [31:0]                 cmd_id;
  logic [63:0]                 cmd_cookie;
  logic [`HF_BODY_BITS-1:0]    cmd_body;

  logic                        txf_write, txf_last, txf_csum, txf_abort, txf_ready;
  logic [DATA_W-1:0]           txf_data;
  logic [13:0]                 txf_length;
  logic [15:0]                 txf_start, txf_offset;

  logic                        tb_valid, tb_tlast, tb_take, th_valid, th_tlast, th_take;
  logic [DATA_W-1:0]           tb_tdata, th_tdata;
  logic [DATA_W/8-1:0]         tb_tkeep, th_tkeep;

  // ---- counters: each unit's increments, gathered ----

  logic [16:0]                 half_open, entries;
  logic [`HF_CNT_COUNT-1:0]    engine_inc, inc;
  logic                        cnt_rx_frames, cnt_drop_not_ready, cnt_drop_overrun, cnt_drop_host_fifo;
  logic                        cnt_tx_frames, cnt_tx_host, cnt_h2c_messages, cnt_h2c_bad;

  always_comb begin
    inc = engine_inc;
    inc[`HF_CNT_RX_FRAMES] = cnt_rx_frames;
    inc[`HF_CNT_DROP_NOT_READY] = cnt_drop_not_ready;
    inc[`HF_CNT_DROP_OVERRUN] = cnt_drop_overrun;
    inc[`HF_CNT_DROP_HOST_FIFO] = cnt_drop_host_fifo;
    inc[`HF_CNT_TX_FRAMES] = cnt_tx_frames;
    inc[`HF_CNT_TX_HOST] = cnt_tx_host;
    inc[`HF_CNT_H2C_MESSAGES] = cnt_h2c_messages;
    inc[`HF_CNT_H2C_BAD] = cnt_h2c_bad;
  end

  // ---- receive ----

  generate
    if (WIDE != 0) begin : g_parser_wide
      rx_parser_wide #(.MAX_FRAME(MAX_FRAME), .SEG_DEPTH(SEG_DEPTH), .IP6(IP6)) u_parser (
        .clk(clk), .rst(rst), .ready(ready), .time_ns(time_ns),
        .s_axis_rx_tdata(s_axis_rx_tdata), .s_axis_rx_tkeep(s_axis_rx_tkeep), .s_axis_rx_tvalid(s_axis_rx_tvalid),
        .s_axis_rx_tlast(s_axis_rx_tlast), .s_axis_rx_tuser(s_axis_rx_tuser),
        .cfg_enable(cfg_enable), .cfg_allow_loopback(cfg_allow_loopback), .cfg_mac(cfg_mac), .mover_take(mover_take),
        .stage_push(stage_push), .stage_data(stage_data), .stage_has_space(stage_has_space),
        .hash_req(hash_req), .hash_ip6(hash_ip6), .hash_tuple(hash_tuple), .mac_req(mac_req), .mac_ip6(mac_ip6),
        .mac_tuple(mac_tuple), .mac_seq(mac_seq), .mac_ack(mac_ack), .mac_ack_flag(mac_ack_flag),
        .mac_epoch(mac_epoch), .seg_push(seg_push), .seg_data(seg_data), .cnt_rx_frames(cnt_rx_frames),
        .cnt_drop_not_ready(cnt_drop_not_ready), .cnt_drop_overrun(cnt_drop_overrun));
    end else begin : g_parser
      rx_parser #(.MAX_FRAME(MAX_FRAME), .SEG_DEPTH(SEG_DEPTH), .IP6(IP6), .PARSE_CYCLES(PARSE_CYCLES)) u_parser (
        .clk(clk), .rst(rst), .ready(ready), .time_ns(time_ns),
        .s_axis_rx_tdata(s_axis_rx_tdata), .s_axis_rx_tkeep(s_axis_rx_tkeep), .s_axis_rx_tvalid(s_axis_rx_tvalid),
        .s_axis_rx_tlast(s_axis_rx_tlast), .s_axis_rx_tuser(s_axis_rx_tuser),
        .cfg_enable(cfg_enable), .cfg_allow_loopback(cfg_allow_loopback), .cfg_mac(cfg_mac), .mover_take(mover_take),
        .stage_push(stage_push), .stage_data(stage_data), .stage_has_space(stage_has_space),
        .hash_req(hash_req), .hash_ip6(hash_ip6), .hash_tuple(hash_tuple), .mac_req(mac_req), .mac_ip6(mac_ip6),
        .mac_tuple(mac_tuple), .mac_seq(mac_seq), .mac_ack(mac_ack), .mac_ack_flag(mac_ack_flag),
        .mac_epoch(mac_epoch), .seg_push(seg_push), .seg_data(seg_data), .cnt_rx_frames(cnt_rx_frames),
        .cnt_drop_not_ready(cnt_drop_not_ready), .cnt_drop_overrun(cnt_drop_overrun));
    end
  endgenerate

  rx_frame_fifo #(
    .DATA_W(DATA_W), .SEG_DEPTH(SEG_DEPTH), .STAGE_BEATS(STAGE_BEATS), .HOST_FIFO_BEATS(HOST_FIFO_BEATS)
  ) u_rx_fifo (
    .clk(clk), .rst(rst), .stage_push(stage_push), .stage_data(stage_data), .stage_has_space(stage_has_space),
    .verdict_push(verdict_push), .verdict(verdict), .verdict_is_seg(verdict_is_seg), .verdict_conn(verdict_conn),
    .verdict_id(verdict_id), .verdict_stamp(verdict_stamp), .verdict_length(verdict_length),
    .verdict_beats(verdict_beats), .verdict_lost(verdict_lost), .mover_take(mover_take),
    .host_valid(host_valid), .host_tdata(host_tdata), .host_tlast(host_tlast), .host_take(host_take),
    .cnt_drop_host_fifo(cnt_drop_host_fifo));

  // ---- the engine and what it feeds ----

  engine #(
    .SETS_LOG2(SETS_LOG2), .WAYS(WAYS), .LISTENERS(LISTENERS), .RULES(RULES), .SEG_DEPTH(SEG_DEPTH), .CMD_DEPTH(CMD_DEPTH),
    .EVENT_DEPTH(EVENT_DEPTH), .REPLY_DEPTH(REPLY_DEPTH), .WIDE(WIDE),
    .HASH_ROUNDS(HASH_ROUNDS), .HASH_SERIAL(HASH_SERIAL), .IP6(IP6),
    .MATCH_CYCLES(MATCH_CYCLES), .READ_CYCLES(READ_CYCLES), .FSM_CYCLES(FSM_CYCLES)
  ) u_engine (
    .clk(clk), .rst(rst), .ready(ready), .sweep_last(sweep_last),
    .seg_push(seg_push), .seg_data(seg_data), .hash_req(hash_req), .hash_ip6(hash_ip6),
    .hash_tuple(hash_tuple),
    .mac_req(mac_req), .mac_ip6(mac_ip6), .mac_tuple(mac_tuple), .mac_seq(mac_seq), .mac_ack(mac_ack),
    .mac_ack_flag(mac_ack_flag), .mac_epoch(mac_epoch),
    .cmd_push(cmd_push), .cmd_code(cmd_code), .cmd_status(cmd_status), .cmd_type(cmd_type),
    .cmd_id(cmd_id), .cmd_cookie(cmd_cookie), .cmd_body(cmd_body), .cmd_room(cmd_room),
    .tick_1ms(tick_1ms), .ms(ms), .time_ns(time_ns), .host_alive(host_alive),
    .cfg_ts_offset_off(cfg_ts_offset_off), .cfg_ts_relaxed(cfg_ts_relaxed), .cfg_tw_rst_closes(cfg_tw_rst_closes),
    .cfg_ecn(cfg_ecn), .cfg_syn_rto_ms(cfg_syn_rto_ms), .cfg_syn_rto_max_ms(cfg_syn_rto_max_ms),
    .cfg_synack_retries(cfg_synack_retries), .cfg_connect_ms(cfg_connect_ms), .cfg_close_ms(cfg_close_ms),
    .cfg_fin_wait_2_ms(cfg_fin_wait_2_ms), .cfg_time_wait_ms(cfg_time_wait_ms),
    .cfg_challenge_limit(cfg_challenge_limit), .cfg_challenge_ms(cfg_challenge_ms), .cfg_mss(cfg_mss),
    .cfg_mss6(cfg_mss6), .cfg_mss_floor(cfg_mss_floor), .cfg_rcv_wnd(cfg_rcv_wnd), .cfg_wscale(cfg_wscale),
    .cfg_local_addrs(cfg_local_addrs), .cfg_local6_addrs(cfg_local6_addrs), .cfg_key_index(cfg_key_index),
    .cfg_key_isn(cfg_key_isn), .cfg_key_cookie_a(cfg_key_cookie_a), .cfg_key_cookie_b(cfg_key_cookie_b),
    .cfg_cookie_mode(cfg_cookie_mode), .cfg_cookie_key(cfg_cookie_key), .cfg_cookie_lifetime(cfg_cookie_lifetime),
    .cfg_cookie_high(cfg_cookie_high), .cookie_on(cookie_on), .cache_complete(cache_complete),
    .cache_clear(cache_clear), .cfg_rst_limit(cfg_rst_limit), .cfg_synack_limit(cfg_synack_limit),
    .cfg_miss_limit(cfg_miss_limit),
    .listen_commit(listen_commit), .listen_index(listen_index), .listen_mode(listen_mode),
    .listen_addr(listen_addr), .listen_port(listen_port), .listen_backlog(listen_backlog),
    .listen_opts(listen_opts), .listen_read_index(listen_read_index), .listen_half_open(listen_half_open),
    .listen_syns(listen_syns), .rule_commit(rule_commit), .rule_index(rule_index), .rule_staged(rule_staged),
    .rule_read_index(rule_read_index), .rule_drops(rule_drops), .cfg_sample(cfg_sample), .sample_restart(sample_restart),
    .verdict_push(verdict_push), .verdict(verdict), .verdict_is_seg(verdict_is_seg), .verdict_conn(verdict_conn),
    .verdict_id(verdict_id), .verdict_stamp(verdict_stamp), .verdict_length(verdict_length),
    .verdict_beats(verdict_beats), .verdict_lost(verdict_lost),
    .reply_push(reply_push), .reply_data(reply_data), .reply_pop(reply_pop),
    .event_push(event_push), .event_completion(event_completion), .event_id(event_id), .event_stamp(event_stamp),
    .event_status(event_status), .event_command(event_command), .event_code(event_code),
    .event_cookie(event_cookie), .event_entry(event_entry),
    .event_frame_follows(event_frame_follows), .event_seg_seq(event_seg_seq), .event_seg_ack(event_seg_ack),
    .event_seg_wnd(event_seg_wnd), .event_tsecr(event_tsecr), .event_rtt_ms(event_rtt_ms), .event_rto_ms(event_rto_ms),
    .event_now_ms(event_now_ms), .event_pop(event_pop),
    .half_open(half_open), .entries(entries), .inc(engine_inc),
    .trc_valid(trc_valid), .trc_op(trc_op), .trc_write(trc_write), .trc_slot(trc_slot), .trc_state(trc_state),
    .trc_verdict(trc_verdict), .trc_cause(trc_cause), .trc_stamp(trc_stamp), .trc_entry(trc_entry));

  event_queue #(.DATA_W(DATA_W), .EVENT_DEPTH(EVENT_DEPTH), .IP6(IP6), .RULES(RULES)) u_events (
    .clk(clk), .rst(rst), .push(event_push), .completion(event_completion), .id(event_id), .stamp(event_stamp),
    .status(event_status), .command(event_command), .code(event_code), .cookie(event_cookie), .entry(event_entry),
    .frame_follows(event_frame_follows), .seg_seq(event_seg_seq), .seg_ack(event_seg_ack), .seg_wnd(event_seg_wnd),
    .tsecr(event_tsecr), .rtt_ms(event_rtt_ms), .rto_ms(event_rto_ms), .now_ms(event_now_ms), .event_pop(event_pop),
    .ev_valid(ev_valid), .ev_tdata(ev_tdata), .ev_tlast(ev_tlast), .ev_take(ev_take));

  // ---- send ----

  tx_builder #(
    .DATA_W(DATA_W), .REPLY_DEPTH(REPLY_DEPTH), .IP6(IP6), .BUILD_CYCLES(BUILD_CYCLES)
  ) u_builder (
    .clk(clk), .rst(rst), .reply_push(reply_push), .reply_data(reply_data), .reply_pop(reply_pop),
    .cfg_mac(cfg_mac), .cfg_ttl(cfg_ttl), .cfg_tos(cfg_tos),
    .tb_valid(tb_valid), .tb_tdata(tb_tdata), .tb_tkeep(tb_tkeep), .tb_tlast(tb_tlast), .tb_take(tb_take));

  tx_checksum #(.DATA_W(DATA_W), .TX_BEATS(TX_BEATS), .TX_DESCS(TX_DESCS)) u_tx_checksum (
    .clk(clk), .rst(rst), .txf_write(txf_write), .txf_data(txf_data), .txf_last(txf_last),
    .txf_length(txf_length), .txf_csum(txf_csum), .txf_start(txf_start), .txf_offset(txf_offset),
    .txf_abort(txf_abort), .txf_ready(txf_ready),
    .th_valid(th_valid), .th_tdata(th_tdata), .th_tkeep(th_tkeep), .th_tlast(th_tlast), .th_take(th_take));

  tx_arbiter #(.DATA_W(DATA_W)) u_tx_arbiter (
    .clk(clk), .rst(rst), .cfg_tx_share(cfg_tx_share),
    .tb_valid(tb_valid), .tb_tdata(tb_tdata), .tb_tkeep(tb_tkeep), .tb_tlast(tb_tlast), .tb_take(tb_take),
    .th_valid(th_valid), .th_tdata(th_tdata), .th_tkeep(th_tkeep), .th_tlast(th_tlast), .th_take(th_take),
    .m_axis_tx_tvalid(m_axis_tx_tvalid), .m_axis_tx_tdata(m_axis_tx_tdata), .m_axis_tx_tkeep(m_axis_tx_tkeep),
    .m_axis_tx_tlast(m_axis_tx_tlast), .m_axis_tx_tready(m_axis_tx_tready),
    .cnt_tx_frames(cnt_tx_frames), .cnt_tx_host(cnt_tx_host));

  // ---- host ----

  message #(
    .DATA_W(DATA_W), .MAX_FRAME(MAX_FRAME), .LISTENERS(LISTENERS), .SETS_LOG2(SETS_LOG2), .WAYS(WAYS), .CMD_DEPTH(CMD_DEPTH)
  ) u_message (
    .clk(clk), .rst(rst), .ready(ready), .hello_start(sweep_last), .time_ns(time_ns),
    .s_axis_h2c_tdata(s_axis_h2c_tdata), .s_axis_h2c_tvalid(s_axis_h2c_tvalid),
    .s_axis_h2c_tlast(s_axis_h2c_tlast), .s_axis_h2c_tready(s_axis_h2c_tready),
    .m_axis_c2h_tvalid(m_axis_c2h_tvalid), .m_axis_c2h_tdata(m_axis_c2h_tdata),
    .m_axis_c2h_tlast(m_axis_c2h_tlast), .m_axis_c2h_tready(m_axis_c2h_tready),
    .ev_valid(ev_valid), .ev_tdata(ev_tdata), .ev_tlast(ev_tlast), .ev_take(ev_take),
    .host_valid(host_valid), .host_tdata(host_tdata), .host_tlast(host_tlast), .host_take(host_take),
    .reg_req(reg_req), .reg_write(reg_write), .reg_addr(reg_addr), .reg_wdata(reg_wdata), .reg_ack(reg_ack),
    .reg_status(reg_status), .reg_rdata(reg_rdata),
    .cmd_push(cmd_push), .cmd_code(cmd_code), .cmd_status(cmd_status), .cmd_type(cmd_type), .cmd_id(cmd_id),
    .cmd_cookie(cmd_cookie), .cmd_body(cmd_body), .cmd_room(cmd_room),
    .txf_write(txf_write), .txf_data(txf_data), .txf_last(txf_last), .txf_length(txf_length), .txf_csum(txf_csum),
    .txf_start(txf_start), .txf_offset(txf_offset), .txf_abort(txf_abort), .txf_ready(txf_ready),
    .cnt_h2c_messages(cnt_h2c_messages), .cnt_h2c_bad(cnt_h2c_bad));

  regs #(.SETS_LOG2(SETS_LOG2), .WAYS(WAYS), .LISTENERS(LISTENERS), .RULES(RULES)) u_regs (
    .clk(clk), .rst(rst), .epoch(time_ns[41:10]), .tick_1ms(tick_1ms),
    .s_axil_awaddr(s_axil_awaddr), .s_axil_awvalid(s_axil_awvalid), .s_axil_awready(s_axil_awready),
    .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb), .s_axil_wvalid(s_axil_wvalid),
    .s_axil_wready(s_axil_wready), .s_axil_bresp(s_axil_bresp), .s_axil_bvalid(s_axil_bvalid),
    .s_axil_bready(s_axil_bready), .s_axil_araddr(s_axil_araddr), .s_axil_arvalid(s_axil_arvalid),
    .s_axil_arready(s_axil_arready), .s_axil_rdata(s_axil_rdata), .s_axil_rresp(s_axil_rresp),
    .s_axil_rvalid(s_axil_rvalid), .s_axil_rready(s_axil_rready),
    .reg_req(reg_req), .reg_write(reg_write), .reg_addr(reg_addr), .reg_wdata(reg_wdata), .reg_ack(reg_ack),
    .reg_status(reg_status), .reg_rdata(reg_rdata),
    .ready(ready), .sweep_last(sweep_last), .half_open(half_open), .entries(entries), .inc(inc),
    .ms(ms), .host_alive(host_alive),
    .cfg_enable(cfg_enable), .cfg_allow_loopback(cfg_allow_loopback), .cfg_ts_offset_off(cfg_ts_offset_off),
    .cfg_ts_relaxed(cfg_ts_relaxed), .cfg_tw_rst_closes(cfg_tw_rst_closes), .cfg_ecn(cfg_ecn),
    .cfg_syn_rto_ms(cfg_syn_rto_ms), .cfg_syn_rto_max_ms(cfg_syn_rto_max_ms),
    .cfg_synack_retries(cfg_synack_retries), .cfg_mss(cfg_mss), .cfg_mss6(cfg_mss6), .cfg_connect_ms(cfg_connect_ms),
    .cfg_close_ms(cfg_close_ms), .cfg_fin_wait_2_ms(cfg_fin_wait_2_ms), .cfg_time_wait_ms(cfg_time_wait_ms),
    .cfg_challenge_limit(cfg_challenge_limit), .cfg_challenge_ms(cfg_challenge_ms), .cfg_mss_floor(cfg_mss_floor),
    .cfg_rcv_wnd(cfg_rcv_wnd), .cfg_wscale(cfg_wscale), .cfg_ttl(cfg_ttl), .cfg_tos(cfg_tos), .cfg_mac(cfg_mac),
    .cfg_local_addrs(cfg_local_addrs), .cfg_local6_addrs(cfg_local6_addrs), .cfg_key_index(cfg_key_index),
    .cfg_key_isn(cfg_key_isn), .cfg_key_cookie_a(cfg_key_cookie_a), .cfg_key_cookie_b(cfg_key_cookie_b),
    .cfg_cookie_mode(cfg_cookie_mode), .cfg_cookie_key(cfg_cookie_key), .cfg_cookie_lifetime(cfg_cookie_lifetime),
    .cfg_cookie_high(cfg_cookie_high), .cookie_on(cookie_on), .cache_complete(cache_complete),
    .cache_clear(cache_clear), .cfg_rst_limit(cfg_rst_limit), .cfg_synack_limit(cfg_synack_limit),
    .cfg_miss_limit(cfg_miss_limit), .cfg_tx_share(cfg_tx_share),
    .listen_commit(listen_commit), .listen_index(listen_index), .listen_mode(listen_mode),
    .listen_addr(listen_addr), .listen_port(listen_port), .listen_backlog(listen_backlog),
    .listen_opts(listen_opts), .listen_read_index(listen_read_index), .listen_half_open(listen_half_open),
    .listen_syns(listen_syns), .rule_commit(rule_commit), .rule_index(rule_index), .rule_staged(rule_staged),
    .rule_read_index(rule_read_index), .rule_drops(rule_drops), .cfg_sample(cfg_sample), .sample_restart(sample_restart));

endmodule
