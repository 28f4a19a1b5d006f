// SPDX-License-Identifier: Apache-2.0
// formal/rx_options - the option parser, which looks at eight or four octets at once, does what one does that takes octet
// after octet, and never looks beyond the header, whatever stands in it.
//
// One step, from any state that a step before it may have left: what is assumed of state_in is proved of state_out.
// For Yosys only; tools/formal.sh proves each label by itself.
`include "rx_defs.svh"
module formal_rx_options #(
  parameter int OCTETS = 8
) (
  input  logic [8*OCTETS-1:0]                  octets,
  input  logic [63:0]                          previous,
  input  logic                                 none,        // no octet is of the options: before them, or behind them
  input  logic [2:0]                           start,       // the options' first octet, in a header's first step
  input  logic [5:0]                           behind,
  input  logic [`HF_RX_OPTIONS_STATE_BITS-1:0] state_in,
  input  logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] value_in
);
  localparam logic [1:0] KIND = 2'd0, LEN = 2'd1, BODY = 2'd2, STOP = 2'd3;
  localparam logic [2:0] OTHER = 3'd0, MSS = 3'd1, WS = 3'd2, SACK = 3'd3, TS = 3'd4;

  typedef struct packed { `HF_RX_OPTIONS_STATE_FIELDS } state_t;
  typedef struct packed { `HF_RX_OPTIONS_VALUE_FIELDS } value_t;

  localparam int AT_W = $clog2(OCTETS);
  localparam int TOP = 8 * OCTETS - 8;

  logic [OCTETS-1:0]                    active;
  logic [`HF_RX_OPTIONS_STATE_BITS-1:0] state_out;
  logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] value_out;
  state_t                               before, now;
  value_t                               known;
  logic                                 goes_on;            // the header has octets beyond these

  rx_options #(.OCTETS(OCTETS)) dut (.*, .clk(1'b0), .valid(1'b1));

  assign before = state_in;
  assign now = state_out;
  assign known = value_out;
  assign goes_on = behind >= 6'(OCTETS);

  always_comb begin
    for (int i = 0; i < OCTETS; i++)
      active[i] = !none && 3'(i) >= start && 6'(i) <= behind;
  end

  // ---- octet after octet ----

  logic [1:0]   at;
  logic [2:0]   kind;
  logic [6:0]   left;                                       // octets of the body to come
  logic [7:0]   octet;
  logic [8*OCTETS+63:0] window;
  logic         bad, mss_ok, ws_ok, ws_clamped, sack_ok, ts_ok;
  value_t       value;
  logic         ts_now;                                     // timestamps are complete at octet ts_last
  logic [AT_W-1:0] ts_last;
  logic [63:0]  ts_octets;
  logic [8*OCTETS-1:0] unused_octets;

  assign {unused_octets, ts_octets} = window >> {~ts_last, 3'd0};
  assign window = {previous, octets};
  always_comb begin
    at = before.at;
    kind = before.kind;
    left = {1'b0, before.last} + 7'd1;
    {bad, mss_ok, ws_ok, ws_clamped, sack_ok, ts_ok} =
      {before.bad, before.mss_ok, before.ws_ok, before.ws_clamped, before.sack_ok, before.ts_ok};
    value = value_in;
    ts_now = 1'b0;
    ts_last = '0;
    octet = 8'd0;
    for (int i = 0; i < OCTETS; i++) begin
      octet = octets[TOP - 8*i +: 8];
      if (active[i]) begin
        if (at == KIND) begin
          kind = octet == 8'd2 ? MSS : octet == 8'd3 ? WS : octet == 8'd4 ? SACK : octet == 8'd8 ? TS : OTHER;
          if (octet == 8'd0) begin
            at = STOP;
          end else if (octet != 8'd1) begin
            at = behind == 6'(i) ? STOP : LEN;
            if (behind == 6'(i)) bad = 1'b1;
          end
        end else if (at == LEN) begin
          left = octet[6:0] - 7'd2;
          if (octet < 8'd2 || octet - 8'd2 > {2'd0, behind - 6'(i)}) begin
            at = STOP;
            bad = 1'b1;
          end else if (octet == 8'd2) begin
            at = KIND;
            if (kind == SACK) sack_ok = 1'b1;
          end else begin
            at = BODY;
            if (!((kind == MSS && octet == 8'd4) || (kind == WS && octet == 8'd3) || (kind == TS && octet == 8'd10)))
              kind = OTHER;
          end
        end else if (at == BODY) begin
          left = left - 7'd1;
          if (left == 7'd0) begin
            at = KIND;
            if (kind == MSS) begin
              mss_ok = 1'b1;
              value.mss = window[TOP - 8*i +: 16];
            end
            if (kind == WS) begin
              ws_ok = 1'b1;
              ws_clamped = octet > 8'd14;
              value.ws = octet > 8'd14 ? 4'd14 : octet[3:0];
            end
            if (kind == TS) begin
              ts_ok = 1'b1;
              ts_now = 1'b1;
              ts_last = AT_W'(i);
            end
          end
        end
      end
    end
  end

  // ---- what is assumed and proved ----

  always_comb begin
    assume (behind <= 6'd46);
    assume (32'(start) < OCTETS);
    assume (start == 3'd0 || state_in == 0);
    assume (before.kind <= TS);
    assume (before.at != BODY || (!none && before.last <= behind &&
                                  before.last <= (before.kind == MSS ? 6'd1 : before.kind == WS ? 6'd0 :
                                                  before.kind == TS ? 6'd7 : 6'd63) && before.kind != SACK));
    assume (before.at != LEN || !none);

    same_marks: assert ({now.bad, now.mss_ok, now.ws_ok, now.sack_ok, now.ts_ok} == {bad, mss_ok, ws_ok, sack_ok, ts_ok} &&
                        (!ws_ok || now.ws_clamped == ws_clamped));
    same_mss: assert (!mss_ok || known.mss == value.mss);
    same_ws: assert (!ws_ok || known.ws == value.ws);
    same_ts: assert ({known.tsval, known.tsecr} == (ts_now ? ts_octets : {value.tsval, value.tsecr}));
    same_state: assert (none || !goes_on ||
                        (now.at == at && (at != LEN || now.kind == kind) &&
                         (at != BODY || (now.kind == kind && {1'b0, now.last} + 7'd1 == left))));

    // What is left of an option lies in the header; at its end nothing is left.
    within_header: assert (none || now.at != BODY ||
                           (goes_on && now.last <= behind - 6'(OCTETS) && now.kind != SACK &&
                            now.last <= (now.kind == MSS ? 6'd1 : now.kind == WS ? 6'd0 : now.kind == TS ? 6'd7 : 6'd63)));
    ends_with_header: assert (goes_on || none || now.at == KIND || now.at == STOP);
  end
endmodule
