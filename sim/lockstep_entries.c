/* SPDX-License-Identifier: Apache-2.0
 * lockstep_entries.c - random stimulus aimed at one entry, whose state the trace showed: segments of its peer, right and
 * wrong, ICMP errors about it, and commands of the host. */
#include <string.h>
#include "lockstep.h"

hf_u128 lockstep_peer_addr(bool ip6, unsigned index)
{
	return ip6 ? (hf_u128)PEER_NET6 << 64 | index : PEER_NET | index;
}

hf_u128 lockstep_local_addr(bool ip6, unsigned i)
{
	return ip6 ? (hf_u128)local_addrs6[i][0] << 64 | local_addrs6[i][1] : local_addrs[i];
}

static unsigned slots(const struct run *r)
{
	return (1u << r->params->sets_log2) * r->params->ways;
}

/* The next entry in that state from a random slot on, or NULL. */
static const struct hf_tcb *in_state(struct run *r, unsigned state)
{
	const unsigned n = slots(r), from = rng_below(&r->rng, n);

	for (unsigned i = 0; i < n; i++) {
		const unsigned slot = (from + i) % n;

		if (r->state[slot] == state)
			return &r->table[slot];
	}
	return NULL;
}

const struct hf_tcb *lockstep_entry(struct run *r)
{
	/* Seldom ones more often. */
	static const uint8_t states[] = { HF_STATE_SYN_SENT, HF_STATE_SYN_RECEIVED, HF_STATE_ESTABLISHED,
		HF_STATE_CLOSE_WAIT, HF_STATE_FIN_WAIT_1, HF_STATE_FIN_WAIT_1, HF_STATE_FIN_WAIT_2, HF_STATE_FIN_WAIT_2,
		HF_STATE_CLOSING, HF_STATE_CLOSING, HF_STATE_LAST_ACK, HF_STATE_TIME_WAIT, HF_STATE_TIME_WAIT,
		HF_STATE_TIME_WAIT };
	struct rng *g = &r->rng;
	const struct hf_tcb *e;

	if (rng_percent(g, 40)) {
		e = &r->table[r->recent[rng_below(g, RECENT)]];
		if (e->state != HF_STATE_CLOSED)
			return e;
	}
	for (unsigned tries = 3; tries--;) {
		e = in_state(r, states[rng_below(g, COUNT(states))]);
		if (e)
			return e;
	}
	return NULL;
}

/* ---- segments of the peer ---- */

size_t lockstep_text(struct run *r)
{
	struct rng *g = &r->rng;
	const unsigned kind = rng_below(g, 10);
	const uint32_t room = r->params->max_frame - 14 - 8 - 40 - 60;

	return kind < 5 ? rng_range(g, 1, 20) : kind < 8 ? rng_range(g, 1, 200) : rng_range(g, 1, room);
}

/* A segment with no more than addresses, ports and tags; now and then the peer moved to another VLAN or MAC. */
static struct segment addressed(struct run *r, const struct hf_tcb *e)
{
	struct segment s = { .ip6 = e->ip6,
		.vlan_tags = (unsigned)e->vlan_tags,
		.vlan_svlan = e->vlan_svlan,
		.vlan_outer = (uint16_t)e->vlan_outer,
		.vlan_inner = (uint16_t)e->vlan_inner,
		.src_addr = e->remote_addr,
		.dst_addr = e->local_addr,
		.src_port = (uint16_t)e->remote_port,
		.dst_port = (uint16_t)e->local_port,
		.wnd = (uint16_t)rng_next(&r->rng) };

	if (rng_percent(&r->rng, 5))
		s.vlan_tags = rng_below(&r->rng, 4);
	for (unsigned i = 0; i < 6; i++)
		s.src_mac[i] = (uint8_t)(e->remote_mac >> 8 * (5 - i));
	memcpy(s.dst_mac, lockstep_our_mac, sizeof lockstep_our_mac);
	return s;
}

struct segment lockstep_from_peer(struct run *r, const struct hf_tcb *e)
{
	struct segment s = addressed(r, e);

	s.flags = HF_ACK;
	s.seq = (uint32_t)e->rcv_nxt;
	s.ack = (uint32_t)e->snd_nxt;
	return s;
}

/* A sequence number to begin with: half of them lie so that windows cross 2^32. */
static uint32_t random_isn(struct rng *g)
{
	return rng_percent(g, 50) ? (uint32_t)rng_next(g) : 0xffffffff - rng_below(g, 4);
}

/* Options that a peer may put on its SYN, timestamps apart. */
static void syn_options(struct segment *s, struct rng *g)
{
	if (rng_percent(g, 20)) {
		traffic_random_options(s, g);
		return;
	}
	if (rng_percent(g, 70))
		traffic_option_mss(s, (uint16_t)rng_range(g, 40, 1500));
	if (rng_percent(g, 60))
		traffic_option_ws(s, (uint8_t)rng_below(g, 17));
	if (rng_percent(g, 60))
		traffic_option_sack(s);
}

/* What the peer of SYN-SENT may say. Returns whether timestamps belong on it. */
static bool answer_syn(const struct hf_tcb *e, struct segment *s, struct rng *g)
{
	const unsigned kind = rng_below(g, 100);

	s->seq = random_isn(g);
	if (kind < 50) {
		s->flags = HF_SYN | HF_ACK;
	} else if (kind < 80) { /* crossing SYNs */
		s->flags = HF_SYN;
		s->ack = rng_percent(g, 50) ? 0 : (uint32_t)rng_next(g);
	} else if (kind < 85) {
		s->flags = HF_RST | HF_ACK;
		return false;
	} else if (kind < 88) { /* a RST without ACK, which is not for us */
		s->flags = HF_RST;
		return false;
	} else { /* an old half-open connection answers */
		s->flags = HF_ACK;
		s->ack = rng_percent(g, 50) ? (uint32_t)e->iss + rng_below(g, 4) - 1 : (uint32_t)rng_next(g);
		return true;
	}
	if (rng_percent(g, 40))
		s->flags |= rng_percent(g, 50) ? HF_ECE : (uint16_t)rng_next(g) & (HF_ECE | HF_CWR);
	if (rng_percent(g, 10))
		s->flags |= (uint16_t)rng_next(g) & (HF_FIN | HF_PSH | HF_URG);
	syn_options(s, g);
	return rng_percent(g, 85);
}

/* A SYN for an entry in TIME-WAIT: newer or older by sequence number, by timestamp, or neither. */
static bool reuse_time_wait(struct segment *s, struct rng *g, uint32_t *tsval)
{
	s->flags = HF_SYN;
	if (rng_percent(g, 20))
		s->flags |= HF_ECE | HF_CWR;
	s->ack = 0;
	s->seq += rng_percent(g, 40) ? rng_below(g, 5) - 2 : (uint32_t)rng_next(g);
	*tsval += rng_percent(g, 60) ? rng_below(g, 3) - 1 : (uint32_t)rng_next(g);
	syn_options(s, g);
	return rng_percent(g, 50);
}

/* What a good peer would send next, sequence and acknowledgment numbers right. Returns whether timestamps belong on it,
 * if they were negotiated. */
static bool right(struct run *r, const struct hf_tcb *e, struct segment *s, uint32_t *tsval, bool *ts_anyway)
{
	struct rng *g = &r->rng;
	const unsigned kind = rng_below(g, 100);

	switch (e->state) {
	case HF_STATE_SYN_SENT:
		*ts_anyway = rng_percent(g, 20);
		return answer_syn(e, s, g);
	case HF_STATE_SYN_RECEIVED:
		if (kind < (e->active ? 50 : 6)) { /* our SYN-ACK crossed with theirs */
			s->flags |= HF_SYN;
			s->seq = (uint32_t)e->irs;
			if (rng_percent(g, 30))
				s->text_len = rng_below(g, 10);
			if (rng_percent(g, 10))
				s->flags |= HF_FIN;
		} else if (kind < 55) {
			s->flags = HF_SYN;
			s->seq = (uint32_t)e->irs;
		} else if (kind < 60) {
			s->flags = HF_RST;
			return false;
		} else {
			if (rng_percent(g, 25))
				s->text_len = lockstep_text(r);
			if (rng_percent(g, 10))
				s->flags |= HF_FIN;
		}
		return true;
	case HF_STATE_FIN_WAIT_1:
		if (kind < 60) /* their FIN, before or after our FIN arrived */
			s->flags |= HF_FIN;
		if (kind < 30)
			s->ack = (uint32_t)e->snd_nxt - 1;
		if (kind >= 85 && kind < 90)
			s->text_len = lockstep_text(r);
		if (kind >= 95)
			s->flags = HF_RST;
		return true;
	case HF_STATE_FIN_WAIT_2:
		if (kind < 65)
			s->flags |= HF_FIN;
		if (kind >= 65 && kind < 75)
			s->text_len = lockstep_text(r);
		if (kind >= 75 && kind < 83) { /* what came before their FIN was lost */
			s->flags |= HF_FIN;
			s->seq += rng_range(g, 1, 20);
		}
		if (kind >= 90)
			s->flags = HF_RST;
		return true;
	case HF_STATE_CLOSING:
	case HF_STATE_LAST_ACK:
		if (kind < 20) {
			s->flags |= HF_FIN;
			s->seq--;
		}
		if (kind < 40)
			s->ack = (uint32_t)e->snd_nxt - 1;
		if (kind >= 90)
			s->flags = HF_RST;
		return true;
	case HF_STATE_TIME_WAIT:
		if (kind < 30) {
			s->flags |= HF_FIN;
			s->seq--;
		} else if (kind < 65) {
			*ts_anyway = rng_percent(g, 40);
			return reuse_time_wait(s, g, tsval);
		} else if (kind < 75) {
			s->flags = HF_RST;
		}
		return true;
	default:
		if (rng_percent(g, 50))
			s->text_len = lockstep_text(r);
		if (rng_percent(g, 20))
			s->flags |= HF_FIN;
		return true;
	}
}

/* Moves a segment to an edge of what is right, or beyond it. */
static void wrong(struct run *r, const struct hf_tcb *e, struct segment *s, uint32_t *tsval, bool *ts)
{
	struct rng *g = &r->rng;
	const uint32_t window = (uint32_t)e->rcv_wnd;

	switch (rng_below(g, 18)) {
	case 0:
		s->seq += rng_below(g, 6) - 3;
		break;
	case 1:
		s->seq = (uint32_t)e->rcv_nxt + window + rng_below(g, 6) - 3;
		break;
	case 2: /* the last octet on the edge of the window */
		s->seq += window - (uint32_t)s->text_len + rng_below(g, 4) - 2;
		break;
	case 3:
		s->seq = (uint32_t)rng_next(g);
		break;
	case 4:
		s->ack += rng_below(g, 6) - 3;
		break;
	case 5:
		s->ack = rng_percent(g, 50) ? (uint32_t)e->snd_una + rng_below(g, 3) - 1 : (uint32_t)rng_next(g);
		break;
	case 6:
		s->flags = (uint16_t)rng_next(g) & 0x1ff;
		break;
	case 7: /* RST: exact, in the window, outside */
		s->flags = HF_RST | (rng_percent(g, 30) ? HF_ACK : 0);
		s->seq = (uint32_t)e->rcv_nxt;
		if (rng_percent(g, 70))
			s->seq += rng_percent(g, 50) ? rng_below(g, 6) - 3 : window + rng_below(g, 4) - 2;
		break;
	case 8: /* SYN, once more or a new one */
		s->flags = HF_SYN;
		s->seq = rng_percent(g, 60) ? (uint32_t)e->irs + (rng_percent(g, 30) ? rng_below(g, 3) - 1 : 0)
					    : (uint32_t)e->rcv_nxt + rng_below(g, 5) - 2;
		if (rng_percent(g, 40))
			s->flags |= (uint16_t)rng_next(g) & (HF_ACK | HF_FIN | HF_RST | HF_ECE | HF_CWR);
		syn_options(s, g);
		if (rng_percent(g, 30))
			*ts = !*ts;
		if (rng_percent(g, 30))
			*tsval -= rng_range(g, 1, 5);
		break;
	case 9:
		*ts = !*ts;
		break;
	case 10:
		*tsval = (uint32_t)e->ts_recent - rng_below(g, 4);
		*ts = true;
		break;
	case 11:
		*tsval = (uint32_t)e->ts_recent +
			 (rng_percent(g, 50) ? 0x80000000 + rng_below(g, 3) - 1 : (uint32_t)rng_next(g));
		break;
	case 12: /* FIN beyond a hole, or before it */
		s->flags |= HF_FIN;
		s->seq += rng_range(g, 0, 4) - 1;
		s->text_len = rng_percent(g, 60) ? 0 : rng_below(g, 4);
		break;
	case 13: /* old text, which may reach to RCV.NXT and beyond it */
		s->text_len = rng_range(g, 1, 12);
		s->seq -= (uint32_t)s->text_len + rng_below(g, 3) - 1;
		if (rng_percent(g, 40))
			s->flags |= HF_FIN;
		break;
	case 14: /* the FIN again, also with text, SYN, RST, or without ACK */
		s->text_len = rng_percent(g, 30) ? rng_range(g, 1, 10) : 0;
		s->seq = (uint32_t)(e->rcv_nxt - s->text_len) - 1;
		s->flags |= HF_FIN;
		if (rng_percent(g, 30))
			s->flags ^= (uint16_t)rng_next(g) & (HF_SYN | HF_RST | HF_ACK);
		if (rng_percent(g, 30))
			*tsval -= rng_range(g, 1, 5);
		break;
	case 15: /* acknowledges no FIN yet, or what was never sent */
		s->ack = (uint32_t)e->snd_nxt +
			 (uint32_t[]){ (uint32_t)-1, 1, (uint32_t)-2, 0x80000000 }[rng_below(g, 4)];
		break;
	case 16:
		s->flags &= (uint16_t)~HF_ACK;
		break;
	default:
		traffic_random_options(s, g);
		break;
	}
}

void lockstep_attack(struct run *r, const struct hf_tcb *e)
{
	struct rng *g = &r->rng;
	struct segment s = lockstep_from_peer(r, e);
	uint32_t tsval = (uint32_t)e->ts_recent + rng_below(g, 3);
	bool anyway = false, ts = right(r, e, &s, &tsval, &anyway) && e->ts_ok;

	ts |= anyway;
	if (rng_percent(g, r->mood.wrong))
		wrong(r, e, &s, &tsval, &ts);
	if (rng_percent(g, 10))
		s.flags |= (uint16_t)rng_next(g) & (HF_PSH | HF_URG | HF_ECE | HF_CWR | HF_AE);
	s.text = (uint8_t)rng_next(g);
	if (ts)
		traffic_option_ts(&s, tsval, (uint32_t)rng_next(g));
	/* The same several times: retransmissions, and more challenges than the limit allows. */
	for (unsigned n = rng_percent(g, 8) ? rng_range(g, 2, 9) : 1; n--;)
		lockstep_send(r, &s);
}

void lockstep_icmp(struct run *r, const struct hf_tcb *e)
{
	static const uint8_t kinds[2][10][2] = {
		{ { 3, 2 }, { 3, 3 }, { 3, 2 }, { 3, 3 }, { 3, 0 }, { 3, 1 }, { 3, 4 }, { 11, 0 }, { 12, 1 },
			{ 5, 0 } },
		{ { 1, 4 }, { 1, 4 }, { 1, 4 }, { 1, 4 }, { 1, 0 }, { 1, 3 }, { 2, 0 }, { 3, 0 }, { 4, 1 },
			{ 128, 4 } },
	};
	struct rng *g = &r->rng;
	struct segment s = addressed(r, e);
	const uint8_t *kind = kinds[s.ip6][rng_below(g, 10)];
	size_t octets = rng_percent(g, 60) ? 8 : rng_range(g, 8, 40);

	/* What we sent: the other way round. */
	s.src_addr = e->local_addr;
	s.dst_addr = e->remote_addr;
	s.src_port = (uint16_t)e->local_port;
	s.dst_port = (uint16_t)e->remote_port;
	s.flags = HF_SYN;
	s.seq = (uint32_t)(rng_percent(g, 50) ? e->snd_una : e->snd_nxt);
	if (rng_percent(g, 20))
		s.seq += rng_below(g, 3) - 1;
	if (rng_percent(g, 5))
		s.dst_port ^= 1;
	if (rng_percent(g, 5))
		octets = rng_below(g, 8);
	traffic_icmp(&r->frame, &s, lockstep_peer_addr(s.ip6, rng_below(g, PEERS)), kind[0],
		rng_percent(g, 90) ? kind[1] : (uint8_t)rng_below(g, 16), octets);
	if (rng_percent(g, 20))
		traffic_break_icmp(&r->frame, g);
	lockstep_send_frame(r);
}

/* ---- commands ---- */

static void little(uint8_t *p, uint64_t value, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static void network_addr(uint8_t *p, bool ip6, hf_u128 addr)
{
	memset(p, 0, 16);
	if (!ip6)
		p[10] = p[11] = 0xff;
	traffic_address(ip6 ? p : p + 12, ip6, addr);
}

size_t lockstep_body(struct run *r, uint8_t *msg, uint8_t command, const struct hf_tcb *e, uint32_t now_ms)
{
	const size_t len = HF_AT_EVENT_rto_ms + HF_SIZE_EVENT_rto_ms;
	struct rng *g = &r->rng;

	traffic_message(msg, HF_MSG_COMMAND, command, (uint16_t)len, (uint32_t)rng_next(g), r->cookie++, len);
	msg[HF_AT_EVENT_code] = (uint8_t)rng_next(g);
	msg[HF_AT_EVENT_state] = (uint8_t)e->state;
	msg[HF_AT_EVENT_listener] = (uint8_t)(e->listener | e->active << 6 | e->ecn_ok << 7 | (rng_next(g) & 0x30));
	msg[HF_AT_EVENT_options] = (uint8_t)(e->ws_ok | e->ts_ok << 1 | e->sack_ok << 2 | e->syn_lost << 3 |
					     (rng_next(g) & 0x10) | e->vlan_tags << 5 | e->vlan_svlan << 7);
	network_addr(msg + HF_AT_EVENT_remote_addr, e->ip6, e->remote_addr);
	network_addr(msg + HF_AT_EVENT_local_addr, e->ip6, e->local_addr);
	for (unsigned i = 0; i < 6; i++)
		msg[HF_AT_EVENT_remote_mac + i] = (uint8_t)(e->remote_mac >> 8 * (5 - i));
#define PUT(field, value) little(msg + HF_AT_EVENT_##field, value, HF_SIZE_EVENT_##field)
	PUT(mss, e->mss);
	PUT(snd_wscale, e->snd_wscale);
	PUT(rcv_wscale, e->rcv_wscale);
	PUT(remote_port, e->remote_port);
	PUT(local_port, e->local_port);
	PUT(vlan, e->vlan_outer);
	PUT(vlan_inner, e->vlan_inner);
	PUT(iss, e->iss);
	PUT(irs, e->irs);
	PUT(snd_una, e->snd_una);
	PUT(snd_nxt, e->snd_nxt);
	PUT(rcv_nxt, e->rcv_nxt);
	PUT(snd_wnd, e->snd_wnd);
	PUT(rcv_wnd, e->rcv_wnd);
	PUT(ts_recent, e->ts_recent);
	PUT(ts_offset, e->ts_offset);
	PUT(rto_ms, e->rto_ms);
	PUT(now_ms, now_ms);
	/* These four do not matter in a command. */
	PUT(snd_wl1, rng_next(g));
	PUT(tsecr, rng_next(g));
	PUT(rtt_ms, rng_next(g));
	PUT(seg_wnd, rng_next(g));
#undef PUT
	return len;
}

/* An entry that no trace showed. */
static struct hf_tcb invented(struct run *r)
{
	struct rng *g = &r->rng;
	const bool ip6 = rng_percent(g, 45);
	const uint32_t seq = random_isn(g);

	return (struct hf_tcb){ .listener = rng_below(g, 16),
		.ip6 = ip6,
		.active = rng_percent(g, 50),
		.remote_addr = lockstep_peer_addr(ip6, rng_below(g, r->mood.peers)),
		.local_addr = lockstep_local_addr(ip6, rng_percent(g, 80) ? 0 : rng_below(g, COUNT(local_addrs))),
		.remote_port = rng_percent(g, 70) ? rng_range(g, 1, 65535) : 80,
		.local_port = rng_percent(g, 50) ? local_ports[rng_below(g, 2)] : rng_range(g, 1, 65535),
		.remote_mac = 0x020000000000 | (rng_next(g) & 0xff00ffffff),
		.vlan_tags = rng_percent(g, 60) ? 0 : rng_below(g, 3),
		.vlan_svlan = rng_percent(g, 30),
		.vlan_outer = rng_next(g) & 0xffff,
		.vlan_inner = rng_next(g) & 0xffff,
		.iss = rng_next(g) & 0xffffffff,
		.irs = rng_next(g) & 0xffffffff,
		.snd_una = seq,
		.snd_nxt = seq,
		.rcv_nxt = random_isn(g),
		.snd_wnd = rng_next(g) & 0xffffffff,
		.rcv_wnd = rng_percent(g, 70) ? rng_below(g, 70000) : rng_next(g) & 0xffffffff,
		.mss = rng_next(g) & 0xffff,
		.snd_wscale = rng_below(g, 15),
		.rcv_wscale = rng_below(g, 15),
		.ws_ok = rng_percent(g, 60),
		.ts_ok = rng_percent(g, 60),
		.sack_ok = rng_percent(g, 60),
		.syn_lost = rng_percent(g, 20),
		.ecn_ok = rng_percent(g, 20),
		.ts_recent = random_isn(g),
		.ts_offset = rng_next(g) & 0xffffffff };
}

/* One thing that cannot be, in a good body. */
static void spoil(uint8_t *msg, struct rng *g)
{
	uint8_t *remote = msg + HF_AT_EVENT_remote_addr, *local = msg + HF_AT_EVENT_local_addr;
	uint8_t *addr = rng_percent(g, 50) ? remote : local;
	const bool mapped = addr[10] == 0xff && addr[11] == 0xff && !addr[0];

	switch (rng_below(g, 15)) {
	case 0: /* one address of the other family, or all but IPv4-mapped */
		addr[rng_percent(g, 50) ? 10 + rng_below(g, 2) : rng_below(g, 10)] ^= (uint8_t)(1u << rng_below(g, 8));
		break;
	case 1:
		memset(addr + (mapped ? 12 : 0), 0, mapped ? 4 : 16);
		break;
	case 2: /* multicast, and its neighbours */
	case 14:
		addr[mapped ? 12 : 0] = (uint8_t)(uint8_t[]){ 0xe0, 0xdf, 0xef, 0xf0, 0xff, 0xfe }[rng_below(g, 6)];
		break;
	case 3:
		memset(addr + 12, 0xff, 4);
		if (rng_percent(g, 20))
			addr[15] = 0xfe;
		break;
	case 4:
		memset(msg + (rng_percent(g, 50) ? HF_AT_EVENT_remote_port : HF_AT_EVENT_local_port), 0, 2);
		break;
	case 5: /* LAND, or all but */
		memcpy(remote, local, 16);
		if (rng_percent(g, 70))
			memcpy(msg + HF_AT_EVENT_remote_port, msg + HF_AT_EVENT_local_port, 2);
		break;
	case 6:
		memset(msg + HF_AT_EVENT_remote_mac, 0, 6);
		break;
	case 7:
		msg[HF_AT_EVENT_remote_mac] |= 1;
		break;
	case 8:
		msg[HF_AT_EVENT_options] |= 0x60;
		break;
	case 9:
		msg[rng_percent(g, 50) ? HF_AT_EVENT_snd_wscale : HF_AT_EVENT_rcv_wscale] =
			(uint8_t)(rng_percent(g, 50) ? 15 : 1u << rng_range(g, 4, 7));
		break;
	case 10:
	case 11:
		msg[HF_AT_EVENT_state] = (uint8_t)(rng_percent(g, 80) ? rng_below(g, 12) : rng_next(g));
		break;
	case 12:
		msg[HF_AT_EVENT_snd_una + rng_below(g, 4)] ^= (uint8_t)(1u << rng_below(g, 8));
		break;
	default:
		for (unsigned n = rng_range(g, 1, 4); n--;)
			msg[rng_range(g, HF_AT_EVENT_code, 127)] = (uint8_t)rng_next(g);
		break;
	}
	/* Frames with both marks would be taken for the host's. */
	if (msg[HF_AT_EVENT_remote_mac] == HOST_MARK)
		msg[HF_AT_EVENT_remote_mac] ^= 0x10;
	if (msg[HF_AT_EVENT_remote_mac + 2] == HOST_MARK)
		msg[HF_AT_EVENT_remote_mac + 2] ^= 0x10;
}

static size_t with_body(struct run *r, uint8_t *msg, uint8_t command)
{
	struct rng *g = &r->rng;
	struct hf_tcb e = invented(r);
	const struct hf_tcb *known = NULL;
	uint32_t now_ms = 0;
	size_t len;

	if (rng_percent(g, command == HF_COMMAND_CONNECT ? 8 : 15))
		known = lockstep_entry(r);
	else if (command != HF_COMMAND_CONNECT && rng_percent(g, 60))
		known = in_state(r, rng_percent(g, 60) ? HF_STATE_ESTABLISHED : HF_STATE_CLOSE_WAIT);
	if (known)
		e = *known;
	/* Idle, and in a state that CLOSE and ADOPT take. */
	e.snd_una = e.snd_nxt;
	if (e.state != HF_STATE_ESTABLISHED && e.state != HF_STATE_CLOSE_WAIT)
		e.state = HF_STATE_ESTABLISHED;
	if (rng_percent(g, 40))
		e.state = HF_STATE_CLOSE_WAIT;
	if (command == HF_COMMAND_ADOPT && rng_percent(g, 30))
		e.snd_una -= rng_below(g, 1000);
	e.rto_ms = rng_percent(g, 40) ? 0 : rng_percent(g, 80) ? rng_range(g, 1, 40) : rng_below(g, 65536);
	if (rng_percent(g, 50))
		now_ms = rng_percent(g, 80) ? rng_range(g, 1, 300) : (uint32_t)rng_next(g);
	len = lockstep_body(r, msg, command, &e, now_ms);
	if (rng_percent(g, 18))
		spoil(msg, g);
	return len;
}

/* The id of an entry, live or stale, or of a slot that does not exist. */
static uint32_t some_id(struct run *r)
{
	struct rng *g = &r->rng;
	const unsigned kind = rng_below(g, 100);
	const struct hf_tcb *e = kind < 45 ? lockstep_entry(r) : NULL;
	unsigned slot = rng_below(g, slots(r));

	if (kind < 75 && !e && r->ids_count) { /* as an event named it */
		const unsigned at = rng_below(g, r->ids_count);
		const uint32_t id = r->ids[at];

		if (rng_percent(g, 90))
			r->ids[at] = r->ids[--r->ids_count];
		return id;
	}
	if (e)
		slot = (unsigned)(e - r->table);
	if (kind >= 90 && rng_percent(g, 50))
		return (uint32_t)r->table[slot].generation << 16 | (slots(r) + rng_below(g, 65536 - slots(r)));
	return (uint32_t)(r->table[slot].generation - (rng_percent(g, 10) ? 1 : 0)) << 16 | slot;
}

size_t lockstep_command(struct run *r, uint8_t *msg)
{
	static const uint8_t often[] = { HF_COMMAND_RELEASE, HF_COMMAND_RELEASE, HF_COMMAND_ABORT, HF_COMMAND_DUMP,
		HF_COMMAND_CONNECT, HF_COMMAND_CONNECT, HF_COMMAND_CONNECT, HF_COMMAND_CONNECT, HF_COMMAND_CLOSE,
		HF_COMMAND_CLOSE, HF_COMMAND_CLOSE, HF_COMMAND_ADOPT, HF_COMMAND_ADOPT };
	const uint8_t command = often[rng_below(&r->rng, COUNT(often))];

	if (command >= HF_COMMAND_CONNECT)
		return with_body(r, msg, command);
	traffic_message(
		msg, HF_MSG_COMMAND, command, HF_MSG_HEADER_BYTES, some_id(r), r->cookie++, HF_MSG_HEADER_BYTES);
	return HF_MSG_HEADER_BYTES;
}
