/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <libconfig.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "../ipc.h"
#include "control.h"

#define GROUPS_MAX 256

/* Reads on after nothing: the first error is the one that is told. */
struct reader {
	const char *path;
	char *why;
	bool failed;
};

static void fail(struct reader *r, const config_setting_t *at, const char *format, ...)
{
	char text[CONFIG_TEXT_BYTES / 2];
	va_list args;

	if (r->failed)
		return;
	r->failed = true;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(r->why, CONFIG_TEXT_BYTES, "%.100s:%u: %s", r->path, at ? config_setting_source_line(at) : 0, text);
}

static const char *name_of(const config_setting_t *s)
{
	const char *name = config_setting_name(s);

	return name ? name : "(list element)";
}

/* Every member must be one of `names` (NULL at the end), so that a mistyped one is noticed. */
static void check_names(struct reader *r, const config_setting_t *group, const char *const *names)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		bool known = false;

		for (const char *const *n = names; *n; n++)
			known |= !strcmp(*n, name_of(s));
		if (!known)
			fail(r, s, "unknown setting '%s'", name_of(s));
	}
}

static void read_text(struct reader *r, const config_setting_t *group, const char *name, char *to, size_t size)
{
	const config_setting_t *s = config_setting_get_member(group, name);
	const char *text = s ? config_setting_get_string(s) : NULL;

	if (!s)
		return;
	if (!text)
		fail(r, s, "'%s' must be a string", name);
	else if (strlen(text) >= size)
		fail(r, s, "'%s' is longer than %zu characters", name, size - 1);
	else
		strcpy(to, text);
}

static void read_number(
	struct reader *r, const config_setting_t *group, const char *name, unsigned low, unsigned high, unsigned *to)
{
	const config_setting_t *s = config_setting_get_member(group, name);
	long long value;

	if (!s)
		return;
	if (config_setting_type(s) != CONFIG_TYPE_INT && config_setting_type(s) != CONFIG_TYPE_INT64) {
		fail(r, s, "'%s' must be a number", name);
		return;
	}
	value = config_setting_type(s) == CONFIG_TYPE_INT ? config_setting_get_int(s) : config_setting_get_int64(s);
	if (value < low || value > high)
		fail(r, s, "'%s' must be %u to %u", name, low, high);
	else
		*to = (unsigned)value;
}

static void read_bool(struct reader *r, const config_setting_t *group, const char *name, bool *to)
{
	const config_setting_t *s = config_setting_get_member(group, name);

	if (!s)
		return;
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		fail(r, s, "'%s' must be true or false", name);
	else
		*to = config_setting_get_bool(s);
}

/* One of several words; their number or -1. */
static int read_word(struct reader *r, const config_setting_t *group, const char *name, const char *const *words)
{
	const config_setting_t *s = config_setting_get_member(group, name);
	const char *text = s ? config_setting_get_string(s) : NULL;

	if (!s)
		return -1;
	for (int i = 0; text && words[i]; i++) {
		if (!strcmp(text, words[i]))
			return i;
	}
	fail(r, s, "'%s' is none of its words: '%s'", name, text ? text : "(no string)");
	return -1;
}

/* Users or groups, by name or number. */
static void read_ids(struct reader *r, const config_setting_t *group, const char *name, bool users, struct who *w)
{
	const config_setting_t *s = config_setting_get_member(group, name);

	for (int i = 0; s && i < config_setting_length(s); i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		const char *text = config_setting_get_string(e);
		unsigned *count = users ? &w->uids : &w->gids, id;
		struct passwd *pw = text && users ? getpwnam(text) : NULL;
		struct group *gr = text && !users ? getgrnam(text) : NULL;

		if (pw) {
			id = pw->pw_uid;
		} else if (gr) {
			id = gr->gr_gid;
		} else if (!text && config_setting_type(e) == CONFIG_TYPE_INT && config_setting_get_int(e) >= 0) {
			id = (unsigned)config_setting_get_int(e);
		} else {
			fail(r, e, "no such %s: '%s'", users ? "user" : "group",
				text ? text : "(neither name nor number)");
			return;
		}
		if (*count == CONFIG_IDS_MAX) {
			fail(r, e, "more than %d in '%s'", CONFIG_IDS_MAX, name);
			return;
		}
		if (users)
			w->uid[w->uids++] = id;
		else
			w->gid[w->gids++] = id;
	}
	if (s && !config_setting_is_aggregate(s))
		fail(r, s, "'%s' must be a list, as in [ \"www-data\" ]", name);
}

static void read_who(struct reader *r, const config_setting_t *group, struct who *w)
{
	read_ids(r, group, "users", true, w);
	read_ids(r, group, "groups", false, w);
}

static void read_tap(struct reader *r, const config_setting_t *s, struct config *c)
{
	static const char *const names[] = { "name", "mac", "addresses", "mtu", "persistent", NULL };
	const config_setting_t *list = config_setting_get_member(s, "addresses");

	check_names(r, s, names);
	read_text(r, s, "name", c->tap, sizeof(c->tap));
	read_text(r, s, "mac", c->mac, sizeof(c->mac));
	read_number(r, s, "mtu", 68, 9000, &c->mtu);
	read_bool(r, s, "persistent", &c->tap_persistent);
	for (int i = 0; list && i < config_setting_length(list); i++) {
		const char *text = config_setting_get_string_elem(list, i);
		size_t used = strlen(c->addresses);

		if (!text || used + strlen(text) + 2 > sizeof(c->addresses)) {
			fail(r, list, "'addresses' must be a list of strings, at most 4 of IPv4 and 2 of IPv6");
			return;
		}
		snprintf(c->addresses + used, sizeof(c->addresses) - used, "%s%s", used ? "," : "", text);
	}
}

static void add_listener(struct reader *r, const config_setting_t *s, struct config *c, const struct config_listener *l)
{
	for (unsigned i = 0; i < c->listeners; i++) {
		if (address_equal(&c->listener[i].address, &l->address)) {
			fail(r, s, "address and port have a listener already");
			return;
		}
	}
	if (c->listeners == CONFIG_LISTENERS_MAX)
		fail(r, s, "more than %d listeners", CONFIG_LISTENERS_MAX);
	else
		c->listener[c->listeners++] = *l;
}

static void read_listener(struct reader *r, const config_setting_t *s, struct config *c)
{
	static const char *const names[] = { "address", "port", "way", "mode", "backlog", "users", "groups", NULL };
	static const char *const ways[] = { "repair", "kernel", NULL };
	static const char *const modes[] = { "off", "offload", "bypass", NULL };
	struct config_listener l = { .way = WAY_KERNEL, .mode = MODE_OFF, .backlog = 128 };
	unsigned port = 0, backlog = 128;
	char address[64] = "any";
	int word;

	check_names(r, s, names);
	read_number(r, s, "port", 1, 65535, &port);
	read_number(r, s, "backlog", 1, HF_BACKLOG_MAX, &backlog);
	read_text(r, s, "address", address, sizeof(address));
	l.backlog = (int)backlog;
	word = read_word(r, s, "way", ways);
	if (word >= 0)
		l.way = (enum way)word;
	word = read_word(r, s, "mode", modes);
	if (word >= 0)
		l.mode = (enum mode)word;
	read_who(r, s, &l.who);
	if (!port)
		fail(r, s, "a listener needs a port");
	if (r->failed)
		return;
	if (strcmp(address, "any")) {
		if (address_parse(address, &l.address, NULL))
			fail(r, s, "'address' is neither IPv4, IPv6 nor \"any\": '%s'", address);
		address_set_port(&l.address, (uint16_t)port);
		add_listener(r, s, c, &l);
		return;
	}
	if (strchr(c->addresses, '.')) {
		l.address = (union address){ .in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) } };
		add_listener(r, s, c, &l);
	}
	if (strchr(c->addresses, ':')) {
		l.address = (union address){ .in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) } };
		add_listener(r, s, c, &l);
	}
}

static void read_rule(struct reader *r, const config_setting_t *s, struct config *c)
{
	static const char *const names[] = { "prefix", "deny", "limit", NULL };
	struct config_rule rule = { 0 };
	char prefix[64] = "";

	check_names(r, s, names);
	read_text(r, s, "prefix", prefix, sizeof(prefix));
	read_bool(r, s, "deny", &rule.deny);
	read_number(r, s, "limit", 1, 1000000000, &rule.rate);
	if (!r->failed && address_parse(prefix, &rule.prefix, &rule.bits))
		fail(r, s, "a rule needs a 'prefix', as in \"192.0.2.0/24\": '%s'", prefix);
	if (!rule.deny && !rule.rate)
		fail(r, s, "a rule needs deny = true or a 'limit'");
	if (c->rules == CONFIG_RULES_MAX)
		fail(r, s, "more than %d rules", CONFIG_RULES_MAX);
	if (!r->failed)
		c->rule[c->rules++] = rule;
}

static void read_all(struct reader *r, const config_setting_t *root, struct config *c)
{
	static const char *const names[] = { "board", "tap", "socket", "control", "metrics", "connect", "half_open",
		"attack", "cookie_key_file", "bpf_pins", "log_level", "listeners", "rules", NULL };
	static const char *const control_names[] = { "socket", "users", "groups", NULL };
	static const char *const metrics_names[] = { "socket", "port", NULL };
	static const char *const connect_names[] = { "users", "groups", NULL };
	static const char *const attack_names[] = { "syn_rate", "quiet_ms", NULL };
	static const char *const levels[] = { "", "", "", "error", "warning", "notice", "info", "debug", NULL };
	const config_setting_t *s;
	int word;

	check_names(r, root, names);
	read_text(r, root, "board", c->board, sizeof(c->board));
	read_text(r, root, "socket", c->socket, sizeof(c->socket));
	read_text(r, root, "cookie_key_file", c->cookie_key_file, sizeof(c->cookie_key_file));
	read_text(r, root, "bpf_pins", c->bpf_pins, sizeof(c->bpf_pins));
	read_number(r, root, "half_open", 1, 65535, &c->half_open);
	word = read_word(r, root, "log_level", levels);
	if (word >= 0)
		c->log_level = word;
	if ((s = config_setting_get_member(root, "tap")) != NULL)
		read_tap(r, s, c);
	if ((s = config_setting_get_member(root, "control")) != NULL) {
		check_names(r, s, control_names);
		read_text(r, s, "socket", c->control, sizeof(c->control));
		read_who(r, s, &c->control_who);
	}
	if ((s = config_setting_get_member(root, "metrics")) != NULL) {
		check_names(r, s, metrics_names);
		read_text(r, s, "socket", c->metrics_socket, sizeof(c->metrics_socket));
		read_number(r, s, "port", 1, 65535, &c->metrics_port);
	}
	if ((s = config_setting_get_member(root, "connect")) != NULL) {
		check_names(r, s, connect_names);
		read_who(r, s, &c->connect_who);
	}
	if ((s = config_setting_get_member(root, "attack")) != NULL) {
		check_names(r, s, attack_names);
		read_number(r, s, "syn_rate", 1, 100000000, &c->attack_syn_rate);
		read_number(r, s, "quiet_ms", 100, 3600000, &c->attack_quiet_ms);
	}
	if (!*c->board)
		fail(r, root, "'board' is missing, as in board = \"unix:/run/handfast/board.sock\"");
	if (!*c->addresses)
		fail(r, root, "'tap.addresses' is missing, as in tap = { addresses = [ \"192.0.2.2/24\" ]; }");
	s = config_setting_get_member(root, "listeners");
	if (s && !config_setting_is_list(s))
		fail(r, s, "'listeners' must be a list, as in listeners = ( { port = 80; } )");
	for (int i = 0; s && !r->failed && i < config_setting_length(s); i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);

		if (config_setting_is_group(e))
			read_listener(r, e, c);
		else
			fail(r, s, "a listener must be a group, as in { port = 80; }");
	}
	s = config_setting_get_member(root, "rules");
	if (s && !config_setting_is_list(s))
		fail(r, s, "'rules' must be a list, as in rules = ( { prefix = \"192.0.2.0/24\"; deny = true; } )");
	for (int i = 0; s && !r->failed && i < config_setting_length(s); i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);

		if (config_setting_is_group(e))
			read_rule(r, e, c);
		else
			fail(r, s, "a rule must be a group, as in { prefix = \"192.0.2.0/24\"; deny = true; }");
	}
}

int daemon_config_read(const char *path, struct config *c, char *why)
{
	struct reader r = { .path = path, .why = why };
	config_t file;
	FILE *f;

	*c = (struct config){ .tap = "hf0",
		.socket = IPC_PATH,
		.control = CONTROL_PATH,
		.bpf_pins = "/sys/fs/bpf/handfast",
		.attack_syn_rate = 10000,
		.attack_quiet_ms = 5000,
		.log_level = LOG_INFO };
	f = fopen(path, "re");
	if (!f) {
		int rc = -errno;

		snprintf(why, CONFIG_TEXT_BYTES, "%.200s: %s", path, strerror(-rc));
		return rc;
	}
	config_init(&file);
	if (config_read(&file, f) == CONFIG_FALSE)
		snprintf(why, CONFIG_TEXT_BYTES, "%.100s:%d: %s", path, config_error_line(&file),
			config_error_text(&file)),
			r.failed = true;
	fclose(f);
	if (!r.failed)
		read_all(&r, config_root_setting(&file), c);
	config_destroy(&file);
	return r.failed ? -EINVAL : 0;
}

bool who_may(const struct who *w, uid_t uid, gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;
	struct passwd *pw;

	if (uid == 0 || uid == geteuid())
		return true;
	for (unsigned i = 0; i < w->uids; i++) {
		if (w->uid[i] == uid)
			return true;
	}
	if (!w->gids)
		return false;
	pw = getpwuid(uid);
	if (!pw || getgrouplist(pw->pw_name, gid, groups, &n) < 0) {
		groups[0] = gid;
		n = 1;
	}
	for (unsigned i = 0; i < w->gids; i++) {
		for (int g = 0; g < n; g++) {
			if (w->gid[i] == groups[g])
				return true;
		}
	}
	return false;
}
