/* SPDX-License-Identifier: Apache-2.0
 * log.h - one line for the operator: to the journal when stderr goes there, with fields; else to stderr. Keys and what
 * connections carry are never logged.
 *
 * Threads: any. Fork: daemon.h. Blocks: as write(2) to stderr, or to the journal. Errors: none; a line that cannot be written is lost. */
#ifndef HANDFAST_DAEMON_LOG_H
#define HANDFAST_DAEMON_LOG_H

#include <syslog.h>

/* Lines less urgent than this (LOG_ERR .. LOG_DEBUG) are not written. LOG_INFO at first. */
void log_set_level(int priority);

/* `event` is a word for programs, field HANDFAST_EVENT in the journal: "attack_start", "listener_mode", ... */
void log_line(int priority, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
