/* SPDX-License-Identifier: Apache-2.0
 * device.h - one board behind a transport: registers, commands, events and frames.
 *
 * Not thread-safe: one thread owns a device and calls device_pump() often. No function here waits longer
 * than the timeout it is given. What arrives while a function waits for its own answer is
 * handed to the callbacks from inside that function, so callbacks must not wait themselves: they may call
 * device_command(), device_connect() and its like, device_frame() and device_reg_post(), nothing else of this file. */
#ifndef HANDFAST_DEVICE_H
#define HANDFAST_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"
#include "transport.h"

/* What a build may want longer: for a simulated board on a machine that has much else to do. */
#ifndef DEVICE_REG_TIMEOUT_MS
#define DEVICE_REG_TIMEOUT_MS 100 /* a register access is given up after this long */
#endif
#ifndef DEVICE_COMMAND_TIMEOUT_MS
#define DEVICE_COMMAND_TIMEOUT_MS 1000 /* and a command; its credit is used again */
#endif
#define DEVICE_MESSAGE_BYTES 128 /* a command with a body: EVENT's layout, regs/message.def */
#define DEVICE_FAULT_BYTES   160 /* longest text of device_fault(), with its 0 */

struct device;

/* What HELLO says of the board; see regs/message.def. */
struct device_board {
	uint32_t version, epoch, slots, credits, listeners, max_frame, ways, data_w;
};

/* What arrives; msg is the whole message, valid until the call of batch() that follows, its length checked against its type. */
struct device_events {
	void (*frame)(void *ctx, const uint8_t *msg, size_t len);
	void (*event)(void *ctx, const uint8_t *msg, size_t len);
	/* The answer to device_command() and its like; status is an HF_STATUS code, or -ETIMEDOUT. id: what the
	 * command was given; for CONNECT, CLOSE and ADOPT that succeeded, the new id of the connection. */
	void (*completion)(void *ctx, unsigned command, uint32_t id, int status, uint64_t tag);
	/* The board was reset (a HELLO arrived): its registers have their reset values and every id is stale.
	 * Outstanding commands get no completion. */
	void (*reset)(void *ctx);
	/* What was there has been handed out, 64 messages at most; the memory of all is used again. May be NULL. */
	void (*batch)(void *ctx);
};

struct device_stats {
	uint64_t bad_messages;	   /* from the board: length, type or cookie that cannot be; dropped */
	uint64_t refused_messages; /* of ours that the board called malformed */
	uint64_t command_timeouts;
	uint64_t resets;
};

/* device_open - wait for HELLO, then check ID and VERSION.
 *
 *   t           taken over on success, otherwise still the caller's
 *   on, ctx     callbacks; must live as long as the device
 *   timeout_ms  for HELLO
 *   why         receives the reason in words on failure, DEVICE_FAULT_BYTES
 *
 * Returns 0 and sets *dev, or
 *   -EPROTO     not a board of this version: wrong ID or VERSION, or a first message that is no intact HELLO
 *   -ETIMEDOUT  no HELLO, or no answer to a register read
 *   -ENODEV     the board hung up
 *   -ENOMEM */
int device_open(
	struct transport *t, const struct device_events *on, void *ctx, int timeout_ms, struct device **dev, char *why);
/* device_resume - go on with a board that another process had, over its transport (transport_resume()): there is no HELLO.
 *
 *   board   what HELLO has told that process
 *   cookie  numbers above it are new: that process has used none of them
 *   timeout_ms  for the first answer
 *
 * Reads ID, VERSION and EPOCH. What arrives meanwhile goes to the callbacks. Returns 0 and sets *dev, or as device_open() (-EPROTO also:
 * there is no board as `board` says), or
 *   -ESTALE  another epoch: the board was reset since (the transport is good, its HELLO has come or will) */
int device_resume(struct transport *t, const struct device_board *board, uint64_t cookie,
	const struct device_events *on, void *ctx, int timeout_ms, struct device **dev, char *why);
/* Closes the transport too; tells the board nothing. NULL is allowed. */
void device_close(struct device *dev);
/* The same by transport_leave(). */
void device_leave(struct device *dev);
/* As transport_keep(). */
int device_keep(const struct device *dev, int *fds);
/* The last number that was given to a message. */
uint64_t device_cookie(const struct device *dev);

const struct device_board *device_board(const struct device *dev);
const struct device_stats *device_stats(const struct device *dev);
/* The last thing that went wrong, in words; "" if nothing has. */
const char *device_fault(const struct device *dev);

/* Poll this for POLLIN, and for POLLOUT while device_wants_out(); -1 = call device_pump() again and again. */
int device_fd(const struct device *dev);
bool device_wants_out(const struct device *dev);

/* Send what is queued, receive and hand out what has arrived; if nothing has, wait up to timeout_ms for it.
 * Returns the number of messages received, or
 *   -ENODEV  the board is gone
 *   -EPROTO  it came back from a reset as another version
 * after either of which every function here returns the same. */
int device_pump(struct device *dev, int timeout_ms);

/* From now on messages wait, until there are as many as go out at once or device_uncork() is called. device_pump() and register accesses
 * that wait send what waits all the same. For who has many to send: it is cheaper by the batch. */
void device_cork(struct device *dev);
/* Returns 0 or what device_pump() returns on failure. */
int device_uncork(struct device *dev);

/* Register access. Returns 0, or
 *   -ENXIO       no such register
 *   -EACCES      the board refused the write
 *   -ETIMEDOUT   no answer within DEVICE_REG_TIMEOUT_MS; a write may have happened or may still happen
 *   -ECONNRESET  the board was reset meanwhile
 *   -EBADMSG     the board called our message malformed
 *   -ENODEV, -EPROTO, -ENOMEM */
int device_reg_read(struct device *dev, uint32_t offset, uint32_t *value);
/* The same of a board that may be busy: asked again for that long. */
int device_reg_read_within(struct device *dev, uint32_t offset, uint32_t *value, int timeout_ms);
int device_reg_write(struct device *dev, uint32_t offset, uint32_t value);
/* A write whose answer nobody waits for. Returns 0, -ENODEV, -EPROTO or -ENOMEM. */
int device_reg_post(struct device *dev, uint32_t offset, uint32_t value);

/* Queue a command (enum hf_command_code) for a connection; it is sent as soon as there is a credit, and
 * on->completion tells its fate. Returns 0, -ENODEV, -EPROTO or -ENOMEM. */
int device_command(struct device *dev, unsigned command, uint32_t id);

/* Queue a command whose body is a connection: `msg` has the layout of an EVENT message, of which the header is
 * ignored (copied during the call). `tag` comes back with the completion.
 *
 *   device_connect    active open: 4-tuple, MAC, VLAN, options wanted (bits 0 to 2), rto_ms, now_ms = give up after
 *   device_hand_back  CLOSE: the engine takes an idle connection over and closes it; state ESTABLISHED or CLOSE-WAIT
 *   device_adopt      the host's connection gets an entry, so that the engine knows it
 *
 * Returns as device_command(). The completion may say BAD_PARAM, EXISTS, NO_ROOM, BAD_STATE (regs/message.def). */
int device_connect(struct device *dev, const uint8_t *msg, uint64_t tag);
int device_hand_back(struct device *dev, const uint8_t *msg, uint64_t tag);
int device_adopt(struct device *dev, const uint8_t *msg, uint64_t tag);
/* Ask for the entry of a slot. The answer is an event DUMP, then a completion OK; or the completion says STALE. */
int device_dump(struct device *dev, unsigned slot, uint64_t tag);
/* Commands queued or sent whose fate is not known yet. */
unsigned device_commands_pending(const struct device *dev);

/* Send one Ethernet frame without FCS, 14 bytes to max_frame, checksums complete.
 * Returns 0, or -EAGAIN (no room now, not sent), -EMSGSIZE, -ENODEV, -EPROTO, -ENOMEM. */
int device_frame(struct device *dev, const uint8_t *frame, size_t len);
/* The same, and the board puts a checksum in (CSUM_INSERT): the field at start + offset, both even, holds the sum of the pseudo-header.
 * Returns also -EINVAL: start or offset odd, or the field not inside the frame. */
int device_frame_checksum(struct device *dev, const uint8_t *frame, size_t len, unsigned start, unsigned offset);
/* The same without a copy: write the frame to device_frame_place(), max_frame octets, then device_frame_put() sends it. The place is NULL
 * when device_frame() would return -EAGAIN, and without memory. A place that is not put is given again; nothing else of this file may be called
 * between the two. Returns as device_frame_checksum(). */
uint8_t *device_frame_place(struct device *dev);
int device_frame_put(struct device *dev, size_t len, unsigned start, unsigned offset);
/* device_frame() would not return -EAGAIN. */
bool device_frame_room(const struct device *dev);

#endif
