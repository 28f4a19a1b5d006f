/* SPDX-License-Identifier: Apache-2.0
 * test_transport.c - the driver: transports, and the protocol of regs/message.def seen from the host. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../driver/clock.h"
#include "../driver/device.h"
#include "support_bench.h"
#include "support_fake_board.h"

/* ---- what a device reported ---- */

struct seen {
	unsigned frames, events, completions, resets;
	int status[64]; /* of completions, in order */
	uint32_t id[64];
	uint64_t tag[64];
	uint8_t event[128], frame[2048];
	size_t frame_len;
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
	struct seen *s = ctx;

	s->events++;
	memcpy(s->event, msg, len);
}

static void on_completion(void *ctx, unsigned command, uint32_t id, int status, uint64_t tag)
{
	struct seen *s = ctx;

	(void)command;
	if (s->completions < COUNT(s->status)) {
		s->tag[s->completions] = tag;
		s->status[s->completions] = status;
		s->id[s->completions] = id;
	}
	s->completions++;
}

static void on_reset(void *ctx)
{
	((struct seen *)ctx)->resets++;
}

static const struct device_events events = { on_frame, on_event, on_completion, on_reset };

static unsigned open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* One fake board and a device open on it. */
struct link {
	struct fake_board board;
	struct device *dev;
	struct seen seen;
	char why[DEVICE_FAULT_BYTES];
};

static int link_try(struct link *l, int timeout_ms)
{
	struct transport *t;
	int rc;

	memset(&l->seen, 0, sizeof(l->seen));
	l->dev = NULL;
	l->why[0] = 0;
	if (!CHECK(fake_board_start(&l->board), "the fake board does not start"))
		return -EIO;
	rc = transport_unix_open(l->board.path, 1000, &t);
	if (!CHECK(rc == 0, "transport_unix_open: %d", rc))
		return rc;
	rc = device_open(t, &events, &l->seen, timeout_ms, &l->dev, l->why);
	if (rc)
		transport_close(t);
	return rc;
}

static struct link *link_new(void)
{
	struct link *l = calloc(1, sizeof(*l));

	fake_board_init(&l->board);
	return l;
}

static struct link *link_open(void)
{
	struct link *l = link_new();
	int rc = link_try(l, 1000);

	CHECK(rc == 0, "device_open: %d %s", rc, l->why);
	return l;
}

static void link_close(struct link *l)
{
	device_close(l->dev);
	fake_board_stop(&l->board);
	free(l);
}

/* Pump until *n reaches `least`, two seconds at most. */
static bool pump_until(struct link *l, const unsigned *n, unsigned least)
{
	int64_t end = clock_ms() + 2000;

	while (*n < least && clock_ms() < end) {
		if (device_pump(l->dev, 20) < 0)
			break;
	}
	return *n >= least;
}

/* ---- the unix transport ---- */

static int unix_socket(const char *path, int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 0))
		CHECK(false, "cannot listen at %s: %s", path, strerror(errno));
	return fd;
}

static void path_without_board(void)
{
	char dir[] = "/tmp/handfast-test.XXXXXX", path[200], too_long[200];
	struct transport *t[8] = { NULL };
	unsigned before = open_fds(), n;
	int fd;

	if (!CHECK(mkdtemp(dir) != NULL, "mkdtemp"))
		return;
	snprintf(path, sizeof(path), "%s/s", dir);
	CHECK_EQ(transport_unix_open(path, 100, t), -ENOENT, "nothing there");
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = 0;
	CHECK_EQ(transport_unix_open(too_long, 100, t), -ENAMETOOLONG, "a path of 199 bytes");

	fd = unix_socket(path, SOCK_STREAM);
	CHECK_EQ(transport_unix_open(path, 100, t), -EPROTOTYPE, "a stream socket");
	close(fd);
	CHECK_EQ(transport_unix_open(path, 100, t), -ECONNREFUSED, "a socket nobody listens on");
	unlink(path);

	/* Nobody accepts: the queue of one is full after a few. */
	fd = unix_socket(path, SOCK_SEQPACKET);
	for (n = 0; n < COUNT(t) && transport_unix_open(path, 50, &t[n]) == 0; n++)
		;
	CHECK(n < COUNT(t), "a queue of one took %u", n);
	if (n < COUNT(t))
		CHECK_EQ(transport_unix_open(path, 50, &t[n]), -ETIMEDOUT, "a full queue");
	while (n--)
		transport_close(t[n]);
	close(fd);
	unlink(path);
	rmdir(dir);
	CHECK_EQ(open_fds(), before, "file descriptors");
}

static void message_boundaries(void)
{
	char dir[] = "/tmp/handfast-test.XXXXXX", path[200];
	static uint8_t big[TRANSPORT_MESSAGE_MAX + 1];
	struct transport *t;
	uint8_t in[64];
	int listener, fd, rc;

	if (!CHECK(mkdtemp(dir) != NULL, "mkdtemp"))
		return;
	snprintf(path, sizeof(path), "%s/s", dir);
	listener = unix_socket(path, SOCK_SEQPACKET);
	CHECK_EQ(transport_unix_open(path, 100, &t), 0, "open");
	fd = accept(listener, NULL, NULL);
	CHECK(fcntl(transport_fd(t), F_GETFD) & FD_CLOEXEC, "not close-on-exec");

	CHECK_EQ(transport_recv(t, in, sizeof(in)), -EAGAIN, "nothing there");
	CHECK(send(fd, "abc", 3, 0) == 3 && send(fd, "de", 2, 0) == 2, "send");
	CHECK_EQ(transport_recv(t, in, sizeof(in)), 3, "first packet");
	CHECK_EQ(transport_recv(t, in, sizeof(in)), 2, "second packet");
	CHECK(send(fd, big, 65, 0) == 65 && send(fd, "x", 1, 0) == 1, "send");
	CHECK_EQ(transport_recv(t, in, sizeof(in)), -EMSGSIZE, "longer than the buffer");
	CHECK_EQ(transport_recv(t, in, sizeof(in)), 1, "the one after it");

	CHECK_EQ(transport_send(t, big, sizeof(big)), -EMSGSIZE, "too long to send");
	CHECK_EQ(transport_send(t, "abcde", 5), 0, "send");
	CHECK_EQ(recv(fd, in, sizeof(in), 0), 5, "one packet of exactly its length");
	do
		rc = transport_send(t, big, TRANSPORT_MESSAGE_MAX);
	while (rc == 0);
	CHECK_EQ(rc, -EAGAIN, "a board that does not read");

	close(fd);
	CHECK_EQ(transport_recv(t, in, sizeof(in)), -ENODEV, "board gone");
	CHECK_EQ(transport_send(t, "a", 1), -ENODEV, "board gone");
	transport_close(t);
	close(listener);
	unlink(path);
	rmdir(dir);
}

/* ---- opening a device ---- */

static void good_board_opens(void)
{
	unsigned before = open_fds();
	struct link *l = link_open();

	if (l->dev) {
		CHECK_EQ(device_board(l->dev)->slots, 1024, "slots");
		CHECK_EQ(device_board(l->dev)->credits, 4, "credits");
		CHECK_EQ(device_board(l->dev)->listeners, 16, "listeners");
		CHECK_EQ(device_board(l->dev)->max_frame, 1522, "max_frame");
		CHECK_EQ(device_board(l->dev)->epoch, 0x1234, "epoch");
		CHECK(!*device_fault(l->dev), "fault without a fault: %s", device_fault(l->dev));
	}
	link_close(l);
	CHECK_EQ(open_fds(), before, "file descriptors");
}

static void other_versions_are_refused(void)
{
	static const struct {
		const char *name;
		uint32_t hello, id, version;
		const char *text;
	} rows[] = {
		{ "HELLO of version 1", 1, HF_ID, HF_ABI_VERSION, "version 1" },
		{ "HELLO of version 0", 0, HF_ID, HF_ABI_VERSION, "version 0" },
		{ "register VERSION 7", HF_ABI_VERSION, HF_ID, 7, "VERSION is 0x7" },
		{ "register ID wrong", HF_ABI_VERSION, 0xdeadbeef, HF_ABI_VERSION, "ID is 0xdeadbeef" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned before = open_fds();
		struct link *l = link_new();
		int rc;

		l->board.hello_version = rows[i].hello;
		l->board.id = rows[i].id;
		l->board.version = rows[i].version;
		rc = link_try(l, 1000);
		CHECK(rc == -EPROTO, "%s: %d", rows[i].name, rc);
		CHECK(strstr(l->why, rows[i].text) != NULL, "%s: the text is '%s'", rows[i].name, l->why);
		link_close(l);
		CHECK_EQ(open_fds(), before, rows[i].name);
	}
}

static void first_message_must_be_an_intact_hello(void)
{
	static const struct {
		const char *name, *hex;
	} rows[] = {
		{ "5 bytes", "0800280000" },
		{ "HELLO cut after the header", "08002800ffffffff0000000000000000" },
		{ "HELLO cut in the middle", "08002800ffffffff0000000000000000"
					     "0100000034120000" },
		{ "length field smaller than the packet", "08001000ffffffff0000000000000000"
							  "0100000034120000" },
		{ "HELLO of 32 bytes", "08002000ffffffff0000000000000000"
				       "0100000034120000"
				       "0004000004001000" },
		{ "an unknown type", "63001000ffffffff0000000000000000" },
		{ "type 0", "00001000ffffffff0000000000000000" },
		{ "REG_REPLY first", "07001800000000000000000000000000"
				     "0000000000000000" },
		{ "no slots", "08002800ffffffff0000000000000000"
			      "0100000034120000"
			      "0000000004001000"
			      "f205040040000000" },
		{ "65,537 slots", "08002800ffffffff0000000000000000"
				  "0100000034120000"
				  "0100010004001000"
				  "f205040040000000" },
		{ "no credits", "08002800ffffffff0000000000000000"
				"0100000034120000"
				"0004000000001000"
				"f205040040000000" },
		{ "no listeners", "08002800ffffffff0000000000000000"
				  "0100000034120000"
				  "0004000004000000"
				  "f205040040000000" },
		{ "MAX_FRAME 0", "08002800ffffffff0000000000000000"
				 "0100000034120000"
				 "0004000004001000"
				 "0000040040000000" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct link *l = link_new();
		uint8_t first[64];
		int rc;

		l->board.first = first;
		l->board.first_len = from_hex(rows[i].hex, first, sizeof(first));
		rc = link_try(l, 1000);
		CHECK(rc == -EPROTO, "%s: %d", rows[i].name, rc);
		CHECK(*l->why, "%s: no text", rows[i].name);
		link_close(l);
	}
}

static void boards_that_do_not_answer(void)
{
	struct link *l = link_new();

	l->board.silent = true;
	CHECK_EQ(link_try(l, 50), -ETIMEDOUT, "no HELLO");
	CHECK(strstr(l->why, "HELLO") != NULL, "text '%s'", l->why);
	link_close(l);

	l = link_new();
	l->board.hang_up_first = true;
	CHECK_EQ(link_try(l, 1000), -ENODEV, "hung up");
	link_close(l);

	l = link_new();
	l->board.mute = true;
	CHECK_EQ(link_try(l, 1000), -ETIMEDOUT, "registers unanswered");
	link_close(l);
}

/* What the process before has left of a board may be damaged: nothing is believed that HELLO could not have said. */
static void what_cannot_be_is_not_resumed(void)
{
	const struct device_board good = { HF_ABI_VERSION, 0x1234, 64, 4, 16, 1522, 4, 64 };
	struct device_board bad[] = { good, good, good, good, good, good, good, good };
	struct link *l = link_new();
	struct transport *t;

	bad[0].slots = 0;
	bad[1].slots = 65537;
	bad[2].credits = 0;
	bad[3].credits = 0xff000004;
	bad[4].listeners = 0;
	bad[5].listeners = 257;
	bad[6].max_frame = 81;
	bad[7].max_frame = 0xff000000;
	l->board.epoch = good.epoch;
	if (!CHECK(fake_board_start(&l->board) && !transport_unix_open(l->board.path, 1000, &t), "no board"))
		return;
	for (size_t i = 0; i < COUNT(bad); i++) {
		CHECK_EQ(device_resume(t, &bad[i], 1, &events, &l->seen, 100, &l->dev, l->why), -EPROTO,
			"what cannot be");
		CHECK(strstr(l->why, "impossible") != NULL, "board %zu: %s", i, l->why);
	}
	transport_close(t);
	fake_board_stop(&l->board);
	free(l);
}

/* ---- registers ---- */

static void register_access(void)
{
	struct link *l = link_open();
	uint32_t value = 0;

	l->board.bad_offset = 0x3fc;
	l->board.refused_offset = 0x080;
	l->board.malformed_offset = 0x084;
	CHECK_EQ(device_reg_write(l->dev, 0x02c, 1460), 0, "write");
	CHECK_EQ(device_reg_read(l->dev, 0x02c, &value), 0, "read");
	CHECK_EQ(value, 1460, "value");
	CHECK_EQ(device_reg_read(l->dev, 0x3fc, &value), -ENXIO, "no such register");
	CHECK(strstr(device_fault(l->dev), "0x3fc") != NULL, "text '%s'", device_fault(l->dev));
	CHECK_EQ(device_reg_write(l->dev, 0x080, 1), -EACCES, "refused");
	CHECK_EQ(device_reg_write(l->dev, 0x084, 1), -EBADMSG, "malformed, says the board");
	CHECK_EQ(device_stats(l->dev)->refused_messages, 1, "refused_messages");
	CHECK_EQ(device_reg_post(l->dev, 0x018, 5), 0, "post");
	CHECK_EQ(device_reg_read(l->dev, 0x018, &value), 0, "read after post");
	CHECK_EQ(value, 5, "posted value");
	CHECK_EQ(device_stats(l->dev)->bad_messages, 0, "bad_messages");
	link_close(l);
}

static void late_answer_is_not_the_next_one(void)
{
	struct link *l = link_open();
	uint32_t value = 0;

	l->board.reg[0x02c / 4] = 77;
	fake_board_switch(&l->board, &l->board.deaf, true); /* answers when it hears again */
	CHECK_EQ(device_reg_read(l->dev, 0x038, &value), -ETIMEDOUT, "no answer");
	fake_board_switch(&l->board, &l->board.deaf, false);
	CHECK_EQ(device_reg_read(l->dev, 0x02c, &value), 0, "read after a timeout");
	CHECK_EQ(value, 77, "the value of this read, not of the late answer");
	link_close(l);
}

/* ---- commands ---- */

static void commands_keep_to_the_credits(void)
{
	struct link *l = link_new();

	l->board.credits = 3;
	l->board.hold = true;
	CHECK_EQ(link_try(l, 1000), 0, "open");
	for (uint32_t i = 0; i < 10; i++)
		CHECK_EQ(device_command(l->dev, HF_COMMAND_RELEASE, 0x10000 | i), 0, "command");
	CHECK(fake_board_wait(&l->board, &l->board.commands, 3), "three commands did not come");
	device_pump(l->dev, 30);
	CHECK_EQ(fake_board_count(&l->board, &l->board.commands), 3, "commands without credit");
	CHECK_EQ(device_commands_pending(l->dev), 10, "pending");

	/* Out of order: the cookie tells which it is. */
	fake_board_complete(&l->board, 2, HF_STATUS_OK);
	fake_board_complete(&l->board, 0, HF_STATUS_STALE);
	CHECK(pump_until(l, &l->seen.completions, 2), "two completions did not come");
	CHECK_EQ(l->seen.id[0], 0x10002, "first completion");
	CHECK_EQ(l->seen.status[0], HF_STATUS_OK, "its status");
	CHECK_EQ(l->seen.id[1], 0x10000, "second completion");
	CHECK_EQ(l->seen.status[1], HF_STATUS_STALE, "its status");
	CHECK(fake_board_wait(&l->board, &l->board.commands, 5), "credits came back, commands did not");

	fake_board_switch(&l->board, &l->board.hold, false);
	fake_board_complete(&l->board, 1, HF_STATUS_OK);
	fake_board_complete(&l->board, 3, HF_STATUS_OK);
	fake_board_complete(&l->board, 4, HF_STATUS_OK);
	CHECK(pump_until(l, &l->seen.completions, 10), "only %u of 10 completed", l->seen.completions);
	CHECK_EQ(device_commands_pending(l->dev), 0, "pending at the end");
	CHECK(l->board.most_outstanding <= 3, "%u outstanding with 3 credits", l->board.most_outstanding);
	link_close(l);
}

static void commands_with_a_body(void)
{
	static int (*const send[])(
		struct device *, const uint8_t *, uint64_t) = { device_connect, device_hand_back, device_adopt };
	static const unsigned code[] = { HF_COMMAND_CONNECT, HF_COMMAND_CLOSE, HF_COMMAND_ADOPT };
	struct link *l = link_new();
	uint8_t msg[DEVICE_MESSAGE_BYTES];

	CHECK_EQ(link_try(l, 1000), 0, "open");
	for (unsigned i = 0; i < COUNT(send); i++) {
		const struct fake_command *c;

		memset(msg, 0x40 + (int)i, sizeof(msg));
		CHECK_EQ(send[i](l->dev, msg, 700 + i), 0, "command");
		CHECK(pump_until(l, &l->seen.completions, i + 1), "no completion");
		c = fake_board_command(&l->board, i);
		if (!c)
			continue;
		CHECK_EQ(c->code, code[i], "code");
		CHECK_EQ(c->len, 128, "length");
		CHECK_BYTES("body", c->body + 16, 112, msg + 16, 112);
		CHECK_EQ(l->seen.id[i], 0x10042, "the new id");
		CHECK_EQ(l->seen.tag[i], 700 + i, "tag");
		CHECK_EQ(l->seen.status[i], HF_STATUS_OK, "status");
	}
	l->board.command_status = HF_STATUS_EXISTS;
	device_connect(l->dev, msg, 9);
	CHECK(pump_until(l, &l->seen.completions, 4), "no completion");
	CHECK_EQ(l->seen.status[3], HF_STATUS_EXISTS, "status");
	CHECK_EQ(l->seen.tag[3], 9, "tag");
	link_close(l);
}

/* A DUMP that finds something is answered by an event, whose stamp is the cookie. */
static void dump_is_answered_by_an_event(void)
{
	struct link *l = link_new();
	uint8_t msg[128] = { 0 };
	const struct fake_command *c;

	l->board.hold = true;
	CHECK_EQ(link_try(l, 1000), 0, "open");
	CHECK_EQ(device_dump(l->dev, 77, 5), 0, "dump");
	c = fake_board_command(&l->board, 0);
	if (CHECK(c != NULL, "no command")) {
		CHECK_EQ(c->code, HF_COMMAND_DUMP, "code");
		CHECK_EQ(c->id, 77, "slot");
		MSG_PUT(msg, HEADER, type, HF_MSG_EVENT);
		MSG_PUT(msg, HEADER, length, sizeof(msg));
		MSG_PUT(msg, HEADER, id, 0x3004d);
		MSG_PUT(msg, HEADER, stamp, c->cookie);
		MSG_PUT(msg, EVENT, code, HF_EVENT_DUMP);
		fake_board_send(&l->board, msg, sizeof(msg));
		CHECK(pump_until(l, &l->seen.completions, 1), "no completion");
		CHECK_EQ(l->seen.events, 1, "events");
		CHECK_EQ(l->seen.id[0], 0x3004d, "id");
		CHECK_EQ(l->seen.status[0], HF_STATUS_OK, "status");
		CHECK_EQ(l->seen.tag[0], 5, "tag");
		CHECK_EQ(device_commands_pending(l->dev), 0, "pending");
	}
	device_dump(l->dev, 78, 6);
	if (CHECK(fake_board_command(&l->board, 1) != NULL, "no command")) {
		fake_board_complete(&l->board, 1, HF_STATUS_STALE);
		CHECK(pump_until(l, &l->seen.completions, 2), "no completion");
		CHECK_EQ(l->seen.status[1], HF_STATUS_STALE, "status");
	}
	link_close(l);
}

/* It is we who did not run for a second: the board's answer has been there all the time. */
static void an_answer_that_waited_counts(void)
{
	struct link *l = link_new();

	l->board.hold = true;
	CHECK_EQ(link_try(l, 1000), 0, "open");
	device_command(l->dev, HF_COMMAND_ABORT, 7);
	if (CHECK(fake_board_command(&l->board, 0) != NULL, "no command")) {
		fake_board_complete(&l->board, 0, HF_STATUS_OK);
		poll(NULL, 0, DEVICE_COMMAND_TIMEOUT_MS + 10);
		CHECK(pump_until(l, &l->seen.completions, 1), "no completion");
		CHECK_EQ(l->seen.status[0], HF_STATUS_OK, "status");
		CHECK_EQ(device_stats(l->dev)->command_timeouts, 0, "command_timeouts");
	}
	link_close(l);
}

static void unanswered_command_ends(void)
{
	struct link *l = link_new();

	l->board.credits = 1;
	l->board.hold = true;
	CHECK_EQ(link_try(l, 1000), 0, "open");
	device_command(l->dev, HF_COMMAND_ABORT, 7);
	device_command(l->dev, HF_COMMAND_ABORT, 8);
	CHECK(pump_until(l, &l->seen.completions, 1), "a command nobody answers did not end");
	CHECK_EQ(l->seen.status[0], -ETIMEDOUT, "status");
	CHECK_EQ(device_stats(l->dev)->command_timeouts, 1, "command_timeouts");
	CHECK(fake_board_wait(&l->board, &l->board.commands, 2), "its credit was not used again");
	/* The answer comes after all: to nobody, and not to the other command. */
	fake_board_complete(&l->board, 0, HF_STATUS_OK);
	fake_board_complete(&l->board, 1, HF_STATUS_NOT_OWNER);
	CHECK(pump_until(l, &l->seen.completions, 2), "the second command did not end");
	CHECK_EQ(l->seen.id[1], 8, "id");
	CHECK_EQ(l->seen.status[1], HF_STATUS_NOT_OWNER, "status");
	link_close(l);
}

/* ---- frames ---- */

static void frames_both_ways(void)
{
	struct link *l = link_open();
	uint8_t frame[1600];

	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	put16(frame + 12, 0x0800);
	CHECK_EQ(device_frame(l->dev, frame, 13), -EMSGSIZE, "13 bytes");
	CHECK_EQ(device_frame(l->dev, frame, 1523), -EMSGSIZE, "MAX_FRAME + 1");
	CHECK_EQ(device_frame(l->dev, frame, 14), 0, "14 bytes");
	CHECK_EQ(device_frame(l->dev, frame, 1522), 0, "MAX_FRAME");
	CHECK(fake_board_wait(&l->board, &l->board.frames, 2), "the frames did not come");
	CHECK_BYTES("frame to the board", l->board.frame[1].bytes, l->board.frame[1].len, frame, 1522);
	CHECK_EQ(l->board.malformed, 0, "malformed packets");

	fake_board_send_frame(&l->board, frame, 61, HF_FRAME_CSUM_OK, 0x20003);
	CHECK(pump_until(l, &l->seen.frames, 1), "the frame did not come");
	CHECK_BYTES("frame from the board", l->seen.frame + 16, l->seen.frame_len - 16, frame, 61);
	CHECK_EQ(MSG_GET(l->seen.frame, HEADER, id), 0x20003, "id");
	link_close(l);
}

static void board_that_does_not_read(void)
{
	struct link *l = link_open();
	uint8_t frame[1522] = { 0 };
	uint32_t value;
	unsigned sent = 0;
	int rc;

	put16(frame + 12, 0x0800);
	fake_board_switch(&l->board, &l->board.deaf, true);
	usleep(50000);
	do {
		put32(frame + 14, sent);
		rc = device_frame(l->dev, frame, sizeof(frame));
		sent += rc == 0;
	} while (rc == 0 && sent < 100000);
	CHECK_EQ(rc, -EAGAIN, "the queue does not end");
	CHECK(!device_frame_room(l->dev), "room where there is none");
	CHECK(device_wants_out(l->dev), "nothing waits");
	CHECK_EQ(device_reg_read(l->dev, 0, &value), -ETIMEDOUT, "a register of a board that does not read");

	fake_board_switch(&l->board, &l->board.deaf, false);
	CHECK(device_reg_read(l->dev, 0, &value) == 0 || device_reg_read(l->dev, 0, &value) == 0, "it reads again");
	for (unsigned i = 0; i < sent && i < l->board.frames; i++)
		CHECK(get32(l->board.frame[i].bytes + 14) == i, "frame %u is out of order", i);
	CHECK(l->board.frames == sent || l->board.frames == FAKE_FRAMES, "%u of %u frames", l->board.frames, sent);
	link_close(l);
}

/* ---- bad input from the board, later ---- */

static void malformed_messages_are_counted(void)
{
	static const struct {
		const char *name, *hex;
	} rows[] = {
		{ "1 byte", "01" },
		{ "15 bytes", "0100100000000000000000000000ff" },
		{ "a frame cut short", "01004c00ffffffff0000000000000000"
				       "0011223344556677" },
		{ "a frame without a byte", "01001000ffffffff0000000000000000" },
		{ "a frame longer than its length", "01001800ffffffff0000000000000000"
						    "00112233445566778899" },
		{ "an event of 24 bytes", "02001800000001000000000000000000"
					  "0104000000000000" },
		{ "a truncated event", "02008000000001000000000000000000"
				       "0104000000000000" },
		{ "a completion of 16 bytes", "04001000000001000100000000000000" },
		{ "REG_REPLY of 16 bytes", "07001000000000000100000000000000" },
		{ "REG_REPLY of unknown status", "07ff1800000000000100000000000000"
						 "0000000000000000" },
		{ "COMMAND, which only the host sends", "03011000000001000000000000000000" },
		{ "REG_READ, which only the host sends", "05001800000000000000000000000000"
							 "0000000000000000" },
		{ "type 9", "09001000000000000000000000000000" },
		{ "type 255", "ff001000000000000000000000000000" },
	};
	struct link *l = link_open();
	uint8_t packet[64];
	uint32_t value;

	for (size_t i = 0; i < COUNT(rows); i++) {
		fake_board_send(&l->board, packet, from_hex(rows[i].hex, packet, sizeof(packet)));
		CHECK(device_reg_read(l->dev, 0, &value) == 0 && value == HF_ID, "%s: the board is not usable after it",
			rows[i].name);
		CHECK(device_stats(l->dev)->bad_messages == i + 1, "%s: %u bad messages, not %zu", rows[i].name,
			(unsigned)device_stats(l->dev)->bad_messages, i + 1);
		CHECK(*device_fault(l->dev), "%s: no text", rows[i].name);
	}
	CHECK_EQ(l->seen.frames + l->seen.events + l->seen.completions + l->seen.resets, 0, "callbacks");
	link_close(l);
}

static void board_that_goes_away(void)
{
	struct link *l = link_open();
	uint8_t frame[60] = { 0 };
	uint32_t value;

	fake_board_hang_up(&l->board);
	CHECK_EQ(device_pump(l->dev, 1000), -ENODEV, "pump");
	CHECK_EQ(device_pump(l->dev, 1000), -ENODEV, "pump again");
	CHECK_EQ(device_reg_read(l->dev, 0, &value), -ENODEV, "read");
	CHECK_EQ(device_reg_write(l->dev, 0x2c, 0), -ENODEV, "write");
	CHECK_EQ(device_reg_post(l->dev, 0x18, 0), -ENODEV, "post");
	CHECK_EQ(device_command(l->dev, HF_COMMAND_ABORT, 1), -ENODEV, "command");
	CHECK_EQ(device_frame(l->dev, frame, sizeof(frame)), -ENODEV, "frame");
	CHECK(strstr(device_fault(l->dev), "gone") != NULL, "text '%s'", device_fault(l->dev));
	link_close(l);
}

static void board_that_was_reset(void)
{
	struct link *l = link_new();
	uint32_t value;

	l->board.hold = true;
	CHECK_EQ(link_try(l, 1000), 0, "open");
	for (uint32_t i = 0; i < 6; i++)
		device_command(l->dev, HF_COMMAND_RELEASE, i);
	CHECK(fake_board_wait(&l->board, &l->board.commands, 4), "commands");
	l->board.epoch++;
	fake_board_hello(&l->board);
	CHECK(pump_until(l, &l->seen.resets, 1), "no reset seen");
	CHECK_EQ(device_commands_pending(l->dev), 0, "commands of the old epoch");
	CHECK_EQ(device_board(l->dev)->epoch, 0x1235, "epoch");
	CHECK_EQ(device_stats(l->dev)->resets, 1, "resets");

	/* In the middle of a register access that will never be answered. */
	fake_board_switch(&l->board, &l->board.mute, true);
	l->board.epoch++;
	fake_board_hello(&l->board);
	CHECK_EQ(device_reg_read(l->dev, 0, &value), -ECONNRESET, "register access across a reset");

	l->board.hello_version = HF_ABI_VERSION + 1;
	fake_board_hello(&l->board);
	CHECK_EQ(device_pump(l->dev, 1000), -EPROTO, "came back as another version");
	CHECK_EQ(device_reg_read(l->dev, 0, &value), -EPROTO, "and stays refused");
	link_close(l);
}

/* ---- the C model as a board ---- */

static void write_registers(struct device *dev)
{
	static const struct {
		uint32_t offset, value;
	} rows[] = {
		{ HF_REG_MAC_LO, 0x00000002 },
		{ HF_REG_MAC_HI, 0x0200 },
		{ HF_REG_LOCAL_ADDR0, OUR_ADDR },
		{ HF_REG_HEARTBEAT_MS, 0 },
		{ HF_REG_LISTEN_PORT, OUR_PORT },
		{ HF_REG_LISTEN_BACKLOG, 10 },
		{ HF_REG_LISTEN_COMMIT, LISTEN_OFFLOAD << 8 },
		{ HF_REG_CTRL, CTRL_ENABLE },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK(device_reg_write(dev, rows[i].offset, rows[i].value) == 0, "register 0x%03x",
			(unsigned)rows[i].offset);
}

static void segment_to(struct sim *sim, struct segment s)
{
	uint8_t ip[PACKET_MAX], frame[PACKET_MAX];

	s.src = PEER_ADDR;
	s.dst = OUR_ADDR;
	s.sport = PEER_PORT;
	s.dport = OUR_PORT;
	s.wnd = 1000;
	sim_rx(sim, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s)), false);
}

/* The last frame that left on the model's wire. */
static uint8_t wire_frame[PACKET_MAX];
static unsigned wire_frames;

static void on_wire(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	(void)ctx, (void)cycle, (void)time_ns;
	wire_frames++;
	memcpy(wire_frame, frame, len);
}

static bool wire_until(struct link *l, unsigned least)
{
	return pump_until(l, &wire_frames, least);
}

static void model_makes_a_handshake(void)
{
	struct link *l = link_new();
	struct transport *t;
	struct sim *sim;
	uint32_t id, value = 0;
	uint8_t *tcp = wire_frame + 34;
	int rc;

	CHECK_EQ(transport_model_open(1, &t), 0, "open the model");
	sim = transport_model_sim(t);
	sim->on.tx = on_wire;
	wire_frames = 0;
	rc = device_open(t, &events, &l->seen, 5000, &l->dev, l->why);
	if (!CHECK(rc == 0, "device_open: %d %s", rc, l->why)) {
		transport_close(t);
		free(l);
		return;
	}
	CHECK_EQ(device_board(l->dev)->slots, 1024, "slots");
	write_registers(l->dev);
	CHECK_EQ(device_reg_write(l->dev, HF_REG_KEY_INDEX0, 1), -EACCES, "an index key while the engine runs");
	CHECK_EQ(device_reg_read(l->dev, 0x300, &value), -ENXIO, "no such register");

	segment_to(sim, (struct segment){ .seq = 1000, .flags = HF_SYN, .opts = "mss=1200" });
	CHECK(wire_until(l, 1), "no SYN-ACK");
	CHECK_EQ(tcp[13], HF_SYN | HF_ACK, "its flags");
	CHECK_EQ(get32(tcp + 8), 1001, "its ACK");
	segment_to(sim, (struct segment){ .seq = 1001,
				.ack = get32(tcp + 4) + 1,
				.flags = HF_ACK | HF_PSH,
				.text = "hi",
				.text_len = 2 });
	CHECK(pump_until(l, &l->seen.frames, 1), "the frame with data did not come");
	CHECK_EQ(l->seen.events, 1, "events before it");
	CHECK_EQ(MSG_GET(l->seen.event, EVENT, code), HF_EVENT_ESTABLISHED, "event");
	CHECK_EQ(MSG_GET(l->seen.event, EVENT, remote_port), PEER_PORT, "remote_port");
	CHECK_EQ(MSG_GET(l->seen.event, EVENT, mss), 1200, "mss");
	id = (uint32_t)MSG_GET(l->seen.event, HEADER, id);
	CHECK_EQ(MSG_GET(l->seen.frame, HEADER, id), id, "the frame's connection");
	CHECK_EQ(MSG_GET(l->seen.frame, HEADER, flags), HF_FRAME_CSUM_OK | HF_FRAME_CONN, "the frame's flags");

	device_command(l->dev, HF_COMMAND_RELEASE, id);
	device_command(l->dev, HF_COMMAND_RELEASE, id);
	CHECK(pump_until(l, &l->seen.completions, 2), "completions");
	CHECK_EQ(l->seen.status[0], HF_STATUS_OK, "first RELEASE");
	CHECK_EQ(l->seen.status[1], HF_STATUS_STALE, "second RELEASE");

	segment_to(sim, (struct segment){ .seq = 5000, .flags = HF_SYN });
	CHECK(wire_until(l, 2), "no second SYN-ACK");
	segment_to(sim, (struct segment){ .seq = 5001, .ack = get32(tcp + 4) + 1, .flags = HF_ACK });
	CHECK(pump_until(l, &l->seen.events, 2), "no second event");
	device_command(l->dev, HF_COMMAND_ABORT, (uint32_t)MSG_GET(l->seen.event, HEADER, id));
	CHECK(wire_until(l, 3), "ABORT sends no RST");
	CHECK_EQ(tcp[13], HF_RST, "its flags");
	CHECK_EQ(device_frame(l->dev, wire_frame, 60), 0, "a frame to the wire");
	CHECK(wire_until(l, 4), "the host's frame did not leave");
	CHECK_EQ(device_stats(l->dev)->bad_messages + device_stats(l->dev)->refused_messages, 0, "malformed messages");
	device_close(l->dev);
	free(l);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(path_without_board), CASE_ONCE(message_boundaries),
		CASE_ONCE(good_board_opens), CASE_ONCE(other_versions_are_refused),
		CASE_ONCE(first_message_must_be_an_intact_hello), CASE_ONCE(what_cannot_be_is_not_resumed),
		CASE_ONCE(boards_that_do_not_answer), CASE_ONCE(register_access),
		CASE_ONCE(late_answer_is_not_the_next_one), CASE_ONCE(commands_keep_to_the_credits),
		CASE_ONCE(commands_with_a_body), CASE_ONCE(dump_is_answered_by_an_event),
		CASE_ONCE(an_answer_that_waited_counts), CASE_ONCE(unanswered_command_ends),
		CASE_ONCE(frames_both_ways), CASE_ONCE(board_that_does_not_read),
		CASE_ONCE(malformed_messages_are_counted), CASE_ONCE(board_that_goes_away),
		CASE_ONCE(board_that_was_reset), CASE_ONCE(model_makes_a_handshake), { 0 } };

	return bench_main(argc, argv, "transport", cases);
}
