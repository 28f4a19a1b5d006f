/* SPDX-License-Identifier: Apache-2.0
 * preload.c - libhandfast-preload.so: programs that know nothing of Handfast, behind `handfast run -- CMD`.
 *
 * listen(): a TCP socket whose address and port handfastd has with way "repair" is replaced, under its number, by the channel on which the
 * daemon hands connections over (ipc.h); the socket itself goes to the daemon, which accepts from it what does not come by the
 * board. The channel polls readable when there is a connection, so that poll, select, epoll (level and edge), dup, fork and exec are what
 * they were; nothing is kept in this process: what a descriptor is, its peer's name says. accept() takes a connection off the
 * channel. getsockname() and the getsockopt()s that tell a listening TCP socket say what the socket would.
 * connect(): a blocking one over the daemon's netdev is made by the board; the socket takes the place of the program's.
 *
 * setsockopt() on the channel is told the daemon. Sets of epoll(7) in which the number was already when its file changed have the new file
 * afterwards (/proc/self/fdinfo tells). When the daemon ends, the number is a socket of the kernel's again, if the process may bind it, and
 * handed to the next daemon at a later accept().
 *
 * Everything else, and everything the daemon does not want, passes through untouched: non-blocking connect() above all.
 *
 * Thread-safe. HANDFAST_SOCKET is the daemon's socket, IPC_PATH by default. Never prints. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../client.h"
#include "../ipc.h"
#include "../library.h"
#include "driver/clock.h"

#define SETS_MAX     64	  /* sets of epoll in which one number is */
#define REVIVED_MAX  16	  /* listeners that a process has had from a daemon that ended */
#define ASK_AGAIN_MS 1000 /* how often the next daemon is looked for */

#define EXPORT __attribute__((visibility("default")))

/* The next definition of a function: the C library's. */
#define NEXT(name) ((__typeof__(name) *)next(#name))

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	/* Without it there is no libc either. */
	if (!found)
		abort();
	return found;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

/* What a descriptor is ------------------------------------------------------------------------------------------------------- */

/* Is it a listener's channel? Then *local is the listener's address. errno stays as it is. */
static bool is_channel(int fd, union address *local)
{
	struct sockaddr_un name = { 0 };
	socklen_t len = sizeof(name);
	int before = errno;
	bool is = !NEXT(getpeername)(fd, (struct sockaddr *)&name, &len) && name.sun_family == AF_UNIX &&
		  ipc_read_channel_name(&name, len, local);

	errno = before;
	return is;
}

/* A TCP socket of IPv4 or IPv6, its own address in *local. errno stays as it is. */
static bool is_tcp(int fd, union address *local)
{
	socklen_t len = sizeof(int);
	int protocol = 0, before = errno;
	bool is = !NEXT(getsockopt)(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) && protocol == IPPROTO_TCP;

	memset(local, 0, sizeof(*local));
	len = sizeof(*local);
	is = is && !NEXT(getsockname)(fd, &local->sa, &len) &&
	     (local->sa.sa_family == AF_INET || local->sa.sa_family == AF_INET6);
	errno = before;
	return is;
}

/* The daemon, or NULL: it is not there. */
static struct client *reach(void)
{
	const char *path = getenv("HANDFAST_SOCKET");
	char why[ERROR_BYTES];
	struct client *c;

	return client_open(path ? path : IPC_PATH, &c, why) ? NULL : c;
}

/* Sets of epoll in which a number is ---------------------------------------------------------------------------------------- */

struct registration {
	int epoll;
	struct epoll_event event;
};

/* Take the number out of the sets of this process; at most `max` of them. Returns how many. */
static unsigned leave_sets(int fd, struct registration *r, unsigned max)
{
	DIR *all = opendir("/proc/self/fdinfo");
	struct dirent *e;
	unsigned n = 0;

	while (all && (e = readdir(all)) != NULL) {
		char path[300], line[256];
		FILE *f;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", e->d_name);
		f = fopen(path, "re");
		while (f && n < max && fgets(line, sizeof(line), f)) {
			unsigned long long data;
			unsigned events;
			int number;

			if (sscanf(line, "tfd: %d events: %x data: %llx", &number, &events, &data) != 3 || number != fd)
				continue;
			r[n].epoll = atoi(e->d_name);
			r[n].event = (struct epoll_event){ .events = events, .data.u64 = data };
			/* ENOENT: another file that had this number, or the same set under another number. */
			if (!epoll_ctl(r[n].epoll, EPOLL_CTL_DEL, fd, NULL))
				n++;
			break;
		}
		if (f)
			fclose(f);
	}
	if (all)
		closedir(all);
	return n;
}

/* Put `from` under the number `fd`, with close-on-exec as that has it and O_NONBLOCK as in `status` (F_GETFL). Closes `from`. */
static int take_number(int from, int fd, int status)
{
	struct registration set[SETS_MAX];
	unsigned sets = leave_sets(fd, set, SETS_MAX);
	int flags = NEXT(fcntl)(fd, F_GETFD), rc;

	if (status >= 0)
		NEXT(fcntl)(from, F_SETFL, (NEXT(fcntl)(from, F_GETFL) & ~O_NONBLOCK) | (status & O_NONBLOCK));
	rc = dup3(from, fd, flags >= 0 && flags & FD_CLOEXEC ? O_CLOEXEC : 0);
	close(from);
	for (unsigned i = 0; i < sets; i++)
		epoll_ctl(set[i].epoll, EPOLL_CTL_ADD, fd, &set[i].event);
	return rc < 0 ? -1 : 0;
}

/* What the program has set on its socket and the new one must have. */
static void copy_options(int from, int to)
{
	static const struct {
		int level, option;
	} options[] = { { SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_PRIORITY }, { SOL_SOCKET, SO_OOBINLINE },
		{ IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_KEEPIDLE }, { IPPROTO_TCP, TCP_KEEPINTVL },
		{ IPPROTO_TCP, TCP_KEEPCNT }, { IPPROTO_TCP, TCP_USER_TIMEOUT }, { IPPROTO_IP, IP_TOS },
		{ IPPROTO_IPV6, IPV6_TCLASS } };
	struct timeval limit;
	struct linger linger;
	socklen_t len;
	int value, fresh;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		len = sizeof(value);
		if (NEXT(getsockopt)(from, options[i].level, options[i].option, &value, &len))
			continue;
		len = sizeof(fresh);
		if (!NEXT(getsockopt)(to, options[i].level, options[i].option, &fresh, &len) && value != fresh)
			setsockopt(to, options[i].level, options[i].option, &value, sizeof(value));
	}
	for (int i = 0; i < 2; i++) {
		len = sizeof(limit);
		if (!NEXT(getsockopt)(from, SOL_SOCKET, i ? SO_RCVTIMEO : SO_SNDTIMEO, &limit, &len) &&
			(limit.tv_sec || limit.tv_usec))
			setsockopt(to, SOL_SOCKET, i ? SO_RCVTIMEO : SO_SNDTIMEO, &limit, sizeof(limit));
	}
	len = sizeof(linger);
	if (!NEXT(getsockopt)(from, SOL_SOCKET, SO_LINGER, &linger, &len) && linger.l_onoff)
		setsockopt(to, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Listening ------------------------------------------------------------------------------------------------------------------- */

/* Offer a listening socket to the daemon: if it takes it, a channel has the socket's number. errno stays as it is. */
static void offer(int fd, int backlog)
{
	union address local;
	struct client *c;
	char why[ERROR_BYTES];
	/* Now: the daemon will make the socket non-blocking for itself. */
	int channel, status = NEXT(fcntl)(fd, F_GETFL), before = errno;

	if (is_tcp(fd, &local) && address_port(&local) && (c = reach()) != NULL) {
		channel = client_listen(c, &local,
			backlog < 1		   ? 1
			: backlog > HF_BACKLOG_MAX ? HF_BACKLOG_MAX
						   : backlog,
			fd, why);
		client_close(c);
		/* Refused: not for the board, the socket does what it always does. */
		if (channel >= 0) {
			copy_options(fd, channel); /* as far as it takes them: those of SOL_SOCKET, for revive() */
			take_number(channel, fd, status);
		}
	}
	errno = before;
}

EXPORT int listen(int fd, int backlog)
{
	union address local;

	if (is_channel(fd, &local))
		return 0; /* once more, with another backlog */
	if (NEXT(listen)(fd, backlog))
		return -1;
	offer(fd, backlog);
	return 0;
}

/* Numbers that were a channel and are the kernel's sockets until the next daemon takes them; 0: free place. */
static struct {
	_Atomic int fd;
	_Atomic int64_t next_ms; /* when it is asked again */
} revived[REVIVED_MAX];
static _Atomic bool any_revived;

static void remember(int fd)
{
	for (unsigned i = 0; i < REVIVED_MAX; i++) {
		int none = 0;

		if (revived[i].fd == fd || atomic_compare_exchange_strong(&revived[i].fd, &none, fd)) {
			revived[i].next_ms = clock_ms() + ASK_AGAIN_MS;
			any_revived = true;
			return;
		}
	}
}

/* Before an accept() on such a number. */
static void ask_again(int fd)
{
	union address local;

	for (unsigned i = 0; i < REVIVED_MAX; i++) {
		int64_t at = revived[i].next_ms, now = clock_ms();
		int listening = 0;
		socklen_t len = sizeof(listening);

		if (revived[i].fd != fd || now < at ||
			!atomic_compare_exchange_strong(&revived[i].next_ms, &at, now + ASK_AGAIN_MS))
			continue;
		/* Closed meanwhile, and the number is something else. */
		if (NEXT(getsockopt)(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) || !listening)
			revived[i].fd = 0;
		else
			offer(fd, SOMAXCONN);
		if (is_channel(fd, &local))
			revived[i].fd = 0;
		return;
	}
}

/* The daemon is gone, and the socket with it: a new one of the kernel's takes its place, if this process may. */
static bool revive(int fd, const union address *local)
{
	int s = socket(local->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), on = 1;

	if (s < 0)
		return false;
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)); /* other workers do the same */
	if (local->sa.sa_family == AF_INET6)
		setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	copy_options(fd, s);
	if (bind(s, &local->sa, address_size(local)) || NEXT(listen)(s, SOMAXCONN)) {
		close(s);
		return false;
	}
	if (take_number(s, fd, NEXT(fcntl)(fd, F_GETFL)))
		return false;
	remember(fd);
	return true;
}

/* A dual-stack socket has IPv4 peers as mapped IPv6 addresses. */
static union address map(const union address *from)
{
	union address mapped = { .in6 = { .sin6_family = AF_INET6 } };

	address_to_mapped(from, mapped.in6.sin6_addr.s6_addr);
	address_set_port(&mapped, address_port(from));
	return mapped;
}

static void give_address(const union address *from, struct sockaddr *to, socklen_t *len)
{
	socklen_t all = address_size(from);

	if (!to || !len)
		return;
	memcpy(to, from, *len < all ? *len : all);
	*len = all;
}

/* accept4() from a channel. */
static int take(int fd, const union address *listening, struct sockaddr *addr, socklen_t *len, int flags)
{
	for (;;) {
		union address local, remote;
		struct pollfd p = { fd, POLLIN, 0 };
		struct timeval limit;
		socklen_t size;
		int got = client_take(fd, &local, &remote), status;

		if (got >= 0) {
			if (!(flags & SOCK_CLOEXEC))
				NEXT(fcntl)(got, F_SETFD, 0);
			status = NEXT(fcntl)(got, F_GETFL);
			if (status >= 0)
				NEXT(fcntl)
			(got, F_SETFL, flags & SOCK_NONBLOCK ? status | O_NONBLOCK : status & ~O_NONBLOCK);
			if (address_is6(listening) && !address_is6(&remote))
				remote = map(&remote);
			give_address(&remote, addr, len);
			return got;
		}
		if (got == -EAGAIN) {
			status = NEXT(fcntl)(fd, F_GETFL);
			if (status >= 0 && status & O_NONBLOCK)
				return fail(EAGAIN);
			size = sizeof(limit);
			if (NEXT(getsockopt)(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &size))
				limit.tv_sec = limit.tv_usec = 0;
			status = poll(&p, 1,
				limit.tv_sec || limit.tv_usec
					? (int)(limit.tv_sec * 1000 + (limit.tv_usec + 999) / 1000)
					: -1);
			if (status < 0)
				return -1; /* EINTR, as accept(2) */
			if (!status)
				return fail(EAGAIN);
			continue;
		}
		if (got != -ENODEV && got != -EPROTO)
			return fail(-got);
		if (!revive(fd, listening))
			return fail(EINVAL);
		return NEXT(accept4)(fd, addr, len, flags);
	}
}

EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	union address local;

	if (any_revived)
		ask_again(fd);
	return is_channel(fd, &local) ? take(fd, &local, addr, len, flags) : NEXT(accept4)(fd, addr, len, flags);
}

EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	union address local;

	if (any_revived)
		ask_again(fd);
	return is_channel(fd, &local) ? take(fd, &local, addr, len, 0) : NEXT(accept)(fd, addr, len);
}

EXPORT int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	union address local;

	if (!is_channel(fd, &local))
		return NEXT(getsockname)(fd, addr, len);
	give_address(&local, addr, len);
	return 0;
}

EXPORT int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	union address local;

	return is_channel(fd, &local) ? fail(ENOTCONN) : NEXT(getpeername)(fd, addr, len);
}

EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	union address local;
	int before = errno;

	/* What copy_options() copies, and how long accept() waits, is the channel's as well. */
	if (!value || !ipc_option_ok(level, option, len) || !is_channel(fd, &local) ||
		(level == SOL_SOCKET && option != SO_RCVLOWAT && option != SO_RCVBUF && option != SO_SNDBUF &&
			NEXT(setsockopt)(fd, level, option, value, len)))
		return NEXT(setsockopt)(fd, level, option, value, len);
	/* Without a daemon there is nobody to inherit it, until accept() finds that out. */
	client_set_option(fd, level, option, value, len);
	errno = before;
	return 0;
}

EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	union address local;
	int answer;

	if (level != SOL_SOCKET || !value || !len || *len < sizeof(answer) ||
		(option != SO_ACCEPTCONN && option != SO_DOMAIN && option != SO_TYPE && option != SO_PROTOCOL) ||
		!is_channel(fd, &local))
		return NEXT(getsockopt)(fd, level, option, value, len);
	answer = option == SO_ACCEPTCONN ? 1
		 : option == SO_DOMAIN	 ? local.sa.sa_family
		 : option == SO_TYPE	 ? SOCK_STREAM
					 : IPPROTO_TCP;
	memcpy(value, &answer, sizeof(answer));
	*len = sizeof(answer);
	return 0;
}

/* Connecting ------------------------------------------------------------------------------------------------------------------ */

static bool is_loopback(const union address *a)
{
	return address_is6(a) ? IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr) : ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
}

/* Is this connect() one that the board may make? */
static bool may_open(int fd, const struct sockaddr *addr, socklen_t len, union address *local, union address *remote)
{
	int status = NEXT(fcntl)(fd, F_GETFL);

	return status >= 0 && !(status & O_NONBLOCK) && !address_read(addr, len, remote) && is_tcp(fd, local) &&
	       address_is_unicast(remote) && address_port(remote) && !is_loopback(remote) && !address_port(local) &&
	       local->sa.sa_family == remote->sa.sa_family;
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	union address local, remote;
	char why[ERROR_BYTES];
	struct timeval limit = { 0 };
	socklen_t size = sizeof(limit);
	struct client *c;
	int before = errno, made, timeout_ms = -1;

	if (!may_open(fd, addr, len, &local, &remote) || !(c = reach())) {
		errno = before;
		return NEXT(connect)(fd, addr, len);
	}
	if (!NEXT(getsockopt)(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size) && (limit.tv_sec || limit.tv_usec))
		timeout_ms = (int)(limit.tv_sec * 1000 + limit.tv_usec / 1000) + 1;
	made = client_connect(c, &local, &remote, timeout_ms, why);
	client_close(c);
	errno = before;
	if (made >= 0) {
		copy_options(fd, made);
		return take_number(made, fd, NEXT(fcntl)(fd, F_GETFL));
	}
	/* What the peer or the network answered is the answer; everything else is not the board's business. */
	if (made == -ECONNREFUSED || made == -EHOSTUNREACH || made == -ETIMEDOUT)
		return fail(timeout_ms > 0 && made == -ETIMEDOUT ? EINPROGRESS : -made);
	return NEXT(connect)(fd, addr, len);
}
