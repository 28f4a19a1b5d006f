/* SPDX-License-Identifier: Apache-2.0
 * watch.c - NETLINK_SOCK_DIAG, by hand: two message kinds do not need a library. */
#include "watch.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define WATCH_BUFFER_BYTES (1 << 20) /* some thousand notifications */
#define NOTIFICATION_BYTES 1024	     /* one socket's */
#define BATCH		   32	     /* notifications by one system call */
#define ANSWER_TIMEOUT_MS  100

int watch_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1u << (SKNLGRP_INET_TCP_DESTROY - 1) };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int size = WATCH_BUFFER_BYTES, rc;

	if (fd < 0)
		return -errno;
	/* Best effort: without CAP_NET_ADMIN in the initial namespace rmem_max caps it. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int watch_read(int fd, void (*destroyed)(void *ctx, uint64_t cookie, bool connected), void *ctx)
{
	union {
		struct nlmsghdr align;
		char bytes[NOTIFICATION_BYTES];
	} buffer[BATCH];
	struct mmsghdr head[BATCH];
	struct iovec part[BATCH];
	int n;

	memset(head, 0, sizeof(head));
	for (unsigned i = 0; i < BATCH; i++) {
		part[i] = (struct iovec){ &buffer[i], sizeof(buffer[i]) };
		head[i].msg_hdr.msg_iov = &part[i];
		head[i].msg_hdr.msg_iovlen = 1;
	}
	do {
		n = recvmmsg(fd, head, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0 && errno != EINTR)
			return errno == ENOBUFS ? -ENOBUFS : 0;
		for (int i = 0; i < n; i++) {
			struct nlmsghdr *h = &buffer[i].align;

			for (unsigned left = head[i].msg_len; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
				const struct inet_diag_msg *diag = NLMSG_DATA(h);

				if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*diag)))
					continue;
				destroyed(ctx, diag->id.idiag_cookie[0] | (uint64_t)diag->id.idiag_cookie[1] << 32,
					diag->id.idiag_dport != 0);
			}
		}
		/* Fewer than there was room for: there are no more. */
	} while (n < 0 || n == BATCH);
	return 0;
}

int watch_destroy(const union address *local, const union address *remote)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 req;
	} ask = {
		.h = { sizeof(ask), SOCK_DESTROY, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		.req = {
			.sdiag_family = (uint8_t)local->sa.sa_family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = ~0u,
			.id = {
				.idiag_sport = htons(address_port(local)),
				.idiag_dport = htons(address_port(remote)),
				.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
			},
		},
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr error;
		char more[256]; /* the kernel appends the request */
	} answer;
	struct timeval limit = { 0, ANSWER_TIMEOUT_MS * 1000 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), rc;
	ssize_t n;

	if (fd < 0)
		return -errno;
	memcpy(ask.req.id.idiag_src, address_octets(local), address_octet_count(local));
	memcpy(ask.req.id.idiag_dst, address_octets(remote), address_octet_count(remote));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) || send(fd, &ask, sizeof(ask), 0) < 0) {
		rc = -errno;
	} else {
		n = recv(fd, &answer, sizeof(answer), 0);
		if (n < 0)
			rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
		else
			rc = (size_t)n < NLMSG_LENGTH(sizeof(answer.error)) || answer.h.nlmsg_type != NLMSG_ERROR
				     ? -EBADMSG
				     : answer.error.error;
	}
	close(fd);
	return rc;
}
