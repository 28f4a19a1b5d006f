/* SPDX-License-Identifier: Apache-2.0
 * board_host.c - the kinds of host side that a simulated board has. */
#include <string.h>
#include "board_host.h"

/* A new kind is one line here. */
const struct board_host_ops *const board_host_kinds[] = {
	&unix_host_ops,
	&usbip_host_ops,
	&pcie_host_ops,
	NULL,
};

const struct board_host_ops *board_host_kind(const char *host, const char **where)
{
	for (const struct board_host_ops *const *k = board_host_kinds; *k; k++) {
		size_t n = strlen((*k)->scheme);

		if (!strncmp(host, (*k)->scheme, n) && host[n] == ':') {
			*where = host + n + 1;
			return *k;
		}
	}
	return NULL;
}

const char *board_host_forms(void)
{
	static char text[128];

	text[0] = '\0';
	for (const struct board_host_ops *const *k = board_host_kinds; *k; k++) {
		if (text[0])
			strncat(text, ", ", sizeof(text) - strlen(text) - 1);
		strncat(text, (*k)->form, sizeof(text) - strlen(text) - 1);
	}
	return text;
}
