/* SPDX-License-Identifier: Apache-2.0
 * test_data_path.c - batches: messages that come and go together, segments that go up as one, connections that become ready at once; and
 * the TAP netdev as others may have left it. The board is a fake; the kernel is the real one, in network namespaces of the test's own.
 *
 * A batch is made in a job of the service thread: while that runs nothing is read, so that all of it is there afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../driver/device.h"
#include "../host/handfast.h"
#include "../host/library.h"
#include "support_bench.h"
#include "support_event.h"
#include "support_fake_board.h"
#include "support_namespace.h"

static bool privileged;

static bool needs_privilege(void)
{
	if (!privileged)
		bench_skip("needs CAP_NET_ADMIN, a network namespace and /dev/net/tun");
	return privileged;
}

/* ---- segments that may be one ---- */

enum { SIZE = 100, PORT = 1234 };

static char letters[72 * 1024]; /* text of segments: what lies at an offset says where */

static struct segment segment(uint32_t at, size_t len)
{
	return (struct segment){ .src = PEER_ADDR,
		.dst = OUR_ADDR,
		.sport = PORT,
		.dport = OUR_PORT,
		.seq = IRS + 1 + at,
		.ack = ISS + 1,
		.flags = HF_ACK,
		.wnd = 1000,
		.opts = "nop nop ts=5000:70002",
		.text = letters + at,
		.text_len = len };
}

static const struct tags two_tags = { .count = 2, .svlan = true, .outer = 5, .inner = 6 };

static size_t tagged_frame_of(uint8_t *frame, const struct segment *s)
{
	uint8_t ip[PACKET_MAX];

	return make_tagged_frame(frame, OUR_MAC, PEER_MAC, &two_tags, ip, make_packet(ip, s));
}

static size_t frame_of(uint8_t *frame, const struct segment *s)
{
	uint8_t ip[PACKET_MAX];

	return make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, s));
}

static bool begins(struct merge *m, const uint8_t *frame, size_t len)
{
	struct frame_tcp t;

	return frame_read_tcp(frame, len, &t) && merge_begin(m, frame, &t);
}

static bool adds(struct merge *m, const uint8_t *frame, size_t len)
{
	struct frame_tcp t;

	return frame_read_tcp(frame, len, &t) && merge_add(m, frame, &t);
}

/* net/ipv4/tcp_offload.c, tcp_gro_receive(): what may join, and what must be alone. */
static void what_may_join(void)
{
	static const struct {
		const char *name;
		struct segment change; /* what is not zero replaces */
		bool joins;
	} rows[] = {
		{ "the next one", { 0 }, true },
		{ "with PSH", { .flags = HF_ACK | HF_PSH }, true },
		{ "shorter", { .text_len = SIZE - 1 }, true },
		{ "longer", { .text_len = SIZE + 1 }, false },
		{ "behind a gap", { .seq = IRS + 1 + SIZE + 1 }, false },
		{ "the first once more", { .seq = IRS + 1 }, false },
		{ "another ACK", { .ack = ISS + 2 }, false },
		{ "another window", { .wnd = 1001 }, false },
		{ "another timestamp", { .opts = "nop nop ts=5001:70002" }, false },
		{ "another echo", { .opts = "nop nop ts=5000:70003" }, false },
		{ "other options of the same length", { .opts = "nop nop nop nop nop nop nop nop nop nop nop nop" },
			false },
		{ "FIN", { .flags = HF_ACK | HF_FIN }, false },
		{ "URG", { .flags = HF_ACK | HF_URG }, false },
		{ "CWR", { .flags = HF_ACK | HF_CWR }, false },
		{ "another TTL", { .ttl = 63 }, false },
		{ "congestion experienced", { .tos = 3 }, false },
		{ "another port", { .sport = PORT + 1 }, false },
		{ "another address", { .src = PEER_ADDR + 9 }, false },
		{ "IPv4 options", { .ip_opts = "01010101" }, false },
	};
	uint8_t first[PACKET_MAX], second[PACKET_MAX];
	struct segment s = segment(0, SIZE);
	size_t len = frame_of(first, &s);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct segment *c = &rows[i].change;
		struct merge m;

		s = segment(SIZE, c->text_len ? c->text_len : SIZE);
		s.flags = c->flags ? c->flags : s.flags;
		s.seq = c->seq ? c->seq : s.seq;
		s.ack = c->ack ? c->ack : s.ack;
		s.wnd = c->wnd ? c->wnd : s.wnd;
		s.opts = c->opts ? c->opts : s.opts;
		s.ttl = c->ttl;
		s.tos = c->tos;
		s.sport = c->sport ? c->sport : s.sport;
		s.src = c->src ? c->src : s.src;
		s.ip_opts = c->ip_opts;
		check_context("%s: ", rows[i].name);
		CHECK(begins(&m, first, len), "the first does not begin");
		CHECK_EQ(adds(&m, second, frame_of(second, &s)), rows[i].joins, "joins");
		CHECK_EQ(m.parts, rows[i].joins ? 2 : 1, "frames in it");
	}
	check_context("%s", "");
}

static void what_cannot_begin(void)
{
	static const struct {
		const char *name;
		uint16_t flags;
		size_t text_len;
		const char *ip_opts;
		bool may;
	} rows[] = {
		{ "data", HF_ACK, SIZE, NULL, true },
		{ "data with PSH", HF_ACK | HF_PSH, SIZE, NULL, true },
		{ "no data", HF_ACK, 0, NULL, false },
		{ "SYN", HF_ACK | HF_SYN, SIZE, NULL, false },
		{ "FIN", HF_ACK | HF_FIN, SIZE, NULL, false },
		{ "RST", HF_ACK | HF_RST, SIZE, NULL, false },
		{ "no ACK", HF_PSH, SIZE, NULL, false },
		{ "IPv4 options", HF_ACK, SIZE, "01010101", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct segment s = segment(0, rows[i].text_len);
		uint8_t frame[PACKET_MAX];
		struct merge m;

		s.flags = rows[i].flags;
		s.ip_opts = rows[i].ip_opts;
		CHECK(begins(&m, frame, frame_of(frame, &s)) == rows[i].may, "%s", rows[i].name);
	}
}

static void what_ends_it(void)
{
	uint8_t frame[70][PACKET_MAX];
	struct segment s;
	struct merge m;
	size_t len[70];

	/* PSH: the application shall have it now. */
	s = segment(0, SIZE);
	s.flags |= HF_PSH;
	len[0] = frame_of(frame[0], &s);
	s = segment(SIZE, SIZE);
	len[1] = frame_of(frame[1], &s);
	CHECK(begins(&m, frame[0], len[0]) && !adds(&m, frame[1], len[1]), "behind PSH");
	/* A shorter one: what follows would be cut elsewhere. */
	s = segment(0, SIZE);
	len[0] = frame_of(frame[0], &s);
	s = segment(SIZE, SIZE - 1);
	len[1] = frame_of(frame[1], &s);
	s = segment(2 * SIZE - 1, SIZE);
	len[2] = frame_of(frame[2], &s);
	CHECK(begins(&m, frame[0], len[0]) && adds(&m, frame[1], len[1]) && !adds(&m, frame[2], len[2]),
		"behind a short one");
	/* As many as there is room for; and no more octets than an IP packet has. */
	for (unsigned i = 0; i < 70; i++) {
		s = segment(i * SIZE, SIZE);
		len[i] = frame_of(frame[i], &s);
		CHECK(i ? adds(&m, frame[i], len[i]) == (i < MERGE_PARTS) : begins(&m, frame[0], len[0]), "frame %u",
			i);
	}
	CHECK_EQ(m.parts, MERGE_PARTS, "frames in it");
	for (unsigned i = 0; i < 50; i++) {
		s = segment(i * 1400, 1400);
		len[i] = frame_of(frame[i], &s);
		CHECK(i ? adds(&m, frame[i], len[i]) == (i < 46) : begins(&m, frame[0], len[0]), "large frame %u", i);
	}
	CHECK(merge_finish(&m) == 66 + 46 * 1400, "65,452 octets of IP, and 66,852 would be too many");
}

/* Without DF the identification counts. */
static void identification_without_df(void)
{
	for (unsigned step = 0; step < 3; step++) {
		uint8_t frame[2][PACKET_MAX];
		struct merge m;
		size_t len[2];

		for (unsigned i = 0; i < 2; i++) {
			struct segment s = segment(i * SIZE, SIZE);

			s.ip_id = (uint16_t)(0xffff + i * step);
			len[i] = frame_of(frame[i], &s);
			frame[i][20] &= 0xbf;
			put16(frame[i] + 24, ref_ip_checksum(frame[i] + 14));
		}
		CHECK(begins(&m, frame[0], len[0]), "begins");
		CHECK_EQ(adds(&m, frame[1], len[1]), step == 1, "joins if it is the next number");
	}
}

/* The large segment, to the octet. */
static void content_of_the_large_segment(void)
{
	enum { PARTS = 5 };

	static const char *const name[] = { "IPv4: ", "IPv6: ", "IPv4 with two tags: " };

	for (unsigned kind = 0; kind < COUNT(name); kind++) {
		size_t (*make)(uint8_t * frame, const struct segment *s) = kind == 2 ? tagged_frame_of : frame_of;
		bool six = kind == 1;
		uint8_t frame[PARTS][PACKET_MAX], whole[PACKET_MAX], got[PACKET_MAX];
		size_t len, done = 0, l3 = kind == 2 ? 22 : 14, header = l3 + (six ? 40 : 20) + 32,
			    octets = six ? 32 : 8;
		uint8_t pseudo[36];
		struct segment all = segment(0, PARTS * SIZE);
		struct merge m = { .frame = NULL };

		all.ip6 = six;
		all.flags |= HF_PSH;
		for (unsigned i = 0; i < PARTS; i++) {
			struct segment s = segment(i * SIZE, SIZE);

			s.ip6 = six;
			s.flags |= i == PARTS - 1 ? HF_PSH : 0;
			len = make(frame[i], &s);
			CHECK(i ? adds(&m, frame[i], len) : begins(&m, frame[i], len), "frame %u", i);
		}
		len = make(whole, &all);
		/* What is left to the kernel: the pseudo-header's sum instead of the checksum. */
		memcpy(pseudo, whole + l3 + (six ? 8 : 12), octets);
		put16(pseudo + octets, 6);
		put16(pseudo + octets + 2, (uint16_t)(len - header + 32));
		put16(whole + header - 16, ref_sum(pseudo, octets + 4));
		check_context("%s", name[kind]);
		CHECK_EQ(merge_finish(&m), len, "length");
		for (unsigned i = 0; i <= m.parts; i++) {
			memcpy(got + done, m.part[i].iov_base, m.part[i].iov_len);
			done += m.part[i].iov_len;
		}
		CHECK_BYTES("segment", got, done, whole, len);
		CHECK_EQ(m.size, SIZE, "pieces of it");
		check_context("%s", "");
	}
}

/* ---- through the library and the kernel ---- */

struct host {
	struct fake_board board;
	struct hf_device *dev;
	struct hf_listener *listener;
	int fd; /* the connection from PORT */
	bool six, tagged;
};

static struct host *host_open(bool six)
{
	static const struct hf_options options = {
		.address = "192.0.2.2/24, 2001:db8::2/64", .tap = "hf0", .mac = "02:00:00:00:00:02"
	};
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(OUR_PORT) };
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(OUR_PORT) };
	struct host *h = calloc(1, sizeof(*h));
	uint8_t msg[128];
	int rc = 0;

	CHECK(unshare(CLONE_NEWNET) == 0, "unshare: %s", strerror(errno));
	fake_board_init(&h->board);
	h->board.arp_mac = PEER_MAC;
	h->six = six;
	h->fd = -1;
	CHECK(fake_board_start(&h->board), "the fake board does not start");
	/* A busy machine may let the library wait in vain. */
	for (unsigned tries = 0; tries < 5 && (!tries || rc == -ETIMEDOUT); tries++)
		rc = hf_open(h->board.uri, &options, &h->dev);
	if (!CHECK(rc == 0, "hf_open: %d %s", rc, hf_error(NULL)))
		return h;
	rc = six ? hf_listen(h->dev, (struct sockaddr *)&any6, sizeof(any6), 64, &h->listener)
		 : hf_listen(h->dev, (struct sockaddr *)&any, sizeof(any), 64, &h->listener);
	CHECK(rc == 0, "hf_listen: %d %s", rc, hf_error(h->dev));
	fake_board_send(&h->board, msg,
		event_message(msg, &(struct fake_event){ .id = 0x10005, .remote_port = PORT, .ip6 = six }));
	h->fd = hf_accept(h->listener, NULL, 2000);
	CHECK(h->fd >= 0, "hf_accept: %d %s", h->fd, hf_error(h->dev));
	return h;
}

static void host_close(struct host *h)
{
	if (h->fd >= 0)
		close(h->fd);
	hf_close(h->dev);
	fake_board_stop(&h->board);
	free(h);
}

static uint64_t stat_of(struct host *h, const char *name)
{
	struct hf_stat stats[200];
	int n = h->dev ? hf_stats(h->dev, stats, COUNT(stats)) : 0;

	for (int i = 0; i < n && i < (int)COUNT(stats); i++) {
		if (!strcmp(stats[i].name, name))
			return stats[i].value;
	}
	CHECK(false, "no counter %s", name);
	return UINT64_MAX;
}

/* Packets that hf0 has received from us. */
static unsigned long received(void)
{
	unsigned long packets = 0;
	char line[256];
	FILE *f = fopen("/proc/net/dev", "re");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, " hf0: %*u %lu", &packets);
	if (f)
		fclose(f);
	return packets;
}

/* A job: the service thread does not read meanwhile. */
struct batch {
	struct host *h;
	void (*send)(struct host *h);
};

static int send_batch(struct hf_device *dev, void *arg)
{
	struct batch *b = arg;

	(void)dev;
	b->send(b->h);
	return 0;
}

static void in_one_batch(struct host *h, void (*send)(struct host *h))
{
	struct batch b = { h, send };

	CHECK_EQ(service_run(h->dev, send_batch, &b), 0, "a job");
}

static void give(struct host *h, struct segment s)
{
	uint8_t frame[PACKET_MAX];

	s.ip6 = h->six;
	fake_board_send_frame(&h->board, frame, h->tagged ? tagged_frame_of(frame, &s) : frame_of(frame, &s),
		HF_FRAME_CSUM_OK | HF_FRAME_CONN, 0x10005);
}

/* The next `len` octets that the program reads are those at `at`. */
static void reads(struct host *h, size_t at, size_t len)
{
	static char got[sizeof(letters)];
	size_t done = 0;

	while (done < len) {
		struct pollfd p = { h->fd, POLLIN, 0 };
		ssize_t n = poll(&p, 1, 2000) == 1 ? read(h->fd, got + done, len - done) : -1;

		if (!CHECK(n > 0, "only %zu octets of %zu came", done, len))
			return;
		done += (size_t)n;
	}
	CHECK_BYTES("text", got, len, letters + at, len);
	CHECK(recv(h->fd, got, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "and more came");
}

static void send_forty(struct host *h)
{
	for (unsigned i = 0; i < 40; i++)
		give(h, segment(i * SIZE, SIZE));
}

static void forty_segments(bool six)
{
	struct host *h;
	unsigned long before;
	uint64_t out;

	if (!needs_privilege())
		return;
	h = host_open(six);
	before = received();
	out = stat_of(h, "host.tap_out");
	in_one_batch(h, send_forty);
	reads(h, 0, 40 * SIZE);
	/* The replayed ACK came before; neighbour discovery may add one or two. */
	CHECK(received() - before <= 3, "40 segments reached the kernel as %lu packets", received() - before);
	CHECK_EQ(stat_of(h, "host.tap_out_dropped"), 0, "none was refused");
	CHECK(stat_of(h, "host.tap_out") - out >= 40, "each is counted");
	host_close(h);
}

static void segments_go_up_as_one(void)
{
	forty_segments(false);
}

static void segments_go_up_as_one_ipv6(void)
{
	forty_segments(true);
}

/* Tags stay, and the kernel takes such a segment; nobody has a netdev for that VLAN here. */
static void segments_go_up_as_one_tagged(void)
{
	struct host *h;
	unsigned long before;

	if (!needs_privilege())
		return;
	h = host_open(false);
	h->tagged = true;
	before = received();
	in_one_batch(h, send_forty);
	for (unsigned i = 0; i < 400 && received() == before; i++)
		usleep(5000);
	CHECK(received() - before >= 1 && received() - before <= 3, "40 segments reached the kernel as %lu packets",
		received() - before);
	CHECK_EQ(stat_of(h, "host.tap_out_dropped"), 0, "none was refused");
	host_close(h);
}

/* Nine connections' segments in turn, one more than are merged at once: none is lost or out of order. */
static void send_nine(struct host *h)
{
	for (unsigned i = 0; i < 5; i++) {
		for (unsigned c = 0; c < 9; c++) {
			struct segment s = segment(i * SIZE, SIZE);

			s.sport = (uint16_t)(PORT + c);
			give(h, s);
		}
	}
}

static void nine_connections_in_turn(void)
{
	struct host *h;
	int fd[9];

	if (!needs_privilege())
		return;
	h = host_open(false);
	fd[0] = h->fd;
	for (unsigned c = 1; c < 9; c++) {
		uint8_t msg[128];

		fake_board_send(&h->board, msg,
			event_message(
				msg, &(struct fake_event){ .id = 0x10005 + c, .remote_port = (uint16_t)(PORT + c) }));
		fd[c] = hf_accept(h->listener, NULL, 2000);
		CHECK(fd[c] >= 0, "hf_accept: %d", fd[c]);
	}
	in_one_batch(h, send_nine);
	for (unsigned c = 0; c < 9; c++) {
		h->fd = fd[c];
		reads(h, 0, 5 * SIZE);
		if (c)
			close(fd[c]);
	}
	h->fd = fd[0];
	host_close(h);
}

/* The last octets and the FIN behind them, in one batch: order stays. */
static void send_with_end(struct host *h)
{
	struct segment s = segment(3 * SIZE, 0);

	for (unsigned i = 0; i < 3; i++)
		give(h, segment(i * SIZE, SIZE));
	s.flags |= HF_FIN;
	s.text = NULL;
	give(h, s);
}

static void end_behind_the_text(void)
{
	struct host *h;
	char text[3 * SIZE + 1];
	size_t done = 0;
	ssize_t n;

	if (!needs_privilege())
		return;
	h = host_open(false);
	in_one_batch(h, send_with_end);
	while ((n = recv(h->fd, text + done, sizeof(text) - done, 0)) > 0)
		done += (size_t)n;
	CHECK(n == 0, "the end: %s", strerror(errno));
	CHECK_BYTES("text before it", text, done, letters, 3 * SIZE);
	host_close(h);
}

/* What cannot be, among segments of a connection. */
static void send_rubbish(struct host *h)
{
	static const uint8_t zeros[16 + 100];
	uint8_t msg[HF_MSG_HEADER_BYTES + 200] = { 0 };
	struct segment s;

	give(h, segment(0, SIZE));
	fake_board_send(&h->board, zeros, 3); /* no header */
	give(h, segment(SIZE, SIZE));
	MSG_PUT(msg, HEADER, type, HF_MSG_FRAME);
	MSG_PUT(msg, HEADER, length, sizeof(msg) + 1); /* a length that is not its */
	MSG_PUT(msg, HEADER, flags, HF_FRAME_CSUM_OK);
	fake_board_send(&h->board, msg, sizeof(msg));
	MSG_PUT(msg, HEADER, length, sizeof(msg)); /* a frame of zeros that is called intact */
	fake_board_send(&h->board, msg, sizeof(msg));
	MSG_PUT(msg, HEADER, type, 99); /* an unknown type */
	fake_board_send(&h->board, msg, sizeof(msg));
	give(h, segment(2 * SIZE, SIZE));
	MSG_PUT(msg, HEADER, type, HF_MSG_EVENT); /* an event too short */
	fake_board_send(&h->board, msg, sizeof(msg));
	s = segment(3 * SIZE, SIZE);
	s.flags |= HF_PSH;
	give(h, s);
}

static void rubbish_in_a_batch_loses_nothing_else(void)
{
	struct host *h;

	if (!needs_privilege())
		return;
	h = host_open(false);
	in_one_batch(h, send_rubbish);
	reads(h, 0, 4 * SIZE);
	CHECK_EQ(stat_of(h, "host.bad_messages"), 4, "bad_messages");
	host_close(h);
}

/* The board has verified it: the kernel does not look again. */
static void send_verified(struct host *h)
{
	uint8_t frame[PACKET_MAX];
	struct segment s = segment(0, SIZE);
	size_t len = frame_of(frame, &s);

	frame[51] ^= 0x55;
	fake_board_send_frame(&h->board, frame, len, HF_FRAME_CSUM_OK | HF_FRAME_CONN, 0x10005);
}

static void verified_once(void)
{
	struct host *h;

	if (!needs_privilege())
		return;
	h = host_open(false);
	in_one_batch(h, send_verified);
	reads(h, 0, SIZE);
	host_close(h);
}

/* Twenty connections in one batch: all are there, and the descriptor is readable just as long. */
static void send_twenty(struct host *h)
{
	uint8_t msg[128];

	for (unsigned i = 0; i < 20; i++)
		fake_board_send(&h->board, msg,
			event_message(
				msg, &(struct fake_event){ .id = 0x10010 + i, .remote_port = (uint16_t)(2000 + i) }));
}

static bool readable(struct host *h)
{
	struct pollfd p = { hf_listener_fd(h->listener), POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

static void connections_in_a_batch(void)
{
	struct host *h;
	struct pollfd p;

	if (!needs_privilege())
		return;
	h = host_open(false);
	for (unsigned round = 0; round < 2; round++) {
		CHECK(!readable(h), "readable before");
		in_one_batch(h, send_twenty);
		p = (struct pollfd){ hf_listener_fd(h->listener), POLLIN, 0 };
		CHECK(poll(&p, 1, 2000) == 1, "not readable");
		for (unsigned i = 0; i < 20; i++) {
			struct sockaddr_in peer;
			int fd =
				hf_accept(h->listener, (struct sockaddr_storage *)memset(&peer, 0, sizeof(peer)), 2000);

			if (!CHECK(fd >= 0, "connection %u: %d", i, fd))
				break;
			CHECK_EQ(ntohs(peer.sin_port), 2000 + i, "in order");
			listener_reset_socket(fd);
		}
		CHECK(!readable(h), "readable after the last one");
		CHECK_EQ(hf_accept(h->listener, NULL, 0), -EAGAIN, "one more");
	}
	host_close(h);
}

/* Down: the kernel's large segments over IPv6 in pieces of the peer's MSS, checksums by the board. */
static void large_segments_are_cut_ipv6(void)
{
	enum { ALL = 20000, MSS = 988, HEADERS = 14 + 40 + 32 };
	static char got[ALL];
	struct host *h;
	size_t done = 0;

	if (!needs_privilege())
		return;
	h = host_open(true);
	CHECK(write(h->fd, letters, ALL) == ALL, "write");
	for (unsigned n = 0; done < ALL; n++) {
		const uint8_t *frame = h->board.frame[n].bytes;
		struct segment s = segment(0, 0);
		size_t at, len;

		if (!CHECK(fake_board_wait(&h->board, &h->board.frames, n + 1), "piece %u did not come", n))
			break;
		at = get32(frame + 58) - (ISS + 1);
		len = get16(frame + 18) - 32u;
		CHECK(len <= MSS && h->board.frame[n].len == HEADERS + len, "piece %u has %zu octets", n, len);
		CHECK_EQ(ref_tcp_checksum(frame + 14), get16(frame + 70), "TCP checksum");
		if (!CHECK(at <= done && at + len <= ALL, "piece %u lies at %zu", n, at))
			break;
		memcpy(got + at, frame + HEADERS, len);
		done = at + len > done ? at + len : done;
		s.text = NULL;
		s.ack = ISS + 1 + (uint32_t)done;
		give(h, s);
	}
	CHECK_BYTES("text", got, ALL, letters, ALL);
	host_close(h);
}

/* ---- messages to the board ---- */

/* In a corked device messages wait; so many as go out at once go, the rest when it is uncorked; order stays. */
static int cork(struct hf_device *dev, void *arg)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
	struct host *h = arg;
	uint8_t *place;

	device_cork(dev->board);
	for (unsigned i = 0; i < 5; i++) {
		struct frame_tcp t = {
			.source.in = { .sin_family = AF_INET }, .destination.in = { .sin_family = AF_INET }, .seq = i
		};

		place = device_frame_place(dev->board);
		if (!CHECK(place != NULL, "no place"))
			return 0;
		CHECK(device_frame_place(dev->board) == place, "a place that is not put is given again");
		CHECK_EQ(device_frame_put(dev->board, frame_build(place, mac, mac, &(struct vlan){ 0 }, &t), 34, 16), 0,
			"put");
	}
	CHECK_EQ(device_frame_put(dev->board, 13, 34, 16), -EMSGSIZE, "too short");
	CHECK_EQ(device_frame_put(dev->board, 60, 33, 16), -EINVAL, "an odd start");
	CHECK(device_wants_out(dev->board), "nothing waits");
	CHECK_EQ(fake_board_count(&h->board, &h->board.frames), 0, "frames that have come");
	CHECK_EQ(device_uncork(dev->board), 0, "uncork");
	CHECK(!device_wants_out(dev->board), "something waits");
	return 0;
}

static void corked_messages_wait(void)
{
	struct host *h;

	if (!needs_privilege())
		return;
	h = host_open(false);
	CHECK_EQ(service_run(h->dev, cork, h), 0, "a job");
	CHECK(fake_board_wait(&h->board, &h->board.frames, 5), "they did not come");
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(get32(h->board.frame[i].bytes + 38), i, "SEQ");
	host_close(h);
}

/* ---- the TAP netdev ---- */

/* As `ip tuntap add`, or an earlier process, left it. */
static bool leave_tap(int flags)
{
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags), .ifr_name = "hf7" };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	bool ok = fd >= 0 && !ioctl(fd, TUNSETIFF, &ifr) && !ioctl(fd, TUNSETPERSIST, 1UL);

	if (fd >= 0)
		close(fd);
	return ok;
}

static void netdev_that_others_left(void)
{
	static const struct {
		const char *name;
		int flags;
	} rows[] = { { "plain", 0 }, { "for several queues", IFF_MULTI_QUEUE }, { "with NAPI", IFF_NAPI },
		{ "both", IFF_MULTI_QUEUE | IFF_NAPI }, { "without virtio_net_hdr", IFF_VNET_HDR } };
	struct tap_addresses none = { .count = 0 };
	uint8_t frame[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 };
	const char *step;

	if (!needs_privilege())
		return;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tap tap;
		int index, rc, copy;

		CHECK(unshare(CLONE_NEWNET) == 0, "unshare: %s", strerror(errno));
		check_context("%s: ", rows[i].name);
		if (!CHECK(leave_tap(rows[i].flags ^ IFF_VNET_HDR), "the kernel makes no such netdev: %s",
			    strerror(errno)))
			continue;
		index = (int)if_nametoindex("hf7");
		for (unsigned again = 0; again < 2; again++) {
			rc = tap_open(&tap, -1, "hf7", NULL, &none, 1500, true, &step);
			if (!CHECK(rc == 0, "open: %d, %s", rc, step))
				break;
			CHECK_EQ(tap.ifindex, index, "it is the same netdev");
			CHECK_EQ(tap_write(&tap, frame, sizeof(frame), false), 0, "write");
			/* And by its descriptor, as a next process gets it. */
			copy = fcntl(tap.fd, F_DUPFD_CLOEXEC, 0);
			tap_close(&tap);
			rc = tap_open(&tap, copy, "hf7", NULL, &none, 1500, true, &step);
			if (!CHECK(rc == 0, "open by descriptor: %d, %s", rc, step)) {
				close(copy);
				break;
			}
			CHECK_EQ(tap_write(&tap, frame, sizeof(frame), false), 0, "write");
			tap_close(&tap);
			CHECK_EQ(if_nametoindex("hf7"), index, "it stays");
		}
		check_context("%s", "");
	}
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(what_may_join), CASE_ONCE(what_cannot_begin),
		CASE_ONCE(what_ends_it), CASE_ONCE(identification_without_df), CASE_ONCE(content_of_the_large_segment),
		CASE_ONCE(segments_go_up_as_one), CASE_ONCE(segments_go_up_as_one_ipv6),
		CASE_ONCE(segments_go_up_as_one_tagged), CASE_ONCE(nine_connections_in_turn),
		CASE_ONCE(end_behind_the_text), CASE_ONCE(rubbish_in_a_batch_loses_nothing_else),
		CASE_ONCE(verified_once), CASE_ONCE(connections_in_a_batch), CASE_ONCE(large_segments_are_cut_ipv6),
		CASE_ONCE(corked_messages_wait), CASE_ONCE(netdev_that_others_left), { 0 } };

	for (size_t i = 0; i < sizeof(letters); i++)
		letters[i] = (char)('a' + (i * 7 + i / 251) % 26);
	privileged = enter_namespace();
	return bench_main(argc, argv, "data_path", cases);
}
