/* SPDX-License-Identifier: Apache-2.0
 * support_usb.c - boards on simulated USB. */
#include "support_usb.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../driver/clock.h"
#include "../driver/transport.h"
#include "support_bench.h"

#define PRELOAD "libumockdev-preload.so.0"

/* A sanitizer wants to be first. */
static void find_sanitizer(char *path, size_t size)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 100];

	path[0] = '\0';
	while (maps && !path[0] && fgets(line, sizeof(line), maps)) {
		char *slash = strchr(line, '/');

		if (slash && strstr(slash, "/libasan.so"))
			snprintf(path, size, "%.*s ", (int)strcspn(slash, "\n"), slash);
	}
	if (maps)
		fclose(maps);
}

bool usb_preload(char **argv)
{
	const char *already = getenv("LD_PRELOAD");
	char sanitizer[PATH_MAX], all[2 * PATH_MAX], self[PATH_MAX];
	ssize_t n;
	void *library;

	if (already && strstr(already, PRELOAD))
		return !access(usb_program("tests/usb/testbed"), X_OK);
	library = dlopen(PRELOAD, RTLD_LAZY | RTLD_LOCAL);
	if (!library || access(usb_program("tests/usb/testbed"), X_OK))
		return false;
	find_sanitizer(sanitizer, sizeof(sanitizer));
	snprintf(all, sizeof(all), "%s%s", sanitizer, PRELOAD);
	setenv("LD_PRELOAD", all, 1);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		execv(self, argv); /* by its name, which /proc shows */
	}
	return false;
}

const char *usb_program(const char *name)
{
	static char path[2 * PATH_MAX];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	snprintf(path, sizeof(path), "%s/%s", dirname(dirname(self)), name);
	if (access(path, X_OK)) /* a program of build/ itself, as bench */
		snprintf(path, sizeof(path), "%s/%s", self, name);
	return path;
}

unsigned open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Boards ----------------------------------------------------------------------------------------------------- */

static unsigned free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || getsockname(fd, (struct sockaddr *)&a, &len))
		a.sin_port = 0;
	close(fd);
	return ntohs(a.sin_port);
}

bool usb_board_start(struct usb_process *b, const char *engine, const char *more)
{
	char wire[96], host[64], *argv[24] = { NULL }, extra[256], *save = NULL, text[256] = "";
	int out[2], argc = 0;
	size_t have = 0;

	memset(b, 0, sizeof(*b));
	strcpy(b->folder, "/tmp/handfast-usb-XXXXXX");
	if (!CHECK(mkdtemp(b->folder) != NULL, "mkdtemp") || !CHECK(!pipe2(out, O_CLOEXEC), "pipe"))
		return false;
	b->port = free_port();
	snprintf(wire, sizeof(wire), "unix:%s/wire", b->folder);
	snprintf(host, sizeof(host), "usbip:127.0.0.1:%u", b->port);
	snprintf(extra, sizeof(extra), "%s", more);
	argv[argc++] = (char *)usb_program("handfast");
	argv[argc++] = "board";
	argv[argc++] = "--engine";
	argv[argc++] = (char *)engine;
	argv[argc++] = "--wire";
	argv[argc++] = wire;
	argv[argc++] = "--host";
	argv[argc++] = host;
	for (char *word = strtok_r(extra, " ", &save); word && argc < 23; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	fflush(stdout);
	b->pid = fork();
	if (b->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		unsetenv("LD_PRELOAD");
		unsetenv("UMOCKDEV_DIR");
		dup2(out[1], 1);
		execv(argv[0], argv);
		_exit(127);
	}
	close(out[1]);
	/* The rest of what it prints goes nowhere. */
	while (have < sizeof(text) - 1 && !strstr(text, " ready\n")) {
		struct pollfd p = { out[0], POLLIN, 0 };
		ssize_t n = poll(&p, 1, 10000) > 0 ? read(out[0], text + have, sizeof(text) - 1 - have) : 0;

		if (n <= 0)
			break;
		have += (size_t)n;
		text[have] = '\0';
	}
	signal(SIGPIPE, SIG_IGN);
	fcntl(out[0], F_SETFD, FD_CLOEXEC);
	/* Kept open until the process ends, or printing would kill it. */
	dup3(out[0], 900, O_CLOEXEC);
	close(out[0]);
	return CHECK(strstr(text, " ready\n") != NULL, "the board does not start: %s", text);
}

void usb_board_stop(struct usb_process *b)
{
	size_t have = 0;
	char path[96];
	int status = 0;
	ssize_t n;

	if (b->pid <= 0)
		return;
	kill(b->pid, SIGTERM);
	waitpid(b->pid, &status, 0);
	while (have < sizeof(b->said) - 1 && (n = read(900, b->said + have, sizeof(b->said) - 1 - have)) > 0)
		have += (size_t)n;
	b->said[have] = '\0';
	close(900);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the board ended with status 0x%x", (unsigned)status);
	snprintf(path, sizeof(path), "%s/wire", b->folder);
	unlink(path);
	CHECK(!rmdir(b->folder), "something is left in %s", b->folder);
	b->pid = 0;
}

/* Testbed ---------------------------------------------------------------------------------------------------- */

static struct {
	pid_t pid;
	FILE *in, *out;
} bed;

bool testbed_start(void)
{
	char line[256] = "";
	int in[2], out[2];

	if (bed.pid)
		return true;
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return CHECK(false, "pipe");
	fflush(stdout);
	bed.pid = fork();
	if (bed.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(usb_program("tests/usb/testbed"), "testbed", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	bed.in = fdopen(in[1], "we");
	bed.out = fdopen(out[0], "re");
	signal(SIGPIPE, SIG_IGN);
	if (!fgets(line, sizeof(line), bed.out) || strncmp(line, "root ", 5))
		return CHECK(false, "the testbed does not start: %s", line);
	line[strcspn(line, "\n")] = '\0';
	setenv("UMOCKDEV_DIR", line + 5, 1);
	return true;
}

void testbed_stop(void)
{
	int status = 0;

	if (!bed.pid)
		return;
	fclose(bed.in);
	fclose(bed.out);
	waitpid(bed.pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the testbed ended with status 0x%x", (unsigned)status);
	bed.pid = 0;
	unsetenv("UMOCKDEV_DIR");
}

static const char *say(const char *format, va_list args)
{
	static char line[256];

	vfprintf(bed.in, format, args);
	fputc('\n', bed.in);
	fflush(bed.in);
	if (!fgets(line, sizeof(line), bed.out))
		strcpy(line, "error testbed is gone");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

const char *testbed(const char *format, ...)
{
	const char *answer;
	va_list args;

	va_start(args, format);
	answer = say(format, args);
	va_end(args);
	if (!CHECK(!strncmp(answer, "ok", 2), "testbed, %s: %s", format, answer))
		return NULL;
	return answer[2] ? answer + 3 : "";
}

const char *testbed_error(const char *format, ...)
{
	const char *answer;
	va_list args;

	va_start(args, format);
	answer = say(format, args);
	va_end(args);
	return strncmp(answer, "error ", 6) ? "" : answer + 6;
}

/* A board of a few lines ------------------------------------------------------------------------------------- */

static void *fake_thread(void *ctx)
{
	static uint8_t msg[TRANSPORT_MESSAGE_MAX];
	struct usb_fake *f = ctx;
	bool moved = false;

	for (bool stop = false; !stop;) {
		struct pollfd p = { usbip_server_fd(f->server), POLLIN, 0 };
		size_t len;

		poll(&p, 1, moved ? 0 : 1);
		pthread_mutex_lock(&f->lock);
		f->chip.now = clock_us();
		if (f->deaf)
			f->chip.sync_fifo = false;
		if (card_link_due(f->card) <= f->chip.now)
			card_link_tick(f->card, f->chip.now);
		MSG_PUT(msg, HEADER, length, f->source);
		while (f->source && card_link_is_open(f->card) && card_link_room(f->card, f->source))
			card_link_c2h(f->card, msg, f->source);
		moved = usbip_server_run(f->server);
		while (card_link_h2c(f->card, &len))
			card_link_h2c_done(f->card);
		stop = f->stop;
		pthread_mutex_unlock(&f->lock);
	}
	return NULL;
}

bool usb_fake_start(struct usb_fake *f, const uint8_t *hello, size_t len)
{
	char error[128] = "";

	memset(f, 0, sizeof(*f));
	f->card = card_link_new();
	card_link_hello(f->card, hello, len);
	chip_functional_init(&f->chip, f->card);
	f->chip.now = clock_us();
	pthread_mutex_init(&f->lock, NULL);
	if (!CHECK(!usbip_server_open("127.0.0.1:0", &chip_functional_ops, &f->chip, &f->server, error, sizeof(error)),
		    "%s", error))
		return false;
	return CHECK(!pthread_create(&f->thread, NULL, fake_thread, f), "pthread_create");
}

void usb_fake_stop(struct usb_fake *f)
{
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	usbip_server_close(f->server);
	card_link_free(f->card);
	pthread_mutex_destroy(&f->lock);
}
