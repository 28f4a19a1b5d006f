/* SPDX-License-Identifier: Apache-2.0
 * fuzz_resume.c - libFuzzer harness: a board that another process had. The file that process left (host/kept.h) may hold anything, and the
 * board says what the input holds, before it is taken over, while its messages are held, and after. Listeners are of way "kernel", with an
 * end of the harness's; driver/device.c, the service thread and its job service_resume() are the real ones.
 *
 * Input: octet 0, bit 0 EPOCH is another; 1 registers read as the input says; 2 cookies have a key of the config's. Octet 1: patches of
 * the file, three octets each: where (two), what. Then records: octet 0 and bits 2:0 of octet 1 the length, then the message; without one there is nothing
 * to receive, once. Octet 1, bit 4 it waits until the board owes something, and comes after that; 5 it answers a DUMP; 6 its length field
 * is put right. At the end the board gives what it owes, and is gone. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../host/kept.h"
#include "../../host/library.h"
#include "board_says.h"

enum { SLOTS = 64, OWED_MAX = 64, ANSWERS_MAX = 400, RESTS = 8, PATCHES_MAX = 32, HELD_MAX = 8 << 20 };

struct board {
	struct transport t;
	const uint8_t *data;
	size_t len;
	bool other_epoch, wild_registers, answered;
	unsigned answers, rests;
	struct {
		uint64_t cookie;
		uint32_t what; /* the register; of a command its id */
		unsigned type; /* REG_READ, REG_WRITE or COMMAND */
		unsigned command;
	} owed[OWED_MAX];
	unsigned owes;
	struct hf_device *dev;
	unsigned resumed;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct kept *file;
static int file_fd, readable, kick; /* readable: always */

static int board_send(struct transport *t, const void *msg, size_t len)
{
	struct board *b = (struct board *)t;
	const uint8_t *m = msg;
	unsigned type = (unsigned)GET(m, HEADER, type);

	assert(len >= HF_MSG_HEADER_BYTES && GET(m, HEADER, length) == len);
	if (type == HF_MSG_FRAME || b->owes == OWED_MAX)
		return 0;
	b->owed[b->owes].cookie = GET(m, HEADER, stamp);
	b->owed[b->owes].what = (uint32_t)GET(m, HEADER, id);
	b->owed[b->owes].type = type;
	b->owed[b->owes++].command = (unsigned)GET(m, HEADER, flags);
	return 0;
}

static uint32_t register_value(struct board *b, uint32_t offset)
{
	uint32_t value = 0;

	switch (offset) {
	case HF_REG_ID:
		return HF_ID;
	case HF_REG_VERSION:
		return HF_ABI_VERSION;
	case HF_REG_EPOCH:
		return file->board.epoch + b->other_epoch;
	case HF_REG_ENTRIES:
		return 1;
	default:
		if (b->wild_registers && b->len >= 4) {
			memcpy(&value, b->data, 4);
			b->data += 4;
			b->len -= 4;
		}
		return value;
	}
}

/* The oldest of what is owed, taken out. */
static size_t give(struct board *b, uint8_t *msg)
{
	unsigned type = b->owed[0].type;
	uint32_t what = b->owed[0].what;
	size_t len =
		say_answer(msg, type == HF_MSG_COMMAND ? HF_MSG_COMPLETION : HF_MSG_REG_REPLY, what, b->owed[0].cookie);

	if (type == HF_MSG_COMMAND) {
		PUT(msg, HEADER, flags, HF_STATUS_STALE);
		PUT(msg, COMPLETION, command, b->owed[0].command);
	} else if (type == HF_MSG_REG_READ) {
		PUT(msg, REG_REPLY, value, register_value(b, what));
	}
	memmove(b->owed, b->owed + 1, --b->owes * sizeof(b->owed[0]));
	return len;
}

/* Make it the answer to the oldest DUMP. */
static void answer_dump(struct board *b, uint8_t *msg)
{
	for (unsigned i = 0; i < b->owes; i++) {
		if (b->owed[i].type != HF_MSG_COMMAND || b->owed[i].command != HF_COMMAND_DUMP)
			continue;
		PUT(msg, HEADER, type, HF_MSG_EVENT);
		PUT(msg, HEADER, stamp, b->owed[i].cookie);
		PUT(msg, EVENT, code, HF_EVENT_DUMP);
		memmove(b->owed + i, b->owed + i + 1, (--b->owes - i) * sizeof(b->owed[0]));
		return;
	}
}

static ssize_t board_recv(struct transport *t, void *msg, size_t cap)
{
	struct board *b = (struct board *)t;
	uint8_t *m = msg, how;
	size_t len;

	/* As long as device_resume() waits, and once that is over. */
	assert(!b->dev->holding || b->dev->held_bytes < HELD_MAX);
	if (b->answers > ANSWERS_MAX)
		return -ENODEV;
	how = b->len >= 2 ? b->data[1] : 1 << 4;
	if (how & 1 << 4 && (!b->answered || b->len < 2)) {
		/* It is asked something soon, or never. */
		if (!b->owes && b->rests++ < RESTS)
			return -EAGAIN;
		b->rests = 0;
		b->answered = b->owes && b->len >= 2;
		b->answers++;
		return b->owes ? (ssize_t)give(b, m) : b->len < 2 ? -ENODEV : -EAGAIN;
	}
	b->answered = false;
	len = say_record(m, cap, &b->data, &b->len);
	if (!len)
		return -EAGAIN;
	if (how & 1 << 6 && len >= HF_MSG_HEADER_BYTES)
		PUT(m, HEADER, length, len);
	if (how & 1 << 5 && len == DEVICE_MESSAGE_BYTES)
		answer_dump(b, m);
	return (ssize_t)len;
}

static void board_close(struct transport *t)
{
	(void)t;
}

static const struct transport_ops ops = { board_send, board_recv, board_close, NULL, NULL };

/* The kernel takes one, refuses one, has had a RST for one. */
static int offer(void *ctx, const struct connection *c, const uint8_t *msg)
{
	static const int result[] = { 0, 0, -ECONNREFUSED, -ECONNRESET };
	struct board *b = ctx;

	assert(GET(msg, EVENT, code) == HF_EVENT_ESTABLISHED && c->listener < LISTENERS_MAX);
	assert(address_is_unicast(&c->remote) && c->remote.sa.sa_family == c->local.sa.sa_family);
	service_offered(b->dev, c, result[c->rcv_nxt & 3], c->snd_nxt | UINT64_C(1) << 40);
	if (c->id != HF_NO_ID)
		assert(file->handed[c->id & 0xffff] == c->id);
	return 0;
}

static void resumed(void *ctx, unsigned found, unsigned handed, unsigned released, unsigned waited)
{
	struct board *b = ctx;

	(void)waited;
	assert(!b->resumed++ && found + handed + released <= b->dev->kept->board.slots);
}

static void start(void)
{
	file_fd = kept_new(&file);
	readable = eventfd(1, EFD_CLOEXEC);
	kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (file_fd < 0 || readable < 0 || kick < 0)
		abort();
}

/* Everything after the file has been taken. */
static void run(struct board *b, struct kept *k, bool fixed_key)
{
	struct hf_listener listener = { .local = { .in = { .sin_family = AF_INET, .sin_port = 80 << 8 } },
		.way = WAY_KERNEL,
		.mode = MODE_OFFLOAD,
		.channel = -1 };
	struct hf_device *dev = b->dev = device_new();
	struct job job = { .run = service_resume };
	char why[DEVICE_FAULT_BYTES];

	pthread_cond_init(&listener.wake, NULL);
	listener.ready = dev->kick = kick;
	listener.dev = dev;
	dev->hooks = (struct service_hooks){ .offer = offer, .resumed = resumed, .ctx = b };
	dev->kept = k;
	dev->cookie_key_fixed = fixed_key;
	dev->holding = true;
	dev->held_id = malloc(k->board.slots * sizeof(dev->held_id[0]));
	memset(dev->held_id, 0xff, k->board.slots * sizeof(dev->held_id[0]));
	if (!device_resume(&b->t, &k->board, kept_numbers(k), &service_events, dev, 100, &dev->board, why)) {
		dev->owned = owned_new(device_board(dev->board)->slots);
		dev->listener[0] = &listener;
		service_matches(dev);
		if (!service_take_over(dev)) {
			dev->jobs = &job;
			service_thread(dev);
			assert(job.done && dev->lost);
			/* Of a board that is gone nothing waits for ever. */
			assert(!dev->dump && (!dev->holding || job.result));
		}
		device_close(dev->board);
	}
	service_drop_held(dev);
	free(dev->held_id);
	owned_free(dev->owned);
	pthread_cond_destroy(&listener.wake);
	pthread_cond_destroy(&dev->attempt_done);
	pthread_cond_destroy(&dev->job_done);
	pthread_mutex_destroy(&dev->error_lock);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct device_board honest = { HF_ABI_VERSION, 7, SLOTS, 4, 16, 1522, 4, 64 };
	struct board b = { .t = { .ops = &ops, .fd = -1 } };
	uint8_t flags, patches;
	struct kept *k;

	if (!file)
		start();
	if (size < 2)
		return 0;
	flags = data[0];
	patches = data[1] & (PATCHES_MAX - 1);
	data += 2;
	size -= 2;
	memcpy(file->magic, "hfkept1", 8);
	file->layout = sizeof(*file);
	kept_begin(file, "unix:/run/board", &honest);
	kept_handed(file, 0x10000 | 5);
	for (; patches && size >= 3; patches--, data += 3, size -= 3)
		((uint8_t *)file)[(data[0] | (size_t)data[1] << 8) % sizeof(*file)] = data[2];
	b.t.fd = readable;
	b.data = data;
	b.len = size;
	b.other_epoch = flags & 1;
	b.wild_registers = flags & 2;
	if (kept_open(file_fd, &k))
		return 0;
	if (k->valid)
		run(&b, k, flags & 4);
	kept_free(k);
	return 0;
}
