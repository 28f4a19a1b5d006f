/* SPDX-License-Identifier: Apache-2.0
 * fuzz_channel.c - libFuzzer harness: connections that handfastd holds for a program, and what the program says to that. Sockets, clients and
 * listeners of the daemon (host/daemon/clients.c, listeners.c, loop.c) are the real ones, and so is the service thread; the board
 * answers everything. Whatever a program says: no more than IPC_WINDOW connections are on their way to it, each that it takes it has
 * once, and when it is gone nothing of its own is left: every connection is closed, and the next program is served.
 *
 * Input: octet 0, bit 0: the program's own socket goes with LISTEN, dual-stack; octet 1 its backlog. Then pieces. Octet 0, bits 2:0: 0 a packet
 * as it is; 1 TAKEN, 2 AGAIN, the number being octet 1, bit 3 of the IPv4 listener; 3 connections become established, bit 3 of the
 * IPv4 listener; 4 the program receives, bit 3 and says what it should; 5 an option; 6 time passes; 7 the program hangs up, and comes
 * back. Octet 1: how many, of how many octets; 0 and 5: they follow. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../host/daemon/daemon.h"
#include "board_says.h"

enum { BACKLOG = 8, CONNECTIONS_MAX = 64, OWED_MAX = 64, STEPS_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What host/daemon/main.c has. */
void daemon_notify(struct daemon *d)
{
	(void)d;
}

int daemon_reload(struct daemon *d, char *why)
{
	(void)d;
	*why = 0;
	return -EINVAL;
}

void daemon_store_board(struct daemon *d, const int *fds, unsigned count)
{
	(void)d;
	(void)fds;
	(void)count;
}

/* The board: in the service thread. --------------------------------------------------------------------------------------- */

static struct {
	struct transport t;
	uint8_t owed[OWED_MAX][24];
	unsigned owes;
	bool greeted;
} board;

static int board_send(struct transport *t, const void *msg, size_t len)
{
	const uint8_t *m = msg;
	uint8_t *answer = board.owed[board.owes];
	bool command = GET(m, HEADER, type) == HF_MSG_COMMAND;
	uint32_t offset = (uint32_t)GET(m, HEADER, id);

	(void)len;
	if (GET(m, HEADER, type) == HF_MSG_FRAME || board.owes == OWED_MAX)
		return 0;
	board.owes++;
	say_answer(answer, command ? HF_MSG_COMPLETION : HF_MSG_REG_REPLY, offset, GET(m, HEADER, stamp));
	if (command)
		PUT(answer, COMPLETION, command, GET(m, HEADER, flags));
	else
		PUT(answer, REG_REPLY, value,
			offset == HF_REG_ID	   ? HF_ID
			: offset == HF_REG_VERSION ? HF_ABI_VERSION
						   : 0);
	eventfd_write(t->fd, 1);
	return 0;
}

static ssize_t board_recv(struct transport *t, void *msg, size_t cap)
{
	uint8_t *m = msg;
	eventfd_t n;

	(void)cap;
	if (!board.greeted) {
		board.greeted = true;
		return (ssize_t)say_hello(m);
	}
	if (!board.owes) {
		eventfd_read(t->fd, &n);
		return -EAGAIN;
	}
	memcpy(m, board.owed[0], 24);
	memmove(board.owed[0], board.owed[1], --board.owes * sizeof(board.owed[0]));
	return 24;
}

static void board_close(struct transport *t)
{
	(void)t;
}

static const struct transport_ops ops = { board_send, board_recv, board_close, NULL, NULL };

static struct hf_device *device(void)
{
	struct hf_device *dev = device_new();
	char why[DEVICE_FAULT_BYTES];

	board.t = (struct transport){ .ops = &ops, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	dev->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	dev->next_heartbeat_ms = INT64_MAX / 2;
	if (board.t.fd < 0 || dev->kick < 0 || device_open(&board.t, &service_events, dev, 1000, &dev->board, why))
		abort();
	dev->owned = owned_new(64);
	if (pthread_create(&dev->thread, NULL, service_thread, dev))
		abort();
	return dev;
}

/* The daemon --------------------------------------------------------------------------------------------------------------- */

static struct daemon d;
static struct source tick; /* always readable, so that no step waits */
static struct listener *v4, *v6;
static union address any4, any6;
static int own; /* a dual-stack socket that listens at their port */
static struct sockaddr_un name;
static socklen_t name_len;

static void on_tick(struct source *s, uint32_t events)
{
	(void)s;
	(void)events;
}

static int own_socket(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), off = 0;
	socklen_t len = sizeof(any6);

	any6 = (union address){ .in6 = { .sin6_family = AF_INET6 } };
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) || bind(fd, &any6.sa, sizeof(any6.in6)) ||
		listen(fd, 1) || getsockname(fd, &any6.sa, &len))
		abort();
	return fd;
}

static void start(void)
{
	static struct config config;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	log_set_level(LOG_ALERT);
	own = own_socket();
	any4 = (union address){ .in = { .sin_family = AF_INET } };
	address_set_port(&any4, address_port(&any6));
	config.listener[0] = (struct config_listener){ any6, WAY_REPAIR, MODE_OFFLOAD, BACKLOG, { .uids = 0 } };
	config.listener[1] = (struct config_listener){ any4, WAY_REPAIR, MODE_OFFLOAD, BACKLOG, { .uids = 0 } };
	config.listeners = 2;
	d.config = config;
	d.dnat_looking = true; /* not from here */
	d.dnat_looked_ms = 1;
	pthread_mutex_init(&d.shared.lock, NULL);
	pthread_mutex_init(&d.workers_lock, NULL);
	tick = (struct source){ .fd = eventfd(1, EFD_CLOEXEC), .ready = on_tick };
	name.sun_family = AF_UNIX;
	name_len = sizeof(name.sun_family); /* the kernel finds a name */
	if (loop_open(&d.loop) || loop_watch(&d.loop, &tick, EPOLLIN) || bind(fd, (struct sockaddr *)&name, name_len) ||
		listen(fd, 8))
		abort();
	name_len = sizeof(name);
	if (getsockname(fd, (struct sockaddr *)&name, &name_len) || clients_open(&d, fd))
		abort();
	d.dev = device();
	if (listeners_configure(&d, &config) < 0)
		abort();
	v6 = d.listener[0];
	v4 = d.listener[1];
}

/* No more is on its way to a program than was agreed, and what is counted is there. */
static void check(const struct listener *l)
{
	for (const struct subscriber *s = l->subscribers; s; s = s->next) {
		unsigned n = 0;

		for (unsigned i = 0; i < IPC_WINDOW; i++)
			n += s->sent[i].fd >= 0;
		assert(n == s->unanswered);
	}
}

static void turn(void)
{
	loop_step(&d.loop);
	loop_step(&d.loop);
	check(v4);
	check(v6);
}

/* The program -------------------------------------------------------------------------------------------------------------- */

struct program {
	int channel; /* -1: it has none */
	int peer[CONNECTIONS_MAX];
	unsigned peers, received;
};

static void join(struct program *p, bool with_socket, int backlog)
{
	struct ipc_request r = { .magic = IPC_MAGIC, .version = IPC_VERSION, .type = IPC_LISTEN, .backlog = backlog };
	struct ipc_reply reply = { .magic = 0 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool lost;
	int n;

	ipc_put_address(with_socket ? &any6 : &any4, &r.local);
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, name_len) ||
		ipc_send(fd, &r, sizeof(r), with_socket ? own : -1))
		abort();
	p->channel = -1;
	for (unsigned i = 0;
		i < STEPS_MAX && (n = ipc_receive(fd, &reply, sizeof(reply), &p->channel, &lost)) == -EAGAIN; i++)
		turn();
	assert(n > 0 && !reply.result && p->channel >= 0);
	close(fd);
}

static void leave(struct program *p)
{
	if (p->channel >= 0)
		close(p->channel);
	p->channel = -1;
	for (unsigned i = 0; i < STEPS_MAX && (d.clients || v4->subscribers || v6->subscribers); i++)
		turn();
	assert(!d.clients && !v4->subscribers && !v6->subscribers);
}

/* Handshakes that are complete, as far as the queue goes; `peer` is the other end of each. */
static void establish(struct program *p, struct listener *l, unsigned count)
{
	const union address remote = { .in = { .sin_family = AF_INET } };

	for (; count && p->peers < CONNECTIONS_MAX && l->board; count--) {
		int pair[2];

		pthread_mutex_lock(&d.dev->lock);
		if (!l->board->deaf && l->board->count < l->board->backlog) {
			if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
				abort();
			p->peer[p->peers++] = pair[0];
			listener_push(l->board, pair[1], &any4, &remote);
			listener_ready(l->board);
		}
		pthread_mutex_unlock(&d.dev->lock);
	}
}

static void say(const struct program *p, const void *packet, size_t n)
{
	if (p->channel >= 0)
		send(p->channel, packet, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void receive(struct program *p, unsigned count, bool answers)
{
	struct ipc_connection c;
	bool lost;
	int fd, n;

	for (; count && p->channel >= 0; count--) {
		n = ipc_receive(p->channel, &c, sizeof(c), &fd, &lost);
		if (n <= 0)
			return;
		assert(!ipc_parse_connection(&c, (size_t)n, &c) && fd >= 0);
		close(fd);
		if (answers) {
			struct ipc_answer a = { IPC_MAGIC, IPC_VERSION, IPC_TAKEN, c.number };

			say(p, &a, sizeof(a));
		}
	}
}

static void option(const struct program *p, const uint8_t *data, size_t n)
{
	struct ipc_option o = { .magic = IPC_MAGIC, .version = IPC_VERSION, .type = IPC_OPTION };
	size_t head = offsetof(struct ipc_option, level);

	memcpy((uint8_t *)&o + head, data, n < sizeof(o) - head ? n : sizeof(o) - head);
	say(p, &o, sizeof(o));
}

static void time_passes(void)
{
	for (struct timer *t = d.loop.timers; t; t = t->next)
		t->due_ms = 0;
}

static size_t piece(struct program *p, const uint8_t *data, size_t size, bool with_socket, int backlog)
{
	struct ipc_answer a = { .magic = IPC_MAGIC, .version = IPC_VERSION };
	size_t n = data[1] < size - 2 ? data[1] : size - 2;
	bool twin = data[0] & 1 << 3;

	a.number = data[1] | (twin ? TWIN_NUMBERS : 0);
	switch (data[0] & 7) {
	case 0:
		say(p, data + 2, n);
		return 2 + n;
	case 1:
	case 2:
		a.type = (data[0] & 7) == 1 ? IPC_TAKEN : IPC_AGAIN;
		say(p, &a, sizeof(a));
		break;
	case 3:
		establish(p, twin ? v4 : v6, data[1] & 31);
		break;
	case 4:
		receive(p, data[1] & 31, twin);
		break;
	case 5:
		option(p, data + 2, n);
		return 2 + n;
	case 6:
		time_passes();
		break;
	default:
		leave(p);
		join(p, with_socket, backlog);
	}
	return 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program p = { .channel = -1 };
	bool with_socket;
	int backlog;
	char c;

	if (!v4)
		start();
	if (size < 2)
		return 0;
	with_socket = data[0] & 1;
	backlog = 1 + data[1];
	join(&p, with_socket, backlog);
	for (size_t at = 2; size - at >= 2;) {
		at += piece(&p, data + at, size - at, with_socket, backlog);
		turn();
	}
	leave(&p);
	for (unsigned i = 0; i < p.peers; i++) {
		ssize_t n = recv(p.peer[i], &c, 1, 0);

		assert(!n || (n < 0 && errno == ECONNRESET));
		close(p.peer[i]);
	}
	assert(!v4->board || !v4->board->count);
	assert(!v6->board || !v6->board->count);
	return 0;
}
