/* SPDX-License-Identifier: Apache-2.0
 * fuzz_board.c - a malicious board: after an honest HELLO any messages at all, through driver/device.c and what the service makes of
 * events, samples and frames. A record of the input is two octets of length, then the message; of every second input the header's
 * length field is put right, so that more gets past the first check. Also the kernel's large frames, which are cut, and segments, which
 * are merged. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../driver/device.h"
#include "../../host/frame.h"
#include "../../host/handoff.h"
#include "../../host/sample.h"
#include "board_says.h"

struct board {
	struct transport t;
	const uint8_t *data;
	size_t len;
	bool greeted, honest_length;
	uint32_t asked; /* register of the last request, and its cookie */
	uint64_t cookie;
	bool owed;
	struct device *dev;
};

static int board_send(struct transport *t, const void *msg, size_t len)
{
	struct board *b = (struct board *)t;
	const uint8_t *m = msg;

	assert(len >= HF_MSG_HEADER_BYTES && GET(m, HEADER, length) == len);
	if (GET(m, HEADER, type) == HF_MSG_REG_READ || GET(m, HEADER, type) == HF_MSG_REG_WRITE) {
		b->asked = (uint32_t)GET(m, HEADER, id);
		b->cookie = GET(m, HEADER, stamp);
		b->owed = true;
	}
	return 0;
}

static size_t reg_reply(struct board *b, uint8_t *msg)
{
	size_t len = say_answer(msg, HF_MSG_REG_REPLY, b->asked, b->cookie);

	PUT(msg, REG_REPLY, value, b->asked == HF_REG_ID ? HF_ID : HF_ABI_VERSION);
	b->owed = false;
	return len;
}

static ssize_t board_recv(struct transport *t, void *msg, size_t cap)
{
	struct board *b = (struct board *)t;
	uint8_t *m = msg;
	size_t len;

	if (!b->greeted) {
		b->greeted = true;
		return (ssize_t)say_hello(m);
	}
	if (b->owed && !b->dev)
		return (ssize_t)reg_reply(b, m);
	if (!b->dev)
		return -EAGAIN;
	if (b->len < 2)
		return -ENODEV;
	len = say_record(m, cap, &b->data, &b->len);
	if (b->honest_length && len >= HF_MSG_HEADER_BYTES)
		PUT(m, HEADER, length, len);
	return (ssize_t)len;
}

static void board_close(struct transport *t)
{
	(void)t;
}

static const struct transport_ops ops = { board_send, board_recv, board_close, NULL, NULL };

/* What the service does with them. */

static struct merge merge;

static void cut(const uint8_t *frame, size_t len)
{
	uint8_t piece[4096];
	struct gso g;
	size_t start, all = 0;
	int n;

	if (gso_begin(&g, frame, len, 1 + len % 1500))
		return;
	while ((n = gso_next(&g, piece, sizeof(piece), &start)) > 0) {
		struct frame_tcp t;

		assert(start + 18 <= (size_t)n && frame_read_tcp(piece, (size_t)n, &t));
		all += t.end - t.payload;
	}
	assert(n == -EMSGSIZE || all == g.tcp.end - g.tcp.payload);
}

/* What was merged is a segment with all the text. */
static void end_merge(void)
{
	uint8_t whole[FRAME_HEADERS_MAX + 65536];
	struct frame_tcp t;
	size_t len, done = 0;

	if (!merge.frame)
		return;
	len = merge_finish(&merge);
	for (unsigned i = 0; i <= merge.parts; i++) {
		memcpy(whole + done, merge.part[i].iov_base, merge.part[i].iov_len);
		done += merge.part[i].iov_len;
	}
	assert(done == len && frame_read_tcp(whole, len, &t) && t.end == len && t.end - t.payload == merge.text);
	merge.frame = NULL;
}

static void on_batch(void *ctx)
{
	(void)ctx;
	end_merge();
}

static void on_frame(void *ctx, const uint8_t *msg, size_t len)
{
	const uint8_t *frame = msg + HF_MSG_HEADER_BYTES;
	struct frame_tcp t;
	uint8_t copy[4096];

	(void)ctx;
	len -= HF_MSG_HEADER_BYTES;
	if (frame_read_tcp(frame, len, &t)) {
		assert(t.l3 < t.l4 && t.l4 < t.payload && t.payload <= t.end && t.end <= len);
		if (!merge.frame || !merge_add(&merge, frame, &t)) {
			end_merge();
			merge_begin(&merge, frame, &t);
		}
	}
	cut(frame, len);
	if (len <= sizeof(copy)) {
		memcpy(copy, frame, len);
		frame_finish_checksum(copy, len, GET(msg, HEADER, id) & 0xffff, GET(msg, HEADER, id) >> 16);
	}
}

static void on_event(void *ctx, const uint8_t *msg, size_t len)
{
	static const uint8_t mac[6] = { 2 };
	struct board *b = ctx;
	uint8_t ack[HANDOFF_ACK_BYTES];
	struct connection c;
	struct frame_tcp t;
	struct sample s;

	assert(len == DEVICE_MESSAGE_BYTES);
	if (!sample_parse(msg, &s)) {
		/* What prints it, and counts by it. */
		assert(GET(msg, EVENT, code) == HF_EVENT_SAMPLE && s.listener < 16);
		assert(!strchr(sample_cause_word(s.cause), '?') &&
			!*sample_cause_word(s.cause) == (s.cause == HF_CAUSE_NONE));
		assert(address_is_unicast(&s.remote) && s.remote.sa.sa_family == s.local.sa.sa_family);
		return;
	}
	if (handoff_parse(msg, &c)) {
		device_command(b->dev, HF_COMMAND_ABORT, (uint32_t)GET(msg, HEADER, id));
		return;
	}
	assert(c.listener < 16 && c.vlan.tags <= FRAME_TAGS_MAX && c.snd_wscale <= 14 && c.rcv_wscale <= 14);
	assert(frame_read_tcp(ack, handoff_replay(&c, mac, ack), &t));
	assert(address_equal(&t.source, &c.remote) && address_equal(&t.destination, &c.local) && t.seq == c.rcv_nxt);
	device_command(b->dev, HF_COMMAND_RELEASE, c.id);
	device_dump(b->dev, c.id & 63, c.snd_nxt);
}

static void on_completion(void *ctx, unsigned command, uint32_t id, int status, uint64_t tag)
{
	(void)ctx;
	(void)command;
	(void)id;
	(void)status;
	(void)tag;
}

static void on_reset(void *ctx)
{
	(void)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct device_events on = { on_frame, on_event, on_completion, on_reset, on_batch };
	struct board b = { .t = { .ops = &ops, .fd = -1 }, .data = data, .len = len };
	char why[DEVICE_FAULT_BYTES];
	struct device *dev;
	int rc;

	if (!len)
		return 0;
	b.honest_length = data[0] & 1;
	b.data++;
	b.len--;
	rc = device_open(&b.t, &on, &b, 100, &dev, why);
	/* A machine that stood still for a tenth of a second. */
	if (rc == -ETIMEDOUT)
		return 0;
	assert(!rc);
	b.dev = dev;
	device_command(dev, HF_COMMAND_RELEASE, 5);
	while (device_pump(dev, 0) >= 0)
		assert(device_commands_pending(dev) < 100000);
	assert(strlen(device_fault(dev)) < DEVICE_FAULT_BYTES);
	device_close(dev);
	return 0;
}
