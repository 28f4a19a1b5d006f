/* SPDX-License-Identifier: Apache-2.0
 * mutate LIST FROM TO - copy every file FROM/X.sv that LIST names to TO/X.sv with all its faults planted, each behind
 * a run-time switch: fault N acts when the simulation starts with HF_MUTANT=N in the environment, none does
 * without. So hundreds of faults cost one Verilator build. Prints one line "N FILE: what is broken" per fault.
 *
 * LIST: records of lines, '#' is a comment.
 *	FILE.sv: what is broken
 *	@ text that stands exactly once in the file; the search starts there (optional)
 *	- text in FILE.sv; without '@' exactly once in the file
 *	+ what stands there in the faulty copy
 * Both texts are expressions, or statements when the first ends with ';'. One line each. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULTS_MAX = 500, LINE = 512, FILE_MAX = 1 << 20 };

struct fault {
	char file[64], what[LINE], anchor[LINE], good[LINE], bad[LINE];
	size_t at; /* offset of `good` in the file */
	bool done;
};

static struct fault faults[FAULTS_MAX];
static int count;
static const char *list_name;

static void fail(const struct fault *f, const char *why)
{
	fprintf(stderr, "mutate: %s: fault %d (%s: %s): %s\n", list_name, (int)(f - faults) + 1, f->file, f->what, why);
	exit(1);
}

static void read_list(void)
{
	FILE *in = fopen(list_name, "r");
	char line[LINE], *colon;
	struct fault *f = faults;

	if (!in) {
		fprintf(stderr, "mutate: %s: %s\n", list_name, strerror(errno));
		exit(2);
	}
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if (strchr("@-+", line[0]) && line[1] == ' ' && count > 0) {
			strcpy(line[0] == '@' ? f->anchor : line[0] == '-' ? f->good : f->bad, line + 2);
			continue;
		}
		colon = strstr(line, ".sv: ");
		if (!colon || (size_t)(colon + 3 - line) >= sizeof(f->file) || count == FAULTS_MAX) {
			fprintf(stderr, "mutate: %s: cannot read the line \"%s\"\n", list_name, line);
			exit(1);
		}
		f = &faults[count++];
		memcpy(f->file, line, (size_t)(colon + 3 - line));
		strcpy(f->what, colon + 5);
	}
	fclose(in);
}

static char *read_file(const char *folder, const char *name)
{
	static char text[FILE_MAX];
	char path[LINE];
	FILE *in;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	in = fopen(path, "r");
	if (!in) {
		fprintf(stderr, "mutate: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	n = fread(text, 1, sizeof(text) - 1, in);
	text[n] = '\0';
	fclose(in);
	return text;
}

static void locate(struct fault *f, const char *text)
{
	const char *from = text, *hit;

	if (!f->good[0] || !f->bad[0])
		fail(f, "needs a '-' line and a '+' line");
	if (f->anchor[0]) {
		from = strstr(text, f->anchor);
		if (!from)
			fail(f, "the text after '@' is not in the file");
		if (strstr(from + 1, f->anchor))
			fail(f, "the text after '@' is in the file more than once");
	}
	hit = strstr(from, f->good);
	if (!hit)
		fail(f, "the text after '-' is not in the file");
	if (!f->anchor[0] && strstr(hit + 1, f->good))
		fail(f, "the text after '-' is in the file more than once");
	f->at = (size_t)(hit - text);
}

/* The text at first->at with all its faults switched in: several may sit on the same text. */
static void print_switch(FILE *out, struct fault *first)
{
	bool statement = first->good[strlen(first->good) - 1] == ';';
	int open = 0;

	for (struct fault *f = first; f < faults + count; f++) {
		if (strcmp(f->file, first->file) || f->at != first->at || strcmp(f->good, first->good))
			continue;
		fprintf(out,
			statement ? "if (hf_mutant == %d) begin %s end else begin " : "((hf_mutant == %d) ? (%s) : ",
			(int)(f - faults) + 1, f->bad);
		f->done = true;
		open++;
	}
	fprintf(out, statement ? "%s" : "(%s)", first->good);
	while (open--)
		fputs(statement ? " end" : ")", out);
}

/* Write the faulty copy of first->file, whose text is `text`. */
static void copy(struct fault *first, const char *text, const char *folder)
{
	const char *ports = strstr(text, "\n);\n");
	size_t at, end;
	struct fault *next;
	char path[LINE];
	FILE *out;

	if (!ports)
		fail(first, "the file has no line \");\" that ends the port list");
	snprintf(path, sizeof(path), "%s/%s", folder, first->file);
	out = fopen(path, "w");
	if (!out)
		fail(first, "cannot write the copy");
	at = (size_t)(ports - text) + 4;
	fprintf(out,
		"%.*sint hf_mutant;\n"
		"initial hf_mutant = $c32(\"(getenv(\\\"HF_MUTANT\\\") ? atoi(getenv(\\\"HF_MUTANT\\\")) : 0)\");\n",
		(int)at, text);
	do {
		next = NULL;
		for (struct fault *f = first; f < faults + count; f++)
			if (!f->done && !strcmp(f->file, first->file) && (!next || f->at < next->at))
				next = f;
		end = next ? next->at : strlen(text);
		if (end < at)
			fail(next, "overlaps the port list or another fault");
		fprintf(out, "%.*s", (int)(end - at), text + at);
		if (next) {
			print_switch(out, next);
			at = end + strlen(next->good);
		}
	} while (next);
	if (fclose(out))
		fail(first, "cannot write the copy");
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: mutate LIST FROM TO\n", stderr);
		return 2;
	}
	list_name = argv[1];
	read_list();
	for (struct fault *f = faults; f < faults + count; f++) {
		const char *text;

		if (f->done)
			continue;
		text = read_file(argv[2], f->file);
		for (struct fault *g = f; g < faults + count; g++)
			if (!strcmp(g->file, f->file))
				locate(g, text);
		copy(f, text, argv[3]);
	}
	for (struct fault *f = faults; f < faults + count; f++)
		printf("%d %s: %s\n", (int)(f - faults) + 1, f->file, f->what);
	return 0;
}
