// SPDX-License-Identifier: Apache-2.0
// conn_table - the connection table in block RAM, its sweep after reset, and its timers.
//
// What    2^SETS_LOG2 sets of WAYS slots, slot = set * WAYS + way. Three memories: tags of 19 bits
//         per way (TIME-WAIT, host-owned, valid, then index[31:16]), whole entries (regs/tcb.def), and per way
//         a copy of the entries' timer fields, which the scanner walks once per millisecond.
// Input   t0, t1, t2, t4: this cycle is that step of an op, its last cycle if the step has several; t1_first is T1's first
//         one. More than one of them if there are several ops. No step holds two ops: what the op of one step left is
//         overwritten by that of the next op when that is at the end of the step. t0_may: t0 may be in this cycle, which is
//         known before it is; not in T1's first cycle. With t0: by_tag_t0, the op has a tuple, whose set and tag stand beside it; chain, it follows
//         the op before it (which is in T2 or T3) in the same set with the same tag. may_evict (a full
//         set gives up its victim) and slot_given stand in T1, key in T2, generation in both.
//         With t4: write stores entry_after in the slot of the op; an op with a tuple makes its tag valid there, an
//         `free` makes the slot's tag invalid and its entry CLOSED, with the generation it had. These hold until the next op's T3 ends.
// Output  slot, entry, key_match, id_match, insertable .. in T3 and T4.
//         expired_valid with expired_slot: the scanner's offer, until expired_taken.
// Timing  After reset the sweep clears slot k in cycle k; sweep_last in the last one, then ready.
//         Scanner: READ and CHECK take two cycles per set; READ waits in a T0, which reads the timers of its
//         set, and in a T4, so that it reads no timer while it is written. HOLD lasts until the op that takes the
//         offer, TAKEN to its T4.
//         An op whose T0 is another's T4 gets from beside the memories what is written there in that cycle.
//         A chained op reads neither tags nor entry: it has what its leader left, from the registers.
`include "handfast_defs.svh"
`include "engine_defs.svh"
module conn_table #(
  parameter int SETS_LOG2 = 8,
  parameter int WAYS = 4,
  parameter int IP6 = 1,
  parameter int MATCH_CYCLES = 1,          // of T1: 2 to cut behind the tags' comparison, 3 before it too, 4 behind the victim
  parameter int READ_CYCLES = 1            // of T2: 2 to cut behind the memory, 3 within the comparison of keys
) (
  input  logic                    clk,
  input  logic                    rst,

  output logic                    ready,
  output logic                    sweep_last,

  // T0: set and tag of an op with a tuple
  input  logic                    t0_may,
  input  logic                    t0,
  input  logic                    by_tag_t0,
  input  logic                    segment_t0,    // it is a segment: the set is segment_set, else command_set
  input  logic [SETS_LOG2-1:0]    segment_set,
  input  logic [SETS_LOG2-1:0]    command_set,
  input  logic [15:0]             t0_tag,
  input  logic                    chain,

  // T1: the slot; T2: what is there
  input  logic                    t1_first,
  input  logic                    t1,
  input  logic                    t2,
  input  logic                    may_evict,     // CONNECT, CLOSE, ADOPT
  input  logic [15:0]             slot_given,
  input  logic [`HF_TUPLE_BITS-1:0] key,
  input  logic [15:0]             generation,
  output logic [15:0]             slot,
  output logic [`HF_TCB_BITS-1:0] entry,
  output logic                    key_match,     // tag, family, addresses and ports agree
  output logic                    slot_exists,
  output logic                    id_match,      // the slot exists and its generation agrees
  output logic                    insertable,    // no tag of the set agrees and the slot is free or a victim's
  output logic                    victim,        // insertable, but the slot's entry lives

  // T4: write-back
  input  logic                    t4,
  input  logic                    write,
  input  logic                    free,
  input  logic [`HF_TCB_BITS-1:0] entry_after,

  // timers
  input  logic                    tick_1ms,
  input  logic [23:0]             ms,
  output logic                    expired_valid,
  output logic [15:0]             expired_slot,
  input  logic                    expired_taken, // T0 of its op
  input  logic                    expired_done   // T4 of its op
);

  localparam int WAYS_LOG2 = $clog2(WAYS);
  localparam int SLOT_W = SETS_LOG2 + WAYS_LOG2;
  localparam int SETS = 1 << SETS_LOG2;
  localparam int SLOTS = SETS * WAYS;

  generate
    if (WAYS < 1 || WAYS > 8 || (1 << WAYS_LOG2) != WAYS) begin : g_illegal_ways
      conn_table_WAYS_must_be_1_2_4_or_8 illegal ();
    end
    if (SETS_LOG2 < 1 || SLOT_W > 16) begin : g_illegal_sets
      conn_table_SETS_LOG2_must_be_1_to_16_less_log2_of_WAYS illegal ();
    end
  endgenerate

  typedef struct packed { `HF_TCB_FIELDS } tcb_t;

  // ---- sweep ----

  logic              ready_q;
  logic [SLOT_W-1:0] sweep_q;

  assign ready = ready_q;
  assign sweep_last = !ready_q && sweep_q == SLOT_W'(SLOTS - 1);

  always_ff @(posedge clk) begin
    if (rst) begin
      ready_q <= 1'b0;
      sweep_q <= '0;
    end else if (!ready_q) begin
      ready_q <= sweep_last;
      sweep_q <= sweep_q + 1'b1;
    end
  end

  // ---- the one write port of all memories: sweep, or T4 ----

  /* verilator lint_off UNUSEDSIGNAL */
  tcb_t                   after;       // its state and timer fields
  tcb_t                   stored;
  /* verilator lint_on UNUSEDSIGNAL */
  logic                   wr_entry, wr_tag;
  logic [SLOT_W-1:0]      wr_slot;
  logic [SETS_LOG2-1:0]   wr_set;
  logic [WAYS-1:0]        wr_way;      // one-hot
  logic [18:0]            wr_tag_data;
  logic                   after_host, after_time_wait;
  logic [24:0]            wr_timer_data;

  logic                   by_tag_q, by_tag_late_q;     // the op has a tuple: in T1 and T2; in T3 and T4
  logic [15:0]            tag_q, tag_late_q;
  logic [15:0]            slot_q;                      // in T2 and T3

  assign after = entry_after;
  assign wr_entry = !ready_q || (t4 && write);
  // An op without a tuple does not know its slot's tag; it frees the slot or leaves the tag as it is.
  assign wr_tag = !ready_q || (t4 && write && (by_tag_late_q || free));
  assign wr_slot = ready_q ? slot[SLOT_W-1:0] : sweep_q;
  assign wr_set = wr_slot[SLOT_W-1:WAYS_LOG2];
  // Of an entry that is free nothing is ever looked at but these three.
  always_comb begin
    stored = after;
    if (free || !ready_q) begin
      stored.state = `HF_STATE_CLOSED;
      stored.timer_armed = 1'b0;
    end
    if (!ready_q) stored.generation = '0;
  end
  assign after_host = after.state == `HF_STATE_ESTABLISHED || after.state == `HF_STATE_CLOSE_WAIT;
  assign after_time_wait = after.state == `HF_STATE_TIME_WAIT;
  assign wr_tag_data = {after_time_wait, after_host, ready_q && !free, tag_late_q};
  assign wr_timer_data = {stored.timer_armed, stored.deadline_ms};

  always_comb begin
    for (int w = 0; w < WAYS; w++)
      wr_way[w] = (32'(wr_slot) & (WAYS - 1)) == w;
  end

  // ---- tags and timers, one memory of each per way ----

  // What is read while it is written is not used (a T0 that is a T4 takes it from the registers below, READ is
  // never in a T4), so no_rw_check: synthesis need not build a bypass around the block RAM.
  logic                 scan_read;
  logic [SETS_LOG2-1:0] scan_set_q, timer_set;
  logic [WAYS-1:0]      way_match, way_valid, way_host, way_time_wait, way_expired;
  logic [24*WAYS-1:0]   way_left;       // deadline - ms with its sign turned round: the order of unsigned numbers
  logic [23:0]          ms_t1;
  logic [WAYS-1:0]      new_tag_q, new_timer_q;        // written in the T0 of the op in T1
  logic [18:0]          new_tag_data_q;
  logic [23:0]          new_deadline_q;

  // Which op begins is known last.
  logic [SETS_LOG2-1:0] t0_set;
  logic                 t0_is_written;
  assign t0_set = segment_t0 ? segment_set : command_set;
  assign t0_is_written = segment_t0 ? wr_set == segment_set : wr_set == command_set;

  always_ff @(posedge clk) begin
    if (t0_may) begin
      new_tag_q <= wr_tag && t0_is_written ? wr_way : '0;
      new_timer_q <= wr_entry && t0_is_written ? wr_way : '0;
      new_tag_data_q <= wr_tag_data;
      new_deadline_q <= wr_timer_data[23:0];
    end
  end

  localparam int AFTER_MATCH = MATCH_CYCLES >= 2 ? 1 : 0;
  localparam int AFTER_READ = MATCH_CYCLES >= 3 ? 1 : 0;
  localparam int AFTER_VICTIM = MATCH_CYCLES >= 4 ? 1 : 0;
  cut #(.WIDTH(24), .ON(AFTER_READ)) u_ms (.clk(clk), .take(t1_first), .d(ms), .q(ms_t1));

  assign timer_set = t0 ? t0_set : scan_set_q;

  generate
    for (genvar w = 0; w < WAYS; w++) begin : g_way
      (* no_rw_check *)
      logic [18:0] tag_mem [0:SETS-1];
      (* no_rw_check *)
      logic [24:0] timer_mem [0:SETS-1];
      logic [18:0] tag_out_q, tag_now;
      logic [24:0] timer_out_q;
      logic [23:0] overdue_ms, deadline_now, left_ms;

      always_ff @(posedge clk) begin
        if (wr_tag && wr_way[w])
          tag_mem[wr_set] <= wr_tag_data;
        if (t0_may)
          tag_out_q <= tag_mem[t0_set];
      end

      always_ff @(posedge clk) begin
        if (wr_entry && wr_way[w])
          timer_mem[wr_set] <= wr_timer_data;
        timer_out_q <= timer_mem[timer_set];
      end

      // The scanner reads timers in T1, too: what the op reads stands in T1's first cycle only.
      cut #(.WIDTH(19 + 24), .ON(AFTER_READ)) u_read (
        .clk(clk), .take(t1_first),
        .d({new_tag_q[w] ? new_tag_data_q : tag_out_q, new_timer_q[w] ? new_deadline_q : timer_out_q[23:0]}),
        .q({tag_now, deadline_now}));
      assign left_ms = deadline_now - ms_t1;
      cut #(.WIDTH(4 + 24), .ON(AFTER_MATCH)) u_match (
        .clk(clk), .take(1'b1),
        .d({tag_now[18:16], tag_now[16:0] == {1'b1, tag_q}, !left_ms[23], left_ms[22:0]}),
        .q({way_time_wait[w], way_host[w], way_valid[w], way_match[w], way_left[24*w +: 24]}));
      assign overdue_ms = ms - timer_out_q[23:0];
      assign way_expired[w] = timer_out_q[24] && overdue_ms < 24'h800000;
    end
  endgenerate

  // ---- T1: the slot ----

  logic [SETS_LOG2-1:0] set_q;
  logic [15:0]          match_way, free_way, host_way, wait_way, victim_way, new_way, expired_way, slot_d;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [41*WAYS-1:0]   least;          // of each way: itself, not in TIME-WAIT, what is left to its deadline
  /* verilator lint_on UNUSEDSIGNAL */
  logic                 exists_d, full, has_victim;

  // From the highest way down, so that the lowest one stands.
  always_comb begin
    match_way = '0;
    free_way = '0;
    host_way = '0;
    for (int w = WAYS - 1; w >= 0; w--) begin
      if (way_match[w])
        match_way = 16'(w);
      if (!way_valid[w])
        free_way = 16'(w);
      if (way_host[w])
        host_way = 16'(w);
    end
  end

  // In pairs, then pairs of pairs; of equals the lower one. A way that is not in TIME-WAIT comes last.
  always_comb begin
    for (int w = 0; w < WAYS; w++)
      least[41*w +: 41] = {16'(w), !way_time_wait[w], way_left[24*w +: 24]};
    for (int apart = 1; apart < WAYS; apart = 2 * apart) begin
      for (int w = 0; w + apart < WAYS; w = w + 2 * apart)
        if (least[41*(w+apart) +: 25] < least[41*w +: 25]) least[41*w +: 41] = least[41*(w+apart) +: 41];
    end
  end
  assign wait_way = least[40:25];

  always_comb begin
    expired_way = '0;
    for (int w = WAYS - 1; w >= 0; w--)
      if (way_expired[w]) expired_way = 16'(w);
  end

  // A victim is an entry the host can serve without us, else the TIME-WAIT that would end first.
  logic                 full_d, has_victim_d, any_match_d, any_match;
  logic [15:0]          way_d, way;
  assign full_d = &way_valid;
  assign has_victim_d = may_evict && full_d && (|way_host || |way_time_wait);
  assign victim_way = |way_host ? host_way : wait_way;
  assign new_way = has_victim_d ? victim_way : free_way;
  assign any_match_d = |way_match;
  assign way_d = any_match_d ? match_way : new_way;
  cut #(.WIDTH(3 + 16), .ON(AFTER_VICTIM)) u_victim (
    .clk(clk), .take(1'b1), .d({full_d, has_victim_d, any_match_d, way_d}), .q({full, has_victim, any_match, way}));

  always_comb begin
    slot_d = slot_given;
    if (by_tag_q)
      slot_d = (16'(set_q) << WAYS_LOG2) | way;
    exists_d = by_tag_q || 32'(slot_given) < SLOTS;
  end

  // ---- T1, T2: the entry ----

  (* no_rw_check *)
  logic [`HF_TCB_BITS-1:0] entry_mem [0:SLOTS-1];
  logic [`HF_TCB_BITS-1:0] entry_out_q, found_d;
  logic                    chain_q;                      // in T1 and T2
  logic                    exists_q, match_q, vacant_q, victim_q;     // of slot_q
  logic                    match_late_q, vacant_late_q;               // in T3 and T4
  logic                    match_d, vacant_d;

  always_ff @(posedge clk) begin
    if (wr_entry)
      entry_mem[wr_slot] <= stored;
    if (t1)
      entry_out_q <= entry_mem[slot_d[SLOT_W-1:0]];
  end

  // What is 0 without IPv6 is not read: the memory that would hold it falls away.
  tcb_t entry_read;
  always_comb begin
    entry_read = entry_out_q;
    if (IP6 == 0) begin
      entry_read.ip6 = 1'b0;
      entry_read.remote_addr[127:32] = '0;
      entry_read.local_addr[127:32] = '0;
    end
  end

  // The leader of a chained op is in its T4, or was in the cycle before: what it did still stands in its registers.
  // Freed, its way is vacant; written otherwise, its tag is there; else all is as the leader found it.
  always_comb begin
    if (t2) begin
      found_d = entry_read;
      match_d = match_q;
      vacant_d = vacant_q;
      if (chain_q) begin
        found_d = write ? entry_after : entry;   // of a freed entry, which nobody finds, the generation counts
        match_d = write ? !free : match_late_q;
        vacant_d = write ? free : vacant_late_q;
      end
    end else begin
      found_d = 'x;
      match_d = 'x;
      vacant_d = 'x;
    end
  end

  // Several cycles: the memory's output goes straight into registers. (Nothing is chained then.)
  /* verilator lint_off UNUSEDSIGNAL */
  tcb_t        key_there;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [`HF_TUPLE_BITS-1:0] key_found;
  logic [15:0] generation_found;
  localparam int PARTS = (`HF_TUPLE_BITS + 31) / 32;
  logic [32*PARTS-1:0] differ;
  logic [PARTS-1:0] agree_d, agree;
  logic        same_generation;
  assign key_there = READ_CYCLES > 1 ? entry_read : found_d;
  cut #(.WIDTH(`HF_TUPLE_BITS + 16), .ON(READ_CYCLES - 1)) u_found (
    .clk(clk), .take(1'b1),
    .d({key_there.ip6, key_there.remote_addr, key_there.local_addr, key_there.remote_port, key_there.local_port,
        key_there.generation}),
    .q({key_found, generation_found}));
  assign differ = {{(32 * PARTS - `HF_TUPLE_BITS){1'b0}}, key_found ^ key};
  always_comb begin
    for (int i = 0; i < PARTS; i++) agree_d[i] = differ[32*i +: 32] == 32'd0;
  end
  cut #(.WIDTH(PARTS + 1), .ON(READ_CYCLES > 2 ? 1 : 0)) u_agree (
    .clk(clk), .take(1'b1), .d({agree_d, generation_found == generation}), .q({agree, same_generation}));

  always_ff @(posedge clk) begin
    if (t0_may) begin
      by_tag_q <= by_tag_t0;
      set_q <= t0_set;
      tag_q <= t0_tag;
      chain_q <= chain;
    end
    if (t1 && !chain_q) begin
      slot_q <= slot_d;
      exists_q <= exists_d;
      match_q <= by_tag_q && any_match;
      vacant_q <= by_tag_q && !full;
      victim_q <= by_tag_q && has_victim;
    end
    if (t2) begin
      slot <= slot_q;
      by_tag_late_q <= by_tag_q;
      tag_late_q <= tag_q;
      if (!chain_q || write) entry <= chain_q ? entry_after : entry_read;
      match_late_q <= match_d;
      vacant_late_q <= vacant_d;
      key_match <= match_d && &agree;
      slot_exists <= exists_q;
      id_match <= exists_q && same_generation;
      insertable <= !match_d && (vacant_d || victim_q);
      victim <= !match_d && victim_q;
    end
  end

  // ---- scanner ----

  typedef enum logic [2:0] {SCAN_IDLE, SCAN_READ, SCAN_CHECK, SCAN_HOLD, SCAN_TAKEN} scan_t;
  scan_t                scan_q, scan_d;
  logic                 scan_req_q, scan_req_d;
  logic [SETS_LOG2-1:0] scan_set_d;
  logic [15:0]          expired_slot_q, expired_slot_d;

  assign scan_read = scan_q == SCAN_READ && !t0 && !t4;
  assign expired_valid = scan_q == SCAN_HOLD;
  assign expired_slot = expired_slot_q;

  always_comb begin
    scan_d = scan_q;
    scan_set_d = scan_set_q;
    scan_req_d = scan_req_q || tick_1ms;
    expired_slot_d = expired_slot_q;
    case (scan_q)
      SCAN_IDLE:
        if (ready_q && scan_req_q) begin
          scan_d = SCAN_READ;
          scan_set_d = '0;
          scan_req_d = tick_1ms;
        end
      SCAN_READ:
        if (scan_read)
          scan_d = SCAN_CHECK;
      SCAN_CHECK: begin
        expired_slot_d = (16'(scan_set_q) << WAYS_LOG2) | expired_way;
        if (|way_expired) begin
          scan_d = SCAN_HOLD;
        end else begin
          scan_d = SCAN_READ;
          if (32'(scan_set_q) == SETS - 1)
            scan_d = SCAN_IDLE;
          scan_set_d = scan_set_q + 1'b1;
        end
      end
      SCAN_HOLD:
        if (expired_taken)
          scan_d = SCAN_TAKEN;
      SCAN_TAKEN:
        if (expired_done)
          scan_d = SCAN_READ;
      default: ;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      scan_q <= SCAN_IDLE;
      scan_req_q <= 1'b0;
      scan_set_q <= '0;
      expired_slot_q <= '0;
    end else begin
      scan_q <= scan_d;
      scan_req_q <= scan_req_d;
      scan_set_q <= scan_set_d;
      expired_slot_q <= expired_slot_d;
    end
  end

endmodule
