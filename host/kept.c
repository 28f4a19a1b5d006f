/* SPDX-License-Identifier: Apache-2.0 */
#include "kept.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "regs/regs.h"

#define NUMBERS (UINT64_C(1) << 40) /* for one process */

static const char magic[8] = "hfkept1";

static int map(int fd, struct kept **k)
{
	void *at = mmap(NULL, sizeof(**k), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*k = at;
	return 0;
}

int kept_new(struct kept **k)
{
	int fd = memfd_create("handfast-board", MFD_CLOEXEC | MFD_ALLOW_SEALING), rc;

	if (fd < 0)
		return -errno;
	rc = ftruncate(fd, sizeof(**k)) ? -errno : map(fd, k);
	if (rc) {
		close(fd);
		return rc;
	}
	memcpy((*k)->magic, magic, sizeof(magic));
	(*k)->layout = sizeof(**k);
	return fd;
}

int kept_open(int fd, struct kept **k)
{
	struct stat st;
	int rc = fstat(fd, &st) ? -errno : st.st_size != sizeof(**k) ? -EINVAL : map(fd, k);

	if (rc)
		return rc;
	if (memcmp((*k)->magic, magic, sizeof(magic)) || (*k)->layout != sizeof(**k) ||
		!memchr((*k)->uri, 0, sizeof((*k)->uri)) || (*k)->board.slots > KEPT_SLOTS) {
		kept_free(*k);
		*k = NULL;
		return -EINVAL;
	}
	return 0;
}

void kept_free(struct kept *k)
{
	if (k)
		munmap(k, sizeof(*k));
}

void kept_begin(struct kept *k, const char *uri, const struct device_board *board)
{
	k->valid = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memset(k->uri, 0, sizeof(k->uri));
	strncpy(k->uri, uri, sizeof(k->uri) - 1);
	k->board = *board;
	k->cookie = NUMBERS; /* device_open() begins at 0 */
	memset(k->listener, 0, sizeof(k->listener));
	memset(k->handed, 0xff, sizeof(k->handed)); /* HF_NO_ID */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	k->valid = 1;
}

uint64_t kept_numbers(struct kept *k)
{
	k->runs++;
	k->cookie += NUMBERS;
	return k->cookie - NUMBERS;
}

void kept_handed(struct kept *k, uint32_t id)
{
	if (k && id != HF_NO_ID)
		k->handed[id & 0xffff] = id;
}
