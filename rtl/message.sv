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
//         registers and stalls on a full command queue, an unread register reply, a register access that
//         must wait (no reg_ack), and a full TX store. Reset: no message begun, nothing pending.
`include "handfast_defs.svh"

module message #(
  parameter int DATA_W = 64,                                // 64 or 512
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

  input  logic [DATA_W-1:0] s_axis_h2c_tdata,
  input  logic         s_axis_h2c_tvalid,
  input  logic         s_axis_h2c_tlast,
  output logic         s_axis_h2c_tready,

  output logic         m_axis_c2h_tvalid,
  output logic [DATA_W-1:0] m_axis_c2h_tdata,
  output logic         m_axis_c2h_tlast,
  input  logic         m_axis_c2h_tready,

  input  logic         ev_valid,
  input  logic [DATA_W-1:0] ev_tdata,
  input  logic         ev_tlast,
  output logic         ev_take,

  input  logic         host_valid,
  input  logic [DATA_W-1:0] host_tdata,
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
  output logic [DATA_W-1:0] txf_data,
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
    if (DATA_W != 64 && DATA_W != 512) begin : g_illegal_width
      message_needs_DATA_W_of_64_or_512 illegal ();
    end
    if (MAX_FRAME < 60 || MAX_FRAME > 16376) begin : g_illegal_frame
      message_needs_MAX_FRAME_of_60_to_16376 illegal ();
    end
    if (LISTENERS < 1 || LISTENERS > 16) begin : g_illegal_listeners
      message_needs_LISTENERS_of_1_to_16 illegal ();
    end
  endgenerate

  // ---- h2c ---------------------------------------------------------------------------------------------
  //
  // At 64 bits HEADER takes the message's first 8 octets and JUDGE the next ones; at 512 HEADER takes 64 octets,
  // JUDGE is a cycle without a beat, and a frame is written a beat behind, since it begins 16 octets into a beat.

  localparam bit WIDE = DATA_W == 512;
  localparam int BYTES = DATA_W / 8;
  localparam int BYTE_W = $clog2(BYTES);                    // a byte of a beat
  localparam int INDEX_W = 15 - BYTE_W;                     // a beat of a message of at most 16 + 16376 octets
  localparam logic [INDEX_W-1:0] FIRST = WIDE ? 1 : 2;      // the beat that JUDGE is followed by

  localparam logic [3:0] HEADER = 4'd0, JUDGE = 4'd1, BODY = 4'd2, REG = 4'd3, CMD = 4'd4, FRAME = 4'd5, FLUSH = 4'd6,
                         SKIP = 4'd7, BAD = 4'd8;

  logic [3:0]   h2c_d, h2c_q;
  logic [7:0]   type_q, flags_q, status_d, status_q;
  logic [15:0]  length_q;
  logic [31:0]  id_q, value;
  logic [63:0]  cookie_q;
  logic [895:0] body_q;                                     // octets of the message from the 17th on
  logic [INDEX_W-1:0] index_d, index_q;                     // beat of the message, from FIRST on

  logic         beat;                                       // a beat is taken in this cycle
  logic [7:0]   kind, flags;
  logic [15:0]  length, start, offset;                      // of the frame's checksum: 16 octets before length
  logic         is_frame, is_command, is_reg;
  logic         is_short, is_plain, is_tuple;               // COMMAND of 16; a code that goes without, with a body
  logic         is_frame_q, is_reg_q, bad_type_q, bad_length_q, bad_command_q, bad_form_q, bad_csum_q;
  logic         ends_q;                                     // it has no beat from FIRST on
  logic         judging, judged_tlast;                      // the message is judged; it has ended
  logic [7:0]   judged;                                     // its status
  logic [15:0]  frame_length;
  logic [INDEX_W-1:0] last_index, last_frame_index;         // last beat of the message; of the frame by itself
  logic         csum, last_expected_q, flush;
  logic [DATA_W-1:0] frame_beat;
  logic              frame_ends;
  logic [BYTES-1:0]  frame_bytes;
  logic         reply_full_q, reply_fill, reply_release;

  assign beat = s_axis_h2c_tvalid && s_axis_h2c_tready;
  // Of the header that comes. What judging needs of it is kept beside it.
  assign {offset, start, length, flags, kind} = s_axis_h2c_tdata[63:0];
  assign is_frame = kind == `HF_MSG_FRAME;
  assign is_command = kind == `HF_MSG_COMMAND;
  assign is_reg = kind == `HF_MSG_REG_READ || kind == `HF_MSG_REG_WRITE;
  assign is_short = is_command && length == 16'd16;
  assign is_plain = flags == `HF_COMMAND_RELEASE || flags == `HF_COMMAND_ABORT || flags == `HF_COMMAND_DUMP;
  assign is_tuple = flags == `HF_COMMAND_CONNECT || flags == `HF_COMMAND_CLOSE || flags == `HF_COMMAND_ADOPT;

  always_ff @(posedge clk) begin
    if (beat && h2c_q == HEADER) begin
      is_frame_q <= is_frame;
      is_reg_q <= is_reg;
      bad_type_q <= !is_frame && !is_command && !is_reg;
      bad_length_q <= (is_command && !is_short && length != 16'd128) || (is_reg && length != 16'd24) ||
                      (is_frame && (length < 16'd30 || length > 16'(16 + MAX_FRAME)));
      ends_q <= INDEX_W'((length - 16'd1) >> BYTE_W) < FIRST;
      bad_command_q <= is_command && !is_plain && !is_tuple;
      bad_form_q <= is_command && is_plain != is_short;
      bad_csum_q <= is_frame && flags[`HF_FLAG_FRAME_CSUM_INSERT] &&
                    (start[0] || offset[0] || {2'b00, start} + {2'b00, offset} + 18'd18 > {2'b00, length});
    end
  end

  assign csum = is_frame_q && flags_q[`HF_FLAG_FRAME_CSUM_INSERT];
  assign frame_length = length_q - 16'd16;
  assign last_index = INDEX_W'((length_q - 16'd1) >> BYTE_W);
  assign last_frame_index = INDEX_W'((frame_length - 16'd1) >> BYTE_W);
  assign flush = WIDE && last_index == last_frame_index;    // as many beats as the message: the last one is not in yet

  always_comb begin
    judged = `HF_STATUS_OK;
    if (bad_type_q)
      judged = `HF_STATUS_BAD_TYPE;
    else if (bad_length_q || ends_q != judged_tlast)
      judged = `HF_STATUS_BAD_LENGTH;
    else if (bad_command_q)
      judged = `HF_STATUS_BAD_COMMAND;
    else if (bad_form_q)
      judged = `HF_STATUS_BAD_LENGTH;
    else if (bad_csum_q)
      judged = `HF_STATUS_BAD_CSUM;
  end

  always_comb begin
    case (h2c_q)
      HEADER: s_axis_h2c_tready = ready;
      JUDGE: s_axis_h2c_tready = !WIDE;
      BODY, SKIP: s_axis_h2c_tready = 1'b1;
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
    txf_last = 1'b0;
    txf_abort = 1'b0;
    cnt_h2c_messages = 1'b0;
    cnt_h2c_bad = 1'b0;
    case (h2c_q)
      HEADER: begin
        status_d = `HF_STATUS_OK;
        if (beat && !WIDE && s_axis_h2c_tlast) begin
          status_d = `HF_STATUS_BAD_LENGTH;
          h2c_d = BAD;
        end else if (beat) begin
          h2c_d = JUDGE;
        end
      end
      JUDGE: begin
        if (judging) begin
          status_d = judged;
          if (judged != `HF_STATUS_OK)
            h2c_d = judged_tlast ? BAD : SKIP;
          else if (is_frame_q)
            h2c_d = judged_tlast ? FLUSH : FRAME;
          else if (!judged_tlast)
            h2c_d = BODY;
          else
            h2c_d = is_reg_q ? REG : CMD;
        end
      end
      BODY: begin
        if (beat && last_expected_q == s_axis_h2c_tlast) begin
          if (s_axis_h2c_tlast)
            h2c_d = is_reg_q ? REG : CMD;
        end else if (beat) begin
          status_d = `HF_STATUS_BAD_LENGTH;
          h2c_d = s_axis_h2c_tlast ? BAD : SKIP;
        end
      end
      REG: begin
        reg_req = !reply_full_q;
        reply_fill = reg_req && reg_ack;
        cnt_h2c_messages = reply_fill;
        if (reply_fill)
          h2c_d = HEADER;
      end
      CMD: begin
        cmd_push = cmd_room;
        cnt_h2c_messages = cmd_room;
        if (cmd_room)
          h2c_d = HEADER;
      end
      FRAME: begin
        if (beat && last_expected_q == s_axis_h2c_tlast) begin
          txf_write = 1'b1;
          txf_last = last_expected_q && !flush;
          cnt_h2c_messages = txf_last;
          if (last_expected_q)
            h2c_d = flush ? FLUSH : HEADER;
        end else if (beat) begin
          txf_abort = 1'b1;
          status_d = `HF_STATUS_BAD_LENGTH;
          h2c_d = s_axis_h2c_tlast ? BAD : SKIP;
        end
      end
      FLUSH: begin
        txf_write = txf_ready;
        txf_last = 1'b1;
        cnt_h2c_messages = txf_ready;
        if (txf_ready)
          h2c_d = HEADER;
      end
      SKIP: begin
        if (beat && s_axis_h2c_tlast)
          h2c_d = BAD;
      end
      default: begin                                        // BAD
        cmd_push = cmd_room;
        cnt_h2c_bad = cmd_room;
        if (cmd_room)
          h2c_d = HEADER;
      end
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst)
      h2c_q <= HEADER;
    else
      h2c_q <= h2c_d;
    status_q <= status_d;
    if (beat && h2c_q == HEADER)
      {id_q, length_q, flags_q, type_q} <= s_axis_h2c_tdata[63:0];
    index_q <= index_d;
    last_expected_q <= index_d == last_index;
  end

  always_comb begin
    index_d = index_q;
    if (h2c_q == JUDGE)
      index_d = FIRST;
    else if (beat)
      index_d = index_q + 1'b1;
  end

  // Where octets of a message are found.
  generate
    if (WIDE) begin : g_wide
      logic tlast_q;                                        // of the first beat

      assign judging = h2c_q == JUDGE;
      assign judged_tlast = tlast_q;
      assign value = body_q[31:0];

      // Of a frame, body_q holds 48 octets that wait for 16 of the next beat.
      assign frame_beat = {s_axis_h2c_tdata[127:0] & {128{h2c_q == FRAME}}, body_q[383:0]};

      always_ff @(posedge clk) begin
        if (beat && h2c_q == HEADER) begin
          cookie_q <= s_axis_h2c_tdata[127:64];
          tlast_q <= s_axis_h2c_tlast;
        end
        if (beat && h2c_q != BODY)
          body_q[383:0] <= s_axis_h2c_tdata[511:128];
        if (beat && h2c_q == BODY)
          body_q[895:384] <= s_axis_h2c_tdata;
      end
    end else begin : g_narrow
      assign judging = beat && h2c_q == JUDGE;
      assign judged_tlast = s_axis_h2c_tlast;
      assign value = body_q[863:832];                       // the last beat
      assign frame_beat = s_axis_h2c_tdata;

      always_ff @(posedge clk) begin
        if (beat && h2c_q == HEADER)
          cookie_q <= 64'd0;                                // of a message that ends here
        if (judging)
          cookie_q <= s_axis_h2c_tdata;
        if (s_axis_h2c_tvalid && h2c_q == BODY)             // every beat is taken
          body_q <= {s_axis_h2c_tdata, body_q[895:64]};
      end
    end
  endgenerate

  assign reg_write = type_q == `HF_MSG_REG_WRITE;
  assign reg_addr = id_q;
  assign reg_wdata = value;

  assign cmd_code = flags_q;
  assign cmd_status = status_q;
  assign cmd_type = type_q;
  assign cmd_id = id_q;
  assign cmd_cookie = cookie_q;
  assign cmd_body = body_q;

  assign txf_length = frame_length[13:0];
  assign txf_csum = csum;
  assign txf_start = id_q[15:0];
  assign txf_offset = id_q[31:16];

  // Looked at with txf_write only: that beat is the last one if it is expected to be, and at 512 bits the flushed one.
  assign frame_ends = (last_expected_q && !flush) || h2c_q == FLUSH;
  assign frame_bytes = {BYTES{1'b1}} >> (frame_ends ? BYTE_W'(0) - frame_length[BYTE_W-1:0] : BYTE_W'(0));

  always_comb begin
    for (int i = 0; i < BYTES; i++)
      txf_data[8*i +: 8] = frame_beat[8*i +: 8] & {8{frame_bytes[i]}};
  end

  // ---- Sources of c2h that live here: HELLO and the register reply ---------------------------------------

  logic        hello_q;
  logic [63:0] hello_stamp_q, reply_cookie_q;
  logic [7:0]  reply_status_q;
  logic [31:0] reply_id_q, reply_value_q, reply_value;
  logic        reply_write_q;
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
      reply_value_q <= reg_rdata;
      reply_write_q <= reg_write;
    end
  end

  assign reply_value = reply_write_q || reply_status_q != `HF_STATUS_OK ? 32'd0 : reply_value_q;

  // ---- c2h ---------------------------------------------------------------------------------------------

  localparam logic [1:0] HELLO = 2'd0, REPLY = 2'd1, EVENT = 2'd2, HOST = 2'd3;

  localparam int LOCAL_BEATS = 512 / DATA_W;                // HELLO and REPLY, filled up with zeros
  localparam int STEP_W = WIDE ? 1 : 3;
  localparam logic [STEP_W-1:0] HELLO_LAST = STEP_W'((40 - 1) / BYTES);
  localparam logic [STEP_W-1:0] REPLY_LAST = STEP_W'((24 - 1) / BYTES);

  logic              within_q;                              // a message is begun and not ended
  logic [1:0]        source, source_q;
  logic [STEP_W-1:0] step, step_q;                          // beat of a HELLO or a reply
  logic [511:0]      local_message;
  logic              loads, offered, tlast;
  logic [DATA_W-1:0] tdata;
  logic              valid_q, tlast_q;
  logic [DATA_W-1:0] tdata_q;

  assign loads = !valid_q || m_axis_c2h_tready;
  assign step = within_q ? step_q : '0;

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
    if (source == HELLO)
      local_message = {192'd0, 32'(DATA_W), 16'(WAYS), 16'(MAX_FRAME), 16'(LISTENERS), 16'(CMD_DEPTH),
                       32'(WAYS << SETS_LOG2), hello_stamp_q[41:10], `HF_ABI_VERSION,     // EPOCH, VERSION
                       hello_stamp_q, 32'hffff_ffff, 16'd40, 8'd0, `HF_MSG_HELLO};
    else
      local_message = {352'd0, reply_value, reply_cookie_q, reply_id_q, 16'd24, reply_status_q, `HF_MSG_REG_REPLY};
  end

  always_comb begin
    offered = 1'b1;
    tdata = '0;
    case (source)
      HELLO, REPLY: begin
        tlast = step == (source == HELLO ? HELLO_LAST : REPLY_LAST);
        for (int i = 0; i < LOCAL_BEATS; i++)
          if (32'(step) == i)
            tdata = local_message[DATA_W*i +: DATA_W];
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

`ifdef FORMAL_MESSAGE
  logic              rst_1q, held_1q;                       // the cycle before
  logic [DATA_W:0]   beat_1q;

  initial assume (rst);

  always_ff @(posedge clk) begin
    rst_1q <= rst;
    held_1q <= m_axis_c2h_tvalid && !m_axis_c2h_tready;
    beat_1q <= {m_axis_c2h_tlast, m_axis_c2h_tdata};
    if (!rst) begin
      if (!rst_1q && held_1q) begin
        valid_stays: assert (m_axis_c2h_tvalid);
        data_stable: assert ({m_axis_c2h_tlast, m_axis_c2h_tdata} == beat_1q);
      end
      one_source: assert (!(ev_take && host_take) && !((ev_take || host_take) && (hello_release || reply_release)));
      one_end: assert (!(cnt_h2c_messages && cnt_h2c_bad));
      write_or_abort: assert (!(txf_write && txf_abort) && !(txf_write && !txf_ready));
      command_room: assert (!cmd_push || cmd_room);
      reply_kept: assert (!(reply_fill && reply_full_q));
    end
  end
`endif

endmodule
