/* SPDX-License-Identifier: Apache-2.0 */
#include "announce.h"

#include <string.h>

enum { ETHERNET = 14, ARP_BYTES = 42, ICMP6 = 58, ADVERTISEMENT = 136 };

static size_t arp(uint8_t *f, const uint8_t *mac, const void *addr)
{
	static const uint8_t head[] = { 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1 };

	memset(f, 0, ARP_BYTES);
	memset(f, 0xff, 6);
	memcpy(f + 6, mac, 6);
	memcpy(f + 12, head, sizeof(head));
	memcpy(f + 22, mac, 6);
	memcpy(f + 28, addr, 4);
	memcpy(f + 38, addr, 4);
	return ARP_BYTES;
}

static size_t advertisement(uint8_t *f, const uint8_t *mac, const void *addr)
{
	static const uint8_t all_nodes_mac[] = { 0x33, 0x33, 0, 0, 0, 1 }, all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	uint8_t *ip = f + ETHERNET, *icmp = ip + 40;
	uint32_t sum = ICMP6 + 32;

	memset(f, 0, ANNOUNCE_BYTES);
	memcpy(f, all_nodes_mac, 6);
	memcpy(f + 6, mac, 6);
	f[12] = 0x86;
	f[13] = 0xdd;
	ip[0] = 0x60;
	ip[5] = 32;
	ip[6] = ICMP6;
	ip[7] = 255;
	memcpy(ip + 8, addr, 16);
	memcpy(ip + 24, all_nodes, 16);
	icmp[0] = ADVERTISEMENT;
	icmp[4] = 0x20; /* override */
	memcpy(icmp + 8, addr, 16);
	icmp[24] = 2; /* target link-layer address */
	icmp[25] = 1;
	memcpy(icmp + 26, mac, 6);
	for (unsigned i = 8; i < 40 + 32; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	return ANNOUNCE_BYTES;
}

size_t announce_frame(uint8_t frame[ANNOUNCE_BYTES], const uint8_t mac[6], const union address *own)
{
	return address_is6(own) ? advertisement(frame, mac, address_octets(own)) : arp(frame, mac, address_octets(own));
}
