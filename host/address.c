/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool address_is_any(const union address *a)
{
	return address_is6(a) ? IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr) : !a->in.sin_addr.s_addr;
}

bool address_is_unicast(const union address *a)
{
	uint32_t host;

	if (address_is_any(a))
		return false;
	if (address_is6(a))
		return !IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr) && !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);
	host = ntohl(a->in.sin_addr.s_addr);
	return host >> 28 < 14; /* 224/4 and above */
}

bool address_same_host(const union address *a, const union address *b)
{
	return a->sa.sa_family == b->sa.sa_family &&
	       !memcmp(address_octets(a), address_octets(b), address_octet_count(a));
}

bool address_equal(const union address *a, const union address *b)
{
	return address_same_host(a, b) && address_port(a) == address_port(b);
}

int address_read(const struct sockaddr *from, socklen_t length, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (!from || length < sizeof(from->sa_family))
		return -EINVAL;
	if (from->sa_family != AF_INET && from->sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (length < (from->sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6)))
		return -EINVAL;
	memcpy(a, from, from->sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6));
	return 0;
}

void address_from_mapped(const uint8_t octets[16], uint16_t port, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (!memcmp(octets, mapped, sizeof(mapped))) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(port);
		memcpy(&a->in.sin_addr, octets + 12, 4);
	} else {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(port);
		memcpy(&a->in6.sin6_addr, octets, 16);
	}
}

void address_to_mapped(const union address *a, uint8_t octets[16])
{
	if (address_is6(a)) {
		memcpy(octets, &a->in6.sin6_addr, 16);
	} else {
		memcpy(octets, mapped, sizeof(mapped));
		memcpy(octets + 12, &a->in.sin_addr, 4);
	}
}

const char *address_host_text(const union address *a, char *text)
{
	if (!inet_ntop(a->sa.sa_family, address_octets(a), text, ADDRESS_TEXT_BYTES))
		strcpy(text, "?");
	return text;
}

const char *address_text(const union address *a, char *text)
{
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(a->sa.sa_family, address_octets(a), host, sizeof(host));
	snprintf(text, ADDRESS_TEXT_BYTES, address_is6(a) ? "[%s]:%u" : "%s:%u", host, address_port(a));
	return text;
}

int address_parse(const char *text, union address *a, unsigned *prefix)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char *end;

	memset(a, 0, sizeof(*a));
	if (len >= sizeof(host) || !slash != !prefix)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = 0;
	a->sa.sa_family = strchr(host, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(a->sa.sa_family, host, address_is6(a) ? (void *)&a->in6.sin6_addr : (void *)&a->in.sin_addr) != 1)
		return -EINVAL;
	if (!prefix)
		return 0;
	if (slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	*prefix = (unsigned)strtoul(slash + 1, &end, 10);
	return *end || strlen(slash + 1) > 3 || *prefix > 8 * address_octet_count(a) ? -EINVAL : 0;
}
