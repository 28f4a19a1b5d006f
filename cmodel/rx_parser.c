/* SPDX-License-Identifier: Apache-2.0
 * rx_parser.c - a frame is collected whole and parsed at its last beat; row numbers are those of the table
 * "Parse" in docs/architecture.md. */
#include <string.h>
#include "bytes.h"
#include "checksum.h"
#include "model.h"

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd, TPID_C = 0x8100, TPID_S = 0x88a8 };
enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_ICMPV6 = 58 };
enum { AT_DST_MAC = 0, AT_SRC_MAC = 6, AT_TAG = 12, ETHERNET_OCTETS = 14, TAG_OCTETS = 4 };
enum { IPV4_OCTETS = 20, IPV6_OCTETS = 40, ICMP_OCTETS = 8 };
enum { TCP_FLAGS_END = 14 };
/* IPv4 destination unreachable, time exceeded, parameter problem; then those of ICMPv6. */
enum { UNREACHABLE = 3, EXCEEDED = 11, PROBLEM = 12, UNREACHABLE6 = 1, EXCEEDED6 = 3, PROBLEM6 = 4 };
enum { CODE_PROTOCOL = 2, CODE_PORT = 3, CODE_FRAGMENTATION_NEEDED = 4, CODE_PORT6 = 4 };
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_WS = 3, OPTION_SACK_PERMITTED = 4, OPTION_TS = 8 };

void hfm_rx_parser_reset(struct rx_parser *rx)
{
	rx->in_frame = false;
	rx->inflight = 0;
	ring_reset(&rx->parsed_ring);
	ring_reset(&rx->queue_ring);
}

/* RFC 9293 section 3.2, RFC 7323 sections 2.2 and 3.2, RFC 2018 section 2. */
static void parse_options(const uint8_t *options, unsigned len, struct segment *seg)
{
	unsigned at = 0;

	while (at < len && options[at] != OPTION_END) {
		const uint8_t *option = options + at;

		if (option[0] == OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= len || option[1] < 2 || at + option[1] > len) {
			seg->opt_bad = 1;
			return;
		}
		if (option[0] == OPTION_MSS && option[1] == 4) {
			seg->mss_ok = 1;
			seg->mss = get_be16(option + 2);
		} else if (option[0] == OPTION_WS && option[1] == 3) {
			seg->ws_ok = 1;
			seg->ws_clamped = option[2] > 14;
			seg->ws = option[2] > 14 ? 14 : option[2]; /* RFC 7323 section 2.3 */
		} else if (option[0] == OPTION_SACK_PERMITTED && option[1] == 2) {
			seg->sack_ok = 1;
		} else if (option[0] == OPTION_TS && option[1] == 10) {
			seg->ts_ok = 1;
			seg->tsval = get_be32(option + 2);
			seg->tsecr = get_be32(option + 6);
		}
		at += option[1];
	}
}

/* IEEE 802.1Q tags that the frame shows whole, 0 to 2. */
static unsigned count_tags(const uint8_t *octets, unsigned length)
{
	unsigned outer = get_be16(octets + AT_TAG);

	if (length < ETHERNET_OCTETS + TAG_OCTETS || (outer != TPID_C && outer != TPID_S))
		return 0;
	return length < ETHERNET_OCTETS + 2 * TAG_OCTETS || get_be16(octets + AT_TAG + TAG_OCTETS) != TPID_C ? 1 : 2;
}

static void parse_ethernet(const uint8_t *octets, unsigned tags, struct segment *seg)
{
	seg->src_mac = get_be48(octets + AT_SRC_MAC);
	seg->vlan_tags = tags;
	if (tags >= 1) {
		seg->vlan_svlan = get_be16(octets + AT_TAG) == TPID_S;
		seg->vlan_outer = get_be16(octets + AT_TAG + 2);
	}
	if (tags == 2)
		seg->vlan_inner = get_be16(octets + AT_TAG + TAG_OCTETS + 2);
}

static enum hf_seg_class drop(struct segment *seg, enum hf_cause cause)
{
	seg->cause = cause;
	return HF_CLASS_DROP;
}

/* An intact IP packet: what the rows from 8 on look at. */
struct packet {
	const uint8_t *ip;
	const uint8_t *body; /* TCP segment or ICMP message */
	unsigned len;	     /* of it */
	unsigned protocol;
	bool ip6;
};

/* Row 10, and row 11 where the header allows it; SEG where they pass. */
static enum hf_seg_class parse_tcp(const struct packet *p, struct segment *seg)
{
	const uint8_t *tcp = p->body;
	unsigned header;
	uint16_t sum;

	if (p->len < 20)
		return drop(seg, HF_CAUSE_TCP_MALFORMED);
	header = (tcp[12] >> 4) * 4u;
	if (header < 20 || header > p->len)
		return drop(seg, HF_CAUSE_TCP_MALFORMED);
	if (p->ip6) {
		seg->src_addr = get_be128(p->ip + 8);
		seg->dst_addr = get_be128(p->ip + 24);
		sum = hf_checksum_pseudo_ipv6(p->ip + 8, PROTOCOL_TCP, (uint16_t)p->len);
	} else {
		seg->src_addr = get_be32(p->ip + 12);
		seg->dst_addr = get_be32(p->ip + 16);
		sum = hf_checksum_pseudo_ipv4(
			(uint32_t)seg->src_addr, (uint32_t)seg->dst_addr, PROTOCOL_TCP, (uint16_t)p->len);
	}
	if (hf_checksum_add(sum, hf_checksum_sum(tcp, p->len)) != 0xffff)
		return drop(seg, HF_CAUSE_TCP_CHECKSUM);

	seg->src_port = get_be16(tcp);
	seg->dst_port = get_be16(tcp + 2);
	seg->seq = get_be32(tcp + 4);
	seg->ack = get_be32(tcp + 8);
	seg->flags = get_be16(tcp + 12) & 0x1ffu;
	seg->wnd = get_be16(tcp + 14);
	seg->payload = p->len - header;
	parse_options(tcp + 20, header - 20, seg);
	return HF_CLASS_SEG;
}

/* The error quotes the IPv4 header and the first 8 octets of a segment that we sent; it came from its
 * destination, so the quote is turned round. RFC 792, RFC 5927 section 4. */
static enum hf_seg_class parse_icmp(const struct packet *p, struct segment *seg)
{
	const uint8_t *icmp = p->body, *quote = icmp + ICMP_OCTETS, *tcp = quote + IPV4_OCTETS;

	if (p->len < ICMP_OCTETS + IPV4_OCTETS + 8 || hf_checksum_sum(icmp, p->len) != 0xffff)
		return HF_CLASS_HOST;
	if (icmp[0] != UNREACHABLE && icmp[0] != EXCEEDED && icmp[0] != PROBLEM)
		return HF_CLASS_HOST;
	if (icmp[0] == UNREACHABLE && icmp[1] == CODE_FRAGMENTATION_NEEDED)
		return HF_CLASS_HOST;
	if (quote[0] != 0x45 || quote[9] != PROTOCOL_TCP || (get_be16(quote + 6) & 0x1fffu) != 0)
		return HF_CLASS_HOST;
	seg->hard = icmp[0] == UNREACHABLE && (icmp[1] == CODE_PROTOCOL || icmp[1] == CODE_PORT);
	seg->src_addr = get_be32(quote + 16);
	seg->dst_addr = get_be32(quote + 12);
	seg->src_port = get_be16(tcp + 2);
	seg->dst_port = get_be16(tcp);
	seg->seq = get_be32(tcp + 4);
	return HF_CLASS_ICMP;
}

/* Likewise, RFC 4443. */
static enum hf_seg_class parse_icmpv6(const struct packet *p, struct segment *seg)
{
	const uint8_t *icmp = p->body, *quote = icmp + ICMP_OCTETS, *tcp = quote + IPV6_OCTETS;
	uint16_t sum = hf_checksum_pseudo_ipv6(p->ip + 8, PROTOCOL_ICMPV6, (uint16_t)p->len);

	if (p->len < ICMP_OCTETS + IPV6_OCTETS + 8 || hf_checksum_add(sum, hf_checksum_sum(icmp, p->len)) != 0xffff)
		return HF_CLASS_HOST;
	if (icmp[0] != UNREACHABLE6 && icmp[0] != EXCEEDED6 && icmp[0] != PROBLEM6)
		return HF_CLASS_HOST;
	if (quote[0] >> 4 != 6 || quote[6] != PROTOCOL_TCP)
		return HF_CLASS_HOST;
	seg->hard = icmp[0] == UNREACHABLE6 && icmp[1] == CODE_PORT6;
	seg->src_addr = get_be128(quote + 24);
	seg->dst_addr = get_be128(quote + 8);
	seg->src_port = get_be16(tcp + 2);
	seg->dst_port = get_be16(tcp);
	seg->seq = get_be32(tcp + 4);
	return HF_CLASS_ICMP;
}

/* IPv4, rows 5 to 11. `len` is what the frame holds from the network header on. */
static enum hf_seg_class parse_ipv4(const uint8_t *ip, unsigned len, struct segment *seg)
{
	struct packet p = { .ip = ip };
	unsigned header, total, fragment;

	if (len < IPV4_OCTETS)
		return drop(seg, HF_CAUSE_IP_MALFORMED);
	header = (ip[0] & 15u) * 4u;
	total = get_be16(ip + 2);
	if (ip[0] >> 4 != 4 || header < IPV4_OCTETS || header > total || total > len)
		return drop(seg, HF_CAUSE_IP_MALFORMED);
	if (hf_checksum_sum(ip, header) != 0xffff)
		return drop(seg, HF_CAUSE_IP_CHECKSUM);
	p.body = ip + header;
	p.len = total - header;
	p.protocol = ip[9];
	if (p.protocol != PROTOCOL_TCP && p.protocol != PROTOCOL_ICMP)
		return HF_CLASS_HOST;

	fragment = get_be16(ip + 6) & 0x3fffu; /* MF and offset */
	if (fragment != 0) {
		unsigned offset = fragment & 0x1fffu;

		/* RFC 1858 section 4.2, RFC 3128 */
		if (p.protocol == PROTOCOL_TCP && (offset == 1 || (offset == 0 && p.len < 20)))
			return drop(seg, HF_CAUSE_FRAGMENT);
		return HF_CLASS_HOST;
	}
	return p.protocol == PROTOCOL_TCP ? parse_tcp(&p, seg) : parse_icmp(&p, seg);
}

/* IPv6, likewise: no extension header is looked behind, so there are no fragments either. */
static enum hf_seg_class parse_ipv6(const uint8_t *ip, unsigned len, struct segment *seg)
{
	struct packet p = { .ip = ip, .ip6 = true };

	if (len < IPV6_OCTETS || ip[0] >> 4 != 6 || get_be16(ip + 4) > len - IPV6_OCTETS)
		return drop(seg, HF_CAUSE_IP_MALFORMED);
	p.body = ip + IPV6_OCTETS;
	p.len = get_be16(ip + 4);
	p.protocol = ip[6];
	seg->ip6 = 1;
	if (p.protocol == PROTOCOL_TCP)
		return parse_tcp(&p, seg);
	return p.protocol == PROTOCOL_ICMPV6 ? parse_icmpv6(&p, seg) : HF_CLASS_HOST;
}

/* Rows 1 to 11, but for what row 9 asks of registers; SEG or ICMP where they pass. */
static enum hf_seg_class parse(
	const struct rx_parser *rx, bool bad_fcs, const struct hf_params *params, struct segment *seg)
{
	unsigned tags, l3, ethertype;

	if (bad_fcs)
		return drop(seg, HF_CAUSE_BAD_FCS);
	if (rx->length > params->max_frame)
		return drop(seg, HF_CAUSE_TOO_LONG);
	if (rx->length < ETHERNET_OCTETS)
		return drop(seg, HF_CAUSE_RUNT);
	tags = count_tags(rx->octets, rx->length);
	l3 = ETHERNET_OCTETS + TAG_OCTETS * tags;
	ethertype = get_be16(rx->octets + l3 - 2);
	if (ethertype != ETHERTYPE_IPV4 && (ethertype != ETHERTYPE_IPV6 || params->no_ip6))
		return HF_CLASS_HOST;
	parse_ethernet(rx->octets, tags, seg);
	if (ethertype == ETHERTYPE_IPV4)
		return parse_ipv4(rx->octets + l3, rx->length - l3, seg);
	return parse_ipv6(rx->octets + l3, rx->length - l3, seg);
}

static bool loopback(bool ip6, hf_u128 addr)
{
	return ip6 ? addr == 1 : addr >> 24 == 127;
}

static bool martian(const struct segment *seg, bool allow_loopback)
{
	if (hfm_impossible_addr(seg->ip6, seg->src_addr) || hfm_impossible_addr(seg->ip6, seg->dst_addr))
		return true;
	if (!allow_loopback && (loopback(seg->ip6, seg->src_addr) || loopback(seg->ip6, seg->dst_addr)))
		return true;
	return seg->src_addr == seg->dst_addr && seg->src_port == seg->dst_port; /* LAND */
}

/* Row 9's registers and rows 12 to 14, with the registers of this cycle. */
static void judge(const struct regs *regs, struct segment *seg, uint64_t dst_mac)
{
	uint32_t ctrl = hfm_reg(regs, HF_REG_CTRL);
	bool enabled = ctrl >> HF_CTRL_ENABLE_LOW & 1, ours = dst_mac == hfm_reg_mac(regs);

	if (seg->cls == HF_CLASS_ICMP) {
		if (!enabled || !ours)
			seg->cls = HF_CLASS_HOST;
	} else if (seg->cls == HF_CLASS_SEG) {
		if (!enabled)
			seg->cls = HF_CLASS_HOST;
		else if (martian(seg, ctrl >> HF_CTRL_ALLOW_LOOPBACK_LOW & 1))
			seg->cls = drop(seg, HF_CAUSE_MARTIAN);
		else if (!ours)
			seg->cls = drop(seg, HF_CAUSE_L2_DEST);
	}
}

/* The frame is complete: make its descriptor. */
static void frame_end(struct hf_model *m, bool bad_fcs)
{
	struct rx_parser *rx = &m->rx;
	struct segment *seg = &rx->queue[ring_place(&rx->queue_ring, rx->queue_ring.count + rx->parsed_ring.count)];
	struct rx_parsed *parsed = &rx->parsed[ring_push(&rx->parsed_ring)];

	memset(seg, 0, sizeof(*seg));
	seg->cls = parse(rx, bad_fcs, &m->params, seg);
	seg->has_hash = rx->has_hash;
	seg->has_mac = rx->has_mac;
	seg->lost = rx->lost;
	seg->length = rx->length;
	seg->beats = rx->staged;
	seg->stamp = rx->stamp;
	parsed->dst_mac = get_be48(rx->octets + AT_DST_MAC);
	parsed->judge_cycle = m->cycle + (m->wide ? 8 : 2);
	parsed->push_cycle = parsed->judge_cycle + m->params.parse_cycles - 1;
}

/* Places, from the network header on, of the addresses and ports that a hash is asked for. */
struct tuple_places {
	bool ip6;
	unsigned remote_addr, local_addr, remote_port, local_port;
};

/* Returns false as long as the frame is too short to tell; places->remote_port is 0 if there is no tuple. An ICMP
 * error quotes a segment of ours: its destination is the remote end. */
static bool find_tuple(unsigned ethertype, const uint8_t *ip, unsigned len, bool no_ip6, struct tuple_places *places)
{
	unsigned quote;

	memset(places, 0, sizeof(*places));
	if (ethertype == ETHERTYPE_IPV4) {
		unsigned header = (ip[0] & 15u) * 4u;

		if (len < IPV4_OCTETS)
			return false;
		quote = header + ICMP_OCTETS;
		if (ip[0] < 0x45 || ip[0] > 0x4f || (get_be16(ip + 6) & 0x3fffu) != 0)
			return true;
		if (ip[9] == PROTOCOL_TCP)
			*places = (struct tuple_places){ false, 12, 16, header, header + 2 };
		else if (ip[9] == PROTOCOL_ICMP)
			*places = (struct tuple_places){ false, quote + 16, quote + 12, quote + 22, quote + 20 };
	} else if (ethertype == ETHERTYPE_IPV6 && !no_ip6) {
		if (len < IPV6_OCTETS)
			return false;
		quote = IPV6_OCTETS + ICMP_OCTETS;
		if (ip[0] >> 4 != 6)
			return true;
		if (ip[6] == PROTOCOL_TCP)
			*places = (struct tuple_places){ true, 8, 24, IPV6_OCTETS, IPV6_OCTETS + 2 };
		else if (ip[6] == PROTOCOL_ICMPV6)
			*places = (struct tuple_places){ true, quote + 24, quote + 8, quote + 42, quote + 40 };
	}
	return true;
}

/* The cycle of a request that this beat makes possible. */
static uint64_t request_cycle(const struct hf_model *m)
{
	return m->cycle + (m->wide ? 2 : 1);
}

/* Ask for the hash as soon as the ports are here; no later beat changes the answer. */
static void hash_request(struct hf_model *m)
{
	struct rx_parser *rx = &m->rx;
	struct tuple_places places;
	unsigned l3, len, end;
	const uint8_t *ip;

	l3 = ETHERNET_OCTETS + TAG_OCTETS * count_tags(rx->octets, rx->length);
	ip = rx->octets + l3;
	len = rx->length - l3;
	if (!find_tuple(get_be16(ip - 2), ip, len, m->params.no_ip6, &places))
		return;
	if (places.remote_port == 0) {
		rx->awaited = RX_NOTHING;
		return;
	}
	end = places.remote_port > places.local_port ? places.remote_port + 2 : places.local_port + 2;
	if (len < end)
		return;
	hfm_tuple_set(&rx->tuple, places.ip6, ip + places.remote_addr, ip + places.local_addr, ip + places.remote_port,
		ip + places.local_port);
	hfm_tuple_hash_request(m, &rx->tuple, request_cycle(m));
	rx->has_hash = true;
	rx->awaited = RX_NOTHING;
	if (places.remote_port < places.local_port) { /* the peer sent it: no quote */
		rx->tcp = l3 + places.remote_port;
		rx->awaited = rx->tcp + TCP_FLAGS_END;
	}
}

/* Ask for the cookie's MAC as soon as the flags are here. */
static void cookie_request(struct hf_model *m)
{
	struct rx_parser *rx = &m->rx;

	hfm_syn_cookie_request(m, &rx->tuple, rx->octets + rx->tcp, rx->stamp, request_cycle(m));
	rx->has_mac = true;
	rx->awaited = RX_NOTHING;
}

static void first_beat(struct hf_model *m, uint64_t time_ns)
{
	struct rx_parser *rx = &m->rx;

	m->counters[HF_CNT_RX_FRAMES]++;
	rx->in_frame = true;
	rx->ignoring = true;
	if (!m->ready) {
		m->counters[HF_CNT_DROP_NOT_READY]++;
	} else if (m->seen.inflight == m->params.seg_depth) {
		m->counters[HF_CNT_DROP_OVERRUN]++;
	} else {
		rx->ignoring = false;
		rx->inflight++;
		rx->stamp = time_ns;
		rx->length = 0;
		rx->beat = 0;
		rx->staged = 0;
		rx->lost = false;
		rx->has_hash = rx->has_mac = false;
		/* No tuple ends in fewer octets, and the tags are seen whole by then. */
		rx->awaited = ETHERNET_OCTETS + IPV4_OCTETS + 4;
	}
}

static void take_beat(struct hf_model *m, const struct hf_in *in)
{
	struct rx_parser *rx = &m->rx;
	bool last = in->s_axis_rx_tlast;

	if (rx->beat < rx->kept_beats)
		put_beat(rx->octets + (size_t)m->width * rx->beat, in->s_axis_rx_tdata, m->width);
	if (rx->beat < rx->max_beats && !rx->lost) {
		if (m->seen.stage_count < m->params.stage_beats) {
			hfm_rx_frame_fifo_stage(&m->frames, in->s_axis_rx_tdata, m->width);
			rx->staged++;
		} else {
			rx->lost = true;
		}
	}
	if (rx->length < RX_LENGTH_MAX) {
		uint64_t keep = in->s_axis_rx_tkeep & UINT64_MAX >> (64 - m->width);

		rx->length += last ? (unsigned)__builtin_popcountll(keep) : m->width;
		rx->beat++;
		if (rx->length > RX_LENGTH_MAX)
			rx->length = RX_LENGTH_MAX;
	}
	if (last || !m->wide) { /* at 512 bits the whole frame is awaited */
		if (!rx->has_hash && rx->length >= rx->awaited)
			hash_request(m);
		if (rx->has_hash && rx->length >= rx->awaited)
			cookie_request(m);
	}
	if (last)
		frame_end(m, in->s_axis_rx_tuser);
}

/* Judge the frame whose cycle for that has come, then push the one that is due. */
static void advance_parsed(struct hf_model *m)
{
	struct rx_parser *rx = &m->rx;

	for (unsigned i = 0; i < rx->parsed_ring.count; i++) {
		const struct rx_parsed *parsed = &rx->parsed[ring_place(&rx->parsed_ring, i)];

		if (parsed->judge_cycle == m->cycle)
			judge(&m->regs, &rx->queue[ring_place(&rx->queue_ring, rx->queue_ring.count + i)],
				parsed->dst_mac);
	}
	if (rx->parsed[ring_head(&rx->parsed_ring)].push_cycle == m->cycle) {
		ring_push(&rx->queue_ring);
		ring_pop(&rx->parsed_ring);
	}
}

void hfm_rx_parser_step(struct hf_model *m, const struct hf_in *in)
{
	struct rx_parser *rx = &m->rx;

	if (rx->parsed_ring.count > 0)
		advance_parsed(m);
	if (!in->s_axis_rx_tvalid)
		return;
	if (!rx->in_frame)
		first_beat(m, in->time_ns);
	if (!rx->ignoring)
		take_beat(m, in);
	if (in->s_axis_rx_tlast)
		rx->in_frame = false;
}
