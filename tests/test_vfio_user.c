/* SPDX-License-Identifier: Apache-2.0
 * test_vfio_user.c - the simulated PCIe card as a vfio-user client sees it: the protocol, configuration space, and a client
 * that means harm. Offsets are those of the protocol's document and of the PCI specifications. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support_vfio_user.h"

enum {
	VERSION = 1,
	DMA_MAP = 2,
	DMA_UNMAP = 3,
	GET_INFO = 4,
	GET_REGION_INFO = 5,
	GET_IRQ_INFO = 7,
	SET_IRQS = 8,
	REGION_READ = 9,
	REGION_WRITE = 10,
	RESET = 13,
	BAR0 = 0,
	CONFIG = 7,
	ENDPOINT = 0x1000,
	AT = 0x40000000, /* where a test's memory is for the card */
	CANARY = 0xa5,
};

#define ERROR_BIT(name) (1u << HF_PCIE_ERROR_##name##_LOW)

/* ---- protocol ---- */

static void version_comes_first(void)
{
	static const struct {
		const char *name, *body;
		size_t len;
		int error;
	} rows[] = {
		{ "no capabilities", "\0\0\0\0", 4, 0 },
		{ "a later minor version", "\0\0\7\0{}", 7, 0 },
		{ "another major version", "\1\0\0\0{}", 7, EINVAL },
		{ "no NUL", "\0\0\0\0{}", 6, EINVAL },
		{ "half a version", "\0\0\0", 3, EINVAL },
		{ "nothing", "", 0, EINVAL },
	};
	struct raw *r = raw_open();
	uint8_t info[16] = { 16 };

	for (unsigned i = 0; i < COUNT(rows); i++) {
		raw_connect(r);
		CHECK_EQ(raw_call(r, VERSION, rows[i].body, rows[i].len, NULL, 0), rows[i].error, rows[i].name);
		if (!rows[i].error) {
			CHECK_EQ(get_le(r->body, 4), 0, "version of the reply");
			CHECK(strcmp((char *)r->body + 4, "{\"capabilities\":{}}") == 0,
				"capabilities nobody asked for: %s", r->body + 4);
			CHECK_EQ(r->len, 4 + strlen((char *)r->body + 4) + 1, "the NUL counts");
		}
	}
	raw_connect(r);
	CHECK_EQ(raw_version(r), 0, "VERSION");
	CHECK(strcmp((char *)r->body + 4, "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}") == 0,
		"capabilities: %s", r->body + 4);
	CHECK_EQ(raw_version(r), EINVAL, "a second VERSION");
	CHECK_EQ(raw_call(r, GET_INFO, info, 16, NULL, 0), 0, "the client goes on");
	raw_connect(r);
	CHECK_EQ(raw_call(r, GET_INFO, info, 16, NULL, 0), EINVAL, "GET_INFO before VERSION");
	CHECK(raw_dropped(r), "a client without VERSION is not dropped");
	raw_works(r);
	raw_close(r);
}

static void device_regions_interrupts(void)
{
	struct raw *r = raw_open();
	uint8_t body[32];

	raw_connect(r);
	raw_version(r);
	memset(body, 0, sizeof(body));
	put_le(body, 4, 16);
	CHECK_EQ(raw_call(r, GET_INFO, body, 16, NULL, 0), 0, "GET_INFO");
	CHECK_EQ(get_le(r->body + 4, 4), 3, "flags: reset, PCI");
	CHECK_EQ(get_le(r->body + 8, 4), 9, "regions of a PCI device");
	CHECK_EQ(get_le(r->body + 12, 4), 5, "interrupt types");
	put_le(body, 4, 15);
	CHECK_EQ(raw_call(r, GET_INFO, body, 16, NULL, 0), EINVAL, "less room than the reply needs");
	for (unsigned i = 0; i < 12; i++) {
		const uint64_t bytes = i == BAR0 ? 65536 : i == CONFIG ? 4096 : 0;

		memset(body, 0, sizeof(body));
		put_le(body, 4, 32);
		put_le(body + 8, 4, i);
		CHECK_EQ(raw_call(r, GET_REGION_INFO, body, 32, NULL, 0), i < 9 ? 0 : EINVAL, "GET_REGION_INFO");
		if (i >= 9)
			continue;
		CHECK_EQ(r->len, 32, "no capabilities");
		CHECK_EQ(get_le(r->body + 16, 8), bytes, "size of the region");
		CHECK_EQ(get_le(r->body + 4, 4), bytes ? 3 : 0, "read and write, never mmap");
	}
	for (unsigned i = 0; i < 7; i++) {
		memset(body, 0, sizeof(body));
		put_le(body, 4, 16);
		put_le(body + 8, 4, i);
		CHECK_EQ(raw_call(r, GET_IRQ_INFO, body, 16, NULL, 0), i < 5 ? 0 : EINVAL, "GET_IRQ_INFO");
		if (i < 5)
			CHECK_EQ(get_le(r->body + 12, 4), i == 2 ? 8 : 0, "MSI-X alone, 8 vectors");
	}
	/* Nothing that is optional is there. */
	for (unsigned command = 0; command < 20; command++)
		if (command == 0 || command == 6 || command == 11 || command == 12 || command > 13)
			CHECK_EQ(raw_call(r, command, body, 16, NULL, 0), ENOTSUP, "a command that is not offered");
	raw_close(r);
}

static void sizes_that_cannot_be(void)
{
	static const uint32_t impossible[] = { 0, 1, 15, 16 + 16 + (1 << 20) + 1, 0x7fffffff, 0xffffffff };
	struct raw *r = raw_open();
	uint8_t h[16] = { 0 }, body[64];

	for (unsigned i = 0; i < COUNT(impossible); i++) {
		raw_connect(r);
		raw_version(r);
		put_le(h + 2, 2, GET_INFO);
		put_le(h + 4, 4, impossible[i]);
		raw_bytes(r, h, sizeof(h), NULL, 0);
		raw_serve(r);
		CHECK(raw_dropped(r), "a message of size %u: not dropped", impossible[i]);
	}
	/* A reply that answers nothing. */
	raw_connect(r);
	raw_version(r);
	put_le(h + 4, 4, 16);
	put_le(h + 8, 4, 1);
	raw_bytes(r, h, sizeof(h), NULL, 0);
	raw_serve(r);
	CHECK(raw_dropped(r), "a reply is not dropped");
	/* Bodies of every length but the right one. */
	raw_ready(r, AT);
	memset(body, 0, sizeof(body));
	put_le(body, 4, 64);
	for (size_t len = 0; len < sizeof(body); len++) {
		if (len != 32)
			CHECK_EQ(raw_call(r, DMA_MAP, body, len, NULL, 0), EINVAL, "DMA_MAP");
		if (len < 24)
			CHECK_EQ(raw_call(r, DMA_UNMAP, body, len, NULL, 0), EINVAL, "DMA_UNMAP");
		if (len < 16)
			CHECK_EQ(raw_call(r, GET_INFO, body, len, NULL, 0), EINVAL, "GET_INFO");
		if (len < 32)
			CHECK_EQ(raw_call(r, GET_REGION_INFO, body, len, NULL, 0), EINVAL, "GET_REGION_INFO");
		if (len < 16)
			CHECK_EQ(raw_call(r, GET_IRQ_INFO, body, len, NULL, 0), EINVAL, "GET_IRQ_INFO");
		if (len < 20)
			CHECK_EQ(raw_call(r, SET_IRQS, body, len, NULL, 0), EINVAL, "SET_IRQS");
		if (len)
			CHECK_EQ(raw_call(r, RESET, body, len, NULL, 0), EINVAL, "RESET");
	}
	memset(body, 0, sizeof(body));
	put_le(body + 8, 4, BAR0);
	put_le(body + 12, 4, 4);
	for (size_t len = 0; len < sizeof(body); len++) {
		if (len != 16)
			CHECK_EQ(raw_call(r, REGION_READ, body, len, NULL, 0), EINVAL, "REGION_READ");
		if (len != 20)
			CHECK_EQ(raw_call(r, REGION_WRITE, body, len, NULL, 0), EINVAL, "REGION_WRITE");
	}
	raw_works(r);
	raw_close(r);
}

static void accesses_outside_regions(void)
{
	static const struct {
		uint32_t region;
		uint64_t offset;
		uint32_t len;
		int error;
	} rows[] = {
		{ BAR0, 65536 - 4, 4, 0 },
		{ BAR0, 65536, 0, 0 },
		{ BAR0, 65536 - 3, 4, EINVAL },
		{ BAR0, 65536, 1, EINVAL },
		{ BAR0, UINT64_MAX, 1, EINVAL },
		{ BAR0, UINT64_MAX - 3, 8, EINVAL },
		{ BAR0, 0, 65537, EINVAL },
		{ CONFIG, 4092, 4, 0 },
		{ CONFIG, 4093, 4, EINVAL },
		{ CONFIG, 1ull << 32, 4, EINVAL },
		{ 1, 0, 4, EINVAL },
		{ 6, 0, 4, EINVAL },
		{ 8, 0x3c0, 1, EINVAL },
		{ 9, 0, 4, EINVAL },
		{ 0xffffffff, 0, 4, EINVAL },
	};
	struct raw *r = raw_open();
	uint8_t data[65537];

	raw_ready(r, AT);
	memset(data, 0, sizeof(data));
	for (unsigned i = 0; i < COUNT(rows); i++) {
		check_context("region %u offset %llx", rows[i].region, (unsigned long long)rows[i].offset);
		CHECK_EQ(raw_read(r, rows[i].region, rows[i].offset, data, rows[i].len), rows[i].error, "read");
		memset(data, 0, sizeof(data));
		CHECK_EQ(raw_write(r, rows[i].region, rows[i].offset, data, rows[i].len), rows[i].error, "write");
	}
	check_context("%s", "");
	raw_works(r);
	raw_close(r);
}

/* A client that sends but never reads must not stop the server, and loses nothing. */
static void client_that_does_not_read(void)
{
	enum { READS = 64, BYTES = 65536 };
	struct raw *r = raw_open();
	uint8_t message[32] = { 0 }, reply[16 + 16 + BYTES];
	unsigned answered = 0;

	raw_ready(r, AT);
	put_le(message + 2, 2, REGION_READ);
	put_le(message + 4, 4, sizeof(message));
	put_le(message + 24, 4, BAR0);
	put_le(message + 28, 4, BYTES);
	for (unsigned i = 0; i < READS; i++) {
		put_le(message, 2, i);
		raw_bytes(r, message, sizeof(message), NULL, 0);
	}
	raw_serve(r);
	CHECK(r->card.server.out_len > 0, "everything went out although nobody read");
	for (unsigned i = 0; i < READS; i++) {
		size_t at = 0;

		while (at < sizeof(reply)) {
			ssize_t n = recv(r->fd, reply + at, sizeof(reply) - at, MSG_DONTWAIT);

			if (n > 0)
				at += (size_t)n;
			else
				raw_serve(r);
			if (n == 0)
				break;
		}
		answered += CHECK_EQ(get_le(reply, 2), i, "order of the replies");
		if (i == 0)
			CHECK_EQ(get_le(reply + 32 + ENDPOINT, 4), 0x45494350, "ID in a read of the whole BAR");
	}
	CHECK_EQ(answered, READS, "replies");
	raw_works(r);
	raw_close(r);
}

/* ---- configuration space ---- */

static void config_space(void)
{
	struct raw *r = raw_open();
	unsigned at, seen = 0, chain = 0;

	raw_connect(r);
	raw_version(r);
	CHECK_EQ(raw_config(r, 0, 4), 0x48461234, "vendor and device");
	CHECK_EQ(raw_config(r, 8, 4), 0x02000001, "class: Ethernet");
	CHECK_EQ(raw_config(r, 0x0e, 1), 0, "header type 0, one function");
	CHECK_EQ(raw_config(r, 4, 2), 0, "command after reset");
	CHECK_EQ(raw_config(r, 6, 2) & 0x10, 0x10, "a list of capabilities");
	CHECK_EQ(raw_config(r, 0x3d, 1), 0, "no INTx");
	for (at = raw_config(r, 0x34, 1); at && chain < 16; at = raw_config(r, at + 1, 1), chain++)
		switch (raw_config(r, at, 1)) {
		case 0x01: /* power management */
			seen |= 1;
			CHECK_EQ(raw_config(r, at + 2, 2) & 7, 3, "PCI PM 1.2");
			break;
		case 0x10: /* PCI Express */
			seen |= 2;
			CHECK_EQ(raw_config(r, at + 2, 2), 0x0002, "an endpoint, version 2");
			CHECK_EQ(raw_config(r, at + 4, 4) >> 28 & 1, 1, "function level reset");
			CHECK_EQ(raw_config(r, at + 0x12, 2), 0x0042, "5 GT/s, x4");
			break;
		case 0x11: /* MSI-X */
			seen |= 4;
			CHECK_EQ(raw_config(r, at + 2, 2), 7, "8 vectors, off");
			CHECK_EQ(raw_config(r, at + 4, 4), 0x2000, "table in BAR0");
			CHECK_EQ(raw_config(r, at + 8, 4), 0x2800, "pending bits in BAR0");
			break;
		default:
			CHECK(false, "capability %02x", raw_config(r, at, 1));
		}
	CHECK_EQ(seen, 7, "capabilities");
	CHECK(chain == 3, "the list is a ring");
	raw_set_config(r, 0x10, 4, 0xffffffff);
	CHECK_EQ(raw_config(r, 0x10, 4), 0xffff0000, "BAR0: 64 KiB, 32 bits");
	for (at = 0x14; at < 0x28; at += 4) {
		raw_set_config(r, at, 4, 0xffffffff);
		CHECK_EQ(raw_config(r, at, 4), 0, "no other BAR");
	}
	raw_set_config(r, 0x30, 4, 0xffffffff);
	CHECK_EQ(raw_config(r, 0x30, 4), 0, "no ROM");
	raw_set_config(r, 0x44, 2, 1);
	CHECK_EQ(raw_config(r, 0x44, 2) & 3, 0, "there is no D1");
	raw_set_config(r, 0x44, 2, 3);
	CHECK_EQ(raw_config(r, 0x44, 2) & 3, 3, "D3hot");
	raw_close(r);
}

/* What of it a write may change: table of the specifications, written down once more. */
static const struct {
	unsigned at;
	uint32_t mask;
} writable[] = {
	{ 0x04, 0x00000546 },
	{ 0x0c, 0x000000ff },
	{ 0x10, 0xffff0000 },
	{ 0x3c, 0x000000ff },
	{ 0x44, 0x00000003 },
	{ 0x68, 0x000078ff & ~0x0700u },
	{ 0x70, 0x000000cb },
	{ 0x90, 0x0000000f },
	{ 0xb0, 0xc0000000 },
};

static uint32_t writable_at(unsigned at)
{
	for (unsigned i = 0; i < COUNT(writable); i++)
		if (writable[i].at == at)
			return writable[i].mask;
	return 0;
}

static void read_only_space_stays(void)
{
	struct raw *r = raw_open();
	uint8_t before[4096], after[4096], data[4096];

	raw_connect(r);
	raw_version(r);
	raw_read(r, CONFIG, 0, before, sizeof(before));
	for (unsigned p = 0; p < 3; p++) {
		memset(data, p == 0 ? 0xff : p == 1 ? 0x55 : 0xaa, sizeof(data));
		data[0x69] &= 0x7f; /* not a reset */
		data[0x44] |= 3;    /* D3hot, the state that takes both bits */
		raw_write(r, CONFIG, 0, data, sizeof(data));
		raw_read(r, CONFIG, 0, after, sizeof(after));
		for (unsigned at = 0; at < sizeof(before); at += 4) {
			uint32_t old = (uint32_t)get_le(before + at, 4), new = (uint32_t)get_le(after + at, 4),
				 wrote = (uint32_t)get_le(data + at, 4), mask = writable_at(at);

			if (new != ((old & ~mask) | (wrote & mask)))
				CHECK(false, "0x%03x: was %08x, wrote %08x, reads %08x", at, old, wrote, new);
		}
	}
	/* RESET brings back what was. */
	CHECK_EQ(raw_call(r, RESET, NULL, 0, NULL, 0), 0, "RESET");
	raw_read(r, CONFIG, 0, after, sizeof(after));
	CHECK_BYTES("configuration space after RESET", after, sizeof(after), before, sizeof(before));
	raw_close(r);
}

static void config_writes_in_any_order(void)
{
	struct raw *r = raw_open();
	uint8_t before[4096], after[4096], data[16];
	uint64_t random = 7;

	raw_connect(r);
	raw_version(r);
	raw_read(r, CONFIG, 0, before, sizeof(before));
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t len = 1 + random_below(&random, sizeof(data)), at = random_below(&random, 0x100 - 16);

		put_le(data, 8, random_next(&random));
		put_le(data + 8, 8, random_next(&random));
		if (i % 8) /* a function level reset takes its time: only now and then */
			for (uint32_t k = 0; k < len; k++)
				if (at + k == 0x69)
					data[k] &= 0x7f;
		CHECK_EQ(raw_write(r, CONFIG, at, data, len), 0, "write");
		if (i % 16 == 0)
			raw_run(r);
	}
	raw_set_config(r, 0x68, 2, 0x8000);
	raw_read(r, CONFIG, 0, after, sizeof(after));
	CHECK_BYTES("configuration space after FLR", after, sizeof(after), before, sizeof(before));
	raw_works(r);
	raw_close(r);
}

static void memory_space_enable(void)
{
	struct raw *r = raw_open();
	uint32_t ignored = 0x12345;

	raw_ready(r, AT);
	CHECK_EQ(raw_get(r, ENDPOINT), 0x45494350, "ID");
	raw_set_config(r, 4, 2, 0x0404);
	CHECK_EQ(raw_get(r, ENDPOINT), 0xffffffff, "memory space off");
	raw_put(r, ENDPOINT + HF_PCIE_MODERATION, ignored);
	raw_set_config(r, 4, 2, 0x0406);
	CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_MODERATION), 1000, "written while memory space was off");
	raw_set_config(r, 0x44, 2, 3);
	CHECK_EQ(raw_get(r, ENDPOINT), 0xffffffff, "D3hot");
	raw_set_config(r, 0x44, 2, 0);
	CHECK_EQ(raw_get(r, ENDPOINT), 0x45494350, "ID, D0 again");
	raw_close(r);
}

static void bus_master_enable(void)
{
	static const unsigned off[][3] = { { 4, 2, 0x0402 }, { 0x44, 2, 3 } }; /* Bus Master Enable; D3hot */

	for (unsigned i = 0; i < COUNT(off); i++) {
		struct raw *r = raw_open();

		raw_ready(r, AT);
		memset(r->memory, CANARY, 65536);
		raw_set_config(r, 4, 2, 0x0402);
		raw_rings(r, AT, 12, 3);
		raw_set_config(r, off[i][0], off[i][1], off[i][2]);
		if (i)
			raw_set_config(r, 4, 2, 0x0406);
		raw_run(r);
		for (unsigned k = 0; k < 65536; k++)
			if (r->memory[k] != CANARY) {
				CHECK(false, "wrote at %x", k);
				break;
			}
		raw_set_config(r, 0x44, 2, 0);
		raw_set_config(r, 4, 2, 0x0406);
		raw_run(r);
		CHECK_EQ(MSG_GET(r->memory, HEADER, type), HF_MSG_HELLO, "DMA waited and goes on");
		raw_close(r);
	}
}

/* ---- BAR0 ---- */

static void byte_enables_and_sizes(void)
{
	struct raw *r = raw_open();
	uint8_t data[64], whole[64], zero[64] = { 0 };

	raw_ready(r, AT);
	/* Any part of a read is that part of the whole. */
	CHECK_EQ(raw_read(r, BAR0, ENDPOINT, whole, 64), 0, "read of 64 bytes");
	CHECK_EQ(get_le(whole, 4), 0x45494350, "ID");
	CHECK_EQ(get_le(whole + 4, 4), 1, "VERSION");
	for (unsigned at = 0; at < 8; at++)
		for (unsigned len = 1; len <= 8; len++) {
			CHECK_EQ(raw_read(r, BAR0, ENDPOINT + at, data, len), 0, "read");
			CHECK_BYTES("a part of the registers", data, len, whole + at, len);
		}
	/* A write of less than a dword: ignored, and told. */
	for (unsigned at = 0; at < 4; at++)
		for (unsigned len = 1; at + len <= 4; len++) {
			if (len == 4)
				continue;
			raw_write(r, BAR0, ENDPOINT + HF_PCIE_MODERATION + at, zero, len);
			CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_ERROR), ERROR_BIT(PARTIAL_WRITE),
				"ERROR after a partial write");
			CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_MODERATION), 1000, "a partial write was done");
			raw_put(r, ENDPOINT + HF_PCIE_ERROR, 0xffffffff);
			raw_write(r, BAR0, HF_REG_SYN_RTO_MS + at, zero, len); /* the core's registers */
			CHECK_EQ(raw_get(r, HF_REG_SYN_RTO_MS), 1000, "a partial write of a core register was done");
			raw_put(r, ENDPOINT + HF_PCIE_ERROR, 0xffffffff);
		}
	CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_ERROR), 0, "ERROR");
	/* More than a dword: one after the other. */
	put_le(data, 4, 123);
	put_le(data + 4, 4, 456789);
	raw_write(r, BAR0, ENDPOINT + HF_PCIE_MODERATION, data, 8);
	CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_MODERATION), 123, "first of two dwords");
	CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_TIMEOUT), 456789, "second of two dwords");
	/* Where nothing is. */
	CHECK_EQ(raw_get(r, 0x3000), 0xffffffff, "no region");
	CHECK_EQ(raw_get(r, 0x0ffc), 0xffffffff, "no register of the core");
	CHECK_EQ(raw_get(r, ENDPOINT + 0xff0), 0, "no register of the endpoint");
	memset(data, 0x5a, sizeof(data));
	raw_write(r, BAR0, 0xfff0, data, 16);
	raw_works(r);
	raw_close(r);
}

static void writes_of_the_whole_bar(void)
{
	struct raw *r = raw_open();
	static uint8_t data[65536];
	uint64_t random = 3;

	for (unsigned i = 0; i < 4; i++) {
		raw_ready(r, AT);
		for (unsigned k = 0; k < sizeof(data); k += 8)
			put_le(data + k, 8, random_next(&random));
		put_le(data + ENDPOINT + HF_PCIE_CTRL, 4, i);
		CHECK_EQ(raw_write(r, BAR0, i, data, (uint32_t)sizeof(data) - i), 0, "write");
		raw_run(r);
		CHECK_EQ(raw_get(r, ENDPOINT), 0x45494350, "ID");
	}
	raw_works(r);
	raw_close(r);
}

/* ---- memory ---- */

static int unmap(struct raw *r, uint64_t address, uint64_t size, uint32_t flags)
{
	uint8_t body[24];

	put_le(body, 4, sizeof(body));
	put_le(body + 4, 4, flags);
	put_le(body + 8, 8, address);
	put_le(body + 16, 8, size);
	return raw_call(r, DMA_UNMAP, body, sizeof(body), NULL, 0);
}

static void maps_and_unmaps(void)
{
	struct raw *r = raw_open();
	const uint64_t page = 4096, top = UINT64_MAX - 4095;
	uint8_t body[32];
	int many[12], pipes[2], null = open("/dev/zero", O_RDWR | O_CLOEXEC), dir = open("/", O_RDONLY | O_CLOEXEC);
	unsigned fds;

	CHECK(!pipe2(pipes, O_CLOEXEC), "pipe");
	raw_connect(r);
	raw_version(r);
	fds = raw_open_fds();
	CHECK_EQ(raw_map(r, page, 4 * page, r->memory_fd, 0, 3), 0, "a range");
	CHECK_EQ(raw_map(r, page, page, r->memory_fd, 0, 3), EEXIST, "the same");
	CHECK_EQ(raw_map(r, 0, 2 * page, r->memory_fd, 0, 3), EEXIST, "over its beginning");
	CHECK_EQ(raw_map(r, 4 * page, 2 * page, r->memory_fd, 0, 3), EEXIST, "over its end");
	CHECK_EQ(raw_map(r, 0, 16 * page, r->memory_fd, 0, 3), EEXIST, "around it");
	CHECK_EQ(raw_map(r, 0, page, r->memory_fd, 0, 3), 0, "before it");
	CHECK_EQ(raw_map(r, 5 * page, page, r->memory_fd, 0, 3), 0, "behind it");
	CHECK_EQ(raw_map(r, top, page, r->memory_fd, 0, 3), 0, "the last page there is");
	CHECK_EQ(raw_map(r, top - page, 4 * page, r->memory_fd, 0, 3), EINVAL, "beyond the last page");
	CHECK_EQ(raw_map(r, 64 * page, 0, r->memory_fd, 0, 3), EINVAL, "nothing");
	CHECK_EQ(raw_map(r, 64 * page + 8, page, r->memory_fd, 0, 3), EINVAL, "not a page");
	CHECK_EQ(raw_map(r, 64 * page, page + 8, r->memory_fd, 0, 3), EINVAL, "not pages");
	CHECK_EQ(raw_map(r, 64 * page, page, r->memory_fd, 8, 3), EINVAL, "offset not of a page");
	CHECK_EQ(raw_map(r, 64 * page, RAW_MEMORY + page, r->memory_fd, 0, 3), EINVAL, "longer than the file");
	CHECK_EQ(raw_map(r, 64 * page, page, r->memory_fd, RAW_MEMORY, 3), EINVAL, "behind the file");
	CHECK_EQ(raw_map(r, 64 * page, page, r->memory_fd, top, 3), EINVAL, "an offset that wraps round");
	CHECK_EQ(raw_map(r, 64 * page, page, r->memory_fd, 0, 4), EINVAL, "unknown flag");
	CHECK_EQ(raw_map(r, 64 * page, page, pipes[0], 0, 3), EINVAL, "a pipe");
	CHECK_EQ(raw_map(r, 64 * page, page, null, 0, 3), EINVAL, "a character device");
	CHECK_EQ(raw_map(r, 64 * page, page, dir, 0, 3), EINVAL, "a folder");
	CHECK_EQ(raw_map(r, 64 * page, page, -1, 0, 3), 0, "without a file");
	CHECK_EQ(raw_map(r, 64 * page, page, r->memory_fd, 0, 3), EEXIST, "over that");
	for (unsigned i = 0; i < COUNT(many); i++)
		many[i] = r->memory_fd;
	put_le(body, 4, sizeof(body));
	put_le(body + 4, 4, 3);
	put_le(body + 8, 8, 0);
	put_le(body + 16, 8, 128 * page);
	put_le(body + 24, 8, page);
	CHECK_EQ(raw_call(r, DMA_MAP, body, sizeof(body), many, 2), EINVAL, "two files");
	CHECK_EQ(raw_call(r, DMA_MAP, body, sizeof(body), many, COUNT(many)), EINVAL, "more files than may come");
	CHECK_EQ(raw_call(r, GET_INFO, body, 16, many, COUNT(many)), EINVAL, "as many with what takes none");
	CHECK_EQ(unmap(r, 2 * page, page, 0), EINVAL, "a part of one");
	CHECK_EQ(unmap(r, page, 3 * page, 0), EINVAL, "most of one");
	CHECK_EQ(unmap(r, 0, 0, 0), EINVAL, "nothing");
	CHECK_EQ(unmap(r, 8, UINT64_MAX, 0), EINVAL, "round the end");
	CHECK_EQ(unmap(r, 32 * page, page, 0), 0, "where there is none");
	CHECK_EQ(get_le(r->body + 16, 8), 0, "of which none was unmapped");
	CHECK_EQ(unmap(r, 0, 6 * page, 0), 0, "three at once");
	CHECK_EQ(get_le(r->body + 16, 8), 6 * page, "bytes unmapped");
	CHECK_EQ(raw_map(r, page, page, r->memory_fd, 0, 3), 0, "again");
	CHECK_EQ(unmap(r, 0, page, 2), EINVAL, "all, and a range");
	CHECK_EQ(unmap(r, 0, 0, 2), 0, "all");
	CHECK_EQ(get_le(r->body + 16, 8), 3 * page, "bytes unmapped");
	CHECK_EQ(r->card.server.memory.count, 0, "ranges left");
	CHECK_EQ(raw_open_fds(), fds, "descriptors were kept");
	close(pipes[0]);
	close(pipes[1]);
	close(null);
	close(dir);
	raw_works(r);
	raw_close(r);
}

/* 4,096 ranges of one page, as a guest behind an IOMMU maps them, in no order. */
static void many_ranges(void)
{
	enum { RANGES = 4096 };
	struct raw *r = raw_open();
	unsigned ok = 0;

	raw_connect(r);
	raw_version(r);
	for (unsigned i = 0; i < RANGES; i++) {
		const unsigned k = i * 1237 % RANGES;

		ok += raw_map(r, (uint64_t)AT + k * 4096ull, 4096, r->memory_fd, k % 256 * 4096ull, 3) == 0;
	}
	CHECK_EQ(ok, RANGES, "ranges mapped");
	for (unsigned k = 0; k < RANGES; k += 511) {
		uint8_t data[8];

		put_le(r->memory + (k % 256) * 4096, 8, 1000 + k);
		CHECK(dma_map_read(&r->card.server.memory, AT + k * 4096ull, data, 8), "range %u cannot be read", k);
		CHECK_EQ(get_le(data, 8), 1000 + k, "what range holds");
	}
	CHECK_EQ(unmap(r, AT, RANGES * 4096ull, 0), 0, "unmap them all");
	CHECK_EQ(get_le(r->body + 16, 8), RANGES * 4096ull, "bytes unmapped");
	raw_works(r);
	raw_close(r);
}

/* A message in ring h2c at `at` of the client's memory, announced. */
static void send_reg_read(struct raw *r, uint32_t at, uint32_t tail)
{
	MSG_PUT(r->memory + at, HEADER, type, HF_MSG_REG_READ);
	MSG_PUT(r->memory + at, HEADER, length, 24);
	raw_put(r, ENDPOINT + HF_PCIE_H2C_TAIL, tail);
	raw_run(r);
}

static void wild_addresses(void)
{
	static const uint64_t wild[] = { 0, 0xffff0000, 0xfffff000, 0x100000000, 0xfffffffffffff000, AT + RAW_MEMORY,
		AT - 0x2000, AT + RAW_MEMORY - 0x1000 };
	struct raw *r = raw_open();
	uint64_t refused;

	for (unsigned i = 0; i < COUNT(wild); i++) {
		check_context("rings at %llx", (unsigned long long)wild[i]);
		raw_ready(r, AT);
		memset(r->memory, CANARY, RAW_MEMORY);
		refused = r->card.link->refused;
		raw_rings(r, wild[i], 12, 3);
		raw_run(r);
		send_reg_read(r, 0x8000, 24);
		CHECK(r->card.link->refused > refused, "nothing was refused");
		CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_ERROR) & ~ERROR_BIT(COMPLETION_STATUS), 0, "ERROR");
		CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_H2C_HEAD), 0, "h2c went on");
		/* Only what is inside the map may have been written: of the last two a page of a ring. */
		for (unsigned k = 4096; k < RAW_MEMORY - 4096; k++)
			if ((k < 0x8000 || k >= 0x8018) && r->memory[k] != CANARY) {
				CHECK(false, "wrote at %x", k);
				break;
			}
		CHECK_EQ(raw_get(r, ENDPOINT), 0x45494350, "ID");
	}
	check_context("%s", "");
	raw_works(r);
	raw_close(r);
}

static void memory_that_is_not_for_writing(void)
{
	struct raw *r = raw_open();
	uint8_t before[64];

	raw_connect(r);
	raw_version(r);
	CHECK_EQ(raw_map(r, AT, 0x1000, r->memory_fd, 0, 1), 0, "read-only");
	CHECK_EQ(raw_map(r, AT + 0x1000, 0x1000, r->memory_fd, 0x1000, 2), 0, "write-only");
	CHECK_EQ(raw_map(r, AT + 0x2000, 0x1000, -1, 0, 3), 0, "without a file");
	raw_set_config(r, 4, 2, 0x0406);
	memset(r->memory, CANARY, 0x4000);
	memcpy(before, r->memory, sizeof(before));
	raw_rings(r, AT, 12, 3); /* c2h where it may not write, h2c where it may not read, the status block nowhere */
	raw_run(r);
	send_reg_read(r, 0x1000, 24);
	CHECK_BYTES("read-only memory", r->memory, sizeof(before), before, sizeof(before));
	CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_ERROR), ERROR_BIT(COMPLETION_STATUS), "ERROR");
	CHECK(r->card.link->refused >= 3, "refused: %u", (unsigned)r->card.link->refused);
	raw_works(r);
	raw_close(r);
}

static void file_cut_short(void)
{
	struct raw *r = raw_open();

	raw_ready(r, AT);
	raw_rings(r, AT, 12, 3);
	raw_run(r);
	CHECK(!ftruncate(r->memory_fd, 0), "ftruncate");
	raw_put(r, ENDPOINT + HF_PCIE_H2C_TAIL, 64);
	raw_run(r);
	CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_ERROR) & ERROR_BIT(COMPLETION_STATUS), ERROR_BIT(COMPLETION_STATUS),
		"ERROR");
	CHECK(r->card.link->refused > 0, "nothing was refused");
	raw_hang_up(r);
	CHECK(!ftruncate(r->memory_fd, RAW_MEMORY), "ftruncate");
	raw_works(r);
	raw_close(r);
}

static void unmapped_while_rings_run(void)
{
	struct raw *r = raw_open();

	raw_ready(r, AT);
	memset(r->memory, 0, 65536);
	raw_rings(r, AT, 12, 3);
	raw_run(r);
	CHECK_EQ(MSG_GET(r->memory, HEADER, type), HF_MSG_HELLO, "HELLO");
	CHECK_EQ(unmap(r, 0, 0, 2), 0, "unmap");
	memset(r->memory, CANARY, 65536);
	raw_put(r, ENDPOINT + HF_PCIE_H2C_TAIL, 24);
	raw_run(r);
	for (unsigned k = 0; k < 65536; k++)
		if (r->memory[k] != CANARY) {
			CHECK(false, "wrote at %x after the unmap", k);
			break;
		}
	raw_works(r);
	raw_close(r);
}

/* ---- rings ---- */

static void indices_out_of_range(void)
{
	static const struct {
		uint32_t reg, value;
		bool good;
	} rows[] = {
		{ HF_PCIE_H2C_TAIL, 4, false },
		{ HF_PCIE_H2C_TAIL, 4096 + 8, false },
		{ HF_PCIE_H2C_TAIL, 0xfffffff8, false },
		{ HF_PCIE_H2C_TAIL, 0x80000000, false },
		{ HF_PCIE_C2H_HEAD, 48, false }, /* beyond HELLO */
		{ HF_PCIE_C2H_HEAD, 12, false },
		{ HF_PCIE_C2H_HEAD, 0xfffffff8, false },
		{ HF_PCIE_C2H_HEAD, 40, true },
		{ HF_PCIE_C2H_HEAD, 32, false }, /* back */
		{ HF_PCIE_C2H_HEAD, 40, true },
		{ HF_PCIE_H2C_TAIL, 24, true },
		{ HF_PCIE_H2C_TAIL, 16, false },
	};
	struct raw *r = raw_open();

	raw_ready(r, AT);
	memset(r->memory, 0, 65536);
	MSG_PUT(r->memory + 4096, HEADER, type, HF_MSG_REG_READ);
	MSG_PUT(r->memory + 4096, HEADER, length, 24);
	raw_rings(r, AT, 12, 3);
	raw_run(r);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		check_context("row %u", i);
		raw_put(r, ENDPOINT + rows[i].reg, rows[i].value);
		raw_run(r);
		CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_ERROR), rows[i].good ? 0 : ERROR_BIT(INDEX), "ERROR");
		raw_put(r, ENDPOINT + HF_PCIE_ERROR, 0xffffffff);
	}
	check_context("%s", "");
	CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_H2C_HEAD), 24, "H2C_HEAD");
	raw_put(r, ENDPOINT + HF_PCIE_CTRL, 0);
	raw_run(r);
	raw_put(r, ENDPOINT + HF_PCIE_H2C_TAIL, 32);
	CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_ERROR), ERROR_BIT(INDEX), "a doorbell of a ring that is off");
	raw_works(r);
	raw_close(r);
}

/* Registers, doorbells and ring contents at random; whatever comes of it, only rings and status block are written, the card
 * answers, and works again after a reset. */
static void doorbells_at_any_time(void)
{
	enum { RING = 0x10000, BYTES = 4096, ROUNDS = 40, WRITES = 50 };
	static const uint32_t regs[] = { HF_PCIE_CTRL, HF_PCIE_CTRL, HF_PCIE_C2H_HEAD, HF_PCIE_H2C_TAIL,
		HF_PCIE_H2C_TAIL, HF_PCIE_ERROR, HF_PCIE_MODERATION, HF_PCIE_TIMEOUT };
	struct raw *r = raw_open();
	uint64_t random = 11;

	for (unsigned round = 0; round < ROUNDS; round++) {
		raw_ready(r, AT);
		memset(r->memory, CANARY, RAW_MEMORY);
		for (unsigned k = 0; k < BYTES; k += 8)
			put_le(r->memory + RING + BYTES + k, 8, random_next(&random) & 0x3f00ffull);
		raw_rings(r, AT + RING, 12, 3);
		for (unsigned i = 0; i < WRITES; i++) {
			uint32_t reg = regs[random_below(&random, COUNT(regs))], value = (uint32_t)random_next(&random);

			if (reg == HF_PCIE_CTRL)
				value &= random_below(&random, 8) ? 7 : 15;
			else if (random_below(&random, 4))
				value = raw_get(r, ENDPOINT + reg) + 8 * random_below(&random, 64);
			if (reg == HF_PCIE_TIMEOUT)
				value &= 0xffff;
			raw_put(r, ENDPOINT + reg, value);
			if (random_below(&random, 2))
				raw_run(r);
		}
		raw_run(r);
		CHECK_EQ(raw_get(r, ENDPOINT), 0x45494350, "ID");
		for (unsigned k = 0; k < RAW_MEMORY; k++)
			if (r->memory[k] != CANARY && !(k >= RING && k < RING + 2 * BYTES + 16)) {
				CHECK(false, "round %u: wrote at %x", round, k);
				break;
			}
	}
	raw_works(r);
	raw_close(r);
}

/* The two cards at rest, after the same history: registers, ring contents and status block. What counts TLPs or clocks is
 * not compared: WRITES, READS, the stamp and epoch of a HELLO, the count of status blocks. */
static bool cards_agree(struct raw *model, struct raw *rtl, uint32_t ring, uint32_t bytes)
{
	bool same = true;
	uint32_t mask_until = 0;

	for (uint32_t reg = 0; reg < 0x90 && same; reg += 4)
		if (reg != HF_PCIE_WRITES && reg != HF_PCIE_READS)
			same = CHECK_EQ(raw_get(model, ENDPOINT + reg), raw_get(rtl, ENDPOINT + reg), "register") ||
			       !CHECK(false, "register 0x%03x: model and RTL differ", reg);
	for (uint32_t k = 0; k < bytes && same; k += 8) {
		const uint8_t *a = model->memory + ring + k, *b = rtl->memory + ring + k;

		if (MSG_GET(a, HEADER, type) == HF_MSG_HELLO && MSG_GET(a, HEADER, length) == 40)
			mask_until = k + 24; /* length, stamp, version and epoch */
		if ((k < mask_until && k + 24 != mask_until) || k + 8 == mask_until)
			continue;
		same = !memcmp(a, b, 8) || !CHECK(false, "ring c2h differs at %x", k);
	}
	if (same)
		same = CHECK_BYTES(
			"status block", model->memory + ring + 2 * bytes, 12, rtl->memory + ring + 2 * bytes, 12);
	return same;
}

/* What two people made of docs/pcie.md: the same writes to the functional card and to the RTL, each at rest. */
static void model_and_rtl_agree(void)
{
	enum { RING = 0x10000, BYTES = 4096, ROUNDS = 20, WRITES = 40 };
	static const uint32_t regs[] = { HF_PCIE_CTRL, HF_PCIE_C2H_HEAD, HF_PCIE_C2H_HEAD, HF_PCIE_H2C_TAIL,
		HF_PCIE_H2C_TAIL, HF_PCIE_H2C_TAIL, HF_PCIE_ERROR, HF_PCIE_MODERATION, HF_PCIE_C2H_SIZE,
		HF_PCIE_H2C_BASE_LO, HF_PCIE_STATUS_LO, 0x07c };
	struct raw *cards[2] = { raw_open_as(ENGINE_MODEL), raw_open_as(ENGINE_RTL) };
	uint64_t random = 21;
	bool same = true;

	for (unsigned round = 0; round < ROUNDS && same; round++) {
		for (unsigned c = 0; c < 2; c++) {
			raw_ready(cards[c], AT);
			memset(cards[c]->memory, 0, RAW_MEMORY);
		}
		/* Register reads, and now and then what is no message. */
		for (unsigned k = 0; k < BYTES; k += 8) {
			static const uint64_t heads[] = { 0x00180005, 0x00180005, 0x00180005, 0x00100003, 0x00200063,
				0x00f80001 };
			const uint64_t word = k % 24 == 0 ? heads[random_below(&random, round % 3 ? COUNT(heads) : 1)]
							  : random_next(&random) & 0xfff;

			for (unsigned c = 0; c < 2; c++)
				put_le(cards[c]->memory + RING + BYTES + k, 8, word);
		}
		for (unsigned c = 0; c < 2; c++)
			raw_rings(cards[c], AT + RING, 12, 3);
		for (unsigned i = 0; i < WRITES && same; i++) {
			const uint32_t reg = regs[random_below(&random, COUNT(regs))];
			uint32_t value = (uint32_t)random_next(&random);

			if (reg == HF_PCIE_CTRL)
				value = random_below(&random, 3) ? 3 : value & 7;
			else if (reg == HF_PCIE_MODERATION)
				value &= 0xff;
			else if (reg == HF_PCIE_C2H_HEAD && random_below(&random, 4))
				value = raw_get(cards[0], ENDPOINT + HF_PCIE_C2H_TAIL);
			else if (reg == HF_PCIE_H2C_TAIL && random_below(&random, 4))
				value = raw_get(cards[0], ENDPOINT + reg) + 24 * random_below(&random, 8);
			check_context("round %u, write %u: 0x%03x = %08x", round, i, reg, value);
			for (unsigned c = 0; c < 2; c++) {
				raw_run(cards[c]);
				raw_put(cards[c], ENDPOINT + reg, value);
				raw_run(cards[c]);
			}
			same = cards_agree(cards[0], cards[1], RING, BYTES);
		}
	}
	check_context("%s", "");
	for (unsigned c = 0; c < 2; c++) {
		raw_works(cards[c]);
		raw_close(cards[c]);
	}
}

/* ---- interrupts ---- */

static int set_irqs(
	struct raw *r, uint32_t flags, uint32_t index, uint32_t start, uint32_t count, const int *fds, unsigned n)
{
	uint8_t body[20];

	put_le(body, 4, sizeof(body));
	put_le(body + 4, 4, flags);
	put_le(body + 8, 4, index);
	put_le(body + 12, 4, start);
	put_le(body + 16, 4, count);
	return raw_call(r, SET_IRQS, body, sizeof(body), fds, n);
}

static uint64_t signals(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void interrupts(void)
{
	enum { NONE = 1, BOOL = 2, EVENTFD = 4, MASK = 8, UNMASK = 16, TRIGGER = 32, MSIX = 2 };
	struct raw *r = raw_open();
	int fds[9], pipes[2];
	uint64_t one = UINT64_MAX - 1;

	CHECK(!pipe2(pipes, O_CLOEXEC), "pipe");
	for (unsigned i = 0; i < COUNT(fds); i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	raw_ready(r, AT);
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, MSIX, 0, 8, fds, 8), 0, "8 eventfds");
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, MSIX, 0, 9, fds, 9), EINVAL, "9 eventfds");
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, MSIX, 1, 8, fds, 8), EINVAL, "beyond the last vector");
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, MSIX, 0xffffffff, 2, fds, 2), EINVAL, "start + count wraps round");
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, MSIX, 0, 2, fds, 1), EINVAL, "fewer descriptors than vectors");
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, MSIX, 0, 1, pipes + 1, 1), EINVAL, "a pipe");
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, 0, 0, 1, fds, 1), EINVAL, "INTx");
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, 5, 0, 1, fds, 1), EINVAL, "no such type");
	CHECK_EQ(set_irqs(r, EVENTFD | MASK, MSIX, 0, 1, fds, 1), EINVAL, "mask");
	CHECK_EQ(set_irqs(r, EVENTFD | NONE | TRIGGER, MSIX, 0, 1, fds, 1), EINVAL, "two data types");
	CHECK_EQ(set_irqs(r, NONE | TRIGGER | UNMASK, MSIX, 0, 1, NULL, 0), EINVAL, "two actions");
	CHECK_EQ(set_irqs(r, BOOL | TRIGGER, MSIX, 0, 1, NULL, 0), EINVAL, "bools that did not come");
	CHECK_EQ(set_irqs(r, NONE | TRIGGER, MSIX, 0, 1, fds, 1), EINVAL, "descriptors with nothing to do");
	CHECK_EQ(set_irqs(r, 0, MSIX, 0, 1, NULL, 0), EINVAL, "no action");
	CHECK_EQ(set_irqs(r, NONE | TRIGGER, MSIX, 7, 1, NULL, 0), 0, "trigger by hand");
	CHECK_EQ(signals(fds[7]), 1, "signals of vector 7");
	/* An eventfd that is full does not stop us. */
	CHECK(write(fds[6], &one, sizeof(one)) == sizeof(one), "fill");
	CHECK_EQ(set_irqs(r, NONE | TRIGGER, MSIX, 6, 1, NULL, 0), 0, "trigger a full one");
	CHECK_EQ(signals(fds[6]), UINT64_MAX - 1, "signals of vector 6");

	/* The card's own: vector 0 for HELLO; then without its eventfd, where the pending bit stays. */
	memset(r->memory, 0, 65536);
	raw_rings(r, AT, 12, 3);
	raw_run(r);
	CHECK(signals(fds[0]) > 0, "HELLO did not signal");
	CHECK_EQ(signals(fds[1]), 0, "signals of the vector for frames");
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, MSIX, 0, 1, NULL, 0), 0, "take vector 0 away");
	send_reg_read(r, 4096, 24);
	CHECK_EQ(signals(fds[0]), 0, "signals without an eventfd");
	CHECK_EQ(raw_get(r, 0x2800), 1, "pending bits");
	CHECK_EQ(set_irqs(r, EVENTFD | TRIGGER, MSIX, 0, 1, fds, 1), 0, "give it back");
	raw_run(r);
	CHECK(signals(fds[0]) > 0, "the pending interrupt did not come");
	CHECK_EQ(raw_get(r, 0x2800), 0, "pending bits after that");
	/* MSI-X off, function mask. */
	raw_set_config(r, 0xb2, 2, 0xc000);
	send_reg_read(r, 4096 + 24, 48);
	CHECK_EQ(signals(fds[0]), 0, "signals with the function masked");
	raw_set_config(r, 0xb2, 2, 0x8000);
	raw_run(r);
	CHECK(signals(fds[0]) > 0, "the masked interrupt did not come");
	raw_set_config(r, 0xb2, 2, 0);
	send_reg_read(r, 4096 + 48, 72);
	CHECK_EQ(signals(fds[0]), 0, "signals with MSI-X off");
	CHECK_EQ(set_irqs(r, NONE | TRIGGER, MSIX, 0, 0, NULL, 0), 0, "all off");
	for (unsigned i = 0; i < 8; i++)
		CHECK(r->card.server.vector[i] < 0, "vector %u is still there", i);
	for (unsigned i = 0; i < COUNT(fds); i++)
		close(fds[i]);
	close(pipes[0]);
	close(pipes[1]);
	raw_works(r);
	raw_close(r);
}

/* ---- resets, clients ---- */

static void function_level_reset(void)
{
	struct raw *r = raw_open();

	for (unsigned keep = 0; keep < 2; keep++) {
		check_context("KEEP_ON_FLR %u", keep);
		raw_ready(r, AT);
		memset(r->memory, 0, 65536);
		raw_put(r, HF_REG_SYN_RTO_MS, 1234);
		raw_rings(r, AT, 12, 3 | keep << 2);
		raw_run(r);
		CHECK_EQ(MSG_GET(r->memory, HEADER, type), HF_MSG_HELLO, "HELLO");
		MSG_PUT(r->memory + 4096, HEADER, type, HF_MSG_REG_READ);
		MSG_PUT(r->memory + 4096, HEADER, length, 24);
		raw_put(r, ENDPOINT + HF_PCIE_H2C_TAIL, 24);
		raw_set_config(r, 0x68, 2, 0x8000); /* while the read is under way */
		CHECK_EQ(raw_config(r, 0x68, 2) & 0x8000, 0, "the bit reads as 0");
		CHECK_EQ(raw_config(r, 4, 2), 0, "command");
		memset(r->memory, CANARY, 65536);
		raw_run(r);
		for (unsigned k = 0; k < 65536; k++)
			if (r->memory[k] != CANARY) {
				CHECK(false, "wrote at %x after the reset", k);
				break;
			}
		raw_set_config(r, 4, 2, 0x0406);
		CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_CTRL), keep << 2, "CTRL");
		CHECK_EQ(raw_get(r, ENDPOINT + HF_PCIE_C2H_BASE_LO), 0, "C2H_BASE_LO");
		CHECK_EQ(raw_get(r, HF_REG_SYN_RTO_MS), keep ? 1234 : 1000, "the core's register");
		raw_set_config(r, 0xb2, 2, 0x8000);
		memset(r->memory, 0, 65536);
		signals(r->vector[0]);
		raw_rings(r, AT, 12, 3);
		raw_run(r);
		CHECK_EQ(MSG_GET(r->memory, HEADER, type), HF_MSG_HELLO, "HELLO after the reset");
		CHECK(signals(r->vector[0]) > 0, "the eventfd is still the vector's");
	}
	check_context("%s", "");
	raw_works(r);
	raw_close(r);
}

/* A whole conversation, cut at every byte. */
static void client_dies_at_any_byte(void)
{
	struct raw *r = raw_open();
	uint8_t talk[1024];
	size_t len = 0, fd_at[2] = { 0 };
	int fds[2][1];
	static const struct {
		unsigned command;
		const char *body; /* hex */
	} rows[] = {
		{ VERSION, "00000000"
			   "7b7d00" },
		{ DMA_MAP, "20000000"
			   "03000000"
			   "0000000000000000"
			   "0000004000000000"
			   "0000100000000000" },
		{ SET_IRQS, "14000000"
			    "24000000"
			    "02000000"
			    "00000000"
			    "01000000" },
		{ REGION_WRITE, "0400000000000000"
				"07000000"
				"02000000"
				"0604" },
		{ REGION_WRITE, "2010000000000000"
				"00000000"
				"04000000"
				"00000040" },
		{ REGION_WRITE, "0810000000000000"
				"00000000"
				"04000000"
				"01000000" },
		{ REGION_READ, "0010000000000000"
			       "00000000"
			       "04000000" },
		{ RESET, "" },
		{ DMA_UNMAP, "18000000"
			     "00000000"
			     "0000004000000000"
			     "0000100000000000" },
	};
	unsigned before, step = bench_target() == ENGINE_MODEL ? 1 : 5;

	for (unsigned i = 0; i < COUNT(rows); i++) {
		uint8_t *h = talk + len;
		const size_t n = from_hex(rows[i].body, h + 16, 200);

		memset(h, 0, 16);
		put_le(h, 2, i);
		put_le(h + 2, 2, rows[i].command);
		put_le(h + 4, 4, 16 + n);
		if (rows[i].command == DMA_MAP)
			fd_at[0] = len;
		if (rows[i].command == SET_IRQS)
			fd_at[1] = len;
		len += 16 + n;
	}
	fds[0][0] = r->memory_fd;
	fds[1][0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	raw_connect(r);
	before = raw_open_fds();
	for (size_t cut = 0; cut <= len; cut += cut == len || cut + step <= len ? step : len - cut) {
		size_t at = 0;

		raw_connect(r);
		/* In pieces, so that descriptors are with their message's first byte. */
		for (unsigned piece = 0; piece < 3; piece++) {
			const size_t end = piece < 2 ? fd_at[piece] : len, stop = end < cut ? end : cut;

			if (stop > at)
				raw_bytes(r, talk + at, stop - at, piece ? fds[piece - 1] : NULL, piece > 0);
			at = stop > at ? stop : at;
			raw_serve(r);
		}
		raw_hang_up(r);
		if (!CHECK(r->card.server.fd < 0, "cut at %zu: the client is still there", cut) ||
			!CHECK(r->card.server.memory.count == 0, "cut at %zu: its memory is still mapped", cut) ||
			!CHECK(!r->card.link->config.bus_master, "cut at %zu: the card is still bus master", cut))
			break;
	}
	raw_connect(r);
	CHECK_EQ(raw_open_fds(), before, "descriptors left behind");
	close(fds[1][0]);
	raw_works(r);
	raw_close(r);
}

/* Header and body at random, right often enough to get somewhere. */
static void messages_at_random(void)
{
	enum { MESSAGES = 6000 };
	struct raw *r = raw_open();
	uint64_t random = 5;
	uint8_t message[128];
	int fds[2] = { r->memory_fd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	unsigned before, dropped = 0;
	uint64_t good;

	raw_ready(r, AT);
	before = raw_open_fds();
	for (unsigned i = 0; i < MESSAGES; i++) {
		static const uint8_t right[15] = { 0, 7, 32, 24, 16, 32, 0, 16, 20, 16, 20, 0, 0, 0, 0 };
		const unsigned command = random_below(&random, COUNT(right));
		size_t len = 16 + (random_below(&random, 4) ? right[command] : random_below(&random, 48));

		for (size_t k = 16; k < sizeof(message); k += 4) {
			static const uint32_t usual[] = { 0, 0, 0, 1, 2, 3, 4, 7, 16, 20, 24, 36, 0x1000, 0x2000, AT };

			put_le(message + k, 4,
				random_below(&random, 16) ? usual[random_below(&random, COUNT(usual))]
							  : random_next(&random));
		}
		memset(message, 0, 16);
		if (command < 9 && random_below(&random, 4)) /* argsz */
			put_le(message + 16, 4, right[command]);
		put_le(message, 2, i);
		put_le(message + 2, 2, command);
		put_le(message + 4, 4, random_below(&random, 200) ? len : random_below(&random, 64));
		put_le(message + 8, 4,
			random_below(&random, 100) ? random_below(&random, 2) << 4 : random_below(&random, 64));
		raw_bytes(r, message, len, fds, random_below(&random, 3));
		raw_serve(r);
		while (recv(r->fd, r->body, sizeof(r->body), MSG_DONTWAIT) > 0)
			raw_serve(r);
		if (raw_dropped(r)) {
			dropped++;
			raw_ready(r, AT);
		}
		if (i % 64 == 0)
			raw_run(r);
	}
	CHECK(dropped > 10, "only %u of the clients were dropped: the test says little", dropped);
	CHECK(r->card.server.stats.errors > MESSAGES / 8, "errors: %u", (unsigned)r->card.server.stats.errors);
	/* Eight messages of each client are raw_ready()'s. */
	good = r->card.server.stats.messages - r->card.server.stats.errors - 8 * r->card.server.stats.clients;
	CHECK(good > MESSAGES / 32, "only %u of the messages were good", (unsigned)good);
	raw_ready(r, AT);
	CHECK_EQ(raw_open_fds(), before, "descriptors left behind");
	close(fds[1]);
	raw_works(r);
	raw_close(r);
}

static int knock(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	CHECK(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)), "connect: %s", strerror(errno));
	return fd;
}

static void second_client(void)
{
	char dir[] = "/tmp/hf-test-XXXXXX", path[64];
	struct raw *r = raw_open();
	struct pollfd p;
	int first, second, third;

	CHECK(mkdtemp(dir) != NULL, "mkdtemp");
	snprintf(path, sizeof(path), "%s/card", dir);
	pcie_card_close(&r->card);
	CHECK(!pcie_card_open(&r->card, path), "pcie_card_open");
	CHECK(!pcie_card_attach(&r->card, &r->session, bench_target() == ENGINE_MODEL, 1), "pcie_card_attach");
	first = knock(path);
	CHECK(vfio_user_accept(&r->card.server), "the first client is refused");
	second = knock(path);
	CHECK(!vfio_user_accept(&r->card.server), "a second client is taken");
	p = (struct pollfd){ .fd = second };
	CHECK(poll(&p, 1, 0) > 0 && p.revents & POLLHUP, "a second client is left waiting");
	p.fd = first;
	CHECK(poll(&p, 1, 0) == 0, "the first client lost its place");
	/* The next one may knock before anybody has read the end of the first. */
	close(first);
	third = knock(path);
	CHECK(vfio_user_accept(&r->card.server), "the next client is refused");
	close(second);
	close(third);
	CHECK_EQ(r->card.server.stats.clients, 2, "clients");
	CHECK_EQ(r->card.server.stats.refused_clients, 1, "refused clients");
	raw_serve(r);
	raw_works(r);
	raw_close(r);
	CHECK(access(path, F_OK), "the socket is still there");
	rmdir(dir);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		CASE(version_comes_first),
		CASE(device_regions_interrupts),
		CASE(sizes_that_cannot_be),
		CASE(accesses_outside_regions),
		CASE(client_that_does_not_read),
		CASE(config_space),
		CASE(read_only_space_stays),
		CASE(config_writes_in_any_order),
		CASE(memory_space_enable),
		CASE(bus_master_enable),
		CASE(byte_enables_and_sizes),
		CASE(writes_of_the_whole_bar),
		CASE(maps_and_unmaps),
		CASE(many_ranges),
		CASE(wild_addresses),
		CASE(memory_that_is_not_for_writing),
		CASE(file_cut_short),
		CASE(unmapped_while_rings_run),
		CASE(indices_out_of_range),
		CASE(doorbells_at_any_time),
		CASE_ONCE(model_and_rtl_agree),
		CASE(interrupts),
		CASE(function_level_reset),
		CASE(client_dies_at_any_byte),
		CASE(messages_at_random),
		CASE(second_client),
		{ 0 },
	};

	return bench_main(argc, argv, "vfio_user", cases);
}
