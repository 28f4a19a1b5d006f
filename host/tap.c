/* SPDX-License-Identifier: Apache-2.0
 * tap.c - create a TAP netdev by ioctl, its addresses by rtnetlink. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if_arp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "netlink.h"

#define TENTATIVE_TRIES 1000 /* of a millisecond */
#define HELD_TRIES	1000 /* of a millisecond */
#define TAP_FLAGS	(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

static int attach(struct tap *tap, int flags)
{
	struct ifreq ifr = { .ifr_flags = (short)flags };

	memcpy(ifr.ifr_name, tap->name, IFNAMSIZ);
	return ioctl(tap->fd, TUNSETIFF, &ifr) ? -errno : 0;
}

static int create(struct tap *tap, bool persistent)
{
	int rc;

	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0)
		return errno == EACCES ? -EPERM : -errno;
	/* EBUSY: a process that was killed has perhaps left a child that has not come to its exec yet, and holds what we want until then. */
	for (unsigned try = 0; (rc = attach(tap, TAP_FLAGS)) == -EBUSY && try < HELD_TRIES; try++)
		poll(NULL, 0, 1);
	/* EINVAL: the name belongs to another kind of netdev. One that somebody made for several queues, and left, gets ours as its only one. */
	if (rc == -EINVAL && if_nametoindex(tap->name)) {
		rc = attach(tap, TAP_FLAGS | IFF_MULTI_QUEUE);
		if (rc == -EINVAL)
			rc = -EEXIST;
	}
	if (!rc && ioctl(tap->fd, TUNSETPERSIST, persistent ? 1UL : 0UL))
		rc = -errno;
	if (rc)
		tap_close(tap);
	return rc;
}

/* A descriptor that somebody kept for us: is it the TAP that is meant? */
static int adopt(struct tap *tap, int fd)
{
	struct ifreq ifr = { 0 };

	if (ioctl(fd, TUNGETIFF, &ifr))
		return -errno;
	if (strncmp(ifr.ifr_name, tap->name, IFNAMSIZ) || (ifr.ifr_flags & TAP_FLAGS) != TAP_FLAGS)
		return -EINVAL;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	tap->fd = fd;
	return 0;
}

/* Addresses ------------------------------------------------------------------------------------------------------------- */

static int add_address(int netlink, int ifindex, const struct tap_address *a)
{
	struct netlink_message m = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m.address)),
					     .nlmsg_type = RTM_NEWADDR,
					     .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.address = { .ifa_family = (uint8_t)a->address.sa.sa_family,
			.ifa_prefixlen = (uint8_t)a->prefix,
			.ifa_flags = address_is6(&a->address) ? IFA_F_NODAD : 0,
			.ifa_scope = RT_SCOPE_UNIVERSE,
			.ifa_index = (unsigned)ifindex } };
	unsigned short octets = (unsigned short)address_octet_count(&a->address);

	netlink_add(&m, IFA_LOCAL, address_octets(&a->address), octets);
	netlink_add(&m, IFA_ADDRESS, address_octets(&a->address), octets);
	if (!address_is6(&a->address) && a->prefix < 31) {
		uint32_t broadcast = a->address.in.sin_addr.s_addr | htonl(0xffffffffu >> a->prefix);

		netlink_add(&m, IFA_BROADCAST, &broadcast, sizeof(broadcast));
	}
	return netlink_ask(netlink, &m);
}

/* Whether this IPv6 address can be used: the kernel calls each one tentative until a worker has looked at it, and only then
 * makes the route by which packets to it are ours. */
static bool usable6(int netlink, const struct in6_addr *addr)
{
	struct netlink_message m = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(m.route)),
					     .nlmsg_type = RTM_GETROUTE,
					     .nlmsg_flags = NLM_F_REQUEST },
		.route = { .rtm_family = AF_INET6, .rtm_dst_len = 128 } };

	netlink_add(&m, RTA_DST, addr, sizeof(*addr));
	return !netlink_ask(netlink, &m) && m.route.rtm_type == RTN_LOCAL;
}

static int add_addresses(struct tap *tap, const struct tap_addresses *addresses)
{
	int netlink = netlink_open(), rc = netlink < 0 ? netlink : 0;

	for (unsigned i = 0; i < addresses->count && !rc; i++)
		rc = add_address(netlink, tap->ifindex, &addresses->of[i]);
	for (unsigned i = 0; i < addresses->count && !rc; i++) {
		const union address *a = &addresses->of[i].address;

		for (unsigned try = 0; address_is6(a) && !rc && !usable6(netlink, &a->in6.sin6_addr); try++) {
			if (try == TENTATIVE_TRIES)
				rc = -ETIMEDOUT;
			poll(NULL, 0, 1);
		}
	}
	if (netlink >= 0)
		close(netlink);
	return rc;
}

static int set_up(struct tap *tap, int sock, struct ifreq *ifr)
{
	if (ioctl(sock, SIOCGIFFLAGS, ifr))
		return -errno;
	ifr->ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(sock, SIOCSIFFLAGS, ifr))
		return -errno;
	tap->ifindex = (int)if_nametoindex(tap->name);
	return tap->ifindex ? 0 : -ENODEV;
}

static int configure(struct tap *tap, int sock, const uint8_t *mac, const struct tap_addresses *addresses, unsigned mtu,
	const char **step)
{
	struct ifreq ifr = { 0 };
	int rc;

	memcpy(ifr.ifr_name, tap->name, IFNAMSIZ);
	*step = "set the MAC address of the TAP netdev";
	if (mac) {
		ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
		memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
		if (ioctl(sock, SIOCSIFHWADDR, &ifr))
			return -errno;
	}
	if (ioctl(sock, SIOCGIFHWADDR, &ifr))
		return -errno;
	memcpy(tap->mac, ifr.ifr_hwaddr.sa_data, 6);
	*step = "set the MTU of the TAP netdev";
	ifr.ifr_mtu = (int)mtu;
	if (ioctl(sock, SIOCSIFMTU, &ifr))
		return -errno;
	*step = "switch on checksum and segmentation offload";
	if (ioctl(tap->fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN))
		return -errno;
	*step = "bring up the TAP netdev";
	rc = set_up(tap, sock, &ifr);
	if (rc)
		return rc;
	*step = "add the addresses of the TAP netdev";
	return add_addresses(tap, addresses);
}

int tap_open(struct tap *tap, int fd, const char *name, const uint8_t *mac, const struct tap_addresses *addresses,
	unsigned mtu, bool persistent, const char **step)
{
	int sock, rc;

	*step = "create the TAP netdev (needs /dev/net/tun and CAP_NET_ADMIN)";
	if (!*name || strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	memset(tap, 0, sizeof(*tap));
	memcpy(tap->name, name, strlen(name));
	tap->fd = -1;
	rc = fd >= 0 ? adopt(tap, fd) : create(tap, persistent);
	if (rc)
		return rc;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	rc = sock < 0 ? -errno : configure(tap, sock, mac, addresses, mtu, step);
	if (sock >= 0)
		close(sock);
	if (rc && fd >= 0)
		tap->fd = -1; /* still the caller's */
	if (rc)
		tap_close(tap);
	return rc;
}

void tap_close(struct tap *tap)
{
	if (tap->fd >= 0)
		close(tap->fd);
	tap->fd = -1;
}

/* Frames ---------------------------------------------------------------------------------------------------------------- */

ssize_t tap_read(struct tap *tap, uint8_t *frame, size_t cap, struct tap_offload *left)
{
	struct virtio_net_hdr h = { 0 };
	struct iovec parts[] = { { &h, sizeof(h) }, { frame, cap } };
	ssize_t n = readv(tap->fd, parts, 2);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n <= (ssize_t)sizeof(h))
		return 0;
	*left = (struct tap_offload){
		.checksum = h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.start = h.csum_start,
		.offset = h.csum_offset,
		.segment = (h.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4 ||
			   (h.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV6,
		.size = h.gso_size,
	};
	return n - (ssize_t)sizeof(h);
}

int tap_write(struct tap *tap, const uint8_t *frame, size_t len, bool verified)
{
	struct virtio_net_hdr h = { .flags = verified ? VIRTIO_NET_HDR_F_DATA_VALID : 0 };
	struct iovec parts[] = { { &h, sizeof(h) }, { (void *)frame, len } };

	return writev(tap->fd, parts, 2) < 0 ? -errno : 0;
}

int tap_write_merged(struct tap *tap, struct merge *m)
{
	struct virtio_net_hdr h = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = (uint16_t)m->tcp.l4,
		.csum_offset = offsetof(struct tcphdr, check) };
	struct iovec parts[2 + MERGE_PARTS];

	if (m->parts > 1) {
		h.gso_type = address_is6(&m->tcp.source) ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = (uint16_t)m->size;
		h.hdr_len = (uint16_t)m->tcp.payload;
	}
	merge_finish(m);
	parts[0] = (struct iovec){ &h, sizeof(h) };
	memcpy(parts + 1, m->part, (1 + m->parts) * sizeof(parts[0]));
	return writev(tap->fd, parts, 2 + (int)m->parts) < 0 ? -errno : 0;
}
