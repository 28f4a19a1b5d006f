// SPDX-License-Identifier: Apache-2.0
// usb_link_c2h - what of the core's messages goes to the host: all while it is there, none while it is not, HELLO first.
//
// What    takes the core's messages; while the link is closed, and the rest of one that was begun when it was closed or
//         opened anew, discards them. Keeps a copy of HELLO, and begins every opened link with it.
// Input   s_axis_c2h: as the core's m_axis_c2h. open; flush: one clock, the link is opened, opened anew or closed, open is
//         new from the next clock on.
// Output  put_*: beats of messages for usb_link_tx. discarded: one clock per message that nobody gets (HELLO is kept).
// Timing  combinational from s_axis_c2h to put; tready is a function of registers and put_ready. Reset: no HELLO known.
`include "handfast_defs.svh"

module usb_link_c2h (
  input  logic        clk,
  input  logic        rst,

  input  logic        open,
  input  logic        flush,

  input  logic [63:0] s_axis_c2h_tdata,
  input  logic        s_axis_c2h_tvalid,
  input  logic        s_axis_c2h_tlast,
  output logic        s_axis_c2h_tready,

  output logic        put_valid,
  output logic [63:0] put_data,
  output logic        put_last,
  input  logic        put_ready,

  output logic        discarded
);

  localparam logic [2:0] HELLO_LAST = 3'd4;                 // HELLO has 40 bytes

  logic [63:0] hello [0:7];
  logic        known_q;                                     // the copy is whole
  logic        copying_q, within_q, drop_q;                 // of the message whose first beat was taken, its last not
  logic        due_q, saying_q;                             // HELLO must come first; the copy is being sent
  logic [2:0]  index_q, say_q;
  logic        beat, is_hello, drop;

  assign is_hello = within_q ? copying_q : s_axis_c2h_tdata[7:0] == `HF_MSG_HELLO;
  assign drop = within_q ? drop_q : !open || (due_q && !(is_hello && !known_q));
  assign s_axis_c2h_tready = !saying_q && (within_q ? drop_q || put_ready : !open || (put_ready && !(due_q && known_q)));
  assign beat = s_axis_c2h_tvalid && s_axis_c2h_tready;
  assign put_valid = saying_q || (beat && !drop);
  assign put_data = saying_q ? hello[say_q] : s_axis_c2h_tdata;
  assign put_last = saying_q ? say_q == HELLO_LAST : s_axis_c2h_tlast;
  assign discarded = beat && s_axis_c2h_tlast && drop && !is_hello;

  always_ff @(posedge clk) begin
    if (beat && is_hello) hello[index_q] <= s_axis_c2h_tdata;
    if (beat) begin
      within_q <= !s_axis_c2h_tlast;
      copying_q <= is_hello;
      drop_q <= drop;
      index_q <= s_axis_c2h_tlast ? 3'd0 : index_q + 3'd1;
      if (is_hello && s_axis_c2h_tlast) known_q <= 1'b1;
      if (s_axis_c2h_tlast && !drop) due_q <= 1'b0;
    end
    if (saying_q) begin
      if (put_ready) say_q <= say_q + 3'd1;
      if (put_ready && put_last) begin
        saying_q <= 1'b0;
        due_q <= 1'b0;
      end
    end else begin
      say_q <= 3'd0;
      saying_q <= open && due_q && known_q && !within_q && !beat;
    end
    if (flush) begin
      drop_q <= 1'b1;
      due_q <= 1'b1;
      saying_q <= 1'b0;
    end
    if (rst) begin
      within_q <= 1'b0;
      known_q <= 1'b0;
      due_q <= 1'b0;
      saying_q <= 1'b0;
      index_q <= 3'd0;
    end
  end

endmodule
