/* SPDX-License-Identifier: Apache-2.0
 * attack.c - run floods against a simulated board and print what became of each as a table (Markdown).
 * Without --flood: all of them, in the settings that docs/attack.md shows. Exit 1 if a promise was broken. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_attack.h"

#define AMPLIFICATION 1.2

static const char *const mode_names[] = { "never", "watermark", "always" };

__attribute__((noreturn)) static void usage(const char *what, const char *value)
{
	fprintf(stderr,
		"attack: %s '%s'; usage: attack [--engine rtl|model|lockstep] [--flood NAME] [--frames N] [--percent "
		"1..100] "
		"[--good 0..100] [--live 0..64] [--mode never|watermark|always] [--complete] [--miss-per-ms N] "
		"[--slow-host] "
		"[--host-sends] [--reset-at N] [--seed N]\n",
		what, value);
	exit(2);
}

static unsigned number(const char *option, const char *text, unsigned long low, unsigned long high)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 0);
	if (!*text || *end || errno || v < low || v > high || *text == '-')
		usage(option, text);
	return (unsigned)v;
}

static unsigned one_of(const char *option, const char *text, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!strcmp(text, names[i]))
			return i;
	}
	usage(option, text);
}

static void heading(void)
{
	puts("| flood | cookies | cache | frames | SYN-ACK | RST | to host | dropped, cause | out/in, worst 10 ms | "
	     "good | live |\n"
	     "|---|---|---|---|---|---|---|---|---|---|---|");
}

/* The causes that dropped more than one frame in a thousand. */
static void print_drops(const struct attack_result *r)
{
	static const struct {
		const char *name;
		enum hf_counter counter;
	} causes[] = {
#define HF_CNT_NONE			HF_CNT_RX_FRAMES /* the cause of what is not dropped */
#define CAUSE(name, code, counter, doc) { #name, (enum hf_counter)HF_CNT_##counter },
#include "../regs/verdict.def"
#undef CAUSE
	};
	const char *between = "";

	for (unsigned i = 1; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (r->counter[causes[i].counter] * 1000 > r->frames) {
			printf("%s%" PRIu64 " %s", between, r->counter[causes[i].counter], causes[i].name);
			between = ", ";
		}
	}
	if (r->counter[HF_CNT_DROP_HOST_FIFO] * 1000 > r->frames)
		printf("%s%" PRIu64 " HOST_FIFO", between, r->counter[HF_CNT_DROP_HOST_FIFO]);
	if (r->counter[HF_CNT_DROP_OVERRUN])
		printf("%s%" PRIu64 " OVERRUN", between, r->counter[HF_CNT_DROP_OVERRUN]);
}

/* Run one, print its row; returns the promises it broke. */
static unsigned row(const struct attack *a)
{
	struct attack_result r;
	unsigned broken = 0;
	int rc = attack_run(a, &r);

	if (rc) {
		fprintf(stderr, "attack: %s: %s\n", attack_flood_name(a->flood), strerror(-rc));
		exit(rc == -EINVAL ? 2 : 1);
	}
	printf("| %s%s%s | %s | %s | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | ",
		attack_flood_name(a->flood), a->slow_host ? ", slow host" : "", a->reset_at ? ", reset" : "",
		mode_names[a->mode],
		a->complete	 ? "complete"
		: a->miss_per_ms ? "limited"
				 : "partial",
		r.frames, r.syn_acks, r.resets, r.to_host);
	print_drops(&r);
	printf(" | %.3f | %" PRIu64 "/%" PRIu64 " | %" PRIu64 "/%" PRIu64 " |\n", r.out_per_in, r.good_done,
		r.good_tried, r.live_received, r.live_sent);
	fflush(stdout);
	if (r.mismatches || r.faults) {
		fprintf(stderr, "attack: %s: %" PRIu64 " mismatches, %" PRIu64 " broken promises at the pins\n",
			attack_flood_name(a->flood), r.mismatches, r.faults);
		broken++;
	}
	if (r.out_per_in > AMPLIFICATION) {
		fprintf(stderr, "attack: %s: the board amplified %.3f times\n", attack_flood_name(a->flood),
			r.out_per_in);
		broken++;
	}
	if (r.counter[HF_CNT_DROP_OVERRUN]) {
		fprintf(stderr, "attack: %s: frames were lost at the wire\n", attack_flood_name(a->flood));
		broken++;
	}
	if (a->mode && !a->reset_at && !a->slow_host && r.good_done != r.good_tried) {
		fprintf(stderr, "attack: %s: good handshakes failed\n", attack_flood_name(a->flood));
		broken++;
	}
	if (r.live_reset || (a->complete && a->flood != ATTACK_replay && !a->reset_at && !a->slow_host &&
				    r.live_received != r.live_sent)) {
		fprintf(stderr, "attack: %s: live connections were harmed\n", attack_flood_name(a->flood));
		broken++;
	}
	if (a->flood == ATTACK_guess)
		fprintf(stderr,
			"attack: guess: %" PRIu64 " of %" PRIu64 " guesses were right, one in 2^26 is expected\n",
			r.hostile_done, r.hostile);
	if (r.hostile_done && a->flood != ATTACK_replay && a->flood != ATTACK_guess) {
		fprintf(stderr, "attack: %s: %" PRIu64 " hostile connections\n", attack_flood_name(a->flood),
			r.hostile_done);
		broken++;
	}
	return broken;
}

/* The table of docs/attack.md: each flood at the wire limit with 1 % good frames; then the harder circumstances. */
static unsigned all(struct attack a)
{
	unsigned broken = 0;

	heading();
	for (unsigned f = 0; f < ATTACK_FLOODS; f++) {
		a.flood = (enum attack_flood)f;
		a.mode = f == ATTACK_replay || f == ATTACK_guess ? 2 : 1;
		a.complete = true;
		broken += row(&a);
	}
	a.complete = false;
	a.miss_per_ms = 100;
	for (unsigned f = ATTACK_ack; f <= ATTACK_syn_ack; f++) {
		a.flood = (enum attack_flood)f;
		a.mode = 1;
		broken += row(&a);
	}
	a.complete = true;
	a.miss_per_ms = 0;
	a.flood = ATTACK_syn;
	for (a.mode = 0; a.mode < 3; a.mode++)
		broken += row(&a);
	a.flood = ATTACK_nets;
	a.mode = 0;
	broken += row(&a);
	a.flood = ATTACK_syn;
	a.mode = 1;
	a.slow_host = true;
	broken += row(&a);
	a.slow_host = false;
	a.flood = ATTACK_ack;
	a.miss_per_ms = 100;
	a.reset_at = a.frames / 2;
	broken += row(&a);
	return broken;
}

int main(int argc, char **argv)
{
	static const char *const engines[] = { "rtl", "model", "lockstep" };
	enum { ENGINE = 256, FLOOD_, FRAMES, PERCENT, GOOD, LIVE, MODE, COMPLETE, MISS, SLOW, SENDS, RESET, SEED };
	static const struct option options[] = { { "engine", 1, NULL, ENGINE }, { "flood", 1, NULL, FLOOD_ },
		{ "frames", 1, NULL, FRAMES }, { "percent", 1, NULL, PERCENT }, { "good", 1, NULL, GOOD },
		{ "live", 1, NULL, LIVE }, { "mode", 1, NULL, MODE }, { "complete", 0, NULL, COMPLETE },
		{ "miss-per-ms", 1, NULL, MISS }, { "slow-host", 0, NULL, SLOW }, { "host-sends", 0, NULL, SENDS },
		{ "reset-at", 1, NULL, RESET }, { "seed", 1, NULL, SEED }, { 0 } };
	struct attack a = { .engine = ENGINE_MODEL,
		.frames = 1000000,
		.percent = 100,
		.good_percent = 1,
		.live = 20,
		.mode = 1,
		.seed = 1 };
	bool one = false;
	unsigned broken;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case ENGINE:
			one_of("--engine", optarg, engines, 3);
			engine_kind_parse(optarg, &a.engine);
			break;
		case FLOOD_:
			one = true;
			for (a.flood = 0; attack_flood_name(a.flood) && strcmp(attack_flood_name(a.flood), optarg);)
				a.flood++;
			if (a.flood == ATTACK_FLOODS)
				usage("no such flood", optarg);
			break;
		case FRAMES:
			a.frames = number("--frames", optarg, 1, 4000000000);
			break;
		case PERCENT:
			a.percent = number("--percent", optarg, 1, 100);
			break;
		case GOOD:
			a.good_percent = number("--good", optarg, 0, 100);
			break;
		case LIVE:
			a.live = number("--live", optarg, 0, 64);
			break;
		case MODE:
			a.mode = one_of("--mode", optarg, mode_names, 3);
			break;
		case COMPLETE:
			a.complete = true;
			break;
		case MISS:
			a.miss_per_ms = number("--miss-per-ms", optarg, 0, 6000);
			break;
		case SLOW:
			a.slow_host = true;
			break;
		case SENDS:
			a.host_sends = true;
			break;
		case RESET:
			a.reset_at = number("--reset-at", optarg, 1, 100000000);
			break;
		case SEED:
			a.seed = number("--seed", optarg, 0, 0xffffffff);
			break;
		default:
			usage("unknown option", argv[optind - 1]);
		}
	}
	if (optind < argc)
		usage("unexpected", argv[optind]);
	if (one) {
		heading();
		broken = row(&a);
	} else {
		broken = all(a);
	}
	printf("attack: %u promises broken\n", broken);
	return broken != 0;
}
