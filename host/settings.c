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

static int parse_address(const char *text, struct settings *s)
{
	char address[INET_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	char *end;
	unsigned long prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(address) || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = 0;
	prefix = strtoul(slash + 1, &end, 10);
	if (*end || prefix < 1 || prefix > 32 || inet_pton(AF_INET, address, &s->address) != 1)
		return -EINVAL;
	s->prefix = (unsigned)prefix;
	return s->address.s_addr ? 0 : -EINVAL;
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
	char forms[64], expected[128];

	memset(s, 0, sizeof(*s));
	if (!transport_uri_ok(uri)) {
		snprintf(expected, sizeof(expected), "not a board's URI, expected one of %s",
			transport_uri_forms(forms, sizeof(forms)));
		return bad(why, expected, uri ? uri : "");
	}
	s->uri = uri;
	if (!options || !options->address)
		return bad(why, "options.address is needed, as in 192.0.2.2/24", "");
	if (parse_address(options->address, s))
		return bad(why, "options.address is not IPv4 with a prefix of 1 to 32", options->address);
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
