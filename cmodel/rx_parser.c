/* SPDX-License-Identifier: Apache-2.0
 * rx_parser.c - a frame is collected whole and parsed at its last beat; row numbers are those of the table
 * "Parse" in docs/architecture.md. */
#include <string.h>
#include "bytes.h"
#include "checksum.h"
#include "model.h"

enum { ETHERTYPE_IPV4 = 0x0800, PROTOCOL_TCP = 6 };
enum { AT_DST_MAC = 0, AT_SRC_MAC = 6, AT_ETHERTYPE = 12, AT_IP = 14, AT_IP_SRC = 26 };
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

static void parse_tcp(const uint8_t *tcp, unsigned tcp_len, struct segment *seg)
{
	unsigned header = (tcp[12] >> 4) * 4u;

	seg->src_port = get_be16(tcp);
	seg->dst_port = get_be16(tcp + 2);
	seg->seq = get_be32(tcp + 4);
	seg->ack = get_be32(tcp + 8);
	seg->flags = get_be16(tcp + 12) & 0x1ffu;
	seg->wnd = get_be16(tcp + 14);
	seg->payload = tcp_len - header;
	parse_options(tcp + 20, header - 20, seg);
}

static enum hf_seg_class drop(struct segment *seg, enum hf_cause cause)
{
	seg->cause = cause;
	return HF_CLASS_DROP;
}

/* Rows 1 to 10, which need nothing but the frame; SEG where they pass. */
static enum hf_seg_class parse(const struct rx_parser *rx, bool bad_fcs, unsigned max_frame, struct segment *seg)
{
	const uint8_t *ip = rx->octets + AT_IP;
	const uint8_t *tcp;
	unsigned ip_header, total, fragment, tcp_len;
	uint16_t sum;

	if (bad_fcs)
		return drop(seg, HF_CAUSE_BAD_FCS);
	if (rx->length > max_frame)
		return drop(seg, HF_CAUSE_TOO_LONG);
	if (rx->length < 14)
		return drop(seg, HF_CAUSE_RUNT);
	if (get_be16(rx->octets + AT_ETHERTYPE) != ETHERTYPE_IPV4)
		return HF_CLASS_HOST;

	if (rx->length < 34)
		return drop(seg, HF_CAUSE_IP_MALFORMED);
	ip_header = (ip[0] & 15u) * 4u;
	total = get_be16(ip + 2);
	if (ip[0] >> 4 != 4 || ip_header < 20 || ip_header > total || AT_IP + total > rx->length)
		return drop(seg, HF_CAUSE_IP_MALFORMED);
	if (hf_checksum_sum(ip, ip_header) != 0xffff)
		return drop(seg, HF_CAUSE_IP_CHECKSUM);
	if (ip[9] != PROTOCOL_TCP)
		return HF_CLASS_HOST;

	tcp_len = total - ip_header;
	fragment = get_be16(ip + 6) & 0x3fffu; /* MF and offset */
	if (fragment != 0) {
		unsigned offset = fragment & 0x1fffu;

		if (offset == 1 || (offset == 0 && tcp_len < 20)) /* RFC 1858 section 4.2, RFC 3128 */
			return drop(seg, HF_CAUSE_FRAGMENT);
		return HF_CLASS_HOST;
	}

	tcp = ip + ip_header;
	if (tcp_len < 20 || tcp[12] >> 4 < 5 || (tcp[12] >> 4) * 4u > tcp_len)
		return drop(seg, HF_CAUSE_TCP_MALFORMED);
	seg->src_addr = get_be32(ip + 12);
	seg->dst_addr = get_be32(ip + 16);
	sum = hf_checksum_pseudo_ipv4(
		(uint32_t)seg->src_addr, (uint32_t)seg->dst_addr, PROTOCOL_TCP, (uint16_t)tcp_len);
	if (hf_checksum_add(sum, hf_checksum_sum(tcp, tcp_len)) != 0xffff)
		return drop(seg, HF_CAUSE_TCP_CHECKSUM);

	seg->src_mac = get_be48(rx->octets + AT_SRC_MAC);
	parse_tcp(tcp, tcp_len, seg);
	return HF_CLASS_SEG;
}

/* RFC 1122 section 3.2.1.3: neither a source nor a destination of a connection. 240/4 without the limited
 * broadcast address is let through: it is reserved, not impossible. */
static bool impossible(uint64_t addr)
{
	return addr == 0 || addr >> 28 == 0xe || addr == 0xffffffff;
}

static bool loopback(uint64_t addr)
{
	return addr >> 24 == 127;
}

/* Rows 11 to 13, which read registers. */
static void judge(const struct regs *regs, struct rx_parsed *parsed)
{
	struct segment *seg = &parsed->seg;
	uint32_t ctrl = hfm_reg(regs, HF_REG_CTRL);

	if (seg->cls != HF_CLASS_SEG)
		return;
	if (!(ctrl & 1u << HF_CTRL_ENABLE_LOW))
		seg->cls = HF_CLASS_HOST;
	else if (impossible(seg->src_addr) || impossible(seg->dst_addr) ||
		 ((loopback(seg->src_addr) || loopback(seg->dst_addr)) && !(ctrl & 1u << HF_CTRL_ALLOW_LOOPBACK_LOW)) ||
		 (seg->src_addr == seg->dst_addr && seg->src_port == seg->dst_port))
		seg->cls = drop(seg, HF_CAUSE_MARTIAN);
	else if (parsed->dst_mac != hfm_reg_mac(regs))
		seg->cls = drop(seg, HF_CAUSE_L2_DEST);
}

/* The frame is complete: make its descriptor. */
static void frame_end(struct hf_model *m, bool bad_fcs)
{
	struct rx_parser *rx = &m->rx;
	struct rx_parsed *parsed = &rx->parsed[ring_push(&rx->parsed_ring)];
	struct segment *seg = &parsed->seg;

	memset(seg, 0, sizeof(*seg));
	seg->cls = parse(rx, bad_fcs, m->params.max_frame, seg);
	seg->has_hash = rx->has_hash;
	seg->lost = rx->lost;
	seg->length = rx->length;
	seg->beats = rx->staged;
	seg->stamp = rx->stamp;
	parsed->dst_mac = get_be48(rx->octets + AT_DST_MAC);
	parsed->push_cycle = m->cycle + 2;
}

/* Ask for the hash as soon as the ports are here; no later beat changes the answer. */
static void hash_request(struct hf_model *m)
{
	struct rx_parser *rx = &m->rx;
	const uint8_t *ip = rx->octets + AT_IP;
	unsigned ports = AT_IP + (ip[0] & 15u) * 4u;

	if (rx->length < AT_IP + 20 + 4)
		return;
	if (get_be16(rx->octets + AT_ETHERTYPE) != ETHERTYPE_IPV4 || ip[0] < 0x45 || ip[0] > 0x4f ||
		ip[9] != PROTOCOL_TCP || (get_be16(ip + 6) & 0x3fffu) != 0) {
		rx->hash_judged = true;
	} else if (rx->length >= ports + 4) {
		memcpy(m->hash.tuple, rx->octets + AT_IP_SRC, 8);
		memcpy(m->hash.tuple + 8, rx->octets + ports, 4);
		m->hash.requested = true;
		rx->has_hash = true;
		rx->hash_judged = true;
	}
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
		rx->hash_judged = false;
		rx->has_hash = false;
	}
}

static void take_beat(struct hf_model *m, const struct hf_in *in)
{
	struct rx_parser *rx = &m->rx;

	if (rx->beat < rx->kept_beats)
		put_beat(rx->octets + 8 * (size_t)rx->beat, in->s_axis_rx_tdata);
	if (rx->beat < rx->max_beats && !rx->lost) {
		if (m->seen.stage_count < m->params.stage_beats) {
			hfm_rx_frame_fifo_stage(&m->frames, in->s_axis_rx_tdata);
			rx->staged++;
		} else {
			rx->lost = true;
		}
	}
	if (rx->length < RX_LENGTH_MAX) {
		rx->length += in->s_axis_rx_tlast ? (unsigned)__builtin_popcountll(in->s_axis_rx_tkeep & 0xff) : 8;
		rx->beat++;
	}
	if (rx->length > RX_LENGTH_MAX)
		rx->length = RX_LENGTH_MAX;
	if (!rx->hash_judged)
		hash_request(m);
	if (in->s_axis_rx_tlast)
		frame_end(m, in->s_axis_rx_tuser);
}

void hfm_rx_parser_step(struct hf_model *m, const struct hf_in *in)
{
	struct rx_parser *rx = &m->rx;

	if (rx->parsed_ring.count > 0 && rx->parsed[ring_head(&rx->parsed_ring)].push_cycle == m->cycle) {
		struct rx_parsed *parsed = &rx->parsed[ring_pop(&rx->parsed_ring)];

		judge(&m->regs, parsed);
		rx->queue[ring_push(&rx->queue_ring)] = parsed->seg;
	}
	if (!in->s_axis_rx_tvalid)
		return;
	if (!rx->in_frame)
		first_beat(m, in->time_ns);
	if (!rx->ignoring)
		take_beat(m, in);
	if (in->s_axis_rx_tlast)
		rx->in_frame = false;
}
