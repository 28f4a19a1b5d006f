// SPDX-License-Identifier: Apache-2.0
// rx_options - eight octets of TCP options (RFC 9293 3.2; RFC 7323, RFC 2018): one step of the option parser.
//
// Input   octets, first most significant, and the eight before them; active: which are options, octet 0 in bit 0;
//         behind: octets of the header behind octet 0. state_in, value_in: as the step before left them, the state 0
//         before a header's first octet.
// Output  state_out, value_out: HF_RX_OPTIONS_STATE_FIELDS, HF_RX_OPTIONS_VALUE_FIELDS; a value is right if its _ok
//         is 1.
// Timing  no register.
`include "rx_defs.svh"

module rx_options (
  input  logic [63:0]                          octets,
  input  logic [63:0]                          previous,
  input  logic [7:0]                           active,
  input  logic [5:0]                           behind,
  input  logic [`HF_RX_OPTIONS_STATE_BITS-1:0] state_in,
  input  logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] value_in,
  output logic [`HF_RX_OPTIONS_STATE_BITS-1:0] state_out,
  output logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] value_out
);

  localparam logic [1:0] KIND = 2'd0, LEN = 2'd1, BODY = 2'd2, STOP = 2'd3;
  localparam logic [2:0] OTHER = 3'd0, MSS = 3'd1, WS = 3'd2, SACK = 3'd3, TS = 3'd4;

  typedef struct packed { `HF_RX_OPTIONS_STATE_FIELDS } state_t;
  typedef struct packed { `HF_RX_OPTIONS_VALUE_FIELDS } value_t;

  // What each octet is, if it is a kind or a length: apart from the automaton, whose chain is long.
  // after[6*i +: 6]: octets of the header behind octet i, right where it is active.
  logic [47:0] after;
  logic [7:0]  is_end, is_nop, is_final, len_bad, len_2, len_3, len_4, len_10;
  logic [23:0] kind_class;

  always_comb begin
    for (int i = 0; i < 8; i++) begin
      after[6*i +: 6] = behind - 6'(i);
      is_end[i] = octets[63 - 8*i -: 8] == 8'd0;
      is_nop[i] = octets[63 - 8*i -: 8] == 8'd1;
      is_final[i] = after[6*i +: 6] == 0;
      len_bad[i] = octets[63 - 8*i -: 8] < 8'd2 || octets[63 - 8*i -: 8] > 8'd2 + {2'b00, after[6*i +: 6]};
      len_2[i] = octets[63 - 8*i -: 8] == 8'd2;
      len_3[i] = octets[63 - 8*i -: 8] == 8'd3;
      len_4[i] = octets[63 - 8*i -: 8] == 8'd4;
      len_10[i] = octets[63 - 8*i -: 8] == 8'd10;
      case (octets[63 - 8*i -: 8])
        8'd2: kind_class[3*i +: 3] = MSS;
        8'd3: kind_class[3*i +: 3] = WS;
        8'd4: kind_class[3*i +: 3] = SACK;
        8'd8: kind_class[3*i +: 3] = TS;
        default: kind_class[3*i +: 3] = OTHER;
      endcase
    end
  end

  // The automaton. A kind that does not fit its length becomes OTHER: skipped by its length. An
  // option takes effect at its last octet; a length that does not fit never gets there.
  logic [1:0]   at;
  logic [2:0]   kind;
  logic [5:0]   left;                                       // body octets to come
  logic         bad;
  logic [7:0]   mss_at, ws_at, sack_at, ts_at;              // the octet that completes such an option
  logic [7:0]   shift;
  logic [127:0] window;
  state_t       s, s_in;
  value_t       v;

  assign s_in = state_in;
  assign window = {previous, octets};

  always_comb begin
    at = s_in.at;
    kind = s_in.kind;
    left = s_in.left;
    bad = s_in.bad;
    mss_at = 8'h00;
    ws_at = 8'h00;
    sack_at = 8'h00;
    ts_at = 8'h00;
    for (int i = 0; i < 8; i++) begin
      if (active[i]) begin
        case (at)
          KIND: begin
            kind = kind_class[3*i +: 3];
            if (is_end[i]) begin
              at = STOP;
            end else if (!is_nop[i]) begin
              at = is_final[i] ? STOP : LEN;
              bad = is_final[i];
            end
          end
          LEN: begin
            left = octets[56 - 8*i +: 6] - 6'd2;
            sack_at[i] = kind == SACK && len_2[i];
            if ((kind == MSS && !len_4[i]) || (kind == WS && !len_3[i]) || (kind == TS && !len_10[i]))
              kind = OTHER;
            at = len_bad[i] ? STOP : len_2[i] ? KIND : BODY;
            bad = len_bad[i];
          end
          BODY: begin
            if (left == 6'd1) begin
              at = KIND;
              mss_at[i] = kind == MSS;
              ws_at[i] = kind == WS;
              ts_at[i] = kind == TS;
            end
            left = left - 1'b1;
          end
          default: ;
        endcase
      end
    end
  end

  // The last option of a kind counts, so the last completing octet wins.
  always_comb begin
    s = s_in;
    s.at = at;
    s.kind = kind;
    s.left = left;
    s.bad = bad;
    s.mss_ok = s_in.mss_ok || mss_at != 0;
    s.ws_ok = s_in.ws_ok || ws_at != 0;
    s.sack_ok = s_in.sack_ok || sack_at != 0;
    s.ts_ok = s_in.ts_ok || ts_at != 0;
    v = value_in;
    shift = 8'd0;
    for (int i = 0; i < 8; i++) begin
      if (mss_at[i])
        v.mss = window[56 - 8*i +: 16];
      if (ws_at[i])
        shift = window[56 - 8*i +: 8];
      if (ts_at[i])
        {v.tsval, v.tsecr} = window[56 - 8*i +: 64];
    end
    if (ws_at != 0) begin
      s.ws_clamped = shift > 8'd14;
      v.ws = s.ws_clamped ? 4'd14 : shift[3:0];
    end
    state_out = s;
    value_out = v;
  end

endmodule
