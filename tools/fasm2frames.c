/* SPDX-License-Identifier: Apache-2.0
 * fasm2frames - configuration frames of a Xilinx 7 series part from the features (FASM) that nextpnr writes, by the database of
 * Project X-Ray. Debian's package prjxray has what makes a bitstream of frames (xc7frames2bit), but nothing that makes the frames.
 *
 *	fasm2frames DATABASE PART IN.fasm OUT.frames
 *	fasm2frames --check BITS IN.frames		BITS: what `bitread` says of the bitstream made of them
 *
 * DATABASE is the family's folder. Files of it that count, as they are written there:
 *	mapping/parts.yaml, devices.yaml   part to device to fabric
 *	FABRIC/tilegrid.json	tile: type and, for each kind of configuration memory, "baseaddr" of its first frame, "offset" of its
 *				first word; "alias": the tile has another type's features, from word "start_offset" on, and its
 *				sites have other names
 *	segbits_TYPE.db		"TYPE.FEATURE[index] FF_BB !FF_BB ...": bits that the feature sets, with '!' clears: frame FF from the
 *				base address, bit BB from the offset; segbits_TYPE.block_ram.db: of block RAMs' contents
 *	ppips_TYPE.db		features without bits
 * A line of FASM is "TILE.FEATURE", "TILE.FEATURE[i]" or "TILE.FEATURE[hi:lo] = n'bDIGITS" ('h); each 1 is a feature by itself.
 * OUT has a line per frame that has a bit, "0xADDRESS 0xWORD,...", 101 words of 32 bits; xc7frames2bit adds all other frames and
 * ECC. A feature that the database lacks, and a bit that one feature sets and another clears, are errors.
 *
 * Exit code 0; 1 with one line of what is wrong; 2 usage. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <search.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 101, NAME = 512, ECC_WORD = 50, ECC_BITS = 13, VALUE_BITS = 1024 };

static const char *database;

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list args;

	fputs("fasm2frames: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void *need(void *p)
{
	if (!p)
		fail("no memory");
	return p;
}

/* NULL where the file is not there and need not be. */
static FILE *open_file(bool must, const char *format, ...) __attribute__((format(printf, 2, 3)));
static FILE *open_file(bool must, const char *format, ...)
{
	char path[2 * NAME];
	va_list args;
	FILE *f;

	va_start(args, format);
	vsnprintf(path, sizeof path, format, args);
	va_end(args);
	f = fopen(path, "r");
	if (!f && must)
		fail("%s: %s", path, strerror(errno));
	return f;
}

/* ---- frames ---- */

struct frame {
	uint32_t address;
	uint32_t set[WORDS], clear[WORDS];
};

static void *frame_tree; /* tsearch() */

static int by_address(const void *a, const void *b)
{
	const struct frame *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static struct frame *frame_at(uint32_t address)
{
	struct frame key = { .address = address }, **at = tfind(&key, &frame_tree, by_address);

	if (!at) {
		struct frame *f = need(calloc(1, sizeof *f));

		f->address = address;
		at = need(tsearch(f, &frame_tree, by_address));
	}
	return *at;
}

static FILE *frames_out;

static void frame_write(const void *node, VISIT visit, int depth)
{
	const struct frame *f = *(const struct frame *const *)node;
	bool any = false;

	(void)depth;
	for (int i = 0; i < WORDS; i++)
		any |= f->set[i] != 0;
	if ((visit != postorder && visit != leaf) || !any)
		return;
	fprintf(frames_out, "0x%08x ", (unsigned)f->address);
	for (int i = 0; i < WORDS; i++)
		fprintf(frames_out, "0x%08x%c", (unsigned)f->set[i], i + 1 < WORDS ? ',' : '\n');
}

/* ---- the database: features of a tile type ---- */

struct feature {
	char *name; /* TYPE.FEATURE[index] */
	char *bits; /* as in the file, "" for none */
	bool block_ram;
};

static void *feature_tree, *type_tree;

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct feature *)a)->name, ((const struct feature *)b)->name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static char *lower(char *out, const char *text)
{
	size_t i = 0;

	for (; text[i] && i < NAME - 1; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	out[i] = 0;
	return out;
}

/* "A.B[007]" and "A.B" as "A.B[7]" and "A.B[0]"; false: not a name. */
static bool with_index(char out[NAME], const char *text, size_t len)
{
	size_t end = len;
	unsigned long index = 0;

	if (len && text[len - 1] == ']') {
		while (end > 0 && text[end - 1] != '[')
			end--;
		if (end < 2)
			return false;
		index = strtoul(text + end, NULL, 10);
		end--;
	}
	return snprintf(out, NAME, "%.*s[%lu]", (int)end, text, index) < NAME;
}

static void load(FILE *f, bool has_bits, bool block_ram)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!f)
		return;
	while ((len = getline(&line, &size, f)) > 0) {
		struct feature *n = need(calloc(1, sizeof *n));
		size_t end = strcspn(line, " \t\n");
		char name[NAME];

		line[strcspn(line, "\n")] = 0;
		if (!end || !with_index(name, line, end)) {
			free(n);
			continue;
		}
		n->name = need(strdup(name));
		n->bits = need(strdup(has_bits ? line + end : ""));
		n->block_ram = block_ram;
		if (*(struct feature **)need(tsearch(n, &feature_tree, by_name)) != n) {
			free(n->name);
			free(n->bits);
			free(n);
		}
	}
	free(line);
	fclose(f);
}

static void load_type(const char *type)
{
	char name[NAME];

	if (tfind(type, &type_tree, by_text))
		return;
	need(tsearch(need(strdup(type)), &type_tree, by_text));
	lower(name, type);
	load(open_file(false, "%s/segbits_%s.db", database, name), true, false);
	load(open_file(false, "%s/segbits_%s.block_ram.db", database, name), true, true);
	load(open_file(false, "%s/ppips_%s.db", database, name), false, false);
}

/* ---- from features to bits ---- */

static unsigned line_number;
static const char *fasm_name;

static void set_bits(const json_t *tile, const struct feature *f, const char *what)
{
	const json_t *block = json_object_get(json_object_get(tile, "bits"), f->block_ram ? "BLOCK_RAM" : "CLB_IO_CLK");
	const char *base = json_string_value(json_object_get(block, "baseaddr")), *at = f->bits;
	const json_int_t first = json_integer_value(json_object_get(block, "offset")) -
				 json_integer_value(json_object_get(json_object_get(block, "alias"), "start_offset"));
	unsigned column, bit;
	int used;

	while (at += strspn(at, " \t"), *at) {
		const bool clear = *at == '!';
		struct frame *frame;
		json_int_t word;

		at += clear;
		if (sscanf(at, "%u_%u%n", &column, &bit, &used) != 2)
			fail("%s: %s: bits \"%s\" of the database are not understood", database, what, f->bits);
		at += used;
		word = first + bit / 32;
		if (!base || word < 0 || word >= WORDS)
			fail("%s:%u: %s: the tile has no such bits", fasm_name, line_number, what);
		frame = frame_at((uint32_t)strtoul(base, NULL, 16) + column);
		*(clear ? &frame->clear[word] : &frame->set[word]) |= UINT32_C(1) << bit % 32;
		if (frame->set[word] & frame->clear[word])
			fail("%s:%u: %s: frame 0x%08x word %d bit %u is set by one feature and cleared by another",
				fasm_name, line_number, what, (unsigned)frame->address, (int)word, bit % 32);
	}
}

/* One feature of one tile; `text` is TILE.FEATURE. */
static void enable(const json_t *grid, const char *text, size_t len, unsigned index)
{
	const size_t dot = strcspn(text, ".");
	const json_t *tile, *alias = NULL, *block;
	const char *kind, *type, *rest = text + dot + 1, *site;
	char what[NAME], key[4 * NAME], first[NAME];
	struct feature **at, wanted = { .name = key };
	size_t rest_len, site_len;

	snprintf(what, sizeof what, "%.*s", (int)len, text);
	if (dot >= len || len >= NAME)
		fail("%s:%u: \"%s\" is not a feature", fasm_name, line_number, what);
	snprintf(key, sizeof key, "%.*s", (int)dot, text);
	tile = json_object_get(grid, key);
	if (!tile)
		fail("%s:%u: %s: the part has no tile %s", fasm_name, line_number, what, key);
	type = json_string_value(json_object_get(tile, "type"));
	json_object_foreach((json_t *)json_object_get(tile, "bits"), kind, block)
	{
		if (json_object_get(block, "alias"))
			alias = json_object_get(block, "alias");
	}
	rest_len = len - dot - 1;
	site_len = strcspn(rest, ".");
	if (alias && site_len < rest_len) {
		type = json_string_value(json_object_get(alias, "type"));
		snprintf(first, sizeof first, "%.*s", (int)site_len, rest);
		site = json_string_value(json_object_get(json_object_get(alias, "sites"), first));
		snprintf(key, sizeof key, "%s.%s%.*s[%u]", type, site ? site : first, (int)(rest_len - site_len),
			rest + site_len, index);
	} else {
		if (alias)
			type = json_string_value(json_object_get(alias, "type"));
		snprintf(key, sizeof key, "%s.%.*s[%u]", type ? type : "?", (int)rest_len, rest, index);
	}
	if (!type)
		fail("%s:%u: %s: the database has no type of that tile", fasm_name, line_number, what);
	load_type(type);
	at = tfind(&wanted, &feature_tree, by_name);
	if (!at)
		fail("%s:%u: %s: the database lacks %s", fasm_name, line_number, what, key);
	set_bits(tile, *at, what);
}

/* "4'b1010", "8'hff" or "1": ones of the value, least significant first; how many bits there are, 0 if that is no value. */
static unsigned parse_value(const char *text, bool value[VALUE_BITS])
{
	const char *digits = strchr(text, '\''), *end;
	unsigned n = 0, each;

	memset(value, 0, VALUE_BITS);
	if (!digits) {
		value[0] = !strcmp(text, "1");
		return value[0] || !strcmp(text, "0");
	}
	each = digits[1] == 'h' ? 4 : digits[1] == 'b' ? 1 : 0;
	digits += 2;
	for (end = digits + (each ? strlen(digits) : 0); end-- > digits;) {
		const char one[2] = { *end, 0 };
		char *bad;
		const unsigned long d = strtoul(one, &bad, each == 4 ? 16 : 2);

		if (*end == '_')
			continue;
		if (*bad || n + each > VALUE_BITS)
			return 0;
		for (unsigned i = 0; i < each; i++)
			value[n++] = d >> i & 1;
	}
	return n;
}

static void read_fasm(const json_t *grid, const char *name)
{
	FILE *f = open_file(true, "%s", name);
	char *line = NULL;
	size_t size = 0;

	fasm_name = name;
	for (line_number = 1; getline(&line, &size, f) > 0; line_number++) {
		char *equals, *bracket;
		size_t len;
		unsigned high = 0, low = 0, bits = 1;
		bool value[VALUE_BITS] = { true };

		line[strcspn(line, "#{\n")] = 0;
		equals = strchr(line, '=');
		if (equals) {
			char *text = equals + 1 + strspn(equals + 1, " \t");

			*equals = 0;
			text[strcspn(text, " \t")] = 0;
			bits = parse_value(text, value);
			if (!bits)
				fail("%s:%u: \"%s\" is no value", name, line_number, text);
		}
		len = strcspn(line, " \t");
		if (!len)
			continue;
		bracket = memchr(line, '[', len);
		if (bracket) {
			const int n = sscanf(bracket, "[%u:%u]", &high, &low);

			if (n < 1 || (n == 2 && high < low) || high - (n == 2 ? low : high) >= VALUE_BITS)
				fail("%s:%u: \"%s\" is no range", name, line_number, bracket);
			if (n == 1)
				low = high;
			len = (size_t)(bracket - line);
		}
		for (unsigned i = 0; i < bits; i++)
			if (value[i] && low + i > high)
				fail("%s:%u: the value does not fit %.*s", name, line_number, (int)len, line);
			else if (value[i])
				enable(grid, line, len, low + i);
	}
	free(line);
	fclose(f);
}

/* ---- which grid ---- */

/* Of a file of "KEY:" and, below it, "  FIELD: VALUE" lines. */
static bool yaml_field(FILE *f, const char *key, const char *field, char value[NAME])
{
	char line[NAME], name[NAME];
	bool inside = false, found = false;

	while (!found && fgets(line, sizeof line, f)) {
		if (line[0] != ' ') {
			inside = sscanf(line, "%511[^:\n]", name) == 1 &&
				 !strncmp(name + (*name == '"'), key, strlen(key)) &&
				 !strcmp(name + (*name == '"') + strlen(key), *name == '"' ? "\"" : "");
		} else if (inside && sscanf(line, " %511[^:]: \"%511[^\"]\"", name, value) == 2) {
			found = !strcmp(name, field);
		} else if (inside && sscanf(line, " %511[^:]: %511[^\n]", name, value) == 2) {
			found = !strcmp(name, field);
		}
	}
	fclose(f);
	return found;
}

static json_t *read_grid(const char *part)
{
	char device[NAME], fabric[NAME], path[3 * NAME];
	json_error_t error;
	json_t *grid;

	if (!yaml_field(open_file(true, "%s/mapping/parts.yaml", database), part, "device", device))
		fail("%s has no part %s", database, part);
	if (!yaml_field(open_file(true, "%s/mapping/devices.yaml", database), device, "fabric", fabric))
		fail("%s has no device %s", database, device);
	snprintf(path, sizeof path, "%s/%s/tilegrid.json", database, fabric);
	grid = json_load_file(path, 0, &error);
	if (!grid)
		fail("%s:%d: %s", path, error.line, error.text);
	return grid;
}

/* ---- looking back ---- */

/* Lines "bit_FRAME_WORD_BIT" (FRAME hex, the others decimal): exactly the bits of the frames, but for ECC. */
static int check(const char *bits_name, const char *frames_name)
{
	FILE *f = open_file(true, "%s", frames_name);
	char *line = NULL;
	size_t size = 0;
	unsigned long long wanted = 0, found = 0, foreign = 0;

	while (getline(&line, &size, f) > 0) {
		char *at;
		struct frame *frame = frame_at((uint32_t)strtoul(line, &at, 16));

		for (int i = 0; i < WORDS; i++, at++) {
			frame->set[i] = (uint32_t)strtoul(at, &at, 16);
			if (*at != (i + 1 < WORDS ? ',' : '\n'))
				fail("%s: not a line of frames: %.40s", frames_name, line);
			wanted += (unsigned)__builtin_popcount(frame->set[i]);
		}
	}
	fclose(f);
	f = open_file(true, "%s", bits_name);
	while (getline(&line, &size, f) > 0) {
		unsigned address, word, bit;

		if (sscanf(line, "bit_%x_%u_%u", &address, &word, &bit) != 3 || word >= WORDS || bit > 31)
			continue;
		if (frame_at(address)->set[word] >> bit & 1)
			found++;
		else if (word != ECC_WORD || bit >= ECC_BITS)
			foreign++;
	}
	free(line);
	fclose(f);
	if (!wanted || found != wanted || foreign)
		fail("%s: %llu of %llu bits of %s are there, and %llu others", bits_name, found, wanted, frames_name,
			foreign);
	printf("%llu bits, all there and no others\n", wanted);
	return 0;
}

int main(int argc, char **argv)
{
	char name[2 * NAME];
	json_t *grid;

	if (argc == 4 && !strcmp(argv[1], "--check"))
		return check(argv[2], argv[3]);
	if (argc != 5 || *argv[1] == '-') {
		fputs("usage: fasm2frames DATABASE PART IN.fasm OUT.frames | fasm2frames --check BITS IN.frames\n",
			stderr);
		return 2;
	}
	database = argv[1];
	grid = read_grid(argv[2]);
	read_fasm(grid, argv[3]);
	snprintf(name, sizeof name, "%s.part", argv[4]);
	frames_out = fopen(name, "w");
	if (!frames_out)
		fail("%s: %s", name, strerror(errno));
	twalk(frame_tree, frame_write);
	if (fclose(frames_out) || rename(name, argv[4]))
		fail("%s: %s", argv[4], strerror(errno));
	json_decref(grid);
	return 0;
}
