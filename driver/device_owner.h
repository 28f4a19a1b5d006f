/* SPDX-License-Identifier: Apache-2.0
 * device_owner.h - who else has a device node open, for messages. Inside driver/ only.
 * Threads: any. Fork: transport.h. Blocks: while it reads /proc. Errors: false. */
#ifndef HANDFAST_DEVICE_OWNER_H
#define HANDFAST_DEVICE_OWNER_H

#include <stdbool.h>
#include <stddef.h>

enum { DEVICE_OWNER_BYTES = 48 };

/* Write "handfastd (pid 123)" of a process that has `node` open, not this one if another has it too. Returns false when
 * none can be seen: only root sees those of other users. */
bool device_owner(const char *node, char *text, size_t size);

#endif
