/* SPDX-License-Identifier: Apache-2.0
 * netlink.h - one question and one answer of rtnetlink.
 * Threads: any, each with its own socket. Blocks: netlink_ask(), a second at most. Fork, Errors: library.h. */
#ifndef HANDFAST_NETLINK_H
#define HANDFAST_NETLINK_H

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stddef.h>

/* A request, or an answer. */
struct netlink_message {
	struct nlmsghdr head;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
		struct ifaddrmsg address;
		struct ifinfomsg link;
		struct nlmsgerr error;
		char room[8192];
	};
};

/* netlink_open - in the namespace of the calling thread. Returns an fd or -errno of socket(2). */
int netlink_open(void);
/* Append an attribute to a request; there is room for any of ours. */
void netlink_add(struct netlink_message *m, unsigned short type, const void *data, unsigned short len);
/* netlink_ask - send *m, receive the answer into it. Returns 0, the error the kernel answered, -ETIMEDOUT, -EPROTO or -errno. */
int netlink_ask(int fd, struct netlink_message *m);
/* An attribute of an answer whose own part is `fixed` octets long, of at least `len` octets; NULL if it is not there. */
const void *netlink_attribute(const struct netlink_message *m, size_t fixed, unsigned short type, size_t len);

#endif
