/* SPDX-License-Identifier: Apache-2.0
 * test_fasm2frames.c - features to configuration frames (tools/fasm2frames.c), with a database of a few tiles that the test
 * writes: plain and indexed features, cleared bits, another type's features, block RAM, features without bits; and each thing
 * that is refused. What the real database gives is decoded again by every `make bitstream` of a board with such a part. */
#include <sys/stat.h>
#include <unistd.h>

#include "support_bench.h"

static char dir[64];

static void put(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	CHECK(f != NULL, "%s cannot be written", path);
	if (!f)
		return;
	fputs(text, f);
	fclose(f);
}

static void begin(void)
{
	char path[160];

	snprintf(dir, sizeof dir, "/tmp/handfast-fasm.XXXXXX");
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof path, "%s/mapping", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/fabric9", dir);
	mkdir(path, 0700);
	put("mapping/parts.yaml", "x9tother-1:\n  device: x9t\nx9tsmall-1:\n  device: x9t\n  package: small\n");
	put("mapping/devices.yaml",
		"# device to fabric\n\"x9\":\n  fabric: \"none\"\n\"x9t\":\n  fabric: \"fabric9\"\n");
	put("fabric9/tilegrid.json",
		"{\"L_X0Y0\":{\"type\":\"L\",\"bits\":{\"CLB_IO_CLK\":{\"baseaddr\":\"0x00000100\",\"offset\":3,"
		"\"words\":2,"
		"\"frames\":36}}},"
		"\"S_X0Y1\":{\"type\":\"S\",\"bits\":{\"CLB_IO_CLK\":{\"baseaddr\":\"0x00000200\",\"offset\":99,"
		"\"words\":2,"
		"\"frames\":36,\"alias\":{\"type\":\"L\",\"start_offset\":1,\"sites\":{\"ONE\":\"A\"}}}}},"
		"\"R_X1Y0\":{\"type\":\"R\",\"bits\":{\"CLB_IO_CLK\":{\"baseaddr\":\"0x00000300\",\"offset\":0,"
		"\"words\":10,"
		"\"frames\":28},\"BLOCK_RAM\":{\"baseaddr\":\"0x00c00000\",\"offset\":10,\"words\":10,\"frames\":128}}}"
		","
		"\"N_X9Y9\":{\"type\":\"N\",\"bits\":{}}}");
	put("segbits_l.db", "L.A.ON 00_00\nL.A.MODE.X 01_31 !01_32\nL.A.MODE.Y !01_31 01_32\nL.A.INIT[00] 02_00\n"
			    "L.A.INIT[01] 02_33\nL.A.INIT[10] 35_63\n");
	put("ppips_l.db", "L.OUT.IN always\n");
	put("segbits_r.db", "R.B.ON 05_05\n");
	put("segbits_r.block_ram.db", "R.B.INIT_00[000] 00_00\nR.B.INIT_00[255] 127_319\n");
	put("segbits_n.db", "N.X 00_00\n");
}

static void end(void)
{
	char command[160];

	snprintf(command, sizeof command, "rm -r %s", dir);
	CHECK(!system(command), "%s", command);
}

/* Its exit code; `said` is what it wrote to either output. */
static int run(const char *arguments, char said[1024])
{
	char command[512];
	FILE *p;
	size_t n;
	int status;

	snprintf(command, sizeof command, "build/fasm2frames %s 2>&1", arguments);
	p = popen(command, "r");
	if (!p)
		abort();
	n = fread(said, 1, 1023, p);
	said[n] = 0;
	status = pclose(p);
	return status < 0 || !WIFEXITED(status) ? -1 : WEXITSTATUS(status);
}

static int convert(const char *fasm, char said[1024])
{
	char arguments[256];

	put("in.fasm", fasm);
	snprintf(arguments, sizeof arguments, "%s x9tsmall-1 %s/in.fasm %s/out.frames", dir, dir, dir);
	return run(arguments, said);
}

/* Word `word` of the frame in the output, and how many frames there are. */
static uint32_t word_of(uint32_t address, unsigned word, unsigned *count)
{
	char path[160], line[4096];
	uint32_t value = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/out.frames", dir);
	f = fopen(path, "r");
	*count = 0;
	while (f && fgets(line, sizeof line, f)) {
		char *at;
		const uint32_t is = (uint32_t)strtoul(line, &at, 16);

		++*count;
		CHECK_EQ(strlen(line), 11 + 101 * 11, "octets of a line");
		for (unsigned i = 0; i < 101; i++, at++) {
			const uint32_t v = (uint32_t)strtoul(at, &at, 16);

			if (is == address && i == word)
				value = v;
		}
	}
	if (f)
		fclose(f);
	return value;
}

static void bits_are_where_they_belong(void)
{
	static const struct {
		const char *fasm;
		uint32_t address;
		unsigned word;
		uint32_t value;
	} rows[] = {
		{ "L_X0Y0.A.ON", 0x100, 3, 1 },
		{ "L_X0Y0.A.ON = 1 # why\n", 0x100, 3, 1 },
		{ "  # nothing\n\nL_X0Y0.A.MODE.X {.a = \"b\"}", 0x101, 3, 0x80000000 },
		{ "L_X0Y0.A.MODE.Y", 0x101, 4, 1 },
		{ "L_X0Y0.A.INIT[1]", 0x102, 4, 2 },
		{ "L_X0Y0.A.INIT[1:0] = 2'b01", 0x102, 3, 1 },
		{ "L_X0Y0.A.INIT[10:0] = 11'h400", 0x123, 4, 0x80000000 },
		{ "L_X0Y0.A.INIT[11:10] = 2'b0_1", 0x123, 4, 0x80000000 },
		/* another type's features: its word 1 is the tile's word 0, its site A is ONE */
		{ "S_X0Y1.ONE.MODE.Y", 0x201, 99, 1 },
		{ "R_X1Y0.B.ON", 0x305, 0, 0x20 },
		{ "R_X1Y0.B.INIT_00[255:0] = "
		  "256'h8000000000000000000000000000000000000000000000000000000000000000",
			0xc0007f, 19, 0x80000000 },
	};

	begin();
	for (size_t i = 0; i < COUNT(rows); i++) {
		char said[1024];
		unsigned count;

		check_context("%s", rows[i].fasm);
		CHECK_EQ(convert(rows[i].fasm, said), 0, said);
		CHECK_EQ(word_of(rows[i].address, rows[i].word, &count), rows[i].value, "word");
		CHECK_EQ(count, 1, "frames");
	}
	check_context("%s", "");
	end();
}

/* No bit at all, and several tiles in one file. */
static void features_together(void)
{
	char said[1024];
	unsigned count;

	begin();
	CHECK_EQ(convert("L_X0Y0.OUT.IN\nL_X0Y0.A.ON = 0\nL_X0Y0.A.INIT[7:0] = 8'h00\n", said), 0, said);
	word_of(0, 0, &count);
	CHECK_EQ(count, 0, "frames");
	CHECK_EQ(convert("L_X0Y0.A.ON\nL_X0Y0.A.MODE.X\nR_X1Y0.B.ON\nL_X0Y0.A.INIT[1:0] = 2'b11\n", said), 0, said);
	CHECK_EQ(word_of(0x102, 3, &count), 1, "one word");
	CHECK_EQ(word_of(0x102, 4, &count), 2, "the next");
	CHECK_EQ(count, 4, "frames");
	end();
}

static void refused(void)
{
	static const char *const rows[][2] = {
		{ "L_X0Y0.A.OFF", ":1: L_X0Y0.A.OFF: the database lacks L.A.OFF[0]" },
		{ "\nL_X0Y0.A.INIT[2]", ":2: L_X0Y0.A.INIT: the database lacks L.A.INIT[2]" },
		{ "L_X7Y0.A.ON", "the part has no tile L_X7Y0" },
		{ "L_X0Y0", "is not a feature" },
		{ "L_X0Y0.A.MODE.X\nL_X0Y0.A.MODE.Y", ":2: L_X0Y0.A.MODE.Y: frame 0x00000101 word 3 bit 31 is set" },
		{ "L_X0Y0.A.INIT[0:1] = 2'b11", "is no range" },
		{ "L_X0Y0.A.INIT[1:0] = 3'b100", "the value does not fit" },
		{ "L_X0Y0.A.INIT[1:0] = 2'b12", "is no value" },
		{ "L_X0Y0.A.ON = yes", "is no value" },
		{ "N_X9Y9.X", "the tile has no such bits" },
	};
	char said[1024], arguments[256];
	unsigned count;

	begin();
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_context("%s", rows[i][0]);
		CHECK_EQ(convert(rows[i][0], said), 1, "exit code");
		CHECK(strstr(said, rows[i][1]) && strchr(said, '\n') == said + strlen(said) - 1, "it said: %s", said);
		word_of(0, 0, &count);
		CHECK_EQ(count, 0, "frames");
	}
	check_context("%s", "");
	snprintf(arguments, sizeof arguments, "%s x9tlarge-1 %s/in.fasm %s/out.frames", dir, dir, dir);
	CHECK(run(arguments, said) == 1 && strstr(said, "has no part x9tlarge-1"), "it said: %s", said);
	snprintf(arguments, sizeof arguments, "%s x9tsmall-1 %s/no.fasm %s/out.frames", dir, dir, dir);
	CHECK(run(arguments, said) == 1 && strstr(said, "no.fasm: No such file"), "it said: %s", said);
	CHECK_EQ(run("", said), 2, "usage");
	end();
}

static void looking_back(void)
{
	char said[1024], arguments[256];

	begin();
	CHECK_EQ(convert("L_X0Y0.A.ON\nL_X0Y0.A.INIT[1:0] = 2'b11\n", said), 0, said);
	snprintf(arguments, sizeof arguments, "--check %s/bits %s/out.frames", dir, dir);
	put("bits", "bit_00000100_003_00\nbit_00000102_003_00\nbit_00000102_004_01\nbit_00000102_050_12\n");
	CHECK(run(arguments, said) == 0 && strstr(said, "3 bits, all there"), "it said: %s", said);
	put("bits", "bit_00000100_003_00\nbit_00000102_003_00\n");
	CHECK(run(arguments, said) == 1 && strstr(said, "2 of 3 bits"), "one is lost: %s", said);
	put("bits", "bit_00000100_003_00\nbit_00000102_003_00\nbit_00000102_004_01\nbit_00000102_050_13\n");
	CHECK(run(arguments, said) == 1 && strstr(said, "3 of 3 bits") && strstr(said, "and 1 others"), "one more: %s",
		said);
	end();
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(bits_are_where_they_belong), CASE_ONCE(features_together), CASE_ONCE(refused), CASE_ONCE(looking_back),
		{ 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "fasm2frames", cases);
}
