// SPDX-License-Identifier: Apache-2.0
// tcp_reply - the frame that tcp_fsm wants sent, as a reply descriptor (regs/reply.def).
//
// Input   send: HF_SEND_* of engine_defs.svh. cookie: a SYN-ACK that no entry remembers. entry: as it is after the
//         op; of an op that frees it, as it was before. seg_*: of the segment that a RST answers. ms, our_mss,
//         our_mss6: clock and registers, as tcp_fsm saw them.
// Output  reply.
// Timing  combinational, no state.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module tcp_reply (
  input  logic                       valid,          // 0: nobody looks at the reply
  input  logic [2:0]                 send,
  input  logic                       cookie,
  input  logic [`HF_TCB_BITS-1:0]    entry,
  input  logic [31:0]                seg_ack,
  input  logic                       seg_ts_ok,
  input  logic [31:0]                seg_tsval,
  input  logic [31:0]                ms,
  input  logic [15:0]                our_mss,
  input  logic [15:0]                our_mss6,
  output logic [`HF_REPLY_BITS-1:0]  reply
);
  typedef struct packed { `HF_TCB_FIELDS } tcb_t;
  typedef struct packed { `HF_REPLY_FIELDS } reply_t;

  localparam int FIN = 0, SYN = 1, RST = 2, ACK = 4, ECE = 6, CWR = 7;

  // State, timers and what the peer sends are not for the wire; of the scaled window all bits count.
  /* verilator lint_off UNUSEDSIGNAL */
  tcb_t   tcb;
  /* verilator lint_on UNUSEDSIGNAL */
  reply_t reply_d;
  logic [31:0] scaled_wnd;  // RFC 7323 2.3: scaled, but never in a SYN
  logic [15:0] ack_wnd, syn_wnd;
  // The low six bits of a cookie's TSval remember ECN, SACK and the peer's window shift (15: none). It is never
  // ahead of the clock: 64 ms at most behind it.
  logic [31:0] clock;
  logic [5:0]  memory;
  logic [25:0] cookie_clock;
  assign clock = ms + tcb.ts_offset;
  assign memory = {tcb.ecn_ok, tcb.sack_ok, tcb.ws_ok ? tcb.snd_wscale : 4'd15};
  assign cookie_clock = clock[31:6] - {25'd0, memory > clock[5:0]};
  assign tcb = entry;
  assign reply = reply_d;
  assign scaled_wnd = tcb.rcv_wnd >> tcb.rcv_wscale;
  assign ack_wnd = scaled_wnd > 32'd65535 ? 16'hffff : scaled_wnd[15:0];
  assign syn_wnd = tcb.rcv_wnd > 32'd65535 ? 16'hffff : tcb.rcv_wnd[15:0];

  always_comb begin
    if (!valid) begin
      reply_d = 'x;
    end else begin
      reply_d            = '0;
      reply_d.dst_mac    = tcb.remote_mac;
      reply_d.vlan_tags  = tcb.vlan_tags;
      reply_d.vlan_svlan = tcb.vlan_svlan;
      reply_d.vlan_outer = tcb.vlan_outer;
      reply_d.vlan_inner = tcb.vlan_inner;
      reply_d.ip6        = tcb.ip6;
      reply_d.src_addr   = tcb.local_addr;
      reply_d.dst_addr   = tcb.remote_addr;
      reply_d.src_port   = tcb.local_port;
      reply_d.dst_port   = tcb.remote_port;
      case (send)
        `HF_SEND_SYN, `HF_SEND_SYNACK: begin
          // <SEQ=ISS><CTL=SYN> or <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>. RFC 3168 6.1.1: ECE and CWR offer
          // ECN, ECE alone accepts it.
          reply_d.seq        = tcb.iss;
          reply_d.flags[SYN] = 1'b1;
          reply_d.flags[ECE] = tcb.ecn_ok;
          reply_d.wnd        = syn_wnd;
          reply_d.mss_en     = 1'b1;
          reply_d.mss        = tcb.ip6 ? our_mss6 : our_mss;
          reply_d.sack_en    = tcb.sack_ok;
          reply_d.ts_en      = tcb.ts_ok;
          reply_d.tsval      = cookie ? {cookie_clock, memory} : clock;
          reply_d.ws_en      = tcb.ws_ok;
          reply_d.ws         = tcb.rcv_wscale;
          if (send == `HF_SEND_SYN) begin
            reply_d.flags[CWR] = tcb.ecn_ok;
          end else begin
            reply_d.ack        = tcb.rcv_nxt;
            reply_d.flags[ACK] = 1'b1;
            reply_d.tsecr      = tcb.ts_recent;
          end
        end
        `HF_SEND_ACK, `HF_SEND_FIN: begin
          // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>; a FIN is the last number before SND.NXT.
          reply_d.seq        = send == `HF_SEND_FIN ? tcb.snd_nxt - 32'd1 : tcb.snd_nxt;
          reply_d.ack        = tcb.rcv_nxt;
          reply_d.flags[ACK] = 1'b1;
          reply_d.flags[FIN] = send == `HF_SEND_FIN;
          reply_d.wnd        = ack_wnd;
          reply_d.ts_en      = tcb.ts_ok;
          reply_d.tsval      = clock;
          reply_d.tsecr      = tcb.ts_recent;
        end
        `HF_SEND_RST_TO_ACK: begin
          // RFC 9293 3.5.2; RFC 7323 5.2: a RST carries timestamps if the segment it answers had them.
          reply_d.seq        = seg_ack;
          reply_d.flags[RST] = 1'b1;
          reply_d.ts_en      = seg_ts_ok;
          reply_d.tsecr      = seg_tsval;
        end
        `HF_SEND_ABORT: begin
          // RFC 9293 3.10.5.
          reply_d.seq        = tcb.snd_nxt;
          reply_d.flags[RST] = 1'b1;
        end
        default: ;
      endcase
    end
  end
endmodule
