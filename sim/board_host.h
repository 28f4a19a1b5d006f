/* SPDX-License-Identifier: Apache-2.0
 * board_host.h - the host side of a simulated board: what `handfast board --host SCHEME:WHERE` names.
 *
 * Two kinds: one takes messages from a socket and queues them with session_h2c() (host_port.c); the other stands at the core's
 * pins as a struct sim_outlet, as the logic of a real board does (a PCIe endpoint, a USB FIFO). Nothing here blocks: board.c
 * sleeps in ppoll() on what poll() names, and lets the simulation run. */
#ifndef HANDFAST_SIM_BOARD_HOST_H
#define HANDFAST_SIM_BOARD_HOST_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "session.h"

enum { BOARD_HOST_FDS = 4 }; /* descriptors that poll() names at most */

struct board_host_options {
	const char *where; /* behind the ':' */
	enum engine_kind kind;
	uint64_t seed;
};

struct board_host;

struct board_host_ops {
	const char *scheme, *form; /* "unix", "unix:PATH" */

	/* Take what the outside needs (a socket), before there is a simulation. Returns 0 and sets *h; or after one line
	 * without a newline in `error` -EINVAL or -ENAMETOOLONG for bad usage, any other -errno otherwise. */
	int (*open)(const struct board_host_options *o, struct board_host **h, char *error, size_t size);
	/* The core is ready, the board not configured yet: put an outlet to its pins. Returns 0 or -errno. NULL: nothing to do. */
	int (*attach)(struct board_host *h, struct session *s);
	/* What to sleep on, at most BOARD_HOST_FDS. Returns how many. */
	unsigned (*poll)(const struct board_host *h, struct pollfd *fds);
	/* Once in each round, before take(): a client that knocks (`fds`: what poll() named, with revents), what waits to be sent. */
	void (*serve)(struct board_host *h, struct session *s, const struct pollfd *fds);
	/* Give what the host sent to the board, about `ahead` pieces at most. Returns how many were given. */
	unsigned (*take)(struct board_host *h, struct session *s, unsigned ahead);
	/* A message left the core (not a HELLO of its reset). NULL: the outlet has it already. */
	void (*c2h)(struct board_host *h, struct session *s, const uint8_t *msg, size_t len);
	/* What the board has for the host cannot leave before the host does something: no reason to stay awake. */
	bool (*stuck)(const struct board_host *h);
	/* An outlet moves something, and its logic counts milliseconds: time may not jump over what the clocks would have
	 * moved in it. NULL: never. */
	bool (*moves)(const struct board_host *h);
	/* Print what happened, lines that begin with `name: `. NULL: nothing to say. */
	void (*summary)(const struct board_host *h, const char *name, FILE *out);
	/* The same as members of a JSON object, each after a comma. NULL as summary(). */
	void (*json)(const struct board_host *h, FILE *out);
	/* Disconnect, free, remove the socket. The session is still open if it was; its outlet is not called again. */
	void (*close)(struct board_host *h);
};

/* The common head of every kind's own struct. */
struct board_host {
	const struct board_host_ops *ops;
};

extern const struct board_host_ops unix_host_ops;  /* host_port.c */
extern const struct board_host_ops usbip_host_ops; /* usb/usb_host.c */
extern const struct board_host_ops pcie_host_ops;  /* pcie/pcie_host.c */

/* Every kind there is, ended by NULL; in board_host.c. */
extern const struct board_host_ops *const board_host_kinds[];

/* The kind that `host` ("unix:PATH") names, and what stands behind its ':'; NULL when there is none. */
const struct board_host_ops *board_host_kind(const char *host, const char **where);

/* "unix:PATH, vfio-user:PATH", for messages. */
const char *board_host_forms(void);

#endif
