/* SPDX-License-Identifier: Apache-2.0
 * peer_flood.c - many TCP peers of addresses 198.18.0.0/16, good and hostile, for tests/software/run.
 *
 *	peer_flood unix:PATH MAC ADDRESS	on the wire of a simulated board
 *	peer_flood tap:NAME MAC ADDRESS		on a TAP netdev with NAPI; the kernel behind it is the server
 *
 * MAC, ADDRESS and port 80 are the server's. Prints "ready", then obeys stdin and prints one line for each command:
 *	syn N		N minimum SYNs, nothing else, SYNS_PER_S
 *	good N		N connections, GOOD_AT_ONCE at a time: handshake, 64 octets each way, the peer closes first
 *	hostile N	N handshakes, HOSTILE_AT_ONCE at a time: completed, then never a word until the server resets
 * "KIND sent=N answered=N completed=N failed=N wall_ns=N", the time to the last frame.
 * Exit code: 0, 1 an error, 2 bad usage. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../../regs/regs.h"
#include "../../sim/packet.h"

enum {
	SYNS_PER_S = 50000,
	GOOD_AT_ONCE = 16,
	HOSTILE_AT_ONCE = 256,
	FRAME = 2048,
	TEXT = 64,
	PORT = 80,
	FIRST_PORT = 1024,
	PORTS = 60000,
	WINDOW = 32768,
	SILENCE_MS = 500, /* after a flood of SYNs: no more answers */
	RETRY_MS = 300,	  /* a SYN that nobody answered is sent again */
	STUCK_MS = 10000, /* a connection that takes so long has failed */
};

enum state { FREE, SYN_SENT, ESTABLISHED, FIN_WAIT, SILENT };

struct peer {
	enum state state;
	uint64_t n; /* number of the connection: says address and port */
	uint32_t snd_nxt, rcv_nxt;
	size_t received;
	uint64_t opened_ms, retry_ms;
};

struct run {
	int fd;
	struct packet to_server; /* addresses and port */
	bool good;
	struct peer peers[HOSTILE_AT_ONCE];
	unsigned at_once;
	uint64_t sent, answered, completed, failed;
	uint64_t moved_ns; /* when the last frame went or came */
	uint64_t base;	   /* number of the run's first connection: no 4-tuple comes twice */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t now_ms(void)
{
	return now_ns() / 1000000;
}

static int open_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a.sun_path, path);
	return fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) ? -1 : fd;
}

static int open_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_NAPI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return fd < 0 || ioctl(fd, TUNSETIFF, &ifr) ? -1 : fd;
}

/* Waits until the wire takes the frame. */
static void put(struct run *r, const struct packet *p)
{
	uint8_t frame[FRAME];
	size_t length = packet_build(p, frame, sizeof(frame));
	struct pollfd out = { r->fd, POLLOUT, 0 };

	while (write(r->fd, frame, length) < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
			fprintf(stderr, "peer_flood: write: %s\n", strerror(errno));
			exit(1);
		}
		poll(&out, 1, -1);
	}
	r->moved_ns = now_ns();
}

static void say(struct run *r, struct peer *c, uint16_t flags, const uint8_t *text, size_t length)
{
	struct packet p = r->to_server;

	p.src_addr = 0xc6120000 | (uint32_t)(c->n & 0xffff);
	p.src_port = (uint16_t)(FIRST_PORT + c->n / 0x10000 % PORTS);
	p.seq = c->snd_nxt;
	p.ack = flags & HF_ACK ? c->rcv_nxt : 0;
	p.flags = flags;
	p.wnd = WINDOW;
	p.text = text;
	p.text_len = length;
	put(r, &p);
	c->snd_nxt += (uint32_t)length + (flags & (HF_SYN | HF_FIN) ? 1 : 0);
}

static void open_peer(struct run *r, struct peer *c, uint64_t n)
{
	*c = (struct peer){ SYN_SENT, n, (uint32_t)(n * 2654435761u), 0, 0, now_ms(), now_ms() + RETRY_MS };
	say(r, c, HF_SYN, NULL, 0);
	r->sent++;
}

static void input(struct run *r, const struct packet *p)
{
	static const uint8_t text[TEXT] = "the request";
	const uint64_t n = (p->dst_addr & 0xffff) | (uint64_t)(uint16_t)(p->dst_port - FIRST_PORT) << 16;
	struct peer *c = r->at_once ? &r->peers[n % r->at_once] : NULL;

	if (c && (c->state == FREE || c->n != n))
		return;
	if (p->flags == (HF_SYN | HF_ACK)) {
		r->answered++;
		if (!c || c->state != SYN_SENT || p->ack != c->snd_nxt)
			return;
		c->rcv_nxt = p->seq + 1;
		say(r, c, HF_ACK, NULL, 0);
		c->state = r->good ? ESTABLISHED : SILENT;
		if (r->good)
			say(r, c, HF_ACK | HF_PSH, text, sizeof(text));
	} else if (c && p->flags & HF_RST) {
		if (c->state == SILENT)
			r->completed++;
		else
			r->failed++;
		c->state = FREE;
	} else if (c && (c->state == ESTABLISHED || c->state == FIN_WAIT)) {
		if (p->seq == c->rcv_nxt) {
			c->received += p->text_len;
			c->rcv_nxt += (uint32_t)p->text_len + (p->flags & HF_FIN ? 1 : 0);
		}
		if (c->state == ESTABLISHED && c->received >= TEXT) {
			say(r, c, HF_FIN | HF_ACK, NULL, 0);
			c->state = FIN_WAIT;
		} else if (p->text_len || p->flags & HF_FIN) {
			say(r, c, HF_ACK, NULL, 0);
		}
		if (c->state == FIN_WAIT && p->flags & HF_FIN) {
			r->completed++;
			c->state = FREE;
		}
	}
}

/* Takes what the wire has. Waits at most so many milliseconds for the first frame; false = none came. */
static bool take(struct run *r, int timeout_ms)
{
	struct pollfd in = { r->fd, POLLIN, 0 };
	bool came = false;

	while (poll(&in, 1, came ? 0 : timeout_ms) > 0) {
		uint8_t frame[FRAME];
		ssize_t length = read(r->fd, frame, sizeof(frame));
		struct packet p;

		if (length <= 0) {
			fprintf(stderr, "peer_flood: the wire is gone\n");
			exit(1);
		}
		came = true;
		r->moved_ns = now_ns();
		if (packet_parse(frame, (size_t)length, &p) && p.is_tcp && p.src_port == PORT)
			input(r, &p);
	}
	return came;
}

static void flood(struct run *r, uint64_t count)
{
	const uint64_t start = now_ns();
	struct peer c;

	for (uint64_t n = 0; n < count; n++) {
		open_peer(r, &c, r->base + n);
		while (n % 16 == 15 && now_ns() - start < n * (1000000000 / SYNS_PER_S))
			take(r, 0);
	}
	while (take(r, SILENCE_MS))
		;
}

static void connections(struct run *r, uint64_t count)
{
	uint64_t next = 0;
	bool busy = true;

	while (busy || next < count) {
		const uint64_t now = now_ms();

		busy = false;
		for (unsigned i = 0; i < r->at_once; i++) {
			struct peer *c = &r->peers[(r->base + next) % r->at_once];

			if (next == count || c->state != FREE)
				break;
			open_peer(r, c, r->base + next++);
		}
		take(r, 100);
		for (unsigned i = 0; i < r->at_once; i++) {
			struct peer *c = &r->peers[i];

			if (c->state != FREE && now > c->opened_ms + STUCK_MS) {
				c->state = FREE;
				r->failed++;
			} else if (c->state == SYN_SENT && now > c->retry_ms) {
				c->snd_nxt--;
				say(r, c, HF_SYN, NULL, 0);
				c->retry_ms = now + RETRY_MS;
				r->sent++;
			}
			busy |= c->state != FREE;
		}
	}
}

int main(int argc, char **argv)
{
	static struct run r;
	struct packet *p = &r.to_server;
	struct in_addr addr;
	char line[64], kind[16];
	uint64_t count, start;

	if (argc != 4 || inet_pton(AF_INET, argv[3], &addr) != 1 ||
		(strncmp(argv[1], "unix:", 5) && strncmp(argv[1], "tap:", 4)) ||
		sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &p->dst_mac[0], &p->dst_mac[1], &p->dst_mac[2],
			&p->dst_mac[3], &p->dst_mac[4], &p->dst_mac[5]) != 6) {
		fprintf(stderr, "peer_flood: usage: peer_flood unix:PATH|tap:NAME MAC ADDRESS\n");
		return 2;
	}
	memcpy(p->src_mac, (const uint8_t[]){ 0x02, 0, 0, 0, 0, 0x99 }, 6);
	p->dst_addr = ntohl(addr.s_addr);
	p->dst_port = PORT;
	r.fd = *argv[1] == 'u' ? open_unix(argv[1] + 5) : open_tap(argv[1] + 4);
	if (r.fd < 0) {
		fprintf(stderr, "peer_flood: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%15s %" SCNu64, kind, &count) != 2 ||
			(strcmp(kind, "syn") && strcmp(kind, "good") && strcmp(kind, "hostile"))) {
			fprintf(stderr, "peer_flood: bad command %s", line);
			return 2;
		}
		r.good = *kind == 'g';
		r.at_once = *kind == 's' ? 0 : r.good ? GOOD_AT_ONCE : HOSTILE_AT_ONCE;
		r.sent = r.answered = r.completed = r.failed = 0;
		memset(r.peers, 0, sizeof(r.peers));
		start = now_ns();
		if (r.at_once)
			connections(&r, count);
		else
			flood(&r, count);
		r.base += count;
		printf("%s sent=%" PRIu64 " answered=%" PRIu64 " completed=%" PRIu64 " failed=%" PRIu64
		       " wall_ns=%" PRIu64 "\n",
			kind, r.sent, r.answered, r.completed, r.failed, r.moved_ns - start);
		fflush(stdout);
	}
	return 0;
}
