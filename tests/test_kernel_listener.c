/* SPDX-License-Identifier: Apache-2.0
 * test_kernel_listener.c - host/bpf against this machine's kernel, in a network namespace of each case's own: the test writes the
 * EVENTs that a board would send, and is the peer behind the TAP netdev. Where the kernel or the build cannot, the
 * cases say why; tests/guest/bpf runs this program on Debian 13's kernel. Time is the test's own. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "../driver/message.h"
#include "../host/bpf/attach.h"
#include "../host/bpf/kernel_listener.h"
#include "../host/bpf/pending.h"
#include "../host/frame.h"
#include "../host/tap.h"
#include "support_bench.h"
#include "support_namespace.h"

#define ISS 0xfffffff0u
enum { IRS = 0x7ffffffe, TSVAL = 5000, TS_RECENT = 777, OFFERS = 4096, GIVE_UP_MS = 20000 };
enum { OPTION_WS = 1, OPTION_TS = 2, OPTION_SACK = 4, OPTION_ALL = 7 };
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct fate {
	unsigned calls, tries;
	enum kernel_listener_reason why;
	uint64_t cookie;
};

static struct tap tap = { .fd = -1 };
static struct kernel_listener *kl;
static struct fate fates[OFFERS];
static unsigned injected;
static bool swallow; /* lose what is injected */
static int64_t now;

static int inject(void *ctx, const uint8_t *frame, size_t len)
{
	(void)ctx;
	injected++;
	return swallow ? 0 : tap_write(&tap, frame, len, false);
}

static void done(void *ctx, uint64_t tag, enum kernel_listener_reason why, uint64_t cookie, unsigned tries)
{
	(void)ctx;
	if (CHECK(tag < OFFERS, "done with tag %llu", (unsigned long long)tag)) {
		fates[tag].calls++;
		fates[tag].why = why;
		fates[tag].cookie = cookie;
		fates[tag].tries = tries;
	}
}

static void set_sysctl(const char *name, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = fopen(path, "we");
	CHECK(f && fputs(value, f) >= 0, "%s cannot be set", path);
	if (f)
		fclose(f);
}

/* A namespace with hf0 (192.0.2.2, 2001:db8::2), peers that need no ARP, and a kernel_listener; false after bench_skip(). */
static bool open_all(void)
{
	struct tap_addresses addresses = { .count = 2 };
	struct kernel_listener_options options = { .give_up_ms = GIVE_UP_MS, .inject = inject, .done = done };
	enum kernel_listener_reason why;
	const char *step = "";
	int rc;

	memset(fates, 0, sizeof(fates));
	injected = 0;
	swallow = false;
	now = 1000;
	if (!enter_namespace()) {
		bench_skip("no network namespace of our own, or no TAP");
		return false;
	}
	address_parse("192.0.2.2/24", &addresses.of[0].address, &addresses.of[0].prefix);
	address_parse("2001:db8::2/64", &addresses.of[1].address, &addresses.of[1].prefix);
	rc = tap_open(&tap, -1, "hf0", NULL, &addresses, 1500, false, &step);
	if (rc) {
		bench_skip(step);
		return false;
	}
	CHECK(system("ip link set lo up; ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev hf0 nud permanent; "
		     "ip neigh replace 2001:db8::1 lladdr 02:00:00:00:00:01 dev hf0 nud permanent") == 0,
		"the peers could not be made known");
	options.ifindex = tap.ifindex;
	memcpy(options.mac, tap.mac, 6);
	rc = kernel_listener_open(&options, &kl, &why);
	if (rc) {
		tap_close(&tap);
		tap.fd = -1;
		/* A refused program or a failed attachment is no lack of the machine's. */
		if (CHECK(why == KERNEL_LISTENER_NO_LIBBPF || why == KERNEL_LISTENER_NO_BTF ||
				    why == KERNEL_LISTENER_NO_KFUNC || why == KERNEL_LISTENER_NO_PERMISSION,
			    "open: %s", kernel_listener_sentence(why)))
			bench_skip(kernel_listener_sentence(why));
		return false;
	}
	return true;
}

static void close_all(void)
{
	kernel_listener_close(kl, false);
	kl = NULL;
	tap_close(&tap);
	tap.fd = -1;
}

/* A listening socket; family AF_INET6 with v6only 0 takes both. */
static int listen_at(int family, int protocol, uint16_t port, int backlog)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	CHECK(fd >= 0 &&
			!bind(fd, family == AF_INET ? (void *)&any : (void *)&any6,
				family == AF_INET ? sizeof(any) : sizeof(any6)) &&
			!listen(fd, backlog),
		"listening on port %u: %s", port, strerror(errno));
	return fd;
}

struct opened {
	bool ip6;
	uint16_t port; /* of the peer */
	unsigned options, mss, vlan;
};

/* The EVENT of a passive open of port 80 that has just been established. */
static const uint8_t *event_of(const struct opened *o)
{
	static uint8_t msg[128];
	static const uint8_t peer[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 };
	static const uint8_t us[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 2 };
	static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 1 };

	memset(msg, 0, sizeof(msg));
	MSG_PUT(msg, HEADER, type, HF_MSG_EVENT);
	MSG_PUT(msg, HEADER, length, 128);
	MSG_PUT(msg, HEADER, id, 0x10003);
	MSG_PUT(msg, EVENT, code, HF_EVENT_ESTABLISHED);
	MSG_PUT(msg, EVENT, state, HF_STATE_ESTABLISHED);
	MSG_PUT(msg, EVENT, options, o->options | (o->vlan ? 1u << 5 : 0));
	MSG_PUT(msg, EVENT, vlan, o->vlan);
	MSG_PUT(msg, EVENT, mss, o->mss ? o->mss : 1400);
	MSG_PUT(msg, EVENT, snd_wscale, o->options & OPTION_WS ? 3 : 0);
	MSG_PUT(msg, EVENT, rcv_wscale, o->options & OPTION_WS ? 7 : 0);
	memcpy(msg + HF_AT_EVENT_remote_addr, o->ip6 ? PEER6 : peer, 16);
	memcpy(msg + HF_AT_EVENT_local_addr, o->ip6 ? OUR6 : us, 16);
	MSG_PUT(msg, EVENT, remote_port, o->port);
	MSG_PUT(msg, EVENT, local_port, 80);
	memcpy(msg + HF_AT_EVENT_remote_mac, peer_mac, 6);
	MSG_PUT(msg, EVENT, iss, ISS);
	MSG_PUT(msg, EVENT, irs, IRS);
	MSG_PUT(msg, EVENT, snd_una, (uint32_t)(ISS + 1));
	MSG_PUT(msg, EVENT, snd_nxt, (uint32_t)(ISS + 1));
	MSG_PUT(msg, EVENT, rcv_nxt, IRS + 1);
	MSG_PUT(msg, EVENT, snd_wnd, 30000);
	MSG_PUT(msg, EVENT, rcv_wnd, 64256);
	MSG_PUT(msg, EVENT, snd_wl1, IRS + 1);
	MSG_PUT(msg, EVENT, snd_wl2, (uint32_t)(ISS + 1));
	if (o->options & OPTION_TS) {
		MSG_PUT(msg, EVENT, ts_recent, TS_RECENT);
		MSG_PUT(msg, EVENT, ts_offset, TSVAL - 100);
		MSG_PUT(msg, EVENT, now_ms, 100);
		MSG_PUT(msg, EVENT, tsecr, TSVAL - 20);
	}
	MSG_PUT(msg, EVENT, seg_wnd, 30000);
	return msg;
}

/* Offer it under its port as tag; what offer() said. */
static enum kernel_listener_reason offer(const struct opened *o)
{
	enum kernel_listener_reason why;
	int rc = kernel_listener_offer(kl, event_of(o), o->port, now, &why);

	CHECK_EQ(rc, kernel_listener_errno(why), "the errno of the reason");
	return why;
}

#define EXPECT_WHY(got, want)                                                                \
	do {                                                                                 \
		enum kernel_listener_reason is_ = (got);                                     \
		CHECK(is_ == (want), "%s: %s, expected %s", #got, kernel_listener_word(is_), \
			kernel_listener_word(want));                                         \
	} while (0)
#define EXPECT_FATE(tag, want)                                  \
	do {                                                    \
		CHECK_EQ(fates[tag].calls, 1, "calls of done"); \
		EXPECT_WHY(fates[tag].why, want);               \
	} while (0)

/* A segment of the peer of this connection, seq and ack counted from its first octets. */
static void peer_says(const struct opened *o, const char *flags, uint32_t seq, uint32_t ack, const char *text)
{
	struct segment s = {
		.sport = o->port,
		.dport = 80,
		.seq = IRS + seq,
		.ack = ISS + ack,
		.flags = flags_parse(flags),
		.wnd = 30000,
		.opts = o->options & OPTION_TS ? "nop nop ts=777:4980" : NULL,
		.text = text,
		.text_len = text ? strlen(text) : 0,
		.ip6 = o->ip6,
	};
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
	size_t len = make_packet(ip, &s);

	len = make_frame(frame, get48(tap.mac), PEER_MAC, ip, len);
	CHECK_EQ(tap_write(&tap, frame, len, false), 0, "writing to the TAP");
}

/* The next TCP segment that the kernel sends, within a second; false if none comes. */
static bool kernel_says(struct frame_tcp *t, char *text, size_t size)
{
	uint8_t frame[TAP_FRAME_MAX];
	struct tap_offload left;

	for (unsigned ms = 0; ms < 1000; ms++) {
		ssize_t n = tap_read(&tap, frame, sizeof(frame), &left);

		if (n > 0 && frame_read_tcp(frame, (size_t)n, t)) {
			snprintf(text, size, "%.*s", (int)(t->end - t->payload), (const char *)frame + t->payload);
			return true;
		}
		if (n <= 0)
			usleep(1000);
	}
	return false;
}

/* The kernel has sent no TCP segment, and has nothing to say. */
static bool kernel_silent(void)
{
	uint8_t frame[TAP_FRAME_MAX];
	struct tap_offload left;
	struct frame_tcp t;
	ssize_t n;

	while ((n = tap_read(&tap, frame, sizeof(frame), &left)) > 0) {
		if (frame_read_tcp(frame, (size_t)n, &t))
			return CHECK(false, "the kernel sent flags 0x%x, seq %u", t.flags, t.seq);
	}
	return true;
}

static void check_reset(void)
{
	struct frame_tcp t;
	char text[64];

	CHECK(kernel_says(&t, text, sizeof(text)) && t.flags & HF_RST, "no RST");
}

static void drain(void)
{
	uint8_t frame[TAP_FRAME_MAX];
	struct tap_offload left;

	while (tap_read(&tap, frame, sizeof(frame), &left) > 0)
		;
}

/* ---- handing over ---- */

/* accept() returns the connection with all that was negotiated; both sides go on from the numbers of the handshake. */
static void hand_over(const struct opened *o, int listener)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info), cookie_length = sizeof(uint64_t);
	struct sockaddr_storage local, remote;
	socklen_t local_length = sizeof(local), remote_length = sizeof(remote);
	struct frame_tcp t;
	uint64_t cookie = 0;
	char text[64] = "";
	int fd;

	EXPECT_WHY(offer(o), KERNEL_LISTENER_NONE);
	EXPECT_FATE(o->port, KERNEL_LISTENER_NONE);
	CHECK_EQ(fates[o->port].tries, 1, "injections");
	fd = accept(listener, (struct sockaddr *)&remote, &remote_length);
	if (!CHECK(fd >= 0, "accept: %s", strerror(errno)))
		return;
	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &cookie_length);
	CHECK_EQ(fates[o->port].cookie, cookie, "SO_COOKIE");
	getsockname(fd, (struct sockaddr *)&local, &local_length);
	CHECK_EQ(ntohs(((struct sockaddr_in *)&local)->sin_port), 80, "local port");
	CHECK_EQ(ntohs(((struct sockaddr_in *)&remote)->sin_port), o->port, "remote port");
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
	CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED, "state");
	CHECK_EQ(info.tcpi_options & TCPI_OPT_TIMESTAMPS, o->options & OPTION_TS ? TCPI_OPT_TIMESTAMPS : 0,
		"timestamps");
	CHECK_EQ(info.tcpi_options & TCPI_OPT_SACK, o->options & OPTION_SACK ? TCPI_OPT_SACK : 0, "SACK");
	CHECK_EQ(info.tcpi_options & TCPI_OPT_WSCALE, o->options & OPTION_WS ? TCPI_OPT_WSCALE : 0, "window scale");
	CHECK_EQ(info.tcpi_snd_wscale, o->options & OPTION_WS ? 3 : 0, "peer's shift");
	CHECK_EQ(info.tcpi_rcv_wscale, o->options & OPTION_WS ? 7 : 0, "our shift");
	CHECK_EQ(info.tcpi_snd_mss, (o->mss ? o->mss : 1400) - (o->options & OPTION_TS ? 12 : 0), "send MSS");

	/* The server speaks first. */
	CHECK(kernel_silent(), "before anybody has written");
	CHECK_EQ(send(fd, "hello", 5, 0), 5, "send");
	if (CHECK(kernel_says(&t, text, sizeof(text)), "nothing sent")) {
		CHECK(!strcmp(text, "hello"), "sent '%s'", text);
		CHECK_EQ(t.seq, (uint32_t)(ISS + 1), "SEG.SEQ");
		CHECK_EQ(t.ack, IRS + 1u, "SEG.ACK");
		CHECK_EQ(t.ts, (o->options & OPTION_TS) != 0, "timestamps");
		if (t.ts) {
			CHECK(t.tsval - TSVAL < 2000, "TSval %u does not go on from %u", t.tsval, TSVAL);
			CHECK_EQ(t.tsecr, TS_RECENT, "TSecr");
		}
		/* Never less than the board has promised. */
		CHECK((t.wnd << (o->options & OPTION_WS ? 7 : 0)) >= 64256 - 256 || !(o->options & OPTION_WS),
			"window %u", t.wnd);
	}
	peer_says(o, "P.", 1, 6, "world");
	memset(text, 0, sizeof(text));
	CHECK_EQ(recv(fd, text, sizeof(text) - 1, 0), 5, "recv");
	CHECK(!strcmp(text, "world"), "received '%s'", text);
	close(fd);
	drain();
}

static void accept_returns_the_connection(void)
{
	int listener;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 16);
	for (unsigned options = 0; options <= OPTION_ALL; options++)
		hand_over(&(struct opened){ .port = (uint16_t)(100 + options), .options = options }, listener);
	hand_over(&(struct opened){ .port = 200, .options = OPTION_ALL, .mss = 536 }, listener);
	close(listener);
	close_all();
}

static void ip6_and_dual_stack(void)
{
	int listener;

	if (!open_all())
		return;
	listener = listen_at(AF_INET6, 0, 80, 16);
	hand_over(&(struct opened){ .port = 100, .options = OPTION_ALL, .ip6 = true }, listener);
	hand_over(&(struct opened){ .port = 101, .options = 0, .ip6 = true, .mss = 1220 }, listener);
	hand_over(&(struct opened){ .port = 102, .options = OPTION_ALL }, listener);
	close(listener);
	close_all();
}

/* The tag is stripped before the program sees the frame; the connection belongs to the VLAN's netdev. */
static void vlan_tag(void)
{
	struct opened o = { .port = 100, .options = OPTION_ALL, .vlan = 5 };
	uint8_t double_tagged[128];
	enum kernel_listener_reason why;
	int listener, fd;

	if (!open_all())
		return;
	if (system("ip link add link hf0 name hf0.5 type vlan id 5 2>/dev/null && ip link set hf0.5 up && ip addr del "
		   "192.0.2.2/24 dev hf0 "
		   "&& ip addr add 192.0.2.2/24 dev hf0.5") != 0) {
		bench_skip("no VLAN netdevs in this kernel");
		close_all();
		return;
	}
	listener = listen_at(AF_INET, 0, 80, 16);
	EXPECT_WHY(offer(&o), KERNEL_LISTENER_NONE);
	EXPECT_FATE(100, KERNEL_LISTENER_NONE);
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0, "accept: %s", strerror(errno));
	close(fd);
	memcpy(double_tagged, event_of(&o), 128);
	MSG_PUT(double_tagged, EVENT, options, 2u << 5);
	CHECK(kernel_listener_offer(kl, double_tagged, 0, now, &why) < 0, "taken");
	EXPECT_WHY(why, KERNEL_LISTENER_DOUBLE_VLAN);
	close(listener);
	close_all();
}

static void workers_of_one_port_share(void)
{
	unsigned got[2] = { 0 };
	int listener[2], fd;

	if (!open_all())
		return;
	for (unsigned i = 0; i < 2; i++)
		listener[i] = listen_at(AF_INET, 0, 80, 1000);
	for (uint16_t port = 1; port <= 200; port++) {
		EXPECT_WHY(offer(&(struct opened){ .port = port, .options = OPTION_ALL }), KERNEL_LISTENER_NONE);
		EXPECT_FATE(port, KERNEL_LISTENER_NONE);
	}
	for (unsigned i = 0; i < 2; i++) {
		for (; (fd = accept(listener[i], NULL, NULL)) >= 0; got[i]++)
			close(fd);
		close(listener[i]);
	}
	CHECK_EQ(got[0] + got[1], 200, "connections of both");
	CHECK(got[0] > 20 && got[1] > 20, "%u and %u", got[0], got[1]);
	close_all();
}

/* ---- a full accept queue ---- */

/* Three connections, a queue of one. The server speaks first, so no peer would ever send again: the ACK is injected until the
 * queue has room. Meanwhile the kernel answers nothing that a peer sends. */
static void full_queue_loses_nothing(void)
{
	struct opened o[3];
	struct frame_tcp t;
	char text[64];
	int listener, fd, wait;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 0);
	for (unsigned i = 0; i < 3; i++) {
		o[i] = (struct opened){ .port = (uint16_t)(100 + i), .options = OPTION_ALL };
		EXPECT_WHY(offer(&o[i]), KERNEL_LISTENER_NONE);
	}
	EXPECT_FATE(100, KERNEL_LISTENER_NONE);
	CHECK_EQ(fates[101].calls + fates[102].calls, 0, "decided too early");
	CHECK_EQ(kernel_listener_pending(kl), 2, "on offer");
	/* An impatient peer: data beyond, at, and before the first octet; a keep-alive; a FIN. */
	peer_says(&o[1], "P.", 6, 1, "later");
	peer_says(&o[1], "P.", 1, 1, "early");
	peer_says(&o[1], ".", 0, 1, NULL);
	peer_says(&o[1], "F.", 11, 1, NULL);
	kernel_silent();
	/* Each wait is what step() says; five seconds. */
	for (int64_t end = now + 5000; now < end; now += wait) {
		wait = kernel_listener_step(kl, now);
		if (!CHECK(wait > 0 && wait <= PENDING_LAST_MS, "wait of %d ms", wait))
			break;
	}
	CHECK(injected > 3 && injected < 40, "%u injections", injected);
	kernel_silent();
	CHECK_EQ(fates[101].calls + fates[102].calls, 0, "decided too early");
	for (unsigned i = 0; i < 3; i++) {
		fd = accept(listener, NULL, NULL);
		if (!CHECK(fd >= 0, "accept %u: %s", i, strerror(errno)))
			break;
		CHECK_EQ(send(fd, "banner", 6, 0), 6, "send");
		CHECK(kernel_says(&t, text, sizeof(text)) && !strcmp(text, "banner") && t.seq == (uint32_t)(ISS + 1),
			"no banner");
		close(fd);
		drain();
		now += PENDING_LAST_MS;
		kernel_listener_step(kl, now);
	}
	for (unsigned i = 1; i < 3; i++) {
		EXPECT_FATE(100 + i, KERNEL_LISTENER_NONE);
		CHECK(fates[100 + i].tries > 1 && fates[100 + i].cookie, "%u tries", fates[100 + i].tries);
	}
	CHECK_EQ(kernel_listener_step(kl, now), -1, "nothing to wait for");
	close(listener);
	close_all();
}

/* What is given up is off the map: the peer's next segment is a stranger's. */
static void full_queue_for_too_long(void)
{
	struct opened first = { .port = 100, .options = OPTION_ALL }, second = { .port = 101, .options = OPTION_ALL };
	int listener, wait, fd;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 0);
	offer(&first);
	offer(&second);
	while ((wait = kernel_listener_step(kl, now)) >= 0 && now < 60000)
		now += wait;
	EXPECT_FATE(101, KERNEL_LISTENER_NOT_ACCEPTED);
	CHECK_EQ(now, 1000 + GIVE_UP_MS, "given up at");
	fd = accept(listener, NULL, NULL);
	close(fd);
	drain();
	peer_says(&second, ".", 1, 1, NULL);
	check_reset();
	CHECK(accept(listener, NULL, NULL) < 0 && errno == EAGAIN, "accepted what was given up");
	close(listener);
	close_all();
}

static void lost_injection_is_repeated(void)
{
	int listener, fd;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 4);
	swallow = true;
	EXPECT_WHY(offer(&(struct opened){ .port = 100 }), KERNEL_LISTENER_NONE);
	CHECK_EQ(fates[100].calls, 0, "decided without a frame");
	CHECK_EQ(kernel_listener_step(kl, now), PENDING_FIRST_MS, "the next time");
	swallow = false;
	now += PENDING_FIRST_MS;
	CHECK_EQ(kernel_listener_step(kl, now), -1, "the next time");
	EXPECT_FATE(100, KERNEL_LISTENER_NONE);
	CHECK_EQ(fates[100].tries, 2, "injections");
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0, "accept: %s", strerror(errno));
	close(fd);
	close(listener);
	close_all();
}

/* The peer's own segment is as good as ours, and data in it is read. */
static void segment_of_the_peer_completes(void)
{
	struct opened o = { .port = 100, .options = OPTION_ALL };
	char text[16] = "";
	int listener, fd;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 4);
	swallow = true;
	offer(&o);
	peer_says(&o, "P.", 1, 1, "GET /");
	kernel_listener_step(kl, now);
	EXPECT_FATE(100, KERNEL_LISTENER_NONE);
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0 && recv(fd, text, sizeof(text) - 1, 0) == 5 && !strcmp(text, "GET /"), "read '%s'", text);
	close(fd);
	close(listener);
	close_all();
}

/* ---- forgeries ---- */

/* Nothing but the map's entry makes a connection: no ACK without one, with other numbers, or with other ports. */
static void forged_acks_are_refused(void)
{
	struct opened o = { .port = 100, .options = OPTION_ALL };
	int listener;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 4);
	peer_says(&o, ".", 1, 1, NULL);
	check_reset();
	swallow = true;
	offer(&o);
	peer_says(&o, ".", 2, 1, NULL);
	peer_says(&o, ".", 1, 2, NULL);
	peer_says(&o, ".", 1, 0, NULL);
	peer_says(&o, "S", 1, 1, NULL);
	peer_says(&o, "S.", 1, 1, NULL);
	peer_says(&o, "", 1, 1, NULL);
	kernel_silent();
	o.port = 101; /* one that is not on offer */
	peer_says(&o, ".", 1, 1, NULL);
	check_reset();
	CHECK(accept(listener, NULL, NULL) < 0 && errno == EAGAIN, "accepted a forgery");
	CHECK_EQ(fates[100].calls, 0, "decided by a forgery");
	/* RFC 5961: a RST counts at RCV.NXT only. */
	o.port = 100;
	peer_says(&o, "R", 2, 0, NULL);
	now += PENDING_FIRST_MS;
	kernel_listener_step(kl, now);
	CHECK_EQ(fates[100].calls, 0, "decided by a blind RST");
	peer_says(&o, "R", 1, 0, NULL);
	now += PENDING_LAST_MS;
	kernel_listener_step(kl, now);
	EXPECT_FATE(100, KERNEL_LISTENER_PEER_RESET);
	close(listener);
	close_all();
}

/* A handshake that the kernel makes itself on the same 4-tuple, here over lo, confirms nothing: its numbers are others. */
static void handshake_of_the_kernel_confirms_nothing(void)
{
	struct opened o = { .port = 100, .options = OPTION_ALL };
	struct sockaddr_in peer = {
		.sin_family = AF_INET, .sin_port = htons(100), .sin_addr.s_addr = htonl(PEER_ADDR)
	};
	struct sockaddr_in us = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(OUR_ADDR) };
	int listener, client, fd;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 4);
	swallow = true;
	offer(&o);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(system("ip addr add 192.0.2.1/32 dev lo") == 0, "no second address");
	CHECK(!bind(client, (struct sockaddr *)&peer, sizeof(peer)) &&
			!connect(client, (struct sockaddr *)&us, sizeof(us)),
		"connect: %s", strerror(errno));
	kernel_listener_step(kl, now);
	CHECK_EQ(fates[100].calls, 0, "decided by a stranger");
	swallow = false;
	now += PENDING_FIRST_MS;
	kernel_listener_step(kl, now);
	EXPECT_FATE(100, KERNEL_LISTENER_EXISTS);
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0, "the kernel's own connection is gone: %s", strerror(errno));
	close(fd);
	close(client);
	close(listener);
	close_all();
}

/* One cgroup spans all network namespaces: the same connection, to the last number, is established in another one. */
static void namespaces_are_kept_apart(void)
{
	struct opened o = { .port = 100, .options = OPTION_ALL };
	struct kernel_listener *first;
	struct tap first_tap;
	int listener;

	if (!open_all())
		return;
	swallow = true;
	offer(&o);
	first = kl;
	first_tap = tap;
	if (open_all()) {
		listener = listen_at(AF_INET, 0, 80, 4);
		EXPECT_WHY(offer(&o), KERNEL_LISTENER_NONE);
		EXPECT_FATE(100, KERNEL_LISTENER_NONE);
		kernel_listener_step(first, now);
		CHECK_EQ(fates[100].calls, 1, "decided in both");
		close(listener);
		close_all();
	}
	kl = first;
	tap = first_tap;
	close_all();
}

static unsigned records;

static void count_record(void *ctx, const struct offer_confirmed *record)
{
	(void)ctx;
	records += record->cookie != 0;
}

/* Confirmations that nobody reads fill the ring; then the map keeps them, and the sockets are served all the same. */
static void full_ring_loses_no_confirmation(void)
{
	enum { N = 400, RING = 4096, TAIL = 20 };
	struct attached *a = NULL;
	struct opened o = { .options = OPTION_ALL };
	unsigned taken = 0, read = 0;
	enum kernel_listener_reason why;
	struct offer_key key = { .remote_addr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 },
		.local_addr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 2 },
		.local_port = htons(80) };
	struct offer offered;
	char text[16];
	int listener, fd;

	if (!open_all())
		return;
	kernel_listener_close(kl, false);
	kl = NULL;
	if (!CHECK(!attached_open(tap.ifindex, N, RING, NULL, &a, &why, text, sizeof(text)), "%s", text))
		return;
	listener = listen_at(AF_INET, 0, 80, N);
	for (o.port = 1; o.port <= N; o.port++) {
		uint64_t cookie = 0;
		socklen_t length = sizeof(cookie);
		int netns = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		getsockopt(netns, SOL_SOCKET, 71 /* SO_NETNS_COOKIE */, &cookie, &length);
		close(netns);
		key.remote_port = htons(o.port);
		offered = (struct offer){ .serial = o.port,
			.netns_cookie = cookie,
			.snd_nxt = ISS + 1,
			.rcv_nxt = IRS + 1u,
			.attributes = { .mss = 1400, .wscale_ok = 1, .sack_ok = 1, .tstamp_ok = 1 } };
		CHECK_EQ(attached_put(a, &key, &offered), 0, "put");
		peer_says(&o, ".", 1, 1, NULL);
	}
	CHECK_EQ(attached_put(a, &key, &offered), -EEXIST, "put twice");
	for (o.port = 1; o.port <= N; o.port++) {
		key.remote_port = htons(o.port);
		if (!attached_get(a, &key, &offered)) {
			taken++;
			CHECK(offered.state == OFFER_TAKEN && offered.cookie, "state %u", offered.state);
			/* What the peer says now is the socket's. */
			peer_says(&o, "P.", 1, 1, "data");
			CHECK(!attached_get(a, &key, &offered) && offered.state == OFFER_TAKEN, "state %u",
				offered.state);
		}
	}
	attached_read(a, count_record, NULL);
	CHECK(records > 100 && taken > TAIL && records + taken == N, "%u in the ring, %u in the map", records, taken);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		read += recv(fd, text, sizeof(text), MSG_DONTWAIT) == 4;
		close(fd);
	}
	CHECK_EQ(read, taken, "sockets with the peer's data");
	attached_close(a, false);
	close(listener);
	close_all();
}

/* After close() nothing of ours is attached any more. */
static void close_leaves_nothing(void)
{
	struct opened o = { .port = 100, .options = OPTION_ALL };
	struct kernel_listener_options options = { .inject = inject, .done = done };
	enum kernel_listener_reason why;
	int listener;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 4);
	swallow = true;
	offer(&o);
	kernel_listener_close(kl, false);
	kl = NULL;
	peer_says(&o, ".", 1, 1, NULL);
	check_reset();
	CHECK_EQ(fates[100].calls, 0, "calls of done after close");
	options.ifindex = 9999;
	CHECK(kernel_listener_open(&options, &kl, &why) < 0, "opened on no netdev");
	EXPECT_WHY(why, KERNEL_LISTENER_NO_NETDEV);
	options.ifindex = 0;
	CHECK(kernel_listener_open(&options, &kl, &why) < 0, "opened on no netdev");
	EXPECT_WHY(why, KERNEL_LISTENER_NO_NETDEV);
	CHECK_EQ(kernel_listener_probe(&why, NULL, 0), 0, "probe");
	close(listener);
	close_all();
}

/* ---- what cannot be ---- */

static void same_four_tuple_twice(void)
{
	struct opened o = { .port = 100, .options = OPTION_ALL };
	int listener, fd;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 4);
	swallow = true;
	EXPECT_WHY(offer(&o), KERNEL_LISTENER_NONE);
	EXPECT_WHY(offer(&o), KERNEL_LISTENER_PENDING);
	swallow = false;
	now += PENDING_FIRST_MS;
	kernel_listener_step(kl, now);
	EXPECT_FATE(100, KERNEL_LISTENER_NONE);
	fates[100].calls = 0;
	EXPECT_WHY(offer(&o), KERNEL_LISTENER_NONE);
	EXPECT_FATE(100, KERNEL_LISTENER_EXISTS);
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0, "the first connection is gone: %s", strerror(errno));
	close(fd);
	close(listener);
	close_all();
}

static void listener_that_goes_away(void)
{
	int listener;

	if (!open_all())
		return;
	EXPECT_WHY(offer(&(struct opened){ .port = 100 }), KERNEL_LISTENER_NONE);
	EXPECT_FATE(100, KERNEL_LISTENER_NO_LISTENER);
	listener = listen_at(AF_INET, 0, 80, 0);
	for (uint16_t port = 101; port < 105; port++)
		offer(&(struct opened){ .port = port });
	CHECK_EQ(kernel_listener_pending(kl), 3, "on offer");
	CHECK_EQ(kernel_listener_withdraw(kl, 81), 0, "withdrawn of another port");
	close(listener);
	now += PENDING_LAST_MS;
	kernel_listener_step(kl, now);
	for (uint16_t port = 102; port < 105; port++)
		EXPECT_FATE(port, KERNEL_LISTENER_NO_LISTENER);
	listener = listen_at(AF_INET, 0, 80, 0);
	for (uint16_t port = 111; port < 115; port++)
		offer(&(struct opened){ .port = port });
	CHECK_EQ(kernel_listener_withdraw(kl, 80), 3, "withdrawn");
	for (uint16_t port = 112; port < 115; port++)
		EXPECT_FATE(port, KERNEL_LISTENER_WITHDRAWN);
	CHECK_EQ(kernel_listener_pending(kl), 0, "on offer");
	close(listener);
	close_all();
}

static void sysctls_decide_what_goes(void)
{
	static const struct {
		const char *name;
		unsigned option;
		enum kernel_listener_reason why;
	} rows[] = {
		{ "tcp_window_scaling", OPTION_WS, KERNEL_LISTENER_WSCALE_OFF },
		{ "tcp_sack", OPTION_SACK, KERNEL_LISTENER_SACK_OFF },
		{ "tcp_timestamps", OPTION_TS, KERNEL_LISTENER_TIMESTAMPS_OFF },
	};
	enum kernel_listener_reason why;
	int listener;

	if (!open_all())
		return;
	listener = listen_at(AF_INET, 0, 80, 64);
	CHECK_EQ(kernel_listener_tcp_options(), OPTION_ALL, "options");
	for (unsigned i = 0; i < COUNT(rows); i++) {
		uint16_t port = (uint16_t)(100 + 10 * i);

		set_sysctl(rows[i].name, "0");
		CHECK_EQ(kernel_listener_tcp_options(), OPTION_ALL & ~rows[i].option, "options");
		/* What is known of the sysctls is a second old at most. */
		now += 1000;
		EXPECT_WHY(offer(&(struct opened){ .port = port, .options = OPTION_ALL }), rows[i].why);
		EXPECT_WHY(offer(&(struct opened){
				   .port = (uint16_t)(port + 1), .options = OPTION_ALL & ~rows[i].option }),
			KERNEL_LISTENER_NONE);
		EXPECT_FATE(port + 1, KERNEL_LISTENER_NONE);
		CHECK_EQ(fates[port].calls, 0, "done for what was not taken");
		set_sysctl(rows[i].name, "1");
		now += 1000;
		EXPECT_WHY(offer(&(struct opened){ .port = (uint16_t)(port + 2), .options = OPTION_ALL }),
			KERNEL_LISTENER_NONE);
		/* Switched off within that second: the kernel says so, and we why. */
		set_sysctl(rows[i].name, "0");
		EXPECT_WHY(offer(&(struct opened){ .port = (uint16_t)(port + 3), .options = OPTION_ALL }),
			KERNEL_LISTENER_NONE);
		EXPECT_FATE(port + 3, rows[i].why);
		set_sysctl(rows[i].name, "1");
	}
	set_sysctl("tcp_syncookies", "0");
	now += 1000;
	EXPECT_WHY(offer(&(struct opened){ .port = 200 }), KERNEL_LISTENER_SYNCOOKIES_OFF);
	CHECK(kernel_listener_probe(&why, NULL, 0) < 0, "probe says yes");
	EXPECT_WHY(why, KERNEL_LISTENER_SYNCOOKIES_OFF);
	now += 1000;
	EXPECT_WHY(offer(&(struct opened){ .port = 201, .mss = 535 }), KERNEL_LISTENER_SYNCOOKIES_OFF);
	set_sysctl("tcp_syncookies", "1");
	now += 1000;
	EXPECT_WHY(offer(&(struct opened){ .port = 202, .mss = 535 }), KERNEL_LISTENER_MSS_TOO_SMALL);
	EXPECT_WHY(offer(&(struct opened){ .port = 203, .mss = 1219, .ip6 = true }), KERNEL_LISTENER_MSS_TOO_SMALL);
	close(listener);
	close_all();
}

static enum kernel_listener_reason serves(const char *text, uint16_t port)
{
	union address local;
	enum kernel_listener_reason why;
	int rc;

	address_parse(text, &local, NULL);
	address_set_port(&local, port);
	rc = kernel_listener_serves(kl, &local.sa, address_size(&local), &why);
	CHECK_EQ(rc, kernel_listener_errno(why), "the errno of the reason");
	return why;
}

static void listeners_that_cannot_be_served_are_named(void)
{
	int fd, on = 1, small = 4096;
	struct sockaddr_in one = { .sin_family = AF_INET, .sin_port = htons(85) };

	if (!open_all())
		return;
	EXPECT_WHY(serves("192.0.2.2", 80), KERNEL_LISTENER_NO_LISTENER);
	fd = listen_at(AF_INET, 0, 80, 4);
	EXPECT_WHY(serves("192.0.2.2", 80), KERNEL_LISTENER_NONE);
	EXPECT_WHY(serves("0.0.0.0", 80), KERNEL_LISTENER_NONE);
	EXPECT_WHY(serves("192.0.2.2", 81), KERNEL_LISTENER_NO_LISTENER);
	EXPECT_WHY(serves("2001:db8::2", 80), KERNEL_LISTENER_NO_LISTENER);
	set_sysctl("tcp_syncookies", "0");
	EXPECT_WHY(serves("192.0.2.2", 80), KERNEL_LISTENER_SYNCOOKIES_OFF);
	set_sysctl("tcp_syncookies", "1");
	close(fd);
	/* Both families in one socket, unless it does not want that. */
	fd = listen_at(AF_INET6, 0, 80, 4);
	EXPECT_WHY(serves("2001:db8::2", 80), KERNEL_LISTENER_NONE);
	EXPECT_WHY(serves("192.0.2.2", 80), KERNEL_LISTENER_NONE);
	EXPECT_WHY(serves("0.0.0.0", 80), KERNEL_LISTENER_NONE);
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	CHECK(!bind(fd, (struct sockaddr *)&(struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(82) },
		      sizeof(struct sockaddr_in6)) &&
			!listen(fd, 1),
		"listen: %s", strerror(errno));
	EXPECT_WHY(serves("192.0.2.2", 82), KERNEL_LISTENER_NO_LISTENER);
	EXPECT_WHY(serves("2001:db8::2", 82), KERNEL_LISTENER_NONE);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	one.sin_addr.s_addr = htonl(OUR_ADDR);
	CHECK(!bind(fd, (struct sockaddr *)&one, sizeof(one)) && !listen(fd, 1), "listen: %s", strerror(errno));
	EXPECT_WHY(serves("192.0.2.2", 85), KERNEL_LISTENER_NONE);
	EXPECT_WHY(serves("0.0.0.0", 85), KERNEL_LISTENER_NO_LISTENER);
	EXPECT_WHY(serves("192.0.2.3", 85), KERNEL_LISTENER_NO_LISTENER);
	close(fd);
	fd = listen_at(AF_INET, 0, 83, 4);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	EXPECT_WHY(serves("192.0.2.2", 83), KERNEL_LISTENER_SMALL_RCVBUF);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	if (fd >= 0) {
		close(fd);
		fd = listen_at(AF_INET, IPPROTO_MPTCP, 80, 4);
		EXPECT_WHY(serves("192.0.2.2", 80), KERNEL_LISTENER_MPTCP);
		EXPECT_WHY(offer(&(struct opened){ .port = 100, .options = OPTION_ALL }), KERNEL_LISTENER_NONE);
		EXPECT_FATE(100, KERNEL_LISTENER_MPTCP);
		close(fd);
	}
	close_all();
}

/* Only the ESTABLISHED event of a passive open; anything else, octets that no board sends included, is refused. */
static void other_events_are_refused(void)
{
	struct opened o = { .port = 100, .options = OPTION_ALL };
	uint64_t seed = 1;
	uint8_t msg[128];
	enum kernel_listener_reason why;

	if (!open_all())
		return;
	memcpy(msg, event_of(&o), 128);
	MSG_PUT(msg, EVENT, listener, 64);
	CHECK(kernel_listener_offer(kl, msg, 0, now, &why) < 0 && why == KERNEL_LISTENER_NOT_PASSIVE, "active open");
	memcpy(msg, event_of(&o), 128);
	MSG_PUT(msg, EVENT, code, HF_EVENT_RESET);
	CHECK(kernel_listener_offer(kl, msg, 0, now, &why) < 0 && why == KERNEL_LISTENER_NOT_PASSIVE, "event RESET");
	memcpy(msg, event_of(&o), 128);
	msg[HF_AT_EVENT_local_addr]++;
	CHECK(kernel_listener_offer(kl, msg, 0, now, &why) < 0 && why == KERNEL_LISTENER_NOT_PASSIVE, "two families");
	for (unsigned i = 0; i < 5000; i++) {
		memcpy(msg, event_of(&o), 128);
		for (unsigned n = 1 + random_below(&seed, 8); n; n--)
			msg[16 + random_below(&seed, 112)] = (uint8_t)random_next(&seed);
		/* Nobody listens, so that one that is taken is decided at once. */
		kernel_listener_offer(kl, msg, i % OFFERS, now, &why);
		CHECK_EQ(kernel_listener_pending(kl), 0, "on offer");
	}
	close_all();
}

static void thousands_at_once(void)
{
	enum { N = 3000 };
	unsigned accepted = 0;
	int listener, fd;

	if (!open_all())
		return;
	set_sysctl("../core/somaxconn", "4096");
	listener = listen_at(AF_INET, 0, 80, 1000);
	for (uint16_t port = 1; port <= N; port++)
		EXPECT_WHY(offer(&(struct opened){ .port = port, .options = OPTION_ALL }), KERNEL_LISTENER_NONE);
	for (unsigned round = 0; round < 100 && accepted < N; round++) {
		for (; (fd = accept(listener, NULL, NULL)) >= 0; accepted++)
			close(fd);
		drain();
		now += PENDING_LAST_MS / 2;
		kernel_listener_step(kl, now);
	}
	CHECK_EQ(accepted, N, "accepted");
	for (uint16_t port = 1; port <= N; port++)
		EXPECT_FATE(port, KERNEL_LISTENER_NONE);
	close(listener);
	close_all();
}

/* ---- pending.c, without a kernel ---- */

static void waits_double_and_end(void)
{
	static const int at[] = { 0, 10, 30, 70, 150, 310, 630, 1270, 2270, 3000 };
	struct pending_set *set = pending_new(4, 3000);
	uint32_t slot = pending_add(set, 500);

	for (unsigned i = 0; i < COUNT(at); i++) {
		CHECK_EQ(pending_due(set, 500 + at[i] - 1), PENDING_NONE, "due too early");
		CHECK_EQ(pending_due(set, 500 + at[i]), slot, "due");
		CHECK_EQ(pending_over(set, slot, 500 + at[i]), i == COUNT(at) - 1, "over");
		pending_tried(set, slot, 500 + at[i]);
	}
	CHECK_EQ(pending_wait_ms(set, 500), 3000, "wait");
	CHECK_EQ(pending_wait_ms(set, 9999), 0, "wait");
	pending_remove(set, slot);
	CHECK_EQ(pending_wait_ms(set, 0), -1, "wait");
	pending_free(set);
}

/* Random adds, tries and removals beside a plain array: the same one is due first, slots and serials never mix. */
static void order_is_that_of_a_plain_list(void)
{
	enum { MAX = 100 };
	struct pending_set *set = pending_new(MAX, 4000);
	struct {
		uint32_t slot;
		uint64_t serial;
	} list[MAX];
	unsigned n = 0;
	int64_t t = 0;
	uint64_t seed = 7;

	for (unsigned step = 0; step < 20000; step++) {
		unsigned what = random_below(&seed, 8), i = n ? random_below(&seed, n) : 0;
		int64_t first = INT64_MAX;

		t += random_below(&seed, 5);
		if (what < 3) {
			uint32_t slot = pending_add(set, t);

			CHECK_EQ(slot == PENDING_NONE, n == MAX, "full");
			if (slot != PENDING_NONE) {
				list[n].slot = slot;
				list[n++].serial = pending_at(set, slot)->serial;
			}
		} else if (what < 5 && n) {
			pending_remove(set, list[i].slot);
			CHECK_EQ(pending_find(set, list[i].serial), PENDING_NONE, "found after its removal");
			list[i] = list[--n];
		} else if (n) {
			pending_tried(set, list[i].slot, t);
		}
		CHECK_EQ(pending_count(set), n, "count");
		for (unsigned k = 0; k < n; k++) {
			const struct pending *p = pending_at(set, list[k].slot);

			if (!CHECK(p && p->serial == list[k].serial && pending_find(set, p->serial) == list[k].slot,
				    "slot %u is another's", list[k].slot))
				return;
			first = p->due_ms < first ? p->due_ms : first;
		}
		CHECK_EQ(pending_wait_ms(set, t), n == 0 ? -1 : first <= t ? 0 : first - t, "wait");
	}
	pending_free(set);
}

/* Added at random times, half of them removed: the rest comes out by time. */
static void what_is_left_comes_out_by_time(void)
{
	enum { N = 200 };
	uint64_t seed = 3;

	for (unsigned round = 0; round < 100; round++) {
		struct pending_set *set = pending_new(N, 1000);
		uint32_t slot[N];
		int64_t last = INT64_MIN;

		for (unsigned i = 0; i < N; i++)
			slot[i] = pending_add(set, random_below(&seed, 100000));
		for (unsigned i = 0; i < N; i += 2)
			pending_remove(set, slot[i]);
		for (unsigned i = 0; i < N / 2; i++) {
			uint32_t first = pending_due(set, 100000);

			if (!CHECK(first != PENDING_NONE && pending_at(set, first)->due_ms >= last, "not by time"))
				break;
			last = pending_at(set, first)->due_ms;
			pending_remove(set, first);
		}
		CHECK_EQ(pending_count(set), 0, "left");
		pending_free(set);
	}
}

static void every_reason_has_words(void)
{
	for (unsigned i = 0; i < KERNEL_LISTENER_REASONS; i++) {
		CHECK(*kernel_listener_word(i) && *kernel_listener_sentence(i), "reason %u has none", i);
		CHECK(i ? kernel_listener_errno(i) < 0 : !kernel_listener_errno(i), "errno of reason %u", i);
		for (unsigned k = 0; k < i; k++)
			CHECK(strcmp(kernel_listener_word(i), kernel_listener_word(k)), "reasons %u and %u", i, k);
	}
	CHECK_EQ(kernel_listener_errno(KERNEL_LISTENER_REASONS), -EINVAL, "errno of no reason");
}

static const struct bench_case cases[] = {
	CASE_ONCE(waits_double_and_end),
	CASE_ONCE(order_is_that_of_a_plain_list),
	CASE_ONCE(what_is_left_comes_out_by_time),
	CASE_ONCE(every_reason_has_words),
	CASE_ONCE(accept_returns_the_connection),
	CASE_ONCE(ip6_and_dual_stack),
	CASE_ONCE(vlan_tag),
	CASE_ONCE(workers_of_one_port_share),
	CASE_ONCE(full_queue_loses_nothing),
	CASE_ONCE(full_queue_for_too_long),
	CASE_ONCE(lost_injection_is_repeated),
	CASE_ONCE(segment_of_the_peer_completes),
	CASE_ONCE(forged_acks_are_refused),
	CASE_ONCE(handshake_of_the_kernel_confirms_nothing),
	CASE_ONCE(namespaces_are_kept_apart),
	CASE_ONCE(full_ring_loses_no_confirmation),
	CASE_ONCE(close_leaves_nothing),
	CASE_ONCE(same_four_tuple_twice),
	CASE_ONCE(listener_that_goes_away),
	CASE_ONCE(sysctls_decide_what_goes),
	CASE_ONCE(listeners_that_cannot_be_served_are_named),
	CASE_ONCE(other_events_are_refused),
	CASE_ONCE(thousands_at_once),
	{ 0 },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, "test_kernel_listener", cases);
}
