/* SPDX-License-Identifier: Apache-2.0 */
#include "support_player.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support_bench.h"
#include "support_event.h"

enum { ETH = 14, IP = 20, TCP = 32, HEADERS = ETH + IP + TCP, SHIFT = 7 };

struct player *player_new(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct player *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->fd = -1;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	p->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&addr, sizeof(addr)) || listen(p->listener, 1)) {
		player_free(p);
		return NULL;
	}
	p->tsecr = TSVAL;
	p->reg[HF_REG_ID / 4] = HF_ID;
	p->reg[HF_REG_VERSION / 4] = HF_ABI_VERSION;
	p->reg[HF_REG_HEARTBEAT_MS / 4] = 1000;
	return p;
}

void player_free(struct player *p)
{
	if (!p)
		return;
	if (p->fd >= 0)
		close(p->fd);
	if (p->listener >= 0)
		close(p->listener);
	free(p);
}

/* ---- out ---- */

static void flush(struct player *p)
{
	struct mmsghdr m[PLAYER_BATCH] = { 0 };
	struct iovec v[PLAYER_BATCH];

	for (unsigned i = 0; i < p->outs; i++) {
		v[i] = (struct iovec){ p->out[i], p->out_len[i] };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned done = 0; done < p->outs && !p->gone;) {
		int n = sendmmsg(p->fd, m + done, p->outs - done, MSG_NOSIGNAL);

		if (n > 0)
			done += (unsigned)n;
		else if (errno != EINTR)
			p->gone = true;
	}
	p->outs = 0;
}

uint8_t *player_message(struct player *p, unsigned type, unsigned flags, size_t len, uint32_t id)
{
	uint8_t *msg;

	if (p->outs == PLAYER_BATCH)
		flush(p);
	msg = p->out[p->outs];
	p->out_len[p->outs++] = len;
	memset(msg, 0, HF_MSG_HEADER_BYTES);
	MSG_PUT(msg, HEADER, type, type);
	MSG_PUT(msg, HEADER, flags, flags);
	MSG_PUT(msg, HEADER, length, len);
	MSG_PUT(msg, HEADER, id, id);
	return msg;
}

static void hello(struct player *p)
{
	uint8_t *msg = player_message(p, HF_MSG_HELLO, 0, 40, HF_NO_ID);

	memset(msg + HF_MSG_HEADER_BYTES, 0, 24);
	MSG_PUT(msg, HELLO, version, HF_ABI_VERSION);
	MSG_PUT(msg, HELLO, epoch, 1);
	MSG_PUT(msg, HELLO, slots, PLAYER_SLOTS);
	MSG_PUT(msg, HELLO, credits, 16);
	MSG_PUT(msg, HELLO, listeners, 16);
	MSG_PUT(msg, HELLO, max_frame, 1522);
	MSG_PUT(msg, HELLO, ways, 4);
	MSG_PUT(msg, HELLO, data_w, 64);
}

void player_event(struct player *p, uint32_t id, uint32_t peer, uint16_t port)
{
	uint8_t *msg = player_message(p, HF_MSG_EVENT, 0, 128, id);

	event_message(msg, &(struct fake_event){ .id = id, .listener = p->index, .remote_port = port });
	put32(msg + HF_AT_EVENT_remote_addr + 12, peer);
	MSG_PUT(msg, EVENT, mss, 1460);
	MSG_PUT(msg, EVENT, snd_wscale, SHIFT);
	MSG_PUT(msg, EVENT, rcv_wscale, SHIFT);
	MSG_PUT(msg, EVENT, snd_wnd, 64240);
}

void player_segment(struct player *p, uint32_t peer, uint16_t port, uint32_t seq, uint32_t ack, unsigned flags,
	const char *text, size_t len)
{
	uint8_t *frame =
		player_message(p, HF_MSG_FRAME, HF_FRAME_CSUM_OK, HF_MSG_HEADER_BYTES + HEADERS + len, HF_NO_ID) +
		HF_MSG_HEADER_BYTES;
	uint8_t *ip = frame + ETH, *tcp = ip + IP;
	uint32_t sum;

	memset(frame, 0, HEADERS);
	if (text)
		memcpy(frame + HEADERS, text, len);
	else
		memset(frame + HEADERS, 0, len);
	for (unsigned i = 0; i < 4; i++)
		frame[i] = (uint8_t)(p->reg[HF_REG_MAC_LO / 4] >> 8 * i);
	for (unsigned i = 0; i < 2; i++)
		frame[4 + i] = (uint8_t)(p->reg[HF_REG_MAC_HI / 4] >> 8 * i);
	put48(frame + 6, PEER_MAC);
	put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)(IP + TCP + len));
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = 6;
	put32(ip + 12, peer);
	put32(ip + 16, OUR_ADDR);
	put16(ip + 10, (uint16_t)~ref_sum(ip, IP));
	put16(tcp, port);
	put16(tcp + 2, OUR_PORT);
	put32(tcp + 4, IRS + seq);
	put32(tcp + 8, ISS + ack);
	tcp[12] = TCP / 4 << 4;
	tcp[13] = (uint8_t)flags;
	put16(tcp + 14, 0xffff);
	put32(tcp + 20, 0x0101080a);
	put32(tcp + 24, TS_RECENT);
	put32(tcp + 28, p->tsecr);
	/* Zeros add nothing. */
	sum = 6u + TCP + (uint32_t)len + ref_sum(ip + 12, 8) + ref_sum(tcp, TCP) + (text ? ref_sum(text, len) : 0);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(tcp + 16, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
}

/* ---- in ---- */

static void on_register(struct player *p, const uint8_t *msg)
{
	uint32_t offset = (uint32_t)MSG_GET(msg, HEADER, id), value = (uint32_t)MSG_GET(msg, REG_WRITE, value), mode;
	bool write = MSG_GET(msg, HEADER, type) == HF_MSG_REG_WRITE;
	uint64_t stamp = MSG_GET(msg, HEADER, stamp);
	uint8_t *reply;

	if (write)
		p->reg[offset / 4 % COUNT(p->reg)] = value;
	mode = value >> HF_LISTEN_COMMIT_MODE_LOW & 3;
	if (write && offset == HF_REG_LISTEN_COMMIT && mode) {
		p->index = value >> HF_LISTEN_COMMIT_INDEX_LOW & 15;
		p->offload = mode == LISTEN_OFFLOAD;
	}
	reply = player_message(p, HF_MSG_REG_REPLY, 0, 24, offset);
	MSG_PUT(reply, HEADER, stamp, stamp);
	MSG_PUT(reply, REG_REPLY, value, write ? 0 : p->reg[offset / 4 % COUNT(p->reg)]);
	MSG_PUT(reply, REG_REPLY, pad, 0);
}

static void on_command(struct player *p, const uint8_t *msg)
{
	uint8_t *reply = player_message(p, HF_MSG_COMPLETION, HF_STATUS_OK, 24, (uint32_t)MSG_GET(msg, HEADER, id));

	p->commands++;
	MSG_PUT(reply, HEADER, stamp, MSG_GET(msg, HEADER, stamp));
	MSG_PUT(reply, COMPLETION, status, HF_STATUS_OK);
	MSG_PUT(reply, COMPLETION, command, MSG_GET(msg, HEADER, flags));
}

/* Whoever is asked for is here. */
static void on_arp(struct player *p, const uint8_t *frame)
{
	if (get16(frame + 20) != 1 || !memcmp(frame + 28, frame + 38, 4))
		return;
	make_arp_reply(player_message(p, HF_MSG_FRAME, 0, HF_MSG_HEADER_BYTES + 42, HF_NO_ID) + HF_MSG_HEADER_BYTES,
		frame, 14, PEER_MAC);
}

static void handle(struct player *p, const uint8_t *msg, size_t len)
{
	switch (MSG_GET(msg, HEADER, type)) {
	case HF_MSG_REG_READ:
	case HF_MSG_REG_WRITE:
		on_register(p, msg);
		break;
	case HF_MSG_COMMAND:
		on_command(p, msg);
		break;
	case HF_MSG_FRAME:
		p->frames++;
		if (len >= HF_MSG_HEADER_BYTES + 42 && get16(msg + HF_MSG_HEADER_BYTES + 12) == 0x0806)
			on_arp(p, msg + HF_MSG_HEADER_BYTES);
		else if (p->on_frame)
			p->on_frame(p->ctx, msg + HF_MSG_HEADER_BYTES, len - HF_MSG_HEADER_BYTES);
		break;
	}
}

static void receive(struct player *p)
{
	struct mmsghdr m[PLAYER_BATCH] = { 0 };
	struct iovec v[PLAYER_BATCH];
	int n;

	for (unsigned i = 0; i < PLAYER_BATCH; i++) {
		v[i] = (struct iovec){ p->in[i], PLAYER_MESSAGE };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(p->fd, m, PLAYER_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		p->gone = true;
	for (int i = 0; i < n; i++) {
		if (!m[i].msg_len)
			p->gone = true;
		else if (m[i].msg_len >= HF_MSG_HEADER_BYTES)
			handle(p, p->in[i], m[i].msg_len);
	}
}

void player_step(struct player *p, int timeout_ms)
{
	struct pollfd f = { p->fd < 0 ? p->listener : p->fd, POLLIN, 0 };

	if (p->fd >= 0)
		flush(p);
	if (p->gone || poll(&f, 1, timeout_ms) <= 0)
		return;
	if (p->fd < 0) {
		p->fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
		hello(p);
	} else {
		receive(p);
	}
	flush(p);
}
