/* SPDX-License-Identifier: Apache-2.0
 * listening.c - a dump of NETLINK_SOCK_DIAG, by hand: one message kind. */
#include "listening.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_TIMEOUT_MS 100

/* Of a nested attribute: does the ULP's name say mptcp? A listening MPTCP socket stands in the kernel's tables as its first subflow. */
static bool is_mptcp(const struct rtattr *ulp)
{
	const struct rtattr *a = RTA_DATA(ulp);

	for (int left = (int)RTA_PAYLOAD(ulp); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == INET_ULP_INFO_NAME && RTA_PAYLOAD(a) >= 6 && !memcmp(RTA_DATA(a), "mptcp", 6))
			return true;
	}
	return false;
}

static void read_one(
	const struct nlmsghdr *h, uint16_t port, void (*each)(void *ctx, const struct listening *l), void *ctx)
{
	const struct inet_diag_msg *diag = NLMSG_DATA(h);
	const struct rtattr *a = (const void *)(diag + 1);
	struct listening l = { 0 };

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*diag)) || (port && ntohs(diag->id.idiag_sport) != port))
		return;
	if (diag->idiag_family == AF_INET) {
		l.local.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = diag->id.idiag_sport };
		memcpy(&l.local.in.sin_addr, diag->id.idiag_src, 4);
	} else {
		l.local.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = diag->id.idiag_sport };
		memcpy(&l.local.in6.sin6_addr, diag->id.idiag_src, 16);
	}
	l.cookie = diag->id.idiag_cookie[0] | (uint64_t)diag->id.idiag_cookie[1] << 32;
	for (int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*diag))); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		switch (a->rta_type & NLA_TYPE_MASK) {
		case INET_DIAG_SKMEMINFO:
			if (RTA_PAYLOAD(a) >= (SK_MEMINFO_RCVBUF + 1) * sizeof(uint32_t))
				memcpy(&l.rcvbuf, (const uint8_t *)RTA_DATA(a) + SK_MEMINFO_RCVBUF * sizeof(uint32_t),
					sizeof(l.rcvbuf));
			break;
		case INET_DIAG_SKV6ONLY:
			l.v6only = RTA_PAYLOAD(a) >= 1 && *(const uint8_t *)RTA_DATA(a);
			break;
		case INET_DIAG_ULP_INFO:
			l.mptcp = is_mptcp(a);
			break;
		}
	}
	each(ctx, &l);
}

/* Read to the end of a dump. */
static int read_dump(int fd, uint16_t port, void (*each)(void *ctx, const struct listening *l), void *ctx)
{
	union {
		struct nlmsghdr align;
		char bytes[32768]; /* what the kernel fills at most */
	} buffer;

	for (;;) {
		ssize_t n = recv(fd, &buffer, sizeof(buffer), 0);
		struct nlmsghdr *h = &buffer.align;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (unsigned left = (unsigned)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			read_one(h, port, each, ctx);
		}
	}
}

int listening_each(uint16_t port, void (*each)(void *ctx, const struct listening *l), void *ctx)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	const struct timeval timeout = { 0, ANSWER_TIMEOUT_MS * 1000 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), rc = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	for (unsigned i = 0; i < sizeof(families) && !rc; i++) {
		struct {
			struct nlmsghdr h;
			struct inet_diag_req_v2 req;
		} ask = {
			.h = { sizeof(ask), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
			.req = {
				.sdiag_family = families[i],
				.sdiag_protocol = IPPROTO_TCP,
				/* INFO only because the ULP comes with it. */
				.idiag_ext = 1u << (INET_DIAG_SKMEMINFO - 1) | 1u << (INET_DIAG_INFO - 1),
				.idiag_states = 1u << TCP_LISTEN,
			},
		};

		if (send(fd, &ask, sizeof(ask), 0) != sizeof(ask))
			rc = -errno;
		else
			rc = read_dump(fd, port, each, ctx);
	}
	close(fd);
	return rc;
}

bool listening_takes(const struct listening *l, const union address *local)
{
	if (address_port(&l->local) != address_port(local))
		return false;
	if (address_is6(&l->local) == address_is6(local))
		return address_is_any(&l->local) || address_same_host(&l->local, local);
	return address_is6(&l->local) && address_is_any(&l->local) && !l->v6only;
}
