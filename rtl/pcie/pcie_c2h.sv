// SPDX-License-Identifier: Apache-2.0
// pcie_c2h - messages of the core into the ring c2h of host memory.
//
// What    Messages are gathered whole, then written back to back in memory writes as large as there is data, room and
//         leave for. While the ring is off whole messages are discarded. The first message in a ring is HELLO: the
//         last one seen, or, if the core has said none since it was reset, the next one of the core.
// Input   s: the core's stream, tlast in bit 64. core_down: the core is in reset; what is not a whole message is forgotten.
//         enable, base, size_log2 (12 to 22), doorbell with value: C2H_HEAD.
// Output  tail, head; active: on, or a write is not yet sent. refused: see pcie_index. discarded: a message was. events: 0
//         the end of a message that is no FRAME is in a write, 1 that of a FRAME.
//         req_*: one memory write, 1 to 512 beats; after grant its beats are in data, each until take; done: it is sent.
// Timing  a whole message in c, req_valid in c+5. 4 cycles between two requests. A message is at most 2^DEPTH_LOG2 beats.
`include "handfast_defs.svh"
module pcie_c2h #(
  parameter int DEPTH_LOG2 = 10
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        core_down,

  input  logic        s_valid,
  output logic        s_ready,
  input  logic [64:0] s_data,

  input  logic        enable,
  input  logic [63:12] base,
  input  logic [4:0]  size_log2,
  input  logic        doorbell,
  input  logic [31:0] value,
  output logic [31:0] tail,
  output logic [31:0] head,
  output logic        active,
  output logic        refused,
  output logic        discarded,
  output logic [1:0]  events,

  input  logic [2:0]  cfg_max_payload,
  output logic        req_valid,
  output logic [63:0] req_address,
  output logic [9:0]  req_beats,
  input  logic        grant,
  output logic [63:0] data,
  input  logic        take,
  input  logic        done
);

  localparam int P = DEPTH_LOG2 + 1;

  typedef enum logic [1:0] {OFF, AWAIT, HELLO, RUN} state_t;
  state_t       state_q;
  logic         is_off, is_run;          // (Icarus 11 knows no names of an enumeration where a port is connected.)
  assign is_off = state_q == OFF;
  assign is_run = state_q == RUN;

  logic [64:0]  beat;
  logic         beat_valid, full, pop, discard;
  logic [P-1:0] committed, spoken_for_q, there;

  pcie_store #(.WIDTH(65), .DEPTH_LOG2(DEPTH_LOG2)) store (
    .clk(clk), .rst(rst), .push(s_valid && s_ready), .data(s_data), .commit(s_data[64]), .rollback(core_down),
    .full(full), .committed(committed), .valid(beat_valid), .head(beat), .pop(pop)
  );
  assign s_ready = !full && !core_down;

  // Where in its message the oldest beat is, and what is known of that message.
  logic [2:0]   at_q;                   // stays at 7
  logic         frame_q, hello_q, frame, is_hello, first;
  logic [7:0]   kind;
  assign first = at_q == 3'd0;
  assign kind = beat[7:0];
  assign frame = first ? kind == `HF_MSG_FRAME : frame_q;
  assign is_hello = first ? kind == `HF_MSG_HELLO : hello_q;

  // The last HELLO, of at most 7 beats.
  logic [63:0]  hello [0:7];
  logic [3:0]   hello_beats_q;          // 0: none
  logic [2:0]   hello_at_q;
  logic         from_hello_q;           // the write under way is the copy

  logic         sending_q, start;
  logic [9:0]   beats_q;
  logic [31:0]  planned_q;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [31:0]  room_bytes;             // whole beats, at most 2^22
  /* verilator lint_on UNUSEDSIGNAL */
  logic [9:0]   avail_q, split_beats;
  logic         split_valid, moved_q;

  assign start = state_q == OFF && enable && first && !sending_q;
  // A message on whose first beat nothing is known yet waits for the decision in AWAIT.
  always @* begin
    case (state_q)
      OFF: discard = beat_valid && !sending_q && !(enable && first);
      AWAIT: discard = beat_valid && !(first && is_hello);
      default: discard = 1'b0;
    endcase
  end
  assign pop = discard || (take && !from_hello_q);
  assign discarded = discard && beat[64];
  assign data = from_hello_q ? hello[hello_at_q] : beat[63:0];
  assign events = take && !from_hello_q && beat[64] ? {frame, !frame} :
                  {1'b0, take && from_hello_q && {1'b0, hello_at_q} + 4'd1 == beats_q[3:0]};

  pcie_index #(.CARD_PRODUCES(1)) index (
    .clk(clk), .rst(rst), .start(is_off && !sending_q), .running(!is_off && enable), .size_log2(size_log2),
    .doorbell(doorbell), .value(value), .advance(done && sending_q), .beats(beats_q), .producer(tail), .consumer(head), .refused(refused)
  );

  // The next write: what is whole and not yet in one, and what room the ring has behind what is under way.
  assign there = committed - spoken_for_q;
  assign room_bytes = (32'd1 << size_log2) - (planned_q - head);
  always_ff @(posedge clk) begin
    if (20'(there) < room_bytes[22:3]) avail_q <= 20'(there) < 20'd512 ? 10'(there) : 10'd512;
    else avail_q <= room_bytes[22:3] < 20'd512 ? room_bytes[12:3] : 10'd512;
    moved_q <= grant || state_q != RUN;
  end
  pcie_split #(.CAP(512)) split (
    .clk(clk), .hold(grant || moved_q || !is_run), .avail(avail_q), .offset(planned_q[11:3]),
    .max_code(cfg_max_payload), .valid(split_valid), .beats(split_beats)
  );

  logic [31:0] place;
  assign place = planned_q & ((32'd1 << size_log2) - 32'd1);
  assign req_valid = enable && !sending_q && ((state_q == HELLO && hello_beats_q != 4'd0) || (state_q == RUN && split_valid));
  assign req_address = {base, 12'd0} + {32'd0, place};
  assign req_beats = state_q == HELLO ? {6'd0, hello_beats_q} : split_beats;
  assign active = state_q != OFF || sending_q;

  always_ff @(posedge clk) begin
    if (pop) begin
      at_q <= beat[64] ? 3'd0 : at_q == 3'd7 ? 3'd7 : at_q + 3'd1;
      frame_q <= frame;
      hello_q <= is_hello;
      if (is_hello) hello[at_q] <= beat[63:0];
    end
    // A HELLO of more than 7 beats is none that we know.
    if (pop && is_hello && first) hello_beats_q <= 4'd0;
    else if (pop && is_hello && beat[64] && at_q != 3'd7) hello_beats_q <= {1'b0, at_q} + 4'd1;

    case (state_q)
      OFF:
        if (start) begin
          state_q <= hello_beats_q != 4'd0 ? HELLO : AWAIT;
        end
      AWAIT: if (beat_valid && first && is_hello) state_q <= RUN;
      // Reset in the meantime, the core says another.
      HELLO:
        if (grant) state_q <= RUN;
        else if (hello_beats_q == 4'd0) state_q <= AWAIT;
      default: state_q <= state_q;
    endcase
    if (!enable) state_q <= OFF;

    if (take && from_hello_q) hello_at_q <= hello_at_q + 3'd1;
    if (done) sending_q <= 1'b0;
    if (grant) begin
      sending_q <= 1'b1;
      beats_q <= req_beats;
      from_hello_q <= state_q == HELLO;
      hello_at_q <= '0;
      planned_q <= planned_q + {19'd0, req_beats, 3'd0};
    end
    if (state_q == OFF) planned_q <= '0;
    if (grant && state_q != HELLO) spoken_for_q <= spoken_for_q + P'(req_beats);
    else if (discard) spoken_for_q <= spoken_for_q + P'(1);

    if (core_down) hello_beats_q <= 4'd0;
    if (rst) begin
      state_q <= OFF;
      at_q <= '0;
      hello_beats_q <= '0;
      sending_q <= 1'b0;
      spoken_for_q <= '0;
      from_hello_q <= 1'b0;
      planned_q <= '0;
    end
  end

endmodule
