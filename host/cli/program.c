/* SPDX-License-Identifier: Apache-2.0
 * program.c - handfast program: a bitstream into a board, by openFPGALoader. Every failure is one line. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../driver/device.h"
#include "../../regs/regs.h"
#include "program.h"

enum {
	FILE_MAX = 32 << 20, /* octets of the largest bitstream */
	SILENCE_S = 120,     /* openFPGALoader is given up after so long without a word; erasing a flash is slow */
	HELLO_MS = 10000,    /* from the configured FPGA to its first message: PHY and table want a while */
	WORDS_MAX = 24,
};

static int why_not(char *why, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int why_not(char *why, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, PROGRAM_WHY_BYTES, format, args);
	va_end(args);
	return error;
}

/* ---- boards/NAME/board.conf ---- */

int program_board_read(const char *path, struct program_board *board, char *why)
{
	FILE *f = fopen(path, "r");
	char line[256], idcode[40] = "", *end;
	unsigned number = 0;

	if (!f)
		return why_not(why, -ENOENT, "%s: %s", path, strerror(errno));
	memset(board, 0, sizeof *board);
	while (fgets(line, sizeof line, f)) {
		const struct {
			const char *name;
			char *to;
			size_t size;
		} keys[] = { { "part", board->part, sizeof board->part },
			{ "loader", board->loader, sizeof board->loader }, { "top", board->top, sizeof board->top },
			{ "transport", board->transport, sizeof board->transport },
			{ "idcode", idcode, sizeof idcode } };
		char *value;

		number++;
		line[strcspn(line, "#\n")] = 0;
		for (size_t n = strlen(line); n && isspace((unsigned char)line[n - 1]); n--)
			line[n - 1] = 0;
		if (!*line)
			continue;
		value = strchr(line, '=');
		if (!value) {
			fclose(f);
			return why_not(why, -EINVAL, "%s:%u: not NAME=value", path, number);
		}
		*value++ = 0;
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			if (!strcmp(line, keys[i].name))
				snprintf(keys[i].to, keys[i].size, "%s", value);
	}
	fclose(f);
	board->idcode = (uint32_t)strtoul(idcode, &end, 16);
	if (!*idcode || *end || !*board->loader || !*board->part)
		return why_not(why, -EINVAL, "%s: part, loader or idcode is missing", path);
	return 0;
}

/* ---- bitstreams ---- */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const uint8_t *find(const uint8_t *data, size_t len, const char *what, size_t what_len)
{
	return memmem(data, len, what, what_len);
}

int program_file_parse(const uint8_t *data, size_t len, struct program_file *file, char *why)
{
	static const char preamble[] = "\xff\xff\xbd\xb3", verify_id[] = "\xe2\0\0\0", done[] = "\x5e\0\0\0",
			  sync[] = "\xaa\x99\x55\x66", idcode[] = "\x30\x01\x80\x01", user[] = "\xc2\x80\0\0HF";
	const uint8_t *at, *end = data + len;

	memset(file, 0, sizeof *file);
	if (len >= 2 && data[0] == 0xff && data[1] == 0) {
		/* FPGA-TN-02039: comment, preamble, commands; the last is ISC_PROGRAM_DONE, then 0xff to the end. */
		at = find(data, len, preamble, 4);
		at = at ? find(at, (size_t)(end - at), verify_id, 4) : NULL;
		if (!at || end - at < 8)
			return why_not(why, -EINVAL, "no ECP5 bitstream: preamble or IDCODE is missing");
		file->idcode = be32(at + 4);
		while (end > at && end[-1] == 0xff)
			end--;
		if (end - at < 12 || memcmp(end - 4, done, 4))
			return why_not(why, -EINVAL, "the bitstream is cut off");
		at = end - 4 - 10;
		if (!memcmp(at, user, 6)) {
			file->has_version = true;
			file->version = (unsigned)at[6] << 8 | at[7];
		}
		return 0;
	}
	/* UG470: bus width, sync word, packets; IDCODE is a write of one word to register 12. */
	at = find(data, len, sync, 4);
	at = at ? find(at, (size_t)(end - at), idcode, 4) : NULL;
	if (!at || end - at < 8)
		return why_not(why, -EINVAL, "neither an ECP5 nor a Xilinx 7 series bitstream");
	file->idcode = be32(at + 4);
	return 0;
}

static int file_read(const char *path, struct program_file *file, char *why)
{
	uint8_t *data;
	size_t len;
	int r;
	FILE *f = fopen(path, "rb");

	if (!f)
		return why_not(why, -errno, "%s: %s", path, strerror(errno));
	data = malloc(FILE_MAX + 1);
	len = data ? fread(data, 1, FILE_MAX + 1, f) : 0;
	if (!data || ferror(f) || len > FILE_MAX) {
		r = why_not(why, -EIO, "%s: %s", path, len > FILE_MAX ? "too long for a bitstream" : "cannot be read");
	} else {
		char reason[PROGRAM_WHY_BYTES];

		r = program_file_parse(data, len, file, reason);
		if (r)
			why_not(why, r, "%s: %.200s", path, reason);
	}
	free(data);
	fclose(f);
	return r;
}

/* ---- openFPGALoader and sha256sum ---- */

struct tool {
	char *out; /* all it said */
	size_t len;
	bool show; /* its progress */
};

static void show_progress(const char *text, size_t len)
{
	const char *percent = memchr(text, '%', len);

	if (percent && isatty(STDERR_FILENO))
		(void)!write(STDERR_FILENO, text, len);
}

/* Run a program with its output caught. Returns its exit code, or -errno: -ENOENT, -ETIMEDOUT (silent for too long), ... */
static int tool_run(struct tool *t, char *const argv[])
{
	int pipes[2], status = 0, r = 0;
	pid_t pid;

	free(t->out);
	t->out = NULL;
	t->len = 0;
	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(pipes[0]);
		close(pipes[1]);
		return -EAGAIN;
	}
	if (!pid) {
		setpgid(0, 0);
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	setpgid(pid, pid);
	close(pipes[1]);
	for (;;) {
		struct pollfd p = { .fd = pipes[0], .events = POLLIN };
		const int n = poll(&p, 1, SILENCE_S * 1000);
		char *more;
		ssize_t got;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = n ? -errno : -ETIMEDOUT;
			kill(-pid, SIGKILL);
			break;
		}
		more = realloc(t->out, t->len + 4097);
		if (!more) {
			r = -ENOMEM;
			kill(-pid, SIGKILL);
			break;
		}
		t->out = more;
		got = read(pipes[0], t->out + t->len, 4096);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (t->show)
			show_progress(t->out + t->len, (size_t)got);
		t->len += (size_t)got;
		t->out[t->len] = 0;
	}
	close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r)
		return r;
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status) == 127 ? -ENOENT : WEXITSTATUS(status);
}

static bool telling(const char *line)
{
	static const char *const words[] = { "rror", "ail", "nable", "not found", "ismatch", "annot", "an't", "nvalid",
		"unexpected", "refused", "xception", "losed", "what()" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

/* What a tool complained about: the first line that sounds like it, else the last one; without colours and progress. */
static void complaint(const struct tool *t, char *line, size_t size)
{
	bool found = false;
	size_t n = 0;
	char now[200];

	snprintf(line, size, "%s", "it says nothing");
	for (size_t i = 0; i <= t->len && t->out; i++) {
		const char c = i < t->len ? t->out[i] : '\n';

		if (c == '\033') {
			while (i < t->len && t->out[i] != 'm')
				i++;
		} else if (c == '\n' || c == '\r') {
			while (n && isspace((unsigned char)now[n - 1]))
				n--;
			now[n] = 0;
			if (n && !strchr(now, '%') && (telling(now) ? !found : !found)) {
				snprintf(line, size, "%.150s", now);
				found = telling(now);
			}
			n = 0;
		} else if (n + 1 < sizeof now && (n || !isspace((unsigned char)c))) {
			now[n++] = isprint((unsigned char)c) ? c : ' ';
		}
	}
}

/* ---- the command ---- */

struct options {
	const char *board, *boards, *file, *cable, *xvc, *transport;
	bool flash, unchecked;
};

/* openFPGALoader, where it is and by which cable. Returns the words so far. */
static size_t loader_words(const struct options *o, const struct program_board *b, char **w, char *ip, char *port)
{
	const char *loader = getenv("OPENFPGALOADER");
	size_t n = 0;

	w[n++] = (char *)(loader && *loader ? loader : "openFPGALoader");
	w[n++] = "-b";
	w[n++] = (char *)b->loader;
	if (o->xvc) {
		const char *colon = strrchr(o->xvc, ':');

		snprintf(ip, 64, "%.*s", (int)(colon - o->xvc), o->xvc);
		snprintf(port, 16, "%s", colon + 1);
		w[n++] = "-c";
		w[n++] = "xvc-client";
		w[n++] = "--ip";
		w[n++] = ip;
		w[n++] = "--port";
		w[n++] = port;
	} else if (o->cable) {
		w[n++] = "-c";
		w[n++] = (char *)o->cable;
	}
	return n;
}

static int loader_failed(int r, const struct tool *t, const char *what, char *why)
{
	char line[160];

	if (r == -ENOENT)
		return why_not(why, -ENOENT,
			"openFPGALoader is not installed (Debian package openfpgaloader; or set OPENFPGALOADER)");
	if (r == -ETIMEDOUT)
		return why_not(why, r, "%s: openFPGALoader said nothing for %d s and was stopped", what, SILENCE_S);
	if (r < 0)
		return why_not(why, r, "%s: %s", what, strerror(-r));
	complaint(t, line, sizeof line);
	return why_not(why, -EIO, "%s: %s", what, line);
}

/* Which part is there. */
static int detect(const struct options *o, const struct program_board *b, uint32_t *idcode, char *why)
{
	char *w[WORDS_MAX], ip[64], port[16];
	struct tool t = { 0 };
	const char *at;
	int r;
	size_t n = loader_words(o, b, w, ip, port);

	w[n++] = "--detect";
	w[n] = NULL;
	r = tool_run(&t, w);
	at = t.out ? strstr(t.out, "idcode") : NULL;
	if (r || !at) {
		r = r ? loader_failed(r, &t, "no board found", why)
		      : why_not(why, -ENODEV, "no board found: no device on the JTAG chain");
	} else {
		*idcode = (uint32_t)strtoul(at + strcspn(at, "0123456789"), NULL, 16);
		r = 0;
	}
	free(t.out);
	return r;
}

/* FILE.sha256, as sha256sum writes it, is of this file. */
static int check_hash(const char *path, char *why)
{
	char sum[PATH_MAX + 8], copy[PATH_MAX], line[160];
	char *w[] = { "sh", "-c", "cd \"$1\" && sha256sum --check --strict \"$2\"", "sh", NULL, NULL, NULL };
	struct tool t = { 0 };
	char *slash;
	int r;

	snprintf(sum, sizeof sum, "%s.sha256", path);
	if (access(sum, R_OK))
		return why_not(why, -ENOENT,
			"%s: %s, so nobody knows whether the bitstream is whole (--unchecked takes it all the same)",
			sum, strerror(errno));
	snprintf(copy, sizeof copy, "%s", path);
	slash = strrchr(copy, '/');
	if (slash)
		*slash = 0;
	w[4] = slash ? copy : ".";
	w[5] = strrchr(sum, '/') ? strrchr(sum, '/') + 1 : sum;
	r = tool_run(&t, w);
	if (r) {
		complaint(&t, line, sizeof line);
		r = why_not(why, -EINVAL, "%s: not the file that was built: its hash differs from %s", path, w[5]);
	}
	free(t.out);
	return r;
}

static int load(const struct options *o, const struct program_board *b, char *why)
{
	char *w[WORDS_MAX], ip[64], port[16];
	struct tool t = { .show = true };
	int r;
	size_t n = loader_words(o, b, w, ip, port);

	if (o->flash) {
		w[n++] = "-f";
		w[n++] = "--verify";
	}
	w[n++] = (char *)o->file;
	w[n] = NULL;
	r = tool_run(&t, w);
	if (r)
		r = loader_failed(r, &t, o->flash ? "writing the flash" : "loading", why);
	free(t.out);
	return r;
}

/* The board that runs now says what it is. */
static int greet(const char *uri, char *why)
{
	static const struct device_events none;
	char reason[DEVICE_FAULT_BYTES];
	struct transport *t;
	struct device *d;
	int r = transport_open(uri, HELLO_MS, &t, reason);

	if (!r) {
		r = device_open(t, &none, NULL, HELLO_MS, &d, reason);
		if (r)
			transport_close(t);
	}
	if (r)
		return why_not(why, r, "the board was programmed, but does not answer at %s: %s", uri, reason);
	printf("handfast program: the board answers at %s: registers and messages version %u, %u slots\n", uri,
		device_board(d)->version, device_board(d)->slots);
	device_close(d);
	return 0;
}

static void usage(FILE *out)
{
	fprintf(out,
		"usage: handfast program --board NAME [--bitstream FILE] [--flash] [--cable NAME] [--transport URI]\n"
		"                        [--boards DIR] [--xvc ADDRESS:PORT] [--unchecked]\n\n"
		"Put a bitstream into a board (openFPGALoader must be there).\n\n"
		"  --board NAME       a folder below DIR, whose board.conf says part and loader\n"
		"  --bitstream FILE   build/boards/NAME/NAME.bit; FILE.sha256 must be beside it\n"
		"  --flash            into its flash, so that it stays; otherwise until power is off\n"
		"  --cable NAME       another cable than the board's own (openFPGALoader --list-cables)\n"
		"  --xvc ADDRESS:PORT a cable behind Xilinx Virtual Cable\n"
		"  --transport URI    afterwards ask the board for its version there\n"
		"  --boards DIR       boards\n"
		"  --unchecked        take a bitstream without hash or of another version\n");
}

static int fail(const char *why)
{
	fflush(stdout);
	fprintf(stderr, "handfast program: %s\n", why);
	return 1;
}

static int bad_usage(const char *what, const char *value)
{
	fprintf(stderr, "handfast program: %s%s (handfast program --help)\n", what, value);
	return 2;
}

int program_main(int argc, char **argv)
{
	static const struct option known[] = { { "board", required_argument, NULL, 'b' },
		{ "boards", required_argument, NULL, 'B' }, { "bitstream", required_argument, NULL, 'f' },
		{ "cable", required_argument, NULL, 'c' }, { "flash", no_argument, NULL, 'F' },
		{ "xvc", required_argument, NULL, 'x' }, { "transport", required_argument, NULL, 't' },
		{ "unchecked", no_argument, NULL, 'u' }, { "help", no_argument, NULL, 'h' }, { 0 } };
	struct options o = { .boards = "boards" };
	struct program_board board;
	struct program_file file;
	char path[PATH_MAX], conf[PATH_MAX], why[PROGRAM_WHY_BYTES];
	uint32_t idcode = 0;
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case 'b':
			o.board = optarg;
			break;
		case 'B':
			o.boards = optarg;
			break;
		case 'f':
			o.file = optarg;
			break;
		case 'c':
			o.cable = optarg;
			break;
		case 'F':
			o.flash = true;
			break;
		case 'x':
			o.xvc = optarg;
			break;
		case 't':
			o.transport = optarg;
			break;
		case 'u':
			o.unchecked = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			return bad_usage("unknown option, or one without its value: ", argv[optind - 1]);
		}
	}
	if (optind < argc)
		return bad_usage("unexpected argument ", argv[optind]);
	if (!o.board || !*o.board || strchr(o.board, '/'))
		return bad_usage("--board must name a board", "");
	if (o.xvc && (!strrchr(o.xvc, ':') || !strrchr(o.xvc, ':')[1]))
		return bad_usage("--xvc wants ADDRESS:PORT, not ", o.xvc);
	if (o.xvc && o.cable)
		return bad_usage("--xvc and --cable: only one of them", "");
	if (o.transport && !transport_uri_ok(o.transport))
		return bad_usage("--transport: no such form: ", o.transport);
	if (!o.file) {
		snprintf(path, sizeof path, "build/boards/%s/%s.bit", o.board, o.board);
		o.file = path;
	}

	snprintf(conf, sizeof conf, "%s/%s/board.conf", o.boards, o.board);
	if (program_board_read(conf, &board, why) || file_read(o.file, &file, why) ||
		(!o.unchecked && check_hash(o.file, why)))
		return fail(why);
	/* Bits 31:28 are the silicon's revision; on an ECP5 they tell the sizes apart. */
	if ((file.idcode ^ board.idcode) & 0x0fffffff ||
		(file.idcode != board.idcode && (board.idcode & 0xfff) == 0x043)) {
		why_not(why, 0, "%s is for another part: IDCODE 0x%08x, %s (%s) has 0x%08x", o.file, file.idcode,
			o.board, board.part, board.idcode);
		return fail(why);
	}
	if (!o.unchecked && file.has_version && file.version != HF_ABI_VERSION) {
		why_not(why, 0, "%s has version %u of registers and messages, this program knows %d", o.file,
			file.version, HF_ABI_VERSION);
		return fail(why);
	}
	if (detect(&o, &board, &idcode, why))
		return fail(why);
	if ((idcode ^ board.idcode) & 0x0fffffff) {
		why_not(why, 0, "another part is there: IDCODE 0x%08x, %s (%s) has 0x%08x", idcode, o.board, board.part,
			board.idcode);
		return fail(why);
	}
	printf("handfast program: %s found, IDCODE 0x%08x; %s\n", board.part, idcode,
		o.flash ? "writing its flash" : "loading");
	fflush(stdout);
	if (load(&o, &board, why))
		return fail(why);
	printf("handfast program: %s: done%s\n", o.file, o.flash ? ", written and verified" : "");
	if (o.transport && greet(o.transport, why))
		return fail(why);
	return 0;
}
