/* SPDX-License-Identifier: Apache-2.0
 * neighbour.c - three questions of rtnetlink: which way, which MAC, and please find it out. */
#include "neighbour.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver/clock.h"

#define LOOK_AGAIN_MS 5
#define ANSWER_MS     1000 /* the kernel answers at once; never wait for ever */
#define USABLE	      (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

/* A request, or an answer. */
struct message {
	struct nlmsghdr head;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
		struct nlmsgerr error;
		char room[4096];
	};
};

int neighbour_open(const char *netdev, int *ifindex)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	*ifindex = (int)if_nametoindex(netdev);
	if (*ifindex)
		return fd;
	close(fd);
	return -ENODEV;
}

static void add(struct message *m, unsigned short type, const void *data, unsigned short len)
{
	struct rtattr *a = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + RTA_LENGTH(len);
}

/* Send *m, receive the answer into it. Returns 0, or the error the kernel answered. */
static int ask(int fd, struct message *m)
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

/* An attribute of an answer whose own part is `fixed` octets long, of at least `len` octets; NULL if it is not there. */
static const void *attribute(const struct message *m, size_t fixed, unsigned short type, size_t len)
{
	const struct rtattr *a = (const struct rtattr *)((const char *)NLMSG_DATA(&m->head) + NLMSG_ALIGN(fixed));
	size_t left = m->head.nlmsg_len - NLMSG_SPACE(fixed);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == type && RTA_PAYLOAD(a) >= len)
			return RTA_DATA(a);
	}
	return NULL;
}

static int find_next_hop(int fd, int ifindex, struct in_addr peer, struct in_addr *hop)
{
	struct message m = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m.route)),
				     .nlmsg_type = RTM_GETROUTE,
				     .nlmsg_flags = NLM_F_REQUEST },
		.route = { .rtm_family = AF_INET, .rtm_dst_len = 32 } };
	const void *gateway, *oif;
	int index = 0, rc;

	add(&m, RTA_DST, &peer, sizeof(peer));
	rc = ask(fd, &m);
	if (rc)
		return rc == -EHOSTUNREACH || rc == -EACCES || rc == -EINVAL ? -ENETUNREACH : rc;
	oif = attribute(&m, sizeof(m.route), RTA_OIF, sizeof(index));
	if (oif)
		memcpy(&index, oif, sizeof(index));
	if (index != ifindex || m.route.rtm_type != RTN_UNICAST)
		return -ENETUNREACH;
	gateway = attribute(&m, sizeof(m.route), RTA_GATEWAY, sizeof(*hop));
	memcpy(hop, gateway ? gateway : &peer, sizeof(*hop));
	return 0;
}

/* Returns the state of the table's entry and its MAC address if it has one; NUD_NONE when there is none. */
static int look(int fd, int ifindex, struct in_addr hop, uint8_t mac[6])
{
	struct message m = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m.neighbour)),
				     .nlmsg_type = RTM_GETNEIGH,
				     .nlmsg_flags = NLM_F_REQUEST },
		.neighbour = { .ndm_family = AF_INET, .ndm_ifindex = ifindex } };
	const void *address;
	int rc;

	add(&m, NDA_DST, &hop, sizeof(hop));
	rc = ask(fd, &m);
	if (rc)
		return rc == -ENOENT ? NUD_NONE : rc;
	address = attribute(&m, sizeof(m.neighbour), NDA_LLADDR, 6);
	if (!address)
		return m.neighbour.ndm_state & ~USABLE;
	memcpy(mac, address, 6);
	return m.neighbour.ndm_state;
}

/* Have the kernel ask ARP, as if there were a packet to send. */
static int use(int fd, int ifindex, struct in_addr hop)
{
	struct message m = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m.neighbour)),
				     .nlmsg_type = RTM_NEWNEIGH,
				     .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.neighbour = { .ndm_family = AF_INET, .ndm_ifindex = ifindex, .ndm_flags = NTF_USE } };

	add(&m, NDA_DST, &hop, sizeof(hop));
	return ask(fd, &m);
}

int neighbour_find(int fd, int ifindex, struct in_addr peer, int64_t deadline_ms, uint8_t mac[6])
{
	struct in_addr hop;
	bool asked = false;
	int rc = find_next_hop(fd, ifindex, peer, &hop);

	if (rc)
		return rc;
	for (;;) {
		int state = look(fd, ifindex, hop, mac);

		if (state < 0)
			return state;
		if (state & USABLE)
			return 0;
		if (asked && state & NUD_FAILED)
			return -EHOSTUNREACH;
		if (!asked || state == NUD_NONE) {
			rc = use(fd, ifindex, hop);
			if (rc)
				return rc;
			asked = true;
		}
		if (clock_ms() >= deadline_ms)
			return -ETIMEDOUT;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
}
