/* SPDX-License-Identifier: Apache-2.0
 * support_xvc.c - JTAG of an ECP5 and a SPI flash behind Xilinx Virtual Cable (support_xvc.h). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_xvc.h"

/* IEEE 1149.1 states; next[state][tms]. */
enum tap {
	RESET,
	IDLE,
	SELECT_DR,
	CAPTURE_DR,
	SHIFT_DR,
	EXIT1_DR,
	PAUSE_DR,
	EXIT2_DR,
	UPDATE_DR,
	SELECT_IR,
	CAPTURE_IR,
	SHIFT_IR,
	EXIT1_IR,
	PAUSE_IR,
	EXIT2_IR,
	UPDATE_IR
};
static const uint8_t next[16][2] = { [RESET] = { IDLE, RESET },
	[IDLE] = { IDLE, SELECT_DR },
	[SELECT_DR] = { CAPTURE_DR, SELECT_IR },
	[CAPTURE_DR] = { SHIFT_DR, EXIT1_DR },
	[SHIFT_DR] = { SHIFT_DR, EXIT1_DR },
	[EXIT1_DR] = { PAUSE_DR, UPDATE_DR },
	[PAUSE_DR] = { PAUSE_DR, EXIT2_DR },
	[EXIT2_DR] = { SHIFT_DR, UPDATE_DR },
	[UPDATE_DR] = { IDLE, SELECT_DR },
	[SELECT_IR] = { CAPTURE_IR, RESET },
	[CAPTURE_IR] = { SHIFT_IR, EXIT1_IR },
	[SHIFT_IR] = { SHIFT_IR, EXIT1_IR },
	[EXIT1_IR] = { PAUSE_IR, UPDATE_IR },
	[PAUSE_IR] = { PAUSE_IR, EXIT2_IR },
	[EXIT2_IR] = { SHIFT_IR, UPDATE_IR },
	[UPDATE_IR] = { IDLE, SELECT_DR } };

/* Instructions, FPGA-TN-02039 table 6.4. */
enum {
	IR_ENABLE = 0xc6,
	IR_DISABLE = 0x26,
	IR_ERASE = 0x0e,
	IR_INIT_ADDRESS = 0x46,
	IR_BURST = 0x7a,
	IR_STATUS = 0x3c,
	IR_IDCODE = 0xe0,
	IR_USERCODE = 0xc0,
	IR_BUSY = 0xf0,
	IR_SPI = 0x3a,
	IR_REFRESH = 0x79
};
enum { STATUS_DONE = 1 << 8, STATUS_ISC = 1 << 9, STATUS_FAIL = 1 << 13, STATUS_BSE = 2 << 23 };

struct chip {
	struct xvc *x;
	int tap;
	uint8_t ir, ir_shift;
	uint64_t dr; /* what is shifted out, and in at bit 31 or 7 */
	unsigned width;
	bool isc, erased, addressed, failed, spi;
	/* octets, most significant bit first */
	uint8_t octet;
	unsigned bits;
	/* the flash */
	uint8_t command[4], miso;
	unsigned octets;
	uint32_t address;
	uint8_t page[256];
	unsigned page_len;
	bool write_enabled, cut;
};

static void fault(struct chip *c, const char *what)
{
	if (!*c->x->fault)
		snprintf(c->x->fault, sizeof c->x->fault, "%s", what);
}

/* ---- the flash: 4 MiB, a Winbond W25Q32 ---- */

static uint8_t flash_answer(const struct chip *c)
{
	static const uint8_t id[] = { 0xef, 0x40, 0x16, 0 };
	const unsigned n = c->octets;

	if (c->x->flash_gone)
		return 0xff;
	switch (c->command[0]) {
	case 0x9f:
		return n <= 4 ? id[n - 1] : 0;
	case 0x05:
		return c->write_enabled ? 2 : 0;
	case 0x03:
		return n >= 4 ? c->x->flash[(c->address + n - 4) % XVC_FLASH] : 0;
	default:
		return 0;
	}
}

/* An octet from the master has come. */
static void flash_octet(struct chip *c, uint8_t octet)
{
	if (c->octets < 4)
		c->command[c->octets] = octet;
	c->octets++;
	if (c->octets == 4)
		c->address = (uint32_t)c->command[1] << 16 | (uint32_t)c->command[2] << 8 | c->command[3];
	if (c->command[0] == 0x02 && c->octets > 4 && c->page_len < sizeof c->page)
		c->page[c->page_len++] = octet;
	c->miso = flash_answer(c);
}

/* Chip select goes high: the command is carried out. */
static void flash_end(struct chip *c)
{
	struct xvc *x = c->x;
	uint32_t size = 0;

	if (x->flash_gone)
		return;
	switch (c->command[0]) {
	case 0x06:
		c->write_enabled = true;
		return;
	case 0x04:
		c->write_enabled = false;
		return;
	case 0x20:
		size = 0x1000;
		break;
	case 0xd8:
		size = 0x10000;
		break;
	case 0xc7:
		size = XVC_FLASH;
		c->address = 0;
		break;
	case 0x02:
		if (!c->write_enabled) {
			x->writes_locked++;
			return;
		}
		x->pages++;
		for (unsigned i = 0; i < c->page_len; i++)
			x->flash[((c->address & ~255u) | ((c->address + i) & 255)) % XVC_FLASH] &=
				x->flash_forgets && !i ? (uint8_t)(c->page[i] & ~1) & 0xfe : c->page[i];
		c->write_enabled = false;
		if (x->cut_after && x->pages * 256 >= x->cut_after)
			c->cut = true;
		return;
	default:
		return;
	}
	if (c->octets < 4 && size != XVC_FLASH)
		return;
	if (!c->write_enabled) {
		x->writes_locked++;
		return;
	}
	x->erases++;
	memset(x->flash + (c->address & ~(size - 1)) % XVC_FLASH, 0xff, size);
	c->write_enabled = false;
}

/* ---- the FPGA ---- */

static void capture_dr(struct chip *c)
{
	c->width = 32;
	c->octet = 0;
	c->bits = 0;
	c->octets = 0;
	c->page_len = 0;
	c->miso = 0xff;
	memset(c->command, 0, sizeof c->command);
	switch (c->ir) {
	case IR_IDCODE:
		c->dr = c->x->idcode;
		c->x->id_reads++;
		break;
	case IR_USERCODE:
		c->dr = 0;
		break;
	case IR_STATUS:
		c->dr = (c->x->done ? STATUS_DONE : 0) | (c->isc ? STATUS_ISC : 0) |
			(c->failed ? STATUS_FAIL | STATUS_BSE : 0);
		break;
	case IR_BUSY:
		c->dr = 0;
		break;
	default:
		c->dr = 0;
		c->width = 1;
	}
}

static void update_ir(struct chip *c)
{
	c->ir = c->ir_shift;
	c->spi = c->spi && c->ir == IR_SPI;
	switch (c->ir) {
	case IR_ENABLE:
		c->isc = true;
		c->failed = false;
		break;
	case IR_DISABLE:
		c->isc = false;
		if (c->x->loaded && !c->failed && c->erased)
			c->x->done = true;
		break;
	case IR_ERASE:
		if (!c->isc)
			fault(c, "ISC_ERASE without ISC_ENABLE");
		c->erased = true;
		c->x->done = false;
		c->x->loaded = 0;
		c->addressed = false;
		break;
	case IR_INIT_ADDRESS:
		c->addressed = true;
		break;
	case IR_BURST:
		if (!c->isc || !c->erased || !c->addressed)
			fault(c, "LSC_BITSTREAM_BURST without ISC_ENABLE, ISC_ERASE and LSC_INIT_ADDRESS before it");
		break;
	case IR_REFRESH:
		c->x->refreshes++;
		/* The FPGA loads itself from the flash. */
		c->isc = false;
		c->x->done = memmem(c->x->flash, 256, "\xff\xff\xbd\xb3", 4) != NULL;
		break;
	}
}

static bool shift_dr(struct chip *c, bool tdi)
{
	bool tdo = c->dr & 1;

	if (c->ir == IR_SPI && c->spi)
		tdo = c->miso >> (7 - c->bits) & 1;
	c->dr = c->dr >> 1 | (uint64_t)tdi << (c->width - 1);
	c->octet = (uint8_t)(c->octet << 1 | tdi);
	if (++c->bits < 8)
		return tdo;
	c->bits = 0;
	if (c->ir == IR_BURST) {
		if (c->x->loaded < XVC_BITSTREAM_MAX)
			c->x->bitstream[c->x->loaded++] = c->octet;
		if (c->x->cut_after && c->x->loaded >= c->x->cut_after)
			c->cut = true;
	} else if (c->ir == IR_SPI) {
		if (c->spi)
			flash_octet(c, c->octet);
		else
			c->command[c->octets++ % 4] = c->octet;
	}
	return tdo;
}

static bool tck(struct chip *c, bool tms, bool tdi)
{
	bool tdo = true;

	switch (c->tap) {
	case SHIFT_DR:
		tdo = shift_dr(c, tdi);
		break;
	case SHIFT_IR:
		tdo = c->ir_shift & 1;
		c->ir_shift = (uint8_t)(c->ir_shift >> 1 | tdi << 7);
		break;
	}
	c->tap = next[c->tap][tms];
	switch (c->tap) {
	case RESET:
		c->ir = IR_IDCODE;
		c->spi = false;
		break;
	case CAPTURE_DR:
		capture_dr(c);
		break;
	case CAPTURE_IR:
		c->ir_shift = 1;
		break;
	case UPDATE_IR:
		update_ir(c);
		break;
	case UPDATE_DR:
		if (c->ir == IR_BURST && c->x->refuse)
			c->failed = true;
		if (c->ir == IR_SPI) {
			/* The key 0xfe 0x68, least significant bits first, opens the way to the flash. */
			if (c->spi)
				flash_end(c);
			else if (c->octets == 2 && c->command[0] == 0x7f && c->command[1] == 0x16)
				c->spi = true;
			else
				fault(c, "LSC_PROG_SPI with another key than 0xfe 0x68");
		}
		break;
	}
	return c->x->idcode ? tdo : true;
}

/* ---- Xilinx Virtual Cable ---- */

static bool get(int s, void *data, size_t len)
{
	uint8_t *p = data;

	while (len) {
		const ssize_t n = recv(s, p, len, 0);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool put(int s, const void *data, size_t len)
{
	return send(s, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void serve(int s, struct xvc *x)
{
	static uint8_t tms[1 << 16], tdi[1 << 16], tdo[1 << 16];
	struct chip *c = calloc(1, sizeof *c);
	const int on = 1;
	char word[8];

	if (!c)
		return;
	c->x = x;
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	for (;;) {
		uint8_t four[4];

		setsockopt(s, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
		if (!get(s, word, 2))
			break;
		if (!memcmp(word, "ge", 2)) {
			static const char info[] = "xvcServer_v1.0:2048\n";

			if (!get(s, word, 6) || !put(s, info, sizeof info - 1))
				break;
		} else if (!memcmp(word, "se", 2)) {
			if (!get(s, word, 5) || !get(s, four, 4) || !put(s, four, 4))
				break;
		} else if (!memcmp(word, "sh", 2)) {
			uint32_t bits, bytes;

			if (!get(s, word, 4) || !get(s, four, 4))
				break;
			bits = four[0] | (uint32_t)four[1] << 8 | (uint32_t)four[2] << 16 | (uint32_t)four[3] << 24;
			bytes = (bits + 7) / 8;
			if (bytes > sizeof tms || !get(s, tms, bytes) || !get(s, tdi, bytes))
				break;
			memset(tdo, 0, bytes);
			for (uint32_t i = 0; i < bits && !c->cut; i++)
				tdo[i / 8] |=
					(uint8_t)(tck(c, tms[i / 8] >> i % 8 & 1, tdi[i / 8] >> i % 8 & 1) << i % 8);
			if (c->cut || !put(s, tdo, bytes))
				break;
		} else {
			fault(c, "a command that is none of XVC");
			break;
		}
	}
	free(c);
}

struct xvc *xvc_new(void)
{
	struct xvc *x = mmap(NULL, sizeof *x, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (x == MAP_FAILED)
		return NULL;
	memset(x->flash, 0xff, sizeof x->flash);
	x->idcode = 0x41111043;
	return x;
}

bool xvc_start(struct xvc *x)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	const int s = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	if (s < 0 || bind(s, (struct sockaddr *)&at, len) || listen(s, 4) ||
		getsockname(s, (struct sockaddr *)&at, &len)) {
		perror("xvc: no socket");
		close(s);
		return false;
	}
	x->port = ntohs(at.sin_port);
	pid = fork(); /* not into x yet: that is shared, and the child would put its 0 there */
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			const int client = accept(s, NULL, NULL);

			if (client < 0)
				_exit(1);
			serve(client, x);
			close(client);
		}
	}
	if (pid < 0)
		perror("xvc: fork");
	x->pid = pid;
	close(s);
	return pid > 0;
}

void xvc_stop(struct xvc *x)
{
	if (x->pid <= 0)
		return;
	kill(x->pid, SIGKILL);
	waitpid(x->pid, NULL, 0);
	x->pid = 0;
}

void xvc_free(struct xvc *x)
{
	if (!x)
		return;
	xvc_stop(x);
	munmap(x, sizeof *x);
}
