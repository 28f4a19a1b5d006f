// SPDX-License-Identifier: Apache-2.0
// tx_arbiter - one wire for two sources of frames, frame by frame, through an output register.
//
// Input   tb_* (tx_builder) and th_* (tx_checksum, host frames): AXI-Stream with take in place of ready. A
//         source that offers a frame's first beat offers all others without a gap.
// Output  m_axis_tx: registered; tkeep 8'hff but on the last beat. tb_take, th_take: the source's beat
//         is loaded in this cycle. cnt_*: a last beat is loaded, of any source and of the host.
// Timing  a cycle loads if the register is empty or tready is 1; a beat offered in c is on the pins in
//         c+1. One beat per cycle, no gap within a frame; stalls its sources while tready is 0. When
//         both offer a frame, the one not served last goes first, after reset tx_builder.

module tx_arbiter (
  input  logic        clk,
  input  logic        rst,

  input  logic        tb_valid,
  input  logic [63:0] tb_tdata,
  input  logic [7:0]  tb_tkeep,
  input  logic        tb_tlast,
  output logic        tb_take,

  input  logic        th_valid,
  input  logic [63:0] th_tdata,
  input  logic [7:0]  th_tkeep,
  input  logic        th_tlast,
  output logic        th_take,

  output logic        m_axis_tx_tvalid,
  output logic [63:0] m_axis_tx_tdata,
  output logic [7:0]  m_axis_tx_tkeep,
  output logic        m_axis_tx_tlast,
  input  logic        m_axis_tx_tready,

  output logic        cnt_tx_frames,
  output logic        cnt_tx_host
);

  logic        in_frame_q, host_q;                          // host_q: owner of this frame or of the last one
  logic        valid_q, tlast_q;
  logic [63:0] tdata_q;
  logic [7:0]  tkeep_q;

  logic        loads, host, offered, tlast;

  assign loads = !valid_q || m_axis_tx_tready;
  assign host = in_frame_q ? host_q : th_valid && (!tb_valid || !host_q);
  assign offered = host ? th_valid : tb_valid;
  assign tlast = host ? th_tlast : tb_tlast;

  assign tb_take = loads && !host && tb_valid;
  assign th_take = loads && host && th_valid;
  assign cnt_tx_frames = loads && offered && tlast;
  assign cnt_tx_host = cnt_tx_frames && host;

  assign m_axis_tx_tvalid = valid_q;
  assign m_axis_tx_tdata = tdata_q;
  assign m_axis_tx_tkeep = tkeep_q;
  assign m_axis_tx_tlast = tlast_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      in_frame_q <= 1'b0;
      host_q <= 1'b1;
      valid_q <= 1'b0;
    end else if (loads) begin
      valid_q <= offered;
      if (offered) begin
        in_frame_q <= !tlast;
        host_q <= host;
      end
    end
    if (loads) begin
      tdata_q <= host ? th_tdata : tb_tdata;
      tkeep_q <= host ? th_tkeep : tb_tkeep;
      tlast_q <= tlast;
    end
  end

`ifdef FORMAL
  logic        rst_1q = 1'b1, held_1q = 1'b0, inside_q;       // the cycle before; within a frame on the wire
  logic [72:0] beat_1q;

  initial assume (rst);

  always_ff @(posedge clk) begin
    if (!rst) begin
      assume (!in_frame_q || offered);
      one_taken: assert (!(tb_take && th_take));
      if (!rst_1q && held_1q) begin
        valid_stays: assert (valid_q);
        data_stable: assert ({tdata_q, tkeep_q, tlast_q} == beat_1q);
      end
      no_gap: assert (rst_1q || !inside_q || valid_q);
    end
    rst_1q <= rst;
    held_1q <= valid_q && !m_axis_tx_tready;
    beat_1q <= {tdata_q, tkeep_q, tlast_q};
    if (rst)
      inside_q <= 1'b0;
    else if (valid_q && m_axis_tx_tready)
      inside_q <= !tlast_q;
  end
`endif

endmodule
