// SPDX-License-Identifier: Apache-2.0
// op_arbiter - which op the engine begins in this cycle.
//
// What    Segments and ICMP errors first, so that the wire is never held up by the host; then the host's
//         commands; then expired timers. A head that waits lets the others pass.
// Input   the heads of the queues (a command counts when its hash is ready, if it needs one), the scanner's
//         offer, room for what a command or timeout may send. `free`: this cycle may be a T0. Of each candidate the
//         hazard: an op under way holds it back. mac_valid: the head of the MAC queue, or what is being pushed.
// Output  at most one of: pass (the parser has judged this frame; it goes through the pipeline, but is no op),
//         segment, command, timeout (that op begins: this cycle is its T0). op: one of these three begins.
// Timing  combinational.
`include "handfast_defs.svh"
module op_arbiter (
  input  logic       free,
  input  logic       segment_valid,
  input  logic [1:0] segment_cls,      // SEG_CLASS of regs/segment.def
  input  logic       segment_has_hash,
  input  logic       segment_has_mac,
  input  logic       hash_valid,
  input  logic       mac_valid,
  input  logic       segment_hazard,
  input  logic       command_ready,
  input  logic       command_hazard,
  input  logic       expired_valid,
  input  logic       expired_hazard,
  input  logic       event_room,
  input  logic       reply_room,

  output logic       pass,
  output logic       segment,
  output logic       command,
  output logic       timeout,
  output logic       op
);

  logic is_op, segment_ready;
  assign is_op = segment_cls == `HF_CLASS_SEG || segment_cls == `HF_CLASS_ICMP;
  assign segment_ready = segment_valid && (hash_valid || !segment_has_hash) && (mac_valid || !segment_has_mac);

  // Hazards are known last: none of them stands behind another one on the way to `op`.
  logic command_may, expired_may, other;
  assign command_may = free && command_ready && event_room && reply_room && (is_op || !segment_ready);
  assign expired_may = free && expired_valid && event_room && reply_room && (is_op || !segment_ready);
  assign other = (command_may && !command_hazard) || (expired_may && !expired_hazard);
  assign op = (free && segment_ready && is_op && !segment_hazard) || other;

  always_comb begin
    pass = 1'b0;
    segment = 1'b0;
    command = 1'b0;
    timeout = 1'b0;
    if (free) begin
      if (segment_ready && !is_op)
        pass = 1'b1;
      else if (segment_ready && !segment_hazard)
        segment = 1'b1;
      else if (command_ready && !command_hazard && event_room && reply_room)
        command = 1'b1;
      else if (expired_valid && !expired_hazard && event_room && reply_room)
        timeout = 1'b1;
    end
  end

`ifdef FORMAL_OP_ARBITER
  always_comb begin
    op_of_three: assert (op == (segment || command || timeout));
    one_op: assert ({1'b0, pass} + {1'b0, segment} + {1'b0, command} + {1'b0, timeout} <= {1'b0, free});
    hazard_waits: assert (!(segment && segment_hazard) && !(command && command_hazard) && !(timeout && expired_hazard));
    room_waits: assert (!(command || timeout) || (event_room && reply_room));
    hash_waits: assert (!(segment || pass) || (segment_valid && (hash_valid || !segment_has_hash) &&
                                               (mac_valid || !segment_has_mac)));
    wire_first: assert (!(command || timeout) || !segment_ready || (is_op && segment_hazard));
    nothing_waits_idle: assert (!free || pass || segment || command || timeout ||
                                !(segment_ready && (!is_op || !segment_hazard)));
  end
`endif
endmodule
