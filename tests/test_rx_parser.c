/* SPDX-License-Identifier: Apache-2.0
 * test_rx_parser.c - what becomes of a frame, by its headers alone: malformed and odd options, every header length,
 * truncation at every octet, addresses, fragments, what is not TCP. After each hostile frame the next SYN is served. */
#include "support_bench.h"
#include "support_vectors.h"

enum class { HOST = -1, SEG = -2 }; /* else the counter of the drop */

/* The class of a frame as the table in docs/architecture.md has it, from the octets alone. */
static int classify(const uint8_t *f, size_t len, size_t max_frame, uint32_t ctrl)
{
	const uint8_t *ip = f + 14, *tcp;
	unsigned ihl, total, tcp_len, offset;
	uint32_t src, dst;

	if (len > max_frame)
		return HF_CNT_DROP_TOO_LONG;
	if (len < 14)
		return HF_CNT_DROP_RUNT;
	if (get16(f + 12) != 0x0800)
		return HOST;
	if (len < 34)
		return HF_CNT_DROP_IP_MALFORMED;
	ihl = ip[0] % 16 * 4u;
	total = get16(ip + 2);
	if (ip[0] / 16 != 4 || ihl < 20 || ihl > total || 14 + total > len)
		return HF_CNT_DROP_IP_MALFORMED;
	if (ref_sum(ip, ihl) != 0xffff)
		return HF_CNT_DROP_IP_CHECKSUM;
	if (ip[9] != 6)
		return HOST;
	offset = get16(ip + 6) & 0x1fff;
	if (offset || ip[6] & 0x20)
		return offset == 1 || (offset == 0 && total - ihl < 20) ? HF_CNT_DROP_FRAGMENT : HOST;
	tcp = ip + ihl;
	tcp_len = total - ihl;
	if (tcp_len < 20 || tcp[12] / 16 < 5 || tcp[12] / 16 * 4u > tcp_len)
		return HF_CNT_DROP_TCP_MALFORMED;
	if (ref_tcp_checksum(ip) != get16(tcp + 16) && (ref_tcp_checksum(ip) || get16(tcp + 16) != 0xffff))
		return HF_CNT_DROP_TCP_CHECKSUM;
	if (!(ctrl & CTRL_ENABLE))
		return HOST;
	src = get32(ip + 12);
	dst = get32(ip + 16);
	if (!src || src >> 28 == 14 || !~src || !dst || dst >> 28 == 14 || !~dst ||
		((src >> 24 == 127 || dst >> 24 == 127) && !(ctrl & CTRL_ALLOW_LOOPBACK)) ||
		(src == dst && get16(tcp) == get16(tcp + 2)))
		return HF_CNT_DROP_MARTIAN;
	return get48(f) == OUR_MAC ? SEG : HF_CNT_DROP_L2_DEST;
}

/* Give a frame whose class the table knows; segments go to a port without listener, so SEG comes up as well. */
static void give_and_expect(struct bench *b, const uint8_t *frame, size_t len, uint32_t ctrl)
{
	int want = classify(frame, len, b->params->max_frame, ctrl);

	bench_frame(b, frame, len);
	if (want == HOST)
		bench_expect_last(b, 0, HF_NO_ID);
	else if (want == SEG)
		bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	else
		bench_counted(b, (enum hf_counter)want, 1);
	bench_quiet(b);
}

/* ---- F: options ---- */

static const struct hf_tcb *synack_of(struct bench *b, const char *opts)
{
	bench_expect_segment(b, &(struct segment){ .sport = OUR_PORT,
					.dport = PEER_PORT,
					.seq = 0x20000000,
					.ack = 0x10000001,
					.flags = HF_SYN | HF_ACK,
					.wnd = 65535,
					.opts = opts });
	bench_quiet(b);
	return bench_entry(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT);
}

static void option_vectors(void)
{
	static const char base[] = "mss=1460";
	/* clang-format off */
	static const struct {
		const char *name;
		const char *opts; /* of the SYN-ACK; NULL: the frame is dropped as TCP_MALFORMED */
		unsigned mss, shift;
		bool bad, clamped;
	} rows[] = {
		{ "F01", base, 536, 0, true },
		{ "F02", base, 536, 0, true },
		{ "F03", base, 1460, 0, true },
		{ "F04", base, 1460, 0, true },
		{ "F05", "mss=1460 nop nop sack", 1460 },
		{ "F06", base, 1460 },
		{ "F07", base, 536 },
		{ "F08", base, 1460 },
		{ "F09", base, 1460 },
		{ "F10", base, 1460 },
		{ "F11", "mss=1460 nop ws=7", 1460, 14, false, true },
		{ "F12", "mss=1460 nop ws=7", 1460, 14, false, true },
		{ "F13", base, 536 }, /* the last one counts */
		{ "F14", base, 536 },
		{ "F15", base, 536 },
		{ "F16", base, 88 },
		{ "F17", base, 1460 },
		{ "F18", "mss=1460 sack ts=0:0x7a572314 nop ws=7", 1460, 7 },
		{ "F19", base, 536 },
		{ "F20", base, 536, 0, true },
		{ "F21", base, 536 },
		{ "F22", base, 1460 },
		{ "F23" }, { "F24" }, { "F25" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct vector *v = vector_find(rows[i].name);
		struct bench *b = bench_open(ENGINE_SMALL);

		check_context("%s", v->name);
		bench_iss(b, PEER_ADDR, PEER_PORT, OUR_ADDR, OUR_PORT, 0x20000000);
		bench_packet(b, v->bytes, v->len);
		if (rows[i].opts) {
			const struct hf_tcb *t = synack_of(b, rows[i].opts);

			if (CHECK(t != NULL, "no entry")) {
				CHECK_EQ(t->mss, rows[i].mss, "SendMSS");
				CHECK_EQ(t->snd_wscale, rows[i].shift, "Snd.Wind.Shift");
				CHECK_EQ(t->ws_ok, strstr(rows[i].opts, "ws=") != NULL, "WS.OK");
				CHECK_EQ(t->ts_ok, strstr(rows[i].opts, "ts=") != NULL, "Snd.TS.OK");
				CHECK_EQ(t->sack_ok, strstr(rows[i].opts, "sack") != NULL, "SACK.OK");
			}
		} else {
			bench_counted(b, HF_CNT_DROP_TCP_MALFORMED, 1);
			bench_silence(b);
		}
		bench_counted(b, HF_CNT_OPT_MALFORMED, rows[i].bad);
		bench_counted(b, HF_CNT_WS_CLAMPED, rows[i].clamped);
		bench_still_serves(b);
		check_context("%s", "");
		bench_close(b);
	}
}

/* SYN with these option octets; returns the entry it took and takes the SYN-ACK. */
static const struct hf_tcb *syn_options(struct bench *b, uint16_t port, const uint8_t *opts, size_t len)
{
	char hex[2 + 80 + 1] = "x=";
	struct segment s = { .sport = port, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN, .wnd = 77, .opts = hex };
	const struct hf_tcb *t;

	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 + 2 * i, 3, "%02x", opts[i]);
	bench_segment(b, &s);
	t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
	CHECK(t && bench_tx(b), "SYN not answered");
	return t;
}

/* Fields of an entry are read after it was freed: keep a copy. */
static struct hf_tcb syn_options_once(struct bench *b, const uint8_t *opts, size_t len)
{
	static uint16_t port = 1024;
	const struct hf_tcb *t = syn_options(b, ++port, opts, len);
	struct hf_tcb copy = { 0 };

	if (t) {
		copy = *t;
		bench_segment(b, &(struct segment){ .sport = port, .dport = OUR_PORT, .seq = 6, .flags = HF_RST });
		CHECK_EQ(t->state, HF_STATE_CLOSED, "state after RST");
	}
	return copy;
}

/* RFC 9293 MUST-64: options may begin at any octet; one that reaches beyond the header ends the parse. */
static void options_at_every_offset(void)
{
	/* clang-format off */
	static const struct {
		const char *hex;
		unsigned kind;
	} options[] = { { "02040300", 2 }, { "030305", 3 }, { "0402", 4 }, { "080a11223344aabbccdd", 8 },
			{ "fd06aabbccdd", 253 } };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t o = 0; o < COUNT(options); o++)
		for (unsigned at = 0; at < 40; at++) {
			uint8_t opts[40], one[40];
			size_t len = from_hex(options[o].hex, one, sizeof(one));
			bool whole = at + len <= 40;
			struct hf_tcb t;

			check_context("kind %u at octet %u", options[o].kind, at);
			memset(opts, 1, sizeof(opts));
			memcpy(opts + at, one, whole ? len : 40 - at);
			t = syn_options_once(b, opts, sizeof(opts));
			CHECK_EQ(t.mss, whole && options[o].kind == 2 ? 0x300 : 536, "SendMSS");
			CHECK_EQ(t.ws_ok, whole && options[o].kind == 3, "WS.OK");
			CHECK_EQ(t.snd_wscale, whole && options[o].kind == 3 ? 5 : 0, "Snd.Wind.Shift");
			CHECK_EQ(t.sack_ok, whole && options[o].kind == 4, "SACK.OK");
			CHECK_EQ(t.ts_ok, whole && options[o].kind == 8, "Snd.TS.OK");
			CHECK_EQ(t.ts_recent, whole && options[o].kind == 8 ? 0x11223344 : 0, "TS.Recent");
			bench_counted(b, HF_CNT_OPT_MALFORMED, !whole);
		}
	check_context("%s", "");
	bench_close(b);
}

/* Every length octet, of known and unknown kinds, in every header size: what is behind is read only if it is right. */
static void every_option_length(void)
{
	static const unsigned kinds[] = { 2, 3, 4, 5, 8, 19, 34, 254, 255 };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t k = 0; k < COUNT(kinds); k++)
		for (unsigned length = 0; length < 48; length++) {
			uint8_t opts[40] = { (uint8_t)kinds[k], (uint8_t)length };
			unsigned size = 4 + 4 * ((length + (unsigned)k) % 10), kind = kinds[k];
			bool bad = length < 2 || length > size, room = length + 4 <= size;
			struct hf_tcb t;

			if (length >= 2 && length < 40)
				memset(opts + 2, 6, length - 2);
			if (!bad && room)
				memcpy(opts + length, "\x02\x04\x02\x30", 4);
			check_context("kind %u length %u in %u octets", kind, length, size);
			t = syn_options_once(b, opts, size);
			CHECK_EQ(t.mss, bad ? 536 : room ? 0x230 : kind == 2 && length == 4 ? 0x606 : 536, "SendMSS");
			CHECK_EQ(t.ws_ok, kind == 3 && length == 3 && !bad, "WS.OK");
			CHECK_EQ(t.sack_ok, kind == 4 && length == 2 && !bad, "SACK.OK");
			CHECK_EQ(t.ts_ok, kind == 8 && length == 10 && !bad, "Snd.TS.OK");
			bench_counted(b, HF_CNT_OPT_MALFORMED, bad);
		}
	for (unsigned shift = 0; shift < 256; shift++) {
		uint8_t opts[4] = { 3, 3, (uint8_t)shift, 0 };
		struct hf_tcb t = syn_options_once(b, opts, sizeof(opts));

		check_context("shift %u", shift);
		CHECK_EQ(t.snd_wscale, shift > 14 ? 14 : shift, "Snd.Wind.Shift");
		bench_counted(b, HF_CNT_WS_CLAMPED, shift > 14);
	}
	check_context("%s", "");
	bench_close(b);
}

/* The last option of a kind counts, its clamp too. */
static void repeated_options(void)
{
	static const uint8_t shifts[] = { 3, 3, 200, 3, 3, 9, 0, 0 }, shifts_back[] = { 3, 3, 9, 3, 3, 200, 0, 0 };
	static const uint8_t stamps[] = { 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4 };
	static const uint8_t after_eol[] = { 2, 4, 2, 0, 0, 3, 3, 5, 2, 4, 3, 0 };
	struct bench *b = bench_open(ENGINE_SMALL);
	struct hf_tcb t = syn_options_once(b, shifts, sizeof(shifts));

	CHECK_EQ(t.snd_wscale, 9, "Snd.Wind.Shift");
	bench_counted(b, HF_CNT_WS_CLAMPED, 0);
	t = syn_options_once(b, shifts_back, sizeof(shifts_back));
	CHECK_EQ(t.snd_wscale, 14, "Snd.Wind.Shift");
	bench_counted(b, HF_CNT_WS_CLAMPED, 1);
	t = syn_options_once(b, stamps, sizeof(stamps));
	CHECK_EQ(t.ts_recent, 3, "TS.Recent");
	for (unsigned gap = 0; gap <= 32; gap++) {
		uint8_t opts[40];

		check_context("%u octets apart", gap);
		memset(opts, 1, sizeof(opts));
		memcpy(opts, "\x02\x04\x02\x00", 4);
		memcpy(opts + 4 + gap, "\x02\x04\x03\x00", 4);
		t = syn_options_once(b, opts, sizeof(opts));
		CHECK_EQ(t.mss, 0x300, "SendMSS");
		memset(opts, 1, sizeof(opts));
		memcpy(opts, "\x03\x03\xc8", 3);
		memcpy(opts + 3 + gap, "\x03\x03\x05", 3);
		t = syn_options_once(b, opts, sizeof(opts));
		CHECK_EQ(t.snd_wscale, 5, "Snd.Wind.Shift");
		bench_counted(b, HF_CNT_WS_CLAMPED, 0);
		memset(opts, 1, sizeof(opts));
		memcpy(opts, "\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x02", 10);
		memcpy(opts + 10 + gap % 21, "\x08\x0a\x00\x00\x00\x03\x00\x00\x00\x04", 10);
		t = syn_options_once(b, opts, sizeof(opts));
		CHECK_EQ(t.ts_recent, 3, "TS.Recent");
	}
	check_context("%s", "");
	t = syn_options_once(b, after_eol, sizeof(after_eol));
	CHECK_EQ(t.mss, 0x200, "SendMSS");
	CHECK_EQ(t.ws_ok, 0, "WS.OK");
	bench_counted(b, HF_CNT_OPT_MALFORMED, 0);
	bench_close(b);
}

/* Options are accepted in any segment (MUST-4): unknown kinds on the completing ACK and on a RST. */
static void options_on_other_segments(void)
{
	static const struct row rows[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED", "x=fd06aabbccdd0000" },
		{ '>', "S.", 0, 1 },
		{ '<', ".",  1, 1, "ESTABLISHED", "x=fd06aabbccdd0101 mss=100 ws=3" },
		{ 'e' },
		{ 0 }
	}, rst[] = {
		{ '<', "S",  0, 0, "SYN-RECEIVED" },
		{ '>', "S.", 0, 1 },
		{ '<', "R",  1, 0, "LISTEN", "x=fd28" }, /* malformed even */
		{ 0 }
	};
	/* clang-format on */

	script_run_rows(__func__, rows);
	script_run_rows("options on a RST", rst);
}

/* Random option octets: parsed as a plain reading of RFC 9293 3.1 says, in 40 octets or fewer, and the engine lives. */
static void random_options(void)
{
	static const uint8_t likely[] = { 0, 1, 2, 3, 4, 8, 10, 2, 3, 4, 8, 253 };
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 9293;

	for (unsigned n = 0; n < 400; n++) {
		uint8_t opts[40];
		unsigned size = 4 * random_below(&random, 11), mss = 536, shift = 0;
		bool bad = false, ws = false, ts = false, sack = false, clamped = false;
		struct hf_tcb t;

		for (unsigned i = 0; i < size; i++)
			opts[i] = random_below(&random, 8) ? likely[random_below(&random, COUNT(likely))]
							   : (uint8_t)random_next(&random);
		for (unsigned i = 0; i < size && opts[i] != 0;) {
			unsigned kind = opts[i], length;

			if (kind == 1) {
				i++;
				continue;
			}
			length = i + 1 < size ? opts[i + 1] : 0;
			bad = length < 2 || i + length > size;
			if (bad)
				break;
			if (kind == 2 && length == 4)
				mss = get16(opts + i + 2);
			ws |= kind == 3 && length == 3;
			sack |= kind == 4 && length == 2;
			ts |= kind == 8 && length == 10;
			if (kind == 3 && length == 3) {
				shift = opts[i + 2] > 14 ? 14 : opts[i + 2];
				clamped = opts[i + 2] > 14;
			}
			i += length;
		}
		check_context("random options %u", n);
		t = syn_options_once(b, opts, size);
		CHECK_EQ(t.mss, mss > 1460 ? 1460 : mss < 88 ? 88 : mss, "SendMSS");
		CHECK_EQ(t.ws_ok, ws, "WS.OK");
		CHECK_EQ(t.snd_wscale, shift, "Snd.Wind.Shift");
		CHECK_EQ(t.ts_ok, ts, "Snd.TS.OK");
		CHECK_EQ(t.sack_ok, sack, "SACK.OK");
		bench_counted(b, HF_CNT_OPT_MALFORMED, bad);
		bench_counted(b, HF_CNT_WS_CLAMPED, clamped);
		bench_quiet(b);
	}
	check_context("%s", "");
	bench_close(b);
}

/* Worst-case headers back to back do not cost a neighbour its answer. */
static void hostile_options_at_full_rate(void)
{
	static const char *const names[] = { "F14", "F19", "F20", "F05" };
	struct bench *b = bench_open(ENGINE_DEFAULT);
	unsigned good = 0;

	for (unsigned i = 0; i < 400; i++) {
		const struct vector *v = vector_find(names[i % COUNT(names)]);
		struct segment s = { .sport = (uint16_t)(10000 + i), .dport = OUR_PORT, .seq = 5, .flags = HF_SYN };
		uint8_t ip[256], frame[256];
		size_t len = v->len;

		memcpy(ip, v->bytes, v->len);
		ip[33] &= (uint8_t)~HF_SYN; /* no SYN: dropped, the table stays free for the good ones */
		fix_packet(ip);
		if (i % 20 == 19) {
			len = make_packet(ip, &s);
			good++;
		}
		sim_rx(b->sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, len), false);
	}
	bench_settle(b);
	CHECK_EQ(b->tx.count, good, "SYN-ACKs");
	b->tx.next = b->tx.count;
	bench_counted(b, HF_CNT_DROP_OVERRUN, 0);
	bench_close(b);
}

/* ---- header lengths and truncation ---- */

static void every_ihl(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned words = 0; words <= 10; words++)
		for (unsigned ports = 0; ports < 4; ports++) {
			char ip_opts[81] = "";
			struct segment s = { .sport = (uint16_t)(1000 + words * 4 + ports),
				.dport = OUR_PORT,
				.seq = 5,
				.flags = HF_SYN,
				.wnd = 9,
				.opts = "mss=1111 ts=5:0 ws=3",
				.ip_opts = ip_opts };
			const struct hf_tcb *t;

			for (unsigned i = 0; i < words * 4; i++)
				strcat(ip_opts, ports == 3 ? "00" : ports == 2 ? "83" : "01");
			check_context("IHL %u", 5 + words);
			bench_segment(b, &s);
			t = bench_entry(b, PEER_ADDR, s.sport, OUR_ADDR, OUR_PORT);
			if (!CHECK(t != NULL, "no entry"))
				continue;
			CHECK_EQ(t->mss, 1111, "SendMSS");
			CHECK_EQ(t->irs, 5, "IRS");
			bench_expect_segment(b,
				&(struct segment){ .sport = OUR_PORT,
					.dport = s.sport,
					.seq = (uint32_t)t->iss,
					.ack = 6,
					.flags = HF_SYN | HF_ACK,
					.wnd = 65535,
					.opts = "mss=1460 nop nop ts=0:5 nop ws=7" }); /* IP options are not echoed */
			bench_command(b, HF_COMMAND_ABORT, bench_id(b, t));
			bench_tx(b);
		}
	check_context("%s", "");
	bench_close(b);
}

/* A frame cut at every octet; with its total length left alone, and with it corrected to what is there. */
static void truncated_at_every_octet(void)
{
	struct segment s = { .sport = PEER_PORT,
		.dport = 9999,
		.seq = 5,
		.ack = 6,
		.flags = HF_ACK,
		.wnd = 9,
		.opts = "mss=1460 sack ts=1:2 nop ws=7",
		.text = "text",
		.text_len = 4,
		.ip_opts = "0101010101010101" };
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
	struct bench *b = bench_open(ENGINE_SMALL);
	size_t ip_len = make_packet(ip, &s), len = make_frame(frame, OUR_MAC, PEER_MAC, ip, ip_len);

	for (size_t n = 1; n <= len; n++) {
		check_context("cut to %zu octets", n);
		give_and_expect(b, frame, n, CTRL_ENABLE);
	}
	for (size_t n = 20; n < ip_len; n++) {
		uint8_t cut[PACKET_MAX];

		memcpy(cut, ip, ip_len);
		put16(cut + 2, (uint32_t)n);
		put16(cut + 10, ref_ip_checksum(cut));
		if (n >= 28 + 20) /* the sum over what is left is right, so the length alone decides */
			put16(cut + 28 + 16, ref_tcp_checksum(cut));
		check_context("total length %zu", n);
		give_and_expect(b, frame, make_frame(frame, OUR_MAC, PEER_MAC, cut, n), CTRL_ENABLE);
	}
	check_context("%s", "");
	bench_still_serves(b);
	bench_close(b);
}

static void ip_header_malformed(void)
{
	/* clang-format off */
	static const struct {
		const char *what;
		unsigned at, value; /* 16 bits */
		enum hf_counter cause;
	} rows[] = {
		{ "version 5", 0, 0x5500, HF_CNT_DROP_IP_MALFORMED },
		{ "version 6", 0, 0x6500, HF_CNT_DROP_IP_MALFORMED },
		{ "version 0", 0, 0x0500, HF_CNT_DROP_IP_MALFORMED },
		{ "IHL 4", 0, 0x4400, HF_CNT_DROP_IP_MALFORMED },
		{ "IHL 0", 0, 0x4000, HF_CNT_DROP_IP_MALFORMED },
		{ "IHL beyond total length", 0, 0x4f00, HF_CNT_DROP_IP_MALFORMED },
		{ "total length 1500 in a frame of 60", 2, 1500, HF_CNT_DROP_IP_MALFORMED },
		{ "total length one beyond the frame", 2, 47, HF_CNT_DROP_IP_MALFORMED },
		{ "total length 65535", 2, 65535, HF_CNT_DROP_IP_MALFORMED },
		{ "total length 19", 2, 19, HF_CNT_DROP_IP_MALFORMED },
		{ "total length 0", 2, 0, HF_CNT_DROP_IP_MALFORMED },
		{ "total length 20: no TCP", 2, 20, HF_CNT_DROP_TCP_MALFORMED },
		{ "TCP of 19 octets", 2, 39, HF_CNT_DROP_TCP_MALFORMED },
	};
	/* clang-format on */
	struct segment s = { .sport = PEER_PORT, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t ip[PACKET_MAX], frame[PACKET_MAX + 14];
		size_t len = make_packet(ip, &s);

		check_context("%s", rows[i].what);
		put16(ip + rows[i].at, rows[i].value);
		if ((ip[0] & 15) >= 5 && (ip[0] & 15) * 4u <= len)
			put16(ip + 10, ref_ip_checksum(ip));
		len = make_frame(frame, OUR_MAC, PEER_MAC, ip, len);
		put16(frame + 12, 0x0800); /* whatever the version says */
		bench_frame(b, frame, len);
		bench_counted(b, rows[i].cause, 1);
		bench_still_serves(b);
	}
	check_context("%s", "");
	bench_close(b);
}

static void data_offset_malformed(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned words = 0; words < 16; words++) {
		struct segment s = { .sport = (uint16_t)(100 + words),
			.dport = OUR_PORT,
			.seq = 5,
			.flags = HF_SYN,
			.opts = "nop nop nop nop nop nop nop nop" };
		uint8_t ip[PACKET_MAX];
		size_t len = make_packet(ip, &s);

		check_context("data offset %u of 7", words);
		ip[32] = (uint8_t)(words << 4);
		fix_packet(ip);
		bench_packet(b, ip, len);
		if (words < 5 || words > 7) {
			bench_counted(b, HF_CNT_DROP_TCP_MALFORMED, 1);
			bench_quiet(b);
			continue;
		}
		CHECK(bench_tx(b) != NULL, "no SYN-ACK");
		bench_command(b, HF_COMMAND_ABORT, bench_id(b, bench_entry(b, PEER_ADDR, s.sport, OUR_ADDR, OUR_PORT)));
		bench_tx(b);
	}
	check_context("%s", "");
	bench_close(b);
}

static void frame_lengths_at(enum engine_size size)
{
	struct bench *b = bench_open(size);
	unsigned max = b->params->max_frame;
	uint8_t frame[PACKET_MAX] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 };

	for (unsigned i = 14; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	for (unsigned len = 1; len <= 33; len++) {
		check_context("%u octets", len);
		give_and_expect(b, frame, len, CTRL_ENABLE);
	}
	for (unsigned len = max - 9; len <= max + 9; len++) {
		check_context("%u octets", len);
		give_and_expect(b, frame, len, CTRL_ENABLE);
	}
	for (unsigned len = 2000; len <= 16000; len += 7000) {
		static uint8_t huge[SIM_FRAME_MAX];

		check_context("%u octets", len);
		give_and_expect(b, huge, len, CTRL_ENABLE);
	}
	check_context("%s", "");
	bench_still_serves(b);
	bench_close(b);
}

static void frame_lengths(void)
{
	frame_lengths_at(ENGINE_SMALL);
	frame_lengths_at(ENGINE_DEFAULT);
}

/* The contract's FCS mark: counted first, whatever else is wrong, and nothing is answered. */
static void bad_fcs(void)
{
	struct segment s = { .sport = PEER_PORT, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN };
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
	struct bench *b = bench_open(ENGINE_SMALL);
	size_t len = make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s));

	sim_rx(b->sim, frame, len, true);
	sim_rx(b->sim, frame, 9, true);
	sim_rx(b->sim, frame, 1400, true);
	frame[13] = 6;
	sim_rx(b->sim, frame, len, true);
	bench_settle(b);
	bench_counted(b, HF_CNT_DROP_BAD_FCS, 4);
	bench_counted(b, HF_CNT_RX_FRAMES, 4);
	bench_silence(b);
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_still_serves(b);
	bench_close(b);
}

/* ---- K: addresses ---- */

static void refused_addresses(void)
{
	/* clang-format off */
	static const struct {
		const char *name;
		int want; /* as classify() */
	} rows[] = {
		{ "K01", HF_CNT_DROP_MARTIAN }, { "K02", HF_CNT_DROP_MARTIAN }, { "K03", HF_CNT_DROP_MARTIAN },
		{ "K04", HF_CNT_DROP_MARTIAN }, { "K05", HF_CNT_DROP_MARTIAN }, { "K06", HF_CNT_DROP_MARTIAN },
		{ "K07", HF_CNT_DROP_MARTIAN }, { "K10", HF_CNT_DROP_L2_DEST }, { "K11", HOST },
		{ "K12", HF_CNT_DROP_FRAGMENT },
	};
	/* clang-format on */
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct vector *v = vector_find(rows[i].name);

		check_context("%s", v->name);
		if (!strcmp(rows[i].name, "K10")) /* a whole Ethernet frame */
			bench_frame(b, v->bytes, v->len);
		else
			bench_packet(b, v->bytes, v->len);
		if (rows[i].want == HOST)
			bench_expect_last(b, 0, HF_NO_ID);
		else
			bench_counted(b, (enum hf_counter)rows[i].want, 1);
		bench_silence(b);
		CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
		bench_still_serves(b);
	}
	for (unsigned i = 8; i <= 9; i++) { /* IPv6 */
		uint8_t frame[PACKET_MAX];
		const struct vector *v = vector_find(i == 8 ? "K08" : "K09");
		size_t len = make_frame(frame, OUR_MAC, PEER_MAC, v->bytes, v->len);

		check_context("%s", v->name);
		put16(frame + 12, 0x86dd);
		bench_frame(b, frame, len);
		bench_counted(b, HF_CNT_DROP_MARTIAN, 1);
		bench_quiet(b);
	}
	check_context("%s", "");
	bench_close(b);
}

/* Every IPv4 range of row 13 at its edges, with and without the loopback switch, and the switched-off engine. */
static void address_ranges(void)
{
	/* clang-format off */
	static const uint32_t addrs[] = {
		0x00000000, 0x00000001, 0x7effffff, 0x7f000000, 0x7f000001, 0x7fffffff, 0x80000000, 0xdfffffff,
		0xe0000000, 0xefffffff, 0xf0000000, 0xfffffffe, 0xffffffff, 0x0a000001, PEER_ADDR, OUR_ADDR,
	};
	/* clang-format on */
	static const uint32_t ctrls[] = { CTRL_ENABLE, CTRL_ENABLE | CTRL_ALLOW_LOOPBACK, 0 };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t c = 0; c < COUNT(ctrls); c++)
		for (size_t i = 0; i < COUNT(addrs); i++)
			for (unsigned side = 0; side < 3; side++) {
				struct segment s = {
					.sport = 9999, .dport = 9999, .seq = 5, .ack = 6, .flags = HF_ACK
				};
				uint8_t ip[PACKET_MAX], frame[PACKET_MAX];

				make_packet(ip, &s);
				put32(ip + 12, side != 1 ? addrs[i] : PEER_ADDR);
				put32(ip + 16, side != 0 ? addrs[i] : OUR_ADDR);
				if (side == 2 && i % 2) /* same address, another port: no LAND */
					put16(ip + 20, 9998);
				fix_packet(ip);
				check_context("CTRL 0x%x, address 0x%08x, side %u", ctrls[c], addrs[i], side);
				bench_set(b, HF_REG_CTRL, ctrls[c]);
				give_and_expect(b, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, 40), ctrls[c]);
			}
	check_context("%s", "");
	bench_close(b);
}

/* A TCP segment must come in a frame to our MAC, all 48 bits of it; what is not TCP may come as it likes. */
static void destination_mac(void)
{
	struct segment s = { .sport = 9999, .dport = 9998, .seq = 5, .ack = 6, .flags = HF_ACK };
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
	struct bench *b = bench_open(ENGINE_SMALL);
	size_t len = make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s));

	for (unsigned bit = 0; bit < 48; bit++) {
		check_context("MAC bit %u", bit);
		put48(frame, OUR_MAC ^ 1ull << bit);
		give_and_expect(b, frame, len, CTRL_ENABLE);
	}
	check_context("%s", "");
	put48(frame, 0xffffffffffff);
	put16(frame + 12, 0x0806);
	give_and_expect(b, frame, len, CTRL_ENABLE);
	bench_set(b, HF_REG_MAC_LO, 0x44332211);
	bench_set(b, HF_REG_MAC_HI, 0x6655);
	put16(frame + 12, 0x0800);
	put48(frame, 0x112233445566);
	bench_frame(b, frame, len);
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_close(b);
}

/* ---- fragments, other protocols ---- */

/* RFC 1858, RFC 3128: offset 1, and a first fragment without a whole TCP header. */
static void fragments(void)
{
	static const unsigned fields[] = { 0x0000, 0x2000, 0x2001, 0x0001, 0x0002, 0x2002, 0x1fff, 0x0100, 0x4000,
		0x6000, 0x8000, 0xa000, 0x4001 };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(fields); i++)
		for (unsigned payload = 0; payload <= 28; payload += 4)
			for (unsigned proto = 6; proto <= 17; proto += 11) {
				struct segment s = { .sport = 9999,
					.dport = 9998,
					.seq = 5,
					.ack = 6,
					.flags = HF_ACK,
					.text = "12345678",
					.text_len = 8 };
				uint8_t ip[PACKET_MAX], frame[PACKET_MAX];

				make_packet(ip, &s);
				put16(ip + 2, 20 + payload);
				put16(ip + 6, fields[i]);
				ip[9] = (uint8_t)proto;
				put16(ip + 10, ref_ip_checksum(ip));
				put16(ip + 36, payload < 20 ? 0 : ref_tcp_checksum(ip));
				check_context(
					"fragment field 0x%04x, %u octets, protocol %u", fields[i], payload, proto);
				give_and_expect(
					b, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, 20 + payload), CTRL_ENABLE);
			}
	check_context("%s", "");
	bench_still_serves(b);
	bench_close(b);
}

/* ARP, VLAN without IP in it, LLDP, 802.3 length, anything: octet for octet to the host. */
static void not_ip_goes_to_host(void)
{
	static const unsigned types[] = { 0x0806, 0x8100, 0x88a8, 0x88cc, 0x0026, 0x0801, 0x0008, 0x0000, 0xffff };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(types); i++) {
		uint8_t frame[300];

		for (size_t k = 0; k < sizeof(frame); k++)
			frame[k] = (uint8_t)(k * 3 + i);
		put16(frame + 12, types[i]);
		for (size_t len = 60 + i; len < sizeof(frame); len += 71) {
			check_context("EtherType 0x%04x, %zu octets", types[i], len);
			give_and_expect(b, frame, len, CTRL_ENABLE);
		}
	}
	check_context("%s", "");
	bench_packet_hex(b, vector_find("I01")->hex); /* an ICMP error about no connection */
	bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
	bench_frame(b, vector_find("J01")->bytes, vector_find("J01")->len); /* ARP */
	bench_expect_last(b, 0, HF_NO_ID);
	bench_close(b);
}

/* A frame that ends inside its last tag has the type before it: no half of a type behind the end makes it IP. */
static void cut_inside_a_tag(void)
{
	uint8_t frame[22] = { 0 };
	struct bench *b = bench_open(ENGINE_SMALL);

	put48(frame, OUR_MAC);
	put48(frame + 6, PEER_MAC);
	for (unsigned tags = 1; tags <= 2; tags++) {
		put16(frame + 12, tags == 2 ? 0x88a8 : 0x8100);
		put16(frame + 16, 0x8100);
		put16(frame + 12 + 4 * tags, 0x0800);
		for (size_t len = 10 + 4 * tags; len < 14 + 4 * tags; len++) {
			check_context("%u tags, %zu octets", tags, len);
			bench_frame(b, frame, len);
			bench_expect_last(b, 0, HF_NO_ID);
			bench_quiet(b);
		}
	}
	check_context("%s", "");
	bench_close(b);
}

/* Tags that are no 802.1Q pair (a service tag inside, a third tag): the frame is the host's, whatever SYN it carries. */
static void strange_tags_go_to_host(void)
{
	static const uint16_t tags[][3] = { { 0x8100, 0x88a8 }, { 0x88a8, 0x88a8 }, { 0x8100, 0x8100, 0x8100 },
		{ 0x88a8, 0x8100, 0x88a8 } };
	struct segment s = { .sport = PEER_PORT, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(tags); i++) {
		uint8_t ip[PACKET_MAX], plain[PACKET_MAX + 14], frame[PACKET_MAX + 26];
		size_t len = make_frame(plain, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), at = 12;

		check_context("tags %04x %04x %04x", tags[i][0], tags[i][1], tags[i][2]);
		memcpy(frame, plain, 12);
		for (unsigned t = 0; t < 3 && tags[i][t]; t++, at += 4) {
			put16(frame + at, tags[i][t]);
			put16(frame + at + 2, (uint16_t)(100 + t));
		}
		memcpy(frame + at, plain + 12, len - 12);
		bench_frame(b, frame, len - 12 + at);
		bench_expect_last(b, 0, HF_NO_ID);
		bench_silence(b);
	}
	check_context("%s", "");
	bench_close(b);
}

/* J: ARP and neighbour discovery are the host's kernel's, good or bad, octet for octet. */
static void neighbour_resolution_goes_to_host(void)
{
	static const char *const names[] = { "J01", "J02", "J03", "J04", "J05" };
	struct bench *b = bench_open(ENGINE_SMALL);

	for (size_t i = 0; i < COUNT(names); i++) {
		check_context("%s", names[i]);
		bench_frame(b, vector_find(names[i])->bytes, vector_find(names[i])->len);
		bench_expect_last(b, 0, HF_NO_ID);
		bench_silence(b);
	}
	check_context("%s", "");
	bench_close(b);
}

static void every_protocol(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	for (unsigned proto = 0; proto < 256; proto++) {
		struct segment s = { .sport = 9999, .dport = 9998, .seq = 5, .ack = 6, .flags = HF_ACK };
		uint8_t ip[PACKET_MAX], frame[PACKET_MAX];

		make_packet(ip, &s);
		ip[9] = (uint8_t)proto;
		put16(ip + 10, ref_ip_checksum(ip));
		check_context("protocol %u", proto);
		give_and_expect(b, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, 40), CTRL_ENABLE);
	}
	check_context("%s", "");
	bench_close(b);
}

/* CTRL.ENABLE = 0: every intact frame is the host's, broken ones are still dropped. */
static void engine_off(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);

	bench_set(b, HF_REG_CTRL, 0);
	bench_packet(b, vector_find("G14")->bytes, vector_find("G14")->len);
	bench_expect_last(b, 0, HF_NO_ID);
	bench_packet(b, vector_find("K01")->bytes, vector_find("K01")->len);
	bench_expect_last(b, 0, HF_NO_ID);
	bench_packet(b, vector_find("C11")->bytes, vector_find("C11")->len);
	bench_counted(b, HF_CNT_DROP_TCP_CHECKSUM, 1);
	bench_set(b, HF_REG_CTRL, CTRL_ENABLE);
	bench_still_serves(b);
	bench_close(b);
}

static void not_ready(void)
{
	struct bench *b = bench_open_raw(ENGINE_DEFAULT);
	const struct vector *v = vector_find("J01");

	for (unsigned i = 0; i < 3; i++)
		sim_rx(b->sim, v->bytes, v->len, i == 1);
	sim_run(b->sim, 100);
	CHECK_EQ(b->sim->out.ready, 0, "ready");
	bench_counted(b, HF_CNT_DROP_NOT_READY, 3);
	bench_counted(b, HF_CNT_RX_FRAMES, 3);
	/* a frame across the edge belongs to its first beat */
	while (b->sim->cycle < 1500 && !b->sim->out.ready) {
		if (!sim_rx_pending(b->sim))
			sim_rx(b->sim, v->bytes, v->len, false);
		sim_step(b->sim);
	}
	while (sim_rx_pending(b->sim))
		sim_step(b->sim);
	bench_settle(b);
	bench_c2h(b); /* HELLO */
	bench_counted(b, HF_CNT_DROP_BAD_FCS, 0);
	CHECK_EQ(bench_counter(b, HF_CNT_RX_FRAMES),
		bench_counter(b, HF_CNT_DROP_NOT_READY) + bench_counter(b, HF_CNT_RX_HOST),
		"frames before and after `ready`");
	b->c2h.next = b->c2h.count;
	bench_frame(b, v->bytes, v->len);
	bench_expect_last(b, 0, HF_NO_ID);
	bench_close(b);
}

/* Intact segments with one or two octets changed and sums corrected or not: always the class the table says. */
static void edited_headers(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint64_t random = 791;

	bench_listen(b, 0, 0, OUR_PORT, 1000, 7, LISTEN_OFF);
	for (unsigned n = 0; n < 1500; n++) {
		uint8_t text[64], ip[PACKET_MAX], frame[PACKET_MAX];
		struct segment s = { .sport = 9999,
			.dport = 9998,
			.seq = 5,
			.ack = 6,
			.flags = (uint16_t)random_below(&random, 512),
			.text = text,
			.text_len = random_below(&random, 64),
			.opts = n % 3 ? NULL : "mss=5 nop nop" };
		size_t len, total;

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (uint8_t)random_next(&random);
		s.ip_opts = n % 5 ? NULL : "0101010101010101";
		len = make_packet(ip, &s);
		for (unsigned i = random_below(&random, 3); i; i--)
			ip[random_below(&random, (uint32_t)len)] ^= (uint8_t)(1 << random_below(&random, 8));
		total = get16(ip + 2);
		if (n % 4 && ip[0] % 16 >= 5 && ip[0] % 16 * 4u <= len)
			put16(ip + 10, ref_ip_checksum(ip));
		if (n % 8 > 1 && total <= len && ip[0] % 16 >= 5 && ip[0] % 16 * 4u + 20 <= total)
			put16(ip + ip[0] % 16 * 4 + 16, ref_tcp_checksum(ip));
		len = make_frame(frame, OUR_MAC, PEER_MAC, ip, len);
		if (n % 16 == 9)
			frame[random_below(&random, 14)] ^= (uint8_t)(1 << random_below(&random, 8));
		check_context("edit %u", n);
		b->sim->noise = (struct sim_noise){ .rx_bubble = n % 2 ? 80 : 0, .garbage = true };
		give_and_expect(b, frame, len, CTRL_ENABLE);
	}
	check_context("%s", "");
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(option_vectors), CASE(options_at_every_offset), CASE(every_option_length), CASE(repeated_options),
		CASE(options_on_other_segments), CASE(random_options), CASE(hostile_options_at_full_rate),
		CASE(every_ihl), CASE(truncated_at_every_octet), CASE(ip_header_malformed), CASE(data_offset_malformed),
		CASE(frame_lengths), CASE(bad_fcs), CASE(refused_addresses), CASE(address_ranges),
		CASE(destination_mac),
		CASE(fragments), CASE(not_ip_goes_to_host), CASE(cut_inside_a_tag), CASE(strange_tags_go_to_host), CASE(neighbour_resolution_goes_to_host), CASE(every_protocol), CASE(engine_off), CASE(not_ready),
		CASE(edited_headers), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "rx_parser", cases);
}
