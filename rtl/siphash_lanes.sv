// SPDX-License-Identifier: Apache-2.0
// siphash_lanes - SipHash-2-4 of a stream of messages under HASHES keys: copies of siphash that take turns.
//
// Input   req with words, long_message and key as in siphash, read in the cycle of req only. note: goes along.
// Output  done for one cycle with hash and note, in the order of the requests.
// Timing  req in r, done in r+8 (five words: r+14), or one cycle after the done of the request before if that is
//         later. LANES requests are under way at most; the caller sees to that: LANES 3 for requests at least
//         5 cycles apart.
//         With ROUNDS = 2 one copy, of two rounds per cycle, does the work of three of one round, and its results
//         wait for their time: for requests at least 5 cycles apart, those of five words at least 8 after the
//         one before. Half the logic, but twice as deep.
module siphash_lanes #(
  parameter int HASHES = 1,
  parameter int LANES = 3,
  parameter int ROUNDS = 1
) (
  input  logic                  clk,
  input  logic                  rst,

  input  logic                  req,
  input  logic [319:0]          words,
  input  logic                  long_message,
  input  logic [128*HASHES-1:0] key,
  input  logic                  note,

  output logic                  done,
  output logic [64*HASHES-1:0]  hash,
  output logic                  note_done
);
  generate
    if (LANES < 1 || LANES > 4) begin : g_illegal
      siphash_lanes_LANES_must_be_1_to_4 illegal_parameter ();
    end

    if (ROUNDS == 2) begin : g_serial
      localparam int REQUEST_BITS = 1 + 1 + 320 + 128 * HASHES;
      logic                    waits_q, free, start, core_done;
      logic [REQUEST_BITS-1:0] waiting_q;
      logic [64*HASHES-1:0]    core_hash;
      logic                    note_q;
      logic [13:0]             due_q, due;      // bit i: a result is due i cycles from now

      // A request waits a cycle beside the core, longer if that is at work; there is never a second one.
      assign start = free && waits_q;

      siphash #(.HASHES(HASHES), .ROUNDS(2)) u_core (
        .clk(clk), .rst(rst), .req(start), .words(waiting_q[128*HASHES +: 320]),
        .long_message(waiting_q[128*HASHES + 320]), .key(waiting_q[128*HASHES-1:0]),
        .done(core_done), .hash(core_hash), .take(1'b1));

      logic busy_q;
      assign free = !busy_q || core_done;

      // Not before the result of the request before: of those due later than seven cycles from now there is one
      // at most, one of five words.
      always_comb begin
        due = due_q >> 1;
        if (req && long_message) due[13] = 1'b1;
        else if (req && due[13:7] != '0) due = due | ({due[12:7], 8'd0});
        else if (req) due[7] = 1'b1;
      end

      always_ff @(posedge clk) begin
        if (rst) begin
          waits_q <= 1'b0;
          busy_q <= 1'b0;
          due_q <= '0;
        end else begin
          waits_q <= req || (waits_q && !start);
          if (start) busy_q <= 1'b1;
          else if (core_done) busy_q <= 1'b0;
          due_q <= due;
        end
        if (req) waiting_q <= {note, long_message, words, key};
        if (start) note_q <= waiting_q[REQUEST_BITS-1];
      end

      /* verilator lint_off UNUSEDSIGNAL */
      logic results_room, results_valid;
      /* verilator lint_on UNUSEDSIGNAL */
      fifo_reg #(.WIDTH(64 * HASHES + 1), .DEPTH(4)) u_results (
        .clk(clk), .rst(rst), .push(core_done), .push_data({note_q, core_hash}), .has_room(results_room),
        .valid(results_valid), .head({note_done, hash}), .pop(done));
      assign done = due_q[0];
    end else begin : g_lanes
      // Lanes take requests in turn, and give their results in turn.
      logic [1:0]                in_q, out_q;
      logic [LANES-1:0]          lane_req, lane_done, lane_take, note_q;
      logic [64*HASHES*LANES-1:0] lane_hash;

      always_ff @(posedge clk) begin
        if (rst) begin
          in_q <= 2'd0;
          out_q <= 2'd0;
        end else begin
          if (req) in_q <= 32'(in_q) == LANES - 1 ? 2'd0 : in_q + 2'd1;
          if (done) out_q <= 32'(out_q) == LANES - 1 ? 2'd0 : out_q + 2'd1;
        end
        for (int i = 0; i < LANES; i++)
          if (lane_req[i]) note_q[i] <= note;
      end

      for (genvar i = 0; i < LANES; i++) begin : g_lane
        assign lane_req[i] = req && 32'(in_q) == i;
        assign lane_take[i] = 32'(out_q) == i;

        siphash #(.HASHES(HASHES), .ROUNDS(1)) u_hash (
          .clk(clk), .rst(rst), .req(lane_req[i]), .words(words), .long_message(long_message), .key(key),
          .done(lane_done[i]), .hash(lane_hash[64*HASHES*i +: 64*HASHES]), .take(lane_take[i]));
      end

      always_comb begin
        done = |(lane_done & lane_take);
        if (done) begin
          note_done = |(note_q & lane_take);
          hash = '0;
          for (int i = 0; i < LANES; i++)
            hash = hash | (lane_hash[64*HASHES*i +: 64*HASHES] & {(64*HASHES){lane_take[i]}});
        end else begin
          note_done = 'x;
          hash = 'x;
        end
      end
    end
  endgenerate
endmodule
