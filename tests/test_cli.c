/* SPDX-License-Identifier: Apache-2.0
 * test_cli.c - the program build/handfast from outside: bad input ends in one line on stderr that names it and in exit
 * code 2 (usage) or 1, with nothing left behind; a capture goes through replay; a board starts, answers and ends; what
 * --json prints is JSON, an object per line. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_bench.h"
#include "support_vectors.h"

static char program[PATH_MAX], folder[64];

/* The program stands beside the tests' directory in build/. */
static bool begin(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = 0;
	snprintf(program, sizeof(program), "%.4000s/../handfast", dirname(self));
	if (access(program, X_OK))
		snprintf(program, sizeof(program), "build/handfast");
	strcpy(folder, "/tmp/handfast-test-XXXXXX");
	return CHECK(access(program, X_OK) == 0, "no %s", program) && CHECK(mkdtemp(folder) != NULL, "mkdtemp");
}

static const char *in_folder(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % COUNT(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void end(void)
{
	static const char *const names[] = { "in.pcap", "out.pcapng", "config", "wire", "host", "stdout", "stderr" };

	for (size_t i = 0; i < COUNT(names); i++)
		unlink(in_folder(names[i]));
	CHECK(rmdir(folder) == 0, "something is left in %s", folder);
}

/* Start the program, its output in files; arguments are parted by blanks, "@name" stands for a path in our folder. */
static pid_t start(const char *arguments)
{
	char text[1024], *argv[32] = { program, NULL }, *save = NULL;
	int argc = 1;
	pid_t pid;

	snprintf(text, sizeof(text), "%s", arguments);
	for (char *word = strtok_r(text, " ", &save); word && argc < 31; word = strtok_r(NULL, " ", &save)) {
		char *at = strchr(word, '@');

		if (at) {
			static char paths[8][256];
			char *path = paths[argc % 8];

			snprintf(path, 256, "%.*s%s", (int)(at - word), word, in_folder(at + 1));
			word = path;
		}
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int out = open(in_folder("stdout"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
		int err = open(in_folder("stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(out, 1);
		dup2(err, 2);
		alarm(20); /* whatever happens, it ends */
		execv(program, argv);
		_exit(99);
	}
	return pid;
}

static int finish(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static const char *contents(const char *name)
{
	static char text[2][65536];
	static unsigned next;
	char *at = text[next++ % 2];
	FILE *f = fopen(in_folder(name), "r");
	size_t n = f ? fread(at, 1, sizeof(text[0]) - 1, f) : 0;

	if (f)
		fclose(f);
	at[n] = 0;
	return at;
}

/* It fails with this code and one line that has `naming` in it; no output file is left. */
static void fails(const char *arguments, int code, const char *naming)
{
	const char *said;
	int got;

	check_context("handfast %s", arguments);
	got = finish(start(arguments));
	said = contents("stderr");
	CHECK(got == code, "exit %d, want %d (%s)", got, code, said);
	CHECK(strchr(said, '\n') && !strchr(said, '\n')[1], "not one line on stderr: \"%s\"", said);
	CHECK(strstr(said, naming) != NULL, "\"%s\" does not name %s", said, naming);
	CHECK(access(in_folder("out.pcapng"), F_OK) != 0, "an output file is left behind");
	CHECK(access(in_folder("host"), F_OK) != 0, "a socket is left behind");
	unlink(in_folder("out.pcapng"));
	check_context("%s", "");
}

static void write_file(const char *name, const void *octets, size_t len)
{
	FILE *f = fopen(in_folder(name), "w");

	CHECK(f && fwrite(octets, 1, len, f) == len, "cannot write %s", name);
	if (f)
		fclose(f);
}

/* ---- captures ---- */

/* Frames between peer and engine as a pcap file, 1 ms apart; returns its length. */
static size_t capture(uint8_t *file, const char *const *vectors, size_t count)
{
	uint8_t *at = file;

	put_le(at, 4, 0xa1b2c3d4);
	put_le(at + 4, 2, 2);
	put_le(at + 6, 2, 4);
	put_le(at + 8, 8, 0);
	put_le(at + 16, 4, 65535);
	put_le(at + 20, 4, DLT_EN10MB);
	at += 24;
	for (size_t i = 0; i < count; i++) {
		const struct vector *v = vector_find(vectors[i]);
		bool ours = get16(v->bytes + 20) == 7899; /* the server's packet */
		size_t len =
			make_frame(at + 16, ours ? PEER_MAC : OUR_MAC, ours ? OUR_MAC : PEER_MAC, v->bytes, v->len);

		put_le(at, 4, 1000000000);
		put_le(at + 4, 4, 1000 * i);
		put_le(at + 8, 4, len);
		put_le(at + 12, 4, len);
		at += 16 + len;
	}
	return (size_t)(at - file);
}

static const char *const corrected[] = { "A01-SYN-ok", "A02-SYNACK-ok", "A03-ACK-ok" };
static const char *const captured[] = { "A01-SYN-cap", "A02-SYNACK-cap", "A03-ACK-cap" };
#define LOOPBACK "MAC = 02:00:00:00:00:02\nCTRL.ENABLE = 1\nCTRL.ALLOW_LOOPBACK = 1\n"

/* What replay wrote: frames in all, and those of the engine (from our MAC), whose checksums must be right. */
static void read_out(unsigned *frames, unsigned *ours, uint16_t *flags)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(in_folder("out.pcapng"), error);
	struct pcap_pkthdr *h;
	const u_char *f;

	*frames = *ours = *flags = 0;
	if (!CHECK(p != NULL, "%s", error))
		return;
	while (pcap_next_ex(p, &h, &f) == 1) {
		++*frames;
		if (h->caplen < 54 || get48(f + 6) != OUR_MAC)
			continue;
		++*ours;
		*flags = (uint16_t)(get16(f + 46) & 0x1ff);
		CHECK_EQ(get16(f + 24), ref_ip_checksum(f + 14), "IPv4 checksum");
		CHECK_EQ(get16(f + 50), ref_tcp_checksum(f + 14), "TCP checksum");
	}
	pcap_close(p);
}

static void replay_tutorial_on(const char *engine)
{
	static uint8_t file[4096];
	char arguments[256];
	unsigned frames, ours;
	uint16_t flags;

	if (!begin())
		return;
	check_context("replay --engine %s", engine);
	snprintf(arguments, sizeof(arguments),
		"replay --engine %s --in @in.pcap --out @out.pcapng --listen 127.0.0.1:7899 --config @config --follow",
		engine);
	write_file("config", LOOPBACK, strlen(LOOPBACK));
	write_file("in.pcap", file, capture(file, corrected, 3));
	CHECK_EQ(finish(start(arguments)), 0, "exit code");
	CHECK(!*contents("stderr"), "stderr: %s", contents("stderr"));
	read_out(&frames, &ours, &flags);
	CHECK_EQ(frames, 3, "frames: SYN, SYN-ACK, ACK");
	CHECK_EQ(ours, 1, "frames of the engine");
	CHECK_EQ(flags, HF_SYN | HF_ACK, "its flags");
	if (!strcmp(engine, "lockstep"))
		CHECK(strstr(contents("stdout"), " mismatches=0") != NULL, "stdout: %s", contents("stdout"));
	/* the captured, offloaded forms: dropped, nothing comes out */
	write_file("in.pcap", file, capture(file, captured, 3));
	CHECK_EQ(finish(start(arguments)), 0, "exit code");
	read_out(&frames, &ours, &flags);
	CHECK_EQ(ours, 0, "answers to bad checksums");
	check_context("%s", "");
	end();
}

static void replay_tutorial(void)
{
	replay_tutorial_on("model");
	replay_tutorial_on("rtl");
	replay_tutorial_on("lockstep");
}

/* A number by its path, -1: there is none. */
static long long number(const json_t *o, const char *outer, const char *inner)
{
	const json_t *at = json_object_get(*outer ? json_object_get(o, outer) : o, inner);

	return json_is_integer(at) ? json_integer_value(at) : -1;
}

static bool text_is(const json_t *o, const char *name, const char *text)
{
	const char *is = json_string_value(json_object_get(o, name));

	return is && !strcmp(is, text);
}

/* The lines of stdout, each of which must be an object. The caller releases the array. */
static json_t *lines(void)
{
	char text[65536], *save = NULL;
	json_t *all = json_array();

	snprintf(text, sizeof(text), "%s", contents("stdout"));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		CHECK(json_is_object(o), "no JSON object: %s", line);
		json_array_append_new(all, o ? o : json_null());
	}
	return all;
}

static void replay_json(void)
{
	static uint8_t file[4096];
	json_t *all;
	const json_t *o;

	if (!begin())
		return;
	write_file("config", LOOPBACK, strlen(LOOPBACK));
	write_file("in.pcap", file, capture(file, corrected, 3));
	CHECK_EQ(finish(start(
			 "replay --engine lockstep --in @in.pcap --out @out.pcapng --listen 127.0.0.1:7899 --config "
			 "@config --follow --json")),
		0, "exit code");
	all = lines();
	CHECK(json_array_size(all) == 5, "lines: %s", contents("stdout"));
	o = json_array_get(all, 0);
	CHECK(text_is(o, "trace", "frame") && text_is(o, "direction", "in") && text_is(o, "flags", "SYN") &&
			text_is(o, "local", "127.0.0.1:7899") && number(o, "", "cycle") > 0 &&
			!number(o, "", "time_ns"),
		"the SYN: %s", contents("stdout"));
	o = json_array_get(all, 1);
	CHECK(text_is(o, "direction", "out") && text_is(o, "flags", "SYN,ACK"), "the SYN-ACK: %s", contents("stdout"));
	CHECK(text_is(json_array_get(all, 3), "trace", "note"), "the event: %s", contents("stdout"));
	o = json_array_get(all, json_array_size(all) - 1);
	CHECK(text_is(o, "summary", "replay") && text_is(o, "engine", "lockstep") &&
			json_is_true(json_object_get(o, "passed")),
		"the summary: %s", contents("stdout"));
	CHECK_EQ(number(o, "frames", "in"), 2, "frames in");
	CHECK_EQ(number(o, "frames", "out"), 1, "frames out");
	CHECK_EQ(number(o, "handshakes", "established"), 1, "established");
	CHECK_EQ(number(o, "left_out", "own"), 1, "left out");
	CHECK_EQ(number(o, "", "acknowledgements_moved"), 1, "acknowledgements moved");
	CHECK_EQ(number(o, "lockstep", "mismatches"), 0, "mismatches");
	json_decref(all);
	/* No frame comes out: its cause is counted, and without the ladder one object is all. */
	write_file("in.pcap", file, capture(file, captured, 3));
	CHECK_EQ(finish(start("replay --engine model --in @in.pcap --out @out.pcapng --listen 127.0.0.1:7899 --config "
			      "@config --json --quiet")),
		0, "exit code");
	all = lines();
	CHECK(json_array_size(all) == 1, "lines: %s", contents("stdout"));
	CHECK(number(json_array_get(all, 0), "drops", "TCP_CHECKSUM") == 2, "dropped: %s", contents("stdout"));
	json_decref(all);
	end();
}

static void replay_usage(void)
{
	if (!begin())
		return;
	fails("", 2, "command");
	fails("frobnicate", 2, "frobnicate");
	fails("replay", 2, "engine");
	fails("replay --engine model", 2, "in");
	fails("replay --engine model --in @in.pcap", 2, "out");
	fails("replay --engine verilog --in @in.pcap --out @out.pcapng", 2, "verilog");
	fails("replay --engine model --in @in.pcap --out @out.pcapng --frob", 2, "frob");
	fails("replay --engine model --in @in.pcap --out @out.pcapng --listen 1.2.3.4", 2, "1.2.3.4");
	fails("replay --engine model --in @in.pcap --out @out.pcapng --listen 1.2.3.4:65536", 2, "65536");
	fails("replay --engine model --in @in.pcap --out @out.pcapng --listen 1.2.3.400:80", 2, "1.2.3.400");
	fails("replay --engine model --in @in.pcap --out @out.pcapng --listen x:80", 2, "x:80");
	fails("replay --engine model --in @in.pcap --out @out.pcapng more", 2, "more");
	fails("replay --engine model --in @in.pcap --out @out.pcapng --seed many", 2, "many");
	fails("replay --engine", 2, "engine");
	end();
}

static void replay_unreadable_files(void)
{
	static uint8_t file[4096];
	static const char arguments[] = "replay --engine model --in @in.pcap --out @out.pcapng --listen 127.0.0.1:7899";
	size_t len;

	if (!begin())
		return;
	fails(arguments, 1, "in.pcap"); /* not there */
	write_file("in.pcap", "", 0);
	fails(arguments, 1, "in.pcap");
	write_file("in.pcap", "this is no capture, it is a line of text\n", 41);
	fails(arguments, 1, "in.pcap");
	len = capture(file, corrected, 3);
	write_file("in.pcap", file, 20); /* within the file header */
	fails(arguments, 1, "in.pcap");
	write_file("in.pcap", file, 24 + 7); /* within a record header */
	fails(arguments, 1, "in.pcap");
	write_file("in.pcap", file, len - 1); /* within a packet */
	fails(arguments, 1, "in.pcap");
	put_le(file + 24 + 8, 4, 0x7fffffff); /* a record longer than anything */
	write_file("in.pcap", file, len);
	fails(arguments, 1, "in.pcap");
	capture(file, corrected, 3);
	put_le(file + 20, 4, 147); /* a link type that is neither Ethernet nor IP */
	write_file("in.pcap", file, len);
	fails(arguments, 1, "in.pcap");
	capture(file, corrected, 3);
	write_file("in.pcap", file, len);
	fails("replay --engine model --in @in.pcap --out @none/out.pcapng --listen 127.0.0.1:7899", 1,
		"none/out.pcapng");
	end();
}

static void bad_configuration(void)
{
	/* clang-format off */
	static const struct {
		const char *text, *naming;
	} rows[] = {
		{ "NO_SUCH_REGISTER = 1\n", "NO_SUCH_REGISTER" }, { "MSS\n", "config:1" }, { "MSS = many\n", "many" },
		{ "MSS = 99999999999\n", "99999999999" }, { "MAC = 02:00:00:00:00\n", "MAC" },
		{ "KEY_ISN = 0011\n", "KEY_ISN" }, { "CTRL.NO_SUCH_FIELD = 1\n", "NO_SUCH_FIELD" },
		{ "ID = 1\n", "ID" },
		{ "= 1\n", "config:1" }, { "\n\001\002\003\n", "config:2" },
	};
	/* clang-format on */
	static uint8_t file[4096];

	if (!begin())
		return;
	write_file("in.pcap", file, capture(file, corrected, 3));
	for (size_t i = 0; i < COUNT(rows); i++) {
		write_file("config", rows[i].text, strlen(rows[i].text));
		fails("replay --engine model --in @in.pcap --out @out.pcapng --listen 127.0.0.1:7899 --config @config",
			1, rows[i].naming);
	}
	fails("replay --engine model --in @in.pcap --out @out.pcapng --config @no-such-config", 1, "no-such-config");
	end();
}

/* ---- board ---- */

static void board_usage(void)
{
	if (!begin())
		return;
	fails("board", 2, "engine");
	fails("board --engine model --wire unix:@wire", 2, "host");
	fails("board --engine model --host none", 2, "wire");
	fails("board --engine fpga --wire unix:@wire --host none", 2, "fpga");
	fails("board --engine model --wire carrier:pigeon --host none", 2, "carrier:pigeon");
	fails("board --engine model --wire unix: --host none", 2, "unix:");
	fails("board --engine model --wire unix:@wire --host telepathy:x", 2, "telepathy:x");
	fails("board --engine model --wire unix:@wire --host unix:", 2, "unix:");
	fails("board --engine model --wire unix:@wire --host none --frob", 2, "frob");
	fails("board --engine model --wire unix:@wire --host none --listen :80", 2, ":80");
	fails("board --engine model --wire packet:nosuchif0 --host none", 1, "nosuchif0");
	fails("board --engine model --wire unix:@wire --host unix:@no/such/folder", 1, "no/such/folder");
	fails("board --engine model --wire tap:a-name-too-long-for-linux --host none", 2, "a-name-too-long-for-linux");
	CHECK(access(in_folder("wire"), F_OK) != 0, "the wire's socket is left behind");
	end();
}

static int connect_to(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", in_folder(name));
	for (unsigned i = 0; i < 200; i++) { /* 4 s */
		if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
			return fd;
		usleep(20000);
	}
	close(fd);
	return -1;
}

static ssize_t receive(int fd, uint8_t *msg, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 10000) == 1 ? recv(fd, msg, size, 0) : -1;
}

static void stop(pid_t pid)
{
	kill(pid, SIGTERM);
	CHECK_EQ(finish(pid), 0, "exit code after SIGTERM");
	CHECK(access(in_folder("wire"), F_OK) != 0, "the wire's socket is left behind");
	CHECK(access(in_folder("host"), F_OK) != 0, "the host's socket is left behind");
}

/* A path that another board listens on is refused and left to it. */
static void board_busy_socket(void)
{
	pid_t first, second;
	const char *said;
	int fd;

	if (!begin())
		return;
	first = start("board --engine model --wire unix:@wire --host unix:@host");
	fd = connect_to("host");
	CHECK(fd >= 0, "the first board does not listen: %s", contents("stderr"));
	second = start("board --engine model --wire unix:@wire --host unix:@host");
	CHECK_EQ(finish(second), 1, "exit code of the second board");
	said = contents("stderr");
	CHECK(strstr(said, "wire") || strstr(said, "host"), "\"%s\" does not name the path", said);
	CHECK(strchr(said, '\n') && !strchr(said, '\n')[1], "not one line: \"%s\"", said);
	close(fd);
	fd = connect_to("wire");
	CHECK(fd >= 0, "the first board's socket is gone");
	close(fd);
	stop(first);
	end();
}

static void board_json_with(const char *host, const char *member)
{
	char arguments[256];
	json_t *all;
	const json_t *o;
	pid_t board;
	int fd;

	if (!begin())
		return;
	check_context("--host %s", host);
	snprintf(
		arguments, sizeof(arguments), "board --engine model --wire unix:@wire --host %s --json --loss 5", host);
	board = start(arguments);
	fd = connect_to("wire");
	CHECK(fd >= 0, "the board does not listen: %s", contents("stderr"));
	for (unsigned i = 0; i < 500 && !*contents("stdout"); i++)
		usleep(20000);
	close(fd);
	stop(board);
	all = lines();
	CHECK(json_array_size(all) == 2, "lines: %s", contents("stdout"));
	o = json_array_get(all, 0);
	CHECK(text_is(o, "ready", "board") && text_is(o, "engine", "model") &&
			json_string_length(json_object_get(o, "wire")) > 5 &&
			json_string_length(json_object_get(o, "host")) >= 4,
		"ready: %s", contents("stdout"));
	o = json_array_get(all, 1);
	CHECK(text_is(o, "summary", "board") && json_is_true(json_object_get(o, "passed")), "the summary: %s",
		contents("stdout"));
	CHECK_EQ(number(o, "frames", "in"), 0, "frames in");
	CHECK_EQ(number(o, "cable_in", "lost"), 0, "frames lost");
	CHECK(!member || json_is_object(json_object_get(o, member)), "no %s: %s", member, contents("stdout"));
	check_context("%s", "");
	json_decref(all);
	end();
}

static void board_json(void)
{
	board_json_with("none", NULL);
	board_json_with("unix:@host", NULL);
	board_json_with("vfio-user:@host", "pcie");
	board_json_with("usbip:127.0.0.1:0", "link");
}

/* HELLO first; a malformed message is answered by its COMPLETION, and the next good one is served. */
static void board_messages(void)
{
	uint8_t msg[2048], bad[24] = { 77, 0, 24, 0 }, read[24] = { HF_MSG_REG_READ, 0, 24, 0 };
	pid_t board;
	ssize_t n;
	int fd;

	if (!begin())
		return;
	board = start("board --engine model --wire unix:@wire --host unix:@host");
	fd = connect_to("host");
	n = receive(fd, msg, sizeof(msg));
	CHECK(n == 40 && msg[0] == HF_MSG_HELLO, "%zd octets of type %u instead of HELLO", n, msg[0]);
	CHECK(send(fd, bad, sizeof(bad), 0) == sizeof(bad), "send");
	n = receive(fd, msg, sizeof(msg));
	CHECK(n == 24 && msg[0] == HF_MSG_COMPLETION && msg[1] == HF_STATUS_BAD_TYPE,
		"%zd octets of type %u, status %u", n, msg[0], msg[1]);
	bad[0] = HF_MSG_COMMAND;
	bad[2] = 99;
	CHECK(send(fd, bad, 9, 0) == 9, "send");
	n = receive(fd, msg, sizeof(msg));
	CHECK(n == 24 && msg[0] == HF_MSG_COMPLETION && msg[1] == HF_STATUS_BAD_LENGTH,
		"%zd octets of type %u, status %u", n, msg[0], msg[1]);
	CHECK(send(fd, read, sizeof(read), 0) == sizeof(read), "send");
	n = receive(fd, msg, sizeof(msg));
	CHECK(n == 24 && msg[0] == HF_MSG_REG_REPLY && MSG_GET(msg, REG_REPLY, value) == HF_ID, "no ID register");
	close(fd);
	stop(board);
	end();
}

/* A SYN over the wire's socket to a board without host: the SYN-ACK comes back, checksums right. */
static void board_answers_on(const char *engine)
{
	struct segment s = { .sport = PEER_PORT, .dport = OUR_PORT, .seq = 5, .flags = HF_SYN, .opts = "mss=1460" };
	uint8_t ip[128], frame[2048];
	char arguments[256];
	pid_t board;
	ssize_t n;
	int fd;

	if (!begin())
		return;
	check_context("board --engine %s", engine);
	write_file("config", "MAC = 02:00:00:00:00:02\n", 24);
	snprintf(arguments, sizeof(arguments),
		"board --engine %s --wire unix:@wire --host none --listen 192.0.2.2:80 --config @config", engine);
	board = start(arguments);
	fd = connect_to("wire");
	n = (ssize_t)make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s));
	CHECK(fd >= 0 && send(fd, frame, (size_t)n, 0) == n, "send: %s", contents("stderr"));
	n = receive(fd, frame, sizeof(frame));
	if (CHECK(n == 60, "%zd octets instead of a SYN-ACK", n)) {
		CHECK_EQ(frame[47], HF_SYN | HF_ACK, "flags");
		CHECK_EQ(get32(frame + 42), 6, "SEG.ACK");
		CHECK_EQ(get16(frame + 50), ref_tcp_checksum(frame + 14), "TCP checksum");
	}
	close(fd);
	stop(board);
	check_context("%s", "");
	end();
}

static void board_answers(void)
{
	board_answers_on("model");
	board_answers_on("rtl");
	board_answers_on("lockstep");
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(replay_tutorial), CASE_ONCE(replay_json), CASE_ONCE(board_json), CASE_ONCE(replay_usage), CASE_ONCE(replay_unreadable_files),
		CASE_ONCE(bad_configuration), CASE_ONCE(board_usage), CASE_ONCE(board_busy_socket),
		CASE_ONCE(board_messages), CASE_ONCE(board_answers), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "cli", cases);
}
