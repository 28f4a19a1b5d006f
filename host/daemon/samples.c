/* SPDX-License-Identifier: Apache-2.0
 * samples.c - where SYNs come from: the board shows one of N, and each stands for N.
 *
 * N follows the rate of SYNs, so that samples come at a few per second always, and at a hundred or so while there is an attack or somebody looks.
 * Never none, because it is at the beginning of an attack that one wants to know who, and a few events per second cost nothing that could be
 * measured. Once a second N is what the board's counts ask for. Within the second it only rises: when more samples have come than
 * should, sixteenfold, so that a flood that sets in costs a thousand events or so, however fast it is.
 *
 * Sources are counted for a minute, and shown for it and the minute before: of an attack one wants to see who takes part now. Their number is
 * bounded by space-saving (rules.c); what a place had counted for somebody else before is told apart and not shown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "../sample.h"
#include "daemon.h"
#include "driver/clock.h"

enum { PER_SECOND_QUIET = 8, PER_SECOND = 80, TOO_MANY = 200, RAISE = 16, LOOKING_MS = 60000 };

/* With the lock held. */
static uint32_t weight(const struct samples *s, uint32_t now_ms)
{
	uint32_t every = (int32_t)(now_ms - s->from_ms) > 0 ? s->every : s->before;

	return every ? every : 1;
}

uint32_t samples_every(struct daemon *d, const uint8_t *msg)
{
	uint32_t every;

	pthread_mutex_lock(&d->shared.lock);
	every = weight(&d->shared.samples, (uint32_t)GET(msg, EVENT, now_ms));
	pthread_mutex_unlock(&d->shared.lock);
	return every;
}

static void count_source(struct source_syns *all, const union address *remote, uint32_t stands_for, bool dropped)
{
	struct source_syns *least = all;
	union address prefix;

	rules_source(remote, &prefix);
	for (unsigned i = 0; i < SAMPLE_SOURCES; i++) {
		if (all[i].syns && address_same_host(&all[i].prefix, &prefix)) {
			all[i].syns += stands_for;
			all[i].dropped += dropped ? stands_for : 0;
			return;
		}
		if (all[i].syns < least->syns)
			least = &all[i];
	}
	*least = (struct source_syns){ prefix, least->syns + stands_for, least->syns, dropped ? stands_for : 0 };
}

void samples_take(struct daemon *d, const uint8_t *msg)
{
	struct samples *s = &d->shared.samples;
	struct sample sample;
	uint32_t stands_for;
	bool wake;

	/* The service counts those that cannot be. */
	if (sample_parse(msg, &sample))
		return;
	pthread_mutex_lock(&d->shared.lock);
	stands_for = weight(s, sample.now_ms);
	s->seen[0]++;
	s->syns[0] += stands_for;
	count_source(s->source[0], &sample.remote, stands_for, sample.cause != HF_CAUSE_NONE);
	wake = ++s->seen_now > TOO_MANY && !s->too_many;
	s->too_many |= wake;
	pthread_mutex_unlock(&d->shared.lock);
	if (wake)
		eventfd_write(d->shared.wake, 1);
}

/* The board's register -------------------------------------------------------------------------------------------------------------- */

struct setting {
	uint32_t every, from_ms;
};

/* A job. */
static int write_every(struct hf_device *dev, void *arg)
{
	struct setting *s = arg;

	return device_sample(dev->board, s->every, &s->from_ms);
}

static void set_every(struct daemon *d, uint32_t every)
{
	struct setting setting = { .every = every < DEVICE_SAMPLE_MAX ? every : DEVICE_SAMPLE_MAX };
	struct samples *s = &d->shared.samples;
	int rc;

	if (!attack_counts(d) || d->samples_off)
		return;
	rc = service_run(d->dev, write_every, &setting);
	if (rc == -EACCES || rc == -ENXIO)
		d->samples_off = true;
	if (rc)
		return;
	pthread_mutex_lock(&d->shared.lock);
	s->before = s->every;
	s->every = setting.every;
	s->from_ms = setting.from_ms;
	pthread_mutex_unlock(&d->shared.lock);
}

void samples_start(struct daemon *d)
{
	struct samples *s = &d->shared.samples;

	d->samples_off = false;
	if (!s->began_ms[0])
		s->began_ms[0] = s->began_ms[1] = clock_ms();
	set_every(d, s->every ? s->every : 1);
}

void samples_too_many(struct daemon *d)
{
	struct samples *s = &d->shared.samples;
	uint32_t every = s->every;

	if (every < DEVICE_SAMPLE_MAX)
		set_every(d, every * RAISE);
	pthread_mutex_lock(&d->shared.lock);
	/* With the largest it is looked at again in the next second only, whatever the board does. */
	if (s->every != every) {
		s->seen_now = 0;
		s->too_many = false;
	}
	pthread_mutex_unlock(&d->shared.lock);
}

void samples_second(struct daemon *d)
{
	struct samples *s = &d->shared.samples;
	int64_t now = clock_ms();
	bool looking = atomic_load(&d->tracing) || (d->top_asked_ms && now - d->top_asked_ms < LOOKING_MS);
	uint64_t most = d->attack.active || looking ? PER_SECOND : PER_SECOND_QUIET;
	uint64_t every = d->rates.syn <= most ? 1 : (d->rates.syn + most - 1) / most;

	pthread_mutex_lock(&d->shared.lock);
	s->seen_now = 0;
	s->too_many = false;
	if (now - s->began_ms[0] >= SAMPLE_WINDOW_MS) {
		memcpy(s->source[1], s->source[0], sizeof(s->source[0]));
		memset(s->source[0], 0, sizeof(s->source[0]));
		s->seen[1] = s->seen[0];
		s->syns[1] = s->syns[0];
		s->seen[0] = s->syns[0] = 0;
		s->began_ms[1] = s->began_ms[0];
		s->began_ms[0] = now;
		/* No event is under way so long; and the board's clock goes round. */
		s->before = s->every;
	}
	pthread_mutex_unlock(&d->shared.lock);
	/* Not for every little more or less. */
	if (every > s->every + s->every / 4 || every < s->every / 2 || !s->every)
		set_every(d, every < DEVICE_SAMPLE_MAX ? (uint32_t)every : DEVICE_SAMPLE_MAX);
}

/* Told ------------------------------------------------------------------------------------------------------------------------------- */

struct row {
	union address prefix;
	uint64_t syns, dropped, connections, denied;
};

static int by_syns(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->syns != y->syns)
		return x->syns < y->syns ? 1 : -1;
	return x->connections < y->connections ? 1 : -(x->connections > y->connections);
}

static int by_connections(const void *a, const void *b)
{
	const struct top *x = a, *y = b;

	return x->connections < y->connections ? 1 : -(x->connections > y->connections);
}

static struct row *row_of(struct row *rows, unsigned count, const union address *prefix)
{
	for (unsigned i = 0; i < count; i++) {
		if (address_same_host(&rows[i].prefix, prefix))
			return &rows[i];
	}
	return NULL;
}

/* Those of both windows, most first. */
static unsigned merge(const struct samples *s, struct row *rows)
{
	unsigned count = 0;

	for (unsigned w = 0; w < 2; w++) {
		for (unsigned i = 0; i < SAMPLE_SOURCES; i++) {
			const struct source_syns *from = &s->source[w][i];
			struct row *r = from->syns ? row_of(rows, count, &from->prefix) : NULL;

			if (!from->syns)
				continue;
			if (!r) {
				r = &rows[count++];
				*r = (struct row){ .prefix = from->prefix };
			}
			r->syns += from->syns - from->over;
			r->dropped += from->dropped;
		}
	}
	qsort(rows, count, sizeof(*rows), by_syns);
	return count;
}

/* Half of the rows for those who send most SYNs, half for those who have most connections, and what one half leaves for the other. They
 * come to the front of `rows`, which has room for more than the `count` there are. */
static unsigned choose(struct row *rows, unsigned count, struct top *top)
{
	unsigned tops = 0, shown;

	qsort(top, CONTROL_TOP_MAX, sizeof(*top), by_connections);
	while (tops < CONTROL_TOP_MAX && top[tops].connections)
		tops++;
	shown = tops < CONTROL_TOP_MAX / 2 ? CONTROL_TOP_MAX - tops : CONTROL_TOP_MAX / 2;
	if (shown > count)
		shown = count;
	for (unsigned i = 0; i < tops; i++) {
		struct row *r = row_of(rows, count, &top[i].prefix);

		if (!r) {
			r = &rows[count++];
			*r = (struct row){ .prefix = top[i].prefix };
		}
		r->connections = top[i].connections;
		r->denied = top[i].denied;
		if (r >= rows + shown && shown < CONTROL_TOP_MAX) {
			struct row other = rows[shown];

			rows[shown++] = *r;
			*r = other;
		}
	}
	qsort(rows, shown, sizeof(*rows), by_syns);
	return shown;
}

json_t *samples_top_json(struct daemon *d)
{
	struct row *rows = calloc(2 * SAMPLE_SOURCES + CONTROL_TOP_MAX, sizeof(*rows));
	struct samples *s = malloc(sizeof(*s));
	struct top top[CONTROL_TOP_MAX];
	json_t *list = json_array(), *reply;
	int64_t window;
	unsigned count;

	if (!rows || !s) {
		free(rows);
		free(s);
		return json_pack("{s:o}", "sources", list);
	}
	pthread_mutex_lock(&d->shared.lock);
	memcpy(top, d->shared.top, sizeof(top));
	*s = d->shared.samples;
	pthread_mutex_unlock(&d->shared.lock);
	window = clock_ms() - s->began_ms[1];
	count = choose(rows, merge(s, rows), top);
	for (unsigned i = 0; i < count; i++) {
		char text[ADDRESS_TEXT_BYTES];

		json_array_append_new(
			list, json_pack("{s:I, s:I, s:o, s:I, s:I, s:I}", "connections",
				      (json_int_t)rows[i].connections, "denied", (json_int_t)rows[i].denied, "prefix",
				      json_sprintf("%s/%u", address_host_text(&rows[i].prefix, text),
					      rules_source(&rows[i].prefix, &rows[i].prefix)),
				      "syns", (json_int_t)rows[i].syns, "syn_rate",
				      (json_int_t)(window > 0 ? rows[i].syns * 1000 / (uint64_t)window : 0),
				      "syns_dropped", (json_int_t)rows[i].dropped));
	}
	reply = json_pack("{s:o, s:I, s:I, s:I, s:I}", "sources", list, "window_ms",
		(json_int_t)(s->every ? window : 0), "samples", (json_int_t)(s->seen[0] + s->seen[1]), "syns",
		(json_int_t)(s->syns[0] + s->syns[1]), "every", (json_int_t)(attack_counts(d) ? s->every : 0));
	free(rows);
	free(s);
	return reply;
}
