/* SPDX-License-Identifier: Apache-2.0
 * pcapng.c - the three blocks of draft-ietf-opsawg-pcapng that we need: section header, interface, enhanced packet. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pcapng.h"

enum { BLOCK_SHB = 0x0a0d0d0a, BLOCK_IDB = 1, BLOCK_EPB = 6 };
enum { OPT_END = 0, OPT_COMMENT = 1, SHB_USERAPPL = 4, IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9, EPB_FLAGS = 2 };
enum { LINKTYPE_ETHERNET = 1, COMMENT_MAX = 1024, BLOCK_MAX = 65536 + 2048 };

struct pcapng {
	FILE *out;
	int error;  /* first -errno, sticky */
	size_t len; /* bytes of the block being made */
	uint8_t block[BLOCK_MAX];
};

/* All numbers are little-endian: the section header's magic says so to the reader. */
static void put16(struct pcapng *f, uint16_t v)
{
	f->block[f->len++] = (uint8_t)v;
	f->block[f->len++] = (uint8_t)(v >> 8);
}

static void put32(struct pcapng *f, uint32_t v)
{
	put16(f, (uint16_t)v);
	put16(f, (uint16_t)(v >> 16));
}

static void put_padded(struct pcapng *f, const void *data, size_t len)
{
	memcpy(f->block + f->len, data, len);
	f->len += len;
	while (f->len % 4)
		f->block[f->len++] = 0;
}

static void put_option(struct pcapng *f, uint16_t code, const void *data, size_t len)
{
	put16(f, code);
	put16(f, (uint16_t)len);
	put_padded(f, data, len);
}

static void begin(struct pcapng *f, uint32_t type)
{
	f->len = 0;
	put32(f, type);
	put32(f, 0); /* total length, known in end() */
}

static int end(struct pcapng *f)
{
	uint32_t total = (uint32_t)f->len + 4;

	put32(f, total);
	f->len = 4;
	put32(f, total);
	errno = 0;
	if (!f->error && fwrite(f->block, total, 1, f->out) != 1)
		f->error = errno ? -errno : -EIO;
	return f->error;
}

int pcapng_open(struct pcapng **file, const char *path)
{
	static const char application[] = "handfast", name[] = "wire",
			  description[] = "wire side of the handfast engine";
	static const uint8_t nanoseconds = 9;
	struct pcapng *f = malloc(sizeof(*f));
	int error;

	if (!f)
		return -ENOMEM;
	f->error = 0;
	f->out = fopen(path, "wbe");
	if (!f->out) {
		error = -errno;
		free(f);
		return error;
	}
	begin(f, BLOCK_SHB);
	put32(f, 0x1a2b3c4d); /* byte-order magic */
	put16(f, 1);	      /* version 1.0 */
	put16(f, 0);
	put32(f, 0xffffffff); /* section length not given */
	put32(f, 0xffffffff);
	put_option(f, SHB_USERAPPL, application, sizeof(application) - 1);
	put_option(f, OPT_END, "", 0);
	end(f);

	begin(f, BLOCK_IDB);
	put16(f, LINKTYPE_ETHERNET);
	put16(f, 0);
	put32(f, 0); /* no snap length */
	put_option(f, IF_NAME, name, sizeof(name) - 1);
	put_option(f, IF_DESCRIPTION, description, sizeof(description) - 1);
	put_option(f, IF_TSRESOL, &nanoseconds, 1);
	put_option(f, OPT_END, "", 0);
	end(f);
	*file = f;
	error = pcapng_flush(f);
	if (error)
		pcapng_close(f);
	return error;
}

int pcapng_write(struct pcapng *file, enum pcapng_direction direction, uint64_t time_ns, const uint8_t *frame,
	size_t len, const char *comment)
{
	uint8_t flags[4] = { (uint8_t)direction, 0, 0, 0 };
	size_t comment_len = comment ? strlen(comment) : 0;

	if (len > 65536)
		return -EMSGSIZE;
	if (comment_len > COMMENT_MAX)
		comment_len = COMMENT_MAX;
	begin(file, BLOCK_EPB);
	put32(file, 0); /* interface */
	put32(file, (uint32_t)(time_ns >> 32));
	put32(file, (uint32_t)time_ns);
	put32(file, (uint32_t)len);
	put32(file, (uint32_t)len);
	put_padded(file, frame, len);
	if (comment_len)
		put_option(file, OPT_COMMENT, comment, comment_len);
	put_option(file, EPB_FLAGS, flags, sizeof(flags));
	put_option(file, OPT_END, "", 0);
	return end(file);
}

int pcapng_flush(struct pcapng *file)
{
	if (!file->error && fflush(file->out))
		file->error = -errno;
	return file->error;
}

int pcapng_close(struct pcapng *file)
{
	int error;

	if (!file)
		return 0;
	error = file->error;
	if (fclose(file->out) && !error)
		error = -errno;
	free(file);
	return error;
}
