/* SPDX-License-Identifier: Apache-2.0 */
#include "support_fake_board.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support_bench.h"

void fake_board_init(struct fake_board *b)
{
	memset(b, 0, sizeof(*b));
	b->id = HF_ID;
	b->version = b->hello_version = HF_ABI_VERSION;
	b->epoch = 0x1234;
	b->new_id = 0x10042;
	b->slots = 1024;
	b->credits = 4;
	b->listeners = 16;
	b->max_frame = 1522;
	b->heartbeat_ms = 1000;
	b->bad_offset = b->refused_offset = b->malformed_offset = UINT32_MAX;
	b->listener = b->fd = -1;
}

static void header(uint8_t *msg, unsigned type, unsigned flags, size_t len, uint32_t id, uint64_t stamp)
{
	memset(msg, 0, len);
	MSG_PUT(msg, HEADER, type, type);
	MSG_PUT(msg, HEADER, flags, flags);
	MSG_PUT(msg, HEADER, length, len);
	MSG_PUT(msg, HEADER, id, id);
	MSG_PUT(msg, HEADER, stamp, stamp);
}

void fake_board_send(struct fake_board *b, const void *packet, size_t len)
{
	/* A host that has hung up is no error of ours. */
	if (send(b->fd, packet, len, MSG_NOSIGNAL) < 0)
		b->hung_up = true;
}

void fake_board_hello(struct fake_board *b)
{
	uint8_t msg[40];

	header(msg, HF_MSG_HELLO, 0, sizeof(msg), HF_NO_ID, 0);
	MSG_PUT(msg, HELLO, version, b->hello_version);
	MSG_PUT(msg, HELLO, epoch, b->epoch);
	MSG_PUT(msg, HELLO, slots, b->slots);
	MSG_PUT(msg, HELLO, credits, b->credits);
	MSG_PUT(msg, HELLO, listeners, b->listeners);
	MSG_PUT(msg, HELLO, max_frame, b->max_frame);
	MSG_PUT(msg, HELLO, ways, 4);
	MSG_PUT(msg, HELLO, data_w, 64);
	fake_board_send(b, msg, sizeof(msg));
}

void fake_board_send_frame(struct fake_board *b, const uint8_t *frame, size_t len, unsigned flags, uint32_t id)
{
	uint8_t msg[4096];

	header(msg, HF_MSG_FRAME, flags, HF_MSG_HEADER_BYTES + len, id, 0);
	memcpy(msg + HF_MSG_HEADER_BYTES, frame, len);
	fake_board_send(b, msg, HF_MSG_HEADER_BYTES + len);
}

static void completion(struct fake_board *b, unsigned command, uint32_t id, uint64_t cookie, unsigned status)
{
	uint8_t msg[24];

	header(msg, HF_MSG_COMPLETION, status, sizeof(msg), id, cookie);
	MSG_PUT(msg, COMPLETION, status, status);
	MSG_PUT(msg, COMPLETION, command, command);
	fake_board_send(b, msg, sizeof(msg));
}

static uint32_t completed_id(const struct fake_board *b, const struct fake_command *c)
{
	return c->len == sizeof(c->body) ? b->new_id : c->id;
}

void fake_board_complete(struct fake_board *b, unsigned index, unsigned status)
{
	pthread_mutex_lock(&b->lock);
	b->completed++;
	pthread_mutex_unlock(&b->lock);
	completion(b, b->command[index].code, completed_id(b, &b->command[index]), b->command[index].cookie, status);
}

/* With the lock held, from here on. */

/* The rule table and what SELECT registers choose. Returns whether the write is refused. */
static bool on_rule_register(struct fake_board *b, uint32_t offset, uint32_t value)
{
	unsigned index = value & 0xff;

	if (offset == HF_REG_RULE_COMMIT || offset == HF_REG_RULE_SELECT) {
		if (index >= b->rules)
			return true;
		b->reg[HF_REG_RULE_SELECT / 4] = index;
		if (offset == HF_REG_RULE_SELECT)
			return false;
		b->rule[index].valid = value >> HF_RULE_COMMIT_VALID_LOW & 1;
		memcpy(b->rule[index].addr, &b->reg[HF_REG_RULE_ADDR0 / 4], sizeof(b->rule[index].addr));
		b->rule[index].bits = b->reg[HF_REG_RULE_MASK_LEN / 4];
		b->rule[index].rate = b->reg[HF_REG_RULE_RATE / 4];
		b->rule[index].burst = b->reg[HF_REG_RULE_BURST / 4];
	} else if (offset == HF_REG_LISTEN_COMMIT) {
		b->reg[HF_REG_LISTEN_SELECT / 4] = index;
	} else if (offset == HF_REG_LISTEN_SELECT) {
		return index >= b->listeners;
	}
	return false;
}

static uint32_t selected_count(const struct fake_board *b, uint32_t offset)
{
	return offset == HF_REG_RULE_DROPS    ? b->rule_drops[b->reg[HF_REG_RULE_SELECT / 4] % FAKE_RULES]
	       : offset == HF_REG_LISTEN_SYNS ? b->listen_syns[b->reg[HF_REG_LISTEN_SELECT / 4] & 0xff]
					      : b->reg[offset / 4 % COUNT(b->reg)];
}

static void on_register(struct fake_board *b, const uint8_t *msg)
{
	uint32_t offset = (uint32_t)MSG_GET(msg, HEADER, id), value = (uint32_t)MSG_GET(msg, REG_WRITE, value);
	bool write = MSG_GET(msg, HEADER, type) == HF_MSG_REG_WRITE;
	unsigned status = offset == b->bad_offset	? HF_STATUS_BAD_ADDRESS
			  : offset == b->refused_offset ? HF_STATUS_REFUSED
							: 0;
	uint8_t reply[24];

	if (write && !status && on_rule_register(b, offset, value))
		status = HF_STATUS_REFUSED;
	if (write && b->writes < FAKE_WRITES)
		b->write[b->writes++] = (struct fake_write){ offset, value };
	if (b->mute)
		return;
	if (offset == b->malformed_offset) {
		completion(b, 0x100 | MSG_GET(msg, HEADER, type), offset, MSG_GET(msg, HEADER, stamp),
			HF_STATUS_BAD_LENGTH);
		return;
	}
	if (offset == HF_REG_ENTRIES)
		b->reg[offset / 4] = b->entries;
	if (write && !status)
		b->reg[offset / 4 % COUNT(b->reg)] = value;
	header(reply, HF_MSG_REG_REPLY, status, sizeof(reply), offset, MSG_GET(msg, HEADER, stamp));
	MSG_PUT(reply, REG_REPLY, value, write || status ? 0 : selected_count(b, offset));
	fake_board_send(b, reply, sizeof(reply));
	if (write && !status && offset == HF_REG_LISTEN_COMMIT) {
		const uint8_t **event = &b->at_mode[value >> HF_LISTEN_COMMIT_MODE_LOW & 3];

		if (*event)
			fake_board_send(b, *event, 128);
		*event = NULL;
	}
}

static void dump(struct fake_board *b, const struct fake_command *c)
{
	uint8_t msg[128];

	for (unsigned i = 0; i < b->entries; i++) {
		if ((MSG_GET(b->entry[i], HEADER, id) & 0xffff) != c->id)
			continue;
		memcpy(msg, b->entry[i], sizeof(msg));
		MSG_PUT(msg, EVENT, code, HF_EVENT_DUMP);
		MSG_PUT(msg, HEADER, stamp, c->cookie);
		MSG_PUT(msg, EVENT, tsecr, 0);
		MSG_PUT(msg, EVENT, seg_wnd, 0);
		MSG_PUT(msg, EVENT, snd_wl1, 0);
		MSG_PUT(msg, EVENT, snd_wl2, 0);
		fake_board_send(b, msg, sizeof(msg));
		return;
	}
	completion(b, c->code, c->id, c->cookie, HF_STATUS_STALE);
}

static void on_command(struct fake_board *b, const uint8_t *msg)
{
	struct fake_command c = { .code = (unsigned)MSG_GET(msg, HEADER, flags),
		.id = (uint32_t)MSG_GET(msg, HEADER, id),
		.cookie = MSG_GET(msg, HEADER, stamp),
		.len = MSG_GET(msg, HEADER, length) };

	memcpy(c.body, msg, c.len < sizeof(c.body) ? c.len : sizeof(c.body));

	if (c.code == HF_COMMAND_DUMP && b->entry) {
		b->dumps++;
		dump(b, &c);
		return;
	}
	if (b->commands == FAKE_COMMANDS)
		return;
	b->command[b->commands++] = c;
	if (b->commands - b->completed > b->most_outstanding)
		b->most_outstanding = b->commands - b->completed;
	if (b->hold)
		return;
	b->completed++;
	completion(b, c.code, completed_id(b, &c), c.cookie, b->command_status);
}

/* RFC 1071 of octets in pairs, not folded. */
static uint32_t sum_of(const uint8_t *at, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	return sum;
}

static uint16_t complement(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* CSUM_INSERT: what regs/message.def says. */
static void insert_checksum(struct fake_board *b, uint8_t *frame, size_t len, uint32_t id)
{
	size_t start = id & 0xffff, at = start + (id >> 16);

	if (start & 1 || at & 1 || at + 2 > len) {
		b->malformed++;
		return;
	}
	put16(frame + at, complement(sum_of(frame + start, len - start)));
}

/* Solicited for any address but an unspecified one's probe, as arp_mac (RFC 4861 7.2.4). */
static void on_solicitation(struct fake_board *b, const uint8_t *frame)
{
	uint8_t reply[86] = { 0 };

	memcpy(reply, frame + 6, 6);
	put48(reply + 6, b->arp_mac);
	put16(reply + 12, 0x86dd);
	reply[14] = 0x60;
	reply[19] = 32;
	reply[20] = 58;
	reply[21] = 255;
	memcpy(reply + 22, frame + 62, 16);
	memcpy(reply + 38, frame + 22, 16);
	reply[54] = 136;
	reply[58] = 0x60; /* solicited, override */
	memcpy(reply + 62, frame + 62, 16);
	reply[78] = 2;
	reply[79] = 1;
	put48(reply + 80, b->arp_mac);
	put16(reply + 56, complement(sum_of(reply + 22, 64) + 32 + 58));
	fake_board_send_frame(b, reply, sizeof(reply), 0, HF_NO_ID);
}

/* ARP of a VLAN: answered there. */
static void on_tagged(struct fake_board *b, const uint8_t *frame, size_t len)
{
	uint8_t reply[46];

	if (len >= 46 && get16(frame + 16) == 0x0806 && get16(frame + 24) == 1 && b->arp_vlan &&
		(get16(frame + 14) & 0xfff) == b->arp_vlan) {
		make_arp_reply(reply, frame, 18, b->arp_mac);
		fake_board_send_frame(b, reply, sizeof(reply), 0, HF_NO_ID);
	} else if (len >= 18 && get16(frame + 16) == 0x0800 && b->frames < FAKE_FRAMES &&
		   len <= sizeof(b->frame[0].bytes)) {
		b->frame[b->frames].len = len;
		memcpy(b->frame[b->frames++].bytes, frame, len);
	}
}

static void on_frame(struct fake_board *b, const uint8_t *frame, size_t len)
{
	uint8_t reply[42];

	if (len >= 14 && get16(frame + 12) == 0x8100) {
		on_tagged(b, frame, len);
		return;
	}

	if (len >= 42 && get16(frame + 12) == 0x0806) {
		if (!b->arp_mac || get16(frame + 20) != 1)
			return;
		make_arp_reply(reply, frame, 14, b->arp_mac);
		fake_board_send_frame(b, reply, sizeof(reply), 0, HF_NO_ID);
		return;
	}
	if (b->arp_mac && len >= 86 && get16(frame + 12) == 0x86dd && frame[20] == 58 && frame[54] == 135 &&
		sum_of(frame + 22, 16))
		on_solicitation(b, frame);
	if (len < 14 || (get16(frame + 12) != 0x0800 && (get16(frame + 12) != 0x86dd || len < 54 || frame[20] != 6)) ||
		b->frames == FAKE_FRAMES || len > sizeof(b->frame[0].bytes))
		return;
	b->frame[b->frames].len = len;
	memcpy(b->frame[b->frames++].bytes, frame, len);
}

static void serve(struct fake_board *b)
{
	static const unsigned poll_ms = 20;
	uint8_t msg[16384];

	for (;;) {
		struct pollfd p[2] = { { b->deaf ? -1 : b->fd, POLLIN, 0 }, { b->wake[0], POLLIN, 0 } };
		ssize_t n;

		pthread_mutex_unlock(&b->lock);
		poll(p, 2, poll_ms);
		pthread_mutex_lock(&b->lock);
		if (b->stop)
			return;
		if (b->deaf || !(p[0].revents & (POLLIN | POLLHUP)))
			continue;
		n = recv(b->fd, msg, sizeof(msg), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			b->hung_up = true;
			return;
		}
		if (n < 16 || (size_t)n != MSG_GET(msg, HEADER, length)) {
			b->malformed += n > 0;
			continue;
		}
		switch (MSG_GET(msg, HEADER, type)) {
		case HF_MSG_REG_READ:
		case HF_MSG_REG_WRITE:
			on_register(b, msg);
			break;
		case HF_MSG_COMMAND:
			on_command(b, msg);
			break;
		case HF_MSG_FRAME:
			if (MSG_GET(msg, HEADER, flags) & HF_FRAME_CSUM_INSERT)
				insert_checksum(b, msg + HF_MSG_HEADER_BYTES, (size_t)n - HF_MSG_HEADER_BYTES,
					(uint32_t)MSG_GET(msg, HEADER, id));
			on_frame(b, msg + HF_MSG_HEADER_BYTES, (size_t)n - HF_MSG_HEADER_BYTES);
			break;
		}
	}
}

static void *board_thread(void *arg)
{
	struct fake_board *b = arg;
	struct pollfd p[2] = { { b->listener, POLLIN, 0 }, { b->wake[0], POLLIN, 0 } };

	pthread_mutex_lock(&b->lock);
	for (bool again = true; again && !b->stop; again = b->serve_again) {
		pthread_mutex_unlock(&b->lock);
		poll(p, 2, -1);
		pthread_mutex_lock(&b->lock);
		if (b->stop)
			break;
		if (b->fd >= 0)
			close(b->fd);
		b->fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
		b->connected = true;
		if (b->hang_up_first) {
			shutdown(b->fd, SHUT_RDWR);
		} else {
			if (b->first)
				fake_board_send(b, b->first, b->first_len);
			else if (!b->silent)
				fake_board_hello(b);
			serve(b);
		}
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

bool fake_board_start(struct fake_board *b)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	b->reg[HF_REG_ID / 4] = b->id;
	b->reg[HF_REG_VERSION / 4] = b->version;
	b->reg[HF_REG_HEARTBEAT_MS / 4] = b->heartbeat_ms;
	b->reg[HF_REG_GEOMETRY / 4] = b->rules << HF_GEOMETRY_RULES_LOW;
	b->reg[HF_REG_EPOCH / 4] = b->epoch;
	snprintf(b->dir, sizeof(b->dir), "/tmp/handfast-test.XXXXXX");
	if (!mkdtemp(b->dir) || chmod(b->dir, 0755) || pipe2(b->wake, O_CLOEXEC))
		return false;
	snprintf(b->path, sizeof(b->path), "%s/board", b->dir);
	snprintf(b->uri, sizeof(b->uri), "unix:%s", b->path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", b->path);
	b->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (b->listener < 0 || bind(b->listener, (struct sockaddr *)&addr, sizeof(addr)) || chmod(b->path, 0777) ||
		listen(b->listener, 1))
		return false;
	pthread_mutex_init(&b->lock, NULL);
	return pthread_create(&b->thread, NULL, board_thread, b) == 0;
}

void fake_board_stop(struct fake_board *b)
{
	pthread_mutex_lock(&b->lock);
	b->stop = true;
	pthread_mutex_unlock(&b->lock);
	if (write(b->wake[1], "", 1) != 1)
		abort();
	pthread_join(b->thread, NULL);
	pthread_mutex_destroy(&b->lock);
	if (b->fd >= 0)
		close(b->fd);
	close(b->listener);
	close(b->wake[0]);
	close(b->wake[1]);
	unlink(b->path);
	rmdir(b->dir);
}

void fake_board_switch(struct fake_board *b, bool *which, bool value)
{
	pthread_mutex_lock(&b->lock);
	*which = value;
	pthread_mutex_unlock(&b->lock);
}

void fake_board_hang_up(struct fake_board *b)
{
	shutdown(b->fd, SHUT_RDWR);
}

unsigned fake_board_count(struct fake_board *b, const unsigned *counter)
{
	unsigned value;

	pthread_mutex_lock(&b->lock);
	value = *counter;
	pthread_mutex_unlock(&b->lock);
	return value;
}

bool fake_board_wait(struct fake_board *b, const unsigned *counter, unsigned least)
{
	for (unsigned i = 0; i < 400; i++) {
		if (fake_board_count(b, counter) >= least)
			return true;
		usleep(5000);
	}
	return false;
}

const struct fake_command *fake_board_command(struct fake_board *b, unsigned index)
{
	return fake_board_wait(b, &b->commands, index + 1) ? &b->command[index] : NULL;
}

unsigned fake_board_written(struct fake_board *b, uint32_t offset, uint32_t *last)
{
	unsigned n = 0;

	pthread_mutex_lock(&b->lock);
	for (unsigned i = 0; i < b->writes; i++) {
		if (b->write[i].offset != offset)
			continue;
		n++;
		if (last)
			*last = b->write[i].value;
	}
	pthread_mutex_unlock(&b->lock);
	return n;
}
