/* SPDX-License-Identifier: Apache-2.0
 * support_vectors.c - reads tests/vectors.txt. */
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

#include "support_bench.h"
#include "support_vectors.h"

static struct vector *vectors;
static size_t vector_count;

const char *tests_path(const char *file)
{
	static char path[PATH_MAX + 64];
	char program[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "tests/%s", file);
	if (access(path, R_OK) == 0)
		return path;
	n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (n > 0) {
		program[n] = 0; /* build/tests/test_x */
		snprintf(path, sizeof(path), "%s/../../tests/%s", dirname(program), file);
	}
	return path;
}

static char *column(char **rest)
{
	char *text = *rest, *bar = text ? strstr(text, " | ") : NULL;

	if (bar) {
		*bar = 0;
		*rest = bar + 3;
	} else {
		*rest = NULL;
	}
	return strdup(text ? text : "");
}

static void load(void)
{
	FILE *f = fopen(tests_path("vectors.txt"), "r");
	char *line = NULL;
	size_t size = 0;

	vectors = calloc(1, sizeof(*vectors));
	while (f && vectors && getline(&line, &size, f) > 0) {
		struct vector *v;
		const char *second;
		char *rest = line;

		line[strcspn(line, "\n")] = 0;
		if (*line == '#' || !strstr(line, " | "))
			continue;
		v = realloc(vectors, (vector_count + 2) * sizeof(*v));
		if (!v)
			break;
		vectors = v;
		v += vector_count++;
		memset(v, 0, 2 * sizeof(*v));
		v->name = column(&rest);
		v->hex = column(&rest);
		v->expected = column(&rest);
		v->len = from_hex(v->hex, v->bytes, sizeof(v->bytes));
		second = strchr(v->hex, '>');
		if (second)
			v->after_len = from_hex(second + 1, v->after, sizeof(v->after));
	}
	free(line);
	if (f)
		fclose(f);
}

const struct vector *vector_all(size_t *count)
{
	if (!vectors)
		load();
	*count = vector_count;
	return vectors;
}

const struct vector *vector_find(const char *name)
{
	static const struct vector none = { "none", "", "" };
	size_t count, n = strlen(name);
	const struct vector *all = vector_all(&count);

	for (size_t i = 0; i < count; i++)
		if (!strncmp(all[i].name, name, n) && (!all[i].name[n] || all[i].name[n] == '-'))
			return &all[i];
	CHECK(false, "no vector %s in %s", name, tests_path("vectors.txt"));
	return &none;
}
