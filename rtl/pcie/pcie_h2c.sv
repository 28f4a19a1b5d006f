// SPDX-License-Identifier: Apache-2.0
// pcie_h2c - the ring h2c of host memory, read and given to the core as messages.
//
// What    Reads of up to 512 bytes, up to 8 at a time, whose completions come in any order of tags and in pieces. What they
//         bring is given on in order; a message's end is known by its length field. On an error the ring stops until it
//         was disabled: a message shorter than its header, no completion in time, a completion with an error.
// Input   enable, base, size_log2 (12 to 22), doorbell with value: H2C_TAIL. timeout in clocks. cpl_*: pcie_rx.
// Output  tail, head; active: on, or a read is outstanding. refused: see pcie_index. reached: head became tail. error_*, unexpected,
//         malformed: pulses. req_*: one memory read; grant: it leaves. m: the core's stream, tlast in bit 64.
//         A message that is broken off (by an error, or by disabling) is ended for the core with another length than it
//         says; what is left of one while the core is reset (core_down) is dropped.
// Timing  doorbell in c, req_valid in c+5; a read's last completion in c, its first beat at m in c+4.

module pcie_h2c (
  input  logic        clk,
  input  logic        rst,
  input  logic        core_down,

  input  logic        enable,
  input  logic [63:12] base,
  input  logic [4:0]  size_log2,
  input  logic        doorbell,
  input  logic [31:0] value,
  input  logic [31:0] timeout,
  output logic [31:0] tail,
  output logic [31:0] head,
  output logic        active,
  output logic        refused,
  output logic        reached,
  output logic        error_length,
  output logic        error_timeout,
  output logic        error_status,
  output logic        unexpected,
  output logic        malformed,

  input  logic [2:0]  cfg_max_read,
  output logic        req_valid,
  output logic [63:0] req_address,
  output logic [9:0]  req_beats,
  output logic [4:0]  req_tag,
  input  logic        grant,

  input  logic        cpl_begin,
  input  logic        cpl_mine,
  input  logic        cpl_has_data,
  input  logic        cpl_locked,
  input  logic        cpl_poisoned,
  input  logic [9:0]  cpl_length,
  input  logic [2:0]  cpl_status,
  input  logic [11:0] cpl_bytes,
  input  logic [7:0]  cpl_tag,
  input  logic [6:0]  cpl_lower,
  input  logic [31:0] cpl_first,
  input  logic        cpl_data,
  input  logic [63:0] cpl_beat,
  input  logic        cpl_end,
  input  logic        cpl_good,

  output logic        m_valid,
  input  logic        m_ready,
  output logic [64:0] m_data
);

  typedef enum logic [1:0] {OFF, RUN, STOPPED} state_t;
  state_t      state_q;
  logic        is_off;                   // (Icarus 11 knows no names of an enumeration where a port is connected.)
  assign is_off = state_q == OFF;

  // ---- reads ----
  // A read's slot is the low three bits of its tag; the two above tell a late completion from one of a later read.
  logic [4:0]  next_tag_q;
  logic [2:0]  oldest_q;
  logic [7:0]  used_q;
  logic [6:0]  beats [0:7];             // of the read
  logic [6:0]  left [0:7];              // beats not come yet
  logic [3:0]  low [0:7];               // bits 6:3 of its address
  logic [1:0]  turn [0:7];              // its tag's bits 4:3
  logic [31:0] asked [0:7];             // when it was asked
  logic [31:0] issued_q, now_q;
  logic        start, stop, moved_q, split_valid, run;
  logic [9:0]  split_beats, avail_q;
  logic [31:0] place;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [31:0] unread;                  // whole beats, at most 2^22
  /* verilator lint_on UNUSEDSIGNAL */

  assign run = state_q == RUN && enable;
  assign start = state_q == OFF && enable && used_q == 8'd0;
  assign unread = tail - issued_q;
  always_ff @(posedge clk) begin
    avail_q <= unread[22:3] < 20'd512 ? unread[12:3] : 10'd512;
    moved_q <= grant || !run;
  end
  pcie_split #(.CAP(64)) split (
    .clk(clk), .hold(grant || moved_q || !run), .avail(avail_q), .offset(issued_q[11:3]), .max_code(cfg_max_read),
    .valid(split_valid), .beats(split_beats)
  );
  assign place = issued_q & ((32'd1 << size_log2) - 32'd1);
  assign req_valid = run && !stop && split_valid && !used_q[next_tag_q[2:0]];
  assign req_address = {base, 12'd0} + {32'd0, place};
  assign req_beats = split_beats;
  assign req_tag = next_tag_q;

  // ---- completions ----
  logic [63:0] memory [0:511];          // 64 beats for each slot
  logic [2:0]  slot, slot_q;
  logic        known, fits, write_q, good_q, known_q, failed_q, end_q, end_good_q;
  logic [5:0]  at_q;
  logic [6:0]  words, words_q, room_q;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [6:0]  got;                     // less than 64 while any is left
  /* verilator lint_on UNUSEDSIGNAL */
  logic [31:0] carry_q;

  assign slot = cpl_tag[2:0];
  assign known = cpl_mine && cpl_tag[7:5] == 3'd0 && used_q[slot] && left[slot] != 7'd0 && turn[slot] == cpl_tag[4:3] &&
                 !cpl_locked;
  assign words = cpl_length[7:1];
  assign got = beats[slot] - left[slot];
  // A root complex splits at multiples of 64 bytes, so all is whole beats here (2.3.1.1).
  assign fits = cpl_has_data && cpl_length[9:8] == 2'd0 && !cpl_length[0] && words != 7'd0 && words <= left[slot] &&
                cpl_bytes == {2'd0, left[slot], 3'd0} && cpl_lower == {low[slot] + got[3:0], 3'd0};

  always_ff @(posedge clk) begin
    end_q <= cpl_end;
    end_good_q <= cpl_good;
    if (cpl_begin) begin
      slot_q <= slot;
      known_q <= known;
      failed_q <= known && (cpl_status != 3'd0 || cpl_poisoned);
      good_q <= known && cpl_status == 3'd0 && !cpl_poisoned && fits;
      write_q <= known && fits;
      at_q <= got[5:0];
      words_q <= words;
      room_q <= words;
      carry_q <= cpl_first;
    end
    if (cpl_data) begin
      carry_q <= cpl_beat[63:32];
      at_q <= at_q + 6'd1;
      if (room_q != 7'd0) room_q <= room_q - 7'd1;
    end
    if (rst) begin
      end_q <= 1'b0;
      known_q <= 1'b0;
    end
    if (cpl_data && write_q && room_q != 7'd0) memory[{slot_q, at_q}] <= {cpl_beat[31:0], carry_q};
  end

  logic credit, fail;
  assign credit = end_q && end_good_q && good_q && left[slot_q] != 7'd0;
  assign fail = end_q && end_good_q && failed_q && left[slot_q] != 7'd0;
  assign unexpected = end_q && end_good_q && !known_q;
  assign malformed = end_q && end_good_q && known_q && !failed_q && !good_q;
  assign error_status = fail;

  // ---- time ----
  // One read is looked at in each cycle: its age is known in the next.
  logic [2:0]  scan_q, aged_q;
  logic [31:0] age_q;
  logic        aged_used_q;
  assign error_timeout = aged_used_q && used_q[aged_q] && left[aged_q] != 7'd0 && age_q > timeout;

  // ---- giving on ----
  logic [5:0]  read_q;
  logic        oldest_whole, fetch, retire, drop, beat_valid_q, beat_pop;
  logic [63:0] beat_q;
  logic        ending_q;                // a message is being broken off

  assign oldest_whole = used_q[oldest_q] && left[oldest_q] == 7'd0;
  assign drop = oldest_whole && !run;
  assign fetch = oldest_whole && run && !stop && !ending_q && (!beat_valid_q || beat_pop);
  assign retire = fetch && {1'b0, read_q} + 7'd1 == beats[oldest_q];
  assign active = state_q != OFF || used_q != 8'd0;

  pcie_index #(.CARD_PRODUCES(0)) index (
    .clk(clk), .rst(rst), .start(is_off), .running(run), .size_log2(size_log2), .doorbell(doorbell),
    .value(value), .advance(retire), .beats({3'd0, beats[oldest_q]}), .producer(tail), .consumer(head), .refused(refused)
  );

  // ---- messages ----
  logic [13:0] rest_q;                  // beats of the message still to come
  /* verilator lint_off UNUSEDSIGNAL */
  logic [16:0] rounded;
  /* verilator lint_on UNUSEDSIGNAL */
  logic        skip_q, header, short_message, push, go;
  assign go = m_ready && !core_down;
  assign header = rest_q == 14'd0;
  assign rounded = {1'b0, beat_q[31:16]} + 17'd7;
  assign short_message = header && beat_q[31:16] < 16'd16;
  assign push = beat_valid_q && run && !ending_q && !short_message && !skip_q;
  assign beat_pop = beat_valid_q && (ending_q || !run || short_message || skip_q || go);
  assign error_length = beat_valid_q && run && !ending_q && short_message;
  assign stop = error_length || error_timeout || error_status;

  // Broken off: one beat more, and the last one, if only one was to come; else at once the last one.
  assign m_valid = ending_q ? !core_down : push && !core_down;
  assign m_data = ending_q ? {rest_q != 14'd1, 64'd0} : {!header && rest_q == 14'd1, beat_q};

  assign reached = retire && head + {22'd0, beats[oldest_q], 3'd0} == tail;

  always_ff @(posedge clk) begin
    now_q <= now_q + 32'd1;
    scan_q <= scan_q + 3'd1;
    age_q <= now_q - asked[scan_q];
    aged_q <= scan_q;
    aged_used_q <= used_q[scan_q] && !(grant && next_tag_q[2:0] == scan_q);
    if (fetch) beat_q <= memory[{oldest_q, read_q}];

    if (grant) begin
      beats[next_tag_q[2:0]] <= req_beats[6:0];
      left[next_tag_q[2:0]] <= req_beats[6:0];
      low[next_tag_q[2:0]] <= req_address[6:3];
      turn[next_tag_q[2:0]] <= next_tag_q[4:3];
      asked[next_tag_q[2:0]] <= now_q;
      used_q[next_tag_q[2:0]] <= 1'b1;
      next_tag_q <= next_tag_q + 5'd1;
      issued_q <= issued_q + {19'd0, req_beats, 3'd0};
    end
    if (credit) left[slot_q] <= left[slot_q] - words_q;
    if (fail) left[slot_q] <= 7'd0;
    if (error_timeout) left[aged_q] <= 7'd0;

    if (fetch) read_q <= read_q + 6'd1;
    if (fetch) beat_valid_q <= 1'b1;
    else if (beat_pop) beat_valid_q <= 1'b0;
    if (retire || drop) begin
      used_q[oldest_q] <= 1'b0;
      oldest_q <= oldest_q + 3'd1;
      read_q <= '0;
    end

    // A message that the core's reset has cut is dropped to its end.
    if (beat_pop && run && !ending_q && !short_message)
      rest_q <= header ? rounded[16:3] - 14'd1 : rest_q - 14'd1;
    if (core_down && !header) skip_q <= 1'b1;
    else if (beat_pop && rest_q == 14'd1) skip_q <= 1'b0;

    if (!run && !header && !ending_q) begin
      beat_valid_q <= 1'b0;
      ending_q <= !skip_q;
      if (skip_q) rest_q <= '0;
      skip_q <= 1'b0;
    end
    if (ending_q && go) begin
      if (rest_q != 14'd1) ending_q <= 1'b0;
      rest_q <= rest_q == 14'd1 ? 14'd2 : 14'd0;
    end
    if (ending_q && core_down) begin
      ending_q <= 1'b0;
      rest_q <= '0;
      skip_q <= 1'b0;
    end
    if (!run) begin
      beat_valid_q <= 1'b0;
      read_q <= '0;
    end

    case (state_q)
      OFF: if (start) state_q <= RUN;
      RUN: if (stop) state_q <= STOPPED;
      default: state_q <= state_q;
    endcase
    if (!enable) state_q <= OFF;
    if (state_q == OFF) issued_q <= '0;

    if (rst) begin
      state_q <= OFF;
      used_q <= '0;
      next_tag_q <= '0;
      oldest_q <= '0;
      read_q <= '0;
      beat_valid_q <= 1'b0;
      rest_q <= '0;
      skip_q <= 1'b0;
      ending_q <= 1'b0;
      now_q <= '0;
      scan_q <= '0;
      aged_used_q <= 1'b0;
      issued_q <= '0;
    end
  end

endmodule
