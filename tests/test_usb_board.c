/* SPDX-License-Identifier: Apache-2.0
 * test_usb_board.c - a whole board on a USB cable: engine, link, FIFO master and FT2232H at their pins, the driver's end of the
 * link (driver/link.c) at the other side; bulk packets with status bytes between the two. */
#include <errno.h>
#include <inttypes.h>
#include "../driver/link.h"
#include "../sim/usb/usb_board.h"
#include "support_bench.h"

struct rig {
	struct sim *sim;
	struct usb_board *board;
	struct link *link;
	uint8_t out[4 * FT2232H_PACKET];
	size_t out_len, out_at;
	uint8_t msg[16384];
	unsigned sent_frames; /* that left on the wire */
	size_t sent_len;
	uint8_t sent[SIM_FRAME_MAX];
	uint64_t in_packets, status_wrong;
};

static struct rig rig_storage;

static int64_t now_us(const struct rig *r)
{
	return (int64_t)(r->sim->time_ps / 1000000);
}

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct rig *r = ctx;

	(void)cycle;
	(void)time_ns;
	r->sent_frames++;
	r->sent_len = len;
	memcpy(r->sent, frame, len);
}

/* What a driver does at any time: status bytes off, the rest to the link; what the link says, to the chip. */
static void usb(struct rig *r)
{
	struct ft2232h *chip = usb_board_chip(r->board);
	uint8_t packet[FT2232H_PACKET];
	size_t n;

	while ((n = ft2232h_bulk_in(chip, packet)) != 0) {
		r->in_packets++;
		r->status_wrong += n < 2 || packet[0] != 0x32 || packet[1] != 0x60;
		link_input(r->link, packet + 2, n - 2, now_us(r));
	}
	if (link_due(r->link) <= now_us(r))
		link_tick(r->link, now_us(r));
	if (r->out_at == r->out_len) {
		r->out_at = 0;
		r->out_len = link_output(r->link, r->out, sizeof r->out, now_us(r));
	}
	n = r->out_len - r->out_at < FT2232H_PACKET ? r->out_len - r->out_at : FT2232H_PACKET;
	if (n && ft2232h_bulk_out(chip, r->out + r->out_at, n))
		r->out_at += n;
}

static void run(struct rig *r, unsigned us)
{
	const int64_t until = now_us(r) + us;

	while (now_us(r) < until) {
		sim_run(r->sim, 50);
		usb(r);
	}
}

/* The next message of the card within `ms`, 0 when none comes. */
static size_t receive(struct rig *r, unsigned ms)
{
	const int64_t until = now_us(r) + (int64_t)ms * 1000;

	while (!link_has_message(r->link) && now_us(r) < until)
		run(r, 4);
	if (!link_has_message(r->link))
		return 0;
	return (size_t)link_recv(r->link, r->msg, sizeof r->msg);
}

static bool send(struct rig *r, const uint8_t *msg, size_t len, unsigned ms)
{
	const int64_t until = now_us(r) + (int64_t)ms * 1000;

	while (link_send(r->link, msg, len) == -EAGAIN && now_us(r) < until)
		run(r, 4);
	return now_us(r) < until;
}

static void chip_on(struct rig *r)
{
	struct ft2232h *chip = usb_board_chip(r->board);

	ft2232h_control(chip, 0x40, FT2232H_RESET, 0, 1, NULL, 0);
	ft2232h_control(chip, 0x40, FT2232H_SET_LATENCY, 2, 1, NULL, 0);
	CHECK_EQ(ft2232h_control(chip, 0x40, FT2232H_SET_BITMODE, FT2232H_BITMODE_SYNCFF << 8, 1, NULL, 0), 0,
		"bit mode");
}

static void expect_hello(struct rig *r)
{
	link_open(r->link, now_us(r));
	CHECK_EQ(receive(r, 50), 40, "bytes of the first message");
	CHECK_EQ(r->msg[0], HF_MSG_HELLO, "its type");
	CHECK_EQ(link_state(r->link), LINK_OPENED, "link");
}

static struct rig *begin(void)
{
	struct rig *r = &rig_storage;

	memset(r, 0, sizeof *r);
	r->sim = sim_open(bench_target(), ENGINE_SMALL, 5);
	r->link = link_new(LINK_ASK_US);
	if (!r->sim || !r->link || usb_board_open(&r->board, r->sim, 5))
		abort();
	r->sim->period_ps = 20000; /* 50 MHz: a millisecond does not take long */
	r->sim->on.tx = on_tx;
	r->sim->ctx = r;
	chip_on(r);
	run(r, 100);
	return r;
}

static void end(struct rig *r)
{
	const char *fault;
	const uint64_t faults = ft2232h_faults(usb_board_chip(r->board), &fault);

	CHECK(!faults, "%" PRIu64 " times: %s", faults, fault);
	CHECK(!r->sim->faults, "%s", r->sim->fault);
	CHECK_EQ(r->status_wrong, 0, "packets without status bytes");
	CHECK_EQ(engine_mismatches(r->sim->engine), 0, "mismatches in lock step");
	usb_board_close(r->board);
	sim_close(r->sim);
	link_free(r->link);
}

static void register_message(uint8_t *m, unsigned type, uint32_t offset, uint32_t value, unsigned cookie)
{
	memset(m, 0, 24);
	m[0] = (uint8_t)type;
	m[2] = 24;
	for (unsigned i = 0; i < 4; i++) {
		m[4 + i] = (uint8_t)(offset >> 8 * i);
		m[8 + i] = (uint8_t)(cookie >> 8 * i);
		m[16 + i] = (uint8_t)(value >> 8 * i);
	}
}

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t read_register(struct rig *r, uint32_t offset, unsigned cookie)
{
	uint8_t m[24];

	register_message(m, HF_MSG_REG_READ, offset, 0, cookie);
	CHECK(send(r, m, sizeof m, 100), "not sent");
	CHECK_EQ(receive(r, 100), 24, "bytes of the reply");
	CHECK(r->msg[0] == HF_MSG_REG_REPLY && le32(r->msg + 8) == cookie, "type %u, cookie %u for %u", r->msg[0],
		le32(r->msg + 8), cookie);
	return le32(r->msg + 16);
}

static void hello_registers_and_frames(void)
{
	struct rig *r = begin();
	uint8_t m[24], frame[16 + 100];
	struct usb_board_counts counts;

	expect_hello(r);
	CHECK_EQ(read_register(r, HF_REG_ID, 1), HF_ID, "ID");
	register_message(m, HF_MSG_REG_WRITE, HF_REG_CTRL, CTRL_ENABLE, 2);
	CHECK(send(r, m, sizeof m, 100), "not sent");
	CHECK_EQ(receive(r, 100), 24, "bytes of the reply");
	/* A frame of the host leaves on the wire; one of the wire, which is nobody's business here, comes up. */
	memset(frame, 0x5a, sizeof frame);
	memset(frame, 0, 16);
	frame[0] = HF_MSG_FRAME;
	frame[2] = sizeof frame;
	frame[28] = 0x88;
	frame[29] = 0xb5;
	CHECK(send(r, frame, sizeof frame, 100), "not sent");
	run(r, 100);
	CHECK_EQ(r->sent_frames, 1, "frames on the wire");
	CHECK(r->sent_len == 100 && !memcmp(r->sent, frame + 16, 100), "%zu bytes", r->sent_len);
	CHECK_EQ(sim_rx(r->sim, frame + 16, 100, false), 0, "sim_rx");
	CHECK_EQ(receive(r, 100), sizeof frame, "bytes of the frame's message");
	CHECK(r->msg[0] == HF_MSG_FRAME && !memcmp(r->msg + 16, frame + 16, 100), "the frame changed");
	usb_board_counts(r->board, &counts);
	CHECK(counts.open && !counts.damaged && !counts.resent && !counts.refused, "counts on a good cable");
	link_close(r->link, now_us(r));
	run(r, 500);
	usb_board_counts(r->board, &counts);
	CHECK(!counts.open && link_state(r->link) == LINK_CLOSED, "closed on both sides");
	end(r);
}

static void bad_cable_loses_no_reply(void)
{
	struct rig *r = begin();
	struct usb_board_counts counts;
	const struct link_stats *s;
	unsigned n = 0;

	expect_hello(r);
	ft2232h_set_noise(usb_board_chip(r->board),
		&(struct ft2232h_noise){
			.rxf_stall = 4, .txe_stall = 4, .lose = 60000, .twice = 60000, .flip = 60000 });
	for (s = link_stats(r->link), usb_board_counts(r->board, &counts); n < 15; n++)
		CHECK_EQ(read_register(r, HF_REG_ID, n + 1), HF_ID, "ID");
	usb_board_counts(r->board, &counts);
	CHECK(counts.resent + counts.damaged + s->resent + s->skipped_bytes > 0, "nothing was damaged");
	end(r);
}

/* Pulled out at any moment and plugged in again: HELLO comes, of the same epoch, and registers answer. */
static void unplugged_and_plugged_in_again(void)
{
	struct rig *r = begin();
	uint32_t epoch = 0;

	r->sim->period_ps = 50000;
	for (unsigned i = 0; i < 4; i++) {
		uint8_t m[24];

		expect_hello(r);
		CHECK(!i || le32(r->msg + HF_AT_HELLO_epoch) == epoch, "epoch");
		epoch = le32(r->msg + HF_AT_HELLO_epoch);
		CHECK_EQ(read_register(r, HF_REG_ID, i), HF_ID, "ID");
		for (unsigned k = 0; k < 5; k++) {
			register_message(m, HF_MSG_REG_READ, HF_REG_ID, 0, 100 + k);
			link_send(r->link, m, sizeof m);
		}
		for (unsigned k = 0; k < i; k++)
			run(r, 3);
		ft2232h_bus_reset(usb_board_chip(r->board));
		r->out_at = r->out_len = 0;
		link_free(r->link);
		r->link = link_new(LINK_ASK_US);
		if (!r->link)
			abort();
		/* What was cut off in the middle of a packet is over after 5 ms. */
		sim_run(r->sim, 140000);
		chip_on(r);
	}
	end(r);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(hello_registers_and_frames), CASE_ONCE(bad_cable_loses_no_reply), CASE_ONCE(unplugged_and_plugged_in_again), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "usb_board", cases);
}
