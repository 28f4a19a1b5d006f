/* SPDX-License-Identifier: Apache-2.0
 * device.c - the protocol of regs/message.def, host side. */
#include "device.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define OUT_FRAMES_MAX 64  /* frames that wait for the transport before device_frame() says -EAGAIN */
#define IN_FLIGHT_MAX  64  /* commands outstanding, however many credits the board gives */
#define PUMP_BATCH     64  /* messages received before others get a turn */
#define SEND_BATCH     64  /* messages given to the transport at once */
#define SLOT_SKEW      320 /* octets between buffers, lest all messages begin in the same lines of the cache */
#define COOKIE_NONE    0   /* nobody waits for the answer: posted writes and frames */

/* A message that waits for the transport. */
struct out {
	struct out *next;
	size_t len, cap;
	uint8_t msg[];
};

/* A command that waits for a credit. */
struct waiting {
	struct waiting *next;
	unsigned command;
	uint32_t id;
	uint64_t tag;
	size_t len;    /* of msg */
	uint8_t msg[]; /* its header is not made yet */
};

struct in_flight {
	bool used;
	uint64_t cookie, tag;
	unsigned command;
	uint32_t id;
	int64_t deadline_ms;
};

/* The one register access that may be under way. */
struct reg_wait {
	uint64_t cookie; /* COOKIE_NONE = nobody waits */
	bool done;
	int result;
	uint32_t value;
};

struct device {
	struct transport *t;
	const struct device_events *on;
	void *ctx;
	struct device_board board;
	struct device_stats stats;
	bool greeted; /* HELLO was seen */
	int gone;     /* 0, -ENODEV or -EPROTO */
	uint64_t last_cookie;
	struct reg_wait reg;
	struct out *out_first, **out_end;
	unsigned out_count;
	struct out *spare; /* used again, OUT_FRAMES_MAX at most */
	unsigned spares;
	bool corked;
	struct waiting *waiting_first, **waiting_end;
	unsigned waiting_count, in_flight_count;
	struct in_flight in_flight[IN_FLIGHT_MAX];
	uint8_t in[PUMP_BATCH][TRANSPORT_MESSAGE_MAX + SLOT_SKEW];
	char fault[DEVICE_FAULT_BYTES];
};

static void fault(struct device *dev, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(dev->fault, sizeof(dev->fault), format, args);
	va_end(args);
}

static void bad_message(struct device *dev, const char *what, unsigned long long value)
{
	dev->stats.bad_messages++;
	fault(dev, "the board sent a message that cannot be: %s %llu", what, value);
}

/* Sending ------------------------------------------------------------------------------------------------- */

static int gone(struct device *dev, int why)
{
	dev->gone = why;
	if (why == -ENODEV)
		fault(dev, "the board is gone: it closed the connection");
	return why;
}

/* Memory for a message. Those of frames are used again. */
static struct out *out_new(struct device *dev, size_t len)
{
	size_t frame = HF_MSG_HEADER_BYTES + dev->board.max_frame;
	struct out *out = len <= frame ? dev->spare : NULL;

	if (out) {
		dev->spare = out->next;
		dev->spares--;
		return out;
	}
	out = malloc(sizeof(*out) + (len > frame ? len : frame));
	if (out)
		out->cap = len > frame ? len : frame;
	return out;
}

static void free_outs(struct out *out)
{
	while (out) {
		struct out *next = out->next;

		free(out);
		out = next;
	}
}

static void out_free(struct device *dev, struct out *out)
{
	if (dev->spares == OUT_FRAMES_MAX || out->cap < HF_MSG_HEADER_BYTES + dev->board.max_frame) {
		free(out);
		return;
	}
	out->next = dev->spare;
	dev->spare = out;
	dev->spares++;
}

static int flush(struct device *dev)
{
	struct transport_slot slot[SEND_BATCH];

	while (dev->out_first) {
		unsigned n = 0;
		int sent;

		for (struct out *out = dev->out_first; out && n < SEND_BATCH; out = out->next)
			slot[n++] = (struct transport_slot){ out->msg, 0, (ssize_t)out->len };
		sent = transport_send_many(dev->t, slot, n);
		if (sent == -EAGAIN)
			return 0;
		if (sent < 0)
			return gone(dev, sent);
		while (sent--) {
			struct out *out = dev->out_first;

			dev->out_first = out->next;
			dev->out_count--;
			out_free(dev, out);
		}
		if (!dev->out_first)
			dev->out_end = &dev->out_first;
	}
	return 0;
}

/* Behind what already waits; and now, if nobody holds it back. */
static int queue_out(struct device *dev, struct out *out)
{
	out->next = NULL;
	*dev->out_end = out;
	dev->out_end = &out->next;
	dev->out_count++;
	return dev->corked && dev->out_count < SEND_BATCH ? 0 : flush(dev);
}

/* `tail` (may be empty) follows the header. */
static int send_message(struct device *dev, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len)
{
	struct out *out;

	if (dev->gone)
		return dev->gone;
	out = out_new(dev, head_len + tail_len);
	if (!out)
		return -ENOMEM;
	out->len = head_len + tail_len;
	memcpy(out->msg, head, head_len);
	if (tail_len)
		memcpy(out->msg + head_len, tail, tail_len);
	return queue_out(dev, out);
}

void device_cork(struct device *dev)
{
	dev->corked = true;
}

int device_uncork(struct device *dev)
{
	dev->corked = false;
	return dev->gone ? dev->gone : flush(dev);
}

static void put_header(uint8_t *msg, unsigned type, unsigned flags, size_t len, uint32_t id, uint64_t stamp)
{
	PUT(msg, HEADER, type, type);
	PUT(msg, HEADER, flags, flags);
	PUT(msg, HEADER, length, len);
	PUT(msg, HEADER, id, id);
	PUT(msg, HEADER, stamp, stamp);
}

static int send_reg(struct device *dev, unsigned type, uint32_t offset, uint32_t value, uint64_t cookie)
{
	uint8_t msg[24] = { 0 };

	put_header(msg, type, 0, sizeof(msg), offset, cookie);
	PUT(msg, REG_WRITE, value, value);
	return send_message(dev, msg, sizeof(msg), NULL, 0);
}

/* Send waiting commands while there are credits. */
static int start_commands(struct device *dev)
{
	unsigned credits = dev->board.credits < IN_FLIGHT_MAX ? dev->board.credits : IN_FLIGHT_MAX;

	while (dev->waiting_first && dev->in_flight_count < credits) {
		struct waiting *w = dev->waiting_first;
		struct in_flight *f = dev->in_flight;
		int rc;

		while (f->used)
			f++;
		*f = (struct in_flight){ .used = true,
			.cookie = ++dev->last_cookie,
			.tag = w->tag,
			.command = w->command,
			.id = w->id,
			.deadline_ms = clock_ms() + DEVICE_COMMAND_TIMEOUT_MS };
		dev->in_flight_count++;
		put_header(w->msg, HF_MSG_COMMAND, w->command, w->len, w->id, f->cookie);
		dev->waiting_first = w->next;
		if (!dev->waiting_first)
			dev->waiting_end = &dev->waiting_first;
		dev->waiting_count--;
		rc = send_message(dev, w->msg, w->len, NULL, 0);
		free(w);
		if (rc)
			return rc;
	}
	return 0;
}

static void end_command(struct device *dev, struct in_flight *f, uint32_t id, int status)
{
	f->used = false;
	dev->in_flight_count--;
	dev->on->completion(dev->ctx, f->command, id, status, f->tag);
}

static void time_out_commands(struct device *dev)
{
	int64_t now = dev->in_flight_count ? clock_ms() : 0;

	for (unsigned i = 0; dev->in_flight_count && i < IN_FLIGHT_MAX; i++) {
		if (dev->in_flight[i].used && dev->in_flight[i].deadline_ms <= now) {
			dev->stats.command_timeouts++;
			fault(dev, "the board did not answer a command within %d ms", DEVICE_COMMAND_TIMEOUT_MS);
			end_command(dev, &dev->in_flight[i], dev->in_flight[i].id, -ETIMEDOUT);
		}
	}
}

static void forget_commands(struct device *dev)
{
	while (dev->waiting_first) {
		struct waiting *next = dev->waiting_first->next;

		free(dev->waiting_first);
		dev->waiting_first = next;
	}
	dev->waiting_end = &dev->waiting_first;
	dev->waiting_count = 0;
	memset(dev->in_flight, 0, sizeof(dev->in_flight));
	dev->in_flight_count = 0;
}

/* Receiving ----------------------------------------------------------------------------------------------- */

static void end_reg(struct device *dev, int result, uint32_t value)
{
	dev->reg.done = true;
	dev->reg.result = result;
	dev->reg.value = value;
}

static void on_reg_reply(struct device *dev, const uint8_t *msg)
{
	static const int result[] = {
		[HF_STATUS_OK] = 0, [HF_STATUS_BAD_ADDRESS] = -ENXIO, [HF_STATUS_REFUSED] = -EACCES
	};
	uint64_t cookie = GET(msg, HEADER, stamp);
	unsigned status = GET(msg, HEADER, flags);

	if (status && status != HF_STATUS_BAD_ADDRESS && status != HF_STATUS_REFUSED)
		bad_message(dev, "REG_REPLY with status", status);
	else if (cookie != COOKIE_NONE && cookie == dev->reg.cookie)
		end_reg(dev, result[status], (uint32_t)GET(msg, REG_REPLY, value));
	/* Otherwise the answer to a posted write, or one that came after its timeout. */
}

/* The command with this cookie that is under way, or NULL. */
static struct in_flight *find_command(struct device *dev, uint64_t cookie)
{
	for (unsigned i = 0; i < IN_FLIGHT_MAX; i++) {
		if (dev->in_flight[i].used && dev->in_flight[i].cookie == cookie)
			return &dev->in_flight[i];
	}
	return NULL;
}

static void on_event(struct device *dev, const uint8_t *msg, size_t len)
{
	struct in_flight *f = NULL;

	if (GET(msg, EVENT, code) == HF_EVENT_DUMP)
		f = find_command(dev, GET(msg, HEADER, stamp));
	dev->on->event(dev->ctx, msg, len);
	/* A DUMP that finds its entry has no other completion. */
	if (f && f->used && f->command == HF_COMMAND_DUMP)
		end_command(dev, f, (uint32_t)GET(msg, HEADER, id), HF_STATUS_OK);
}

static void on_completion(struct device *dev, const uint8_t *msg)
{
	struct in_flight *f;
	uint64_t cookie = GET(msg, HEADER, stamp);
	int status = (int)GET(msg, HEADER, flags);

	if (GET(msg, COMPLETION, command) & 0x100) {
		dev->stats.refused_messages++;
		fault(dev, "the board called a message of type %u malformed, status %d",
			(unsigned)GET(msg, COMPLETION, command) & 0xff, status);
	}
	f = find_command(dev, cookie);
	if (f) {
		/* CONNECT, CLOSE, ADOPT: only the board knows the id. */
		end_command(dev, f, f->id == HF_NO_ID ? (uint32_t)GET(msg, HEADER, id) : f->id, status);
		return;
	}
	if (cookie != COOKIE_NONE && cookie == dev->reg.cookie)
		end_reg(dev, -EBADMSG, 0);
	/* Otherwise a frame, or a command that had timed out. */
}

/* slots: an id has 16 bits for one; credits: as many has their field; max_frame: the smallest frame that carries IPv4's minimum MTU of 68. */
static bool can_be(struct device *dev, const struct device_board *b)
{
	if (b->slots && b->slots <= 65536 && b->credits && b->credits <= UINT16_MAX && b->listeners &&
		b->listeners <= 256 && b->max_frame >= 82 &&
		b->max_frame <= TRANSPORT_MESSAGE_MAX - HF_MSG_HEADER_BYTES)
		return true;
	fault(dev, "the board's HELLO is impossible: %u slots, %u credits, %u listeners, MAX_FRAME %u",
		(unsigned)b->slots, (unsigned)b->credits, (unsigned)b->listeners, (unsigned)b->max_frame);
	return false;
}

static void on_hello(struct device *dev, const uint8_t *msg)
{
	struct device_board board = {
		GET(msg, HELLO, version),
		GET(msg, HELLO, epoch),
		GET(msg, HELLO, slots),
		GET(msg, HELLO, credits),
		GET(msg, HELLO, listeners),
		GET(msg, HELLO, max_frame),
		GET(msg, HELLO, ways),
		GET(msg, HELLO, data_w),
	};
	bool again = dev->greeted;

	if (board.version != HF_ABI_VERSION) {
		fault(dev, "the board speaks version %u, this driver version %u", (unsigned)board.version,
			HF_ABI_VERSION);
		gone(dev, -EPROTO);
		return;
	}
	if (!can_be(dev, &board)) {
		gone(dev, -EPROTO);
		return;
	}
	if (again && board.slots != dev->board.slots) {
		fault(dev, "the board came back with %u slots instead of %u", (unsigned)board.slots,
			(unsigned)dev->board.slots);
		gone(dev, -EPROTO);
		return;
	}
	if (again && board.max_frame != dev->board.max_frame) {
		/* They are as long as its frames were. */
		free_outs(dev->spare);
		dev->spare = NULL;
		dev->spares = 0;
	}
	dev->board = board;
	dev->greeted = true;
	if (!again)
		return;
	dev->stats.resets++;
	fault(dev, "the board was reset, epoch 0x%x", (unsigned)board.epoch);
	forget_commands(dev);
	if (dev->reg.cookie != COOKIE_NONE)
		end_reg(dev, -ECONNRESET, 0);
	dev->on->reset(dev->ctx);
}

static void dispatch(struct device *dev, const uint8_t *msg, size_t len)
{
	/* Lengths by type; FRAME is the one that varies. */
	static const uint8_t length[] = {
		[HF_MSG_EVENT] = 128, [HF_MSG_COMPLETION] = 24, [HF_MSG_REG_REPLY] = 24, [HF_MSG_HELLO] = 40
	};
	unsigned type;

	if (len < HF_MSG_HEADER_BYTES) {
		bad_message(dev, "no whole header, bytes", len);
		return;
	}
	type = GET(msg, HEADER, type);
	if (GET(msg, HEADER, length) != len) {
		bad_message(dev, "length field and packet differ, bytes that came", len);
	} else if (type == HF_MSG_FRAME ? len <= HF_MSG_HEADER_BYTES
					: type < sizeof(length) && length[type] && len != length[type]) {
		bad_message(dev, "length impossible for its type, bytes", len);
	} else if (!dev->greeted && type != HF_MSG_HELLO) {
		bad_message(dev, "before HELLO, type", type);
	} else if (type == HF_MSG_FRAME) {
		dev->on->frame(dev->ctx, msg, len);
	} else if (type == HF_MSG_EVENT) {
		on_event(dev, msg, len);
	} else if (type == HF_MSG_COMPLETION) {
		on_completion(dev, msg);
	} else if (type == HF_MSG_REG_REPLY) {
		on_reg_reply(dev, msg);
	} else if (type == HF_MSG_HELLO) {
		on_hello(dev, msg);
	} else {
		bad_message(dev, "unknown type", type);
	}
}

/* Receive and hand out at most PUMP_BATCH messages that are there. */
static int receive(struct device *dev)
{
	struct transport_slot slot[PUMP_BATCH];
	int n;

	for (unsigned i = 0; i < PUMP_BATCH; i++)
		slot[i] = (struct transport_slot){ dev->in[i], TRANSPORT_MESSAGE_MAX, 0 };
	n = transport_recv_many(dev->t, slot, PUMP_BATCH);
	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return gone(dev, n);
	for (int i = 0; i < n && !dev->gone; i++) {
		if (slot[i].len < 0)
			bad_message(dev, "longer than any, more bytes than", TRANSPORT_MESSAGE_MAX);
		else
			dispatch(dev, dev->in[i], (size_t)slot[i].len);
	}
	if (dev->on->batch)
		dev->on->batch(dev->ctx);
	return dev->gone ? dev->gone : n;
}

int device_pump(struct device *dev, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int n;

	for (;;) {
		struct pollfd p = { transport_fd(dev->t), POLLIN, 0 };
		int64_t left;

		if (dev->gone)
			return dev->gone;
		time_out_commands(dev);
		start_commands(dev);
		if (flush(dev))
			return dev->gone;
		n = receive(dev);
		if (n) {
			/* Completions gave credits back. */
			if (n > 0)
				start_commands(dev);
			return n;
		}
		left = deadline - clock_ms();
		if (left <= 0)
			return 0;
		if (dev->out_first)
			p.events |= POLLOUT;
		if (p.fd >= 0)
			poll(&p, 1, (int)left);
	}
}

/* Registers ----------------------------------------------------------------------------------------------- */

static int reg_access(struct device *dev, unsigned type, uint32_t offset, uint32_t value, uint32_t *read)
{
	int64_t deadline = clock_ms() + DEVICE_REG_TIMEOUT_MS;
	int rc;

	dev->reg = (struct reg_wait){ .cookie = ++dev->last_cookie };
	rc = send_reg(dev, type, offset, value, dev->reg.cookie);
	while (!rc && !dev->reg.done) {
		int64_t left = deadline - clock_ms();

		if (left <= 0)
			rc = -ETIMEDOUT;
		else if (device_pump(dev, (int)left) < 0)
			rc = dev->gone;
	}
	dev->reg.cookie = COOKIE_NONE;
	if (rc == -ETIMEDOUT)
		fault(dev, "the board did not answer for register 0x%03x within %d ms", (unsigned)offset,
			DEVICE_REG_TIMEOUT_MS);
	if (!rc && dev->reg.result) {
		rc = dev->reg.result;
		fault(dev, "the board refused the access to register 0x%03x: %s", (unsigned)offset, strerror(-rc));
	}
	if (!rc && read)
		*read = dev->reg.value;
	return rc;
}

int device_reg_read(struct device *dev, uint32_t offset, uint32_t *value)
{
	return reg_access(dev, HF_MSG_REG_READ, offset, 0, value);
}

int device_reg_read_within(struct device *dev, uint32_t offset, uint32_t *value, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int rc;

	do
		rc = device_reg_read(dev, offset, value);
	while (rc == -ETIMEDOUT && clock_ms() < deadline);
	return rc;
}

int device_reg_write(struct device *dev, uint32_t offset, uint32_t value)
{
	return reg_access(dev, HF_MSG_REG_WRITE, offset, value, NULL);
}

int device_reg_post(struct device *dev, uint32_t offset, uint32_t value)
{
	return send_reg(dev, HF_MSG_REG_WRITE, offset, value, COOKIE_NONE);
}

/* Commands and frames ------------------------------------------------------------------------------------- */

static int queue_command(
	struct device *dev, unsigned command, uint32_t id, const uint8_t *body, size_t len, uint64_t tag)
{
	struct waiting *w;

	if (dev->gone)
		return dev->gone;
	w = malloc(sizeof(*w) + len);
	if (!w)
		return -ENOMEM;
	w->next = NULL;
	w->command = command;
	w->id = id;
	w->tag = tag;
	w->len = len;
	if (body)
		memcpy(w->msg, body, len);
	*dev->waiting_end = w;
	dev->waiting_end = &w->next;
	dev->waiting_count++;
	return start_commands(dev);
}

int device_command(struct device *dev, unsigned command, uint32_t id)
{
	return queue_command(dev, command, id, NULL, HF_MSG_HEADER_BYTES, 0);
}

int device_connect(struct device *dev, const uint8_t *msg, uint64_t tag)
{
	return queue_command(dev, HF_COMMAND_CONNECT, HF_NO_ID, msg, DEVICE_MESSAGE_BYTES, tag);
}

int device_hand_back(struct device *dev, const uint8_t *msg, uint64_t tag)
{
	return queue_command(dev, HF_COMMAND_CLOSE, HF_NO_ID, msg, DEVICE_MESSAGE_BYTES, tag);
}

int device_adopt(struct device *dev, const uint8_t *msg, uint64_t tag)
{
	return queue_command(dev, HF_COMMAND_ADOPT, HF_NO_ID, msg, DEVICE_MESSAGE_BYTES, tag);
}

int device_dump(struct device *dev, unsigned slot, uint64_t tag)
{
	return queue_command(dev, HF_COMMAND_DUMP, slot, NULL, HF_MSG_HEADER_BYTES, tag);
}

unsigned device_commands_pending(const struct device *dev)
{
	return dev->waiting_count + dev->in_flight_count;
}

bool device_frame_room(const struct device *dev)
{
	return dev->out_count < OUT_FRAMES_MAX;
}

uint8_t *device_frame_place(struct device *dev)
{
	struct out *out;

	if (!dev->spare && device_frame_room(dev)) {
		out = out_new(dev, HF_MSG_HEADER_BYTES + dev->board.max_frame);
		if (out)
			out_free(dev, out);
	}
	return dev->spare && device_frame_room(dev) ? dev->spare->msg + HF_MSG_HEADER_BYTES : NULL;
}

static bool checksum_fits(size_t len, unsigned start, unsigned offset)
{
	return !(start & 1) && !(offset & 1) && start <= len && offset <= len && start + offset + 2 <= len;
}

int device_frame_put(struct device *dev, size_t len, unsigned start, unsigned offset)
{
	struct out *out;

	if (dev->gone)
		return dev->gone;
	if (len < 14 || len > dev->board.max_frame)
		return -EMSGSIZE;
	if (!checksum_fits(len, start, offset))
		return -EINVAL;
	out = out_new(dev, HF_MSG_HEADER_BYTES + len);
	if (!out)
		return -ENOMEM;
	out->len = HF_MSG_HEADER_BYTES + len;
	put_header(out->msg, HF_MSG_FRAME, HF_FRAME_CSUM_INSERT, out->len, start | offset << 16, COOKIE_NONE);
	return queue_out(dev, out);
}

static int send_frame(struct device *dev, const uint8_t *frame, size_t len, unsigned flags, uint32_t id)
{
	uint8_t head[HF_MSG_HEADER_BYTES];

	if (dev->gone)
		return dev->gone;
	if (len < 14 || len > dev->board.max_frame)
		return -EMSGSIZE;
	if (!device_frame_room(dev))
		return -EAGAIN;
	put_header(head, HF_MSG_FRAME, flags, sizeof(head) + len, id, COOKIE_NONE);
	return send_message(dev, head, sizeof(head), frame, len);
}

int device_frame(struct device *dev, const uint8_t *frame, size_t len)
{
	return send_frame(dev, frame, len, 0, HF_NO_ID);
}

int device_frame_checksum(struct device *dev, const uint8_t *frame, size_t len, unsigned start, unsigned offset)
{
	if (!checksum_fits(len, start, offset))
		return -EINVAL;
	return send_frame(dev, frame, len, HF_FRAME_CSUM_INSERT, start | offset << 16);
}

/* Open and close ------------------------------------------------------------------------------------------ */

const struct device_board *device_board(const struct device *dev)
{
	return &dev->board;
}

const struct device_stats *device_stats(const struct device *dev)
{
	return &dev->stats;
}

const char *device_fault(const struct device *dev)
{
	return dev->fault;
}

int device_fd(const struct device *dev)
{
	return transport_fd(dev->t);
}

bool device_wants_out(const struct device *dev)
{
	return dev->out_first != NULL;
}

/* HELLO comes first, or this is no board of ours. */
static int await_hello(struct device *dev, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;

	while (!dev->greeted) {
		int64_t left = deadline - clock_ms();
		int rc;

		if (left <= 0) {
			fault(dev, "no HELLO from the board within %d ms", timeout_ms);
			return -ETIMEDOUT;
		}
		rc = device_pump(dev, (int)left);
		if (rc < 0)
			return rc;
		if (dev->stats.bad_messages)
			return -EPROTO;
	}
	return 0;
}

static int check_register(struct device *dev, uint32_t offset, uint32_t expected, const char *name)
{
	uint32_t value;
	int rc = device_reg_read(dev, offset, &value);

	if (!rc && value != expected) {
		fault(dev, "not a board this driver knows: register %s is 0x%x, expected 0x%x", name, (unsigned)value,
			(unsigned)expected);
		return -EPROTO;
	}
	return rc;
}

static void release(struct device *dev)
{
	forget_commands(dev);
	free_outs(dev->out_first);
	free_outs(dev->spare);
	free(dev);
}

static struct device *new_device(struct transport *t, const struct device_events *on, void *ctx, char *why)
{
	struct device *dev = calloc(1, sizeof(*dev));

	if (!dev) {
		snprintf(why, DEVICE_FAULT_BYTES, "out of memory");
		return NULL;
	}
	dev->t = t;
	dev->on = on;
	dev->ctx = ctx;
	dev->out_end = &dev->out_first;
	dev->waiting_end = &dev->waiting_first;
	return dev;
}

/* It is a board of this version, or the device goes; the transport stays. */
static int check(struct device *dev, int rc, struct device **out, char *why)
{
	if (!rc)
		rc = check_register(dev, HF_REG_ID, HF_ID, "ID");
	if (!rc)
		rc = check_register(dev, HF_REG_VERSION, HF_ABI_VERSION, "VERSION");
	if (rc) {
		memcpy(why, dev->fault, DEVICE_FAULT_BYTES);
		release(dev);
		return rc;
	}
	*out = dev;
	return 0;
}

int device_open(
	struct transport *t, const struct device_events *on, void *ctx, int timeout_ms, struct device **out, char *why)
{
	struct device *dev = new_device(t, on, ctx, why);

	return dev ? check(dev, await_hello(dev, timeout_ms), out, why) : -ENOMEM;
}

int device_resume(struct transport *t, const struct device_board *board, uint64_t cookie,
	const struct device_events *on, void *ctx, int timeout_ms, struct device **out, char *why)
{
	struct device *dev = new_device(t, on, ctx, why);
	uint32_t epoch;
	int rc;

	if (!dev)
		return -ENOMEM;
	dev->board = *board;
	dev->greeted = true;
	dev->last_cookie = cookie;
	/* Before the first answer comes what has waited since the other process has read nothing any more. */
	rc = !can_be(dev, board) ? -EPROTO : device_reg_read_within(dev, HF_REG_EPOCH, &epoch, timeout_ms);
	if (rc == -ECONNRESET || (!rc && epoch != board->epoch)) {
		fault(dev, "the board was reset meanwhile");
		rc = -ESTALE;
	}
	return check(dev, rc, out, why);
}

void device_close(struct device *dev)
{
	if (!dev)
		return;
	transport_close(dev->t);
	release(dev);
}

void device_leave(struct device *dev)
{
	if (!dev)
		return;
	transport_leave(dev->t);
	release(dev);
}

int device_keep(const struct device *dev, int *fds)
{
	return transport_keep(dev->t, fds);
}

uint64_t device_cookie(const struct device *dev)
{
	return dev->last_cookie;
}
