/* SPDX-License-Identifier: Apache-2.0
 * clients.c - the socket of programs that use libhandfast. Each connection is one request: its peer's credentials are checked against the
 * config, the packet is parsed whole (ipc.c), and only then is something done. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"
#include "driver/clock.h"

enum { REQUEST_MS = 5000, PAUSE_MS = 100 };

/* A connection, until its request is answered. */
struct client_call {
	struct work work;
	struct daemon *d;
	struct source source; /* fd -1: it has hung up */
	struct timer late;
	struct ucred who;
	struct ipc_order order;
	int sent_fd; /* what came with the request, or -1 */
	bool working;
	int result, fd; /* of the work */
	char text[IPC_TEXT_BYTES];
};

static void call_free(struct client_call *c)
{
	loop_disarm(&c->d->loop, &c->late);
	if (c->source.fd >= 0) {
		loop_forget(&c->d->loop, &c->source);
		close(c->source.fd);
	}
	if (c->sent_fd >= 0)
		close(c->sent_fd);
	c->d->clients--;
	free(c);
}

/* Answer and end. fd is closed. */
static void answer(struct client_call *c, int result, int fd, const char *text)
{
	struct ipc_reply r = { .magic = IPC_MAGIC, .version = IPC_VERSION, .type = c->order.type, .result = result };

	snprintf(r.text, sizeof(r.text), "%s", text ? text : result < 0 ? strerror(-result) : "");
	if (c->source.fd < 0 || ipc_send(c->source.fd, &r, offsetof(struct ipc_reply, stat), fd)) {
		/* It is gone: nobody will ever use the connection. */
		if (fd >= 0 && c->order.type == IPC_CONNECT)
			listener_reset_socket(fd);
		else if (fd >= 0)
			close(fd);
	} else if (fd >= 0) {
		close(fd);
	}
	call_free(c);
}

/* Calls that wait ---------------------------------------------------------------------------------------------------------------- */

static void run_call(struct work *w)
{
	struct client_call *c = (struct client_call *)w;
	bool any = c->order.local.sa.sa_family == AF_UNSPEC;

	if (c->order.type == IPC_CLOSE)
		c->result = closing_run(c->d->dev, c->sent_fd, 2);
	else
		c->result = hf_connect(c->d->dev, any ? NULL : &c->order.local.sa, &c->order.remote.sa,
			address_size(&c->order.remote), c->order.timeout_ms);
	if (c->result < 0)
		snprintf(c->text, sizeof(c->text), "%s", hf_error(c->d->dev));
	if (c->order.type == IPC_CONNECT && c->result >= 0) {
		c->fd = c->result;
		c->result = 0;
	}
}

/* What the peer or the network answered is the program's business. With anything else libhandfast-preload.so goes by the kernel, and nobody
 * sees why. */
static void log_failure(const struct client_call *c)
{
	char peer[ADDRESS_TEXT_BYTES];

	if (c->order.type != IPC_CONNECT || c->result >= 0 || c->result == -ECONNREFUSED ||
		c->result == -EHOSTUNREACH || c->result == -ETIMEDOUT)
		return;
	log_line(LOG_INFO, "connect_failed", "process %d: no connection to %s by the board: %s (%s)", (int)c->who.pid,
		address_text(&c->order.remote, peer), strerror(-c->result), c->text);
}

static void call_done(struct work *w)
{
	struct client_call *c = (struct client_call *)w;

	log_failure(c);
	/* A client that hung up while its socket was being frozen keeps nothing; one that is gone altogether has closed it. */
	answer(c, c->result, c->fd, *c->text ? c->text : NULL);
}

static void start_call(struct client_call *c)
{
	int rc;

	if (!c->d->dev) {
		answer(c, -ENODEV, -1, "the board is lost");
		return;
	}
	c->work.run = run_call;
	c->work.done = call_done;
	rc = worker_start(c->d, &c->work);
	if (rc) {
		answer(c, rc, -1, "too many calls are under way");
		return;
	}
	c->working = true;
	loop_disarm(&c->d->loop, &c->late);
	loop_watch(&c->d->loop, &c->source, EPOLLRDHUP);
}

/* Requests ----------------------------------------------------------------------------------------------------------------------- */

/* The program's own listening socket must be what it says, so that nothing else comes out of it. */
static bool is_listener_there(int fd, const union address *local)
{
	union address bound;
	socklen_t len = sizeof(int);
	int value;

	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &len) || value != IPPROTO_TCP)
		return false;
	len = sizeof(value);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) || !value)
		return false;
	len = sizeof(bound);
	memset(&bound, 0, sizeof(bound));
	return !getsockname(fd, &bound.sa, &len) && address_port(&bound) == address_port(local);
}

/* A dual-stack socket on the any-address serves the IPv4 listener of its port too, if that may be. */
static struct listener *twin_of(struct listener *l, int kernel_fd, const struct ucred *who)
{
	union address any = { .in = { .sin_family = AF_INET } };
	socklen_t len = sizeof(int);
	struct listener *also;
	int only6 = 1;

	if (!address_is6(&l->config.address) || !address_is_any(&l->config.address) ||
		getsockopt(kernel_fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, &len) || only6)
		return NULL;
	address_set_port(&any, address_port(&l->config.address));
	also = listeners_find(l->d, &any);
	return also && also->config.way == WAY_REPAIR && also->wanted != MODE_OFF &&
			       who_may(&also->config.who, who->uid, who->gid)
		       ? also
		       : NULL;
}

/* pair[0]: our end, with a name that tells what listens. */
static int make_channel(const union address *local, int pair[2])
{
	static uint64_t last_tag;
	struct sockaddr_un name;
	socklen_t len;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	len = ipc_channel_name(local, (uint64_t)getpid() << 32 | ++last_tag, &name);
	if (!bind(pair[0], (const struct sockaddr *)&name, len))
		return 0;
	close(pair[0]);
	close(pair[1]);
	return -1;
}

static void do_listen(struct client_call *c)
{
	struct listener *l = listeners_find(c->d, &c->order.local);
	char text[ADDRESS_TEXT_BYTES], why[IPC_TEXT_BYTES];
	int pair[2], rc, kernel_fd = c->sent_fd;

	address_text(&c->order.local, text);
	if (!l || l->config.way != WAY_REPAIR || l->wanted == MODE_OFF) {
		snprintf(why, sizeof(why),
			l ? "%s is not of way \"repair\", or off, in the config" : "%s is not in the config", text);
		answer(c, -EACCES, -1, why);
		return;
	}
	if (!who_may(&l->config.who, c->who.uid, c->who.gid)) {
		snprintf(why, sizeof(why), "user %u may not listen on %s", (unsigned)c->who.uid, text);
		log_line(LOG_WARNING, "denied", "process %d: %s", (int)c->who.pid, why);
		answer(c, -EPERM, -1, why);
		return;
	}
	if (kernel_fd >= 0 && !is_listener_there(kernel_fd, &c->order.local)) {
		answer(c, -EINVAL, -1, "the socket that came along does not listen there");
		return;
	}
	if (c->d->clients >= CLIENTS_MAX) {
		answer(c, -EUSERS, -1, "too many programs are connected");
		return;
	}
	if (make_channel(&c->order.local, pair)) {
		answer(c, -errno, -1, NULL);
		return;
	}
	if (kernel_fd >= 0) {
		/* Its flags are shared with the program, whose accept() we have taken over. */
		int flags = fcntl(kernel_fd, F_GETFL);

		if (flags >= 0)
			fcntl(kernel_fd, F_SETFL, flags | O_NONBLOCK);
	}
	rc = listener_subscribe(l, kernel_fd >= 0 ? twin_of(l, kernel_fd, &c->who) : NULL, c->order.backlog, pair[0],
		kernel_fd, c->who.pid, c->who.uid);
	if (rc) {
		close(pair[0]);
		close(pair[1]);
		answer(c, rc, -1, NULL);
		return;
	}
	c->sent_fd = -1; /* the listener's now */
	answer(c, 0, pair[1], "");
}

static bool may_anything(struct daemon *d, const struct ucred *who)
{
	bool may = who_may(&d->config.connect_who, who->uid, who->gid);

	for (unsigned i = 0; i < d->listeners && !may; i++)
		may = who_may(&d->listener[i]->config.who, who->uid, who->gid);
	return may;
}

static void do_stats(struct client_call *c)
{
	struct ipc_reply r = { .magic = IPC_MAGIC, .version = IPC_VERSION, .type = IPC_STATS };
	struct hf_stat stats[IPC_STATS_MAX];
	int n = c->d->dev ? hf_stats(c->d->dev, stats, IPC_STATS_MAX) : -ENODEV;

	if (n < 0) {
		answer(c, n, -1, NULL);
		return;
	}
	r.stats = (uint32_t)(n < IPC_STATS_MAX ? n : IPC_STATS_MAX);
	r.result = n;
	for (unsigned i = 0; i < r.stats; i++)
		r.stat[i] = stats[i].value;
	ipc_send(c->source.fd, &r, offsetof(struct ipc_reply, stat) + r.stats * sizeof(r.stat[0]), -1);
	call_free(c);
}

static void do_order(struct client_call *c)
{
	switch (c->order.type) {
	case IPC_HELLO:
		answer(c, 0, -1, "");
		break;
	case IPC_LISTEN:
		do_listen(c);
		break;
	case IPC_CONNECT:
		if (who_may(&c->d->config.connect_who, c->who.uid, c->who.gid))
			start_call(c);
		else
			answer(c, -EPERM, -1, "this user may not open connections");
		break;
	case IPC_CLOSE:
		start_call(c);
		break;
	default:
		do_stats(c);
		break;
	}
}

static void on_request(struct source *s, uint32_t events)
{
	struct client_call *c = (struct client_call *)((char *)s - offsetof(struct client_call, source));
	uint8_t packet[sizeof(struct ipc_request) + 1];
	bool lost;
	int n, rc;

	if (c->working) {
		/* It hung up, or says more than it should: the work ends by itself, and its result is thrown away. */
		if (events) {
			loop_forget(&c->d->loop, s);
			close(s->fd);
			s->fd = -1;
		}
		return;
	}
	n = ipc_receive(s->fd, packet, sizeof(packet), &c->sent_fd, &lost);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		call_free(c);
		return;
	}
	rc = ipc_parse_request(packet, (size_t)n, c->sent_fd >= 0, &c->order);
	if (rc) {
		if (!c->order.type)
			c->order.type = IPC_HELLO;
		log_line(LOG_INFO, "bad_client", "process %d: a request that is none: %s", (int)c->who.pid,
			strerror(-rc));
		answer(c, rc, -1,
			rc == -EPROTONOSUPPORT ? "libhandfast and handfastd are of different versions" : NULL);
	} else if (lost) {
		answer(c, -EMFILE, -1, "handfastd has no descriptor free");
	} else if (!may_anything(c->d, &c->who)) {
		answer(c, -EPERM, -1, "the config lets this user do nothing");
	} else {
		do_order(c);
	}
}

static void on_late(struct timer *t)
{
	call_free((struct client_call *)((char *)t - offsetof(struct client_call, late)));
}

/* Connections --------------------------------------------------------------------------------------------------------------------- */

static void on_pause(struct timer *t)
{
	struct daemon *d = (struct daemon *)((char *)t - offsetof(struct daemon, clients_pause));

	loop_watch(&d->loop, &d->clients_socket, EPOLLIN);
}

static void on_connection(struct source *s, uint32_t events)
{
	struct daemon *d = (struct daemon *)((char *)s - offsetof(struct daemon, clients_socket));
	struct client_call *c;
	socklen_t len = sizeof(c->who);
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0) {
		/* Out of descriptors: the connection stays in the queue, and polling it would spin. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			loop_watch(&d->loop, s, 0);
			d->clients_pause.due = on_pause;
			loop_arm(&d->loop, &d->clients_pause, PAUSE_MS);
		}
		return;
	}
	c = d->clients < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(fd);
		return;
	}
	d->clients++;
	c->d = d;
	c->fd = c->sent_fd = -1;
	c->source = (struct source){ .fd = fd, .ready = on_request };
	c->late.due = on_late;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &len) || loop_watch(&d->loop, &c->source, EPOLLIN)) {
		call_free(c);
		return;
	}
	loop_arm(&d->loop, &c->late, REQUEST_MS);
}

int clients_open(struct daemon *d, int fd)
{
	/* Anybody may connect; who may do what is decided by the peer's credentials. */
	if (fd < 0)
		fd = unix_serve(d->config.socket, SOCK_SEQPACKET, 0666);
	if (fd < 0)
		return fd;
	d->clients_socket = (struct source){ .fd = fd, .ready = on_connection };
	return loop_watch(&d->loop, &d->clients_socket, EPOLLIN);
}

void clients_close(struct daemon *d)
{
	loop_forget(&d->loop, &d->clients_socket);
	close(d->clients_socket.fd);
	unlink(d->config.socket);
}
