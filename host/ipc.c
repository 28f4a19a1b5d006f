/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "handfast.h"
#include "regs/regs.h"

#define TIMEOUT_MAX_MS	((1 << HF_CONNECT_MS_MS_BITS) - 1)
#define DESCRIPTORS_MAX 4 /* room for more than anybody should send, so that they are seen and closed */

void ipc_put_address(const union address *from, struct ipc_address *to)
{
	memset(to, 0, sizeof(*to));
	to->family = from->sa.sa_family;
	if (to->family == AF_UNSPEC)
		return;
	to->port = address_port(from);
	memcpy(to->octets, address_octets(from), address_octet_count(from));
	if (address_is6(from))
		to->scope = from->in6.sin6_scope_id;
}

int ipc_get_address(const struct ipc_address *from, union address *to)
{
	memset(to, 0, sizeof(*to));
	to->sa.sa_family = from->family;
	if (from->family == AF_INET) {
		memcpy(&to->in.sin_addr, from->octets, 4);
	} else if (from->family == AF_INET6) {
		memcpy(&to->in6.sin6_addr, from->octets, 16);
		to->in6.sin6_scope_id = from->scope;
	} else {
		return from->family == AF_UNSPEC ? 0 : -EAFNOSUPPORT;
	}
	address_set_port(to, from->port);
	return 0;
}

static int check_listen(const struct ipc_order *o)
{
	if (o->local.sa.sa_family == AF_UNSPEC || o->remote.sa.sa_family != AF_UNSPEC || !address_port(&o->local))
		return -EINVAL;
	return o->backlog < 1 || o->backlog > HF_BACKLOG_MAX ? -EINVAL : 0;
}

static int check_connect(const struct ipc_order *o)
{
	if (o->remote.sa.sa_family == AF_UNSPEC || !address_is_unicast(&o->remote) || !address_port(&o->remote))
		return -EINVAL;
	if (o->local.sa.sa_family != AF_UNSPEC && o->local.sa.sa_family != o->remote.sa.sa_family)
		return -EAFNOSUPPORT;
	return o->timeout_ms == 0 || o->timeout_ms > TIMEOUT_MAX_MS ? -EINVAL : 0;
}

int ipc_parse_request(const void *packet, size_t len, unsigned descriptors, struct ipc_order *o)
{
	struct ipc_request r;
	int rc;

	memset(o, 0, sizeof(*o));
	if (len < sizeof(r.magic) + sizeof(r.version))
		return -EBADMSG;
	memset(&r, 0, sizeof(r));
	memcpy(&r, packet, len < sizeof(r) ? len : sizeof(r));
	if (r.magic != IPC_MAGIC)
		return -EBADMSG;
	if (r.version != IPC_VERSION)
		return -EPROTONOSUPPORT;
	if (len != sizeof(r) || r.type < IPC_HELLO || r.type >= IPC_TYPES)
		return -EBADMSG;
	o->type = r.type;
	o->backlog = r.backlog;
	o->timeout_ms = r.timeout_ms;
	rc = ipc_get_address(&r.local, &o->local);
	if (!rc)
		rc = ipc_get_address(&r.remote, &o->remote);
	if (rc)
		return rc;
	if (descriptors > 1 || (o->type == IPC_CLOSE && descriptors != 1) ||
		(o->type != IPC_CLOSE && o->type != IPC_LISTEN && descriptors))
		return -EINVAL;
	return o->type == IPC_LISTEN ? check_listen(o) : o->type == IPC_CONNECT ? check_connect(o) : 0;
}

bool ipc_option_ok(int level, int option, size_t length)
{
	/* None for which handfastd has a privilege that its client may lack: SO_MARK, SO_PRIORITY, SO_RCVBUFFORCE ... */
	static const struct {
		int level, option;
		size_t length;
	} known[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, sizeof(int) },
		{ SOL_SOCKET, SO_OOBINLINE, sizeof(int) },
		{ SOL_SOCKET, SO_RCVLOWAT, sizeof(int) },
		{ SOL_SOCKET, SO_RCVBUF, sizeof(int) },
		{ SOL_SOCKET, SO_SNDBUF, sizeof(int) },
		{ SOL_SOCKET, SO_LINGER, sizeof(struct linger) },
		{ SOL_SOCKET, SO_RCVTIMEO, sizeof(struct timeval) },
		{ SOL_SOCKET, SO_SNDTIMEO, sizeof(struct timeval) },
		{ IPPROTO_TCP, TCP_NODELAY, sizeof(int) },
		{ IPPROTO_TCP, TCP_KEEPIDLE, sizeof(int) },
		{ IPPROTO_TCP, TCP_KEEPINTVL, sizeof(int) },
		{ IPPROTO_TCP, TCP_KEEPCNT, sizeof(int) },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, sizeof(int) },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, sizeof(int) },
		{ IPPROTO_TCP, TCP_LINGER2, sizeof(int) },
		{ IPPROTO_TCP, TCP_DEFER_ACCEPT, sizeof(int) },
		{ IPPROTO_IP, IP_TOS, sizeof(int) },
		{ IPPROTO_IP, IP_TTL, sizeof(int) },
		{ IPPROTO_IPV6, IPV6_TCLASS, sizeof(int) },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].level == level && known[i].option == option)
			return length == known[i].length;
	}
	return false;
}

int ipc_parse_option(const void *packet, size_t len, struct ipc_option *o)
{
	if (len != sizeof(*o))
		return -EBADMSG;
	memcpy(o, packet, sizeof(*o));
	return o->magic != IPC_MAGIC || o->version != IPC_VERSION || o->type != IPC_OPTION ||
			       o->length > sizeof(o->value) || !ipc_option_ok(o->level, o->option, o->length)
		       ? -EBADMSG
		       : 0;
}

int ipc_parse_answer(const void *packet, size_t len, struct ipc_answer *a)
{
	if (len != sizeof(*a))
		return -EBADMSG;
	memcpy(a, packet, sizeof(*a));
	return a->magic != IPC_MAGIC || a->version != IPC_VERSION || (a->type != IPC_TAKEN && a->type != IPC_AGAIN)
		       ? -EBADMSG
		       : 0;
}

int ipc_parse_reply(const void *packet, size_t len, enum ipc_type type, struct ipc_reply *r)
{
	const size_t fixed = offsetof(struct ipc_reply, stat);

	if (len < fixed || len > sizeof(*r))
		return -EPROTO;
	memcpy(r, packet, len);
	if (r->magic != IPC_MAGIC || r->version != IPC_VERSION || r->type != type || r->stats > IPC_STATS_MAX ||
		len != fixed + r->stats * sizeof(r->stat[0]))
		return -EPROTO;
	r->text[sizeof(r->text) - 1] = 0;
	return 0;
}

int ipc_parse_connection(const void *packet, size_t len, struct ipc_connection *c)
{
	if (len != sizeof(*c))
		return -EPROTO;
	memcpy(c, packet, sizeof(*c));
	return c->magic != IPC_MAGIC || c->version != IPC_VERSION || c->type != IPC_CONNECTION ? -EPROTO : 0;
}

/* Names ----------------------------------------------------------------------------------------------------------------- */

static const char name_begin[] = "handfast-listener/";

socklen_t ipc_channel_name(const union address *local, uint64_t tag, struct sockaddr_un *name)
{
	char host[ADDRESS_TEXT_BYTES];
	int n;

	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	n = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, "%s%u/%s/%llx", name_begin, address_port(local),
		address_host_text(local, host), (unsigned long long)tag);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

bool ipc_read_channel_name(const struct sockaddr_un *name, socklen_t len, union address *local)
{
	char text[sizeof(name->sun_path)], *host, *end;
	size_t n = len > offsetof(struct sockaddr_un, sun_path) ? len - offsetof(struct sockaddr_un, sun_path) : 0;
	unsigned long port;

	if (n < sizeof(name_begin) || n > sizeof(text) || name->sun_path[0] ||
		memcmp(name->sun_path + 1, name_begin, sizeof(name_begin) - 1))
		return false;
	memcpy(text, name->sun_path + 1, n - 1);
	text[n - 1] = 0;
	port = strtoul(text + sizeof(name_begin) - 1, &host, 10);
	if (port < 1 || port > 65535 || *host++ != '/' || !(end = strchr(host, '/')))
		return false;
	*end = 0;
	if (address_parse(host, local, NULL))
		return false;
	address_set_port(local, (uint16_t)port);
	return true;
}

/* Packets --------------------------------------------------------------------------------------------------------------- */

union descriptor {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

/* A message of one part; fd -1: without a descriptor. */
static void make_message(
	struct msghdr *m, struct iovec *part, union descriptor *control, const void *packet, size_t len, int fd)
{
	*part = (struct iovec){ (void *)(uintptr_t)packet, len };
	*m = (struct msghdr){ .msg_iov = part, .msg_iovlen = 1 };
	if (fd < 0)
		return;
	memset(control, 0, sizeof(*control));
	m->msg_control = control;
	m->msg_controllen = sizeof(*control);
	*CMSG_FIRSTHDR(m) = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS
	};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(m)), &fd, sizeof(fd));
}

static int send_error(void)
{
	/* ETOOMANYREFS: more descriptors are under way than we may have open; they will arrive. */
	return errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS ? -EAGAIN
	       : errno == ECONNRESET					    ? -EPIPE
									    : -errno;
}

int ipc_send(int sock, const void *packet, size_t len, int fd)
{
	union descriptor control;
	struct iovec part;
	struct msghdr m;

	make_message(&m, &part, &control, packet, len, fd);
	while (sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return send_error();
	}
	return 0;
}

int ipc_send_connections(int sock, const struct ipc_connection *connection, const int *fd, unsigned count)
{
	union descriptor control[IPC_WINDOW];
	struct mmsghdr m[IPC_WINDOW] = { 0 };
	struct iovec part[IPC_WINDOW];
	int n;

	count = count < IPC_WINDOW ? count : IPC_WINDOW;
	for (unsigned i = 0; i < count; i++)
		make_message(&m[i].msg_hdr, &part[i], &control[i], &connection[i], sizeof(connection[i]), fd[i]);
	do
		n = sendmmsg(sock, m, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? send_error() : n;
}

/* Keep the first descriptor, close the others. Returns how many came. */
static unsigned take_descriptors(struct msghdr *m, int *fd)
{
	unsigned came = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
			int one;

			memcpy(&one, CMSG_DATA(c) + at, sizeof(one));
			if (came++)
				close(one);
			else
				*fd = one;
		}
	}
	return came;
}

int ipc_receive(int sock, void *packet, size_t cap, int *fd, bool *lost)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	} control;
	struct iovec part = { packet, cap };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	*fd = -1;
	*lost = false;
	do {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		n = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (take_descriptors(&m, fd) > 1) {
		/* Nobody of ours sends two. */
		close(*fd);
		*fd = -1;
		return -EBADMSG;
	}
	*lost = *fd < 0 && m.msg_flags & MSG_CTRUNC;
	if (m.msg_flags & MSG_TRUNC) {
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		return -EBADMSG;
	}
	return (int)n;
}
