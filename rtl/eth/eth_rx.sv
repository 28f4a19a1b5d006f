// SPDX-License-Identifier: Apache-2.0
// eth_rx - octets of a PHY to frames of 64-bit beats (IEEE 802.3 4.2.9).
//
// What    finds the SFD behind a preamble of any length, checks the FCS and takes it off, packs 8 octets to a beat.
// Input   en, dv, er, d as rgmii_rx gives them, all on the PHY's clock. room: three more beats will be taken; a register.
// Output  push with beat = {last, bad, octets - 1, 8 octets, the first in bits 7:0, those beyond 0}. bad is only set with last: FCS
//         wrong, the PHY's error, shorter than 64 or longer than LONGEST octets, or a beat was lost. Every frame
//         whose first beat was pushed gets its last one: where there is no room, the next frame waits for it, and is lost if it
//         must. seen[i]: a frame ended so, for the counters (eth_defs.svh); a frame can be several of them.
// Timing  a beat leaves with the fifth octet behind its last; the last beat a clock after the end was shown. Registers.

`include "eth_defs.svh"
module eth_rx #(
  parameter int LONGEST = 16383 // octets with FCS; what is longer is cut
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        en,
  input  logic        dv,
  input  logic        er,
  input  logic [7:0]  d,
  input  logic        room,
  output logic        push,
  output logic [68:0] beat,
  output logic [`ETH_RX_SEEN-1:0] seen
);

  localparam logic [31:0] RESIDUE = 32'hdebb20e3;

  typedef enum logic [1:0] {
    SKIP, // until dv falls: what began before us is no frame, nor is what goes on after its end
    IDLE,
    HUNT, // preamble
    DATA
  } state_t;

  state_t      state_q;
  logic [31:0] hold_q;     // the four octets last received may be the FCS
  logic [2:0]  held_q;     // how many of them there are
  logic [63:0] octets_q;   // of the beat being made
  logic [3:0]  count_q;    // 8: whole, waiting to know whether it is the last
  logic [31:0] crc_q, crc_next;
  logic [14:0] length_q;
  logic        full_q, enough_q; // it is LONGEST; it is 64 at least
  logic        er_q;       // the PHY's error came within the frame
  logic        open_q;     // a beat of this frame was pushed
  logic        lost_q;     // one was not
  logic        owed_q;     // a frame ended without its last beat

  logic        ending, cut, leaves, wants, bad_fcs, runt, put;
  logic [68:0] put_beat;

  eth_crc32 u_crc (.crc(crc_q), .d(d), .next(crc_next));

  assign cut = dv && full_q;
  assign ending = state_q == DATA && en && (!dv || cut);
  assign leaves = state_q == DATA && en && dv && !cut && held_q == 3'd4;
  // A whole beat goes when it is known not to be the last; what is left goes at the end.
  assign wants = (leaves && count_q == 4'd8) || (ending && count_q != 4'd0);
  assign bad_fcs = crc_q != RESIDUE;
  assign runt = !enough_q;

  always_comb begin
    put = 1'b0;
    put_beat = {1'b0, 1'b0, 3'd7, octets_q};
    if (owed_q) begin
      put = room;
      put_beat = {1'b1, 1'b1, 3'd7, 64'd0};
    end else if (ending && lost_q) begin
      put = room && open_q;
      put_beat = {1'b1, 1'b1, 3'd7, 64'd0};
    end else if (wants && !lost_q) begin
      put = room;
      if (ending) put_beat = {1'b1, bad_fcs || runt || cut || er_q, 3'(count_q - 4'd1), octets_q};
    end
  end

  always_ff @(posedge clk) begin
    push <= put;
    beat <= put_beat;
    seen <= '0;
    if (owed_q && room) owed_q <= 1'b0;
    if (en) begin
      case (state_q)
        SKIP: if (!dv) state_q <= IDLE;
        IDLE, HUNT: begin
          held_q <= 3'd0;
          count_q <= 4'd0;
          octets_q <= 64'd0;
          crc_q <= 32'hffffffff;
          length_q <= 15'd0;
          full_q <= 1'b0;
          enough_q <= 1'b0;
          er_q <= 1'b0;
          open_q <= 1'b0;
          lost_q <= 1'b0;
          if (dv) state_q <= d == 8'hd5 && !er ? DATA : HUNT;
          else begin
            state_q <= IDLE;
            seen[`ETH_RX_NO_SFD] <= state_q == HUNT;
          end
        end
        default: begin
          if (dv) begin
            er_q <= er_q || er;
            hold_q <= {d, hold_q[31:8]};
            if (held_q != 3'd4) held_q <= held_q + 3'd1;
            crc_q <= crc_next;
            length_q <= length_q + 15'd1;
            full_q <= length_q == 15'(LONGEST - 1);
            enough_q <= enough_q || length_q == 15'd63;
          end
          if (leaves) begin
            if (count_q == 4'd8) begin
              octets_q <= {56'd0, hold_q[7:0]};
              count_q <= 4'd1;
            end else begin
              octets_q[8*count_q[2:0] +: 8] <= hold_q[7:0];
              count_q <= count_q + 4'd1;
            end
          end
          if (wants && !lost_q) begin
            if (room && !owed_q) open_q <= 1'b1;
            else lost_q <= 1'b1;
          end
          if (ending) begin
            state_q <= dv ? SKIP : IDLE;
            // The last beat found no room, or some beat before it: then the frame still has to be closed.
            if (owed_q ? !room && open_q : !put && open_q) owed_q <= 1'b1;
            seen[`ETH_RX_FRAMES] <= 1'b1;
            seen[`ETH_RX_BAD_FCS] <= bad_fcs && !runt && !cut;
            seen[`ETH_RX_RUNT] <= runt;
            seen[`ETH_RX_LONG] <= cut;
            seen[`ETH_RX_SYMBOL] <= er_q;
            seen[`ETH_RX_OVERFLOW] <= lost_q || (wants && (!room || owed_q));
          end
        end
      endcase
    end
    if (rst) begin
      state_q <= SKIP;
      owed_q <= 1'b0;
      push <= 1'b0;
      seen <= '0;
    end
  end

endmodule
