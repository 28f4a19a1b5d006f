// SPDX-License-Identifier: Apache-2.0
// pcie_xilinx7 - between pcie_endpoint and the user side of the 7 Series Integrated Block for PCI Express with its 64-bit
// AXI4-Stream interface (Xilinx PG054). Not simulated against that block, and never run on hardware.
//
// What    The block gives each dword of a TLP as one 32-bit value: the bytes of a dword are reversed here, of header and
//         payload alike. Its credits lag behind what it took: what went in the last LAG clocks is taken off.
// Input   m_axis_rx_*, rx_tuser of which nothing is needed: the block was told to pass whole TLPs of BAR0, and completions.
//         tx_buf_av: transmit buffers it has. fc_*: with fc_sel = 3'b100, transmit credits available.
//         cfg_*: bus_number and so on, command, dcommand (device control), status of MSI-X, received_func_lvl_rst.
// Output  s_axis_tx_*: tuser is 0: whole TLPs are not streamed (no discontinue, no ECRC, not poisoned).
// Timing  none of its own; no flip-flop lies in a stream.

module pcie_xilinx7 #(
  parameter int LAG = 8                 // clocks until the block's credits have counted a TLP
) (
  input  logic        user_clk,
  input  logic        user_reset,

  // the block
  input  logic [63:0] m_axis_rx_tdata,
  input  logic [7:0]  m_axis_rx_tkeep,
  input  logic        m_axis_rx_tlast,
  input  logic        m_axis_rx_tvalid,
  output logic        m_axis_rx_tready,
  output logic [63:0] s_axis_tx_tdata,
  output logic [7:0]  s_axis_tx_tkeep,
  output logic        s_axis_tx_tlast,
  output logic        s_axis_tx_tvalid,
  output logic [3:0]  s_axis_tx_tuser,
  input  logic        s_axis_tx_tready,
  input  logic [5:0]  tx_buf_av,
  output logic        rx_np_ok,
  output logic        rx_np_req,
  output logic [2:0]  fc_sel,
  input  logic [7:0]  fc_ph,
  input  logic [11:0] fc_pd,
  input  logic [7:0]  fc_nph,
  input  logic [7:0]  cfg_bus_number,
  input  logic [4:0]  cfg_device_number,
  input  logic [2:0]  cfg_function_number,
  input  logic        cfg_command_bus_master,   // cfg_command[2]
  input  logic [2:0]  cfg_dcommand_payload,     // cfg_dcommand[7:5]
  input  logic [2:0]  cfg_dcommand_read,        // cfg_dcommand[14:12]
  input  logic        cfg_interrupt_msixenable,
  input  logic        cfg_interrupt_msixfm,
  input  logic        cfg_received_func_lvl_rst,

  // pcie_endpoint
  output logic [63:0] tlp_in_tdata,
  output logic [7:0]  tlp_in_tkeep,
  output logic        tlp_in_tlast,
  output logic        tlp_in_tvalid,
  input  logic        tlp_in_tready,
  input  logic [63:0] tlp_out_tdata,
  input  logic [7:0]  tlp_out_tkeep,
  input  logic        tlp_out_tlast,
  input  logic        tlp_out_tvalid,
  output logic        tlp_out_tready,
  output logic        endpoint_bus_master,
  output logic [2:0]  endpoint_max_payload,
  output logic [2:0]  endpoint_max_read,
  output logic [15:0] endpoint_id,
  output logic        endpoint_msix_enable,
  output logic        endpoint_msix_mask,
  output logic        endpoint_flr,
  input  logic        endpoint_flr_done,
  output logic [7:0]  endpoint_ph,
  output logic [11:0] endpoint_pd,
  output logic [7:0]  endpoint_nph
);

  function automatic [63:0] reversed(input [63:0] d);
    reversed = {d[39:32], d[47:40], d[55:48], d[63:56], d[7:0], d[15:8], d[23:16], d[31:24]};
  endfunction

  assign tlp_in_tdata = reversed(m_axis_rx_tdata);
  assign tlp_in_tkeep = m_axis_rx_tkeep;
  assign tlp_in_tlast = m_axis_rx_tlast;
  assign tlp_in_tvalid = m_axis_rx_tvalid;
  assign m_axis_rx_tready = tlp_in_tready;
  assign rx_np_ok = 1'b1;
  assign rx_np_req = 1'b1;

  assign s_axis_tx_tdata = reversed(tlp_out_tdata);
  assign s_axis_tx_tkeep = tlp_out_tkeep;
  assign s_axis_tx_tlast = tlp_out_tlast;
  assign s_axis_tx_tvalid = tlp_out_tvalid;
  assign s_axis_tx_tuser = 4'd0;
  assign tlp_out_tready = s_axis_tx_tready;

  assign endpoint_id = {cfg_bus_number, cfg_device_number, cfg_function_number};
  assign endpoint_max_payload = cfg_dcommand_payload;
  assign endpoint_max_read = cfg_dcommand_read;
  assign endpoint_bus_master = cfg_command_bus_master;
  assign endpoint_msix_enable = cfg_interrupt_msixenable;
  assign endpoint_msix_mask = cfg_interrupt_msixfm;
  assign fc_sel = 3'b100;

  // A pulse of the block becomes the level that the endpoint wants. The block answers configuration requests meanwhile.
  always_ff @(posedge user_clk) begin
    if (user_reset || endpoint_flr_done) endpoint_flr <= 1'b0;
    else if (cfg_received_func_lvl_rst) endpoint_flr <= 1'b1;
  end

  // The TLP that is going now, and what went in the last LAG clocks: the cost of each leaves a shift register at its end.
  logic        first_q, is_write_q, is_read_q, ends;
  logic [8:0]  cost_q, length_cost;
  logic [9:0]  length;
  logic        starts_write, starts_read;
  logic [LAG-1:0] ph_q, nph_q;
  logic [8:0]  pd [0:LAG-1];
  logic [7:0]  ph_sum_q, nph_sum_q;
  logic [11:0] pd_sum_q;

  // Of the first beat: byte 0 is Fmt and Type, length in bytes 2 and 3.
  assign length = {tlp_out_tdata[17:16], tlp_out_tdata[31:24]};
  assign length_cost = length == 10'd0 ? 9'd256 : {1'b0, length[9:2]} + {8'd0, length[1:0] != 2'd0};
  assign starts_write = tlp_out_tdata[6] && tlp_out_tdata[4:0] == 5'd0;
  assign starts_read = !tlp_out_tdata[6] && tlp_out_tdata[4:0] == 5'd0;
  assign ends = tlp_out_tvalid && tlp_out_tready && tlp_out_tlast;

  logic       end_write, end_read;
  logic [8:0] end_cost;
  assign end_write = ends && (first_q ? starts_write : is_write_q);
  assign end_read = ends && (first_q ? starts_read : is_read_q);
  assign end_cost = !end_write ? 9'd0 : first_q ? length_cost : cost_q;

  always_ff @(posedge user_clk) begin
    if (tlp_out_tvalid && tlp_out_tready) begin
      first_q <= tlp_out_tlast;
      if (first_q) begin
        is_write_q <= starts_write;
        is_read_q <= starts_read;
        cost_q <= length_cost;
      end
    end
    ph_q <= {ph_q[LAG-2:0], end_write};
    nph_q <= {nph_q[LAG-2:0], end_read};
    pd[0] <= end_cost;
    for (int i = 1; i < LAG; i++) pd[i] <= pd[i-1];
    ph_sum_q <= ph_sum_q + 8'(end_write) - 8'(ph_q[LAG-1]);
    nph_sum_q <= nph_sum_q + 8'(end_read) - 8'(nph_q[LAG-1]);
    pd_sum_q <= pd_sum_q + {3'd0, end_cost} - {3'd0, pd[LAG-1]};
    if (user_reset) begin
      first_q <= 1'b1;
      ph_q <= '0;
      nph_q <= '0;
      for (int i = 0; i < LAG; i++) pd[i] <= '0;
      ph_sum_q <= '0;
      nph_sum_q <= '0;
      pd_sum_q <= '0;
    end
  end

  // Without a buffer nothing begins; a completion only needs tready.
  assign endpoint_ph = tx_buf_av < 6'd2 || fc_ph <= ph_sum_q ? 8'd0 : fc_ph - ph_sum_q;
  assign endpoint_nph = tx_buf_av < 6'd2 || fc_nph <= nph_sum_q ? 8'd0 : fc_nph - nph_sum_q;
  assign endpoint_pd = fc_pd <= pd_sum_q ? 12'd0 : fc_pd - pd_sum_q;

endmodule
