// SPDX-License-Identifier: Apache-2.0
// rule_table - what source prefixes may send to listeners: nothing, or so many SYNs each second.
//
// What    a table of prefixes, each with a token bucket. A lookup finds the first entry that holds the source address;
//         an IPv4 address stands in the prefixes' 128 bits as ::ffff:a.b.c.d. A bucket is kept as what is missing
//         from it, in thousandths of a token, so that a rate per second is what comes back in a millisecond.
// Input   commit copies commit_rule into entry commit_index (caller: below RULES) and fills its bucket. The
//         source is looked up in the cycles from lookup_first to lookup, MATCH_CYCLES in all, with the entries of the first
//         one. ask: the bucket of what was found is asked. syn: the op that asked last is a SYN of no
//         connection, it takes the token that was there. drop: that op was dropped by what it found.
// Output  denies, empty: in a cycle with ask: what was found denies all, or has no token. read_drops: what entry
//         read_index dropped since reset, modulo 2^32.
// Timing  what a lookup found stands until the end of the next one's cycle; the ask comes before. Registers change at the end
//         of the cycle of commit, lookup, ask, syn, drop and tick_1ms; in a bucket first less one token, then plus the
//         rate; a commit wins over both. Never stalls.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module rule_table #(
  parameter int RULES = 8,               // 1 to 16
  parameter int MATCH_CYCLES = 1,        // 2 or more: cut behind the comparisons
  parameter int IP6 = 1                  // 0: no lookup is for IPv6
) (
  input  logic                     clk,
  input  logic                     rst,
  input  logic                     tick_1ms,

  // from the registers
  input  logic                     commit,
  input  logic [3:0]               commit_index,
  input  logic [`HF_RULE_BITS-1:0] commit_rule,
  input  logic [3:0]               read_index,       // below RULES
  output logic [31:0]              read_drops,

  // T1
  input  logic                     lookup_first,
  input  logic                     lookup,
  input  logic                     lookup_ip6,
  input  logic [127:0]             lookup_addr,      // IPv4 in the low 32 bits

  // T3
  input  logic                     ask,
  output logic                     denies,
  output logic                     empty,

  // T4
  input  logic                     syn,
  input  logic                     drop
);
  generate
    if (RULES < 1 || RULES > 16) begin : g_rules_illegal
      rule_table_RULES_must_be_1_to_16 illegal_parameter ();
    end
  endgenerate

  localparam logic [19:0] TOKEN = 20'd1000;
  localparam int AT_W = RULES > 1 ? $clog2(RULES) : 1;

  typedef struct packed { `HF_RULE_FIELDS } rule_t;

  // ---- what a commit writes ----

  rule_t        rule;
  logic [127:0] mask, prefix;
  logic [15:0]  whole;
  logic [7:0]   last_bits;
  logic [9:0]   beyond_first;            // SYNs at once, less one
  logic [19:0]  commit_limit;            // so much may be missing from a bucket that has a token

  assign rule = commit_rule;
  // Octets that the prefix has whole, the one it ends in, and its bits there: no comparator for each bit.
  assign whole = rule.mask_len[7] ? '1 : ~(16'hffff << rule.mask_len[6:3]);
  assign last_bits = ~(8'hff << rule.mask_len[2:0]);
  always_comb begin
    if (commit) begin
      for (int g = 0; g < 16; g++) begin
        for (int b = 0; b < 8; b++)
          mask[127 - 8*g - b] = whole[g] || (rule.mask_len[7:3] == 5'(g) && last_bits[b]);
      end
    end else begin
      mask = 'x;
    end
  end
  assign prefix = rule.prefix & mask;
  assign beyond_first = rule.burst == 10'd0 ? 10'd0 : rule.burst - 10'd1;
  assign commit_limit = {beyond_first, 10'd0} - {6'd0, beyond_first, 4'd0} - {7'd0, beyond_first, 3'd0};

  // ---- entries ----

  logic [127:0]         source;
  logic [RULES-1:0]     match, match_denies;
  logic [20*RULES-1:0]  missing;
  logic [RULES-1:0]     take;
  logic [19:0]          limit_mem [0:RULES-1];

  assign source = IP6 != 0 && lookup_ip6 ? lookup_addr : {80'd0, 16'hffff, lookup_addr[31:0]};

  generate
    for (genvar r = 0; r < RULES; r++) begin : g_rule
      logic        here, valid_q, denies_q, upper;
      logic [31:0] prefix_q, mask_q;     // the last 32 bits
      logic [23:0] rate_q;
      logic [19:0] missing_q, taken;
      /* verilator lint_off UNUSEDSIGNAL */
      logic [24:0] filled;               // its top bit says that nothing is missing
      /* verilator lint_on UNUSEDSIGNAL */

      assign here = commit && 32'(commit_index) == r;

      if (IP6 != 0) begin : g_whole
        logic [95:0] upper_prefix_q, upper_mask_q;
        always_ff @(posedge clk) begin
          if (here) begin
            upper_prefix_q <= prefix[127:32];
            upper_mask_q <= mask[127:32];
          end
        end
        assign upper = ((source[127:32] ^ upper_prefix_q) & upper_mask_q) == '0;
      end else begin : g_ip4
        // All sources begin alike, so whether a prefix does is known when it comes.
        logic upper_q;
        always_ff @(posedge clk) begin
          if (here) upper_q <= ((source[127:32] ^ prefix[127:32]) & mask[127:32]) == '0;
        end
        assign upper = upper_q;
      end

      always_ff @(posedge clk) begin
        if (rst) valid_q <= 1'b0;
        else if (here) valid_q <= rule.valid;
        if (here) begin
          prefix_q <= prefix[31:0];
          mask_q <= mask[31:0];
          rate_q <= rule.rate;
          denies_q <= rule.rate == 24'd0;
        end
      end
      assign match[r] = valid_q && upper && ((source[31:0] ^ prefix_q) & mask_q) == '0;
      assign match_denies[r] = denies_q;

      assign taken = missing_q + (take[r] ? TOKEN : 20'd0);
      assign filled = {5'd0, taken} - {1'b0, rate_q};
      always_ff @(posedge clk) begin
        if (here) missing_q <= '0;
        else if (tick_1ms) missing_q <= filled[24] ? '0 : filled[19:0];
        else missing_q <= taken;
      end
      assign missing[20*r +: 20] = missing_q;
    end
  endgenerate

  always_ff @(posedge clk) begin
    if (commit) limit_mem[AT_W'(commit_index)] <= commit_limit;
  end

  // ---- T1: which one ----

  logic [RULES-1:0] matched, matched_denies;
  logic       hit, hit_denies;
  logic [3:0] hit_index;
  logic       found_q, found_denies_q;                       // in T2 and T3
  logic [3:0] index_q;

  cut #(.WIDTH(2 * RULES), .ON(MATCH_CYCLES - 1)) u_match (
    .clk(clk), .take(lookup_first), .d({match, match_denies}), .q({matched, matched_denies}));

  always_comb begin
    if (lookup) begin
      // From the highest index down, so that the lowest one stands.
      hit = 1'b0;
      hit_index = 4'd0;
      hit_denies = 1'b0;
      for (int i = RULES - 1; i >= 0; i--) begin
        if (matched[i]) begin
          hit = 1'b1;
          hit_index = i[3:0];
          hit_denies = matched_denies[i];
        end
      end
    end else begin
      hit = 'x;
      hit_index = 'x;
      hit_denies = 'x;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      found_q <= 1'b0;
      found_denies_q <= 1'b0;
      index_q <= '0;
    end else if (lookup) begin
      found_q <= hit;
      found_denies_q <= hit_denies;
      index_q <= hit_index;
    end
  end

  // ---- T3: is there a token ----

  logic        some_late_q;                                  // in T4: there was one
  logic [3:0]  index_late_q;
  logic [19:0] missing_found;

  always_comb begin
    missing_found = '0;
    for (int i = 0; i < RULES; i++)
      missing_found = missing_found | (missing[20*i +: 20] & {20{index_q == i[3:0]}});
    if (ask) begin
      denies = found_q && found_denies_q;
      empty = found_q && !found_denies_q && missing_found > limit_mem[AT_W'(index_q)];
    end else begin
      denies = 'x;
      empty = 'x;
    end
  end

  always_ff @(posedge clk) begin
    if (ask) begin
      some_late_q <= found_q && !found_denies_q && !empty;
      index_late_q <= index_q;
    end
  end

  // ---- T4: a token less, a drop more ----

  always_comb begin
    for (int i = 0; i < RULES; i++)
      take[i] = syn && some_late_q && index_late_q == i[3:0];
  end

  count_array #(.COUNT(RULES)) u_drops (
    .clk(clk), .rst(rst), .add(drop), .add_index(index_late_q), .read_index(read_index), .count(read_drops));
endmodule
