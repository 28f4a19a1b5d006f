/* SPDX-License-Identifier: Apache-2.0
 * test_usb.c - boards on USB: driver/transport_usb.c with unmodified libusb on a kernel's USB stack that umockdev plays
 * (tests/usb/testbed.c), in front of simulated boards; and the USB/IP server by itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../driver/clock.h"
#include "../driver/device.h"
#include "../driver/usb_list.h"
#include "support_bench.h"
#include "support_usb.h"

static bool have_umockdev;

/* ---- a device, and what it reported ---- */

struct seen {
	unsigned frames, events, completions, resets;
	int status;
	size_t frame_len;
	uint8_t frame[2048];
};

static void on_frame(void *ctx, const uint8_t *msg, size_t len)
{
	struct seen *s = ctx;

	s->frames++;
	s->frame_len = len;
	memcpy(s->frame, msg, len < sizeof(s->frame) ? len : sizeof(s->frame));
}

static void on_event(void *ctx, const uint8_t *msg, size_t len)
{
	(void)msg, (void)len;
	((struct seen *)ctx)->events++;
}

static void on_completion(void *ctx, unsigned command, uint32_t id, int status, uint64_t tag)
{
	struct seen *s = ctx;

	(void)command, (void)id, (void)tag;
	s->completions++;
	s->status = status;
}

static void on_reset(void *ctx)
{
	((struct seen *)ctx)->resets++;
}

static const struct device_events events = { on_frame, on_event, on_completion, on_reset };

static int try_open(const char *uri, int timeout_ms, struct seen *seen, struct device **dev, char *why)
{
	struct transport *t;
	int rc = transport_open(uri, timeout_ms, &t, why);

	memset(seen, 0, sizeof(*seen));
	*dev = NULL;
	if (rc)
		return rc;
	rc = device_open(t, &events, seen, 2000, dev, why);
	if (rc)
		transport_close(t);
	return rc;
}

static struct device *open_usb(struct seen *seen)
{
	char why[TRANSPORT_WHY_BYTES] = "";
	struct device *dev = NULL;
	int rc = -ETIMEDOUT;

	/* A register must answer within 100 ms, which a busy machine may not keep: so try again. */
	for (unsigned i = 0; i < 10 && rc == -ETIMEDOUT; i++)
		rc = try_open("usb:", 3000, seen, &dev, why);
	CHECK(!rc, "open usb: %d %s", rc, why);
	return dev;
}

static bool pump_until(struct device *dev, const unsigned *n, unsigned least)
{
	int64_t end = clock_ms() + 3000;

	while (*n < least && clock_ms() < end && device_pump(dev, 50) >= 0)
		;
	return *n >= least;
}

/* A board of the running target, plugged in. */
static bool begin(struct usb_process *b, const char *engine)
{
	if (!have_umockdev) {
		bench_skip("umockdev is not installed");
		return false;
	}
	if (!testbed_start() || !usb_board_start(b, engine, ""))
		return false;
	return testbed("plug %u", b->port) != NULL;
}

static void end(struct usb_process *b)
{
	testbed("noise 0 0 0 0");
	testbed("unplug");
	usb_board_stop(b);
}

static void nothing_left(void)
{
	const char *state = testbed("state");

	CHECK(state && !strcmp(state, "0 0"), "requests and claims left behind: %s", state ? state : "?");
	state = testbed("driver");
	CHECK(state && !strcmp(state, "ftdi_sio"), "bound to the interface: %s", state ? state : "?");
}

static int join_wire(const struct usb_process *b)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval limit = { 5, 0 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/wire", b->folder);
	CHECK(!connect(fd, (struct sockaddr *)&a, sizeof(a)), "the wire: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* A pair of writes and reads that must fit; every one of them happens once. */
static bool works(struct device *dev, uint32_t i)
{
	uint32_t value = 0;
	int rc = -ETIMEDOUT;

	for (unsigned k = 0; k < 20 && rc == -ETIMEDOUT; k++) {
		rc = device_reg_write(dev, HF_REG_LOCAL_ADDR0, 0xc0000000u + i);
		if (!rc)
			rc = device_reg_read(dev, HF_REG_LOCAL_ADDR0, &value);
	}
	return CHECK(!rc, "access %u: %d %s", i, rc, device_fault(dev)) && CHECK_EQ(value, 0xc0000000u + i, "register");
}

static int patient_read(struct device *dev, uint32_t offset, uint32_t *value)
{
	int rc = -ETIMEDOUT;

	for (unsigned k = 0; k < 20 && rc == -ETIMEDOUT; k++)
		rc = device_reg_read(dev, offset, value);
	return rc;
}

/* ---- the driver ---- */

static void every_operation(void)
{
	uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 }, got[2048], body[128];
	struct usb_process board;
	struct device *dev;
	struct seen seen;
	uint32_t value = 0;
	ssize_t n;
	int wire;

	if (!begin(&board, engine_kind_name(bench_target())))
		return;
	wire = join_wire(&board);
	dev = open_usb(&seen);
	if (!dev) {
		close(wire);
		end(&board);
		return;
	}
	CHECK_EQ(device_board(dev)->slots, hf_params_default.ways << hf_params_default.sets_log2, "slots");
	works(dev, 1);
	CHECK_EQ(device_reg_post(dev, HF_REG_LOCAL_ADDR0, OUR_ADDR + 1), 0, "post");
	CHECK_EQ(patient_read(dev, HF_REG_LOCAL_ADDR0, &value), 0, "read");
	CHECK_EQ(value, OUR_ADDR + 1, "what was posted");
	CHECK_EQ(patient_read(dev, 0xffc, &value), -ENXIO, "no such register");
	do
		n = device_reg_write(dev, HF_REG_ID, 1);
	while (n == -ETIMEDOUT);
	CHECK_EQ(n, -EACCES, "a register that refuses");

	CHECK_EQ(device_command(dev, HF_COMMAND_RELEASE, 5), 0, "RELEASE");
	CHECK(pump_until(dev, &seen.completions, 1) && seen.status == HF_STATUS_STALE, "RELEASE: %d", seen.status);
	CHECK_EQ(device_dump(dev, 0, 1), 0, "DUMP");
	CHECK(pump_until(dev, &seen.completions, 2) && seen.status == HF_STATUS_STALE, "DUMP: %d", seen.status);
	memset(body, 0, sizeof(body));
	CHECK_EQ(device_hand_back(dev, body, 1), 0, "CLOSE");
	CHECK(pump_until(dev, &seen.completions, 3) && seen.status != HF_STATUS_OK, "CLOSE: %d", seen.status);
	bench_call_body(body, false, PEER_PORT, OUR_PORT, &(struct tags){ 0 });
	MSG_PUT(body, EVENT, state, HF_STATE_ESTABLISHED);
	CHECK_EQ(device_adopt(dev, body, 1), 0, "ADOPT");
	CHECK(pump_until(dev, &seen.completions, 4), "ADOPT");
	CHECK_EQ(seen.status, HF_STATUS_OK, "ADOPT");
	bench_call_body(body, false, PEER_PORT + 1, OUR_PORT, &(struct tags){ 0 });
	CHECK_EQ(device_connect(dev, body, 1), 0, "CONNECT");
	CHECK(pump_until(dev, &seen.completions, 5), "CONNECT");
	CHECK_EQ(device_commands_pending(dev), 0, "commands pending");

	while (recv(wire, got, sizeof(got), MSG_DONTWAIT) > 0)
		;
	CHECK(device_frame_room(dev), "room for a frame");
	CHECK_EQ(device_frame(dev, frame, sizeof(frame)), 0, "frame");
	CHECK_EQ(device_pump(dev, 0) >= 0, 1, "pump");
	do
		n = recv(wire, got, sizeof(got), 0);
	while (n > 0 && (got[12] != 0x88 || got[13] != 0xb5));
	CHECK_BYTES("a frame on the wire", got, n > 0 ? (size_t)n : 0, frame, sizeof(frame));
	frame[14] = 77;
	send(wire, frame, sizeof(frame), 0);
	CHECK(pump_until(dev, &seen.frames, 1), "no frame from the wire");
	CHECK_BYTES("from the wire", seen.frame + 16, seen.frame_len - 16, frame, sizeof(frame));
	CHECK_EQ(seen.resets, 0, "resets");
	device_close(dev);
	nothing_left();
	close(wire);
	end(&board);
}

static pid_t run(bool preloaded, const char *out, const char *arguments)
{
	char text[512], *argv[24] = { (char *)usb_program("handfast") }, *save = NULL;
	int argc = 1;
	pid_t pid;

	snprintf(text, sizeof(text), "%s", arguments);
	for (char *word = strtok_r(text, " ", &save); word && argc < 23; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		dup2(fd, 1);
		dup2(fd, 2);
		if (!preloaded) {
			unsetenv("LD_PRELOAD");
			unsetenv("UMOCKDEV_DIR");
		}
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static int finish(pid_t pid)
{
	int status = 0;

	for (unsigned i = 0; i < 1500; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static const char *text_of(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

/* The peer's TCP, the board's handshake, the host behind USB in another process. */
static void whole_connection(void)
{
	char host_out[96], peer_out[96], line[256];
	struct usb_process board;
	pid_t host, peer;

	if (!begin(&board, engine_kind_name(bench_target())))
		return;
	snprintf(host_out, sizeof(host_out), "%s/host.txt", board.folder);
	snprintf(peer_out, sizeof(peer_out), "%s/peer.txt", board.folder);
	host = run(true, host_out, "peer-host --host usb: --listen 192.0.2.2:80 --count 2");
	for (unsigned i = 0; i < 1000 && !strstr(text_of(host_out), "peer-host: ready"); i++)
		usleep(10000);
	CHECK(strstr(text_of(host_out), "peer-host: ready") != NULL, "peer-host: %s", text_of(host_out));
	for (unsigned i = 0; i < 2; i++) {
		snprintf(line, sizeof(line), "peer --wire unix:%s/wire --local 192.0.2.1 --remote 192.0.2.2:80",
			board.folder);
		peer = run(false, peer_out, line);
		CHECK_EQ(finish(peer), 0, "exit code of peer");
		CHECK(strstr(text_of(peer_out), "set up by hardware") != NULL, "the page: %s", text_of(peer_out));
	}
	CHECK_EQ(finish(host), 0, "exit code of peer-host");
	nothing_left();
	unlink(host_out);
	unlink(peer_out);
	end(&board);
}

static void damage_on_the_cable(void)
{
	struct usb_process board;
	struct seen seen;
	struct device *dev;
	uint32_t i;

	if (!begin(&board, "model"))
		return;
	dev = open_usb(&seen);
	/* About one byte in 3,000 lost, doubled, flipped each, and one IN transfer in 25 cut off anywhere, within the status
	 * bytes too. Whole words are long; so some accesses time out, but none is wrong. */
	testbed("noise 5000 5000 5000 10");
	for (i = 0; dev && i < 400; i++) {
		uint32_t value = 0;
		int rc = device_reg_write(dev, HF_REG_LOCAL_ADDR0, i + 1);

		if (!rc)
			rc = device_reg_read(dev, HF_REG_LOCAL_ADDR0, &value);
		if (!CHECK(!rc || rc == -ETIMEDOUT, "access %u: %d %s", i, rc, device_fault(dev)))
			break;
		if (!rc)
			CHECK_EQ(value, i + 1, "register");
	}
	CHECK_EQ(i, 400, "accesses");
	testbed("noise 0 0 0 0");
	for (i = 0; dev && i < 100 && device_pump(dev, 10) >= 0; i++)
		;
	for (i = 0; dev && i < 20; i++)
		works(dev, i);
	if (dev) {
		CHECK_EQ(device_stats(dev)->bad_messages, 0, "messages that cannot be");
		CHECK_EQ(seen.resets, 0, "resets");
	}
	device_close(dev);
	nothing_left();
	end(&board);
}

static void stall_is_cleared(void)
{
	struct usb_process board;
	struct seen seen;
	struct device *dev;

	if (!begin(&board, "model"))
		return;
	dev = open_usb(&seen);
	for (uint32_t i = 0; dev && i < 10; i++) {
		testbed(i & 1 ? "halt IN" : "halt OUT");
		if (!works(dev, i))
			break;
	}
	device_close(dev);
	nothing_left();
	end(&board);
}

static void suspend_is_survived(void)
{
	struct usb_process board;
	struct seen seen;
	struct device *dev;
	uint32_t value;

	if (!begin(&board, "model"))
		return;
	dev = open_usb(&seen);
	for (uint32_t i = 0; dev && i < 3; i++) {
		int64_t until;

		testbed("suspend");
		CHECK_EQ(device_reg_read(dev, HF_REG_ID, &value), -ETIMEDOUT, "read while suspended");
		testbed("resume");
		for (until = clock_ms() + 200; clock_ms() < until && device_pump(dev, 20) >= 0;)
			;
		if (!works(dev, i))
			break;
	}
	device_close(dev);
	nothing_left();
	end(&board);
}

/* The fd sleeps while nothing happens, and wakes when something does. */
static void descriptor_wakes_and_sleeps(void)
{
	uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 };
	struct usb_process board;
	struct seen seen;
	struct device *dev;
	unsigned wakes = 0;
	int64_t until;
	int wire;

	if (!begin(&board, "model"))
		return;
	wire = join_wire(&board);
	dev = open_usb(&seen);
	if (dev) {
		struct pollfd p = { device_fd(dev), POLLIN, 0 };

		for (until = clock_ms() + 200; clock_ms() < until && device_pump(dev, 20) >= 0;)
			;
		for (until = clock_ms() + 1000; clock_ms() < until;) {
			wakes += poll(&p, 1, (int)(until - clock_ms())) > 0;
			CHECK(device_pump(dev, 0) >= 0, "pump");
		}
		/* One for each latency timer of 4 ms, and as much again for acknowledgements and chance. */
		CHECK(wakes < 600, "%u wake-ups in a second without traffic", wakes);
		for (unsigned i = 1; i <= 200; i++) {
			send(wire, frame, sizeof(frame), 0);
			until = clock_ms() + 2000;
			/* Never more than one message is taken for each time that the descriptor says so. */
			while (seen.frames < i && clock_ms() < until)
				if (poll(&p, 1, 500) > 0)
					device_pump(dev, 0);
		}
		CHECK_EQ(seen.frames, 200, "frames");
	}
	device_close(dev);
	close(wire);
	end(&board);
}

/* Frames both ways, faster than anything takes them: nothing is stuck, nothing is lost on the way down. */
static void traffic_both_ways(void)
{
	uint8_t frame[1514] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 }, got[2048];
	unsigned sent = 0, came = 0, wrong = 0;
	int64_t until = clock_ms() + 20000; /* without any progress */
	struct usb_process board;
	struct seen seen;
	struct device *dev;
	int wire;

	if (!begin(&board, "model"))
		return;
	wire = join_wire(&board);
	dev = open_usb(&seen);
	while (dev && came < 2000 && clock_ms() < until) {
		put32(frame + 14, sent);
		if (sent < 2000 && !device_frame(dev, frame, 60 + sent % 1455))
			sent++;
		send(wire, frame, sizeof(frame), MSG_DONTWAIT); /* up, as many as fit */
		if (device_pump(dev, sent < 2000 ? 0 : 5) < 0)
			break;
		while (recv(wire, got, sizeof(got), MSG_DONTWAIT) > 0) {
			wrong += get32(got + 14) != came++;
			until = clock_ms() + 20000;
		}
	}
	CHECK_EQ(came, 2000, "frames down");
	CHECK_EQ(wrong, 0, "frames out of order");
	CHECK(seen.frames > 100, "%u frames up", seen.frames);
	device_close(dev);
	close(wire);
	nothing_left();
	end(&board);
}

/* A machine that has other things to do: the board has 3 ms of each 12. */
static pid_t hinder(pid_t board)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < 10000 && !kill(board, SIGSTOP); i++) {
		usleep(9000);
		kill(board, SIGCONT);
		usleep(3000);
	}
	_exit(0);
}

/* The RTL's milliseconds are those in which its pins moved: a simulation that is late cuts off no packet, and goes on. */
static void board_that_is_late(void)
{
	enum { FRAMES = 60, WINDOW = 8 };
	uint8_t frame[1514] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 }, got[2048];
	unsigned sent = 0, back = 0, came = 0, wrong = 0;
	struct usb_process board;
	struct seen seen;
	struct device *dev;
	int64_t until;
	pid_t other;
	const char *said;
	int wire;

	if (!begin(&board, "rtl"))
		return;
	wire = join_wire(&board);
	dev = open_usb(&seen);
	other = hinder(board.pid);
	until = clock_ms() + 30000; /* without any progress */
	while (dev && (seen.frames < FRAMES || seen.completions < FRAMES) && clock_ms() < until) {
		ssize_t n;

		while (sent < FRAMES && sent - seen.frames < WINDOW && device_frame_room(dev)) {
			put32(frame + 14, sent);
			CHECK_EQ(device_frame(dev, frame, sizeof(frame)), 0, "frame");
			CHECK_EQ(device_command(dev, HF_COMMAND_RELEASE, 5), 0, "command");
			sent++;
		}
		if (device_pump(dev, 2) < 0)
			break;
		if (seen.frames != came) {
			came = seen.frames;
			until = clock_ms() + 30000;
		}
		while ((n = recv(wire, got, sizeof(got), MSG_DONTWAIT)) > 0) {
			if (got[12] != 0x88 || got[13] != 0xb5)
				continue;
			wrong += get32(got + 14) != back++;
			send(wire, got, (size_t)n, 0);
		}
	}
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	kill(board.pid, SIGCONT);
	CHECK_EQ(seen.frames, FRAMES, "frames there and back");
	CHECK_EQ(seen.completions, FRAMES, "completions");
	CHECK_EQ(wrong, 0, "frames out of order");
	CHECK_EQ(seen.resets, 0, "times the link was opened anew");
	device_close(dev);
	close(wire);
	nothing_left();
	end(&board);
	/* A board that cut what came late would spoil some packet in each of its stops; one may be cut where the host itself was late. */
	said = strstr(board.said, "link: ");
	CHECK(said && strtoul(said + 6, NULL, 10) <= FRAMES / 10, "%s", board.said);
}

/* HF_USB_UNPLUGS: how often; 200 in the everyday form. */
static void unplugged_at_random_moments(void)
{
	const char *more = getenv("HF_USB_UNPLUGS");
	unsigned rounds = more ? (unsigned)strtoul(more, NULL, 10) : 200, before = 0, stages[4] = { 0 };
	uint8_t frame[400] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 };
	uint64_t seed = 1;
	struct usb_process board;
	int wire;

	if (!begin(&board, "model"))
		return;
	wire = join_wire(&board);
	for (unsigned i = 0; i < rounds; i++) {
		/* Most of a connection's life is after its beginning; so cut that more often. */
		unsigned stage = i % 4, after = random_below(&seed, stage ? 60 : 4);
		char why[TRANSPORT_WHY_BYTES] = "";
		struct device *dev = NULL;
		struct seen seen;
		uint32_t value;
		int rc = 0;

		if (i == 4)
			before = open_descriptors();
		if (stage == 0) {
			/* In the middle of opening. */
			pid_t pid = fork();

			if (pid == 0) {
				rc = try_open("usb:", 300, &seen, &dev, why);
				device_close(dev);
				_exit(rc == 0 || rc == -ENODEV || rc == -ETIMEDOUT || rc == -EIO || rc == -EPIPE ? 0
														 : 1);
			}
			usleep(random_below(&seed, 15000));
			testbed("unplug");
			CHECK_EQ(finish(pid), 0, "opening while it is unplugged");
			stages[0]++;
		} else {
			dev = open_usb(&seen);
			if (!dev)
				break;
			for (unsigned k = 0; k < after && !rc; k++) {
				if (stage == 1)
					rc = device_reg_read(dev, HF_REG_ID, &value) == -ENODEV;
				else if (stage == 2)
					device_frame(dev, frame, sizeof(frame));
				else
					send(wire, frame, sizeof(frame), MSG_DONTWAIT);
				if (!rc)
					rc = device_pump(dev, 0) < 0;
			}
			if (!CHECK(!rc, "round %u: %d %s", i, rc, device_fault(dev)))
				break;
			testbed("unplug");
			for (int64_t until = clock_ms() + 2000; rc != -ENODEV && clock_ms() < until;) {
				device_frame(dev, frame, sizeof(frame));
				rc = device_pump(dev, 100);
			}
			if (!CHECK_EQ(rc, -ENODEV, "after unplugging"))
				break;
			stages[stage]++;
			device_close(dev);
		}
		testbed("plug %u", board.port);
		if (i >= 4 && !CHECK_EQ(open_descriptors(), before, "descriptors"))
			break;
	}
	CHECK(stages[0] + stages[1] + stages[2] + stages[3] == rounds, "rounds: %u %u %u %u", stages[0], stages[1],
		stages[2], stages[3]);
	{
		struct seen seen;
		struct device *dev = open_usb(&seen);

		if (dev)
			works(dev, 1);
		device_close(dev);
	}
	close(wire);
	nothing_left();
	end(&board);
}

static void plugged_in_while_waiting(void)
{
	struct usb_process board;
	char why[TRANSPORT_WHY_BYTES] = "";
	struct device *dev;
	struct seen seen;
	pid_t pid;

	if (!begin(&board, "model"))
		return;
	testbed("unplug");
	CHECK_EQ(try_open("usb:", 100, &seen, &dev, why), -ENODEV, "nothing there");
	CHECK(!strcmp(why, "no board on USB"), "why: %s", why);
	pid = fork();
	if (pid == 0) {
		int rc = try_open("usb:", 3000, &seen, &dev, why);

		device_close(dev);
		_exit(-rc);
	}
	usleep(200000);
	/* And for 300 ms after it appeared it has no configuration. */
	testbed("plug %u 300", board.port);
	CHECK_EQ(finish(pid), 0, "opening before it is plugged in");
	testbed("unplug");
	testbed("plug %u 100000", board.port);
	CHECK_EQ(try_open("usb:", 100, &seen, &dev, why), -ENOENT, "never configured");
	CHECK(strstr(why, "not configured") != NULL, "why: %s", why);
	end(&board);
}

static void chosen_by_serial(void)
{
	struct usb_process board;
	char why[TRANSPORT_WHY_BYTES] = "", uri[64];
	struct usb_board list[4];
	struct device *dev;
	struct seen seen;

	if (!begin(&board, "model"))
		return;
	CHECK_EQ(usb_list(list, 4), 1, "boards");
	snprintf(uri, sizeof(uri), "usb:SIM%u", board.port);
	CHECK(!strcmp(list[0].serial, uri + 4), "serial: %s", list[0].serial);
	CHECK(!strcmp(list[0].product, "Handfast simulated board"), "product: %s", list[0].product);
	CHECK(list[0].ours && list[0].speed_mbit == 480, "ours %d, %u Mbit/s", list[0].ours, list[0].speed_mbit);
	CHECK_EQ(try_open(uri, 1000, &seen, &dev, why), 0, "by its serial");
	device_close(dev);
	CHECK_EQ(try_open("usb:SIM1", 50, &seen, &dev, why), -ENODEV, "another serial");
	CHECK(!strcmp(why, "no board of serial SIM1 on USB"), "why: %s", why);
	testbed("unplug");
	testbed("foreign FT0ABC");
	CHECK_EQ(try_open("usb:FT0ABC", 1000, &seen, &dev, why), -EPROTO, "a foreign device by its serial");
	CHECK(strstr(why, "0403:6010 at 1-1 is 'Dual RS232-HS', no Handfast board") != NULL, "why: %s", why);
	CHECK_EQ(try_open("usb:", 50, &seen, &dev, why), -ENODEV, "a foreign device alone");
	CHECK(strstr(why, "'Dual RS232-HS', no Handfast board") != NULL, "why: %s", why);
	nothing_left();
	end(&board);
}

/* `handfast boards`: free, taken, and for programs. */
static void listed(void)
{
	char out[96], expected[160], folder[96], line[200];
	struct usb_process board;
	struct device *dev;
	struct seen seen;

	if (!begin(&board, "model"))
		return;
	snprintf(out, sizeof(out), "%s/out.txt", board.folder);
	snprintf(folder, sizeof(folder), "boards --wait 3000 --dir %s", board.folder);
	CHECK_EQ(finish(run(true, out, folder)), 0, "exit code with a board");
	snprintf(expected, sizeof(expected), "usb:SIM%u", board.port);
	CHECK(strstr(text_of(out), expected) && strstr(text_of(out), "USB 480 Mbit/s at 1-1") &&
			strstr(text_of(out), "free, 1024 entries, 64 bits"),
		"boards: %s", text_of(out));
	snprintf(line, sizeof(line), "%s --json unix:%s/no\"ne", folder, board.folder);
	CHECK_EQ(finish(run(true, out, line)), 0, "exit code with a board");
	snprintf(expected, sizeof(expected), "\"answers\": true, \"version\": %d, \"slots\": 1024, \"data_width\": 64",
		HF_ABI_VERSION);
	CHECK(strstr(text_of(out), expected) && strstr(text_of(out), "no\\\"ne\", \"serial\": \"\""),
		"boards --json: %s", text_of(out));
	dev = open_usb(&seen);
	snprintf(line, sizeof(line), "boards --wait 300 --dir %s", board.folder);
	CHECK_EQ(finish(run(true, out, line)), 1, "exit code with one that is taken");
	snprintf(expected, sizeof(expected), "is used by test_usb (pid %d)", getpid());
	CHECK(strstr(text_of(out), expected) != NULL, "boards: %s", text_of(out));
	device_close(dev);
	testbed("unplug");
	CHECK_EQ(finish(run(true, out, folder)), 1, "exit code without a board");
	snprintf(expected, sizeof(expected), "boards: none on USB, on PCI, or in %s\n", board.folder);
	CHECK(!strcmp(text_of(out), expected), "boards: %s", text_of(out));
	CHECK_EQ(finish(run(true, out, "boards --wait never")), 2, "exit code of a bad number");
	CHECK(!strcmp(text_of(out), "boards: --wait never: not 1 to 60000 milliseconds\n"), "boards: %s", text_of(out));
	CHECK_EQ(finish(run(true, out, "boards usb")), 2, "exit code of a bad URI");
	CHECK(!strncmp(text_of(out), "boards: usb: not one of unix:PATH, usb:[SERIAL]", 46), "boards: %s",
		text_of(out));
	unlink(out);
	end(&board);
}

static void second_process_is_refused(void)
{
	struct usb_process board;
	char why[TRANSPORT_WHY_BYTES] = "", expected[64];
	struct device *dev, *other;
	struct seen seen, more;
	int ready[2], status;
	char c;
	pid_t pid;

	if (!begin(&board, "model"))
		return;
	dev = open_usb(&seen);
	CHECK_EQ(try_open("usb:", 500, &more, &other, why), -EBUSY, "twice in one process");
	CHECK(strstr(why, "this process") != NULL, "why: %s", why);
	if (dev)
		works(dev, 1);
	device_close(dev);
	CHECK(!pipe(ready), "pipe");
	pid = fork();
	if (pid == 0) {
		dev = open_usb(&seen);
		if (dev && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	CHECK(read(ready[0], &c, 1) == 1, "the other process");
	CHECK_EQ(try_open("usb:", 500, &more, &other, why), -EBUSY, "in two processes");
	snprintf(expected, sizeof(expected), "is used by test_usb (pid %d)", pid);
	CHECK(strstr(why, expected) != NULL, "why: %s, expected: %s", why, expected);
	/* It is killed: the kernel cleans up, and the next one has the board. */
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	usleep(100000);
	dev = open_usb(&seen);
	if (dev)
		works(dev, 2);
	device_close(dev);
	close(ready[0]);
	close(ready[1]);
	nothing_left();
	end(&board);
}

static void no_permission(void)
{
	struct usb_process board;
	char path[256];
	struct usb_board list[1];
	pid_t pid;

	if (getuid()) {
		bench_skip("not root: cannot become somebody else");
		return;
	}
	if (!begin(&board, "model"))
		return;
	CHECK_EQ(usb_list(list, 1), 1, "boards");
	snprintf(path, sizeof(path), "chmod -R a+rwX %s", getenv("UMOCKDEV_DIR")); /* umockdev has sockets there */
	CHECK_EQ(system(path), 0, path);
	snprintf(path, sizeof(path), "%s%s", getenv("UMOCKDEV_DIR"), list[0].node);
	chmod(path, 0600);
	pid = fork();
	if (pid == 0) {
		char why[TRANSPORT_WHY_BYTES] = "";
		struct device *dev;
		struct seen seen;
		int rc;

		if (setgid(65534) || setuid(65534))
			_exit(2);
		rc = try_open("usb:", 50, &seen, &dev, why);
		if (rc != -EACCES)
			fprintf(stderr, "open without permission: %d %s\n", rc, why);
		_exit(rc == -EACCES && strstr(why, "70-handfast.rules") && strstr(why, list[0].node) ? 0 : 1);
	}
	CHECK_EQ(finish(pid), 0, "open without permission");
	end(&board);
}

/* ---- boards that are not what they should be ---- */

static const uint8_t *hello(unsigned version)
{
	static uint8_t m[40];

	MSG_PUT(m, HEADER, type, HF_MSG_HELLO);
	MSG_PUT(m, HEADER, length, sizeof(m));
	MSG_PUT(m, HEADER, id, HF_NO_ID);
	MSG_PUT(m, HELLO, version, version);
	MSG_PUT(m, HELLO, slots, 64);
	MSG_PUT(m, HELLO, credits, 4);
	MSG_PUT(m, HELLO, listeners, 4);
	MSG_PUT(m, HELLO, max_frame, 1522);
	MSG_PUT(m, HELLO, data_w, 64);
	return m;
}

static void other_firmware(void)
{
	char why[TRANSPORT_WHY_BYTES] = "", expected[64];
	struct usb_fake fake;
	struct device *dev;
	struct seen seen;

	if (!have_umockdev) {
		bench_skip("umockdev is not installed");
		return;
	}
	if (!testbed_start() || !usb_fake_start(&fake, hello(HF_ABI_VERSION + 1), 40))
		return;
	testbed("plug %u", usbip_server_port(fake.server));
	CHECK_EQ(try_open("usb:", 1000, &seen, &dev, why), -EPROTO, "firmware of another version");
	snprintf(expected, sizeof(expected), "the board speaks version %d, this driver version %d", HF_ABI_VERSION + 1,
		HF_ABI_VERSION);
	CHECK(!strcmp(why, expected), "why: %s", why);
	nothing_left();
	fake.deaf = true;
	CHECK_EQ(try_open("usb:", 300, &seen, &dev, why), -ETIMEDOUT, "nothing behind the chip");
	CHECK(strstr(why, "no board behind it answers") != NULL, "why: %s", why);
	nothing_left();
	testbed("unplug");
	usb_fake_stop(&fake);
}

/* ---- USB/IP by itself: clients of any kind ---- */

static int client(unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval limit = { 2, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* Bytes that come before the server hangs up, or says no more for two seconds. */
static ssize_t talk(int fd, const void *say, size_t n, uint8_t *answer, size_t want)
{
	size_t have = 0;
	ssize_t got;

	if (n && send(fd, say, n, MSG_NOSIGNAL) < 0)
		return -1;
	while (have < want && (got = recv(fd, answer + have, want - have, 0)) > 0)
		have += (size_t)got;
	return (ssize_t)have;
}

static bool hung_up(int fd)
{
	uint8_t c;

	return recv(fd, &c, 1, 0) <= 0;
}

static const uint8_t import[40] = { 1, 0x11, 0x80, 3, 0, 0, 0, 0, '1', '-', '1' };

static void submit_header(uint8_t h[48], unsigned seqnum, unsigned in, unsigned endpoint, uint32_t length)
{
	memset(h, 0, 48);
	h[3] = 1;
	put32(h + 4, seqnum);
	put32(h + 12, in);
	put32(h + 16, endpoint);
	put32(h + 24, length);
	put32(h + 32, 0xffffffff);
}

static void usbip_protocol(void)
{
	static const uint8_t list[8] = { 1, 0x11, 0x80, 5 };
	uint8_t answer[1024], h[48];
	struct usb_fake fake;
	int a, b;

	if (!usb_fake_start(&fake, hello(HF_ABI_VERSION), 40))
		return;
	a = client(usbip_server_port(fake.server));
	CHECK_EQ(talk(a, list, sizeof(list), answer, 12 + 312 + 8), 12 + 312 + 8, "bytes of a list");
	CHECK_EQ(get32(answer + 8), 1, "devices");
	CHECK_EQ(get16(answer + 12 + 300), 0x0403, "vendor");
	close(a);

	a = client(usbip_server_port(fake.server));
	CHECK_EQ(talk(a, import, sizeof(import), answer, 8 + 312), 8 + 312, "bytes of an import");
	CHECK_EQ(get32(answer + 4), 0, "status");
	/* While it is taken it is not offered, and not given. */
	b = client(usbip_server_port(fake.server));
	CHECK_EQ(talk(b, list, sizeof(list), answer, 12), 12, "bytes of an empty list");
	CHECK_EQ(get32(answer + 8), 0, "devices");
	CHECK_EQ(talk(b, import, sizeof(import), answer, 8), 8, "bytes of a refusal");
	CHECK_EQ(get32(answer + 4), 2, "status: busy");
	close(b);

	/* IN of channel B waits for ever; unlinked it gets RET_UNLINK -104 and nothing else. Unlinked again: 0. */
	submit_header(h, 7, 1, 3, 64);
	CHECK_EQ(talk(a, h, sizeof(h), answer, 0), 0, "submit");
	memset(h, 0, sizeof(h));
	h[3] = 2;
	put32(h + 4, 8);
	put32(h + 20, 7);
	CHECK_EQ(talk(a, h, sizeof(h), answer, 48), 48, "bytes of RET_UNLINK");
	CHECK_EQ(get32(answer), 4, "RET_UNLINK");
	CHECK_EQ(get32(answer + 4), 8, "its number");
	CHECK_EQ(get32(answer + 20), (uint32_t)-104, "status");
	put32(h + 4, 9);
	CHECK_EQ(talk(a, h, sizeof(h), answer, 48), 48, "bytes of RET_UNLINK");
	CHECK_EQ(get32(answer + 20), 0, "status of one that is gone");
	/* An endpoint that is not there, an unknown request: stall. A string: its bytes. */
	submit_header(h, 10, 1, 9, 64);
	CHECK_EQ(talk(a, h, sizeof(h), answer, 48), 48, "bytes of RET_SUBMIT");
	CHECK_EQ(get32(answer + 20), (uint32_t)-EPIPE, "status of endpoint 9");
	submit_header(h, 11, 1, 0, 255);
	h[40] = 0x80;
	h[41] = 6;
	h[42] = 2;
	h[43] = 3;
	h[46] = 255;
	CHECK_EQ(talk(a, h, sizeof(h), answer, 48 + 50), 48 + 50, "bytes of a string");
	CHECK_EQ(get32(answer + 24), 50, "actual length");
	CHECK(answer[48] == 50 && answer[49] == 3 && answer[50] == 'H', "the string");
	h[41] = 0x55;
	put32(h + 4, 12);
	CHECK_EQ(talk(a, h, sizeof(h), answer, 48), 48, "bytes of RET_SUBMIT");
	CHECK_EQ(get32(answer + 20), (uint32_t)-EPIPE, "status of an unknown request");
	close(a);
	usb_fake_stop(&fake);
}

static void usbip_hostile_clients(void)
{
	static const uint8_t old_version[8] = { 1, 6, 0x80, 5 }, unknown[8] = { 1, 0x11, 0x80, 9 };
	static uint8_t flood[65536];
	uint8_t answer[512], h[48];
	struct usb_fake fake;
	uint64_t seed = 1;
	int fd;

	if (!usb_fake_start(&fake, hello(HF_ABI_VERSION), 40))
		return;
	for (unsigned i = 0; i < 8; i++) {
		static const char *const what[] = { "old version", "unknown operation", "unknown command", "4 GiB",
			"isochronous", "endpoint 200", "half a header", "no reading" };

		fd = client(usbip_server_port(fake.server));
		check_context("%s", what[i]);
		if (i == 0 || i == 1) {
			send(fd, i ? unknown : old_version, 8, MSG_NOSIGNAL);
			CHECK(hung_up(fd), "still served");
		} else {
			CHECK_EQ(talk(fd, import, sizeof(import), answer, 320), 320, "import");
			CHECK_EQ(get32(answer + 4), 0, "the one before was forgotten");
			submit_header(h, 1, i == 3, i == 5 ? 200 : 2, i == 3 ? 0xffffffff : 16);
			if (i == 2)
				h[3] = 99;
			if (i == 4)
				put32(h + 32, 5);
			if (i == 7) {
				/* 64 KiB answers without end, not taken. */
				submit_header(h, 1, 1, 0, 65535);
				h[40] = 0x80;
				h[41] = 6;
				h[43] = 2;
				h[46] = h[47] = 255;
				for (unsigned k = 0; k + 48 <= sizeof(flood); k += 48)
					memcpy(flood + k, h, 48);
				for (unsigned k = 0; k < 200; k++)
					if (send(fd, flood, sizeof(flood) / 48 * 48, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
						break;
			} else {
				send(fd, h, i == 6 ? 20 : 48, MSG_NOSIGNAL);
			}
			if (i < 6)
				CHECK(hung_up(fd), "still served");
		}
		close(fd);
		usleep(20000);
	}
	check_context("%s", "");
	for (unsigned i = 0; i < 100; i++) {
		size_t n = random_below(&seed, 400);
		bool imports = i & 1;

		fd = client(usbip_server_port(fake.server));
		if (imports)
			send(fd, import, sizeof(import), MSG_NOSIGNAL);
		for (size_t k = 0; k < n; k++)
			flood[k] = (uint8_t)random_below(&seed, k % 48 < 4 ? 3 : 256);
		send(fd, flood, n, MSG_NOSIGNAL);
		close(fd);
	}
	usleep(100000);
	fd = client(usbip_server_port(fake.server));
	CHECK_EQ(talk(fd, import, sizeof(import), answer, 320), 320, "import after all that");
	CHECK_EQ(get32(answer + 4), 0, "status");
	close(fd);
	usb_fake_stop(&fake);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		CASE(every_operation),
		CASE(whole_connection),
		CASE_ONCE(damage_on_the_cable),
		CASE_ONCE(stall_is_cleared),
		CASE_ONCE(suspend_is_survived),
		CASE_ONCE(descriptor_wakes_and_sleeps),
		CASE_ONCE(traffic_both_ways),
		CASE_ONCE(board_that_is_late),
		CASE_ONCE(unplugged_at_random_moments),
		CASE_ONCE(plugged_in_while_waiting),
		CASE_ONCE(chosen_by_serial),
		CASE_ONCE(listed),
		CASE_ONCE(second_process_is_refused),
		CASE_ONCE(no_permission),
		CASE_ONCE(other_firmware),
		CASE_ONCE(usbip_protocol),
		CASE_ONCE(usbip_hostile_clients),
		{ 0 },
	};
	int result;

	have_umockdev = usb_preload(argv);
	result = bench_main(argc, argv, "usb", cases);
	testbed_stop();
	return result;
}
