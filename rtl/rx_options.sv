// SPDX-License-Identifier: Apache-2.0
// rx_options - some octets of TCP options (RFC 9293 3.2; RFC 7323, RFC 2018): one step of the option parser.
//
// Input   OCTETS octets, first most significant, and the eight before them; active: which are options, octet 0 in bit 0;
//         behind: octets of the header behind octet 0. state_in, value_in: as the step before left them, the state 0
//         before a header's first octet. With LATER octets, active and behind come in the cycle before.
// Output  state_out, value_out: HF_RX_OPTIONS_STATE_FIELDS, HF_RX_OPTIONS_VALUE_FIELDS; a value is right if its _ok
//         is 1.
// Timing  no register; with LATER one behind what each octet says by itself.
`include "rx_defs.svh"

module rx_options #(
  parameter int OCTETS = 8,                                 // 8 or 4
  parameter int LATER = 0
) (
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic                                 clk,         // with LATER
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic                                 valid,       // 0: nobody looks at the outputs
  input  logic [8*OCTETS-1:0]                  octets,
  input  logic [63:0]                          previous,
  input  logic [OCTETS-1:0]                    active,
  input  logic [5:0]                           behind,
  input  logic [`HF_RX_OPTIONS_STATE_BITS-1:0] state_in,
  input  logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] value_in,
  output logic [`HF_RX_OPTIONS_STATE_BITS-1:0] state_out,
  output logic [`HF_RX_OPTIONS_VALUE_BITS-1:0] value_out
);

  generate
    if (OCTETS != 4 && OCTETS != 8) begin : g_illegal
      rx_options_takes_4_or_8_octets illegal ();
    end
  endgenerate

  localparam int AT_W = $clog2(OCTETS);                     // which of them
  localparam int TOP = 8 * OCTETS - 8;                      // the first one's lowest bit
  localparam logic [OCTETS-1:0] ALL = {OCTETS{1'b1}};

  localparam logic [1:0] KIND = 2'd0, LEN = 2'd1, BODY = 2'd2, STOP = 2'd3;
  localparam logic [2:0] OTHER = 3'd0, MSS = 3'd1, WS = 3'd2, SACK = 3'd3, TS = 3'd4;

  typedef struct packed { `HF_RX_OPTIONS_STATE_FIELDS } state_t;
  typedef struct packed { `HF_RX_OPTIONS_VALUE_FIELDS } value_t;

  state_t       s_in, s;
  value_t       v;
  logic [8*OCTETS+63:0] window;

  assign s_in = state_in;
  assign window = {previous, now};

  // What each octet is, if it is a kind or a length. body[OCTETS*i + n]: n octets of body come behind length octet i. beyond:
  // that option goes on behind this step, its last octet is then after; over: that is behind the header.
  logic [OCTETS-1:0]        is_end_d, is_nop_d, is_final_d, len_low_d, len_10_d, beyond_d, over_d;
  logic [OCTETS-1:0]        is_end, is_nop, is_final, len_low, len_10, beyond, over, active_now;
  logic [OCTETS*OCTETS-1:0] body_d, body;
  logic [3*OCTETS-1:0]      kinds_d, kinds;
  logic [6*OCTETS-1:0]      after_d, after;
  logic [8*OCTETS-1:0]      now;                            // octets

  always_comb begin
    if (valid || LATER != 0) begin
      for (int i = 0; i < OCTETS; i++) begin
        is_end_d[i] = octets[TOP - 8*i +: 8] == 8'd0;
        is_nop_d[i] = octets[TOP - 8*i +: 8] == 8'd1;
        is_final_d[i] = behind == 6'(i);
        len_low_d[i] = octets[TOP + 1 - 8*i +: 7] == 7'd0;         // below 2
        len_10_d[i] = octets[TOP - 8*i +: 8] == 8'd10;
        for (int n = 0; n < OCTETS; n++)
          body_d[OCTETS*i + n] = octets[TOP - 8*i +: 8] == 8'(n + 2);
        beyond_d[i] = !len_low_d[i] && (body_d[OCTETS*i +: OCTETS] & (ALL >> i)) == '0;
        over_d[i] = {1'b0, octets[TOP - 8*i +: 8]} + 9'(i) > {3'd0, behind} + 9'd2;
        after_d[6*i +: 6] = octets[TOP - 8*i +: 6] + 6'(i - 2 - OCTETS);
        case (octets[TOP - 8*i +: 8])
          8'd2: kinds_d[3*i +: 3] = MSS;
          8'd3: kinds_d[3*i +: 3] = WS;
          8'd4: kinds_d[3*i +: 3] = SACK;
          8'd8: kinds_d[3*i +: 3] = TS;
          default: kinds_d[3*i +: 3] = OTHER;
        endcase
      end
    end else begin
      is_end_d = 'x;
      is_nop_d = 'x;
      is_final_d = 'x;
      len_low_d = 'x;
      len_10_d = 'x;
      body_d = 'x;
      beyond_d = 'x;
      over_d = 'x;
      after_d = 'x;
      kinds_d = 'x;
    end
  end

  cut #(.WIDTH(OCTETS * (OCTETS + 25)), .ON(LATER)) u_octets (
    .clk(clk), .take(1'b1),
    .d({octets, active, is_end_d, is_nop_d, is_final_d, len_low_d, len_10_d, beyond_d, over_d, body_d, kinds_d, after_d}),
    .q({now, active_now, is_end, is_nop, is_final, len_low, len_10, beyond, over, body, kinds, after}));

  // An octet is a kind where the options begin, behind a NOP, and behind an option's last octet; a length behind a
  // kind. What a length says beyond the header makes no kind: that octet is not active.
  logic       in_body;
  logic [OCTETS-1:0] kind_at;
  logic [OCTETS:0]   len_at;                                // octet OCTETS: the next step's first
  logic [OCTETS-1:0] last_at;                               // an option's last octet
  logic              stop, bad;

  assign in_body = s_in.at == BODY;

  always_comb begin
    if (valid) begin
      kind_at = '0;
      len_at = '0;
      last_at = '0;
      stop = s_in.at == STOP;
      bad = 1'b0;
      kind_at[0] = active_now[0] && s_in.at == KIND;
      len_at[0] = active_now[0] && s_in.at == LEN;
      for (int i = 0; i < OCTETS; i++) begin
        if (i > 0)
          kind_at[i] = active_now[i] && (last_at[(i + OCTETS - 1) % OCTETS] || (kind_at[(i + OCTETS - 1) % OCTETS] && is_nop[(i + OCTETS - 1) % OCTETS]) ||
                                     (s_in.at == KIND && !active_now[(i + OCTETS - 1) % OCTETS]));
        last_at[i] = in_body && s_in.last == 6'(i);
        for (int j = 0; j < OCTETS; j++) begin
          if (j <= i)
            last_at[i] = last_at[i] || (len_at[j] && body[(OCTETS*j + i - j) % (OCTETS*OCTETS)]);
        end
        len_at[i + 1] = kind_at[i] && !is_nop[i] && !is_end[i] && !is_final[i];
        stop = stop || (kind_at[i] && is_end[i]);
        bad = bad || (kind_at[i] && !is_nop[i] && !is_end[i] && is_final[i]) || (len_at[i] && len_low[i]) ||
              (last_at[i] && !active_now[i]);
      end
    end else begin
      kind_at = 'x;
      len_at = 'x;
      last_at = 'x;
      stop = 'x;
      bad = 'x;
    end
  end

  // The option that goes on behind this step, if one does: one that began before, or the last one here.
  logic       begun, goes_on, too_long;
  logic [5:0] last;                                         // its last octet, in the next step

  always_comb begin
    if (valid) begin
      begun = 1'b0;
      last = 6'd0;
      too_long = 1'b0;
      for (int i = 0; i < OCTETS; i++) begin
        if (len_at[i] && beyond[i]) begin
          begun = 1'b1;
          last = last | after[6*i +: 6];
          too_long = too_long || over[i];
        end
      end
      if (!begun) last = s_in.last - 6'(OCTETS);
      goes_on = begun || (in_body && s_in.last[5:AT_W] != '0);
    end else begin
      begun = 'x;
      last = 'x;
      too_long = 'x;
      goes_on = 'x;
    end
  end

  // What is complete in this step, by its last octet, if its length is right for its kind; and what is in the next one.
  logic [OCTETS-1:0] mss_at, ws_at;
  logic        sack, ts;
  logic [2:0]  kind, kind_going_on;

  always_comb begin
    if (valid) begin
      mss_at = '0;
      ws_at = '0;
      mss_at[0] = in_body && s_in.kind == MSS && s_in.last == 6'd0;
      mss_at[1] = in_body && s_in.kind == MSS && s_in.last == 6'd1;
      ws_at[0] = in_body && s_in.kind == WS;
      ts = in_body && s_in.kind == TS && (OCTETS == 8 || s_in.last[5:AT_W] == '0);
      sack = 1'b0;
      kind = s_in.kind;
      // Of the kinds that count only timestamps are long enough to fill a step of four octets and go on.
      kind_going_on = (OCTETS == 4 && in_body && s_in.last[5:AT_W] != '0) ? s_in.kind : OTHER;
      for (int i = 0; i < OCTETS; i++) begin
        if (len_at[i]) begin
          sack = sack || (kind == SACK && body[OCTETS*i]);
          if (kind == WS && body[OCTETS*i + 1]) begin
            if (i < OCTETS - 1)
              ws_at[(i + 1) % OCTETS] = active_now[(i + 1) % OCTETS];
            else
              kind_going_on = WS;
          end
          if (kind == MSS && body[OCTETS*i + 2]) begin
            if (i < OCTETS - 2)
              mss_at[(i + 2) % OCTETS] = active_now[(i + 2) % OCTETS];
            else
              kind_going_on = MSS;
          end
          if (kind == TS && len_10[i])
            kind_going_on = TS;
        end
        kind = kinds[3*i +: 3];
      end
    end else begin
      mss_at = 'x;
      ws_at = 'x;
      ts = 'x;
      sack = 'x;
      kind = 'x;
      kind_going_on = 'x;
    end
  end

  // The last option of a kind counts, so the last completing octet wins. Octet i stands OCTETS-1-i from the right.
  logic [AT_W-1:0]      mss_index, ws_index;
  logic [8*OCTETS+47:0] unused_mss;
  logic [15:0]          mss;
  logic [8*OCTETS-9:0]  unused_shift;
  logic [7:0]           shift;
  logic [8*OCTETS-1:0]  unused_ts;
  logic [63:0]          ts_value;

  always_comb begin
    if (valid) begin
      mss_index = '0;
      ws_index = '0;
      for (int i = 0; i < OCTETS; i++) begin
        if (mss_at[i])
          mss_index = AT_W'(i);
        if (ws_at[i])
          ws_index = AT_W'(i);
      end
      {unused_mss, mss} = window >> {~mss_index, 3'd0};
      {unused_shift, shift} = now >> {~ws_index, 3'd0};
      {unused_ts, ts_value} = window >> {~s_in.last[AT_W-1:0], 3'd0};
    end else begin
      mss_index = 'x;
      ws_index = 'x;
      unused_mss = 'x;
      mss = 'x;
      unused_shift = 'x;
      shift = 'x;
      unused_ts = 'x;
      ts_value = 'x;
    end
  end

  always_comb begin
    if (valid) begin
      s = s_in;
      s.at = (stop || bad || too_long) ? STOP : len_at[OCTETS] ? LEN : goes_on ? BODY : KIND;
      s.kind = len_at[OCTETS] ? kind : kind_going_on;
      s.last = last;
      s.bad = s_in.bad || bad || too_long;
      s.mss_ok = s_in.mss_ok || mss_at != 0;
      s.ws_ok = s_in.ws_ok || ws_at != 0;
      s.sack_ok = s_in.sack_ok || sack;
      s.ts_ok = s_in.ts_ok || ts;
      s.ws_clamped = (ws_at != 0) ? shift > 8'd14 : s_in.ws_clamped;
      v = value_in;
      if (mss_at != 0)
        v.mss = mss;
      if (ws_at != 0)
        v.ws = (shift > 8'd14) ? 4'd14 : shift[3:0];
      if (ts)
        {v.tsval, v.tsecr} = ts_value;
      state_out = s;
      value_out = v;
    end else begin
      s = 'x;
      v = 'x;
      state_out = 'x;
      value_out = 'x;
    end
  end

endmodule
