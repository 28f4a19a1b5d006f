/* SPDX-License-Identifier: Apache-2.0
 * daemon.h - what the files of handfastd share.
 *
 *  main thread (loop.h)                                          service thread (host/service.c)
 *   clients, control, metrics, listeners, timers                  board, TAP, handoff
 *        │  hf_ functions, service_run(): it waits for                 │
 *        │  register accesses at most                                  │ hooks (board.c): under `shared.lock`,
 *        └──────────────── shared: rules, trace, ages ◄────────────────┘ never waiting
 *   a worker thread (worker.c) for each hf_connect() and hf_close_socket() of a client, WORKERS_MAX at most
 *   and one that tries to reach a board that was lost
 *
 *
 * Of every header of host/daemon, where it says nothing else:
 * Threads: the main thread; only it touches what is not marked otherwise.
 * Fork: only worker threads do, for nft, and exec at once. All descriptors close at exec.
 * Blocks: for register accesses at most, never for a client, a peer or another process; but board_start() and board_stop()
 *   wait for the board, and kernel_way_open() while the kernel loads programs.
 * Errors: -errno is returned, with words in `why` where there is one; errno itself says nothing. What the operator must know is logged. */
#ifndef HANDFAST_DAEMON_DAEMON_H
#define HANDFAST_DAEMON_DAEMON_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "../ipc.h"
#include "../library.h"
#include "../version.h"
#include "config.h"
#include "control.h"
#include "log.h"
#include "loop.h"

#define WORKERS_MAX	 64
#define CLIENTS_MAX	 1024 /* programs connected at once, CONNECTs under way included */
#define TRACE_RING	 4096 /* records between service thread and main thread */
#define TRACE_BYTES	 256  /* of a frame that a record keeps, unless somebody wants all */
#define WHY_BYTES	 160
#define SECOND_MS	 1000
#define AGAIN_FIRST_MS	 50 /* until a connection that the client had no descriptor for is sent again; doubled */
#define TWIN_NUMBERS	 (1ull << 63)
#define AGAIN_LAST_MS	 1000
#define SAMPLE_SOURCES	 256 /* prefixes whose SYNs are counted in one window */
#define SAMPLE_WINDOW_MS 60000

struct daemon;

/* Why a listener's mode is not the one that is wanted; control.h has the words. */
enum reason {
	REASON_NONE,
	REASON_NO_LISTENER,
	REASON_MPTCP,
	REASON_NETNS,
	REASON_RCVBUF,
	REASON_DNAT,
	REASON_TABLE_FULL,
	REASON_BOARD,
	REASON_NO_KERNEL_WAY,
};

/* A connection sent to a program, and not yet answered. */
struct sent {
	uint64_t number;
	int fd; /* our copy; -1: free place */
	union address local, remote;
	bool waits; /* to be sent, again or for the first time */
};

/* Whether more SYNs come than the config's `attack` says: of one listener, or of all. */
struct attack {
	bool active;
	int64_t changed_ms; /* when `active` changed last; 0: never */
	int64_t seen_ms;    /* when there were too many last */
	uint64_t peak;	    /* most in one second, of the attack that is, or was last */
	bool quiet;	    /* the journal knows it by another's name */
};

/* A program that listens through the daemon. */
struct subscriber {
	struct subscriber *next;
	struct listener *listener;
	/* Of a dual-stack socket: the same program at the IPv4 listener, with numbers of its own range. Only the IPv6 one, which has
	 * `twin`, reads the channel and accepts from the socket. */
	struct subscriber *twin, *twin_of;
	struct source channel;
	struct source kernel; /* its own listening socket, fd -1 if it gave none */
	struct timer again;
	unsigned again_ms;
	struct sent sent[IPC_WINDOW];
	unsigned unanswered;
	uint64_t last_number;
	pid_t pid;
	uid_t uid;
};

struct listener {
	struct daemon *d;
	struct config_listener config;
	enum mode wanted; /* of the config, or of the operator since */
	enum mode mode;
	enum reason reason;
	char why[WHY_BYTES];
	int64_t since_ms;
	struct hf_listener *board; /* NULL: none in the board */
	struct source queue;	   /* hf_listener_fd() */
	struct subscriber *subscribers, *turn;
	int backlog; /* what the first program asked for, at most the config's */
	uint64_t delivered, last_established;
	/* Of hf_listeners that are closed. */
	uint64_t old_established, old_failed, old_overflow;
	unsigned rate;
	/* attack.c */
	uint64_t syns;			   /* since start */
	unsigned syn_rate;		   /* per second */
	const struct hf_listener *syns_of; /* the one of `board` that `syns_last` was read of */
	uint32_t syns_last;
	struct attack attack;
};

enum trace_kind { TRACE_EVENT, TRACE_FRAME, TRACE_HANDOFF };

struct trace_record {
	enum trace_kind kind;
	uint64_t time_ns;
	bool up, ok_way_kernel;
	int result;
	union address local, remote;
	size_t length; /* of the frame; `octets` holds what there is room for */
	uint32_t seq, ack;
	unsigned flags, wnd;
	uint32_t every; /* an event SAMPLE stands for so many SYNs */
	unsigned octets;
	uint8_t data[2048]; /* frame, or EVENT message */
};

struct rule {
	union address prefix;
	unsigned bits;
	bool deny;
	unsigned rate; /* connections per second; 0: no limit */
	unsigned tokens;
	int64_t refilled_ms;
	uint64_t hits;	/* connections from there that completed their handshake */
	uint64_t drops; /* and what did not pass: such connections, and segments that the board dropped */
	bool in_config;
	bool on_board; /* the board has it; the host only sees to a `deny` whose handshakes were under way */
};

struct top {
	union address prefix;
	uint64_t connections, denied;
};

/* SYNs of a network, from samples. */
struct source_syns {
	union address prefix;
	uint64_t syns;	  /* estimated, too high by `over` at most */
	uint64_t over;	  /* what another had counted in this place */
	uint64_t dropped; /* of them */
};

/* samples.c; shared.lock */
struct samples {
	/* Of this minute and the one before. */
	struct source_syns source[2][SAMPLE_SOURCES];
	uint64_t seen[2], syns[2]; /* samples, and for how many SYNs they stand */
	int64_t began_ms[2];
	/* What the board was told: one of `every` is shown; one of `before` if the event is not younger than `from_ms` of its clock. */
	uint32_t every, before, from_ms;
	unsigned seen_now; /* since the last look */
	bool too_many;	   /* the main thread is to look now */
};

/* Between the threads. */
struct shared {
	pthread_mutex_t lock;
	struct rule rule[CONTROL_RULES_MAX];
	unsigned rules;
	struct top top[CONTROL_TOP_MAX];
	uint64_t denied, limited;
	/* Since when each slot of the board is ESTABLISHED: its id and clock_ms(). */
	struct {
		uint32_t id;
		int64_t at_ms;
	} * age;
	uint32_t ages;
	/* Records for traces. */
	struct trace_record *ring;
	unsigned first, count;
	uint64_t lost, last_ns;
	uint64_t failures[128]; /* handoffs that failed, by errno; the last: larger ones */
	int wake; /* eventfd: the ring is not empty, a listening socket was destroyed, the board is lost */
	bool listener_destroyed;
	int board_lost;	 /* -errno */
	bool configured; /* the board was set up, perhaps after a reset */
	struct samples samples;
};

struct rates {
	uint64_t syn, established, handoffs, connects, frames_up, frames_down; /* per second */
};

struct daemon {
	struct config config;
	const char *config_path;
	struct loop loop;
	int64_t started_ms;

	struct hf_device *dev; /* NULL: no board */
	char why[CONFIG_TEXT_BYTES];
	int tap_fd; /* ours, so that netdev and sockets outlive the board; -1 */
	/* Under a service manager that keeps descriptors: what the next process is told, and what the one before has left. */
	bool managed;
	struct kept *kept;
	int kept_fd;
	int left[TRANSPORT_KEEP_MAX]; /* the transport's; taken over by the first opening */
	unsigned lefts;
	bool opening;
	unsigned retry_ms;
	struct timer retry, second, resync;
	struct source wake, signals, workers_done;
	struct listener *listener[CONFIG_LISTENERS_MAX * 2];
	unsigned listeners;
	struct source clients_socket;
	struct timer clients_pause;
	unsigned clients;
	unsigned workers;
	pthread_mutex_t workers_lock;
	struct work *done; /* workers_lock */
	struct control *control;
	struct metrics *metrics;
	struct kernel_way *kernel_way;
	char kernel_why[WHY_BYTES];

	struct shared shared;
	_Atomic bool tracing, trace_whole;
	uint64_t last_syn, last_established;
	uint64_t last_host[HOST_COUNTERS];
	struct rates rates;
	bool primed; /* the rates have something to compare with */
	struct attack attack;
	uint64_t syns_resets;				 /* of the board, when SYNs per listener were last read */
	struct device_rule board_rule[DEVICE_RULES_MAX]; /* what the board was last given */
	unsigned board_rules;
	bool rules_stale;     /* the board's rules are not known to be what they should */
	bool samples_off;     /* the board refused */
	int64_t top_asked_ms; /* when somebody wanted to see sources, 0: never */
	uint64_t rotations, taken_again;
	uint8_t dnat_ports[65536 / 8];		    /* dnat.c */
	bool dnat_looking, dnat_changed, dnat_told; /* told: of changes, by dnat_changes */
	struct source dnat_changes;
	int64_t dnat_looked_ms;
};

/* board.c: the device, its loss and return. */
int board_start(struct daemon *d);
/* The listeners are there: what a board that was taken over has to say is heard. */
void board_resume(struct daemon *d);
/* The manager keeps the board's descriptors from now on, or no longer. */
void daemon_store_board(struct daemon *d, const int *fds, unsigned count);
void board_stop(struct daemon *d, bool for_good);
void board_on_wake(struct source *s, uint32_t events);

/* listeners.c */
int listeners_configure(struct daemon *d, const struct config *c); /* returns how many changed, or -errno */
void listeners_refresh(struct daemon *d);			   /* make modes what they should be now */
void listeners_lost(struct daemon *d);				   /* the device is about to be closed */
void listeners_free(struct daemon *d);
void listener_second(struct listener *l);
struct listener *listeners_find(struct daemon *d, const union address *local);
const char *reason_word(enum reason reason);
const char *mode_word(enum mode mode);
const char *way_word(enum way way);
/* A program joins; takes over channel and kernel_fd (-1: none). `also` (may be NULL) is the IPv4 listener that its dual-stack socket
 * serves too. Returns 0 or -errno. */
int listener_subscribe(
	struct listener *l, struct listener *also, int backlog, int channel, int kernel_fd, pid_t pid, uid_t uid);
uint64_t listener_established(const struct listener *l);
uint64_t listener_failed(const struct listener *l);
uint64_t listener_overflow(const struct listener *l);
unsigned listener_queued(const struct listener *l);

/* clients.c: the programs' socket. */
int clients_open(struct daemon *d, int fd);
void clients_close(struct daemon *d);

/* worker.c: a call that waits, in a thread of its own. */
struct work {
	struct daemon *d;
	struct work *next;
	void (*run)(struct work *w);  /* in the thread */
	void (*done)(struct work *w); /* in the main thread; frees it */
};
int worker_start(struct daemon *d, struct work *w);
void worker_on_done(struct source *s, uint32_t events);

/* rules.c: under shared.lock by themselves. rules_admit() in any thread. */
bool rules_admit(struct daemon *d, const struct connection *c);
int rules_set(struct daemon *d, const char *prefix, const bool *deny, const unsigned *rate);
void rules_configure(struct daemon *d, const struct config *c); /* what the config has, anew */
void rules_place(struct daemon *d);				/* into the board, as many as it takes */
void rules_lost(struct daemon *d);
void rules_second(struct daemon *d);
json_t *rules_json(struct daemon *d);
/* How many the board has room for, and has. */
unsigned rules_room(struct daemon *d);
unsigned rules_on_board(struct daemon *d);
/* The network of a source: its /24 or /64. Returns the bits. */
unsigned rules_source(const union address *remote, union address *prefix);

/* samples.c: SYNs that the board shows, and where they come from. */
void samples_take(struct daemon *d, const uint8_t *msg);      /* service thread */
uint32_t samples_every(struct daemon *d, const uint8_t *msg); /* for how many SYNs that event stands; any thread */
void samples_start(struct daemon *d);			      /* the board was set up */
void samples_too_many(struct daemon *d);
void samples_second(struct daemon *d);
json_t *samples_top_json(struct daemon *d); /* reply to `top` */

/* attack.c: SYNs per listener, and who is attacked. Once a second; `rate`: of all listeners, from the counters. */
void attack_second(struct daemon *d, uint64_t rate);
/* Does the board count SYNs per listener? */
bool attack_counts(const struct daemon *d);
json_t *attack_json(struct daemon *d);
json_t *attack_rates_json(struct daemon *d);

/* trace.c: records from the hooks; lines to the control's clients. */
void trace_event(struct daemon *d, const uint8_t *msg);
void trace_frame(struct daemon *d, const uint8_t *frame, size_t len, bool up, uint64_t time_ns);
void trace_handoff(struct daemon *d, const struct connection *c, enum way way, int result);
/* Take the oldest record; false: none. */
bool trace_take(struct daemon *d, struct trace_record *r);
json_t *trace_json(const struct trace_record *r, bool hex);

/* control.c */
int control_open(struct daemon *d);
void control_close(struct daemon *d);
void control_trace(struct daemon *d); /* records are there */
json_t *status_json(struct daemon *d);
json_t *listeners_json(struct daemon *d);
json_t *counters_json(struct daemon *d);
json_t *selftest_json(struct daemon *d);

/* rates.c: once a second. */
void rates_second(struct daemon *d);

/* metrics.c */
int metrics_open(struct daemon *d);
void metrics_close(struct daemon *d);

/* kernel_way.c: handoff by the kernel's own listeners, where it is built in. */
int kernel_way_open(struct daemon *d); /* with a device; returns 0 or -errno and says why in d->kernel_why */
void kernel_way_close(struct daemon *d);
int kernel_way_offer(struct daemon *d, const struct connection *c, const uint8_t *msg); /* service thread */
int64_t kernel_way_turn(struct daemon *d);						/* service thread */
/* Can the kernel's listener there be served? Returns REASON_NONE or why not, with words. */
enum reason kernel_way_serves(struct daemon *d, const union address *local, char *why);
uint64_t kernel_way_again(struct daemon *d); /* ACKs injected again */
/* How long connections were on offer until the kernel had them: microseconds in all, and of how many. */
void kernel_way_hold(struct daemon *d, uint64_t *us, uint64_t *of);

/* dnat.c: is there a rule that sends this port elsewhere, as far as is known by now? */
bool dnat_takes(struct daemon *d, unsigned port);
void dnat_close(struct daemon *d);

/* main.c */
int daemon_reload(struct daemon *d, char *why);
void daemon_notify(struct daemon *d);

/* unix.c: a listening unix socket at a path, mode; a dead one's is replaced. Its folder is made if only that is missing, mode 0755. fd of socket activation or -1. */
int unix_serve(const char *path, int type, unsigned mode);

#endif
