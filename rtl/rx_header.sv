// SPDX-License-Identifier: Apache-2.0
// rx_header - the fields of a received frame's headers, and what they say about it: IPv4 (RFC 791), IPv6 (RFC 8200),
// TCP (RFC 9293 3.1), ICMP and ICMPv6 errors about TCP segments (RFC 792, RFC 4443, RFC 5927).
//
// Input   ethertype and tags; net: the first 40 octets of the network header; l4: the first 56 of TCP or ICMP, both
//         first octet most significant; the frame octet behind TCP or ICMP, l4_end. What else is known of the frame, as
//         the descriptor names it; dst_mac; bad_fcs.
// Output  what each name says, only right where the header before it is; numbers as integers.
//         has_tuple: TCP, or ICMP, whose tuple can be hashed if the frame is long enough. tuple: {remote address,
//         local address, remote port, local port}, an IPv4 address in the low 32 bits, the rest 0. Of ICMP: those
//         of the quoted segment, which we sent; seq likewise.
//         segment: the descriptor of regs/segment.def but for class, cause and options.
//         conditions: HF_RX_CONDITION_FIELDS.
// Timing  no register.
`include "handfast_defs.svh"
`include "rx_defs.svh"

module rx_header #(
  parameter int MAX_FRAME = 1522,
  parameter int IP6 = 1                                     // 0: IPv6 is not IP
) (
  input  logic [47:0]                      dst_mac,
  input  logic [47:0]                      src_mac,
  input  logic [15:0]                      ethertype,
  input  logic [1:0]                       tags,
  input  logic                             svlan,
  input  logic [15:0]                      outer,
  input  logic [15:0]                      inner,
  input  logic [319:0]                     net,
  input  logic [447:0]                     l4,
  input  logic [16:0]                      l4_end,
  input  logic                             has_hash,
  input  logic                             has_mac,
  input  logic                             lost,
  input  logic [13:0]                      length,
  input  logic [10:0]                      beats,
  input  logic [63:0]                      stamp,
  input  logic                             bad_fcs,

  input  logic                             valid,           // 0: nobody looks at segment and conditions

  output logic                             ip6,
  output logic [3:0]                       ihl,
  output logic [15:0]                      ip_length,       // IPv4: total length; IPv6: payload length
  output logic [7:0]                       protocol,
  output logic                             is_tcp,
  output logic                             has_tuple,
  output logic [287:0]                     tuple,
  output logic [31:0]                      seq,
  output logic [31:0]                      ack,
  output logic [3:0]                       data_offset,
  output logic                             ack_flag,

  output logic [`HF_SEGMENT_BITS-1:0]      segment,
  output logic [`HF_RX_CONDITION_BITS-1:0] conditions
);

  typedef struct packed { `HF_SEGMENT_FIELDS } segment_t;
  typedef struct packed { `HF_RX_CONDITION_FIELDS } conditions_t;

  // ---- Network header ------------------------------------------------------------------------------

  logic [3:0]   version;
  logic [7:0]   unused_traffic;
  logic [13:0]  fragment;                                   // IPv4: MF and the offset
  logic [31:0]  src_addr4, dst_addr4;
  logic [127:0] src_addr6, dst_addr6;
  logic         ip_begins;                                  // as the EtherType promises

  assign ip6 = IP6 != 0 && ethertype == `HF_ETHERTYPE_IPV6;
  assign {version, ihl, unused_traffic} = net[319:304];
  assign ip_length = ip6 ? net[287:272] : net[303:288];
  assign fragment = net[269:256];
  assign protocol = ip6 ? net[271:264] : net[247:240];
  assign {src_addr4, dst_addr4} = net[223:160];
  assign {src_addr6, dst_addr6} = net[255:0];
  assign ip_begins = ip6 ? version == 4'd6 : ethertype == `HF_ETHERTYPE_IPV4 && version == 4'd4 && ihl >= 4'd5;

  // ---- TCP, ICMP -----------------------------------------------------------------------------------

  logic [15:0]  src_port, dst_port, wnd;
  logic [8:0]   flags;
  logic [31:0]  tcp_seq;
  logic [2:0]   unused_reserved;

  assign {src_port, dst_port, tcp_seq, ack} = l4[447:352];
  assign {data_offset, unused_reserved, flags, wnd} = l4[351:320];

  // ICMP: the quote begins at octet 8.
  logic [7:0]   icmp_type, icmp_code;
  logic [127:0] quote_src_addr, quote_dst_addr;
  logic [15:0]  quote_src_port, quote_dst_port;
  logic [31:0]  quote_seq;
  logic         quote_is_tcp, is_icmp;

  assign {icmp_type, icmp_code} = l4[447:432];
  always_comb begin
    if (ip6) begin
      quote_is_tcp = l4[383:380] == 4'd6 && l4[335:328] == `HF_PROTOCOL_TCP;
      {quote_src_addr, quote_dst_addr, quote_src_port, quote_dst_port, quote_seq} = l4[319:0];
    end else begin
      quote_is_tcp = l4[383:376] == 8'h45 && l4[332:320] == 0 && l4[311:304] == `HF_PROTOCOL_TCP;
      quote_src_addr = {96'd0, l4[287:256]};
      quote_dst_addr = {96'd0, l4[255:224]};
      {quote_src_port, quote_dst_port, quote_seq} = l4[223:160];
    end
  end

  assign is_tcp = protocol == `HF_PROTOCOL_TCP;
  assign is_icmp = protocol == (ip6 ? `HF_PROTOCOL_ICMP6 : `HF_PROTOCOL_ICMP);
  assign tuple = is_icmp ? {quote_dst_addr, quote_src_addr, quote_dst_port, quote_src_port}
               : ip6     ? {src_addr6, dst_addr6, src_port, dst_port}
                         : {96'd0, src_addr4, 96'd0, dst_addr4, src_port, dst_port};
  assign seq = is_icmp ? quote_seq : tcp_seq;
  assign ack_flag = flags[4];

  // ---- What they say about the frame ---------------------------------------------------------------

  logic        is_whole;
  logic [13:0] net_begin;                                   // octet
  logic [15:0] header_octets, l4_len, offset_octets;
  segment_t    seg;
  conditions_t c;

  assign is_whole = ip6 || fragment == 0;                   // MF = 0 and offset = 0
  assign has_tuple = ip_begins && is_whole && (is_tcp || is_icmp);
  assign net_begin = 14'd14 + {10'd0, tags, 2'b00};
  assign header_octets = {10'd0, ihl, 2'b00};
  assign l4_len = ip6 ? ip_length : ip_length - header_octets;
  assign offset_octets = {10'd0, data_offset, 2'b00};

  function automatic logic never_an_endpoint4(input logic [31:0] addr);
    never_an_endpoint4 = addr == 0 || addr[31:28] == 4'he || addr == 32'hffff_ffff;
  endfunction

  function automatic logic never_an_endpoint6(input logic [127:0] addr);
    never_an_endpoint6 = addr == 0 || addr[127:120] == 8'hff;
  endfunction

  always_comb begin
    if (valid) begin
      c.bad_fcs = bad_fcs;
      c.too_long = length > 14'(MAX_FRAME);
      c.runt = length < 14'd14;
      c.not_ip = ethertype != `HF_ETHERTYPE_IPV4 && !ip6;
      c.ip6 = ip6;
      c.malformed = l4_end > {3'd0, length} ||
                    (ip6 ? length < net_begin + 14'd40 || version != 4'd6
                         : length < net_begin + 14'd20 || version != 4'd4 || ihl < 4'd5 || header_octets > ip_length);
      c.other = !is_tcp && !is_icmp;
      // RFC 1858 and RFC 3128: a first fragment too short for the TCP header, or one that would overwrite it
      c.fragment_drop = is_tcp && !ip6 && (fragment[12:0] == 13'd1 || (fragment == 14'h2000 && l4_len < 16'd20));
      c.fragment_host = !is_whole;
      c.is_icmp = is_icmp;
      // RFC 5927: an error about a TCP segment, quoted as far as its sequence number. Not one that tells of a
      // smaller MTU: those are the host's.
      if (ip6)
        c.icmp_error = l4_len >= 16'd56 && (icmp_type == 8'd1 || icmp_type == 8'd3 || icmp_type == 8'd4);
      else
        c.icmp_error = l4_len >= 16'd36 && ((icmp_type == 8'd3 && icmp_code != 8'd4) || icmp_type == 8'd11 ||
                                            icmp_type == 8'd12);
      if (!quote_is_tcp)
        c.icmp_error = 1'b0;
      c.tcp_malformed = l4_len < 16'd20 || data_offset < 4'd5 || offset_octets > l4_len;
      if (ip6) begin
        c.martian = never_an_endpoint6(src_addr6) || never_an_endpoint6(dst_addr6) ||
                    (src_addr6 == dst_addr6 && src_port == dst_port);
        c.loopback = src_addr6 == 128'd1 || dst_addr6 == 128'd1;
      end else begin
        c.martian = never_an_endpoint4(src_addr4) || never_an_endpoint4(dst_addr4) ||
                    (src_addr4 == dst_addr4 && src_port == dst_port);
        c.loopback = src_addr4[31:24] == 8'd127 || dst_addr4[31:24] == 8'd127;
      end
      // The pseudo-header but for the addresses. No frame that passes is long enough for a carry.
      c.pseudo = (is_icmp && !ip6) ? 16'd0 : l4_len + {8'd0, protocol};
      c.dst_mac = dst_mac;
      conditions = c;
    end else begin
      c = 'x;
      conditions = 'x;
    end
  end

  always_comb begin
    if (valid) begin
      seg = '0;
      seg.has_hash = has_hash;
      seg.has_mac = has_mac;
      seg.lost = lost;
      seg.length = length;
      seg.beats = beats;
      seg.stamp = stamp;
      seg.vlan_tags = tags;
      seg.vlan_svlan = tags != 0 && svlan;
      seg.vlan_outer = (tags != 0) ? outer : 16'd0;
      seg.vlan_inner = tags[1] ? inner : 16'd0;
      seg.src_mac = src_mac;
      seg.ip6 = ip6;
      seg.hard = ip6 ? icmp_type == 8'd1 && icmp_code == 8'd4
                     : icmp_type == 8'd3 && (icmp_code == 8'd2 || icmp_code == 8'd3);
      {seg.src_addr, seg.dst_addr, seg.src_port, seg.dst_port} = tuple;
      seg.seq = seq;
      seg.ack = ack;
      seg.flags = flags;
      seg.wnd = wnd;
      seg.payload = l4_len - offset_octets;
      segment = seg;
    end else begin
      seg = 'x;
      segment = 'x;
    end
  end

endmodule
