/* SPDX-License-Identifier: Apache-2.0
 * rates.c - once a second: how much, and is it an attack? */
#include <errno.h>
#include <string.h>

#include "daemon.h"
#include "driver/clock.h"

static uint64_t delta(uint64_t now, uint64_t *last)
{
	uint64_t more = now >= *last ? now - *last : now;

	*last = now;
	return more;
}

static void judge(struct daemon *d)
{
	int64_t now = clock_ms();

	if (d->rates.syn >= d->config.attack_syn_rate)
		d->attack_seen_ms = now;
	if (!d->attacked && d->rates.syn >= d->config.attack_syn_rate) {
		d->attacked = true;
		d->attack_since_ms = now;
		log_line(LOG_WARNING, "attack_start", "%llu SYNs per second, more than %u",
			(unsigned long long)d->rates.syn, d->config.attack_syn_rate);
	} else if (d->attacked && now - d->attack_seen_ms > d->config.attack_quiet_ms) {
		d->attacked = false;
		log_line(LOG_NOTICE, "attack_end", "no more than %u SYNs per second for %u ms; it went on for %lld ms",
			d->config.attack_syn_rate, d->config.attack_quiet_ms,
			(long long)(d->attack_seen_ms - d->attack_since_ms));
	}
}

void rates_second(struct daemon *d)
{
	uint64_t *now = d->board_count;
	uint64_t board[HF_CNT_COUNT], host[HOST_COUNTERS];

	for (unsigned i = 0; i < d->listeners; i++)
		listener_second(d->listener[i]);
	if (board_counters(d, now)) {
		memset(&d->rates, 0, sizeof(d->rates));
		return;
	}
	for (unsigned i = 0; i < HF_CNT_COUNT; i++)
		board[i] = delta(now[i], &d->last_count[i]);
	for (unsigned i = 0; i < HOST_COUNTERS; i++)
		host[i] = delta(atomic_load(&d->dev->count[i]), &d->last_host[i]);
	/* Every SYN that the engine judged, whatever became of it. */
	d->rates = (struct rates){
		.syn = board[HF_CNT_SYN_ACCEPTED] + board[HF_CNT_COOKIES_SENT] + board[HF_CNT_DROP_BACKLOG] +
		       board[HF_CNT_DROP_TABLE_FULL] + board[HF_CNT_DROP_REPLY_FULL] + board[HF_CNT_DROP_HOST_GONE],
		.established = board[HF_CNT_ESTABLISHED],
		.handoffs = host[COUNT_handoffs],
		.connects = host[COUNT_connects],
		.frames_up = host[COUNT_tap_out],
		.frames_down = host[COUNT_tap_in],
	};
	if (!d->primed)
		memset(&d->rates, 0, sizeof(d->rates));
	d->primed = true;
	judge(d);
}
