/* SPDX-License-Identifier: Apache-2.0
 * dma_map.h - the memory of a vfio-user client that the device may reach: address ranges, mapped from the client's files.
 *
 * The client is not trusted: its file may be shorter than it said, or be cut while it is mapped. An access there ends as one
 * to memory that is not, never in a SIGBUS: dma_map_init() installs a handler that ends such an access, and leaves every other
 * SIGBUS to whoever handled it before. */
#ifndef HANDFAST_SIM_PCIE_DMA_MAP_H
#define HANDFAST_SIM_PCIE_DMA_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dma_region {
	uint64_t address, size;
	uint8_t *at; /* NULL: the client gave no descriptor; the device cannot reach it */
	bool readable, writable;
};

struct dma_map {
	struct dma_region *regions; /* by address, none overlaps another */
	size_t count, room;
	size_t last; /* where the last access was */
};

void dma_map_init(struct dma_map *m);
/* Unmap everything. */
void dma_map_clear(struct dma_map *m);

/* Add a range. `fd` (-1 = none) is not kept and not closed. Returns 0, or
 *   -EINVAL  size 0 or no multiple of 4,096, wraps round; or `fd` is no regular file, or of a file system that may let a
 *            reader wait (FUSE); or it ends before offset + size
 *   -EEXIST  it overlaps a range that is mapped
 *   -ENOSPC  there are VFIO_USER_MAX_MAPS already
 *   -errno   of mmap(2) otherwise */
int dma_map_add(
	struct dma_map *m, uint64_t address, uint64_t size, int fd, uint64_t offset, bool readable, bool writable);

/* Remove all ranges inside [address, address + size), none being all right. Returns 0 and sets *removed (bytes), or -EINVAL
 * when one lies only partly in it; nothing is removed then. */
int dma_map_remove(struct dma_map *m, uint64_t address, uint64_t size, uint64_t *removed);

/* Copy to or from the client's memory, over as many ranges as it takes. False when a part of it is not mapped, not allowed
 * or not there any more; a write has then written what comes before, as a bus does. */
bool dma_map_read(struct dma_map *m, uint64_t address, void *to, size_t len);
bool dma_map_write(struct dma_map *m, uint64_t address, const void *from, size_t len);

#endif
