// SPDX-License-Identifier: Apache-2.0
// formal/listen_table - a lookup of several cycles has the result of one of a single cycle at its first, whatever is committed
// to the table meanwhile.
//
// Two listeners. For Yosys only; tools/formal.sh proves each label by itself.
module formal_listen_table #(
  parameter int MATCH_CYCLES = 4
) (
  input logic         clk,
  input logic         again,                     // reset once more
  input logic         commit,
  input logic         commit_second,
  input logic [1:0]   commit_mode,
  input logic [127:0] commit_addr,
  input logic [15:0]  commit_port,
  input logic [15:0]  commit_backlog,
  input logic [3:0]   commit_opts,
  input logic [127:0] local_addrs,
  input logic [255:0] local6_addrs,
  input logic         begin_lookup,
  input logic         lookup_ip6,
  input logic [127:0] lookup_addr,
  input logic [15:0]  lookup_port
);
  logic [MATCH_CYCLES-1:0] at_q;                 // the cycles of a lookup, the first in bit 0
  logic                    done_q, started_q, rst;

  initial started_q = 1'b0;
  assign rst = !started_q || again;

  logic        found, found_bypass, found_once, found_bypass_once;
  logic [3:0]  found_index, found_index_once;
  logic [15:0] found_backlog, found_backlog_once;
  logic [2:0]  found_opts, found_opts_once;

  // Pins of both, by their names.
  logic        lookup_first, ask, enter, leave, cookie;
  logic [3:0]  commit_index, count_index, read_index;
  logic [23:0] cookie_epoch;

  assign lookup_first = begin_lookup && at_q[MATCH_CYCLES-2:0] == '0;
  assign commit_index = {3'd0, commit_second};
  assign {ask, enter, leave, cookie, count_index, read_index, cookie_epoch} = '0;

  listen_table #(.LISTENERS(2), .MATCH_CYCLES(MATCH_CYCLES)) dut (
    .*, .lookup(at_q[MATCH_CYCLES-2]), .read_half_open(), .found_half_open(), .found_sent(), .found_epoch()
  );
  listen_table #(.LISTENERS(2), .MATCH_CYCLES(1)) once (
    .*, .lookup(lookup_first), .read_half_open(), .found_half_open(), .found_sent(), .found_epoch(), .found(found_once),
    .found_bypass(found_bypass_once), .found_index(found_index_once), .found_backlog(found_backlog_once),
    .found_opts(found_opts_once)
  );

  always_ff @(posedge clk) begin
    started_q <= 1'b1;
    at_q <= rst ? '0 : {at_q[MATCH_CYCLES-2:0], lookup_first};
    done_q <= !rst && at_q[MATCH_CYCLES-2];
    if (!rst && done_q) begin
      same_listener: assert (found == found_once);
      same_kept: assert (!found || ({found_bypass, found_index, found_backlog, found_opts} ==
                                    {found_bypass_once, found_index_once, found_backlog_once, found_opts_once}));
    end
  end
endmodule
