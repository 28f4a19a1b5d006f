/* SPDX-License-Identifier: Apache-2.0
 * lockstep_rows.c - directed rows: the edges that random traffic seldom meets. */
#include <string.h>
#include "../cmodel/siphash.h"
#include "lockstep.h"

void lockstep_plain(struct run *r)
{
	r->s->noise = (struct sim_noise){ .garbage = true };
	r->s->rx_gap = 0;
	r->s->period_ps = 6400;
	r->mood.release = 100;
	r->mood.peers = PEERS;
	r->rcv_wnd = 5000;
	lockstep_write(r, HF_REG_CTRL, 0);
	for (unsigned i = 0; i < 4; i++)
		lockstep_write(r, HF_REG_KEY_INDEX0 + 4 * i, 0);
	r->cookie_reg = 0;
	lockstep_write(r, HF_REG_COOKIE, 0);
	lockstep_write(r, HF_REG_COOKIE_HIGH, 0x1ffff);
	lockstep_write(r, HF_REG_CACHE, 0);
	lockstep_write(r, HF_REG_RST_LIMIT, 0);
	lockstep_write(r, HF_REG_SYNACK_LIMIT, 0);
	lockstep_write(r, HF_REG_MISS_LIMIT, 0);
	for (unsigned i = 0; i < r->params->rules; i++)
		lockstep_write(r, HF_REG_RULE_COMMIT, i);
	lockstep_write(r, HF_REG_SAMPLE, 0);
	lockstep_write(r, HF_REG_SYN_RTO_MS, 1000);
	lockstep_write(r, HF_REG_SYN_RTO_MAX_MS, 60000);
	lockstep_write(r, HF_REG_CONNECT_MS, 180000);
	lockstep_write(r, HF_REG_CLOSE_MS, 100000);
	for (unsigned i = 0; i < 2; i++)
		lockstep_write(r, i ? HF_REG_MAC_HI : HF_REG_MAC_LO, lockstep_mac(i));
	for (unsigned i = 0; i < 3; i++)
		lockstep_write(r, HF_REG_LOCAL_ADDR0 + 4 * i, local_addrs[i]);
	lockstep_write(r, HF_REG_HEARTBEAT_MS, 0);
	lockstep_write(r, HF_REG_HEARTBEAT, 0); /* the timer too may hold what another configuration gave it */
	lockstep_write(r, HF_REG_RCV_WND, r->rcv_wnd);
	lockstep_write(r, HF_REG_LISTEN_PORT, local_ports[0]);
	lockstep_write(r, HF_REG_LISTEN_BACKLOG, 65535);
	lockstep_write(r, HF_REG_LISTEN_COMMIT, 1u << HF_LISTEN_COMMIT_MODE_LOW);
	lockstep_write(r, HF_REG_CTRL, 1u << HF_CTRL_ENABLE_LOW);
}

/* A peer of its own for a row; its SYN is sent if `syn`. Returns NULL when the phase is over. */
static struct peer *row_peer(struct run *r, bool ts, bool syn)
{
	struct peer *p = &r->peers[1];
	struct segment g = { .options_len = 0 };

	p->local_addr = local_addrs[0];
	p->local_port = local_ports[0];
	p->port++;
	p->isn = 0xfffffff0;
	p->iss = 0;
	p->tsval = 0x7ffffffe;
	if (ts)
		traffic_option_ts(&g, p->tsval, 0);
	traffic_option_ws(&g, 15);
	memcpy(p->options, g.options, g.options_len);
	p->options_len = g.options_len;
	if (syn) {
		g = lockstep_syn(r, p);
		lockstep_send(r, &g);
		if (!lockstep_settle(r, 24))
			return NULL;
	}
	return p;
}

/* One segment against an entry in SYN-RECEIVED or ESTABLISHED; then the entry goes, by RST or by ABORT of what the
 * event named. */
static bool row_answer(struct run *r, struct segment g, bool established)
{
	struct peer *p = &r->peers[1];
	struct segment s = lockstep_segment(r, p, HF_ACK, p->isn + 1, p->iss + 1);
	uint8_t msg[HF_MSG_HEADER_BYTES];

	if (established) {
		if (p->ts)
			traffic_option_ts(&s, p->tsval, 0);
		lockstep_send(r, &s);
	}
	lockstep_send(r, &g);
	if (!lockstep_settle(r, 24))
		return false;
	s = lockstep_segment(r, p, HF_RST, p->isn + 1, 0);
	lockstep_send(r, &s);
	while (r->ids_count) {
		traffic_message(msg, HF_MSG_COMMAND, HF_COMMAND_ABORT, sizeof msg, r->ids[--r->ids_count], r->cookie++,
			sizeof msg);
		lockstep_message(r, msg, sizeof msg);
	}
	return lockstep_settle(r, 24);
}

/* Every combination of FIN SYN RST ACK in every state; the edges of sequence and acknowledgment space; timestamps. */
static bool directed_states(struct run *r)
{
	static const int32_t seqs[] = { -2, -1, 0, 1, 2, 4998, 4999, 5000, 5001 }, acks[] = { -1, 0, 1, 2 };
	static const uint16_t bits[] = { HF_FIN, HF_SYN, HF_RST, HF_ACK };

	for (unsigned state = 0; state < 3; state++) {
		for (unsigned mask = 0; mask < 16; mask++) {
			struct peer *p = row_peer(r, mask & 1, state > 0);
			struct segment g;

			if (!p)
				return false;
			g = lockstep_segment(r, p, 0, p->isn + 1, p->iss + 1);
			for (unsigned i = 0; i < COUNT(bits); i++)
				g.flags |= mask >> i & 1 ? bits[i] : 0;
			if (!row_answer(r, g, state == 2))
				return false;
		}
	}
	for (unsigned i = 0; i < COUNT(seqs) * 4; i++) {
		struct peer *p = row_peer(r, false, true);
		struct segment g;

		if (!p)
			return false;
		g = lockstep_segment(r, p, i & 1 ? HF_RST : HF_ACK, p->isn + 1 + (uint32_t)seqs[i / 4], p->iss + 1);
		g.text_len = i & 2 ? 3 : 0;
		if (!row_answer(r, g, false))
			return false;
	}
	for (unsigned i = 0; i < COUNT(acks) * 2; i++) {
		struct peer *p = row_peer(r, true, true);
		struct segment g;

		if (!p)
			return false;
		g = lockstep_segment(r, p, HF_ACK, p->isn + 1, p->iss + (uint32_t)acks[i / 2]);
		traffic_option_ts(&g, p->tsval - (i & 1), p->tsecr);
		if (!row_answer(r, g, false))
			return false;
	}
	return true;
}

/* SYNs whose options break off in every place an option can. */
static bool directed_options(struct run *r)
{
	static const uint8_t rows[][12] = {
		{ 2, 4, 5, 0xb4 },
		{ 2, 3, 5, 1 },
		{ 2, 5, 5, 0xb4, 9 },
		{ 2, 0, 1, 1 },
		{ 2, 1, 1, 1 },
		{ 2, 2, 1, 1 },
		{ 1, 1, 1, 2 },
		{ 1, 1, 2, 4 },
		{ 1, 2, 4, 5 },
		{ 0, 2, 4, 5 },
		{ 3, 3, 14, 1 },
		{ 3, 3, 15, 1 },
		{ 3, 3, 255, 0 },
		{ 3, 3, 15, 3, 3, 2, 0, 0 },
		{ 3, 3, 2, 3, 3, 15, 0, 0 },
		{ 4, 2, 1, 1 },
		{ 4, 3, 1, 1 },
		{ 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1 },
		{ 8, 10, 0, 0 },
		{ 8, 9, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1 },
		{ 1, 1, 1, 8 },
		{ 30, 4, 1, 1 },
		{ 254, 2, 4, 2 },
		{ 255, 255, 4, 2 },
		{ 19, 5, 2, 4, 4, 2, 1, 1 },
		{ 2, 4, 0, 0 },
		{ 2, 4, 0xff, 0xff },
		{ 2, 4, 0, 87, 2, 4, 0, 89 },
		{ 5, 10, 2, 4, 4, 2, 3, 3, 7, 0, 4, 2 },
		{ 1, 1, 1, 1 },
	};

	for (unsigned i = 0; i < COUNT(rows) * 2; i++) {
		struct peer *p = row_peer(r, false, false);
		struct segment g = lockstep_syn(r, p);

		memcpy(g.options, rows[i / 2], sizeof rows[0]);
		g.options_len = sizeof rows[0];
		while (g.options_len > 4 && !g.options[g.options_len - 1] && !g.options[g.options_len - 2])
			g.options_len -= 2;
		g.options_len = (g.options_len + 3) / 4 * 4;
		/* The second time what follows the options in the frame would complete them. */
		if (i & 1) {
			g.text_len = 20;
			g.text = 4;
		}
		lockstep_send(r, &g);
		g = lockstep_segment(r, p, HF_RST, p->isn + 1, 0);
		lockstep_send(r, &g);
		if (!lockstep_settle(r, 24))
			return false;
	}
	return true;
}

/* Lengths from one octet to beyond MAX_FRAME, with and without a bad FCS; IPv4 header lengths; checksum carries. */
static bool directed_frames(struct run *r)
{
	const struct peer *p = &r->peers[1];
	struct segment g;

	for (unsigned len = 1; len <= 80; len++) {
		g = lockstep_segment(r, p, HF_ACK, 1, 1);
		traffic_tcp(&r->frame, &g);
		memset(r->frame.data + r->frame.len, 0x5a, 40);
		r->frame.len = len;
		r->frame.bad_fcs = len % 16 == 7;
		lockstep_send_frame(r);
	}
	for (unsigned options = 0; options <= 40; options += 4) {
		for (unsigned text = 0; text < 9; text++) {
			g = lockstep_segment(r, p, HF_ACK, 0xffffffff, 0xffffffff);
			g.ip_options_len = options;
			memset(g.ip_options, text & 1 ? 0xff : 1, options);
			g.text_len = text;
			g.text = 0xff;
			g.exact = true;
			traffic_tcp(&r->frame, &g);
			/* Now and then one checksum is off by one: both ends of the carry. */
			if (text == 3)
				r->frame.data[PACKET_ETH_HEADER + 11] ^= 1;
			if (text == 5)
				r->frame.data[PACKET_ETH_HEADER + 20 + options + 17] ^= 1;
			lockstep_send_frame(r);
		}
		if (!lockstep_settle(r, 24))
			return false;
	}
	for (unsigned i = 0; i < 12; i++) {
		g = lockstep_segment(r, p, HF_ACK, 1, 1);
		g.text_len = r->params->max_frame + i - 6 - 54;
		g.text = (uint8_t)(i & 1 ? 0xff : i);
		lockstep_send(r, &g);
		if (!lockstep_settle(r, 24))
			return false;
	}
	/* The 14-bit length saturates. */
	r->frame.len = SIM_FRAME_MAX;
	lockstep_send_frame(r);
	return lockstep_settle(r, 24);
}

/* The timeout doubles to far beyond its cap, and the entry is given up after the last retransmission. */
static bool directed_timers(struct run *r)
{
	lockstep_write(r, HF_REG_SYN_RTO_MS, 0xffff);
	lockstep_write(r, HF_REG_SYN_RTO_MAX_MS, 1);
	lockstep_write(r, HF_REG_SYNACK_RETRIES, 15);
	if (!lockstep_settle(r, 24) || !row_peer(r, true, true))
		return false;
	for (unsigned ms = 0; ms < 18; ms++) {
		r->s->time_ps += MS_PS;
		if (!lockstep_settle(r, (4u << r->params->sets_log2) + 24))
			return false;
	}
	return true;
}

/* SYNs whose SYN-ACK has an IPv4 header sum that carries again after its end-around carry: 44 octets, DF, TCP. */
static bool directed_carries(struct run *r)
{
	unsigned found = 0;

	for (unsigned index = 2; index < PEERS && found < 12; index++) {
		for (unsigned ttl = 0; ttl < 256; ttl++) {
			const uint32_t addr = PEER_NET | index, local = local_addrs[0];
			const uint32_t sum = 0x4500 + 44 + 0x4000 + (ttl << 8 | 6) + (addr >> 16) + (addr & 0xffff) +
					     (local >> 16) + (local & 0xffff);
			struct peer *p = &r->peers[index];
			struct segment g;

			if ((sum >> 16) + (sum & 0xffff) < 0x10000)
				continue;
			found++;
			lockstep_write(r, HF_REG_TTL, ttl);
			if (!lockstep_settle(r, 8))
				return false;
			p->local_addr = local;
			p->local_port = local_ports[0];
			g = lockstep_segment(r, p, HF_SYN, p->isn, 0);
			lockstep_send(r, &g);
			g = lockstep_segment(r, p, HF_RST, p->isn + 1, 0);
			lockstep_send(r, &g);
			if (!lockstep_settle(r, 24))
				return false;
			break;
		}
	}
	return true;
}

/* Fills the staging buffer: the mover needs two cycles more per frame than the wire, and frames of 36 beats fill it
 * before SEG_DEPTH of them are in flight. It takes some 8,000 cycles until frames are lost. */
static bool directed_staging(struct run *r)
{
	r->frame.len = 36 * 8 - 3;
	r->frame.bad_fcs = false;
	memset(r->frame.data, 0xa5, r->frame.len);
	for (unsigned i = 0; i < 260; i++)
		lockstep_send_frame(r);
	return lockstep_settle(r, 24);
}

/* Hash of a segment's 4-tuple with another port of the peer, under a key of 0. */
static uint32_t index_hash(const struct segment *g, uint16_t port)
{
	const size_t addr = g->ip6 ? 16 : 4;
	uint8_t tuple[36];

	traffic_address(tuple, g->ip6, g->src_addr);
	traffic_address(tuple + addr, g->ip6, g->dst_addr);
	packet_put16(tuple + 2 * addr, port);
	packet_put16(tuple + 2 * addr + 2, g->dst_port);
	return (uint32_t)hf_siphash24(0, 0, tuple, 2 * addr + 4);
}

/* Two ports of a peer whose 4-tuples have the same set and the same tag, under keys of 0. False if there are none. */
static bool colliding_ports(const struct run *r, const struct segment *g, uint16_t *a, uint16_t *b)
{
	static uint32_t seen[65536]; /* by tag: index bits and port of the last one */
	const uint32_t sets = (1u << r->params->sets_log2) - 1;

	memset(seen, 0, sizeof seen);
	for (unsigned port = 1; port < 65536; port++) {
		const uint32_t hash = index_hash(g, (uint16_t)port);
		uint32_t *last = &seen[hash >> 16];

		if (*last && *last >> 16 == (hash & sets)) {
			*a = (uint16_t)*last;
			*b = (uint16_t)port;
			return true;
		}
		*last = (hash & sets) << 16 | port;
	}
	return false;
}

bool lockstep_ports_of_set(const struct run *r, const struct segment *g, uint16_t *ports, unsigned count)
{
	const uint32_t sets = (1u << r->params->sets_log2) - 1;
	uint32_t tags[16], set = 0;
	unsigned found = 0;

	for (unsigned port = 1; port < 65536 && found < count; port++) {
		const uint32_t hash = index_hash(g, (uint16_t)port);
		bool taken = false;

		for (unsigned i = 0; i < found; i++)
			taken |= tags[i] == hash >> 16;
		if (taken || (found && (hash & sets) != set))
			continue;
		set = hash & sets;
		tags[found] = hash >> 16;
		ports[found++] = (uint16_t)port;
	}
	return found == count;
}

/* Everything that can come for a 4-tuple whose tag is that of another's entry. */
static bool directed_collisions(struct run *r)
{
	static const uint8_t commands[] = { HF_COMMAND_CONNECT, HF_COMMAND_CLOSE, HF_COMMAND_ADOPT };

	lockstep_write(r, HF_REG_LISTEN_OPTS, 7 | 1u << HF_LISTEN_OPTS_IP6_LOW);
	lockstep_write(r, HF_REG_LISTEN_COMMIT, 1 | 1u << HF_LISTEN_COMMIT_MODE_LOW);
	for (unsigned i = 0; i < 4; i++)
		lockstep_write(r, HF_REG_LOCAL6_A0 + 4 * i, (uint32_t)(lockstep_local_addr(true, 0) >> 32 * i));
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct peer *p = &r->peers[3];
		struct hf_tcb e = { .ip6 = ip6, .state = HF_STATE_ESTABLISHED, .remote_mac = 0x020000000001 };
		uint16_t ports[2];
		struct segment g;
		uint8_t msg[128];

		*p = (struct peer){
			.ip6 = ip6, .local_addr = lockstep_local_addr(ip6, 0), .local_port = local_ports[0]
		};
		g = lockstep_segment(r, p, HF_SYN, p->isn, 0);
		e.remote_addr = g.src_addr;
		e.local_addr = g.dst_addr;
		e.local_port = g.dst_port;
		if (!colliding_ports(r, &g, &ports[0], &ports[1]))
			continue;
		g.src_port = ports[0];
		lockstep_send(r, &g);
		g.src_port = ports[1];
		lockstep_send(r, &g);
		for (unsigned i = 0; i < 3; i++) {
			g.flags = (const uint16_t[]){ HF_ACK, HF_RST, HF_SYN | HF_ACK }[i];
			lockstep_send(r, &g);
		}
		e.remote_port = ports[1];
		lockstep_icmp(r, &e);
		for (unsigned i = 0; i < COUNT(commands); i++)
			lockstep_message(r, msg, lockstep_body(r, msg, commands[i], &e, 0));
		if (!lockstep_settle(r, 64))
			return false;
		g.flags = HF_RST;
		g.seq++;
		g.src_port = ports[0];
		lockstep_send(r, &g);
		/* And now the other way round. */
		lockstep_message(r, msg, lockstep_body(r, msg, HF_COMMAND_ADOPT, &e, 0));
		if (!lockstep_settle(r, 64))
			return false;
		g.flags = HF_SYN;
		lockstep_send(r, &g);
		if (!lockstep_settle(r, 64))
			return false;
		lockstep_abort(r, false);
		if (!lockstep_settle(r, 64))
			return false;
	}
	return true;
}

bool lockstep_rows(struct run *r)
{
	lockstep_plain(r);
	return lockstep_settle(r, 64) && directed_frames(r) && directed_staging(r) && directed_options(r) &&
	       directed_carries(r) && directed_collisions(r) && directed_states(r) && directed_timers(r);
}
