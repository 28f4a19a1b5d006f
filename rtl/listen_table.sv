// SPDX-License-Identifier: Apache-2.0
// listen_table - the listeners, and how many half-open connections each of them has.
//
// What    RFC 9293 3.10.1 (passive OPEN) as a table: mode, address, port, backlog, options. A lookup
//         prefers a listener of the exact address to one of any address (0, which answers
//         for the board's LOCAL_ADDR or LOCAL6 only), then the lowest index.
//         IPv4 and IPv6 listeners do not see one another's segments.
// Input   commit copies the staged listener into entry commit_index (caller: below LISTENERS).
//         lookup_addr, lookup_port: looked up in the cycles from lookup_first to lookup, MATCH_CYCLES in all, with the
//         listeners and LOCAL addresses of the first one. enter, leave: a connection of listener
//         count_index became half-open or stopped to be so; never both at once. cookie: that listener sent a
//         SYN cookie, in epoch cookie_epoch.
// Output  found .. opts: the result, from the cycle after lookup until the next one. In a cycle with ask,
//         found_half_open: that listener's count, live; found_sent, found_epoch: whether it ever sent a cookie, and
//         the last one's epoch, live. read_half_open: count of read_index, live.
// Timing  registers change at the end of the cycle of commit, lookup, enter, leave, cookie. Never stalls.
module listen_table #(
  parameter int LISTENERS = 16,
  parameter int MATCH_CYCLES = 1,        // 2 or more: cut behind the comparisons
  parameter int IP6 = 1                  // 0: no lookup is for IPv6, an IPv6 listener's address is not kept
) (
  input  logic         clk,
  input  logic         rst,

  // from the registers
  input  logic         commit,
  input  logic [3:0]   commit_index,
  input  logic [1:0]   commit_mode,      // 0 off, 1 offload, 2 bypass
  input  logic [127:0] commit_addr,      // IPv4: only the low 32 bits count
  input  logic [15:0]  commit_port,
  input  logic [15:0]  commit_backlog,
  input  logic [3:0]   commit_opts,      // {IP6, TS, SACK, WS}
  input  logic [127:0] local_addrs,      // LOCAL_ADDR3 .. LOCAL_ADDR0, 0 = unused
  input  logic [255:0] local6_addrs,     // LOCAL6_B, LOCAL6_A
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic [3:0]   read_index,       // below LISTENERS
  /* verilator lint_on UNUSEDSIGNAL */
  output logic [15:0]  read_half_open,

  // lookup
  input  logic         lookup_first,
  input  logic         lookup,
  input  logic         lookup_ip6,
  input  logic [127:0] lookup_addr,
  input  logic [15:0]  lookup_port,
  input  logic         ask,
  output logic         found,
  output logic         found_bypass,
  output logic [3:0]   found_index,
  output logic [15:0]  found_backlog,
  output logic [2:0]   found_opts,
  output logic [15:0]  found_half_open,
  output logic         found_sent,
  output logic [23:0]  found_epoch,

  // half-open connections, cookies
  input  logic         enter,
  input  logic         leave,
  input  logic         cookie,
  input  logic [23:0]  cookie_epoch,
  input  logic [3:0]   count_index
);
  generate
    if (LISTENERS < 1 || LISTENERS > 16) begin : g_listeners
      listen_table_LISTENERS_must_be_1_to_16 illegal_parameter ();
    end
  endgenerate

  localparam logic [1:0] MODE_OFF = 2'd0;
  localparam logic [1:0] MODE_BYPASS = 2'd2;

  logic [2*LISTENERS-1:0]  mode_q;
  logic [LISTENERS-1:0]    ip6_q;
  logic [LISTENERS-1:0]    any_q;        // its address is 0: any of the board's own
  logic [128*LISTENERS-1:0] addr_q;
  logic [16*LISTENERS-1:0] port_q;
  logic [16*LISTENERS-1:0] backlog_q;
  logic [3*LISTENERS-1:0]  opts_q;
  logic [16*LISTENERS-1:0] half_open_q;
  logic [LISTENERS-1:0]    sent_q;
  logic [24*LISTENERS-1:0] epoch_q;

  logic [127:0] commit_stored;
  assign commit_stored = IP6 != 0 && commit_opts[3] ? commit_addr : {96'd0, commit_addr[31:0]};

  logic is_local;               // one of the board's own addresses, for the any-address; one that is 0 is none
  logic exact, any;
  logic [3:0] exact_index, any_index, hit_index;
  logic [1:0] hit_mode;
  logic [15:0] hit_backlog;
  logic [2:0] hit_opts;
  logic [15:0] count, count_after;  // of listener count_index

  // What is compared, and what a listener that is changed meanwhile would lose.
  logic [LISTENERS-1:0]    is_there, is_exact_d, is_any_d, is_exact, is_any;
  logic [2*LISTENERS-1:0]  mode;
  logic [16*LISTENERS-1:0] backlog;
  logic [3*LISTENERS-1:0]  opts;

  // Only what somebody asks in this cycle is worked out; the rest does not matter ('x), which costs no gate.
  always_comb begin
    if (lookup_first) begin
      is_local = 1'b0;
      for (int i = 0; i < 4; i++) begin
        if (!lookup_ip6 && local_addrs[32*i +: 32] == lookup_addr[31:0]) is_local = 1'b1;
      end
      for (int i = 0; i < 2; i++) begin
        if (lookup_ip6 && local6_addrs[128*i +: 128] == lookup_addr) is_local = 1'b1;
      end
      if (lookup_addr == 128'd0) is_local = 1'b0;

      for (int i = 0; i < LISTENERS; i++) begin
        is_there[i] = mode_q[2*i +: 2] != MODE_OFF && ip6_q[i] == lookup_ip6 && port_q[16*i +: 16] == lookup_port;
        is_exact_d[i] = is_there[i] && !any_q[i] && addr_q[128*i +: 128] == lookup_addr;
        is_any_d[i] = is_there[i] && any_q[i] && is_local;
      end
    end else begin
      is_local = 'x;
      is_there = 'x;
      is_exact_d = 'x;
      is_any_d = 'x;
    end
  end

  cut #(.WIDTH(23 * LISTENERS), .ON(MATCH_CYCLES - 1)) u_match (
    .clk(clk), .take(lookup_first), .d({is_exact_d, is_any_d, mode_q, backlog_q, opts_q}),
    .q({is_exact, is_any, mode, backlog, opts}));

  always_comb begin
    if (lookup) begin
      // From the highest index down, so that the lowest one stands; the exact address over any.
      exact = 1'b0;
      any = 1'b0;
      exact_index = 4'd0;
      any_index = 4'd0;
      for (int i = LISTENERS - 1; i >= 0; i--) begin
        if (is_any[i]) begin
          any = 1'b1;
          any_index = i[3:0];
        end
        if (is_exact[i]) begin
          exact = 1'b1;
          exact_index = i[3:0];
        end
      end
      hit_index = exact ? exact_index : any_index;

      // Selections by AND and OR.
      hit_mode = '0;
      hit_backlog = '0;
      hit_opts = '0;
      for (int i = 0; i < LISTENERS; i++) begin
        hit_mode = hit_mode | (mode[2*i +: 2] & {2{hit_index == i[3:0]}});
        hit_backlog = hit_backlog | (backlog[16*i +: 16] & {16{hit_index == i[3:0]}});
        hit_opts = hit_opts | (opts[3*i +: 3] & {3{hit_index == i[3:0]}});
      end
    end else begin
      exact = 'x;
      any = 'x;
      exact_index = 'x;
      any_index = 'x;
      hit_index = 'x;
      hit_mode = 'x;
      hit_backlog = 'x;
      hit_opts = 'x;
    end
  end

  always_comb begin
    if (ask) begin
      found_half_open = '0;
      found_sent = 1'b0;
      found_epoch = '0;
      for (int i = 0; i < LISTENERS; i++) begin
        found_half_open = found_half_open | (half_open_q[16*i +: 16] & {16{found_index == i[3:0]}});
        found_sent = found_sent | (sent_q[i] & (found_index == i[3:0]));
        found_epoch = found_epoch | (epoch_q[24*i +: 24] & {24{found_index == i[3:0]}});
      end
    end else begin
      found_half_open = 'x;
      found_sent = 'x;
      found_epoch = 'x;
    end
  end

  localparam int COUNT_AT_W = $clog2(16 * LISTENERS);
  assign read_half_open = half_open_q[COUNT_AT_W'({read_index, 4'd0}) +: 16];

  // One adder for all counts.
  always_comb begin
    if (enter || leave) begin
      count = '0;
      for (int i = 0; i < LISTENERS; i++)
        count = count | (half_open_q[16*i +: 16] & {16{count_index == i[3:0]}});
      count_after = enter ? count + 16'd1 : count - 16'd1;
    end else begin
      count = 'x;
      count_after = 'x;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      found <= 1'b0;
      found_bypass <= 1'b0;
      found_index <= 4'd0;
      found_backlog <= 16'd0;
      found_opts <= 3'd0;
    end else if (lookup) begin
      found <= exact || any;
      found_bypass <= hit_mode == MODE_BYPASS;
      found_index <= hit_index;
      found_backlog <= hit_backlog;
      found_opts <= hit_opts;
    end

    // Nothing but what this cycle changes is looked at.
    if (rst) begin
      mode_q <= {LISTENERS{MODE_OFF}};
      ip6_q <= '0;
      any_q <= '1;
      addr_q <= '0;
      port_q <= '0;
      backlog_q <= '0;
      opts_q <= '0;
      half_open_q <= '0;
      sent_q <= '0;
      epoch_q <= '0;
    end else begin
      if (commit) begin
        for (int i = 0; i < LISTENERS; i++) begin
          if (commit_index == i[3:0]) begin
            mode_q[2*i +: 2] <= commit_mode;
            ip6_q[i] <= commit_opts[3];
            any_q[i] <= commit_stored == 128'd0;
            addr_q[128*i +: 128] <= commit_stored;
            port_q[16*i +: 16] <= commit_port;
            backlog_q[16*i +: 16] <= commit_backlog;
            opts_q[3*i +: 3] <= commit_opts[2:0];
          end
        end
      end
      if (enter || leave) begin
        for (int i = 0; i < LISTENERS; i++)
          if (count_index == i[3:0]) half_open_q[16*i +: 16] <= count_after;
      end
      if (cookie) begin
        for (int i = 0; i < LISTENERS; i++) begin
          if (count_index == i[3:0]) begin
            sent_q[i] <= 1'b1;
            epoch_q[24*i +: 24] <= cookie_epoch;
          end
        end
      end
    end
  end
endmodule
