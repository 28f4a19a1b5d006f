/* SPDX-License-Identifier: Apache-2.0
 * test_board.c - the programs `handfast board`, `replay`, `peer` and `peer-host` from outside: what they refuse and how,
 * what a host and a wire see of a board process, and what stands in the pcapng files they write. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "support_bench.h"

enum { ARGS = 24, WAIT_MS = 20000 };

static char handfast[4096]; /* path of the program */
static char dir[64];	    /* of this run's files */

/* A file in `dir`; the last four results stay valid. */
static const char *path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *p = paths[next++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

static const char *read_all(const char *file)
{
	static char text[65536];
	FILE *in = fopen(file, "re");
	size_t n = in ? fread(text, 1, sizeof(text) - 1, in) : 0;

	text[n] = '\0';
	if (in)
		fclose(in);
	return text;
}

/* Start `handfast` with the words of a line ('@' stands for `dir`), its output in the files out and err. */
static pid_t start(const char *line)
{
	char words[2048] = "", *args[ARGS] = { handfast }, *save;
	unsigned count = 1;
	pid_t pid;
	size_t at = 0;

	for (; *line && at < sizeof(words) - 64; line++) {
		if (*line == '@')
			at += (size_t)sprintf(words + at, "%s", dir);
		else
			words[at++] = *line;
	}
	for (char *w = strtok_r(words, " ", &save); w && count < ARGS - 1; w = strtok_r(NULL, " ", &save))
		args[count++] = w;
	pid = fork();
	if (!pid) {
		int out = open(path("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600),
		    err = open(path("err"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(out, 1);
		dup2(err, 2);
		execv(handfast, args);
		_exit(127);
	}
	return pid;
}

/* Exit code of a program that ends by itself within WAIT_MS, else it is killed and -1 comes. */
static int finish(pid_t pid)
{
	int status;

	for (unsigned i = 0; i < WAIT_MS / 10; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static unsigned lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The program ends with `code` and one line on stderr that holds `says`. */
static void refuses(const char *line, int code, const char *says)
{
	int got = finish(start(line));
	const char *err = read_all(path("err"));

	CHECK(got == code, "%s: exit code %d, not %d", line, got, code);
	CHECK(lines(err) == 1, "%s: %u lines on stderr", line, lines(err));
	CHECK(strstr(err, says) != NULL, "%s: says '%s', not '%s'", line, err, says);
}

static void write_file(const char *name, const void *data, size_t len)
{
	FILE *out = fopen(path(name), "we");
	bool whole = out && fwrite(data, 1, len, out) == len;

	CHECK(out && !fclose(out) && whole, "cannot write %s", name);
}

/* A board on `@/wire` and `@/host`, waited for until it is ready. */
static pid_t start_board(const char *engine, const char *more)
{
	char line[512];
	pid_t pid;

	snprintf(line, sizeof(line), "board --engine %s --wire unix:@/wire --host unix:@/host %s", engine, more);
	write_file("out", "", 0);
	pid = start(line);
	for (unsigned i = 0; i < WAIT_MS / 10; i++) {
		if (strstr(read_all(path("out")), " ready\n"))
			return pid;
		usleep(10000);
	}
	CHECK(false, "board: not ready: %s", read_all(path("err")));
	return pid;
}

static void stop_board(pid_t pid, int code)
{
	kill(pid, SIGTERM);
	CHECK_EQ(finish(pid), code, "exit code of the board");
	CHECK(access(path("wire"), F_OK) && access(path("host"), F_OK), "a socket was left behind");
}

static int join(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path(name));
	CHECK(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)), "connect to %s: %s", name, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static uint8_t answer[16384];

static size_t take(int fd)
{
	ssize_t n = recv(fd, answer, sizeof(answer), 0);

	return n > 0 ? (size_t)n : 0;
}

static void header(uint8_t *msg, unsigned type, unsigned flags, unsigned length, uint32_t id, uint64_t cookie)
{
	memset(msg, 0, length);
	MSG_PUT(msg, HEADER, type, type);
	MSG_PUT(msg, HEADER, flags, flags);
	MSG_PUT(msg, HEADER, length, length);
	MSG_PUT(msg, HEADER, id, id);
	MSG_PUT(msg, HEADER, stamp, cookie);
}

static void set(int fd, uint32_t offset, uint32_t value)
{
	uint8_t msg[24];

	header(msg, HF_MSG_REG_WRITE, 0, sizeof(msg), offset, 1);
	MSG_PUT(msg, REG_WRITE, value, value);
	send(fd, msg, sizeof(msg), 0);
	CHECK_EQ(take(fd), 24, "bytes of the reply");
	CHECK_EQ(MSG_GET(answer, HEADER, flags), HF_STATUS_OK, "status of a register write");
}

static void expect_hello(int fd)
{
	CHECK_EQ(take(fd), 40, "bytes of HELLO");
	CHECK_EQ(MSG_GET(answer, HEADER, type), HF_MSG_HELLO, "type of the first message");
	CHECK_EQ(MSG_GET(answer, HELLO, version), HF_ABI_VERSION, "version");
	CHECK_EQ(MSG_GET(answer, HELLO, slots), hf_params_default.ways << hf_params_default.sets_log2, "slots");
}

static const char *target_name(void)
{
	return engine_kind_name(bench_target());
}

/* ---- bad usage, things that cannot be had ---- */

static void bad_usage(void)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "", "no command" },
		{ "frobnicate", "frobnicate" },
		{ "board", "--engine" },
		{ "board --engine", "--engine" },
		{ "board --engine vhdl --wire unix:@/wire --host none", "vhdl" },
		{ "board --engine model --host none", "--wire" },
		{ "board --engine model --wire unix:@/wire", "--host" },
		{ "board --engine model --wire ether:0 --host none", "ether:0" },
		{ "board --engine model --wire unix: --host none", "unix:" },
		{ "board --engine model --wire tap:a-name-of-16-byt --host none", "a-name-of-16-byt" },
		{ "board --engine model --wire unix:@/wire --host tcp:1", "tcp:1" },
		{ "board --engine model --wire unix:@/wire --host vfio-user:", "1 to 107" },
		{ "board --engine model --wire unix:@/wire --host none --frob", "--frob" },
		{ "board --engine model --wire unix:@/wire --host none --seed 1x", "1x" },
		{ "board --engine model --wire unix:@/wire --host none --listen 1.2.3:4", "1.2.3:4" },
		{ "board --engine model --wire unix:@/wire --host none --listen 1.2.3.4:0", "1.2.3.4:0" },
		{ "board --engine model --wire unix:@/wire --host none --ladder=some", "some" },
		{ "board --engine model --wire unix:@/wire --host none more", "more" },
		{ "replay --engine model --in @/x", "--out" },
		{ "replay --engine cmodel --in @/x --out @/y", "cmodel" },
		{ "replay --engine model --in @/x --out @/y --speed 3", "--speed" },
		{ "peer --wire unix:@/wire --local 192.0.2.1", "--remote" },
		{ "peer --wire tap:x --local 192.0.2.1 --remote 192.0.2.2:80", "tap:x" },
		{ "peer-host --host unix:@/host --listen 192.0.2.2", "192.0.2.2" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		refuses(rows[i].line, 2, rows[i].says);
	CHECK(access(path("wire"), F_OK), "a socket was left behind");
}

static void what_cannot_be_had(void)
{
	write_file("plain", "x", 1);
	refuses("board --engine model --wire unix:@/plain --host none", 1, "not a socket");
	refuses("board --engine model --wire unix:@/none/x --host none", 1, "No such file");
	refuses("board --engine model --wire unix:@/wire --host unix:@/none/x", 1, "No such file");
	refuses("board --engine model --wire unix:@/wire --host vfio-user:@/none/x", 1, "No such file");
	refuses("board --engine model --data-width 512 --wire unix:@/wire --host vfio-user:@/card", 1,
		"--data-width 64");
	refuses("board --engine model --wire packet:hf-none --host none", 1, "hf-none");
	refuses("board --engine model --wire unix:@/wire --host none --pcapng @/none/x", 1, "No such file");
	refuses("board --engine model --wire unix:@/wire --host none --config @/none", 1, "none: No such file");
	refuses("peer --wire unix:@/none --local 192.0.2.1 --remote 192.0.2.2:80", 1, "No such file");
	refuses("peer-host --host unix:@/none --listen 192.0.2.2:80", 1, "No such file");
	CHECK(access(path("wire"), F_OK), "a socket was left behind");
}

static void bad_configuration(void)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "FOO = 1", "config:1: " },
		{ "# one\n\nTTL = 256 # three\n", "config:3: " },
		{ "TTL 64", "config:1: " },
		{ "TTL =", "config:1: " },
		{ "TTL = 0x4g", "config:1: " },
		{ "TTL = -1", "config:1: " },
		{ "CTRL.FOO = 1", "config:1: " },
		{ "CTRL.ENABLE = 2", "config:1: " },
		{ "ID = 1", "config:1: " },
		{ "MAC = 02:00:00:00:00", "config:1: " },
		{ "KEY_ISN = 0011", "config:1: " },
		{ "LOCAL_ADDR0 = 10.0.0.256", "config:1: " },
		{ "TTL = 3\nLISTEN_COMMIT = 0x300", "config:2: the board refused LISTEN_COMMIT" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		check_context("%s", rows[i].text);
		write_file("config", rows[i].text, strlen(rows[i].text));
		refuses("board --engine model --wire unix:@/wire --host none --config @/config", 1, rows[i].says);
	}
	check_context("%s", "");
}

/* A socket of a living process is busy; one that a dead process left is replaced. */
static void socket_paths(void)
{
	pid_t pid = start_board("model", "");
	int status;

	refuses("board --engine model --wire unix:@/wire --host none", 1, "in use");
	refuses("board --engine model --wire unix:@/other --host unix:@/host", 1, "in use");
	CHECK(access(path("other"), F_OK), "a socket was left behind");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	CHECK(!access(path("wire"), F_OK), "a killed board leaves its socket");
	stop_board(start_board("model", ""), 0);
}

/* ---- captures ---- */

enum { LINK_ETHERNET = 1, LINK_RAW = 101, LINK_NULL = 0 };

/* A classic pcap file of `count` times the frame, half a second apart. */
static size_t make_pcap(uint8_t *out, uint32_t link, const uint8_t *frame, size_t len, unsigned count)
{
	size_t at = 24;

	put_le(out, 4, 0xa1b2c3d4);
	put_le(out + 4, 4, 2 | 4 << 16);
	put_le(out + 8, 8, 0);
	put_le(out + 16, 4, 65535);
	put_le(out + 20, 4, link);
	for (unsigned i = 0; i < count; i++) {
		put_le(out + at, 4, 1000 + i / 2);
		put_le(out + at + 4, 4, i % 2 * 500000);
		put_le(out + at + 8, 4, len);
		put_le(out + at + 12, 4, len);
		memcpy(out + at + 16, frame, len);
		at += 16 + len;
	}
	return at;
}

static size_t make_syn(uint8_t *frame, uint16_t port)
{
	struct segment s = { .src = PEER_ADDR,
		.dst = OUR_ADDR,
		.sport = port,
		.dport = OUR_PORT,
		.seq = 1000,
		.flags = HF_SYN,
		.wnd = 65535,
		.opts = "mss=1460" };
	uint8_t ip[256];

	return make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &s));
}

static void bad_captures(void)
{
	uint8_t frame[256], file[2048];
	size_t len = make_syn(frame, PEER_PORT), size = make_pcap(file, LINK_ETHERNET, frame, len, 2);

	write_file("in", "", 0);
	refuses("replay --engine model --in @/in --out @/new", 1, "/in: ");
	write_file("in", "hello, world, this is no capture", 32);
	refuses("replay --engine model --in @/in --out @/new", 1, "/in: ");
	write_file("in", file, size - 7);
	refuses("replay --engine model --in @/in --out @/new", 1, "truncated");
	write_file("in", file, 24 + 16 + len + 5);
	refuses("replay --engine model --in @/in --out @/new", 1, "truncated");
	put_le(file + 20, 4, LINK_NULL);
	write_file("in", file, size);
	refuses("replay --engine model --in @/in --out @/new", 1, "link type");
	refuses("replay --engine model --in @/none --out @/new", 1, "No such file");
	refuses("replay --engine model --in @ --out @/new", 1, "not a regular file");
	CHECK(access(path("new"), F_OK), "an output file was made");
	put_le(file + 20, 4, LINK_ETHERNET);
	write_file("in", file, size);
	refuses("replay --engine model --in @/in --out @/in", 2, "is the input");
	CHECK_EQ(strlen(read_all(path("in"))) > 0, 1, "the input is still there");
	refuses("replay --engine model --in @/in --out @/none/x", 1, "No such file");
}

/* What a pcapng of ours holds, read by libpcap: frames in their order. */
static unsigned read_pcapng(const char *file, uint8_t frames[][256], size_t *lens, uint64_t *times, unsigned max)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *in = pcap_open_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
	struct pcap_pkthdr *h;
	const u_char *data;
	unsigned n = 0;
	int result = 0;

	if (!CHECK(in != NULL, "%s", error))
		return 0;
	CHECK_EQ(pcap_datalink(in), DLT_EN10MB, "link type");
	for (; n < max && (result = pcap_next_ex(in, &h, &data)) == 1; n++) {
		lens[n] = h->caplen;
		times[n] = (uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec;
		memcpy(frames[n], data, h->caplen < 256 ? h->caplen : 256);
	}
	CHECK(n == max || result == PCAP_ERROR_BREAK, "the file ends in disorder: %s", pcap_geterr(in));
	pcap_close(in);
	return n;
}

static bool file_holds(const char *file, const char *text)
{
	static char data[65536];
	FILE *in = fopen(file, "re");
	size_t n = in ? fread(data, 1, sizeof(data), in) : 0;

	if (in)
		fclose(in);
	return memmem(data, n, text, strlen(text)) != NULL;
}

/* A SYN of a capture is answered, at the time of the capture, with everything said about it. */
static void replay_answers(void)
{
	uint8_t frame[256], file[2048], out[8][256];
	size_t len = make_syn(frame, PEER_PORT), lens[8], size;
	uint64_t times[8];
	char line[256];
	unsigned n;

	for (unsigned raw = 0; raw < 2; raw++) {
		check_context("%s", raw ? "raw IP" : "Ethernet");
		size = raw ? make_pcap(file, LINK_RAW, frame + 14, 44, 1)
			   : make_pcap(file, LINK_ETHERNET, frame, len, 1);
		write_file("in", file, size);
		snprintf(line, sizeof(line), "replay --engine %s --in @/in --out @/new --listen 192.0.2.2:80",
			target_name());
		CHECK_EQ(finish(start(line)), 0, "exit code");
		CHECK_EQ(lines(read_all(path("err"))), 0, "lines on stderr");
		CHECK(strstr(read_all(path("out")), "LISTEN -> SYN-RECEIVED, CONSUME") != NULL, "no ladder");
		CHECK(strstr(read_all(path("out")), "replay: drops: none\n") != NULL, "no summary");
		if (bench_target() == ENGINE_LOCKSTEP)
			CHECK(strstr(read_all(path("out")), " mismatches=0\n") != NULL, "no lock-step line");
		n = read_pcapng(path("new"), out, lens, times, 8);
		if (!CHECK_EQ(n, 2, "frames"))
			continue;
		CHECK_BYTES("the IP packet in", out[0] + 14, 44, frame + 14, 44);
		CHECK_EQ(times[0], 1000000000000u, "time of the SYN");
		CHECK(times[1] > times[0] && times[1] - times[0] < 1000, "the SYN-ACK comes %u ns later",
			(unsigned)(times[1] - times[0]));
		CHECK_EQ(out[1][47], HF_SYN | HF_ACK, "flags");
		CHECK_EQ(get32(out[1] + 42), 1001, "SEG.ACK");
		CHECK_EQ(get16(out[1] + 24), ref_ip_checksum(out[1] + 14), "IPv4 checksum");
		CHECK_EQ(get16(out[1] + 50), ref_tcp_checksum(out[1] + 14), "TCP checksum");
		CHECK(file_holds(path("new"), "LISTEN -> SYN-RECEIVED, CONSUME"), "no comment on the SYN");
		CHECK(file_holds(path("new"), "SYN-RECEIVED, "), "no comment on the SYN-ACK");
	}
	check_context("%s", "");
}

/* A frame the parser drops is named with its cause. */
static void replay_names_drops(void)
{
	uint8_t frame[256], file[2048];
	size_t len = make_syn(frame, PEER_PORT);

	frame[50] ^= 1; /* TCP checksum */
	len = make_pcap(file, LINK_ETHERNET, frame, len, 1);
	write_file("in", file, len);
	CHECK_EQ(finish(start("replay --engine model --in @/in --out @/new --listen 192.0.2.2:80")), 0, "exit code");
	CHECK(strstr(read_all(path("out")), "replay: drops: TCP_CHECKSUM 1\n") != NULL, "summary: %s",
		read_all(path("out")));
	CHECK(file_holds(path("new"), "DROP TCP_CHECKSUM"), "no comment");
}

/* Half a second between the frames, a timeout of 200 ms: SYN-ACKs come again at their times. */
static void replay_keeps_time(void)
{
	static const char config[] = "SYN_RTO_MS = 200\nSYNACK_RETRIES = 2\n";
	static const unsigned ms[] = { 0, 0, 200, 500, 500, 600, 1000, 1000 };
	uint8_t frame[256], file[2048], out[12][256];
	size_t lens[12];
	uint64_t times[12];
	size_t len = make_syn(frame, PEER_PORT);
	unsigned n;

	len = make_pcap(file, LINK_ETHERNET, frame, len, 3);
	write_file("in", file, len);
	write_file("config", config, strlen(config));
	CHECK_EQ(finish(start("replay --engine model --in @/in --out @/new --listen 192.0.2.2:80 --config @/config")),
		0, "exit code");
	n = read_pcapng(path("new"), out, lens, times, 12);
	if (!CHECK_EQ(n, COUNT(ms), "frames"))
		return;
	for (unsigned i = 0; i < n; i++)
		CHECK_EQ((times[i] - times[0] + 500000) / 1000000, ms[i], "milliseconds since the first frame");
}

/* ---- the board process ---- */

/* Host messages that are none, a second host, a new host. */
static void host_side(void)
{
	static const struct {
		unsigned bytes, type, length, status;
	} bad[] = {
		{ 3, HF_MSG_COMMAND, 3, HF_STATUS_BAD_LENGTH },	  /* no whole header */
		{ 16, HF_MSG_COMMAND, 24, HF_STATUS_BAD_LENGTH }, /* shorter than it says */
		{ 24, HF_MSG_COMMAND, 16, HF_STATUS_BAD_LENGTH }, /* longer */
		{ 24, HF_MSG_COMMAND, 24, HF_STATUS_BAD_LENGTH }, /* a length no COMMAND has: judged by the core */
		{ 16, 77, 16, HF_STATUS_BAD_TYPE },		  /* likewise */
		{ 16384 + 16, HF_MSG_FRAME, 16400, HF_STATUS_BAD_LENGTH },
	};
	pid_t pid = start_board(target_name(), "");
	int fd = join("host"), second = join("host");
	static uint8_t msg[32768];

	expect_hello(fd);
	CHECK_EQ(take(second), 0, "bytes for a second host");
	close(second);
	for (unsigned i = 0; i < COUNT(bad); i++) {
		check_context("row %u", i);
		memset(msg, 0, sizeof(msg));
		header(msg, bad[i].type, 1, 16, 0x10002, 42);
		MSG_PUT(msg, HEADER, length, bad[i].length);
		send(fd, msg, bad[i].bytes, 0);
		if (!CHECK_EQ(take(fd), 24, "bytes of the answer"))
			break;
		CHECK_EQ(MSG_GET(answer, HEADER, type), HF_MSG_COMPLETION, "type");
		CHECK_EQ(MSG_GET(answer, HEADER, flags), bad[i].status, "flags");
		CHECK_EQ(MSG_GET(answer, COMPLETION, status), bad[i].status, "status");
		CHECK_EQ(MSG_GET(answer, COMPLETION, command), 0x100 | bad[i].type, "command");
		if (bad[i].bytes >= 16) {
			CHECK_EQ(MSG_GET(answer, HEADER, id), 0x10002, "id");
			CHECK_EQ(MSG_GET(answer, HEADER, stamp), 42, "cookie");
		}
	}
	check_context("%s", "");
	CHECK_EQ(lines(read_all(path("err"))), 5, "lines on stderr: the second host and four packets");
	close(fd);
	usleep(100000);
	fd = join("host");
	expect_hello(fd);
	set(fd, HF_REG_TTL, 9);
	close(fd);
	stop_board(pid, 0);
}

/* A handshake through both sockets, the second wire peer waiting for its turn; a host that is gone answers nothing. */
static void wire_side(void)
{
	pid_t pid = start_board(target_name(), "--ladder --pcapng @/new");
	int host = join("host"), wire = join("wire"), second = join("wire");
	struct pollfd waiting = { .fd = second, .events = POLLIN };
	uint8_t frame[256];
	size_t len = make_syn(frame, PEER_PORT);

	expect_hello(host);
	set(host, HF_REG_MAC_LO, 0x00000002);
	set(host, HF_REG_MAC_HI, 0x0200);
	set(host, HF_REG_HEARTBEAT_MS, 0);
	set(host, HF_REG_LISTEN_ADDR, OUR_ADDR);
	set(host, HF_REG_LISTEN_PORT, OUR_PORT);
	set(host, HF_REG_LISTEN_BACKLOG, 10);
	set(host, HF_REG_LISTEN_COMMIT, 1 << HF_LISTEN_COMMIT_MODE_LOW);
	set(host, HF_REG_CTRL, CTRL_ENABLE);
	send(wire, frame, 58, 0); /* as short as its contents: the board's MAC side pads */
	if (CHECK_EQ(take(wire), 60, "bytes of the SYN-ACK")) {
		struct segment ack = { .src = PEER_ADDR,
			.dst = OUR_ADDR,
			.sport = PEER_PORT,
			.dport = OUR_PORT,
			.seq = 1001,
			.ack = get32(answer + 38) + 1,
			.flags = HF_ACK,
			.wnd = 500 };
		uint8_t ip[256];

		len = make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &ack));
		send(wire, frame, len, 0);
		CHECK_EQ(take(host), 128, "bytes of the event");
		CHECK_EQ(MSG_GET(answer, EVENT, code), HF_EVENT_ESTABLISHED, "event");
		CHECK_EQ(MSG_GET(answer, EVENT, remote_port), PEER_PORT, "remote port");
	}
	len = make_syn(frame, PEER_PORT + 1);
	send(second, frame, len, 0);
	CHECK_EQ(poll(&waiting, 1, 200), 0, "the second peer waits");
	close(wire);
	CHECK_EQ(take(second), 60, "bytes of its SYN-ACK, once the first has gone");
	set(host, HF_REG_HEARTBEAT_MS, 100);
	close(host);
	usleep(300000);
	len = make_syn(frame, PEER_PORT + 2);
	send(second, frame, len, 0);
	CHECK_EQ(poll(&waiting, 1, 200), 0, "no answer without a host");
	close(second);
	stop_board(pid, 0);
	CHECK(strstr(read_all(path("out")), "HOST_GONE") != NULL, "the summary names the drop");
	CHECK(strstr(read_all(path("out")), "SYN-RECEIVED -> ESTABLISHED, CONSUME") != NULL, "no ladder");
	CHECK(file_holds(path("new"), "SYN-RECEIVED -> ESTABLISHED, CONSUME"), "no comment");
}

/* An idle board sleeps, and its millisecond clock goes on. */
static void idle_board(void)
{
	pid_t pid = start_board("model", "");
	int host = join("host");
	uint8_t msg[24];
	uint32_t ms[2];
	struct timespec t[2];
	char stat[64];
	unsigned long user, system;

	expect_hello(host);
	for (unsigned i = 0; i < 2; i++) {
		if (i)
			usleep(1500000);
		header(msg, HF_MSG_REG_READ, 0, sizeof(msg), HF_REG_MS, 7);
		send(host, msg, sizeof(msg), 0);
		CHECK_EQ(take(host), 24, "bytes of the reply");
		ms[i] = (uint32_t)MSG_GET(answer, REG_REPLY, value);
		clock_gettime(CLOCK_MONOTONIC, &t[i]);
	}
	/* Generous: this machine may be busy. */
	CHECK(ms[1] - ms[0] + 200 > (t[1].tv_sec - t[0].tv_sec) * 1000 + (t[1].tv_nsec - t[0].tv_nsec) / 1000000,
		"%u ms passed on the board", ms[1] - ms[0]);
	snprintf(stat, sizeof(stat), "/proc/%d/stat", (int)pid);
	CHECK(sscanf(read_all(stat), "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) ==
			2,
		"%s: unreadable", stat);
	CHECK(user + system < 50, "%lu ticks of processor time", user + system);
	close(host);
	stop_board(pid, 0);
}

/* The peer and the peer-host, our small TCP at both ends. */
static void small_peers(void)
{
	pid_t board = start_board(target_name(), ""),
	      host = start("peer-host --host unix:@/host --listen 192.0.2.2:80 --count 1");

	for (unsigned i = 0; i < WAIT_MS / 10 && !strstr(read_all(path("out")), "peer-host: ready"); i++)
		usleep(10000);
	CHECK_EQ(finish(start("peer --wire unix:@/wire --local 192.0.2.1 --remote 192.0.2.2:80 --timeout 15")), 0,
		"exit code of peer");
	CHECK(!strncmp(read_all(path("out")), "HTTP/1.0 200 OK\r\n", 17), "answer: %s", read_all(path("out")));
	CHECK_EQ(finish(host), 0, "exit code of peer-host");
	refuses("peer --wire unix:@/wire --local 192.0.2.1 --remote 192.0.2.3:80 --timeout 1", 1, "no ARP reply");
	stop_board(board, 0);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(bad_usage), CASE_ONCE(what_cannot_be_had),
		CASE_ONCE(bad_configuration), CASE_ONCE(socket_paths), CASE_ONCE(bad_captures), CASE(replay_answers),
		CASE_ONCE(replay_names_drops), CASE_ONCE(replay_keeps_time), CASE(host_side), CASE(wire_side),
		CASE_ONCE(idle_board), CASE(small_peers), { 0 } };
	ssize_t n = readlink("/proc/self/exe", handfast, sizeof(handfast) - 16);
	char command[96];
	int result;

	/* build/tests/test_board -> build/handfast */
	if (n <= 0)
		return 1;
	handfast[n] = '\0';
	dirname(dirname(handfast)); /* cuts an absolute path in place */
	strcat(handfast, "/handfast");
	if (access(handfast, X_OK)) {
		/* A build of some test programs only, with engines of its own. */
		printf("skipped: %s is not there\nresult: board passed=0 failed=0 skipped=%zu\n", handfast,
			COUNT(cases) - 1);
		return 0;
	}
	strcpy(dir, "/tmp/hf-board-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	result = bench_main(argc, argv, "board", cases);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command) ? 1 : result;
}
