/* SPDX-License-Identifier: Apache-2.0
 * library.h - what the files of the library share.
 *
 * Two kinds of thread: the service thread owns `board`, `tap`, `watch`, `owned` and what is marked so below;
 * callers reach these only by service_run(). `lock` guards what is marked so; it is never held across a register
 * access or a handoff. */
#ifndef HANDFAST_LIBRARY_H
#define HANDFAST_LIBRARY_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "driver/device.h"
#include "handfast.h"
#include "handoff.h"
#include "owned.h"
#include "tap.h"

#define LISTENERS_MAX	 256
#define ERROR_BYTES	 256
#define STALE_REMEMBERED 16

enum host_counter {
#define COUNTER(name, doc) COUNT_##name,
#include "counter.def"
#undef COUNTER
	HOST_COUNTERS
};

/* Work that a caller has the service thread do; lives on the caller's stack until done. */
struct job {
	int (*run)(struct hf_device *dev, void *arg);
	void *arg;
	int result;
	bool done;
	struct job *next;
};

/* Everything hf_open() was told, with the defaults filled in. */
struct settings {
	struct in_addr address;
	unsigned prefix;
	const char *tap;
	bool mac_given;
	uint8_t mac[6];
	unsigned mtu, half_open; /* 0 = by what the board says */
	int hello_ms;
	const char *uri; /* of the board */
};

/* A connection that took the place of a destroyed socket. */
struct stale {
	struct sockaddr_in local, remote;
	uint32_t snd_nxt; /* of the new one */
};

struct accepted {
	int fd;
	struct sockaddr_in peer;
};

/* One hf_connect(); lives on its caller's stack. */
struct attempt {
	struct attempt *next; /* lock */
	uint64_t tag;	      /* of its CONNECT */
	struct sockaddr_in local, remote;
	bool any_port;
	uint8_t mac[6];	     /* of the next hop */
	unsigned give_up_ms; /* 0 = the board's default */
	unsigned tries;
	uint32_t id; /* HF_NO_ID before the board has said it */
	int fd;	     /* holds the port; then the connection */
	int result;  /* what hf_connect() returns; lock */
	bool done;   /* lock */
	int ifindex; /* of the TAP netdev */
};

struct hf_listener {
	struct hf_device *dev;
	unsigned index; /* in the board's listen table */
	struct sockaddr_in local;
	unsigned backlog;
	int ready; /* eventfd, a semaphore: as many as are queued; lock */
	bool closed;
	unsigned waiting;    /* threads in hf_accept(); lock */
	pthread_cond_t wake; /* queue, closed, waiting, or the device's `lost` changed */
	unsigned first, count;
	struct accepted queue[]; /* a ring of `backlog`; lock */
};

struct hf_device {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t job_done;
	int kick; /* eventfd: jobs or stop */

	/* lock */
	struct job *jobs;
	bool stop;
	int lost; /* 0, -ENODEV or -EPROTO: the service thread has ended */
	struct hf_listener *listener[LISTENERS_MAX];
	struct attempt *attempts;
	pthread_cond_t attempt_done; /* an attempt's `done`, or `lost` */

	/* the service thread, or hf_open() before there is one */
	struct device *board;
	struct tap tap; /* fd -1 = not yet, or deleted under our hands */
	int watch;	/* -1 = the kernel cannot tell */
	struct owned *owned;
	bool reset_seen;
	struct stale stale[STALE_REMEMBERED];
	unsigned stale_next;
	int64_t stale_until_ms; /* 0 = none of them is young enough to matter */
	unsigned mtu, half_open, wscale;
	uint32_t rcv_wnd;
	uint64_t last_tag; /* of the CONNECTs so far */
	int64_t heartbeat_ms, next_heartbeat_ms, next_rotation_ms;
	uint32_t address; /* host order */
	uint8_t frame[TRANSPORT_MESSAGE_MAX];

	_Atomic uint64_t count[HOST_COUNTERS];
	pthread_mutex_t error_lock;
	char error[ERROR_BYTES];
};

/* settings.c. Returns 0, or -EINVAL and in `why` (ERROR_BYTES) what is wrong. */
int settings_parse(const char *uri, const struct hf_options *options, struct settings *s, char *why);

/* service.c ------------------------------------------------------------------------------------------------- */

/* What device.c calls; ctx is the struct hf_device. */
extern const struct device_events service_events;
/* Load every register the board needs, listeners included, and start the engine. Returns 0 or as device_reg_write(). */
int service_configure(struct hf_device *dev);
/* One listen table entry; local NULL = off. */
int service_commit_listener(struct hf_device *dev, unsigned index, const struct sockaddr_in *local);
void *service_thread(void *dev);
/* Have the service thread run a function and wait for it. Returns what it returned, or `lost`. */
int service_run(struct hf_device *dev, int (*run)(struct hf_device *dev, void *arg), void *arg);

/* listener.c ------------------------------------------------------------------------------------------------ */

/* The listener that a connection belongs to, or NULL; with the lock held. */
struct hf_listener *listener_find(struct hf_device *dev, const struct connection *c);
/* Queue a socket; with the lock held, and room in the queue. */
void listener_push(struct hf_listener *l, int fd, const struct sockaddr_in *peer);
/* Wake whoever waits for a listener of a board that is lost; with the lock held. */
void listener_lost(struct hf_listener *l);

/* Wait on a condition of the monotonic clock. Returns ETIMEDOUT when the deadline has passed. */
struct timespec deadline_after(int ms);

/* For a socket nobody will get: the peer is told at once. */
void listener_reset_socket(int fd);

/* connect.c, in the service thread --------------------------------------------------------------------------- */

/* The fate of a CONNECT. */
void connect_completed(struct hf_device *dev, uint64_t tag, uint32_t id, int status);
/* An active open is complete. Returns false when nobody waits for it (any more). */
bool connect_established(struct hf_device *dev, const struct connection *c);
/* It failed, by an event code. Returns false when nobody waits for it. */
bool connect_failed(struct hf_device *dev, uint32_t id, unsigned event);
/* End all attempts; with the lock held. */
void connect_end_all(struct hf_device *dev, int result);

/* service.c: commands, and the socket of a connection (fd as in handoff_socket()), the board's entry owned by it. */
void service_command(struct hf_device *dev, enum hf_command_code code, uint32_t id);
int service_make_socket(struct hf_device *dev, const struct connection *c, int fd);

/* library.c */
void error_set(struct hf_device *dev, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void count(struct hf_device *dev, enum host_counter which)
{
	atomic_fetch_add_explicit(&dev->count[which], 1, memory_order_relaxed);
}

#endif
