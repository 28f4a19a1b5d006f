/* SPDX-License-Identifier: Apache-2.0
 * test_attack.c - every flood of the attack kit, at the wire limit, among good peers and live connections: what the board
 * promises under attack. The numbers for long floods: `make attack`. */
#include "support_attack.h"
#include "support_bench.h"

/* The model is fast enough for more of the same. */
static unsigned frames(void)
{
	return bench_target() == ENGINE_MODEL ? 60000 : 6000;
}

static struct attack attack_of(enum attack_flood flood)
{
	return (struct attack){ .flood = flood,
		.engine = bench_target(),
		.frames = frames(),
		.percent = 100,
		.good_percent = 1,
		.live = 20,
		.mode = 1,
		.complete = true,
		.seed = 7 };
}

static void check_run(const struct attack *a, struct attack_result *r)
{
	check_context("%s, mode %u", attack_flood_name(a->flood), a->mode);
	CHECK_EQ(attack_run(a, r), 0, "attack_run()");
	CHECK_EQ(r->mismatches, 0, "mismatches");
	CHECK_EQ(r->faults, 0, "broken promises at the pins");
	CHECK(r->frames >= a->frames, "%llu frames are too few", (unsigned long long)r->frames); /* and the last ACKs */
	CHECK_EQ(r->counter[HF_CNT_DROP_OVERRUN], 0, "frames lost at the wire");
	CHECK_EQ(r->live_reset, 0, "RSTs at live connections");
	CHECK(r->out_per_in <= 1.2, "%.3f bytes out for each in", r->out_per_in);
	CHECK(r->good_tried > a->frames / 400, "%llu good peers are too few", (unsigned long long)r->good_tried);
	CHECK(r->live_sent > 0, "no live connection was tried");
}

static void check_unharmed(const struct attack_result *r)
{
	CHECK_EQ(r->good_done, r->good_tried, "good handshakes");
	CHECK_EQ(r->live_received, r->live_sent, "segments of live connections");
	CHECK_EQ(r->hostile_done, 0, "hostile connections");
}

/* SYNs of every kind: each is answered (or dropped for what it is), and good peers and live connections do not notice. */
static void syn_floods(void)
{
	static const enum attack_flood floods[] = { ATTACK_syn, ATTACK_syn_opts, ATTACK_syn6, ATTACK_one_tuple };
	struct attack_result r;

	for (unsigned i = 0; i < COUNT(floods); i++) {
		for (unsigned mode = 1; mode < 3; mode++) {
			struct attack a = attack_of(floods[i]);

			a.mode = mode;
			check_run(&a, &r);
			check_unharmed(&r);
			/* The MSS option makes an IPv6 reply longer than its SYN: the wire is the limit then. */
			if (floods[i] == ATTACK_syn6)
				CHECK(r.syn_acks + r.counter[HF_CNT_DROP_REPLY_FULL] == r.hostile + r.good_tried,
					"SYN-ACKs and drops");
			else
				CHECK_EQ(r.syn_acks, r.hostile + r.good_tried, "SYN-ACKs");
			CHECK_EQ(r.resets, 0, "RSTs");
			CHECK_EQ(r.counter[HF_CNT_EVICT_HOST], 0, "evictions");
			/* One tuple is one entry, and its SYN the same again and again: hardly a cookie. */
			CHECK(floods[i] == ATTACK_one_tuple || r.counter[HF_CNT_COOKIES_SENT] > 0,
				"no cookie was sent");
		}
	}
	check_context("%s", "");
}

/* Without cookies a full table drops, and counts every one. */
static void without_cookies(void)
{
	struct attack a = attack_of(ATTACK_syn);
	struct attack_result r;

	a.mode = 0;
	check_run(&a, &r);
	CHECK_EQ(r.live_received, r.live_sent, "segments of live connections");
	CHECK_EQ(r.counter[HF_CNT_COOKIES_SENT], 0, "cookies");
	CHECK_EQ(r.syn_acks + r.counter[HF_CNT_DROP_BACKLOG] + r.counter[HF_CNT_DROP_TABLE_FULL],
		r.hostile + r.good_tried, "SYNs answered or dropped");
	CHECK(r.counter[HF_CNT_DROP_BACKLOG] > 0, "the table never was full");
	check_context("%s", "");
}

/* Networks under a rule: what they send is dropped before it costs anything, so that the table never fills, and nobody else needs
 * a cookie, though the board may not send any. */
static void ruled_networks(void)
{
	struct attack a = attack_of(ATTACK_nets);
	struct attack_result r;
	uint64_t passed;

	for (a.mode = 0; a.mode < 2; a.mode++) {
		check_run(&a, &r);
		check_unharmed(&r);
		passed = r.hostile - r.counter[HF_CNT_DROP_DENIED] - r.counter[HF_CNT_DROP_SOURCE_LIMITED];
		CHECK(r.counter[HF_CNT_DROP_DENIED] > r.hostile / 3, "few were denied");
		CHECK(passed >= ATTACK_NETS_BURST, "%llu SYNs passed the limit", (unsigned long long)passed);
		CHECK(passed <= ATTACK_NETS_BURST + ATTACK_NETS_RATE / 1000 * (r.cycles / 156250 + 1),
			"%llu SYNs passed the limit", (unsigned long long)passed);
		CHECK_EQ(r.syn_acks, passed + r.good_tried, "SYN-ACKs");
		CHECK_EQ(r.resets, 0, "RSTs");
		CHECK_EQ(r.counter[HF_CNT_COOKIES_SENT], 0, "cookies");
	}
	check_context("%s", "");
}

/* What belongs to no connection reaches the host only while the board may not judge, and then within MISS_LIMIT. */
static void strays(void)
{
	static const enum attack_flood floods[] = { ATTACK_ack, ATTACK_data, ATTACK_fin, ATTACK_rst, ATTACK_syn_ack };
	struct attack_result r;

	for (unsigned i = 0; i < COUNT(floods); i++) {
		struct attack a = attack_of(floods[i]);
		uint64_t allowed;

		check_run(&a, &r);
		check_unharmed(&r);
		CHECK_EQ(r.to_host, r.live_received, "frames that reached the host");
		CHECK_EQ(r.resets + r.counter[HF_CNT_DROP_RST_LIMITED] + r.counter[HF_CNT_DROP_NO_CONNECTION],
			r.hostile, "RSTs and drops");
		CHECK(r.resets <= 1000 + 100 * (r.cycles / 156250 + 1), "%llu RSTs are beyond the limit",
			(unsigned long long)r.resets);

		a.complete = false;
		a.miss_per_ms = 10;
		check_run(&a, &r);
		CHECK_EQ(r.good_done, r.good_tried, "good handshakes");
		CHECK_EQ(r.live_received, r.live_sent, "segments of live connections");
		/* BURST of the register's reset value before the first millisecond. */
		allowed = 1000 + 10 * (r.cycles / 156250 + 2);
		CHECK(r.to_host - r.live_received <= allowed, "%llu stray frames reached the host",
			(unsigned long long)(r.to_host - r.live_received));
		CHECK_EQ(r.resets, 0, "RSTs: the host is to judge");
	}
	check_context("%s", "");
}

/* Frames that are nothing: dropped for what they are, nothing goes out. */
static void malformed(void)
{
	struct attack a = attack_of(ATTACK_fragment);
	struct attack_result r;

	check_run(&a, &r);
	check_unharmed(&r);
	CHECK_EQ(r.counter[HF_CNT_DROP_FRAGMENT], r.hostile, "fragments dropped");
	CHECK_EQ(r.syn_acks, r.good_tried, "SYN-ACKs");
	a.flood = ATTACK_land;
	check_run(&a, &r);
	check_unharmed(&r);
	CHECK_EQ(r.counter[HF_CNT_DROP_MARTIAN], r.hostile, "LAND frames dropped");
	a.flood = ATTACK_options;
	check_run(&a, &r);
	check_unharmed(&r);
	CHECK_EQ(r.counter[HF_CNT_OPT_MALFORMED], r.hostile, "options that broke off");
	CHECK_EQ(r.syn_acks, r.hostile + r.good_tried, "SYN-ACKs: such a SYN is served");
	check_context("%s", "");
}

/* One good cookie's ACK for ever: it never is more than the one connection at a time. While there is one, its segments are
 * the host's, at whatever rate they come, so that frames may be lost on their way up; good peers do not notice. */
static void replayed_cookie(void)
{
	struct attack a = attack_of(ATTACK_replay);
	struct attack_result r;

	a.mode = 2;
	check_run(&a, &r);
	CHECK_EQ(r.good_done, r.good_tried, "good handshakes");
	check_context("%s", "");
}

/* A host that reads a sixteenth of the time: answers go on, no live connection ends, what does not fit is counted. */
static void slow_host(void)
{
	struct attack a = attack_of(ATTACK_syn);
	struct attack_result r;

	a.slow_host = true;
	check_run(&a, &r);
	CHECK_EQ(r.syn_acks, r.hostile + r.good_tried, "SYN-ACKs");
	CHECK_EQ(r.good_done + r.counter[HF_CNT_DROP_EVENT_FULL], r.good_tried,
		"good handshakes, told or to be repeated");
	check_context("%s", "");
}

/* A host that sends all the time has its quarter of the wire, and not much more. */
static void share_of_the_wire(void)
{
	struct attack a = attack_of(ATTACK_syn);
	struct attack_result r;
	double share;

	a.host_sends = true;
	a.mode = 2;
	check_run(&a, &r);
	share = (double)r.host_sent / (double)(r.host_sent + r.bytes_out / 8);
	CHECK(share > 0.23 && share < 0.35, "the host has %.3f of the beats", share);
	CHECK_EQ(r.syn_acks + r.counter[HF_CNT_DROP_REPLY_FULL], r.hostile + r.good_tried, "SYNs answered or dropped");
	check_context("%s", "");
}

/* The board is reset in the middle of an ACK flood: nothing is answered with a RST that might belong to a live
 * connection, and what lives is adopted again. */
static void reset_in_the_flood(void)
{
	struct attack a = attack_of(ATTACK_ack);
	struct attack_result r;

	a.miss_per_ms = 100;
	a.reset_at = a.frames / 2;
	a.good_percent = 2;
	check_run(&a, &r);
	CHECK_EQ(r.live_reset, 0, "RSTs at live connections");
	CHECK(r.live_received + 20 >= r.live_sent, "%llu of %llu segments of live connections came through",
		(unsigned long long)r.live_received, (unsigned long long)r.live_sent);
	CHECK(r.good_done > r.good_tried / 4, "good handshakes after the reset");
	check_context("%s", "");
}

static void bad_numbers(void)
{
	struct attack a = attack_of(ATTACK_syn);
	struct attack_result r;

	a.percent = 0;
	CHECK_EQ(attack_run(&a, &r), -22, "percent 0");
	a = attack_of(ATTACK_FLOODS);
	CHECK_EQ(attack_run(&a, &r), -22, "no flood");
	a = attack_of(ATTACK_syn);
	a.live = 65;
	CHECK_EQ(attack_run(&a, &r), -22, "65 live connections");
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(syn_floods), CASE(without_cookies), CASE(ruled_networks), CASE(strays), CASE(malformed), CASE(replayed_cookie), CASE(slow_host),
		CASE(share_of_the_wire), CASE(reset_in_the_flood), CASE_ONCE(bad_numbers), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "attack", cases);
}
