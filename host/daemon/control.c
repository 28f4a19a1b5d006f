/* SPDX-License-Identifier: Apache-2.0
 * control.c - the control socket of control.h. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "driver/clock.h"

#define PAUSE_MS   100
#define REPLY_ROOM (64 << 10) /* kept for replies: trace lines are dropped before */

struct peer {
	struct peer *next;
	struct control *control;
	struct source source;
	char in[CONTROL_LINE_MAX + 1];
	size_t in_bytes;
	char *out;
	size_t out_bytes, out_sent, out_room;
	bool hang_up; /* when `out` is sent */
	bool tracing, hex;
	union address host; /* sa_family AF_UNSPEC: any */
	unsigned port, sample, skipped;
	uint64_t dropped, lost_before;
	/* A `conns` that waits for the table. */
	json_t *conns;
};

struct control {
	struct daemon *d;
	struct source socket, dumped;
	struct timer pause;
	struct peer *peers;
	unsigned count;
	struct dump dump;
	bool dumping;
	/* The service thread writes these, then `dumped`. */
	_Atomic bool dump_ready;
	int dump_result;
};

/* Lines out ------------------------------------------------------------------------------------------------------------------- */

static void peer_free(struct peer *p)
{
	struct peer **at = &p->control->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->control->count--;
	loop_forget(&p->control->d->loop, &p->source);
	close(p->source.fd);
	json_decref(p->conns);
	free(p->out);
	free(p);
}

/* Returns false when the peer is gone, and freed. */
static bool flush(struct peer *p)
{
	while (p->out_sent < p->out_bytes) {
		ssize_t n = send(
			p->source.fd, p->out + p->out_sent, p->out_bytes - p->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			peer_free(p);
			return false;
		}
		p->out_sent += (size_t)n;
	}
	if (p->out_sent == p->out_bytes) {
		p->out_sent = p->out_bytes = 0;
		if (p->hang_up) {
			peer_free(p);
			return false;
		}
	}
	loop_watch(&p->control->d->loop, &p->source, (p->conns ? 0 : EPOLLIN) | (p->out_bytes ? EPOLLOUT : 0));
	return true;
}

/* Append a line; takes the reference. Returns whether there was room below `limit`. */
static bool append(struct peer *p, json_t *o, size_t limit)
{
	char *line = json_dumps(o, JSON_COMPACT);
	size_t len = line ? strlen(line) : 0;
	bool fits = line && p->out_bytes - p->out_sent + len + 1 <= limit;

	json_decref(o);
	if (fits && p->out_sent) {
		memmove(p->out, p->out + p->out_sent, p->out_bytes - p->out_sent);
		p->out_bytes -= p->out_sent;
		p->out_sent = 0;
	}
	if (fits && p->out_bytes + len + 1 > p->out_room) {
		size_t room = 2 * (p->out_bytes + len + 1);
		char *more = realloc(p->out, room);

		fits = more != NULL;
		if (more) {
			p->out = more;
			p->out_room = room;
		}
	}
	if (fits) {
		memcpy(p->out + p->out_bytes, line, len);
		p->out[p->out_bytes + len] = '\n';
		p->out_bytes += len + 1;
	}
	free(line);
	return fits;
}

/* A reply: `o` is what belongs into it (taken). */
static void reply(struct peer *p, const json_t *request, json_t *o)
{
	json_t *tag = json_object_get(request, "tag");

	json_object_set_new(o, "ok", json_true());
	if (tag)
		json_object_set(o, "tag", tag);
	if (!append(p, o, CONTROL_OUT_MAX))
		p->hang_up = true;
}

static void refuse(struct peer *p, const json_t *request, int error, const char *text)
{
	json_t *tag = request ? json_object_get(request, "tag") : NULL;
	json_t *o = json_pack("{s:b, s:s, s:s}", "ok", 0, "error", text, "errno", strerrorname_np(-error));

	if (tag)
		json_object_set(o, "tag", tag);
	if (!append(p, o, CONTROL_OUT_MAX))
		p->hang_up = true;
}

/* What is asked for ------------------------------------------------------------------------------------------------------------ */

static json_t *board_json(struct daemon *d)
{
	const struct device_board *b = device_board(d->dev->board);

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "uri", d->config.board, "epoch",
		(json_int_t)b->epoch, "slots", (json_int_t)b->slots, "ways", (json_int_t)b->ways, "listeners",
		(json_int_t)b->listeners, "credits", (json_int_t)b->credits, "max_frame", (json_int_t)b->max_frame,
		"data_width", (json_int_t)b->data_w);
}

struct table_state {
	uint32_t entries, half_open, status, owned;
};

/* A job. */
static int read_table(struct hf_device *dev, void *arg)
{
	struct table_state *t = arg;
	int rc = device_reg_read(dev->board, HF_REG_ENTRIES, &t->entries);

	if (!rc)
		rc = device_reg_read(dev->board, HF_REG_HALF_OPEN, &t->half_open);
	if (!rc)
		rc = device_reg_read(dev->board, HF_REG_STATUS, &t->status);
	t->owned = owned_count(dev->owned);
	return rc;
}

/* The MAC of a board that has one of ours (docs/boards.md). */
struct mac_state {
	uint32_t id, status;
};

/* A job. */
static int read_mac(struct hf_device *dev, void *arg)
{
	struct mac_state *m = arg;
	int rc = device_reg_read(dev->board, HF_ETH_BASE + HF_ETH_ID, &m->id);

	if (!rc && m->id == HF_ETH_ID_LETTERS)
		rc = device_reg_read(dev->board, HF_ETH_BASE + HF_ETH_STATUS, &m->status);
	return rc;
}

static void put_wire(struct daemon *d, json_t *o)
{
	static const unsigned mbits[4] = { 10, 100, 1000, 0 };
	struct mac_state m = { 0 };

	if (service_run(d->dev, read_mac, &m) || m.id != HF_ETH_ID_LETTERS)
		return;
	json_object_set_new(o, "wire",
		json_pack("{s:b, s:i, s:b, s:b, s:i}", "up", m.status >> HF_ETH_STATUS_LINK_LOW & 1, "mbits",
			(int)mbits[m.status >> HF_ETH_STATUS_SPEED_LOW & 3], "full_duplex",
			m.status >> HF_ETH_STATUS_FULL_DUPLEX_LOW & 1, "phy_found",
			m.status >> HF_ETH_STATUS_PHY_FOUND_LOW & 1, "phy_addr",
			(int)(m.status >> HF_ETH_STATUS_PHY_ADDR_LOW & 31)));
}

static void put_board(struct daemon *d, json_t *o)
{
	struct table_state t = { 0 };
	const uint8_t *m = d->dev->tap.mac;
	json_t *addresses = json_array();
	char host[ADDRESS_TEXT_BYTES];

	json_object_set_new(o, "board", board_json(d));
	if (!service_run(d->dev, read_table, &t))
		json_object_set_new(o, "table",
			json_pack("{s:I, s:I, s:I, s:b}", "entries", (json_int_t)t.entries, "half_open",
				(json_int_t)t.half_open, "host_owned", (json_int_t)t.owned, "cookies",
				t.status >> HF_STATUS_COOKIES_LOW & 1));
	put_wire(d, o);
	for (unsigned i = 0; i < d->dev->addresses.count; i++) {
		const struct tap_address *a = &d->dev->addresses.of[i];

		json_array_append_new(
			addresses, json_sprintf("%s/%u", address_host_text(&a->address, host), a->prefix));
	}
	json_object_set_new(o, "tap",
		json_pack("{s:s, s:o, s:I, s:o}", "name", d->dev->tap.name, "mac",
			json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]), "mtu",
			(json_int_t)d->dev->mtu, "addresses", addresses));
}

static json_int_t host_count(struct daemon *d, enum host_counter which)
{
	return d->dev ? (json_int_t)atomic_load(&d->dev->count[which]) : 0;
}

json_t *status_json(struct daemon *d)
{
	json_t *o = json_pack("{s:s, s:i, s:i, s:I}", "version", HF_RELEASE, "abi", HF_ABI_VERSION, "pid",
		(int)getpid(), "uptime_ms", (json_int_t)(clock_ms() - d->started_ms));

	json_object_set_new(o, "link", json_string(d->dev ? "up" : "lost"));
	json_object_set_new(o, "why", json_string(d->why));
	if (d->dev)
		put_board(d, o);
	json_object_set_new(o, "rates",
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "syn", (json_int_t)d->rates.syn, "established",
			(json_int_t)d->rates.established, "handoffs", (json_int_t)d->rates.handoffs, "connects",
			(json_int_t)d->rates.connects, "frames_up", (json_int_t)d->rates.frames_up, "frames_down",
			(json_int_t)d->rates.frames_down));
	json_object_set_new(json_object_get(o, "rates"), "listeners", attack_rates_json(d));
	json_object_set_new(o, "attack", attack_json(d));
	json_object_set_new(o, "rules",
		json_pack("{s:I, s:I, s:I}", "room", (json_int_t)rules_room(d), "on_board",
			(json_int_t)rules_on_board(d), "on_host", (json_int_t)(d->shared.rules - rules_on_board(d))));
	json_object_set_new(o, "ways",
		json_pack("{s:{s:b, s:s}, s:{s:b, s:s}}", "kernel", "usable", d->kernel_way != NULL, "why",
			d->kernel_why, "repair", "usable", d->dev != NULL, "why", d->dev ? "" : d->why));
	json_object_set_new(o, "handoffs", json_integer(host_count(d, COUNT_handoffs)));
	json_object_set_new(o, "handoff_failed", json_integer(host_count(d, COUNT_handoff_failed)));
	json_object_set_new(o, "accept_overflow", json_integer(host_count(d, COUNT_accept_overflow)));
	json_object_set_new(o, "board_resets", json_integer(host_count(d, COUNT_board_resets)));
	return o;
}

static json_t *listener_json(const struct listener *l)
{
	char host[ADDRESS_TEXT_BYTES];
	unsigned clients = 0;
	json_t *o;

	for (const struct subscriber *s = l->subscribers; s; s = s->next)
		clients++;
	o = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:I}", "address",
		address_host_text(&l->config.address, host), "port", address_port(&l->config.address), "way",
		way_word(l->config.way), "wanted", mode_word(l->wanted), "mode", mode_word(l->mode), "why", l->why,
		"reason", reason_word(l->reason), "since_ms", (json_int_t)(clock_ms() - l->since_ms));
	json_object_set_new(o, "index", l->board ? json_integer(l->board->index) : json_null());
	json_object_set_new(o, "backlog", json_integer(l->board ? (json_int_t)l->board->backlog : l->config.backlog));
	json_object_set_new(o, "queued", json_integer(listener_queued(l)));
	json_object_set_new(o, "clients", json_integer(clients));
	json_object_set_new(o, "handoffs",
		json_integer((json_int_t)(listener_established(l) - listener_failed(l) - listener_overflow(l))));
	json_object_set_new(o, "failed", json_integer((json_int_t)listener_failed(l)));
	json_object_set_new(o, "overflow", json_integer((json_int_t)listener_overflow(l)));
	json_object_set_new(o, "rate", json_integer(l->rate));
	json_object_set_new(o, "syns", json_integer((json_int_t)l->syns));
	json_object_set_new(o, "syn_rate", attack_counts(l->d) ? json_integer(l->syn_rate) : json_null());
	json_object_set_new(o, "attack", json_boolean(l->attack.active));
	json_object_set_new(o, "attack_changed_ms",
		l->attack.changed_ms ? json_integer(clock_ms() - l->attack.changed_ms) : json_null());
	return o;
}

json_t *listeners_json(struct daemon *d)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < d->listeners; i++)
		json_array_append_new(list, listener_json(d->listener[i]));
	return list;
}

json_t *counters_json(struct daemon *d)
{
	struct hf_stat stats[IPC_STATS_MAX];
	int n = d->dev ? hf_stats(d->dev, stats, IPC_STATS_MAX) : 0;
	json_t *o = json_object();

	for (int i = 0; i < n && i < IPC_STATS_MAX; i++)
		json_object_set_new(o, stats[i].name, json_integer((json_int_t)stats[i].value));
	pthread_mutex_lock(&d->shared.lock);
	json_object_set_new(o, "daemon.denied", json_integer((json_int_t)d->shared.denied));
	json_object_set_new(o, "daemon.limited", json_integer((json_int_t)d->shared.limited));
	json_object_set_new(o, "daemon.trace_lost", json_integer((json_int_t)d->shared.lost));
	pthread_mutex_unlock(&d->shared.lock);
	json_object_set_new(o, "daemon.clients", json_integer(d->clients));
	json_object_set_new(o, "daemon.sent_again", json_integer((json_int_t)d->taken_again));
	json_object_set_new(o, "daemon.ack_again", json_integer((json_int_t)kernel_way_again(d)));
	return o;
}

/* Self test ---------------------------------------------------------------------------------------------------------------------- */

static void check(json_t *checks, const char *name, bool ok, const char *detail)
{
	json_array_append_new(checks, json_pack("{s:s, s:b, s:s}", "name", name, "ok", ok, "detail", detail));
}

struct probe {
	uint32_t id, version, ms[2], status, key;
	int rc[6];
};

/* A job. */
static int probe_board(struct hf_device *dev, void *arg)
{
	struct probe *p = arg;

	p->rc[0] = device_reg_read(dev->board, HF_REG_ID, &p->id);
	p->rc[1] = device_reg_read(dev->board, HF_REG_VERSION, &p->version);
	p->rc[2] = device_reg_read(dev->board, HF_REG_STATUS, &p->status);
	p->rc[3] = device_reg_read(dev->board, HF_REG_KEY_ISN0, &p->key);
	p->rc[4] = device_reg_read(dev->board, HF_REG_MS, &p->ms[0]);
	usleep(5000);
	p->rc[5] = device_reg_read(dev->board, HF_REG_MS, &p->ms[1]);
	return 0;
}

json_t *selftest_json(struct daemon *d)
{
	json_t *checks = json_array();
	struct probe p = { 0 };
	struct ifreq ifr = { 0 };
	char text[128];
	uint64_t done;
	int sock;

	check(checks, "board", d->dev != NULL, d->dev ? d->config.board : d->why);
	if (!d->dev || service_run(d->dev, probe_board, &p))
		return checks;
	snprintf(text, sizeof(text), "ID 0x%08x, version %u", (unsigned)p.id, (unsigned)p.version);
	check(checks, "board_id", !p.rc[0] && !p.rc[1] && p.id == HF_ID && p.version == HF_ABI_VERSION, text);
	check(checks, "heartbeat", !p.rc[2] && p.status >> HF_STATUS_HOST_ALIVE_LOW & 1,
		"the board sees the host alive");
	check(checks, "keys_write_only", !p.rc[3] && !p.key, "a key register reads as 0");
	snprintf(text, sizeof(text), "%u ms passed on the board in 5 ms", (unsigned)(p.ms[1] - p.ms[0]));
	check(checks, "clock", !p.rc[4] && !p.rc[5] && p.ms[1] - p.ms[0] >= 1 && p.ms[1] - p.ms[0] < 1000, text);
	done = atomic_load(&d->dev->count[COUNT_commands_done]) + atomic_load(&d->dev->count[COUNT_commands_stale]);
	snprintf(text, sizeof(text), "%llu commands done, %llu timed out", (unsigned long long)done,
		(unsigned long long)atomic_load(&d->dev->count[COUNT_command_timeouts]));
	check(checks, "commands", !atomic_load(&d->dev->count[COUNT_command_timeouts]), text);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", d->dev->tap.name);
	check(checks, "tap",
		sock >= 0 && !ioctl(sock, SIOCGIFFLAGS, &ifr) && ifr.ifr_flags & IFF_UP && d->dev->tap.fd >= 0,
		d->dev->tap.name);
	if (sock >= 0)
		close(sock);
	{
		union address own = d->dev->addresses.of[0].address, peer = own;
		uint32_t wnd;
		unsigned shift;
		int rc = handoff_limits(&own, &peer, 536, &wnd, &shift);

		check(checks, "repair", rc != -EPERM,
			rc == -EPERM ? "TCP_REPAIR needs CAP_NET_ADMIN" : "TCP_REPAIR is permitted");
	}
	check(checks, "kernel_way", d->kernel_way != NULL, *d->kernel_why ? d->kernel_why : "BPF is loaded");
	return checks;
}

/* The table -------------------------------------------------------------------------------------------------------------------- */

static const char *const state_word[] = {
#define STATE(name, code, printed, owner) [code] = #name,
#include "regs/tcp_state.def"
#undef STATE
};

static bool wanted_host(const union address *host, const union address *a, const union address *b)
{
	return host->sa.sa_family == AF_UNSPEC || address_same_host(host, a) || address_same_host(host, b);
}

struct conn {
	const uint8_t *msg;
	union address local, remote;
	int64_t age_ms; /* -1: not known */
};

static int by_age(const void *a, const void *b)
{
	const struct conn *x = a, *y = b;

	return x->age_ms < y->age_ms ? 1 : -(x->age_ms > y->age_ms);
}

static int by_peer(const void *a, const void *b)
{
	const struct conn *x = a, *y = b;
	int order = memcmp(x->msg + HF_AT_EVENT_remote_addr, y->msg + HF_AT_EVENT_remote_addr, 16);

	return order ? order : (int)address_port(&x->remote) - (int)address_port(&y->remote);
}

static int by_state(const void *a, const void *b)
{
	const struct conn *x = a, *y = b;

	return (int)GET(x->msg, EVENT, state) - (int)GET(y->msg, EVENT, state);
}

static json_t *conn_json(const struct conn *c)
{
	struct message_event e = message_event(c->msg);
	char local[ADDRESS_TEXT_BYTES], remote[ADDRESS_TEXT_BYTES];
	bool host = e.state == HF_STATE_ESTABLISHED || e.state == HF_STATE_CLOSE_WAIT;
	json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
		(json_int_t)e.id, "state", state_word[e.state], "local", address_text(&c->local, local), "remote",
		address_text(&c->remote, remote), "owner", host ? "host" : "engine", "active", e.active, "mss",
		(json_int_t)e.mss, "snd_wscale", (json_int_t)e.snd_wscale, "rcv_wscale", (json_int_t)e.rcv_wscale,
		"snd_nxt", (json_int_t)e.snd_nxt, "rcv_nxt", (json_int_t)e.rcv_nxt, "snd_wnd", (json_int_t)e.snd_wnd,
		"rcv_wnd", (json_int_t)e.rcv_wnd);

	json_object_set_new(o, "age_ms", c->age_ms < 0 ? json_null() : json_integer(c->age_ms));
	json_object_set_new(o, "listener", e.active ? json_null() : json_integer(e.listener));
	return o;
}

static void answer_conns(struct peer *p)
{
	struct control *k = p->control;
	json_t *request = p->conns, *list = json_array();
	const char *state = json_string_value(json_object_get(request, "state"));
	const char *sort = json_string_value(json_object_get(request, "sort"));
	const char *host_text = json_string_value(json_object_get(request, "host"));
	json_int_t port = json_integer_value(json_object_get(request, "port"));
	json_int_t limit =
		json_object_get(request, "limit") ? json_integer_value(json_object_get(request, "limit")) : 1000;
	struct conn *all = calloc(k->dump.slots, sizeof(*all));
	union address host = { .sa.sa_family = AF_UNSPEC };
	int64_t now = clock_ms();
	size_t n = 0;

	if (host_text)
		address_parse(host_text, &host, NULL);
	for (uint32_t i = 0; all && i < k->dump.slots; i++) {
		struct conn *c = &all[n];

		c->msg = k->dump.entry[i];
		if (!GET(c->msg, EVENT, code) ||
			GET(c->msg, EVENT, state) >= sizeof(state_word) / sizeof(state_word[0]) ||
			!state_word[GET(c->msg, EVENT, state)])
			continue;
		address_from_mapped(
			c->msg + HF_AT_EVENT_local_addr, (uint16_t)GET(c->msg, EVENT, local_port), &c->local);
		address_from_mapped(
			c->msg + HF_AT_EVENT_remote_addr, (uint16_t)GET(c->msg, EVENT, remote_port), &c->remote);
		if ((state && strcmp(state, state_word[GET(c->msg, EVENT, state)])) ||
			!wanted_host(&host, &c->local, &c->remote) ||
			(port && address_port(&c->local) != port && address_port(&c->remote) != port))
			continue;
		c->age_ms = -1;
		pthread_mutex_lock(&k->d->shared.lock);
		if (i < k->d->shared.ages && k->d->shared.age[i].at_ms &&
			k->d->shared.age[i].id == GET(c->msg, HEADER, id))
			c->age_ms = now - k->d->shared.age[i].at_ms;
		pthread_mutex_unlock(&k->d->shared.lock);
		n++;
	}
	if (sort && all)
		qsort(all, n, sizeof(*all),
			!strcmp(sort, "peer")	 ? by_peer
			: !strcmp(sort, "state") ? by_state
						 : by_age);
	for (size_t i = 0; i < n && (json_int_t)i < limit; i++)
		json_array_append_new(list, conn_json(&all[i]));
	free(all);
	p->conns = NULL;
	reply(p, request, json_pack("{s:o, s:I}", "conns", list, "total", (json_int_t)n));
	json_decref(request);
}

/* In the service thread. */
static void dump_done(void *ctx, struct dump *dump, int result)
{
	struct control *k = ctx;

	(void)dump;
	k->dump_result = result;
	atomic_store(&k->dump_ready, true);
	eventfd_write(k->dumped.fd, 1);
}

static void end_dump(struct control *k, int result)
{
	struct peer *next;

	k->dumping = false;
	for (struct peer *p = k->peers; p; p = next) {
		next = p->next;
		if (!p->conns)
			continue;
		if (!result) {
			answer_conns(p);
		} else {
			refuse(p, p->conns, result, "the board's table could not be read");
			json_decref(p->conns);
			p->conns = NULL;
		}
		flush(p);
	}
	free(k->dump.entry);
	k->dump.entry = NULL;
}

static void on_dumped(struct source *s, uint32_t events)
{
	struct control *k = (struct control *)((char *)s - offsetof(struct control, dumped));
	eventfd_t n;

	(void)events;
	eventfd_read(s->fd, &n);
	if (atomic_exchange(&k->dump_ready, false))
		end_dump(k, k->dump_result);
}

/* Who asks while the table is being read gets that reading: it is no older than a reading takes. */
static void ask_conns(struct peer *p, json_t *request)
{
	struct control *k = p->control;
	int rc = k->d->dev ? 0 : -ENODEV;

	if (!rc && !k->dumping) {
		k->dump.slots = device_board(k->d->dev->board)->slots;
		k->dump.entry = calloc(k->dump.slots, sizeof(k->dump.entry[0]));
		k->dump.done = dump_done;
		k->dump.ctx = k;
		rc = k->dump.entry ? service_run(k->d->dev, service_dump, &k->dump) : -ENOMEM;
		k->dumping = !rc;
		if (rc) {
			free(k->dump.entry);
			k->dump.entry = NULL;
		}
	}
	if (rc)
		refuse(p, request, rc, "the board's table cannot be read");
	else
		p->conns = json_incref(request);
}

/* Requests ----------------------------------------------------------------------------------------------------------------------- */

static void change_listener(struct peer *p, json_t *request)
{
	const char *mode = json_string_value(json_object_get(request, "mode"));
	const char *text = json_string_value(json_object_get(request, "address"));
	json_int_t port = json_integer_value(json_object_get(request, "port"));
	struct daemon *d = p->control->d;
	enum mode wanted = mode && !strcmp(mode, "offload")  ? MODE_OFFLOAD
			   : mode && !strcmp(mode, "bypass") ? MODE_BYPASS
							     : MODE_OFF;
	struct listener *found = NULL;
	union address host;
	char error[80];

	if (!mode || (wanted == MODE_OFF && strcmp(mode, "off"))) {
		refuse(p, request, -EINVAL, "\"mode\" must be offload, bypass or off");
		return;
	}
	if (text && strcmp(text, "any") && address_parse(text, &host, NULL)) {
		refuse(p, request, -EINVAL, "\"address\" is none");
		return;
	}
	for (unsigned i = 0; i < d->listeners; i++) {
		struct listener *l = d->listener[i];

		if (address_port(&l->config.address) != port)
			continue;
		if (text && (strcmp(text, "any") ? !address_same_host(&host, &l->config.address)
						 : !address_is_any(&l->config.address)))
			continue;
		l->wanted = wanted;
		found = l;
	}
	if (!found) {
		snprintf(error, sizeof(error), "no listener on port %lld", (long long)port);
		refuse(p, request, -ENOENT, error);
		return;
	}
	listeners_refresh(d);
	reply(p, request, json_pack("{s:o}", "listener", listener_json(found)));
}

static void set_rule(struct peer *p, json_t *request, bool limit)
{
	const char *prefix = json_string_value(json_object_get(request, "prefix"));
	json_t *value = json_object_get(request, limit ? "rate" : "deny");
	bool deny = json_is_true(value);
	unsigned rate;
	int rc;

	if (!prefix || (limit ? !json_is_integer(value) || json_integer_value(value) < 0 ||
					       json_integer_value(value) > UINT32_MAX
			      : !json_is_boolean(value))) {
		refuse(p, request, -EINVAL,
			limit ? "\"prefix\" and \"rate\" (a number) are needed"
			      : "\"prefix\" and \"deny\" (true or false) are needed");
		return;
	}
	rate = (unsigned)json_integer_value(value);
	rc = rules_set(p->control->d, prefix, limit ? NULL : &deny, limit ? &rate : NULL);
	if (rc) {
		refuse(p, request, rc, rc == -ENOSPC ? "too many rules" : "\"prefix\" is no address/bits");
		return;
	}
	log_line(LOG_NOTICE, "rule", "%s: %s", prefix,
		limit  ? rate ? "limited" : "no limit"
		: deny ? "denied"
		       : "not denied any more");
	reply(p, request, json_object());
}

static void keys(struct peer *p, json_t *request)
{
	const char *action = json_string_value(json_object_get(request, "action"));
	struct daemon *d = p->control->d;
	int rc;

	if (!action || strcmp(action, "rotate")) {
		refuse(p, request, -EINVAL, "\"action\" must be rotate");
		return;
	}
	rc = d->dev ? service_run(d->dev, service_rotate, NULL) : -ENODEV;
	if (rc) {
		refuse(p, request, rc,
			rc == -EOPNOTSUPP ? "the key is the fleet's: cookie_key_file" : "the board did not take it");
		return;
	}
	log_line(LOG_NOTICE, "keys_rotated", "a new key for SYN cookies");
	reply(p, request, json_pack("{s:I}", "rotated", (json_int_t)++d->rotations));
}

static void selftest(struct peer *p, json_t *request)
{
	json_t *checks = selftest_json(p->control->d);
	int passed = 0;

	for (size_t i = 0; i < json_array_size(checks); i++)
		passed += json_is_true(json_object_get(json_array_get(checks, i), "ok"));
	reply(p, request,
		json_pack("{s:i, s:i, s:o}", "passed", passed, "failed", (int)json_array_size(checks) - passed,
			"checks", checks));
}

static void reload(struct peer *p, json_t *request)
{
	char why[CONFIG_TEXT_BYTES];
	int rc = daemon_reload(p->control->d, why);

	if (rc < 0)
		refuse(p, request, rc, why);
	else
		reply(p, request, json_pack("{s:i}", "changed", rc));
}

static void update_tracing(struct control *k)
{
	bool any = false, whole = false;

	for (struct peer *p = k->peers; p; p = p->next) {
		any |= p->tracing;
		whole |= p->tracing && p->hex;
	}
	atomic_store(&k->d->trace_whole, whole);
	if (any && !k->d->shared.ring) {
		struct trace_record *ring = calloc(TRACE_RING, sizeof(*ring));

		pthread_mutex_lock(&k->d->shared.lock);
		k->d->shared.ring = ring;
		pthread_mutex_unlock(&k->d->shared.lock);
	}
	atomic_store(&k->d->tracing, any);
	if (!any) {
		struct trace_record *ring;

		pthread_mutex_lock(&k->d->shared.lock);
		ring = k->d->shared.ring;
		k->d->shared.ring = NULL;
		k->d->shared.first = k->d->shared.count = 0;
		pthread_mutex_unlock(&k->d->shared.lock);
		free(ring);
	}
}

static void start_trace(struct peer *p, json_t *request)
{
	const char *host = json_string_value(json_object_get(request, "host"));
	json_t *sample = json_object_get(request, "sample");

	p->host = (union address){ .sa.sa_family = AF_UNSPEC };
	if (host && address_parse(host, &p->host, NULL)) {
		refuse(p, request, -EINVAL, "\"host\" is no address");
		return;
	}
	if (sample &&
		(!json_is_integer(sample) || json_integer_value(sample) < 1 || json_integer_value(sample) > 1000000)) {
		refuse(p, request, -EINVAL, "\"sample\" must be 1 to 1000000");
		return;
	}
	p->port = (unsigned)json_integer_value(json_object_get(request, "port"));
	p->sample = sample ? (unsigned)json_integer_value(sample) : 1;
	p->hex = json_is_true(json_object_get(request, "hex"));
	p->skipped = 0;
	p->tracing = true;
	update_tracing(p->control);
	reply(p, request, json_object());
}

static void stop_trace(struct peer *p, json_t *request)
{
	p->tracing = false;
	update_tracing(p->control);
	reply(p, request, json_object());
}

static void ask_status(struct peer *p, json_t *request)
{
	reply(p, request, status_json(p->control->d));
}

static void ask_listeners(struct peer *p, json_t *request)
{
	reply(p, request, json_pack("{s:o}", "listeners", listeners_json(p->control->d)));
}

static void ask_counters(struct peer *p, json_t *request)
{
	reply(p, request, json_pack("{s:o}", "counters", counters_json(p->control->d)));
}

static void ask_rules(struct peer *p, json_t *request)
{
	reply(p, request,
		json_pack("{s:o, s:I}", "rules", rules_json(p->control->d), "room",
			(json_int_t)rules_room(p->control->d)));
}

static void ask_top(struct peer *p, json_t *request)
{
	p->control->d->top_asked_ms = clock_ms();
	reply(p, request, samples_top_json(p->control->d));
}

static void limit(struct peer *p, json_t *request)
{
	set_rule(p, request, true);
}

static void deny(struct peer *p, json_t *request)
{
	set_rule(p, request, false);
}

static const struct {
	const char *name;
	void (*run)(struct peer *p, json_t *request);
	const char *members; /* "|name|name|", besides request and tag */
} requests[] = {
	{ "status", ask_status, "" },
	{ "listeners", ask_listeners, "" },
	{ "listener", change_listener, "|address|port|mode|" },
	{ "conns", ask_conns, "|state|host|port|sort|limit|" },
	{ "counters", ask_counters, "" },
	{ "trace", start_trace, "|host|port|sample|hex|" },
	{ "stop", stop_trace, "" },
	{ "limit", limit, "|prefix|rate|" },
	{ "deny", deny, "|prefix|deny|" },
	{ "rules", ask_rules, "" },
	{ "top", ask_top, "" },
	{ "keys", keys, "|action|" },
	{ "selftest", selftest, "" },
	{ "reload", reload, "" },
};

/* A member that the request does not have; NULL if all are known and of the types they must have. */
static const char *unknown_member(json_t *request, const char *members)
{
	for (void *at = json_object_iter(request); at; at = json_object_iter_next(request, at)) {
		const char *key = json_object_iter_key(at);
		const json_t *value = json_object_iter_value(at);
		char word[40];

		if (!strcmp(key, "request") || !strcmp(key, "tag"))
			continue;
		snprintf(word, sizeof(word), "|%.36s|", key);
		if (!strstr(members, word))
			return key;
		if ((!strcmp(key, "port") && (!json_is_integer(value) || json_integer_value(value) < 0 ||
						     json_integer_value(value) > 65535)) ||
			(!strcmp(key, "limit") && (!json_is_integer(value) || json_integer_value(value) < 0)) ||
			((!strcmp(key, "host") || !strcmp(key, "state") || !strcmp(key, "sort")) &&
				!json_is_string(value)))
			return key;
	}
	return NULL;
}

static void on_line(struct peer *p, const char *line, size_t len)
{
	json_error_t error;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	const char *name = json_string_value(json_object_get(request, "request")), *member;
	char text[128];

	if (!json_is_object(request)) {
		refuse(p, NULL, -EBADMSG, "the line is no JSON object");
		p->hang_up = true;
	} else if (!name) {
		refuse(p, request, -EINVAL, "\"request\" is missing");
	} else {
		size_t i = 0;

		while (i < sizeof(requests) / sizeof(requests[0]) && strcmp(requests[i].name, name))
			i++;
		if (i == sizeof(requests) / sizeof(requests[0])) {
			snprintf(text, sizeof(text), "unknown request \"%.40s\"", name);
			refuse(p, request, -EINVAL, text);
		} else if ((member = unknown_member(request, requests[i].members)) != NULL) {
			snprintf(
				text, sizeof(text), "%s: no such member, or not such a value: \"%.40s\"", name, member);
			refuse(p, request, -EINVAL, text);
		} else {
			requests[i].run(p, request);
		}
	}
	json_decref(request);
}

/* The lines that are whole. Returns false when the peer is gone. */
static bool take_lines(struct peer *p)
{
	char *end;

	/* In order: a line waits until the one before it is answered. */
	while (!p->hang_up && !p->conns && (end = memchr(p->in, '\n', p->in_bytes)) != NULL) {
		size_t len = (size_t)(end - p->in);

		on_line(p, p->in, len);
		memmove(p->in, end + 1, p->in_bytes - len - 1);
		p->in_bytes -= len + 1;
	}
	if (!p->hang_up && !p->conns && p->in_bytes == CONTROL_LINE_MAX) {
		refuse(p, NULL, -EBADMSG, "the line is too long");
		p->hang_up = true;
	}
	return flush(p);
}

static void on_peer(struct source *s, uint32_t events)
{
	struct peer *p = (struct peer *)((char *)s - offsetof(struct peer, source));
	struct control *k = p->control;
	ssize_t n;

	if (events & EPOLLOUT && !flush(p)) {
		update_tracing(k);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		n = recv(s->fd, p->in + p->in_bytes, CONTROL_LINE_MAX - p->in_bytes, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			if (p->in_bytes < CONTROL_LINE_MAX) {
				peer_free(p);
				update_tracing(k);
				return;
			}
		}
		if (n > 0)
			p->in_bytes += (size_t)n;
		if (!take_lines(p))
			update_tracing(k);
	}
}

static bool wanted(const struct peer *p, const struct trace_record *r)
{
	return p->tracing && wanted_host(&p->host, &r->local, &r->remote) &&
	       (!p->port || address_port(&r->local) == p->port || address_port(&r->remote) == p->port);
}

static void trace_to(struct peer *p, const struct trace_record *r)
{
	if (++p->skipped < p->sample)
		return;
	p->skipped = 0;
	if (p->dropped && append(p, json_pack("{s:s, s:I}", "trace", "dropped", "count", (json_int_t)p->dropped),
				  CONTROL_OUT_MAX - REPLY_ROOM))
		p->dropped = 0;
	if (p->dropped || !append(p, trace_json(r, p->hex), CONTROL_OUT_MAX - REPLY_ROOM))
		p->dropped++;
}

void control_trace(struct daemon *d)
{
	struct trace_record *r;
	struct peer *next;

	if (!d->control || !atomic_load(&d->tracing))
		return;
	r = malloc(sizeof(*r));
	/* A ring full at most, so that others get a turn. */
	for (unsigned i = 0; r && i < TRACE_RING && trace_take(d, r); i++) {
		for (struct peer *p = d->control->peers; p; p = p->next) {
			if (wanted(p, r))
				trace_to(p, r);
		}
	}
	free(r);
	for (struct peer *p = d->control->peers; p; p = next) {
		next = p->next;
		if (p->tracing)
			flush(p);
	}
	update_tracing(d->control);
}

static void on_pause(struct timer *t)
{
	struct control *k = (struct control *)((char *)t - offsetof(struct control, pause));

	loop_watch(&k->d->loop, &k->socket, EPOLLIN);
}

static void on_connection(struct source *s, uint32_t events)
{
	struct control *k = (struct control *)((char *)s - offsetof(struct control, socket));
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred who;
	socklen_t len = sizeof(who);
	struct peer *p;

	(void)events;
	if (fd < 0) {
		/* Out of descriptors: it stays in the queue, and polling it would spin. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			loop_watch(&k->d->loop, s, 0);
			loop_arm(&k->d->loop, &k->pause, PAUSE_MS);
		}
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) ||
		!who_may(&k->d->config.control_who, who.uid, who.gid)) {
		static const char no[] = "{\"ok\": false, \"error\": \"not permitted\", \"errno\": \"EPERM\"}\n";

		if (send(fd, no, sizeof(no) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			log_line(LOG_DEBUG, "denied", "a refused control client did not wait for the answer");
		close(fd);
		return;
	}
	p = k->count < CONTROL_CLIENTS_MAX ? calloc(1, sizeof(*p)) : NULL;
	if (!p) {
		close(fd);
		return;
	}
	p->control = k;
	p->source = (struct source){ .fd = fd, .ready = on_peer };
	p->next = k->peers;
	k->peers = p;
	k->count++;
	if (loop_watch(&k->d->loop, &p->source, EPOLLIN))
		peer_free(p);
}

int control_open(struct daemon *d)
{
	bool shared = d->config.control_who.uids || d->config.control_who.gids;
	struct control *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return -ENOMEM;
	k->d = d;
	k->pause.due = on_pause;
	/* Others are let to the credentials check only when the config names some. */
	k->socket = (struct source){ .fd = unix_serve(d->config.control, SOCK_STREAM, shared ? 0666 : 0600),
		.ready = on_connection };
	k->dumped = (struct source){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .ready = on_dumped };
	rc = k->socket.fd < 0 ? k->socket.fd : k->dumped.fd < 0 ? -errno : 0;
	if (!rc)
		rc = loop_watch(&d->loop, &k->socket, EPOLLIN);
	if (!rc)
		rc = loop_watch(&d->loop, &k->dumped, EPOLLIN);
	if (rc) {
		if (k->socket.fd >= 0)
			close(k->socket.fd);
		if (k->dumped.fd >= 0)
			close(k->dumped.fd);
		free(k);
		return rc;
	}
	d->control = k;
	return 0;
}

/* The device must be gone: a dump under way has told its end by then. */
void control_close(struct daemon *d)
{
	struct control *k = d->control;

	while (k->peers)
		peer_free(k->peers);
	update_tracing(k);
	loop_disarm(&d->loop, &k->pause);
	loop_forget(&d->loop, &k->socket);
	loop_forget(&d->loop, &k->dumped);
	close(k->socket.fd);
	close(k->dumped.fd);
	free(k->dump.entry);
	unlink(d->config.control);
	free(k);
	d->control = NULL;
}
