/* SPDX-License-Identifier: Apache-2.0
 * settings.c - the arguments of hf_open(). */
#include "library.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int bad(char *why, const char *what, const char *value)
{
	snprintf(why, ERROR_BYTES, "%s: '%s'", what, value);
	return -EINVAL;
}

/* One address/prefix that a host of its network can have. */
static int parse_address(const char *text, struct tap_addresses *all)
{
	struct tap_address a;
	unsigned of_family = 0;
	int rc = address_parse(text, &a.address, &a.prefix);

	if (rc || !a.prefix || !address_is_unicast(&a.address))
		return -EINVAL;
	for (unsigned i = 0; i < all->count; i++) {
		if (address_same_host(&all->of[i].address, &a.address))
			return -EINVAL;
		of_family += all->of[i].address.sa.sa_family == a.address.sa.sa_family;
	}
	if (of_family == (address_is6(&a.address) ? TAP_ADDRESSES_MAX6 : TAP_ADDRESSES_MAX4))
		return -EINVAL;
	all->of[all->count++] = a;
	return 0;
}

/* "192.0.2.2/24, 2001:db8::2/64" */
static int parse_addresses(const char *text, struct tap_addresses *all)
{
	char one[INET6_ADDRSTRLEN + 5];

	for (;;) {
		size_t len;

		text += strspn(text, " ");
		len = strcspn(text, " ,");
		if (!len || len >= sizeof(one))
			return -EINVAL;
		memcpy(one, text, len);
		one[len] = 0;
		if (parse_address(one, all))
			return -EINVAL;
		text += len;
		text += strspn(text, " ");
		if (!*text)
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

static int parse_mac(const char *text, uint8_t *mac)
{
	int used = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5],
		    &used) != 6 ||
		used != 17 || text[used])
		return -EINVAL;
	return mac[0] & 1 ? -EINVAL : 0; /* a group address is nobody's own */
}

int settings_parse(const char *uri, const struct hf_options *options, struct settings *s, char *why)
{
	char forms[128], expected[192];

	memset(s, 0, sizeof(*s));
	if (!transport_uri_ok(uri)) {
		snprintf(expected, sizeof(expected), "not a board's URI, expected one of %s",
			transport_uri_forms(forms, sizeof(forms)));
		return bad(why, expected, uri ? uri : "");
	}
	s->uri = uri;
	if (!options || !options->address)
		return bad(why, "options.address is needed, as in 192.0.2.2/24", "");
	if (parse_addresses(options->address, &s->addresses))
		return bad(why, "options.address is no list of up to 4 IPv4 and 2 IPv6 addresses, each with its prefix",
			options->address);
	if (options->mac && parse_mac(options->mac, s->mac))
		return bad(why, "options.mac is not the address of one station, as in 02:00:00:00:00:01", options->mac);
	s->mac_given = options->mac != NULL;
	s->tap = options->tap ? options->tap : "hf0";
	if (!*s->tap || strlen(s->tap) >= IFNAMSIZ || strchr(s->tap, '/') || strchr(s->tap, '%'))
		return bad(why, "options.tap is not the name of a netdev", s->tap);
	s->mtu = options->mtu;
	s->half_open = options->half_open;
	s->hello_ms = options->hello_ms ? (int)options->hello_ms : 2000;
	return 0;
}
