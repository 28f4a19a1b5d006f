/* SPDX-License-Identifier: Apache-2.0
 * test_handoff.c - the host library: events become kernel sockets. The board is a fake that the test drives, so
 * that each mishap can be made on purpose; the kernel is the real one, in network namespaces of the test's own. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../host/handfast.h"
#include "../host/handoff.h"
#include "../host/owned.h"
#include "support_bench.h"
#include "support_event.h"
#include "support_fake_board.h"
#include "support_namespace.h"

static bool privileged; /* in a namespace of our own, with CAP_NET_ADMIN */

static bool needs_privilege(void)
{
	if (!privileged)
		bench_skip("needs CAP_NET_ADMIN, a network namespace and /dev/net/tun");
	return privileged;
}

static unsigned open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* ---- events ---- */

static void event_is_read(void)
{
	uint8_t msg[128];
	struct connection c;

	event_message(msg, &(struct fake_event){ .id = 0x30002, .listener = 3, .remote_port = 4321 });
	CHECK_EQ(handoff_parse(msg, &c), 0, "parse");
	CHECK_EQ(c.id, 0x30002, "id");
	CHECK_EQ(c.listener, 3, "listener");
	CHECK_EQ(ntohl(c.remote.in.sin_addr.s_addr), PEER_ADDR, "remote");
	CHECK_EQ(address_port(&c.remote), 4321, "remote port");
	CHECK_EQ(ntohl(c.local.in.sin_addr.s_addr), OUR_ADDR, "local");
	CHECK_EQ(address_port(&c.local), OUR_PORT, "local port");
	CHECK_EQ(c.snd_nxt, ISS + 1, "SND.NXT");
	CHECK_EQ(c.rcv_nxt, IRS + 1, "RCV.NXT");
	CHECK_EQ(c.tsval, TSVAL, "TSval");
	CHECK(c.ws_ok && c.ts_ok && c.sack_ok && c.mss == 1000 && c.snd_wscale == 3 && c.rcv_wscale == 5, "options");
}

static void events_that_make_no_sense(void)
{
	uint8_t msg[128];
	struct connection c;

	event_message(msg, &(struct fake_event){ .remote_port = 1 });
	MSG_PUT(msg, EVENT, code, 2);
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "unknown code");
	event_message(msg, &(struct fake_event){ .remote_port = 1 });
	MSG_PUT(msg, EVENT, state, HF_STATE_SYN_RECEIVED);
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "state SYN-RECEIVED");
	event_message(msg, &(struct fake_event){ .remote_port = 1 });
	msg[HF_AT_EVENT_remote_addr] = 0x20;
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "IPv6 peer of an IPv4 address");
	event_message(msg, &(struct fake_event){ .remote_port = 1 });
	msg[HF_AT_EVENT_local_addr + 10] = 0;
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "IPv6 local address of an IPv4 peer");
	event_message(msg, &(struct fake_event){ .ip6 = true, .remote_port = 1 });
	CHECK_EQ(handoff_parse(msg, &c), 0, "IPv6");
	memset(msg + HF_AT_EVENT_local_addr, 0, 16);
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "IPv6, local ::");
	event_message(msg, &(struct fake_event){ .ip6 = true, .remote_port = 1 });
	msg[HF_AT_EVENT_remote_addr] = 0xff;
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "multicast peer");
	event_message(msg, &(struct fake_event){ .remote_port = 1 });
	MSG_PUT(msg, EVENT, snd_wscale, 15);
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "window shift 15");
	event_message(msg, &(struct fake_event){ .remote_port = 1 });
	MSG_PUT(msg, EVENT, options, 3 << 5);
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "three VLAN tags");
	event_message(msg, &(struct fake_event){ .remote_port = 1 });
	MSG_PUT(msg, EVENT, mss, 0);
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "MSS 0");
	event_message(msg, &(struct fake_event){ .remote_port = 0 });
	CHECK_EQ(handoff_parse(msg, &c), -EBADMSG, "port 0");
}

static void replayed_ack(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
	uint8_t msg[128], got[HANDOFF_ACK_BYTES], want[PACKET_MAX], ip[PACKET_MAX];
	struct connection c;

	for (int bare = 0; bare < 2; bare++) {
		struct segment s = { .src = PEER_ADDR,
			.dst = OUR_ADDR,
			.sport = 999,
			.dport = OUR_PORT,
			.seq = IRS + 1,
			.ack = ISS + 1,
			.flags = HF_ACK,
			.wnd = 1000,
			.opts = bare ? NULL : "nop nop ts=5000:69990" };
		size_t len = make_packet(ip, &s);

		event_message(msg, &(struct fake_event){ .remote_port = 999, .bare = bare });
		handoff_parse(msg, &c);
		make_frame(want, OUR_MAC, PEER_MAC, ip, len);
		check_context(bare ? "without options: " : "with timestamps: ");
		CHECK_BYTES("frame", got, handoff_replay(&c, mac, got), want, 14 + len);

		/* A completing segment beyond RCV.NXT: the replay is at RCV.NXT all the same. */
		MSG_PUT(msg, EVENT, snd_wl1, IRS + 50);
		handoff_parse(msg, &c);
		CHECK_BYTES("frame", got, handoff_replay(&c, mac, got), want, 14 + len);
		check_context("%s", "");
	}
}

/* ---- who owns what ---- */

static void owned_oldest_first(void)
{
	struct owned *o = owned_new(8);

	CHECK_EQ(owned_oldest(o), HF_NO_ID, "empty");
	CHECK_EQ(owned_remove(o, 1), HF_NO_ID, "empty");
	for (uint32_t i = 0; i < 8; i++)
		CHECK_EQ(owned_add(o, 0x10000 | (i * 3 % 8), 100 + 8 * i), 0, "add"); /* all cookies in one bucket */
	CHECK_EQ(owned_add(o, 0x10008, 1), -EINVAL, "a slot the board does not have");
	CHECK_EQ(owned_count(o), 8, "count");
	CHECK_EQ(owned_remove(o, 100 + 8 * 3), 0x10001, "from the middle");
	CHECK_EQ(owned_remove(o, 100 + 8 * 3), HF_NO_ID, "twice");
	CHECK_EQ(owned_oldest(o), 0x10000, "oldest");
	CHECK_EQ(owned_oldest(o), 0x10003, "next");
	/* The board gave the slot away: the old socket is not ours to release any more. */
	CHECK_EQ(owned_add(o, 0x20006, 7), 0, "add");
	CHECK_EQ(owned_remove(o, 100 + 8 * 2), HF_NO_ID, "cookie of the former owner");
	CHECK_EQ(owned_remove(o, 7), 0x20006, "the new one");
	CHECK_EQ(owned_count(o), 4, "count");
	owned_clear(o);
	CHECK_EQ(owned_count(o), 0, "count after clear");
	CHECK_EQ(owned_oldest(o), HF_NO_ID, "after clear");
	owned_free(o);
}

/* ---- a library on a fake board ---- */

struct host {
	struct fake_board board;
	struct hf_device *dev;
	struct hf_listener *listener;
	unsigned fds_before;
};

static const struct hf_options plain = { .address = "192.0.2.2/24", .tap = "hf0", .mac = "02:00:00:00:00:02" };

static struct host *host_new(void)
{
	struct host *h = calloc(1, sizeof(*h));

	/* A namespace of its own for each, so that orphaned sockets of one test do not speak in the next. */
	if (privileged)
		CHECK(unshare(CLONE_NEWNET) == 0, "unshare: %s", strerror(errno));
	h->fds_before = open_fds();
	fake_board_init(&h->board);
	h->board.arp_mac = PEER_MAC;
	return h;
}

static int host_listen(struct host *h, uint32_t addr, uint16_t port, int backlog, struct hf_listener **l)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(addr) };

	return hf_listen(h->dev, (struct sockaddr *)&local, sizeof(local), backlog, l);
}

static bool host_start(struct host *h, int backlog)
{
	int rc;

	if (!CHECK(fake_board_start(&h->board), "the fake board does not start"))
		return false;
	rc = hf_open(h->board.uri, &plain, &h->dev);
	if (!CHECK(rc == 0, "hf_open: %d %s", rc, hf_error(NULL)))
		return false;
	rc = host_listen(h, 0, OUR_PORT, backlog, &h->listener);
	return CHECK(rc == 0, "hf_listen: %d %s", rc, hf_error(h->dev));
}

static void host_end(struct host *h)
{
	unsigned before = h->fds_before;

	hf_close(h->dev);
	fake_board_stop(&h->board);
	CHECK(h->board.malformed == 0, "%u packets whose length was not their length", h->board.malformed);
	free(h);
	CHECK_EQ(open_fds(), before, "file descriptors");
	CHECK(if_nametoindex("hf0") == 0, "the TAP netdev is still there");
}

static void host_event(struct host *h, const struct fake_event *e)
{
	uint8_t msg[128];

	fake_board_send(&h->board, msg, event_message(msg, e));
}

static void host_segment(struct host *h, uint32_t id, const struct segment *s)
{
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];

	fake_board_send_frame(&h->board, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, s)),
		HF_FRAME_CSUM_OK | HF_FRAME_CONN, id);
}

static uint64_t stat_of(struct host *h, const char *name)
{
	struct hf_stat stats[128];
	int n = hf_stats(h->dev, stats, COUNT(stats));

	for (int i = 0; i < n && i < (int)COUNT(stats); i++) {
		if (!strcmp(stats[i].name, name))
			return stats[i].value;
	}
	CHECK(false, "no counter %s (hf_stats: %d)", name, n);
	return UINT64_MAX;
}

/* The nth TCP frame from the host, from 0; NULL if it does not come. */
static const uint8_t *host_tcp(struct host *h, unsigned n)
{
	if (!CHECK(fake_board_wait(&h->board, &h->board.frames, n + 1), "frame %u did not come", n))
		return NULL;
	return h->board.frame[n].bytes + 34;
}

static struct segment from_peer(
	uint16_t port, uint32_t seq, uint32_t ack, unsigned flags, const char *opts, const char *text)
{
	return (struct segment){ .src = PEER_ADDR,
		.dst = OUR_ADDR,
		.sport = port,
		.dport = OUR_PORT,
		.seq = seq,
		.ack = ack,
		.flags = (uint16_t)flags,
		.wnd = 1000,
		.opts = opts,
		.text = text,
		.text_len = text ? strlen(text) : 0 };
}

/* ---- hf_open ---- */

static void arguments_of_open(void)
{
	static const struct {
		const char *name, *uri;
		struct hf_options o;
		const char *text;
	} rows[] = {
		{ "no URI", NULL, { .address = "192.0.2.2/24" }, "URI" },
		{ "unknown transport", "pcie:0000:00:01.0", { .address = "192.0.2.2/24" }, "pcie:0000:00:01.0" },
		{ "no path", "unix:", { .address = "192.0.2.2/24" }, "unix:" },
		{ "no address", "unix:/x", { 0 }, "address" },
		{ "no prefix", "unix:/x", { .address = "192.0.2.2" }, "192.0.2.2" },
		{ "prefix 0", "unix:/x", { .address = "192.0.2.2/0" }, "192.0.2.2/0" },
		{ "prefix 33", "unix:/x", { .address = "192.0.2.2/33" }, "192.0.2.2/33" },
		{ "prefix with rubbish", "unix:/x", { .address = "192.0.2.2/24x" }, "24x" },
		{ "negative prefix", "unix:/x", { .address = "192.0.2.2/-1" }, "-1" },
		{ "0.0.0.0", "unix:/x", { .address = "0.0.0.0/24" }, "0.0.0.0" },
		{ "prefix 129", "unix:/x", { .address = "2001:db8::1/129" }, "/129" },
		{ "multicast", "unix:/x", { .address = "ff02::1/64" }, "ff02::1" },
		{ "the same twice", "unix:/x", { .address = "192.0.2.2/24, 192.0.2.2/25" }, "/25" },
		{ "comma and nothing", "unix:/x", { .address = "192.0.2.2/24," }, "24," },
		{ "no comma", "unix:/x", { .address = "192.0.2.2/24 2001:db8::1/64" }, "db8" },
		{ "three of IPv6", "unix:/x", { .address = "2001:db8::1/64,2001:db8::2/64,2001:db8::3/64" }, "::3" },
		{ "MAC of a group", "unix:/x", { .address = "192.0.2.2/24", .mac = "01:00:00:00:00:01" }, "01:00" },
		{ "short MAC", "unix:/x", { .address = "192.0.2.2/24", .mac = "02:00:00:00:00" }, "mac" },
		{ "long MAC", "unix:/x", { .address = "192.0.2.2/24", .mac = "02:00:00:00:00:01:02" }, "mac" },
		{ "long netdev name", "unix:/x", { .address = "192.0.2.2/24", .tap = "sixteen-letters-" }, "sixteen" },
		{ "netdev name with %", "unix:/x", { .address = "192.0.2.2/24", .tap = "hf%d" }, "hf%d" },
	};
	struct hf_device *dev = NULL;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int rc = hf_open(rows[i].uri, &rows[i].o, &dev);

		CHECK(rc == -EINVAL, "%s: %d", rows[i].name, rc);
		CHECK(strstr(hf_error(NULL), rows[i].text) != NULL, "%s: the text is '%s'", rows[i].name,
			hf_error(NULL));
	}
	CHECK_EQ(hf_open("unix:/x", NULL, &dev), -EINVAL, "no options");
	CHECK_EQ(hf_open("unix:/nonexistent/board", &plain, &dev), -ENOENT, "no such path");
	CHECK(strstr(hf_error(NULL), "/nonexistent/board") != NULL, "the text is '%s'", hf_error(NULL));
	hf_close(NULL);
	CHECK_EQ(hf_listener_close(NULL), 0, "closing no listener");
}

static void boards_that_open_refuses(void)
{
	static const uint8_t cut[] = { HF_MSG_HELLO, 0, 40, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 0, 0, 0 };
	static const struct {
		const char *name;
		uint32_t version, hello_version;
		const uint8_t *first;
		bool silent, hang_up;
		int rc;
	} rows[] = {
		{ "another version", HF_ABI_VERSION + 1, HF_ABI_VERSION, NULL, false, false, -EPROTO },
		{ "another version in HELLO", HF_ABI_VERSION, 9, NULL, false, false, -EPROTO },
		{ "truncated HELLO", 1, 1, cut, false, false, -EPROTO },
		{ "silence", 1, 1, NULL, true, false, -ETIMEDOUT },
		{ "hangs up", 1, 1, NULL, false, true, -ENODEV },
	};
	struct hf_options o = plain;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct host *h = host_new();
		int rc;

		o.hello_ms = rows[i].silent ? 50 : 0;
		h->board.version = rows[i].version;
		h->board.hello_version = rows[i].hello_version;
		h->board.first = rows[i].first;
		h->board.first_len = sizeof(cut);
		h->board.silent = rows[i].silent;
		h->board.hang_up_first = rows[i].hang_up;
		CHECK(fake_board_start(&h->board), "the fake board does not start");
		rc = hf_open(h->board.uri, &o, &h->dev);
		CHECK(rc == rows[i].rc, "%s: %d, want %d", rows[i].name, rc, rows[i].rc);
		CHECK(strstr(hf_error(NULL), h->board.path) != NULL, "%s: the text is '%s'", rows[i].name,
			hf_error(NULL));
		h->dev = NULL;
		host_end(h);
	}
}

/* In a child without privileges; the exit code says what went wrong. */
static int without_privilege(const struct host *h)
{
	uint8_t msg[128];
	struct connection c;
	struct hf_device *dev;
	const char *step = "";

	if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
		return 1;
	if (hf_open(h->board.uri, &plain, &dev) != -EPERM)
		return 2;
	if (!strstr(hf_error(NULL), "CAP_NET_ADMIN"))
		return 3;
	event_message(msg, &(struct fake_event){ .remote_port = 5 });
	handoff_parse(msg, &c);
	if (handoff_socket(&c, -1, &step) != -EPERM || !strstr(step, "CAP_NET_ADMIN"))
		return 4;
	return 0;
}

static void no_cap_net_admin(void)
{
	struct host *h = host_new();
	int status = -1;
	pid_t child;

	CHECK(fake_board_start(&h->board), "the fake board does not start");
	child = fork();
	if (child == 0)
		_exit(without_privilege(h));
	waitpid(child, &status, 0);
	/* In a user namespace of ours there is no second user to become. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		bench_skip("cannot become an unprivileged user here");
	else
		CHECK(status == 0, "exit code %d: 2 not -EPERM, 3 no clear text, 4 handoff", WEXITSTATUS(status));
	host_end(h);
}

static void tap_that_is_taken(void)
{
	struct host *h = host_new(), *other = host_new();
	struct hf_options o = plain;
	int rc;

	if (!needs_privilege()) {
		free(h);
		free(other);
		return;
	}
	host_start(h, 4);
	CHECK(fake_board_start(&other->board), "the fake board does not start");
	rc = hf_open(other->board.uri, &plain, &other->dev);
	CHECK(rc == -EBUSY, "the same TAP twice: %d", rc);
	CHECK(strstr(hf_error(NULL), "hf0") != NULL, "the text is '%s'", hf_error(NULL));
	fake_board_stop(&other->board);

	fake_board_init(&other->board);
	CHECK(fake_board_start(&other->board), "the fake board does not start");
	o.tap = "lo";
	rc = hf_open(other->board.uri, &o, &other->dev);
	CHECK(rc == -EEXIST, "lo as TAP: %d", rc);
	fake_board_stop(&other->board);

	fake_board_init(&other->board);
	CHECK(fake_board_start(&other->board), "the fake board does not start");
	o.tap = "hf1";
	o.mtu = 1501;
	rc = hf_open(other->board.uri, &o, &other->dev);
	CHECK(rc == -EINVAL, "MTU over MAX_FRAME: %d", rc);
	fake_board_stop(&other->board);
	free(other);
	host_end(h);
}

static void board_is_set_up(void)
{
	struct host *h = host_new();
	uint32_t value = 0, key[2] = { 0, 0 };
	unsigned enable_at = 0, last_key_at = 0, keys = 0;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	pthread_mutex_lock(&h->board.lock);
	for (unsigned i = 0; i < h->board.writes; i++) {
		if (h->board.write[i].offset == HF_REG_CTRL && h->board.write[i].value & CTRL_ENABLE && !enable_at)
			enable_at = i;
		if ((h->board.write[i].offset >= HF_REG_KEY_INDEX0 && h->board.write[i].offset <= HF_REG_KEY_ISN3) ||
			(h->board.write[i].offset >= HF_REG_KEY_COOKIE_A0 &&
				h->board.write[i].offset <= HF_REG_KEY_COOKIE_B3))
			last_key_at = i, keys++;
	}
	key[0] = h->board.reg[HF_REG_KEY_INDEX0 / 4];
	pthread_mutex_unlock(&h->board.lock);
	CHECK_EQ(keys, 16, "words of keys written");
	CHECK(last_key_at && last_key_at < enable_at, "keys at %u, ENABLE at %u", last_key_at, enable_at);
	CHECK_EQ(fake_board_written(&h->board, HF_REG_MAC_LO, &value), 1, "MAC_LO written");
	CHECK_EQ(value, 0x00000002, "MAC_LO");
	fake_board_written(&h->board, HF_REG_MAC_HI, &value);
	CHECK_EQ(value, 0x0200, "MAC_HI");
	fake_board_written(&h->board, HF_REG_LOCAL_ADDR0, &value);
	CHECK_EQ(value, OUR_ADDR, "LOCAL_ADDR0");
	fake_board_written(&h->board, HF_REG_MSS, &value);
	CHECK_EQ(value, 1460, "MSS");
	fake_board_written(&h->board, HF_REG_RCV_WND, &value);
	CHECK(value >= 2920 && value <= 65535, "RCV_WND %u", (unsigned)value);
	fake_board_written(&h->board, HF_REG_WSCALE, &value);
	CHECK(value <= 14, "WSCALE %u", (unsigned)value);
	fake_board_written(&h->board, HF_REG_LISTEN_PORT, &value);
	CHECK_EQ(value, OUR_PORT, "LISTEN_PORT");
	fake_board_written(&h->board, HF_REG_LISTEN_COMMIT, &value);
	CHECK_EQ(value, LISTEN_OFFLOAD << 8, "LISTEN_COMMIT");
	hf_close(h->dev);
	h->dev = NULL;
	fake_board_written(&h->board, HF_REG_CTRL, &value);
	CHECK_EQ(value, 0, "CTRL after hf_close");
	fake_board_written(&h->board, HF_REG_LISTEN_COMMIT, &value);
	CHECK_EQ(value, 0, "LISTEN_COMMIT after hf_close");
	host_end(h);

	h = host_new();
	host_start(h, 4);
	key[1] = h->board.reg[HF_REG_KEY_INDEX0 / 4];
	CHECK(key[0] != key[1], "the same key twice: 0x%08x", (unsigned)key[0]);
	host_end(h);
}

static void heartbeat_goes_on(void)
{
	struct host *h = host_new();

	if (!needs_privilege()) {
		free(h);
		return;
	}
	h->board.heartbeat_ms = 40;
	host_start(h, 4);
	for (unsigned i = 0; i < 400 && fake_board_written(&h->board, HF_REG_HEARTBEAT, NULL) < 5; i++)
		usleep(5000);
	CHECK(fake_board_written(&h->board, HF_REG_HEARTBEAT, NULL) >= 5, "no heartbeat");
	host_end(h);
}

/* ---- hf_listen ---- */

static void listening(void)
{
	struct host *h = host_new();
	struct hf_listener *l[4] = { NULL };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(80) };

	if (!needs_privilege()) {
		free(h);
		return;
	}
	h->board.listeners = 3;
	host_start(h, 4);
	CHECK_EQ(host_listen(h, 0, OUR_PORT, 4, &l[0]), -EADDRINUSE, "the same twice");
	CHECK(strstr(hf_error(h->dev), "80") != NULL, "the text is '%s'", hf_error(h->dev));
	CHECK_EQ(host_listen(h, OUR_ADDR, OUR_PORT, 4, &l[0]), 0, "an address of its own");
	CHECK_EQ(host_listen(h, 0, 81, 4, &l[1]), 0, "another port");
	CHECK_EQ(host_listen(h, 0, 82, 4, &l[2]), -ENOSPC, "no room in the listen table");
	CHECK_EQ(hf_listener_close(l[0]), 0, "close");
	CHECK_EQ(host_listen(h, 0, 82, 4, &l[2]), 0, "room again");
	CHECK_EQ(host_listen(h, 0, 0, 4, &l[3]), -EINVAL, "port 0");
	CHECK_EQ(host_listen(h, 0, 83, 0, &l[3]), -EINVAL, "backlog 0");
	CHECK_EQ(host_listen(h, 0, 83, HF_BACKLOG_MAX + 1, &l[3]), -EINVAL, "backlog too large");
	six.sin6_family = AF_UNIX;
	CHECK_EQ(hf_listen(h->dev, (struct sockaddr *)&six, sizeof(six), 4, &l[3]), -EAFNOSUPPORT, "a unix socket");
	CHECK_EQ(hf_listen(h->dev, (struct sockaddr *)&six, 1, 4, &l[3]), -EINVAL, "a short address");

	CHECK_EQ(hf_listener_close(l[1]), 0, "close");
	fake_board_switch(&h->board, &h->board.mute, true);
	CHECK_EQ(host_listen(h, 0, 84, 4, &l[3]), -ETIMEDOUT, "a board that does not answer");
	pthread_mutex_lock(&h->board.lock);
	h->board.mute = false;
	h->board.refused_offset = HF_REG_LISTEN_COMMIT;
	pthread_mutex_unlock(&h->board.lock);
	CHECK_EQ(host_listen(h, 0, 84, 4, &l[3]), -EACCES, "a board that refuses");
	pthread_mutex_lock(&h->board.lock);
	h->board.refused_offset = UINT32_MAX;
	pthread_mutex_unlock(&h->board.lock);
	CHECK_EQ(host_listen(h, 0, 84, 4, &l[3]), 0, "no slot was lost by that");
	host_end(h); /* closes what is open */
}

/* ---- connections ---- */

static void connection_becomes_a_socket(void)
{
	struct host *h = host_new();
	struct sockaddr_storage peer;
	struct sockaddr_in *sin = (struct sockaddr_in *)&peer;
	struct tcp_info info;
	socklen_t len = sizeof(info);
	const uint8_t *tcp;
	char buffer[64];
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234 });
	fd = hf_accept(h->listener, &peer, 2000);
	if (!CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(h->dev)))
		goto out;
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC, "not close-on-exec");
	CHECK_EQ(ntohs(sin->sin_port), 1234, "peer's port");
	CHECK_EQ(ntohl(sin->sin_addr.s_addr), PEER_ADDR, "peer's address");
	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0, "TCP_INFO");
	CHECK_EQ(info.tcpi_state, 1, "state ESTABLISHED");
	CHECK_EQ(info.tcpi_options & 7, 7, "timestamps, SACK, window scale");
	CHECK_EQ(info.tcpi_snd_wscale, 3, "our send shift");
	CHECK_EQ(info.tcpi_rcv_wscale, 5, "our receive shift");
	CHECK(info.tcpi_snd_mss == 1000 - 12, "send MSS %u", info.tcpi_snd_mss);

	CHECK(write(fd, "hello", 5) == 5, "write");
	tcp = host_tcp(h, 0);
	if (tcp) {
		CHECK_EQ(get32(tcp + 4), ISS + 1, "SEQ");
		CHECK_EQ(get32(tcp + 8), IRS + 1, "ACK");
		CHECK_EQ(get32(tcp + 20), 0x0101080a, "timestamps");
		CHECK(get32(tcp + 24) - TSVAL < 60000, "TSval %u is not on from %u", get32(tcp + 24), TSVAL);
		CHECK_EQ(get32(tcp + 28), TS_RECENT, "TSecr, which the replayed ACK taught");
		CHECK(get16(tcp + 14) << 5 > 30000, "window %u", get16(tcp + 14) << 5);
		CHECK_BYTES("payload", tcp + 32, 5, "hello", 5);
		CHECK_EQ(ref_tcp_checksum(tcp - 20), get16(tcp + 16), "checksum");
	}
	struct segment s = from_peer(1234, IRS + 1, ISS + 6, HF_ACK | HF_PSH, "nop nop ts=5001:70002", "world");

	host_segment(h, 0x10005, &s);
	CHECK(recv(fd, buffer, sizeof(buffer), 0) == 5 && !memcmp(buffer, "world", 5), "read");
	tcp = host_tcp(h, 1);
	if (tcp)
		CHECK_EQ(get32(tcp + 8), IRS + 6, "ACK of the data");
	for (unsigned i = 0; i < h->board.frames; i++)
		CHECK(!(h->board.frame[i].bytes[47] & HF_RST), "the host sent a RST");

	s = from_peer(1234, IRS + 6, ISS + 6, HF_RST, NULL, NULL);
	host_segment(h, 0x10005, &s);
	CHECK(recv(fd, buffer, sizeof(buffer), 0) < 0 && errno == ECONNRESET, "the peer's RST");
	close(fd);
	CHECK(fake_board_wait(&h->board, &h->board.commands, 1), "no RELEASE");
	CHECK_EQ(h->board.command[0].code, HF_COMMAND_RELEASE, "command");
	CHECK_EQ(h->board.command[0].id, 0x10005, "its id");
	CHECK_EQ(stat_of(h, "host.handoffs"), 1, "handoffs");
	CHECK_EQ(stat_of(h, "host.accepted"), 1, "accepted");
	CHECK_EQ(stat_of(h, "host.destroyed"), 1, "destroyed");
out:
	host_end(h);
}

static void connection_without_options(void)
{
	struct host *h = host_new();
	struct tcp_info info;
	socklen_t len = sizeof(info);
	static const char text[1500];
	const uint8_t *tcp;
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234, .bare = true });
	fd = hf_accept(h->listener, NULL, 2000);
	if (CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(h->dev))) {
		CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0, "TCP_INFO");
		CHECK_EQ(info.tcpi_options & 3, 0, "timestamps, SACK");
		CHECK_EQ(info.tcpi_snd_wscale, 0, "our send shift");
		CHECK_EQ(info.tcpi_rcv_wscale, 0, "our receive shift");
		CHECK(write(fd, text, sizeof(text)) == sizeof(text), "write");
		tcp = host_tcp(h, 0);
		if (tcp) {
			CHECK_EQ(tcp[12] >> 4, 5, "data offset");
			CHECK(get16(tcp + 14) > 30000, "the window is scaled: %u", get16(tcp + 14));
			CHECK_EQ(h->board.frame[0].len, 14 + 40 + 1000, "a segment of the peer's MSS");
		}
		close(fd);
	}
	host_end(h);
}

/* The request comes with the ACK that completes the handshake: the event first, then its frame. */
static void data_with_the_final_ack(void)
{
	struct host *h = host_new();
	struct segment s =
		from_peer(1234, IRS + 1, ISS + 1, HF_ACK | HF_PSH, "nop nop ts=5000:69990", "GET / HTTP/1.0\r\n\r\n");
	char buffer[64];
	ssize_t n;
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234, .frame_follows = true });
	host_segment(h, 0x10005, &s);
	fd = hf_accept(h->listener, NULL, 2000);
	if (CHECK(fd >= 0, "hf_accept: %d", fd)) {
		n = recv(fd, buffer, sizeof(buffer), 0);
		CHECK_BYTES("request", buffer, n < 0 ? 0 : (size_t)n, s.text, s.text_len);
		close(fd);
	}
	host_end(h);
}

static void early_data_is_acknowledged_before_accept(void)
{
	struct host *h = host_new();
	struct segment s = from_peer(1234, IRS + 1, ISS + 1, HF_ACK | HF_PSH, "nop nop ts=5000:69990", "early");
	const uint8_t *tcp;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234, .frame_follows = true });
	host_segment(h, 0x10005, &s);
	tcp = host_tcp(h, 0);
	if (tcp)
		CHECK_EQ(get32(tcp + 8), IRS + 6, "ACK");
	/* And whom nobody accepts learns of it when the listener closes. */
	CHECK_EQ(hf_listener_close(h->listener), 0, "close");
	tcp = host_tcp(h, 1);
	if (tcp)
		CHECK(tcp[13] & HF_RST, "flags 0x%02x, no RST", tcp[13]);
	CHECK(fake_board_wait(&h->board, &h->board.commands, 1), "no RELEASE");
	host_end(h);
}

static void accept_queue_overflows(void)
{
	struct host *h = host_new();
	struct pollfd p;
	int fd[3];

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 2);
	p = (struct pollfd){ hf_listener_fd(h->listener), POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0, "readable while empty");
	CHECK_EQ(hf_accept(h->listener, NULL, 0), -EAGAIN, "accept without waiting");
	CHECK_EQ(hf_accept(h->listener, NULL, 30), -ETIMEDOUT, "accept with a timeout");
	for (uint16_t i = 0; i < 3; i++)
		host_event(h, &(struct fake_event){ .id = 0x10000u + i, .remote_port = (uint16_t)(2000 + i) });
	CHECK(fake_board_wait(&h->board, &h->board.commands, 1), "no ABORT");
	CHECK_EQ(h->board.command[0].code, HF_COMMAND_ABORT, "command");
	CHECK_EQ(h->board.command[0].id, 0x10002, "its id: the one too many");
	CHECK_EQ(poll(&p, 1, 2000), 1, "not readable with two queued");
	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);

		CHECK_EQ(poll(&p, 1, 0), 1, "not readable");
		fd[i] = hf_accept(h->listener, NULL, 0);
		CHECK(fd[i] >= 0 && getpeername(fd[i], (struct sockaddr *)&peer, &len) == 0, "accept %d", fd[i]);
		CHECK_EQ(ntohs(peer.sin_port), 2000 + i, "oldest first");
	}
	CHECK_EQ(poll(&p, 1, 0), 0, "readable after the last one");
	CHECK_EQ(hf_accept(h->listener, NULL, 0), -EAGAIN, "accept after the last one");
	host_event(h, &(struct fake_event){ .id = 0x10003, .remote_port = 2003 });
	fd[2] = hf_accept(h->listener, NULL, 2000);
	CHECK(fd[2] >= 0, "room again: %d", fd[2]);
	CHECK_EQ(stat_of(h, "host.accept_overflow"), 1, "accept_overflow");
	for (unsigned i = 0; i < 3; i++)
		close(fd[i]);
	host_end(h);
}

static void events_nobody_waits_for(void)
{
	struct host *h = host_new();
	uint8_t msg[128];

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = 0x10001, .listener = 1, .remote_port = 1 });
	host_event(h, &(struct fake_event){ .id = 0x10002, .listener = 15, .remote_port = 2 });
	/* The address is not the kernel's: the handoff fails. */
	host_event(h, &(struct fake_event){ .id = 0x10003, .remote_port = 3, .local_addr = OUR_ADDR + 75 });
	CHECK(fake_board_wait(&h->board, &h->board.commands, 3), "no ABORT");
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQ(h->board.command[i].code, HF_COMMAND_ABORT, "command");
		CHECK_EQ(h->board.command[i].id, 0x10001 + i, "its id");
	}
	CHECK(strstr(hf_error(h->dev), "bind") != NULL, "the text is '%s'", hf_error(h->dev));
	CHECK_EQ(stat_of(h, "host.no_listener"), 2, "no_listener");
	CHECK_EQ(stat_of(h, "host.handoff_failed"), 1, "handoff_failed");

	event_message(msg, &(struct fake_event){ .id = 0x10004 });
	MSG_PUT(msg, EVENT, code, 77);
	fake_board_send(&h->board, msg, sizeof(msg));
	fake_board_send(&h->board, msg, 20);
	while (stat_of(h, "host.bad_messages") == 0)
		usleep(1000);
	CHECK_EQ(stat_of(h, "host.bad_events"), 0, "bad_events");
	CHECK_EQ(stat_of(h, "host.unknown_events"), 1, "unknown_events");
	CHECK_EQ(stat_of(h, "host.bad_messages"), 1, "bad_messages");
	CHECK_EQ(h->board.commands, 3, "commands for events that make no sense");
	host_end(h);
}

/* The peer forgot the connection and opens the same ports anew; the board's entry was gone already. */
static void stale_socket_gives_way(void)
{
	struct host *h = host_new();
	struct segment s = from_peer(1234, IRS + 1, 3001, HF_ACK | HF_PSH, "nop nop ts=5000:69990", "new");
	char buffer[8];
	const uint8_t *tcp;
	int old, new;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234 });
	old = hf_accept(h->listener, NULL, 2000);
	host_event(h, &(struct fake_event){ .id = 0x20009, .remote_port = 1234, .iss = 3000, .frame_follows = true });
	host_segment(h, 0x20009, &s);
	new = hf_accept(h->listener, NULL, 2000);
	CHECK(old >= 0 && new >= 0, "accept: %d, %d %s", old, new, hf_error(h->dev));
	CHECK(recv(old, buffer, sizeof(buffer), 0) < 0 && errno == ECONNABORTED, "the old socket: %s", strerror(errno));
	CHECK(recv(new, buffer, sizeof(buffer), 0) == 3, "the new socket");
	close(old); /* the kernel destroys it only now */
	CHECK(fake_board_wait(&h->board, &h->board.commands, 1), "no RELEASE of the old one");
	CHECK_EQ(h->board.command[0].code, HF_COMMAND_RELEASE, "command");
	CHECK_EQ(h->board.command[0].id, 0x10005, "its id");
	tcp = host_tcp(h, 0);
	if (tcp)
		CHECK_EQ(get32(tcp + 8), IRS + 4, "the new socket acknowledges");
	CHECK_EQ(stat_of(h, "host.stale_destroyed"), 1, "stale_destroyed");
	CHECK_EQ(stat_of(h, "host.stale_resets"), 1, "stale_resets");
	for (unsigned i = 0; i < h->board.frames; i++)
		CHECK(!(h->board.frame[i].bytes[47] & HF_RST), "the old socket's RST reached the board");
	/* The new one's own RST does: unread data is thrown away with it. */
	setsockopt(new, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(new);
	tcp = host_tcp(h, 1);
	if (tcp)
		CHECK(tcp[13] & HF_RST, "flags 0x%02x, no RST", tcp[13]);
	host_end(h);
}

/* After a lost SYN-ACK the first flight is one segment, RFC 5681 3.1; the peer's next ACK opens the window. */
static void one_segment_after_a_lost_syn(void)
{
	struct host *h = host_new();
	struct segment ack;
	char text[6000] = { 0 };
	unsigned flight = 0;
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234, .syn_lost = true });
	fd = hf_accept(h->listener, NULL, 2000);
	CHECK(fd >= 0 && send(fd, text, sizeof(text), 0) == sizeof(text), "accept %d, send: %s", fd, strerror(errno));
	host_tcp(h, 0);
	usleep(50000); /* more would be there at once */
	for (unsigned i = 0; i < h->board.frames; i++)
		flight += (unsigned)h->board.frame[i].len - 66;
	CHECK(flight >= 988 && flight <= 1000, "%u octets in the first flight, MSS 1000", flight);
	ack = from_peer(1234, IRS + 1, ISS + 1 + flight, HF_ACK, "nop nop ts=5001:70010", NULL);
	host_segment(h, 0x10005, &ack);
	host_tcp(h, 3);
	close(fd);
	host_end(h);
}

/* A connection by SYN cookie for which the board had no entry: a socket like any other, and nothing to release. */
static void cookie_without_entry(void)
{
	struct segment s = from_peer(1234, IRS + 1, ISS + 1, HF_ACK | HF_PSH, "nop nop ts=5000:69990", "new");
	struct host *h = host_new();
	char buffer[8];
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(
		h, &(struct fake_event){ .id = HF_NO_ID, .remote_port = 1234, .cookie = true, .frame_follows = true });
	host_segment(h, HF_NO_ID, &s);
	fd = hf_accept(h->listener, NULL, 2000);
	CHECK(fd >= 0 && recv(fd, buffer, sizeof(buffer), 0) == 3, "accept: %d %s", fd, hf_error(h->dev));
	close(fd);
	host_event(h, &(struct fake_event){ .id = 0x10007, .remote_port = 1235 });
	fd = hf_accept(h->listener, NULL, 2000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(fd);
	CHECK(fake_board_wait(&h->board, &h->board.commands, 1), "no RELEASE of the one with an entry");
	CHECK_EQ(h->board.command[0].id, 0x10007, "its id");
	CHECK_EQ(h->board.commands, 1, "commands");
	host_end(h);
}

/* A cookie never ends a live connection: neither its own ACK once more, nor a guess on its 4-tuple. */
static void cookie_on_a_live_socket(void)
{
	struct host *h = host_new();
	struct segment s = from_peer(1234, IRS + 1, ISS + 1, HF_ACK | HF_PSH, "nop nop ts=5001:69990", "on");
	char buffer[8];
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = HF_NO_ID, .remote_port = 1234, .cookie = true });
	fd = hf_accept(h->listener, NULL, 2000);
	host_event(h, &(struct fake_event){ .id = HF_NO_ID, .remote_port = 1234, .cookie = true });
	host_event(h, &(struct fake_event){ .id = 0x20009, .remote_port = 1234, .cookie = true });
	host_event(h, &(struct fake_event){ .id = 0x3000a, .remote_port = 1234, .cookie = true, .iss = 777 });
	CHECK(fake_board_wait(&h->board, &h->board.commands, 2), "entries of duplicates are not released");
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(h->board.command[i].code, HF_COMMAND_RELEASE, "command");
		CHECK_EQ(h->board.command[i].id, i ? 0x3000a : 0x20009, "its id");
	}
	host_segment(h, HF_NO_ID, &s);
	CHECK(recv(fd, buffer, sizeof(buffer), 0) == 2, "the live socket: %s", strerror(errno));
	CHECK_EQ(hf_accept(h->listener, NULL, 50), -ETIMEDOUT, "a second connection");
	CHECK_EQ(stat_of(h, "host.cookie_duplicates"), 3, "cookie_duplicates");
	CHECK_EQ(stat_of(h, "host.stale_destroyed"), 0, "stale_destroyed");
	CHECK_EQ(stat_of(h, "host.handoff_failed"), 0, "handoff_failed");
	close(fd);
	host_end(h);
}

/* A connection by SYN cookie of a peer whose last segment had SEQ irs, and TSval ts_recent. */
static void cookie_event(struct host *h, uint32_t id, uint32_t irs, uint32_t ts_recent, bool bare)
{
	uint8_t msg[128];

	event_message(msg, &(struct fake_event){ .id = id, .remote_port = 1234, .cookie = true, .bare = bare });
	MSG_PUT(msg, EVENT, irs, irs);
	MSG_PUT(msg, EVENT, rcv_nxt, irs + 1);
	MSG_PUT(msg, EVENT, snd_wl1, irs + 1);
	if (!bare)
		MSG_PUT(msg, EVENT, ts_recent, ts_recent);
	fake_board_send(&h->board, msg, sizeof(msg));
}

/* RFC 6191, RFC 9293 3.6.1: a socket in TIME-WAIT is no live one. A new connection on its 4-tuple, by a cookie too, takes its place; what
 * came once more of the old one does not. */
static void cookie_after_time_wait_with(bool bare, bool by_timestamp)
{
	const char *opts = bare ? "" : "nop nop ts=5001:70001";
	struct segment fin = from_peer(1234, IRS + 1, ISS + 2, HF_FIN | HF_ACK, opts, NULL);
	struct host *h = host_new();
	unsigned frames;
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	check_context("%s", bare ? "no timestamps" : by_timestamp ? "a later timestamp" : "a later number");
	host_start(h, 4);
	cookie_event(h, 0x10005, IRS, TS_RECENT, bare);
	fd = hf_accept(h->listener, NULL, 2000);
	CHECK(fd >= 0, "accept: %d", fd);
	shutdown(fd, SHUT_WR);
	host_tcp(h, 0); /* its FIN */
	host_segment(h, 0x10005, &fin);
	host_tcp(h, 1); /* the ACK of the peer's */
	close(fd);
	/* Once more the segment that made it. */
	frames = fake_board_count(&h->board, &h->board.frames);
	cookie_event(h, 0x20006, IRS, TS_RECENT, bare);
	CHECK_EQ(hf_accept(h->listener, NULL, 100), -ETIMEDOUT, "an old segment made a connection");
	host_tcp(h, frames); /* TIME-WAIT's answer */
	CHECK(fake_board_wait(&h->board, &h->board.commands, 2), "the duplicate's entry is not released");
	usleep(600000); /* as often it says something */
	frames = fake_board_count(&h->board, &h->board.frames);
	if (by_timestamp)
		cookie_event(h, 0x30007, IRS - 5000, TS_RECENT + 1000, bare);
	else
		cookie_event(h, 0x30007, IRS + 5000, TS_RECENT + 1000, bare);
	fd = hf_accept(h->listener, NULL, 2000);
	CHECK(fd >= 0, "the new connection waits for the old one: %d", fd);
	CHECK_EQ(fake_board_count(&h->board, &h->board.frames), frames, "TIME-WAIT's answer reached the peer");
	/* With timestamps connect() puts itself in its place. */
	CHECK_EQ(stat_of(h, "host.stale_destroyed"), bare, "stale_destroyed");
	CHECK_EQ(stat_of(h, "host.handoffs"), 2, "handoffs");
	CHECK(send(fd, "on", 2, 0) == 2 && host_tcp(h, frames), "the new connection is mute");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(fd);
	host_end(h);
	check_context("%s", "");
}

static void cookie_after_time_wait(void)
{
	cookie_after_time_wait_with(false, false);
	cookie_after_time_wait_with(false, true);
	cookie_after_time_wait_with(true, false);
}

/* Without an entry the board cannot abort what nobody accepts: the kernel answers the ACK with a RST. */
static void cookie_nobody_waits_for(void)
{
	struct host *h = host_new();
	const uint8_t *tcp;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = HF_NO_ID, .listener = 3, .remote_port = 1234, .cookie = true });
	tcp = host_tcp(h, 0);
	if (tcp) {
		CHECK(tcp[13] & HF_RST, "flags 0x%02x, no RST", tcp[13]);
		CHECK_EQ(get32(tcp + 4), ISS + 1, "SEQ of the RST");
	}
	CHECK_EQ(h->board.commands, 0, "commands");
	CHECK_EQ(stat_of(h, "host.no_listener"), 1, "no_listener");
	host_end(h);
}

static void the_table_stays_free(void)
{
	struct host *h = host_new();
	int fd[6];

	if (!needs_privilege()) {
		free(h);
		return;
	}
	h->board.slots = 32; /* an eighth: 4 */
	host_start(h, 8);
	for (uint16_t i = 0; i < 6; i++) {
		host_event(h, &(struct fake_event){ .id = 0x10000u + i, .remote_port = (uint16_t)(3000 + i) });
		fd[i] = hf_accept(h->listener, NULL, 2000);
		CHECK(fd[i] >= 0, "accept: %d", fd[i]);
	}
	CHECK(fake_board_wait(&h->board, &h->board.commands, 2), "nothing released");
	CHECK_EQ(h->board.command[0].id, 0x10000, "the oldest first");
	CHECK_EQ(h->board.command[1].id, 0x10001, "then the next");
	CHECK_EQ(stat_of(h, "host.released_early"), 2, "released_early");
	for (unsigned i = 0; i < 6; i++) {
		CHECK(write(fd[i], "x", 1) == 1, "socket %u does not live on", i);
		close(fd[i]);
	}
	host_end(h);
	/* hf_close released the rest, each once. */
}

/* ---- active opens ---- */

struct caller {
	struct host *h;
	struct sockaddr_in local, remote;
	const struct sockaddr_in6 *remote6; /* instead */
	bool with_local;
	int timeout_ms, rc;
	pthread_t thread;
};

static void *call_connect(void *arg)
{
	struct caller *c = arg;

	if (c->remote6)
		c->rc = hf_connect(
			c->h->dev, NULL, (const struct sockaddr *)c->remote6, sizeof(*c->remote6), c->timeout_ms);
	else
		c->rc = hf_connect(c->h->dev, c->with_local ? (struct sockaddr *)&c->local : NULL,
			(struct sockaddr *)&c->remote, sizeof(c->remote), c->timeout_ms);
	return NULL;
}

static void caller_start(struct caller *c, struct host *h, int timeout_ms)
{
	c->h = h;
	c->timeout_ms = timeout_ms;
	c->remote = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(PEER_ADDR)
	};
	pthread_create(&c->thread, NULL, call_connect, c);
}

/* Its CONNECT, which must be command number n; checks what does not vary. Returns the local port. */
static uint16_t caller_connects(struct caller *c, unsigned n)
{
	const struct fake_command *k = fake_board_command(&c->h->board, n);
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!CHECK(k != NULL, "no command %u: %s", n, hf_error(c->h->dev)))
		return 0;
	CHECK_EQ(k->code, HF_COMMAND_CONNECT, "command");
	CHECK_EQ(k->len, 128, "length");
	CHECK_BYTES("remote prefix", k->body + HF_AT_EVENT_remote_addr, 12, mapped, 12);
	CHECK_EQ(get32(k->body + HF_AT_EVENT_remote_addr + 12), PEER_ADDR, "remote");
	CHECK_EQ(get32(k->body + HF_AT_EVENT_local_addr + 12), OUR_ADDR, "local");
	CHECK_EQ(MSG_GET(k->body, EVENT, remote_port), 8080, "remote port");
	CHECK_EQ(get48(k->body + HF_AT_EVENT_remote_mac), PEER_MAC, "MAC of the next hop");
	CHECK_EQ(MSG_GET(k->body, EVENT, options), 7, "options");
	CHECK(MSG_GET(k->body, EVENT, now_ms) <= (unsigned)c->timeout_ms, "gives up after %u ms",
		(unsigned)MSG_GET(k->body, EVENT, now_ms));
	return (uint16_t)MSG_GET(k->body, EVENT, local_port);
}

static void connecting(void)
{
	struct host *h = host_new();
	struct caller c = { 0 };
	struct segment s;
	char buffer[8];
	const uint8_t *tcp;
	uint16_t port;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	caller_start(&c, h, 5000);
	port = caller_connects(&c, 0);
	CHECK(port >= 1024, "ephemeral port %u", port);
	host_event(h, &(struct fake_event){ .id = 0x10042, .remote_port = 8080, .local_port = port });
	pthread_join(c.thread, NULL);
	if (CHECK(c.rc >= 0, "hf_connect: %d %s", c.rc, hf_error(h->dev))) {
		CHECK(write(c.rc, "hello", 5) == 5, "write");
		tcp = host_tcp(h, 0);
		if (tcp) {
			CHECK_EQ(get16(tcp), port, "source port");
			CHECK_EQ(get32(tcp + 4), ISS + 1, "SEQ");
			CHECK_EQ(get32(tcp + 8), IRS + 1, "ACK");
		}
		s = from_peer(8080, IRS + 1, ISS + 6, HF_ACK | HF_PSH, "nop nop ts=5001:70002", "world");
		s.dport = port;
		host_segment(h, 0x10042, &s);
		CHECK(recv(c.rc, buffer, sizeof(buffer), 0) == 5 && !memcmp(buffer, "world", 5), "answer");
		close(c.rc);
	}
	CHECK_EQ(stat_of(h, "host.connects"), 1, "connects");
	host_end(h);
}

static void connects_that_fail(void)
{
	static const struct {
		unsigned event;
		int rc;
	} rows[] = { { HF_EVENT_REFUSED, -ECONNREFUSED }, { HF_EVENT_UNREACHABLE, -EHOSTUNREACH },
		{ HF_EVENT_TIMED_OUT, -ETIMEDOUT } };
	static const struct {
		unsigned status;
		int rc;
	} refusals[] = { { HF_STATUS_NO_ROOM, -ENOSPC }, { HF_STATUS_BAD_PARAM, -EINVAL },
		{ HF_STATUS_EXISTS, -EADDRINUSE } };
	struct host *h = host_new();
	struct caller c = { 0 };
	unsigned n = 0;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		uint16_t port;

		caller_start(&c, h, 5000);
		port = caller_connects(&c, n++);
		host_event(h, &(struct fake_event){
				      .id = 0x10042, .remote_port = 8080, .local_port = port, .code = rows[i].event });
		pthread_join(c.thread, NULL);
		CHECK_EQ(c.rc, rows[i].rc, "hf_connect");
	}
	for (unsigned i = 0; i < COUNT(refusals); i++) {
		h->board.command_status = refusals[i].status;
		caller_start(&c, h, 5000);
		pthread_join(c.thread, NULL);
		CHECK_EQ(c.rc, refusals[i].rc, "hf_connect");
		CHECK(n < h->board.commands, "no CONNECT");
		if (refusals[i].status == HF_STATUS_EXISTS)
			CHECK_EQ(h->board.commands - n, 17, "other ports were tried");
		n = h->board.commands;
	}
	h->board.command_status = HF_STATUS_OK;
	/* The board does not give up by itself. */
	caller_start(&c, h, 100);
	caller_connects(&c, n++);
	pthread_join(c.thread, NULL);
	CHECK_EQ(c.rc, -ETIMEDOUT, "hf_connect");
	if (CHECK(fake_board_command(&h->board, n) != NULL, "no ABORT")) {
		CHECK_EQ(h->board.command[n].code, HF_COMMAND_ABORT, "command");
		CHECK_EQ(h->board.command[n].id, 0x10042, "its id");
	}
	/* Too late. */
	host_event(h, &(struct fake_event){ .id = 0x10042, .remote_port = 8080, .local_port = 40000 });
	if (CHECK(fake_board_command(&h->board, n + 1) != NULL, "no ABORT"))
		CHECK_EQ(h->board.command[n + 1].code, HF_COMMAND_ABORT, "command");
	/* The board goes while somebody waits. */
	caller_start(&c, h, 5000);
	caller_connects(&c, n + 2);
	fake_board_hang_up(&h->board);
	pthread_join(c.thread, NULL);
	CHECK_EQ(c.rc, -ENODEV, "hf_connect");
	host_end(h);
}

static void connect_arguments(void)
{
	struct host *h = host_new();
	struct sockaddr_in good = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(PEER_ADDR) };
	struct sockaddr_in bad = good, local = good;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_port = htons(80),
		.sin6_addr = { .s6_addr = { 0x20, 1, 0x0d, 0xb8, [15] = 1 } } };
	struct caller c = { .with_local = true };

	if (!needs_privilege()) {
		free(h);
		return;
	}
	h->board.arp_mac = 0;
	host_start(h, 4);
#define CONNECT(l, r, len, ms) hf_connect(h->dev, (struct sockaddr *)(l), (struct sockaddr *)(r), len, ms)
	CHECK_EQ(CONNECT(NULL, NULL, sizeof(good), 10), -EINVAL, "no address");
	CHECK_EQ(CONNECT(NULL, &good, 8, 10), -EINVAL, "short address");
	CHECK_EQ(CONNECT(NULL, &good, sizeof(good), 0), -EINVAL, "timeout 0");
	CHECK_EQ(CONNECT(NULL, &good, sizeof(good), 1 << 22), -EINVAL, "timeout too long");
	bad.sin_port = 0;
	CHECK_EQ(CONNECT(NULL, &bad, sizeof(bad), 10), -EINVAL, "port 0");
	bad = good;
	bad.sin_addr.s_addr = htonl(0xe0000001);
	CHECK_EQ(CONNECT(NULL, &bad, sizeof(bad), 10), -EINVAL, "multicast");
	bad.sin_family = AF_INET6;
	CHECK_EQ(CONNECT(NULL, &bad, sizeof(bad), 10), -EINVAL, "an IPv6 address cut short");
	CHECK_EQ(CONNECT(NULL, &six, sizeof(six), 10), -EAFNOSUPPORT, "IPv6, of which the device has none");
	bad.sin_family = AF_UNIX;
	CHECK_EQ(CONNECT(NULL, &bad, sizeof(bad), 10), -EAFNOSUPPORT, "a unix socket");
	bad = good;
	bad.sin_addr.s_addr = htonl(0x08080808);
	CHECK_EQ(CONNECT(NULL, &bad, sizeof(bad), 1000), -ENETUNREACH, "no route");
	CHECK_EQ(CONNECT(NULL, &good, sizeof(good), 50), -ETIMEDOUT, "nobody answers ARP, 50 ms");
	CHECK_EQ(CONNECT(NULL, &good, sizeof(good), 10000), -EHOSTUNREACH, "nobody answers ARP");
	CHECK_EQ(h->board.commands, 0, "commands");
	h->board.arp_mac = PEER_MAC;
	local.sin_addr.s_addr = htonl(OUR_ADDR + 9);
	local.sin_port = 0;
	CHECK_EQ(CONNECT(&local, &good, sizeof(good), 1000), -EADDRNOTAVAIL, "not our address");
#undef CONNECT
	/* An address and port of our choice, then the same again. */
	c.local = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(5555) };
	caller_start(&c, h, 5000);
	CHECK_EQ(caller_connects(&c, 0), 5555, "local port");
	local = c.local;
	CHECK_EQ(hf_connect(h->dev, (struct sockaddr *)&local, (struct sockaddr *)&c.remote, sizeof(local), 1000),
		-EADDRINUSE, "the same port");
	host_event(h, &(struct fake_event){
			      .id = 0x10042, .remote_port = 8080, .local_port = 5555, .code = HF_EVENT_REFUSED });
	pthread_join(c.thread, NULL);
	CHECK_EQ(c.rc, -ECONNREFUSED, "hf_connect");
	host_end(h);
}

/* ---- IPv6, VLAN, large segments ---- */

static const struct hf_options both = {
	.address = "192.0.2.2/24, 2001:db8::2/64", .tap = "hf0", .mac = "02:00:00:00:00:02"
};

static void ipv6_connection_becomes_a_socket(void)
{
	struct host *h = host_new();
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(OUR_PORT) }, peer, remote = any;
	struct hf_listener *l = NULL;
	struct caller c = { .timeout_ms = 5000 };
	const struct fake_command *k;
	const uint8_t *frame;
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	CHECK(fake_board_start(&h->board), "the fake board does not start");
	if (!CHECK(!hf_open(h->board.uri, &both, &h->dev), "hf_open: %s", hf_error(NULL)))
		goto out;
	CHECK_EQ(h->board.reg[HF_REG_LOCAL6_A3 / 4], 0x20010db8, "the board's IPv6 address, first octets");
	CHECK_EQ(h->board.reg[HF_REG_LOCAL6_A0 / 4], 2, "last octets");
	CHECK_EQ(h->board.reg[HF_REG_MSS6 / 4], 1440, "MSS over IPv6");
	CHECK_EQ(hf_listen(h->dev, (struct sockaddr *)&any, sizeof(any), 4, &l), 0, "hf_listen");
	CHECK_EQ(h->board.reg[HF_REG_LISTEN_OPTS / 4], 15, "an IPv6 listener");
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234, .ip6 = true });
	fd = hf_accept(l, (struct sockaddr_storage *)memset(&peer, 0, sizeof(peer)), 2000);
	if (CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(h->dev))) {
		CHECK_BYTES("peer's address", &peer.sin6_addr, 16, PEER6, 16);
		CHECK(write(fd, "hello", 5) == 5, "write");
		if (CHECK(fake_board_wait(&h->board, &h->board.frames, 1), "no frame")) {
			frame = h->board.frame[0].bytes;
			CHECK_EQ(h->board.frame[0].len, 14 + 40 + 32 + 5, "its length");
			CHECK_EQ(get32(frame + 58), ISS + 1, "SEQ");
			CHECK_EQ(get32(frame + 82), TS_RECENT, "TSecr, which the replayed ACK taught");
			CHECK_BYTES("payload", frame + 86, 5, "hello", 5);
		}
		close(fd);
	}
	/* And the other way: neighbour discovery, CONNECT. */
	memcpy(&remote.sin6_addr, PEER6, 16);
	remote.sin6_port = htons(8080);
	c.h = h;
	c.remote6 = &remote;
	pthread_create(&c.thread, NULL, call_connect, &c);
	for (unsigned n = 0; (k = fake_board_command(&h->board, n)) != NULL && k->code != HF_COMMAND_CONNECT;)
		n++;
	if (CHECK(k != NULL, "no CONNECT")) {
		CHECK_BYTES("remote", k->body + HF_AT_EVENT_remote_addr, 16, PEER6, 16);
		CHECK_BYTES("local", k->body + HF_AT_EVENT_local_addr, 16, OUR6, 16);
		CHECK_EQ(get48(k->body + HF_AT_EVENT_remote_mac), PEER_MAC, "MAC of the next hop");
		host_event(h, &(struct fake_event){ .id = h->board.new_id,
				      .ip6 = true,
				      .remote_port = 8080,
				      .local_port = (uint16_t)MSG_GET(k->body, EVENT, local_port) });
	}
	pthread_join(c.thread, NULL);
	if (CHECK(c.rc >= 0, "hf_connect: %d %s", c.rc, hf_error(h->dev)))
		close(c.rc);
out:
	host_end(h);
}

/* Tags of the peer's ACK come back in the frame that teaches the kernel TS.Recent. */
static void vlan_of_the_event_is_in_the_replay(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
	uint8_t msg[128], frame[HANDOFF_ACK_BYTES];
	struct connection c;
	struct frame_tcp t;

	for (unsigned tags = 0; tags <= 2; tags++) {
		for (int ip6 = 0; ip6 < 2; ip6++) {
			event_message(msg, &(struct fake_event){ .remote_port = 999, .tags = tags, .ip6 = ip6 });
			CHECK_EQ(handoff_parse(msg, &c), 0, "parse");
			CHECK_EQ(c.vlan.tags, tags, "tags");
			CHECK_EQ(handoff_replay(&c, mac, frame), 14 + 4 * tags + (ip6 ? 40 : 20) + 32, "length");
			if (tags)
				CHECK_EQ(get32(frame + 12), 0x81000005, "outer tag");
			if (tags > 1)
				CHECK_EQ(get32(frame + 16), 0x81000006, "inner tag");
			CHECK(frame_read_tcp(frame, sizeof(frame), &t), "it is not read back");
			CHECK(address_equal(&t.source, &c.remote) && address_equal(&t.destination, &c.local),
				"addresses");
			CHECK_EQ(t.seq, IRS + 1, "SEQ");
			CHECK_EQ(t.tsval, TS_RECENT, "TSval");
		}
	}
}

/* ip(8), quietly; returns whether it succeeded. */
static bool ip(const char *arguments)
{
	char command[256];

	snprintf(command, sizeof(command), "exec ip %s >/dev/null 2>&1", arguments);
	return !system(command);
}

/* A netdev hf0.5: events of VLAN 5 become sockets whose segments are tagged, and the board opens in VLAN 5 what the route leads there. */
static void over_a_vlan(void)
{
	struct host *h = host_new();
	struct sockaddr_in remote = {
		.sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(PEER_ADDR + 0x100)
	};
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(OUR_ADDR + 0x100) };
	static uint8_t text[5000];
	struct caller c = { .timeout_ms = 5000, .with_local = true };
	uint8_t msg[128];
	unsigned done = 0;
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	h->board.arp_vlan = 5;
	if (!host_start(h, 4))
		return;
	if (!ip("link add link hf0 name hf0.5 type vlan id 5")) {
		bench_skip("this kernel has no 8021q, or there is no ip(8)");
		host_end(h);
		return;
	}
	CHECK(ip("addr add 192.0.3.2/24 dev hf0.5") && ip("link set hf0.5 up"), "hf0.5");
	event_message(msg,
		&(struct fake_event){ .id = 0x10005, .remote_port = 1234, .tags = 1, .local_addr = OUR_ADDR + 0x100 });
	put32(msg + HF_AT_EVENT_remote_addr + 12, PEER_ADDR + 0x100);
	fake_board_send(&h->board, msg, sizeof(msg));
	fd = hf_accept(h->listener, NULL, 2000);
	if (CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(h->dev))) {
		CHECK(write(fd, text, sizeof(text)) == sizeof(text), "write");
		for (unsigned n = 0; done < sizeof(text) && fake_board_wait(&h->board, &h->board.frames, n + 1); n++) {
			const uint8_t *frame = h->board.frame[n].bytes;

			CHECK_EQ(get32(frame + 12) & 0xffff0fff, 0x81000005, "tag");
			CHECK_EQ(ref_tcp_checksum(frame + 18), get16(frame + 54), "TCP checksum");
			CHECK_EQ(get32(frame + 18 + 20 + 28), TS_RECENT, "TSecr, which the replayed ACK taught");
			done += (unsigned)h->board.frame[n].len - 70;
		}
		CHECK_EQ(done, sizeof(text), "octets, in segments cut from the kernel's large one");
		close(fd);
	}
	c.h = h;
	c.remote = remote;
	c.local = local;
	pthread_create(&c.thread, NULL, call_connect, &c);
	for (unsigned i = 0;
		i < 400 && !(h->board.commands && h->board.command[h->board.commands - 1].code == HF_COMMAND_CONNECT);
		i++)
		usleep(5000);
	const struct fake_command *k = &h->board.command[h->board.commands ? h->board.commands - 1 : 0];

	if (CHECK(h->board.commands && k->code == HF_COMMAND_CONNECT, "no CONNECT: %s", hf_error(h->dev))) {
		CHECK_EQ(MSG_GET(k->body, EVENT, vlan), 5, "VLAN");
		CHECK_EQ(MSG_GET(k->body, EVENT, options) >> 5, 1, "tags");
		CHECK_EQ(get48(k->body + HF_AT_EVENT_remote_mac), PEER_MAC, "MAC of the next hop");
		event_message(msg, &(struct fake_event){ .id = h->board.new_id,
					   .remote_port = 8080,
					   .code = HF_EVENT_REFUSED,
					   .local_port = (uint16_t)MSG_GET(k->body, EVENT, local_port) });
		fake_board_send(&h->board, msg, sizeof(msg));
	}
	pthread_join(c.thread, NULL);
	CHECK_EQ(c.rc, -ECONNREFUSED, "hf_connect");
	host_end(h);
}

/* The kernel hands down 64 KB at a time; the wire sees segments of the send MSS with checksums that are right. */
static void large_segments_are_cut(void)
{
	enum { ALL = 20000, MSS = 988, PIECES = (ALL + MSS - 1) / MSS };
	struct host *h = host_new();
	static uint8_t text[ALL], got[ALL];
	unsigned in_order = 0;
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	for (unsigned i = 0; i < ALL; i++)
		text[i] = (uint8_t)(i * 7 + i / 251);
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234 });
	fd = hf_accept(h->listener, NULL, 2000);
	if (!CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(h->dev)))
		goto out;
	CHECK(write(fd, text, ALL) == ALL, "write");
	for (unsigned done = 0, n = 0; done < ALL && CHECK(host_tcp(h, n) != NULL, "segment %u", n); n++) {
		const uint8_t *frame = h->board.frame[n].bytes;
		unsigned len = (unsigned)h->board.frame[n].len - 66, at = get32(frame + 38) - (ISS + 1);
		struct segment s;

		CHECK(len <= MSS, "segment %u has %u octets", n, len);
		CHECK_EQ(get16(frame + 16), len + 52, "total length");
		CHECK_EQ(ref_tcp_checksum(frame + 14), get16(frame + 50), "TCP checksum");
		CHECK_EQ(ref_ip_checksum(frame + 14), get16(frame + 24), "IP checksum");
		if (!CHECK(at + len <= ALL, "segment %u lies at %u", n, at))
			break;
		memcpy(got + at, frame + 66, len);
		in_order += at == done;
		done = at + len;
		s = from_peer(1234, IRS + 1, ISS + 1 + done, HF_ACK, "nop nop ts=5001:70002", NULL);
		host_segment(h, 0x10005, &s);
	}
	CHECK_BYTES("text", got, ALL, text, ALL);
	CHECK(in_order >= PIECES, "%u segments in order", in_order);
	close(fd);
out:
	host_end(h);
}

/* ---- closing by the board ---- */

/* An idle connection that the application gives back; the n-th command must be its CLOSE. */
static void check_close_command(struct host *h, unsigned n, bool bare, unsigned sent)
{
	const struct fake_command *k = fake_board_command(&h->board, n);

	if (!CHECK(k != NULL, "no command %u: %s", n, hf_error(h->dev)))
		return;
	CHECK_EQ(k->code, HF_COMMAND_CLOSE, "command");
	CHECK_EQ(get32(k->body + HF_AT_EVENT_remote_addr + 12), PEER_ADDR, "remote");
	CHECK_EQ(get32(k->body + HF_AT_EVENT_local_addr + 12), OUR_ADDR, "local");
	CHECK_EQ(MSG_GET(k->body, EVENT, local_port), OUR_PORT, "local port");
	CHECK_EQ(get48(k->body + HF_AT_EVENT_remote_mac), PEER_MAC, "MAC");
	CHECK_EQ(MSG_GET(k->body, EVENT, state), HF_STATE_ESTABLISHED, "state");
	/* Without window scaling the socket has it with shifts of 0, which is the same. */
	CHECK_EQ(MSG_GET(k->body, EVENT, options), bare ? 1 : 7, "options");
	CHECK_EQ(MSG_GET(k->body, EVENT, snd_nxt), ISS + 1 + sent, "SND.NXT");
	CHECK_EQ(MSG_GET(k->body, EVENT, snd_una), ISS + 1 + sent, "SND.UNA");
	CHECK_EQ(MSG_GET(k->body, EVENT, rcv_nxt), IRS + 1, "RCV.NXT");
	/* The kernel takes timestamps off until it has sent something. */
	CHECK(MSG_GET(k->body, EVENT, mss) == 1000 || (bare && MSG_GET(k->body, EVENT, mss) == 988), "MSS %u",
		(unsigned)MSG_GET(k->body, EVENT, mss));
	CHECK_EQ(MSG_GET(k->body, EVENT, snd_wscale), bare ? 0 : 3, "peer's shift");
	CHECK_EQ(MSG_GET(k->body, EVENT, rcv_wscale), bare ? 0 : 5, "our shift");
	CHECK_EQ(MSG_GET(k->body, EVENT, snd_wnd), bare ? 1000 : 8000, "SND.WND");
	CHECK(MSG_GET(k->body, EVENT, rto_ms) >= 200, "RTO %u", (unsigned)MSG_GET(k->body, EVENT, rto_ms));
	CHECK_EQ(MSG_GET(k->body, EVENT, ts_recent), bare ? 0 : TS_RECENT,
		"TS.Recent, which only the kernel's ACK tells");
	if (!bare)
		CHECK((uint32_t)MSG_GET(k->body, EVENT, ts_offset) - TSVAL < 60000, "TSval %u is not on from %u",
			(unsigned)MSG_GET(k->body, EVENT, ts_offset), TSVAL);
}

static void the_board_closes(void)
{
	struct host *h = host_new();
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	for (int bare = 0; bare < 2; bare++) {
		host_event(h, &(struct fake_event){ .id = 0x10005u + (unsigned)bare,
				      .remote_port = (uint16_t)(1234 + bare),
				      .bare = bare });
		fd = hf_accept(h->listener, NULL, 2000);
		if (!CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(h->dev)))
			break;
		h->board.new_id = 0x70009u + (unsigned)bare;
		CHECK_EQ(hf_close_socket(h->dev, fd, HF_CLOSE_OFFLOAD), 0, "close");
		CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "the descriptor is still open");
		check_close_command(h, (unsigned)bare, bare, 0);
	}
	CHECK_EQ(stat_of(h, "host.closes"), 2, "closes");
	/* The end of the sockets concerns the board no more: no RELEASE; and nothing went over the wire. */
	host_event(h, &(struct fake_event){ .id = 0x10009, .remote_port = 999, .listener = 9 });
	CHECK(fake_board_wait(&h->board, &h->board.commands, 3), "no ABORT");
	CHECK_EQ(h->board.command[2].code, HF_COMMAND_ABORT, "the third command is another's");
	CHECK_EQ(h->board.frames, 0, "frames");
	host_end(h);
}

/* A connected socket of a namespace of its own; this thread comes back. */
static int socket_elsewhere(int *other_end)
{
	struct sockaddr_in loop = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK };
	socklen_t len = sizeof(loop);
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), listening, fd;

	if (here < 0 || unshare(CLONE_NEWNET))
		return -1;
	listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!ioctl(listening, SIOCSIFFLAGS, &lo) && !bind(listening, (struct sockaddr *)&loop, sizeof(loop)) &&
			!listen(listening, 1) && !getsockname(listening, (struct sockaddr *)&loop, &len) &&
			!connect(fd, (struct sockaddr *)&loop, sizeof(loop)),
		"a connection elsewhere: %s", strerror(errno));
	CHECK(!setns(here, CLONE_NEWNET), "setns: %s", strerror(errno));
	*other_end = listening;
	close(here);
	return fd;
}

static void closes_that_are_refused(void)
{
	struct host *h = host_new();
	struct segment s;
	char buffer[8];
	int fd, copy, udp, idle, other_end;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	idle = socket(AF_INET, SOCK_STREAM, 0);
	h->board.command_status = HF_STATUS_BAD_STATE;
	host_start(h, 4);
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234 });
	fd = hf_accept(h->listener, NULL, 2000);
	if (!CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(h->dev)))
		goto out;
#define REFUSED(fd, rc, name) CHECK_EQ(hf_close_socket(h->dev, fd, HF_CLOSE_OFFLOAD), rc, name)
	CHECK_EQ(hf_close_socket(h->dev, fd, 2), -EINVAL, "unknown flag");
	REFUSED(-1, -EBADF, "no descriptor");
	REFUSED(udp, -EOPNOTSUPP, "UDP");
	REFUSED(idle, -ENOTCONN, "not connected");

	copy = socket_elsewhere(&other_end);
	if (copy >= 0) {
		REFUSED(copy, -EXDEV, "another namespace's");
		close(copy);
		close(other_end);
	}
	copy = dup(fd);
	REFUSED(fd, -EUSERS, "a second descriptor");
	CHECK(strstr(hf_error(h->dev), "shared") != NULL, "the text is '%s'", hf_error(h->dev));
	close(copy);

	s = from_peer(1234, IRS + 1, ISS + 1, HF_ACK | HF_PSH, "nop nop ts=5001:70002", "abc");
	host_segment(h, 0x10005, &s);
	CHECK(recv(fd, buffer, 1, MSG_PEEK) == 1, "recv");
	REFUSED(fd, -EBUSY, "unread data");
	CHECK(recv(fd, buffer, sizeof(buffer), 0) == 3, "recv");

	CHECK(write(fd, "hello", 5) == 5, "write");
	REFUSED(fd, -EINPROGRESS, "unacknowledged data");
	s = from_peer(1234, IRS + 4, ISS + 6, HF_ACK, "nop nop ts=5002:70002", NULL);
	host_segment(h, 0x10005, &s);
	for (unsigned i = 0; i < 400 && hf_close_socket(h->dev, fd, HF_CLOSE_OFFLOAD) == -EINPROGRESS; i++) {
		usleep(5000);
	}
	REFUSED(fd, -EAGAIN, "the board says BAD_STATE, or the kernel keeps its ACK to itself");
	CHECK_EQ(stat_of(h, "host.closes"), 0, "closes");

	/* It is as it was. */
	CHECK(write(fd, "again", 5) == 5, "write: %s", strerror(errno));
	s = from_peer(1234, IRS + 4, ISS + 6, HF_ACK | HF_PSH, "nop nop ts=5003:70002", "def");
	host_segment(h, 0x10005, &s);
	CHECK(recv(fd, buffer, sizeof(buffer), 0) == 3, "recv");
	close(fd);
#undef REFUSED
out:
	close(udp);
	close(idle);
	host_end(h);
}

/* ---- the board goes away, or comes back ---- */

struct waiter {
	struct hf_listener *l;
	int rc;
};

static void *wait_in_accept(void *arg)
{
	struct waiter *w = arg;

	w->rc = hf_accept(w->l, NULL, -1);
	return NULL;
}

static void board_dies_in_mid_accept(void)
{
	struct host *h = host_new();
	struct waiter w[2];
	struct hf_stat stat = { NULL, 0 };
	struct hf_listener *l;
	struct pollfd p;
	pthread_t thread[2];

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	for (unsigned i = 0; i < 2; i++) {
		w[i] = (struct waiter){ h->listener, 0 };
		pthread_create(&thread[i], NULL, wait_in_accept, &w[i]);
	}
	usleep(20000);
	fake_board_hang_up(&h->board);
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		CHECK_EQ(w[i].rc, -ENODEV, "accept that waited");
	}
	p = (struct pollfd){ hf_listener_fd(h->listener), POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 2000), 1, "the listener's fd is not readable");
	CHECK_EQ(hf_accept(h->listener, NULL, -1), -ENODEV, "accept afterwards");
	CHECK_EQ(hf_accept(h->listener, NULL, 0), -ENODEV, "accept without waiting");
	CHECK_EQ(host_listen(h, 0, 99, 4, &l), -ENODEV, "listen");
	CHECK_EQ(hf_stats(h->dev, &stat, 1), -ENODEV, "stats");
	CHECK(strstr(hf_error(h->dev), "gone") != NULL, "the text is '%s'", hf_error(h->dev));
	CHECK_EQ(hf_listener_close(h->listener), -ENODEV, "close");
	host_end(h);
}

static void closing_ends_the_wait(void)
{
	struct host *h = host_new();
	struct waiter w[3];
	pthread_t thread[3];

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	for (unsigned i = 0; i < 3; i++) {
		w[i] = (struct waiter){ h->listener, 0 };
		pthread_create(&thread[i], NULL, wait_in_accept, &w[i]);
	}
	usleep(20000);
	CHECK_EQ(hf_listener_close(h->listener), 0, "close");
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		CHECK_EQ(w[i].rc, -EBADF, "accept that waited");
	}
	host_end(h);
}

static void board_comes_back_from_a_reset(void)
{
	struct host *h = host_new();
	unsigned commits = 0, enables = 0;
	uint32_t port = 0;
	int fd;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	pthread_mutex_lock(&h->board.lock);
	h->board.epoch++;
	memset(&h->board.reg[HF_REG_MSS / 4], 0, sizeof(h->board.reg) - HF_REG_MSS);
	h->board.writes = 0;
	pthread_mutex_unlock(&h->board.lock);
	fake_board_hello(&h->board);
	for (unsigned i = 0; i < 400 && !enables; i++) {
		enables = fake_board_written(&h->board, HF_REG_CTRL, &port) > 1;
		usleep(5000);
	}
	commits = fake_board_written(&h->board, HF_REG_LISTEN_COMMIT, NULL);
	fake_board_written(&h->board, HF_REG_LISTEN_PORT, &port);
	CHECK(enables && commits == 16 && port == OUR_PORT, "enables %u, commits %u, port %u", enables, commits,
		(unsigned)port);
	CHECK_EQ(stat_of(h, "host.board_resets"), 1, "board_resets");
	host_event(h, &(struct fake_event){ .id = 0x10005, .remote_port = 1234 });
	fd = hf_accept(h->listener, NULL, 2000);
	CHECK(fd >= 0, "accept after the reset: %d", fd);
	close(fd);
	host_end(h);
}

static void netdev_deleted_under_our_hands(void)
{
	struct host *h = host_new();

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	if (system("ip link delete hf0 2> /dev/null")) {
		bench_skip("no ip command");
	} else {
		for (unsigned i = 0; i < 400 && !strstr(hf_error(h->dev), "hf0"); i++)
			usleep(5000);
		CHECK(strstr(hf_error(h->dev), "hf0 is gone") != NULL, "the text is '%s'", hf_error(h->dev));
		CHECK_EQ(hf_accept(h->listener, NULL, 0), -EAGAIN, "accept");
	}
	host_end(h);
}

static void counters_have_names(void)
{
	struct host *h = host_new();
	struct hf_stat stats[200];
	int n;

	if (!needs_privilege()) {
		free(h);
		return;
	}
	host_start(h, 4);
	h->board.reg[HF_REG_COUNTER(HF_CNT_TX_SYNACK) / 4] = 7;
	h->board.reg[HF_REG_COUNTER(HF_CNT_TX_SYNACK) / 4 + 1] = 2;
	n = hf_stats(h->dev, NULL, 0);
	CHECK(n > HF_CNT_COUNT && n <= (int)COUNT(stats), "%d counters", n);
	CHECK_EQ(hf_stats(h->dev, stats, 1), n, "room for one");
	CHECK(!strcmp(stats[0].name, "board.RX_FRAMES"), "the first is %s", stats[0].name);
	CHECK_EQ(stat_of(h, "board.TX_SYNACK"), 0x200000007, "a 64-bit counter");
	CHECK_EQ(stat_of(h, "host.handoffs"), 0, "handoffs");
	CHECK(fake_board_written(&h->board, HF_REG_SNAPSHOT, NULL) >= 3, "no snapshot before reading");
	host_end(h);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(event_is_read), CASE_ONCE(events_that_make_no_sense),
		CASE_ONCE(replayed_ack), CASE_ONCE(owned_oldest_first), CASE_ONCE(arguments_of_open),
		CASE_ONCE(boards_that_open_refuses), CASE_ONCE(no_cap_net_admin), CASE_ONCE(tap_that_is_taken),
		CASE_ONCE(board_is_set_up), CASE_ONCE(heartbeat_goes_on), CASE_ONCE(listening),
		CASE_ONCE(connection_becomes_a_socket), CASE_ONCE(connection_without_options),
		CASE_ONCE(data_with_the_final_ack), CASE_ONCE(early_data_is_acknowledged_before_accept),
		CASE_ONCE(accept_queue_overflows), CASE_ONCE(events_nobody_waits_for),
		CASE_ONCE(stale_socket_gives_way), CASE_ONCE(the_table_stays_free),
		CASE_ONCE(one_segment_after_a_lost_syn), CASE_ONCE(cookie_without_entry),
		CASE_ONCE(cookie_on_a_live_socket), CASE_ONCE(cookie_after_time_wait),
		CASE_ONCE(cookie_nobody_waits_for), CASE_ONCE(connecting), CASE_ONCE(connects_that_fail),
		CASE_ONCE(connect_arguments), CASE_ONCE(board_dies_in_mid_accept), CASE_ONCE(closing_ends_the_wait),
		CASE_ONCE(board_comes_back_from_a_reset), CASE_ONCE(ipv6_connection_becomes_a_socket),
		CASE_ONCE(vlan_of_the_event_is_in_the_replay), CASE_ONCE(over_a_vlan),
		CASE_ONCE(large_segments_are_cut), CASE_ONCE(the_board_closes), CASE_ONCE(closes_that_are_refused),
		CASE_ONCE(netdev_deleted_under_our_hands), CASE_ONCE(counters_have_names), { 0 } };

	privileged = enter_namespace();
	return bench_main(argc, argv, "handoff", cases);
}
