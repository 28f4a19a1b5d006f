// SPDX-License-Identifier: Apache-2.0
// command_tuple - who a command's connection is between: the tuple of its body.
//
// Input   body, as in engine_defs.svh.
// Output  tuple: IPv4 if both addresses are IPv4-mapped (::ffff:a.b.c.d, RFC 4291 2.5.5.2), which then stands in the
//         low 32 bits of an address, else IPv6 with both addresses as they are. mixed: one of the two
//         is mapped and the other is not, which cannot be.
// Timing  combinational.
`include "engine_defs.svh"
module command_tuple #(
  parameter int IP6 = 1                             // 0: both addresses are taken for IPv4
) (
  input  logic                      valid,          // 0: nobody looks at the outputs
  // Only the four fields of the tuple are read.
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic [`HF_BODY_BITS-1:0]  body,
  /* verilator lint_on UNUSEDSIGNAL */
  output logic [`HF_TUPLE_BITS-1:0] tuple,
  output logic                      mixed
);
  typedef struct packed { `HF_BODY_FIELDS } body_t;
  typedef struct packed { `HF_TUPLE_FIELDS } tuple_t;

  /* verilator lint_off UNUSEDSIGNAL */
  body_t  from_host;
  /* verilator lint_on UNUSEDSIGNAL */
  tuple_t names;
  logic [127:0] remote_octets, own_octets;
  logic [127:0] remote, own;          // first octet most significant
  logic         remote_mapped, local_mapped, ip6;

  assign from_host = body;
  assign tuple = names;
  assign remote_octets = from_host.remote_addr;
  assign own_octets = from_host.local_addr;
  assign remote_mapped = remote[127:32] == 96'hffff;
  assign local_mapped = own[127:32] == 96'hffff;
  assign ip6 = IP6 != 0 && !(remote_mapped && local_mapped);
  assign mixed = IP6 != 0 ? remote_mapped != local_mapped : !(remote_mapped && local_mapped);

  always_comb begin
    if (valid) begin
      for (int i = 0; i < 16; i++) begin
        remote[127 - 8*i -: 8] = remote_octets[8*i +: 8];
        own[127 - 8*i -: 8] = own_octets[8*i +: 8];
      end
    end else begin
      remote = 'x;
      own = 'x;
    end
  end

  assign names.ip6 = ip6;
  assign names.remote_addr = ip6 ? remote : {96'd0, remote[31:0]};
  assign names.local_addr = ip6 ? own : {96'd0, own[31:0]};
  assign names.remote_port = from_host.remote_port;
  assign names.local_port = from_host.local_port;
endmodule
