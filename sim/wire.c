/* SPDX-License-Identifier: Apache-2.0
 * wire.c - the backends of the wire: tap, packet, unix. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "options.h"
#include "packet.h"
#include "unix_socket.h"
#include "wire.h"

enum { LONGEST_ORDINARY_FRAME = 1522 };

/* Bring the interface up. A netdev that its owner lends us may not let us; then the owner does it. */
static void set_up(const char *name)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	memcpy(ifr.ifr_name, name, strlen(name));
	if (!ioctl(fd, SIOCGIFFLAGS, &ifr)) {
		ifr.ifr_flags |= IFF_UP;
		(void)ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
}

static int open_tap(struct wire *w, char *error, size_t size)
{
	struct ifreq ifr = { 0 };
	int reason;

	w->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (w->fd < 0)
		return error_text(
			-errno, error, size, "tap:%s: cannot open /dev/net/tun: %s", w->name, strerror(errno));
	memcpy(ifr.ifr_name, w->name, strlen(w->name));
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	if (ioctl(w->fd, TUNSETIFF, &ifr)) {
		reason = errno;
		close(w->fd);
		return error_text(-reason, error, size, "tap:%s: %s", w->name,
			reason == EPERM	  ? "making a TAP netdev needs root or CAP_NET_ADMIN"
			: reason == EBUSY ? "in use by a running process"
					  : strerror(reason));
	}
	set_up(w->name);
	return 0;
}

static int open_packet(struct wire *w, char *error, size_t size)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct packet_mreq promiscuous = { .mr_type = PACKET_MR_PROMISC };
	struct ifreq ifr = { 0 };
	int one = 1, reason;

	addr.sll_ifindex = (int)if_nametoindex(w->name);
	if (!addr.sll_ifindex)
		return error_text(-ENODEV, error, size, "packet:%s: no such interface", w->name);
	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return error_text(-errno, error, size, "packet:%s: %s", w->name,
			errno == EPERM ? "a packet socket needs root or CAP_NET_RAW" : strerror(errno));
	memcpy(ifr.ifr_name, w->name, strlen(w->name));
	if (!ioctl(w->fd, SIOCGIFHWADDR, &ifr) && ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		close(w->fd);
		return error_text(-EPROTONOSUPPORT, error, size, "packet:%s: not an Ethernet interface", w->name);
	}
	promiscuous.mr_ifindex = addr.sll_ifindex;
	if (setsockopt(w->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) ||
		setsockopt(w->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) ||
		bind(w->fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		reason = errno;
		close(w->fd);
		return error_text(-reason, error, size, "packet:%s: %s", w->name, strerror(reason));
	}
	set_up(w->name);
	return 0;
}

int wire_open(struct wire *w, const char *spec, char *error, size_t size)
{
	static const char *const prefixes[] = { "tap:", "packet:", "unix:" };
	unsigned kind;

	for (kind = 0; kind < 3; kind++)
		if (!strncmp(spec, prefixes[kind], strlen(prefixes[kind])))
			break;
	if (kind == 3)
		return error_text(-EINVAL, error, size, "--wire %s: not tap:NAME, packet:INTERFACE or unix:PATH", spec);
	memset(w, 0, sizeof(*w));
	w->kind = (enum wire_kind)kind;
	w->name = spec + strlen(prefixes[kind]);
	w->fd = w->listen_fd = -1;
	if (kind == WIRE_UNIX) {
		w->listen_fd = unix_listen(w->name);
		if (w->listen_fd == -ENAMETOOLONG)
			return error_text(
				-EINVAL, error, size, "--wire %s: %s", spec, unix_listen_error(-ENAMETOOLONG));
		if (w->listen_fd < 0)
			return error_text(w->listen_fd, error, size, "%s: %s", spec, unix_listen_error(w->listen_fd));
		return 0;
	}
	if (!w->name[0] || strlen(w->name) >= IFNAMSIZ || strpbrk(w->name, "/% \t"))
		return error_text(
			-EINVAL, error, size, "--wire %s: an interface name has 1 to %d letters", spec, IFNAMSIZ - 1);
	return kind == WIRE_TAP ? open_tap(w, error, size) : open_packet(w, error, size);
}

void wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	if (w->listen_fd >= 0) {
		close(w->listen_fd);
		unlink(w->name);
	}
	w->fd = w->listen_fd = -1;
}

unsigned wire_poll(const struct wire *w, struct pollfd *fds)
{
	fds->fd = w->fd >= 0 ? w->fd : w->listen_fd;
	fds->events = POLLIN;
	fds->revents = 0;
	return 1;
}

/* Sum the checksum that the sender left to its hardware: the field holds the pseudo-header's sum. */
static void complete_checksum(uint8_t *frame, size_t len)
{
	struct packet p;
	uint8_t *transport;
	size_t ip_header, transport_len, field;

	if (!packet_parse(frame, len, &p) || !p.is_ipv4)
		return;
	ip_header = (frame[PACKET_ETH_HEADER] & 15u) * 4u;
	transport = frame + PACKET_ETH_HEADER + ip_header;
	transport_len = packet_get16(frame + PACKET_ETH_HEADER + 2) - ip_header;
	field = p.protocol == IPPROTO_TCP ? 16 : p.protocol == IPPROTO_UDP ? 6 : transport_len;
	if (field + 2 <= transport_len)
		packet_put16(transport + field, (uint16_t)~packet_fold(packet_sum(0, transport, transport_len)));
}

/* One frame from the interface, with the VLAN tag that the kernel took out put back. */
static int receive_packet(struct wire *w, uint8_t *frame, size_t size)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct sockaddr_ll from;
	struct iovec iov = { frame, size };
	struct msghdr msg = { .msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct tpacket_auxdata aux = { 0 };
	ssize_t n;

	do
		n = recvmsg(w->fd, &msg, 0);
	while (n >= 0 && from.sll_pkttype == PACKET_OUTGOING);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (aux.tp_status & TP_STATUS_CSUMNOTREADY)
		complete_checksum(frame, (size_t)n);
	if (aux.tp_status & TP_STATUS_VLAN_VALID && n >= 12 && (size_t)n + 4 <= size) {
		memmove(frame + 16, frame + 12, (size_t)n - 12);
		packet_put16(frame + 12, aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q);
		packet_put16(frame + 14, aux.tp_vlan_tci);
		n += 4;
	}
	if (n > LONGEST_ORDINARY_FRAME && !w->warned_long) {
		w->warned_long = true;
		fprintf(stderr,
			"board: packet:%s: a frame of %zd bytes arrived; switch segmentation offload off at its sender "
			"(ethtool -K INTERFACE tso off gso off)\n",
			w->name, n);
	}
	return (int)n;
}

int wire_receive(struct wire *w, uint8_t *frame, size_t size)
{
	int n;

	if (w->fd < 0) {
		w->fd = accept4(w->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (w->fd < 0)
			return 0;
	}
	if (w->kind == WIRE_PACKET) {
		n = receive_packet(w, frame, size);
	} else {
		n = (int)read(w->fd, frame, size);
		if (n < 0)
			n = -errno;
	}
	if (w->kind == WIRE_UNIX && n <= 0 && n != -EAGAIN && n != -EINTR) {
		close(w->fd); /* the peer went; the next one may come */
		w->fd = -1;
		return 0;
	}
	/* A packet socket reports ENETDOWN once, when its interface goes down; whether it comes back only its name tells. */
	if (w->kind == WIRE_PACKET && n == -ENETDOWN)
		w->down = true;
	else if (n > 0)
		w->down = false;
	if (n == -EAGAIN || n == -EINTR || n == -ENETDOWN)
		n = 0;
	return !n && w->down && !if_nametoindex(w->name) ? -ENODEV : n;
}

void wire_send(struct wire *w, const uint8_t *frame, size_t len)
{
	ssize_t n;

	if (w->fd < 0)
		n = -1;
	else if (w->kind == WIRE_TAP)
		n = write(w->fd, frame, len);
	else
		n = send(w->fd, frame, len, MSG_NOSIGNAL);
	if (n < 0)
		w->lost++;
}
