/* SPDX-License-Identifier: Apache-2.0 */
#include "source_rules.h"

#include <string.h>

#include "library.h"

static int write_entry(struct hf_device *dev, unsigned index)
{
	struct source_rules *s = &dev->source_rules;
	int rc;

	s->known[index] = false;
	rc = device_rule_set(dev->board, index, index < s->count ? &s->rule[index] : NULL);
	/* What the entry has dropped for another rule is not this one's. */
	if (!rc)
		rc = device_rule_drops(dev->board, index, &s->last[index]);
	s->known[index] = !rc;
	return rc;
}

int source_rules_load(struct hf_device *dev)
{
	struct source_rules *s = &dev->source_rules;
	unsigned room;
	int rc = device_rules_room(dev->board, &room);

	if (rc)
		return rc;
	atomic_store(&s->room, room);
	if (s->count > room)
		s->count = room;
	for (unsigned i = 0; i < room && !rc; i++)
		rc = write_entry(dev, i);
	return rc;
}

int source_rules_take_over(struct hf_device *dev)
{
	unsigned room;
	int rc = device_rules_room(dev->board, &room);

	/* None of the entries is known: the next table is written whole. */
	if (!rc)
		atomic_store(&dev->source_rules.room, room);
	return rc;
}

int source_rules_drops(struct hf_device *dev, void *arg)
{
	struct source_rules *s = &dev->source_rules;
	struct source_rules_change *c = arg;
	int rc = 0;

	memset(c->drops, 0, sizeof(c->drops));
	for (unsigned i = 0; i < s->count && !rc; i++) {
		uint32_t now = s->last[i];

		if (s->known[i])
			rc = device_rule_drops(dev->board, i, &now);
		c->drops[i] = rc ? 0 : now - s->last[i];
		s->last[i] = now;
	}
	return rc;
}

static bool same_rule(const struct device_rule *a, const struct device_rule *b)
{
	return !memcmp(a->prefix, b->prefix, sizeof(a->prefix)) && a->bits == b->bits && a->rate == b->rate &&
	       a->burst == b->burst;
}

int source_rules_set(struct hf_device *dev, void *arg)
{
	struct source_rules *s = &dev->source_rules;
	struct source_rules_change *c = arg;
	unsigned room = atomic_load(&s->room), before = s->count;
	int rc = source_rules_drops(dev, c);

	if (c->count > room)
		c->count = room;
	for (unsigned i = 0; i < room; i++) {
		if (i < c->count ? i >= before || !same_rule(&s->rule[i], &c->rule[i]) : i < before)
			s->known[i] = false;
	}
	memcpy(s->rule, c->rule, c->count * sizeof(s->rule[0]));
	s->count = c->count;
	/* A rule that moves is written to its new place before it leaves the old one, so that it is never missing. */
	for (unsigned n = 0; n < room && !rc; n++) {
		unsigned i = s->count > before ? room - 1 - n : n;

		if (!s->known[i])
			rc = write_entry(dev, i);
	}
	if (rc)
		error_set(dev, "source rules: %s", device_fault(dev->board));
	return rc;
}
