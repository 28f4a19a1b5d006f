// SPDX-License-Identifier: Apache-2.0
// syn_watch - how many SYNs each listener got, and which of them the host is shown.
//
// What    counts the SYNs of no connection, whatever becomes of them, and picks every `every`-th one as a sample, but
//         none while the event queue is half full: then the next one is tried.
// Input   every: 0 = none; restart: it is written, so the count begins anew. ask: an op asks whether it would be a sample;
//         half_room: the event queue is less than half full. syn: the op that asked last is such a SYN, of listener
//         `listener`.
// Output  sample: from the cycle after ask until the next one: it is one, if it is such a SYN. read_syns: SYNs of listener
//         read_index since reset, modulo 2^32.
// Timing  registers change at the end of the cycle of ask, syn, restart. Never stalls.
module syn_watch #(
  parameter int LISTENERS = 16           // 1 to 16
) (
  input  logic        clk,
  input  logic        rst,
  input  logic [19:0] every,
  input  logic        restart,
  input  logic [3:0]  read_index,        // below LISTENERS
  output logic [31:0] read_syns,

  // T3
  input  logic        ask,
  input  logic        half_room,

  // T4
  input  logic        syn,
  input  logic [3:0]  listener,
  output logic        sample
);
  logic [19:0] since_q;                  // SYNs since the last sample
  logic        due, due_q;

  assign due = every != 20'd0 && {1'b0, since_q} + 21'd1 >= {1'b0, every};

  always_ff @(posedge clk) begin
    if (ask) begin
      due_q <= due;
      sample <= due && half_room;
    end
    if (rst || restart) since_q <= '0;
    else if (syn && sample) since_q <= '0;
    else if (syn && !due_q) since_q <= since_q + 20'd1;
  end

  count_array #(.COUNT(LISTENERS)) u_syns (
    .clk(clk), .rst(rst), .add(syn), .add_index(listener), .read_index(read_index), .count(read_syns));
endmodule
