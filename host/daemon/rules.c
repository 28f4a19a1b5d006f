/* SPDX-License-Identifier: Apache-2.0
 * rules.c - who may have connections, and who has most. */
#include <errno.h>
#include <string.h>

#include "daemon.h"
#include "driver/clock.h"

enum { TOP_BITS4 = 24, TOP_BITS6 = 64 };

static bool matches(const union address *prefix, unsigned bits, const union address *a)
{
	const uint8_t *p = address_octets(prefix), *o = address_octets(a);

	if (prefix->sa.sa_family != a->sa.sa_family || memcmp(p, o, bits / 8))
		return false;
	return !(bits % 8) || !((p[bits / 8] ^ o[bits / 8]) >> (8 - bits % 8));
}

static void cut(union address *a, unsigned bits)
{
	uint8_t *o = (uint8_t *)(uintptr_t)address_octets(a);

	for (unsigned i = 0; i < address_octet_count(a); i++) {
		unsigned keep = bits > 8 * i ? bits - 8 * i : 0;

		o[i] &= keep >= 8 ? 0xff : (uint8_t)(0xff00 >> keep);
	}
	address_set_port(a, 0);
}

/* Space-saving: of the sources that are not in the table, the newcomer takes the place, and the count, of the smallest. So that no large
 * one is missed, whatever the order; a count is at most too high by the smallest. */
static void count_source(struct shared *s, const union address *remote, bool denied)
{
	union address prefix = *remote;
	struct top *t = &s->top[0];

	cut(&prefix, address_is6(remote) ? TOP_BITS6 : TOP_BITS4);
	for (unsigned i = 0; i < CONTROL_TOP_MAX; i++) {
		if (s->top[i].connections && address_same_host(&s->top[i].prefix, &prefix)) {
			s->top[i].connections++;
			s->top[i].denied += denied;
			return;
		}
		if (s->top[i].connections < t->connections)
			t = &s->top[i];
	}
	t->prefix = prefix;
	t->connections++;
	t->denied = denied;
}

static bool token(struct rule *r)
{
	int64_t now = clock_ms(), passed = now - r->refilled_ms;

	if (passed >= SECOND_MS) {
		r->tokens = r->rate;
		r->refilled_ms = now;
	}
	if (!r->tokens)
		return false;
	r->tokens--;
	return true;
}

bool rules_admit(struct daemon *d, const struct connection *c)
{
	struct shared *s = &d->shared;
	bool may = true;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->rules && may; i++) {
		struct rule *r = &s->rule[i];

		if (!matches(&r->prefix, r->bits, &c->remote))
			continue;
		r->hits++;
		if (r->deny) {
			s->denied++;
			may = false;
		} else if (r->rate && !token(r)) {
			s->limited++;
			may = false;
		}
	}
	count_source(s, &c->remote, !may);
	pthread_mutex_unlock(&s->lock);
	return may;
}

int rules_set(struct daemon *d, const char *text, const bool *deny, const unsigned *rate)
{
	struct shared *s = &d->shared;
	union address prefix;
	unsigned bits, i;
	int rc = address_parse(text, &prefix, &bits);

	if (rc)
		return rc;
	cut(&prefix, bits);
	pthread_mutex_lock(&s->lock);
	for (i = 0; i < s->rules; i++) {
		if (s->rule[i].bits == bits && address_same_host(&s->rule[i].prefix, &prefix))
			break;
	}
	if (i == s->rules && s->rules == CONTROL_RULES_MAX)
		rc = -ENOSPC;
	else if (i == s->rules)
		s->rule[s->rules++] = (struct rule){ .prefix = prefix, .bits = bits };
	if (!rc && deny)
		s->rule[i].deny = *deny;
	if (!rc && rate) {
		s->rule[i].rate = *rate;
		s->rule[i].tokens = *rate;
		s->rule[i].refilled_ms = clock_ms();
	}
	if (!rc && !s->rule[i].deny && !s->rule[i].rate)
		s->rule[i] = s->rule[--s->rules];
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static void put_prefix(json_t *to, const union address *prefix, unsigned bits)
{
	char text[ADDRESS_TEXT_BYTES];

	json_object_set_new(to, "prefix", json_sprintf("%s/%u", address_host_text(prefix, text), bits));
}

json_t *rules_json(struct daemon *d)
{
	json_t *list = json_array();

	pthread_mutex_lock(&d->shared.lock);
	for (unsigned i = 0; i < d->shared.rules; i++) {
		const struct rule *r = &d->shared.rule[i];
		json_t *o = json_pack(
			"{s:b, s:I, s:I}", "deny", r->deny, "rate", (json_int_t)r->rate, "hits", (json_int_t)r->hits);

		put_prefix(o, &r->prefix, r->bits);
		json_array_append_new(list, o);
	}
	pthread_mutex_unlock(&d->shared.lock);
	return list;
}

json_t *rules_top_json(struct daemon *d)
{
	struct top top[CONTROL_TOP_MAX];
	json_t *list = json_array();

	pthread_mutex_lock(&d->shared.lock);
	memcpy(top, d->shared.top, sizeof(top));
	pthread_mutex_unlock(&d->shared.lock);
	for (unsigned n = 0; n < CONTROL_TOP_MAX; n++) {
		struct top *most = &top[0];
		json_t *o;

		for (unsigned i = 1; i < CONTROL_TOP_MAX; i++) {
			if (top[i].connections > most->connections)
				most = &top[i];
		}
		if (!most->connections)
			break;
		o = json_pack(
			"{s:I, s:I}", "connections", (json_int_t)most->connections, "denied", (json_int_t)most->denied);
		put_prefix(o, &most->prefix, address_is6(&most->prefix) ? TOP_BITS6 : TOP_BITS4);
		json_array_append_new(list, o);
		most->connections = 0;
	}
	return list;
}
