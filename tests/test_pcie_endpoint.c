/* SPDX-License-Identifier: Apache-2.0
 * test_pcie_endpoint.c - rtl/pcie/pcie_endpoint.sv as docs/pcie.md says, TLP by TLP. Every case ends with the link's own
 * checks of what the endpoint sent (sim/pcie/pcie_link.c): form, size, 4 KiB, credits, Bus Master Enable. */
#include <stdlib.h>
#include <string.h>
#include "../sim/pcie/pcie_rig.h"
#include "support_bench.h"

enum {
	C2H = 1u << HF_PCIE_CTRL_C2H_LOW,
	H2C = 1u << HF_PCIE_CTRL_H2C_LOW,
	KEEP = 1u << HF_PCIE_CTRL_KEEP_ON_FLR_LOW,
	CORE_RESET = 1u << HF_PCIE_CTRL_CORE_RESET_LOW,
	SHORT = 1u << HF_PCIE_ERROR_H2C_LENGTH_LOW,
	LATE = 1u << HF_PCIE_ERROR_COMPLETION_TIMEOUT_LOW,
	BAD = 1u << HF_PCIE_ERROR_COMPLETION_STATUS_LOW,
	INDEX = 1u << HF_PCIE_ERROR_INDEX_LOW,
	BUSY = 1u << HF_PCIE_ERROR_BUSY_LOW,
	PARTIAL = 1u << HF_PCIE_ERROR_PARTIAL_WRITE_LOW,
	MALFORMED = 1u << HF_PCIE_ERROR_MALFORMED_LOW,
};

/* Above and below 4 GiB: headers of four and of three dwords. */
#define HIGH   0x1234567000ull
#define LOW    0x87654000ull
#define STATUS 0xabcdef00c0ull

/* ---- what was said, and what was heard ---- */

struct heard {
	uint8_t **v;
	size_t *len, count, next;
};

static struct heard at_host, at_core;

static void heard_add(struct heard *h, const uint8_t *msg, size_t len)
{
	h->v = realloc(h->v, (h->count + 1) * sizeof *h->v);
	h->len = realloc(h->len, (h->count + 1) * sizeof *h->len);
	h->v[h->count] = malloc(len);
	memcpy(h->v[h->count], msg, len);
	h->len[h->count++] = len;
}

static void heard_clear(struct heard *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->v[i]);
	free(h->v);
	free(h->len);
	*h = (struct heard){ 0 };
}

static void to_host(void *ctx, const uint8_t *msg, size_t len)
{
	(void)ctx;
	heard_add(&at_host, msg, len);
}

static void to_core(void *ctx, const uint8_t *msg, size_t len)
{
	(void)ctx;
	heard_add(&at_core, msg, len);
}

/* Completions that no pcie_link_read() asked for: those of raw TLPs. */
static struct heard completions;

static void on_completion(void *ctx, const uint8_t *tlp, size_t len)
{
	(void)ctx;
	heard_add(&completions, tlp, len);
}

static struct pcie_rig *open_rig(uint64_t seed)
{
	struct pcie_rig *g = rig_open(seed);

	heard_clear(&at_host);
	heard_clear(&at_core);
	heard_clear(&completions);
	if (!CHECK(g != NULL, "no memory"))
		exit(1);
	g->on_message = to_host;
	g->on_h2c = to_core;
	pcie_link_on_completion(g->link, on_completion, NULL);
	return g;
}

static void no_faults(const struct pcie_rig *g)
{
	CHECK(!g->link->faults, "%llu faults, %s", (unsigned long long)g->link->faults, g->link->fault);
	CHECK_EQ(g->link->refused, 0, "accesses outside of what the card was given");
}

/* It still answers, and nothing was wrong. */
static void close_rig(struct pcie_rig *g)
{
	CHECK_EQ(rig_get(g, HF_PCIE_ID), HF_PCIE_RESET_ID, "ID at the end");
	no_faults(g);
	rig_close(g);
	heard_clear(&at_host);
	heard_clear(&at_core);
	heard_clear(&completions);
}

static void say(struct pcie_rig *g, unsigned type, size_t len, uint32_t seed)
{
	uint8_t msg[RIG_MESSAGE_MAX];

	rig_say(g, msg, rig_message(msg, type, len, seed));
}

static void send(struct pcie_rig *g, unsigned type, size_t len, uint32_t seed)
{
	uint8_t msg[RIG_MESSAGE_MAX];

	CHECK(rig_send(g, msg, rig_message(msg, type, len, seed)), "no room");
}

static void expect_at(
	unsigned line, const char *where, struct heard *h, unsigned type, size_t len, uint32_t seed, bool padded)
{
	uint8_t msg[RIG_MESSAGE_MAX] = { 0 };
	const size_t bytes = padded ? (len + 7) / 8 * 8 : len;

	rig_message(msg, type, len, seed);
	memset(msg + len, 0, 8);
	if (!check_at(h->next < h->count, __FILE__, line, "%s: no message, %u of %zu is missing", where, type, len))
		return;
	check_bytes_at(__FILE__, line, where, h->v[h->next], h->len[h->next], msg, bytes);
	h->next++;
}
#define EXPECT_HOST(type, len, seed) expect_at(__LINE__, "at the host", &at_host, type, len, seed, false)
#define EXPECT_CORE(type, len, seed) expect_at(__LINE__, "at the core", &at_core, type, len, seed, true)

static void expect_hello_at(unsigned line, uint32_t epoch)
{
	if (!check_at(at_host.next < at_host.count, __FILE__, line, "no HELLO"))
		return;
	check_eq_at(__FILE__, line, at_host.v[at_host.next][0], HF_MSG_HELLO, "type of the first message");
	check_eq_at(__FILE__, line, get_le(at_host.v[at_host.next] + HF_AT_HELLO_epoch, 4), epoch, "epoch of HELLO");
	at_host.next++;
}
#define EXPECT_HELLO(epoch) expect_hello_at(__LINE__, epoch)

static void expect_nothing_at(unsigned line)
{
	check_eq_at(__FILE__, line, at_host.count - at_host.next, 0, "more messages at the host");
	check_eq_at(__FILE__, line, at_core.count - at_core.next, 0, "more messages at the core");
}
#define EXPECT_NOTHING() expect_nothing_at(__LINE__)

static void error_at(unsigned line, struct pcie_rig *g, uint32_t want)
{
	check_eq_at(__FILE__, line, rig_get(g, HF_PCIE_ERROR), want, "ERROR");
	rig_set(g, HF_PCIE_ERROR, want);
	check_eq_at(__FILE__, line, rig_get(g, HF_PCIE_ERROR), 0, "ERROR after it was cleared");
}
#define EXPECT_ERROR(g, want) error_at(__LINE__, g, want)

static void settle(struct pcie_rig *g)
{
	rig_settle(g, 400000);
	CHECK(rig_poll(g, true) >= 0, "what is in the ring is no message");
}

/* A rig whose rings run, HELLO taken. */
static struct pcie_rig *open_rings(uint64_t seed, unsigned log2, uint64_t c2h, uint64_t h2c)
{
	struct pcie_rig *g = open_rig(seed);

	rig_rings(g, log2, c2h, h2c, STATUS);
	settle(g);
	EXPECT_HELLO(1);
	EXPECT_NOTHING();
	return g;
}

/* ---- raw TLPs ---- */

static void dw_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* Requester 00:1f.3 asks with this tag. */
static void tlp(struct pcie_rig *g, uint32_t dw0, uint32_t tag_enables, uint32_t dw2, unsigned more, uint32_t fill)
{
	uint8_t t[PCIE_TLP_MAX];

	dw_put(t, dw0);
	dw_put(t + 4, 0x00fb0000 | tag_enables);
	dw_put(t + 8, dw2);
	for (unsigned i = 0; i < more; i++)
		dw_put(t + 12 + 4 * (size_t)i, fill);
	CHECK_EQ(pcie_link_tlp(g->link, t, 12 + 4 * (size_t)more), 0, "TLP");
}

/* The next raw completion: its dwords and length. */
static void expect_completion_at(unsigned line, uint32_t dw0, uint32_t dw1, uint32_t dw2, size_t len)
{
	uint8_t want[12];

	if (!check_at(completions.next < completions.count, __FILE__, line, "no completion"))
		return;
	dw_put(want, dw0);
	dw_put(want + 4, dw1);
	dw_put(want + 8, dw2);
	check_eq_at(__FILE__, line, completions.len[completions.next], len, "bytes of the completion");
	check_bytes_at(__FILE__, line, "completion", completions.v[completions.next], 12, want, 12);
	completions.next++;
}
#define EXPECT_COMPLETION(dw0, dw1, dw2, len) expect_completion_at(__LINE__, dw0, dw1, dw2, len)

static void expect_silence_at(unsigned line)
{
	check_eq_at(__FILE__, line, completions.count - completions.next, 0, "completions of nothing");
}
#define EXPECT_SILENCE() expect_silence_at(__LINE__)

/* ---- BAR0 ---- */

static void registers_are_those_of_the_list(void)
{
	static const struct {
		const char *name;
		uint32_t offset, reset;
	} regs[] = {
#define REG(name, offset, reset, doc) { #name, offset, reset },
#define FIELD(reg, name, low, bits, access, doc)
#include "../regs/pcie.def"
#undef REG
#undef FIELD
	};
	enum { RO, RW, WO, W1C };
	static const struct {
		uint32_t offset, mask;
		int access;
	} fields[] = {
#define REG(name, offset, reset, doc)
#define FIELD(reg, name, low, bits, access, doc) \
	{ HF_PCIE_##reg, (uint32_t)(((UINT64_C(1) << (bits)) - 1) << (low)), access },
#include "../regs/pcie.def"
#undef REG
#undef FIELD
	};
	struct pcie_rig *g = open_rig(1);

	g->link->config.bus_master = false;
	for (size_t i = 0; i < COUNT(regs); i++) {
		check_context("%s", regs[i].name);
		/* The core's HELLO is discarded at once: one. */
		CHECK_EQ(rig_get(g, regs[i].offset), regs[i].reset + (regs[i].offset == HF_PCIE_DISCARDED),
			"after reset");
	}
	for (size_t i = 0; i < COUNT(regs); i++) {
		uint32_t writable = 0, keeps;

		check_context("%s", regs[i].name);
		for (size_t k = 0; k < COUNT(fields); k++)
			if (fields[k].offset == regs[i].offset && fields[k].access == RW)
				writable |= fields[k].mask;
		/* A doorbell of a ring that is off is refused; so is an address while a ring is on. */
		if (regs[i].offset == HF_PCIE_CTRL || regs[i].offset == HF_PCIE_C2H_HEAD ||
			regs[i].offset == HF_PCIE_H2C_TAIL)
			continue;
		keeps = writable ? 0 : rig_get(g, regs[i].offset);
		rig_set(g, regs[i].offset, 0xffffffff);
		CHECK_EQ(rig_get(g, regs[i].offset), writable | keeps, "all ones");
		rig_set(g, regs[i].offset, 0x5a5a5a5a);
		CHECK_EQ(rig_get(g, regs[i].offset), (0x5a5a5a5a & writable) | keeps, "a pattern");
		rig_set(g, regs[i].offset, 0);
		CHECK_EQ(rig_get(g, regs[i].offset), keeps, "all zeros");
	}
	check_context("%s", "");
	rig_set(g, HF_PCIE_CTRL, 0xfffffff7 & ~(C2H | H2C));
	CHECK_EQ(rig_get(g, HF_PCIE_CTRL), KEEP, "CTRL");
	CHECK_EQ(rig_get(g, 0x014), 0, "an offset without a register");
	CHECK_EQ(rig_get(g, 0xffc), 0, "the last offset");
	rig_set(g, 0x014, 1);
	EXPECT_ERROR(g, 0);
	g->link->config.bus_master = true;
	CHECK_EQ(rig_get(g, HF_PCIE_STATUS), 1u << HF_PCIE_STATUS_BUS_MASTER_LOW, "STATUS with Bus Master Enable");
	close_rig(g);
}

static void addresses_in_use_stay(void)
{
	static const uint32_t c2h[] = { HF_PCIE_C2H_BASE_LO, HF_PCIE_C2H_BASE_HI, HF_PCIE_C2H_SIZE },
			      h2c[] = { HF_PCIE_H2C_BASE_LO, HF_PCIE_H2C_BASE_HI, HF_PCIE_H2C_SIZE },
			      both[] = { HF_PCIE_STATUS_LO, HF_PCIE_STATUS_HI };
	struct pcie_rig *g = open_rings(2, 12, HIGH, LOW);
	uint32_t before;

	for (unsigned rings = 1; rings < 4; rings++) {
		rig_enable(g, 0);
		rig_enable(g, rings);
		settle(g);
		for (size_t i = 0; i < 3; i++) {
			before = rig_get(g, c2h[i]);
			rig_set(g, c2h[i], 0);
			CHECK_EQ(rig_get(g, c2h[i]), rings & C2H ? before : 0, "c2h");
			EXPECT_ERROR(g, rings & C2H ? BUSY : 0);
			rig_set(g, c2h[i], before);
			EXPECT_ERROR(g, rings & C2H ? BUSY : 0);
			before = rig_get(g, h2c[i]);
			rig_set(g, h2c[i], 0);
			CHECK_EQ(rig_get(g, h2c[i]), rings & H2C ? before : 0, "h2c");
			EXPECT_ERROR(g, rings & H2C ? BUSY : 0);
			rig_set(g, h2c[i], before);
			EXPECT_ERROR(g, rings & H2C ? BUSY : 0);
		}
		for (size_t i = 0; i < 2; i++) {
			before = rig_get(g, both[i]);
			rig_set(g, both[i], 0);
			CHECK_EQ(rig_get(g, both[i]), before, "status");
			EXPECT_ERROR(g, BUSY);
		}
	}
	/* A read outstanding: the ring is off, and active. */
	g->link->disorder.read_min = g->link->disorder.read_max = 2000;
	rig_enable(g, H2C);
	send(g, HF_MSG_COMMAND, 16, 1);
	rig_ring(g);
	rig_run(g, 50);
	rig_set(g, HF_PCIE_CTRL, 0);
	CHECK_EQ(rig_get(g, HF_PCIE_STATUS) & 3, 2, "active");
	rig_set(g, HF_PCIE_H2C_SIZE, 13);
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_SIZE), 12, "size");
	EXPECT_ERROR(g, BUSY);
	rig_run(g, 2000);
	CHECK_EQ(rig_get(g, HF_PCIE_STATUS) & 3, 0, "at rest");
	rig_set(g, HF_PCIE_H2C_SIZE, 13);
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_SIZE), 13, "size");
	EXPECT_ERROR(g, 0);
	close_rig(g);
}

static void reads_of_any_size_are_answered(void)
{
	struct pcie_rig *g = open_rig(3);
	uint8_t want[512], got[128];

	for (unsigned i = 0; i < 128; i++)
		g->regs[i] = 0x01010101 * i + 0x40302010;
	for (unsigned i = 0; i < sizeof want; i++)
		want[i] = (uint8_t)(g->regs[i / 4] >> 8 * (i % 4));
	for (unsigned offset = 0; offset < 8; offset++)
		for (unsigned len = 1; len + offset % 4 <= PCIE_READ_MAX; len += 1 + len / 8) {
			check_context("%u bytes at %u", len, offset);
			CHECK_EQ(pcie_link_read(g->link, offset, got, len), 0, "read");
			CHECK_BYTES("core", got, len, want + offset, len);
		}
	check_context("%s", "");
	CHECK_EQ(pcie_link_read(g->link, 0, got, PCIE_READ_MAX), 0, "64 bytes");
	CHECK_BYTES("core", got, PCIE_READ_MAX, want, PCIE_READ_MAX);
	CHECK_EQ(pcie_link_read(g->link, 0, got, PCIE_READ_MAX + 4), -EIO, "68 bytes");
	CHECK_EQ(pcie_link_read(g->link, 3, got, PCIE_READ_MAX), -EIO, "64 bytes in 17 dwords");
	CHECK_EQ(got[0] & got[66], 0xff, "all ones");
	CHECK_EQ(pcie_link_read(g->link, HF_PCIE_BASE, got, 8), 0, "endpoint");
	CHECK_EQ(get_le(got, 4), HF_PCIE_RESET_ID, "ID");
	CHECK_EQ(get_le(got + 4, 4), HF_PCIE_RESET_VERSION, "VERSION");
	CHECK_EQ(pcie_link_read(g->link, HF_PCIE_BASE + 1, got, 2), 0, "two bytes");
	CHECK_EQ(get_le(got, 2), HF_PCIE_RESET_ID >> 8 & 0xffff, "middle of ID");
	/* The last dword of the core's part that has a register, and the next. */
	CHECK_EQ(pcie_link_read(g->link, 4 * RIG_REGS - 4, got, 4), 0, "the last");
	CHECK_EQ(pcie_link_read(g->link, 4 * RIG_REGS - 4, got, 8), -EIO, "the last and one that is not");
	CHECK_EQ(pcie_link_read(g->link, 4 * RIG_REGS, got, 4), -EIO, "SLVERR");
	close_rig(g);
}

static void completions_say_what_was_asked(void)
{
	struct pcie_rig *g = open_rig(4);

	/* Traffic class 5, attributes ordering and no-snoop, tag 0x5a, bytes 1 to 2 of the first dword, 3 dwords. */
	tlp(g, 0x00500000 | 0x3000 | 3, 0x5a00 | 0x3e, 0x1000, 0, 0);
	rig_run(g, 100);
	EXPECT_COMPLETION(0x4a500000 | 0x3000 | 3, 0x01000000 | (3 * 4 - 1 - 2), 0x00fb5a01, 24);
	/* ID-based ordering. */
	tlp(g, 0x00040000 | 1, 0x010f, 0x1000, 0, 0);
	rig_run(g, 100);
	EXPECT_COMPLETION(0x4a040000 | 1, 0x01000004, 0x00fb0100, 16);
	/* Zero length: one dword, one byte; also where nothing is. */
	tlp(g, 0x00000001, 0x0200, 0x1004, 0, 0);
	tlp(g, 0x00000001, 0x0300, 0x8000, 0, 0);
	rig_run(g, 100);
	EXPECT_COMPLETION(0x4a000001, 0x01000001, 0x00fb0204, 16);
	CHECK_EQ(get_le(completions.v[completions.next - 1] + 12, 4), 0, "a zero-length read reads nothing");
	EXPECT_COMPLETION(0x4a000001, 0x01000001, 0x00fb0300, 16);
	/* A header of four dwords. */
	tlp(g, 0x20000001, 0x040f, 0, 1, 0x1000);
	rig_run(g, 100);
	EXPECT_COMPLETION(0x4a000001, 0x01000004, 0x00fb0400, 16);
	CHECK_EQ(get_le(completions.v[completions.next - 1] + 12, 4), HF_PCIE_RESET_ID, "ID");
	/* 68 bytes. Byte count and lower address are those of the request. */
	tlp(g, 0x00000011, 0x05ff, 0x1004, 0, 0);
	rig_run(g, 100);
	EXPECT_COMPLETION(0x0a000000, 0x01002044, 0x00fb0504, 12);
	tlp(g, 0x00000000, 0x06ff, 0x1000, 0, 0);
	rig_run(g, 100);
	EXPECT_COMPLETION(0x0a000000, 0x01002000, 0x00fb0600, 12);
	/* Each pattern of one dword's enables, 2.3.1.1 table 2-38. */
	for (unsigned be = 0; be < 16; be++) {
		static const uint8_t count[] = { 1, 1, 1, 2, 1, 3, 2, 3, 1, 4, 3, 4, 2, 4, 3, 4 },
				     low[] = { 0, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0 };
		tlp(g, 0x00000001, be, 0x1000, 0, 0);
		rig_run(g, 60);
		EXPECT_COMPLETION(0x4a000001, 0x01000000 | count[be], 0x00fb0000 | low[be], 16);
	}
	g->link->config.id = 0xc0de;
	tlp(g, 0x00000001, 0x080f, 0x1000, 0, 0);
	rig_run(g, 100);
	EXPECT_COMPLETION(0x4a000001, 0xc0de0004, 0x00fb0800, 16);
	EXPECT_SILENCE();
	EXPECT_ERROR(g, 0);
	close_rig(g);
}

static void writes_are_done_dword_by_dword(void)
{
	struct pcie_rig *g = open_rig(5);
	uint8_t data[256];
	uint32_t value;

	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 3 + 1);
	for (unsigned offset = 0; offset < 16; offset += 4)
		for (unsigned dwords = 1; dwords < 40; dwords += 1 + dwords / 4) {
			check_context("%u dwords at %u", dwords, offset);
			memset(g->regs, 0, sizeof g->regs);
			pcie_link_write(g->link, offset, data, 4 * (size_t)dwords);
			CHECK_EQ(pcie_link_get32(g->link, offset, &value), 0, "read behind");
			for (unsigned i = 0; i < 64; i++) {
				const bool in = i >= offset / 4 && i < offset / 4 + dwords;

				CHECK_EQ(g->regs[i], in ? get_le(data + 4 * (i - (size_t)offset / 4), 4) : 0,
					"register");
			}
		}
	check_context("%s", "");
	/* With a header of four dwords: even and odd lengths. */
	for (unsigned dwords = 1; dwords < 4; dwords++) {
		memset(g->regs, 0, sizeof g->regs);
		tlp(g, 0x60000000 | dwords, dwords == 1 ? 0x0f : 0xff, 0, 1 + dwords, 0x10);
		rig_run(g, 400);
		for (unsigned i = 0; i < 16; i++)
			CHECK_EQ(g->regs[i], i >= 4 && i < 4 + dwords ? 0x10000000 : 0, "register");
	}
	/* Refused by the core: nothing happens, the next is done. */
	pcie_link_set32(g->link, 4 * RIG_REGS, 1);
	pcie_link_set32(g->link, 8, 77);
	CHECK_EQ(pcie_link_get32(g->link, 8, &value), 0, "read");
	CHECK_EQ(value, 77, "value");
	EXPECT_ERROR(g, 0);
	/* Poisoned. */
	tlp(g, 0x40004001, 0x0f, 8, 1, 0x12345678);
	CHECK_EQ(pcie_link_get32(g->link, 8, &value), 0, "read");
	CHECK_EQ(value, 77, "a poisoned write");
	tlp(g, 0x40004005, 0xff, HF_PCIE_BASE + HF_PCIE_C2H_BASE_LO, 5, 0x12345678);
	tlp(g, 0x60004004, 0xff, 0, 5, HF_PCIE_BASE + HF_PCIE_C2H_BASE_LO);
	CHECK_EQ(rig_get(g, HF_PCIE_C2H_BASE_LO), 0, "a long poisoned write");
	EXPECT_ERROR(g, 0);
	close_rig(g);
}

static void partial_writes_are_for_the_table_only(void)
{
	struct pcie_rig *g = open_rig(6);
	const uint8_t one = 0xee;
	uint8_t back[4];
	uint32_t value;

	g->link->config.msix_enable = false;
	g->regs[4] = 0x11223344;
	for (unsigned at = 0; at < 4; at++) {
		pcie_link_write(g->link, 16 + at, &one, 1);
		EXPECT_ERROR(g, PARTIAL);
		rig_set(g, HF_PCIE_TIMEOUT, 0x01020304);
		pcie_link_write(g->link, HF_PCIE_BASE + HF_PCIE_TIMEOUT + at, &one, 1);
		EXPECT_ERROR(g, PARTIAL);
		CHECK_EQ(rig_get(g, HF_PCIE_TIMEOUT), 0x01020304, "TIMEOUT");
		pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 0x34, 0x44332211);
		pcie_link_write(g->link, HF_PCIE_MSIX_TABLE + 0x34 + at, &one, 1);
		CHECK_EQ(pcie_link_read(g->link, HF_PCIE_MSIX_TABLE + 0x34, back, 4), 0, "table");
		for (unsigned i = 0; i < 4; i++)
			CHECK_EQ(back[i], i == at ? 0xee : 0x11 * (i + 1), "byte of the table");
		EXPECT_ERROR(g, 0);
	}
	CHECK_EQ(pcie_link_get32(g->link, 16, &value), 0, "read");
	CHECK_EQ(value, 0x11223344, "core");
	/* No enables at all: nothing was to be written. */
	tlp(g, 0x40000001, 0x00, 16, 1, 0);
	EXPECT_ERROR(g, 0);
	/* The first and the last of a long write, not those between. */
	{
		uint8_t data[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

		g->regs[5] = g->regs[6] = 0;
		pcie_link_write(g->link, 18, data, 8);
		EXPECT_ERROR(g, PARTIAL);
		CHECK_EQ(g->regs[4], 0x11223344, "first");
		CHECK_EQ(g->regs[5], 0x06050403, "whole");
		CHECK_EQ(g->regs[6], 0, "last");
	}
	/* The mask of a vector is in the lowest byte of its control. */
	pcie_link_write(g->link, HF_PCIE_MSIX_TABLE + 13, &one, 1);
	CHECK_EQ(pcie_link_get32(g->link, HF_PCIE_MSIX_TABLE + 12, &value), 0, "control");
	CHECK_EQ(value, 0, "not masked by another byte");
	close_rig(g);
}

static void nothing_is_where_no_region_is(void)
{
	static const uint32_t holes[] = { 0x2080, 0x27fc, 0x2808, 0x2ffc, 0x3000, 0x8000, 0xfffc };
	struct pcie_rig *g = open_rig(7);
	uint32_t value;

	for (size_t i = 0; i < COUNT(holes); i++) {
		check_context("0x%x", holes[i]);
		CHECK_EQ(pcie_link_set32(g->link, holes[i], 0x5a5a5a5a), 0, "write");
		CHECK_EQ(pcie_link_get32(g->link, holes[i], &value), -EIO, "read");
		CHECK_EQ(value, 0xffffffff, "all ones");
	}
	check_context("%s", "");
	CHECK_EQ(pcie_link_get32(g->link, HF_PCIE_MSIX_PENDING, &value), 0, "pending bits");
	CHECK_EQ(value, 0, "none");
	pcie_link_set32(g->link, HF_PCIE_MSIX_PENDING, 0xff);
	CHECK_EQ(pcie_link_get32(g->link, HF_PCIE_MSIX_PENDING, &value), 0, "pending bits");
	CHECK_EQ(value, 0, "read only");
	CHECK_EQ(pcie_link_get32(g->link, HF_PCIE_MSIX_PENDING + 4, &value), 0, "their second dword");
	CHECK_EQ(value, 0, "none");
	EXPECT_ERROR(g, 0);
	close_rig(g);
}

static void other_requests_are_unsupported(void)
{
	static const struct {
		uint32_t dw0;
		unsigned data; /* dwords */
		bool locked;
	} asks[] = {
		{ 0x01000001, 0, true },  /* MRdLk */
		{ 0x02000001, 0, false }, /* IORd */
		{ 0x42000001, 1, false }, /* IOWr */
		{ 0x04000001, 0, false }, /* CfgRd0 */
		{ 0x44000001, 1, false }, /* CfgWr0 */
		{ 0x05000001, 0, false }, /* CfgRd1 */
		{ 0x45000001, 1, false }, /* CfgWr1 */
		{ 0x4c000001, 1, false }, /* FetchAdd */
		{ 0x4d000002, 2, false }, /* Swap */
		{ 0x4e000004, 4, false }, /* CAS */
	};
	struct pcie_rig *g = open_rig(8);

	for (size_t i = 0; i < COUNT(asks); i++) {
		check_context("type 0x%02x", asks[i].dw0 >> 24);
		tlp(g, asks[i].dw0, 0x7700 | (i >= 8 ? 0xff : 0x0f), 0x1000, asks[i].data, 0);
		rig_run(g, 60);
		EXPECT_COMPLETION(asks[i].locked ? 0x0b000000 : 0x0a000000, 0x01002004, 0x00fb7700, 12);
		CHECK_EQ(rig_get(g, HF_PCIE_ID), HF_PCIE_RESET_ID, "the next request");
	}
	/* Messages, with and without payload, to any of the routes. */
	for (unsigned route = 0; route < 8; route++) {
		check_context("message, route %u", route);
		tlp(g, 0x30000000 | route << 24, 0x14, 0, 1, 0);
		tlp(g, 0x70000001 | route << 24, 0x50, 0, 2, 0x12);
	}
	check_context("%s", "");
	EXPECT_ERROR(g, 0);
	EXPECT_SILENCE();
	close_rig(g);
}

static void malformed_tlps_are_dropped_whole(void)
{
	struct pcie_rig *g = open_rig(9);
	static const struct {
		uint32_t dw0, enables, dw2;
		unsigned more;
		const char *what;
	} bad[] = {
		{ 0x40000001, 0x0f, 0x1028, 0, "a write without its payload" },
		{ 0x40000001, 0x0f, 0x1028, 2, "a write with more than its payload" },
		{ 0x40000004, 0xff, 0x1020, 3, "a write cut short" },
		{ 0x40000004, 0xff, 0x1020, 9, "a write too long" },
		{ 0x40000000, 0xff, 0x1000, 9, "a write of 4 KiB cut short" },
		{ 0x00000001, 0x0f, 0x1000, 1, "a read with a payload" },
		{ 0x20000001, 0x0f, 0x0000, 0, "a read whose header is cut short" },
		{ 0x00000001, 0x1f, 0x1000, 0, "last byte enables of one dword" },
		{ 0x00000002, 0xf0, 0x1000, 0, "no first byte enables" },
		{ 0x00000002, 0x0f, 0x1000, 0, "no last byte enables" },
		{ 0x40000002, 0xff, 0x1ffc, 2, "a write across 4 KiB" },
		{ 0x00000010, 0xff, 0x0fc4, 0, "a read across 4 KiB" },
		{ 0x02000002, 0xff, 0x1000, 0, "I/O of two dwords" },
		{ 0x80000001, 0x0f, 0x1000, 0, "a prefix" },
		{ 0x1f000001, 0x0f, 0x1000, 0, "an unknown type" },
		{ 0x5b000001, 0x0f, 0x1000, 1, "an unknown type with payload" },
		{ 0x41000001, 0x0f, 0x1000, 1, "a locked write" },
		{ 0x50000001, 0x0f, 0x1000, 1, "a message of three dwords" },
		{ 0x4a000002, 0x08, 0x01000000, 1, "a completion cut short" },
	};
	const uint8_t half[8] = { 0 };

	rig_set(g, HF_PCIE_C2H_SIZE, 20);
	for (size_t i = 0; i < COUNT(bad); i++) {
		check_context("%s", bad[i].what);
		tlp(g, bad[i].dw0, bad[i].enables, bad[i].dw2, bad[i].more, 0x0d000000);
		EXPECT_ERROR(g, MALFORMED);
		CHECK_EQ(rig_get(g, HF_PCIE_C2H_SIZE), 20, "C2H_SIZE");
	}
	check_context("one beat");
	pcie_link_tlp(g->link, half, 8);
	EXPECT_ERROR(g, MALFORMED);
	pcie_link_tlp(g->link, half, 4);
	EXPECT_ERROR(g, MALFORMED);
	check_context("%s", "");
	CHECK_EQ(rig_get(g, HF_PCIE_C2H_BASE_LO), 0, "C2H_BASE_LO");
	CHECK_EQ(rig_get(g, HF_PCIE_UNEXPECTED), 0, "UNEXPECTED");
	EXPECT_SILENCE();
	close_rig(g);
}

static void a_core_that_does_not_answer_costs_nothing_else(void)
{
	struct pcie_rig *g = open_rig(10);
	uint32_t value;

	g->mute = true;
	CHECK_EQ(pcie_link_get32(g->link, 0, &value), -EIO, "read");
	CHECK_EQ(value, 0xffffffff, "all ones");
	g->mute = false;
	/* Its late answer is not taken for that of another. */
	CHECK_EQ(pcie_link_get32(g->link, 4, &value), -EIO, "the next read");
	pcie_link_set32(g->link, 4, 1);
	CHECK_EQ(rig_get(g, HF_PCIE_ID), HF_PCIE_RESET_ID, "ID");
	rig_set(g, HF_PCIE_CTRL, CORE_RESET);
	g->regs[1] = 0x1234;
	CHECK_EQ(pcie_link_get32(g->link, 4, &value), 0, "after a reset of the core");
	CHECK_EQ(value, 0x1234, "value");
	CHECK_EQ(g->resets, 2, "resets");
	EXPECT_ERROR(g, 0);
	close_rig(g);
}

/* ---- c2h ---- */

static void hello_comes_first(void)
{
	struct pcie_rig *g = open_rig(11);

	say(g, HF_MSG_EVENT, 128, 1);
	say(g, HF_MSG_FRAME, 100, 2);
	rig_run(g, 300);
	CHECK_EQ(rig_get(g, HF_PCIE_DISCARDED), 3, "discarded, HELLO among them");
	rig_rings(g, 12, HIGH, LOW, STATUS);
	settle(g);
	EXPECT_HELLO(1);
	EXPECT_NOTHING();
	say(g, HF_MSG_EVENT, 128, 3);
	settle(g);
	EXPECT_HOST(HF_MSG_EVENT, 128, 3);
	/* Again, by the copy that was kept. */
	rig_enable(g, 0);
	say(g, HF_MSG_FRAME, 77, 4);
	rig_run(g, 300);
	CHECK_EQ(rig_get(g, HF_PCIE_DISCARDED), 4, "discarded");
	rig_enable(g, C2H);
	say(g, HF_MSG_FRAME, 78, 5);
	settle(g);
	EXPECT_HELLO(1);
	EXPECT_HOST(HF_MSG_FRAME, 78, 5);
	EXPECT_NOTHING();
	/* A core that was reset and has not said HELLO: what it says before is not for the host. */
	rig_enable(g, 0);
	g->silent = true;
	rig_set(g, HF_PCIE_CTRL, CORE_RESET);
	rig_run(g, 300);
	rig_enable(g, C2H);
	say(g, HF_MSG_EVENT, 128, 6);
	say(g, HF_MSG_FRAME, 1538, 7);
	settle(g);
	EXPECT_NOTHING();
	CHECK_EQ(rig_get(g, HF_PCIE_DISCARDED), 6, "discarded");
	say(g, HF_MSG_HELLO, 40, 8);
	say(g, HF_MSG_EVENT, 128, 9);
	settle(g);
	EXPECT_HOST(HF_MSG_HELLO, 40, 8);
	EXPECT_HOST(HF_MSG_EVENT, 128, 9);
	EXPECT_NOTHING();
	close_rig(g);
}

static void messages_keep_their_bytes_and_order(void)
{
	static const uint64_t bases[] = { HIGH, LOW };

	for (size_t b = 0; b < COUNT(bases); b++) {
		struct pcie_rig *g = open_rings(20 + b, 13, bases[b], bases[1 - b]);
		uint32_t seed = 0;

		g->say_gap = b ? 100 : 0;
		for (unsigned round = 0; round < 12; round++) {
			const uint32_t first = seed;

			for (size_t len = 16 + round; len < 700; len += 45 + round)
				say(g, seed % 3 ? HF_MSG_FRAME : HF_MSG_EVENT, len, seed), seed++;
			while (rig_unsaid(g)) {
				rig_run(g, 200);
				CHECK(rig_poll(g, true) >= 0, "no message");
			}
			settle(g);
			seed = first;
			for (size_t len = 16 + round; len < 700; len += 45 + round)
				EXPECT_HOST(seed % 3 ? HF_MSG_FRAME : HF_MSG_EVENT, len, seed), seed++;
			EXPECT_NOTHING();
		}
		CHECK_EQ(rig_get(g, HF_PCIE_C2H_TAIL), g->c2h_head, "C2H_TAIL");
		CHECK_EQ(rig_get(g, HF_PCIE_C2H_HEAD), g->c2h_head, "C2H_HEAD");
		CHECK_EQ(rig_get(g, HF_PCIE_WRITES), g->link->writes + g->link->messages, "WRITES");
		CHECK(g->c2h_head > 4 * g->c2h.size, "the ring did not wrap");
		close_rig(g);
	}
}

static uint64_t largest[2]; /* bytes of the largest write, read request */

static void on_tlp(void *ctx, const uint8_t *t, size_t len, uint64_t clock)
{
	const size_t dwords = (size_t)(t[2] & 3) << 8 | t[3];

	(void)ctx, (void)len, (void)clock;
	if ((t[0] & 0x1f) == 0 && 4 * dwords > largest[!(t[0] & 0x40)])
		largest[!(t[0] & 0x40)] = dwords ? 4 * dwords : 4096;
}

static void requests_are_as_large_as_allowed(void)
{
	for (unsigned code = 0; code < 8; code++) {
		/* Reserved codes mean the least; reads end at 512, what a tag holds. */
		const size_t most = code > 5 ? 128 : (size_t)128 << code;
		struct pcie_rig *g = open_rig(30 + code);
		uint32_t seed = 0;

		check_context("code %u", code);
		g->link->config.max_payload = g->link->config.max_read = code;
		pcie_link_on_tlp(g->link, on_tlp, NULL);
		largest[0] = largest[1] = 0;
		rig_rings(g, 14, code & 1 ? HIGH : LOW, code & 1 ? LOW : HIGH, STATUS);
		settle(g);
		EXPECT_HELLO(1);
		/* So that much is there when there is leave to send. */
		g->link->config.bus_master = false;
		for (unsigned i = 0; i < 8; i++)
			say(g, HF_MSG_FRAME, 900, seed + i), send(g, HF_MSG_FRAME, 900, seed + i);
		rig_ring(g);
		rig_run(g, 2000);
		g->link->config.bus_master = true;
		settle(g);
		for (unsigned i = 0; i < 8; i++) {
			EXPECT_HOST(HF_MSG_FRAME, 900, i);
			EXPECT_CORE(HF_MSG_FRAME, 900, i);
		}
		/* 4 KiB are only written at once where all of a page is there: the tail stood at 40. */
		CHECK(largest[0] == (most < 4096 ? most : 4096 - 40), "largest write %u", (unsigned)largest[0]);
		CHECK_EQ(largest[1], most < 512 ? most : 512, "largest read");
		close_rig(g);
	}
	check_context("%s", "");
}

static void a_full_ring_waits(void)
{
	struct pcie_rig *g = open_rings(40, 12, LOW, HIGH);
	uint32_t said = 0, heard = 0;

	/* The host consumes nothing: the card fills what there is to the last beat, and stops. */
	for (; said < 40; said++)
		say(g, HF_MSG_FRAME, 504, said);
	rig_settle(g, 20000);
	CHECK_EQ(rig_get(g, HF_PCIE_C2H_TAIL) - g->c2h_head, 4096, "bytes in a full ring");
	CHECK(rig_unsaid(g) > 0, "the core is not held");
	CHECK_EQ(rig_status(g, 0), rig_get(g, HF_PCIE_C2H_TAIL), "the status block tells it");
	/* One message is taken at a time, the doorbell rung for each. */
	while (heard < said) {
		const uint32_t before = g->c2h_head;

		CHECK(rig_poll(g, false) >= 0, "no message");
		CHECK(g->c2h_head != before, "nothing more comes");
		if (g->c2h_head == before)
			break;
		heard = (uint32_t)(at_host.count - 1);
		rig_set(g, HF_PCIE_C2H_HEAD, before + 8);
		rig_run(g, 800);
		CHECK(rig_get(g, HF_PCIE_C2H_TAIL) - before <= 4096 + 8, "beyond head and size");
		rig_set(g, HF_PCIE_C2H_HEAD, g->c2h_head);
		rig_run(g, 1200);
	}
	for (uint32_t i = 0; i < said; i++)
		EXPECT_HOST(HF_MSG_FRAME, 504, i);
	EXPECT_NOTHING();
	EXPECT_ERROR(g, 0);
	close_rig(g);
}

static void sizes_are_clamped(void)
{
	static const struct {
		uint32_t log2, bytes;
	} sizes[] = { { 0, 4096 }, { 11, 4096 }, { 12, 4096 }, { 13, 8192 }, { 22, 1u << 22 }, { 23, 1u << 22 },
		{ 31, 1u << 22 } };
	struct pcie_rig *g = open_rings(41, 22, HIGH, LOW);

	for (size_t i = 0; i < COUNT(sizes); i++) {
		check_context("log2 %u", sizes[i].log2);
		rig_enable(g, 0);
		rig_set(g, HF_PCIE_C2H_SIZE, sizes[i].log2);
		rig_set(g, HF_PCIE_H2C_SIZE, sizes[i].log2);
		rig_enable(g, H2C);
		g->link->config.bus_master = false;
		/* As far ahead as the size, not 8 further. */
		rig_set(g, HF_PCIE_H2C_TAIL, sizes[i].bytes + 8);
		EXPECT_ERROR(g, INDEX);
		CHECK_EQ(rig_get(g, HF_PCIE_H2C_TAIL), 0, "H2C_TAIL");
		rig_set(g, HF_PCIE_H2C_TAIL, sizes[i].bytes);
		EXPECT_ERROR(g, 0);
		CHECK_EQ(rig_get(g, HF_PCIE_H2C_TAIL), sizes[i].bytes, "H2C_TAIL");
		rig_enable(g, 0);
		g->link->config.bus_master = true;
	}
	check_context("%s", "");
	close_rig(g);
}

static void disabling_ends_at_a_whole_tlp(void)
{
	for (unsigned when = 0; when < 40; when++) {
		struct pcie_rig *g = open_rings(200 + when, 14, when & 1 ? HIGH : LOW, LOW + 0x100000);
		uint64_t writes;

		g->link->disorder.tx_stall = 100;
		for (unsigned i = 0; i < 6; i++)
			say(g, HF_MSG_FRAME, 1000, i);
		rig_run(g, 150 + 3 * when);
		rig_set(g, HF_PCIE_CTRL, 0);
		while (rig_get(g, HF_PCIE_STATUS) & 3)
			;
		writes = g->link->writes;
		rig_run(g, 2000);
		CHECK_EQ(g->link->writes, writes, "writes after it was at rest");
		CHECK_EQ(rig_unsaid(g), 0, "beats not discarded");
		/* Whole messages from the next one on. */
		heard_clear(&at_host);
		rig_enable(g, C2H | H2C);
		say(g, HF_MSG_FRAME, 333, 7);
		settle(g);
		EXPECT_HELLO(1);
		EXPECT_HOST(HF_MSG_FRAME, 333, 7);
		EXPECT_NOTHING();
		close_rig(g);
	}
}

/* The core is in the middle of a message when the ring is enabled: the rest of it is not for the host. */
static void enabled_in_the_middle_of_a_message(void)
{
	struct pcie_rig *g = open_rings(43, 14, LOW, HIGH);

	for (unsigned when = 0; when < 60; when++) {
		check_context("moment %u", when);
		rig_enable(g, 0);
		heard_clear(&at_host);
		g->say_gap = (uint8_t)(when * 3);
		say(g, HF_MSG_FRAME, 1500, 1);
		say(g, HF_MSG_FRAME, 1500, 2);
		rig_run(g, 220 + when * 7);
		rig_enable(g, C2H | H2C);
		say(g, HF_MSG_EVENT, 128, 3);
		settle(g);
		EXPECT_HELLO(1);
		/* The last n of what was said, whole. */
		for (size_t left = at_host.count - at_host.next; left > 1 && left < 4; left--)
			EXPECT_HOST(HF_MSG_FRAME, 1500, (uint32_t)(4 - left));
		EXPECT_HOST(HF_MSG_EVENT, 128, 3);
		EXPECT_NOTHING();
	}
	check_context("%s", "");
	close_rig(g);
}

static void enabled_again_while_active(void)
{
	struct pcie_rig *g = open_rings(42, 12, LOW, HIGH);

	g->link->disorder.read_min = g->link->disorder.read_max = 1500;
	send(g, HF_MSG_COMMAND, 600, 1);
	rig_ring(g);
	rig_run(g, 50);
	rig_set(g, HF_PCIE_CTRL, 0);
	rig_set(g, HF_PCIE_CTRL, C2H | H2C);
	/* h2c waits for its old reads: a doorbell is refused until then. */
	rig_set(g, HF_PCIE_H2C_TAIL, 16);
	EXPECT_ERROR(g, INDEX);
	rig_run(g, 2000);
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_HEAD), 0, "H2C_HEAD");
	g->h2c_tail = g->c2h_head = 0;
	memset(g->status.bytes, 0, 16);
	send(g, HF_MSG_COMMAND, 128, 2);
	rig_ring(g);
	rig_settle(g, 30000);
	EXPECT_CORE(HF_MSG_COMMAND, 128, 2);
	CHECK_EQ(rig_status(g, 1), 128, "H2C_HEAD");
	CHECK_EQ(rig_status(g, 0), 40, "C2H_TAIL");
	close_rig(g);
}

/* ---- doorbells ---- */

static void impossible_doorbells_are_ignored(void)
{
	struct pcie_rig *g = open_rig(50);

	/* Both off. */
	rig_set(g, HF_PCIE_H2C_TAIL, 16);
	EXPECT_ERROR(g, INDEX);
	rig_set(g, HF_PCIE_C2H_HEAD, 0);
	EXPECT_ERROR(g, INDEX);
	rig_rings(g, 12, HIGH, LOW, STATUS);
	settle(g);
	rig_set(g, HF_PCIE_C2H_HEAD, 40);
	EXPECT_ERROR(g, 0);
	rig_set(g, HF_PCIE_C2H_HEAD, 44);
	EXPECT_ERROR(g, INDEX);
	rig_set(g, HF_PCIE_C2H_HEAD, 48);
	EXPECT_ERROR(g, INDEX);
	rig_set(g, HF_PCIE_C2H_HEAD, 32);
	EXPECT_ERROR(g, INDEX);
	rig_set(g, HF_PCIE_C2H_HEAD, 0xfffffff8);
	EXPECT_ERROR(g, INDEX);
	CHECK_EQ(rig_get(g, HF_PCIE_C2H_HEAD), 40, "C2H_HEAD");
	send(g, HF_MSG_COMMAND, 64, 1);
	rig_ring(g);
	settle(g);
	EXPECT_CORE(HF_MSG_COMMAND, 64, 1);
	for (unsigned i = 1; i < 8; i++) {
		rig_set(g, HF_PCIE_H2C_TAIL, 64 + i);
		EXPECT_ERROR(g, INDEX);
	}
	rig_set(g, HF_PCIE_H2C_TAIL, 56);
	EXPECT_ERROR(g, INDEX);
	rig_set(g, HF_PCIE_H2C_TAIL, 64 + 4096 + 8);
	EXPECT_ERROR(g, INDEX);
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_TAIL), 64, "H2C_TAIL");
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_HEAD), 64, "H2C_HEAD");
	rig_set(g, HF_PCIE_H2C_TAIL, 64);
	EXPECT_ERROR(g, 0);
	/* Back, but not behind what was read. */
	g->link->config.bus_master = false;
	send(g, HF_MSG_COMMAND, 64, 2);
	rig_ring(g);
	rig_set(g, HF_PCIE_H2C_TAIL, 96);
	EXPECT_ERROR(g, INDEX);
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_TAIL), 128, "H2C_TAIL");
	g->link->config.bus_master = true;
	settle(g);
	EXPECT_CORE(HF_MSG_COMMAND, 64, 2);
	/* The status block has told of them, and vector 2. */
	rig_set(g, HF_PCIE_C2H_HEAD, 4);
	rig_run(g, 2000);
	CHECK_EQ(rig_status(g, 2), INDEX, "ERROR in the status block");
	CHECK(g->msi[2] > 0, "no interrupt");
	EXPECT_ERROR(g, INDEX);
	rig_run(g, 2000);
	CHECK_EQ(rig_status(g, 2), 0, "ERROR in the status block");
	close_rig(g);
}

/* ---- h2c ---- */

static void commands_reach_the_core(void)
{
	static const struct pcie_disorder disorders[] = {
		{ 0 },
		{ .read_min = 50, .read_max = 50 },
		{ .read_max = 600, .reorder = 200 },
		{ .read_max = 300, .split = 256 - 1 },
		{ .read_max = 500, .reorder = 200, .split = 128, .rx_bubble = 100, .tx_stall = 100 },
	};

	for (size_t d = 0; d < COUNT(disorders); d++)
		for (unsigned code = 0; code < 3; code++) {
			struct pcie_rig *g = open_rings(60 + d, 13, d & 1 ? HIGH : LOW, d & 1 ? LOW : HIGH);
			uint32_t seed = 0, seen = 0;

			check_context("disorder %zu, code %u", d, code);
			g->link->config.max_payload = g->link->config.max_read = code;
			g->link->disorder = disorders[d];
			g->h2c_stall = d & 1 ? 100 : 0;
			while (seed < 120 || seen < seed) {
				uint8_t msg[RIG_MESSAGE_MAX];

				while (seed < 120 &&
					rig_send(g, msg, rig_message(msg, HF_MSG_FRAME, 16 + seed * 97 % 1530, seed)))
					seed++;
				rig_ring(g);
				rig_run(g, 1000);
				if (at_core.count == seen)
					break;
				seen = (uint32_t)at_core.count;
			}
			rig_settle(g, 100000);
			for (uint32_t i = 0; i < seed; i++)
				EXPECT_CORE(HF_MSG_FRAME, 16 + i * 97 % 1530, i);
			EXPECT_NOTHING();
			CHECK_EQ(rig_status(g, 1), g->h2c_tail, "H2C_HEAD");
			CHECK_EQ(rig_get(g, HF_PCIE_READS), g->link->reads, "READS");
			CHECK(g->h2c_tail > 4 * g->h2c.size, "the ring did not wrap");
			CHECK(g->msi[0] > 0, "no interrupt when the ring was empty");
			EXPECT_ERROR(g, 0);
			close_rig(g);
		}
	check_context("%s", "");
}

static void several_reads_are_outstanding(void)
{
	struct pcie_rig *g = open_rings(70, 14, LOW, HIGH);

	g->link->disorder.read_min = g->link->disorder.read_max = 3000;
	for (unsigned i = 0; i < 6; i++)
		send(g, HF_MSG_FRAME, 1000, i);
	rig_ring(g);
	rig_run(g, 300);
	CHECK_EQ(g->link->reads, 8, "reads at once");
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_HEAD), 0, "H2C_HEAD before anything came");
	g->link->disorder.read_min = g->link->disorder.read_max = 0;
	rig_settle(g, 30000);
	for (unsigned i = 0; i < 6; i++)
		EXPECT_CORE(HF_MSG_FRAME, 1000, i);
	close_rig(g);
}

/* After an error: stopped, until disabled and enabled. */
static void restart(struct pcie_rig *g)
{
	const uint64_t reads = g->link->reads;

	rig_set(g, HF_PCIE_H2C_TAIL, rig_get(g, HF_PCIE_H2C_TAIL));
	rig_get(g, HF_PCIE_ID);
	CHECK(rig_get(g, HF_PCIE_ERROR) & INDEX, "a doorbell while it is stopped");
	rig_set(g, HF_PCIE_ERROR, 0x7f);
	rig_run(g, 2000);
	CHECK_EQ(g->link->reads, reads, "reads while it is stopped");
	CHECK_EQ(rig_get(g, HF_PCIE_STATUS) & 2, 2, "enabled");
	g->link->disorder = (struct pcie_disorder){ 0 };
	rig_set(g, HF_PCIE_CTRL, C2H);
	rig_run(g, 100);
	CHECK_EQ(rig_get(g, HF_PCIE_STATUS) & 2, 0, "at rest");
	heard_clear(&at_core);
	g->h2c_tail = 0;
	rig_set(g, HF_PCIE_CTRL, C2H | H2C);
	rig_run(g, 2000);
	send(g, HF_MSG_COMMAND, 128, 99);
	rig_ring(g);
	rig_settle(g, 100000);
	EXPECT_CORE(HF_MSG_COMMAND, 128, 99);
	EXPECT_NOTHING();
	EXPECT_ERROR(g, 0);
}

static void a_short_message_stops_h2c(void)
{
	for (unsigned len = 0; len < 17; len++) {
		struct pcie_rig *g = open_rings(80, 12, LOW, HIGH);
		uint8_t msg[16] = { HF_MSG_COMMAND, 0, (uint8_t)len };

		check_context("length %u", len);
		send(g, HF_MSG_COMMAND, 24, 1);
		CHECK(rig_send(g, msg, sizeof msg), "no room");
		send(g, HF_MSG_COMMAND, 24, 2);
		rig_ring(g);
		rig_settle(g, 20000);
		EXPECT_CORE(HF_MSG_COMMAND, 24, 1);
		if (len == 16) {
			CHECK_EQ(at_core.count, 3, "messages");
		} else {
			EXPECT_NOTHING();
			CHECK_EQ(rig_status(g, 2), SHORT, "ERROR in the status block");
			CHECK_EQ(g->msi[2], 1, "interrupts");
			EXPECT_ERROR(g, SHORT);
			restart(g);
		}
		close_rig(g);
	}
	check_context("%s", "");
}

static void a_read_that_fails_stops_h2c(void)
{
	static const struct {
		struct pcie_disorder disorder;
		uint32_t error;
	} rows[] = {
		{ { .drop = 255 }, LATE },
		{ { .refuse = 255 }, BAD },
		{ { .poison = 255 }, BAD },
		{ { .poison = 255, .split = 255 }, BAD },
		{ { .drop = 100, .read_max = 100, .reorder = 128 }, LATE },
		{ { .refuse = 100, .read_max = 100, .reorder = 128 }, BAD },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pcie_rig *g = open_rings(90 + i, 13, LOW, HIGH);
		uint64_t begun;

		check_context("row %zu", i);
		rig_set(g, HF_PCIE_TIMEOUT, 5000);
		g->link->disorder = rows[i].disorder;
		for (unsigned k = 0; k < 6; k++)
			send(g, HF_MSG_COMMAND, 1000, k);
		rig_ring(g);
		begun = g->link->clocks;
		while (!(rig_get(g, HF_PCIE_ERROR)) && g->link->clocks - begun < 20000)
			;
		if (rows[i].error == LATE)
			CHECK(g->link->clocks - begun > 5000, "given up after %llu",
				(unsigned long long)(g->link->clocks - begun));
		CHECK(g->link->clocks - begun < 6500, "given up after %llu",
			(unsigned long long)(g->link->clocks - begun));
		CHECK_EQ(rig_get(g, HF_PCIE_ERROR) & rows[i].error, rows[i].error, "ERROR");
		rig_run(g, 8000);
		/* No message came that was not sent; the one that was cut has another length than it says. */
		for (size_t k = 0; k < at_core.count; k++) {
			uint8_t msg[RIG_MESSAGE_MAX];

			rig_message(msg, HF_MSG_COMMAND, 1000, (uint32_t)k);
			if (at_core.len[k] == 1000)
				CHECK(!memcmp(msg, at_core.v[k], 1000), "message %zu", k);
			else
				CHECK_EQ(k, at_core.count - 1, "the one that was cut is the last");
		}
		restart(g);
		g->link->refused = 0; /* those that it was told to refuse */
		close_rig(g);
	}
	check_context("%s", "");
}

static void late_and_unknown_completions_are_counted(void)
{
	struct pcie_rig *g = open_rings(100, 12, LOW, HIGH);
	uint8_t cpl[12 + 64];
	uint32_t before;

	rig_set(g, HF_PCIE_TIMEOUT, 1000);
	g->link->disorder.drop = 255;
	send(g, HF_MSG_COMMAND, 64, 1);
	rig_ring(g);
	rig_run(g, 1500);
	CHECK_EQ(rig_get(g, HF_PCIE_ERROR), LATE, "ERROR");
	CHECK_EQ(rig_get(g, HF_PCIE_UNEXPECTED), 0, "UNEXPECTED");
	/* Any tag, any status, with data or without; then ours for somebody else. */
	memset(cpl, 0x77, sizeof cpl);
	for (unsigned tag = 0; tag < 256; tag += 1 + (tag > 40) * 50) {
		dw_put(cpl, 0x4a000010);
		dw_put(cpl + 4, 64);
		dw_put(cpl + 8, 0x01000000 | tag << 8);
		before = rig_get(g, HF_PCIE_UNEXPECTED);
		pcie_link_tlp(g->link, cpl, sizeof cpl);
		dw_put(cpl, 0x0a000000);
		dw_put(cpl + 4, 64 | 0x2000);
		pcie_link_tlp(g->link, cpl, 12);
		CHECK_EQ(rig_get(g, HF_PCIE_UNEXPECTED), before + 2, "UNEXPECTED");
	}
	restart(g);
	/* The tag of the outstanding read, but another requester; the same read is then answered. */
	g->link->disorder.read_min = g->link->disorder.read_max = 500;
	send(g, HF_MSG_COMMAND, 64, 5);
	rig_ring(g);
	before = rig_get(g, HF_PCIE_UNEXPECTED);
	for (unsigned tag = 0; tag < 32; tag++) {
		dw_put(cpl, 0x4a000010);
		dw_put(cpl + 4, 64);
		dw_put(cpl + 8, 0x02000000 | tag << 8);
		pcie_link_tlp(g->link, cpl, sizeof cpl);
	}
	CHECK_EQ(rig_get(g, HF_PCIE_UNEXPECTED), before + 32, "UNEXPECTED");
	rig_settle(g, 30000);
	EXPECT_CORE(HF_MSG_COMMAND, 64, 5);
	EXPECT_NOTHING();
	EXPECT_ERROR(g, 0);
	close_rig(g);
}

/* A completion that comes when its read was given up, and another has its place. */
static void a_completion_of_an_older_read_is_not_taken(void)
{
	struct pcie_rig *g = open_rings(105, 12, LOW, HIGH);
	uint8_t cpl[12 + 64];

	memset(cpl, 0x5e, sizeof cpl);
	/* Nine reads: the tenth's slot is that of the second. */
	for (unsigned i = 0; i < 9; i++) {
		send(g, HF_MSG_COMMAND, 64, i);
		rig_ring(g);
		rig_settle(g, 20000);
		EXPECT_CORE(HF_MSG_COMMAND, 64, i);
	}
	g->link->disorder.read_min = g->link->disorder.read_max = 3000;
	send(g, HF_MSG_COMMAND, 64, 10);
	rig_ring(g);
	rig_run(g, 100);
	for (unsigned tag = 0; tag < 32; tag++)
		if (tag != 9) {
			dw_put(cpl, 0x4a000010);
			dw_put(cpl + 4, 64);
			dw_put(cpl + 8, 0x01000000 | tag << 8 | (9 * 64 & 0x7f));
			pcie_link_tlp(g->link, cpl, sizeof cpl);
		}
	rig_run(g, 600);
	CHECK_EQ(rig_get(g, HF_PCIE_UNEXPECTED), 31, "UNEXPECTED");
	rig_settle(g, 20000);
	EXPECT_CORE(HF_MSG_COMMAND, 64, 10);
	EXPECT_NOTHING();
	EXPECT_ERROR(g, 0);
	close_rig(g);
}

static uint8_t last_read[16];

static void remember_read(void *ctx, const uint8_t *t, size_t len, uint64_t clock)
{
	(void)ctx, (void)clock;
	if ((t[0] & 0x5f) == 0)
		memcpy(last_read, t, len < 16 ? len : 16);
}

/* A completion of the outstanding read that does not fit it is dropped, and the read still waits for the right one. */
static void completions_that_do_not_fit_are_dropped(void)
{
	static const struct {
		uint32_t dwords, bytes, lower, data;
		const char *what;
	} bad[] = {
		{ 16, 60, 0, 16, "byte count too small" },
		{ 16, 128, 0, 16, "byte count too large" },
		{ 16, 64, 64, 16, "another address" },
		{ 18, 64, 0, 18, "more than was asked for" },
		{ 3, 64, 0, 3, "half a beat" },
		{ 0, 64, 0, 1024, "4 KiB" },
		{ 0, 64, 0, 0, "success without data" },
	};
	uint8_t cpl[12 + 4096];
	struct pcie_rig *g = open_rings(110, 12, LOW, HIGH);

	pcie_link_on_tlp(g->link, remember_read, NULL);
	memset(cpl, 0x99, sizeof cpl);
	for (size_t i = 0; i < COUNT(bad); i++) {
		check_context("%s", bad[i].what);
		g->link->disorder.read_min = g->link->disorder.read_max = 4000;
		/* Each message begins where the ring's address is a multiple of 64. */
		send(g, HF_MSG_COMMAND, 64, (uint32_t)i);
		rig_ring(g);
		rig_run(g, 100);
		dw_put(cpl, (bad[i].data ? 0x4a000000 : 0x0a000000) | bad[i].dwords);
		dw_put(cpl + 4, bad[i].bytes);
		dw_put(cpl + 8, 0x01000000 | (uint32_t)last_read[6] << 8 | ((last_read[15] & 0x7f) ^ bad[i].lower));
		pcie_link_tlp(g->link, cpl, 12 + 4 * (size_t)bad[i].data);
		rig_run(g, 800);
		EXPECT_ERROR(g, MALFORMED);
		g->link->disorder.read_min = g->link->disorder.read_max = 0;
		rig_settle(g, 30000);
		EXPECT_CORE(HF_MSG_COMMAND, 64, (uint32_t)i);
		EXPECT_NOTHING();
	}
	check_context("%s", "");
	CHECK_EQ(rig_get(g, HF_PCIE_UNEXPECTED), 0, "UNEXPECTED");
	close_rig(g);
}

static void a_message_broken_off_has_another_length(void)
{
	/* 1 to 9 beats of a message of 10 are in the ring when it is disabled. */
	for (unsigned beats = 1; beats < 10; beats++) {
		struct pcie_rig *g = open_rings(120 + beats, 12, LOW, HIGH);

		check_context("%u beats of 10", beats);
		send(g, HF_MSG_COMMAND, 80, 1);
		rig_set(g, HF_PCIE_H2C_TAIL, 8 * beats);
		rig_settle(g, 20000);
		CHECK_EQ(at_core.count, 0, "messages");
		rig_set(g, HF_PCIE_CTRL, 0);
		rig_run(g, 200);
		CHECK_EQ(at_core.count, 1, "messages");
		if (at_core.count)
			CHECK(at_core.len[0] != 80, "it is as long as it says");
		heard_clear(&at_core);
		rig_enable(g, H2C);
		send(g, HF_MSG_COMMAND, 24, 2);
		rig_ring(g);
		rig_settle(g, 20000);
		EXPECT_CORE(HF_MSG_COMMAND, 24, 2);
		EXPECT_NOTHING();
		close_rig(g);
	}
	check_context("%s", "");
}

/* ---- the link ---- */

static void credits_are_kept_to(void)
{
	static const struct {
		unsigned ph, pd, nph, delay;
	} rows[] = { { 1, 8, 1, 0 }, { 1, 8, 1, 50 }, { 2, 9, 2, 20 }, { 4, 64, 3, 100 }, { 255, 16, 255, 10 },
		{ 1, 4095, 1, 7 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pcie_rig *g = open_rings(130 + i, 13, LOW, HIGH);
		uint32_t seed;

		check_context("row %zu", i);
		g->link->config.ph = rows[i].ph;
		g->link->config.pd = rows[i].pd;
		g->link->config.nph = rows[i].nph;
		g->link->config.credit_delay = rows[i].delay;
		g->link->disorder = (struct pcie_disorder){ .read_max = 100, .tx_stall = 60 };
		for (seed = 0; seed < 8; seed++) {
			say(g, HF_MSG_FRAME, 700, seed);
			send(g, HF_MSG_FRAME, 700, seed);
		}
		rig_ring(g);
		settle(g);
		for (seed = 0; seed < 8; seed++) {
			EXPECT_HOST(HF_MSG_FRAME, 700, seed);
			EXPECT_CORE(HF_MSG_FRAME, 700, seed);
		}
		close_rig(g);
	}
	check_context("%s", "");
	{ /* Without any, completions go all the same; the rest waits. */
		struct pcie_rig *g = open_rings(140, 12, HIGH, LOW);
		const uint64_t writes = g->link->writes, reads = g->link->reads;

		g->link->config.ph = g->link->config.nph = 0;
		say(g, HF_MSG_EVENT, 128, 1);
		send(g, HF_MSG_COMMAND, 16, 1);
		rig_ring(g);
		rig_run(g, 500);
		CHECK_EQ(rig_get(g, HF_PCIE_ID), HF_PCIE_RESET_ID, "ID");
		CHECK_EQ(g->link->writes + g->link->reads, writes + reads, "requests");
		g->link->config.ph = 255;
		g->link->config.pd = 7; /* a read now has to wait for its own kind, a write for data */
		rig_run(g, 500);
		CHECK_EQ(g->link->writes + g->link->reads, writes + reads, "requests");
		g->link->config.nph = 1;
		rig_run(g, 2500);
		CHECK_EQ(g->link->reads, reads + 1, "reads");
		EXPECT_CORE(HF_MSG_COMMAND, 16, 1);
		g->link->config.pd = 8;
		settle(g);
		EXPECT_HOST(HF_MSG_EVENT, 128, 1);
		close_rig(g);
	}
}

static void nothing_without_bus_master_enable(void)
{
	struct pcie_rig *g = open_rig(150);

	g->link->config.bus_master = false;
	rig_rings(g, 12, HIGH, LOW, STATUS);
	say(g, HF_MSG_EVENT, 128, 1);
	send(g, HF_MSG_COMMAND, 16, 1);
	rig_ring(g);
	rig_run(g, 3000);
	CHECK_EQ(g->link->writes + g->link->reads + g->link->messages, 0, "requests");
	CHECK_EQ(rig_get(g, HF_PCIE_C2H_TAIL), 0, "C2H_TAIL");
	CHECK_EQ(rig_get(g, HF_PCIE_STATUS), 3, "STATUS");
	g->link->config.bus_master = true;
	settle(g);
	EXPECT_HELLO(1);
	EXPECT_HOST(HF_MSG_EVENT, 128, 1);
	EXPECT_CORE(HF_MSG_COMMAND, 16, 1);
	/* Off and on at random moments: the link sees that nothing begins while it is off. */
	g->link->disorder = (struct pcie_disorder){ .read_max = 100, .tx_stall = 60 };
	for (unsigned i = 0; i < 200; i++) {
		uint8_t msg[400];

		say(g, HF_MSG_FRAME, 300, i);
		rig_send(g, msg, rig_message(msg, HF_MSG_FRAME, 300, i));
		rig_ring(g);
		g->link->config.bus_master = !g->link->config.bus_master;
		rig_run(g, 7 + i % 50);
		rig_poll(g, true);
	}
	g->link->config.bus_master = true;
	for (unsigned i = 0; i < 40; i++) {
		rig_run(g, 2000);
		CHECK(rig_poll(g, true) >= 0, "what is in the ring is no message");
	}
	for (unsigned i = 0; i < 200; i++)
		EXPECT_HOST(HF_MSG_FRAME, 300, i);
	close_rig(g);
}

/* ---- status block and interrupts ---- */

static struct {
	uint64_t data, status, msi; /* clocks of the last of each */
	unsigned early;		    /* a status block before its data, an interrupt before its block */
	uint32_t tail;
} order;

static void watch_order(void *ctx, const uint8_t *t, size_t len, uint64_t clock)
{
	struct pcie_rig *g = ctx;
	const bool four = t[0] & 0x20;
	const size_t header = four ? 16 : 12;
	const uint64_t address = four ? (uint64_t)get32(t + 8) << 32 | get32(t + 12) : get32(t + 8);

	if ((t[0] & 0x5f) != 0x40)
		return;
	if (address == g->status.address) {
		/* All that it speaks of was written before it. */
		order.early += get_le(t + header, 4) != order.tail;
		order.status = clock;
	} else if (len - header == 4) {
		order.early += order.status < order.data;
		order.msi = clock;
	} else {
		order.data = clock;
		order.tail += (uint32_t)(len - header);
	}
}

static void the_status_block_follows_its_data(void)
{
	struct pcie_rig *g = open_rig(160);

	memset(&order, 0, sizeof order);
	rig_set(g, HF_PCIE_MODERATION, 0);
	g->link->disorder.tx_stall = 30;
	pcie_link_on_tlp(g->link, watch_order, g);
	rig_rings(g, 14, LOW, HIGH, STATUS);
	for (unsigned i = 0; i < 60; i++) {
		say(g, i & 1 ? HF_MSG_FRAME : HF_MSG_EVENT, 16 + i * 5, i);
		rig_run(g, i);
		rig_poll(g, true);
	}
	settle(g);
	EXPECT_HELLO(1);
	for (unsigned i = 0; i < 60; i++)
		EXPECT_HOST(i & 1 ? HF_MSG_FRAME : HF_MSG_EVENT, 16 + i * 5, i);
	CHECK_EQ(order.early, 0, "status blocks and interrupts before what they speak of");
	CHECK_EQ(rig_status(g, 3), g->status_writes, "count of the status block");
	CHECK(order.msi > order.status, "the last block had no interrupt behind it");
	close_rig(g);
}

/* No interrupt speaks of what no status block has told yet. */
static void interrupts_wait_for_their_status_block(void)
{
	struct pcie_rig *g = open_rings(165, 14, LOW, HIGH);
	uint32_t before;

	rig_set(g, HF_PCIE_MODERATION, 4000);
	for (unsigned i = 0; i < 6; i++) {
		uint32_t messages;

		/* The first at once, the next when it may. */
		say(g, HF_MSG_EVENT, 128, i);
		rig_run(g, 300);
		before = g->status_writes;
		messages = g->msi[0] + g->msi[1];
		say(g, i & 1 ? HF_MSG_FRAME : HF_MSG_EVENT, 128, i);
		rig_run(g, 600);
		CHECK_EQ(g->status_writes, before, "status blocks");
		CHECK_EQ(g->msi[0] + g->msi[1], messages, "interrupts before their status block");
		rig_run(g, 6000);
		CHECK_EQ(g->status_writes, before + 1, "status blocks");
		CHECK_EQ(g->msi[0] + g->msi[1], messages + 1, "interrupts");
	}
	close_rig(g);
}

static void status_blocks_keep_their_distance(void)
{
	static const uint32_t distances[] = { 50, 1000, 5000 };

	for (size_t i = 0; i < COUNT(distances); i++) {
		struct pcie_rig *g = open_rings(170 + i, 14, HIGH, LOW);
		uint32_t before;
		uint64_t begun;

		check_context("MODERATION %u", distances[i]);
		rig_set(g, HF_PCIE_MODERATION, distances[i]);
		rig_run(g, 8000);
		before = g->status_writes;
		begun = g->link->clocks;
		for (unsigned k = 0; k < 100; k++) {
			say(g, HF_MSG_EVENT, 128, k);
			rig_run(g, 70);
			if (g->status_writes - before >= 2)
				CHECK(g->status_clock[0] - g->status_clock[1] >= distances[i], "%llu clocks apart",
					(unsigned long long)(g->status_clock[0] - g->status_clock[1]));
		}
		CHECK(g->status_writes - before <= (g->link->clocks - begun) / distances[i] + 1, "%u blocks",
			g->status_writes - before);
		CHECK(g->status_writes - before >= (g->link->clocks - begun) / (distances[i] + 200), "%u blocks",
			g->status_writes - before);
		/* And once more at rest. */
		rig_run(g, 8000);
		CHECK(rig_poll(g, true) >= 0, "no message");
		for (unsigned k = 0; k < 100; k++)
			EXPECT_HOST(HF_MSG_EVENT, 128, k);
		before = g->status_writes;
		rig_run(g, 8000);
		CHECK_EQ(g->status_writes, before, "blocks at rest");
		/* After a rest the next one is not held up. */
		begun = g->link->clocks;
		say(g, HF_MSG_EVENT, 128, 500);
		while (g->status_writes == before && g->link->clocks - begun < 300)
			rig_step(g);
		CHECK(g->link->clocks - begun < 150, "held up");
		close_rig(g);
	}
	check_context("%s", "");
}

static void without_an_address_no_status_block(void)
{
	struct pcie_rig *g = open_rig(180);

	rig_rings(g, 12, HIGH, LOW, 0);
	rig_run(g, 3000);
	say(g, HF_MSG_FRAME, 100, 1);
	rig_run(g, 3000);
	CHECK_EQ(g->status_writes, 0, "status blocks");
	CHECK_EQ(g->msi[0], 1, "interrupts for HELLO");
	CHECK_EQ(g->msi[1], 1, "interrupts for the frame");
	CHECK_EQ(rig_get(g, HF_PCIE_C2H_TAIL), 40 + 104, "C2H_TAIL");
	close_rig(g);
}

static uint32_t pending(struct pcie_rig *g)
{
	uint32_t value;

	CHECK_EQ(pcie_link_get32(g->link, HF_PCIE_MSIX_PENDING, &value), 0, "pending bits");
	return value;
}

static void vectors_are_masked_and_pend(void)
{
	struct pcie_rig *g = open_rings(190, 13, HIGH, LOW);
	uint32_t value;

	rig_set(g, HF_PCIE_MODERATION, 0);
	memset(g->msi, 0, sizeof g->msi);
	/* Each by itself. */
	say(g, HF_MSG_EVENT, 128, 1);
	rig_run(g, 200);
	CHECK(g->msi[0] == 1 && !g->msi[1] && !g->msi[2], "event: %u %u %u", g->msi[0], g->msi[1], g->msi[2]);
	say(g, HF_MSG_FRAME, 60, 1);
	rig_run(g, 200);
	CHECK(g->msi[0] == 1 && g->msi[1] == 1 && !g->msi[2], "frame: %u %u %u", g->msi[0], g->msi[1], g->msi[2]);
	send(g, HF_MSG_COMMAND, 64, 1);
	rig_ring(g);
	rig_run(g, 200);
	CHECK(g->msi[0] == 2 && g->msi[1] == 1 && !g->msi[2], "h2c: %u %u %u", g->msi[0], g->msi[1], g->msi[2]);
	rig_set(g, HF_PCIE_H2C_TAIL, 1);
	rig_set(g, HF_PCIE_H2C_TAIL, 2);
	rig_run(g, 200);
	CHECK(g->msi[0] == 2 && g->msi[1] == 1 && g->msi[2] == 1, "error: %u %u %u", g->msi[0], g->msi[1], g->msi[2]);
	EXPECT_ERROR(g, INDEX);
	/* Masked: by vector, by function, by MSI-X off, by Bus Master Enable off. */
	for (unsigned how = 0; how < 4; how++) {
		const uint32_t before = g->msi[1];

		check_context("masked in way %u", how);
		if (how == 0)
			pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 16 + 12, 0xffffffff);
		g->link->config.msix_mask = how == 1;
		g->link->config.msix_enable = how != 2;
		say(g, HF_MSG_FRAME, 60, 2);
		rig_run(g, 100);
		g->link->config.bus_master = how != 3;
		rig_run(g, 100);
		if (how == 3) { /* it went out before; now one that cannot */
			say(g, HF_MSG_FRAME, 60, 3);
			rig_run(g, 100);
			CHECK_EQ(g->msi[1], before + 1, "messages");
			g->link->config.bus_master = true;
			rig_run(g, 100);
			CHECK_EQ(g->msi[1], before + 2, "messages");
			continue;
		}
		CHECK_EQ(g->msi[1], before, "messages");
		CHECK_EQ(pending(g), 2, "pending bits");
		if (how == 0) {
			CHECK_EQ(pcie_link_get32(g->link, HF_PCIE_MSIX_TABLE + 16 + 12, &value), 0, "control");
			CHECK_EQ(value, 1, "control");
			/* Another address in the meantime. */
			pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 16 + 8, 5);
			pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 16 + 12, 0);
			rig_run(g, 100);
			CHECK_EQ(g->msi[5], 1, "the new data");
			pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 16 + 8, 1);
		} else {
			g->link->config.msix_mask = false;
			g->link->config.msix_enable = true;
			rig_run(g, 100);
			CHECK_EQ(g->msi[1], before + 1, "messages");
		}
		CHECK_EQ(pending(g), 0, "pending bits");
	}
	check_context("%s", "");
	CHECK_EQ(g->msi[15], 0, "messages to another address");
	/* The table is changed while a message of it waits for a credit. */
	g->link->config.pd = 0;
	pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 2 * 16 + 8, 2);
	rig_set(g, HF_PCIE_MODERATION, 0);
	value = g->msi[6];
	g->link->config.msix_mask = true;
	g->link->config.pd = 64;
	say(g, HF_MSG_FRAME, 60, 9);
	rig_run(g, 300);
	CHECK_EQ(pending(g), 2, "pending bits");
	g->link->config.pd = 0;
	g->link->config.msix_mask = false;
	rig_run(g, 100);
	CHECK_EQ(pending(g), 2, "pending bits");
	pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 16 + 8, 6);
	rig_run(g, 100);
	g->link->config.pd = 64;
	rig_run(g, 200);
	CHECK_EQ(g->msi[6], value + 1, "with the new data");
	CHECK_EQ(pending(g), 0, "pending bits");
	/* The table keeps what it is given, bits 1:0 of an address excepted. */
	for (unsigned at = 0; at < 128; at += 4)
		pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + at, 0xfedcba03 + 0x10 * at);
	for (unsigned at = 0; at < 128; at += 4) {
		const uint32_t want = 0xfedcba03 + 0x10 * at;

		CHECK_EQ(pcie_link_get32(g->link, HF_PCIE_MSIX_TABLE + at, &value), 0, "table");
		CHECK_EQ(value, at % 16 == 12 ? 1 : at % 16 == 0 ? want & ~3u : want, "table");
	}
	close_rig(g);
}

/* ---- resets ---- */

static void core_reset_is_a_reset_of_the_core(void)
{
	struct pcie_rig *g = open_rings(210, 14, LOW, HIGH);

	rig_set(g, HF_PCIE_CTRL, C2H | H2C | CORE_RESET);
	settle(g);
	CHECK_EQ(g->resets, 2, "resets");
	EXPECT_HELLO(2);
	EXPECT_NOTHING();
	CHECK_EQ(rig_get(g, HF_PCIE_CTRL), C2H | H2C, "CTRL");
	close_rig(g);
	/* The pin rst, for one clock: of the core, not of the endpoint's registers. */
	g = open_rings(209, 12, LOW, HIGH);
	g->in.rst = 1;
	rig_step(g);
	g->in.rst = 0;
	settle(g);
	CHECK_EQ(g->resets, 2, "resets");
	EXPECT_HELLO(2);
	CHECK_EQ(rig_get(g, HF_PCIE_CTRL), C2H | H2C, "CTRL");
	CHECK_EQ(pcie_link_set32(g->link, 8, 3), 0, "write");
	send(g, HF_MSG_COMMAND, 128, 3);
	rig_ring(g);
	settle(g);
	EXPECT_CORE(HF_MSG_COMMAND, 128, 3);
	CHECK_EQ(g->regs[2], 3, "register");
	EXPECT_NOTHING();
	close_rig(g);
	/* While the copy of HELLO waits to leave: the core's new one is the first. */
	g = open_rig(211);
	rig_run(g, 300);
	g->link->config.bus_master = false;
	rig_rings(g, 12, HIGH, LOW, STATUS);
	rig_set(g, HF_PCIE_CTRL, C2H | H2C | CORE_RESET);
	rig_run(g, 300);
	g->link->config.bus_master = true;
	settle(g);
	EXPECT_HELLO(2);
	EXPECT_NOTHING();
	close_rig(g);
	/* In the middle of messages in both directions: none is cut. */
	for (unsigned when = 0; when < 60; when++) {
		g = open_rings(300 + when, 14, LOW, HIGH);
		check_context("moment %u", when);
		g->link->disorder.read_max = 100;
		g->h2c_stall = when % 3 ? 100 : 0;
		for (unsigned i = 0; i < 5; i++) {
			say(g, HF_MSG_FRAME, 600, i);
			send(g, HF_MSG_FRAME, 600, i);
		}
		rig_ring(g);
		rig_run(g, 60 + 5 * when);
		rig_set(g, HF_PCIE_CTRL, C2H | H2C | CORE_RESET);
		rig_run(g, 4000);
		CHECK(rig_poll(g, true) >= 0, "what is in the ring is no message");
		CHECK_EQ(g->resets, 2, "resets");
		/* Then new ones. */
		say(g, HF_MSG_EVENT, 128, 77);
		send(g, HF_MSG_COMMAND, 128, 78);
		rig_ring(g);
		settle(g);
		for (uint32_t i = 0; at_host.next < at_host.count && at_host.v[at_host.next][0] == HF_MSG_FRAME; i++)
			EXPECT_HOST(HF_MSG_FRAME, 600, i);
		EXPECT_HELLO(2);
		EXPECT_HOST(HF_MSG_EVENT, 128, 77);
		if (CHECK(at_core.count > 0, "nothing at the core")) {
			at_core.next = at_core.count - 1;
			EXPECT_CORE(HF_MSG_COMMAND, 128, 78);
			for (size_t i = 0; i + 1 < at_core.count; i++)
				CHECK_EQ(at_core.len[i], 600, "a message that was cut");
		}
		EXPECT_NOTHING();
		EXPECT_ERROR(g, 0);
		close_rig(g);
	}
	check_context("%s", "");
}

static void as_after_reset(struct pcie_rig *g, uint32_t ctrl)
{
	uint32_t value;

	CHECK_EQ(rig_get(g, HF_PCIE_CTRL), ctrl, "CTRL");
	CHECK_EQ(rig_get(g, HF_PCIE_STATUS) & 3, 0, "STATUS");
	CHECK_EQ(rig_get(g, HF_PCIE_ERROR), 0, "ERROR");
	CHECK_EQ(rig_get(g, HF_PCIE_C2H_BASE_LO) | rig_get(g, HF_PCIE_C2H_BASE_HI), 0, "C2H_BASE");
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_BASE_LO) | rig_get(g, HF_PCIE_H2C_BASE_HI), 0, "H2C_BASE");
	CHECK_EQ(rig_get(g, HF_PCIE_STATUS_LO) | rig_get(g, HF_PCIE_STATUS_HI), 0, "STATUS address");
	CHECK_EQ(rig_get(g, HF_PCIE_C2H_SIZE), HF_PCIE_RESET_C2H_SIZE, "C2H_SIZE");
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_SIZE), HF_PCIE_RESET_H2C_SIZE, "H2C_SIZE");
	CHECK_EQ(rig_get(g, HF_PCIE_MODERATION), HF_PCIE_RESET_MODERATION, "MODERATION");
	CHECK_EQ(rig_get(g, HF_PCIE_TIMEOUT), HF_PCIE_RESET_TIMEOUT, "TIMEOUT");
	CHECK_EQ(rig_get(g, HF_PCIE_WRITES) | rig_get(g, HF_PCIE_READS), 0, "WRITES, READS");
	CHECK_EQ(rig_get(g, HF_PCIE_C2H_TAIL) | rig_get(g, HF_PCIE_C2H_HEAD), 0, "C2H_TAIL, C2H_HEAD");
	CHECK_EQ(rig_get(g, HF_PCIE_H2C_TAIL) | rig_get(g, HF_PCIE_H2C_HEAD), 0, "H2C_TAIL, H2C_HEAD");
	for (unsigned at = 0; at < 128; at += 4) {
		CHECK_EQ(pcie_link_get32(g->link, HF_PCIE_MSIX_TABLE + at, &value), 0, "table");
		CHECK_EQ(value, at % 16 == 12, "table");
	}
	CHECK_EQ(pending(g), 0, "pending bits");
}

static void function_level_reset_at_any_moment(void)
{
	for (unsigned when = 0; when < 120; when++) {
		const bool keep = when & 1;
		struct pcie_rig *g = open_rings(400 + when, 13, when & 2 ? LOW : HIGH, when & 2 ? HIGH : LOW);
		uint64_t requests;
		uint8_t msg[RIG_MESSAGE_MAX];
		unsigned clocks;

		check_context("moment %u", when);
		g->link->disorder =
			(struct pcie_disorder){ .read_max = 400, .reorder = 100, .split = 100, .tx_stall = 40 };
		if (when & 4)
			pcie_link_set32(g->link, HF_PCIE_MSIX_TABLE + 16 + 12, 1);
		if (when % 5 == 0) {
			g->link->disorder.drop = 128;
			rig_set(g, HF_PCIE_TIMEOUT, 3000);
		}
		rig_set(g, HF_PCIE_CTRL, C2H | H2C | (keep ? KEEP : 0));
		for (unsigned i = 0; i < 6; i++) {
			say(g, HF_MSG_FRAME, 900, i);
			rig_send(g, msg, rig_message(msg, HF_MSG_COMMAND, 900, i));
		}
		rig_ring(g);
		rig_run(g, 40 + 7 * when);
		if (when % 7 == 0)
			g->link->config.bus_master = false; /* as vfio-pci does before it resets */
		pcie_link_flr_pin(g->link, true);
		for (clocks = 0; !pcie_link_flr_done(g->link) && clocks < 20000; clocks++)
			rig_step(g);
		CHECK(pcie_link_flr_done(g->link), "not done after %u clocks", clocks);
		/* Not one TLP more, and reads are Unsupported Requests. */
		requests = g->link->writes + g->link->reads + g->link->messages;
		CHECK_EQ(rig_get(g, HF_PCIE_ID), 0xffffffff, "ID in a reset");
		rig_set(g, HF_PCIE_CTRL, C2H | H2C);
		rig_run(g, 500);
		pcie_link_flr_pin(g->link, false);
		rig_run(g, 20);
		CHECK(!pcie_link_flr_done(g->link), "done after it is over");
		as_after_reset(g, keep ? KEEP : 0);
		rig_run(g, 2000);
		CHECK_EQ(g->link->writes + g->link->reads + g->link->messages, requests, "requests after the reset");
		CHECK_EQ(g->resets, keep ? 1 : 2, "resets of the core");
		/* And it works again. */
		g->link->disorder = (struct pcie_disorder){ 0 };
		g->link->config.bus_master = true;
		heard_clear(&at_host);
		heard_clear(&at_core);
		rig_rings(g, 13, HIGH, LOW, STATUS);
		say(g, HF_MSG_EVENT, 128, 7);
		send(g, HF_MSG_COMMAND, 128, 8);
		rig_ring(g);
		settle(g);
		EXPECT_HELLO(keep ? 1 : 2);
		EXPECT_HOST(HF_MSG_EVENT, 128, 7);
		EXPECT_CORE(HF_MSG_COMMAND, 128, 8);
		EXPECT_NOTHING();
		close_rig(g);
	}
	check_context("%s", "");
}

/* A reset that begins while a request stands half on the pins is not done before its end. */
static void a_reset_waits_for_the_end_of_a_request(void)
{
	for (unsigned when = 0; when < 24; when++) {
		struct pcie_rig *g = open_rings(540 + when, 12, when & 1 ? HIGH : LOW, HIGH + 0x100000);

		check_context("moment %u", when);
		rig_set(g, HF_PCIE_MODERATION, 0);
		say(g, HF_MSG_EVENT, 128, 1);
		send(g, HF_MSG_COMMAND, 128, 2);
		rig_ring(g);
		rig_run(g, 20 + when);
		g->link->disorder.tx_stall = 250;
		rig_run(g, 3);
		pcie_link_flr_pin(g->link, true);
		for (unsigned i = 0; !pcie_link_flr_done(g->link) && i < 20000; i++)
			rig_step(g);
		CHECK(pcie_link_flr_done(g->link), "not done");
		rig_run(g, 10);
		pcie_link_flr_pin(g->link, false);
		g->link->disorder.tx_stall = 0;
		rig_run(g, 10);
		close_rig(g);
	}
	check_context("%s", "");
}

static void the_core_is_kept_if_asked_for(void)
{
	struct pcie_rig *g = open_rings(500, 12, LOW, HIGH);

	g->regs[3] = 0x77;
	send(g, HF_MSG_COMMAND, 80, 1);
	rig_set(g, HF_PCIE_H2C_TAIL, 40); /* half a message */
	rig_settle(g, 10000);
	rig_set(g, HF_PCIE_CTRL, C2H | H2C | KEEP);
	CHECK_EQ(rig_get(g, HF_PCIE_CTRL), C2H | H2C | KEEP, "CTRL"); /* a write that waits is dropped in a reset */
	CHECK_EQ(pcie_link_flr(g->link), 0, "FLR");
	CHECK_EQ(g->resets, 1, "resets");
	CHECK_EQ(at_core.count, 1, "the message that was cut is ended");
	if (at_core.count)
		CHECK(at_core.len[0] != 80, "as long as it says");
	heard_clear(&at_core);
	/* Who takes it over sees HELLO. */
	rig_rings(g, 13, HIGH, LOW, STATUS);
	send(g, HF_MSG_COMMAND, 64, 2);
	rig_ring(g);
	settle(g);
	EXPECT_HELLO(1);
	EXPECT_CORE(HF_MSG_COMMAND, 64, 2);
	EXPECT_NOTHING();
	/* KEEP_ON_FLR keeps itself; without it the core is reset too. */
	CHECK_EQ(rig_get(g, HF_PCIE_CTRL), C2H | H2C, "CTRL was written by rig_rings");
	CHECK_EQ(pcie_link_flr(g->link), 0, "FLR");
	CHECK_EQ(g->resets, 2, "resets");
	rig_rings(g, 13, HIGH, LOW, STATUS);
	settle(g);
	EXPECT_HELLO(2);
	rig_set(g, HF_PCIE_CTRL, KEEP);
	CHECK_EQ(rig_get(g, HF_PCIE_CTRL), KEEP, "CTRL");
	CHECK_EQ(pcie_link_flr(g->link), 0, "FLR");
	CHECK_EQ(pcie_link_flr(g->link), 0, "FLR again");
	CHECK_EQ(g->resets, 2, "resets");
	CHECK_EQ(rig_get(g, HF_PCIE_CTRL), KEEP, "CTRL");
	close_rig(g);
}

static void a_link_that_goes_down_resets_all(void)
{
	struct pcie_rig *g = open_rings(510, 13, LOW, HIGH);

	g->link->disorder.read_max = 300;
	rig_set(g, HF_PCIE_CTRL, C2H | H2C | KEEP);
	for (unsigned i = 0; i < 4; i++) {
		say(g, HF_MSG_FRAME, 900, i);
		send(g, HF_MSG_COMMAND, 900, i);
	}
	rig_ring(g);
	rig_run(g, 100);
	pcie_link_reset(g->link, 20);
	rig_run(g, 200);
	CHECK_EQ(g->resets, 2, "resets");
	as_after_reset(g, 0);
	heard_clear(&at_host);
	heard_clear(&at_core);
	g->link->disorder = (struct pcie_disorder){ 0 };
	rig_rings(g, 12, HIGH, LOW, STATUS);
	say(g, HF_MSG_EVENT, 128, 9);
	settle(g);
	EXPECT_HELLO(2);
	EXPECT_HOST(HF_MSG_EVENT, 128, 9);
	EXPECT_NOTHING();
	close_rig(g);
}

static void any_ratio_of_the_clocks(void)
{
	static const uint64_t periods[][2] = { { 6400, 4000 }, { 4000, 4000 }, { 3103, 8000 }, { 20000, 4000 },
		{ 2000, 16000 } };

	for (size_t i = 0; i < COUNT(periods); i++) {
		struct pcie_rig *g = open_rig(600 + i);

		check_context("%llu and %llu ps", (unsigned long long)periods[i][0], (unsigned long long)periods[i][1]);
		g->link->core_period_ps = periods[i][0];
		g->link->pcie_period_ps = periods[i][1];
		rig_rings(g, 13, LOW, HIGH, STATUS);
		for (unsigned i2 = 0; i2 < 6; i2++) {
			say(g, HF_MSG_FRAME, 500, i2);
			send(g, HF_MSG_COMMAND, 500, i2);
		}
		rig_ring(g);
		rig_settle(g, 40000);
		rig_run(g, 10000);
		CHECK(rig_poll(g, true) >= 0, "no message");
		EXPECT_HELLO(1);
		for (unsigned i2 = 0; i2 < 6; i2++) {
			EXPECT_HOST(HF_MSG_FRAME, 500, i2);
			EXPECT_CORE(HF_MSG_COMMAND, 500, i2);
		}
		rig_set(g, HF_PCIE_CTRL, C2H | H2C | CORE_RESET);
		rig_run(g, 10000);
		CHECK_EQ(g->resets, 2, "resets");
		CHECK(rig_poll(g, true) >= 0, "no message");
		EXPECT_HELLO(2);
		EXPECT_NOTHING();
		close_rig(g);
	}
	check_context("%s", "");
}

/* ---- many messages ---- */

struct flow {
	struct pcie_rig *g;
	uint64_t up, down; /* arrived */
};

/* Message n of a direction: everything about it follows from n. */
static size_t numbered(uint8_t *msg, uint64_t n, unsigned salt)
{
	struct rng rng = { n * 2 + salt };
	const uint32_t dice = rng_below(&rng, 16);
	const size_t len = dice < 8    ? 128
			   : dice < 12 ? rng_range(&rng, 16, 200)
			   : dice < 15 ? 24
				       : rng_range(&rng, 16, 1538);

	rig_message(msg, dice < 8 ? HF_MSG_EVENT : HF_MSG_FRAME, len, (uint32_t)n);
	memcpy(msg + 8, &n, 8);
	return len;
}

static void flow_up(void *ctx, const uint8_t *msg, size_t len)
{
	struct flow *f = ctx;
	uint8_t want[RIG_MESSAGE_MAX];

	if (msg[0] == HF_MSG_HELLO)
		return;
	if (numbered(want, f->up, 0) != len || memcmp(msg, want, len))
		CHECK(false, "message %llu up is not what was said", (unsigned long long)f->up);
	f->up++;
}

static void flow_down(void *ctx, const uint8_t *msg, size_t len)
{
	struct flow *f = ctx;
	uint8_t want[RIG_MESSAGE_MAX];
	const size_t n = numbered(want, f->down, 1);

	if ((n + 7) / 8 * 8 != len || memcmp(msg, want, n))
		CHECK(false, "message %llu down is not what was sent", (unsigned long long)f->down);
	f->down++;
}

static void messages_are_neither_lost_nor_repeated(void)
{
	const char *wanted = getenv("HF_PCIE_MESSAGES");
	const uint64_t total = wanted ? strtoull(wanted, NULL, 0) : 6000;
	struct pcie_rig *g = open_rig(700);
	struct flow f = { g, 0, 0 };
	uint64_t said = 0, sent = 0, idle = 0, before;
	uint8_t msg[RIG_MESSAGE_MAX], waiting[RIG_MESSAGE_MAX];
	size_t waiting_len = 0;

	g->on_message = flow_up;
	g->on_h2c = flow_down;
	g->ctx = &f;
	rig_set(g, HF_PCIE_MODERATION, 200);
	rig_rings(g, 13, HIGH, LOW, STATUS);
	while ((f.up < total || f.down < total) && idle < 100) {
		/* Once in a while everything about the other side changes: how long it stalls, how it answers. */
		if (rng_below(&g->rng, 20) == 0) {
			const bool calm = rng_below(&g->rng, 3) == 0;

			g->link->disorder = (struct pcie_disorder){ .read_min = rng_below(&g->rng, 50),
				.read_max = rng_below(&g->rng, calm ? 60 : 1500),
				.split = (uint8_t)rng_below(&g->rng, 256),
				.reorder = (uint8_t)rng_below(&g->rng, 256),
				.rx_bubble = (uint8_t)(calm ? 0 : rng_below(&g->rng, 200)),
				.tx_stall = (uint8_t)(calm ? 0 : rng_below(&g->rng, 200)) };
			g->say_gap = (uint8_t)(calm ? 0 : rng_below(&g->rng, 200));
			g->h2c_stall = (uint8_t)(calm ? 0 : rng_below(&g->rng, 200));
			g->link->config.max_payload = rng_below(&g->rng, 3);
			g->link->config.credit_delay = rng_below(&g->rng, calm ? 10 : 100);
			g->link->config.pd = rng_range(&g->rng, 64, 512);
		}
		while (said < total && rig_unsaid(g) < 500)
			rig_say(g, msg, numbered(msg, said++, 0));
		while (waiting_len || sent < total) {
			if (!waiting_len)
				waiting_len = numbered(waiting, sent++, 1);
			if (!rig_send(g, waiting, waiting_len))
				break;
			waiting_len = 0;
		}
		rig_ring(g);
		before = f.up + f.down;
		rig_run(g, rng_range(&g->rng, 50, rng_below(&g->rng, 10) ? 600 : 6000)); /* the client stalls */
		if (!CHECK(rig_poll(g, true) >= 0, "what is in the ring is no message"))
			break;
		idle = f.up + f.down == before ? idle + 1 : 0;
	}
	CHECK_EQ(f.up, total, "messages up");
	CHECK_EQ(f.down, total, "messages down");
	EXPECT_ERROR(g, 0);
	CHECK_EQ(rig_get(g, HF_PCIE_UNEXPECTED), 0, "UNEXPECTED");
	if (wanted)
		printf("%llu messages each way: none lost, none repeated; %llu writes, %llu reads, %llu interrupts, "
		       "%llu clocks ",
			(unsigned long long)f.up, (unsigned long long)g->link->writes,
			(unsigned long long)g->link->reads, (unsigned long long)g->link->messages,
			(unsigned long long)g->link->clocks);
	close_rig(g);
}

/* ---- a hostile root complex ---- */

/* Random TLPs: from well-formed ones with one thing wrong to noise. The card is given two rings and a status block; whatever
 * comes, it touches nothing else, and afterwards answers. */
static void random_tlps_do_no_harm(void)
{
	enum { TIMEOUT = 2000 };
	const char *wanted = getenv("HF_PCIE_TLPS");
	const uint64_t total = wanted ? strtoull(wanted, NULL, 0) : 12000;
	struct pcie_rig *g = open_rings(800, 12, LOW, HIGH);
	struct rng *rng = &g->rng;
	static const uint8_t kinds[] = { 0x00, 0x20, 0x40, 0x60, 0x01, 0x02, 0x42, 0x04, 0x44, 0x4a, 0x0a, 0x4a, 0x0b,
		0x4c, 0x30, 0x74, 0x40, 0x40, 0x00 };

	g->on_message = NULL;
	g->on_h2c = NULL;
	rig_set(g, HF_PCIE_TIMEOUT, TIMEOUT);
	g->link->read_timeout = TIMEOUT;
	rig_set(g, HF_PCIE_MODERATION, 10);
	for (uint64_t n = 0; n < total; n++) {
		uint8_t t[PCIE_TLP_MAX];
		unsigned dwords = rng_below(rng, 4) ? rng_range(rng, 1, 4) : rng_below(rng, 1024);
		const uint8_t kind = rng_below(rng, 10) ? kinds[rng_below(rng, COUNT(kinds))] : (uint8_t)rng_next(rng);
		size_t len = (kind & 0x20 ? 16 : 12) + (kind & 0x40 ? 4 * (size_t)(dwords ? dwords : 1024) : 0);
		uint32_t address =
			rng_below(rng, 2) ? HF_PCIE_BASE + 4 * rng_below(rng, 0x24) : 4 * rng_below(rng, 0x4000);
		const uint32_t enables = dwords == 1 ? 0x0f : 0xff;

		for (size_t i = 0; i < sizeof t; i += 8) {
			const uint64_t v = rng_next(rng);

			memcpy(t + i, &v, 8);
		}
		dw_put(t,
			(uint32_t)kind << 24 | (rng_below(rng, 20) ? 0 : rng_below(rng, 1u << 24) & ~0x3ffu) | dwords);
		if ((kind & 0x1e) == 0x0a) {
			dw_put(t + 4, (uint32_t)rng_next(rng) & (rng_below(rng, 2) ? 0x0fff : 0xffff));
			dw_put(t + 8, 0x01000000 | rng_below(rng, 64) << 8 | rng_below(rng, 128));
		} else {
			dw_put(t + 4, 0x00fb0000 | rng_below(rng, 256) << 8 |
					      (rng_below(rng, 5) ? enables : rng_below(rng, 256)));
			dw_put(t + (kind & 0x20 ? 12 : 8), address);
		}
		/* Rings' addresses are written by no one but the host of this test: those that the card was given stay. */
		if ((kind & 0x5f) == 0x40) {
			const uint32_t from = address & 0xffff, to = from + 4 * (dwords ? dwords : 1024);

			if (from < HF_PCIE_BASE + 0x78 && to > HF_PCIE_BASE + 0x20)
				dw_put(t + (kind & 0x20 ? 12 : 8), rng_below(rng, 2) ? HF_PCIE_BASE + HF_PCIE_H2C_TAIL
										     : HF_PCIE_BASE + HF_PCIE_C2H_HEAD);
			if (dwords != 1)
				dw_put(t + (kind & 0x20 ? 12 : 8), 0x3000);
			/* Nor where interrupts go: masks and pending bits only. */
			else if (from >= HF_PCIE_MSIX_TABLE && from < HF_PCIE_MSIX_TABLE + 0x80)
				dw_put(t + (kind & 0x20 ? 12 : 8), from | 12);
		}
		if (rng_below(rng, 6) == 0)
			len = 4 * (size_t)rng_range(rng, 1, rng_below(rng, 2) ? 8 : PCIE_TLP_MAX / 4);
		pcie_link_tlp(g->link, t, len);
		if (rng_below(rng, 3) == 0) {
			say(g, HF_MSG_FRAME, rng_range(rng, 16, 600), (uint32_t)n);
			g->link->disorder = (struct pcie_disorder){ .read_max = 300,
				.reorder = 100,
				.split = 100,
				.drop = (uint8_t)rng_below(rng, 30),
				.rx_bubble = (uint8_t)rng_below(rng, 100) };
		}
		rig_run(g, rng_below(rng, 60));
		if (n % 64 == 0) {
			CHECK_EQ(rig_get(g, HF_PCIE_ID), HF_PCIE_RESET_ID, "ID");
			rig_set(g, HF_PCIE_ERROR, 0x7f);
			rig_set(g, HF_PCIE_CTRL, (uint32_t)rng_next(rng) & 7);
			rig_set(g, HF_PCIE_H2C_TAIL, rng_below(rng, 512) * 8);
		}
		if (n % 512 == 511) {
			/* All ends. */
			rig_set(g, HF_PCIE_CTRL, 0);
			rig_run(g, 4000);
			CHECK_EQ(rig_get(g, HF_PCIE_STATUS) & 3, 0, "not at rest");
			heard_clear(&completions);
			g->say_head = g->say_tail;
			g->out.m_axis_c2h_tvalid = 0;
			CHECK_EQ(pcie_link_flr(g->link), 0, "FLR");
			rig_vectors(g);
			rig_rings(g, 12, LOW, HIGH, STATUS);
			rig_set(g, HF_PCIE_TIMEOUT, TIMEOUT);
		}
		if (!CHECK(!g->link->faults && !g->link->refused, "TLP %llu: %llu refused, %s", (unsigned long long)n,
			    (unsigned long long)g->link->refused, g->link->fault))
			break;
	}
	/* As if nothing had been. */
	CHECK_EQ(pcie_link_flr(g->link), 0, "FLR");
	heard_clear(&at_host);
	heard_clear(&at_core);
	g->link->disorder = (struct pcie_disorder){ 0 };
	g->on_message = to_host;
	g->on_h2c = to_core;
	g->h2c_len = 0;
	rig_set(g, HF_PCIE_CTRL, CORE_RESET);
	rig_rings(g, 12, LOW, HIGH, STATUS);
	say(g, HF_MSG_EVENT, 128, 1);
	send(g, HF_MSG_COMMAND, 128, 2);
	rig_ring(g);
	settle(g);
	CHECK(at_host.count >= 1 && at_host.v[0][0] == HF_MSG_HELLO, "no HELLO");
	EXPECT_CORE(HF_MSG_COMMAND, 128, 2);
	if (wanted)
		printf("%llu TLPs, %llu clocks ", (unsigned long long)total, (unsigned long long)g->link->clocks);
	close_rig(g);
}

/* What a host writes into a ring is its own affair: nothing but bad messages, wherever they point. */
static void random_rings_do_no_harm(void)
{
	struct pcie_rig *g = open_rings(900, 12, LOW, HIGH);

	g->on_h2c = NULL;
	for (unsigned n = 0; n < 60; n++) {
		for (size_t i = 0; i < g->h2c.size; i++)
			g->h2c.bytes[i] = (uint8_t)rng_next(&g->rng);
		if (n & 1)
			g->h2c.bytes[2] = 16, g->h2c.bytes[3] = 0;
		rig_set(g, HF_PCIE_H2C_TAIL, 8 * rng_range(&g->rng, 1, 512));
		rig_run(g, 1500);
		rig_set(g, HF_PCIE_CTRL, C2H);
		rig_run(g, 200);
		CHECK_EQ(rig_get(g, HF_PCIE_STATUS) & 2, 0, "not at rest");
		rig_set(g, HF_PCIE_ERROR, 0x7f);
		rig_set(g, HF_PCIE_CTRL, C2H | H2C);
	}
	close_rig(g);
}

/* ---- a real core behind it ---- */

/* The next message at the host is the next one that left the core, byte by byte. */
static const uint8_t *same_message(struct bench *b, unsigned type)
{
	static const uint8_t none[RIG_MESSAGE_MAX];
	const struct item *left = bench_c2h(b);

	if (!CHECK(left && at_host.next < at_host.count, "no message"))
		return none;
	CHECK_EQ(at_host.v[at_host.next][0], type, "type");
	CHECK_BYTES("message", at_host.v[at_host.next], at_host.len[at_host.next], left->bytes, left->len);
	return at_host.v[at_host.next++];
}

static void host_looks(struct bench *b, struct pcie_rig *g)
{
	bench_settle(b);
	rig_run(g, 2000);
	CHECK(rig_poll(g, true) >= 0, "what is in the ring is no message");
}

static void a_core_works_through_its_rings(void)
{
	static const struct {
		uint32_t offset, value;
	} setup[] = {
		{ HF_REG_KEY_INDEX0, 1 },
		{ HF_REG_KEY_ISN0, 2 },
		{ HF_REG_HEARTBEAT_MS, 0 },
		{ HF_REG_MAC_LO, 0x00000002 },
		{ HF_REG_MAC_HI, 0x0200 },
		{ HF_REG_LOCAL_ADDR0, OUR_ADDR },
		{ HF_REG_RCV_WND, 65535 },
		{ HF_REG_CTRL, CTRL_ENABLE },
		{ HF_REG_LISTEN_PORT, OUR_PORT },
		{ HF_REG_LISTEN_BACKLOG, 10 },
		{ HF_REG_LISTEN_COMMIT, LISTEN_OFFLOAD << HF_LISTEN_COMMIT_MODE_LOW },
	};
	struct bench *b = bench_open_raw(ENGINE_DEFAULT);
	struct pcie_rig *g;
	struct segment syn = { .sport = PEER_PORT,
		.dport = OUR_PORT,
		.seq = 1000,
		.flags = HF_SYN,
		.opts = "mss=1460" },
		       ack = { .sport = PEER_PORT, .dport = OUR_PORT, .seq = 1001, .flags = HF_ACK };
	uint8_t msg[128] = { 0 }, frame[64];
	const struct item *out;
	uint32_t value;

	/* What the core said before it was reset by the endpoint is nobody's. */
	rig_close(rig_open_sim(b->sim, 5));
	while (bench_c2h(b))
		;
	heard_clear(&at_host);
	g = rig_open_sim(b->sim, 6);
	if (!CHECK(g != NULL, "no memory"))
		return;
	g->on_message = to_host;
	rig_rings(g, 13, HIGH, LOW, STATUS);
	for (unsigned i = 0; i < b->slots + 64 && !b->sim->out.ready; i++)
		rig_step(g);
	host_looks(b, g);
	CHECK_EQ(get_le(same_message(b, HF_MSG_HELLO) + HF_AT_HELLO_slots, 4), b->slots, "slots");
	CHECK_EQ(pcie_link_get32(g->link, HF_REG_ID, &value), 0, "ID");
	CHECK_EQ(value, HF_ID, "ID");
	CHECK_EQ(pcie_link_get32(g->link, 0xffc, &value), -EIO, "an offset without a register");
	for (size_t i = 0; i < COUNT(setup); i++)
		pcie_link_set32(g->link, setup[i].offset, setup[i].value);
	CHECK_EQ(pcie_link_get32(g->link, HF_REG_LOCAL_ADDR0, &value), 0, "LOCAL_ADDR0");
	CHECK_EQ(value, OUR_ADDR, "LOCAL_ADDR0");

	/* A handshake: its event. */
	bench_segment(b, &syn);
	out = bench_tx(b);
	if (CHECK(out && out->len >= 54, "no SYN-ACK")) {
		ack.ack = get32(out->bytes + 14 + 20 + 4) + 1;
		bench_segment(b, &ack);
	}
	host_looks(b, g);
	CHECK_EQ(same_message(b, HF_MSG_EVENT)[HF_AT_EVENT_code], HF_EVENT_ESTABLISHED, "event");
	CHECK_EQ(g->msi[0], 2, "interrupts");

	/* A frame up, a frame down. */
	for (size_t i = 0; i < sizeof frame; i++)
		frame[i] = (uint8_t)(i * 5);
	memcpy(frame, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x88\xb5", 14);
	bench_frame(b, frame, sizeof frame);
	host_looks(b, g);
	CHECK_BYTES("frame up", same_message(b, HF_MSG_FRAME) + HF_MSG_HEADER_BYTES, sizeof frame, frame, sizeof frame);
	CHECK_EQ(g->msi[1], 1, "interrupts");
	MSG_PUT(msg, HEADER, type, HF_MSG_FRAME);
	MSG_PUT(msg, HEADER, length, HF_MSG_HEADER_BYTES + sizeof frame);
	memcpy(msg + HF_MSG_HEADER_BYTES, frame, sizeof frame);
	CHECK(rig_send(g, msg, HF_MSG_HEADER_BYTES + sizeof frame), "no room");
	rig_ring(g);
	host_looks(b, g);
	out = bench_tx(b);
	if (CHECK(out != NULL, "no frame"))
		CHECK_BYTES("frame down", out->bytes, out->len, frame, sizeof frame);

	/* A register by message. */
	memset(msg, 0, sizeof msg);
	MSG_PUT(msg, HEADER, type, HF_MSG_REG_READ);
	MSG_PUT(msg, HEADER, length, 24);
	MSG_PUT(msg, HEADER, id, HF_REG_LOCAL_ADDR0);
	CHECK(rig_send(g, msg, 24), "no room");
	/* One that is cut by a reset that leaves the core alone: it is malformed, and counted. */
	MSG_PUT(msg, HEADER, length, 24);
	CHECK(rig_send(g, msg, 24), "no room");
	rig_set(g, HF_PCIE_H2C_TAIL, g->h2c_tail - 8);
	host_looks(b, g);
	CHECK_EQ(get_le(same_message(b, HF_MSG_REG_REPLY) + HF_AT_REG_REPLY_value, 4), OUR_ADDR, "value");
	EXPECT_NOTHING();
	rig_set(g, HF_PCIE_CTRL, C2H | H2C | KEEP);
	CHECK_EQ(rig_get(g, HF_PCIE_CTRL), C2H | H2C | KEEP, "CTRL");
	CHECK_EQ(pcie_link_flr(g->link), 0, "FLR");
	rig_run(g, 200);
	while ((out = bench_c2h(b))) /* nobody's: the rings were off */
		CHECK(out->bytes[0] == HF_MSG_COMPLETION &&
				MSG_GET(out->bytes, COMPLETION, status) == HF_STATUS_BAD_LENGTH,
			"what was cut is not malformed");
	CHECK_EQ(rig_get(g, HF_PCIE_DISCARDED), 1, "DISCARDED");
	CHECK_EQ(pcie_link_get32(g->link, HF_REG_LOCAL_ADDR0, &value), 0, "LOCAL_ADDR0");
	CHECK_EQ(value, OUR_ADDR, "kept");
	rig_rings(g, 13, HIGH, LOW, STATUS);
	rig_run(g, 2000);
	CHECK(rig_poll(g, true) >= 0, "no message");
	CHECK(at_host.next < at_host.count && at_host.v[at_host.next++][0] == HF_MSG_HELLO, "no HELLO");
	EXPECT_NOTHING();

	/* And one that does not. */
	CHECK_EQ(pcie_link_flr(g->link), 0, "FLR");
	rig_rings(g, 13, HIGH, LOW, STATUS);
	for (unsigned i = 0; i < b->slots + 64; i++)
		rig_step(g);
	host_looks(b, g);
	same_message(b, HF_MSG_HELLO);
	CHECK_EQ(pcie_link_get32(g->link, HF_REG_LOCAL_ADDR0, &value), 0, "LOCAL_ADDR0");
	CHECK_EQ(value, 0, "not kept");
	EXPECT_NOTHING();
	no_faults(g);
	rig_close(g);
	heard_clear(&at_host);
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(registers_are_those_of_the_list), CASE_ONCE(addresses_in_use_stay),
		CASE_ONCE(reads_of_any_size_are_answered), CASE_ONCE(completions_say_what_was_asked),
		CASE_ONCE(writes_are_done_dword_by_dword), CASE_ONCE(partial_writes_are_for_the_table_only),
		CASE_ONCE(nothing_is_where_no_region_is), CASE_ONCE(other_requests_are_unsupported),
		CASE_ONCE(malformed_tlps_are_dropped_whole), CASE_ONCE(a_core_that_does_not_answer_costs_nothing_else),
		CASE_ONCE(hello_comes_first), CASE_ONCE(messages_keep_their_bytes_and_order),
		CASE_ONCE(requests_are_as_large_as_allowed), CASE_ONCE(a_full_ring_waits), CASE_ONCE(sizes_are_clamped),
		CASE_ONCE(disabling_ends_at_a_whole_tlp), CASE_ONCE(enabled_again_while_active),
		CASE_ONCE(enabled_in_the_middle_of_a_message),
		CASE_ONCE(impossible_doorbells_are_ignored),
		CASE_ONCE(commands_reach_the_core), CASE_ONCE(several_reads_are_outstanding),
		CASE_ONCE(a_short_message_stops_h2c), CASE_ONCE(a_read_that_fails_stops_h2c),
		CASE_ONCE(late_and_unknown_completions_are_counted),
		CASE_ONCE(a_completion_of_an_older_read_is_not_taken), CASE_ONCE(completions_that_do_not_fit_are_dropped),
		CASE_ONCE(a_message_broken_off_has_another_length),
		CASE_ONCE(credits_are_kept_to), CASE_ONCE(nothing_without_bus_master_enable),
		CASE_ONCE(the_status_block_follows_its_data), CASE_ONCE(interrupts_wait_for_their_status_block),
		CASE_ONCE(status_blocks_keep_their_distance),
		CASE_ONCE(without_an_address_no_status_block), CASE_ONCE(vectors_are_masked_and_pend),
		CASE_ONCE(core_reset_is_a_reset_of_the_core), CASE_ONCE(function_level_reset_at_any_moment),
		CASE_ONCE(a_reset_waits_for_the_end_of_a_request),
		CASE_ONCE(the_core_is_kept_if_asked_for), CASE_ONCE(a_link_that_goes_down_resets_all),
		CASE_ONCE(any_ratio_of_the_clocks),
		CASE_ONCE(messages_are_neither_lost_nor_repeated), CASE_ONCE(random_tlps_do_no_harm),
		CASE_ONCE(random_rings_do_no_harm),
		CASE(a_core_works_through_its_rings),
		{ 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "pcie_endpoint", cases);
}
