/* SPDX-License-Identifier: Apache-2.0
 * lockstep_random.c - random registers, frames and messages, legal and hostile, in changing moods. */
#include <string.h>
#include "lockstep.h"

#define READ_EVERY 4000u /* cycles between two readings of all counters */

const uint8_t lockstep_our_mac[6] = { 0x02, 0xf0, 0x0d, 0x00, 0x00, 0x01 };

/* ---- configuration ---- */

uint32_t lockstep_mac(unsigned i)
{
	return i ? lockstep_our_mac[4] | (uint32_t)lockstep_our_mac[5] << 8
		 : lockstep_our_mac[0] | (uint32_t)lockstep_our_mac[1] << 8 | (uint32_t)lockstep_our_mac[2] << 16 |
			       (uint32_t)lockstep_our_mac[3] << 24;
}

/* A timer's register: mostly short, at times 0 or anything. */
static uint32_t random_ms(struct rng *g, uint32_t most)
{
	return rng_percent(g, 85) ? rng_range(g, 1, most) : rng_percent(g, 30) ? 0 : rng_below(g, 1u << 22);
}

/* Register CTRL without ENABLE. */
static uint32_t switches(struct rng *g)
{
	return rng_percent(g, 50) ? rng_below(g, 64) & ~1u : 0;
}

#define CONFIGURATIONS (22u + DEFENCES)

/* One register at a sensible but random value. */
static void configure_one(struct run *r, unsigned what)
{
	struct rng *g = &r->rng;
	const unsigned listener = rng_below(g, r->params->listeners);
	uint32_t opts;

	switch (what) {
	case 0:
		lockstep_write(r, HF_REG_HEARTBEAT_MS, rng_percent(g, 40) ? 0 : rng_range(g, 1, 2000));
		break;
	case 1:
		/* 0: what is armed has expired already. */
		lockstep_write(r, HF_REG_SYN_RTO_MS,
			rng_percent(g, 15)   ? 0
			: rng_percent(g, 80) ? rng_range(g, 0, 40)
					     : rng_below(g, 65536));
		break;
	case 2:
		lockstep_write(
			r, HF_REG_SYN_RTO_MAX_MS, rng_percent(g, 80) ? rng_range(g, 1, 200) : rng_below(g, 65536));
		break;
	case 3:
		lockstep_write(r, HF_REG_SYNACK_RETRIES, rng_percent(g, 80) ? rng_below(g, 4) : rng_below(g, 16));
		break;
	case 4:
		lockstep_write(r, HF_REG_MSS, rng_percent(g, 80) ? 1460 : rng_below(g, 65536));
		break;
	case 5:
		lockstep_write(r, HF_REG_MSS_FLOOR, rng_percent(g, 80) ? 88 : rng_below(g, 65536));
		break;
	case 6:
		r->rcv_wnd = rng_percent(g, 50)	  ? 64240
			     : rng_percent(g, 50) ? rng_below(g, 3000)
						  : rng_below(g, 1u << 30);
		if (rng_percent(g, 10))
			r->rcv_wnd = rng_below(g, 2);
		lockstep_write(r, HF_REG_RCV_WND, r->rcv_wnd);
		break;
	case 7:
		lockstep_write(r, HF_REG_WSCALE, rng_below(g, 16));
		break;
	case 8:
		lockstep_write(r, HF_REG_TTL, (uint32_t)rng_next(g));
		lockstep_write(r, HF_REG_TOS, (uint32_t)rng_next(g));
		break;
	case 9:
		for (unsigned i = 0; i < 4; i++)
			lockstep_write(r, HF_REG_KEY_ISN0 + 4 * i, (uint32_t)rng_next(g));
		break;
	case 10: /* refused while CTRL.ENABLE is set */
		for (unsigned i = 0; i < 4; i++)
			lockstep_write(r, HF_REG_KEY_INDEX0 + 4 * i, (uint32_t)rng_next(g));
		break;
	case 11:
		for (unsigned i = 0; i < COUNT(local_addrs); i++)
			lockstep_write(r, HF_REG_LOCAL_ADDR0 + 4 * i, rng_percent(g, 90) ? local_addrs[i] : 0);
		break;
	case 12:
		opts = rng_percent(g, 60) ? 7 : rng_below(g, 8);
		if (rng_percent(g, 50)) {
			const uint64_t *const addr = local_addrs6[rng_below(g, COUNT(local_addrs6))];
			const bool any = rng_percent(g, 60);

			opts |= 1u << HF_LISTEN_OPTS_IP6_LOW;
			for (unsigned i = 0; i < 4; i++)
				lockstep_write(r, i ? HF_REG_LISTEN_ADDR1 + 4 * (i - 1) : HF_REG_LISTEN_ADDR,
					any ? 0 : (uint32_t)(addr[i < 2] >> 32 * (i & 1)));
		} else {
			lockstep_write(r, HF_REG_LISTEN_ADDR,
				rng_percent(g, 60) ? 0 : local_addrs[rng_below(g, COUNT(local_addrs))]);
		}
		lockstep_write(r, HF_REG_LISTEN_PORT,
			local_ports[rng_percent(g, 80) ? listener % 2 : rng_below(g, COUNT(local_ports))]);
		lockstep_write(r, HF_REG_LISTEN_BACKLOG, rng_percent(g, 80) ? 65535 : rng_below(g, 20));
		lockstep_write(r, HF_REG_LISTEN_OPTS, opts);
		lockstep_write(r, HF_REG_LISTEN_COMMIT,
			(rng_percent(g, 90) ? listener : rng_below(g, 256)) |
				(rng_percent(g, 80) ? 1u : rng_below(g, 4)) << HF_LISTEN_COMMIT_MODE_LOW);
		break;
	case 13:
		lockstep_write(r, HF_REG_MAC_LO, lockstep_mac(0));
		lockstep_write(r, HF_REG_MAC_HI, lockstep_mac(1));
		break;
	case 14:
		for (unsigned i = 0; i < 8; i++) {
			const uint64_t *const addr = local_addrs6[i / 4];

			lockstep_write(r, HF_REG_LOCAL6_A0 + 4 * i,
				rng_percent(g, 95) ? (uint32_t)(addr[i % 4 < 2] >> 32 * (i & 1)) : 0);
		}
		break;
	case 15:
		lockstep_write(r, HF_REG_MSS6, rng_percent(g, 80) ? 1440 : rng_below(g, 65536));
		break;
	case 16: /* long enough for four timeouts at times, for RETRYING */
		lockstep_write(r, HF_REG_CONNECT_MS, random_ms(g, 400));
		break;
	case 17:
		lockstep_write(r, HF_REG_CLOSE_MS, random_ms(g, 400));
		break;
	case 18:
		lockstep_write(r, HF_REG_FIN_WAIT_2_MS, random_ms(g, 100));
		break;
	case 19:
		lockstep_write(r, HF_REG_TIME_WAIT_MS, random_ms(g, 100));
		break;
	case 20:
		lockstep_write(r, HF_REG_CHALLENGE,
			rng_below(g, rng_percent(g, 70) ? 4 : 16) << HF_CHALLENGE_LIMIT_LOW |
				(rng_percent(g, 60) ? rng_below(g, 20) : rng_below(g, 65536))
					<< HF_CHALLENGE_WINDOW_MS_LOW);
		break;
	case CONFIGURATIONS - 1:
		lockstep_write(r, HF_REG_CTRL, (rng_percent(g, 95) ? 1u << HF_CTRL_ENABLE_LOW : 0) | switches(g));
		lockstep_write(r, HF_REG_HEARTBEAT, 0);
		break;
	default:
		lockstep_configure_defence(r, what - 21);
		break;
	}
}

/* Everything once, a few listeners, and the engine on. */
void lockstep_configure(struct run *r)
{
	lockstep_write(r, HF_REG_CTRL, 0);
	for (unsigned i = 0; i < CONFIGURATIONS; i++)
		configure_one(r, i == 12 ? 13 : i == 13 ? 12 : i);
	for (unsigned i = rng_below(&r->rng, 2 * r->params->listeners); i--;)
		configure_one(r, 12);
	lockstep_write(r, HF_REG_LISTEN_ADDR, 0);
	lockstep_write(r, HF_REG_LISTEN_PORT, local_ports[0]);
	lockstep_write(r, HF_REG_LISTEN_BACKLOG, rng_percent(&r->rng, 85) ? 65535 : rng_below(&r->rng, 10));
	lockstep_write(r, HF_REG_LISTEN_OPTS, 7);
	lockstep_write(r, HF_REG_LISTEN_COMMIT, 0 | 1u << HF_LISTEN_COMMIT_MODE_LOW);
	for (unsigned i = 0; i < 3; i++)
		lockstep_write(r, HF_REG_LISTEN_ADDR1 + 4 * i, 0);
	lockstep_write(r, HF_REG_LISTEN_OPTS, 7 | 1u << HF_LISTEN_OPTS_IP6_LOW);
	lockstep_write(r, HF_REG_LISTEN_COMMIT, 1 | 1u << HF_LISTEN_COMMIT_MODE_LOW);
	lockstep_write(r, HF_REG_CTRL, 1u << HF_CTRL_ENABLE_LOW | switches(&r->rng));
	lockstep_write(r, HF_REG_HEARTBEAT, 0);
}

/* ---- frames to the engine ---- */

void lockstep_send_frame(struct run *r)
{
	const int error = sim_rx(r->s, r->frame.data, r->frame.len, r->frame.bad_fcs);

	if (error)
		lockstep_fault(r, "errno of a frame", (uint64_t)-error, 0);
}

struct segment lockstep_segment(const struct run *r, const struct peer *p, uint16_t flags, uint32_t seq, uint32_t ack)
{
	const uint32_t index = (uint32_t)(p - r->peers);
	struct segment g = { .ip6 = p->ip6,
		.vlan_tags = p->vlan_tags,
		.vlan_svlan = p->vlan_svlan,
		.vlan_outer = p->vlan_outer,
		.vlan_inner = p->vlan_inner,
		.src_addr = lockstep_peer_addr(p->ip6, index),
		.dst_addr = p->local_addr,
		.src_port = p->port,
		.dst_port = p->local_port,
		.flags = flags,
		.seq = seq,
		.ack = ack,
		.wnd = 0x7210,
		.src_mac = { 2, 0, 0, 9, (uint8_t)(index >> 8), (uint8_t)index } };

	memcpy(g.dst_mac, lockstep_our_mac, sizeof lockstep_our_mac);
	return g;
}

void lockstep_send(struct run *r, const struct segment *g)
{
	traffic_tcp(&r->frame, g);
	lockstep_send_frame(r);
}

/* The SYN of a peer, as it was first sent. */
struct segment lockstep_syn(const struct run *r, const struct peer *p)
{
	struct segment g = lockstep_segment(r, p, HF_SYN, p->isn, 0);

	memcpy(g.options, p->options, p->options_len);
	g.options_len = p->options_len;
	return g;
}

void lockstep_connection(struct run *r, struct peer *p)
{
	struct rng *g = &r->rng;
	struct segment o = { .options_len = 0 };
	const unsigned kind = rng_below(g, 100);

	p->port = rng_percent(g, 90) ? (uint16_t)rng_next(g) : p->port;
	p->ip6 = rng_percent(g, 40);
	p->vlan_tags = rng_percent(g, 60) ? 0 : rng_below(g, 3);
	p->vlan_svlan = rng_percent(g, 50);
	p->vlan_outer = (uint16_t)rng_next(g);
	p->vlan_inner = (uint16_t)rng_next(g);
	p->local_addr = lockstep_local_addr(p->ip6, rng_percent(g, 80) ? 0 : rng_below(g, COUNT(local_addrs)));
	p->local_port = local_ports[rng_percent(g, 80) ? 0 : rng_below(g, COUNT(local_ports))];
	/* Half of the sequence numbers lie so that windows and acknowledgments cross 2^32. */
	p->isn = rng_percent(g, 50) ? (uint32_t)rng_next(g) : 0xffffffff - rng_below(g, 4);
	p->tsval = rng_percent(g, 50) ? (uint32_t)rng_next(g) : 0xffffffff - rng_below(g, 4);
	if (kind < 30)
		o.options_len = 0;
	else if (kind < 60) {
		traffic_option_mss(&o, (uint16_t)rng_range(g, 40, 1500));
		traffic_option_sack(&o);
		traffic_option_ts(&o, p->tsval, 0);
		o.options[o.options_len++] = 1;
		traffic_option_ws(&o, (uint8_t)rng_below(g, 16));
	} else if (kind < 75) {
		if (rng_percent(g, 50))
			traffic_option_mss(&o, (uint16_t)rng_next(g));
		if (rng_percent(g, 50))
			traffic_option_ws(&o, (uint8_t)rng_below(g, 18));
		if (rng_percent(g, 50))
			traffic_option_sack(&o);
		if (rng_percent(g, 50))
			traffic_option_ts(&o, p->tsval, 0);
	} else {
		traffic_random_options(&o, g);
	}
	memcpy(p->options, o.options, o.options_len);
	p->options_len = o.options_len;
}

static struct peer *any_peer(struct run *r)
{
	return &r->peers[rng_below(&r->rng, r->mood.peers)];
}

static uint16_t harmless_flags(struct rng *g)
{
	return (uint16_t)(rng_percent(g, 70) ? 0 : rng_next(g) & (HF_PSH | HF_URG | HF_ECE | HF_CWR | HF_AE));
}

static void send_syn(struct run *r)
{
	struct peer *p = any_peer(r);
	struct segment g;

	lockstep_connection(r, p);
	g = lockstep_syn(r, p);
	g.flags |= rng_percent(&r->rng, 15) ? HF_ECE | HF_CWR : harmless_flags(&r->rng);
	g.wnd = (uint16_t)rng_next(&r->rng);
	if (rng_percent(&r->rng, 5))
		g.text_len = lockstep_text(r);
	if (!g.ip6 && rng_percent(&r->rng, 5)) {
		g.ip_options_len = 4 * rng_range(&r->rng, 1, 10);
		memset(g.ip_options, 1, g.ip_options_len);
	}
	g.exact = rng_percent(&r->rng, 20);
	lockstep_send(r, &g);
}

static void feed_frame(struct run *r)
{
	/* SYN, about an entry, SYN again, ICMP, stray, broken, other, big, answer, burst; percent */
	static const uint8_t chance[MOODS][10] = {
		[BALANCED] = { 16, 40, 5, 5, 3, 11, 7, 2, 8, 3 },
		[FLOOD] = { 80, 2, 2, 1, 1, 1, 1, 0, 12, 0 },
		[HANDSHAKES] = { 30, 53, 2, 2, 1, 1, 1, 0, 10, 0 },
		[CLOSING] = { 3, 87, 0, 2, 1, 4, 1, 0, 0, 2 },
		[HOSTILE] = { 10, 24, 4, 8, 4, 33, 9, 0, 7, 1 },
		[SHORT_FRAMES] = { 4, 4, 0, 2, 0, 4, 86, 0, 0, 0 },
		[TO_HOST] = { 8, 24, 0, 10, 10, 2, 18, 28, 0, 0 },
		[HOST_BUSY] = { 20, 52, 3, 5, 3, 3, 4, 2, 5, 3 },
		[COOKIES] = { 40, 8, 3, 1, 6, 1, 1, 0, 39, 1 },
		[BURSTS] = { 10, 10, 2, 3, 2, 2, 6, 0, 5, 60 },
		[QUIET] = { 20, 55, 5, 2, 2, 3, 3, 0, 10, 0 },
	};
	struct rng *g = &r->rng;
	unsigned pick = rng_below(g, 100), what = 0;
	struct peer *p = any_peer(r);
	const struct hf_tcb *e;
	struct segment s;

	while (what < 9 && pick >= chance[r->mood.kind][what])
		pick -= chance[r->mood.kind][what++];
	e = what == 1 || what == 3 || what == 5 || what == 7 ? lockstep_entry(r) : NULL;
	if (!e && (what == 1 || what == 3))
		what = 0;
	switch (what) {
	case 0:
		send_syn(r);
		break;
	case 1:
		lockstep_attack(r, e);
		break;
	case 2:
		s = lockstep_syn(r, p);
		lockstep_send(r, &s);
		break;
	case 3:
		lockstep_icmp(r, e);
		break;
	case 4:
		s = lockstep_segment(r, p, (uint16_t)rng_next(g) & 0x1ff, (uint32_t)rng_next(g), (uint32_t)rng_next(g));
		s.src_port ^= 0x5555;
		traffic_random_options(&s, g);
		lockstep_send(r, &s);
		break;
	case 5:
		if (!e || rng_percent(g, 50)) {
			lockstep_connection(r, p);
			s = lockstep_syn(r, p);
		} else {
			s = lockstep_from_peer(r, e);
			s.text_len = rng_below(g, 40);
			s.text = (uint8_t)rng_next(g);
		}
		traffic_tcp(&r->frame, &s);
		for (unsigned n = rng_range(g, 1, 2); n--;)
			traffic_break(&r->frame, g);
		lockstep_send_frame(r);
		break;
	case 6:
		traffic_other(&r->frame, g, r->params->max_frame);
		lockstep_send_frame(r);
		break;
	case 7:
		s = e ? lockstep_from_peer(r, e) : lockstep_segment(r, p, HF_ACK, p->isn + 1, p->iss + 1);
		s.text_len = lockstep_text(r);
		s.text = rng_percent(g, 50) ? 0xff : (uint8_t)rng_next(g);
		lockstep_send(r, &s);
		break;
	case 8:
		lockstep_send_answer(r);
		break;
	default:
		lockstep_burst(r);
		break;
	}
}

/* ---- messages to the engine ---- */

void lockstep_message(struct run *r, const uint8_t *msg, size_t len)
{
	const int error = sim_h2c(r->s, msg, len);

	if (error)
		lockstep_fault(r, "errno of a message", (uint64_t)-error, 0);
}

/* An intact message of one of the four types; returns its length. */
static size_t good_message(struct run *r, uint8_t *msg)
{
	static const uint32_t read_only[] = { HF_REG_ID, HF_REG_STATUS, HF_REG_EPOCH, HF_REG_ENTRIES,
		HF_REG_COUNTER(3) };
	struct rng *g = &r->rng;
	const unsigned kind = rng_below(g, 100);
	const uint64_t cookie = r->cookie++;
	size_t len, i;
	bool ones;
	uint32_t id;

	if (kind < 20) {
		const size_t frame =
			rng_percent(g, 80) ? rng_range(g, 14, 100) : rng_range(g, 14, r->params->max_frame);
		const bool csum = rng_percent(g, 60);

		len = HF_MSG_HEADER_BYTES + frame;
		id = (uint32_t)rng_next(g);
		if (csum) {
			const uint32_t start = 2 * rng_below(g, (uint32_t)(frame - 2) / 2 + 1);
			const uint32_t offset = 2 * rng_below(g, (uint32_t)(frame - start - 2) / 2 + 1);

			id = start | offset << 16;
		}
		traffic_message(
			msg, HF_MSG_FRAME, (uint8_t)((rng_next(g) & 0xfe) | csum), (uint16_t)len, id, cookie, len);
		/* All ones and one small word: the sum carries again after its end-around carry. */
		ones = rng_percent(g, 30);
		for (i = HF_MSG_HEADER_BYTES; i < len; i++)
			msg[i] = (uint8_t)(ones || rng_percent(g, 30) ? 0xff : rng_next(g));
		if (ones) {
			i = HF_MSG_HEADER_BYTES + 2 * rng_below(g, frame / 2);
			msg[i] = 0;
			msg[i + 1] = (uint8_t)rng_below(g, 4);
		}
		msg[HF_MSG_HEADER_BYTES] = msg[HF_MSG_HEADER_BYTES + 2] = HOST_MARK;
		return len;
	}
	if (kind < 85)
		return lockstep_command(r, msg);
	len = HF_MSG_HEADER_BYTES + 8;
	if (kind < 95 || rng_percent(g, 50))
		traffic_message(
			msg, HF_MSG_REG_READ, (uint8_t)rng_next(g), (uint16_t)len, lockstep_address(g), cookie, len);
	else
		traffic_message(msg, HF_MSG_REG_WRITE, 0, (uint16_t)len,
			rng_percent(g, 50)   ? HF_REG_HEARTBEAT
			: rng_percent(g, 70) ? read_only[rng_below(g, COUNT(read_only))]
					     : (uint32_t)rng_next(g),
			cookie, len);
	msg[HF_AT_REG_WRITE_pad] = (uint8_t)rng_next(g);
	return len;
}

static void feed_message(struct run *r)
{
	uint8_t msg[SIM_FRAME_MAX];
	struct rng *g = &r->rng;
	size_t len = good_message(r, msg);
	uint32_t start;

	if (rng_percent(g, 12)) {
		switch (rng_below(g, 9)) {
		case 0:
			msg[HF_AT_HEADER_type] = (uint8_t)(rng_percent(g, 60) ? rng_below(g, 10) : rng_next(g));
			break;
		case 1:
			msg[HF_AT_HEADER_flags] = (uint8_t)rng_next(g);
			break;
		case 2:
			msg[HF_AT_HEADER_length] ^= (uint8_t)(1u << rng_below(g, 8));
			break;
		case 3:
			msg[HF_AT_HEADER_length + 1] ^= (uint8_t)(1u << rng_below(g, 8));
			break;
		case 4: /* ends early */
			len = rng_range(g, 1, (uint32_t)len);
			break;
		case 5: /* goes on */
			memset(msg + len, 0xee, 64);
			len += rng_range(g, 1, 64);
			break;
		case 6: /* checksum offsets: odd, or just beyond the end */
			msg[HF_AT_HEADER_type] = HF_MSG_FRAME;
			msg[HF_AT_HEADER_flags] |= HF_FRAME_CSUM_INSERT;
			start = (uint32_t)len - HF_MSG_HEADER_BYTES - rng_below(g, 4);
			msg[HF_AT_HEADER_id] = (uint8_t)start;
			msg[HF_AT_HEADER_id + 1] = (uint8_t)(start >> 8);
			msg[HF_AT_HEADER_id + 2] = (uint8_t)rng_below(g, 3);
			msg[HF_AT_HEADER_id + 3] = 0;
			break;
		case 7:
			msg[HF_AT_HEADER_id + rng_below(g, 4)] ^= (uint8_t)(1u << rng_below(g, 8));
			break;
		default: /* the longest frame, one octet more, the shortest and one less */
			msg[HF_AT_HEADER_type] = HF_MSG_FRAME;
			len = rng_percent(g, 50) ? HF_MSG_HEADER_BYTES + r->params->max_frame + rng_below(g, 2)
						 : HF_MSG_HEADER_BYTES + 13 + rng_below(g, 2);
			msg[HF_AT_HEADER_length] = (uint8_t)len;
			msg[HF_AT_HEADER_length + 1] = (uint8_t)(len >> 8);
			memset(msg + HF_MSG_HEADER_BYTES, HOST_MARK, len - HF_MSG_HEADER_BYTES);
			break;
		}
	}
	/* Whatever has become a frame is the host's; a wide beat may hold the mark beyond what was cut off. */
	if (msg[HF_AT_HEADER_type] == HF_MSG_FRAME) {
		msg[HF_MSG_HEADER_BYTES] = msg[HF_MSG_HEADER_BYTES + 2] = HOST_MARK;
		if (r->s->beat > HF_MSG_HEADER_BYTES && len < HF_MSG_HEADER_BYTES + 3)
			len = HF_MSG_HEADER_BYTES + 3;
	}
	lockstep_message(r, msg, len);
}

/* A register access that may be refused, or that turns something over for a while. */
static void feed_bus(struct run *r)
{
	struct rng *g = &r->rng;

	switch (rng_below(g, 8)) {
	case 0:
		lockstep_bus(r, true, lockstep_address(g), (uint32_t)rng_next(g),
			(uint8_t)(rng_percent(g, 70) ? rng_below(g, 15) : 0xf), NULL);
		break;
	case 1: /* the board moves, and comes back */
		lockstep_write(r, HF_REG_MAC_LO, (uint32_t)rng_next(g));
		for (unsigned n = rng_below(g, 10); n--;)
			lockstep_bus(r, false, lockstep_address(g), 0, 0, NULL);
		configure_one(r, 13);
		break;
	case 2:
	case 3:
	case 4:
		configure_one(r, rng_below(g, CONFIGURATIONS));
		break;
	default:
		lockstep_bus(r, false, lockstep_address(g), 0, 0, NULL);
		break;
	}
}

/* ---- random traffic ---- */

static uint8_t random_noise(struct rng *g)
{
	static const uint8_t levels[] = { 0, 0, 0, 20, 100, 200, 250 };

	return levels[rng_below(g, sizeof levels)];
}

void lockstep_mood(struct run *r)
{
	struct rng *g = &r->rng;
	struct mood *m = &r->mood;
	struct sim *s = r->s;

	m->until = s->cycle + rng_range(g, 500, 6000);
	m->kind = rng_percent(g, 25) ? CLOSING : rng_below(g, MOODS);
	m->feed = m->kind == QUIET ? 1 : rng_percent(g, 60) ? 100 : rng_range(g, 1, 30);
	m->peers = rng_percent(g, 60) ? 64 : PEERS;
	m->h2c = m->kind == HOST_BUSY ? 2000 : m->kind == CLOSING ? 200 : rng_percent(g, 60) ? 60 : rng_below(g, 600);
	m->bus = rng_percent(g, 50) ? 4 : rng_below(g, 100);
	m->hold = rng_percent(g, 50) ? 0 : rng_below(g, 200);
	m->wrong = m->kind == HANDSHAKES ? 5 : m->kind == HOSTILE ? 70 : rng_range(g, 10, 50);
	m->release = rng_below(g, 60);
	m->heartbeat = rng_percent(g, 70) ? 200 : rng_below(g, 20);
	m->epoch = m->kind == COOKIES ? 30 : rng_percent(g, 60) ? 0 : rng_below(g, 20);
	s->noise.rx_bubble = m->kind == BURSTS ? 0 : random_noise(g);
	s->noise.tx_stall = random_noise(g);
	s->noise.c2h_stall = random_noise(g);
	s->noise.h2c_bubble = random_noise(g);
	s->noise.garbage = true;
	s->rx_gap = m->kind == BURSTS || rng_percent(g, 60) ? 0 : rng_below(g, 40);
	/* From the rated clock (no tick in sight) to a millisecond every other cycle. */
	s->period_ps = rng_percent(g, 30) ? 6400 : 1000000000 / rng_range(g, 2, rng_percent(g, 50) ? 60 : 3000);
	m->jump = rng_percent(g, 60) ? 0 : rng_below(g, 20);
	if (rng_percent(g, 10))
		s->time_ps += rng_below(g, 100) * MS_PS;
	if (rng_percent(g, 20))
		lockstep_configure(r);
	if (m->kind == COOKIES) {
		r->cookie_reg |= rng_range(g, 1, 2) << HF_COOKIE_MODE_LOW;
		lockstep_write(r, HF_REG_COOKIE, r->cookie_reg);
	}
}

/* One random decision about everything, then one clock. */
bool lockstep_random(struct run *r)
{
	struct rng *g = &r->rng;
	struct sim *s = r->s;
	const struct mood *m = &r->mood;
	uint64_t dice;

	if (s->cycle >= m->until)
		lockstep_mood(r);
	dice = rng_next(g);
	if (sim_rx_pending(s) < 2 && rng_below(g, 100) < m->feed)
		feed_frame(r);
	if ((dice & 4095) < m->h2c && sim_h2c_pending(s) < 4)
		feed_message(r);
	if ((dice >> 12 & 4095) < m->bus && r->ops_count < BUS_OPS / 2)
		feed_bus(r);
	if ((dice >> 24 & 65535) < m->hold)
		*(dice >> 63 ? &r->hold_tx : &r->hold_c2h) = rng_range(g, 10, rng_percent(g, 20) ? 3000 : 300);
	if ((dice >> 40 & 65535) < m->heartbeat) {
		lockstep_write(r, HF_REG_HEARTBEAT, 0);
		if (rng_percent(g, 30))
			lockstep_write(r, HF_REG_CACHE, 1);
	}
	if (rng_below(g, 65536) < m->epoch)
		lockstep_epoch(r);
	if (rng_below(g, 4096) < m->jump)
		s->time_ps += rng_range(g, 1, 3) * MS_PS;
	s->hold_tx = r->hold_tx && r->hold_tx--;
	s->hold_c2h = r->hold_c2h && r->hold_c2h--;
	if (s->cycle >= r->next_read) {
		lockstep_read_counters(r);
		r->next_read = s->cycle + READ_EVERY;
	}
	if (r->resets && !rng_below(g, r->resets)) {
		/* In the middle of whatever goes on; frames and messages under way go on after it, headless. */
		lockstep_forget(r);
		s->in.rst = 1;
		for (unsigned n = rng_range(g, 1, 3); n--;)
			lockstep_clock(r, false);
		s->in.rst = 0;
		if (rng_percent(g, 90))
			lockstep_configure(r);
	}
	return lockstep_clock(r, true);
}
