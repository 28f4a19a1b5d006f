// SPDX-License-Identifier: Apache-2.0
// hash_serial - all hashes of the engine by one SipHash-2-4 of one round per cycle, one after another.
//
// What    The two hashes of a tuple (as tuple_hash), the MAC of a SYN cookie (as syn_cookie) and the two hashes of a
//         command's tuple, for builds whose wire asks for fewer. Seven times less logic than units of their own.
// Input   hash_*: a segment's tuple; mac_*: of the same frame, later; command_*: a command's tuple. Requests of segments
//         wait in a queue of two for each of SEG_DEPTH frames, those of commands in one of CMD_DEPTH: the caller has no
//         more of them under way. Epoch and key of a MAC are chosen in the cycle of its request; keys are read when
//         their hash begins.
// Output  hash_done with index and isn, mac_done with mac and key_selected, command_done with command_index and
//         command_isn: for one cycle, each in the order of its requests.
// Timing  a job is taken in a, when the unit is idle or ends another: the command queue's head, if a segment's does not
//         wait or had the turn before; else the segments' head. A MAC is done in a+9 (IPv6: a+15), two hashes in a+17
//         (IPv6: a+29). The keys are those of a+1, for the second hash of a+9 (IPv6: a+15).
module hash_serial #(
  parameter int SEG_DEPTH = 16,
  parameter int CMD_DEPTH = 4,
  parameter int IP6 = 1
) (
  input  logic         clk,
  input  logic         rst,

  input  logic [127:0] key_index,
  input  logic [127:0] key_isn,
  input  logic [127:0] key_cookie_a,
  input  logic [127:0] key_cookie_b,

  input  logic         hash_req,
  input  logic         hash_ip6,
  input  logic [287:0] hash_tuple,
  output logic         hash_done,

  input  logic         mac_req,
  input  logic [31:0]  mac_seq,
  input  logic [31:0]  mac_ack,
  input  logic         mac_ack_flag,
  input  logic [23:0]  mac_epoch,
  input  logic         mac_key_select,
  output logic         mac_done,
  output logic [25:0]  mac,
  output logic         key_selected,

  input  logic         command_req,
  input  logic         command_ip6,
  input  logic [287:0] command_tuple,
  output logic         command_done,

  output logic [31:0]  index,          // of a segment or a command
  output logic [63:0]  isn
);
  // Of a tuple: remote address, local address, ports. Without IPv6 96 bits.
  localparam int TUPLE_BITS = IP6 != 0 ? 289 : 96;

  function automatic logic [TUPLE_BITS-1:0] packed_tuple(input logic ip6, input logic [287:0] tuple);
    packed_tuple = TUPLE_BITS'(IP6 != 0 ? {ip6, tuple} : {193'd0, tuple[191:160], tuple[63:0]});
  endfunction

  // ---- what waits ----

  /* verilator lint_off UNUSEDSIGNAL */
  logic [31:0]           number;                            // what a cookie added: its top three bits are key, epoch
  logic                  seg_room, command_room;            // the callers see to it
  /* verilator lint_on UNUSEDSIGNAL */
  logic [1:0]            age;
  logic [26:0]           mac_job;                           // of a MAC: key that is told, key that is used .. epoch
  logic                  seg_valid, seg_is_mac, seg_pop, command_valid, command_pop;
  logic [TUPLE_BITS-1:0] seg_payload, command_payload;

  assign number = mac_ack - mac_seq;
  assign age = mac_ack_flag ? mac_epoch[1:0] - number[30:29] : 2'd0;
  assign mac_job = {1'b0, mac_key_select, mac_ack_flag ? number[31] : mac_key_select, mac_epoch - {22'd0, age}};

  fifo_reg #(.WIDTH(1 + TUPLE_BITS), .DEPTH(2 * SEG_DEPTH)) u_segments (
    .clk(clk), .rst(rst), .push(hash_req || mac_req),
    .push_data({mac_req, mac_req ? TUPLE_BITS'(mac_job) : packed_tuple(hash_ip6, hash_tuple)}), .has_room(seg_room),
    .valid(seg_valid), .head({seg_is_mac, seg_payload}), .pop(seg_pop));

  fifo_reg #(.WIDTH(TUPLE_BITS), .DEPTH(CMD_DEPTH)) u_commands (
    .clk(clk), .rst(rst), .push(command_req), .push_data(packed_tuple(command_ip6, command_tuple)),
    .has_room(command_room), .valid(command_valid), .head(command_payload), .pop(command_pop));

  // ---- the job ----

  // IDLE; START: the first hash begins; FIRST: it is made; SECOND: that under key_isn.
  typedef enum logic [1:0] {IDLE, START, FIRST, SECOND} state_t;
  state_t                state_q;
  logic                  command_q, is_mac_q;               // whose job it is; a command's is the head of its queue
  logic                  making_mac_q;                      // FIRST, of a MAC
  logic                  begins, ends, turn;
  logic [TUPLE_BITS-1:0] tuple_q, tuple;                    // of the last segment; of the job
  logic [25:0]           mac_q;
  logic                  req, done, ip6;
  logic [63:0]           hash;
  logic [31:0]           index_q;
  logic [319:0]          words;
  logic [127:0]          key;

  assign ends = done && (making_mac_q || state_q == SECOND);
  assign turn = command_valid && !(command_q && seg_valid) && !(ends && command_q);
  assign begins = (state_q == IDLE || ends) && (seg_valid || turn);
  assign seg_pop = begins && !turn;
  assign command_pop = ends && command_q;
  assign req = state_q == START || (state_q == FIRST && done && !is_mac_q);

  always_ff @(posedge clk) begin
    if (rst) begin
      state_q <= IDLE;
      command_q <= 1'b0;
    end else begin
      case (state_q)
        START: state_q <= FIRST;
        FIRST: if (done) state_q <= is_mac_q ? IDLE : SECOND;
        SECOND: if (done) state_q <= IDLE;
        default: ;
      endcase
      if (begins) begin
        state_q <= START;
        command_q <= turn;
      end
    end
    making_mac_q <= !rst && is_mac_q && (state_q == START || (state_q == FIRST && !done));
    if (begins) is_mac_q <= !turn && seg_is_mac;
    if (seg_pop && !seg_is_mac) tuple_q <= seg_payload;
    if (seg_pop && seg_is_mac) mac_q <= seg_payload[25:0];
    if (state_q == FIRST && done) index_q <= hash[31:0];
  end

  // The message's octets, the first one in bits 7:0; its length is the last octet of its last word.
  logic [23:0]  epoch;
  logic [287:0] octets6;
  logic [95:0]  tuple4, octets4;
  logic [23:0]  epoch_octets;
  assign tuple = command_q ? command_payload : tuple_q;
  assign epoch = mac_q[23:0];
  assign epoch_octets = is_mac_q ? {epoch[7:0], epoch[15:8], epoch[23:16]} : 24'd0;

  generate
    if (IP6 != 0) begin : g_ip6
      assign ip6 = tuple[TUPLE_BITS-1];
      assign tuple4 = {tuple[191:160], tuple[63:0]};
      always_comb begin
        for (int i = 0; i < 36; i++) octets6[8*i +: 8] = tuple[287 - 8*i -: 8];
      end
    end else begin : g_ip4
      assign ip6 = 1'b0;
      assign tuple4 = tuple;
      assign octets6 = '0;
    end
  endgenerate

  always_comb begin
    for (int i = 0; i < 12; i++) octets4[8*i +: 8] = tuple4[95 - 8*i -: 8];
    words = ip6 ? {is_mac_q ? 8'd39 : 8'd36, epoch_octets, octets6}
                : {192'd0, is_mac_q ? 8'd15 : 8'd12, epoch_octets, octets4};
    if (state_q == FIRST) key = key_isn;
    else if (is_mac_q) key = mac_q[24] ? key_cookie_b : key_cookie_a;
    else key = key_index;
  end

  siphash #(.HASHES(1), .ROUNDS(1)) u_hash (
    .clk(clk), .rst(rst), .req(req), .words(words), .long_message(ip6), .key(key), .done(done), .hash(hash),
    .take(1'b1));

  assign mac_done = done && making_mac_q;
  assign mac = hash[25:0];
  assign key_selected = mac_q[25];
  assign hash_done = ends && !is_mac_q && !command_q;
  assign command_done = ends && command_q;
  assign index = index_q;
  assign isn = hash;
endmodule
