/* SPDX-License-Identifier: Apache-2.0
 * test_requirements.c - every row of tests/requirements.md says what shows it, and every test it names exists. */
#include "support_bench.h"
#include "support_vectors.h"

#define ROWS 180

/* `name` is "test_unit:case": the case stands in the table of tests/test_unit.c. */
static bool test_exists(const char *name)
{
	char file[64], wanted[2][128], line[512];
	const char *colon = strchr(name, ':');
	bool found = false;
	FILE *f;

	snprintf(file, sizeof(file), "%.*s.c", (int)(colon - name), name);
	snprintf(wanted[0], sizeof(wanted[0]), "CASE(%s)", colon + 1);
	snprintf(wanted[1], sizeof(wanted[1]), "CASE_ONCE(%s)", colon + 1);
	f = fopen(tests_path(file), "r");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, wanted[0]) || strstr(line, wanted[1]);
	fclose(f);
	return found;
}

static void every_row_is_answered(void)
{
	FILE *f = fopen(tests_path("requirements.md"), "r");
	char *line = NULL;
	size_t size = 0;
	unsigned rows = 0, tests = 0;

	if (!f) {
		CHECK(false, "no %s", tests_path("requirements.md"));
		return;
	}
	while (getline(&line, &size, f) > 0) {
		char *here, *end, *save = NULL;
		bool answered;

		if (strncmp(line, "| ", 2) || !strncmp(line, "| ID ", 5))
			continue;
		rows++;
		end = strrchr(line, '|');
		*end = 0;
		here = strrchr(line, '|');
		check_context("%.*s", (int)strcspn(line + 2, "|"), line + 2);
		answered = strstr(here, "later: issue ") || strstr(here, "host kernel");
		for (char *word = strtok_r(here, " ();,|", &save); word; word = strtok_r(NULL, " ();,|", &save)) {
			if (strncmp(word, "test_", 5))
				continue;
			CHECK(strchr(word, ':') && test_exists(word), "no test %s", word);
			answered = true;
			tests++;
		}
		CHECK(answered, "nothing is said of what shows it");
	}
	check_context("%s", "");
	free(line);
	fclose(f);
	CHECK_EQ(rows, ROWS, "rows");
	CHECK(tests > 100, "only %u tests are named", tests);
}

/* Names of other files' tests must be found, invented ones not. */
static void the_check_checks(void)
{
	CHECK(test_exists("test_requirements:the_check_checks"), "this test does not find itself");
	CHECK(!test_exists("test_requirements:no_such_case"), "an invented case is found");
	CHECK(!test_exists("test_no_such_unit:every_row_is_answered"), "a case of an invented unit is found");
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(every_row_is_answered), CASE_ONCE(the_check_checks),
		{ 0 } };

	return bench_main(argc, argv, "requirements", cases);
}
