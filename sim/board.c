/* SPDX-License-Identifier: Apache-2.0
 * board.c - `handfast board`: a simulated board between a wire and a host process, in real time. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "board_host.h"
#include "commands.h"
#include "json_text.h"
#include "lossy.h"
#include "options.h"
#include "packet.h"
#include "session.h"
#include "wire.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

enum {
	INPUTS_AHEAD = 32,   /* frames, and messages, given to the simulation before it runs */
	BURST_CLOCKS = 1024, /* run before the sockets are looked at again */
	STILL_CLOCKS = 32,   /* without a move: time may jump to the real one */
	IDLE_MS = 1000,	     /* longest sleep: heartbeat and millisecond clock go on */
};

static const char usage[] =
	"usage: handfast board --engine rtl|model|lockstep --wire WIRE --host HOST [options]\n"
	"\n"
	"A simulated board as a process. Prints `board: engine=E wire=W host=H ready` when it can be used, a summary\n"
	"when SIGINT or SIGTERM ends it. It follows the real time, and sleeps while nothing happens.\n"
	"\n"
	"  --engine E         rtl: the Verilated RTL; model: the C model; lockstep: both, compared at every clock\n"
	"  --data-width W     bits of the core's streams: 64 (156.25 MHz for 10 GbE, the default) or 512 (322.27 MHz)\n"
	"  --wire tap:NAME    the board makes a TAP netdev NAME; the kernel behind it is the peer\n"
	"  --wire packet:IF   frames of an existing interface, by a packet socket\n"
	"  --wire unix:PATH   the board listens; one Ethernet frame without FCS per SOCK_SEQPACKET packet, one peer\n"
	"                     at a time, the next one waits\n"
	"  --host unix:PATH   the board listens for one host; one message per SOCK_SEQPACKET packet, HELLO first\n"
	"  --host vfio-user:PATH  the board is a PCI device of the vfio-user client that connects: QEMU 10.1 or later, "
	"or a\n"
	"                     program whose board is vfio-user:PATH (docs/pcie.md); one at a time; --data-width 64 "
	"only\n"
	"  --host usbip:ADDR:PORT  the board is a USB device of the Linux that attaches it (usbip attach, "
	"docs/usb.md); a\n"
	"                     loopback address; one at a time\n"
	"  --host none        no host: the board configures itself, what goes to the host is discarded. Nobody "
	"answers\n"
	"                     ARP then: the peer needs a neighbour entry for the board's MAC, 02:48:46:53:54:01\n"
	"  --listen ADDR:PORT a listener the board sets up itself; may be repeated, 0.0.0.0 = any of the addresses\n"
	"  --config FILE      registers the board sets up itself: `NAME = value`, `NAME.FIELD = value`, `MAC = "
	"address`,\n"
	"                     `KEY_ISN = 32 hex digits`, other keys likewise; # comments; names as in "
	"docs/registers.md\n"
	"  --pcapng FILE      write both directions of the wire, with the cycle and the state as comments\n"
	"  --ladder           print the frames of the engine as a ladder; --ladder=all prints every frame\n"
	"  --json             an object per line: ready, the frames of the ladder, the summary\n"
	"  --loss N           of 1000 frames on the wire, each way, N are lost; 0 to 1000, default 0. Likewise:\n"
	"  --duplicate N      N come twice\n"
	"  --reorder N        N are overtaken by those of the next 30 ms\n"
	"  --corrupt N        N have one bit turned round, behind the Ethernet header\n"
	"  --seed N           what the RTL's memories hold before reset, and which frames suffer; default 1\n"
	"\n"
	"Exit code: 0 ended by a signal, 1 a lock-step mismatch or an error, 2 bad usage.\n";

struct options {
	struct engine_options engine;
	const char *wire, *host, *pcapng;
	const struct board_host_ops *host_kind; /* NULL = none */
	const char *host_where;
	bool ladder, ladder_all, json, self_configured;
	struct lossy_chances lossy;
};

struct board {
	struct session session;
	struct wire wire;
	struct board_host *host;		/* NULL = none */
	struct pollfd host_fds[BOARD_HOST_FDS]; /* what became of its descriptors */
	unsigned arrived;			/* frames given to the simulation so far */
	struct lossy in, out;			/* the cable, each way */
	struct pcapng *pcapng;
	uint64_t clock_ns; /* CLOCK_MONOTONIC when time_ns was 0 */
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static uint64_t clock_now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t now_ms(void)
{
	return clock_now(CLOCK_MONOTONIC) / NS_PER_MS;
}

static void on_tx(void *ctx, const uint8_t *frame, size_t len)
{
	struct board *b = ctx;

	lossy_put(&b->out, frame, len, now_ms());
}

/* The far ends of the cable. */
static void wire_end(void *ctx, const uint8_t *frame, size_t len)
{
	struct board *b = ctx;

	wire_send(&b->wire, frame, len);
}

static void board_end(void *ctx, const uint8_t *frame, size_t len)
{
	struct board *b = ctx;

	if (!session_rx(&b->session, frame, len))
		b->arrived++;
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len)
{
	struct board *b = ctx;

	if (b->host && b->host->ops->c2h)
		b->host->ops->c2h(b->host, &b->session, msg, len);
}

/* Parse the command line. Returns 0, or the exit code plus 1 (--help is exit code 0). */
static int parse(int argc, char **argv, struct options *o)
{
	enum { WIRE = 256, HOST, PCAPNG, LADDER, JSON, LOSS, DUPLICATE, REORDER, CORRUPT, HELP };
	static const struct option longs[] = {
		ENGINE_OPTIONS,
		{ "wire", required_argument, NULL, WIRE },
		{ "host", required_argument, NULL, HOST },
		{ "pcapng", required_argument, NULL, PCAPNG },
		{ "ladder", optional_argument, NULL, LADDER },
		{ "json", no_argument, NULL, JSON },
		{ "loss", required_argument, NULL, LOSS },
		{ "duplicate", required_argument, NULL, DUPLICATE },
		{ "reorder", required_argument, NULL, REORDER },
		{ "corrupt", required_argument, NULL, CORRUPT },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	const struct option *at;
	uint64_t chance;
	int c, code;

	memset(o, 0, sizeof(*o));
	o->engine.seed = 1;
	options_begin();
	while ((c = options_next(argc, argv, longs)) != -1) {
		switch (c) {
		case WIRE:
			o->wire = optarg;
			break;
		case HOST:
			o->host = optarg;
			break;
		case PCAPNG:
			o->pcapng = optarg;
			break;
		case LADDER:
			if (optarg && strcmp(optarg, "all")) {
				fprintf(stderr, "board: --ladder=%s: only =all\n", optarg);
				return 3;
			}
			o->ladder = true;
			o->ladder_all = optarg;
			break;
		case JSON:
			o->json = true;
			break;
		case LOSS:
		case DUPLICATE:
		case REORDER:
		case CORRUPT:
			if (!options_number(optarg, 0, 1000, &chance)) {
				for (at = longs; at->val != c; at++)
					;
				fprintf(stderr, "board: --%s %s: not a number from 0 to 1000\n", at->name, optarg);
				return 3;
			}
			*(c == LOSS		 ? &o->lossy.loss
				: c == DUPLICATE ? &o->lossy.duplicate
				: c == REORDER	 ? &o->lossy.reorder
						 : &o->lossy.corrupt) = (unsigned)chance;
			break;
		case HELP:
			fputs(usage, stdout);
			return 1;
		default:
			code = options_engine(argv[0], c, &o->engine);
			if (code)
				return code + 1;
		}
	}
	if (!o->engine.name || !o->wire || !o->host) {
		fprintf(stderr, "board: --%s is missing (handfast board --help)\n",
			!o->engine.name ? "engine"
			: !o->wire	? "wire"
					: "host");
		return 3;
	}
	code = options_engine_kind(argv[0], &o->engine);
	if (code)
		return code + 1;
	o->self_configured = o->engine.configured;
	if (!strcmp(o->host, "none")) {
		o->self_configured = true;
		return 0;
	}
	o->host_kind = board_host_kind(o->host, &o->host_where);
	if (o->host_kind)
		return 0;
	fprintf(stderr, "board: --host %s: not one of %s, none\n", o->host, board_host_forms());
	return 3;
}

static uint64_t pin_time(const struct board *b)
{
	return clock_now(CLOCK_MONOTONIC) - b->clock_ns;
}

/* Real time for the simulation. Where it is late while its outlet moves something, it is a slower board, not one whose
 * milliseconds have but a clock each: at most one of them in a round, and the rest is not made up. */
static uint64_t paced_time(struct board *b)
{
	uint64_t now = pin_time(b), limit = b->session.sim->time_ps / 1000 + NS_PER_MS;

	if (now <= limit || !b->host || !b->host->ops->moves || !b->host->ops->moves(b->host))
		return now;
	b->clock_ns += now - limit;
	return limit;
}

/* Hand over what came, at most INPUTS_AHEAD of a kind. Returns how many, or -1 when the wire is gone. */
static int take_inputs(struct board *b)
{
	uint8_t buffer[SIM_FRAME_MAX];
	unsigned arrived = b->arrived;
	int taken = 0, n = 0;
	size_t len;

	lossy_run(&b->in, now_ms());
	while (sim_rx_pending(b->session.sim) < INPUTS_AHEAD &&
		(n = wire_receive(&b->wire, buffer, sizeof(buffer))) > 0) {
		len = (size_t)n;
		if (len < PACKET_MIN_FRAME) {
			memset(buffer + len, 0, PACKET_MIN_FRAME - len); /* as the sender's MAC does */
			len = PACKET_MIN_FRAME;
		}
		lossy_put(&b->in, buffer, len, now_ms());
	}
	if (n < 0) {
		fprintf(stderr, "board: %s: %s\n", b->wire.name, strerror(-n));
		return -1;
	}
	if (b->host)
		taken = (int)b->host->ops->take(b->host, &b->session, INPUTS_AHEAD);
	return taken + (int)(b->arrived - arrived);
}

/* Sleep until something comes or a timer is due; with `busy` only look. */
static void wait_for_input(struct board *b, bool busy, const sigset_t *unblocked)
{
	struct timespec timeout = { 0 };
	struct pollfd fds[1 + BOARD_HOST_FDS];
	unsigned host = wire_poll(&b->wire, fds), count = host;
	int64_t timer_ms = session_next_timer_ms(&b->session);
	uint64_t lossy_ms =
		lossy_next_ms(&b->in) < lossy_next_ms(&b->out) ? lossy_next_ms(&b->in) : lossy_next_ms(&b->out);

	if (b->host)
		count += b->host->ops->poll(b->host, fds + count);
	if (!busy) {
		if (timer_ms < 0 || timer_ms > IDLE_MS)
			timer_ms = IDLE_MS;
		if (lossy_ms < now_ms() + (uint64_t)timer_ms)
			timer_ms = lossy_ms > now_ms() ? (int64_t)(lossy_ms - now_ms()) : 0;
		if (timer_ms == 0)
			timer_ms = 1;
		timeout.tv_sec = timer_ms / 1000;
		timeout.tv_nsec = timer_ms % 1000 * (long)NS_PER_MS;
	}
	if (ppoll(fds, count, &timeout, unblocked) < 0)
		for (unsigned i = 0; i < count; i++)
			fds[i].revents = 0;
	memcpy(b->host_fds, fds + host, (count - host) * sizeof(*fds));
}

/* Before a sleep: everything that is known is written where others can read it. */
static void come_to_rest(struct board *b)
{
	session_settle(&b->session, BURST_CLOCKS);
	if (b->pcapng)
		pcapng_flush(b->pcapng);
}

/* Run until a signal. Returns 0, or 1 when the wire is gone. */
static int serve(struct board *b, const sigset_t *unblocked)
{
	struct session *s = &b->session;
	uint64_t still = s->pass_clocks, ran = 0, now;
	bool stuck = false;
	int taken;

	while (!stop) {
		wait_for_input(b, still < s->pass_clocks && !stuck, unblocked);
		now = paced_time(b);
		/* Between frames time may jump; within a burst it follows the clocks, so that the nanoseconds between a
		 * SYN and its answer are the engine's, unless the burst lasts. */
		if (ran < BURST_CLOCKS || now * 1000 > s->sim->time_ps + NS_PER_MS * 1000)
			session_advance(s, now);
		if (b->host)
			b->host->ops->serve(b->host, s, b->host_fds);
		lossy_run(&b->out, now_ms());
		taken = take_inputs(b);
		if (taken < 0)
			return 1;
		if (taken)
			still = 0;
		else if (still >= s->pass_clocks)
			continue;
		ran = sim_settle(s->sim, STILL_CLOCKS, BURST_CLOCKS);
		/* While the host does not read, its own messages cannot end: no reason to stay awake. */
		stuck = b->host && b->host->ops->stuck(b->host) && !taken && !sim_rx_pending(s->sim);
		still = ran == STILL_CLOCKS ? still + ran : 0;
		session_check(s);
		if (still >= s->pass_clocks)
			come_to_rest(b);
	}
	return 0;
}

/* Open everything; board_main() closes what was opened, also after a failure. Returns 0, or the exit code. */
static int open_board(struct board *b, const struct options *o, struct ladder *ladder)
{
	static const uint8_t mac[6] = { 0x02, 'H', 'F', 'S', 'T', 0x01 };
	struct record_options record = { .ladder = o->ladder ? ladder : NULL, .ladder_all = o->ladder_all };
	uint8_t keys[CONFIG_KEY_BYTES];
	char error[256] = "no random numbers for the keys";
	uint64_t now;
	int result;

	result = wire_open(&b->wire, o->wire, error, sizeof(error));
	if (result) {
		fprintf(stderr, "board: %s\n", error);
		return result == -EINVAL ? 2 : 1;
	}
	if (o->host_kind) {
		result = o->host_kind->open(
			&(struct board_host_options){ o->host_where, o->engine.kind, o->engine.seed }, &b->host, error,
			sizeof(error));
		if (result) {
			fprintf(stderr, "board: %s\n", error);
			return result == -ENAMETOOLONG || result == -EINVAL ? 2 : 1;
		}
	}
	if (o->pcapng) {
		result = pcapng_open(&b->pcapng, o->pcapng);
		if (result) {
			fprintf(stderr, "board: %s: %s\n", o->pcapng, strerror(-result));
			return 1;
		}
	}
	lossy_init(&b->in, &o->lossy, o->engine.seed, board_end, b);
	lossy_init(&b->out, &o->lossy, ~o->engine.seed, wire_end, b);
	now = clock_now(CLOCK_MONOTONIC);
	b->clock_ns = now - now % (UINT64_C(1) << 53);
	result = session_open(&b->session, o->engine.kind, o->engine.size, o->engine.seed, now - b->clock_ns);
	if (result) {
		fprintf(stderr, "board: engine %s: %s\n", engine_kind_name(o->engine.kind),
			result == -ENOMEM ? "out of memory" : "did not become ready");
		return 1;
	}
	b->session.tx = on_tx;
	b->session.c2h = on_c2h;
	b->session.ctx = b;
	if (b->host && b->host->ops->attach) {
		result = b->host->ops->attach(b->host, &b->session);
		if (result) {
			fprintf(stderr, "board: --host %s: %s\n", o->host,
				result == -ENOTSUP ? "only with --data-width 64" : strerror(-result));
			return 1;
		}
	}
	if (o->ladder || o->pcapng) {
		record.pcapng = b->pcapng;
		record.wall_ns = (int64_t)(clock_now(CLOCK_REALTIME) - pin_time(b));
		b->session.record = record_open(&record);
		if (!b->session.record) {
			fprintf(stderr, "board: out of memory\n");
			return 1;
		}
	}
	if (o->self_configured) {
		if (getrandom(keys, sizeof(keys), 0) != sizeof(keys) ||
			config_apply(&o->engine.config, b->session.sim, mac, keys, error, sizeof(error))) {
			fprintf(stderr, "board: %s\n", error);
			return 1;
		}
	}
	return 0;
}

static void cable_summary(const struct board *b)
{
	const struct lossy *const ways[] = { &b->in, &b->out };

	for (unsigned i = 0; i < 2; i++)
		printf("board: cable %s: %" PRIu64 " frames, %" PRIu64 " lost, %" PRIu64 " doubled, %" PRIu64
		       " overtaken, %" PRIu64 " damaged\n",
			i ? "out" : "in", ways[i]->frames, ways[i]->lost, ways[i]->duplicated, ways[i]->reordered,
			ways[i]->corrupted);
}

static void say_ready(const struct options *o)
{
	if (o->json) {
		printf("{\"ready\": \"board\", \"engine\": \"%s\", ", engine_kind_name(o->engine.kind));
		json_text(stdout, "wire", o->wire);
		fputs(", ", stdout);
		json_text(stdout, "host", o->host);
		puts("}");
	} else {
		printf("board: engine=%s wire=%s host=%s ready\n", engine_kind_name(o->engine.kind), o->wire, o->host);
	}
	fflush(stdout);
}

static void summary(const struct board *b, const struct options *o)
{
	session_summary(&b->session, "board", stdout);
	if (b->host && b->host->ops->summary)
		b->host->ops->summary(b->host, "board", stdout);
	if (o->lossy.loss || o->lossy.duplicate || o->lossy.reorder || o->lossy.corrupt)
		cable_summary(b);
	if (b->wire.lost)
		printf("board: %" PRIu64 " frames out found nobody on the wire\n", b->wire.lost);
}

static void summary_json(const struct board *b)
{
	const struct lossy *const ways[] = { &b->in, &b->out };

	printf("{\"summary\": \"board\", ");
	session_json(&b->session, stdout);
	if (b->host && b->host->ops->json)
		b->host->ops->json(b->host, stdout);
	for (unsigned i = 0; i < 2; i++)
		printf(", \"cable_%s\": {\"frames\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"doubled\": %" PRIu64
		       ", \"overtaken\": %" PRIu64 ", \"damaged\": %" PRIu64 "}",
			i ? "out" : "in", ways[i]->frames, ways[i]->lost, ways[i]->duplicated, ways[i]->reordered,
			ways[i]->corrupted);
	printf(", \"frames_out_to_nobody\": %" PRIu64 "}\n", b->wire.lost);
}

int board_main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct board *b = calloc(1, sizeof(*b));
	struct ladder ladder;
	struct options o;
	sigset_t blocked, unblocked;
	int result = parse(argc, argv, &o);

	if (result || !b) {
		free(b);
		if (!result)
			fprintf(stderr, "board: out of memory\n");
		return result ? result - 1 : 1;
	}
	/* The signals wait but while ppoll() sleeps, so that none is missed between the test of `stop` and the sleep. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, &unblocked);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (signal(SIGHUP, SIG_IGN) != SIG_IGN) /* nohup stays nohup */
		sigaction(SIGHUP, &action, NULL);
	b->wire.fd = b->wire.listen_fd = -1;
	ladder_init(&ladder, stdout);
	ladder.json = o.json;
	result = open_board(b, &o, &ladder);
	if (!result) {
		say_ready(&o);
		result = serve(b, &unblocked);
		session_settle(&b->session, BURST_CLOCKS);
		if (session_counters(&b->session))
			fprintf(stderr, "board: the counters cannot be read\n");
		if (o.json)
			summary_json(b);
		else
			summary(b, &o);
		if (!session_passed(&b->session))
			result = 1;
	}
	lossy_free(&b->in);
	lossy_free(&b->out);
	if (b->session.sim)
		memset(b->session.sim->outlet, 0, sizeof(b->session.sim->outlet));
	if (b->host)
		b->host->ops->close(b->host);
	session_close(&b->session);
	wire_close(&b->wire);
	if (pcapng_close(b->pcapng)) {
		fprintf(stderr, "board: %s: could not be written\n", o.pcapng);
		result = 1;
	}
	free(b);
	return result;
}
