/* SPDX-License-Identifier: Apache-2.0
 * rates.c - once a second: how much? */
#include <string.h>

#include "daemon.h"

static uint64_t delta(uint64_t now, uint64_t *last)
{
	uint64_t more = now >= *last ? now - *last : now;

	*last = now;
	return more;
}

/* Every SYN that the engine judged, whatever became of it; and completed handshakes. */
static const enum hf_counter syns[] = { HF_CNT_SYN_ACCEPTED, HF_CNT_COOKIES_SENT, HF_CNT_DROP_BACKLOG,
	HF_CNT_DROP_TABLE_FULL, HF_CNT_DROP_REPLY_FULL, HF_CNT_DROP_HOST_GONE, HF_CNT_DROP_SOURCE_LIMITED };

struct sample {
	uint64_t syn, established;
};

static int read_counter(struct hf_device *dev, enum hf_counter which, uint64_t *sum)
{
	uint32_t low = 0, high = 0;
	int rc = device_reg_read(dev->board, HF_REG_COUNTER(which), &low);

	if (!rc)
		rc = device_reg_read(dev->board, HF_REG_COUNTER(which) + 4, &high);
	*sum += (uint64_t)high << 32 | low;
	return rc;
}

/* A job: only these, once a second. */
static int read_sample(struct hf_device *dev, void *arg)
{
	struct sample *s = arg;
	int rc = device_reg_write(dev->board, HF_REG_SNAPSHOT, 0);

	for (size_t i = 0; i < sizeof(syns) / sizeof(syns[0]) && !rc; i++)
		rc = read_counter(dev, syns[i], &s->syn);
	return rc ? rc : read_counter(dev, HF_CNT_ESTABLISHED, &s->established);
}

void rates_second(struct daemon *d)
{
	struct sample now = { 0 };
	uint64_t host[HOST_COUNTERS];

	for (unsigned i = 0; i < d->listeners; i++)
		listener_second(d->listener[i]);
	if (!d->dev || service_run(d->dev, read_sample, &now)) {
		memset(&d->rates, 0, sizeof(d->rates));
		return;
	}
	for (unsigned i = 0; i < HOST_COUNTERS; i++)
		host[i] = delta(atomic_load(&d->dev->count[i]), &d->last_host[i]);
	d->rates = (struct rates){
		.syn = delta(now.syn, &d->last_syn),
		.established = delta(now.established, &d->last_established),
		.handoffs = host[COUNT_handoffs],
		.connects = host[COUNT_connects],
		.frames_up = host[COUNT_tap_out],
		.frames_down = host[COUNT_tap_in],
	};
	if (!d->primed)
		memset(&d->rates, 0, sizeof(d->rates));
	d->primed = true;
	attack_second(d, d->rates.syn);
}
