/* SPDX-License-Identifier: Apache-2.0
 * bench_host.c - what the host pays for a connection and for a gigabyte, beside the kernel alone: `make bench-host`.
 *
 *	bench_host BUILD ROWS		all parts, in a network namespace of its own; rows as build/bench.json has them into the file ROWS
 *	bench_host get ADDRESS COUNT	COUNT connections, each a GET read to its end, eight at once; prints "connections per second"
 *
 * The board is support_player.c: its processor time is not the host's and not counted. Processor time is that of the processes named in
 * the note, all threads, user and system. What the kernel does for a frame that a process writes to a TAP or sends over a veth or the
 * loopback, it does in that call (softirq included), so that it is in that time; what it does in ksoftirqd or in an interrupt of another
 * process is not, and cannot be told from other work of the machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../driver/clock.h"
#include "../host/handfast.h"
#include "../host/tap.h"
#include "support_bench.h"
#include "support_event.h"
#include "support_namespace.h"
#include "support_player.h"

enum {
	CONNECTIONS = 20000, /* of a round */
	ROUNDS = 5,	     /* of each measurement */
	WINDOW = 64,	     /* connections begun and not yet accepted */
	BACKLOG = 1024,
	FIRST_PORT = 1024,
	REQUESTS = 5000,
	GETTERS = 8,
	MSS = 1448,
	STALL_MS = 200,
	SETTLE_MS = 100,
	LIMIT_MS = 60000 /* a part ends, with an error */
};
#define STREAM_BYTES (1ull << 30)
#define GIGABYTE     1e9

static const char *build;
static char dir[64];
static FILE *rows;

/* Between the processes. */
static struct shared {
	_Atomic uint64_t accepted, octets;
} * shared;

struct result {
	double seconds, cpu;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench_host: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void row(const char *name, double value, const char *unit, const char *note)
{
	printf("%-30s %12.5g %-7s %s\n", name, value, unit, note);
	fflush(stdout);
	fprintf(rows, "  {\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"note\": \"%s\"}\n", name, value, unit,
		note);
}

static void skipped(const char *what, const char *why)
{
	printf("skipped: %s: %s\n", what, why);
	fflush(stdout);
}

static double seconds(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Processor time of a process so far, all its threads. */
static double cpu_of(pid_t pid)
{
	clockid_t id;

	return pid && !clock_getcpuclockid(pid, &id) ? seconds(id) : 0;
}

static int by_cpu(const void *a, const void *b)
{
	double x = ((const struct result *)a)->cpu, y = ((const struct result *)b)->cpu;

	return x < y ? -1 : x > y;
}

/* Of ROUNDS measurements the processor time in the middle; and the shortest time, since others use the machine too. */
static struct result measured(struct result (*measure)(int arg), int arg)
{
	struct result r[ROUNDS];
	double shortest = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		r[i] = measure(arg);
		shortest = i && shortest < r[i].seconds ? shortest : r[i].seconds;
	}
	qsort(r, ROUNDS, sizeof(r[0]), by_cpu);
	return (struct result){ shortest, r[ROUNDS / 2].cpu };
}

/* ---- processes ---- */

static pid_t start(void (*run)(int arg), int arg)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(arg);
		_exit(0);
	}
	return pid;
}

static void end(pid_t pid, int signal)
{
	if (pid <= 0)
		return;
	kill(pid, signal);
	waitpid(pid, NULL, 0);
}

static void close_with_reset(int fd)
{
	const struct linger reset = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

static int listen_at(uint32_t addr, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(addr) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
		bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, BACKLOG))
		fail("a listening socket");
	return fd;
}

static int connect_to(uint32_t addr, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(addr) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A server that resets at once may be quicker than connect(). */
	if (fd < 0 || (connect(fd, (struct sockaddr *)&a, sizeof(a)) && errno != ECONNRESET))
		fail("connect");
	return fd;
}

/* A server: takes connections and drops them. */
static void accept_kernel(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			fail("accept");
		close_with_reset(fd);
		shared->accepted++;
	}
}

/* hf_listen() at the daemon. */
static struct hf_listener *listen_at_daemon(void)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(OUR_PORT) };
	struct hf_listener *l;
	struct hf_device *dev;
	char uri[96];
	int rc;

	snprintf(uri, sizeof(uri), "daemon:%s/socket", dir);
	rc = hf_open(uri, NULL, &dev);
	if (!rc)
		rc = hf_listen(dev, (struct sockaddr *)&local, sizeof(local), BACKLOG, &l);
	if (rc) {
		errno = -rc;
		fail("a listener at handfastd");
	}
	return l;
}

static void accept_daemon(int ignored)
{
	struct hf_listener *l = listen_at_daemon();

	(void)ignored;
	for (;;) {
		int fd = hf_accept(l, NULL, -1);

		if (fd < 0)
			return;
		close_with_reset(fd);
		shared->accepted++;
	}
}

/* ---- the kernel alone ---- */

static void connect_loopback(int ignored)
{
	(void)ignored;
	for (unsigned i = 0; i < CONNECTIONS; i++)
		close_with_reset(connect_to(INADDR_LOOPBACK, OUR_PORT));
}

static struct result loopback(int ignored)
{
	int listener = listen_at(INADDR_LOOPBACK, OUR_PORT);
	pid_t server = start(accept_kernel, listener), client;
	struct result r = { 0 };
	struct timespec nap = { 0, 1000000 };
	int64_t deadline = clock_ms() + LIMIT_MS;

	(void)ignored;
	shared->accepted = 0;
	r.seconds = -seconds(CLOCK_MONOTONIC);
	client = start(connect_loopback, 0);
	while (shared->accepted < CONNECTIONS && clock_ms() < deadline)
		nanosleep(&nap, NULL);
	if (shared->accepted < CONNECTIONS)
		fail("connections over the loopback");
	r.seconds += seconds(CLOCK_MONOTONIC);
	r.cpu = cpu_of(client) + cpu_of(server);
	waitpid(client, NULL, 0);
	end(server, SIGKILL);
	close(listener);
	return r;
}

/* One frame of the handshake over the TAP. */
static void tap_segment(struct tap *tap, uint16_t port, uint32_t seq, uint32_t ack, uint16_t flags)
{
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
	struct segment s = { .src = PEER_ADDR,
		.dst = OUR_ADDR,
		.sport = port,
		.dport = OUR_PORT,
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.wnd = 64240,
		.opts = flags & HF_SYN ? "mss=1460 sackok nop ws=7" : NULL };

	tap_write(tap, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), true);
}

static void tap_answer(struct tap *tap, const uint8_t *frame, size_t len)
{
	uint8_t reply[42];

	if (len >= 42 && get16(frame + 12) == 0x0806 && get16(frame + 20) == 1) {
		tap_write(tap, reply, make_arp_reply(reply, frame, 14, PEER_MAC), false);
	} else if (len >= 54 && get16(frame + 12) == 0x0800 && (frame[47] & (HF_SYN | HF_ACK)) == (HF_SYN | HF_ACK)) {
		tap_segment(tap, get16(frame + 36), get32(frame + 42), get32(frame + 38) + 1, HF_ACK);
	}
}

static struct tap_addresses our_addresses(void)
{
	struct tap_addresses a = { .count = 1 };

	a.of[0].prefix = 24;
	a.of[0].address.in.sin_family = AF_INET;
	a.of[0].address.in.sin_addr.s_addr = htonl(OUR_ADDR);
	return a;
}

static struct result over_tap(int ignored)
{
	static uint8_t frame[TAP_FRAME_MAX];
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
	const struct tap_addresses addresses = our_addresses();
	struct result r = { 0 };
	struct tap_offload left;
	const char *step;
	struct tap tap;
	unsigned sent = 0;
	int listener;
	pid_t server;

	(void)ignored;
	if (tap_open(&tap, -1, "hf0", mac, &addresses, 1500, false, &step))
		fail(step);
	listener = listen_at(INADDR_ANY, OUR_PORT);
	server = start(accept_kernel, listener);
	shared->accepted = 0;
	r.seconds = -seconds(CLOCK_MONOTONIC);
	r.cpu = -cpu_of(getpid()) - cpu_of(server);
	while (shared->accepted < CONNECTIONS) {
		ssize_t len = tap_read(&tap, frame, sizeof(frame), &left);

		if (len > 0)
			tap_answer(&tap, frame, (size_t)len);
		else if (sent < CONNECTIONS && sent - shared->accepted < WINDOW)
			tap_segment(&tap, (uint16_t)(FIRST_PORT + sent++), IRS, 0, HF_SYN);
		else
			sched_yield();
	}
	r.seconds += seconds(CLOCK_MONOTONIC);
	r.cpu += cpu_of(getpid()) + cpu_of(server);
	end(server, SIGKILL);
	close(listener);
	tap_close(&tap);
	return r;
}

/* ---- handfastd with a board that is played ---- */

enum way_of_host { REPAIR, KERNEL };

struct host {
	struct player *board;
	char path[80];
	pid_t daemon;
	char why[160]; /* of handfastd, when it does not offload */
};

/* Until the board is told that the listener is offloaded, and a little more: no peer's handshake would be as quick as we are. */
static bool offloaded(struct host *h)
{
	int64_t deadline = clock_ms() + 5000;

	while (!h->board->offload && !h->board->gone && clock_ms() < deadline)
		player_step(h->board, 10);
	deadline = clock_ms() + SETTLE_MS;
	while (clock_ms() < deadline)
		player_step(h->board, 10);
	return h->board->offload;
}

static void run_daemon(int way)
{
	char program[256], path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/handfastd.conf", dir);
	f = fopen(path, "we");
	if (!f)
		fail(path);
	fprintf(f,
		"board = \"unix:%s/board\"; tap = { addresses = [ \"192.0.2.2/24\" ]; mac = \"02:00:00:00:00:02\"; };\n"
		"socket = \"%s/socket\"; control = { socket = \"%s/control\"; };\n"
		"listeners = ( { port = %d; mode = \"offload\"; way = \"%s\"; backlog = %d; } );\n",
		dir, dir, dir, OUR_PORT, way == KERNEL ? "kernel" : "repair", BACKLOG);
	fclose(f);
	snprintf(program, sizeof(program), "%s/handfastd", build);
	snprintf(path, sizeof(path), "%s/daemon.log", dir);
	if (!freopen(path, "we", stderr))
		_exit(1);
	snprintf(path, sizeof(path), "%s/handfastd.conf", dir);
	execl(program, program, "--config", path, (char *)NULL);
	_exit(1);
}

static struct host host_start(int way)
{
	struct host h = { 0 };
	int64_t deadline = clock_ms() + 5000;
	char path[96];

	snprintf(h.path, sizeof(h.path), "%s/board", dir);
	unlink(h.path);
	snprintf(path, sizeof(path), "%s/socket", dir);
	unlink(path);
	h.board = player_new(h.path);
	if (!h.board)
		fail(h.path);
	h.daemon = start(run_daemon, way);
	while (access(path, F_OK) && clock_ms() < deadline)
		player_step(h.board, 10);
	if (access(path, F_OK))
		fail("handfastd does not start");
	return h;
}

static void host_end(struct host *h)
{
	kill(h->daemon, SIGTERM);
	while (!h->board->gone && !waitpid(h->daemon, NULL, WNOHANG))
		player_step(h->board, 10);
	waitpid(h->daemon, NULL, 0);
	player_free(h->board);
}

static struct result handoffs(int way)
{
	struct host h = host_start(way);
	int listener = way == KERNEL ? listen_at(INADDR_ANY, OUR_PORT) : -1;
	pid_t server = start(way == KERNEL ? accept_kernel : accept_daemon, listener);
	struct result r = { 0 };
	unsigned sent = 0;
	int64_t deadline = clock_ms() + LIMIT_MS;

	shared->accepted = 0;
	if (!offloaded(&h)) {
		r.seconds = -1;
		goto out;
	}
	r.seconds = -seconds(CLOCK_MONOTONIC);
	r.cpu = -cpu_of(h.daemon) - cpu_of(server);
	while (shared->accepted < CONNECTIONS && clock_ms() < deadline) {
		for (; sent < CONNECTIONS && sent - shared->accepted < WINDOW; sent++)
			player_event(h.board, 0x10000 * (1 + sent / PLAYER_SLOTS) + sent % PLAYER_SLOTS, PEER_ADDR,
				(uint16_t)(FIRST_PORT + sent));
		player_step(h.board, 1);
	}
	r.seconds += seconds(CLOCK_MONOTONIC);
	r.cpu += cpu_of(h.daemon) + cpu_of(server);
	if (shared->accepted < CONNECTIONS) {
		fprintf(stderr, "bench_host: %u of %d connections were accepted\n", (unsigned)shared->accepted,
			CONNECTIONS);
		exit(1);
	}
out:
	end(server, SIGKILL);
	if (listener >= 0)
		close(listener);
	host_end(&h);
	return r;
}

/* ---- a gigabyte ---- */

static void count_read(int fd)
{
	static char text[1 << 17];
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) > 0)
		shared->octets += (uint64_t)n;
}

static void write_all(int fd)
{
	static char text[1 << 17];
	uint64_t left = STREAM_BYTES;

	while (left) {
		ssize_t n = write(fd, text, left < sizeof(text) ? (size_t)left : sizeof(text));

		if (n <= 0)
			return;
		left -= (uint64_t)n;
	}
}

static void stream_daemon(int down)
{
	int fd = hf_accept(listen_at_daemon(), NULL, -1);

	if (fd < 0)
		return;
	if (down)
		write_all(fd);
	else
		count_read(fd);
	pause(); /* its processor time is still to be read */
}

/* The peer of the one connection. Offsets from the first octet of text. */
struct peer {
	struct player *board;
	uint64_t una, nxt, most; /* sent to the host: acknowledged, sent, and how far its window goes */
	uint64_t got;		 /* of the host's, in order */
	bool ack_due;
};

static void peer_frame(void *ctx, const uint8_t *frame, size_t len)
{
	struct peer *p = ctx;
	const uint8_t *tcp = frame + 34;
	size_t headers, text;
	uint32_t ack, seq;

	if (len < 66 || get16(frame + 12) != 0x0800)
		return;
	headers = 34 + (size_t)(tcp[12] >> 4) * 4;
	text = 14u + get16(frame + 16) - headers;
	seq = get32(tcp + 4) - (ISS + 1);
	ack = get32(tcp + 8) - (IRS + 1);
	p->board->tsecr = get32(tcp + 24);
	if (text && seq == (uint32_t)p->got)
		p->got += text;
	p->ack_due |= text;
	if (ack - (uint32_t)p->una <= p->nxt - p->una) {
		p->una += ack - (uint32_t)p->una;
		p->most = p->una + ((uint64_t)get16(tcp + 14) << 7);
	}
}

static struct result through_hf0(int down)
{
	struct host h = host_start(REPAIR);
	pid_t app = start(stream_daemon, down);
	struct peer p = { .board = h.board, .most = 64000 };
	int64_t deadline = clock_ms() + LIMIT_MS, moved_ms = clock_ms();
	struct result r = { 0 };
	uint64_t last = 0, now;

	h.board->on_frame = peer_frame;
	h.board->ctx = &p;
	shared->octets = 0;
	if (!offloaded(&h))
		fail("way repair is not offloaded");
	r.seconds = -seconds(CLOCK_MONOTONIC);
	r.cpu = -cpu_of(h.daemon) - cpu_of(app);
	player_event(h.board, 0x10001, PEER_ADDR, FIRST_PORT);
	player_step(h.board, 0);
	while ((now = down ? p.got : p.una) < STREAM_BYTES && clock_ms() < deadline) {
		bool can = false;

		if (!down) {
			for (unsigned i = 0; i < PLAYER_BATCH && p.nxt + MSS <= p.most && p.nxt < STREAM_BYTES;
				i++, p.nxt += MSS)
				player_segment(
					h.board, PEER_ADDR, FIRST_PORT, 1 + (uint32_t)p.nxt, 1, HF_ACK, NULL, MSS);
			can = p.nxt + MSS <= p.most && p.nxt < STREAM_BYTES;
		}
		if (now != last) {
			last = now;
			moved_ms = clock_ms();
		} else if (clock_ms() - moved_ms > STALL_MS) {
			p.nxt = p.una; /* something was lost */
			moved_ms = clock_ms();
		}
		player_step(h.board, can ? 0 : 10);
		if (p.ack_due)
			player_segment(h.board, PEER_ADDR, FIRST_PORT, 1 + (uint32_t)p.nxt, 1 + (uint32_t)p.got, HF_ACK,
				NULL, 0);
		p.ack_due = false;
	}
	r.seconds += seconds(CLOCK_MONOTONIC);
	r.cpu += cpu_of(h.daemon) + cpu_of(app);
	if (now < STREAM_BYTES) {
		fprintf(stderr, "bench_host: only %llu octets went %s\n", (unsigned long long)now,
			down ? "down" : "up");
		exit(1);
	}
	end(app, SIGKILL);
	host_end(&h);
	return r;
}

/* ---- veth ---- */

static int other_namespace = -1;

static void feature(const char *netdev, uint32_t command, uint32_t value)
{
	struct ethtool_value v = { command, value };
	struct ifreq ifr = { .ifr_data = (char *)&v };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", netdev);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &ifr))
		fail("ethtool");
	close(fd);
}

/* The writer's end: 192.0.2.1. With `wire`, segments of what fits a frame, as a board's wire has them. */
static void veth_write(int wire)
{
	int fd;

	if (setns(other_namespace, CLONE_NEWNET))
		fail("setns");
	feature("hfveth1", ETHTOOL_STSO, !wire);
	feature("hfveth1", ETHTOOL_SGSO, !wire);
	fd = connect_to(OUR_ADDR, 81);
	write_all(fd);
	pause();
}

static struct result over_veth(int wire)
{
	int listener = listen_at(OUR_ADDR, 81), fd;
	pid_t writer = start(veth_write, wire), reader;
	int64_t deadline = clock_ms() + LIMIT_MS;
	struct timespec nap = { 0, 1000000 };
	struct result r = { 0 };

	shared->octets = 0;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		fail("accept");
	r.seconds = -seconds(CLOCK_MONOTONIC);
	r.cpu = -cpu_of(writer);
	reader = start(count_read, fd);
	while (shared->octets < STREAM_BYTES && clock_ms() < deadline)
		nanosleep(&nap, NULL);
	r.seconds += seconds(CLOCK_MONOTONIC);
	r.cpu += cpu_of(writer) + cpu_of(reader);
	end(writer, SIGKILL);
	close(fd);
	close(listener);
	end(reader, SIGKILL);
	return r;
}

static void command(const char *text)
{
	if (system(text))
		fail(text);
}

static void wait_forever(int ignored)
{
	(void)ignored;
	pause();
}

static void make_veth(void)
{
	char text[256];
	int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	pid_t keeper;

	if (ours < 0 || unshare(CLONE_NEWNET))
		fail("a second network namespace");
	other_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	keeper = start(wait_forever, 0);
	if (other_namespace < 0 || setns(ours, CLONE_NEWNET))
		fail("a second network namespace");
	close(ours);
	snprintf(text, sizeof(text),
		"ip link add hfveth0 type veth peer name hfveth1 netns %d && ip addr add 192.0.2.2/24 dev hfveth0 && "
		"ip link set hfveth0 up && "
		"nsenter -t %d -n ip addr add 192.0.2.1/24 dev hfveth1 && nsenter -t %d -n ip link set hfveth1 up",
		(int)keeper, (int)keeper, (int)keeper);
	command(text);
	end(keeper, SIGKILL);
}

/* ---- nginx, its connections injected ---- */

enum { TO_ASK, ASKED, ANSWERED };

struct client {
	struct player *board;
	struct {
		uint32_t got;
		uint8_t state;
	} of[REQUESTS];
	unsigned begun, done;
};

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

static void client_frame(void *ctx, const uint8_t *frame, size_t len)
{
	struct client *c = ctx;
	const uint8_t *tcp = frame + 34;
	size_t headers, text;
	unsigned i;

	if (len < 54 || get16(frame + 12) != 0x0800 || frame[47] & HF_RST)
		return;
	headers = 34 + (size_t)(tcp[12] >> 4) * 4;
	text = 14u + get16(frame + 16) - headers;
	i = get16(tcp + 2) - FIRST_PORT;
	if (i >= REQUESTS || c->of[i].state != ASKED || get32(tcp + 4) - (ISS + 1) != c->of[i].got)
		return;
	c->board->tsecr = get32(tcp + 24);
	c->of[i].got += (uint32_t)text;
	if (!(tcp[13] & HF_FIN))
		return;
	/* The end of the page: ours too. */
	c->of[i].state = ANSWERED;
	c->done++;
	player_segment(c->board, PEER_ADDR, (uint16_t)(FIRST_PORT + i), sizeof(request), 2 + c->of[i].got,
		HF_ACK | HF_FIN, NULL, 0);
}

static void ask(struct client *c, unsigned i)
{
	player_segment(c->board, PEER_ADDR, (uint16_t)(FIRST_PORT + i), 1, 1 + c->of[i].got, HF_ACK | HF_PSH, request,
		sizeof(request) - 1);
	c->of[i].state = ASKED;
}

static void run_nginx(int ignored)
{
	char path[96];
	FILE *f;

	(void)ignored;
	snprintf(path, sizeof(path), "%s/index.html", dir);
	f = fopen(path, "we");
	if (!f || fputs("Hello from nginx.\n", f) < 0 || fclose(f))
		_exit(1);
	snprintf(path, sizeof(path), "%s/nginx.conf", dir);
	f = fopen(path, "we");
	if (!f)
		_exit(1);
	fprintf(f,
		"daemon off; master_process off; pid %s/nginx.pid; error_log %s/nginx.log; user root;\n"
		"events { worker_connections 4096; }\n"
		"http { access_log off; keepalive_timeout 0; server { listen %d; root %s; } }\n",
		dir, dir, OUR_PORT, dir);
	fclose(f);
	if (!freopen("/dev/null", "we", stderr))
		_exit(1);
	execlp("nginx", "nginx", "-c", path, (char *)NULL);
	_exit(1);
}

static struct result injected(int ignored)
{
	struct client *c = calloc(1, sizeof(*c));
	struct host h = host_start(KERNEL);
	pid_t nginx = start(run_nginx, 0);
	int64_t deadline = clock_ms() + LIMIT_MS, moved_ms = clock_ms();
	struct result r = { 0 };
	unsigned last = 0;

	(void)ignored;
	if (!c)
		fail("memory");
	c->board = h.board;
	h.board->on_frame = client_frame;
	h.board->ctx = c;
	if (!offloaded(&h)) {
		r.seconds = -1;
		goto out;
	}
	r.seconds = -seconds(CLOCK_MONOTONIC);
	r.cpu = -cpu_of(h.daemon) - cpu_of(nginx);
	while (c->done < REQUESTS && clock_ms() < deadline) {
		for (; c->begun < REQUESTS && c->begun - c->done < WINDOW; c->begun++) {
			player_event(h.board, 0x10000 + c->begun, PEER_ADDR, (uint16_t)(FIRST_PORT + c->begun));
			ask(c, c->begun);
		}
		player_step(h.board, 1);
		if (c->done != last)
			moved_ms = clock_ms();
		else if (clock_ms() - moved_ms > STALL_MS) {
			for (unsigned i = 0; i < c->begun; i++) {
				if (c->of[i].state == ASKED)
					ask(c, i);
			}
			moved_ms = clock_ms();
		}
		last = c->done;
	}
	r.seconds += seconds(CLOCK_MONOTONIC);
	r.cpu += cpu_of(h.daemon) + cpu_of(nginx);
	if (c->done < REQUESTS) {
		fprintf(stderr, "bench_host: %u of %d requests were answered\n", c->done, REQUESTS);
		exit(1);
	}
out:
	end(nginx, SIGTERM);
	host_end(&h);
	free(c);
	return r;
}

/* ---- the other side of a simulated board ---- */

static uint32_t get_address;
static unsigned get_count;

static void getter(int ignored)
{
	char text[4096];

	(void)ignored;
	for (unsigned i = 0; i < get_count; i++) {
		int fd = connect_to(get_address, OUR_PORT);
		ssize_t n, all = 0;

		if (write(fd, request, sizeof(request) - 1) != sizeof(request) - 1)
			fail("write");
		while ((n = read(fd, text, sizeof(text))) > 0)
			all += n;
		if (n < 0 || !all)
			fail("read");
		close(fd);
	}
}

static int get(const char *address, unsigned count)
{
	struct in_addr in;
	pid_t pid[GETTERS];
	double from;
	int failed = 0;

	if (inet_pton(AF_INET, address, &in) != 1)
		fail(address);
	get_address = ntohl(in.s_addr);
	get_count = count / GETTERS;
	from = seconds(CLOCK_MONOTONIC);
	for (unsigned i = 0; i < GETTERS; i++)
		pid[i] = start(getter, 0);
	for (unsigned i = 0; i < GETTERS; i++) {
		int status;

		waitpid(pid[i], &status, 0);
		failed |= status != 0;
	}
	printf("%.1f\n", get_count * GETTERS / (seconds(CLOCK_MONOTONIC) - from));
	return failed;
}

/* ---- all of it ---- */

static double per_s(struct result r)
{
	return CONNECTIONS / r.seconds;
}

static double us_each(struct result r)
{
	return r.cpu / CONNECTIONS * 1e6;
}

static void bench_handoffs(void)
{
	struct result lo = measured(loopback, 0), tap = measured(over_tap, 0), repair, kernel;

	row("accepts_per_s_loopback", per_s(lo), "1/s",
		"kernel's accept() alone, a client over the loopback; each is reset");
	row("accept_us_loopback", us_each(lo), "us", "processor time of server and client, for each");
	row("accepts_per_s_tap", per_s(tap), "1/s", "the same, SYN and ACK written to a TAP by a process");
	row("accept_us_tap", us_each(tap), "us", "processor time of server and that process");
	repair = measured(handoffs, REPAIR);
	row("handoffs_per_s_repair", per_s(repair), "1/s",
		"handfastd, way repair, events at full speed; a client of libhandfast takes them");
	row("handoff_us_repair", us_each(repair), "us", "processor time of handfastd and the client");
	row("handoff_repair_to_loopback", us_each(repair) / us_each(lo), "", "handoff_us_repair / accept_us_loopback");
	row("handoff_repair_to_tap", us_each(repair) / us_each(tap), "", "handoff_us_repair / accept_us_tap");
	kernel = measured(handoffs, KERNEL);
	if (kernel.seconds < 0) {
		skipped("handoffs_per_s_listener", "this kernel cannot (handfast doctor says why)");
		return;
	}
	row("handoffs_per_s_listener", per_s(kernel), "1/s", "the same, way kernel; the server is a plain accept()");
	row("handoff_us_listener", us_each(kernel), "us", "processor time of handfastd and the server");
	row("handoff_listener_to_loopback", us_each(kernel) / us_each(lo), "",
		"handoff_us_listener / accept_us_loopback");
	row("handoff_listener_to_tap", us_each(kernel) / us_each(tap), "", "handoff_us_listener / accept_us_tap");
}

static double gbits(struct result r)
{
	return (double)STREAM_BYTES * 8 / r.seconds / 1e9;
}

static double s_per_gb(struct result r)
{
	return r.cpu / ((double)STREAM_BYTES / GIGABYTE);
}

static void bench_streams(void)
{
	struct result up = measured(through_hf0, 0), down = measured(through_hf0, 1), veth, wire;

	make_veth();
	veth = measured(over_veth, 0);
	wire = measured(over_veth, 1);
	command("ip link del hfveth0");
	row("veth_gbit_s", gbits(veth), "Gbit/s", "one TCP connection over a veth pair, segments of up to 64 KB");
	row("veth_s_per_gb", s_per_gb(veth), "s/GB", "processor time of reader and writer");
	row("veth_wire_gbit_s", gbits(wire), "Gbit/s",
		"the same, segmentation offload off: frames of 1500 octets, as a wire has them");
	row("veth_wire_s_per_gb", s_per_gb(wire), "s/GB", "processor time of reader and writer");
	row("hf0_up_gbit_s", gbits(up), "Gbit/s",
		"one TCP connection through hf0, board to program, frames of 1500 octets");
	row("hf0_up_s_per_gb", s_per_gb(up), "s/GB", "processor time of handfastd and the program");
	row("hf0_up_to_veth_wire", s_per_gb(up) / s_per_gb(wire), "", "hf0_up_s_per_gb / veth_wire_s_per_gb");
	row("hf0_down_gbit_s", gbits(down), "Gbit/s", "the same, program to board");
	row("hf0_down_s_per_gb", s_per_gb(down), "s/GB", "processor time of handfastd and the program");
	row("hf0_down_to_veth_wire", s_per_gb(down) / s_per_gb(wire), "", "hf0_down_s_per_gb / veth_wire_s_per_gb");
}

static void bench_nginx(void)
{
	struct result r;

	if (system("command -v nginx > /dev/null")) {
		skipped("nginx_per_s_injected", "nginx is not installed");
		return;
	}
	r = measured(injected, 0);
	if (r.seconds < 0) {
		skipped("nginx_per_s_injected", "this kernel cannot hand connections to its listeners");
		return;
	}
	row("nginx_per_s_injected", REQUESTS / r.seconds, "1/s",
		"nginx, one worker, behind handfastd, way kernel, a request per connection; board and clients played "
		"at full speed");
	row("nginx_us_injected", r.cpu / REQUESTS * 1e6, "us",
		"processor time of handfastd and nginx, for each connection");
}

static pid_t owner; /* of the folder */

static void clean_up(void)
{
	char text[96];

	if (getpid() != owner)
		return;
	snprintf(text, sizeof(text), "rm -r %s", dir);
	if (system(text))
		fprintf(stderr, "bench_host: %s is left\n", dir);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = { { "handoffs", bench_handoffs }, { "streams", bench_streams }, { "nginx", bench_nginx } };

	if (argc == 4 && !strcmp(argv[1], "get"))
		return get(argv[2], (unsigned)atoi(argv[3]));
	if (argc < 3) {
		fprintf(stderr, "usage: bench_host BUILD ROWS [PART...] | bench_host get ADDRESS COUNT\n");
		return 2;
	}
	build = argv[1];
	rows = fopen(argv[2], "we");
	if (!rows)
		fail(argv[2]);
	if (geteuid() || !enter_namespace()) {
		skipped("bench_host", "needs root, network namespaces and /dev/net/tun");
		return 0;
	}
	command("ip link set lo up");
	snprintf(dir, sizeof(dir), "/tmp/handfast-bench.XXXXXX");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!mkdtemp(dir) || shared == MAP_FAILED)
		fail(dir);
	owner = getpid();
	atexit(clean_up);
	chmod(dir, 0755);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT(parts); i++) {
		bool wanted = argc == 3;

		for (int a = 3; a < argc; a++)
			wanted |= !strcmp(argv[a], parts[i].name);
		if (wanted)
			parts[i].run();
	}
	fclose(rows);
	return 0;
}
