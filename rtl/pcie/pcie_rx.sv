// SPDX-License-Identifier: Apache-2.0
// pcie_rx - TLPs from the root complex, checked and parted (PCI Express Base Specification 2.2, 2.3).
//
// Input   s_axis_tlp, as docs/pcie.md says.
// Output  request: the beats of whole, well-formed requests, one after another; their length is in their header.
//         cpl_*: completions, while they arrive. cpl_begin: the fields and the first dword of data (cpl_first); cpl_data:
//         a beat after it (cpl_beat); cpl_end: the last of them has come, cpl_good: and all of it was well formed.
//         malformed: a TLP was dropped that no root complex sends. Messages are dropped in silence.
// Timing  one beat per cycle; waits (for all kinds alike) while 2^DEPTH_LOG2 beats of requests are not taken. A request is
//         at most 514 beats.

module pcie_rx #(
  parameter int DEPTH_LOG2 = 10
) (
  input  logic        clk,
  input  logic        rst,
  input  logic [15:0] cfg_id,

  input  logic [63:0] s_axis_tlp_tdata,
  input  logic [7:0]  s_axis_tlp_tkeep,
  input  logic        s_axis_tlp_tlast,
  input  logic        s_axis_tlp_tvalid,
  output logic        s_axis_tlp_tready,

  output logic        request_valid,
  output logic [63:0] request,
  input  logic        request_pop,

  output logic        cpl_begin,
  output logic        cpl_mine,         // its requester ID is ours
  output logic        cpl_has_data,
  output logic        cpl_locked,
  output logic        cpl_poisoned,
  output logic [9:0]  cpl_length,       // dwords, 0 = 1,024
  output logic [2:0]  cpl_status,
  output logic [11:0] cpl_bytes,
  output logic [7:0]  cpl_tag,
  output logic [6:0]  cpl_lower,
  output logic [31:0] cpl_first,
  output logic        cpl_data,
  output logic [63:0] cpl_beat,
  output logic        cpl_end,
  output logic        cpl_good,

  output logic        malformed
);

  generate
    if (DEPTH_LOG2 < 10) begin : g_illegal
      pcie_rx_DEPTH_LOG2_must_be_at_least_10 illegal ();
    end
  endgenerate

  // Dwords of a header are drawn with their first byte most significant.
  function automatic [31:0] dword(input [31:0] bytes);
    dword = {bytes[7:0], bytes[15:8], bytes[23:16], bytes[31:24]};
  endfunction

  logic        take, first_q, second_q, bad_q, full;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [31:0] dw0, dw1, dw1_q, low, high, address; // not every field is looked at
  /* verilator lint_on UNUSEDSIGNAL */
  logic [11:0] count_q, count, expect_q;
  logic        keep_ok, last_good;

  assign s_axis_tlp_tready = !full;
  assign take = s_axis_tlp_tvalid && s_axis_tlp_tready;
  assign low = s_axis_tlp_tdata[31:0];
  assign high = s_axis_tlp_tdata[63:32];
  assign dw0 = dword(low);
  assign dw1 = dword(high);
  assign keep_ok = s_axis_tlp_tkeep == 8'hff || (s_axis_tlp_tlast && s_axis_tlp_tkeep == 8'h0f);
  // Stops counting where no TLP is so long.
  assign count = count_q[11] ? count_q : count_q + (s_axis_tlp_tkeep == 8'hff ? 12'd2 : 12'd1);

  // What the first beat tells.
  logic [2:0] fmt;
  logic [4:0] kind;
  logic [9:0] length;
  logic       is_cpl, is_memory, is_message, is_single, is_atomic, enables_ok;
  logic       cpl_q, message_q, memory_q;
  logic [9:0] length_q;
  logic       has_data_q, four_q, locked_q, poisoned_q;

  assign fmt = dw0[31:29];
  assign kind = dw0[28:24];
  assign length = dw0[9:0];
  assign is_cpl = kind[4:1] == 4'b0101 && (fmt == 3'b000 || fmt == 3'b010);
  assign is_memory = !fmt[2] && (kind == 5'd0 || (kind == 5'd1 && !fmt[1]));
  assign is_message = kind[4:3] == 2'b10 && !fmt[2] && fmt[0];
  assign is_single = !fmt[2] && !fmt[0] && (kind == 5'd2 || kind == 5'd4 || kind == 5'd5);  // I/O, configuration
  assign is_atomic = !fmt[2] && fmt[1] && (kind == 5'd12 || kind == 5'd13 || kind == 5'd14);
  // First and last byte enables, 2.2.5.
  assign enables_ok = length == 10'd1 ? dw1[7:4] == 4'd0 : dw1[7:4] != 4'd0 && dw1[3:0] != 4'd0;

  // What the second tells: the address, and that the request ends within its 4 KiB.
  logic [11:0] end_dword;
  logic        crosses;
  assign address = four_q ? dword(high) : dword(low);
  assign end_dword = {2'd0, address[11:2]} + (length_q == 10'd0 ? 12'd1024 : {2'd0, length_q});
  assign crosses = second_q && memory_q && end_dword > 12'd1024;

  assign last_good = !first_q && !bad_q && keep_ok && !crosses && count == expect_q;

  always_ff @(posedge clk) begin
    malformed <= 1'b0;
    cpl_begin <= 1'b0;
    cpl_data <= 1'b0;
    cpl_end <= 1'b0;
    if (take) begin
      first_q <= s_axis_tlp_tlast;
      second_q <= first_q && !s_axis_tlp_tlast;
      count_q <= s_axis_tlp_tlast ? 12'd0 : count;
      if (first_q) begin
        cpl_q <= is_cpl;
        message_q <= is_message;
        memory_q <= is_memory;
        length_q <= length;
        has_data_q <= fmt[1];
        four_q <= fmt[0];
        locked_q <= kind[0];
        poisoned_q <= dw0[14];
        expect_q <= (fmt[0] ? 12'd4 : 12'd3) + (!fmt[1] ? 12'd0 : length == 10'd0 ? 12'd1024 : {2'd0, length});
        bad_q <= !keep_ok || !(is_cpl || is_message || is_atomic || (is_memory && enables_ok) ||
                 (is_single && enables_ok && length == 10'd1));
      end else begin
        bad_q <= bad_q || !keep_ok || crosses;
      end
      malformed <= s_axis_tlp_tlast && !last_good;
      cpl_begin <= second_q && cpl_q;
      cpl_data <= !first_q && !second_q && cpl_q && count_q < expect_q;
      cpl_end <= s_axis_tlp_tlast && !first_q && cpl_q;
      cpl_good <= last_good;
    end
    if (take && second_q) begin
      cpl_mine <= dword(low) >> 16 == {16'd0, cfg_id};
      cpl_tag <= low[23:16];
      cpl_lower <= low[30:24];
      cpl_first <= high;
      cpl_has_data <= has_data_q;
      cpl_locked <= locked_q;
      cpl_poisoned <= poisoned_q;
      cpl_length <= length_q;
      cpl_status <= dw1_q[15:13];
      cpl_bytes <= dw1_q[11:0];
    end
    cpl_beat <= s_axis_tlp_tdata;
    if (take && first_q) dw1_q <= dw1;
    if (rst) begin
      first_q <= 1'b1;
      second_q <= 1'b0;
      count_q <= '0;
      bad_q <= 1'b0;
      malformed <= 1'b0;
      cpl_begin <= 1'b0;
      cpl_data <= 1'b0;
      cpl_end <= 1'b0;
    end
  end

  // Requests wait here until their last beat has shown that they are whole. What is longer than it says does not fit.
  logic push;
  assign push = take && (first_q ? !is_cpl && !is_message : !cpl_q && !message_q && count_q < expect_q);

  /* verilator lint_off PINCONNECTEMPTY */
  pcie_store #(.WIDTH(64), .DEPTH_LOG2(DEPTH_LOG2)) store (
    .clk(clk), .rst(rst),
    .push(push), .data(s_axis_tlp_tdata), .commit(s_axis_tlp_tlast && last_good),
    .rollback(take && s_axis_tlp_tlast && !last_good), .full(full), .committed(),
    .valid(request_valid), .head(request), .pop(request_pop)
  );
  /* verilator lint_on PINCONNECTEMPTY */

endmodule
