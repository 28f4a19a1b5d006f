/* SPDX-License-Identifier: Apache-2.0
 * test_syn_cookie.c - SYN cookies: what they hold, when they are sent, which ACK makes a connection of them, and what
 * becomes of everything else that comes to a listened port. The cookie is computed here anew, from
 * docs/architecture.md and SipHash's own definition. */
#include "support_bench.h"

#define EPOCH_NS    (1ull << 36)
#define MAC_MASK    0x3ffffffu
#define PEER_ISN    0x12345678u
#define MODE(m)	    ((uint32_t)(m) << HF_COOKIE_MODE_LOW)
#define LIFETIME(n) ((uint32_t)(n) << HF_COOKIE_LIFETIME_LOW)
#define KEY_B	    (1u << HF_COOKIE_KEY_LOW)

enum { NEVER, WATERMARK, ALWAYS };

static const uint8_t key_a[16] = "cookies, first k", key_b[16] = "cookies, second ";
static const uint16_t class_octets[8] = { 88, 256, 536, 1220, 1360, 1400, 1440, 1460 };

static void set_cookie_key(struct bench *b, uint32_t first, const uint8_t key[16])
{
	for (unsigned i = 0; i < 4; i++)
		bench_set(b, first + 4 * i, (uint32_t)get_le(key + 4 * i, 4));
}

/* A bench whose cookies are on in that mode, at the given epoch. */
static struct bench *open_mode(enum engine_size size, unsigned mode, uint32_t epoch)
{
	struct bench *b = bench_open(size);
	uint32_t ctrl = bench_get(b, HF_REG_CTRL);

	bench_set(b, HF_REG_CTRL, 0);
	set_cookie_key(b, HF_REG_KEY_COOKIE_A0, key_a);
	set_cookie_key(b, HF_REG_KEY_COOKIE_B0, key_b);
	bench_set(b, HF_REG_CTRL, ctrl);
	bench_set(b, HF_REG_COOKIE, MODE(mode) | LIFETIME(1));
	bench_set(b, HF_REG_RST_LIMIT, 0);
	b->sim->time_ps = (epoch * EPOCH_NS + EPOCH_NS / 3) * 1000;
	return b;
}

static uint32_t epoch_now(const struct bench *b)
{
	return (uint32_t)(b->sim->time_ps / 1000 >> 36) & 0xffffff;
}

static void pass_epochs(struct bench *b, unsigned n)
{
	b->sim->time_ps += n * EPOCH_NS * 1000;
}

static uint32_t mac_of(const uint8_t key[16], const struct segment *s, uint32_t epoch)
{
	uint8_t octets[39];
	size_t n;

	if (s->ip6) {
		memcpy(octets, PEER6, 16);
		memcpy(octets + 16, OUR6, 16);
		n = 32;
	} else {
		put32(octets, s->src ? s->src : PEER_ADDR);
		put32(octets + 4, s->dst ? s->dst : OUR_ADDR);
		n = 8;
	}
	put16(octets + n, s->sport);
	put16(octets + n + 2, s->dport);
	octets[n + 4] = (uint8_t)(epoch >> 16);
	put16(octets + n + 5, epoch & 0xffff);
	return (uint32_t)ref_siphash(key, octets, n + 7) & MAC_MASK;
}

/* The ISS of the cookie for a SYN of this tuple. */
static uint32_t cookie_of(const struct segment *syn, bool second_key, uint32_t epoch, unsigned class)
{
	return syn->seq + ((uint32_t)second_key << 31 | (epoch & 3) << 29 | class << 26 |
				  mac_of(second_key ? key_b : key_a, syn, epoch));
}

/* Give the SYN; returns the ISS of the SYN-ACK, which is checked against the cookie of that class and these options. */
static uint32_t expect_cookie(
	struct bench *b, const struct segment *syn, bool second_key, unsigned class, const char *opts)
{
	uint32_t iss = cookie_of(syn, second_key, epoch_now(b), class);

	bench_segment(b, syn);
	bench_expect_segment(b, &(struct segment){ .src = OUR_ADDR,
					.dst = syn->src ? syn->src : PEER_ADDR,
					.sport = syn->dport,
					.dport = syn->sport,
					.seq = iss,
					.ack = syn->seq + 1,
					.flags = HF_SYN | HF_ACK,
					.wnd = 65535,
					.opts = opts,
					.ip6 = syn->ip6,
					.back = true });
	CHECK_EQ(bench_last_trace(b)->trc_write, 0, "a cookie writes nothing: trc_write");
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 0, "HALF_OPEN");
	return iss;
}

static struct segment syn_of(uint16_t port, const char *opts)
{
	return (struct segment){
		.sport = port, .dport = OUR_PORT, .seq = PEER_ISN + port, .flags = HF_SYN, .wnd = 4000, .opts = opts
	};
}

/* The ACK of a cookie; its text, if any, is the peer's first. */
static struct segment ack_of(const struct segment *syn, uint32_t iss, const char *opts, const char *text)
{
	return (struct segment){ .src = syn->src,
		.dst = syn->dst,
		.sport = syn->sport,
		.dport = syn->dport,
		.seq = syn->seq + 1,
		.ack = iss + 1,
		.flags = HF_ACK,
		.wnd = 4000,
		.opts = opts,
		.text = text,
		.text_len = text ? strlen(text) : 0,
		.ip6 = syn->ip6 };
}

/* The ESTABLISHED event that came up, or NULL. */
static const uint8_t *established(struct bench *b)
{
	const struct item *m = bench_c2h(b);

	if (!CHECK(m && m->bytes[0] == HF_MSG_EVENT, "no event"))
		return NULL;
	CHECK_EQ(MSG_GET(m->bytes, EVENT, code), HF_EVENT_ESTABLISHED, "event");
	CHECK_EQ(MSG_GET(m->bytes, EVENT, state), HF_STATE_ESTABLISHED, "state in the event");
	CHECK_EQ(MSG_GET(m->bytes, HEADER, flags), HF_EVENT_COOKIE, "flags of the event");
	return m->bytes;
}

/* Every MSS class, in four epochs, under both keys, over both families: the cookie decodes to what is in it. */
static void layout(void)
{
	for (unsigned n = 0; n < 8; n++) {
		struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 0x123456 + n);
		char opts[16];

		if (n & 1)
			bench_set(b, HF_REG_COOKIE, MODE(ALWAYS) | LIFETIME(1) | KEY_B);
		for (unsigned class = 0; class < 8; class ++) {
			struct segment syn = syn_of((uint16_t)(2000 + class), opts);

			check_context("epoch +%u, class %u", n, class);
			snprintf(opts, sizeof(opts), "mss=%u", class_octets[class]);
			expect_cookie(b, &syn, n & 1, class, "mss=1460");
			syn.ip6 = true;
			bench_listen(b, 1, 0, OUR_PORT, 9, OPT_IP6 | OPT_TS | OPT_WS | OPT_SACK, LISTEN_OFF);
			if (class == 7)
				continue; /* MSS6 is 1440 */
			bench_set(b, HF_REG_LISTEN_ADDR1, 0);
			for (unsigned i = 0; i < 4; i++) /* 2001:db8::2, last word first */
				bench_set(b, HF_REG_LOCAL6_A0 + 4 * i, get32(OUR6 + 12 - 4 * i));
			bench_listen(b, 1, 0, OUR_PORT, 9, OPT_IP6 | OPT_TS | OPT_WS | OPT_SACK, LISTEN_OFFLOAD);
			expect_cookie(b, &syn, n & 1, class, "mss=1440");
		}
		check_context("%s", "");
		bench_counted(b, HF_CNT_COOKIES_SENT, 15);
		bench_counted(b, HF_CNT_TX_SYNACK, 15);
		bench_counted(b, HF_CNT_SYN_ACCEPTED, 0);
		bench_close(b);
	}
}

/* The largest class not above the peer's MSS; what the host is told lies between the floor and what the peer said. */
static void mss_of_the_peer(void)
{
	static const struct {
		const char *opts;
		unsigned class, told;
	} rows[] = { { "mss=1459", 6, 1440 }, { "mss=1460", 7, 1460 }, { "mss=9000", 7, 1460 }, { NULL, 2, 536 },
		{ "mss=535", 1, 256 }, { "mss=536", 2, 536 }, { "mss=1219", 2, 536 }, { "mss=20", 0, 88 },
		{ "mss=0", 0, 88 }, { "mss=1399", 4, 1360 } };

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 7);
		struct segment syn = syn_of(3000, rows[i].opts), ack;
		const uint8_t *event;

		check_context("%s", rows[i].opts ? rows[i].opts : "no MSS option");
		ack = ack_of(&syn, expect_cookie(b, &syn, false, rows[i].class, "mss=1460"), NULL, NULL);
		bench_segment(b, &ack);
		event = established(b);
		if (event)
			CHECK_EQ(MSG_GET(event, EVENT, mss), rows[i].told, "MSS");
		bench_close(b);
	}
	check_context("%s", "");
}

/* Options live in the timestamp: without timestamps only the MSS is offered, with them what the peer echoes is what it was
 * offered. TSval never runs ahead of the clock. */
static void options(void)
{
	static const struct {
		const char *syn, *reply; /* reply: what follows TSval */
		unsigned memory, listener;
		const char *told; /* of "ws ts sack" */
		unsigned shift;
	} rows[] = {
		{ "mss=1460 sack ws=7", NULL, 0, 7, "", 0 },
		{ "mss=1460 sack ts=77:0 nop ws=7", "ws", 0x17, 7, "ws ts sack", 7 },
		{ "mss=1460 sack ts=77:0 nop ws=0", "ws", 0x10, 7, "ws ts sack", 0 },
		{ "mss=1460 ts=77:0 nop ws=14", "ws", 0x0e, 7, "ws ts", 14 },
		{ "mss=1460 sack ts=77:0", "", 0x1f, 7, "ts sack", 0 },
		{ "mss=1460 ts=77:0", "", 0x0f, 7, "ts", 0 },
		{ "mss=1460 sack ts=77:0 nop ws=7", NULL, 0, OPT_WS | OPT_SACK, "", 0 },
		{ "mss=1460 sack ts=77:0 nop ws=7", "", 0x1f, OPT_TS | OPT_SACK, "ts sack", 0 },
		{ "mss=1460 sack ts=77:0 nop ws=7", "ws", 0x07, OPT_TS | OPT_WS, "ws ts", 7 },
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 9);
		struct segment syn = syn_of(3000, rows[i].syn), ack;
		bool ts = strstr(rows[i].told, "ts");
		char offered[64], echoed[64];
		uint32_t tsval, iss;
		const uint8_t *event;

		check_context("row %u, %s", i, rows[i].syn);
		bench_listen(b, 0, 0, OUR_PORT, 1000, rows[i].listener, LISTEN_OFFLOAD);
		bench_ms(b, 1000 + 13 * i);
		tsval = (b->ms & ~63u) | rows[i].memory;
		if (tsval > b->ms)
			tsval -= 64;
		snprintf(offered, sizeof(offered), "mss=1460");
		if (ts)
			snprintf(offered, sizeof(offered), "mss=1460 %sts=%u:77%s",
				strstr(rows[i].told, "sack") ? "sack " : "nop nop ", tsval,
				strstr(rows[i].told, "ws") ? " nop ws=7" : "");
		iss = expect_cookie(b, &syn, false, 7, offered);
		snprintf(echoed, sizeof(echoed), "nop nop ts=99:%u", tsval);
		ack = ack_of(&syn, iss, ts ? echoed : NULL, NULL);
		bench_segment(b, &ack);
		event = established(b);
		if (!event)
			continue;
		CHECK_EQ(MSG_GET(event, EVENT, options),
			(strstr(rows[i].told, "ws") ? 1 : 0) | (ts ? 2 : 0) | (strstr(rows[i].told, "sack") ? 4 : 0),
			"options");
		CHECK_EQ(MSG_GET(event, EVENT, snd_wscale), rows[i].shift, "peer's shift");
		CHECK_EQ(MSG_GET(event, EVENT, rcv_wscale), strstr(rows[i].told, "ws") ? 7 : 0, "our shift");
		CHECK_EQ(MSG_GET(event, EVENT, snd_wnd), 4000u << rows[i].shift, "SND.WND");
		CHECK_EQ(MSG_GET(event, EVENT, ts_recent), ts ? 99 : 0, "TS.Recent");
		CHECK_EQ(MSG_GET(event, EVENT, tsecr), ts ? tsval : 0, "TSecr");
		bench_close(b);
	}
	check_context("%s", "");
}

/* ECN, RFC 3168: negotiated with timestamps only, remembered in bit 5. */
static void ecn(void)
{
	for (unsigned on = 0; on < 2; on++) {
		for (unsigned ts = 0; ts < 2; ts++) {
			struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 9);
			struct segment syn = syn_of(3000, ts ? "mss=1460 nop nop ts=5:0" : "mss=1460"), ack;
			bool ecn_ok = on && ts;
			const struct item *reply;
			const uint8_t *event;
			char echoed[64];
			uint32_t iss;

			check_context("ECN %s, timestamps %s", on ? "on" : "off", ts ? "on" : "off");
			if (on)
				bench_set(b, HF_REG_CTRL, bench_get(b, HF_REG_CTRL) | 1u << HF_CTRL_ECN_LOW);
			bench_ms(b, 200);
			syn.flags |= HF_ECE | HF_CWR;
			iss = cookie_of(&syn, false, epoch_now(b), 7);
			bench_segment(b, &syn);
			reply = bench_tx(b);
			if (!CHECK(reply && get32(reply->bytes + 38) == iss, "no cookie"))
				continue;
			CHECK_EQ(reply->bytes[47], HF_SYN | HF_ACK | (ecn_ok ? HF_ECE : 0), "flags");
			snprintf(echoed, sizeof(echoed), "nop nop ts=6:%u", ts ? get32(reply->bytes + 62) : 0);
			ack = ack_of(&syn, iss, ts ? echoed : NULL, NULL);
			bench_segment(b, &ack);
			event = established(b);
			if (event)
				CHECK_EQ(MSG_GET(event, EVENT, listener) >> 7, ecn_ok, "ECN in the event");
			bench_close(b);
		}
	}
	check_context("%s", "");
}

/* All that the event and the entry say of a connection by cookie. */
static void established_by_ack(void)
{
	struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 0xffffff);
	struct segment syn = syn_of(3000, "mss=1460"), ack;
	uint32_t iss = expect_cookie(b, &syn, false, 7, "mss=1460");
	const struct hf_tcb *t;
	const uint8_t *event;

	b->sim->time_ps += 1000000000000ull; /* 1 s later: into epoch 0 with the next two lines */
	pass_epochs(b, 1);
	ack = ack_of(&syn, iss, NULL, NULL);
	bench_segment(b, &ack);
	t = bench_entry(b, PEER_ADDR, 3000, OUR_ADDR, OUR_PORT);
	event = established(b);
	if (!CHECK(t && event, "no entry"))
		return;
	CHECK_EQ(t->state, HF_STATE_ESTABLISHED, "STATE");
	CHECK_EQ(MSG_GET(event, HEADER, id), bench_id(b, t), "id");
	CHECK_EQ(MSG_GET(event, EVENT, iss), iss, "ISS");
	CHECK_EQ(MSG_GET(event, EVENT, irs), syn.seq, "IRS");
	CHECK_EQ(MSG_GET(event, EVENT, snd_una), iss + 1, "SND.UNA");
	CHECK_EQ(MSG_GET(event, EVENT, snd_nxt), iss + 1, "SND.NXT");
	CHECK_EQ(MSG_GET(event, EVENT, rcv_nxt), syn.seq + 1, "RCV.NXT");
	CHECK_EQ(MSG_GET(event, EVENT, snd_wnd), 4000, "SND.WND");
	CHECK_EQ(MSG_GET(event, EVENT, rcv_wnd), 65535, "RCV.WND");
	CHECK_EQ(MSG_GET(event, EVENT, snd_wl1), syn.seq + 1, "SND.WL1");
	CHECK_EQ(MSG_GET(event, EVENT, snd_wl2), iss + 1, "SND.WL2");
	CHECK_EQ(MSG_GET(event, EVENT, rtt_ms), 0xffff, "rtt_ms: a cookie knows no round trip");
	CHECK_EQ(MSG_GET(event, EVENT, rto_ms), 1000, "rto_ms");
	CHECK_EQ(MSG_GET(event, EVENT, options), 0, "options");
	CHECK_EQ(get48(event + HF_AT_EVENT_remote_mac), PEER_MAC, "MAC");
	CHECK_EQ(MSG_GET(event, EVENT, listener), 0, "listener");
	CHECK_EQ(t->timer_armed, 0, "TIMER.ARMED");
	bench_counted(b, HF_CNT_COOKIES_ACCEPTED, 1);
	bench_counted(b, HF_CNT_ESTABLISHED, 1);
	bench_counted(b, HF_CNT_COOKIE_BAD, 0);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 1, "ENTRIES");
	bench_close(b);
}

/* What is not the cookie: ACK or SEQ one off, another peer's, too old. With a complete cache it draws a RST. */
static void only_the_cookie(void)
{
	static const struct {
		const char *what;
		int ack, seq;
		unsigned epochs, lifetime;
		bool good, other_port;
	} rows[] = { { "as sent", 0, 0, 0, 1, true }, { "ACK + 1", 1, 0, 0, 1, false },
		{ "ACK - 1", -1, 0, 0, 1, false }, { "SEQ + 1", 0, 1, 0, 1, false }, { "SEQ - 1", 0, -1, 0, 1, false },
		{ "next epoch", 0, 0, 1, 1, true }, { "two epochs", 0, 0, 2, 1, false },
		{ "three epochs", 0, 0, 3, 1, false }, { "four epochs: the same two bits", 0, 0, 4, 1, false },
		{ "five epochs", 0, 0, 5, 1, false }, { "next epoch, lifetime 0", 0, 0, 1, 0, false },
		{ "three epochs, lifetime 3", 0, 0, 3, 3, true }, { "four epochs, lifetime 3", 0, 0, 4, 3, false },
		{ "another port", 0, 0, 0, 1, false, true } };

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 50);
		struct segment syn = syn_of(3000, "mss=1460"), ack;

		check_context("%s", rows[i].what);
		bench_set(b, HF_REG_COOKIE, MODE(ALWAYS) | LIFETIME(rows[i].lifetime));
		bench_set(b, HF_REG_CACHE, 1);
		ack = ack_of(&syn, expect_cookie(b, &syn, false, 7, "mss=1460"), NULL, NULL);
		ack.ack += (uint32_t)rows[i].ack;
		ack.seq += (uint32_t)rows[i].seq;
		ack.sport += rows[i].other_port;
		pass_epochs(b, rows[i].epochs);
		bench_segment(b, &ack);
		if (rows[i].good) {
			established(b);
		} else {
			bench_expect_segment(b, &(struct segment){ .src = OUR_ADDR,
							.dst = PEER_ADDR,
							.sport = OUR_PORT,
							.dport = ack.sport,
							.seq = ack.ack,
							.flags = HF_RST });
			/* Where no cookie can be alive, none is looked for. */
			bench_counted(b, HF_CNT_COOKIE_BAD, rows[i].epochs <= rows[i].lifetime);
		}
		bench_counted(b, HF_CNT_COOKIES_ACCEPTED, rows[i].good);
		bench_close(b);
	}
	check_context("%s", "");
}

/* The MAC is compared whole: one bit of it is as good as all. */
static void every_bit_counts(void)
{
	struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 50);
	struct segment syn = syn_of(3000, "mss=1460"), ack;
	uint32_t number;

	bench_set(b, HF_REG_CACHE, 1);
	ack = ack_of(&syn, expect_cookie(b, &syn, false, 7, "mss=1460"), NULL, NULL);
	number = ack.ack - ack.seq;
	for (unsigned bit = 0; bit < 26; bit++) {
		check_context("bit %u", bit);
		ack.ack = ack.seq + (number ^ 1u << bit);
		bench_segment(b, &ack);
		CHECK(bench_tx(b) != NULL, "no RST");
		bench_counted(b, HF_CNT_COOKIE_BAD, 1);
		bench_counted(b, HF_CNT_COOKIES_ACCEPTED, 0);
	}
	check_context("%s", "");
	ack.ack = ack.seq + number;
	bench_segment(b, &ack);
	established(b);
	bench_counted(b, HF_CNT_COOKIES_ACCEPTED, 1);
	bench_close(b);
}

/* Frames that follow one another at once while an epoch ends: each gets a cookie of the epoch of its own stamp. */
static void an_epoch_ends(void)
{
	enum { N = 12, EPOCH = 50 };
	unsigned before = 0, after = 0;

	for (unsigned lead = 1; lead < 120; lead += 3) {
		struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, EPOCH);
		struct segment syn[N];

		b->sim->time_ps = (EPOCH + 1) * EPOCH_NS * 1000 - lead * b->sim->period_ps;
		for (unsigned i = 0; i < N; i++) {
			uint8_t ip[64], frame[64];

			syn[i] = syn_of((uint16_t)(3000 + i), "mss=1460");
			sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &syn[i])),
				false);
		}
		bench_settle(b);
		for (unsigned i = 0; i < N; i++) {
			const struct item *reply = bench_tx(b);
			uint32_t epoch = (uint32_t)(b->rx.v[i].time_ns >> 36);

			check_context("%u clocks before, frame %u", lead, i);
			before += epoch == EPOCH;
			after += epoch != EPOCH;
			if (CHECK(reply != NULL, "no SYN-ACK"))
				CHECK_EQ(get32(reply->bytes + 38), cookie_of(&syn[i], false, epoch, 7), "ISS");
		}
		bench_close(b);
	}
	check_context("%s", "");
	CHECK(before && after, "%u frames before, %u after", before, after);
}

/* A listener that has sent no cookie takes none, however right. */
static void none_sent_none_taken(void)
{
	struct bench *b = open_mode(ENGINE_DEFAULT, WATERMARK, 50);
	struct segment syn = syn_of(3000, "mss=1460"), ack = ack_of(&syn, cookie_of(&syn, false, 50, 7), NULL, NULL),
		       other;

	bench_segment(b, &ack);
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_counted(b, HF_CNT_COOKIE_BAD, 0);
	/* Another listener's cookies open no door here. */
	bench_listen(b, 1, 0, OUR_PORT + 1, 1000, 7, LISTEN_OFFLOAD);
	bench_set(b, HF_REG_COOKIE, MODE(ALWAYS) | LIFETIME(1));
	other = syn_of(3001, "mss=1460");
	other.dport = OUR_PORT + 1;
	expect_cookie(b, &other, false, 7, "mss=1460");
	bench_segment(b, &ack);
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_counted(b, HF_CNT_COOKIES_ACCEPTED, 0);
	bench_close(b);
}

/* RFC row cookie-valid: 100,000 random ACKs open nothing, and each draws a RST where the board may judge. */
static void random_acks(void)
{
	struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 50);
	struct segment syn = syn_of(3000, "mss=1460");
	const unsigned many = 100000;
	uint64_t seed = 4242, before;
	unsigned resets = 0;
	const struct item *f;

	bench_set(b, HF_REG_CACHE, 1);
	expect_cookie(b, &syn, false, 7, "mss=1460");
	before = bench_counter(b, HF_CNT_COOKIE_BAD);
	for (unsigned i = 0; i < many; i++) {
		struct segment s = { .sport = (uint16_t)(1024 + random_below(&seed, 60000)),
			.dport = OUR_PORT,
			.seq = (uint32_t)random_next(&seed),
			.ack = (uint32_t)random_next(&seed),
			.flags = HF_ACK };
		uint8_t ip[64], frame[64];
		size_t len = make_packet(ip, &s);

		sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, len), false);
		if (i % 100 == 99 || i == many - 1) {
			bench_settle(b);
			while ((f = bench_tx(b)) != NULL)
				resets += f->bytes[47] == HF_RST;
		}
	}
	CHECK_EQ(resets, many, "RSTs");
	CHECK_EQ(bench_counter(b, HF_CNT_COOKIE_BAD) - before, many, "COOKIE_BAD");
	bench_counted(b, HF_CNT_COOKIES_ACCEPTED, 0);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_close(b);
}

/* A cookie is never sent again by a timer; if the ACK was lost, the peer's first text completes the handshake and goes up. */
static void no_retransmission(void)
{
	struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 50);
	struct segment syn = syn_of(3000, "mss=1460"), data;
	uint32_t iss = expect_cookie(b, &syn, false, 7, "mss=1460");
	const uint8_t *event;

	bench_silence(b);
	bench_ms(b, 20000);
	bench_quiet(b);
	data = ack_of(&syn, iss, NULL, "hello");
	data.flags |= HF_PSH;
	bench_segment(b, &data);
	event = established(b);
	if (event) {
		CHECK_EQ(MSG_GET(event, EVENT, options) >> 4 & 1, 1, "the frame follows");
		CHECK_EQ(MSG_GET(event, EVENT, rcv_nxt), syn.seq + 1, "RCV.NXT");
		bench_expect_last(b, HF_FRAME_CSUM_OK | HF_FRAME_CONN, (uint32_t)MSG_GET(event, HEADER, id));
	}
	bench_close(b);
}

/* Bytes out to bytes in, both families, without and with options: at most 1.2. */
static void no_amplification(void)
{
	static const char *const opts[] = { NULL, "mss=1460", "mss=1460 sack ts=1:0 nop ws=7" };

	for (unsigned i = 0; i < 2 * COUNT(opts); i++) {
		struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 50);
		uint64_t in = 0, out = 0;
		const struct item *f;

		for (unsigned w = 0; w < 4; w++)
			bench_set(b, HF_REG_LOCAL6_A0 + 4 * w, get32(OUR6 + 12 - 4 * w));
		bench_listen(b, 1, 0, OUR_PORT, 9, OPT_IP6 | OPT_TS | OPT_WS | OPT_SACK, LISTEN_OFFLOAD);
		for (unsigned n = 0; n < 200; n++) {
			struct segment syn = syn_of((uint16_t)(3000 + n), opts[i / 2]);

			syn.ip6 = i & 1;
			bench_segment(b, &syn);
			in += b->rx.v[b->rx.count - 1].len;
			for (unsigned answers = 0; (f = bench_tx(b)) != NULL; answers++) {
				CHECK_EQ(answers, 0, "a second answer to one SYN");
				out += f->len;
			}
		}
		bench_ms(b, 10000);
		CHECK(out > 0 && 10 * out <= 12 * in, "%llu bytes out for %llu in", (unsigned long long)out,
			(unsigned long long)in);
		bench_close(b);
	}
}

static void give_syns(struct bench *b, uint16_t first, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct segment syn = syn_of((uint16_t)(first + i), "mss=1460");

		bench_segment(b, &syn);
		CHECK(bench_tx(b) != NULL, "SYN %u has no answer", i);
	}
}

/* Watermark: entries up to COOKIE_HIGH, then cookies until the half-open ones are below COOKIE_LOW. */
static void watermark(void)
{
	struct bench *b = open_mode(ENGINE_DEFAULT, WATERMARK, 50);
	const struct hf_tcb *t;

	bench_set(b, HF_REG_COOKIE_HIGH, 10);
	bench_set(b, HF_REG_COOKIE_LOW, 5);
	give_syns(b, 3000, 10);
	bench_counted(b, HF_CNT_SYN_ACCEPTED, 10);
	CHECK_EQ(bench_get(b, HF_REG_STATUS) >> HF_STATUS_COOKIES_LOW & 1, 1, "STATUS.COOKIES at the high mark");
	give_syns(b, 3100, 7);
	bench_counted(b, HF_CNT_COOKIES_SENT, 7);
	CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), 10, "HALF_OPEN");
	for (unsigned i = 0; i < 6; i++) { /* half-open ones end: 4 are left */
		struct segment rst = {
			.sport = (uint16_t)(3000 + i), .dport = OUR_PORT, .seq = PEER_ISN + 3001 + i, .flags = HF_RST
		};

		CHECK_EQ(bench_get(b, HF_REG_STATUS) >> HF_STATUS_COOKIES_LOW & 1, 1,
			"STATUS.COOKIES between the marks");
		give_syns(b, (uint16_t)(3200 + i), 1);
		bench_segment(b, &rst);
	}
	bench_counted(b, HF_CNT_COOKIES_SENT, 6);
	CHECK_EQ(bench_get(b, HF_REG_STATUS) >> HF_STATUS_COOKIES_LOW & 1, 0, "STATUS.COOKIES below the low mark");
	give_syns(b, 3300, 1);
	bench_counted(b, HF_CNT_SYN_ACCEPTED, 1);
	t = bench_entry(b, PEER_ADDR, 3300, OUR_ADDR, OUR_PORT);
	CHECK(t && t->state == HF_STATE_SYN_RECEIVED, "no entry below the low mark");
	bench_ms(b, 1000); /* held state is retransmitted, cookies are not: 5 entries */
	for (unsigned i = 0; i < 5; i++)
		CHECK(bench_tx(b) != NULL, "entry %u is not retransmitted", i);
	bench_close(b);
}

/* Backlog, set and table full: a cookie where cookies are allowed, else a drop; entries stay. */
static void full_means_cookie(void)
{
	for (unsigned mode = NEVER; mode <= ALWAYS; mode++) {
		struct bench *b = open_mode(ENGINE_SMALL, mode, 50);
		unsigned sent = 0;

		check_context("mode %u", mode);
		bench_listen(b, 0, 0, OUR_PORT, 3, 7, LISTEN_OFFLOAD);
		for (unsigned i = 0; i < 40; i++) {
			struct segment syn = syn_of((uint16_t)(4000 + i), "mss=1460");

			bench_segment(b, &syn);
			sent += bench_tx(b) != NULL;
		}
		CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), mode == ALWAYS ? 0 : 3, "HALF_OPEN");
		CHECK_EQ(sent, mode == NEVER ? 3 : 40, "SYN-ACKs");
		bench_counted(
			b, HF_CNT_DROP_BACKLOG, mode == NEVER ? 37 - bench_counter(b, HF_CNT_DROP_TABLE_FULL) : 0);
		bench_listen(b, 0, 0, OUR_PORT, 1000, 7, LISTEN_OFFLOAD);
		for (unsigned i = 0; i < 200; i++) { /* now the table is the limit */
			struct segment syn = syn_of((uint16_t)(5000 + i), "mss=1460");

			bench_segment(b, &syn);
			sent += bench_tx(b) != NULL;
		}
		CHECK_EQ(bench_get(b, HF_REG_HALF_OPEN), mode == ALWAYS ? 0 : b->slots, "HALF_OPEN");
		CHECK_EQ(sent, mode == NEVER ? b->slots : 240, "SYN-ACKs");
		bench_close(b);
	}
	check_context("%s", "");
}

/* COOKIE_HIGH bounds half-open entries in mode never too. */
static void bounded_in_all(void)
{
	struct bench *b = open_mode(ENGINE_DEFAULT, NEVER, 50);

	bench_set(b, HF_REG_COOKIE_HIGH, 4);
	give_syns(b, 3000, 4);
	for (unsigned i = 0; i < 5; i++) {
		struct segment syn = syn_of((uint16_t)(4000 + i), NULL);

		bench_segment(b, &syn);
		CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_BACKLOG, "cause");
	}
	bench_counted(b, HF_CNT_DROP_BACKLOG, 5);
	bench_close(b);
}

/* A connection by cookie that finds no room: the host gets it all the same, without an entry; a complete cache is none
 * any more. A second ACK tells the host again (it knows the socket); text goes up behind the event. */
static void no_entry(void)
{
	struct bench *b = open_mode(ENGINE_SMALL, WATERMARK, 50);
	struct segment syn, ack;
	const uint8_t *event;
	unsigned refused = 0;
	uint32_t iss;

	bench_listen(b, 0, 0, OUR_PORT, b->slots + 1, 7, LISTEN_OFFLOAD);
	for (unsigned port = 10000; port < 60000 && bench_get(b, HF_REG_ENTRIES) < b->slots; port++) {
		syn = syn_of((uint16_t)port, "mss=1460");
		bench_segment(b, &syn);
		CHECK(bench_tx(b) != NULL, "no answer");
	}
	refused = (unsigned)bench_counter(b, HF_CNT_COOKIES_SENT);
	bench_set(b, HF_REG_CACHE, 1);
	syn = syn_of(9000, "mss=1460");
	iss = cookie_of(&syn, false, 50, 7);
	bench_segment(b, &syn);
	CHECK(bench_tx(b) != NULL, "no answer");
	bench_counted(b, HF_CNT_COOKIES_SENT, refused + 1);
	for (unsigned i = 0; i < 2; i++) {
		ack = ack_of(&syn, iss, NULL, i ? "text" : NULL);
		bench_segment(b, &ack);
		event = established(b);
		if (!event)
			continue;
		CHECK_EQ(MSG_GET(event, HEADER, id), HF_NO_ID, "id");
		CHECK_EQ(MSG_GET(event, EVENT, iss), iss, "ISS");
		CHECK_EQ(bench_last_trace(b)->trc_write, 0, "trc_write");
		CHECK_EQ(bench_get(b, HF_REG_CACHE), 0, "CACHE.COMPLETE");
		if (i)
			bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	}
	bench_counted(b, HF_CNT_COOKIE_NO_ENTRY, 2);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), b->slots, "ENTRIES");
	bench_close(b);
}

/* A duplicate of the final ACK belongs to the connection: one event, and the copies go up as its segments. */
static void replay(void)
{
	struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 50);
	struct segment syn = syn_of(3000, "mss=1460"), ack;
	uint32_t iss = expect_cookie(b, &syn, false, 7, "mss=1460"), id;
	const uint8_t *event;

	ack = ack_of(&syn, iss, NULL, NULL);
	bench_segment(b, &ack);
	event = established(b);
	if (!event)
		return;
	id = (uint32_t)MSG_GET(event, HEADER, id);
	for (unsigned i = 0; i < 3; i++) {
		bench_segment(b, &ack);
		bench_expect_last(b, HF_FRAME_CSUM_OK | HF_FRAME_CONN, id);
	}
	bench_counted(b, HF_CNT_ESTABLISHED, 1);
	/* After it is over, the cookie is good as long as it lives: documented. */
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id), HF_STATUS_OK, "status");
	bench_segment(b, &ack);
	established(b);
	id = bench_id(b, bench_entry(b, PEER_ADDR, 3000, OUR_ADDR, OUR_PORT));
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, id), HF_STATUS_OK, "status");
	pass_epochs(b, 2);
	bench_segment(b, &ack);
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_close(b);
}

/* Rotation: cookies of the last key stay good, those of the one before do not; index and ISN stay where they are. */
static void key_rotation(void)
{
	static const uint8_t third[16] = "cookies, third !";
	struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 50);
	struct segment first = syn_of(3000, "mss=1460"), second = syn_of(3001, "mss=1460"), ack;
	uint32_t iss_first = expect_cookie(b, &first, false, 7, "mss=1460"), iss_second;

	bench_set(b, HF_REG_COOKIE, MODE(ALWAYS) | LIFETIME(1) | KEY_B);
	iss_second = expect_cookie(b, &second, true, 7, "mss=1460");
	ack = ack_of(&first, iss_first, NULL, NULL);
	bench_segment(b, &ack);
	established(b);
	CHECK_EQ(bench_command(b, HF_COMMAND_RELEASE, bench_id(b, bench_entry(b, PEER_ADDR, 3000, OUR_ADDR, OUR_PORT))),
		HF_STATUS_OK, "status");
	set_cookie_key(b, HF_REG_KEY_COOKIE_A0, third);
	bench_set(b, HF_REG_COOKIE, MODE(ALWAYS) | LIFETIME(1));
	bench_segment(b, &ack); /* two rotations */
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	ack = ack_of(&second, iss_second, NULL, NULL);
	bench_segment(b, &ack);
	established(b);
	/* The key in use is not to be had while the engine runs, nor is any key to be read. */
	CHECK_EQ(bench_msg_write(b, HF_REG_KEY_COOKIE_A0, 1), HF_STATUS_REFUSED, "status for the key in use");
	CHECK_EQ(bench_msg_write(b, HF_REG_KEY_COOKIE_B3, 1), HF_STATUS_OK, "status for the other key");
	CHECK_EQ(bench_get(b, HF_REG_KEY_COOKIE_A1), 0, "a key as read");
	/* ISN and index: an entry's ISS is that of RFC 6528 whatever the cookie keys. */
	bench_set(b, HF_REG_COOKIE, MODE(NEVER) | LIFETIME(1) | KEY_B);
	bench_iss(b, PEER_ADDR, 3500, OUR_ADDR, OUR_PORT, 0x20000000);
	bench_half_open(b, PEER_ADDR, 3500, 1);
	CHECK_EQ(bench_entry(b, PEER_ADDR, 3500, OUR_ADDR, OUR_PORT)->iss, 0x20000000, "ISS");
	bench_close(b);
}

/* A good cookie while the host is gone, or cannot take the event: dropped and counted, and good again later. */
static void host_gone_or_full(void)
{
	struct bench *b = open_mode(ENGINE_SMALL, ALWAYS, 50);
	struct segment syn, ack[6];

	for (uint16_t i = 0; i < 6; i++) {
		syn = syn_of((uint16_t)(3000 + i), "mss=1460");
		ack[i] = ack_of(&syn, expect_cookie(b, &syn, false, 7, "mss=1460"), NULL, NULL);
	}
	bench_set(b, HF_REG_HEARTBEAT_MS, 5);
	bench_ms(b, 10);
	bench_segment(b, &ack[0]);
	CHECK_EQ(bench_last_trace(b)->trc_cause, HF_CAUSE_HOST_GONE, "cause");
	bench_counted(b, HF_CNT_DROP_HOST_GONE, 1);
	bench_set(b, HF_REG_HEARTBEAT_MS, 0);
	b->sim->hold_c2h = true;
	for (unsigned i = 0; i < 6; i++)
		bench_segment(b, &ack[i]);
	b->sim->hold_c2h = false;
	bench_settle(b);
	while (bench_c2h(b))
		;
	CHECK(bench_counter(b, HF_CNT_DROP_EVENT_FULL) > 0, "the event queue never was full");
	CHECK_EQ(bench_counter(b, HF_CNT_DROP_EVENT_FULL) + bench_counter(b, HF_CNT_COOKIES_ACCEPTED), 6,
		"good cookies, taken or dropped");
	bench_segment(b, &ack[5]);
	CHECK(bench_c2h(b) != NULL, "nothing comes of the ACK when there is room");
	bench_close(b);
}

/* Flags: a cookie is completed by an ACK, with FIN or text; SYN+ACK and RST are no completion. */
static void flags_of_the_ack(void)
{
	static const struct {
		uint16_t flags;
		bool good, up;
	} rows[] = { { HF_ACK, true, false }, { HF_ACK | HF_FIN, true, true },
		{ HF_ACK | HF_PSH | HF_URG, true, false }, { HF_ACK | HF_SYN, false, true },
		{ HF_ACK | HF_RST, false, true }, { HF_ACK | HF_ECE | HF_CWR, true, false } };

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 50);
		struct segment syn = syn_of(3000, "mss=1460"), ack;
		const uint8_t *event = NULL;

		check_context("flags %x", rows[i].flags);
		ack = ack_of(&syn, expect_cookie(b, &syn, false, 7, "mss=1460"), NULL, NULL);
		ack.flags = rows[i].flags;
		bench_segment(b, &ack);
		if (rows[i].good)
			event = established(b);
		if (rows[i].up)
			bench_expect_last(b, HF_FRAME_CSUM_OK | (event ? HF_FRAME_CONN : 0),
				event ? (uint32_t)MSG_GET(event, HEADER, id) : HF_NO_ID);
		bench_counted(b, HF_CNT_COOKIES_ACCEPTED, rows[i].good);
		bench_close(b);
	}
	check_context("%s", "");
}

/* 10,000 cookies of neighbouring tuples: no bit of the MAC leans to one side (within 5 sigma), no two are equal beyond chance,
 * and a neighbour's cookie tells nothing of one's own. */
static void unpredictable(void)
{
	struct bench *b = open_mode(ENGINE_DEFAULT, ALWAYS, 50);
	unsigned ones[26] = { 0 }, flips[26] = { 0 };
	const unsigned many = 10000;
	uint32_t last = 0;

	for (unsigned i = 0; i < many; i++) {
		struct segment syn = {
			.sport = (uint16_t)(1024 + i), .dport = OUR_PORT, .seq = 0, .flags = HF_SYN, .opts = "mss=88"
		};
		const struct item *reply;
		uint32_t iss;

		bench_segment(b, &syn);
		reply = bench_tx(b);
		if (!CHECK(reply != NULL, "no answer"))
			break;
		iss = get32(reply->bytes + 38);
		for (unsigned bit = 0; bit < 26; bit++) {
			ones[bit] += iss >> bit & 1;
			flips[bit] += (iss ^ last) >> bit & 1;
		}
		last = iss;
	}
	for (unsigned bit = 0; bit < 26; bit++) {
		CHECK(ones[bit] > 4750 && ones[bit] < 5250, "bit %u is 1 in %u of 10000 cookies", bit, ones[bit]);
		CHECK(flips[bit] > 4750 && flips[bit] < 5250, "bit %u changes %u times", bit, flips[bit]);
	}
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(layout), CASE(mss_of_the_peer), CASE(options), CASE(ecn), CASE(established_by_ack), CASE(only_the_cookie),
		CASE(every_bit_counts), CASE(an_epoch_ends),
		CASE(none_sent_none_taken), CASE(random_acks), CASE(no_retransmission), CASE(no_amplification), CASE(watermark),
		CASE(full_means_cookie), CASE(bounded_in_all), CASE(no_entry), CASE(replay), CASE(key_rotation),
		CASE(host_gone_or_full), CASE(flags_of_the_ack), CASE(unpredictable), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "syn_cookie", cases);
}
