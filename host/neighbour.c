/* SPDX-License-Identifier: Apache-2.0
 * neighbour.c - four questions of rtnetlink: which way, over which VLAN, which MAC, and please find it out. */
#include "neighbour.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "driver/clock.h"
#include "netlink.h"

#define LOOK_AGAIN_MS 5
#define USABLE	      (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

int neighbour_open(const char *netdev, int *ifindex)
{
	int fd = netlink_open();

	if (fd < 0)
		return fd;
	*ifindex = (int)if_nametoindex(netdev);
	if (*ifindex)
		return fd;
	close(fd);
	return -ENODEV;
}

/* An attribute inside another one. */
static const void *nested(const void *attribute, unsigned short type, size_t len)
{
	const struct rtattr *outer = (const struct rtattr *)((const char *)attribute - RTA_LENGTH(0));
	size_t left = RTA_PAYLOAD(outer);

	for (const struct rtattr *a = attribute; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if ((a->rta_type & NLA_TYPE_MASK) == type && RTA_PAYLOAD(a) >= len)
			return RTA_DATA(a);
	}
	return NULL;
}

/* If the netdev is a VLAN: its parent, and its tag before those already in *v. Returns 0 when it is none. */
static int below(int fd, int index, struct vlan *v)
{
	struct netlink_message m = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m.link)),
					     .nlmsg_type = RTM_GETLINK,
					     .nlmsg_flags = NLM_F_REQUEST },
		.link = { .ifi_index = index } };
	const void *info, *kind, *data, *id, *protocol, *link;
	uint16_t tci, tpid = htons(ETH_P_8021Q);
	int parent;

	if (netlink_ask(fd, &m))
		return 0;
	info = netlink_attribute(&m, sizeof(m.link), IFLA_LINKINFO, 1);
	link = netlink_attribute(&m, sizeof(m.link), IFLA_LINK, sizeof(parent));
	kind = info ? nested(info, IFLA_INFO_KIND, sizeof("vlan")) : NULL;
	data = info ? nested(info, IFLA_INFO_DATA, 1) : NULL;
	id = data ? nested(data, IFLA_VLAN_ID, sizeof(tci)) : NULL;
	if (!kind || memcmp(kind, "vlan", sizeof("vlan")) || !id || !link || v->tags == FRAME_TAGS_MAX)
		return 0;
	memcpy(&parent, link, sizeof(parent));
	memcpy(&tci, id, sizeof(tci));
	protocol = nested(data, IFLA_VLAN_PROTOCOL, sizeof(tpid));
	if (protocol)
		memcpy(&tpid, protocol, sizeof(tpid));
	if (v->tags++)
		v->inner = v->outer;
	v->outer = tci;
	v->service_outer = ntohs(tpid) == ETH_P_8021AD;
	return parent;
}

static int find_next_hop(int fd, int ifindex, const union address *peer, union address *hop, int *out, struct vlan *v)
{
	unsigned short octets = (unsigned short)address_octet_count(peer);
	struct netlink_message m = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m.route)),
					     .nlmsg_type = RTM_GETROUTE,
					     .nlmsg_flags = NLM_F_REQUEST },
		.route = { .rtm_family = (uint8_t)peer->sa.sa_family, .rtm_dst_len = (uint8_t)(8 * octets) } };
	const void *gateway, *oif;
	int index = 0, rc;

	netlink_add(&m, RTA_DST, address_octets(peer), octets);
	/* A link-local peer is reached over the netdev it was named with. */
	if (address_is6(peer) && IN6_IS_ADDR_LINKLOCAL(&peer->in6.sin6_addr))
		netlink_add(&m, RTA_OIF, peer->in6.sin6_scope_id ? (const void *)&peer->in6.sin6_scope_id : &ifindex,
			sizeof(ifindex));
	rc = netlink_ask(fd, &m);
	if (rc)
		return rc == -EHOSTUNREACH || rc == -EACCES || rc == -EINVAL ? -ENETUNREACH : rc;
	oif = netlink_attribute(&m, sizeof(m.route), RTA_OIF, sizeof(index));
	if (oif)
		memcpy(&index, oif, sizeof(index));
	if (!index || m.route.rtm_type != RTN_UNICAST)
		return -ENETUNREACH;
	*out = index;
	*hop = *peer;
	gateway = netlink_attribute(&m, sizeof(m.route), RTA_GATEWAY, octets);
	if (gateway)
		memcpy((void *)(uintptr_t)address_octets(hop), gateway, octets);
	*v = (struct vlan){ 0 };
	while (index && index != ifindex)
		index = below(fd, index, v);
	return index ? 0 : -ENETUNREACH;
}

/* Returns the state of the table's entry and its MAC address if it has one; NUD_NONE when there is none. */
static int look(int fd, int ifindex, const union address *hop, uint8_t mac[6])
{
	struct netlink_message m = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m.neighbour)),
					     .nlmsg_type = RTM_GETNEIGH,
					     .nlmsg_flags = NLM_F_REQUEST },
		.neighbour = { .ndm_family = (uint8_t)hop->sa.sa_family, .ndm_ifindex = ifindex } };
	const void *address;
	int rc;

	netlink_add(&m, NDA_DST, address_octets(hop), (unsigned short)address_octet_count(hop));
	rc = netlink_ask(fd, &m);
	if (rc)
		return rc == -ENOENT ? NUD_NONE : rc;
	address = netlink_attribute(&m, sizeof(m.neighbour), NDA_LLADDR, 6);
	if (!address)
		return m.neighbour.ndm_state & ~USABLE;
	memcpy(mac, address, 6);
	return m.neighbour.ndm_state;
}

/* Have the kernel ask ARP or NDP, as if there were a packet to send. */
static int use(int fd, int ifindex, const union address *hop)
{
	struct netlink_message m = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m.neighbour)),
					     .nlmsg_type = RTM_NEWNEIGH,
					     .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.neighbour = {
			.ndm_family = (uint8_t)hop->sa.sa_family, .ndm_ifindex = ifindex, .ndm_flags = NTF_USE } };

	netlink_add(&m, NDA_DST, address_octets(hop), (unsigned short)address_octet_count(hop));
	return netlink_ask(fd, &m);
}

int neighbour_find(
	int fd, int ifindex, const union address *peer, int64_t deadline_ms, uint8_t mac[6], struct vlan *vlan)
{
	union address hop;
	bool asked = false;
	int out, rc = find_next_hop(fd, ifindex, peer, &hop, &out, vlan);

	if (rc)
		return rc;
	for (;;) {
		int state = look(fd, out, &hop, mac);

		if (state < 0)
			return state;
		if (state & USABLE)
			return 0;
		if (asked && state & NUD_FAILED)
			return -EHOSTUNREACH;
		if (!asked || state == NUD_NONE) {
			rc = use(fd, out, &hop);
			if (rc)
				return rc;
			asked = true;
		}
		if (clock_ms() >= deadline_ms)
			return -ETIMEDOUT;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
}
