/* SPDX-License-Identifier: Apache-2.0
 * lockstep_flood.c - random stimulus aimed at the core's defences: answers to SYN-ACKs whether cookies or not, bursts
 * of one tuple or one set, the end of an epoch, and the registers of cookies, limits, cache and shares. */
#include <string.h>
#include "lockstep.h"

/* ---- answers to SYN-ACKs ---- */

static hf_u128 address(const uint8_t *octets, bool ip6)
{
	hf_u128 addr = 0;

	for (unsigned i = 0; i < (ip6 ? 16 : 4); i++)
		addr = addr << 8 | octets[i];
	return addr;
}

/* The engine's SYN-ACKs have no options but those it writes itself; of these timestamps matter here. */
static void find_timestamps(const uint8_t *tcp, struct answer *a)
{
	const size_t end = (tcp[12] >> 4) * 4u;

	for (size_t at = 20; at + 10 <= end;) {
		if (tcp[at] == 8) {
			a->ts = true;
			a->tsval = packet_get32(tcp + at + 2);
			a->tsecr = packet_get32(tcp + at + 6);
			return;
		}
		at += tcp[at] == 1 || !tcp[at + 1] ? 1 : tcp[at + 1];
	}
}

void lockstep_synack(struct run *r, const uint8_t *frame, size_t l3, size_t tcp)
{
	struct answer *a = &r->answers[r->answers_count++ % ANSWERS];
	const uint8_t *ip = frame + l3;

	memset(a, 0, sizeof *a);
	a->vlan_tags = (unsigned)(l3 - PACKET_ETH_HEADER) / 4;
	memcpy(a->tags, frame + 12, 4 * a->vlan_tags);
	memcpy(a->peer_mac, frame, 6);
	a->ip6 = packet_get16(ip - 2) == PACKET_ETHERTYPE_IPV6;
	a->local_addr = address(ip + (a->ip6 ? 8 : 12), a->ip6);
	a->peer_addr = address(ip + (a->ip6 ? 24 : 16), a->ip6);
	a->local_port = packet_get16(frame + tcp);
	a->peer_port = packet_get16(frame + tcp + 2);
	a->seq = packet_get32(frame + tcp + 4);
	a->ack = packet_get32(frame + tcp + 8);
	find_timestamps(frame + tcp, a);
}

struct segment lockstep_answer(const struct answer *a, uint32_t tsval)
{
	struct segment g = { .ip6 = a->ip6,
		.vlan_tags = a->vlan_tags,
		.vlan_svlan = a->vlan_tags && packet_get16(a->tags) == 0x88a8,
		.vlan_outer = packet_get16(a->tags + 2),
		.vlan_inner = packet_get16(a->tags + 6),
		.src_addr = a->peer_addr,
		.dst_addr = a->local_addr,
		.src_port = a->peer_port,
		.dst_port = a->local_port,
		.seq = a->ack,
		.ack = a->seq + 1,
		.flags = HF_ACK,
		.wnd = 0x1234 };

	memcpy(g.src_mac, a->peer_mac, sizeof g.src_mac);
	memcpy(g.dst_mac, lockstep_our_mac, sizeof lockstep_our_mac);
	if (a->ts)
		traffic_option_ts(&g, tsval, a->tsval);
	return g;
}

static void spoil(struct run *r, const struct answer *a, struct segment *s)
{
	struct rng *g = &r->rng;
	const uint32_t by = rng_below(g, 19) - 9;

	switch (rng_below(g, 11)) {
	case 0:
		s->ack += by;
		break;
	case 1:
		s->seq += by;
		break;
	case 2:
		s->ack ^= 1u << rng_below(g, 32);
		break;
	case 3: /* what TSecr remembers */
		s->options_len = 0;
		traffic_option_ts(s, a->tsecr, a->tsval ^ 1u << rng_below(g, rng_percent(g, 80) ? 7 : 32));
		break;
	case 4: /* timestamps where there were none, or none where there were */
		s->options_len = 0;
		if (!a->ts)
			traffic_option_ts(s, (uint32_t)rng_next(g), (uint32_t)rng_next(g));
		break;
	case 5:
		*(rng_percent(g, 50) ? &s->src_port : &s->dst_port) ^= (uint16_t)(1u << rng_below(g, 16));
		break;
	case 6: /* the peer moved; no cookie knows where it was */
		s->src_mac[5] ^= 0x10;
		s->vlan_tags = rng_below(g, 4);
		break;
	case 7: /* both numbers: the difference is what counts */
		s->seq += by;
		s->ack += by;
		break;
	case 8:
		s->flags = (uint16_t)rng_next(g) & 0x1ff;
		break;
	case 9: /* another epoch's number, or the other key's */
		s->ack ^= (rng_below(g, 7) + 1) << 29;
		break;
	default:
		s->options_len = 0;
		traffic_random_options(s, g);
		break;
	}
}

void lockstep_send_answer(struct run *r)
{
	struct rng *g = &r->rng;
	const unsigned have = r->answers_count < ANSWERS ? r->answers_count : ANSWERS;
	const struct answer *a;
	struct segment s;

	if (!have)
		return;
	a = &r->answers[(r->answers_count - 1 - rng_below(g, rng_percent(g, 70) && have > 4 ? 4 : have)) % ANSWERS];
	s = lockstep_answer(a, a->tsecr + rng_below(g, 3));
	s.wnd = (uint16_t)rng_next(g);
	s.exact = rng_percent(g, 20);
	if (rng_percent(g, 20))
		s.text_len = lockstep_text(r);
	if (rng_percent(g, 10))
		s.flags |= HF_FIN;
	if (rng_percent(g, 10))
		s.flags |= (uint16_t)rng_next(g) & (HF_PSH | HF_URG | HF_ECE | HF_CWR | HF_AE);
	if (rng_percent(g, r->mood.wrong))
		spoil(r, a, &s);
	/* Again: with the entry it finds itself, without one it is a second connection, which the host sorts out. */
	for (unsigned n = rng_percent(g, 15) ? rng_range(g, 2, 4) : 1; n--;)
		lockstep_send(r, &s);
}

/* ---- bursts ---- */

/* Whose segments a burst mixes: an entry, or else a peer. */
struct subject {
	const struct hf_tcb *entry;
	struct peer *peer;
};

static struct subject some_subject(struct run *r, const struct hf_tcb *near)
{
	struct rng *g = &r->rng;
	struct subject s = { .peer = &r->peers[rng_below(g, r->mood.peers)] };

	if (near && rng_percent(g, 60)) /* the other ways of its set */
		s.entry = &r->table[(unsigned)(near - r->table) ^ rng_below(g, r->params->ways)];
	if (s.entry && s.entry->state == HF_STATE_CLOSED)
		s.entry = NULL;
	if (!s.entry)
		lockstep_connection(r, s.peer);
	return s;
}

/* A SYN, a RST that undoes it, or a stray, short enough for few beats. */
static void peer_segment(struct run *r, const struct peer *p)
{
	struct rng *g = &r->rng;
	const unsigned kind = rng_below(g, 10);
	struct segment s = lockstep_syn(r, p);

	if (kind >= 5) {
		s.flags = kind < 8 ? HF_RST : kind < 9 ? HF_ACK : (uint16_t)rng_next(g) & 0x1ff;
		s.seq++;
		s.options_len = 0;
	} else if (rng_percent(g, 50)) {
		s.options_len = 0;
	}
	s.exact = rng_percent(g, 50);
	lockstep_send(r, &s);
}

void lockstep_burst(struct run *r)
{
	struct rng *g = &r->rng;
	const struct hf_tcb *near = lockstep_entry(r);
	struct subject subjects[3];
	const unsigned n = rng_range(g, 1, COUNT(subjects));

	for (unsigned i = 0; i < n; i++)
		subjects[i] = some_subject(r, near);
	for (unsigned i = 0, count = rng_range(g, 3, 16); i < count; i++) {
		/* In turn, or in any order. */
		const struct subject *s = &subjects[rng_percent(g, 60) ? i % n : rng_below(g, n)];

		if (rng_percent(g, 6)) {
			traffic_other(&r->frame, g, r->params->max_frame);
			lockstep_send_frame(r);
		} else if (s->entry && rng_percent(g, 15)) {
			lockstep_icmp(r, s->entry);
		} else if (s->entry) {
			lockstep_attack(r, s->entry);
		} else {
			peer_segment(r, s->peer);
		}
	}
}

/* ---- registers ---- */

static uint32_t random_bucket(struct rng *g, unsigned rate_low, unsigned burst_low)
{
	const uint32_t rate = rng_percent(g, 25) ? 0 : rng_percent(g, 70) ? rng_range(g, 1, 3) : rng_below(g, 65536);
	const uint32_t burst = rng_percent(g, 70) ? rng_below(g, 7) : rng_below(g, 65536);

	return rate << rate_low | burst << burst_low;
}

/* An entry of the rule table: mostly a part of the peers, denied or with few tokens; seldom all of them, and then with many. */
static void random_rule(struct run *r)
{
	struct rng *g = &r->rng;
	const bool ip6 = rng_percent(g, 40), wide = rng_percent(g, 10);
	hf_u128 prefix = lockstep_peer_addr(ip6, rng_below(g, r->mood.peers ? r->mood.peers : PEERS));
	unsigned bits = rng_percent(g, 95) ? rng_range(g, wide ? 0 : 118, 128) : rng_below(g, 256);
	uint32_t rate = rng_percent(g, 35) ? 0 : rng_percent(g, 70) ? rng_below(g, 5000) : rng_below(g, 1u << 24);

	if (!ip6)
		prefix |= (hf_u128)0xffff << 32;
	if (rng_percent(g, 5))
		prefix = (hf_u128)rng_next(g) << 64 | rng_next(g);
	if (wide)
		rate = rng_percent(g, 5) ? 0 : rng_range(g, 100000, (1u << 24) - 1);
	for (unsigned i = 0; i < 4; i++)
		lockstep_write(r, HF_REG_RULE_ADDR0 + 4 * i, (uint32_t)(prefix >> 32 * i));
	lockstep_write(r, HF_REG_RULE_MASK_LEN, bits);
	lockstep_write(r, HF_REG_RULE_RATE, rate);
	lockstep_write(r, HF_REG_RULE_BURST, rng_below(g, wide || rng_percent(g, 10) ? 1024 : 8));
	lockstep_write(r, HF_REG_RULE_COMMIT,
		rng_below(g, rng_percent(g, 95) && r->params->rules ? r->params->rules : 256) |
			(rng_percent(g, 75) ? 1u : 0u) << HF_RULE_COMMIT_VALID_LOW);
	if (rng_percent(g, 30))
		lockstep_write(r, HF_REG_RULE_SELECT, rng_below(g, r->params->rules + 1));
}

/* Half-open entries: as after reset, few, or anything. */
static uint32_t watermark(struct run *r, unsigned percent)
{
	struct rng *g = &r->rng;
	const unsigned kind = rng_below(g, 100);

	return kind < 50   ? (r->params->ways << r->params->sets_log2) * percent / 100
	       : kind < 75 ? rng_below(g, 8)
	       : kind < 90 ? 0x1ffff
			   : rng_below(g, 0x20000);
}

void lockstep_configure_defence(struct run *r, unsigned what)
{
	static const uint8_t modes[] = { 0, 0, 0, 1, 1, 1, 1, 2, 2, 3 }, shares[] = { 0, 1, 0x40, 0x80, 0xff };
	struct rng *g = &r->rng;

	switch (what) {
	case 0:
		r->cookie_reg = (uint32_t)modes[rng_below(g, COUNT(modes))] << HF_COOKIE_MODE_LOW |
				rng_below(g, 2) << HF_COOKIE_KEY_LOW | rng_below(g, 4) << HF_COOKIE_LIFETIME_LOW;
		lockstep_write(r, HF_REG_COOKIE, r->cookie_reg);
		break;
	case 1:
		lockstep_write(r, HF_REG_COOKIE_HIGH, watermark(r, 75));
		lockstep_write(r, HF_REG_COOKIE_LOW, watermark(r, 50));
		break;
	case 2:
		lockstep_write(r, HF_REG_CACHE, rng_percent(g, 80));
		break;
	case 3:
		lockstep_write(r, HF_REG_RST_LIMIT, random_bucket(g, HF_RST_LIMIT_RATE_LOW, HF_RST_LIMIT_BURST_LOW));
		break;
	case 4:
		lockstep_write(
			r, HF_REG_SYNACK_LIMIT, random_bucket(g, HF_SYNACK_LIMIT_RATE_LOW, HF_SYNACK_LIMIT_BURST_LOW));
		break;
	case 5:
		lockstep_write(r, HF_REG_MISS_LIMIT, random_bucket(g, HF_MISS_LIMIT_RATE_LOW, HF_MISS_LIMIT_BURST_LOW));
		break;
	case 6:
		lockstep_write(r, HF_REG_TX_SHARE,
			rng_percent(g, 70) ? shares[rng_below(g, COUNT(shares))] : rng_below(g, 256));
		break;
	case 7:
	case 8:
		random_rule(r);
		break;
	case 9:
		lockstep_write(r, HF_REG_SAMPLE,
			rng_percent(g, 30)   ? 0
			: rng_percent(g, 85) ? rng_range(g, 1, 6)
					     : (uint32_t)rng_next(g));
		lockstep_write(r, HF_REG_LISTEN_SELECT, rng_below(g, rng_percent(g, 90) ? r->params->listeners : 256));
		break;
	default: /* a rotation; the key in use is refused while CTRL.ENABLE is set */
		for (unsigned i = 0; i < 4; i++) {
			lockstep_write(r, HF_REG_KEY_COOKIE_A0 + 4 * i, (uint32_t)rng_next(g));
			lockstep_write(r, HF_REG_KEY_COOKIE_B0 + 4 * i, (uint32_t)rng_next(g));
		}
		r->cookie_reg ^= rng_below(g, 2) << HF_COOKIE_KEY_LOW;
		lockstep_write(r, HF_REG_COOKIE, r->cookie_reg);
		break;
	}
}

/* ---- time ---- */

/* The pins' time goes on, milliseconds do not. */
static void skip(struct run *r, uint64_t ps)
{
	struct sim *s = r->s;
	const uint64_t ms = s->time_ps / MS_PS;

	s->time_ps += ps;
	s->ms_done += s->time_ps / MS_PS - ms;
}

void lockstep_skip_epochs(struct run *r, unsigned epochs)
{
	skip(r, epochs * EPOCH_PS);
}

void lockstep_epoch(struct run *r)
{
	const struct sim *s = r->s;
	const uint64_t ns = s->base_ns + s->time_ps / 1000, left = EPOCH_PS / 1000 - ns % (EPOCH_PS / 1000);
	const uint64_t soon = rng_below(&r->rng, 200) * s->period_ps / 1000;

	switch (rng_below(&r->rng, 3)) {
	case 0: /* within the next cycles */
		skip(r, left > soon ? (left - soon) * 1000 : 0);
		break;
	case 1:
		lockstep_skip_epochs(r, 1);
		break;
	default:
		lockstep_skip_epochs(r, rng_range(&r->rng, 1, 5));
		break;
	}
}
