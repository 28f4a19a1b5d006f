// SPDX-License-Identifier: Apache-2.0
// tcp_command - CONNECT, CLOSE and ADOPT: may the host do this, and what is the entry then.
//
// What    RFC 9293 3.10.1 (active OPEN), 3.10.4 (CLOSE) and the taking over of a connection that the host
//         has: the entry of a command's body (regs/message.def), for the slot its 4-tuple got.
// Input   a well-formed command of the three; its tuple, as command_tuple made it of the body; the entry of the slot
//         and whether the tuple hit it; clock and configuration of this very cycle.
// Output  status; entry_after is the new entry if that is STATUS_OK, but for its addresses and ports, which are
//         the tuple's.
// Timing  combinational, no state.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module tcp_command (
  input  logic                       valid,          // 0: nobody looks at the outputs
  input  logic [7:0]                 command,
  input  logic [`HF_BODY_BITS-1:0]   body,
  input  logic [`HF_TUPLE_BITS-1:0]  tuple,
  input  logic                       mixed,          // one address is IPv4-mapped, the other is not
  input  logic [63:0]                isn,            // tuple_hash under KEY_ISN

  input  logic [`HF_TCB_BITS-1:0]    entry,
  input  logic                       hit,
  input  logic                       insertable,

  input  logic [23:0]                ms,
  input  logic [31:0]                clock_4us,      // time_ns[43:12]
  input  logic                       ts_offset_off,
  input  logic                       ecn,
  input  logic [15:0]                syn_rto_ms,
  input  logic [15:0]                syn_rto_max_ms,
  input  logic [21:0]                connect_ms,
  input  logic [21:0]                close_ms,
  input  logic [29:0]                our_rcv_wnd,
  input  logic [3:0]                 our_wscale,

  output logic [7:0]                 status,
  output logic [`HF_TCB_BITS-1:0]    entry_after
);
  typedef struct packed { `HF_TCB_FIELDS } tcb_t;
  typedef struct packed { `HF_TUPLE_FIELDS } tuple_t;
  typedef struct packed { `HF_BODY_FIELDS } body_t;

  localparam int OPT_WS = 0, OPT_TS = 1, OPT_SACK = 2, OPT_SYN_LOST = 3;
  localparam int LISTENER_ACTIVE = 6, LISTENER_ECN = 7;

  // Fields that only an EVENT has (its code, RTT, the completing segment) mean nothing here, and the tuple
  // stands for the body's; of the entry only state and generation matter.
  /* verilator lint_off UNUSEDSIGNAL */
  body_t      from_host;
  tcb_t       old;
  /* verilator lint_on UNUSEDSIGNAL */
  tuple_t     names;
  tcb_t       tcb_new;
  logic [47:0] mac;

  assign from_host = body;
  assign names = tuple;
  assign old = entry;
  assign entry_after = tcb_new;
  assign mac = {from_host.remote_mac[7:0], from_host.remote_mac[15:8], from_host.remote_mac[23:16],
                from_host.remote_mac[31:24], from_host.remote_mac[39:32], from_host.remote_mac[47:40]};

  // ---- may it be ----

  // RFC 9293 MUST-46, MUST-57; RFC 1122 3.2.1.3: not to or from nobody, everybody, or many.
  logic remote_bad, local_bad, bad_param, bad_state, owned_by_host, body_owned;
  always_comb begin
    if (valid) begin
      if (names.ip6) begin
        remote_bad = names.remote_addr == 128'd0 || names.remote_addr[127:120] == 8'hff;
        local_bad  = names.local_addr == 128'd0 || names.local_addr[127:120] == 8'hff;
      end else begin
        remote_bad = names.remote_addr[31:0] == 32'd0 || names.remote_addr[31:28] == 4'he || (&names.remote_addr[31:0]);
        local_bad  = names.local_addr[31:0] == 32'd0 || names.local_addr[31:28] == 4'he || (&names.local_addr[31:0]);
      end
      bad_param = mixed || remote_bad || local_bad || names.remote_port == 16'd0 || names.local_port == 16'd0 ||
                  {names.remote_addr, names.remote_port} == {names.local_addr, names.local_port} ||
                  mac == 48'd0 || mac[40] || from_host.options[6:5] == 2'd3 ||
                  from_host.snd_wscale > 8'd14 || from_host.rcv_wscale > 8'd14;
    end else begin
      remote_bad = 'x;
      local_bad = 'x;
      bad_param = 'x;
    end
  end

  // Only what the host owns can be handed over; a CLOSE also needs that all our data is acknowledged.
  assign body_owned = from_host.state == {4'd0, `HF_STATE_ESTABLISHED} ||
                      from_host.state == {4'd0, `HF_STATE_CLOSE_WAIT};
  assign bad_state = command != `HF_COMMAND_CONNECT &&
                     (!body_owned || (command == `HF_COMMAND_CLOSE && from_host.snd_una != from_host.snd_nxt));
  assign owned_by_host = old.state == `HF_STATE_ESTABLISHED || old.state == `HF_STATE_CLOSE_WAIT;

  always_comb begin
    if (valid) begin
      status = `HF_STATUS_OK;
      if (bad_param) status = `HF_STATUS_BAD_PARAM;
      else if (bad_state) status = `HF_STATUS_BAD_STATE;
      else if (hit) begin
        // RFC 9293 3.10.1: "error: connection already exists". What the host owns it may replace.
        if (command == `HF_COMMAND_CONNECT || !owned_by_host) status = `HF_STATUS_EXISTS;
      end else if (!insertable) status = `HF_STATUS_NO_ROOM;
    end else begin
      status = 'x;
    end
  end

  // ---- the entry ----

  logic [31:0] iss;                       // RFC 6528 3
  logic [15:0] rto_ms, first_ms;          // RFC 6298 2.1, 2.5
  logic [23:0] give_up_ms, first_deadline, deadline_ms;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [23:0] to_give_up;                // its top bit: R2 comes before the first timeout
  /* verilator lint_on UNUSEDSIGNAL */
  logic [21:0] patience_ms;               // R2, RFC 9293 3.8.3
  assign iss = clock_4us + isn[31:0];
  assign rto_ms = from_host.rto_ms == 16'd0 ? syn_rto_ms : from_host.rto_ms;
  always_comb begin
    first_ms = rto_ms < syn_rto_max_ms ? rto_ms : syn_rto_max_ms;
    if (first_ms == 16'd0) first_ms = 16'd1;
  end
  assign give_up_ms = ms + {2'd0, patience_ms};
  assign first_deadline = ms + {8'd0, first_ms};
  assign to_give_up = give_up_ms - first_deadline;
  assign deadline_ms = to_give_up[23] ? give_up_ms : first_deadline;
  always_comb begin
    patience_ms = close_ms;
    if (command == `HF_COMMAND_CONNECT)
      patience_ms = from_host.now_ms[21:0] == 22'd0 ? connect_ms : from_host.now_ms[21:0];
  end

  always_comb begin
    if (valid) begin
      tcb_new             = '0;
      tcb_new.generation  = old.generation + 16'd1;
      tcb_new.remote_mac  = mac;
      tcb_new.vlan_tags   = from_host.options[6:5];
      tcb_new.vlan_svlan  = from_host.options[7];
      tcb_new.vlan_outer  = from_host.vlan;
      tcb_new.vlan_inner  = from_host.vlan_inner;
      tcb_new.ws_ok       = from_host.options[OPT_WS];
      tcb_new.ts_ok       = from_host.options[OPT_TS];
      tcb_new.sack_ok     = from_host.options[OPT_SACK];
      tcb_new.rto_ms      = rto_ms;

      if (command == `HF_COMMAND_CONNECT) begin
        // RFC 9293 3.10.1, active OPEN: SYN-SENT. The options are what we offer.
        tcb_new.state      = `HF_STATE_SYN_SENT;
        tcb_new.active     = 1'b1;
        tcb_new.iss        = iss;
        tcb_new.snd_una    = iss;
        tcb_new.snd_nxt    = iss + 32'd1;
        tcb_new.rcv_wnd    = {2'd0, our_rcv_wnd};
        if (from_host.options[OPT_WS]) tcb_new.rcv_wscale = our_wscale == 4'd15 ? 4'd14 : our_wscale;  // RFC 7323 2.3
        if (from_host.options[OPT_TS] && !ts_offset_off) tcb_new.ts_offset = isn[63:32];               // RFC 7323 5.4
        tcb_new.ecn_ok     = ecn;                                                                      // RFC 3168 6.1.1
      end else begin
        // RFC 9293 3.10.4, CLOSE: FIN-WAIT-1 or LAST-ACK, with the FIN sent; or ADOPT, the state stays.
        tcb_new.state      = from_host.state[3:0];
        tcb_new.active     = from_host.listener[LISTENER_ACTIVE];
        tcb_new.listener   = from_host.listener[3:0];
        tcb_new.iss        = from_host.iss;
        tcb_new.irs        = from_host.irs;
        tcb_new.snd_una    = from_host.snd_una;
        tcb_new.snd_nxt    = from_host.snd_nxt;
        tcb_new.rcv_nxt    = from_host.rcv_nxt;
        tcb_new.snd_wnd    = from_host.snd_wnd;
        tcb_new.rcv_wnd    = from_host.rcv_wnd;
        tcb_new.mss        = from_host.mss;
        tcb_new.snd_wscale = from_host.snd_wscale[3:0];
        tcb_new.rcv_wscale = from_host.rcv_wscale[3:0];
        tcb_new.syn_lost   = from_host.options[OPT_SYN_LOST];
        tcb_new.ecn_ok     = from_host.listener[LISTENER_ECN];
        tcb_new.ts_recent  = from_host.ts_recent;
        tcb_new.ts_offset  = from_host.ts_offset;
        if (command == `HF_COMMAND_CLOSE) begin
          tcb_new.state    = from_host.state == {4'd0, `HF_STATE_ESTABLISHED} ? `HF_STATE_FIN_WAIT_1 : `HF_STATE_LAST_ACK;
          tcb_new.listener = 4'd0;
          tcb_new.snd_nxt  = from_host.snd_nxt + 32'd1;
        end
      end

      if (command != `HF_COMMAND_ADOPT) begin
        tcb_new.sent_ms     = ms;
        tcb_new.give_up_ms  = give_up_ms;
        tcb_new.timer_armed = 1'b1;
        tcb_new.deadline_ms = deadline_ms;
      end
    end else begin
      tcb_new = 'x;
    end
  end
endmodule
