/* SPDX-License-Identifier: Apache-2.0
 * test_rule_table.c - what source prefixes may send to listeners (denied, so many SYNs a second), how many SYNs each listener
 * got, and samples of them. docs/architecture.md, "Source rules". */
#include <arpa/inet.h>

#include "support_bench.h"

/* ---- rules and sources ---- */

/* An address as the board's registers hold it: 128 bits, IPv4 as ::ffff:a.b.c.d. */
static void address(const char *text, uint8_t to[16])
{
	memset(to, 0, 16);
	if (strchr(text, ':')) {
		CHECK_EQ(inet_pton(AF_INET6, text, to), 1, text);
	} else {
		to[10] = to[11] = 0xff;
		CHECK_EQ(inet_pton(AF_INET, text, to + 12), 1, text);
	}
}

static void stage(struct bench *b, const uint8_t prefix[16], unsigned len, uint32_t rate, unsigned burst)
{
	for (unsigned i = 0; i < 4; i++)
		bench_set(b, HF_REG_RULE_ADDR0 + 4 * i, get32(prefix + 12 - 4 * i));
	bench_set(b, HF_REG_RULE_MASK_LEN, len);
	bench_set(b, HF_REG_RULE_RATE, rate);
	bench_set(b, HF_REG_RULE_BURST, burst);
}

#define VALID (1u << HF_RULE_COMMIT_VALID_LOW)

/* Entry `index`: `prefix` of `len` bits, IPv4 prefixes with their own length. */
static void rule(struct bench *b, unsigned index, const char *prefix, unsigned len, uint32_t rate, unsigned burst)
{
	uint8_t octets[16];

	address(prefix, octets);
	stage(b, octets, strchr(prefix, ':') ? len : 96 + len, rate, burst);
	bench_set(b, HF_REG_RULE_COMMIT, index | VALID);
}

static uint32_t drops(struct bench *b, unsigned index)
{
	bench_set(b, HF_REG_RULE_SELECT, index);
	return bench_get(b, HF_REG_RULE_DROPS);
}

static uint32_t syns(struct bench *b, unsigned listener)
{
	bench_set(b, HF_REG_LISTEN_SELECT, listener);
	return bench_get(b, HF_REG_LISTEN_SYNS);
}

/* A segment to port 80, from a port of its own each time; the frame is kept for those who look at it again. */
static struct {
	uint8_t frame[PACKET_MAX];
	size_t len;
	uint16_t port;
} given;

static void give(struct bench *b, const uint8_t source[16], uint16_t dport, uint16_t flags, const struct tags *tags)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct segment s = { .dport = dport, .seq = 1000, .flags = flags, .ack = 77, .wnd = 500 };
	uint8_t ip[PACKET_MAX];
	size_t len;

	given.port = given.port >= 60000 || given.port < 1024 ? 1024 : given.port + 1;
	s.sport = given.port;
	s.ip6 = memcmp(source, mapped, 12) != 0;
	if (!s.ip6)
		s.src = get32(source + 12);
	len = make_packet(ip, &s);
	if (s.ip6) {
		memcpy(ip + 8, source, 16);
		fix_packet(ip);
	}
	given.len = make_tagged_frame(given.frame, OUR_MAC, PEER_MAC, tags ? tags : &(struct tags){ 0 }, ip, len);
	bench_frame(b, given.frame, given.len);
}

static void give_text(struct bench *b, const char *source, uint16_t dport, uint16_t flags)
{
	uint8_t octets[16];

	address(source, octets);
	give(b, octets, dport, flags, NULL);
}

/* A SYN from there: the cause of its drop, or HF_CAUSE_NONE and it was answered. The entry is given back. */
static unsigned syn_from(struct bench *b, const uint8_t source[16])
{
	const struct hf_out *t;

	give(b, source, OUR_PORT, HF_SYN, NULL);
	t = bench_last_trace(b);
	CHECK_EQ(t->trc_state, HF_STATE_LISTEN, "trc_state");
	if (t->trc_verdict == HF_VERDICT_DROP) {
		CHECK_EQ(t->trc_write, 0, "entry written by a SYN that was dropped");
		bench_quiet(b);
	} else if (CHECK(bench_tx(b) != NULL, "no SYN-ACK") && t->trc_write) {
		uint32_t id = (uint32_t)(t->trc_entry.generation << 16 | t->trc_slot);

		CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, id), HF_STATUS_OK, "status of ABORT");
		bench_tx(b);
		return HF_CAUSE_NONE;
	}
	return (unsigned)t->trc_cause;
}

static unsigned syn_from_text(struct bench *b, const char *source)
{
	uint8_t octets[16];

	address(source, octets);
	return syn_from(b, octets);
}

/* So many of `n` SYNs from there are answered, the rest is dropped by its rule. */
static unsigned answered(struct bench *b, const char *source, unsigned n)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned cause = syn_from_text(b, source);

		CHECK(cause == HF_CAUSE_NONE || cause == HF_CAUSE_SOURCE_LIMITED, "cause %u", cause);
		count += cause == HF_CAUSE_NONE;
	}
	return count;
}

/* IPv6 listener at the address of the packets, besides the one of IPv4. */
static void listen6(struct bench *b, unsigned index)
{
	for (unsigned i = 0; i < 4; i++)
		bench_set(b, HF_REG_LISTEN_ADDR + (i ? HF_REG_LISTEN_ADDR1 - HF_REG_LISTEN_ADDR + 4 * (i - 1) : 0),
			get32(OUR6 + 12 - 4 * i));
	bench_set(b, HF_REG_LISTEN_PORT, OUR_PORT);
	bench_set(b, HF_REG_LISTEN_BACKLOG, 1000);
	bench_set(b, HF_REG_LISTEN_OPTS, 7 | OPT_IP6);
	bench_set(b, HF_REG_LISTEN_COMMIT, index | LISTEN_OFFLOAD << HF_LISTEN_COMMIT_MODE_LOW);
}

/* ---- cases ---- */

/* Denied: nothing of that source reaches a listener, and nothing is answered; all else is as without the rule. */
static void denies(void)
{
	static const uint16_t flags[] = { HF_SYN, HF_ACK, HF_RST, HF_RST | HF_ACK, HF_SYN | HF_ACK, HF_FIN | HF_ACK,
		HF_SYN | HF_PSH, HF_PSH | HF_ACK, HF_SYN | HF_ECE | HF_CWR };
	static const uint16_t bad[] = { 0, HF_FIN, HF_PSH, HF_SYN | HF_RST, HF_SYN | HF_FIN, HF_SYN | HF_FIN | HF_ACK };
	struct bench *b = bench_open(ENGINE_DEFAULT);

	bench_listen(b, 1, 0, 81, 9, 7, LISTEN_BYPASS);
	for (unsigned complete = 0; complete < 2; complete++) {
		bench_set(b, HF_REG_CACHE, complete);
		rule(b, 3, "198.51.100.0", 24, 0, 1);
		for (size_t i = 0; i < COUNT(flags); i++) {
			check_context("flags 0x%x", flags[i]);
			give_text(b, "198.51.100.7", OUR_PORT, flags[i]);
			CHECK_EQ(bench_last_trace(b)->trc_verdict, HF_VERDICT_DROP, "verdict");
			CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_DENIED, "cause");
			CHECK_EQ(bench_last_trace(b)->trc_state, HF_STATE_LISTEN, "state");
			bench_quiet(b);
		}
		bench_counted(b, HF_CNT_DROP_DENIED, COUNT(flags));
		CHECK_EQ(drops(b, 3), (complete + 1) * COUNT(flags), "RULE_DROPS");
		for (size_t i = 0; i < COUNT(bad); i++) { /* what means nothing is dropped as that */
			check_context("flags 0x%x", bad[i]);
			give_text(b, "198.51.100.7", OUR_PORT, bad[i]);
			CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_BAD_FLAGS, "cause");
			bench_quiet(b);
		}
		check_context("%s", "");
		/* no listener, or the kernel's: not the rule's business */
		give_text(b, "198.51.100.7", 9999, HF_SYN);
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
		give_text(b, "198.51.100.7", 81, HF_SYN);
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
		CHECK_EQ(syn_from_text(b, "198.51.101.7"), HF_CAUSE_NONE, "another source");
		CHECK_EQ(drops(b, 3), (complete + 1) * COUNT(flags), "RULE_DROPS");
		/* without the rule again */
		bench_set(b, HF_REG_RULE_COMMIT, 3);
		CHECK_EQ(syn_from_text(b, "198.51.100.7"), HF_CAUSE_NONE, "entry taken out");
	}
	bench_counted(b, HF_CNT_COOKIE_BAD, 0);
	bench_counted(b, HF_CNT_DROP_SOURCE_LIMITED, 0);
	bench_close(b);
}

/* Prefixes of IPv4 and IPv6 in one table of 128 bits. */
static void prefixes(void)
{
	static const struct {
		const char *prefix;
		unsigned len;
		const char *source;
		bool in;
	} rows[] = {
		{ "::", 0, "192.0.2.1", true },
		{ "::", 0, "2001:db8::1", true },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "192.0.2.1", true }, /* none of its bits counts */
		{ "0.0.0.0", 0, "192.0.2.1", true },				     /* ::ffff:0:0/96 */
		{ "0.0.0.0", 0, "2001:db8::1", false },
		{ "::", 80, "192.0.2.1", true },
		{ "::", 81, "192.0.2.1", false },
		{ "::", 96, "192.0.2.1", false },
		{ "::c000:201", 128, "192.0.2.1", false }, /* not mapped */
		{ "192.0.2.1", 32, "192.0.2.1", true },
		{ "192.0.2.1", 32, "192.0.2.3", false },
		{ "192.0.2.0", 24, "192.0.2.255", true },
		{ "192.0.2.77", 24, "192.0.2.255", true }, /* bits behind the prefix are nothing */
		{ "192.0.2.0", 24, "192.0.3.0", false },
		{ "192.0.2.0", 23, "192.0.3.0", true },
		{ "128.0.0.0", 1, "192.0.2.1", true },
		{ "0.0.0.0", 1, "192.0.2.1", false },
		{ "2001:db8::", 32, "2001:db8:ffff::1", true },
		{ "2001:db8::", 32, "2001:db9::1", false },
		{ "2001:db8::", 32, "192.0.2.1", false },
		{ "2001:db8::1", 127, "2001:db8::", true },
		{ "2001:db8::1", 127, "2001:db8::2", false },
		{ "2001:db8::1", 128, "2001:db8::1", true },
		{ "2001:db8::1", 128, "2001:db8::", false },
		{ "2001:db8::1", 129, "2001:db8::1", true }, /* as 128 */
		{ "2001:db8::1", 200, "2001:db8::3", false },
		{ "2001:db8::1", 255, "2001:db8::1", true },
		{ "::ffff:192.0.2.0", 120, "192.0.2.9", true },
		{ "2000::", 3, "2001:db8::1", true },
		{ "2000::", 3, "3fff::1", true },
		{ "2000::", 3, "4000::1", false },
	};
	struct bench *b = bench_open(ENGINE_DEFAULT);

	listen6(b, 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_context("%s/%u, %s", rows[i].prefix, rows[i].len, rows[i].source);
		rule(b, i % 8, rows[i].prefix, rows[i].len, 0, 1);
		CHECK_EQ(syn_from_text(b, rows[i].source), rows[i].in ? HF_CAUSE_DENIED : HF_CAUSE_NONE, "cause");
		bench_set(b, HF_REG_RULE_COMMIT, i % 8);
	}
	check_context("%s", "");
	bench_close(b);
}

/* Every bit of the prefix, at every length around it. */
static void every_bit(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint8_t prefix[16], source[16];

	listen6(b, 1);
	from_hex("25a55aa50f0ff0f03cc3c33c69969669", prefix, 16);
	for (unsigned bit = 0; bit < 128; bit++)
		for (unsigned len = bit; len <= bit + 1; len++) {
			check_context("bit %u, /%u", bit, len);
			memcpy(source, prefix, 16);
			source[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			if (source[0] == 0xff) /* no source */
				continue;
			stage(b, prefix, len, 0, 1);
			bench_set(b, HF_REG_RULE_COMMIT, bit % 8 | VALID);
			CHECK_EQ(syn_from(b, source), len > bit ? HF_CAUSE_NONE : HF_CAUSE_DENIED, "another bit");
			CHECK_EQ(syn_from(b, prefix), HF_CAUSE_DENIED, "the prefix itself");
			bench_set(b, HF_REG_RULE_COMMIT, bit % 8);
		}
	/* and of an IPv4 address */
	address("37.165.90.165", prefix);
	for (unsigned bit = 96; bit < 128; bit++) {
		check_context("bit %u", bit);
		memcpy(source, prefix, 16);
		source[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		stage(b, prefix, 128, 0, 1);
		bench_set(b, HF_REG_RULE_COMMIT, bit % 8 | VALID);
		CHECK_EQ(syn_from(b, source), HF_CAUSE_NONE, "another bit");
		CHECK_EQ(syn_from(b, prefix), HF_CAUSE_DENIED, "the address itself");
		bench_set(b, HF_REG_RULE_COMMIT, bit % 8);
	}
	check_context("%s", "");
	bench_close(b);
}

/* Of entries that match the lowest index counts, and one that is not valid counts for nothing. */
static void lowest_index_first(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	rule(b, 7, "0.0.0.0", 0, 0, 1);
	CHECK_EQ(syn_from_text(b, "192.0.2.1"), HF_CAUSE_DENIED, "cause");
	for (unsigned index = 7; index--;) {
		check_context("entry %u", index);
		rule(b, index, "192.0.2.0", 24, index % 2 ? 0 : 1000, 1);
		if (index % 2) {
			CHECK_EQ(syn_from_text(b, "192.0.2.1"), HF_CAUSE_DENIED, "cause");
			CHECK_EQ(drops(b, index), 1, "RULE_DROPS");
		} else {
			CHECK_EQ(syn_from_text(b, "192.0.2.1"), HF_CAUSE_NONE, "cause");
			CHECK_EQ(syn_from_text(b, "192.0.2.1"), HF_CAUSE_SOURCE_LIMITED, "cause");
			CHECK_EQ(drops(b, index), 1, "RULE_DROPS");
		}
		CHECK_EQ(syn_from_text(b, "192.0.3.1"), HF_CAUSE_DENIED, "cause of a source of the last entry only");
	}
	CHECK_EQ(drops(b, 7), 8, "RULE_DROPS");
	for (unsigned index = 0; index < 7; index++) {
		check_context("without entry %u", index);
		bench_set(b, HF_REG_RULE_COMMIT, index);
		CHECK_EQ(syn_from_text(b, "192.0.2.1"), index % 2 ? HF_CAUSE_SOURCE_LIMITED : HF_CAUSE_DENIED,
			"cause of the next one");
	}
	check_context("%s", "");
	bench_close(b);
}

/* Staging changes nothing until the commit, a refused commit nothing at all. A core without rules refuses all of them. */
static void commit_and_refusals(enum engine_size size)
{
	static const uint32_t refused[] = { 0x010, 0x110, 0x0ff, 0x1ff, 0x180, 0x120 };
	struct bench *b = bench_open(size);
	unsigned rules = b->params->rules;
	uint8_t prefix[16];

	CHECK_EQ(bench_get(b, HF_REG_GEOMETRY) >> HF_GEOMETRY_RULES_LOW, rules, "GEOMETRY.RULES");
	address("192.0.2.0", prefix);
	stage(b, prefix, 120, 0, 1);
	CHECK_EQ(syn_from(b, prefix), HF_CAUSE_NONE, "cause before the commit");
	CHECK_EQ(bench_get(b, HF_REG_RULE_ADDR0), rules ? 0xc0000200 : 0, "RULE_ADDR0");
	CHECK_EQ(bench_get(b, HF_REG_RULE_MASK_LEN), rules ? 120 : 0, "RULE_MASK_LEN");
	for (size_t i = 0; i <= COUNT(refused); i++) {
		uint32_t value = i < COUNT(refused) ? refused[i] : rules | VALID;

		check_context("0x%x", value);
		for (unsigned select = 0; select < 2; select++) {
			uint32_t offset = select ? HF_REG_RULE_SELECT : HF_REG_RULE_COMMIT;

			if (select && (value & 0xff) < rules)
				continue;
			CHECK_EQ(sim_reg_write(b->sim, offset, value), 2, "response");
			CHECK_EQ(bench_msg_write(b, offset, value), HF_STATUS_REFUSED, "status");
			CHECK_EQ(bench_get(b, offset), 0, "value");
		}
	}
	check_context("%s", "");
	CHECK_EQ(sim_reg_write(b->sim, HF_REG_RULE_DROPS, 0), 2, "response to a write of RULE_DROPS");
	CHECK_EQ(syn_from(b, prefix), HF_CAUSE_NONE, "cause after refused commits");
	if (!rules) {
		/* neither are there samples or counts */
		for (unsigned i = 0; i < 8; i++) {
			CHECK_EQ(sim_reg_write(b->sim, HF_REG_RULE_COMMIT, i | VALID), 2, "response");
			CHECK_EQ(sim_reg_write(b->sim, HF_REG_RULE_SELECT, i), 2, "response");
		}
		bench_set(b, HF_REG_SAMPLE, 1);
		CHECK_EQ(bench_get(b, HF_REG_SAMPLE), 0, "SAMPLE");
		CHECK_EQ(syn_from(b, prefix), HF_CAUSE_NONE, "cause without rules");
		bench_quiet(b);
		CHECK_EQ(syns(b, 0), 0, "LISTEN_SYNS");
		CHECK_EQ(bench_get(b, HF_REG_RULE_DROPS), 0, "RULE_DROPS");
	} else {
		for (unsigned i = 0; i < rules; i++) {
			CHECK_EQ(bench_msg_write(b, HF_REG_RULE_COMMIT, i | VALID), HF_STATUS_OK, "status");
			CHECK_EQ(bench_get(b, HF_REG_RULE_COMMIT), i | VALID, "RULE_COMMIT");
			CHECK_EQ(bench_get(b, HF_REG_RULE_SELECT), i, "RULE_SELECT after a commit");
			CHECK_EQ(syn_from(b, prefix), HF_CAUSE_DENIED, "cause after the commit");
			CHECK_EQ(bench_get(b, HF_REG_RULE_DROPS), 1, "RULE_DROPS");
			bench_set(b, HF_REG_RULE_COMMIT, i);
			CHECK_EQ(syn_from(b, prefix), HF_CAUSE_NONE, "cause after VALID 0");
			CHECK_EQ(bench_get(b, HF_REG_RULE_DROPS), 1, "RULE_DROPS after a commit");
		}
		/* a select is no commit: the bucket stays as it is */
		rule(b, 0, "192.0.2.0", 24, 1, 2);
		CHECK_EQ(syn_from(b, prefix), HF_CAUSE_NONE, "cause");
		CHECK_EQ(syn_from(b, prefix), HF_CAUSE_NONE, "cause");
		bench_set(b, HF_REG_RULE_SELECT, 0);
		CHECK_EQ(syn_from(b, prefix), HF_CAUSE_SOURCE_LIMITED, "cause after a select");
	}
	bench_close(b);
}

static void commit_and_refusals_default(void)
{
	commit_and_refusals(ENGINE_DEFAULT);
}

static void commit_and_refusals_small(void)
{
	commit_and_refusals(ENGINE_SMALL);
}

static void commit_and_refusals_lean(void)
{
	commit_and_refusals(ENGINE_LEAN);
}

/* BURST at once, then RATE a second, by thousandths in each millisecond, never more than BURST. */
static void limits(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	rule(b, 2, "192.0.2.0", 24, 2000, 5);
	CHECK_EQ(answered(b, "192.0.2.9", 8), 5, "SYNs of a full bucket");
	bench_counted(b, HF_CNT_DROP_SOURCE_LIMITED, 3);
	CHECK_EQ(drops(b, 2), 3, "RULE_DROPS");
	CHECK_EQ(answered(b, "192.0.3.9", 8), 8, "SYNs of another source");
	for (unsigned ms = 0; ms < 4; ms++) {
		bench_ms(b, 1);
		CHECK_EQ(answered(b, "192.0.2.9", 4), 2, "SYNs of a millisecond");
	}
	bench_ms(b, 50);
	CHECK_EQ(answered(b, "192.0.2.9", 8), 5, "SYNs after a pause");
	bench_counted(b, HF_CNT_DROP_SOURCE_LIMITED, 4 * 2 + 3);
	bench_counted(b, HF_CNT_DROP_DENIED, 0);

	/* 333 a second: 999 thousandths in 3 ms are none, 1332 in 4 are one, and 332 are left */
	rule(b, 2, "192.0.2.0", 24, 333, 1);
	CHECK_EQ(answered(b, "192.0.2.9", 2), 1, "SYNs");
	bench_ms(b, 3);
	CHECK_EQ(answered(b, "192.0.2.9", 1), 0, "SYNs after 3 ms");
	bench_ms(b, 1);
	CHECK_EQ(answered(b, "192.0.2.9", 2), 0 + 1, "SYNs after 4 ms"); /* the bucket holds one at most: 0 left */
	bench_ms(b, 3);
	CHECK_EQ(answered(b, "192.0.2.9", 1), 0, "SYNs 3 ms later");
	bench_ms(b, 1);
	CHECK_EQ(answered(b, "192.0.2.9", 1), 1, "SYNs 4 ms later");

	/* with room for two, what is left over stays: 4 x 333 = 1332, then 332 + 3 x 333 = 1331 */
	rule(b, 2, "192.0.2.0", 24, 333, 2);
	CHECK_EQ(answered(b, "192.0.2.9", 3), 2, "SYNs");
	bench_ms(b, 4);
	CHECK_EQ(answered(b, "192.0.2.9", 2), 1, "SYNs after 4 ms");
	bench_ms(b, 2);
	CHECK_EQ(answered(b, "192.0.2.9", 1), 0, "SYNs 2 ms later");
	bench_ms(b, 1);
	CHECK_EQ(answered(b, "192.0.2.9", 2), 1, "SYNs 3 ms later");

	/* one a second */
	rule(b, 2, "192.0.2.0", 24, 1, 3);
	CHECK_EQ(answered(b, "192.0.2.9", 4), 3, "SYNs");
	bench_ms(b, 999);
	CHECK_EQ(answered(b, "192.0.2.9", 1), 0, "SYNs after 999 ms");
	bench_ms(b, 1);
	CHECK_EQ(answered(b, "192.0.2.9", 2), 1, "SYNs after 1 s");
	bench_close(b);
}

/* The ends of RATE and BURST. */
static void largest_and_smallest(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	rule(b, 0, "192.0.2.0", 24, 1, 1023);
	CHECK_EQ(answered(b, "192.0.2.9", 1030), 1023, "SYNs of BURST 1023");
	rule(b, 0, "192.0.2.0", 24, 0xffffff, 1023);
	CHECK_EQ(answered(b, "192.0.2.9", 1030), 1023, "SYNs of BURST 1023");
	bench_ms(b, 1); /* all at once */
	CHECK_EQ(answered(b, "192.0.2.9", 1030), 1023, "SYNs after 1 ms of the largest rate");
	rule(b, 0, "192.0.2.0", 24, 0x800000, 1);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(answered(b, "192.0.2.9", 3), 1, "SYNs of BURST 1");
		bench_ms(b, 1);
	}
	rule(b, 0, "192.0.2.0", 24, 1000, 0);
	CHECK_EQ(bench_get(b, HF_REG_RULE_BURST), 0, "RULE_BURST");
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(answered(b, "192.0.2.9", 3), 1, "SYNs of BURST 0, which acts as 1");
		bench_ms(b, 1);
	}
	rule(b, 0, "192.0.2.0", 24, 1023000, 1000);
	CHECK_EQ(answered(b, "192.0.2.9", 1010), 1000, "SYNs of BURST 1000");
	bench_ms(b, 1);
	CHECK_EQ(answered(b, "192.0.2.9", 1010), 1000, "SYNs of a rate above BURST");
	bench_close(b);
}

/* A tick in each cycle of a SYN: below BURST it makes no difference which comes first, the token taken or the tokens given,
 * not even in one cycle. */
static void tick_while_taking(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];

	bench_set(b, HF_REG_COOKIE, 2);
	for (unsigned cycle = 0; cycle < 60; cycle++) {
		struct segment s = { .sport = 900, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN, .wnd = 9 };

		check_context("tick %u cycles behind the first beat", cycle);
		rule(b, 1, "192.0.2.0", 24, 1000, 2);
		CHECK_EQ(answered(b, "192.0.2.9", 1), 1, "SYNs of a full bucket");
		sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), false);
		sim_run(b->sim, cycle);
		bench_ms(b, 1);
		CHECK(bench_tx(b) != NULL, "no SYN-ACK");
		CHECK_EQ(answered(b, "192.0.2.9", 3), 1, "SYNs after it");
	}
	check_context("%s", "");
	bench_close(b);
}

/* Each entry has its own bucket, all of a prefix share it, and a commit fills it. */
static void buckets_are_apart(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	char source[16];

	for (unsigned i = 0; i < 8; i++) {
		snprintf(source, sizeof(source), "10.%u.0.0", i);
		rule(b, i, source, 16, 1000 * (i + 1), 10 + i);
	}
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 8; i++) {
			unsigned count = 0;

			check_context("entry %u", i);
			for (unsigned k = 0; k < 20; k++) { /* many hosts of it */
				snprintf(source, sizeof(source), "10.%u.%u.9", i, k);
				count += answered(b, source, 1);
			}
			CHECK_EQ(count, round ? i + 1 : 10 + i, "SYNs");
			CHECK_EQ(drops(b, i), round ? 20 - (i + 1) + 10 - i : 10 - i, "RULE_DROPS");
		}
		bench_ms(b, 1);
	}
	check_context("%s", "");
	CHECK_EQ(answered(b, "10.3.0.1", 20), 4, "SYNs a millisecond later");
	bench_set(b, HF_REG_RULE_COMMIT, 3 | VALID); /* what is staged: 10.7/16 */
	CHECK_EQ(answered(b, "10.7.0.1", 20), 17, "SYNs after a commit");
	bench_close(b);
}

/* Only a SYN alone asks for a token; it takes one whatever becomes of it after. */
static void what_takes_a_token(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	rule(b, 0, "192.0.2.0", 24, 1, 2);
	bench_set(b, HF_REG_CACHE, 1);
	for (unsigned i = 0; i < 4; i++) {
		give_text(b, "192.0.2.9", OUR_PORT, HF_ACK);
		CHECK(bench_tx(b) != NULL, "no RST");
		give_text(b, "192.0.2.9", OUR_PORT, HF_SYN | HF_ACK);
		CHECK(bench_tx(b) != NULL, "no RST");
		give_text(b, "192.0.2.9", OUR_PORT, HF_RST);
		CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_NO_CONNECTION, "cause");
		give_text(b, "192.0.2.9", OUR_PORT, HF_SYN | HF_FIN);
		CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_BAD_FLAGS, "cause");
		give_text(b, "192.0.2.9", 9999, HF_SYN);
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	}
	CHECK_EQ(answered(b, "192.0.2.9", 3), 2, "SYNs of an untouched bucket");

	/* the rule comes first, then what else is in the way */
	bench_set(b, HF_REG_RULE_COMMIT, VALID);
	bench_listen(b, 0, 0, OUR_PORT, 0, 7, LISTEN_OFFLOAD);
	bench_set(b, HF_REG_COOKIE, 0);
	for (unsigned i = 0; i < 4; i++) {
		give_text(b, "192.0.2.9", OUR_PORT, HF_SYN);
		CHECK_EQ(bench_last_trace(b)->trc_cause, i < 2 ? HF_CAUSE_BACKLOG : HF_CAUSE_SOURCE_LIMITED, "cause");
	}
	bench_set(b, HF_REG_RULE_COMMIT, VALID);
	bench_set(b, HF_REG_HEARTBEAT_MS, 1);
	for (unsigned i = 0; i < 4; i++) {
		give_text(b, "192.0.2.9", OUR_PORT, HF_SYN);
		CHECK_EQ(bench_last_trace(b)->trc_cause, i < 2 ? HF_CAUSE_HOST_GONE : HF_CAUSE_SOURCE_LIMITED, "cause");
	}
	bench_quiet(b);
	bench_close(b);
}

/* Connections the board has, its own or the host's, know nothing of rules. */
static void connections_are_untouched(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint32_t half = bench_half_open(b, PEER_ADDR, 3000, 7), own = bench_establish(b, PEER_ADDR, 3001, 7), closing;
	const struct hf_tcb *t = bench_entry(b, PEER_ADDR, 3001, OUR_ADDR, OUR_PORT);
	struct segment s = { .sport = 3001, .dport = OUR_PORT, .flags = HF_ACK, .text = "x", .text_len = 1 };
	uint8_t body[128];

	/* a connection in TIME-WAIT: CLOSE, its FIN acknowledged, the peer's FIN */
	bench_call_body(body, false, 3002, OUR_PORT, &(struct tags){ 0 });
	MSG_PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
	MSG_PUT(body, EVENT, snd_una, 5000);
	MSG_PUT(body, EVENT, snd_nxt, 5000);
	MSG_PUT(body, EVENT, rcv_nxt, 100);
	MSG_PUT(body, EVENT, rcv_wnd, 65535);
	CHECK_EQ(bench_call(b, HF_COMMAND_CLOSE, body, &closing), HF_STATUS_OK, "status of CLOSE");
	CHECK(bench_tx(b) != NULL, "no FIN");

	rule(b, 0, "0.0.0.0", 0, 0, 1); /* nobody may */
	s.seq = (uint32_t)t->rcv_nxt;
	s.ack = (uint32_t)t->snd_nxt;
	bench_segment(b, &s);
	bench_expect_last(b, HF_FRAME_CSUM_OK | HF_FRAME_CONN, own);

	/* the SYN again, then the ACK of the SYN-ACK */
	bench_segment(
		b, &(struct segment){ .sport = 3000, .dport = OUR_PORT, .seq = 7, .flags = HF_SYN, .wnd = 65535 });
	CHECK(bench_tx(b) != NULL, "no SYN-ACK again");
	t = bench_entry(b, PEER_ADDR, 3000, OUR_ADDR, OUR_PORT);
	bench_segment(b, &(struct segment){ .sport = 3000,
				 .dport = OUR_PORT,
				 .seq = 8,
				 .ack = (uint32_t)t->iss + 1,
				 .flags = HF_ACK,
				 .wnd = 65535 });
	CHECK_EQ(t->state, HF_STATE_ESTABLISHED, "state");
	{
		const struct item *event = bench_c2h(b);

		CHECK(event && MSG_GET(event->bytes, HEADER, id) == half, "no event");
	}

	/* the close goes on to TIME-WAIT, and a new SYN may take that entry over */
	bench_segment(b, &(struct segment){ .sport = 3002,
				 .dport = OUR_PORT,
				 .seq = 100,
				 .ack = 5001,
				 .flags = HF_ACK | HF_FIN,
				 .wnd = 9 });
	CHECK(bench_tx(b) != NULL, "no ACK of the FIN");
	CHECK(bench_c2h(b) != NULL, "no event CLOSED");
	t = bench_entry(b, PEER_ADDR, 3002, OUR_ADDR, OUR_PORT);
	CHECK_EQ(t->state, HF_STATE_TIME_WAIT, "state");
	bench_segment(b, &(struct segment){ .sport = 3002, .dport = OUR_PORT, .seq = 200, .flags = HF_SYN, .wnd = 9 });
	CHECK(bench_tx(b) != NULL, "no SYN-ACK over TIME-WAIT");
	CHECK_EQ(t->state, HF_STATE_SYN_RECEIVED, "state");

	bench_counted(b, HF_CNT_DROP_DENIED, 0);
	CHECK_EQ(syns(b, 0), 2, "LISTEN_SYNS");
	CHECK_EQ(syn_from_text(b, "192.0.2.1"), HF_CAUSE_DENIED, "a new one");
	CHECK_EQ(drops(b, 0), 1, "RULE_DROPS");
	bench_close(b);
}

/* With cookies the same rules; the ACK that brings a cookie back asks for no token, but is denied. */
static void with_cookies(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	struct segment ack = { .dport = OUR_PORT, .seq = 1001, .flags = HF_ACK, .wnd = 9 };
	const struct item *synack;

	bench_set(b, HF_REG_COOKIE, 2);
	rule(b, 0, "192.0.2.0", 24, 1, 3);
	CHECK_EQ(answered(b, "192.0.2.1", 5), 3, "cookies");
	bench_counted(b, HF_CNT_COOKIES_SENT, 3);
	rule(b, 0, "192.0.2.0", 24, 1, 1);
	for (unsigned denied = 0; denied < 2; denied++) {
		bench_set(b, HF_REG_RULE_RATE, 1);
		bench_set(b, HF_REG_RULE_COMMIT, VALID);
		give_text(b, "192.0.2.1", OUR_PORT, HF_SYN);
		synack = bench_tx(b);
		if (!CHECK(synack != NULL, "no cookie"))
			break;
		ack.sport = given.port;
		ack.ack = get32(synack->bytes + 38) + 1;
		if (denied) {
			bench_set(b, HF_REG_RULE_RATE, 0);
			bench_set(b, HF_REG_RULE_COMMIT, VALID);
		}
		bench_segment(b, &ack);
		if (denied) {
			CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_DENIED, "cause");
			bench_quiet(b);
			ack.ack += 1; /* nor is a bad one looked at */
			bench_segment(b, &ack);
			CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_DENIED, "cause");
		} else {
			CHECK(bench_c2h(b) != NULL, "no event");
			CHECK_EQ(answered(b, "192.0.2.1", 1), 0, "SYNs of an empty bucket");
		}
	}
	bench_counted(b, HF_CNT_COOKIES_ACCEPTED, 1);
	bench_counted(b, HF_CNT_COOKIE_BAD, 0);
	bench_counted(b, HF_CNT_COOKIES_SENT, 2);

	/* full, so that cookies would be sent: the rule asks first all the same */
	bench_set(b, HF_REG_COOKIE, 1);
	bench_set(b, HF_REG_COOKIE_HIGH, 0);
	rule(b, 0, "192.0.2.0", 24, 1, 2);
	CHECK_EQ(answered(b, "192.0.2.1", 4), 2, "cookies above the watermark");
	bench_counted(b, HF_CNT_COOKIES_SENT, 2);
	bench_close(b);
}

/* LISTEN_SYNS: SYNs of no connection at this listener, whatever becomes of them, and nothing else. */
static void listen_syns(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	static const uint16_t others[] = { HF_ACK, HF_RST, HF_SYN | HF_ACK, HF_SYN | HF_FIN, HF_SYN | HF_RST, HF_FIN };

	bench_listen(b, 15, 0, 81, 9, 7, LISTEN_OFFLOAD);
	bench_listen(b, 7, 0, 82, 9, 7, LISTEN_BYPASS);
	listen6(b, 4);
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_SELECT), 4, "LISTEN_SELECT after a commit");
	for (unsigned i = 0; i < 16; i++) {
		check_context("listener %u", i);
		CHECK_EQ(syns(b, i), 0, "LISTEN_SYNS after reset");
		CHECK_EQ(bench_get(b, HF_REG_LISTEN_SELECT), i, "LISTEN_SELECT");
	}
	check_context("%s", "");
	CHECK_EQ(answered(b, "192.0.2.9", 5), 5, "SYNs");
	CHECK_EQ(syns(b, 0), 5, "LISTEN_SYNS");
	for (size_t i = 0; i < COUNT(others); i++) {
		give_text(b, "192.0.2.9", OUR_PORT, others[i]);
		bench_c2h(b);
	}
	give_text(b, "192.0.2.9", 82, HF_SYN);
	bench_c2h(b);
	give_text(b, "192.0.2.9", 83, HF_SYN);
	bench_c2h(b);
	CHECK_EQ(syns(b, 0), 5, "LISTEN_SYNS after what is no SYN");
	bench_half_open(b, PEER_ADDR, 3000, 7);
	CHECK_EQ(syns(b, 0), 6, "LISTEN_SYNS");
	bench_segment(b, &(struct segment){ .sport = 3000, .dport = OUR_PORT, .seq = 7, .flags = HF_SYN });
	CHECK(bench_tx(b) != NULL, "no SYN-ACK again");
	CHECK_EQ(syns(b, 0), 6, "LISTEN_SYNS after a SYN of a connection");

	/* dropped ones count */
	rule(b, 0, "198.51.100.0", 24, 0, 1);
	rule(b, 1, "203.0.113.0", 24, 1, 1);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(syn_from_text(b, "198.51.100.9"), HF_CAUSE_DENIED, "cause");
		CHECK_EQ(syn_from_text(b, "203.0.113.9"), i ? HF_CAUSE_SOURCE_LIMITED : HF_CAUSE_NONE, "cause");
	}
	CHECK_EQ(syns(b, 0), 12, "LISTEN_SYNS with dropped ones");
	give_text(b, "198.51.100.9", OUR_PORT, HF_ACK);
	CHECK_EQ(syns(b, 0), 12, "LISTEN_SYNS after an ACK that was dropped");
	bench_listen(b, 15, 0, 81, 0, 7, LISTEN_OFFLOAD);
	bench_set(b, HF_REG_COOKIE, 0);
	for (unsigned i = 0; i < 4; i++)
		give_text(b, "192.0.2.9", 81, HF_SYN); /* BACKLOG */
	bench_quiet(b);
	CHECK_EQ(syns(b, 15), 4, "LISTEN_SYNS of the last listener");
	CHECK_EQ(syn_from_text(b, "2001:db8::9"), HF_CAUSE_NONE, "cause");
	CHECK_EQ(syns(b, 4), 1, "LISTEN_SYNS of the IPv6 listener");
	CHECK_EQ(syns(b, 7), 0, "LISTEN_SYNS of a bypassed listener");

	/* a commit changes nothing of it, a snapshot neither */
	bench_listen(b, 15, 0, 85, 9, 7, LISTEN_OFFLOAD);
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_SYNS), 4, "LISTEN_SYNS after a commit");
	bench_set(b, HF_REG_SNAPSHOT, 0);
	sim_run(b->sim, 100);
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_SYNS), 4, "LISTEN_SYNS after a snapshot");
	CHECK_EQ(syns(b, 0), 12, "LISTEN_SYNS");

	/* LISTEN_HALF_OPEN is of the same listener */
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_HALF_OPEN), 1, "LISTEN_HALF_OPEN");
	bench_set(b, HF_REG_LISTEN_SELECT, 1);
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_HALF_OPEN), 0, "LISTEN_HALF_OPEN of another");
	CHECK_EQ(sim_reg_write(b->sim, HF_REG_LISTEN_SELECT, 16), 2, "response to LISTEN_SELECT 16");
	CHECK_EQ(bench_msg_write(b, HF_REG_LISTEN_SELECT, 0x80), HF_STATUS_REFUSED, "status");
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_SELECT), 1, "LISTEN_SELECT after a refused write");
	bench_close(b);
}

/* The event SAMPLE of the SYN given last, which was dropped for `cause`; every octet of it. */
static void expect_sample(
	struct bench *b, const uint8_t source[16], unsigned listener, unsigned cause, const struct tags *tags)
{
	const struct item *got = bench_c2h(b);
	uint8_t want[128] = { 0 };
	bool ip6 = given.frame[12 + 4 * (tags ? tags->count : 0)] == 0x86;

	if (!CHECK(got != NULL, "no SAMPLE"))
		return;
	MSG_PUT(want, HEADER, type, HF_MSG_EVENT);
	MSG_PUT(want, HEADER, length, 128);
	MSG_PUT(want, HEADER, id, HF_NO_ID);
	MSG_PUT(want, HEADER, stamp, b->rx.v[b->rx.count - 1].time_ns);
	MSG_PUT(want, EVENT, code, HF_EVENT_SAMPLE);
	MSG_PUT(want, EVENT, state, HF_STATE_LISTEN);
	MSG_PUT(want, EVENT, listener, listener);
	MSG_PUT(want, EVENT, mss, cause);
	memcpy(want + HF_AT_EVENT_remote_addr, source, 16);
	if (ip6)
		memcpy(want + HF_AT_EVENT_local_addr, OUR6, 16);
	else
		address("192.0.2.2", want + HF_AT_EVENT_local_addr);
	MSG_PUT(want, EVENT, remote_port, given.port);
	MSG_PUT(want, EVENT, local_port, OUR_PORT);
	put48(want + HF_AT_EVENT_remote_mac, PEER_MAC);
	MSG_PUT(want, EVENT, irs, 1000);
	MSG_PUT(want, EVENT, rtt_ms, 0xffff);
	MSG_PUT(want, EVENT, now_ms, b->ms);
	if (tags) {
		MSG_PUT(want, EVENT, options, tags->count << 5 | tags->svlan << 7);
		MSG_PUT(want, EVENT, vlan, tags->outer);
		MSG_PUT(want, EVENT, vlan_inner, tags->inner);
	}
	CHECK_BYTES("SAMPLE", got->bytes, got->len, want, sizeof(want));
}

/* What a sample says, of every kind of SYN and of what may become of it. */
static void samples_say(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	static const struct tags tags[] = { { .count = 1, .outer = 0xe123 },
		{ .count = 2, .svlan = true, .outer = 0x2fed, .inner = 0x4321 } };
	uint8_t v4[16], v6[16];

	listen6(b, 9);
	address("192.0.2.200", v4);
	address("2001:db8:1:2:3:4:5:6", v6);
	bench_ms(b, 1234);
	bench_set(b, HF_REG_CTRL, CTRL_ENABLE | 1u << HF_CTRL_ECN_LOW);
	bench_set(b, HF_REG_SAMPLE, 1);
	for (unsigned i = 0; i < 7; i++) {
		unsigned cause = HF_CAUSE_NONE;

		check_context("kind %u", i);
		switch (i) {
		case 2: /* a cookie */
			bench_set(b, HF_REG_COOKIE, 2);
			break;
		case 3:
			bench_set(b, HF_REG_COOKIE, 0);
			bench_set(b, HF_REG_COOKIE_HIGH, 0);
			cause = HF_CAUSE_BACKLOG;
			break;
		case 4:
			rule(b, 5, "::", 0, 1, 1);
			bench_set(b, HF_REG_COOKIE, 2);
			give(b, v4, OUR_PORT, HF_SYN, NULL); /* the token */
			bench_tx(b);
			expect_sample(b, v4, 0, HF_CAUSE_NONE, NULL);
			cause = HF_CAUSE_SOURCE_LIMITED;
			break;
		case 5:
			rule(b, 5, "::", 0, 0, 1);
			cause = HF_CAUSE_DENIED;
			break;
		case 6:
			bench_set(b, HF_REG_RULE_COMMIT, 5);
			bench_set(b, HF_REG_HEARTBEAT_MS, 1);
			cause = HF_CAUSE_HOST_GONE;
		}
		give(b, v4, OUR_PORT, HF_SYN | HF_ECE | HF_CWR, NULL);
		CHECK_EQ(bench_tx(b) != NULL, cause == HF_CAUSE_NONE, "a SYN-ACK");
		CHECK_EQ(bench_last_trace(b)->trc_cause, cause, "cause");
		expect_sample(b, v4, 0, cause, NULL);
		give(b, v6, OUR_PORT, HF_SYN, NULL);
		CHECK_EQ(bench_tx(b) != NULL, cause == HF_CAUSE_NONE, "a SYN-ACK");
		expect_sample(b, v6, 9, cause, NULL);
		for (size_t k = 0; k < COUNT(tags); k++) {
			give(b, k ? v4 : v6, OUR_PORT, HF_SYN, &tags[k]);
			CHECK_EQ(bench_tx(b) != NULL, cause == HF_CAUSE_NONE, "a SYN-ACK");
			expect_sample(b, k ? v4 : v6, k ? 0 : 9, cause, &tags[k]);
		}
	}
	check_context("%s", "");
	bench_set(b, HF_REG_SAMPLE, 0);
	give(b, v4, OUR_PORT, HF_SYN, NULL);
	bench_quiet(b);
	bench_close(b);
}

/* SYNs until one makes an event, at most `most`; 0: none did. */
static unsigned until_sample(struct bench *b, unsigned most)
{
	for (unsigned i = 1; i <= most; i++) {
		const struct item *got;

		give_text(b, "192.0.2.9", OUR_PORT, HF_SYN);
		bench_tx(b);
		got = bench_c2h(b);
		if (!got)
			continue;
		CHECK_EQ(MSG_GET(got->bytes, EVENT, code), HF_EVENT_SAMPLE, "code");
		return i;
	}
	return 0;
}

/* One of EVERY; a write begins anew. */
static void one_of_every(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	bench_set(b, HF_REG_COOKIE, 2);
	bench_listen(b, 1, 0, 81, 9, 7, LISTEN_OFFLOAD);
	CHECK_EQ(until_sample(b, 20), 0, "samples before SAMPLE was written");
	bench_set(b, HF_REG_SAMPLE, 5);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(until_sample(b, 10), 5, "SYNs to a sample");
	CHECK_EQ(until_sample(b, 3), 0, "SYNs to a sample");
	bench_set(b, HF_REG_SAMPLE, 5);
	CHECK_EQ(until_sample(b, 10), 5, "SYNs to a sample after a write");
	CHECK_EQ(until_sample(b, 3), 0, "SYNs to a sample");
	/* whatever the listener; what is no SYN does not count */
	give_text(b, "192.0.2.9", 81, HF_SYN);
	bench_tx(b);
	bench_quiet(b);
	give_text(b, "192.0.2.9", OUR_PORT, HF_SYN | HF_FIN);
	give_text(b, "192.0.2.9", 82, HF_SYN);
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	CHECK_EQ(until_sample(b, 10), 1, "SYNs to a sample");
	bench_set(b, HF_REG_SAMPLE, 1);
	CHECK_EQ(until_sample(b, 10), 1, "SYNs to a sample of EVERY 1");
	CHECK_EQ(until_sample(b, 10), 1, "SYNs to a sample of EVERY 1");
	bench_set(b, HF_REG_SAMPLE, 300);
	CHECK_EQ(until_sample(b, 310), 300, "SYNs to a sample of EVERY 300");
	bench_set(b, HF_REG_SAMPLE, 0);
	CHECK_EQ(until_sample(b, 20), 0, "samples of EVERY 0");
	/* all 20 bits */
	bench_set(b, HF_REG_SAMPLE, 0xffffffff);
	CHECK_EQ(bench_get(b, HF_REG_SAMPLE), 0xfffff, "SAMPLE");
	CHECK_EQ(until_sample(b, 20), 0, "samples of the largest EVERY");
	for (unsigned bit = 8; bit < 20; bit++) {
		bench_set(b, HF_REG_SAMPLE, 1u << bit);
		CHECK_EQ(until_sample(b, 20), 0, "samples of a large EVERY");
	}
	bench_close(b);
}

/* Samples take half of the event queue at most; the one that found no room is tried again with each SYN. */
static void half_of_the_queue(enum engine_size size)
{
	struct bench *b = bench_open(size);
	unsigned half = (b->params->event_depth + 1) / 2, shown = 0;
	uint32_t id;

	if (!b->params->rules) {
		bench_close(b);
		return;
	}
	bench_set(b, HF_REG_COOKIE, 2);
	bench_set(b, HF_REG_SAMPLE, 1);
	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < half + 5; i++) {
		give_text(b, "192.0.2.9", OUR_PORT, HF_SYN);
		CHECK(bench_tx(b) != NULL, "a SYN without room for a sample was not answered");
	}
	b->sim->hold_c2h = false;
	bench_settle(b);
	while (bench_c2h(b))
		shown++;
	CHECK_EQ(shown, half, "samples while the host takes none");
	CHECK_EQ(until_sample(b, 10), 1, "SYNs to a sample after that");

	/* EVERY 3: two SYNs and the third find no room; the next with room is shown, then it takes three again */
	bench_set(b, HF_REG_SAMPLE, 1);
	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < half; i++) {
		give_text(b, "192.0.2.9", OUR_PORT, HF_SYN);
		bench_tx(b);
	}
	bench_set(b, HF_REG_SAMPLE, 3);
	for (unsigned i = 0; i < 7; i++) {
		give_text(b, "192.0.2.9", OUR_PORT, HF_SYN);
		bench_tx(b);
	}
	b->sim->hold_c2h = false;
	bench_settle(b);
	for (shown = 0; bench_c2h(b);)
		shown++;
	CHECK_EQ(shown, half, "samples while the host takes none");
	CHECK_EQ(until_sample(b, 10), 1, "SYNs to the sample that waited");
	CHECK_EQ(until_sample(b, 10), 3, "SYNs to a sample");

	/* the other half is for events that matter */
	bench_set(b, HF_REG_COOKIE, 0);
	bench_set(b, HF_REG_SAMPLE, 0);
	if (b->params->event_depth > 1) {
		id = bench_half_open(b, PEER_ADDR, 900, 7);
		bench_set(b, HF_REG_SAMPLE, 1);
		bench_set(b, HF_REG_COOKIE, 2);
		b->sim->hold_c2h = true;
		for (unsigned i = 0; i < half + 2; i++) {
			give_text(b, "192.0.2.9", OUR_PORT, HF_SYN);
			bench_tx(b);
		}
		bench_segment(b, &(struct segment){ .sport = 900,
					 .dport = OUR_PORT,
					 .seq = 8,
					 .ack = (uint32_t)bench_entry(b, PEER_ADDR, 900, OUR_ADDR, OUR_PORT)->iss + 1,
					 .flags = HF_ACK,
					 .wnd = 9 });
		CHECK_EQ(bench_last_trace(b)->trc_verdict, HF_VERDICT_CONSUME, "verdict");
		b->sim->hold_c2h = false;
		bench_settle(b);
		for (shown = 0; shown < half; shown++)
			CHECK(bench_c2h(b) != NULL, "no sample");
		{
			const struct item *event = bench_c2h(b);

			CHECK(event && MSG_GET(event->bytes, HEADER, id) == id, "no event of the connection");
		}
	}
	bench_close(b);
}

static void half_of_the_queue_default(void)
{
	half_of_the_queue(ENGINE_DEFAULT);
}

static void half_of_the_queue_small(void)
{
	half_of_the_queue(ENGINE_SMALL);
}

static void half_of_the_queue_lean(void)
{
	half_of_the_queue(ENGINE_LEAN);
}

/* SYNs one behind the other as fast as the wire brings them, some of one set and tag: each finds the bucket and the counts as
 * the one before left them. */
static void back_to_back(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
	unsigned events = 0, replies = 0;

	rule(b, 6, "192.0.2.0", 24, 1, 10);
	bench_set(b, HF_REG_COOKIE, 2);
	bench_set(b, HF_REG_SAMPLE, 2);
	for (unsigned i = 0; i < 16; i++) {
		struct segment s = {
			.sport = (uint16_t)(5000 + i / 2 % 4), .dport = OUR_PORT, .seq = i, .flags = HF_SYN, .wnd = 9
		};
		size_t len = make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s));

		sim_rx(b->sim, frame, len, false);
	}
	bench_settle(b);
	while (bench_tx(b))
		replies++;
	while (bench_c2h(b))
		events++;
	CHECK_EQ(replies, 10, "SYN-ACKs");
	CHECK_EQ(events, 8, "samples");
	CHECK_EQ(drops(b, 6), 6, "RULE_DROPS");
	CHECK_EQ(syns(b, 0), 16, "LISTEN_SYNS");
	bench_counted(b, HF_CNT_DROP_SOURCE_LIMITED, 6);
	bench_close(b);
}

/* Reset empties the table, the counts and SAMPLE. */
static void reset(void)
{
	struct bench *b = bench_open(ENGINE_DEFAULT);

	rule(b, 0, "0.0.0.0", 0, 0, 1);
	bench_set(b, HF_REG_SAMPLE, 3);
	syn_from_text(b, "192.0.2.9");
	syn_from_text(b, "192.0.2.9");
	CHECK_EQ(drops(b, 0), 2, "RULE_DROPS");
	sim_reset(b->sim, 4);
	sim_run(b->sim, b->slots + 100);
	bench_settle(b);
	bench_c2h(b); /* HELLO */
	CHECK_EQ(bench_get(b, HF_REG_RULE_DROPS), 0, "RULE_DROPS after reset");
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_SYNS), 0, "LISTEN_SYNS after reset");
	CHECK_EQ(bench_get(b, HF_REG_SAMPLE), 0, "SAMPLE after reset");
	bench_set(b, HF_REG_MAC_LO, 0x00000002);
	bench_set(b, HF_REG_MAC_HI, 0x0200);
	bench_set(b, HF_REG_LOCAL_ADDR0, OUR_ADDR);
	bench_set(b, HF_REG_HEARTBEAT_MS, 0);
	bench_set(b, HF_REG_CTRL, CTRL_ENABLE);
	bench_listen(b, 0, 0, OUR_PORT, 1000, 7, LISTEN_OFFLOAD);
	give_text(b, "192.0.2.9", OUR_PORT, HF_SYN);
	CHECK(bench_tx(b) != NULL, "no SYN-ACK: the rule is still there");
	CHECK_EQ(bench_get(b, HF_REG_LISTEN_SYNS), 1, "LISTEN_SYNS");
	CHECK_EQ(bench_get(b, HF_REG_RULE_DROPS), 0, "RULE_DROPS");
	bench_set(b, HF_REG_SAMPLE, 2);
	CHECK_EQ(until_sample(b, 10), 2, "SYNs to a sample");
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(denies), CASE(prefixes), CASE(every_bit), CASE(lowest_index_first),
		CASE(commit_and_refusals_default), CASE(commit_and_refusals_small), CASE(commit_and_refusals_lean),
		CASE(limits), CASE(largest_and_smallest), CASE(tick_while_taking), CASE(buckets_are_apart), CASE(what_takes_a_token),
		CASE(connections_are_untouched), CASE(with_cookies), CASE(listen_syns), CASE(samples_say), CASE(one_of_every),
		CASE(half_of_the_queue_default), CASE(half_of_the_queue_small), CASE(half_of_the_queue_lean),
		CASE(back_to_back), CASE(reset), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "rule_table", cases);
}
