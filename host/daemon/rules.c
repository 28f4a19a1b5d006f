/* SPDX-License-Identifier: Apache-2.0
 * rules.c - what source prefixes may, and which of them have most connections.
 *
 * Of the rules that match a source the one with the longest prefix counts. They are kept in that order, and so the board gets them, which
 * takes the lowest entry that matches: the first ones go into the board, as many as it has room for, the rest act here, when a handshake is
 * complete. What is in the board has then passed it there; only a connection whose handshake was under way when its prefix was denied is
 * refused here. */
#include <errno.h>
#include <string.h>

#include "daemon.h"
#include "driver/clock.h"

enum { TOP_BITS4 = 24, TOP_BITS6 = 64, MAPPED_ZEROS = 80 };

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

unsigned rules_source(const union address *remote, union address *prefix)
{
	unsigned bits = address_is6(remote) ? TOP_BITS6 : TOP_BITS4;

	*prefix = *remote;
	cut(prefix, bits);
	return bits;
}

/* Admission: the service thread -------------------------------------------------------------------------------------------------- */

/* Space-saving: of the sources that are not in the table, the newcomer takes the place, and the count, of the smallest. So that no large
 * one is missed, whatever the order; a count is at most too high by the smallest. */
static void count_source(struct shared *s, const union address *remote, bool denied)
{
	struct top *t = &s->top[0];
	union address prefix;

	rules_source(remote, &prefix);
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
	unsigned i = 0;

	pthread_mutex_lock(&s->lock);
	while (i < s->rules && !matches(&s->rule[i].prefix, s->rule[i].bits, &c->remote))
		i++;
	if (i < s->rules) {
		struct rule *r = &s->rule[i];

		r->hits++;
		if (r->deny) {
			s->denied++;
			may = false;
		} else if (!r->on_board && !token(r)) {
			s->limited++;
			may = false;
		}
		r->drops += !may;
	}
	count_source(s, &c->remote, !may);
	pthread_mutex_unlock(&s->lock);
	return may;
}

/* The list, with the lock held --------------------------------------------------------------------------------------------------- */

static unsigned mapped_bits(const struct rule *r)
{
	return r->bits + (address_is6(&r->prefix) ? 0 : DEVICE_MAPPED_BITS);
}

static struct rule *find(struct shared *s, const union address *prefix, unsigned bits)
{
	for (unsigned i = 0; i < s->rules; i++) {
		if (s->rule[i].bits == bits && address_same_host(&s->rule[i].prefix, prefix))
			return &s->rule[i];
	}
	return NULL;
}

/* At its place among the others; NULL: no room. */
static struct rule *insert(struct shared *s, const union address *prefix, unsigned bits)
{
	struct rule new = { .prefix = *prefix, .bits = bits };
	unsigned i = 0;

	if (s->rules == CONTROL_RULES_MAX)
		return NULL;
	while (i < s->rules && mapped_bits(&s->rule[i]) >= mapped_bits(&new))
		i++;
	memmove(&s->rule[i + 1], &s->rule[i], (s->rules - i) * sizeof(s->rule[0]));
	s->rule[i] = new;
	s->rules++;
	return &s->rule[i];
}

static void take_out(struct shared *s, struct rule *r)
{
	unsigned i = (unsigned)(r - s->rule);

	s->rules--;
	memmove(r, r + 1, (s->rules - i) * sizeof(*r));
}

static void set_rate(struct rule *r, unsigned rate)
{
	if (r->rate == rate)
		return;
	r->rate = r->tokens = rate;
	r->refilled_ms = clock_ms();
}

int rules_set(struct daemon *d, const char *text, const bool *deny, const unsigned *rate)
{
	struct shared *s = &d->shared;
	union address prefix;
	struct rule *r;
	unsigned bits;
	int rc = address_parse(text, &prefix, &bits);

	if (rc)
		return rc;
	cut(&prefix, bits);
	pthread_mutex_lock(&s->lock);
	r = find(s, &prefix, bits);
	if (!r)
		r = insert(s, &prefix, bits);
	if (r) {
		if (deny)
			r->deny = *deny;
		if (rate)
			set_rate(r, *rate);
		if (!r->deny && !r->rate)
			take_out(s, r);
	}
	pthread_mutex_unlock(&s->lock);
	if (!r)
		return -ENOSPC;
	rules_place(d);
	return 0;
}

void rules_configure(struct daemon *d, const struct config *c)
{
	struct shared *s = &d->shared;
	unsigned too_many = 0;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = s->rules; i-- > 0;) {
		bool stays = !s->rule[i].in_config;

		for (unsigned n = 0; n < c->rules && !stays; n++) {
			union address prefix = c->rule[n].prefix;

			cut(&prefix, c->rule[n].bits);
			stays = s->rule[i].bits == c->rule[n].bits && address_same_host(&s->rule[i].prefix, &prefix);
		}
		if (!stays)
			take_out(s, &s->rule[i]);
	}
	for (unsigned n = 0; n < c->rules; n++) {
		union address prefix = c->rule[n].prefix;
		struct rule *r;

		cut(&prefix, c->rule[n].bits);
		r = find(s, &prefix, c->rule[n].bits);
		if (!r)
			r = insert(s, &prefix, c->rule[n].bits);
		if (!r) {
			too_many++;
			continue;
		}
		r->in_config = true;
		r->deny = c->rule[n].deny;
		set_rate(r, c->rule[n].rate);
	}
	pthread_mutex_unlock(&s->lock);
	if (too_many)
		log_line(LOG_ERR, "config",
			"%u rules of the config find no room beside those set by command: %d in all", too_many,
			CONTROL_RULES_MAX);
	rules_place(d);
}

/* The board: the main thread ----------------------------------------------------------------------------------------------------- */

/* An IPv6 prefix of zeros that holds ::ffff:0:0/96 too would match IPv4 in the board. Whatever holds it is one of these as well, so that no
 * rule overtakes a longer one. */
static bool kept_back(const struct rule *r)
{
	return address_is6(&r->prefix) && address_is_any(&r->prefix) && r->bits <= MAPPED_ZEROS;
}

static void to_device(const struct rule *r, struct device_rule *to)
{
	unsigned rate = r->deny ? 0 : r->rate;

	*to = (struct device_rule){ .bits = mapped_bits(r),
		.rate = rate < DEVICE_RULE_RATE_MAX ? rate : DEVICE_RULE_RATE_MAX,
		/* A second's worth at once, as here. */
		.burst = !rate				? 1
			 : rate < DEVICE_RULE_BURST_MAX ? rate
							: DEVICE_RULE_BURST_MAX };
	address_to_mapped(&r->prefix, to->prefix);
}

/* The rule of an entry, or NULL: taken out meanwhile. */
static struct rule *of_entry(struct shared *s, const struct device_rule *entry)
{
	for (unsigned i = 0; i < s->rules; i++) {
		struct device_rule own;

		to_device(&s->rule[i], &own);
		if (own.bits == entry->bits && !memcmp(own.prefix, entry->prefix, sizeof(own.prefix)))
			return &s->rule[i];
	}
	return NULL;
}

/* What the entries `of` have dropped; with the lock held. */
static void add_drops(struct daemon *d, const struct device_rule *of, unsigned count, const uint64_t *drops)
{
	for (unsigned i = 0; i < count; i++) {
		struct rule *r = drops[i] ? of_entry(&d->shared, &of[i]) : NULL;

		if (r)
			r->drops += drops[i];
	}
}

unsigned rules_room(struct daemon *d)
{
	return d->dev ? atomic_load(&d->dev->source_rules.room) : 0;
}

unsigned rules_on_board(struct daemon *d)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->shared.rules; i++)
		n += d->shared.rule[i].on_board;
	return n;
}

void rules_place(struct daemon *d)
{
	struct shared *s = &d->shared;
	struct source_rules_change c = { 0 };
	unsigned room = rules_room(d);
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->rules && c.count < room; i++) {
		if (!kept_back(&s->rule[i]))
			to_device(&s->rule[i], &c.rule[c.count++]);
	}
	pthread_mutex_unlock(&s->lock);
	if (room) {
		struct device_rule before[DEVICE_RULES_MAX];
		unsigned count = d->board_rules;

		memcpy(before, d->board_rule, sizeof(before));
		rc = service_run(d->dev, source_rules_set, &c);
		memcpy(d->board_rule, c.rule, sizeof(c.rule));
		d->board_rules = c.count;
		pthread_mutex_lock(&s->lock);
		add_drops(d, before, count, c.drops);
		pthread_mutex_unlock(&s->lock);
	}
	if (rc && !d->rules_stale)
		log_line(LOG_WARNING, "rules", "the board did not take the rules: %s", strerror(-rc));
	d->rules_stale = rc != 0;
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0, n = 0; i < s->rules; i++) {
		s->rule[i].on_board = !rc && n < c.count && !kept_back(&s->rule[i]);
		n += s->rule[i].on_board;
	}
	pthread_mutex_unlock(&s->lock);
}

void rules_lost(struct daemon *d)
{
	pthread_mutex_lock(&d->shared.lock);
	for (unsigned i = 0; i < d->shared.rules; i++)
		d->shared.rule[i].on_board = false;
	pthread_mutex_unlock(&d->shared.lock);
	d->board_rules = 0;
}

void rules_second(struct daemon *d)
{
	struct source_rules_change c = { 0 };

	if (d->rules_stale) {
		rules_place(d);
		return;
	}
	if (!d->board_rules || !d->dev || service_run(d->dev, source_rules_drops, &c))
		return;
	pthread_mutex_lock(&d->shared.lock);
	add_drops(d, d->board_rule, d->board_rules, c.drops);
	pthread_mutex_unlock(&d->shared.lock);
}

/* Told ------------------------------------------------------------------------------------------------------------------------------ */

json_t *rules_json(struct daemon *d)
{
	json_t *list = json_array();

	/* Only this thread changes the list; the counts are the other one's. */
	pthread_mutex_lock(&d->shared.lock);
	for (unsigned i = 0; i < d->shared.rules; i++) {
		const struct rule *r = &d->shared.rule[i];
		char text[ADDRESS_TEXT_BYTES];

		json_array_append_new(list,
			json_pack("{s:o, s:b, s:I, s:I, s:s, s:I, s:b}", "prefix",
				json_sprintf("%s/%u", address_host_text(&r->prefix, text), r->bits), "deny", r->deny,
				"rate", (json_int_t)r->rate, "hits", (json_int_t)r->hits, "where",
				r->on_board ? "board" : "host", "drops", (json_int_t)r->drops, "config", r->in_config));
	}
	pthread_mutex_unlock(&d->shared.lock);
	return list;
}
