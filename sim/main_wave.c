/* SPDX-License-Identifier: Apache-2.0
 * main_wave.c - one handshake at the pins of the RTL, as ASCII waveforms: the drawing of docs/architecture.md.
 * Cycle 0 is the last beat of the SYN, then of the ACK. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../regs/regs.h"
#include "packet.h"
#include "sim.h"
#include "traffic.h"

#define BEFORE 8 /* cycles shown before the last beat of the frame that comes in; the rest is after it */
#define SHOWN  46

static const uint8_t our_mac[6] = { 0x02, 0xf0, 0x0d, 0, 0, 1 }; /* as in `settings` */

/* What the output pins and the driven inputs showed, by cycle since recording began. */
struct wave {
	char rx[4096], trace[4096], tx[4096], c2h[4096];
	uint64_t from, last_beat;
	uint32_t iss;
};

static char mark(uint64_t valid, uint64_t last)
{
	return !valid ? '.' : last ? 'L' : '#';
}

static void on_clock(void *ctx, const struct hf_in *in, uint64_t cycle)
{
	struct wave *w = ctx;

	if (cycle - w->from < sizeof(w->rx))
		w->rx[cycle - w->from] = mark(in->s_axis_rx_tvalid, in->s_axis_rx_tlast);
}

static void on_rx_done(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t stamp)
{
	struct wave *w = ctx;

	(void)frame, (void)len, (void)stamp;
	w->last_beat = cycle;
}

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct wave *w = ctx;
	struct packet p;

	(void)cycle, (void)time_ns;
	if (packet_parse(frame, len, &p))
		w->iss = p.seq;
}

static void send(struct sim *s, struct wave *w, uint8_t flags, uint32_t seq, uint32_t ack, const char *name)
{
	struct segment g = { .src_addr = 0xc0000201,
		.dst_addr = 0xc0000202,
		.src_port = 49152,
		.dst_port = 80,
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.wnd = 65535 };
	struct frame f;
	unsigned begin;

	memcpy(g.dst_mac, our_mac, 6);
	memcpy(g.src_mac, "\x02\0\0\0\0\x01", 6);
	traffic_tcp(&f, &g);
	w->from = s->cycle;
	if (sim_rx(s, f.data, f.len, false))
		exit(1);
	for (unsigned i = 0; i < 200; i++) {
		w->trace[i] = mark(s->out.trc_valid, 0);
		w->tx[i] = mark(s->out.m_axis_tx_tvalid, s->out.m_axis_tx_tlast);
		w->c2h[i] = mark(s->out.m_axis_c2h_tvalid, s->out.m_axis_c2h_tlast);
		sim_step(s);
	}
	begin = (unsigned)(w->last_beat - w->from) - (BEFORE - 1);
	printf("%s\n\n            ", name);
	for (int c = 1 - BEFORE; c < SHOWN - BEFORE + 1; c++)
		putchar(c % 10 == 0 ? '0' + c / 10 % 10 : c % 5 == 0 ? '|' : ' ');
	printf("  cycle / 10\n s_axis_rx  %.*s\n trc        %.*s\n m_axis_tx  %.*s\n m_axis_c2h %.*s\n\n", SHOWN,
		w->rx + begin, SHOWN, w->trace + begin, SHOWN, w->tx + begin, SHOWN, w->c2h + begin);
}

int main(int argc, char **argv)
{
	static struct wave w;
	struct sim *s = sim_open(ENGINE_RTL, ENGINE_DEFAULT, 1);
	const uint32_t settings[][2] = { { HF_REG_MAC_LO, 0x000df002 }, { HF_REG_MAC_HI, 0x0100 },
		{ HF_REG_HEARTBEAT_MS, 0 }, { HF_REG_LOCAL_ADDR0, 0xc0000202 }, { HF_REG_LISTEN_PORT, 80 },
		{ HF_REG_LISTEN_BACKLOG, 16 }, { HF_REG_LISTEN_COMMIT, 1 << HF_LISTEN_COMMIT_MODE_LOW },
		{ HF_REG_CTRL, 1 << HF_CTRL_ENABLE_LOW } };

	(void)argv;
	if (argc != 1 || !s) {
		fputs(s ? "usage: wave\n" : "wave: out of memory\n", stderr);
		return 2;
	}
	while (!s->out.ready)
		sim_step(s);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		sim_reg_write(s, settings[i][0], settings[i][1]);
	sim_settle(s, 100, 4000);
	s->on.clock = on_clock;
	s->on.rx_done = on_rx_done;
	s->on.tx = on_tx;
	s->ctx = &w;
	puts("# a beat, L a last beat, . nothing\n");
	send(s, &w, HF_SYN, 1000, 0, "SYN (60 bytes) in, SYN-ACK out");
	send(s, &w, HF_ACK, 1001, w.iss + 1, "ACK in, event ESTABLISHED to the host");
	sim_close(s);
	return w.iss == 0;
}
