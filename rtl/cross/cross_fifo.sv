// SPDX-License-Identifier: Apache-2.0
// cross_fifo - a queue between two clocks, in order, nothing lost.
//
// What    one of the two modules in which a signal may cross between clocks (the other is cross_sync, which carries the
//         Gray-coded pointers).
// Input   s_valid, s_ready, s_data on s_clk. s_ready is a register's output.
// Output  m_valid, m_ready, m_data on m_clk, from an output register: the memory is a block RAM where DEPTH_LOG2 is large.
//         s_room: elements that may be pushed for certain; at most 2^DEPTH_LOG2. s_ready is s_room != 0.
// Timing  an element comes out 3 to 4 m_clk after it was pushed; its place is free again 4 to 5 s_clk after it was fetched. From 16
//         elements on, one per clock of the slower side flows. Between registers there is one short carry chain and no more.
//         Both resets belong together: each side is held in reset until the other has been for 4 of its own clocks.

module cross_fifo #(
  parameter int WIDTH = 8,
  parameter int DEPTH_LOG2 = 4
) (
  input  logic                s_clk,
  input  logic                s_rst,
  input  logic                s_valid,
  output logic                s_ready,
  input  logic [WIDTH-1:0]    s_data,
  output logic [DEPTH_LOG2:0] s_room,

  input  logic                m_clk,
  input  logic                m_rst,
  output logic                m_valid,
  input  logic                m_ready,
  output logic [WIDTH-1:0]    m_data
);

  generate
    if (DEPTH_LOG2 < 2) begin : g_illegal
      cross_fifo_DEPTH_LOG2_must_be_at_least_2 illegal ();
    end
  endgenerate

  localparam int P = DEPTH_LOG2 + 1;

  logic [WIDTH-1:0] memory [0:(1 << DEPTH_LOG2)-1];

  // Pointers count modulo 2^P; the Gray code of one changes in one bit.
  logic [P-1:0] write_q, write_d, write_gray_q, write_seen_gray;
  logic [P-1:0] read_q, read_d, read_gray_q, read_seen_gray, read_seen;

  // The writing side. The room is kept, not worked out from the pointers: less what is pushed, and more by what was read between the
  // last two looks at the reader's pointer.
  logic         push, any_freed_q;
  logic [P-1:0] read_seen_q, freed_q, freed_less_q; // freed_less_q is freed_q - 1
  assign push = s_valid && s_ready;
  assign write_d = write_q + P'(push);

  always @* begin
    read_seen[P-1] = read_seen_gray[P-1];
    for (int i = P - 2; i >= 0; i--) read_seen[i] = read_seen[i+1] ^ read_seen_gray[i];
  end

  always_ff @(posedge s_clk) begin
    if (push) memory[write_q[DEPTH_LOG2-1:0]] <= s_data;
    if (s_rst) begin
      write_q <= '0;
      write_gray_q <= '0;
      read_seen_q <= '0;
      freed_q <= P'(1 << DEPTH_LOG2);
      freed_less_q <= P'((1 << DEPTH_LOG2) - 1);
      any_freed_q <= 1'b1;
      s_room <= '0;
      s_ready <= 1'b0;
    end else begin
      write_q <= write_d;
      write_gray_q <= write_d ^ (write_d >> 1);
      read_seen_q <= read_seen;
      freed_q <= read_seen - read_seen_q;
      freed_less_q <= read_seen + ~read_seen_q;
      any_freed_q <= read_seen != read_seen_q;
      s_room <= s_room + (push ? freed_less_q : freed_q);
      s_ready <= any_freed_q || s_room[P-1:1] != '0 || (s_room[0] && !push);
    end
  end

  cross_sync #(.WIDTH(P), .GRAY(1)) read_to_writer (.clk(s_clk), .rst(s_rst), .d(read_gray_q), .q(read_seen_gray));

  // The reading side: the oldest element waits in the output register.
  logic fetch;
  assign fetch = (!m_valid || m_ready) && write_seen_gray != read_gray_q;
  assign read_d = read_q + P'(fetch);

  always_ff @(posedge m_clk) begin
    if (fetch) m_data <= memory[read_q[DEPTH_LOG2-1:0]];
    if (m_rst) begin
      read_q <= '0;
      read_gray_q <= '0;
      m_valid <= 1'b0;
    end else begin
      read_q <= read_d;
      read_gray_q <= read_d ^ (read_d >> 1);
      if (fetch) m_valid <= 1'b1;
      else if (m_ready) m_valid <= 1'b0;
    end
  end

  cross_sync #(.WIDTH(P), .GRAY(1)) write_to_reader (.clk(m_clk), .rst(m_rst), .d(write_gray_q), .q(write_seen_gray));

`ifdef FORMAL_CROSS_FIFO
  // formal/cross_fifo.sv stands for cross_sync. Element n is n, with WIDTH = DEPTH_LOG2 + 1.
  localparam logic [P-1:0] DEPTH = P'(1 << DEPTH_LOG2);
  logic [P-1:0]            write_seen, held;
  logic [DEPTH_LOG2-1:0]   behind;
  logic                    sane, intact;

  initial assume (s_rst);
  always_comb begin
    assume (s_rst == m_rst);
    assume (s_data == write_q);
    write_seen[P-1] = write_seen_gray[P-1];
    for (int i = P - 2; i >= 0; i--) write_seen[i] = write_seen[i+1] ^ write_seen_gray[i];
    held = write_q - read_q;
    // The numbers follow one another: read as it was counted into s_room, read as the writer knows it, read, written as the reader
    // knows it, written.
    sane = write_q - read_seen_q <= DEPTH && read_q - read_seen_q <= write_q - read_seen_q &&
           read_seen - read_seen_q <= read_q - read_seen_q && write_seen - read_q <= held && held <= DEPTH &&
           {1'b0, s_room} + {1'b0, freed_q} == {1'b0, DEPTH - (write_q - read_seen_q)} && freed_less_q == freed_q - P'(1) &&
           any_freed_q == (freed_q != '0) &&
           write_gray_q == (write_q ^ (write_q >> 1)) && read_gray_q == (read_q ^ (read_q >> 1));
    intact = 1'b1;
    behind = '0;
    for (int i = 0; i < (1 << DEPTH_LOG2); i++) begin
      behind = DEPTH_LOG2'(i) - read_q[DEPTH_LOG2-1:0];
      if ({1'b0, behind} < held && memory[i] != read_q + {1'b0, behind}) intact = 1'b0;
    end
  end
  logic open_q;
  always_ff @(posedge s_clk) begin
    open_q <= !s_rst;
    if (open_q && !s_rst) begin
      in_order: assert (sane && intact && s_ready == (s_room != '0) && (!m_valid || m_data == read_q - P'(1)));
      room_is_there: assert (sane && s_room <= DEPTH - held && s_ready == (s_room != '0));
    end
  end
`endif

endmodule
