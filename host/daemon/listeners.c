/* SPDX-License-Identifier: Apache-2.0
 * listeners.c - what the config and the operator want, what the kernel and the programs have, and what the board therefore does. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "driver/clock.h"

const char *reason_word(enum reason reason)
{
	static const char *const words[] = { "", "no_listener", "mptcp", "netns", "rcvbuf", "dnat", "table_full",
		"board", "no_kernel_way" };

	return words[reason];
}

const char *mode_word(enum mode mode)
{
	return mode == MODE_OFFLOAD ? "offload" : mode == MODE_BYPASS ? "bypass" : "off";
}

const char *way_word(enum way way)
{
	return way == WAY_KERNEL ? "kernel" : "repair";
}

uint64_t listener_established(const struct listener *l)
{
	return l->old_established + (l->board ? l->board->established : 0);
}

uint64_t listener_failed(const struct listener *l)
{
	return l->old_failed + (l->board ? l->board->failed : 0);
}

uint64_t listener_overflow(const struct listener *l)
{
	return l->old_overflow + (l->board ? l->board->overflow : 0);
}

unsigned listener_queued(const struct listener *l)
{
	unsigned n = 0;

	if (!l->board || !l->d->dev)
		return 0;
	pthread_mutex_lock(&l->d->dev->lock);
	n = l->board->count;
	pthread_mutex_unlock(&l->d->dev->lock);
	for (const struct subscriber *s = l->subscribers; s; s = s->next)
		n += s->unanswered;
	return n;
}

void listener_second(struct listener *l)
{
	uint64_t now = listener_established(l);

	l->rate = (unsigned)(now - l->last_established);
	l->last_established = now;
}

/* Delivering: way repair ------------------------------------------------------------------------------------------------------ */

static void subscriber_free(struct subscriber *s);

static bool has_room(const struct subscriber *s)
{
	return s->unanswered < IPC_WINDOW && !s->again.armed;
}

/* Watch the queues as long as somebody can take something from them. */
static void watch_queues(struct listener *l)
{
	bool room = false;

	for (struct subscriber *s = l->subscribers; s; s = s->next) {
		room |= has_room(s);
		if (s->kernel.fd >= 0)
			loop_watch(&l->d->loop, &s->kernel, has_room(s) ? EPOLLIN : 0);
	}
	if (l->board && l->config.way == WAY_REPAIR)
		loop_watch(&l->d->loop, &l->queue, room ? EPOLLIN : 0);
}

static int by_number(const void *a, const void *b)
{
	const struct sent *x = *(struct sent *const *)a, *y = *(struct sent *const *)b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* Send what waits, oldest first. */
static void send_waiting(struct subscriber *s)
{
	struct ipc_connection c[IPC_WINDOW];
	struct sent *waiting[IPC_WINDOW];
	int fd[IPC_WINDOW], sent = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < IPC_WINDOW; i++) {
		if (s->sent[i].fd >= 0 && s->sent[i].waits)
			waiting[n++] = &s->sent[i];
	}
	qsort(waiting, n, sizeof(waiting[0]), by_number);
	for (unsigned i = 0; i < n; i++) {
		c[i] = (struct ipc_connection){
			.magic = IPC_MAGIC, .version = IPC_VERSION, .type = IPC_CONNECTION, .number = waiting[i]->number
		};
		ipc_put_address(&waiting[i]->local, &c[i].local);
		ipc_put_address(&waiting[i]->remote, &c[i].remote);
		fd[i] = waiting[i]->fd;
	}
	for (unsigned done = 0; done < n; done += (unsigned)sent) {
		sent = ipc_send_connections(s->channel.fd, c + done, fd + done, n - done);
		if (sent < 0) {
			/* No room, or a program that is gone: its channel will say so. */
			loop_arm(&s->listener->d->loop, &s->again, s->again_ms);
			return;
		}
		for (int i = 0; i < sent; i++)
			waiting[done + (unsigned)i]->waits = false;
	}
}

/* Options that an accepted socket inherits from its listener (accept(2), tcp(7)). */
static void inherit(int listener, int fd)
{
	static const struct {
		int level, option;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE },
		{ SOL_SOCKET, SO_PRIORITY },
		{ SOL_SOCKET, SO_MARK },
		{ SOL_SOCKET, SO_OOBINLINE },
		{ SOL_SOCKET, SO_RCVLOWAT },
		{ SOL_SOCKET, SO_BUSY_POLL },
		{ IPPROTO_TCP, TCP_NODELAY },
		{ IPPROTO_TCP, TCP_KEEPIDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL },
		{ IPPROTO_TCP, TCP_KEEPCNT },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT },
		{ IPPROTO_TCP, TCP_LINGER2 },
		{ IPPROTO_IP, IP_TOS },
		{ IPPROTO_IP, IP_TTL },
		{ IPPROTO_IPV6, IPV6_TCLASS },
	};
	char congestion[16];
	struct linger linger;
	struct timeval limit;
	socklen_t len;
	int value, fresh;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		len = sizeof(value);
		if (getsockopt(listener, options[i].level, options[i].option, &value, &len))
			continue;
		len = sizeof(fresh);
		if (!getsockopt(fd, options[i].level, options[i].option, &fresh, &len) && fresh != value)
			setsockopt(fd, options[i].level, options[i].option, &value, sizeof(value));
	}
	/* These two read as twice what was set, and only what was set by hand counts; that, no call tells. A size other than
	 * a fresh socket's was. */
	for (int i = 0; i < 2; i++) {
		int option = i ? SO_RCVBUF : SO_SNDBUF, plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		len = sizeof(value);
		if (plain >= 0 && !getsockopt(listener, SOL_SOCKET, option, &value, &len) &&
			!getsockopt(plain, SOL_SOCKET, option, &fresh, &len) && fresh != value) {
			value /= 2;
			setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
		}
		if (plain >= 0)
			close(plain);
	}
	len = sizeof(linger);
	if (!getsockopt(listener, SOL_SOCKET, SO_LINGER, &linger, &len) && linger.l_onoff)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	for (int i = 0; i < 2; i++) {
		len = sizeof(limit);
		if (!getsockopt(listener, SOL_SOCKET, i ? SO_RCVTIMEO : SO_SNDTIMEO, &limit, &len) &&
			(limit.tv_sec || limit.tv_usec))
			setsockopt(fd, SOL_SOCKET, i ? SO_RCVTIMEO : SO_SNDTIMEO, &limit, sizeof(limit));
	}
	len = sizeof(congestion);
	if (!getsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, congestion, &len))
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, len);
}

/* It has room. send_waiting() is still to be called. */
static void give(struct subscriber *s, int fd, const union address *local, const union address *remote)
{
	struct sent *free_place = s->sent;

	while (free_place->fd >= 0)
		free_place++;
	*free_place = (struct sent){ ++s->last_number, fd, *local, *remote, true };
	s->unanswered++;
	s->listener->delivered++;
}

static void addresses_of(int fd, union address *local, union address *remote)
{
	socklen_t len = sizeof(*local);

	memset(local, 0, sizeof(*local));
	memset(remote, 0, sizeof(*remote));
	if (getsockname(fd, &local->sa, &len))
		local->sa.sa_family = AF_INET;
	len = sizeof(*remote);
	/* The peer may have gone already; then read() will say so. */
	if (getpeername(fd, &remote->sa, &len))
		remote->sa.sa_family = local->sa.sa_family;
}

/* Connections to the next program that has room, in turn. */
static void share_out(struct listener *l)
{
	while (l->board && l->config.way == WAY_REPAIR) {
		struct subscriber *s = l->turn, *first;
		union address local, remote;
		int fd;

		if (!s)
			s = l->subscribers;
		first = s;
		while (s && !has_room(s)) {
			s = s->next ? s->next : l->subscribers;
			if (s == first)
				s = NULL;
		}
		if (!s)
			return;
		fd = listener_take(l->board, &local, &remote, 0);
		if (fd < 0)
			return;
		if (s->kernel.fd >= 0 || (s->twin_of && s->twin_of->kernel.fd >= 0))
			inherit(s->twin_of ? s->twin_of->kernel.fd : s->kernel.fd, fd);
		l->turn = s->next;
		give(s, fd, &local, &remote);
	}
}

static void deliver(struct listener *l)
{
	share_out(l);
	for (struct subscriber *s = l->subscribers; s; s = s->next) {
		if (!s->again.armed)
			send_waiting(s);
	}
}

static void on_queue(struct source *source, uint32_t events)
{
	struct listener *l = (struct listener *)((char *)source - offsetof(struct listener, queue));

	(void)events;
	deliver(l);
	watch_queues(l);
}

/* The program's own listening socket: what did not come by the board (loopback, another netdev, bypass) goes the same way. */
static void on_kernel(struct source *source, uint32_t events)
{
	struct subscriber *s = (struct subscriber *)((char *)source - offsetof(struct subscriber, kernel));

	bool later = s->again.armed;

	(void)events;
	while (has_room(s)) {
		union address local, remote;
		int fd = accept4(s->kernel.fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
			s->again_ms = AGAIN_LAST_MS;
			loop_arm(&s->listener->d->loop, &s->again, s->again_ms);
		}
		if (fd < 0)
			break;
		addresses_of(fd, &local, &remote);
		give(s, fd, &local, &remote);
	}
	if (!later)
		send_waiting(s);
	watch_queues(s->listener);
}

static void on_again(struct timer *t)
{
	struct subscriber *s = (struct subscriber *)((char *)t - offsetof(struct subscriber, again));

	s->again_ms = s->again_ms * 2 < AGAIN_LAST_MS ? s->again_ms * 2 : AGAIN_LAST_MS;
	send_waiting(s);
	watch_queues(s->listener);
}

static void on_answer(struct subscriber *s, const struct ipc_answer *a)
{
	for (unsigned i = 0; i < IPC_WINDOW; i++) {
		struct sent *at = &s->sent[i];

		if (at->fd < 0 || at->number != a->number || at->waits)
			continue;
		if (a->type == IPC_AGAIN) {
			at->waits = true;
			s->listener->d->taken_again++;
			loop_arm(&s->listener->d->loop, &s->again, s->again_ms);
			return;
		}
		close(at->fd);
		at->fd = -1;
		s->unanswered--;
		s->again_ms = AGAIN_FIRST_MS;
		return;
	}
	/* A number that is nobody's: ignored, it can do no harm. */
}

static void on_channel(struct source *source, uint32_t events)
{
	struct subscriber *s = (struct subscriber *)((char *)source - offsetof(struct subscriber, channel));
	struct listener *l = s->listener;
	struct ipc_answer a;
	struct ipc_option o;
	uint8_t packet[sizeof(a) + sizeof(o)];
	bool lost;
	int fd, n;

	(void)events;
	while ((n = ipc_receive(source->fd, packet, sizeof(packet), &fd, &lost)) != -EAGAIN) {
		if (fd >= 0)
			close(fd);
		if (n > 0 && fd < 0 && !ipc_parse_option(packet, (size_t)n, &o)) {
			/* Sockets take it over when they are handed out. What the kernel says to it the program is not told. */
			if (s->kernel.fd >= 0)
				setsockopt(s->kernel.fd, o.level, o.option, o.value, o.length);
			continue;
		}
		if (n <= 0 || fd >= 0 || ipc_parse_answer(packet, (size_t)n, &a)) {
			if (n)
				log_line(LOG_WARNING, "bad_client",
					"process %d sent what it must not; its listener is closed", (int)s->pid);
			subscriber_free(s);
			listeners_refresh(l->d);
			return;
		}
		on_answer(s->twin && a.number & TWIN_NUMBERS ? s->twin : s, &a);
	}
	deliver(l);
	watch_queues(l);
	if (s->twin) {
		deliver(s->twin->listener);
		watch_queues(s->twin->listener);
	}
}

/* Its peers whose connection it has not taken get a RST. */
static void subscriber_free(struct subscriber *s)
{
	struct listener *l = s->listener;
	struct subscriber **at = &l->subscribers;

	if (s->twin_of) {
		/* The other one owns the channel: both go. */
		subscriber_free(s->twin_of);
		return;
	}
	if (s->twin) {
		s->twin->twin_of = NULL;
		subscriber_free(s->twin);
	}
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (l->turn == s)
		l->turn = s->next;
	loop_forget(&l->d->loop, &s->channel);
	loop_disarm(&l->d->loop, &s->again);
	if (s->channel.fd >= 0)
		close(s->channel.fd);
	if (s->kernel.fd >= 0) {
		loop_forget(&l->d->loop, &s->kernel);
		close(s->kernel.fd);
	}
	for (unsigned i = 0; i < IPC_WINDOW; i++) {
		if (s->sent[i].fd >= 0)
			listener_reset_socket(s->sent[i].fd);
	}
	l->d->clients--;
	log_line(LOG_INFO, "client_gone", "process %d has left port %u", (int)s->pid, address_port(&l->config.address));
	free(s);
}

/* Into the listener's list. */
static struct subscriber *subscriber_new(
	struct listener *l, int backlog, int channel, int kernel_fd, pid_t pid, uid_t uid)
{
	struct subscriber *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->listener = l;
	s->channel = (struct source){ .fd = channel, .ready = on_channel };
	s->kernel = (struct source){ .fd = kernel_fd, .ready = on_kernel };
	s->again.due = on_again;
	s->again_ms = AGAIN_FIRST_MS;
	s->pid = pid;
	s->uid = uid;
	for (unsigned i = 0; i < IPC_WINDOW; i++)
		s->sent[i].fd = -1;
	if (!l->subscribers)
		l->backlog = backlog < l->config.backlog ? backlog : l->config.backlog;
	s->next = l->subscribers;
	l->subscribers = s;
	l->d->clients++;
	log_line(LOG_INFO, "client_listens", "process %d, user %u, listens on port %u", (int)pid, (unsigned)uid,
		address_port(&l->config.address));
	return s;
}

int listener_subscribe(
	struct listener *l, struct listener *also, int backlog, int channel, int kernel_fd, pid_t pid, uid_t uid)
{
	struct subscriber *s = subscriber_new(l, backlog, channel, kernel_fd, pid, uid);
	int rc, copy;

	if (!s)
		return -ENOMEM;
	rc = loop_watch(&l->d->loop, &s->channel, EPOLLIN);
	if (rc) {
		s->channel.fd = s->kernel.fd = -1; /* still the caller's */
		subscriber_free(s);
		return rc;
	}
	copy = also ? fcntl(channel, F_DUPFD_CLOEXEC, 0) : -1;
	s->twin = copy >= 0 ? subscriber_new(also, backlog, copy, -1, pid, uid) : NULL;
	if (s->twin) {
		s->twin->twin_of = s;
		s->twin->last_number = TWIN_NUMBERS;
	} else if (copy >= 0) {
		close(copy);
	}
	listeners_refresh(l->d);
	watch_queues(l);
	return 0;
}

/* What should be --------------------------------------------------------------------------------------------------------------- */

/* Does somebody in another network namespace listen on that port? Of each namespace one process is asked. */
static bool other_namespace_listens(unsigned port)
{
	ino_t asked[64];
	unsigned count = 0;
	struct stat st;
	struct dirent *e;
	DIR *proc;
	bool found = false;

	if (!stat("/proc/self/ns/net", &st))
		asked[count++] = st.st_ino;
	proc = opendir("/proc");
	while (proc && !found && (e = readdir(proc)) != NULL && count < sizeof(asked) / sizeof(asked[0])) {
		char path[300], line[256];
		bool known = false;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/ns/net", e->d_name);
		if (stat(path, &st))
			continue;
		for (unsigned i = 0; i < count; i++)
			known |= asked[i] == st.st_ino;
		if (known)
			continue;
		asked[count++] = st.st_ino;
		for (int six = 0; six < 2; six++) {
			unsigned at, state;
			FILE *f;

			snprintf(path, sizeof(path), "/proc/%s/net/tcp%s", e->d_name, six ? "6" : "");
			f = fopen(path, "re");
			while (f && fgets(line, sizeof(line), f))
				found |= sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &at, &state) == 2 &&
					 at == port && state == 10; /* TCP_LISTEN */
			if (f)
				fclose(f);
		}
	}
	if (proc)
		closedir(proc);
	return found;
}

static enum mode what_mode(struct listener *l, enum reason *reason, char *why)
{
	*reason = REASON_NONE;
	*why = 0;
	if (!l->d->dev) {
		*reason = REASON_BOARD;
		snprintf(why, WHY_BYTES, "the board is lost");
		return MODE_OFF;
	}
	if (l->wanted != MODE_OFFLOAD)
		return l->wanted;
	if (dnat_takes(l->d, address_port(&l->config.address))) {
		*reason = REASON_DNAT;
		snprintf(why, WHY_BYTES, "a rule of nftables sends this port elsewhere (dnat or redirect)");
	} else if (l->config.way == WAY_KERNEL) {
		*reason = kernel_way_serves(l->d, &l->config.address, why);
	} else if (!l->subscribers) {
		*reason = REASON_NO_LISTENER;
		snprintf(why, WHY_BYTES, "no program listens there through handfastd");
	}
	return *reason ? MODE_BYPASS : MODE_OFFLOAD;
}

/* Out of the board. Whoever is in the queue gets a RST. */
static void close_board(struct listener *l)
{
	if (!l->board)
		return;
	if (l->queue.fd >= 0)
		loop_forget(&l->d->loop, &l->queue);
	l->queue.fd = -1;
	l->old_established += l->board->established;
	l->old_failed += l->board->failed;
	l->old_overflow += l->board->overflow;
	hf_listener_close(l->board);
	l->board = NULL;
	l->syns_of = NULL;
}

static int set_board(struct listener *l, enum mode mode)
{
	int rc, backlog = l->subscribers ? l->backlog : l->config.backlog;
	/* Half-open ones may still become established after the switch; without a program they are reset. */
	const bool deaf = l->config.way == WAY_REPAIR && !l->subscribers;

	/* The last program of way repair is gone: its queue goes too. Or the first one has come. */
	if (l->board && l->config.way == WAY_REPAIR &&
		((!l->subscribers && l->board->mode == MODE_OFFLOAD) || l->board->backlog != (unsigned)backlog))
		close_board(l);
	if (mode == MODE_OFF) {
		close_board(l);
		return 0;
	}
	if (!l->board) {
		rc = listener_open(l->d->dev, &l->config.address, backlog, l->config.way, mode, deaf, &l->board);
		if (rc) {
			l->board = NULL;
			return rc;
		}
		if (l->config.way == WAY_REPAIR)
			l->queue = (struct source){ .fd = hf_listener_fd(l->board), .ready = on_queue };
	}
	/* Before the switch: the first connection may be there as soon as the board has been told. */
	l->board->deaf = deaf;
	return l->board->mode == mode ? 0 : listener_set_mode(l->board, mode);
}

/* What a listener is now, and why. */
struct outlook {
	enum mode mode;
	enum reason reason;
	char why[WHY_BYTES];
};

/* Do what should be. */
static void act(struct listener *l, struct outlook *o)
{
	int rc;

	o->mode = what_mode(l, &o->reason, o->why);
	rc = l->d->dev ? set_board(l, o->mode) : 0;
	if (!rc)
		return;
	o->mode = MODE_OFF;
	o->reason = rc == -ENOSPC ? REASON_TABLE_FULL : REASON_BOARD;
	snprintf(o->why, sizeof(o->why), "%s", rc == -ENOSPC ? "the board's listen table is full" : strerror(-rc));
}

/* And say so. */
static void tell(struct listener *l, struct outlook *o)
{
	if (o->reason == REASON_NO_LISTENER && l->config.way == WAY_KERNEL &&
		other_namespace_listens(address_port(&l->config.address))) {
		o->reason = REASON_NETNS;
		snprintf(o->why, sizeof(o->why), "who listens there is in another network namespace than %s",
			l->d->config.tap);
	}
	if (o->mode != l->mode || o->reason != l->reason) {
		log_line(LOG_NOTICE, "listener_mode", "port %u: %s%s%s", address_port(&l->config.address),
			mode_word(o->mode), o->reason ? ": " : "", o->why);
		if (o->mode != l->mode)
			l->since_ms = clock_ms();
		l->mode = o->mode;
		l->reason = o->reason;
	}
	memcpy(l->why, o->why, sizeof(l->why));
	watch_queues(l);
}

void listeners_refresh(struct daemon *d)
{
	struct outlook outlook[sizeof(d->listener) / sizeof(d->listener[0])];

	/* First what hurries: a listener that is gone is to be withdrawn, and a look into other namespaces takes its time. */
	for (unsigned i = 0; i < d->listeners; i++)
		act(d->listener[i], &outlook[i]);
	for (unsigned i = 0; i < d->listeners; i++)
		tell(d->listener[i], &outlook[i]);
}

void listeners_lost(struct daemon *d)
{
	for (unsigned i = 0; i < d->listeners; i++)
		close_board(d->listener[i]);
	/* Programs stay; they will be served again. */
	for (unsigned i = 0; i < d->listeners; i++) {
		d->listener[i]->mode = MODE_OFF;
		d->listener[i]->reason = REASON_BOARD;
		snprintf(d->listener[i]->why, WHY_BYTES, "the board is lost");
		d->listener[i]->since_ms = clock_ms();
	}
}

/* The config -------------------------------------------------------------------------------------------------------------------- */

static void listener_free(struct listener *l)
{
	while (l->subscribers)
		subscriber_free(l->subscribers);
	close_board(l);
	free(l);
}

/* Which listener of ours has exactly this address and way, or NULL. */
static struct listener *same(struct daemon *d, const struct config_listener *c)
{
	for (unsigned i = 0; i < d->listeners; i++) {
		if (address_equal(&d->listener[i]->config.address, &c->address) && d->listener[i]->config.way == c->way)
			return d->listener[i];
	}
	return NULL;
}

int listeners_configure(struct daemon *d, const struct config *c)
{
	struct listener *next[CONFIG_LISTENERS_MAX] = { NULL };
	int changed = 0;

	for (unsigned i = 0; i < c->listeners; i++) {
		struct listener *l = same(d, &c->listener[i]);

		if (!l) {
			l = calloc(1, sizeof(*l));
			if (!l)
				return -ENOMEM;
			l->d = d;
			l->queue.fd = -1;
			l->since_ms = clock_ms();
			changed++;
		} else {
			changed += l->wanted != c->listener[i].mode || l->config.backlog != c->listener[i].backlog;
		}
		l->config = c->listener[i];
		l->wanted = c->listener[i].mode;
		next[i] = l;
	}
	for (unsigned i = 0; i < d->listeners; i++) {
		bool kept = false;

		for (unsigned n = 0; n < c->listeners; n++)
			kept |= next[n] == d->listener[i];
		if (!kept) {
			listener_free(d->listener[i]);
			changed++;
		}
	}
	memcpy(d->listener, next, c->listeners * sizeof(next[0]));
	d->listeners = c->listeners;
	listeners_refresh(d);
	return changed;
}

void listeners_free(struct daemon *d)
{
	for (unsigned i = 0; i < d->listeners; i++)
		listener_free(d->listener[i]);
	d->listeners = 0;
}

struct listener *listeners_find(struct daemon *d, const union address *local)
{
	struct listener *any = NULL;

	for (unsigned i = 0; i < d->listeners; i++) {
		struct listener *l = d->listener[i];

		if (address_equal(&l->config.address, local))
			return l;
		if (address_is_any(&l->config.address) && l->config.address.sa.sa_family == local->sa.sa_family &&
			address_port(&l->config.address) == address_port(local))
			any = l;
	}
	return any;
}
