/* SPDX-License-Identifier: Apache-2.0
 * owned.h - which board entries belong to which kernel sockets, oldest first. Plain memory: no locks, no I/O.
 * Threads, Fork, Blocks, Errors: library.h. */
#ifndef HANDFAST_OWNED_H
#define HANDFAST_OWNED_H

#include <stdint.h>

struct owned;

/* owned_new - for a board of `slots` entries, 1 to 65536. NULL when memory is short. */
struct owned *owned_new(uint32_t slots);
void owned_free(struct owned *o);

/* owned_add - the socket with this SO_COOKIE stands for connection `id`. An older one in the same slot is
 * forgotten: the board has given its entry away. Returns 0, or -EINVAL when the id names no slot. */
int owned_add(struct owned *o, uint32_t id, uint64_t cookie);
/* owned_remove - forget a socket. Returns its id, or HF_NO_ID if it is not ours. */
uint32_t owned_remove(struct owned *o, uint64_t cookie);
/* owned_oldest - forget the oldest. Returns its id, or HF_NO_ID if there is none. */
uint32_t owned_oldest(struct owned *o);
void owned_clear(struct owned *o);
uint32_t owned_count(const struct owned *o);

#endif
