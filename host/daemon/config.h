/* SPDX-License-Identifier: Apache-2.0
 * config.h - handfastd's config file, read by libconfig: an example with every setting is host/daemon/handfastd.conf.
 * Threads, Fork, Errors: daemon.h. Blocks: on the file; and on NSS, which knows users and groups. */
#ifndef HANDFAST_DAEMON_CONFIG_H
#define HANDFAST_DAEMON_CONFIG_H

#include <stdbool.h>
#include <sys/types.h>

#include "../library.h"

#define CONFIG_PATH	     "/etc/handfast/handfastd.conf"
#define CONFIG_LISTENERS_MAX 64
#define CONFIG_IDS_MAX	     16
#define CONFIG_RULES_MAX     256
#define CONFIG_TEXT_BYTES    256

/* Who may; root and the daemon's own user always may. */
struct who {
	uid_t uid[CONFIG_IDS_MAX];
	gid_t gid[CONFIG_IDS_MAX];
	unsigned uids, gids;
};

struct config_listener {
	union address address; /* with the port; "any" makes one of each family that the TAP has */
	enum way way;
	enum mode mode;
	int backlog;
	struct who who; /* may listen there through the daemon's socket */
};

/* What a source prefix may. */
struct config_rule {
	union address prefix;
	unsigned bits;
	bool deny;
	unsigned rate; /* new connections per second, 0: no limit */
};

struct config {
	char board[CONFIG_TEXT_BYTES];
	char tap[16], mac[18], addresses[CONFIG_TEXT_BYTES]; /* mac "": random, or what the netdev has */
	unsigned mtu, half_open;
	bool tap_persistent;
	char socket[CONFIG_TEXT_BYTES], control[CONFIG_TEXT_BYTES];
	char metrics_socket[CONFIG_TEXT_BYTES]; /* "": none */
	unsigned metrics_port;			/* of loopback; 0: none */
	char bpf_pins[CONFIG_TEXT_BYTES]; /* folder on bpffs for what the kernel keeps through a restart; "": none */
	char cookie_key_file[CONFIG_TEXT_BYTES]; /* shared by a fleet; "": random and changed every ten minutes */
	struct who control_who, connect_who;
	unsigned attack_syn_rate, attack_quiet_ms;
	int log_level;
	struct config_listener listener[CONFIG_LISTENERS_MAX];
	unsigned listeners;
	struct config_rule rule[CONFIG_RULES_MAX];
	unsigned rules;
};

/* daemon_config_read - Returns 0, or -EINVAL, -ENOENT, ... and in `why` (CONFIG_TEXT_BYTES) one line that says what is wrong and where. */
int daemon_config_read(const char *path, struct config *c, char *why);

/* Whether a peer with these credentials may. `groups` are looked up from the uid besides gid. */
bool who_may(const struct who *w, uid_t uid, gid_t gid);

#endif
