/* SPDX-License-Identifier: Apache-2.0
 * text.c - replies of the daemon as text: members by path, numbers for people, tables. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const json_t *member(const json_t *object, const char *path)
{
	char name[64];

	while (object && *path) {
		size_t n = strcspn(path, ".");

		if (n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = 0;
		object = json_object_get(object, name);
		path += n + (path[n] == '.');
	}
	return object;
}

const char *cli_text(const json_t *object, const char *path)
{
	const char *text = json_string_value(member(object, path));

	return text ? text : "";
}

long long cli_int(const json_t *object, const char *path)
{
	return json_integer_value(member(object, path));
}

bool cli_true(const json_t *object, const char *path)
{
	return json_is_true(member(object, path));
}

static char *buffer(void)
{
	static char buffers[8][32];
	static unsigned next;

	return buffers[next++ % 8];
}

const char *cli_thousands(long long n)
{
	char digits[24], *text = buffer(), *at = text;
	int length = snprintf(digits, sizeof(digits), "%lld", n);

	for (int i = 0; i < length; i++) {
		*at++ = digits[i];
		if (i < length - 1 && (length - 1 - i) % 3 == 0 && digits[i] != '-')
			*at++ = ',';
	}
	*at = 0;
	return text;
}

const char *cli_duration(long long ms)
{
	long long s = ms / 1000;
	char *text = buffer();

	if (ms < 60000)
		snprintf(text, 32, "%lld.%lld s", s, ms / 100 % 10);
	else if (s < 3600)
		snprintf(text, 32, "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, 32, "%lld h %lld min", s / 3600, s / 60 % 60);
	else
		snprintf(text, 32, "%lld d %lld h", s / 86400, s / 3600 % 24);
	return text;
}

struct cli_table {
	const char *const *columns;
	unsigned count;
	size_t cells, room;
	char **cell;
};

struct cli_table *cli_table_new(const char *const *columns, unsigned count)
{
	struct cli_table *t = calloc(1, sizeof(*t));

	if (t) {
		t->columns = columns;
		t->count = count;
	}
	return t;
}

void cli_table_cell(struct cli_table *t, const char *text)
{
	char **more;

	if (!t)
		return;
	if (t->cells == t->room) {
		more = realloc(t->cell, (t->room + 256) * sizeof(*more));
		if (!more)
			return;
		t->cell = more;
		t->room += 256;
	}
	t->cell[t->cells++] = strdup(text);
}

static void print_cell(const struct cli_table *t, size_t column, size_t width, const char *text, FILE *out)
{
	bool last = column + 1 == t->count;

	if (t->columns[column][0] == '>')
		fprintf(out, "%*s", (int)width, text);
	else
		fprintf(out, "%-*s", last ? 0 : (int)width, text);
	fputs(last ? "\n" : "  ", out);
}

void cli_table_end(struct cli_table *t, FILE *out)
{
	size_t width[CLI_COLUMNS_MAX] = { 0 };

	if (!t)
		return;
	for (unsigned i = 0; i < t->count; i++)
		width[i] = strlen(t->columns[i]) - (t->columns[i][0] == '>');
	for (size_t k = 0; k < t->cells; k++)
		if (t->cell[k] && strlen(t->cell[k]) > width[k % t->count])
			width[k % t->count] = strlen(t->cell[k]);
	for (size_t k = 0; k < t->count; k++)
		print_cell(t, k, width[k], t->columns[k] + (t->columns[k][0] == '>'), out);
	for (size_t k = 0; k < t->cells; k++)
		print_cell(t, k % t->count, width[k % t->count], t->cell[k] ? t->cell[k] : "", out);
	for (size_t k = 0; k < t->cells; k++)
		free(t->cell[k]);
	free(t->cell);
	free(t);
}
