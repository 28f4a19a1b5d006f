// SPDX-License-Identifier: Apache-2.0
// tcp_command - CONNECT, CLOSE and ADOPT: is what the host asks for sound, whatever the table holds.
//
// What    RFC 9293 3.10.1 (active OPEN), 3.10.4 (CLOSE) and the taking over of a connection that the host has.
// Input   a well-formed command of the three with its body (regs/message.def); its tuple, as command_tuple made it
//         of the body.
// Output  bad_param, bad_state: STATUS_BAD_PARAM or, if not that, STATUS_BAD_STATE answers it.
// Timing  combinational, no state.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module tcp_command (
  input  logic                       valid,          // 0: nobody looks at the outputs
  input  logic [7:0]                 command,
  input  logic [`HF_BODY_BITS-1:0]   body,
  input  logic [`HF_TUPLE_BITS-1:0]  tuple,
  input  logic                       mixed,          // one address is IPv4-mapped, the other is not
  output logic                       bad_param,
  output logic                       bad_state
);
  typedef struct packed { `HF_TUPLE_FIELDS } tuple_t;
  typedef struct packed { `HF_BODY_FIELDS } body_t;

  /* verilator lint_off UNUSEDSIGNAL */
  body_t      from_host;                  // what tcp_entry takes over needs no check
  /* verilator lint_on UNUSEDSIGNAL */
  tuple_t     names;
  assign from_host = body;
  assign names = tuple;

  // RFC 9293 MUST-46, MUST-57; RFC 1122 3.2.1.3: not to or from nobody, everybody, or many. The MAC's first octet is in
  // its low bits.
  logic remote_bad, local_bad, owned;
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
                  from_host.remote_mac == 48'd0 || from_host.remote_mac[0] || from_host.options[6:5] == 2'd3 ||
                  from_host.snd_wscale > 8'd14 || from_host.rcv_wscale > 8'd14;
    end else begin
      remote_bad = 'x;
      local_bad = 'x;
      bad_param = 'x;
    end
  end

  // Only what the host owns can be handed over; a CLOSE also needs that all our data is acknowledged.
  assign owned = from_host.state == {4'd0, `HF_STATE_ESTABLISHED} || from_host.state == {4'd0, `HF_STATE_CLOSE_WAIT};
  assign bad_state = command != `HF_COMMAND_CONNECT &&
                     (!owned || (command == `HF_COMMAND_CLOSE && from_host.snd_una != from_host.snd_nxt));
endmodule
