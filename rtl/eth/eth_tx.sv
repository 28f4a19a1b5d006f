// SPDX-License-Identifier: Apache-2.0
// eth_tx - frames of 64-bit beats to octets for a PHY (IEEE 802.3 4.2.8).
//
// What    preamble and SFD before, zeros up to 60 octets, FCS behind, 12 octets of silence.
// Input   beat = {last, octets - 1, 8 octets, the first in bits 7:0}, with valid, on the transmit clock.
// Output  ready: the beat is taken; a register. dv, er, d: the octet, taken by take (rgmii_tx). seen: a frame ended, for the counters.
// Timing  an octet each take, frames back to back 12 octets apart. The beats of a frame must come in time: one that does
//         not ends the frame with er and a wrong FCS, what is left of it is thrown away, and it is counted.

`include "eth_defs.svh"
module eth_tx (
  input  logic        clk,
  input  logic        rst,
  input  logic        valid,
  input  logic [67:0] beat,
  output logic        ready,
  input  logic        take,
  output logic        dv,
  output logic        er,
  output logic [7:0]  d,
  output logic [`ETH_TX_SEEN-1:0] seen
);

  typedef enum logic [2:0] { IDLE, PREAMBLE, DATA, PAD, FCS, GAP } state_t;

  state_t      state_q;
  logic [63:0] octets_q;  // still to be sent of this beat, the next in bits 7:0
  logic [2:0]  left_q;    // how many, less one
  logic        last_q;
  logic        drain_q;   // the frame was given up, its beats are still coming
  logic        spoil_q;   // its FCS must not be right
  logic [5:0]  sent_q;    // octets of the frame, up to 60
  logic [3:0]  step_q;    // octet of preamble, FCS or gap
  logic [31:0] crc_q, crc_next;
  logic [7:0]  octet;
  logic [67:0] next_q;    // the beat that is coming
  logic        next_valid_q, pop;
  logic        enough;    // with this octet the frame has 60

  assign octet = state_q == DATA ? octets_q[7:0] : 8'd0;
  assign enough = sent_q >= 6'd59;
  // The first beat is fetched with the SFD, the next ones with the last octet of the one before.
  assign ready = !next_valid_q;
  assign pop = next_valid_q && (drain_q || (take && ((state_q == PREAMBLE && step_q == 4'd7)
                                              || (state_q == DATA && left_q == 3'd0 && !last_q))));

  eth_crc32 u_crc (.crc(crc_q), .d(octet), .next(crc_next));

  always_ff @(posedge clk) begin
    seen <= '0;
    if (ready) next_q <= beat;
    if (ready) next_valid_q <= valid;
    else if (pop) next_valid_q <= 1'b0;
    if (drain_q && next_valid_q && next_q[67]) drain_q <= 1'b0;
    if (take) begin
      dv <= 1'b0;
      er <= 1'b0;
      d <= 8'd0;
      step_q <= step_q + 4'd1;
      case (state_q)
        IDLE: begin
          step_q <= 4'd1;
          sent_q <= 6'd0;
          spoil_q <= 1'b0;
          if (next_valid_q && !drain_q) begin
            state_q <= PREAMBLE;
            dv <= 1'b1;
            d <= 8'h55;
          end
        end
        PREAMBLE: begin
          dv <= 1'b1;
          d <= step_q == 4'd7 ? 8'hd5 : 8'h55;
          crc_q <= 32'hffffffff;
          if (step_q == 4'd7) begin
            state_q <= DATA;
            {last_q, left_q, octets_q} <= next_q;
          end
        end
        DATA, PAD: begin
          dv <= 1'b1;
          d <= octet;
          crc_q <= crc_next;
          if (!enough) sent_q <= sent_q + 6'd1;
          step_q <= 4'd0;
          octets_q <= {8'd0, octets_q[63:8]};
          left_q <= left_q - 3'd1;
          if (state_q == PAD) begin
            if (enough) state_q <= FCS;
          end else if (left_q == 3'd0) begin
            if (last_q) state_q <= enough ? FCS : PAD;
            else if (next_valid_q) {last_q, left_q, octets_q} <= next_q;
            else begin
              er <= 1'b1;
              spoil_q <= 1'b1;
              drain_q <= 1'b1;
              state_q <= FCS;
              seen[`ETH_TX_UNDERFLOW] <= 1'b1;
            end
          end
        end
        FCS: begin
          dv <= 1'b1;
          d <= spoil_q ? crc_q[7:0] : ~crc_q[7:0];
          crc_q <= {8'd0, crc_q[31:8]};
          if (step_q == 4'd3) begin
            state_q <= GAP;
            step_q <= 4'd0;
            seen[`ETH_TX_FRAMES] <= !spoil_q;
          end
        end
        default: if (step_q == 4'd11) state_q <= IDLE; // GAP
      endcase
    end
    if (rst) begin
      state_q <= GAP;
      step_q <= 4'd0;
      drain_q <= 1'b0;
      next_valid_q <= 1'b0;
      dv <= 1'b0;
      er <= 1'b0;
      seen <= '0;
    end
  end

endmodule
