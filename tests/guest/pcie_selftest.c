/* SPDX-License-Identifier: Apache-2.0
 * pcie_selftest.c - a card's function from the driver's side: `pcie_selftest URI [OPTION N]...`.
 *
 *   pcie_selftest pci:0000:01:00.0            on a card (a simulated one in a guest, or a real one), bound to vfio-pci
 *   pcie_selftest vfio-user:/path/of/socket   straight to `handfast board --host vfio-user:PATH`
 *
 * Four parts, a line each, then `selftest: passed`; exit code 0, 1 a part failed, 2 usage or no card:
 *   registers  every writable field of the endpoint with both of its bits' values, every other bit fixed; the core's ID
 *   ring       --messages N register reads (default 20000), as many under way as the rings hold, every answer once, in order
 *   storm      --interrupts N times (default 2000) one message, sleep until its interrupt, its answer: the round trip
 *   reset      --resets N times (default 20) a function level reset while messages are under way, then the ring works again,
 *              and the core kept its registers; --hot also a reset of its bus, where the machine lets us
 * The card is left as after a reset. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver/clock.h"
#include "driver/message.h"
#include "driver/pcie_rings.h"

enum { OPEN_MS = 5000, ANSWER_MS = 5000, NS_PER_US = 1000 };

static struct transport *t;
static struct pcie_bus *bus;
static unsigned failures;

#define FAIL(...)                                     \
	do {                                          \
		if (failures++ < 10) {                \
			printf("selftest: FAILED: "); \
			printf(__VA_ARGS__);          \
			printf("\n");                 \
		}                                     \
	} while (0)

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint32_t get(uint32_t offset)
{
	uint32_t value = 0;

	if (bus->ops->read32(bus, offset, &value))
		FAIL("register 0x%04x cannot be read", (unsigned)offset);
	return value;
}

static void put(uint32_t offset, uint32_t value)
{
	if (bus->ops->write32(bus, offset, value))
		FAIL("register 0x%04x cannot be written", (unsigned)offset);
}

/* ---- registers ---- */

enum access { RO, RW, WO, W1C };

static const struct field {
	const char *reg;
	uint32_t offset, mask;
	enum access access;
} fields[] = {
#define REG(name, offset, reset, doc)
#define FIELD(reg, name, low, bits, access, doc) \
	{ #reg, HF_PCIE_BASE + HF_PCIE_##reg, (uint32_t)(((UINT64_C(1) << (bits)) - 1) << (low)), access },
#include "regs/pcie.def"
#undef REG
#undef FIELD
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* The doorbells are writable but not free: their values mean something. */
static bool is_doorbell(uint32_t offset)
{
	return offset == PCIE_REG(C2H_HEAD) || offset == PCIE_REG(H2C_TAIL);
}

static void test_registers(void)
{
	static const uint32_t patterns[] = { 0, UINT32_MAX, 0x55555555, 0xaaaaaaaa, 0x13579bdf };
	const uint32_t switches = PCIE_BIT(CTRL, C2H) | PCIE_BIT(CTRL, H2C) | PCIE_BIT(CTRL, CORE_RESET);
	unsigned checks = 0;

	put(PCIE_REG(CTRL), PCIE_BIT(CTRL, KEEP_ON_FLR));
	for (int64_t end = clock_ms() + ANSWER_MS; get(PCIE_REG(STATUS)) & 3;)
		if (clock_ms() > end) {
			FAIL("the rings do not come to rest");
			return;
		}
	for (unsigned p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
		for (unsigned i = 0; i < FIELDS; i++) {
			uint32_t rw = 0, fixed, before, got, want;

			for (unsigned k = 0; k < FIELDS; k++)
				if (fields[k].offset == fields[i].offset && fields[k].access == RW)
					rw |= fields[k].mask;
			if (!rw || is_doorbell(fields[i].offset))
				continue;
			fixed = fields[i].offset == PCIE_REG(CTRL) ? switches : 0;
			before = get(fields[i].offset);
			put(fields[i].offset, patterns[p] & ~fixed);
			got = get(fields[i].offset);
			want = (before & ~rw) | (patterns[p] & rw & ~fixed);
			checks++;
			if (got != want)
				FAIL("%s: wrote %08x, reads %08x, not %08x", fields[i].reg, (unsigned)patterns[p],
					(unsigned)got, (unsigned)want);
		}
	}
	for (unsigned i = 0; i < FIELDS; i++) {
		const uint32_t before = get(fields[i].offset);

		if (fields[i].access != RO)
			continue;
		put(fields[i].offset, ~before);
		checks++;
		if (fields[i].offset != PCIE_REG(WRITES) && get(fields[i].offset) != before)
			FAIL("%s is read-only and changed", fields[i].reg);
	}
	if (get(HF_REG_ID) != HF_ID)
		FAIL("the core's ID is %08x", (unsigned)get(HF_REG_ID));
	put(PCIE_REG(ERROR), UINT32_MAX);
	put(PCIE_REG(MODERATION), HF_PCIE_RESET_MODERATION);
	put(PCIE_REG(TIMEOUT), HF_PCIE_RESET_TIMEOUT);
	printf("selftest: registers: %u checks\n", checks + 1);
}

/* ---- messages ---- */

static int send_read(uint32_t offset, uint64_t cookie)
{
	uint8_t msg[24] = { 0 };

	PUT(msg, HEADER, type, HF_MSG_REG_READ);
	PUT(msg, HEADER, length, sizeof(msg));
	PUT(msg, HEADER, id, offset);
	PUT(msg, HEADER, stamp, cookie);
	return transport_send(t, msg, sizeof(msg));
}

/* One message, waited for; 0 after ANSWER_MS. */
static ssize_t receive(uint8_t *msg, size_t size, unsigned *sleeps)
{
	const int64_t end = clock_ms() + ANSWER_MS;

	for (;;) {
		struct pollfd p = { transport_fd(t), POLLIN, 0 };
		ssize_t n = transport_recv(t, msg, size);

		if (n != -EAGAIN)
			return n;
		if (clock_ms() >= end)
			return 0;
		*sleeps += poll(&p, 1, (int)(end - clock_ms())) > 0;
	}
}

/* The next answer is that to `cookie`, and says `value`. */
static bool expect(uint64_t cookie, uint32_t value, unsigned *sleeps)
{
	uint8_t msg[TRANSPORT_MESSAGE_MAX];
	ssize_t n = receive(msg, sizeof(msg), sleeps);

	if (n == 24 && GET(msg, HEADER, type) == HF_MSG_REG_REPLY && GET(msg, HEADER, stamp) == cookie &&
		GET(msg, REG_REPLY, value) == value)
		return true;
	FAIL("answer %" PRIu64 ": got %zd, type %u, cookie %" PRIu64, cookie, n,
		n > 0 ? (unsigned)GET(msg, HEADER, type) : 0, n > 0 ? GET(msg, HEADER, stamp) : 0);
	return false;
}

static bool expect_hello(void)
{
	uint8_t msg[TRANSPORT_MESSAGE_MAX];
	unsigned sleeps = 0;
	ssize_t n = receive(msg, sizeof(msg), &sleeps);

	if (n > 0 && GET(msg, HEADER, type) == HF_MSG_HELLO)
		return true;
	FAIL("the first message is no HELLO: %zd, type %u", n, n > 0 ? (unsigned)GET(msg, HEADER, type) : 0);
	return false;
}

static void test_ring(uint64_t messages)
{
	const int64_t start = now_ns();
	uint64_t sent = 0, answered = 0;
	unsigned sleeps = 0, full = 0;

	while (answered < messages) {
		int rc = 0;

		/* Up to what fits; every 997th time only one, so that the rings also run empty. */
		while (sent < messages && !(rc = send_read(HF_REG_ID, sent + 1))) {
			sent++;
			if (answered % 997 == 0)
				break;
		}
		if (rc && rc != -EAGAIN) {
			FAIL("send: %s", strerror(-rc));
			return;
		}
		full += rc == -EAGAIN;
		if (!expect(answered + 1, HF_ID, &sleeps))
			return;
		answered++;
	}
	printf("selftest: ring: %" PRIu64
	       " messages each way, none lost, none repeated, in order; %u times full, %u sleeps, "
	       "%" PRId64 " messages/s\n",
		answered, full, sleeps, (int64_t)answered * 1000000000 / (now_ns() - start + 1));
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void test_storm(uint64_t count)
{
	int64_t *ns = calloc(count, sizeof(*ns));
	unsigned sleeps = 0;

	if (!ns) {
		FAIL("out of memory");
		return;
	}
	/* Every message has an interrupt of its own. */
	put(PCIE_REG(MODERATION), 0);
	for (uint64_t i = 0; i < count; i++) {
		const int64_t start = now_ns();

		if (send_read(HF_REG_VERSION, i + 1) || !expect(i + 1, HF_ABI_VERSION, &sleeps))
			break;
		ns[i] = now_ns() - start;
	}
	put(PCIE_REG(MODERATION), HF_PCIE_RESET_MODERATION);
	if (!sleeps)
		FAIL("no interrupt ever woke us");
	qsort(ns, count, sizeof(*ns), by_value);
	if (count)
		printf("selftest: storm: %" PRIu64 " messages, woken %u times; doorbell to answer: median "
		       "%.1f us, 99 %% %.1f us\n",
			count, sleeps, (double)ns[count / 2] / NS_PER_US, (double)ns[count * 99 / 100] / NS_PER_US);
	free(ns);
}

static void test_reset(uint64_t count, bool hot)
{
	const uint32_t mark = 0x5a5a0001;
	uint64_t lost = 0;
	unsigned sleeps = 0;
	uint32_t value;

	put(HF_REG_SYN_RTO_MS, 2345);
	if (get(HF_REG_SYN_RTO_MS) != 2345)
		FAIL("the core's register does not take a value");
	for (uint64_t i = 0; i < count; i++) {
		uint8_t msg[TRANSPORT_MESSAGE_MAX];
		uint64_t sent = 0;
		int rc;

		while (sent < 16 * (i + 1) && !send_read(HF_REG_ID, 1))
			sent++;
		rc = bus->ops->reset(bus, hot && i % 2);
		if (rc == -ENOTSUP && hot && i % 2) {
			printf("selftest: skipped: this machine refuses a reset of the bus\n");
			hot = false;
			rc = bus->ops->reset(bus, false);
		}
		if (rc) {
			FAIL("reset %" PRIu64 ": %s", i, strerror(-rc));
			return;
		}
		value = get(PCIE_REG(CTRL));
		if (value != PCIE_BIT(CTRL, KEEP_ON_FLR))
			FAIL("CTRL is %08x after a reset", (unsigned)value);
		if (get(PCIE_REG(STATUS)) & 3)
			FAIL("a ring is active after a reset");
		lost += sent;
		if (pcie_rings_restart(t, OPEN_MS)) {
			FAIL("the rings do not start again");
			return;
		}
		if (!expect_hello())
			return;
		/* Answers to what was under way may still come: the core was not reset. Then ours. */
		if (send_read(HF_REG_ID, mark + i))
			FAIL("send after reset %" PRIu64, i);
		do {
			if (receive(msg, sizeof(msg), &sleeps) != 24) {
				FAIL("no answer after reset %" PRIu64, i);
				return;
			}
			lost -= GET(msg, HEADER, stamp) == 1;
		} while (GET(msg, HEADER, stamp) != mark + i);
		if (get(HF_REG_SYN_RTO_MS) != 2345)
			FAIL("the core lost its registers in reset %" PRIu64, i);
	}
	printf("selftest: reset: %" PRIu64 " in mid-traffic%s, %" PRIu64 " messages went with them\n", count,
		hot ? ", every second one of the bus" : "", lost);
}

static bool number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *value <= 100000000;
}

int main(int argc, char **argv)
{
	uint64_t messages = 20000, interrupts = 2000, resets = 20;
	char why[TRANSPORT_WHY_BYTES] = "";
	bool hot = false, good = argc > 1;
	int rc;

	for (int i = 2; good && i < argc; i++) {
		uint64_t *to = !strcmp(argv[i], "--messages")	  ? &messages
			       : !strcmp(argv[i], "--interrupts") ? &interrupts
			       : !strcmp(argv[i], "--resets")	  ? &resets
								  : NULL;

		if (!strcmp(argv[i], "--hot"))
			hot = true;
		else
			good = to && ++i < argc && number(argv[i], to);
	}
	if (!good) {
		fprintf(stderr, "usage: pcie_selftest URI [--messages N] [--interrupts N] [--resets N] [--hot]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	rc = transport_open(argv[1], OPEN_MS, &t, why);
	if (rc) {
		fprintf(stderr, "pcie_selftest: %s: %s\n", argv[1], why);
		return 2;
	}
	bus = pcie_rings_bus(t);
	if (!bus) {
		fprintf(stderr, "pcie_selftest: %s is not a PCIe card\n", argv[1]);
		transport_close(t);
		return 2;
	}
	printf("selftest: %s, rings in %s\n", argv[1], bus->huge ? "one huge page" : "small pages");
	test_registers();
	/* Small rings for a while, so that they are full and wrap round. */
	bus->c2h_log2 = 14;
	bus->h2c_log2 = 13;
	if (pcie_rings_restart(t, OPEN_MS))
		FAIL("the rings do not start");
	if (!failures && expect_hello())
		test_ring(messages);
	if (!failures)
		test_storm(interrupts);
	if (!failures)
		test_reset(resets, hot);
	if (!failures)
		put(PCIE_REG(CTRL), 0); /* nothing is kept */
	transport_close(t);
	printf("selftest: %s\n", failures ? "FAILED" : "passed");
	return failures > 0;
}
