/* SPDX-License-Identifier: Apache-2.0
 * test_kernel.c - the rows of requirements.md that the host's kernel answers, seen at the board's wire: each frame goes
 * through the engine, the library and the TAP netdev to Linux and back (support_kernel.h). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support_kernel.h"
#include "support_vectors.h"

enum { CLOSED_PORT = 81, KERNEL_PORT = 8080, FLOOD = 300, BURST = 16 };
#define SECOND_ADDR 0xc0000203u
#define STRANGER    0xc0000204u
#define NOBODY	    0xc0000263u
#define OTHER_MAC   0x0200000000aaull
#define GATEWAY	    0xc00002feu
#define GATEWAY_MAC 0x0200000000feull
#define OUTSIDE	    0xcb007105u /* 203.0.113.5 */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The case's kernel, or the case ends: it was skipped, or a check failed. */
#define KERNEL(k, open)            \
	struct kernel *k = open(); \
	if (!k)                    \
		return;

/* Packets of vectors.txt ("J..": whole frames) and the answer, or none, octet for octet. */
static void give_vector(struct kernel *k, const char *name)
{
	const struct vector *v = vector_find(name);
	bool whole = name[0] == 'J';

	check_context("%s", name);
	if (whole)
		kernel_give(k, v->bytes, v->len);
	else
		kernel_packet(k, v->bytes, v->len);
	if (v->after_len && whole) {
		uint8_t want[256] = { 0 };

		memcpy(want, v->after, v->after_len);
		if (kernel_next(k))
			CHECK_BYTES("frame", k->frame, k->len, want, v->after_len < 60 ? 60 : v->after_len);
	} else if (v->after_len) {
		kernel_expect(k, v->after, v->after_len);
	}
	kernel_quiet(k);
	check_context("%s", "");
}

/* The next frame is a segment with these numbers, a RST. */
static void expect_rst(struct kernel *k, unsigned flags, uint32_t seq, uint32_t ack)
{
	struct packet p;

	if (!kernel_next_tcp(k, &p))
		return;
	CHECK_EQ(p.flags, flags, "flags");
	CHECK_EQ(p.seq, seq, "SEQ");
	CHECK_EQ(p.ack, ack, "ACK");
}

/* ---- closed ports, RFC 9293 3.10.7.1 ---- */

static void closed_port(void)
{
	static const char *const names[] = { "G01", "G02", "G03", "G04", "G05", "G06", "G07", "G08", "G09", "G10" };
	KERNEL(k, kernel_open)

	for (size_t i = 0; i < COUNT(names); i++)
		give_vector(k, names[i]);
	for (unsigned i = 0; i < FLOOD; i++) {
		struct segment syn = {
			.sport = (uint16_t)(20000 + i), .dport = CLOSED_PORT, .seq = i, .flags = HF_SYN
		};

		kernel_segment(k, &syn);
		expect_rst(k, HF_RST | HF_ACK, 0, i + 1);
	}
	kernel_quiet(k);
	kernel_close(k);
}

/* RFC 9293 3.10.7.2: in LISTEN; what has an ACK is reset, a bare RST is ignored. */
static void listening_port(void)
{
	struct segment s = { .sport = 7, .dport = OUR_PORT, .seq = 5, .ack = 0x30000000, .wnd = 9 };
	static const char *const flags[] = { ".", "F.", "P.", "FPU." };
	KERNEL(k, kernel_open)

	give_vector(k, "G11");
	for (size_t i = 0; i < COUNT(flags); i++) {
		s.flags = flags_parse(flags[i]);
		kernel_segment(k, &s);
		expect_rst(k, HF_RST, 0x30000000, 0);
	}
	s.flags = HF_RST;
	kernel_segment(k, &s);
	give_vector(k, "G12");
	give_vector(k, "G13");
	kernel_close(k);
}

/* RFC 9293 3.10.7.4: RST in SYN-RECEIVED, then the ACK that comes too late. */
static void late_ack(void)
{
	struct segment s = { .sport = 7, .dport = OUR_PORT, .seq = 100, .flags = HF_SYN, .wnd = 9 };
	struct packet p;
	KERNEL(k, kernel_open)

	kernel_segment(k, &s);
	if (kernel_next_tcp(k, &p)) {
		s.seq = 101;
		s.flags = HF_RST;
		kernel_segment(k, &s);
		s.flags = HF_ACK;
		s.ack = p.seq + 1;
		kernel_segment(k, &s);
		expect_rst(k, HF_RST, p.seq + 1, 0);
	}
	kernel_quiet(k);
	kernel_close(k);
}

/* ---- ESTABLISHED ---- */

/* Text and FIN on the ACK that completes the handshake. */
static void text_with_the_last_ack(void)
{
	KERNEL(k, kernel_open)

	for (unsigned fin = 0; fin < 2; fin++) {
		struct segment s = {
			.sport = (uint16_t)(100 + fin), .dport = OUR_PORT, .seq = 500, .flags = HF_SYN, .wnd = 9
		};
		struct conn c = { .k = k, .port = s.sport, .our_port = OUR_PORT, .seq = 501, .fd = -1 };
		struct packet p;

		check_context("%s", fin ? "FIN" : "text");
		kernel_segment(k, &s);
		if (kernel_next_tcp(k, &p)) {
			c.ack = p.seq + 1;
			conn_say(&c, fin ? "F." : "P.", fin ? NULL : "12345");
			conn_hear(&c, ".", NULL);
			c.fd = hf_accept(k->listener, NULL, 5000);
			conn_reads(&c, fin ? "" : "12345");
			kernel_quiet(k);
		}
		conn_close(&c);
	}
	check_context("%s", "");
	kernel_close(k);
}

/* The peer sends `flags` at SEQ = RCV.NXT + seq, ACK = SND.NXT + ack: one ACK comes, or nothing. */
static void poke(struct conn *c, const char *flags, int32_t seq, int32_t ack, const char *text, bool answered)
{
	check_context("%s SEQ %d ACK %d", flags, seq, ack);
	conn_say_at(c, flags, c->seq + (uint32_t)seq, c->ack + (uint32_t)ack, text);
	if (answered)
		conn_hear(c, ".", NULL);
	kernel_quiet(c->k);
	check_context("%s", "");
}

/* RFC 9293 3.10.7.4 and RFC 5961 in the kernel's half of ESTABLISHED. */
static void unacceptable_in_established(void)
{
	struct conn c;
	KERNEL(k, kernel_open)

	if (conn_open(&c, k, 7, NULL)) {
		poke(&c, "P.", -100, 0, "0123456789", true);
		poke(&c, ".", 70000, 0, NULL, true);
		poke(&c, "P.", 70000, 0, "0123456789", true);
		poke(&c, "P", 0, 0, "x", false);
		poke(&c, "", 0, 0, NULL, false);
		poke(&c, "S", 0, 0, NULL, true);
		poke(&c, "S", -1, 0, NULL, true);
		poke(&c, "S", 1000, 0, NULL, true);
		poke(&c, "S", 0x70000000, 0, NULL, true);
		poke(&c, "R", -1, 0, NULL, false);
		poke(&c, "R", 70000, 0, NULL, false);
		poke(&c, "R", 1, 0, NULL, true);
		poke(&c, "R", 60000, 0, NULL, true);
		/* still alive */
		conn_say(&c, "P.", "hello");
		conn_hear(&c, ".", NULL);
		conn_reads(&c, "hello");
		conn_say(&c, "R", NULL);
		kernel_quiet(k);
		conn_fails(&c, ECONNRESET);
		conn_close(&c);
	}
	if (conn_open(&c, k, 8, NULL)) { /* in CLOSE-WAIT */
		conn_say(&c, "F.", NULL);
		conn_hear(&c, ".", NULL);
		poke(&c, "R", 1, 0, NULL, true);
		poke(&c, "R", -1, 0, NULL, false);
		conn_say(&c, "R", NULL);
		kernel_quiet(k);
		CHECK(send(c.fd, "x", 1, MSG_NOSIGNAL) < 0, "nobody is told of the RST");
		kernel_quiet(k);
		conn_close(&c);
	}
	kernel_close(k);
}

/* SEG.ACK of what was never sent, and of what lies further back than any window reached (RFC 5961 5.2): not taken, with
 * a FIN on it that would show. */
static void unacceptable_ack(void)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	struct conn c;
	KERNEL(k, kernel_open)

	if (conn_open(&c, k, 7, NULL)) {
		poke(&c, "F.", 0, 1, NULL, true);
		poke(&c, "F.", 0, -65536 - 1, NULL, true);
		CHECK(!getsockopt(c.fd, IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_state == TCP_ESTABLISHED,
			"a FIN was taken");
		/* a duplicate ACK, with text */
		conn_say_at(&c, "P.", c.seq, c.ack, "dup");
		c.seq += 3;
		conn_hear(&c, ".", NULL);
		conn_reads(&c, "dup");
		conn_close(&c);
	}
	kernel_close(k);
}

/* RFC 9293 figures 9 and 10: the peer has forgotten; or we have. */
static void half_open(void)
{
	struct segment s = { .sport = 9,
		.dport = OUR_PORT,
		.seq = 1,
		.ack = 100,
		.flags = HF_ACK | HF_PSH,
		.text = "x",
		.text_len = 1 };
	struct conn c;
	KERNEL(k, kernel_open)

	if (conn_open(&c, k, 7, NULL)) {
		poke(&c, "S", 0x67777777, 0, NULL, true);
		conn_say(&c, "R", NULL); /* the peer's answer: SEQ = SEG.ACK of the challenge */
		kernel_quiet(k);
		conn_fails(&c, ECONNRESET);
		close(c.fd);
		for (unsigned i = 0; i < 2000 && kernel_stat(k, "host.destroyed") == 0; i++)
			usleep(10000);
		CHECK_EQ(kernel_stat(k, "host.destroyed"), 1, "sockets destroyed");
		if (conn_open(&c, k, 7, NULL))
			conn_close(&c);
	}
	kernel_segment(k, &s);
	expect_rst(k, HF_RST, 100, 0);
	kernel_quiet(k);
	kernel_close(k);
}

/* The peer's FIN, again and again, and text behind it. */
static void peer_closes(void)
{
	struct conn c;
	KERNEL(k, kernel_open)

	if (conn_open(&c, k, 7, NULL)) {
		conn_say(&c, "F.", NULL);
		conn_hear(&c, ".", NULL); /* CLOSE-WAIT */
		conn_reads(&c, "");
		for (unsigned i = 0; i < 3; i++)
			poke(&c, "F.", -1, 0, NULL, true);
		poke(&c, "P.", -1, 0, "x", true);
		conn_reads(&c, "");
		CHECK(!shutdown(c.fd, SHUT_WR), "shutdown");
		conn_hear(&c, "F.", NULL);
		conn_say(&c, ".", NULL);
		kernel_quiet(k);
		conn_close(&c);
	}
	kernel_close(k);
}

/* Half-close: our FIN, behind the text that was still to be sent, once; the other direction goes on. */
static void we_close_one_half(void)
{
	struct packet p;
	struct conn c;
	KERNEL(k, kernel_open)

	if (conn_open(&c, k, 7, NULL)) {
		CHECK(send(c.fd, "12345", 5, MSG_MORE) == 5, "send");
		CHECK(!shutdown(c.fd, SHUT_WR), "shutdown");
		CHECK(!shutdown(c.fd, SHUT_WR), "shutdown again");
		if (conn_hear(&c, "F.", &p))
			CHECK_BYTES("text", p.text, p.text_len, "12345", 5);
		conn_say(&c, ".", NULL);
		kernel_quiet(k);
		conn_say(&c, "P.", "0123456789");
		conn_hear(&c, ".", NULL);
		conn_reads(&c, "0123456789");
		conn_say(&c, "F.", NULL);
		conn_hear(&c, ".", NULL);
		conn_reads(&c, "");
		conn_say_at(&c, "F.", c.seq - 1, c.ack, NULL); /* TIME-WAIT */
		conn_hear(&c, ".", NULL);
		kernel_quiet(k);
		conn_close(&c);
	}
	kernel_close(k);
}

/* RFC 9293 3.10.8: what is not acknowledged is sent again, until the user's timeout ends the connection. */
static void user_timeout(void)
{
	struct packet p;
	struct conn c;
	int limit_ms = 700;
	KERNEL(k, kernel_open)

	if (conn_open(&c, k, 7, NULL)) {
		CHECK(!setsockopt(c.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms)),
			"TCP_USER_TIMEOUT");
		CHECK(write(c.fd, "first", 5) == 5, "write");
		conn_hear(&c, ".", NULL);
		conn_say(&c, ".", NULL); /* a round-trip sample: the timeout is no longer 3 s */
		CHECK(write(c.fd, "hello", 5) == 5, "write");
		for (unsigned i = 0; i < 2; i++) {
			if (conn_hear(&c, ".", &p))
				CHECK_BYTES("text", p.text, p.text_len, "hello", 5);
			c.ack -= 5; /* it comes again */
		}
		conn_fails(&c, ETIMEDOUT);
		kernel_drain(k);
		conn_say_at(&c, ".", c.seq, c.ack + 5, NULL); /* forgotten */
		expect_rst(k, HF_RST, c.ack + 5, 0);
		conn_close(&c);
	}
	kernel_close(k);
}

/* ---- options ---- */

static void timestamps(void)
{
	struct packet p;
	struct conn c;
	KERNEL(k, kernel_open)

	if (conn_open(&c, k, 7, "mss=1460 sack ts")) {
		c.tsval = 70010;
		conn_say(&c, "P.", "hello");
		if (conn_hear(&c, ".", &p))
			CHECK_EQ(p.tsecr, 70010, "TSecr");
		c.tsval = 70020; /* beyond Last.ACK.sent: TS.Recent stays (RFC 7323 4.3) */
		conn_say_at(&c, ".", c.seq + 5, c.ack, NULL);
		CHECK(write(c.fd, "answer", 6) == 6, "write");
		if (conn_hear(&c, ".", &p))
			CHECK_EQ(p.tsecr, 70010, "TSecr");
		conn_say(&c, ".", NULL);
		c.tsval = 60000; /* PAWS */
		conn_say_at(&c, "P.", c.seq, c.ack, "stale");
		if (conn_hear(&c, ".", &p))
			CHECK_EQ(p.tsecr, 70020, "TSecr");
		conn_reads(&c, "hello");
		conn_say(&c, "R", NULL); /* a RST is not subject to PAWS */
		kernel_quiet(k);
		conn_fails(&c, ECONNRESET);
		conn_close(&c);
	}
	kernel_close(k);
}

/* The text of the first of several segments. */
static size_t first_segment(struct conn *c)
{
	static const char text[3000];
	struct packet p;

	CHECK(write(c->fd, text, sizeof(text)) == sizeof(text), "write");
	return kernel_next_tcp(c->k, &p) ? p.text_len : 0;
}

/* RFC 9293 3.7.1: the MSS that the board handed over, less our options; of an MSS on another segment nothing. */
static void effective_send_mss(void)
{
	static const struct {
		const char *opts;
		size_t mss;
	} rows[] = { { "mss=1460 sack nop nop ts", 1448 }, { "nop nop ts", 524 }, { NULL, 536 }, { "mss=1000", 1000 },
		{ "mss=1460", 1460 } };
	struct conn c;
	KERNEL(k, kernel_open)

	for (size_t i = 0; i < COUNT(rows); i++) {
		check_context("%s", rows[i].opts ? rows[i].opts : "no options");
		if (conn_open(&c, k, (uint16_t)(100 + i), rows[i].opts)) {
			CHECK_EQ(first_segment(&c), rows[i].mss, "octets of text");
			conn_close(&c);
		}
	}
	check_context("%s", "MSS on an ACK");
	if (conn_open(&c, k, 7, "mss=1460")) {
		struct segment s = { .sport = 7,
			.dport = OUR_PORT,
			.seq = c.seq,
			.ack = c.ack,
			.flags = HF_ACK,
			.wnd = 65535,
			.opts = "mss=100" };

		kernel_segment(k, &s);
		kernel_quiet(k);
		CHECK_EQ(first_segment(&c), 1460, "octets of text");
		conn_close(&c);
	}
	check_context("%s", "");
	kernel_close(k);
}

/* ---- path MTU and other ICMP, RFC 1191, RFC 8201, RFC 9293 3.9.2.2 ---- */

/* An ICMP error about the frame that came last. */
static void give_icmp_error(struct kernel *k, unsigned type, unsigned code, uint16_t mtu, const uint8_t *about)
{
	uint8_t ip[56] = { 0x45, [3] = 56, [8] = 64, [9] = IPPROTO_ICMP, [20] = (uint8_t)type, [21] = (uint8_t)code };

	put32(ip + 12, PEER_ADDR);
	put32(ip + 16, OUR_ADDR);
	put16(ip + 10, ref_ip_checksum(ip));
	put16(ip + 26, mtu);
	memcpy(ip + 28, about, 28);
	put16(ip + 22, (uint16_t)~ref_sum(ip + 20, 36));
	kernel_packet(k, ip, sizeof(ip));
}

/* What is sent after a "fragmentation needed" with this MTU about the first of several segments. */
static size_t after_frag_needed(struct conn *c, uint16_t mtu)
{
	uint8_t about[28];
	struct packet p;

	memcpy(about, c->k->frame + 14, sizeof(about));
	kernel_drain(c->k);
	give_icmp_error(c->k, 3, 4, mtu, about);
	return kernel_next_tcp(c->k, &p) && CHECK_EQ(p.seq, c->ack, "SEQ of what is sent again") ? p.text_len : 0;
}

static void path_mtu(void)
{
	struct conn c;
	size_t got;
	KERNEL(k, kernel_open)

	if (conn_open(&c, k, 7, "mss=1460")) {
		CHECK_EQ(first_segment(&c), 1460, "octets of text");
		CHECK_EQ(after_frag_needed(&c, 1300), 1260, "octets after MTU 1300");
		conn_close(&c);
	}
	/* the next connection: the board's MSS is that of the netdev, what we send is not */
	if (conn_open(&c, k, 8, "mss=1460")) {
		CHECK_EQ(c.syn_ack_mss, 1460, "MSS of the SYN-ACK");
		CHECK_EQ(first_segment(&c), 1260, "octets of text");
		got = after_frag_needed(&c, 0);
		CHECK(got >= 68 - 40 && got <= 1260, "%zu octets after MTU 0", got);
		conn_close(&c);
	}
	kernel_close(k);
}

static void source_quench(void)
{
	struct conn c;
	KERNEL(k, kernel_open)

	if (conn_open(&c, k, 7, NULL)) {
		conn_say(&c, "P.", "one");
		conn_hear(&c, ".", NULL);
		give_icmp_error(k, 4, 0, 0, k->frame + 14);
		kernel_quiet(k);
		conn_say(&c, "P.", "two");
		conn_hear(&c, ".", NULL);
		conn_reads(&c, "onetwo");
		conn_close(&c);
	}
	kernel_close(k);
}

/* ---- the rest of IPv4: echo, UDP, fragments, addresses ---- */

/* An ICMP echo request with `len` octets of text; its number is 0xbeef. */
static size_t make_echo(uint8_t *ip, size_t len)
{
	memset(ip, 0, 28 + len);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(28 + len));
	put16(ip + 4, 0x1234);
	ip[8] = 64;
	ip[9] = IPPROTO_ICMP;
	put32(ip + 12, PEER_ADDR);
	put32(ip + 16, OUR_ADDR);
	put16(ip + 10, ref_ip_checksum(ip));
	ip[20] = 8;
	put16(ip + 24, 0xbeef);
	for (size_t i = 0; i < len; i++)
		ip[28 + i] = (uint8_t)i;
	put16(ip + 22, (uint16_t)~ref_sum(ip + 20, 8 + len));
	return 28 + len;
}

static void expect_echo_reply(struct kernel *k, const uint8_t *request, size_t len)
{
	const uint8_t *ip = k->frame + 14;

	if (!kernel_next(k))
		return;
	CHECK(ip[9] == IPPROTO_ICMP && ip[20] == 0 && ip[21] == 0, "protocol %u, type %u", ip[9], ip[20]);
	CHECK_EQ(get32(ip + 12), OUR_ADDR, "source");
	CHECK_EQ(get32(ip + 16), PEER_ADDR, "destination");
	CHECK_EQ(ref_sum(ip + 20, len - 20), 0xffff, "checksum");
	CHECK_BYTES("text", ip + 24, get16(ip + 2) - 24u, request + 24, len - 24);
}

static void echo_and_udp(void)
{
	uint8_t ip[1500];
	size_t len;
	KERNEL(k, kernel_open)

	for (size_t text = 0; text <= 1472; text += text < 40 ? 1 : 716) {
		len = make_echo(ip, text);
		kernel_packet(k, ip, len);
		expect_echo_reply(k, ip, len);
	}
	/* UDP to a closed port: port unreachable */
	len = make_echo(ip, 5);
	ip[9] = IPPROTO_UDP;
	put16(ip + 20, 5000);
	put16(ip + 22, CLOSED_PORT);
	put32(ip + 24, 13 << 16); /* length; no checksum */
	put16(ip + 10, ref_ip_checksum(ip));
	kernel_packet(k, ip, len);
	if (kernel_next(k)) {
		CHECK_EQ(k->frame[34], 3, "ICMP type");
		CHECK_EQ(k->frame[35], 3, "ICMP code");
		CHECK_BYTES("quoted", k->frame + 42, 33, ip, 33);
	}
	kernel_quiet(k);
	kernel_close(k);
}

/* Octets [from, from + len) behind the IPv4 header as a fragment of their own. */
static void give_fragment(struct kernel *k, const uint8_t *ip, size_t from, size_t len, bool more)
{
	uint8_t part[PACKET_MAX];

	memcpy(part, ip, 20);
	put16(part + 2, (uint32_t)(20 + len));
	put16(part + 6, (uint32_t)(from / 8) | (more ? 0x2000 : 0));
	put16(part + 10, ref_ip_checksum(part));
	memcpy(part + 20, ip + 20 + from, len);
	kernel_packet(k, part, 20 + len);
}

static void fragments(void)
{
	struct segment syn = { .sport = 7,
		.dport = CLOSED_PORT,
		.seq = 10,
		.flags = HF_SYN,
		.opts = "mss=1460",
		.text = "01234567",
		.text_len = 8 };
	uint8_t ip[PACKET_MAX];
	size_t len = make_echo(ip, 92);
	KERNEL(k, kernel_open)

	give_fragment(k, ip, 0, 48, true);
	kernel_quiet(k);
	give_fragment(k, ip, 48, 52, false);
	expect_echo_reply(k, ip, len);
	put16(ip + 4, 0x1235); /* last first */
	give_fragment(k, ip, 80, 20, false);
	give_fragment(k, ip, 8, 72, true);
	kernel_quiet(k);
	give_fragment(k, ip, 0, 8, true);
	expect_echo_reply(k, ip, len);
	/* a SYN for a closed port */
	syn.ip_id = 0x1236;
	make_packet(ip, &syn);
	give_fragment(k, ip, 0, 24, true);
	kernel_quiet(k);
	give_fragment(k, ip, 24, 8, false);
	expect_rst(k, HF_RST | HF_ACK, 0, 19);
	/* RFC 1858: the flags in the second fragment */
	syn.ip_id = 0x1237;
	make_packet(ip, &syn);
	give_fragment(k, ip, 0, 8, true);
	give_fragment(k, ip, 8, 24, false);
	give_vector(k, "K11");
	give_vector(k, "K12");
	kernel_close(k);
}

/* Whose SYN it is not: silence; an address of ours without a listener: RST from there. */
static void addresses(void)
{
	struct segment syn = { .sport = 7, .dport = OUR_PORT, .seq = 10, .flags = HF_SYN };
	struct packet p;
	KERNEL(k, kernel_open)

	syn.dst = 0xc00002ff; /* subnet broadcast */
	kernel_segment(k, &syn);
	syn.dst = NOBODY;
	kernel_segment(k, &syn);
	kernel_quiet(k);
	kernel_add_address(SECOND_ADDR);
	syn.dst = SECOND_ADDR;
	kernel_segment(k, &syn);
	if (kernel_next_tcp(k, &p)) {
		CHECK_EQ(p.flags, HF_RST | HF_ACK, "flags");
		CHECK_EQ(p.src_addr, SECOND_ADDR, "source");
		CHECK_EQ(p.ack, 11, "ACK");
	}
	kernel_quiet(k);
	kernel_close(k);
}

/* ---- active open: what the kernel adds to CONNECT ---- */

/* RFC 6056: the port of each SYN, which the peer refuses. */
static void ephemeral_ports(void)
{
	enum { CALLS = 64 };
	uint16_t port[CALLS] = { 0 };
	unsigned steps = 0;
	struct packet p;
	struct call call;
	KERNEL(k, kernel_open)

	for (unsigned i = 0; i < CALLS; i++) {
		call_start(&call, k, PEER_ADDR, 7);
		if (kernel_next_tcp(k, &p)) {
			CHECK_EQ(p.flags, HF_SYN, "flags");
			kernel_segment(k,
				&(struct segment){
					.sport = 7, .dport = p.src_port, .ack = p.seq + 1, .flags = HF_RST | HF_ACK });
			port[i] = p.src_port;
		}
		CHECK_EQ(call_end(&call), -ECONNREFUSED, "hf_connect");
		CHECK(port[i] >= 1024, "port %u", port[i]);
	}
	for (unsigned i = 2; i < CALLS; i++)
		steps += (uint16_t)(port[i] - port[i - 1]) != (uint16_t)(port[1] - port[0]);
	CHECK(steps > CALLS / 2, "the ports have a constant increment");
	kernel_close(k);
}

/* Text and FIN on the SYN-ACK are not acknowledged; when they come again, the kernel takes them. */
static void text_with_the_syn_ack(void)
{
	struct packet p;
	struct call call;
	KERNEL(k, kernel_open)

	call_start(&call, k, PEER_ADDR, 7);
	if (kernel_next_tcp(k, &p)) {
		struct segment s = { .sport = 7,
			.dport = p.src_port,
			.seq = 500,
			.ack = p.seq + 1,
			.flags = HF_SYN | HF_ACK | HF_FIN,
			.wnd = 65535,
			.text = "12345",
			.text_len = 5 };
		struct conn c = { .k = k, .port = 7, .our_port = p.src_port, .seq = 501, .ack = p.seq + 1 };

		kernel_segment(k, &s);
		conn_hear(&c, ".", NULL);
		c.fd = call_end(&call);
		if (CHECK(c.fd >= 0, "hf_connect: %d %s", c.fd, hf_error(k->dev))) {
			conn_say(&c, "FP.", "12345");
			conn_hear(&c, ".", NULL);
			conn_reads(&c, "12345");
			conn_reads(&c, "");
			conn_close(&c);
		}
	}
	kernel_close(k);
}

/* ---- neighbours, IPv4: RFC 826, RFC 1122 2.3.2 ---- */

static void make_arp(uint8_t *frame, uint16_t operation, uint64_t sender_mac, uint32_t sender, uint32_t target)
{
	memset(frame, 0, PACKET_MIN_FRAME);
	put48(frame, operation == 1 ? 0xffffffffffffull : OUR_MAC);
	put48(frame + 6, sender_mac);
	put16(frame + 12, PACKET_ETHERTYPE_ARP);
	put32(frame + 14, 1 << 16 | PACKET_ETHERTYPE_IPV4);
	put16(frame + 18, 6 << 8 | 4);
	put16(frame + 20, operation);
	put48(frame + 22, sender_mac);
	put32(frame + 28, sender);
	put48(frame + 32, operation == 1 ? 0 : OUR_MAC);
	put32(frame + 38, target);
}

static void give_arp(struct kernel *k, uint16_t operation, uint64_t mac, uint32_t sender, uint32_t target)
{
	uint8_t frame[PACKET_MIN_FRAME];

	make_arp(frame, operation, mac, sender, target);
	kernel_give(k, frame, sizeof(frame));
}

static struct neighbour neighbour4(uint32_t addr)
{
	uint8_t octets[4];

	put32(octets, addr);
	return kernel_neighbour(octets, sizeof(octets));
}

static void arp_is_answered(void)
{
	struct neighbour n;
	KERNEL(k, kernel_open)

	kernel_sysctl("ipv4/neigh/hf0/locktime", "0"); /* Linux keeps a new entry for a second */
	/* for another address, from a stranger: neither a reply nor an entry */
	give_arp(k, 1, OTHER_MAC, STRANGER, NOBODY);
	kernel_quiet(k);
	CHECK_EQ(neighbour4(STRANGER).state, 0, "an entry");
	give_vector(k, "J01");
	n = neighbour4(PEER_ADDR);
	CHECK(n.state && n.mac == PEER_MAC, "entry of the asker: 0x%llx", (unsigned long long)n.mac);
	/* from a known one: the entry is updated, not in the same tick of the kernel's clock though */
	for (unsigned i = 0; i < 100 && n.mac == PEER_MAC; i++) {
		usleep(10000);
		give_arp(k, 1, OTHER_MAC, PEER_ADDR, NOBODY);
		kernel_quiet(k);
		n = neighbour4(PEER_ADDR);
	}
	CHECK_EQ(n.mac, OTHER_MAC, "MAC of the asker");
	kernel_ping(k);
	if (kernel_next(k))
		CHECK_EQ(get48(k->frame), OTHER_MAC, "destination");
	kernel_close(k);
}

/* A UDP socket of the kernel, connected to a port of the peer's side, that is told of every error. */
static int udp_to(const void *to, socklen_t len)
{
	int fd = socket(((const struct sockaddr *)to)->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	CHECK(fd >= 0 && !connect(fd, to, len), "UDP socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	return fd;
}

/* Requests for a neighbour: not one for each packet, what waits is kept, and nobody there is told in the end. */
static void arp_asks(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(NOBODY) };
	unsigned requests = 0, kept = 0;
	struct timeval limit = { .tv_sec = 20 };
	uint64_t start = now_ms();
	uint8_t octet = 0;
	int fd;
	KERNEL(k, kernel_open)

	k->mute = true;
	fd = udp_to(&to, sizeof(to));
	for (; octet < BURST; octet++)
		CHECK(send(fd, &octet, 1, 0) == 1, "send: %s", strerror(errno));
	do {
		if (!kernel_next(k))
			break;
		if (get16(k->frame + 12) == PACKET_ETHERTYPE_ARP) {
			CHECK_EQ(get48(k->frame), 0xffffffffffffull, "destination");
			CHECK_EQ(get32(k->frame + 38), NOBODY, "target");
			if (!requests++)
				give_arp(k, 2, OTHER_MAC, NOBODY, OUR_ADDR);
		} else {
			CHECK_EQ(get48(k->frame), OTHER_MAC, "destination");
			kept++;
		}
	} while (!kept || k->frame[42] != BURST - 1); /* the latest packet is kept */
	CHECK(requests >= 1 && requests <= 1 + (now_ms() - start) / 1000, "%u requests", requests);
	close(fd);
	/* nobody: three requests, then the sender is told */
	kernel_sysctl("ipv4/neigh/hf0/retrans_time_ms", "20");
	to.sin_addr.s_addr = htonl(NOBODY + 1);
	fd = udp_to(&to, sizeof(to));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	CHECK(send(fd, "x", 1, 0) == 1, "send");
	CHECK(recv(fd, &octet, 1, 0) < 0 && errno == EHOSTUNREACH, "recv: %s", strerror(errno));
	for (unsigned i = 0; i < 3; i++)
		if (kernel_next(k))
			CHECK(get16(k->frame + 12) == PACKET_ETHERTYPE_ARP && get32(k->frame + 38) == NOBODY + 1,
				"request %u", i);
	k->mute = false;
	kernel_quiet(k);
	close(fd);
	kernel_close(k);
}

/* RFC 1122 3.3.1.1: the next hop of a CONNECT is the kernel's; with an empty cache the SYN waits for ARP. */
static void gateway(void)
{
	struct packet p;
	struct call call;
	KERNEL(k, kernel_open)

	kernel_add_gateway(GATEWAY);
	call_start(&call, k, OUTSIDE, 7);
	if (kernel_next(k)) {
		CHECK_EQ(get16(k->frame + 12), PACKET_ETHERTYPE_ARP, "EtherType");
		CHECK_EQ(get32(k->frame + 38), GATEWAY, "target");
	}
	give_arp(k, 2, GATEWAY_MAC, GATEWAY, OUR_ADDR);
	/* what the library sent to make the kernel ask, then the SYN */
	while (kernel_next(k) && !(packet_parse(k->frame, k->len, &p) && p.is_tcp))
		CHECK_EQ(get48(k->frame), GATEWAY_MAC, "destination");
	CHECK_EQ(get48(p.dst_mac), GATEWAY_MAC, "destination of the SYN");
	CHECK_EQ(p.dst_addr, OUTSIDE, "peer");
	CHECK_EQ(p.flags, HF_SYN, "flags");
	kernel_segment(k,
		&(struct segment){
			.src = OUTSIDE, .sport = 7, .dport = p.src_port, .ack = p.seq + 1, .flags = HF_RST | HF_ACK });
	CHECK_EQ(call_end(&call), -ECONNREFUSED, "hf_connect");
	kernel_close(k);
}

/* ---- IPv6: the kernel makes these connections itself ---- */

static int listen6(uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&any, sizeof(any)) && !listen(fd, 4), "listen: %s",
		strerror(errno));
	return fd;
}

/* The next frame is a sound TCP segment over IPv6: its TCP header, or NULL; the octets of its text. */
static const uint8_t *next_tcp6(struct kernel *k, size_t *text_len)
{
	uint8_t *ip = k->frame + 14, *tcp = ip + 40;
	uint16_t sum;

	if (!kernel_next(k) || !CHECK(get16(k->frame + 12) == PACKET_ETHERTYPE_IPV6 && ip[6] == IPPROTO_TCP,
				       "EtherType 0x%04x, next header %u", get16(k->frame + 12), ip[6]))
		return NULL;
	sum = (uint16_t)get16(tcp + 16);
	put16(tcp + 16, 0);
	CHECK_EQ(sum, ref_tcp_checksum(ip), "checksum");
	*text_len = get16(ip + 4) - (tcp[12] >> 4) * 4u;
	return tcp;
}

/* What the peer sends over IPv6 to a port of the kernel's. */
static struct segment segment6(uint16_t port, uint32_t seq, uint32_t ack, unsigned flags, const char *opts)
{
	return (struct segment){ .ip6 = true,
		.sport = 7,
		.dport = port,
		.seq = seq,
		.ack = ack,
		.flags = (uint16_t)flags,
		.wnd = 65535,
		.opts = opts };
}

/* A connection of the kernel's; our numbers from 501, *ack is its SND.NXT. Returns the socket. */
static int open6(struct kernel *k, int listener, const char *syn_opts, const char *ack_opts, uint32_t *ack)
{
	struct segment s = segment6(KERNEL_PORT, 500, 0, HF_SYN, syn_opts);
	const uint8_t *tcp;
	size_t len;
	int fd;

	kernel_segment(k, &s);
	tcp = next_tcp6(k, &len);
	if (!tcp || !CHECK(tcp[13] == (HF_SYN | HF_ACK), "flags 0x%x, no SYN-ACK", tcp[13]))
		return -1;
	*ack = get32(tcp + 4) + 1;
	s = segment6(KERNEL_PORT, 501, *ack, HF_ACK, ack_opts);
	kernel_segment(k, &s);
	kernel_drain(k);
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0, "accept: %s", strerror(errno));
	return fd;
}

static void mss_and_path_mtu_ip6(void)
{
	static const struct {
		const char *syn, *ack;
		size_t mss;
	} rows[] = { { "mss=1440 nop nop ts=1:0", "nop nop ts=2:0", 1428 }, { "mss=1440", NULL, 1440 },
		{ NULL, NULL, 1220 } };
	static const char text[3000];
	KERNEL(k, kernel_open6)
	int listener = listen6(KERNEL_PORT);

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t error[1240] = { 2, [6] = 1000 >> 8, [7] = 1000 & 255 };
		struct segment rst = segment6(KERNEL_PORT, 501, 0, HF_RST, NULL);
		uint32_t ack;
		size_t len = 0;
		int fd = open6(k, listener, rows[i].syn, rows[i].ack, &ack);

		check_context("%s", rows[i].syn ? rows[i].syn : "no options");
		CHECK(fd >= 0 && write(fd, text, sizeof(text)) == sizeof(text), "write");
		if (next_tcp6(k, &len))
			CHECK_EQ(len, rows[i].mss, "octets of text");
		/* packet too big, MTU 1000: nothing goes below 1280 */
		memcpy(error + 8, k->frame + 14, sizeof(error) - 8);
		kernel_drain(k);
		kernel_packet6(k, IPPROTO_ICMPV6, error, sizeof(error));
		kernel_ping(k);
		while (kernel_next(k) && get16(k->frame + 12) == PACKET_ETHERTYPE_IPV6)
			CHECK(k->len >= 14 + 1280 || k->len == 14 + 40 + 20 + 3000 % 1220, "a packet of %zu octets",
				k->len - 14);
		kernel_segment(k, &rst);
		kernel_drain(k);
		close(fd);
	}
	check_context("%s", "");
	close(listener);
	kernel_close(k);
}

static void closed_port_ip6(void)
{
	struct segment s = segment6(CLOSED_PORT, 10, 0, HF_SYN, "mss=1440");
	const uint8_t *tcp;
	size_t len;
	KERNEL(k, kernel_open6)

	kernel_segment(k, &s);
	tcp = next_tcp6(k, &len);
	if (tcp) {
		CHECK_EQ(tcp[13], HF_RST | HF_ACK, "flags");
		CHECK_EQ(get32(tcp + 4), 0, "SEQ");
		CHECK_EQ(get32(tcp + 8), 11, "ACK");
	}
	s = segment6(CLOSED_PORT, 10, 77, HF_ACK, NULL);
	kernel_segment(k, &s);
	tcp = next_tcp6(k, &len);
	if (tcp) {
		CHECK_EQ(tcp[13], HF_RST, "flags");
		CHECK_EQ(get32(tcp + 4), 77, "SEQ");
	}
	s.flags = HF_RST;
	kernel_segment(k, &s);
	kernel_quiet(k);
	kernel_close(k);
}

/* Headers between IPv6 and TCP. The SYN is that of D03, TCP checksum as without them. */
static void extension_headers(void)
{
	const struct vector *v = vector_find("D03");
	uint8_t payload[64];
	const uint8_t *tcp;
	size_t len;
	int listener;
	KERNEL(k, kernel_open6)

	listener = listen6(OUR_PORT);
	for (unsigned routing = 0; routing < 2; routing++) {
		struct segment rst = segment6(OUR_PORT, 0x10000001, 0, HF_RST, NULL);

		check_context("%s", routing ? "Routing header, Segments Left 0" : "Destination Options");
		memcpy(payload, v->bytes + 40, 32);
		if (routing)
			memcpy(payload, (const uint8_t[8]){ IPPROTO_TCP, 0, 99, 0 }, 8);
		kernel_packet6(k, routing ? IPPROTO_ROUTING : IPPROTO_DSTOPTS, payload, 32);
		tcp = next_tcp6(k, &len);
		if (tcp) {
			CHECK_EQ(tcp[13], HF_SYN | HF_ACK, "flags");
			CHECK_EQ(get32(tcp + 8), 0x10000001, "ACK");
		}
		rst.sport = 49152;
		kernel_segment(k, &rst);
		kernel_drain(k);
	}
	check_context("Routing header, Segments Left 1");
	payload[3] = 1;
	kernel_packet6(k, IPPROTO_ROUTING, payload, 32);
	if (kernel_next(k))
		CHECK(k->frame[20] == IPPROTO_ICMPV6 && k->frame[54] == 4, "no parameter problem");
	check_context("a wrong checksum behind Destination Options");
	memcpy(payload, v->bytes + 40, 32);
	payload[8 + 17] ^= 1;
	kernel_packet6(k, IPPROTO_DSTOPTS, payload, 32);
	kernel_quiet(k);
	check_context("%s", "");
	close(listener);
	kernel_close(k);
}

/* Octets [from, from + len) of a payload as an IPv6 fragment. */
static void give_fragment6(
	struct kernel *k, unsigned next, const uint8_t *payload, size_t from, size_t len, bool more, unsigned id)
{
	uint8_t part[1400] = { (uint8_t)next };

	put16(part + 2, (uint32_t)from | more);
	put32(part + 4, id);
	memcpy(part + 8, payload + from, len);
	kernel_packet6(k, IPPROTO_FRAGMENT, part, 8 + len);
}

static void fragments_ip6(void)
{
	uint8_t ip[256], text[64];
	struct segment syn = segment6(CLOSED_PORT, 10, 0, HF_SYN, "mss=1440");
	const uint8_t *tcp;
	size_t len;
	KERNEL(k, kernel_open6)

	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)i;
	syn.text = text;
	syn.text_len = 16;
	make_packet(ip, &syn);
	give_fragment6(k, IPPROTO_TCP, ip + 40, 24, 16, false, 1);
	kernel_quiet(k);
	give_fragment6(k, IPPROTO_TCP, ip + 40, 0, 24, true, 1);
	tcp = next_tcp6(k, &len);
	if (tcp) {
		CHECK_EQ(tcp[13], HF_RST | HF_ACK, "flags");
		CHECK_EQ(get32(tcp + 8), 10 + 1 + 16, "ACK");
	}
	/* RFC 7112: the TCP header is not wholly in the first fragment */
	give_fragment6(k, IPPROTO_TCP, ip + 40, 0, 8, true, 2);
	give_fragment6(k, IPPROTO_TCP, ip + 40, 8, 32, false, 2);
	kernel_ping(k);
	while (kernel_next(k) && get16(k->frame + 12) == PACKET_ETHERTYPE_IPV6)
		CHECK(k->frame[20] == IPPROTO_ICMPV6 && k->frame[54] == 4 && k->frame[55] == 3,
			"next header %u answers", k->frame[20]);
	kernel_close(k);
}

/* ---- neighbours, IPv6: RFC 4861 ---- */

/* The entry of an IPv6 address: state, and MAC if there is an entry. */
static void expect_neighbour6(const uint8_t addr[16], unsigned state, uint64_t mac)
{
	struct neighbour n = kernel_neighbour(addr, 16);

	CHECK_EQ(n.state, state, "state of the neighbour");
	CHECK_EQ(n.mac, mac, "MAC of the neighbour");
}

static void solicitations_answered(void)
{
	KERNEL(k, kernel_open6)

	give_vector(k, "J05");
	expect_neighbour6(PEER6, 0, 0);
	give_vector(k, "J02");
	expect_neighbour6(PEER6, NUD_DELAY, PEER_MAC); /* the answer went to it */
	kernel_close(k);
}

/* RFC 4861 7.1.1: one thing is wrong with each. */
static void solicitations_refused(void)
{
	static const struct {
		const char *what;
		unsigned at; /* in the IPv6 packet */
		const char *octets;
		bool sound; /* the checksum is made right again */
	} rows[] = {
		{ "checksum", 43, "00", false },
		{ "code", 41, "01", true },
		{ "multicast target", 48, "ff020000000000000000000000000001", true },
		{ "a target that is not ours", 48, "20010db8000000000000000000000099", true },
		{ "from ::, with a link-layer address", 8, "00000000000000000000000000000000", true },
		{ "from :: to unicast", 8, "0000000000000000000000000000000020010db8000000000000000000000002", true },
	};
	const struct vector *ns = vector_find("J02");
	uint8_t frame[128];
	KERNEL(k, kernel_open6)

	give_vector(k, "J03");
	give_vector(k, "J04");
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_context("%s", rows[i].what);
		memcpy(frame, ns->bytes, ns->len);
		from_hex(rows[i].octets, frame + 14 + rows[i].at, 32);
		if (rows[i].sound)
			fix_icmp6(frame + 14);
		kernel_give(k, frame, ns->len);
		kernel_quiet(k);
	}
	check_context("shorter than 24 octets");
	memcpy(frame, ns->bytes, ns->len);
	put16(frame + 18, 20);
	fix_icmp6(frame + 14);
	kernel_give(k, frame, 14 + 60);
	kernel_quiet(k);
	check_context("%s", "");
	expect_neighbour6(PEER6, 0, 0);
	kernel_close(k);
}

enum { NA_OVERRIDE = 0x20, NA_SOLICITED = 0x40 };

/* A neighbour advertisement of the peer's address. */
static void give_advertisement(
	struct kernel *k, const uint8_t *dst, unsigned flags, const uint8_t *target, uint64_t mac)
{
	uint8_t na[32] = { 136, [4] = (uint8_t)flags, [24] = 2, [25] = 1 }, ip[128], frame[128];
	static const uint64_t all_nodes = 0x333300000001;

	memcpy(na + 8, target, 16);
	put48(na + 26, mac);
	make_packet6(ip, PEER6, dst, IPPROTO_ICMPV6, 255, na, sizeof(na));
	fix_icmp6(ip);
	kernel_give(k, frame, make_frame(frame, dst[0] == 0xff ? all_nodes : OUR_MAC, PEER_MAC, ip, 72));
	kernel_quiet(k);
}

static struct sockaddr_in6 port_of(const uint8_t addr[16])
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(9) };

	memcpy(&to.sin6_addr, addr, 16);
	return to;
}

static void advertisements(void)
{
	static const uint8_t stranger[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 9 }, all_nodes[16] = { 0xff, 2, [15] = 1 };
	struct sockaddr_in6 to = port_of(PEER6);
	int fd;
	KERNEL(k, kernel_open6)

	/* nobody asked: no entry */
	give_advertisement(k, all_nodes, NA_OVERRIDE, stranger, OTHER_MAC);
	give_advertisement(k, OUR6, NA_SOLICITED | NA_OVERRIDE, stranger, OTHER_MAC);
	expect_neighbour6(stranger, 0, 0);
	/* the answer to a solicitation: reachable */
	fd = udp_to(&to, sizeof(to));
	CHECK(send(fd, "x", 1, 0) == 1, "send");
	kernel_next(k);
	expect_neighbour6(PEER6, NUD_REACHABLE, PEER_MAC);
	/* S in a multicast one: refused */
	give_advertisement(k, all_nodes, NA_SOLICITED | NA_OVERRIDE, PEER6, OTHER_MAC);
	expect_neighbour6(PEER6, NUD_REACHABLE, PEER_MAC);
	/* another MAC without O: stale, the MAC stays; with O: the MAC too */
	give_advertisement(k, OUR6, 0, PEER6, OTHER_MAC);
	expect_neighbour6(PEER6, NUD_STALE, PEER_MAC);
	give_advertisement(k, OUR6, NA_OVERRIDE, PEER6, OTHER_MAC);
	expect_neighbour6(PEER6, NUD_STALE, OTHER_MAC);
	close(fd);
	kernel_close(k);
}

/* RFC 4861 7.2.2: the solicitation, what waits for the answer, and the end without one. */
static void neighbour_is_solicited(void)
{
	static const uint8_t nobody[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 0x99 },
			     group[16] = { 0xff, 2, [11] = 1, [12] = 0xff, [15] = 0x99 };
	struct sockaddr_in6 to = port_of(nobody), peer = port_of(PEER6);
	struct timeval limit = { .tv_sec = 20 };
	const uint8_t *ip;
	char octet;
	int fd, with_peer;
	KERNEL(k, kernel_open6)

	ip = k->frame + 14;
	with_peer = udp_to(&peer, sizeof(peer));
	CHECK(send(with_peer, "kept", 4, 0) == 4, "send");
	if (kernel_next(k)) /* the solicitation was answered */
		CHECK(ip[6] == IPPROTO_UDP && !memcmp(ip + 48, "kept", 4), "next header %u", ip[6]);
	close(with_peer);
	kernel_sysctl("ipv6/neigh/hf0/retrans_time_ms", "20");
	fd = udp_to(&to, sizeof(to));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	CHECK(send(fd, "lost", 4, 0) == 4, "send");
	CHECK(recv(fd, &octet, 1, 0) < 0 && errno == EHOSTUNREACH, "recv: %s", strerror(errno));
	for (unsigned i = 0; i < 3; i++) {
		check_context("solicitation %u", i);
		if (!kernel_next(k))
			break;
		CHECK_EQ(get48(k->frame), 0x3333ff000099, "MAC");
		CHECK(ip[6] == IPPROTO_ICMPV6 && ip[7] == 255 && ip[40] == 135, "next header %u", ip[6]);
		CHECK(!memcmp(ip + 8, OUR6, 16) && !memcmp(ip + 24, group, 16) && !memcmp(ip + 48, nobody, 16),
			"addresses");
		CHECK(ip[64] == 1 && ip[65] == 1 && get48(ip + 66) == OUR_MAC, "link-layer address");
	}
	check_context("%s", "");
	kernel_quiet(k);
	close(fd);
	kernel_close(k);
}

/* Whether the kernel has had a confirmation of the peer since `start_ms` (of now_ms()). */
static bool confirmed_since(uint64_t start_ms)
{
	struct neighbour n = kernel_neighbour(PEER6, 16);

	return n.confirmed_ms <= now_ms() - start_ms;
}

/* RFC 4861 7.3.1: an ACK of new data says that the neighbour is there; an advertisement nobody asked for does not. */
static void reachable_by_acknowledgement(void)
{
	struct segment s;
	uint64_t start;
	uint32_t ack;
	size_t len;
	int listener, fd;
	KERNEL(k, kernel_open6)

	kernel_sysctl("ipv6/neigh/hf0/delay_first_probe_time", "60"); /* no probe before this case is over */
	listener = listen6(KERNEL_PORT);
	fd = open6(k, listener, "mss=1440", NULL, &ack);
	start = now_ms();
	usleep(100000); /* several ticks of the kernel's clock */
	give_advertisement(k, OUR6, NA_OVERRIDE, PEER6, OTHER_MAC);
	expect_neighbour6(PEER6, NUD_STALE, OTHER_MAC);
	give_advertisement(k, OUR6, 0, PEER6, OTHER_MAC);
	expect_neighbour6(PEER6, NUD_STALE, OTHER_MAC);
	CHECK(!confirmed_since(start + 50), "confirmed by an advertisement");
	CHECK(fd >= 0 && write(fd, "hello", 5) == 5, "write");
	if (next_tcp6(k, &len))
		CHECK_EQ(len, 5, "octets of text");
	expect_neighbour6(PEER6, NUD_DELAY, OTHER_MAC);
	usleep(100000);
	start = now_ms();
	s = segment6(KERNEL_PORT, 501, ack + 5, HF_ACK, NULL);
	kernel_segment(k, &s);
	kernel_drain(k);			    /* "hello" may have been sent twice */
	CHECK(write(fd, "again", 5) == 5, "write"); /* Linux notes it with the next packet out */
	next_tcp6(k, &len);
	CHECK(confirmed_since(start - 50), "not confirmed by an ACK");
	s = segment6(KERNEL_PORT, 501, 0, HF_RST, NULL);
	kernel_segment(k, &s);
	kernel_drain(k);
	close(fd);
	close(listener);
	kernel_close(k);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(closed_port), CASE(listening_port), CASE(late_ack), CASE(text_with_the_last_ack),
		CASE(unacceptable_in_established), CASE(unacceptable_ack), CASE(half_open), CASE(peer_closes),
		CASE(we_close_one_half), CASE(user_timeout), CASE(timestamps), CASE(effective_send_mss), CASE(path_mtu),
		CASE(source_quench), CASE(echo_and_udp), CASE(fragments), CASE(addresses), CASE(ephemeral_ports),
		CASE(text_with_the_syn_ack), CASE(arp_is_answered), CASE(arp_asks), CASE(gateway),
		CASE(mss_and_path_mtu_ip6), CASE(closed_port_ip6), CASE(extension_headers), CASE(fragments_ip6),
		CASE(solicitations_answered), CASE(solicitations_refused), CASE(advertisements),
		CASE(neighbour_is_solicited), CASE(reachable_by_acknowledgement), { 0 }
	};
	/* clang-format on */

	kernel_prepare();
	return bench_main(argc, argv, "kernel", cases);
}
