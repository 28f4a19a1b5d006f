/* SPDX-License-Identifier: Apache-2.0
 * pcie_bench.c - latency and throughput of rtl/pcie/ at its pins, with a host that is never the limit. */
#include <stdio.h>
#include "pcie_bench.h"
#include "pcie_rig.h"

#define PCIE_HZ	     250e6
#define GBE_FRAMES_S 1488095.0 /* frames of 64 octets per second at 1 Gb/s: 10^9 / (8 * 84) */

enum {
	RING_LOG2 = 16,
	WARM_UP = 4000,	   /* clocks of the core before what is measured */
	CLOCKS = 60000,	   /* of it */
	POLL = 100,	   /* clocks between two looks of the host */
	READ_CLOCKS = 200, /* from a read to its completion: 0.8 us */
	EVENTS = 100,
	EVENT_BYTES = 128,
	FCS = 4, /* is not in a message */
	MAX_PAYLOAD = 256,
	HEADER = 16 /* bytes of a TLP of ours: addresses above 4 GiB */
};

struct count {
	uint64_t up, down;
};

static void up(void *ctx, const uint8_t *msg, size_t len)
{
	struct count *c = ctx;

	(void)len;
	c->up += msg[0] != HF_MSG_HELLO;
}

static void down(void *ctx, const uint8_t *msg, size_t len)
{
	struct count *c = ctx;

	(void)msg, (void)len;
	c->down++;
}

static struct pcie_rig *open_rig(struct count *c, uint64_t core_ps)
{
	struct pcie_rig *g = rig_open(1);

	if (!g)
		return NULL;
	*c = (struct count){ 0 };
	g->on_message = up;
	g->on_h2c = down;
	g->ctx = c;
	g->link->core_period_ps = core_ps;
	g->link->config.max_payload = 1; /* 256 bytes */
	g->link->config.max_read = 2;	 /* 512 */
	g->link->disorder.read_min = g->link->disorder.read_max = READ_CLOCKS;
	rig_rings(g, RING_LOG2, 0x1200000000, 0x3400000000, 0x5600000000);
	rig_run(g, WARM_UP);
	rig_poll(g, true);
	return g;
}

static int close_rig(struct pcie_rig *g)
{
	const int r = g->link->faults || g->link->refused ? -EIO : 0;

	if (r)
		fprintf(stderr, "bench: pcie: %s\n", g->link->fault);
	rig_close(g);
	return r;
}

static uint64_t write_clock;

static void on_tlp(void *ctx, const uint8_t *tlp, size_t len, uint64_t clock)
{
	(void)ctx;
	/* A status block or an interrupt is shorter than any piece of an event. */
	if (!write_clock && (tlp[0] & 0x40) && len > HEADER + HEADER)
		write_clock = clock;
}

/* An event on an idle card, the core at 156.25 MHz: its beats on the core's pins to the first of its write. */
static int latency(void (*report)(const char *name, double value, const char *unit, const char *note))
{
	struct count c;
	struct pcie_rig *g = open_rig(&c, 6400);
	uint8_t msg[EVENT_BYTES];
	double first = 0, last = 0;

	if (!g)
		return -ENOMEM;
	pcie_link_on_tlp(g->link, on_tlp, NULL);
	rig_message(msg, HF_MSG_EVENT, sizeof msg, 1);
	for (unsigned i = 0; i < EVENTS; i++) {
		uint64_t begin;

		rig_run(g, 1000 + i % 7);
		rig_poll(g, true);
		write_clock = 0;
		rig_say(g, msg, sizeof msg);
		rig_step(g);
		begin = g->link->clocks; /* the first beat is on the pins from here on */
		while (rig_unsaid(g))
			rig_step(g);
		last -= (double)g->link->clocks;
		rig_run(g, 100);
		first += (double)(write_clock - begin);
		last += (double)write_clock;
	}
	report("pcie_event_to_write_cycles", first / EVENTS, "cycles",
		"first beat of an event out of the core (156.25 MHz) to that of its memory write, in 250 MHz clocks");
	report("pcie_event_end_to_write_cycles", last / EVENTS, "cycles", "the same from its last beat");
	return close_rig(g);
}

/* Messages of one size, as many as the endpoint takes; the core at 250 MHz too, so that the bus is the limit. Sets what came per
 * clock of pcie_clk. */
static int throughput(size_t len, unsigned type, bool upward, double *per_clock)
{
	struct count c;
	struct pcie_rig *g = open_rig(&c, 4000);
	uint8_t msg[RIG_MESSAGE_MAX];
	uint64_t from = 0, clock = 0;

	if (!g)
		return -ENOMEM;
	rig_message(msg, type, len, 1);
	for (unsigned at = 0; at < WARM_UP + CLOCKS; at += POLL) {
		if (at == WARM_UP) {
			/* What is written, not what a status block has told of it. */
			from = upward ? rig_get(g, HF_PCIE_C2H_TAIL) / ((len + 7) / 8 * 8) : c.down;
			clock = g->link->clocks;
		}
		if (upward) {
			while (rig_unsaid(g) < 4 * POLL)
				rig_say(g, msg, len);
		} else {
			while (rig_send(g, msg, len))
				;
			rig_ring(g);
		}
		rig_run(g, POLL);
		rig_poll(g, true);
	}
	*per_clock = (double)((upward ? rig_get(g, HF_PCIE_C2H_TAIL) / ((len + 7) / 8 * 8) : c.down) - from) /
		     (double)(g->link->clocks - clock);
	return close_rig(g);
}

int pcie_bench(void (*report)(const char *name, double value, const char *unit, const char *note))
{
	static const unsigned sizes[] = { 64, 128, 256, 512, 1024, 1500 };
	/* Payload per clock of 8 bytes, when writes of Max_Payload_Size follow one another. */
	const double limit = 8.0 * MAX_PAYLOAD / (MAX_PAYLOAD + HEADER);
	double rate = 0;
	char name[40], note[120];
	int r = latency(report);

	if (!r)
		r = throughput(EVENT_BYTES, HF_MSG_EVENT, true, &rate);
	if (r)
		return r;
	report("pcie_events_per_s", rate * PCIE_HZ, "1/s",
		"events of 128 bytes at the bus's limit: 64 bits at 250 MHz, writes of 256 bytes, a status block each "
		"4 us");
	report("pcie_events_limit_pct", 100 * rate * EVENT_BYTES / limit, "%", "of the link's payload limit");
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		r = throughput(HF_MSG_HEADER_BYTES + sizes[i] - FCS, HF_MSG_FRAME, true, &rate);
		if (r)
			return r;
		snprintf(name, sizeof name, "pcie_frames_up_pct_%u", sizes[i]);
		snprintf(note, sizeof note,
			"frames of %u octets to the host: octets without FCS, of the link's payload limit", sizes[i]);
		report(name, 100 * rate * (sizes[i] - FCS) / limit, "%", note);
		if (sizes[i] == 64)
			report("pcie_frames_up_gbe_64", rate * PCIE_HZ / GBE_FRAMES_S, "",
				"the same frames as a multiple of what 1 Gb/s carries");
	}
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		r = throughput(HF_MSG_HEADER_BYTES + sizes[i] - FCS, HF_MSG_FRAME, false, &rate);
		if (r)
			return r;
		snprintf(name, sizeof name, "pcie_frames_down_pct_%u", sizes[i]);
		snprintf(note, sizeof note,
			"frames of %u octets from the host, whose reads take 0.8 us, of the same limit", sizes[i]);
		report(name, 100 * rate * (sizes[i] - FCS) / limit, "%", note);
		if (sizes[i] == 64)
			report("pcie_frames_down_gbe_64", rate * PCIE_HZ / GBE_FRAMES_S, "",
				"the same frames as a multiple of what 1 Gb/s carries");
	}
	return 0;
}
