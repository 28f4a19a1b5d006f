/* SPDX-License-Identifier: Apache-2.0
 * driver URI STEP... - drives a board as the host library does, and says of each step "ok: ..." or "FAILED: ...". Runs in the guest
 * of tests/guest/pcie and tests/guest/usb, and anywhere else; the board's wire needs tests/guest/echo at its other end.
 *
 *   selftest    registers: identity, write and read back, refused and unknown ones
 *   stress=N    N frames of all lengths out to the wire and back, a command with each: none lost, doubled, changed or overtaken
 *   flr=N       N function level resets in the middle of such traffic (pci: and vfio-user: only)
 *   reopen=N    the board is closed under traffic and opened again N times
 *
 * Exit code: 0 all steps passed, 1 one failed, 2 bad usage. Every wait ends. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "driver/clock.h"
#include "driver/device.h"
#include "driver/pcie_rings.h"

enum {
	ECHO_TYPE = 0x88b5, /* IEEE 802 local experimental: no board looks into it */
	LEAST = 60,
	MOST = 1514,
	WINDOW = 8, /* frames under way: less than the board's buffer towards the host */
	STALE_ID = 0x00010000,
	QUIET_MS = 30000, /* nothing at all came for so long: it is lost */
	OPEN_MS = 30000,
	RESTART_MS = 10000,
};

static const char *uri;
static struct transport *transport;
static struct device *dev;
static bool failed;

/* One run of traffic. */
static struct {
	unsigned frames, sent, back, asked, completed, resets;
	uint64_t seed;
	uint32_t number; /* of the run; rises, from one process to the next too */
	bool broken;	 /* it ends early: what still comes is not looked at */
	bool wrong;
} run;

static bool say(bool ok, const char *format, ...)
{
	va_list arguments;

	printf(ok ? "ok: " : "FAILED: ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	failed |= !ok;
	return ok;
}

/* ---- frames whose number says all that is in them ---- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static size_t make_frame(unsigned number, uint8_t *frame)
{
	uint64_t at = mix(run.seed + number);
	size_t length = LEAST + at % (MOST - LEAST + 1);

	memcpy(frame, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	frame[12] = ECHO_TYPE >> 8;
	frame[13] = ECHO_TYPE & 0xff;
	message_put(frame + 14, 4, number);
	message_put(frame + 18, 4, run.number);
	for (size_t i = 22; i < length; i++)
		frame[i] = (uint8_t)(mix(at + i / 8) >> 8 * (i % 8));
	return length;
}

static void on_frame(void *ctx, const uint8_t *msg, size_t len)
{
	uint8_t want[MOST];
	const uint8_t *frame = msg + HF_MSG_HEADER_BYTES;
	size_t length;

	(void)ctx;
	len -= HF_MSG_HEADER_BYTES;
	if (run.broken || len < LEAST || frame[12] != ECHO_TYPE >> 8 || frame[13] != (ECHO_TYPE & 0xff))
		return;				     /* some other talk of the wire's kernel */
	if (message_get(frame + 18, 4) < run.number) /* of a run before, which ended early */
		return;
	length = make_frame(run.back, want);
	if (!run.wrong && (len != length || memcmp(frame, want, len))) {
		run.wrong = true;
		say(false, "run %u, frame %u came as frame %u of run %u, %zu octets instead of %zu",
			(unsigned)run.number, run.back, (unsigned)message_get(frame + 14, 4),
			(unsigned)message_get(frame + 18, 4), len, length);
	}
	run.back++;
}

static void on_event(void *ctx, const uint8_t *msg, size_t len)
{
	(void)ctx, (void)msg, (void)len;
}

static void on_completion(void *ctx, unsigned command, uint32_t id, int status, uint64_t tag)
{
	(void)ctx, (void)tag;
	if (run.broken)
		return;
	/* No such entry: the answer is STALE. */
	if (!run.wrong &&
		(command != HF_COMMAND_RELEASE || id != STALE_ID + run.completed % 8 || status != HF_STATUS_STALE)) {
		run.wrong = true;
		say(false, "completion %u: command %u, id 0x%x, status %d", run.completed, command, (unsigned)id,
			status);
	}
	run.completed++;
}

static void on_reset(void *ctx)
{
	(void)ctx;
	run.resets++;
}

static const struct device_events events = { on_frame, on_event, on_completion, on_reset, NULL };

/* ---- opening ---- */

static bool open_board(void)
{
	char why[TRANSPORT_WHY_BYTES > DEVICE_FAULT_BYTES ? TRANSPORT_WHY_BYTES : DEVICE_FAULT_BYTES] = "";
	int rc = transport_open(uri, OPEN_MS, &transport, why);

	if (rc)
		return say(false, "opening %s: %s (%s)", uri, strerror(-rc), why);
	rc = device_open(transport, &events, NULL, OPEN_MS, &dev, why);
	if (!rc)
		return true;
	transport_close(transport);
	return say(false, "opening the board at %s: %s (%s)", uri, strerror(-rc), why);
}

static void close_board(void)
{
	device_close(dev);
	dev = NULL;
}

/* ---- steps ---- */

/* A register that is written and read back, its bits, and what was there before. */
static bool back_and_forth(uint32_t offset, uint32_t mask)
{
	uint32_t before, value;
	bool ok = !device_reg_read(dev, offset, &before);

	for (unsigned i = 0; i < 34 && ok; i++) {
		const uint32_t pattern = (i < 32 ? 1u << i : i == 32 ? 0x55555555u : ~0u) & mask;

		ok = !device_reg_write(dev, offset, pattern) && !device_reg_read(dev, offset, &value) &&
		     value == pattern;
		if (!ok)
			say(false, "register 0x%x: wrote 0x%x, read 0x%x", (unsigned)offset, (unsigned)pattern,
				(unsigned)value);
	}
	return ok && !device_reg_write(dev, offset, before);
}

static bool selftest(unsigned n)
{
	uint32_t id = 0, version = 0, status = 0, value;
	bool ok;

	(void)n;
	ok = !device_reg_read(dev, HF_REG_ID, &id) && !device_reg_read(dev, HF_REG_VERSION, &version) &&
	     !device_reg_read(dev, HF_REG_STATUS, &status);
	ok = say(ok && id == 0x54534648 && version == HF_ABI_VERSION && status & 1u << HF_STATUS_READY_LOW,
		     "identity 0x%08x, version %u, status 0x%x", (unsigned)id, (unsigned)version, (unsigned)status) &&
	     ok;
	ok = say(back_and_forth(HF_REG_LOCAL_ADDR2, ~0u) && back_and_forth(HF_REG_RCV_WND, 0x3fffffff) &&
			     back_and_forth(HF_REG_SYN_RTO_MS, 0xffff) && back_and_forth(HF_REG_TTL, 0xff),
		     "registers keep what is written to them, and no other bits") &&
	     ok;
	ok = say(device_reg_write(dev, HF_REG_ID, 0) == -EACCES && device_reg_read(dev, 0xffc, &value) == -ENXIO &&
			     device_reg_read(dev, 2, &value) == -ENXIO,
		     "read-only and unknown registers are refused") &&
	     ok;
	return ok;
}

/* Keep WINDOW frames and as many commands under way until `frames` are back, or `until` of them. */
static bool traffic(unsigned until)
{
	int64_t last = clock_ms();
	unsigned seen = run.back + run.completed;
	uint8_t frame[MOST];

	while ((run.back < until || run.completed < run.asked) && !run.wrong && !run.resets) {
		while (run.sent < run.frames && run.sent - run.back < WINDOW && device_frame_room(dev)) {
			if (device_frame(dev, frame, make_frame(run.sent, frame)))
				break;
			run.sent++;
			if (device_command(dev, HF_COMMAND_RELEASE, STALE_ID + run.asked % 8))
				return say(false, "command %u: %s", run.asked, device_fault(dev));
			run.asked++;
		}
		if (device_pump(dev, 100) < 0)
			return say(false, "after %u frames: %s", run.back, device_fault(dev));
		if (run.back + run.completed != seen) {
			seen = run.back + run.completed;
			last = clock_ms();
		} else if (clock_ms() - last > QUIET_MS) {
			return say(false, "lost: %u frames sent, %u back; %u commands, %u completed", run.sent,
				run.back, run.asked, run.completed);
		}
	}
	return !run.wrong;
}

static void begin(unsigned frames)
{
	const uint64_t seed = run.seed + 0x9e3779b97f4a7c15;
	const uint32_t number = run.number + 1;

	memset(&run, 0, sizeof(run));
	run.frames = frames;
	run.seed = seed;
	run.number = number;
}

/* Commands of a run that ended early: those the board never saw get no completion. */
static bool settle(void)
{
	for (int64_t end = clock_ms() + QUIET_MS; device_commands_pending(dev) && clock_ms() < end;) {
		if (device_pump(dev, 10) < 0)
			return say(false, "settling: %s", device_fault(dev));
	}
	return !device_commands_pending(dev) || say(false, "%u commands hang", device_commands_pending(dev));
}

static bool stress(unsigned n)
{
	int64_t start = clock_ms();

	begin(n);
	return traffic(n) &&
	       say(run.back == n && run.completed == n && !run.resets,
		       "%u frames there and back and %u completions in %lld ms, none lost, doubled or overtaken",
		       run.back, run.completed, (long long)(clock_ms() - start));
}

static bool flr(unsigned n)
{
	struct pcie_bus *bus = pcie_rings_bus(transport);
	uint32_t value;

	if (!bus)
		return say(false, "%s is no PCIe card", uri);
	if (device_reg_write(dev, HF_REG_LOCAL_ADDR3, 0x0badcafe))
		return say(false, "register LOCAL_ADDR3: %s", device_fault(dev));
	for (unsigned i = 0; i < n; i++) {
		int rc;

		begin(1000);
		if (!traffic((unsigned)(mix(run.seed) % 40)))
			return false;
		/* Frames and completions are under way in both directions. */
		run.broken = true;
		rc = bus->ops->reset(bus, false);
		if (rc)
			return say(false, "reset %u: %s", i, strerror(-rc));
		rc = pcie_rings_restart(transport, RESTART_MS);
		if (rc)
			return say(false, "reset %u: rings: %s", i, strerror(-rc));
		/* HELLO comes first, and tells the driver that what it waits for is gone. */
		run.resets = 0;
		for (int64_t end = clock_ms() + QUIET_MS; !run.resets && clock_ms() < end;) {
			if (device_pump(dev, 100) < 0)
				return say(false, "reset %u: %s", i, device_fault(dev));
		}
		if (run.resets != 1)
			return say(false, "reset %u: %u HELLOs", i, run.resets);
		/* KEEP_ON_FLR: the core was not reset. */
		if (device_reg_read(dev, HF_REG_LOCAL_ADDR3, &value) || value != 0x0badcafe)
			return say(false, "reset %u: LOCAL_ADDR3 is 0x%x", i, (unsigned)value);
		if (!settle())
			return false;
		begin(20);
		if (!traffic(20))
			return false;
	}
	return say(true, "%u resets in the middle of traffic; the table was kept, traffic went on", n);
}

static bool reopen(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		begin(1000);
		if (!traffic((unsigned)(mix(run.seed) % 40)))
			return false;
		run.broken = true;
		close_board();
		if (!open_board())
			return false;
		begin(20);
		if (!traffic(20))
			return false;
	}
	return say(true, "closed under traffic and opened again %u times", n);
}

static const struct {
	const char *name;
	bool (*step)(unsigned n);
} steps[] = { { "selftest", selftest }, { "stress", stress }, { "flr", flr }, { "reopen", reopen } };

int main(int argc, char **argv)
{
	if (argc < 3 || !transport_uri_ok(argv[1])) {
		fprintf(stderr, "usage: driver URI selftest|stress=N|flr=N|reopen=N...\n");
		return 2;
	}
	uri = argv[1];
	run.broken = true;
	run.number = (uint32_t)clock_ms();
	if (!open_board())
		return 1;
	for (int i = 2; i < argc && dev; i++) {
		const char *equals = strchr(argv[i], '=');
		size_t length = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
		unsigned k = 0;

		while (k < sizeof(steps) / sizeof(steps[0]) &&
			(strlen(steps[k].name) != length || strncmp(argv[i], steps[k].name, length)))
			k++;
		if (k == sizeof(steps) / sizeof(steps[0])) {
			fprintf(stderr, "driver: no step '%s'\n", argv[i]);
			return 2;
		}
		if (!steps[k].step(equals ? (unsigned)atoi(equals + 1) : 0))
			failed = true;
	}
	device_close(dev);
	return failed;
}
