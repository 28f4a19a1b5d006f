/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#define LINE_BYTES 512

static _Atomic int level = LOG_INFO;
static bool journal;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* systemd.exec(5): JOURNAL_STREAM is device:inode of what stdout or stderr was connected to. */
static void look_at_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	journal = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(STDERR_FILENO, &st) &&
		  st.st_dev == device && st.st_ino == inode;
}

void log_set_level(int priority)
{
	level = priority;
}

void log_line(int priority, const char *event, const char *format, ...)
{
	static const char *const word[] = { "emergency", "alert", "critical", "error", "warning", "notice", "info",
		"debug" };
	char line[LINE_BYTES];
	va_list args;

	if (priority > level)
		return;
	pthread_once(&once, look_at_stderr);
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (!journal ||
		sd_journal_send("MESSAGE=%s", line, "PRIORITY=%d", priority, "HANDFAST_EVENT=%s", event, NULL) < 0)
		fprintf(stderr, "handfastd: %s: %s\n", word[priority & 7], line);
}
