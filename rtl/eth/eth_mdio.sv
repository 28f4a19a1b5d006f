// SPDX-License-Identifier: Apache-2.0
// eth_mdio - one access to a register of a PHY (IEEE 802.3 clause 22).
//
// Input   start with write, phy, register, wdata, while busy is 0.
// Output  done for one clock, then rdata, and answered: some PHY pulled the line low in the turnaround of a read. mdc, mdo with
//         its output enable; mdi is the pin, any phase.
// Timing  64 bits of 2 * HALF clocks; the first 64 after reset are nobody's, and busy. mdo changes when mdc falls, mdi is taken before it rises: 2 * HALF clocks less
//         the three of cross_sync must be 300 ns, and 2 * HALF at least 400 ns.

module eth_mdio #(
  parameter int HALF = 50
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        start,
  input  logic        write,
  input  logic [4:0]  phy,
  input  logic [4:0]  register,
  input  logic [15:0] wdata,
  output logic        busy,
  output logic        done,
  output logic        answered,
  output logic [15:0] rdata,
  output logic        mdc,
  output logic        mdo,
  output logic        mdo_en,
  input  logic        mdi
);

  generate
    if (HALF < 4) begin : g_illegal
      eth_mdio_HALF_must_be_at_least_4 illegal ();
    end
  endgenerate

  localparam int W = $clog2(HALF);

  logic [W-1:0] wait_q;
  logic [5:0]   bit_q;
  logic [31:0]  shift_q;   // what follows the 32 ones
  logic         write_q, line;
  logic         flush_q;   // 64 bits without us after reset: the answer to what it cut ends by itself

  cross_sync #(.RESET(1'b1)) u_mdi (.clk(clk), .rst(rst), .d(mdi), .q(line));

  always_ff @(posedge clk) begin
    done <= 1'b0;
    if (!busy) begin
      mdc <= 1'b0;
      mdo <= 1'b1;
      mdo_en <= start;
      wait_q <= '0;
      bit_q <= 6'd0;
      write_q <= write;
      shift_q <= {2'b01, write ? 2'b01 : 2'b10, phy, register, 2'b10, wdata};
      busy <= start;
    end else if (wait_q != W'(HALF - 1)) begin
      wait_q <= wait_q + W'(1);
    end else begin
      wait_q <= '0;
      mdc <= !mdc;
      if (!mdc) begin
        if (bit_q == 6'd47) answered <= !line;
        if (bit_q >= 6'd48) rdata <= {rdata[14:0], line};
      end else begin
        bit_q <= bit_q + 6'd1;
        if (bit_q >= 6'd31) begin
          mdo <= shift_q[31];
          shift_q <= {shift_q[30:0], 1'b1};
          mdo_en <= !flush_q && (write_q || bit_q < 6'd45);
        end
        if (bit_q == 6'd63) begin
          busy <= 1'b0;
          done <= !flush_q;
          flush_q <= 1'b0;
          mdo_en <= 1'b0;
        end
      end
    end
    if (rst) begin
      busy <= 1'b1;
      flush_q <= 1'b1;
      done <= 1'b0;
      mdo <= 1'b1;
      mdo_en <= 1'b0;
      mdc <= 1'b0;
      wait_q <= '0;
      bit_q <= 6'd0;
    end
  end

endmodule
