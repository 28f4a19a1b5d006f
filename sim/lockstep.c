/* SPDX-License-Identifier: Apache-2.0
 * lockstep.c - the clock of a lock-step phase, the register bus beside the traffic, and the watch over what comparing
 * cannot see: lost frames, messages and entries, deadlock, frames of the engine with wrong checksums. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "lockstep.h"

#define DRAIN_CYCLES 10000u /* the longest it may take to bring everything to rest */

void lockstep_fault(struct run *r, const char *what, uint64_t got, uint64_t expected)
{
	if (!*r->fault)
		snprintf(r->fault, sizeof r->fault, "%s: %" PRIu64 ", expected %" PRIu64, what, got, expected);
	r->failed = true;
}

void lockstep_bank(struct run *r)
{
	for (unsigned i = 0; i < HF_CNT_COUNT; i++)
		r->totals->counter[i] += r->counter[i];
	memset(r->counter, 0, sizeof r->counter);
}

/* ---- registers over AXI-Lite, driven pin by pin beside the traffic ---- */

void lockstep_bus(struct run *r, bool write, uint32_t address, uint32_t value, uint8_t strobes, uint64_t *result)
{
	if (r->ops_count == BUS_OPS)
		return;
	r->ops[(r->ops_head + r->ops_count++) % BUS_OPS] =
		(struct bus_op){ write, strobes, (uint16_t)address, value, result };
}

void lockstep_write(struct run *r, uint32_t address, uint32_t value)
{
	lockstep_bus(r, true, address, value, 0xf, NULL);
}

static bool bus_idle(const struct run *r)
{
	return !r->ops_count && r->writing == BUS_IDLE && r->reading == BUS_IDLE;
}

static void bus_pop(struct run *r)
{
	r->ops_head = (r->ops_head + 1) % BUS_OPS;
	r->ops_count--;
}

uint32_t lockstep_address(struct rng *rng)
{
	switch (rng_below(rng, 8)) {
	case 0:
		return rng_below(rng, 0x1000);
	case 1:
		return rng_below(rng, 0x400) * 4;
	case 2:
		return HF_REG_COUNTER(rng_below(rng, HF_CNT_COUNT + 1)) + 4 * rng_below(rng, 2);
	default:
		return rng_below(rng, HF_REG_SAMPLE / 4 + 3) * 4;
	}
}

/* Queued operations go one at a time and in order; beside a write of the queue, random reads may run, so that both
 * channels want the bus at once. */
static void bus_before(struct run *r, bool random)
{
	struct hf_in *in = &r->s->in;
	const struct bus_op *op = r->ops_count ? &r->ops[r->ops_head] : NULL;

	if (r->writing == BUS_IDLE && op && op->write && (!random || rng_percent(&r->rng, 60))) {
		r->write_op = *op;
		r->writing = BUS_REQUEST;
		in->s_axil_awvalid = in->s_axil_wvalid = 0;
		bus_pop(r);
	} else if (r->writing == BUS_IDLE && r->reading == BUS_IDLE && op && !op->write) {
		r->read_op = *op;
		r->reading = BUS_REQUEST;
		bus_pop(r);
	} else if (random && r->reading == BUS_IDLE && r->writing != BUS_IDLE && rng_percent(&r->rng, 20)) {
		r->read_op = (struct bus_op){ .address = (uint16_t)lockstep_address(&r->rng) };
		r->reading = BUS_REQUEST;
	}
	if (r->writing == BUS_REQUEST) {
		/* Address and data may come in any order. */
		if (!in->s_axil_awvalid && (!random || rng_percent(&r->rng, 70))) {
			in->s_axil_awvalid = 1;
			in->s_axil_awaddr = r->write_op.address;
		}
		if (!in->s_axil_wvalid && (!random || rng_percent(&r->rng, 70))) {
			in->s_axil_wvalid = 1;
			in->s_axil_wdata = r->write_op.value;
			in->s_axil_wstrb = r->write_op.strobes;
		}
	}
	if (r->reading == BUS_REQUEST) {
		in->s_axil_arvalid = 1;
		in->s_axil_araddr = r->read_op.address;
	}
	in->s_axil_bready = !random || rng_percent(&r->rng, 60);
	in->s_axil_rready = !random || rng_percent(&r->rng, 60);
}

/* What the bus showed in the cycle that just ran. */
struct bus_pins {
	bool awready, bvalid, arready, rvalid;
	uint64_t rdata;
};

static void bus_after(struct run *r, const struct bus_pins *was)
{
	struct hf_in *in = &r->s->in;

	if (in->s_axil_awvalid && was->awready) {
		in->s_axil_awvalid = in->s_axil_wvalid = 0;
		r->writing = BUS_RESPONSE;
	}
	if (r->writing == BUS_RESPONSE && in->s_axil_bready && was->bvalid)
		r->writing = BUS_IDLE;
	if (in->s_axil_arvalid && was->arready) {
		in->s_axil_arvalid = 0;
		r->reading = BUS_RESPONSE;
	}
	if (r->reading == BUS_RESPONSE && in->s_axil_rready && was->rvalid) {
		r->reading = BUS_IDLE;
		if (r->read_op.result)
			*r->read_op.result = was->rdata;
	}
}

static void bus_reset(struct run *r)
{
	r->ops_head = r->ops_count = 0;
	r->writing = r->reading = BUS_IDLE;
	r->s->in.s_axil_awvalid = r->s->in.s_axil_wvalid = r->s->in.s_axil_arvalid = 0;
}

bool lockstep_read(struct run *r, uint32_t address, uint64_t *value)
{
	lockstep_bus(r, false, address, 0, 0, value);
	return lockstep_settle(r, 8);
}

void lockstep_read_counters(struct run *r)
{
	lockstep_write(r, HF_REG_SNAPSHOT, 0);
	for (unsigned i = 0; i < HF_CNT_COUNT; i++)
		lockstep_bus(r, false, HF_REG_COUNTER(i), 0, 0, &r->counter[i]);
	lockstep_bus(r, false, HF_REG_HALF_OPEN, 0, 0, &r->half_open);
	lockstep_bus(r, false, HF_REG_ENTRIES, 0, 0, &r->entries);
}

/* ---- one clock ---- */

void lockstep_forget(struct run *r)
{
	lockstep_bank(r);
	memset(r->table, 0, sizeof r->table);
	memset(r->state, 0, sizeof r->state);
	r->seen = (struct seen){ 0 };
	r->rx_inside = false;
	r->ids_count = r->answers_count = 0;
	lockstep_cover_reset(r);
	bus_reset(r);
}

/* Runs one clock. False when the phase is over or something is wrong. */
bool lockstep_clock(struct run *r, bool random)
{
	struct sim *s = r->s;
	const struct hf_in *in = &s->in;
	const struct hf_out *out = &s->out;
	struct bus_pins was;
	size_t messages;

	if (!r->left || r->failed)
		return false;
	if (r->waves && r->left == r->waves_at) {
		const int error = engine_waves(s->engine, r->waves);

		if (error) {
			lockstep_fault(r, "errno of opening the waves file", (uint64_t)-error, 0);
			return false;
		}
	}
	bus_before(r, random);
	was = (struct bus_pins){ out->s_axil_awready, out->s_axil_bvalid, out->s_axil_arready, out->s_axil_rvalid,
		out->s_axil_rdata };
	messages = sim_h2c_pending(s);
	sim_step(s);
	r->left--;
	r->totals->cycles++;
	if ((engine_mismatches(s->engine) || s->faults) && !r->keep_going)
		r->failed = true;
	if (in->rst)
		return true;
	bus_after(r, &was);
	r->seen.h2c += messages - sim_h2c_pending(s);
	if (in->s_axis_rx_tvalid) {
		r->seen.rx += !r->rx_inside;
		r->totals->frames += !r->rx_inside;
		r->rx_inside = !in->s_axis_rx_tlast;
	}
	return true;
}

/* Lets everything come to rest: nothing queued, and no stream or op for `quiet` cycles. */
bool lockstep_settle(struct run *r, unsigned quiet)
{
	unsigned still = 0, ran = 0;

	while (still < quiet) {
		const struct hf_out *o = &r->s->out;
		const bool busy = o->m_axis_tx_tvalid || o->m_axis_c2h_tvalid || o->trc_valid || !o->ready ||
				  sim_rx_pending(r->s) || sim_h2c_pending(r->s) || !bus_idle(r);

		if (!lockstep_clock(r, false))
			return false;
		still = busy ? 0 : still + 1;
		if (ran++ > DRAIN_CYCLES) {
			lockstep_fault(r, "cycles without coming to rest", ran, DRAIN_CYCLES);
			return false;
		}
	}
	return true;
}

/* ---- what the engine sends ---- */

/* Walks through the headers of an engine frame; returns what is wrong with them, or NULL. *network and *tcp: where the
 * network and the TCP header begin. */
static const char *check_frame(const uint8_t *frame, size_t len, size_t *network, size_t *tcp)
{
	size_t l3 = 14, header, total;
	uint32_t sum = 6;
	bool ip6;

	if (len < PACKET_MIN_FRAME)
		return "length of an engine frame";
	for (unsigned tags = 0;
		packet_get16(frame + l3 - 2) == 0x8100 || (!tags && packet_get16(frame + 12) == 0x88a8);) {
		l3 += 4;
		if (++tags > 2)
			return "VLAN tags of an engine frame";
	}
	ip6 = packet_get16(frame + l3 - 2) == PACKET_ETHERTYPE_IPV6;
	if (!ip6 && packet_get16(frame + l3 - 2) != PACKET_ETHERTYPE_IPV4)
		return "EtherType of an engine frame";
	header = ip6 ? 40 : 20;
	total = ip6 ? header + packet_get16(frame + l3 + 4) : packet_get16(frame + l3 + 2);
	if (frame[l3] != (ip6 ? 0x60 | frame[l3] % 16 : 0x45) || frame[l3 + (ip6 ? 6 : 9)] != 6 || l3 + total > len ||
		total < header + 20)
		return "network header of an engine frame";
	if (!ip6 && packet_fold(packet_sum(0, frame + l3, header)) != 0xffff)
		return "IPv4 checksum of an engine frame";
	sum = packet_sum(sum + (uint32_t)(total - header), frame + l3 + (ip6 ? 8 : 12), ip6 ? 32 : 8);
	if (packet_fold(packet_sum(sum, frame + l3 + header, total - header)) != 0xffff)
		return "TCP checksum of an engine frame";
	*network = l3;
	*tcp = l3 + header;
	return NULL;
}

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct run *r = ctx;
	/* Frames of the host need not be TCP, nor right. A checksum put in may cover one mark, not both. */
	const bool host = frame[0] == HOST_MARK || frame[2] == HOST_MARK;
	const char *wrong;
	size_t l3, tcp;

	(void)time_ns;
	r->seen.tx++;
	lockstep_cover_tx(r, host, cycle);
	if (host)
		return;
	wrong = check_frame(frame, len, &l3, &tcp);
	if (wrong)
		lockstep_fault(r, wrong, r->seen.tx, 0);
	else if ((frame[tcp + 13] & (HF_SYN | HF_ACK)) == (HF_SYN | HF_ACK))
		lockstep_synack(r, frame, l3, tcp);
}

static uint32_t little32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct run *r = ctx;
	const uint32_t id = little32(msg + HF_AT_HEADER_id);

	(void)len;
	(void)time_ns;
	lockstep_cover_message(r, msg, cycle);
	switch (msg[HF_AT_HEADER_type]) {
	case HF_MSG_HELLO:
		r->seen.hellos++;
		break;
	case HF_MSG_FRAME:
		r->seen.frames++;
		break;
	case HF_MSG_COMPLETION:
		r->seen.completions++;
		r->totals->statuses[msg[HF_AT_HEADER_flags] % COUNT(r->totals->statuses)]++;
		break;
	case HF_MSG_REG_REPLY:
		r->seen.replies++;
		r->totals->statuses[msg[HF_AT_HEADER_flags] % COUNT(r->totals->statuses)]++;
		break;
	case HF_MSG_EVENT:
		r->seen.established += msg[HF_AT_EVENT_code] == HF_EVENT_ESTABLISHED;
		r->seen.dumps += msg[HF_AT_EVENT_code] == HF_EVENT_DUMP;
		r->totals->events[msg[HF_AT_EVENT_code] % COUNT(r->totals->events)]++;
		if (msg[HF_AT_EVENT_code] != HF_EVENT_ESTABLISHED)
			break;
		r->seen.cookies += msg[HF_AT_HEADER_flags] & HF_EVENT_COOKIE;
		if (r->ids_count < IDS && rng_percent(&r->rng, r->mood.release))
			r->ids[r->ids_count++] = id;
		break;
	default:
		lockstep_fault(r, "message type towards the host", msg[HF_AT_HEADER_type], HF_MSG_FRAME);
		break;
	}
}

static void on_trace(void *ctx, const struct hf_out *o, uint64_t cycle, uint64_t time_ns)
{
	struct run *r = ctx;

	(void)cycle;
	(void)time_ns;
	if (o->trc_state > HF_STATE_TIME_WAIT ||
		(o->trc_write && (o->trc_slot >= SLOTS_MAX || o->trc_entry.state > HF_STATE_TIME_WAIT))) {
		lockstep_fault(r, "state or slot of the trace", o->trc_state, 0);
		return;
	}
	r->totals->traced[o->trc_state][o->trc_op]++;
	lockstep_cover_op(r, o);
	if (!o->trc_write)
		return;
	r->totals->became[o->trc_state][o->trc_entry.state]++;
	r->table[o->trc_slot] = o->trc_entry;
	r->state[o->trc_slot] = (uint8_t)o->trc_entry.state;
	r->recent[r->recent_at++ % RECENT] = (uint16_t)o->trc_slot;
	/* Directed rows know their peer by this. */
	if (o->trc_entry.state == HF_STATE_SYN_RECEIVED && !o->trc_entry.ip6 &&
		(o->trc_entry.remote_addr & 0xffff0000) == PEER_NET && (o->trc_entry.remote_addr & 0xffff) < PEERS) {
		struct peer *p = &r->peers[o->trc_entry.remote_addr & 0xffff];

		p->iss = (uint32_t)o->trc_entry.iss;
		p->ts = o->trc_entry.ts_ok;
		p->tsecr = (uint32_t)o->trc_entry.ts_offset;
	}
}

static void on_clock(void *ctx, const struct hf_in *in, uint64_t cycle)
{
	struct run *r = ctx;

	(void)cycle;
	lockstep_cover_pins(r, in, &r->s->out);
	stimulus_add(&r->totals->record, in);
}

/* ---- conservation ---- */

static void expect(struct run *r, const char *what, uint64_t got, uint64_t expected)
{
	if (got != expected)
		lockstep_fault(r, what, got, expected);
}

void lockstep_abort(struct run *r, bool storms)
{
	uint8_t msg[HF_MSG_HEADER_BYTES];

	for (unsigned slot = 0; slot < SLOTS_MAX; slot++) {
		const struct hf_tcb *e = &r->table[slot];

		if (e->state == HF_STATE_CLOSED || (storms && (!e->timer_armed || e->rto_ms)))
			continue;
		traffic_message(msg, HF_MSG_COMMAND, HF_COMMAND_ABORT, sizeof msg, (uint32_t)e->generation << 16 | slot,
			r->cookie++, sizeof msg);
		lockstep_message(r, msg, sizeof msg);
	}
}

/* A first timeout of 0 sends again at once, for as long as the attempt lasts, and the clock stands still in a check: such
 * entries are ended by ABORT. */
static void stop_storms(struct run *r)
{
	lockstep_write(r, HF_REG_SYN_RTO_MS, 5);
	lockstep_write(r, HF_REG_SYN_RTO_MAX_MS, 50);
	for (unsigned ran = 0; ran < 300 || sim_rx_pending(r->s) || sim_h2c_pending(r->s) || !bus_idle(r); ran++)
		if (!lockstep_clock(r, false) || ran > DRAIN_CYCLES)
			return;
	lockstep_abort(r, true);
}

/* Brings everything to rest and balances the books: every frame has had its verdict, every message its answer, every
 * entry is accounted for. */
void lockstep_check(struct run *r)
{
	const struct sim_noise noise = r->s->noise;
	const uint64_t *c = r->counter;
	uint64_t drops = 0, half_open = 0, entries = 0, by_rule[RULES_MAX], listen_syns[LISTENERS_MAX];
	uint64_t ruled = 0, syns = 0, least;
	const unsigned quiet = (2u << r->params->sets_log2) + 64; /* a scan for expired timers makes no sound */

	r->s->noise = (struct sim_noise){ 0 };
	r->s->hold_tx = r->s->hold_c2h = false;
	r->s->tick_by_hand = true;
	r->s->rx_gap = 0;
	stop_storms(r);
	if (!lockstep_settle(r, quiet))
		return;
	lockstep_read_counters(r);
	for (unsigned i = 0; i < r->params->rules; i++) {
		lockstep_write(r, HF_REG_RULE_SELECT, i);
		lockstep_bus(r, false, HF_REG_RULE_DROPS, 0, 0, &by_rule[i]);
	}
	for (unsigned i = 0; i < r->params->listeners; i++) {
		lockstep_write(r, HF_REG_LISTEN_SELECT, i);
		lockstep_bus(r, false, HF_REG_LISTEN_SYNS, 0, 0, &listen_syns[i]);
	}
	if (!lockstep_settle(r, 64))
		return;
	for (unsigned i = HF_CNT_DROP_NOT_READY; i < HF_CNT_DROP_HOST_FIFO; i++)
		drops += c[i];
	drops += c[HF_CNT_DROP_DENIED] + c[HF_CNT_DROP_SOURCE_LIMITED];
	expect(r, "RX_FRAMES against frames in", c[HF_CNT_RX_FRAMES], r->seen.rx);
	expect(r, "verdicts against frames in", c[HF_CNT_RX_CONSUMED] + c[HF_CNT_RX_HOST] + drops, r->seen.rx);
	expect(r, "FRAME messages against RX_HOST - DROP_HOST_FIFO", r->seen.frames,
		c[HF_CNT_RX_HOST] - c[HF_CNT_DROP_HOST_FIFO]);
	expect(r, "TX_FRAMES against frames out", c[HF_CNT_TX_FRAMES], r->seen.tx);
	expect(r, "replies and host frames against frames out",
		c[HF_CNT_TX_SYNACK] + c[HF_CNT_TX_ACK] + c[HF_CNT_TX_RST] + c[HF_CNT_TX_SYN] + c[HF_CNT_TX_FIN] +
			c[HF_CNT_TX_HOST],
		r->seen.tx);
	expect(r, "H2C_MESSAGES + H2C_BAD against messages in", c[HF_CNT_H2C_MESSAGES] + c[HF_CNT_H2C_BAD],
		r->seen.h2c);
	expect(r, "completions and dumps against commands", r->seen.completions + r->seen.dumps,
		c[HF_CNT_COMMANDS] + c[HF_CNT_H2C_BAD]);
	expect(r, "events against ESTABLISHED", r->seen.established, c[HF_CNT_ESTABLISHED]);
	expect(r, "HELLO messages", r->seen.hellos, 1);
	for (unsigned i = 0; i < r->params->rules; i++)
		ruled += by_rule[i];
	expect(r, "RULE_DROPS of all rules against their counters", ruled,
		c[HF_CNT_DROP_DENIED] + c[HF_CNT_DROP_SOURCE_LIMITED]);
	/* Not all SYNs that were dropped show as such, so this is the least. */
	for (unsigned i = 0; i < r->params->listeners; i++)
		syns += listen_syns[i];
	least = c[HF_CNT_SYN_ACCEPTED] - c[HF_CNT_TW_REUSED] + c[HF_CNT_COOKIES_SENT] + c[HF_CNT_DROP_SOURCE_LIMITED] +
		c[HF_CNT_DROP_TABLE_FULL];
	if (syns < least && r->params->rules)
		lockstep_fault(r, "LISTEN_SYNS of all listeners", syns, least);
	for (unsigned i = 0; i < SLOTS_MAX; i++) {
		half_open += r->state[i] == HF_STATE_SYN_RECEIVED;
		entries += r->state[i] != HF_STATE_CLOSED;
	}
	expect(r, "register HALF_OPEN", r->half_open, half_open);
	expect(r, "register ENTRIES", r->entries, entries);
	r->s->noise = noise;
	r->s->tick_by_hand = false;
}

void lockstep_begin(struct run *r)
{
	r->s->on = (struct sim_events){ .tx = on_tx, .c2h = on_c2h, .trace = on_trace, .clock = on_clock };
	r->s->ctx = r;
	/* Any time: stamps and sequence numbers take bits from far up. */
	r->s->time_ps = rng_next(&r->rng) >> 1;
	r->s->ms_done = r->s->time_ps / MS_PS;
	r->s->base_ns = rng_next(&r->rng);
	/* The epochs of cookies count to 2^24. */
	if (rng_percent(&r->rng, 40))
		r->s->base_ns = (rng_next(&r->rng) << 60 | UINT64_C(0xfffffe) << 36) - r->s->time_ps / 1000;
}
