/* SPDX-License-Identifier: Apache-2.0
 * test_rate_limit.c - the token buckets (RSTs, SYN-ACK retransmissions, segments that belong to nothing), and what the
 * board may do with such segments while the host says that the table is complete (register CACHE). */
#include "support_bench.h"

#define LIMIT(rate, burst) ((uint32_t)(rate) | (uint32_t)(burst) << 16)

/* Set a limit and let a millisecond pass, so that the bucket holds `burst`. */
static void set_limit(struct bench *b, uint32_t offset, unsigned rate, unsigned burst)
{
	bench_set(b, offset, LIMIT(rate, burst));
	sim_tick(b->sim, 1, 1);
	b->ms++;
}

static struct segment stray(uint16_t port, uint16_t flags)
{
	return (struct segment){
		.sport = port, .dport = OUR_PORT, .seq = 100, .ack = 5000 + port, .flags = flags, .wnd = 9
	};
}

/* Give `n` of them; returns how many came back as RSTs, in *up how many went to the host. */
static unsigned give_strays(struct bench *b, unsigned n, uint16_t flags, unsigned *up)
{
	unsigned resets = 0;

	*up = 0;
	for (unsigned i = 0; i < n; i++) {
		struct segment s = stray((uint16_t)(2000 + i), flags);
		const struct item *f;

		bench_segment(b, &s);
		f = bench_tx(b);
		if (f) {
			CHECK_EQ(f->bytes[47], HF_RST, "flags");
			CHECK_EQ(get32(f->bytes + 38), s.ack, "SEQ of the RST");
			resets++;
		}
		f = bench_c2h(b);
		if (f) {
			CHECK_EQ(f->bytes[0], HF_MSG_FRAME, "message");
			++*up;
		}
	}
	return resets;
}

/* RST_LIMIT: BURST at once, RATE in each millisecond, 0 = no limit. */
static void resets(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	unsigned up;

	bench_set(b, HF_REG_CACHE, 1);
	set_limit(b, HF_REG_RST_LIMIT, 2, 5);
	CHECK_EQ(give_strays(b, 9, HF_ACK, &up), 5, "RSTs of a full bucket");
	bench_counted(b, HF_CNT_DROP_RST_LIMITED, 4);
	CHECK_EQ(up, 0, "frames to the host");
	for (unsigned ms = 1; ms < 5; ms++) {
		set_limit(b, HF_REG_RST_LIMIT, 2, 5);
		CHECK_EQ(give_strays(b, 4, HF_ACK, &up), 2, "RSTs of a millisecond");
	}
	bench_ms(b, 100);
	CHECK_EQ(give_strays(b, 9, HF_ACK, &up), 5, "RSTs after a pause");
	bench_set(b, HF_REG_RST_LIMIT, 0);
	CHECK_EQ(give_strays(b, 50, HF_ACK, &up), 50, "RSTs without a limit");
	bench_close(b);
}

/* As built: 100 per millisecond and 1,000 at once. */
static void resets_by_default(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	unsigned up;

	bench_set(b, HF_REG_CACHE, 1);
	bench_set(b, HF_REG_RST_LIMIT,
		LIMIT(100, 1000)); /* the reset values, test_regs: tokens are there from the start */
	CHECK_EQ(give_strays(b, 1020, HF_ACK, &up), 1000, "RSTs");
	bench_counted(b, HF_CNT_DROP_RST_LIMITED, 20);
	sim_tick(b->sim, 1, 1);
	CHECK_EQ(give_strays(b, 120, HF_ACK, &up), 100, "RSTs a millisecond later");
	bench_close(b);
}

/* The same bucket for a bad ACK in SYN-SENT and SYN-RECEIVED; the state stays, and other answers go on. */
static void resets_of_states(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	struct segment bad = { .sport = 3000, .dport = OUR_PORT, .seq = 78, .flags = HF_ACK };
	const struct hf_tcb *t;

	bench_half_open(b, PEER_ADDR, 3000, 77);
	t = bench_entry(b, PEER_ADDR, 3000, OUR_ADDR, OUR_PORT);
	bad.ack = (uint32_t)t->iss + 99;
	set_limit(b, HF_REG_RST_LIMIT, 1, 2);
	for (unsigned i = 0; i < 5; i++)
		bench_segment(b, &bad);
	for (unsigned i = 0; i < 2; i++)
		bench_expect_segment(b, &(struct segment){ .src = OUR_ADDR,
						.dst = PEER_ADDR,
						.sport = OUR_PORT,
						.dport = 3000,
						.seq = bad.ack,
						.flags = HF_RST });
	bench_counted(b, HF_CNT_DROP_RST_LIMITED, 3);
	CHECK_EQ(t->state, HF_STATE_SYN_RECEIVED, "state");
	bench_half_open(b, PEER_ADDR, 3001, 77); /* SYN-ACKs know nothing of the bucket */
	bench_close(b);

	b = bench_open_vector();
	set_limit(b, HF_REG_RST_LIMIT, 1, 1);
	bad = (struct segment){ .sport = G_PORT, .dport = G_OURS, .seq = 9, .ack = 0x20000009, .flags = HF_ACK };
	bench_segment(b, &bad);
	CHECK(bench_tx(b) != NULL, "no RST in SYN-SENT");
	bench_segment(b, &bad);
	CHECK(bench_tx(b) == NULL, "a RST without a token");
	CHECK_EQ(bench_vector_state(b), HF_STATE_SYN_SENT, "state");
	bench_close(b);
}

/* MISS_LIMIT: what goes up although it matches nothing; connections and other ports are not touched. */
static void misses(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	struct segment s = { .sport = 3000, .dport = OUR_PORT, .flags = HF_ACK, .text = "x", .text_len = 1 };
	uint32_t id = bench_establish(b, PEER_ADDR, 3000, 7);
	const struct hf_tcb *t = bench_entry(b, PEER_ADDR, 3000, OUR_ADDR, OUR_PORT);
	unsigned up;

	CHECK_EQ(give_strays(b, 50, HF_ACK, &up), 0, "RSTs");
	CHECK_EQ(up, 50, "frames to the host without a limit");
	set_limit(b, HF_REG_MISS_LIMIT, 3, 10);
	for (unsigned kind = 0; kind < 3; kind++) {
		static const uint16_t flags[] = { HF_ACK | HF_PSH, HF_RST, HF_ACK | HF_FIN };

		CHECK_EQ(give_strays(b, 20, flags[kind], &up), 0, "RSTs");
		CHECK_EQ(up, kind ? 3 : 10, "frames to the host");
		set_limit(b, HF_REG_MISS_LIMIT, 3, 10);
	}
	bench_counted(b, HF_CNT_DROP_HOST_LIMITED, 10 + 17 + 17);
	give_strays(b, 5, HF_ACK, &up);
	CHECK_EQ(up, 3, "frames to the host");
	s.seq = (uint32_t)t->rcv_nxt;
	s.ack = (uint32_t)t->snd_nxt;
	for (unsigned i = 0; i < 5; i++) {
		bench_segment(b, &s);
		bench_expect_last(b, HF_FRAME_CSUM_OK | HF_FRAME_CONN, id);
	}
	s.dport = 9999; /* no listener: the kernel's port */
	bench_segment(b, &s);
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_close(b);
}

/* SYNACK_LIMIT: without a token nothing is sent, but time goes on: the entry ends when it would have ended. */
static void retransmissions(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	unsigned sent = 0, entries = 8;

	for (unsigned i = 0; i < entries; i++)
		bench_half_open(b, PEER_ADDR, (uint16_t)(3000 + i), 7);
	bench_set(b, HF_REG_SYNACK_RETRIES, 2);
	bench_set(b, HF_REG_SYNACK_LIMIT, LIMIT(1, 3));
	bench_ms(b, 1000); /* all are due in the same tick */
	while (bench_tx(b))
		sent++;
	CHECK_EQ(sent, 3, "SYN-ACKs sent again");
	bench_counted(b, HF_CNT_SYNACK_LIMITED, entries - 3);
	bench_counted(b, HF_CNT_RETRANSMITS, 3);
	bench_set(b, HF_REG_SYNACK_LIMIT, 0);
	bench_ms(b, 2000);
	for (sent = 0; bench_tx(b);)
		sent++;
	CHECK_EQ(sent, entries, "SYN-ACKs sent again without a limit");
	bench_ms(b, 4000);
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 0, "HALF_OPEN");
	bench_counted(b, HF_CNT_TIMEOUTS, entries);
	bench_close(b);

	/* Without a rate the bucket keeps its tokens. */
	b = bench_open(ENGINE_DEFAULT);
	for (unsigned i = 0; i < entries; i++)
		bench_half_open(b, PEER_ADDR, (uint16_t)(3000 + i), 7);
	bench_set(b, HF_REG_SYNACK_LIMIT, LIMIT(0, 3));
	bench_ms(b, 1000);
	for (sent = 0; bench_tx(b);)
		sent++;
	CHECK_EQ(sent, entries, "SYN-ACKs sent again without a rate");
	bench_ms(b, 1999);
	bench_set(b, HF_REG_SYNACK_LIMIT, LIMIT(1, 3));
	bench_ms(b, 1);
	for (sent = 0; bench_tx(b);)
		sent++;
	CHECK_EQ(sent, 3, "SYN-ACKs sent again with a rate");
	bench_close(b);
}

/* A zero timeout counts as a millisecond: nothing is sent at wire speed. */
static void zero_timeout(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	unsigned sent = 0;

	bench_set(b, HF_REG_SYN_RTO_MS, 0);
	bench_half_open(b, PEER_ADDR, 3000, 7);
	sim_run(b->sim, 20000);
	CHECK(bench_tx(b) == NULL, "a retransmission before the first millisecond");
	for (unsigned ms = 0; ms < 5; ms++) {
		bench_ms(b, 1);
		sent += bench_tx(b) != NULL;
		CHECK(bench_tx(b) == NULL, "two retransmissions in one millisecond");
	}
	CHECK_EQ(sent, 5, "retransmissions");
	bench_ms(b, 2);
	bench_quiet(b);
	bench_close(b);
}

/* While CACHE.COMPLETE is set, what matches nothing belongs to nothing: RSTs and ACKs do not reach the host. */
static void complete(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	struct segment s;
	unsigned up;

	bench_set(b, HF_REG_CACHE, 1);
	CHECK_EQ(bench_get(b, HF_REG_CACHE), 1, "CACHE");
	CHECK_EQ(give_strays(b, 5, HF_RST, &up), 0, "RSTs that answer RSTs");
	CHECK_EQ(up, 0, "frames to the host");
	CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_NO_CONNECTION, "cause");
	bench_counted(b, HF_CNT_DROP_NO_CONNECTION, 5);
	CHECK_EQ(give_strays(b, 5, HF_ACK | HF_RST, &up), 0, "RSTs that answer RSTs");
	CHECK_EQ(give_strays(b, 5, HF_ACK, &up) + give_strays(b, 5, HF_ACK | HF_FIN, &up) +
			 give_strays(b, 5, HF_ACK | HF_SYN, &up),
		15, "RSTs");
	CHECK_EQ(up, 0, "frames to the host");
	s = stray(2000, HF_ACK);
	s.dport = 9999;
	bench_segment(b, &s);
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_listen(b, 1, 0, 81, 5, 7, LISTEN_BYPASS);
	s.dport = 81;
	bench_segment(b, &s);
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_set(b, HF_REG_CACHE, 0);
	CHECK_EQ(give_strays(b, 5, HF_ACK, &up), 0, "RSTs");
	CHECK_EQ(up, 5, "frames to the host");
	bench_close(b);
}

/* Fill a set with half-open entries; returns the first peer port that found no room. */
static uint16_t fill_set(struct bench *b)
{
	uint16_t first = 0;
	unsigned held = 0;

	for (uint16_t port = 2000; port < 60000; port++) {
		uint64_t hash = bench_index_hash(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);

		if ((hash & ((1u << b->params->sets_log2) - 1)) != 3)
			continue;
		if (held == b->params->ways) {
			first = port;
			break;
		}
		bench_half_open(b, PEER_ADDR, port, port);
		held++;
	}
	return first;
}

/* What ends it: writing 0, reset, a host that falls silent, the eviction of a host-owned entry, an ADOPT without room. (A
 * cookie without entry: test_syn_cookie.) Refused commands and other evictions do not. */
static void what_clears_it(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t body[128] = { 0 };
	uint16_t port;
	uint32_t id;

	bench_set(b, HF_REG_CACHE, 1);
	bench_set(b, HF_REG_HEARTBEAT_MS, 10);
	bench_set(b, HF_REG_HEARTBEAT, 0);
	bench_set(b, HF_REG_CACHE, 1);
	bench_ms(b, 9);
	CHECK_EQ(bench_get(b, HF_REG_CACHE), 1, "CACHE before the heartbeat is missed");
	bench_ms(b, 1);
	CHECK_EQ(bench_get(b, HF_REG_CACHE), 0, "CACHE without a heartbeat");
	bench_set(b, HF_REG_CACHE, 1);
	CHECK_EQ(bench_get(b, HF_REG_CACHE), 0, "CACHE set while the host is silent");
	bench_set(b, HF_REG_HEARTBEAT, 0);
	CHECK_EQ(bench_get(b, HF_REG_CACHE), 0, "CACHE does not come back by itself");
	bench_set(b, HF_REG_HEARTBEAT_MS, 0);
	bench_close(b);

	/* A set full of half-open entries: ADOPT finds no room, nor does CONNECT; only the first matters. */
	for (unsigned adopt = 0; adopt < 2; adopt++) {
		b = bench_open(ENGINE_SMALL);
		port = fill_set(b);
		bench_set(b, HF_REG_CACHE, 1);
		bench_call_body(body, false, port, OUR_PORT, &(struct tags){ 0 });
		MSG_PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
		CHECK_EQ(bench_call(b, adopt ? HF_COMMAND_ADOPT : HF_COMMAND_CONNECT, body, &id), HF_STATUS_NO_ROOM,
			"status");
		CHECK_EQ(bench_get(b, HF_REG_CACHE), !adopt, adopt ? "CACHE after ADOPT" : "CACHE after CONNECT");
		bench_close(b);
	}

	/* A set full of the host's: the victim is one of them. */
	b = bench_open(ENGINE_SMALL);
	for (uint16_t p = 2000; bench_get(b, HF_REG_ENTRIES) < b->slots; p++) {
		bench_set(b, HF_REG_CACHE, 1);
		bench_call_body(body, false, p, OUR_PORT, &(struct tags){ 0 });
		MSG_PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
		bench_call(b, HF_COMMAND_ADOPT, body, &id);
	}
	bench_set(b, HF_REG_CACHE, 1);
	bench_call_body(body, false, 60001, OUR_PORT, &(struct tags){ 0 });
	MSG_PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
	CHECK_EQ(bench_call(b, HF_COMMAND_ADOPT, body, &id), HF_STATUS_OK, "status");
	CHECK(bench_counter(b, HF_CNT_EVICT_HOST) > 0, "nothing was evicted");
	CHECK_EQ(bench_get(b, HF_REG_CACHE), 0, "CACHE after an eviction");
	bench_set(b, HF_REG_CACHE, 1);
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id), HF_STATUS_OK, "status");
	CHECK_EQ(bench_get(b, HF_REG_CACHE), 1, "CACHE after RELEASE");
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(resets), CASE(resets_by_default), CASE(resets_of_states), CASE(misses), CASE(retransmissions),
		CASE(zero_timeout), CASE(complete), CASE(what_clears_it), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "rate_limit", cases);
}
