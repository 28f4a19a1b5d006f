/* SPDX-License-Identifier: Apache-2.0
 * replay.c - `handfast replay`: a capture through the engine. */
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "commands.h"
#include "options.h"
#include "packet.h"
#include "rng.h"
#include "session.h"

#define NS_PER_S UINT64_C(1000000000)

enum {
	START_NS = 1000000,  /* time_ns of the first frame, after the sweep */
	GAP_MAX_S = 3600,    /* a longer gap between two frames counts as this: a tick costs a clock */
	AHEAD = 16,	     /* frames queued when fed back to back */
	FLUSH_CLOCKS = 2000, /* closer frames than this are reached clock by clock */
	SETTLE_CLOCKS = 1000000,
};

static const char usage[] =
	"usage: handfast replay --engine rtl|model|lockstep --in A.pcap --out B.pcapng [options]\n"
	"\n"
	"Feeds a capture (pcap or pcapng; Ethernet or raw IP) to the wire side of the engine, at the times of the\n"
	"capture, and writes what went in and what came out, with the cycle and the state as comments. Prints a\n"
	"ladder and a summary. Replay is its own host: it sets the registers and takes what goes up.\n"
	"\n"
	"  --engine E         rtl: the Verilated RTL; model: the C model; lockstep: both, compared at every clock\n"
	"  --data-width W     bits of the core's streams: 64 (156.25 MHz for 10 GbE, the default) or 512 (322.27 MHz)\n"
	"  --in A.pcap        what to feed. Frames from the engine's own MAC to another one are left out\n"
	"  --out B.pcapng     both directions, nanosecond timestamps\n"
	"  --listen ADDR:PORT answer SYNs to this address and port; may be repeated, 0.0.0.0 = any of the addresses\n"
	"  --config FILE      registers: `NAME = value`, `NAME.FIELD = value`, `MAC = address`, `KEY_ISN = 32 hex\n"
	"                     digits`, other keys likewise; # comments; names as in docs/registers.md. Without MAC "
	"the\n"
	"                     engine takes the destination of the first frame to a listener, or of the first frame\n"
	"  --follow           move the acknowledgements of the peers to the engine's own sequence numbers where the\n"
	"                     capture shows the other server's SYN-ACK, so that captured handshakes complete\n"
	"  --back-to-back     feed without gaps\n"
	"  --quiet            no ladder\n"
	"  --json             an object per line: each frame of the ladder, then the summary\n"
	"  --seed N           keys, and what the RTL's memories hold before reset; default 1\n"
	"\n"
	"Exit code: 0 done, 1 a lock-step mismatch or an unreadable file, 2 bad usage.\n";

struct options {
	struct engine_options engine;
	const char *in, *out;
	bool back_to_back, follow, quiet, json;
};

/* A capture being read. */
struct capture {
	const char *path;
	pcap_t *pcap;
	bool raw_ip;
	uint8_t mac[6];	  /* destination of frames made from raw IP packets */
	uint64_t time_ns; /* of the frame in hand, since 1970 */
	size_t len;
	bool cut; /* the capture has not the whole frame */
	const uint8_t *frame;
	uint8_t made[SIM_FRAME_MAX + PACKET_ETH_HEADER];
};

/* What the first reading finds. */
struct overview {
	uint64_t frames, first_ns;
	uint8_t mac[6];
	bool has_mac;
};

/* A connection of the capture whose server was not our engine. */
struct followed {
	uint32_t remote_addr, local_addr, captured_iss, our_iss;
	uint16_t remote_port, local_port;
	bool captured, ours;
};

struct replay {
	struct session session;
	struct followed *followed;
	size_t followed_count, followed_room;
	uint64_t moved, own, cut, too_long, gaps;
};

/* Returns 0, or the exit code plus 1 (--help is exit code 0). */
static int parse(int argc, char **argv, struct options *o)
{
	enum { IN = 256, OUT, FOLLOW, BACK_TO_BACK, QUIET, JSON, HELP };
	static const struct option longs[] = {
		ENGINE_OPTIONS,
		{ "in", required_argument, NULL, IN },
		{ "out", required_argument, NULL, OUT },
		{ "follow", no_argument, NULL, FOLLOW },
		{ "back-to-back", no_argument, NULL, BACK_TO_BACK },
		{ "quiet", no_argument, NULL, QUIET },
		{ "json", no_argument, NULL, JSON },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	int c, code;

	memset(o, 0, sizeof(*o));
	o->engine.seed = 1;
	options_begin();
	while ((c = options_next(argc, argv, longs)) != -1) {
		switch (c) {
		case IN:
			o->in = optarg;
			break;
		case OUT:
			o->out = optarg;
			break;
		case FOLLOW:
			o->follow = true;
			break;
		case BACK_TO_BACK:
			o->back_to_back = true;
			break;
		case QUIET:
			o->quiet = true;
			break;
		case JSON:
			o->json = true;
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
	if (!o->engine.name || !o->in || !o->out) {
		fprintf(stderr, "replay: --%s is missing (handfast replay --help)\n",
			!o->engine.name ? "engine"
			: !o->in	? "in"
					: "out");
		return 3;
	}
	code = options_engine_kind(argv[0], &o->engine);
	return code ? code + 1 : 0;
}

/* Returns 0, or 1 after one line on stderr. */
static int capture_open(struct capture *c, const char *path)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	FILE *in = fopen(path, "re");
	struct stat st;
	int link;

	memset(c, 0, sizeof(*c));
	c->path = path;
	if (!in) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
		return 1;
	}
	if (fstat(fileno(in), &st) || !S_ISREG(st.st_mode)) {
		fprintf(stderr, "replay: %s: not a regular file\n", path);
		fclose(in);
		return 1;
	}
	c->pcap = pcap_fopen_offline_with_tstamp_precision(in, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!c->pcap) {
		fprintf(stderr, "replay: %s: not a readable capture: %s\n", path, error);
		fclose(in);
		return 1;
	}
	link = pcap_datalink(c->pcap);
	c->raw_ip = link == DLT_RAW || link == DLT_IPV4 || link == DLT_IPV6;
	if (link != DLT_EN10MB && !c->raw_ip) {
		const char *name = pcap_datalink_val_to_name(link);

		fprintf(stderr, "replay: %s: link type %s, not Ethernet or raw IP\n", path, name ? name : "unknown");
		pcap_close(c->pcap);
		return 1;
	}
	return 0;
}

/* Take the next frame in hand. Returns 1, 0 at the end, or -1 after one line on stderr. */
static int capture_next(struct capture *c)
{
	static const uint8_t source[6] = { 0x02, 'H', 'F', 'S', 'T', 0x02 };
	struct pcap_pkthdr *header;
	const uint8_t *data;
	int result = pcap_next_ex(c->pcap, &header, &data);

	if (result == PCAP_ERROR_BREAK)
		return 0;
	if (result != 1) {
		fprintf(stderr, "replay: %s: damaged or truncated: %s\n", c->path, pcap_geterr(c->pcap));
		return -1;
	}
	/* Nanosecond precision: tv_usec holds nanoseconds. */
	c->time_ns = (uint64_t)header->ts.tv_sec * NS_PER_S + (uint64_t)header->ts.tv_usec;
	c->cut = header->caplen < header->len;
	c->len = header->caplen;
	c->frame = data;
	if (c->raw_ip && c->len && c->len <= SIM_FRAME_MAX) {
		memcpy(c->made, c->mac, 6);
		memcpy(c->made + 6, source, 6);
		packet_put16(c->made + 12, data[0] >> 4 == 6 ? PACKET_ETHERTYPE_IPV6 : PACKET_ETHERTYPE_IPV4);
		memcpy(c->made + PACKET_ETH_HEADER, data, c->len);
		c->len += PACKET_ETH_HEADER;
		c->frame = c->made;
	}
	return 1;
}

static bool is_listener(const struct config *config, uint32_t addr, uint16_t port)
{
	for (unsigned i = 0; i < config->listener_count; i++)
		if (config->listeners[i].port == port &&
			(!config->listeners[i].addr || config->listeners[i].addr == addr))
			return true;
	return false;
}

/* Whether the board's side sent this frame: by its MAC, or, in a capture without MACs, by the listener it comes from. */
static bool is_own(const struct config *config, const struct capture *c, const uint8_t mac[6])
{
	struct packet p;

	if (!packet_parse(c->frame, c->len, &p))
		return false;
	if (c->raw_ip)
		return p.is_tcp && is_listener(config, p.src_addr, p.src_port);
	return !memcmp(p.src_mac, mac, 6) && memcmp(p.dst_mac, mac, 6);
}

/* Read the whole capture once: it must be sound to its end before anything is written. */
static int survey(const char *path, const struct config *config, struct overview *o)
{
	struct capture c;
	struct packet p;
	bool to_listener = false;
	int result;

	memset(o, 0, sizeof(*o));
	if (capture_open(&c, path))
		return 1;
	while ((result = capture_next(&c)) > 0) {
		if (!o->frames++)
			o->first_ns = c.time_ns;
		if (c.raw_ip || to_listener || !packet_parse(c.frame, c.len, &p) || p.dst_mac[0] & 1)
			continue;
		to_listener = p.is_tcp && is_listener(config, p.dst_addr, p.dst_port);
		if (o->has_mac && !to_listener)
			continue;
		memcpy(o->mac, p.dst_mac, 6);
		o->has_mac = true;
	}
	pcap_close(c.pcap);
	return result < 0;
}

/* The connection a TCP packet belongs to; outbound: it comes from our side. NULL when memory is short. */
static struct followed *follow(struct replay *r, const struct packet *p, bool outbound)
{
	struct followed key = { .remote_addr = outbound ? p->dst_addr : p->src_addr,
		.local_addr = outbound ? p->src_addr : p->dst_addr,
		.remote_port = outbound ? p->dst_port : p->src_port,
		.local_port = outbound ? p->src_port : p->dst_port };
	struct followed *f = r->followed;

	for (size_t i = 0; i < r->followed_count; i++, f++)
		if (f->remote_addr == key.remote_addr && f->local_addr == key.local_addr &&
			f->remote_port == key.remote_port && f->local_port == key.local_port)
			return f;
	if (r->followed_count == r->followed_room) {
		size_t room = r->followed_room ? 2 * r->followed_room : 64;

		f = realloc(r->followed, room * sizeof(*f));
		if (!f)
			return NULL;
		r->followed = f;
		r->followed_room = room;
	}
	r->followed[r->followed_count] = key;
	return &r->followed[r->followed_count++];
}

/* A SYN-ACK tells the ISS: that of the captured server, or of our engine. */
static void learn_iss(struct replay *r, const uint8_t *frame, size_t len, bool ours)
{
	struct packet p;
	struct followed *f;

	if (!packet_parse(frame, len, &p) || !p.is_tcp || (p.flags & (HF_SYN | HF_ACK)) != (HF_SYN | HF_ACK))
		return;
	f = follow(r, &p, true);
	if (f && ours) {
		f->our_iss = p.seq;
		f->ours = true;
	} else if (f) {
		f->captured_iss = p.seq;
		f->captured = true;
	}
}

/* Replace the 32-bit number at `at` inside a TCP header and correct the checksum by the difference (RFC 1624), so that
 * a checksum that was wrong in the capture stays wrong. */
static void replace32(uint8_t *tcp, size_t at, uint32_t value)
{
	uint32_t old = packet_get32(tcp + at);
	uint32_t sum = (uint16_t)~packet_get16(tcp + 16);

	sum += (~old >> 16) + (~old & 0xffff) + (value >> 16) + (value & 0xffff);
	packet_put32(tcp + at, value);
	packet_put16(tcp + 16, (uint16_t)~packet_fold(sum));
}

/* Move ACK of a peer's segment from the captured server's sequence numbers to our engine's. SACK blocks are not moved:
 * the engine does not read them. Returns whether `frame` was changed. */
static bool move_ack(struct replay *r, uint8_t *frame, size_t len)
{
	struct packet p;
	struct followed *f;
	uint8_t *tcp;

	if (!packet_parse(frame, len, &p) || !p.is_tcp || !(p.flags & HF_ACK))
		return false;
	f = follow(r, &p, false);
	if (!f || !f->captured || !f->ours)
		return false;
	tcp = frame + (p.options - frame) - 20;
	replace32(tcp, 8, p.ack - f->captured_iss + f->our_iss);
	return true;
}

static void on_tx(void *ctx, const uint8_t *frame, size_t len)
{
	learn_iss(ctx, frame, len, true);
}

/* Let the clock reach the time of the next frame. */
static void go_to(struct session *s, uint64_t time_ns)
{
	struct sim *sim = s->sim;
	uint64_t target = time_ns * 1000;

	while (sim->time_ps < target && target - sim->time_ps < FLUSH_CLOCKS * sim->period_ps)
		sim_step(sim);
	if (sim->time_ps >= target)
		return;
	session_settle(s, FLUSH_CLOCKS);
	session_advance(s, time_ns);
}

/* Feed the frame in hand. Returns 0, or -errno. */
static int feed(struct replay *r, const struct options *o, const struct capture *c, const uint8_t mac[6])
{
	static uint8_t frame[SIM_FRAME_MAX];
	struct session *s = &r->session;

	if (c->cut) {
		r->cut++;
		return 0;
	}
	if (!c->len || c->len > sizeof(frame)) {
		r->too_long++;
		return 0;
	}
	if (is_own(&o->engine.config, c, mac)) {
		learn_iss(r, c->frame, c->len, false);
		r->own++;
		return 0;
	}
	memcpy(frame, c->frame, c->len);
	if (o->follow)
		r->moved += move_ack(r, frame, c->len);
	return session_rx(s, frame, c->len);
}

/* Feed the capture. `wall_ns` is what the recording adds to time_ns. Returns 0, or 1 after one line on stderr. */
static int run(struct replay *r, const struct options *o, const uint8_t mac[6], uint64_t first_ns)
{
	struct session *s = &r->session;
	struct capture c;
	uint64_t last_ns = first_ns, pin_ns = s->sim->time_ps / 1000;
	int result, error = 0;

	if (capture_open(&c, o->in))
		return 1;
	memcpy(c.mac, mac, 6);
	while (!error && (result = capture_next(&c)) > 0) {
		if (c.time_ns > last_ns) {
			uint64_t gap = c.time_ns - last_ns;

			r->gaps += gap > GAP_MAX_S * NS_PER_S;
			pin_ns += gap > GAP_MAX_S * NS_PER_S ? GAP_MAX_S * NS_PER_S : gap;
			last_ns = c.time_ns;
		}
		if (o->follow)
			session_settle(s, FLUSH_CLOCKS); /* what this frame acknowledges may still be on its way out */
		if (!o->back_to_back)
			go_to(s, pin_ns);
		error = feed(r, o, &c, mac);
		while (sim_rx_pending(s->sim) >= AHEAD)
			sim_step(s->sim);
		session_check(s);
	}
	pcap_close(c.pcap);
	if (error)
		fprintf(stderr, "replay: %s: %s\n", o->in, strerror(-error));
	session_settle(s, SETTLE_CLOCKS);
	return error || result < 0;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void print_feed(const struct replay *r)
{
	if (r->own)
		printf("replay: %" PRIu64 " frames from the engine's own side were left out\n", r->own);
	if (r->cut)
		printf("replay: %" PRIu64 " frames that the capture cut short were left out\n", r->cut);
	if (r->too_long)
		printf("replay: %" PRIu64 " frames that are empty or longer than %d bytes were left out\n", r->too_long,
			SIM_FRAME_MAX);
	if (r->moved)
		printf("replay: %" PRIu64 " acknowledgements were moved to the engine's sequence numbers\n", r->moved);
	if (r->gaps)
		printf("replay: %" PRIu64 " gaps were cut to %d s\n", r->gaps, GAP_MAX_S);
}

static void print_json(const struct replay *r)
{
	printf("{\"summary\": \"replay\", ");
	session_json(&r->session, stdout);
	printf(", \"left_out\": {\"own\": %" PRIu64 ", \"cut_short\": %" PRIu64 ", \"empty_or_too_long\": %" PRIu64
	       "}, \"acknowledgements_moved\": %" PRIu64 ", \"gaps_cut\": %" PRIu64 "}\n",
		r->own, r->cut, r->too_long, r->moved, r->gaps);
}

/* Everything after the capture is known to be sound. Returns the exit code. */
static int replay(struct replay *r, const struct options *o, const uint8_t mac[6], const struct overview *overview)
{
	struct session *s = &r->session;
	struct record_options record = { .ladder_all = true };
	struct pcapng *pcapng;
	struct ladder ladder;
	struct rng rng = { o->engine.seed };
	uint8_t keys[CONFIG_KEY_BYTES];
	char error[256];
	int result = session_open(s, o->engine.kind, o->engine.size, o->engine.seed, START_NS);

	if (result) {
		fprintf(stderr, "replay: engine %s: %s\n", engine_kind_name(o->engine.kind),
			result == -ENOMEM ? "out of memory" : "did not become ready");
		return 1;
	}
	for (unsigned i = 0; i < sizeof(keys); i++)
		keys[i] = (uint8_t)rng_next(&rng);
	s->tx = on_tx;
	s->ctx = r;
	if (config_apply(&o->engine.config, s->sim, mac, keys, error, sizeof(error))) {
		fprintf(stderr, "replay: %s\n", error);
		return 1;
	}
	result = pcapng_open(&pcapng, o->out);
	if (result) {
		fprintf(stderr, "replay: %s: %s\n", o->out, strerror(-result));
		return 1;
	}
	ladder_init(&ladder, stdout);
	ladder.json = o->json;
	record.ladder = o->quiet ? NULL : &ladder;
	record.pcapng = pcapng;
	record.wall_ns = (int64_t)(overview->first_ns - s->sim->time_ps / 1000);
	s->record = record_open(&record);
	if (s->record) {
		result = run(r, o, mac, overview->first_ns);
	} else {
		fprintf(stderr, "replay: out of memory\n");
		result = 1;
	}
	if (session_counters(s)) {
		fprintf(stderr, "replay: the counters cannot be read\n");
		result = 1;
	}
	if (o->json) {
		print_json(r);
	} else {
		print_feed(r);
		session_summary(s, "replay", stdout);
	}
	if (!session_passed(s))
		result = 1;
	record_close(s->record);
	s->record = NULL;
	if (pcapng_close(pcapng)) {
		fprintf(stderr, "replay: %s: could not be written\n", o->out);
		result = 1;
	}
	return result;
}

int replay_main(int argc, char **argv)
{
	struct replay r = { 0 };
	struct overview overview;
	struct options o;
	uint8_t mac[6];
	int result = parse(argc, argv, &o);

	if (result)
		return result - 1;
	if (same_file(o.in, o.out)) {
		fprintf(stderr, "replay: --out %s is the input\n", o.out);
		return 2;
	}
	if (survey(o.in, &o.engine.config, &overview))
		return 1;
	memcpy(mac, overview.has_mac ? overview.mac : (const uint8_t[6]){ 0x02, 'H', 'F', 'S', 'T', 0x01 }, 6);
	config_mac(&o.engine.config, mac);
	result = replay(&r, &o, mac, &overview);
	session_close(&r.session);
	free(r.followed);
	return result;
}
