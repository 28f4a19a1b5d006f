/* SPDX-License-Identifier: Apache-2.0
 * dnat.c - does a rule of nftables send a port elsewhere (dnat, redirect)? Conntrack never sees the board's SYNs, so that such a rule would
 * never match an offloaded connection. Best effort: rules that name the port, of the table that `nft` shows; without nft(8) nothing is
 * known. It runs in a worker, at first and when nftables has told of a change; every ten seconds where it does not tell. */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "driver/clock.h"

enum { LOOK_AGAIN_MS = 10000 };

static void dnat_look(struct daemon *d);

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

	bool other = memcmp(d->dnat_ports, ((struct look *)w)->ports, sizeof(d->dnat_ports)) != 0;

	memcpy(d->dnat_ports, ((struct look *)w)->ports, sizeof(d->dnat_ports));
	d->dnat_looking = false;
	free(w);
	if (other && !d->loop.stop)
		listeners_refresh(d);
}

/* A transaction of nftables' was committed: what, the next look tells. Dropped ones are changes too. */
static void on_change(struct source *s, uint32_t events)
{
	struct daemon *d = (struct daemon *)((char *)s - offsetof(struct daemon, dnat_changes));
	char ignored[4096];

	(void)events;
	while (recv(s->fd, ignored, sizeof(ignored), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
	d->dnat_changed = true;
	dnat_look(d);
}

static bool watch_changes(struct daemon *d)
{
	const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1u << (NFNLGRP_NFTABLES - 1) };

	d->dnat_changes =
		(struct source){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_NETFILTER),
			.ready = on_change };
	if (d->dnat_changes.fd < 0)
		return false;
	if (!bind(d->dnat_changes.fd, (const struct sockaddr *)&group, sizeof(group)) &&
		!loop_watch(&d->loop, &d->dnat_changes, EPOLLIN))
		return true;
	close(d->dnat_changes.fd);
	d->dnat_changes.fd = -1;
	return false;
}

/* Start a look if there may be something new. */
static void dnat_look(struct daemon *d)
{
	int64_t now = clock_ms();
	struct look *l;

	if (!d->dnat_looked_ms)
		d->dnat_told = watch_changes(d); /* before the first look */
	if (d->dnat_looking ||
		(d->dnat_looked_ms && !d->dnat_changed && (d->dnat_told || now - d->dnat_looked_ms < LOOK_AGAIN_MS)))
		return;
	l = calloc(1, sizeof(*l));
	if (!l)
		return;
	l->work.run = run;
	l->work.done = done;
	d->dnat_looked_ms = now;
	d->dnat_changed = false;
	d->dnat_looking = !worker_start(d, &l->work);
	if (!d->dnat_looking)
		free(l);
}

void dnat_close(struct daemon *d)
{
	if (!d->dnat_told)
		return;
	loop_forget(&d->loop, &d->dnat_changes);
	close(d->dnat_changes.fd);
	d->dnat_told = false;
}

bool dnat_takes(struct daemon *d, unsigned port)
{
	dnat_look(d);
	return d->dnat_ports[port / 8] >> port % 8 & 1;
}
