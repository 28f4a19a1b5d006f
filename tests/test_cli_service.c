/* SPDX-License-Identifier: Apache-2.0
 * test_cli_service.c - the commands that talk to handfastd, against a daemon of the test's own that answers what
 * host/daemon/control.h says: what is asked, what is printed, what a daemon that refuses, dies or talks nonsense leads to.
 * The real daemon is test_daemon's. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_bench.h"

static char program[PATH_MAX], folder[] = "/tmp/handfast-cli-XXXXXX", path[64];
static int listener = -1;
static pthread_t thread;

/* What the daemon says to the next requests, in turn, and what it was asked. A reply without end is followed by hanging up. */
static const char *replies[8];
static char asked[8][512];
static unsigned asked_count;

static void *serve(void *unused)
{
	(void)unused;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		FILE *f = fd < 0 ? NULL : fdopen(fd, "r+");
		char line[512];

		if (!f)
			return NULL;
		while (asked_count < COUNT(asked) && replies[asked_count] && fgets(line, sizeof(line), f)) {
			const char *reply = replies[asked_count];

			line[strcspn(line, "\n")] = 0;
			strcpy(asked[asked_count++], line);
			if (write(fd, reply, strlen(reply)) < 0 || !*reply || reply[strlen(reply) - 1] != '\n')
				break;
		}
		fclose(f);
	}
}

static bool begin(const char *first, const char *second)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = 0;
	snprintf(program, sizeof(program), "%.4000s/../handfast", dirname(self));
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	if (!CHECK(mkdtemp(folder) != NULL, "mkdtemp"))
		return false;
	snprintf(path, sizeof(path), "%s/control", folder);
	strcpy(addr.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memset(replies, 0, sizeof(replies));
	replies[0] = first;
	replies[1] = second;
	asked_count = 0;
	return CHECK(!bind(listener, (struct sockaddr *)&addr, sizeof(addr)) && !listen(listener, 4), "no socket") &&
	       CHECK(!pthread_create(&thread, NULL, serve, NULL), "no thread");
}

static void end(void)
{
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
	unlink(path);
	CHECK(rmdir(folder) == 0, "something is left in %s", folder);
}

/* Run `handfast ARGUMENTS --socket PATH`; its output, stderr included, and exit code. */
static const char *run(const char *arguments, int *code)
{
	static char out[65536];
	char command[PATH_MAX + 512];
	FILE *f;
	size_t n;
	int status;

	snprintf(command, sizeof(command), "timeout 20 %s %s --socket %s 2>&1", program, arguments, path);
	f = popen(command, "r");
	n = f ? fread(out, 1, sizeof(out) - 1, f) : 0;
	out[n] = 0;
	status = f ? pclose(f) : -1;
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return out;
}

static void expect(const char *arguments, int code, const char *text)
{
	int got;
	const char *out = run(arguments, &got);

	CHECK_EQ(got, code, arguments);
	CHECK(strstr(out, text) != NULL, "%s: no \"%s\" in:\n%s", arguments, text, out);
}

#define STATUS_REPLY                                                                                                   \
	"{\"ok\":true,\"version\":\"0.1.0\",\"abi\":4,\"pid\":7,\"uptime_ms\":3725000,\"link\":\"up\",\"why\":\"\","   \
	"\"board\":{\"uri\":\"unix:/x\",\"epoch\":16,\"slots\":1024,\"ways\":4,\"listeners\":16,\"data_width\":64},"   \
	"\"wire\":{\"up\":true,\"mbits\":1000,\"full_duplex\":true,\"phy_found\":true,\"phy_addr\":3},"                \
	"\"table\":{\"entries\":1000,\"half_open\":12,\"host_owned\":900,\"cookies\":true},"                           \
	"\"tap\":{\"name\":\"hf0\",\"mac\":\"02:00:00:00:00:02\",\"mtu\":1500,\"addresses\":[\"192.0.2.2/24\"]},"      \
	"\"rates\":{\"listeners\":[{\"address\":\"0.0.0.0\",\"port\":80,\"syn\":4321},{\"address\":\"::\",\"port\":"   \
	"80,\"syn\":"                                                                                                  \
	"0},{\"address\":\"0.0.0.0\",\"port\":81,\"syn\":5}],\"syn\":1234567,\"established\":1,\"handoffs\":2,"        \
	"\"connects\":3,\"frames_up\":4,\"frames_down\":"                                                              \
	"5},"                                                                                                          \
	"\"rules\":{\"room\":8,\"on_board\":8,\"on_host\":3},"                                                         \
	"\"attack\":{\"active\":true,\"since_ms\":61000,\"syn_rate\":99,\"listeners\":[{\"address\":\"0.0.0.0\","      \
	"\"port\":"                                                                                                    \
	"80,\"since_ms\":62000,\"syn_rate\":98,\"peak\":12345}]},\"ways\":{\"kernel\":{\"usable\":false,"              \
	"\"why\":"                                                                                                     \
	"\"no "                                                                                                        \
	"BTF\"},\"repair\":{\"usable\":true,\"why\":\"\"}},\"handoffs\":5,\"handoff_failed\":6,\"accept_overflow\":7," \
	"\"board_resets\":8}\n"

static void status_is_told(void)
{
	if (!begin(STATUS_REPLY, STATUS_REPLY))
		return;
	expect("status", 0, "up 1 h 2 min");
	CHECK(!strcmp(asked[0], "{\"request\":\"status\"}"), "asked %s", asked[0]);
	expect("status --json", 0, "\"half_open\": 12");
	end();
	if (!begin(STATUS_REPLY, STATUS_REPLY))
		return;
	expect("status", 0, "1,234,567 SYNs");
	expect("status", 0, "way kernel not usable: no BTF");
	end();
	if (!begin(STATUS_REPLY, STATUS_REPLY))
		return;
	expect("status", 0, "ATTACK     on 0.0.0.0 port 80 since 1 min 2 s, 98 SYNs per second, 12,345 at most");
	end();
	if (!begin(STATUS_REPLY, STATUS_REPLY))
		return;
	expect("status", 0, "SYNs       4,321 on 0.0.0.0 port 80, 5 on 0.0.0.0 port 81\n");
	expect("status", 0, "rules      8 of 8 in the board, 3 after the handshake");
	end();
	if (!begin(STATUS_REPLY, STATUS_REPLY))
		return;
	expect("status", 0, "wire       up, 1000 Mbit/s, full duplex, PHY 3\n");
	expect("status --json", 0, "\"mbits\": 1000");
	end();
}

static void listeners_tell_why(void)
{
	static const char reply[] =
		"{\"ok\":true,\"listeners\":[{\"address\":\"any\",\"port\":8080,\"way\":\"repair\",\"wanted\":"
		"\"offload\","
		"\"mode\":\"bypass\",\"why\":\"MPTCP\",\"reason\":\"mptcp\",\"since_ms\":100,\"index\":null,"
		"\"backlog\":1,\"queued\":2,\"clients\":3,\"handoffs\":4,\"failed\":5,\"overflow\":6,\"syn_rate\":7}]}"
		"\n";

	if (!begin(reply, reply))
		return;
	expect("listeners", 0, "bypass, not offload");
	expect("listeners", 0, "MPTCP");
	end();
}

/* SYNs and attack per listener; a board that does not count them. */
static void listeners_tell_of_attacks(void)
{
#define LISTENER(port, members)                                                                                  \
	"{\"address\":\"any\",\"port\":" port ",\"way\":\"repair\",\"wanted\":\"offload\",\"mode\":\"offload\"," \
	"\"why\":\"\",\"since_ms\":100," members "}"
	static const char reply[] = "{\"ok\":true,\"listeners\":[" LISTENER("80",
		"\"syn_rate\":123456,\"attack\":true,\"attack_changed_ms\":"
		"61000") "," LISTENER("81",
		"\"syn_rate\":0,\"attack\":false,\"attack_changed_ms\":7200000") "," LISTENER("82",
		"\"syn_rate\":null,\"attack\":false,\"attack_changed_ms\":null") "]}\n";

	if (!begin(reply, reply))
		return;
	expect("listeners", 0, "123,456  for 1 min 1 s");
	expect("listeners", 0, "ended 2 h 0 min ago");
	end();
	if (!begin(reply, NULL))
		return;
	expect("listeners", 0, "      -  -      ");
	end();
}

#define RULES_REPLY                                                                                                \
	"{\"ok\":true,\"rules\":[{\"prefix\":\"198.51.100.7/32\",\"deny\":false,\"rate\":50,\"hits\":3,\"where\":" \
	"\"board\",\"drops\":1234567,\"config\":true},{\"prefix\":\"2001:db8::/32\",\"deny\":true,\"rate\":0,"     \
	"\"hits\":4,\"where\":\"host\",\"drops\":4,\"config\":false}],\"room\":1}\n"

static void rules_tell_where(void)
{
	if (!begin(RULES_REPLY, RULES_REPLY))
		return;
	expect("rules", 0, "198.51.100.7/32  50 per second  board  config   1,234,567            3");
	expect("rules", 0, "2001:db8::/32    deny           host   command          4            4");
	end();
	if (!begin(RULES_REPLY, "{\"ok\":true,\"rules\":[],\"room\":8}\n"))
		return;
	expect("rules", 0, "The board has room for 1");
	expect("rules", 0, "no rule");
	end();
}

static void top_tells_of_syns(void)
{
	static const char sampled[] =
		"{\"ok\":true,\"sources\":[{\"connections\":2,\"denied\":1,\"prefix\":\"192.0.2.0/24\",\"syns\":40000,"
		"\"syn_rate\":500,\"syns_dropped\":30000}],\"window_ms\":80000,\"samples\":100,\"syns\":80000,"
		"\"every\":"
		"800}\n";
	static const char plain[] =
		"{\"ok\":true,\"sources\":[{\"connections\":2,\"denied\":1,\"prefix\":\"192.0.2.0/24\",\"syns\":0,"
		"\"syn_rate\":0,\"syns_dropped\":0}],\"window_ms\":0,\"samples\":0,\"syns\":0,\"every\":0}\n";
	const char *out;
	int code;

	if (!begin(sampled, sampled))
		return;
	expect("top", 0, "192.0.2.0/24    500  40,000   30,000            2       1");
	expect("top", 0,
		"100 samples stand for 80,000 SYNs in the last 1 min 20 s, one of 800 now.\nThe networks above sent 50 "
		"%");
	end();
	if (!begin(plain, NULL))
		return;
	out = run("top", &code);
	CHECK(strstr(out, "192.0.2.0/24            2       1") && !strstr(out, "SYN"), "%s", out);
	end();
}

static void what_is_asked(void)
{
	static const struct {
		const char *arguments, *request;
	} rows[] = {
		{ "listener 80 bypass", "{\"request\":\"listener\",\"port\":80,\"mode\":\"bypass\"}" },
		{ "listener 80 off --address 192.0.2.2",
			"{\"request\":\"listener\",\"port\":80,\"mode\":\"off\",\"address\":\"192.0.2.2\"}" },
		{ "conns --state SYN-RECEIVED --host ::1 --port 5 --sort age --limit 9",
			"{\"request\":\"conns\",\"state\":\"SYN_RECEIVED\",\"host\":\"::1\",\"port\":5,\"sort\":"
			"\"age\","
			"\"limit\":9}" },
		{ "limit 192.0.2.0/24 50", "{\"request\":\"limit\",\"prefix\":\"192.0.2.0/24\",\"rate\":50}" },
		{ "limit 192.0.2.0/24 off", "{\"request\":\"limit\",\"prefix\":\"192.0.2.0/24\",\"rate\":0}" },
		{ "deny 2001:db8::/64", "{\"request\":\"deny\",\"prefix\":\"2001:db8::/64\",\"deny\":true}" },
		{ "deny 2001:db8::/64 --remove", "{\"request\":\"deny\",\"prefix\":\"2001:db8::/64\",\"deny\":false}" },
		{ "keys rotate", "{\"request\":\"keys\",\"action\":\"rotate\"}" },
		{ "reload", "{\"request\":\"reload\"}" },
		{ "top", "{\"request\":\"top\"}" },
		{ "rules", "{\"request\":\"rules\"}" },
		{ "counters", "{\"request\":\"counters\"}" },
		{ "selftest", "{\"request\":\"selftest\"}" },
	};
	int code;

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!begin("{\"ok\":true}\n", NULL))
			return;
		run(rows[i].arguments, &code);
		CHECK_EQ(code, 0, rows[i].arguments);
		CHECK(asked_count == 1 && !strcmp(asked[0], rows[i].request), "%s asked %s", rows[i].arguments,
			asked[0]);
		end();
	}
}

static void bad_usage_asks_nothing(void)
{
	static const struct {
		const char *arguments, *text;
	} rows[] = {
		{ "status extra", "status: extra: not expected here" },
		{ "status --wrong", "status: --wrong: unknown option" },
		{ "listener 0 off", "listener: 0: not a port" },
		{ "listener 80 maybe", "listener: maybe: not offload, bypass or off" },
		{ "listener 80", "listener: an argument is missing" },
		{ "conns --port 65536", "conns: --port 65536: not a port" },
		{ "conns --sort size", "conns: --sort size: not age, peer or state" },
		{ "limit 192.0.2.0/24 -5", "unknown option" },
		{ "limit 192.0.2.0/24 fast", "limit: fast: not a rate" },
		{ "keys show", "keys: show: only rotate" },
		{ "counters --watch=0", "counters: --watch 0: not a number of seconds" },
		{ "trace --sample 0", "trace: --sample 0: not a number" },
		{ "doctor --tap a/b", "doctor: --tap a/b: not the name of a netdev" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!begin("{\"ok\":true}\n", NULL))
			return;
		expect(rows[i].arguments, 2, rows[i].text);
		CHECK_EQ(asked_count, 0, rows[i].arguments);
		end();
	}
}

static void daemon_that_fails(void)
{
	int code;
	const char *out;

	if (!begin("{\"ok\":false,\"error\":\"no listener on port 81\",\"errno\":\"ENOENT\"}\n", "gone"))
		return;
	expect("listener 81 off", 1, "listener: no listener on port 81");
	expect("status", 1, "handfastd hung up");
	end();
	if (!begin("[1, 2]\n", "{\"ok\":\n"))
		return;
	expect("status", 1, "not a reply of handfastd: [1, 2]");
	expect("status", 1, "not a reply of handfastd");
	end();
	snprintf(path, sizeof(path), "/tmp/handfast-no-such-socket");
	out = run("status", &code);
	CHECK_EQ(code, 1, "without a daemon");
	CHECK(strstr(out, "handfastd does not run here") != NULL, "%s", out);
}

#define TRACE_REPLIES                                                                                                  \
	"{\"ok\":true}\n"                                                                                              \
	"{\"trace\":\"event\",\"time_ns\":5000000,\"what\":\"ESTABLISHED\",\"id\":65540,\"state\":\"ESTABLISHED\","    \
	"\"local\":\"192.0.2.2:80\",\"remote\":\"192.0.2.1:4000\",\"snd_nxt\":1001,\"rcv_nxt\":1,\"snd_wnd\":500,"     \
	"\"mss\":1460,\"cookie\":false,\"listener\":0,\"active\":false}\n"                                             \
	"{\"trace\":\"frame\",\"time_ns\":7500000,\"direction\":\"up\",\"length\":60,\"local\":\"192.0.2.2:80\","      \
	"\"remote\":\"192.0.2.1:4000\",\"flags\":\"FA\",\"seq\":1,\"ack\":1001,\"wnd\":64,\"hex\":\"020000000002"      \
	"0200000000010800450000280000400040060000c0000201c00002020fa0005000000001000003e9501100400000000000000000"     \
	"0000\"}\n"                                                                                                    \
	"{\"trace\":\"handoff\",\"time_ns\":7600000,\"way\":\"repair\",\"local\":\"192.0.2.2:80\",\"remote\":\"192.0." \
	"2."                                                                                                           \
	"1:4000\",\"ok\":true}\n"

static void trace_draws_the_handshake(void)
{
	int code;
	const char *out;

	if (!begin(TRACE_REPLIES, NULL))
		return;
	out = run("trace --count 3 --port 80", &code);
	CHECK_EQ(code, 0, "trace");
	CHECK(!strcmp(asked[0], "{\"request\":\"trace\",\"port\":80,\"hex\":false}"), "asked %s", asked[0]);
	/* the peer's ISS is 0: IRS = rcv_nxt - 1; ours is 1000 */
	CHECK(strstr(out, "----- SYN SEQ=0 ---") != NULL, "no SYN in:\n%s", out);
	CHECK(strstr(out, "<---- SYN,ACK SEQ=1000 ACK=1 ---") != NULL, "no SYN-ACK in:\n%s", out);
	CHECK(strstr(out, "----- ACK SEQ=1 ACK=1001 ---") != NULL, "no ACK in:\n%s", out);
	CHECK(strstr(out, "       2.500  192.0.2.1:4000") != NULL, "no FIN at 2.5 ms in:\n%s", out);
	CHECK(strstr(out, "FIN,ACK SEQ=1 ACK=1001 WND=64") != NULL, "no FIN in:\n%s", out);
	CHECK(strstr(out, "by way repair") != NULL, "no handoff in:\n%s", out);
	end();
}

/* Trace into a file and give it to tshark: each frame's `fields` as a line of `text`. False where there is no tshark. */
static bool traced(const char *fields, char *text, size_t cap)
{
	char arguments[128], command[256];
	size_t n = 0;
	bool there;
	int code;
	FILE *f;

	snprintf(arguments, sizeof(arguments), "trace --count 3 -w %s/out.pcapng", folder);
	run(arguments, &code);
	CHECK_EQ(code, 0, "trace -w");
	snprintf(command, sizeof(command),
		"tshark -r %s/out.pcapng -o tcp.check_checksum:TRUE -T fields %s 2>/dev/null", folder, fields);
	f = popen(command, "r");
	if (f)
		n = fread(text, 1, cap - 1, f);
	text[n] = 0;
	there = f && WEXITSTATUS(pclose(f)) != 127;
	if (!there)
		bench_skip("no tshark");
	snprintf(arguments, sizeof(arguments), "%s/out.pcapng", folder);
	unlink(arguments);
	return there;
}

/* What tshark makes of the file is the judge of its checksums and numbers. */
static void trace_writes_pcapng(void)
{
	char text[4096];

	if (!begin(TRACE_REPLIES, NULL))
		return;
	if (traced("-e tcp.flags -e tcp.seq_raw -e tcp.ack_raw -e tcp.checksum.status -e frame.comment", text,
		    sizeof(text))) {
		CHECK(strstr(text, "0x0002\t0\t0\t1\trebuilt") == text, "%s", text);
		CHECK(strstr(text, "0x0012\t1000\t1\t1\trebuilt") != NULL, "%s", text);
		CHECK(strstr(text, "0x0010\t1\t1001\t1\trebuilt") != NULL, "%s", text);
		CHECK(strstr(text, "0x0011\t1\t1001\t") != NULL, "%s", text);
	}
	end();
}

#define SAMPLE_REPLIES                                                                                             \
	"{\"ok\":true}\n"                                                                                          \
	"{\"trace\":\"event\",\"time_ns\":5000000,\"what\":\"SAMPLE\",\"seq\":4000000000,\"cause\":\"BACKLOG\","   \
	"\"every\":1600,\"listener\":0,\"local\":\"192.0.2.2:80\",\"remote\":\"198.51.100.7:4000\"}\n"             \
	"{\"trace\":\"event\",\"time_ns\":5500000,\"what\":\"SAMPLE\",\"seq\":7,\"cause\":\"\",\"every\":1600,"    \
	"\"listener\":0,\"local\":\"[2001:db8::2]:80\",\"remote\":\"[2001:db8::1]:4001\"}\n"                       \
	"{\"trace\":\"event\",\"time_ns\":6000000,\"what\":\"SAMPLE\",\"seq\":8,\"cause\":\"DENIED\",\"every\":1," \
	"\"listener\":0,\"local\":\"[2001:db8::2]:80\",\"remote\":\"[2001:db8::1]:4002\"}\n"

/* A SYN that was dropped is drawn, with its cause; in a file stand those that were dropped. */
static void trace_shows_samples(void)
{
	char text[4096];
	const char *out;
	int code;

	if (!begin(SAMPLE_REPLIES, NULL))
		return;
	out = run("trace --count 3", &code);
	CHECK_EQ(code, 0, "trace");
	CHECK(strstr(out, "----- SYN SEQ=4000000000 ---") && strstr(out, "DROPPED: BACKLOG; a sample, one of 1,600"),
		"no dropped SYN in:\n%s", out);
	CHECK(strstr(out, "answered; a sample, one of 1,600") != NULL, "no answered SYN in:\n%s", out);
	end();
	if (!begin(SAMPLE_REPLIES, NULL))
		return;
	if (traced("-e tcp.flags -e tcp.seq_raw -e tcp.checksum.status -e frame.comment", text, sizeof(text))) {
		CHECK(strstr(text,
			      "0x0002\t4000000000\t1\trebuilt by handfast trace from the board's SAMPLE event, one of "
			      "1600 SYNs; dropped: BACKLOG;") == text,
			"%s", text);
		CHECK(strstr(text, "\n0x0002\t8\t1\trebuilt") && !strstr(text, "0x0002\t7\t"), "%s", text);
	}
	end();
}

static void trace_file_that_cannot_be(void)
{
	if (!begin(TRACE_REPLIES, NULL))
		return;
	expect("trace -w /no/such/folder/x", 1, "trace: -w /no/such/folder/x: No such file or directory");
	end();
}

/* Each command's help names it and its exit codes; the completion knows commands from the same texts. */
static void help_everywhere(void)
{
	static const char *const names[] = { "status", "listeners", "listener", "conns", "counters", "trace", "top",
		"limit", "deny", "rules", "keys", "selftest", "reload", "doctor", "run" };
	char arguments[64];

	if (!begin("{\"ok\":true}\n", NULL))
		return;
	for (size_t i = 0; i < COUNT(names); i++) {
		char text[64];

		snprintf(arguments, sizeof(arguments), "%s --help", names[i]);
		snprintf(text, sizeof(text), "usage: handfast %s", names[i]);
		expect(arguments, 0, text);
		expect(arguments, 0, "Exit code: ");
	}
	end();
}

static void run_reports(void)
{
	static const struct {
		const char *arguments;
		int code;
		const char *text;
	} rows[] = {
		{ "run --help", 0, "usage: handfast run" },
		{ "run", 2, "run: no command" },
		{ "run --wrong -- true", 2, "run: --wrong: unknown option" },
		{ "run --preload /no/such/file -- true", 126, "run: /no/such/file: No such file" },
		{ "run --preload /dev/null -- /no/such/program", 127, "run: /no/such/program: No such file" },
		{ "run --json", 2, "\"error\": \"no command" },
		{ "run --json --wrong -- true", 2, "\"what\": \"--wrong\"" },
		{ "run --json --preload /no/such/file -- true", 126, "\"error\": \"No such file" },
		{ "run --json --preload /dev/null -- /no/such/program", 127, "\"exit_code\": 127" },
	};
	char command[PATH_MAX + 128], out[1024];

	begin("", NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		FILE *f;
		int status;

		snprintf(command, sizeof(command), "%s %s 2>&1", program, rows[i].arguments);
		f = popen(command, "r");
		out[f ? fread(out, 1, sizeof(out) - 1, f) : 0] = 0;
		status = f ? pclose(f) : -1;
		CHECK_EQ(WEXITSTATUS(status), rows[i].code, rows[i].arguments);
		CHECK(strstr(out, rows[i].text) != NULL, "%s: %s", rows[i].arguments, out);
	}
	end();
}

/* What a shell prints. */
static int shell(const char *command, char *out, size_t size)
{
	FILE *f = popen(command, "r");
	int status;

	out[f ? fread(out, 1, size - 1, f) : 0] = 0;
	status = f ? pclose(f) : -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void completion_knows_what_help_tells(void)
{
	static const struct {
		const char *words, *text;
	} rows[] = {
		{ "rep", "replay" },
		{ "replay --js", "--json" },
		{ "board --js", "--json" },
		{ "run --js", "--json" },
		{ "doctor --js", "--json" },
		{ "listeners --js", "--json" },
		{ "board --engine l", "lockstep" },
		{ "conns --sort p", "peer" },
		{ "keys r", "rotate" },
	};
	char command[2 * PATH_MAX + 512], tree[PATH_MAX], out[1024];

	begin("", NULL);
	snprintf(tree, sizeof(tree), "%s", program);
	snprintf(tree + strlen(dirname(tree)), 64, "/../packaging/handfast.bash");
	if (access(tree, R_OK)) {
		bench_skip("the source tree is not beside the programs");
		end();
		return;
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(command, sizeof(command),
			"bash -c 'source %s; COMP_WORDS=(%s %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _handfast; "
			"echo "
			"\"${COMPREPLY[*]}\"' 2>&1",
			tree, program, rows[i].words);
		shell(command, out, sizeof(out));
		CHECK(strstr(out, rows[i].text) != NULL, "handfast %s: \"%s\"", rows[i].words, out);
	}
	end();
}

/* What is in the way, in a network namespace where it is, and the command that mends it. */
static void doctor_finds_what_is_wrong(void)
{
	static const char *const wrong[] = { "tcp_syncookies", "tcp_timestamps", "rp_filter" };
	static const char *const looked_at[] = { "CAP_NET_ADMIN", "/dev/net/tun", "kernel", "way kernel", "BTF",
		"bpffs", "tcp_syncookies", "rp_filter", "nft rules", "MTU", "MEMLOCK", "IOMMU" };
	char command[PATH_MAX + 512], out[16384], name[80];

	if (shell("unshare -n true 2>&1", out, sizeof(out))) {
		bench_skip("needs root and network namespaces");
		return;
	}
	begin("", NULL);
	snprintf(command, sizeof(command),
		"unshare -n sh -c 'cd /proc/sys/net/ipv4 && echo 0 > tcp_syncookies && echo 0 > tcp_timestamps && echo "
		"1 > "
		"conf/all/rp_filter && exec \"$0\" doctor --tap lo --socket /none \"$@\"' \"%s\"",
		program);
	shell(command, out, sizeof(out));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const char *at = strstr(out, wrong[i]);

		CHECK(at != NULL, "no %s: %s", wrong[i], out);
		/* The line behind it is the way to mend it. */
		at = at ? strchr(at, '\n') : NULL;
		CHECK(at && strspn(at + 1, " ") > 20 && !strncmp(at + 1 + strspn(at + 1, " "), "-> ", 3),
			"no fix of %s: %s", wrong[i], out);
	}
	strcat(command, " --json");
	shell(command, out, sizeof(out));
	for (size_t i = 0; i < COUNT(looked_at); i++) {
		snprintf(name, sizeof(name), "\"name\": \"%s\"", looked_at[i]);
		CHECK(strstr(out, name) != NULL, "%s is not looked at: %s", looked_at[i], out);
	}
	end();
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(status_is_told), CASE_ONCE(listeners_tell_why), CASE_ONCE(listeners_tell_of_attacks), CASE_ONCE(rules_tell_where),
		CASE_ONCE(top_tells_of_syns), CASE_ONCE(what_is_asked), CASE_ONCE(bad_usage_asks_nothing),
		CASE_ONCE(daemon_that_fails), CASE_ONCE(trace_draws_the_handshake), CASE_ONCE(trace_writes_pcapng), CASE_ONCE(trace_shows_samples),
		CASE_ONCE(trace_file_that_cannot_be), CASE_ONCE(help_everywhere), CASE_ONCE(run_reports), CASE_ONCE(completion_knows_what_help_tells),
		CASE_ONCE(doctor_finds_what_is_wrong), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "cli_service", cases);
}
