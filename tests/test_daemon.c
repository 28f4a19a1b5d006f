/* SPDX-License-Identifier: Apache-2.0
 * test_daemon.c - handfastd as a process: the board is a fake that the test drives, the programs are this process and its children
 * with libhandfast, the operator is a line of JSON. Real servers and clients: tests/service/run. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../host/handfast.h"
#include "../host/ipc.h"
#include "support_bench.h"
#include "support_event.h"
#include "support_fake_board.h"
#include "support_namespace.h"

enum { CONTROL_TEST_BYTES = 6000, WAIT_MS = 5000, STEP_US = 2000, NOBODY = 65534, WITHDRAWN_MS = 100, AGAIN_MS = 200 };

static bool privileged;
static char handfastd[4096];

struct service {
	struct fake_board board;
	pid_t daemon;
	char dir[64], config[96], socket[96], control[96], metrics[96], link[96], log[96], uri[120];
	struct hf_device *dev;
	unsigned board_rules; /* that its board has room for */
	const char *config_rules;
};

/* ---- the daemon ---- */

static const char listeners[] = "{ port = 80; way = \"repair\"; mode = \"offload\"; backlog = 4; users = [ 65534 ]; },"
				"{ port = 81; way = \"repair\"; mode = \"offload\"; backlog = 300; },"
				"{ port = 82; way = \"repair\"; mode = \"off\"; }";

static void write_config(const struct service *s, const char *list)
{
	FILE *f = fopen(s->config, "we");

	CHECK(f != NULL, "%s: %s", s->config, strerror(errno));
	if (!f)
		return;
	fprintf(f, "board = \"unix:%s\";\n", s->link);
	fprintf(f, "tap = { name = \"hf0\"; mac = \"02:00:00:00:00:02\"; addresses = [ \"192.0.2.2/24\" ]; persistent "
		   "= true; };\n");
	fprintf(f, "socket = \"%s\";\ncontrol = { socket = \"%s\"; };\nmetrics = { socket = \"%s\"; };\n", s->socket,
		s->control, s->metrics);
	fprintf(f, "attack = { syn_rate = 1000; quiet_ms = 100; };\nlisteners = ( %s );\n", list);
	if (s->config_rules)
		fprintf(f, "rules = ( %s );\n", s->config_rules);
	fclose(f);
}

/* A child with its output in s->log. */
static pid_t spawn(const struct service *s, const char *arg1, const char *arg2, const char *arg3)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	unsetenv("NOTIFY_SOCKET");
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execl(handfastd, handfastd, arg1, arg2, arg3, (char *)NULL);
	_exit(127);
}

/* It, and nobody else, listens at its control socket: everything else is there by then. */
static bool wait_for_control(const struct service *s)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memcpy(addr.sun_path, s->control, strlen(s->control));
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct ucred peer = { 0 };
		bool there = !connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
			     !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){ sizeof(peer) }) &&
			     peer.pid == s->daemon;

		close(fd);
		if (there)
			return true;
		usleep(STEP_US);
	}
	return false;
}

static bool start_board(struct service *s)
{
	fake_board_init(&s->board);
	s->board.arp_mac = PEER_MAC;
	s->board.rules = s->board_rules;
	if (!CHECK(fake_board_start(&s->board), "the fake board does not start"))
		return false;
	unlink(s->link);
	return CHECK(!symlink(s->board.path, s->link), "symlink: %s", strerror(errno));
}

static bool start_daemon(struct service *s)
{
	s->daemon = spawn(s, "--config", s->config, NULL);
	return CHECK(s->daemon > 0 && wait_for_control(s), "handfastd does not start: see %s", s->log);
}

static struct service *service_with_rules(const char *list, unsigned board_rules, const char *config_rules)
{
	struct service *s = calloc(1, sizeof(*s));

	s->board_rules = board_rules;
	s->config_rules = config_rules;
	if (!privileged) {
		bench_skip("needs root, a network namespace and /dev/net/tun");
		free(s);
		return NULL;
	}
	CHECK(unshare(CLONE_NEWNET) == 0, "unshare: %s", strerror(errno));
	snprintf(s->dir, sizeof(s->dir), "/tmp/handfast-daemon.XXXXXX");
	CHECK(mkdtemp(s->dir) && !chmod(s->dir, 0755), "mkdtemp: %s", strerror(errno));
#define PATH(name) snprintf(s->name, sizeof(s->name), "%s/" #name, s->dir)
	PATH(config);
	PATH(socket);
	PATH(control);
	PATH(metrics);
	PATH(link);
	PATH(log);
#undef PATH
	snprintf(s->uri, sizeof(s->uri), "daemon:%s", s->socket);
	write_config(s, list);
	if (start_board(s) && start_daemon(s)) {
		int rc = hf_open(s->uri, NULL, &s->dev);

		if (CHECK(!rc, "hf_open: %d %s", rc, hf_error(NULL)))
			return s;
	}
	return s;
}

/* Of a board without rules. */
static struct service *service_start(const char *list)
{
	return service_with_rules(list, 0, NULL);
}

/* It must end by itself, with exit code 0. */
static void stop_daemon(struct service *s)
{
	int status = -1;

	if (s->daemon <= 0)
		return;
	kill(s->daemon, SIGTERM);
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US && !waitpid(s->daemon, &status, WNOHANG); i++)
		usleep(STEP_US);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "handfastd ended with status 0x%x: see %s", status, s->log);
	if (status == -1)
		kill(s->daemon, SIGKILL);
	s->daemon = 0;
}

static void service_end(struct service *s)
{
	hf_close(s->dev);
	stop_daemon(s);
	CHECK_EQ(s->board.malformed, 0, "packets whose length was not their length");
	fake_board_stop(&s->board);
	for (char *const *path = (char *const[]){ s->config, s->socket, s->control, s->metrics, s->link, s->log, NULL };
		*path; path++)
		unlink(*path);
	rmdir(s->dir);
	free(s);
}

/* All that the daemon has logged so far. */
static const char *log_text(const struct service *s)
{
	static char all[1 << 18];
	FILE *f = fopen(s->log, "re");
	size_t n = f ? fread(all, 1, sizeof(all) - 1, f) : 0;

	if (f)
		fclose(f);
	all[n] = 0;
	return all;
}

/* Is this word in what the daemon has said? Waits for it. */
static bool logged(const struct service *s, const char *text)
{
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US; i++) {
		if (strstr(log_text(s), text))
			return true;
		usleep(STEP_US);
	}
	return false;
}

/* ---- the operator ---- */

static int dial(const char *path, int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	struct timeval limit = { WAIT_MS / 1000, 0 };

	memcpy(addr.sun_path, path, strlen(path));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	CHECK(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)), "connect to %s: %s", path, strerror(errno));
	return fd;
}

/* One line in, one line out; the text is good until the next call. */
static const char *line(int fd)
{
	static char text[1 << 20];
	size_t n = 0;

	while (n < sizeof(text) - 1 && recv(fd, text + n, 1, 0) == 1 && text[n] != '\n')
		n++;
	text[n] = 0;
	return text;
}

static const char *ask_at(int fd, const char *request)
{
	struct iovec parts[] = { { (void *)(uintptr_t)request, strlen(request) }, { "\n", 1 } };

	CHECK(writev(fd, parts, 2) == (ssize_t)strlen(request) + 1, "writev");
	return line(fd);
}

static const char *ask(const struct service *s, const char *request)
{
	int fd = dial(s->control, SOCK_STREAM);
	const char *text = ask_at(fd, request);

	close(fd);
	return text;
}

#define CHECK_SAYS(s, request, part)                                                             \
	do {                                                                                     \
		const char *said_ = ask(s, request);                                             \
		CHECK(strstr(said_, part) != NULL, "%s: no %s in %.600s", request, part, said_); \
	} while (0)

/* Ask until the answer has this part. */
static bool comes_to_say(const struct service *s, const char *request, const char *part)
{
	for (unsigned i = 0; i < WAIT_MS / 10; i++) {
		if (strstr(ask(s, request), part))
			return true;
		usleep(10000);
	}
	return false;
}

/* A number behind "name": in the answer, -1 if it is not there. */
static long long number(const struct service *s, const char *request, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(ask(s, request), key);
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/* ---- the programs ---- */

static int listen_at(struct hf_device *dev, uint16_t port, int backlog, struct hf_listener **l)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };

	*l = NULL;
	return hf_listen(dev, (struct sockaddr *)&any, sizeof(any), backlog, l);
}

static void make_event(uint8_t msg[128], unsigned listener, uint16_t port, uint32_t id, uint16_t remote_port)
{
	event_message(msg, &(struct fake_event){ .id = id, .listener = listener, .remote_port = remote_port });
	MSG_PUT(msg, EVENT, local_port, port);
}

static void event_for(struct service *s, unsigned listener, uint16_t port, uint32_t id, uint16_t remote_port)
{
	uint8_t msg[128];

	make_event(msg, listener, port, id, remote_port);
	fake_board_send(&s->board, msg, sizeof(msg));
}

/* How many commands of this kind the board has seen. */
static unsigned commands(struct service *s, unsigned code)
{
	unsigned n = 0;

	pthread_mutex_lock(&s->board.lock);
	for (unsigned i = 0; i < s->board.commands; i++)
		n += s->board.command[i].code == code;
	pthread_mutex_unlock(&s->board.lock);
	return n;
}

static unsigned resets(struct service *s)
{
	unsigned n = 0;

	pthread_mutex_lock(&s->board.lock);
	for (unsigned i = 0; i < s->board.frames; i++)
		n += s->board.frame[i].bytes[23] == 6 && s->board.frame[i].bytes[47] & HF_RST;
	pthread_mutex_unlock(&s->board.lock);
	return n;
}

static unsigned releases(struct service *s)
{
	return commands(s, HF_COMMAND_RELEASE);
}

static unsigned aborts(struct service *s)
{
	return commands(s, HF_COMMAND_ABORT);
}

static bool reaches(struct service *s, unsigned (*what)(struct service *s), unsigned least)
{
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US; i++) {
		if (what(s) >= least)
			return true;
		usleep(STEP_US);
	}
	return false;
}

/* The mode with which the board's listener was last committed; -1: never. */
static int committed_mode(struct service *s, unsigned index)
{
	int mode = -1;

	pthread_mutex_lock(&s->board.lock);
	for (unsigned i = 0; i < s->board.writes; i++) {
		uint32_t v = s->board.write[i].value;

		if (s->board.write[i].offset == HF_REG_LISTEN_COMMIT && (v & 0xff) == index)
			mode = (int)(v >> HF_LISTEN_COMMIT_MODE_LOW & 3);
	}
	pthread_mutex_unlock(&s->board.lock);
	return mode;
}

static bool becomes_mode(struct service *s, unsigned index, int mode)
{
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US; i++) {
		if (committed_mode(s, index) == mode)
			return true;
		usleep(STEP_US);
	}
	return false;
}

enum { OFF, OFFLOAD, BYPASS };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- cases ---- */

static void config_that_is_wrong(void)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "board = \"unix:/x\";", "addresses" },
		{ "tap = { addresses = [ \"192.0.2.2/24\" ]; };", "board" },
		{ "board = ", ":1: syntax error" },
		{ "bord = \"unix:/x\";", ":1: unknown setting 'bord'" },
		{ "board = \"unix:/x\"; tap = { addresses = [ \"192.0.2.2/24\" ]; };\n\nlisteners = ( { port = 0; } );",
			":3: 'port' must be 1 to 65535" },
		{ "board = \"unix:/x\"; tap = { addresses = [ \"192.0.2.2/24\" ]; };\nlisteners = ( { port = 80; mode "
		  "= \"on\"; } );",
			":2: 'mode'" },
		{ "board = \"unix:/x\"; tap = { addresses = [ \"192.0.2.2/24\" ]; };\nlisteners = ( { port = 80; }, { "
		  "port = 80; } );",
			"have a listener already" },
		{ "board = \"unix:/x\"; tap = { addresses = [ \"192.0.2.2/24\" ]; };\nlisteners = ( { port = 80; users "
		  "= [ \"no-such-user\" ]; } );",
			"no such user: 'no-such-user'" },
		{ "board = 5; tap = { addresses = [ \"192.0.2.2/24\" ]; };", "'board' must be a string" },
		{ "board = \"unix:/x\"; tap = { mtu = \"big\"; addresses = [ \"192.0.2.2/24\" ]; };",
			"'mtu' must be a number" },
		{ "board = \"unix:/x\"; tap = { addresses = [ \"192.0.2.2/24\" ]; };\nlisteners = [ 80 ];",
			"'listeners' must be a list" },
	};
	struct service s = { 0 };
	char text[512];

	snprintf(s.dir, sizeof(s.dir), "/tmp/handfast-daemon.XXXXXX");
	CHECK(mkdtemp(s.dir) != NULL, "mkdtemp");
	snprintf(s.config, sizeof(s.config), "%s/config", s.dir);
	snprintf(s.log, sizeof(s.log), "%s/log", s.dir);
	for (size_t i = 0; i < COUNT(rows) + 3; i++) {
		FILE *f = fopen(s.config, "we");
		int status = 0;
		size_t n;
		pid_t pid;

		if (i < COUNT(rows))
			fputs(rows[i].text, f);
		fclose(f);
		unlink(s.log);
		pid = i < COUNT(rows)	     ? spawn(&s, "--config", s.config, "--check")
		      : i == COUNT(rows)     ? spawn(&s, "--config", "/nonexistent/config", NULL)
		      : i == COUNT(rows) + 1 ? spawn(&s, "--no-such-option", NULL, NULL)
					     : spawn(&s, "word", NULL, NULL);
		waitpid(pid, &status, 0);
		f = fopen(s.log, "re");
		n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
		text[n] = 0;
		if (f)
			fclose(f);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 2, "row %zu: status 0x%x", i, status);
		CHECK(n && strchr(text, '\n') == text + n - 1, "row %zu: not one line: %s", i, text);
		if (i < COUNT(rows))
			CHECK(strstr(text, rows[i].says) != NULL, "row %zu: '%s' is not in: %s", i, rows[i].says, text);
	}
	unlink(s.config);
	unlink(s.log);
	rmdir(s.dir);
}

/* The folder of its sockets is made, for everybody to go through whatever the umask; not those above it, and the error says which. */
static void the_run_folder_is_made(void)
{
	struct service *s = service_start(listeners);
	char run[128], above[256];
	struct stat st;
	mode_t before;
	int status = -1;

	if (!s)
		return;
	stop_daemon(s);
	hf_close(s->dev);
	s->dev = NULL;
	fake_board_stop(&s->board);
	start_board(s);
	snprintf(run, sizeof(run), "%s/run", s->dir);
	snprintf(s->socket, sizeof(s->socket), "%s/run/handfast.sock", s->dir);
	snprintf(s->control, sizeof(s->control), "%s/run/control.sock", s->dir);
	write_config(s, listeners);
	before = umask(0077);
	start_daemon(s);
	umask(before);
	CHECK(!stat(run, &st) && (st.st_mode & 07777) == 0755, "mode %o", st.st_mode);
	CHECK(!stat(s->socket, &st) && (st.st_mode & 07777) == 0666, "of the socket: %o", st.st_mode);
	CHECK(!stat(s->control, &st) && (st.st_mode & 07777) == 0600, "of the control socket: %o", st.st_mode);
	stop_daemon(s);
	unlink(s->socket);
	unlink(s->control);
	rmdir(run);
	fake_board_stop(&s->board);
	start_board(s);
	snprintf(s->socket, sizeof(s->socket), "%s/no/run/handfast.sock", s->dir);
	write_config(s, listeners);
	waitpid(spawn(s, "--config", s->config, NULL), &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status 0x%x", status);
	snprintf(above, sizeof(above), "make the folder %s/no/run: No such file or directory", s->dir);
	CHECK(logged(s, above), "'%s' is not said: see %s", above, s->log);
	service_end(s);
}

static void the_example_config_is_good(void)
{
	struct service s = { .log = "/dev/null" };
	size_t tree = strlen(handfastd), under = strlen("build/handfastd");
	char path[4200];
	int status = -1;

	tree = tree < under ? 0 : tree - under;
	snprintf(path, sizeof(path), "%.*shost/daemon/handfastd.conf", (int)tree, handfastd);
	if (access(path, R_OK)) {
		bench_skip("the source tree is not beside the programs");
		return;
	}
	waitpid(spawn(&s, "--config", path, "--check"), &status, 0);
	CHECK_EQ(status, 0, "exit status");
}

static void a_program_accepts_through_the_daemon(void)
{
	struct service *s = service_start(listeners);
	struct sockaddr_storage peer;
	struct hf_listener *l;
	struct pollfd p;
	char buffer[8];
	int fd;

	if (!s)
		return;
	CHECK(becomes_mode(s, 0, BYPASS), "port 80 without a program: mode %d", committed_mode(s, 0));
	CHECK_SAYS(s, "{\"request\": \"listeners\"}", "\"reason\":\"no_listener\"");
	CHECK_EQ(committed_mode(s, 2), OFF, "port 82, off in the config");
	if (!CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev)))
		goto out;
	CHECK(becomes_mode(s, 0, OFFLOAD), "with a program: mode %d", committed_mode(s, 0));
	CHECK_EQ(hf_accept(l, NULL, 0), -EAGAIN, "nobody there");
	CHECK_EQ(hf_accept(l, NULL, 20), -ETIMEDOUT, "nobody there for 20 ms");
	event_for(s, 0, 80, 0x10005, 1234);
	p = (struct pollfd){ hf_listener_fd(l), POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, WAIT_MS), 1, "poll");
	fd = hf_accept(l, &peer, WAIT_MS);
	if (CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(s->dev))) {
		CHECK_EQ(ntohs(((struct sockaddr_in *)&peer)->sin_port), 1234, "peer's port");
		CHECK_EQ(ntohl(((struct sockaddr_in *)&peer)->sin_addr.s_addr), PEER_ADDR, "peer's address");
		CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC, "not close-on-exec");
		CHECK(write(fd, "hello", 5) == 5, "write");
		CHECK(fake_board_wait(&s->board, &s->board.frames, 1), "no frame");
		CHECK_BYTES("payload", s->board.frame[0].bytes + 66, 5, "hello", 5);
		CHECK_EQ(recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT), (uint64_t)-1, "recv");
		/* The daemon must have let go of its copy, or this would not be the end. */
		struct linger reset = { 1, 0 };

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		CHECK(reaches(s, releases, 1), "no RELEASE");
		CHECK_EQ(s->board.command[0].id, 0x10005, "its id");
	}
	CHECK_EQ(hf_stats(s->dev, NULL, 0) > HF_CNT_COUNT, 1, "hf_stats");
	CHECK_EQ(hf_listener_close(l), 0, "close");
	CHECK(becomes_mode(s, 0, BYPASS), "after the program: mode %d", committed_mode(s, 0));
out:
	service_end(s);
}

/* The board answers from the moment on that it is told to, and the peer's SYN may have waited for that. */
static void the_first_connection_comes_at_once(void)
{
	struct service *s = service_start(listeners);
	struct hf_listener *l;
	uint8_t event[128];
	int fd;

	if (!s)
		return;
	CHECK(becomes_mode(s, 0, BYPASS), "port 80 without a program: mode %d", committed_mode(s, 0));
	make_event(event, 0, 80, 0x10005, 1234);
	pthread_mutex_lock(&s->board.lock);
	s->board.at_mode[OFFLOAD] = event;
	pthread_mutex_unlock(&s->board.lock);
	if (CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev))) {
		fd = hf_accept(l, NULL, WAIT_MS);
		CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(s->dev));
		if (fd >= 0)
			close(fd);
	}
	CHECK_EQ(resets(s), 0, "RSTs to the peer");
	service_end(s);
}

static void closing_withdraws_at_once(void)
{
	struct service *s = service_start(listeners);
	bool in_time = false;
	struct hf_listener *l;

	if (!s)
		return;
	/* Of several tries one must be in time: the machine may have other things to do. */
	for (unsigned try = 0; try < 5 && !in_time; try++) {
		unsigned before = resets(s);
		int64_t began;

		if (!CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev)))
			break;
		CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
		for (uint16_t i = 0; i < 3; i++)
			event_for(s, 0, 80, 0x10005u + i + 8 * try, (uint16_t)(1234 + i + 8 * try));
		CHECK(comes_to_say(s, "{\"request\": \"listeners\"}", "\"queued\":3"), "three are queued");
		began = now_ms();
		hf_listener_close(l);
		CHECK(becomes_mode(s, 0, BYPASS), "mode %d", committed_mode(s, 0));
		CHECK(reaches(s, resets, before + 3), "%u peers of 3 got a RST", resets(s) - before);
		in_time = now_ms() - began <= WITHDRAWN_MS;
	}
	CHECK(in_time, "never within %d ms", WITHDRAWN_MS);
	service_end(s);
}

static void a_program_that_dies_leaves_resets(void)
{
	struct service *s = service_start(listeners);
	uint8_t event[128];
	int ready[2];
	pid_t pid;
	char c;

	if (!s)
		return;
	CHECK(!pipe2(ready, O_CLOEXEC), "pipe");
	pid = fork();
	if (!pid) {
		struct hf_device *dev;
		struct hf_listener *l;

		if (!hf_open(s->uri, NULL, &dev) && !listen_at(dev, 80, 4, &l) && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	CHECK(read(ready[0], &c, 1) == 1, "the program does not listen");
	CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
	for (uint16_t i = 0; i < 3; i++)
		event_for(s, 0, 80, 0x10005u + i, (uint16_t)(1234 + i));
	CHECK(comes_to_say(s, "{\"request\": \"listeners\"}", "\"queued\":3"), "three are queued");
	/* One more has its handshake behind it just when the board is told that nobody listens. */
	make_event(event, 0, 80, 0x1000d, 1299);
	pthread_mutex_lock(&s->board.lock);
	s->board.at_mode[BYPASS] = event;
	pthread_mutex_unlock(&s->board.lock);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(reaches(s, resets, 3), "%u peers of 3 got a RST", resets(s));
	CHECK(becomes_mode(s, 0, BYPASS), "mode %d", committed_mode(s, 0));
	CHECK(reaches(s, aborts, 1), "no ABORT for the one in between");
	/* And one whose handshake ends only now. */
	event_for(s, 0, 80, 0x10015, 1300);
	CHECK(reaches(s, aborts, 2), "no ABORT for the late one");
	close(ready[0]);
	close(ready[1]);
	service_end(s);
}

/* Without a descriptor free accept says EMFILE; nothing spins; the connection comes when there is one. */
static void nothing_is_lost_without_descriptors(void)
{
	struct service *s = service_start(listeners);
	struct rlimit before, none;
	struct hf_listener *l;
	int fd = -1, tries = 0, used;
	int64_t began;

	if (!s)
		return;
	if (!CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev)))
		goto out;
	getrlimit(RLIMIT_NOFILE, &before);
	used = dup(0);
	close(used);
	none = (struct rlimit){ (rlim_t)used, before.rlim_max };
	CHECK(!setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
	event_for(s, 0, 80, 0x10005, 1234);
	CHECK_EQ(hf_accept(l, NULL, WAIT_MS), -EMFILE, "no descriptor");
	/* A program that polls and accepts in a loop for a while. */
	for (began = now_ms(); now_ms() - began < 300;) {
		struct pollfd p = { hf_listener_fd(l), POLLIN, 0 };

		if (poll(&p, 1, 50) == 1) {
			int rc = hf_accept(l, NULL, 0);

			tries++;
			CHECK(rc == -EMFILE || rc == -EAGAIN, "hf_accept: %d", rc);
		}
	}
	CHECK(tries > 0 && tries < 12, "%d tries in 300 ms", tries);
	CHECK(!setrlimit(RLIMIT_NOFILE, &before), "setrlimit");
	fd = hf_accept(l, NULL, WAIT_MS);
	if (CHECK(fd >= 0, "hf_accept: %d %s", fd, hf_error(s->dev))) {
		CHECK(write(fd, "hello", 5) == 5, "write");
		CHECK(fake_board_wait(&s->board, &s->board.frames, 1), "no frame");
		close(fd);
	}
	CHECK_EQ(resets(s), 0, "RSTs");
	CHECK(number(s, "{\"request\": \"counters\"}", "daemon.sent_again") >= 1, "daemon.sent_again");
out:
	service_end(s);
}

static void a_slow_program_is_bounded(void)
{
	enum { ALL = 60, ROOM = IPC_WINDOW + 4 };
	struct service *s = service_start(listeners);
	unsigned taken = 0, seen = 0;
	struct hf_listener *l;

	if (!s)
		return;
	if (!CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev)))
		goto out;
	CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
	/* The window first, so that the queue is empty when the rest comes. */
	for (uint16_t i = 0; i < ALL; i++) {
		event_for(s, 0, 80, 0x10001u + i, (uint16_t)(2000 + i));
		if (i < IPC_WINDOW) {
			char queued[32];

			snprintf(queued, sizeof(queued), "\"queued\":%u,", i + 1u);
			CHECK(comes_to_say(s, "{\"request\": \"listeners\"}", queued), "connection %u is not sent", i);
		}
	}
	CHECK(reaches(s, aborts, ALL - ROOM), "%u were refused", aborts(s));
	CHECK_EQ(number(s, "{\"request\": \"listeners\"}", "overflow"), ALL - ROOM, "overflow");
	for (int fd; (fd = hf_accept(l, NULL, taken < ROOM ? WAIT_MS : 50)) >= 0; taken++) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);

		CHECK(!getpeername(fd, (struct sockaddr *)&peer, &len) && ntohs(peer.sin_port) == 2000 + seen,
			"order: port %u", ntohs(peer.sin_port));
		seen++;
		close(fd);
	}
	CHECK_EQ(taken, ROOM, "connections kept");
out:
	service_end(s);
}

/* In a child of another user; the exit code is the number of the check that failed. */
static int as_nobody(const struct service *s)
{
	struct sockaddr_in remote = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(PEER_ADDR)
	};
	struct hf_device *dev;
	struct hf_listener *l;
	char refused[128] = "";
	int fd;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 1;
	if (hf_open(s->uri, NULL, &dev))
		return 2;
	if (listen_at(dev, 80, 4, &l)) /* the config lets it */
		return 3;
	if (listen_at(dev, 81, 4, &l) != -EPERM || !strstr(hf_error(dev), "81"))
		return 4;
	if (listen_at(dev, 83, 4, &l) != -EACCES || !strstr(hf_error(dev), "not in the config"))
		return 5;
	if (hf_connect(dev, NULL, (struct sockaddr *)&remote, sizeof(remote), 1000) != -EPERM)
		return 6;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memcpy(addr.sun_path, s->control, strlen(s->control));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	/* 0600, or the daemon's own look at the credentials. */
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
		(recv(fd, refused, sizeof(refused) - 1, 0) <= 0 || !strstr(refused, "not permitted")))
		return 7;
	return 0;
}

static int as_somebody(const struct service *s)
{
	struct hf_device *dev;

	return setgid(NOBODY - 1) || setuid(NOBODY - 1) || hf_open(s->uri, NULL, &dev) != -EPERM;
}

static void who_may_what(void)
{
	struct service *s = service_start(listeners);
	struct hf_listener *l;
	int status;
	pid_t pid;

	if (!s)
		return;
	for (int i = 0; i < 2; i++) {
		pid = fork();
		if (!pid)
			_exit(i ? as_somebody(s) : as_nobody(s));
		waitpid(pid, &status, 0);
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "user %d: check %d", i, WEXITSTATUS(status));
	}
	CHECK_EQ(listen_at(s->dev, 81, 4, &l), 0, "root may");
	CHECK_EQ(listen_at(s->dev, 82, 4, &l), -EACCES, "one that is off");
	service_end(s);
}

static void bad_clients_are_refused(void)
{
	struct service *s = service_start(listeners);
	struct ipc_request good = { .magic = IPC_MAGIC, .version = IPC_VERSION, .type = IPC_HELLO }, r;
	uint8_t reply[sizeof(struct ipc_reply)], noise[sizeof(good) + 40];
	struct hf_listener *l;
	int fd;

	if (!s)
		return;
	memset(noise, 0xa5, sizeof(noise));
	for (unsigned i = 0; i < 8; i++) {
		int got = 1;

		fd = dial(s->socket, SOCK_SEQPACKET);
		r = good;
		switch (i) {
		case 0:
			got = ipc_send(fd, noise, 1, -1);
			break;
		case 1:
			got = ipc_send(fd, noise, sizeof(noise), -1);
			break;
		case 2:
			got = ipc_send(fd, &good, sizeof(good) - 1, -1);
			break;
		case 3:
			r.type = IPC_TYPES;
			got = ipc_send(fd, &r, sizeof(r), -1);
			break;
		case 4:
			r.version++;
			got = ipc_send(fd, &r, sizeof(r), -1);
			break;
		case 5:
			r.type = IPC_CLOSE; /* without a socket */
			got = ipc_send(fd, &r, sizeof(r), -1);
			break;
		case 6:
			r.type = IPC_CLOSE; /* with one that is none */
			got = ipc_send(fd, &r, sizeof(r), 0);
			break;
		case 7:
			r.type = IPC_LISTEN;
			r.local.family = AF_INET;
			r.local.port = 80;
			r.backlog = 5;
			got = ipc_send(fd, &r, sizeof(r), 0); /* stdin is no listening socket */
			break;
		}
		CHECK_EQ(got, 0, "send");
		got = (int)recv(fd, reply, sizeof(reply), 0);
		/* What is longer than any request is not even answered. */
		CHECK((i == 1 && !got) || (got >= (int)offsetof(struct ipc_reply, stat) &&
						  ((struct ipc_reply *)reply)->result < 0),
			"row %u: %d octets, result %d", i, got, ((struct ipc_reply *)reply)->result);
		CHECK_EQ(recv(fd, reply, sizeof(reply), 0), 0, "it hangs up");
		close(fd);
	}
	/* Rubbish on a listener's channel ends the listener, nothing else. */
	if (CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev))) {
		CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
		CHECK(send(hf_listener_fd(l), noise, 7, 0) == 7, "send");
		CHECK(becomes_mode(s, 0, BYPASS), "mode %d", committed_mode(s, 0));
		CHECK_EQ(hf_accept(l, NULL, WAIT_MS), -ENODEV, "hf_accept");
	}
	CHECK_SAYS(s, "{\"request\": \"status\"}", "\"link\":\"up\"");
	service_end(s);
}

struct caller {
	struct service *s;
	struct sockaddr_in remote;
	int rc;
	pthread_t thread;
};

static void *call_connect(void *arg)
{
	struct caller *c = arg;

	c->rc = hf_connect(c->s->dev, NULL, (struct sockaddr *)&c->remote, sizeof(c->remote), WAIT_MS);
	return NULL;
}

static void connecting_through_the_daemon(void)
{
	struct service *s = service_start(listeners);

	if (!s)
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct caller c = { .s = s,
			.remote = {
				.sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(PEER_ADDR) } };
		const struct fake_command *k;
		uint8_t msg[128];

		s->board.new_id = 0x10030 + i;
		pthread_create(&c.thread, NULL, call_connect, &c);
		k = fake_board_command(&s->board, i);
		if (CHECK(k && k->code == HF_COMMAND_CONNECT, "no CONNECT")) {
			event_message(msg, &(struct fake_event){ .id = 0x10030 + i,
						   .remote_port = 8080,
						   .local_port = (uint16_t)MSG_GET(k->body, EVENT, local_port),
						   .code = i ? HF_EVENT_REFUSED : 0 });
			fake_board_send(&s->board, msg, sizeof(msg));
		}
		pthread_join(c.thread, NULL);
		if (i) {
			CHECK_EQ(c.rc, -ECONNREFUSED, "a peer that refuses");
		} else if (CHECK(c.rc >= 0, "hf_connect: %d %s", c.rc, hf_error(s->dev))) {
			CHECK(write(c.rc, "hello", 5) == 5, "write");
			CHECK(fake_board_wait(&s->board, &s->board.frames, 1), "no frame");
			/* Nothing unacknowledged must be left for the next. */
			close(c.rc);
		}
	}
	service_end(s);
}

static void the_board_closes_for_the_program(void)
{
	struct service *s = service_start(listeners);
	struct hf_listener *l;
	int fd, copy, rc = -EAGAIN;

	if (!s)
		return;
	if (!CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev)))
		goto out;
	event_for(s, 0, 80, 0x10005, 1234);
	fd = hf_accept(l, NULL, WAIT_MS);
	if (!CHECK(fd >= 0, "hf_accept: %d", fd))
		goto out;
	copy = dup(fd);
	CHECK_EQ(hf_close_socket(s->dev, fd, HF_CLOSE_OFFLOAD), -EUSERS, "a shared socket");
	close(copy);
	/* The daemon lets go of its own copy when it has read our answer. */
	for (unsigned i = 0; i < 100 && rc; i++) {
		rc = hf_close_socket(s->dev, fd, HF_CLOSE_OFFLOAD);
		usleep(rc ? 20000 : 0);
	}
	CHECK(!rc, "close: %d %s", rc, hf_error(s->dev));
	CHECK(fcntl(fd, F_GETFD) < 0, "the descriptor is still open");
	CHECK_EQ(commands(s, HF_COMMAND_CLOSE), 1, "CLOSE commands");
	CHECK_EQ(s->board.frames, 0, "frames");
out:
	service_end(s);
}

static void the_operator_asks_and_changes(void)
{
	struct service *s = service_start(listeners);
	struct hf_listener *l;
	unsigned before;
	uint32_t cookie[2] = { 0 };
	char text[CONTROL_TEST_BYTES];
	int fd;

	if (!s)
		return;
	CHECK_SAYS(s, "{\"request\": \"status\", \"tag\": [1, \"a\"]}", "\"tag\":[1,\"a\"]");
	CHECK_SAYS(s, "{\"request\": \"status\"}", "\"addresses\":[\"192.0.2.2/24\"]");
	CHECK_SAYS(s, "{\"request\": \"nonsense\"}", "\"errno\":\"EINVAL\"");
	CHECK_SAYS(s, "{\"request\": \"status\", \"colour\": 1}", "\"ok\":false");
	CHECK_SAYS(s, "{\"request\": \"listener\", \"port\": 99, \"mode\": \"off\"}", "\"errno\":\"ENOENT\"");
	CHECK_SAYS(s, "{\"request\": \"listener\", \"port\": 80, \"mode\": \"fast\"}", "\"errno\":\"EINVAL\"");
	CHECK_SAYS(s, "{\"request\": \"trace\", \"host\": \"nowhere\"}", "\"errno\":\"EINVAL\"");
	CHECK_SAYS(s, "not json", "\"errno\":\"EBADMSG\"");
	CHECK_SAYS(s, "{\"request\": \"counters\"}", "\"board.RX_FRAMES\":");
	CHECK_SAYS(s, "{\"request\": \"selftest\"}", "\"name\":\"board_id\",\"ok\":true");
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	CHECK_SAYS(s, text, "\"errno\":\"EBADMSG\"");

	/* Modes at run time. */
	CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev));
	CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
	CHECK_SAYS(s, "{\"request\": \"listener\", \"port\": 80, \"mode\": \"bypass\"}", "\"mode\":\"bypass\"");
	CHECK_EQ(committed_mode(s, 0), BYPASS, "the board's mode");
	CHECK_SAYS(s, "{\"request\": \"listener\", \"port\": 80, \"mode\": \"off\"}", "\"mode\":\"off\"");
	CHECK_EQ(committed_mode(s, 0), OFF, "the board's mode");
	CHECK_SAYS(s, "{\"request\": \"listener\", \"port\": 80, \"mode\": \"offload\"}", "\"mode\":\"offload\"");
	CHECK_EQ(committed_mode(s, 0), OFFLOAD, "the board's mode");

	/* Who is denied, and who is over the limit, gets no socket. */
	CHECK_SAYS(s, "{\"request\": \"deny\", \"prefix\": \"192.0.2.0/24\", \"deny\": true}", "\"ok\":true");
	CHECK_SAYS(s, "{\"request\": \"rules\"}", "\"prefix\":\"192.0.2.0/24\"");
	event_for(s, 0, 80, 0x10005, 1234);
	CHECK(reaches(s, aborts, 1), "a denied peer is not refused");
	CHECK_SAYS(s, "{\"request\": \"deny\", \"prefix\": \"192.0.2.0/24\", \"deny\": false}", "\"ok\":true");
	CHECK_SAYS(s, "{\"request\": \"limit\", \"prefix\": \"192.0.2.1/32\", \"rate\": 1}", "\"ok\":true");
	for (uint16_t i = 0; i < 4; i++)
		event_for(s, 0, 80, 0x10006u + i, (uint16_t)(1300 + i));
	CHECK(reaches(s, aborts, 3), "%u were refused", aborts(s));
	CHECK_SAYS(s, "{\"request\": \"limit\", \"prefix\": \"192.0.2.1/32\", \"rate\": 0}", "\"ok\":true");
	CHECK_SAYS(s, "{\"request\": \"rules\"}", "\"rules\":[]");
	CHECK_SAYS(s, "{\"request\": \"limit\", \"prefix\": \"192.0.2.1\", \"rate\": 5}", "\"errno\":\"EINVAL\"");
	CHECK_SAYS(s, "{\"request\": \"top\"}", "\"connections\":5,\"denied\":4,\"prefix\":\"192.0.2.0/24\"");
	CHECK(number(s, "{\"request\": \"counters\"}", "daemon.denied") == 1, "daemon.denied");

	/* A new key; never shown. */
	before = fake_board_written(&s->board, HF_REG_COOKIE, &cookie[0]);
	CHECK_SAYS(s, "{\"request\": \"keys\", \"action\": \"rotate\"}", "\"rotated\":1");
	CHECK_EQ(fake_board_written(&s->board, HF_REG_COOKIE, &cookie[1]), before + 1, "writes of COOKIE");
	CHECK(cookie[0] != cookie[1], "the same key bit");
	snprintf(text, sizeof(text), "%08x", (unsigned)s->board.reg[HF_REG_KEY_COOKIE_B0 / 4]);
	CHECK(!strstr(ask(s, "{\"request\": \"status\"}"), text), "a key is shown");

	/* What goes by. */
	fd = dial(s->control, SOCK_STREAM);
	CHECK(strstr(ask_at(fd, "{\"request\": \"trace\", \"host\": \"192.0.2.1\", \"hex\": true}"), "\"ok\":true"),
		"trace");
	event_for(s, 0, 80, 0x10020, 1400);
	CHECK(strstr(line(fd), "\"what\":\"ESTABLISHED\""), "the event");
	CHECK(strstr(line(fd), "\"trace\":\"handoff\""), "the handoff");
	close(fd);
	service_end(s);
}

/* The board's table, read slot by slot. */
static void connections_are_listed(void)
{
	struct service *s = service_start(listeners);

	if (!s)
		return;
	/* The fake completes every DUMP with STALE: an empty table, of as many slots as it said. */
	s->board.command_status = HF_STATUS_STALE;
	CHECK_SAYS(s, "{\"request\": \"conns\", \"sort\": \"peer\"}", "\"conns\":[],\"total\":0");
	CHECK_EQ(commands(s, HF_COMMAND_DUMP), s->board.slots < FAKE_COMMANDS ? s->board.slots : FAKE_COMMANDS,
		"DUMP commands");
	service_end(s);
}

static const char *scrape(const struct service *s)
{
	static char text[1 << 18];
	size_t n = 0;
	ssize_t got;
	int fd = dial(s->metrics, SOCK_STREAM);

	CHECK(send(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 35, 0) == 35, "send");
	while ((got = recv(fd, text + n, sizeof(text) - 1 - n, 0)) > 0)
		n += (size_t)got;
	text[n] = 0;
	close(fd);
	return text;
}

static void metrics_are_scraped(void)
{
	/* SYN rate, mode and its last change, handoffs, failures by errno, time on offer, ACKs again, connections sent again, where from. */
	static const char *const names[] = { "handfast_listener_syn_rate{", "handfast_listener_mode{",
		"handfast_listener_mode_seconds{", "handfast_listener_established_total{",
		"handfast_handoff_errors_total", "handfast_hold_seconds_sum", "handfast_ack_again_total",
		"handfast_sent_again_total", "handfast_source_syns", "handfast_source_connections", "handfast_attack" };
	struct service *s = service_with_rules(listeners, 8, NULL);
	const char *text;
	int fd;

	if (!s)
		return;
	text = scrape(s);
	CHECK(!strncmp(text, "HTTP/1.0 200 OK\r\n", 17), "%.80s", text);
	CHECK(strstr(text, "\nhandfast_up 1\n"), "handfast_up");
	CHECK(strstr(text, "handfast_listener_mode{address=\"0.0.0.0\",port=\"80\",way=\"repair\"} 2\n"),
		"handfast_listener_mode");
	CHECK(strstr(text, "\nhandfast_board_rx_frames_total 0\n"), "a board counter");
	for (size_t i = 0; i < COUNT(names); i++)
		CHECK(strstr(text, names[i]) != NULL, "no metric %s", names[i]);
	fd = dial(s->metrics, SOCK_STREAM);
	CHECK(send(fd, "POST / HTTP/1.1\r\n\r\n", 19, 0) == 19, "send");
	CHECK(!strncmp(line(fd), "HTTP/1.0 405", 12), "POST");
	close(fd);
	service_end(s);
}

static void attacks_are_logged(void)
{
	struct service *s = service_start(listeners);

	if (!s)
		return;
	sleep(2); /* the first second has nothing to compare with */
	s->board.reg[HF_REG_COUNTER(HF_CNT_SYN_ACCEPTED) / 4] += 50000;
	CHECK(logged(s, "SYNs per second, more than 1000"), "no begin");
	CHECK(logged(s, "no more than 1000 SYNs per second"), "no end");
	service_end(s);
}

/* Clock ticks (of 10 ms) that the daemon has used. */
static long cpu_ticks(const struct service *s)
{
	char path[64], text[1024], *at;
	unsigned long user = 0, system = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)s->daemon);
	f = fopen(path, "re");
	at = f && fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	if (f)
		fclose(f);
	if (!at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		return -1;
	return (long)(user + system);
}

/* A loop that does not wait would use all of a processor, or half of it where others want it too. */
static void idle_costs_nothing(void)
{
	struct service *s = service_start(listeners);
	struct hf_listener *l;
	long before;

	if (!s)
		return;
	CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev));
	before = cpu_ticks(s);
	usleep(1500000);
	CHECK(before >= 0 && cpu_ticks(s) - before < 25, "%ld ticks of 150", cpu_ticks(s) - before);
	/* And without its board. */
	fake_board_stop(&s->board);
	CHECK(comes_to_say(s, "{\"request\": \"status\"}", "\"link\":\"lost\""), "the loss is not noticed");
	before = cpu_ticks(s);
	usleep(1500000);
	CHECK(before >= 0 && cpu_ticks(s) - before < 25, "without a board: %ld ticks of 150", cpu_ticks(s) - before);
	start_board(s);
	service_end(s);
}

static void a_board_that_was_lost_comes_back(void)
{
	struct service *s = service_start(listeners);
	struct hf_listener *l;
	int fd;

	if (!s)
		return;
	if (!CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev)))
		goto out;
	event_for(s, 0, 80, 0x10005, 1234);
	fd = hf_accept(l, NULL, WAIT_MS);
	CHECK(fd >= 0, "hf_accept: %d", fd);
	fake_board_stop(&s->board);
	CHECK(comes_to_say(s, "{\"request\": \"status\"}", "\"link\":\"lost\""), "the loss is not noticed");
	CHECK_SAYS(s, "{\"request\": \"listeners\"}", "\"reason\":\"board\"");
	CHECK_EQ(hf_stats(s->dev, (struct hf_stat[1]){ 0 }, 1), -ENODEV, "hf_stats meanwhile");
	start_board(s);
	CHECK(comes_to_say(s, "{\"request\": \"status\"}", "\"link\":\"up\""), "it is not back");
	/* The program still listens, and what it had goes on. */
	CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
	CHECK(write(fd, "hello", 5) == 5, "write");
	CHECK(fake_board_wait(&s->board, &s->board.frames, 1), "the old connection is mute");
	CHECK_BYTES("payload", s->board.frame[0].bytes + 66, 5, "hello", 5);
	close(fd);
	event_for(s, 0, 80, 0x10005, 1235);
	fd = hf_accept(l, NULL, WAIT_MS);
	if (CHECK(fd >= 0, "hf_accept after it: %d", fd))
		close(fd);
out:
	service_end(s);
}

/* SIGKILL, then an upgrade by SIGTERM: the netdev stays, and with it the connections. */
static void connections_survive_a_restart(void)
{
	struct service *s = service_start(listeners);
	struct hf_listener *l;
	uint32_t key[2];
	int fd;

	if (!s)
		return;
	for (int killed = 1; killed >= 0; killed--) {
		unsigned frames;

		if (!CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev)))
			break;
		event_for(s, 0, 80, 0x10005, (uint16_t)(1234 + killed));
		fd = hf_accept(l, NULL, WAIT_MS);
		if (!CHECK(fd >= 0, "hf_accept: %d", fd))
			break;
		key[0] = s->board.reg[HF_REG_KEY_INDEX0 / 4];
		if (killed) {
			kill(s->daemon, SIGKILL);
			waitpid(s->daemon, NULL, 0);
		} else {
			stop_daemon(s);
		}
		CHECK(if_nametoindex("hf0") != 0, "the netdev is gone");
		CHECK_EQ(hf_accept(l, NULL, WAIT_MS), -ENODEV, "hf_accept without a daemon");
		hf_listener_close(l);
		fake_board_stop(&s->board);
		start_board(s);
		if (!start_daemon(s))
			break;
		key[1] = s->board.reg[HF_REG_KEY_INDEX0 / 4];
		CHECK(key[0] != key[1], "the same key: 0x%08x", (unsigned)key[0]);
		frames = fake_board_count(&s->board, &s->board.frames);
		CHECK(write(fd, "hello", 5) == 5, "write");
		CHECK(fake_board_wait(&s->board, &s->board.frames, frames + 1), "the connection is mute");
		close(fd);
	}
	service_end(s);
}

/* What a child of a daemon that was killed has until its exec: the netdev, a listening socket. The next daemon waits for it. */
static void what_was_held_a_moment_longer(void)
{
	enum { LONGER_US = 100000 };
	struct service *s = service_start(listeners);
	struct ifreq ifr = { .ifr_name = "hf0", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int tap, sock, rc = -1;

	if (!s)
		return;
	kill(s->daemon, SIGKILL);
	waitpid(s->daemon, NULL, 0);
	tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	/* Perhaps such a child has it just now. */
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US && (rc = ioctl(tap, TUNSETIFF, &ifr)) && errno == EBUSY; i++)
		usleep(STEP_US);
	CHECK_EQ(rc, 0, "hold hf0");
	unlink(s->control);
	memcpy(addr.sun_path, s->control, strlen(s->control));
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(sock, (struct sockaddr *)&addr, sizeof(addr)) && !listen(sock, SOMAXCONN), "hold %s: %s",
		s->control, strerror(errno));
	fake_board_stop(&s->board);
	start_board(s);
	s->daemon = spawn(s, "--config", s->config, NULL);
	usleep(LONGER_US);
	close(tap);
	usleep(LONGER_US);
	close(sock);
	CHECK(wait_for_control(s), "handfastd does not start: see %s", s->log);
	service_end(s);
}

static void sighup_reads_the_config_again(void)
{
	struct service *s = service_start(listeners);

	if (!s)
		return;
	CHECK(!strstr(ask(s, "{\"request\": \"listeners\"}"), "\"port\":8088"), "a listener too many");
	write_config(s, "{ port = 80; way = \"repair\"; mode = \"bypass\"; }, { port = 8088; way = \"repair\"; mode = "
			"\"bypass\"; }");
	kill(s->daemon, SIGHUP);
	CHECK(comes_to_say(s, "{\"request\": \"listeners\"}", "\"port\":8088"), "it is not read");
	CHECK(!strstr(ask(s, "{\"request\": \"listeners\"}"), "\"port\":81"), "port 81 is still there");
	write_config(s, "{ port = 80; mode = ");
	CHECK_SAYS(s, "{\"request\": \"reload\"}", "\"errno\":\"EINVAL\"");
	CHECK_SAYS(s, "{\"request\": \"listeners\"}", "\"port\":8088");
	service_end(s);
}

/* ---- rules in the board, counts per listener, samples ---- */

#define DENY(prefix)	    "{\"request\": \"deny\", \"prefix\": \"" prefix "\", \"deny\": true}"
#define ALLOW(prefix)	    "{\"request\": \"deny\", \"prefix\": \"" prefix "\", \"deny\": false}"
#define LIMIT(prefix, rate) "{\"request\": \"limit\", \"prefix\": \"" prefix "\", \"rate\": " #rate "}"
#define RULES		    "{\"request\": \"rules\"}"

/* "4 192.0.2.1/128 1 burst 1": what the fake's entry holds, "-" if it is not valid. */
static const char *entry(struct service *s, unsigned index)
{
	static char text[4][96];
	static unsigned next;
	char *out = text[next++ % 4], host[INET6_ADDRSTRLEN];
	struct fake_rule r;
	uint32_t octets[4];

	pthread_mutex_lock(&s->board.lock);
	r = s->board.rule[index];
	pthread_mutex_unlock(&s->board.lock);
	for (unsigned i = 0; i < 4; i++)
		octets[i] = htonl(r.addr[3 - i]);
	inet_ntop(AF_INET6, octets, host, sizeof(host));
	snprintf(out, 96, r.valid ? "%s/%u rate %u burst %u" : "-", host, (unsigned)r.bits, (unsigned)r.rate,
		(unsigned)r.burst);
	return out;
}

static bool becomes_entry(struct service *s, unsigned index, const char *text)
{
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US; i++) {
		if (!strcmp(entry(s, index), text))
			return true;
		usleep(STEP_US);
	}
	return false;
}

#define CHECK_ENTRY(s, index, text) \
	CHECK(becomes_entry(s, index, text), "entry %d: %s, not %s", index, entry(s, index), text)

static void dropped_by(struct service *s, unsigned index, uint32_t more)
{
	pthread_mutex_lock(&s->board.lock);
	s->board.rule_drops[index] += more;
	pthread_mutex_unlock(&s->board.lock);
}

static void rules_go_into_the_board(void)
{
	struct service *s = service_with_rules(listeners, 2, NULL);
	struct hf_listener *l;

	if (!s)
		return;
	CHECK(!listen_at(s->dev, 80, 300, &l), "hf_listen: %s", hf_error(s->dev));
	CHECK_SAYS(s, RULES, "\"rules\":[],\"room\":2");
	s->board.rule_drops[0] = 0xfffffffe;
	CHECK_SAYS(s, LIMIT("2001:db8::/64", 50), "\"ok\":true");
	CHECK_ENTRY(s, 0, "2001:db8::/64 rate 50 burst 50");
	CHECK_SAYS(s, DENY("192.0.2.0/24"), "\"ok\":true");
	/* An IPv4 prefix is 96 bits longer: it goes first. */
	CHECK_ENTRY(s, 0, "::ffff:192.0.2.0/120 rate 0 burst 1");
	CHECK_ENTRY(s, 1, "2001:db8::/64 rate 50 burst 50");
	/* The longest decides: no longer denied, and, being in the board, not limited here again. */
	CHECK_SAYS(s, LIMIT("192.0.2.1/32", 1), "\"ok\":true");
	CHECK_ENTRY(s, 0, "::ffff:192.0.2.1/128 rate 1 burst 1");
	CHECK_ENTRY(s, 1, "::ffff:192.0.2.0/120 rate 0 burst 1");
	CHECK_SAYS(s, RULES, "\"prefix\":\"192.0.2.1/32\",\"deny\":false,\"rate\":1,\"hits\":0,\"where\":\"board\"");
	CHECK_SAYS(s, RULES,
		"\"prefix\":\"2001:db8::/64\",\"deny\":false,\"rate\":50,\"hits\":0,\"where\":\"host\",\"drops\":0,");
	CHECK_SAYS(s, "{\"request\": \"status\"}", "\"rules\":{\"room\":2,\"on_board\":2,\"on_host\":1}");
	for (uint16_t i = 0; i < 4; i++)
		event_for(s, 0, 80, 0x10006u + i, (uint16_t)(1300 + i));
	for (unsigned i = 0; i < 4; i++) {
		int fd = hf_accept(l, NULL, WAIT_MS);

		if (CHECK(fd >= 0, "connection %u: %d", i, fd))
			close(fd);
	}
	CHECK_EQ(aborts(s), 0, "connections refused");

	/* Drops are the rule's, over the wrap of the register, wherever it stands. */
	CHECK(strstr(scrape(s), "\nhandfast_rules{where=\"board\"} 2\nhandfast_rules{where=\"host\"} 1\n") != NULL,
		"metrics");
	dropped_by(s, 0, 7);
	CHECK(comes_to_say(s, RULES, "\"where\":\"board\",\"drops\":7,"), "%s", ask(s, RULES));
	CHECK(strstr(scrape(s), "\nhandfast_rule_drops_total{prefix=\"192.0.2.1/32\",where=\"board\"} 7\n") != NULL,
		"metrics");
	CHECK_SAYS(s, LIMIT("192.0.2.1/32", 0), "\"ok\":true");
	CHECK_ENTRY(s, 0, "::ffff:192.0.2.0/120 rate 0 burst 1");
	CHECK_ENTRY(s, 1, "2001:db8::/64 rate 50 burst 50");
	dropped_by(s, 0, 5);
	CHECK(comes_to_say(s, RULES, "\"deny\":true,\"rate\":0,\"hits\":0,\"where\":\"board\",\"drops\":5,"), "%s",
		ask(s, RULES));
	/* A handshake that was under way when its prefix was denied. */
	event_for(s, 0, 80, 0x10020, 1400);
	CHECK(reaches(s, aborts, 1), "a denied peer is not refused");
	CHECK_SAYS(s, RULES, "\"hits\":1,\"where\":\"board\",\"drops\":6,");

	/* ::/0 holds IPv4 in the board: it stays here. */
	CHECK_SAYS(s, LIMIT("2001:db8::/64", 0), "\"ok\":true");
	CHECK_SAYS(s, DENY("::/0"), "\"ok\":true");
	CHECK_SAYS(s, RULES, "\"prefix\":\"::/0\",\"deny\":true,\"rate\":0,\"hits\":0,\"where\":\"host\"");
	CHECK_ENTRY(s, 1, "-");
	CHECK_SAYS(s, ALLOW("::/0"), "\"ok\":true");
	/* More than a second's worth at once the board cannot. */
	CHECK_SAYS(s, LIMIT("198.51.100.0/25", 1000000000), "\"ok\":true");
	CHECK_ENTRY(s, 0, "::ffff:198.51.100.0/121 rate 16777215 burst 1023");
	service_end(s);
}

/* Index of the last write of that value to a register; -1: none. */
static int last_write(struct service *s, uint32_t offset, uint32_t mask, uint32_t value)
{
	int at = -1;

	pthread_mutex_lock(&s->board.lock);
	for (unsigned i = 0; i < s->board.writes; i++) {
		if (s->board.write[i].offset == offset && (s->board.write[i].value & mask) == value)
			at = (int)i;
	}
	pthread_mutex_unlock(&s->board.lock);
	return at;
}

static void rules_survive_the_board(void)
{
	struct service *s = service_with_rules(listeners, 4, NULL);
	uint32_t valid = 1u << HF_RULE_COMMIT_VALID_LOW;
	unsigned writes;

	if (!s)
		return;
	CHECK_SAYS(s, DENY("198.51.100.0/24"), "\"ok\":true");
	CHECK_SAYS(s, LIMIT("203.0.113.0/24", 9), "\"ok\":true");
	CHECK_ENTRY(s, 1, "::ffff:203.0.113.0/120 rate 9 burst 9");

	/* A reset: they are there before the engine runs again. */
	pthread_mutex_lock(&s->board.lock);
	memset(s->board.rule, 0, sizeof(s->board.rule));
	writes = s->board.writes;
	fake_board_hello(&s->board);
	pthread_mutex_unlock(&s->board.lock);
	CHECK_ENTRY(s, 0, "::ffff:198.51.100.0/120 rate 0 burst 1");
	CHECK_ENTRY(s, 1, "::ffff:203.0.113.0/120 rate 9 burst 9");
	CHECK_ENTRY(s, 2, "-");
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US && last_write(s, HF_REG_CTRL, ~0u, 1) < (int)writes; i++)
		usleep(STEP_US);
	CHECK(last_write(s, HF_REG_RULE_COMMIT, ~0u, valid | 1) > (int)writes &&
			last_write(s, HF_REG_RULE_COMMIT, ~0u, valid | 1) < last_write(s, HF_REG_CTRL, ~0u, 1),
		"the engine ran without them");
	/* And samples are asked for again. */
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US && last_write(s, HF_REG_SAMPLE, ~0u, 1) < (int)writes; i++)
		usleep(STEP_US);
	CHECK(last_write(s, HF_REG_SAMPLE, ~0u, 1) > (int)writes, "no samples after a reset");

	/* Loss, and another board with room for one. */
	fake_board_stop(&s->board);
	CHECK(comes_to_say(s, "{\"request\": \"status\"}", "\"link\":\"lost\""), "the loss is not noticed");
	CHECK_SAYS(s, RULES, "\"room\":0");
	CHECK(!strstr(ask(s, RULES), "\"where\":\"board\""), "a rule in a board that is lost");
	s->board_rules = 1;
	start_board(s);
	CHECK(comes_to_say(s, "{\"request\": \"status\"}", "\"rules\":{\"room\":1,\"on_board\":1,\"on_host\":1}"), "%s",
		ask(s, "{\"request\": \"status\"}"));
	CHECK_ENTRY(s, 0, "::ffff:198.51.100.0/120 rate 0 burst 1");

	/* One that refuses: they act here, and it is tried again. */
	pthread_mutex_lock(&s->board.lock);
	s->board.refused_offset = HF_REG_RULE_COMMIT;
	pthread_mutex_unlock(&s->board.lock);
	CHECK_SAYS(s, DENY("198.51.100.7/32"), "\"ok\":true");
	CHECK_SAYS(s, "{\"request\": \"status\"}", "\"on_board\":0,\"on_host\":3");
	pthread_mutex_lock(&s->board.lock);
	s->board.refused_offset = UINT32_MAX;
	pthread_mutex_unlock(&s->board.lock);
	CHECK_ENTRY(s, 0, "::ffff:198.51.100.7/128 rate 0 burst 1");
	CHECK(comes_to_say(s, "{\"request\": \"status\"}", "\"on_board\":1,\"on_host\":2"), "not tried again");
	service_end(s);
}

static void rules_of_the_config(void)
{
	static const char first[] =
		"{ prefix = \"198.51.100.0/24\"; deny = true; }, { prefix = \"2001:db8:bad::/48\"; limit = 5; }";
	struct service *s = service_with_rules(listeners, 8, first);

	if (!s)
		return;
	CHECK_ENTRY(s, 0, "::ffff:198.51.100.0/120 rate 0 burst 1");
	CHECK_ENTRY(s, 1, "2001:db8:bad::/48 rate 5 burst 5");
	CHECK_SAYS(s, RULES, "\"config\":true");
	/* By command: another one, and without one of the config's, until it is read again. */
	CHECK_SAYS(s, DENY("203.0.113.7/32"), "\"ok\":true");
	CHECK_SAYS(s, ALLOW("198.51.100.0/24"), "\"ok\":true");
	CHECK_ENTRY(s, 0, "::ffff:203.0.113.7/128 rate 0 burst 1");
	CHECK_ENTRY(s, 1, "2001:db8:bad::/48 rate 5 burst 5");
	CHECK_SAYS(s, "{\"request\": \"reload\"}", "\"ok\":true");
	CHECK_ENTRY(s, 1, "::ffff:198.51.100.0/120 rate 0 burst 1");
	CHECK_ENTRY(s, 2, "2001:db8:bad::/48 rate 5 burst 5");
	s->config_rules = "{ prefix = \"2001:db8:bad::/48\"; limit = 6; }";
	write_config(s, listeners);
	CHECK_SAYS(s, "{\"request\": \"reload\"}", "\"ok\":true");
	CHECK_ENTRY(s, 0, "::ffff:203.0.113.7/128 rate 0 burst 1");
	CHECK_ENTRY(s, 1, "2001:db8:bad::/48 rate 6 burst 6");
	CHECK_ENTRY(s, 2, "-");
	s->config_rules = "{ prefix = \"2001:db8:bad::/48\"; }";
	write_config(s, listeners);
	CHECK_SAYS(s, "{\"request\": \"reload\"}", "a rule needs deny = true or a 'limit'");
	s->config_rules = "{ prefix = \"2001:db8:bad::\"; deny = true; }";
	write_config(s, listeners);
	CHECK_SAYS(s, "{\"request\": \"reload\"}", "a rule needs a 'prefix'");
	CHECK_ENTRY(s, 1, "2001:db8:bad::/48 rate 6 burst 6");
	/* After a restart there is what the config has. */
	s->config_rules = first;
	write_config(s, listeners);
	stop_daemon(s);
	hf_close(s->dev);
	s->dev = NULL;
	fake_board_stop(&s->board);
	start_board(s);
	if (start_daemon(s)) {
		CHECK_ENTRY(s, 0, "::ffff:198.51.100.0/120 rate 0 burst 1");
		CHECK_ENTRY(s, 1, "2001:db8:bad::/48 rate 5 burst 5");
		CHECK_ENTRY(s, 2, "-");
	}
	service_end(s);
}

static void add_syns(struct service *s, unsigned listener, uint32_t more)
{
	pthread_mutex_lock(&s->board.lock);
	s->board.listen_syns[listener] += more;
	pthread_mutex_unlock(&s->board.lock);
}

/* Once a second each offloaded listener's count is read: wait until that has happened `least` times more. */
static bool counts_are_read(struct service *s, unsigned least)
{
	unsigned before = fake_board_written(&s->board, HF_REG_LISTEN_SELECT, NULL);

	for (unsigned i = 0; i < (WAIT_MS + 1000 * least) * 1000 / STEP_US; i++) {
		if (fake_board_written(&s->board, HF_REG_LISTEN_SELECT, NULL) >= before + least)
			return true;
		usleep(STEP_US);
	}
	return false;
}

static void syns_are_counted_per_listener(void)
{
	struct service *s = service_with_rules(listeners, 1, NULL);
	struct hf_listener *l, *other;

	if (!s)
		return;
	s->board.listen_syns[0] = 0xffffff00;
	CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev));
	CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
	/* The first reading is what the others are compared with. */
	CHECK(counts_are_read(s, 2), "nobody asks for LISTEN_SYNS");
	add_syns(s, 0, 0x200);
	CHECK(comes_to_say(s, "{\"request\": \"listeners\"}", "\"syns\":512,"), "%s",
		ask(s, "{\"request\": \"listeners\"}"));
	CHECK_SAYS(s, "{\"request\": \"listeners\"}", "\"attack\":false,\"attack_changed_ms\":null");
	add_syns(s, 0, 50000);
	CHECK(logged(s, "port 80: 50000 SYNs per second, more than 1000"), "no begin");
	CHECK(logged(s, "port 80: no more than 1000 SYNs per second"), "no end");
	CHECK(logged(s, "50000 per second at most"), "no peak");
	CHECK_SAYS(s, "{\"request\": \"listeners\"}", "\"syns\":50512,");
	CHECK(number(s, "{\"request\": \"listeners\"}", "attack_changed_ms") >= 0, "no age");
	CHECK(strstr(scrape(s),
		      "handfast_listener_syns_total{address=\"0.0.0.0\",port=\"80\",way=\"repair\"} 50512\n") != NULL,
		"metrics");
	CHECK_SAYS(s, "{\"request\": \"status\"}", "\"listeners\":[{\"address\":\"0.0.0.0\",\"port\":80,\"syn\":");
	/* Two listeners: each has its own. */
	CHECK(!listen_at(s->dev, 81, 4, &other), "hf_listen: %s", hf_error(s->dev));
	CHECK(becomes_mode(s, 1, OFFLOAD), "mode %d", committed_mode(s, 1));
	CHECK(counts_are_read(s, 4), "nobody asks for LISTEN_SYNS");
	add_syns(s, 1, 30000);
	CHECK(logged(s, "port 81: 30000 SYNs per second, more than 1000"), "no begin");
	CHECK(!strstr(ask(s, "{\"request\": \"listeners\"}"), "\"syns\":80512"), "counted for the other");
	/* After a reset the board begins at 0. */
	CHECK(logged(s, "port 81: no more than 1000 SYNs per second"), "no end");
	pthread_mutex_lock(&s->board.lock);
	s->board.listen_syns[0] = s->board.listen_syns[1] = 3;
	fake_board_hello(&s->board);
	pthread_mutex_unlock(&s->board.lock);
	CHECK(comes_to_say(s, "{\"request\": \"listeners\"}", "\"syns\":50515,"), "%s",
		ask(s, "{\"request\": \"listeners\"}"));
	CHECK_SAYS(s, "{\"request\": \"listeners\"}", "\"syns\":30003,");
	service_end(s);
}

static void sample_from(struct service *s, uint32_t addr, uint16_t port, unsigned cause)
{
	uint8_t msg[128];

	event_message(msg, &(struct fake_event){ .id = HF_NO_ID, .remote_port = port, .code = HF_EVENT_SAMPLE });
	MSG_PUT(msg, EVENT, state, HF_STATE_LISTEN);
	MSG_PUT(msg, EVENT, mss, cause);
	MSG_PUT(msg, EVENT, local_port, 80);
	put32(msg + HF_AT_EVENT_remote_addr + 12, addr);
	fake_board_send(&s->board, msg, sizeof(msg));
}

static void samples_tell_where_from(void)
{
	struct service *s = service_with_rules(listeners, 1, NULL);
	const uint32_t peer = 0xc6336407; /* 198.51.100.7 */
	struct hf_listener *l;
	const char *said;
	int fd;

	if (!s)
		return;
	CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev));
	CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
	/* Few SYNs: each is shown. */
	CHECK_EQ(last_write(s, HF_REG_SAMPLE, ~0u, 1) >= 0, 1, "SAMPLE is 1");
	fd = dial(s->control, SOCK_STREAM);
	CHECK(strstr(ask_at(fd, "{\"request\": \"trace\", \"host\": \"198.51.100.7\"}"), "\"ok\":true"), "trace");
	for (unsigned i = 0; i < 5; i++)
		sample_from(s, peer, (uint16_t)(1000 + i), i < 2 ? HF_CAUSE_BACKLOG : HF_CAUSE_NONE);
	said = line(fd);
	CHECK(strstr(said, "\"what\":\"SAMPLE\"") && strstr(said, "\"cause\":\"BACKLOG\",\"every\":1,") &&
			strstr(said, "\"remote\":\"198.51.100.7:1000\""),
		"%s", said);
	close(fd);
	CHECK(comes_to_say(s, "{\"request\": \"top\"}", "\"prefix\":\"198.51.100.0/24\",\"syns\":5,"), "%s",
		ask(s, "{\"request\": \"top\"}"));
	CHECK_SAYS(s, "{\"request\": \"top\"}", "\"syns_dropped\":2}");
	CHECK_SAYS(s, "{\"request\": \"top\"}", "\"samples\":5,\"syns\":5,\"every\":1");
	CHECK(strstr(scrape(s), "\nhandfast_source_syns{prefix=\"198.51.100.0/24\"} 5\n") != NULL, "metrics");

	/* A flood begins: more than should come within a second raise N at once. */
	for (unsigned i = 0; i < 300; i++)
		sample_from(s, peer + 256 * (i % 3), (uint16_t)i, HF_CAUSE_SOURCE_LIMITED);
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US && last_write(s, HF_REG_SAMPLE, ~0u, 16) < 0; i++)
		usleep(STEP_US);
	CHECK(last_write(s, HF_REG_SAMPLE, ~0u, 16) >= 0, "N is not raised");

	/* And the board's count decides: during an attack 80 in a second. */
	CHECK(counts_are_read(s, 2), "nobody asks for LISTEN_SYNS");
	add_syns(s, 0, 80000);
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US && last_write(s, HF_REG_SAMPLE, ~0u, 1000) < 0; i++)
		usleep(STEP_US);
	CHECK(last_write(s, HF_REG_SAMPLE, ~0u, 1000) >= 0, "N does not follow the rate");
	/* Connections, completed, are beside them. */
	event_for(s, 0, 80, 0x10005, 1234);
	fd = hf_accept(l, NULL, WAIT_MS);
	if (CHECK(fd >= 0, "hf_accept: %d", fd))
		close(fd);
	CHECK_SAYS(
		s, "{\"request\": \"top\"}", "\"connections\":1,\"denied\":0,\"prefix\":\"192.0.2.0/24\",\"syns\":0,");
	service_end(s);
}

/* A board that sends what it likes: nothing is believed, everything is bounded. */
static void wild_samples_do_no_harm(void)
{
	struct service *s = service_with_rules(listeners, 1, NULL);
	unsigned rows = 0, unknown = 0, bad = 0;
	uint64_t seed = 1;
	uint8_t msg[128];

	if (!s)
		return;
	for (unsigned n = 0; n < 20000; n++) {
		for (unsigned i = 0; i < sizeof(msg); i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			msg[i] = (uint8_t)(seed >> 56);
		}
		MSG_PUT(msg, HEADER, type, HF_MSG_EVENT);
		MSG_PUT(msg, HEADER, length, sizeof(msg));
		MSG_PUT(msg, EVENT, code, n % 10 ? HF_EVENT_SAMPLE : 100);
		unknown += !(n % 10);
		/* Half of them look better: IPv4, of the right state, a cause that may be one. */
		if (n & 1) {
			memcpy(msg + HF_AT_EVENT_remote_addr, (const uint8_t[12]){ [10] = 0xff, [11] = 0xff }, 12);
			memcpy(msg + HF_AT_EVENT_local_addr, (const uint8_t[12]){ [10] = 0xff, [11] = 0xff }, 12);
			MSG_PUT(msg, EVENT, state, HF_STATE_LISTEN);
			MSG_PUT(msg, EVENT, mss, msg[HF_AT_EVENT_mss] & 31);
			msg[HF_AT_EVENT_listener] &= 15;
		}
		/* Of the others none is right by chance; of these, the ones from or to no host, or of a cause there is not. */
		bad += n % 10 &&
		       (!(n & 1) || MSG_GET(msg, EVENT, mss) > HF_CAUSE_SOURCE_LIMITED ||
			       msg[HF_AT_EVENT_remote_addr + 12] >= 224 || msg[HF_AT_EVENT_local_addr + 12] >= 224);
		fake_board_send(&s->board, msg, sizeof(msg));
	}
	for (unsigned i = 0; i < WAIT_MS / 10 &&
			     number(s, "{\"request\": \"counters\"}", "host.unknown_events") < (long long)unknown;
		i++)
		usleep(10000);
	CHECK_EQ(number(s, "{\"request\": \"counters\"}", "host.unknown_events"), unknown, "unknown_events");
	CHECK_EQ(number(s, "{\"request\": \"counters\"}", "host.bad_events"), bad, "bad_events");
	CHECK_EQ(number(s, "{\"request\": \"top\"}", "samples"), 18000 - bad, "samples");
	for (const char *at = ask(s, "{\"request\": \"top\"}"); (at = strstr(at, "\"prefix\":")) != NULL; at++)
		rows++;
	CHECK(rows > 0 && rows <= 32, "%u sources", rows);
	CHECK_SAYS(s, "{\"request\": \"status\"}", "\"link\":\"up\"");
	CHECK(last_write(s, HF_REG_SAMPLE, ~0u, 1) >= 0, "SAMPLE");
	service_end(s);
}

static void system_loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(!ioctl(sock, SIOCSIFFLAGS, &ifr), "loopback: %s", strerror(errno));
	close(sock);
}

/* A persistent TAP, that nobody has open. */
static void remove_netdev(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	CHECK(!ioctl(tun, TUNSETIFF, &ifr) && !ioctl(tun, TUNSETPERSIST, 0UL), "remove %s: %s", name, strerror(errno));
	close(tun);
	CHECK(!if_nametoindex(name), "%s is still there", name);
}

/* ---- programs that know nothing ---- */

/* What runs under libhandfast-preload.so: this program again, `--program HOW READY-FD`. It listens on port 81 (HOW "other": 9999), takes
 * two connections in its way, greets each, ends with 0; another number is the line of what went wrong. */
#define NEED(ok)                                   \
	do {                                       \
		if (!(ok))                         \
			_exit(__LINE__ % 251 + 1); \
	} while (0)

/* `set` (-1: none): a set of epoll that it is in before it listens. */
static int plain_listener(uint16_t port, int set, uint32_t events)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct epoll_event e = { .events = events, .data.u64 = 0x123456789abcdefull };

	NEED(fd >= 0);
	NEED(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	NEED(!setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	NEED(!setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	NEED(!bind(fd, (struct sockaddr *)&any, sizeof(any)));
	NEED(set < 0 || !epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
	NEED(!listen(fd, 16));
	NEED(!listen(fd, 32)); /* again is allowed */
	return fd;
}

/* It looks like the listening socket that it is not. */
static void looks_right(int fd, uint16_t port)
{
	static const int want[][2] = { { SO_DOMAIN, AF_INET }, { SO_TYPE, SOCK_STREAM }, { SO_PROTOCOL, IPPROTO_TCP },
		{ SO_ACCEPTCONN, 1 } };
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	int value;

	NEED(!getsockname(fd, (struct sockaddr *)&name, &len) && len == sizeof(name));
	NEED(name.sin_family == AF_INET && ntohs(name.sin_port) == port && !name.sin_addr.s_addr);
	NEED(getpeername(fd, (struct sockaddr *)&name, &len) < 0 && errno == ENOTCONN);
	for (size_t i = 0; i < COUNT(want); i++) {
		len = sizeof(value);
		NEED(!getsockopt(fd, SOL_SOCKET, want[i][0], &value, &len) && value == want[i][1]);
	}
	NEED(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void wait_readable(int fd, const char *how, int epoll)
{
	struct pollfd p = { fd, POLLIN, 0 };
	struct epoll_event e;
	fd_set set;

	if (!strcmp(how, "poll")) {
		NEED(poll(&p, 1, WAIT_MS) == 1 && p.revents == POLLIN);
	} else if (!strcmp(how, "select")) {
		struct timeval limit = { WAIT_MS / 1000, 0 };

		FD_ZERO(&set);
		FD_SET(fd, &set);
		NEED(select(fd + 1, &set, NULL, NULL, &limit) == 1);
	} else {
		NEED(epoll_wait(epoll, &e, 1, WAIT_MS) == 1 && e.events == EPOLLIN);
	}
}

static void greet(int fd, int flags)
{
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	int on = 0;

	NEED(fd >= 0);
	NEED(!getpeername(fd, (struct sockaddr *)&name, &len) && ntohl(name.sin_addr.s_addr) == PEER_ADDR);
	len = sizeof(name);
	NEED(!getsockname(fd, (struct sockaddr *)&name, &len) && ntohs(name.sin_port) == 81);
	NEED(!!(fcntl(fd, F_GETFD) & FD_CLOEXEC) == !!(flags & SOCK_CLOEXEC));
	NEED(!!(fcntl(fd, F_GETFL) & O_NONBLOCK) == !!(flags & SOCK_NONBLOCK));
	/* What the listener had, the connection has. */
	len = sizeof(on);
	NEED(!getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len) && on);
	NEED(write(fd, "hello", 5) == 5);
	NEED(!close(fd));
}

static void accept_in_a_loop(int fd, const char *how)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), n = 0;
	struct epoll_event e = { .events = EPOLLIN | (!strcmp(how, "edge") ? EPOLLET : 0) };

	NEED(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e));
	while (n < 2) {
		int got;

		wait_readable(fd, how, epoll);
		/* Edge-triggered: until there is none. */
		while ((got = accept4(fd, NULL, NULL, n ? SOCK_NONBLOCK | SOCK_CLOEXEC : 0)) >= 0)
			greet(got, n++ ? SOCK_NONBLOCK | SOCK_CLOEXEC : 0);
		NEED(errno == EAGAIN);
	}
}

static void loopback_connects(int fd, uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};

	NEED(fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

/* It was in two sets of epoll before it listened, and has options set afterwards. */
static int late_program(int ready)
{
	int level = epoll_create1(EPOLL_CLOEXEC), copy = dup(level), edge = epoll_create1(EPOLL_CLOEXEC), on = 1, got,
	    value;
	struct timeval limit = { 0, 20000 };
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u64 = 7 };
	socklen_t len = sizeof(value);
	int fd = plain_listener(81, level, EPOLLIN);

	NEED(copy >= 0 && !epoll_ctl(edge, EPOLL_CTL_ADD, fd, &e));
	NEED(!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	NEED(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	NEED(accept(fd, NULL, NULL) < 0 && errno == EAGAIN); /* 20 ms later */
	NEED(write(ready, "", 1) == 1);
	for (int i = 0; i < 2; i++) {
		NEED(epoll_wait(level, &e, 1, WAIT_MS) == 1 && e.events == EPOLLIN &&
			e.data.u64 == 0x123456789abcdefull);
		/* Both may have come by now. */
		NEED(i || (epoll_wait(edge, &e, 1, WAIT_MS) == 1 && e.data.u64 == 7));
		got = accept(fd, NULL, NULL);
		NEED(got >= 0 && !getsockopt(got, IPPROTO_TCP, TCP_NODELAY, &value, &len) && value);
		greet(got, 0);
	}
	/* Once only, although the set had two numbers. */
	NEED(!epoll_ctl(level, EPOLL_CTL_DEL, fd, NULL) && epoll_ctl(copy, EPOLL_CTL_DEL, fd, NULL) && errno == ENOENT);
	return 0;
}

/* Its daemon goes and another comes. Three times it says that it is so far. */
static int orphan_program(int ready)
{
	int set = epoll_create1(EPOLL_CLOEXEC), fd = plain_listener(81, set, EPOLLIN), got, said = 0;
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	struct epoll_event e;

	NEED(!fcntl(fd, F_SETFL, O_NONBLOCK));
	NEED(write(ready, "", 1) == 1);
	NEED(epoll_wait(set, &e, 1, WAIT_MS) == 1);
	greet(accept(fd, NULL, NULL), 0);
	NEED(write(ready, "", 1) == 1);
	/* It is gone: a socket of the kernel's, in the same set. */
	NEED(epoll_wait(set, &e, 1, WAIT_MS) == 1 && accept(fd, NULL, NULL) < 0 && errno == EAGAIN);
	looks_right(fd, 81);
	for (unsigned i = 0; i < WAIT_MS / 10; i++) {
		int c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		loopback_connects(c, 81);
		/* The killed process's socket is closed after its channel: till then it may get the connection, which ends with it. */
		if (epoll_wait(set, &e, 1, AGAIN_MS) != 1) {
			close(c);
			continue;
		}
		NEED(e.data.u64 == 0x123456789abcdefull);
		/* The first time that the new daemon has it, the connection takes the way through that. */
		while ((got = accept(fd, (struct sockaddr *)&peer, &len)) < 0 && errno == EAGAIN)
			NEED(epoll_wait(set, &e, 1, WAIT_MS) == 1);
		NEED(got >= 0);
		if (ntohl(peer.sin_addr.s_addr) == PEER_ADDR) {
			greet(got, 0);
			return 0;
		}
		close(c);
		close(got);
		if (!said++)
			NEED(write(ready, "", 1) == 1);
		usleep(10000);
	}
	NEED(false);
	return 0;
}

static int program(int argc, char **argv)
{
	const char *how = argv[2];
	int ready = atoi(argv[3]), fd, status;
	bool other = !strcmp(how, "other");
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	if (!strcmp(how, "late"))
		return late_program(ready);
	if (!strcmp(how, "orphan"))
		return orphan_program(ready);
	fd = argc > 4 ? atoi(argv[4]) : plain_listener(other ? 9999 : 81, -1, 0);
	if (!strcmp(how, "exec") && argc == 4) {
		char number[16];

		NEED(!fcntl(fd, F_SETFD, 0));
		snprintf(number, sizeof(number), "%d", fd);
		execl("/proc/self/exe", argv[0], argv[1], argv[2], argv[3], number, (char *)NULL);
		NEED(false);
	}
	if (argc > 4)
		NEED(!fcntl(fd, F_SETFD, FD_CLOEXEC));
	looks_right(fd, other ? 9999 : 81);
	if (!strcmp(how, "dup")) {
		int copy = dup(fd);

		NEED(!close(fd));
		fd = copy;
	}
	if (!strcmp(how, "poll") || !strcmp(how, "select") || !strcmp(how, "level") || !strcmp(how, "edge")) {
		NEED(!fcntl(fd, F_SETFL, O_NONBLOCK));
		NEED(accept(fd, NULL, NULL) < 0 && errno == EAGAIN);
	}
	NEED(write(ready, "", 1) == 1);
	if (other) {
		/* Not for the board: a plain socket, over loopback. */
		loopback_connects(socket(AF_INET, SOCK_STREAM, 0), 9999);
		NEED(accept(fd, (struct sockaddr *)&peer, &len) >= 0 && ntohl(peer.sin_addr.s_addr) == INADDR_LOOPBACK);
		return 0;
	}
	if (!strcmp(how, "fork")) {
		pid_t pid = fork();

		if (!pid)
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		greet(accept(fd, NULL, NULL), 0);
		if (!pid)
			_exit(0);
		NEED(waitpid(pid, &status, 0) == pid && !status);
		return 0;
	}
	if (!strcmp(how, "poll") || !strcmp(how, "select") || !strcmp(how, "level") || !strcmp(how, "edge")) {
		accept_in_a_loop(fd, how);
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		len = sizeof(peer);
		status = accept(fd, (struct sockaddr *)&peer, &len);
		NEED(len == sizeof(peer) && ntohl(peer.sin_addr.s_addr) == PEER_ADDR);
		greet(status, 0);
	}
	return 0;
}

/* This program as one of those. *ready: a byte for each time it says so. */
static pid_t start_program(const struct service *s, const char *how, int *ready)
{
	char preload[4200], number[16];
	int ends[2];
	pid_t pid;

	snprintf(preload, sizeof(preload), "%s", handfastd);
	snprintf(preload + strlen(preload) - strlen("handfastd"), 64, "libhandfast-preload.so");
	CHECK(!access(preload, R_OK), "%s: %s", preload, strerror(errno));
	CHECK(!pipe2(ends, 0), "pipe");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("LD_PRELOAD", preload, 1);
		setenv("HANDFAST_SOCKET", s->socket, 1);
		close(ends[0]);
		snprintf(number, sizeof(number), "%d", ends[1]);
		execl("/proc/self/exe", "test_daemon", "--program", how, number, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*ready = ends[0];
	return pid;
}

static void programs_that_know_nothing(void)
{
	static const char *const ways[] = { "accept", "poll", "select", "level", "edge", "dup", "fork", "exec", "late",
		"other" };
	struct service *s = service_start(listeners);
	uint16_t port = 1500;
	char c;

	if (!s)
		return;
	system_loopback_up();
	for (size_t i = 0; i < COUNT(ways); i++) {
		unsigned frames = fake_board_count(&s->board, &s->board.frames);
		bool other = !strcmp(ways[i], "other");
		int ready, status = -1;
		pid_t pid = start_program(s, ways[i], &ready);

		CHECK(read(ready, &c, 1) == 1, "%s: it does not listen", ways[i]);
		if (!other) {
			CHECK(becomes_mode(s, 1, OFFLOAD), "%s: mode %d", ways[i], committed_mode(s, 1));
			for (unsigned n = 0; n < 2; n++, port++)
				event_for(s, 1, 81, 0x10000u | port % 64, port);
		}
		for (unsigned t = 0; t < WAIT_MS * 1000 / STEP_US && !waitpid(pid, &status, WNOHANG); t++)
			usleep(STEP_US);
		if (status == -1)
			kill(pid, SIGKILL);
		CHECK(status == 0, "%s: status 0x%x: line %% 251 = %d", ways[i], status, WEXITSTATUS(status) - 1);
		if (!other) {
			CHECK(fake_board_wait(&s->board, &s->board.frames, frames + 2), "%s: no greetings", ways[i]);
			CHECK(becomes_mode(s, 1, BYPASS), "%s: mode %d", ways[i], committed_mode(s, 1));
		}
		close(ready);
	}
	service_end(s);
}

/* A daemon that is killed leaves its programs with sockets of the kernel's, and the next one gets them back. */
static void programs_outlive_their_daemon(void)
{
	struct service *s = service_start(listeners);
	int ready, status = -1;
	pid_t pid;
	char c;

	if (!s)
		return;
	system_loopback_up();
	fake_board_switch(&s->board, &s->board.serve_again, true);
	pid = start_program(s, "orphan", &ready);
	CHECK(read(ready, &c, 1) == 1 && becomes_mode(s, 1, OFFLOAD), "it does not listen");
	event_for(s, 1, 81, 0x10005, 1600);
	CHECK(read(ready, &c, 1) == 1, "it does not accept");
	hf_close(s->dev);
	s->dev = NULL;
	kill(s->daemon, SIGKILL);
	waitpid(s->daemon, NULL, 0);
	CHECK(read(ready, &c, 1) == 1, "it does not accept without a daemon");
	pthread_mutex_lock(&s->board.lock);
	s->board.writes = 0;
	pthread_mutex_unlock(&s->board.lock);
	if (start_daemon(s) && CHECK(becomes_mode(s, 1, OFFLOAD), "the next daemon does not get it"))
		event_for(s, 1, 81, 0x10006, 1601);
	for (unsigned t = 0; t < WAIT_MS * 1000 / STEP_US && !waitpid(pid, &status, WNOHANG); t++)
		usleep(STEP_US);
	if (status == -1)
		kill(pid, SIGKILL);
	CHECK(status == 0, "status 0x%x: line %% 251 = %d", status, WEXITSTATUS(status) - 1);
	close(ready);
	service_end(s);
}

/* ---- systemd ---- */

/* The service manager: its side of sd_notify, and what it keeps by name. */
struct manager {
	struct sockaddr_un addr;
	int sock;
	struct {
		char name[32];
		int fd;
	} kept[16];
	unsigned count;
};

static void manager_open(struct manager *m, const struct service *s)
{
	*m = (struct manager){ .addr.sun_family = AF_UNIX, .sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	snprintf(m->addr.sun_path, sizeof(m->addr.sun_path), "%s/notify", s->dir);
	CHECK(!bind(m->sock, (struct sockaddr *)&m->addr, sizeof(m->addr)), "bind: %s", strerror(errno));
}

static void manager_forgets(struct manager *m, const char *name)
{
	for (unsigned i = 0; i < m->count; i++) {
		if (!strcmp(m->kept[i].name, name)) {
			close(m->kept[i].fd);
			m->kept[i--] = m->kept[--m->count];
		}
	}
}

static void manager_close(struct manager *m)
{
	while (m->count)
		manager_forgets(m, m->kept[0].name);
	close(m->sock);
	unlink(m->addr.sun_path);
}

/* Take what it is told, until READY=1 (`ready`), or else until there is nothing now. False: READY=1 did not come. */
static bool manager_listens(struct manager *m, bool ready)
{
	for (;;) {
		struct pollfd p = { m->sock, POLLIN, 0 };
		char text[512], *name;
		bool lost;
		int fd, n;

		if (poll(&p, 1, ready ? WAIT_MS : 0) != 1)
			return !ready;
		n = ipc_receive(m->sock, text, sizeof(text) - 1, &fd, &lost);
		text[n > 0 ? n : 0] = 0;
		name = strstr(text, "FDNAME=");
		if (name)
			name[7 + strcspn(name + 7, "\n")] = 0;
		if (name && strstr(text, "FDSTOREREMOVE=1"))
			manager_forgets(m, name + 7);
		if (fd >= 0 && name && strstr(text, "FDSTORE=1") && m->count < COUNT(m->kept)) {
			manager_forgets(m, name + 7);
			snprintf(m->kept[m->count].name, sizeof(m->kept[0].name), "%s", name + 7);
			m->kept[m->count++].fd = fd;
		} else if (fd >= 0) {
			close(fd);
		}
		if (strstr(text, "READY=1"))
			ready = false;
	}
}

static bool manager_has(const struct manager *m, const char *name)
{
	for (unsigned i = 0; i < m->count; i++) {
		if (!strcmp(m->kept[i].name, name))
			return true;
	}
	return false;
}

/* As systemd starts a service: NOTIFY_SOCKET, and what it had kept, the last first. */
static pid_t start_managed(const struct service *s, const struct manager *m)
{
	enum { CLEAR_OF = 64 };
	pid_t pid = fork();

	if (pid)
		return pid;
	char number[16], names[512] = "";
	int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(log, STDERR_FILENO);
	setenv("NOTIFY_SOCKET", m->addr.sun_path, 1);
	if (m->count) {
		for (unsigned i = 0; i < m->count; i++)
			dup2(m->kept[m->count - 1 - i].fd, (int)(CLEAR_OF + i));
		for (unsigned i = 0; i < m->count; i++) {
			dup2((int)(CLEAR_OF + i), (int)(3 + i));
			close((int)(CLEAR_OF + i));
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i ? ":" : "",
				m->kept[m->count - 1 - i].name);
		}
		snprintf(number, sizeof(number), "%d", (int)getpid());
		setenv("LISTEN_PID", number, 1);
		snprintf(number, sizeof(number), "%u", m->count);
		setenv("LISTEN_FDS", number, 1);
		setenv("LISTEN_FDNAMES", names, 1);
	}
	execl(handfastd, handfastd, "--config", s->config, (char *)NULL);
	_exit(127);
}

/* A daemon under the manager, in the place of the one that runs. */
static bool manage(struct service *s, struct manager *m)
{
	stop_daemon(s);
	hf_close(s->dev);
	s->dev = NULL;
	manager_open(m, s);
	fake_board_stop(&s->board);
	if (!start_board(s))
		return false;
	s->daemon = start_managed(s, m);
	return CHECK(manager_listens(m, true) && wait_for_control(s), "handfastd does not start: see %s", s->log) &&
	       CHECK(!hf_open(s->uri, NULL, &s->dev), "hf_open: %s", hf_error(NULL));
}

/* SIGKILL, or SIGTERM as for an upgrade. */
static void end_managed(struct service *s, struct manager *m, bool killed)
{
	if (killed) {
		kill(s->daemon, SIGKILL);
		waitpid(s->daemon, NULL, 0);
		s->daemon = 0;
	} else {
		stop_daemon(s);
	}
	manager_listens(m, false);
	hf_close(s->dev);
	s->dev = NULL;
}

static bool start_again(struct service *s, struct manager *m)
{
	s->daemon = start_managed(s, m);
	return CHECK(manager_listens(m, true) && wait_for_control(s), "handfastd does not start again: see %s",
		       s->log) &&
	       CHECK(!hf_open(s->uri, NULL, &s->dev), "hf_open: %s", hf_error(NULL));
}

static void an_upgrade_keeps_the_netdev(void)
{
	struct service *s = service_start(listeners);
	struct hf_listener *l;
	struct manager m = { .sock = -1 };
	unsigned index, frames;
	int fd;
	FILE *f;

	if (!s)
		return;
	/* A netdev that is not persistent: only the descriptor keeps it. */
	f = fopen(s->config, "we");
	fprintf(f,
		"board = \"unix:%s\"; tap = { addresses = [ \"192.0.2.2/24\" ]; };\nsocket = \"%s\"; control = { "
		"socket = \"%s\"; };\nlisteners = ( %s );\n",
		s->link, s->socket, s->control, listeners);
	fclose(f);
	stop_daemon(s);
	remove_netdev("hf0");
	if (!manage(s, &m) || !CHECK(manager_has(&m, "tap"), "no descriptor for the store: see %s", s->log))
		goto out;
	CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev));
	event_for(s, 0, 80, 0x10005, 1234);
	fd = hf_accept(l, NULL, WAIT_MS);
	CHECK(fd >= 0, "hf_accept: %d", fd);
	index = if_nametoindex("hf0");
	end_managed(s, &m, false);
	CHECK_EQ(if_nametoindex("hf0"), index, "the netdev meanwhile");
	fake_board_stop(&s->board);
	start_board(s);
	start_again(s, &m);
	CHECK_EQ(if_nametoindex("hf0"), index, "the netdev afterwards");
	frames = fake_board_count(&s->board, &s->board.frames);
	CHECK(write(fd, "hello", 5) == 5, "write");
	CHECK(fake_board_wait(&s->board, &s->board.frames, frames + 1), "the connection is mute");
	close(fd);
out:
	manager_close(&m);
	service_end(s);
}

/* Close with a RST: the socket is gone at once. */
static void listener_reset(int fd)
{
	struct linger reset = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

/* Has the board seen this command for this connection? */
static unsigned commands_for(struct service *s, unsigned code, uint32_t id)
{
	unsigned n = 0;

	pthread_mutex_lock(&s->board.lock);
	for (unsigned i = 0; i < s->board.commands; i++)
		n += s->board.command[i].code == code && s->board.command[i].id == id;
	pthread_mutex_unlock(&s->board.lock);
	return n;
}

static bool comes_command(struct service *s, unsigned code, uint32_t id)
{
	for (unsigned i = 0; i < WAIT_MS * 1000 / STEP_US; i++) {
		if (commands_for(s, code, id))
			return true;
		usleep(STEP_US);
	}
	return false;
}

/* One entry of the board's table, as DUMP shows it. */
static void entry_is(uint8_t *msg, uint32_t id, uint16_t remote_port, unsigned state)
{
	event_message(msg, &(struct fake_event){ .id = id, .remote_port = remote_port, .listener = 0 });
	MSG_PUT(msg, EVENT, local_port, 80);
	MSG_PUT(msg, EVENT, state, state);
}

/* Payload of a peer whose connection event_for() made. */
static void payload_for(struct service *s, uint32_t id, uint16_t remote_port, const char *text)
{
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];
	const struct segment seg = { .src = PEER_ADDR,
		.dst = OUR_ADDR,
		.sport = remote_port,
		.dport = 80,
		.seq = IRS + 1,
		.ack = ISS + 1,
		.flags = HF_ACK | HF_PSH,
		.wnd = 1000,
		.opts = "nop nop ts=5001:70001",
		.text = text,
		.text_len = strlen(text) };

	fake_board_send_frame(&s->board, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &seg)),
		HF_FRAME_CSUM_OK | HF_FRAME_CONN, id);
}

/* The board is not reset by a restart, however the daemon ends: its descriptor is kept beside the netdev's. Each entry of its table gets what
 * it needs, what it has sent meanwhile is not lost. */
static void a_restart_takes_the_board_over(void)
{
	static uint8_t table[6][128];
	struct service *s = service_start(listeners);
	struct manager m = { .sock = -1 };

	if (!s)
		return;
	if (!manage(s, &m))
		goto out;
	for (int killed = 1; killed >= 0; killed--) {
		const uint16_t port = killed ? 2000 : 3000;
		const uint32_t base = killed ? 0x10000 : 0x20000;
		struct hf_listener *l;
		unsigned keys, frames, dumps;
		char buffer[16] = "";
		int live, closed;

		CHECK(manager_has(&m, "tap") && manager_has(&m, "board-state") && manager_has(&m, "board-0"),
			"what the manager keeps: %u", m.count);
		if (!CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev)))
			break;
		CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
		event_for(s, 0, 80, base | 5, port);
		live = hf_accept(l, NULL, WAIT_MS);
		event_for(s, 0, 80, base | 7, port + 1);
		closed = hf_accept(l, NULL, WAIT_MS);
		if (!CHECK(live >= 0 && closed >= 0, "hf_accept: %d, %d", live, closed))
			break;
		keys = fake_board_written(&s->board, HF_REG_KEY_INDEX0, NULL) +
		       fake_board_written(&s->board, HF_REG_KEY_COOKIE_A0, NULL);
		hf_listener_close(l);
		end_managed(s, &m, killed);
		CHECK(!s->board.hung_up, "the board was let go");
		CHECK_EQ(commands_for(s, HF_COMMAND_RELEASE, base | 5), 0, "released although it lives");
		/* Nobody looks: a socket goes, events and data wait. */
		listener_reset(closed);
		payload_for(s, base | 5, port, "meanwhile");
		event_for(s, 0, 80, base | 11, port + 5);
		pthread_mutex_lock(&s->board.lock);
		entry_is(table[0], base | 5, port, HF_STATE_ESTABLISHED);	/* with a socket */
		entry_is(table[1], base | 7, port + 1, HF_STATE_ESTABLISHED);	/* its socket is gone */
		entry_is(table[2], base | 8, port + 2, HF_STATE_ESTABLISHED);	/* its event was lost */
		entry_is(table[3], base | 9, port + 3, HF_STATE_SYN_SENT);	/* nobody waits for it */
		entry_is(table[4], base | 10, port + 4, HF_STATE_SYN_RECEIVED); /* its event will come */
		entry_is(table[5], base | 11, port + 5, HF_STATE_ESTABLISHED);	/* its event waits */
		s->board.entry = table;
		s->board.entries = COUNT(table);
		pthread_mutex_unlock(&s->board.lock);
		dumps = s->board.dumps;
		if (!start_again(s, &m))
			break;
		CHECK(logged(s, "goes on: 1 connections found, 1 handed over now, 1 ended meanwhile"),
			"it is not taken over: see %s", s->log);
		unlink(s->log);
		CHECK(comes_command(s, HF_COMMAND_RELEASE, base | 7), "the entry of a socket that is gone is kept");
		/* No program listens yet: what is new is refused, once. */
		CHECK(comes_command(s, HF_COMMAND_ABORT, base | 8), "a lost connection is forgotten");
		CHECK(comes_command(s, HF_COMMAND_ABORT, base | 9), "an open that nobody waits for is kept");
		CHECK(comes_command(s, HF_COMMAND_ABORT, base | 11), "an event that waited is forgotten");
		CHECK_EQ(commands_for(s, HF_COMMAND_ABORT, base | 11), 1, "handled more than once");
		CHECK_EQ(commands_for(s, HF_COMMAND_ABORT, base | 10) + commands_for(s, HF_COMMAND_RELEASE, base | 10),
			0, "a half-open one was touched");
		CHECK_EQ(fake_board_count(&s->board, &s->board.dumps) - dumps, s->board.slots, "slots looked at");
		CHECK_EQ(fake_board_written(&s->board, HF_REG_KEY_INDEX0, NULL) +
				 fake_board_written(&s->board, HF_REG_KEY_COOKIE_A0, NULL),
			keys, "keys were loaded again");
		CHECK_EQ(s->board.reg[HF_REG_CTRL / 4], 1u << HF_CTRL_ENABLE_LOW, "CTRL");
		/* The one that lives has all it was sent, goes on, and is released when it ends. */
		CHECK(recv(live, buffer, 9, MSG_WAITALL) == 9 && !memcmp(buffer, "meanwhile", 9), "it reads '%s'",
			buffer);
		frames = fake_board_count(&s->board, &s->board.frames);
		CHECK(write(live, "hello", 5) == 5, "write");
		CHECK(fake_board_wait(&s->board, &s->board.frames, frames + 1), "the connection is mute");
		CHECK_EQ(commands_for(s, HF_COMMAND_RELEASE, base | 5), 0, "released although it lives");
		listener_reset(live);
		CHECK(comes_command(s, HF_COMMAND_RELEASE, base | 5), "nobody knows that entry any more");
	}
out:
	manager_close(&m);
	service_end(s);
}

/* A board that was reset meanwhile, is gone, or has other settings than the config wants is set up from the start. */
static void a_board_that_is_another_is_set_up_anew(void)
{
	static const char *const says[] = { "the board was reset meanwhile",
		"it is set up otherwise than the config wants", "the board is gone" };
	struct service *s = service_start(listeners);
	struct manager m = { .sock = -1 };

	if (!s)
		return;
	if (!manage(s, &m))
		goto out;
	for (unsigned how = 0; how < COUNT(says); how++) {
		struct hf_listener *l;
		unsigned frames;
		uint32_t key;
		int fd;

		if (!CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen: %s", hf_error(s->dev)))
			break;
		event_for(s, 0, 80, 0x10005, (uint16_t)(4000 + how));
		fd = hf_accept(l, NULL, WAIT_MS);
		CHECK(fd >= 0, "hf_accept: %d", fd);
		key = s->board.reg[HF_REG_KEY_INDEX0 / 4];
		hf_listener_close(l);
		end_managed(s, &m, how != 1);
		if (how == 0) {
			/* It can be reached again, and that is what the daemon does. */
			s->board.epoch++;
			s->board.reg[HF_REG_EPOCH / 4] = s->board.epoch;
			fake_board_switch(&s->board, &s->board.serve_again, true);
			fake_board_hello(&s->board);
		} else if (how == 1) {
			s->board.reg[HF_REG_MSS / 4]--;
		} else {
			fake_board_stop(&s->board);
			start_board(s);
		}
		if (!start_again(s, &m))
			break;
		CHECK(logged(s, says[how]), "'%s' is not said: see %s", says[how], s->log);
		CHECK(s->board.reg[HF_REG_KEY_INDEX0 / 4] != key, "the same key: 0x%08x", (unsigned)key);
		frames = fake_board_count(&s->board, &s->board.frames);
		CHECK(write(fd, "hello", 5) == 5, "write");
		CHECK(fake_board_wait(&s->board, &s->board.frames, frames + 1), "the connection is mute");
		listener_reset(fd);
	}
out:
	manager_close(&m);
	service_end(s);
}

/* ---- way kernel ---- */

/* The kernel's listeners decide: one that appears is offloaded, one that closes is withdrawn at once. What the config names without a mode is
 * never offloaded. */
static void the_kernels_listeners_are_followed(void)
{
	struct service *s = service_start("{ port = 83; mode = \"offload\"; }, { port = 84; }");
	struct sockaddr_in at = { .sin_family = AF_INET };
	int64_t took = INT64_MAX;
	int unnamed, fd;

	if (!s)
		return;
	if (strstr(ask(s, "{\"request\": \"listeners\"}"), "no_kernel_way")) {
		bench_skip("this kernel cannot (handfast doctor says why); make test-guest runs it on one that can");
		service_end(s);
		return;
	}
	unnamed = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at.sin_port = htons(84);
	CHECK(!bind(unnamed, (struct sockaddr *)&at, sizeof(at)) && !listen(unnamed, 4), "port 84: %s",
		strerror(errno));
	CHECK_SAYS(s, "{\"request\": \"listeners\"}", "\"reason\":\"no_listener\"");
	at.sin_port = htons(83);
	for (unsigned try = 0; try < 5 && took > WITHDRAWN_MS; try++) {
		int64_t began;

		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
		CHECK(!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 4), "port 83: %s", strerror(errno));
		CHECK(becomes_mode(s, 0, OFFLOAD), "mode %d", committed_mode(s, 0));
		began = now_ms();
		close(fd);
		CHECK(becomes_mode(s, 0, BYPASS), "mode %d", committed_mode(s, 0));
		took = now_ms() - began;
	}
	CHECK(took <= WITHDRAWN_MS, "never within %d ms: %lld", WITHDRAWN_MS, (long long)took);
	CHECK_EQ(committed_mode(s, 1), OFF, "what port 84 was told");
	close(unnamed);
	service_end(s);
}

/* ---- keys, the journal, the watchdog, descriptors, the dashboard ---- */

static void check_no_word(struct service *s, uint32_t value, const char *what)
{
	char hex[9], upper[9];

	snprintf(hex, sizeof(hex), "%08x", (unsigned)value);
	snprintf(upper, sizeof(upper), "%08X", (unsigned)value);
	CHECK(!strstr(log_text(s), hex) && !strstr(log_text(s), upper), "%s is in the log", what);
	CHECK(!strstr(ask(s, "{\"request\": \"status\"}"), hex), "%s is in the status", what);
	CHECK(!strstr(scrape(s), hex), "%s is in the metrics", what);
}

static void write_key(const struct service *s, const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	CHECK(f && fputs(text, f) >= 0, "%s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	write_config(s, listeners);
	f = fopen(s->config, "ae");
	fprintf(f, "cookie_key_file = \"%s\"; log_level = \"debug\";\n", path);
	fclose(f);
}

/* Random ones differ from start to start; that of a fleet is its file's, in both places. None is ever told. */
static void keys_are_told_to_nobody(void)
{
	static const uint32_t random[] = { HF_REG_KEY_INDEX0, HF_REG_KEY_ISN0, HF_REG_KEY_COOKIE_A0,
		HF_REG_KEY_COOKIE_B0 };
	static const char fleet[] = "00112233 44556677 8899aabb ccddeeff\n";
	struct service *s = service_start(listeners);
	uint32_t before[COUNT(random) * 4], now;
	char path[96];
	int status = -1;

	if (!s)
		return;
	snprintf(path, sizeof(path), "%s/key", s->dir);
	for (unsigned i = 0; i < COUNT(before); i++) {
		before[i] = s->board.reg[random[i / 4] / 4 + i % 4];
		CHECK(before[i] != 0, "key register 0x%x is 0", random[i / 4] + 4 * (i % 4));
		check_no_word(s, before[i], "a random key");
	}
	hf_close(s->dev);
	s->dev = NULL;
	stop_daemon(s);
	fake_board_stop(&s->board);
	write_key(s, path, fleet);
	if (!start_board(s) || !start_daemon(s))
		goto out;
	for (unsigned i = 0; i < COUNT(before); i++) {
		static const uint32_t shared[4] = { 0x33221100, 0x77665544, 0xbbaa9988, 0xffeeddcc };

		now = s->board.reg[random[i / 4] / 4 + i % 4];
		CHECK(now != before[i], "register 0x%x has the key of the process before", random[i / 4] + 4 * (i % 4));
		if (i >= 8)
			CHECK_EQ(now, shared[i % 4], "the fleet's key");
		check_no_word(s, now, "a key");
	}
	CHECK(!strstr(log_text(s), "00112233"), "the fleet's key is in the log");
	CHECK_SAYS(s, "{\"request\": \"keys\", \"action\": \"rotate\"}", "EOPNOTSUPP");
	stop_daemon(s);
	/* One digit is missing: it does not start, and says why without a digit of it. */
	write_key(s, path, "00112233 44556677 8899aabb ccddeef\n");
	waitpid(spawn(s, "--config", s->config, NULL), &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status), "it starts: 0x%x", status);
	CHECK(logged(s, "not 32 hexadecimal digits") && !strstr(log_text(s), "aabb"), "what it says: see %s", s->log);
out:
	unlink(path);
	service_end(s);
}

/* What stderr goes to is what JOURNAL_STREAM names: lines go to the journal, with fields. The journal is here. */
static void the_journal_is_told(void)
{
	struct sockaddr_un journal = { AF_UNIX, "/run/systemd/journal/socket" };
	struct service *s = service_start(listeners);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool told = false;
	char text[4096];
	struct stat st;

	if (!s)
		return;
	hf_close(s->dev);
	s->dev = NULL;
	stop_daemon(s);
	fake_board_stop(&s->board);
	/* For the rest of this process; nothing of the machine's is seen by it. */
	mkdir("/run", 0755);
	CHECK(!unshare(CLONE_NEWNS) && !mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
			!mount("tmpfs", "/run", "tmpfs", 0, NULL) && !mkdir("/run/systemd", 0755) &&
			!mkdir("/run/systemd/journal", 0755) && !bind(fd, (struct sockaddr *)&journal, sizeof(journal)),
		"a journal: %s", strerror(errno));
	CHECK(!truncate(s->log, 0) && !stat(s->log, &st), "%s: %s", s->log, strerror(errno));
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	if (start_board(s) && start_daemon(s)) {
		struct pollfd p = { fd, POLLIN, 0 };

		while (!told && poll(&p, 1, WAIT_MS) == 1) {
			ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

			text[n > 0 ? n : 0] = 0;
			told = strstr(text, "HANDFAST_EVENT=board_up") && strstr(text, "PRIORITY=5") &&
			       strstr(text, "MESSAGE=board unix:");
		}
	}
	CHECK(told, "the journal does not know of the board");
	CHECK(!*log_text(s), "on stderr besides: %s", log_text(s));
	unsetenv("JOURNAL_STREAM");
	close(fd);
	service_end(s);
}

/* The manager hears WATCHDOG=1 again and again, RELOADING=1 and READY=1 of SIGHUP, and STOPPING=1. */
static bool manager_hears(struct manager *m, const char *word)
{
	struct pollfd p = { m->sock, POLLIN, 0 };
	char text[512];
	bool lost;
	int fd, n;

	while (poll(&p, 1, WAIT_MS) == 1) {
		n = ipc_receive(m->sock, text, sizeof(text) - 1, &fd, &lost);
		text[n > 0 ? n : 0] = 0;
		if (fd >= 0)
			close(fd);
		if (strstr(text, word))
			return true;
	}
	return false;
}

static void the_manager_is_told(void)
{
	struct service *s = service_start(listeners);
	struct manager m = { .sock = -1 };

	if (!s)
		return;
	if (manage(s, &m)) {
		CHECK(manager_hears(&m, "WATCHDOG=1") && manager_hears(&m, "WATCHDOG=1"), "the watchdog is not fed");
		kill(s->daemon, SIGHUP);
		CHECK(manager_hears(&m, "RELOADING=1") && manager_hears(&m, "READY=1"), "of a reload");
		hf_close(s->dev);
		s->dev = NULL;
		kill(s->daemon, SIGTERM);
		CHECK(manager_hears(&m, "STOPPING=1"), "of the end");
	}
	manager_close(&m);
	service_end(s);
}

/* No descriptor of the daemon's outlives an exec(). */
static void no_descriptor_is_inherited(void)
{
	struct service *s = service_start(listeners);
	struct hf_listener *l = NULL;
	char path[300], line_[256], own[256];
	unsigned seen = 0;
	struct dirent *e;
	ssize_t n;
	DIR *dir;

	if (!s)
		return;
	CHECK(!listen_at(s->dev, 80, 4, &l), "hf_listen");
	event_for(s, 0, 80, 0x10005, 1234);
	CHECK(comes_to_say(s, "{\"request\": \"listeners\"}", "\"queued\":1"), "none is queued");
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)s->daemon);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		unsigned flags = 0;
		FILE *f;

		if (atoi(e->d_name) <= STDERR_FILENO)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", (int)s->daemon, e->d_name);
		f = fopen(path, "re");
		while (f && fgets(line_, sizeof(line_), f))
			sscanf(line_, "flags: %o", &flags);
		if (f)
			fclose(f);
		snprintf(path, sizeof(path), "/proc/%d/fd/%.20s", (int)s->daemon, e->d_name);
		line_[(n = readlink(path, line_, sizeof(line_) - 1)) > 0 ? n : 0] = 0;
		/* What this process was started with, the daemon was too. */
		snprintf(path, sizeof(path), "/proc/self/fd/%.20s", e->d_name);
		own[(n = readlink(path, own, sizeof(own) - 1)) > 0 ? n : 0] = 0;
		if (!strcmp(own, line_))
			continue;
		CHECK(flags & O_CLOEXEC, "descriptor %s stays open: %s", e->d_name, line_);
		seen++;
	}
	if (dir)
		closedir(dir);
	CHECK(seen > 10, "%u descriptors seen", seen);
	hf_listener_close(l);
	service_end(s);
}

/* Each metric that the dashboard asks for is there. */
static void the_dashboard_asks_for_what_is_there(void)
{
	size_t tree = strlen(handfastd), under = strlen("build/handfastd");
	struct service *s = service_with_rules(listeners, 8, NULL);
	static char all[1 << 18];
	char path[4200], name[80];
	const char *text;
	unsigned names = 0;
	size_t n;
	FILE *f;

	if (!s)
		return;
	tree = tree < under ? 0 : tree - under;
	snprintf(path, sizeof(path), "%.*spackaging/grafana.json", (int)tree, handfastd);
	f = fopen(path, "re");
	if (!f) {
		bench_skip("the source tree is not beside the programs");
		service_end(s);
		return;
	}
	n = fread(all, 1, sizeof(all) - 1, f);
	all[n] = 0;
	fclose(f);
	text = scrape(s);
	for (const char *at = all; (at = strstr(at, "handfast_")) != NULL; at += n, names++) {
		n = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
		snprintf(name, sizeof(name), "%.*s", (int)n, at);
		CHECK(strstr(text, name) != NULL, "no metric %s", name);
	}
	CHECK(names > 10, "%u names in the dashboard", names);
	service_end(s);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(config_that_is_wrong), CASE_ONCE(the_run_folder_is_made),
		CASE_ONCE(the_example_config_is_good), CASE_ONCE(a_program_accepts_through_the_daemon),
		CASE_ONCE(the_first_connection_comes_at_once), CASE_ONCE(closing_withdraws_at_once),
		CASE_ONCE(a_program_that_dies_leaves_resets), CASE_ONCE(nothing_is_lost_without_descriptors),
		CASE_ONCE(a_slow_program_is_bounded), CASE_ONCE(who_may_what), CASE_ONCE(bad_clients_are_refused),
		CASE_ONCE(connecting_through_the_daemon), CASE_ONCE(the_board_closes_for_the_program),
		CASE_ONCE(the_operator_asks_and_changes), CASE_ONCE(connections_are_listed),
		CASE_ONCE(metrics_are_scraped), CASE_ONCE(attacks_are_logged), CASE_ONCE(idle_costs_nothing),
		CASE_ONCE(a_board_that_was_lost_comes_back), CASE_ONCE(connections_survive_a_restart),
		CASE_ONCE(what_was_held_a_moment_longer), CASE_ONCE(sighup_reads_the_config_again),
		CASE_ONCE(rules_go_into_the_board), CASE_ONCE(rules_survive_the_board), CASE_ONCE(rules_of_the_config),
		CASE_ONCE(syns_are_counted_per_listener), CASE_ONCE(samples_tell_where_from),
		CASE_ONCE(wild_samples_do_no_harm), CASE_ONCE(programs_that_know_nothing),
		CASE_ONCE(programs_outlive_their_daemon), CASE_ONCE(an_upgrade_keeps_the_netdev),
		CASE_ONCE(a_restart_takes_the_board_over), CASE_ONCE(a_board_that_is_another_is_set_up_anew),
		CASE_ONCE(the_kernels_listeners_are_followed), CASE_ONCE(keys_are_told_to_nobody),
		CASE_ONCE(the_manager_is_told), CASE_ONCE(no_descriptor_is_inherited),
		CASE_ONCE(the_dashboard_asks_for_what_is_there), CASE_ONCE(the_journal_is_told), { 0 } };
	ssize_t n;

	if (argc > 3 && !strcmp(argv[1], "--program"))
		return program(argc, argv);
	n = readlink("/proc/self/exe", handfastd, sizeof(handfastd) - 16);

	/* build/tests/test_daemon -> build/handfastd */
	if (n > 0) {
		handfastd[n] = 0;
		dirname(dirname(handfastd));
		strcat(handfastd, "/handfastd");
	}
	privileged = !geteuid() && !access(handfastd, X_OK) && enter_namespace();
	return bench_main(argc, argv, "daemon", cases);
}
