/* SPDX-License-Identifier: Apache-2.0 */
#include "netlink.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_MS 1000 /* the kernel answers at once; never wait for ever */

int netlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

void netlink_add(struct netlink_message *m, unsigned short type, const void *data, unsigned short len)
{
	struct rtattr *a = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + RTA_LENGTH(len);
}

int netlink_ask(int fd, struct netlink_message *m)
{
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n;

	if (send(fd, m, m->head.nlmsg_len, 0) < 0)
		return -errno;
	if (poll(&p, 1, ANSWER_MS) != 1)
		return -ETIMEDOUT;
	n = recv(fd, m, sizeof(*m), 0);
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(&m->head, (size_t)n))
		return -EPROTO;
	return m->head.nlmsg_type == NLMSG_ERROR ? m->error.error : 0;
}

const void *netlink_attribute(const struct netlink_message *m, size_t fixed, unsigned short type, size_t len)
{
	const struct rtattr *a = (const struct rtattr *)((const char *)NLMSG_DATA(&m->head) + NLMSG_ALIGN(fixed));
	size_t left = m->head.nlmsg_len - NLMSG_SPACE(fixed);

	if (m->head.nlmsg_len < NLMSG_SPACE(fixed))
		return NULL;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if ((a->rta_type & NLA_TYPE_MASK) == type && RTA_PAYLOAD(a) >= len)
			return RTA_DATA(a);
	}
	return NULL;
}
