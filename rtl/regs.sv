// SPDX-License-Identifier: Apache-2.0
// regs - the registers of regs/regs.def over AXI-Lite and over messages, the counters of
//        regs/counter.def, the millisecond clock, the host's heartbeat and the watermark of cookies.
//
// Input   AXI-Lite: 32-bit words, bus byte order little-endian; a write needs all four strobes. reg_*:
//         the same registers for register messages; AXI-Lite goes first. inc: one bit per counter.
// Output  cfg_*: configuration, addresses and MAC with the first octet most significant, keys with
//         octet 0 in bits 7:0. listen_commit for one cycle with the staged listener beside it.
//         reg_ack: a reg_req of this cycle is done; reg_status and reg_rdata are its answer.
// Timing  AXI-Lite: valid in c, ready and the access in c+1, response from c+2; at most one access in a
//         cycle, a write before a read. A write takes effect at the end of its access cycle. A read shows the
//         registers as they are in it; SNAPSHOT copies the counters as they are in it, and then there is no other
//         access, nor the beginning of one, for 64 cycles. reg_addr stands at least one cycle before its reg_req.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module regs #(
  parameter int SETS_LOG2 = 8,
  parameter int WAYS = 4,
  parameter int LISTENERS = 16,
  parameter int RULES = 8                        // 0: nothing is kept of rules and samples
) (
  input  logic                     clk,
  input  logic                     rst,
  input  logic [31:0]              epoch,        // time_ns[41:10], taken with sweep_last
  input  logic                     tick_1ms,

  // AXI-Lite
  input  logic [11:0]              s_axil_awaddr,
  input  logic                     s_axil_awvalid,
  output logic                     s_axil_awready,
  input  logic [31:0]              s_axil_wdata,
  input  logic [3:0]               s_axil_wstrb,
  input  logic                     s_axil_wvalid,
  output logic                     s_axil_wready,
  output logic [1:0]               s_axil_bresp,
  output logic                     s_axil_bvalid,
  input  logic                     s_axil_bready,
  input  logic [11:0]              s_axil_araddr,
  input  logic                     s_axil_arvalid,
  output logic                     s_axil_arready,
  output logic [31:0]              s_axil_rdata,
  output logic [1:0]               s_axil_rresp,
  output logic                     s_axil_rvalid,
  input  logic                     s_axil_rready,

  // register messages
  input  logic                     reg_req,
  input  logic                     reg_write,
  input  logic [31:0]              reg_addr,
  input  logic [31:0]              reg_wdata,
  output logic                     reg_ack,
  output logic [7:0]               reg_status,   // STATUS code
  output logic [31:0]              reg_rdata,    // 0 for a write or an error

  // state of the core
  input  logic                     ready,
  input  logic                     sweep_last,
  input  logic [16:0]              half_open,
  input  logic [16:0]              entries,
  input  logic [`HF_CNT_COUNT-1:0] inc,
  output logic                     cookie_on,      // half-open entries went above COOKIE_HIGH, not yet below COOKIE_LOW
  output logic                     cache_complete,
  input  logic                     cache_clear,    // it ends

  // clock and heartbeat
  output logic [31:0]              ms,
  output logic                     host_alive,

  // configuration
  output logic                     cfg_enable,
  output logic                     cfg_allow_loopback,
  output logic                     cfg_ts_offset_off,
  output logic                     cfg_ts_relaxed,
  output logic                     cfg_tw_rst_closes,
  output logic                     cfg_ecn,
  output logic [15:0]              cfg_syn_rto_ms,
  output logic [15:0]              cfg_syn_rto_max_ms,
  output logic [3:0]               cfg_synack_retries,
  output logic [15:0]              cfg_mss,
  output logic [15:0]              cfg_mss6,
  output logic [21:0]              cfg_connect_ms,
  output logic [21:0]              cfg_close_ms,
  output logic [21:0]              cfg_fin_wait_2_ms,
  output logic [21:0]              cfg_time_wait_ms,
  output logic [3:0]               cfg_challenge_limit,
  output logic [15:0]              cfg_challenge_ms,
  output logic [15:0]              cfg_mss_floor,
  output logic [29:0]              cfg_rcv_wnd,
  output logic [3:0]               cfg_wscale,
  output logic [7:0]               cfg_ttl,
  output logic [7:0]               cfg_tos,
  output logic [47:0]              cfg_mac,
  output logic [127:0]             cfg_local_addrs,   // LOCAL_ADDR3 .. LOCAL_ADDR0
  output logic [255:0]             cfg_local6_addrs,  // LOCAL6_B, LOCAL6_A
  output logic [127:0]             cfg_key_index,
  output logic [127:0]             cfg_key_isn,
  output logic [127:0]             cfg_key_cookie_a,
  output logic [127:0]             cfg_key_cookie_b,
  output logic [1:0]               cfg_cookie_mode,
  output logic                     cfg_cookie_key,
  output logic [1:0]               cfg_cookie_lifetime,
  output logic [16:0]              cfg_cookie_high,
  output logic [31:0]              cfg_rst_limit,     // burst, then rate, as the next two
  output logic [31:0]              cfg_synack_limit,
  output logic [31:0]              cfg_miss_limit,
  output logic [7:0]               cfg_tx_share,

  // listen table
  output logic                     listen_commit,
  output logic [3:0]               listen_index,      // with listen_commit, as listen_mode
  output logic [1:0]               listen_mode,
  output logic [127:0]             listen_addr,
  output logic [15:0]              listen_port,
  output logic [15:0]              listen_backlog,
  output logic [3:0]               listen_opts,       // {IP6, TS, SACK, WS}
  output logic [3:0]               listen_read_index, // the listener whose counts are read
  input  logic [15:0]              listen_half_open,  // its half-open connections
  input  logic [31:0]              listen_syns,       // its SYNs

  // source rules and samples
  output logic                     rule_commit,
  output logic [3:0]               rule_index,        // with rule_commit, as VALID in rule_staged
  output logic [`HF_RULE_BITS-1:0] rule_staged,
  output logic [3:0]               rule_read_index,   // the rule whose drops are read
  input  logic [31:0]              rule_drops,
  output logic [19:0]              cfg_sample,
  output logic                     sample_restart     // SAMPLE is written
);

  localparam int SLOTS = WAYS << SETS_LOG2;
  localparam int SNAPSHOT_CYCLES = 64;
  localparam logic [1:0] RESP_OKAY = 2'd0;
  localparam logic [1:0] RESP_SLVERR = 2'd2;

  // ---- who accesses: AXI-Lite write, AXI-Lite read, else a message ----

  logic write_start, read_start;
  logic bvalid_q, rvalid_q, awready_q, arready_q;
  logic       busy_q;            // a snapshot is still being taken
  logic [5:0] busy_left_q;       // for so many cycles more
  logic       idle, write_asked, read_asked;

  assign idle = !awready_q && !arready_q && !busy_q;
  assign write_asked = s_axil_awvalid && s_axil_wvalid && !bvalid_q;
  assign read_asked = s_axil_arvalid && !rvalid_q;
  assign write_start = idle && write_asked;
  assign read_start = idle && read_asked && !write_asked;

  assign s_axil_awready = awready_q;
  assign s_axil_wready = awready_q;
  assign s_axil_arready = arready_q;
  assign s_axil_bvalid = bvalid_q;
  assign s_axil_rvalid = rvalid_q;
  assign reg_ack = idle && !write_asked && !read_asked;

  // The address stands in the cycle before its access, and is looked at there.
  logic        access, access_write, strobes_ok;
  logic [11:0] addr_d, addr_q;
  logic        inside_q;         // it is no more than 12 bits
  logic        is_commit_q;      // it is LISTEN_COMMIT
  logic [31:0] wdata;

  always_comb begin
    addr_d = reg_addr[11:0];
    if (write_start)
      addr_d = s_axil_awaddr;
    else if (read_start)
      addr_d = s_axil_araddr;
  end

  always_ff @(posedge clk) begin
    addr_q <= addr_d;
    is_commit_q <= addr_d == `HF_REG_LISTEN_COMMIT;
    inside_q <= write_start || read_start || reg_addr[31:12] == '0;
  end

  always_comb begin
    access = awready_q || arready_q || (reg_req && reg_ack);
    access_write = awready_q || (!arready_q && reg_write);
    strobes_ok = !awready_q || s_axil_wstrb == 4'hf;
    wdata = awready_q ? s_axil_wdata : reg_wdata;
  end

  // ---- registers ----

  logic [5:0]  ctrl_q;
  logic [31:0] epoch_q;
  logic [15:0] heartbeat_ms_q, heartbeat_q;   // the setting; what is left
  logic [15:0] syn_rto_ms_q, syn_rto_max_ms_q, mss_q, mss6_q, mss_floor_q;
  logic [21:0] connect_ms_q, close_ms_q, fin_wait_2_ms_q, time_wait_ms_q;
  logic [15:0] challenge_ms_q;
  logic [3:0]  synack_retries_q, wscale_q, challenge_limit_q;
  logic [29:0] rcv_wnd_q;
  logic [7:0]  ttl_q;
  logic [5:0]  dscp_q;
  logic [31:0] mac_lo_q;
  logic [15:0] mac_hi_q;
  logic [31:0] local_addr0_q, local_addr1_q, local_addr2_q, local_addr3_q;
  logic [31:0] local6_a0_q, local6_a1_q, local6_a2_q, local6_a3_q;
  logic [31:0] local6_b0_q, local6_b1_q, local6_b2_q, local6_b3_q;
  logic [31:0] listen_addr_q, listen_addr1_q, listen_addr2_q, listen_addr3_q;
  logic [15:0] listen_port_q, listen_backlog_q;
  logic [3:0]  listen_opts_q;
  logic [7:0]  commit_index_q;
  logic [1:0]  commit_mode_q;
  logic [3:0]  listen_select_q, rule_select_q;
  logic [31:0] rule_addr0_q, rule_addr1_q, rule_addr2_q, rule_addr3_q;
  logic [7:0]  rule_mask_len_q;
  logic [23:0] rule_rate_q;
  logic [9:0]  rule_burst_q;
  logic [3:0]  rule_commit_index_q;
  logic        rule_valid_q;
  logic [19:0] sample_q;
  logic [31:0] key_index0_q, key_index1_q, key_index2_q, key_index3_q;
  logic [31:0] key_isn0_q, key_isn1_q, key_isn2_q, key_isn3_q;
  logic [31:0] key_cookie_a0_q, key_cookie_a1_q, key_cookie_a2_q, key_cookie_a3_q;
  logic [31:0] key_cookie_b0_q, key_cookie_b1_q, key_cookie_b2_q, key_cookie_b3_q;
  logic [4:0]  cookie_q;                    // LIFETIME, KEY, MODE
  logic [16:0] cookie_high_q, cookie_low_q;
  logic        cookie_on_q, complete_q;
  logic [31:0] rst_limit_q, synack_limit_q, miss_limit_q;
  logic [7:0]  tx_share_q;
  logic [31:0] ms_q;

  // ---- plain registers: what is written is kept in a RAM too, and read there ----
  // Which bits of a write a register keeps, and what it is at reset. None: it is no plain register.
  function automatic logic [63:0] plain(input logic [11:0] addr);
    case (addr)
      `HF_REG_CTRL: plain = {32'h0000_003f, `HF_RESET_CTRL};
      `HF_REG_HEARTBEAT_MS: plain = {32'h0000_ffff, `HF_RESET_HEARTBEAT_MS};
      `HF_REG_SYN_RTO_MS: plain = {32'h0000_ffff, `HF_RESET_SYN_RTO_MS};
      `HF_REG_SYN_RTO_MAX_MS: plain = {32'h0000_ffff, `HF_RESET_SYN_RTO_MAX_MS};
      `HF_REG_SYNACK_RETRIES: plain = {32'h0000_000f, `HF_RESET_SYNACK_RETRIES};
      `HF_REG_MSS: plain = {32'h0000_ffff, `HF_RESET_MSS};
      `HF_REG_MSS6: plain = {32'h0000_ffff, `HF_RESET_MSS6};
      `HF_REG_CONNECT_MS: plain = {32'h003f_ffff, `HF_RESET_CONNECT_MS};
      `HF_REG_CLOSE_MS: plain = {32'h003f_ffff, `HF_RESET_CLOSE_MS};
      `HF_REG_FIN_WAIT_2_MS: plain = {32'h003f_ffff, `HF_RESET_FIN_WAIT_2_MS};
      `HF_REG_TIME_WAIT_MS: plain = {32'h003f_ffff, `HF_RESET_TIME_WAIT_MS};
      `HF_REG_CHALLENGE: plain = {32'hffff_000f, `HF_RESET_CHALLENGE};
      `HF_REG_MSS_FLOOR: plain = {32'h0000_ffff, `HF_RESET_MSS_FLOOR};
      `HF_REG_RCV_WND: plain = {32'h3fff_ffff, `HF_RESET_RCV_WND};
      `HF_REG_WSCALE: plain = {32'h0000_000f, `HF_RESET_WSCALE};
      `HF_REG_TTL: plain = {32'h0000_00ff, `HF_RESET_TTL};
      `HF_REG_TOS: plain = {32'h0000_00fc, `HF_RESET_TOS};
      `HF_REG_MAC_LO: plain = {32'hffff_ffff, `HF_RESET_MAC_LO};
      `HF_REG_MAC_HI: plain = {32'h0000_ffff, `HF_RESET_MAC_HI};
      `HF_REG_LOCAL_ADDR0: plain = {32'hffff_ffff, `HF_RESET_LOCAL_ADDR0};
      `HF_REG_LOCAL_ADDR1: plain = {32'hffff_ffff, `HF_RESET_LOCAL_ADDR1};
      `HF_REG_LOCAL_ADDR2: plain = {32'hffff_ffff, `HF_RESET_LOCAL_ADDR2};
      `HF_REG_LOCAL_ADDR3: plain = {32'hffff_ffff, `HF_RESET_LOCAL_ADDR3};
      `HF_REG_LOCAL6_A0: plain = {32'hffff_ffff, `HF_RESET_LOCAL6_A0};
      `HF_REG_LOCAL6_A1: plain = {32'hffff_ffff, `HF_RESET_LOCAL6_A1};
      `HF_REG_LOCAL6_A2: plain = {32'hffff_ffff, `HF_RESET_LOCAL6_A2};
      `HF_REG_LOCAL6_A3: plain = {32'hffff_ffff, `HF_RESET_LOCAL6_A3};
      `HF_REG_LOCAL6_B0: plain = {32'hffff_ffff, `HF_RESET_LOCAL6_B0};
      `HF_REG_LOCAL6_B1: plain = {32'hffff_ffff, `HF_RESET_LOCAL6_B1};
      `HF_REG_LOCAL6_B2: plain = {32'hffff_ffff, `HF_RESET_LOCAL6_B2};
      `HF_REG_LOCAL6_B3: plain = {32'hffff_ffff, `HF_RESET_LOCAL6_B3};
      `HF_REG_LISTEN_ADDR: plain = {32'hffff_ffff, `HF_RESET_LISTEN_ADDR};
      `HF_REG_LISTEN_ADDR1: plain = {32'hffff_ffff, `HF_RESET_LISTEN_ADDR1};
      `HF_REG_LISTEN_ADDR2: plain = {32'hffff_ffff, `HF_RESET_LISTEN_ADDR2};
      `HF_REG_LISTEN_ADDR3: plain = {32'hffff_ffff, `HF_RESET_LISTEN_ADDR3};
      `HF_REG_LISTEN_PORT: plain = {32'h0000_ffff, `HF_RESET_LISTEN_PORT};
      `HF_REG_LISTEN_BACKLOG: plain = {32'h0000_ffff, `HF_RESET_LISTEN_BACKLOG};
      `HF_REG_LISTEN_OPTS: plain = {32'h0000_000f, `HF_RESET_LISTEN_OPTS};
      `HF_REG_COOKIE: plain = {32'h0000_0037, `HF_RESET_COOKIE};
      `HF_REG_COOKIE_HIGH: plain = {32'h0001_ffff, 32'(SLOTS - SLOTS / 4)};   // three quarters of the slots
      `HF_REG_COOKIE_LOW: plain = {32'h0001_ffff, 32'(SLOTS / 2)};
      `HF_REG_RST_LIMIT: plain = {32'hffff_ffff, `HF_RESET_RST_LIMIT};
      `HF_REG_SYNACK_LIMIT: plain = {32'hffff_ffff, `HF_RESET_SYNACK_LIMIT};
      `HF_REG_MISS_LIMIT: plain = {32'hffff_ffff, `HF_RESET_MISS_LIMIT};
      `HF_REG_TX_SHARE: plain = {32'h0000_00ff, `HF_RESET_TX_SHARE};
      `HF_REG_RULE_ADDR0: plain = RULES != 0 ? {32'hffff_ffff, `HF_RESET_RULE_ADDR0} : '0;
      `HF_REG_RULE_ADDR1: plain = RULES != 0 ? {32'hffff_ffff, `HF_RESET_RULE_ADDR1} : '0;
      `HF_REG_RULE_ADDR2: plain = RULES != 0 ? {32'hffff_ffff, `HF_RESET_RULE_ADDR2} : '0;
      `HF_REG_RULE_ADDR3: plain = RULES != 0 ? {32'hffff_ffff, `HF_RESET_RULE_ADDR3} : '0;
      `HF_REG_RULE_MASK_LEN: plain = RULES != 0 ? {32'h0000_00ff, `HF_RESET_RULE_MASK_LEN} : '0;
      `HF_REG_RULE_RATE: plain = RULES != 0 ? {32'h00ff_ffff, `HF_RESET_RULE_RATE} : '0;
      `HF_REG_RULE_BURST: plain = RULES != 0 ? {32'h0000_03ff, `HF_RESET_RULE_BURST} : '0;
      `HF_REG_SAMPLE: plain = RULES != 0 ? {32'h000f_ffff, `HF_RESET_SAMPLE} : '0;
      default: plain = '0;
    endcase
  endfunction

  localparam int PLAIN_WORDS = 256;                        // below 0x400

  logic [PLAIN_WORDS-1:0] plain_words;                       // of each word: does it have plain bits

  generate
    for (genvar i = 0; i < PLAIN_WORDS; i++) begin : g_plain
      localparam logic [63:0] WORD = plain(12'(4 * i));
      assign plain_words[i] = WORD[63:32] != '0;
    end
  endgenerate

  (* no_rw_check *)
  logic [31:0]            kept_mem [0:PLAIN_WORDS-1];
  logic [31:0]            kept_q, kept, wdata_q;
  logic                   forward_q;                       // it was written in the cycle in which it was read
  logic [PLAIN_WORDS-1:0] written_q;                       // since reset
  logic [31:0]            plain_bits, plain_reset;
  logic                   is_plain, is_written_q, write_access;

  always_ff @(posedge clk) begin
    {plain_bits, plain_reset} <= plain(addr_d);             // of addr_q
    is_plain <= plain_words[addr_d[9:2]] && {addr_d[11:10], addr_d[1:0]} == '0;
    kept_q <= kept_mem[addr_d[9:2]];
    if (write_access && is_plain)
      kept_mem[addr_q[9:2]] <= wdata & plain_bits;
    wdata_q <= wdata & plain_bits;
    forward_q <= write_access && is_plain && addr_q[9:2] == addr_d[9:2];
    is_written_q <= written_q[addr_d[9:2]];
    if (rst)
      written_q <= '0;
    else if (write_access && is_plain)
      written_q <= (written_q | PLAIN_WORDS'(1) << addr_q[9:2]) & plain_words;
  end

  assign kept = forward_q ? wdata_q : is_written_q ? kept_q : plain_reset;

  // ---- decode: is it mapped, may it be written, what does it read ----

  // A write is refused because of the register (read_only) or of what it says (writable = 0).
  logic        mapped, read_only, writable, is_counter, is_listener, is_good_commit;
  logic [31:0] rdata;            // of what is not plain

  always_comb begin
    mapped = 1'b1;
    read_only = 1'b0;
    writable = 1'b1;
    rdata = '0;
    case (addr_q)
      `HF_REG_ID: begin
        read_only = 1'b1;
        rdata = `HF_ID_VALUE;
      end
      `HF_REG_VERSION: begin
        read_only = 1'b1;
        rdata = `HF_ABI_VERSION;
      end
      `HF_REG_STATUS: begin
        read_only = 1'b1;
        rdata = {29'd0, cookie_on_q, host_alive, ready};
      end
      `HF_REG_GEOMETRY: begin
        read_only = 1'b1;
        rdata = {8'(RULES), 8'(LISTENERS), 8'(WAYS), 8'(SETS_LOG2)};
      end
      `HF_REG_EPOCH: begin
        read_only = 1'b1;
        rdata = epoch_q;
      end
      `HF_REG_HEARTBEAT: ;
      `HF_REG_LISTEN_COMMIT: begin
        writable = is_good_commit;
        rdata = {22'd0, commit_mode_q, commit_index_q};
      end
      `HF_REG_LISTEN_HALF_OPEN: begin
        read_only = 1'b1;
        rdata = {16'd0, listen_half_open};
      end
      `HF_REG_LISTEN_SYNS: begin
        read_only = 1'b1;
        rdata = listen_syns;
      end
      `HF_REG_LISTEN_SELECT: begin
        writable = is_listener;
        rdata = {28'd0, listen_select_q};
      end
      // Plain ones; without rules they keep nothing.
      `HF_REG_RULE_ADDR0, `HF_REG_RULE_ADDR1, `HF_REG_RULE_ADDR2, `HF_REG_RULE_ADDR3, `HF_REG_RULE_MASK_LEN,
      `HF_REG_RULE_RATE, `HF_REG_RULE_BURST, `HF_REG_SAMPLE: ;
      `HF_REG_RULE_COMMIT: begin
        writable = 32'(wdata[7:0]) + 32'd1 <= RULES;
        rdata = {23'd0, rule_valid_q, 4'd0, rule_commit_index_q};
      end
      `HF_REG_RULE_SELECT: begin
        writable = 32'(wdata[7:0]) + 32'd1 <= RULES;
        rdata = {28'd0, rule_select_q};
      end
      `HF_REG_RULE_DROPS: begin
        read_only = 1'b1;
        rdata = rule_drops;
      end
      // Keys are never read back; the index key not changed while entries may lie where it put them.
      `HF_REG_KEY_INDEX0, `HF_REG_KEY_INDEX1, `HF_REG_KEY_INDEX2, `HF_REG_KEY_INDEX3: writable = !cfg_enable;
      `HF_REG_KEY_ISN0, `HF_REG_KEY_ISN1, `HF_REG_KEY_ISN2, `HF_REG_KEY_ISN3: ;
      // Likewise the key that signs cookies.
      `HF_REG_KEY_COOKIE_A0, `HF_REG_KEY_COOKIE_A1, `HF_REG_KEY_COOKIE_A2, `HF_REG_KEY_COOKIE_A3:
        writable = !cfg_enable || cfg_cookie_key;
      `HF_REG_KEY_COOKIE_B0, `HF_REG_KEY_COOKIE_B1, `HF_REG_KEY_COOKIE_B2, `HF_REG_KEY_COOKIE_B3:
        writable = !cfg_enable || !cfg_cookie_key;
      `HF_REG_CACHE: rdata = {31'd0, complete_q};
      `HF_REG_SNAPSHOT: ;
      `HF_REG_HALF_OPEN: begin
        read_only = 1'b1;
        rdata = {15'd0, half_open};
      end
      `HF_REG_ENTRIES: begin
        read_only = 1'b1;
        rdata = {15'd0, entries};
      end
      `HF_REG_MS: begin
        read_only = 1'b1;
        rdata = ms_q;
      end
      default: begin
        read_only = is_counter;
        mapped = is_plain || is_counter;
      end
    endcase
    if (!inside_q)
      mapped = 1'b0;
  end

  // ---- the answer ----

  logic [7:0]  status;
  logic [31:0] answer, answer_q;

  always_comb begin
    status = `HF_STATUS_OK;
    if (!mapped)
      status = `HF_STATUS_BAD_ADDRESS;
    else if (access_write && !(writable && !read_only && strobes_ok))
      status = `HF_STATUS_REFUSED;
    answer = rdata;
    if (is_plain)
      answer = kept;
    if (is_counter)
      answer = !counters_taken ? '0 : addr_q[2] ? counter_high : counter_low;
  end

  // What is read_only or not mapped stores nothing, so this waits for neither; and for writable only what may be refused.
  assign write_access = access && access_write && strobes_ok && inside_q;

  assign reg_status = status;
  assign reg_rdata = answer;
  assign s_axil_rdata = s_axil_rresp == RESP_OKAY ? answer_q : '0;

  always_ff @(posedge clk) begin
    if (rst) begin
      awready_q <= 1'b0;
      arready_q <= 1'b0;
      bvalid_q <= 1'b0;
      rvalid_q <= 1'b0;
      s_axil_bresp <= RESP_OKAY;
      s_axil_rresp <= RESP_OKAY;
      answer_q <= '0;
    end else begin
      awready_q <= write_start;
      arready_q <= read_start;
      if (awready_q) begin
        bvalid_q <= 1'b1;
        s_axil_bresp <= status == `HF_STATUS_OK ? RESP_OKAY : RESP_SLVERR;
      end else if (s_axil_bready) begin
        bvalid_q <= 1'b0;
      end
      if (arready_q) begin
        rvalid_q <= 1'b1;
        s_axil_rresp <= status == `HF_STATUS_OK ? RESP_OKAY : RESP_SLVERR;
        answer_q <= answer;
      end else if (s_axil_rready) begin
        rvalid_q <= 1'b0;
      end
    end
  end

  // ---- writes ----

  always_ff @(posedge clk) begin
    if (rst) begin
      ctrl_q <= 6'(`HF_RESET_CTRL);
      heartbeat_ms_q <= 16'(`HF_RESET_HEARTBEAT_MS);
      syn_rto_ms_q <= 16'(`HF_RESET_SYN_RTO_MS);
      syn_rto_max_ms_q <= 16'(`HF_RESET_SYN_RTO_MAX_MS);
      synack_retries_q <= 4'(`HF_RESET_SYNACK_RETRIES);
      mss_q <= 16'(`HF_RESET_MSS);
      mss6_q <= 16'(`HF_RESET_MSS6);
      connect_ms_q <= 22'(`HF_RESET_CONNECT_MS);
      close_ms_q <= 22'(`HF_RESET_CLOSE_MS);
      fin_wait_2_ms_q <= 22'(`HF_RESET_FIN_WAIT_2_MS);
      time_wait_ms_q <= 22'(`HF_RESET_TIME_WAIT_MS);
      challenge_limit_q <= 4'(`HF_RESET_CHALLENGE);
      challenge_ms_q <= 16'(`HF_RESET_CHALLENGE >> 16);
      mss_floor_q <= 16'(`HF_RESET_MSS_FLOOR);
      rcv_wnd_q <= 30'(`HF_RESET_RCV_WND);
      wscale_q <= 4'(`HF_RESET_WSCALE);
      ttl_q <= 8'(`HF_RESET_TTL);
      dscp_q <= 6'(`HF_RESET_TOS >> 2);
      mac_lo_q <= `HF_RESET_MAC_LO;
      mac_hi_q <= 16'(`HF_RESET_MAC_HI);
      local_addr0_q <= `HF_RESET_LOCAL_ADDR0;
      local_addr1_q <= `HF_RESET_LOCAL_ADDR1;
      local_addr2_q <= `HF_RESET_LOCAL_ADDR2;
      local_addr3_q <= `HF_RESET_LOCAL_ADDR3;
      listen_addr_q <= `HF_RESET_LISTEN_ADDR;
      local6_a0_q <= `HF_RESET_LOCAL6_A0;
      local6_a1_q <= `HF_RESET_LOCAL6_A1;
      local6_a2_q <= `HF_RESET_LOCAL6_A2;
      local6_a3_q <= `HF_RESET_LOCAL6_A3;
      local6_b0_q <= `HF_RESET_LOCAL6_B0;
      local6_b1_q <= `HF_RESET_LOCAL6_B1;
      local6_b2_q <= `HF_RESET_LOCAL6_B2;
      local6_b3_q <= `HF_RESET_LOCAL6_B3;
      listen_addr1_q <= `HF_RESET_LISTEN_ADDR1;
      listen_addr2_q <= `HF_RESET_LISTEN_ADDR2;
      listen_addr3_q <= `HF_RESET_LISTEN_ADDR3;
      listen_port_q <= 16'(`HF_RESET_LISTEN_PORT);
      listen_backlog_q <= 16'(`HF_RESET_LISTEN_BACKLOG);
      listen_opts_q <= 4'(`HF_RESET_LISTEN_OPTS);
      commit_index_q <= 8'(`HF_RESET_LISTEN_COMMIT);
      commit_mode_q <= 2'(`HF_RESET_LISTEN_COMMIT >> 8);
      listen_select_q <= 4'(`HF_RESET_LISTEN_SELECT);
      rule_addr0_q <= `HF_RESET_RULE_ADDR0;
      rule_addr1_q <= `HF_RESET_RULE_ADDR1;
      rule_addr2_q <= `HF_RESET_RULE_ADDR2;
      rule_addr3_q <= `HF_RESET_RULE_ADDR3;
      rule_mask_len_q <= 8'(`HF_RESET_RULE_MASK_LEN);
      rule_rate_q <= 24'(`HF_RESET_RULE_RATE);
      rule_burst_q <= RULES != 0 ? 10'(`HF_RESET_RULE_BURST) : 10'd0;
      rule_commit_index_q <= 4'(`HF_RESET_RULE_COMMIT);
      rule_valid_q <= 1'(`HF_RESET_RULE_COMMIT >> 8);
      rule_select_q <= 4'(`HF_RESET_RULE_SELECT);
      sample_q <= 20'(`HF_RESET_SAMPLE);
      key_index0_q <= `HF_RESET_KEY_INDEX0;
      key_index1_q <= `HF_RESET_KEY_INDEX1;
      key_index2_q <= `HF_RESET_KEY_INDEX2;
      key_index3_q <= `HF_RESET_KEY_INDEX3;
      key_isn0_q <= `HF_RESET_KEY_ISN0;
      key_isn1_q <= `HF_RESET_KEY_ISN1;
      key_isn2_q <= `HF_RESET_KEY_ISN2;
      key_isn3_q <= `HF_RESET_KEY_ISN3;
      key_cookie_a0_q <= `HF_RESET_KEY_COOKIE_A0;
      key_cookie_a1_q <= `HF_RESET_KEY_COOKIE_A1;
      key_cookie_a2_q <= `HF_RESET_KEY_COOKIE_A2;
      key_cookie_a3_q <= `HF_RESET_KEY_COOKIE_A3;
      key_cookie_b0_q <= `HF_RESET_KEY_COOKIE_B0;
      key_cookie_b1_q <= `HF_RESET_KEY_COOKIE_B1;
      key_cookie_b2_q <= `HF_RESET_KEY_COOKIE_B2;
      key_cookie_b3_q <= `HF_RESET_KEY_COOKIE_B3;
      cookie_q <= {2'(`HF_RESET_COOKIE >> 4), 3'(`HF_RESET_COOKIE)};
      cookie_high_q <= 17'(SLOTS - SLOTS / 4);   // three quarters of the slots
      cookie_low_q <= 17'(SLOTS / 2);
      rst_limit_q <= `HF_RESET_RST_LIMIT;
      synack_limit_q <= `HF_RESET_SYNACK_LIMIT;
      miss_limit_q <= `HF_RESET_MISS_LIMIT;
      tx_share_q <= 8'(`HF_RESET_TX_SHARE);
    end else if (write_access) begin
      case (addr_q)
        `HF_REG_CTRL: ctrl_q <= wdata[5:0];
        `HF_REG_HEARTBEAT_MS: heartbeat_ms_q <= wdata[15:0];
        `HF_REG_SYN_RTO_MS: syn_rto_ms_q <= wdata[15:0];
        `HF_REG_SYN_RTO_MAX_MS: syn_rto_max_ms_q <= wdata[15:0];
        `HF_REG_SYNACK_RETRIES: synack_retries_q <= wdata[3:0];
        `HF_REG_MSS: mss_q <= wdata[15:0];
        `HF_REG_MSS6: mss6_q <= wdata[15:0];
        `HF_REG_CONNECT_MS: connect_ms_q <= wdata[21:0];
        `HF_REG_CLOSE_MS: close_ms_q <= wdata[21:0];
        `HF_REG_FIN_WAIT_2_MS: fin_wait_2_ms_q <= wdata[21:0];
        `HF_REG_TIME_WAIT_MS: time_wait_ms_q <= wdata[21:0];
        `HF_REG_CHALLENGE: {challenge_ms_q, challenge_limit_q} <= {wdata[31:16], wdata[3:0]};
        `HF_REG_MSS_FLOOR: mss_floor_q <= wdata[15:0];
        `HF_REG_RCV_WND: rcv_wnd_q <= wdata[29:0];
        `HF_REG_WSCALE: wscale_q <= wdata[3:0];
        `HF_REG_TTL: ttl_q <= wdata[7:0];
        `HF_REG_TOS: dscp_q <= wdata[7:2];
        `HF_REG_MAC_LO: mac_lo_q <= wdata;
        `HF_REG_MAC_HI: mac_hi_q <= wdata[15:0];
        `HF_REG_LOCAL_ADDR0: local_addr0_q <= wdata;
        `HF_REG_LOCAL_ADDR1: local_addr1_q <= wdata;
        `HF_REG_LOCAL_ADDR2: local_addr2_q <= wdata;
        `HF_REG_LOCAL_ADDR3: local_addr3_q <= wdata;
        `HF_REG_LISTEN_ADDR: listen_addr_q <= wdata;
        `HF_REG_LOCAL6_A0: local6_a0_q <= wdata;
        `HF_REG_LOCAL6_A1: local6_a1_q <= wdata;
        `HF_REG_LOCAL6_A2: local6_a2_q <= wdata;
        `HF_REG_LOCAL6_A3: local6_a3_q <= wdata;
        `HF_REG_LOCAL6_B0: local6_b0_q <= wdata;
        `HF_REG_LOCAL6_B1: local6_b1_q <= wdata;
        `HF_REG_LOCAL6_B2: local6_b2_q <= wdata;
        `HF_REG_LOCAL6_B3: local6_b3_q <= wdata;
        `HF_REG_LISTEN_ADDR1: listen_addr1_q <= wdata;
        `HF_REG_LISTEN_ADDR2: listen_addr2_q <= wdata;
        `HF_REG_LISTEN_ADDR3: listen_addr3_q <= wdata;
        `HF_REG_LISTEN_PORT: listen_port_q <= wdata[15:0];
        `HF_REG_LISTEN_BACKLOG: listen_backlog_q <= wdata[15:0];
        `HF_REG_LISTEN_OPTS: listen_opts_q <= wdata[3:0];
        `HF_REG_KEY_ISN0: key_isn0_q <= wdata;
        `HF_REG_KEY_ISN1: key_isn1_q <= wdata;
        `HF_REG_KEY_ISN2: key_isn2_q <= wdata;
        `HF_REG_KEY_ISN3: key_isn3_q <= wdata;
        `HF_REG_COOKIE: cookie_q <= {wdata[5:4], wdata[2:0]};
        `HF_REG_COOKIE_HIGH: cookie_high_q <= wdata[16:0];
        `HF_REG_COOKIE_LOW: cookie_low_q <= wdata[16:0];
        `HF_REG_RST_LIMIT: rst_limit_q <= wdata;
        `HF_REG_SYNACK_LIMIT: synack_limit_q <= wdata;
        `HF_REG_MISS_LIMIT: miss_limit_q <= wdata;
        `HF_REG_TX_SHARE: tx_share_q <= wdata[7:0];
        default: ;   // HEARTBEAT and SNAPSHOT store nothing; CACHE is below
      endcase
      if (writable) begin
        case (addr_q)
          `HF_REG_LISTEN_COMMIT: begin
            {commit_mode_q, commit_index_q} <= wdata[9:0];
            listen_select_q <= wdata[3:0];
          end
          `HF_REG_LISTEN_SELECT: listen_select_q <= wdata[3:0];
          `HF_REG_KEY_INDEX0: key_index0_q <= wdata;
          `HF_REG_KEY_INDEX1: key_index1_q <= wdata;
          `HF_REG_KEY_INDEX2: key_index2_q <= wdata;
          `HF_REG_KEY_INDEX3: key_index3_q <= wdata;
          `HF_REG_KEY_COOKIE_A0: key_cookie_a0_q <= wdata;
          `HF_REG_KEY_COOKIE_A1: key_cookie_a1_q <= wdata;
          `HF_REG_KEY_COOKIE_A2: key_cookie_a2_q <= wdata;
          `HF_REG_KEY_COOKIE_A3: key_cookie_a3_q <= wdata;
          `HF_REG_KEY_COOKIE_B0: key_cookie_b0_q <= wdata;
          `HF_REG_KEY_COOKIE_B1: key_cookie_b1_q <= wdata;
          `HF_REG_KEY_COOKIE_B2: key_cookie_b2_q <= wdata;
          `HF_REG_KEY_COOKIE_B3: key_cookie_b3_q <= wdata;
          default: ;
        endcase
      end
      if (RULES != 0) begin
        case (addr_q)
          `HF_REG_RULE_ADDR0: rule_addr0_q <= wdata;
          `HF_REG_RULE_ADDR1: rule_addr1_q <= wdata;
          `HF_REG_RULE_ADDR2: rule_addr2_q <= wdata;
          `HF_REG_RULE_ADDR3: rule_addr3_q <= wdata;
          `HF_REG_RULE_MASK_LEN: rule_mask_len_q <= wdata[7:0];
          `HF_REG_RULE_RATE: rule_rate_q <= wdata[23:0];
          `HF_REG_RULE_BURST: rule_burst_q <= wdata[9:0];
          `HF_REG_SAMPLE: sample_q <= wdata[19:0];
          default: ;
        endcase
        if (writable) begin
          case (addr_q)
            `HF_REG_RULE_COMMIT: begin
              {rule_valid_q, rule_commit_index_q} <= {wdata[8], wdata[3:0]};
              rule_select_q <= wdata[3:0];
            end
            `HF_REG_RULE_SELECT: rule_select_q <= wdata[3:0];
            default: ;
          endcase
        end
      end
    end
  end

  // ---- clock, heartbeat, epoch ----

  always_ff @(posedge clk) begin
    if (rst) begin
      ms_q <= '0;
      heartbeat_q <= '0;
      epoch_q <= `HF_RESET_EPOCH;
    end else begin
      if (tick_1ms)
        ms_q <= ms_q + 32'd1;
      if (write_access && addr_q == `HF_REG_HEARTBEAT)
        heartbeat_q <= heartbeat_ms_q;
      else if (tick_1ms && heartbeat_q != '0)
        heartbeat_q <= heartbeat_q - 16'd1;
      if (sweep_last)
        epoch_q <= epoch;
    end
  end

  assign ms = ms_q;
  assign host_alive = heartbeat_q != '0 || heartbeat_ms_q == '0;

  // ---- what the engine's state makes of cookies and of the cache ----

  always_ff @(posedge clk) begin
    if (rst) begin
      cookie_on_q <= 1'b0;
      complete_q <= 1'b0;
    end else begin
      if (half_open >= cookie_high_q)
        cookie_on_q <= 1'b1;
      else if (half_open < cookie_low_q)
        cookie_on_q <= 1'b0;
      if (!host_alive || cache_clear)
        complete_q <= 1'b0;
      else if (write_access && addr_q == `HF_REG_CACHE)
        complete_q <= wdata[0];
    end
  end

  assign cookie_on = cookie_on_q;
  assign cache_complete = complete_q;

  // ---- counters, as of the last SNAPSHOT ----

  logic        snapshot, counters_taken;
  logic [31:0] counter_low, counter_high;

  assign snapshot = write_access && addr_q == `HF_REG_SNAPSHOT;
  assign is_counter = addr_q[11:9] == 3'd2 && addr_q[1:0] == 2'd0 && 32'(addr_q[8:3]) < `HF_CNT_COUNT;

  always_ff @(posedge clk) begin
    if (rst) busy_q <= 1'b0;
    else if (snapshot) busy_q <= 1'b1;
    else if (busy_left_q == '0) busy_q <= 1'b0;
    busy_left_q <= snapshot ? 6'(SNAPSHOT_CYCLES - 1) : busy_left_q - 6'd1;
  end

  counters u_counters (
    .clk(clk), .rst(rst), .inc(inc), .snapshot(snapshot), .read_counter(addr_d[8:3]),
    .read_low(counter_low), .read_high(counter_high), .taken(counters_taken));

  // ---- configuration as the units want it ----

  assign {cfg_ecn, cfg_tw_rst_closes, cfg_ts_relaxed, cfg_ts_offset_off, cfg_allow_loopback, cfg_enable} = ctrl_q;
  assign cfg_syn_rto_ms = syn_rto_ms_q;
  assign cfg_syn_rto_max_ms = syn_rto_max_ms_q;
  assign cfg_synack_retries = synack_retries_q;
  assign cfg_mss = mss_q;
  assign cfg_mss6 = mss6_q;
  assign cfg_connect_ms = connect_ms_q;
  assign cfg_close_ms = close_ms_q;
  assign cfg_fin_wait_2_ms = fin_wait_2_ms_q;
  assign cfg_time_wait_ms = time_wait_ms_q;
  assign cfg_challenge_limit = challenge_limit_q;
  assign cfg_challenge_ms = challenge_ms_q;
  assign cfg_mss_floor = mss_floor_q;
  assign cfg_rcv_wnd = rcv_wnd_q;
  assign cfg_wscale = wscale_q;
  assign cfg_ttl = ttl_q;
  assign cfg_tos = {dscp_q, 2'd0};
  assign cfg_mac = {mac_lo_q[7:0], mac_lo_q[15:8], mac_lo_q[23:16], mac_lo_q[31:24], mac_hi_q[7:0], mac_hi_q[15:8]};
  assign cfg_local_addrs = {local_addr3_q, local_addr2_q, local_addr1_q, local_addr0_q};
  assign cfg_local6_addrs = {local6_b3_q, local6_b2_q, local6_b1_q, local6_b0_q,
                             local6_a3_q, local6_a2_q, local6_a1_q, local6_a0_q};
  assign cfg_key_index = {key_index3_q, key_index2_q, key_index1_q, key_index0_q};
  assign cfg_key_cookie_a = {key_cookie_a3_q, key_cookie_a2_q, key_cookie_a1_q, key_cookie_a0_q};
  assign cfg_key_cookie_b = {key_cookie_b3_q, key_cookie_b2_q, key_cookie_b1_q, key_cookie_b0_q};
  assign {cfg_cookie_lifetime, cfg_cookie_key, cfg_cookie_mode} = cookie_q;
  assign cfg_cookie_high = cookie_high_q;
  assign cfg_rst_limit = rst_limit_q;
  assign cfg_synack_limit = synack_limit_q;
  assign cfg_miss_limit = miss_limit_q;
  assign cfg_tx_share = tx_share_q;
  assign cfg_key_isn = {key_isn3_q, key_isn2_q, key_isn1_q, key_isn0_q};

  assign is_listener = 32'(wdata[7:0]) < LISTENERS;
  assign is_good_commit = is_listener && wdata[9:8] != 2'd3;
  assign listen_commit = write_access && is_good_commit && is_commit_q;
  assign listen_index = wdata[3:0];
  assign listen_mode = wdata[9:8];
  assign listen_addr = {listen_addr3_q, listen_addr2_q, listen_addr1_q, listen_addr_q};
  assign listen_port = listen_port_q;
  assign listen_backlog = listen_backlog_q;
  assign listen_opts = listen_opts_q;
  assign listen_read_index = listen_select_q;

  assign rule_commit = write_access && writable && addr_q == `HF_REG_RULE_COMMIT;
  assign rule_index = wdata[3:0];
  assign rule_staged = {wdata[8], rule_addr3_q, rule_addr2_q, rule_addr1_q, rule_addr0_q, rule_mask_len_q, rule_rate_q,
                        rule_burst_q};
  assign rule_read_index = rule_select_q;
  assign cfg_sample = sample_q;
  assign sample_restart = write_access && addr_q == `HF_REG_SAMPLE;

endmodule
