/* SPDX-License-Identifier: Apache-2.0
 * test_fetch.c - tools/fetch.sh against a small archive of the test's own, read as files: no network. What its packages
 * are says tests/support_archive.sh. */
#include <sys/wait.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "support_bench.h"

static char dir[64], output[4096];

/* Run a command of a shell in the test's folder; what it said is in `output`. Returns its exit code, -1 without one. */
static int run(const char *command)
{
	char line[4096];
	size_t n = 0;
	FILE *pipe;
	int status;

	snprintf(line, sizeof(line), "cd %s && { %s\n} 2>&1", dir, command);
	pipe = popen(line, "r");
	if (!pipe)
		return -1;
	n = fread(output, 1, sizeof(output) - 1, pipe);
	output[n] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The archive, fetch.sh pointed at it, and nothing fetched yet; false after bench_skip() or a failed check. */
static bool open_archive(void)
{
	char here[512], command[4096];

	if (run("command -v apt-get dpkg-deb cc flock") != 0) {
		bench_skip("no apt-get, dpkg-deb, flock or C compiler");
		return false;
	}
	if (!getcwd(here, sizeof(here)))
		return CHECK(false, "no current folder");
	snprintf(dir, sizeof(dir), "/tmp/handfast-fetch-XXXXXX");
	if (!mkdtemp(dir))
		return CHECK(false, "no folder in /tmp");
	setenv("HF_FETCH_DIR", "cache", 1);
	snprintf(command, sizeof(command), "[trusted=yes] file:%s/archive", dir);
	setenv("HF_FETCH_MIRROR", command, 1);
	unsetenv("HF_FETCH_OFFLINE");
	setenv("TREE", here, 1);
	return CHECK(run("sh $TREE/tests/support_archive.sh") == 0, "the archive could not be made: %s", output);
}

static void close_archive(void)
{
	char line[128];

	snprintf(line, sizeof(line), "rm -rf %s", dir);
	CHECK(system(line) == 0, "%s stays", dir);
	dir[0] = '\0';
}

#define EXPECT(command, code, text)                                                                          \
	do {                                                                                                 \
		int got = run(command);                                                                      \
		CHECK(got == (code), "exit %d, expected %d, of %s: %s", got, code, command, output);         \
		CHECK(strstr(output, text) != NULL, "no \"%s\" in what %s said: %s", text, command, output); \
	} while (0)

/* A package comes with what it depends on, and nothing else; its program runs, with its arguments and exit code, on the
 * folder's own libc, and finds the folder's data by the system's name. */
static void package_runs_with_its_dependencies(void)
{
	if (!open_archive())
		return;
	EXPECT("folder=$($TREE/tools/fetch.sh test fetch-tool) && $folder/usr/bin/fetch-test 'a b'", 7,
		"found/a b/2\n");
	EXPECT("cat cache/test/fetch-tool-*/.fetch/versions | tr '\\n' ,; ls cache/test/fetch-tool-*/usr/lib", 0,
		"libc6 1.0");
	CHECK(strstr(output, "fetch-data 1.0") && strstr(output, "fetch-tool 1.0"), "versions: %s", output);
	CHECK(!strstr(output, "other"), "a package that nobody asked for: %s", output);
	EXPECT("tail -n 2 cache/test/fetch-tool-*/usr/bin/fetch-test", 0, "/usr/bin/ld.so\" --preload ");
	/* Moved, it still runs. */
	EXPECT("mv cache/test/fetch-tool-* elsewhere && elsewhere/usr/bin/fetch-test", 7, "found//1\n");
	close_archive();
}

/* What is there needs no mirror any more; what is not says in one line why it cannot come. */
static void without_mirror_only_what_is_there(void)
{
	if (!open_archive())
		return;
	EXPECT("$TREE/tools/fetch.sh test fetch-tool > first && mv archive gone && $TREE/tools/fetch.sh test "
	       "fetch-tool > second && cmp first second && echo "
	       "same",
		0, "same");
	EXPECT("$TREE/tools/fetch.sh test other", 1, "fetch.sh: test cannot be fetched, and no earlier copy is in ");
	CHECK(strchr(output, '\n') == output + strlen(output) - 1, "more than one line: %s", output);
	EXPECT("HF_FETCH_OFFLINE=1 $TREE/tools/fetch.sh test other", 1, "fetch.sh: test: other is not in ");
	EXPECT("HF_FETCH_OFFLINE=1 $TREE/tools/fetch.sh test fetch-tool | cmp - first && echo same", 0, "same");
	EXPECT("$TREE/tools/fetch.sh --update test fetch-tool", 0, "could not be updated, the earlier copy is used");
	close_archive();
}

static void update_takes_a_newer_version(void)
{
	if (!open_archive())
		return;
	EXPECT("$TREE/tools/fetch.sh test other && cat cache/test/other-*/.fetch/versions", 0, "other 1.0");
	EXPECT("sh $TREE/tests/support_archive.sh 2.0 && $TREE/tools/fetch.sh test other && cat "
	       "cache/test/other-*/.fetch/versions",
		0, "other 1.0");
	EXPECT("$TREE/tools/fetch.sh --update test other && cat cache/test/other-*/.fetch/versions", 0, "other 2.0");
	close_archive();
}

static void only_leaves_the_rest_out(void)
{
	if (!open_archive())
		return;
	EXPECT("folder=$($TREE/tools/fetch.sh --only 'fetch-d*' test fetch-tool) && ls $folder/usr/bin && cat "
	       "$folder/.fetch/versions",
		0, "fetch-data 1.0");
	CHECK(!strstr(output, "libc6") && !strstr(output, "ld.so"), "more came: %s", output);
	EXPECT("$TREE/tools/fetch.sh --only nothing test fetch-tool", 1,
		"fetch.sh: test: nothing of fetch-tool matches --only nothing");
	close_archive();
}

/* A package that is not the one the archive's list speaks of is not unpacked, and no folder appears. */
static void damaged_package_is_refused(void)
{
	if (!open_archive())
		return;
	EXPECT("printf x | dd of=archive/pool/fetch-data.deb bs=1 seek=100 conv=notrunc status=none; "
	       "$TREE/tools/fetch.sh test fetch-tool",
		1, "Hash Sum mismatch");
	EXPECT("ls cache/test", 0, "");
	CHECK(!strstr(output, "tool"), "a folder of damaged packages: %s", output);
	close_archive();
}

static void unknown_names_are_refused(void)
{
	if (!open_archive())
		return;
	EXPECT("$TREE/tools/fetch.sh test", 2, "fetch.sh: usage: ");
	EXPECT("$TREE/tools/fetch.sh --what test fetch-tool", 2, "unknown option --what");
	EXPECT("$TREE/tools/fetch.sh --only", 2, "--only needs a pattern");
	EXPECT("$TREE/tools/fetch.sh ../test fetch-tool", 2, "not a suite or package: ../test");
	EXPECT("$TREE/tools/fetch.sh test 'tool;id'", 2, "not a suite or package: tool;id");
	EXPECT("$TREE/tools/fetch.sh test nosuch", 1, "fetch.sh: test: nosuch: ");
	EXPECT("$TREE/tools/fetch.sh nosuite tool", 1, "fetch.sh: nosuite cannot be fetched");
	close_archive();
}

static const struct bench_case cases[] = {
	CASE_ONCE(package_runs_with_its_dependencies),
	CASE_ONCE(without_mirror_only_what_is_there),
	CASE_ONCE(update_takes_a_newer_version),
	CASE_ONCE(only_leaves_the_rest_out),
	CASE_ONCE(damaged_package_is_refused),
	CASE_ONCE(unknown_names_are_refused),
	{ 0 },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, "test_fetch", cases);
}
