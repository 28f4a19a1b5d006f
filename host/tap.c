/* SPDX-License-Identifier: Apache-2.0
 * tap.c - create and configure a TAP netdev by ioctl. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int create(struct tap *tap)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	memcpy(ifr.ifr_name, tap->name, IFNAMSIZ);
	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0)
		return errno == EACCES ? -EPERM : -errno;
	if (ioctl(tap->fd, TUNSETIFF, &ifr)) {
		/* The kernel says EINVAL where the name belongs to a netdev of another kind. */
		int rc = errno == EINVAL && if_nametoindex(tap->name) ? -EEXIST : -errno;

		tap_close(tap);
		return rc;
	}
	return 0;
}

static int set_address(int sock, unsigned long request, struct ifreq *ifr, uint32_t address)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = address };

	memcpy(&ifr->ifr_addr, &sin, sizeof(sin));
	return ioctl(sock, request, ifr);
}

static int configure(struct tap *tap, int sock, const uint8_t *mac, struct in_addr address, unsigned prefix,
	unsigned mtu, const char **step)
{
	struct ifreq ifr = { 0 };

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
	*step = "set the address of the TAP netdev";
	if (set_address(sock, SIOCSIFADDR, &ifr, address.s_addr))
		return -errno;
	*step = "set the prefix of the TAP netdev";
	if (set_address(sock, SIOCSIFNETMASK, &ifr, prefix ? htonl(0xffffffffu << (32 - prefix)) : 0))
		return -errno;
	*step = "bring up the TAP netdev";
	if (ioctl(sock, SIOCGIFFLAGS, &ifr))
		return -errno;
	ifr.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(sock, SIOCSIFFLAGS, &ifr))
		return -errno;
	return 0;
}

int tap_open(struct tap *tap, const char *name, const uint8_t *mac, struct in_addr address, unsigned prefix,
	unsigned mtu, const char **step)
{
	int sock, rc;

	*step = "create the TAP netdev (needs /dev/net/tun and CAP_NET_ADMIN)";
	if (!*name || strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	memset(tap, 0, sizeof(*tap));
	memcpy(tap->name, name, strlen(name));
	rc = create(tap);
	if (rc)
		return rc;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	rc = sock < 0 ? -errno : configure(tap, sock, mac, address, prefix, mtu, step);
	if (sock >= 0)
		close(sock);
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

ssize_t tap_read(struct tap *tap, uint8_t *frame, size_t cap)
{
	ssize_t n = read(tap->fd, frame, cap);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int tap_write(struct tap *tap, const uint8_t *frame, size_t len)
{
	return write(tap->fd, frame, len) < 0 ? -errno : 0;
}
