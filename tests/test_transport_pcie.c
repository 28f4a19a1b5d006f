/* SPDX-License-Identifier: Apache-2.0
 * test_transport_pcie.c - the driver over rings in memory: a board process with the running engine behind its vfio-user socket
 * (`handfast board --host vfio-user:PATH`), and on this side transport_vfio_user.c, pcie_rings.c and device.c, or the whole
 * library with the kernel behind it. HF_RING_MESSAGES sets how many messages ring_messages and answers_out_of_order send (20,000 without). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../driver/clock.h"
#include "../driver/device.h"
#include "../driver/pcie_rings.h"
#include "support_kernel.h"
#include "support_vfio_user.h"

enum { WAIT_MS = 20000, OPEN_MS = 5000, RELEASED = 0xffff0000 };

static char handfast[4096]; /* path of the program */

/* ---- a board process ---- */

struct port {
	char dir[32], uri[64], wire_path[64];
	pid_t pid;
	int out;  /* what it prints */
	int wire; /* connected to its wire, -1 = not */
};

static bool port_start(struct port *p)
{
	char wire[80];
	int out[2];
	char line[512] = "";
	size_t at = 0;

	snprintf(p->uri, sizeof(p->uri), "vfio-user:%s/card", p->dir);
	snprintf(p->wire_path, sizeof(p->wire_path), "%s/wire", p->dir);
	snprintf(wire, sizeof(wire), "unix:%s", p->wire_path);
	p->wire = -1;
	if (!CHECK(!pipe2(out, O_CLOEXEC), "pipe"))
		return false;
	p->pid = fork();
	if (!p->pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(out[1], 1);
		execl(handfast, handfast, "board", "--engine", engine_kind_name(bench_target()), "--wire", wire,
			"--host", p->uri, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	/* The read end stays open: what the board prints at its end fits the pipe. */
	while (at < sizeof(line) - 1 && read(out[0], line + at, 1) == 1 && line[at++] != '\n')
		;
	p->out = out[0];
	return CHECK(strstr(line, " ready\n") != NULL, "the board says: %s", line);
}

/* Ends with exit code 0: no mismatch in lock step, no broken promise on the pins. */
static void port_stop(struct port *p)
{
	static char text[8192];
	int status = 0;
	ssize_t n;

	kill(p->pid, SIGTERM);
	for (unsigned i = 0; i < WAIT_MS / 10 && waitpid(p->pid, &status, WNOHANG) != p->pid; i++)
		usleep(10000);
	if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the board ended with %x", (unsigned)status))
		kill(p->pid, SIGKILL);
	n = read(p->out, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	CHECK(strstr(text, "broken promises") == NULL, "the board says: %s", text);
	CHECK(strstr(text, "pcie: ") != NULL, "no summary: %s", text);
	close(p->out);
	if (p->wire >= 0)
		close(p->wire);
}

static struct port *port_open(void)
{
	struct port *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/hf-test-XXXXXX");
	CHECK(mkdtemp(p->dir) != NULL, "mkdtemp");
	if (port_start(p))
		return p;
	return p;
}

static void port_close(struct port *p)
{
	port_stop(p);
	CHECK(rmdir(p->dir) == 0, "the board left files behind");
	free(p);
}

static int join(const char *path, int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	CHECK(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)), "connect: %s", strerror(errno));
	return fd;
}

static void wire_give(struct port *p, const void *frame, size_t len)
{
	if (p->wire < 0)
		p->wire = join(p->wire_path, SOCK_SEQPACKET);
	CHECK(send(p->wire, frame, len, MSG_NOSIGNAL) == (ssize_t)len, "send to the wire: %s", strerror(errno));
}

/* ---- a device over it ---- */

struct seen {
	unsigned frames, events, completions, resets;
	int status;
	uint32_t id;
	uint64_t tag;
	uint8_t event[128], frame[2048];
	size_t frame_len;
};

static void on_frame(void *ctx, const uint8_t *msg, size_t len)
{
	struct seen *s = ctx;

	s->frames++;
	s->frame_len = len - HF_MSG_HEADER_BYTES;
	memcpy(s->frame, msg + HF_MSG_HEADER_BYTES, s->frame_len < sizeof(s->frame) ? s->frame_len : sizeof(s->frame));
}

static void on_event(void *ctx, const uint8_t *msg, size_t len)
{
	struct seen *s = ctx;

	s->events++;
	memcpy(s->event, msg, len < sizeof(s->event) ? len : sizeof(s->event));
}

static void on_completion(void *ctx, unsigned command, uint32_t id, int status, uint64_t tag)
{
	struct seen *s = ctx;

	(void)command;
	s->completions++;
	s->status = status;
	s->id = id;
	s->tag = tag;
}

static void on_reset(void *ctx)
{
	((struct seen *)ctx)->resets++;
}

static const struct device_events events = { on_frame, on_event, on_completion, on_reset };

static int try_open(const char *uri, struct transport **t, char *why)
{
	int rc = -ENODEV;

	/* ENODEV: the board has not noticed yet that the client before is gone. */
	for (unsigned i = 0; i < 100 && rc == -ENODEV; i++) {
		if (i)
			usleep(20000);
		rc = transport_open(uri, OPEN_MS, t, why);
	}
	return rc;
}

static struct transport *open_transport(struct port *p)
{
	char why[TRANSPORT_WHY_BYTES] = "";
	struct transport *t = NULL;
	int rc = try_open(p->uri, &t, why);

	CHECK(rc == 0, "transport_open: %d %s", rc, why);
	return rc ? NULL : t;
}

static struct device *open_device(struct port *p, struct seen *s, struct transport **t)
{
	char why[DEVICE_FAULT_BYTES] = "";
	struct device *dev = NULL;
	int rc;

	memset(s, 0, sizeof(*s));
	*t = open_transport(p);
	if (!*t)
		return NULL;
	rc = device_open(*t, &events, s, OPEN_MS, &dev, why);
	if (!CHECK(rc == 0, "device_open: %d %s", rc, why))
		transport_close(*t);
	return rc ? NULL : dev;
}

/* The case's device, or the case ends after a failed check. */
#define DEVICE                                             \
	struct port *port = port_open();                   \
	struct seen seen;                                  \
	struct transport *t;                               \
	struct device *dev = open_device(port, &seen, &t); \
	if (!dev) {                                        \
		port_close(port);                          \
		return;                                    \
	}

static void finish(struct port *port, struct device *dev)
{
	CHECK_EQ(device_stats(dev)->bad_messages, 0, device_fault(dev));
	device_close(dev);
	port_close(port);
}

/* Pump until *counter reaches `want`. */
static bool pump_until(struct device *dev, const unsigned *counter, unsigned want)
{
	const int64_t end = clock_ms() + WAIT_MS;

	while (*counter < want && clock_ms() < end && device_pump(dev, 50) >= 0)
		;
	return CHECK(*counter >= want, "waited for %u, got %u: %s", want, *counter, device_fault(dev));
}

static const struct {
	uint32_t offset, value;
} setup[] = {
	{ HF_REG_HEARTBEAT_MS, 0 },
	{ HF_REG_MAC_LO, 0x00000002 },
	{ HF_REG_MAC_HI, 0x0200 },
	{ HF_REG_LOCAL_ADDR0, OUR_ADDR },
	{ HF_REG_LISTEN_PORT, OUR_PORT },
	{ HF_REG_LISTEN_BACKLOG, 64 },
	{ HF_REG_LISTEN_COMMIT, LISTEN_OFFLOAD << HF_LISTEN_COMMIT_MODE_LOW },
	{ HF_REG_CTRL, CTRL_ENABLE },
};

static void configure(struct device *dev)
{
	for (unsigned i = 0; i < COUNT(setup); i++)
		CHECK_EQ(device_reg_write(dev, setup[i].offset, setup[i].value), 0, "register write");
}

static void give_segment(struct port *p, const struct segment *s)
{
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];

	wire_give(p, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, s)));
}

/* The next frame off the wire is an IPv4 TCP segment; its sequence number. */
static uint32_t wire_tcp(struct port *p, unsigned flags)
{
	uint8_t frame[2048];
	ssize_t n = recv(p->wire, frame, sizeof(frame), 0);

	if (!CHECK(n >= 54 && frame[12] == 8 && frame[23] == 6, "no TCP on the wire: %zd", n))
		return 0;
	CHECK_EQ(frame[47] & 0x3f, flags, "flags of the segment");
	return get32(frame + 38);
}

/* ---- cases ---- */

static void opened_and_closed_again_and_again(void)
{
	struct port *port = port_open();
	unsigned fds = raw_open_fds();

	for (unsigned i = 0; i < 5; i++) {
		struct seen seen;
		struct transport *t;
		struct device *dev = open_device(port, &seen, &t);

		if (!dev)
			break;
		CHECK_EQ(device_board(dev)->version, HF_ABI_VERSION, "version");
		CHECK_EQ(device_board(dev)->slots, 1024, "slots");
		CHECK(transport_fd(t) >= 0, "nothing to poll");
		device_close(dev);
		CHECK_EQ(raw_open_fds(), fds, "descriptors left behind");
	}
	port_close(port);
}

static void registers(void)
{
	uint32_t value = 0;
	DEVICE

	for (unsigned i = 0; i < 50; i++) {
		CHECK_EQ(device_reg_write(dev, HF_REG_SYN_RTO_MS, 1000 + i), 0, "write");
		CHECK_EQ(device_reg_read(dev, HF_REG_SYN_RTO_MS, &value), 0, "read");
		CHECK_EQ(value, 1000 + i, "what was written");
	}
	CHECK_EQ(device_reg_post(dev, HF_REG_SYN_RTO_MS, 777), 0, "post");
	CHECK_EQ(device_reg_read(dev, HF_REG_SYN_RTO_MS, &value), 0, "read behind a post");
	CHECK_EQ(value, 777, "what was posted");
	CHECK_EQ(device_reg_read(dev, 0xffc, &value), -ENXIO, "no such register");
	CHECK_EQ(device_reg_write(dev, HF_REG_ID, 0), -EACCES, "a read-only register");
	/* The same through BAR0. */
	CHECK_EQ(pcie_rings_bus(t)->ops->read32(pcie_rings_bus(t), HF_REG_SYN_RTO_MS, &value), 0, "BAR0");
	CHECK_EQ(value, 777, "what BAR0 shows");
	finish(port, dev);
}

static void frames_both_ways(void)
{
	static const size_t lengths[] = { 60, 61, 63, 64, 65, 127, 128, 129, 511, 512, 513, 1024, 1513, 1514 };
	uint8_t frame[1514], got[2048];
	uint64_t random = 1;
	DEVICE

	configure(dev);
	wire_give(port,
		"\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x88\xb5 hello, any frame of sixty octets will do for this", 60);
	pump_until(dev, &seen.frames, 1);
	for (unsigned i = 0; i < COUNT(lengths); i++) {
		for (size_t k = 0; k < lengths[i]; k++)
			frame[k] = (uint8_t)random_next(&random);
		memcpy(frame, "\2\0\0\0\0\2\2\0\0\0\0\1\x88\xb5", 14);
		wire_give(port, frame, lengths[i]);
		if (!pump_until(dev, &seen.frames, 2 + i))
			break;
		CHECK_BYTES("frame to the host", seen.frame, seen.frame_len, frame, lengths[i]);
		CHECK_EQ(device_frame(dev, frame, lengths[i]), 0, "device_frame");
		device_pump(dev, 0);
		CHECK_BYTES("frame to the wire", got, (size_t)recv(port->wire, got, sizeof(got), 0), frame, lengths[i]);
	}
	finish(port, dev);
}

static void commands(void)
{
	uint8_t body[128];
	DEVICE

	configure(dev);
	CHECK_EQ(device_command(dev, HF_COMMAND_RELEASE, RELEASED), 0, "RELEASE");
	if (pump_until(dev, &seen.completions, 1))
		CHECK_EQ(seen.status, HF_STATUS_STALE, "status of a RELEASE of nothing");
	CHECK_EQ(device_dump(dev, 5, 42), 0, "DUMP");
	if (pump_until(dev, &seen.completions, 2)) {
		CHECK_EQ(seen.status, HF_STATUS_STALE, "status of a DUMP of nothing");
		CHECK_EQ(seen.tag, 42, "tag");
	}
	wire_give(port,
		"\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x88\xb5 hello, any frame of sixty octets will do for this", 60);
	bench_call_body(body, false, PEER_PORT, 50000, &(struct tags){ 0 });
	MSG_PUT(body, EVENT, mss, 1460);
	CHECK_EQ(device_connect(dev, body, 43), 0, "CONNECT");
	if (pump_until(dev, &seen.completions, 3)) {
		CHECK_EQ(seen.status, HF_STATUS_OK, "status of CONNECT");
		CHECK_EQ(seen.tag, 43, "tag");
		wire_tcp(port, HF_SYN);
		CHECK_EQ(device_dump(dev, seen.id & 0xffff, 44), 0, "DUMP");
		if (pump_until(dev, &seen.completions, 4))
			CHECK_EQ(MSG_GET(seen.event, EVENT, state), HF_STATE_SYN_SENT, "state in the DUMP");
		CHECK_EQ(device_command(dev, HF_COMMAND_ABORT, seen.id), 0, "ABORT");
		if (pump_until(dev, &seen.completions, 5))
			CHECK_EQ(seen.status, HF_STATUS_OK, "status of ABORT");
	}
	finish(port, dev);
}

/* A peer opens; what the host hears of it. Returns the connection's id. */
static uint32_t handshake(struct port *port, struct device *dev, struct seen *seen, uint16_t sport)
{
	struct segment s = {
		.sport = sport, .dport = OUR_PORT, .seq = 1000, .flags = HF_SYN, .wnd = 5000, .opts = "mss=1400"
	};
	const unsigned had = seen->events;
	uint32_t iss;

	give_segment(port, &s);
	iss = wire_tcp(port, HF_SYN | HF_ACK);
	s.seq = 1001;
	s.ack = iss + 1;
	s.flags = HF_ACK;
	s.opts = NULL;
	give_segment(port, &s);
	if (!pump_until(dev, &seen->events, had + 1))
		return HF_NO_ID;
	CHECK_EQ(MSG_GET(seen->event, EVENT, code), HF_EVENT_ESTABLISHED, "event");
	CHECK_EQ(MSG_GET(seen->event, EVENT, remote_port), sport, "port in the event");
	CHECK_EQ(MSG_GET(seen->event, EVENT, snd_nxt), iss + 1, "SND.NXT in the event");
	CHECK_EQ(MSG_GET(seen->event, EVENT, rcv_nxt), 1001, "RCV.NXT in the event");
	return (uint32_t)MSG_GET(seen->event, HEADER, id);
}

static void a_handshake(void)
{
	uint32_t id;
	DEVICE

	configure(dev);
	id = handshake(port, dev, &seen, PEER_PORT);
	CHECK_EQ(device_command(dev, HF_COMMAND_RELEASE, id), 0, "RELEASE");
	if (pump_until(dev, &seen.completions, 1))
		CHECK_EQ(seen.status, HF_STATUS_OK, "status of RELEASE");
	finish(port, dev);
}

/* A host that comes after another finds the table as it was: KEEP_ON_FLR. */
static void the_table_stays(void)
{
	uint32_t id;
	DEVICE

	configure(dev);
	id = handshake(port, dev, &seen, PEER_PORT);
	device_close(dev);
	dev = open_device(port, &seen, &t);
	if (!dev) {
		port_close(port);
		return;
	}
	CHECK_EQ(device_dump(dev, id & 0xffff, 1), 0, "DUMP");
	if (pump_until(dev, &seen.completions, 1)) {
		CHECK_EQ(seen.status, HF_STATUS_OK, "status of DUMP");
		CHECK_EQ(MSG_GET(seen.event, HEADER, id), id, "id in the DUMP");
		CHECK_EQ(MSG_GET(seen.event, EVENT, state), HF_STATE_ESTABLISHED, "state in the DUMP");
	}
	finish(port, dev);
}

/* Copies of what the service manager would keep. */
static int keep(struct device *dev, int *fds)
{
	int n = device_keep(dev, fds);

	for (int i = 0; i < n; i++)
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
	return n;
}

static struct device *go_on(struct port *port, const int *kept, const struct device_board *board, struct seen *s)
{
	char why[DEVICE_FAULT_BYTES] = "";
	int fds[TRANSPORT_KEEP_MAX], rc;
	struct device *dev = NULL;
	struct transport *t;

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < 2; i++)
		fds[i] = fcntl(kept[i], F_DUPFD_CLOEXEC, 0);
	rc = transport_resume(port->uri, fds, 2, &t, why);
	if (!CHECK(rc == 0, "transport_resume: %d %s", rc, why))
		return NULL;
	rc = device_resume(t, board, UINT64_C(1) << 40, &events, s, OPEN_MS, &dev, why);
	CHECK(rc == 0, "device_resume: %d %s", rc, why);
	return dev;
}

/* One process leaves, the next dies in the middle of it, a third goes on: without HELLO, and what the card has sent meanwhile comes once. */
static void another_process_goes_on(void)
{
	struct segment s = {
		.sport = PEER_PORT, .dport = OUR_PORT, .seq = 1000, .flags = HF_SYN, .wnd = 5000, .opts = "mss=1400"
	};
	struct device_board board;
	int kept[TRANSPORT_KEEP_MAX], status = -1;
	char why[TRANSPORT_WHY_BYTES];
	uint32_t id, iss;
	pid_t pid;
	DEVICE

	configure(dev);
	board = *device_board(dev);
	CHECK_EQ(keep(dev, kept), 2, "descriptors");
	give_segment(port, &s);
	iss = wire_tcp(port, HF_SYN | HF_ACK);
	device_leave(dev);
	/* Nobody is there. */
	s.seq = 1001;
	s.ack = iss + 1;
	s.flags = HF_ACK;
	s.opts = NULL;
	give_segment(port, &s);
	pid = fork();
	if (!pid) {
		struct device *child = go_on(port, kept, &board, &seen);
		uint32_t value = 0;

		if (!child || device_reg_read(child, HF_REG_ID, &value) || value != HF_ID)
			_exit(1);
		while (!seen.events && device_pump(child, 50) >= 0)
			;
		/* Its last messages no doorbell has told of. */
		for (unsigned i = 0; i < 3; i++)
			device_command(child, HF_COMMAND_DUMP, 7);
		_exit(seen.events == 1 && !seen.resets ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0, "the one that is killed");
	dev = go_on(port, kept, &board, &seen);
	if (dev) {
		id = handshake(port, dev, &seen, PEER_PORT + 1);
		CHECK_EQ(seen.events, 1, "the other's event, or ours twice");
		CHECK_EQ(seen.resets, 0, "HELLO");
		CHECK_EQ(device_command(dev, HF_COMMAND_RELEASE, id), 0, "RELEASE");
		if (pump_until(dev, &seen.completions, 1))
			CHECK_EQ(seen.status, HF_STATUS_OK, "status of RELEASE");
		CHECK_EQ(device_stats(dev)->bad_messages, 0, device_fault(dev));
		/* The end, whoever has copies. */
		device_close(dev);
	}
	CHECK(transport_resume(port->uri, kept, 2, &t, why) < 0, "a card that was closed goes on");
	dev = open_device(port, &seen, &t);
	if (dev)
		finish(port, dev);
	else
		port_close(port);
}

/* Segments and registers under way, and a function level reset among them; again and again. */
static void reset_in_mid_traffic(void)
{
	uint8_t frame[1514] = { 0 };
	uint32_t id, value = 0;
	DEVICE

	configure(dev);
	memcpy(frame, "\2\0\0\0\0\2\2\0\0\0\0\1\x88\xb5", 14);
	id = handshake(port, dev, &seen, PEER_PORT);
	for (unsigned i = 0; i < 12; i++) {
		check_context("reset %u", i);
		for (unsigned k = 0; k < 20; k++) {
			wire_give(port, frame, 60 + 60 * k);
			device_frame(dev, frame, 60);
			device_reg_post(dev, HF_REG_SYN_RTO_MS, 1000 + i);
		}
		for (unsigned k = 0; k < i; k++)
			device_pump(dev, 0);
		CHECK_EQ(pcie_rings_bus(t)->ops->reset(pcie_rings_bus(t), false), 0, "FLR");
		CHECK_EQ(pcie_rings_restart(t, OPEN_MS), 0, "restart");
		if (!pump_until(dev, &seen.resets, i + 1))
			break;
		CHECK_EQ(device_reg_write(dev, HF_REG_SYN_RTO_MS, 2000 + i), 0, "write after the reset");
		CHECK_EQ(device_reg_read(dev, HF_REG_SYN_RTO_MS, &value), 0, "read after the reset");
		CHECK_EQ(value, 2000 + i, "what was written");
	}
	check_context("%s", "");
	seen.completions = 0;
	CHECK_EQ(device_dump(dev, id & 0xffff, 1), 0, "DUMP");
	if (pump_until(dev, &seen.completions, 1))
		CHECK_EQ(seen.status, HF_STATUS_OK, "the connection is still there: status of DUMP");
	CHECK_EQ(pcie_rings_bus(t)->ops->reset(pcie_rings_bus(t), true), (uint64_t)-ENOTSUP,
		"a socket has no bus to reset");
	finish(port, dev);
}

/* CTRL.CORE_RESET under the driver: it learns by HELLO, as over any transport. */
static void core_reset_under_the_driver(void)
{
	uint32_t value = 0;
	DEVICE

	for (unsigned i = 0; i < 5; i++) {
		struct pcie_bus *b = pcie_rings_bus(t);

		CHECK_EQ(device_reg_write(dev, HF_REG_SYN_RTO_MS, 4321), 0, "write");
		for (unsigned k = 0; k < 8 * i; k++)
			device_reg_post(dev, HF_REG_SYN_RTO_MS, 4321);
		CHECK_EQ(b->ops->read32(b, PCIE_REG(CTRL), &value), 0, "CTRL");
		CHECK_EQ(b->ops->write32(b, PCIE_REG(CTRL), value | PCIE_BIT(CTRL, CORE_RESET)), 0, "CORE_RESET");
		if (!pump_until(dev, &seen.resets, i + 1))
			break;
		CHECK_EQ(device_reg_read(dev, HF_REG_SYN_RTO_MS, &value), 0, "read");
		CHECK(value == 1000 || i, "the register has its reset value: %u", value);
	}
	finish(port, dev);
}

/* ---- messages ---- */

static int send_read(struct transport *t, uint64_t cookie)
{
	uint8_t msg[24] = { 0 };

	MSG_PUT(msg, HEADER, type, HF_MSG_REG_READ);
	MSG_PUT(msg, HEADER, length, sizeof(msg));
	MSG_PUT(msg, HEADER, id, HF_REG_ID);
	MSG_PUT(msg, HEADER, stamp, cookie);
	return transport_send(t, msg, sizeof(msg));
}

static ssize_t receive(struct transport *t, uint8_t *msg, size_t size)
{
	const int64_t end = clock_ms() + WAIT_MS;
	ssize_t n;

	while ((n = transport_recv(t, msg, size)) == -EAGAIN && clock_ms() < end) {
		struct pollfd p = { transport_fd(t), POLLIN, 0 };

		poll(&p, 1, 1000);
	}
	return n;
}

static uint64_t ring_count(uint64_t usual)
{
	const char *set = getenv("HF_RING_MESSAGES");

	return set ? strtoull(set, NULL, 10) : usual;
}

/* `count` register reads and their answers, in bursts, with stalls of the client and, if `wire` is given, frames in between.
 * Every answer comes once, in order. Rings so small that they are full all the time. */
static void exchange(struct transport *t, uint64_t count, struct port *wire)
{
	uint8_t msg[TRANSPORT_MESSAGE_MAX], frame[1514] = { 0 };
	uint64_t sent = 0, answered = 0, frames = 0, full = 0, random = 9;

	memcpy(frame, "\2\0\0\0\0\2\2\0\0\0\0\1\x88\xb5", 14);
	for (unsigned log2 = 12; log2 <= 14; log2 += 2) {
		const uint64_t end = log2 == 12 ? count / 2 : count;

		pcie_rings_bus(t)->c2h_log2 = log2;
		pcie_rings_bus(t)->h2c_log2 = 26 - log2;
		CHECK_EQ(pcie_rings_restart(t, OPEN_MS), 0, "restart");
		if (!CHECK(receive(t, msg, sizeof(msg)) == 40 && MSG_GET(msg, HEADER, type) == HF_MSG_HELLO,
			    "no HELLO"))
			return;
		while (answered < end) {
			unsigned burst = random_below(&random, 4) ? random_below(&random, 1000) : 1;

			while (burst-- && sent < end) {
				if (send_read(t, sent + 1)) {
					full++;
					break;
				}
				sent++;
			}
			if (wire && random_below(&random, 16) == 0)
				wire_give(wire, frame, 60 + random_below(&random, 1400));
			if (random_below(&random, 64) == 0)
				usleep(random_below(&random, 2000)); /* the card waits for us meanwhile */
			for (burst = random_below(&random, 700); answered < sent && burst; burst--) {
				ssize_t n = receive(t, msg, sizeof(msg));

				if (wire && n > 24 && MSG_GET(msg, HEADER, type) == HF_MSG_FRAME) {
					frames++;
					continue;
				}
				if (n != 24 || MSG_GET(msg, HEADER, type) != HF_MSG_REG_REPLY ||
					MSG_GET(msg, HEADER, stamp) != answered + 1 ||
					MSG_GET(msg, REG_REPLY, value) != HF_ID) {
					CHECK(false, "answer %llu: %zd bytes, cookie %llu",
						(unsigned long long)answered + 1, n,
						n < 24 ? 0 : (unsigned long long)MSG_GET(msg, HEADER, stamp));
					return;
				}
				answered++;
			}
		}
	}
	CHECK_EQ(answered, count, "answers");
	CHECK(full > 0, "the ring was never full");
	CHECK(!wire || frames > 0, "no frame came in between");
	printf("exchange: %llu messages each way, %llu times full, %llu frames in between\n",
		(unsigned long long)answered, (unsigned long long)full, (unsigned long long)frames);
}

static void ring_messages(void)
{
	struct port *port = port_open();
	struct transport *t = open_transport(port);

	if (t)
		exchange(t, ring_count(bench_target() == ENGINE_MODEL ? 20000 : 5000), port);
	transport_close(t);
	port_close(port);
}

/* ---- a board in a thread of its own, whose root complex answers when and as it likes ---- */

struct board_thread {
	char dir[32], path[64];
	struct session session;
	struct pcie_card card;
	pthread_t thread;
	volatile bool stop;
};

static void *board_thread(void *ctx)
{
	struct board_thread *b = ctx;

	while (!b->stop) {
		struct pollfd fds[VFIO_USER_FDS];
		unsigned n = vfio_user_poll(&b->card.server, fds);

		poll(fds, n, 10);
		if (fds[0].revents)
			vfio_user_accept(&b->card.server);
		do
			sim_settle(b->session.sim, 1200, 20000); /* longer than MODERATION */
		while (vfio_user_serve(&b->card.server, 16));
	}
	return NULL;
}

/* Completions late, in pieces, out of order; gaps and stalls on the link; few credits that come back late. */
static void answers_out_of_order(void)
{
	struct board_thread *b = calloc(1, sizeof(*b));
	char uri[80], why[TRANSPORT_WHY_BYTES] = "";
	struct transport *t = NULL;
	int rc;

	strcpy(b->dir, "/tmp/hf-test-XXXXXX");
	CHECK(mkdtemp(b->dir) != NULL, "mkdtemp");
	snprintf(b->path, sizeof(b->path), "%s/card", b->dir);
	snprintf(uri, sizeof(uri), "vfio-user:%s", b->path);
	CHECK(!session_open(&b->session, bench_target(), ENGINE_DEFAULT, 1, 0), "session_open");
	CHECK(!pcie_card_open(&b->card, b->path), "pcie_card_open");
	CHECK(!pcie_card_attach(&b->card, &b->session, bench_target() == ENGINE_MODEL, 1), "pcie_card_attach");
	b->card.link->disorder = (struct pcie_disorder){
		.read_min = 10, .read_max = 800, .split = 100, .reorder = 60, .rx_bubble = 40, .tx_stall = 40
	};
	b->card.link->config.ph = 4;
	b->card.link->config.pd = 64;
	b->card.link->config.nph = 4;
	b->card.link->config.credit_delay = 50;
	pthread_create(&b->thread, NULL, board_thread, b);
	rc = transport_open(uri, OPEN_MS, &t, why);
	if (CHECK(rc == 0, "transport_open: %d %s", rc, why))
		exchange(t, ring_count(bench_target() == ENGINE_MODEL ? 20000 : 3000), NULL);
	transport_close(t);
	b->stop = true;
	pthread_join(b->thread, NULL);
	CHECK_EQ(b->card.link->faults, 0, b->card.link->fault);
	CHECK(session_passed(&b->session), "the engine's pins: %s", b->session.sim->fault);
	pcie_card_close(&b->card);
	session_close(&b->session);
	rmdir(b->dir);
	free(b);
}

static void messages_that_cannot_be_sent(void)
{
	struct port *port = port_open();
	struct transport *t = open_transport(port);
	static uint8_t msg[TRANSPORT_MESSAGE_MAX + 1];

	if (t) {
		CHECK_EQ(transport_send(t, msg, sizeof(msg)), (uint64_t)-EMSGSIZE, "too long");
		MSG_PUT(msg, HEADER, length, 24);
		CHECK_EQ(transport_send(t, msg, 32), (uint64_t)-EINVAL, "longer than its length field");
		CHECK_EQ(transport_send(t, msg, 16), (uint64_t)-EINVAL, "shorter than its length field");
		MSG_PUT(msg, HEADER, length, 8);
		CHECK_EQ(transport_send(t, msg, 8), (uint64_t)-EINVAL, "no whole header");
		CHECK(receive(t, msg, sizeof(msg)) == 40, "no HELLO");
		/* One that the core calls malformed is answered. */
		memset(msg, 0, sizeof(msg));
		MSG_PUT(msg, HEADER, type, 99);
		MSG_PUT(msg, HEADER, length, 4096);
		CHECK_EQ(transport_send(t, msg, 4096), 0, "a type that is not known");
		CHECK_EQ(receive(t, msg, sizeof(msg)), 24, "bytes of the answer");
		CHECK_EQ(MSG_GET(msg, COMPLETION, status), HF_STATUS_BAD_TYPE, "status");
		CHECK_EQ(send_read(t, 5), 0, "and the next");
		CHECK_EQ(receive(t, msg, 16), (uint64_t)-EMSGSIZE, "an answer that is longer than asked for");
		CHECK_EQ(send_read(t, 6), 0, "and the next");
		CHECK_EQ(receive(t, msg, sizeof(msg)), 24, "bytes of the answer");
		CHECK_EQ(MSG_GET(msg, HEADER, stamp), 6, "its cookie");
		transport_close(t);
	}
	port_close(port);
}

/* poll(2) says so whenever there is something to receive, however much of it was taken before. */
static void descriptor_is_ready_while_there_is_something(void)
{
	enum { MESSAGES = 300 };
	struct port *port = port_open();
	struct transport *t = open_transport(port);
	uint8_t msg[TRANSPORT_MESSAGE_MAX];
	unsigned got = 0;

	if (t) {
		CHECK(receive(t, msg, sizeof(msg)) == 40, "no HELLO");
		for (unsigned i = 0; i < MESSAGES; i++)
			CHECK_EQ(send_read(t, i), 0, "send");
		/* Never more than one for one poll. */
		while (got < MESSAGES) {
			struct pollfd p = { transport_fd(t), POLLIN, 0 };

			if (!CHECK(poll(&p, 1, WAIT_MS) == 1, "%u of %u came, poll() says there is no more", got,
				    MESSAGES))
				break;
			got += transport_recv(t, msg, sizeof(msg)) == 24;
		}
		CHECK_EQ(transport_recv(t, msg, sizeof(msg)), (uint64_t)-EAGAIN, "one more");
		transport_close(t);
	}
	port_close(port);
}

/* ---- what goes wrong ---- */

static void board_vanishes(void)
{
	unsigned fds;
	int status;
	uint32_t value;
	struct pollfd p;
	DEVICE

	fds = raw_open_fds();
	CHECK_EQ(device_reg_read(dev, HF_REG_ID, &value), 0, "read");
	kill(port->pid, SIGKILL);
	waitpid(port->pid, &status, 0);
	p = (struct pollfd){ device_fd(dev), POLLIN, 0 };
	CHECK(poll(&p, 1, WAIT_MS) == 1, "the descriptor does not tell");
	CHECK_EQ(device_pump(dev, 1000), (uint64_t)-ENODEV, "device_pump");
	CHECK_EQ(device_reg_read(dev, HF_REG_ID, &value), (uint64_t)-ENODEV, "device_reg_read");
	CHECK_EQ(device_frame(dev, (const uint8_t *)"", 60), (uint64_t)-ENODEV, "device_frame");
	device_close(dev);
	close(port->out);
	/* A new one at the same place: the stale socket is replaced. */
	if (port_start(port)) {
		dev = open_device(port, &seen, &t);
		if (dev) {
			CHECK_EQ(device_reg_read(dev, HF_REG_ID, &value), 0, "read");
			CHECK_EQ(raw_open_fds(), fds, "descriptors left behind");
			device_close(dev);
		}
	}
	port_close(port);
}

static void boards_that_cannot_be_opened(void)
{
	char dir[] = "/tmp/hf-test-XXXXXX", uri[256], path[64], why[TRANSPORT_WHY_BYTES];
	struct transport *t = NULL, *first;
	struct port *port = port_open();
	unsigned fds = raw_open_fds();
	int listener, rc, reset;
	int64_t start;
	pid_t pid;

	CHECK(mkdtemp(dir) != NULL, "mkdtemp");
	snprintf(path, sizeof(path), "%s/x", dir);
	snprintf(uri, sizeof(uri), "vfio-user:%s", path);
	CHECK_EQ(transport_open(uri, 100, &t, why), (uint64_t)-ENOENT, "nobody there");
	CHECK_EQ(transport_open("vfio-user:", 100, &t, why), (uint64_t)-EINVAL, "no path");
	CHECK_EQ(transport_open("pci:1:0:0", 100, &t, why), (uint64_t)-EINVAL, "no PCI address");
	CHECK_EQ(transport_open("pci:0000:01:00.0x", 100, &t, why), (uint64_t)-EINVAL, "a PCI address and more");
	CHECK_EQ(transport_open("pci:ffff:ff:1f.7", 100, &t, why), (uint64_t)-ENOENT, "no such device");
	CHECK(strstr(why, "ffff:ff:1f.7") != NULL, "says: %s", why);
	memset(uri, 'x', sizeof(uri) - 1);
	memcpy(uri, "vfio-user:", 10);
	uri[sizeof(uri) - 1] = '\0';
	CHECK_EQ(transport_open(uri, 100, &t, why), (uint64_t)-ENAMETOOLONG, "a long path");
	snprintf(uri, sizeof(uri), "vfio-user:%s", port->wire_path);
	CHECK_EQ(transport_open(uri, 100, &t, why), (uint64_t)-EPROTOTYPE, "a socket of another kind");

	/* Servers that hang up, talk rubbish, or answer with an error. */
	for (unsigned kind = 0; kind < 3; kind++) {
		struct sockaddr_un addr = { .sun_family = AF_UNIX };

		listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
		CHECK(!bind(listener, (struct sockaddr *)&addr, sizeof(addr)) && !listen(listener, 1), "listen");
		pid = fork();
		if (!pid) {
			uint8_t b[256];
			int fd = accept(listener, NULL, NULL);
			ssize_t n = recv(fd, b, sizeof(b), 0);

			if (kind == 1)
				memset(b, 0xff, sizeof(b));
			put_le(b + 8, 4, 1 | 1 << 5);
			put_le(b + 12, 4, EACCES);
			put_le(b + 4, 4, kind == 1 ? 7 : 16);
			if (kind)
				n = send(fd, b, kind == 1 ? 200 : 16, MSG_NOSIGNAL);
			if (n > 0)
				recv(fd, b, sizeof(b), 0);
			_exit(0);
		}
		snprintf(uri, sizeof(uri), "vfio-user:%s", path);
		start = clock_ms();
		rc = transport_open(uri, 100, &t, why);
		CHECK_EQ(rc, (uint64_t)(kind == 2 ? -EACCES : -ENODEV), why);
		CHECK(strstr(why, "VERSION") != NULL, "says: %s", why);
		CHECK(clock_ms() - start < 10000, "it took %lld ms", (long long)(clock_ms() - start));
		close(listener);
		unlink(path);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	rmdir(dir);
	CHECK_EQ(raw_open_fds(), fds, "descriptors left behind");

	/* A card has one host. */
	first = open_transport(port);
	rc = transport_open(port->uri, 1000, &t, why);
	CHECK_EQ(rc, (uint64_t)-ENODEV, "a second host");
	CHECK(strstr(why, "hung up") != NULL, "says: %s", why);
	reset = first ? send_read(first, 1) : 0;
	CHECK_EQ(reset, 0, "the first one goes on");
	transport_close(first);
	port_close(port);
}

/* What a broken card may write into our memory: each ends the transport, none reads or writes beyond the rings. */
static void a_card_that_lies(void)
{
	static const struct {
		const char *name;
		unsigned at; /* in the memory of the rings */
		uint32_t value;
		bool send; /* send() notices, else recv() */
	} rows[] = {
		{ "C2H_TAIL beyond the ring", PCIE_BUS_STATUS_AT, 40 + (1 << PCIE_BUS_C2H_LOG2) + 8, false },
		{ "C2H_TAIL behind what was read", PCIE_BUS_STATUS_AT, 32, false },
		{ "C2H_TAIL not of 8", PCIE_BUS_STATUS_AT, 44, false },
		{ "a message of 8 bytes", 40, 8 << 16 | HF_MSG_EVENT, false },
		{ "a message of 65,528 bytes", 40, 0xfff80000 | HF_MSG_FRAME, false },
		{ "H2C_HEAD beyond what was written", PCIE_BUS_STATUS_AT + 4, 8, true },
		{ "H2C_HEAD far behind", PCIE_BUS_STATUS_AT + 4, 0x80000000, true },
	};
	struct port *port = port_open();
	uint8_t msg[TRANSPORT_MESSAGE_MAX];

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct transport *t = open_transport(port);
		uint8_t *memory;

		if (!t)
			break;
		check_context("%s", rows[i].name);
		memory = pcie_rings_bus(t)->memory;
		CHECK(receive(t, msg, sizeof(msg)) == 40, "no HELLO");
		CHECK_EQ(transport_recv(t, msg, sizeof(msg)), (uint64_t)-EAGAIN, "one more");
		if (rows[i].at == 40)
			put_le(memory + PCIE_BUS_STATUS_AT, 4, 40 + 24);
		put_le(memory + rows[i].at, 4, rows[i].value);
		if (rows[i].send)
			CHECK_EQ(send_read(t, 1), (uint64_t)-ENODEV, "send");
		CHECK_EQ(transport_recv(t, msg, sizeof(msg)), (uint64_t)-ENODEV, "recv");
		CHECK_EQ(send_read(t, 1), (uint64_t)-ENODEV, "send afterwards");
		transport_close(t);
	}
	check_context("%s", "");
	port_close(port);
}

/* vfio-pci without a card: each thing that can be missing is named. */
static void vfio_pci_that_is_not_set_up(void)
{
	struct transport *t;
	char uri[64], why[TRANSPORT_WHY_BYTES] = "";
	DIR *dir = opendir("/sys/bus/pci/devices");
	struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir))) {
		char path[128], driver[256] = "";

		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.20s/driver", e->d_name);
		if (e->d_name[0] == '.' ||
			(readlink(path, driver, sizeof(driver) - 1) > 0 && strstr(driver, "/vfio-pci")))
			continue;
		found = true;
		snprintf(uri, sizeof(uri), "pci:%.20s", e->d_name);
		CHECK_EQ(transport_open(uri, 100, &t, why), (uint64_t)-ENOTSUP, "a device of another driver");
		CHECK(strstr(why, "not to vfio-pci") != NULL, "says: %s", why);
	}
	if (dir)
		closedir(dir);
	if (!found)
		bench_skip("this machine has no PCI device, or none but for vfio-pci");
}

/* ---- the library and the kernel behind it ---- */

static void a_kernel_socket(void)
{
	struct kernel *k;
	struct conn c;
	struct packet p;

	kernel_transport = "vfio-user";
	k = kernel_open();
	if (!k)
		return;
	for (uint16_t port = 1000; port < 1004; port++) {
		if (!conn_open(&c, k, port, port & 1 ? "mss=1460 sack ts=1:0 ws=7" : "mss=1460"))
			break;
		conn_say(&c, "P.", "hello");
		conn_hear(&c, ".", &p);
		conn_reads(&c, "hello");
		CHECK(write(c.fd, "and back", 8) == 8, "write: %s", strerror(errno));
		conn_hear(&c, ".", &p);
		CHECK_EQ(p.text_len, 8, "bytes of the answer");
		conn_close(&c);
	}
	kernel_close(k);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		CASE(opened_and_closed_again_and_again),
		CASE(registers),
		CASE(frames_both_ways),
		CASE(commands),
		CASE(a_handshake),
		CASE(the_table_stays),
		CASE(another_process_goes_on),
		CASE(reset_in_mid_traffic),
		CASE(core_reset_under_the_driver),
		CASE(ring_messages),
		CASE(answers_out_of_order),
		CASE(messages_that_cannot_be_sent),
		CASE(descriptor_is_ready_while_there_is_something),
		CASE(board_vanishes),
		CASE(a_card_that_lies),
		CASE_ONCE(boards_that_cannot_be_opened),
		CASE_ONCE(vfio_pci_that_is_not_set_up),
		CASE(a_kernel_socket),
		{ 0 },
	};
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	snprintf(handfast, sizeof(handfast), "%.4000s/../handfast", dirname(self));
	kernel_prepare();
	return bench_main(argc, argv, "transport_pcie", cases);
}
