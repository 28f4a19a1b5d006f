/* SPDX-License-Identifier: Apache-2.0
 * library.h - what the files of the library share.
 *
 * Two kinds of thread: the service thread owns `board`, `tap`, `watch`, `owned` and what is marked so below;
 * callers reach these only by service_run(). `lock` guards what is marked so; it is never held across a register
 * access or a handoff.
 *
 * Of every header of host/, where it says nothing else:
 * Threads: any, but no two use one object at once.
 * Fork: memory is the child's own copy; what holds a descriptor it leaves alone. Descriptors close at exec.
 * Blocks: no.
 * Errors: -errno is returned; errno itself says nothing.
 * A job, which runs in the service thread, waits for register accesses at most; who calls service_run() waits for it. */
#ifndef HANDFAST_LIBRARY_H
#define HANDFAST_LIBRARY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "address.h"
#include "client.h"
#include "closing.h"
#include "driver/device.h"
#include "frame.h"
#include "handfast.h"
#include "handoff.h"
#include "kept.h"
#include "owned.h"
#include "source_rules.h"
#include "tap.h"

#define LISTENERS_MAX	 256
#define ERROR_BYTES	 256
#define STALE_REMEMBERED 16
#define DOUBTS_MAX	 64 /* as many events as come in one batch */
#define MERGES_MAX	 8  /* connections whose segments are merged at once, as the kernel's GRO has for a bucket */
#define HEADERS4	 40 /* octets of IPv4 and TCP without options: MTU - MSS */
#define HEADERS6	 60

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

/* How a listener's connections reach the application. */
enum way {
	WAY_REPAIR, /* TCP_REPAIR sockets in the accept queue */
	WAY_KERNEL, /* the kernel's own listener; hooks.offer() */
};

/* What the board does with a listener's SYNs; the codes of LISTEN_COMMIT.MODE. */
enum mode { MODE_OFF, MODE_OFFLOAD, MODE_BYPASS };

/* Who embeds the service and wants to know or decide more than the callers of the library; members may be NULL. All are called in the
 * service thread, without locks, and must not wait nor call hf_ functions. */
struct service_hooks {
	/* May this connection become a socket? If not, the peer gets a RST. */
	bool (*admit)(void *ctx, const struct connection *c);
	/* An ESTABLISHED event of a listener of WAY_KERNEL; `msg` is the event. Returns 0: service_offered() has told or will tell its
	 * fate. Or -errno: the peer gets a RST. */
	int (*offer)(void *ctx, const struct connection *c, const uint8_t *msg);
	/* A handoff is over: fd, 0 (offer()) or -errno. */
	void (*handed)(void *ctx, const struct connection *c, enum way way, int result);
	/* An EVENT message, before anything is done about it. */
	void (*event)(void *ctx, const uint8_t *msg);
	/* A frame on its way up (from the board) or down. */
	void (*frame)(void *ctx, const uint8_t *frame, size_t len, bool up, uint64_t time_ns);
	/* The kernel destroyed a socket that had no peer: perhaps a listening one. */
	void (*unconnected_destroyed)(void *ctx);
	/* The board was set up, for the first time (in device_start()'s thread) or again after a reset. */
	void (*configured)(void *ctx);
	/* The thread ends, because the board is lost. */
	void (*lost)(void *ctx, int why);
	/* Called between two waits; returns how long the next may be at most, or -1. */
	int64_t (*turn)(void *ctx);
	/* What was kept of the board is of no use: copies of its descriptors must be closed before it can be opened anew. In
	 * device_start()'s thread. */
	void (*let_go)(void *ctx);
	/* service_resume() is done: so many entries have the kernel's socket, so many connections had none and were handed over now,
	 * so many entries were released, so many messages had waited. */
	void (*resumed)(void *ctx, unsigned found, unsigned handed, unsigned released, unsigned waited);
	void *ctx;
};

/* What device_start() takes beyond hf_options. */
struct service_extra {
	struct service_hooks hooks;
	int tap_fd; /* of a TAP that exists, or -1 */
	bool tap_persistent;
	const uint8_t *cookie_key; /* 16 octets, for both keys and for good; NULL: random ones that change */
	struct kept *kept;	   /* told all the time what the next process needs to know; NULL: nobody wants to */
	/* Descriptors of device_keep() that the process before has left, which are taken over. With them, or where the transport's HELLO
	 * has the epoch of `kept`, the board is taken over as it runs, and service_resume() must follow. */
	const int *kept_fd;
	unsigned kept_fds;
};

/* A message of the board that waits until service_resume() is done. */
struct held {
	struct held *next;
	size_t len;
	uint8_t msg[];
};

/* A read of the whole connection table. */
struct dump {
	/* For each slot an EVENT message DUMP, or one with code 0 where there is no entry. */
	uint8_t (*entry)[DEVICE_MESSAGE_BYTES];
	uint32_t slots;
	/* In the service thread, when all is there or it failed (-errno). */
	void (*done)(void *ctx, struct dump *d, int result);
	void *ctx;
	uint32_t next, left; /* service.c's own */
};

/* Everything hf_open() was told, with the defaults filled in. */
struct settings {
	struct tap_addresses addresses;
	const char *tap;
	bool mac_given;
	uint8_t mac[6];
	unsigned mtu, half_open; /* 0 = by what the board says */
	int hello_ms;
	const char *uri; /* of the board */
};

/* A connection that took the place of a destroyed socket. */
struct stale {
	union address local, remote;
	uint32_t snd_nxt; /* of the new one */
};

/* A connection by SYN cookie on whose 4-tuple a socket is in TIME-WAIT. */
struct doubt {
	struct connection c;
	uint8_t msg[DEVICE_MESSAGE_BYTES]; /* its event, as if it were no cookie */
};

struct accepted {
	int fd;
	union address local, peer;
};

/* One hf_connect(); lives on its caller's stack. */
struct attempt {
	struct attempt *next; /* lock */
	uint64_t tag;	      /* of its CONNECT */
	union address local, remote;
	bool any_port;
	uint8_t mac[6];	     /* of the next hop */
	struct vlan vlan;    /* likewise */
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
	union address local;
	enum way way;
	enum mode mode;
	unsigned backlog;
	_Atomic uint64_t established, failed, overflow;
	int ready;	/* eventfd, not 0 while some are queued and have been announced */
	bool readable;	/* it is not 0; lock */
	unsigned fresh; /* queued since; lock */
	bool closed;
	_Atomic bool deaf;   /* nobody takes connections: they are reset */
	int channel;	     /* of a daemon's listener, else -1 */
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
	int64_t stale_until_ms;		/* 0 = none of them is young enough to matter */
	struct doubt doubt[DOUBTS_MAX]; /* local.sa_family AF_UNSPEC: none */
	unsigned doubt_next;
	int64_t doubt_until_ms; /* as stale_until_ms */
	unsigned mtu, half_open, wscale;
	unsigned options; /* LISTEN_OPTS without IP6 */
	uint32_t rcv_wnd;
	uint64_t last_tag; /* of the CONNECTs so far */
	int64_t heartbeat_ms, next_heartbeat_ms, next_rotation_ms;
	struct source_rules source_rules;
	struct tap_addresses addresses;
	/* A frame of the kernel's: for the board as it is, or to be cut into pieces. */
	uint8_t frame[TAP_FRAME_MAX];
	struct gso gso;
	bool cutting;
	/* What goes up together, within one batch of the board's messages. */
	struct merge merge[MERGES_MAX];
	unsigned merges;
	bool pushed; /* connections into accept queues, in this batch */

	struct service_hooks hooks;
	int extra_fd; /* polled for POLLIN before hooks.turn(); -1: none */
	bool cookie_key_fixed;
	uint8_t cookie_key[16];
	struct dump *dump;
	struct kept *kept;
	bool holding; /* the board was taken over; until service_resume() is done its messages wait in `held` */
	bool leaving; /* for another process: the board is not touched any more */
	struct held *held, **held_end;
	size_t held_bytes;
	uint32_t *held_id;	    /* of each slot: the connection whose ESTABLISHED is held */
	char kept_why[ERROR_BYTES]; /* why the board was not taken over, "" */
	struct closing *closings;   /* lock; changed in the service thread and by their callers */
	struct client *client;	    /* of a daemon: nothing else of this struct but errors is used */

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
int service_commit_listener(struct hf_device *dev, unsigned index, const union address *local, enum mode mode);
void *service_thread(void *dev);
/* A job: read the table. Returns 0, and d->done() will be called; or -EBUSY, -ENODEV. */
int service_dump(struct hf_device *dev, void *dump);
/* Is the board set up as this device would do it? Returns 0, -ESTALE, or as device_reg_read(). */
int service_matches(struct hf_device *dev);
/* Instead of service_configure(): go on with a board that is set up and has connections. Returns as service_configure(). */
int service_take_over(struct hf_device *dev);
/* A job, once all listeners are there: what became of the connections that the process before had in hand? Frames and events of the board wait
 * until that is known. Nothing to do if the board was not taken over. Returns 0 or -errno. */
int service_resume(struct hf_device *dev, void *ignored);
/* A job: from now on the board is left as it is, and hf_close() does not end it. */
int service_leave(struct hf_device *dev, void *ignored);
/* Forget what is held. */
void service_drop_held(struct hf_device *dev);
/* A job: a new key for new SYN cookies. */
int service_rotate(struct hf_device *dev, void *ignored);
/* Have the service thread run a function and wait for it. Returns what it returned, or `lost`. */
int service_run(struct hf_device *dev, int (*run)(struct hf_device *dev, void *arg), void *arg);

/* listener.c ------------------------------------------------------------------------------------------------ */

/* hf_listen() with everything. backlog counts for WAY_REPAIR. `deaf`: nobody takes its connections, from the first one on. */
int listener_open(struct hf_device *dev, const union address *local, int backlog, enum way way, enum mode mode,
	bool deaf, struct hf_listener **listener);
/* Change what the board does. Returns as hf_listen(). */
int listener_set_mode(struct hf_listener *l, enum mode mode);

/* The listener that a connection belongs to, or NULL; with the lock held. */
struct hf_listener *listener_find(struct hf_device *dev, const struct connection *c);
/* Queue a socket; with the lock held, and room in the queue. Whoever polls is told by listener_ready(), soon. */
void listener_push(struct hf_listener *l, int fd, const union address *local, const union address *peer);
void listener_ready(struct hf_listener *l); /* with the lock held */
/* hf_accept() of a listener that is not a daemon's, with both addresses. */
int listener_take(struct hf_listener *l, union address *local, union address *peer, int timeout_ms);
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
/* The fate of a connection that hooks.offer() took: 0 and the socket's SO_COOKIE, or -errno: the peer gets a RST; -ECONNRESET: it sent one. */
void service_offered(struct hf_device *dev, const struct connection *c, int result, uint64_t cookie);
/* A new handshake has proved its peer: the kernel's old socket on the same 4-tuple goes, quietly. Returns 0 or as watch_destroy(). */
int service_destroy_stale(struct hf_device *dev, const struct connection *c);
/* A SYN cookie on a 4-tuple that has a socket: it stays, unless that is in TIME-WAIT and this is a new connection; on_connection() is called again
 * then. `msg` is the event. */
void service_doubt(struct hf_device *dev, const struct connection *c, const uint8_t *msg);
/* A job: options that the board may negotiate, bits of LISTEN_OPTS; *options. Listeners change at once. */
int service_set_options(struct hf_device *dev, void *options);
/* The kernel's socket with this SO_COOKIE stands for connection `id`. */
void service_own(struct hf_device *dev, uint32_t id, uint64_t cookie);
/* -EEXIST of a SYN cookie: nothing was done, service_doubt() is to be called. */
int service_make_socket(struct hf_device *dev, const struct connection *c, int fd);

/* library.c */
/* Nothing of it is open yet. NULL: no memory. */
struct hf_device *device_new(void);
/* hf_open() with everything; extra may be NULL. */
int device_start(
	const char *uri, const struct hf_options *options, const struct service_extra *extra, struct hf_device **dev);
void error_set(struct hf_device *dev, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void count(struct hf_device *dev, enum host_counter which)
{
	atomic_fetch_add_explicit(&dev->count[which], 1, memory_order_relaxed);
}

#endif
