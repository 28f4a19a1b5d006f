/* SPDX-License-Identifier: Apache-2.0
 * lockstep_limits.c - directed rows for what defends the core: cookies by key, age and options, watermarks,
 * token buckets, CACHE.COMPLETE; for ops that follow one another on one entry; for the wire's shares, register accesses
 * behind SNAPSHOT, and every length of frames and messages. What the specification says of them is expected here too. */
#include <string.h>
#include "lockstep.h"

#define QUIET_CYCLES 48u /* without a sound: nothing is under way */
#define WAYS_MAX     8u
#define BUSY_PORT    7000u /* ports of peers that rows take anew */

static void expect(struct run *r, const char *what, uint64_t got, uint64_t expected)
{
	if (got != expected)
		lockstep_fault(r, what, got, expected);
}

static bool settle(struct run *r)
{
	return lockstep_settle(r, QUIET_CYCLES);
}

/* A listener each for IPv4 (0) and IPv6 (1), with every option. */
static void listeners(struct run *r)
{
	for (unsigned i = 0; i < 4; i++)
		lockstep_write(r, HF_REG_LOCAL6_A0 + 4 * i, (uint32_t)(lockstep_local_addr(true, 0) >> 32 * i));
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		lockstep_write(r, HF_REG_LISTEN_OPTS, 7 | ip6 << HF_LISTEN_OPTS_IP6_LOW);
		lockstep_write(r, HF_REG_LISTEN_COMMIT, ip6 | 1u << HF_LISTEN_COMMIT_MODE_LOW);
	}
}

static void cookies(struct run *r, unsigned mode, unsigned key, unsigned lifetime)
{
	r->cookie_reg = mode << HF_COOKIE_MODE_LOW | key << HF_COOKIE_KEY_LOW | lifetime << HF_COOKIE_LIFETIME_LOW;
	lockstep_write(r, HF_REG_COOKIE, r->cookie_reg);
}

/* Peer `index`, with a port that no row had before. */
static struct peer *fresh_peer(struct run *r, unsigned index, bool ip6)
{
	struct peer *p = &r->peers[index];
	const uint16_t port = p->port;

	ip6 = ip6 && !r->params->no_ip6;
	*p = (struct peer){ .ip6 = ip6,
		.local_addr = lockstep_local_addr(ip6, 0),
		.local_port = local_ports[0],
		.port = (uint16_t)(port + 1),
		.isn = 0xfffffff0,
		.tsval = 0x7ffffffe };
	return p;
}

/* Sends the SYN of a peer and waits for its answer; NULL, and a fault, when there was none. */
static const struct answer *syn_answered(struct run *r, const struct segment *syn)
{
	const unsigned before = r->answers_count;

	lockstep_send(r, syn);
	if (!settle(r))
		return NULL;
	expect(r, "SYN-ACKs to a SYN", r->answers_count - before, 1);
	return r->failed ? NULL : &r->answers[before % ANSWERS];
}

/* Every entry goes. */
static bool clean(struct run *r)
{
	lockstep_abort(r, false);
	return settle(r);
}

/* ---- cookies ---- */

/* One cookie, answered `age` epochs later; with `fresh`, after the listener sent another one in that epoch. */
static bool cookie_row(struct run *r, unsigned number, unsigned lifetime, unsigned age, bool fresh)
{
	const bool ip6 = number & 1, ts = number & 2;
	const struct answer *a;
	struct segment g = lockstep_syn(r, fresh_peer(r, 4, ip6));
	const uint64_t before = r->seen.cookies;
	struct answer first;

	cookies(r, 2 + (number >> 3 & 1), number >> 2 & 1, lifetime);
	traffic_option_mss(&g, 1460);
	if (ts) {
		traffic_option_ts(&g, r->peers[4].tsval, 0);
		traffic_option_ws(&g, 7);
	}
	a = syn_answered(r, &g);
	if (!a)
		return false;
	first = *a;
	lockstep_skip_epochs(r, age);
	if (fresh) {
		g = lockstep_syn(r, fresh_peer(r, 5, ip6));
		if (!syn_answered(r, &g))
			return false;
	}
	g = lockstep_answer(&first, first.tsecr + 1);
	g.text_len = number & 16 ? 5 : 0;
	lockstep_send(r, &g);
	if (!settle(r))
		return false;
	expect(r, "connections by a cookie", r->seen.cookies - before, age <= lifetime);
	lockstep_send(r, &g); /* with an entry it is a segment like any other */
	return clean(r);
}

static bool directed_cookies(struct run *r)
{
	unsigned number = 0;

	for (unsigned lifetime = 0; lifetime < 4; lifetime++)
		for (unsigned age = 0; age < 5; age++)
			for (unsigned fresh = 0; fresh < 2; fresh++)
				if (!cookie_row(r, number++ * 5, lifetime, age, fresh))
					return false;
	return true;
}

/* Both keys have live cookies while they change places; a key that was rewritten has none. */
static bool directed_rotation(struct run *r)
{
	struct answer answers[2];
	uint64_t before;

	for (unsigned key = 0; key < 2; key++) {
		const struct segment g = lockstep_syn(r, fresh_peer(r, 6 + key, key));
		const struct answer *a;

		for (unsigned i = 0; i < 4; i++)
			lockstep_write(r, (key ? HF_REG_KEY_COOKIE_B0 : HF_REG_KEY_COOKIE_A0) + 4 * i,
				(uint32_t)rng_next(&r->rng));
		cookies(r, 2, key, 1);
		a = settle(r) ? syn_answered(r, &g) : NULL;
		if (!a)
			return false;
		answers[key] = *a;
	}
	for (unsigned rewritten = 0; rewritten < 2; rewritten++) {
		before = r->seen.cookies;
		for (unsigned i = 0; i < 2; i++) {
			const struct segment g = lockstep_answer(&answers[i], 0);

			lockstep_send(r, &g);
		}
		if (!settle(r))
			return false;
		expect(r, "connections by cookies of two keys", r->seen.cookies - before, rewritten ? 1 : 2);
		/* Key B is in use: A may be written, and writing B is refused. */
		lockstep_write(r, HF_REG_KEY_COOKIE_A1, 0x600df00d);
		lockstep_write(r, HF_REG_KEY_COOKIE_B1, 0x600df00d);
		if (!clean(r))
			return false;
	}
	return true;
}

/* Every class of MSS and its neighbours, every window scale: what a cookie remembers. */
static bool directed_memory(struct run *r)
{
	static const uint16_t mss[] = { 0, 1, 87, 88, 89, 255, 256, 535, 536, 1219, 1220, 1359, 1360, 1399, 1400, 1439,
		1440, 1459, 1460, 9000 };

	cookies(r, 3, 0, 1);
	for (unsigned i = 0; i < COUNT(mss); i++) {
		const uint64_t before = r->seen.cookies;
		struct segment g = lockstep_syn(r, fresh_peer(r, 8, i & 1));
		const struct answer *a;

		if (mss[i])
			traffic_option_mss(&g, mss[i]);
		if (i % 3)
			traffic_option_ts(&g, 0x80000000 - i, 0);
		if (i % 5)
			traffic_option_ws(&g, (uint8_t)i);
		if (i & 2)
			traffic_option_sack(&g);
		if (i & 4)
			g.flags |= HF_ECE | HF_CWR;
		/* At times our own MSS is the smaller one. */
		lockstep_write(r, HF_REG_MSS, i % 6 ? 1460 : 700);
		lockstep_write(r, HF_REG_MSS6, i % 5 ? 1440 : 800);
		if (!settle(r))
			return false;
		a = syn_answered(r, &g);
		if (!a)
			return false;
		g = lockstep_answer(a, a->tsecr);
		lockstep_send(r, &g);
		if (!settle(r))
			return false;
		expect(r, "connections by a cookie with options", r->seen.cookies - before, 1);
		if (!clean(r))
			return false;
	}
	lockstep_write(r, HF_REG_MSS, 1460);
	lockstep_write(r, HF_REG_MSS6, 1440);
	return settle(r);
}

/* Cookies begin at COOKIE_HIGH and end below COOKIE_LOW. */
static bool directed_watermark(struct run *r)
{
	enum { HIGH = 3, LOW = 2 };
	const uint64_t accepted = HIGH;
	uint64_t status, half_open;
	struct segment g;

	lockstep_write(r, HF_REG_COOKIE_HIGH, HIGH);
	lockstep_write(r, HF_REG_COOKIE_LOW, LOW);
	cookies(r, 1, 0, 1);
	for (unsigned i = 0; i < HIGH + 2; i++) {
		g = lockstep_syn(r, fresh_peer(r, 10 + i, false));
		if (!syn_answered(r, &g))
			return false;
	}
	if (!lockstep_read(r, HF_REG_HALF_OPEN, &half_open) || !lockstep_read(r, HF_REG_STATUS, &status))
		return false;
	/* A set of the small table may be full before. */
	if (half_open == accepted) {
		expect(r, "STATUS.COOKIES at COOKIE_HIGH", status >> HF_STATUS_COOKIES_LOW & 1, 1);
		r->totals->situation[SEEN_COOKIES_ON]++;
	}
	for (unsigned i = 0; i < HIGH; i++) {
		g = lockstep_segment(r, &r->peers[10 + i], HF_RST, r->peers[10 + i].isn + 1, 0);
		lockstep_send(r, &g);
	}
	if (!settle(r) || !lockstep_read(r, HF_REG_STATUS, &status))
		return false;
	expect(r, "STATUS.COOKIES below COOKIE_LOW", status >> HF_STATUS_COOKIES_LOW & 1, 0);
	if (half_open == accepted)
		r->totals->situation[SEEN_COOKIES_OFF]++;
	lockstep_write(r, HF_REG_COOKIE_HIGH, 0x1ffff);
	cookies(r, 0, 0, 1);
	return clean(r);
}

/* ---- CACHE.COMPLETE ---- */

/* Whether a row's cause cleared it. */
static bool cache_cleared(struct run *r, enum situation cause)
{
	uint64_t cache;

	if (!settle(r) || !lockstep_read(r, HF_REG_CACHE, &cache))
		return false;
	expect(r, "CACHE.COMPLETE after what clears it", cache, 0);
	r->totals->situation[cause]++;
	return !r->failed;
}

static bool cache_set(struct run *r)
{
	uint64_t cache;

	lockstep_write(r, HF_REG_CACHE, 1);
	if (!lockstep_read(r, HF_REG_CACHE, &cache))
		return false;
	expect(r, "CACHE.COMPLETE as set", cache, 1);
	return !r->failed;
}

static void adopt(struct run *r, const struct segment *g)
{
	const struct hf_tcb e = { .ip6 = g->ip6,
		.state = HF_STATE_ESTABLISHED,
		.remote_mac = 0x020000000001,
		.remote_addr = g->src_addr,
		.local_addr = g->dst_addr,
		.remote_port = g->src_port,
		.local_port = g->dst_port };
	uint8_t msg[128];

	lockstep_message(r, msg, lockstep_body(r, msg, HF_COMMAND_ADOPT, &e, 0));
}

static bool directed_cache(struct run *r)
{
	const unsigned ways = r->params->ways;
	uint16_t ports[WAYS_MAX + 1];
	struct segment g = lockstep_syn(r, fresh_peer(r, 20, false));
	const struct answer *a;

	if (!lockstep_ports_of_set(r, &g, ports, ways + 1))
		return true;
	if (!cache_set(r))
		return false;
	lockstep_write(r, HF_REG_HEARTBEAT_MS, 1);
	if (!cache_cleared(r, SEEN_CACHE_HOST_GONE))
		return false;
	lockstep_write(r, HF_REG_CACHE, 1); /* lost: the host is still gone */
	if (!cache_cleared(r, SEEN_CACHE_HOST_GONE))
		return false;
	lockstep_write(r, HF_REG_HEARTBEAT_MS, 0);
	if (!cache_set(r))
		return false;
	for (unsigned i = 0; i <= ways; i++) {
		g.src_port = ports[i];
		adopt(r, &g);
	}
	if (!cache_cleared(r, SEEN_CACHE_EVICTED) || !clean(r))
		return false;
	for (unsigned i = 0; i < ways; i++) {
		g.src_port = ports[i];
		if (!syn_answered(r, &g))
			return false;
	}
	if (!cache_set(r))
		return false;
	g.src_port = ports[ways];
	adopt(r, &g);
	if (!cache_cleared(r, SEEN_CACHE_NO_ROOM) || !cache_set(r))
		return false;
	cookies(r, 2, 0, 1);
	a = syn_answered(r, &g);
	if (!a)
		return false;
	g = lockstep_answer(a, 0);
	lockstep_send(r, &g);
	if (!cache_cleared(r, SEEN_CACHE_NO_ENTRY))
		return false;
	cookies(r, 0, 0, 1);
	return clean(r);
}

/* ---- token buckets ---- */

/* A tick, which fills the buckets to their BURST or cuts them to it. */
static bool tick(struct run *r)
{
	r->s->time_ps += MS_PS;
	return lockstep_settle(r, (2u << r->params->sets_log2) + QUIET_CYCLES);
}

/* Strays of every kind, more than a bucket of `burst` lets through; with the cache complete they draw RSTs. */
static bool strays(struct run *r, bool complete, unsigned rate, unsigned burst)
{
	static const uint16_t flags[] = { HF_ACK, HF_ACK | HF_FIN, HF_ACK | HF_SYN, HF_RST, HF_ACK };
	const struct peer *p = fresh_peer(r, 30, burst & 1);

	lockstep_write(r, HF_REG_CACHE, complete);
	lockstep_write(r, HF_REG_RST_LIMIT, rate << HF_RST_LIMIT_RATE_LOW | burst << HF_RST_LIMIT_BURST_LOW);
	lockstep_write(r, HF_REG_MISS_LIMIT, rate << HF_MISS_LIMIT_RATE_LOW | burst << HF_MISS_LIMIT_BURST_LOW);
	if (!settle(r) || !tick(r))
		return false;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 3 * COUNT(flags); i++) {
			struct segment g = lockstep_segment(r, p, flags[i % COUNT(flags)], i, i);

			g.text_len = i & 1;
			lockstep_send(r, &g);
		}
		if (!settle(r) || !tick(r))
			return false;
	}
	return true;
}

/* Half-open entries whose SYN-ACKs come due in the same millisecond. */
static bool retransmissions(struct run *r, unsigned rate, unsigned burst)
{
	lockstep_write(r, HF_REG_SYN_RTO_MS, 1);
	lockstep_write(r, HF_REG_SYNACK_RETRIES, 2);
	lockstep_write(r, HF_REG_SYNACK_LIMIT, rate << HF_SYNACK_LIMIT_RATE_LOW | burst << HF_SYNACK_LIMIT_BURST_LOW);
	if (!settle(r) || !tick(r))
		return false;
	for (unsigned i = 0; i < 4; i++) {
		const struct segment g = lockstep_syn(r, fresh_peer(r, 31 + i, i & 1));

		lockstep_send(r, &g);
	}
	for (unsigned ms = 0; ms < 6; ms++)
		if (!tick(r))
			return false;
	lockstep_write(r, HF_REG_SYN_RTO_MS, 1000);
	return clean(r);
}

static bool directed_buckets(struct run *r)
{
	for (unsigned i = 0; i < 8; i++)
		if (!strays(r, i & 1, i / 2, i / 2 + (i & 1)))
			return false;
	lockstep_write(r, HF_REG_CACHE, 0);
	lockstep_write(r, HF_REG_RST_LIMIT, 0);
	lockstep_write(r, HF_REG_MISS_LIMIT, 0);
	return retransmissions(r, 1, 1) && retransmissions(r, 0, 0) && retransmissions(r, 3, 2);
}

/* ---- ops that follow one another ---- */

/* What may come for a tuple: 0 SYN, 1 RST, 2 ACK, 3 text, 4 a SYN that is not the first, 5 a hard ICMP error, 6 FIN. */
#define KINDS 7u

static void send_kind(struct run *r, const struct peer *p, unsigned kind)
{
	struct segment g = lockstep_segment(r, p, HF_ACK, p->isn + 1, p->iss + 1);
	const struct hf_tcb e = { .ip6 = p->ip6,
		.remote_addr = g.src_addr,
		.local_addr = g.dst_addr,
		.remote_port = g.src_port,
		.local_port = g.dst_port,
		.snd_una = p->iss,
		.snd_nxt = p->iss };

	g.exact = true;
	switch (kind) {
	case 0:
		g = lockstep_syn(r, p);
		break;
	case 1:
		g.flags = HF_RST;
		break;
	case 2:
		break;
	case 3:
		g.text_len = 4;
		break;
	case 4:
		g.flags = HF_SYN;
		break;
	case 5:
		lockstep_icmp(r, &e);
		return;
	default:
		g.flags |= HF_FIN;
		break;
	}
	lockstep_send(r, &g);
}

/* Two or three segments back to back on a peer without an entry (0), in SYN-RECEIVED (1) or ESTABLISHED (2). */
static bool chain_row(struct run *r, unsigned state, unsigned first, unsigned second, unsigned third)
{
	struct peer *p = fresh_peer(r, 40, false);
	struct segment g = lockstep_syn(r, p);
	const struct answer *a;

	if (state) {
		a = syn_answered(r, &g);
		if (!a)
			return false;
		p->iss = a->seq;
		if (state == 2)
			send_kind(r, p, 2);
		if (!settle(r))
			return false;
	}
	send_kind(r, p, first);
	send_kind(r, p, second);
	if (third < KINDS)
		send_kind(r, p, third);
	return settle(r) && clean(r);
}

/* Two tuples of one set in turn, with frames between that touch no table. */
static bool set_row(struct run *r, const uint16_t *ports, unsigned passes)
{
	struct peer *p = fresh_peer(r, 41, false);

	for (unsigned i = 0; i < 12; i++) {
		p->port = ports[i & 1];
		send_kind(r, p, i % 3 ? 0 : 1);
		for (unsigned n = passes; n--;) {
			memset(r->frame.data, 0xff, 12);
			packet_put16(r->frame.data + 12, PACKET_ETHERTYPE_ARP);
			r->frame.len = 60;
			r->frame.bad_fcs = n & 1;
			lockstep_send_frame(r);
		}
		/* A command about what comes at the same time. */
		if (i % 5 == 0) {
			struct segment g = lockstep_syn(r, p);

			adopt(r, &g);
		}
	}
	return settle(r) && clean(r);
}

static bool directed_chains(struct run *r)
{
	const struct segment g = lockstep_syn(r, fresh_peer(r, 41, false));
	uint16_t ports[2];

	/* At 64 bits no frame is short enough for its op to be chained. */
	for (unsigned state = 0; state < 3; state++)
		for (unsigned first = 0; first < KINDS; first++)
			for (unsigned second = 0; second < KINDS; second += r->s->beat == 8 ? 3 : 1)
				if (!chain_row(r, state, first, second, (first + second) % (KINDS + 2)))
					return false;
	if (lockstep_ports_of_set(r, &g, ports, 2))
		for (unsigned passes = 0; passes < 3; passes++)
			if (!set_row(r, ports, passes))
				return false;
	return true;
}

/* ---- the wire's shares ---- */

static void host_frame(struct run *r, size_t len)
{
	uint8_t msg[SIM_FRAME_MAX];

	traffic_message(
		msg, HF_MSG_FRAME, 0, (uint16_t)(HF_MSG_HEADER_BYTES + len), 0, r->cookie++, HF_MSG_HEADER_BYTES + len);
	for (size_t i = 0; i < len; i++)
		msg[HF_MSG_HEADER_BYTES + i] = (uint8_t)(i + len);
	msg[HF_MSG_HEADER_BYTES] = msg[HF_MSG_HEADER_BYTES + 2] = HOST_MARK;
	lockstep_message(r, msg, HF_MSG_HEADER_BYTES + len);
}

static bool directed_shares(struct run *r)
{
	static const uint8_t shares[] = { 0, 1, 0x40, 0x80, 0xfe, 0xff };

	cookies(r, 2, 0, 1); /* as many replies as SYNs */
	for (unsigned i = 0; i < COUNT(shares); i++) {
		lockstep_write(r, HF_REG_TX_SHARE, shares[i]);
		if (!settle(r))
			return false;
		for (unsigned n = 0; n < 30; n++) {
			const struct segment g = lockstep_syn(r, fresh_peer(r, 50, n & 1));

			host_frame(r, 20 + 7 * n);
			lockstep_send(r, &g);
		}
		/* Both wait, then both want to go. */
		r->s->hold_tx = true;
		for (unsigned cycles = 400; cycles--;)
			if (!lockstep_clock(r, false))
				return false;
		r->s->hold_tx = false;
		if (!settle(r))
			return false;
	}
	lockstep_write(r, HF_REG_TX_SHARE, 0x40);
	return settle(r);
}

/* ---- register accesses behind SNAPSHOT ---- */

/* One that comes `cycles` after a write of SNAPSHOT begins: by message, or over AXI-Lite. */
static bool snapshot_row(struct run *r, unsigned cycles, bool message)
{
	const uint64_t replies = r->seen.replies;
	const size_t len = HF_MSG_HEADER_BYTES + 8;
	uint64_t value = 0, from;
	uint8_t msg[SIM_FRAME_MAX];

	lockstep_write(r, HF_REG_SNAPSHOT, 0);
	for (unsigned i = cycles; i--;)
		if (!lockstep_clock(r, false))
			return false;
	if (!message) {
		lockstep_bus(r, false, HF_REG_COUNTER(HF_CNT_RX_FRAMES), 0, 0, &value);
		lockstep_write(r, HF_REG_TTL, 64);
		return settle(r);
	}
	traffic_message(msg, HF_MSG_REG_READ, 0, (uint16_t)len, HF_REG_COUNTER(HF_CNT_RX_FRAMES), r->cookie++, len);
	lockstep_message(r, msg, len);
	from = r->s->cycle;
	while (r->seen.replies == replies)
		if (!lockstep_clock(r, false))
			return false;
	/* At rest the reply is there after a few cycles. */
	if (r->s->cycle - from > 30)
		r->totals->situation[SEEN_SNAPSHOT_MESSAGE]++;
	return settle(r);
}

static bool directed_snapshot(struct run *r)
{
	for (unsigned cycles = 0; cycles < 80; cycles += cycles < 6 || cycles > 60 ? 1 : 9)
		for (unsigned message = 0; message < 2; message++)
			if (!snapshot_row(r, cycles, message))
				return false;
	return true;
}

/* ---- lengths ---- */

/* The next length worth trying: each one at first, then those around multiples of what headers and beats hold, then the
 * longest ones. */
static size_t next_length(const struct run *r, size_t len)
{
	len++;
	while (len > 200 && len % 64 > 2 && len % 64 < 62 && (len + 16) % 64 > 2 && (len + 16) % 64 < 62)
		len++;
	return len > 400 && len < r->params->max_frame - 3 ? r->params->max_frame - 3 : len;
}

/* Frames for the host of every length, back to back; messages of every length, whole, a beat short, a beat too long. */
static bool directed_lengths(struct run *r)
{
	uint8_t msg[SIM_FRAME_MAX];

	for (size_t len = 1; len <= r->params->max_frame + 1; len = next_length(r, len)) {
		for (size_t i = 0; i < len; i++)
			r->frame.data[i] = (uint8_t)(i + 3 * len);
		packet_put16(r->frame.data + 12, PACKET_ETHERTYPE_ARP);
		r->frame.len = len;
		r->frame.bad_fcs = len % 16 == 5;
		lockstep_send_frame(r);
		if (len % 16 == 0 && !settle(r))
			return false;
	}
	for (size_t len = HF_MSG_HEADER_BYTES + 13; len <= HF_MSG_HEADER_BYTES + r->params->max_frame + 2;
		len = next_length(r, len)) {
		for (unsigned wrong = 0; wrong < 3; wrong++) {
			const size_t sent = wrong == 1	 ? len - (len > r->s->beat ? r->s->beat : 0)
					    : wrong == 2 ? len + r->s->beat
							 : len;

			traffic_message(msg, HF_MSG_FRAME, len & 1, (uint16_t)len, 2, r->cookie++, sent);
			for (size_t i = HF_MSG_HEADER_BYTES; i < sent; i++)
				msg[i] = (uint8_t)(7 * i + len);
			msg[HF_MSG_HEADER_BYTES] = msg[HF_MSG_HEADER_BYTES + 2] = HOST_MARK;
			lockstep_message(r, msg, sent < HF_MSG_HEADER_BYTES + 3 ? HF_MSG_HEADER_BYTES + 3 : sent);
		}
		if (len % 8 == 0 && !settle(r))
			return false;
	}
	return settle(r);
}

bool lockstep_prepare(struct run *r)
{
	lockstep_plain(r);
	listeners(r);
	return lockstep_settle(r, 64);
}

bool lockstep_limits(struct run *r)
{
	return lockstep_prepare(r) && directed_cookies(r) && directed_rotation(r) && directed_memory(r) &&
	       directed_watermark(r) && directed_cache(r) && directed_buckets(r);
}

bool lockstep_order(struct run *r)
{
	return lockstep_prepare(r) && directed_chains(r) && directed_shares(r) && directed_snapshot(r) &&
	       directed_lengths(r);
}
