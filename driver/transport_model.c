/* SPDX-License-Identifier: Apache-2.0
 * transport_model.c - a board inside the process, for tests: the C model of the core with its
 * message pins on one side of a queue. Each call that finds nothing to receive runs the clock. */
#include "transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define CYCLES_PER_RECV 4096

struct message {
	struct message *next;
	size_t len;
	uint8_t bytes[];
};

struct model_transport {
	struct transport t;
	struct sim *sim;
	struct message *first, **end;
	bool out_of_memory;
};

static void on_c2h(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct model_transport *m = ctx;
	struct message *entry = malloc(sizeof(*entry) + len);

	(void)cycle, (void)time_ns;
	if (!entry) {
		m->out_of_memory = true;
		return;
	}
	entry->next = NULL;
	entry->len = len;
	memcpy(entry->bytes, msg, len);
	*m->end = entry;
	m->end = &entry->next;
}

static int model_send(struct transport *t, const void *msg, size_t len)
{
	struct model_transport *m = (struct model_transport *)t;

	return len > TRANSPORT_MESSAGE_MAX ? -EMSGSIZE : sim_h2c(m->sim, msg, len);
}

static ssize_t model_recv(struct transport *t, void *msg, size_t cap)
{
	struct model_transport *m = (struct model_transport *)t;
	struct message *entry;
	ssize_t n;

	for (unsigned i = 0; !m->first && i < CYCLES_PER_RECV; i++)
		sim_step(m->sim);
	if (m->out_of_memory)
		return -ENODEV;
	entry = m->first;
	if (!entry)
		return -EAGAIN;
	n = (ssize_t)entry->len;
	if (entry->len > cap)
		n = -EMSGSIZE;
	else
		memcpy(msg, entry->bytes, entry->len);
	m->first = entry->next;
	if (!m->first)
		m->end = &m->first;
	free(entry);
	return n;
}

static void model_close(struct transport *t)
{
	struct model_transport *m = (struct model_transport *)t;

	while (m->first) {
		struct message *next = m->first->next;

		free(m->first);
		m->first = next;
	}
	sim_close(m->sim);
	free(m);
}

static const struct transport_ops model_ops = { model_send, model_recv, model_close, NULL, NULL };

int transport_model_open(uint64_t seed, struct transport **out)
{
	struct model_transport *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->t.ops = &model_ops;
	m->t.fd = -1;
	m->end = &m->first;
	m->sim = sim_open(ENGINE_MODEL, ENGINE_DEFAULT, seed);
	if (!m->sim) {
		free(m);
		return -ENOMEM;
	}
	m->sim->on.c2h = on_c2h;
	m->sim->ctx = m;
	*out = &m->t;
	return 0;
}

struct sim *transport_model_sim(struct transport *t)
{
	return ((struct model_transport *)t)->sim;
}
