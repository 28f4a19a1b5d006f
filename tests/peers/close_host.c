/* SPDX-License-Identifier: Apache-2.0
 * close_host.c - the host of a board, for tests/peers/run, that keeps no connection: each one that is established goes
 * straight back to the engine with CLOSE. No kernel on this side: the peer needs a neighbour entry for the board's MAC.
 *
 *	close_host PATH ADDRESS PORT COUNT [PEER-ADDRESS PEER-PORT PEER-MAC]
 *
 * Listens, and opens one connection to the peer if one is given; ends when COUNT connections have ended. Prints one line
 * for each. Exit code: 0 all of them were closed in order, 1 not, 2 usage. */
#include <arpa/inet.h>
#include <netinet/ether.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/clock.h"
#include "driver/device.h"

enum { PATIENCE_MS = 30000, LOCAL_PORT = 40000 };

static struct device *board;
static unsigned ended, bad;

static void on_frame(void *ctx, const uint8_t *msg, size_t len)
{
	(void)ctx, (void)msg, (void)len; /* only what a kernel would answer: ARP, ACKs of the connection's short life */
}

static void on_event(void *ctx, const uint8_t *msg, size_t len)
{
	unsigned code = (unsigned)GET(msg, EVENT, code);

	(void)ctx, (void)len;
	if (code == HF_EVENT_ESTABLISHED) {
		bad += device_hand_back(board, msg, 0) != 0;
	} else if (code != HF_EVENT_RETRYING) {
		ended++;
		bad += code != HF_EVENT_CLOSED;
		printf("%s: event %u\n", code == HF_EVENT_CLOSED ? "closed" : "not closed", code);
		fflush(stdout);
	}
}

static void on_completion(void *ctx, unsigned command, uint32_t id, int status, uint64_t tag)
{
	(void)ctx, (void)id, (void)tag;
	if (status == HF_STATUS_OK)
		return;
	printf("command %u: status %d\n", command, status);
	bad++;
	ended++;
}

static void on_reset(void *ctx)
{
	(void)ctx;
	bad++;
}

static void put_mapped(uint8_t *at, struct in_addr addr)
{
	at[10] = at[11] = 0xff;
	memcpy(at + 12, &addr, 4);
}

static int connect_to(struct in_addr own, char **peer)
{
	uint8_t msg[DEVICE_MESSAGE_BYTES] = { 0 }, *mac = msg + HF_AT_EVENT_remote_mac;
	struct in_addr addr;

	if (inet_pton(AF_INET, peer[0], &addr) != 1 || !ether_aton_r(peer[2], (struct ether_addr *)mac))
		return -1;
	put_mapped(msg + HF_AT_EVENT_remote_addr, addr);
	put_mapped(msg + HF_AT_EVENT_local_addr, own);
	PUT(msg, EVENT, remote_port, atoi(peer[1]));
	PUT(msg, EVENT, local_port, LOCAL_PORT);
	PUT(msg, EVENT, options, 7);
	return device_connect(board, msg, 0);
}

int main(int argc, char **argv)
{
	static const struct device_events events = { on_frame, on_event, on_completion, on_reset, NULL };
	struct transport *t;
	struct in_addr own;
	char why[DEVICE_FAULT_BYTES] = "no board";
	uint32_t entries = 1;
	unsigned count;
	int64_t deadline;

	if ((argc != 5 && argc != 8) || inet_pton(AF_INET, argv[2], &own) != 1) {
		fprintf(stderr, "usage: close_host PATH ADDRESS PORT COUNT [PEER-ADDRESS PEER-PORT PEER-MAC]\n");
		return 2;
	}
	if (transport_unix_open(argv[1], 1000, &t) || device_open(t, &events, NULL, 2000, &board, why)) {
		fprintf(stderr, "close_host: %s\n", why);
		return 1;
	}
	const struct {
		uint32_t offset, value;
	} settings[] = {
		{ HF_REG_MAC_LO, 0x53464802 }, /* 02:48:46:53:54:01 */
		{ HF_REG_MAC_HI, 0x0154 },
		{ HF_REG_HEARTBEAT_MS, 0 },
		{ HF_REG_TIME_WAIT_MS, 1000 },
		{ HF_REG_LOCAL_ADDR0, ntohl(own.s_addr) },
		{ HF_REG_LISTEN_PORT, (uint32_t)atoi(argv[3]) },
		{ HF_REG_LISTEN_BACKLOG, 64 },
		{ HF_REG_LISTEN_COMMIT, 1u << HF_LISTEN_COMMIT_MODE_LOW },
		{ HF_REG_CTRL, 1u << HF_CTRL_ENABLE_LOW },
	};
	for (unsigned i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		bad += device_reg_write(board, settings[i].offset, settings[i].value) != 0;
	count = (unsigned)atoi(argv[4]);
	puts("open");
	fflush(stdout);
	if (argc == 8)
		bad += connect_to(own, argv + 5) != 0;
	for (deadline = clock_ms() + PATIENCE_MS; ended < count && clock_ms() < deadline;)
		bad += device_pump(board, 100) < 0;
	/* TIME-WAIT ends by itself. */
	for (deadline = clock_ms() + 1500; clock_ms() < deadline;)
		device_pump(board, 100);
	device_reg_read(board, HF_REG_ENTRIES, &entries);
	printf("%u ended, %u badly, %u entries left\n", ended, bad, (unsigned)entries);
	bad += entries || ended != count;
	device_close(board);
	return bad != 0;
}
