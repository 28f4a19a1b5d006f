// SPDX-License-Identifier: Apache-2.0
// message - the two message streams of regs/message.def: c2h (card to host) and h2c (host to card).
//
// Input   ev_*, host_*: whole messages as beats, from the event queue and the host FIFO.
//         s_axis_h2c: messages from the host. hello_start: the sweep ends with this cycle.
//         reg_ack, reg_status, reg_rdata: the answer to reg_req, in the same cycle.
// Output  m_axis_c2h, registered. reg_*: one register access per REG_READ or REG_WRITE. cmd_*: COMMAND
//         messages, and malformed messages of any type with their status (STATUS_OK = well-formed).
//         cmd_body: octets 16 to 127 of the message, octet 16 in bits 7:0, of a COMMAND that has them.
//         txf_*: beats of h2c FRAME messages, bytes beyond the frame 0.
//         Byte 0 of a message is tdata[7:0]; integers are little-endian.
// Timing  c2h: a beat offered in c is on the pins at c+1 if c loads (register empty or tready); messages
//         follow without an idle cycle; stalls its sources while tready is 0. The order at a message's
//         start: HELLO, register reply, event, frame. h2c: one beat per cycle; tready is a function of
//         registers and stalls on a full command queue, an unread register reply, an AXI-Lite
//         access in the same cycle, and a full TX store. Reset: no message begun, nothing pending.
`include "handfast_defs.svh"

module message #(
  parameter int MAX_FRAME = 1522,
  parameter int LISTENERS = 16,
  parameter int SETS_LOG2 = 8,
  parameter int WAYS = 4,
  parameter int CMD_DEPTH = 4
) (
  input  logic         clk,
  input  logic         rst,

  input  logic         ready,
  input  logic         hello_start,
  input  logic [63:0]  time_ns,

  input  logic [63:0]  s_axis_h2c_tdata,
  input  logic         s_axis_h2c_tvalid,
  input  logic         s_axis_h2c_tlast,
  output logic         s_axis_h2c_tready,

  output logic         m_axis_c2h_tvalid,
  output logic [63:0]  m_axis_c2h_tdata,
  output logic         m_axis_c2h_tlast,
  input  logic         m_axis_c2h_tready,

  input  logic         ev_valid,
  input  logic [63:0]  ev_tdata,
  input  logic         ev_tlast,
  output logic         ev_take,

  input  logic         host_valid,
  input  logic [63:0]  host_tdata,
  input  logic         host_tlast,
  output logic         host_take,

  output logic         reg_req,
  output logic         reg_write,
  output logic [31:0]  reg_addr,
  output logic [31:0]  reg_wdata,
  input  logic         reg_ack,
  input  logic [7:0]   reg_status,
  input  logic [31:0]  reg_rdata,

  output logic         cmd_push,
  output logic [7:0]   cmd_code,
  output logic [7:0]   cmd_status,
  output logic [7:0]   cmd_type,
  output logic [31:0]  cmd_id,
  output logic [63:0]  cmd_cookie,
  output logic [895:0] cmd_body,
  input  logic         cmd_room,

  output logic         txf_write,
  output logic [63:0]  txf_data,
  output logic         txf_last,
  output logic [13:0]  txf_length,
  output logic         txf_csum,
  output logic [15:0]  txf_start,
  output logic [15:0]  txf_offset,
  output logic         txf_abort,
  input  logic         txf_ready,

  output logic         cnt_h2c_messages,
  output logic         cnt_h2c_bad
);

  generate
    if (MAX_FRAME < 60 || MAX_FRAME > 16376) begin : g_illegal_frame
      message_needs_MAX_FRAME_of_60_to_16376 illegal ();
    end
    if (LISTENERS < 1 || LISTENERS > 16) begin : g_illegal_listeners
      message_needs_LISTENERS_of_1_to_16 illegal ();
    end
  endgenerate

  // ---- h2c ---------------------------------------------------------------------------------------------

  localparam logic [3:0] HDR0 = 4'd0, HDR1 = 4'd1, VALUE = 4'd2, REG = 4'd3, CMD = 4'd4, FRAME = 4'd5, SKIP = 4'd6,
                         BAD = 4'd7, BODY = 4'd8;
  localparam logic [10:0] BODY_LAST = 11'd13;               // its last beat

  logic [3:0]  h2c_d, h2c_q;
  logic [7:0]  type_q, flags_q, status_d, status_q;
  logic [15:0] length_q;
  logic [31:0] id_q, value_q;
  logic [63:0] cookie_q;
  logic [895:0] body_q;                                     // shifted in from the top
  logic [10:0] beat_q;                                      // beat of the FRAME's data or of the body

  logic        beat;                                        // a beat is taken in this cycle
  logic        is_frame, is_command, is_reg;
  logic        is_short, is_plain, is_tuple;                // COMMAND of 16; a code that goes without, with a body
  logic [7:0]  judged;                                      // status of the message, judged in HDR1
  logic [15:0] frame_length;
  logic        csum, last_expected;
  logic [7:0]  last_bytes;
  logic        reply_full_q, reply_fill, reply_release;

  assign beat = s_axis_h2c_tvalid && s_axis_h2c_tready;
  assign is_frame = type_q == `HF_MSG_FRAME;
  assign is_command = type_q == `HF_MSG_COMMAND;
  assign is_reg = type_q == `HF_MSG_REG_READ || type_q == `HF_MSG_REG_WRITE;
  assign is_short = is_command && length_q == 16'd16;
  assign is_plain = flags_q == `HF_COMMAND_RELEASE || flags_q == `HF_COMMAND_ABORT || flags_q == `HF_COMMAND_DUMP;
  assign is_tuple = flags_q == `HF_COMMAND_CONNECT || flags_q == `HF_COMMAND_CLOSE || flags_q == `HF_COMMAND_ADOPT;
  assign csum = is_frame && flags_q[`HF_FLAG_FRAME_CSUM_INSERT];
  assign frame_length = length_q - 16'd16;
  assign last_expected = {2'b00, beat_q} == 13'((frame_length - 16'd1) >> 3);
  assign last_bytes = 8'hff >> (3'd0 - frame_length[2:0]);

  always_comb begin
    judged = `HF_STATUS_OK;
    if (!is_frame && !is_command && !is_reg)
      judged = `HF_STATUS_BAD_TYPE;
    else if ((is_command && !is_short && length_q != 16'd128) || (is_reg && length_q != 16'd24) ||
             (is_frame && (length_q < 16'd30 || length_q > 16'(16 + MAX_FRAME))))
      judged = `HF_STATUS_BAD_LENGTH;
    else if (is_short != s_axis_h2c_tlast)
      judged = `HF_STATUS_BAD_LENGTH;
    else if (is_command && !is_plain && !is_tuple)
      judged = `HF_STATUS_BAD_COMMAND;
    else if (is_command && is_plain != is_short)
      judged = `HF_STATUS_BAD_LENGTH;
    else if (csum && (txf_start[0] || txf_offset[0] ||
                      {2'b00, txf_start} + {2'b00, txf_offset} + 18'd2 > {2'b00, frame_length}))
      judged = `HF_STATUS_BAD_CSUM;
  end

  always_comb begin
    case (h2c_q)
      HDR0: s_axis_h2c_tready = ready;
      HDR1, BODY, VALUE, SKIP: s_axis_h2c_tready = 1'b1;
      FRAME: s_axis_h2c_tready = txf_ready;
      default: s_axis_h2c_tready = 1'b0;
    endcase
  end

  always_comb begin
    h2c_d = h2c_q;
    status_d = status_q;
    cmd_push = 1'b0;
    reply_fill = 1'b0;
    reg_req = 1'b0;
    txf_write = 1'b0;
    txf_abort = 1'b0;
    cnt_h2c_messages = 1'b0;
    cnt_h2c_bad = 1'b0;
    case (h2c_q)
      HDR0: begin
        status_d = s_axis_h2c_tlast ? `HF_STATUS_BAD_LENGTH : `HF_STATUS_OK;
        if (beat)
          h2c_d = s_axis_h2c_tlast ? BAD : HDR1;
      end
      HDR1: begin
        if (beat) begin
          status_d = judged;
          if (judged != `HF_STATUS_OK)
            h2c_d = s_axis_h2c_tlast ? BAD : SKIP;
          else
            h2c_d = is_short ? CMD : is_command ? BODY : is_reg ? VALUE : FRAME;
        end
      end
      BODY: begin
        if (beat && (beat_q == BODY_LAST) == s_axis_h2c_tlast) begin
          if (s_axis_h2c_tlast)
            h2c_d = CMD;
        end else if (beat) begin
          status_d = `HF_STATUS_BAD_LENGTH;
          h2c_d = s_axis_h2c_tlast ? BAD : SKIP;
        end
      end
      VALUE: begin
        if (beat && s_axis_h2c_tlast) begin
          h2c_d = REG;
        end else if (beat) begin
          status_d = `HF_STATUS_BAD_LENGTH;
          h2c_d = SKIP;
        end
      end
      REG: begin
        reg_req = !reply_full_q;
        reply_fill = reg_req && reg_ack;
        cnt_h2c_messages = reply_fill;
        if (reply_fill)
          h2c_d = HDR0;
      end
      CMD: begin
        cmd_push = cmd_room;
        cnt_h2c_messages = cmd_room;
        if (cmd_room)
          h2c_d = HDR0;
      end
      FRAME: begin
        if (beat && last_expected == s_axis_h2c_tlast) begin
          txf_write = 1'b1;
          cnt_h2c_messages = s_axis_h2c_tlast;
          if (s_axis_h2c_tlast)
            h2c_d = HDR0;
        end else if (beat) begin
          txf_abort = 1'b1;
          status_d = `HF_STATUS_BAD_LENGTH;
          h2c_d = s_axis_h2c_tlast ? BAD : SKIP;
        end
      end
      SKIP: begin
        if (beat && s_axis_h2c_tlast)
          h2c_d = BAD;
      end
      default: begin                                        // BAD
        cmd_push = cmd_room;
        cnt_h2c_bad = cmd_room;
        if (cmd_room)
          h2c_d = HDR0;
      end
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst)
      h2c_q <= HDR0;
    else
      h2c_q <= h2c_d;
    status_q <= status_d;
    if (beat && h2c_q == HDR0) begin
      {id_q, length_q, flags_q, type_q} <= s_axis_h2c_tdata;
      cookie_q <= 64'd0;                                    // of a message that ends here
    end
    if (beat && h2c_q == HDR1)
      cookie_q <= s_axis_h2c_tdata;
    if (beat && h2c_q == VALUE)
      value_q <= s_axis_h2c_tdata[31:0];
    if (beat && h2c_q == BODY)
      body_q <= {s_axis_h2c_tdata, body_q[895:64]};
    if (h2c_q != FRAME && h2c_q != BODY)
      beat_q <= 0;
    else if (beat)
      beat_q <= beat_q + 1'b1;
  end

  assign reg_write = type_q == `HF_MSG_REG_WRITE;
  assign reg_addr = id_q;
  assign reg_wdata = value_q;

  assign cmd_code = flags_q;
  assign cmd_status = status_q;
  assign cmd_type = type_q;
  assign cmd_id = id_q;
  assign cmd_cookie = cookie_q;
  assign cmd_body = body_q;

  assign txf_last = last_expected;
  assign txf_length = frame_length[13:0];
  assign txf_csum = csum;
  assign txf_start = id_q[15:0];
  assign txf_offset = id_q[31:16];

  always_comb begin
    for (int i = 0; i < 8; i++)
      txf_data[8*i +: 8] = s_axis_h2c_tdata[8*i +: 8] & {8{!last_expected || last_bytes[i]}};
  end

  // ---- Sources of c2h that live here: HELLO and the register reply ---------------------------------------

  logic        hello_q;
  logic [63:0] hello_stamp_q, reply_cookie_q;
  logic [7:0]  reply_status_q;
  logic [31:0] reply_id_q, reply_value_q;
  logic        hello_release;

  always_ff @(posedge clk) begin
    if (rst) begin
      hello_q <= 1'b0;
      reply_full_q <= 1'b0;
    end else begin
      if (hello_start)
        hello_q <= 1'b1;
      else if (hello_release)
        hello_q <= 1'b0;
      if (reply_fill)
        reply_full_q <= 1'b1;
      else if (reply_release)
        reply_full_q <= 1'b0;
    end
    if (hello_start)
      hello_stamp_q <= time_ns;
    if (reply_fill) begin
      reply_status_q <= reg_status;
      reply_id_q <= id_q;
      reply_cookie_q <= cookie_q;
      reply_value_q <= (reg_write || reg_status != `HF_STATUS_OK) ? 32'd0 : reg_rdata;
    end
  end

  // ---- c2h ---------------------------------------------------------------------------------------------

  localparam logic [1:0] HELLO = 2'd0, REPLY = 2'd1, EVENT = 2'd2, HOST = 2'd3;

  logic        within_q;                                    // a message is begun and not ended
  logic [1:0]  source, source_q;
  logic [2:0]  step, step_q;                                // beat of a HELLO or a reply
  logic        loads, offered, tlast;
  logic [63:0] tdata;
  logic        valid_q, tlast_q;
  logic [63:0] tdata_q;

  assign loads = !valid_q || m_axis_c2h_tready;
  assign step = within_q ? step_q : 3'd0;

  always_comb begin
    if (within_q)
      source = source_q;
    else if (hello_q)
      source = HELLO;
    else if (reply_full_q)
      source = REPLY;
    else if (ev_valid)
      source = EVENT;
    else
      source = HOST;
  end

  always_comb begin
    offered = 1'b1;
    tlast = 1'b0;
    tdata = 64'd0;
    case (source)
      HELLO: begin
        tlast = step == 3'd4;
        case (step)
          3'd0: tdata = {32'hffff_ffff, 16'd40, 8'd0, `HF_MSG_HELLO};
          3'd1: tdata = hello_stamp_q;
          3'd2: tdata = {hello_stamp_q[41:10], `HF_ABI_VERSION};            // EPOCH, VERSION
          3'd3: tdata = {16'(LISTENERS), 16'(CMD_DEPTH), 32'(WAYS << SETS_LOG2)};
          default: tdata = {32'd64, 16'(WAYS), 16'(MAX_FRAME)};
        endcase
      end
      REPLY: begin
        tlast = step == 3'd2;
        case (step)
          3'd0: tdata = {reply_id_q, 16'd24, reply_status_q, `HF_MSG_REG_REPLY};
          3'd1: tdata = reply_cookie_q;
          default: tdata = {32'd0, reply_value_q};
        endcase
      end
      EVENT: begin
        offered = ev_valid;
        tlast = ev_tlast;
        tdata = ev_tdata;
      end
      default: begin                                        // HOST
        offered = host_valid;
        tlast = host_tlast;
        tdata = host_tdata;
      end
    endcase
  end

  assign ev_take = loads && source == EVENT && ev_valid;
  assign host_take = loads && source == HOST && host_valid;
  assign hello_release = loads && source == HELLO && tlast;
  assign reply_release = loads && source == REPLY && tlast;

  assign m_axis_c2h_tvalid = valid_q;
  assign m_axis_c2h_tdata = tdata_q;
  assign m_axis_c2h_tlast = tlast_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      within_q <= 1'b0;
      valid_q <= 1'b0;
    end else if (loads) begin
      valid_q <= offered;
      if (offered)
        within_q <= !tlast;
    end
    if (loads) begin
      tdata_q <= tdata;
      tlast_q <= tlast;
      source_q <= source;
      step_q <= step + 1'b1;
    end
  end

`ifdef FORMAL
  logic past_valid_q, stalled_q, stalled_last_q;
  logic [63:0] stalled_data_q;

  initial assume (rst);

  always_ff @(posedge clk) begin
    past_valid_q <= !rst;
    stalled_q <= !rst && m_axis_c2h_tvalid && !m_axis_c2h_tready;
    stalled_data_q <= m_axis_c2h_tdata;
    stalled_last_q <= m_axis_c2h_tlast;
    if (past_valid_q && !rst && stalled_q) begin
      assert (m_axis_c2h_tvalid);
      assert (m_axis_c2h_tdata == stalled_data_q && m_axis_c2h_tlast == stalled_last_q);
    end
    if (!rst) begin
      assert (!(cnt_h2c_messages && cnt_h2c_bad));
      assert (!(txf_write && txf_abort));
      assert (!(txf_write && !txf_ready));
    end
  end
`endif

endmodule
