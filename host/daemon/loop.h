/* SPDX-License-Identifier: Apache-2.0
 * loop.h - the daemon's one waiting place: descriptors and timers, in the main thread.
 * Blocks: loop_step() and loop_run(), until something is ready. Threads, Fork, Errors: daemon.h. */
#ifndef HANDFAST_DAEMON_LOOP_H
#define HANDFAST_DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/* A descriptor; lives in its owner's struct. */
struct source {
	int fd;
	void (*ready)(struct source *s, uint32_t events);
	uint32_t events; /* wanted; 0 and not added: not watched */
	bool added;
};

/* A timer; lives in its owner's struct. */
struct timer {
	int64_t due_ms; /* of clock_ms() */
	void (*due)(struct timer *t);
	bool armed;
	struct timer *next;
};

struct loop {
	int epoll;
	struct timer *timers;
	struct source *dispatched[64]; /* of this turn, so that a removed one is not called any more */
	int dispatching;
	bool stop;
};

/* Returns 0 or -errno. */
int loop_open(struct loop *l);
void loop_close(struct loop *l);

/* Watch a descriptor, or for other events. Returns 0 or -errno. */
int loop_watch(struct loop *l, struct source *s, uint32_t events);
/* Watch no more. The descriptor stays open; must come before it is closed. */
void loop_forget(struct loop *l, struct source *s);

void loop_arm(struct loop *l, struct timer *t, int64_t in_ms);
void loop_disarm(struct loop *l, struct timer *t);

/* Wait for one thing to happen, and have it dealt with. */
void loop_step(struct loop *l);
/* Until l->stop. */
void loop_run(struct loop *l);

#endif
