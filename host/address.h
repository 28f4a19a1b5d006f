/* SPDX-License-Identifier: Apache-2.0
 * address.h - an IPv4 or IPv6 address with a port, as the socket calls take it. In messages of the board both are 16 octets, IPv4
 * mapped into IPv6. Plain memory.
 * Threads, Fork, Blocks, Errors: library.h. */
#ifndef HANDFAST_ADDRESS_H
#define HANDFAST_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT_BYTES 64 /* "[2001:db8::2%4294967295]:65535" and its 0 */

/* Which member holds is told by sa.sa_family, AF_INET or AF_INET6. */
union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static inline bool address_is6(const union address *a)
{
	return a->sa.sa_family == AF_INET6;
}

static inline socklen_t address_size(const union address *a)
{
	return address_is6(a) ? sizeof(a->in6) : sizeof(a->in);
}

/* In host order. */
static inline uint16_t address_port(const union address *a)
{
	return ntohs(address_is6(a) ? a->in6.sin6_port : a->in.sin_port);
}

static inline void address_set_port(union address *a, uint16_t port)
{
	*(address_is6(a) ? &a->in6.sin6_port : &a->in.sin_port) = htons(port);
}

/* The octets of the address, without port, in network order. */
static inline const void *address_octets(const union address *a)
{
	return address_is6(a) ? (const void *)&a->in6.sin6_addr : (const void *)&a->in.sin_addr;
}

static inline size_t address_octet_count(const union address *a)
{
	return address_is6(a) ? 16 : 4;
}

/* The any-address? */
bool address_is_any(const union address *a);
/* An address that one peer can have: not any, multicast or broadcast; port not looked at. */
bool address_is_unicast(const union address *a);
/* Same family, address and port. */
bool address_equal(const union address *a, const union address *b);
/* Same family and address. */
bool address_same_host(const union address *a, const union address *b);

/* address_read - copy what a caller of the library gave. Returns 0, -EAFNOSUPPORT (neither IPv4 nor IPv6) or -EINVAL (too short). */
int address_read(const struct sockaddr *from, socklen_t length, union address *a);

/* Between a message's 16 octets and here; address_from_mapped() gives IPv4 for ::ffff:0:0/96. */
void address_from_mapped(const uint8_t octets[16], uint16_t port, union address *a);
void address_to_mapped(const union address *a, uint8_t octets[16]);

/* "192.0.2.1:80" or "[2001:db8::1]:80"; returns `text`, ADDRESS_TEXT_BYTES. */
const char *address_text(const union address *a, char *text);
/* The address alone. */
const char *address_host_text(const union address *a, char *text);

/* address_parse - "192.0.2.1", "2001:db8::1", or, with `prefix` not NULL, either followed by /bits. The port becomes 0.
 * Returns 0 or -EINVAL. */
int address_parse(const char *text, union address *a, unsigned *prefix);

#endif
