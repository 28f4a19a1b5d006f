/* SPDX-License-Identifier: Apache-2.0
 * query.c - the commands that ask handfastd one thing and print the answer. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define COMMON_USAGE                                                                                        \
	"  --json         the reply as one JSON object\n"                                                   \
	"  --socket PATH  control socket; default $HANDFAST_CONTROL, else that of an installed handfastd\n" \
	"\n"                                                                                                \
	"Exit code: 0 done, 1 refused or no daemon, 2 bad usage.\n"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One request without arguments; prints it as JSON or through `print`. */
static int ask_and_print(int argc, char **argv, const char *usage, json_t *request, int (*print)(const json_t *))
{
	struct cli_options o;
	json_t *reply;
	int result = cli_parse(argc, argv, usage, NULL, NULL, NULL, 0, 0, &o);

	if (result) {
		json_decref(request);
		return result - 1;
	}
	if (control_ask(argv[0], &o, request, &reply))
		return 1;
	if (o.json)
		cli_print_json(reply);
	result = print(o.json ? NULL : reply);
	json_decref(reply);
	return result;
}

/* ---- status ---- */

/* SYNs per second of each listener that has some. */
static void print_rates(const json_t *listeners)
{
	const json_t *l;
	unsigned shown = 0;
	size_t i;

	json_array_foreach(listeners, i, l)
	{
		if (!cli_int(l, "syn"))
			continue;
		printf("%s%s on %s port %lld", shown++ ? ", " : "SYNs       ", cli_thousands(cli_int(l, "syn")),
			cli_text(l, "address"), cli_int(l, "port"));
	}
	if (shown)
		putchar('\n');
}

static int print_status(const json_t *r)
{
	const json_t *addresses = r ? json_object_get(json_object_get(r, "tap"), "addresses") : NULL, *address;
	static const char *const ways[] = { "kernel", "repair" };
	const json_t *attacked, *listener;
	char path[32];
	size_t i;

	if (!r)
		return 0;
	printf("handfastd %s, pid %lld, up %s\n", cli_text(r, "version"), cli_int(r, "pid"),
		cli_duration(cli_int(r, "uptime_ms")));
	printf("link       %s%s%s\n", cli_text(r, "link"), *cli_text(r, "why") ? ": " : "", cli_text(r, "why"));
	printf("board      %s, %lld bits, version %lld, epoch 0x%08llx\n", cli_text(r, "board.uri"),
		cli_int(r, "board.data_width"), cli_int(r, "abi"), cli_int(r, "board.epoch"));
	if (json_object_get(r, "wire")) {
		printf("wire       %s", cli_true(r, "wire.up") ? "up" : "down");
		if (cli_true(r, "wire.up"))
			printf(", %lld Mbit/s, %s duplex", cli_int(r, "wire.mbits"),
				cli_true(r, "wire.full_duplex") ? "full" : "half");
		if (cli_true(r, "wire.phy_found"))
			printf(", PHY %lld\n", cli_int(r, "wire.phy_addr"));
		else
			printf(", no PHY answers\n");
	}
	printf("table      %s of %s entries, %s half-open, %s held for the host%s\n",
		cli_thousands(cli_int(r, "table.entries")), cli_thousands(cli_int(r, "board.slots")),
		cli_thousands(cli_int(r, "table.half_open")), cli_thousands(cli_int(r, "table.host_owned")),
		cli_true(r, "table.cookies") ? ", SYN cookies" : "");
	printf("netdev     %s, %s, MTU %lld", cli_text(r, "tap.name"), cli_text(r, "tap.mac"), cli_int(r, "tap.mtu"));
	json_array_foreach(addresses, i, address)
	{
		printf(", %s", json_string_value(address));
	}
	putchar('\n');
	printf("per second %s SYNs, %s established, %s handed off, %s opened, %s frames up, %s down\n",
		cli_thousands(cli_int(r, "rates.syn")), cli_thousands(cli_int(r, "rates.established")),
		cli_thousands(cli_int(r, "rates.handoffs")), cli_thousands(cli_int(r, "rates.connects")),
		cli_thousands(cli_int(r, "rates.frames_up")), cli_thousands(cli_int(r, "rates.frames_down")));
	print_rates(json_object_get(json_object_get(r, "rates"), "listeners"));
	printf("since start %s handed off, %s failed, %s found a full queue, %s board resets\n",
		cli_thousands(cli_int(r, "handoffs")), cli_thousands(cli_int(r, "handoff_failed")),
		cli_thousands(cli_int(r, "accept_overflow")), cli_thousands(cli_int(r, "board_resets")));
	for (i = 0; i < COUNT(ways); i++) {
		snprintf(path, sizeof(path), "ways.%s.usable", ways[i]);
		printf("way %-6s %s", ways[i], cli_true(r, path) ? "usable" : "not usable");
		snprintf(path, sizeof(path), "ways.%s.why", ways[i]);
		printf("%s%s\n", *cli_text(r, path) ? ": " : "", cli_text(r, path));
	}
	if (cli_int(r, "rules.on_board") + cli_int(r, "rules.on_host"))
		printf("rules      %lld of %lld in the board, %lld after the handshake\n", cli_int(r, "rules.on_board"),
			cli_int(r, "rules.room"), cli_int(r, "rules.on_host"));
	if (cli_true(r, "attack.active"))
		printf("ATTACK     since %s, %s SYNs per second\n", cli_duration(cli_int(r, "attack.since_ms")),
			cli_thousands(cli_int(r, "attack.syn_rate")));
	attacked = json_object_get(json_object_get(r, "attack"), "listeners");
	json_array_foreach(attacked, i, listener)
	{
		printf("ATTACK     on %s port %lld since %s, %s SYNs per second, %s at most\n",
			cli_text(listener, "address"), cli_int(listener, "port"),
			cli_duration(cli_int(listener, "since_ms")), cli_thousands(cli_int(listener, "syn_rate")),
			cli_thousands(cli_int(listener, "peak")));
	}
	return 0;
}

int status_main(int argc, char **argv)
{
	return ask_and_print(argc, argv,
		"usage: handfast status [--json] [--socket PATH]\n\n"
		"Link and version of the board, its table, what happens per second.\n\n" COMMON_USAGE,
		json_pack("{s:s}", "request", "status"), print_status);
}

/* ---- listeners ---- */

/* "-" where the board does not count. */
static const char *number_or_none(const json_t *o, const char *name)
{
	return json_is_integer(json_object_get(o, name)) ? cli_thousands(cli_int(o, name)) : "-";
}

/* Is it attacked, since when; or how long is it that it was? */
static void attack_cell(struct cli_table *t, const json_t *listener)
{
	bool ever = json_is_integer(json_object_get(listener, "attack_changed_ms")), now = cli_true(listener, "attack");
	char text[64];

	snprintf(text, sizeof(text), "%s%s", now ? "for " : "ended ",
		cli_duration(cli_int(listener, "attack_changed_ms")));
	if (ever && !now)
		strcat(text, " ago");
	cli_table_cell(t, ever ? text : "-");
}

static void listener_rows(const json_t *list)
{
	static const char *const columns[] = { "ADDRESS", ">PORT", "WAY", "MODE", ">SINCE", ">SYN/S", "ATTACK",
		">HANDED OFF", ">FAILED", ">QUEUED", "WHY" };
	struct cli_table *t = cli_table_new(columns, COUNT(columns));
	const json_t *l;
	size_t i;

	json_array_foreach(list, i, l)
	{
		char mode[32];

		cli_table_cell(t, cli_text(l, "address"));
		snprintf(mode, sizeof(mode), "%lld", cli_int(l, "port"));
		cli_table_cell(t, mode);
		cli_table_cell(t, cli_text(l, "way"));
		snprintf(mode, sizeof(mode), "%.12s%s%.12s", cli_text(l, "mode"),
			strcmp(cli_text(l, "mode"), cli_text(l, "wanted")) ? ", not " : "",
			strcmp(cli_text(l, "mode"), cli_text(l, "wanted")) ? cli_text(l, "wanted") : "");
		cli_table_cell(t, mode);
		cli_table_cell(t, cli_duration(cli_int(l, "since_ms")));
		cli_table_cell(t, number_or_none(l, "syn_rate"));
		attack_cell(t, l);
		cli_table_cell(t, cli_thousands(cli_int(l, "handoffs")));
		cli_table_cell(t, cli_thousands(cli_int(l, "failed")));
		cli_table_cell(t, cli_thousands(cli_int(l, "queued")));
		cli_table_cell(t, cli_text(l, "why"));
	}
	cli_table_end(t, stdout);
}

static int print_listeners(const json_t *r)
{
	if (r && !json_array_size(json_object_get(r, "listeners")))
		printf("no listener in the config\n");
	else if (r)
		listener_rows(json_object_get(r, "listeners"));
	return 0;
}

int listeners_main(int argc, char **argv)
{
	return ask_and_print(argc, argv,
		"usage: handfast listeners [--json] [--socket PATH]\n\n"
		"Each listener of the config: what the board does with its SYNs, since when, and why if that is not "
		"what is wanted.\n\n" COMMON_USAGE,
		json_pack("{s:s}", "request", "listeners"), print_listeners);
}

static const char *take_text(void *ctx, int val, const char *text)
{
	(void)val;
	*(const char **)ctx = text;
	return NULL;
}

int listener_main(int argc, char **argv)
{
	enum { ADDRESS = 256 };
	static const struct option own[] = { { "address", required_argument, NULL, ADDRESS }, { 0 } };
	const char *address = NULL;
	struct cli_options o;
	json_t *request, *reply, *list;
	long long port;
	int result = cli_parse(argc, argv,
		"usage: handfast listener PORT offload|bypass|off [--address ADDRESS] [--json] [--socket PATH]\n\n"
		"offload: the board answers. bypass: the SYNs go to the kernel. off: they go nowhere. Until the next "
		"reload.\n\n" COMMON_USAGE,
		own, take_text, &address, 2, 2, &o);

	if (result)
		return result - 1;
	if (!cli_number(o.argv[0], 1, 65535, &port)) {
		fprintf(stderr, "%s: %s: not a port from 1 to 65535\n", argv[0], o.argv[0]);
		return 2;
	}
	if (strcmp(o.argv[1], "offload") && strcmp(o.argv[1], "bypass") && strcmp(o.argv[1], "off")) {
		fprintf(stderr, "%s: %s: not offload, bypass or off\n", argv[0], o.argv[1]);
		return 2;
	}
	request = json_pack("{s:s, s:I, s:s}", "request", "listener", "port", (json_int_t)port, "mode", o.argv[1]);
	if (address)
		json_object_set_new(request, "address", json_string(address));
	if (control_ask(argv[0], &o, request, &reply))
		return 1;
	if (o.json) {
		cli_print_json(reply);
	} else {
		list = json_pack("[O]", json_object_get(reply, "listener"));
		listener_rows(list);
		json_decref(list);
	}
	json_decref(reply);
	return 0;
}

/* ---- conns ---- */

static const char *take_filter(void *ctx, int val, const char *text)
{
	json_t *request = ctx;
	long long n;

	switch (val) {
	case 256:
		json_object_set_new(request, "state", json_string(text));
		for (char *at = (char *)json_string_value(json_object_get(request, "state")); *at; at++)
			if (*at == '-')
				*at = '_';
		return NULL;
	case 257:
		json_object_set_new(request, "host", json_string(text));
		return NULL;
	case 258:
		if (!cli_number(text, 1, 65535, &n))
			return "not a port from 1 to 65535";
		json_object_set_new(request, "port", json_integer(n));
		return NULL;
	case 259:
		if (strcmp(text, "age") && strcmp(text, "peer") && strcmp(text, "state"))
			return "not age, peer or state";
		json_object_set_new(request, "sort", json_string(text));
		return NULL;
	default:
		if (!cli_number(text, 1, 1000000, &n))
			return "not a number from 1 to 1000000";
		json_object_set_new(request, "limit", json_integer(n));
		return NULL;
	}
}

int conns_main(int argc, char **argv)
{
	static const struct option own[] = { { "state", required_argument, NULL, 256 },
		{ "host", required_argument, NULL, 257 }, { "port", required_argument, NULL, 258 },
		{ "sort", required_argument, NULL, 259 }, { "limit", required_argument, NULL, 260 }, { 0 } };
	static const char *const columns[] = { "STATE", "LOCAL", "REMOTE", "OWNER", ">AGE", ">MSS", ">SND.WND",
		">RCV.WND", "ID" };
	json_t *request = json_pack("{s:s}", "request", "conns"), *reply;
	const json_t *list, *c;
	struct cli_table *t;
	struct cli_options o;
	char text[32];
	size_t i;
	int result = cli_parse(argc, argv,
		"usage: handfast conns [--state STATE] [--host ADDRESS] [--port PORT] [--sort age|peer|state] [--limit "
		"N]\n"
		"                      [--json] [--socket PATH]\n\n"
		"The connections in the board's table; STATE as in RFC 9293, `SYN-RECEIVED`. 1,000 at most unless "
		"--limit says otherwise.\n\n" COMMON_USAGE,
		own, take_filter, request, 0, 0, &o);

	if (result) {
		json_decref(request);
		return result - 1;
	}
	if (control_ask(argv[0], &o, request, &reply))
		return 1;
	if (o.json) {
		cli_print_json(reply);
		json_decref(reply);
		return 0;
	}
	list = json_object_get(reply, "conns");
	t = cli_table_new(columns, COUNT(columns));
	json_array_foreach(list, i, c)
	{
		char state[24];
		size_t k;

		snprintf(state, sizeof(state), "%s", cli_text(c, "state"));
		for (k = 0; state[k]; k++)
			if (state[k] == '_')
				state[k] = '-';
		cli_table_cell(t, state);
		cli_table_cell(t, cli_text(c, "local"));
		cli_table_cell(t, cli_text(c, "remote"));
		cli_table_cell(t, cli_text(c, "owner"));
		cli_table_cell(
			t, json_is_integer(json_object_get(c, "age_ms")) ? cli_duration(cli_int(c, "age_ms")) : "?");
		cli_table_cell(t, cli_thousands(cli_int(c, "mss")));
		cli_table_cell(t, cli_thousands(cli_int(c, "snd_wnd")));
		cli_table_cell(t, cli_thousands(cli_int(c, "rcv_wnd")));
		snprintf(text, sizeof(text), "0x%08llx", cli_int(c, "id"));
		cli_table_cell(t, text);
	}
	cli_table_end(t, stdout);
	if (cli_int(reply, "total") > (long long)json_array_size(list))
		printf("%zu of %s\n", json_array_size(list), cli_thousands(cli_int(reply, "total")));
	json_decref(reply);
	return 0;
}

/* ---- counters ---- */

struct counters_options {
	bool all;
	long long watch_s; /* 0 = once */
};

static const char *take_counters(void *ctx, int val, const char *text)
{
	struct counters_options *o = ctx;

	if (val == 256)
		o->all = true;
	else if (!text)
		o->watch_s = 1;
	else if (!cli_number(text, 1, 3600, &o->watch_s))
		return "not a number of seconds from 1 to 3600";
	return NULL;
}

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* Counters whose name holds `filter`; of those, only what is not 0 unless `all`, and what moved since `before`. */
static void print_counters(const json_t *now, const json_t *before, const char *filter, bool all, long long seconds)
{
	static const char *const columns[] = { "COUNTER", ">VALUE", ">PER SECOND" };
	struct cli_table *t = cli_table_new(columns, before ? 3 : 2);
	const char *name;
	const json_t *value;

	json_object_foreach((json_t *)now, name, value)
	{
		long long n = json_integer_value(value), was = json_integer_value(json_object_get(before, name));

		if ((filter && !strcasestr(name, filter)) || (!all && (before ? n == was : n == 0)))
			continue;
		cli_table_cell(t, name);
		cli_table_cell(t, cli_thousands(n));
		if (before)
			cli_table_cell(t, cli_thousands((n - was) / seconds));
	}
	cli_table_end(t, stdout);
	fflush(stdout);
}

int counters_main(int argc, char **argv)
{
	static const struct option own[] = { { "all", no_argument, NULL, 256 },
		{ "watch", optional_argument, NULL, 257 }, { 0 } };
	struct counters_options c = { 0 };
	struct sigaction action = { .sa_handler = on_signal };
	json_t *reply, *before = NULL;
	struct control *control;
	struct cli_options o;
	int result = cli_parse(argc, argv,
		"usage: handfast counters [NAME] [--all] [--watch[=SECONDS]] [--json] [--socket PATH]\n\n"
		"Counters of board, host library and daemon that are not 0, or whose name holds NAME. "
		"docs/registers.md tells\n"
		"what the board's count.\n\n"
		"  --all          those that are 0 too\n"
		"  --watch[=N]    again every N seconds (1) until a signal comes: what moved, and how much per "
		"second\n" COMMON_USAGE,
		own, take_counters, &c, 0, 1, &o);

	if (result)
		return result - 1;
	control = control_open(argv[0], &o);
	if (!control)
		return 1;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	do {
		if (control_request(control, json_pack("{s:s}", "request", "counters"), &reply)) {
			result = 1;
			break;
		}
		if (o.json && c.watch_s) {
			json_dumpf(json_object_get(reply, "counters"), stdout, JSON_COMPACT);
			putchar('\n');
			fflush(stdout);
		} else if (o.json) {
			cli_print_json(reply);
		} else {
			if (before)
				putchar('\n');
			print_counters(json_object_get(reply, "counters"), json_object_get(before, "counters"),
				o.argc ? o.argv[0] : NULL, c.all, c.watch_s);
		}
		json_decref(before);
		before = reply;
		if (c.watch_s && !stop)
			poll(NULL, 0, (int)c.watch_s * 1000);
	} while (c.watch_s && !stop);
	json_decref(before);
	control_close(control);
	return result;
}

/* ---- sources, rules ---- */

static int print_top(const json_t *r)
{
	static const char *const columns[] = { "SOURCE", ">SYN/S", ">SYNS", ">DROPPED", ">CONNECTIONS", ">DENIED" };
	static const char *const without[] = { "SOURCE", ">CONNECTIONS", ">DENIED" };
	long long shown = 0;
	bool sampled;
	struct cli_table *t;
	const json_t *s;
	size_t i;

	if (!r)
		return 0;
	sampled = cli_int(r, "every") || cli_int(r, "samples");
	t = sampled ? cli_table_new(columns, COUNT(columns)) : cli_table_new(without, COUNT(without));
	json_array_foreach(json_object_get(r, "sources"), i, s)
	{
		cli_table_cell(t, cli_text(s, "prefix"));
		if (sampled) {
			cli_table_cell(t, cli_thousands(cli_int(s, "syn_rate")));
			cli_table_cell(t, cli_thousands(cli_int(s, "syns")));
			cli_table_cell(t, cli_thousands(cli_int(s, "syns_dropped")));
		}
		cli_table_cell(t, cli_thousands(cli_int(s, "connections")));
		cli_table_cell(t, cli_thousands(cli_int(s, "denied")));
		shown += cli_int(s, "syns");
	}
	cli_table_end(t, stdout);
	if (!sampled)
		return 0;
	printf("SYNs are estimated: %s samples stand for %s SYNs in the last %s, one of %s now.\n",
		cli_thousands(cli_int(r, "samples")), cli_thousands(cli_int(r, "syns")),
		cli_duration(cli_int(r, "window_ms")), cli_thousands(cli_int(r, "every")));
	/* Many sources that send little each: spoofed ones. */
	if (cli_int(r, "syns"))
		printf("The networks above sent %lld %% of them.\n", shown * 100 / cli_int(r, "syns"));
	return 0;
}

int top_main(int argc, char **argv)
{
	return ask_and_print(argc, argv,
		"usage: handfast top [--json] [--socket PATH]\n\n"
		"The /24 and /64 networks that SYNs and connections come from, the busiest first, a bounded number. "
		"SYNs are\n"
		"those of the last one to two minutes, estimated from samples of the board; connections, those since "
		"the start of\n"
		"handfastd.\n\n" COMMON_USAGE,
		json_pack("{s:s}", "request", "top"), print_top);
}

static int print_rules(const json_t *r)
{
	static const char *const columns[] = { "PREFIX", "RULE", "WHERE", "FROM", ">DROPPED", ">CONNECTIONS" };
	struct cli_table *t;
	const json_t *rule;
	size_t i;

	if (!r)
		return 0;
	if (!json_array_size(json_object_get(r, "rules"))) {
		printf("no rule\n");
		return 0;
	}
	t = cli_table_new(columns, COUNT(columns));
	json_array_foreach(json_object_get(r, "rules"), i, rule)
	{
		char text[48];

		if (cli_true(rule, "deny"))
			snprintf(text, sizeof(text), "deny");
		else
			snprintf(text, sizeof(text), "%lld per second", cli_int(rule, "rate"));
		cli_table_cell(t, cli_text(rule, "prefix"));
		cli_table_cell(t, text);
		cli_table_cell(t, cli_text(rule, "where"));
		cli_table_cell(t, cli_true(rule, "config") ? "config" : "command");
		cli_table_cell(t, cli_thousands(cli_int(rule, "drops")));
		cli_table_cell(t, cli_thousands(cli_int(rule, "hits")));
	}
	cli_table_end(t, stdout);
	if (cli_int(r, "room"))
		printf("The board has room for %lld: those with the longest prefixes.\n", cli_int(r, "room"));
	else
		printf("This board has no rules of its own: all act when a handshake is complete.\n");
	return 0;
}

int rules_main(int argc, char **argv)
{
	return ask_and_print(argc, argv,
		"usage: handfast rules [--json] [--socket PATH]\n\n"
		"What `handfast limit`, `handfast deny` and the config have set, the longest prefix first: of those "
		"that match, it\n"
		"counts. \"board\": SYNs are dropped before the handshake; \"host\": connections are reset after "
		"it.\n\n" COMMON_USAGE,
		json_pack("{s:s}", "request", "rules"), print_rules);
}

/* After a change: nothing but the reply's own words, with --json. */
static int ask_to_change(const char *command, const struct cli_options *o, json_t *request)
{
	json_t *reply;

	if (control_ask(command, o, request, &reply))
		return 1;
	if (o->json)
		cli_print_json(reply);
	json_decref(reply);
	return 0;
}

int limit_main(int argc, char **argv)
{
	struct cli_options o;
	long long rate = 0;
	int result = cli_parse(argc, argv,
		"usage: handfast limit PREFIX RATE|off [--json] [--socket PATH]\n\n"
		"At most RATE new connections per second from PREFIX (192.0.2.0/24, 2001:db8::/64): the board drops "
		"further SYNs;\n"
		"where it has no room for the rule (handfast rules), connections beyond it are reset. Counted. Until "
		"the daemon\n"
		"ends; what shall stay is set in the config.\n\n" COMMON_USAGE,
		NULL, NULL, NULL, 2, 2, &o);

	if (result)
		return result - 1;
	if (strcmp(o.argv[1], "off") && !cli_number(o.argv[1], 1, 1000000000, &rate)) {
		fprintf(stderr, "%s: %s: not a rate from 1 to 1000000000, or off\n", argv[0], o.argv[1]);
		return 2;
	}
	return ask_to_change(argv[0], &o,
		json_pack("{s:s, s:s, s:I}", "request", "limit", "prefix", o.argv[0], "rate", (json_int_t)rate));
}

static const char *take_flag(void *ctx, int val, const char *text)
{
	(void)val;
	(void)text;
	*(bool *)ctx = true;
	return NULL;
}

int deny_main(int argc, char **argv)
{
	static const struct option own[] = { { "remove", no_argument, NULL, 256 }, { 0 } };
	bool remove = false;
	struct cli_options o;
	int result = cli_parse(argc, argv,
		"usage: handfast deny PREFIX [--remove] [--json] [--socket PATH]\n\n"
		"Nothing new from PREFIX: the board drops what comes from there to its listeners and belongs to no "
		"connection it\n"
		"knows; where it has no room for the rule (handfast rules), connections are reset once the peer is "
		"proved.\n"
		"Counted. --remove: no longer. Until the daemon ends; what shall stay is set in the "
		"config.\n\n" COMMON_USAGE,
		own, take_flag, &remove, 1, 1, &o);

	if (result)
		return result - 1;
	return ask_to_change(
		argv[0], &o, json_pack("{s:s, s:s, s:b}", "request", "deny", "prefix", o.argv[0], "deny", !remove));
}

/* ---- keys, selftest, reload ---- */

int keys_main(int argc, char **argv)
{
	struct cli_options o;
	int result = cli_parse(argc, argv,
		"usage: handfast keys rotate [--json] [--socket PATH]\n\n"
		"A new random key for SYN cookies; those under way stay good. Keys are never shown.\n\n" COMMON_USAGE,
		NULL, NULL, NULL, 1, 1, &o);

	if (result)
		return result - 1;
	if (strcmp(o.argv[0], "rotate")) {
		fprintf(stderr, "%s: %s: only rotate\n", argv[0], o.argv[0]);
		return 2;
	}
	return ask_to_change(argv[0], &o, json_pack("{s:s, s:s}", "request", "keys", "action", "rotate"));
}

int selftest_main(int argc, char **argv)
{
	struct cli_options o;
	const json_t *check;
	json_t *reply;
	size_t i;
	int result = cli_parse(argc, argv,
		"usage: handfast selftest [--json] [--socket PATH]\n\n"
		"The daemon tries the board: registers, clock, heartbeat, a command and its answer, netdev, "
		"privileges.\n\n" COMMON_USAGE,
		NULL, NULL, NULL, 0, 0, &o);

	if (result)
		return result - 1;
	if (control_ask(argv[0], &o, json_pack("{s:s}", "request", "selftest"), &reply))
		return 1;
	result = cli_int(reply, "failed") != 0;
	if (o.json) {
		cli_print_json(reply);
	} else {
		json_array_foreach(json_object_get(reply, "checks"), i, check)
		{
			printf("%-6s %-24s %s\n", cli_true(check, "ok") ? "ok" : "FAILED", cli_text(check, "name"),
				cli_text(check, "detail"));
		}
		printf("%lld passed, %lld failed\n", cli_int(reply, "passed"), cli_int(reply, "failed"));
	}
	json_decref(reply);
	return result;
}

static int print_reload(const json_t *r)
{
	if (r)
		printf("%lld listeners changed\n", cli_int(r, "changed"));
	return 0;
}

int reload_main(int argc, char **argv)
{
	return ask_and_print(argc, argv,
		"usage: handfast reload [--json] [--socket PATH]\n\n"
		"The daemon reads its config again; when that is wrong nothing changes.\n\n" COMMON_USAGE,
		json_pack("{s:s}", "request", "reload"), print_reload);
}
