// SPDX-License-Identifier: Apache-2.0
// counters - the 64-bit counters of regs/counter.def in block RAM, and what they were at the last snapshot.
//
// What    each counter has a small one that turns round for ever, and a word of a RAM: its whole count and where the small
//         one stood then. A sweep that never ends adds to each word how far its small counter has come since. All
//         small ones are copied at once at the sweep's beginning, and the sweep reads the copies. A snapshot begins a new
//         sweep, which writes the words to a second RAM too.
//         A small counter is a linear-feedback shift register: one LUT for its six digits where an adder has six. One
//         that may count in successive cycles gets too far in two rounds, and is a number of seven digits.
// Input   inc: one bit per counter; but for those in OFTEN, never in two successive cycles. snapshot: at least 65 cycles
//         after the one before; counts what came before this cycle. read_counter: which one is read.
// Output  read_low, read_high: that one's words as of the last snapshot; taken: there was one. Within 64 cycles after
//         a snapshot they mean nothing.
// Timing  read_counter in c, the words in c+1. A snapshot in s is written by the end of s + COUNT + 4.
`include "handfast_defs.svh"
module counters #(
  parameter int COUNT = `HF_CNT_COUNT,       // 4 to 59
  parameter logic [COUNT-1:0] OFTEN =        // those that the engine does not count
    COUNT'(1) << `HF_CNT_RX_FRAMES | COUNT'(1) << `HF_CNT_DROP_NOT_READY | COUNT'(1) << `HF_CNT_DROP_OVERRUN |
    COUNT'(1) << `HF_CNT_DROP_HOST_FIFO | COUNT'(1) << `HF_CNT_TX_FRAMES | COUNT'(1) << `HF_CNT_TX_HOST |
    COUNT'(1) << `HF_CNT_H2C_MESSAGES | COUNT'(1) << `HF_CNT_H2C_BAD
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [COUNT-1:0] inc,
  input  logic             snapshot,
  input  logic [5:0]       read_counter,
  output logic [31:0]      read_low,
  output logic [31:0]      read_high,
  output logic             taken
);
  generate
    if (COUNT < 4 || COUNT > 59) begin : g_illegal
      counters_needs_4_to_59_counters illegal ();
    end
  endgenerate

  // x^6 + x^5 + 1: 63 states; from 1 on, state k of them stands for k.
  function automatic logic [5:0] next_state(input logic [5:0] state);
    next_state = {state[4:0], state[5] ^ state[4]};
  endfunction

  // For each state the number it stands for; for 0, which never comes, 0. (Icarus 11 calls no function in a constant one.)
  function automatic logic [64*8-1:0] numbers(input logic [5:0] first);
    logic [5:0] state;
    numbers = '0;
    state = first;
    for (int k = 0; k < 63; k++) begin
      numbers[8*state +: 8] = 8'(k);
      state = {state[4:0], state[5] ^ state[4]};
    end
  endfunction

  localparam logic [64*8-1:0] NUMBERS = numbers(6'd1);
  localparam logic [5:0] LAST = 6'(COUNT - 1);

  // ---- the small counters and their copies, eight bits of room for each ----

  logic [COUNT-1:0]   inc_q;
  logic               snapshot_q, copy;
  logic [8*64-1:0]    copies;
  logic [5:0]         at_q;             // the counter that the sweep looks at
  logic               filled_q;         // one sweep has gone through since reset: the words are these counters'
  logic               taking_q, taken_q;   // the sweep is that of a snapshot; there was one

  assign copy = snapshot_q || at_q == LAST;
  assign copies[8*64-1:8*COUNT] = '0;

  always_ff @(posedge clk) begin
    inc_q <= rst ? '0 : inc;
    snapshot_q <= !rst && snapshot;
  end

  generate
    for (genvar i = 0; i < COUNT; i++) begin : g_counter
      if (OFTEN[i]) begin : g_often
        logic [6:0] small_q, copy_q;

        always_ff @(posedge clk) begin
          if (rst) begin
            small_q <= '0;
            copy_q <= '0;
          end else begin
            small_q <= small_q + 7'(inc_q[i]);
            if (copy) copy_q <= small_q;
          end
        end
        assign copies[8*i +: 8] = {1'b0, copy_q};
      end else begin : g_seldom
        logic [5:0] small_q, copy_q;

        always_ff @(posedge clk) begin
          if (rst) begin
            small_q <= 6'd1;
            copy_q <= 6'd1;
          end else begin
            if (inc_q[i]) small_q <= next_state(small_q);
            if (copy) copy_q <= small_q;
          end
        end
        assign copies[8*i +: 8] = {2'd0, copy_q};
      end
    end
  endgenerate

  // Two turns of no counter lie before the first one after a snapshot, so that no word is read while its last sum is
  // written. Until the first sweep has gone through, the small counters have all that there is.
  always_ff @(posedge clk) begin
    if (rst) begin
      at_q <= '0;
      filled_q <= 1'b0;
      taking_q <= 1'b0;
      taken_q <= 1'b0;
    end else if (snapshot) begin
      at_q <= 6'd62;
      taking_q <= 1'b1;
      taken_q <= 1'b1;
    end else if (at_q == LAST) begin
      at_q <= '0;
      filled_q <= 1'b1;
      taking_q <= 1'b0;
    end else begin
      at_q <= at_q + 6'd1;
    end
  end

  // ---- three steps for each: copy and word, how far it has come, the sum goes back ----
  // What is written during reset, and just behind it, is written again by the first sweep.

  (* no_rw_check *)
  logic [70:0] live_mem [0:63];         // where the small counter stood; the count
  logic [70:0] live_q;
  logic [6:0]  copy_here_q, place, stood, far, place_q, far_q;
  logic        often_here_q, filled_here_q, back;
  logic [5:0]  at_1q, at_2q;
  logic        taken_here_q, taken_1q;
  logic [63:0] word_q, sum;

  always_comb begin
    place = often_here_q ? copy_here_q : {1'b0, NUMBERS[{copy_here_q[5:0], 3'd0} +: 6]};
    stood = live_q[70:64] & {7{filled_here_q}};
    {back, far} = {1'b0, place} - {1'b0, stood};
    // A shift register comes round after 63.
    if (!often_here_q)
      far = {1'b0, far[5:0] - {5'd0, back}};
  end
  assign sum = word_q + {57'd0, far_q};

  always_ff @(posedge clk) begin
    at_1q <= at_q;
    at_2q <= at_1q;
    copy_here_q <= copies[{at_q, 3'd0} +: 7];
    often_here_q <= 1'(64'(OFTEN) >> at_q);
    filled_here_q <= filled_q;
    taken_here_q <= taking_q;
    taken_1q <= taken_here_q;
    place_q <= place;
    far_q <= far;
    if (!filled_here_q) word_q <= '0;
    else word_q <= live_q[63:0];
  end

  always_ff @(posedge clk) begin
    live_q <= live_mem[at_q];
    live_mem[at_2q] <= {place_q, sum};
  end

  (* no_rw_check *)
  logic [63:0] taken_mem [0:63];

  always_ff @(posedge clk) begin
    {read_high, read_low} <= taken_mem[read_counter];
    if (taken_1q) taken_mem[at_2q] <= sum;
  end
  assign taken = taken_q;
endmodule
