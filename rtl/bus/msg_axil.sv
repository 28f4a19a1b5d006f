// SPDX-License-Identifier: Apache-2.0
// msg_axil - the MAC's registers for a host that has messages only: register messages (regs/message.def) whose offset is from
// BASE to BASE + 0xfff become accesses on AXI-Lite, offset less BASE; all other messages pass.
//
// What    stands between a transport and the core. REG_READ and REG_WRITE of the window never reach the core and are answered
//         here, one at a time, with REG_REPLY: OK and the value; BAD_ADDRESS for a read that the slave refuses, REFUSED for such a
//         write, BAD_LENGTH if it is not three beats. The reply goes between two messages of the core, so the order of
//         replies of window and core among one another is not that of the requests.
// Input   s_axis_h2c: from the transport. s_axis_c2h: from the core. m_axil: the slave, which answers every access.
// Output  m_axis_h2c: to the core. m_axis_c2h: to the transport.
// Timing  h2c: one clock, a beat per clock; stalls while an access of before is not answered. c2h: none but the three clocks
//         of a reply. rst: that of the core.

`include "handfast_defs.svh"
module msg_axil #(
  parameter logic [31:0] BASE = 32'h8000 // HF_ETH_BASE of regs/regs.h; a multiple of 0x1000
) (
  input  logic        clk,
  input  logic        rst,

  input  logic [63:0] s_axis_h2c_tdata,
  input  logic        s_axis_h2c_tvalid,
  input  logic        s_axis_h2c_tlast,
  output logic        s_axis_h2c_tready,
  output logic [63:0] m_axis_h2c_tdata,
  output logic        m_axis_h2c_tvalid,
  output logic        m_axis_h2c_tlast,
  input  logic        m_axis_h2c_tready,

  input  logic [63:0] s_axis_c2h_tdata,
  input  logic        s_axis_c2h_tvalid,
  input  logic        s_axis_c2h_tlast,
  output logic        s_axis_c2h_tready,
  output logic [63:0] m_axis_c2h_tdata,
  output logic        m_axis_c2h_tvalid,
  output logic        m_axis_c2h_tlast,
  input  logic        m_axis_c2h_tready,

  output logic [11:0] m_axil_awaddr,
  output logic        m_axil_awvalid,
  input  logic        m_axil_awready,
  output logic [31:0] m_axil_wdata,
  output logic [3:0]  m_axil_wstrb,
  output logic        m_axil_wvalid,
  input  logic        m_axil_wready,
  input  logic        m_axil_bvalid,
  input  logic [1:0]  m_axil_bresp,
  output logic        m_axil_bready,
  output logic [11:0] m_axil_araddr,
  output logic        m_axil_arvalid,
  input  logic        m_axil_arready,
  input  logic        m_axil_rvalid,
  input  logic [31:0] m_axil_rdata,
  input  logic [1:0]  m_axil_rresp,
  output logic        m_axil_rready
);

  generate
    if (BASE[11:0] != 12'd0) begin : g_illegal
      msg_axil_BASE_must_be_a_multiple_of_0x1000 illegal ();
    end
  endgenerate

  // ---- from the host: one beat waits; whose message it belongs to is known with it ----

  typedef enum logic [1:0] {
    TAKE,   // beats of a message of ours
    ACCESS, // on AXI-Lite
    ANSWER  // the reply waits, or is going
  } state_t;

  state_t      state_q;
  logic [63:0] beat_q;
  logic        valid_q, last_q, mine_q, begins_q; // begins_q: the beat that comes next is a message's first
  logic        leaves, enters, mine;

  assign mine = (s_axis_h2c_tdata[7:0] == `HF_MSG_REG_READ || s_axis_h2c_tdata[7:0] == `HF_MSG_REG_WRITE) &&
                s_axis_h2c_tdata[63:44] == BASE[31:12];
  assign leaves = valid_q && (mine_q ? state_q == TAKE : m_axis_h2c_tready);
  assign s_axis_h2c_tready = !valid_q || leaves;
  assign enters = s_axis_h2c_tvalid && s_axis_h2c_tready;
  assign m_axis_h2c_tvalid = valid_q && !mine_q;
  assign m_axis_h2c_tdata = beat_q;
  assign m_axis_h2c_tlast = last_q;

  always_ff @(posedge clk) begin
    if (enters) begin
      beat_q <= s_axis_h2c_tdata;
      last_q <= s_axis_h2c_tlast;
      begins_q <= s_axis_h2c_tlast;
      if (begins_q) mine_q <= mine;
    end
    if (s_axis_h2c_tready) valid_q <= s_axis_h2c_tvalid;
    if (rst) begin
      valid_q <= 1'b0;
      mine_q <= 1'b0;
      begins_q <= 1'b1;
    end
  end

  // ---- the access ----

  logic [1:0]  beats_q;    // of the message so far; 3: or more
  logic        write_q, short_q;
  logic [11:0] at_q;
  logic [63:0] cookie_q;
  logic [31:0] value_q;
  logic [7:0]  status_q;
  logic        sent;       // the reply's last beat goes

  assign m_axil_awaddr = at_q;
  assign m_axil_araddr = at_q;
  assign m_axil_wdata = value_q;
  assign m_axil_wstrb = 4'hf;
  assign m_axil_bready = 1'b1;
  assign m_axil_rready = 1'b1;

  always_ff @(posedge clk) begin
    if (m_axil_awready) m_axil_awvalid <= 1'b0;
    if (m_axil_wready) m_axil_wvalid <= 1'b0;
    if (m_axil_arready) m_axil_arvalid <= 1'b0;
    case (state_q)
      TAKE:
        if (valid_q && mine_q) begin
          case (beats_q)
            2'd0: begin
              write_q <= beat_q[7:0] == `HF_MSG_REG_WRITE;
              short_q <= beat_q[31:16] != 16'd24;
              at_q <= beat_q[43:32];
            end
            2'd1: cookie_q <= beat_q;
            2'd2: value_q <= beat_q[31:0];
            default: short_q <= 1'b1;
          endcase
          beats_q <= last_q ? 2'd0 : beats_q + 2'(beats_q != 2'd3);
          if (last_q && beats_q == 2'd2 && !short_q) begin
            state_q <= ACCESS;
            m_axil_awvalid <= write_q;
            m_axil_wvalid <= write_q;
            m_axil_arvalid <= !write_q;
          end else if (last_q) begin
            state_q <= ANSWER;
            value_q <= 32'd0;
            status_q <= `HF_STATUS_BAD_LENGTH;
            if (beats_q == 2'd0) at_q <= beat_q[43:32];
            if (beats_q == 2'd0) cookie_q <= 64'd0;
          end
        end
      ACCESS:
        if (m_axil_bvalid || m_axil_rvalid) begin
          state_q <= ANSWER;
          status_q <= `HF_STATUS_OK;
          value_q <= write_q ? 32'd0 : m_axil_rdata;
          if (write_q ? m_axil_bresp != 2'd0 : m_axil_rresp != 2'd0) begin
            status_q <= write_q ? `HF_STATUS_REFUSED : `HF_STATUS_BAD_ADDRESS;
            value_q <= 32'd0;
          end
        end
      default: if (sent) state_q <= TAKE;
    endcase
    if (rst) begin
      state_q <= TAKE;
      beats_q <= 2'd0;
      m_axil_awvalid <= 1'b0;
      m_axil_wvalid <= 1'b0;
      m_axil_arvalid <= 1'b0;
    end
  end

  // ---- to the host: the reply goes between two messages ----

  logic       inside_q;    // a message of the core has begun
  logic       reply_q;     // the reply has the stream
  logic [1:0] step_q;

  assign sent = reply_q && step_q == 2'd2 && m_axis_c2h_tready;
  assign s_axis_c2h_tready = m_axis_c2h_tready && !reply_q;
  assign m_axis_c2h_tvalid = reply_q || s_axis_c2h_tvalid;
  assign m_axis_c2h_tlast = reply_q ? step_q == 2'd2 : s_axis_c2h_tlast;

  always_comb begin
    m_axis_c2h_tdata = s_axis_c2h_tdata;
    if (reply_q) begin
      case (step_q)
        2'd0: m_axis_c2h_tdata = {BASE[31:12], at_q, 16'd24, status_q, `HF_MSG_REG_REPLY};
        2'd1: m_axis_c2h_tdata = cookie_q;
        default: m_axis_c2h_tdata = {32'd0, value_q};
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (s_axis_c2h_tvalid && s_axis_c2h_tready) inside_q <= !s_axis_c2h_tlast;
    if (reply_q) begin
      if (m_axis_c2h_tready) step_q <= step_q + 2'd1;
      if (sent) reply_q <= 1'b0;
    end else begin
      step_q <= 2'd0;
      reply_q <= state_q == ANSWER && (s_axis_c2h_tvalid ? s_axis_c2h_tlast && m_axis_c2h_tready : !inside_q);
    end
    if (rst) begin
      inside_q <= 1'b0;
      reply_q <= 1'b0;
    end
  end

endmodule
