// SPDX-License-Identifier: Apache-2.0
// pcie_flr - function level reset (PCI Express Base Specification 6.6.2): DMA comes to rest, then everything is as
// after reset, then done.
//
// Input   cfg_flr: a level while the function is being reset. quiet: no ring is active, no access to the core
//         under way. keep: the core is left alone. settled: what clear and core_request began is over.
// Output  active: no DMA, no accesses. clear: registers, MSI-X, status block as after reset. core_request: reset the core.
// Timing  cfg_flr_done rises when settled, at least 4 cycles after clear, and falls with cfg_flr.

module pcie_flr (
  input  logic clk,
  input  logic rst,
  input  logic cfg_flr,
  output logic cfg_flr_done,
  input  logic quiet,
  input  logic keep,
  input  logic settled,
  output logic active,
  output logic clear,
  output logic core_request
);

  typedef enum logic [1:0] {IDLE, REST, CLEARED, DONE} state_t;
  state_t     state_q;
  logic [1:0] wait_q;

  assign active = cfg_flr || state_q == REST || state_q == CLEARED;
  assign clear = state_q == REST && quiet && wait_q == 2'd3;
  assign core_request = clear && !keep;
  assign cfg_flr_done = state_q == DONE;

  always_ff @(posedge clk) begin
    case (state_q)
      IDLE: begin
        wait_q <= '0;
        if (cfg_flr) state_q <= REST;
      end
      REST: begin
        // What was granted with the last clock before shows as active within two.
        wait_q <= !quiet ? 2'd0 : wait_q + 2'd1;
        if (clear) state_q <= CLEARED;
      end
      CLEARED: begin
        wait_q <= wait_q == 2'd3 ? 2'd3 : wait_q + 2'd1;
        if (wait_q == 2'd3 && settled) state_q <= DONE;
      end
      default: if (!cfg_flr) state_q <= IDLE;
    endcase
    if (rst) state_q <= IDLE;
  end

endmodule
