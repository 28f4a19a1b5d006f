/* SPDX-License-Identifier: Apache-2.0
 * pcie_host.c - `--host vfio-user:PATH`: the board as a PCI device of any vfio-user client. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "../board_host.h"
#include "../json_text.h"
#include "../options.h"
#include "../unix_socket.h"
#include "pcie_card.h"

struct pcie_port {
	struct board_host h;
	struct pcie_card card;
	bool functional;
	uint64_t seed;
};

static int pcie_open(const struct board_host_options *o, struct board_host **out, char *error, size_t size)
{
	struct pcie_port *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return error_text(-ENOMEM, error, size, "out of memory");
	p->h.ops = &pcie_host_ops;
	p->functional = o->kind == ENGINE_MODEL;
	p->seed = o->seed;
	rc = pcie_card_open(&p->card, o->where);
	if (rc) {
		free(p);
		return error_text(rc, error, size, "%svfio-user:%s: %s", rc == -ENAMETOOLONG ? "--host " : "", o->where,
			unix_listen_error(rc));
	}
	p->card.server.log = stderr;
	*out = &p->h;
	return 0;
}

static int pcie_attach(struct board_host *h, struct session *s)
{
	struct pcie_port *p = (struct pcie_port *)h;

	return pcie_card_attach(&p->card, s, p->functional, p->seed);
}

static unsigned pcie_poll(const struct board_host *h, struct pollfd *fds)
{
	return vfio_user_poll(&((const struct pcie_port *)h)->card.server, fds);
}

static void pcie_serve(struct board_host *h, struct session *s, const struct pollfd *fds)
{
	struct pcie_port *p = (struct pcie_port *)h;

	(void)s;
	if (fds[0].revents)
		vfio_user_accept(&p->card.server);
}

static unsigned pcie_take(struct board_host *h, struct session *s, unsigned ahead)
{
	(void)s;
	return vfio_user_serve(&((struct pcie_port *)h)->card.server, ahead);
}

static bool pcie_stuck(const struct board_host *h)
{
	(void)h;
	return false; /* the link does not count waiting as moving */
}

static void pcie_summary(const struct board_host *h, const char *name, FILE *out)
{
	const struct pcie_port *p = (const struct pcie_port *)h;
	const struct vfio_user_stats *s = &p->card.server.stats;
	const struct pcie_link *l = p->card.link;

	fprintf(out,
		"%s: vfio-user: %" PRIu64 " clients, %" PRIu64 " refused, %" PRIu64 " dropped, %" PRIu64
		" messages (%" PRIu64 " in error), %" PRIu64 " interrupts, %" PRIu64 " without eventfd\n",
		name, s->clients, s->refused_clients, s->broken, s->messages, s->errors, s->interrupts, s->lost);
	fprintf(out,
		"%s: pcie: %" PRIu64 " writes of %" PRIu64 " bytes, %" PRIu64 " reads of %" PRIu64 " bytes, %" PRIu64
		" refused\n",
		name, l->writes, l->write_bytes, l->reads, l->read_bytes, l->refused);
	if (l->faults)
		fprintf(out, "%s: %" PRIu64 " broken promises of the endpoint, first: %s\n", name, l->faults, l->fault);
}

static void pcie_json(const struct board_host *h, FILE *out)
{
	const struct pcie_port *p = (const struct pcie_port *)h;
	const struct vfio_user_stats *s = &p->card.server.stats;
	const struct pcie_link *l = p->card.link;

	fprintf(out,
		", \"vfio_user\": {\"clients\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"dropped\": %" PRIu64
		", \"messages\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"interrupts\": %" PRIu64
		", \"without_eventfd\": %" PRIu64 "}",
		s->clients, s->refused_clients, s->broken, s->messages, s->errors, s->interrupts, s->lost);
	fprintf(out,
		", \"pcie\": {\"writes\": %" PRIu64 ", \"write_bytes\": %" PRIu64 ", \"reads\": %" PRIu64
		", \"read_bytes\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"broken_promises\": %" PRIu64,
		l->writes, l->write_bytes, l->reads, l->read_bytes, l->refused, l->faults);
	if (l->faults) {
		fputs(", ", out);
		json_text(out, "first_broken_promise", l->fault);
	}
	putc('}', out);
}

static void pcie_close(struct board_host *h)
{
	struct pcie_port *p = (struct pcie_port *)h;

	pcie_card_close(&p->card);
	free(p);
}

const struct board_host_ops pcie_host_ops = {
	.scheme = "vfio-user",
	.form = "vfio-user:PATH",
	.open = pcie_open,
	.attach = pcie_attach,
	.poll = pcie_poll,
	.serve = pcie_serve,
	.take = pcie_take,
	.stuck = pcie_stuck,
	.summary = pcie_summary,
	.json = pcie_json,
	.close = pcie_close,
};
