/* SPDX-License-Identifier: Apache-2.0
 * dnat.c - why nobody listens on a port: does a rule of nftables send it elsewhere (dnat, redirect)? Conntrack never sees the board's
 * SYNs, so that such a rule would never match an offloaded connection. Best effort: rules that name the port, of the table that `nft` shows;
 * without nft(8) nothing is known. It runs in a worker, every ten seconds while a listener is missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "driver/clock.h"

enum { LOOK_AGAIN_MS = 10000 };

struct look {
	struct work work;
	uint8_t ports[65536 / 8];
};

static void add(struct look *l, json_int_t port)
{
	if (port > 0 && port < 65536)
		l->ports[port / 8] |= (uint8_t)(1 << port % 8);
}

/* The right side of a match on "dport": a port, a range or a set. */
static void add_ports(struct look *l, const json_t *right)
{
	const json_t *set = json_object_get(right, "set"), *range = json_object_get(right, "range");

	if (json_is_integer(right))
		add(l, json_integer_value(right));
	for (size_t i = 0; i < json_array_size(set); i++)
		add_ports(l, json_array_get(set, i));
	if (json_array_size(range) == 2) {
		for (json_int_t p = json_integer_value(json_array_get(range, 0));
			p <= json_integer_value(json_array_get(range, 1)) && p < 65536; p++)
			add(l, p);
	}
}

static void look_at_rule(struct look *l, const json_t *rule)
{
	const json_t *expr = json_object_get(rule, "expr"), *ports = NULL;
	bool elsewhere = false;

	for (size_t i = 0; i < json_array_size(expr); i++) {
		const json_t *e = json_array_get(expr, i), *match = json_object_get(e, "match");
		const char *field = json_string_value(
			json_object_get(json_object_get(json_object_get(match, "left"), "payload"), "field"));
		const char *op = json_string_value(json_object_get(match, "op"));

		elsewhere |= json_object_get(e, "dnat") || json_object_get(e, "redirect");
		if (field && !strcmp(field, "dport") && op && strcmp(op, "!="))
			ports = json_object_get(match, "right");
	}
	if (elsewhere && ports)
		add_ports(l, ports);
}

/* In a worker. */
static void run(struct work *w)
{
	struct look *l = (struct look *)w;
	FILE *f = popen("PATH=/usr/sbin:/sbin:/usr/bin:/bin; exec nft -j list ruleset 2>/dev/null", "re");
	json_t *all = f ? json_loadf(f, 0, NULL) : NULL;
	const json_t *list = json_object_get(all, "nftables");

	for (size_t i = 0; i < json_array_size(list); i++)
		look_at_rule(l, json_object_get(json_array_get(list, i), "rule"));
	json_decref(all);
	if (f)
		pclose(f);
}

static void done(struct work *w)
{
	struct daemon *d = w->d;

	memcpy(d->dnat_ports, ((struct look *)w)->ports, sizeof(d->dnat_ports));
	d->dnat_looking = false;
	free(w);
}

bool dnat_takes(struct daemon *d, unsigned port)
{
	int64_t now = clock_ms();
	struct look *l;

	if (!d->dnat_looking && (!d->dnat_looked_ms || now - d->dnat_looked_ms >= LOOK_AGAIN_MS)) {
		l = calloc(1, sizeof(*l));
		if (l) {
			l->work.run = run;
			l->work.done = done;
			d->dnat_looked_ms = now;
			d->dnat_looking = !worker_start(d, &l->work);
			if (!d->dnat_looking)
				free(l);
		}
	}
	return d->dnat_ports[port / 8] >> port % 8 & 1;
}
