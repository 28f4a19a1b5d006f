/* SPDX-License-Identifier: Apache-2.0
 * test_ipc.c - what libhandfast and handfastd say to each other, and the frames that the service reads, builds and cuts: plain memory. */
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../host/announce.h"
#include "../host/frame.h"
#include "../host/handfast.h"
#include "../host/ipc.h"
#include "support_bench.h"

static struct ipc_request request(enum ipc_type type)
{
	struct ipc_request r = { .magic = IPC_MAGIC, .version = IPC_VERSION, .type = (uint16_t)type };

	if (type == IPC_LISTEN) {
		r.local = (struct ipc_address){ .family = AF_INET, .port = 80 };
		r.backlog = 5;
	}
	if (type == IPC_CONNECT) {
		r.remote = (struct ipc_address){ .family = AF_INET, .port = 80, .octets = { 192, 0, 2, 1 } };
		r.timeout_ms = -1;
	}
	return r;
}

static void good_requests(void)
{
	struct ipc_order o;

	for (unsigned type = IPC_HELLO; type < IPC_TYPES; type++) {
		struct ipc_request r = request(type);

		CHECK_EQ(ipc_parse_request(&r, sizeof(r), type == IPC_CLOSE, &o), 0, "parse");
		CHECK_EQ(o.type, type, "type");
	}
	struct ipc_request r = request(IPC_CONNECT);

	ipc_parse_request(&r, sizeof(r), 0, &o);
	CHECK_EQ(ntohl(o.remote.in.sin_addr.s_addr), 0xc0000201, "remote");
	CHECK_EQ(address_port(&o.remote), 80, "port");
	CHECK_EQ(o.local.sa.sa_family, AF_UNSPEC, "no local address");
}

static void bad_requests(void)
{
	struct ipc_request r;
	struct ipc_order o;

#define BAD(type, change, rc)                                                                              \
	do {                                                                                               \
		r = request(type);                                                                         \
		change;                                                                                    \
		CHECK_EQ(ipc_parse_request(&r, sizeof(r), type == IPC_CLOSE, &o), rc, #type ": " #change); \
	} while (0)
	BAD(IPC_HELLO, r.magic++, -EBADMSG);
	BAD(IPC_HELLO, r.version++, -EPROTONOSUPPORT);
	BAD(IPC_HELLO, r.type = 0, -EBADMSG);
	BAD(IPC_HELLO, r.type = IPC_TYPES, -EBADMSG);
	BAD(IPC_LISTEN, r.local.port = 0, -EINVAL);
	BAD(IPC_LISTEN, r.local.family = AF_UNSPEC, -EINVAL);
	BAD(IPC_LISTEN, r.local.family = AF_UNIX, -EAFNOSUPPORT);
	BAD(IPC_LISTEN, r.backlog = 0, -EINVAL);
	BAD(IPC_LISTEN, r.backlog = HF_BACKLOG_MAX + 1, -EINVAL);
	BAD(IPC_LISTEN, r.remote.family = AF_INET, -EINVAL);
	BAD(IPC_CONNECT, r.remote.port = 0, -EINVAL);
	BAD(IPC_CONNECT, r.remote.octets[0] = 224, -EINVAL);
	BAD(IPC_CONNECT, r.remote.family = AF_UNSPEC, -EINVAL);
	BAD(IPC_CONNECT, r.local.family = AF_INET6, -EAFNOSUPPORT);
	BAD(IPC_CONNECT, r.timeout_ms = 0, -EINVAL);
	BAD(IPC_CONNECT, r.timeout_ms = 1 << 22, -EINVAL);
#undef BAD
	r = request(IPC_CLOSE);
	CHECK_EQ(ipc_parse_request(&r, sizeof(r), 0, &o), -EINVAL, "CLOSE without a socket");
	r = request(IPC_CONNECT);
	CHECK_EQ(ipc_parse_request(&r, sizeof(r), 1, &o), -EINVAL, "CONNECT with a socket");
	r = request(IPC_LISTEN);
	CHECK_EQ(ipc_parse_request(&r, sizeof(r), 2, &o), -EINVAL, "LISTEN with two sockets");
	for (size_t len = 0; len < sizeof(r); len++)
		CHECK(ipc_parse_request(&r, len, 0, &o) < 0, "%zu octets", len);
}

/* What a program may have the daemon set on its listening socket: what needs no privilege, whole and of its length. */
static void options_of_listeners(void)
{
	const struct ipc_option good = { .magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = IPC_OPTION,
		.level = IPPROTO_TCP,
		.option = TCP_NODELAY,
		.length = sizeof(int),
		.value = { 1 } };
	struct ipc_option o, out;

	CHECK_EQ(ipc_parse_option(&good, sizeof(good), &out), 0, "a good one");
	CHECK(out.level == IPPROTO_TCP && out.option == TCP_NODELAY && out.value[0] == 1, "what came");
	CHECK_EQ(ipc_parse_option(&good, sizeof(good) - 1, &out), -EBADMSG, "too short");
#define BAD(field, is)                                                                     \
	do {                                                                               \
		o = good;                                                                  \
		o.field = is;                                                              \
		CHECK_EQ(ipc_parse_option(&o, sizeof(o), &out), -EBADMSG, #field " " #is); \
	} while (0)
	BAD(magic, 1);
	BAD(version, IPC_VERSION + 1);
	BAD(type, IPC_TAKEN);
	BAD(length, sizeof(int) - 1);
	BAD(length, sizeof(o.value) + 1);
	BAD(option, TCP_REPAIR);
	BAD(level, SOL_SOCKET); /* there that number is SO_DEBUG */
#undef BAD
	CHECK(!ipc_option_ok(SOL_SOCKET, SO_MARK, sizeof(int)), "SO_MARK");
	CHECK(!ipc_option_ok(SOL_SOCKET, SO_PRIORITY, sizeof(int)), "SO_PRIORITY");
	CHECK(!ipc_option_ok(SOL_SOCKET, SO_RCVBUFFORCE, sizeof(int)), "SO_RCVBUFFORCE");
	CHECK(!ipc_option_ok(SOL_SOCKET, SO_BINDTODEVICE, sizeof(int)), "SO_BINDTODEVICE");
	CHECK(ipc_option_ok(SOL_SOCKET, SO_LINGER, sizeof(struct linger)), "SO_LINGER");
}

static void channel_names(void)
{
	static const char *const hosts[] = { "0.0.0.0", "192.0.2.2", "::", "2001:db8:1111:2222:3333:4444:5555:6666" };
	struct sockaddr_un name;
	union address a, b;
	socklen_t len;

	for (size_t i = 0; i < COUNT(hosts); i++) {
		CHECK_EQ(address_parse(hosts[i], &a, NULL), 0, "parse");
		address_set_port(&a, 65535);
		len = ipc_channel_name(&a, UINT64_MAX, &name);
		CHECK(len <= sizeof(name) && ipc_read_channel_name(&name, len, &b) && address_equal(&a, &b), "%s",
			hosts[i]);
		for (socklen_t cut = 0; cut < len - 18; cut++)
			CHECK(!ipc_read_channel_name(&name, cut, &b) || cut > 20, "%s cut to %u", hosts[i], cut);
	}
	name.sun_path[0] = 'x';
	CHECK(!ipc_read_channel_name(&name, len, &b), "a name in the file system");
}

/* One descriptor with a packet; two are too many, and are not leaked. */
static void descriptors_travel(void)
{
	int pair[2], fd, before, two[2];
	char packet[8];
	bool lost;

	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair");
	before = dup(0);
	close(before);
	CHECK_EQ(ipc_send(pair[0], "abc", 3, 0), 0, "send");
	CHECK_EQ(ipc_receive(pair[1], packet, sizeof(packet), &fd, &lost), 3, "receive");
	CHECK_EQ(fd, before, "the descriptor");
	close(fd);
	CHECK_EQ(ipc_receive(pair[1], packet, sizeof(packet), &fd, &lost), -EAGAIN, "nothing");
	two[0] = two[1] = 0;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(two))];
	} control = { 0 };
	struct iovec part = { packet, 3 };
	struct msghdr m = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};

	*CMSG_FIRSTHDR(&m) = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(two)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS
	};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), two, sizeof(two));
	CHECK_EQ(sendmsg(pair[0], &m, 0), 3, "send two");
	CHECK_EQ(ipc_receive(pair[1], packet, sizeof(packet), &fd, &lost), -EBADMSG, "two descriptors");
	CHECK_EQ(fd, (uint64_t)-1, "none is kept");
	fd = dup(0);
	CHECK_EQ(fd, before, "descriptors leak");
	close(fd);
	CHECK_EQ(ipc_send(pair[0], "123456789", 9, -1), 0, "send");
	CHECK_EQ(ipc_receive(pair[1], packet, sizeof(packet), &fd, &lost), -EBADMSG, "longer than the buffer");
	close(pair[0]);
	CHECK_EQ(ipc_receive(pair[1], packet, sizeof(packet), &fd, &lost), 0, "hung up");
	CHECK_EQ(ipc_send(pair[1], "x", 1, -1), -EPIPE, "send");
	close(pair[1]);
}

static void addresses_and_prefixes(void)
{
	static const struct {
		const char *text;
		bool with_prefix;
		int rc;
		unsigned prefix;
	} rows[] = {
		{ "192.0.2.1", false, 0, 0 },
		{ "192.0.2.1/24", true, 0, 24 },
		{ "0.0.0.0/0", true, 0, 0 },
		{ "2001:db8::1/128", true, 0, 128 },
		{ "192.0.2.1/33", true, -EINVAL, 0 },
		{ "2001:db8::1/129", true, -EINVAL, 0 },
		{ "192.0.2.1/", true, -EINVAL, 0 },
		{ "192.0.2.1/+1", true, -EINVAL, 0 },
		{ "192.0.2.1/8 ", true, -EINVAL, 0 },
		{ "192.0.2.1/4294967297", true, -EINVAL, 0 },
		{ "192.0.2.1/24", false, -EINVAL, 0 },
		{ "192.0.2.1", true, -EINVAL, 0 },
		{ "192.0.2", false, -EINVAL, 0 },
		{ "", false, -EINVAL, 0 },
		{ "2001:db8:2001:db8:2001:db8:2001:db8:2001:db8:2001:db8", false, -EINVAL, 0 },
	};
	char text[ADDRESS_TEXT_BYTES];
	union address a;
	unsigned prefix;

	for (size_t i = 0; i < COUNT(rows); i++) {
		prefix = 0;
		CHECK_EQ(address_parse(rows[i].text, &a, rows[i].with_prefix ? &prefix : NULL), rows[i].rc,
			rows[i].text);
		if (!rows[i].rc)
			CHECK_EQ(prefix, rows[i].prefix, rows[i].text);
	}
	address_parse("2001:db8::1", &a, NULL);
	address_set_port(&a, 443);
	CHECK(!strcmp(address_text(&a, text), "[2001:db8::1]:443"), "%s", text);
}

/* Every piece of a large segment, put together again, is what it was; sequence numbers cross 2^32. */
static void cutting_keeps_every_octet(void)
{
	static const size_t sizes[] = { 1, 7, 536, 1448, 60000 };
	static uint8_t frame[62000], piece[62000], got[62000];
	const struct vlan vlan[] = { { 0 }, { .tags = 2, .service_outer = true, .outer = 5, .inner = 6 } };
	static const uint8_t mac[6] = { 2 };

	for (unsigned v = 0; v < 2; v++) {
		for (int ip6 = 0; ip6 < 2; ip6++) {
			struct frame_tcp t = { .seq = 0xfffffff0,
				.ack = 7,
				.flags = HF_ACK | HF_PSH | HF_FIN | HF_CWR,
				.wnd = 9,
				.ts = true };
			const size_t payload = 5000;
			size_t len, l3, start;

			address_parse(ip6 ? "2001:db8::1" : "192.0.2.1", &t.source, NULL);
			address_parse(ip6 ? "2001:db8::2" : "192.0.2.2", &t.destination, NULL);
			address_set_port(&t.source, 1);
			address_set_port(&t.destination, 2);
			len = frame_build(frame, mac, mac, &vlan[v], &t);
			l3 = 14 + 4 * vlan[v].tags;
			for (size_t i = 0; i < payload; i++)
				frame[len + i] = (uint8_t)(i * 31 + i / 256);
			put16(frame + l3 + (ip6 ? 4 : 2), (uint16_t)(len + payload - l3 - (ip6 ? 40 : 0)));
			for (size_t s = 0; s < COUNT(sizes); s++) {
				size_t done = 0;
				struct gso g;
				int n;

				CHECK_EQ(gso_begin(&g, frame, len + payload, sizes[s]), 0, "begin");
				while ((n = gso_next(&g, piece, sizeof(piece), &start)) > 0) {
					struct frame_tcp p;
					bool last;

					CHECK(frame_read_tcp(piece, (size_t)n, &p), "a piece is no segment");
					last = done + (p.end - p.payload) == payload;
					CHECK_EQ(p.seq, (uint32_t)(0xfffffff0 + done), "SEQ");
					CHECK(p.end - p.payload <= sizes[s] && start == p.l4, "%zu octets",
						p.end - p.payload);
					CHECK_EQ(p.flags, HF_ACK | (last ? HF_PSH | HF_FIN : 0) | (done ? 0 : HF_CWR),
						"flags");
					memcpy(got + done, piece + p.payload, p.end - p.payload);
					done += p.end - p.payload;
					if (!ip6)
						CHECK_EQ(ref_ip_checksum(piece + l3), get16(piece + l3 + 10),
							"IP checksum");
					frame_finish_checksum(piece, (size_t)n, start, 16);
					if (!ip6)
						CHECK_EQ(ref_tcp_checksum(piece + l3), get16(piece + start + 16),
							"TCP checksum");
					if (done > payload)
						break;
				}
				CHECK_EQ(n, 0, "the end");
				CHECK_BYTES("octets", got, done, frame + len, payload);
			}
		}
	}
}

static void announcements(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	uint8_t f[ANNOUNCE_BYTES];
	union address a;
	uint32_t sum = 58 + 32;

	address_parse("192.0.2.2", &a, NULL);
	CHECK_EQ(announce_frame(f, mac, &a), 42, "ARP");
	CHECK(get48(f) == 0xffffffffffff && get16(f + 12) == 0x0806 && get16(f + 20) == 1, "an ARP request to all");
	CHECK(get32(f + 28) == 0xc0000202 && get32(f + 38) == 0xc0000202 && get48(f + 22) == 0x020000000009,
		"about itself");
	address_parse("2001:db8::2", &a, NULL);
	CHECK_EQ(announce_frame(f, mac, &a), 86, "advertisement");
	CHECK(f[54] == 136 && f[21] == 255 && get48(f + 80) == 0x020000000009, "with our MAC");
	for (unsigned i = 22; i < 86; i += 2)
		sum += get16(f + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	CHECK_EQ(sum, 0xffff, "its checksum");
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(good_requests), CASE_ONCE(bad_requests),
		CASE_ONCE(options_of_listeners), CASE_ONCE(channel_names), CASE_ONCE(descriptors_travel),
		CASE_ONCE(addresses_and_prefixes), CASE_ONCE(cutting_keeps_every_octet), CASE_ONCE(announcements),
		{ 0 } };

	return bench_main(argc, argv, "ipc", cases);
}
