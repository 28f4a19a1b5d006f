/* SPDX-License-Identifier: Apache-2.0
 * dma_map.c - ranges of a client's memory, and accesses to them that survive a file cut short. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "dma_map.h"
#include "../../driver/vfio_user_protocol.h"

#define FUSE_MAGIC 0x65735546 /* FUSE_SUPER_MAGIC, in no user-space header of Debian 12 */

/* ---- accesses ---- */

static _Thread_local volatile sig_atomic_t guarded;
static _Thread_local sigjmp_buf way_out;
static struct sigaction before;

static void on_sigbus(int number, siginfo_t *info, void *context)
{
	if (guarded)
		siglongjmp(way_out, 1);
	if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(number, info, context);
	} else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(number);
	} else {
		/* Not ours: let it end the process as it would have; the access is repeated on return. */
		signal(number, SIG_DFL);
	}
}

/* memcpy() that returns false when the memory is gone. */
static bool guarded_copy(void *to, const void *from, size_t len)
{
	/* The signal mask is not saved (SA_NODEFER leaves it alone), so this is cheap. */
	if (sigsetjmp(way_out, 0)) {
		guarded = 0;
		return false;
	}
	guarded = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memcpy(to, from, len);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	guarded = 0;
	return true;
}

void dma_map_init(struct dma_map *m)
{
	static bool installed;
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER };

	memset(m, 0, sizeof(*m));
	if (!installed)
		installed = !sigaction(SIGBUS, &action, &before);
}

/* ---- ranges ---- */

/* Index of the first range that ends behind `address`. */
static size_t find(const struct dma_map *m, uint64_t address)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (m->regions[middle].address + (m->regions[middle].size - 1) < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void dma_map_clear(struct dma_map *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->regions[i].at)
			munmap(m->regions[i].at, m->regions[i].size);
	free(m->regions);
	memset(m, 0, sizeof(*m));
}

/* The file is one whose pages are there as soon as they are asked for, and long enough. */
static bool mappable(int fd, uint64_t offset, uint64_t size)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || fstatfs(fd, &fs) || (uint32_t)fs.f_type == FUSE_MAGIC)
		return false;
	return offset <= INT64_MAX && size <= INT64_MAX - offset && offset + size <= (uint64_t)st.st_size;
}

int dma_map_add(
	struct dma_map *m, uint64_t address, uint64_t size, int fd, uint64_t offset, bool readable, bool writable)
{
	struct dma_region *grown;
	uint8_t *at = NULL;
	size_t i;

	if (!size || size % VFIO_USER_PAGE || address % VFIO_USER_PAGE || address + (size - 1) < address)
		return -EINVAL;
	i = find(m, address);
	if (i < m->count && m->regions[i].address <= address + (size - 1))
		return -EEXIST;
	if (m->count == VFIO_USER_MAX_MAPS)
		return -ENOSPC;
	if (m->count == m->room) {
		grown = realloc(m->regions, (m->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		m->regions = grown;
		m->room = m->room * 2 + 16;
	}
	if (fd >= 0) {
		if (!mappable(fd, offset, size))
			return -EINVAL;
		at = mmap(NULL, size, (readable ? PROT_READ : 0) | (writable ? PROT_WRITE : 0), MAP_SHARED, fd,
			(off_t)offset);
		if (at == MAP_FAILED)
			return -errno;
	}
	memmove(m->regions + i + 1, m->regions + i, (m->count - i) * sizeof(*m->regions));
	m->regions[i] = (struct dma_region){ address, size, at, readable, writable };
	m->count++;
	return 0;
}

int dma_map_remove(struct dma_map *m, uint64_t address, uint64_t size, uint64_t *removed)
{
	const uint64_t last = address + (size - 1);
	size_t first, end;

	*removed = 0;
	if (!size || last < address)
		return -EINVAL;
	first = find(m, address);
	end = first;
	while (end < m->count && m->regions[end].address <= last)
		end++;
	if (first == end)
		return 0;
	if (m->regions[first].address < address || m->regions[end - 1].address + (m->regions[end - 1].size - 1) > last)
		return -EINVAL;
	for (size_t i = first; i < end; i++) {
		if (m->regions[i].at)
			munmap(m->regions[i].at, m->regions[i].size);
		*removed += m->regions[i].size;
	}
	memmove(m->regions + first, m->regions + end, (m->count - end) * sizeof(*m->regions));
	m->count -= end - first;
	return 0;
}

/* The memory at `address`, and how much of `len` there is; NULL when the access is not allowed. */
static uint8_t *reach(struct dma_map *m, uint64_t address, bool write, size_t *len)
{
	const struct dma_region *r;

	if (m->last >= m->count || address - m->regions[m->last].address >= m->regions[m->last].size)
		m->last = find(m, address);
	if (m->last >= m->count)
		return NULL;
	r = &m->regions[m->last];
	if (address < r->address || !r->at || !(write ? r->writable : r->readable))
		return NULL;
	if (*len > r->size - (address - r->address))
		*len = (size_t)(r->size - (address - r->address));
	return r->at + (address - r->address);
}

bool dma_map_read(struct dma_map *m, uint64_t address, void *to, size_t len)
{
	while (len) {
		size_t n = len;
		const uint8_t *from = reach(m, address, false, &n);

		if (!from || !guarded_copy(to, from, n))
			return false;
		to = (uint8_t *)to + n;
		address += n;
		len -= n;
	}
	return true;
}

bool dma_map_write(struct dma_map *m, uint64_t address, const void *from, size_t len)
{
	while (len) {
		size_t n = len;
		uint8_t *to = reach(m, address, true, &n);

		if (!to || !guarded_copy(to, from, n))
			return false;
		from = (const uint8_t *)from + n;
		address += n;
		len -= n;
	}
	return true;
}
