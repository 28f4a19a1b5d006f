/* SPDX-License-Identifier: Apache-2.0
 * main_bench_transport.c - what a message costs the host on each transport, in one run on one machine: a board process with the C
 * model, and as its host this process with driver/. Messages per second (of the two processes together: mostly the simulator's
 * own speed) and processor time of the host per message, sent and received.
 * Prints a table; writes the rows for build/bench.json to the file named by --out. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../driver/message.h"
#include "../driver/transport.h"

enum {
	MESSAGES = 100000, /* register reads; as many answers come back */
	WARM_UP = 5000,
	AT_ONCE = 256, /* under way */
	WAIT_MS = 10000,
	TRIES = 3,
};

static const struct {
	const char *scheme, *suffix;
} transports[] = {
	{ "unix", "unix" },
	{ "vfio-user", "vfio_user" },
};

static char handfast[4096], dir[] = "/tmp/hf-bench-XXXXXX";
static pid_t board;

__attribute__((noreturn)) static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_transport: %s: %s\n", what, why);
	if (board > 0)
		kill(board, SIGTERM);
	exit(1);
}

static double seconds(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void start(const char *host)
{
	char wire[64], line[512] = "";
	size_t at = 0;
	int out[2];

	snprintf(wire, sizeof(wire), "unix:%s/wire", dir);
	if (pipe2(out, O_CLOEXEC))
		die("pipe", strerror(errno));
	board = fork();
	if (!board) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(out[1], 1);
		execl(handfast, handfast, "board", "--engine", "model", "--wire", wire, "--host", host, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	while (at < sizeof(line) - 1 && read(out[0], line + at, 1) == 1 && line[at++] != '\n')
		;
	if (!strstr(line, " ready\n"))
		die(host, "the board does not start");
	/* Its summary at the end fits the pipe. */
}

static void stop(void)
{
	kill(board, SIGTERM);
	waitpid(board, NULL, 0);
	board = 0;
}

/* Send `count` register reads and take their answers. */
static void exchange(struct transport *t, unsigned count)
{
	uint8_t msg[TRANSPORT_MESSAGE_MAX], read[24] = { 0 };
	unsigned sent = 0, answered = 0;

	PUT(read, HEADER, type, HF_MSG_REG_READ);
	PUT(read, HEADER, length, sizeof(read));
	PUT(read, HEADER, id, HF_REG_ID);
	while (answered < count) {
		ssize_t n;
		int rc = 0;

		while (sent < count && sent - answered < AT_ONCE) {
			PUT(read, HEADER, stamp, sent + 1);
			rc = transport_send(t, read, sizeof(read));
			if (rc)
				break;
			sent++;
		}
		if (rc && rc != -EAGAIN)
			die("send", strerror(-rc));
		while ((n = transport_recv(t, msg, sizeof(msg))) > 0)
			if (GET(msg, HEADER, type) == HF_MSG_REG_REPLY && GET(msg, HEADER, stamp) != ++answered)
				die("receive", "answers are not in order");
		if (n != -EAGAIN)
			die("receive", strerror((int)-n));
		if (answered < sent) {
			struct pollfd p = { transport_fd(t), (short)(POLLIN | (rc ? POLLOUT : 0)), 0 };

			if (poll(&p, 1, WAIT_MS) != 1)
				die("receive", "no answer");
		}
	}
}

struct row {
	char name[64], note[160];
	const char *unit;
	double value;
};

int main(int argc, char **argv)
{
	const unsigned count = sizeof(transports) / sizeof(transports[0]);
	struct row rows[2 * sizeof(transports) / sizeof(transports[0])];
	const char *path = argc == 3 && !strcmp(argv[1], "--out") ? argv[2] : NULL;
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	FILE *out;

	if (!path || n <= 0) {
		fprintf(stderr, "usage: bench_transport --out FILE\n");
		return 2;
	}
	self[n] = '\0';
	snprintf(handfast, sizeof(handfast), "%.4000s/handfast", dirname(self));
	if (!mkdtemp(dir))
		die(dir, strerror(errno));
	for (unsigned i = 0; i < count; i++) {
		char uri[128], why[TRANSPORT_WHY_BYTES];
		double rate = 0, cpu = 1;
		struct transport *t;
		int rc;

		snprintf(uri, sizeof(uri), "%s:%s/host", transports[i].scheme, dir);
		start(uri);
		rc = transport_open(uri, WAIT_MS, &t, why);
		if (rc)
			die(uri, why);
		exchange(t, WARM_UP);
		for (unsigned k = 0; k < TRIES; k++) { /* the best of them: what the machine did meanwhile only adds */
			const double wall = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
			double took, mine;

			exchange(t, MESSAGES);
			took = (seconds(CLOCK_MONOTONIC) - wall) / MESSAGES;
			mine = (seconds(CLOCK_PROCESS_CPUTIME_ID) - used) / MESSAGES;
			rate = 1 / took > rate ? 1 / took : rate;
			cpu = mine < cpu ? mine : cpu;
		}
		transport_close(t);
		stop();
		rows[2 * i] = (struct row){ .unit = "1/s", .value = rate };
		snprintf(rows[2 * i].name, sizeof(rows[0].name), "messages_per_s_%s", transports[i].suffix);
		snprintf(rows[2 * i].note, sizeof(rows[0].note),
			"register reads answered, %d under way, board process with the C model behind %s:", AT_ONCE,
			transports[i].scheme);
		rows[2 * i + 1] = (struct row){ .unit = "ns", .value = cpu * 1e9 };
		snprintf(
			rows[2 * i + 1].name, sizeof(rows[0].name), "host_cpu_ns_per_message_%s", transports[i].suffix);
		snprintf(rows[2 * i + 1].note, sizeof(rows[0].note),
			"processor time of the host, kernel included, for one message sent and one received");
	}
	rmdir(dir);
	out = fopen(path, "w");
	if (!out)
		die(path, strerror(errno));
	for (unsigned i = 0; i < 2 * count; i++) {
		printf("%-34s %14.10g %-7s %s\n", rows[i].name, rows[i].value, rows[i].unit, rows[i].note);
		fprintf(out, "  {\"name\": \"%s\", \"value\": %.10g, \"unit\": \"%s\", \"note\": \"%s\"}\n",
			rows[i].name, rows[i].value, rows[i].unit, rows[i].note);
	}
	if (fclose(out))
		die(path, strerror(errno));
	return 0;
}
