// SPDX-License-Identifier: Apache-2.0
// pcie_index - the two indices of one ring in host memory, and the doorbell that moves one of them.
//
// What    free-running byte counts; the ring holds producer - consumer bytes, never more than its size.
//         CARD_PRODUCES = 1 (c2h): the card advances the producer, the doorbell the consumer, at most to the producer.
//         CARD_PRODUCES = 0 (h2c): the card advances the consumer, the doorbell the producer, at most `size` ahead.
// Input   start: both are 0 from the next cycle. running: doorbells count; else they are refused. size_log2: 12 to 22, does
//         not change while running. advance by `beats` of 8 bytes: only what there is room for, or what is there.
// Output  producer, consumer. refused: the doorbell of this cycle is not a multiple of 8, goes back, or goes too far.
// Timing  in effect with the next cycle.

// Proved for both directions (formal/units.txt).
`ifdef FORMAL_PCIE_INDEX_H2C
`define FORMAL_PCIE_INDEX
`endif
module pcie_index #(
  parameter int CARD_PRODUCES = 1
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        start,
  input  logic        running,
  input  logic [4:0]  size_log2,
  input  logic        doorbell,
  input  logic [31:0] value,
  input  logic        advance,
  input  logic [9:0]  beats,
  output logic [31:0] producer,
  output logic [31:0] consumer,
  output logic        refused
);

  logic [31:0] used, size, ahead, step;
  logic        in_range, accept;

  assign used = producer - consumer;
  assign size = 32'd1 << size_log2;
  assign ahead = value - consumer;
  assign step = advance ? {19'd0, beats, 3'd0} : 32'd0;
  assign in_range = CARD_PRODUCES != 0 ? ahead <= used : ahead >= used && ahead <= size;
  assign accept = doorbell && running && value[2:0] == 3'd0 && in_range;
  assign refused = doorbell && !accept;

  always_ff @(posedge clk) begin
    if (rst || start) begin
      producer <= '0;
      consumer <= '0;
    end else if (CARD_PRODUCES != 0) begin
      producer <= producer + step;
      if (accept) consumer <= value;
    end else begin
      consumer <= consumer + step;
      if (accept) producer <= value;
    end
  end

`ifdef FORMAL_PCIE_INDEX
  logic [4:0]  past_size_q;
  logic        past_q, past_running_q;
  logic [31:0] past_consumer_q, past_producer_q;

  initial begin
    past_q = 1'b0;
    assume (rst);
  end

  always_ff @(posedge clk) begin
    past_q <= !rst && !start;
    past_running_q <= running;
    past_size_q <= size_log2;
    past_producer_q <= producer;
    past_consumer_q <= consumer;
  end

  always @* begin
    assume (size_log2 >= 5'd12 && size_log2 <= 5'd22);
    if (past_q) assume (size_log2 == past_size_q);
    if (advance && CARD_PRODUCES != 0) assume (step <= size - used);
    if (advance && CARD_PRODUCES == 0) assume (step <= used);
  end

  always_ff @(posedge clk) begin
    if (!rst) begin
      never_over: assert (used <= size);
      whole_beats: assert (producer[2:0] == 3'd0 && consumer[2:0] == 3'd0);
      if (past_q) begin
        forward: assert (used <= size && producer - past_producer_q <= size && consumer - past_consumer_q <= size);
        only_running: assert (past_running_q || (CARD_PRODUCES != 0 ? consumer == past_consumer_q
                                                                     : producer == past_producer_q));
      end
    end
  end
`endif

endmodule
