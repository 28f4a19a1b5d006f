/* SPDX-License-Identifier: Apache-2.0
 * main_lockstep.c - RTL against model under directed rows and random traffic, legal and hostile.
 *
 * The run is cut into phases of PHASE cycles, the five geometries in turn, or with --data-width those of that width.
 * A phase depends on the seed, its geometry and its number only, so any cycle can be replayed without those of the
 * phases before. What comparing cannot see is watched apart: broken stream rules (sim.c), what lockstep_check() balances,
 * and what directed rows expect. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lockstep.h"

#define PHASE	     160000u  /* cycles */
#define CHECK_EVERY  45000u   /* cycles between two checks of conservation */
#define COVER_CYCLES 2000000u /* from here on what was never reached is a failure */

static struct totals totals;

struct options {
	uint64_t cycles, seed;
	enum engine_kind kind;
	const enum engine_size *sizes; /* that phases have in turn */
	unsigned size_count;
	const char *width; /* --data-width, or NULL */
	const char *waves;
};

static enum engine_size size_of(const struct options *o, uint64_t number)
{
	return o->sizes[number % o->size_count];
}

/* The first difference, where it is, and how to see it. */
static void report(const struct options *o, const struct run *r, uint64_t number)
{
	const struct sim *s = r->s;
	const char *text = engine_mismatches(s->engine) ? engine_first_mismatch(s->engine) : s->faults ? s->fault : "";
	const uint64_t end = (number + 1) * PHASE;
	uint64_t cycle = totals.cycles, clock = s->cycle;

	/* sim and engine count from their opening; the run counts through. */
	if (sscanf(text, "cycle %" SCNu64, &clock) == 1)
		cycle -= s->cycle - clock;
	printf("seed %" PRIu64 ", cycle %" PRIu64 ": %s\n", o->seed, cycle, *text ? strstr(text, ": ") + 2 : r->fault);
	printf("in phase %" PRIu64 " (%s geometry), clock %" PRIu64 " of its engine\n", number,
		engine_size_name(size_of(o, number)), clock);
	/* Not beyond the phase: what is replayed is the last phase of the run. */
	printf("waves of it: make waves SEED=%" PRIu64 " CYCLES=%" PRIu64 "%s%s\n", o->seed,
		cycle + 50 < end ? cycle + 50 : end, o->width ? " DATA_WIDTH=" : "", o->width ? o->width : "");
}

/* Runs phase `number` for at most `cycles` cycles. Returns false after the first difference or fault. */
static bool run_phase(const struct options *o, uint64_t number, uint64_t cycles)
{
	const enum engine_size size = size_of(o, number);
	const uint64_t round = number / o->size_count;
	struct run *r = calloc(1, sizeof *r);
	/* The first phases of each geometry begin with directed rows. */
	static bool (*const rows[])(struct run *) = { lockstep_rows, lockstep_limits, lockstep_order, lockstep_rules,
		lockstep_moments, lockstep_ticks };
	uint64_t next_check = CHECK_EVERY, mismatches;
	bool good;

	if (!r)
		goto no_memory;
	r->rng.state = o->seed * UINT64_C(0x2545f4914f6cdd1d) + number;
	r->s = sim_open(o->kind, size, rng_next(&r->rng));
	if (!r->s)
		goto no_memory;
	r->params = r->s->params;
	r->left = cycles;
	r->totals = &totals;
	lockstep_begin(r);
	r->cookie = rng_next(&r->rng);
	if (o->waves) {
		r->waves = o->waves;
		r->waves_at = cycles < LOCKSTEP_WAVES ? cycles : LOCKSTEP_WAVES;
		r->keep_going = true;
	}
	/* Resets keep the large table from filling, so some phases have few or none. */
	r->resets = (const unsigned[]){ 12000, 30000, 0 }[round % 3];
	lockstep_mood(r);
	for (unsigned i = 0; i < PEERS; i++)
		lockstep_connection(r, &r->peers[i]);
	good = round >= COUNT(rows) || rows[round](r);
	if (!good && !r->failed && cycles == PHASE)
		lockstep_fault(r, "cycles are too few for the directed rows of round", PHASE, round);
	if (good) {
		lockstep_configure(r);
		while (lockstep_random(r)) {
			if (r->s->cycle >= next_check) {
				lockstep_check(r);
				next_check += CHECK_EVERY;
			}
		}
	}
	lockstep_bank(r);
	mismatches = engine_mismatches(r->s->engine);
	if (mismatches || r->s->faults || *r->fault) {
		report(o, r, number);
		totals.mismatches += mismatches ? mismatches : 1;
	}
	good = !r->failed && !mismatches;
	sim_close(r->s);
	free(r);
	return good;
no_memory:
	fprintf(stderr, "lockstep: out of memory\n");
	exit(1);
}

/* Says so if something was never reached, and returns 1 then. */
static unsigned reached(const char *what, const char *in, uint64_t count)
{
	if (!count)
		printf("never: %s%s%s\n", what, *in ? " " : "", in);
	return !count;
}

static const char *const state_names[] = {
#define STATE(name, code, text, owner) [code] = text,
#include "../regs/tcp_state.def"
#undef STATE
};

/* Whether an op can find an entry in that state: LISTEN is what a segment found in the listen table, and the host's
 * states have no timer. */
static bool possible(unsigned state, unsigned op)
{
	if (state == HF_STATE_LISTEN)
		return op == HF_OP_SEGMENT;
	return op != HF_OP_TIMEOUT || (state != HF_STATE_ESTABLISHED && state != HF_STATE_CLOSE_WAIT);
}

/* State before against kind of op, and against the state after. Returns what was never reached. */
static unsigned print_states(void)
{
	static const char *const ops[] = {
#define OP(name, code, doc) [code] = #name,
#include "../regs/verdict.def"
#undef OP
	};
	unsigned missed = 0;

	printf("\n%-14s", "state before");
	for (unsigned op = 0; op < COUNT(ops); op++)
		printf("%9s", ops[op]);
	printf("   written as\n");
	for (unsigned s = 0; s < COUNT(state_names); s++) {
		printf("%-14s", state_names[s]);
		for (unsigned op = 0; op < COUNT(ops); op++)
			printf(possible(s, op) ? "%9" PRIu64 : "%9.0" PRIu64, totals.traced[s][op]);
		printf("  ");
		for (unsigned after = 0; after < COUNT(state_names); after++)
			if (totals.became[s][after])
				printf(" %s %" PRIu64, state_names[after], totals.became[s][after]);
		printf("\n");
	}
	for (unsigned s = 0; s < COUNT(state_names); s++)
		for (unsigned op = 0; op < COUNT(ops); op++)
			if (possible(s, op))
				missed += reached(state_names[s], ops[op], totals.traced[s][op]);
	return missed;
}

/* Every event and every status. */
static unsigned print_codes(void)
{
	unsigned missed = 0;

	printf("events:");
#define EVENT(name, code, doc) printf(" " #name " %" PRIu64, totals.events[code]);
#include "../regs/message.def"
#undef EVENT
	printf("\nstatuses:");
#define STATUS(name, code, doc) printf(" " #name " %" PRIu64, totals.statuses[code]);
#include "../regs/message.def"
#undef STATUS
	printf("\n");
#define EVENT(name, code, doc) missed += reached("event ", #name, totals.events[code]);
#include "../regs/message.def"
#undef EVENT
#define STATUS(name, code, doc) missed += reached("status ", #name, totals.statuses[code]);
#include "../regs/message.def"
#undef STATUS
	return missed;
}

/* Prints what was reached; returns the number of counters, states, events, statuses and situations that never were. */
static unsigned print_coverage(const struct options *o)
{
	static const char *const names[] = {
#define COUNTER(name, doc) #name,
#include "../regs/counter.def"
#undef COUNTER
	};
	unsigned missed = 0;

	for (unsigned i = 0; i < HF_CNT_COUNT; i++) {
		printf("%-19s%9" PRIu64 "%s", names[i], totals.counter[i],
			i % 4 == 3 || i == HF_CNT_COUNT - 1 ? "\n" : "   ");
		missed += reached(names[i], "", totals.counter[i]);
	}
	missed += print_states() + print_codes();
	missed += lockstep_cover_print(&totals, engine_params[o->sizes[o->size_count - 1]]->data_w);
	return missed;
}

static int usage(const char *bad)
{
	fprintf(stderr,
		"lockstep: bad argument %s; usage: lockstep [--cycles N] [--seed S] [--engine rtl|model|lockstep] "
		"[--data-width 64|512] [--waves FILE]\n",
		bad);
	return 2;
}

static bool number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

int main(int argc, char **argv)
{
	static const enum engine_size all[] = { ENGINE_DEFAULT, ENGINE_SMALL, ENGINE_LEAN, ENGINE_WIDE,
		ENGINE_WIDE_SMALL };
	static const struct option long_options[] = { { "cycles", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' }, { "engine", required_argument, NULL, 'e' },
		{ "data-width", required_argument, NULL, 'd' }, { "waves", required_argument, NULL, 'w' }, { 0 } };
	struct options o = { .cycles = 1000000, .seed = 1, .kind = ENGINE_LOCKSTEP, .sizes = all, .size_count = 5 };
	enum engine_size size;
	uint64_t phase = 0;
	unsigned missed;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if ((c == 'c' && number(optarg, &o.cycles) && o.cycles) || (c == 's' && number(optarg, &o.seed)) ||
			(c == 'e' && !engine_kind_parse(optarg, &o.kind)))
			continue;
		if (c == 'd' && !engine_width_parse(optarg, &size)) {
			o.sizes = size == ENGINE_WIDE ? all + 3 : all;
			o.size_count = size == ENGINE_WIDE ? 2 : 3;
			o.width = optarg;
			continue;
		}
		if (c != 'w')
			return usage(argv[optind - 1]);
		o.waves = optarg;
	}
	if (optind != argc)
		return usage(argv[optind]);
	setvbuf(stdout, NULL, _IOLBF, 0);

	if (o.waves) {
		phase = (o.cycles - 1) / PHASE;
		totals.cycles = phase * PHASE;
	} else if (stimulus_init(&totals.record, PHASE)) {
		fprintf(stderr, "lockstep: out of memory\n");
		return 1;
	}
	while (totals.cycles < o.cycles) {
		const uint64_t left = o.cycles - totals.cycles;

		if (!run_phase(&o, phase++, left < PHASE ? left : PHASE))
			break;
	}
	missed = totals.mismatches ? 0 : print_coverage(&o);
	if (missed && o.cycles >= COVER_CYCLES && !o.waves && !totals.mismatches) {
		printf("%u things were never reached: the stimulus is too poor\n", missed);
		totals.mismatches++;
	}
	printf("lockstep: cycles=%" PRIu64 " frames=%" PRIu64 " mismatches=%" PRIu64 " rtl_cps=%" PRIu64
	       " model_cps=%" PRIu64 "\n",
		totals.cycles, totals.frames, totals.mismatches,
		stimulus_cps(&totals.record, ENGINE_RTL, o.sizes[0], 1),
		stimulus_cps(&totals.record, ENGINE_MODEL, o.sizes[0], 1));
	stimulus_free(&totals.record);
	return totals.mismatches ? 1 : 0;
}
