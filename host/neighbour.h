/* SPDX-License-Identifier: Apache-2.0
 * neighbour.h - the next hop to a peer, as the kernel knows it: route and neighbour table by rtnetlink.
 * Threads: any, each with its own socket. Blocks: neighbour_find(), until its deadline. Fork, Errors: library.h. */
#ifndef HANDFAST_NEIGHBOUR_H
#define HANDFAST_NEIGHBOUR_H

#include <stdint.h>

#include "address.h"
#include "frame.h"

/* neighbour_open - a socket to ask with, in the namespace of the calling thread; sets the netdev's index.
 * Returns an fd, or -ENODEV when there is no such netdev, or -errno of socket(2). */
int neighbour_open(const char *netdev, int *ifindex);

/* neighbour_find - MAC address and VLAN of the next hop on the way to `peer`: through the netdev itself, or through VLANs on it
 * (802.1Q netdevs on top, at most two). If the kernel does not know the address, it is made to ask ARP or NDP.
 *
 *   deadline_ms  of clock_ms()
 *
 * Returns 0, or
 *   -ENETUNREACH   no route, or one through another netdev
 *   -EHOSTUNREACH  the next hop does not answer
 *   -ETIMEDOUT     it has not until the deadline
 *   -errno of the netlink socket */
int neighbour_find(
	int fd, int ifindex, const union address *peer, int64_t deadline_ms, uint8_t mac[6], struct vlan *vlan);

#endif
