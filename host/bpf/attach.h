/* SPDX-License-Identifier: Apache-2.0
 * attach.h - the BPF programs of kernel_listener.bpf.c in the kernel, and the map and ring through which one speaks with them. All
 * that knows libbpf. Without libbpf in the build every attempt says NO_LIBBPF.
 *
 * Threads: one owns it; what libbpf says goes where attached_open() has set it, in the whole process. Blocks: while the kernel loads the
 * programs. Fork, Errors: kernel_listener.h. */
#ifndef HANDFAST_ATTACH_H
#define HANDFAST_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel_listener.h"
#include "offer.h"

struct attached;

/* attached_open - load, and attach to the netdev's TC ingress and to the cgroup root; ifindex 0: only load.
 *
 *   ring_bytes  for confirmations not yet read, about 24 each: a power of two of at least a page; what finds it full is kept in the map
 *   pins  a folder on bpffs, made if need be, in which map, ring and attachments are found, or put for the next process; NULL: none.
 *         Offers of the process before are removed
 *   text  `size` bytes, may be NULL: what libbpf said last, "" if nothing
 *
 * Returns 0 and sets *a, or the reason's -errno and the reason in *why. */
int attached_open(int ifindex, unsigned offers_max, unsigned ring_bytes, const char *pins, struct attached **a,
	enum kernel_listener_reason *why, char *text, size_t size);
/* NULL is allowed. keep: what is pinned stays, attached, for the next process. */
void attached_close(struct attached *a, bool keep);
/* Are they pinned? -errno: why not; 0: yes, by this process; 1: those of the process before were taken over. */
int attached_pinned(const struct attached *a);

/* attached_put - put an offer on the map. Returns 0, -EEXIST (its 4-tuple is there), -E2BIG (full), or another -errno.
 * attached_get, attached_remove: 0, -ENOENT, or another -errno. */
int attached_put(struct attached *a, const struct offer_key *key, const struct offer *offer);
int attached_get(struct attached *a, const struct offer_key *key, struct offer *offer);
int attached_remove(struct attached *a, const struct offer_key *key);

/* Readable while the ring holds something. */
int attached_fd(const struct attached *a);
/* Hand out what the ring holds; the callback must not come back here. */
void attached_read(struct attached *a, void (*confirmed)(void *ctx, const struct offer_confirmed *record), void *ctx);

#endif
