// SPDX-License-Identifier: Apache-2.0
// tx_arbiter - one wire for two sources of frames, frame by frame, through an output register.
//
// Input   tb_* (tx_builder: replies) and th_* (tx_checksum: host frames): AXI-Stream with take in place of ready.
//         A source that offers a frame's first beat offers all others without a gap. cfg_tx_share: the host's
//         share of the beats in 256ths while both have frames, read in each cycle that loads a beat.
// Output  m_axis_tx: registered; tkeep is all ones but on the last beat. tb_take, th_take: the source's beat
//         is loaded in this cycle. cnt_*: a last beat is loaded, of any source and of the host.
// Timing  a cycle loads if the register is empty or tready is 1; a beat offered in c is on the pins in
//         c+1. One beat per cycle, no gap within a frame; stalls its sources while tready is 0. When
//         both offer a frame, the host's goes first if its account `due` is not negative, after reset too.

module tx_arbiter #(
  parameter int DATA_W = 64
) (
  input  logic                clk,
  input  logic                rst,

  input  logic [7:0]          cfg_tx_share,

  input  logic                tb_valid,
  input  logic [DATA_W-1:0]   tb_tdata,
  input  logic [DATA_W/8-1:0] tb_tkeep,
  input  logic                tb_tlast,
  output logic                tb_take,

  input  logic                th_valid,
  input  logic [DATA_W-1:0]   th_tdata,
  input  logic [DATA_W/8-1:0] th_tkeep,
  input  logic                th_tlast,
  output logic                th_take,

  output logic                m_axis_tx_tvalid,
  output logic [DATA_W-1:0]   m_axis_tx_tdata,
  output logic [DATA_W/8-1:0] m_axis_tx_tkeep,
  output logic                m_axis_tx_tlast,
  input  logic                m_axis_tx_tready,

  output logic                cnt_tx_frames,
  output logic                cnt_tx_host
);

  // The account begins at 0. It falls only by a host frame chosen at 0 or above, of at most 2047 beats of 256,
  // and rises only by a reply chosen below 0, of at most 13 beats of 255: 20 bits hold it.
  localparam int DUE_W = 20;

  logic                in_frame_q, host_q, contested_q;     // of the frame being loaded
  logic                valid_q, tlast_q;
  logic [DATA_W-1:0]   tdata_q;
  logic [DATA_W/8-1:0] tkeep_q;
  logic [DUE_W-1:0]    due_q, charge;                       // two's complement, 1/256 beats

  logic                loads, host, contested, offered, tlast;

  assign loads = !valid_q || m_axis_tx_tready;
  assign contested = in_frame_q ? contested_q : tb_valid && th_valid;
  assign host = in_frame_q ? host_q : th_valid && (!tb_valid || !due_q[DUE_W-1]);
  assign offered = host ? th_valid : tb_valid;
  assign tlast = host ? th_tlast : tb_tlast;

  // Share for a reply's beat, share - 256 for a host's.
  assign charge = {{(DUE_W-8){host}}, cfg_tx_share};

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
      host_q <= 1'b0;
      contested_q <= 1'b0;
      valid_q <= 1'b0;
      due_q <= '0;
    end else if (loads) begin
      valid_q <= offered;
      if (offered) begin
        in_frame_q <= !tlast;
        host_q <= host;
        contested_q <= contested;
        if (contested)
          due_q <= due_q + charge;
      end
    end
    if (loads) begin
      tdata_q <= host ? th_tdata : tb_tdata;
      tkeep_q <= host ? th_tkeep : tb_tkeep;
      tlast_q <= tlast;
    end
  end

`ifdef FORMAL_TX_ARBITER
  logic                        rst_1q = 1'b1, held_1q = 1'b0, inside_q;   // the cycle before; within a frame on the wire
  logic [DATA_W+DATA_W/8:0]    beat_1q;

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
      frame_known: assert (rst_1q || in_frame_q == (valid_q ? !tlast_q : inside_q));
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
