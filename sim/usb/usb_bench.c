/* SPDX-License-Identifier: Apache-2.0
 * usb_bench.c - see usb_bench.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "../../driver/link.h"
#include "../../regs/regs.h"
#include "usb_bench.h"
#include "usb_board.h"

#define FRAME_BYTES   1514u
#define EVENT_BYTES   128u
#define RUN_CYCLES    400000u /* 2.56 ms */
#define WARM_CYCLES   60000u
#define OPEN_CYCLES   2000000u
#define MESSAGE_BYTES (FRAME_BYTES + HF_MSG_HEADER_BYTES)

struct rig {
	struct sim *sim;
	struct usb_board *board;
	struct ft2232h *chip;
	struct link *link;
	uint8_t out[2048];
	size_t out_len, out_at;
	bool up, down; /* keep that direction busy */
	uint64_t up_bytes, down_bytes;
	uint64_t first_beat; /* cycle of the last message's */
};

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct rig *r = ctx;

	(void)frame;
	(void)cycle;
	(void)time_ns;
	r->down_bytes += len + HF_MSG_HEADER_BYTES;
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct rig *r = ctx;

	(void)msg;
	(void)len;
	(void)time_ns;
	r->first_beat = cycle;
}

/* A frame of no protocol that the core knows: it goes through in both directions. */
static void message(uint8_t *m, size_t len)
{
	memset(m, 0, len);
	m[HF_AT_HEADER_type] = HF_MSG_FRAME;
	m[HF_AT_HEADER_length] = (uint8_t)len;
	m[HF_AT_HEADER_length + 1] = (uint8_t)(len >> 8);
	m[HF_MSG_HEADER_BYTES + 12] = 0x88;
	m[HF_MSG_HEADER_BYTES + 13] = 0xb5;
}

static void usb(struct rig *r)
{
	static uint8_t in[FT2232H_PACKET], msg[1 << 14];
	const int64_t now = (int64_t)(r->sim->time_ps / 1000000);
	ssize_t len;
	size_t n;

	while ((n = ft2232h_bulk_in(r->chip, in)) != 0)
		link_input(r->link, in + 2, n - 2, now);
	while ((len = link_recv(r->link, msg, sizeof msg)) > 0)
		r->up_bytes += (uint64_t)len;
	if (link_due(r->link) <= now)
		link_tick(r->link, now);
	message(msg, MESSAGE_BYTES);
	while (r->down && link_room(r->link) && !link_send(r->link, msg, MESSAGE_BYTES))
		;
	while (true) {
		if (r->out_at == r->out_len) {
			r->out_at = 0;
			r->out_len = link_output(r->link, r->out, sizeof r->out, now);
		}
		n = r->out_len - r->out_at < FT2232H_PACKET ? r->out_len - r->out_at : FT2232H_PACKET;
		if (!n || !ft2232h_bulk_out(r->chip, r->out + r->out_at, n))
			return;
		r->out_at += n;
	}
}

static void run(struct rig *r, uint64_t cycles)
{
	static uint8_t m[MESSAGE_BYTES];

	message(m, sizeof m);
	for (uint64_t i = 0; i < cycles; i += 20) {
		while (r->up && sim_rx_pending(r->sim) < 2)
			sim_rx(r->sim, m + HF_MSG_HEADER_BYTES, FRAME_BYTES, false);
		sim_run(r->sim, 20);
		usb(r);
	}
}

static void share(struct rig *r, bool up, bool down, double *up_pct, double *down_pct)
{
	uint64_t clocks_fs;

	r->up = up;
	r->down = down;
	run(r, WARM_CYCLES);
	r->up_bytes = r->down_bytes = 0;
	clocks_fs = r->sim->time_ps;
	run(r, RUN_CYCLES);
	clocks_fs = r->sim->time_ps - clocks_fs;
	*up_pct = 100.0 * (double)r->up_bytes / ((double)clocks_fs * 60e6 / 1e12);
	*down_pct = 100.0 * (double)r->down_bytes / ((double)clocks_fs * 60e6 / 1e12);
	r->up = r->down = false;
	run(r, WARM_CYCLES);
}

static int latency(struct rig *r, struct usb_bench *b)
{
	static uint8_t m[EVENT_BYTES];
	const uint64_t before = r->first_beat, until = r->sim->cycle + 100000;
	uint8_t packet[FT2232H_PACKET];
	uint64_t first = 0;
	size_t n = 0;

	message(m, sizeof m);
	sim_rx(r->sim, m + HF_MSG_HEADER_BYTES, EVENT_BYTES - HF_MSG_HEADER_BYTES, false);
	while (!n && r->sim->cycle < until) {
		sim_step(r->sim);
		if (!first && ft2232h_in_bytes(r->chip))
			first = r->sim->cycle;
		n = ft2232h_in_bytes(r->chip) > EVENT_BYTES ? ft2232h_bulk_in(r->chip, packet) : 0;
	}
	if (!n || r->first_beat == before)
		return -EIO;
	link_input(r->link, packet + 2, n - 2, (int64_t)(r->sim->time_ps / 1000000));
	b->first_byte_cycles = (double)(first - r->first_beat);
	b->sent_cycles = (double)(r->sim->cycle - r->first_beat);
	return 0;
}

int usb_bench(struct usb_bench *b)
{
	static struct rig r;
	double unused;
	int rc = -ENOMEM;

	memset(&r, 0, sizeof r);
	r.sim = sim_open(ENGINE_MODEL, ENGINE_DEFAULT, 1);
	r.link = link_new(LINK_ASK_US);
	if (!r.sim || !r.link || usb_board_open(&r.board, r.sim, 1))
		goto out;
	r.chip = usb_board_chip(r.board);
	r.sim->ctx = &r;
	r.sim->on.tx = on_tx;
	r.sim->on.c2h = on_c2h;
	ft2232h_control(r.chip, 0x40, FT2232H_SET_BITMODE, FT2232H_BITMODE_SYNCFF << 8, 1, NULL, 0);
	run(&r, 2000);
	link_open(r.link, 0);
	for (uint64_t i = 0; i < OPEN_CYCLES && !r.up_bytes; i += 2000)
		run(&r, 2000);
	run(&r, WARM_CYCLES);
	sim_reg_write(r.sim, HF_REG_CTRL, 1u << HF_CTRL_ENABLE_LOW);
	rc = latency(&r, b);
	if (rc)
		goto out;
	share(&r, true, false, &b->up_pct, &unused);
	share(&r, false, true, &unused, &b->down_pct);
	share(&r, true, true, &b->both_up_pct, &b->both_down_pct);
	rc = b->up_pct > 0 && b->down_pct > 0 ? 0 : -EIO;
out:
	usb_board_close(r.board);
	sim_close(r.sim);
	link_free(r.link);
	return rc;
}
