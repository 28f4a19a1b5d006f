/* SPDX-License-Identifier: Apache-2.0
 * test_conn_table.c - the connection table: a full set, a full table, ids with generation, counts, and that a SYN
 * never evicts anything. */
#include "support_bench.h"
#include "support_states.h"

/* Ports whose tuples fall into `set`, with different tags (index[31:16]); returns how many were found. */
static unsigned ports_of_set(const struct bench *b, unsigned set, uint16_t *ports, unsigned want)
{
	unsigned n = 0;

	for (unsigned port = 1024; port < 65536 && n < want; port++) {
		uint64_t hash = bench_index_hash(b, PEER_ADDR, (uint16_t)port, OUR_ADDR, OUR_PORT);
		bool same = (hash & ((1u << b->params->sets_log2) - 1)) == set;

		for (unsigned i = 0; i < n && same; i++)
			same = (bench_index_hash(b, PEER_ADDR, ports[i], OUR_ADDR, OUR_PORT) ^ hash) >> 16 & 0xffff;
		if (same)
			ports[n++] = (uint16_t)port;
	}
	return n;
}

static void give_syn(struct bench *b, uint16_t port, uint32_t seq)
{
	bench_segment(b, &(struct segment){ .sport = port, .dport = OUR_PORT, .seq = seq, .flags = HF_SYN, .wnd = 9 });
}

/* Ways fill from the lowest; one more is dropped and counted, nobody is evicted; a freed way is taken again. */
static void full_set(enum engine_size size, unsigned set)
{
	uint16_t ports[16];
	struct bench *b = bench_open(size);
	unsigned ways = b->params->ways, found = ports_of_set(b, set, ports, ways + 2);
	const struct hf_tcb *t;
	uint32_t id;

	CHECK_EQ(found, ways + 2, "ports of one set");
	for (unsigned i = 0; i < ways; i++) {
		bench_half_open(b, PEER_ADDR, ports[i], 100 + i);
		CHECK_EQ(bench_last_trace(b)->trc_slot, set * ways + i, "trc_slot");
	}
	give_syn(b, ports[ways], 500);
	CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_TABLE_FULL, "cause");
	CHECK_EQ(bench_last_trace(b)->trc_slot, set * ways, "trc_slot of a miss in a full set");
	bench_counted(b, HF_CNT_DROP_TABLE_FULL, 1);
	bench_quiet(b);
	for (unsigned i = 0; i < ways; i++) { /* all of them complete */
		t = bench_entry(b, PEER_ADDR, ports[i], OUR_ADDR, OUR_PORT);
		if (!CHECK(t != NULL, "entry %u is gone", i))
			continue;
		bench_segment(b, &(struct segment){ .sport = ports[i],
					 .dport = OUR_PORT,
					 .seq = 101 + i,
					 .flags = HF_ACK,
					 .ack = (uint32_t)t->iss + 1 });
		CHECK(bench_c2h(b) != NULL, "entry %u does not complete", i);
	}
	give_syn(b, ports[ways], 500); /* full of connections the host owns: the same */
	bench_counted(b, HF_CNT_DROP_TABLE_FULL, 1);
	t = bench_entry(b, PEER_ADDR, ports[ways / 2], OUR_ADDR, OUR_PORT);
	id = bench_id(b, t);
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id), HF_STATUS_OK, "status of RELEASE");
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id), HF_STATUS_STALE, "status of a second RELEASE");
	bench_half_open(b, PEER_ADDR, ports[ways], 500);
	CHECK_EQ(bench_last_trace(b)->trc_slot, set * ways + ways / 2, "the freed way");
	CHECK_EQ(bench_id(b, bench_entry(b, PEER_ADDR, ports[ways], OUR_ADDR, OUR_PORT)), id + 0x10000, "new id");
	CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, id), HF_STATUS_STALE, "status for the old generation");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), ways, "ENTRIES");
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 1, "HALF_OPEN");
	bench_close(b);
}

static void full_set_small(void)
{
	for (unsigned set = 0; set < 4; set++)
		full_set(ENGINE_SMALL, set);
}

static void full_set_default(void)
{
	full_set(ENGINE_DEFAULT, 0);
	full_set(ENGINE_DEFAULT, 137);
	full_set(ENGINE_DEFAULT, 255);
}

/* Every slot taken; every further SYN dropped and counted; every entry still there; after one RST one fits. */
static void full_table(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint16_t *taken = calloc(b->slots, sizeof *taken);
	unsigned n = 0, dropped = 0;

	if (!taken)
		abort();
	for (uint16_t port = 1024; n < b->slots && port < 3000; port++) {
		give_syn(b, port, port);
		if (bench_tx(b))
			taken[n++] = port;
		else
			dropped++;
	}
	CHECK_EQ(n, b->slots, "entries");
	for (uint16_t port = 3000; port < 3050; port++, dropped++)
		give_syn(b, port, 1);
	bench_quiet(b);
	bench_counted(b, HF_CNT_DROP_TABLE_FULL, dropped);
	bench_counted(b, HF_CNT_SYN_ACCEPTED, n);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), n, "ENTRIES");
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), n, "HALF_OPEN");
	for (unsigned i = 0; i < n; i++) {
		CHECK(bench_entry(b, PEER_ADDR, taken[i], OUR_ADDR, OUR_PORT) != NULL, "port %u was evicted", taken[i]);
		give_syn(b, taken[i], taken[i]); /* a duplicate is answered from its entry */
		CHECK(bench_tx(b) != NULL, "duplicate SYN of port %u has no answer", taken[i]);
	}
	bench_segment(
		b, &(struct segment){ .sport = taken[3], .dport = OUR_PORT, .seq = taken[3] + 1u, .flags = HF_RST });
	bench_half_open(b, PEER_ADDR, taken[3], 77);
	bench_close(b);
	free(taken);
}

/* The two tuples of a pair differ in one field only, but have one set and one tag. */
static bool pair_with_equal_tags(const struct bench *b, unsigned field, uint32_t *first, uint32_t *second)
{
	const uint64_t set_mask = (UINT64_C(1) << b->params->sets_log2) - 1;
	/* set and tag to the value that had them last */
	uint32_t *index = calloc((set_mask + 1) << 16, sizeof *index);
	bool found = false;

	if (!index)
		abort();
	for (uint32_t i = 1; i < 65536 && !found; i++) {
		uint64_t hash =
			bench_index_hash(b, field == 0 ? 0x0a000000 + i : PEER_ADDR, (uint16_t)(field == 1 ? i : 1000),
				field == 2 ? 0x0a000000 + i : OUR_ADDR, (uint16_t)(field == 3 ? i : OUR_PORT));
		uint32_t *at = &index[(hash & set_mask) << 16 | (hash >> 16 & 0xffff)];

		if (*at) {
			*first = *at;
			*second = i;
			found = true;
		}
		*at = i;
	}
	free(index);
	return found;
}

/* Equal tags in one set: the entry with that tag is not the other tuple's, whichever field makes the difference; and
 * its insert is refused, though a way is free. */
static void equal_tags(void)
{
	static const char *const fields[] = { "remote address", "remote port", "local address", "local port" };

	for (unsigned field = 0; field < 4; field++) {
		struct bench *b = bench_open(ENGINE_SMALL);
		struct segment s[2];
		uint32_t value[2] = { 0, 0 };
		const struct hf_tcb *t;

		check_context("%s", fields[field]);
		CHECK(pair_with_equal_tags(b, field, &value[0], &value[1]), "no pair of tuples with equal tags");
		for (unsigned i = 0; i < 2; i++) {
			s[i] = (struct segment){ .src = field == 0 ? 0x0a000000 + value[i] : PEER_ADDR,
				.sport = (uint16_t)(field == 1 ? value[i] : 1000),
				.dst = field == 2 ? 0x0a000000 + value[i] : OUR_ADDR,
				.dport = (uint16_t)(field == 3 ? value[i] : OUR_PORT),
				.seq = 5,
				.flags = HF_SYN };
			bench_listen(b, i, s[i].dst, s[i].dport, 9, 7, LISTEN_OFFLOAD);
		}
		bench_segment(b, &s[0]);
		t = bench_entry(b, s[0].src, s[0].sport, s[0].dst, s[0].dport);
		if (!CHECK(t && bench_tx(b), "the first SYN is not answered"))
			continue;
		bench_segment(b, &s[1]);
		CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_TABLE_FULL, "cause");
		CHECK_EQ(bench_last_trace(b)->trc_state, HF_STATE_LISTEN,
			"state before: another connection's entry is no hit");
		bench_counted(b, HF_CNT_DROP_TABLE_FULL, 1);
		s[1].seq = 6;
		s[1].flags = HF_ACK;
		s[1].ack = (uint32_t)t->iss + 1;
		bench_segment(b, &s[1]);
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
		s[1].flags = HF_RST;
		bench_segment(b, &s[1]);
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
		CHECK_EQ(t->state, HF_STATE_SYN_RECEIVED, "state of the other connection");
		s[0].seq = 6;
		s[0].flags = HF_RST;
		bench_segment(b, &s[0]);
		CHECK_EQ(t->state, HF_STATE_CLOSED, "state after its own RST");
		s[1].seq = 5;
		s[1].flags = HF_SYN;
		bench_segment(b, &s[1]);
		CHECK(bench_tx(b) != NULL, "the second SYN is not answered when the first entry is gone");
		bench_close(b);
	}
	check_context("%s", "");
}

/* The same while segments come as fast as they can: the second SYN of the other tuple does not take the entry for its own
 * because of what the first one, which got a cookie, did not write. */
static void equal_tags_in_a_row(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint32_t port[2] = { 0, 0 };
	struct segment syn = { .dport = OUR_PORT, .seq = 900, .flags = HF_SYN, .wnd = 9 };
	uint8_t ip[64], frame[64];
	size_t len;

	CHECK(pair_with_equal_tags(b, 1, &port[0], &port[1]), "no pair of ports with equal tags");
	bench_half_open(b, PEER_ADDR, (uint16_t)port[0], 5);
	bench_set(b, HF_REG_COOKIE, 2u << HF_COOKIE_MODE_LOW);
	syn.sport = (uint16_t)port[1];
	len = make_packet(ip, &syn);
	len = make_frame(frame, OUR_MAC, PEER_MAC, ip, len);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(sim_rx(b->sim, frame, len, false), 0, "sim_rx");
	bench_settle(b);
	bench_counted(b, HF_CNT_COOKIES_SENT, 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK(bench_tx(b) != NULL, "SYN %u is not answered", i);
	CHECK_EQ(bench_last_trace(b)->trc_state, HF_STATE_LISTEN, "state before");
	CHECK_EQ(bench_entry(b, PEER_ADDR, (uint16_t)port[0], OUR_ADDR, OUR_PORT)->chal_count, 0, "challenge ACKs");
	bench_close(b);
}

/* Two entries in TIME-WAIT fill a set. The peer's FIN again makes the first one the later of them, and a CONNECT comes
 * around it: its victim is the one that ends first when it begins. */
static void victim_after_the_fin_again(void)
{
	unsigned next = 0;

	for (unsigned offset = 0; offset < 40; offset++) {
		struct bench *b = bench_open(ENGINE_SMALL);
		struct state_want want = { .state = HF_STATE_TIME_WAIT,
			.local_port = OUR_PORT,
			.snd_nxt = 1000,
			.rcv_nxt = 2000,
			.rcv_wnd = 65535 };
		uint8_t msg[128], ip[64], frame[64];
		const struct hf_out *fin = NULL, *connect = NULL;
		uint64_t fin_cycle = 0, connect_cycle = 0;
		struct hf_tcb entry;
		uint16_t ports[3];
		uint32_t id[2];
		size_t len, first;

		check_context("offset %u", offset);
		CHECK_EQ(ports_of_set(b, 1, ports, 3), 3, "ports of one set");
		for (unsigned i = 0; i < 2; i++) {
			want.remote_port = ports[i];
			id[i] = states_reach(b, &want, &entry);
			CHECK(id[i] != HF_NO_ID, "connection %u is not in TIME-WAIT", i);
			bench_ms(b, 5);
		}
		bench_call_body(msg, false, ports[2], OUR_PORT, &(struct tags){ 0 });
		msg[0] = HF_MSG_COMMAND;
		msg[1] = HF_COMMAND_CONNECT;
		MSG_PUT(msg, HEADER, length, sizeof(msg));
		len = make_packet(ip, &(struct segment){ .sport = ports[0],
					      .dport = OUR_PORT,
					      .seq = want.rcv_nxt - 1,
					      .ack = want.snd_nxt,
					      .flags = HF_FIN | HF_ACK });
		len = make_frame(frame, OUR_MAC, PEER_MAC, ip, len);
		first = b->trace_count;
		CHECK_EQ(sim_h2c(b->sim, msg, sizeof(msg)), 0, "sim_h2c");
		sim_run(b->sim, offset);
		CHECK_EQ(sim_rx(b->sim, frame, len, false), 0, "sim_rx");
		bench_settle(b);
		for (size_t i = first; i < b->trace_count; i++) {
			if (b->trace[i].trc_op == HF_OP_SEGMENT) {
				fin = &b->trace[i];
				fin_cycle = b->trace_cycle[i];
			} else if (b->trace[i].trc_op == HF_OP_COMMAND) {
				connect = &b->trace[i];
				connect_cycle = b->trace_cycle[i];
			}
		}
		if (CHECK(fin && connect, "the FIN and the CONNECT are not both there")) {
			CHECK_EQ(connect->trc_slot, id[fin_cycle < connect_cycle] & 0xffff, "the victim's slot");
			next += connect_cycle == fin_cycle + 4;
		}
		states_forget(b);
		bench_close(b);
	}
	check_context("%s", "");
	CHECK(next > 0, "no CONNECT began in the cycle that wrote the FIN's entry");
}

/* A hit needs the whole key: each of address and port, remote and local. */
static void whole_key_is_compared(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint32_t iss;

	bench_set(b, HF_REG_LOCAL_ADDR1, OUR_ADDR + 1);
	bench_listen(b, 1, 0, OUR_PORT + 1, 1000, 7, LISTEN_OFFLOAD);
	bench_half_open(b, PEER_ADDR, 1000, 5);
	iss = (uint32_t)bench_entry(b, PEER_ADDR, 1000, OUR_ADDR, OUR_PORT)->iss;
	for (unsigned i = 1; i < 16; i++) {
		struct segment s = { .src = PEER_ADDR + (i & 1 ? 256 : 0),
			.sport = 1000 + (i >> 1 & 1),
			.seq = 6,
			.dst = OUR_ADDR + (i >> 2 & 1),
			.dport = (uint16_t)(OUR_PORT + (i >> 3)),
			.ack = iss + 1,
			.flags = HF_ACK };

		check_context("key %u", i);
		bench_segment(b, &s);
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
		bench_quiet(b);
	}
	check_context("%s", "");
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 1, "HALF_OPEN");
	bench_close(b);
}

/* An id is generation and slot; each use of a slot has the next generation, 65,536 uses apart. */
static void generations(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint32_t last = 0;

	for (unsigned i = 0; i < 300; i++) {
		uint32_t id = bench_establish(b, PEER_ADDR, 1000, i);

		check_context("use %u", i + 1);
		CHECK_EQ(id >> 16, i + 1, "generation");
		if (i) {
			CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, last), HF_STATUS_STALE, "status for the last id");
			CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, last), HF_STATUS_STALE, "status for the last id");
			CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id + 0x10000), HF_STATUS_STALE,
				"status for the next id");
		}
		CHECK_EQ(bench_command(b, i % 2 ? HF_COMMAND_ABORT : HF_COMMAND_RELEASE, id), HF_STATUS_OK, "status");
		if (i % 2)
			CHECK(bench_tx(b) != NULL, "no RST");
		bench_quiet(b);
		last = id;
	}
	check_context("%s", "");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_close(b);
}

static void ids_of_nothing_are_stale(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint32_t live = bench_establish(b, PEER_ADDR, 1000, 5), ids[] = {
		0,
		0xffffffff,
		0x0000ffff,
		live ^ 1,
		live + b->slots,
		live | 0x8000,
		live ^ 0x80000000,
		b->slots,
		b->slots - 1,
	};

	for (size_t i = 0; i < COUNT(ids); i++)
		for (unsigned code = HF_COMMAND_RELEASE; code <= HF_COMMAND_ABORT; code++) {
			check_context("id 0x%08x", ids[i]);
			CHECK_EQ(bench_command(b, (enum hf_command_code)code, ids[i]), HF_STATUS_STALE, "status");
			CHECK_EQ(bench_last_trace(b)->trc_slot, ids[i] & 0xffff, "trc_slot");
			CHECK_EQ(bench_last_trace(b)->trc_write, 0, "trc_write");
			bench_quiet(b);
		}
	check_context("%s", "");
	bench_counted(b, HF_CNT_COMMANDS, 2 * COUNT(ids));
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 1, "ENTRIES");
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, live), HF_STATUS_OK, "status of the live one");
	bench_close(b);
}

static unsigned listener_half_open(struct bench *b, unsigned index, unsigned port, unsigned backlog)
{
	bench_listen(b, index, 0, port, backlog, 7, LISTEN_OFFLOAD); /* LISTEN_HALF_OPEN shows the last committed one */
	return bench_get(b, HF_REG_LISTEN_HALF_OPEN);
}

/* Half-open counts, per listener and in all, and the backlog: a SYN beyond it is dropped, not reset; room comes back
 * by completion, RST, timeout and ABORT. */
static void half_open_and_backlog(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint16_t port = 1000;

	bench_set(b, HF_REG_SYNACK_RETRIES, 0);
	bench_listen(b, 0, 0, OUR_PORT, 3, 7, LISTEN_OFFLOAD);
	bench_listen(b, 1, 0, 81, 2, 7, LISTEN_OFFLOAD);
	bench_segment(b, &(struct segment){ .sport = 5, .dport = 81, .seq = 5, .flags = HF_SYN });
	CHECK(bench_tx(b) != NULL, "no SYN-ACK on the other listener");
	for (unsigned round = 0; round < 4; round++) {
		uint32_t id;
		const struct hf_tcb *t;

		for (unsigned i = 0; i < (round ? 1 : 3); i++)
			bench_half_open(b, PEER_ADDR, ++port, 5);
		check_context("round %u", round);
		CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 4, "HALF_OPEN");
		CHECK_EQ(listener_half_open(b, 0, OUR_PORT, 3), 3, "LISTEN_HALF_OPEN");
		CHECK_EQ(listener_half_open(b, 1, 81, 2), 1, "LISTEN_HALF_OPEN of the other");
		give_syn(b, 999, 5);
		CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_BACKLOG, "cause");
		bench_counted(b, HF_CNT_DROP_BACKLOG, 1);
		bench_quiet(b);
		give_syn(b, port, 5); /* known: not a new one */
		CHECK(bench_tx(b) != NULL, "duplicate SYN at a full backlog has no answer");
		t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
		id = bench_id(b, t);
		switch (round) {
		case 0:
			bench_segment(b, &(struct segment){ .sport = port,
						 .dport = OUR_PORT,
						 .seq = 6,
						 .flags = HF_ACK,
						 .ack = (uint32_t)t->iss + 1 });
			CHECK(bench_c2h(b) != NULL, "no event");
			break;
		case 1:
			bench_segment(
				b, &(struct segment){ .sport = port, .dport = OUR_PORT, .seq = 6, .flags = HF_RST });
			break;
		case 2:
			CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, id), HF_STATUS_OK, "status");
			bench_tx(b);
			break;
		}
		if (round < 3)
			CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 3, "HALF_OPEN");
	}
	check_context("%s", "");
	bench_ms(b, 1000); /* no retries: all time out */
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 0, "HALF_OPEN");
	CHECK_EQ(listener_half_open(b, 0, OUR_PORT, 3), 0, "LISTEN_HALF_OPEN");
	CHECK_EQ(listener_half_open(b, 1, 81, 2), 0, "LISTEN_HALF_OPEN of the other");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 1, "ENTRIES");
	bench_half_open(b, PEER_ADDR, 999, 5);
	bench_close(b);
}

static void backlog_zero(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	bench_listen(b, 0, 0, OUR_PORT, 0, 7, LISTEN_OFFLOAD);
	give_syn(b, 1000, 5);
	bench_counted(b, HF_CNT_DROP_BACKLOG, 1);
	bench_silence(b);
	bench_close(b);
}

/* A changed or closed listener leaves its half-open connections; their count stays with the slot they came from. */
static void listener_changes_under_half_open(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	const struct hf_tcb *t;

	bench_half_open(b, PEER_ADDR, 1000, 5);
	bench_listen(b, 0, 0, OUR_PORT, 1, 7, LISTEN_OFF);
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_HALF_OPEN), 1, "LISTEN_HALF_OPEN");
	t = bench_entry(b, PEER_ADDR, 1000, OUR_ADDR, OUR_PORT);
	bench_segment(b, &(struct segment){ .sport = 1000,
				 .dport = OUR_PORT,
				 .seq = 6,
				 .flags = HF_ACK,
				 .ack = t ? (uint32_t)t->iss + 1 : 0 });
	CHECK(bench_c2h(b) != NULL, "no event");
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_HALF_OPEN), 0, "LISTEN_HALF_OPEN");
	bench_close(b);
}

/* A tick while the scanner walks through later sets starts another walk: nobody waits for the tick after it. */
static void tick_during_the_walk(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint16_t port;

	CHECK_EQ(ports_of_set(b, 3, &port, 1), 1, "ports of set 3");
	bench_set(b, HF_REG_SYN_RTO_MS, 2);
	bench_half_open(b, PEER_ADDR, port, 5);
	sim_tick(b->sim, 1, 100); /* 50 sets further */
	sim_tick(b->sim, 1, 100);
	b->ms += 2;
	bench_quiet(b);
	sim_run(b->sim, 1200);
	CHECK(bench_tx(b) != NULL, "no SYN-ACK after 2 ms");
	bench_quiet(b);
	bench_close(b);
}

/* The completing ACK and the tick that expires the timer, in every order to the clock: the connection is established,
 * at most one more SYN-ACK went out, and the timer is off. */
static void timer_races_with_ack(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned k = 0; k < 48; k++) {
		uint16_t port = (uint16_t)(1000 + k);
		uint32_t id = bench_half_open(b, PEER_ADDR, port, 5);
		const struct hf_tcb *t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
		struct segment s = { .sport = port, .dport = OUR_PORT, .seq = 6, .flags = HF_ACK };
		uint8_t ip[64], frame[64];
		const struct item *event;

		check_context("tick %u clocks after the ACK began", k);
		if (!t)
			continue;
		s.ack = (uint32_t)t->iss + 1;
		bench_ms(b, 999);
		sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), false);
		sim_run(b->sim, k);
		bench_ms(b, 1);
		event = bench_c2h(b);
		CHECK(event && event->bytes[0] == HF_MSG_EVENT, "no event");
		CHECK_EQ(t->state, HF_STATE_ESTABLISHED, "state");
		CHECK_EQ(t->timer_armed, 0, "TIMER.ARMED");
		bench_tx(b); /* the copy, if the timer was first */
		bench_ms(b, 3000);
		bench_quiet(b);
		CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id), HF_STATUS_OK, "status of RELEASE");
	}
	check_context("%s", "");
	CHECK(bench_counter(b, HF_CNT_RETRANSMITS) > 0, "the timer never was first");
	CHECK(bench_counter(b, HF_CNT_RETRANSMITS) < 48, "the ACK never was first");
	bench_close(b);
}

/* Default geometry: 1,024 slots fill until sets overflow; everything the trace wrote is there to be released. */
static void default_geometry_many(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	unsigned answered = 0, released = 0;

	bench_listen(b, 0, 0, OUR_PORT, 65535, 7, LISTEN_OFFLOAD);
	b->sim->rx_gap = 3; /* 10 GbE: one minimum frame per 10.5 cycles */
	for (unsigned i = 0; i < 900; i++) {
		struct segment s = { .src = 0x0a000001 + i * 77,
			.sport = (uint16_t)(i + 1),
			.dport = OUR_PORT,
			.seq = i,
			.flags = HF_SYN };
		uint8_t ip[64], frame[64];

		sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), false);
	}
	bench_settle(b);
	answered = (unsigned)b->tx.count;
	b->tx.next = b->tx.count;
	CHECK_EQ(bench_counter(b, HF_CNT_SYN_ACCEPTED), answered, "SYN_ACCEPTED");
	CHECK_EQ(bench_counter(b, HF_CNT_SYN_ACCEPTED) + bench_counter(b, HF_CNT_DROP_TABLE_FULL), 900,
		"SYN_ACCEPTED + DROP_TABLE_FULL");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), answered, "ENTRIES");
	for (unsigned slot = 0; slot < b->slots; slot++)
		if (b->table[slot].state != HF_STATE_CLOSED) {
			CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, bench_id(b, &b->table[slot])), HF_STATUS_OK,
				"status");
			CHECK(bench_tx(b) != NULL, "no RST");
			released++;
		}
	CHECK_EQ(released, answered, "entries released");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(full_set_small), CASE(full_set_default), CASE(full_table), CASE(equal_tags), CASE(equal_tags_in_a_row),
		CASE(victim_after_the_fin_again),
		CASE(whole_key_is_compared), CASE(generations), CASE(ids_of_nothing_are_stale),
		CASE(half_open_and_backlog), CASE(backlog_zero), CASE(listener_changes_under_half_open),
		CASE(tick_during_the_walk), CASE(timer_races_with_ack), CASE(default_geometry_many), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "conn_table", cases);
}
