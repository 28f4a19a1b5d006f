/* SPDX-License-Identifier: Apache-2.0
 * main.c - handfastd: arguments, signals, systemd. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "daemon.h"
#include "driver/clock.h"

enum { LOOK_MS = 100, BARRIER_US = 2000000 };

static const char usage[] =
	"usage: handfastd [--config FILE] [--check]\n\n"
	"Owns a Handfast board and the privileges: moves frames between board and a TAP netdev, hands connections to "
	"the\n"
	"kernel's own listeners or to programs that use libhandfast. Stays in the foreground.\n\n"
	"  --config FILE  instead of " CONFIG_PATH "\n"
	"  --check        only read the config: exit 0 if it is good\n"
	"  --version      version of this program and of the registers and messages it knows\n"
	"  --help         this text\n\n"
	"SIGHUP reads the config again, SIGTERM and SIGINT end it.\n"
	"Exit code: 0 ended by a signal, 1 board, netdev or sockets could not be had, 2 bad usage or config.\n";

/* systemd ---------------------------------------------------------------------------------------------------------------------- */

void daemon_notify(struct daemon *d)
{
	/* The netdev outlives us through an upgrade, and with it the connections over it. */
	if (d->tap_fd >= 0)
		sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=tap", &d->tap_fd, 1);
	sd_notifyf(0, "READY=1\nSTATUS=%s %s, %u listeners", d->config.board, d->dev ? "up" : "lost", d->listeners);
}

/* Each by a name of its own: the order in which they come back is not promised. */
void daemon_store_board(struct daemon *d, const int *fds, unsigned count)
{
	char state[64];

	if (!d->managed)
		return;
	for (unsigned i = 0; i < TRANSPORT_KEEP_MAX; i++)
		sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=board-%u", i);
	/* A card can be opened once: let the manager close it first. */
	if (!count)
		sd_notify_barrier(0, BARRIER_US);
	for (unsigned i = 0; i < count; i++) {
		snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=board-%u", i);
		sd_pid_notify_with_fds(0, 0, state, &fds[i], 1);
	}
}

/* Without what the process before has told, its descriptors of the board are of no use. */
static void take_kept(struct daemon *d)
{
	int rc = d->kept_fd >= 0 ? kept_open(d->kept_fd, &d->kept) : -ENOENT;

	if (rc && d->kept_fd >= 0) {
		log_line(LOG_NOTICE, "kept",
			"what the process before has left is of another version; the board is set up anew");
		sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=board-state");
		close(d->kept_fd);
		d->kept_fd = -1;
	}
	for (; rc && d->lefts; d->lefts--)
		close(d->left[d->lefts - 1]);
	if (d->kept_fd >= 0)
		return;
	d->kept_fd = kept_new(&d->kept);
	if (d->kept_fd < 0)
		log_line(LOG_WARNING, "kept", "no memory file for the next process: %s", strerror(-d->kept_fd));
	else
		sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=board-state", &d->kept_fd, 1);
}

/* What systemd kept for us or listens on for us: "tap", "clients" (the programs' socket), "board-state" (kept.h) and "board-0" ...: the
 * transport's. */
static void take_descriptors(struct daemon *d, int *clients_fd)
{
	int left[TRANSPORT_KEEP_MAX] = { -1, -1, -1, -1 };
	char **names = NULL;
	int n;

	d->managed = getenv("NOTIFY_SOCKET") != NULL;
	n = sd_listen_fds_with_names(1, &names);

	*clients_fd = -1;
	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (!strcmp(names[i], "tap") && d->tap_fd < 0)
			d->tap_fd = fd;
		else if (!strcmp(names[i], "clients") && *clients_fd < 0 &&
			 sd_is_socket(fd, AF_UNIX, SOCK_SEQPACKET, 1) > 0)
			*clients_fd = fd;
		else if (!strcmp(names[i], "board-state") && d->kept_fd < 0)
			d->kept_fd = fd;
		else if (!strncmp(names[i], "board-", 6) && names[i][6] >= '0' &&
			 names[i][6] < '0' + TRANSPORT_KEEP_MAX && !names[i][7] && left[names[i][6] - '0'] < 0)
			left[names[i][6] - '0'] = fd;
		else
			close(fd);
	}
	/* The first few, without a gap. */
	for (unsigned i = 0; i < TRANSPORT_KEEP_MAX; i++) {
		if (left[i] >= 0 && d->lefts == i)
			d->left[d->lefts++] = left[i];
		else if (left[i] >= 0)
			close(left[i]);
	}
	if (d->managed)
		take_kept(d);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* The config ------------------------------------------------------------------------------------------------------------------- */

/* What needs a restart is kept as it was; the rest is taken over. */
int daemon_reload(struct daemon *d, char *why)
{
	struct config next;
	int rc = daemon_config_read(d->config_path, &next, why);

	if (rc) {
		log_line(LOG_ERR, "config", "%s; nothing is changed", why);
		return rc;
	}
	if (strcmp(next.board, d->config.board) || strcmp(next.tap, d->config.tap) ||
		strcmp(next.addresses, d->config.addresses) || strcmp(next.mac, d->config.mac) ||
		next.mtu != d->config.mtu || next.half_open != d->config.half_open ||
		strcmp(next.socket, d->config.socket) || strcmp(next.control, d->config.control) ||
		strcmp(next.metrics_socket, d->config.metrics_socket) || next.metrics_port != d->config.metrics_port ||
		next.tap_persistent != d->config.tap_persistent ||
		strcmp(next.cookie_key_file, d->config.cookie_key_file) || strcmp(next.bpf_pins, d->config.bpf_pins))
		log_line(LOG_WARNING, "config",
			"board, tap, half_open, sockets, metrics, cookie_key_file and bpf_pins change with a restart "
			"only");
	rc = listeners_configure(d, &next);
	if (rc < 0) {
		snprintf(why, CONFIG_TEXT_BYTES, "%s", strerror(-rc));
		return rc;
	}
	rules_configure(d, &next);
	d->config.control_who = next.control_who;
	d->config.connect_who = next.connect_who;
	d->config.attack_syn_rate = next.attack_syn_rate;
	d->config.attack_quiet_ms = next.attack_quiet_ms;
	d->config.log_level = next.log_level;
	log_set_level(next.log_level);
	log_line(LOG_NOTICE, "config", "read again: %u listeners, %d changed", d->listeners, rc);
	return rc;
}

/* Signals and time --------------------------------------------------------------------------------------------------------------- */

static void on_signal(struct source *s, uint32_t events)
{
	struct daemon *d = (struct daemon *)((char *)s - offsetof(struct daemon, signals));
	char why[CONFIG_TEXT_BYTES];
	struct signalfd_siginfo info;

	(void)events;
	while (read(s->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_ms() * 1000);
			daemon_reload(d, why);
			daemon_notify(d);
		} else {
			log_line(LOG_NOTICE, "stop", "signal %u: stopping", (unsigned)info.ssi_signo);
			d->loop.stop = true;
		}
	}
}

static void on_second(struct timer *t)
{
	struct daemon *d = (struct daemon *)((char *)t - offsetof(struct daemon, second));

	rates_second(d);
	rules_second(d);
	samples_second(d);
	/* What the kernel has not told: listeners that are new, or were changed. */
	listeners_refresh(d);
	sd_notify(0, "WATCHDOG=1");
	loop_arm(&d->loop, t, SECOND_MS);
}

static int open_signals(struct daemon *d)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	d->signals = (struct source){ .fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC), .ready = on_signal };
	return d->signals.fd < 0 ? -errno : loop_watch(&d->loop, &d->signals, EPOLLIN);
}

static int open_wakes(struct daemon *d)
{
	int rc;

	d->wake = (struct source){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .ready = board_on_wake };
	d->workers_done = (struct source){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .ready = worker_on_done };
	if (d->wake.fd < 0 || d->workers_done.fd < 0)
		return -errno;
	d->shared.wake = d->wake.fd;
	rc = loop_watch(&d->loop, &d->wake, EPOLLIN);
	return rc ? rc : loop_watch(&d->loop, &d->workers_done, EPOLLIN);
}

/* Thousands of connections may wait here for their programs. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Life --------------------------------------------------------------------------------------------------------------------------- */

static int step(int rc, const char *what)
{
	if (rc < 0)
		log_line(LOG_ERR, "start", "%s: %s", what, strerror(-rc));
	return rc;
}

static int start(struct daemon *d)
{
	int clients_fd, rc;

	take_descriptors(d, &clients_fd);
	rc = step(loop_open(&d->loop), "epoll");
	if (!rc)
		rc = step(open_signals(d), "signals");
	if (!rc)
		rc = step(open_wakes(d), "eventfd");
	if (rc)
		return rc;
	/* First the board: who connects to the sockets finds it. */
	rules_configure(d, &d->config);
	rc = board_start(d);
	if (rc) {
		log_line(LOG_ERR, "start", "%s", d->why);
		return rc;
	}
	rc = step(clients_open(d, clients_fd), d->config.socket);
	if (!rc)
		rc = step(control_open(d), d->config.control);
	if (!rc)
		rc = step(metrics_open(d), "metrics");
	if (!rc)
		rc = step(listeners_configure(d, &d->config), "listeners");
	if (rc < 0)
		return rc;
	board_resume(d);
	d->second.due = on_second;
	loop_arm(&d->loop, &d->second, SECOND_MS);
	daemon_notify(d);
	return 0;
}

/* Only so that the loop comes back. */
static void on_look(struct timer *t)
{
	(void)t;
}

static void stop(struct daemon *d)
{
	sd_notify(0, "STOPPING=1");
	/* Perhaps a restart: then all goes on without us. If it is none, the manager closes what it has kept, and the board, without a
	 * heartbeat, is silent. */
	if (d->managed && d->kept && d->dev)
		service_run(d->dev, service_leave, NULL);
	listeners_free(d);
	/* Calls that wait in a worker end now; one that was about to begin does at the next look. */
	d->second.due = on_look;
	while (d->workers) {
		if (d->dev) {
			pthread_mutex_lock(&d->dev->lock);
			connect_end_all(d->dev, -ENODEV);
			pthread_mutex_unlock(&d->dev->lock);
		}
		loop_arm(&d->loop, &d->second, LOOK_MS);
		loop_step(&d->loop);
	}
	board_stop(d, true);
	dnat_close(d);
	if (d->control)
		control_close(d);
	metrics_close(d);
	if (d->clients_socket.added)
		clients_close(d);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' }, { "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	static struct daemon d = { .config_path = CONFIG_PATH, .tap_fd = -1, .kept_fd = -1 };
	char why[CONFIG_TEXT_BYTES];
	bool check = false;
	int c, rc;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'c') {
			d.config_path = optarg;
		} else if (c == 'k') {
			check = true;
		} else if (c == 'v') {
			printf("handfastd %s, registers and messages version %d\n", HF_RELEASE, HF_ABI_VERSION);
			return 0;
		} else if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		} else {
			return 2; /* getopt has said what is wrong */
		}
	}
	if (optind < argc) {
		fprintf(stderr, "handfastd: unexpected argument '%s' (handfastd --help)\n", argv[optind]);
		return 2;
	}
	if (daemon_config_read(d.config_path, &d.config, why)) {
		fprintf(stderr, "handfastd: %s\n", why);
		return 2;
	}
	if (check)
		return 0;
	d.started_ms = clock_ms();
	log_set_level(d.config.log_level);
	pthread_mutex_init(&d.shared.lock, NULL);
	pthread_mutex_init(&d.workers_lock, NULL);
	raise_descriptors();
	rc = start(&d);
	if (!rc)
		loop_run(&d.loop);
	stop(&d);
	return rc ? 1 : 0;
}
