/* SPDX-License-Identifier: Apache-2.0
 * metrics.c - Prometheus' text format over HTTP, on a unix socket or a loopback port: any GET gets all of it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "driver/clock.h"

enum { SCRAPERS_MAX = 16, REQUEST_MAX = 4096, SCRAPE_MS = 10000, PAUSE_MS = 100, RULES_SHOWN = 64 };

struct scraper {
	struct metrics *metrics;
	struct scraper *next;
	struct source source;
	struct timer late;
	char in[REQUEST_MAX];
	size_t in_bytes;
	char *out;
	size_t out_bytes, out_sent;
};

struct metrics {
	struct daemon *d;
	struct source unix_socket, port;
	struct timer pause;
	struct scraper *scrapers;
	unsigned count;
};

static void scraper_free(struct scraper *s)
{
	struct scraper **at = &s->metrics->scrapers;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->metrics->count--;
	loop_forget(&s->metrics->d->loop, &s->source);
	loop_disarm(&s->metrics->d->loop, &s->late);
	close(s->source.fd);
	free(s->out);
	free(s);
}

/* The text ------------------------------------------------------------------------------------------------------------------------ */

static void metric(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP handfast_%s %s\n# TYPE handfast_%s %s\n", name, help, name, type);
}

static void one(FILE *f, const char *name, const char *type, const char *help, unsigned long long value)
{
	metric(f, name, type, help);
	fprintf(f, "handfast_%s %llu\n", name, value);
}

/* One value per listener. */
static void per_listener(FILE *f, struct daemon *d, const char *name, const char *type, const char *help,
	unsigned long long (*value)(const struct listener *l))
{
	char host[ADDRESS_TEXT_BYTES];

	metric(f, name, type, help);
	for (unsigned i = 0; i < d->listeners; i++) {
		const struct listener *l = d->listener[i];

		fprintf(f, "handfast_%s{address=\"%s\",port=\"%u\",way=\"%s\"} %llu\n", name,
			address_host_text(&l->config.address, host), address_port(&l->config.address),
			way_word(l->config.way), value(l));
	}
}

static unsigned long long of_mode(const struct listener *l)
{
	return l->mode;
}

static unsigned long long of_since(const struct listener *l)
{
	return (unsigned long long)(clock_ms() - l->since_ms) / 1000;
}

static unsigned long long of_established(const struct listener *l)
{
	return listener_established(l);
}

static unsigned long long of_rate(const struct listener *l)
{
	return l->rate;
}

static unsigned long long of_syns(const struct listener *l)
{
	return l->syns;
}

static unsigned long long of_syn_rate(const struct listener *l)
{
	return l->syn_rate;
}

static unsigned long long of_attack(const struct listener *l)
{
	return l->attack.active;
}

static unsigned long long of_failed(const struct listener *l)
{
	return listener_failed(l);
}

static unsigned long long of_overflow(const struct listener *l)
{
	return listener_overflow(l);
}

static unsigned long long of_queued(const struct listener *l)
{
	return listener_queued(l);
}

static void put_counters(FILE *f, struct daemon *d)
{
	static const char *const board_help[] = {
#define COUNTER(name, doc) doc,
#include "regs/counter.def"
#undef COUNTER
	};
	static const char *const host_help[] = {
#define COUNTER(name, doc) doc,
#include "../counter.def"
#undef COUNTER
	};
	struct hf_stat stats[IPC_STATS_MAX];
	int n = d->dev ? hf_stats(d->dev, stats, IPC_STATS_MAX) : 0;

	for (int i = 0; i < n && i < IPC_STATS_MAX; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s_total", stats[i].name);
		for (char *c = name; *c; c++)
			*c = *c == '.' ? '_' : *c >= 'A' && *c <= 'Z' ? (char)(*c | 32) : *c;
		one(f, name, "counter", i < HF_CNT_COUNT ? board_help[i] : host_help[i - HF_CNT_COUNT], stats[i].value);
	}
}

static void put_shared(FILE *f, struct daemon *d)
{
	uint64_t failures[sizeof(d->shared.failures) / sizeof(d->shared.failures[0])], denied, limited;

	pthread_mutex_lock(&d->shared.lock);
	memcpy(failures, d->shared.failures, sizeof(failures));
	denied = d->shared.denied;
	limited = d->shared.limited;
	pthread_mutex_unlock(&d->shared.lock);
	one(f, "denied_total", "counter", "connections reset because their prefix is denied", denied);
	one(f, "limited_total", "counter", "connections reset because their prefix is over its limit", limited);
	metric(f, "handoff_errors_total", "counter", "handoffs that failed, by errno");
	for (unsigned i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const char *name = strerrorname_np((int)i);

		if (failures[i])
			fprintf(f, "handfast_handoff_errors_total{errno=\"%s\"} %llu\n", name ? name : "other",
				(unsigned long long)failures[i]);
	}
}

static void put_sources(FILE *f, struct daemon *d)
{
	static const struct {
		const char *name, *member, *help;
	} metrics[] = {
		{ "source_connections", "connections", "connections of the sources that have most, /24 and /64" },
		{ "source_syns", "syns",
			"SYNs in the last one to two minutes of the sources that send most, estimated from samples" },
	};
	json_t *top = samples_top_json(d), *list = json_object_get(top, "sources");

	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		metric(f, metrics[m].name, "gauge", metrics[m].help);
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *o = json_array_get(list, i);
			long long value = json_integer_value(json_object_get(o, metrics[m].member));

			if (value)
				fprintf(f, "handfast_%s{prefix=\"%s\"} %lld\n", metrics[m].name,
					json_string_value(json_object_get(o, "prefix")), value);
		}
	}
	one(f, "sample_every", "gauge", "the board shows one of so many SYNs, 0: none",
		(unsigned long long)json_integer_value(json_object_get(top, "every")));
	json_decref(top);
}

/* The first ones: those that are in the board, and some that are not. */
static void put_rules(FILE *f, struct daemon *d)
{
	json_t *list = rules_json(d);

	metric(f, "rules", "gauge", "rules for source prefixes, by where they act");
	fprintf(f, "handfast_rules{where=\"board\"} %u\nhandfast_rules{where=\"host\"} %u\n", rules_on_board(d),
		d->shared.rules - rules_on_board(d));
	metric(f, "rule_drops_total", "counter",
		"segments that the board dropped, and connections that the host refused, by rule");
	for (size_t i = 0; i < json_array_size(list) && i < RULES_SHOWN; i++) {
		const json_t *o = json_array_get(list, i);

		fprintf(f, "handfast_rule_drops_total{prefix=\"%s\",where=\"%s\"} %lld\n",
			json_string_value(json_object_get(o, "prefix")), json_string_value(json_object_get(o, "where")),
			(long long)json_integer_value(json_object_get(o, "drops")));
	}
	json_decref(list);
}

static char *text_of(struct daemon *d, size_t *len)
{
	uint64_t hold_us, held;
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (!f)
		return NULL;
	one(f, "up", "gauge", "1 while the board answers", d->dev != NULL);
	one(f, "attack", "gauge", "1 while more SYNs come than attack.syn_rate", d->attack.active);
	one(f, "syn_rate", "gauge", "SYNs per second, all listeners", d->rates.syn);
	one(f, "clients", "gauge", "programs connected", d->clients);
	one(f, "sent_again_total", "counter", "connections sent again to a program that had no descriptor free",
		d->taken_again);
	one(f, "ack_again_total", "counter", "final ACKs injected again: the accept queue was full",
		kernel_way_again(d));
	per_listener(f, d, "listener_mode", "gauge", "0 off, 1 offload, 2 bypass", of_mode);
	per_listener(f, d, "listener_mode_seconds", "gauge", "age of the mode", of_since);
	per_listener(f, d, "listener_established_total", "counter", "handshakes completed", of_established);
	per_listener(f, d, "listener_established_rate", "gauge", "the same, per second", of_rate);
	if (attack_counts(d)) {
		per_listener(f, d, "listener_syns_total", "counter", "SYNs, whatever became of them", of_syns);
		per_listener(f, d, "listener_syn_rate", "gauge", "the same, per second", of_syn_rate);
		per_listener(f, d, "listener_attack", "gauge", "1 while more SYNs come to it than attack.syn_rate",
			of_attack);
	}
	per_listener(f, d, "listener_failed_total", "counter", "handoffs that failed", of_failed);
	per_listener(f, d, "listener_overflow_total", "counter", "connections that found the queue full", of_overflow);
	per_listener(f, d, "listener_queued", "gauge", "connections that no program has taken yet", of_queued);
	kernel_way_hold(d, &hold_us, &held);
	metric(f, "hold_seconds", "summary", "from the event to the kernel's listener, way kernel");
	fprintf(f, "handfast_hold_seconds_sum %.6f\nhandfast_hold_seconds_count %llu\n", (double)hold_us / 1e6,
		(unsigned long long)held);
	put_shared(f, d);
	put_rules(f, d);
	put_sources(f, d);
	put_counters(f, d);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* HTTP ------------------------------------------------------------------------------------------------------------------------------ */

static void on_scraper(struct source *source, uint32_t events);

static void answer(struct scraper *s)
{
	bool get = !strncmp(s->in, "GET ", 4);
	size_t len = 0;
	char *body = get ? text_of(s->metrics->d, &len) : NULL;
	int head;

	s->out = malloc(len + 256);
	if (!s->out || (get && !body)) {
		free(body);
		scraper_free(s);
		return;
	}
	head = snprintf(s->out, 256,
		"HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %zu\r\nConnection: "
		"close\r\n\r\n",
		get ? "200 OK" : "405 Method Not Allowed", len);
	if (body)
		memcpy(s->out + head, body, len);
	s->out_bytes = (size_t)head + len;
	free(body);
	if (loop_watch(&s->metrics->d->loop, &s->source, EPOLLOUT))
		scraper_free(s);
}

static void on_scraper(struct source *source, uint32_t events)
{
	struct scraper *s = (struct scraper *)((char *)source - offsetof(struct scraper, source));
	ssize_t n;

	(void)events;
	if (s->out) {
		n = send(source->fd, s->out + s->out_sent, s->out_bytes - s->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			s->out_sent += (size_t)n;
		if (s->out_sent == s->out_bytes || (n < 0 && errno != EAGAIN && errno != EINTR))
			scraper_free(s);
		return;
	}
	n = recv(source->fd, s->in + s->in_bytes, sizeof(s->in) - 1 - s->in_bytes, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		scraper_free(s);
		return;
	}
	s->in_bytes += (size_t)n;
	s->in[s->in_bytes] = 0;
	if (strstr(s->in, "\r\n\r\n") || strstr(s->in, "\n\n"))
		answer(s);
	else if (s->in_bytes == sizeof(s->in) - 1)
		scraper_free(s);
}

static void on_late(struct timer *t)
{
	scraper_free((struct scraper *)((char *)t - offsetof(struct scraper, late)));
}

static void accept_one(struct metrics *m, struct source *from)
{
	int fd = accept4(from->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct scraper *s;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			loop_watch(&m->d->loop, from, 0);
			loop_arm(&m->d->loop, &m->pause, PAUSE_MS);
		}
		return;
	}
	s = m->count < SCRAPERS_MAX ? calloc(1, sizeof(*s)) : NULL;
	if (!s) {
		close(fd);
		return;
	}
	s->metrics = m;
	s->source = (struct source){ .fd = fd, .ready = on_scraper };
	s->late.due = on_late;
	s->next = m->scrapers;
	m->scrapers = s;
	m->count++;
	loop_arm(&m->d->loop, &s->late, SCRAPE_MS);
	if (loop_watch(&m->d->loop, &s->source, EPOLLIN))
		scraper_free(s);
}

static void on_unix(struct source *s, uint32_t events)
{
	(void)events;
	accept_one((struct metrics *)((char *)s - offsetof(struct metrics, unix_socket)), s);
}

static void on_port(struct source *s, uint32_t events)
{
	(void)events;
	accept_one((struct metrics *)((char *)s - offsetof(struct metrics, port)), s);
}

static void on_pause(struct timer *t)
{
	struct metrics *m = (struct metrics *)((char *)t - offsetof(struct metrics, pause));

	if (m->unix_socket.fd >= 0)
		loop_watch(&m->d->loop, &m->unix_socket, EPOLLIN);
	if (m->port.fd >= 0)
		loop_watch(&m->d->loop, &m->port, EPOLLIN);
}

static int listen_on_loopback(unsigned port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, SCRAPERS_MAX))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int metrics_open(struct daemon *d)
{
	struct metrics *m;
	int rc = 0;

	if (!*d->config.metrics_socket && !d->config.metrics_port)
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->d = d;
	m->pause.due = on_pause;
	m->unix_socket = (struct source){ .fd = -1, .ready = on_unix };
	m->port = (struct source){ .fd = -1, .ready = on_port };
	d->metrics = m;
	/* Numbers are no secret, as /proc/net is none. */
	if (*d->config.metrics_socket) {
		rc = m->unix_socket.fd = unix_serve(d->config.metrics_socket, SOCK_STREAM, 0666);
		if (rc >= 0)
			rc = loop_watch(&d->loop, &m->unix_socket, EPOLLIN);
	}
	if (rc >= 0 && d->config.metrics_port) {
		rc = m->port.fd = listen_on_loopback(d->config.metrics_port);
		if (rc >= 0)
			rc = loop_watch(&d->loop, &m->port, EPOLLIN);
	}
	return rc < 0 ? rc : 0;
}

void metrics_close(struct daemon *d)
{
	struct metrics *m = d->metrics;

	if (!m)
		return;
	while (m->scrapers)
		scraper_free(m->scrapers);
	loop_disarm(&d->loop, &m->pause);
	if (m->unix_socket.fd >= 0) {
		loop_forget(&d->loop, &m->unix_socket);
		close(m->unix_socket.fd);
		unlink(d->config.metrics_socket);
	}
	if (m->port.fd >= 0) {
		loop_forget(&d->loop, &m->port);
		close(m->port.fd);
	}
	free(m);
	d->metrics = NULL;
}
