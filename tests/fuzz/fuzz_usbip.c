/* SPDX-License-Identifier: Apache-2.0
 * fuzz_usbip.c - libFuzzer harness: a client of the USB/IP server (sim/usb/usbip_server.c) says what the input holds, then dies. The server, its
 * device, chip and card live on; after each input the next client must be served.
 *
 * Input: a list of pieces. Octet 0, bits 1:0: 0 octets as they are; 1 a CMD_SUBMIT whose command and data are put right; 2 a
 * CMD_UNLINK; 3 nothing. Bit 2: answers are read. Octet 1: length, that many octets follow. Octet 0 of the first piece with bit 7: no import before. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sim/usb/chip_functional.h"
#include "../../sim/usb/usbip_server.h"

enum { HEADER = 48, ROUNDS = 8, BUFFER = 1 << 19 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct usbip_server *server;
static struct chip_functional chip;
static struct card_link *card;

static void start(void)
{
	static const uint8_t hello[40] = { 8, 0, 40 };
	char error[128];

	card = card_link_new();
	card_link_hello(card, hello, sizeof(hello));
	chip_functional_init(&chip, card);
	if (usbip_server_open("127.0.0.1:0", &chip_functional_ops, &chip, &server, error, sizeof(error)))
		abort();
}

static void run(void)
{
	size_t len;

	for (unsigned i = 0; i < ROUNDS; i++) {
		chip.now += 1000;
		if (card_link_due(card) <= chip.now)
			card_link_tick(card, chip.now);
		usbip_server_run(server);
		while (card_link_h2c(card, &len))
			card_link_h2c_done(card);
	}
	usbip_server_error(server);
}

static int join(void)
{
	int pair[2], size = BUFFER;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
		abort();
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (!usbip_server_add(server, pair[1]))
		abort(); /* a place was not given back */
	return pair[0];
}

static const uint8_t import[40] = { 1, 0x11, 0x80, 3, 0, 0, 0, 0, '1', '-', '1' };

static void read_all(int fd)
{
	uint8_t bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static void say(int fd, const uint8_t *bytes, size_t n)
{
	if (n && send(fd, bytes, n, MSG_NOSIGNAL) < 0 && errno != EAGAIN && errno != EPIPE && errno != ECONNRESET)
		abort();
}

static void piece(int fd, unsigned what, const uint8_t *data, size_t n)
{
	uint8_t h[HEADER] = { 0 };
	size_t length;

	if (what == 0) {
		say(fd, data, n);
	} else if (what < 3) {
		memcpy(h, data, n < HEADER ? n : HEADER);
		memcpy(h, (const uint8_t[]){ 0, 0, 0, (uint8_t)what }, 4);
		length = n > HEADER ? n - HEADER : 0;
		if (what == 1) {
			memset(h + 12, 0, 3);
			h[15] &= 1;
			memset(h + 16, 0, 3);
			h[19] &= 7;
			memset(h + 32, 0xff, 4);
			if (!h[15])
				memcpy(h + 24, (const uint8_t[]){ 0, 0, (uint8_t)(length >> 8), (uint8_t)length }, 4);
			else
				memset(h + 24, 0, 2);
		}
		say(fd, h, sizeof(h));
		if (what == 1 && !h[15])
			say(fd, data + HEADER, length);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t answer[8];
	int fd;

	if (!server)
		start();
	fd = join();
	if (!size || !(data[0] & 0x80))
		say(fd, import, sizeof(import));
	while (size >= 2) {
		size_t n = data[1] < size - 2 ? data[1] : size - 2;

		piece(fd, data[0] & 3, data + 2, n);
		run();
		if (data[0] & 4)
			read_all(fd);
		data += 2 + n;
		size -= 2 + n;
	}
	close(fd);
	run();
	/* The next one is served. */
	fd = join();
	say(fd, import, sizeof(import));
	run();
	if (recv(fd, answer, sizeof(answer), 0) != sizeof(answer) || answer[7])
		abort();
	close(fd);
	run();
	return 0;
}
