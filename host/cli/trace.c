/* SPDX-License-Identifier: Apache-2.0
 * trace.c - `handfast trace`: the live ladder of what happens to connections, for a terminal or as pcapng.
 *
 * SYN, SYN-ACK and final ACK never reach the host, so no frame of them is there to show: they are drawn, and written, from
 * the numbers of the ESTABLISHED event, and say so. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../sim/pcapng.h"
#include "cli.h"

static const char usage[] =
	"usage: handfast trace [--host ADDRESS] [--port PORT] [--sample N] [--count N] [-w FILE] [--json] [--socket "
	"PATH]\n"
	"\n"
	"What happens to connections, as it happens, until a signal: events of the board, frames between host and "
	"board,\n"
	"handoffs. Handshakes are drawn from the numbers of their ESTABLISHED event; of SYNs that came to nothing, "
	"samples, with "
	"their\n"
	"cause.\n"
	"\n"
	"  --host A, --port N  only connections with that end\n"
	"  --sample N          each N-th connection event and frame; default 1\n"
	"  --count N           end after N lines\n"
	"  -w FILE             write a pcapng file for tshark or Wireshark instead; the three segments of a handshake, "
	"which the\n"
	"                      kernel never saw, and sampled SYNs that were dropped are rebuilt and carry a comment\n"
	"  --json              a JSON object per line, as host/daemon/control.h describes\n"
	"  --socket PATH       control socket; default $HANDFAST_CONTROL, else that of an installed handfastd\n"
	"\n"
	"Exit code: 0 ended by a signal or --count, 1 no daemon or a file that cannot be written, 2 bad usage.\n";

struct trace_options {
	json_t *request;
	const char *file;
	long long count;
};

struct endpoint {
	bool ip6;
	uint8_t addr[16];
	uint16_t port;
};

static const char *take(void *ctx, int val, const char *text)
{
	struct trace_options *t = ctx;
	long long n;

	switch (val) {
	case 'w':
		t->file = text;
		return NULL;
	case 256:
		json_object_set_new(t->request, "host", json_string(text));
		return NULL;
	case 257:
		if (!cli_number(text, 1, 65535, &n))
			return "not a port from 1 to 65535";
		json_object_set_new(t->request, "port", json_integer(n));
		return NULL;
	case 258:
		if (!cli_number(text, 1, 1000000, &n))
			return "not a number from 1 to 1000000";
		json_object_set_new(t->request, "sample", json_integer(n));
		return NULL;
	default:
		return cli_number(text, 1, 1000000000, &t->count) ? NULL : "not a number from 1 to 1000000000";
	}
}

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* "192.0.2.1:80", "[2001:db8::1]:80" */
static bool endpoint_parse(const char *text, struct endpoint *e)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	long long port;
	size_t n;

	e->ip6 = *text == '[';
	if (!colon || !cli_number(colon + 1, 0, 65535, &port))
		return false;
	n = (size_t)(colon - text);
	if (e->ip6 && (n < 2 || text[n - 1] != ']'))
		return false;
	if (e->ip6) {
		text++;
		n -= 2;
	}
	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = 0;
	e->port = (uint16_t)port;
	return inet_pton(e->ip6 ? AF_INET6 : AF_INET, host, e->addr) == 1;
}

/* ---- pcapng ---- */

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v);
}

/* RFC 1071, over an even number of octets. */
static uint16_t sum(const uint8_t *at, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i += 2)
		s += (uint32_t)at[i] << 8 | at[i + 1];
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, ETHERNET = 14, TCP_BYTES = 20 };

/* A segment without options and payload; MAC addresses are not known here and 0. Returns its length. */
static size_t rebuild(uint8_t *frame, const struct endpoint *from, const struct endpoint *to, uint8_t flags,
	uint32_t seq, uint32_t ack, uint32_t window)
{
	size_t ip = from->ip6 ? 40 : 20, address = from->ip6 ? 16 : 4;
	uint8_t *l3 = frame + ETHERNET, *tcp = l3 + ip, *addresses = l3 + (from->ip6 ? 8 : 12);

	memset(frame, 0, ETHERNET + ip + TCP_BYTES);
	put16(frame + 12, from->ip6 ? 0x86dd : 0x0800);
	memcpy(addresses, from->addr, address);
	memcpy(addresses + address, to->addr, address);
	put16(tcp, from->port);
	put16(tcp + 2, to->port);
	put32(tcp + 4, seq);
	put32(tcp + 8, flags & ACK ? ack : 0);
	tcp[12] = TCP_BYTES / 4 << 4;
	tcp[13] = flags;
	put16(tcp + 14, window > 65535 ? 65535 : window);
	put16(tcp + 16, 0xffff ^ sum(tcp, TCP_BYTES, sum(addresses, 2 * address, 6 + TCP_BYTES)));
	if (from->ip6) {
		l3[0] = 0x60;
		put16(l3 + 4, TCP_BYTES);
		l3[6] = 6;
		l3[7] = 64;
	} else {
		l3[0] = 0x45;
		put16(l3 + 2, (uint32_t)ip + TCP_BYTES);
		l3[8] = 64;
		l3[9] = 6;
		put16(l3 + 10, 0xffff ^ sum(l3, ip, 0));
	}
	return ETHERNET + ip + TCP_BYTES;
}

static int write_handshake(struct pcapng *file, const json_t *line, uint64_t time_ns)
{
	static const char comment[] =
		"rebuilt by handfast trace from the board's ESTABLISHED event; options are not shown";
	bool active = cli_true(line, "active");
	uint32_t iss = (uint32_t)cli_int(line, "snd_nxt") - 1, irs = (uint32_t)cli_int(line, "rcv_nxt") - 1;
	uint32_t window = (uint32_t)cli_int(line, "snd_wnd");
	struct endpoint local, remote;
	uint8_t frame[128];
	int result = 0;

	if (!endpoint_parse(cli_text(line, "local"), &local) || !endpoint_parse(cli_text(line, "remote"), &remote))
		return 0;
	for (unsigned i = 0; i < 3 && !result; i++) {
		bool out = (i == 1) != active; /* the first and the last segment are the opener's */
		uint8_t flags = i == 0 ? SYN : i == 1 ? SYN | ACK : ACK;
		uint32_t seq = (out ? iss : irs) + (i == 2), ack = (out ? irs : iss) + 1;
		size_t n = rebuild(
			frame, out ? &local : &remote, out ? &remote : &local, flags, seq, ack, out ? 65535 : window);

		result = pcapng_write(file, out ? PCAPNG_OUTBOUND : PCAPNG_INBOUND, time_ns, frame, n, comment);
	}
	return result;
}

/* A SYN that the board dropped. One that it answered is not written: its handshake may follow. */
static int write_sample(struct pcapng *file, const json_t *line, uint64_t time_ns)
{
	struct endpoint local, remote;
	uint8_t frame[128];
	char comment[200];
	size_t n;

	if (!*cli_text(line, "cause") || !endpoint_parse(cli_text(line, "local"), &local) ||
		!endpoint_parse(cli_text(line, "remote"), &remote) || local.ip6 != remote.ip6)
		return 0;
	snprintf(comment, sizeof(comment),
		"rebuilt by handfast trace from the board's SAMPLE event, one of %lld SYNs; dropped: %.40s; window and "
		"options "
		"are not shown",
		cli_int(line, "every"), cli_text(line, "cause"));
	n = rebuild(frame, &remote, &local, SYN, (uint32_t)cli_int(line, "seq"), 0, 0);
	return pcapng_write(file, PCAPNG_INBOUND, time_ns, frame, n, comment);
}

/* "0a1b" to octets; returns how many. */
static size_t unhex(const char *text, uint8_t *octets, size_t size)
{
	size_t n = 0;
	unsigned value;

	while (n < size && text[2 * n] && text[2 * n + 1] && sscanf(text + 2 * n, "%2x", &value) == 1)
		octets[n++] = (uint8_t)value;
	return n;
}

/* Returns 0 or -errno. */
static int write_line(struct pcapng *file, const json_t *line, int64_t wall_ns)
{
	static uint8_t frame[16384];
	uint64_t time_ns = (uint64_t)(cli_int(line, "time_ns") + wall_ns);
	bool up = !strcmp(cli_text(line, "direction"), "up");
	size_t n;
	int result = 0;

	if (!strcmp(cli_text(line, "trace"), "event")) {
		if (!strcmp(cli_text(line, "what"), "ESTABLISHED"))
			result = write_handshake(file, line, time_ns);
		else if (!strcmp(cli_text(line, "what"), "SAMPLE"))
			result = write_sample(file, line, time_ns);
	} else if (!strcmp(cli_text(line, "trace"), "frame")) {
		n = unhex(cli_text(line, "hex"), frame, sizeof(frame));
		if (n)
			result = pcapng_write(file, up ? PCAPNG_INBOUND : PCAPNG_OUTBOUND, time_ns, frame, n, NULL);
	}
	return result ? result : pcapng_flush(file);
}

/* ---- the ladder ---- */

enum { RUNG = 66 };

/* One rung: from the peer (left) to us, or back. */
static void rung(const json_t *line, double ms, bool to_us, const char *text, const char *note)
{
	int fill = RUNG - 8 - (int)strlen(text);

	printf("%12.3f  %-24s |%s %s ", ms, cli_text(line, "remote"), to_us ? "-----" : "<----", text);
	for (int i = 0; i < fill; i++)
		putchar('-');
	printf("%s|  %s%s%s\n", to_us ? ">" : "-", cli_text(line, "local"), *note ? "  " : "", note);
}

static void print_handshake(const json_t *line, double ms)
{
	bool active = cli_true(line, "active");
	uint32_t iss = (uint32_t)cli_int(line, "snd_nxt") - 1, irs = (uint32_t)cli_int(line, "rcv_nxt") - 1;
	char text[RUNG];

	for (unsigned i = 0; i < 3; i++) {
		bool out = (i == 1) != active;
		uint32_t seq = (out ? iss : irs) + (i == 2), ack = (out ? irs : iss) + 1;

		if (i == 0)
			snprintf(text, sizeof(text), "SYN SEQ=%u", seq);
		else
			snprintf(text, sizeof(text), "%s SEQ=%u ACK=%u", i == 1 ? "SYN,ACK" : "ACK", seq, ack);
		rung(line, ms, !out, text,
			i < 2			   ? "in the board"
			: cli_true(line, "cookie") ? "ESTABLISHED, by a SYN cookie"
						   : "ESTABLISHED");
	}
}

static void print_sample(const json_t *line, double ms)
{
	char text[RUNG], note[96];
	const char *cause = cli_text(line, "cause");

	snprintf(text, sizeof(text), "SYN SEQ=%lld", cli_int(line, "seq"));
	snprintf(note, sizeof(note), "%s%.40s; a sample, one of %s", *cause ? "DROPPED: " : "answered", cause,
		cli_thousands(cli_int(line, "every")));
	rung(line, ms, true, text, note);
}

static void print_flags(char *text, size_t size, const char *letters)
{
	static const struct {
		char letter;
		const char *name;
	} names[] = { { 'S', "SYN" }, { 'F', "FIN" }, { 'R', "RST" }, { 'P', "PSH" }, { 'A', "ACK" }, { 'U', "URG" },
		{ 'E', "ECE" }, { 'C', "CWR" } };
	size_t at = 0;

	text[0] = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strchr(letters, names[i].letter) && at < size)
			at += (size_t)snprintf(text + at, size - at, "%s%s", at ? "," : "", names[i].name);
}

static void print_line(const json_t *line, int64_t zero_ns)
{
	const char *kind = cli_text(line, "trace"), *what = cli_text(line, "what");
	double ms = (double)(cli_int(line, "time_ns") - zero_ns) / 1e6;
	char text[RUNG], flags[32];

	if (!strcmp(kind, "frame")) {
		print_flags(flags, sizeof(flags), cli_text(line, "flags"));
		snprintf(text, sizeof(text), "%s SEQ=%lld ACK=%lld WND=%lld", flags, cli_int(line, "seq"),
			cli_int(line, "ack"), cli_int(line, "wnd"));
		snprintf(flags, sizeof(flags), "%lld bytes", cli_int(line, "length"));
		rung(line, ms, !strcmp(cli_text(line, "direction"), "up"), text, flags);
	} else if (!strcmp(kind, "event") && !strcmp(what, "ESTABLISHED")) {
		print_handshake(line, ms);
	} else if (!strcmp(kind, "event") && !strcmp(what, "SAMPLE")) {
		print_sample(line, ms);
	} else if (!strcmp(kind, "event")) {
		printf("%12.3f  %-24s  %s, %s, id 0x%08llx  %s\n", ms, cli_text(line, "remote"), what,
			cli_text(line, "state"), cli_int(line, "id"), cli_text(line, "local"));
	} else if (!strcmp(kind, "handoff")) {
		printf("%12.3f  %-24s  handed to the application by way %s%s%s  %s\n", ms, cli_text(line, "remote"),
			cli_text(line, "way"), cli_true(line, "ok") ? "" : ": FAILED, ", cli_text(line, "errno"),
			cli_text(line, "local"));
	} else if (!strcmp(kind, "dropped")) {
		printf("%12s  %lld lines were lost: this terminal is too slow\n", "", cli_int(line, "count"));
	}
}

int trace_main(int argc, char **argv)
{
	static const struct option own[] = { { "host", required_argument, NULL, 256 },
		{ "port", required_argument, NULL, 257 }, { "sample", required_argument, NULL, 258 },
		{ "count", required_argument, NULL, 259 }, { "write", required_argument, NULL, 'w' }, { 0 } };
	struct trace_options t = { .request = json_pack("{s:s}", "request", "trace") };
	struct sigaction action = { .sa_handler = on_signal };
	struct pcapng *file = NULL;
	struct cli_options o;
	struct control *control;
	struct timespec wall;
	json_t *line;
	int64_t zero_ns = -1, wall_ns = 0;
	int result = cli_parse(argc, argv, usage, own, take, &t, 0, 0, &o), got;

	if (result) {
		json_decref(t.request);
		return result - 1;
	}
	control = control_open(argv[0], &o);
	if (!control) {
		json_decref(t.request);
		return 1;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	json_object_set_new(t.request, "hex", json_boolean(t.file != NULL));
	if (t.file && (result = pcapng_open(&file, t.file))) {
		fprintf(stderr, "%s: -w %s: %s\n", argv[0], t.file, strerror(-result));
		json_decref(t.request);
		control_close(control);
		return 1;
	}
	result = control_request(control, t.request, &line);
	if (!result)
		json_decref(line);
	for (long long n = 0; !result && !stop && (!t.count || n < t.count);) {
		got = control_next(control, 1000, &line);
		if (got < 0)
			result = 1;
		if (got <= 0)
			continue;
		n++;
		if (zero_ns < 0 && json_is_integer(json_object_get(line, "time_ns"))) {
			clock_gettime(CLOCK_REALTIME, &wall);
			zero_ns = cli_int(line, "time_ns");
			wall_ns = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec - zero_ns;
		}
		if (file) {
			int error = write_line(file, line, wall_ns);

			if (error) {
				fprintf(stderr, "%s: -w %s: %s\n", argv[0], t.file, strerror(-error));
				result = 1;
			}
		} else if (o.json) {
			json_dumpf(line, stdout, JSON_COMPACT);
			putchar('\n');
			fflush(stdout);
		} else {
			print_line(line, zero_ns);
			fflush(stdout);
		}
		json_decref(line);
	}
	if (pcapng_close(file) && !result) {
		fprintf(stderr, "%s: -w %s: could not be written\n", argv[0], t.file);
		result = 1;
	}
	control_close(control);
	return result;
}
