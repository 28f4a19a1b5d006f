// SPDX-License-Identifier: Apache-2.0
// formal/tcp_fsm_cycles - a step of FSM_CYCLES cycles ends with what tcp_fsm gives in one.
//
// Op and entry hold still; listener, configuration, clock, tokens and room are others in each cycle. In the step's last
// cycle, and in the one after it, every output is that of the combinational tcp_fsm for what stood there in the first
// one. For Yosys only.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module formal_tcp_fsm_cycles #(
  parameter int FSM_CYCLES = 8
) (
  input  logic clk,
  input  logic listener_found,
  input  logic listener_bypass,
  input  logic [3:0] listener_index,
  input  logic [15:0] listener_backlog,
  input  logic [15:0] listener_half_open,
  input  logic [2:0] listener_opts,
  input  logic listener_sent,
  input  logic [23:0] listener_epoch,
  input  logic rule_denies,
  input  logic rule_empty,
  input  logic [23:0] ms,
  input  logic [31:0] clock_4us,
  input  logic host_alive,
  input  logic ts_offset_off,
  input  logic ts_relaxed,
  input  logic tw_rst_closes,
  input  logic ecn,
  input  logic [15:0] syn_rto_ms,
  input  logic [15:0] syn_rto_max_ms,
  input  logic [3:0] synack_retries,
  input  logic [21:0] connect_ms,
  input  logic [21:0] close_ms,
  input  logic [21:0] fin_wait_2_ms,
  input  logic [21:0] time_wait_ms,
  input  logic [3:0] challenge_limit,
  input  logic [15:0] challenge_ms,
  input  logic [15:0] our_mss,
  input  logic [15:0] our_mss6,
  input  logic [15:0] mss_floor,
  input  logic [29:0] our_rcv_wnd,
  input  logic [3:0] our_wscale,
  input  logic [1:0] cookie_mode,
  input  logic [1:0] cookie_lifetime,
  input  logic cookie_on,
  input  logic over_high,
  input  logic cache_complete,
  input  logic rst_token,
  input  logic synack_token,
  input  logic miss_token,
  input  logic reply_room,
  input  logic event_room
);
  (* anyconst *) logic [1:0] op;
  (* anyconst *) logic [`HF_SEGMENT_BITS-1:0] segment;
  (* anyconst *) logic [63:0] isn;
  (* anyconst *) logic [25:0] mac;
  (* anyconst *) logic mac_key;
  (* anyconst *) logic [7:0] command;
  (* anyconst *) logic [7:0] command_status;
  (* anyconst *) logic [`HF_BODY_BITS-1:0] command_body;
  (* anyconst *) logic command_mixed;
  (* anyconst *) logic [`HF_TUPLE_BITS-1:0] tuple;
  (* anyconst *) logic [`HF_TCB_BITS-1:0] entry;
  (* anyconst *) logic key_match;
  (* anyconst *) logic slot_exists;
  (* anyconst *) logic id_match;
  (* anyconst *) logic insertable;
  (* anyconst *) logic victim;

  // As in the first cycle.
  logic listener_found_q;
  logic listener_bypass_q;
  logic [3:0] listener_index_q;
  logic [15:0] listener_backlog_q;
  logic [15:0] listener_half_open_q;
  logic [2:0] listener_opts_q;
  logic listener_sent_q;
  logic [23:0] listener_epoch_q;
  logic rule_denies_q;
  logic rule_empty_q;
  logic [23:0] ms_q;
  logic [31:0] clock_4us_q;
  logic host_alive_q;
  logic ts_offset_off_q;
  logic ts_relaxed_q;
  logic tw_rst_closes_q;
  logic ecn_q;
  logic [15:0] syn_rto_ms_q;
  logic [15:0] syn_rto_max_ms_q;
  logic [3:0] synack_retries_q;
  logic [21:0] connect_ms_q;
  logic [21:0] close_ms_q;
  logic [21:0] fin_wait_2_ms_q;
  logic [21:0] time_wait_ms_q;
  logic [3:0] challenge_limit_q;
  logic [15:0] challenge_ms_q;
  logic [15:0] our_mss_q;
  logic [15:0] our_mss6_q;
  logic [15:0] mss_floor_q;
  logic [29:0] our_rcv_wnd_q;
  logic [3:0] our_wscale_q;
  logic [1:0] cookie_mode_q;
  logic [1:0] cookie_lifetime_q;
  logic cookie_on_q;
  logic over_high_q;
  logic cache_complete_q;
  logic rst_token_q;
  logic synack_token_q;
  logic miss_token_q;
  logic reply_room_q;
  logic event_room_q;

  logic [3:0] cycle_q;
  initial cycle_q = 4'd0;
  always_ff @(posedge clk) begin
    cycle_q <= cycle_q == 4'd15 ? 4'd15 : cycle_q + 4'd1;
    if (cycle_q == 4'd0) begin
      listener_found_q <= listener_found;
      listener_bypass_q <= listener_bypass;
      listener_index_q <= listener_index;
      listener_backlog_q <= listener_backlog;
      listener_half_open_q <= listener_half_open;
      listener_opts_q <= listener_opts;
      listener_sent_q <= listener_sent;
      listener_epoch_q <= listener_epoch;
      rule_denies_q <= rule_denies;
      rule_empty_q <= rule_empty;
      ms_q <= ms;
      clock_4us_q <= clock_4us;
      host_alive_q <= host_alive;
      ts_offset_off_q <= ts_offset_off;
      ts_relaxed_q <= ts_relaxed;
      tw_rst_closes_q <= tw_rst_closes;
      ecn_q <= ecn;
      syn_rto_ms_q <= syn_rto_ms;
      syn_rto_max_ms_q <= syn_rto_max_ms;
      synack_retries_q <= synack_retries;
      connect_ms_q <= connect_ms;
      close_ms_q <= close_ms;
      fin_wait_2_ms_q <= fin_wait_2_ms;
      time_wait_ms_q <= time_wait_ms;
      challenge_limit_q <= challenge_limit;
      challenge_ms_q <= challenge_ms;
      our_mss_q <= our_mss;
      our_mss6_q <= our_mss6;
      mss_floor_q <= mss_floor;
      our_rcv_wnd_q <= our_rcv_wnd;
      our_wscale_q <= our_wscale;
      cookie_mode_q <= cookie_mode;
      cookie_lifetime_q <= cookie_lifetime;
      cookie_on_q <= cookie_on;
      over_high_q <= over_high;
      cache_complete_q <= cache_complete;
      rst_token_q <= rst_token;
      synack_token_q <= synack_token;
      miss_token_q <= miss_token;
      reply_room_q <= reply_room;
      event_room_q <= event_room;
    end
  end

  logic hit, one_hit;
  logic [3:0] state_before, one_state_before;
  logic [`HF_TCB_BITS-1:0] entry_after, one_entry_after;
  logic write, one_write;
  logic insert, one_insert;
  logic cookie, one_cookie;
  logic take_rst, one_take_rst;
  logic take_synack, one_take_synack;
  logic take_miss, one_take_miss;
  logic cache_clear, one_cache_clear;
  logic free, one_free;
  logic listener_syn, one_listener_syn;
  logic [1:0] verdict, one_verdict;
  logic [4:0] cause, one_cause;
  logic [2:0] send, one_send;
  logic [7:0] event_code, one_event_code;
  logic event_cookie, one_event_cookie;
  logic event_no_entry, one_event_no_entry;
  logic [15:0] rtt_ms, one_rtt_ms;
  logic [15:0] rto_ms, one_rto_ms;
  logic completion, one_completion;
  logic [7:0] status, one_status;
  logic new_id, one_new_id;
  logic cnt_opt_malformed, one_cnt_opt_malformed;
  logic cnt_ws_clamped, one_cnt_ws_clamped;
  logic cnt_syn_accepted, one_cnt_syn_accepted;
  logic cnt_retransmit, one_cnt_retransmit;
  logic cnt_timeout, one_cnt_timeout;
  logic cnt_reset, one_cnt_reset;
  logic cnt_challenge_limited, one_cnt_challenge_limited;
  logic cnt_cookie_bad, one_cnt_cookie_bad;
  logic cnt_synack_limited, one_cnt_synack_limited;
  logic cnt_icmp_hard, one_cnt_icmp_hard;
  logic cnt_tw_reused, one_cnt_tw_reused;
  logic cnt_evict_host, one_cnt_evict_host;
  logic cnt_evict_time_wait, one_cnt_evict_time_wait;
  logic cnt_connect, one_cnt_connect;
  logic cnt_close, one_cnt_close;
  logic cnt_tx_syn, one_cnt_tx_syn;
  logic cnt_tx_synack, one_cnt_tx_synack;
  logic cnt_tx_ack, one_cnt_tx_ack;
  logic cnt_tx_rst, one_cnt_tx_rst;
  logic cnt_tx_fin, one_cnt_tx_fin;
  logic cnt_command, one_cnt_command;

  tcp_fsm #(.FSM_CYCLES(FSM_CYCLES)) several (.*, .first(cycle_q == 4'd0), .valid(1'b1));
  tcp_fsm one (
    .clk(clk), .first(1'b1), .valid(1'b1),
    .op(op), .segment(segment), .isn(isn), .mac(mac), .mac_key(mac_key), .command(command),
    .command_status(command_status), .command_body(command_body), .command_mixed(command_mixed), .tuple(tuple),
    .entry(entry), .key_match(key_match), .slot_exists(slot_exists), .id_match(id_match), .insertable(insertable),
    .victim(victim), .listener_found(listener_found_q), .listener_bypass(listener_bypass_q),
    .listener_index(listener_index_q), .listener_backlog(listener_backlog_q),
    .listener_half_open(listener_half_open_q), .listener_opts(listener_opts_q), .listener_sent(listener_sent_q),
    .listener_epoch(listener_epoch_q), .rule_denies(rule_denies_q), .rule_empty(rule_empty_q), .ms(ms_q), .clock_4us(clock_4us_q), .host_alive(host_alive_q),
    .ts_offset_off(ts_offset_off_q), .ts_relaxed(ts_relaxed_q), .tw_rst_closes(tw_rst_closes_q), .ecn(ecn_q),
    .syn_rto_ms(syn_rto_ms_q), .syn_rto_max_ms(syn_rto_max_ms_q), .synack_retries(synack_retries_q),
    .connect_ms(connect_ms_q), .close_ms(close_ms_q), .fin_wait_2_ms(fin_wait_2_ms_q), .time_wait_ms(time_wait_ms_q),
    .challenge_limit(challenge_limit_q), .challenge_ms(challenge_ms_q), .our_mss(our_mss_q), .our_mss6(our_mss6_q),
    .mss_floor(mss_floor_q), .our_rcv_wnd(our_rcv_wnd_q), .our_wscale(our_wscale_q), .cookie_mode(cookie_mode_q),
    .cookie_lifetime(cookie_lifetime_q), .cookie_on(cookie_on_q), .over_high(over_high_q),
    .cache_complete(cache_complete_q), .rst_token(rst_token_q), .synack_token(synack_token_q),
    .miss_token(miss_token_q), .reply_room(reply_room_q), .event_room(event_room_q), .hit(one_hit),
    .state_before(one_state_before), .entry_after(one_entry_after), .write(one_write), .insert(one_insert),
    .cookie(one_cookie), .take_rst(one_take_rst), .take_synack(one_take_synack), .take_miss(one_take_miss),
    .cache_clear(one_cache_clear), .free(one_free), .listener_syn(one_listener_syn), .verdict(one_verdict), .cause(one_cause), .send(one_send),
    .event_code(one_event_code), .event_cookie(one_event_cookie), .event_no_entry(one_event_no_entry),
    .rtt_ms(one_rtt_ms), .rto_ms(one_rto_ms), .completion(one_completion), .status(one_status), .new_id(one_new_id),
    .cnt_opt_malformed(one_cnt_opt_malformed), .cnt_ws_clamped(one_cnt_ws_clamped),
    .cnt_syn_accepted(one_cnt_syn_accepted), .cnt_retransmit(one_cnt_retransmit), .cnt_timeout(one_cnt_timeout),
    .cnt_reset(one_cnt_reset), .cnt_challenge_limited(one_cnt_challenge_limited), .cnt_cookie_bad(one_cnt_cookie_bad),
    .cnt_synack_limited(one_cnt_synack_limited), .cnt_icmp_hard(one_cnt_icmp_hard), .cnt_tw_reused(one_cnt_tw_reused),
    .cnt_evict_host(one_cnt_evict_host), .cnt_evict_time_wait(one_cnt_evict_time_wait), .cnt_connect(one_cnt_connect),
    .cnt_close(one_cnt_close), .cnt_tx_syn(one_cnt_tx_syn), .cnt_tx_synack(one_cnt_tx_synack),
    .cnt_tx_ack(one_cnt_tx_ack), .cnt_tx_rst(one_cnt_tx_rst), .cnt_tx_fin(one_cnt_tx_fin),
    .cnt_command(one_cnt_command));

  always_comb begin
    same: assert (cycle_q < 4'(FSM_CYCLES - 1) || cycle_q > 4'(FSM_CYCLES) ||
      {hit, state_before, entry_after, write, insert, cookie, take_rst, take_synack, take_miss, cache_clear, free, listener_syn,
       verdict, cause, send, event_code, event_cookie, event_no_entry, rtt_ms, rto_ms, completion, status, new_id,
       cnt_opt_malformed, cnt_ws_clamped, cnt_syn_accepted, cnt_retransmit, cnt_timeout, cnt_reset,
       cnt_challenge_limited, cnt_cookie_bad, cnt_synack_limited, cnt_icmp_hard, cnt_tw_reused, cnt_evict_host,
       cnt_evict_time_wait, cnt_connect, cnt_close, cnt_tx_syn, cnt_tx_synack, cnt_tx_ack, cnt_tx_rst, cnt_tx_fin,
       cnt_command} ==
      {one_hit, one_state_before, one_entry_after, one_write, one_insert, one_cookie, one_take_rst, one_take_synack,
       one_take_miss, one_cache_clear, one_free, one_listener_syn, one_verdict, one_cause, one_send, one_event_code, one_event_cookie,
       one_event_no_entry, one_rtt_ms, one_rto_ms, one_completion, one_status, one_new_id, one_cnt_opt_malformed,
       one_cnt_ws_clamped, one_cnt_syn_accepted, one_cnt_retransmit, one_cnt_timeout, one_cnt_reset,
       one_cnt_challenge_limited, one_cnt_cookie_bad, one_cnt_synack_limited, one_cnt_icmp_hard, one_cnt_tw_reused,
       one_cnt_evict_host, one_cnt_evict_time_wait, one_cnt_connect, one_cnt_close, one_cnt_tx_syn, one_cnt_tx_synack,
       one_cnt_tx_ack, one_cnt_tx_rst, one_cnt_tx_fin, one_cnt_command});
  end
endmodule
