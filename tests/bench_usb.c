/* SPDX-License-Identifier: Apache-2.0
 * bench_usb.c - what a message costs the host on USB, and how many bytes go through, with unmodified libusb on umockdev: rows for
 * build/bench.json, one a line, into the file that HF_BENCH_ROWS names. Like build/bench_transport for the other transports. */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "../driver/clock.h"
#include "../driver/message.h"
#include "../driver/transport.h"
#include "support_bench.h"
#include "support_usb.h"

enum {
	MESSAGES = 2000,
	WARM_UP = 200,
	AT_ONCE = 256,
	BYTES = 4 << 20,
	MESSAGE = 16 + 1514,
	TRIES = 3,
	WAIT_MS = 10000
};

static bool have_umockdev;
static FILE *rows;

static double seconds(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void row(const char *name, double value, const char *unit, const char *note)
{
	printf("\n%-34s %14.10g %-7s %s", name, value, unit, note);
	if (rows)
		fprintf(rows, "  {\"name\": \"%s\", \"value\": %.10g, \"unit\": \"%s\", \"note\": \"%s\"}\n", name,
			value, unit, note);
}

static bool wait_for(struct transport *t)
{
	struct pollfd p = { transport_fd(t), POLLIN | POLLOUT, 0 };

	return poll(&p, 1, WAIT_MS) == 1;
}

/* Register reads, and their answers. */
static bool exchange(struct transport *t, unsigned count)
{
	uint8_t msg[TRANSPORT_MESSAGE_MAX], read[24] = { 0 };
	unsigned sent = 0, answered = 0;

	PUT(read, HEADER, type, HF_MSG_REG_READ);
	PUT(read, HEADER, length, sizeof(read));
	PUT(read, HEADER, id, HF_REG_ID);
	while (answered < count) {
		ssize_t n;

		while (sent < count && sent - answered < AT_ONCE) {
			PUT(read, HEADER, stamp, sent + 1);
			if (transport_send(t, read, sizeof(read)))
				break;
			sent++;
		}
		while ((n = transport_recv(t, msg, sizeof(msg))) > 0)
			if (GET(msg, HEADER, type) == HF_MSG_REG_REPLY && GET(msg, HEADER, stamp) != ++answered)
				return CHECK(false, "answers are not in order");
		if (!CHECK(n == -EAGAIN, "receive: %zd", n))
			return false;
		if (answered < sent && !CHECK(wait_for(t), "no answer"))
			return false;
	}
	return true;
}

static void cpu_of_a_message(void)
{
	char why[TRANSPORT_WHY_BYTES];
	struct usb_process board;
	struct transport *t;
	double rate = 0, cpu = 1;

	if (!have_umockdev) {
		bench_skip("umockdev is not installed");
		return;
	}
	if (!testbed_start() || !usb_board_start(&board, "model", "") || !testbed("plug %u", board.port))
		return;
	if (CHECK(!transport_open("usb:", WAIT_MS, &t, why), "usb: %s", why)) {
		exchange(t, WARM_UP);
		for (unsigned i = 0; i < TRIES; i++) {
			double wall = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);

			if (!exchange(t, MESSAGES))
				break;
			wall = (seconds(CLOCK_MONOTONIC) - wall) / MESSAGES;
			used = (seconds(CLOCK_PROCESS_CPUTIME_ID) - used) / MESSAGES;
			rate = 1 / wall > rate ? 1 / wall : rate;
			cpu = used < cpu ? used : cpu;
		}
		transport_close(t);
		row("messages_per_s_usb", rate, "1/s",
			"register reads answered, board process with the C model behind USB/IP and umockdev");
		row("host_cpu_ns_per_message_usb", cpu * 1e9, "ns",
			"processor time of the host for one message sent and one received; each ioctl of libusb is "
			"several "
			"socket messages of umockdev here");
	}
	testbed("unplug");
	usb_board_stop(&board);
}

static void bytes_through(void)
{
	static uint8_t msg[TRANSPORT_MESSAGE_MAX];
	static const uint8_t hello[40] = { HF_MSG_HELLO, 0, 40 };
	char why[TRANSPORT_WHY_BYTES];
	struct usb_fake fake;
	struct transport *t;
	double begin, wall;
	uint64_t bytes = 0;
	ssize_t n;

	if (!have_umockdev) {
		bench_skip("umockdev is not installed");
		return;
	}
	if (!testbed_start() || !usb_fake_start(&fake, hello, sizeof(hello)) ||
		!testbed("plug %u", usbip_server_port(fake.server)))
		return;
	if (CHECK(!transport_open("usb:", WAIT_MS, &t, why), "usb: %s", why)) {
		MSG_PUT(msg, HEADER, length, MESSAGE);
		begin = seconds(CLOCK_MONOTONIC);
		for (uint64_t sent = 0; sent < BYTES;) {
			int rc = transport_send(t, msg, MESSAGE);

			sent += rc ? 0 : MESSAGE;
			if (rc) {
				while (transport_recv(t, msg, sizeof(msg)) > 0)
					;
				MSG_PUT(msg, HEADER, length, MESSAGE);
				if (!CHECK(rc == -EAGAIN && wait_for(t), "send: %d", rc))
					break;
			}
		}
		wall = seconds(CLOCK_MONOTONIC) - begin;
		row("usb_mb_per_s_down", BYTES / wall * 1e-6, "MB/s",
			"messages of 1,530 bytes, host to card, through libusb, umockdev and USB/IP; the card only "
			"counts");
		pthread_mutex_lock(&fake.lock);
		fake.source = MESSAGE;
		pthread_mutex_unlock(&fake.lock);
		begin = seconds(CLOCK_MONOTONIC);
		while (bytes < BYTES) {
			n = transport_recv(t, msg, sizeof(msg));
			bytes += n > 0 ? (uint64_t)n : 0;
			if (n <= 0 && !CHECK(n == -EAGAIN && wait_for(t), "receive: %zd", n))
				break;
		}
		wall = seconds(CLOCK_MONOTONIC) - begin;
		row("usb_mb_per_s_up", BYTES / wall * 1e-6, "MB/s", "likewise, card to host");
		transport_close(t);
	}
	testbed("unplug");
	usb_fake_stop(&fake);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE_ONCE(cpu_of_a_message), CASE_ONCE(bytes_through), { 0 } };
	const char *path = getenv("HF_BENCH_ROWS");
	int result;

	have_umockdev = usb_preload(argv);
	rows = path ? fopen(path, "we") : NULL;
	result = bench_main(argc, argv, "bench_usb", cases);
	if (rows && fclose(rows))
		result = 1;
	testbed_stop();
	return result;
}
