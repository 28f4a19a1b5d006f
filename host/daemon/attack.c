/* SPDX-License-Identifier: Apache-2.0
 * attack.c - SYNs of each listener, as the board counts them, and who gets too many. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"
#include "driver/clock.h"

bool attack_counts(const struct daemon *d)
{
	return d->dev && atomic_load(&d->dev->source_rules.room);
}

struct reading {
	unsigned count;
	struct {
		unsigned index; /* in the board's listen table */
		uint32_t syns;
		struct listener *of;
	} of[CONFIG_LISTENERS_MAX];
	uint64_t resets; /* of the board, as of this reading */
};

/* A job. */
static int read_syns(struct hf_device *dev, void *arg)
{
	struct reading *r = arg;
	int rc = 0;

	for (unsigned i = 0; i < r->count && !rc; i++)
		rc = device_listener_syns(dev->board, r->of[i].index, &r->of[i].syns);
	r->resets = atomic_load(&dev->count[COUNT_board_resets]);
	return rc;
}

/* Returns those of all listeners, in the last second. */
static uint64_t count_syns(struct daemon *d)
{
	struct reading r = { 0 };
	uint64_t sum = 0;
	int rc = 0;

	for (unsigned i = 0; i < d->listeners; i++) {
		struct listener *l = d->listener[i];

		/* One that is no longer offloaded has had some since it was last read. */
		if (l->board && (l->mode == MODE_OFFLOAD || l->syn_rate)) {
			r.of[r.count].index = l->board->index;
			r.of[r.count++].of = l;
		} else {
			l->syn_rate = 0;
		}
	}
	if (attack_counts(d) && r.count)
		rc = service_run(d->dev, read_syns, &r);
	for (unsigned i = 0; i < r.count; i++) {
		struct listener *l = r.of[i].of;

		if (rc || !attack_counts(d) || l->syns_of != l->board) {
			l->syn_rate = 0;
		} else {
			/* After a reset the board has begun at 0 again. */
			l->syn_rate = r.resets == d->syns_resets ? r.of[i].syns - l->syns_last : r.of[i].syns;
			l->syns += l->syn_rate;
		}
		l->syns_of = rc ? NULL : l->board;
		l->syns_last = r.of[i].syns;
		sum += l->syn_rate;
	}
	if (!rc && r.count)
		d->syns_resets = r.resets;
	return sum;
}

/* `who`: "port 80: " or "". Says so in the journal when it begins and ends, unless `quiet`: somebody else has. */
static void judge(struct attack *a, uint64_t rate, const struct config *c, const char *who, bool quiet)
{
	int64_t now = clock_ms();

	if (rate >= c->attack_syn_rate)
		a->seen_ms = now;
	if (a->active && rate > a->peak)
		a->peak = rate;
	if (!a->active && rate >= c->attack_syn_rate) {
		a->active = true;
		a->quiet = quiet;
		a->changed_ms = now;
		a->peak = rate;
		if (!a->quiet)
			log_line(LOG_WARNING, "attack_start", "%s%llu SYNs per second, more than %u", who,
				(unsigned long long)rate, c->attack_syn_rate);
	} else if (a->active && now - a->seen_ms > c->attack_quiet_ms) {
		if (!a->quiet)
			log_line(LOG_NOTICE, "attack_end",
				"%sno more than %u SYNs per second for %u ms; it went on for %lld ms, with %llu per "
				"second at most",
				who, c->attack_syn_rate, c->attack_quiet_ms, (long long)(a->seen_ms - a->changed_ms),
				(unsigned long long)a->peak);
		a->active = false;
		a->changed_ms = now;
	}
}

void attack_second(struct daemon *d, uint64_t rate)
{
	uint64_t sum = count_syns(d);
	bool named = false;
	char who[32];

	for (unsigned i = 0; i < d->listeners; i++) {
		struct listener *l = d->listener[i];

		snprintf(who, sizeof(who), "port %u: ", address_port(&l->config.address));
		judge(&l->attack, l->syn_rate, &d->config, who, false);
		named |= l->attack.active;
	}
	/* The counters know also SYNs of listeners that are gone. */
	d->rates.syn = sum > rate ? sum : rate;
	judge(&d->attack, d->rates.syn, &d->config, "", named);
}

json_t *attack_rates_json(struct daemon *d)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < d->listeners && attack_counts(d); i++) {
		const struct listener *l = d->listener[i];
		char host[ADDRESS_TEXT_BYTES];

		if (l->mode == MODE_OFFLOAD)
			json_array_append_new(list,
				json_pack("{s:s, s:i, s:I}", "address", address_host_text(&l->config.address, host),
					"port", address_port(&l->config.address), "syn", (json_int_t)l->syn_rate));
	}
	return list;
}

json_t *attack_json(struct daemon *d)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < d->listeners; i++) {
		const struct listener *l = d->listener[i];
		char host[ADDRESS_TEXT_BYTES];

		if (l->attack.active)
			json_array_append_new(
				list, json_pack("{s:s, s:i, s:I, s:I, s:I}", "address",
					      address_host_text(&l->config.address, host), "port",
					      address_port(&l->config.address), "since_ms",
					      (json_int_t)(clock_ms() - l->attack.changed_ms), "syn_rate",
					      (json_int_t)l->syn_rate, "peak", (json_int_t)l->attack.peak));
	}
	return json_pack("{s:b, s:I, s:I, s:o}", "active", d->attack.active, "since_ms",
		d->attack.active ? (json_int_t)(clock_ms() - d->attack.changed_ms) : 0, "syn_rate",
		(json_int_t)d->rates.syn, "listeners", list);
}
