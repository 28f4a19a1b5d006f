/* SPDX-License-Identifier: Apache-2.0
 * peer.c - `handfast peer` and `handfast peer-host`: both ends of the demo where neither a TAP netdev nor a namespace may
 * be had. The peer is a TCP client on a board's unix wire, the peer-host is the host of that board with a TCP server of
 * its own in place of the kernel's. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "../driver/message.h"
#include "../driver/transport.h"
#include "commands.h"
#include "endpoint.h"
#include "options.h"

enum {
	CONNECT_MS = 2000,  /* to reach the board's socket */
	REPLY_MS = 2000,    /* for the board to answer a register access */
	HEARTBEAT_MS = 250, /* a quarter of the register's reset value */
	TICK_MS = 50,
	CONNECTIONS = 64,
	BACKLOG = 64,
	OPTIONS_ALL = 7,
	MODE_OFFLOAD = 1,
	ARP_LENGTH = 28,
	IPV4_TCP_CSUM = 34 | 16 << 16, /* CSUM_INSERT: the TCP header begins at 34, its checksum is at 16 in it */
};

static const char peer_usage[] =
	"usage: handfast peer --wire unix:PATH --local ADDR[:PORT] --remote ADDR:PORT [options]\n"
	"\n"
	"A small TCP client on the wire of `handfast board --wire unix:PATH`: asks for the board's MAC by ARP, opens "
	"a\n"
	"connection, sends GET, prints the response, closes. Every frame's checksums are checked.\n"
	"\n"
	"  --wire unix:PATH    the socket the board listens on\n"
	"  --local ADDR[:PORT] the address of this peer; the port is random unless given\n"
	"  --remote ADDR:PORT  where to connect to\n"
	"  --path PATH         what to ask for; default /\n"
	"  --timeout SECONDS   for all of it; default 10\n"
	"\n"
	"Exit code: 0 the response came and both sides closed, 1 not, 2 bad usage.\n";

static const char host_usage[] =
	"usage: handfast peer-host --host BOARD --listen ADDR:PORT [options]\n"
	"\n"
	"The host of a board without a kernel socket: sets the board up, takes each "
	"connection\n"
	"the board hands over, answers one HTTP request on it and closes. Prints `peer-host: ready` when it listens.\n"
	"\n"
	"  --host BOARD        unix:PATH, the socket the board listens on; usb:SERIAL and whatever else reaches a "
	"board\n"
	"  --listen ADDR:PORT  the address of the board and the port it answers\n"
	"  --body TEXT         the response's body; default a line that says who answers\n"
	"  --count N           end after N connections; default: run until SIGINT or SIGTERM\n"
	"\n"
	"Exit code: 0 done, 1 the board went away or refused something, 2 bad usage.\n";

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ADDR:PORT, or ADDR alone when the port may be missing (*port stays). */
static bool parse_address(const char *text, bool port_may_miss, uint32_t *addr, uint16_t *port)
{
	char host[INET_ADDRSTRLEN] = "";
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	struct in_addr in;
	uint64_t n;

	if (len >= sizeof(host) || (!colon && !port_may_miss))
		return false;
	memcpy(host, text, len);
	if (inet_pton(AF_INET, host, &in) != 1 || !in.s_addr)
		return false;
	*addr = ntohl(in.s_addr);
	if (!colon)
		return true;
	if (!options_number(colon + 1, 1, 65535, &n))
		return false;
	*port = (uint16_t)n;
	return true;
}

/* Whether the IPv4 and TCP checksums of a TCP frame are right. */
static bool checksums_right(const uint8_t *frame, const struct packet *p)
{
	const uint8_t *ip = frame + PACKET_ETH_HEADER;
	size_t header = (ip[0] & 15u) * 4u, tcp_len = packet_get16(ip + 2) - header;

	return packet_fold(packet_sum(0, ip, header)) == 0xffff &&
	       packet_fold(packet_sum(packet_pseudo_sum(p->src_addr, p->dst_addr, p->protocol, tcp_len), ip + header,
		       tcp_len)) == 0xffff;
}

/* RFC 826: an Ethernet/IPv4 request (1) or reply (2). */
static size_t build_arp(uint8_t *frame, uint16_t operation, const uint8_t *local_mac, uint32_t local,
	const uint8_t *remote_mac, uint32_t remote)
{
	uint8_t *arp = frame + PACKET_ETH_HEADER;

	memset(frame, 0, PACKET_MIN_FRAME);
	memset(frame, 0xff, 6);
	if (remote_mac)
		memcpy(frame, remote_mac, 6);
	memcpy(frame + 6, local_mac, 6);
	packet_put16(frame + 12, PACKET_ETHERTYPE_ARP);
	packet_put16(arp, 1); /* Ethernet */
	packet_put16(arp + 2, PACKET_ETHERTYPE_IPV4);
	arp[4] = 6;
	arp[5] = 4;
	packet_put16(arp + 6, operation);
	memcpy(arp + 8, local_mac, 6);
	packet_put32(arp + 14, local);
	if (remote_mac)
		memcpy(arp + 18, remote_mac, 6);
	packet_put32(arp + 24, remote);
	return PACKET_MIN_FRAME;
}

/* Whether a frame is an ARP message of this operation; gives the sender and the address it is about. */
static bool is_arp(
	const uint8_t *frame, size_t len, uint16_t operation, uint8_t *sender_mac, uint32_t *sender, uint32_t *target)
{
	const uint8_t *arp = frame + PACKET_ETH_HEADER;

	if (len < PACKET_ETH_HEADER + ARP_LENGTH || packet_get16(frame + 12) != PACKET_ETHERTYPE_ARP ||
		packet_get16(arp + 6) != operation)
		return false;
	memcpy(sender_mac, arp + 8, 6);
	*sender = packet_get32(arp + 14);
	*target = packet_get32(arp + 24);
	return true;
}

/* Returns transport_recv(), waiting at most `ms`; -EAGAIN after that. */
static ssize_t receive(struct transport *t, uint8_t *buffer, size_t size, int ms)
{
	struct pollfd fd = { .fd = transport_fd(t), .events = POLLIN };
	ssize_t n = transport_recv(t, buffer, size);

	if (n != -EAGAIN)
		return n;
	(void)poll(&fd, 1, ms);
	return transport_recv(t, buffer, size);
}

static struct transport *connect_board(const char *name, const char *uri)
{
	char why[TRANSPORT_WHY_BYTES];
	struct transport *t = NULL;

	if (transport_open(uri, CONNECT_MS, &t, why))
		fprintf(stderr, "%s: %s: %s\n", name, uri, why);
	return t;
}

static void set_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* The client. */

struct client {
	struct transport *wire;
	struct endpoint end;
	bool resolved;
};

static void client_emit(void *ctx, const uint8_t *frame, size_t len)
{
	struct client *c = ctx;

	transport_send(c->wire, frame, len); /* what is lost is sent again */
}

static void ask_mac(struct client *c)
{
	uint8_t frame[PACKET_MIN_FRAME];
	size_t len = build_arp(frame, 1, c->end.local_mac, c->end.local_addr, NULL, c->end.remote_addr);

	client_emit(c, frame, len);
}

/* Returns false after one line on stderr when the frame is not what a sound board sends. */
static bool client_frame(struct client *c, const uint8_t *frame, size_t len)
{
	struct endpoint *e = &c->end;
	struct packet p;
	uint8_t mac[6];
	uint32_t sender, target;

	if (is_arp(frame, len, 2, mac, &sender, &target) && sender == e->remote_addr && !c->resolved) {
		c->resolved = true;
		memcpy(e->remote_mac, mac, 6);
		endpoint_connect(e, now_ms());
	} else if (is_arp(frame, len, 1, mac, &sender, &target) && target == e->local_addr) {
		uint8_t reply[PACKET_MIN_FRAME];

		len = build_arp(reply, 2, e->local_mac, e->local_addr, mac, sender);
		client_emit(c, reply, len);
	} else if (packet_parse(frame, len, &p) && p.is_tcp && p.src_addr == e->remote_addr &&
		   p.src_port == e->remote_port && p.dst_addr == e->local_addr && p.dst_port == e->local_port) {
		if (!checksums_right(frame, &p)) {
			fprintf(stderr, "peer: a frame from the board has a wrong checksum\n");
			return false;
		}
		if (c->resolved)
			endpoint_input(e, &p, now_ms());
	}
	return true;
}

/* The whole conversation. Returns the exit code. */
static int client_run(struct client *c, const char *path, uint64_t timeout_s)
{
	uint64_t start = now_ms(), asked = start, now;
	struct endpoint *e = &c->end;
	uint8_t frame[TRANSPORT_MESSAGE_MAX];
	char request[512], address[INET_ADDRSTRLEN];
	struct in_addr in = { htonl(e->remote_addr) };
	bool requested = false;
	ssize_t n;

	inet_ntop(AF_INET, &in, address, sizeof(address));
	ask_mac(c);
	while (!endpoint_done(e) && !e->failed && !stop) {
		n = receive(c->wire, frame, sizeof(frame), TICK_MS);
		if (n > 0 && !client_frame(c, frame, (size_t)n))
			return 1;
		if (n == -ENODEV) {
			fprintf(stderr, "peer: the board went away\n");
			return 1;
		}
		now = now_ms();
		if (now - start > timeout_s * 1000) {
			fprintf(stderr, "peer: no end of the conversation with %s:%u within %" PRIu64 " s (%s)\n",
				address, e->remote_port, timeout_s,
				!c->resolved	  ? "no ARP reply"
				: !e->established ? "no SYN-ACK"
						  : "established");
			return 1;
		}
		if (!c->resolved && now - asked >= 1000) {
			asked = now;
			ask_mac(c);
		}
		if (c->resolved)
			endpoint_tick(e, now);
		if (e->established && !requested) {
			requested = true;
			snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: %s:%u\r\n\r\n", path, address,
				e->remote_port);
			if (endpoint_send(e, request, strlen(request), false, now))
				return 1;
		}
		/* The server closes first, as HTTP/1.0 has it; then we do. */
		if (e->fin_received && !e->fin_wanted)
			endpoint_finish(e, now);
	}
	if (!endpoint_done(e)) {
		fprintf(stderr, "peer: %s:%u %s\n", address, e->remote_port,
			stop ? "was not waited for" : "reset the connection or fell silent");
		return 1;
	}
	fwrite(e->received, 1, e->received_len, stdout);
	return fflush(stdout) ? 1 : 0;
}

int peer_main(int argc, char **argv)
{
	enum { WIRE = 256, LOCAL, REMOTE, PATH, TIMEOUT, HELP };
	static const struct option longs[] = { { "wire", required_argument, NULL, WIRE },
		{ "local", required_argument, NULL, LOCAL }, { "remote", required_argument, NULL, REMOTE },
		{ "path", required_argument, NULL, PATH }, { "timeout", required_argument, NULL, TIMEOUT },
		{ "help", no_argument, NULL, HELP }, { NULL, 0, NULL, 0 } };
	struct client c = { .end = { .local_mac = { 0x02, 'H', 'F', 'P', 'R', 0x01 }, .emit = client_emit } };
	const char *wire = NULL, *path = "/", *bad = NULL;
	uint64_t timeout_s = 10;
	uint32_t random[2];
	int option, result;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return 1;
	c.end.ctx = &c;
	c.end.iss = random[0];
	c.end.local_port = (uint16_t)(49152 + random[1] % 16384);
	options_begin();
	while ((option = options_next(argc, argv, longs)) != -1) {
		if (option == WIRE)
			wire = strncmp(optarg, "unix:", 5) ? (bad = optarg, NULL) : optarg;
		else if (option == LOCAL)
			bad = parse_address(optarg, true, &c.end.local_addr, &c.end.local_port) ? bad : optarg;
		else if (option == REMOTE)
			bad = parse_address(optarg, false, &c.end.remote_addr, &c.end.remote_port) ? bad : optarg;
		else if (option == PATH)
			path = optarg;
		else if (option == TIMEOUT)
			bad = options_number(optarg, 1, 86400, &timeout_s) ? bad : optarg;
		else if (option == HELP)
			return fputs(peer_usage, stdout) < 0;
		else
			return 2;
	}
	if (bad || !wire || !c.end.local_addr || !c.end.remote_addr || strlen(path) > 256) {
		if (bad)
			fprintf(stderr, "peer: %s: not what that option takes (handfast peer --help)\n", bad);
		else
			fprintf(stderr, "peer: --wire, --local and --remote are needed (handfast peer --help)\n");
		return 2;
	}
	c.wire = connect_board("peer", wire);
	if (!c.wire)
		return 1;
	set_signals();
	result = client_run(&c, path, timeout_s);
	endpoint_free(&c.end);
	transport_close(c.wire);
	return result;
}

/* The host. */

struct connection {
	bool used, answered;
	uint32_t id;
	struct endpoint end;
};

struct host {
	struct transport *board;
	uint8_t mac[6];
	uint32_t addr;
	uint16_t port;
	const char *body;
	uint64_t done, count; /* connections finished, and how many are wanted (0: no end) */
	struct connection connections[CONNECTIONS];
};

static void put_header(uint8_t *msg, enum hf_msg type, unsigned flags, size_t length, uint32_t id)
{
	PUT(msg, HEADER, type, type);
	PUT(msg, HEADER, flags, flags);
	PUT(msg, HEADER, length, length);
	PUT(msg, HEADER, id, id);
	PUT(msg, HEADER, stamp, 0);
}

/* Frames of the endpoints: the board puts the TCP checksum in. */
static void host_emit(void *ctx, const uint8_t *frame, size_t len)
{
	struct host *h = ctx;
	uint8_t msg[HF_MSG_HEADER_BYTES + 2048];
	uint8_t *copy = msg + HF_MSG_HEADER_BYTES;
	struct packet p;

	if (len > sizeof(msg) - HF_MSG_HEADER_BYTES)
		return;
	memcpy(copy, frame, len);
	put_header(msg, HF_MSG_FRAME, 0, HF_MSG_HEADER_BYTES + len, HF_NO_ID);
	if (packet_parse(copy, len, &p) && p.is_tcp) {
		size_t tcp_len = packet_get16(copy + PACKET_ETH_HEADER + 2) - 20u;

		put_header(msg, HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, HF_MSG_HEADER_BYTES + len, IPV4_TCP_CSUM);
		packet_put16(
			copy + 34 + 16, packet_fold(packet_pseudo_sum(p.src_addr, p.dst_addr, p.protocol, tcp_len)));
	}
	transport_send(h->board, msg, HF_MSG_HEADER_BYTES + len); /* what is lost is sent again */
}

static bool host_write(struct host *h, uint32_t offset, uint32_t value)
{
	uint8_t msg[HF_AT_REG_WRITE_pad + HF_SIZE_REG_WRITE_pad] = { 0 };

	put_header(msg, HF_MSG_REG_WRITE, 0, sizeof(msg), offset);
	PUT(msg, REG_WRITE, value, value);
	return !transport_send(h->board, msg, sizeof(msg));
}

/* Write a register and wait for the reply; other messages on the way are of no interest yet. */
static bool host_set(struct host *h, uint32_t offset, uint32_t value)
{
	uint64_t start = now_ms();
	uint8_t msg[TRANSPORT_MESSAGE_MAX];
	ssize_t n;

	if (!host_write(h, offset, value))
		return false;
	while (now_ms() - start < REPLY_MS) {
		n = receive(h->board, msg, sizeof(msg), TICK_MS);
		if (n < 0 && n != -EAGAIN)
			return false;
		if (n >= HF_AT_REG_REPLY_pad && msg[HF_AT_HEADER_type] == HF_MSG_REG_REPLY &&
			GET(msg, HEADER, id) == offset) {
			if (msg[HF_AT_HEADER_flags] == HF_STATUS_OK)
				return true;
			fprintf(stderr, "peer-host: the board refused register 0x%03x = 0x%x\n", offset, value);
			return false;
		}
	}
	fprintf(stderr, "peer-host: the board does not answer\n");
	return false;
}

/* The first message is HELLO. Then everything the board needs to answer SYNs. */
static bool host_setup(struct host *h)
{
	uint8_t msg[TRANSPORT_MESSAGE_MAX];
	uint32_t keys[8];
	ssize_t n = receive(h->board, msg, sizeof(msg), REPLY_MS);
	unsigned version;

	if (n < HF_AT_HELLO_data_w || msg[HF_AT_HEADER_type] != HF_MSG_HELLO) {
		fprintf(stderr, "peer-host: no HELLO from the board\n");
		return false;
	}
	version = (unsigned)GET(msg, HELLO, version);
	if (version != HF_ABI_VERSION) {
		fprintf(stderr, "peer-host: the board has version %u, this program knows %d\n", version,
			HF_ABI_VERSION);
		return false;
	}
	if (getrandom(keys, sizeof(keys), 0) != sizeof(keys) || !host_set(h, HF_REG_CTRL, 0))
		return false;
	for (unsigned i = 0; i < 8; i++)
		if (!host_set(h, (i < 4 ? HF_REG_KEY_INDEX0 : HF_REG_KEY_ISN0) + 4 * (i % 4), keys[i]))
			return false;
	return host_set(h, HF_REG_MAC_LO, (uint32_t)message_get(h->mac, 4)) &&
	       host_set(h, HF_REG_MAC_HI, (uint32_t)message_get(h->mac + 4, 2)) &&
	       host_set(h, HF_REG_LOCAL_ADDR0, h->addr) && host_set(h, HF_REG_LISTEN_ADDR, h->addr) &&
	       host_set(h, HF_REG_LISTEN_PORT, h->port) && host_set(h, HF_REG_LISTEN_BACKLOG, BACKLOG) &&
	       host_set(h, HF_REG_LISTEN_OPTS, OPTIONS_ALL) &&
	       host_set(h, HF_REG_LISTEN_COMMIT, MODE_OFFLOAD << HF_LISTEN_COMMIT_MODE_LOW) &&
	       host_set(h, HF_REG_HEARTBEAT, 0) && host_set(h, HF_REG_CTRL, 1u << HF_CTRL_ENABLE_LOW);
}

/* The board handed over a connection. */
static void host_event(struct host *h, const uint8_t *m)
{
	struct message_event event = message_event(m);
	struct connection *c = h->connections;

	if (event.code != HF_EVENT_ESTABLISHED)
		return;
	while (c < h->connections + CONNECTIONS && c->used)
		c++;
	if (c == h->connections + CONNECTIONS) {
		fprintf(stderr, "peer-host: more than %d connections, one was left alone\n", CONNECTIONS);
		return;
	}
	*c = (struct connection){
		.used = true,
		.id = event.id,
		.end = {
			.local_addr = packet_get32(event.local_addr + 12), /* IPv4-mapped */
			.remote_addr = packet_get32(event.remote_addr + 12),
			.local_port = event.local_port,
			.remote_port = event.remote_port,
			.iss = event.iss,
			.snd_una = event.snd_una,
			.snd_nxt = event.snd_nxt,
			.rcv_nxt = event.rcv_nxt,
			.snd_wnd = event.snd_wnd,
			.mss = event.mss,
			.snd_wscale = event.snd_wscale,
			.rcv_wscale = event.rcv_wscale,
			.ts_ok = event.ts_ok,
			.ts_recent = event.ts_recent,
			/* The endpoint's TSval is its own clock plus this: go on where the board's clock stands. */
			.ts_offset = event.tsval - (uint32_t)now_ms(),
			.established = true,
			.emit = host_emit,
			.ctx = h,
		},
	};
	memcpy(c->end.local_mac, h->mac, 6);
	memcpy(c->end.remote_mac, event.remote_mac, 6);
}

static struct connection *find(struct host *h, const struct packet *p)
{
	for (struct connection *c = h->connections; c < h->connections + CONNECTIONS; c++)
		if (c->used && c->end.remote_addr == p->src_addr && c->end.local_addr == p->dst_addr &&
			c->end.remote_port == p->src_port && c->end.local_port == p->dst_port)
			return c;
	return NULL;
}

/* Answer the request once it is whole. */
static void serve(struct host *h, struct connection *c, uint64_t now)
{
	struct endpoint *e = &c->end;
	char head[160];
	char *response;
	int head_len;

	if (c->answered || e->received_len < 4 || memcmp(e->received + e->received_len - 4, "\r\n\r\n", 4))
		return;
	c->answered = true;
	head_len = snprintf(head, sizeof(head),
		"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", strlen(h->body));
	response = malloc((size_t)head_len + strlen(h->body));
	if (!response) {
		e->failed = true;
		return;
	}
	memcpy(response, head, (size_t)head_len);
	memcpy(response + head_len, h->body, strlen(h->body));
	if (endpoint_send(e, response, (size_t)head_len + strlen(h->body), true, now))
		e->failed = true;
	free(response);
}

static void host_frame(struct host *h, const uint8_t *frame, size_t len)
{
	struct connection *c;
	struct packet p;
	uint8_t mac[6], reply[PACKET_MIN_FRAME];
	uint32_t sender, target;

	if (is_arp(frame, len, 1, mac, &sender, &target) && target == h->addr) {
		len = build_arp(reply, 2, h->mac, h->addr, mac, sender);
		host_emit(h, reply, len);
		return;
	}
	if (!packet_parse(frame, len, &p) || !p.is_tcp)
		return;
	c = find(h, &p);
	if (!c)
		return;
	endpoint_input(&c->end, &p, now_ms());
	serve(h, c, now_ms());
}

/* Timers; give finished connections back to the board. */
static void host_tick(struct host *h)
{
	uint8_t msg[HF_MSG_HEADER_BYTES];

	for (struct connection *c = h->connections; c < h->connections + CONNECTIONS; c++) {
		if (!c->used)
			continue;
		endpoint_tick(&c->end, now_ms());
		if (!endpoint_done(&c->end) && !c->end.failed)
			continue;
		put_header(
			msg, HF_MSG_COMMAND, c->end.failed ? HF_COMMAND_ABORT : HF_COMMAND_RELEASE, sizeof(msg), c->id);
		if (transport_send(h->board, msg, sizeof(msg)))
			continue; /* no room now: at the next tick */
		endpoint_free(&c->end);
		c->used = false;
		h->done++;
	}
}

/* Returns the exit code. */
static int host_run(struct host *h)
{
	uint64_t beat = 0;
	uint8_t msg[TRANSPORT_MESSAGE_MAX];
	unsigned length;
	ssize_t n;

	while (!stop && (!h->count || h->done < h->count)) {
		if (now_ms() - beat >= HEARTBEAT_MS && host_write(h, HF_REG_HEARTBEAT, 0))
			beat = now_ms();
		n = receive(h->board, msg, sizeof(msg), TICK_MS);
		if (n == -ENODEV) {
			fprintf(stderr, "peer-host: the board went away\n");
			return 1;
		}
		if (n >= (ssize_t)HF_MSG_HEADER_BYTES) {
			length = (unsigned)GET(msg, HEADER, length);
			if (msg[HF_AT_HEADER_type] == HF_MSG_EVENT && n == length &&
				n >= HF_AT_EVENT_rto_ms + HF_SIZE_EVENT_rto_ms)
				host_event(h, msg);
			else if (msg[HF_AT_HEADER_type] == HF_MSG_FRAME && n == length)
				host_frame(h, msg + HF_MSG_HEADER_BYTES, (size_t)n - HF_MSG_HEADER_BYTES);
		}
		host_tick(h);
	}
	return 0;
}

int peer_host_main(int argc, char **argv)
{
	enum { HOST = 256, LISTEN, BODY, COUNT, HELP };
	static const struct option longs[] = { { "host", required_argument, NULL, HOST },
		{ "listen", required_argument, NULL, LISTEN }, { "body", required_argument, NULL, BODY },
		{ "count", required_argument, NULL, COUNT }, { "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 } };
	struct host *h = calloc(1, sizeof(*h));
	const char *uri = NULL, *bad = NULL;
	int option, result = 2;

	if (!h) {
		fprintf(stderr, "peer-host: out of memory\n");
		return 1;
	}
	memcpy(h->mac, (const uint8_t[6]){ 0x02, 'H', 'F', 'S', 'T', 0x01 }, 6);
	h->body = "A TCP connection set up by hardware, served without a kernel socket.\n";
	options_begin();
	while ((option = options_next(argc, argv, longs)) != -1) {
		if (option == HOST)
			uri = transport_uri_ok(optarg) ? optarg : (bad = optarg, NULL);
		else if (option == LISTEN)
			bad = parse_address(optarg, false, &h->addr, &h->port) ? bad : optarg;
		else if (option == BODY)
			h->body = optarg;
		else if (option == COUNT)
			bad = options_number(optarg, 1, UINT32_MAX, &h->count) ? bad : optarg;
		else if (option == HELP)
			result = fputs(host_usage, stdout) < 0;
		if (option == HELP || option == '?')
			goto end;
	}
	if (bad || !uri || !h->addr || strlen(h->body) > ENDPOINT_TEXT_MAX) {
		if (bad)
			fprintf(stderr, "peer-host: %s: not what that option takes (handfast peer-host --help)\n", bad);
		else
			fprintf(stderr, "peer-host: --host and --listen are needed (handfast peer-host --help)\n");
		goto end;
	}
	result = 1;
	h->board = connect_board("peer-host", uri);
	if (!h->board)
		goto end;
	set_signals();
	if (host_setup(h)) {
		puts("peer-host: ready");
		fflush(stdout);
		result = host_run(h);
		printf("peer-host: %" PRIu64 " connections\n", h->done);
	}
	for (unsigned i = 0; i < CONNECTIONS; i++)
		endpoint_free(&h->connections[i].end);
	transport_close(h->board);
end:
	free(h);
	return result;
}
