// SPDX-License-Identifier: Apache-2.0
// op_arbiter - which op the engine begins in this cycle.
//
// What    Segments and ICMP errors first, so that the wire is never held up by the host; then the host's
//         commands; then expired timers. A segment that waits for its hash lets the other two pass.
// Input   the heads of the queues (a command counts when its hash is ready, if it needs one), the scanner's
//         offer, room for what a command or timeout may send. `idle`: the engine is in no op and the
//         table is swept.
// Output  at most one of: pass (pop the segment and its hash, if it has one; the parser has judged it,
//         no op), segment, command, timeout (that op begins: this cycle is its T0).
// Timing  combinational.
`include "handfast_defs.svh"
module op_arbiter (
  input  logic       idle,
  input  logic       segment_valid,
  input  logic [1:0] segment_cls,      // SEG_CLASS of regs/segment.def
  input  logic       segment_has_hash,
  input  logic       hash_valid,
  input  logic       command_ready,
  input  logic       expired_valid,
  input  logic       event_room,
  input  logic       reply_room,

  output logic       pass,
  output logic       segment,
  output logic       command,
  output logic       timeout
);

  logic is_op;
  assign is_op = segment_cls == `HF_CLASS_SEG || segment_cls == `HF_CLASS_ICMP;

  always_comb begin
    pass = 1'b0;
    segment = 1'b0;
    command = 1'b0;
    timeout = 1'b0;
    if (idle) begin
      if (segment_valid && !is_op && (hash_valid || !segment_has_hash))
        pass = 1'b1;
      else if (segment_valid && is_op && hash_valid)
        segment = 1'b1;
      else if (command_ready && event_room && reply_room)
        command = 1'b1;
      else if (expired_valid && event_room && reply_room)
        timeout = 1'b1;
    end
  end

endmodule
