// SPDX-License-Identifier: Apache-2.0
// formal/rx_options - the option parser never looks beyond the header, whatever stands in it.
//
// One step, from any state that a step before it may have left: what is assumed of state_in is proved of state_out.
// For Yosys only; tools/formal.sh proves each label by itself.
`include "rx_defs.svh"
module formal_rx_options (
  input  logic [63:0]                          octets,
  input  logic [63:0]                          previous,
  input  logic [2:0]                           start,       // the options' first octet, in a header's first step
  input  logic [5:0]                           behind,
  input  logic [`HF_RX_OPTIONS_STATE_BITS-1:0] state_in,
  input  logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] value_in
);
  localparam logic [1:0] KIND = 2'd0, LEN = 2'd1, BODY = 2'd2, STOP = 2'd3;
  localparam logic [2:0] MSS = 3'd1, WS = 3'd2, TS = 3'd4;

  typedef struct packed { `HF_RX_OPTIONS_STATE_FIELDS } state_t;

  logic [7:0]                           active;
  logic [`HF_RX_OPTIONS_STATE_BITS-1:0] state_out;
  logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] value_out;
  state_t                               before, now;
  logic                                 goes_on;            // the header has octets beyond these eight

  rx_options dut (.*);

  assign before = state_in;
  assign now = state_out;
  assign goes_on = behind >= 6'd8;

  always_comb begin
    for (int i = 0; i < 8; i++)
      active[i] = 3'(i) >= start && 6'(i) <= behind;
  end

  always_comb begin
    assume (behind <= 6'd46);
    assume (start == 3'd0 || state_in == 0);
    assume (before.at != BODY || (before.left != 0 && before.left <= behind + 6'd1));
    assume (before.at != BODY || before.left <= (before.kind == MSS ? 6'd2 : before.kind == WS ? 6'd1 :
                                                 before.kind == TS ? 6'd8 : 6'd63));

    // What is left of an option lies in the header; at its end nothing is left.
    within_header: assert (now.at != BODY || (goes_on && now.left != 0 && now.left <= behind - 6'd7));
    ends_with_header: assert (goes_on || now.at == KIND || now.at == STOP);
    known_length: assert (now.at != BODY || now.left <= (now.kind == MSS ? 6'd2 : now.kind == WS ? 6'd1 :
                                                         now.kind == TS ? 6'd8 : 6'd63));
    stop_stays: assert (before.at != STOP || state_out == state_in);
    inactive_keeps: assert (active != 8'd0 || (state_out == state_in && value_out == value_in));
  end
endmodule
