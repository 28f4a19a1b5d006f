/* SPDX-License-Identifier: Apache-2.0
 * test_program.c - handfast program, from outside, against a board that is none (support_xvc.h): what arrives is the
 * bitstream, in the right sequence, in the FPGA or in its flash; everything that goes wrong is one line and exit code 1, and a
 * wrong bitstream never reaches the board. Needs openFPGALoader. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../host/cli/program.h"
#include "support_bench.h"
#include "support_fake_board.h"
#include "support_xvc.h"

enum { PAYLOAD = 60000 };

static char program[PATH_MAX], folder[64], said[8192], file[128];

/* An ECP5 bitstream as ecppack writes it, with random frames that nothing looks at. */
static size_t make_bitstream(uint8_t *d, uint32_t idcode, unsigned version, size_t frames)
{
	static const uint8_t head[] = { 0xff, 0, 'P', 'a', 'r', 't', ':', ' ', 'L', 'F', 'E', 0, 0xff, 0xff, 0xff, 0xbd,
		0xb3, 0xff, 0xff, 0xff, 0xff, 0x3b, 0, 0, 0, 0xe2, 0, 0, 0 };
	static const uint8_t middle[] = { 0x22, 0, 0, 0, 0x40, 0, 0, 0, 0x46, 0, 0, 0, 0x82, 0x91, 0x1d, 0x8a };
	static const uint8_t user[] = { 0xff, 0xff, 0xff, 0xff, 0xc2, 0x80, 0, 0, 'H', 'F' };
	static const uint8_t tail[] = { 0xad, 0xe7, 0x5e, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	uint64_t random = 99;
	size_t n = 0;

	memcpy(d, head, sizeof head);
	n += sizeof head;
	put32(d + n, idcode);
	n += 4;
	memcpy(d + n, middle, sizeof middle);
	n += sizeof middle;
	for (size_t i = 0; i < frames; i++)
		d[n++] = (uint8_t)random_next(&random);
	memcpy(d + n, user, sizeof user);
	n += sizeof user;
	put16(d + n, version);
	n += 2;
	memcpy(d + n, tail, sizeof tail);
	return n + sizeof tail;
}

static uint8_t bitstream[PAYLOAD + 200];
static size_t bitstream_len;

static void store(const uint8_t *data, size_t len, bool hash)
{
	char command[400];
	FILE *f;

	snprintf(file, sizeof file, "%s/board.bit", folder);
	f = fopen(file, "wb");
	CHECK(f && fwrite(data, 1, len, f) == len && !fclose(f), "cannot write %s", file);
	snprintf(command, sizeof command, "rm -f %s.sha256%s%s%s", file, hash ? "; cd " : "", hash ? folder : "",
		hash ? " && sha256sum board.bit > board.bit.sha256" : "");
	CHECK(!system(command), "%s", command);
}

static bool begin(void)
{
	char self[PATH_MAX], path[200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *loader = getenv("OPENFPGALOADER");
	FILE *f;

	snprintf(
		path, sizeof path, "command -v %.150s > /dev/null 2>&1", loader && *loader ? loader : "openFPGALoader");
	if (system(path)) {
		bench_skip("openFPGALoader is not installed");
		return false;
	}
	self[n > 0 ? n : 0] = 0;
	snprintf(program, sizeof program, "%.4000s/../handfast", dirname(self));
	strcpy(folder, "/tmp/handfast-test-XXXXXX");
	if (!CHECK(access(program, X_OK) == 0, "no %s", program) || !CHECK(mkdtemp(folder) != NULL, "mkdtemp"))
		return false;
	snprintf(path, sizeof path, "%s/small", folder);
	CHECK(!mkdir(path, 0700), "mkdir");
	snprintf(path, sizeof path, "%s/small/board.conf", folder);
	f = fopen(path, "w");
	CHECK(f != NULL, "cannot write %s", path);
	fprintf(f, "family=ecp5\ntop=small\npart=LFE5U-25F\nidcode=0x41111043\nloader=colorlight-i5 # of "
		   "openFPGALoader\n");
	fclose(f);
	bitstream_len = make_bitstream(bitstream, 0x41111043, HF_ABI_VERSION, PAYLOAD);
	store(bitstream, bitstream_len, true);
	return true;
}

static void finish(void)
{
	char command[100];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	CHECK(!system(command), "%s", command);
}

/* Run it; what it says on both outputs is in `said`. Returns the exit code. */
static int run(const struct xvc *x, const char *more)
{
	char command[800];
	int status;
	size_t n;
	FILE *f;

	snprintf(command, sizeof command,
		"timeout 60 %.300s program --board small --boards %s --bitstream %s --xvc 127.0.0.1:%d %s 2>&1",
		program, folder, file, x ? x->port : 1, more);
	f = popen(command, "r");
	if (!f)
		return -1;
	n = fread(said, 1, sizeof said - 1, f);
	said[n] = 0;
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* It failed, and the one line it said holds `word`. */
static void failed(int code, const char *word)
{
	const char *line = said;

	/* What it found out before may stand in front of it. */
	while (strchr(line, '\n') && strchr(line, '\n')[1] && !strncmp(line, "handfast program: LFE5U", 23))
		line = strchr(line, '\n') + 1;
	CHECK_EQ(code, 1, "exit code");
	CHECK(!strncmp(line, "handfast program: ", 18) && strchr(line, '\n') && !strchr(line, '\n')[1],
		"not one line: \"%s\"", said);
	CHECK(strstr(line, word) != NULL, "\"%s\" does not say \"%s\"", said, word);
}

static struct xvc *device(void)
{
	struct xvc *x = xvc_new();

	if (!x)
		abort();
	return x;
}

static void loads_the_fpga(void)
{
	struct xvc *x;

	if (!begin())
		return;
	x = device();
	CHECK(xvc_start(x), "xvc");
	CHECK_EQ(run(x, ""), 0, "exit code");
	xvc_stop(x);
	CHECK(!*x->fault, "sequence: %s", x->fault);
	CHECK(x->id_reads > 0 && x->done, "%u reads of IDCODE, done %d; %s", x->id_reads, x->done, said);
	/* All but the comment's frame FF 00, which is for flashes. */
	CHECK(x->loaded > PAYLOAD && x->loaded <= bitstream_len, "%u octets loaded of %zu", x->loaded, bitstream_len);
	check_bytes_at(__FILE__, __LINE__, "loaded", x->bitstream, x->loaded, bitstream + bitstream_len - x->loaded,
		x->loaded);
	CHECK(x->pages == 0 && x->erases == 0, "the flash was written");
	xvc_free(x);
	finish();
}

static void writes_the_flash(void)
{
	struct xvc *x;

	if (!begin())
		return;
	x = device();
	memset(x->flash, 0x55, sizeof x->flash);
	CHECK(xvc_start(x), "xvc");
	CHECK(!run(x, "--flash"), "%s", said);
	xvc_stop(x);
	CHECK(!*x->fault, "sequence: %s", x->fault);
	CHECK(x->pages >= PAYLOAD / 256 && x->erases > 0 && !x->writes_locked && x->refreshes > 0,
		"%u pages, %u erases, %u without WREN, %u refreshes: %s", x->pages, x->erases, x->writes_locked,
		x->refreshes, said);
	/* The comment in front of the preamble may be left out. */
	{
		const uint8_t *preamble = memmem(bitstream, bitstream_len, "\xff\xff\xbd\xb3", 4),
			      *there = memmem(x->flash, 256, "\xff\xff\xbd\xb3", 4);
		const size_t len = (size_t)(bitstream + bitstream_len - preamble);

		if (CHECK(there != NULL, "no bitstream in the flash"))
			check_bytes_at(__FILE__, __LINE__, "flash", there, len, preamble, len);
	}
	CHECK(x->flash[XVC_FLASH - 1] == 0x55, "more was erased than is needed");
	xvc_free(x);
	finish();
}

static void no_board(void)
{
	struct xvc *x;

	if (!begin())
		return;
	failed(run(NULL, ""), "no board found");
	x = device();
	x->idcode = 0;
	CHECK(xvc_start(x), "xvc");
	failed(run(x, ""), "no board found");
	xvc_free(x);
	finish();
}

/* Nothing of a bitstream for another part, or another board, is loaded. */
static void wrong_part(void)
{
	static uint8_t other[PAYLOAD + 200];
	struct xvc *x;

	if (!begin())
		return;
	x = device();
	x->idcode = 0x41113043; /* LFE5U-85F */
	CHECK(xvc_start(x), "xvc");
	failed(run(x, ""), "another part is there: IDCODE 0x"); /* openFPGALoader 0.10 leaves out bits 31:28 */
	CHECK(strstr(said, "1113043,") != NULL, "\"%s\" does not name the IDCODE", said);
	failed(run(x, "--flash"), "another part is there");
	xvc_stop(x);
	CHECK(!x->loaded && !x->erases && !x->pages, "it was touched all the same");
	store(other, make_bitstream(other, 0x81113043, HF_ABI_VERSION, 500), true);
	failed(run(x, ""), "is for another part: IDCODE 0x81113043");
	store(other, make_bitstream(other, 0x41111043, HF_ABI_VERSION + 1, 500), true);
	failed(run(x, ""), "registers and messages");
	xvc_free(x);
	finish();
}

/* Cut off, changed, empty, something else, gone, without hash: refused before the board is touched. */
static void corrupt_file(void)
{
	struct xvc *x;
	uint8_t *half;

	if (!begin())
		return;
	x = device();
	half = malloc(bitstream_len);
	if (!half)
		abort();
	CHECK(xvc_start(x), "xvc");
	store(bitstream, bitstream_len / 2, true);
	failed(run(x, ""), "cut off");
	store(bitstream, bitstream_len, true);
	memcpy(half, bitstream, bitstream_len);
	half[bitstream_len / 2] ^= 1;
	{
		FILE *f = fopen(file, "wb");

		CHECK(f && fwrite(half, 1, bitstream_len, f) == bitstream_len && !fclose(f), "cannot write");
	}
	failed(run(x, ""), "hash");
	store(bitstream, bitstream_len, false);
	failed(run(x, ""), "sha256");
	store(bitstream, 0, true);
	failed(run(x, ""), "neither");
	memset(half, 'x', 1000);
	store(half, 1000, true);
	failed(run(x, ""), "neither");
	CHECK(!unlink(file), "unlink");
	failed(run(x, ""), "No such file");
	xvc_stop(x);
	CHECK(!x->id_reads && !x->loaded, "the board was touched");
	free(half);
	xvc_free(x);
	finish();
}

static void cable_lost_half_way(void)
{
	struct xvc *x;

	if (!begin())
		return;
	x = device();
	x->cut_after = PAYLOAD / 2;
	CHECK(xvc_start(x), "xvc");
	failed(run(x, ""), "loading");
	xvc_stop(x);
	CHECK(!x->done && x->loaded >= PAYLOAD / 2, "%u octets, done %d", x->loaded, x->done);
	CHECK(xvc_start(x), "xvc");
	failed(run(x, "--flash"), "writing the flash");
	xvc_free(x);
	finish();
}

static void fpga_refuses(void)
{
	struct xvc *x;

	if (!begin())
		return;
	x = device();
	x->refuse = true;
	CHECK(xvc_start(x), "xvc");
	failed(run(x, ""), "loading");
	xvc_free(x);
	finish();
}

static void flash_that_forgets(void)
{
	struct xvc *x;

	if (!begin())
		return;
	x = device();
	x->flash_forgets = true;
	CHECK(xvc_start(x), "xvc");
	failed(run(x, "--flash"), "writing the flash");
	xvc_free(x);
	x = device();
	x->flash_gone = true;
	CHECK(xvc_start(x), "xvc");
	failed(run(x, "--flash"), "writing the flash");
	xvc_free(x);
	finish();
}

/* The board that runs afterwards is asked what it is. */
static void asks_the_board(void)
{
	static struct fake_board fake;
	struct xvc *x;
	char more[200];

	if (!begin())
		return;
	x = device();
	CHECK(xvc_start(x), "xvc");
	fake_board_init(&fake);
	CHECK(fake_board_start(&fake), "fake board");
	snprintf(more, sizeof more, "--transport unix:%s", fake.path);
	CHECK_EQ(run(x, more), 0, "exit code");
	snprintf(more, sizeof more, "registers and messages version %d", HF_ABI_VERSION);
	CHECK(strstr(said, more) != NULL, "\"%s\" does not say \"%s\"", said, more);
	fake_board_stop(&fake);
	snprintf(more, sizeof more, "--transport unix:%s/nobody", folder);
	CHECK_EQ(run(x, more), 1, "exit code");
	CHECK(strstr(said, "was programmed, but does not answer") != NULL, "\"%s\"", said);
	xvc_free(x);
	finish();
}

static void bad_usage(void)
{
	static const char *const wrong[] = { "", "--board", "--board a/b", "--board small extra",
		"--board small --nothing", "--board small --xvc nowhere",
		"--board small --xvc 1.2.3.4:", "--board small --xvc 127.0.0.1:1 --cable ft2232",
		"--board small --transport carrier:pigeon" };

	if (!begin())
		return;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char command[600];
		int status;
		size_t n;
		FILE *f;

		snprintf(command, sizeof command, "%.300s program %s 2>&1", program, wrong[i]);
		f = popen(command, "r");
		n = f ? fread(said, 1, sizeof said - 1, f) : 0;
		said[n] = 0;
		status = f ? pclose(f) : 0;
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 2 && strchr(said, '\n') && !strchr(said, '\n')[1],
			"%s: %s", wrong[i], said);
	}
	{
		struct xvc *x = device();

		snprintf(said, sizeof said, "%s/small/board.conf", folder);
		CHECK(!unlink(said), "unlink");
		failed(run(x, ""), "board.conf");
		xvc_free(x);
	}
	finish();
}

/* tools/bitstream.sh, from the tree's top: what is wrong is one line, before anything is built. */
static void builds_say_what_is_wrong(void)
{
	static const struct {
		const char *command, *word;
		int code;
	} rows[] = { { "tools/bitstream.sh", "BOARD is not set", 2 },
		{ "tools/bitstream.sh nothing", "no board is named", 2 },
		{ "tools/bitstream.sh ../x", "no board is named", 2 },
		{ "SEED=x tools/bitstream.sh ecpix5", "not a number", 2 },
		{ "CLK_DIV=-1 tools/bitstream.sh ecpix5", "not a number", 2 },
		{ "HF_FETCH_OFFLINE=1 HF_FETCH_DIR=/nonexistent PATH=/usr/bin:/bin tools/bitstream.sh nexys-video",
			"HF_FETCH_OFFLINE", 1 },
		{ "tools/program.sh", "BOARD is not set", 2 } };

	if (access("tools/bitstream.sh", X_OK)) {
		bench_skip("not run from the top of the tree");
		return;
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		char command[300];
		size_t n;
		int status;
		FILE *f;

		snprintf(command, sizeof command, "{ %s; } 2>&1", rows[i].command);
		f = popen(command, "r");
		n = f ? fread(said, 1, sizeof said - 1, f) : 0;
		said[n] = 0;
		status = f ? pclose(f) : 0;
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == rows[i].code && strstr(said, rows[i].word) &&
				strchr(said, '\n') && !strchr(said, '\n')[1],
			"%s: exit %d, \"%s\"", rows[i].command, WEXITSTATUS(status), said);
	}
}

/* Whatever the octets are, the parser ends and says no, or yes to what is whole. */
static void parser_takes_anything(void)
{
	uint8_t data[400];
	uint64_t random = 3;
	struct program_file f;
	char why[PROGRAM_WHY_BYTES];
	const size_t whole = make_bitstream(data, 0x12345678, 7, 100);

	CHECK(!program_file_parse(data, whole, &f, why) && f.idcode == 0x12345678 && f.has_version && f.version == 7,
		"whole: %s", why);
	for (size_t len = 0; len < whole; len++)
		/* What is cut off are the octets 0xff of the end, or something that is missing. */
		CHECK((program_file_parse(data, len, &f, why) == 0) == (len >= whole - 4), "%zu octets", len);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t copy[400];
		const size_t len = random_below(&random, (uint32_t)whole + 1);
		uint8_t *exact = malloc(len ? len : 1);

		if (!exact)
			abort();
		memcpy(copy, data, sizeof copy);
		for (unsigned k = 0; k < 8; k++)
			copy[random_below(&random, (uint32_t)whole)] = (uint8_t)random_next(&random);
		memcpy(exact, copy, len);
		(void)program_file_parse(exact, len, &f, why);
		free(exact);
	}
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(loads_the_fpga), CASE_ONCE(writes_the_flash), CASE_ONCE(no_board), CASE_ONCE(wrong_part),
		CASE_ONCE(corrupt_file), CASE_ONCE(cable_lost_half_way), CASE_ONCE(fpga_refuses), CASE_ONCE(flash_that_forgets),
		CASE_ONCE(asks_the_board), CASE_ONCE(bad_usage), CASE_ONCE(builds_say_what_is_wrong), CASE_ONCE(parser_takes_anything), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "program", cases);
}
